//! CSV with a header and a column a field: `outcome.verdict`, `input.channel`, `prediction.label`.
//! Lists stand in their cells as JSON.
//!
//! CSV is for people and their spreadsheets: what would act on a terminal is named, and a text that
//! would be run as a formula gets an apostrophe before it. JSON lines keep every text as it is.

use std::collections::{BTreeSet, HashMap};
use std::io;

use serde_json::{Map, Value};

use crate::domain::label::value_text;
use crate::domain::text::visible;
use crate::format::row::{Rows, fields_of};
use crate::format::{ExportRow, Format, FormatKind};

pub const KIND: FormatKind = FormatKind {
    name: "csv",
    about: "CSV with a header and a column a field, for spreadsheets",
    make: |rows| Box::new(Csv { rows, inner: HashMap::new(), columns: Vec::new() }),
};

struct Csv {
    rows: Rows,
    /// The columns of each field that is an object in some row.
    inner: HashMap<String, BTreeSet<String>>,
    columns: Vec<String>,
}

/// A cell: a text, which stands in quotes so that `null` and `NA` come back as texts, or anything else
/// as JSON has it.
enum Cell {
    Text(String),
    Plain(String),
}

/// The cells of a row by column.
type Cells = HashMap<String, Cell>;

/// Puts a field's cells in; what is in an object, and each answer of a path, gets a column of its
/// own.
fn flatten(name: String, value: &Value, cells: &mut Cells) {
    match value {
        Value::Array(steps) if name == "path" => {
            for step in steps {
                let question = step[0].as_str().unwrap_or_default();
                flatten(format!("path.{question}"), &step[1], cells);
            }
        }
        Value::Object(inner) if !inner.is_empty() => {
            inner.iter().for_each(|(key, value)| flatten(format!("{name}.{key}"), value, cells));
        }
        Value::Null => {}
        Value::String(text) => drop(cells.insert(name, Cell::Text(text.clone()))),
        other => drop(cells.insert(name, Cell::Plain(other.to_string()))),
    }
}

fn fields(row: &ExportRow) -> io::Result<Map<String, Value>> {
    let Value::Object(fields) = serde_json::to_value(row)? else { return Ok(Map::new()) };
    Ok(fields)
}

impl Format for Csv {
    fn looks_first(&self) -> bool {
        true
    }

    fn look(&mut self, row: &ExportRow) -> io::Result<()> {
        for (name, value) in fields(row)? {
            if value.is_object() || name == "path" {
                let mut inner = Cells::new();
                flatten(name.clone(), &value, &mut inner);
                self.inner.entry(name).or_default().extend(inner.into_keys());
            }
        }
        Ok(())
    }

    fn head(&mut self) -> io::Result<Vec<u8>> {
        for field in fields_of(self.rows) {
            match self.inner.get(field.name) {
                Some(inner) => self.columns.extend(inner.iter().cloned()),
                None => self.columns.push(field.name.to_owned()),
            }
        }
        let mut out = Vec::new();
        let mut writer = csv::Writer::from_writer(&mut out);
        writer.write_record(self.columns.iter().map(|name| harmless(name)))?;
        writer.flush()?;
        drop(writer);
        Ok(out)
    }

    fn row(&self, out: &mut Vec<u8>, row: &ExportRow) -> io::Result<()> {
        let mut cells = Cells::new();
        fields(row)?.iter().for_each(|(name, value)| flatten(name.clone(), value, &mut cells));
        for (n, name) in self.columns.iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            let (text, quoted) = match cells.remove(name) {
                None => continue, // nothing stands for nothing
                Some(Cell::Text(text)) => (harmless(&text), true),
                Some(Cell::Plain(text)) => {
                    let text = harmless(&text);
                    let quoted = text.contains(['"', ',', '\n', '\r']);
                    (text, quoted)
                }
            };
            if quoted {
                out.push(b'"');
                out.extend(text.replace('"', "\"\"").bytes());
                out.push(b'"');
            } else {
                out.extend(text.bytes());
            }
        }
        out.push(b'\n');
        Ok(())
    }
}

/// Whether a file is labels as they were written here.
pub fn is_own(head: &str) -> bool {
    let first = head.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(first.as_bytes());
    let names = reader.records().next().and_then(Result::ok).unwrap_or_default();
    OWN.iter().all(|own| names.iter().any(|name| name == *own))
}

/// Columns by which labels that were written here are known.
const OWN: [&str; 4] = ["case", "reviewer", "protocol_hash", "event"];

/// Labels that were written here as the lines of JSON that they would have been, each in its place:
/// the header has an empty one. A cell without a text is nothing.
///
/// # Errors
/// A row with more or fewer cells than there are columns.
pub fn own_lines(text: &str) -> Result<String, csv::Error> {
    // However lines end, an editor counts them as one.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let names = reader.headers()?.clone();
    let mut lines = String::new();
    let mut at = 1;
    for record in reader.records() {
        let record = record?;
        // A row stands where an editor shows it.
        let place = record.position().map_or(at, csv::Position::line);
        lines.extend(std::iter::repeat_n('\n', place.saturating_sub(at) as usize));
        at = place.max(at);
        let mut line = Map::new();
        for (name, cell) in names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty()) {
            let Some((field, inner)) = field_of(name) else { continue };
            let value = value_of(field, inner.is_some(), cell);
            match inner {
                None => drop(line.insert(field.to_owned(), value)),
                Some(inner) => {
                    let of = line.entry(field).or_insert_with(|| Value::Object(Map::new()));
                    // Questions and fields may have a dot in their names; what is in these two lies deeper.
                    let deep = ["extra", "seen"].contains(&field);
                    put(of, inner, deep, value);
                }
            }
        }
        // What stands in two columns and was changed in one of them is no longer what was given: what
        // the two say together is nothing that a path leads to.
        for field in ["label", "category", "failure_mode"] {
            let own = line.get(field).cloned();
            if let (Some(own), Some(Value::Object(outcome))) = (own, line.get_mut("outcome")) {
                match outcome.get(field) {
                    Some(other) if *other != own => {
                        let both = [other, &own].map(value_text).join(" and ");
                        outcome.insert(field.to_owned(), both.into());
                    }
                    _ => drop(outcome.insert(field.to_owned(), own)),
                }
            }
        }
        lines.push_str(&Value::Object(line).to_string());
    }
    lines.push('\n');
    Ok(lines)
}

/// Puts a value into an object under a name, or under each of its parts within the one before.
fn put(into: &mut Value, name: &str, deep: bool, value: Value) {
    let Value::Object(object) = into else { return };
    match name.split_once('.').filter(|_| deep) {
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| Value::Object(Map::new()));
            put(inner, rest, deep, value);
        }
        None => drop(object.insert(name.to_owned(), value)),
    }
}

/// The field that a column is of, and what of it.
fn field_of(column: &str) -> Option<(&'static str, Option<&str>)> {
    let field = |name: &str| fields_of(Rows::Labels).find(|field| field.name == name);
    if let Some(field) = field(column) {
        return Some((field.name, None));
    }
    let (name, inner) = column.split_once('.')?;
    Some((field(name)?.name, Some(inner)))
}

/// What a cell says: a text, unless it is of a field that has none.
fn value_of(field: &str, is_inner: bool, cell: &str) -> Value {
    let text = match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => cell,
    };
    let kind = fields_of(Rows::Labels).find(|one| one.name == field).map_or("", |one| one.kind);
    let is_text = kind.starts_with("text") || kind.starts_with("time") || field == "path";
    let may_be_text = (is_inner && field != "extra") || kind.starts_with("any");
    match serde_json::from_str::<Value>(text) {
        Ok(value) if !is_text && (!may_be_text || value.is_array() || value.is_object()) => value,
        _ => Value::from(text),
    }
}

fn harmless(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    let text = lines.join("\n");
    let acts = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if acts { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn formulas_are_made_texts_and_numbers_are_left() {
        assert_eq!(harmless("=1+1"), "'=1+1");
        assert_eq!(harmless("-0.5"), "-0.5");
        assert_eq!(harmless("two\nlines\u{1b}[0m"), "two\nlines«ESC»[0m");
    }
}
