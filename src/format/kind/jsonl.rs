//! JSON lines: one object a row, nothing left out.

use std::io::{self, Write};

use crate::domain::text::json_for_output;
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
