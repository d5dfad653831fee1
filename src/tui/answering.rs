//! Answering: what keys do to the question that is asked, and to the label in the making.

use super::app::App;
use super::edit::Edit;
use super::effect::Effect;
use super::key::KeyPress;
use super::opened::Opened;
use super::overlay::pick::Choice;
use super::overlay::{Mark, Overlay, Pick, PickKind, Prompt, PromptKind};
use crate::domain::cues::Cue;
use crate::domain::protocol::{Question, QuestionKind};
use crate::domain::require::Wanted;
use crate::review::{Asked, Missing, Precedent};

impl App {
    /// Answers the question that is asked.
    pub fn answer(&mut self, answer: &str) -> Vec<Effect> {
        let Some(question) = self.opened.as_ref().and_then(|opened| opened.question()).map(|question| question.id.clone()) else {
            return Vec::new();
        };
        self.answer_to(&question, answer)
    }

    /// Answers a question, if it takes that.
    pub fn answer_to(&mut self, id: &str, answer: &str) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        let Some(question) = opened.protocol().and_then(|protocol| protocol.question(id)) else { return Vec::new() };
        let takes = opened.protocol().and_then(|protocol| crate::domain::protocol::walk::accepts(protocol, question, answer));
        if takes.is_none() {
            let words = format!("This question takes {}.", question.wanted());
            return self.say(&words);
        }
        opened.guide_scroll = 0;
        opened.keep_seen();
        // Another answer in a second round is not borne out by why the first was given.
        let before = opened
            .case
            .before
            .as_ref()
            .filter(|_| opened.draft.answer_to(id) != Some(answer))
            .map(|given| given.label.rationale.clone());
        self.change_draft(|draft| {
            draft.answer(id, answer);
            if before.is_some_and(|why| why == draft.rationale) {
                draft.rationale.clear();
            }
        })
    }

    /// Keeps what is typed in answer to the question, before it is given.
    pub(super) fn keep_pending(&mut self, text: &str) -> Vec<Effect> {
        let Some(id) = self.opened.as_ref().and_then(Opened::question).map(|question| question.id.clone()) else {
            return Vec::new();
        };
        self.change_draft(|draft| draft.pending = Some((id, text.to_owned())))
    }

    /// Ticks one of several answers, or takes the tick away.
    pub fn tick(&mut self, key: &str) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        let Some(question) = opened.question() else { return Vec::new() };
        let id = question.id.clone();
        let order: Vec<String> = question.kind.answers().iter().map(|answer| answer.key.clone()).collect();
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
        let asked = Asked::of(&opened.case, published, &self.protocols.policy, &self.me);
        match draft.label(&asked) {
            Ok(label) if self.training.is_some() => self.trained(label),
            Ok(label) => self.send(label),
            Err(missing) => self.go_to(missing),
        }
    }

    /// What is still wanted of the open case before it can be submitted.
    pub fn missing(&self) -> Option<Missing> {
        let opened = self.opened.as_ref()?;
        let asked = Asked::of(&opened.case, opened.published.as_ref()?, &self.protocols.policy, &self.me);
        opened.draft.missing(&asked)
    }

    /// Says what is missing, and goes where it can be given.
    fn go_to(&mut self, missing: Missing) -> Vec<Effect> {
        let mut effects = match &missing {
            Missing::Wanted { wanted: Wanted::Rationale, .. } => {
                rationale(self, KeyPress::plain(crossterm::event::KeyCode::Enter))
            }
            Missing::Wanted { wanted: Wanted::Span, .. } => self.mark(None),
            Missing::Outside { .. } => self.show_tab(super::opened::Tab::Input),
            _ => Vec::new(),
        };
        let words = match missing {
            Missing::Check { text, .. } => format!("Not ticked yet (x): {text}"),
            Missing::Wanted { wanted: Wanted::Confidence, why } => format!("How sure are you? 1 a guess, 5 certain: {why}"),
            missing => format!("Not yet: {missing}"),
        };
        effects.extend(self.say(&words));
        effects
    }

    /// Begins to mark places in the input: in answer to a question, or as evidence.
    pub fn mark(&mut self, question: Option<&Question>) -> Vec<Effect> {
        let Some(opened) = &mut self.opened else { return Vec::new() };
        let text = opened.case.prediction.as_ref().map(|prediction| prediction.text()).unwrap_or_default();
        let mark = match question {
            Some(question) => {
                let known = opened.draft.begun(&question.id).and_then(crate::domain::protocol::span::parse);
                Mark::new(Some(question.id.clone()), &question.ask, &text, known.unwrap_or_default())
            }
            None => Mark::new(None, "What in the input bears it out?", &text, opened.draft.evidence.clone()),
        };
        let Some(mark) = mark else { return self.say("There is nothing in the input to mark.") };
        opened.tab = super::opened::Tab::Input;
        *opened.scroll() = 0;
        self.focus = super::app::Focus::Context;
        self.overlay = Some(Overlay::Mark(mark));
        self.keep_place()
    }

    /// Refers to an earlier case in the rationale.
    pub fn cite(&mut self, precedent: &Precedent) -> Vec<Effect> {
        let mut cited = false;
        let mut effects = self.change_draft(|draft| cited = draft.cite(precedent));
        let case = precedent.case.short();
        effects.extend(self.say(&if cited { format!("{case} is cited.") } else { format!("{case} is no longer cited.") }));
        effects
    }

    /// Begins or goes on with the rationale by a snippet.
    pub(super) fn use_snippet(&mut self, id: &str) -> Vec<Effect> {
        let Some(opened) = &self.opened else { return Vec::new() };
        let Some(snippet) = self.protocols.glossary.snippets.iter().find(|snippet| snippet.id == id) else { return Vec::new() };
        let row = &opened.case.row;
        let outcome = opened.protocol().and_then(|protocol| opened.outcome(protocol));
        let text = snippet.fill(|name| match name {
            "prediction" => row.predicted.clone().filter(|_| !opened.hides(Cue::Prediction)),
            "case" => Some(row.id.short()),
            "id" => Some(row.own.clone()),
            "stream" => Some(row.stream.clone()),
            "reviewer" => Some(self.me.clone()),
            field => outcome.as_ref()?.get(field).map(crate::domain::label::value_text),
        });
        let effects = self.change_draft(|draft| {
            let between = if draft.rationale.is_empty() || draft.rationale.ends_with([' ', '\n']) { "" } else { " " };
            draft.rationale = format!("{}{between}{text}", draft.rationale);
        });
        let text = self.opened.as_ref().map(|opened| opened.draft.rationale.clone()).unwrap_or_default();
        self.overlay = Some(Overlay::Rationale(Edit::new(&text)));
        effects
    }
}

// Functions of actions.

pub(super) fn digit(app: &mut App, key: KeyPress) -> Vec<Effect> {
    let digit = key.char().and_then(|c| c.to_digit(10)).unwrap_or(1) as usize;
    match app.opened.as_ref().and_then(|opened| opened.answer_of_digit(digit)) {
        Some(answer) => app.give(&answer),
        None => app.say("There is no such answer."),
    }
}

impl App {
    /// Gives one answer, or ticks it where there may be several.
    pub fn give(&mut self, answer: &str) -> Vec<Effect> {
        let several = |question: &Question| matches!(question.kind, QuestionKind::Multi { .. });
        let several = self.opened.as_ref().and_then(Opened::question).is_some_and(several);
        if several { self.tick(answer) } else { self.answer(answer) }
    }
}

/// Confirms the ticks.
pub(super) fn ticked(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let ticked = app.opened.as_ref().map(Opened::ticked).unwrap_or_default();
    app.answer(&ticked.join(","))
}

/// Nothing is the answer, where that is one.
pub(super) fn nothing(app: &mut App, key: KeyPress) -> Vec<Effect> {
    let scale = app.opened.as_ref().and_then(Opened::question).is_some_and(|q| matches!(q.kind, QuestionKind::Scale { .. }));
    if scale { digit(app, key) } else { app.answer("") }
}

/// Opens a prompt for a number or words.
pub(super) fn write(app: &mut App, key: KeyPress) -> Vec<Effect> {
    let Some(opened) = &app.opened else { return Vec::new() };
    let Some(question) = opened.question() else { return Vec::new() };
    let begun = opened.draft.begun(&question.id).unwrap_or_default().to_owned();
    let sign = key.char().filter(|c| begun.is_empty() && (c.is_ascii_digit() || *c == '-'));
    let mut prompt = Prompt::new(PromptKind::Answer, &sign.map_or(begun, String::from));
    prompt.about = format!("{} ", question.wanted());
    app.overlay = Some(Overlay::Prompt(prompt));
    Vec::new()
}

pub(super) fn mark_answer(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let question = app.opened.as_ref().and_then(Opened::question).cloned();
    app.mark(question.as_ref())
}

pub(super) fn mark_evidence(app: &mut App, _: KeyPress) -> Vec<Effect> {
    if app.opened.is_none() { app.say("No case is open.") } else { app.mark(None) }
}

/// All answers in a list that is narrowed by typing.
pub(super) fn pick_answer(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &app.opened else { return Vec::new() };
    let Some(question) = opened.question() else { return Vec::new() };
    let choices = question.kind.answers().iter().map(|answer| Choice::new(&answer.text, &answer.key)).collect();
    app.overlay = Some(Overlay::Pick(Pick::new(PickKind::Answer, &question.ask, choices)));
    Vec::new()
}

pub(super) fn pick_label(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &app.opened else { return Vec::new() };
    let offered = opened.offered();
    let glossary = &app.protocols.glossary;
    let choice = |name: &str, title: &str| {
        let p = offered.iter().find(|(other, _)| other == name).map(|(_, p)| format!("{p:.3}  "));
        // Found by the words of a term of its name too.
        let words = glossary.term(name).or_else(|| glossary.terms.iter().find(|term| term.name == name)).map(|term| term.words());
        Choice { words: words.unwrap_or_default(), ..Choice::new(name, &format!("{}{title}", p.unwrap_or_default())) }
    };
    let mut choices: Vec<Choice> = match opened.protocol() {
        Some(protocol) if !protocol.labels.is_empty() => {
            protocol.labels.iter().map(|label| choice(&label.name, &label.title)).collect()
        }
        _ => offered.iter().map(|(label, _)| choice(label, "")).collect(),
    };
    // What the models considered stands first.
    choices.sort_by_key(|choice| offered.iter().position(|(other, _)| *other == choice.value).unwrap_or(usize::MAX));
    let title = opened.question().map(|question| question.ask.clone()).unwrap_or_default();
    app.overlay = Some(Overlay::Pick(Pick::new(PickKind::Label, &title, choices)));
    Vec::new()
}

pub(super) fn confidence(app: &mut App, key: KeyPress) -> Vec<Effect> {
    let digit = key.char().and_then(|c| c.to_digit(10)).unwrap_or(3) as u8;
    app.change_draft(|draft| draft.confidence = if draft.confidence == Some(digit) { None } else { Some(digit) })
}

pub(super) fn take_back(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &app.opened else { return Vec::new() };
    let Some(protocol) = opened.protocol().cloned() else { return Vec::new() };
    let steps = opened.draft.path(&protocol).len();
    if steps == 0 {
        return app.say("Nothing is answered yet. U takes back the label you submitted last.");
    }
    app.change_draft(|draft| draft.take_back(&protocol, steps - 1))
}

pub(super) fn rationale(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &app.opened else { return app.say("No case is open.") };
    app.overlay = Some(Overlay::Rationale(Edit::new(&opened.draft.rationale)));
    Vec::new()
}

pub(super) fn snippet(app: &mut App, _: KeyPress) -> Vec<Effect> {
    if app.opened.is_none() {
        return app.say("No case is open.");
    }
    let snippets = &app.protocols.glossary.snippets;
    if snippets.is_empty() {
        return app.say("The glossary has no [[snippet]]s.");
    }
    let choices = snippets.iter().map(|snippet| Choice::new(&snippet.id, &snippet.text)).collect();
    app.overlay = Some(Overlay::Pick(Pick::new(PickKind::Snippet, "Begin with", choices)));
    Vec::new()
}

pub(super) fn check(app: &mut App, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &app.opened else { return Vec::new() };
    let items: Vec<String> =
        opened.protocol().map(|p| p.checklist.iter().map(|item| item.id.clone()).collect()).unwrap_or_default();
    if items.is_empty() {
        return app.say("This protocol has no checklist.");
    }
    app.change_draft(|draft| match items.iter().find(|id| !draft.checked.contains(id)) {
        Some(next) => draft.toggle_check(next),
        None => draft.checked.clear(),
    })
}
