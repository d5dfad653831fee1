//! Who may do what: roles, and how the roster comes out of what leads and devices said.
//!
//! [`settle`] is a pure function of the *set* of roster events. Admissions add; a *removal* ends
//! something on a device after one entry of its chain: a retirement everything that a person may do
//! there, the taking of the lead's role what they may do as a lead. What the key writes later,
//! however it dates it, is cut off too. No clock decides anything, for clocks can be set:
//!
//! ```text
//!  cuts ─▶ who holds which roles ─▶ the most senior lead's next removal ─────▶ one more cut ─┐
//!    ▲                                        └─ none left: done                              │
//!    └────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! *Senior* is whoever stands nearer to the founder in the tree of admissions, and of two at the same distance the one
//! whose admission stands earlier in the chain of who admitted them: neither can be made up by the
//! junior. So if two leads retire each other, the senior's word holds. A key that was cut off
//! cannot retire anybody, unless it is the senior's: a lead who leaves therefore retires
//! themselves, which their own chain puts before anything that comes later.
//!
//! Other roles carry no rights of others: which of them were taken follows from who leads, at the
//! end, and a later admission gives them again. The lead's role is not given again on the device
//! where it was taken, for that would need a clock; it is on another, or under a new key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ids::{EventId, Hash, ReplicaId};
use super::time::Hlc;

/// What a person was admitted to do. A person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Reviewer,
    Lead,
    Engineer,
    Auditor,
    /// A program that labels or ingests.
    Agent,
}

impl Role {
    pub const ALL: [Self; 5] =
        [Self::Reviewer, Self::Lead, Self::Engineer, Self::Auditor, Self::Agent];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Lead => "lead",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
            Self::Agent => "agent",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A name can be written in a command line, a file name and a column: 1 to 40 letters, digits, `.`,
/// `_`, `-`.
pub fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && !name.starts_with('-')
}

/// Somebody on a device: roles are given to this pair.
pub type Holder = (String, ReplicaId);

/// How much of the work somebody takes, and which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Share of the work beside others': twice the number gets twice the cases. 0: none.
    pub capacity: u32,
    /// Languages they read, as `en` or `pt`; empty: whatever comes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// What cases may need somebody to know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<String>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { capacity: 100, languages: Vec::new(), skills: Vec::new() }
    }
}

/// What one event says about the roster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RosterChange {
    Founded,
    Admitted {
        name: String,
        roles: Vec<Role>,
        replica: ReplicaId,
        profile: Option<Profile>,
    },
    /// What the person writes on that device after this entry does not count.
    Retired {
        name: String,
        replica: ReplicaId,
        after: u64,
        /// The hash of that entry.
        last: Option<Hash>,
        /// Devices that took over from it rightfully.
        heirs: Vec<ReplicaId>,
    },
    /// The person has these roles on that device no more, after this entry.
    Relieved {
        name: String,
        roles: Vec<Role>,
        replica: ReplicaId,
        after: u64,
    },
    /// A device of the same person takes over from another, whose key vouches for it.
    Replaced {
        name: String,
        old: ReplicaId,
    },
}

impl RosterChange {
    /// Whose rights it changes, where it names them.
    fn about(&self) -> Option<&String> {
        match self {
            Self::Founded => None,
            Self::Admitted { name, .. }
            | Self::Retired { name, .. }
            | Self::Relieved { name, .. }
            | Self::Replaced { name, .. } => Some(name),
        }
    }
}

/// A roster event where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RosterEvent {
    pub event: EventId,
    pub at: Hlc,
    pub author: String,
    pub change: RosterChange,
}

/// Where a holder's chain was cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cut {
    /// The last entry that counts; 0: none.
    pub after: u64,
    /// Its hash, by which the chain that is meant is told from another that the same key wrote.
    pub last: Option<Hash>,
    /// Devices that may have taken over from it.
    pub heirs: BTreeSet<ReplicaId>,
}

/// The roster that a set of events comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settled {
    /// Who has which role, and from when on: what is dated before that does not count, whoever
    /// wrote it when.
    pub grants: BTreeMap<(String, ReplicaId, Role), Hlc>,
    /// The last entry in which somebody has a role that was taken from them.
    pub until: BTreeMap<(String, ReplicaId, Role), u64>,
    pub cuts: BTreeMap<Holder, Cut>,
    pub profiles: BTreeMap<String, Profile>,
    /// Events that do not count, with the reason.
    pub refused: BTreeMap<EventId, String>,
}

/// Where somebody stands below the founder: the places of the admissions on the way, the founder's
/// own being empty.
type Rank = Vec<(u64, u32)>;

/// Roles of a holder, and their rank.
#[derive(Debug, Clone, Default)]
struct Held {
    /// Each from when on.
    roles: BTreeMap<Role, Hlc>,
    rank: Rank,
}

impl Held {
    fn is_lead(&self, at: Hlc) -> bool {
        self.roles.get(&Role::Lead).is_some_and(|since| *since <= at)
    }
}

/// The more senior first.
fn seniority(rank: &Rank) -> (usize, &Rank) {
    (rank.len(), rank)
}

/// Settles the roster. The order of `events` does not matter.
pub fn settle(events: &[RosterEvent]) -> Settled {
    let mut ordered: Vec<&RosterEvent> = events.iter().collect();
    ordered.sort_by_key(|event| (event.at, event.event));
    let mut roster = Roster { ordered, cuts: BTreeMap::new(), led: BTreeMap::new() };
    let (mut applied, mut void) = (BTreeSet::new(), BTreeSet::new());
    loop {
        let (held, refused) = roster.hold();
        let next = roster.removals(&held).filter(|(event, _)| !applied.contains(&event.event));
        let next = next.min_by_key(|(event, rank)| {
            (rank.len(), (*rank).clone(), event.event.replica, event.event.seq, event.event.n)
        });
        let Some((event, _)) = next else { return roster.settled(held, refused, &applied, &void) };
        applied.insert(event.event);
        let before = (roster.cuts.clone(), roster.led.clone());
        roster.remove(event);
        // Nobody takes away the right by which they speak: whoever did would undo what let them in,
        // and much else.
        if event.change.about() != Some(&event.author) && !roster.leads(&roster.hold().0, event) {
            (roster.cuts, roster.led) = before;
            void.insert(event.event);
        }
    }
}

struct Roster<'r> {
    /// By time, for what the latest decides; nothing about rights does.
    ordered: Vec<&'r RosterEvent>,
    cuts: BTreeMap<Holder, Cut>,
    /// The last entry in which somebody led who leads no more.
    led: BTreeMap<Holder, u64>,
}

impl<'r> Roster<'r> {
    /// Who holds which roles, given the cuts: admissions and take-overs, until no more of them
    /// count.
    fn hold(&self) -> (BTreeMap<Holder, Held>, BTreeMap<EventId, String>) {
        let mut held = BTreeMap::new();
        loop {
            let mut refused = BTreeMap::new();
            let mut changed = false;
            for event in &self.ordered {
                match self.admit(event, &mut held) {
                    Ok(more) => changed |= more,
                    Err(reason) => drop(refused.insert(event.event, reason)),
                }
            }
            if !changed {
                return (held, refused);
            }
        }
    }

    fn is_cut(&self, event: &RosterEvent) -> bool {
        let holder = (event.author.clone(), event.event.replica);
        self.cuts.get(&holder).is_some_and(|cut| event.event.seq > cut.after)
    }

    /// Whether the author of an event led at it.
    fn leads(&self, held: &BTreeMap<Holder, Held>, event: &RosterEvent) -> bool {
        let author = (event.author.clone(), event.event.replica);
        held.get(&author).is_some_and(|held| held.is_lead(event.at))
            && self.led.get(&author).is_none_or(|after| event.event.seq <= *after)
    }

    /// Ends what a removal ends; of two about the same the one that leaves less holds.
    fn remove(&mut self, event: &RosterEvent) {
        match &event.change {
            RosterChange::Retired { name, replica, after, last, heirs } => {
                let by = event.event.replica;
                let new = || Cut { after: *after, last: *last, heirs: BTreeSet::new() };
                let cut = self.cuts.entry((name.clone(), *replica)).or_insert_with(new);
                if *after < cut.after
                    || (*after == cut.after
                        && cut.last.is_none_or(|known| last.is_some_and(|last| last < known)))
                {
                    (cut.after, cut.last) =
                        (*after, last.or(cut.last.filter(|_| *after == cut.after)));
                }
                cut.heirs.extend(
                    heirs
                        .iter()
                        .copied()
                        .chain((by != *replica).then_some(by).filter(|_| event.author == *name)),
                );
            }
            RosterChange::Relieved { name, replica, after, .. } => {
                let led = self.led.entry((name.clone(), *replica)).or_insert(*after);
                *led = (*led).min(*after);
            }
            _ => {}
        }
    }

    /// Applies an admission or a take-over; tells whether it changed anything, or why it does not
    /// count.
    fn admit(
        &self,
        event: &RosterEvent,
        held: &mut BTreeMap<Holder, Held>,
    ) -> Result<bool, String> {
        if self.is_cut(event) {
            return Err(format!("{} was retired on this device before it", event.author));
        }
        let author = (event.author.clone(), event.event.replica);
        let (holder, roles, rank) = match &event.change {
            RosterChange::Founded => {
                let roles =
                    [Role::Lead, Role::Reviewer, Role::Engineer].map(|role| (role, event.at));
                (author, BTreeMap::from(roles), Rank::new())
            }
            RosterChange::Admitted { name, roles, replica, .. } => {
                let lead = held.get(&author).filter(|_| self.leads(held, event));
                let lead = lead.ok_or_else(|| needs_lead("reviewer.admitted", &event.author))?;
                let mut rank = lead.rank.clone();
                rank.push((event.event.seq, event.event.n));
                (
                    (name.clone(), *replica),
                    roles.iter().map(|role| (*role, event.at)).collect(),
                    rank,
                )
            }
            RosterChange::Replaced { name, old } => {
                if *name != event.author {
                    return Err("it vouches for another name than its own".to_owned());
                }
                let before = (name.clone(), *old);
                if self.cuts.get(&before).is_some_and(|cut| !cut.heirs.contains(&author.1)) {
                    return Err("the key that vouches for it was retired".to_owned());
                }
                // Nobody was let in there yet: whoever is will be let in here.
                let Some(Held { mut roles, rank }) = held.get(&before).cloned() else {
                    return Ok(false);
                };
                if self.led.contains_key(&before) {
                    roles.remove(&Role::Lead);
                }
                let since =
                    |(role, since): (Role, Hlc)| (since <= event.at).then_some((role, event.at));
                (author, roles.into_iter().filter_map(since).collect(), rank)
            }
            RosterChange::Retired { .. } | RosterChange::Relieved { .. } => return Ok(false),
        };
        let known = held.contains_key(&holder);
        let entry = held
            .entry(holder)
            .or_insert_with(|| Held { roles: BTreeMap::new(), rank: rank.clone() });
        let mut earlier = false;
        for (role, at) in roles {
            earlier |= entry.roles.get(&role).is_none_or(|since| at < *since);
            let since = entry.roles.entry(role).or_insert(at);
            *since = at.min(*since);
        }
        let rises = seniority(&rank) < seniority(&entry.rank);
        if rises {
            entry.rank = rank;
        }
        Ok(!known || rises || earlier)
    }

    /// Retirements and takings of the lead's role that their authors may speak, each with its
    /// author's rank.
    fn removals<'h>(
        &'h self,
        held: &'h BTreeMap<Holder, Held>,
    ) -> impl Iterator<Item = (&'r RosterEvent, &'h Rank)> {
        self.ordered.iter().copied().filter_map(|event| {
            let (name, replica) = match &event.change {
                RosterChange::Retired { name, replica, .. } => (name, replica),
                RosterChange::Relieved { name, replica, roles, .. }
                    if roles.contains(&Role::Lead) =>
                {
                    (name, replica)
                }
                _ => return None,
            };
            let author = (event.author.clone(), event.event.replica);
            let speaker = held.get(&author).filter(|_| !self.is_cut(event))?;
            let own = event.author == *name
                && (*replica == author.1 || self.took_over(&author, *replica));
            (own || self.leads(held, event)).then_some((event, &speaker.rank))
        })
    }

    /// Whether a holder's device took over from `old`.
    fn took_over(&self, holder: &Holder, old: ReplicaId) -> bool {
        self.ordered.iter().any(|event| {
            (event.event.replica, &event.author) == (holder.1, &holder.0)
                && matches!(&event.change, RosterChange::Replaced { name, old: from } if *name == holder.0 && *from == old)
        })
    }

    /// Which roles were taken from whom, and up to which entry they have them. A role that was given
    /// again since is not taken any more, but for the lead's; a device that takes over gets none that
    /// was taken before.
    fn until(
        &self,
        held: &BTreeMap<Holder, Held>,
        refused: &mut BTreeMap<EventId, String>,
        applied: &BTreeSet<EventId>,
        void: &BTreeSet<EventId>,
    ) -> BTreeMap<(String, ReplicaId, Role), u64> {
        let mut given: BTreeMap<(String, ReplicaId, Role), Hlc> = BTreeMap::new();
        let mut until: BTreeMap<(String, ReplicaId, Role), (u64, Hlc)> = BTreeMap::new();
        for event in self.ordered.iter().filter(|event| !refused.contains_key(&event.event)) {
            if let RosterChange::Admitted { name, roles, replica, .. } = &event.change {
                let key = |role: &Role| (name.clone(), *replica, *role);
                given.extend(roles.iter().map(|role| (key(role), event.at)));
            }
        }
        for event in &self.ordered {
            let RosterChange::Relieved { name, roles, replica, after } = &event.change else {
                continue;
            };
            let author = (event.author.clone(), event.event.replica);
            let own = event.author == *name && held.contains_key(&author);
            let counts = if roles.contains(&Role::Lead) {
                applied.contains(&event.event)
            } else {
                !self.is_cut(event) && (self.leads(held, event) || own)
            };
            if void.contains(&event.event) {
                refused.insert(event.event, OWN_RIGHT.to_owned());
                continue;
            }
            if !counts {
                refused.insert(event.event, needs_lead("reviewer.relieved", &event.author));
                continue;
            }
            for role in roles.iter().filter(|role| **role != Role::Lead) {
                let key = (name.clone(), *replica, *role);
                if given.get(&key).is_none_or(|at| *at <= event.at) {
                    let known = until.entry(key).or_insert((*after, event.at));
                    *known = (*after, event.at).min(*known);
                }
            }
        }
        // In the order of time, so that a device that took over from one that took over follows.
        for event in self.ordered.iter().filter(|event| !refused.contains_key(&event.event)) {
            let RosterChange::Replaced { name, old } = &event.change else { continue };
            for role in Role::ALL.into_iter().filter(|role| *role != Role::Lead) {
                let new = (name.clone(), event.event.replica, role);
                let before = until.get(&(name.clone(), *old, role)).copied();
                if let Some((_, at)) = before.filter(|(_, at)| *at <= event.at)
                    && !given.contains_key(&new)
                {
                    until.insert(new, (0, at));
                }
            }
        }
        let led = self
            .led
            .iter()
            .map(|((name, replica), after)| ((name.clone(), *replica, Role::Lead), *after));
        until.into_iter().map(|(key, (after, _))| (key, after)).chain(led).collect()
    }

    fn settled(
        self,
        held: BTreeMap<Holder, Held>,
        mut refused: BTreeMap<EventId, String>,
        applied: &BTreeSet<EventId>,
        void: &BTreeSet<EventId>,
    ) -> Settled {
        let mut profiles = BTreeMap::new();
        let until = self.until(&held, &mut refused, applied, void);
        for event in &self.ordered {
            match &event.change {
                RosterChange::Admitted { name, profile: Some(profile), .. }
                    if !refused.contains_key(&event.event) =>
                {
                    profiles.insert(name.clone(), profile.clone());
                }
                RosterChange::Retired { .. } if void.contains(&event.event) => {
                    refused.insert(event.event, OWN_RIGHT.to_owned());
                }
                RosterChange::Retired { .. }
                    if self.is_cut(event) && !applied.contains(&event.event) =>
                {
                    refused.insert(
                        event.event,
                        format!("{} was retired on this device before it", event.author),
                    );
                }
                RosterChange::Retired { .. } if !applied.contains(&event.event) => {
                    refused.insert(event.event, needs_lead("reviewer.retired", &event.author));
                }
                // The cut that voids it came from somebody junior to its author, or from its
                // author.
                RosterChange::Retired { .. } => drop(refused.remove(&event.event)),
                _ => {}
            }
        }
        let roles = |((name, replica), Held { roles, .. }): (Holder, Held)| {
            roles.into_iter().map(move |(role, since)| ((name.clone(), replica, role), since))
        };
        Settled {
            grants: held.into_iter().flat_map(roles).collect(),
            until,
            cuts: self.cuts,
            profiles,
            refused,
        }
    }
}

const OWN_RIGHT: &str = "it would take away the right by which it is said";

/// Why an event does not count whose author was never let in on its device; nothing if it may count
/// all the same.
pub fn refused_unless_let_in(event: &RosterEvent) -> Option<String> {
    let kind = match event.change {
        RosterChange::Founded | RosterChange::Replaced { .. } => return None,
        RosterChange::Admitted { .. } => "reviewer.admitted",
        RosterChange::Retired { .. } => "reviewer.retired",
        RosterChange::Relieved { .. } => "reviewer.relieved",
    };
    Some(needs_lead(kind, &event.author))
}

fn needs_lead(kind: &str, author: &str) -> String {
    format!("{kind} needs the role lead, which {author} does not have on this device")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        assert!(["ana", "rev-dee", "王"].into_iter().all(is_name));
        assert!(!["", "a b", "-x", "a\u{1b}"].into_iter().any(is_name));
        assert_eq!(Role::parse("lead"), Some(Role::Lead));
    }

    const ANA: ReplicaId = ReplicaId([1; 16]);
    const BO: ReplicaId = ReplicaId([2; 16]);
    const DEE: ReplicaId = ReplicaId([3; 16]);

    fn event(
        author: &str,
        replica: ReplicaId,
        seq: u64,
        ms: i64,
        change: RosterChange,
    ) -> RosterEvent {
        RosterEvent {
            event: EventId { replica, seq, n: 0 },
            at: Hlc { ms, n: 0 },
            author: author.into(),
            change,
        }
    }

    fn admitted(name: &str, role: Role, replica: ReplicaId) -> RosterChange {
        RosterChange::Admitted { name: name.into(), roles: vec![role], replica, profile: None }
    }

    fn retired(name: &str, replica: ReplicaId, after: u64) -> RosterChange {
        RosterChange::Retired { name: name.into(), replica, after, last: None, heirs: Vec::new() }
    }

    /// Ana founds, admits bo as lead; bo admits dee as reviewer.
    fn team() -> Vec<RosterEvent> {
        vec![
            event("ana", ANA, 1, 1, RosterChange::Founded),
            event("ana", ANA, 2, 10, admitted("bo", Role::Lead, BO)),
            event("bo", BO, 2, 20, admitted("dee", Role::Reviewer, DEE)),
        ]
    }

    fn has(settled: &Settled, name: &str, replica: ReplicaId, role: Role) -> bool {
        settled.grants.contains_key(&(name.to_owned(), replica, role))
    }

    #[test]
    fn a_lead_admits_and_nobody_else_does() {
        let mut events = team();
        events.push(event("dee", DEE, 2, 30, admitted("eve", Role::Lead, DEE)));
        let settled = settle(&events);
        assert!(
            has(&settled, "dee", DEE, Role::Reviewer) && !has(&settled, "eve", DEE, Role::Lead)
        );
        assert_eq!(settled.refused.len(), 1);
    }

    fn relieved(name: &str, role: Role, replica: ReplicaId, after: u64) -> RosterChange {
        RosterChange::Relieved { name: name.into(), roles: vec![role], replica, after }
    }

    #[test]
    fn a_role_is_taken_by_a_lead_or_by_oneself_and_can_be_given_again() {
        let until = |events: &[RosterEvent], name: &str, replica| {
            let mut events = events.to_vec();
            let first = settle(&events);
            for _ in 0..events.len() {
                events.rotate_left(1);
                assert_eq!(settle(&events), first, "in whatever order they come");
            }
            first.until.get(&(name.to_owned(), replica, Role::Reviewer)).copied()
        };
        let mut events = team();
        assert_eq!(until(&events, "dee", DEE), None);
        // Somebody who may not.
        events.push(event("eve", DEE, 3, 25, relieved("ana", Role::Reviewer, ANA, 1)));
        assert_eq!(until(&events, "ana", ANA), None);
        events.push(event("ana", ANA, 4, 40, relieved("dee", Role::Reviewer, DEE, 7)));
        assert_eq!(until(&events, "dee", DEE), Some(7));
        // The founder's own.
        events.push(event("ana", ANA, 5, 41, relieved("ana", Role::Reviewer, ANA, 5)));
        assert_eq!(until(&events, "ana", ANA), Some(5));
        // A new device of dee's gets nothing that was taken before.
        let new = ReplicaId([9; 16]);
        let replaced = RosterChange::Replaced { name: "dee".into(), old: DEE };
        events.push(event("dee", new, 1, 50, replaced));
        assert_eq!(until(&events, "dee", new), Some(0));
        events.push(event("ana", ANA, 7, 60, admitted("dee", Role::Reviewer, new)));
        assert_eq!((until(&events, "dee", new), until(&events, "dee", DEE)), (None, Some(7)));
        events.push(event("ana", ANA, 8, 61, admitted("dee", Role::Reviewer, DEE)));
        assert_eq!(until(&events, "dee", DEE), None);
    }

    /// Settles in every rotation, and returns what all come to.
    fn in_any_order(events: &[RosterEvent]) -> Settled {
        let mut events = events.to_vec();
        let first = settle(&events);
        for _ in 0..events.len() {
            events.rotate_left(1);
            assert_eq!(settle(&events), first, "in whatever order they come");
        }
        first
    }

    fn led_until(settled: &Settled, name: &str, replica: ReplicaId) -> Option<u64> {
        settled.until.get(&(name.to_owned(), replica, Role::Lead)).copied()
    }

    #[test]
    fn whoever_leads_no_more_keeps_what_they_did_and_cannot_act_by_dating_back() {
        let both = vec![Role::Lead, Role::Reviewer];
        let mut events = team();
        events[1].change =
            RosterChange::Admitted { name: "bo".into(), roles: both, replica: BO, profile: None };
        events.push(event("ana", ANA, 3, 50, relieved("bo", Role::Lead, BO, 2)));
        // Bo, dated before it: admits a friend, retires ana, takes her role.
        events.push(event("bo", BO, 3, 30, admitted("eve", Role::Lead, DEE)));
        events.push(event("bo", BO, 4, 31, retired("ana", ANA, 2)));
        events.push(event("bo", BO, 5, 31, relieved("ana", Role::Lead, ANA, 2)));
        let settled = in_any_order(&events);
        assert_eq!(led_until(&settled, "bo", BO), Some(2));
        assert!(!settled.until.contains_key(&("bo".into(), BO, Role::Reviewer)));
        assert!(has(&settled, "dee", DEE, Role::Reviewer), "what bo did as a lead stays");
        assert!(!has(&settled, "eve", DEE, Role::Lead));
        assert_eq!((settled.cuts.len(), settled.refused.len()), (0, 3), "{settled:?}");
        // What bo says of himself he may still say.
        events.push(event("bo", BO, 6, 60, relieved("bo", Role::Reviewer, BO, 6)));
        let settled = in_any_order(&events);
        assert_eq!(settled.until[&("bo".into(), BO, Role::Reviewer)], 6);
        // A new key of his leads no more, and an admission there lets him.
        let new = ReplicaId([9; 16]);
        events.push(event("bo", new, 1, 70, RosterChange::Replaced { name: "bo".into(), old: BO }));
        assert!(!has(&in_any_order(&events), "bo", new, Role::Lead));
        events.push(event("ana", ANA, 4, 80, admitted("bo", Role::Lead, new)));
        let settled = in_any_order(&events);
        assert!(has(&settled, "bo", new, Role::Lead) && led_until(&settled, "bo", new).is_none());
        // Nor does the role come back where it was taken.
        events.push(event("ana", ANA, 5, 81, admitted("bo", Role::Lead, BO)));
        assert_eq!(led_until(&in_any_order(&events), "bo", BO), Some(2));
    }

    #[test]
    fn of_two_who_take_each_others_lead_the_senior_is_believed() {
        let carl = ReplicaId([4; 16]);
        for (bo_at, carl_at) in [(50, 40), (40, 50)] {
            let mut events = team();
            events.push(event("ana", ANA, 3, 11, admitted("carl", Role::Lead, carl)));
            events.push(event("bo", BO, 5, bo_at, relieved("carl", Role::Lead, carl, 1)));
            events.push(event("carl", carl, 5, carl_at, relieved("bo", Role::Lead, BO, 0)));
            let settled = in_any_order(&events);
            assert_eq!(led_until(&settled, "carl", carl), Some(1), "bo was admitted before carl");
            assert_eq!((led_until(&settled, "bo", BO), settled.refused.len()), (None, 1));
        }
    }

    #[test]
    fn a_founder_may_step_down_and_a_junior_cannot_pull_the_floor_away() {
        let mut events = team();
        events.push(event("ana", ANA, 3, 50, relieved("ana", Role::Lead, ANA, 3)));
        events.push(event("ana", ANA, 4, 20, relieved("bo", Role::Lead, BO, 0)));
        events.push(event("ana", ANA, 5, 21, admitted("eve", Role::Lead, DEE)));
        let settled = in_any_order(&events);
        assert!(has(&settled, "bo", BO, Role::Lead) && !has(&settled, "eve", DEE, Role::Lead));
        assert_eq!((led_until(&settled, "ana", ANA), settled.refused.len()), (Some(3), 2));
        let mut events = team();
        events.push(event("bo", BO, 3, 60, relieved("ana", Role::Lead, ANA, 1)));
        let settled = in_any_order(&events);
        assert_eq!((led_until(&settled, "ana", ANA), settled.refused.len()), (None, 1));
        events[3] = event("bo", BO, 3, 60, relieved("ana", Role::Lead, ANA, 2));
        assert_eq!(led_until(&in_any_order(&events), "ana", ANA), Some(2));
    }

    #[test]
    fn a_retired_lead_cannot_act_by_dating_back() {
        let mut events = team();
        events.push(event("ana", ANA, 3, 50, retired("bo", BO, 2)));
        // Bo writes after the retirement, dated before it: admits a friend, and retires ana.
        events.push(event("bo", BO, 3, 30, admitted("eve", Role::Lead, DEE)));
        events.push(event("bo", BO, 4, 31, retired("ana", ANA, 2)));
        for _ in 0..events.len() {
            events.rotate_left(1);
            let settled = settle(&events);
            assert!(!has(&settled, "eve", DEE, Role::Lead), "{settled:?}");
            assert!(has(&settled, "dee", DEE, Role::Reviewer), "what bo did before stays");
            assert_eq!(settled.cuts.keys().collect::<Vec<_>>(), [&("bo".to_owned(), BO)]);
        }
    }

    #[test]
    fn of_two_who_retire_each_other_the_senior_is_believed_whatever_the_clocks_say() {
        let carl = ReplicaId([4; 16]);
        for (bo_at, carl_at) in [(50, 40), (40, 50)] {
            let mut events = team();
            events.push(event("ana", ANA, 3, 11, admitted("carl", Role::Lead, carl)));
            events.push(event("bo", BO, 5, bo_at, retired("carl", carl, 1)));
            events.push(event("carl", carl, 5, carl_at, retired("bo", BO, 0)));
            let settled = settle(&events);
            assert_eq!(
                settled.cuts.keys().collect::<Vec<_>>(),
                [&("carl".to_owned(), carl)],
                "bo was admitted before carl"
            );
            assert_eq!(settled.refused.len(), 1);
        }
    }

    #[test]
    fn a_founder_who_retired_themselves_cannot_come_back() {
        let mut events = team();
        events.push(event("ana", ANA, 3, 50, retired("ana", ANA, 3)));
        events.push(event("ana", ANA, 4, 20, retired("bo", BO, 0)));
        events.push(event("ana", ANA, 5, 21, admitted("eve", Role::Lead, DEE)));
        let settled = settle(&events);
        assert!(has(&settled, "bo", BO, Role::Lead) && !has(&settled, "eve", DEE, Role::Lead));
        assert_eq!((settled.cuts.len(), settled.refused.len()), (1, 2), "{settled:?}");
    }

    #[test]
    fn a_new_device_takes_over_only_while_the_old_key_is_good() {
        let new = ReplicaId([9; 16]);
        let takes_over =
            |ms| event("dee", new, 1, ms, RosterChange::Replaced { name: "dee".into(), old: DEE });
        let mut events = team();
        events.push(takes_over(40));
        events.push(event("dee", new, 2, 41, retired("dee", DEE, 7)));
        let settled = settle(&events);
        assert!(has(&settled, "dee", new, Role::Reviewer));
        assert_eq!(settled.cuts[&("dee".to_owned(), DEE)].after, 7);
        events.truncate(3);
        events.push(event("ana", ANA, 3, 35, retired("dee", DEE, 7)));
        events.push(takes_over(30));
        assert!(!has(&settle(&events), "dee", new, Role::Reviewer), "a lead had retired it");
        let heirs = vec![new];
        events[3].change =
            RosterChange::Retired { name: "dee".into(), replica: DEE, after: 7, last: None, heirs };
        assert!(has(&settle(&events), "dee", new, Role::Reviewer), "the lead knew of it");
    }

    #[test]
    fn a_right_counts_from_when_it_was_given() {
        let settled = settle(&team());
        assert_eq!(settled.grants[&("bo".to_owned(), BO, Role::Lead)], Hlc { ms: 10, n: 0 });
        // A device that takes over has no right older than its taking over.
        let new = ReplicaId([9; 16]);
        let takes_over =
            |ms| event("dee", new, 1, ms, RosterChange::Replaced { name: "dee".into(), old: DEE });
        let mut events = team();
        events.push(takes_over(1));
        assert!(!has(&settle(&events), "dee", new, Role::Reviewer), "dated before dee was let in");
        events.push(takes_over(33));
        assert_eq!(
            settle(&events).grants[&("dee".to_owned(), new, Role::Reviewer)],
            Hlc { ms: 33, n: 0 }
        );
    }

    #[test]
    fn a_junior_lead_cannot_pull_the_floor_from_under_everybody() {
        let mut events = team();
        events.push(event("bo", BO, 3, 60, retired("ana", ANA, 0)));
        let settled = settle(&events);
        assert!(
            has(&settled, "ana", ANA, Role::Lead)
                && settled.cuts.is_empty()
                && settled.refused.len() == 1
        );
        // What leaves bo's own admission standing is his to say.
        events[3] = event("bo", BO, 3, 60, retired("ana", ANA, 2));
        assert_eq!(settle(&events).cuts.len(), 1);
    }

    #[test]
    fn the_latest_admission_says_how_much_somebody_takes() {
        let mut events = team();
        let profile = Profile { capacity: 50, languages: vec!["pt".into()], skills: vec![] };
        let change = RosterChange::Admitted {
            name: "dee".into(),
            roles: vec![],
            replica: DEE,
            profile: Some(profile.clone()),
        };
        events.push(event("bo", BO, 3, 60, change));
        let settled = settle(&events);
        assert_eq!(settled.profiles.get("dee"), Some(&profile));
        assert!(has(&settled, "dee", DEE, Role::Reviewer));
    }
}
