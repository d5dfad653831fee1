//! Where things are on this machine.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::{ConfigError, Env};

/// The files of one workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths {
    pub workspace: PathBuf,
}

impl Paths {
    /// The workspace that was asked for: by the command line, by the environment, or the default
    /// one.
    pub fn find(asked: Option<&Path>, env: &Env) -> Result<Self, ConfigError> {
        if let Some(directory) = asked.or(env.workspace.as_deref()) {
            return Ok(Self { workspace: directory.to_owned() });
        }
        Ok(Self { workspace: home()?.data_dir().join("workspace") })
    }

    /// Where `casework demo` makes its workspace.
    pub fn demo() -> Result<Self, ConfigError> {
        Ok(Self { workspace: home()?.data_dir().join("demo") })
    }

    pub fn database(&self) -> PathBuf {
        self.workspace.join("casework.db")
    }

    pub fn config(&self) -> PathBuf {
        self.workspace.join("config.toml")
    }

    pub fn key(&self) -> PathBuf {
        self.workspace.join("device.key")
    }

    /// What no program that casework runs may read: the workspace, and whatever else lies where
    /// casework keeps its own.
    pub fn hidden(&self) -> Vec<PathBuf> {
        let mut hidden = vec![self.workspace.clone()];
        hidden.extend(home().map(|home| home.data_dir().to_owned()));
        hidden
    }

    /// Where what plug-ins print on the side is kept.
    pub fn plugin_logs(&self) -> PathBuf {
        self.workspace.join("plugins")
    }

    /// The key that is about to become the device's.
    pub fn next_key(&self) -> PathBuf {
        self.workspace.join("device.key.next")
    }
}

fn home() -> Result<ProjectDirs, ConfigError> {
    ProjectDirs::from("", "", "casework").ok_or(ConfigError::NoHome)
}
