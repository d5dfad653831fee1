//! Every action, once: its name, keys, words, and what it does. To add one, add a line and a function.

use super::answering;
use super::app::{App, Focus};
use super::effect::Effect;
use super::key::KeyPress;
use super::opened::Tab;
use super::overlay::pick::Choice;
use super::overlay::{Overlay, Pick, PickKind, Prompt, PromptKind};

/// Where an action's keys hold. A more particular place comes before a general one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A question with a few answers is asked.
    Asking,
    /// A question that may have several answers is asked.
    AskingSeveral,
    /// A question whose answer is one of many labels is asked.
    AskingLabel,
    /// A step of a scale is asked for.
    AskingScale,
    /// A number or words are asked for.
    AskingWords,
    /// Places in the input are asked for.
    AskingSpan,
    /// Every question is answered.
    Ended,
    Queue,
    Logs,
    Context,
    Guide,
    Any,
}

impl Place {
    pub const ALL: [Self; 12] = [
        Self::Asking,
        Self::AskingSeveral,
        Self::AskingLabel,
        Self::AskingScale,
        Self::AskingWords,
        Self::AskingSpan,
        Self::Ended,
        Self::Queue,
        Self::Context,
        Self::Logs,
        Self::Guide,
        Self::Any,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::Asking => "A question is asked",
            Self::AskingSeveral => "Several answers may be given",
            Self::AskingLabel => "A label is asked for",
            Self::AskingScale => "A step of a scale is asked for",
            Self::AskingWords => "A number or words are asked for",
            Self::AskingSpan => "Places in the input are asked for",
            Self::Ended => "Every question is answered",
            Self::Queue => "In the queue",
            Self::Context => "In the case",
            Self::Logs => "In the logs",
            Self::Guide => "In the guide",
            Self::Any => "Anywhere",
        }
    }
}

/// One thing that a person can do.
pub struct Action {
    pub name: &'static str,
    /// Names of its keys, separated by spaces.
    pub keys: &'static str,
    pub place: Place,
    /// A word for the footer; none keeps it out.
    pub foot: &'static str,
    pub help: &'static str,
    pub run: fn(&mut App, KeyPress) -> Vec<Effect>,
}

const fn action(
    name: &'static str,
    keys: &'static str,
    place: Place,
    foot: &'static str,
    help: &'static str,
    run: fn(&mut App, KeyPress) -> Vec<Effect>,
) -> Action {
    Action { name, keys, place, foot, help, run }
}

/// The table. The order is that of help, palette and footer.
pub static ACTIONS: &[Action] = &[
    action(
        "answer",
        "1 2 3 4 5 6 7 8 9",
        Place::Asking,
        "answer",
        "give this answer (or its own letter, where that is free)",
        answering::digit,
    ),
    action("pick-answer", "p", Place::Asking, "", "any answer, found by typing part of it", answering::pick_answer),
    action(
        "tick",
        "1 2 3 4 5 6 7 8 9",
        Place::AskingSeveral,
        "tick",
        "tick this answer, or take the tick away",
        answering::digit,
    ),
    action("done", "Enter", Place::AskingSeveral, "done", "give the answers that are ticked", answering::ticked),
    action("pick-several", "p", Place::AskingSeveral, "", "tick any answer, found by typing part of it", answering::pick_answer),
    action(
        "answer-label",
        "1 2 3 4 5",
        Place::AskingLabel,
        "label",
        "one of the labels that the models considered",
        answering::digit,
    ),
    action(
        "pick-label",
        "Enter p",
        Place::AskingLabel,
        "all labels",
        "any label, found by its name, its title or the words of its term",
        answering::pick_label,
    ),
    action("step", "1 2 3 4 5 6 7 8 9", Place::AskingScale, "step", "this step of the scale", answering::digit),
    action("step-0", "0", Place::AskingScale, "", "the step 0, where there is one", answering::nothing),
    action("step-written", "Enter", Place::AskingScale, "", "write a step of more than one digit", answering::write),
    action("write", "Enter", Place::AskingWords, "write", "write the answer", answering::write),
    action("write-number", "1 2 3 4 5 6 7 8 9 -", Place::AskingWords, "", "begin to write a number with this", answering::write),
    action("no-words", "0", Place::AskingWords, "", "a number that begins with 0; no words, where none will do", no_words),
    action("mark", "Enter m", Place::AskingSpan, "mark", "mark places in the input", answering::mark_answer),
    action("no-place", "0", Place::AskingSpan, "", "no place, where none will do", answering::nothing),
    action("submit", "Enter", Place::Ended, "submit", "submit the label and go to the next case", submit),
    action("confidence", "1 2 3 4 5", Place::Ended, "how sure", "how sure you are: 1 a guess, 5 certain", answering::confidence),
    action("open", "Enter l Right", Place::Queue, "open", "open this case", open),
    action("down", "j Down", Place::Queue, "", "next row", |app, _| app.queue_step(1)),
    action("up", "k Up", Place::Queue, "", "previous row", |app, _| app.queue_step(-1)),
    action("page-down", "PageDown ctrl-d ctrl-f", Place::Queue, "", "a screen down", |app, _| {
        app.queue_step(app.queue_height() as i64)
    }),
    action("page-up", "PageUp ctrl-b", Place::Queue, "", "a screen up", |app, _| app.queue_step(-(app.queue_height() as i64))),
    action("first", "g Home", Place::Queue, "", "the first case", |app, _| app.queue.to_start()),
    action("last", "G End", Place::Queue, "", "the last case", |app, _| app.queue.to_end(app.queue_height())),
    action("scroll-down", "j Down", Place::Context, "scroll", "scroll down", |app, _| app.scroll(1)),
    action("scroll-up", "k Up", Place::Context, "", "scroll up", |app, _| app.scroll(-1)),
    action("scroll-page-down", "PageDown ctrl-d ctrl-f Space", Place::Context, "", "scroll a screen down", |app, _| {
        app.scroll(app.context_height())
    }),
    action("scroll-page-up", "PageUp ctrl-b", Place::Context, "", "scroll a screen up", |app, _| {
        app.scroll(-app.context_height())
    }),
    action("scroll-first", "g Home", Place::Context, "", "to the top", |app, _| app.scroll(i64::MIN / 2)),
    action("scroll-last", "G End", Place::Context, "", "to the end", |app, _| app.scroll(i64::MAX / 2)),
    action("next-tab", "l Right", Place::Context, "tab", "next tab", |app, _| app.show_tab_by(1)),
    action("previous-tab", "h Left", Place::Context, "", "previous tab", |app, _| app.show_tab_by(-1)),
    action("next-error", "!", Place::Logs, "next error", "jump to the next error", |app, _| app.next_error()),
    action("all-logs", "s", Place::Logs, "lines around", "show the lines around those of this trace, or hide them", all_logs),
    action("guide-down", "j Down", Place::Guide, "scroll", "scroll the guide down", |app, _| app.scroll_guide(1)),
    action("guide-up", "k Up", Place::Guide, "", "scroll the guide up", |app, _| app.scroll_guide(-1)),
    action("take-back", "u Backspace", Place::Any, "back", "take back the last answer", answering::take_back),
    action("rationale", "r", Place::Any, "why", "write why", answering::rationale),
    action("snippet", ";", Place::Any, "", "write why, beginning with a snippet of the glossary", answering::snippet),
    action("evidence", "m", Place::Any, "", "mark what in the input bears the label out", answering::mark_evidence),
    action("precedents", "=", Place::Any, "", "resolved cases like this one; Enter cites one in the rationale", |app, _| {
        app.show_precedents()
    }),
    action("cite", "+", Place::Any, "", "cite the likest resolved case in the rationale", |app, _| app.cite_first()),
    action("tree", "T", Place::Any, "", "the whole protocol as a tree, with where you are", |app, _| {
        overlay(app, Overlay::Tree { scroll: 0 })
    }),
    action("check", "x", Place::Any, "check", "tick the next item of the checklist", answering::check),
    action("terms", "t", Place::Any, "terms", "what the words of the question mean, with examples", |app, _| {
        overlay(app, Overlay::Terms { scroll: 0 })
    }),
    action("defer", "d", Place::Any, "defer", "put the case off, with a reason", |app, _| prompt(app, PromptKind::Defer)),
    action("escalate", "e", Place::Any, "escalate", "ask a lead to look at it", |app, _| prompt(app, PromptKind::Escalate)),
    action("comment", "c", Place::Any, "comment", "say something about the case", |app, _| prompt(app, PromptKind::Comment)),
    action("tags", "#", Place::Any, "", "tag the label", tags),
    action("editor", "R", Place::Any, "", "write why in your own editor", editor),
    action("next-case", "]", Place::Any, "next", "open the next case of the queue", |app, _| app.open_by(1)),
    action("previous-case", "[", Place::Any, "", "open the case before", |app, _| app.open_by(-1)),
    action("undo", "U", Place::Any, "undo", "take back the label you submitted last", |app, _| app.undo()),
    action("next-pane", "Tab", Place::Any, "pane", "to the next pane", |app, _| app.next_pane(1)),
    action("previous-pane", "BackTab", Place::Any, "", "to the pane before", |app, _| app.next_pane(-1)),
    action("input", "I", Place::Any, "", "show the input", |app, _| app.show_tab(Tab::Input)),
    action("logs", "L", Place::Any, "", "show the logs", |app, _| app.show_tab(Tab::Logs)),
    action("neighbours", "N", Place::Any, "", "show the predictions around it", |app, _| app.show_tab(Tab::Neighbours)),
    action("model", "M", Place::Any, "", "show what the model considered", |app, _| app.show_tab(Tab::Model)),
    action("history", "H", Place::Any, "", "show what happened to the case", |app, _| app.show_tab(Tab::History)),
    action("filter", "/", Place::Any, "filter", "narrow the queue by words, flag, label, stream, model or id", filter),
    action("view", "v", Place::Any, "view", "show my queue, then disputed, resolved, and all open cases", |app, _| {
        app.next_view()
    }),
    action(
        "worklist",
        "w",
        Place::Any,
        "",
        "cases that want something of you: a question about your label, an answer that a new version asks, what a peer escalated",
        |app, _| app.show_worklist(),
    ),
    action("gold", "*", Place::Any, "", "make your label of this case the known answer, for training and measuring", gold),
    action("arbitrate", "A", Place::Any, "", "labels side by side; of a disputed case without names, to rule on it", |app, _| {
        app.arbitrate()
    }),
    action("overruled", "O", Place::Any, "", "where you were overruled, and why; you may appeal", |_, _| vec![Effect::Overruled]),
    action(
        "sessions",
        "C",
        Place::Any,
        "",
        "calibration sessions: sit in, see how far everybody is, reveal, findings",
        |_, _| vec![Effect::Sessions],
    ),
    action("board", "D", Place::Any, "", "how the work stands, where labels differ; each number opens its cases", |app, _| {
        app.show_board()
    }),
    action("steady", "Y", Place::Any, "", "how steady you are: with yourself, with known answers, with others", steady),
    action("clear", "Esc", Place::Any, "", "drop the filter, or go back to my queue; leave a session", |app, _| app.clear()),
    action("exchange", "S", Place::Any, "", "how the exchange with the shared store stands; S again exchanges now", |app, _| {
        overlay(app, Overlay::Exchange { scroll: 0 })
    }),
    action("people", "P", Place::Any, "", "who may do what, and who asks to be let in", |_, _| vec![Effect::People]),
    action("palette", "ctrl-p", Place::Any, "all keys", "find any action by name", |app, _| palette(app, "Actions")),
    action("command", ":", Place::Any, "", "the same, by name", |app, _| palette(app, ":")),
    action("help", "?", Place::Any, "help", "every key", |app, _| overlay(app, Overlay::Help { scroll: 0 })),
    action("repaint", "ctrl-l", Place::Any, "", "draw the screen again", |_, _| vec![Effect::Repaint]),
    action("suspend", "ctrl-z", Place::Any, "", "back to the shell; `fg` returns", |_, _| vec![Effect::Suspend]),
    action("quit", "q ctrl-c", Place::Any, "quit", "leave; drafts are kept", |app, _| app.quit()),
];

/// The table of keys as Markdown, for the README.
pub fn markdown() -> String {
    let mut out = String::from("| where | key | what it does |\n| --- | --- | --- |\n");
    for place in Place::ALL {
        for action in ACTIONS.iter().filter(|action| action.place == place) {
            let keys: Vec<String> = action.keys.split_whitespace().map(|key| format!("`{key}`")).collect();
            out.push_str(&format!("| {} | {} | {} |\n", place.title(), keys.join(" "), action.help));
        }
    }
    out
}

fn overlay(app: &mut App, overlay: Overlay) -> Vec<Effect> {
    app.overlay = Some(overlay);
    Vec::new()
}

fn prompt(app: &mut App, kind: PromptKind) -> Vec<Effect> {
    // In the queue it is about the row under the cursor.
    let row = app.queue.current().filter(|_| app.focus == Focus::Queue).map(|row| (row.id, row.own.clone()));
    if app.opened.is_none() && row.is_none() {
        return app.say("No case is open.");
    }
    let about = row.as_ref().filter(|(id, _)| app.opened.as_ref().is_none_or(|opened| opened.case.row.id != *id));
    let words = about.map(|(_, own)| format!("{own}: ")).unwrap_or_default();
    app.about = row.map(|(id, _)| id);
    overlay(app, Overlay::Prompt(Prompt { about: words, ..Prompt::new(kind, "") }))
}

fn tags(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &app.opened else { return app.say("No case is open.") };
    let text = opened.draft.tags.join(" ");
    overlay(app, Overlay::Prompt(Prompt::new(PromptKind::Tags, &text)))
}

fn filter(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let text = app.filter.clone();
    overlay(app, Overlay::Prompt(Prompt::new(PromptKind::Filter, &text)))
}

fn palette(app: &mut App, title: &str) -> Vec<Effect> {
    let choice = |(index, action): (usize, &Action)| {
        let about = format!("{:<10} {}", app.keymap.first(index), action.help);
        Choice::new(action.name, &about)
    };
    let choices = ACTIONS.iter().enumerate().map(choice).collect();
    overlay(app, Overlay::Pick(Pick::new(PickKind::Action, title, choices)))
}

fn submit(app: &mut App, _: KeyPress) -> Vec<Effect> {
    app.submit()
}

fn no_words(app: &mut App, key: KeyPress) -> Vec<Effect> {
    // Words that were begun are not thrown away by one key.
    let words = |opened: &super::opened::Opened| {
        let none = |question: &crate::domain::protocol::Question| opened.draft.begun(&question.id).unwrap_or_default().is_empty();
        opened.question().is_some_and(|question| question.kind.word() == "text" && none(question))
    };
    if app.opened.as_ref().is_some_and(words) { app.answer("") } else { answering::write(app, key) }
}

fn gold(app: &mut App, _: KeyPress) -> Vec<Effect> {
    if app.opened.as_ref().is_none_or(|opened| opened.case.mine.is_none()) {
        return app.say("Label the case first: your label becomes the known answer.");
    }
    prompt(app, PromptKind::Gold)
}

fn open(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let Some(id) = app.queue.current().map(|row| row.id) else { return Vec::new() };
    app.focus = Focus::Context;
    app.open(id)
}

fn steady(app: &mut App, _: KeyPress) -> Vec<Effect> {
    app.show_words(super::runner::STEADY, vec!["Counting …".to_owned()]);
    vec![Effect::Steady]
}

fn all_logs(app: &mut App, _: KeyPress) -> Vec<Effect> {
    if let Some(opened) = &mut app.opened {
        opened.all_logs = !opened.all_logs;
        *opened.scroll() = 0;
    }
    Vec::new()
}

fn editor(app: &mut App, _: KeyPress) -> Vec<Effect> {
    match &app.opened {
        Some(opened) => vec![Effect::Editor(opened.draft.rationale.clone())],
        None => app.say("No case is open."),
    }
}
