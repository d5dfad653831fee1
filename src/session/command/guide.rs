//! The label in the making: answers taken back, reasons, evidence, the checklist.

use super::{Command, Needs};
use crate::session::effect::Effect;
use crate::session::window::Window;

pub const TAKE_BACK: Command =
    Command::new("take-back", "take back the last answer", |session, _| session.take_back())
        .needs(Needs::OpenCase);

pub const RATIONALE: Command =
    Command::new("rationale", "write why", |session, _| session.write_rationale())
        .needs(Needs::OpenCase);

pub const EVIDENCE: Command = Command::new(
    "evidence",
    "highlight the evidence, in the input or any other text",
    |session, _| session.mark(None),
)
.needs(Needs::OpenCase);

pub const ATTACHMENTS: Command = Command::new(
    "attachments",
    "look at the pictures, sounds and files of the case",
    |session, _| session.look_at(None, 0),
)
.needs(Needs::OpenCase);

pub const READ_ON: Command = Command::new(
    "read-on",
    "read on in a text of which only the beginning is shown, page after page",
    |session, _| session.go_on_reading(0),
)
.needs(Needs::OpenCase);

pub const PRECEDENTS: Command = Command::new(
    "precedents",
    "resolved cases like this one; {cite-this} cites one in the rationale",
    |session, _| session.show_precedents(),
)
.needs(Needs::OpenCase)
.not_in_training()
.not_in_calibration();

pub const CITE: Command =
    Command::new("cite", "cite the most similar resolved case in the rationale", |session, _| {
        session.cite_first()
    })
    .needs(Needs::OpenCase)
    .not_in_training()
    .not_in_calibration();

pub const TREE: Command =
    Command::new("tree", "the whole protocol as a tree, with where you are", |_, _| {
        vec![Effect::Show(Window::Tree)]
    })
    .needs(Needs::OpenCase);

pub const CHECK: Command =
    Command::new("check", "tick the next item of the checklist", |session, _| session.check())
        .needs(Needs::OpenCase);

pub const TERMS: Command =
    Command::new("terms", "what the words of the question mean, with examples", |_, _| {
        vec![Effect::Show(Window::Terms)]
    })
    .needs(Needs::OpenCase);

pub const TAGS: Command = Command {
    begins: |session| {
        session.opened.as_ref().map(|opened| opened.draft.tags.join(" ")).unwrap_or_default()
    },
    ..Command::new("tags", "tag the label", |session, said| {
        let tags = crate::domain::label::tags_of(&said.text);
        session.change_draft(|draft| draft.tags = tags)
    })
    .asks("Tags, separated by spaces: ")
    .needs(Needs::OpenCase)
};
