//! CSV with a header and a column a field: `outcome.verdict`, `input.channel`, `prediction.label`.
//! Lists stand in their cells as JSON.
//!
//! CSV is for people and their spreadsheets: what would act on a terminal is named, and a text that
//! would be run as a formula gets an apostrophe before it. JSON lines keep every text as it is.

use std::collections::{BTreeSet, HashMap};
use std::io;

use serde_json::{Map, Value};

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
