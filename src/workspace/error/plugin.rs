//! What can go wrong with plug-ins, and what to do about it.

use crate::domain::advice::Advice;
use crate::domain::plugin::PluginKind;

#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    #[error("no plug-in is called `{name}`: {}", known_here(known))]
    Unknown { name: String, known: Vec<String> },
    #[error("`{name}` is a {is}, and this takes a {needs}")]
    OtherKind { name: String, is: PluginKind, needs: PluginKind },
    #[error("the plug-in `{0}` is not pinned: nobody has looked at what it runs")]
    NotPinned(String),
    #[error("the plug-in `{name}` is not what was pinned: {what}")]
    Changed { name: String, what: String },
    #[error("the plug-in `{name}`: {error}")]
    File { name: String, error: std::io::Error },
    #[error("no plug-in is run for whoever comes over SSH")]
    Served,
}

fn known_here(known: &[String]) -> String {
    match known {
        [] => "config.toml has no [[plugin]]".to_owned(),
        known => format!("config.toml has {}", known.join(", ")),
    }
}

impl Advice for PluginError {
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Unknown { known, .. } if known.is_empty() => Some(
                "`casework plugin example python` prints one, and what config.toml says of it."
                    .to_owned(),
            ),
            Self::NotPinned(name) | Self::Changed { name, .. } => {
                Some(format!("A lead looks at it and pins it: `casework plugin pin {name}`."))
            }
            Self::OtherKind { .. } | Self::Unknown { .. } => {
                Some("`casework plugin list` shows all.".to_owned())
            }
            Self::File { .. } | Self::Served => None,
        }
    }
}
