//! The kinds of argument that functions take, and how a query's types become them.

/// What an argument must be. Every function takes any SQL type and coerces it here, so that both engines read
/// `1`, `1.5` (a DECIMAL in DuckDB) and `1::DOUBLE` alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any number, read as DOUBLE.
    Number,
    /// BOOLEAN, or a number that is 0 or 1.
    Event,
    /// A STRUCT or MAP of numbers by name, or a LIST or ARRAY of numbers.
    Features,
    /// A STRUCT of values of any kinds, whose NULLs are missing values and drop no row.
    Variables,
    /// A LIST or ARRAY of numbers.
    Numbers,
    /// A LIST or ARRAY of VARCHAR.
    Names,
    /// VARCHAR.
    Text,
    /// Any value that names a group, a subject or a rater; compared by its text.
    Label,
    /// An image recipe, or a path.
    Image,
    /// A mask recipe, or a path.
    Mask,
    /// A model made by a `*_fit` function.
    Model,
}

impl Kind {
    /// As documentation prints it.
    pub fn sql(self) -> &'static str {
        match self {
            Kind::Number => "DOUBLE",
            Kind::Event => "BOOLEAN",
            Kind::Features => "STRUCT | MAP | LIST of DOUBLE",
            Kind::Variables => "STRUCT",
            Kind::Numbers => "DOUBLE[]",
            Kind::Names => "VARCHAR[]",
            Kind::Text => "VARCHAR",
            Kind::Label => "ANY",
            Kind::Image => "IMAGE",
            Kind::Mask => "IMAGE",
            Kind::Model => "MODEL",
        }
    }

    /// What to pass, in words, for error messages.
    pub fn expected(self) -> &'static str {
        match self {
            Kind::Number => "a number",
            Kind::Event => "BOOLEAN, or 0 and 1",
            Kind::Features => "a STRUCT, MAP, LIST or ARRAY of numbers",
            Kind::Variables => "a STRUCT of variables, such as {'age': age, 'sex': sex}",
            Kind::Numbers => "a LIST or ARRAY of numbers",
            Kind::Names => "a LIST of VARCHAR",
            Kind::Text => "VARCHAR",
            Kind::Label => "a number, BOOLEAN, date or VARCHAR",
            Kind::Image => "an image, such as image('scan.nii.gz')",
            Kind::Mask => "a mask, such as mask('gtv.nii.gz')",
            Kind::Model => "a model made by a *_fit function",
        }
    }
}
