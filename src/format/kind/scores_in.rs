//! Labels of people in tools that watch models: scores of Langfuse, feedback of LangSmith, annotations
//! of Phoenix. One record is one field: what one person said of one trace is put together.

use serde_json::{Map, Value};

use crate::format::foreign::{Foreign, Labels, LabelsIn, Loss, Said, text};
use crate::format::path::scalar;

pub const LANGFUSE: LabelsIn = LabelsIn {
    name: "langfuse",
    about: "scores of Langfuse",
    claims: |record| {
        record.contains_key("dataType") && record.contains_key("name")
            || record.contains_key("source")
                && record.contains_key("traceId")
                && record.contains_key("name")
    },
    make: |_| Box::new(Scores { tool: Tool::Langfuse, found: Vec::new() }),
    within: &["data"],
};
pub const LANGSMITH: LabelsIn = LabelsIn {
    name: "langsmith",
    about: "feedback of LangSmith",
    claims: |record| record.contains_key("key") && record.contains_key("run_id"),
    make: |_| Box::new(Scores { tool: Tool::LangSmith, found: Vec::new() }),
    within: &[],
};
pub const PHOENIX: LabelsIn = LabelsIn {
    name: "phoenix",
    about: "span annotations of Phoenix",
    claims: |record| record.contains_key("annotator_kind") && record.contains_key("span_id"),
    make: |_| Box::new(Scores { tool: Tool::Phoenix, found: Vec::new() }),
    within: &["data"],
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Langfuse,
    LangSmith,
    Phoenix,
}

struct Scores {
    tool: Tool,
    found: Vec<Foreign>,
}

impl Labels for Scores {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        _to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let machine = match self.tool {
            Tool::Langfuse => text(record, "source").is_some_and(|source| source != "ANNOTATION"),
            Tool::LangSmith => {
                let kind = record.get("feedback_source").and_then(|source| source["type"].as_str());
                kind.is_some_and(|kind| kind != "app")
            }
            Tool::Phoenix => text(record, "annotator_kind").is_some_and(|kind| kind != "HUMAN"),
        };
        if machine {
            loss.by_machine += 1;
            return;
        }
        let (id, name, value, reviewer, why) = match self.tool {
            Tool::Langfuse => {
                // A trace, or an observation inside of one.
                let id = record.get("subject").and_then(|subject| {
                    let of = if subject["kind"] == "trace" { "id" } else { "traceId" };
                    subject[of].as_str().map(str::to_owned)
                });
                // In the older shape the value is a number always, and the word stands beside it.
                let value = record
                    .get("stringValue")
                    .filter(|value| !value.is_null())
                    .or_else(|| record.get("value"));
                (
                    id.or_else(|| text(record, "traceId")),
                    text(record, "name"),
                    value.cloned(),
                    text(record, "authorUserId"),
                    text(record, "comment"),
                )
            }
            Tool::LangSmith => {
                let source = record.get("feedback_source").and_then(Value::as_object);
                let who = source.and_then(|source| {
                    let meta = source.get("metadata").and_then(Value::as_object);
                    text(source, "user_name")
                        .or_else(|| meta.and_then(|meta| text(meta, "reviewer")))
                        .or_else(|| text(source, "user_id"))
                });
                let value = record
                    .get("value")
                    .filter(|value| !value.is_null())
                    .or_else(|| record.get("score"));
                (
                    text(record, "run_id"),
                    text(record, "key"),
                    value.cloned(),
                    who,
                    text(record, "comment"),
                )
            }
            Tool::Phoenix => {
                let result = record.get("result").and_then(Value::as_object);
                let value = result.and_then(|result| {
                    result
                        .get("label")
                        .filter(|label| !label.is_null())
                        .or_else(|| result.get("score"))
                });
                let why = result.and_then(|result| text(result, "explanation"));
                (
                    text(record, "span_id"),
                    text(record, "name"),
                    value.cloned(),
                    text(record, "identifier"),
                    why,
                )
            }
        };
        let (Some(id), Some(name)) = (id, name) else {
            return loss.reject(place, "it names no trace, or no field");
        };
        let at = ["timestamp", "created_at", "createdAt"]
            .iter()
            .find_map(|name| record.get(*name))
            .cloned();
        let known = self
            .found
            .iter()
            .position(|known| known.id.as_ref() == Some(&id) && known.reviewer == reviewer);
        let at_known = known.unwrap_or_else(|| {
            loss.cases += u64::from(!self.found.iter().any(|known| known.id.as_ref() == Some(&id)));
            self.found.push(Foreign {
                place: place.to_owned(),
                id: Some(id),
                reviewer,
                at,
                ..Foreign::default()
            });
            self.found.len() - 1
        });
        let foreign = &mut self.found[at_known];
        if let Some(value) = value.filter(|value| !value.is_null()) {
            foreign.said.push((name, Said::One(scalar(&value).into_owned())));
        }
        if let Some(why) = why.filter(|why| !foreign.rationale.contains(why.as_str())) {
            if !foreign.rationale.is_empty() {
                foreign.rationale.push('\n');
            }
            foreign.rationale.push_str(&why);
        }
        // What would have been right is the label.
        if let Some(label) = record.get("correction").and_then(|right| right["label"].as_str()) {
            foreign.said.push(("label".to_owned(), Said::One(label.to_owned())));
        }
    }

    fn end(&mut self, to: &mut Vec<Foreign>) {
        to.append(&mut self.found);
    }
}
