//! `label.sealed`: a label of a round that is blind. What it says can be read when the round is
//! revealed.

use serde::{Deserialize, Serialize};

use super::{Event, LabelGiven};
use crate::db::sealed::{self, SealedRow};
use crate::domain::ids::CaseId;
use crate::domain::label::{GOLD_ROUND, MAIN_ROUND, REPEAT_ROUND};
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::agekey::Secret;
use crate::journal::entry::EventContext;
use crate::journal::sealed::{SEALED_MAX, opened};
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelSealed {
    pub case: CaseId,
    pub round: String,
    /// The key of the session, an age recipient.
    pub to: String,
    /// The label, encrypted: an age file, base64.
    pub sealed: String,
    /// When it was given, where that is not when it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_at: Option<Moment>,
}

impl Event for LabelSealed {
    const KIND: &'static str = "label.sealed";
    const ROLES: Option<&'static [Role]> = LabelGiven::ROLES;

    fn objection(&self, _: &EventContext, _: &[Role]) -> Option<String> {
        if [MAIN_ROUND, GOLD_ROUND, REPEAT_ROUND].contains(&self.round.as_str()) {
            return Some(format!("labels of the round {} are not sealed", self.round));
        }
        let long = self.sealed.len() > SEALED_MAX;
        long.then(|| "it is longer than any label".to_owned())
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let row = SealedRow {
            event: stamp.event,
            at: stamp.at,
            // As of any label: a logical clock that was ahead says when it counts, not when it was
            // given.
            given_at: self.given_at.or(stamp.wall),
            author: stamp.author.clone(),
            case: self.case,
            round: self.round,
            to: self.to,
            sealed: self.sealed,
        };
        let secret = sealed::key(views.tx, &row.to)?.and_then(|text| Secret::parse(&text));
        match secret.and_then(|secret| opened(&row, &secret)) {
            Some(given) => views.label_given(&given),
            None => sealed::insert(views.tx, &row),
        }
    }
}
