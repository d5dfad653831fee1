//! The commands of linear mode, by name and, for fluent hands, by the key that the screen has for
//! them.

use super::desk::{Desk, plain};
use crate::domain::arbitration::Cause;
use crate::domain::long_text::Ask;
use crate::domain::resolve::CaseState;
use crate::domain::text::is_blank;
use crate::session::command::{self, Said};
use crate::session::{Effect, Input, NOT_SERVED};
use crate::workspace::arbitration::{Reasons, RulingChoice};

/// The next page of a long text, one by its number, or the first of another text.
fn read_on(desk: &mut Desk, words: &str) -> Vec<Effect> {
    let Some(opened) = &desk.session.opened else { return desk.session.say("No case is open.") };
    let words = words.trim();
    if words.is_empty() {
        return desk.session.go_on_reading(1);
    }
    let all = opened.case.long_texts(|cue| opened.hides(cue));
    let read = opened.page.map(|(at, _)| at);
    if let Ok(number) = words.parse::<usize>() {
        return desk.session.read_on(read, Ask::Page(number.saturating_sub(1)));
    }
    if let Some(at) = all.iter().find(|(_, name)| *name == words).map(|(at, _)| *at) {
        return desk.session.read_on(Some(at), Ask::Page(0));
    }
    let names: Vec<&str> = all.iter().map(|(_, name)| *name).collect();
    let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    desk.session.say(&format!("No long text is called that. There are: {there}."))
}

/// Something that can be typed.
pub struct Command {
    pub name: &'static str,
    /// What else it is called, with blanks between: first its key on the screen, then what the
    /// session calls it.
    pub also: &'static str,
    /// What it takes, in a word.
    pub takes: &'static str,
    pub help: &'static str,
    pub run: fn(&mut Desk, &str) -> Vec<Effect>,
}

const fn command(
    name: &'static str,
    also: &'static str,
    takes: &'static str,
    help: &'static str,
    run: fn(&mut Desk, &str) -> Vec<Effect>,
) -> Command {
    Command { name, also, takes, help, run }
}

/// All of them, in the order in which help tells them.
pub const COMMANDS: &[Command] = &[
    command("again", "", "", "tells the question again", |desk, _| asks(desk)),
    command("back", "u take-back", "", "takes back the last answer", |desk, _| desk.back()),
    command(
        "why",
        "r rationale",
        "WORDS",
        "writes your reasons; alone, it reads lines up to one with a single full stop",
        |desk, words| desk.why(words),
    ),
    command("sure", "confidence", "1 to 5", "says how sure you are", |desk, words| {
        desk.sure(words)
    }),
    command("check", "x", "", "ticks the next item of the checklist", |desk, words| {
        desk.check(words)
    }),
    command(
        "evidence",
        "m mark",
        "PLACES",
        "highlights the evidence, as words 4-6 or output words 1-3",
        |desk, words| desk.evidence(words),
    ),
    command("tags", "#", "WORDS", "tags the label", |desk, words| desk.tags(words)),
    command(
        "snippet",
        ";",
        "NAME",
        "goes on with the reasons by a snippet of the glossary; alone, it tells them",
        snippet,
    ),
    command("submit", "", "", "submits the label, as an empty line does", |desk, _| desk.submit()),
    command(
        "undo",
        "U",
        "",
        "takes back what you did last: a label, a deferral, a comment",
        |desk, _| of_session(desk, "undo", ""),
    ),
    command("redo", "", "", "does again what you undid last", |desk, _| {
        of_session(desk, "redo", "")
    }),
    command("next", "] next-case", "", "opens the next case of the queue", |desk, _| {
        // Where none is open, the next one is the one that comes first.
        if desk.session.opened.is_none() {
            return desk.submit();
        }
        of_session(desk, "next-case", "")
    }),
    command("previous", "[ previous-case", "", "opens the case before", |desk, _| {
        of_session(desk, "previous-case", "")
    }),
    command("defer", "d", "WORDS", "defers the case, and says why", |desk, words| {
        note(desk, "defer", words)
    }),
    command("escalate", "e", "WORDS", "asks a lead to look at it", |desk, words| {
        note(desk, "escalate", words)
    }),
    command("comment", "c", "WORDS", "says something about the case", |desk, words| {
        note(desk, "comment", words)
    }),
    command(
        "gold",
        "*",
        "WORDS",
        "makes your label a gold item, and says why to those who answer differently",
        |desk, words| note(desk, "gold", words),
    ),
    command("case", "", "", "tells the case again", |desk, _| tells(desk, Desk::tell_case)),
    command("input", "I", "", "tells the input", |desk, _| tells(desk, Desk::input)),
    command(
        "words",
        "",
        "TEXT",
        "tells the input's words by number, or those of another field or turn",
        |desk, name| {
            desk.words(name);
            Vec::new()
        },
    ),
    command(
        "read-on",
        ">",
        "TEXT or PAGE",
        "tells the next page of a text of which the case tells only the beginning, a page by its number, or another text by its name",
        read_on,
    ),
    command("logs", "L", "", "tells the log lines", |desk, _| tells(desk, Desk::logs)),
    command("near", "N neighbours", "", "tells the nearby predictions", |desk, _| {
        tells(desk, Desk::near)
    }),
    command("model", "M", "", "tells what the model said", |desk, _| tells(desk, Desk::model)),
    command("history", "H", "", "tells what happened to the case", |desk, _| {
        tells(desk, Desk::history)
    }),
    command("tree", "T", "", "tells the whole protocol", |desk, _| of_session(desk, "tree", "")),
    command(
        "terms",
        "t",
        "",
        "tells the terms that the question uses, and its examples",
        |desk, _| of_session(desk, "terms", ""),
    ),
    command(
        "alike",
        "= precedents",
        "",
        "tells resolved cases like it, and why they were decided so",
        |desk, _| of_session(desk, "precedents", ""),
    ),
    command(
        "cite",
        "+",
        "NUMBER",
        "refers to one of them in your reasons, or no longer",
        |desk, words| desk.cite(words),
    ),
    command(
        "queue",
        "v view",
        "",
        "tells the cases that are yours to label, without a filter",
        |desk, _| {
            desk.tell.list = Some("Queue");
            desk.session.show_view(None)
        },
    ),
    command("disputed", "", "", "tells the cases whose labels differ", |desk, _| {
        desk.tell.list = Some("Disputed");
        desk.session.show_view(Some(CaseState::Disputed))
    }),
    command(
        "renew",
        "w worklist",
        "",
        "tells the cases that want something of you besides the queue",
        renew,
    ),
    command("search", "/", "WORDS", "finds cases by words of their text", search),
    command(
        "filter",
        "",
        "WORDS",
        "narrows the queue by words, flag:… label:… stream:… model:… id:…; alone, no longer",
        |desk, words| {
            desk.tell.list = Some(match desk.session.view {
                Some(CaseState::Disputed) => "Disputed",
                _ => "Queue",
            });
            of_session(desk, "filter", words)
        },
    ),
    command("open", "", "CASE", "opens a case by its number in a list, or by its id", open),
    command("labels", "A arbitrate", "", "tells the labels of the case side by side", |desk, _| {
        of_session(desk, "arbitrate", "")
    }),
    command(
        "rule",
        "",
        "LABEL CAUSE WORDS",
        "rules that a label counts: rule A guideline_gap and why",
        rule,
    ),
    command("overruled", "O", "", "tells where you were overruled, and why", |desk, _| {
        of_session(desk, "overruled", "")
    }),
    command("appeal", "", "NUMBER WORDS", "appeals against one of those rulings", appeal),
    command(
        "sessions",
        "C",
        "",
        "tells the calibration sessions, and how far everybody is",
        |desk, _| of_session(desk, "sessions", ""),
    ),
    command(
        "join",
        "sit",
        "SESSION",
        "joins one, by its number or name: its cases are labeled",
        |desk, words| named_session(desk, words, |desk, name| desk.session.enter_calibration(name)),
    ),
    command(
        "leave",
        "clear",
        "",
        "leaves a calibration session, or goes back to your queue",
        |desk, _| leave(desk),
    ),
    command(
        "reveal",
        "",
        "SESSION [early]",
        "ends the blind round: all who take part see all labels; early: although somebody still labels",
        |desk, words| {
            let (words, early) = match words.trim().strip_suffix(" early") {
                Some(name) => (name, true),
                None => (words, false),
            };
            named_session(desk, words, move |desk, name| {
                desk.session.moderate(name, command::calibration::Moderation::Reveal { early })
            })
        },
    ),
    command("findings", "", "SESSION", "tells what one found", |desk, words| {
        named_session(desk, words, |_, name| vec![Effect::Findings(name)])
    }),
    command("board", "D", "", "tells how the work stands, and where labels differ", |desk, _| {
        of_session(desk, "board", "")
    }),
    command("trace", "X", "", "tells what led to the case and what came of it", |desk, _| {
        of_session(desk, "trace", "")
    }),
    command("take-over", "Z", "", "has your other sessions leave this case", |desk, _| {
        of_session(desk, "take-over", "")
    }),
    command("reliability", "Y steady", "", "tells how reliable you are", |desk, _| {
        of_session(desk, "reliability", "")
    }),
    command(
        "exchange",
        "S",
        "",
        "tells how the exchange with the shared store stands",
        |desk, _| of_session(desk, "exchange", ""),
    ),
    command("sync", "", "", "exchanges with the shared store now", |desk, _| {
        if desk.session.served {
            return desk.session.say(NOT_SERVED);
        }
        vec![Effect::SyncNow]
    }),
    command("people", "P", "", "tells who may do what, and who asks to join", |desk, _| {
        of_session(desk, "people", "")
    }),
    command("more", "", "", "tells the next lines of what was long", |desk, _| {
        tells(desk, |desk| more(desk, false))
    }),
    command("all", "", "", "tells all of them", |desk, _| tells(desk, |desk| more(desk, true))),
    command("help", "?", "", "tells the commands", |desk, _| tells(desk, help)),
];

/// What ends the reading of lines.
pub const QUIT: [&str; 3] = ["quit", "q", "exit"];

/// Whether a word is a command that takes no others.
pub fn is_whole(word: &str) -> bool {
    let called = |command: &Command| {
        command.takes.is_empty()
            && (command.name == word || command.also.split(' ').any(|also| also == word))
    };
    QUIT.contains(&word) || COMMANDS.iter().any(called)
}

/// Does a command of the session, by the name that it has there.
fn of_session(desk: &mut Desk, name: &str, words: &str) -> Vec<Effect> {
    if name == "precedents" {
        desk.note_told(&[crate::domain::cues::Cue::Precedents]);
    }
    let said = Said { text: words.to_owned(), case: None };
    command::named(name)
        .map(|command| desk.session.take(Input::Command(command, said), desk.session.now))
        .unwrap_or_default()
}

fn tells(desk: &mut Desk, tell: impl FnOnce(&mut Desk)) -> Vec<Effect> {
    tell(desk);
    Vec::new()
}

fn asks(desk: &mut Desk) -> Vec<Effect> {
    desk.tell.question = true;
    Vec::new()
}

fn note(desk: &mut Desk, name: &str, words: &str) -> Vec<Effect> {
    if is_blank(words) {
        desk.say("Error", &format!("{name} takes words: {name} and what you have to say."));
        return Vec::new();
    }
    of_session(desk, name, words)
}

fn snippet(desk: &mut Desk, words: &str) -> Vec<Effect> {
    let snippets = &desk.session.protocols.glossary.snippets;
    let known = snippets.iter().any(|snippet| snippet.id == words.trim());
    if !known {
        let lines =
            snippets.iter().map(|snippet| format!("{}: {}", snippet.id, snippet.text)).collect();
        desk.long("Snippets", lines);
        return Vec::new();
    }
    let effects = desk.session.use_snippet(words.trim());
    let why = desk
        .session
        .opened
        .as_ref()
        .map(|opened| opened.draft.rationale.clone())
        .unwrap_or_default();
    desk.say("Reasons", &why);
    effects
}

fn leave(desk: &mut Desk) -> Vec<Effect> {
    let effects = of_session(desk, "clear", "");
    if effects.is_empty() && desk.session.message.is_none() {
        desk.line("There is nothing to leave: this is your queue. quit ends the review.");
    }
    effects
}

/// Cases that want something of whoever is at work besides the queue.
fn renew(desk: &mut Desk, _: &str) -> Vec<Effect> {
    if desk.session.worklist.is_empty() {
        desk.say("Renew", "no case.");
        return Vec::new();
    }
    desk.tell.list = Some("Renew");
    of_session(desk, "worklist", "")
}

fn search(desk: &mut Desk, words: &str) -> Vec<Effect> {
    if is_blank(words) {
        desk.say("Error", "search takes words of the case's text.");
        return Vec::new();
    }
    if desk.session.calibration.is_some() || desk.session.training.is_some() {
        return of_session(desk, "filter", words); // which says why not
    }
    desk.tell.list = Some("Found");
    vec![Effect::Search(words.trim().to_owned())]
}

/// Opens a case by its number in the list told last, or by an id.
fn open(desk: &mut Desk, name: &str) -> Vec<Effect> {
    let name = name.trim();
    let listed = name
        .parse::<usize>()
        .ok()
        .and_then(|n| desk.listed.get(n.checked_sub(1)?))
        .map(|row| row.id);
    if name.is_empty() {
        desk.say("Error", "open takes a number of the list told last, or an id.");
        return Vec::new();
    }
    let said = Said { text: name.to_owned(), case: listed };
    let command = &command::list::OPEN;
    match listed {
        Some(_) => desk.session.take(Input::Command(command, said), desk.session.now),
        None => desk.session.open_named(name),
    }
}

/// Rules on the case whose labels were told last.
fn rule(desk: &mut Desk, words: &str) -> Vec<Effect> {
    let (side, rest) = words.trim().split_once(' ').unwrap_or((words.trim(), ""));
    let (cause, why) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let causes = || Cause::ALL.map(Cause::as_str).join(", ");
    let mut letters = side.chars();
    let (Some(side), None) = (letters.next(), letters.next()) else {
        desk.say(
            "Error",
            &format!("rule takes the letter of a label, a cause ({}) and why.", causes()),
        );
        return Vec::new();
    };
    let Some(case) = desk.disputed else {
        desk.say("Error", "labels tells the labels of a disputed case first.");
        return Vec::new();
    };
    match cause.parse::<Cause>() {
        Ok(cause) if !is_blank(why) => {
            let reasons = Reasons { cause, rationale: why.trim().to_owned(), change: None };
            desk.session.rule(case, RulingChoice::Takes(side.to_ascii_uppercase()), reasons)
        }
        Ok(_) => tells(desk, |desk| desk.say("Error", "say why too: reviewers will read it.")),
        Err(_) => {
            let words = format!("`{}` is no cause. There are {}.", plain(cause), causes());
            tells(desk, |desk| desk.say("Error", &words))
        }
    }
}

fn appeal(desk: &mut Desk, words: &str) -> Vec<Effect> {
    let (number, why) = words.trim().split_once(' ').unwrap_or((words.trim(), ""));
    let past = number
        .parse::<usize>()
        .ok()
        .and_then(|n| desk.overruled.get(n.checked_sub(1)?))
        .map(|past| past.row.id);
    let Some(case) = past else {
        desk.say("Error", "appeal takes a number of those that overruled tells, and what the ruling did not weigh.");
        return Vec::new();
    };
    desk.session.appeal(case, why.trim())
}

/// Does something with a calibration session, by its number in the list told last or by its name.
fn named_session(
    desk: &mut Desk,
    words: &str,
    act: impl FnOnce(&mut Desk, String) -> Vec<Effect>,
) -> Vec<Effect> {
    if let Some(message) = command::calibration::SESSIONS.refused(&desk.session, None) {
        desk.session.message = Some(message);
        return Vec::new();
    }
    let words = words.trim();
    let listed =
        words.parse::<usize>().ok().and_then(|n| desk.calibrations.get(n.checked_sub(1)?)).cloned();
    match listed.unwrap_or_else(|| words.to_owned()) {
        name if name.is_empty() => {
            tells(desk, |desk| desk.say("Error", "which one? sessions tells them by number."))
        }
        name => act(desk, name),
    }
}

/// Tells what is left of something long.
fn more(desk: &mut Desk, all: bool) {
    let rest = std::mem::take(&mut desk.rest);
    if rest.is_empty() {
        return desk.line("Nothing is left to be told.");
    }
    let at_once = if all { rest.len() } else { desk.page() };
    desk.go_on(rest, at_once);
}

fn help(desk: &mut Desk) {
    for Command { name, also, takes, help, .. } in COMMANDS {
        let key = also.split(' ').next().filter(|key| key.chars().count() == 1);
        let or = key.map(|key| format!(" or {key}")).unwrap_or_default();
        let takes = if takes.is_empty() { String::new() } else { format!(" {takes}") };
        desk.line(&format!("{name}{or}{takes}: {help}."));
    }
    desk.line("quit or q: leaves; what you began is kept.");
    desk.line("An answer written in full comes before a command. A colon, as in :back, makes a command in any case.");
}

/// Words with the commands that they name in braces: `{undo}`.
pub fn fill(words: &str) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let known = COMMANDS.iter().find(|command| {
            command.name == name || command.also.split(' ').any(|also| also == name)
        });
        out.push_str(known.map_or(name, |command| command.name));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// What is said to a line that is neither an answer nor a command.
pub fn refuse(desk: &mut Desk, line: &str) {
    let question = desk.session.opened.as_ref().and_then(|opened| opened.question()).cloned();
    let line = plain(line);
    let words = match question {
        Some(question) => {
            format!(
                "`{line}` is no answer to it, which takes {}. again tells the question, ? the commands.",
                question.wanted()
            )
        }
        None => {
            let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
            format!("`{line}` is no command. There are {}, quit.", names.join(", "))
        }
    };
    desk.say("Error", &words);
}

/// A line as a command, with what follows its name.
pub fn named(line: &str) -> Option<(&'static Command, &str)> {
    let line = line.trim().trim_start_matches(':');
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    // `/refund` needs no blank.
    let (name, rest) = match line.strip_prefix('/') {
        Some(words) => ("/", words),
        None => (name, rest),
    };
    let is = |command: &&Command| {
        command.name == name || command.also.split(' ').any(|also| also == name && !also.is_empty())
    };
    COMMANDS.iter().find(is).map(|command| (command, rest.trim()))
}
