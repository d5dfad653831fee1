//! `casework cut`: training sets that anybody can make again.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::or_faults;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit, TimeArg, overlap};
use crate::domain::text::counted;
use crate::workspace::cuts::{Verified, near_pairs, row_text, why_of};
use crate::workspace::cutting::{MadeCut, read_recipe};
use crate::workspace::validating::Made;

/// Texts are nearly the same from this overlap on, where nothing is said.
const NEAR: f64 = 0.8;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// The recipe: which labels, mixed with what, split how
    #[arg(value_name = "RECIPE")]
    recipe: Option<PathBuf>,
    /// A new directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make a recorded cut once more, by its name or id
    #[arg(long, value_name = "CUT", conflicts_with = "recipe")]
    again: Option<String>,
    /// Cut what was proposed: casework proposals
    #[arg(long, value_name = "ID", conflicts_with_all = ["recipe", "again"])]
    proposal: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List the cuts, the latest first
    List,
    /// Show a cut: rows, splits, what was dropped and why, runs of it
    Show { cut: String },
    /// Show what changed between two cuts, row by row, and by which event
    Diff { one: String, other: String },
    /// Hold the files of a cut against its manifest, and its rows against what was erased since
    Verify {
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Show where a row of a cut comes from, and what became of it
    Why {
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The row, or its case
        row: String,
    },
    /// Say that a cut is not to be used any longer; it stays traceable
    Withdraw {
        cut: String,
        #[arg(long)]
        reason: String,
    },
    /// Find texts that are nearly the same, in a file of JSON lines or across two
    Near {
        one: PathBuf,
        other: Option<PathBuf>,
        /// From this overlap on, usually 0.8 (Jaccard of five-character windows)
        #[arg(long, value_name = "SHARE", value_parser = overlap)]
        at: Option<TimeArg>,
    },
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if let Some(what) = &args.what {
        return other(context, what);
    }
    let Some(out) = &args.out else {
        return Err(CliError::Use(
            "it takes a recipe and a new directory: casework cut RECIPE --out DIR".to_owned(),
        ));
    };
    if let Some(id) = &args.again {
        let (known, made) = context.open()?.cut_again(id, Path::new(""), out)?;
        tell(context, &made, &[])?;
        if made.id != known.cut.cut {
            say(&format!(
                "It is not the cut {} any longer: rows that it had were erased since, or are read otherwise.",
                known.short()
            ));
            return Ok(Exit::No);
        }
        return Ok(Exit::Done);
    }
    let (recipe, proposal) = match (&args.recipe, &args.proposal) {
        (Some(recipe), _) => (recipe.clone(), None),
        (None, Some(id)) => {
            let proposal = context.read()?.find_proposal(id)?;
            (PathBuf::from(&proposal.proposed.recipe), Some(proposal.proposed.proposal))
        }
        (None, None) => {
            return Err(CliError::Use(
                "it takes a recipe: casework cut RECIPE --out DIR".to_owned(),
            ));
        }
    };
    let read = or_faults(context.global.json, read_recipe(&recipe))?;
    let beside = recipe.parent().unwrap_or(Path::new("")).to_owned();
    let mut workspace = context.open()?;
    let made = workspace.cut(&read, &beside, out, proposal)?;
    if !context.global.json {
        tell(context, &made, &[])?;
    }
    let made_it = Some(Made::Cut(&made.directory));
    let problems = super::plugin::look_over(context, &mut workspace, made_it, "the cut")?;
    if context.global.json {
        tell(context, &made, &problems)?;
    }
    Ok(Exit::Done)
}

fn tell(context: &Context, made: &MadeCut, problems: &[Value]) -> Result<(), CliError> {
    let cut = &made.cut;
    let short = &made.id.to_string()[..12];
    let place = made.directory.display().to_string();
    let document = json!({ "problems": problems, "cut": made.id, "name": made.name, "version": made.version, "path": place,
        "read": cut.read, "rows": cut.rows.len(), "splits": cut.splits(), "dropped": cut.dropped,
        "conflicts": cut.conflicts.len(), "leaks": cut.leaks.len(), "erased": cut.erased.len(),
        "replay": { "read": cut.old_read, "rows": cut.old_taken, "dropped": cut.old_dropped, "lacking": cut.old_lacking },
        "known": made.known });
    done(
        context.global.json,
        &format!("{} {} is the cut {short}, in {place}", made.name, made.version),
        &document,
    )?;
    if context.global.json {
        return Ok(());
    }
    let mut out = Out::new();
    out.line(&format!("{:>8}  resolved cases read", cut.read))?;
    for (why, n) in &cut.dropped {
        out.line(&format!("{:>8}  {}", format!("-{n}"), because(why)))?;
    }
    if cut.old_read > 0 {
        out.line(&format!(
            "{:>8}  old rows mixed in, of {}",
            format!("+{}", cut.old_taken),
            cut.old_read
        ))?;
    }
    let splits: Vec<String> =
        cut.splits().iter().map(|(split, n)| format!("{n} {split}")).collect();
    out.line(&format!("{:>8}  rows: {}", cut.rows.len(), splits.join(", ")))?;
    out.finish()?;
    if made.known {
        say("The same rows by the same recipe were cut before: nothing new is recorded.");
    }
    if cut.old_lacking > 0 {
        say(&format!(
            "The old training set has {} fewer than the ratio asks for.",
            counted(cut.old_lacking, "row")
        ));
    }
    if !cut.conflicts.is_empty() {
        let all = cut.conflicts.len();
        let kept = cut.conflicts.iter().filter(|conflict| conflict.kept.is_some()).count();
        let what = match (kept, all - kept) {
            (_, 0) => "what most people said is kept".to_owned(),
            (0, _) => "as many people said one as another, and none is kept".to_owned(),
            (kept, ties) => format!(
                "of {kept} what most people said is kept; of {ties} as many said one as another, and none is"
            ),
        };
        let have = if all == 1 { "has" } else { "have" };
        say(&format!(
            "{} {have} several labels: {what}. casework conflicts lists them.",
            counted(all, "text")
        ));
    }
    Ok(())
}

/// Why rows were dropped, in words.
fn because(why: &str) -> String {
    match why {
        "where" => "the recipe's rule does not take them".to_owned(),
        "where_cannot_tell" => "the recipe's rule can't be answered of them".to_owned(),
        "erased" => "their input was erased".to_owned(),
        "no_label" => "they have no label to train on".to_owned(),
        "unreadable" => "they have no text".to_owned(),
        "duplicate" => "the same text as another".to_owned(),
        "conflict" => "the same text with another label, or with two in doubt".to_owned(),
        "leak" => "in an evaluation file, or nearly".to_owned(),
        "cap" => "over the cap".to_owned(),
        "cap_of_one_day" => "over the share of one day".to_owned(),
        "bridges" => "of a group that lies in several splits".to_owned(),
        other => other.to_owned(),
    }
}

fn other(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::List => list(context),
        What::Show { cut } => show(context, cut),
        What::Diff { one, other } => diff(context, one, other),
        What::Verify { directory } => verify(context, directory),
        What::Why { directory, row } => why(context, directory, row),
        What::Withdraw { cut, reason } => {
            let found = context.open()?.withdraw_cut(cut, reason)?;
            let words = format!("{} {} is withdrawn: {reason}", found.cut.name, found.cut.version);
            done(context.global.json, &words, &json!({ "cut": found.cut.cut, "reason": reason }))?;
            Ok(Exit::Done)
        }
        What::Near { one, other, at } => {
            let at = match at {
                Some(TimeArg::Overlap(at)) => *at,
                _ => NEAR,
            };
            near(context, one, other.as_deref(), at)
        }
    }
}

fn list(context: &Context) -> Result<Exit, CliError> {
    let cuts = context.read()?.cuts()?;
    let mut out = Out::new();
    for one in &cuts {
        if context.global.json {
            out.json(&one.json())?;
            continue;
        }
        let withdrawn = one
            .withdrawn
            .as_ref()
            .map_or(String::new(), |(reason, who)| format!("  withdrawn by {who}: {reason}"));
        out.line(&format!(
            "{}  {:<24} {:<8} {:>8} rows  {} by {}{withdrawn}",
            one.short(),
            one.cut.name,
            one.cut.version,
            one.cut.rows,
            one.at.minute(),
            one.author
        ))?;
    }
    out.finish()?;
    if cuts.is_empty() {
        say("Nothing was cut here yet: casework cut RECIPE --out DIR.");
    }
    Ok(if cuts.is_empty() { Exit::No } else { Exit::Done })
}

fn show(context: &Context, cut: &str) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let found = workspace.find_cut(cut)?;
    let runs = workspace.runs_of_cut(found.cut.cut)?;
    let mut out = Out::new();
    if context.global.json {
        let mut document = found.json();
        document["files"] = json!(found.cut.files);
        document["recipe_text"] = json!(found.cut.text);
        document["runs"] = json!(runs.iter().map(|run| &run.run.run).collect::<Vec<_>>());
        out.json(&document)?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let one = &found.cut;
    out.line(&format!("{} {}  {}", one.name, one.version, one.cut))?;
    out.line(&format!("cut {} by {} with {}", found.at.minute(), found.author, one.program))?;
    if let Some((reason, who)) = &found.withdrawn {
        out.line(&format!("withdrawn by {who}: {reason}"))?;
    }
    let splits: Vec<String> = one.splits.iter().map(|(split, n)| format!("{n} {split}")).collect();
    out.line(&format!("{}: {}", counted(one.rows, "row"), splits.join(", ")))?;
    for (reason, n) in &one.dropped {
        out.line(&format!("  {n} left out: {}", because(reason)))?;
    }
    if let Some(replay) = &one.replay {
        out.line(&format!("  {} old rows of {}", replay.rows, replay.file))?;
    }
    for run in &runs {
        out.line(&format!("run {}  {}  {}", run.short(), run.run.pipeline, run.run.state))?;
    }
    out.line("")?;
    for line in one.text.lines() {
        out.line(&format!("  {line}"))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn diff(context: &Context, one: &str, other: &str) -> Result<Exit, CliError> {
    let mut workspace = context.read()?;
    let (one, other) = (workspace.find_cut(one)?, workspace.find_cut(other)?);
    let changes = workspace.cut_changes(&one, &other)?;
    let mut out = Out::new();
    for change in &changes {
        if context.global.json {
            out.json(&json!({ "change": change.change, "row": change.row, "case": change.case, "id": change.id,
                "split": change.part, "because": change.because, "event": change.event }))?;
        } else {
            let id = change.id.clone().unwrap_or_else(|| "–".to_owned());
            out.line(&format!(
                "{:<8} {}  {id:<20} {:<10} {}",
                change.change, change.row, change.part, change.because
            ))?;
        }
    }
    out.finish()?;
    say(&format!(
        "{} {} and {} {}: {} changed.",
        one.cut.name,
        one.cut.version,
        other.cut.name,
        other.cut.version,
        counted(changes.len(), "row")
    ));
    Ok(if changes.is_empty() { Exit::Done } else { Exit::No })
}

fn verify(context: &Context, directory: &Path) -> Result<Exit, CliError> {
    let Verified { known, damage, erased, is_recorded } = context.read()?.verify_cut(directory)?;
    let mut out = Out::new();
    if context.global.json {
        let damage: Vec<String> = damage.iter().map(ToString::to_string).collect();
        let erased: Vec<_> =
            erased.iter().map(|(case, event)| json!({ "case": case, "event": event })).collect();
        out.json(&json!({ "cut": known.cut, "name": known.name, "version": known.version, "rows": known.rows,
            "ok": damage.is_empty() && erased.is_empty(), "recorded": is_recorded, "faults": damage, "erased": erased }))?;
    } else {
        for one in &damage {
            out.line(&one.to_string())?;
        }
        for (case, event) in &erased {
            out.line(&format!("case {} was erased in entry {event}", case.short()))?;
        }
    }
    out.finish()?;
    let fine = damage.is_empty() && erased.is_empty();
    say(&match (fine, erased.len()) {
        (true, _) if !is_recorded => format!(
            "{} {}: {} in {}, as its own manifest says. This workspace recorded no such cut, so nothing else bears it out.",
            known.name,
            known.version,
            counted(known.rows, "row"),
            counted(known.files.len(), "file")
        ),
        (true, _) => format!(
            "{} {}: {} in {}, as they were recorded.",
            known.name,
            known.version,
            counted(known.rows, "row"),
            counted(known.files.len(), "file")
        ),
        (false, 0) => format!("{} {} is not what was recorded.", known.name, known.version),
        (false, 1) => "1 row of it was erased since.".to_owned(),
        (false, n) => format!("{n} rows of it were erased since."),
    });
    Ok(if fine { Exit::Done } else { Exit::No })
}

fn why(context: &Context, directory: &Path, row: &str) -> Result<Exit, CliError> {
    let mut value = why_of(directory, row)?;
    let id = value["row"].as_str().unwrap_or_default().to_owned();
    let part = value["split"].as_str().unwrap_or_default();
    let found = row_text(directory, part, &id);
    if found.is_none() {
        say(&format!("{part}.jsonl has no such row any more: its text can't be shown."));
    }
    value["text"] = json!(found);
    let workspace = context.read()?;
    let known = workspace.cut_in(directory)?;
    let runs = workspace.runs_of_cut(known.cut)?;
    let deployments = workspace.deployments()?;
    let used: Vec<_> = runs
        .iter()
        .map(|run| {
            let there = deployments.iter().filter(|one| one.deployed.run == run.run.run);
            let there: Vec<_> = there.map(|one| one.json()).collect();
            json!({ "run": run.run.run, "pipeline": run.run.pipeline, "state": run.run.state, "deployments": there })
        })
        .collect();
    value["cut"] = json!({ "cut": known.cut, "name": known.name, "version": known.version });
    value["runs"] = json!(used);
    let mut out = Out::new();
    if context.global.json {
        out.json(&value)?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    out.line(&text("text"))?;
    out.line(&format!("label {}, row {id} of {} {}", text("label"), known.name, known.version))?;
    if value["case"].is_null() {
        out.line(&format!("an old row, of {}", text("replay")))?;
    } else {
        let bounds = &value["bounds"];
        out.line(&format!(
            "{}: its group `{}` draws {:.4}, between {} and {}",
            text("split"),
            text("group"),
            value["u"].as_f64().unwrap_or_default(),
            bounds[0],
            bounds[1]
        ))?;
        out.line(&format!(
            "case {} ({} of {}), occurred {}",
            text("case"),
            text("id"),
            text("stream"),
            text("occurred_at")
        ))?;
        for flag in value["flags"].as_array().into_iter().flatten() {
            let rate = flag["rate"]
                .as_f64()
                .map_or(String::new(), |rate| format!(", one of {:.1}", 1.0 / rate));
            out.line(&format!("flagged by {}{rate}", flag["trap"].as_str().unwrap_or_default()))?;
        }
        for label in value["labels"].as_array().into_iter().flatten() {
            let protocol = &label["protocol"];
            out.line(&format!(
                "labeled {} by {} under {} v{}",
                label["label"].as_str().unwrap_or("–"),
                label["reviewer"].as_str().unwrap_or_default(),
                protocol["id"].as_str().unwrap_or_default(),
                protocol["version"]
            ))?;
        }
        if let Some(ruling) = value["ruling"].as_object() {
            out.line(&format!(
                "adjudicated by {}: {}",
                ruling["arbiter"].as_str().unwrap_or_default(),
                ruling["rationale"].as_str().unwrap_or_default()
            ))?;
        }
        out.line(&format!("settled by {} {}", text("how"), text("settled_at")))?;
    }
    for run in &used {
        out.line(&format!(
            "run {}  {}  {}",
            run["run"].as_str().unwrap_or_default(),
            run["pipeline"].as_str().unwrap_or_default(),
            run["state"].as_str().unwrap_or_default()
        ))?;
        for there in run["deployments"].as_array().into_iter().flatten() {
            out.line(&format!(
                "  deployed to {} as {}",
                there["to"].as_str().unwrap_or_default(),
                there["model"].as_str().unwrap_or_default()
            ))?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn near(context: &Context, one: &Path, other: Option<&Path>, at: f64) -> Result<Exit, CliError> {
    let pairs = near_pairs(one, other, at)?;
    let (first, second) = (one.display().to_string(), other.unwrap_or(one).display().to_string());
    let mut out = Out::new();
    for pair in &pairs {
        if context.global.json {
            out.json(&json!({ "a": { "file": first, "row": pair.a + 1 }, "b": { "file": second, "row": pair.b + 1 }, "jaccard": pair.jaccard }))?;
        } else {
            out.line(&format!(
                "{:.3}  {first}:{}  {second}:{}",
                pair.jaccard,
                pair.a + 1,
                pair.b + 1
            ))?;
        }
    }
    out.finish()?;
    say(&format!("{} of texts found that overlap by {at} or more.", counted(pairs.len(), "pair")));
    Ok(if pairs.is_empty() { Exit::No } else { Exit::Done })
}
