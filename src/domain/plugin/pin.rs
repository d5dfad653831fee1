//! What a plug-in is and may do, to the byte.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::declared::Plugin;
use crate::domain::ids::hex;

/// What a plug-in is, to the byte, and what it may do and is told: what a lead has looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Of its file; of several, of the list that `sha256sum` prints of them.
    pub sha256: String,
    /// Program and arguments.
    pub run: Vec<String>,
    /// The files that are pinned, as they are named.
    #[serde(default)]
    pub files: Vec<String>,
    /// The fields that it is sent; none: the whole row.
    #[serde(default)]
    pub wants: Vec<String>,
    /// Whether it may reach the network.
    #[serde(default)]
    pub network: bool,
    /// Variables of the environment that it is given.
    #[serde(default)]
    pub pass: Vec<String>,
    /// The sha256 of what it is told at the beginning; nothing of nothing.
    #[serde(default)]
    pub config: String,
}

impl Pin {
    /// Of a plug-in whose files have these hashes, by name.
    pub fn of(plugin: &Plugin, hashes: &[(String, String)]) -> Self {
        let sha256 = match hashes {
            [(_, only)] => only.clone(),
            several => {
                let line = |(name, hash): &(String, String)| format!("{hash}  {name}\n");
                sha256_of(&several.iter().map(line).collect::<String>())
            }
        };
        let told = Value::from(plugin.config.clone()).to_string();
        let config = if plugin.config.is_empty() { String::new() } else { sha256_of(&told) };
        Self {
            sha256,
            run: plugin.run.clone(),
            files: hashes.iter().map(|(name, _)| name.clone()).collect(),
            wants: plugin.wants.clone(),
            network: plugin.network,
            pass: plugin.pass.clone(),
            config,
        }
    }

    /// All of it in one word: another word is another program.
    pub fn word(&self) -> String {
        sha256_of(&serde_json::to_string(self).unwrap_or_default())
    }

    /// In what this is not what was pinned, in words.
    pub fn differs(&self, pinned: &Self) -> Option<String> {
        let list = |list: &[String]| match list {
            [] => "nothing".to_owned(),
            list => list.join(", "),
        };
        if let Some(gone) = pinned.files.iter().find(|name| !self.files.contains(name)) {
            Some(format!("its file `{gone}` is not there any more"))
        } else if self.run != pinned.run {
            Some(format!("it ran `{}`", pinned.run.join(" ")))
        } else if self.sha256 != pinned.sha256 {
            Some(format!("the sha256 of its files is {}, and was {}", self.sha256, pinned.sha256))
        } else if self.files != pinned.files {
            Some(format!("its files were {}", list(&pinned.files)))
        } else if self.network != pinned.network {
            let was = if pinned.network { "it might" } else { "it might not" };
            Some(format!("{was} reach the network"))
        } else if self.pass != pinned.pass {
            Some(format!("it was given {} of the environment", list(&pinned.pass)))
        } else if self.wants != pinned.wants {
            Some(format!(
                "it was sent {}",
                match pinned.wants.as_slice() {
                    [] => "the whole row".to_owned(),
                    wants => wants.join(", "),
                }
            ))
        } else if self.config != pinned.config {
            Some("its `config` was another".to_owned())
        } else {
            None
        }
    }
}

fn sha256_of(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}
