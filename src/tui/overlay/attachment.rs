//! What a case brings besides words: a picture in half blocks, a sound as how loud and how high it is,
//! the source of what is text. What is known of it is said in words, always.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View, lines, list};
use crate::domain::text::{fit, visible, visible_lines, wrap};
use crate::media::picture::Picture;
use crate::media::sound::Strip;
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::{boxed, centered, hanging, inside, put_line};
use crate::tui::place::Place;
use crate::tui::theme::Theme;
use crate::workspace::attached::{LookedAt, Shown};

/// Cells of a picture, unless it is enlarged: a slow line takes a second for them.
const PICTURE: (usize, usize) = (40, 16);
/// Signs from dark to light, where there are no colours.
const SHADES: &[u8] = b" .:-=+*#%@";

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("next-attachment", "] l Right", Place::Attachment, "next", "the next one"),
    KeyRow::new("previous-attachment", "[ h Left", Place::Attachment, "", "the one before"),
    KeyRow::new("enlarge", "+ z", Place::Attachment, "larger", "as large as the window, and back"),
    KeyRow::new(
        "open-outside",
        "o",
        Place::Attachment,
        "open",
        "open it in your own program for it",
    ),
];

/// The window.
pub struct Attachment {
    pub looked: LookedAt,
    pub large: bool,
    pub scroll: usize,
}

impl Attachment {
    /// What is said of it, and what is text in it.
    fn lines(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines: Vec<Line<'static>> = Vec::new();
        for facts in &self.looked.facts {
            lines.extend(wrap(&visible(facts), columns).into_iter().map(Line::raw));
        }
        for wrong in &self.looked.wrong {
            lines.extend(hanging("! ", wrong, columns, (theme.warn, theme.warn)));
        }
        match &self.looked.shown {
            Shown::Source(text) => {
                lines.push(Line::default());
                let wrapped = visible_lines(text).into_iter().flat_map(|line| wrap(&line, columns));
                lines.extend(wrapped.map(Line::raw));
            }
            Shown::Sound(strip) => {
                lines.push(Line::default());
                lines.extend(heard(strip, columns, theme));
            }
            Shown::Picture(_) | Shown::Nothing => {}
        }
        lines
    }

    /// Where the picture stands: the lines that are said above it, the box, its own cells.
    fn laid(&self, picture: &Picture, screen: Rect, view: &View<'_>) -> Laid {
        let whole = Self::area(screen);
        let wide = usize::from(whole.width.saturating_sub(4));
        let lines = self.lines(wide, view.theme);
        // On a low screen what is wrong with it comes before what it shows.
        let most =
            if whole.height < 14 { whole.height.saturating_sub(3) } else { whole.height / 3 };
        let said = (lines.len() as u16).min(most);
        let room = (wide, usize::from(whole.height.saturating_sub(said + 2)));
        let room = match self.large {
            true => room,
            false => (PICTURE.0.min(room.0), PICTURE.1.min(room.1)),
        };
        let (columns, rows) = match view.canvas.filter(|_| in_colours(view.theme)) {
            Some(canvas) => canvas.cells(picture, room),
            None => (room.0 as u16, room.1 as u16),
        };
        let area = Rect { height: (said + 2 + rows).min(whole.height), ..whole };
        Laid { lines, said, area, columns, rows }
    }

    fn area(screen: Rect) -> Rect {
        centered(screen, screen.width.saturating_sub(2).min(140), screen.height.saturating_sub(2))
    }
}

/// How loud each channel is over time, and how strong each band of all together; where there is less
/// room, some columns stand for all.
fn heard(strip: &Strip, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let bars = if theme.unicode { " ▁▂▃▄▅▆▇█" } else { " ._-=+*#@" };
    let shades = if theme.unicode { " ░▒▓█" } else { " .:+#" };
    let row = |signs: &str, levels: &[f64]| {
        let signs: Vec<char> = signs.chars().collect();
        let wide = levels.len().min(columns);
        let sign = |x: usize| {
            let level = levels[x * levels.len() / wide];
            signs[((level * signs.len() as f64).ceil() as usize).min(signs.len() - 1)]
        };
        Line::from(Span::styled((0..wide).map(sign).collect::<String>(), theme.accent))
    };
    let mut lines: Vec<Line<'static>> =
        strip.loudness.iter().map(|levels| row(bars, levels)).collect();
    if !strip.bands.is_empty() {
        let words = format!("{} Hz at the top, 0 at the foot", strip.rate / 2);
        lines.push(Line::from(Span::styled(words, theme.dim)));
        lines.extend(strip.bands.iter().map(|levels| row(shades, levels)));
    }
    lines
}

/// The place in the palette of 256 colours that is nearest to a colour.
fn in_palette([r, g, b]: [u8; 3]) -> Color {
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let nearest = |part: u8| {
        let distance = |n: &usize| (STEPS[*n] - i32::from(part)).abs();
        (0..6).min_by_key(distance).unwrap_or(0)
    };
    let parts = [r, g, b];
    let cube = parts.map(nearest);
    let far = |other: [i32; 3]| -> i32 {
        parts.iter().zip(other).map(|(part, other)| (i32::from(*part) - other).pow(2)).sum()
    };
    let grey = (parts.iter().map(|part| i32::from(*part)).sum::<i32>() / 3 - 3)
        .div_euclid(10)
        .clamp(0, 23);
    let index = if far([8 + grey * 10; 3]) < far(cube.map(|n| STEPS[n])) {
        232 + grey as usize
    } else {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    };
    Color::Indexed(index as u8)
}

/// Whether pictures have colours.
fn in_colours(theme: &Theme) -> bool {
    theme.colours && theme.unicode
}

/// A picture in its window.
struct Laid {
    lines: Vec<Line<'static>>,
    /// How many of them there is room for.
    said: u16,
    area: Rect,
    columns: u16,
    rows: u16,
}

impl Laid {
    fn place(&self, inner: Rect) -> Rect {
        let place =
            Rect { y: inner.y + self.said, width: self.columns, height: self.rows, ..inner };
        place.intersection(inner)
    }
}

/// Draws a picture into a rectangle: two points a cell, or a shade where there are no colours.
fn draw_picture(picture: &Picture, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let cells = picture.scaled(usize::from(area.width), usize::from(area.height));
    for (y, row) in (area.y..area.bottom()).zip(cells) {
        for (x, [above, below]) in (area.x..area.right()).zip(row) {
            let cell = &mut buf[(x, y)];
            if in_colours(theme) {
                let (above, below) = (in_palette(above), in_palette(below));
                if above == below {
                    cell.set_symbol(" ").set_bg(above);
                } else {
                    cell.set_symbol("▀").set_fg(above).set_bg(below);
                }
            } else {
                let light = |[r, g, b]: [u8; 3]| {
                    f64::from(r) * 0.299 + f64::from(g) * 0.587 + f64::from(b) * 0.114
                };
                let level = (light(above) + light(below)) / 510.0;
                let shade = SHADES[((level * SHADES.len() as f64) as usize).min(SHADES.len() - 1)];
                cell.set_char(char::from(shade));
            }
        }
    }
}

impl Layer for Attachment {
    fn places(&self) -> &'static [Place] {
        &[Place::Attachment, Place::Lines, Place::Window]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        let effects = match action {
            "next-attachment" => cx.session.look_at(Some(&self.looked.name), 1),
            "previous-attachment" => cx.session.look_at(Some(&self.looked.name), -1),
            "open-outside" => cx.session.open_outside(&self.looked.name),
            "enlarge" => {
                self.large = !self.large;
                return Next::Stays;
            }
            action => {
                let Some(by) = list::step(action, list::PAGE) else { return Next::Closes };
                let most =
                    lines::overflow(self.lines(lines::columns(cx.size), cx.theme).len(), cx.size);
                self.scroll =
                    (self.scroll as i64).saturating_add(by).clamp(0, most as i64) as usize;
                return Next::Stays;
            }
        };
        cx.then(effects);
        Next::Stays
    }

    fn cursor(&self) -> usize {
        usize::from(self.large)
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let (whole, theme) = (Self::area(screen), view.theme);
        let wide = usize::from(whole.width.saturating_sub(4));
        let lines = self.lines(wide, theme);
        let title = fit(&visible(&self.looked.name), wide).into_owned();
        let Shown::Picture(picture) = &self.looked.shown else {
            let high = whole.height.min(lines.len() as u16 + 2);
            let area = Rect { height: high, ..whole };
            return lines::draw(area, buf, view, (&title, "{line-down}"), &lines, self.scroll);
        };
        let laid = self.laid(picture, screen, view);
        let inner = boxed(laid.area, buf, theme, &title);
        for (row, line) in laid.lines.iter().take(usize::from(laid.said)).enumerate() {
            put_line(buf, inner, row as u16, line);
        }
        // Points are drawn over cells that are blank.
        if view.canvas.is_none() || !in_colours(theme) {
            draw_picture(picture, laid.place(inner), buf, theme);
        }
    }

    fn picture(&self, screen: Rect, view: &View<'_>) -> Option<(Arc<Picture>, Rect)> {
        let Shown::Picture(picture) = &self.looked.shown else { return None };
        if !in_colours(view.theme) {
            return None;
        }
        let laid = self.laid(picture, screen, view);
        let place = laid.place(inside(laid.area));
        (!place.is_empty()).then(|| (Arc::clone(picture), place))
    }
}
