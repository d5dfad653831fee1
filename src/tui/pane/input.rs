//! The input and whatever else the line holds: every field, whole, in the order of the line.

use std::collections::VecDeque;
use std::sync::Arc;

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::domain::bidi::{Direction, has_right_to_left};
use crate::domain::cues::Cue;
use crate::domain::modality::{self, Part};
use crate::domain::protocol::Span as Place;
use crate::domain::protocol::places::INPUT_TEXT;
use crate::domain::reading::{Paragraph, paragraphs};
use crate::domain::text::{has_unsure, head as head_of, visible};
use crate::domain::text_rows::{Sign, rows as rows_with_places};
use crate::session::Opened;
use crate::tui::overlay::mark::TEXT_BYTES_MAX;
use crate::tui::paint::hanging;
use crate::tui::rows::{Beside, Laid, Rows, UNSURE_EDGE, alignment};
use crate::tui::shell::{LaidOf, LaidOut, LaidPiece, Shell};

/// Rows in which what was found wrong would take the place of the words.
const LOW: usize = 5;
/// From so many columns of the screen on, or of the pane, two texts stand side by side.
const BESIDE_FROM: (u16, usize) = (140, 100);

/// The rows of its tab, of which so many are seen at once.
pub fn rows(shell: &Shell, opened: &Opened, columns: usize, seen: usize) -> Rows {
    if opened.case.prediction.is_none() {
        return vec![Line::raw("The line cannot be read.")].into();
    }
    let mut rows = Rows::default();
    rows.made(asked(shell, opened, columns));
    let kept = opened.protocol().map(|protocol| opened.draft.places(protocol)).unwrap_or_default();
    let marks = shell.layer.as_ref().and_then(|layer| layer.marks());
    let selected = marks.map(|marks| (marks.text, marks.selected));
    let places = marks.map_or(&kept, |marks| marks.places);
    let by_place = places.texts().map(|(name, _)| name).chain(selected.map(|(name, _)| name));
    let mut by_place: Vec<String> = by_place.map(str::to_owned).collect();
    by_place.sort_unstable();
    by_place.dedup();
    let (text, rest) = read(shell, opened, columns, by_place);
    let add = |rows: &mut Rows, pieces: Vec<LaidPiece>| {
        for piece in pieces {
            match piece {
                LaidPiece::Read(laid) => rows.read(laid),
                LaidPiece::Beside(two) => rows.beside(two),
                LaidPiece::ByPlace { name, signs, note, key, indent } => {
                    let at = selected.filter(|(text, _)| **text == *name).map(|(_, at)| at);
                    let spans = places.in_text(&name);
                    let mut lines: Vec<Line<'static>> = Vec::new();
                    if !key.is_empty() {
                        let words = format!("{}{}", " ".repeat(indent), key.trim_end());
                        lines.push(Line::from(Span::styled(words, shell.theme.accent)));
                    }
                    let indent = " ".repeat(indent + 2 * lines.len());
                    let made = signs.iter().map(|(row, direction)| {
                        with_places(shell, &indent, row, *direction, spans, at)
                    });
                    lines.extend(made);
                    lines.extend(
                        note.map(|words| Line::from(Span::styled(words, shell.theme.warn))),
                    );
                    rows.text(name, lines);
                }
            }
        }
    };
    add(&mut rows, text);
    let found = facts(shell, opened, columns);
    // Where there is hardly a row the words come first.
    let (before, after) = if seen <= LOW { (Vec::new(), found) } else { (found, Vec::new()) };
    rows.made(before);
    if !rest.is_empty() {
        if !rows.is_empty() {
            rows.made(vec![Line::default()]);
        }
        add(&mut rows, rest);
    }
    rows.made(after);
    rows
}

/// The row of the input in which a place of a text that is being marked begins.
pub fn row_of_place(shell: &Shell, name: &str, start: usize) -> Option<usize> {
    let opened = shell.session.opened.as_ref()?;
    let seen = shell.context_height() as usize;
    let first = rows(shell, opened, shell.context_columns(), seen).row_of(name)?;
    let laid = shell.laid.borrow();
    let mut pieces = laid.iter().flat_map(|laid| laid.text.iter().chain(&laid.rest));
    pieces.find_map(|piece| match piece {
        LaidPiece::ByPlace { name: known, signs, key, .. } if **known == *name => {
            let begins =
                |(row, _): &(Vec<Sign>, _)| row.iter().any(|sign| sign.place.start == start);
            Some(first + usize::from(!key.is_empty()) + signs.iter().position(begins)?)
        }
        _ => None,
    })
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
    let copies = opened.case.copies_words();
    let copies =
        copies.iter().flat_map(|words| hanging("= ", words, columns, (theme.dim, theme.dim)));
    let long = opened.long_texts().into_iter().flat_map(|name| {
        let how = shell.keymap.fill("{read-on} reads it page after page");
        let words = format!("{} goes on: {how}", visible(&name));
        hanging("> ", &words, columns, (theme.accent, theme.text))
    });
    if opened.hides(Cue::Facts) {
        return copies.chain(long).collect();
    }
    let facts = opened.case.facts.iter();
    facts
        .flat_map(|fact| hanging("! ", &fact.to_string(), columns, (theme.warn, theme.dim)))
        .chain(said(shell, opened, columns))
        .chain(copies)
        .chain(long)
        .collect()
}

/// What plug-ins said of it.
fn said(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let said = opened.case.said.iter().filter(|_| !opened.hides(Cue::Flags));
    said.flat_map(|flag| hanging("! ", &flag.to_string(), columns, (theme.warn, theme.dim)))
        .collect()
}

/// All that there is to read, without what is marked in it.
pub fn whole(shell: &Shell, opened: &Opened, columns: usize) -> Rows {
    let (text, rest) = read(shell, opened, columns, Vec::new());
    let between = !text.is_empty() && !rest.is_empty();
    let mut rows = Rows::default();
    let add = |rows: &mut Rows, pieces: Vec<LaidPiece>| {
        for piece in pieces {
            match piece {
                LaidPiece::Read(laid) => rows.read(laid),
                LaidPiece::Beside(two) => rows.beside(two),
                LaidPiece::ByPlace { .. } => {}
            }
        }
    };
    add(&mut rows, text);
    if between {
        rows.made(vec![Line::default()]);
    }
    add(&mut rows, rest);
    rows
}

/// What there is to read, laid out: the text of the input, and all else. It is kept until another
/// case, width or fold is asked for, or something is marked in another text.
fn read(
    shell: &Shell,
    opened: &Opened,
    columns: usize,
    by_place: Vec<String>,
) -> (Vec<LaidPiece>, Vec<LaidPiece>) {
    let row = &opened.case.row;
    let hidden = [Cue::Prediction, Cue::Challenger].map(|cue| opened.hides(cue));
    let folded = shell.folded;
    let beside = shell.size.0 >= BESIDE_FROM.0 || columns >= BESIDE_FROM.1;
    let (case, event) = (row.id, row.event);
    let of = LaidOf { case, event, columns, folded, beside, hidden, by_place };
    if let Some(known) = shell.laid.borrow().as_ref().filter(|known| known.of == of) {
        return (known.text.clone(), known.rest.clone());
    }
    let parts = opened.case.parts(|cue| opened.hides(cue));
    let texts = modality::texts(&parts);
    let laid = |parts: &[Part]| -> Vec<LaidPiece> {
        let mut left: VecDeque<Paragraph> = paragraphs(parts, folded).into();
        let mut pieces = Vec::new();
        while let Some(first) = left.front() {
            let apart = |one: &Paragraph| {
                one.of.as_ref().filter(|name| of.by_place.iter().any(|by| **by == ***name)).cloned()
            };
            if first.side == Some(0) && of.beside {
                let n = left.iter().take_while(|one| one.side.is_some()).count();
                if left.iter().take(n).all(|one| apart(one).is_none()) {
                    let both: Vec<Paragraph> = left.drain(..n).collect();
                    let (one, two) = both.into_iter().partition(|one| one.side == Some(0));
                    pieces.push(LaidPiece::Beside(Arc::new(Beside::new(one, two, columns))));
                    continue;
                }
            }
            let name = apart(first);
            let pair = |one: &Paragraph| of.beside && one.side == Some(0);
            let first_is_of_pair = pair(first);
            let n = left
                .iter()
                .take_while(|one| apart(one) == name && (first_is_of_pair || !pair(one)))
                .count();
            let rows: Vec<Paragraph> = left.drain(..n).collect();
            let text =
                name.as_deref().and_then(|name| texts.iter().find(|(known, _)| known == name));
            match (name, text) {
                (Some(name), Some((_, text))) => {
                    pieces.push(by_places(name, text, &rows[0], columns));
                }
                _ => pieces.push(LaidPiece::Read(Arc::new(Laid::new(rows, columns)))),
            }
        }
        pieces
    };
    let (text, rest) =
        parts.split_at(parts.iter().take_while(|part| part.name == INPUT_TEXT).count());
    let (text, rest) = (laid(text), laid(rest));
    *shell.laid.borrow_mut() =
        Some(LaidOut { of: of.clone(), text: text.clone(), rest: rest.clone() });
    (text, rest)
}

/// A text laid out by its places; of a long one, its beginning.
fn by_places(name: Arc<str>, text: &str, first: &Paragraph, columns: usize) -> LaidPiece {
    let (key, indent) = (first.key.clone(), first.indent.min(columns / 3));
    let kept = head_of(text, TEXT_BYTES_MAX);
    let more = text[kept.len()..].chars().count();
    let note =
        (more > 0).then(|| format!("… {more} more characters: no place in them can be marked"));
    let edge = if has_unsure(kept) { UNSURE_EDGE } else { 0 };
    let under = if key.is_empty() { 0 } else { 2 };
    let room = columns.saturating_sub(indent + under + edge).max(1);
    let lines = directions(kept);
    let with_direction = |row: Vec<Sign>| {
        let start = row.first().map_or(0, |sign| sign.place.start);
        let at = lines.partition_point(|(from, _)| *from <= start).saturating_sub(1);
        (row, lines.get(at).map(|(_, direction)| *direction))
    };
    let signs = Arc::new(rows_with_places(kept, room).into_iter().map(with_direction).collect());
    LaidPiece::ByPlace { name, signs, note, key, indent }
}

/// At which character each line of a text begins, and where it is read from; nothing, if all are read
/// from the left.
fn directions(text: &str) -> Vec<(usize, Direction)> {
    if !has_right_to_left(text) {
        return Vec::new();
    }
    let mut start = 0;
    let line = |line: &str| {
        let from = start;
        start += line.chars().count() + 1;
        (from, Direction::of(line))
    };
    text.split('\n').map(line).collect()
}

/// A row of a text with the places that are marked, and what is selected.
fn with_places(
    shell: &Shell,
    indent: &str,
    signs: &[Sign],
    direction: Option<Direction>,
    places: &[Place],
    selected: Option<Place>,
) -> Line<'static> {
    let theme = &shell.theme;
    let mut spans: Vec<Span<'static>> = vec![Span::raw(indent.to_owned())];
    for sign in signs {
        let inside = |place: &Place| place.start <= sign.place.start && sign.place.end <= place.end;
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
            _ => spans.push(Span::styled(sign.shown.clone(), style)),
        }
    }
    let line = Line::from(spans);
    match direction {
        Some(direction) => line.alignment(alignment(direction)),
        None => line,
    }
}
