//! The rows of a tab: some made beforehand, and those of what is read, of which each is made when it
//! is drawn. A text of megabytes has a million.

use std::collections::BTreeMap;
use std::sync::Arc;

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::highlight::{Class, Classes, classes};
use super::theme::Theme;
use crate::domain::reading::{Paragraph, Tone};
use crate::domain::text::{width, wrap_ranges};

/// The rows of a tab, in order.
#[derive(Debug, Clone, Default)]
pub struct Rows(Vec<Piece>);

#[derive(Debug, Clone)]
enum Piece {
    Made(Vec<Line<'static>>),
    Read(Arc<Laid>),
}

impl From<Vec<Line<'static>>> for Rows {
    fn from(lines: Vec<Line<'static>>) -> Self {
        Self(vec![Piece::Made(lines)])
    }
}

impl Rows {
    pub fn made(&mut self, lines: Vec<Line<'static>>) {
        self.0.push(Piece::Made(lines));
    }

    pub fn read(&mut self, laid: Arc<Laid>) {
        self.0.push(Piece::Read(laid));
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(Piece::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// So many rows from one on.
    pub fn from(&self, first: usize, n: usize, theme: &Theme) -> Vec<Line<'static>> {
        let (mut skip, mut lines) = (first, Vec::with_capacity(n));
        for piece in &self.0 {
            let here = piece.len().saturating_sub(skip).min(n - lines.len());
            match piece {
                Piece::Made(made) => lines.extend(made.iter().skip(skip).take(here).cloned()),
                Piece::Read(laid) => {
                    lines.extend((skip..skip + here).map(|row| laid.line(row, theme)));
                }
            }
            skip = skip.saturating_sub(piece.len());
        }
        lines
    }

    /// The rows in which some of the places where `query` stands begin; it is in small letters.
    pub fn find(&self, query: &str) -> Vec<usize> {
        let (mut before, mut found) = (0, Vec::new());
        for piece in &self.0 {
            match piece {
                Piece::Made(lines) => {
                    for (row, line) in lines.iter().enumerate() {
                        let text: String =
                            line.spans.iter().map(|span| span.content.as_ref()).collect();
                        let n = text.to_lowercase().matches(query).count();
                        found.extend(std::iter::repeat_n(before + row, n));
                    }
                }
                Piece::Read(laid) => found.extend(laid.find(query).map(|row| before + row)),
            }
            before += piece.len();
        }
        found
    }
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Made(lines) => lines.len(),
            Self::Read(laid) => laid.rows.len(),
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
    pub fn new(paragraphs: Vec<Paragraph>, columns: usize) -> Self {
        let mut rows = Vec::with_capacity(paragraphs.len());
        for (at, one) in (0..).zip(&paragraphs) {
            let room = columns.saturating_sub(hang(one, columns)).max(1);
            rows.extend(wrap_ranges(&one.text, room).into_iter().map(|range| Row {
                paragraph: at,
                from: range.start as u32,
                to: range.end as u32,
            }));
        }
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
        Self { paragraphs, rows, code }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn line(&self, row: usize, theme: &Theme) -> Line<'static> {
        let Row { paragraph, from, to } = self.rows[row];
        let (from, to) = (from as usize, to as usize);
        let one = &self.paragraphs[paragraph as usize];
        let style = match one.tone {
            Tone::Text | Tone::Field => theme.text,
            Tone::Heading => theme.accent,
            Tone::Aside => theme.dim,
            Tone::Warn => theme.warn,
        };
        let mut spans = Vec::new();
        if from == 0 {
            spans.push(Span::raw(" ".repeat(one.indent)));
            let key = if one.tone == Tone::Field { theme.accent } else { style };
            spans.push(Span::styled(one.key.clone(), key));
        } else {
            spans.push(Span::raw(" ".repeat(one.indent + if one.key.is_empty() { 0 } else { 2 })));
        }
        let text = one.text[from..to].trim_end();
        let differs = theme.warn.add_modifier(Modifier::UNDERLINED);
        let marked = one.marked.iter().map(|mark| (mark.clone(), differs));
        let of_code = self.code.get(&(paragraph as usize)).into_iter().flatten();
        let of_code = of_code.map(|(range, class)| (range.clone(), coloured(*class, theme)));
        let mut at = 0;
        for (range, other) in marked.chain(of_code) {
            let start = range.start.saturating_sub(from).clamp(at, text.len());
            let end = range.end.saturating_sub(from).clamp(start, text.len());
            if start < end {
                spans.extend(named(&text[at..start], style, theme));
                spans.extend(named(&text[start..end], other, theme));
                at = end;
            }
        }
        spans.extend(named(&text[at..], style, theme));
        Line::from(spans)
    }

    fn find<'l>(&'l self, query: &'l str) -> impl Iterator<Item = usize> + 'l {
        self.paragraphs.iter().enumerate().flat_map(move |(at, one)| {
            let key = one.key.to_lowercase().matches(query).count();
            let text = one.text.to_lowercase();
            // Letters that take more bytes when they are small move places a little.
            let places: Vec<usize> = text.match_indices(query).map(|(place, _)| place).collect();
            let first = self.rows.partition_point(|row| (row.paragraph as usize) < at);
            let row_of = move |place: usize| {
                let rows = self.rows[first..].iter();
                let of_paragraph = rows.take_while(|row| row.paragraph as usize == at);
                first + of_paragraph.filter(|row| row.from as usize <= place).count().max(1) - 1
            };
            std::iter::repeat_n(first, key).chain(places.into_iter().map(row_of))
        })
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

/// Columns that no row of a paragraph has for its text.
fn hang(one: &Paragraph, columns: usize) -> usize {
    (one.indent + width(&one.key)).min(columns / 2)
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
    for span in line.spans {
        for c in span.content.chars() {
            let style = if is_lit(byte) { span.style.patch(theme.chosen) } else { span.style };
            byte += c.len_utf8();
            match spans.last_mut() {
                Some(last) if last.style == style => last.content.to_mut().push(c),
                _ => spans.push(Span::styled(c.to_string(), style)),
            }
        }
    }
    Line::from(spans)
}
