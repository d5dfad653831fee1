//! The guide: what a person answers to the question that is asked, and does to the label in the
//! making.

use super::effect::{Effect, Look};
use super::open_case::Opened;
use super::state::Session;
use super::window::{ToMark, Window};
use crate::domain::cues::Cue;
use crate::domain::glossary::Snippet;
use crate::domain::ids::CaseId;
use crate::domain::long_text::{Ask, Page};
use crate::domain::protocol::Places;
use crate::domain::protocol::{Question, QuestionKind};
use crate::domain::require::Wanted;
use crate::review::{LabelContext, Missing, Precedent};

impl Session {
    /// Answers the question that is asked.
    pub fn answer(&mut self, answer: &str) -> Vec<Effect> {
        let Some(question) = self
            .opened
            .as_ref()
            .and_then(|opened| opened.question())
            .map(|question| question.id.clone())
        else {
            return Vec::new();
        };
        self.answer_to(&question, answer)
    }

    /// Answers a question, if it takes that.
    pub fn answer_to(&mut self, id: &str, answer: &str) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        let Some(question) = opened.protocol().and_then(|protocol| protocol.question(id)) else {
            return Vec::new();
        };
        let takes = opened.protocol().and_then(|protocol| {
            crate::domain::protocol::walk::accepts(protocol, question, answer)
        });
        if takes.is_none() {
            let words = format!("This question takes {}.", question.wanted());
            return self.say(&words);
        }
        if opened.is_rejected(question, answer) {
            let words = format!("The model said {answer}, and you said that it is wrong.");
            return self.say_with(&words, "{take-back} takes an answer back.");
        }
        opened.keep_seen();
        // Another answer in a second round is not borne out by why the first was given.
        let before = opened
            .case
            .before
            .as_ref()
            .filter(|_| opened.draft.answer_to(id) != Some(answer))
            .map(|given| given.label.rationale.clone());
        let mut effects = self.change_draft(|draft| {
            draft.answer(id, answer);
            if before.is_some_and(|why| why == draft.rationale) {
                draft.rationale.clear();
            }
        });
        effects.push(Effect::Look(Look::Question));
        let wanted = self.auto_submit || self.protocols.policy.auto_submit;
        let is_ruling = self.opened.as_ref().is_some_and(|opened| opened.ruling);
        if wanted && !is_ruling && self.missing().is_none() {
            effects.extend(self.submit());
        }
        effects
    }

    /// Keeps what is typed in answer to the question, before it is given.
    pub fn keep_pending(&mut self, text: &str) -> Vec<Effect> {
        let Some(id) =
            self.opened.as_ref().and_then(Opened::question).map(|question| question.id.clone())
        else {
            return Vec::new();
        };
        self.change_draft(|draft| draft.pending = Some((id, text.to_owned())))
    }

    /// Ticks one of several answers, or takes the tick away.
    pub fn tick(&mut self, key: &str) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        let Some(question) = opened.question() else { return Vec::new() };
        let id = question.id.clone();
        let order: Vec<String> =
            question.kind.answers().iter().map(|answer| answer.key.clone()).collect();
        let mut ticked = opened.ticked();
        match ticked.iter().position(|one| one == key) {
            Some(at) => drop(ticked.remove(at)),
            None => ticked.push(key.to_owned()),
        }
        ticked.sort_by_key(|key| order.iter().position(|other| other == key));
        opened.keep_seen();
        self.change_draft(|draft| draft.pending = Some((id, ticked.join(","))))
    }

    pub fn submit(&mut self) -> Vec<Effect> {
        let now = self.now;
        if self.moderates() {
            return self.hint("You moderate this session and label nothing in it: {sessions}, then {add-people} with your own name, lets you take part.");
        }
        let Some(opened) = &mut self.opened else { return Vec::new() };
        if opened.sending {
            return Vec::new();
        }
        if opened.ruling && opened.ended() {
            // Why it is ruled so is asked in the window.
            return vec![Effect::Dispute { case: opened.case.row.id }];
        }
        opened.keep_seen();
        let Some(published) = &opened.published else { return Vec::new() };
        let mut draft = opened.draft.clone();
        draft.spent_ms += (now.0 - opened.since.0).max(0) as u64;
        let asked = LabelContext::of(&opened.case, published, &self.protocols.policy, &self.me);
        match draft.label(&asked) {
            Ok(label) if self.training.is_some() => self.trained(label),
            Ok(label) => self.send(label),
            Err(missing) => self.go_to(missing),
        }
    }

    /// What is still wanted of the open case before it can be submitted.
    pub fn missing(&self) -> Option<Missing> {
        let opened = self.opened.as_ref()?;
        let asked = LabelContext::of(
            &opened.case,
            opened.published.as_ref()?,
            &self.protocols.policy,
            &self.me,
        );
        opened.draft.missing(&asked)
    }

    /// Says what is missing, and goes where it can be given.
    fn go_to(&mut self, missing: Missing) -> Vec<Effect> {
        let mut effects = match &missing {
            Missing::Wanted { wanted: Wanted::Rationale, .. } => self.write_rationale(),
            Missing::Unfilled(_) => self.fill_in_rationale(),
            Missing::Wanted { wanted: Wanted::Span, .. } => self.mark(None),
            Missing::Outside { .. } => vec![Effect::Look(Look::Input)],
            _ => Vec::new(),
        };
        let (words, hint) = match missing {
            Missing::Check { text, .. } => (format!("Not ticked yet: {text}"), "{check} ticks it."),
            Missing::Wanted { wanted: Wanted::Confidence, why } => {
                (format!("How sure are you? {why}"), "{confidence} asks it.")
            }
            missing => (format!("Not yet: {missing}"), ""),
        };
        effects.extend(self.say_with(&words, hint));
        effects
    }

    /// Begins to mark places in the texts of the case: in answer to a question, or as evidence.
    pub fn mark(&mut self, question: Option<&Question>) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let texts = opened.texts();
        if texts.is_empty() {
            return self.say("There is no text in the case to mark.");
        }
        let to_mark = match question {
            Some(question) => {
                let known = opened.draft.begun(&question.id).and_then(Places::parse);
                ToMark {
                    question: Some(question.id.clone()),
                    ask: question.ask.clone(),
                    texts,
                    places: known.unwrap_or_default(),
                }
            }
            None => {
                let ask = "Highlight the evidence".to_owned();
                ToMark { question: None, ask, texts, places: opened.draft.evidence.clone() }
            }
        };
        vec![Effect::Show(Window::Mark(to_mark)), Effect::Look(Look::Reading)]
    }

    /// Looks at what the case brings besides words: at the one after `name`, or before it; without a
    /// name, at the first.
    pub fn look_at(&mut self, name: Option<&str>, by: isize) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let (case, all) = (opened.case.row.id, opened.attachments());
        if all.is_empty() {
            return self.say("The case brings nothing besides words.");
        }
        let known = name.and_then(|name| all.iter().position(|(known, _)| known == name));
        let at = known.map_or(0, |at| (at as isize + by).rem_euclid(all.len() as isize) as usize);
        vec![Effect::LookAt { case, one: Box::new(all[at].clone()) }]
    }

    /// Reads a long text of the case on: one of them, the first that is shown without. While a page is
    /// read, what is asked for last comes next, and nothing between.
    pub fn read_on(&mut self, at: Option<usize>, ask: Ask) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let case = opened.case.row.id;
        let mut all = opened.case.long_texts(|cue| opened.hides(cue)).into_iter();
        let Some((at, name)) = all.find(|(known, _)| at.is_none_or(|at| at == *known)) else {
            return self.say("Every text of the case is shown whole.");
        };
        let text = (at, name.to_owned());
        if let Some(next) = &mut self.reading {
            *next = Some((case, at, ask));
            return Vec::new();
        }
        self.reading = Some(None);
        vec![Effect::ReadOn { case, text, ask }]
    }

    /// Reads the first of them, or the one that was read last where it was left: `by` pages further.
    pub fn go_on_reading(&mut self, by: usize) -> Vec<Effect> {
        let read = self.opened.as_ref().and_then(|opened| opened.page);
        let (at, number) = read.map_or((None, 0), |(at, number)| (Some(at), number + by));
        let mut effects = self.read_on(at, Ask::Page(number));
        if self.reading.is_some() {
            effects.insert(0, Effect::Show(Window::Reading));
        }
        effects
    }

    /// Reads the long text after one, or says that there is no other.
    pub fn read_next_text(&mut self, at: usize) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let all = opened.case.long_texts(|cue| opened.hides(cue));
        let next = all.iter().find(|(known, _)| *known > at).or(all.first());
        match next.map(|(next, _)| *next).filter(|next| *next != at) {
            Some(next) => self.read_on(Some(next), Ask::Page(0)),
            None => self.say("No other text of the case is this long."),
        }
    }

    /// Takes in a page that was read, unless something else was asked for meanwhile.
    pub(super) fn page_read(&mut self, case: CaseId, page: Option<Box<Page>>) -> Vec<Effect> {
        if let Some((wanted, at, ask)) = self.reading.take().flatten()
            && self.open_id() == Some(wanted)
        {
            return self.read_on(Some(at), ask);
        }
        let Some(opened) = self.opened.as_mut().filter(|opened| opened.case.row.id == case) else {
            return vec![Effect::Show(Window::Page(None))]; // it is another case's
        };
        if let Some(page) = page {
            opened.page = Some((page.at, page.number));
            return vec![Effect::Show(Window::Page(Some(page)))];
        }
        // It was erased meanwhile, or something else stands in its place.
        opened.page = None;
        self.say("That text is no longer here.");
        vec![Effect::Show(Window::Page(None)), Effect::Open { id: case }]
    }

    /// Opens an attachment in the person's own program for it.
    pub fn open_outside(&mut self, name: &str) -> Vec<Effect> {
        if self.served {
            let case = self.opened.as_ref().map(|opened| opened.case.row.external_id.clone());
            let case = case.unwrap_or_default();
            return self.say(&format!("To open it, fetch it: ssh … attachment {case} N > FILE."));
        }
        let all = self.opened.as_ref().map(Opened::attachments).unwrap_or_default();
        let one = all.into_iter().find(|(known, _)| known == name);
        one.map(|one| Effect::OpenOutside(Box::new(one))).into_iter().collect()
    }

    /// Refers to an earlier case in the rationale.
    pub fn cite(&mut self, precedent: &Precedent) -> Vec<Effect> {
        let mut cited = false;
        let mut effects = self.change_draft(|draft| cited = draft.cite(precedent));
        let case = precedent.case.short();
        effects.extend(self.say(&if cited {
            format!("{case} is cited.")
        } else {
            format!("{case} is no longer cited.")
        }));
        effects
    }

    /// Begins or goes on with the rationale by a snippet.
    pub fn use_snippet(&mut self, id: &str) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let Some(snippet) =
            self.protocols.glossary.snippets.iter().find(|snippet| snippet.id == id)
        else {
            return Vec::new();
        };
        let text = self.filled_in(opened, snippet);
        let mut effects = self.change_draft(|draft| {
            let between = if draft.rationale.is_empty() || draft.rationale.ends_with([' ', '\n']) {
                ""
            } else {
                " "
            };
            draft.rationale = format!("{}{between}{text}", draft.rationale);
        });
        effects.extend(self.write_rationale());
        effects
    }

    /// A snippet with all that is known of the case by now.
    fn filled_in(&self, opened: &Opened, snippet: &Snippet) -> String {
        let row = &opened.case.row;
        let outcome = opened.protocol().and_then(|protocol| opened.outcome(protocol));
        snippet.fill(|name| match name {
            "prediction" => row.predicted.clone().filter(|_| !opened.hides(Cue::Prediction)),
            "case" => Some(row.id.short()),
            "id" => Some(row.external_id.clone()),
            "stream" => Some(row.stream.clone()),
            "reviewer" => Some(self.me.clone()),
            field => outcome.as_ref()?.get(field).map(crate::domain::label::value_text),
        })
    }

    /// Shows the rationale with what a snippet left open filled in, as far as it is known by now.
    fn fill_in_rationale(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let as_snippet = Snippet { id: String::new(), text: opened.draft.rationale.clone() };
        let text = self.filled_in(opened, &as_snippet);
        let mut effects = self.change_draft(|draft| draft.rationale = text);
        effects.extend(self.write_rationale());
        effects
    }

    /// Begins to write why.
    pub fn write_rationale(&mut self) -> Vec<Effect> {
        match &self.opened {
            Some(opened) => vec![Effect::Show(Window::Rationale(opened.draft.rationale.clone()))],
            None => self.say("No case is open."),
        }
    }

    /// Gives one answer, or ticks it where there may be several.
    pub(super) fn give(&mut self, answer: &str) -> Vec<Effect> {
        let several = |question: &Question| matches!(question.kind, QuestionKind::Multi { .. });
        let several = self.opened.as_ref().and_then(Opened::question).is_some_and(several);
        if several { self.tick(answer) } else { self.answer(answer) }
    }

    /// Says how sure the person is; said again, it is taken back.
    pub fn set_confidence(&mut self, sure: u8) -> Vec<Effect> {
        self.change_draft(|draft| {
            draft.confidence = if draft.confidence == Some(sure) { None } else { Some(sure) }
        })
    }

    /// Takes back the last answer.
    pub fn take_back(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let Some(protocol) = opened.protocol().cloned() else { return Vec::new() };
        let steps = opened.draft.path(&protocol).len();
        if steps == 0 {
            return self.hint("Nothing is answered yet. {undo} takes back what you did last.");
        }
        self.change_draft(|draft| draft.take_back(&protocol, steps - 1))
    }

    /// Ticks the next item of the checklist; after the last, none is ticked.
    pub fn check(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let items: Vec<String> = opened
            .protocol()
            .map(|p| p.checklist.iter().map(|item| item.id.clone()).collect())
            .unwrap_or_default();
        if items.is_empty() {
            return self.say("This protocol has no checklist.");
        }
        self.change_draft(|draft| match items.iter().find(|id| !draft.checked.contains(id)) {
            Some(next) => draft.toggle_check(next),
            None => draft.checked.clear(),
        })
    }

    /// Cites the likest resolved case, once one was found.
    pub fn cite_first(&mut self) -> Vec<Effect> {
        let opened = self.opened.as_ref().filter(|opened| !opened.hides(Cue::Precedents));
        let first = opened.and_then(|opened| opened.precedents.as_ref()?.first().cloned());
        match first {
            Some(first) => self.cite(&first),
            None => self.show_precedents(),
        }
    }

    /// Resolved cases like the open one.
    pub fn show_precedents(&mut self) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return self.say("No case is open.") };
        if opened.hides(Cue::Precedents) {
            return self.say("The policy hides cases like this one for now.");
        }
        match &opened.precedents {
            None => self.say("Cases like this one are being looked for; ask again."),
            Some(rows) if rows.is_empty() => self.say("No resolved case is like this one."),
            Some(rows) => vec![Effect::Show(Window::Precedents(rows.clone()))],
        }
    }
}
