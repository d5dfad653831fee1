//! `casework suspects`: labels that the model's own probabilities make doubtful.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::text::{cut, visible};
use crate::quality::figure::decimal;
use crate::quality::suspects::{Judged, find};
use crate::review::suspects::Labels;
use crate::workspace::WorkError;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A CSV of labels with probabilities that a model gives without having seen them: the columns
    /// given, p0, p1 …; without it, the settled cases here
    file: Option<PathBuf>,
    /// Which labels: cut (what cases are settled as) or gold
    #[arg(long, value_parser = ["cut", "gold"], default_value = "cut")]
    labels: String,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if let Some(file) = &args.file {
        return of_file(context, file);
    }
    let which = if args.labels == "gold" { Labels::Gold } else { Labels::Settled };
    let (found, looked_at, left_out) = context.read()?.suspects(which)?;
    let mut out = Out::new();
    for one in &found {
        if context.global.json {
            out.json(&json!({ "case": one.row.id, "id": one.row.external_id, "given": one.given,
                "suggested": one.suggested, "self_confidence": one.self_confidence,
                "rules": rules(one.by_noise_rate, one.by_confident_joint) }))?;
        } else {
            let text = visible(&one.row.text);
            out.line(&format!(
                "{} {:<24} {:>6}  labeled {}, the model says {}",
                one.row.id.short(),
                cut(&text, 24),
                decimal(one.self_confidence),
                one.given,
                one.suggested
            ))?;
        }
    }
    out.finish()?;
    say(&format!("{} of {looked_at} labels are doubtful, the most doubtful first.", found.len()));
    if left_out > 0 {
        say(&format!("{left_out} settled cases are left out: you may still label them."));
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}

fn rules(noise: bool, confident: bool) -> Vec<&'static str> {
    let named = [(noise, "prune_by_noise_rate"), (confident, "confident_learning")];
    named.into_iter().filter_map(|(is, name)| is.then_some(name)).collect()
}

fn of_file(context: &Context, path: &Path) -> Result<Exit, CliError> {
    let name = path.display();
    let failed = |error| WorkError::File { path: name.to_string(), error };
    let wrong = |line: u64, why: &str| CliError::Use(format!("{name}: line {line}: {why}"));
    let mut reader = csv::Reader::from_reader(File::open(path).map_err(failed)?);
    let headers = reader.headers().map_err(|error| wrong(1, &error.to_string()))?.clone();
    let at = |wanted: &str| headers.iter().position(|header| header == wanted);
    let given = at("given").ok_or_else(|| wrong(1, "there is no column `given`"))?;
    let places: Vec<usize> = (0..).map_while(|class| at(&format!("p{class}"))).collect();
    if places.is_empty() {
        return Err(wrong(1, "there are no columns p0, p1 …"));
    }
    let mut judged = Vec::new();
    let mut named = Vec::new();
    for (number, record) in (2..).zip(reader.records()) {
        let record = record.map_err(|error| wrong(number, &error.to_string()))?;
        let class = record.get(given).and_then(|text| text.parse::<usize>().ok());
        let class = class.filter(|class| *class < places.len());
        let class = class.ok_or_else(|| wrong(number, "`given` is no class: a number from 0"))?;
        let p: Option<Vec<f64>> = places
            .iter()
            .map(|place| record.get(*place)?.parse().ok().filter(|p| (0.0..=1.0).contains(p)))
            .collect();
        let p = p.ok_or_else(|| wrong(number, "a probability is no number from 0 to 1"))?;
        named.push(at("row").and_then(|place| record.get(place)).unwrap_or_default().to_owned());
        judged.push(Judged { given: class, p });
    }
    let found = find(&judged, places.len());
    let mut out = Out::new();
    for one in &found.suspects {
        let row = named[one.row].parse::<u64>().unwrap_or(one.row as u64);
        let given = judged[one.row].given;
        if context.global.json {
            out.json(&json!({ "row": row, "given": given, "suggested": one.suggested,
                "self_confidence": one.self_confidence,
                "rules": rules(one.by_noise_rate, one.by_confident_joint) }))?;
        } else {
            out.line(&format!(
                "row {row}: labeled {given}, the model says {} and gives the label {}",
                one.suggested,
                decimal(one.self_confidence)
            ))?;
        }
    }
    out.finish()?;
    say(&format!(
        "{} of {} labels are doubtful, the most doubtful first.",
        found.suspects.len(),
        judged.len()
    ));
    Ok(if found.suspects.is_empty() { Exit::No } else { Exit::Done })
}
