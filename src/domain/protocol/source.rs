//! The shape of a protocol's TOML, before names are looked up.

use serde::Deserialize;
use toml::Spanned;

use super::Renames;
use crate::domain::hygiene::Defect;

/// Where a protocol's labels stand.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum LabelSource {
    /// A file beside the protocol, one label a line; after a tab, its title.
    File(String),
    List(Vec<SourceLabel>),
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum SourceLabel {
    Name(String),
    Titled { name: String, title: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub id: Spanned<String>,
    pub title: String,
    pub start: Spanned<String>,
    pub labels: Option<LabelSource>,
    #[serde(default)]
    pub streams: Vec<String>,
    #[serde(default)]
    pub require: Require,
    pub rename: Option<Spanned<Renames>>,
    #[serde(default)]
    pub question: Vec<Spanned<SourceQuestion>>,
    #[serde(default)]
    pub checklist: Vec<Spanned<SourceItem>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Require {
    #[serde(default)]
    pub fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceQuestion {
    pub id: Spanned<String>,
    pub ask: String,
    #[serde(default)]
    pub help: String,
    #[serde(default)]
    pub terms: Vec<String>,
    #[serde(default)]
    pub facts: Vec<Defect>,
    pub kind: Option<Spanned<String>>,
    pub sets: Option<String>,
    pub goto: Option<Spanned<String>>,
    #[serde(rename = "else")]
    pub otherwise: Option<Spanned<String>>,
    pub when: Option<Spanned<toml::Table>>,
    #[serde(default)]
    pub set: toml::Table,
    /// Of several answers or spans: how many; of a scale or number: between what; of a text: how
    /// many characters.
    pub min: Option<toml::Value>,
    pub max: Option<toml::Value>,
    /// Words for the ends of a scale.
    #[serde(default)]
    pub low: String,
    #[serde(default)]
    pub high: String,
    #[serde(default)]
    pub unit: String,
    #[serde(default)]
    pub answers: Vec<Spanned<SourceAnswer>>,
    #[serde(default)]
    pub example: Vec<SourceExample>,
    #[serde(default)]
    pub counter_example: Vec<SourceExample>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceAnswer {
    pub key: String,
    pub text: String,
    pub goto: Option<Spanned<String>>,
    /// The path ends here, whatever `goto` the question has.
    #[serde(default)]
    pub end: bool,
    #[serde(default)]
    pub set: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceExample {
    pub input: String,
    pub answer: String,
    pub not: Option<String>,
    #[serde(default)]
    pub why: String,
    #[serde(default)]
    pub path: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    pub outcome: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceItem {
    pub id: String,
    pub text: String,
    #[serde(default)]
    pub required: bool,
}
