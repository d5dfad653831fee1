//! Every action, once: its name, keys, words, and what it does. To add one, add a line and a function.

use super::guide_keys;
use super::key::KeyPress;
use super::keymap::{KeyRow, Keymap};
use super::overlay::lines::Lines;
use super::overlay::pick::{Choice, Pick};
use super::overlay::prompt::Prompt;
use super::overlay::{
    Cx, Layer, Next, arbitrate, board, calibrations, exchange, help, list, mark, overruled, overtaken, people, pick, precedents,
    prompt, rationale, terms, tree,
};
use super::place::{Focus, Place, Tab};
use super::shell::{Shell, Wish};
use crate::domain::ids::CaseId;
use crate::session::{Effect, Opened};

/// One thing that a person can do.
pub struct Action {
    pub row: KeyRow,
    pub run: fn(&mut Shell, KeyPress) -> Vec<Effect>,
}

const fn action(
    name: &'static str,
    keys: &'static str,
    place: Place,
    foot: &'static str,
    help: &'static str,
    run: fn(&mut Shell, KeyPress) -> Vec<Effect>,
) -> Action {
    Action { row: KeyRow::new(name, keys, place, foot, help), run }
}

/// The keys of windows, each window's own.
static WINDOWS: &[&[KeyRow]] = &[
    pick::KEYS,
    prompt::KEYS,
    rationale::KEYS,
    mark::KEYS,
    precedents::KEYS,
    arbitrate::KEYS,
    overruled::KEYS,
    overtaken::KEYS,
    calibrations::KEYS,
    people::KEYS,
    board::KEYS,
    exchange::KEYS,
    list::KEYS,
];

/// Everything that keys do: the actions, and what windows do.
pub fn rows() -> Vec<&'static KeyRow> {
    ACTIONS.iter().map(|action| &action.row).chain(WINDOWS.iter().copied().flatten()).collect()
}

/// The table. The order is that of help, palette and footer.
pub static ACTIONS: &[Action] = &[
    action(
        "answer",
        "1 2 3 4 5 6 7 8 9",
        Place::Asking,
        "answer",
        "give this answer (or its own letter, where that is free)",
        guide_keys::answer,
    ),
    action("pick-answer", "p", Place::Asking, "", "any answer, found by typing part of it", guide_keys::pick_answer),
    action(
        "tick",
        "1 2 3 4 5 6 7 8 9",
        Place::AskingSeveral,
        "tick",
        "tick this answer, or take the tick away",
        guide_keys::tick,
    ),
    action("done", "Enter", Place::AskingSeveral, "done", "give the answers that are ticked", guide_keys::ticked),
    action("pick-several", "p", Place::AskingSeveral, "", "tick any answer, found by typing part of it", guide_keys::pick_answer),
    action(
        "answer-label",
        "1 2 3 4 5",
        Place::AskingLabel,
        "label",
        "one of the labels that the models considered",
        guide_keys::answer_label,
    ),
    action(
        "pick-label",
        "Enter p",
        Place::AskingLabel,
        "all labels",
        "any label, found by its name, its title or the words of its term",
        guide_keys::pick_label,
    ),
    action("step", "1 2 3 4 5 6 7 8 9", Place::AskingScale, "step", "this step of the scale", guide_keys::scale_step),
    action("step-0", "0", Place::AskingScale, "", "the step 0, where there is one", guide_keys::step_0),
    action("step-written", "Enter", Place::AskingScale, "", "write a step of more than one digit", guide_keys::write),
    action("write", "Enter", Place::AskingWords, "write", "write the answer", guide_keys::write),
    action("write-number", "1 2 3 4 5 6 7 8 9 -", Place::AskingWords, "", "begin to write a number with this", guide_keys::write),
    action("no-words", "0", Place::AskingWords, "", "a number that begins with 0; no words, where none will do", no_words),
    action("mark", "Enter m", Place::AskingSpan, "mark", "mark places in the input", guide_keys::mark_answer),
    action("no-place", "0", Place::AskingSpan, "", "no place, where none will do", guide_keys::nothing),
    action("submit", "Enter", Place::Ended, "submit", "submit the label and go to the next case", submit),
    action("confidence", "1 2 3 4 5", Place::Ended, "how sure", "how sure you are: 1 a guess, 5 certain", guide_keys::confidence),
    action("open", "Enter l Right", Place::Queue, "open", "open this case", open),
    action("down", "j Down", Place::Queue, "", "next row", |shell, _| shell.session.queue.step(1)),
    action("up", "k Up", Place::Queue, "", "previous row", |shell, _| shell.session.queue.step(-1)),
    action("page-down", "PageDown ctrl-d ctrl-f", Place::Queue, "", "a screen down", |shell, _| {
        shell.session.queue.step(shell.session.queue.shown as i64)
    }),
    action("page-up", "PageUp ctrl-b", Place::Queue, "", "a screen up", |shell, _| {
        shell.session.queue.step(-(shell.session.queue.shown as i64))
    }),
    action("first", "g Home", Place::Queue, "", "the first case", |shell, _| shell.session.queue.to_start()),
    action("last", "G End", Place::Queue, "", "the last case", |shell, _| shell.session.queue.to_end()),
    action("scroll-down", "j Down", Place::Context, "scroll", "scroll down", |shell, _| shell.scroll(1)),
    action("scroll-up", "k Up", Place::Context, "", "scroll up", |shell, _| shell.scroll(-1)),
    action("scroll-page-down", "PageDown ctrl-d ctrl-f Space", Place::Context, "", "scroll a screen down", |shell, _| {
        shell.scroll(shell.context_height())
    }),
    action("scroll-page-up", "PageUp ctrl-b", Place::Context, "", "scroll a screen up", |shell, _| {
        shell.scroll(-shell.context_height())
    }),
    action("scroll-first", "g Home", Place::Context, "", "to the top", |shell, _| shell.scroll(i64::MIN / 2)),
    action("scroll-last", "G End", Place::Context, "", "to the end", |shell, _| shell.scroll(i64::MAX / 2)),
    action("next-tab", "l Right", Place::Context, "tab", "next tab", |shell, _| shell.show_tab_by(1)),
    action("previous-tab", "h Left", Place::Context, "", "previous tab", |shell, _| shell.show_tab_by(-1)),
    action("next-error", "!", Place::Logs, "next error", "jump to the next error", |shell, _| shell.next_error()),
    action("all-logs", "s", Place::Logs, "lines around", "show the lines around those of this trace, or hide them", all_logs),
    action("guide-down", "j Down", Place::Guide, "scroll", "scroll the guide down", |shell, _| shell.scroll_guide(1)),
    action("guide-up", "k Up", Place::Guide, "", "scroll the guide up", |shell, _| shell.scroll_guide(-1)),
    action("take-back", "u Backspace", Place::Any, "back", "take back the last answer", |shell, _| shell.session.take_back()),
    action("rationale", "r", Place::Any, "why", "write why", |shell, _| shell.session.write_rationale()),
    action("snippet", ";", Place::Any, "", "write why, beginning with a snippet of the glossary", guide_keys::snippet),
    action("evidence", "m", Place::Any, "", "mark what in the input bears the label out", guide_keys::mark_evidence),
    action(
        "precedents",
        "=",
        Place::Any,
        "",
        "resolved cases like this one; {cite-this} cites one in the rationale",
        |shell, _| shell.session.show_precedents(),
    ),
    action("cite", "+", Place::Any, "", "cite the likest resolved case in the rationale", |shell, _| shell.session.cite_first()),
    action("tree", "T", Place::Any, "", "the whole protocol as a tree, with where you are", |shell, _| {
        open_layer(shell, Lines::new("The protocol", LINES, tree::lines))
    }),
    action("check", "x", Place::Any, "check", "tick the next item of the checklist", |shell, _| shell.session.check()),
    action("terms", "t", Place::Any, "terms", "what the words of the question mean, with examples", |shell, _| {
        open_layer(shell, Lines::new("Terms and examples", LINES, terms::lines))
    }),
    action("defer", "d", Place::Any, "defer", "put the case off, with a reason", defer),
    action("escalate", "e", Place::Any, "escalate", "ask a lead to look at it", escalate),
    action("comment", "c", Place::Any, "comment", "say something about the case", comment),
    action("tags", "#", Place::Any, "", "tag the label", tags),
    action("editor", "R", Place::Any, "", "write why in your own editor", editor),
    action("next-case", "]", Place::Any, "next", "open the next case of the queue", |shell, _| shell.session.open_by(1)),
    action("previous-case", "[", Place::Any, "", "open the case before", |shell, _| shell.session.open_by(-1)),
    action("undo", "U", Place::Any, "undo", "take back the label you submitted last", |shell, _| shell.session.undo()),
    action("next-pane", "Tab", Place::Any, "pane", "to the next pane", |shell, _| shell.next_pane(1)),
    action("previous-pane", "BackTab", Place::Any, "", "to the pane before", |shell, _| shell.next_pane(-1)),
    action("input", "I", Place::Any, "", "show the input", |shell, _| shell.show_tab(Tab::Input)),
    action("logs", "L", Place::Any, "", "show the logs", |shell, _| shell.show_tab(Tab::Logs)),
    action("neighbours", "N", Place::Any, "", "show the predictions around it", |shell, _| shell.show_tab(Tab::Neighbours)),
    action("model", "M", Place::Any, "", "show what the model considered", |shell, _| shell.show_tab(Tab::Model)),
    action("history", "H", Place::Any, "", "show what happened to the case", |shell, _| shell.show_tab(Tab::History)),
    action("filter", "/", Place::Any, "filter", "narrow the queue by words, flag, label, stream, model or id", filter),
    action("view", "v", Place::Any, "view", "show my queue, then disputed, resolved, and all open cases", |shell, _| {
        shell.session.next_view()
    }),
    action(
        "worklist",
        "w",
        Place::Any,
        "",
        "cases that want something of you: a question about your label, an answer that a new version asks, what a peer escalated",
        |shell, _| shell.session.show_worklist(),
    ),
    action("gold", "*", Place::Any, "", "make your label of this case the known answer, for training and measuring", gold),
    action(
        "arbitrate",
        "A",
        Place::Any,
        "",
        "labels side by side; of a disputed case without names, to rule on it",
        |shell, _| arbitrate(shell),
    ),
    action("overruled", "O", Place::Any, "", "where you were overruled, and why; you may appeal", |_, _| vec![Effect::Overruled]),
    action(
        "sessions",
        "C",
        Place::Any,
        "",
        "calibration sessions: sit in, see how far everybody is, reveal, findings",
        |_, _| vec![Effect::Sessions],
    ),
    action("board", "D", Place::Any, "", "how the work stands, where labels differ; each number opens its cases", |shell, _| {
        shell.session.show_board()
    }),
    action("steady", "Y", Place::Any, "", "how steady you are: with yourself, with known answers, with others", |shell, _| {
        shell.session.show_steadiness()
    }),
    action("clear", "Esc", Place::Any, "", "drop the filter, or go back to my queue; leave a session", |shell, _| {
        shell.session.clear()
    }),
    action(
        "exchange",
        "S",
        Place::Any,
        "",
        "how the exchange with the shared store stands; {exchange-now} there exchanges now",
        |shell, _| {
            open_layer(
                shell,
                Lines::new("Exchange with the shared store", &[Place::Exchange, Place::Lines, Place::Window], exchange::lines),
            )
        },
    ),
    action("people", "P", Place::Any, "", "who may do what, and who asks to be let in", |_, _| vec![Effect::People]),
    action("palette", "ctrl-p", Place::Any, "all keys", "find any action by name", |shell, _| palette(shell, "Actions")),
    action("command", ":", Place::Any, "", "the same, by name", |shell, _| palette(shell, ":")),
    action("help", "?", Place::Any, "help", "every key", |shell, _| {
        open_layer(shell, Lines::new("Keys (any other key closes)", LINES, help::lines))
    }),
    action("repaint", "ctrl-l", Place::Any, "", "draw the screen again", |shell, _| wish(shell, Wish::Repaint)),
    action("suspend", "ctrl-z", Place::Any, "", "back to the shell; `fg` returns", |shell, _| wish(shell, Wish::Suspend)),
    action("quit", "q ctrl-c", Place::Any, "quit", "leave; drafts are kept", |shell, _| shell.quit()),
];

/// The table of keys as Markdown, for the README.
pub fn markdown() -> String {
    let (rows, keymap) = (rows(), Keymap::new(&Default::default(), rows()));
    let mut out = String::from("| where | key | what it does |\n| --- | --- | --- |\n");
    for place in Place::ALL {
        for row in rows.iter().filter(|row| row.place == place) {
            let keys: Vec<String> = row.keys.split_whitespace().map(|key| format!("`{key}`")).collect();
            out.push_str(&format!("| {} | {} | {} |\n", place.title(), keys.join(" "), keymap.fill(row.help)));
        }
    }
    out
}

fn open_layer(shell: &mut Shell, layer: impl Layer + 'static) -> Vec<Effect> {
    shell.layer = Some(Box::new(layer));
    Vec::new()
}

const LINES: &[Place] = &[Place::Lines, Place::Window];

/// Asks for words about a case: in the queue the row under the cursor, else the open one.
fn ask_about(shell: &mut Shell, ask: &'static str, effect: impl Fn(CaseId, String) -> Effect + 'static) -> Vec<Effect> {
    let row = shell.session.queue.current().filter(|_| shell.focus == Focus::Queue).map(|row| (row.id, row.own.clone()));
    let open = shell.session.open_id();
    let Some(case) = row.as_ref().map(|(id, _)| *id).or(open) else { return shell.say("No case is open.") };
    let about = row.filter(|(id, _)| open != Some(*id)).map(|(_, own)| format!("{own}: ")).unwrap_or_default();
    let done = move |text: &str, cx: &mut Cx<'_>| {
        if text.is_empty() {
            return cx.session.say("Nothing was written, so nothing was done.");
        }
        vec![effect(case, text.to_owned())]
    };
    open_layer(shell, Prompt::new(ask, "", done).about(about))
}

fn defer(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    ask_about(shell, "Put off, because: ", |case, why| Effect::Defer { case, why })
}

fn escalate(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    ask_about(shell, "Ask a lead: ", |case, why| Effect::Escalate { case, why })
}

fn comment(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    ask_about(shell, "Comment: ", |case, text| Effect::Comment { case, text })
}

fn tags(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return shell.say("No case is open.") };
    let text = opened.draft.tags.join(" ");
    let done = |text: &str, cx: &mut Cx<'_>| {
        let tags: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        cx.session.change_draft(|draft| draft.tags = tags)
    };
    open_layer(shell, Prompt::new("Tags, separated by spaces: ", &text, done))
}

fn filter(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let text = shell.session.filter.clone();
    let ask = "Filter (words, flag:… label:… stream:… model:… id:…): ";
    open_layer(shell, Prompt::new(ask, &text, |text, cx| cx.session.set_filter(text)))
}

fn palette(shell: &mut Shell, title: &str) -> Vec<Effect> {
    let keymap = &shell.keymap;
    let about = |row: &KeyRow| format!("{:<10} {}", keymap.first(row.name), keymap.fill(row.help));
    let choices = ACTIONS.iter().map(|action| Choice::new(action.row.name, &about(&action.row))).collect();
    let done = |choice: &Choice, _: &mut Cx<'_>| {
        let action = ACTIONS.iter().find(|action| action.row.name == choice.value);
        action.map_or(Next::Closes, |action| Next::Does(action.row.name))
    };
    open_layer(shell, Pick::new(title, choices, done))
}

fn submit(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    shell.session.submit()
}

fn no_words(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    // Words that were begun are not thrown away by one key.
    let words = |opened: &Opened| {
        let none = |question: &crate::domain::protocol::Question| opened.draft.begun(&question.id).unwrap_or_default().is_empty();
        opened.question().is_some_and(|question| question.kind.word() == "text" && none(question))
    };
    if shell.session.opened.as_ref().is_some_and(words) { shell.session.answer("") } else { guide_keys::write(shell, key) }
}

fn gold(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    if shell.session.opened.as_ref().is_none_or(|opened| opened.case.mine.is_none()) {
        return shell.say("Label the case first: your label becomes the known answer.");
    }
    ask_about(shell, "The known answer. Said to whoever answers otherwise: ", |case, why| Effect::Gold { case, why })
}

fn open(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let Some(id) = shell.session.queue.current().map(|row| row.id) else { return Vec::new() };
    shell.focus = Focus::Context;
    shell.session.open(id)
}

fn wish(shell: &mut Shell, wish: Wish) -> Vec<Effect> {
    shell.wishes.push(wish);
    Vec::new()
}

/// The labels of the case at hand: the one under the cursor, or the open one.
fn arbitrate(shell: &mut Shell) -> Vec<Effect> {
    let row = shell.session.queue.current().filter(|_| shell.focus == Focus::Queue).map(|row| row.id);
    match row.or(shell.session.open_id()) {
        Some(case) => shell.session.arbitrate(case),
        None => shell.say("No case is open."),
    }
}

fn all_logs(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    if shell.session.opened.is_some() {
        shell.all_logs = !shell.all_logs;
        *shell.scroll_of_tab() = 0;
    }
    Vec::new()
}

fn editor(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    match &shell.session.opened {
        Some(opened) => vec![Effect::Editor(opened.draft.rationale.clone())],
        None => shell.say("No case is open."),
    }
}
