//! Tries whether a plug-in keeps to the lines: each thing that may happen to it, one by one.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::host::{Answer, Asked, Host};
use super::place::Place;
use super::process::{Heard, Process, WINDOW};
use crate::clock;
use crate::domain::plugin::{LINE_BYTES_MAX, LINES_VERSION, Plugin, PluginKind, words};

/// How one thing went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub name: &'static str,
    /// What was seen, or what is wrong.
    pub went: Result<String, String>,
}

type Went = Result<String, String>;
type Trial = fn(&Plugin, &Place) -> Went;

/// What is to be tried of a plug-in, by name.
const TRIALS: &[(&str, Trial)] = &[
    ("hello", hello),
    ("order", order),
    ("unknown keys", unknown_keys),
    ("big line", big_line),
    ("slow row", slow_row),
    ("crash", crash),
    ("garbage", garbage),
    ("flood", flood),
    ("silence", silence),
    ("end", end),
];

/// Tries everything.
pub fn check(plugin: &Plugin, place: &Place) -> Vec<Tried> {
    let mut tried = Vec::new();
    for (name, trial) in TRIALS {
        let went = trial(plugin, place);
        let useless = *name == "hello" && went.is_err();
        tried.push(Tried { name, went });
        if useless {
            break;
        }
    }
    tried
}

/// Rows as the plug-in will see them: those of a stream, cases with questions, or labels.
fn rows(kind: PluginKind, count: usize) -> Vec<Asked> {
    let texts =
        ["Where is my card?", "¿Dónde está mi tarjeta?", "I want to speak to a person", "ok"];
    let row = |at: usize| {
        let text = format!("{} {at}", texts[at % texts.len()]);
        let line = json!({ "id": format!("row-{at}"), "text": text, "label": "card_arrival",
            "confidence": 0.25, "input": { "text": text, "channel": "chat" },
            "prediction": { "label": "card_arrival", "confidence": 0.25 } });
        asked(kind, &format!("row-{at}"), line)
    };
    (0..count).map(row).collect()
}

fn asked(kind: PluginKind, name: &str, row: Value) -> Asked {
    let mut body = Map::new();
    match kind {
        PluginKind::Detector => drop(body.insert("row".to_owned(), row)),
        PluginKind::Labeler => {
            body.insert("case".to_owned(), name.into());
            body.insert("row".to_owned(), row);
            body.insert("protocol".to_owned(), "tried@1".into());
            let question = json!({ "id": "readable", "kind": "choice",
                "text": "Can the input be understood?",
                "answers": [{ "key": "y", "text": "Yes" }, { "key": "n", "text": "No" }] });
            body.insert("questions".to_owned(), json!([question]));
        }
        PluginKind::Validator => {
            let label = json!({ "case": name, "outcome": { "verdict": "model_correct" },
                "confidence": 3, "rationale": "", "row": row });
            body.insert("label".to_owned(), label);
        }
    }
    Asked::new(name.to_owned(), &body)
}

/// How many rows are a few, and how many are many, of a kind: a labeler may cost money.
fn few(kind: PluginKind) -> usize {
    if kind == PluginKind::Labeler { 4 } else { WINDOW + 44 }
}

fn many(kind: PluginKind) -> usize {
    if kind == PluginKind::Labeler { 8 } else { 5_000 }
}

fn ask(plugin: &Plugin, place: &Place, rows: &[Asked]) -> Result<Vec<Answer>, String> {
    let mut host = Host::new(plugin.clone(), again(plugin, place)?);
    let answers = host.ask(rows, &|| false);
    let counts = host.take_counts();
    if let Some(trouble) = counts.trouble.first() {
        return Err(trouble.clone());
    }
    for answer in &answers {
        if let Answer::NotUnderstood(why) = answer {
            return Err(why.clone());
        }
    }
    host.end()?;
    Ok(answers)
}

/// Its files once more: a trial has a home of its own.
fn again(plugin: &Plugin, place: &Place) -> Result<Place, String> {
    place.again(plugin).map_err(|error| error.to_string())
}

fn could_tell(answers: &[Answer]) -> Result<(), String> {
    let cannot = answers.iter().find_map(|answer| match answer {
        Answer::Said(_) => None,
        Answer::CannotTell(why) | Answer::NotUnderstood(why) => Some(why.clone()),
        Answer::Skipped => Some("it was not asked".to_owned()),
    });
    cannot.map_or(Ok(()), |why| Err(format!("a plain row: {why}")))
}

fn hello(plugin: &Plugin, place: &Place) -> Went {
    let mut process = begun(plugin, place)?;
    let said = said_hello(&mut process)?;
    drop(process);
    Ok(said)
}

/// One that was begun and told hello, with a key that nobody knows.
fn begun(plugin: &Plugin, place: &Place) -> Result<Process, String> {
    let told = place.told(plugin, &[]).map_err(|error| error.to_string())?;
    let process = Process::start(&told).map_err(|error| error.to_string())?;
    let hello = json!({ "casework": LINES_VERSION, "kind": plugin.kind.as_str(),
        "name": plugin.name, "config": plugin.config, "wants": plugin.wants, "window": WINDOW,
        "seed": "casework", "something_new": { "of": [1, 2] } });
    process.send(format!("{hello}\n"));
    Ok(process)
}

fn said_hello(process: &mut Process) -> Went {
    match process.hear(Duration::from_secs(10)) {
        Heard::Line(line) => {
            let hello: crate::domain::plugin::Hello =
                serde_json::from_str(&line).map_err(|error| {
                    format!("its first line is no hello ({error}): {}", words(&line))
                })?;
            if hello.casework != LINES_VERSION {
                return Err(format!("it speaks version {} of the lines", hello.casework));
            }
            let says = if hello.deterministic { ", says the same each time" } else { "" };
            Ok(words(&format!("{} {}{says}", hello.plugin, hello.version)))
        }
        Heard::Broken(why) => Err(format!("it said {why}")),
        Heard::End => Err(format!("it ended: {}", last_line(process))),
        Heard::Nothing => Err("it said nothing within 10 s: is its output flushed?".to_owned()),
    }
}

fn last_line(process: &mut Process) -> String {
    // What it printed may be on its way.
    std::thread::sleep(Duration::from_millis(100));
    let said = process.said();
    said.lines().last().unwrap_or("it printed nothing").to_owned()
}

fn order(plugin: &Plugin, place: &Place) -> Went {
    let rows = rows(plugin.kind, few(plugin.kind));
    let answers = ask(plugin, place, &rows)?;
    could_tell(&answers)?;
    Ok(format!("{} rows, each answered once", rows.len()))
}

fn unknown_keys(plugin: &Plugin, place: &Place) -> Went {
    let plain = rows(plugin.kind, 3);
    let mut more = plain.clone();
    for asked in &mut more {
        *asked = asked.with("something_new", &json!({ "a": [null, 1] }));
    }
    could_tell(&ask(plugin, place, &plain)?)?;
    could_tell(&ask(plugin, place, &more)?)?;
    Ok("what it does not know is passed over".to_owned())
}

fn big_line(plugin: &Plugin, place: &Place) -> Went {
    let text = "word ".repeat((LINE_BYTES_MAX - 4_096) / 5);
    let row = json!({ "id": "big", "text": text });
    let answers = ask(plugin, place, &[asked(plugin.kind, "big", row)])?;
    Ok(match answers.first() {
        Some(Answer::Said(_)) => "a row of 1 MiB is answered".to_owned(),
        _ => "of a row of 1 MiB it says that it can't tell".to_owned(),
    })
}

/// The next answer, if it is one to `number`.
fn answer_to(process: &mut Process, plugin: &Plugin, number: u64) -> Result<(), String> {
    match process.hear(Duration::from_secs(plugin.patience())) {
        Heard::Line(line) => {
            let answer: Map<String, Value> = serde_json::from_str(&line)
                .map_err(|error| format!("a line is no object ({error}): {}", words(&line)))?;
            match answer.get("n").and_then(Value::as_u64) {
                Some(n) if n == number => Ok(()),
                _ => Err(format!("asked {number}, it says {}", words(&line))),
            }
        }
        Heard::Broken(why) => Err(format!("it said {why}")),
        Heard::End => Err(format!("it ended: {}", last_line(process))),
        Heard::Nothing => {
            Err(format!("it said nothing within {} s of row {number}", plugin.patience()))
        }
    }
}

fn slow_row(plugin: &Plugin, place: &Place) -> Went {
    let mut process = begun(plugin, place)?;
    said_hello(&mut process)?;
    let line = rows(plugin.kind, 1)[0].line(1);
    let middle = (line.len() / 2..line.len()).find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let (first, rest) = line.split_at(middle);
    process.send(first.to_owned());
    match process.hear(Duration::from_millis(700)) {
        Heard::Nothing => {}
        _ => return Err("half a line came, and it did not wait for the rest".to_owned()),
    }
    process.send(rest.to_owned());
    answer_to(&mut process, plugin, 1)?;
    Ok("it waits for the end of a line".to_owned())
}

fn crash(plugin: &Plugin, place: &Place) -> Went {
    let rows = rows(plugin.kind, 4);
    let mut process = begun(plugin, place)?;
    said_hello(&mut process)?;
    process.send(rows[0].line(1));
    answer_to(&mut process, plugin, 1)?;
    process.send(rows[1].line(2));
    // Killed in the middle of its work.
    drop(process);
    let answers = ask(plugin, place, &rows)?;
    could_tell(&answers)?;
    let says = match claims_the_same(plugin, place)? {
        true if ask(plugin, place, &rows)? != answers => {
            return Err("it says that it is deterministic, and answers otherwise".to_owned());
        }
        true => ", and answers as before",
        false => "",
    };
    Ok(format!("killed in the middle, it begins again{says}"))
}

fn claims_the_same(plugin: &Plugin, place: &Place) -> Result<bool, String> {
    let mut process = begun(plugin, place)?;
    Ok(said_hello(&mut process)?.ends_with("says the same each time"))
}

fn garbage(plugin: &Plugin, place: &Place) -> Went {
    let odd = [
        json!({}),
        json!({ "id": "", "text": "" }),
        json!({ "id": 7, "text": null }),
        json!({ "id": "n", "text": 3.5, "input": [] }),
        json!({ "id": "c", "text": "\u{0}\u{1b}[31m\u{202e}\u{2028}\r\n\t\"\\" }),
        json!({ "id": "e", "text": "👩‍👩‍👧‍👦 e\u{301} क्षि 한국어" }),
        json!({ "id": "d", "text": ["a", { "b": [[[[[[]]]]]] }] }),
    ];
    let rows: Vec<Asked> = odd
        .into_iter()
        .enumerate()
        .map(|(at, row)| asked(plugin.kind, &format!("odd-{at}"), row))
        .collect();
    let answers = ask(plugin, place, &rows)?;
    let cannot = answers.iter().filter(|answer| matches!(answer, Answer::CannotTell(_))).count();
    Ok(format!("{} odd rows, of {cannot} of them it says that it can't tell", answers.len()))
}

fn flood(plugin: &Plugin, place: &Place) -> Went {
    let rows = rows(plugin.kind, many(plugin.kind));
    let since = clock::instant();
    could_tell(&ask(plugin, place, &rows)?)?;
    let each = rows.len() as f64 / since.elapsed().as_secs_f64();
    Ok(format!("{} rows as fast as it takes them: {each:.0} a second", rows.len()))
}

fn silence(plugin: &Plugin, place: &Place) -> Went {
    let mut process = begun(plugin, place)?;
    said_hello(&mut process)?;
    match process.hear(Duration::from_secs(2)) {
        Heard::Nothing => {}
        Heard::Line(line) => {
            return Err(format!("nothing was asked, and it says {}", words(&line)));
        }
        Heard::Broken(why) => return Err(format!("nothing was asked, and it said {why}")),
        Heard::End => return Err("it did not wait for what comes".to_owned()),
    }
    process.send(rows(plugin.kind, 1)[0].line(1));
    answer_to(&mut process, plugin, 1)?;
    Ok("it waits, and says nothing unasked".to_owned())
}

fn end(plugin: &Plugin, place: &Place) -> Went {
    let mut process = begun(plugin, place)?;
    said_hello(&mut process)?;
    process.send(rows(plugin.kind, 1)[0].line(1));
    answer_to(&mut process, plugin, 1)?;
    process.end().0?;
    Ok("it ends when it is told to".to_owned())
}
