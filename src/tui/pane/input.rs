//! The input: its text, wrapped and made visible, then everything else of the line as JSON.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::cues::Cue;
use crate::domain::protocol::Span as Place;
use crate::domain::text::{cut, head, visible, visible_lines, width, wrap};
use crate::domain::text_rows::rows;
use crate::review::open::NEVER_TELLING;
use crate::session::Opened;
use crate::tui::highlight;
use crate::tui::overlay::mark::TEXT_BYTES_MAX;
use crate::tui::paint::line_width;
use crate::tui::shell::Shell;

/// Bytes of a text that are shown; a text of megabytes is read in its file.
const SHOWN_BYTES_MAX: usize = 2_000_000;

pub fn lines(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let Some(prediction) = &opened.case.prediction else {
        return vec![Line::raw("The line cannot be read.")];
    };
    let theme = &shell.theme;
    let mut lines = Vec::new();
    for question in &opened.case.asked {
        for (i, line) in wrap(
            &visible(&format!("You are asked about your label: {question}")),
            columns.saturating_sub(2),
        )
        .into_iter()
        .enumerate()
        {
            let mark = if i == 0 { "? " } else { "  " };
            lines.push(Line::from(vec![
                Span::styled(mark, theme.accent),
                Span::styled(line, theme.warn),
            ]));
        }
    }
    let text = prediction.text();
    if text.is_empty() {
        lines.push(Line::from(Span::styled("(the text is empty)", theme.warn)));
    }
    let spans = opened.protocol().map(|protocol| opened.draft.spans(protocol)).unwrap_or_default();
    match shell.layer.as_ref().and_then(|layer| layer.marks()) {
        Some((marked, selected)) => {
            lines.extend(with_places(shell, &text, columns, marked, Some(selected)))
        }
        _ if !spans.is_empty() => lines.extend(with_places(shell, &text, columns, &spans, None)),
        _ => {
            let shown = cut(&text, SHOWN_BYTES_MAX);
            for line in visible_lines(&shown).iter().flat_map(|line| wrap(line, columns)) {
                lines.push(marked(&line, shell));
            }
        }
    }
    let found = opened.case.facts.iter().filter(|_| !opened.hides(Cue::Facts));
    for fact in found {
        for (i, line) in
            wrap(&visible(&fact.to_string()), columns.saturating_sub(2)).into_iter().enumerate()
        {
            let mark = if i == 0 { "! " } else { "  " };
            lines.push(Line::from(vec![
                Span::styled(mark, theme.warn),
                Span::styled(line, theme.dim),
            ]));
        }
    }
    lines.push(Line::default());
    let mut rest = prediction.rest().unwrap_or_default();
    if let Value::Object(object) = &mut rest {
        let blind = opened.hides(Cue::Prediction);
        object.retain(|name, _| !blind || NEVER_TELLING.contains(&name.as_str()));
        let pretty = serde_json::to_string_pretty(&rest).unwrap_or_default();
        lines.extend(
            highlight::json(&pretty, theme).into_iter().flat_map(|line| wrapped(line, columns)),
        );
    }
    lines
}

/// The text with the places that are marked, and what is selected.
fn with_places(
    shell: &Shell,
    text: &str,
    columns: usize,
    places: &[Place],
    selected: Option<Place>,
) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let row = |signs: Vec<crate::domain::text_rows::Sign>| {
        let mut spans: Vec<Span<'static>> = Vec::new();
        for sign in signs {
            let inside =
                |place: &Place| place.start <= sign.place.start && sign.place.end <= place.end;
            let mut style = theme.text;
            if places.iter().any(inside) {
                style = theme.accent.add_modifier(Modifier::UNDERLINED);
            } else if sign.shown.starts_with('«') {
                style = theme.bad;
            }
            if selected.is_some_and(|selected| inside(&selected)) {
                style = style.patch(theme.chosen);
            }
            match spans.last_mut() {
                Some(last) if last.style == style => last.content.to_mut().push_str(&sign.shown),
                _ => spans.push(Span::styled(sign.shown, style)),
            }
        }
        Line::from(spans)
    };
    let kept = head(text, TEXT_BYTES_MAX);
    let more = text[kept.len()..].chars().count();
    let note =
        (more > 0).then(|| format!("… {more} more characters: no place in them can be marked"));
    let note = note.map(|words| Line::from(Span::styled(words, theme.warn)));
    rows(kept, columns).into_iter().map(row).chain(note).collect()
}

/// A line in pieces of at most so many columns.
fn wrapped(line: Line<'static>, columns: usize) -> Vec<Line<'static>> {
    if line_width(&line) <= columns {
        return vec![line];
    }
    let mut lines = Vec::new();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for span in line.spans {
        for sign in span.content.graphemes(true) {
            let wide = width(sign);
            if used + wide > columns.max(1) && used > 0 {
                lines.push(Line::from(std::mem::take(&mut spans)));
                used = 0;
            }
            used += wide;
            match spans.last_mut().filter(|last| last.style == span.style) {
                Some(last) => last.content.to_mut().push_str(sign),
                None => spans.push(Span::styled(sign.to_owned(), span.style)),
            }
        }
    }
    lines.push(Line::from(spans));
    lines
}

/// What was made visible stands out from what was readable.
fn marked(line: &str, shell: &Shell) -> Line<'static> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('«') {
        let Some((name, after)) = after.split_once('»') else { break };
        spans.push(Span::raw(before.to_owned()));
        spans.push(Span::styled(format!("«{name}»"), shell.theme.bad));
        rest = after;
    }
    spans.push(Span::raw(rest.to_owned()));
    Line::from(spans)
}
