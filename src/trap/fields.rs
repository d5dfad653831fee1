//! Fields of a prediction by the names that traps call them: short names as rules have them, or a
//! path into the line.

use std::borrow::Cow;

use crate::domain::field::{number_field, text_field};
use crate::domain::prediction::Row;

/// A field as a text; nothing where the line has none.
pub fn text_of<'r>(row: &'r Row<'_>, name: &str) -> Option<Cow<'r, str>> {
    let some = |text: &'r str| Some(Cow::Borrowed(text)).filter(|text| !text.is_empty());
    match name {
        "label" | "prediction.label" => some(row.label()),
        "text" | "input.text" => some(row.text()),
        "session" | "input.session_id" => some(row.session()),
        "stream" => some(row.stream_name()),
        "source" => some(row.source.text()),
        "id" => some(row.id.text()),
        "model" => Some(row.model_name().into()).filter(|name: &Cow<'_, str>| !name.is_empty()),
        "challenger_label" => some(row.challenger().map_or("", |rival| rival.label.text())),
        "confidence" | "margin" | "latency_ms" => {
            number_of(row, name).map(|n| n.to_string().into())
        }
        path => text_field(row.raw, path),
    }
}

/// Whether a name stands for something that need not be called so in the line.
pub fn is_short_name(name: &str) -> bool {
    matches!(
        name,
        "label"
            | "text"
            | "session"
            | "stream"
            | "source"
            | "id"
            | "model"
            | "challenger_label"
            | "confidence"
            | "margin"
            | "latency_ms"
    )
}

/// A field as a number.
pub fn number_of(row: &Row<'_>, name: &str) -> Option<f64> {
    match name {
        "confidence" | "prediction.confidence" => row.confidence(),
        "margin" => row.margin(),
        "latency_ms" => row.latency_ms,
        "text" | "label" | "session" | "stream" | "source" | "id" | "model" => None,
        path => number_field(row.raw, path),
    }
}

/// A text as repeats compare it.
pub fn normal(text: &str) -> String {
    text.trim().to_lowercase()
}
