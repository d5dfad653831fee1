//! Calibration sessions: what they are made of, how far each reviewer is, what they found.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde::Serialize;

use super::Protocols;
use super::aligned::aligned;
use super::right_at::RightAt;
use crate::db::case::{self, CaseRow};
use crate::db::document::{self, DocumentRow};
use crate::db::note::{self, NoteKind, NoteRow};
use crate::db::{label, renames, roster, sealed};
use crate::domain::calibration::{
    Amendment, Calibration, Ending, Fact, Opening, Stage, session_of,
};
use crate::domain::estimate::class_of;
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{GivenLabel, value_text};
use crate::domain::policy::Policy;
use crate::domain::protocol::Answered;
use crate::domain::roster::Role;
use crate::domain::text::fit;
use crate::domain::time::Hlc;
use crate::journal::agekey::Secret;
use crate::journal::kind::{SessionAmended, SessionClosed, SessionOpened, SessionRevealed};
use crate::journal::sealed::opened;
use crate::quality::agreement::{Resampling, Tally, nominal_alpha};
use crate::quality::divergence::Divergence;
use crate::quality::figure::{Figure, decimal};
use crate::quality::paired::{Counts, Paired, compare};
use crate::quality::ratings::Names;

/// Every session, the latest first.
pub fn sessions(conn: &Connection) -> rusqlite::Result<Vec<Calibration>> {
    let mut opened: BTreeMap<String, Vec<Fact<Opening>>> = BTreeMap::new();
    for row in document::of_kind(conn, "session opened")? {
        if let Ok(SessionOpened(what)) = serde_json::from_str(&row.body) {
            opened.entry(row.name.clone()).or_default().push(fact(row, what));
        }
    }
    if opened.is_empty() {
        return Ok(Vec::new());
    }
    let mut revealed = endings(conn, "session revealed", |body| {
        serde_json::from_str(body).ok().map(|SessionRevealed(what)| what)
    })?;
    let mut closed = endings(conn, "session closed", |body| {
        serde_json::from_str(body).ok().map(|SessionClosed(what)| what)
    })?;
    let mut amended: BTreeMap<String, Vec<Fact<Amendment>>> = BTreeMap::new();
    for row in document::of_kind(conn, "session amended")? {
        if let Ok(SessionAmended(what)) = serde_json::from_str(&row.body) {
            amended.entry(row.name.clone()).or_default().push(fact(row, what));
        }
    }
    // What is sealed is revealed by its key alone.
    for (name, opened) in &opened {
        let of = Calibration::of(opened.clone(), Vec::new(), Vec::new(), Vec::new());
        if let (Some(sealing), Some(revealed)) =
            (of.and_then(|session| session.opened.what.sealing), revealed.get_mut(name))
        {
            revealed.retain(|fact| {
                let secret = fact.what.key.as_deref().and_then(Secret::parse);
                secret.is_some_and(|secret| secret.recipient == sealing.recipient)
            });
        }
    }
    let whole = opened.into_iter().filter_map(|(name, opened)| {
        Calibration::of(
            opened,
            amended.remove(&name).unwrap_or_default(),
            revealed.remove(&name).unwrap_or_default(),
            closed.remove(&name).unwrap_or_default(),
        )
    });
    let mut sessions: Vec<Calibration> = whole.collect();
    sessions.sort_by_key(|session| std::cmp::Reverse((session.opened.at, session.opened.event)));
    Ok(sessions)
}

fn fact<T>(row: DocumentRow, what: T) -> Fact<T> {
    Fact { event: row.event, at: row.at, by: row.author, what }
}

type Endings = BTreeMap<String, Vec<Fact<Ending>>>;

fn endings(
    conn: &Connection,
    kind: &str,
    read: impl Fn(&str) -> Option<Ending>,
) -> rusqlite::Result<Endings> {
    let mut found = Endings::new();
    for row in document::of_kind(conn, kind)? {
        if let Some(what) = read(&row.body) {
            found.entry(row.name.clone()).or_default().push(fact(row, what));
        }
    }
    Ok(found)
}

/// Whether a case lies in a session whose blind round is under way: nothing that may sway anybody is
/// shown of it meanwhile.
pub fn holds(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    let blind = |session: &Calibration| session.hidden_round().is_some();
    Ok(sessions(conn)?.iter().any(|one| blind(one) && one.opened.what.cases.contains(&id)))
}

/// One session.
pub fn session(conn: &Connection, name: &str) -> rusqlite::Result<Option<Calibration>> {
    Ok(sessions(conn)?.into_iter().find(|session| session.name() == name))
}

/// The session whose round this is.
pub fn of_round(conn: &Connection, round: &str) -> rusqlite::Result<Option<Calibration>> {
    session(conn, session_of(round))
}

/// Rounds whose labels nobody may see yet but their author.
pub fn hidden_rounds(conn: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    Ok(sessions(conn)?.iter().filter_map(Calibration::hidden_round).map(str::to_owned).collect())
}

/// The labels of a session's first (0) or second (1) round that count: those that were sealed, or
/// as they stand.
pub fn labels(
    conn: &Connection,
    session: &Calibration,
    which: usize,
) -> rusqlite::Result<Vec<GivenLabel>> {
    let mut found = Vec::new();
    for id in &session.opened.what.cases {
        found.extend(labels_of_case(conn, session, which, *id)?);
    }
    Ok(found)
}

/// The same of one case, one of each reviewer.
pub fn labels_of_case(
    conn: &Connection,
    session: &Calibration,
    which: usize,
    id: CaseId,
) -> rusqlite::Result<Vec<GivenLabel>> {
    let round = &session.rounds()[which];
    let ending = if which == 0 { &session.revealed } else { &session.closed };
    let mut latest: BTreeMap<String, GivenLabel> = BTreeMap::new();
    for row in label::of_case(conn, id)?.into_iter().filter(|row| row.given.label.round == *round) {
        // What was sealed counts even if it was taken back since: all have seen it.
        let counts = ending.as_ref().map_or(row.withdrawn.is_none(), |ending| {
            ending.what.sealed.contains(&row.given.event)
        });
        if counts && session.takes_part(&row.given.label.reviewer) {
            latest.insert(row.given.label.reviewer.clone(), row.given);
        }
    }
    Ok(latest.into_values().collect())
}

/// A label of a session, whether it can be read or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub case: CaseId,
    pub reviewer: String,
    pub event: EventId,
}

/// Who labeled what in the first (0) or second (1) round of a session: those that count, one of each
/// reviewer and case. What is sealed is among them; `read` says which of it can be.
pub fn given(
    conn: &Connection,
    session: &Calibration,
    which: usize,
    mut read: impl FnMut(&sealed::SealedRow) -> bool,
) -> rusqlite::Result<Vec<Given>> {
    let mut all: BTreeMap<(CaseId, String), (Hlc, EventId)> = BTreeMap::new();
    for given in labels(conn, session, which)? {
        let key = (given.label.case, given.label.reviewer);
        // What its reviewer signed themselves counts before what was imported.
        let at = if given.author == key.1 { given.at } else { Hlc { ms: i64::MIN, n: 0 } };
        all.insert(key, (at, given.event));
    }
    let round = &session.rounds()[which];
    if let Some(sealing) = session.sealing_of(round).filter(|_| !session.stage().is_revealed()) {
        for (row, withdrawn) in sealed::of_round(conn, round)? {
            let of_it = row.to == sealing.recipient
                && session.takes_part(&row.author)
                && session.opened.what.cases.contains(&row.case);
            if of_it && withdrawn.is_none() && read(&row) {
                let at = (row.at, row.event);
                let latest = all.entry((row.case, row.author)).or_insert(at);
                *latest = at.max(*latest);
            }
        }
    }
    let given = |((case, reviewer), (_, event))| Given { case, reviewer, event };
    Ok(all.into_iter().map(given).collect())
}

/// The labels of a session's first round that count, as far as its key opens them, and how many it
/// does not open.
pub fn to_reveal(
    conn: &Connection,
    session: &Calibration,
    secret: Option<&Secret>,
) -> rusqlite::Result<(Vec<EventId>, usize)> {
    let mut unreadable = 0;
    let opens = |row: &sealed::SealedRow| {
        let opens = secret.is_some_and(|secret| opened(row, secret).is_some());
        unreadable += usize::from(!opens);
        opens
    };
    let given = given(conn, session, 0, opens)?;
    Ok((given.into_iter().map(|given| given.event).collect(), unreadable))
}

/// How far somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub reviewer: String,
    /// Cases labeled in the first and in the second round.
    pub done: [usize; 2],
}

/// How far everybody is. Tells nothing of what they said.
pub fn progress(conn: &Connection, session: &Calibration) -> rusqlite::Result<Vec<Progress>> {
    let rounds = [given(conn, session, 0, |_| true)?, given(conn, session, 1, |_| true)?];
    let done = |reviewer: &str| {
        rounds
            .each_ref()
            .map(|labels| labels.iter().filter(|given| given.reviewer == reviewer).count())
    };
    Ok(session
        .reviewers()
        .into_iter()
        .map(|reviewer| Progress { reviewer: reviewer.to_owned(), done: done(reviewer) })
        .collect())
}

/// Those for whose labels of the first round a session waits, with how far they are: nobody waits
/// for who is no reviewer any more.
pub fn awaited(conn: &Connection, session: &Calibration) -> rusqlite::Result<Vec<Progress>> {
    let grants = roster::current(conn)?;
    let reviews =
        |name: &str| grants.iter().any(|grant| grant.name == name && grant.role == Role::Reviewer);
    let of = session.opened.what.cases.len();
    let mut all = progress(conn, session)?;
    all.retain(|one| one.done[0] < of && reviews(&one.reviewer));
    Ok(all)
}

/// The cases of a session that a reviewer has not labeled in the round that is under way, in its
/// order; all of them for who opened it and takes no part.
pub fn to_label(
    conn: &Connection,
    session: &Calibration,
    reviewer: &str,
) -> rusqlite::Result<Vec<CaseRow>> {
    if !session.sits_in(reviewer) || !session.stage().is_under_way() {
        return Ok(Vec::new());
    }
    let which = usize::from(session.stage() == Stage::Discussion);
    let done: BTreeSet<CaseId> = given(conn, session, which, |_| true)?
        .into_iter()
        .filter(|given| given.reviewer == reviewer)
        .map(|given| given.case)
        .collect();
    let mut found = Vec::new();
    for id in session.opened.what.cases.iter().filter(|id| !done.contains(id)) {
        found.extend(case::by_id(conn, *id)?);
    }
    Ok(found)
}

/// What was said about the cases of a session, in the order it was said.
pub fn comments(conn: &Connection, session: &Calibration) -> rusqlite::Result<Vec<NoteRow>> {
    let mut found = Vec::new();
    for id in &session.opened.what.cases {
        found.extend(comments_of_case(conn, session, *id)?);
    }
    found.sort_by_key(|note| (note.at, note.event));
    Ok(found)
}

/// The same of one case.
pub fn comments_of_case(
    conn: &Connection,
    session: &Calibration,
    id: CaseId,
) -> rusqlite::Result<Vec<NoteRow>> {
    let of_session = |note: &NoteRow| {
        note.kind == NoteKind::Commented && note.session.as_deref() == Some(session.name())
    };
    Ok(note::of_case(conn, id)?.into_iter().filter(of_session).collect())
}

/// Somebody who said otherwise in the second round.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    pub case: CaseId,
    pub reviewer: String,
    /// What they said before, and then.
    pub from: String,
    pub to: String,
    /// Whether more of the others had said that in the first round than what they said themselves.
    pub toward_others: bool,
    /// The first question that they answered otherwise.
    pub question: Option<String>,
}

/// A question before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuestionFindings {
    pub question: String,
    #[serde(flatten)]
    pub paired: Paired,
    /// Pairs of labels that part there, in the first round and in the second: of people and cases
    /// that have both.
    pub diverged: [usize; 2],
    /// Krippendorff's alpha over every label of the first round, and pairs of these that part
    /// there.
    pub first: Figure,
    pub first_diverged: usize,
}

/// A case on which people differed at a question at first, and not any more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settled {
    pub case: CaseId,
    pub question: String,
    /// What all answer now.
    pub answer: String,
    /// What all say now, of any field, and what some had said at first and none says any more.
    pub agreed: BTreeSet<String>,
    pub dropped: BTreeSet<String>,
    /// Of somebody who changed their mind, else of anybody, else what was said last about the
    /// question; empty if nobody said why.
    pub why: String,
}

/// What a session found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// Labels of each round, and labels that somebody gave in both.
    pub labels: [usize; 2],
    pub both: usize,
    /// Krippendorff's alpha over every label of the first round.
    pub first: Figure,
    pub outcome: Paired,
    pub questions: Vec<QuestionFindings>,
    pub moved: Vec<Moved>,
    pub settled: Vec<Settled>,
    /// Cases on which people still differ, by the question at which they part.
    pub open: Vec<(CaseId, String)>,
    /// How often its reviewers answer the questions right at which the first round diverged, by all
    /// their labels, where that is recorded.
    #[serde(rename = "rates")]
    pub right_at: Vec<RightAt>,
}

impl Findings {
    /// What the first round says, while there is no second to compare it with.
    fn first_words(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} labels in the first round; nobody has labeled in the second one yet",
            self.labels[0]
        )];
        lines.push(format!("  {:<20} {:>10}  alpha (95 %)", "", "diverge"));
        let row = |name: &str, diverged: &str, alpha: &Figure| {
            format!("  {:<20} {diverged:>10}  {}", fit(name, 20), fit(&alpha.describe(), 45))
        };
        lines.push(row("outcome", "", &self.first));
        lines.extend(
            self.questions
                .iter()
                .map(|of| row(&of.question, &of.first_diverged.to_string(), &of.first)),
        );
        let mut split: Vec<&QuestionFindings> =
            self.questions.iter().filter(|of| of.first_diverged > 0).collect();
        split.sort_by_key(|of| std::cmp::Reverse(of.first_diverged));
        let most = split
            .first()
            .map(|of| format!("Most diverge at {}: talk about that first.", of.question));
        lines.extend(most);
        lines.extend(self.right_words());
        lines
    }

    /// Question by question, how often each answers it right.
    fn right_words(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for group in self.right_at.chunk_by(|one, other| one.question == other.question) {
            if lines.is_empty() {
                let words =
                    "How often each answers right there, by the estimate of all their labels";
                lines.extend([String::new(), words.to_owned()]);
            }
            let of = |one: &RightAt| format!("{} {:.0} %", one.reviewer, one.share * 100.0);
            let shares: Vec<String> = group.iter().map(of).collect();
            lines.push(format!("  {:<20} {}", fit(&group[0].question, 20), shares.join(", ")));
        }
        lines
    }

    /// In words, a line each.
    pub fn describe(&self) -> Vec<String> {
        let Self { labels: [one, two], both, outcome, questions, moved, settled, open, .. } = self;
        if *both == 0 {
            return self.first_words();
        }
        let mut lines = vec![format!(
            "{one} labels in the first round, {two} in the second; {both} of who gave both"
        )];
        lines.push(format!(
            "  {:<10} {:>6} {:>6} {:<23} {:<7} {}",
            "alpha", "before", "after", "change", "paired", "cases"
        ));
        lines.push(format!(
            "  {:<10} {} {} up, {} down",
            "outcome",
            paired_words(outcome),
            outcome.better,
            outcome.worse
        ));
        for of in questions {
            let diverged = format!("{} → {} diverge", of.diverged[0], of.diverged[1]);
            lines.push(format!(
                "  {:<10} {} {diverged}",
                fit(&of.question, 10),
                paired_words(&of.paired)
            ));
        }
        if let Err(reason) = outcome.change.value {
            lines.push(format!("  no change of alpha: {reason}"));
        }
        if !moved.is_empty() {
            let toward = moved.iter().filter(|moved| moved.toward_others).count();
            lines.push(String::new());
            lines.push(format!(
                "{} labels moved, {toward} of them toward what more of the others had said",
                moved.len()
            ));
        }
        for moved in moved.iter().take(SHOWN) {
            let at = moved
                .question
                .as_ref()
                .map(|question| format!(" at {question}"))
                .unwrap_or_default();
            lines.push(format!(
                "  {}  {:<12} {} → {}{at}",
                moved.case.short(),
                moved.reviewer,
                moved.from,
                moved.to
            ));
        }
        let settled = settled.iter().map(|one| (one.case, &one.question)).collect::<Vec<_>>();
        let open = open.iter().map(|(case, question)| (*case, question)).collect::<Vec<_>>();
        for (words, cases) in [("split at first, and not any more", settled), ("still split", open)]
        {
            if !cases.is_empty() {
                lines.push(String::new());
                lines.push(format!("{} {words}", cases.len()));
                lines.extend(
                    cases
                        .iter()
                        .take(SHOWN)
                        .map(|(case, question)| format!("  {}  at {question}", case.short())),
                );
            }
        }
        lines.extend(self.right_words());
        lines
    }
}

/// Most lines of a kind that are said in words.
const SHOWN: usize = 20;

/// A figure before and after, with the test.
fn paired_words(of: &Paired) -> String {
    let value = |figure: &Figure| figure.value.map_or("none".to_owned(), decimal);
    let change = match (of.change.value, of.change.interval) {
        (Ok(by), Some((low, high))) => format!("{by:+.3} ({low:.3} to {high:.3})"),
        (Ok(by), None) => format!("{by:+.3}"),
        (Err(_), _) => "none".to_owned(),
    };
    let p = of.p.map_or(String::new(), |p| format!("p {}", decimal(p)));
    format!("{:>6} {:>6} {change:<23} {p:<7}", value(&of.before), value(&of.after))
}

/// A label of a session by the names of today.
struct Read {
    case: CaseId,
    reviewer: String,
    class: String,
    /// The values of the outcome.
    values: BTreeSet<String>,
    answered: Answered,
    why: String,
}

/// Compares the two rounds: the same people on the same cases.
pub fn findings(
    conn: &Connection,
    session: &Calibration,
    protocols: &Protocols,
    policy: &Policy,
) -> rusqlite::Result<Findings> {
    let renamed = renames::all(conn)?;
    let read = |given: &GivenLabel| {
        let outcome = renamed.outcome(&given.label);
        Read {
            case: given.label.case,
            reviewer: given.label.reviewer.clone(),
            class: class_of(&outcome, &policy.on).unwrap_or_else(|| "nothing".to_owned()),
            values: outcome.values().map(value_text).collect(),
            answered: protocols.answered(&given.label),
            why: given.label.rationale.clone(),
        }
    };
    let all = [labels(conn, session, 0)?, labels(conn, session, 1)?]
        .map(|labels| labels.iter().map(read).collect::<Vec<Read>>());
    let counts = all.each_ref().map(Vec::len);
    let in_both = |label: &Read, other: &[Read]| {
        other.iter().any(|other| (other.case, &other.reviewer) == (label.case, &label.reviewer))
    };
    let [first, second] = &all;
    let rounds: [Vec<&Read>; 2] = [
        first.iter().filter(|label| in_both(label, second)).collect(),
        second.iter().filter(|label| in_both(label, first)).collect(),
    ];
    let cases = &session.opened.what.cases;
    let outcome =
        compare(&tables(cases, &rounds, &|label| Some(label.class.clone())), Resampling::default());
    let divergence = rounds.each_ref().map(|labels| divergence_of(cases, labels));
    let whole: Vec<&Read> = first.iter().collect();
    let first_divergence = divergence_of(cases, &whole);
    let mut order: Vec<String> = Vec::new();
    for node in
        divergence.iter().chain([&first_divergence]).flat_map(|divergence| divergence.nodes())
    {
        if !order.contains(&node.question) {
            order.push(node.question.clone());
        }
    }
    let of_question = |question: String| {
        let answer = |label: &Read| label.answered.answer(&question).map(str::to_owned);
        let paired = compare(&tables(cases, &rounds, &answer), Resampling::default());
        let diverged_in = |of: &Divergence| {
            of.nodes().iter().find(|node| node.question == question).map_or(0, |node| node.diverged)
        };
        let (diverged, first_diverged) =
            (divergence.each_ref().map(diverged_in), diverged_in(&first_divergence));
        QuestionFindings {
            paired,
            diverged,
            first: alpha(cases, &whole, &answer),
            first_diverged,
            question,
        }
    };
    let (settled, open) = settled(cases, &rounds, &comments(conn, session)?);
    Ok(Findings {
        right_at: Vec::new(),
        labels: counts,
        both: rounds[1].len(),
        first: alpha(cases, &whole, &|label| Some(label.class.clone())),
        outcome,
        questions: order.into_iter().map(of_question).collect(),
        moved: moved(&rounds),
        settled,
        open,
    })
}

/// Krippendorff's nominal alpha of what labels say.
fn alpha(cases: &[CaseId], labels: &[&Read], value: &dyn Fn(&Read) -> Option<String>) -> Figure {
    let mut tally = Tally::default();
    for case in cases {
        let said: Vec<String> = labels
            .iter()
            .filter(|label| label.case == *case)
            .filter_map(|label| value(label))
            .collect();
        tally.add(said.iter().map(String::as_str));
    }
    nominal_alpha(&tally.patterns(), Resampling::default())
}

/// For each case, how often each value was given in each round.
fn tables(
    cases: &[CaseId],
    rounds: &[Vec<&Read>; 2],
    value: &dyn Fn(&Read) -> Option<String>,
) -> Vec<[Counts; 2]> {
    let mut names = Names::default();
    let mut tables: Vec<[Counts; 2]> = Vec::with_capacity(cases.len());
    for case in cases {
        let mut table: [Counts; 2] = Default::default();
        for (counts, labels) in table.iter_mut().zip(rounds) {
            for value in
                labels.iter().filter(|label| label.case == *case).filter_map(|label| value(label))
            {
                let number = names.number(&value) as usize;
                if counts.len() <= number {
                    counts.resize(number + 1, 0);
                }
                counts[number] += 1;
            }
        }
        tables.push(table);
    }
    tables
}

fn divergence_of(cases: &[CaseId], labels: &[&Read]) -> Divergence {
    let mut divergence = Divergence::default();
    for case in cases {
        let of_case: Vec<&&Read> = labels.iter().filter(|label| label.case == *case).collect();
        for (at, one) in of_case.iter().enumerate() {
            for two in &of_case[at + 1..] {
                divergence.count(&one.answered, &two.answered, one.class != two.class);
            }
        }
    }
    divergence
}

fn moved(rounds: &[Vec<&Read>; 2]) -> Vec<Moved> {
    let [first, second] = rounds;
    let mut found = Vec::new();
    for now in second {
        let Some(before) =
            first.iter().find(|label| (label.case, &label.reviewer) == (now.case, &now.reviewer))
        else {
            continue;
        };
        if before.class == now.class {
            continue;
        }
        let others =
            first.iter().filter(|label| label.case == now.case && label.reviewer != now.reviewer);
        let (mut with, mut against) = (0, 0);
        for other in others {
            with += usize::from(other.class == now.class);
            against += usize::from(other.class == before.class);
        }
        let question =
            crate::quality::divergence::first_divergence(&before.answered, &now.answered)
                .map(|first_divergence| first_divergence.question.to_owned());
        let (case, reviewer, from, to) =
            (now.case, now.reviewer.clone(), before.class.clone(), now.class.clone());
        found.push(Moved { case, reviewer, from, to, toward_others: with > against, question });
    }
    found
}

/// Cases that were split at first and are not any more, and cases that still are, each with the
/// question.
fn settled(
    cases: &[CaseId],
    rounds: &[Vec<&Read>; 2],
    said: &[NoteRow],
) -> (Vec<Settled>, Vec<(CaseId, String)>) {
    let (mut settled, mut open) = (Vec::new(), Vec::new());
    for case in cases {
        let of = |round: usize| {
            rounds[round]
                .iter()
                .filter(|label| label.case == *case)
                .copied()
                .collect::<Vec<&Read>>()
        };
        let splits = |labels: &[&Read]| {
            let answered: Vec<&Answered> = labels.iter().map(|label| &label.answered).collect();
            let (rows, parts_at) = aligned(&answered);
            parts_at.map(|at| rows[at].0.clone())
        };
        let (first, second) = (of(0), of(1));
        match (splits(&first), splits(&second)) {
            (_, Some(question)) => open.push((*case, question)),
            (Some(question), None) if second.len() > 1 => {
                let first_of = second.first();
                let Some(answer) = first_of.and_then(|label| label.answered.answer(&question))
                else {
                    continue;
                };
                let changed = |label: &&&Read| {
                    first.iter().any(|before| {
                        before.reviewer == label.reviewer
                            && before.answered.path != label.answered.path
                    }) && !label.why.is_empty()
                };
                let why = second
                    .iter()
                    .find(changed)
                    .or_else(|| second.iter().find(|label| !label.why.is_empty()));
                let about =
                    |note: &&NoteRow| note.id == *case && note.question.as_ref() == Some(&question);
                let talked = || {
                    said.iter().rev().find(about).map(|note| note.text.clone()).unwrap_or_default()
                };
                let why = why.map_or_else(talked, |label| label.why.clone());
                let said = |labels: &[&Read]| {
                    labels
                        .iter()
                        .flat_map(|label| label.values.clone())
                        .collect::<BTreeSet<String>>()
                };
                let now = said(&second);
                let agreed = now
                    .iter()
                    .filter(|value| second.iter().all(|label| label.values.contains(*value)));
                let agreed = agreed.cloned().collect();
                let dropped = said(&first).difference(&now).cloned().collect();
                settled.push(Settled {
                    case: *case,
                    question,
                    answer: answer.to_owned(),
                    agreed,
                    dropped,
                    why,
                });
            }
            _ => {}
        }
    }
    (settled, open)
}
