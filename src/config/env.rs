//! What the environment says.

use std::ffi::OsString;
use std::path::PathBuf;

/// The variables that casework looks at, read once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Env {
    /// `CASEWORK_WORKSPACE`
    pub workspace: Option<PathBuf>,
    /// `CASEWORK_LOG`: the file in which is told what happened.
    pub log: Option<PathBuf>,
    /// `NO_COLOR` is set to something.
    pub no_color: bool,
    /// `COLORFGBG` says that the terminal's background is light.
    pub light_background: bool,
    /// The terminal puts text that is read from right to left in order, and can't be told not to.
    pub arranges_text: bool,
    /// tmux or screen stands between this and the terminal.
    pub in_multiplexer: bool,
    /// The terminal is one that may be asked what it is.
    pub can_be_asked: bool,
    /// `VISUAL`, else `EDITOR`.
    pub editor: Option<String>,
    /// `TERM` names a terminal that can't move its cursor.
    pub dumb_terminal: bool,
    /// `CASEWORK_LINEAR`: whether the review is to be line by line.
    pub linear: Option<bool>,
    /// `ACCESSIBLE` is set to something but `0` or `false`.
    pub accessible: bool,
    /// `COLORTERM` or `TERM` promise more than 16 colours.
    pub many_colors: bool,
    /// `SSH_ORIGINAL_COMMAND`: what whoever came over SSH asked for.
    pub ssh_command: Option<OsString>,
    /// `SSH_USER_AUTH`: the file in which sshd says by which key.
    pub ssh_auth: Option<PathBuf>,
    /// Their address, of `SSH_CONNECTION`.
    pub ssh_client: Option<String>,
    /// `USER`, else `LOGNAME`: the account in which this runs.
    pub account: Option<String>,
    pub credentials: Credentials,
}

/// Where credentials for stores are, by each client's own custom. What else a cloud's client reads
/// (keys, tokens, endpoints: `AWS_…`, `GOOGLE_…`, `AZURE_…`) it reads itself.
#[derive(Clone, Default, PartialEq)]
pub struct Credentials {
    pub home: Option<PathBuf>,
    /// `AWS_PROFILE`
    pub aws_profile: Option<String>,
    /// `AWS_ACCESS_KEY_ID` is set: profiles are not looked at.
    pub aws_key: bool,
    /// `AWS_SHARED_CREDENTIALS_FILE`
    pub aws_credentials_file: Option<PathBuf>,
    /// `AWS_CONFIG_FILE`
    pub aws_config_file: Option<PathBuf>,
    /// `PGUSER`
    pub pg_user: Option<String>,
    /// `PGPASSWORD`
    pub pg_password: Option<String>,
    /// `PGPASSFILE`
    pub pg_passfile: Option<PathBuf>,
}

/// Without the secret that may be in it.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("home", &self.home)
            .field("aws_profile", &self.aws_profile)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// A file in the home directory, unless the environment names another.
    pub fn file(&self, named: Option<&PathBuf>, usual: &str) -> Option<PathBuf> {
        named.cloned().or_else(|| self.home.as_ref().map(|home| home.join(usual)))
    }
}

/// Whether a switch is on: whatever it is set to, but for these.
fn is_on(text: &str) -> bool {
    !["0", "false", "no", "off"].contains(&text.to_lowercase().as_str())
}

/// A variable that is passed on as it is to a program that somebody runs.
#[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
pub fn passed(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Env {
    /// Why a review goes line by line rather than on a screen, if it does; `asked` is whether the
    /// command line asks for it, `wanted` what of its person or the configuration does.
    pub fn linear_because(
        &self,
        asked: bool,
        wanted: Option<&'static str>,
    ) -> Option<&'static str> {
        match (asked, self.linear) {
            (true, _) => Some("--linear"),
            (_, Some(false)) => None,
            (_, Some(true)) => Some("CASEWORK_LINEAR is set"),
            _ if self.accessible => Some("ACCESSIBLE is set"),
            _ if wanted.is_some() => wanted,
            _ if self.dumb_terminal => Some("TERM names no terminal that a screen can be drawn on"),
            _ => None,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    pub fn read() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name: &str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        let term = text("TERM").unwrap_or_default();
        Self {
            workspace: path("CASEWORK_WORKSPACE"),
            log: path("CASEWORK_LOG"),
            no_color: text("NO_COLOR").is_some(),
            // `15;default;0`: the last number is the background's slot, of which 7 and 15 are light.
            light_background: text("COLORFGBG")
                .is_some_and(|value| ["7", "15"].contains(&value.rsplit(';').next().unwrap_or(""))),
            arranges_text: text("KONSOLE_VERSION").is_some()
                || text("TERM_PROGRAM").is_some_and(|name| name == "Apple_Terminal")
                || ["mlterm", "putty", "konsole"].iter().any(|name| term.starts_with(name)),
            in_multiplexer: text("TMUX").is_some()
                || text("STY").is_some()
                || ["tmux", "screen"].iter().any(|name| term.starts_with(name)),
            can_be_asked: !term.is_empty()
                && !["dumb", "linux", "vt", "ansi", "cons"]
                    .iter()
                    .any(|name| term.starts_with(name)),
            editor: text("VISUAL").or_else(|| text("EDITOR")),
            dumb_terminal: term.is_empty() || term == "dumb",
            linear: text("CASEWORK_LINEAR").map(|text| is_on(&text)),
            accessible: text("ACCESSIBLE").is_some_and(|text| is_on(&text)),
            many_colors: text("COLORTERM").is_some()
                || term.contains("256color")
                || term.contains("direct"),
            ssh_command: std::env::var_os("SSH_ORIGINAL_COMMAND"),
            ssh_auth: path("SSH_USER_AUTH"),
            ssh_client: text("SSH_CONNECTION")
                .and_then(|words| words.split(' ').next().map(str::to_owned)),
            account: text("USER").or_else(|| text("LOGNAME")),
            credentials: Credentials {
                home: path("HOME"),
                aws_profile: text("AWS_PROFILE"),
                aws_key: text("AWS_ACCESS_KEY_ID").is_some(),
                aws_credentials_file: path("AWS_SHARED_CREDENTIALS_FILE"),
                aws_config_file: path("AWS_CONFIG_FILE"),
                pg_user: text("PGUSER").or_else(|| text("USER")),
                pg_password: text("PGPASSWORD"),
                pg_passfile: path("PGPASSFILE"),
            },
        }
    }
}
