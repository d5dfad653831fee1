//! `casework disagreements`: where labels differ, and at which question of the protocol reviewers
//! part.

use serde::Serialize;

use super::agreement::{after_others_words, percent};
use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::ids::CaseId;
use crate::domain::label::MAIN_ROUND;
use crate::quality::divergence::Node;
use crate::quality::figure::wilson;
use crate::review::disagreement::{Disagreements, Split, Tally};
use crate::review::sight::{cases_left_out, figures_left_out};
use crate::workspace::Workspace;

/// Most cases or splits that are printed in words.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// One case, its labels side by side
    #[arg(value_name = "CASE", conflicts_with_all = ["by", "question"])]
    case: Option<String>,
    /// What to gather them by
    #[arg(long, value_parser = ["question", "pair", "category", "reviewer", "case"], default_value = "question")]
    by: String,
    /// List the cases whose labels diverge at this question
    #[arg(long, value_name = "ID")]
    question: Option<String>,
    /// The round whose labels are compared
    #[arg(long, value_name = "NAME", default_value = MAIN_ROUND)]
    round: String,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    if let Some(case) = &args.case {
        return side_by_side(context, &workspace, case, &args.round);
    }
    let found = workspace.disagreements(&args.round)?;
    if let Some(words) = after_others_words(workspace.after_others(&args.round)?) {
        say(&words);
    }
    let figures = workspace.figures()?;
    let (mut out, json) = (Out::new(), context.global.json);
    match (&args.question, args.by.as_str()) {
        (Some(question), _) => list_splits(&mut out, json, &workspace, &found, question)?,
        (None, "question") => by_question(&mut out, json, &found)?,
        (None, "pair") => {
            let shown = |pair: &[String; 2]| figures.shows(pair.iter().map(String::as_str));
            say_left_out(found.pairs.keys().filter(|pair| !shown(pair)).count());
            let pairs = found.pairs.iter().filter(|(pair, _)| shown(pair));
            let pairs = pairs.map(|(pair, tally)| (pair.join(" and "), tally));
            tallies(&mut out, json, "pair", pairs)?;
        }
        (None, "category") => tallies(
            &mut out,
            json,
            "category",
            found.categories.iter().map(|(name, tally)| (name.clone(), tally)),
        )?,
        (None, "reviewer") => {
            let shown = |name: &String| figures.shows([name.as_str()]);
            say_left_out(found.reviewers.keys().filter(|name| !shown(name)).count());
            let people = found.reviewers.iter().filter(|(name, _)| shown(name));
            tallies(&mut out, json, "reviewer", people.map(|(name, tally)| (name.clone(), tally)))?;
        }
        _ => {
            let diverged: Vec<_> =
                found.cases.iter().filter(|(_, tally)| tally.diverged > 0).collect();
            let blind = workspace.blind_to(diverged.iter().map(|(case, _)| **case))?;
            let shown = diverged.iter().filter(|(case, _)| !blind.contains(*case));
            if let Some(words) = cases_left_out(blind.len()) {
                say(&words);
            }
            let name = |case: &CaseId| if json { case.to_string() } else { case.short() };
            let shown: Vec<_> = shown.collect();
            let mut ids = std::collections::BTreeMap::new();
            for (case, _) in &shown {
                ids.insert(name(case), workspace.id_in_stream(**case)?);
            }
            let named = shown.iter().map(|(case, tally)| (name(case), *tally));
            tallies_of(&mut out, json, "case", named, &ids)?;
        }
    }
    out.finish()?;
    Ok(if found.divergence.diverged == 0 { Exit::No } else { Exit::Done })
}

fn say_left_out(n: usize) {
    if let Some(words) = figures_left_out(n) {
        say(&words);
    }
}

#[derive(Serialize)]
struct QuestionLine<'l> {
    question: &'l str,
    /// Pairs of labels that came to it by the same way, that part there, and that differ in what
    /// counts because of it.
    pairs: usize,
    #[serde(rename = "parted")]
    diverged: usize,
    differ: usize,
    /// Share of pairs that agree here, and share of all divergences that are here.
    agreement: Option<f64>,
    share: f64,
    splits: Vec<SplitCount<'l>>,
}

#[derive(Serialize)]
struct SplitCount<'l> {
    answers: &'l [Option<String>; 2],
    pairs: usize,
}

/// The ways to part at a question, the most frequent first.
fn splits(node: &Node) -> Vec<SplitCount<'_>> {
    let mut splits: Vec<_> =
        node.splits.iter().map(|(answers, pairs)| SplitCount { answers, pairs: *pairs }).collect();
    splits.sort_by_key(|split| std::cmp::Reverse(split.pairs));
    splits
}

fn by_question(out: &mut Out, json: bool, found: &Disagreements) -> std::io::Result<()> {
    let divergence = &found.divergence;
    if !json {
        out.line(&format!(
            "{} pairs of labels on one case; {} disagree. First question at which they diverge:",
            divergence.pairs, divergence.diverged
        ))?;
        out.line(&format!(
            "  {:<22} {:>6} {:>6} {:>8} {:>8}  {}",
            "question", "asked", "diverge", "agree", "share", "most often"
        ))?;
    }
    for node in divergence.nodes() {
        let share = divergence.share(node);
        if json {
            let Node { question, reached: pairs, diverged, differ, .. } = node;
            let agreement = node.agreement();
            out.json(&QuestionLine {
                question,
                pairs: *pairs,
                diverged: *diverged,
                differ: *differ,
                agreement,
                share,
                splits: splits(node),
            })?;
            continue;
        }
        let most = splits(node)
            .first()
            .map(|split| format!("{} {}", split.pairs, answers_words(split.answers)));
        let most = most.unwrap_or_default();
        let most = crate::domain::text::fit(&most, 24);
        let name = format!("{}{}", "  ".repeat(node.depth.min(6)), node.question);
        let agree = node.agreement().map_or("none".to_owned(), percent);
        out.line(&format!(
            "  {name:<22} {:>6} {:>6} {agree:>8} {:>8}  {}",
            node.reached,
            node.diverged,
            percent(share),
            most
        ))?;
    }
    Ok(())
}

fn answers_words(answers: &[Option<String>; 2]) -> String {
    let [one, two] = answers.each_ref().map(|answer| answer.as_deref().unwrap_or("not asked"));
    format!("{one}/{two}")
}

#[derive(Serialize)]
struct TallyLine<'l> {
    by: &'l str,
    name: String,
    /// The same under the name that everything else has for it.
    #[serde(flatten)]
    of: std::collections::BTreeMap<&'l str, serde_json::Value>,
    pairs: usize,
    #[serde(rename = "parted")]
    diverged: usize,
    differ: usize,
}

fn tallies<'t>(
    out: &mut Out,
    json: bool,
    by: &str,
    all: impl Iterator<Item = (String, &'t Tally)>,
) -> std::io::Result<()> {
    tallies_of(out, json, by, all, &std::collections::BTreeMap::new())
}

/// The same; `ids` is what streams call cases.
fn tallies_of<'t>(
    out: &mut Out,
    json: bool,
    by: &str,
    all: impl Iterator<Item = (String, &'t Tally)>,
    ids: &std::collections::BTreeMap<String, Option<String>>,
) -> std::io::Result<()> {
    let mut all: Vec<(String, &Tally)> = all.collect();
    // Of people there is no ranking: they stand by name, with an interval.
    let people = matches!(by, "pair" | "reviewer");
    all.sort_by(|(a, one), (b, two)| {
        if people {
            return a.cmp(b);
        }
        two.differ
            .cmp(&one.differ)
            .then_with(|| two.diverged.cmp(&one.diverged))
            .then_with(|| a.cmp(b))
    });
    if !json {
        out.line(&format!(
            "{by:<26} {:>7} {:>6} {:>24} {:>7}",
            "pairs", "diverge", "share (95 %)", "differ"
        ))?;
    }
    for (name, Tally { pairs, diverged, differ }) in &all {
        if json {
            let named = match by {
                "pair" => ("reviewers", name.split(" and ").collect::<Vec<_>>().into()),
                by => (by, name.as_str().into()),
            };
            let id = ids.get(name).map(|id| ("id", id.clone().into()));
            out.json(&TallyLine {
                by,
                of: std::iter::once(named).chain(id).collect(),
                name: name.clone(),
                pairs: *pairs,
                diverged: *diverged,
                differ: *differ,
            })?;
        } else {
            let share = *diverged as f64 / *pairs as f64;
            let (low, high) = wilson(share, *pairs as f64).unwrap_or((0.0, 1.0));
            let share = format!("{} ({:.1} to {:.1})", percent(share), low * 100.0, high * 100.0);
            out.line(&format!("{name:<26} {pairs:>7} {diverged:>6} {share:>24} {differ:>7}"))?;
        }
    }
    Ok(())
}

#[derive(Serialize)]
struct SplitLine<'l> {
    case: CaseId,
    id: Option<String>,
    reviewers: &'l [String; 2],
    question: &'l str,
    answers: &'l [Option<String>; 2],
    differ: bool,
}

fn list_splits(
    out: &mut Out,
    json: bool,
    workspace: &Workspace,
    found: &Disagreements,
    question: &str,
) -> Result<(), CliError> {
    if !found.divergence.nodes().iter().any(|node| node.question == question) {
        let known: Vec<&str> =
            found.divergence.nodes().iter().map(|node| node.question.as_str()).collect();
        return Err(CliError::Use(format!(
            "nobody was asked `{question}` together; asked were: {}",
            known.join(", ")
        )));
    }
    let mut here: Vec<&Split> =
        found.splits.values().flatten().filter(|split| split.question == question).collect();
    let all = here.len();
    let blind = workspace.blind_to(here.iter().map(|split| split.case))?;
    here.retain(|split| !blind.contains(&split.case));
    if here.len() < all {
        say(&format!(
            "{} are left out: you may still label those cases yourself",
            all - here.len()
        ));
    }
    for Split { case, reviewers, question, answers, differ } in
        here.iter().take(if json { usize::MAX } else { SHOWN })
    {
        if json {
            let id = workspace.id_in_stream(*case)?;
            out.json(&SplitLine {
                case: *case,
                id,
                reviewers,
                question,
                answers,
                differ: *differ,
            })?;
            continue;
        }
        let said = |at: usize| {
            format!("{} {}", reviewers[at], answers[at].as_deref().unwrap_or("not asked"))
        };
        let same = if *differ { "" } else { "  same outcome" };
        out.line(&format!("{}  {:<24} {:<24}{same}", case.short(), said(0), said(1)))?;
    }
    if !json && here.len() > SHOWN {
        out.line(&format!("and {} more (--json)", here.len() - SHOWN))?;
    }
    Ok(())
}

fn side_by_side(
    context: &Context,
    workspace: &Workspace,
    case: &str,
    round: &str,
) -> Result<Exit, CliError> {
    let row = workspace.find_case(case)?;
    workspace.may_see(round)?;
    let Some(labels) = workspace.labels_of_case(row.id, round)? else {
        let words = format!(
            "{} may still be yours to label: what others said of it is shown after that",
            row.id.short()
        );
        return Err(CliError::Use(words));
    };
    let mut out = Out::new();
    if context.global.json {
        for given in &labels {
            let mut document = serde_json::to_value(&given.label).map_err(std::io::Error::other)?;
            document["author"] = given.author.clone().into();
            document["id"] = row.external_id.clone().into();
            out.json(&document)?;
        }
        out.finish()?;
        return Ok(if labels.len() < 2 { Exit::No } else { Exit::Done });
    }
    let given = labels.len();
    super::arbitrate::side_by_side(&mut out, &workspace.side_by_side(row, labels)?)?;
    out.finish()?;
    Ok(if given < 2 { Exit::No } else { Exit::Done })
}
