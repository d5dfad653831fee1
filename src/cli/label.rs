//! `casework label`: what the guide does, by command.

use serde_json::json;

use super::out::{done, say};
use super::{CliError, Context, Exit};
use crate::domain::label::{Step, outcome_words, tags_of};
use crate::domain::protocol::Places;
use crate::domain::protocol::typed::{self, Written};
use crate::review::Draft;
use crate::workspace::WorkError;
use crate::workspace::validating::Made;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The case's id, the first digits of it, or the id its stream gave it
    case: String,
    /// An answer: the question's id, and the answer's key or text; several with commas, spans as
    /// 4-9,12-20
    #[arg(long = "answer", value_name = "QUESTION=VALUE")]
    answers: Vec<String>,
    /// An item of the checklist that was done
    #[arg(long = "check", value_name = "ITEM")]
    checked: Vec<String>,
    /// How sure: 1 (a guess) to 5 (certain)
    #[arg(long, value_name = "1-5", value_parser = clap::value_parser!(u8).range(1..=5))]
    confidence: Option<u8>,
    /// A word to find the case by later
    #[arg(long = "tag", value_name = "T")]
    tags: Vec<String>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    rationale: String,
    /// Places that bear it out, as characters from and up to, of the input's text or of another
    /// field or turn: 4-9,output:12-20,input.messages[4]:0-7
    #[arg(long, value_name = "PLACES", default_value = "")]
    mark: String,
    /// In a calibration session, in the round of it that is under way
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// An earlier case that it refers to
    #[arg(long = "cite", value_name = "CASE")]
    cites: Vec<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let case = workspace.find_case_to_change(&args.case)?;
    if let Some(session) = &args.session {
        workspace.in_round = Some(workspace.round_of(session, case.id)?);
    }
    let protocols = workspace.protocols()?;
    let published = protocols
        .for_stream(&case.stream)
        .ok_or_else(|| WorkError::NoProtocol(case.stream.clone()))?;
    let mut draft = Draft {
        checked: args.checked.clone(),
        confidence: args.confidence,
        tags: tags_of(&args.tags.join(" ")),
        rationale: args.rationale.clone(),
        evidence: Places::parse(&args.mark).ok_or_else(|| {
            CliError::Use(format!("--mark takes places as 4-9,output:12-20, not `{}`", args.mark))
        })?,
        cites: args
            .cites
            .iter()
            .map(|name| Ok(workspace.find_case_to_change(name)?.id))
            .collect::<Result<_, WorkError>>()?,
        ..Draft::default()
    };
    draft.answers = typed::read(&published.protocol, &steps(&args.answers)?, Written::Now)?;
    if let Some(unknown) = args
        .checked
        .iter()
        .find(|id| !published.protocol.checklist.iter().any(|item| item.id == **id))
    {
        return Err(CliError::Use(format!(
            "`{}` has no checklist item `{unknown}`",
            published.protocol.id
        )));
    }
    let label = workspace.label_of(&case, &draft, published)?;
    typed::all_taken(&draft.answers, &label.path)?;
    let outcome = label.outcome.clone();
    let given = workspace.has_validators().then(|| label.clone());
    let saved = workspace.submit(label)?;
    let otherwise = workspace.settled_otherwise(case.id, &outcome)?;
    let words =
        format!("{}: {}. Saved as entry {}.", case.id.short(), outcome_words(&outcome), saved.seq);
    let json = context.global.json;
    if !json {
        // Whatever looks over it now, it is saved.
        say(&words);
        if let Some(words) = workspace.not_compared(case.id, saved.event())? {
            say(&format!("Before it, {words}."));
        }
    }
    let made = given.as_ref().map(Made::Label);
    let problems = super::plugin::look_over(context, &mut workspace, made, &case.id.short())?;
    let document = json!({ "case": case.id, "outcome": outcome, "event": saved.event(), "otherwise": otherwise,
            "problems": problems });
    if json {
        done(json, &words, &document)?;
    }
    if let Some(otherwise) = otherwise.filter(|_| !json) {
        say(&format!("{otherwise}."));
    }
    Ok(Exit::Done)
}

/// Answers as they were given to `--answer`.
pub(super) fn steps(answers: &[String]) -> Result<Vec<Step>, CliError> {
    let step = |answer: &String| {
        let parts =
            answer.split_once('=').map(|(question, value)| (question.to_owned(), value.to_owned()));
        parts.ok_or_else(|| CliError::Use(format!("--answer takes QUESTION=VALUE, not `{answer}`")))
    };
    answers.iter().map(step).collect()
}
