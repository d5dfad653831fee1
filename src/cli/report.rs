//! `casework report`: where labels differ and how the work stands, as one HTML page that needs
//! nothing else.

use std::path::PathBuf;

use serde_json::json;

use super::out::{Out, done, page};
use super::{CliError, Context, Exit};
use crate::quality::agreement::{Resampling, measure};
use crate::review::board::BoardSnapshot;
use crate::review::board::BoardSums;
use crate::review::board::html::html;
use crate::workspace::WorkError;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write; without it, the page goes to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// For people outside: how edge cases are found, the known limits, what was done about them;
    /// no person and no input stands in it
    #[arg(long, conflicts_with = "model")]
    public: bool,
    /// The model card of a run, as Hugging Face has them
    #[arg(long, value_name = "RUN")]
    model: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.public || args.model.is_some() {
        return markdown(context, args);
    }
    let workspace = context.read()?;
    let mut sums = BoardSums::default();
    let board = workspace.board(&mut sums)?;
    let page = || -> Result<String, WorkError> {
        Ok(html(&board, &measure(&sums.ratings(), Resampling::default()), &workspace.team()?))
    };
    let document = document(&board);
    if args.out.is_none() {
        let mut out = Out::new();
        if context.global.json {
            out.json(&document)?
        } else {
            out.raw(&page()?)?
        }
        out.finish()?;
        return Ok(Exit::Done);
    }
    if let Some(path) = &args.out {
        let failed = |error| WorkError::File { path: path.display().to_string(), error };
        std::fs::write(path, page()?).map_err(failed)?;
        done(context.global.json, &format!("Written to {}.", path.display()), &document)?;
    }
    Ok(Exit::Done)
}

/// A document in Markdown, for people outside.
fn markdown(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let text = match &args.model {
        Some(run) => workspace.model_card(run)?,
        None => workspace.public_report()?,
    };
    match &args.out {
        Some(path) => {
            let failed = |error| WorkError::File { path: path.display().to_string(), error };
            std::fs::write(path, &text).map_err(failed)?;
            let place = path.display().to_string();
            done(context.global.json, &format!("Written to {place}."), &json!({ "path": place }))?;
        }
        None => page(context.global.json, &text)?,
    }
    Ok(Exit::Done)
}

fn document(board: &BoardSnapshot) -> serde_json::Value {
    let states: serde_json::Map<String, serde_json::Value> = board
        .states
        .iter()
        .map(|(state, cases)| (state.as_str().to_owned(), cases.len().into()))
        .collect();
    let days: Vec<_> = board
        .days
        .iter()
        .map(|day| json!({ "day": day.from.date().to_string(), "came_in": day.detected.len(), "settled": day.settled.len() }))
        .collect();
    let weeks: Vec<_> = board
        .weeks
        .iter()
        .map(|week| json!({ "from": week.from.date().to_string(), "cases": week.cases.len(), "differ": week.differ.n(), "alpha": week.alpha }))
        .collect();
    let versions: Vec<_> = board
        .versions
        .iter()
        .map(|of| {
            json!({ "protocol": of.protocol, "version": of.version, "cases": of.cases.len(), "pairs": of.divergence.pairs,
                "parted": of.divergence.diverged, "alpha": of.alpha })
        })
        .collect();
    let categories: serde_json::Map<String, serde_json::Value> = board
        .categories
        .iter()
        .map(|(name, of)| {
            (name.clone(), json!({ "resolved": of.resolved.len(), "pending": of.pending.n() }))
        })
        .collect();
    let cells: Vec<_> = board
        .matrix
        .cells
        .iter()
        .map(|((a, b), cases)| json!({ "classes": [board.matrix.classes[*a], board.matrix.classes[*b]], "cases": cases.n() }))
        .collect();
    json!({ "at": board.now.rfc3339(), "labels": board.labels, "states": states, "ages": board.ages.each_ref().map(Vec::len),
        "days": days, "disagreement": board.disagreement(), "alpha": board.alpha, "weeks": weeks,
        "versions": versions, "categories": categories, "matrix": cells,
        "causes": board.causes.iter().map(|(cause, cases)| (*cause, cases.len())).collect::<std::collections::BTreeMap<_, _>>() })
}
