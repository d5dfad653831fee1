//! What the environment says.

use std::path::PathBuf;

/// The variables that casework looks at, read once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Env {
    /// `CASEWORK_WORKSPACE`
    pub workspace: Option<PathBuf>,
    /// `NO_COLOR` is set to something.
    pub no_color: bool,
    /// `VISUAL`, else `EDITOR`.
    pub editor: Option<String>,
    /// `TERM` names a terminal that can't move its cursor.
    pub dumb_terminal: bool,
    /// `COLORTERM` or `TERM` promise more than 16 colours.
    pub many_colors: bool,
}

impl Env {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks")]
    pub fn read() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let term = text("TERM").unwrap_or_default();
        Self {
            workspace: std::env::var_os("CASEWORK_WORKSPACE").filter(|value| !value.is_empty()).map(PathBuf::from),
            no_color: text("NO_COLOR").is_some(),
            editor: text("VISUAL").or_else(|| text("EDITOR")),
            dumb_terminal: term.is_empty() || term == "dumb",
            many_colors: text("COLORTERM").is_some() || term.contains("256color") || term.contains("direct"),
        }
    }
}
