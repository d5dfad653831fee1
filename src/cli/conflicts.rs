//! `casework conflicts`: settled cases with the same input, or nearly the same, that count as
//! something else.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::label::outcome_words;
use crate::domain::resolve::How;
use crate::domain::text::{fit, visible};
use crate::review::sight::left_out;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How much of two inputs must be shared: 1 for the same ones only
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    near: f64,
    /// Compare by these fields of the outcome, with commas, instead of those that the policy
    /// compares by
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    field: Vec<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if !(0.3..=1.0).contains(&args.near) {
        return Err(CliError::Use(format!(
            "--near takes a share from 0.3 to 1, not {}",
            args.near
        )));
    }
    let (found, kept) = context.read()?.conflicts(args.near, &args.field)?;
    let mut out = Out::new();
    for conflict in &found {
        if context.global.json {
            let cases: Vec<_> = conflict
                .cases
                .iter()
                .map(|row| {
                    json!({ "case": row.id, "id": row.external_id, "stream": row.stream, "text": row.text,
                        "outcome": row.outcome, "how": row.how.map(How::as_str) })
                })
                .collect();
            out.json(
                &json!({ "same": conflict.same, "likeness": conflict.likeness, "cases": cases }),
            )?;
            continue;
        }
        let like = if conflict.same {
            "the same input".to_owned()
        } else {
            format!("{:.0} % the same", conflict.likeness * 100.0)
        };
        out.line(&like)?;
        for row in &conflict.cases {
            let words = row.outcome.as_ref().map(outcome_words).unwrap_or_default();
            out.line(&format!("  {}  {}", row.id.short(), fit(&visible(&row.text), 68)))?;
            let how = row.how.map_or("", How::as_str);
            out.line(&format!("            {words} ({how})"))?;
        }
    }
    out.finish()?;
    if !context.global.json {
        say(&match found.len() {
            0 => "No settled cases with the same input count as something else.".to_owned(),
            1 => "1 contradiction: adjudicate one of its cases anew (casework arbitrate CASE)."
                .to_owned(),
            n => format!(
                "{n} contradictions: adjudicate a case of each anew (casework arbitrate CASE)."
            ),
        });
    }
    if let Some(words) = left_out(kept, "contradictions") {
        say(&words);
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}
