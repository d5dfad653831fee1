//! A label in the making: answers so far, checks, confidence, tags, rationale, evidence. The same
//! for the screen and for the command.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{OpenCase, Precedent, Protocols, Published};
use crate::db::case::CaseRow;
use crate::domain::cues::{Cue, Seen};
use crate::domain::ids::CaseId;
use crate::domain::label::{Label, Outcome, Step};
use crate::domain::modality;
use crate::domain::policy::Policy;
use crate::domain::protocol::replay::translated;
use crate::domain::protocol::walk::rejects_prediction;
use crate::domain::protocol::{Places, Protocol, Question, QuestionKind, Span, Walked, walk};
use crate::domain::require::{Facts, Occasion, Requirement, Wanted};

/// Fields that are named whose file was not to be seen; more are counted.
const UNSEEN_MAX: usize = 20;

/// What a reviewer has begun on one case. Kept on disk as it is typed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub answers: Vec<Step>,
    /// A question of several answers that is being answered, and what is ticked so far.
    pub pending: Option<Step>,
    pub checked: Vec<String>,
    pub confidence: Option<u8>,
    pub tags: Vec<String>,
    pub rationale: String,
    pub evidence: Places,
    pub cites: Vec<CaseId>,
    /// What was on the screen before the first answer; none before there is one.
    pub seen_first: Option<Vec<Cue>>,
    /// What was on the screen so far.
    pub seen: Vec<Cue>,
    /// Of each two answers to be compared, the field that stood first.
    pub stood_first: Vec<String>,
    /// Fields whose file was not there to be seen as it was meant, so far.
    pub unseen_files: Vec<String>,
    /// How many more of them there were.
    pub unseen_more: usize,
    /// Milliseconds spent on it so far.
    pub spent_ms: u64,
}

/// What a label is given on and under.
#[derive(Debug, Clone, Copy)]
pub struct LabelContext<'a> {
    pub case: &'a CaseRow,
    pub published: &'a Published,
    pub policy: &'a Policy,
    pub reviewer: &'a str,
    pub round: &'a str,
    /// The case in full, if it can be read: nothing is marked beyond its texts.
    pub open: Option<&'a OpenCase>,
    /// What the model said is hidden: nothing may give it away.
    pub blind: bool,
}

impl<'a> LabelContext<'a> {
    /// What a label of a case that is open is given on and under.
    pub fn of(
        open: &'a OpenCase,
        published: &'a Published,
        policy: &'a Policy,
        reviewer: &'a str,
    ) -> Self {
        let blind = open.hides(&policy.hide, Cue::Prediction, true);
        let full = open.prediction.as_ref().map(|_| open);
        Self {
            case: &open.row,
            published,
            policy,
            reviewer,
            round: open.round(),
            open: full,
            blind,
        }
    }
}

impl LabelContext<'_> {
    /// What the model said, by the names of today, as outcomes are.
    fn predicted(&self) -> Option<&str> {
        let names = &self.published.protocol.renames.labels;
        self.case.predicted.as_ref().map(|said| names.get(said).unwrap_or(said).as_str())
    }
}

/// Texts that are named where another was meant.
const TEXTS_NAMED: usize = 12;
/// What snippets fill in beside the fields of an outcome.
const FILLED_IN: &[&str] = &["prediction", "case", "id", "stream", "reviewer"];

/// The first place of a snippet that a rationale still has, as `{label}`.
fn unfilled(protocol: &Protocol, rationale: &str) -> Option<String> {
    let mut rest = rationale;
    while let Some((_, after)) = rest.split_once('{') {
        let (name, _) = after.split_once('}')?;
        let is_field = || protocol.fields().any(|field| field == name);
        if FILLED_IN.contains(&name) || is_field() {
            return Some(name.to_owned());
        }
        rest = after;
    }
    None
}

/// The first thing that is wanted before a draft can be submitted.
#[derive(Debug, Clone, PartialEq)]
pub enum Missing {
    Question(String),
    /// An answer that the question does not take.
    Stuck {
        question: String,
        answer: String,
        wanted: String,
    },
    Check {
        id: String,
        text: String,
        why: String,
    },
    /// The policy wants it.
    Wanted {
        wanted: Wanted,
        why: String,
    },
    /// The path sets a required field to what the model said, and it said nothing.
    Unset(String),
    /// The label that was said to be right is the prediction, which was said to be wrong.
    Contradicts {
        question: String,
        label: String,
    },
    /// The rationale has a place that a snippet left to be filled in.
    Unfilled(String),
    /// A place that a text of the case does not have.
    Outside {
        text: String,
        span: Span,
        chars: usize,
    },
    /// A text that the case does not have, in which something is marked.
    NoText {
        text: String,
        /// Those that it has.
        texts: Vec<String>,
    },
}

/// The first place that is in no text of the case.
fn outside(places: &Places, open: &OpenCase) -> Option<Missing> {
    if places.is_empty() {
        return None;
    }
    let parts = open.parts(|_| false);
    let texts = modality::texts(&parts);
    places.texts().find_map(|(name, spans)| {
        let Some((_, text)) = texts.iter().find(|(known, _)| known == name) else {
            let texts = texts.iter().map(|(name, _)| name.clone()).collect();
            return Some(Missing::NoText { text: name.to_owned(), texts });
        };
        let chars = text.chars().count();
        let span = *spans.iter().find(|span| span.end > chars)?;
        Some(Missing::Outside { text: name.to_owned(), span, chars })
    })
}

impl Draft {
    /// The draft that a label was submitted from.
    pub fn of(label: &Label) -> Self {
        Self {
            answers: label.path.clone(),
            pending: None,
            checked: label.checked.clone(),
            confidence: label.confidence,
            tags: label.tags.clone(),
            rationale: label.rationale.clone(),
            evidence: label.places(),
            cites: label.cites.clone(),
            seen_first: label.seen.as_ref().map(|seen| seen.first.clone()),
            seen: label.seen.as_ref().map(|seen| seen.all.clone()).unwrap_or_default(),
            stood_first: label.seen.as_ref().map(|s| s.stood_first.clone()).unwrap_or_default(),
            unseen_files: label.seen.as_ref().map(|s| s.unseen_files.clone()).unwrap_or_default(),
            unseen_more: label.seen.as_ref().map(|s| s.unseen_more).unwrap_or_default(),
            spent_ms: label.duration_ms.unwrap_or(0),
        }
    }

    /// The same, with its answers by the names of the last of `chain`: the versions that came after
    /// the label's.
    pub fn renewed(label: &Label, chain: &[&Protocol]) -> Self {
        Self { answers: translated(chain, &label.path), ..Self::of(label) }
    }

    /// Where a case is begun: what was kept of it; else, in a second round, what was said in the
    /// first; else what was submitted, to look at. By the names of today.
    pub fn begin(kept: Option<Self>, case: &OpenCase, protocols: &Protocols) -> Self {
        let draft = kept.unwrap_or_default();
        let renewed = |label: &Label| Self::renewed(label, &protocols.after(&label.protocol));
        match (&case.before, &case.mine) {
            _ if !draft.is_empty() => draft,
            // Submitting it as it stands says the same again.
            (Some(before), None) => Self { spent_ms: 0, ..renewed(&before.label) },
            (_, Some(mine)) => renewed(&mine.label),
            (None, None) => draft,
        }
    }

    /// Takes note of what was seen up to now.
    pub fn keep_seen(
        &mut self,
        seen: &BTreeSet<Cue>,
        stood_first: Vec<String>,
        unseen: Vec<String>,
    ) {
        let union = |before: &mut Vec<String>, now: Vec<String>| {
            let all: BTreeSet<String> = before.drain(..).chain(now).collect();
            before.extend(all);
        };
        union(&mut self.stood_first, stood_first);
        union(&mut self.unseen_files, unseen);
        self.unseen_more = self.unseen_more.max(self.unseen_files.len().saturating_sub(UNSEEN_MAX));
        self.unseen_files.truncate(UNSEEN_MAX);
        let all: BTreeSet<Cue> = self.seen.iter().copied().chain(seen.iter().copied()).collect();
        self.seen = all.into_iter().collect();
        if self.seen_first.is_none() && self.answers.is_empty() {
            self.seen_first = Some(self.seen.clone());
        }
    }

    /// Whether there is anything to lose.
    pub fn is_empty(&self) -> bool {
        let Self {
            answers, pending, checked, confidence, tags, rationale, evidence, cites, ..
        } = self;
        answers.is_empty()
            && pending.is_none()
            && checked.is_empty()
            && confidence.is_none()
            && tags.is_empty()
            && rationale.is_empty()
            && evidence.is_empty()
            && cites.is_empty()
    }

    /// The question to be answered next, if the path has not ended.
    pub fn question<'p>(&self, protocol: &'p Protocol) -> Option<&'p Question> {
        match walk(protocol, &self.answers).end {
            Walked::Asks(question) | Walked::Stuck { question, .. } => Some(question),
            Walked::Ends(_) => None,
        }
    }

    /// The question to be answered next under a published protocol.
    pub fn question_of<'p>(&self, published: Option<&'p Published>) -> Option<&'p Question> {
        self.question(&published?.protocol)
    }

    /// The answers that count, in the order asked.
    pub fn path(&self, protocol: &Protocol) -> Vec<Step> {
        walk(protocol, &self.answers).path
    }

    /// What was answered to a question, whether the path comes to it or not.
    pub fn answer_to(&self, question: &str) -> Option<&str> {
        self.answers.iter().find(|(id, _)| id == question).map(|(_, answer)| answer.as_str())
    }

    /// What was begun in answer to a question, or else answered before.
    pub fn begun(&self, question: &str) -> Option<&str> {
        let pending = self
            .pending
            .as_ref()
            .filter(|(id, _)| id == question)
            .map(|(_, answer)| answer.as_str());
        pending.or_else(|| self.answer_to(question))
    }

    /// Gives an answer, over an earlier one to the same question. Answers further on are kept, in
    /// case the path comes to them again.
    pub fn answer(&mut self, question: &str, answer: &str) {
        if self.pending.as_ref().is_some_and(|(id, _)| id == question) {
            self.pending = None;
        }
        self.answers.retain(|(id, _)| id != question);
        self.answers.push((question.to_owned(), answer.to_owned()));
    }

    /// Takes back the answer at `step` of the path, and those after it.
    pub fn take_back(&mut self, protocol: &Protocol, step: usize) {
        let path = self.path(protocol);
        // What took more than a key to give stays there, to be mended.
        let more_than_a_key = |(id, _): &&Step| {
            let kind = protocol.question(id).map(|question| &question.kind);
            !matches!(
                kind,
                None | Some(
                    QuestionKind::Choice(_)
                        | QuestionKind::Label { .. }
                        | QuestionKind::Scale { .. }
                )
            )
        };
        if let Some(taken) = path.get(step).filter(more_than_a_key) {
            self.pending = Some(taken.clone());
        }
        let kept: Vec<&String> = path.iter().take(step).map(|(id, _)| id).collect();
        self.answers.retain(|(id, _)| kept.contains(&id));
    }

    /// Refers to an earlier case in the rationale, or no longer; says whether it does now.
    pub fn cite(&mut self, precedent: &Precedent) -> bool {
        let (case, citation) = (precedent.case, precedent.citation());
        if self.cites.contains(&case) {
            self.cites.retain(|other| *other != case);
            self.rationale = self.rationale.replacen(&citation, "", 1).trim_end().to_owned();
            return false;
        }
        self.cites.push(case);
        let between = if self.rationale.is_empty() || self.rationale.ends_with([' ', '\n']) {
            ""
        } else {
            " "
        };
        self.rationale = format!("{}{between}{citation}", self.rationale);
        true
    }

    pub fn toggle_check(&mut self, id: &str) {
        match self.checked.iter().position(|checked| checked == id) {
            Some(at) => drop(self.checked.remove(at)),
            None => self.checked.push(id.to_owned()),
        }
    }

    /// The outcome, once the path has ended.
    pub fn outcome(&self, protocol: &Protocol, predicted: Option<&str>) -> Option<Outcome> {
        match walk(protocol, &self.answers).end {
            Walked::Ends(outcome) => Some(protocol.outcome(outcome, predicted)),
            Walked::Asks(_) | Walked::Stuck { .. } => None,
        }
    }

    /// The same, as it may be shown: while what the model said is `hidden`, what stands for it is
    /// left open.
    pub fn outcome_shown(
        &self,
        protocol: &Protocol,
        predicted: Option<&str>,
        hidden: bool,
    ) -> Option<Outcome> {
        match walk(protocol, &self.answers).end {
            Walked::Ends(outcome) if hidden => Some(outcome),
            _ => self.outcome(protocol, predicted),
        }
    }

    /// Every place that is marked: as evidence, or in answer to a question of the path.
    pub fn places(&self, protocol: &Protocol) -> Places {
        let mut places = self.evidence.clone();
        for (id, answer) in self.path(protocol) {
            if protocol
                .question(&id)
                .is_some_and(|question| matches!(question.kind, QuestionKind::Span { .. }))
            {
                places.add(Places::parse(&answer).unwrap_or_default());
            }
        }
        places
    }

    /// What is still wanted; nothing if the draft can be submitted.
    pub fn missing(&self, asked: &LabelContext<'_>) -> Option<Missing> {
        let protocol = &asked.published.protocol;
        let outcome = match walk(protocol, &self.answers).end {
            Walked::Asks(question) => return Some(Missing::Question(question.id.clone())),
            Walked::Stuck { question, answer } => {
                return Some(Missing::Stuck {
                    question: question.id.clone(),
                    answer,
                    wanted: question.wanted(),
                });
            }
            Walked::Ends(outcome) => protocol.outcome(outcome, asked.case.predicted.as_deref()),
        };
        if let Some(field) = protocol.required.iter().find(|field| !outcome.contains_key(*field)) {
            return Some(Missing::Unset(field.clone()));
        }
        // While the prediction is hidden, that something contradicts it would tell what it is.
        let predicted = asked.predicted().filter(|_| !asked.blind);
        if let Some((question, label)) = self.contradiction(protocol, predicted) {
            return Some(Missing::Contradicts { question, label });
        }
        if let Some(name) = unfilled(protocol, &self.rationale) {
            return Some(Missing::Unfilled(name));
        }
        let places = self.places(protocol);
        if let Some(missing) = asked.open.and_then(|open| outside(&places, open)) {
            return Some(missing);
        }
        let unchecked = protocol
            .checklist
            .iter()
            .find(|item| item.required && !self.checked.contains(&item.id));
        if let Some(item) = unchecked {
            return Some(Missing::Check {
                id: item.id.clone(),
                text: item.text.clone(),
                why: String::new(),
            });
        }
        let facts = Facts {
            outcome: &outcome,
            predicted: asked.predicted(),
            confidence: self.confidence,
            rationale: &self.rationale,
            marked: !places.is_empty(),
            checked: &self.checked,
        };
        // Whether it overrides would tell what the model said: while that is hidden, it is wanted
        // in any case.
        let blind = |rule: &Requirement| asked.blind && rule.occasion == Occasion::Override;
        let always = |rule: &Requirement| {
            Requirement { occasion: Occasion::Always, ..rule.clone() }.is_unmet(&facts)
        };
        let why = |rule: &Requirement| match rule.occasion {
            Occasion::Override if asked.blind => "the policy wants it here".to_owned(),
            _ => rule.occasion.why(),
        };
        let unmet = asked
            .policy
            .require
            .iter()
            .filter(|rule| if blind(rule) { always(rule) } else { rule.is_unmet(&facts) });
        unmet.map(|rule| (&rule.wanted, why(rule))).find_map(|(wanted, why)| match wanted {
            // An item that this protocol does not have can't be ticked.
            Wanted::Check(id) => {
                let item = protocol.checklist.iter().find(|item| item.id == *id)?;
                Some(Missing::Check { id: id.clone(), text: item.text.clone(), why })
            }
            wanted => Some(Missing::Wanted { wanted: wanted.clone(), why }),
        })
    }

    /// The question that was answered with the prediction though it was said to be wrong.
    fn contradiction(
        &self,
        protocol: &Protocol,
        predicted: Option<&str>,
    ) -> Option<(String, String)> {
        let path = self.path(protocol);
        let (id, label) = path.iter().find(|(id, answer)| {
            Some(answer.as_str()) == predicted
                && protocol
                    .question(id)
                    .is_some_and(|question| rejects_prediction(protocol, &path, question))
        })?;
        Some((id.clone(), label.clone()))
    }

    /// The label, if nothing is missing.
    pub fn label(&self, asked: &LabelContext<'_>) -> Result<Label, Missing> {
        let LabelContext { case, published, reviewer, round, .. } = *asked;
        let protocol = &published.protocol;
        if let Some(missing) = self.missing(asked) {
            return Err(missing);
        }
        let (evidence, evidence_in) = self.evidence.apart();
        let known = |id: &&String| protocol.checklist.iter().any(|item| item.id == **id);
        Ok(Label {
            path: self.path(protocol),
            outcome: self.outcome(protocol, case.predicted.as_deref()).unwrap_or_default(),
            checked: self.checked.iter().filter(known).cloned().collect(),
            confidence: self.confidence,
            tags: self.tags.clone(),
            rationale: self.rationale.trim_end().to_owned(),
            evidence,
            evidence_in,
            cites: self.cites.clone(),
            seen: self.seen_first.clone().map(|first| Seen {
                first,
                all: self.seen.clone(),
                stood_first: self.stood_first.clone(),
                unseen_files: self.unseen_files.clone(),
                unseen_more: self.unseen_more,
            }),
            duration_ms: (self.spent_ms > 0).then_some(self.spent_ms),
            ..Label::empty(case.id, reviewer, round, published.reference.clone())
        })
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Question(id) => write!(f, "the question `{id}` is not answered"),
            Self::Stuck { question, answer, wanted } => {
                write!(f, "`{answer}` is no answer to `{question}`, which takes {wanted}")
            }
            Self::Check { id, text, why } if why.is_empty() => {
                write!(f, "not checked: {text} ({id})")
            }
            Self::Check { id, text, why } => write!(f, "not checked: {text} ({id}); {why}"),
            Self::Wanted { wanted: Wanted::Rationale, why } => write!(f, "the rationale: {why}"),
            Self::Wanted { wanted: Wanted::Confidence, why } => {
                write!(f, "how sure you are: {why}")
            }
            Self::Wanted { wanted: Wanted::Span, why } => {
                write!(f, "a place that is marked: {why}")
            }
            Self::Wanted { wanted: Wanted::Check(id), why } => write!(f, "the check `{id}`: {why}"),
            Self::Unset(field) => write!(
                f,
                "these answers take `{field}` from the model, which said nothing: take one back"
            ),
            Self::Contradicts { question, label } => write!(
                f,
                "`{question}` says that {label} is right, which the model said and you said is wrong: take one back"
            ),
            Self::Unfilled(name) => {
                write!(f, "the rationale still has {{{name}}}, which is to be filled in")
            }
            Self::Outside { text, span, chars } => {
                write!(f, "the place {span} is not in `{text}`, which has {chars} characters")
            }
            Self::NoText { text, texts } => {
                let texts = texts.iter().take(TEXTS_NAMED).cloned().collect::<Vec<_>>().join(", ");
                write!(f, "the case has no text `{text}` to mark: it has {texts}")
            }
        }
    }
}
