//! Keys of the guide: which answer a digit is, and the windows in which an answer is written, picked or marked.

use super::key::KeyPress;
use super::overlay::pick::Choice;
use super::overlay::{Overlay, Pick, PickKind, Prompt, PromptKind};
use super::shell::Shell;
use crate::domain::protocol::QuestionKind;
use crate::session::{Effect, Opened};

pub(super) fn digit(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    let digit = key.char().and_then(|c| c.to_digit(10)).unwrap_or(1) as usize;
    match shell.session.opened.as_ref().and_then(|opened| opened.answer_of_digit(digit)) {
        Some(answer) => shell.session.give(&answer),
        None => shell.say("There is no such answer."),
    }
}

/// Confirms the ticks.
pub(super) fn ticked(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let ticked = shell.session.opened.as_ref().map(Opened::ticked).unwrap_or_default();
    shell.session.answer(&ticked.join(","))
}

/// Nothing is the answer, where that is one.
pub(super) fn nothing(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    let scale =
        shell.session.opened.as_ref().and_then(Opened::question).is_some_and(|q| matches!(q.kind, QuestionKind::Scale { .. }));
    if scale { digit(shell, key) } else { shell.session.answer("") }
}

/// Opens a prompt for a number or words.
pub(super) fn write(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let Some(question) = opened.question() else { return Vec::new() };
    let begun = opened.draft.begun(&question.id).unwrap_or_default().to_owned();
    let sign = key.char().filter(|c| begun.is_empty() && (c.is_ascii_digit() || *c == '-'));
    let mut prompt = Prompt::new(PromptKind::Answer, &sign.map_or(begun, String::from));
    prompt.about = format!("{} ", question.wanted());
    shell.overlay = Some(Overlay::Prompt(prompt));
    Vec::new()
}

pub(super) fn mark_answer(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let question = shell.session.opened.as_ref().and_then(Opened::question).cloned();
    shell.session.mark(question.as_ref())
}

pub(super) fn mark_evidence(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    if shell.session.opened.is_none() { shell.say("No case is open.") } else { shell.session.mark(None) }
}

/// All answers in a list that is narrowed by typing.
pub(super) fn pick_answer(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let Some(question) = opened.question() else { return Vec::new() };
    let choices = question.kind.answers().iter().map(|answer| Choice::new(&answer.text, &answer.key)).collect();
    shell.overlay = Some(Overlay::Pick(Pick::new(PickKind::Answer, &question.ask, choices)));
    Vec::new()
}

pub(super) fn pick_label(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let offered = opened.offered();
    let glossary = &shell.session.protocols.glossary;
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
    shell.overlay = Some(Overlay::Pick(Pick::new(PickKind::Label, &title, choices)));
    Vec::new()
}

pub(super) fn confidence(shell: &mut Shell, key: KeyPress) -> Vec<Effect> {
    let digit = key.char().and_then(|c| c.to_digit(10)).unwrap_or(3) as u8;
    shell.session.set_confidence(digit)
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
    shell.overlay = Some(Overlay::Pick(Pick::new(PickKind::Snippet, "Begin with", choices)));
    Vec::new()
}
