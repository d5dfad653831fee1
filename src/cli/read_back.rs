//! `casework export --check`: what was written is read again by casework's own readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::CliError;
use crate::domain::text::counted;
use crate::format::foreign::{LabelOptions, Said, id_of_text};
use crate::format::kind::spans::EVIDENCE;
use crate::format::kind::spans::word;
use crate::format::kind::{brat, conll};
use crate::format::open::Inputs;
use crate::format::open::foreign::{each_record, labels};
use crate::format::peer::{Item, PeerOptions};
use crate::format::read::Options;
use crate::format::read::bytes::Flaws;
use crate::format::read::files::{Part, parts_of};
use crate::format::row::CaseContext;

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
    format: &'static str,
    labels: BTreeMap<(String, String), i64>,
    /// Places by the text that they lie in.
    places: BTreeMap<(String, String), i64>,
}

/// A place and its name, as all formats write one.
fn key_of(text: &str, (start, end, name): &(usize, usize, String)) -> (String, String) {
    (id_of_text(text), format!("{} at {start}-{end}", word(name)))
}

impl Written {
    pub fn new(format: &'static str, options: Option<PeerOptions>) -> Self {
        Self { options, format, labels: BTreeMap::new(), places: BTreeMap::new() }
    }

    pub fn add(&mut self, item: &Item) {
        let Some(options) = &self.options else { return };
        for given in &item.given {
            if let Some(label) = &given.label {
                let named = named_by(self.format, &item.about);
                *self.labels.entry((named, label.clone())).or_default() += 1;
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
    pub fn check(mut self, place: &Path, lossy: bool) -> Result<String, CliError> {
        let format = self.format;
        let failed = |why: String| CliError::Use(format!("--check: {}: {why}", place.display()));
        let parts = parts_of(place).map_err(|error| failed(error.to_string()))?;
        if format == "conll" {
            return tagged(&parts)
                .map(|n| format!("Read again: {}", counted(n, "text")))
                .map_err(failed);
        }
        let Some((_, reader, file)) = READERS.iter().find(|(name, ..)| *name == format) else {
            return self.records(place, parts, lossy).map_err(failed);
        };
        let inputs = Inputs::new(Vec::new(), Options::default(), Arc::default());
        let (mut read, mut places) = (0, 0);
        let is_beside = |part: &&Part| format == "brat" && brat::is_beside(&part.path);
        for part in parts.iter().filter(|part| !is_beside(part)).filter(|part| {
            file.is_empty() || PathBuf::from(file).file_name() == part.path.file_name()
        }) {
            for foreign in labels(&inputs, part, Some(reader), LabelOptions::default())?.said {
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

impl Written {
    /// Reads records that no reader of labels knows: each label with its case.
    fn records(mut self, place: &Path, parts: Vec<Part>, lossy: bool) -> Result<String, String> {
        let format = self.format;
        let of_rows = |part: &&Part| {
            part.path.extension().is_none_or(|ending| ending != "md" && ending != "json")
        };
        let inputs = Inputs::new(Vec::new(), Options::default(), Arc::default());
        let names = names_in_card(place).map_err(|error| error.to_string())?;
        let (mut records, mut read, mut wrong) = (0, 0, None);
        let flaws = Flaws::default();
        for part in parts.iter().filter(of_rows) {
            let take = |place: String, record: Result<Map<String, Value>, String>| {
                records += 1;
                let record = match record {
                    Ok(record) => record,
                    Err(why) => {
                        wrong.get_or_insert(format!("{place}: {why}"));
                        return;
                    }
                };
                let Some(key) = label_in(format, &record, &names) else { return };
                read += 1;
                match self.labels.get_mut(&key) {
                    Some(n) if *n > 0 => *n -= 1,
                    _ => {
                        let why = format!("{place}: `{}` of `{}` was not written", key.1, key.0);
                        wrong.get_or_insert(why);
                    }
                }
            };
            each_record(&inputs, part, &[], &flaws, take).map_err(|error| error.to_string())?;
        }
        if let Some(why) = wrong.or_else(|| flaws.take().into_iter().next()) {
            return Err(why);
        }
        let mut missing = self.labels.iter().filter(|(_, n)| **n > 0);
        match missing.next().filter(|_| !lossy) {
            Some(((id, label), _)) => Err(format!("`{label}` of `{id}` is not there")),
            None => Ok(format!(
                "Read again, each as it was written: {} in {}",
                counted(read, "label"),
                counted(records, "record")
            )),
        }
    }
}

/// How many texts of tokens with tags files hold.
fn tagged(parts: &[Part]) -> Result<u64, String> {
    let mut n = 0;
    let of_tags = |part: &&Part| part.path.extension().is_some_and(|ending| ending == "conll");
    for part in parts.iter().filter(of_tags) {
        let text = std::fs::read_to_string(&part.path).map_err(|error| error.to_string())?;
        for (_, read) in conll::records_of(&text) {
            read.map_err(|why| format!("{}: {why}", part.name))?;
            n += 1;
        }
    }
    Ok(n)
}

/// The case and the label that a record of a format holds, as that format writes them; none where it holds
/// another field of a label.
fn label_in(
    format: &str,
    record: &Map<String, Value>,
    names: &[String],
) -> Option<(String, String)> {
    let at = |path: &str| record.get(path).unwrap_or(&Value::Null);
    let of_case = |meta: &Value| meta["case"].as_str().map(str::to_owned);
    let (case, label) = match format {
        "openai-chat" => {
            let answer = at("messages").as_array()?.last()?;
            (Some(String::new()), answer["content"].clone())
        }
        "langfuse-scores" if at("name") == "label" => {
            (of_case(at("metadata")), at("value").clone())
        }
        "langsmith-feedback" if at("key") == "label" => {
            (of_case(&at("feedback_source")["metadata"]), at("value").clone())
        }
        "phoenix-annotations" if at("name") == "label" => {
            (of_case(at("metadata")), at("result")["label"].clone())
        }
        "langfuse-scores" | "langsmith-feedback" | "phoenix-annotations" => return None,
        _ => {
            let number = at("label").as_u64().and_then(|number| usize::try_from(number).ok());
            let name = number.and_then(|number| names.get(number));
            let label = name.map_or_else(|| at("label").clone(), |name| Value::from(name.as_str()));
            (at("id").as_str().map(str::to_owned), label)
        }
    };
    Some((case?, label.as_str()?.to_owned()))
}

/// The names of labels that stand in rows as their numbers, as the card of Hugging Face in a folder lists
/// them; none where there is no card.
fn names_in_card(folder: &Path) -> std::io::Result<Vec<String>> {
    let card = folder.join("README.md");
    let text = if card.exists() { std::fs::read_to_string(&card)? } else { String::new() };
    let name = |line: &str| {
        let (number, name) = line.trim().strip_prefix('\'')?.split_once("': ")?;
        number.parse::<u64>().ok()?;
        serde_json::from_str::<String>(name).ok()
    };
    Ok(text.lines().filter_map(name).collect())
}

/// By what a format names a case.
fn named_by(format: &str, about: &CaseContext) -> String {
    match format {
        // A chat names none.
        "openai-chat" => String::new(),
        "langfuse-scores" | "langsmith-feedback" | "phoenix-annotations" => about.case.to_string(),
        _ => about.id.clone(),
    }
}
