//! A small model that is really trained: naive Bayes over words and pairs of words (multinomial,
//! with additive smoothing; Manning, Raghavan and Schütze, "Introduction to information retrieval",
//! 2008, chapter 13). Fast enough for a demo, and the same on every machine.

use std::collections::{BTreeMap, HashMap, HashSet};

/// Added to every count.
const SMOOTHING: f64 = 0.2;

/// A trained model.
#[derive(Debug, Clone, Default)]
pub struct Bayes {
    /// By label: how many texts, how many features, and how often each.
    labels: BTreeMap<String, (f64, f64, HashMap<String, f64>)>,
    known: HashSet<String>,
    texts: f64,
}

/// Words and pairs of words; digits are all one.
fn features(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect())
        .collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    words.iter().cloned().chain(pairs).collect()
}

impl Bayes {
    pub fn train<'r>(rows: impl Iterator<Item = (&'r str, &'r str)>) -> Self {
        let mut made = Self::default();
        for (text, label) in rows {
            made.texts += 1.0;
            let of = made.labels.entry(label.to_owned()).or_default();
            of.0 += 1.0;
            for feature in features(text) {
                of.1 += 1.0;
                *of.2.entry(feature.clone()).or_default() += 1.0;
                made.known.insert(feature);
            }
        }
        made
    }

    /// The label that is most likely; empty of a model that has learned nothing.
    pub fn predict(&self, text: &str) -> &str {
        let features: Vec<String> =
            features(text).into_iter().filter(|feature| self.known.contains(feature)).collect();
        let score = |(texts, all, counts): &(f64, f64, HashMap<String, f64>)| {
            let room = all + SMOOTHING * self.known.len() as f64;
            let of = |feature: &String| {
                ((counts.get(feature).copied().unwrap_or(0.0) + SMOOTHING) / room).ln()
            };
            (texts / self.texts).ln() + features.iter().map(of).sum::<f64>()
        };
        let scored = self.labels.iter().map(|(label, of)| (score(of), label));
        // Of several that are as likely, the first by name.
        let best = scored.rev().max_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or("", |(_, label)| label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns() {
        let rows = [
            ("where is my parcel", "track"),
            ("where is it now", "track"),
            ("the box is broken", "damage"),
        ];
        let model = Bayes::train(rows.into_iter());
        assert_eq!(model.predict("where is PX123"), "track");
        assert_eq!(model.predict("it came broken"), "damage");
        assert_eq!(Bayes::default().predict("x"), "");
    }
}
