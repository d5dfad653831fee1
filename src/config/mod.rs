//! Options, environment and directories. The only reader of the environment.
//!
//! `assets/config.toml` holds every option with its default; a workspace's `config.toml` is laid
//! over it.

mod env;
pub mod linear;
mod paths;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use crate::domain::advice::Advice;
use crate::domain::plugin::Plugin;

pub use env::{Credentials, Env, passed};
pub use linear::Linear;
pub use paths::Paths;

/// Every option and its default.
pub const DEFAULT: &str = include_str!("../../assets/config.toml");

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub review: Review,
    pub linear: Linear,
    pub ingest: Ingest,
    pub sync: Sync,
    pub redact: Redact,
    #[serde(default)]
    pub trap: Vec<Trap>,
    /// Programs of one's own that flag, suggest and look over.
    #[serde(default)]
    pub plugin: Vec<Plugin>,
    /// When a new cut is to be looked at.
    #[serde(default)]
    pub trigger: Vec<Trigger>,
    /// Other workspaces whose labels, cuts and runs are looked through too.
    #[serde(default)]
    pub catalog: Catalog,
    pub source: Source,
    pub attachments: Attachments,
    pub serve: Serve,
    /// What fields are, whatever they look like.
    #[serde(default)]
    pub view: BTreeMap<String, String>,
    /// Programs that open what is no words, by type: `image/*`.
    #[serde(default)]
    pub open: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    #[serde(rename = "as")]
    pub name: String,
    pub theme: ThemeName,
    pub borders: Borders,
    pub bidi: Bidi,
    pub pictures: Pictures,
    pub links: Links,
    pub mouse: bool,
    pub linear: bool,
    pub editor: String,
    pub defer_hours: u32,
    pub auto_submit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeName {
    /// Dark or light, as the terminal says its background is.
    Auto,
    Dark,
    Light,
    Mono,
}

/// Who puts text that is read from right to left in the order in which it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bidi {
    /// casework, unless the terminal is one that does and can't be told not to.
    Auto,
    App,
    Terminal,
    Off,
}

/// What pictures are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pictures {
    /// Points where the terminal says that it draws them.
    Auto,
    Blocks,
}

/// Where addresses in a case can be followed from the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Links {
    Never,
    /// Where the screen is not served to somebody else.
    Local,
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Borders {
    Unicode,
    Ascii,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ingest {
    pub neighbours: usize,
    pub logs: usize,
}

/// How this device exchanges with the shared store.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    pub store: String,
    pub every_seconds: u64,
    pub ssh: String,
}

/// A named rule that flags predictions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trap {
    pub name: String,
    #[serde(rename = "where")]
    pub rule: String,
    /// Skills that it takes to judge what it flags.
    #[serde(default)]
    pub needs: Vec<String>,
}

/// When a new cut is to be looked at.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    #[serde(default)]
    name: String,
    /// A rule over what is known of the workspace.
    pub when: String,
    /// The recipe that is proposed.
    pub recipe: String,
    /// For how long it then says nothing.
    pub cooldown: Option<String>,
}

impl Trigger {
    pub fn name(&self) -> String {
        if self.name.is_empty() { self.when.clone() } else { self.name.clone() }
    }
}

/// Where else to look for what was labeled and learned from.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    #[serde(default)]
    pub workspaces: Vec<String>,
}

/// What is replaced by pseudonyms before anything is written.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redact {
    pub kinds: Vec<String>,
    pub paths: Vec<String>,
    #[serde(default)]
    pub pattern: Vec<Pattern>,
}

/// Files that lines point to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachments {
    /// Folders below which they lie.
    pub roots: Vec<String>,
}

/// How the workspace is served over SSH.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serve {
    pub listen: Vec<String>,
    pub max: usize,
    pub per_person: usize,
    pub idle: String,
    pub banner: String,
    pub trusted_user_ca: String,
    pub one_address: Vec<String>,
}

/// A pattern of one's own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    pub name: String,
    pub regex: String,
}

/// Where things are found in lines of another shape.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    pub format: String,
    pub id: String,
    pub occurred_at: String,
    pub text: String,
    pub input: String,
    pub label: String,
    pub confidence: String,
    pub stream: String,
    pub trace_id: String,
    pub session_id: String,
    pub model: String,
    pub timezone: String,
    pub time_format: String,
    /// The sign before the places of a number: `.` or `,`.
    pub decimal: String,
}

impl Source {
    /// Whether lines have another shape than our own.
    pub fn is_mapped(&self) -> bool {
        !self.id.is_empty()
    }

    /// The same, with what was named for once in place of what it says.
    #[must_use]
    pub fn with(&self, named: &[(&'static str, String)]) -> Self {
        let mut source = self.clone();
        for (role, path) in named {
            let place = match *role {
                "id" => &mut source.id,
                "occurred_at" => &mut source.occurred_at,
                "text" => &mut source.text,
                "label" => &mut source.label,
                "confidence" => &mut source.confidence,
                _ => continue,
            };
            place.clone_from(path);
        }
        source
    }
}

/// A configuration that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {error}")]
    Read { path: String, error: std::io::Error },
    #[error("{path}: line {line}: {message}")]
    Parse { path: String, line: usize, message: String },
    #[error("{path}: {message}")]
    Value { path: String, message: String },
    #[error(
        "no home directory: set HOME, or name a workspace with --workspace or CASEWORK_WORKSPACE"
    )]
    NoHome,
}

impl Advice for ConfigError {
    fn next_step(&self) -> Option<String> {
        matches!(self, Self::Parse { .. } | Self::Value { .. })
            .then(|| "`casework paths --default-config` prints every option.".to_owned())
    }
}

impl Config {
    /// The defaults, with the file at `path` laid over them if there is one.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let name = || path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&text, &name()),
            Err(error) if error.kind() == ErrorKind::NotFound => Self::parse("", &name()),
            Err(error) => Err(ConfigError::Read { path: name(), error }),
        }
    }

    /// The defaults, with `text` laid over them.
    pub fn parse(text: &str, path: &str) -> Result<Self, ConfigError> {
        let parse = |text: &str| {
            text.parse::<toml::Table>().map_err(|error| {
                let line =
                    error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
                ConfigError::Parse {
                    path: path.to_owned(),
                    line,
                    message: error.message().replace('\n', " "),
                }
            })
        };
        let mut merged = parse(DEFAULT)?;
        for (section, over) in parse(text)? {
            match (merged.get_mut(&section), over) {
                (Some(toml::Value::Table(base)), toml::Value::Table(over)) => base.extend(over),
                (_, over) => drop(merged.insert(section, over)),
            }
        }
        let value = |message: String| ConfigError::Value { path: path.to_owned(), message };
        let config: Self = merged
            .try_into()
            .map_err(|error: toml::de::Error| value(error.message().replace('\n', " ")))?;
        if !matches!(config.source.format.as_str(), "json" | "logfmt") {
            return Err(value(format!(
                "source.format is `json` or `logfmt`, not `{}`",
                config.source.format
            )));
        }
        if let Some(fault) = config.plugin.iter().find_map(Plugin::fault) {
            return Err(value(fault));
        }
        for (at, plugin) in config.plugin.iter().enumerate() {
            if config.plugin[..at].iter().any(|other| other.name == plugin.name) {
                return Err(value(format!("two plug-ins are called `{}`", plugin.name)));
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_the_default() {
        let config = Config::parse("", "c").unwrap();
        assert_eq!(
            (config.review.theme, config.ingest.neighbours, config.trap.len()),
            (ThemeName::Auto, 5, 0)
        );
        assert!(!config.source.is_mapped());
    }

    #[test]
    fn a_file_changes_what_it_says_and_no_more() {
        let text = "[review]\ntheme = \"light\"\n[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\n[keys]\nsubmit = \"ctrl-s\"\n";
        let config = Config::parse(text, "c").unwrap();
        assert_eq!(
            (config.review.theme, config.review.borders),
            (ThemeName::Light, Borders::Unicode)
        );
        assert_eq!((config.trap.len(), config.keys["submit"].as_str()), (1, "ctrl-s"));
    }

    #[test]
    fn mistakes_are_named() {
        let check = |text: &str, expect: &str| {
            let error = Config::parse(text, "c.toml").unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check("[review]\ntheme = \"pink\"", "pink");
        check("[review]\nthem = \"dark\"", "them");
        check("[review]\ntheme = ", "line 2");
        check("[source]\nformat = \"xml\"", "source.format");
    }
}
