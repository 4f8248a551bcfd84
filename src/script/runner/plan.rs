//! What a run would do, and why.

use anyhow::Result;

use super::{Run, Versions};
use crate::script::effects::Role;
use crate::script::step::object_name;

impl Run<'_, '_> {
    pub(super) fn plan_step(&mut self, at: usize, why: &str, versions: &Versions) {
        let step = &self.steps[at];
        if step.effects.role != Role::Session {
            self.plan[at] = Some(format!("run   {why}"));
            return;
        }
        // Variables and settings are needed to see what depends on them, but only if they can be had without running a step.
        let is_ready = versions.expected_by(step).iter().all(|(object, _)| !self.is_planned(object, at));
        let is_done = is_ready && step.effects.target.is_none() && self.connection.execute_batch(&step.statement).is_ok();
        self.judge.forget();
        if let (Some(variable), false) = (&step.effects.sets_variable, is_done) {
            self.judge.unknown_variables.insert(variable.clone());
        }
    }

    /// Would a step before `at` make this object anew?
    fn is_planned(&self, object: &str, at: usize) -> bool {
        (0..at).any(|place| {
            let writes = self.steps[place].effects.target.as_ref().is_some_and(|target| object_name(target) == object);
            writes && self.plan[place].as_ref().is_none_or(|plan| plan.starts_with("run"))
        })
    }

    pub(super) fn print_plan(&mut self) -> Result<()> {
        for (step, plan) in self.steps.iter().zip(&self.plan) {
            if let Some((verdict, why)) = plan.as_ref().and_then(|plan| plan.split_once("  ")) {
                writeln!(self.out, "{verdict:<5} {:<width$}  {}", step.name, why.trim(), width = self.width)?;
            }
        }
        Ok(())
    }
}
