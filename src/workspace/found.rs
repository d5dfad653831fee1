//! Founding a workspace, and admitting people to it.

use std::path::Path;

use super::{WorkError, Workspace};
use crate::clock;
use crate::config::{Config, Env, Paths};
use crate::db::Db;
use crate::db::roster::{self, GrantRow};
use crate::domain::ids::ReplicaId;
use crate::domain::policy::Policy;
use crate::domain::protocol;
use crate::domain::roster::is_name;
use crate::domain::time::Moment;
use crate::journal::blob::Unpacker;
use crate::journal::kind::{GlossaryPublished, PolicySet, ProtocolPublished, ReplicaJoined, WorkspaceFounded};
use crate::journal::{Append, DeviceKey, chain};

/// What a new workspace starts with.
pub const STARTER_PROTOCOL: &str = include_str!("../../glossary/edge-cases.toml");
pub const STARTER_GLOSSARY: &str = include_str!("../../glossary/terms.toml");

impl Workspace {
    /// Founds a workspace for `team`; `name` owns this device and is the first lead.
    pub fn found(paths: Paths, env: Env, team: &str, name: &str) -> Result<Self, WorkError> {
        let seed = super::random()?;
        Self::found_at(paths, env, team, name, DeviceKey::from_seed(seed), clock::now())
    }

    /// The same with a key and a time of the caller's.
    pub fn found_at(paths: Paths, env: Env, team: &str, name: &str, key: DeviceKey, now: Moment) -> Result<Self, WorkError> {
        if !is_name(name) {
            return Err(WorkError::Name(name.to_owned()));
        }
        let file_error = |path: &Path, error| WorkError::File { path: path.display().to_string(), error };
        if paths.database().exists() || paths.key().exists() {
            return Err(WorkError::Exists(paths.workspace.display().to_string()));
        }
        super::private_directory(&paths.workspace).map_err(|error| file_error(&paths.workspace, error))?;
        let config = Config::load(&paths.config())?;
        let mut db = Db::create(&paths.database())?;
        key.save_new(&paths.key())?;
        let founded = vec![
            Append::new(&WorkspaceFounded { name: team.to_owned() }),
            Append::new(&ReplicaJoined::new(name, &key)),
            Append::new(&PolicySet { policy: Policy::default() }),
        ];
        chain::append(&mut db, &key, name, founded, now)?;
        let starter = protocol::parse(STARTER_PROTOCOL, None)
            .map_err(|faults| WorkError::Faults { name: "the shipped protocol".to_owned(), faults })?;
        let published = vec![
            Append::new(&GlossaryPublished { version: 1, source: STARTER_GLOSSARY.to_owned() }),
            Append::new(&ProtocolPublished::new(&starter, 1, "The protocol that casework ships.")),
        ];
        chain::append(&mut db, &key, name, published, now)?;
        Ok(Self { db, paths, config, env, me: name.to_owned(), at: None, key, unpacker: Unpacker::default() })
    }

    pub fn roster(&self) -> Result<Vec<GrantRow>, WorkError> {
        Ok(roster::all(&self.db.conn)?)
    }

    /// How much of the work those take of whom that was said.
    pub fn profiles(&self) -> Result<std::collections::BTreeMap<String, crate::domain::roster::Profile>, WorkError> {
        Ok(roster::profiles(&self.db.conn)?)
    }

    /// The id of this device.
    pub fn replica(&self) -> ReplicaId {
        self.key.replica()
    }

    /// The key that signs this device's entries.
    pub fn key(&self) -> &DeviceKey {
        &self.key
    }
}
