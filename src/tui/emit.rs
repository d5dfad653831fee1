//! What is written to the terminal for what changed between two frames: as few bytes as that takes,
//! for a line over SSH is slow and every key is waited for.
//!
//! Rows whose signs terminals count differently are written whole, and the cursor is put anew before
//! the next word, and before whatever else follows one: a border, another pane. So only that word can
//! stand a little off.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::rows::Link;
use crate::domain::text::{is_unsure, width};

/// Blanks in a row from which on they are erased rather than written.
const ERASED_FROM: usize = 10;
/// Bytes of what did not change that are written again rather than stepped over.
const STEP: usize = 4;

/// What is seen of a blank: all else of its style is not.
const SEEN_OF_BLANKS: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::CROSSED_OUT)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK);

/// A cell of a row; none where a wide sign before it covers it.
type Slot<'b> = Option<&'b Cell>;

/// How what is written looks.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }

    /// Whether a cell looks the same when it is written with this pen.
    fn writes(self, cell: &Cell) -> bool {
        let of = Self::of(cell);
        if cell.symbol() != " " || of.modifier.contains(Modifier::REVERSED) {
            return self == of;
        }
        self.bg == of.bg
            && self.modifier.intersection(SEEN_OF_BLANKS)
                == of.modifier.intersection(SEEN_OF_BLANKS)
    }
}

/// Whether nothing is seen in a cell.
fn is_plain_blank(slot: Slot<'_>) -> bool {
    slot.is_some_and(|cell| cell.symbol() == " " && Pen::PLAIN.writes(cell))
}

fn is_same(one: Slot<'_>, other: Slot<'_>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            one.symbol() == other.symbol()
                && Pen::of(one).writes(other)
                && Pen::of(other).writes(one)
        }
        _ => false,
    }
}

fn cells(buffer: &Buffer, row: u16) -> &[Cell] {
    let columns = usize::from(buffer.area.width);
    let first = usize::from(row) * columns;
    buffer.content.get(first..first + columns).unwrap_or_default()
}

/// The cells of a row, by column.
fn slots(cells: &[Cell]) -> Vec<Slot<'_>> {
    let columns = cells.len();
    let mut slots: Vec<Slot<'_>> = Vec::with_capacity(columns);
    while let Some(cell) = cells.get(slots.len()) {
        slots.push(Some(cell));
        let symbol = cell.symbol();
        let covers = if symbol.len() == 1 { 0 } else { width(symbol).max(1) - 1 };
        slots.extend(std::iter::repeat_n(None, covers.min(columns - slots.len())));
    }
    slots
}

/// What is to be written so that a terminal that shows `before` shows `now`, which is as large. They
/// are known to be the `same` there, up to the right edge.
pub fn changes(before: &Buffer, now: &Buffer, same: Rect) -> Vec<u8> {
    let Rect { width, height, .. } = now.area;
    let mut out = Output { bytes: Vec::new(), pen: Pen::PLAIN, at: None, columns: width.into() };
    for y in 0..height {
        let is_within = (same.top()..same.bottom()).contains(&y);
        let columns = usize::from(if is_within { same.left() } else { width });
        let (was, is) = (cells(before, y), cells(now, y));
        // Most rows of most frames.
        if was[..columns] == is[..columns] {
            continue;
        }
        let (old, new) = (slots(&was[..columns]), slots(&is[..columns]));
        let changed: Vec<bool> =
            old.iter().zip(&new).map(|(old, new)| !is_same(*old, *new)).collect();
        if !changed.contains(&true) {
            continue;
        }
        let unsure = |row: &[Slot<'_>]| row.iter().flatten().any(|cell| is_unsure(cell.symbol()));
        if unsure(&old) || unsure(&new) {
            out.whole_row(y, &slots(is));
        } else {
            out.changed_cells(y, &new, changed, columns == is.len());
        }
    }
    out.pen(Pen::PLAIN);
    out.bytes
}

/// What is to be written after the changes, so that addresses are links where they stand now, and
/// nothing else is one. Cells that are written anew are none.
pub fn linked((before, old): (&Buffer, &[Link]), (now, new): (&Buffer, &[Link])) -> Vec<u8> {
    let columns = now.area.width.into();
    let mut out = Output { bytes: Vec::new(), pen: Pen::PLAIN, at: None, columns };
    let cells = |buffer: &Buffer, link: &Link| -> Vec<Cell> {
        let row = slots(cells(buffer, link.row as u16));
        let cells = row.get(link.columns.clone()).unwrap_or_default();
        cells.iter().flatten().map(|cell| (*cell).clone()).collect()
    };
    for link in old.iter().filter(|link| !new.contains(link)) {
        out.cells(link, &cells(now, link));
    }
    for link in new {
        let here = cells(now, link);
        if old.contains(link) && here == cells(before, link) {
            continue;
        }
        // Pieces of one address that goes on in a next row belong together.
        let mut hasher = DefaultHasher::new();
        link.to.hash(&mut hasher);
        out.go(link.columns.start, link.row as u16);
        let open = format!("\x1b]8;id={:x};{}\x1b\\", hasher.finish(), link.to);
        out.bytes.extend(open.bytes());
        out.cells(link, &here);
        out.bytes.extend(b"\x1b]8;;\x1b\\");
    }
    out.pen(Pen::PLAIN);
    out.bytes
}

struct Output {
    bytes: Vec<u8>,
    pen: Pen,
    /// Column and row of the cursor; none where that is not known.
    at: Option<(usize, u16)>,
    columns: usize,
}

impl Output {
    fn code(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = write!(self.bytes, "\x1b[{arguments}");
    }

    fn go(&mut self, x: usize, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((from, row)) if row == y && from < x && x - from < 10 => {
                if x - from == 1 {
                    self.code(format_args!("C"));
                } else {
                    self.code(format_args!("{}C", x - from));
                }
            }
            Some((_, row)) if row + 1 == y && x == 0 => self.bytes.extend(b"\r\n"),
            Some((_, row)) if row == y => self.code(format_args!("{}G", x + 1)),
            _ if x == 0 => self.code(format_args!("{}H", y + 1)),
            _ => self.code(format_args!("{};{}H", y + 1, x + 1)),
        }
        self.at = Some((x, y));
    }

    /// Writes the cells where a link stands, or stood.
    fn cells(&mut self, link: &Link, cells: &[Cell]) {
        self.go(link.columns.start, link.row as u16);
        cells.iter().for_each(|cell| self.cell(cell));
    }

    /// Writes a cell where the cursor is.
    fn cell(&mut self, cell: &Cell) {
        if !self.pen.writes(cell) {
            let of = Pen::of(cell);
            // The colour of a blank is kept as it is: what follows may need it.
            let blank = cell.symbol() == " " && !of.modifier.contains(Modifier::REVERSED);
            self.pen(if blank { Pen { fg: self.pen.fg, ..of } } else { of });
        }
        self.bytes.extend(cell.symbol().as_bytes());
        let wide = width(cell.symbol()).max(1);
        // At the edge terminals differ about where the cursor is.
        self.at = self.at.map(|(x, y)| (x + wide, y)).filter(|(x, _)| *x < self.columns);
    }

    /// A row of which every sign is written again, for where some stand is not sure.
    fn whole_row(&mut self, y: u16, row: &[Slot<'_>]) {
        self.at = None;
        self.go(0, y);
        self.erase_with_plain();
        self.code(format_args!("K"));
        let mut astray = false;
        let mut blank = true;
        for (x, slot) in row.iter().enumerate() {
            let Some(cell) = slot else { continue };
            if is_plain_blank(*slot) {
                blank = true;
                continue;
            }
            let symbol = cell.symbol();
            let begins = blank || is_line(symbol);
            if astray && begins {
                self.at = None;
                self.code(format_args!("{}G", x + 1));
                self.at = Some((x, y));
                astray = false;
            } else if !astray {
                self.go(x, y);
            }
            self.cell(cell);
            astray |= is_unsure(symbol);
            blank = symbol == " ";
        }
        self.at = None;
    }

    /// Cells of a row that changed, with what lies between them where that costs less than a step.
    /// `to_edge`: whether nothing stands behind them.
    fn changed_cells(&mut self, y: u16, row: &[Slot<'_>], mut changed: Vec<bool>, to_edge: bool) {
        // A wide sign changes with what it covers.
        for x in (1..row.len()).rev() {
            if changed[x] && row[x].is_none() {
                changed[x - 1] = true;
            }
        }
        let last = row.iter().rposition(|slot| !is_plain_blank(*slot));
        let end = if to_edge { last.map_or(0, |last| last + 1) } else { row.len() };
        let mut x = 0;
        while x < row.len() {
            let Some(first) = (x..row.len()).find(|x| changed[*x]) else { return };
            if first >= end {
                // Nothing is seen from here to the edge.
                self.go(first, y);
                self.erase_with_plain();
                return self.code(format_args!("K"));
            }
            // What was erased did not move the cursor.
            if self.at == Some((x, y)) && self.is_cheap(&row[x..first]) {
                for cell in row[x..first].iter().flatten() {
                    self.cell(cell);
                }
            }
            let blanks = row[first..end].iter().take_while(|slot| is_plain_blank(**slot)).count();
            if blanks >= ERASED_FROM {
                self.go(first, y);
                self.erase_with_plain();
                self.code(format_args!("{blanks}X"));
                x = first + blanks;
                continue;
            }
            self.go(first, y);
            x = first;
            while x < end && changed[x] {
                let long = row[x..end].iter().take_while(|slot| is_plain_blank(**slot)).count();
                if long >= ERASED_FROM {
                    break;
                }
                if let Some(cell) = row[x] {
                    self.cell(cell);
                }
                x += 1;
            }
        }
    }

    /// Whether some cells cost less than a step over them.
    fn is_cheap(&self, cells: &[Slot<'_>]) -> bool {
        let cells = || cells.iter().flatten();
        cells().map(|cell| cell.symbol().len()).sum::<usize>() <= STEP
            && cells().all(|cell| self.pen.writes(cell))
    }

    /// What is erased takes the background that is written with.
    fn erase_with_plain(&mut self) {
        let seen = self.pen.modifier.intersection(SEEN_OF_BLANKS);
        if self.pen.bg != Color::Reset || !seen.is_empty() {
            self.pen(Pen::PLAIN);
        }
    }

    fn pen(&mut self, to: Pen) {
        if self.pen == to {
            return;
        }
        let anew = [&["0".to_owned()][..], &codes(Pen::PLAIN, to)].concat().join(";");
        let changed = codes(self.pen, to).join(";");
        let codes = if anew.len() < changed.len() { &anew } else { &changed };
        let codes = if codes == "0" { "" } else { codes };
        self.code(format_args!("{codes}m"));
        self.pen = to;
    }
}

/// Whether a sign is a piece of a line that is drawn.
fn is_line(symbol: &str) -> bool {
    symbol.chars().next().is_some_and(|c| ('\u{2500}'..='\u{257f}').contains(&c)) || symbol == "|"
}

/// What turns one pen into another.
fn codes(from: Pen, to: Pen) -> Vec<String> {
    const CODES: [(Modifier, u8, u8); 9] = [
        (Modifier::BOLD, 1, 22),
        (Modifier::DIM, 2, 22),
        (Modifier::ITALIC, 3, 23),
        (Modifier::UNDERLINED, 4, 24),
        (Modifier::SLOW_BLINK, 5, 25),
        (Modifier::RAPID_BLINK, 6, 25),
        (Modifier::REVERSED, 7, 27),
        (Modifier::HIDDEN, 8, 28),
        (Modifier::CROSSED_OUT, 9, 29),
    ];
    let mut codes: Vec<String> = Vec::new();
    let mut has = from.modifier;
    for (modifier, _, off) in CODES {
        if has.contains(modifier) && !to.modifier.contains(modifier) {
            codes.push(off.to_string());
            // What is ended together begins anew.
            for (other, _, _) in CODES.iter().filter(|(.., other)| *other == off) {
                has.remove(*other);
            }
        }
    }
    for (modifier, on, _) in CODES {
        if to.modifier.contains(modifier) && !has.contains(modifier) {
            codes.push(on.to_string());
        }
    }
    if from.fg != to.fg {
        codes.push(colour(to.fg, 30));
    }
    if from.bg != to.bg {
        codes.push(colour(to.bg, 40));
    }
    codes
}

/// The code of a colour, of letters from 30 on, of what is behind them from 40 on.
fn colour(colour: Color, from: u8) -> String {
    let of_palette = |n: u8| if n < 8 { from + n } else { from + 60 + n - 8 }.to_string();
    match colour {
        Color::Reset => (from + 9).to_string(),
        Color::Black => of_palette(0),
        Color::Red => of_palette(1),
        Color::Green => of_palette(2),
        Color::Yellow => of_palette(3),
        Color::Blue => of_palette(4),
        Color::Magenta => of_palette(5),
        Color::Cyan => of_palette(6),
        Color::Gray => of_palette(7),
        Color::DarkGray => of_palette(8),
        Color::LightRed => of_palette(9),
        Color::LightGreen => of_palette(10),
        Color::LightYellow => of_palette(11),
        Color::LightBlue => of_palette(12),
        Color::LightMagenta => of_palette(13),
        Color::LightCyan => of_palette(14),
        Color::White => of_palette(15),
        Color::Indexed(n) => format!("{};5;{n}", from + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", from + 8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Style;

    use super::*;

    const SIZE: (u16, u16) = (24, 5);

    /// A frame: pieces of text, each somewhere, in some style.
    fn frames() -> impl Strategy<Value = Buffer> {
        let colours = prop::sample::select(vec![
            Color::Reset,
            Color::Cyan,
            Color::LightRed,
            Color::Indexed(200),
            Color::Rgb(1, 2, 3),
        ]);
        let modifiers = prop::sample::select(vec![
            Modifier::empty(),
            Modifier::BOLD,
            Modifier::DIM,
            Modifier::REVERSED,
            Modifier::UNDERLINED,
            Modifier::BOLD.union(Modifier::UNDERLINED),
        ]);
        let words = prop::sample::select(vec![
            "word",
            "a b",
            "            ",
            "漢字",
            "x",
            "│",
            "é",
            "long words in a row",
            " ",
        ]);
        let piece = (0..SIZE.0, 0..SIZE.1, words, colours.clone(), colours, modifiers);
        prop::collection::vec(piece, 0..14).prop_map(|pieces| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
            for (x, y, words, fg, bg, modifier) in pieces {
                let style = Style::new().fg(fg).bg(bg).add_modifier(modifier);
                buffer.set_stringn(x, y, words, usize::from(SIZE.0 - x), style);
            }
            buffer
        })
    }

    fn told(colour: Color) -> vt100::Color {
        match colour {
            Color::Cyan => vt100::Color::Idx(6),
            Color::LightRed => vt100::Color::Idx(9),
            Color::Indexed(n) => vt100::Color::Idx(n),
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            _ => vt100::Color::Default,
        }
    }

    /// What is erased leaves the cursor where it was: what stayed behind it is not written there.
    #[test]
    fn a_sign_that_stayed_behind_what_was_erased_stays_where_it_is() {
        let row = |text: &str| Buffer::with_lines([text]);
        let (before, now) = (row("|what was here once.cd|"), row("|                   cx|"));
        let mut terminal = vt100::Parser::new(1.try_into().unwrap(), 23.try_into().unwrap(), 0);
        terminal.process(b"\x1b[?7l");
        let blank = Buffer::empty(now.area);
        terminal.process(&changes(&blank, &before, Rect::ZERO));
        terminal.process(&changes(&before, &now, Rect::ZERO));
        assert_eq!(terminal.screen().contents(), "|                   cx|");
    }

    proptest! {
        /// A terminal of somebody else's shows what each frame holds, whatever was there before.
        #[test]
        fn a_terminal_shows_what_the_frame_holds(frames in prop::collection::vec(frames(), 1..4)) {
            let mut terminal = vt100::Parser::new(SIZE.1.try_into().unwrap(), SIZE.0.try_into().unwrap(), 0);
            let mut before = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
            for mut now in frames {
                // The right half of some rows is what it was, where no wide sign stands in the middle.
                let same = Rect::new(12, 1, SIZE.0 - 12, 3);
                let is_split = |buffer: &Buffer, y| slots(cells(buffer, y))[12].is_none();
                let same = match same.rows().any(|row| is_split(&now, row.y) || is_split(&before, row.y)) {
                    true => Rect::ZERO,
                    false => same,
                };
                same.positions().for_each(|at| now[at] = before[at].clone());
                terminal.process(b"\x1b[?7l");
                terminal.process(&changes(&before, &now, same));
                for y in 0..SIZE.1 {
                    for (x, slot) in slots(cells(&now, y)).into_iter().enumerate() {
                        let Some(cell) = slot else { continue };
                        let shown = terminal.screen().cell(y, x as u16).unwrap();
                        let blank = cell.symbol() == " ";
                        let contents = if shown.contents().is_empty() { " " } else { shown.contents() };
                        prop_assert_eq!(contents, cell.symbol(), "{} {}", x, y);
                        prop_assert_eq!(shown.bgcolor(), told(cell.bg));
                        prop_assert_eq!(shown.inverse(), cell.modifier.contains(Modifier::REVERSED));
                        prop_assert_eq!(shown.underline(), cell.modifier.contains(Modifier::UNDERLINED));
                        if !blank || shown.inverse() {
                            prop_assert_eq!(shown.fgcolor(), told(cell.fg));
                            // It knows one of bold and dim, not both.
                            let bold = cell.modifier.contains(Modifier::BOLD);
                            prop_assert!(shown.bold() == bold || cell.modifier.contains(Modifier::DIM));
                        }
                    }
                }
                prop_assert!(changes(&now, &now, Rect::ZERO).is_empty());
                before = now;
            }
        }
    }
}
