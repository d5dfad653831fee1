//! Keys that are pressed on a review by their names, and what the screen shows then.

use casework::domain::text::width;
use casework::session::Effect;
use casework::tui::dispatch::Event;
use casework::tui::key::KeyPress;
use casework::tui::{Review, draw};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub trait Keys {
    /// Presses keys by name, separated by spaces; `"text"` types its characters, `_` for a space.
    fn press(&mut self, keys: &str) -> Vec<Effect>;

    /// What the screen shows now.
    fn screen(&self) -> Buffer;

    /// The screen as text, without trailing spaces.
    fn text(&self) -> String {
        let buf = self.screen();
        let mut out = String::new();
        for y in 0..buf.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < buf.area.width {
                let symbol = buf[(x, y)].symbol();
                line.push_str(symbol);
                x += (width(symbol).max(1)) as u16;
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

impl Keys for Review {
    fn press(&mut self, keys: &str) -> Vec<Effect> {
        let mut left = Vec::new();
        for name in keys.split(' ').filter(|name| !name.is_empty()) {
            let text = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
            let typed = |c| KeyPress::plain(KeyCode::Char(if c == '_' { ' ' } else { c }));
            let presses: Vec<KeyPress> = match text {
                Some(text) => text.chars().map(typed).collect(),
                None => name.parse().into_iter().collect(),
            };
            for key in presses {
                let mut modifiers = KeyModifiers::empty();
                modifiers.set(KeyModifiers::CONTROL, key.ctrl);
                modifiers.set(KeyModifiers::ALT, key.alt);
                left.extend(self.feed(Event::Key(KeyEvent::new(key.code, modifiers))));
            }
        }
        left
    }

    fn screen(&self) -> Buffer {
        let (width, height) = self.front.size;
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        draw::draw(&self.front, area, &mut buf);
        buf
    }
}
