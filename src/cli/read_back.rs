//! `casework export --check`: what was written is read again by casework's own readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::CliError;
use crate::domain::text::counted;
use crate::format::foreign::{Said, id_of_text};
use crate::format::kind::brat;
use crate::format::kind::spans::EVIDENCE;
use crate::format::kind::spans::word;
use crate::format::open::foreign::labels;
use crate::format::open::{Input, Inputs};
use crate::format::peer::{Item, PeerOptions};
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
    ("brat", "brat", ""),
    ("uima-cas", "uima-cas", ""),
];
/// Those of them whose places are read again too.
const OF_PLACES: &[&str] = &["prodigy", "doccano", "brat", "uima-cas"];

/// The labels of cases that were written, and how many times.
pub struct Written {
    /// None: nobody asks.
    options: Option<PeerOptions>,
    labels: BTreeMap<(String, String), i64>,
    /// Places by the text that they lie in.
    places: BTreeMap<(String, String), i64>,
}

/// A place and its name, as all formats write one.
fn key_of(text: &str, (start, end, name): &(usize, usize, String)) -> (String, String) {
    (id_of_text(text), format!("{} at {start}-{end}", word(name)))
}

impl Written {
    pub fn new(options: Option<PeerOptions>) -> Self {
        Self { options, labels: BTreeMap::new(), places: BTreeMap::new() }
    }

    pub fn add(&mut self, item: &Item) {
        let Some(options) = &self.options else { return };
        for given in &item.given {
            if let Some(label) = &given.label {
                *self.labels.entry((item.about.id.clone(), label.clone())).or_default() += 1;
            }
            for marked in options.places(item, given).0 {
                *self.places.entry(key_of(&item.about.text, &marked)).or_default() += 1;
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
        if format == "conll" {
            return tagged(&parts)
                .map(|n| format!("Read again: {}", counted(n, "text")))
                .map_err(failed);
        }
        let Some((_, reader, file)) = READERS.iter().find(|(name, ..)| *name == format) else {
            return records(parts)
                .map(|n| format!("Read again: {}", counted(n, "record")))
                .map_err(failed);
        };
        let (mut read, mut places) = (0, 0);
        let is_beside = |part: &&Part| format == "brat" && brat::is_beside(&part.path);
        for part in parts.iter().filter(|part| !is_beside(part)).filter(|part| {
            file.is_empty() || PathBuf::from(file).file_name() == part.path.file_name()
        }) {
            for foreign in labels(&inputs, part, Some(reader), None)?.said {
                // What bears a label out is no place that a question asked for.
                let is_asked =
                    |(name, _): &&(String, Said)| name != EVIDENCE && OF_PLACES.contains(&format);
                let marked = foreign.said.iter().filter(is_asked);
                for (said, text) in marked.zip(foreign.text.iter().cycle()) {
                    let (_, Said::Places(found)) = said else { continue };
                    for marked in found {
                        let key = key_of(text, marked);
                        match self.places.get_mut(&key) {
                            Some(n) if *n > 0 => (*n, places) = (*n - 1, places + 1),
                            // One that was told of lost its end.
                            _ if lossy => {}
                            _ => return Err(failed(format!("{} was not written", key.1))),
                        }
                    }
                }
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
        if !OF_PLACES.contains(&format) {
            self.places.clear();
        }
        // These hold nothing else.
        if ["brat", "uima-cas"].contains(&format) {
            self.labels.clear();
        }
        let mut missing = self.labels.iter().chain(&self.places).filter(|(_, n)| **n > 0);
        match missing.next().filter(|_| !lossy) {
            Some(((id, label), _)) => Err(failed(format!("`{label}` of {id} is not there"))),
            None if places > 0 => Ok(format!(
                "Read again, each as it was written: {} and {}",
                counted(read, "label"),
                counted(places, "place")
            )),
            None => Ok(format!("Read again, each as it was written: {}", counted(read, "label"))),
        }
    }
}

/// How many texts of tokens with tags files hold.
fn tagged(parts: &[Part]) -> Result<u64, String> {
    let mut n = 0;
    let of_tags = |part: &&Part| part.path.extension().is_some_and(|ending| ending == "conll");
    for part in parts.iter().filter(of_tags) {
        let text = std::fs::read_to_string(&part.path).map_err(|error| error.to_string())?;
        for (at, line) in (1..).zip(text.lines()) {
            let is_tag = |tag: &str| tag == "O" || tag.starts_with("B-") || tag.starts_with("I-");
            if line.is_empty() {
                n += 1;
            } else if line
                .split_once('\t')
                .is_none_or(|(token, tag)| token.is_empty() || !is_tag(tag))
            {
                return Err(format!("{} line {at} is no token with its tag", part.name));
            }
        }
    }
    Ok(n)
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
