//! Who comes to this workspace over SSH, with which key; and what their keys say of what was written
//! for them here.

use serde::{Deserialize, Serialize};

use super::error::DoorError;
use super::{WorkError, Workspace, ssh};
use crate::clock;
use crate::db::document::{self, DocumentRow};
use crate::db::{journal, roster, store};
use crate::domain::door::{Door, is_network};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::policy::Countersign;
use crate::domain::roster::is_name;
use crate::domain::ssh_certificate::Certificate;
use crate::domain::ssh_key::SshKey;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::entry;
use crate::journal::kind::{
    AuthorVouched, DoorClosed, DoorOpened, DoorPassed, EntriesCountersigned, Event as _, Head,
    SshProof,
};

/// How long somebody who came in is taken for the same visitor: same key, same address.
const VISIT_MS: i64 = 15 * 60_000;

/// The last visit of somebody.
#[derive(Serialize, Deserialize)]
struct Came {
    passed: DoorPassed,
    event: EventId,
    at: Moment,
}

/// A door, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    pub door: Door,
    pub by: String,
    pub at: Moment,
    /// Why nobody comes in by it, if so.
    pub shut: Option<String>,
}

/// How far what was written for somebody here is signed by a key of their own.
#[derive(Debug, Clone, PartialEq)]
pub struct Countersigned {
    pub name: String,
    pub replica: ReplicaId,
    pub through: u64,
    /// The key, or why the signature is not good.
    pub key: Result<String, String>,
    /// Entries of theirs on that chain since.
    pub since: u64,
}

/// What this desk wrote for somebody that no key of theirs signed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsigned {
    pub name: String,
    pub entries: u64,
    /// Whether there may be more: only so many are looked at.
    pub more: bool,
    /// When the first of them was written.
    pub since: Moment,
}

impl Unsigned {
    /// Whether a week of it is not signed.
    pub fn is_late(&self, now: Moment) -> bool {
        now.0 - self.since.0 > 7 * 86_400_000
    }

    /// How many entries it is, and since when.
    pub fn words(&self) -> String {
        let over = if self.more { "over " } else { "" };
        let entries = if self.entries == 1 { "entry" } else { "entries" };
        format!("{over}{} {entries} since {}", self.entries, self.since.minute())
    }
}

/// Entries that are looked at for what is not signed.
const LOOKED_AT: u64 = 5_000;

impl Workspace {
    /// Every door that was opened and not closed again, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn doors(&self) -> Result<Vec<Opened>, WorkError> {
        let here = self.names_here()?;
        let mut seen = std::collections::BTreeSet::new();
        let mut doors = Vec::new();
        for row in document::of_kind(&self.db.conn, "door")? {
            if seen.insert(row.name.clone()) {
                doors.extend(self.opened(&row, &here));
            }
        }
        doors.sort_by(|a, b| (&a.door.name, &a.door.key).cmp(&(&b.door.name, &b.door.key)));
        Ok(doors)
    }

    fn opened(&self, row: &DocumentRow, here: &[String]) -> Option<Opened> {
        let door: Door = serde_json::from_str(&row.body).ok()?;
        let shut = if !here.contains(&door.name) {
            Some(format!("{} does not work on this device", door.name))
        } else if door.is_open(self.now()) {
            None
        } else {
            Some("its time is over".to_owned())
        };
        Some(Opened { door, by: row.author.clone(), at: row.at.moment(), shut })
    }

    /// Who may write on this device.
    ///
    /// # Errors
    /// Those of the database.
    pub fn names_here(&self) -> Result<Vec<String>, WorkError> {
        let replica = self.key.replica();
        let grants = roster::current(&self.db.conn)?.into_iter();
        let here = grants.filter(|grant| grant.replica == replica).map(|grant| grant.name);
        let mut names: Vec<String> = here.collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Whether a certificate lets somebody in now: it is for a name that works here, of an authority
    /// that is trusted.
    ///
    /// # Errors
    /// It does not; and those of the database.
    pub fn may_come_certified(
        &self,
        name: &str,
        certificate: &Certificate,
        authorities: &[SshKey],
    ) -> Result<(), WorkError> {
        let holds = authorities.contains(&certificate.authority)
            && certificate.principals.iter().any(|principal| principal == name)
            && certificate.holds_at(clock::now())
            && certificate.key.weakness().is_none()
            && self.names_here()?.iter().any(|here| here == name);
        if holds { Ok(()) } else { Err(DoorError::Closed(name.to_owned()).into()) }
    }

    /// Whether a key lets somebody in now: their door, else why not.
    ///
    /// # Errors
    /// The door is closed; and those of the database.
    pub fn may_come_in(&self, name: &str, fingerprint: &str) -> Result<Door, WorkError> {
        let door = self.door_of(fingerprint)?.filter(|door| door.name == name);
        Ok(door.ok_or_else(|| DoorError::Closed(name.to_owned()))?)
    }

    /// The door that the key of a fingerprint opens now, if it opens one.
    ///
    /// # Errors
    /// Those of the database.
    pub fn door_of(&self, fingerprint: &str) -> Result<Option<Door>, WorkError> {
        let row = document::latest_named(&self.db.conn, "door", fingerprint)?;
        let here = self.names_here()?;
        let opened = row.and_then(|row| self.opened(&row, &here));
        Ok(opened.filter(|opened| opened.shut.is_none()).map(|opened| opened.door))
    }

    /// Why a door can't be opened, if it can't.
    ///
    /// # Errors
    /// That; and those of the database.
    pub fn check_door(&self, door: &Door) -> Result<(), WorkError> {
        if !is_name(&door.name) {
            return Err(WorkError::Name(door.name.clone()));
        }
        if !self.names_here()?.contains(&door.name) {
            return Err(DoorError::NotHere(door.name.clone()).into());
        }
        if let Some(from) = door.from.iter().find(|from| !is_network(from)) {
            return Err(DoorError::From(from.clone()).into());
        }
        let fingerprint = door.key.fingerprint();
        if let Some(why) = door.key.weakness() {
            let which = if fingerprint.is_empty() { door.key.to_string() } else { fingerprint };
            return Err(DoorError::Weak(which, why).into());
        }
        let known = self.doors()?.into_iter().find(|opened| opened.door.key == door.key);
        match known {
            Some(opened) if opened.door.name != door.name => {
                Err(DoorError::Taken { key: fingerprint, name: opened.door.name }.into())
            }
            _ => Ok(()),
        }
    }

    /// Lets somebody in with a key from now on.
    ///
    /// # Errors
    /// As those of [`Workspace::check_door`]; and only leads do.
    pub fn open_door(&mut self, door: Door) -> Result<(), WorkError> {
        self.check_door(&door)?;
        self.append(vec![Append::new(&DoorOpened { door })])?;
        Ok(())
    }

    /// Lets nobody in any more with the key of somebody whose fingerprint begins like that. Returns
    /// the whole of it.
    ///
    /// # Errors
    /// There is no such key, or several; only leads do.
    pub fn close_door(&mut self, name: &str, fingerprint: &str) -> Result<String, WorkError> {
        let theirs: Vec<String> = self
            .doors()?
            .into_iter()
            .filter(|opened| opened.door.name == name)
            .map(|opened| opened.door.key.fingerprint())
            .collect();
        let begins = |known: &&String| {
            !fingerprint.is_empty()
                && (known.starts_with(fingerprint)
                    || known.trim_start_matches("SHA256:").starts_with(fingerprint))
        };
        let mut found = theirs.iter().filter(begins);
        let (Some(key), None) = (found.next().cloned(), found.next()) else {
            let (name, key) = (name.to_owned(), fingerprint.to_owned());
            return Err(DoorError::NoKey { name, key, known: theirs }.into());
        };
        let event = DoorClosed { name: name.to_owned(), key: key.clone() };
        self.append(vec![Append::new(&event)])?;
        Ok(key)
    }

    /// Writes down that whoever is at work came in, and names that in all that they write from now on.
    ///
    /// # Errors
    /// Those of writing.
    pub fn pass_door(
        &mut self,
        fingerprint: &str,
        certificate: Option<String>,
        client: &str,
    ) -> Result<EventId, WorkError> {
        let (name, key) = (self.me.clone(), fingerprint.to_owned());
        let passed = DoorPassed { name, key, client: client.to_owned(), certificate };
        let (setting, now) = (visit_of(&passed.name), clock::now());
        let came = store::setting(&self.db.conn, &setting)?;
        let came = came.and_then(|text| serde_json::from_str::<Came>(&text).ok());
        // Whoever sends one command after another comes once.
        let visit = match came.filter(|came| came.passed == passed && now.0 - came.at.0 < VISIT_MS)
        {
            Some(came) if now >= came.at => came.event,
            _ => {
                let event = self.append(vec![Append::new(&passed)])?.event();
                let came = crate::db::to_json(&Came { passed, event, at: now });
                self.db.write(|conn| store::set_setting(conn, &setting, &came))?;
                event
            }
        };
        self.serve(visit)?;
        Ok(visit)
    }

    /// From now on it is served to whoever came in by that event.
    ///
    /// # Errors
    /// Those of the database.
    pub fn serve(&mut self, visit: EventId) -> Result<(), WorkError> {
        (self.served, self.visit) = (true, Some(visit));
        Ok(self.db.keep_small()?)
    }

    /// The host key by which people know the desk, if they do.
    ///
    /// # Errors
    /// Those of the database.
    pub fn known_by(&self) -> Result<Option<String>, WorkError> {
        Ok(store::setting(&self.db.conn, HOST_KEY)?.filter(|key| !key.is_empty()))
    }

    /// Remembers the host key by which they do from now on.
    ///
    /// # Errors
    /// Those of the database.
    pub fn make_known(&self, key: &str) -> Result<(), WorkError> {
        Ok(self.db.write(|conn| store::set_setting(conn, HOST_KEY, key))?)
    }

    /// What a person's key signs to say that this device writes for them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn vouch_statement(&self) -> Result<String, WorkError> {
        Ok(SshProof::statement(self.id()?, &self.me, &self.key.public()))
    }

    /// Writes down a signature over that; returns the key's fingerprint.
    ///
    /// # Errors
    /// It is not good, or by no key of theirs.
    pub fn vouch(&mut self, signature: &str) -> Result<String, WorkError> {
        let (key, fingerprint) = self.signed_by(signature, &self.vouch_statement()?)?;
        let ssh = SshProof { key, signature: signature.to_owned() };
        let event = AuthorVouched { name: self.me.clone(), ssh };
        self.append(vec![Append::new(&event)])?;
        Ok(fingerprint)
    }

    /// Whether a key of theirs said that this device writes for whoever is at work.
    ///
    /// # Errors
    /// Those of the database.
    pub fn is_vouched(&self) -> Result<bool, WorkError> {
        let row = document::latest_named(&self.db.conn, "vouch", &self.me)?;
        let row = row.filter(|row| row.event.replica == self.key.replica());
        Ok(row.is_some_and(|row| self.check_vouch(&row).is_ok()))
    }

    /// Whether a key of its author's says what an `author.vouched` says.
    fn check_vouch(&self, row: &DocumentRow) -> Result<(), WorkError> {
        let bad = |error: serde_json::Error| WorkError::Ssh(error.to_string());
        let said: AuthorVouched = serde_json::from_str(&row.body).map_err(bad)?;
        let device = journal::replica(&self.db.conn, row.event.replica)?;
        let (Some(key), Some(device)) = (SshKey::of_line(&said.ssh.key), device) else {
            return Err(WorkError::Ssh("the key is not one".to_owned()));
        };
        let statement = SshProof::statement(self.id()?, &said.name, &device.key);
        ssh::verify(&key, &said.ssh.signature, &statement)
    }

    /// Vouches that are not signed by the key that they name: who, where, and why.
    ///
    /// # Errors
    /// Those of the database.
    pub fn bad_vouches(&self) -> Result<Vec<(String, EventId, String)>, WorkError> {
        let rows = document::of_kind(&self.db.conn, "vouch")?.into_iter();
        let bad = rows.filter_map(|row| {
            let error = self.check_vouch(&row).err()?;
            Some((row.name, row.event, error.to_string()))
        });
        Ok(bad.collect())
    }

    /// What a person's key signs to hold this chain to what it is up to the latest entry that is
    /// theirs. What was printed last is what a signature is taken for.
    ///
    /// # Errors
    /// There is none; and those of the database.
    pub fn countersign_statement(&self) -> Result<String, WorkError> {
        let replica = self.key.replica();
        let head = journal::replica(&self.db.conn, replica)?.map_or(0, |head| head.head_seq);
        for seq in (1..=head).rev() {
            let Some(row) = journal::entry(&self.db.conn, replica, seq)? else { continue };
            if is_work_of(&row, &self.me) {
                let write = |conn: &rusqlite::Connection| {
                    store::set_setting(conn, &asked(&self.me), &seq.to_string())
                };
                self.db.write(write)?;
                return self.statement_of(seq);
            }
        }
        Err(DoorError::Nothing(self.me.clone()).into())
    }

    fn statement_of(&self, through: u64) -> Result<String, WorkError> {
        let replica = self.key.replica();
        let row = journal::entry(&self.db.conn, replica, through)?;
        let row = row.ok_or_else(|| DoorError::Nothing(self.me.clone()))?;
        let (id, hash) = (self.id()?, entry::hash(&row.body));
        Ok(EntriesCountersigned::statement(id, &self.me, replica, through, hash))
    }

    /// Writes down a signature over that; returns the key's fingerprint and the entry.
    ///
    /// # Errors
    /// It is not good, or by no key of theirs, or nothing was printed to be signed.
    pub fn countersign(&mut self, signature: &str) -> Result<(String, u64), WorkError> {
        let printed = store::setting(&self.db.conn, &asked(&self.me))?;
        let through = printed.and_then(|seq| seq.parse().ok());
        let through: u64 = through.ok_or(DoorError::NothingPrinted)?;
        let (key, fingerprint) = self.signed_by(signature, &self.statement_of(through)?)?;
        let replica = self.key.replica();
        let row = journal::entry(&self.db.conn, replica, through)?;
        let hash = row.map(|row| entry::hash(&row.body)).unwrap_or(Hash([0; 32]));
        let ssh = SshProof { key, signature: signature.to_owned() };
        let name = self.me.clone();
        let event = EntriesCountersigned { name, replica, through, hash, ssh };
        self.append(vec![Append::new(&event)])?;
        Ok((fingerprint, through))
    }

    /// Which key of theirs signed a statement: its line and its fingerprint.
    fn signed_by(&self, signature: &str, statement: &str) -> Result<(String, String), WorkError> {
        let key = ssh::signer(signature)?;
        let fingerprint = key.fingerprint();
        let mut doors = self.doors()?.into_iter();
        if !doors.any(|opened| opened.door.key == key && opened.door.name == self.me) {
            return Err(DoorError::NotTheirs(fingerprint, self.me.clone()).into());
        }
        ssh::verify(&key, signature, statement)?;
        Ok((key.to_string(), fingerprint))
    }

    /// How far what was written for each person is countersigned, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn countersigned(&self) -> Result<Vec<Countersigned>, WorkError> {
        let (conn, id) = (&self.db.conn, self.id()?);
        let mut latest: Vec<EntriesCountersigned> = Vec::new();
        for row in document::of_kind(conn, "countersign")? {
            let Ok(said) = serde_json::from_str::<EntriesCountersigned>(&row.body) else {
                continue;
            };
            let same = |known: &EntriesCountersigned| {
                (&known.name, known.replica) == (&said.name, said.replica)
            };
            match latest.iter_mut().find(|known| same(known)) {
                Some(known) if known.through < said.through => *known = said,
                Some(_) => {}
                None => latest.push(said),
            }
        }
        latest.sort_by(|a, b| (&a.name, a.replica).cmp(&(&b.name, b.replica)));
        let of = |said: EntriesCountersigned| {
            let EntriesCountersigned { name, replica, through, hash, ssh } = said;
            let there = journal::entry(conn, replica, through)?;
            let key = if there.map(|row| entry::hash(&row.body)) == Some(hash) {
                let statement = EntriesCountersigned::statement(id, &name, replica, through, hash);
                let key = SshKey::of_line(&ssh.key);
                let good = key.ok_or_else(|| WorkError::Ssh("the key is not one".to_owned()));
                good.and_then(|key| {
                    ssh::verify(&key, &ssh.signature, &statement).map(|()| key.fingerprint())
                })
                .map_err(|error| error.to_string())
            } else {
                Err(format!("entry {through} is not the one that was signed"))
            };
            let since = self.work_since(replica, &name, through)?;
            Ok(Countersigned { name, replica, through, key, since })
        };
        latest.into_iter().map(of).collect()
    }

    /// What was written for somebody on this device since they signed it last.
    ///
    /// # Errors
    /// Those of the database.
    pub fn unsigned(&self, name: &str) -> Result<Option<Unsigned>, WorkError> {
        let (conn, replica) = (&self.db.conn, self.key.replica());
        let said = document::of_kind(conn, "countersign")?.into_iter();
        let said =
            said.filter_map(|row| serde_json::from_str::<EntriesCountersigned>(&row.body).ok());
        let theirs = said.filter(|said| said.name == name && said.replica == replica);
        let through = theirs.map(|said| said.through).max().unwrap_or(0);
        let head = journal::replica(conn, replica)?.map_or(0, |head| head.head_seq);
        let from = (through + 1).max((head + 1).saturating_sub(LOOKED_AT));
        let rows = journal::between(conn, replica, from, head)?;
        let mut theirs = rows.iter().filter(|row| is_work_of(row, name));
        let since = theirs.next().and_then(|first| entry::Body::parse(&first.body));
        let Some(since) = since.map(|body| body.at.moment()) else { return Ok(None) };
        let entries = 1 + theirs.count() as u64;
        Ok(Some(Unsigned { name: name.to_owned(), entries, more: from > through + 1, since }))
    }

    /// What whoever is at work is to countersign, by the policy.
    ///
    /// # Errors
    /// Those of the database.
    pub fn to_countersign(&self) -> Result<Option<Unsigned>, WorkError> {
        let now = clock::now();
        Ok(match self.policy()?.countersign {
            Countersign::Off => None,
            Countersign::Asked => self.unsigned(&self.me)?,
            Countersign::Weekly => {
                self.unsigned(&self.me)?.filter(|unsigned| unsigned.is_late(now))
            }
        })
    }

    /// Whose work on this device should have been countersigned by now, where the policy wants that
    /// weekly.
    ///
    /// # Errors
    /// Those of the database.
    pub fn late_to_countersign(&self) -> Result<Vec<Unsigned>, WorkError> {
        if self.policy()?.countersign != Countersign::Weekly {
            return Ok(Vec::new());
        }
        let mut late = Vec::new();
        for name in self.names_here()? {
            // Who works on this machine signs with its key.
            if store::setting(&self.db.conn, &visit_of(&name))?.is_none() {
                continue;
            }
            late.extend(self.unsigned(&name)?.filter(|unsigned| unsigned.is_late(clock::now())));
        }
        Ok(late)
    }

    /// How many entries of somebody's work a chain has after one.
    fn work_since(&self, replica: ReplicaId, name: &str, through: u64) -> Result<u64, WorkError> {
        let rows = journal::between(&self.db.conn, replica, through + 1, u64::MAX >> 1)?;
        Ok(rows.iter().filter(|row| is_work_of(row, name)).count() as u64)
    }
}

/// The setting that holds the desk's host key.
const HOST_KEY: &str = "serve host key";

/// The setting that says when somebody came over SSH last.
fn visit_of(name: &str) -> String {
    format!("visit {name}")
}

/// The setting that says which entry was printed last for somebody to sign.
fn asked(name: &str) -> String {
    format!("countersign {name}")
}

/// Whether an entry is somebody's work: to come in, and to sign, is nothing that one would sign.
fn is_work_of(row: &journal::EntryRow, name: &str) -> bool {
    const NO_WORK: [&str; 3] = [DoorPassed::KIND, AuthorVouched::KIND, EntriesCountersigned::KIND];
    let is_work = |raw: &serde_json::value::RawValue| {
        let head = serde_json::from_str::<Head<'_>>(raw.get());
        head.is_ok_and(|head| !NO_WORK.contains(&&*head.kind))
    };
    entry::Body::parse(&row.body)
        .is_some_and(|body| body.author == name && body.events.iter().any(|raw| is_work(raw)))
}
