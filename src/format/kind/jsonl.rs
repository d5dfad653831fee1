//! JSON lines: one object a row, nothing left out.

use std::io::{self, Write};

use serde_json::{Map, Value};

use crate::domain::text::json_for_output;
use crate::format::read::{Cases, Found, Options};
use crate::format::{ExportRow, Format, FormatKind};

pub const KIND: FormatKind =
    FormatKind { name: "jsonl", about: "JSON lines, every field", make: |_| Box::new(Jsonl) };

struct Jsonl;

impl Format for Jsonl {
    fn row(&self, out: &mut Vec<u8>, row: &ExportRow) -> io::Result<()> {
        let json = serde_json::to_string(row)?;
        writeln!(out, "{}", json_for_output(&json))
    }
}

/// Whether a record has the shape of casework's own prediction lines.
pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("id")
        && record.contains_key("occurred_at")
        && record.get("input").is_some_and(Value::is_object)
        // Labels of Label Studio, flattened.
        && !record.contains_key("annotation_id")
}

/// Records that are lines already; they are written again as they were.
pub fn cases(_: &Options) -> Box<dyn Cases> {
    Box::new(Own)
}

struct Own;

impl Cases for Own {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        to.push(Found::Line(Value::Object(record).to_string()));
    }
}
