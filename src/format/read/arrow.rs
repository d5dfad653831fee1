//! Rows of Parquet and Arrow files as JSON objects, column by column read and row by row written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_json::LineDelimitedWriter;
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use serde_json::Value;

use super::bytes::Bytes;
use super::objects::Text;
use crate::domain::written;

/// Rows that are read at once.
const BATCH_ROWS: usize = 4_096;

type Texts = Box<dyn Iterator<Item = io::Result<Text>> + Send>;

fn bad(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// The rows of a file. Parquet and Arrow files are read from their end: what comes by a pipe is laid
/// aside first.
///
/// # Errors
/// A file that is not what it says.
pub fn texts(
    path: &Path,
    plain: bool,
    bytes: Bytes,
    parquet: bool,
    stream: bool,
) -> io::Result<Texts> {
    if stream {
        let reader = StreamReader::try_new(bytes.reader, None).map_err(bad)?;
        let (names, columns) = (names_of(&reader.schema()), columns_of(&reader.schema()));
        return Ok(Box::new(Rows::new(reader, names, columns)));
    }
    let file = if plain { File::open(path)? } else { aside(bytes)? };
    if parquet {
        // A footer that lies must not end the program.
        let built = std::panic::catch_unwind(|| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
            let names = names_of(builder.schema());
            let pairs = builder.metadata().file_metadata().key_value_metadata();
            let of_file = pairs.into_iter().flatten().find(|pair| pair.key == "huggingface");
            let names = match of_file.and_then(|pair| pair.value.as_deref()) {
                Some(text) if names.is_empty() => names_in(text),
                _ => names,
            };
            let columns = columns_of(builder.schema());
            Ok::<_, parquet::errors::ParquetError>((
                (names, columns),
                builder.with_batch_size(BATCH_ROWS).build()?,
            ))
        });
        let ((names, columns), reader) =
            built.map_err(|_| bad("its footer says what can't be"))?.map_err(bad)?;
        return Ok(Box::new(Rows::new(reader, names, columns)));
    }
    let reader = FileReader::try_new(BufReader::new(file), None).map_err(bad)?;
    let (names, columns) = (names_of(&reader.schema()), columns_of(&reader.schema()));
    Ok(Box::new(Rows::new(reader, names, columns)))
}

fn aside(mut bytes: Bytes) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut bytes.reader, &mut file)?;
    io::Seek::rewind(&mut file)?;
    Ok(file)
}

/// Names of columns whose numbers stand for words: Hugging Face's ClassLabel.
type Names = BTreeMap<String, Vec<String>>;

fn columns_of(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

/// The first row with every column: what stands for nothing is left out of rows, and from the first
/// it is seen what there is.
fn with_columns(line: &str, columns: &[String]) -> String {
    let Ok(Value::Object(row)) = written::read(line) else {
        return line.to_owned();
    };
    let mut whole: serde_json::Map<String, Value> = columns
        .iter()
        .map(|name| (name.clone(), row.get(name).cloned().unwrap_or_default()))
        .collect();
    for (name, value) in row {
        whole.entry(name).or_insert(value);
    }
    Value::Object(whole).to_string()
}

fn names_of(schema: &Schema) -> Names {
    schema.metadata().get("huggingface").map(|text| names_in(text)).unwrap_or_default()
}

fn names_in(text: &str) -> Names {
    let info: Value = serde_json::from_str(text).unwrap_or_default();
    let features = info["info"]["features"].as_object().cloned().unwrap_or_default();
    let named = |(column, feature): (String, Value)| {
        let names = feature["names"].as_array()?;
        Some((column, names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()))
    };
    features.into_iter().filter_map(named).collect()
}

/// A row with words in place of their numbers; none of them, or -1, is no label.
fn with_names(line: &str, names: &Names) -> String {
    let Ok(Value::Object(mut row)) = written::read(line) else {
        return line.to_owned();
    };
    for (column, names) in names {
        if let Some(number) = row.get(column).and_then(Value::as_i64) {
            let name = usize::try_from(number).ok().and_then(|at| names.get(at));
            row.insert(column.clone(), name.map_or(Value::Null, |name| Value::from(name.as_str())));
        }
    }
    Value::Object(row).to_string()
}

struct Rows<B> {
    batches: B,
    names: Names,
    columns: Vec<String>,
    /// Rows as JSON lines, and how far they were given out.
    text: Vec<u8>,
    at: usize,
    number: u64,
}

impl<B> Rows<B> {
    fn new(batches: B, names: Names, columns: Vec<String>) -> Self {
        Self { batches, names, columns, text: Vec::new(), at: 0, number: 0 }
    }
}

impl<B: Iterator<Item = Result<RecordBatch, ArrowError>>> Iterator for Rows<B> {
    type Item = io::Result<Text>;

    fn next(&mut self) -> Option<io::Result<Text>> {
        loop {
            if let Some(length) = memchr::memchr(b'\n', &self.text[self.at..]) {
                let line = &self.text[self.at..self.at + length];
                let text = String::from_utf8_lossy(line);
                let text = if self.names.is_empty() {
                    text.into_owned()
                } else {
                    with_names(&text, &self.names)
                };
                let text = match self.number {
                    0 => with_columns(&text, &self.columns),
                    _ => text,
                };
                self.at += length + 1;
                self.number += 1;
                return Some(Ok(Text { number: self.number, text: Ok(text) }));
            }
            self.text.clear();
            self.at = 0;
            let next =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.batches.next()));
            let batch = match next {
                Ok(batch) => batch?,
                Err(_) => return Some(Err(bad("its pages do not hold what its footer says"))),
            };
            let written = batch.map_err(bad).and_then(|batch| {
                let mut writer = LineDelimitedWriter::new(&mut self.text);
                writer.write(&batch).and_then(|()| writer.finish()).map_err(bad)
            });
            if let Err(error) = written {
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::with_columns;

    #[test]
    fn the_first_row_has_every_column() {
        let columns = ["id", "label", "n"].map(str::to_owned);
        assert_eq!(
            with_columns(r#"{"id":"a","n":1.50}"#, &columns),
            r#"{"id":"a","label":null,"n":1.50}"#
        );
    }
}
