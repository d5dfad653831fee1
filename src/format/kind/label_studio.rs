//! Label Studio: tasks with annotations and predictions, and the labeling interface that a protocol
//! comes to. Places in texts are counted in UTF-16 units there.

use std::borrow::Cow;
use std::io;

use serde_json::{Map, Value, json};

use super::ours;
use super::spans::EVIDENCE;
use crate::domain::protocol::{Answer, Places, Protocol, Question, QuestionKind, Span};
use crate::domain::time::Moment;
use crate::domain::written;
use crate::format::foreign::{
    Foreign, Labels, LabelsIn, Loss, Said, characters, id_of_text, line_of, text,
};
use crate::format::peer::{Given, Item, Out, Peer, PeerKind, PeerOptions, model_of, sure_of};
use crate::format::protocol_from::{Control, ControlKind, Controls};
use crate::format::read::case::{self, Case, input_of};
use crate::format::read::{Cases, Found, Options};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "label-studio",
    about: "tasks.json and config.xml for Label Studio",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Tasks { options, written: 0 }),
};

/// Between a choice and those that it stands within.
const PATH_JOIN: &str = " > ";

struct Tasks {
    options: PeerOptions,
    written: u64,
}

/// Where a character stands, in UTF-16 units.
pub fn utf16_at(text: &str, character: usize) -> usize {
    text.chars().take(character).map(char::len_utf16).sum()
}

fn covered(text: &str, (from, to): (usize, usize)) -> String {
    text.chars().skip(from).take(to.saturating_sub(from)).collect()
}

/// What a question's control is called: the field that it sets, so that labels come back as `label`.
pub fn control<'q>(protocols: &[Protocol], question: &'q Question) -> Cow<'q, str> {
    if let Some(field) = question.kind.field() {
        return Cow::Borrowed(field);
    }
    let questions = protocols.iter().flat_map(|protocol| &protocol.questions);
    let taken = ["label", "text", EVIDENCE].contains(&question.id.as_str())
        || questions.filter_map(|other| other.kind.field()).any(|field| field == question.id);
    if taken { Cow::Owned(format!("{}?", question.id)) } else { Cow::Borrowed(&question.id) }
}

impl Tasks {
    fn spans(&self, name: &str, spans: &[Span], text: &str, into: &mut Vec<Value>) {
        for span in spans {
            let (from, to) = (span.start, span.end);
            into.push(json!({ "id": format!("{name}-{}", into.len()), "from_name": name, "to_name": "text", "type": "labels",
                "value": { "start": utf16_at(text, from), "end": utf16_at(text, to), "text": covered(text, (from, to)), "labels": [name] } }));
        }
    }

    fn results(&self, item: &Item, given: &Given) -> Vec<Value> {
        let mut results: Vec<Value> = Vec::new();
        for (id, answer) in &given.path {
            let Some((_, question)) = self.options.question(&given.protocol, id) else { continue };
            let name = control(&self.options.protocols, question);
            let name = name.as_ref();
            let one = |kind: &str, value: Value| {
                let key = if kind == "textarea" { "text" } else { kind };
                let value = Map::from_iter([(key.to_owned(), value)]);
                json!({ "from_name": name, "to_name": "text", "type": kind, "value": value })
            };
            let text_of = |key: &str| {
                let found = question.kind.answers().iter().find(|known| known.key == key);
                found.map_or_else(
                    || key.to_owned(),
                    |known| choice(&question.kind, known).to_owned(),
                )
            };
            match &question.kind {
                QuestionKind::Choice(_) => results.push(one("choices", json!([text_of(answer)]))),
                QuestionKind::Multi { .. } => {
                    let chosen: Vec<String> =
                        answer.split(',').filter(|key| !key.is_empty()).map(text_of).collect();
                    if !chosen.is_empty() {
                        results.push(one("choices", json!(chosen)));
                    }
                }
                QuestionKind::Label { .. } => results.push(one("choices", json!([answer]))),
                QuestionKind::Scale { least, .. } if *least >= 1 => {
                    results.push(one("rating", json!(answer.parse::<i64>().unwrap_or_default())));
                }
                QuestionKind::Scale { .. } | QuestionKind::Number { .. } => {
                    let number = crate::format::numbers::number(answer).unwrap_or_default();
                    results.push(one("number", number));
                }
                QuestionKind::Text { .. } => {
                    if !answer.is_empty() {
                        results.push(one("textarea", json!([answer])));
                    }
                }
                QuestionKind::Span { .. } => {
                    let spans =
                        Places::parse(answer).map(|places| places.apart().0).unwrap_or_default();
                    self.spans(name, &spans, &item.about.text, &mut results);
                }
            }
        }
        // A label that an answer set by itself (the model's own) is shown too.
        let has_label = results.iter().any(|result| result["from_name"] == "label");
        if let (Some(label), false) = (&given.label, has_label) {
            results.push(json!({ "from_name": "label", "to_name": "text", "type": "choices", "value": { "choices": [label] } }));
        }
        self.spans(EVIDENCE, &given.evidence, &item.about.text, &mut results);
        results
    }
}

/// What an answer is called as a choice: its text, or its key where two have one text.
fn choice<'a>(kind: &'a QuestionKind, answer: &'a Answer) -> &'a str {
    let alike = kind.answers().iter().filter(|other| other.text == answer.text).count();
    if alike == 1 { &answer.text } else { &answer.key }
}

impl Peer for Tasks {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        let mut data = Map::new();
        data.insert("text".to_owned(), Value::from(about.text.as_str()));
        data.insert("id".to_owned(), Value::from(about.id.as_str()));
        data.insert("occurred_at".to_owned(), Value::from(about.occurred_at.as_str()));
        if let Some(trace) = &about.trace_id {
            data.insert("trace_id".to_owned(), Value::from(trace.as_str()));
        }
        for (name, raw) in
            [("input", &about.input), ("model", &about.model), ("prediction", &about.prediction)]
        {
            if let Some(raw) = raw {
                data.insert(name.to_owned(), written::read(raw.get())?);
            }
        }
        let labels: Vec<Value> = item.given.iter().map(ours::told).collect();
        data.insert("casework".to_owned(), json!({ "case": about.case, "stream": about.stream, "flags": about.flags, "labels": labels }));
        let annotations: Vec<Value> = item
            .given
            .iter()
            .map(|given| {
                self.options.marked(item, given, out);
                // Without this word they come in as ground truth.
                let mut annotation = json!({ "result": self.results(item, given), "was_cancelled": false, "ground_truth": false,
                    "created_at": given.at, "lead_time": given.duration_ms.map(|ms| ms as f64 / 1e3) });
                let known = given.reviewer.as_ref().and_then(|name| self.options.reviewers.get(name));
                if let Some(name) = known {
                    let id = name.parse::<i64>().map_or_else(|_| Value::from(name.as_str()), Value::from);
                    annotation["completed_by"] = id;
                }
                annotation
            })
            .collect();
        let mut task = json!({ "data": data, "annotations": annotations });
        if let Some(predicted) = &about.predicted {
            let result = json!([{ "from_name": "label", "to_name": "text", "type": "choices", "value": { "choices": [predicted] } }]);
            task["predictions"] = json!([{ "model_version": model_of(about).unwrap_or_default(), "score": sure_of(about), "result": result }]);
        }
        let file = out.file("tasks.json")?;
        file.write_all(if self.written == 0 { b"[\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *file, &task)?;
        self.written += 1;
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> io::Result<()> {
        let file = out.file("tasks.json")?;
        file.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
        out.file("config.xml")?.write_all(interface(&self.options.protocols).as_bytes())
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The labeling interface of some protocols.
pub fn interface(protocols: &[Protocol]) -> String {
    let mut out = String::from("<View>\n  <Text name=\"text\" value=\"$text\"/>\n");
    let mut known: Vec<String> = Vec::new();
    let mut labels: Vec<&str> = Vec::new();
    for protocol in protocols {
        labels.extend(
            protocol
                .labels
                .iter()
                .map(|label| label.name.as_str())
                .filter(|name| !labels.contains(name))
                .collect::<Vec<_>>(),
        );
    }
    for question in protocols.iter().flat_map(|protocol| &protocol.questions) {
        let name = control(protocols, question);
        let name = name.as_ref();
        if known.iter().any(|other| other == name) || name == "label" {
            continue;
        }
        known.push(name.to_owned());
        let head = format!("  <Header value=\"{}\"/>\n", escaped(&question.ask));
        let choices = |kind: &str, values: &[&str]| {
            let list: String = values
                .iter()
                .map(|value| format!("    <Choice value=\"{}\"/>\n", escaped(value)))
                .collect();
            format!(
                "  <Choices name=\"{}\" toName=\"text\" choice=\"{kind}\">\n{list}  </Choices>\n",
                escaped(name)
            )
        };
        let texts: Vec<&str> =
            question.kind.answers().iter().map(|answer| choice(&question.kind, answer)).collect();
        let control = match &question.kind {
            QuestionKind::Choice(_) => choices("single", &texts),
            QuestionKind::Multi { .. } => choices("multiple", &texts),
            QuestionKind::Label { .. } => choices("single", &labels),
            QuestionKind::Scale { least, most, .. } if *least >= 1 => {
                format!(
                    "  <Rating name=\"{}\" toName=\"text\" maxRating=\"{most}\"/>\n",
                    escaped(name)
                )
            }
            QuestionKind::Scale { least, most, .. } => {
                format!(
                    "  <Number name=\"{}\" toName=\"text\" min=\"{least}\" max=\"{most}\"/>\n",
                    escaped(name)
                )
            }
            QuestionKind::Number { .. } => {
                format!("  <Number name=\"{}\" toName=\"text\"/>\n", escaped(name))
            }
            QuestionKind::Text { .. } => format!(
                "  <TextArea name=\"{}\" toName=\"text\" maxSubmissions=\"1\"/>\n",
                escaped(name)
            ),
            QuestionKind::Span { .. } => format!(
                "  <Labels name=\"{0}\" toName=\"text\">\n    <Label value=\"{0}\"/>\n  </Labels>\n",
                escaped(name)
            ),
        };
        out.push_str(&head);
        out.push_str(&control);
    }
    let list: String = labels
        .iter()
        .map(|label| format!("    <Choice value=\"{}\"/>\n", escaped(label)))
        .collect();
    out.push_str(&format!(
        "  <Header value=\"Label\"/>\n  <Choices name=\"label\" toName=\"text\" choice=\"single\">\n{list}  </Choices>\n"
    ));
    out.push_str(&format!(
        "  <Labels name=\"{EVIDENCE}\" toName=\"text\">\n    <Label value=\"{EVIDENCE}\"/>\n  </Labels>\n</View>\n"
    ));
    out
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "label-studio",
    about: "exports of Label Studio: JSON, JSON_MIN, CSV and TSV",
    claims: |record| {
        let has = |name: &str| record.contains_key(name);
        has("data") && (has("annotations") || has("predictions") || has("completions"))
            || has("annotation_id") && has("annotator") && has("lead_time")
    },
    make: |options| Box::new(Exported { text: options.text }),
    within: &[],
};

/// Characters from and to, and a name.
type Place = (usize, usize, String);

struct Exported {
    /// The field of the data that is the text, where that was said.
    text: Option<String>,
}

/// What a person is called: a number of the database, or a mail address.
fn annotator(value: &Value) -> Option<String> {
    match value {
        Value::Object(person) => text(person, "email")
            .or_else(|| text(person, "username"))
            .or_else(|| text(person, "id")),
        Value::Null => None,
        other => Some(crate::format::path::scalar(other).into_owned()),
    }
}

/// The text of a value of one result.
fn said_of(kind: &str, value: &Value) -> Option<Said> {
    // What was typed stands under another name than its type.
    let inner = if kind == "textarea" { &value["text"] } else { &value[kind] };
    let words = |list: &Vec<Value>| {
        list.iter().map(|item| crate::format::path::scalar(item).into_owned()).collect::<Vec<_>>()
    };
    Some(match (kind, inner) {
        // A choice within others stands as the way to it.
        ("choices" | "taxonomy", Value::Array(list)) => {
            let path = |item: &Value| match item {
                Value::Array(path) => words(path).join(PATH_JOIN),
                item => crate::format::path::scalar(item).into_owned(),
            };
            Said::Many(list.iter().map(path).collect())
        }
        ("textarea", Value::Array(list)) => Said::One(words(list).join("\n")),
        ("textarea", value) if !value.is_null() => {
            Said::One(crate::format::path::scalar(value).into_owned())
        }
        ("rating" | "number" | "datetime", value) if !value.is_null() => {
            Said::One(crate::format::path::scalar(value).into_owned())
        }
        _ => return None,
    })
}

impl Exported {
    fn annotation(
        &self,
        base: &Foreign,
        annotation: &Map<String, Value>,
        place: String,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        if annotation.get("was_cancelled") == Some(&Value::Bool(true)) {
            loss.skipped += 1;
            return;
        }
        let source = base.text.clone().unwrap_or_default();
        let mut foreign = Foreign {
            place: place.clone(),
            reviewer: annotation.get("completed_by").and_then(annotator),
            at: annotation.get("created_at").cloned(),
            duration_ms: annotation
                .get("lead_time")
                .and_then(Value::as_f64)
                .map(|seconds| (seconds * 1e3).round() as u64),
            gold: annotation.get("ground_truth") == Some(&Value::Bool(true)),
            ..base.clone()
        };
        let mut places: Vec<(String, Vec<Place>)> = Vec::new();
        for result in annotation.get("result").and_then(Value::as_array).into_iter().flatten() {
            let kind = result["type"].as_str().unwrap_or_default();
            let (name, value) = (result["from_name"].as_str(), &result["value"]);
            let Some(name) = name else {
                loss.lose(&format!("results of type {kind}"));
                push_extra(&mut foreign.extra, "results", result);
                continue;
            };
            if ["labels", "hypertextlabels"].contains(&kind) && value["start"].is_u64() {
                let list = value[kind].as_array().or_else(|| value["labels"].as_array());
                let place = [&value["start"], &value["end"]]
                    .map(|end| end.as_u64().unwrap_or_default() as usize);
                let found = characters(&source, (place[0], place[1]), value["text"].as_str(), true);
                let Some((from, until)) = found else {
                    loss.reject(
                        &foreign.place,
                        &format!("the place {}-{} is not in the text", place[0], place[1]),
                    );
                    return;
                };
                let at = places.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                    places.push((name.to_owned(), Vec::new()));
                    places.len() - 1
                });
                let labels = list.into_iter().flatten().filter_map(Value::as_str);
                places[at].1.extend(labels.map(|label| (from, until, label.to_owned())));
                continue;
            }
            // What was said of one place is no answer about the text.
            let of_region = value.get("start").is_some();
            match said_of(kind, value).filter(|_| !of_region) {
                Some(said) => foreign.said.push((name.to_owned(), said)),
                None => {
                    loss.lose(&format!(
                        "{name} ({})",
                        if of_region { "of single places" } else { kind }
                    ));
                    push_extra(&mut foreign.extra, name, value);
                }
            }
        }
        foreign.said.extend(places.into_iter().map(|(name, places)| (name, Said::Places(places))));
        let accepted = last_review(annotation).is_some_and(is_accepted);
        for (name, lost) in [("reviews", "reviews that reject a label"), ("history", "history")] {
            if let Some(list) =
                annotation.get(name).and_then(Value::as_array).filter(|list| !list.is_empty())
            {
                if name == "history" || !accepted {
                    loss.lose(lost);
                }
                foreign.extra.insert(name.to_owned(), Value::Array(list.clone()));
            }
        }
        to.push(foreign);
    }

    /// A row of JSON_MIN or CSV: the data, and a field for each control.
    fn row(
        &self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let of_csv = record.get("annotation_id").is_some_and(Value::is_string);
        let field = self.text.as_deref().map(|field| field.strip_prefix("data.").unwrap_or(field));
        let words = text(record, field.unwrap_or("text")).unwrap_or_default();
        // In JSON_MIN the task's number took the place of the stream's id.
        let id = text(record, "id").filter(|_| of_csv);
        if id.is_none() && words.is_empty() {
            return loss.reject(
                place,
                "it has no text by which its case is known: --text NAME says which field it is",
            );
        }
        let id = id.unwrap_or_else(|| id_of_text(&words));
        if !of_csv {
            loss.lose("data.id (the task's number took its place)");
        }
        let parsed = |name: &str| record.get(name).map(case::unwrapped).unwrap_or_default();
        let mut rest = Map::new();
        for name in ["input", "model"] {
            rest.insert(name.to_owned(), parsed(name));
        }
        rest.insert("trace_id".to_owned(), record.get("trace_id").cloned().unwrap_or_default());
        let at = record.get("occurred_at");
        let annotated = text(record, "annotation_id").is_some();
        let mut foreign = Foreign {
            place: place.to_owned(),
            line: line_of(&id, &words, at, None, &rest),
            id: Some(id),
            text: Some(words),
            reviewer: record.get("annotator").and_then(annotator),
            at: record.get("created_at").cloned(),
            duration_ms: text(record, "lead_time")
                .and_then(|text| text.parse::<f64>().ok())
                .map(|seconds| (seconds * 1e3).round() as u64),
            ..Foreign::default()
        };
        let of_task = [
            "id",
            "text",
            "occurred_at",
            "trace_id",
            "model",
            "input",
            "top_k",
            "annotation_id",
            "annotator",
            "created_at",
            "updated_at",
            "lead_time",
            "casework",
            "prediction",
        ];
        for (name, value) in record
            .iter()
            .filter(|(name, value)| !of_task.contains(&name.as_str()) && !value.is_null())
        {
            let value = if of_csv { case::unwrapped(value) } else { value.clone() };
            let said = match &value {
                Value::String(text) if text.is_empty() => continue,
                Value::Object(object) => match object.get("choices").or_else(|| object.get("text"))
                {
                    Some(Value::Array(list)) => {
                        let words = list
                            .iter()
                            .map(|item| crate::format::path::scalar(item).into_owned())
                            .collect();
                        if object.contains_key("choices") {
                            Said::Many(words)
                        } else {
                            Said::One(words.join("\n"))
                        }
                    }
                    _ => continue,
                },
                Value::Array(list) => {
                    let first = list.first().cloned().unwrap_or_default();
                    let kind = ["rating", "number", "datetime", "taxonomy"]
                        .into_iter()
                        .find(|kind| first.get(kind).is_some());
                    match (kind.and_then(|kind| said_of(kind, &first)), first.get("start")) {
                        (Some(said), _) => said,
                        (None, Some(_)) => {
                            let source = foreign.text.clone().unwrap_or_default();
                            let places = list.iter().filter_map(|span| {
                                let place = [&span["start"], &span["end"]]
                                    .map(|end| end.as_u64().unwrap_or_default() as usize);
                                let (from, to) = characters(
                                    &source,
                                    (place[0], place[1]),
                                    span["text"].as_str(),
                                    true,
                                )?;
                                Some((from, to, span["labels"][0].as_str()?.to_owned()))
                            });
                            Said::Places(places.collect())
                        }
                        (None, None) => Said::Many(
                            list.iter()
                                .map(|item| crate::format::path::scalar(item).into_owned())
                                .collect(),
                        ),
                    }
                }
                other => Said::One(crate::format::path::scalar(other).into_owned()),
            };
            foreign.said.push((name.clone(), said));
        }
        loss.cases += 1;
        if annotated {
            to.push(foreign);
        }
    }
}

fn push_extra(extra: &mut Map<String, Value>, name: &str, value: &Value) {
    if let Value::Array(list) = extra.entry(name).or_insert_with(|| json!([])) {
        list.push(value.clone());
    }
}

/// Whether a task of Label Studio has such a field, whatever that says.
fn of_task(name: &str) -> bool {
    const FIELDS: [&str; 28] = [
        "id",
        "data",
        "meta",
        "annotations",
        "completions",
        "predictions",
        "drafts",
        "reviews",
        "project",
        "inner_id",
        "created_at",
        "updated_at",
        "updated_by",
        "created_by",
        "comment_authors",
        "comment_count",
        "unresolved_comment_count",
        "last_comment_updated_at",
        "file_upload",
        "storage_filename",
        "is_labeled",
        "overlap",
        "agreement",
        "agreement_selected",
        "annotators",
        "reviewers",
        "state",
        "allow_skip",
    ];
    FIELDS.contains(&name)
        || [
            "total_",
            "cancelled_",
            "ground_truth",
            "draft_",
            "predictions_",
            "annotations_",
            "precomputed_",
            "avg_",
            "reviews_",
        ]
        .iter()
        .any(|begin| name.starts_with(begin))
}

impl Labels for Exported {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let Some(data) = record.get("data").and_then(Value::as_object) else {
            return self.row(record, place, to, loss);
        };
        loss.cases += 1;
        for name in record.keys().filter(|name| !of_task(name)) {
            loss.lose(&format!("{name} (a field of tasks)"));
        }
        let ours = data.get("casework");
        let bare = record.get("predictions").and_then(Value::as_array).into_iter().flatten();
        let bare = bare.filter(|prediction| !prediction.is_object()).count();
        (0..bare).for_each(|_| loss.lose("predictions (bare ids)"));
        let mut case = case_of(record, self.text.as_deref());
        let words = case.input.get("text").and_then(Value::as_str).map(str::to_owned);
        case.id = case.id.or_else(|| words.as_deref().map(id_of_text));
        let id = case.id.clone();
        let line = match &id {
            Some(_) => case.as_written(),
            None => Map::new(),
        };
        let base = Foreign { id, text: words, line, ..Foreign::default() };
        let drafts = record.get("drafts").and_then(Value::as_array).map_or(0, Vec::len);
        loss.drafts += drafts as u64;
        for name in ["annotations", "completions"] {
            let list = record.get(name).and_then(Value::as_array).into_iter().flatten();
            let mut annotations: Vec<(usize, &Map<String, Value>)> =
                list.filter_map(Value::as_object).enumerate().collect();
            let before = to.len();
            let mut accepted: Option<(&Map<String, Value>, Foreign)> = None;
            for (n, annotation) in &annotations {
                let at = to.len();
                self.annotation(&base, annotation, format!("{place}.{name}[{n}]"), to, loss);
                let review = last_review(annotation).filter(|review| is_accepted(review));
                // That one was rejected says only what the answer is not.
                if let (Some(review), Some(label)) = (review, to.get(at))
                    && accepted.as_ref().is_none_or(|(last, _)| time_of(last) <= time_of(review))
                {
                    accepted = Some((review, label.clone()));
                }
            }
            // An upload gives all annotations to whoever uploaded: who said what stands in the task,
            // in the order in which they went in.
            let labels =
                ours.and_then(|ours| ours["labels"].as_array()).cloned().unwrap_or_default();
            annotations.sort_by_key(|(_, annotation)| annotation.get("id").and_then(Value::as_i64));
            let whole = labels.len() == annotations.len() && to.len() - before == labels.len();
            let of_one = to[before..].windows(2).all(|two| two[0].reviewer == two[1].reviewer);
            if whole && of_one {
                for ((n, _), label) in annotations.iter().zip(&labels) {
                    if let Some(foreign) = to.get_mut(before + n) {
                        ours::take_over(foreign, label);
                    }
                }
            }
            to.extend(accepted.map(|(review, label)| decided(review, label)));
        }
    }
}

/// The review of an annotation that stands: the latest.
fn last_review(annotation: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let reviews = annotation.get("reviews")?.as_array()?.iter().filter_map(Value::as_object);
    reviews.max_by_key(|review| time_of(review))
}

fn time_of(review: &Map<String, Value>) -> Option<Moment> {
    review.get("created_at").and_then(Value::as_str).and_then(Moment::parse)
}

fn is_accepted(review: &Map<String, Value>) -> bool {
    review.get("accepted") == Some(&Value::Bool(true))
}

/// What a review decided that accepted a label.
fn decided(review: &Map<String, Value>, label: Foreign) -> Foreign {
    Foreign {
        place: format!("{} (review)", label.place),
        reviewer: review.get("created_by").and_then(annotator),
        at: review.get("created_at").cloned(),
        rationale: String::new(),
        duration_ms: None,
        after_others: false,
        confidence: None,
        gold: false,
        ruling: true,
        extra: Map::new(),
        ..label
    }
}

/// The controls of a labeling interface.
///
/// # Errors
/// It is no XML, or has no control that is known.
pub fn controls(config: &str) -> Result<Controls, String> {
    let document = roxmltree::Document::parse(config).map_err(|error| error.to_string())?;
    let mut found = Controls::default();
    let yes = |node: &roxmltree::Node<'_, '_>, name: &str| node.attribute(name) == Some("true");
    // What is exported is the alias, where there is one.
    let value = |node: &roxmltree::Node<'_, '_>| {
        node.attribute("alias").or_else(|| node.attribute("value")).map(str::to_owned)
    };
    let children = |node: &roxmltree::Node<'_, '_>, tag: &str| -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for child in node.descendants().filter(|child| child.has_tag_name(tag)) {
            names.extend(value(&child).filter(|name| !names.contains(name)));
        }
        names
    };
    let paths = |node: &roxmltree::Node<'_, '_>| -> Vec<String> {
        let mut paths = Vec::new();
        for choice in node.descendants().filter(|child| child.has_tag_name("Choice")) {
            let mut path: Vec<String> = choice
                .ancestors()
                .take_while(|up| up != node)
                .filter_map(|up| value(&up))
                .collect();
            path.reverse();
            paths.push(path.join(PATH_JOIN));
        }
        paths
    };
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let tag = node.tag_name().name();
        if tag == "Relations" {
            found.left_out.push("Relations between places".to_owned());
        }
        let Some(name) = node.attribute("name").map(str::to_owned) else { continue };
        let several = node.attribute("choice") == Some("multiple");
        let choices = || match yes(&node, "allowNested") {
            true => paths(&node),
            false => children(&node, "Choice"),
        };
        if node.attribute("toName").is_none() && tag != "Ranker" {
            continue;
        }
        if yes(&node, "perRegion") {
            found.left_out.push(format!("{tag} `{name}`, which is asked of each place"));
            continue;
        }
        let of_data = node.attribute("value").filter(|value| value.starts_with('$'));
        if let (Some(field), "Choices" | "Taxonomy" | "Labels") = (of_data, tag) {
            found.left_out.push(format!("{tag} `{name}`, which takes its choices from {field}"));
            continue;
        }
        let kind = match tag {
            "Choices" if several => ControlKind::Several(choices()),
            "Choices" => ControlKind::One(choices()),
            "Taxonomy" => ControlKind::Several(paths(&node)),
            "Rating" => ControlKind::Scale(
                node.attribute("maxRating").and_then(|max| max.parse().ok()).unwrap_or(5),
            ),
            "Number" => {
                let bound = |name: &str| node.attribute(name).and_then(|text| text.parse().ok());
                ControlKind::Number(bound("min"), bound("max"))
            }
            "TextArea" | "DateTime" => ControlKind::Words,
            "Labels" | "HyperTextLabels" => ControlKind::Places(children(&node, "Label")),
            _ => {
                found.left_out.push(format!("{tag} `{name}`"));
                continue;
            }
        };
        let hidden = node.ancestors().any(|up| up.attribute("visibleWhen").is_some());
        if hidden {
            let words = format!("when `{name}` is shown (visibleWhen): it need not be answered");
            found.left_out.push(words);
        }
        let required = yes(&node, "required") && !hidden;
        let ask = node.attribute("header").or_else(|| node.attribute("title")).map(str::to_owned);
        found.made.push(Control { name, ask, kind, required });
    }
    if found.made.is_empty() {
        return Err("no control in it asks something about a text".to_owned());
    }
    Ok(found)
}

/// Whether a record is a task.
pub fn claims(record: &Map<String, Value>) -> bool {
    record.get("data").is_some_and(Value::is_object)
        && (record.contains_key("predictions") || record.contains_key("annotations"))
}

/// Tasks as predictions.
pub fn cases(options: &Options) -> Box<dyn Cases> {
    let named = options.columns.iter().find(|(role, _)| *role == "text");
    Box::new(AsCases(named.map(|(_, field)| field.clone())))
}

/// The field of the data that is the text, where that was said.
struct AsCases(Option<String>);

impl Cases for AsCases {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>) {
        to.push(Found::case(case_of(&record, self.0.as_deref())));
    }
}

/// What the data of a task says beside its input.
const OF_TASK: [&str; 9] =
    ["id", "text", "occurred_at", "trace_id", "model", "prediction", "input", "top_k", "casework"];

/// The field of a task's data that is the text: as it was said, else the one of that name, else the only
/// one that is a text.
fn text_field<'d>(data: &'d Map<String, Value>, said: Option<&'d str>) -> Option<&'d str> {
    let said = said.map(|field| field.strip_prefix("data.").unwrap_or(field));
    if let Some(said) = said.filter(|said| data.get(*said).is_some_and(Value::is_string)) {
        return Some(said);
    }
    if data.get("text").is_some_and(Value::is_string) {
        return Some("text");
    }
    let of_input = |(name, value): &(&'d String, &Value)| {
        !OF_TASK.contains(&name.as_str()) && value.is_string()
    };
    let mut texts = data.iter().filter(of_input);
    let only = texts.next()?;
    texts.next().is_none().then_some(only.0.as_str())
}

/// A task as a prediction: what the data says of it; the last prediction that is more than an id is the
/// model's, the one before it the challenger's.
fn case_of(record: &Map<String, Value>, text_said: Option<&str>) -> Case {
    let data = record.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
    let said_by = |prediction: &Map<String, Value>| {
        let results = prediction.get("result")?.as_array()?;
        let label = results.iter().find_map(|result| result["value"]["choices"][0].as_str())?;
        let confidence = prediction.get("score").filter(|p| p.is_number()).cloned();
        Some((label.to_owned(), confidence, text(prediction, "model_version")))
    };
    let list = record.get("predictions").and_then(Value::as_array).into_iter().flatten();
    let mut predictions: Vec<_> = list.filter_map(Value::as_object).filter_map(said_by).collect();
    let predicted = predictions.pop();
    let model = data.get("model").and_then(Value::as_object);
    let part = |name: &str| model.and_then(|model| text(model, name));
    let candidates = data.get("top_k").and_then(Value::as_array).into_iter().flatten();
    let top_k = candidates
        .filter_map(|one| Some((one["label"].as_str()?.to_owned(), one["p"].clone())))
        .collect();
    let version = predicted.as_ref().and_then(|(.., version)| version.clone());
    let answer = predicted.map(|(label, confidence, _)| case::Answer {
        label: Some(label),
        confidence,
        top_k,
        output: None,
    });
    let mut input = data.get("input").map(input_of).unwrap_or_default();
    if let Some(field) = text_field(&data, text_said) {
        input.entry("text").or_insert_with(|| data[field].clone());
    }
    for (name, value) in &data {
        if !OF_TASK.contains(&name.as_str()) {
            input.entry(name).or_insert_with(|| value.clone());
        }
    }
    let mut rest = Map::new();
    if let Some((label, confidence, version)) = predictions.pop() {
        let mut challenger = json!({ "label": label });
        for (name, value) in [("confidence", confidence), ("model", version.map(Value::from))] {
            if let Some(value) = value {
                challenger[name] = value;
            }
        }
        rest.insert("challenger".to_owned(), challenger);
    }
    Case {
        id: text(&data, "id"),
        at: data.get("occurred_at").cloned(),
        trace_id: text(&data, "trace_id"),
        // What was exported from here says so.
        stream: data.get("casework").and_then(|ours| ours["stream"].as_str().map(str::to_owned)),
        model: part("name").or(version),
        model_version: part("version"),
        input,
        answer,
        rest,
        // What was exported from here, as it was.
        whole: ["prediction", "model"]
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), data.get(*name)?.clone())))
            .filter(|(_, value)| value.is_object())
            .collect(),
        ..Case::default()
    }
}
