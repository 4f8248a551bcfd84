//! Floating-point numbers as DuckDB writes them: the fewest digits that read back as the same number.

/// A DOUBLE. Plain notation from 1e-4 up to 1e16, otherwise with an exponent of two digits at least.
pub fn double(value: f64) -> String {
    if value.is_finite() { layout(&format!("{value:e}")) } else { special(value) }
}

/// A FLOAT, with the digits that a single needs.
pub fn float(value: f32) -> String {
    if value.is_finite() { layout(&format!("{value:e}")) } else { special(f64::from(value)) }
}

fn special(value: f64) -> String {
    match (value.is_nan(), value > 0.0) {
        (true, _) => "nan",
        (_, true) => "inf",
        _ => "-inf",
    }
    .into()
}

/// `-1.25e-7` and its like, the shortest digits, in DuckDB's layout.
fn layout(scientific: &str) -> String {
    let (sign, scientific) = scientific.strip_prefix('-').map_or(("", scientific), |rest| ("-", rest));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits = mantissa.replace('.', "");
    let body = if (-4..16).contains(&exponent) {
        plain(&digits, exponent)
    } else {
        let mark = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{mark}{:02}", exponent.abs())
    };
    format!("{sign}{body}")
}

fn plain(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{digits}{}.0", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_read_like_duckdb() {
        let cases = [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (0.0001, "0.0001"),
            (123456.789, "123456.789"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
        ];
        for (value, text) in cases {
            assert_eq!(double(value), text);
        }
        assert_eq!(float(0.1), "0.1");
    }
}
