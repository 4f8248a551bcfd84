//! Numbers as a paper prints them.

/// `P = 0.012`, `P < 0.001`: two decimals, three below 0.1, and as many as keep 0.0496 apart from 0.05.
pub fn p_value(p: f64) -> String {
    match p_number(p) {
        text if text.starts_with(['<', '>']) => format!("P {} {}", &text[..1], &text[1..]),
        text => format!("P = {text}"),
    }
}

/// The same without `P =`: `0.012`, `<0.001`.
pub fn p_number(p: f64) -> String {
    if p.is_nan() {
        return "–".into();
    }
    if p < 0.001 {
        return "<0.001".into();
    }
    if p > 0.99 {
        return ">0.99".into();
    }
    let text = format!("{p:.*}", if p < 0.0995 { 3 } else { 2 });
    if text == "0.050" && p < 0.05 { format!("{p:.4}") } else { text }
}

/// With this many decimals and a true minus sign; never `-0`.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.into(),
        Some(digits) => format!("\u{2212}{digits}"),
        None => text,
    }
}

/// Three significant digits, more before the decimal point, without trailing zeros: 24.1, 0.731, 1204.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e7).contains(&size) {
        return format!("{value:.2e}").replace('-', "\u{2212}");
    }
    let decimals = if size == 0.0 { 0 } else { (2 - size.log10().floor() as i32).max(0) as usize };
    let text = fixed(value, decimals);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

/// A ratio with two decimals: hazard ratios and their limits; `>999` where more would be noise.
pub fn ratio(value: f64) -> String {
    match value {
        v if v > 999.0 => ">999".into(),
        v if v >= 100.0 => fixed(v, 0),
        v if v > 0.0 && v < 0.01 => "<0.01".into(),
        v => fixed(v, 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_read_as_in_a_paper() {
        let told = [0.0, 0.0009, 0.001, 0.0124, 0.04963, 0.05, 0.0996, 0.456, 0.9951].map(p_value);
        let expected = ["P < 0.001", "P < 0.001", "P = 0.001", "P = 0.012", "P = 0.0496", "P = 0.050", "P = 0.10", "P = 0.46", "P > 0.99"];
        assert_eq!(told, expected);
        assert_eq!(p_number(f64::NAN), "–");
    }

    #[test]
    fn numbers_are_short_and_have_a_minus() {
        assert_eq!([24.0, 24.13, 0.73125, 1204.4, -3.5, 0.0].map(short), ["24", "24.1", "0.731", "1204", "\u{2212}3.5", "0"]);
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!([0.001, 1.2345, 123.4, 1e6].map(ratio), ["<0.01", "1.23", "123", ">999"]);
    }
}
