//! Numbers in records: with their own digits, and how sure a model was.

use serde_json::{Value, json};

use super::path::scalar;
use crate::domain::prediction::Reject;
use crate::domain::written;

/// A text as the number that it writes, with its own digits.
pub fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    match written::read(text) {
        Ok(number @ Value::Number(_)) => Some(number),
        _ => text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| json!(n)),
    }
}

/// How sure a model was, as a cell or a field says; nothing where it says nothing, or that it is no number.
///
/// # Errors
/// A text that is no number.
pub fn sure(value: Option<&Value>, decimal_comma: bool) -> Result<Option<Value>, Reject> {
    let Some(value) = value else { return Ok(None) };
    let text = scalar(value);
    let text = text.trim();
    if ["", "nan", "none", "null", "na", "inf", "-inf"].contains(&text.to_lowercase().as_str()) {
        return Ok(None);
    }
    let found = if decimal_comma { number(&text.replace(',', ".")) } else { number(text) };
    found.map(Some).ok_or_else(|| {
        let head: String = text.chars().take(40).collect();
        let hint =
            if text.contains(',') { " (--decimal , reads a comma as the point)" } else { "" };
        Reject::Foreign(format!("confidence `{head}` is no number{hint}"))
    })
}
