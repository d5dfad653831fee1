//! `casework train`: cases whose right answer is known, with immediate feedback. On a terminal it is the review screen;
//! with `--lines`, or without one, questions are printed and answers read line by line.

use std::io::{self, BufRead, IsTerminal};

use super::out::{Out, done, say};
use super::{CliError, Context};
use crate::domain::protocol::Question;
use crate::domain::protocol::typed::{self, Written};
use crate::domain::text::visible;
use crate::domain::training::{Attempt, compare};
use crate::review::feedback::{feedback, summary};
use crate::review::{Draft, Protocols, Published};
use crate::workspace::{Lesson, Lessons, WorkError, Workspace};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The protocol's id
    #[arg(value_name = "NAME")]
    protocol: String,
    /// Print questions and read answers line by line
    #[arg(long)]
    lines: bool,
}

/// The workspace and what to go through on the screen, or nothing if it was done here.
pub fn run(context: &Context, args: &Args) -> Result<Option<(Workspace, Lessons)>, CliError> {
    let mut workspace = context.open()?;
    let lessons = workspace.lessons(&args.protocol)?;
    if lessons.untaught > 0 {
        say(&format!("{} known answers lack one that the version in force asks: a lead answers them again.", lessons.untaught));
    }
    if lessons.all.is_empty() {
        return Err(CliError::Use(format!(
            "no case of {} has a known answer yet: a lead labels one and says `casework gold set CASE`",
            args.protocol
        )));
    }
    let linear = context.env.linear_because(context.global.linear).is_some();
    if !args.lines && !linear && io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(Some((workspace, lessons)));
    }
    let protocols = workspace.protocols()?;
    let published = protocols.in_force().into_iter().find(|one| one.protocol.id == args.protocol).cloned();
    let published = published.ok_or_else(|| WorkError::NoSuchProtocol(args.protocol.clone()))?;
    let mut attempts = Vec::new();
    let mut input = io::stdin().lock().lines();
    for (i, lesson) in lessons.all.iter().enumerate() {
        let head = format!("Case {} of {}", i + 1, lessons.all.len());
        let Some(attempt) = one(&protocols, &published, lesson, &head, &mut input)? else {
            return Err(CliError::Use("left before the end: nothing is recorded".to_owned()));
        };
        attempts.push(attempt);
    }
    let (right, of) = (attempts.iter().filter(|attempt| attempt.right).count(), attempts.len());
    workspace.finish_training(&args.protocol, attempts)?;
    let passed = lessons.rules.passes(right, of);
    let document = serde_json::json!({ "protocol": args.protocol, "right": right, "of": of, "passed": passed });
    done(context.global.json, &summary(&lessons.rules, right, of), &document)?;
    Ok(None)
}

/// Goes through one case; nothing if the input ended before.
fn one(
    protocols: &Protocols,
    published: &Published,
    lesson: &Lesson,
    head: &str,
    input: &mut io::Lines<io::StdinLock<'_>>,
) -> Result<Option<Attempt>, CliError> {
    let protocol = &published.protocol;
    let mut out = Out::new();
    out.raw("\n")?;
    out.line(head)?;
    for line in crate::domain::text::visible_lines(&lesson.row.text) {
        out.raw(&format!("  {line}\n"))?;
    }
    let hidden = crate::domain::cues::hides(&protocols.policy.hide, crate::domain::cues::Cue::Prediction, false);
    if let Some(said) = lesson.row.predicted.as_ref().filter(|_| !hidden) {
        out.line(&format!("  {} said {said}", lesson.row.model))?;
    }
    let mut draft = Draft::default();
    while let Some(question) = draft.question(protocol) {
        ask(&mut out, question)?;
        io::Write::flush(&mut out)?;
        let Some(line) = input.next() else { return Ok(None) };
        let (id, answer) = (question.id.clone(), line?);
        match typed::take(protocol, question, &answer, Written::Now) {
            Some(taken) => draft.answer(&id, &taken.recorded),
            None => {
                let wanted = question.wanted_instead_of(&answer);
                out.line(&format!("`{}` is no answer to it, which takes {wanted}.", answer.trim()))?;
            }
        }
    }
    let path = draft.path(protocol);
    let outcome = draft.outcome(protocol, lesson.row.predicted.as_deref()).unwrap_or_default();
    let found = compare(protocol, &lesson.right, &path, &outcome);
    for words in feedback(protocols, protocol, &lesson.why, &found, &outcome) {
        out.line(&words)?;
    }
    out.finish()?;
    let parted_at = found.parted_at.map(|(question, _)| question);
    Ok(Some(Attempt { case: lesson.row.id, path, right: found.right, parted_at }))
}

fn ask(out: &mut Out, question: &Question) -> io::Result<()> {
    out.line(&question.ask)?;
    for (i, answer) in question.kind.answers().iter().enumerate() {
        out.line(&format!("  {}  {} ({})", i + 1, visible(&answer.text), visible(&answer.key)))?;
    }
    let how = match question.kind.word() {
        "choice" => return Ok(()),
        "multi" => " with commas between them; an empty line for none",
        "span" => " as 4-9,12-20, counted in characters",
        _ => "",
    };
    out.line(&format!("  {}{how}", question.wanted()))
}
