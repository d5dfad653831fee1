//! Which case is open, and which cases the queue shows.

use super::{Command, Needs, Said, case};
use crate::session::effect::{Effect, Look};
use crate::session::state::Session;
use crate::session::window::{TRACE_TITLE, Window};

pub const OPEN: Command =
    Command::new("open", "open this case", open).needs(Needs::Case).not_in_training();

pub const NEXT_CASE: Command =
    Command::new("next-case", "open the next case of the queue", |session, _| session.open_by(1))
        .not_in_training();

pub const PREVIOUS_CASE: Command =
    Command::new("previous-case", "open the case before", |session, _| session.open_by(-1))
        .not_in_training();

pub const FILTER: Command = Command {
    begins: |session| session.filter.clone(),
    ..Command::new(
        "filter",
        "narrow the queue by words, flag, label, stream, model or id",
        |session, said| session.set_filter(&said.text),
    )
    .asks("Filter (words, flag:… label:… stream:… model:… id:…): ")
    .not_in_training()
    .not_in_calibration()
};

pub const VIEW: Command = Command::new(
    "view",
    "show my queue, then disputed, resolved, and all open cases",
    |session, _| session.next_view(),
)
.not_in_training()
.not_in_calibration();

pub const WORKLIST: Command = Command::new(
    "worklist",
    "cases that want something of you: a question about your label, an answer that a new version asks, what a peer escalated",
    |session, _| session.show_worklist(),
)
.not_in_training()
.not_in_calibration();

pub const SET_ASIDE: Command = Command::new(
    "set-aside",
    "cases that you deferred; again: those that are escalated",
    |session, _| session.show_set_aside(),
)
.not_in_training()
.not_in_calibration();

pub const BOARD: Command = Command::new(
    "board",
    "how the work stands, where labels differ; each number opens its cases",
    |session, _| session.show_board(),
)
.not_in_training()
.not_in_calibration();

pub const RELIABILITY: Command = Command::new(
    "reliability",
    "how reliable you are: self-consistency, accuracy on gold items, agreement with others",
    |session, _| session.show_reliability(),
);

pub const TRACE: Command = Command::new(
    "trace",
    "what led to the case and what came of it: labels, cuts, runs, deployments",
    |session, said| {
        let Some(case) = case(session, said) else { return Vec::new() };
        let title = TRACE_TITLE.to_owned();
        vec![Effect::Show(Window::Counting { title }), Effect::Trace { case }]
    },
)
.not_in_training()
.not_in_calibration();

pub const TAKE_OVER: Command = Command::new(
    "take-over",
    "have your other sessions leave this case, and go on with what they began",
    |session, said| {
        let Some(case) = case(session, said) else { return Vec::new() };
        vec![Effect::TakeOver { case }]
    },
)
.needs(Needs::OpenCase)
.not_in_training();

pub const CLEAR: Command = Command::new(
    "clear",
    "drop the filter, or go back to my queue; leave a session",
    |session, _| session.clear(),
);

fn open(session: &mut Session, said: &Said) -> Vec<Effect> {
    let Some(id) = case(session, said) else { return Vec::new() };
    let mut effects = vec![Effect::Look(Look::Case)];
    effects.extend(session.open(id));
    effects
}
