//! `casework rulings`: what was ruled, whom it overruled, and where protocols must change.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::arbitration::Cause;
use crate::domain::label::outcome_words;
use crate::review::arbitration::PastRuling;
use crate::review::sight::Figures;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those that overruled a label of yours
    #[arg(long)]
    overruled: bool,
    /// Only those of this cause
    #[arg(long, value_name = "C")]
    cause: Option<Cause>,
    /// Where rulings say that a protocol must change, by question
    #[arg(long, conflicts_with_all = ["overruled", "cause"])]
    changes: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    if args.changes {
        return changes(context, &workspace);
    }
    let mut past = if args.overruled { workspace.overruled()? } else { workspace.rulings()? };
    past.retain(|past| args.cause.is_none_or(|cause| past.ruling.cause == cause));
    let all = past.len();
    let blind = workspace.blind_to(past.iter().map(|past| past.row.id))?;
    past.retain(|past| !blind.contains(&past.row.id));
    if past.len() < all {
        say(&format!(
            "{} are left out: you may still label those cases yourself",
            all - past.len()
        ));
    }
    let (mut out, figures) = (Out::new(), workspace.figures()?);
    for past in &past {
        if context.global.json {
            // Who was overruled is for themselves to know, and for leads.
            let names: Vec<&str> = past
                .overruled
                .iter()
                .map(|given| given.label.reviewer.as_str())
                .filter(|name| figures.shows([*name]))
                .collect();
            let mine = past.overruled.iter().find(|given| given.label.reviewer == workspace.me);
            out.json(
                &json!({ "case": past.row.id, "id": past.row.external_id, "at": past.done.at.moment().rfc3339(), "by": past.done.author,
                "outcome": past.outcome, "cause": past.ruling.cause, "rationale": past.ruling.rationale,
                "change": past.ruling.change, "counts": past.counts, "contested": past.contested, "overruled": past.overruled.len(), "arbiter": past.done.author, "overruled_reviewers": names,
                "yours": mine.map(|given| &given.label.outcome), "appeals": past.appeals.len(), "event": past.done.event }),
            )?;
        } else {
            words(&mut out, past, &workspace.me, &figures)?;
        }
    }
    out.finish()?;
    if past.is_empty() && !context.global.json {
        say(if args.overruled {
            "No ruling says otherwise than you did."
        } else {
            "Nothing was ruled on."
        });
    }
    Ok(if past.is_empty() { Exit::No } else { Exit::Done })
}

fn words(out: &mut Out, past: &PastRuling, me: &str, figures: &Figures) -> std::io::Result<()> {
    let PastRuling { row, done, ruling, outcome, overruled, counts, contested, appeals } = past;
    let gone = match (*contested, *counts) {
        (true, _) => "  (contested: somebody else ruled otherwise at once)",
        (false, true) => "",
        (false, false) => "  (superseded)",
    };
    let at = done.at.moment().minute();
    out.line(&format!(
        "{}  {at}  {}  {}{gone}",
        row.id.short(),
        ruling.cause.as_str(),
        outcome_words(outcome)
    ))?;
    out.line(&format!("          by {}: “{}”", done.author, ruling.rationale))?;
    let others: Vec<&str> = overruled
        .iter()
        .map(|given| given.label.reviewer.as_str())
        .filter(|name| *name != me && figures.shows([*name]))
        .collect();
    if !others.is_empty() {
        out.line(&format!("          overruled {}", others.join(", ")))?;
    }
    for given in overruled.iter().filter(|given| given.label.reviewer == me) {
        out.line(&format!("          you said {}", outcome_words(&given.label.outcome)))?;
    }
    for (who, why) in appeals {
        out.line(&format!(
            "          {} appealed: {why}",
            if who == me { "you" } else { "somebody" }
        ))?;
    }
    Ok(())
}

fn changes(context: &Context, workspace: &Workspace) -> Result<Exit, CliError> {
    let notes = workspace.change_notes()?;
    let open = notes.iter().filter(|note| note.answered_by.is_none()).count();
    let mut out = Out::new();
    for note in &notes {
        let change = &note.change;
        if context.global.json {
            out.json(&json!({ "protocol": change.protocol, "version": change.version, "question": change.question,
                "case": note.case, "at": note.at.rfc3339(), "by": note.by, "text": note.words, "answered_by": note.answered_by }))?;
            continue;
        }
        let state =
            note.answered_by.map_or("open".to_owned(), |version| format!("changed in v{version}"));
        out.line(&format!(
            "{}/{}  v{}  {state}  {}",
            change.protocol,
            change.question,
            change.version,
            note.case.short()
        ))?;
        out.line(&format!("          {}", note.words))?;
    }
    out.finish()?;
    if notes.is_empty() && !context.global.json {
        say("No ruling says that a protocol must change.");
    }
    Ok(if open == 0 { Exit::No } else { Exit::Done })
}
