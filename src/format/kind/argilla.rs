//! Argilla: records with suggestions of the model and responses of people, and the questions that a
//! protocol comes to.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Map, Value, json};

use crate::domain::ids::{Hash, uuid8};
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions, model_of, sure_of};
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
    let is_uuid = name.len() == 36 && name.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    if is_uuid {
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
            let score = sure_of(about).unwrap_or_default();
            suggestions.insert(
                "label".to_owned(),
                json!({ "value": predicted, "score": score, "agent": model_of(about) }),
            );
        }
        let reviewers: Vec<_> = item.given.iter().map(|given| &given.reviewer).collect();
        let record = json!({
            "id": about.id, "fields": { "text": about.text },
            "metadata": { "case": about.case, "stream": about.stream, "occurred_at": about.occurred_at,
                "trace_id": about.trace_id.as_deref().unwrap_or_default(), "reviewers": json!(reviewers).to_string() },
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
        let text = |name: &str| json!({ "name": name, "title": name, "required": false, "settings": { "type": "text", "use_markdown": false } });
        let mut questions = vec![json!({ "name": "label", "title": "label", "required": false,
            "settings": { "type": "label_selection", "options": options, "visible_options": 20 } })];
        questions.extend(self.fields.iter().map(|field| text(field)));
        questions.push(text("rationale"));
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
