//! How steady reviewers are, and when to suggest a break.

use super::{WorkError, Workspace};
use crate::db::{document, label, renames};
use crate::domain::estimate::class_of;
use crate::domain::fatigue::{BREAK_MS, Guard, Recent, Suggestion, suggestions};
use crate::domain::label::that_count;
use crate::journal::Append;
use crate::journal::kind::GuardRaised;
use crate::review::reliability::{Reliability, reliability};
use crate::review::share::{self, paces};
use crate::review::sla::Duty;

/// Labels that are looked at for a suggestion.
const RECENT: usize = 200;
/// The same is not suggested again so soon.
const AGAIN_MS: i64 = 30 * 60_000;

/// What somebody has to do, and has done.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareRow {
    pub reviewer: String,
    pub capacity: u32,
    /// Labels a week in the four whole weeks before, if any.
    pub pace: Option<f64>,
    /// Their part of all the work.
    pub part: f64,
    /// Open cases whose next label is theirs.
    pub open: usize,
    /// Labels given since Monday.
    pub this_week: usize,
    /// With whom they share open cases, and how many.
    pub with: std::collections::BTreeMap<String, usize>,
}

impl Workspace {
    /// How work is shared between those who review.
    pub fn shares(&self) -> Result<Vec<ShareRow>, WorkError> {
        let due_items = self.due_items()?;
        let since = self.now().monday();
        let mut given: std::collections::BTreeMap<String, usize> =
            std::collections::BTreeMap::new();
        label::for_each_case(&self.db.conn, |labels| {
            for one in that_count(&labels).into_iter().filter(|one| one.given_at() >= since) {
                *given.entry(one.label.reviewer.clone()).or_default() += 1;
            }
        })?;
        let (queue, _) = self.quick_queue()?;
        let mut with: std::collections::BTreeMap<(&str, &str), usize> =
            std::collections::BTreeMap::new();
        for one in due_items.iter().filter(|item| item.what == Duty::Label) {
            for (a, b) in one
                .who
                .iter()
                .flat_map(|a| one.who.iter().map(move |b| (a, b)))
                .filter(|(a, b)| a != b)
            {
                *with.entry((a, b)).or_default() += 1;
            }
        }
        let paces = paces(&self.db.conn, self.now())?;
        let weights =
            queue.share.candidates().iter().map(|candidate| u64::from(candidate.weight()));
        let all = weights.sum::<u64>().max(1) as f64;
        let row = |candidate: &crate::domain::assign::Candidate| ShareRow {
            reviewer: candidate.name.clone(),
            capacity: candidate.profile.capacity,
            pace: paces.get(&candidate.name).copied(),
            part: f64::from(candidate.weight()) / all,
            open: due_items
                .iter()
                .filter(|item| item.what == Duty::Label && item.who.contains(&candidate.name))
                .count(),
            with: with
                .iter()
                .filter(|((a, _), _)| *a == candidate.name)
                .map(|((_, b), n)| ((*b).to_owned(), *n))
                .collect(),
            this_week: given.get(&candidate.name).copied().unwrap_or(0),
        };
        Ok(queue.share.candidates().iter().map(row).collect())
    }

    /// Whoever founded the workspace, if they leave the reviewing to others.
    pub fn idle_founder(&self) -> Result<Option<String>, WorkError> {
        Ok(share::idle_founder(&self.db.conn, self.now())?)
    }

    /// Whoever is at work, up to now.
    pub fn own_reliability(&self) -> Result<Option<Reliability>, WorkError> {
        let all = reliability(
            &self.db.conn,
            &self.policy()?,
            crate::domain::time::Moment(self.now().0 + 1),
        )?;
        Ok(all.into_iter().find(|one| one.reviewer == self.me))
    }

    /// Everybody, up to the beginning of the week: the weeks since are their own. For leads.
    pub fn roster_steadiness(&self) -> Result<Vec<Reliability>, WorkError> {
        if !self.is_lead()? {
            return Err(WorkError::LeadsOnly);
        }
        Ok(reliability(&self.db.conn, &self.policy()?, self.now().monday())?)
    }

    /// What was suggested to whoever is at work, the latest first: when, and what.
    pub fn own_guards(&self) -> Result<Vec<(crate::domain::time::Moment, GuardRaised)>, WorkError> {
        let rows = document::of_kind(&self.db.conn, "guard")?
            .into_iter()
            .filter(|row| row.name == self.me);
        Ok(rows
            .filter_map(|row| Some((row.at.moment(), serde_json::from_str(&row.body).ok()?)))
            .collect())
    }

    /// What to suggest to whoever is at work after their latest label, if that was not said a while
    /// ago; it is recorded.
    pub fn raise_guard(&mut self) -> Result<Option<Suggestion>, WorkError> {
        let policy = self.policy()?;
        if !policy.guards {
            return Ok(None);
        }
        let renamed = renames::all(&self.db.conn)?;
        let recent: Vec<Recent> = label::latest_many_of(&self.db.conn, &self.me, RECENT)?
            .iter()
            .map(|given| Recent {
                at: given.given_at(),
                duration_ms: given.label.duration_ms,
                class: class_of(&renamed.outcome(&given.label), &policy.on).unwrap_or_default(),
            })
            .collect();
        // What was just given may be sealed, and is not among these: of long ago nothing is suggested.
        let now = self.now();
        if recent.first().is_none_or(|latest| now.0 - latest.at.0 >= BREAK_MS) {
            return Ok(None);
        }
        let found = suggestions(&recent, policy.break_minutes);
        if found.is_empty() {
            return Ok(None);
        }
        let said = self.own_guards()?;
        let lately = |guard: Guard| {
            said.iter()
                .any(|(at, raised)| raised.guard == guard.as_str() && now.0 - at.0 < AGAIN_MS)
        };
        let Some(suggestion) = found.into_iter().find(|suggestion| !lately(suggestion.guard))
        else {
            return Ok(None);
        };
        let (guard, words) = (suggestion.guard.as_str().to_owned(), suggestion.words.clone());
        self.append(vec![Append::new(&GuardRaised { reviewer: self.me.clone(), guard, words })])?;
        Ok(Some(suggestion))
    }
}
