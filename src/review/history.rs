//! Every event of a case in words, as one reviewer may see it.
//!
//! Nobody sees another's label of a case before giving their own, so that answers stay independent:
//! until then a line only says that a label was given. Once the case is settled there is nothing
//! left to sway.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::calibration;
use crate::db::arbitration;
use crate::db::case::CaseRow;
use crate::db::label::{self, LabelRow};
use crate::db::note::{self, NoteKind, NoteRow};
use crate::db::roster;
use crate::domain::arbitration::Act;
use crate::domain::calibration::Calibration;
use crate::domain::ids::EventId;
use crate::domain::label::{AFTER_OTHERS, MAIN_ROUND, measures, outcome_words};
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;

#[derive(Debug, Clone, PartialEq)]
pub struct HistoryLine {
    pub at: Moment,
    pub who: String,
    pub words: String,
    /// The event it tells of.
    pub event: EventId,
}

/// What happened to a case, in the order it happened. `sealed`: labels of the reviewer's that nobody
/// else can read yet.
pub fn history(
    conn: &Connection,
    case: &CaseRow,
    reviewer: &str,
    sealed: &[LabelRow],
) -> rusqlite::Result<Vec<HistoryLine>> {
    let why =
        if case.flags.is_empty() { String::new() } else { format!(": {}", case.flags.join(", ")) };
    let words = format!("detected{why}");
    let mut lines = vec![HistoryLine {
        at: case.at.moment(),
        who: "rule".to_owned(),
        words,
        event: case.event,
    }];
    let mut labels = label::of_case(conn, case.id)?;
    labels.extend_from_slice(sealed);
    let gave = labels.iter().any(|row| {
        let label = &row.given.label;
        row.withdrawn.is_none() && label.reviewer == reviewer && label.round == MAIN_ROUND
    });
    let open_to_me = gave || case.state == CaseState::Resolved;
    // Who judged the case may say in a note how; leads have to read what is asked of them.
    let judged: BTreeSet<String> = labels
        .iter()
        .filter(|row| row.withdrawn.is_none())
        .map(|row| row.given.label.reviewer.clone())
        .collect();
    let leads = roster::current(conn)?
        .iter()
        .any(|grant| grant.name == reviewer && grant.role == Role::Lead);
    let hides_notes = !open_to_me && !leads;
    // What measures is nobody else's business, and would tell that the case does; what is hidden in
    // a session is not yet.
    let of_session = calibration::hidden_rounds(conn)?;
    let hidden = |round: &str| measures(round) || of_session.contains(round);
    let own =
        |row: &LabelRow| !hidden(&row.given.label.round) || row.given.label.reviewer == reviewer;
    for LabelRow { given, withdrawn } in labels.into_iter().filter(own) {
        let (label, at) = (&given.label, given.given_at());
        let shown = open_to_me || label.reviewer == reviewer;
        let what = if shown {
            label_words(&given)
        } else {
            "gave a label (shown when you have given yours)".to_owned()
        };
        let round = if label.round == MAIN_ROUND {
            String::new()
        } else {
            format!(" in round {}", label.round)
        };
        let what = format!("{what}{}", imported_words(&given));
        lines.push(HistoryLine {
            at,
            who: label.reviewer.clone(),
            words: format!("{what}{round}"),
            event: given.event,
        });
        if let Some(withdrawal) = withdrawn {
            let words = if withdrawal.by == label.reviewer {
                "took the label back".to_owned()
            } else {
                format!("withdrew {}'s label", label.reviewer)
            };
            lines.push(HistoryLine {
                at: withdrawal.at.moment(),
                who: withdrawal.by,
                words,
                event: given.event,
            });
        }
    }
    for row in note::all_of_case(conn, case.id)? {
        let words = match (row.kind, row.until) {
            (NoteKind::Commented, _) if row.session.is_some() && !open_to_me => continue,
            _ if hides_notes && row.author != reviewer && judged.contains(&row.author) => {
                "wrote something (shown when you have given your label)".to_owned()
            }
            (NoteKind::Deferred, Some(until)) => {
                format!("deferred until {}: {}", until.minute(), row.text)
            }
            (NoteKind::Deferred, None) => format!("deferred: {}", row.text),
            (NoteKind::Escalated, _) => format!("escalated: {}", row.text),
            (NoteKind::Commented, _) => comment_words(&row),
        };
        let words = if row.withdrawn { format!("{words} (taken back)") } else { words };
        lines.push(HistoryLine { at: row.at.moment(), who: row.author, words, event: row.event });
    }
    for done in arbitration::of_case(conn, case.id)? {
        let words = match &done.act {
            // Whoever still has to judge it should not be told how another did.
            Act::Ruled(_) | Act::Appealed { .. } if !open_to_me && done.author != reviewer => {
                "did something (shown when you have given your label)".to_owned()
            }
            Act::Ruled(ruling) => {
                let change = ruling
                    .change
                    .as_ref()
                    .map_or(String::new(), |change| format!("; `{}` must change", change.question));
                format!(
                    "ruled {} ({}{change}): {}",
                    outcome_words(&ruling.outcome),
                    ruling.cause.as_str(),
                    ruling.rationale
                )
            }
            Act::Withdrew { why, .. } if why.is_empty() => "took the ruling back".to_owned(),
            Act::Withdrew { why, .. } => format!("took the ruling back: {why}"),
            Act::Appealed { why, .. } => format!("appealed against the ruling: {why}"),
            // Whose label it is, is for its author to know.
            Act::Returned { reviewer: whose, text, .. } if whose == reviewer => {
                format!("asked you about your label: {text}")
            }
            Act::Returned { .. } => "returned a label with a question".to_owned(),
        };
        lines.push(HistoryLine {
            at: done.at.moment(),
            who: done.author,
            words,
            event: done.event,
        });
    }
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

/// What happened to a case in a calibration session, as one who takes part may see it: once it is
/// revealed, everything.
pub fn in_session(
    conn: &Connection,
    case: &CaseRow,
    session: &Calibration,
    reviewer: &str,
    sealed: &[LabelRow],
) -> rusqlite::Result<Vec<HistoryLine>> {
    let why =
        if case.flags.is_empty() { String::new() } else { format!(": {}", case.flags.join(", ")) };
    let (at, words) = (case.at.moment(), format!("detected{why}"));
    let mut lines = vec![HistoryLine { at, who: "rule".to_owned(), words, event: case.event }];
    let revealed = session.stage().is_revealed();
    for which in 0..=usize::from(revealed) {
        let mut labels = calibration::labels_of_case(conn, session, which, case.id)?;
        if which == 0 {
            let of_it = |row: &&LabelRow| {
                row.withdrawn.is_none() && row.given.label.round == session.name()
            };
            // The last of them is the one that counts.
            labels.extend(sealed.iter().rev().find(of_it).map(|row| row.given.clone()));
        }
        for given in labels {
            let label = &given.label;
            if revealed || label.reviewer == reviewer {
                let round = if which == 0 { "" } else { " again" };
                let words = label_words(&given).replacen("labeled", &format!("labeled{round}"), 1)
                    + &imported_words(&given);
                lines.push(HistoryLine {
                    at: given.given_at(),
                    who: label.reviewer.clone(),
                    words,
                    event: given.event,
                });
            }
        }
    }
    if revealed {
        let said = calibration::comments_of_case(conn, session, case.id)?.into_iter();
        lines.extend(said.map(|note| {
            let words = comment_words(&note);
            HistoryLine { at: note.at.moment(), who: note.author, words, event: note.event }
        }));
    }
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

fn comment_words(note: &NoteRow) -> String {
    match &note.question {
        Some(question) => format!("commented on `{question}`: {}", note.text),
        None => format!("commented: {}", note.text),
    }
}

/// Who put it into its reviewer's mouth, if they did not sign it themselves.
fn imported_words(given: &crate::domain::label::GivenLabel) -> String {
    given.imported_by().map(|author| format!(" [imported by {author}]")).unwrap_or_default()
}

fn label_words(given: &crate::domain::label::GivenLabel) -> String {
    let label = &given.label;
    let path: Vec<String> =
        label.path.iter().map(|(question, answer)| format!("{question} {answer}")).collect();
    let mut words = format!(
        "labeled {} ({}; v{})",
        outcome_words(&label.outcome),
        path.join(", "),
        label.protocol.version
    );
    if let Some(confidence) = label.confidence {
        words.push_str(&format!(", confidence {confidence} of 5"));
    }
    if label.after_others {
        words.push_str(&format!(", after {AFTER_OTHERS}"));
    }
    if !label.rationale.is_empty() {
        words.push_str(&format!(": {}", label.rationale));
    }
    if !label.extra.is_empty() {
        let names: Vec<&str> = label.extra.keys().map(String::as_str).collect();
        words.push_str(&format!("; kept beside it: {}", names.join(", ")));
    }
    words
}
