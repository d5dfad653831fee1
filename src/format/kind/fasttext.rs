//! fastText: a text a line, behind its labels. Nobody says who gave them, and a label with a blank in it was
//! broken by whoever wrote it.

use serde_json::{Map, Value, json};

use super::doccano;
use crate::format::foreign::{LabelOptions, LabelsIn};

pub const LABELS: LabelsIn = LabelsIn {
    name: "fasttext",
    about: "texts behind `__label__…`, a line each, as fastText and doccano write them",
    claims: |record| record.contains_key(doccano::OF_FASTTEXT),
    make: |options| doccano::lines(LabelOptions { stem: String::new(), ..options }),
    within: &[],
};

/// What a label begins with.
pub const LABEL: &str = "__label__";

/// A line as a record: its labels, and the text behind them.
pub fn record_of(line: &str) -> Map<String, Value> {
    let (mut rest, mut labels) = (line.trim_start(), Vec::new());
    while let Some(named) = rest.strip_prefix(LABEL) {
        let (label, behind) = named.split_once([' ', '\t']).unwrap_or((named, ""));
        labels.push(label);
        rest = behind.trim_start();
    }
    Map::from_iter([
        (doccano::OF_FASTTEXT.to_owned(), Value::Bool(true)),
        ("text".to_owned(), Value::from(rest.trim_end())),
        ("label".to_owned(), json!(labels)),
    ])
}

#[test]
fn labels_stand_before_a_text() {
    let record = record_of("__label__a __label__b  two words \n");
    assert_eq!((&record["text"], &record["label"]), (&json!("two words"), &json!(["a", "b"])));
    let record = record_of("no label");
    assert_eq!((&record["text"], &record["label"]), (&json!("no label"), &json!([])));
}
