//! Every action, once: its name, keys, words, and what it does. To add one, add a line and a
//! function.

use super::guide_keys;
use super::key::KeyPress;
use super::keymap::{KeyRow, Keymap};
use super::overlay::help::Help;
use super::overlay::pick::{Choice, Pick};
use super::overlay::words::Words;
use super::overlay::{
    Cx, Layer, Next, arbitrate, attachment, board, calibrations, exchange, help, list, mark,
    overruled, overtaken, page, people, pick, precedents, prompt, rationale, sure,
};
use super::place::{Focus, Place, Tab};
use super::search;
use super::shell::{Shell, Wish};
use crate::domain::text::head;
use crate::review::filter::Column;
use crate::session::command::{self as commands, Command};
use crate::session::manual::TOPICS;
use crate::session::pages::QueueModel;
use crate::session::{Effect, Opened};

/// One thing that keys do where no window lies over the panes.
pub struct Action {
    pub row: KeyRow,
    pub does: Does,
}

/// What an action does.
pub enum Does {
    /// Something with the screen: where one looks, which window is opened.
    Screen(fn(&mut Shell, KeyPress) -> Vec<Effect>),
    /// The same, about the open case, which has to be seen for it.
    OfTheCase(fn(&mut Shell, KeyPress) -> Vec<Effect>),
    /// Moves through the queue, and changes nothing else.
    Moves(fn(&mut QueueModel) -> Vec<Effect>),
    /// What the person does: the command says what that is, and where it has no place.
    Command(&'static Command),
}

const fn action(
    name: &'static str,
    keys: &'static str,
    place: Place,
    foot: &'static str,
    help: &'static str,
    run: fn(&mut Shell, KeyPress) -> Vec<Effect>,
) -> Action {
    Action { row: KeyRow::new(name, keys, place, foot, help), does: Does::Screen(run) }
}

const fn moves(
    name: &'static str,
    keys: &'static str,
    help: &'static str,
    run: fn(&mut QueueModel) -> Vec<Effect>,
) -> Action {
    Action { row: KeyRow::new(name, keys, Place::Queue, "", help), does: Does::Moves(run) }
}

const fn of_the_case(
    name: &'static str,
    keys: &'static str,
    help: &'static str,
    run: fn(&mut Shell, KeyPress) -> Vec<Effect>,
) -> Action {
    Action { row: KeyRow::new(name, keys, Place::Any, "", help), does: Does::OfTheCase(run) }
}

/// The same, where it reaches outside of the screen.
const fn outside(action: Action) -> Action {
    Action { row: action.row.outside(), ..action }
}

/// A command, with its keys and a word for the footer.
const fn command(
    command: &'static Command,
    keys: &'static str,
    place: Place,
    foot: &'static str,
) -> Action {
    Action {
        row: KeyRow::new(command.name, keys, place, foot, command.help),
        does: Does::Command(command),
    }
}

/// The keys of windows, each window's own.
static WINDOWS: &[&[KeyRow]] = &[
    pick::KEYS,
    prompt::KEYS,
    rationale::KEYS,
    sure::KEYS,
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
    help::KEYS,
    attachment::KEYS,
    page::KEYS,
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
    action(
        "pick-answer",
        "p",
        Place::Asking,
        "",
        "any answer, found by typing part of it",
        guide_keys::pick_answer,
    ),
    action(
        "tick",
        "1 2 3 4 5 6 7 8 9",
        Place::AskingSeveral,
        "tick",
        "tick this answer, or take the tick away",
        guide_keys::tick,
    ),
    action(
        "done",
        "Enter",
        Place::AskingSeveral,
        "done",
        "give the answers that are ticked",
        guide_keys::ticked,
    ),
    action(
        "pick-several",
        "p",
        Place::AskingSeveral,
        "",
        "tick any answer, found by typing part of it",
        guide_keys::pick_answer,
    ),
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
    action(
        "step",
        "1 2 3 4 5 6 7 8 9",
        Place::AskingScale,
        "step",
        "this step of the scale",
        guide_keys::scale_step,
    ),
    action(
        "step-0",
        "0",
        Place::AskingScale,
        "",
        "the step 0, where there is one",
        guide_keys::step_0,
    ),
    action(
        "step-written",
        "Enter",
        Place::AskingScale,
        "",
        "write a step of more than one digit",
        guide_keys::write,
    ),
    action("write", "Enter", Place::AskingWords, "write", "write the answer", guide_keys::write),
    action(
        "write-number",
        "1 2 3 4 5 6 7 8 9 -",
        Place::AskingWords,
        "",
        "begin to write a number with this",
        guide_keys::write,
    ),
    action(
        "no-words",
        "0",
        Place::AskingWords,
        "",
        "a number that begins with 0; leave the text empty, where that will do",
        no_words,
    ),
    action(
        "mark",
        "Enter m",
        Place::AskingSpan,
        "mark",
        "mark places in any text of the case",
        guide_keys::mark_answer,
    ),
    action(
        "no-place",
        "0",
        Place::AskingSpan,
        "",
        "no place, where none will do",
        guide_keys::nothing,
    ),
    command(&commands::submit::SUBMIT, "Enter", Place::Ended, "submit"),
    action(
        "confidence",
        "s",
        Place::Ended,
        "how sure",
        "say how sure you are, from 1 (a guess) to 5 (certain)",
        guide_keys::confidence,
    ),
    command(&commands::list::OPEN, "Enter l Right", Place::Queue, "open"),
    moves("down", "j Down", "next row", |queue| queue.step(1)),
    moves("up", "k Up", "previous row", |queue| queue.step(-1)),
    moves("page-down", "PageDown ctrl-d ctrl-f", "a screen down", |queue| {
        queue.step(queue.shown as i64)
    }),
    moves("page-up", "PageUp ctrl-b", "a screen up", |queue| queue.step(-(queue.shown as i64))),
    moves("first", "g Home", "the first case", QueueModel::to_start),
    moves("last", "G End", "the last case", QueueModel::to_end),
    action("sort", "o", Place::Queue, "sort", "sort the queue by another column", sort_queue),
    action("scroll-down", "j Down", Place::Context, "scroll", "scroll down", |shell, _| {
        shell.scroll(1)
    }),
    action("scroll-up", "k Up", Place::Context, "", "scroll up", |shell, _| shell.scroll(-1)),
    action(
        "scroll-page-down",
        "PageDown ctrl-d ctrl-f Space",
        Place::Context,
        "",
        "scroll a screen down",
        |shell, _| shell.scroll((shell.context_height() - 1).max(1)),
    ),
    action(
        "scroll-page-up",
        "PageUp ctrl-b",
        Place::Context,
        "",
        "scroll a screen up",
        |shell, _| shell.scroll(-(shell.context_height() - 1).max(1)),
    ),
    action("scroll-first", "g Home", Place::Context, "", "to the top", |shell, _| {
        shell.scroll(i64::MIN / 2)
    }),
    action("scroll-last", "G End", Place::Context, "", "to the end", |shell, _| {
        shell.scroll(i64::MAX / 2)
    }),
    action("next-tab", "l Right", Place::Context, "tab", "next tab", |shell, _| {
        shell.show_tab_by(1)
    }),
    action("previous-tab", "h Left", Place::Context, "", "previous tab", |shell, _| {
        shell.show_tab_by(-1)
    }),
    action(
        "search-case",
        "/",
        Place::Context,
        "search",
        "search in the case, in every tab",
        search::ask,
    ),
    action("fold", "f", Place::Context, "", "unfold what is deep, or fold it", |shell, _| {
        shell.folded = !shell.folded;
        Vec::new()
    }),
    action(
        "direction",
        "b",
        Place::Context,
        "",
        "right-to-left text in the order in which it is written, or seen",
        |shell, _| {
            shell.as_written = !shell.as_written;
            shell.say(if shell.as_written {
                "Right-to-left text stands in the order in which it is written."
            } else {
                "Right-to-left text stands in the order in which it is seen."
            })
        },
    ),
    action("next-found", "n", Place::Found, "next", "the next place that was found", |shell, _| {
        search::step(shell, 1)
    }),
    action("previous-found", "N", Place::Found, "", "the place before", |shell, _| {
        search::step(shell, -1)
    }),
    action("end-search", "Esc", Place::Found, "", "end the search", |shell, _| {
        shell.search = None;
        Vec::new()
    }),
    action(
        "next-error",
        "!",
        Place::Logs,
        "next warning",
        "jump to the next warning or error",
        |shell, _| search::next_error(shell),
    ),
    action(
        "all-logs",
        "a",
        Place::Logs,
        "lines around",
        "show the lines around those of this trace, or hide them",
        all_logs,
    ),
    action("guide-down", "j Down", Place::Guide, "scroll", "scroll the guide down", |shell, _| {
        shell.scroll_guide(1)
    }),
    action("guide-up", "k Up", Place::Guide, "", "scroll the guide up", |shell, _| {
        shell.scroll_guide(-1)
    }),
    command(&commands::guide::TAKE_BACK, "u Backspace", Place::Any, "back"),
    command(&commands::guide::RATIONALE, "r", Place::Any, "why"),
    of_the_case(
        "snippet",
        ";",
        "write why, beginning with a snippet of the glossary",
        guide_keys::snippet,
    ),
    command(&commands::guide::EVIDENCE, "m", Place::Any, ""),
    command(&commands::guide::ATTACHMENTS, "i", Place::Any, ""),
    command(&commands::guide::READ_ON, ">", Place::Any, ""),
    command(&commands::guide::PRECEDENTS, "=", Place::Any, ""),
    command(&commands::guide::CITE, "+", Place::Any, ""),
    command(&commands::guide::TREE, "T", Place::Any, ""),
    command(&commands::guide::CHECK, "x", Place::Any, "check"),
    command(&commands::guide::TERMS, "t", Place::Any, "terms"),
    command(&commands::note::DEFER, "d", Place::Any, "defer"),
    command(&commands::note::ESCALATE, "e", Place::Any, "escalate"),
    command(&commands::note::COMMENT, "c", Place::Any, "comment"),
    command(&commands::guide::TAGS, "#", Place::Any, ""),
    outside(of_the_case("editor", "R", "write why in your own editor", editor)),
    command(&commands::list::NEXT_CASE, "]", Place::Any, "next"),
    command(&commands::list::PREVIOUS_CASE, "[", Place::Any, ""),
    command(&commands::submit::UNDO, "U", Place::Any, "undo"),
    command(&commands::submit::REDO, "ctrl-r", Place::Any, ""),
    command(&commands::list::SET_ASIDE, "V", Place::Any, ""),
    action("next-pane", "Tab", Place::Any, "pane", "to the next pane", |shell, _| {
        shell.next_pane(1)
    }),
    action("previous-pane", "BackTab", Place::Any, "", "to the pane before", |shell, _| {
        shell.next_pane(-1)
    }),
    action("zoom", "z", Place::Any, "", "the case on the whole screen, and back", |shell, _| {
        shell.zoomed = !shell.zoomed;
        if shell.zoomed {
            shell.focus = Focus::Context;
        }
        Vec::new()
    }),
    action("overview", "B", Place::Any, "", "show all of the case at once", |shell, _| {
        shell.show_tab(Tab::Overview)
    }),
    action("input", "I", Place::Any, "", "show the input", |shell, _| shell.show_tab(Tab::Input)),
    action("logs", "L", Place::Any, "", "show the logs", |shell, _| shell.show_tab(Tab::Logs)),
    action("neighbours", "N", Place::Any, "", "show the nearby predictions", |shell, _| {
        shell.show_tab(Tab::Neighbours)
    }),
    action("model", "M", Place::Any, "", "show what the model considered", |shell, _| {
        shell.show_tab(Tab::Model)
    }),
    action("history", "H", Place::Any, "", "show what happened to the case", |shell, _| {
        shell.show_tab(Tab::History)
    }),
    command(&commands::list::FILTER, "/", Place::Any, "filter"),
    command(&commands::list::VIEW, "v", Place::Any, "view"),
    command(&commands::list::WORKLIST, "w", Place::Any, ""),
    command(&commands::gold::GOLD, "*", Place::Any, ""),
    command(&commands::rule::ARBITRATE, "A", Place::Any, "disputes"),
    command(&commands::rule::OVERRULED, "O", Place::Any, ""),
    command(&commands::calibration::SESSIONS, "C", Place::Any, "sessions"),
    command(&commands::list::BOARD, "D", Place::Any, "board"),
    command(&commands::list::RELIABILITY, "Y", Place::Any, ""),
    command(&commands::list::TRACE, "X", Place::Any, ""),
    command(&commands::list::TAKE_OVER, "Z", Place::Any, ""),
    command(&commands::list::CLEAR, "Esc", Place::Any, ""),
    command(&commands::store::EXCHANGE, "S", Place::Any, ""),
    command(&commands::people::PEOPLE, "P", Place::Any, "people"),
    outside(of_the_case(
        "copy",
        "ctrl-y",
        "copy an id, or a text of the case, to the clipboard",
        copy,
    )),
    action("palette", "ctrl-p", Place::Any, "all keys", "find any action by name", |shell, _| {
        palette(shell, "Actions")
    }),
    action("command", ":", Place::Any, "", "the same, by name", |shell, _| palette(shell, ":")),
    action("help", "?", Place::Any, "help", "every key", |shell, _| {
        open_layer(shell, Help::new(shell.places(), None))
    }),
    action("manual", "F1", Place::Any, "", "the manual, by topic", manual),
    action("repaint", "ctrl-l", Place::Any, "", "draw the screen again", |shell, _| {
        wish(shell, Wish::Repaint)
    }),
    outside(action(
        "suspend",
        "ctrl-z",
        Place::Any,
        "",
        "back to the shell; `fg` returns",
        |shell, _| wish(shell, Wish::Suspend),
    )),
    action("quit", "q ctrl-c", Place::Any, "quit", "leave; drafts are kept", |shell, _| {
        shell.quit()
    }),
];

/// The table of keys as Markdown, for the manual.
pub fn markdown() -> String {
    let (rows, keymap) = (rows(), Keymap::new(&Default::default(), rows()));
    let mut out = String::from(
        "# Keys\n\nEvery key can be changed in `config.toml`, by the name of what it does:\n\n\
         ```toml\n[keys]\nsubmit = \"ctrl-s\"\nanswer = \"a s d f\"\n```\n",
    );
    for place in Place::ALL {
        out.push_str(&format!(
            "\n## {}\n\n| key | name | what it does |\n| --- | --- | --- |\n",
            place.title()
        ));
        for row in rows.iter().filter(|row| row.place == place) {
            let keys: Vec<String> =
                row.keys.split_whitespace().map(|key| format!("`{key}`")).collect();
            out.push_str(&format!(
                "| {} | {} | {} |\n",
                keys.join(" "),
                row.name,
                keymap.fill(row.help)
            ));
        }
    }
    out
}

/// The manual: a topic is picked, and read.
fn manual(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let choices = TOPICS.iter().map(|topic| Choice::new(topic.name, topic.about)).collect();
    let done = |choice: &Choice, _: &mut Cx<'_>| {
        let Some(topic) = crate::session::manual::named(&choice.value) else { return Next::Closes };
        let words = topic.text.lines().map(str::to_owned).collect();
        let title = format!("Manual: {} (any other key closes)", topic.name);
        Next::Opens(Box::new(Words {
            title,
            words,
            trains_on: false,
            awaits_page: false,
            scroll: 0,
        }))
    };
    open_layer(shell, Pick::new("The manual", choices, done))
}

/// By what the queue is sorted.
fn sort_queue(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    if shell.session.training.is_some() || shell.session.calibration.is_some() {
        return shell.say("These cases stand in the order in which they are given.");
    }
    let own = Choice::new("due", "as it is: what is due first");
    let columns = Column::ALL.map(|column| Choice::new(column.as_str(), column.about()));
    let done = |choice: &Choice, cx: &mut Cx<'_>| {
        let column = if choice.value == "due" { "" } else { choice.value.as_str() };
        let effects = cx.session.sort_queue(column);
        cx.then(effects);
        Next::Closes
    };
    open_layer(shell, Pick::new("Sort by", [own].into_iter().chain(columns).collect(), done))
}

fn open_layer(shell: &mut Shell, layer: impl Layer + 'static) -> Vec<Effect> {
    shell.layer = Some(Box::new(layer));
    Vec::new()
}

fn palette(shell: &mut Shell, title: &str) -> Vec<Effect> {
    let keymap = &shell.keymap;
    let about = |row: &KeyRow| format!("{:<10} {}", keymap.first(row.name), keymap.fill(row.help));
    // What has no place here would do nothing.
    let places = shell.places();
    let served = shell.session.served;
    let here = ACTIONS.iter().filter(|action| places.contains(&action.row.place));
    let here = here.filter(|action| !(served && action.row.outside));
    let choices = here.map(|action| Choice::new(action.row.name, &about(&action.row))).collect();
    let done = |choice: &Choice, _: &mut Cx<'_>| {
        let action = ACTIONS.iter().find(|action| action.row.name == choice.value);
        action.map_or(Next::Closes, |action| Next::Does(action.row.name))
    };
    open_layer(shell, Pick::new(title, choices, done))
}

fn no_words(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    // Words that were begun are not thrown away by one key.
    let words = |opened: &Opened| {
        let none = |question: &crate::domain::protocol::Question| {
            opened.draft.begun(&question.id).unwrap_or_default().is_empty()
        };
        opened.question().is_some_and(|question| question.kind.as_str() == "text" && none(question))
    };
    if shell.session.opened.as_ref().is_some_and(words) {
        shell.session.answer("")
    } else {
        guide_keys::write(shell, key)
    }
}

fn wish(shell: &mut Shell, wish: Wish) -> Vec<Effect> {
    shell.wishes.push(wish);
    Vec::new()
}

fn all_logs(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    if shell.session.opened.is_some() {
        shell.all_logs = !shell.all_logs;
        *shell.scroll_of_tab() = 0;
    }
    Vec::new()
}

/// Bytes that terminals take into a clipboard.
const COPIED_MAX: usize = 74_000;

/// Asks what of the case is to be copied.
fn copy(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return shell.say("No case is open.") };
    if !shell.session.protocols.policy.copy {
        return shell.say("The policy keeps texts of cases out of clipboards (copy=no).");
    }
    let row = &opened.case.row;
    let ids = [
        ("id in the stream".to_owned(), row.external_id.clone()),
        ("id of the case".to_owned(), row.id.to_string()),
    ];
    let copied: Vec<(String, String)> = ids.into_iter().chain(opened.texts()).collect();
    let choices = copied.iter().map(|(name, text)| Choice::new(name, head(text, 200))).collect();
    let done = move |choice: &Choice, cx: &mut Cx<'_>| {
        let Some((name, text)) = copied.iter().find(|(name, _)| *name == choice.value) else {
            return Next::Closes;
        };
        // What is pasted into a shell must not act there.
        let plain: String =
            text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let words = if plain.len() > COPIED_MAX {
            format!("{name} is too long for a clipboard: {} bytes.", plain.len())
        } else {
            let left_out = text.chars().count() - plain.chars().count();
            let without = match left_out {
                0 => String::new(),
                n => format!(", without {n} control characters"),
            };
            cx.copy = Some(plain);
            format!("{name} is copied, if the terminal lets programs do that{without}.")
        };
        let effects = cx.session.say(&words);
        cx.then(effects);
        Next::Closes
    };
    open_layer(shell, Pick::new("Copy", choices, done))
}

fn editor(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    match &shell.session.opened {
        Some(opened) => vec![Effect::Editor(opened.draft.rationale.clone())],
        None => shell.say("No case is open."),
    }
}
