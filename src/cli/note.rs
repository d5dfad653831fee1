//! `casework comment`, `defer`, `escalate`, `appeal`: what is said about a case without labeling it.

use serde_json::{Value, json};

use super::out::done;
use super::{CliError, Context, Exit};
use crate::domain::text::is_blank;
use crate::review::CaseRow;
use crate::workspace::Workspace;

/// A case, and words about it.
#[derive(Debug, clap::Args)]
pub struct About {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
    /// What is to be said: why it has to wait, what the lead should know, what a ruling did not
    /// weigh
    #[arg(required = true)]
    text: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct CommentArgs {
    /// In a calibration session; without it, in the one that discusses the case, if it is the only
    /// one
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// The question of the protocol that it is about: a text that begins with it, `scope: …`, says
    /// it too
    #[arg(long, value_name = "ID", requires = "session")]
    question: Option<String>,
    #[command(flatten)]
    about: About,
}

/// Says something about a case; what is said then, and as JSON.
fn note(
    context: &Context,
    about: &About,
    say: impl FnOnce(&mut Workspace, &CaseRow, &str) -> Result<(String, Value), CliError>,
) -> Result<Exit, CliError> {
    let text = about.text.join(" ");
    if is_blank(&text) {
        return Err(CliError::Use("nothing was written, so nothing was done".to_owned()));
    }
    let mut workspace = context.open()?;
    let case = workspace.find_case_to_change(&about.case)?;
    let (words, document) = say(&mut workspace, &case, &text)?;
    done(context.global.json, &words, &document)?;
    Ok(Exit::Done)
}

/// Comments on a case.
pub fn comment(context: &Context, args: &CommentArgs) -> Result<Exit, CliError> {
    note(context, &args.about, |workspace, case, text| {
        let (session, question) = (args.session.as_deref(), args.question.as_deref());
        let (saved, session) = workspace.comment_about(case.id, session, question, text)?;
        let place =
            session.as_ref().map_or(String::new(), |name| format!(" in the session {name}"));
        let words = format!("Commented on {}{place}.", case.id.short());
        Ok((
            words,
            json!({ "case": case.id, "id": case.external_id, "event": saved.event(), "session": session }),
        ))
    })
}

/// Defers a case, for whoever is at work.
pub fn defer(context: &Context, about: &About) -> Result<Exit, CliError> {
    note(context, about, |workspace, case, text| {
        let until = workspace.defer(case.id, text)?;
        let words = format!("Deferred {} until {}.", case.id.short(), until.minute());
        Ok((words, json!({ "case": case.id, "id": case.external_id, "until": until.rfc3339() })))
    })
}

/// Asks a lead to look at a case.
pub fn escalate(context: &Context, about: &About) -> Result<Exit, CliError> {
    note(context, about, |workspace, case, text| {
        let saved = workspace.escalate(case.id, text)?;
        let words = format!("Escalated {}.", case.id.short());
        Ok((words, json!({ "case": case.id, "id": case.external_id, "event": saved.event() })))
    })
}

/// Asks to have a ruling looked at again.
pub fn appeal(context: &Context, about: &About) -> Result<Exit, CliError> {
    note(context, about, |workspace, case, text| {
        let saved = workspace.appeal(case.id, text)?;
        let words = format!(
            "Appealed: {} is disputed again, and lies with {}.",
            case.id.short(),
            workspace.owner()?
        );
        Ok((words, json!({ "case": case.id, "id": case.external_id, "event": saved.event() })))
    })
}
