//! Numbers that people and files write, digit for digit: what a double would change is not taken
//! for the same.

use serde_json::Value;

/// A whole number of up to 18 digits, or a decimal that a double holds exactly as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Whole(i64),
    Decimal(f64),
}

impl Number {
    /// Nothing for what is no finite number, or would be another number once it is kept.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let n: f64 = text.parse().ok().filter(|n: &f64| n.is_finite())?;
        (digits(text)? == digits(&n.to_string())?).then(|| Self::of(n))
    }

    /// The number that a double stands for.
    pub fn of(n: f64) -> Self {
        let whole = n.fract() == 0.0 && n.abs() < 9e15;
        if whole { Self::Whole(n as i64) } else { Self::Decimal(n) }
    }

    /// For comparing with limits.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(n) => n as f64,
            Self::Decimal(n) => n,
        }
    }

    /// As it is recorded.
    pub fn text(self) -> String {
        match self {
            Self::Whole(n) => n.to_string(),
            Self::Decimal(n) => n.to_string(),
        }
    }

    /// As outcomes have it.
    pub fn value(self) -> Value {
        match self {
            Self::Whole(n) => Value::from(n),
            Self::Decimal(n) => Value::from(n),
        }
    }
}

/// What two texts of one number have in common: the sign, the digits without zeros at either end,
/// and how many of them stand before the point.
pub type Digits = (bool, String, i64);

/// The digits of a finite decimal number; nothing for any other text.
pub fn digits(text: &str) -> Option<Digits> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let zeros = all.len() - all.trim_start_matches('0').len();
    let significant = all.trim_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    Some((negative, significant.to_owned(), whole.len() as i64 + exponent - zeros as i64))
}

/// `8G`, `512M`, `100K` or bytes.
pub fn bytes_of(text: &str) -> Option<u64> {
    let text = text.trim().trim_end_matches("iB").trim_end_matches('B');
    let (number, unit) = match text.char_indices().last()? {
        (at, 'K' | 'k') => (&text[..at], 1_u64 << 10),
        (at, 'M') => (&text[..at], 1 << 20),
        (at, 'G') => (&text[..at], 1 << 30),
        (at, 'T') => (&text[..at], 1 << 40),
        _ => (text, 1),
    };
    number.trim().parse::<u64>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_digit_for_digit_or_not_taken() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(Number::parse(text).map(Number::text).as_deref(), expect, "{text}");
        };
        check("9007199254740993", Some("9007199254740993"));
        check("-9223372036854775808", Some("-9223372036854775808"));
        check("12345678901234567890123", None);
        check("100000000000000000000", Some("100000000000000000000"));
        check("12.50", Some("12.5"));
        check(" 1e3 ", Some("1000"));
        check("-0.0", Some("0"));
        check("0.1", Some("0.1"));
        check("0.10000000000000000555", None);
        check("1.7976931348623157e308", Some(&f64::MAX.to_string()));
        check("1e400", None);
        check("NaN", None);
        check("inf", None);
        check("7.", Some("7"));
        check("", None);
    }
}
