//! DuckDB's names of types.

use duckdb::core::{LogicalTypeHandle, LogicalTypeId as Id};

/// The name that DuckDB's box shows, in lower case. An alias (JSON, MODEL, IMAGE) goes before what it stands for.
pub fn name(logical: &LogicalTypeHandle) -> String {
    if let Some(alias) = logical.get_alias() {
        return alias.to_lowercase();
    }
    match logical.id() {
        Id::Boolean => "boolean".into(),
        Id::Tinyint => "int8".into(),
        Id::Smallint => "int16".into(),
        Id::Integer => "int32".into(),
        Id::Bigint => "int64".into(),
        Id::UTinyint => "uint8".into(),
        Id::USmallint => "uint16".into(),
        Id::UInteger => "uint32".into(),
        Id::UBigint => "uint64".into(),
        Id::Hugeint => "int128".into(),
        Id::Decimal => format!("decimal({},{})", logical.decimal_width(), logical.decimal_scale()),
        Id::List => format!("{}[]", name(&logical.child(0))),
        Id::Array => format!("{}[]", name(&logical.child(0))),
        Id::Map => format!("map({}, {})", name(&logical.child(0)), name(&logical.child(1))),
        Id::Struct => members("struct", logical),
        Id::Union => members("union", logical),
        Id::TimestampTZ => "timestamp with time zone".into(),
        Id::TimeTZ => "time with time zone".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn members(kind: &str, logical: &LogicalTypeHandle) -> String {
    let members: Vec<String> =
        (0..logical.num_children()).map(|at| format!("{} {}", logical.child_name(at), name(&logical.child(at)))).collect();
    format!("{kind}({})", members.join(", "))
}
