//! Calibration sessions: which there are, opening one, and what whoever leads does about it.

use super::{Command, write};
use crate::clock;
use crate::domain::calibration::{Amendment, Stage};
use crate::domain::text::counted;
use crate::domain::time::{Moment, parse_span};
use crate::session::effect::Effect;
use crate::session::report::Report;
use crate::session::state::Session;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;
use crate::workspace::calibration::{Choice, Plan};
use crate::workspace::error::CalibrationError;

pub const SESSIONS: Command = Command::new(
    "sessions",
    "calibration sessions: join one, see how far everybody is, reveal, findings; open and end them",
    |_, _| vec![Effect::Sessions],
)
.not_in_training();

/// What is asked to open a session: kept until one is open, for a lead may have to mend it.
pub const NEW_SESSION: &str = "New session, as june divergent 12 for 2d with ana,bo: ";

/// What a lead does about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moderation {
    /// How its cases are chosen, as `divergent 12 for 2d`.
    Open(String),
    /// All labels of the blind round are shown; `early`: although somebody still labels.
    Reveal {
        early: bool,
    },
    /// Names, with commas or blanks.
    Add(String),
    /// How long the first round lasts from now.
    Extend(String),
    /// Closes it, or calls it off where it was not revealed; with what was found, or why.
    End(String),
    Reopen,
}

impl Session {
    /// Does something about a session, by its name.
    pub fn moderate(&mut self, session: String, what: Moderation) -> Vec<Effect> {
        write(Moderate { session, what })
    }
}

#[derive(Debug)]
struct Moderate {
    session: String,
    what: Moderation,
}

/// How to open a session, in one line.
const OPENING: &str = "divergent 12, random 12, category NAME 12; for 2d; with ana,bo";

/// Reads how a session is opened: `divergent 12 random 4 for 2d with ana,bo`.
fn plan(name: &str, text: &str, now: Moment) -> Result<Plan, CalibrationError> {
    let wrong = |word: &str| CalibrationError::Opening(word.to_owned(), OPENING);
    let mut plan = Plan {
        name: name.to_owned(),
        title: String::new(),
        choices: Vec::new(),
        reviewers: Vec::new(),
        deadline: Moment(now.0 + 2 * 86_400_000),
        seed: 1,
    };
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or_else(|| wrong(word));
        let number = |text: &str| text.parse::<usize>().map_err(|_| wrong(text));
        match word {
            "random" => plan.choices.push(Choice::Random(number(next()?)?)),
            "divergent" => plan.choices.push(Choice::Divergent(number(next()?)?)),
            "category" => {
                let category = next()?.to_owned();
                plan.choices.push(Choice::Category(category, number(next()?)?));
            }
            "for" => {
                let span = next()?;
                let ms = parse_span(span).filter(|ms| *ms > 0).ok_or_else(|| wrong(span))?;
                plan.deadline = Moment(now.0.saturating_add(ms));
            }
            "with" => plan.reviewers.extend(names(next()?)),
            other => return Err(wrong(other)),
        }
    }
    if plan.choices.is_empty() {
        return Err(CalibrationError::Empty);
    }
    Ok(plan)
}

fn names(text: &str) -> Vec<String> {
    text.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

impl Write for Moderate {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        let Self { session, what } = *self;
        let workspace = &mut at.workspace;
        let amendment = Amendment { session: session.clone(), ..Amendment::default() };
        let words = match what {
            Moderation::Open(text) => {
                let (opening, _) = workspace.open_session(plan(&session, &text, clock::now())?)?;
                format!(
                    "Open: {} for {}, blind until {}.",
                    counted(opening.cases.len(), "case"),
                    opening.reviewers.join(", "),
                    opening.deadline.minute()
                )
            }
            Moderation::Reveal { early } => {
                workspace.reveal_session(&session, early)?;
                "Revealed: all who take part see all labels, talk about them, and label again."
                    .to_owned()
            }
            Moderation::Add(text) => {
                let adds = names(&text);
                let words = format!("{} may join.", adds.join(", "));
                workspace.amend_session(Amendment { adds, ..amendment })?;
                words
            }
            Moderation::Extend(text) => {
                let span = parse_span(text.trim()).filter(|ms| *ms > 0);
                let ms = span.ok_or(CalibrationError::Opening(text, "90m, 12h, 3d, 2w"))?;
                let deadline = Moment(clock::now().0.saturating_add(ms));
                workspace.amend_session(Amendment { deadline: Some(deadline), ..amendment })?;
                format!("The first round lasts until {}.", deadline.minute())
            }
            Moderation::End(note) if workspace.session(&session)?.stage() == Stage::Blind => {
                workspace.call_off_session(&session, &note)?;
                "Cancelled: what was said in it stays with who said it.".to_owned()
            }
            Moderation::End(note) => {
                workspace.close_session(&session, &note)?;
                "Closed.".to_owned()
            }
            Moderation::Reopen => {
                workspace.amend_session(Amendment { reopens: true, ..amendment })?;
                "It goes on where it was.".to_owned()
            }
        };
        Ok(Report::Words { title: session, words: vec![words] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_opened_by_a_line() {
        let read = |text: &str| plan("june", text, Moment(0));
        let made = read("divergent 12 category novel-class 3 for 3d with ana,bo").unwrap();
        assert_eq!(
            made.choices,
            [Choice::Divergent(12), Choice::Category("novel-class".into(), 3)]
        );
        assert_eq!(
            (made.deadline.0, made.reviewers),
            (3 * 86_400_000, vec!["ana".into(), "bo".into()])
        );
        for wrong in ["", "divergent", "divergent x", "random 3 for ever", "some 3"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
