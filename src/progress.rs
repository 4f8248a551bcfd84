//! How far a long step is: a bar with the time left where it is known, otherwise a spinner with the time taken. Only on a terminal.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Something that knows how far the running work is.
pub trait Source: Send + Sync {
    /// Done and all of the work; `None` while that is not known.
    fn state(&self) -> Option<(u64, u64)>;

    /// A few words on the work, shown behind the bar.
    fn note(&self) -> String {
        String::new()
    }
}

static SOURCE: OnceLock<Box<dyn Source>> = OnceLock::new();

/// Steps shorter than this show nothing.
const PATIENCE: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Names the source that bars follow; the first one stays.
pub fn follow(source: Box<dyn Source>) {
    let _ = SOURCE.set(source);
}

/// Does `work` and shows its progress under `name` on standard error.
pub fn show<T>(name: &str, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| draw(name, &is_over));
        let result = work();
        is_over.store(true, Ordering::Release);
        result
    })
}

fn draw(name: &str, is_over: &AtomicBool) {
    let start = Instant::now();
    let mut bar: Option<ProgressBar> = None;
    let mut is_counting = false;
    while !is_over.load(Ordering::Acquire) {
        thread::sleep(TICK.min(Duration::from_millis(20)));
        if start.elapsed() < PATIENCE {
            continue;
        }
        let bar = bar.get_or_insert_with(|| spinner(name));
        if let Some((done, all)) = SOURCE.get().and_then(|source| source.state()).filter(|(_, all)| *all > 0) {
            if !is_counting {
                is_counting = true;
                bar.set_style(style("{spinner} {msg} [{bar:30}] {pos}/{len} {elapsed} left {eta}  {prefix}"));
            }
            bar.set_length(all);
            bar.set_position(done);
            bar.set_prefix(SOURCE.get().map(|source| source.note()).unwrap_or_default());
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn spinner(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style("{spinner} {msg} {elapsed}"));
    bar.set_message(name.to_string());
    bar.enable_steady_tick(TICK);
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
