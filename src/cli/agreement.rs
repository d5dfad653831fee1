//! `casework agreement`: how well reviewers agree, on this workspace's labels or on a file of
//! labels.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::label::{AFTER_OTHERS, MAIN_ROUND};
use crate::domain::text::counted;
use crate::quality::agreement::{Agreement, Resampling, measure};
use crate::quality::figure::{Figure, decimal};
use crate::quality::ratings::{Ratings, Repeated};
use crate::review::ratings::{By, Which};
use crate::review::sight::{Figures, figures_left_out};
use crate::workspace::{WorkError, Workspace};

/// Most pairs that are printed.
const PAIRS_SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file with the columns task,worker,label; without one, the labels of this workspace
    #[arg(value_name = "FILE.csv")]
    file: Option<PathBuf>,
    /// Compare by these fields of the outcome, with commas, instead of those that the policy
    /// compares by
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', conflicts_with = "file")]
    field: Vec<String>,
    /// Compare by the answers to one question only
    #[arg(long, value_name = "ID", conflicts_with_all = ["file", "field"])]
    question: Option<String>,
    /// What can be said, with commas, the least first: for figures that weigh how far apart two are
    #[arg(long, value_name = "VALUES", value_delimiter = ',')]
    order: Vec<String>,
    /// The round whose labels are compared
    #[arg(long, value_name = "NAME", default_value = MAIN_ROUND, conflicts_with = "file")]
    round: String,
    /// How often tasks are drawn anew for the intervals; 0: no intervals
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resample: usize,
    /// The same seed gives the same intervals
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Serialize)]
struct Document<'d> {
    #[serde(flatten)]
    whole: &'d Agreement,
    /// Of those who were asked, question by question.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    questions: Vec<OfQuestion<'d>>,
}

#[derive(Serialize)]
struct OfQuestion<'d> {
    question: &'d str,
    #[serde(flatten)]
    agreement: &'d Agreement,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let resampling = Resampling { times: args.resample, seed: args.seed };
    let ((mut whole, mut by_question), figures) = match &args.file {
        Some(file) => {
            ((measure(&in_order(read(file)?, args)?, resampling), Vec::new()), Figures::all())
        }
        None => {
            let workspace = context.read()?;
            let measured = of_workspace(&workspace, args, resampling)?;
            if let Some(words) = after_others_words(workspace.after_others(&args.round)?) {
                say(&words);
            }
            (measured, workspace.figures()?)
        }
    };
    let mut left_out = 0;
    for one in std::iter::once(&mut whole).chain(by_question.iter_mut().map(|(_, one)| one)) {
        let before = one.cohen_kappa.pairs.len();
        one.cohen_kappa
            .pairs
            .retain(|pair| figures.shows(pair.reviewers.iter().map(String::as_str)));
        left_out += before - one.cohen_kappa.pairs.len();
    }
    if let Some(words) = figures_left_out(left_out) {
        say(&words);
    }
    let mut out = Out::new();
    if context.global.json {
        let questions = by_question
            .iter()
            .map(|(question, agreement)| OfQuestion { question, agreement })
            .collect();
        out.json(&Document { whole: &whole, questions })?;
    } else {
        print(&mut out, &whole)?;
        if let Some(words) = repeated_words(whole.repeated, "the first of each is compared") {
            say(&words);
        }
        if !by_question.is_empty() {
            print_questions(&mut out, &by_question)?;
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}

/// Reads a file of labels; says what of it can't be used.
pub(super) fn read(path: &Path) -> Result<Ratings, CliError> {
    let shown = path.display().to_string();
    let file = File::open(path).map_err(|error| WorkError::File { path: shown.clone(), error })?;
    let read =
        Ratings::read_csv(file).map_err(|error| CliError::Use(format!("{shown}: {error}")))?;
    if read.missing > 0 {
        say(&format!("{shown}: {} lines have no label, and count as missing", read.missing));
    }
    for (line, reason) in read.rejects.iter().take(10) {
        say(&format!("{shown}: line {line} is left out: {reason}"));
    }
    if read.rejects.len() > 10 {
        say(&format!("{shown}: and {} more lines", read.rejects.len() - 10));
    }
    Ok(read.ratings)
}

/// Ratings by the order that was asked for.
fn in_order(ratings: Ratings, args: &Args) -> Result<Ratings, CliError> {
    if args.order.is_empty() {
        return Ok(ratings);
    }
    let unknown =
        |value: String| CliError::Use(format!("label `{value}` occurs, and is not in --order"));
    ratings.ranked(&args.order).map_err(unknown)
}

type Measured = (Agreement, Vec<(String, Agreement)>);

fn of_workspace(
    workspace: &Workspace,
    args: &Args,
    resampling: Resampling,
) -> Result<Measured, CliError> {
    let fields = if args.field.is_empty() { workspace.policy()?.on } else { args.field.clone() };
    if let Some(question) = &args.question {
        let made =
            workspace.ratings(&args.round, Which::GivenBlind, &[By::Question(question.clone())])?;
        let one = made.into_iter().next().unwrap_or_default();
        if one.labels() == 0 {
            let known: Vec<String> =
                workspace.answered_questions(&args.round)?.into_iter().map(|(id, _)| id).collect();
            return Err(CliError::Use(format!(
                "no label of the round {} answers `{question}`; answered are: {}",
                args.round,
                known.join(", ")
            )));
        }
        return Ok((measure(&in_order(one, args)?, resampling), Vec::new()));
    }
    let asked = workspace.answered_questions(&args.round)?;
    let mut by = vec![By::Outcome(fields)];
    by.extend(asked.iter().map(|(question, _)| By::Question(question.clone())));
    let made = workspace.ratings(&args.round, Which::GivenBlind, &by)?;
    let mut made = made.into_iter();
    let whole = in_order(made.next().unwrap_or_else(|| Ratings::default().sorted()), args)?;
    let measured = made.map(|ratings| measure(&ratings, resampling));
    Ok((
        measure(&whole, resampling),
        asked.into_iter().map(|(question, _)| question).zip(measured).collect(),
    ))
}

fn print(out: &mut Out, of: &Agreement) -> std::io::Result<()> {
    out.line(&format!(
        "{}, {}, {}, {}",
        counted(of.tasks, "task"),
        counted(of.reviewers, "reviewer"),
        counted(of.labels, "label"),
        counted(of.classes.len(), "class")
    ))?;
    let mut line = |name: &str, figure: &Figure, of: &str| {
        out.line(&format!("  {name:<28} {:<28} {} {of}", figure.describe(), figure.n))
    };
    let numbers = of.krippendorff_alpha.ordinal.value.is_ok();
    line("percent agreement", &of.percent, "tasks")?;
    line("Krippendorff's alpha", &of.krippendorff_alpha.nominal, "tasks")?;
    if numbers {
        line("  ordinal", &of.krippendorff_alpha.ordinal, "tasks")?;
        if of.krippendorff_alpha.interval.value.is_ok() {
            line("  interval", &of.krippendorff_alpha.interval, "tasks")?;
            line("  ratio", &of.krippendorff_alpha.ratio, "tasks")?;
        }
    }
    line("Fleiss' kappa", &of.fleiss_kappa, "tasks")?;
    line("Gwet's AC1", &of.gwet_ac1, "tasks")?;
    if numbers {
        line("  AC2, linear", &of.gwet_ac2.linear, "tasks")?;
        line("  AC2, quadratic", &of.gwet_ac2.quadratic, "tasks")?;
        line("  AC2, ordinal", &of.gwet_ac2.ordinal, "tasks")?;
    }
    line("Cohen's kappa, mean", &of.cohen_kappa.mean, "pairs")?;
    if numbers {
        line("  weighted, linear", &of.cohen_kappa.linear, "pairs")?;
        line("  weighted, quadratic", &of.cohen_kappa.quadratic, "pairs")?;
    }
    for pair in of.cohen_kappa.pairs.iter().take(PAIRS_SHOWN) {
        let kappa = pair.kappa.map_or("none: one class".to_owned(), decimal);
        let [one, two] = &pair.reviewers;
        out.line(&format!(
            "    {one:<12} {two:<12} {kappa:<16} {} the same of {} tasks",
            percent(pair.percent),
            pair.n
        ))?;
    }
    let more = of.cohen_kappa.pairs.len().saturating_sub(PAIRS_SHOWN) + of.cohen_kappa.more;
    if more > 0 {
        out.line(&format!("    and {more} more pairs (--json)"))?;
    }
    Ok(())
}

fn print_questions(out: &mut Out, by_question: &[(String, Agreement)]) -> std::io::Result<()> {
    out.line("")?;
    out.line("By question, of those who were asked")?;
    out.line(&format!(
        "  {:<20} {:>6} {:>9}  {:<26} {}",
        "question", "tasks", "the same", "Krippendorff's alpha", "AC1"
    ))?;
    for (question, of) in by_question {
        let same = of.percent.value.map_or("none".to_owned(), percent);
        let (alpha, ac1) =
            (&of.krippendorff_alpha.nominal, of.gwet_ac1.value.map_or("none".to_owned(), decimal));
        let alpha = if alpha.value.is_ok() { alpha.describe() } else { "none".to_owned() };
        out.line(&format!("  {question:<20} {:>6} {same:>9}  {alpha:<26} {ac1}", of.percent.n))?;
    }
    Ok(())
}

/// That reviewers labeled a task more than once, and what becomes of it.
pub(super) fn repeated_words(repeated: Repeated, becomes: &str) -> Option<String> {
    let Repeated { labels, differ } = repeated;
    let again = if labels == 1 {
        "1 label is by a reviewer who had".to_owned()
    } else {
        format!("{labels} labels are by reviewers who had")
    };
    (labels > 0)
        .then(|| format!("{again} labeled the task before, {differ} of them otherwise: {becomes}"))
}

/// That some labels are not compared, since their reviewers could see the others'.
pub(super) fn after_others_words(n: usize) -> Option<String> {
    let were = if n == 1 { "was" } else { "were" };
    (n > 0).then(|| {
        format!(
            "{} {were} given after {AFTER_OTHERS}: compared is what their reviewers said before, if anything.",
            counted(n, "label")
        )
    })
}

/// A share as `62.3 %`.
pub(super) fn percent(share: f64) -> String {
    // A share that is nothing is nothing, from whichever side it came.
    let words = format!("{:.1} %", share * 100.0);
    words.strip_prefix('-').filter(|rest| *rest == "0.0 %").map_or(words.clone(), str::to_owned)
}
