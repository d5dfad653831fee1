//! Who comes to this workspace over SSH, with which key or by whose word.

use serde::{Deserialize, Serialize};

use super::error::DoorError;
use super::{DbError, WorkError, Workspace};
use crate::clock;
use crate::db::document::{self, DocumentRow};
use crate::db::{roster, store};
use crate::domain::door::{Door, is_network};
use crate::domain::ids::EventId;
use crate::domain::roster::is_name;
use crate::domain::ssh_certificate::Certificate;
use crate::domain::ssh_key::SshKey;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::chain::{By, append};
use crate::journal::kind::{DoorClosed, DoorOpened, DoorPassed, Visit};

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
    /// On a full disk they may read: it is written before the first thing that is.
    ///
    /// # Errors
    /// Those of writing.
    pub fn pass_door(
        &mut self,
        fingerprint: &str,
        certificate: Option<String>,
        client: &str,
    ) -> Result<Visit, WorkError> {
        let (name, key) = (self.me.clone(), fingerprint.to_owned());
        let passed = DoorPassed { name, key, client: client.to_owned(), certificate };
        self.serve(Visit { passed, event: None })?;
        match self.ready_to_write().map_err(|error| error.unless_full(&self.paths.workspace)) {
            Ok(()) | Err(WorkError::Db(DbError::Full(_))) => {}
            Err(error) => return Err(error),
        }
        self.visit.clone().ok_or_else(|| DoorError::Closed(self.me.clone()).into())
    }

    /// Writes down how whoever is at work came in, unless that is done.
    pub(super) fn write_visit(&mut self) -> Result<(), WorkError> {
        let Some(Visit { passed, event: None }) = &self.visit else { return Ok(()) };
        let (passed, setting, now) = (passed.clone(), visit_of(&passed.name), clock::now());
        let came = store::setting(&self.db.conn, &setting)?;
        let came = came.and_then(|text| serde_json::from_str::<Came>(&text).ok());
        // Whoever sends one command after another comes once.
        let event = match came.filter(|came| came.passed == passed && now.0 - came.at.0 < VISIT_MS)
        {
            Some(came) if now >= came.at => came.event,
            _ => {
                let events = vec![Append::new(&passed)];
                let by = By::from(self.me.as_str());
                let event = append(&mut self.db, &self.key, by, events, now)?.event();
                let came = crate::db::to_json(&Came { passed: passed.clone(), event, at: now });
                self.db.write(|conn| store::set_setting(conn, &setting, &came))?;
                event
            }
        };
        self.visit = Some(Visit { passed, event: Some(event) });
        Ok(())
    }

    /// The `door.passed` of whoever is at work.
    pub(super) fn visit_event(&self) -> Option<EventId> {
        self.visit.as_ref().and_then(|visit| visit.event)
    }

    /// Whether somebody ever came in here over SSH.
    ///
    /// # Errors
    /// Those of the database.
    pub fn came_in(&self, name: &str) -> Result<bool, WorkError> {
        Ok(store::setting(&self.db.conn, &visit_of(name))?.is_some())
    }

    /// From now on it is served to whoever came in so.
    ///
    /// # Errors
    /// Those of the database.
    pub fn serve(&mut self, visit: Visit) -> Result<(), WorkError> {
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
}

/// The setting that holds the desk's host key.
const HOST_KEY: &str = "serve host key";

/// The setting that says when somebody came over SSH last.
fn visit_of(name: &str) -> String {
    format!("visit {name}")
}
