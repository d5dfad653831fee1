//! The screen's first state on a workspace, and what drives it.

use super::action::rows;
use super::keymap::Keymap;
use super::place::WhereWasI;
use super::shell::Shell;
use super::theme::Theme;
use crate::config::{Bidi, Env, ThemeName};
use crate::domain::time::Moment;
use crate::session::io::driver::start_of;
use crate::session::mode::Training;
use crate::session::state::Message;
use crate::session::{Driver, Effect, Report, Session};
use crate::workspace::{WorkError, Workspace};

/// The screen at work on a workspace.
pub type Review = Driver<Shell>;

impl Shell {
    /// The screen's first state on a workspace, and what to do to fill it.
    fn open(
        workspace: &Workspace,
        size: (u16, u16),
        now: Moment,
        training: Option<Training>,
    ) -> Result<(Self, Vec<Effect>), WorkError> {
        let place =
            workspace.place()?.and_then(|place| serde_json::from_str::<WhereWasI>(&place).ok());
        // A training and a calibration session begin where they begin.
        let place = place
            .filter(|_| training.is_none() && workspace.in_round.is_none())
            .unwrap_or_default();
        let mut keymap = Keymap::new(&workspace.config.keys, rows());
        keymap.served = workspace.served;
        let mut start = start_of(workspace, now, place.case, training)?;
        let trouble = keymap.troubles.first().map(|trouble| format!("config.toml: {trouble}"));
        start.message = trouble.map(|words| Message { words, hint: "" }).or(start.message);
        let (session, effects) = Session::start(start);
        let theme = Theme::of(&workspace.config, &workspace.env);
        let mut shell =
            Self::new(session, size, theme, keymap, workspace.config.review.mouse, place);
        let (config, env) = (&workspace.config, &workspace.env);
        if config.review.theme == ThemeName::Auto && !env.no_color {
            let of = |light_background| Theme::of(config, &Env { light_background, ..env.clone() });
            shell.by_background = Some(Box::new([of(false), of(true)]));
        }
        shell.asks_bidi = config.review.bidi == Bidi::Auto;
        shell.bidi = match workspace.config.review.bidi {
            Bidi::Auto if workspace.env.arranges_text => Bidi::Terminal,
            Bidi::Auto => Bidi::App,
            other => other,
        };
        let effects = shell.settle(effects);
        Ok((shell, effects))
    }
}

impl Review {
    /// Opens the screen at a size. `now` is asked what time it shows; `report` is called with what
    /// the threads did.
    ///
    /// # Errors
    /// Those of the database.
    pub fn new(
        workspace: Workspace,
        size: (u16, u16),
        now: fn() -> Moment,
        training: Option<Training>,
        report: impl Fn(Report) + Send + Sync + 'static,
    ) -> Result<Self, WorkError> {
        Self::begin(
            workspace,
            now,
            |workspace| Shell::open(workspace, size, now(), training),
            report,
        )
    }

    /// The same, one thing after another: what the threads did is waited for by [`Driver::feed`].
    ///
    /// # Errors
    /// Those of the database.
    pub fn in_turn(
        workspace: Workspace,
        size: (u16, u16),
        now: fn() -> Moment,
        training: Option<Training>,
    ) -> Result<Self, WorkError> {
        Self::waiting(workspace, now, |workspace| Shell::open(workspace, size, now(), training))
    }
}
