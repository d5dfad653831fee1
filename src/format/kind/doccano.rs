//! doccano: a file of JSON lines for each reviewer, labels as a list, places as `[start, end, name]` in
//! characters. `id` is its own; the stream's stands as `id0`.

use std::io;

use serde_json::{Map, Value, json};

use super::ours::{self, OURS};
use super::spans::{Names, SPANS};
use crate::domain::text::is_blank;
use crate::format::foreign::{
    Foreign, LabelOptions, Labels, LabelsIn, Loss, Said, characters, id_of_text, line_of, text,
};
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::protocol_from::{Control, ControlKind, Controls};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "doccano",
    about: "a file a reviewer for doccano",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Files(options, Names::without(&[ALL]))),
};

/// The names in a file of labels by themselves, as its projects export them; nothing if it is none.
pub fn label_types(text: &str) -> Option<Vec<String>> {
    let list: Vec<Map<String, Value>> = serde_json::from_str(text).ok()?;
    let looks = ["suffixKey", "suffix_key", "backgroundColor", "background_color"];
    let name = |label: &Map<String, Value>| {
        let is_one = looks.iter().any(|look| label.contains_key(*look));
        label.get("text").filter(|_| is_one)?.as_str().map(str::to_owned)
    };
    let names: Vec<String> = list.iter().map(name).collect::<Option<_>>()?;
    (!names.is_empty()).then_some(names)
}

/// What such labels ask: `one` of them, `several`, or `places`.
///
/// # Errors
/// It was not said which.
pub fn controls(names: Vec<String>, takes: Option<&str>) -> Result<Controls, String> {
    let kind = match takes {
        Some("one") => ControlKind::One(names),
        Some("several") => ControlKind::Several(names),
        Some("places") => ControlKind::Places(names),
        _ => {
            return Err(
                "doccano's labels do not say what they are of: --takes one, several or places"
                    .to_owned(),
            );
        }
    };
    let required = matches!(kind, ControlKind::One(_));
    let control = Control { name: "label".to_owned(), ask: None, kind, required };
    Ok(Controls { made: vec![control], left_out: Vec::new() })
}

/// The file of what cases were settled as.
const ALL: &str = "all";

struct Files(PeerOptions, Names);

impl Peer for Files {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        for given in &item.given {
            if is_blank(&about.text) {
                out.lose_rows("rows without a text, which doccano drops", 1);
                continue;
            }
            let marked = self.0.marked(item, given, out);
            let labels: Vec<&String> = given.label.iter().collect();
            // A project is of one kind: of labels, of places, or of both under other names.
            let said = match (self.0.asks_for_places(), self.0.labels().is_empty()) {
                (false, _) => json!({ "label": labels }),
                (true, true) => json!({ "label": marked }),
                (true, false) => json!({ "cats": labels, "entities": marked }),
            };
            let mut line = json!({
                "text": about.text, "id0": about.id,
                "case": about.case, "stream": about.stream, "occurred_at": about.occurred_at, "predicted": about.predicted,
                "outcome": json!(given.outcome).to_string(), "rationale": given.rationale, "event": given.event,
                // It keeps no objects beside a text.
                OURS: ours::told(given).to_string(),
            });
            if let (Value::Object(line), Value::Object(said)) = (&mut line, said) {
                line.extend(said);
            }
            let name = self.1.person(&self.0, given)?;
            let name = name.as_deref().unwrap_or(ALL);
            let file = out.file(&format!("{name}.jsonl"))?;
            serde_json::to_writer(&mut *file, &line)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "doccano",
    about: "exports of doccano: a file a reviewer, JSON, JSON lines or CSV",
    claims: |record| {
        let list = |name: &str| record.get(name).is_some_and(Value::is_array);
        record.contains_key("text")
            && (list("label")
                || list("entities")
                || list("cats")
                || record.contains_key("Comments"))
    },
    make: lines,
    within: &[],
};

/// Reads texts with labels and places, of which one file is one person's.
pub fn lines(options: LabelOptions) -> Box<dyn Labels> {
    Box::new(Lines(options))
}

/// That a record was a line of fastText, or lines of CoNLL: both hold what its rows do.
pub const OF_FASTTEXT: &str = "fasttext";
pub const OF_CONLL: &str = "conll";
/// What a row says of itself and of its labels.
const OF_PROGRAM: [&str; 10] = [
    "id",
    "id0",
    "text",
    "label",
    "entities",
    "cats",
    "relations",
    "Comments",
    OF_FASTTEXT,
    OF_CONLL,
];

struct Lines(LabelOptions);

impl Labels for Lines {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let Some(words) = text(record, "text") else {
            return loss.reject(place, "it has no text");
        };
        loss.cases += 1;
        let id = text(record, "id0").unwrap_or_else(|| id_of_text(&words));
        let predicted = text(record, "predicted");
        let mut rest = record.clone();
        rest.retain(|name, _| ["trace_id", "stream", "model", "input"].contains(&name.as_str()));
        let mut foreign = Foreign {
            place: place.to_owned(),
            line: line_of(&id, &words, record.get("occurred_at"), predicted.as_deref(), &rest),
            id: Some(id),
            beside: ours::beside(record, &OF_PROGRAM),
            reviewer: Some(self.0.stem.clone())
                .filter(|stem| !self.0.is_named && ![ALL, "unknown", ""].contains(&stem.as_str())),
            ..Foreign::default()
        };
        let mut labels: Vec<String> = Vec::new();
        let mut places = Vec::new();
        let marks = ["label", "entities", "cats"].iter().filter_map(|name| record.get(*name));
        for mark in marks.flat_map(|list| match list {
            Value::Array(list) => list.clone(),
            // CSV joins them.
            Value::String(joined) if !joined.is_empty() => {
                joined.split('#').map(Value::from).collect()
            }
            _ => Vec::new(),
        }) {
            let span = match &mark {
                Value::Array(span) => Some((span.first(), span.get(1), span.get(2))),
                Value::Object(span) => {
                    Some((span.get("start_offset"), span.get("end_offset"), span.get("label")))
                }
                other => {
                    labels.extend(other.as_str().map(str::to_owned));
                    None
                }
            };
            let Some((start, end, name)) = span else { continue };
            let at =
                [start, end].map(|end| end.and_then(Value::as_u64).unwrap_or(u64::MAX) as usize);
            let Some(found) = characters(&words, (at[0], at[1]), None, false) else {
                return loss
                    .reject(place, &format!("the place {}-{} is not in the text", at[0], at[1]));
            };
            places.push((
                found.0,
                found.1,
                name.and_then(Value::as_str).unwrap_or_default().to_owned(),
            ));
        }
        for name in ["relations", "Comments"] {
            if let Some(list) =
                record.get(name).and_then(Value::as_array).filter(|list| !list.is_empty())
            {
                if name == "Comments" {
                    let said: Vec<String> = list
                        .iter()
                        .map(|item| crate::format::path::scalar(item).into_owned())
                        .collect();
                    foreign.rationale = said.join("\n");
                } else {
                    loss.lose(name);
                    foreign.extra.insert(name.to_owned(), Value::Array(list.clone()));
                }
            }
        }
        labels.retain(|label| !label.is_empty());
        if !labels.is_empty() {
            foreign.said.push(("label".to_owned(), Said::Many(labels)));
        }
        if !places.is_empty() {
            foreign.said.push((SPANS.to_owned(), Said::Places(places)));
        }
        foreign.text = Some(words);
        ours::take_over(&mut foreign, &ours::read(record));
        if foreign.said.is_empty() && foreign.path.is_empty() {
            return loss.lose("rows of which nothing is said");
        }
        to.push(foreign);
    }
}
