//! A window of words: what a training says of an answer, what was found, how steady somebody is.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View, lines, list, tree};
use crate::domain::text::{visible, width, wrap};
use crate::tui::key::KeyPress;
use crate::tui::place::Place;
use crate::tui::theme::Theme;

/// The window.
pub struct Words {
    pub title: String,
    pub words: Vec<String>,
    /// Whether a training goes on when it closes.
    pub trains_on: bool,
    /// Whether it stands there until a page of a text comes.
    pub awaits_page: bool,
    pub scroll: usize,
}

impl Words {
    fn lines(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let line = |line: String| {
            let line = if theme.unicode { line } else { tree::ascii(&line) };
            Line::from(Span::styled(line, theme.text))
        };
        self.words.iter().flat_map(|words| hanging(&visible(words), columns)).map(line).collect()
    }

    fn close(&self, cx: &mut Cx<'_>) -> Next {
        if self.trains_on {
            let effects = cx.session.train_on();
            cx.then(effects);
        }
        Next::Closes
    }
}

/// Words in lines of some columns; what goes on in a next line stands below what it goes on, with the
/// branches of a tree drawn through.
fn hanging(words: &str, columns: usize) -> Vec<String> {
    let is_lead = |c: &char| " │├└─↑".contains(*c);
    let lead: String = words.chars().take_while(is_lead).collect();
    if width(&lead) > columns / 2 {
        return wrap(words, columns);
    }
    let below = lead.chars().map(|c| if matches!(c, '│' | '├') { '│' } else { ' ' }).collect();
    let rows = wrap(&words[lead.len()..], columns - width(&lead)).into_iter();
    let leads = std::iter::once(lead).chain(std::iter::repeat::<String>(below));
    leads.zip(rows).map(|(lead, row)| lead + &row).collect()
}

impl Layer for Words {
    fn places(&self) -> &'static [Place] {
        &[Place::Lines, Place::Window]
    }

    /// Scrolls as far as there is more; any other key goes on.
    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        let most = lines::overflow(self.lines(lines::columns(cx.size), cx.theme).len(), cx.size);
        let Some(by) = list::step(action, list::PAGE) else { return self.close(cx) };
        let to = (self.scroll as i64).saturating_add(by).clamp(0, most as i64) as usize;
        if to == self.scroll {
            return self.close(cx);
        }
        self.scroll = to;
        Next::Stays
    }

    fn typed(&mut self, _: KeyEvent, cx: &mut Cx<'_>) -> Next {
        self.close(cx)
    }

    fn yields(&self) -> bool {
        true
    }

    fn awaits_page(&self) -> bool {
        self.awaits_page
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let whole = lines::area(screen);
        let lines = self.lines(usize::from(whole.width.saturating_sub(4)), view.theme);
        // What is short needs no more room than it takes.
        let high = whole.height.min(lines.len() as u16 + 2);
        let named = (self.title.as_str(), "{line-down}");
        lines::draw(Rect { height: high, ..whole }, buf, view, named, &lines, self.scroll);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_stands_below_what_it_goes_on() {
        let rows = hanging("│  ├─ one two three four", 14);
        assert_eq!(rows, ["│  ├─ one two", "│  │  three", "│  │  four"]);
        assert_eq!(hanging("  a b c d", 6), ["  a b", "  c d"]);
        assert_eq!(hanging("one", 14), ["one"]);
    }
}
