//! Files of labels that were given elsewhere, read whole: what people said is little.

use std::io::Read as _;

use serde_json::{Map, Value};

use super::sniff::{Container, container};
use super::{BadInput, Inputs};
use crate::domain::written;
use crate::format::foreign::{Foreign, LabelOptions, LabelsIn, Loss};
use crate::format::kind::LABELS;
use crate::format::kind::brat::record_of_brat;
use crate::format::kind::{conll, fasttext};
#[cfg(feature = "parquet")]
use crate::format::read::arrow;
use crate::format::read::bytes::{Count, Flaws};
use crate::format::read::csv::{Cells, Dialect, Rows};
use crate::format::read::files::Part;
use crate::format::read::objects::{Lines, Objects};

/// Records that are looked at to tell the format.
const LOOKED_AT: usize = 50;

/// What a file says.
pub struct ForeignFile {
    pub kind: &'static LabelsIn,
    pub said: Vec<Foreign>,
    pub loss: Loss,
    pub flaws: Vec<String>,
}

/// A byte that no text holds: what a line holds is one cell.
const NO_DELIMITER: u8 = 3;

/// A record or why it is none, with where it stands.
type Place = (String, Result<Map<String, Value>, String>);

/// Every record of a file.
fn records(
    inputs: &Inputs,
    part: &Part,
    within: &'static [&'static str],
    flaws: &Flaws,
) -> Result<Vec<Place>, BadInput> {
    let mut found = Vec::new();
    each_record(inputs, part, within, flaws, |place, read| found.push((place, read)))?;
    Ok(found)
}

/// Gives every record of a file, or why it is none, with where it stands.
///
/// # Errors
/// A file that can't be read.
pub fn each_record(
    inputs: &Inputs,
    part: &Part,
    within: &'static [&'static str],
    flaws: &Flaws,
    mut take: impl FnMut(String, Result<Map<String, Value>, String>),
) -> Result<(), BadInput> {
    let failed = |error| BadInput::Read(part.name.clone(), error);
    let mut bytes = inputs.bytes_of(part, &Count::default(), flaws)?;
    let parsed = |text: String| match written::read(&text) {
        Ok(Value::Object(record)) => Ok(record),
        Ok(_) => Err("not an object".to_owned()),
        Err(error) => Err(format!("not JSON: {error}")),
    };
    let text = String::from_utf8_lossy(&bytes.head).into_owned();
    let first = text.trim_start().lines().next().unwrap_or_default();
    if first.trim_start_matches('"').starts_with(fasttext::LABEL) {
        // doccano writes its lines as CSV of one column.
        let dialect = Dialect { delimiter: NO_DELIMITER, ..Dialect::of(&text) };
        for row in Rows::new(bytes.reader, dialect, false).map_err(failed)? {
            let row = row.map_err(failed)?;
            let read = row.cells.map(|cells| fasttext::record_of(cells.get(0)));
            take(format!("line {}", row.line), read.map_err(|reject| reject.to_string()));
        }
        return Ok(());
    }
    if conll::is_tagged(&text) {
        let mut whole = String::new();
        bytes.reader.read_to_string(&mut whole).map_err(failed)?;
        let texts = conll::records_of(&whole).into_iter();
        texts.for_each(|(line, read)| take(format!("line {line}"), read));
        return Ok(());
    }
    let told = match container(&bytes.head, inputs.options(), &mut Vec::new()) {
        // Columns of labels have other names than those of predictions.
        Container::Lines if !first.starts_with(['{', '[']) => {
            let dialect = Dialect::of(&text);
            match first.contains(char::from(dialect.delimiter)) {
                true => Container::Csv(dialect),
                false => Container::Lines,
            }
        }
        told => told,
    };
    match told {
        Container::Csv(dialect) => {
            let rows =
                Rows::new(bytes.reader, dialect, !inputs.options().no_header).map_err(failed)?;
            for row in rows {
                let row = row.map_err(failed)?;
                let read = row.cells.map(Cells::into_record);
                take(format!("line {}", row.line), read.map_err(|reject| reject.to_string()));
            }
        }
        #[cfg(feature = "parquet")]
        Container::Parquet | Container::Arrow { .. } => {
            let plain = part.member.is_none() && part.is_file() && bytes.layers.is_empty();
            let (parquet, stream) =
                (told == Container::Parquet, told == Container::Arrow { stream: true });
            let rows = arrow::texts(&part.path, plain, bytes, parquet, stream).map_err(failed)?;
            for text in rows {
                let text = text.map_err(failed)?;
                let read = text.text.map_err(|reject| reject.to_string()).and_then(parsed);
                take(format!("row {}", text.number), read);
            }
        }
        #[cfg(not(feature = "parquet"))]
        Container::Parquet | Container::Arrow { .. } => {
            return Err(BadInput::NotBuilt(part.name.clone(), "it is Parquet or Arrow"));
        }
        Container::Objects => {
            for text in Objects::new(bytes.reader, &part.name, flaws, within) {
                let text = text.map_err(failed)?;
                let read = text.text.map_err(|reject| reject.to_string()).and_then(parsed);
                take(format!("[{}]", text.number - 1), read);
            }
        }
        Container::Lines | Container::Console => {
            for text in Lines::new(bytes.reader) {
                let text = text.map_err(failed)?;
                let read = text.text.map_err(|reject| reject.to_string()).and_then(parsed);
                take(format!("line {}", text.number), read);
            }
        }
    }
    Ok(())
}

/// Reads the labels of a file, of the format that was named or that its records tell; what of the options
/// the file says is seen from it.
///
/// # Errors
/// A file that can't be read, or whose records are of no format that is known.
pub fn labels(
    inputs: &Inputs,
    part: &Part,
    format: Option<&str>,
    asked: LabelOptions,
) -> Result<ForeignFile, BadInput> {
    let flaws = Flaws::default();
    let unknown = |words: &str| {
        BadInput::NotThat(
            part.name.clone(),
            "labels of another program".to_owned(),
            words.to_owned(),
        )
    };
    let is_brat =
        part.path.extension().is_some_and(|ending| ending == "ann") && part.member.is_none();
    let plain = if is_brat {
        let failed = |error| BadInput::Read(part.name.clone(), error);
        let annotations = std::fs::read_to_string(&part.path).map_err(failed)?;
        let text = std::fs::read_to_string(part.path.with_extension("txt")).map_err(failed)?;
        vec![("it".to_owned(), Ok(record_of_brat(&annotations, &text)))]
    } else {
        records(inputs, part, &[], &flaws)?
    };
    let claimed = |found: &[Place]| {
        let sound = || found.iter().take(LOOKED_AT).filter_map(|(_, read)| read.as_ref().ok());
        LABELS.iter().copied().find(|kind| sound().any(|record| (kind.claims)(record)))
    };
    let named = format.map(|format| {
        LABELS
            .iter()
            .copied()
            .find(|kind| kind.name == format)
            .ok_or_else(|| unknown(&format!("no format `{format}`")))
    });
    let (kind, found) = match named.transpose()? {
        Some(kind) if kind.within.is_empty() || is_brat => (kind, plain),
        Some(kind) => (kind, records(inputs, part, kind.within, &Flaws::default())?),
        None => match claimed(&plain) {
            Some(kind) => (kind, plain),
            // A page of an API.
            None => {
                let pages = LABELS.iter().copied().filter(|kind| !kind.within.is_empty());
                let mut of_page = None;
                for kind in pages {
                    let inside = records(inputs, part, kind.within, &Flaws::default())?;
                    if claimed(&inside).is_some_and(|of| of.name == kind.name) {
                        of_page = Some((kind, inside));
                        break;
                    }
                }
                of_page.ok_or_else(|| {
                    // What can't be read says more than what is not there.
                    let broken = plain.iter().find_map(|(place, read)| {
                        Some(format!("{place}: {}", read.as_ref().err()?))
                    });
                    if let Some(words) = flaws.take().into_iter().next().or(broken) {
                        return unknown(&words);
                    }
                    if plain.is_empty() {
                        return unknown("it holds no record");
                    }
                    let names: Vec<String> = plain
                        .iter()
                        .find_map(|(_, read)| read.as_ref().ok())
                        .map(|record| record.keys().cloned().collect())
                        .unwrap_or_default();
                    unknown(&format!("its records hold {}", names.join(", ")))
                })?
            }
        },
    };
    // Of an archive, what the file in it is called.
    let stem = std::path::Path::new(&part.name).file_stem();
    let stem = stem.map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let columns = &inputs.options().columns;
    let text = columns.iter().find(|(role, _)| *role == "text").map(|(_, field)| field.clone());
    let mut reader = (kind.make)(LabelOptions { stem, text, ..asked });
    let (mut said, mut loss) = (Vec::new(), Loss::default());
    for (place, record) in &found {
        match record {
            Ok(record) => reader.take(record, place, &mut said, &mut loss),
            Err(why) => loss.reject(place, why),
        }
    }
    reader.end(&mut said);
    Ok(ForeignFile { kind, said, loss, flaws: flaws.take() })
}
