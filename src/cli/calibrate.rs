//! `casework calibrate`: sessions in which reviewers label the same cases blind, talk about them,
//! and label again.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::agreement::percent;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::clock;
use crate::domain::calibration::{Amendment, Calibration, Ending, Opening, Stage};
use crate::domain::label::{MAIN_ROUND, outcome_in_short};
use crate::domain::text::{counted, fit, visible};
use crate::domain::time::{Moment, short_span};
use crate::quality::power::{CASES_MAX, Question, cases};
use crate::review::calibration::{Findings, Progress};
use crate::review::ratings::{By, Which};
use crate::workspace::calibration::{Choice, GLOSSARY, Plan, Proposal, Proposed, Revealed};
use crate::workspace::error::CalibrationError;
use crate::workspace::{WorkError, Workspace};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Open a session over chosen cases; several ways to choose add up
    Open(OpenArgs),
    /// Sessions, or how far one is
    Show {
        #[arg(value_name = "NAME")]
        session: Option<String>,
    },
    /// Label the cases of a session on the screen
    Label {
        #[arg(value_name = "NAME")]
        session: String,
    },
    /// End the first round: all see all labels, and those count as they are
    Reveal {
        #[arg(value_name = "NAME")]
        session: String,
        /// Though somebody is not done and there is still time
        #[arg(long)]
        early: bool,
    },
    /// Alpha before and after, who moved, what is settled and what is not
    Findings {
        #[arg(value_name = "NAME")]
        session: String,
    },
    /// End a session
    Close {
        #[arg(value_name = "NAME")]
        session: String,
        /// What was found, in your words
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        /// Write the findings, and the protocols and the glossary that they propose, to a directory
        #[arg(long, value_name = "DIRECTORY")]
        out: Option<PathBuf>,
    },
    /// Call off a session that was not revealed: what was said in it stays with who said it
    Cancel {
        #[arg(value_name = "NAME")]
        session: String,
        /// Why, in your words
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Ask more people into a session that is under way
    Add {
        #[arg(value_name = "NAME")]
        session: String,
        /// Who takes part too, with commas
        #[arg(long, value_name = "NAMES", value_delimiter = ',', required = true)]
        reviewers: Vec<String>,
    },
    /// Give the first round more time
    Extend {
        #[arg(value_name = "NAME")]
        session: String,
        /// How long it lasts from now: 90m, 12h, 3d, 2w
        #[arg(long, value_name = "SPAN")]
        deadline: String,
    },
    /// Let a session go on that was closed or called off
    Reopen {
        #[arg(value_name = "NAME")]
        session: String,
    },
    /// Everything of a session in the order in which it happened
    Replay {
        #[arg(value_name = "NAME")]
        session: String,
    },
    /// How many cases it takes to show that people agree
    Size(SizeArgs),
}

#[derive(Debug, clap::Args)]
struct OpenArgs {
    /// Its name: letters, digits, `.`, `_`, `-`
    #[arg(value_name = "NAME")]
    session: String,
    #[arg(long, value_name = "TEXT", default_value = "")]
    title: String,
    /// So many cases by chance
    #[arg(long, value_name = "N")]
    random: Option<usize>,
    /// So many on which most labels part
    #[arg(long, value_name = "N")]
    divergent: Option<usize>,
    /// So many of a category, by chance
    #[arg(long, value_name = "NAME=N")]
    category: Vec<String>,
    /// These cases
    #[arg(long, value_name = "CASE", value_delimiter = ',')]
    cases: Vec<String>,
    /// Who takes part, with commas; without it all who review
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    reviewers: Vec<String>,
    /// How long the first round lasts: 90m, 12h, 3d, 2w
    #[arg(long, value_name = "SPAN", default_value = "2d")]
    deadline: String,
    /// Of what is drawn by chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, clap::Args)]
struct SizeArgs {
    /// What alpha is expected to be
    #[arg(long, value_name = "A", default_value_t = 0.8)]
    alpha: f64,
    /// Above what it is to be shown
    #[arg(long, value_name = "A", default_value_t = 0.667)]
    above: f64,
    /// How many take part; without it all who review
    #[arg(long, value_name = "N")]
    reviewers: Option<usize>,
    /// The chance to show it, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..100))]
    power: u8,
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// The workspace, to be sat in on the screen, or what the command came to.
pub fn run(context: &Context, args: &Args) -> Result<Result<Exit, Box<Workspace>>, CliError> {
    let exit = match &args.what {
        None => list(context)?,
        Some(What::Open(args)) => open(context, args)?,
        Some(What::Show { session: None }) => list(context)?,
        Some(What::Show { session: Some(name) }) => show(context, name)?,
        Some(What::Label { session }) => {
            return take_part(context, session).map(|workspace| Err(Box::new(workspace)));
        }
        Some(What::Reveal { session, early }) => {
            let mut workspace = context.open()?;
            let Revealed { saved, counted, unreadable } =
                workspace.reveal_session(session, *early)?;
            let mut words = format!(
                "Revealed: all who take part see all labels of {session}, talk, and label again."
            );
            if let Some(forced) = workspace.session(session)?.forced() {
                words.push_str(&format!(" The record says: {forced}."));
            }
            if unreadable > 0 {
                let labels = if unreadable == 1 { "label does" } else { "labels do" };
                words.push_str(&format!(
                    " {unreadable} {labels} not count: the session's key does not open them."
                ));
            }
            let document = json!({ "session": session, "event": saved.event(), "counted": counted, "unreadable": unreadable });
            done(context.global.json, &words, &document)?;
            Exit::Done
        }
        Some(What::Findings { session }) => {
            let workspace = context.read()?;
            print_findings(context, &workspace.findings(session)?)?;
            Exit::Done
        }
        Some(What::Close { session, note, out }) => close(context, session, note, out.as_deref())?,
        Some(What::Cancel { session, note }) => {
            let saved = context.open()?.call_off_session(session, note)?;
            done(
                context.global.json,
                &format!("{session} is cancelled."),
                &json!({ "session": session, "event": saved.event() }),
            )?;
            Exit::Done
        }
        Some(What::Add { session, reviewers }) => {
            let change = Amendment {
                session: session.clone(),
                adds: reviewers.clone(),
                ..Amendment::default()
            };
            let words = format!("{} may join {session}.", reviewers.join(", "));
            amend(context, change, &words)?
        }
        Some(What::Extend { session, deadline }) => {
            let deadline = deadline_from(deadline)?;
            let words = format!("The first round of {session} lasts until {}.", deadline.minute());
            let change = Amendment {
                session: session.clone(),
                deadline: Some(deadline),
                ..Amendment::default()
            };
            amend(context, change, &words)?
        }
        Some(What::Reopen { session }) => {
            let change =
                Amendment { session: session.clone(), reopens: true, ..Amendment::default() };
            amend(context, change, &format!("{session} goes on."))?
        }
        Some(What::Replay { session }) => replay(context, session)?,
        Some(What::Size(args)) => size(context, args)?,
    };
    Ok(Ok(exit))
}

/// A first round lasts a century at most: beyond, times can't be written.
const LONGEST_MS: i64 = 36_525 * 86_400_000;

/// The end of a first round, from what `--deadline` was given.
fn deadline_from(text: &str) -> Result<Moment, CliError> {
    let at = match super::time(text) {
        Ok(super::TimeArg::Ago(ms)) => Moment(clock::now().0.saturating_add(ms)),
        Ok(super::TimeArg::At(at)) => at,
        Ok(super::TimeArg::Overlap(_) | super::TimeArg::Missing(_)) | Err(_) => {
            return Err(CliError::Use(format!(
                "--deadline takes 90m, 12h, 3d or 2w, not `{text}`"
            )));
        }
    };
    if at.0 > clock::now().0.saturating_add(LONGEST_MS) {
        return Err(CliError::Use("--deadline lies more than a century ahead".to_owned()));
    }
    if at <= clock::now() {
        return Err(CliError::Use(
            "--deadline lies in the past: the first round takes time".to_owned(),
        ));
    }
    Ok(at)
}

fn amend(context: &Context, change: Amendment, words: &str) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let session = change.session.clone();
    let saved = workspace.amend_session(change)?;
    let session = workspace.session(&session)?;
    done(
        context.global.json,
        words,
        &json!({ "session": session.name(), "reviewers": session.reviewers(), "deadline": session.deadline().rfc3339(),
            "stage": stage_key(session.stage()), "event": saved.event() }),
    )?;
    Ok(Exit::Done)
}

/// A stage as JSON names it.
fn stage_key(stage: Stage) -> &'static str {
    match stage {
        Stage::Blind => "blind",
        Stage::Discussion => "discussion",
        Stage::Closed => "closed",
        Stage::CalledOff => "cancelled",
    }
}

fn open(context: &Context, args: &OpenArgs) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let mut choices = Vec::new();
    if !args.cases.is_empty() {
        let ids = args
            .cases
            .iter()
            .map(|name| Ok(workspace.find_case_to_change(name)?.id))
            .collect::<Result<_, WorkError>>()?;
        choices.push(Choice::Picked(ids));
    }
    choices.extend(args.divergent.map(Choice::Divergent));
    for category in &args.category {
        let parts =
            category.split_once('=').and_then(|(name, n)| Some((name.to_owned(), n.parse().ok()?)));
        let (name, n) = parts
            .ok_or_else(|| CliError::Use(format!("--category takes NAME=N, not `{category}`")))?;
        choices.push(Choice::Category(name, n));
    }
    choices.extend(args.random.map(Choice::Random));
    if choices.is_empty() {
        let words = "choose cases: --random N, --divergent N, --category NAME=N, --cases CASE,CASE; `casework calibrate size` says how many";
        return Err(CliError::Use(words.to_owned()));
    }
    let deadline = deadline_from(&args.deadline)?;
    let plan = Plan {
        name: args.session.clone(),
        title: args.title.clone(),
        choices,
        reviewers: args.reviewers.clone(),
        deadline,
        seed: args.seed,
    };
    let (opening, saved) = workspace.open_session(plan)?;
    let words = format!(
        "{} is open: {} for {}, blind until {}. They begin, each once their device has exchanged with the store, with `casework calibrate label {}`, or C on the screen.",
        opening.session,
        counted(opening.cases.len(), "case"),
        opening.reviewers.join(", "),
        opening.deadline.minute(),
        opening.session
    );
    let session = with_times(json!(shown(&opening)));
    let document =
        json!({ "session": session, "sealed": opening.sealing.is_some(), "event": saved.event() });
    done(context.global.json, &words, &document)?;
    Ok(Exit::Done)
}

fn list(context: &Context) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let sessions = workspace.sessions()?;
    let mut out = Out::new();
    for session in &sessions {
        let what = &session.opened.what;
        if context.global.json {
            out.json(&document(session, &workspace.session_progress(session)?))?;
        } else {
            let title = fit(&visible(&what.title), 30).into_owned();
            out.line(&format!(
                "{:<20} {:>4} cases  {:<38} {title}",
                what.session,
                what.cases.len(),
                session.stage().as_str()
            ))?;
        }
    }
    out.finish()?;
    if sessions.is_empty() && !context.global.json {
        say("No calibration session was opened: `casework calibrate open NAME --divergent 12`.");
    }
    Ok(if sessions.is_empty() { Exit::No } else { Exit::Done })
}

fn document(session: &Calibration, progress: &[Progress]) -> serde_json::Value {
    let what = &session.opened.what;
    json!({ "session": what.session, "title": what.title, "stage": stage_key(session.stage()),
        "opened_by": session.opened.by, "opened_at": session.opened.at.moment().rfc3339(), "deadline": session.deadline().rfc3339(),
        "reviewers": session.reviewers(),
        "chosen": what.chosen, "cases": what.cases, "rounds": session.rounds(), "progress": progress,
        "sealed": what.sealing.is_some() && !session.stage().is_revealed(), "forced": session.forced(),
        "note": session.closed.as_ref().map(|closed| &closed.what.note) })
}

fn show(context: &Context, name: &str) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let session = workspace.session(name)?;
    let progress = workspace.session_progress(&session)?;
    let mut out = Out::new();
    if context.global.json {
        out.json(&document(&session, &progress))?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let what = &session.opened.what;
    let left = session.deadline().0 - workspace.now().0;
    let time = match session.stage() {
        Stage::Blind if left > 0 => format!(", {} left", short_span(left)),
        Stage::Blind => format!(", overdue for {}", short_span(-left)),
        _ => String::new(),
    };
    let title = if what.title.is_empty() { String::new() } else { format!(": {}", what.title) };
    out.line(&format!("{}{title}", what.session))?;
    out.line(&format!(
        "  {} ({}), opened by {}",
        counted(what.cases.len(), "case"),
        what.chosen,
        session.opened.by
    ))?;
    out.line(&format!("  {}{time}", session.stage().as_str()))?;
    if let Some(forced) = session.forced() {
        out.line(&format!("  {forced}"))?;
    }
    if what.sealing.is_some() && !session.stage().is_revealed() {
        let holders = workspace.session_key_holders(&session)?;
        out.line(&format!(
            "  sealed: nobody reads its labels before it is revealed, by {}",
            holders.join(" or ")
        ))?;
    }
    let of = what.cases.len();
    let second = session.stage().is_revealed();
    for Progress { reviewer, done: [one, two] } in &progress {
        let bar = |done: usize| {
            format!(
                "{}{}",
                "█".repeat(done * 10 / of.max(1)),
                "·".repeat(10 - done * 10 / of.max(1))
            )
        };
        let again = if second {
            format!("   second {} {two:>3} of {of}", bar(*two))
        } else {
            String::new()
        };
        out.line(&format!("  {reviewer:<16} first {} {one:>3} of {of}{again}", bar(*one)))?;
    }
    if let Some(closed) = session.closed.as_ref().filter(|closed| !closed.what.note.is_empty()) {
        let word = if session.stage() == Stage::CalledOff { "because" } else { "found" };
        out.line(&format!("  {word}: {}", closed.what.note))?;
    }
    if second && (session.takes_part(&workspace.me) || workspace.is_lead()?) {
        discussion(&mut out, &workspace, &session)?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// The cases with their labels of the first round and what was said about them.
fn discussion(out: &mut Out, workspace: &Workspace, session: &Calibration) -> Result<(), CliError> {
    let (all, said) = (workspace.first_round(session, None)?, workspace.session_comments(session)?);
    for id in &session.opened.what.cases {
        let row = workspace.listed_case(*id)?;
        out.line("")?;
        out.line(&format!(
            "  {}  {}",
            id.short(),
            fit(&visible(&row.map(|row| row.text).unwrap_or_default()), 66)
        ))?;
        for given in all.iter().filter(|given| given.label.case == *id) {
            let why = if given.label.rationale.is_empty() {
                String::new()
            } else {
                format!("  “{}”", given.label.rationale)
            };
            out.line(&format!(
                "    {:<12} {}{why}",
                given.label.reviewer,
                outcome_in_short(&given.label.outcome)
            ))?;
        }
        for note in said.iter().filter(|note| note.id == *id) {
            let about =
                note.question.as_ref().map(|question| format!("({question}) ")).unwrap_or_default();
            out.line(&format!("      {}: {about}{}", note.author, note.text))?;
        }
    }
    Ok(())
}

fn take_part(context: &Context, name: &str) -> Result<Workspace, CliError> {
    let mut workspace = context.open()?;
    let session = workspace.session(name)?;
    if !session.sits_in(&workspace.me) {
        let (session, reviewer) = (name.to_owned(), workspace.me.clone());
        return Err(WorkError::from(CalibrationError::NotInvited { session, reviewer }).into());
    }
    let round = session.round_now().ok_or_else(|| {
        WorkError::from(CalibrationError::Stage(name.to_owned(), session.stage()))
    })?;
    workspace.in_round = Some(round);
    Ok(workspace)
}

fn close(context: &Context, name: &str, note: &str, to: Option<&Path>) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let session = workspace.session(name)?;
    let saved = workspace.close_session(name, note)?;
    let of = session.opened.what.cases.len();
    for one in workspace.session_progress(&session)?.iter().filter(|one| one.done[1] < of) {
        say(&format!(
            "{} labeled {} of {of} again: only who labeled twice is compared.",
            one.reviewer, one.done[1]
        ));
    }
    let findings = workspace.findings(name)?;
    print_findings(context, &findings)?;
    if let Some(directory) = to {
        write(&workspace.proposals(name)?, &findings, directory)?;
    }
    done(false, &format!("{name} is closed, in entry {}.", saved.seq), &json!(null))?;
    Ok(Exit::Done)
}

/// Writes findings and proposals; tells what to do with them.
fn write(proposed: &Proposed, findings: &Findings, directory: &Path) -> Result<(), CliError> {
    let failed = |path: &Path, error| WorkError::File { path: path.display().to_string(), error };
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    let json = serde_json::to_string_pretty(findings).unwrap_or_default() + "\n";
    let findings = ("findings.json", json.as_str());
    for (name, text) in
        proposed.files.iter().map(|one| (one.name.as_str(), one.text.as_str())).chain([findings])
    {
        // A name comes from a protocol, and must not lead out of the directory.
        let path = directory.join(Path::new(name).file_name().unwrap_or(name.as_ref()));
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    for Proposal { name, added, .. } in proposed.files.iter().filter(|proposal| proposal.added > 0)
    {
        let kind = if name == GLOSSARY { "glossary" } else { "protocol" };
        let changes = if kind == "protocol" {
            " --changes \"examples from a calibration session\""
        } else {
            ""
        };
        say(&format!(
            "{name}: {added} added. Read it, then: casework {kind} publish {}{changes}",
            directory.join(name).display()
        ));
    }
    for (case, why) in &proposed.left_out {
        say(&format!("{} makes no example: {why}", case.short()));
    }
    Ok(())
}

fn print_findings(context: &Context, findings: &Findings) -> Result<(), CliError> {
    let mut out = Out::new();
    if context.global.json {
        out.json(findings)?;
    } else {
        findings.describe().iter().try_for_each(|line| out.line(line))?;
    }
    Ok(out.finish()?)
}

fn replay(context: &Context, name: &str) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let session = workspace.session(name)?;
    let mut lines: Vec<(Moment, String, String, serde_json::Value)> = Vec::new();
    let opened = &session.opened;
    let words =
        format!("opened it: {} ({})", counted(opened.what.cases.len(), "case"), opened.what.chosen);
    lines.push((
        opened.at.moment(),
        opened.by.clone(),
        words,
        json!({ "opened": shown(&opened.what) }),
    ));
    let first = &session.rounds()[0];
    for given in workspace.session_labels(&session)? {
        let label = &given.label;
        let again = if label.round == *first { "labeled" } else { "labeled again" };
        let path: Vec<String> =
            label.path.iter().map(|(question, answer)| format!("{question} {answer}")).collect();
        let why = if label.rationale.is_empty() {
            String::new()
        } else {
            format!(": {}", label.rationale)
        };
        let words = format!(
            "{again} {} {} ({}){why}",
            label.case.short(),
            outcome_in_short(&label.outcome),
            path.join(", ")
        );
        lines.push((given.at.moment(), label.reviewer.clone(), words, json!({ "label": label })));
    }
    for note in workspace.session_comments(&session)? {
        let about =
            note.question.as_ref().map(|question| format!(" on {question}")).unwrap_or_default();
        let words = format!("said of {}{about}: {}", note.id.short(), note.text);
        let event =
            json!({ "comment": { "case": note.id, "question": note.question, "text": note.text } });
        lines.push((note.at.moment(), note.author, words, event));
    }
    let end = if session.stage() == Stage::CalledOff { "called it off" } else { "closed it" };
    for (ending, words) in [(&session.revealed, "revealed all labels"), (&session.closed, end)] {
        let Some(ending) = ending else { continue };
        let note = if ending.what.note.is_empty() {
            String::new()
        } else {
            format!(": {}", ending.what.note)
        };
        let words = match ending.what.sealed.len() {
            0 => format!("{words}{note}"),
            n => format!("{words} ({n} count){note}"),
        };
        let ended = Ending { key: None, ..ending.what.clone() };
        lines.push((ending.at.moment(), ending.by.clone(), words, json!({ "ended": ended })));
    }
    lines.sort_by_key(|(at, ..)| *at);
    let mut out = Out::new();
    for (at, who, words, event) in lines {
        if context.global.json {
            out.json(&json!({ "at": at.rfc3339(), "who": who, "author": who, "event": with_times(event) }))?;
        } else {
            out.line(&format!("{}  {who:<12} {words}", at.minute()))?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// How a session was opened, without the keys: they tell a person nothing.
fn shown(opening: &Opening) -> Opening {
    Opening { sealing: None, ..opening.clone() }
}

/// What an event says, its times as documents have them.
fn with_times(mut event: serde_json::Value) -> serde_json::Value {
    if let Some(fields) = event.as_object_mut() {
        for (name, value) in fields.iter_mut() {
            match (name.as_str(), value.as_i64()) {
                ("deadline" | "given_at", Some(ms)) => *value = json!(Moment(ms).rfc3339()),
                _ => *value = with_times(value.take()),
            }
        }
    }
    event
}

fn size(context: &Context, args: &SizeArgs) -> Result<Exit, CliError> {
    if !args.alpha.is_finite()
        || !(0.0..1.0).contains(&args.above)
        || args.alpha <= args.above
        || args.alpha >= 1.0
    {
        return Err(CliError::Use(
            "--above is a number from 0, and --alpha lies above it and under 1".to_owned(),
        ));
    }
    let workspace = context.read()?;
    let reviewers =
        args.reviewers.map_or_else(|| workspace.reviewers().map(|all| all.len()), Ok)?;
    if reviewers < 2 {
        return Err(CliError::Use(
            "agreement takes two reviewers or more: --reviewers N".to_owned(),
        ));
    }
    // The classes as they were seen so far; two of equal size if nothing was.
    let on = workspace.policy()?.on;
    let seen =
        workspace.ratings(MAIN_ROUND, Which::GivenBlind, &[By::Outcome(on)])?.into_iter().next();
    let mut classes = seen.map(|ratings| ratings.shares()).unwrap_or_default();
    if classes.len() < 2 {
        classes = vec![0.5, 0.5];
    }
    let (alpha, above, power, seed) =
        (args.alpha, args.above, f64::from(args.power) / 100.0, args.seed);
    let question = Question { alpha, above, reviewers, classes, power, seed };
    let found = cases(&question);
    let words = match found {
        Some(n) => format!(
            "{n} cases: {reviewers} reviewers who agree to alpha {alpha} show that it is above {above} with a chance of {}",
            percent(power)
        ),
        None => format!("{CASES_MAX} cases are too few to show it: {alpha} is too near to {above}"),
    };
    let document = json!({ "cases": found, "reviewers": reviewers, "alpha": alpha, "above": above, "power": power,
        "classes": question.classes, "seed": seed });
    done(context.global.json, &words, &document)?;
    Ok(if found.is_some() { Exit::Done } else { Exit::No })
}
