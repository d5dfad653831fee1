//! Predictions on an evaluation file: CSV with `row,label,prediction[,slices]`, or JSON lines with
//! the same keys. Rows of before and after are aligned by their numbers.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::file::ALL;

/// One row of the evaluation file: its label, what was said before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    pub row: String,
    pub label: String,
    pub before: String,
    pub after: String,
    pub slices: Vec<String>,
    /// Whatever else its line has, by which rules may ask for it.
    pub keys: Map<String, Value>,
}

impl Compared {
    pub fn was_right(&self) -> bool {
        self.before == self.label
    }

    pub fn is_right(&self) -> bool {
        self.after == self.label
    }

    pub fn is_in(&self, slice: &str) -> bool {
        slice == ALL || self.slices.iter().any(|own| own == slice)
    }
}

/// Why predictions can't be compared.
#[derive(Debug, thiserror::Error)]
pub enum BadPredictions {
    #[error("{file}: {message}")]
    File { file: String, message: String },
    #[error("{file}: line {line}: {message}")]
    Line { file: String, line: usize, message: String },
    #[error("{file}: row {row} stands there twice")]
    Twice { file: String, row: String },
    #[error("{n} rows of {one} are not in {other}: {rows}")]
    Missing { one: String, other: String, n: usize, rows: String },
    #[error(
        "row {row} has the label `{before}` before and `{after}` after: both must be of one evaluation file"
    )]
    Labels { row: String, before: String, after: String },
}

/// One file, by its rows.
struct Side {
    name: String,
    rows: BTreeMap<RowKey, Said>,
}

/// Rows in the order of their numbers; what is no number stands behind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RowKey(u64, String);

impl RowKey {
    fn of(text: &str) -> Self {
        Self(text.parse().unwrap_or(u64::MAX), text.to_owned())
    }
}

struct Said {
    label: String,
    says: Map<String, Value>,
}

const SAYS: &str = "prediction";

impl Side {
    fn parse(name: &str, text: &str) -> Result<Self, BadPredictions> {
        let rows = rows_of(name, text)?;
        let mut side = Self { name: name.to_owned(), rows: BTreeMap::new() };
        for (line, mut says) in rows {
            let bad =
                |message: String| BadPredictions::Line { file: name.to_owned(), line, message };
            let mut take = |key: &str| {
                let value = says.shift_remove(key).filter(|value| !value.is_null());
                value.map(|value| match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                })
            };
            let row = take("row").ok_or_else(|| bad("it has no `row`".to_owned()))?;
            let label = take("label").ok_or_else(|| bad("it has no `label`".to_owned()))?;
            if side.rows.insert(RowKey::of(&row), Said { label, says }).is_some() {
                return Err(BadPredictions::Twice { file: name.to_owned(), row });
            }
        }
        if side.rows.is_empty() {
            let message = "no predictions stand there".to_owned();
            return Err(BadPredictions::File { file: name.to_owned(), message });
        }
        Ok(side)
    }
}

/// The number of a line, and its keys.
type ReadLine = (usize, Map<String, Value>);

fn rows_of(name: &str, text: &str) -> Result<Vec<ReadLine>, BadPredictions> {
    let begin = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if begin.starts_with('{') { json_rows(name, text) } else { csv_rows(name, text) }
}

fn csv_rows(name: &str, text: &str) -> Result<Vec<ReadLine>, BadPredictions> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let failed = |error: csv::Error| {
        let line = error.position().map_or(1, |position| position.line() as usize);
        BadPredictions::Line { file: name.to_owned(), line, message: error.to_string() }
    };
    let head: Vec<String> = reader.headers().map_err(failed)?.iter().map(str::to_owned).collect();
    for key in ["row", "label"] {
        if !head.iter().any(|name| name == key) {
            let message = format!(
                "it has no column `{key}`; predictions have row, label, prediction and, if there are, slices"
            );
            return Err(BadPredictions::File { file: name.to_owned(), message });
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, |position| position.line() as usize);
        let fields = head.iter().cloned().zip(record.iter().map(Value::from));
        rows.push((line, fields.collect()));
    }
    Ok(rows)
}

fn json_rows(name: &str, text: &str) -> Result<Vec<ReadLine>, BadPredictions> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(line, json)| {
            match serde_json::from_str(json) {
                Ok(Value::Object(object)) => Ok((line, object)),
                Ok(_) => Err("it is no object".to_owned()),
                Err(error) => Err(error.to_string()),
            }
            .map_err(|message| BadPredictions::Line {
                file: name.to_owned(),
                line,
                message,
            })
        })
        .collect()
}

fn slices_of(keys: &Map<String, Value>) -> Vec<String> {
    match keys.get("slices") {
        Some(Value::String(text)) => text
            .split('|')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        Some(Value::Array(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// What a side says of a row: in a column of its own name, else in `prediction`.
fn says(side: &Side, row: &str, said: &Said, own: &str) -> Result<String, BadPredictions> {
    let value = said.says.get(own).or_else(|| said.says.get(SAYS));
    match value {
        // A model that gave no answer is not right.
        Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Ok(other.to_string()),
        None => Err(BadPredictions::File {
            file: side.name.clone(),
            message: format!("row {row} has neither `{SAYS}` nor `{own}`"),
        }),
    }
}

/// A file of predictions: its name, its text, and the column that is meant where it has one of that
/// name beside `prediction`.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'p> {
    pub name: &'p str,
    pub text: &'p str,
    pub column: &'p str,
}

impl<'p> Predictions<'p> {
    pub fn before(name: &'p str, text: &'p str) -> Self {
        Self { name, text, column: "before" }
    }

    pub fn after(name: &'p str, text: &'p str) -> Self {
        Self { name, text, column: "after" }
    }

    /// Whether it has a column of its own: else it says the same before and after.
    pub fn has_own_column(&self) -> bool {
        let rows = rows_of(self.name, self.text).unwrap_or_default();
        rows.first().is_some_and(|(_, keys)| keys.contains_key(self.column))
    }
}

/// Whether a model's predictions could be read.
///
/// # Errors
/// None, rows that are doubled or say nothing, by line.
pub fn check(of: Predictions<'_>) -> Result<(), BadPredictions> {
    let side = Side::parse(of.name, of.text)?;
    side.rows
        .iter()
        .try_for_each(|(RowKey(_, row), said)| says(&side, row, said, of.column).map(drop))
}

/// Reads the predictions of a model before and after, and aligns them by row.
///
/// # Errors
/// Rows that are missing, doubled or foreign, and labels that differ, by name.
pub fn read(
    before: Predictions<'_>,
    after: Predictions<'_>,
) -> Result<Vec<Compared>, BadPredictions> {
    let [one, two] = [before, after].map(|side| Side::parse(side.name, side.text));
    let (one, two) = (one?, two?);
    for (here, there) in [(&one, &two), (&two, &one)] {
        let missing: Vec<&str> = here
            .rows
            .keys()
            .filter(|row| !there.rows.contains_key(row))
            .map(|RowKey(_, row)| row.as_str())
            .collect();
        if !missing.is_empty() {
            let mut rows = missing[..missing.len().min(5)].join(", ");
            if missing.len() > 5 {
                rows.push_str(", …");
            }
            let (one, other) = (here.name.clone(), there.name.clone());
            return Err(BadPredictions::Missing { one, other, n: missing.len(), rows });
        }
    }
    let mut compared = Vec::with_capacity(one.rows.len());
    for ((key, earlier), later) in one.rows.iter().zip(two.rows.values()) {
        let RowKey(_, row) = key;
        if earlier.label != later.label {
            let (before, after) = (earlier.label.clone(), later.label.clone());
            return Err(BadPredictions::Labels { row: row.clone(), before, after });
        }
        let [before, after] =
            [says(&one, row, earlier, before.column)?, says(&two, row, later, after.column)?];
        let mut slices = slices_of(&later.says);
        if slices.is_empty() {
            slices = slices_of(&earlier.says);
        }
        let mut keys = earlier.says.clone();
        keys.extend(later.says.clone());
        for (name, value) in
            [("row", row), ("label", &later.label), ("before", &before), ("after", &after)]
        {
            keys.insert(name.to_owned(), Value::from(value.as_str()));
        }
        keys.insert("slices".to_owned(), Value::from(slices.clone()));
        let (row, label) = (row.clone(), later.label.clone());
        compared.push(Compared { row, label, before, after, slices, keys });
    }
    Ok(compared)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "row,label,prediction,slices\n1,a,a,x|y\n2,b,a,\n10,c,c,y\n";

    #[test]
    fn rows_are_aligned_by_their_numbers() {
        let json = "{\"row\":10,\"label\":\"c\",\"prediction\":null}\n{\"row\":2,\"label\":\"b\",\"prediction\":\"b\"}\n\n{\"row\":1,\"label\":\"a\",\"prediction\":\"a\"}\n";
        let rows = read(Predictions::before("one.csv", CSV), Predictions::after("two.jsonl", json))
            .unwrap();
        let told: Vec<_> =
            rows.iter().map(|row| (row.row.as_str(), row.was_right(), row.is_right())).collect();
        assert_eq!(told, [("1", true, true), ("2", false, true), ("10", true, false)]);
        assert!(rows[0].is_in("x") && rows[0].is_in("all") && !rows[1].is_in("x"));
    }

    #[test]
    fn what_cannot_be_compared_is_named() {
        let error = |before: &str, after: &str| {
            let (one, two) = (Predictions::before("one", before), Predictions::after("two", after));
            read(one, two).unwrap_err().to_string()
        };
        let twice = format!("{CSV}2,b,b,\n");
        assert_eq!(error(CSV, &twice), "two: row 2 stands there twice");
        assert_eq!(
            error(CSV, "row,label,prediction\n1,a,a\n2,b,b\n"),
            "1 rows of one are not in two: 10"
        );
        assert_eq!(error(CSV, &format!("{CSV}11,a,a,\n")), "1 rows of two are not in one: 11");
        assert!(
            error(CSV, &CSV.replace("1,a,a", "1,z,a"))
                .starts_with("row 1 has the label `a` before and `z` after")
        );
        assert!(error(CSV, "row,prediction\n1,a\n").contains("no column `label`"));
        assert!(error(CSV, "").contains("no column `row`"));
        assert!(error(CSV, "{\"row\":1}\n").starts_with("two: line 1: it has no `label`"));
        assert!(error(CSV, "{\"row\":1,\n").starts_with("two: line 1: "));
        assert!(
            error("row,label\n1,a\n2,b\n10,c\n", CSV).contains("neither `prediction` nor `before`")
        );
    }
}
