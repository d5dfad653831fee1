//! Pictures in points, on terminals that said that they draw them; everywhere else there are blocks.
//!
//! ```text
//!  CSI > q ──its name: kitty, ghostty───────────▶ kitty's graphics   (lies over the cells)
//!          ──WezTerm, iTerm2, mintty────────────▶ inline images     ┐
//!  CSI c   ──4 among what it can, and the       ▶ sixels            ┴ (stand in the cells)
//!            size of a cell is known
//!  tmux, screen, no answer, no colours ─────────▶ blocks
//! ```
//!
//! How many bytes a picture may take is what the line carries in two seconds (`pace.rs`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::layout::Rect;

use crate::media::picture::Picture;
use crate::media::pixels::Points;

/// A picture in kitty's has a number, by which it is taken away.
const NUMBER: u32 = 31;
/// Bytes that kitty's protocol takes at a time.
const CHUNK: usize = 4096;
/// Columns and rows of points that a cell has, where the terminal does not say.
const CELL: (u16, u16) = (8, 16);
/// A small picture is drawn at most so many times as large.
const ENLARGED_MAX: f64 = 16.0;

/// How a terminal takes points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Kitty's graphics.
    Kitty,
    /// iTerm2's inline images.
    Inline,
    Sixel,
}

/// What is known of how a terminal draws points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    pub protocol: Protocol,
    /// Columns and rows of points in a cell.
    pub cell: (u16, u16),
}

impl Canvas {
    /// How a terminal of that name draws them, if it does; `sixels` is whether it says that it knows
    /// those, `cell` says the size of a cell, where it is known.
    pub fn of(
        name: Option<&str>,
        sixels: bool,
        cell: impl FnOnce() -> Option<(u16, u16)>,
    ) -> Option<Self> {
        let is = |names: &[&str]| {
            name.is_some_and(|name| names.iter().any(|known| name.starts_with(known)))
        };
        // Inside of these nothing is known of the terminal around them.
        if is(&["tmux", "screen"]) {
            return None;
        }
        let protocol = if is(&["kitty", "ghostty"]) {
            Protocol::Kitty
        } else if is(&["WezTerm", "iTerm2", "mintty"]) {
            Protocol::Inline
        } else if sixels {
            Protocol::Sixel
        } else {
            return None;
        };
        let cell = match (protocol, cell()) {
            // Sixels cover points, not cells.
            (Protocol::Sixel, None) => return None,
            (_, cell) => cell.unwrap_or(CELL),
        };
        Some(Self { protocol, cell })
    }

    /// How many cells a picture takes of so many columns and rows: as large as it fits, with its
    /// proportions.
    pub fn cells(&self, picture: &Picture, (columns, rows): (usize, usize)) -> (u16, u16) {
        let (wide, high) = (f64::from(picture.width), f64::from(picture.height));
        let (cell_wide, cell_high) = (f64::from(self.cell.0), f64::from(self.cell.1));
        let room = (columns as f64 * cell_wide, rows as f64 * cell_high);
        let scale = (room.0 / wide).min(room.1 / high).min(ENLARGED_MAX);
        let cells = |points: f64, of: f64, most: usize| {
            ((points * scale / of).round() as usize).clamp(1, most.max(1)) as u16
        };
        (cells(wide, cell_wide, columns), cells(high, cell_high, rows))
    }

    /// What draws a picture in the cells of a rectangle, in at most so many bytes where that can be.
    pub fn drawn(&self, picture: &Picture, place: Rect, bytes: usize) -> Vec<u8> {
        let mut out = format!("\x1b[{};{}H", place.y + 1, place.x + 1).into_bytes();
        let most = |cells: u16, cell: u16| usize::from(cells) * usize::from(cell);
        let mut size = (most(place.width, self.cell.0), most(place.height, self.cell.1));
        // A point takes about half a byte; far larger ones need not be tried.
        let guess = (bytes as f64 * 3.0 / (size.0 * size.1).max(1) as f64).sqrt().min(1.0);
        let smaller = |of: usize, by: f64| ((of as f64 * by) as usize).max(1);
        size = (smaller(size.0, guess), smaller(size.1, guess));
        // What has to be smaller is made of what was made of all its points.
        let mut last;
        let mut from = picture;
        loop {
            let points = Points::of(from, size.0, size.1);
            let Some(drawn) = self.written(&points, place) else { return Vec::new() };
            if drawn.len() <= bytes || size.0.max(size.1) <= 32 {
                out.extend(drawn);
                return out;
            }
            last = from.smaller(size.0, size.1);
            from = &last;
            let by = (bytes as f64 / drawn.len() as f64).sqrt().min(0.9) * 0.95;
            size = (smaller(size.0, by), smaller(size.1, by));
        }
    }

    fn written(&self, points: &Points, place: Rect) -> Option<Vec<u8>> {
        let (columns, rows) = (place.width, place.height);
        Some(match self.protocol {
            Protocol::Sixel => points.sixels(),
            Protocol::Inline => {
                let png = points.png()?;
                let (size, data) = (png.len(), STANDARD.encode(&png));
                let how = format!(
                    "inline=1;size={size};width={columns};height={rows};preserveAspectRatio=1;\
                     doNotMoveCursor=1"
                );
                format!("\x1b]1337;File={how}:{data}\x07").into_bytes()
            }
            Protocol::Kitty => {
                let data = STANDARD.encode(points.png()?);
                let mut out = Vec::with_capacity(data.len() + data.len() / CHUNK * 16 + 100);
                let n = data.len().div_ceil(CHUNK);
                for (at, chunk) in data.as_bytes().chunks(CHUNK).enumerate() {
                    let how = match at {
                        // Shown where the cursor is, which stays; nothing is answered.
                        0 => format!("a=T,f=100,i={NUMBER},q=2,c={columns},r={rows},C=1,"),
                        _ => String::new(),
                    };
                    out.extend(format!("\x1b_G{how}m={};", u8::from(at + 1 < n)).bytes());
                    out.extend(chunk);
                    out.extend(b"\x1b\\");
                }
                out
            }
        })
    }

    /// What takes it away, where cells that are written do not.
    pub fn erased(&self) -> Vec<u8> {
        match self.protocol {
            Protocol::Kitty => format!("\x1b_Ga=d,d=I,i={NUMBER},q=2\x1b\\").into_bytes(),
            Protocol::Inline | Protocol::Sixel => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_drawn_only_by_who_said_so() {
        let of =
            |name, sixels, cell| Canvas::of(name, sixels, || cell).map(|canvas| canvas.protocol);
        assert_eq!(of(Some("kitty(0.43.1)"), false, None), Some(Protocol::Kitty));
        assert_eq!(of(Some("WezTerm 20240203"), true, None), Some(Protocol::Inline));
        assert_eq!(of(Some("XTerm(390)"), true, Some((6, 13))), Some(Protocol::Sixel));
        assert_eq!(of(Some("XTerm(390)"), true, None), None, "of cells of unknown size");
        assert_eq!(of(None, false, Some((8, 16))), None);
        assert_eq!(of(Some("tmux 3.4"), true, Some((8, 16))), None);
    }

    /// Whatever the picture and the room: it is within its rectangle, and within its bytes unless
    /// it is tiny.
    #[test]
    fn a_picture_keeps_to_its_cells_and_bytes() {
        let point = |n: u32| [(n * 7) as u8, (n / 300) as u8, (n * n) as u8, 255];
        for (width, height) in [(300, 200), (20, 900), (3, 2)] {
            let picture =
                Picture::of_points(width, height, (0..width * height).map(point).collect());
            for protocol in [Protocol::Kitty, Protocol::Inline, Protocol::Sixel] {
                let canvas = Canvas { protocol, cell: (9, 18) };
                for bytes in [8_000, 30_000, 300_000] {
                    let (columns, rows) = canvas.cells(&picture, (40, 16));
                    assert!(columns <= 40 && rows <= 16);
                    let place = Rect { x: 3, y: 4, width: columns, height: rows };
                    let drawn = canvas.drawn(&picture, place, bytes);
                    assert!(drawn.starts_with(b"\x1b[5;4H"));
                    assert!(drawn.len() <= bytes + 20, "{} of {bytes}, {protocol:?}", drawn.len());
                }
            }
        }
    }
}
