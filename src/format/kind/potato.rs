//! Potato: what `annotations.jsonl` holds. Neither texts nor times stand there: cases have to be here.

use serde_json::{Map, Value};

use crate::format::foreign::{Foreign, Labels, LabelsIn, Loss, Said, text};

pub const LABELS: LabelsIn = LabelsIn {
    name: "potato",
    about: "annotations.jsonl of Potato",
    claims: |record| record.contains_key("instance_id") && record.contains_key("user_id"),
    make: |_| Box::new(Annotations),
    within: &[],
};

struct Annotations;

impl Labels for Annotations {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let mut foreign = Foreign {
            place: place.to_owned(),
            id: text(record, "instance_id"),
            reviewer: text(record, "user_id"),
            ..Foreign::default()
        };
        for (schema, answers) in
            record.get("labels").and_then(Value::as_object).into_iter().flatten()
        {
            let Some(answers) = answers.as_object() else { continue };
            let written = |(name, value): (&String, &Value)| match value {
                // A box that holds words of one's own.
                Value::String(words) if name == "text_box" || words.contains('\n') => words.clone(),
                _ => name.clone(),
            };
            let mut all: Vec<String> = answers.iter().map(written).collect();
            let said = if all.len() == 1 { Said::One(all.remove(0)) } else { Said::Many(all) };
            foreign.said.push((schema.clone(), said));
        }
        for (schema, spans) in record.get("spans").and_then(Value::as_object).into_iter().flatten()
        {
            let place = |span: &Value| {
                let at = [&span["start"], &span["end"]]
                    .map(|end| end.as_u64().unwrap_or(u64::MAX) as usize);
                Some((at[0], at[1], span["name"].as_str()?.to_owned()))
            };
            let places: Vec<_> = spans.as_array().into_iter().flatten().filter_map(place).collect();
            if !places.is_empty() {
                foreign.said.push((schema.clone(), Said::Places(places)));
            }
        }
        if record.get("links").and_then(Value::as_object).is_some_and(|links| !links.is_empty()) {
            loss.lose("links");
            foreign
                .extra
                .insert("links".to_owned(), record.get("links").cloned().unwrap_or_default());
        }
        to.push(foreign);
    }
}
