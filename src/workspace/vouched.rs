//! What people's own keys say of what was written for them here: that this device writes for them, and
//! that it holds to it.

use super::error::DoorError;
use super::{WorkError, Workspace, ssh};
use crate::clock;
use crate::db::document::{self, DocumentRow};
use crate::db::{journal, store};
use crate::domain::ids::{EventId, Hash, ReplicaId};
use crate::domain::policy::Countersign;
use crate::domain::ssh_key::SshKey;
use crate::domain::text::counted;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::entry;
use crate::journal::kind::{
    AuthorVouched, DoorPassed, EntriesCountersigned, Event as _, Head, SshProof,
};

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
        format!("{over}{} since {}", counted(self.entries, "entry"), self.since.minute())
    }
}

/// A statement that a key of whoever is at work signed: that was found to be so.
#[derive(Debug, Clone)]
pub struct Signed {
    statement: String,
    proof: SshProof,
    fingerprint: String,
}

impl Signed {
    /// The proof and the key's fingerprint, if it is of this statement.
    fn of(self, statement: &str) -> Result<(SshProof, String), WorkError> {
        let same = self.statement == statement;
        let moved = || WorkError::Ssh("the signature is of something else by now".to_owned());
        same.then_some((self.proof, self.fingerprint)).ok_or_else(moved)
    }
}

/// Entries that are looked at for what is not signed.
const LOOKED_AT: u64 = 5_000;

impl Workspace {
    /// What a person's key signs to say that this device writes for them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn vouch_statement(&self) -> Result<String, WorkError> {
        Ok(SshProof::statement(self.id()?, &self.me, &self.key.public()))
    }

    /// A signature over that.
    ///
    /// # Errors
    /// It is not good, or by no key of theirs.
    pub fn signed_vouch(&self, signature: &str) -> Result<Signed, WorkError> {
        self.signed(signature, self.vouch_statement()?)
    }

    /// Writes it down; returns the key's fingerprint.
    ///
    /// # Errors
    /// It is of something else, and those of writing.
    pub fn vouch(&mut self, signed: Signed) -> Result<String, WorkError> {
        let (ssh, fingerprint) = signed.of(&self.vouch_statement()?)?;
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

    /// Up to which entry what was printed last reaches.
    fn printed(&self) -> Result<u64, WorkError> {
        let printed = store::setting(&self.db.conn, &asked(&self.me))?;
        let through = printed.and_then(|seq| seq.parse().ok());
        Ok(through.ok_or(DoorError::NothingPrinted)?)
    }

    /// A signature over what was printed last.
    ///
    /// # Errors
    /// It is not good, or by no key of theirs, or nothing was printed to be signed.
    pub fn signed_countersign(&self, signature: &str) -> Result<Signed, WorkError> {
        self.signed(signature, self.statement_of(self.printed()?)?)
    }

    /// Writes it down; returns the key's fingerprint and the entry.
    ///
    /// # Errors
    /// It is of something else, and those of writing.
    pub fn countersign(&mut self, signed: Signed) -> Result<(String, u64), WorkError> {
        let through = self.printed()?;
        let (ssh, fingerprint) = signed.of(&self.statement_of(through)?)?;
        let replica = self.key.replica();
        let row = journal::entry(&self.db.conn, replica, through)?;
        let hash = row.map(|row| entry::hash(&row.body)).unwrap_or(Hash([0; 32]));
        let name = self.me.clone();
        let event = EntriesCountersigned { name, replica, through, hash, ssh };
        self.append(vec![Append::new(&event)])?;
        Ok((fingerprint, through))
    }

    /// A signature of a statement by a key of theirs.
    fn signed(&self, signature: &str, statement: String) -> Result<Signed, WorkError> {
        let key = ssh::signer(signature)?;
        let fingerprint = key.fingerprint();
        let mut doors = self.doors()?.into_iter();
        if !doors.any(|opened| opened.door.key == key && opened.door.name == self.me) {
            return Err(DoorError::NotTheirs(fingerprint, self.me.clone()).into());
        }
        ssh::verify(&key, signature, &statement)?;
        let proof = SshProof { key: key.to_string(), signature: signature.to_owned() };
        Ok(Signed { statement, proof, fingerprint })
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
            if !self.came_in(&name)? {
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
