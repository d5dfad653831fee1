//! Who may do what, on which device: asking to be let in, letting in, retiring, changing keys.

use std::collections::BTreeMap;

use super::error::RosterError;
use super::{WorkError, Workspace, ssh};
use crate::clock;
use crate::db::{self, case, document, roster};
use crate::domain::ids::{Hash, ReplicaId};
use crate::domain::roster::{Profile, Role, is_name};
use crate::domain::time::Moment;
use crate::domain::time::short_span;
use crate::journal::agekey::Secret;
use crate::journal::chain::FUTURE_MS_MAX;
use crate::journal::device::{self, Because};
use crate::journal::kind::{
    Event, ReplicaJoined, ReviewerAdmitted, ReviewerRelieved, ReviewerRetired, SecretShared,
    SshProof,
};
use crate::journal::secret;
use crate::journal::skew;
use crate::journal::{Append, DeviceKey, sshsig};

/// A person on a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Holder {
    pub name: String,
    pub replica: ReplicaId,
    /// None while the device's first entry has not come.
    pub key: Option<[u8; 32]>,
    /// None: they ask to join.
    pub roles: Vec<Role>,
    /// The last entry that counts, if they were retired there.
    pub retired_after: Option<u64>,
    /// Entries of the device.
    pub entries: u64,
    pub joined_at: Option<Moment>,
    pub ssh: Option<SshProof>,
    /// Whether it is this device.
    pub here: bool,
}

impl Holder {
    /// Somebody of whom nothing came yet.
    fn unseen(name: &str, replica: ReplicaId) -> Self {
        Self {
            name: name.to_owned(),
            replica,
            key: None,
            roles: Vec::new(),
            retired_after: None,
            entries: 0,
            joined_at: None,
            ssh: None,
            here: false,
        }
    }

    pub fn fingerprint(&self) -> String {
        self.key.as_ref().map(sshsig::fingerprint).unwrap_or_default()
    }

    /// Whether what they write on it counts.
    pub fn works(&self) -> bool {
        !self.roles.is_empty() && self.retired_after.is_none()
    }

    /// Whether they ask to join.
    pub fn waits(&self) -> bool {
        self.roles.is_empty() && self.retired_after.is_none()
    }
}

/// A person on a device, with what their SSH key said.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    pub holder: Holder,
    /// The fingerprint of the SSH key that signed the join, or why that is not good.
    pub ssh: Result<Option<String>, String>,
}

/// What was found so lately tells who reads a stream now.
const LATELY_MS: i64 = 7 * 86_400_000;

impl Workspace {
    /// Everybody, with what their SSH keys said; whoever asks to join stands first.
    ///
    /// # Errors
    /// Those of the database.
    pub fn everybody(&self) -> Result<Vec<Person>, WorkError> {
        let person = |holder: Holder| {
            let ssh = self.proven(&holder).map_err(|error| error.to_string());
            Person { holder, ssh }
        };
        let mut rows: Vec<Person> = self.people()?.into_iter().map(person).collect();
        rows.sort_by_key(|person| !person.holder.waits());
        Ok(rows)
    }

    /// Everybody, by name and device: those who were admitted and those who ask to be.
    /// Whose clock was more than an hour ahead when they wrote, in words; everybody's times follow
    /// it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn clock_words(&self) -> Result<Vec<String>, WorkError> {
        let now = clock::now();
        let ahead = skew::clocks_ahead(&self.db.conn, now)?;
        if ahead.is_empty() {
            return Ok(Vec::new());
        }
        let people = self.people()?;
        let words = |(replica, ms): &(ReplicaId, i64)| {
            let whose = self.device_words(*replica, &people);
            if *ms > FUTURE_MS_MAX && *replica == self.replica() {
                let until = Moment(now.0 + ms - FUTURE_MS_MAX).minute();
                return format!(
                    "the clock of this device was {} ahead when it wrote: the others keep out what it wrote since, until {until}; nothing is lost here. Set it right",
                    short_span(*ms)
                );
            }
            format!(
                "the clock of {whose} was {} ahead when it wrote: until then everybody's entries are dated after that. Set it right",
                short_span(*ms)
            )
        };
        Ok(ahead.iter().map(words).collect())
    }

    /// A device, as others know it.
    fn device_words(&self, replica: ReplicaId, people: &[Holder]) -> String {
        if replica == self.replica() {
            return "this device".to_owned();
        }
        let holder = people.iter().find(|holder| holder.replica == replica);
        let of = holder.map_or("", |holder| holder.name.as_str());
        format!("the device {} of {of}", replica.short())
    }

    /// Streams that several devices found cases in lately, though alarms watch them, each in words:
    /// what an alarm has seen stays on the device that reads.
    pub fn parted_streams(&self) -> Result<Vec<String>, WorkError> {
        if self.latest_traps()?.is_none_or(|latest| latest.file.alarms.is_empty()) {
            return Ok(Vec::new());
        }
        let people = self.people()?;
        let since = Moment(self.now().0 - LATELY_MS);
        let mut readers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (stream, replica) in case::finders(&self.db.conn, since)? {
            readers.entry(stream).or_default().push(self.device_words(replica, &people));
        }
        let words = |(stream, devices): (String, Vec<String>)| {
            let devices = devices.join(" and ");
            format!(
                "{stream} was read by {devices} within a week: alarms of each see a part of it. Let one device read it"
            )
        };
        Ok(readers.into_iter().filter(|(_, devices)| devices.len() > 1).map(words).collect())
    }

    pub fn people(&self) -> Result<Vec<Holder>, WorkError> {
        let conn = &self.db.conn;
        let mut people: Vec<Holder> = Vec::new();
        let heads = db::journal::replicas(conn)?;
        let blank = |name: &str, replica: ReplicaId| Holder {
            name: name.to_owned(),
            replica,
            key: heads.iter().find(|row| row.replica == replica).map(|row| row.key),
            roles: Vec::new(),
            retired_after: None,
            entries: heads.iter().find(|row| row.replica == replica).map_or(0, |row| row.head_seq),
            joined_at: None,
            ssh: None,
            here: replica == self.key.replica(),
        };
        let place = |people: &mut Vec<Holder>, name: &str, replica: ReplicaId| {
            let known = people
                .iter()
                .position(|holder| (holder.name.as_str(), holder.replica) == (name, replica));
            known.unwrap_or_else(|| {
                people.push(blank(name, replica));
                people.len() - 1
            })
        };
        for grant in roster::all(conn)? {
            let at = place(&mut people, &grant.name, grant.replica);
            people[at].roles.extend(grant.until.is_none().then_some(grant.role));
        }
        for ((name, replica), cut) in roster::cuts(conn)? {
            let at = place(&mut people, &name, replica);
            people[at].retired_after = Some(cut.after);
        }
        let mut replaced = Vec::new();
        for row in document::of_kind(conn, "replica")? {
            let Ok(joined) = serde_json::from_str::<ReplicaJoined>(&row.body) else { continue };
            replaced.extend(
                joined
                    .replaces
                    .as_ref()
                    .map(|vouch| (joined.name.clone(), ReplicaId::of_key(&vouch.key.0))),
            );
            let at = place(&mut people, &joined.name, row.event.replica);
            people[at].joined_at = Some(row.at.moment());
            people[at].ssh = joined.ssh;
        }
        // Who asked and changed keys since asks with the new one.
        people.retain(|holder| {
            !holder.waits() || !replaced.contains(&(holder.name.clone(), holder.replica))
        });
        people.sort_by(|a, b| {
            (&a.name, a.joined_at, a.replica).cmp(&(&b.name, b.joined_at, b.replica))
        });
        Ok(people)
    }

    /// The fingerprint of the SSH key by which somebody signed their join; none if they did not, or
    /// the proof is bad.
    pub fn proven(&self, holder: &Holder) -> Result<Option<String>, WorkError> {
        let (Some(proof), Some(key)) = (&holder.ssh, &holder.key) else { return Ok(None) };
        ssh::check(proof, self.id()?, &holder.name, key).map(Some)
    }

    /// Who asks to join under a name: on the device whose id begins with `device`, if that is
    /// said.
    pub fn asking(&self, name: &str, device: Option<&str>) -> Result<Option<Holder>, WorkError> {
        let fits = |holder: &Holder| {
            device.is_none_or(|device| holder.replica.to_string().starts_with(device))
        };
        let mut found = self.people()?;
        found.retain(|holder| {
            holder.name == name && fits(holder) && (holder.waits() || device.is_some())
        });
        match found.len() {
            // Of a device that is named in full nothing need be here: where many ask whom nobody
            // knows, some are not read.
            0 if let Some(replica) = device.and_then(|device| device.parse().ok()) => {
                Ok(Some(Holder::unseen(name, replica)))
            }
            0 if device.is_some() => {
                Err(RosterError::NoDevice(device.unwrap_or_default().to_owned()).into())
            }
            0 => Ok(None),
            1 => Ok(found.pop()),
            _ => Err(RosterError::SeveralAsk(name.to_owned()).into()),
        }
    }

    /// Lets `name` work from a device (this one, if none is named) in some roles; the workspace's
    /// secrets go with it.
    pub fn admit(
        &mut self,
        name: &str,
        roles: &[Role],
        replica: Option<ReplicaId>,
        profile: Option<Profile>,
    ) -> Result<(), WorkError> {
        if !is_name(name) {
            return Err(WorkError::Name(name.to_owned()));
        }
        let replica = replica.unwrap_or(self.key.replica());
        let led = |grant: &roster::GrantRow| grant.role == Role::Lead && grant.until.is_some();
        let before = roster::grants_of(&self.db.conn, name, replica)?;
        if roles.contains(&Role::Lead) && before.iter().any(led) {
            return Err(RosterError::LedHere(name.to_owned()).into());
        }
        let event =
            ReviewerAdmitted { name: name.to_owned(), roles: roles.to_vec(), replica, profile };
        let mut events = vec![Append::new(&event)];
        events.extend(self.secrets_for(&[replica])?);
        self.append(events)?;
        Ok(())
    }

    /// Takes roles from a person on a device: what they did in them before stays.
    ///
    /// # Errors
    /// Where nobody would lead any more; and those of the database.
    pub fn relieve(
        &mut self,
        name: &str,
        roles: &[Role],
        replica: ReplicaId,
    ) -> Result<(), WorkError> {
        if roles.contains(&Role::Lead) {
            self.another_leads(name)?;
        }
        // One's own chain goes on with the entry that says so.
        let own = u64::from(replica == self.key.replica());
        let head = db::journal::replica(&self.db.conn, replica)?.map_or(0, |head| head.head_seq);
        let (name, roles, after) = (name.to_owned(), roles.to_vec(), head + own);
        self.append(vec![Append::new(&ReviewerRelieved { name, roles, replica, after })])?;
        Ok(())
    }

    /// Whether somebody besides `name` leads.
    ///
    /// # Errors
    /// Nobody does; and those of the database.
    pub fn another_leads(&self, name: &str) -> Result<(), WorkError> {
        let leads = |holder: &Holder| {
            holder.works() && holder.name != name && holder.roles.contains(&Role::Lead)
        };
        if !self.people()?.iter().any(leads) {
            return Err(RosterError::LastLead(name.to_owned()).into());
        }
        Ok(())
    }

    /// What a person writes from now on does not count: on one device, or on all of theirs. Returns
    /// on how many. A lead says it, or whoever's device it is: of a desk that is not who comes in.
    pub fn retire(
        &mut self,
        name: &str,
        device: Option<&str>,
        reason: &str,
    ) -> Result<usize, WorkError> {
        if self.served && !self.is_lead()? {
            return Err(RosterError::DeskOfOthers.into());
        }
        let people = self.people()?;
        let fits = |holder: &&Holder| {
            device.is_none_or(|device| holder.replica.to_string().starts_with(device))
        };
        let of_name = || people.iter().filter(|holder| holder.name == name).filter(fits);
        let mut theirs: Vec<&Holder> = of_name().filter(|holder| holder.works()).collect();
        if theirs.is_empty() {
            theirs = of_name().filter(|holder| holder.waits()).collect(); // a request is turned down
        }
        if theirs.is_empty() {
            return Err(WorkError::Stranger(name.to_owned()));
        }
        let goes = |holder: &Holder| {
            theirs.iter().any(|one| one.name == holder.name && one.replica == holder.replica)
        };
        let stays: Vec<&Holder> =
            people.iter().filter(|holder| holder.works() && !goes(holder)).collect();
        if !stays.iter().any(|holder| holder.roles.contains(&Role::Lead)) {
            return Err(RosterError::LastLead(name.to_owned()).into());
        }
        let heirs: Vec<ReplicaId> = stays
            .iter()
            .filter(|holder| holder.name == name)
            .map(|holder| holder.replica)
            .collect();
        let mut events = Vec::new();
        // Those who remain get a new secret; it goes into the same entry, which one's own
        // retirement ends with.
        if self.may_share_secrets()? && !secret::known(&self.db.conn, &self.key)?.is_empty() {
            events.push(new_secret(stays.iter().copied())?);
        }
        for holder in &theirs {
            // The entry that says it is the last of one's own.
            let own = holder.replica == self.key.replica() && holder.name == self.me;
            let after = if holder.waits() { 0 } else { holder.entries + u64::from(own) };
            let (name, replica, reason, heirs) =
                (name.to_owned(), holder.replica, reason.to_owned(), heirs.clone());
            // Of one's own the last is the entry that says so, which can't name itself.
            let last = if own || after == 0 {
                None
            } else {
                db::journal::replica(&self.db.conn, replica)?.map(|head| head.head_hash)
            };
            events.push(Append::new(&ReviewerRetired {
                name,
                replica,
                after,
                last,
                reason,
                heirs,
            }));
        }
        let n = theirs.len();
        self.append(events)?;
        Ok(n)
    }

    /// Signs with a new key from now on; the old one vouches for it and is retired.
    pub fn rotate_key(&mut self) -> Result<ReplicaId, WorkError> {
        self.change_key(Because::Rotated)?;
        // Whoever took the old key gets no later secret.
        if self.may_share_secrets()? && !secret::known(&self.db.conn, &self.key)?.is_empty() {
            let people = self.people()?;
            self.append(vec![new_secret(people.iter().filter(|holder| holder.works()))?])?;
        }
        Ok(self.key.replica())
    }

    /// Goes on under a new key; returns how many entries were written again.
    pub(super) fn change_key(&mut self, because: Because) -> Result<usize, WorkError> {
        let seed = super::random()?;
        let new = DeviceKey::from_seed(seed);
        let owner = super::owner(&self.db, &self.key)?;
        let file = |error, path: &std::path::Path| WorkError::File {
            path: path.display().to_string(),
            error,
        };
        let (path, next) = (self.paths.key(), self.paths.next_key());
        // The old key alone opens what it was given: so the new one is given it before it takes over.
        let sessions = self.session_secrets()?;
        let more = match because {
            Because::Rotated => self.session_keys_for(&sessions, &owner, &new.public())?,
            Because::Copied { .. } => Vec::new(),
        };
        // One at a time: whoever comes second finds another key at work, before touching any file.
        let tx = self.db.begin()?;
        let written =
            device::rotate_key(&tx, &self.key, &new, &owner, because, more, clock::now())?;
        // A file that is left over from an attempt that did not end belongs to no chain.
        match std::fs::remove_file(&next) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(file(error, &next));
            }
            _ => new.save_new(&next)?,
        }
        tx.commit()?;
        // From here on `open` would do the same.
        std::fs::rename(&next, &path).map_err(|error| file(error, &path))?;
        self.key = new;
        self.give_session_keys(&sessions)?;
        Ok(written)
    }

    /// The secrets that this device knows, for devices that were not given them.
    pub(super) fn secrets_for(&self, replicas: &[ReplicaId]) -> Result<Vec<Append>, WorkError> {
        let conn = &self.db.conn;
        let mut events = Vec::new();
        for known in secret::known(conn, &self.key)? {
            let holders = secret::holders(conn, &known.recipient)?;
            let mut keys = Vec::new();
            for replica in replicas.iter().filter(|replica| !holders.contains(replica)) {
                keys.extend(secret::public_key(conn, *replica)?);
            }
            if !keys.is_empty() {
                events.push(Append::new(&secret::shared_with(&known, &keys)?));
            }
        }
        Ok(events)
    }

    /// Whether the owner may give secrets to devices, from this one.
    fn may_share_secrets(&self) -> Result<bool, WorkError> {
        let roles = roster::roles(&self.db.conn, &self.me, self.key.replica())?;
        Ok(SecretShared::ROLES.is_none_or(|may| roles.iter().any(|role| may.contains(role))))
    }

    /// Makes the workspace's first secret if there is none and this device may, and gives what it
    /// knows to devices of the roster that lack it.
    pub(super) fn tend_secrets(&mut self, wanted: bool) -> Result<(), WorkError> {
        self.give_session_keys(&self.session_secrets()?)?;
        let conn = &self.db.conn;
        if !self.may_share_secrets()? {
            return Ok(());
        }
        let known = secret::known(conn, &self.key)?;
        if known.is_empty() && (!wanted || !document::of_kind(conn, "secret")?.is_empty()) {
            return Ok(()); // others made one, and will give it
        }
        let mut active = self.people()?;
        active.retain(Holder::works);
        let events = if known.is_empty() {
            vec![new_secret(&active)?]
        } else {
            self.secrets_for(&active.iter().map(|holder| holder.replica).collect::<Vec<_>>())?
        };
        if !events.is_empty() {
            self.append(events)?;
        }
        Ok(())
    }

    fn give_session_keys(&mut self, known: &[(String, Secret)]) -> Result<(), WorkError> {
        let events = self.session_keys_due(known)?;
        if !events.is_empty() {
            self.append(events)?;
        }
        Ok(())
    }

    /// The workspace's id: the hash of its first entry.
    pub fn id(&self) -> Result<Hash, WorkError> {
        let id = db::journal::meta(&self.db.conn, "workspace")?
            .and_then(|bytes| Hash::from_bytes(&bytes));
        Ok(id.ok_or(crate::journal::JournalError::NoWorkspace)?)
    }

    /// The key by which this device is known.
    pub fn fingerprint(&self) -> String {
        sshsig::fingerprint(&self.key.public())
    }

    /// Whether this device still waits to be let in.
    pub fn waits_for_admission(&self) -> Result<bool, WorkError> {
        Ok(roster::roles(&self.db.conn, &self.me, self.key.replica())?.is_empty())
    }
}

/// A new secret, given to those devices.
fn new_secret<'h>(holders: impl IntoIterator<Item = &'h Holder>) -> Result<Append, WorkError> {
    let keys: Vec<[u8; 32]> = holders.into_iter().filter_map(|holder| holder.key).collect();
    Ok(Append::new(&secret::shared_with(&Secret::new(), &keys)?))
}
