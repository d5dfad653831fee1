//! The commands of linear mode, by name and, for fluent hands, by the key that the screen has for them.

use super::desk::{Desk, LinearError, plain};

/// Something that can be typed.
pub struct Command {
    pub name: &'static str,
    /// What else it is called, with blanks between: first its key on the screen.
    pub also: &'static str,
    /// What it takes, in a word.
    pub takes: &'static str,
    pub help: &'static str,
    pub run: fn(&mut Desk<'_>, &str) -> Result<(), LinearError>,
}

const fn command(
    name: &'static str,
    also: &'static str,
    takes: &'static str,
    help: &'static str,
    run: fn(&mut Desk<'_>, &str) -> Result<(), LinearError>,
) -> Command {
    Command { name, also, takes, help, run }
}

/// All of them, in the order in which help tells them.
pub const COMMANDS: &[Command] = &[
    command("again", "", "", "tells the question again", |desk, _| desk.ask()),
    command("back", "u take-back", "", "takes back the last answer", |desk, _| desk.back()),
    command(
        "why",
        "r rationale",
        "WORDS",
        "writes your reasons; alone, it reads lines up to one with a single full stop",
        |desk, words| desk.why(words),
    ),
    command("sure", "confidence", "1 to 5", "says how sure you are", |desk, words| desk.sure(words)),
    command("check", "x", "", "ticks the next item of the checklist", |desk, words| desk.check(words)),
    command("evidence", "m mark", "PLACES", "marks what in the input bears the label out", |desk, words| desk.evidence(words)),
    command("tags", "#", "WORDS", "tags the label", |desk, words| desk.tags(words)),
    command("submit", "", "", "submits the label, as Enter does", |desk, _| desk.submit()),
    command("undo", "U", "", "takes back the label you submitted last", |desk, _| desk.undo()),
    command("next", "] next-case", "", "passes over this case for now", |desk, _| desk.next()),
    command("defer", "d", "WORDS", "puts the case off, and says why", |desk, words| desk.defer(words)),
    command("escalate", "e", "WORDS", "asks a lead to look at it", |desk, words| desk.escalate(words)),
    command("comment", "c", "WORDS", "says something about the case", |desk, words| desk.comment(words)),
    command("case", "", "", "tells the case again", |desk, _| desk.tell_case()),
    command("input", "I", "", "tells the input", |desk, _| desk.input()),
    command("words", "", "", "tells the input's words by number", |desk, _| desk.words()),
    command("logs", "L", "", "tells the log lines", |desk, _| desk.logs()),
    command("near", "N neighbours", "", "tells the predictions around it", |desk, _| desk.near()),
    command("model", "M", "", "tells what the model said", |desk, _| desk.model()),
    command("history", "H", "", "tells what happened to the case", |desk, _| desk.history()),
    command("terms", "t", "", "tells the terms that the question uses, and its examples", |desk, _| desk.terms()),
    command("alike", "= precedents", "", "tells resolved cases like it, and why they were decided so", |desk, _| desk.alike()),
    command("cite", "+", "NUMBER", "refers to one of them in your reasons, or no longer", |desk, words| desk.cite(words)),
    command("queue", "v view", "", "tells the cases that are yours to label", |desk, _| desk.queue()),
    command("renew", "w", "", "tells the cases that want something of you beside the queue", |desk, _| desk.renew()),
    command("disputed", "", "", "tells the cases whose labels differ", |desk, _| desk.disputed()),
    command("search", "/ filter", "WORDS", "finds cases by words of their text", |desk, words| desk.search(words)),
    command("open", "", "CASE", "opens a case by its number in a list, or by its id", |desk, words| desk.open_named(words)),
    command("more", "", "", "tells the next lines of what was long", |desk, _| desk.more(false)),
    command("all", "", "", "tells all of them", |desk, _| desk.more(true)),
    command("help", "?", "", "tells the commands", |desk, _| help(desk)),
];

/// What ends the reading of lines.
pub const QUIT: [&str; 3] = ["quit", "q", "exit"];

fn help(desk: &mut Desk<'_>) -> Result<(), LinearError> {
    for Command { name, also, takes, help, .. } in COMMANDS {
        let or = also.split(' ').next().filter(|key| !key.is_empty()).map(|key| format!(" or {key}")).unwrap_or_default();
        let takes = if takes.is_empty() { String::new() } else { format!(" {takes}") };
        desk.line(&format!("{name}{or}{takes}: {help}."))?;
    }
    desk.line("quit or q: leaves; what you began is kept.")?;
    Ok(desk.line("An answer written in full comes before a command. A colon, as in :back, makes a command in any case.")?)
}

/// What is said to a line that is neither an answer nor a command.
pub fn refuse(desk: &mut Desk<'_>, line: &str) -> Result<(), LinearError> {
    let question = desk.open.as_ref().and_then(|open| open.question()).cloned();
    let line = plain(line);
    let words = match question {
        Some(question) => {
            format!("`{line}` is no answer to it, which takes {}. again tells the question, ? the commands.", question.wanted())
        }
        None => {
            let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
            format!("`{line}` is no command. There are {}, quit.", names.join(", "))
        }
    };
    Ok(desk.say("Error", &words)?)
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
    let is = |command: &&Command| command.name == name || command.also.split(' ').any(|also| also == name && !also.is_empty());
    COMMANDS.iter().find(is).map(|command| (command, rest.trim()))
}
