//! What calibration sessions came to on a case, to be taken as a ruling.

use rusqlite::Connection;

use super::{Protocols, calibration};
use crate::db::renames;
use crate::domain::calibration::Calibration;
use crate::domain::estimate::class_of;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, Outcome, outcome_in_short};
use crate::domain::protocol::RenamedLabels;

/// What the sessions that a case is in came to on it, once they are revealed; the latest first.
pub fn sessions_on(
    conn: &Connection,
    protocols: &Protocols,
    id: CaseId,
) -> rusqlite::Result<Vec<SessionSaid>> {
    let (mut found, renamed) = (Vec::new(), renames::all(conn)?);
    for session in calibration::sessions(conn)? {
        found.extend(SessionSaid::of(conn, (protocols, &renamed), &session, id)?);
    }
    Ok(found)
}

/// What a calibration session came to on a case.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionSaid {
    pub session: String,
    /// The labels of its second round, the earliest first.
    pub labels: Vec<GivenLabel>,
    /// By the names of today, where all of two or more say the same in what the policy compares.
    pub agreed: Option<Outcome>,
}

impl SessionSaid {
    fn of(
        conn: &Connection,
        (protocols, renamed): (&Protocols, &RenamedLabels),
        session: &Calibration,
        id: CaseId,
    ) -> rusqlite::Result<Option<Self>> {
        if !session.stage().is_revealed() || !session.opened.what.cases.contains(&id) {
            return Ok(None);
        }
        let mut labels = calibration::labels_of_case(conn, session, 1, id)?;
        labels.sort_by_key(|given| (given.at, given.event));
        let class =
            |given: &GivenLabel| class_of(&renamed.outcome(&given.label), &protocols.policy.on);
        let same = labels.windows(2).all(|pair| class(&pair[0]) == class(&pair[1]));
        let agreed = labels
            .first()
            .filter(|first| same && labels.len() > 1 && class(first).is_some())
            .map(|first| renamed.outcome(&first.label));
        Ok(Some(Self { session: session.name().to_owned(), labels, agreed }))
    }

    pub fn words(&self) -> String {
        let (name, n) = (&self.session, self.labels.len());
        match &self.agreed {
            Some(outcome) => format!(
                "calibration {name}: all {n} agreed in the second round on {}",
                outcome_in_short(outcome)
            ),
            None => format!("calibration {name}: {n} labeled it again, and did not agree"),
        }
    }

    /// Why a ruling takes its outcome, in words.
    pub fn reason(&self) -> String {
        let why = self.labels.iter().map(|given| given.label.rationale.trim());
        let why = why.filter(|why| !why.is_empty()).map(|why| format!(": {why}")).next();
        let who: Vec<&str> =
            self.labels.iter().map(|given| given.label.reviewer.as_str()).collect();
        format!(
            "agreed in the calibration session {} by {}{}",
            self.session,
            who.join(", "),
            why.unwrap_or_default()
        )
    }
}
