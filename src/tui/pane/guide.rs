//! The guide: the path so far, the question and its answers, what else belongs to the label.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::question;
use crate::domain::cues::Cue;
use crate::domain::label::{outcome_in_short, outcome_words};
use crate::domain::protocol::walk::answer_text;
use crate::domain::protocol::{Protocol, QuestionKind};
use crate::domain::text::{fit, visible, wrap};
use crate::session::Opened;
use crate::tui::paint::{heading, put_line};
use crate::tui::place::{Focus, Measured};
use crate::tui::shell::Shell;

/// Cases like the open one that the guide shows itself.
const PRECEDENTS: usize = 3;

const SURE: [&str; 5] = ["a guess", "unsure", "fairly sure", "sure", "certain"];

pub fn draw(shell: &Shell, measured: &Measured, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let title = match shell.session.opened.as_ref().and_then(|opened| opened.published.as_ref()) {
        Some(published) => {
            format!("Guide  {} v{}", published.protocol.id, published.reference.version)
        }
        None => "Guide".to_owned(),
    };
    let title = fit(&visible(&title), usize::from(inner.width)).into_owned();
    put_line(buf, inner, 0, &Line::from(heading(theme, title, shell.focus == Focus::Guide)));
    let lines = &measured.guide;
    let rows = usize::from(inner.height).saturating_sub(1);
    let hidden = lines.len().saturating_sub(rows + shell.guide_scroll);
    if hidden > 0 {
        let more = format!("{hidden} more");
        let x = inner.width.saturating_sub(more.len() as u16);
        crate::tui::paint::put_at(buf, inner, x, &Line::from(Span::styled(more, theme.dim)));
    }
    let scroll = shell.guide_scroll.min(lines.len().saturating_sub(rows));
    for (row, line) in lines.iter().skip(scroll).take(rows).enumerate() {
        put_line(buf, inner, row as u16 + 1, line);
    }
}

/// How much room the guide has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    All,
    /// Everything but the question is said in short.
    Low,
    /// The question stands alone.
    Least,
}

/// All lines of the guide at a width.
pub fn lines(shell: &Shell, columns: usize, room: Room) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let Some(protocol) = opened.protocol() else {
        let words = format!(
            "No protocol is published for the stream {}: casework protocol publish FILE",
            visible(&opened.case.row.stream)
        );
        return wrap(&words, columns)
            .into_iter()
            .map(|line| Line::from(Span::styled(line, theme.bad)))
            .collect();
    };
    let mut lines = Vec::new();
    if room != Room::Least {
        path(shell, opened, protocol, columns, room == Room::Low, &mut lines);
    }
    if room == Room::Low {
        lines.extend(in_short(shell, opened, protocol, columns));
        // Answers need the room: of each suggestion there is a line.
        for words in opened.suggestions() {
            let words = fit(&visible(&words), columns.saturating_sub(3)).into_owned();
            let mark = Span::styled(theme.sign(" ≈ ", " ~ "), theme.accent);
            lines.push(Line::from(vec![mark, Span::styled(words, theme.dim)]));
        }
    }
    match opened.question() {
        Some(question) => {
            question::lines(shell, opened, question, (columns, room != Room::Least), &mut lines)
        }
        None => ended(shell, opened, protocol, columns, &mut lines),
    }
    if room == Room::All {
        suggestions(shell, opened, columns, &mut lines);
        rest(shell, opened, protocol, columns, &mut lines);
    }
    lines
}

/// Checklist, confidence, tags and rationale on one line; nothing if there is none of it.
fn in_short(
    shell: &Shell,
    opened: &Opened,
    protocol: &Protocol,
    columns: usize,
) -> Option<Line<'static>> {
    let draft = &opened.draft;
    let mut parts = Vec::new();
    let (done, all) = (draft.checked.len(), protocol.checklist.len());
    if all > 0 {
        parts.push(format!("checked {done}/{all} ({})", shell.keymap.first("check")));
    }
    parts.extend(draft.confidence.map(|confidence| format!("confidence {confidence}/5")));
    parts.extend(draft.tags.iter().map(|tag| format!("#{tag}")));
    if !draft.evidence.is_empty() {
        parts.push(format!("{} marked", draft.evidence.len()));
    }
    if !draft.rationale.is_empty() {
        parts.push(format!("why: {}", draft.rationale.replace('\n', " ")));
    }
    let text = fit(&visible(&parts.join(" · ")), columns.saturating_sub(1)).into_owned();
    (!parts.is_empty()).then(|| Line::from(Span::styled(format!(" {text}"), shell.theme.dim)))
}

/// In a low pane the answered questions share a line, so that the answers to the next one fit.
fn path(
    shell: &Shell,
    opened: &Opened,
    protocol: &Protocol,
    columns: usize,
    low: bool,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = &shell.theme;
    let done = theme.sign("✓", "+");
    let steps = opened.draft.path(protocol);
    let words = |(id, answer): &(String, String)| {
        let question = protocol.question(id);
        let text = match question.map(|question| &question.kind) {
            Some(QuestionKind::Span { .. }) if !answer.is_empty() => {
                question::marked_words(opened, answer)
            }
            _ => question.map_or_else(|| answer.clone(), |question| answer_text(question, answer)),
        };
        (visible(id).into_owned(), visible(&text).into_owned())
    };
    if low && !steps.is_empty() {
        let all: Vec<String> =
            steps.iter().map(words).map(|(id, text)| format!("{done} {id} {text}")).collect();
        lines
            .push(Line::from(Span::styled(fit(&all.join("  "), columns).into_owned(), theme.good)));
        return;
    }
    for (id, text) in steps.iter().map(words) {
        lines.push(Line::from(vec![
            Span::styled(format!(" {done} "), theme.good),
            Span::styled(format!("{id:<12} "), theme.dim),
            Span::raw(fit(&text, columns.saturating_sub(16)).into_owned()),
        ]));
    }
}

fn ended(
    shell: &Shell,
    opened: &Opened,
    protocol: &Protocol,
    columns: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = &shell.theme;
    let outcome = opened.outcome(protocol).unwrap_or_default();
    let words = outcome_words(&outcome);
    question::headed(theme, theme.sign(" ■ ", " = "), &words, columns, lines);
    let key = |action: &str| shell.keymap.first(action);
    let ruling = "{submit} asks why you rule so; {arbitrate} begins again.";
    let words = match (opened.sending, &opened.case.mine, shell.session.missing()) {
        (true, ..) => "Being saved…".to_owned(),
        _ if opened.ruling => shell.keymap.fill(ruling),
        (false, _, Some(missing)) => format!("Missing: {missing}. {} goes there.", key("submit")),
        (false, Some(mine), None) => {
            let at = mine.given_at().minute();
            format!(
                "You labeled it on {at}. {} gives this label instead; {} goes on.",
                key("submit"),
                key("next-case")
            )
        }
        (false, None, None) if shell.focus == Focus::Queue => {
            shell.keymap.fill("{open} goes to the case, where {submit} submits it.")
        }
        (false, None, None) => {
            shell.keymap.fill("{submit} submits. {rationale} says why. {confidence}: how sure.")
        }
    };
    for line in wrap(&words, columns.saturating_sub(3)) {
        lines.push(Line::from(vec![Span::raw("   "), Span::styled(line, theme.dim)]));
    }
}

fn rest(
    shell: &Shell,
    opened: &Opened,
    protocol: &Protocol,
    columns: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = &shell.theme;
    let draft = &opened.draft;
    lines.push(Line::default());
    for item in &protocol.checklist {
        let done = draft.checked.contains(&item.id);
        let mark = if done { "[x] " } else { "[ ] " };
        let style = if item.required && !done { theme.warn } else { theme.text };
        for (i, line) in
            wrap(&visible(&item.text), columns.saturating_sub(5)).into_iter().enumerate()
        {
            let lead = if i == 0 { mark } else { "    " };
            lines.push(Line::from(vec![
                Span::raw(" "),
                Span::styled(lead, style),
                Span::raw(line),
            ]));
        }
    }
    if let Some(confidence) = draft.confidence {
        let word = SURE.get(usize::from(confidence).saturating_sub(1)).copied().unwrap_or_default();
        lines.push(Line::from(vec![
            Span::styled(" sure  ", theme.dim),
            Span::raw(format!("{confidence} of 5, {word}")),
        ]));
    }
    if !draft.tags.is_empty() {
        let tags = fit(&visible(&draft.tags.join(" ")), columns.saturating_sub(8)).into_owned();
        lines.push(Line::from(vec![Span::styled(" tags  ", theme.dim), Span::raw(tags)]));
    }
    if !draft.rationale.is_empty() {
        let text = draft
            .rationale
            .split('\n')
            .flat_map(|line| wrap(&visible(line), columns.saturating_sub(7)));
        for (i, line) in text.enumerate() {
            let lead = if i == 0 { " why   " } else { "       " };
            lines.push(Line::from(vec![Span::styled(lead, theme.dim), Span::raw(line)]));
        }
    }
    if !draft.evidence.is_empty() {
        let n = draft.evidence.len();
        let words = format!(
            "{n} place{} ({})",
            if n == 1 { "" } else { "s" },
            shell.keymap.first("evidence")
        );
        lines.push(Line::from(vec![Span::styled(" mark  ", theme.dim), Span::raw(words)]));
    }
    if !draft.cites.is_empty() {
        let cited = draft.cites.iter().map(|case| case.short()).collect::<Vec<_>>().join(" ");
        lines.push(Line::from(vec![Span::styled(" cites ", theme.dim), Span::raw(cited)]));
    }
    precedents(shell, opened, columns, lines);
}

/// What labelers, which are programs, would answer.
fn suggestions(shell: &Shell, opened: &Opened, columns: usize, lines: &mut Vec<Line<'static>>) {
    let theme = &shell.theme;
    let mark = theme.sign(" ≈ ", " ~ ");
    for suggestion in opened.suggestions() {
        let words = wrap(&visible(&suggestion), columns.saturating_sub(3));
        for (i, line) in words.into_iter().enumerate() {
            let mark = if i == 0 { mark } else { "   " };
            lines.push(Line::from(vec![
                Span::styled(mark, theme.accent),
                Span::styled(line, theme.dim),
            ]));
        }
    }
}

/// The likest cases in short.
fn precedents(shell: &Shell, opened: &Opened, columns: usize, lines: &mut Vec<Line<'static>>) {
    let theme = &shell.theme;
    let found =
        opened.precedents.as_deref().filter(|_| !opened.hides(Cue::Precedents)).unwrap_or_default();
    if found.is_empty() {
        return;
    }
    lines.push(Line::default());
    lines.push(Line::from(Span::styled(
        shell.keymap.fill(" Like this one ({precedents})"),
        theme.dim,
    )));
    for precedent in found.iter().take(PRECEDENTS) {
        let cited = if opened.draft.cites.contains(&precedent.case) {
            theme.sign("✓ ", "+ ")
        } else {
            "  "
        };
        let words = outcome_in_short(&precedent.outcome);
        let text = format!("{}  {words}", precedent.case.short());
        lines.push(Line::from(vec![
            Span::styled(format!(" {cited}"), theme.good),
            Span::raw(fit(&visible(&text), columns.saturating_sub(4)).into_owned()),
        ]));
        let said = fit(&visible(&precedent.text), columns.saturating_sub(6)).into_owned();
        lines.push(Line::from(Span::styled(format!("     {said}"), theme.dim)));
    }
}
