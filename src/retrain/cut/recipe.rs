//! A recipe: what a cut is to hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::domain::ids::Hash;
use crate::domain::protocol::Fault;
use crate::domain::protocol::parse::toml_fault;
use crate::domain::time::Moment;
use crate::retrain::source::line_of_key;
use crate::trap::condition::Condition;

/// A recipe, read and checked.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub name: String,
    /// The moment whose labels count; none: those of now.
    #[serde(default, deserialize_with = "moment")]
    pub at: Option<Moment>,
    #[serde(default)]
    pub rows: Rows,
    pub caps: Option<Caps>,
    pub replay: Option<Replay>,
    #[serde(default)]
    pub split: Split,
    #[serde(default)]
    pub leak: Leak,
    #[serde(default)]
    pub out: Out,
    /// The TOML as its author wrote it.
    #[serde(skip)]
    pub source: String,
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Moment>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Time(toml::value::Datetime),
    }
    let text = match Written::deserialize(from)? {
        Written::Text(text) => text,
        Written::Time(time) => time.to_string(),
    };
    let wrong = || serde::de::Error::custom(format!("`at` is an RFC 3339 time, not `{text}`"));
    Moment::parse(&text).map(Some).ok_or_else(wrong)
}

/// Which resolved cases become rows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// A rule over an exported row.
    #[serde(rename = "where", default)]
    pub rule: Option<String>,
    /// The outcome's field that is the label.
    #[serde(default = "usual_label")]
    pub label: String,
}

impl Default for Rows {
    fn default() -> Self {
        Self { rule: None, label: usual_label() }
    }
}

fn usual_label() -> String {
    "label".to_owned()
}

/// What rows are counted by, where there are to be so many of each and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    Category,
    Label,
    Trap,
    Session,
    Reviewer,
    Day,
    Alarm,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    pub per: Option<Per>,
    pub rows: Option<usize>,
    pub share_of_one_day: Option<f64>,
}

/// Old rows that are mixed in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    pub file: String,
    #[serde(default)]
    pub sha256: Option<String>,
    /// So many old rows for each new one.
    pub ratio: f64,
    /// `label`: as many of each label as there are among the old ones.
    #[serde(default)]
    pub stratify: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    #[serde(default)]
    pub train: Option<f64>,
    #[serde(default)]
    pub validation: f64,
    #[serde(default)]
    pub test: f64,
    /// What keeps rows together: keys of a row, `session`, and `near`.
    #[serde(default = "usual_group")]
    pub group: Vec<String>,
    #[serde(default)]
    pub seed: String,
}

fn usual_group() -> Vec<String> {
    vec!["session".to_owned(), NEAR.to_owned()]
}

/// Texts that are nearly the same stay together.
pub const NEAR: &str = "near";

impl Default for Split {
    fn default() -> Self {
        Self { train: None, validation: 0.0, test: 0.0, group: usual_group(), seed: String::new() }
    }
}

impl Split {
    pub fn shares(&self) -> [f64; 3] {
        let train = self.train.unwrap_or(1.0 - self.validation - self.test);
        [train, self.validation, self.test]
    }
}

/// Files whose texts must not come in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leak {
    /// Texts are the same from this overlap of their windows on.
    #[serde(default = "usual_near")]
    pub near: f64,
    #[serde(default)]
    pub against: Vec<String>,
    #[serde(default)]
    pub then: Then,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    #[default]
    Drop,
    Fail,
}

fn usual_near() -> f64 {
    0.8
}

impl Default for Leak {
    fn default() -> Self {
        Self { near: usual_near(), against: Vec::new(), then: Then::Drop }
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Out {
    #[serde(default = "usual_formats")]
    pub formats: Vec<String>,
    #[serde(default)]
    pub license: String,
    #[serde(default)]
    pub creator: String,
    #[serde(default)]
    pub date: String,
}

fn usual_formats() -> Vec<String> {
    vec!["jsonl".to_owned()]
}

impl Default for Out {
    fn default() -> Self {
        let text = String::new;
        Self { formats: usual_formats(), license: text(), creator: text(), date: text() }
    }
}

/// What a cut can be written as; `jsonl` always is.
pub const FORMATS: &[&str] = &["jsonl", "parquet", "hf", "croissant"];

impl Recipe {
    /// # Errors
    /// What is wrong with it, by lines.
    pub fn parse(source: &str) -> Result<Self, Vec<Fault>> {
        let recipe: Self =
            toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
        let recipe = Self { source: source.to_owned(), ..recipe };
        let faults = recipe.faults();
        if faults.is_empty() { Ok(recipe) } else { Err(faults) }
    }

    pub fn hash(&self) -> Hash {
        Hash::of(self.source.as_bytes())
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |table: &str, key: &str, message: String| {
            faults.push(Fault::new(line_of_key(&self.source, table, 0, key), message));
        };
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
        if self.name.is_empty() || self.name.len() > 80 || !self.name.chars().all(plain) {
            let words = "a cut's name is 1 to 80 letters, digits, `.`, `_` or `-`";
            fault("", "name", words.to_owned());
        }
        if let Some(Err(error)) = self.rows.rule.as_deref().map(Condition::compile) {
            fault("rows", "where", error.to_string());
        }
        if let Some(caps) = &self.caps {
            if caps.per.is_some() != caps.rows.is_some() {
                fault("caps", "per", "`per` and `rows` go together: so many of each".to_owned());
            }
            if caps.rows == Some(0) {
                fault("caps", "rows", "no row would be left: leave `rows` out for all".to_owned());
            }
            if caps.share_of_one_day.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
                fault("caps", "share_of_one_day", "a share is above 0 and at most 1".to_owned());
            }
        }
        if let Some(replay) = &self.replay {
            if !(replay.ratio >= 0.0 && replay.ratio <= 1_000.0) {
                fault(
                    "replay",
                    "ratio",
                    "ratio is how many old rows there are for each new one: 0 to 1000".to_owned(),
                );
            }
            if replay.stratify.as_deref().is_some_and(|by| by != "label") {
                fault(
                    "replay",
                    "stratify",
                    "old rows are stratified by `label`, or not".to_owned(),
                );
            }
            if replay.sha256.as_ref().is_some_and(|hash| hash.len() != 64) {
                fault("replay", "sha256", "a sha256 is 64 hexadecimal digits".to_owned());
            }
        }
        let shares = self.split.shares();
        let sum: f64 = shares.iter().sum();
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) || (sum - 1.0).abs() > 1e-9 {
            let words = format!("train, validation and test are shares of 1, and come to {sum}");
            fault("split", "train", words);
        }
        if !(self.leak.near > 0.0 && self.leak.near <= 1.0) {
            fault("leak", "near", "near is above 0 and at most 1".to_owned());
        }
        for format in &self.out.formats {
            if !FORMATS.contains(&format.as_str()) {
                let words = format!("no format `{format}`: there are {}", FORMATS.join(", "));
                fault("out", "formats", words);
            } else if format == "parquet" && !cfg!(feature = "parquet") {
                let words =
                    "this casework was built without Parquet: cargo build --features parquet";
                fault("out", "formats", words.to_owned());
            }
        }
        if self.out.formats.iter().any(|format| format == "croissant") {
            let out = &self.out;
            for (key, text) in
                [("license", &out.license), ("creator", &out.creator), ("date", &out.date)]
            {
                if text.is_empty() {
                    fault("out", key, format!("a Croissant file says its {key}"));
                }
            }
        }
        if !self.out.date.is_empty()
            && Moment::parse(&format!("{}T00:00:00Z", self.out.date)).is_none()
        {
            fault("out", "date", format!("a date is 2026-06-03, not `{}`", self.out.date));
        }
        faults
    }
}

/// Counts by a name, as manifests have them.
pub type Counts = BTreeMap<String, u64>;

/// Counts so many more.
pub(super) fn count(counts: &mut Counts, why: &str, n: usize) {
    match counts.get_mut(why) {
        Some(known) => *known += n as u64,
        None if n > 0 => drop(counts.insert(why.to_owned(), n as u64)),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_is_a_name_and_what_is_wrong_is_said_by_line() {
        let least = Recipe::parse("name = \"june\"\n").unwrap();
        assert_eq!(least.split.shares(), [1.0, 0.0, 0.0]);
        assert_eq!((least.leak.near, least.rows.label.as_str()), (0.8, "label"));
        let at = Recipe::parse("name = \"j\"\nat = 2026-06-03T00:00:00Z\n").unwrap();
        assert_eq!(at.at, Moment::parse("2026-06-03T00:00:00Z"));
        let faults = |source: &str| -> Vec<usize> {
            Recipe::parse(source).unwrap_err().into_iter().map(|fault| fault.line).collect()
        };
        assert_eq!(
            faults("name = \"a b\"\n[rows]\nwhere = \"x <\"\n[split]\ntrain = 0.9\ntest = 0.2\n"),
            [1, 3, 5]
        );
        assert_eq!(faults("name = \"a\"\n\n[out]\nformats = [\"jsonl\", \"xml\"]\n"), [4]);
        assert_eq!(faults("name = \"a\"\n[caps]\nper = \"label\"\n"), [3]);
        assert_eq!(faults("name = \"a\"\n[capz]\n"), [2]);
    }
}
