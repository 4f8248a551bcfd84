//! A function's documentation: written once, beside the code, and read everywhere else.

use super::arguments::Kind;

/// What a reader needs to call a function.
#[derive(Debug, Clone, Default)]
pub struct Doc {
    pub name: String,
    pub description: &'static str,
    pub arguments: Vec<ArgumentDoc>,
    pub options: Vec<OptionDoc>,
    /// The options that hold a value per row.
    pub row_options: Vec<ArgumentDoc>,
    /// The result's SQL type.
    pub returns: String,
    /// Statements that a test runs on the example tables.
    pub example: &'static str,
    /// Paper or package that the numbers agree with.
    pub source: &'static str,
    /// A row is worth a thread, and changes nothing: a cluster may share the rows out.
    pub heavy: bool,
}

/// One argument.
#[derive(Debug, Clone)]
pub struct ArgumentDoc {
    pub name: &'static str,
    pub kind: Kind,
    pub description: &'static str,
    /// May it be left out?
    pub optional: bool,
}

/// One key of the options STRUCT.
#[derive(Debug, Clone)]
pub struct OptionDoc {
    pub name: &'static str,
    pub default: String,
    pub description: String,
}

impl OptionDoc {
    /// `name` as Rust writes it, the default as JSON does, the lines of the description.
    pub fn new(name: &'static str, default: String, lines: &[&str]) -> Self {
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        Self { name: name.trim_start_matches("r#"), default: default.replace('"', "'"), description: lines.join(" ") }
    }
}

impl Doc {
    /// Does the function return a MODEL?
    pub fn is_model(&self) -> bool {
        self.returns == "MODEL"
    }

    /// Is it a table function, whose options are named parameters?
    pub fn is_table(&self) -> bool {
        self.returns.starts_with("TABLE(")
    }

    /// `name(a, b[, options]) -> TYPE`, or `name(a[, option := default]) -> TABLE(...)`.
    pub fn signature(&self) -> String {
        let options = match self.options.as_slice() {
            [] => Vec::new(),
            named if self.is_table() => named.iter().map(|option| format!("{} := {}", option.name, option.default)).collect(),
            _ => vec!["options".to_string()],
        };
        let mut list = String::new();
        let names = self.arguments.iter().map(|argument| (argument.name.to_string(), argument.optional));
        for (name, optional) in names.chain(options.into_iter().map(|option| (option, true))) {
            let separator = if list.is_empty() { "" } else { ", " };
            list += &if optional { format!("[{separator}{name}]") } else { format!("{separator}{name}") };
        }
        format!("{}({list}) -> {}", self.name, self.returns)
    }
}

impl Doc {
    /// Does each row read an image's voxels?
    pub fn reads_images(&self) -> bool {
        self.heavy && self.arguments.iter().any(|argument| matches!(argument.kind, Kind::Image | Kind::Mask))
    }

    /// The same in DataFusion's form.
    pub fn documentation(&self) -> datafusion_expr::Documentation {
        let section = datafusion_expr::DocSection { include: true, label: "esccsql", description: None };
        let mut builder = datafusion_expr::Documentation::builder(section, self.description, self.signature());
        if !self.example.is_empty() {
            builder = builder.with_sql_example(format!("```sql\n{}\n```", self.example));
        }
        for argument in &self.arguments {
            builder = builder.with_argument(argument.name, argument.description);
        }
        builder.build()
    }
}
