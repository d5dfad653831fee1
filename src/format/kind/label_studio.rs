//! Label Studio: tasks with annotations and predictions, and the labeling interface that a protocol
//! comes to. Places in texts are counted in UTF-16 units there.

use std::borrow::Cow;
use std::io;

use serde_json::{Map, Value, json};

use crate::domain::protocol::{Answer, Protocol, Question, QuestionKind, Span};
use crate::format::peer::{Given, Item, Out, Peer, PeerKind, PeerOptions, model_of, sure_of};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "label-studio",
    about: "tasks.json and config.xml for Label Studio",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Tasks { options, written: 0 }),
};

/// The name of the control for places that bear a label out.
const EVIDENCE: &str = "evidence";

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
                let value = Map::from_iter([(kind.to_owned(), value)]);
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
                    let number = crate::format::mapping::number(answer).unwrap_or_default();
                    results.push(one("number", number));
                }
                QuestionKind::Text { .. } => {
                    if !answer.is_empty() {
                        results.push(one("textarea", json!([answer])));
                    }
                }
                QuestionKind::Span { .. } => {
                    let spans: Vec<Span> = serde_json::from_str(answer).unwrap_or_default();
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
                data.insert(name.to_owned(), serde_json::from_str(raw.get())?);
            }
        }
        let labels: Vec<Value> = item
            .given
            .iter()
            .map(|given| {
                json!({ "reviewer": given.reviewer, "event": given.event, "protocol": given.protocol,
                    "path": given.path, "outcome": given.outcome, "confidence": given.confidence,
                    "rationale": given.rationale, "tags": given.tags })
            })
            .collect();
        data.insert("casework".to_owned(), json!({ "case": about.case, "stream": about.stream, "flags": about.flags, "labels": labels }));
        let annotations: Vec<Value> = item
            .given
            .iter()
            .map(|given| {
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
