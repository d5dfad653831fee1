//! `casework plugin`: programs of one's own that flag predictions, suggest labels and look over what
//! was made.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::out::{Out, done, page, say};
use super::reading::ReadArgs;
use super::{CliError, Context, Exit, TimeArg, stopped_by_signals};
use crate::clock;
use crate::domain::plugin::{Pin, Plugin, PluginKind, Problem, Severity};
use crate::domain::text::visible;
use crate::domain::time::Moment;
use crate::intake::Summary;
use crate::plugin::check::check as try_all;
use crate::plugin::{Counts, Place};
use crate::quality::figure::decimal;
use crate::review::suggested::Same;
use crate::workspace::cases::IngestRequest;
use crate::workspace::error::PluginError;
use crate::workspace::plugins::Standing;
use crate::workspace::suggesting::{Came, Wanted};
use crate::workspace::validating::{LookedOver, Made};
use crate::workspace::{WorkError, Workspace};

/// Examples that are shipped, each with what config.toml says of it.
const EXAMPLES: [(&str, &str, &str); 4] = [
    (
        "python",
        include_str!("../../assets/plugins/detector.py"),
        "# [[plugin]]\n# name = \"shouting\"\n# kind = \"detector\"\n# run = [\"python3\", \"detector.py\"]\n# wants = [\"text\"]\n",
    ),
    (
        "jq",
        include_str!("../../assets/plugins/detector.sh"),
        "# [[plugin]]\n# name = \"links\"\n# kind = \"detector\"\n# run = [\"sh\", \"detector.sh\"]\n# wants = [\"text\"]\n",
    ),
    (
        "rust",
        include_str!("../../assets/plugins/validator.rs"),
        "// [[plugin]]\n// name = \"says-why\"\n// kind = \"validator\"\n// run = [\"./validator\"]\n",
    ),
    (
        "llm",
        include_str!("../../assets/plugins/labeler.py"),
        "# [[plugin]]\n# name = \"llm\"\n# kind = \"labeler\"\n# run = [\"python3\", \"labeler.py\"]\n# wants = [\"text\", \"label\", \"prediction.top_k\"]\n# network = true\n# pass = [\"CASEWORK_LABELER_KEY\"]\n# config = { url = \"http://127.0.0.1:11434/v1\", model = \"llama3.1\" }\n",
    ),
];

fn kinds() -> [&'static str; 3] {
    PluginKind::ALL.map(PluginKind::as_str)
}

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// List plug-ins, and whether what runs was looked at
    List,
    /// Say that a plug-in may run as it is now
    Pin {
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Try whether a program keeps to the lines: a plug-in by name, or a command
    Check {
        /// What it is, where a command is given
        #[arg(long, value_name = "K", value_parser = kinds(), default_value = "detector")]
        kind: String,
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "NAME | CMD…"
        )]
        command: Vec<String>,
    },
    /// Ask a labeler how it would label cases
    Suggest {
        #[arg(value_name = "NAME")]
        name: String,
        /// These; without any: what waits, and gold items, where it said nothing yet
        #[arg(value_name = "CASE")]
        cases: Vec<String>,
        /// Only what was detected since
        #[arg(long, value_name = "TIME", value_parser = super::since, conflicts_with = "cases")]
        since: Option<TimeArg>,
        /// At most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show how a labeler's suggestions compare with people's labels and with gold items
    Show {
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Make up for rows that a plug-in was not asked about: a detector over files, a labeler over
    /// cases
    Again {
        #[arg(value_name = "NAME")]
        name: String,
        /// The files that were read meanwhile
        #[arg(value_name = "PATH")]
        files: Vec<PathBuf>,
        #[arg(long, value_name = "TIME", value_parser = super::since)]
        since: Option<TimeArg>,
    },
    /// Print a plug-in to begin with: python, jq, rust, llm
    Example {
        #[arg(value_name = "WHICH", value_parser = EXAMPLES.map(|(name, ..)| name))]
        which: String,
    },
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::List => list(context),
        What::Pin { name } => pin(context, name),
        What::Check { kind, command } => check(context, kind, command),
        What::Suggest { name, cases, since, limit } => {
            let since = moment(*since)?;
            let wanted = Wanted { cases: cases.clone(), since, limit: *limit };
            suggest(context, name, &wanted)
        }
        What::Show { name } => show(context, name),
        What::Again { name, files, since } => again(context, name, files, moment(*since)?),
        What::Example { which } => {
            let found = EXAMPLES.iter().find(|(name, ..)| name == which);
            let (_, text, config) = found.unwrap_or(&EXAMPLES[0]);
            let mark = if *which == "rust" { "//" } else { "#" };
            page(context.global.json, &format!("{text}\n{mark} In config.toml:\n{config}"))?;
            Ok(Exit::Done)
        }
    }
}

fn moment(of: Option<TimeArg>) -> Result<Option<Moment>, CliError> {
    of.map(|of| of.moment(clock::now())).transpose()
}

fn list(context: &Context) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let known = workspace.plugins()?;
    let mut out = Out::new();
    for one in &known {
        let pinned = one.pinned.as_ref();
        if context.global.json {
            out.json(&json!({ "plugin": one.name, "kind": one.kind, "run": one.run,
                "standing": one.standing.as_str(), "trouble": one.trouble, "sha256": one.sha256,
                "pinned": pinned.map(|known| json!({ "sha256": known.pin.pin.sha256,
                    "author": known.author, "at": known.at.rfc3339() })) }))?;
            continue;
        }
        let by = pinned.map_or(String::new(), |known| {
            format!(" by {} on {}", visible(&known.author), known.at.minute())
        });
        let by = if one.standing == Standing::NotPinned { String::new() } else { by };
        let trouble = one.trouble.as_ref().map_or(String::new(), |what| format!(" ({what})"));
        let by = visible(&format!("{by}{trouble}")).into_owned();
        out.line(&format!(
            "{:<20} {:<10} {}{by}  {}",
            visible(&one.name),
            one.kind.as_str(),
            one.standing.as_str(),
            visible(&one.run.join(" "))
        ))?;
    }
    out.finish()?;
    if known.is_empty() {
        say("config.toml has no [[plugin]]. `casework plugin example python` prints one.");
    }
    Ok(if known.is_empty() { Exit::No } else { Exit::Done })
}

fn pin(context: &Context, name: &str) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let (pin, new) = workspace.pin_plugin(name)?;
    let run = pin.run.join(" ");
    let words = if new {
        format!("{name} may run as it is: `{run}`, sha256 {}.", pin.sha256)
    } else {
        format!("{name} was pinned as it is before: `{run}`, sha256 {}.", pin.sha256)
    };
    let document = json!({ "plugin": name, "sha256": pin.sha256, "run": pin.run, "new": new,
        "files": pin.files, "wants": pin.wants, "network": pin.network, "pass": pin.pass });
    done(context.global.json, &visible(&words), &document)?;
    if !context.global.json {
        say(&visible(&allows(&pin)));
    }
    Ok(Exit::Done)
}

/// What a pin allows, in a sentence.
fn allows(pin: &Pin) -> String {
    let list = |list: &[String], none: &str| {
        if list.is_empty() { none.to_owned() } else { list.join(", ") }
    };
    let network = if pin.network { "the network" } else { "no network" };
    format!(
        "It is sent {}; it has {network}, and of the environment {}.",
        list(&pin.wants, "whole rows"),
        list(&pin.pass, "nothing")
    )
}

fn check(context: &Context, kind: &str, command: &[String]) -> Result<Exit, CliError> {
    let of_kind = PluginKind::ALL.into_iter().find(|one| one.as_str() == kind);
    let tried = Plugin::to_try(of_kind.unwrap_or(PluginKind::Detector), command.to_vec());
    // A word alone is the name of one, if there is such a one.
    let workspace = context.read().ok();
    let named = workspace.as_ref().zip(command.first()).filter(|_| command.len() == 1);
    let named = named.and_then(|(workspace, name)| {
        let beside = workspace.paths.config().parent().map(Path::to_owned);
        Some((workspace.plugin(name).ok()?.clone(), beside?))
    });
    let hidden = match &workspace {
        Some(workspace) => workspace.hidden()?,
        None => context.paths()?.hidden(),
    };
    let (plugin, beside) = named.unwrap_or((tried, PathBuf::from(".")));
    let failed = |error| PluginError::File { name: plugin.name.clone(), error };
    let place =
        Place::new(&plugin, &beside, hidden).map_err(|error| WorkError::from(failed(error)))?;
    let mut out = Out::new();
    let mut bad = 0;
    let held = place.level().as_str();
    for tried in try_all(&plugin, &place) {
        let (ok, words) = match &tried.went {
            Ok(words) => (true, words),
            Err(words) => (false, words),
        };
        bad += usize::from(!ok);
        if context.global.json {
            out.json(&json!({ "trial": tried.name, "ok": ok, "text": words }))?;
        } else {
            let mark = if ok { "ok  " } else { "FAIL" };
            out.line(&format!("{mark} {:<13} {}", tried.name, visible(words)))?;
        }
    }
    out.finish()?;
    say(&format!("Sandbox: {held}."));
    if bad > 0 {
        say(&format!("{bad} things went wrong. `casework help plugins` says what the lines are."));
    }
    Ok(if bad > 0 { Exit::No } else { Exit::Done })
}

/// What went wrong with a plug-in, in lines.
pub(super) fn trouble(name: &str, counts: &Counts, again: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    let (cannot, skipped) = (counts.could_not_tell, counts.skipped);
    if cannot > 0 || skipped > 0 {
        lines.push(format!(
            "  plug-in {name}: of {} rows it could not tell {cannot}, and was not asked about {skipped}",
            counts.asked
        ));
    }
    lines.extend(counts.trouble.iter().map(|words| format!("  plug-in {name}: {words}")));
    if !counts.aside.is_empty() {
        lines.push(format!("  plug-in {name}: it fails on {}", counts.aside.join(", ")));
    }
    if skipped > 0 {
        lines.extend(again.map(|again| {
            format!("  plug-in {name}: once that is mended, {again} makes up for it")
        }));
    }
    lines.into_iter().map(|line| visible(&line).into_owned()).collect()
}

/// Has validators look over what was made, until somebody stops them.
pub(super) fn look_over(
    context: &Context,
    workspace: &mut Workspace,
    made: Option<Made<'_>>,
    subject: &str,
) -> Result<Vec<Value>, CliError> {
    let Some(made) = made.filter(|_| workspace.has_validators()) else { return Ok(Vec::new()) };
    let stop = stopped_by_signals()?;
    let looked = workspace.look_over(made, &|| stop.load(Ordering::Relaxed));
    Ok(looked_over(context, &looked, subject))
}

/// What validators say of what was made: told on standard error, and given as JSON.
fn looked_over(context: &Context, looked: &LookedOver, subject: &str) -> Vec<Value> {
    for (name, problem) in looked.problems.iter().filter(|_| !context.global.json) {
        let what = visible(&problem.what);
        match problem.severity {
            Severity::Error => say(&format!("{name} asks for a reason of {subject}: {what}.")),
            Severity::Warn => say(&format!("{name} says of {subject}: {what}.")),
        }
    }
    for (name, counts) in &looked.trouble {
        trouble(name, counts, None).iter().for_each(|line| say(line));
    }
    let one = |(name, problem): &(String, Problem)| json!({ "plugin": name, "what": problem.what, "severity": problem.severity });
    looked.problems.iter().map(one).collect()
}

/// How a detector is asked again.
pub(super) fn again_of(name: &str) -> String {
    format!("`casework plugin again {name} FILE…`, with the files that were read,")
}

fn suggest(context: &Context, name: &str, wanted: &Wanted) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let stop = stopped_by_signals()?;
    let came = workspace.suggest(name, wanted, &stop, |_| {})?;
    let Came { suggested, abstained, left_out, counts } = &came;
    let mut out = Out::new();
    if context.global.json {
        out.json(&json!({ "plugin": name, "suggested": suggested, "abstained": abstained,
            "left_out": left_out, "counts": counts }))?;
    } else {
        out.line(&format!("{suggested} suggested, {abstained} where it would rather not say"))?;
    }
    out.finish()?;
    if *left_out > 0 {
        say(&format!("{left_out} cases have no input here, or no protocol."));
    }
    trouble(name, counts, Some(&format!("`casework plugin again {name}`")))
        .iter()
        .for_each(|line| say(line));
    if workspace.policy()?.agents == crate::domain::policy::Agents::Off && *suggested > 0 {
        say(
            "The policy has agents=off: nobody sees what it says. `casework policy set agents=suggest` shows it.",
        );
    }
    Ok(if counts.skipped > 0 { Exit::No } else { Exit::Done })
}

fn same(of: &Same) -> Value {
    json!({ "compared": of.compared, "same": of.same, "share": of.share() })
}

fn show(context: &Context, name: &str) -> Result<Exit, CliError> {
    let measured = context.read()?.measure_labeler(name)?;
    let mut out = Out::new();
    if context.global.json {
        let questions: Vec<Value> = measured
            .questions
            .iter()
            .map(|(question, of)| json!({ "question": question, "compared": of.compared, "same": of.same, "share": of.share() }))
            .collect();
        out.json(&json!({ "plugin": name, "suggested": measured.suggested,
            "abstained": measured.abstained, "partial": measured.partial,
            "people": same(&measured.people), "people_who_saw_it": same(&measured.swayed), "gold": same(&measured.gold), "questions": questions }))?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let share = |of: &Same| match of.share() {
        Some(share) => format!("{} of {} ({})", of.same, of.compared, decimal(share)),
        None => "none to compare".to_owned(),
    };
    out.line(&format!(
        "{name}: {} suggestions, {} of them of the first questions alone; {} times it would rather not say",
        measured.suggested, measured.partial, measured.abstained
    ))?;
    out.line(&format!("  as people who had not seen it        {}", share(&measured.people)))?;
    out.line(&format!("  as people who had                    {}", share(&measured.swayed)))?;
    out.line(&format!("  right on gold items                  {}", share(&measured.gold)))?;
    for (question, of) in &measured.questions {
        out.line(&format!("  question {question:<27} {}", share(of)))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn again(
    context: &Context,
    name: &str,
    files: &[PathBuf],
    since: Option<Moment>,
) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    if workspace.plugin(name)?.kind == PluginKind::Labeler {
        return suggest(context, name, &Wanted { since, ..Wanted::default() });
    }
    if files.is_empty() {
        return Err(CliError::Use(format!(
            "a prediction that was not flagged is not kept: name the files that `{name}` was not asked about"
        )));
    }
    let stop = stopped_by_signals()?;
    let inputs = ReadArgs::auto().inputs(&workspace, files, &stop)?;
    inputs.check()?;
    let mut summary = Summary::default();
    while let Some(opened) = inputs.next_input()? {
        let request = IngestRequest {
            asked_again: true,
            since,
            again: opened.again.clone().map(|part| (inputs.clone(), part)),
            ..IngestRequest::default()
        };
        summary
            .add(workspace.ingest_opened(opened, inputs.options(), &request, &stop, |_| {})?, None);
    }
    let words = format!(
        "{} read: {} opened, {} were cases already",
        summary.read, summary.opened, summary.duplicate
    );
    done(context.global.json, &words, &json!(summary))?;
    let counts = summary.plugins.get(name).cloned().unwrap_or_default();
    trouble(name, &counts, Some(&again_of(name))).iter().for_each(|line| say(line));
    Ok(if counts.skipped > 0 { Exit::No } else { Exit::Done })
}
