//! Founding a workspace, and admitting people to it.

use std::path::Path;

use super::{WorkError, Workspace};
use crate::clock;
use crate::config::{Config, Env, Paths};
use crate::db::Db;
use crate::db::roster::{self, GrantRow};
use crate::domain::glossary::Glossary;
use crate::domain::ids::ReplicaId;
use crate::domain::policy::Policy;
use crate::domain::protocol;
use crate::domain::roster::is_name;
use crate::domain::time::Moment;
use crate::journal::kind::{
    GlossaryPublished, PolicySet, ProtocolPublished, ReplicaJoined, WorkspaceFounded,
};
use crate::journal::{Append, DeviceKey, chain};

/// A protocol that casework ships.
pub struct Starter {
    pub name: &'static str,
    pub about: &'static str,
    pub source: &'static str,
}

impl Starter {
    /// The shipped terms that it uses, and those they point to, as a glossary of its own.
    pub fn glossary(&self) -> String {
        let Ok(glossary) = Glossary::parse(STARTER_GLOSSARY) else { return String::new() };
        let Ok(protocol) = protocol::parse(self.source, None) else { return String::new() };
        let mut used: Vec<String> =
            protocol.questions.iter().flat_map(|question| question.terms.clone()).collect();
        let mut at = 0;
        while let Some(term) = used.get(at).and_then(|id| glossary.term(id)) {
            let more: Vec<String> =
                term.see.iter().filter(|id| !used.contains(id)).cloned().collect();
            used.extend(more);
            at += 1;
        }
        let unused = |part: &&str| {
            part.starts_with("[[term]]")
                && !used.iter().any(|id| part.contains(&format!("\nid = \"{id}\"\n")))
        };
        let parts = STARTER_GLOSSARY
            .split("\n\n")
            .filter(|part| !unused(part) && !part.starts_with("# ---"));
        parts.collect::<Vec<_>>().join("\n\n")
    }
}

/// What a team may begin with; a new workspace has the first, if nothing else is said.
pub const STARTERS: [Starter; 3] = [
    Starter {
        name: "text",
        about: "edge cases of a classifier of texts",
        source: include_str!("../../glossary/edge-cases.toml"),
    },
    Starter {
        name: "llm",
        about: "answers of a language model: fit to be sent or not, and what is wrong",
        source: include_str!("../../glossary/llm-answers.toml"),
    },
    Starter {
        name: "fraud",
        about: "decisions on rows of features: fraud, credit, claims",
        source: include_str!("../../glossary/fraud-decisions.toml"),
    },
];
pub const STARTER_GLOSSARY: &str = include_str!("../../glossary/terms.toml");

impl Workspace {
    /// Founds a workspace for `team`, which begins with a shipped protocol; `name` owns this device
    /// and is the first lead.
    pub fn create(
        paths: Paths,
        env: Env,
        team: &str,
        name: &str,
        starter: &Starter,
    ) -> Result<Self, WorkError> {
        let key = DeviceKey::from_seed(super::random()?);
        let mut founded = Self::create_bare(paths, env, team, name, key, clock::now())?;
        founded.begin_with(starter, clock::now())?;
        Ok(founded)
    }

    /// The same with a key and a time of the caller's, and the first of the shipped protocols.
    pub fn create_at(
        paths: Paths,
        env: Env,
        team: &str,
        name: &str,
        key: DeviceKey,
        now: Moment,
    ) -> Result<Self, WorkError> {
        let mut founded = Self::create_bare(paths, env, team, name, key, now)?;
        founded.begin_with(&STARTERS[0], now)?;
        Ok(founded)
    }

    fn begin_with(&mut self, starter: &Starter, now: Moment) -> Result<(), WorkError> {
        let protocol = protocol::parse(starter.source, None).map_err(|faults| {
            WorkError::Faults { name: "the shipped protocol".to_owned(), faults }
        })?;
        let published = vec![
            Append::new(&GlossaryPublished {
                version: 1,
                source: starter.glossary(),
                changes: String::new(),
            }),
            Append::new(&ProtocolPublished::new(&protocol, 1, "The protocol that casework ships.")),
        ];
        chain::append(&mut self.db, &self.key, &self.me, published, now)?;
        Ok(())
    }

    fn create_bare(
        paths: Paths,
        env: Env,
        team: &str,
        name: &str,
        key: DeviceKey,
        now: Moment,
    ) -> Result<Self, WorkError> {
        if !is_name(name) {
            return Err(WorkError::Name(name.to_owned()));
        }
        let file_error =
            |path: &Path, error| WorkError::File { path: path.display().to_string(), error };
        if paths.database().exists() || paths.key().exists() {
            return Err(WorkError::Exists(paths.workspace.display().to_string()));
        }
        super::private_directory(&paths.workspace)
            .map_err(|error| file_error(&paths.workspace, error))?;
        let config = Config::load(&paths.config())?;
        let mut db = Db::create(&paths.database())?;
        key.save_new(&paths.key())?;
        let founded = vec![
            Append::new(&WorkspaceFounded { name: team.to_owned() }),
            Append::new(&ReplicaJoined::new(name, &key)),
            Append::new(&PolicySet { policy: Policy::default() }),
        ];
        chain::append(&mut db, &key, name, founded, now)?;
        Ok(Self::with(db, paths, config, env, name.to_owned(), key))
    }

    pub fn roster(&self) -> Result<Vec<GrantRow>, WorkError> {
        Ok(roster::all(&self.db.conn)?)
    }

    /// Who holds which role now, on which device.
    ///
    /// # Errors
    /// Those of the database.
    pub fn roster_now(&self) -> Result<Vec<GrantRow>, WorkError> {
        Ok(roster::current(&self.db.conn)?)
    }

    /// How much of the work those take of whom that was said.
    pub fn profiles(
        &self,
    ) -> Result<std::collections::BTreeMap<String, crate::domain::roster::Profile>, WorkError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_sound_and_uses_every_term() {
        let glossary = Glossary::parse(STARTER_GLOSSARY).unwrap();
        let protocols: Vec<_> = STARTERS
            .iter()
            .map(|starter| {
                protocol::parse_strictly(starter.source, None)
                    .unwrap_or_else(|faults| panic!("{}: {faults:?}", starter.name))
            })
            .collect();
        let today = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        assert_eq!(glossary.findings(&protocols.iter().collect::<Vec<_>>(), today, |_| false), []);
        for (starter, protocol) in STARTERS.iter().zip(&protocols) {
            let own = Glossary::parse(&starter.glossary()).unwrap();
            assert_eq!(own.findings(&[protocol], today, |_| false), [], "{}", starter.name);
            assert_eq!(own.snippets.len(), glossary.snippets.len());
        }
    }
}
