//! What the demo's model is trained and measured with: an old training set, an evaluation file, and
//! the pipelines and the gate of the desk.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::bayes::Bayes;
use super::stream::{Truth, make};
use crate::domain::time::Moment;

/// A row of the desk's own files.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub struct Row {
    pub text: String,
    pub label: String,
    #[serde(default)]
    pub slices: Vec<String>,
}

/// What desks call what they do not handle.
const OUT_OF_SCOPE: &str = "out_of_scope";

fn rows(seed: u64, count: usize, out_of_scope: bool) -> String {
    let made = make(seed, count, Moment(0), 1_000);
    let mut text = String::new();
    for line in made.stream.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let truth = line["id"].as_str().and_then(|id| made.truths.get(id));
        let (label, slices) = match truth {
            Some(Truth::Label(label)) => (*label, vec!["in_scope", *label]),
            Some(Truth::OutOfScope) if out_of_scope => (OUT_OF_SCOPE, vec![OUT_OF_SCOPE]),
            _ => continue,
        };
        let row = json!({ "text": line["input"]["text"], "label": label, "slices": slices });
        let _ = writeln!(text, "{row}");
    }
    text
}

/// What the router learned from: nothing that the desk does not handle.
pub fn old_training_set(seed: u64) -> String {
    rows(seed + 60, 500, false)
}

/// What it is measured on.
pub fn evaluation(seed: u64) -> String {
    rows(seed + 50, 700, true)
}

pub const RECIPE: &str = include_str!("../../assets/demo/loop/recipe.toml");
pub const NARROW: &str = include_str!("../../assets/demo/loop/narrow.toml");
pub const ROUTER: &str = include_str!("../../assets/demo/loop/router.toml");
pub const GATE: &str = include_str!("../../assets/demo/loop/gate.toml");
pub const TRAPS: &str = include_str!("../../assets/demo/loop/traps.toml");

/// Trains on rows and measures: `metrics.json` and `predictions.csv` by their names. `before` is
/// what the model learned from that is compared with.
pub fn retrain(
    before: &[Row],
    after: &[Row],
    evaluation: &[Row],
) -> BTreeMap<&'static str, String> {
    let model =
        |rows: &[Row]| Bayes::train(rows.iter().map(|row| (row.text.as_str(), row.label.as_str())));
    let (before, after) = (model(before), model(after));
    let mut csv = String::from("row,label,before,after,slices\n");
    let (mut right, mut scope, mut found) = (0_usize, 0_usize, 0_usize);
    for (number, row) in (1..).zip(evaluation) {
        let said = after.predict(&row.text);
        right += usize::from(said == row.label);
        scope += usize::from(row.label == OUT_OF_SCOPE);
        found += usize::from(row.label == OUT_OF_SCOPE && said == OUT_OF_SCOPE);
        let _ = writeln!(
            csv,
            "{number},{},{},{said},{}",
            row.label,
            before.predict(&row.text),
            row.slices.join("|")
        );
    }
    let share = |n: usize, of: usize| if of == 0 { 0.0 } else { n as f64 / of as f64 };
    let metrics = json!({ "accuracy": share(right, evaluation.len()), "out_of_scope_recall": share(found, scope) });
    BTreeMap::from([("metrics.json", format!("{metrics}\n")), ("predictions.csv", csv)])
}
