//! Scalars that see one row at a time: predictions, image operations, radiomics.

mod batch;
mod row;
mod scalar;
mod together;

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion_expr::{ScalarUDF, Signature, TypeSignature, Volatility};

use super::arguments::Kind;
use super::doc::{ArgumentDoc, Doc};
use super::error::Problem;
use super::on_error::OnError;
use super::options::{NoOptions, Options};
use super::output::{SqlType, column_field};
use super::{Function, Implementation};
pub use row::Row;
use scalar::{Kernel, Scalar};
use together::Stages;

/// Starts a scalar function.
pub fn each(name: &str, description: &'static str) -> Each<NoOptions> {
    Each { doc: Doc { name: name.into(), description, ..Doc::default() }, required: 0, traits: Traits::default(), options: PhantomData }
}

/// A scalar function under construction.
pub struct Each<O> {
    doc: Doc,
    required: usize,
    traits: Traits,
    options: PhantomData<O>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Traits {
    /// A row is worth a thread.
    heavy: bool,
    /// `'on_error': 'null'` is taken.
    recoverable: bool,
    /// The result depends on more than the arguments, or the call has an effect.
    volatile: bool,
}

impl<O: Options> Each<O> {
    /// Adds an argument.
    pub fn arg(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.arguments.push(ArgumentDoc { name, kind, description, optional: false });
        self.required = self.doc.arguments.len();
        self
    }

    /// Adds an argument that may be left out; it stands behind the others.
    pub fn optional(mut self, name: &'static str, kind: Kind, description: &'static str) -> Self {
        self.doc.arguments.push(ArgumentDoc { name, kind, description, optional: true });
        self
    }

    /// Takes options as a last argument.
    pub fn options<P: Options>(mut self) -> Each<P> {
        self.doc.options = P::docs();
        Each { doc: self.doc, required: self.required, traits: self.traits, options: PhantomData }
    }

    /// Statements that show the function at work on the example tables.
    pub fn example(mut self, sql: &'static str) -> Self {
        self.doc.example = sql;
        self
    }

    /// Paper or package that the numbers agree with.
    pub fn source(mut self, source: &'static str) -> Self {
        self.doc.source = source;
        self
    }

    /// A row takes long enough to run the rows of a chunk in parallel.
    pub fn heavy(mut self) -> Self {
        self.traits.heavy = true;
        self
    }

    /// Takes `'on_error': 'null'`: a row that fails becomes NULL and a line of `esccsql_errors()`.
    pub fn recoverable(mut self) -> Self {
        self.traits.recoverable = true;
        self
    }

    /// The call has an effect, or its result depends on files: the engine must not fold or repeat it.
    pub fn volatile(mut self) -> Self {
        self.traits.volatile = true;
        self
    }

    /// What is computed from a row. A row with a NULL argument gives NULL.
    pub fn returns<T: SqlType + 'static>(self, kernel: impl Fn(&Row, &O) -> Result<T, Problem> + Send + Sync + 'static) -> Function {
        let heavy = self.traits.heavy;
        self.finish::<T>(Arc::new(move |batch| T::array(batch.map::<O, T>(heavy, &kernel)?)))
    }

    /// What is computed from several rows at once, `prepare`d one by one: those rows of a chunk that share the model of argument 0
    /// and the options, `most` at a time. A row's result must not depend on the others'.
    pub fn returns_together<P: Send, T: SqlType + 'static>(
        self,
        most: impl Fn(&Row) -> Result<usize, Problem> + Send + Sync + 'static,
        prepare: impl Fn(&Row, &O) -> Result<P, Problem> + Send + Sync + 'static,
        compute: impl Fn(&Row, &O, Vec<P>) -> Result<Vec<T>, Problem> + Send + Sync + 'static,
    ) -> Function {
        let stages = Stages { most, prepare, compute };
        self.finish::<T>(Arc::new(move |batch| T::array(batch.together(&stages)?)))
    }

    fn finish<T: SqlType + 'static>(mut self, kernel: Kernel) -> Function {
        self.doc.returns = T::sql();
        finish(self.doc, self.required, self.traits, column_field::<T>("result"), kernel)
    }
}

/// The same code for all functions: compiled once.
fn finish(mut doc: Doc, required: usize, traits: Traits, result: FieldRef, kernel: Kernel) -> Function {
    doc.heavy = traits.heavy && !traits.volatile;
    if traits.recoverable {
        doc.options.push(OnError::doc("row"));
    }
    let doc = Arc::new(doc);
    let most = doc.arguments.len() + usize::from(!doc.options.is_empty());
    let arities = (required..=most).map(|arity| if arity == 0 { TypeSignature::Nullary } else { TypeSignature::Any(arity) });
    let volatility = if traits.volatile { Volatility::Volatile } else { Volatility::Immutable };
    let scalar = Scalar {
        documentation: doc.documentation(),
        doc: doc.clone(),
        signature: Signature::new(TypeSignature::OneOf(arities.collect()), volatility),
        required,
        result,
        kernel,
    };
    Function { doc, implementation: Implementation::Scalar(Arc::new(ScalarUDF::new_from_impl(scalar))) }
}
