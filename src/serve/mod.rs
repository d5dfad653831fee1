//! Serving a workspace over SSH: the system's own `sshd`, without root, with a configuration, a key
//! and a door of its own. All that faces the network is OpenSSH.
//!
//! ```text
//!  ssh ─▶ sshd ──key──▶ authorized_keys, or `serve keys` ◀── doors (journal)
//!           │  whose it is: the line that the key opens
//!           ▼
//!        `serve session NAME KEY`: asks the door again, holds itself back, then screen or command
//! ```
//!
//! One account runs all sessions and one device key signs for all; who is at work the SSH key says.

pub mod hold;
pub mod live;
pub mod place;
pub mod sshd;
pub mod supervisor;

use std::path::Path;

use crate::domain::door::{Door, shell_word};

/// What is run for a door, whatever its client asks for.
pub fn command_of(door: &Door, program: &Path, workspace: &Path) -> String {
    session_of(&door.name, &door.key.fingerprint(), program, workspace)
}

/// What stands in the place of a key's fingerprint where somebody comes with a certificate.
pub const CERTIFIED: &str = "certificate";

fn session_of(name: &str, key: &str, program: &Path, workspace: &Path) -> String {
    format!(
        "{} --workspace {} serve session {name} {key}",
        shell_word(&program.display().to_string()),
        shell_word(&workspace.display().to_string()),
    )
}

/// The lines of sshd's file of principals: for each name what is run for whoever has a certificate for
/// it.
pub fn principals(names: &[String], program: &Path, workspace: &Path) -> String {
    let line = |name: &String| {
        let command = session_of(name, CERTIFIED, program, workspace);
        let command = command.replace('\\', "\\\\").replace('"', "\\\"");
        format!("restrict,pty,command=\"{command}\" {name}\n")
    };
    names.iter().map(line).collect()
}

/// Why something can't be served, and with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "there is no sshd here: install OpenSSH's server (Debian: openssh-server), which need not be started"
    )]
    NoSshd,
    #[error(
        "casework serve is for an ordinary account: as root it would give everybody root's files. `casework serve --print sshd` prints a piece for the system's own sshd"
    )]
    Root,
    #[error("{0} holds a quote, a percent sign or a line's end, which sshd's files can't: move it")]
    Path(String),
    #[error(
        "the host key {0} is gone or another, and people know this desk by it: put it back from a backup. Or have another made by --new-host-key, and tell everybody"
    )]
    HostKeyGone(String),
    #[error("{path} can be {what} by others: chmod {mode} {path}")]
    Open { path: String, what: &'static str, mode: &'static str },
    #[error("this workspace is served already, by process {0}")]
    Served(String),
    #[error("sshd refuses the configuration: {0}")]
    Refused(String),
    #[error("sshd can't listen on {0}: {1}")]
    Listen(String, String),
    #[error("{0}: {1}")]
    File(String, std::io::Error),
}
