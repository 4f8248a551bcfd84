//! A DataFusion signature as DuckDB overloads.

use arrow::datatypes::DataType;
use datafusion_expr::{Signature, TypeSignature};

use crate::error::AdapterError;

/// One overload: the parameters' types (`Null` stands for ANY), and what any further arguments are.
#[derive(Debug, Clone, PartialEq)]
pub struct Overload {
    pub parameters: Vec<DataType>,
    pub varargs: Option<DataType>,
}

/// The overloads of a function. Signatures that only DataFusion's coercion can resolve are refused.
pub fn overloads(function: &str, signature: &Signature) -> Result<Vec<Overload>, AdapterError> {
    let mut found = Vec::new();
    gather(function, &signature.type_signature, &mut found)?;
    found.dedup();
    Ok(found)
}

fn gather(function: &str, signature: &TypeSignature, found: &mut Vec<Overload>) -> Result<(), AdapterError> {
    let fixed = |parameters: Vec<DataType>| Overload { parameters, varargs: None };
    match signature {
        TypeSignature::Nullary => found.push(fixed(vec![])),
        TypeSignature::Exact(types) => found.push(fixed(types.clone())),
        TypeSignature::Any(count) => found.push(fixed(vec![DataType::Null; *count])),
        TypeSignature::VariadicAny => found.push(Overload { parameters: vec![], varargs: Some(DataType::Null) }),
        TypeSignature::Uniform(count, types) => found.extend(types.iter().map(|kind| fixed(vec![kind.clone(); *count]))),
        TypeSignature::Variadic(types) => {
            found.extend(types.iter().map(|kind| Overload { parameters: vec![], varargs: Some(kind.clone()) }));
        }
        TypeSignature::OneOf(signatures) => {
            for signature in signatures {
                gather(function, signature, found)?;
            }
        }
        other => return Err(AdapterError::Signature { function: function.into(), signature: format!("{other:?}") }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion_expr::Volatility;

    #[test]
    fn one_of_becomes_one_overload_each() {
        let signature = Signature::one_of(vec![TypeSignature::Any(2), TypeSignature::Exact(vec![DataType::Int64])], Volatility::Immutable);
        let overloads = overloads("f", &signature).unwrap();
        assert_eq!(overloads[0].parameters, [DataType::Null, DataType::Null]);
        assert_eq!(overloads[1].parameters, [DataType::Int64]);
    }

    #[test]
    fn a_signature_that_needs_coercion_is_refused_by_name() {
        let error = overloads("f", &Signature::user_defined(Volatility::Immutable)).unwrap_err().to_string();
        assert!(error.starts_with("f: no DuckDB parameter types for the signature UserDefined"), "{error}");
    }
}
