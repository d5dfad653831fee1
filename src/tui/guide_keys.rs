//! Keys of the guide: which answer a digit is, and the windows in which an answer is written,
//! picked or marked.

use super::key::KeyPress;
use super::overlay::pick::{Choice, Pick};
use super::overlay::prompt::Prompt;
use super::overlay::sure::Sure;
use super::overlay::{Cx, Next};
use super::shell::Shell;
use crate::session::{Effect, Input, Opened};

/// The answer that stands at the place of its key among those of an action.
fn nth(shell: &mut Shell, action: &str, key: KeyPress) -> Vec<Effect> {
    let place = shell.keymap.place_of(action, key).unwrap_or(0) + 1;
    match shell.session.opened.as_ref().and_then(|opened| opened.answer_of_digit(place)) {
        Some(answer) => shell.session.take(Input::Answer(answer), shell.session.now),
        None => shell.say("There is no such answer."),
    }
}

pub(super) fn answer(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    nth(shell, "answer", key)
}

pub(super) fn tick(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    nth(shell, "tick", key)
}

pub(super) fn answer_label(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    nth(shell, "answer-label", key)
}

pub(super) fn scale_step(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    nth(shell, "step", key)
}

/// The step 0 of a scale.
pub(super) fn step_0(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    match shell.session.opened.as_ref().and_then(|opened| opened.answer_of_digit(0)) {
        Some(answer) => shell.session.take(Input::Answer(answer), shell.session.now),
        None => shell.say("There is no such answer."),
    }
}

/// Confirms the ticks.
pub(super) fn ticked(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let ticked = shell.session.opened.as_ref().map(Opened::ticked).unwrap_or_default();
    shell.session.answer(&ticked.join(","))
}

/// Nothing is the answer, where that is one.
pub(super) fn nothing(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    shell.session.answer("")
}

/// Opens a prompt for a number or words.
pub(super) fn write(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let Some(question) = opened.question() else { return Vec::new() };
    let begun = opened.draft.begun(&question.id).unwrap_or_default().to_owned();
    let sign = key.char().filter(|c| begun.is_empty() && (c.is_ascii_digit() || *c == '-'));
    let prompt = Prompt::answer(&question.wanted(), &sign.map_or(begun, String::from));
    shell.layer = Some(Box::new(prompt));
    Vec::new()
}

pub(super) fn mark_answer(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let question = shell.session.opened.as_ref().and_then(Opened::question).cloned();
    shell.session.mark(question.as_ref())
}

/// All answers in a list that is narrowed by typing.
pub(super) fn pick_answer(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let Some(question) = opened.question() else { return Vec::new() };
    let choices = question
        .kind
        .answers()
        .iter()
        .map(|answer| Choice::new(&answer.text, &answer.key))
        .collect();
    let done = |choice: &Choice, cx: &mut Cx<'_>| {
        let effects = cx.take(Input::Answer(choice.about.clone()));
        cx.then(effects);
        Next::Closes
    };
    shell.layer = Some(Box::new(Pick::new(&question.ask, choices, done).beside()));
    Vec::new()
}

pub(super) fn pick_label(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let offered = opened.offered();
    let glossary = &shell.session.protocols.glossary;
    let choice = |name: &str, title: &str| {
        let p = offered
            .iter()
            .find(|said| said.name == *name)
            .map(|said| format!("{:.3}  ", said.number));
        // Found by the words of a term of its name too.
        let term =
            glossary.term(name).or_else(|| glossary.terms.iter().find(|term| term.name == name));
        let more = term.map(|term| {
            let example = term.examples.first().map(|text| format!(" For example: {text}"));
            format!("{}{}", term.definition, example.unwrap_or_default())
        });
        Choice {
            words: term.map(|term| term.words()).unwrap_or_default(),
            more: more.unwrap_or_else(|| title.to_owned()),
            ..Choice::new(name, &format!("{}{title}", p.unwrap_or_default()))
        }
    };
    let mut choices: Vec<Choice> = match opened.protocol() {
        Some(protocol) if !protocol.labels.is_empty() => {
            protocol.labels.iter().map(|label| choice(&label.name, &label.title)).collect()
        }
        _ => offered.iter().map(|said| choice(&said.name, "")).collect(),
    };
    // What the models considered stands first.
    choices.sort_by_key(|choice| {
        offered.iter().position(|said| said.name == choice.value).unwrap_or(usize::MAX)
    });
    let title = opened.question().map(|question| question.ask.clone()).unwrap_or_default();
    let answer = |label: &str, cx: &mut Cx<'_>| {
        let effects = cx.session.answer(label);
        cx.then(effects);
        Next::Closes
    };
    let pick = Pick::new(&title, choices, move |choice, cx| answer(&choice.value, cx)).beside();
    // A protocol without labels takes any text.
    let any_text = opened.protocol().is_some_and(|protocol| protocol.labels.is_empty());
    shell.layer = Some(Box::new(if any_text { pick.or_typed(answer) } else { pick }));
    Vec::new()
}

pub(super) fn confidence(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    shell.layer = Some(Box::new(Sure));
    Vec::new()
}

pub(super) fn snippet(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    if shell.session.opened.is_none() {
        return shell.say("No case is open.");
    }
    let snippets = &shell.session.protocols.glossary.snippets;
    if snippets.is_empty() {
        return shell.say("The glossary has no [[snippet]]s.");
    }
    let choices = snippets.iter().map(|snippet| Choice::new(&snippet.id, &snippet.text)).collect();
    let done = |choice: &Choice, cx: &mut Cx<'_>| {
        let effects = cx.session.use_snippet(&choice.value);
        cx.then(effects);
        Next::Closes
    };
    shell.layer = Some(Box::new(Pick::new("Begin with", choices, done).beside()));
    Vec::new()
}
