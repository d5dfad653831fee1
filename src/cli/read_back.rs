//! `casework export --check`: what was written is read again by casework's own readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::CliError;
use crate::format::foreign::Said;
use crate::format::open::foreign::labels;
use crate::format::open::{Input, Inputs};
use crate::format::peer::Item;
use crate::format::read::Options;
use crate::format::read::files::{Part, parts_of};

/// The formats whose labels are read again, as what, and which of their files hold them.
const READERS: &[(&str, &str, &str)] = &[
    ("label-studio", "label-studio", "tasks.json"),
    ("prodigy", "prodigy", ""),
    ("argilla", "argilla", "records.json"),
    ("doccano", "doccano", ""),
    ("crowd-csv", "csv", ""),
    ("sagemaker-ground-truth", "sagemaker", ""),
];

/// The labels of cases that were written, and how many times.
#[derive(Default)]
pub struct Written {
    labels: BTreeMap<(String, String), i64>,
    answers: u64,
}

impl Written {
    pub fn add(&mut self, item: &Item) {
        for given in &item.given {
            self.answers += 1;
            if let Some(label) = &given.label {
                *self.labels.entry((item.about.id.clone(), label.clone())).or_default() += 1;
            }
        }
    }

    /// Reads it again; in words what was found.
    ///
    /// # Errors
    /// A label that is not there, or was not written.
    pub fn check(mut self, format: &str, place: &Path, lossy: bool) -> Result<String, CliError> {
        let failed = |why: String| CliError::Use(format!("--check: {}: {why}", place.display()));
        let parts = parts_of(place).map_err(|error| failed(error.to_string()))?;
        let inputs = Inputs::new(Vec::new(), Options::default(), Arc::default());
        let Some((_, reader, file)) = READERS.iter().find(|(name, ..)| *name == format) else {
            return records(parts).map(|n| format!("{n} records were read again")).map_err(failed);
        };
        let mut read = 0;
        for part in parts.iter().filter(|part| {
            file.is_empty() || PathBuf::from(file).file_name() == part.path.file_name()
        }) {
            for foreign in labels(&inputs, part, Some(reader), None)?.said {
                let label = foreign.said.iter().find(|(name, _)| name == "label");
                let label = match label {
                    Some((_, Said::One(label))) => label.clone(),
                    Some((_, Said::Many(list))) if list.len() == 1 => list[0].clone(),
                    _ => continue,
                };
                read += 1;
                let key = (foreign.id.unwrap_or_default(), label);
                match self.labels.get_mut(&key) {
                    Some(n) if *n > 0 => *n -= 1,
                    // What has no label says something else there.
                    _ if format == "crowd-csv" => read -= 1,
                    _ => return Err(failed(format!("`{}` of {} was not written", key.1, key.0))),
                }
            }
        }
        let missing = self.labels.iter().find(|(_, n)| **n > 0).filter(|_| !lossy);
        match missing {
            Some(((id, label), _)) => Err(failed(format!("`{label}` of {id} is not there"))),
            None => Ok(format!("{read} labels were read again, each as it was written")),
        }
    }
}

/// How many records files hold.
fn records(parts: Vec<Part>) -> Result<u64, String> {
    let of_rows =
        |part: &Part| part.path.extension().is_none_or(|ending| ending != "md" && ending != "json");
    let parts: Vec<Part> = parts.into_iter().filter(of_rows).collect();
    let inputs = Inputs::new(parts, Options::default(), Arc::default());
    let mut n = 0;
    while let Some(opened) = inputs.next_input().map_err(|error| error.to_string())? {
        match opened.input {
            Input::Lines(lines) => {
                for line in std::io::BufRead::lines(std::io::BufReader::new(lines)) {
                    let line = line.map_err(|error| error.to_string())?;
                    serde_json::from_str::<serde_json::Value>(&line)
                        .map_err(|error| error.to_string())?;
                    n += 1;
                }
            }
            Input::Records(records) => {
                for record in records {
                    record.map_err(|error| error.to_string())?;
                    n += 1;
                }
            }
        }
        if let Some(flaw) = opened.told.flaws.take().first() {
            return Err(flaw.clone());
        }
    }
    Ok(n)
}
