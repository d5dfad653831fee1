//! The keys of calibration sessions, to which the labels of their first rounds are sealed: who has
//! them, and who is to be given them.

use std::collections::{BTreeMap, BTreeSet};

use super::people::Holder;
use super::{WorkError, Workspace};
use crate::domain::calibration::{Amendment, Calibration, Sealing};
use crate::domain::ids::ReplicaId;
use crate::domain::roster::Role;
use crate::journal::Append;
use crate::journal::agekey::{self, Secret};
use crate::journal::kind::SessionAmended;

impl Workspace {
    /// A key for a new session, for the devices of all who lead.
    pub(super) fn new_sealing(&self) -> Result<Sealing, WorkError> {
        let secret = Secret::new();
        let keys = self.lead_devices()?;
        let (recipient, keys) = (secret.recipient.clone(), secret.sealed_to(keys.values())?);
        Ok(Sealing { recipient, keys })
    }

    /// The devices of all who lead, with their keys.
    fn lead_devices(&self) -> Result<BTreeMap<ReplicaId, [u8; 32]>, WorkError> {
        let leads = |holder: &Holder| holder.works() && holder.roles.contains(&Role::Lead);
        let people = self.people()?.into_iter().filter(leads);
        let mut devices: BTreeMap<_, _> =
            people.filter_map(|holder| Some((holder.replica, holder.key?))).collect();
        if self.is_lead()? {
            devices.insert(self.key.replica(), self.key.public());
        }
        Ok(devices)
    }

    /// The secret half of a session's key, if this device was given it.
    pub(super) fn session_secret(&self, session: &Calibration) -> Option<Secret> {
        let sealing = session.opened.what.sealing.as_ref()?;
        let given = session.keys_for(self.key.replica());
        let mut opened = given.filter_map(|sealed| agekey::opened(sealed, &self.key));
        opened.find(|secret| secret.recipient == sealing.recipient)
    }

    /// Who can reveal a session that is sealed: leads, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn session_key_holders(&self, session: &Calibration) -> Result<Vec<String>, WorkError> {
        let devices = session.key_holders();
        let mut people = self.people()?;
        people.retain(|holder| holder.works() && devices.contains(&holder.replica));
        people.retain(|holder| holder.roles.contains(&Role::Lead));
        let names: BTreeSet<String> = people.into_iter().map(|holder| holder.name).collect();
        Ok(names.into_iter().collect())
    }

    /// The keys of sessions that are not revealed, for devices of leads that were not given them.
    pub(super) fn session_keys_due(
        &self,
        known: &[(String, Secret)],
    ) -> Result<Vec<Append>, WorkError> {
        if known.is_empty() || !self.is_lead()? {
            return Ok(Vec::new());
        }
        let devices = self.lead_devices()?;
        let mut events = Vec::new();
        for (name, secret) in known {
            let holders = self.session(name)?.key_holders();
            let lacking = devices.iter().filter(|(device, _)| !holders.contains(device));
            let keys = secret.sealed_to(lacking.map(|(_, key)| key))?;
            if !keys.is_empty() {
                events.push(given(name, keys));
            }
        }
        Ok(events)
    }

    /// The keys of sessions that are not revealed, for a new key of this device.
    pub(super) fn session_keys_for(
        &self,
        known: &[(String, Secret)],
        owner: &str,
        new: &[u8; 32],
    ) -> Result<Vec<Append>, WorkError> {
        let roles = crate::db::roster::roles(&self.db.conn, owner, self.key.replica())?;
        if known.is_empty() || !roles.contains(&Role::Lead) {
            return Ok(Vec::new());
        }
        let one = |(name, secret): &(String, Secret)| Ok(given(name, secret.sealed_to([new])?));
        known.iter().map(one).collect()
    }

    /// The keys of sessions that are not revealed, as far as this device has them.
    pub(super) fn session_secrets(&self) -> Result<Vec<(String, Secret)>, WorkError> {
        let mut sessions = self.sessions()?;
        sessions.retain(|session| !session.stage().is_revealed());
        let known = sessions
            .iter()
            .filter_map(|session| Some((session.name().to_owned(), self.session_secret(session)?)));
        Ok(known.collect())
    }
}

/// That devices are given the key of a session.
fn given(session: &str, keys: BTreeMap<ReplicaId, String>) -> Append {
    let change = Amendment { session: session.to_owned(), keys, ..Amendment::default() };
    Append::new(&SessionAmended(change))
}
