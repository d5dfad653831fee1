//! Labels on their way back to where the predictions came from: ground truth of SageMaker, scores of
//! Langfuse, feedback of LangSmith, annotations of Phoenix. Each has a key that follows from the event:
//! sent twice, it counts once.

use std::io;

use serde_json::{Map, Value, json};

use crate::domain::time::Moment;
use crate::format::foreign::{Foreign, Labels, LabelsIn, Loss, Said, text};
use crate::format::path::scalar;
use crate::format::peer::{Given, Item, Out, Peer, PeerKind, PeerOptions, id_of, is_uuid};
use crate::format::row::Rows;

const fn kind(
    name: &'static str,
    about: &'static str,
    rows: &'static [Rows],
    make: fn(PeerOptions) -> Box<dyn Peer>,
) -> PeerKind {
    PeerKind { name, about, folder: false, rows, make }
}

pub const GROUND_TRUTH: PeerKind = kind(
    "sagemaker-ground-truth",
    "ground truth for SageMaker's Model Monitor",
    &[Rows::Cases],
    |_| Box::new(GroundTruth),
);
pub const LANGFUSE: PeerKind =
    kind("langfuse-scores", "scores for Langfuse", &[Rows::Labels, Rows::Cases], |options| {
        Box::new(Scores(options))
    });
pub const LANGSMITH: PeerKind =
    kind("langsmith-feedback", "feedback for LangSmith", &[Rows::Labels, Rows::Cases], |options| {
        Box::new(Feedback(options))
    });
pub const PHOENIX: PeerKind = kind(
    "phoenix-annotations",
    "span annotations for Phoenix",
    &[Rows::Labels, Rows::Cases],
    |options| Box::new(Annotations(options)),
);

struct GroundTruth;

impl Peer for GroundTruth {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        for given in &item.given {
            let Some(label) = &given.label else {
                out.lose_rows("cases without a label", 1);
                continue;
            };
            let quoted = label.contains([',', '"', '\n', '\r']);
            let cell =
                if quoted { format!("\"{}\"", label.replace('"', "\"\"")) } else { label.clone() };
            out.line(&json!({ "groundTruthData": { "data": cell, "encoding": "CSV" },
                "eventMetadata": { "eventId": item.about.id }, "eventVersion": "0" }))?;
        }
        Ok(())
    }
}

/// The fields of a label, those that say something.
fn fields(given: &Given) -> impl Iterator<Item = (&String, &Value)> {
    given.outcome.iter().filter(|(_, value)| !value.is_null())
}

struct Scores(PeerOptions);

impl Peer for Scores {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let Some(trace) = &item.about.trace_id else {
            out.lose_rows("cases without a trace, which scores are attached to", item.given.len());
            return Ok(());
        };
        for given in &item.given {
            for (name, value) in fields(given) {
                let (kind, value) = match value {
                    Value::Number(_) => ("NUMERIC", value.clone()),
                    Value::Bool(truth) => ("BOOLEAN", json!(u8::from(*truth))),
                    other => ("CATEGORICAL", json!(scalar(other))),
                };
                let who = given.reviewer.as_deref().map(|name| self.0.reviewer(name));
                let mut line = json!({ "id": id_of(given.event, name), "traceId": trace, "name": name, "value": value, "dataType": kind,
                    "metadata": { "reviewer": who, "case": item.about.case, "event": given.event, "protocol": given.protocol } });
                if !given.rationale.is_empty() {
                    line["comment"] = json!(given.rationale);
                }
                out.line(&line)?;
            }
        }
        Ok(())
    }
}

struct Feedback(PeerOptions);

impl Peer for Feedback {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        let run =
            [Some(&about.id), about.trace_id.as_ref()].into_iter().flatten().find(|id| is_uuid(id));
        let Some(run) = run else {
            out.lose_rows(
                "cases that are no run of LangSmith: neither id nor trace is a UUID",
                item.given.len(),
            );
            return Ok(());
        };
        for given in &item.given {
            for (name, value) in fields(given) {
                let who = given.reviewer.as_deref().map(|name| self.0.reviewer(name));
                let score = value
                    .as_f64()
                    .or_else(|| value.as_bool().map(|truth| f64::from(u8::from(truth))));
                let wrong = name == "label" && about.predicted.as_deref() != value.as_str();
                out.line(&json!({ "id": id_of(given.event, name), "run_id": run, "key": name, "score": score, "value": scalar(value),
                    "comment": (!given.rationale.is_empty()).then_some(&given.rationale),
                    "correction": wrong.then(|| json!({ "label": value })),
                    "created_at": given.at, "modified_at": given.at,
                    "feedback_source": { "type": "app", "metadata": { "reviewer": who, "case": about.case, "event": given.event } } }))?;
            }
        }
        Ok(())
    }
}

struct Annotations(PeerOptions);

impl Peer for Annotations {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let is_span = |id: &&String| id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
        let Some(span) = item.about.span_id.as_ref().filter(is_span) else {
            out.lose_rows(
                "cases without a span, which annotations are attached to",
                item.given.len(),
            );
            return Ok(());
        };
        for given in &item.given {
            for (name, value) in fields(given) {
                let who =
                    given.reviewer.as_deref().map_or("casework", |name| self.0.reviewer(name));
                let mut result = json!({ "label": scalar(value) });
                if let Some(score) = value.as_f64() {
                    result["score"] = json!(score);
                }
                if !given.rationale.is_empty() {
                    result["explanation"] = json!(given.rationale);
                }
                let at = Moment::parse(&given.at).map(Moment::rfc3339);
                out.line(&json!({ "name": name, "annotator_kind": "HUMAN", "span_id": span, "identifier": who,
                    "result": result, "metadata": { "case": item.about.case, "event": given.event, "at": at } }))?;
            }
        }
        Ok(())
    }
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "sagemaker",
    about: "ground truth of SageMaker; it names no reviewer",
    claims: |record| record.contains_key("groundTruthData"),
    make: |_| Box::new(Truths),
    within: &[],
};

struct Truths;

impl Labels for Truths {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        loss.cases += 1;
        let meta = record.get("eventMetadata").and_then(Value::as_object);
        let data = record.get("groundTruthData").and_then(Value::as_object);
        let Some(label) = data.and_then(|data| text(data, "data")) else {
            return loss.reject(place, "it has no data");
        };
        to.push(Foreign {
            place: place.to_owned(),
            id: meta.and_then(|meta| text(meta, "eventId")),
            said: vec![("label".to_owned(), Said::One(label.trim().to_owned()))],
            gold: true,
            ..Foreign::default()
        });
    }
}
