//! The workspace and its shared store: founding on it, joining it, exchanging with it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::create::Starter;
use super::error::SharedStoreError;
use super::{WorkError, Workspace, ssh};
use crate::clock;
use crate::config::{Config, Env, Paths};
use crate::db::store::LAST_SYNC;
use crate::db::{self, Db};
use crate::domain::ids::{Hash, ReplicaId};
use crate::domain::roster::is_name;
use crate::domain::time::Moment;
use crate::journal::device::Because;
use crate::journal::identity;
use crate::journal::kind::ReplicaJoined;
use crate::journal::{Append, DeviceKey, chain};
use crate::sync::store::{self, Options};
use crate::sync::{Exchange, Fault, Store, SyncError, Synced, founded_on, pin};

/// What is remembered of the store between runs.
const STORE: &str = "store";
const TROUBLE: &str = "sync.trouble";

/// How the workspace stands with its store.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SyncStatus {
    pub store: String,
    /// The last sync that went through.
    #[serde(with = "crate::domain::time::rfc3339::option")]
    pub last: Option<Moment>,
    /// Why the latest did not.
    pub trouble: Option<String>,
    /// Own entries that the store has not.
    pub unpushed: u64,
    /// Entries of anybody that wait or do not count.
    pub quarantined: u64,
}

/// Opens a store, makes sure of it, and tells which workspace it holds.
fn prepare(
    url: &str,
    config: &Config,
    env: &Env,
    create: bool,
) -> Result<Box<dyn Store>, WorkError> {
    let mut store = store::open(url, &options(config, env, create)).map_err(SyncError::from)?;
    let random = super::random()?;
    store::probe(&mut *store, random).map_err(SyncError::from)?;
    Ok(store)
}

fn options(config: &Config, env: &Env, create: bool) -> Options {
    Options { ssh: config.sync.ssh.clone(), create, credentials: env.credentials.clone() }
}

/// The directory of this machine that a store is, if it is one.
fn directory_of(store: &str) -> Option<PathBuf> {
    let path = PathBuf::from(store.strip_prefix("file://").unwrap_or(store));
    Some(path).filter(|path| path.is_absolute())
}

/// A path as it will be understood from any directory; a URL as it is. `~/` is the home of whoever
/// asks; any other relative path begins at `from`, or where the program was started.
fn absolute(url: &str, from: Option<&Path>, env: &Env) -> Result<String, WorkError> {
    if url.contains("://") || url.is_empty() {
        return Ok(url.to_owned());
    }
    let failed = |error| WorkError::File { path: url.to_owned(), error };
    let path = match url.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let no_home = || {
                std::io::Error::new(
                    std::io::ErrorKind::NotFound,
                    "HOME is not set: write the whole path",
                )
            };
            let home = env.credentials.home.clone().ok_or_else(|| failed(no_home()))?;
            home.join(rest.trim_start_matches('/'))
        }
        Some(_) => {
            let words = "~NAME is not read here: write the whole path";
            return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidInput, words)));
        }
        None => from.map_or_else(|| PathBuf::from(url), |from| from.join(url)),
    };
    Ok(std::path::absolute(path).map_err(failed)?.display().to_string())
}

impl Workspace {
    /// Founds a workspace whose journal goes to `url`. Nothing is made here if the store is no
    /// good.
    pub fn found_on(
        paths: Paths,
        env: Env,
        team: &str,
        name: &str,
        url: &str,
        encrypt: bool,
        starter: &Starter,
    ) -> Result<Self, WorkError> {
        let config = Config::load(&paths.config())?;
        let url = absolute(url, None, &env)?;
        let mut store = prepare(&url, &config, &env, true)?;
        if let Some((theirs, _)) = founded_on(&mut *store)?.first() {
            return Err(SharedStoreError::Taken { store: url, theirs: theirs.to_string() }.into());
        }
        let mut workspace = Self::create(paths, env, team, name, starter)?;
        db::store::set_setting(&workspace.db.conn, STORE, &url)?;
        if encrypt {
            let policy = crate::domain::policy::Policy { encrypt, ..workspace.policy()? };
            workspace.set_policy(policy)?;
        }
        workspace.sync_with(&mut *store, &|| true)?;
        Ok(workspace)
    }

    /// Joins the workspace that the store at `url` holds: pins its id, leaves a request with a key,
    /// and takes in what is there. `expected` is the beginning of the id that it must have.
    pub fn join(
        paths: Paths,
        env: Env,
        url: &str,
        name: &str,
        expected: Option<&str>,
        ssh_key: Option<&Path>,
    ) -> Result<(Self, Synced), WorkError> {
        if !is_name(name) {
            return Err(WorkError::Name(name.to_owned()));
        }
        if paths.database().exists() || paths.key().exists() {
            return Err(WorkError::Exists(paths.workspace.display().to_string()));
        }
        let config = Config::load(&paths.config())?;
        let url = absolute(url, None, &env)?;
        let mut store = prepare(&url, &config, &env, false)?;
        let mut held = founded_on(&mut *store)?;
        let there: Vec<String> = held.iter().map(|(id, _)| id.to_string()).collect();
        held.retain(|(id, _)| expected.is_none_or(|expected| id.to_string().starts_with(expected)));
        let (id, founder) = match held.as_slice() {
            [] => {
                let error = match expected.filter(|_| !there.is_empty()) {
                    Some(expected) => SharedStoreError::AnotherThere {
                        store: url,
                        expected: expected.to_owned(),
                        ids: there,
                    },
                    None => SharedStoreError::NothingThere { store: url },
                };
                return Err(error.into());
            }
            [(id, first)] => (*id, first.replica),
            several => {
                let ids = several.iter().map(|(id, _)| id.to_string()).collect();
                return Err(SharedStoreError::SeveralThere { store: url, ids }.into());
            }
        };
        let seed = super::random()?;
        let key = DeviceKey::from_seed(seed);
        let proof = ssh_key.map(|path| ssh::prove(path, id, name, &key.public())).transpose()?;
        let at = (id, Some(founder));
        let mut workspace = Self::join_at(paths, env, at, name, key, proof, clock::now())?;
        db::store::set_setting(&workspace.db.conn, STORE, &url)?;
        let synced = workspace.sync_with(&mut *store, &|| true)?;
        Ok((workspace, synced))
    }

    /// Makes the files of a workspace that is joined, without a store.
    pub fn join_at(
        paths: Paths,
        env: Env,
        (id, founder): (Hash, Option<ReplicaId>),
        name: &str,
        key: DeviceKey,
        proof: Option<crate::journal::kind::SshProof>,
        now: Moment,
    ) -> Result<Self, WorkError> {
        let failed = |error| WorkError::File { path: paths.workspace.display().to_string(), error };
        super::private_directory(&paths.workspace).map_err(failed)?;
        let config = Config::load(&paths.config())?;
        let mut db = Db::create(&paths.database())?;
        pin(&db, id, founder)?;
        key.save_new(&paths.key())?;
        let joined = ReplicaJoined { ssh: proof, ..ReplicaJoined::new(name, &key) };
        chain::append(&mut db, &key, name, vec![Append::new(&joined)], now)?;
        Ok(Self::with(db, paths, config, env, name.to_owned(), key))
    }

    /// The store that this workspace exchanges with.
    pub fn store_url(&self) -> Result<Option<String>, WorkError> {
        if !self.config.sync.store.is_empty() {
            // It is beside the configuration that names it.
            return absolute(&self.config.sync.store, Some(&self.paths.workspace), &self.env)
                .map(Some);
        }
        Ok(db::store::setting(&self.db.conn, STORE)?.filter(|url| !url.is_empty()))
    }

    /// What no program that is run here may read: the workspace, and every store that it ever
    /// exchanged with and that is a directory.
    pub fn hidden(&self) -> Result<Vec<PathBuf>, WorkError> {
        let mut hidden = self.paths.hidden();
        let known = db::store::all(&self.db.conn)?;
        hidden.extend(known.into_iter().filter_map(|store| directory_of(&store)));
        hidden.extend(self.store_directory()?);
        Ok(hidden)
    }

    /// The store that this device exchanges with, if that is a directory of this machine.
    pub fn store_directory(&self) -> Result<Option<PathBuf>, WorkError> {
        Ok(self.store_url()?.as_deref().and_then(directory_of))
    }

    /// Opens the store at `url`; the first that is ever named is remembered, after it was probed.
    pub fn open_store(&self, url: Option<&str>) -> Result<Box<dyn Store>, WorkError> {
        let known = self.store_url()?;
        let url = url.map(|url| absolute(url, None, &self.env)).transpose()?;
        let first = url.is_some() && known.is_none();
        let url = url.or(known).ok_or(SharedStoreError::NoStore)?;
        let opened = if first || db::store::reach(&self.db.conn, &url)?.is_empty() {
            prepare(&url, &self.config, &self.env, true)
        } else {
            store::open(&url, &options(&self.config, &self.env, false))
                .map_err(|error| SyncError::from(error).into())
        };
        if let Err(error) = &opened {
            self.remember_sync(Some(&error.to_string()))?;
        }
        let opened = opened?;
        if first {
            db::store::set_setting(&self.db.conn, STORE, &url)?;
        }
        Ok(opened)
    }

    /// Exchanges with a store. Another copy of this workspace is noticed, and this one goes on as a
    /// device of its own.
    pub fn sync_with(
        &mut self,
        store: &mut dyn Store,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Synced, WorkError> {
        self.reload_key()?;
        let mut notices = Vec::new();
        if identity::is_copy(&self.db.conn)? {
            self.renew_copy(u64::MAX, &mut notices)?;
        }
        self.learn()?;
        let wanted = self.policy()?.encrypt;
        self.tend_secrets(wanted)?;
        let forgotten = db::erasure::count(&self.db.conn)?;
        let cases = self.case_count()?;
        let mut result = self.exchange(store, go_on);
        if let Err(SyncError::Copied { entries, .. }) = &result {
            let first = entries.iter().map(|entry| entry.seq).min().unwrap_or(1);
            self.renew_copy(first - 1, &mut notices)?;
            result = self.exchange(store, go_on);
        }
        // Only a new case or another erasure can show again what was erased here.
        if let Ok(synced) = &result
            && (self.case_count()?, db::erasure::count(&self.db.conn)?) != (cases, forgotten)
            && self.erase_again()? > 0
        {
            let first = synced.clone();
            result = self.exchange(store, go_on).map(|more| first.and(more));
        }
        if db::erasure::count(&self.db.conn)? > forgotten {
            self.scrub()?;
        }
        match result {
            Ok(mut synced) => {
                synced.notices.splice(0..0, notices);
                synced.notices.extend(self.clock_words()?);
                self.remember_sync(None)?;
                let (pulled, kept_out) = (synced.pulled.entries, synced.quarantined.len());
                tracing::info!(pulled, kept_out, "exchanged with the store");
                Ok(synced)
            }
            Err(error) => {
                tracing::warn!("the store: {error}");
                self.remember_sync(Some(&error.to_string()))?;
                Err(error.into())
            }
        }
    }

    /// Reads the whole store and names what is damaged; the next sync writes anew what is here.
    pub fn check_store(
        &mut self,
        store: &mut dyn Store,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Vec<Fault>, WorkError> {
        let encrypt = self.policy()?.encrypt;
        Ok(Exchange { db: &mut self.db, key: &self.key, store, encrypt, now: &clock::now, go_on }
            .check_store()?)
    }

    fn case_count(&self) -> Result<u64, WorkError> {
        Ok(db::count::with_prefix(&self.db.conn, "state:")?.into_iter().map(|(_, n)| n).sum())
    }

    fn renew_copy(&mut self, last: u64, notices: &mut Vec<String>) -> Result<(), WorkError> {
        let old = self.key.replica().short();
        let written = self.change_key(Because::Copied { last })?;
        let new = self.key.replica().short();
        notices.push(format!(
            "this workspace is a copy of another: it goes on as device {new} instead of {old}; {written} entries were written again"
        ));
        Ok(())
    }

    fn exchange(
        &mut self,
        store: &mut dyn Store,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Synced, SyncError> {
        let encrypt = self.policy().is_ok_and(|policy| policy.encrypt);
        Exchange { db: &mut self.db, key: &self.key, store, encrypt, now: &clock::now, go_on }.run()
    }

    fn remember_sync(&self, trouble: Option<&str>) -> Result<(), WorkError> {
        let conn = &self.db.conn;
        db::store::set_setting(conn, TROUBLE, trouble.unwrap_or_default())?;
        if trouble.is_none() {
            db::store::set_setting(conn, LAST_SYNC, &clock::now().0.to_string())?;
        }
        Ok(())
    }

    pub fn sync_status(&self) -> Result<SyncStatus, WorkError> {
        let conn = &self.db.conn;
        let store = self.store_url()?.unwrap_or_default();
        let own = self.key.replica();
        let head = db::journal::replica(conn, own)?.map_or(0, |head| head.head_seq);
        let there = db::store::reach(conn, &store)?.get(&own).copied().unwrap_or(0);
        Ok(SyncStatus {
            last: db::store::setting(conn, LAST_SYNC)?.and_then(|ms| ms.parse().ok()).map(Moment),
            trouble: db::store::setting(conn, TROUBLE)?.filter(|words| !words.is_empty()),
            unpushed: head.saturating_sub(there),
            quarantined: (db::journal::all_pending(conn)?.len()
                + db::journal::dropped(conn)?.len()
                + db::roster::held(conn)?.len()) as u64,
            store,
        })
    }
}
