//! Argilla: records with suggestions of the model and responses of people, and the questions that a
//! protocol comes to.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Map, Value, json};

use super::ours::{self, OURS};
use crate::domain::ids::{Hash, uuid8};
use crate::format::foreign::{
    Foreign, LabelOptions, Labels, LabelsIn, Loss, Said, characters, id_of_text, line_of, text,
};
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions, is_uuid, model_of, sure_of};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "argilla",
    about: "records.json and .argilla/settings.json for Argilla",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| {
        Box::new(Records { options, written: 0, fields: BTreeSet::new(), labels: BTreeSet::new() })
    },
};

struct Records {
    options: PeerOptions,
    written: u64,
    /// Fields of outcomes beside the label.
    fields: BTreeSet<String>,
    labels: BTreeSet<String>,
}

/// Who answered, as the UUID that Argilla wants.
fn user(options: &PeerOptions, name: Option<&str>) -> String {
    let name = name.map_or("casework", |name| options.reviewer(name));
    if is_uuid(name) {
        return name.to_owned();
    }
    uuid8(Hash(*blake3::hash(format!("casework reviewer {name}").as_bytes()).as_bytes()))
}

impl Peer for Records {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        let mut responses: Map<String, Value> = Map::new();
        let mut respond = |question: &str, value: Value, user: &str| {
            let list = responses.entry(question).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(json!({ "value": value, "user_id": user }));
            }
        };
        for given in &item.given {
            let user = user(&self.options, given.reviewer.as_deref());
            if let Some(label) = &given.label {
                self.labels.insert(label.clone());
                respond("label", json!(label), &user);
            }
            for (field, value) in given.outcome.iter().filter(|(field, _)| *field != "label") {
                self.fields.insert(field.clone());
                respond(field, Value::from(crate::format::path::scalar(value)), &user);
            }
            if !given.rationale.is_empty() {
                respond("rationale", json!(given.rationale), &user);
            }
        }
        let mut suggestions = Map::new();
        if let Some(predicted) = &about.predicted {
            self.labels.insert(predicted.clone());
            suggestions.insert(
                "label".to_owned(),
                json!({ "value": predicted, "score": sure_of(about), "agent": model_of(about) }),
            );
        }
        let reviewers: Vec<_> = item.given.iter().map(|given| &given.reviewer).collect();
        let by_user = item.given.iter().map(|given| {
            let mut told = ours::told(given);
            told["user"] = json!(user(&self.options, given.reviewer.as_deref()));
            told
        });
        let by_user: Vec<Value> = by_user.collect();
        let record = json!({
            "id": about.id, "fields": { "text": about.text },
            "metadata": { "case": about.case, "stream": about.stream, "occurred_at": about.occurred_at,
                "trace_id": about.trace_id.as_deref().unwrap_or_default(), "reviewers": json!(reviewers).to_string(),
                // Metadata are texts there.
                OURS: json!(by_user).to_string() },
            "suggestions": suggestions, "responses": responses, "vectors": {},
            "status": if item.given.is_empty() { "pending" } else { "completed" }, "_server_id": null,
        });
        let file = out.file("records.json")?;
        file.write_all(if self.written == 0 { b"[\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *file, &record)?;
        self.written += 1;
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> io::Result<()> {
        out.file("records.json")?.write_all(if self.written == 0 { b"[]\n" } else { b"\n]\n" })?;
        for label in self.options.labels() {
            self.labels.insert(label);
        }
        let options: Vec<Value> =
            self.labels.iter().map(|label| json!({ "value": label, "text": label })).collect();
        let words = |name: &str| json!({ "name": name, "title": name, "required": false, "settings": { "type": "text", "use_markdown": false } });
        let mut questions = vec![json!({ "name": "label", "title": "label", "required": false,
            "settings": { "type": "label_selection", "options": options, "visible_options": 20 } })];
        questions.extend(self.fields.iter().map(|field| words(field)));
        questions.push(words("rationale"));
        let settings = json!({
            "guidelines": format!("Exported from casework: {}.", self.options.title),
            "fields": [{ "name": "text", "title": "text", "required": true, "settings": { "type": "text", "use_markdown": false } }],
            "questions": questions, "metadata": [], "vectors": [], "allow_extra_metadata": true,
            "distribution": { "strategy": "overlap", "min_submitted": 1 }, "mapping": null,
        });
        let file = out.file(".argilla/settings.json")?;
        serde_json::to_writer_pretty(&mut *file, &settings)?;
        file.write_all(b"\n")
    }
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "argilla",
    about: "records of Argilla: records.json, or flattened with statuses",
    claims: |record| {
        record.contains_key("fields") && record.contains_key("responses")
            || record.keys().any(|name| name.ends_with(".responses.status"))
    },
    make: |options| Box::new(Responses(options)),
    within: &[],
};

struct Responses(LabelOptions);

/// Answers of one user: question, value.
type Answers = Vec<(String, Value)>;

impl Responses {
    fn push(
        &self,
        base: &Foreign,
        user: &str,
        answers: Answers,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) -> bool {
        let mut foreign =
            Foreign { place: place.to_owned(), reviewer: Some(user.to_owned()), ..base.clone() };
        let source = base.text.clone().unwrap_or_default();
        for (name, value) in answers {
            let said = match &value {
                Value::Array(list)
                    if list.first().is_some_and(|item| item.get("start").is_some()) =>
                {
                    let mut places = Vec::with_capacity(list.len());
                    for span in list {
                        let at = [&span["start"], &span["end"]]
                            .map(|end| end.as_u64().unwrap_or(u64::MAX) as usize);
                        let Some(found) = characters(&source, (at[0], at[1]), None, false) else {
                            let why = match base.text {
                                Some(_) => "is not in the text",
                                None => {
                                    "is of a text that is not there: --text NAME says which field it is"
                                }
                            };
                            let why = format!(
                                "{user}: the place {}-{} {why}",
                                span["start"], span["end"]
                            );
                            loss.reject(place, &why);
                            return false;
                        };
                        let name = span["label"].as_str().unwrap_or_default().to_owned();
                        places.push((found.0, found.1, name));
                    }
                    Said::Places(places)
                }
                Value::Array(list)
                    if list.first().is_some_and(|item| item.get("rank").is_some()) =>
                {
                    loss.lose(&format!("{name} (a ranking)"));
                    foreign.extra.insert(name, value);
                    continue;
                }
                Value::Array(list) => Said::Many(
                    list.iter()
                        .map(|item| crate::format::path::scalar(item).into_owned())
                        .collect(),
                ),
                Value::Null => continue,
                other => Said::One(crate::format::path::scalar(other).into_owned()),
            };
            foreign.said.push((name, said));
        }
        to.push(foreign);
        true
    }
}

/// The questions for which a program made a suggestion.
fn suggested_of(record: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let nested = record.get("suggestions").and_then(Value::as_object);
    let nested = nested.into_iter().flat_map(Map::keys).map(String::as_str);
    let flat = record.iter().filter(|(_, value)| !value.is_null());
    nested.chain(flat.filter_map(|(name, _)| name.strip_suffix(".suggestion")))
}

impl Labels for Responses {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        loss.cases += 1;
        let fields = record.get("fields").and_then(Value::as_object);
        let of = |name: &str| fields.unwrap_or(record).get(name).and_then(Value::as_str);
        let said = self.0.text.as_deref();
        let said = said.map(|name| name.strip_prefix("fields.").unwrap_or(name));
        // A record of one text has no other that it could be.
        let only = || {
            let mut texts = fields?.values().filter_map(Value::as_str);
            texts.next().filter(|_| texts.next().is_none())
        };
        let words = said.map_or_else(|| of("text").or_else(only), of).map(str::to_owned);
        let id = text(record, "id").or_else(|| words.as_deref().map(id_of_text));
        let meta = record
            .get("metadata")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_else(|| record.clone());
        let suggested = record.get("suggestions").map_or_else(
            || text(record, "label.suggestion"),
            |of| of["label"]["value"].as_str().map(str::to_owned),
        );
        // How sure the model was, and which.
        let of_suggestion = |part: &str| match record.get("suggestions") {
            Some(of) => of["label"].get(part).cloned(),
            None => record.get(&format!("label.suggestion.{part}")).cloned(),
        };
        let score = of_suggestion("score").filter(Value::is_number);
        let agent = of_suggestion("agent").filter(Value::is_string);
        let line = match (&id, &words) {
            (Some(id), Some(words)) => {
                let mut rest = meta.clone();
                rest.retain(|name, _| ["trace_id", "stream"].contains(&name.as_str()));
                if let (Some(label), Some(score)) = (&suggested, score) {
                    let prediction = json!({ "label": label, "confidence": score });
                    rest.insert("prediction".to_owned(), prediction);
                }
                if let Some(agent) = agent {
                    rest.insert("model".to_owned(), json!({ "name": agent }));
                }
                line_of(id, words, meta.get("occurred_at"), suggested.as_deref(), &rest)
            }
            _ => Map::new(),
        };
        let is_of_program = |name: &str| {
            name.contains(".suggestion")
                || name.contains(".responses")
                || name == "status"
                || name.starts_with('_')
        };
        let mut beside = ours::beside(&meta, &["text"]);
        // Fields beside the text are what was shown with it.
        for (name, value) in fields.into_iter().flatten() {
            if value.as_str() != words.as_deref() && !value.is_null() {
                beside.insert(name.clone(), value.clone());
            }
        }
        beside.retain(|name, value| {
            let numbers = value.as_array().filter(|list| list.iter().all(Value::is_number));
            let is_vector = fields.is_none() && numbers.is_some_and(|list| !list.is_empty());
            if is_vector {
                loss.lose(&format!("{name} (a vector)"));
            }
            !is_vector && !is_of_program(name) && value.as_str() != words.as_deref()
        });
        for vector in record.get("vectors").and_then(Value::as_object).into_iter().flatten() {
            loss.lose(&format!("{} (a vector)", vector.0));
        }
        for name in suggested_of(record).filter(|name| *name != "label") {
            loss.lose(&format!("{name} (suggested by a program)"));
        }
        let base = Foreign { id, text: words, line, beside, ..Foreign::default() };
        let mut by_user: Vec<(String, Option<String>, Answers)> = Vec::new();
        let mut add = |user: &str, status: Option<&str>, name: &str, value: Value| {
            let at = by_user.iter().position(|(known, ..)| known == user).unwrap_or_else(|| {
                by_user.push((user.to_owned(), status.map(str::to_owned), Vec::new()));
                by_user.len() - 1
            });
            by_user[at].2.push((name.to_owned(), value));
        };
        if let Some(responses) = record.get("responses").and_then(Value::as_object) {
            loss.lose("the status of responses (submitted, draft or discarded): the flattened form has it");
            for (name, list) in responses {
                for response in list.as_array().into_iter().flatten() {
                    add(
                        response["user_id"].as_str().unwrap_or_default(),
                        None,
                        name,
                        response["value"].clone(),
                    );
                }
            }
        }
        for (column, values) in record {
            let Some(name) = column.strip_suffix(".responses") else { continue };
            let list = |of: &str| {
                record
                    .get(&format!("{name}.responses.{of}"))
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default()
            };
            let (users, statuses) = (list("users"), list("status"));
            for (at, value) in values.as_array().into_iter().flatten().enumerate() {
                let text =
                    |list: &Vec<Value>| list.get(at).and_then(Value::as_str).map(str::to_owned);
                add(
                    &text(&users).unwrap_or_default(),
                    text(&statuses).as_deref(),
                    name,
                    value.clone(),
                );
            }
        }
        let told = ours::read(&meta);
        let told = told.as_array().cloned().unwrap_or_default();
        for (user, status, answers) in by_user {
            let wanted = self.0.status.as_deref().unwrap_or("submitted");
            match status.as_deref() {
                Some("draft") if wanted != "draft" => loss.drafts += 1,
                Some("discarded") if wanted != "discarded" => loss.skipped += 1,
                _ => {
                    if !self.push(&base, &user, answers, place, to, loss) {
                        continue;
                    }
                    let told = told.iter().find(|told| told["user"] == user.as_str());
                    if let (Some(foreign), Some(told)) = (to.last_mut(), told) {
                        ours::take_over(foreign, told);
                    }
                }
            }
        }
    }
}
