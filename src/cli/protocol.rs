//! `casework protocol`: check, show, compare, replay and publish protocols.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::or_faults;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::domain::label::{Outcome, value_text};
use crate::domain::protocol::diff::diff;
use crate::domain::protocol::parse::parse_strictly;
use crate::domain::protocol::{Protocol, Question, QuestionKind};
use crate::domain::text::{counted, visible};
use crate::format::foreign::LabelOptions;
use crate::format::kind::{doccano, label_studio};
use crate::format::open::Inputs;
use crate::format::open::foreign::labels;
use crate::format::protocol_from::{self, Controls, implied, of_argilla};
use crate::format::read::Options;
use crate::format::read::files::parts_of;
use crate::review::replay::Report;
use crate::review::sight::left_out;
use crate::review::{Protocols, Published};
use crate::workspace::create::{STARTERS, Starter};
use crate::workspace::documents::read_protocol;
use crate::workspace::{WorkError, read_file};

/// Cases that are named for each change; all stand in the JSON.
const NAMED: usize = 5;
/// No file of labels without texts is larger.
const LABELS_BYTES_MAX: u64 = 1 << 20;

/// What an argument is called that is a file here, and the name of what was published for whoever came
/// over SSH.
pub const PUBLISHED: &str = "FILE|ID|VERSION";

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Prove that every path of a protocol file ends and sets what it must
    Check { file: PathBuf },
    /// Show a protocol file, a published protocol by its id or version, or all that are in force
    Show {
        #[arg(value_name = PUBLISHED)]
        file: Option<PathBuf>,
        /// Draw it as a tree
        #[arg(long)]
        tree: bool,
        /// For Graphviz or Mermaid
        #[arg(long, value_parser = ["dot", "mermaid"], conflicts_with = "tree")]
        format: Option<String>,
    },
    /// Publish a protocol file as the next version
    Publish {
        file: PathBuf,
        /// What changed, in a line: required from the second version on
        #[arg(long, value_name = "TEXT", default_value = "")]
        changes: String,
    },
    /// Say what changed from one version to another: numbers of published versions, or files. One alone is
    /// held against the version in force
    Diff {
        old: String,
        new: Option<String>,
        /// Whose versions they are, where several protocols are published
        #[arg(long, value_name = "ID")]
        protocol: Option<String>,
    },
    /// Walk every label through a version, published or not, and say what would change; changes
    /// nothing
    Replay {
        /// A file, or the number of a published version
        version: String,
        #[arg(long, value_name = "ID")]
        protocol: Option<String>,
    },
    /// Make a protocol of another program's labeling interface, or of labels that were given in it, so
    /// that these come in as they are
    From {
        file: PathBuf,
        #[arg(long, value_name = "F", value_parser = ["label-studio", "argilla", "doccano", "prodigy", "brat", "uima-cas"])]
        format: String,
        /// Of labels that doccano exported by themselves: whether a text takes one of them, several,
        /// or they mark places in it
        #[arg(long, value_name = "HOW", value_parser = ["one", "several", "places"])]
        takes: Option<String>,
        /// Write it to a file instead of standard output
        #[arg(long, value_name = "FILE.toml")]
        out: Option<PathBuf>,
    },
    /// Print a protocol that casework ships, to begin one's own with: text, llm or fraud
    Starter { name: Option<String> },
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::From { file, format, takes, out } => {
            from(file, format, takes.as_deref(), out.as_deref())
        }
        What::Check { file } => check(context, file),
        What::Show { file, tree, format } => {
            let protocols = match file {
                // Files are none of theirs who came over SSH.
                Some(file) if context.served.is_none() && file.exists() => {
                    vec![(read_protocol(file, None)?, 0)]
                }
                Some(name) => named(&context.read()?.protocols()?, &name.to_string_lossy())?,
                None if context.global.json => every(&context.read()?.protocols()?.published),
                None => {
                    let protocols = context.read()?.protocols()?;
                    let in_force: Vec<&Published> = protocols.in_force();
                    let before = protocols.published.len() - in_force.len();
                    if before > 0 {
                        say(&format!(
                            "{before} {} no longer in force: `casework protocol show ID` shows every version of one.",
                            if before == 1 { "version is" } else { "versions are" }
                        ));
                    }
                    every(in_force)
                }
            };
            show(context, &protocols, *tree, format.as_deref())
        }
        What::Publish { file, changes } => {
            let mut workspace = context.open()?;
            let glossary = workspace.protocols()?.glossary;
            let protocol = read_protocol(file, Some(&glossary))?;
            let before = workspace.protocols()?;
            let version = workspace.publish_protocol(&protocol, changes)?;
            let report = if version > 1 { workspace.replay(&protocol)? } else { Report::default() };
            let to_renew = report.needs.values().sum::<u64>() + report.stuck_labels();
            let document = json!({ "id": protocol.id, "version": version, "hash": protocol.hash(), "needs": to_renew });
            let mut words =
                format!("{} v{version} is published: {}", protocol.id, counts(&protocol));
            let known = before.version(&protocol.id, version).is_some();
            if known {
                words =
                    format!("{} v{version} is published already, as it stands there", protocol.id);
            }
            let replaced = before
                .in_force()
                .into_iter()
                .find(|one| one.protocol.streams.is_empty() && one.protocol.id != protocol.id);
            if let Some(replaced) = replaced.filter(|_| protocol.streams.is_empty() && !known) {
                words.push_str(&format!(
                    ". It takes the place of {} for all streams that no protocol names",
                    replaced.protocol.id
                ));
            }
            if to_renew > 0 {
                words.push_str(&format!(
                    ". Without an answer now: {} (w in the screen, or casework queue --renew)",
                    counted(to_renew, "label")
                ));
            }
            done(context.global.json, &words, &document)?;
            Ok(Exit::Done)
        }
        What::Diff { old, new, protocol } => {
            let protocols = context
                .read()
                .ok()
                .map(|workspace| workspace.protocols())
                .transpose()?
                .unwrap_or_default();
            // A number beside a file is of the file's protocol.
            let of_file = std::iter::once(old)
                .chain(new)
                .filter(|name| number(name).is_none())
                .find_map(|name| read_protocol(Path::new(name), None).ok());
            let id = protocol.clone().or(of_file.map(|protocol| protocol.id));
            let (old, new) = match new {
                Some(new) => {
                    (find(&protocols, old, id.as_deref())?, find(&protocols, new, id.as_deref())?)
                }
                None => {
                    let new = find(&protocols, old, id.as_deref())?;
                    let in_force = protocols.in_force();
                    let same = in_force.iter().find(|one| one.protocol.id == new.id);
                    let same = same.ok_or_else(|| {
                        CliError::Use(format!(
                            "no version of {} is published: name two to compare",
                            new.id
                        ))
                    })?;
                    (same.protocol.clone(), new)
                }
            };
            let words = diff(&old, &new);
            let mut out = Out::new();
            if context.global.json {
                out.json(&json!({ "changes": words }))?;
            }
            for line in words.iter().filter(|_| !context.global.json) {
                out.line(line)?;
            }
            out.finish()?;
            if words.is_empty() {
                say("Nothing changed that matters to a reviewer.");
            }
            Ok(if words.is_empty() { Exit::No } else { Exit::Done })
        }
        What::Replay { version, protocol } => {
            let workspace = context.read()?;
            let newest = find(&workspace.protocols()?, version, protocol.as_deref())?;
            replayed(context, &newest, &workspace.replay(&newest)?)
        }
        What::Starter { name } => print_starter(name.as_deref()),
    }
}

fn check(context: &Context, file: &Path) -> Result<Exit, CliError> {
    // A protocol can be checked anywhere; where there is a workspace, its terms are checked too.
    let workspace = context.read().ok();
    let keys = workspace.as_ref().map(|workspace| workspace.config.keys.clone());
    let glossary =
        workspace.and_then(|workspace| workspace.protocols().ok()).map(|all| all.glossary);
    let protocol = or_faults(context.global.json, read_protocol(file, glossary.as_ref()))?;
    let notes = letters_that_lose(context, &keys.unwrap_or_default(), &protocol);
    let document = json!({ "ok": true, "id": protocol.id, "hash": protocol.hash(), "faults": [],
        "notes": notes });
    done(
        context.global.json,
        &format!("{} is sound: {}", file.display(), counts(&protocol)),
        &document,
    )?;
    for words in notes.iter().filter(|_| !context.global.json) {
        say(words);
    }
    if glossary.is_none() && protocol.questions.iter().any(|question| !question.terms.is_empty()) {
        say("Its terms were not looked up: there is no workspace with a glossary here.");
    }
    Ok(Exit::Done)
}

/// Letters of answers that do something else on the review screen, with what: digits answer there.
fn letters_that_lose(
    context: &Context,
    keys: &BTreeMap<String, String>,
    protocol: &Protocol,
) -> Vec<String> {
    let of_question = |question: &Question| {
        let QuestionKind::Choice(answers) = &question.kind else { return None };
        let lost = answers.iter().filter_map(|answer| {
            let mut letters = answer.key.chars();
            let letter = letters
                .next()
                .filter(|letter| letters.next().is_none() && !letter.is_ascii_digit())?;
            match (context.taken)(keys, letter) {
                [None, None] => None,
                [Some(does), Some(_)] => Some(format!("{letter} ({does})")),
                [Some(does), None] => Some(format!("{letter} (with the case in focus: {does})")),
                [None, Some(does)] => Some(format!("{letter} (with the guide in focus: {does})")),
            }
        });
        let lost: Vec<String> = lost.collect();
        let words = format!(
            "`{}`: these letters do something else on the review screen, where digits answer: {}",
            question.id,
            lost.join(", ")
        );
        (!lost.is_empty()).then_some(words)
    };
    protocol.questions.iter().filter_map(of_question).collect()
}

fn counts(protocol: &Protocol) -> String {
    let (questions, labels) = (protocol.questions.len(), protocol.labels.len());
    format!(
        "{}, {}, at most {} to an end",
        counted(questions, "question"),
        counted(labels, "label"),
        counted(protocol.longest_path(), "answer")
    )
}

fn every<'p>(published: impl IntoIterator<Item = &'p Published>) -> Vec<(Protocol, u32)> {
    published.into_iter().map(|one| (one.protocol.clone(), one.reference.version)).collect()
}

/// Published versions of an id, or of a number.
fn named(protocols: &Protocols, name: &str) -> Result<Vec<(Protocol, u32)>, CliError> {
    let fits = |published: &&Published| {
        published.protocol.id == name || number(name) == Some(published.reference.version)
    };
    let found = every(protocols.published.iter().filter(fits));
    if found.is_empty() {
        return Err(CliError::Use(format!(
            "`{name}` is no file, and neither the id nor a version of a published protocol"
        )));
    }
    Ok(found)
}

pub fn number(name: &str) -> Option<u32> {
    name.trim_start_matches('v').parse().ok()
}

/// A published version by its number, or a file.
fn find(protocols: &Protocols, name: &str, id: Option<&str>) -> Result<Protocol, CliError> {
    let Some(version) = number(name) else { return Ok(read_protocol(Path::new(name), None)?) };
    let ids: Vec<&str> =
        protocols.in_force().iter().map(|published| published.protocol.id.as_str()).collect();
    let several = || {
        CliError::Use(format!(
            "several protocols are published: say which by --protocol {}",
            ids.join(" or ")
        ))
    };
    let id = match (id, ids.as_slice()) {
        (Some(id), _) => id,
        (None, [only]) => only,
        // Only one of them may have that version.
        (None, ids) => {
            let mut having = ids.iter().filter(|id| protocols.version(id, version).is_some());
            match (having.next(), having.next()) {
                (Some(only), None) => only,
                _ => return Err(several()),
            }
        }
    };
    let found = protocols.version(id, version).map(|published| published.protocol.clone());
    found.ok_or_else(|| {
        CliError::Use(format!(
            "{id} has no version {version} here: `casework protocol show` lists them"
        ))
    })
}

fn show(
    context: &Context,
    protocols: &[(Protocol, u32)],
    tree: bool,
    format: Option<&str>,
) -> Result<Exit, CliError> {
    let mut out = Out::new();
    for (protocol, version) in protocols {
        if context.global.json {
            out.json(&json!({
                "id": protocol.id, "title": protocol.title, "version": version, "hash": protocol.hash(),
                "questions": protocol.questions.iter().map(|question| &question.id).collect::<Vec<_>>(),
                "labels": protocol.labels.iter().map(|label| &label.name).collect::<Vec<_>>(),
                "required": protocol.required, "source": protocol.source,
            }))?;
            continue;
        }
        let drawn = match format {
            Some("dot") => protocol.dot(),
            Some(_) => protocol.mermaid(),
            None if tree => {
                let head = if *version > 0 {
                    format!("{} v{version} · ", protocol.id)
                } else {
                    format!("{} · ", protocol.id)
                };
                let lines = protocol
                    .tree()
                    .into_iter()
                    .map(|line| format!("{}{}\n", line.branch, line.words));
                format!("{head}{}\n{}", protocol.title, lines.collect::<String>())
            }
            None => {
                let head = if *version > 0 { format!("v{version}\n") } else { String::new() };
                format!("{head}{}", protocol.outline())
            }
        };
        for line in drawn.lines() {
            out.raw(&format!("{}\n", visible(line)))?;
        }
    }
    out.finish()?;
    if protocols.is_empty() {
        return Err(WorkError::NoProtocol("any".to_owned()).into());
    }
    Ok(Exit::Done)
}

/// The fields in which two outcomes differ: `category ambiguous-signal → ordinary`.
fn change_words(from: &Outcome, to: &Outcome) -> String {
    let fields: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let value = |outcome: &Outcome, field: &String| {
        outcome.get(field).map_or_else(|| "nothing".to_owned(), value_text)
    };
    let changed = fields.into_iter().filter(|field| from.get(*field) != to.get(*field));
    let words = |field: &String| format!("{field} {} → {}", value(from, field), value(to, field));
    changed.map(words).collect::<Vec<_>>().join(" · ")
}

/// What a replay found: changes by what changes into what, with the cases; questions that lack an
/// answer; what no longer walks.
fn replayed(context: &Context, newest: &Protocol, report: &Report) -> Result<Exit, CliError> {
    let mut out = Out::new();
    if context.global.json {
        let changed: Vec<_> = report
            .changed
            .iter()
            .map(|one| json!({ "case": one.case, "reviewer": one.reviewer, "from": one.from, "to": one.to }))
            .collect();
        let needs: Vec<_> = report
            .needs
            .iter()
            .map(|(question, labels)| json!({ "question": question, "labels": labels }))
            .collect();
        let stuck_at: Vec<_> = report
            .stuck
            .iter()
            .map(|((question, answer), labels)| json!({ "question": question, "answer": answer, "labels": labels }))
            .collect();
        out.json(&json!({ "labels": report.labels, "unchanged": report.unchanged, "changed": changed, "needs": needs,
            "stuck": report.stuck_labels(), "stuck_at": stuck_at, "left_out": report.left_out }))?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    if let Some(words) = left_out(report.left_out, "changes") {
        say(&words);
    }
    let (labels, needs) = (report.labels, report.needs.values().sum::<u64>());
    out.line(&format!(
        "{labels:>8}  labels of {}; {} of other protocols are not touched",
        newest.id, report.others
    ))?;
    out.line(&format!("{:>8}  unchanged", report.unchanged))?;
    out.line(&format!("{:>8}  change their outcome", report.changed.len() + report.left_out))?;
    // By what is other than it was: one answer that sets a field otherwise is one line, whatever
    // else the outcomes say.
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in &report.changed {
        groups.entry(change_words(&one.from, &one.to)).or_default().push(one.case.short());
    }
    for (change, mut cases) in groups {
        let labels = cases.len();
        cases.dedup(); // labels come case by case
        let more = if cases.len() > NAMED {
            format!(" and {} more", cases.len() - NAMED)
        } else {
            String::new()
        };
        let named = cases.iter().take(NAMED).cloned().collect::<Vec<_>>().join(" ");
        out.line(&format!("{labels:>12}  {change}: {named}{more}"))?;
    }
    out.line(&format!("{needs:>8}  need an answer"))?;
    for (question, labels) in &report.needs {
        let ask =
            newest.question(question).map(|question| question.ask.as_str()).unwrap_or_default();
        out.line(&format!("{labels:>12}  {question}: {ask}"))?;
    }
    out.line(&format!("{:>8}  no longer walk", report.stuck_labels()))?;
    for ((question, answer), labels) in &report.stuck {
        let words = format!(
            "{labels:>12}  {question} no longer takes `{answer}`: map it in [rename], or it is asked again"
        );
        out.line(&words)?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// A protocol that casework ships, by its name.
pub fn starter(name: &str) -> Result<&'static Starter, CliError> {
    let names = || STARTERS.iter().map(|starter| starter.name).collect::<Vec<_>>().join(", ");
    let found = STARTERS.iter().find(|starter| starter.name == name);
    found.ok_or_else(|| {
        CliError::Use(format!("no starter is called `{name}`: there are {}", names()))
    })
}

fn print_starter(name: Option<&str>) -> Result<Exit, CliError> {
    let mut out = Out::new();
    match name {
        None => STARTERS
            .iter()
            .try_for_each(|starter| out.line(&format!("{:<8} {}", starter.name, starter.about)))?,
        Some(name) => out.raw(starter(name)?.source)?,
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn from(
    path: &Path,
    format: &str,
    takes: Option<&str>,
    to: Option<&Path>,
) -> Result<Exit, CliError> {
    let bad = |why: String| CliError::Use(format!("{}: {why}", path.display()));
    // A file of labels by themselves is small; one of labeled texts is read as it comes.
    let is_small = |file: std::fs::Metadata| file.is_file() && file.len() <= LABELS_BYTES_MAX;
    let alone = match format {
        "doccano" if std::fs::metadata(path).is_ok_and(is_small) => {
            std::fs::read_to_string(path).ok().and_then(|text| doccano::label_types(&text))
        }
        _ => None,
    };
    if takes.is_some() && alone.is_none() {
        return Err(CliError::Use("--takes is for labels that doccano exported".to_owned()));
    }
    let controls = match (format, alone) {
        (_, Some(names)) => doccano::controls(names, takes).map_err(bad)?,
        ("label-studio", _) => label_studio::controls(&read_file(path)?).map_err(bad)?,
        ("argilla", _) => of_argilla(&read_file(path)?).map_err(bad)?,
        // Nothing but the labels says what was asked.
        _ => {
            let stop = std::sync::Arc::default();
            let inputs = Inputs::new(
                parts_of(path).map_err(|error| bad(error.to_string()))?,
                Options::default(),
                stop,
            );
            let mut said = Vec::new();
            let parts = inputs.parts();
            for part in parts.iter().filter(|part| {
                format != "brat" || part.path.extension().is_some_and(|ending| ending == "ann")
            }) {
                said.extend(labels(&inputs, part, Some(format), LabelOptions::default())?.said);
            }
            Controls { made: implied(&said), left_out: Vec::new() }
        }
    };
    let Controls { made: controls, left_out } = controls;
    if controls.is_empty() {
        return Err(bad("nothing in it was answered".to_owned()));
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let source =
        protocol_from::protocol(&protocol_from::id_of(stem), stem, &visible(&name), &controls);
    // What is written is what can be published.
    parse_strictly(&source, None).map_err(|faults| {
        let words: Vec<String> =
            faults.iter().map(|fault| format!("line {}: {}", fault.line, fault.message)).collect();
        bad(words.join("; "))
    })?;
    for what in &left_out {
        say(&format!("  left out: {}", visible(what)));
    }
    match to {
        Some(to) => {
            let failed = |error| WorkError::File { path: to.display().to_string(), error };
            std::fs::write(to, source).map_err(failed)?;
            say(&format!(
                "{} made into {}; casework protocol publish puts it in force",
                counted(controls.len(), "control"),
                to.display()
            ));
        }
        None => {
            let mut out = Out::new();
            source.lines().try_for_each(|line| out.line(line))?;
            out.finish()?;
        }
    }
    Ok(Exit::Done)
}
