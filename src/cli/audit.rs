//! `casework audit`: a bundle that outsiders check with stock tools.

use std::path::PathBuf;

use serde_json::json;

use super::archive::{self, aside};
use super::export::may_export;
use super::out::{Out, done, say};
use super::{CliError, Context, Exit, TimeArg};
use crate::clock;
use crate::domain::text::counted;
use crate::workspace::outcome_audit::as_json;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Write journal, keys, payload hashes, roster and protocols, with a script that checks them
    Export {
        /// A new directory; without it, standard output takes all of it as a tar
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Hold labels against what turned out, and cuts, gates and deployments against each other
    Outcomes {
        /// Only what was cut and deployed since
        #[arg(long, value_name = "TIME", value_parser = super::since)]
        since: Option<TimeArg>,
        /// Sign what was found, so that it stays
        #[arg(long)]
        sign: bool,
    },
    /// Say whether an audit is due, by the policy's audit_days
    Due,
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    let out = match what {
        What::Export { out } => out,
        What::Outcomes { since, sign } => return outcomes(context, *since, *sign),
        What::Due => return due(context),
    };
    let workspace = context.read()?;
    workspace.may_read_journal()?;
    let Some(out) = out else {
        archive::may_go_out("an audit")?;
        if context.served.is_some() {
            may_export(context, "journal", "audit")?;
        }
        let aside = aside(context, &workspace, None)?;
        let folder = aside.path().join("audit");
        let entries = workspace.audit(&folder)?;
        archive::send(&folder)?;
        say(&format!(
            "{} sent. Anybody checks them with: bash check.sh",
            counted(entries, "entry")
        ));
        return Ok(Exit::Done);
    };
    let entries = workspace.audit(out)?;
    let place = out.display().to_string();
    let words = format!(
        "{} written to {place}. Anybody checks them with: bash {place}/check.sh",
        counted(entries, "entry")
    );
    done(
        context.global.json,
        &words,
        &json!({ "path": place, "entries": entries, "workspace": workspace.id()? }),
    )?;
    if !context.global.json {
        say(
            "It holds no input, log or neighbour of any case; rationales and comments are in the journal.",
        );
    }
    Ok(Exit::Done)
}

fn outcomes(context: &Context, since: Option<TimeArg>, sign: bool) -> Result<Exit, CliError> {
    let since = since.map(|since| since.moment(clock::now())).transpose()?;
    let workspace = context.read()?;
    let findings = workspace.outcome_findings(since)?;
    let mut out = Out::new();
    for (finding, json) in findings.iter().zip(as_json(&findings)) {
        if context.global.json {
            out.json(&json)?;
            continue;
        }
        let to = if finding.to.is_empty() {
            String::new()
        } else {
            format!("  (to {})", finding.to.join(", "))
        };
        out.line(&format!("{:<18} {}{to}", finding.kind, finding.text))?;
    }
    out.finish()?;
    if sign {
        context.open()?.sign_audit(since, &findings)?;
        say("The audit is signed: it stays in the journal.");
    }
    let bad = findings.iter().filter(|finding| finding.kind != "fixed").count();
    if bad == 0 {
        say("Nothing was found that does not fit together.");
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::No })
}

fn due(context: &Context) -> Result<Exit, CliError> {
    let workspace = context.read()?;
    let due = workspace.audit_due()?;
    let late = due.is_some_and(|due| due < workspace.now());
    let last = workspace.audits()?.into_iter().next();
    let document = json!({ "due": due.map(|due| due.rfc3339()), "overdue": late,
        "last": last.as_ref().map(|(at, ..)| at.rfc3339()), "author": last.as_ref().map(|(_, who, _)| who) });
    let words = match (due, late) {
        (None, _) => "No audit is asked for: casework policy set audit_days=90.".to_owned(),
        (Some(due), true) => {
            format!("An audit was due {}: casework audit outcomes --sign.", due.minute())
        }
        (Some(due), false) => format!("The next audit is due {}.", due.minute()),
    };
    done(context.global.json, &words, &document)?;
    Ok(if late { Exit::Breach } else { Exit::Done })
}
