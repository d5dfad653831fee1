//! One column of a file: of CSV by its header, of JSON lines by a path, or of a plain file, which
//! has one value a line.

use std::io::BufRead;

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
    let mut lines = Vec::new();
    for line in input.split(b'\n') {
        let line = line?;
        let text = String::from_utf8_lossy(&line).into_owned();
        lines.push(text.trim_end_matches('\r').to_owned());
    }
    if let Some(first) = lines.first_mut() {
        *first = first.trim_start_matches('\u{feff}').to_owned();
    }
    let head = lines.iter().filter(|line| !line.trim().is_empty()).take(HEAD_LINES);
    if head.clone().next().is_some_and(|line| line.trim_start().starts_with('{')) {
        return of_json(&lines, name);
    }
    match name {
        Some(name) => of_csv(&lines.join("\n"), name),
        None if head.clone().all(|line| line.contains(',')) && head.count() > 0 => {
            Err(BadColumn::WhichColumn(header(&lines[0])))
        }
        None => {
            let value =
                |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
            let mut values: Values = (1..).zip(lines.iter().map(value)).collect();
            while values.last().is_some_and(|(_, value)| value.is_none()) {
                values.pop();
            }
            Ok(values)
        }
    }
}

fn header(line: &str) -> Vec<String> {
    line.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

fn of_csv(text: &str, name: &str) -> Result<Values, BadColumn> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let bad = |error: csv::Error| BadColumn::Line {
        line: error.position().map_or(1, csv::Position::line),
        why: error.to_string(),
    };
    let headers = reader.headers().map_err(bad)?.clone();
    let place = headers.iter().position(|header| header.trim() == name).ok_or_else(|| {
        BadColumn::NoColumn {
            name: name.to_owned(),
            known: headers.iter().map(str::to_owned).collect(),
        }
    })?;
    let mut values = Vec::new();
    for record in reader.records() {
        let record = record.map_err(bad)?;
        let line = record.position().map_or(0, csv::Position::line);
        let value = record.get(place).map(str::trim).filter(|value| !value.is_empty());
        values.push((line, value.map(str::to_owned)));
    }
    Ok(values)
}

fn of_json(lines: &[String], name: Option<&str>) -> Result<Values, BadColumn> {
    let mut values = Vec::new();
    let mut found = false;
    let mut known: Vec<String> = Vec::new();
    for (number, line) in (1..).zip(lines) {
        if line.trim().is_empty() {
            continue;
        }
        let json: Value = serde_json::from_str(line)
            .map_err(|error| BadColumn::Line { line: number, why: error.to_string() })?;
        for key in json.as_object().into_iter().flat_map(|fields| fields.keys()) {
            if known.len() < HEAD_LINES && !known.contains(key) {
                known.push(key.clone());
            }
        }
        let Some(name) = name else { return Err(BadColumn::WhichColumn(known)) };
        let value = at_path(&json, name);
        found |= value.is_some();
        let truth = |value: &Value| match value {
            Value::Bool(truth) => Some(if *truth { "1" } else { "0" }.to_owned()),
            other => scalar(other),
        };
        values.push((number, value.and_then(truth)));
    }
    match name {
        Some(name) if !found && !values.is_empty() => {
            Err(BadColumn::NoColumn { name: name.to_owned(), known })
        }
        _ => Ok(values),
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
    let mut numbers = Vec::new();
    for (line, value) in values {
        let Some(value) = value else { continue };
        match value.parse::<f64>() {
            Ok(number) if number.is_finite() => numbers.push(number),
            // What a program writes for no number.
            Ok(_) => {}
            Err(_) => return Err(BadColumn::NoNumber { line: *line, value: value.clone() }),
        }
    }
    Ok(numbers)
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
