//! `casework sla`: what is due, by whom, and what is past its time.

use serde_json::json;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::time::Moment;
use crate::review::sla::{DueByPerson, DueItem, Duty, cases_due, cases_overdue};
use crate::workspace::bounds::Bound;

/// Most things that are listed in words.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What will be due, and overdue, so much later if nothing is done: 90m, 12h, 3d
    #[arg(long, value_name = "SPAN", global = true)]
    ahead: Option<String>,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// What is due, by person
    Show,
    /// What is past its time, and which of the policy's bounds are breached; ends with 3 if anything
    /// is
    Check,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let workspace = context.read_ahead(args.ahead.as_deref())?;
    let now = workspace.now();
    match args.what {
        None | Some(What::Show) => show(context, &workspace.due_by_person()?, now),
        Some(What::Check) => {
            let (due_items, later) = workspace.due_by(now)?;
            check(context, (&due_items, later), &workspace.bounds(&due_items)?, now)
        }
    }
}

fn show(context: &Context, due: &DueByPerson, now: Moment) -> Result<Exit, CliError> {
    let mut out = Out::new();
    for (who, clocks) in &due.people {
        for (clock, tally) in clocks {
            if context.global.json {
                out.json(&json!({ "who": who, "reviewer": who, "what": clock, "cases": tally.all, "overdue": tally.overdue,
                    "first_due": tally.first_due.map(Moment::rfc3339) }))?;
                continue;
            }
            let first = tally.first_due.map_or(String::new(), |due| due.due_words(now));
            let late = if tally.overdue > 0 {
                format!(", {} overdue", tally.overdue)
            } else {
                String::new()
            };
            out.line(&format!(
                "{who:<14} {:>5} {:<37} {first}{late}",
                tally.all,
                clock.about(tally.all)
            ))?;
        }
    }
    out.finish()?;
    let nothing = due.people.is_empty() && due.of_nobody == 0;
    if !context.global.json {
        match due.of_nobody {
            0 if nothing => say("Nothing is due."),
            0 => {}
            1 => say("1 case waits, and nobody is there who may take it."),
            n => say(&format!("{n} cases wait, and nobody is there who may take them.")),
        }
    }
    Ok(if nothing { Exit::No } else { Exit::Done })
}

fn check(
    context: &Context,
    (due_items, later): (&[DueItem], usize),
    bounds: &[Bound],
    now: Moment,
) -> Result<Exit, CliError> {
    let late: Vec<&DueItem> = due_items.iter().filter(|item| item.is_overdue(now)).collect();
    let crossed = bounds.iter().filter(|bound| bound.is_crossed()).count();
    let (overdue, all) = (cases_overdue(due_items, now), cases_due(due_items) + later);
    let mut out = Out::new();
    if context.global.json {
        let of = |clock: Duty| {
            let all = due_items.iter().filter(|item| item.what == clock);
            let late = all.clone().filter(|item| item.is_overdue(now));
            let oldest = late.clone().map(DueItem::overdue_since).min().map(Moment::rfc3339);
            let later = if clock == Duty::Label { later } else { 0 };
            (
                clock.as_str(),
                json!({ "all": cases_due(all) + later, "overdue": cases_due(late), "oldest_due": oldest }),
            )
        };
        let clocks: serde_json::Map<String, serde_json::Value> =
            Duty::ALL.map(of).map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        let bounds: Vec<_> = bounds.iter().map(Bound::json).collect();
        out.json(
            &json!({ "breached": !late.is_empty() || crossed > 0, "overdue": overdue, "clocks": clocks, "bounds": bounds }),
        )?;
    } else {
        for item in late.iter().take(SHOWN) {
            let what = item
                .case
                .map_or_else(|| item.session.clone().unwrap_or_default(), |case| case.short());
            let level = item.level.map_or("", |level| level.as_str());
            let missed = item.missed.map_or(String::new(), |(level, due)| {
                format!(" · the {} had it until {}", level.as_str(), due.minute())
            });
            out.line(&format!(
                "{what:<12} {:<10} {level:<6} {:<14} {}{missed}",
                item.what.as_str(),
                item.due.due_words(now),
                item.who.join(", ")
            ))?;
        }
        if late.len() > SHOWN {
            out.line(&format!("and {} more (--json)", late.len() - SHOWN))?;
        }
        for bound in bounds {
            let value = bound.words();
            let mark = if bound.is_crossed() { "breached" } else { "within" };
            out.line(&format!("{:<24} {value:<12} {mark}", bound.threshold.to_string()))?;
        }
    }
    out.finish()?;
    let breached = !late.is_empty() || crossed > 0;
    if !context.global.json {
        say(&format!(
            "{overdue} of {all} cases that wait are overdue; {crossed} of {} bounds are breached.",
            bounds.len()
        ));
    }
    Ok(if breached { Exit::Breach } else { Exit::Done })
}
