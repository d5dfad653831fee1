//! What an exported row holds: enough to judge, retrain and trace without asking anything else.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::domain::cues::Seen;
use crate::domain::hygiene::Fact;
use crate::domain::ids::{CaseId, EventId, Hash};
use crate::domain::label::{Outcome, Step};
use crate::domain::protocol::{Places, Span};

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// One row a label.
    Labels,
    /// One row a resolved case.
    Cases,
}

impl Rows {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Cases => "cases",
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ExportRow {
    Label(Box<LabelExport>),
    Case(Box<CaseExport>),
}

/// What is known of a case beside what people said of it.
#[derive(Debug, Clone, Serialize)]
pub struct CaseContext {
    pub case: CaseId,
    pub id: String,
    pub stream: String,
    pub occurred_at: String,
    pub detected_at: String,
    pub text: String,
    pub erased: bool,
    pub trace_id: Option<String>,
    pub session_id: Option<String>,
    pub span_id: Option<String>,
    pub input: Option<Box<RawValue>>,
    pub model: Option<Box<RawValue>>,
    pub predicted: Option<String>,
    pub prediction: Option<Box<RawValue>>,
    pub challenger: Option<Box<RawValue>>,
    pub feature_importance: Option<Box<RawValue>>,
    pub latency_ms: Option<Box<RawValue>>,
    pub flags: Vec<String>,
    pub why: Vec<Flagged>,
    pub facts: Vec<Fact>,
    pub prior: Option<Prior>,
}

/// A rule that flagged a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flagged {
    pub trap: String,
    /// What it measured; none for a rule that only holds or not.
    pub score: Option<f64>,
    /// Which part of what it flags becomes cases; none where that was not recorded.
    pub rate: Option<f64>,
}

/// How often a model was right on a category before a case came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prior {
    pub model: String,
    pub category: String,
    /// Share of settled cases whose label is what the model said.
    pub value: Option<f64>,
    pub n: usize,
    pub interval: Option<(f64, f64)>,
    pub reason: Option<&'static str>,
}

/// A protocol by its id and version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProtocolVersion {
    pub id: String,
    pub version: u32,
}

/// One label with all that says where it came from.
#[derive(Debug, Clone, Serialize)]
pub struct LabelExport {
    #[serde(flatten)]
    pub about: CaseContext,
    pub reviewer: String,
    pub author: String,
    pub imported_by: Option<String>,
    pub round: String,
    pub protocol: String,
    pub version: u32,
    pub protocol_hash: Hash,
    pub path: Vec<Step>,
    pub outcome: Outcome,
    pub label: Option<String>,
    pub category: Option<Value>,
    pub failure_mode: Option<Value>,
    pub checked: Vec<String>,
    pub confidence: Option<u8>,
    pub tags: Vec<String>,
    pub rationale: String,
    pub evidence: Vec<Span>,
    pub evidence_in: Places,
    pub cites: Vec<CaseId>,
    pub seen: Option<Seen>,
    pub after_others: bool,
    pub at: String,
    pub duration_ms: Option<u64>,
    pub extra: Option<Map<String, Value>>,
    pub event: EventId,
    pub counts: bool,
    pub state: String,
    pub resolved: Option<Outcome>,
    pub how: Option<&'static str>,
    pub settled_at: Option<String>,
}

/// One resolved case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseExport {
    #[serde(flatten)]
    pub about: CaseContext,
    pub outcome: Outcome,
    pub label: Option<String>,
    pub category: Option<Value>,
    pub failure_mode: Option<Value>,
    pub how: Option<&'static str>,
    pub belief: Option<f64>,
    pub settled_at: Option<String>,
    pub ruling: Option<RulingExport>,
    pub votes: Vec<Vote>,
    pub agents: Vec<Vote>,
    pub conflicts: Vec<CaseId>,
    pub reviewers: Vec<String>,
    pub authors: Vec<String>,
    pub protocols: Vec<String>,
    pub rationales: Vec<String>,
    pub events: Vec<EventId>,
}

/// The ruling that a case's outcome rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RulingExport {
    pub arbiter: String,
    pub cause: &'static str,
    pub rationale: String,
    pub at: String,
    pub protocol: Option<ProtocolVersion>,
    /// The label that it takes over, and those that lay before the arbiter.
    pub takes: Option<EventId>,
    pub considered: Vec<EventId>,
    pub event: EventId,
}

/// What one reviewer said of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vote {
    pub reviewer: String,
    pub author: String,
    pub imported_by: Option<String>,
    pub outcome: Outcome,
    pub label: Option<String>,
    pub path: Vec<Step>,
    pub protocol: ProtocolVersion,
    pub confidence: Option<u8>,
    pub rationale: String,
    pub tags: Vec<String>,
    pub at: String,
    pub duration_ms: Option<u64>,
    pub event: EventId,
    /// Whether it says what the case counts as, in what the policy compares.
    pub agrees: bool,
}

/// A key of an exported row.
pub struct Field {
    pub name: &'static str,
    /// In which rows it stands; none: in both.
    pub of: Option<Rows>,
    pub kind: &'static str,
    pub about: &'static str,
}

const fn both(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, of: None, kind, about }
}

const fn of_label(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, of: Some(Rows::Labels), kind, about }
}

const fn of_case(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, of: Some(Rows::Cases), kind, about }
}

/// Every key, in the order in which rows have them.
pub static FIELDS: &[Field] = &[
    both("case", "text", "casework's id of the case"),
    both("id", "text", "the stream's own id of the prediction"),
    both("stream", "text", "the stream it came from"),
    both("occurred_at", "time", "when the model predicted"),
    both("detected_at", "time", "when a rule flagged it"),
    both("text", "text", "`input.text`, or the whole input as JSON where it has none"),
    both("erased", "truth", "whether its input was erased: text and input are empty then"),
    both("trace_id", "text or null", "as in the line"),
    both("session_id", "text or null", "`input.session_id`"),
    both("span_id", "text or null", "as in the line: the span of a trace that it came from"),
    both("input", "object or null", "the whole input, numbers as they were written"),
    both("model", "object or null", "name and version of the model"),
    both("predicted", "text or null", "the label that the model gave"),
    both(
        "prediction",
        "object or null",
        "label, confidence, top_k and whatever else the model gave",
    ),
    both("challenger", "object or null", "what another model said of the same input"),
    both("feature_importance", "list or null", "as in the line"),
    both("latency_ms", "number or null", "as in the line"),
    both("flags", "list of texts", "why it became a case"),
    both(
        "why",
        "list of {trap, score, rate}",
        "the same with what each rule measured, and which part of what it flags becomes cases",
    ),
    both("facts", "list of {trouble, field, what}", "data-quality issues found at ingest"),
    both(
        "prior",
        "object or null",
        "how often this model was right on this category in settled cases that came before: {model, category, value, n, interval, reason}",
    ),
    of_label("reviewer", "text", "who gave the label"),
    of_label("author", "text", "whose key signed it"),
    of_label("imported_by", "text or null", "who imported it, where the reviewer did not sign it"),
    of_label("round", "text", "main, repeat, gold, or a calibration session"),
    of_label("protocol", "text", "id of the protocol it was given under"),
    of_label("version", "number", "its version"),
    of_label("protocol_hash", "text", "of its exact text"),
    of_label("path", "list of [question, answer]", "the answers in the order asked"),
    both("outcome", "object", "the fields that were set"),
    both("label", "text or null", "the outcome's `label`: what to train on, if anything"),
    both("category", "any or null", "the outcome's `category`: the kind of edge case"),
    both("failure_mode", "any or null", "the outcome's `failure_mode`"),
    of_label("checked", "list of texts", "checklist items that were ticked"),
    of_label("confidence", "number or null", "of the reviewer, 1 (a guess) to 5 (certain)"),
    of_label("tags", "list of texts", "tags"),
    of_label("rationale", "text", "why"),
    of_label(
        "evidence",
        "list of [from, to]",
        "places in `input.text` that bear it out, in characters",
    ),
    of_label(
        "evidence_in",
        "object",
        "the same in other texts, by field (`output`) or turn (`input.messages[4]`): lists of [from, to]",
    ),
    of_label("cites", "list of texts", "earlier cases that it refers to"),
    of_label(
        "seen",
        "object or null",
        "what was on the screen before the label, which of two answers stood first, which files were not to be seen; null where that is not known",
    ),
    of_label(
        "after_others",
        "truth",
        "whether what others said of the case could be seen when it was given: it counts, and is not compared with theirs",
    ),
    of_label("at", "time", "when it was given"),
    of_label("duration_ms", "number or null", "from first sight of the case to the submit"),
    of_label(
        "extra",
        "object or null",
        "what another program said beside it that nothing here maps, where it was imported",
    ),
    of_label("event", "text", "the event that gave it: `casework verify --entry` prints it"),
    of_label("counts", "truth", "whether it is its reviewer's latest of its round on the case"),
    of_label("state", "text", "open, disputed or resolved: the case now"),
    of_label("resolved", "object or null", "what the case counts as"),
    both("how", "text or null", "unanimous, majority, model or ruling: how the case was settled"),
    of_case(
        "belief",
        "number or null",
        "how sure the model of reviewers is, where that settled it: 0 to 1",
    ),
    both(
        "settled_at",
        "time or null",
        "when the last label or the ruling that settles it was given",
    ),
    of_case(
        "ruling",
        "object or null",
        "{arbiter, cause, rationale, at, protocol, takes, considered, event}, where a ruling settles it",
    ),
    of_case(
        "votes",
        "list of objects",
        "every label that counts, its outcome by the names of today and its path as given: {reviewer, author, imported_by, outcome, label, path, protocol, confidence, rationale, tags, at, duration_ms, event, agrees}",
    ),
    of_case(
        "agents",
        "list of objects",
        "the same of labelers, which are programs, where the policy let them vote",
    ),
    of_case(
        "conflicts",
        "list of texts",
        "cases with the same input that count as something else: `casework conflicts`",
    ),
    of_case("reviewers", "list of texts", "of the votes, in their order"),
    of_case("authors", "list of texts", "whose keys signed the votes"),
    of_case("protocols", "list of texts", "under which versions they were given"),
    of_case("rationales", "list of texts", "of the votes, empty ones too"),
    of_case(
        "events",
        "list of texts",
        "what the outcome rests on: the ruling, or the votes, those of agents too",
    ),
];

/// The keys of a kind of row.
pub fn fields_of(rows: Rows) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(move |field| field.of.is_none_or(|of| of == rows))
}

/// The keys as a table, for the manual.
pub fn markdown() -> String {
    let mut out = String::from("| key | rows | what it is | |\n| --- | --- | --- | --- |\n");
    for Field { name, of, kind, about } in FIELDS {
        let rows = of.map_or("both", Rows::as_str);
        out.push_str(&format!("| `{name}` | {rows} | {kind} | {about} |\n"));
    }
    out
}
