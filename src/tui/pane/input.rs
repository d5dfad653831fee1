//! The input and whatever else the line holds: every field, whole, in the order of the line.

use std::sync::Arc;

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::domain::cues::Cue;
use crate::domain::modality::Part;
use crate::domain::protocol::Span as Place;
use crate::domain::reading::{Paragraph, paragraphs};
use crate::domain::text::{head, visible, wrap};
use crate::domain::text_rows::rows as rows_with_places;
use crate::session::Opened;
use crate::tui::overlay::mark::TEXT_BYTES_MAX;
use crate::tui::rows::{Laid, Rows};
use crate::tui::shell::{LaidOf, LaidOut, Shell};

/// The field in which places can be marked.
const TEXT: &str = "input.text";

pub fn rows(shell: &Shell, opened: &Opened, columns: usize) -> Rows {
    let Some(prediction) = &opened.case.prediction else {
        return vec![Line::raw("The line cannot be read.")].into();
    };
    let mut rows = Rows::default();
    rows.made(asked(shell, opened, columns));
    let spans = opened.protocol().map(|protocol| opened.draft.spans(protocol)).unwrap_or_default();
    let (text, rest) = read(shell, opened, columns);
    let places = match shell.layer.as_ref().and_then(|layer| layer.marks()) {
        Some((marked, selected)) => Some((marked.to_vec(), Some(selected))),
        None => (!spans.is_empty()).then_some((spans, None)),
    };
    match places {
        Some((marked, selected)) => {
            rows.made(with_places(shell, &prediction.text(), columns, &marked, selected));
        }
        None => rows.read(text),
    }
    let found = facts(shell, opened, columns);
    rows.made(found);
    if !rest.is_empty() {
        rows.made(vec![Line::default()]);
        rows.read(rest);
    }
    rows
}

/// What somebody wants to know about one's own label.
pub fn asked(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let words = |question: &String| format!("You are asked about your label: {question}");
    let lines =
        opened.case.asked.iter().flat_map(|question| {
            hanging("? ", &words(question), columns, (theme.accent, theme.warn))
        });
    lines.collect()
}

/// What was found wrong with the input.
pub fn facts(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    if opened.hides(Cue::Facts) {
        return Vec::new();
    }
    let facts = opened.case.facts.iter();
    facts
        .flat_map(|fact| hanging("! ", &fact.to_string(), columns, (theme.warn, theme.dim)))
        .collect()
}

fn hanging(
    mark: &'static str,
    words: &str,
    columns: usize,
    (first, style): (ratatui::style::Style, ratatui::style::Style),
) -> Vec<Line<'static>> {
    let lines = wrap(&visible(words), columns.saturating_sub(2)).into_iter().enumerate();
    lines
        .map(|(i, line)| {
            let mark = if i == 0 { mark } else { "  " };
            Line::from(vec![Span::styled(mark, first), Span::styled(line, style)])
        })
        .collect()
}

/// All that there is to read, without what is marked in it.
pub fn whole(shell: &Shell, opened: &Opened, columns: usize) -> Rows {
    let (text, rest) = read(shell, opened, columns);
    let between = !text.is_empty() && !rest.is_empty();
    let mut rows = Rows::default();
    rows.read(text);
    if between {
        rows.made(vec![Line::default()]);
    }
    rows.read(rest);
    rows
}

/// What there is to read, laid out: the text of the input, and all else. It is kept until another
/// case, width or fold is asked for.
fn read(shell: &Shell, opened: &Opened, columns: usize) -> (Arc<Laid>, Arc<Laid>) {
    let row = &opened.case.row;
    let hidden = [Cue::Prediction, Cue::Challenger].map(|cue| opened.hides(cue));
    let of = LaidOf { case: row.id, event: row.event, columns, folded: shell.folded, hidden };
    if let Some(known) = shell.laid.borrow().as_ref().filter(|known| known.of == of) {
        return (known.text.clone(), known.rest.clone());
    }
    let parts = opened.case.parts(|cue| opened.hides(cue));
    let (text, rest): (Vec<Part>, Vec<Part>) =
        parts.into_iter().partition(|part| part.name == TEXT);
    let laid = |parts: &[Part]| -> Arc<Laid> {
        let read: Vec<Paragraph> = paragraphs(parts, shell.folded);
        Arc::new(Laid::new(read, columns))
    };
    let (text, rest) = (laid(&text), laid(&rest));
    *shell.laid.borrow_mut() = Some(LaidOut { of, text: text.clone(), rest: rest.clone() });
    (text, rest)
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
    rows_with_places(kept, columns).into_iter().map(row).chain(note).collect()
}
