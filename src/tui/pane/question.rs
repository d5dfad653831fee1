//! The question that is asked: its answers, what was found that it asks about, help, terms.

use ratatui::text::{Line, Span};

use crate::domain::protocol::{Question, QuestionKind, span};
use crate::domain::text::{fit, visible, wrap};
use crate::domain::text_rows;
use crate::session::Opened;
use crate::tui::shell::Shell;
use crate::tui::theme::Theme;

/// The question and its answers, with what was found at ingest of what it asks about, where there is room.
pub fn lines(
    shell: &Shell,
    opened: &Opened,
    question: &Question,
    (columns, has_room): (usize, bool),
    lines: &mut Vec<Line<'static>>,
) {
    let theme = &shell.theme;
    headed(theme, theme.sign(" ▸ ", " > "), &question.ask, columns, lines);
    if has_room {
        facts(shell, opened, question, columns, lines);
    }
    answers(shell, opened, question, columns, lines);
    let begun = opened.draft.begun(&question.id).filter(|begun| !begun.is_empty());
    if let (
        Some(begun),
        QuestionKind::Text { .. } | QuestionKind::Number { .. } | QuestionKind::Span { .. },
    ) = (begun, &question.kind)
    {
        let is_span = matches!(question.kind, QuestionKind::Span { .. });
        let words = if is_span { marked_words(opened, begun) } else { begun.to_owned() };
        let line =
            fit(&visible(&format!("begun: {words}")), columns.saturating_sub(6)).into_owned();
        lines.push(Line::from(Span::styled(format!("      {line}"), theme.warn)));
    }
    let mut quiet = |text: String| {
        for line in wrap(&visible(&text), columns.saturating_sub(3)) {
            lines.push(Line::from(vec![Span::raw("   "), Span::styled(line, theme.dim)]));
        }
    };
    if !question.help.is_empty() {
        quiet(question.help.clone());
    }
    let names: Vec<&str> = question
        .terms
        .iter()
        .filter_map(|id| shell.session.protocols.glossary.term(id))
        .map(|term| term.name.as_str())
        .collect();
    if !names.is_empty() || !question.examples.is_empty() {
        let examples = match question.examples.len() {
            0 => String::new(),
            n => format!(" {n} example{}", if n == 1 { "" } else { "s" }),
        };
        quiet(format!("{}: {}{examples}", shell.keymap.first("terms"), names.join(", ")));
    }
}

/// Words that stand out, with a mark before the first line of them.
pub(super) fn headed(
    theme: &Theme,
    mark: &'static str,
    words: &str,
    columns: usize,
    lines: &mut Vec<Line<'static>>,
) {
    for (i, line) in wrap(&visible(words), columns.saturating_sub(3)).into_iter().enumerate() {
        let mark = if i == 0 { mark } else { "   " };
        lines.push(Line::from(vec![
            Span::styled(mark, theme.accent),
            Span::styled(line, theme.strong),
        ]));
    }
}

/// What was found at ingest of what the question asks about.
fn facts(
    shell: &Shell,
    opened: &Opened,
    question: &Question,
    columns: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = &shell.theme;
    if question.facts.is_empty() || opened.hides(crate::domain::cues::Cue::Facts) {
        return;
    }
    let found: Vec<_> =
        opened.case.facts.iter().filter(|fact| question.facts.contains(&fact.trouble)).collect();
    // Where there is little room, answers need it more.
    if found.is_empty() && shell.is_wide() {
        lines.push(Line::from(Span::styled("   no data-quality issues", theme.dim)));
    }
    for fact in found {
        for (i, line) in
            wrap(&visible(&fact.to_string()), columns.saturating_sub(5)).into_iter().enumerate()
        {
            let mark = if i == 0 { "   ! " } else { "     " };
            lines.push(Line::from(vec![Span::styled(mark, theme.warn), Span::raw(line)]));
        }
    }
}

fn answers(
    shell: &Shell,
    opened: &Opened,
    question: &Question,
    columns: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = &shell.theme;
    let mut choice = |key: String, letter: String, text: &str| {
        let used = key.len() + letter.len() + 6;
        for (i, line) in wrap(&visible(text), columns.saturating_sub(used)).into_iter().enumerate()
        {
            let lead = if i == 0 { key.clone() } else { " ".repeat(key.len()) };
            let tail = if i == 0 { letter.clone() } else { String::new() };
            lines.push(Line::from(vec![
                Span::styled(format!("     {lead} "), theme.key),
                Span::raw(line),
                Span::styled(tail, theme.dim),
            ]));
        }
    };
    // What a program would answer is marked as the line is in which it says so.
    let mark = format!("  {}", theme.sign("≈", "~"));
    let mark_of = |key: &str| match opened.is_suggested(question, key) {
        true => mark.as_str(),
        false => "",
    };
    let letter_of = |key: &str| {
        let free = key.parse().is_ok_and(|key| shell.keymap.find(key, &shell.places()).is_none());
        let letter = if free { format!("  {}", visible(key)) } else { String::new() };
        letter + mark_of(key)
    };
    let keymap = &shell.keymap;
    let nth = |action: &str, i: usize| keymap.nth(action, i).unwrap_or_else(|| " ".to_owned());
    match &question.kind {
        QuestionKind::Choice(answers) => {
            for (i, answer) in answers.iter().enumerate() {
                choice(nth("answer", i), letter_of(&answer.key), &answer.text);
            }
            if keymap.nth("answer", answers.len().saturating_sub(1)).is_none() {
                choice(keymap.first("pick-answer"), String::new(), "find one by typing…");
            }
        }
        QuestionKind::Multi { answers, .. } => {
            let ticked = opened.ticked();
            for (i, answer) in answers.iter().enumerate() {
                let mark = if ticked.contains(&answer.key) { "[x] " } else { "[ ] " };
                choice(nth("tick", i), letter_of(&answer.key), &format!("{mark}{}", answer.text));
            }
            let words = if ticked.is_empty() {
                format!("give {}", question.wanted())
            } else {
                format!("give these {}", ticked.len())
            };
            choice(keymap.first("done"), String::new(), &words);
        }
        QuestionKind::Label { .. } => {
            for (i, said) in opened.offered().iter().enumerate() {
                let more = format!("  {:.3}{}", said.number, mark_of(&said.name));
                choice(nth("answer-label", i), more, &said.name);
            }
            choice(keymap.last("pick-label"), String::new(), "another label…");
        }
        QuestionKind::Scale { least, most, low, high, .. } => {
            let word = |end: &str| if end.is_empty() { String::new() } else { format!("  {end}") };
            if *most - *least <= 9 && *least >= 0 && *most <= 9 {
                for n in *least..=*most {
                    let end = if n == *least {
                        word(low)
                    } else if n == *most {
                        word(high)
                    } else {
                        String::new()
                    };
                    let key =
                        if n == 0 { keymap.first("step-0") } else { nth("step", (n - 1) as usize) };
                    choice(key, mark_of(&n.to_string()).to_owned(), &end);
                }
            } else {
                choice(
                    keymap.first("step-written"),
                    String::new(),
                    &format!(
                        "{least}{} to {most}{}: write it, or press its digit",
                        word(low),
                        word(high)
                    ),
                );
            }
        }
        QuestionKind::Number { .. } => {
            choice(keymap.first("write"), String::new(), &question.wanted())
        }
        QuestionKind::Text { least, .. } => {
            choice(keymap.first("write"), String::new(), &question.wanted());
            if *least == 0 {
                choice(keymap.first("no-words"), String::new(), "nothing to say");
            }
        }
        QuestionKind::Span { least, .. } => {
            choice(keymap.last("mark"), String::new(), &format!("mark {}", question.wanted()));
            if *least == 0 {
                choice(keymap.first("no-place"), String::new(), "no place");
            }
        }
    }
}

/// What stands at the places of an answer.
pub(super) fn marked_words(opened: &Opened, answer: &str) -> String {
    let text =
        opened.case.prediction.as_ref().map(|prediction| prediction.text()).unwrap_or_default();
    let places = span::parse(answer).unwrap_or_default();
    places
        .iter()
        .map(|place| format!("“{}”", text_rows::at(&text, *place)))
        .collect::<Vec<_>>()
        .join(" ")
}
