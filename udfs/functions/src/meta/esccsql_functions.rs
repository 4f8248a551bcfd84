//! All functions with their documentation, from the functions' own metadata.

use crate::shape::{Function, record, table};

record! {
    /// An argument or option of a function.
    struct Parameter {
        name: String,
        r#type: String,
        description: String,
    }
}

record! {
    /// One SQL function.
    struct Entry {
        name: String,
        kind: String,
        topic: String,
        signature: String,
        description: String,
        arguments: Vec<Parameter>,
        options: Vec<Parameter>,
        returns: String,
        example: String,
        source: String,
    }
}

pub fn esccsql_functions() -> Function {
    table("esccsql_functions", "Every function of esccsql: signature, arguments, options with their defaults, example and source.")
        .example("SELECT name, signature FROM esccsql_functions() WHERE topic = 'survival'")
        .rows(|_, _| {
            let mut entries: Vec<Entry> = crate::all()
                .into_iter()
                .flat_map(|(topic, functions)| functions.into_iter().map(move |function| entry(topic, &function)))
                .collect();
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(entries)
        })
}

fn entry(topic: &str, function: &Function) -> Entry {
    let doc = &function.doc;
    Entry {
        name: doc.name.clone(),
        kind: function.kind().into(),
        topic: topic.into(),
        signature: doc.signature(),
        description: doc.description.into(),
        arguments: (doc.arguments.iter())
            .map(|argument| Parameter {
                name: argument.name.into(),
                r#type: argument.kind.sql().into(),
                description: argument.description.into(),
            })
            .collect(),
        options: (doc.options.iter())
            .map(|option| Parameter {
                name: option.name.into(),
                r#type: format!("default {}", option.default),
                description: option.description.clone(),
            })
            .collect(),
        returns: doc.returns.clone(),
        example: doc.example.into(),
        source: doc.source.into(),
    }
}
