//! `casework import labels`: take in labels that were given elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::out::{Out, say};
use super::reading::{ReadArgs, reviewer_pairs};
use super::{CliError, Context, Exit, stopped_by_signals};
use crate::domain::text::counted;
use crate::format::foreign::{Foreign, LabelOptions, Loss};
use crate::format::kind::{LABELS, brat, csv};
use crate::format::open::Inputs;
use crate::format::open::foreign::labels;
use crate::format::read::files::Part;
use crate::intake::labels::ImportSummary;
use crate::workspace::answered_here::ForeignRequest;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Labels of cases, in the name of a lead: of casework, or of the programs that `casework formats`
    /// lists
    Labels(Box<Args>),
}

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files or folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
    /// Who reviewers are here: CSV with two columns, foreign and name; without it, what stands before
    /// the @
    #[arg(long, value_name = "FILE.csv")]
    reviewers: Option<PathBuf>,
    /// Who gave the labels, where the files do not say
    #[arg(long, value_name = "NAME", conflicts_with = "reviewers")]
    reviewer: Option<String>,
    /// Open cases that are not here, from the same records
    #[arg(long)]
    open: bool,
    /// What the files mark as right becomes a known answer
    #[arg(long)]
    gold: bool,
    /// What a review of labels decided elsewhere becomes a ruling
    #[arg(long)]
    rulings: bool,
    /// Which responses count, where a file says their status
    #[arg(long, value_parser = ["submitted", "draft", "discarded"])]
    status: Option<String>,
    /// End with 1 where anything is lost
    #[arg(long)]
    strict: bool,
    /// Count what would be imported; write nothing
    #[arg(long)]
    dry_run: bool,
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    let What::Labels(args) = what;
    let format = match args.read.format.as_str() {
        "auto" => None,
        name => Some(name),
    };
    if let Some(name) = format
        && name != "jsonl"
        && !LABELS.iter().any(|kind| kind.name == name)
    {
        let known: Vec<&str> =
            ["auto", "jsonl"].into_iter().chain(LABELS.iter().map(|kind| kind.name)).collect();
        return Err(CliError::Use(format!("no format `{name}`: there is {}", known.join(", "))));
    }
    let mut workspace = context.open()?;
    let stop = stopped_by_signals()?;
    let inputs = args.read.inputs_of_labels(&workspace, &args.paths, &stop)?;
    if format.is_none() && args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(CliError::Use(
            "standard input is read once: say what it is, as --format jsonl does of casework's own rows".to_owned(),
        ));
    }
    let (of_casework, of_others): (Vec<Part>, Vec<Part>) = match format {
        Some("jsonl") => (inputs.parts(), Vec::new()),
        Some(_) => (Vec::new(), inputs.parts()),
        None => inputs.parts().into_iter().partition(|part| is_own(&inputs, part)),
    };
    match (of_casework.is_empty(), of_others.first()) {
        (true, _) => {}
        (false, None) => return own(context, args, &mut workspace, &inputs),
        (false, Some(other)) => {
            return Err(CliError::Use(format!(
                "{} holds no labels of casework, and others here do: import them by themselves",
                other.name
            )));
        }
    }
    let (mut said, mut loss, mut flaws, mut kinds) =
        (Vec::new(), Loss::default(), Vec::new(), Vec::new());
    let parts = inputs.parts();
    let is_brat =
        parts.iter().any(|part| part.path.extension().is_some_and(|ending| ending == "ann"));
    // In a folder, what a program needs beside the labels.
    let is_interface = |part: &Part| {
        let name = part.path.file_name().unwrap_or_default();
        parts.len() > 1 && (name == "config.xml" || name == "settings.json")
    };
    let labels_of = parts.iter().filter(|part| !is_interface(part));
    for part in labels_of.filter(|part| !is_brat || !brat::is_beside(&part.path)) {
        let asked = LabelOptions {
            status: args.status.clone(),
            is_named: args.reviewer.is_some(),
            ..LabelOptions::default()
        };
        let found = labels(&inputs, part, format, asked)?;
        add(&mut loss, found.loss);
        if !kinds.contains(&found.kind.name) {
            kinds.push(found.kind.name);
        }
        flaws.extend(found.flaws);
        let several = args.paths.len() > 1 || inputs.len() > 1;
        said.extend(found.said.into_iter().map(|foreign| match several {
            true => Foreign { place: format!("{} {}", part.name, foreign.place), ..foreign },
            false => foreign,
        }));
    }
    let reviewers: BTreeMap<String, String> = args
        .reviewers
        .as_deref()
        .map(reviewer_pairs)
        .transpose()?
        .unwrap_or_default()
        .into_iter()
        .collect();
    let request = ForeignRequest {
        format: kinds.join(", "),
        reviewers,
        reviewer: args.reviewer.clone(),
        open: args.open,
        gold: args.gold,
        rulings: args.rulings,
        dry_run: args.dry_run,
        times: inputs.options().times.clone(),
    };
    let summary = workspace.import_foreign(&said, loss, &request, &stop)?;
    let exit = told(context.global.json, &summary)?;
    if !flaws.is_empty() {
        return Err(CliError::Use(flaws.join("; ")));
    }
    let lost = summary.foreign.as_ref().is_some_and(|of| {
        !of.lost.is_empty() || of.skipped > 0 || of.drafts > 0 || of.ruled_left > 0
    });
    Ok(if args.strict && (lost || summary.rejected > 0) { Exit::No } else { exit })
}

/// Whether a file holds labels as casework has them.
fn is_own(inputs: &Inputs, part: &Part) -> bool {
    let head = inputs.head_of(part).unwrap_or_default();
    let text = String::from_utf8_lossy(&head);
    if csv::is_own(&text) {
        return true;
    }
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let record: serde_json::Value = serde_json::from_str(first).unwrap_or_default();
    let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
    has(&["case", "case_id", "id"]) && has(&["reviewer", "worker"]) && has(&["path", "answers"])
}

fn own(
    context: &Context,
    args: &Args,
    workspace: &mut crate::workspace::Workspace,
    inputs: &Inputs,
) -> Result<Exit, CliError> {
    let of_others = [
        ("--reviewers", args.reviewers.is_some()),
        ("--reviewer", args.reviewer.is_some()),
        ("--gold", args.gold),
        ("--rulings", args.rulings),
        ("--status", args.status.is_some()),
    ];
    if let Some((name, _)) = of_others.iter().find(|(_, is_said)| *is_said) {
        return Err(CliError::Use(format!(
            "{name} tells how labels of other programs are taken in: these are casework's own"
        )));
    }
    let mut text = String::new();
    for part in inputs.parts() {
        let read = inputs.text_of(&part)?;
        if csv::is_own(&read) {
            if args.open {
                return Err(CliError::Use(format!(
                    "{}: cases can't be opened from CSV, which has no place for all of an input: --open takes JSON lines",
                    part.name
                )));
            }
            let lines = csv::own_lines(&read)
                .map_err(|error| CliError::Use(format!("{}: {error}", part.name)))?;
            text.push_str(&lines);
        } else {
            text.push_str(&read);
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    if args.open && args.dry_run {
        return Err(CliError::Use(
            "what --open brings of casework's own rows is known once it is done: leave out --dry-run, or --open".to_owned(),
        ));
    }
    if args.open {
        let stop = stopped_by_signals()?;
        let opened = workspace.open_exported(&text, &stop)?;
        if !context.global.json {
            say(&format!("  {} opened", counted(opened, "case")));
        }
    }
    let summary = workspace.import_labels(&text, args.dry_run)?;
    let exit = told(context.global.json, &summary)?;
    Ok(if args.strict && summary.rejected > 0 { Exit::No } else { exit })
}

fn add(loss: &mut Loss, other: Loss) {
    loss.skipped += other.skipped;
    loss.drafts += other.drafts;
    loss.by_machine += other.by_machine;
    loss.cases += other.cases;
    loss.rejects.extend(other.rejects);
    for (what, n) in other.lost {
        *loss.lost.entry(what).or_default() += n;
    }
}

/// Says what an import did.
pub fn told(json: bool, summary: &ImportSummary) -> Result<Exit, CliError> {
    // As for ingest: nothing at all could be used.
    let exit = if summary.rejected > 0 && summary.rejected == summary.read {
        Exit::No
    } else {
        Exit::Done
    };
    let mut out = Out::new();
    if json {
        out.json(summary)?;
        out.finish()?;
        return Ok(exit);
    }
    let (imported, duplicate, rejected) = (summary.imported, summary.duplicate, summary.rejected);
    out.line(&format!(
        "{} read: {imported} imported, {duplicate} here already, {rejected} rejected",
        summary.read
    ))?;
    out.finish()?;
    if let Some(of) = &summary.foreign {
        let counts = [
            (of.cases, "cases in the files"),
            (of.opened, "of them opened"),
            (of.gold, "set as known answers"),
            (of.ruled, "became rulings"),
            (of.ruled_left, "decided by reviews (--rulings takes them)"),
            (of.skipped, "skipped by whoever was asked"),
            (of.drafts, "drafts"),
            (of.by_machine, "said by a program"),
        ];
        let words: Vec<String> = counts
            .iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, words)| format!("{n} {words}"))
            .collect();
        if !words.is_empty() {
            say(&format!("  {}: {}", of.format, words.join(", ")));
        }
        let people = of.reviewers.iter().map(|(name, n)| format!("{name} ({n})"));
        let people: Vec<String> = people.collect();
        if !people.is_empty() {
            say(&format!("  labels of {}", people.join(", ")));
        }
        for (what, n) in &of.lost {
            say(&format!("  not understood: {what} ({n})"));
        }
    }
    for reject in summary.rejects.iter().take(10) {
        match reject.line {
            // What stands in no line says itself where it stands.
            0 => say(&format!("  {}", reject.reason)),
            line => say(&format!("  line {line}: {}", reject.reason)),
        }
    }
    if rejected > 10 {
        say(&format!("  … and {} more; --json lists them", rejected - 10));
    }
    Ok(exit)
}
