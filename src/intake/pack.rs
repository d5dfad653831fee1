//! Builds the payload of a case and the event that will name it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::logindex::LogIndex;
use super::redact::Redact;
use super::scan::{Seen, Told};
use super::window::{Matured, Near};
use crate::domain::attachment::{FileThen, Standing};
use crate::domain::hygiene::{Defect, Fact};
use crate::domain::ids::CaseId;
use crate::domain::modality::{glance, named_attachments, parts};
use crate::domain::payload::{Neighbour, PayloadRef, Salt};
use crate::domain::prediction::{Reject, check_whole, not_json, scalar};
use crate::domain::text::cut;
use crate::domain::written;
use crate::journal::blob::{PACKED_BYTES_MAX, PAYLOAD_BYTES_MAX, Packed, Packer};
use crate::journal::kind::CaseDetected;
use crate::journal::views::short_text;
use crate::media::file::{self, Hashes};

/// Bytes of a neighbour's text that are kept.
const NEIGHBOUR_BYTES: usize = 300;
/// Facts about files that are kept of one line, and bytes of a field's name in one.
const FILE_FACTS_MAX: usize = 6;
const FIELD_BYTES: usize = 200;

/// A case ready to be admitted.
#[derive(Debug)]
pub struct Ready {
    /// Line of the input.
    pub line: u64,
    pub event: CaseDetected,
    pub packed: Packed,
    pub text: String,
    /// To tell a line sent again from one that says something else.
    pub seen: Arc<Seen>,
    /// The line as it is kept, where that is not as it came.
    pub redacted: Option<Box<str>>,
    /// Log lines beside it.
    pub log_lines: u64,
    /// It is taken in only if it is among the smallest draws of its day.
    pub may_pass: bool,
}

impl Ready {
    /// The line as it is kept.
    pub fn kept(&self) -> &str {
        self.redacted.as_deref().unwrap_or_else(|| self.seen.raw().trim())
    }
}

/// A payload on its way.
pub struct Made {
    pub json: Vec<u8>,
    text: String,
    redacted: Option<Box<str>>,
    language: String,
    log_lines: u64,
}

/// What a field holds is known only in its line.
fn told(raw: &str, redact: Option<&Redact>) -> Told {
    let raw = redact.map_or(Cow::Borrowed(raw), |redact| redact.line(raw));
    let line = written::read(&raw).unwrap_or_default();
    let said = &line["prediction"];
    Told {
        text: cut(&glance(&line), NEIGHBOUR_BYTES).into_owned(),
        label: scalar(&said["label"]).unwrap_or_default(),
        confidence: said["confidence"].as_f64(),
    }
}

/// A neighbour as it is kept: without what is to be redacted of its line, and told by what a case
/// is told by.
fn neighbour(near: &Near, redact: Option<&Redact>) -> Neighbour {
    let mut kept = near.kept.clone();
    let by_field = redact.filter(|redact| redact.has_paths());
    if by_field.is_some() || kept.text.is_empty() {
        let Told { text, label, confidence } =
            near.seen.told.get_or_init(|| told(near.seen.raw().trim(), redact));
        (kept.text, kept.label) = (text.clone(), label.clone());
        kept.confidence = kept.confidence.and(*confidence);
    } else if let Some(redact) = redact
        && let Cow::Owned(clean) = redact.text(&kept.text)
    {
        kept.text = clean;
    }
    if let Cow::Owned(short) = cut(&kept.text, NEIGHBOUR_BYTES) {
        kept.text = short;
    }
    kept
}

/// That a line and what stands around it are more than a case can hold.
pub fn too_large() -> Reject {
    Reject::TooLarge(PACKED_BYTES_MAX >> 20)
}

/// The payload's JSON, if the line is sound all through, without what is to be redacted.
pub fn payload_json(
    matured: &Matured,
    logs: Option<&LogIndex>,
    redact: Option<&Redact>,
    (roots, hashes): (&[String], &mut Hashes),
) -> Result<Made, Reject> {
    let seen = &matured.seen;
    let raw = seen.raw().trim();
    // The rules looked only at what they needed; a person will look at everything.
    // What is flagged was looked at for that.
    if seen.flags.is_none() {
        check_whole(raw)?;
    }
    let redacted = match redact.map(|redact| redact.line(raw)) {
        Some(Cow::Owned(line)) => Some(line.into_boxed_str()),
        _ => None,
    };
    if let Some(redact) = redact {
        redact.looked_through(raw, redacted.as_deref());
    }
    let raw = redacted.as_deref().unwrap_or(raw);
    let text = match seen.text() {
        text if redacted.is_none() && !text.is_empty() => text.to_owned(),
        _ => glance(&written::read(raw).map_err(|error| not_json(&error))?),
    };
    let prediction = serde_json::from_str::<&RawValue>(raw).map_err(|error| not_json(&error))?;
    let logs = logs.and_then(|logs| logs.lines_for(seen.trace(), seen.id(), seen.at).ok());
    let mut logs = logs.unwrap_or_default();
    if let Some(redact) = redact {
        for log in &mut logs {
            if let Cow::Owned(clean) = redact.text(&log.text) {
                log.text = clean;
            }
        }
    }
    let neighbours: Vec<Neighbour> =
        matured.neighbours.iter().map(|near| neighbour(near, redact)).collect();
    let (mut facts, mut files) = (Cow::Borrowed(&seen.facts), Vec::new());
    let twice = written::named_twice(raw).into_iter().map(|field| Fact {
        trouble: Defect::Corrupt,
        field: cut(&field, FIELD_BYTES).into_owned(),
        what: "stands more than once in the line: the last one is shown".to_owned(),
    });
    let twice: Vec<Fact> = twice.collect();
    if !twice.is_empty() {
        facts.to_mut().extend(twice);
    }
    if !roots.is_empty() {
        let of_files;
        (of_files, files) = files_of(seen.raw().trim(), roots, hashes);
        if !of_files.is_empty() {
            facts.to_mut().extend(of_files);
        }
    }
    let payload = PayloadRef {
        prediction,
        logs: &logs,
        neighbours: &neighbours,
        facts: &facts,
        said: &seen.said,
        files: &files,
    };
    let json = serde_json::to_vec(&payload).map_err(|_| too_large())?;
    let language = language(raw);
    if json.len() > PAYLOAD_BYTES_MAX {
        Err(too_large())
    } else {
        Ok(Made { json, text: short_text(&text), redacted, language, log_lines: logs.len() as u64 })
    }
}

/// The files that a line points to: what is wrong with those that it says more of, and how those are
/// now of which it has no hash. No path is told: what is redacted may be in it.
fn files_of(raw: &str, roots: &[String], hashes: &mut Hashes) -> (Vec<Fact>, Vec<FileThen>) {
    let Ok(line) = serde_json::from_str::<Value>(raw) else { return (Vec::new(), Vec::new()) };
    let (mut facts, mut files) = (Vec::new(), Vec::new());
    hashes.begin();
    for (field, attached) in named_attachments(&parts(&line, |_| true)) {
        let Some(meant) = attached.meant() else { continue };
        let mut standing = hashes.standing(roots, meant.path, &meant);
        if standing == Standing::NoHash {
            match file::found(roots, meant.path).and_then(|file| hashes.of(file)) {
                Ok((bytes, sha256)) => {
                    files.push(FileThen { field, bytes, sha256 });
                    continue;
                }
                Err(other) => standing = other,
            }
        }
        let (trouble, what) = match standing {
            Standing::Found | Standing::AsDetected | Standing::NoHash => continue,
            Standing::AnotherHash | Standing::AnotherSize(_) | Standing::AnotherThanDetected => {
                (Defect::Corrupt, "its file was another than the line says")
            }
            Standing::Missing => (Defect::Missing, "its file was not there"),
            Standing::Unreadable => (Defect::Missing, "its file could not be read"),
            Standing::Outside => {
                (Defect::Corrupt, "its path was refused: it leads out of the folders")
            }
            Standing::NoFile => (Defect::Corrupt, "its path was refused: it is no regular file"),
            Standing::TooLarge => (Defect::Unlabelable, "its file was too large to be compared"),
            Standing::TooMany => {
                (Defect::Unlabelable, "its file was one of more than are compared together")
            }
        };
        let what = format!("{what} when the case was detected");
        facts.push(Fact { trouble, field: cut(&field, FIELD_BYTES).into_owned(), what });
    }
    facts.truncate(FILE_FACTS_MAX);
    (facts, files)
}

/// The language that a line says its input is in: `en` for `en-US`.
fn language(raw: &str) -> String {
    #[derive(Deserialize, Default)]
    struct Line<'a> {
        #[serde(borrow, default)]
        input: Option<&'a RawValue>,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Input {
        language: Option<String>,
        lang: Option<String>,
        locale: Option<String>,
    }
    let input = serde_json::from_str::<Line<'_>>(raw).ok().and_then(|line| line.input);
    let input =
        input.and_then(|input| serde_json::from_str::<Input>(input.get()).ok()).unwrap_or_default();
    let said = input.language.or(input.lang).or(input.locale).unwrap_or_default();
    let first = said.split(['-', '_']).next().unwrap_or_default();
    if (2..=3).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphabetic()) {
        first.to_lowercase()
    } else {
        String::new()
    }
}

/// Compresses a payload and makes the event of its case.
pub fn ready(
    matured: &Matured,
    made: Made,
    needs: &HashMap<String, Vec<String>>,
    packer: &mut Packer,
) -> Result<Ready, super::IntakeError> {
    let seen = &matured.seen;
    let Made { json, text, redacted, language, log_lines } = made;
    let flags = seen.flags.clone().unwrap_or_default();
    let mut skills: Vec<String> =
        flags.iter().filter_map(|flag| needs.get(flag)).flatten().cloned().collect();
    skills.sort();
    skills.dedup();
    let salt: Salt = crate::chance::bytes().map_err(super::IntakeError::Random)?;
    let packed = packer.pack(&json, salt)?;
    let event = CaseDetected {
        case: CaseId::of(seen.stream(), seen.id()),
        stream: seen.stream().to_owned(),
        id: seen.id().to_owned(),
        occurred_ms: seen.at,
        model: seen.model.to_string(),
        predicted: Some(seen.label().to_owned()).filter(|label| !label.is_empty()),
        confidence: seen.confidence,
        flags,
        rank: rank(seen.margin, seen.confidence),
        payload: packed.hash,
        language,
        needs: skills,
        why: seen.why.clone(),
        alarm: seen.alarm.as_deref().map(str::to_owned),
    };
    Ok(Ready {
        line: seen.number,
        event,
        packed,
        text,
        seen: Arc::clone(seen),
        redacted,
        log_lines,
        may_pass: seen.may_pass,
    })
}

/// What a label is worth: the less sure the model, the more. 0 is worth most.
fn rank(margin: Option<f64>, confidence: Option<f64>) -> u16 {
    let sure = margin.or(confidence).unwrap_or(0.0).clamp(0.0, 1.0);
    (sure * 1000.0).round() as u16
}
