//! `dataset.cut`: a training set, frozen. Which rows are in it is a payload.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetCut {
    /// What it is: the hash of its rows.
    pub cut: Hash,
    pub name: String,
    /// `1.2.0`: the last number goes up where only the recipe changed, the middle one where rows
    /// came, the first where a row changed, went or moved.
    pub version: String,
    /// The recipe's hash, and its text.
    pub recipe: Hash,
    pub text: String,
    /// The last entry of each chain that it rests on.
    pub frontier: BTreeMap<String, u64>,
    pub program: String,
    pub rows: u64,
    pub splits: BTreeMap<String, u64>,
    pub dropped: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Replayed>,
    /// Evaluation files that it was held against.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<CutFile>,
    pub conflicts: u64,
    pub files: Vec<CutFile>,
    /// The proposal that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<String>,
    /// Which rows, by their content.
    pub blob: Option<Hash>,
}

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutFile {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub md5: String,
}

/// Old rows that were mixed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    pub file: String,
    pub sha256: String,
    pub rows: u64,
}

impl Event for DatasetCut {
    const KIND: &'static str = "dataset.cut";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer]);

    fn payload(raw: &str) -> Option<Hash> {
        #[derive(Deserialize)]
        struct Named {
            blob: Option<Hash>,
        }
        serde_json::from_str::<Named>(raw).ok()?.blob
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        views.document("cut", &self.name.clone(), 1, &self, stamp)
    }
}
