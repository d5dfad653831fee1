//! `casework consensus`: what labels come to by a model of truth, and how good each reviewer seems.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::agreement::{percent, read, repeated_words};
use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::ids::CaseId;
use crate::domain::label::MAIN_ROUND;
use crate::domain::paths::Paths;
use crate::domain::text::{counted, visible};
use crate::quality::figure::wilson;
use crate::quality::ratings::{Ratings, Repeated};
use crate::quality::truth::{Estimate, Fitting, MODELS, Minimum, Model, PATHS, model};
use crate::review::ratings::{By, Which};
use crate::review::sight::{Figures, figures_left_out, left_out};
use crate::review::walks::WalksFitted;
use crate::workspace::WorkError;
use crate::workspace::learning::recorded;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file with the columns task,worker,label; without one, the labels of this workspace
    #[arg(value_name = "FILE.csv")]
    file: Option<PathBuf>,
    /// hierarchical, majority, dawid-skene, one-coin, mace or paths; without it, the one that cases are
    /// settled by here, else hierarchical
    #[arg(long, value_name = "M")]
    method: Option<String>,
    /// Write task,label,confidence to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// By these fields of the outcome, with commas, instead of those that the policy compares by
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', conflicts_with = "file")]
    field: Vec<String>,
    /// The round whose labels are taken
    #[arg(long, value_name = "NAME", default_value = MAIN_ROUND, conflicts_with = "file")]
    round: String,
    /// Most rounds of expectation and maximization
    #[arg(long, value_name = "N", default_value_t = 1000)]
    iterations: usize,
    /// It ends when no belief changes by more than this; below 0: never before --iterations
    #[arg(long, value_name = "X", default_value_t = 1e-9, allow_negative_numbers = true)]
    tolerance: f64,
    /// Labels of each kind that every reviewer is taken to have given beforehand
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    smoothing: f64,
    /// Of random starts
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Fewest tasks with two labels from which reviewers are told apart
    #[arg(long, value_name = "N", default_value_t = 20)]
    tasks_min: usize,
    /// Record what it says of the reviewers, for `policy set rule=hierarchical` (or another
    /// method that tells reviewers apart) to settle cases by
    #[arg(long, conflicts_with_all = ["file", "field", "round"])]
    record: bool,
    /// Fewest reviewers that are told apart
    #[arg(long, value_name = "N", default_value_t = 3)]
    reviewers_min: usize,
}

#[derive(Serialize)]
struct Document<'d> {
    method: &'d str,
    tasks: usize,
    labels: usize,
    classes: Vec<&'d str>,
    iterations: usize,
    converged: bool,
    log_likelihood: Option<f64>,
    /// By class.
    priors: &'d [f64],
    tied: usize,
    /// Labels by a reviewer who had labeled the task before: each counts.
    repeated: Repeated,
    reviewers: Vec<ReviewerLine<'d>>,
    answers: Vec<AnswerLine<'d>>,
}

#[derive(Serialize)]
struct ReviewerLine<'d> {
    reviewer: &'d str,
    labels: usize,
    /// Share of labels that are right, as the model sees it, with Wilson's interval.
    skill: f64,
    interval: Option<(f64, f64)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    confusion: Vec<ConfusionRow<'d>>,
    /// By question of the protocol, where the model walks it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<QuestionLine<'d>>,
}

#[derive(Serialize)]
struct QuestionLine<'d> {
    question: &'d str,
    /// Share of right answers where it should be asked, as the model sees it.
    skill: f64,
}

#[derive(Serialize)]
struct ConfusionRow<'d> {
    truth: &'d str,
    /// Labels on tasks of that class, by belief: a whole number of them, and as much as they weigh.
    n: u64,
    weight: f64,
    /// By class said; null where no task of the class was seen.
    shares: Option<Vec<f64>>,
    intervals: Option<Vec<Option<(f64, f64)>>>,
}

#[derive(Serialize)]
struct AnswerLine<'d> {
    task: &'d str,
    label: &'d str,
    confidence: f64,
    /// How many classes share the first place, if more than one.
    tied: Option<usize>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let named = match (&args.method, &args.file) {
        (Some(method), _) => method.clone(),
        (None, Some(_)) => MODELS[0].name.to_owned(),
        (None, None) => {
            let model = context.read()?.policy()?.rule.model();
            model.unwrap_or(MODELS[0].name).to_owned()
        }
    };
    let Some(model) = model(&named) else {
        let known: Vec<String> =
            MODELS.iter().map(|model| format!("{} ({})", model.name, model.about)).collect();
        return Err(CliError::Use(format!("no method `{named}`: there are {}", known.join(", "))));
    };
    if !(args.smoothing >= 0.0 && args.smoothing.is_finite()) || args.tolerance.is_nan() {
        return Err(CliError::Use(
            "--smoothing is a number from 0, and --tolerance a number".to_owned(),
        ));
    }
    if model.fit.is_none() && args.file.is_some() {
        return Err(CliError::Use(format!(
            "{} weighs the paths of labels, which a file of task,worker,label does not hold: run it in a workspace, or take --method hierarchical",
            model.name
        )));
    }
    let Args { iterations, tolerance, smoothing, seed, .. } = *args;
    let fitting = Fitting { iterations, tolerance, smoothing, seed };
    let minimum = Minimum { reviewers: args.reviewers_min, tasks: args.tasks_min };
    let mut walked = None;
    let (mut blind, mut figures) = (BTreeSet::new(), Figures::all());
    let ratings = match &args.file {
        Some(file) => read(file)?,
        None => {
            let workspace = context.read()?;
            let fields =
                if args.field.is_empty() { workspace.policy()?.on } else { args.field.clone() };
            let made =
                workspace.ratings(&args.round, Which::ThatCount, &[By::Outcome(fields.clone())])?;
            let made = made.into_iter().next().unwrap_or_default();
            if model.fit.is_none() && model.enough(&made, minimum).is_ok() {
                walked = Some(workspace.fit_walks(&args.round, &fields, &made, &fitting)?);
            }
            let cases = made.tasks.iter().filter_map(|task| task.parse::<CaseId>().ok());
            figures = workspace.figures()?;
            blind = workspace.blind_to(cases)?.iter().map(ToString::to_string).collect();
            made
        }
    };
    let (fitted, paths) = match walked {
        Some(WalksFitted { estimate, paths }) => (Ok(estimate), Some(paths)),
        None => (model.try_fit(&ratings, &fitting, minimum), None),
    };
    let estimate = match fitted {
        Ok(estimate) => estimate,
        Err(few) => {
            super::out::done(
                context.global.json,
                &format!("No consensus: {few}"),
                &serde_json::json!({ "answers": null, "reason": few.to_string() }),
            )?;
            return Ok(Exit::No);
        }
    };
    if args.record {
        return record(context, model, &ratings, &estimate, paths);
    }
    let mut document = document(model, &ratings, &estimate, paths.as_ref());
    document.answers.retain(|answer| !blind.contains(answer.task));
    let people = document.reviewers.len();
    document.reviewers.retain(|line| figures.shows([line.reviewer]));
    if let Some(words) = figures_left_out(people - document.reviewers.len()) {
        say(&words);
    }
    if let Some(words) = left_out(blind.len(), "answers") {
        say(&words);
    }
    if let Some(path) = &args.out {
        let failed = |error| WorkError::File { path: path.display().to_string(), error };
        let file = std::io::BufWriter::new(File::create(path).map_err(failed)?);
        write_csv(file, &document).map_err(|error| failed(std::io::Error::other(error)))?;
    }
    let mut out = Out::new();
    match (context.global.json, &args.out) {
        (true, _) => out.json(&document)?,
        (false, None) => {
            let mut text = Vec::new();
            write_csv(&mut text, &document).map_err(std::io::Error::other)?;
            for line in String::from_utf8_lossy(&text).lines() {
                out.raw(&format!("{}\n", visible(line)))?;
            }
        }
        (false, Some(_)) => {}
    }
    out.finish()?;
    if !context.global.json {
        summary(&document, args.iterations);
    }
    Ok(Exit::Done)
}

/// Records the estimate, and says what that settled.
fn record(
    context: &Context,
    model: &Model,
    ratings: &Ratings,
    estimate: &Estimate,
    paths: Option<Paths>,
) -> Result<Exit, CliError> {
    if !RECORDED.contains(&model.name) {
        return Err(CliError::Use(format!(
            "cases can be settled by {}, not by {}",
            RECORDED.join(", "),
            model.name
        )));
    }
    if let Some(why) = model.unfit(ratings, estimate) {
        return Err(CliError::Use(format!(
            "nothing is recorded, since cases would be settled by it: {why}"
        )));
    }
    let mut workspace = context.open()?;
    let policy = workspace.policy()?;
    let before = workspace.status()?.cases;
    let saved =
        workspace.record_estimate(recorded(model, ratings, estimate, paths, policy.on.clone()))?;
    let after = workspace.status()?.cases;
    let words = if policy.rule.model() == Some(model.name) {
        format!(
            "Recorded; {} cases are resolved now ({} before), {} disputed.",
            after.resolved, before.resolved, after.disputed
        )
    } else {
        format!(
            "Recorded. Cases are settled by it from `casework policy set rule={}` on.",
            model.name
        )
    };
    let document = serde_json::json!({ "model": model.name, "cases": ratings.tasks.len(), "labels": ratings.labels(),
        "resolved_before": before.resolved, "resolved": after.resolved, "disputed": after.disputed, "event": saved.event() });
    super::out::done(context.global.json, &words, &document)?;
    Ok(Exit::Done)
}

/// Models whose estimates settle cases.
const RECORDED: [&str; 4] = ["hierarchical", PATHS, "dawid-skene", "one-coin"];

fn document<'d>(
    model: &'d Model,
    ratings: &'d Ratings,
    estimate: &'d Estimate,
    paths: Option<&'d Paths>,
) -> Document<'d> {
    let k = estimate.classes;
    let answer = |(number, task): (usize, &'d str)| {
        let answer = estimate.answer(number)?;
        let label = ratings.spelling(number, answer.class as u32);
        Some(AnswerLine {
            task,
            label,
            confidence: answer.belief,
            tied: (answer.tied > 1).then_some(answer.tied),
        })
    };
    let answers: Vec<AnswerLine<'_>> =
        ratings.tasks.iter().enumerate().filter_map(answer).collect();
    let row = |confusion: &'d crate::quality::truth::Confusion, truth: usize| {
        let n = confusion.rests_on[truth];
        let shares = confusion.shares[truth * k..(truth + 1) * k].to_vec();
        let seen = n > 1e-6;
        let intervals = seen.then(|| shares.iter().map(|share| wilson(*share, n)).collect());
        ConfusionRow {
            truth: ratings.values.name(truth as u32),
            n: n.round() as u64,
            weight: n,
            shares: seen.then_some(shares),
            intervals,
        }
    };
    let reviewer = |(reviewer, of): (&'d str, &'d crate::quality::truth::Reviewer)| ReviewerLine {
        reviewer,
        labels: of.labels,
        skill: of.skill,
        interval: wilson(of.skill, of.labels as f64),
        confusion: of
            .confusion
            .iter()
            .flat_map(|confusion| (0..k).map(move |truth| row(confusion, truth)))
            .collect(),
        questions: paths
            .map(|paths| paths.right_at(reviewer))
            .unwrap_or_default()
            .into_iter()
            .map(|(question, skill)| QuestionLine { question, skill })
            .collect(),
    };
    Document {
        method: model.name,
        tasks: answers.len(),
        labels: ratings.labels(),
        classes: ratings.values.iter().collect(),
        iterations: estimate.iterations,
        converged: estimate.converged,
        log_likelihood: estimate.log_likelihood.filter(|value| value.is_finite()),
        priors: &estimate.priors,
        tied: answers.iter().filter(|answer| answer.tied.is_some()).count(),
        repeated: ratings.repeated(),
        reviewers: ratings.reviewers.iter().zip(&estimate.reviewers).map(reviewer).collect(),
        answers,
    }
}

fn write_csv(to: impl Write, document: &Document<'_>) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(["task", "label", "confidence"])?;
    for AnswerLine { task, label, confidence, .. } in &document.answers {
        writer.write_record([*task, *label, &format!("{confidence:.6}")])?;
    }
    Ok(writer.flush()?)
}

/// Said beside the answers.
fn summary(document: &Document<'_>, iterations_max: usize) {
    let Document { method, tasks, labels, iterations, converged, tied, .. } = document;
    let rounds = match (iterations, converged) {
        (0, _) => String::new(),
        (n, true) => format!(", {n} iterations"),
        (n, false) if *n == iterations_max => {
            format!(", {n} iterations, did not converge (--iterations)")
        }
        (n, false) => format!(", {n} iterations, nearly converged"),
    };
    say(&format!(
        "{} from {} by {method}{rounds}",
        counted(*tasks, "task"),
        counted(*labels, "label")
    ));
    if *tied > 0 {
        say(&format!("{tied} tasks are tied: the first class in order is given"));
    }
    if let Some(words) = repeated_words(document.repeated, "each counts") {
        say(&words);
    }
    // Who is right least often first: of many, those are the ones to be known.
    let mut by_skill: Vec<&ReviewerLine<'_>> = document.reviewers.iter().collect();
    by_skill.sort_by(|a, b| a.skill.total_cmp(&b.skill).then_with(|| a.reviewer.cmp(b.reviewer)));
    for ReviewerLine { reviewer, labels, skill, interval, questions, .. } in
        by_skill.iter().take(20)
    {
        let (low, high) = interval.unwrap_or((0.0, 1.0));
        say(&format!(
            "  {reviewer:<16} {} right ({} to {}) of {labels} labels",
            percent(*skill),
            percent(low),
            percent(high)
        ));
        let least = questions.iter().min_by(|a, b| a.skill.total_cmp(&b.skill));
        if let Some(QuestionLine { question, skill }) = least {
            say(&format!("  {:<16} least often at {question}: {}", "", percent(*skill)));
        }
    }
    if by_skill.len() > 20 {
        say(&format!("  and {} more, right more often (--json)", by_skill.len() - 20));
    }
}
