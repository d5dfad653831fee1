//! One column of a file: of CSV by its header, of JSON lines by a path, or of a plain file, which
//! has one value a line.

use std::io::{BufRead, Read};

use serde_json::Value;

use crate::domain::advice::Advice;
use crate::domain::prediction::scalar;

/// Lines that are looked at for what a file is.
const HEAD_LINES: usize = 20;

/// Why a column can't be read.
#[derive(Debug, thiserror::Error)]
pub enum BadColumn {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("line {line}: {why}")]
    Line { line: u64, why: String },
    #[error("there is no column `{name}`; there are {}", known.join(", "))]
    NoColumn { name: String, known: Vec<String> },
    #[error("it has several columns: say which with --column; there are {}", .0.join(", "))]
    WhichColumn(Vec<String>),
    #[error("line {line}: `{value}` is no number")]
    NoNumber { line: u64, value: String },
    #[error("line {line}: {value} is neither 0 nor 1, which is all that this detector takes")]
    NoTruth { line: u64, value: f64 },
}

impl Advice for BadColumn {}

/// A column's values with their lines; one that is empty or not there is none.
pub type Values = Vec<(u64, Option<String>)>;

/// Reads the column `name`, or all of a plain file.
pub fn read(input: impl BufRead, name: Option<&str>) -> Result<Values, BadColumn> {
    let mut values = Values::new();
    each(input, name, |line, value| {
        values.push((line, value.map(str::to_owned)));
        Ok(())
    })?;
    Ok(values)
}

/// Gives each value of the column `name`, or of a plain file, with its line, as it is read.
///
/// # Errors
/// Those of reading, and the first that `take` gives.
pub fn each(
    mut input: impl BufRead,
    name: Option<&str>,
    mut take: impl FnMut(u64, Option<&str>) -> Result<(), BadColumn>,
) -> Result<(), BadColumn> {
    let head = head_of(&mut input)?;
    let text = String::from_utf8_lossy(&head);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let (is_json, all_commas) = (
        lines.clone().next().is_some_and(|line| line.trim_start().starts_with('{')),
        lines.clone().all(|line| line.contains(',')),
    );
    let first = lines.clone().next().map(header);
    let input = head.as_slice().chain(input);
    match (name, first) {
        _ if is_json => of_json(input, name, take),
        (Some(name), _) => of_csv(input, name, take),
        (None, Some(first)) if all_commas => Err(BadColumn::WhichColumn(first)),
        _ => {
            // Blank lines at the end are no values.
            let mut blank = Vec::new();
            each_line(input, |number, line| {
                let value = line.trim();
                if value.is_empty() {
                    blank.push(number);
                    return Ok(());
                }
                blank.drain(..).try_for_each(|number| take(number, None))?;
                take(number, Some(value))
            })
        }
    }
}

/// The first lines of an input, by which it is known what it is, without the mark that some put
/// before them.
fn head_of(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let (mut head, mut lines) = (Vec::new(), 0);
    while lines < HEAD_LINES {
        let before = head.len();
        if input.read_until(b'\n', &mut head)? == 0 {
            break;
        }
        lines += usize::from(!head[before..].trim_ascii().is_empty());
    }
    if head.starts_with("\u{feff}".as_bytes()) {
        head.drain(..3);
    }
    Ok(head)
}

fn each_line(
    mut input: impl BufRead,
    mut take: impl FnMut(u64, &str) -> Result<(), BadColumn>,
) -> Result<(), BadColumn> {
    let (mut line, mut number) = (Vec::new(), 0);
    while input.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        take(number, &String::from_utf8_lossy(&line))?;
        line.clear();
    }
    Ok(())
}

fn header(line: &str) -> Vec<String> {
    line.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

fn of_csv(
    input: impl Read,
    name: &str,
    mut take: impl FnMut(u64, Option<&str>) -> Result<(), BadColumn>,
) -> Result<(), BadColumn> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let bad = |error: csv::Error| BadColumn::Line {
        line: error.position().map_or(1, csv::Position::line),
        why: error.to_string(),
    };
    let headers = reader.byte_headers().map_err(bad)?.clone();
    let headers: Vec<_> = headers.iter().map(String::from_utf8_lossy).collect();
    let place = headers.iter().position(|header| header.trim() == name).ok_or_else(|| {
        BadColumn::NoColumn {
            name: name.to_owned(),
            known: headers.iter().map(ToString::to_string).collect(),
        }
    })?;
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(bad)? {
        let line = record.position().map_or(0, csv::Position::line);
        let value = record.get(place).map(String::from_utf8_lossy);
        take(line, value.as_deref().map(str::trim).filter(|value| !value.is_empty()))?;
    }
    Ok(())
}

fn of_json(
    input: impl BufRead,
    name: Option<&str>,
    mut take: impl FnMut(u64, Option<&str>) -> Result<(), BadColumn>,
) -> Result<(), BadColumn> {
    let (mut found, mut any) = (false, false);
    let mut known: Vec<String> = Vec::new();
    each_line(input, |number, line| {
        if line.trim().is_empty() {
            return Ok(());
        }
        let json: Value = serde_json::from_str(line)
            .map_err(|error| BadColumn::Line { line: number, why: error.to_string() })?;
        for key in json.as_object().into_iter().flat_map(|fields| fields.keys()) {
            if known.len() < HEAD_LINES && !known.contains(key) {
                known.push(key.clone());
            }
        }
        let Some(name) = name else { return Err(BadColumn::WhichColumn(known.clone())) };
        let value = at_path(&json, name);
        (found, any) = (found || value.is_some(), true);
        let truth = |value: &Value| match value {
            Value::Bool(truth) => Some(if *truth { "1" } else { "0" }.to_owned()),
            other => scalar(other),
        };
        take(number, value.and_then(truth).as_deref())
    })?;
    match name {
        Some(name) if !found && any => Err(BadColumn::NoColumn { name: name.to_owned(), known }),
        _ => Ok(()),
    }
}

/// A field of a line by its path: `input.channel`. What rules know by a short name is found by that.
pub fn at_path<'v>(line: &'v Value, path: &str) -> Option<&'v Value> {
    let step = |json: &'v Value, path: &str| {
        path.split('.').try_fold(json, |json, name| match json {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            json => json.get(name),
        })
    };
    step(line, path).or_else(|| match path {
        "confidence" => step(line, "prediction.confidence"),
        "label" => step(line, "prediction.label"),
        "text" => step(line, "input.text"),
        "session" => step(line, "input.session_id"),
        _ => None,
    })
}

/// The values as numbers; what is empty is passed over.
pub fn as_numbers(values: &Values) -> Result<Vec<f64>, BadColumn> {
    let present = values.iter().filter_map(|(line, value)| Some((*line, value.as_deref()?)));
    present.filter_map(|(line, value)| number(line, value).transpose()).collect()
}

/// A value as a number; none for what programs write where there is no number.
pub fn number(line: u64, value: &str) -> Result<Option<f64>, BadColumn> {
    match value.parse::<f64>() {
        Ok(number) => Ok(Some(number).filter(|number| number.is_finite())),
        Err(_) => Err(BadColumn::NoNumber { line, value: value.chars().take(40).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(text: &str, name: Option<&str>) -> Result<Vec<Option<String>>, String> {
        let values = read(text.as_bytes(), name).map_err(|error| error.to_string())?;
        Ok(values.into_iter().map(|(_, value)| value).collect())
    }

    #[test]
    fn columns_are_found_in_files_of_three_shapes() {
        let some = |list: &[&str]| -> Vec<Option<String>> {
            list.iter().map(|one| Some((*one).to_owned()).filter(|one| !one.is_empty())).collect()
        };
        assert_eq!(column("1\n2\n\n3\n", None).unwrap(), some(&["1", "2", "", "3"]));
        assert_eq!(
            column("\u{feff}a,b\r\n1,\"x, y\"\r\n2,\r\n", Some("b")).unwrap(),
            some(&["x, y", ""])
        );
        let json = "{\"a\":{\"b\":1}}\n{\"a\":{}}\n{\"prediction\":{\"label\":\"x\"}}\n";
        assert_eq!(column(json, Some("a.b")).unwrap(), some(&["1", "", ""]));
        assert_eq!(column(json, Some("label")).unwrap(), some(&["", "", "x"]));
        assert_eq!(column("", None).unwrap(), some(&[]));
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is() {
        assert!(column("a,b\n1,2\n", Some("c")).unwrap_err().contains("there are a, b"));
        assert!(column("a,b\n1,2\n", None).unwrap_err().contains("--column"));
        assert!(column("{\"a\":1}\n", Some("c")).unwrap_err().contains("there are a"));
        assert!(column("{\"a\":1}\n{", Some("a")).unwrap_err().starts_with("line 2"));
        let values = read("1\nx\n".as_bytes(), None).unwrap();
        assert_eq!(as_numbers(&values).unwrap_err().to_string(), "line 2: `x` is no number");
    }
}
