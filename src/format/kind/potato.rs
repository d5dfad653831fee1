//! Potato: `annotations.jsonl`, `annotations.csv` (a column an answer) and `user_state.json`. Neither texts nor
//! times stand there: cases have to be here.

use serde_json::{Map, Value};

use crate::format::foreign::{Foreign, Labels, LabelsIn, Loss, Said, text};

pub const LABELS: LabelsIn = LabelsIn {
    name: "potato",
    about: "annotations.jsonl, annotations.csv and user_state.json of Potato",
    claims: |record| {
        record.contains_key("user_id")
            && (record.contains_key("instance_id") || record.contains_key(STATE))
    },
    make: |_| Box::new(Annotations),
    within: &[],
};

/// What a person answered, in the file that Potato keeps of them.
const STATE: &str = "instance_id_to_label_to_value";
/// The same of places and of links.
const STATE_PLACES: &str = "instance_id_to_span_to_value";
const STATE_LINKS: &str = "instance_id_to_link_to_value";
/// How a column is called that holds the places of a schema.
const COLUMN_OF_PLACES: &str = "_spans";

struct Annotations;

/// What one person said of one case, schema by schema, whichever file it stands in.
#[derive(Default)]
struct Answers {
    /// Schemas, and names that were chosen with their values.
    labels: Vec<(String, Vec<(String, Value)>)>,
    places: Vec<(String, Vec<Value>)>,
    links: Option<Value>,
}

/// Adds to the list of a name.
fn add<T>(lists: &mut Vec<(String, Vec<T>)>, name: &str, one: T) {
    match lists.iter_mut().find(|(known, _)| known == name) {
        Some((_, list)) => list.push(one),
        None => lists.push((name.to_owned(), vec![one])),
    }
}

impl Answers {
    /// Of a line of `annotations.jsonl`.
    fn of_line(record: &Map<String, Value>) -> Self {
        let of = |name: &str| record.get(name).and_then(Value::as_object).into_iter().flatten();
        let mut answers = Self::default();
        for (schema, chosen) in of("labels") {
            for (name, value) in chosen.as_object().into_iter().flatten() {
                add(&mut answers.labels, schema, (name.clone(), value.clone()));
            }
        }
        for (schema, places) in of("spans") {
            for place in places.as_array().into_iter().flatten() {
                add(&mut answers.places, schema, place.clone());
            }
        }
        answers.links = record.get("links").cloned();
        answers
    }

    /// Of a row of `annotations.csv`: a column is a schema and a name, and a cell that holds something
    /// says that it was chosen.
    fn of_row(record: &Map<String, Value>) -> Self {
        let mut answers = Self::default();
        for (column, cell) in record {
            let Some((schema, name)) = column.split_once('.') else { continue };
            let cell = cell.as_str().unwrap_or_default();
            if name == COLUMN_OF_PLACES {
                let places: Vec<Value> = serde_json::from_str(cell).unwrap_or_default();
                places.into_iter().for_each(|place| add(&mut answers.places, schema, place));
            } else if !cell.is_empty() {
                add(&mut answers.labels, schema, (name.to_owned(), Value::from(cell)));
            }
        }
        answers
    }

    /// Of one case in `user_state.json`: pairs of what was chosen and its value.
    fn of_state(record: &Map<String, Value>, id: &str) -> Self {
        let pairs = |of: &str| record.get(of)?.get(id)?.as_array().cloned();
        let mut answers = Self::default();
        for pair in pairs(STATE).into_iter().flatten() {
            let (schema, name) = (pair[0]["schema"].as_str(), pair[0]["name"].as_str());
            if let Some((schema, name)) = schema.zip(name) {
                add(&mut answers.labels, schema, (name.to_owned(), pair[1].clone()));
            }
        }
        for pair in pairs(STATE_PLACES).into_iter().flatten() {
            if let Some(schema) = pair[0]["schema"].as_str() {
                add(&mut answers.places, schema, pair[0].clone());
            }
        }
        answers.links = record.get(STATE_LINKS).and_then(|links| links.get(id)).cloned();
        answers
    }

    fn into_foreign(self, id: Option<String>, who: Option<String>, place: &str) -> Foreign {
        let mut foreign =
            Foreign { place: place.to_owned(), id, reviewer: who, ..Foreign::default() };
        for (schema, chosen) in self.labels {
            let written = |(name, value): (String, Value)| match value {
                // A box that holds words of one's own.
                Value::String(words) if name == "text_box" || words.contains('\n') => words,
                _ => name,
            };
            let mut all: Vec<String> = chosen.into_iter().map(written).collect();
            let said = if all.len() == 1 { Said::One(all.remove(0)) } else { Said::Many(all) };
            foreign.said.push((schema, said));
        }
        for (schema, spans) in self.places {
            let place = |span: &Value| {
                let at = [&span["start"], &span["end"]]
                    .map(|end| end.as_u64().unwrap_or(u64::MAX) as usize);
                Some((at[0], at[1], span["name"].as_str()?.to_owned()))
            };
            let places: Vec<_> = spans.iter().filter_map(place).collect();
            if !places.is_empty() {
                foreign.said.push((schema, Said::Places(places)));
            }
        }
        foreign
    }
}

impl Labels for Annotations {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let who = text(record, "user_id");
        let mut take = |answers: Answers, id: Option<String>, place: &str| {
            let links = answers.links.clone();
            let links = links.filter(|of| {
                of.as_object().is_some_and(|of| !of.is_empty())
                    || of.as_array().is_some_and(|of| !of.is_empty())
            });
            let mut foreign = answers.into_foreign(id, who.clone(), place);
            if let Some(links) = links {
                loss.lose("links");
                foreign.extra.insert("links".to_owned(), links);
            }
            if foreign.said.is_empty() {
                return loss.lose("cases of which nothing is said");
            }
            to.push(foreign);
        };
        let Some(state) = record.get(STATE).and_then(Value::as_object) else {
            let is_row = !record.contains_key("labels") && !record.contains_key("spans");
            let answers = if is_row { Answers::of_row(record) } else { Answers::of_line(record) };
            return take(answers, text(record, "instance_id"), place);
        };
        let of_places = record.get(STATE_PLACES).and_then(Value::as_object);
        let only_places =
            of_places.into_iter().flat_map(Map::keys).filter(|id| !state.contains_key(*id));
        for id in state.keys().chain(only_places) {
            let answers = Answers::of_state(record, id);
            take(answers, Some(id.clone()), &format!("{place} {id}"));
        }
    }
}
