//! The rows of a tab: some made beforehand, and those of what is read, of which each is made when it
//! is drawn. A text of megabytes has a million.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use linkify::{LinkFinder, LinkKind};
use ratatui::layout::Alignment;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::highlight::{Class, Classes, classes};
use super::theme::Theme;
use crate::domain::bidi::{Direction, has_right_to_left};
use crate::domain::reading::{Paragraph, Tone};
use crate::domain::text::{has_unsure, width, wrap_ranges};

/// Columns before an edge in which nothing stands whose width terminals take differently.
pub const UNSURE_EDGE: usize = 2;
/// Bytes of an address that is a link.
const LINK_BYTES_MAX: usize = 2_000;
/// Columns between two texts that stand side by side.
const BETWEEN: usize = 3;

/// The rows of a tab, in order.
#[derive(Debug, Clone, Default)]
pub struct Rows(Vec<Shown>);

/// A piece, and how many rows of it are shown.
#[derive(Debug, Clone)]
struct Shown {
    piece: Piece,
    rows: usize,
}

#[derive(Debug, Clone)]
enum Piece {
    Made(Vec<Line<'static>>),
    /// Those of a text, which has a name.
    Text(Arc<str>, Vec<Line<'static>>),
    Read(Arc<Laid>),
    Beside(Arc<Beside>),
}

impl From<Vec<Line<'static>>> for Rows {
    fn from(lines: Vec<Line<'static>>) -> Self {
        Self(vec![Piece::Made(lines).whole()])
    }
}

impl Rows {
    pub fn made(&mut self, lines: Vec<Line<'static>>) {
        self.0.push(Piece::Made(lines).whole());
    }

    /// Rows that were made of the text of that name.
    pub fn text(&mut self, name: Arc<str>, lines: Vec<Line<'static>>) {
        self.0.push(Piece::Text(name, lines).whole());
    }

    /// The first row of the rows that were made of a text.
    pub fn row_of(&self, name: &str) -> Option<usize> {
        let at = self
            .0
            .iter()
            .position(|shown| matches!(&shown.piece, Piece::Text(known, _) if **known == *name))?;
        Some(self.0[..at].iter().map(|shown| shown.rows).sum())
    }

    /// The text that stands in a row, or below it.
    pub fn text_at(&self, row: usize) -> Option<&str> {
        let mut before = 0;
        self.0.iter().find_map(|Shown { piece, rows }| {
            let skip = row.saturating_sub(before);
            before += rows;
            match piece {
                _ if skip >= *rows => None,
                Piece::Text(name, _) => Some(&**name),
                Piece::Read(laid) => laid.text_at(skip),
                Piece::Beside(two) => two.sides.iter().find_map(|side| side.text_at(skip)),
                _ => None,
            }
        })
    }

    pub fn read(&mut self, laid: Arc<Laid>) {
        self.0.push(Piece::Read(laid).whole());
    }

    pub fn beside(&mut self, two: Arc<Beside>) {
        self.0.push(Piece::Beside(two).whole());
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|shown| shown.rows).sum()
    }

    /// Its first rows alone, at most so many.
    pub fn first(mut self, n: usize) -> Self {
        let mut left = n;
        for shown in &mut self.0 {
            shown.rows = shown.rows.min(left);
            left -= shown.rows;
        }
        self
    }

    /// Adds rows of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many rows from one on.
    pub fn from(&self, first: usize, n: usize, theme: &Theme) -> Vec<Line<'static>> {
        let (mut skip, mut lines) = (first, Vec::with_capacity(n));
        for Shown { piece, rows } in &self.0 {
            let here = rows.saturating_sub(skip).min(n - lines.len());
            match piece {
                Piece::Made(made) | Piece::Text(_, made) => {
                    lines.extend(made.iter().skip(skip).take(here).cloned())
                }
                Piece::Read(laid) => {
                    lines.extend((skip..skip + here).map(|row| laid.line(row, theme)));
                }
                Piece::Beside(two) => {
                    lines.extend((skip..skip + here).map(|row| two.line(row, theme)));
                }
            }
            skip = skip.saturating_sub(*rows);
        }
        lines
    }

    /// The addresses in so many rows from one on, which are row 0 of what is said.
    pub fn links(&self, first: usize, n: usize) -> Vec<Link> {
        let (mut before, mut links) = (0, Vec::new());
        for Shown { piece, rows } in &self.0 {
            if let Piece::Read(laid) = piece {
                for row in first.max(before)..(first + n).min(before + rows) {
                    let here = laid.links(row - before).into_iter();
                    links.extend(here.map(|link| Link { row: row - first, ..link }));
                }
            }
            before += rows;
        }
        links
    }

    /// The rows in which some of the places where `query` stands begin; it is in small letters.
    pub fn find(&self, query: &str) -> Vec<usize> {
        let (mut before, mut found) = (0, Vec::new());
        for Shown { piece, rows } in &self.0 {
            let shown = |row: &usize| row < rows;
            match piece {
                Piece::Made(lines) | Piece::Text(_, lines) => {
                    for (row, line) in lines.iter().enumerate().take(*rows) {
                        let text: String =
                            line.spans.iter().map(|span| span.content.as_ref()).collect();
                        let n = text.to_lowercase().matches(query).count();
                        found.extend(std::iter::repeat_n(before + row, n));
                    }
                }
                Piece::Read(laid) => {
                    found.extend(laid.find(query).filter(shown).map(|row| before + row))
                }
                Piece::Beside(two) => {
                    let of_both = two.sides.iter().flat_map(|side| side.find(query));
                    let mut of_both: Vec<usize> =
                        of_both.filter(shown).map(|row| before + row).collect();
                    of_both.sort_unstable();
                    found.extend(of_both);
                }
            }
            before += rows;
        }
        found
    }
}

impl Piece {
    fn whole(self) -> Shown {
        Shown { rows: self.len(), piece: self }
    }

    fn len(&self) -> usize {
        match self {
            Self::Made(lines) | Self::Text(_, lines) => lines.len(),
            Self::Read(laid) => laid.rows.len(),
            Self::Beside(two) => two.sides.iter().map(Laid::len).max().unwrap_or(0),
        }
    }
}

/// Paragraphs laid out at a width.
#[derive(Debug)]
pub struct Laid {
    paragraphs: Vec<Paragraph>,
    rows: Vec<Row>,
    /// What the pieces of a paragraph of code are.
    code: BTreeMap<usize, Classes>,
}

/// A row: some bytes of a paragraph.
#[derive(Debug, Clone, Copy)]
struct Row {
    paragraph: u32,
    from: u32,
    to: u32,
}

impl Laid {
    pub fn new(mut paragraphs: Vec<Paragraph>, columns: usize) -> Self {
        let mut code = BTreeMap::new();
        let mut at = 0;
        // Lines of one piece are looked at together: a text may begin in one and end in another.
        for piece in paragraphs.chunk_by(|one, next| one.code.is_some() && one.code == next.code) {
            if let Some(language) = &piece[0].code {
                let classes = classes(language, piece.iter().map(|one| one.text.as_str()));
                code.extend((at..).zip(classes));
            }
            at += piece.len();
        }
        let mut rows = Vec::with_capacity(paragraphs.len());
        for (at, one) in (0..).zip(&mut paragraphs) {
            // A name is broken like the rest, and what is deep keeps most of the room.
            if !one.key.is_empty() {
                one.text.insert_str(0, &one.key);
            }
            one.indent = one.indent.min(columns / 3);
            let edge = if has_unsure(&one.text) { UNSURE_EDGE } else { 0 };
            let room = columns.saturating_sub(hang(one) + edge).max(1);
            rows.extend(wrap_ranges(&one.text, room).into_iter().map(|range| Row {
                paragraph: at,
                from: range.start as u32,
                to: range.end as u32,
            }));
        }
        Self { paragraphs, rows, code }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text that stands in a row, or below it.
    fn text_at(&self, row: usize) -> Option<&str> {
        let from = self.rows.get(row)?.paragraph as usize;
        self.paragraphs[from..].iter().find_map(|one| one.of.as_deref())
    }

    pub fn line(&self, row: usize, theme: &Theme) -> Line<'static> {
        let Row { paragraph, from, to } = self.rows[row];
        let (from, to) = (from as usize, to as usize);
        let one = &self.paragraphs[paragraph as usize];
        let style = match one.tone {
            Tone::Text | Tone::Field => theme.text,
            Tone::Heading => theme.accent,
            Tone::Aside => theme.dim,
            Tone::Warn => theme.warn,
        };
        let indent = if from == 0 { one.indent } else { hang(one) };
        let mut spans = vec![Span::raw(" ".repeat(indent))];
        let text = one.text[from..to].trim_end();
        let key = one.key.len();
        let of_key = if one.tone == Tone::Field { theme.accent } else { style };
        let differs = theme.warn.add_modifier(Modifier::UNDERLINED);
        let marked = one.marked.iter().map(|mark| (mark.clone(), differs));
        let of_code = self.code.get(&(paragraph as usize)).into_iter().flatten();
        let of_code = of_code.map(|(range, class)| (range.clone(), coloured(*class, theme)));
        let in_text = marked.chain(of_code);
        let in_text = in_text.map(|(range, style)| (range.start + key..range.end + key, style));
        let mut at = 0;
        for (range, other) in [(0..key, of_key)].into_iter().chain(in_text) {
            let start = range.start.saturating_sub(from).clamp(at, text.len());
            let end = range.end.saturating_sub(from).clamp(start, text.len());
            if start < end {
                spans.extend(named(&text[at..start], style, theme));
                spans.extend(named(&text[start..end], other, theme));
                at = end;
            }
        }
        spans.extend(named(&text[at..], style, theme));
        let line = Line::from(spans);
        // A row stands as its whole paragraph does; beside a name, a value stands for itself.
        if one.tone == Tone::Field || !has_right_to_left(&one.text) {
            return line;
        }
        line.alignment(alignment(Direction::of(&one.text)))
    }

    /// The addresses in a row. Where letters are put in another order, or may stand a cell off, none is
    /// said to be in cells.
    fn links(&self, row: usize) -> Vec<Link> {
        let Row { paragraph, from, to } = self.rows[row];
        let (from, to) = (from as usize, to as usize);
        let one = &self.paragraphs[paragraph as usize];
        // However long the paragraph is, no more is looked through than an address can take.
        let text = &one.text;
        let after = text.ceil_char_boundary((to + LINK_BYTES_MAX).min(text.len()));
        let before = text.floor_char_boundary(from.saturating_sub(LINK_BYTES_MAX));
        let begins = text[before..from].find(char::is_whitespace).filter(|_| before > 0);
        let before = before + begins.unwrap_or(0);
        let near = &text[before..after];
        if !near.contains("://") || has_unsure(&text[from..to]) || has_right_to_left(near) {
            return Vec::new();
        }
        if Direction::of(text) == Direction::Right {
            return Vec::new();
        }
        let indent = if from == 0 { one.indent } else { hang(one) };
        let to = from + text[from..to].trim_end().len();
        let link = |at: Range<usize>| {
            let at = at.start + before..at.end + before;
            let (start, end) = (at.start.max(from), at.end.min(to));
            let column = |byte: usize| indent + width(&text[from..byte]);
            let link = (start < end).then(|| column(start)..column(end));
            link.map(|columns| Link { row, columns, to: text[at].to_owned() })
        };
        // Of one that goes on where nothing is looked through, the end is not known.
        let whole = |at: &Range<usize>| at.end < near.len() || after == text.len();
        addresses(near).filter(whole).filter_map(link).collect()
    }

    /// The rows in which the places of `query`, in small letters, begin. Letters that take more
    /// bytes when they are small move places a little.
    pub fn find<'l>(&'l self, query: &'l str) -> impl Iterator<Item = usize> + 'l {
        (0..self.paragraphs.len()).flat_map(move |at| self.places_in(at, query))
    }

    /// The same, of one paragraph.
    pub fn places_in(&self, at: usize, query: &str) -> Vec<usize> {
        let text = self.paragraphs[at].text.to_lowercase();
        let place = |(byte, _): (usize, &str)| {
            let after = |row: &Row| (row.paragraph, row.from) <= (at as u32, byte as u32);
            self.rows.partition_point(after).saturating_sub(1)
        };
        text.match_indices(query).map(place).collect()
    }

    /// The first row of a paragraph.
    pub fn first_row(&self, at: usize) -> usize {
        self.rows.partition_point(|row| row.paragraph < at as u32)
    }
}

/// Some cells of a row that are an address, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub row: usize,
    pub columns: Range<usize>,
    /// The whole address.
    pub to: String,
}

/// Where addresses stand that can be followed: what is seen of one is where it leads, letter by letter.
fn addresses(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(true);
    let found: Vec<Range<usize>> =
        finder.links(text).map(|link| link.start()..link.end()).collect();
    found.into_iter().filter(|at| {
        let to = &text[at.clone()];
        let web = to.starts_with("http://") || to.starts_with("https://");
        web && to.bytes().all(|byte| byte.is_ascii_graphic()) && to.len() <= LINK_BYTES_MAX
    })
}

/// Two texts side by side.
#[derive(Debug)]
pub struct Beside {
    sides: [Laid; 2],
    /// Columns of each.
    columns: [usize; 2],
}

impl Beside {
    pub fn new(first: Vec<Paragraph>, second: Vec<Paragraph>, columns: usize) -> Self {
        let of_first = columns.saturating_sub(BETWEEN) / 2;
        let of_second = columns.saturating_sub(BETWEEN + of_first);
        let sides = [Laid::new(first, of_first), Laid::new(second, of_second)];
        Self { sides, columns: [of_first, of_second] }
    }

    fn line(&self, row: usize, theme: &Theme) -> Line<'static> {
        let [first, second] = &self.sides;
        let of = |side: &Laid| {
            if row < side.len() { side.line(row, theme) } else { Line::default() }
        };
        let filled = |line: Line<'static>, columns: usize| {
            let wide: usize = line.spans.iter().map(|span| width(&span.content)).sum();
            let pad = Span::raw(" ".repeat(columns.saturating_sub(wide)));
            let to_the_right = line.alignment == Some(Alignment::Right);
            let mut spans = line.spans;
            spans.insert(if to_the_right { 0 } else { spans.len() }, pad);
            spans
        };
        let rule = if theme.unicode { " │ " } else { " | " };
        let mut spans = filled(of(first), self.columns[0]);
        spans.push(Span::styled(rule, theme.dim));
        let second = of(second);
        match second.alignment {
            Some(Alignment::Right) => spans.extend(filled(second, self.columns[1])),
            _ => spans.extend(second.spans),
        }
        Line::from(spans)
    }
}

/// What a paragraph's direction is to those who paint it.
pub fn alignment(direction: Direction) -> Alignment {
    match direction {
        Direction::Left => Alignment::Left,
        Direction::Right => Alignment::Right,
    }
}

fn coloured(class: Class, theme: &Theme) -> Style {
    match class {
        Class::Name => theme.accent,
        Class::Text => theme.good,
        Class::Number => theme.warn,
        Class::Keyword => theme.strong,
        Class::Aside => theme.dim,
    }
}

/// Columns before a row after the first of a paragraph.
fn hang(one: &Paragraph) -> usize {
    one.indent + if one.key.is_empty() { 0 } else { 2 }
}

/// A text in which what was made visible stands out.
pub fn named(text: &str, style: Style, theme: &Theme) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('«') {
        let Some((name, after)) = after.split_once('»') else { break };
        if !before.is_empty() {
            spans.push(Span::styled(before.to_owned(), style));
        }
        spans.push(Span::styled(format!("«{name}»"), theme.bad));
        rest = after;
    }
    if !rest.is_empty() {
        spans.push(Span::styled(rest.to_owned(), style));
    }
    spans
}

/// A line in which every place of `query`, in small letters, is lit.
pub fn lit(line: Line<'static>, query: &str, theme: &Theme) -> Line<'static> {
    let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    let small = text.to_lowercase();
    if query.is_empty() || !small.contains(query) || small.len() != text.len() {
        return line;
    }
    let places: Vec<usize> = small.match_indices(query).map(|(place, _)| place).collect();
    let is_lit = |byte: usize| places.iter().any(|at| (*at..at + query.len()).contains(&byte));
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut byte = 0;
    for span in &line.spans {
        for c in span.content.chars() {
            let style = if is_lit(byte) { span.style.patch(theme.chosen) } else { span.style };
            byte += c.len_utf8();
            match spans.last_mut() {
                Some(last) if last.style == style => last.content.to_mut().push(c),
                _ => spans.push(Span::styled(c.to_string(), style)),
            }
        }
    }
    Line { style: line.style, alignment: line.alignment, spans }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, Env};

    proptest! {
        /// However long a name and however deep a field: every letter is in some row, and no row is
        /// wider than the pane.
        #[test]
        fn nothing_is_beyond_the_edge(
            key in "[a-z]{0,90}", text in "[a-z ]{0,90}", indent in 0_usize..200, columns in 8_usize..90,
        ) {
            let theme = Theme::of(&Config::parse("", "c").unwrap(), &Env::default());
            let one = Paragraph { key: key.clone(), ..Paragraph::new(Tone::Field, indent, &text) };
            let laid = Laid::new(vec![one], columns);
            let lines: Vec<String> = (0..laid.len())
                .map(|row| laid.line(row, &theme).spans.iter().map(|span| span.content.as_ref()).collect())
                .collect();
            prop_assert!(lines.iter().all(|line| width(line) <= columns));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&format!("{key}{text}")));
        }
    }

    /// In a line however long, what is near a row is enough to know what it holds.
    #[test]
    fn an_address_is_known_wherever_it_stands_in_a_long_line() {
        let (one, too_long) = ("https://example.org/a/b?c=d", "x".repeat(LINK_BYTES_MAX));
        let more = "word ".repeat(6_000);
        let text = format!("{more}{one} {more} http://y.example/{too_long} {more}{one}");
        let laid = Laid::new(vec![Paragraph::new(Tone::Text, 0, &text)], 20);
        let links: Vec<Link> = (0..laid.len()).flat_map(|row| laid.links(row)).collect();
        assert!(links.iter().all(|link| link.to == one), "{links:?}");
        let wide: usize = links.iter().map(|link| link.columns.len()).sum();
        assert_eq!(wide, 2 * one.len());
    }

    /// A search in a million words takes no longer than reading them a few times.
    #[test]
    fn every_place_of_a_long_line_is_found_in_its_row() {
        let text = "word ".repeat(200_000);
        let laid = Laid::new(vec![Paragraph::new(Tone::Text, 0, &text)], 10);
        let rows: Vec<usize> = laid.find("word").collect();
        assert_eq!((rows.len(), laid.len()), (200_000, 100_000));
        assert!(rows.iter().enumerate().all(|(i, row)| i / 2 == *row));
    }
}
