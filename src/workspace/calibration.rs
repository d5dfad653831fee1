//! Calibration sessions: opening one over chosen cases, ending its rounds, and what comes out of
//! it.

use std::collections::BTreeSet;

use super::error::{CalibrationError, RulingError};
use super::{WorkError, Workspace};
use crate::db::{case, label};
use crate::domain::calibration::{Amendment, Calibration, Ending, Opening, Stage};
use crate::domain::glossary::Glossary;
use crate::domain::glossary_amend::{Kind, with_example_of};
use crate::domain::ids::{CaseId, EventId};
use crate::domain::label::{GivenLabel, MAIN_ROUND, value_text};
use crate::domain::protocol::amend::{NewExample, with_example};
use crate::domain::protocol::parse::{LabelSource, label_source};
use crate::domain::protocol::{Protocol, parse_strictly};
use crate::domain::random::SplitMix64;
use crate::domain::roster::{Role, is_name};
use crate::domain::text::is_blank;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::chain::Appended;
use crate::journal::kind::{
    CaseCommented, SessionAmended, SessionClosed, SessionOpened, SessionRevealed,
};
use crate::journal::views;
use crate::review::calibration::{self, Findings, Settled};
use crate::review::disagreement::disagreements;
use crate::review::right_at::RightAt;

/// A way to choose cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Random(usize),
    /// Those on which most pairs of labels part.
    Divergent(usize),
    /// Of a category, as it was resolved.
    Category(String, usize),
    Picked(Vec<CaseId>),
}

/// What opening a session takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub name: String,
    pub title: String,
    pub choices: Vec<Choice>,
    /// None: all who review.
    pub reviewers: Vec<String>,
    pub deadline: Moment,
    pub seed: u64,
}

/// What revealing a session came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Revealed {
    pub saved: Appended,
    /// Labels that count.
    pub counted: usize,
    /// Labels that its key does not open.
    pub unreadable: usize,
}

/// A file that a session proposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub name: String,
    pub text: String,
    /// What of it is new.
    pub added: usize,
}

impl Workspace {
    pub fn sessions(&self) -> Result<Vec<Calibration>, WorkError> {
        Ok(calibration::sessions(&self.db.conn)?)
    }

    pub fn session(&self, name: &str) -> Result<Calibration, WorkError> {
        calibration::session(&self.db.conn, name)?
            .ok_or_else(|| CalibrationError::Unknown(name.to_owned()).into())
    }

    /// The rounds there are: the main one, those of sessions, and those of which there are labels.
    pub fn rounds(&self) -> Result<BTreeSet<String>, WorkError> {
        let mut rounds: BTreeSet<String> = label::rounds(&self.db.conn)?.into_iter().collect();
        rounds.insert(MAIN_ROUND.to_owned());
        for session in calibration::sessions(&self.db.conn)? {
            rounds.extend(session.rounds());
        }
        Ok(rounds)
    }

    /// Refuses a round that there is not, and what is hidden until a session is revealed.
    pub fn may_see(&self, round: &str) -> Result<(), WorkError> {
        if round == MAIN_ROUND {
            return Ok(()); // without looking through every label for the others
        }
        let known = self.rounds()?;
        if !known.contains(round) {
            return Err(CalibrationError::NoRound {
                round: round.to_owned(),
                known: known.into_iter().collect(),
            }
            .into());
        }
        let hidden = calibration::hidden_rounds(&self.db.conn)?.contains(round);
        if hidden { Err(CalibrationError::Hidden(round.to_owned()).into()) } else { Ok(()) }
    }

    /// Rounds whose labels are their authors' alone for now.
    pub fn hidden_rounds(&self) -> Result<BTreeSet<String>, WorkError> {
        Ok(calibration::hidden_rounds(&self.db.conn)?)
    }

    /// The latest session that waits for a label of whoever is at work, with how many.
    pub fn session_waits(&self) -> Result<Option<(String, usize)>, WorkError> {
        for session in self.sessions()?.into_iter().filter(|one| one.takes_part(&self.me)) {
            let left = calibration::to_label(&self.db.conn, &session, &self.me)?.len();
            if left > 0 {
                return Ok(Some((session.name().to_owned(), left)));
            }
        }
        Ok(None)
    }

    /// Everybody who may review.
    pub fn reviewers(&self) -> Result<Vec<String>, WorkError> {
        let names: BTreeSet<String> = self
            .roster_now()?
            .into_iter()
            .filter(|grant| grant.role == Role::Reviewer)
            .map(|grant| grant.name)
            .collect();
        Ok(names.into_iter().collect())
    }

    /// Opens a session.
    pub fn open_session(&mut self, plan: Plan) -> Result<(Opening, Appended), WorkError> {
        if !is_name(&plan.name) {
            return Err(WorkError::Name(plan.name));
        }
        if calibration::session(&self.db.conn, &plan.name)?.is_some() {
            return Err(CalibrationError::Exists(plan.name).into());
        }
        let known = self.reviewers()?;
        if let Some(stranger) = plan.reviewers.iter().find(|name| !known.contains(name)) {
            return Err(WorkError::Stranger(stranger.clone()));
        }
        let mut reviewers = if plan.reviewers.is_empty() { known } else { plan.reviewers };
        reviewers.sort();
        reviewers.dedup();
        if reviewers.len() < 2 {
            return Err(CalibrationError::OfOne.into());
        }
        let (cases, chosen) = self.choose(&plan.choices, plan.seed)?;
        if cases.is_empty() {
            return Err(CalibrationError::Empty.into());
        }
        let opening = Opening {
            session: plan.name,
            title: plan.title,
            cases,
            chosen,
            reviewers,
            deadline: plan.deadline,
            sealing: Some(self.new_sealing()?),
        };
        let saved = self.append(vec![Append::new(&SessionOpened(opening.clone()))])?;
        Ok((opening, saved))
    }

    /// Cases, each once, and how they were chosen.
    fn choose(&self, choices: &[Choice], seed: u64) -> Result<(Vec<CaseId>, String), WorkError> {
        let conn = &self.db.conn;
        let mut dice = SplitMix64::new(seed);
        let mut cases: Vec<CaseId> = Vec::new();
        let mut words = Vec::new();
        let mut drawn = |from: Vec<CaseId>, n: usize, cases: &mut Vec<CaseId>| {
            let mut from: Vec<CaseId> = from.into_iter().filter(|id| !cases.contains(id)).collect();
            // The first of a shuffle (Fisher and Yates).
            for at in 0..n.min(from.len()) {
                let other = at + dice.below(from.len() - at);
                from.swap(at, other);
                cases.push(from[at]);
            }
        };
        for choice in choices {
            match choice {
                Choice::Random(n) => {
                    let mut all = Vec::new();
                    case::for_each(conn, |row| {
                        all.extend((!row.text.is_empty()).then_some(row.id))
                    })?;
                    drawn(all, *n, &mut cases);
                    words.push(format!("random {n}, seed {seed}"));
                }
                Choice::Category(name, n) => {
                    let mut all = Vec::new();
                    case::for_each(conn, |row| {
                        let category = row
                            .outcome
                            .as_ref()
                            .and_then(|outcome| outcome.get("category"))
                            .map(value_text);
                        all.extend((category.as_ref() == Some(name)).then_some(row.id));
                    })?;
                    drawn(all, *n, &mut cases);
                    words.push(format!("category {name} {n}, seed {seed}"));
                }
                Choice::Divergent(n) => {
                    let protocols = self.protocols()?;
                    let found = disagreements(conn, MAIN_ROUND, &protocols, &protocols.policy.on)?;
                    let mut diverged: Vec<_> =
                        found.cases.iter().filter(|(_, tally)| tally.diverged > 0).collect();
                    let share = |of: usize, pairs: usize| of as f64 / pairs as f64;
                    diverged.sort_by(|(a, one), (b, two)| {
                        let differ =
                            share(two.differ, two.pairs).total_cmp(&share(one.differ, one.pairs));
                        differ
                            .then(
                                share(two.diverged, two.pairs)
                                    .total_cmp(&share(one.diverged, one.pairs)),
                            )
                            .then(a.cmp(b))
                    });
                    let ids = diverged
                        .into_iter()
                        .map(|(id, _)| *id)
                        .filter(|id| !cases.contains(id))
                        .take(*n);
                    cases.extend(ids.collect::<Vec<_>>());
                    words.push(format!("most divergent {n}"));
                }
                Choice::Picked(ids) => {
                    for id in ids {
                        if !cases.contains(id) {
                            cases.push(*id);
                        }
                    }
                    words.push(format!("picked {}", ids.len()));
                }
            }
        }
        Ok((cases, words.join("; ")))
    }

    /// Ends the first round: everybody sees all labels, and those count as they are. Before its
    /// deadline only if all are done, or if it is asked for.
    ///
    /// # Errors
    /// That it is no time for it, that this device can't open what is sealed, and those of the
    /// database.
    pub fn reveal_session(&mut self, name: &str, early: bool) -> Result<Revealed, WorkError> {
        let session = self.session(name)?;
        if session.stage() != Stage::Blind {
            return Err(CalibrationError::Stage(name.to_owned(), session.stage()).into());
        }
        let late = calibration::awaited(&self.db.conn, &session)?.len();
        // Who may not reveal it at all is told that, and not of the time.
        let leads = self.is_lead()?;
        if leads && late > 0 && self.now() < session.deadline() {
            let (of, owner) = (session.reviewers().len(), self.owner()?);
            if !early {
                return Err(CalibrationError::UnderWay { late, of }.into());
            }
            if self.me != session.opened.by && self.me != owner {
                let (session, by) = (name.to_owned(), session.opened.by);
                return Err(CalibrationError::NotYours { session, by, owner }.into());
            }
        }
        let sealing = session.opened.what.sealing.as_ref().filter(|_| leads);
        let secret = match (sealing, self.session_secret(&session)) {
            (None, _) => None,
            (_, Some(secret)) => Some(secret),
            (Some(_), None) => {
                let holders = self.session_key_holders(&session)?;
                let session = name.to_owned();
                return Err(CalibrationError::NoKey { session, holders }.into());
            }
        };
        let (mut sealed, unreadable) =
            calibration::to_reveal(&self.db.conn, &session, secret.as_ref())?;
        sealed.sort_unstable();
        let counted = sealed.len();
        let (session, note) = (name.to_owned(), String::new());
        let key = secret.map(|secret| secret.text());
        let ending = Ending { session, sealed, note, key };
        let saved = self.append(vec![Append::new(&SessionRevealed(ending))])?;
        Ok(Revealed { saved, counted, unreadable })
    }

    /// Ends a session.
    pub fn close_session(&mut self, name: &str, note: &str) -> Result<Appended, WorkError> {
        let session = self.session(name)?;
        if session.stage() != Stage::Discussion {
            return Err(CalibrationError::Stage(name.to_owned(), session.stage()).into());
        }
        let sealed = self.counting(&session, 1)?;
        self.append(vec![Append::new(&SessionClosed(Ending {
            session: name.to_owned(),
            sealed,
            note: note.to_owned(),
            key: None,
        }))])
    }

    /// Calls off a session that was not revealed: what was said in it stays with who said it.
    pub fn call_off_session(&mut self, name: &str, note: &str) -> Result<Appended, WorkError> {
        let session = self.session(name)?;
        if session.stage() != Stage::Blind {
            return Err(CalibrationError::Stage(name.to_owned(), session.stage()).into());
        }
        let (session, sealed, note) = (name.to_owned(), Vec::new(), note.to_owned());
        let ending = Ending { session, sealed, note, key: None };
        self.append(vec![Append::new(&SessionClosed(ending))])
    }

    /// Adds people, gives more time, or lets a session that was closed or called off go on.
    ///
    /// # Errors
    /// A name that reviews nothing here, a stage in which that can't be done, and those of the
    /// database.
    pub fn amend_session(&mut self, change: Amendment) -> Result<Appended, WorkError> {
        let session = self.session(&change.session)?;
        let known = self.reviewers()?;
        if let Some(stranger) = change.adds.iter().find(|name| !known.contains(name)) {
            return Err(WorkError::Stranger(stranger.clone()));
        }
        if session.stage().is_under_way() == change.reopens {
            return Err(CalibrationError::Stage(change.session, session.stage()).into());
        }
        self.append(vec![Append::new(&SessionAmended(change))])
    }

    fn counting(&self, session: &Calibration, which: usize) -> Result<Vec<EventId>, WorkError> {
        let mut sealed: Vec<EventId> = calibration::labels(&self.db.conn, session, which)?
            .iter()
            .map(|given| given.event)
            .collect();
        sealed.sort_unstable();
        Ok(sealed)
    }

    /// The round of a session in which whoever is at work may label a case now.
    pub fn round_of(&self, name: &str, case: CaseId) -> Result<String, WorkError> {
        let session = self.session(name)?;
        let round = session
            .round_now()
            .ok_or_else(|| CalibrationError::Stage(name.to_owned(), session.stage()))?;
        if !session.takes_part(&self.me) {
            return Err(CalibrationError::NotInvited {
                session: name.to_owned(),
                reviewer: self.me.clone(),
            }
            .into());
        }
        if !session.opened.what.cases.contains(&case) {
            return Err(CalibrationError::NotInIt { session: name.to_owned(), case }.into());
        }
        Ok(round)
    }

    /// Comments on a case. In a session whose labels are open, that is part of what is said there:
    /// of `session`, or of the only one that is so far with this case. Words that begin with the
    /// name of a question, `scope: …`, are about that question. Returns the session too.
    pub fn comment_about(
        &mut self,
        case: CaseId,
        session: Option<&str>,
        question: Option<&str>,
        text: &str,
    ) -> Result<(Appended, Option<String>), WorkError> {
        let discussed = |one: &Calibration| {
            let of_case = one.stage() == Stage::Discussion && one.opened.what.cases.contains(&case);
            of_case && one.sits_in(&self.me)
        };
        let found = match session {
            Some(name) => Some(self.session(name)?),
            None => {
                let mut open = self.sessions()?.into_iter().filter(discussed);
                open.next().filter(|_| open.next().is_none())
            }
        };
        let Some(session) = found else { return Ok((self.comment(case, text)?, None)) };
        let name = session.name().to_owned();
        if session.stage() != Stage::Discussion {
            return Err(CalibrationError::Stage(name, session.stage()).into());
        }
        if !session.opened.what.cases.contains(&case) {
            return Err(CalibrationError::NotInIt { session: name, case }.into());
        }
        let protocols = self.protocols()?;
        let known = |id: &str| {
            protocols.in_force().iter().any(|published| published.protocol.question(id).is_some())
        };
        let named = text.split_once(':').filter(|(id, _)| question.is_none() && known(id.trim()));
        let (question, text) =
            named.map_or((question, text), |(id, rest)| (Some(id.trim()), rest.trim()));
        if is_blank(text) {
            return Err(RulingError::NoRationale.into());
        }
        let (question, text) = (question.map(str::to_owned), text.to_owned());
        let said = CaseCommented { case, text, question, session: Some(name.clone()) };
        Ok((self.append(vec![Append::new(&said)])?, Some(name)))
    }

    /// What a session found, once its first round is over.
    pub fn findings(&self, name: &str) -> Result<Findings, WorkError> {
        let session = self.session(name)?;
        if !session.stage().is_revealed() {
            return Err(CalibrationError::Stage(name.to_owned(), session.stage()).into());
        }
        let protocols = self.protocols()?;
        let conn = &self.db.conn;
        let mut findings = calibration::findings(conn, &session, &protocols, &protocols.policy)?;
        let paths = views::estimate_of(conn, &protocols.policy)?.and_then(|of| of.paths);
        let (figures, reviewers) = (self.figures()?, session.reviewers());
        let diverged = |question: &str| {
            findings.questions.iter().any(|of| of.question == question && of.first_diverged > 0)
        };
        let mut right_at = paths.as_ref().map(RightAt::all).unwrap_or_default();
        right_at.retain(|one| {
            diverged(&one.question)
                && reviewers.contains(&one.reviewer.as_str())
                && figures.shows([one.reviewer.as_str()])
        });
        findings.right_at = right_at;
        Ok(findings)
    }

    /// Every label of a session that may be seen, of both rounds, in the order given.
    pub fn session_labels(&self, session: &Calibration) -> Result<Vec<GivenLabel>, WorkError> {
        let mut all = Vec::new();
        if session.stage().is_revealed() {
            all.extend(calibration::labels(&self.db.conn, session, 0)?);
            all.extend(calibration::labels(&self.db.conn, session, 1)?);
        }
        all.sort_by_key(|given| (given.at, given.event));
        Ok(all)
    }

    /// Files that a session proposes: protocols with an example for every case that was split and
    /// is not any more, and the glossary with these as examples of the terms that were agreed on,
    /// as counter-examples of those that were dropped, and the reasons as snippets. Each was
    /// checked as if it were to be published.
    pub fn proposals(&mut self, name: &str) -> Result<Proposed, WorkError> {
        let findings = self.findings(name)?;
        let protocols = self.protocols()?;
        let mut proposed = Proposed::default();
        let mut reasons: Vec<&Settled> = Vec::new();
        let mut glossary = Proposal {
            name: GLOSSARY.to_owned(),
            text: protocols.glossary.source.clone(),
            added: 0,
        };
        for settled in &findings.settled {
            let input = self.input_of(settled.case)?;
            let Some((input, published)) = input
                .as_ref()
                .and_then(|(stream, text)| Some((text, protocols.for_stream(stream)?)))
            else {
                proposed.left_out.push((settled.case, "its input is not here any more"));
                continue;
            };
            with_examples_of(&mut glossary, settled, input);
            if settled.why.is_empty() {
                proposed.left_out.push((
                    settled.case,
                    "nobody said why: no rationale, and no comment on the question",
                ));
                continue;
            }
            reasons.push(settled);
            if !proposed.with_example(&published.protocol, settled, input) {
                let words = "its question takes no such example: write it yourself";
                proposed.left_out.push((settled.case, words));
            }
        }
        proposed.files.retain(|file| file.added > 0);
        for published in protocols.in_force() {
            let protocol = &published.protocol;
            let is_proposed =
                proposed.files.iter().any(|file| file.name == format!("{}.toml", protocol.id));
            if let (true, Some(LabelSource::File(name))) =
                (is_proposed, label_source(&protocol.source))
            {
                let text = protocol.labels.iter().map(|label| label.line() + "\n").collect();
                proposed.files.push(Proposal { name, text, added: 0 });
            }
        }
        with_snippets(&mut glossary, name, &reasons);
        proposed.files.extend((glossary.added > 0).then_some(glossary));
        Ok(proposed)
    }

    /// The stream of a case, and its input as text.
    fn input_of(&mut self, id: CaseId) -> Result<Option<(String, String)>, WorkError> {
        let Some(row) = case::by_id(&self.db.conn, id)? else { return Ok(None) };
        let stream = row.stream.clone();
        Ok(self.open_case(row)?.prediction.map(|prediction| (stream, prediction.text())))
    }
}

/// What the file of the proposed glossary is called.
pub const GLOSSARY: &str = "glossary.toml";
/// Longer inputs make no example in a glossary: characters.
const EXAMPLE_MAX: usize = 200;

/// What a session proposes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposed {
    pub files: Vec<Proposal>,
    /// Settled cases of which no example of a protocol was made, with the reason.
    pub left_out: Vec<(CaseId, &'static str)>,
}

impl Proposed {
    /// Adds an example to the file of a protocol; not if it would not walk as it says.
    fn with_example(&mut self, protocol: &Protocol, settled: &Settled, input: &str) -> bool {
        let file = format!("{}.toml", protocol.id);
        let at =
            self.files.iter().position(|proposal| proposal.name == file).unwrap_or_else(|| {
                self.files.push(Proposal { name: file, text: protocol.source.clone(), added: 0 });
                self.files.len() - 1
            });
        let Settled { question, answer, why, .. } = settled.clone();
        let example = NewExample { question, input: input.to_owned(), answer, why };
        let Some(text) = with_example(&self.files[at].text, &example) else { return false };
        let labels: Vec<String> = protocol.labels.iter().map(|label| label.line()).collect();
        let labels =
            matches!(label_source(&text), Some(LabelSource::File(_))).then(|| labels.join("\n"));
        let walks = parse_strictly(&text, labels.as_deref()).is_ok();
        if walks {
            (self.files[at].text, self.files[at].added) = (text, self.files[at].added + 1);
        }
        walks
    }
}

/// The input as an example of what all say it is, and as a counter-example of what some had taken
/// it for.
fn with_examples_of(glossary: &mut Proposal, settled: &Settled, input: &str) {
    if input.chars().count() > EXAMPLE_MAX {
        return;
    }
    let Ok(terms) = Glossary::parse(&glossary.text).map(|glossary| glossary.terms) else { return };
    for (values, kind) in
        [(&settled.agreed, Kind::Example), (&settled.dropped, Kind::CounterExample)]
    {
        for term in terms.iter().filter(|term| values.iter().any(|value| term.is_called(value))) {
            if let Some(text) = with_example_of(&glossary.text, &term.id, kind, input) {
                (glossary.text, glossary.added) = (text, glossary.added + 1);
            }
        }
    }
}

/// The glossary with reasons as snippets to begin a rationale with.
fn with_snippets(glossary: &mut Proposal, session: &str, reasons: &[&Settled]) {
    let mut known: Vec<String> = Glossary::parse(&glossary.text)
        .map(|glossary| glossary.snippets.into_iter().map(|snippet| snippet.text).collect())
        .unwrap_or_default();
    for (n, settled) in (1..).zip(reasons) {
        if known.contains(&settled.why) {
            continue;
        }
        known.push(settled.why.clone());
        let quoted = toml::Value::String(settled.why.clone()).to_string();
        let more = format!(
            "{}\n[[snippet]]\nid = \"{session}-{}-{n}\"\ntext = {quoted}\n",
            glossary.text, settled.question
        );
        if Glossary::parse(&more).is_ok() {
            (glossary.text, glossary.added) = (more, glossary.added + 1);
        }
    }
}
