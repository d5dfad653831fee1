//! The roster: who may do what at an entry, and settling it anew when more is said about it.

use std::collections::BTreeSet;

use super::{EventContext, Views};
use crate::db::{self, roster};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::roster::{
    Role, RosterChange, RosterEvent, Settled, refused_unless_let_in, settle,
};
use crate::domain::time::Hlc;

/// A role, from when on, and up to which entry if it was taken.
pub(super) type RoleHeld = (Role, Hlc, Option<u64>);

impl Views<'_, '_> {
    /// The roles in which an event's author may act on its device at that entry.
    pub fn roles(&mut self, stamp: &EventContext) -> rusqlite::Result<Vec<Role>> {
        self.settle_roster_if_changed()?;
        if self.cut(stamp).is_some() {
            return Ok(Vec::new());
        }
        let key = (stamp.author.clone(), stamp.event.replica);
        if !self.roles.contains_key(&key) {
            let grants = roster::grants_of(self.tx, &key.0, key.1)?;
            self.roles.insert(
                key.clone(),
                grants.into_iter().map(|grant| (grant.role, grant.since, grant.until)).collect(),
            );
        }
        let seq = stamp.event.seq;
        let counts = |(role, since, until): &RoleHeld| {
            (*since <= stamp.at && until.is_none_or(|until| seq <= until)).then_some(*role)
        };
        Ok(self
            .roles
            .get(&key)
            .map(|roles| roles.iter().filter_map(counts).collect())
            .unwrap_or_default())
    }

    /// The entry after which the author of `stamp` was retired, if `stamp` stands after it.
    pub fn cut(&self, stamp: &EventContext) -> Option<u64> {
        if self.cuts.is_empty() {
            return None;
        }
        let cut = self.cuts.get(&(stamp.author.clone(), stamp.event.replica))?;
        (stamp.event.seq > cut.after).then_some(cut.after)
    }

    /// Entries up to which chains were said to count, by number and hash.
    pub fn pins(&self) -> impl Iterator<Item = (ReplicaId, u64, Hash)> + '_ {
        self.cuts.iter().filter_map(|((_, replica), cut)| Some((*replica, cut.after, cut.last?)))
    }

    /// Takes note of what an event says about the roster, and settles the roster anew.
    pub fn roster_changed(
        &mut self,
        stamp: &EventContext,
        change: RosterChange,
    ) -> rusqlite::Result<()> {
        let event =
            RosterEvent { event: stamp.event, at: stamp.at, author: stamp.author.clone(), change };
        if self.settled || !roster::insert_event(self.tx, &event)? {
            return Ok(());
        }
        match self.refused_at_once(&event)? {
            Some(reason) => {
                self.unsettled_at_end = true;
                roster::hold(self.tx, event.event, &reason)?;
                self.refused.insert(event.event, reason);
            }
            None => self.unsettled = true,
        }
        Ok(())
    }

    /// Why something that is said about the roster does not count as far as is known: whoever says it
    /// was not let in. It is weighed with the rest when the fold ends, once for a flood of it.
    fn refused_at_once(&mut self, event: &RosterEvent) -> rusqlite::Result<Option<String>> {
        let Some(reason) = refused_unless_let_in(event) else { return Ok(None) };
        let holder = (event.author.clone(), event.event.replica);
        // What came before it in the same entry may let its author in.
        let known = self.unsettled
            || self.cuts.contains_key(&holder)
            || !roster::grants_of(self.tx, &holder.0, holder.1)?.is_empty()
            || roster::takes_over(self.tx, holder.1)?;
        Ok((!known).then_some(reason))
    }

    pub(in crate::journal) fn settle_roster_if_changed(&mut self) -> rusqlite::Result<()> {
        if std::mem::take(&mut self.unsettled) { self.settle_roster() } else { Ok(()) }
    }

    pub(in crate::journal) fn settle_roster_at_end(&mut self) -> rusqlite::Result<()> {
        self.unsettled |= std::mem::take(&mut self.unsettled_at_end);
        self.settle_roster_if_changed()
    }

    pub(in crate::journal) fn settle_roster(&mut self) -> rusqlite::Result<()> {
        let events = roster::events(self.tx)?;
        let settled = settle(&events);
        let before: BTreeSet<_> = roster::all(self.tx)?
            .into_iter()
            .map(|grant| ((grant.name, grant.replica, grant.role), grant.since, grant.until))
            .collect();
        let Settled { grants, until, cuts, refused, profiles } = &settled;
        let held = |(key, since): (&(String, ReplicaId, Role), &Hlc)| {
            (key.clone(), *since, until.get(key).copied())
        };
        let grants: &BTreeSet<_> = &grants.iter().map(held).collect();
        let more = grants.difference(&before).next().is_some();
        let mut less = before.difference(grants).next().is_some();
        for ((name, replica), cut) in cuts {
            let known = self.cuts.get(&(name.clone(), *replica));
            if known != Some(cut) {
                let head = db::journal::replica(self.tx, *replica)?.map_or(0, |head| head.head_seq);
                less |= head > cut.after;
            }
        }
        less |= self.cuts.keys().any(|holder| !cuts.contains_key(holder));
        // What is said about the roster and is not refused counts, whatever it was before.
        let said: BTreeSet<EventId> = events.iter().map(|event| event.event).collect();
        for (event, _) in roster::held(self.tx)? {
            if said.contains(&event) && !refused.contains_key(&event) {
                roster::release(self.tx, event)?;
            }
        }
        for (event, reason) in refused {
            roster::hold(self.tx, *event, reason)?;
        }
        if more || less || *cuts != self.cuts || *profiles != roster::profiles(self.tx)? {
            roster::replace(self.tx, &settled)?;
        }
        self.roles.clear();
        self.admitted |= more;
        self.again |= less;
        self.refused = settled.refused;
        self.cuts = settled.cuts;
        Ok(())
    }
}
