//! Plug-ins of this device: those that the configuration has, what of them is pinned, and those that
//! run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::error::PluginError;
use super::{WorkError, Workspace};
use crate::db::{document, suggestion};
use crate::domain::plugin::{Pin, Plugin, PluginKind};
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::domain::traps::Trap;
use crate::journal::Append;
use crate::journal::kind::PluginPinned;
use crate::plugin::place::pin_of;
use crate::plugin::{Host, Place};
use crate::sandbox::Level;

/// How a plug-in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Pinned,
    /// Nobody has looked at it.
    NotPinned,
    /// Its files, or its command line, are others than those that were pinned.
    Changed,
    /// A file of it can't be read.
    Broken,
    /// It is pinned, and this device has none of that name.
    NotHere,
}

impl Standing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::NotPinned => "not pinned",
            Self::Changed => "changed since it was pinned",
            Self::Broken => "a file of it can't be read",
            Self::NotHere => "not on this device",
        }
    }
}

/// A plug-in that is known here.
#[derive(Debug, Clone)]
pub struct KnownPlugin {
    pub name: String,
    pub kind: PluginKind,
    pub run: Vec<String>,
    pub standing: Standing,
    /// In what it is not what was pinned, or why it can't be read.
    pub trouble: Option<String>,
    /// What it is now, if that can be read.
    pub sha256: Option<String>,
    /// What was pinned, by whom, when.
    pub pinned: Option<Pinned>,
}

#[derive(Debug, Clone)]
pub struct Pinned {
    pub pin: PluginPinned,
    pub author: String,
    pub at: Moment,
}

/// Those that run, by name: they stay while the workspace is open.
pub(super) type Hosts = BTreeMap<String, Host>;

impl Workspace {
    /// Where the files of plug-ins lie.
    fn beside_config(&self) -> PathBuf {
        self.paths.config().parent().map(PathBuf::from).unwrap_or_default()
    }

    /// A plug-in of the configuration.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn plugin(&self, name: &str) -> Result<&Plugin, WorkError> {
        let known = || self.config.plugin.iter().map(|plugin| plugin.name.clone()).collect();
        let found = self.config.plugin.iter().find(|plugin| plugin.name == name);
        Ok(found.ok_or_else(|| PluginError::Unknown { name: name.to_owned(), known: known() })?)
    }

    fn pinned(&self, name: &str) -> Result<Option<Pinned>, WorkError> {
        let row = document::latest_named(&self.db.conn, "plugin", name)?;
        Ok(row.and_then(|row| {
            let pin = serde_json::from_str(&row.body).ok()?;
            Some(Pinned { pin, author: row.author, at: row.at.moment() })
        }))
    }

    /// All that are known: those of the configuration, and those that were pinned.
    ///
    /// # Errors
    /// Those of the database.
    pub fn plugins(&self) -> Result<Vec<KnownPlugin>, WorkError> {
        let mut known = Vec::new();
        for plugin in &self.config.plugin {
            let pinned = self.pinned(&plugin.name)?;
            let now = pin_of(plugin, &self.beside_config(), &self.hidden()?);
            let (standing, trouble) = match (&now, &pinned) {
                (Err(error), _) => (Standing::Broken, Some(error.to_string())),
                (Ok(_), None) => (Standing::NotPinned, None),
                (Ok(now), Some(pinned)) => match differs(plugin, now, &pinned.pin) {
                    None => (Standing::Pinned, None),
                    Some(what) => (Standing::Changed, Some(what)),
                },
            };
            known.push(KnownPlugin {
                name: plugin.name.clone(),
                kind: plugin.kind,
                run: plugin.run.clone(),
                standing,
                trouble,
                sha256: now.ok().map(|now| now.sha256),
                pinned,
            });
        }
        for row in document::of_kind(&self.db.conn, "plugin")? {
            if known.iter().any(|one| one.name == row.name) {
                continue;
            }
            let Ok(pin) = serde_json::from_str::<PluginPinned>(&row.body) else { continue };
            known.push(KnownPlugin {
                name: row.name,
                kind: pin.does,
                run: pin.pin.run.clone(),
                standing: Standing::NotHere,
                trouble: None,
                sha256: None,
                pinned: Some(Pinned { pin, author: row.author, at: row.at.moment() }),
            });
        }
        Ok(known)
    }

    /// Labelers that suggested anything, wherever that was.
    ///
    /// # Errors
    /// Those of the database.
    pub fn labelers(&self) -> Result<Vec<String>, WorkError> {
        Ok(suggestion::plugins(&self.db.conn)?)
    }

    /// Says that a plug-in may run as it is now. Returns what it is, and whether that is new.
    ///
    /// # Errors
    /// There is none of that name, a file of it can't be read, or the role does not allow it.
    pub fn pin_plugin(&mut self, name: &str) -> Result<(Pin, bool), WorkError> {
        self.needs_role(&[Role::Lead], "lead")?;
        let plugin = self.plugin(name)?.clone();
        let failed = |error| PluginError::File { name: name.to_owned(), error };
        let pin = pin_of(&plugin, &self.beside_config(), &self.hidden()?).map_err(failed)?;
        let known = self.pinned(name)?;
        if known.is_some_and(|known| differs(&plugin, &pin, &known.pin).is_none()) {
            return Ok((pin, false));
        }
        let event = PluginPinned { name: plugin.name.clone(), does: plugin.kind, pin: pin.clone() };
        self.append(vec![Append::new(&event)])?;
        Ok((pin, true))
    }

    /// A plug-in of a kind, as it is pinned, at its place.
    pub(super) fn host_of(&self, name: &str, needs: PluginKind) -> Result<Host, WorkError> {
        if self.served {
            return Err(PluginError::Served.into());
        }
        let plugin = self.plugin(name)?;
        let is = plugin.kind;
        if is != needs {
            return Err(PluginError::OtherKind { name: name.to_owned(), is, needs }.into());
        }
        let pinned = self.pinned(name)?.ok_or_else(|| PluginError::NotPinned(name.to_owned()))?;
        let failed = |error| PluginError::File { name: name.to_owned(), error };
        // What runs are copies, and these are what is compared.
        let place = Place::new(plugin, &self.beside_config(), self.hidden()?).map_err(failed)?;
        if let Some(what) = differs(plugin, &place.pin, &pinned.pin) {
            return Err(PluginError::Changed { name: name.to_owned(), what }.into());
        }
        let logs = self.paths.plugin_logs();
        super::private_directory(&logs).map_err(failed)?;
        Ok(Host::new(plugin.clone(), place).logging_to(logs.join(format!("{name}.log"))))
    }

    /// The detectors that traps ask, each with what was pinned in a word; one that is not in the
    /// configuration, or was never pinned, is known by its name alone.
    pub(super) fn detectors_of(&self, traps: &[Trap]) -> Vec<(Plugin, String)> {
        let mut found: Vec<(Plugin, String)> = Vec::new();
        for by in traps.iter().filter_map(|trap| trap.plugin.as_ref()) {
            if found.iter().any(|(plugin, _)| plugin.name == by.name) {
                continue;
            }
            let plugin = self.plugin(&by.name).cloned().unwrap_or_else(|_| Plugin {
                name: by.name.clone(),
                ..Plugin::to_try(PluginKind::Detector, Vec::new())
            });
            let pinned = self.pinned(&by.name).ok().flatten();
            found.push((plugin, pinned.map(|known| known.pin.pin.word()).unwrap_or_default()));
        }
        found
    }

    /// What holds plug-ins back here, and whether one could read this device's key in spite of it.
    ///
    /// # Errors
    /// It can't be tried.
    pub fn try_sandbox(&self) -> Result<(Level, bool), WorkError> {
        let failed = |error| PluginError::File { name: "sh".to_owned(), error };
        Ok(Place::can_read(&self.paths.key(), self.hidden()?).map_err(failed)?)
    }

    /// Takes the plug-in out that runs, or begins it; [`Self::keep_host`] takes it back.
    pub(super) fn take_host(&mut self, name: &str, kind: PluginKind) -> Result<Host, WorkError> {
        match self.hosts.remove(name) {
            Some(host) => Ok(host),
            None => self.host_of(name, kind),
        }
    }

    pub(super) fn keep_host(&mut self, name: String, host: Host) {
        self.hosts.insert(name, host);
    }
}

/// In what a plug-in is not what was pinned, in words.
fn differs(plugin: &Plugin, now: &Pin, pinned: &PluginPinned) -> Option<String> {
    if plugin.kind != pinned.does {
        return Some(format!("it was a {}", pinned.does));
    }
    if let Some(what) = now.differs(&pinned.pin) {
        return Some(what);
    }
    let said = plugin.sha256.as_ref().filter(|said| **said != now.sha256)?;
    Some(format!("the sha256 of its files is {}, and config.toml says {said}", now.sha256))
}
