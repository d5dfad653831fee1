//! Contradictions among settled cases, as whoever is at work may see them.

use super::{WorkError, Workspace};
use crate::db::case::{self, CaseRow};
use crate::domain::ids::CaseId;
use crate::domain::label::{Outcome, outcome_words};
use crate::journal::blob::Unpacker;
use crate::review::conflict::{self, Conflict};

impl Workspace {
    /// Settled cases with the same input, or nearly the same, that count as something else, in these
    /// fields or in those that the policy compares; and how many are kept from whoever is at work.
    ///
    /// # Errors
    /// A field that no protocol sets, and those of the database.
    pub fn conflicts(
        &mut self,
        near: f64,
        fields: &[String],
    ) -> Result<(Vec<Conflict>, usize), WorkError> {
        self.known_fields(fields)?;
        let on = if fields.is_empty() { self.policy()?.on } else { fields.to_vec() };
        let mut sight = self.sight()?;
        let (conn, unpacker) = (&self.db.conn, &mut self.unpacker);
        let (mut seen, mut kept) = (Vec::new(), 0);
        for conflict in conflict::conflicts(conn, unpacker, &on, near)? {
            let mut blind = false;
            for row in &conflict.cases {
                blind |= sight.is_blind_to(conn, row.id)?;
            }
            if blind {
                kept += 1;
            } else {
                seen.push(conflict);
            }
        }
        Ok((seen, kept))
    }

    /// Settled cases with the same input that whoever is at work may see.
    ///
    /// # Errors
    /// Those of the database.
    pub fn same_input(&self, id: CaseId) -> Result<Vec<CaseRow>, WorkError> {
        let mut sight = self.sight()?;
        let (conn, mut unpacker) = (&self.db.conn, Unpacker::default());
        let Some(row) = case::by_id(conn, id)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for other in conflict::same_input(conn, &mut unpacker, &row, &self.me)? {
            if !sight.is_blind_to(conn, other.id)? {
                found.push(other);
            }
        }
        Ok(found)
    }

    /// What is said to whoever gave a label, or ruled: that a case with the same input counts as
    /// something else; nothing if none does.
    ///
    /// # Errors
    /// Those of the database.
    pub fn settled_otherwise(
        &self,
        id: CaseId,
        outcome: &Outcome,
    ) -> Result<Option<String>, WorkError> {
        let on = self.policy()?.on;
        let mut others = self.same_input(id)?;
        others.retain(|other| conflict::contradicts(other, outcome, &on));
        let Some(first) = others.first() else { return Ok(None) };
        let words = first.outcome.as_ref().map(outcome_words).unwrap_or_default();
        let more = match others.len() {
            1 => String::new(),
            n => format!(", and {} more", n - 1),
        };
        Ok(Some(format!("{} has the same input and counts as {words}{more}", first.id.short())))
    }
}
