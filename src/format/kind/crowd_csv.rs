//! `task,worker,label`: what crowd-kit, cleanlab and tools of agreement read.

use std::io;

use serde_json::{Map, Value};

use crate::format::foreign::{Foreign, Labels, LabelsIn, Loss, Said, id_of_text, line_of, text};
use crate::format::path::scalar;
use crate::format::peer::{Item, Out, Peer, PeerKind};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "crowd-csv",
    about: "task,worker,label",
    folder: false,
    rows: &[Rows::Labels],
    make: |options| Box::new(Crowd { options, begun: false }),
};

struct Crowd {
    options: crate::format::peer::PeerOptions,
    begun: bool,
}

impl Crowd {
    fn record(&mut self, cells: [&str; 3], out: &mut Out) -> io::Result<()> {
        // Every text in quotes, so that `null` and `NA` come back as they are.
        let mut writer = csv::WriterBuilder::new()
            .quote_style(if self.begun {
                csv::QuoteStyle::Always
            } else {
                csv::QuoteStyle::Necessary
            })
            .from_writer(out.file("")?);
        self.begun = true;
        writer.write_record(cells)?;
        writer.flush()
    }
}

impl Peer for Crowd {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        if !self.begun {
            self.record(["task", "worker", "label"], out)?;
        }
        for given in &item.given {
            let worker = given.reviewer.as_deref().unwrap_or_default();
            let worker = self.options.reviewer(worker).to_owned();
            // What has no label says what else it is.
            let label = match (&given.label, given.outcome.get("verdict")) {
                (Some(label), _) => label.clone(),
                (None, Some(verdict)) => scalar(verdict).into_owned(),
                (None, None) => serde_json::to_string(&given.outcome)?,
            };
            self.record([&item.about.id, &worker, &label], out)?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> io::Result<()> {
        if self.begun { Ok(()) } else { self.record(["task", "worker", "label"], out) }
    }
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "csv",
    about: "task,worker,label, and columns of other fields",
    claims: |record| {
        let has = |names: &[&str]| names.iter().any(|name| record.contains_key(*name));
        has(&["task", "case", "id", "text"])
            && has(&["worker", "reviewer", "annotator"])
            && !record.contains_key("path")
    },
    make: |_| Box::new(Lines),
    within: &[],
};

struct Lines;

impl Labels for Lines {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        _: &mut Loss,
    ) {
        let first = |names: &[&str]| names.iter().find_map(|name| text(record, name));
        let own = [
            "task",
            "case",
            "id",
            "worker",
            "reviewer",
            "annotator",
            "text",
            "predicted",
            "occurred_at",
            "stream",
            "trace_id",
            "model",
            "at",
            "created_at",
            "rationale",
            "confidence",
            "duration_ms",
        ];
        let words = text(record, "text");
        let id = first(&["task", "case", "id"]).or_else(|| words.as_deref().map(id_of_text));
        // What the case is opened with.
        let line = match (&id, &words) {
            (Some(id), Some(words)) => {
                let predicted = text(record, "predicted");
                line_of(id, words, record.get("occurred_at"), predicted.as_deref(), record)
            }
            _ => Map::new(),
        };
        let mut foreign = Foreign {
            place: place.to_owned(),
            id,
            text: words,
            line,
            reviewer: first(&["worker", "reviewer", "annotator"]),
            at: first(&["at", "created_at"]).map(Value::from),
            rationale: text(record, "rationale").unwrap_or_default(),
            confidence: text(record, "confidence")
                .and_then(|text| text.parse().ok())
                .filter(|sure| (1..=5).contains(sure)),
            duration_ms: text(record, "duration_ms").and_then(|text| text.parse().ok()),
            ..Foreign::default()
        };
        for name in record.keys().filter(|name| !own.contains(&name.as_str())) {
            foreign.said.extend(text(record, name).map(|value| (name.clone(), Said::One(value))));
        }
        to.push(foreign);
    }
}
