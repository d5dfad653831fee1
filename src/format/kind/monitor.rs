//! Frames that monitors of models take (NannyML, Evidently, whylogs): a row a prediction, its features
//! as columns, the answer in `y_pred` and how sure it was in `y_pred_proba`.

use serde_json::{Map, Value};

use crate::format::numbers::{number, sure};
use crate::format::path::scalar;
use crate::format::read::case::{Answer, Case, text_of};
use crate::format::read::{Cases, Found, Options};

pub fn claims(record: &Map<String, Value>) -> bool {
    record.contains_key("y_pred")
}

pub fn cases(options: &Options) -> Box<dyn Cases> {
    Box::new(Frame { decimal_comma: options.decimal_comma })
}

struct Frame {
    decimal_comma: bool,
}

impl Cases for Frame {
    fn take(&mut self, mut record: Map<String, Value>, to: &mut Vec<Found>) {
        // The column without a name is the row number of pandas.
        let id = ["id", "identifier", "", "Unnamed: 0"].iter().find_map(|name| {
            let id = text_of(&record, name);
            if id.is_some() {
                record.shift_remove(*name);
            }
            id
        });
        let at =
            ["timestamp", "occurred_at", "time"].iter().find_map(|name| record.shift_remove(*name));
        let label = text_of(&record, "y_pred");
        record.shift_remove("y_pred");
        let confidence =
            match sure(record.shift_remove("y_pred_proba").as_ref(), self.decimal_comma) {
                Ok(confidence) => confidence,
                Err(reject) => return to.push(Found::Reject(reject)),
            };
        let proba: Vec<(String, Value)> = record
            .iter()
            .filter_map(|(name, value)| {
                Some((name.strip_prefix("y_pred_proba_")?.to_owned(), number(&scalar(value))?))
            })
            .collect();
        record.retain(|name, _| !name.starts_with("y_pred_proba_"));
        let sorted = Answer::of_candidates(proba).top_k;
        let of_label =
            sorted.iter().find(|(class, _)| Some(class) == label.as_ref()).map(|(_, p)| p.clone());
        let answer = label.map(|label| Answer {
            label: Some(label),
            confidence: confidence.or(of_label),
            top_k: sorted,
            output: None,
        });
        to.push(Found::case(Case { id, at, input: record, answer, ..Case::default() }));
    }
}
