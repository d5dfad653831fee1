//! A label that was about to be given where its reviewer had labeled the case meanwhile, in another
//! window: it asks which is to count. Only what answers that does anything, so that keys typed
//! ahead decide nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Cx, Layer, Next, View, list};
use crate::domain::label::outcome_in_short;
use crate::domain::text::{visible, wrap};
use crate::session::window::{Counts, Overtaken};
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new(
        "count-this",
        "y",
        Place::Overtaken,
        "",
        "replace the label given meanwhile with this one",
    ),
    KeyRow::new(
        "count-other",
        "n",
        Place::Overtaken,
        "",
        "keep the label given meanwhile, and drop these answers",
    ),
];

/// The question, with what it is about.
pub struct OvertakenWindow(pub Overtaken);

impl Layer for OvertakenWindow {
    fn places(&self) -> &'static [Place] {
        &[Place::Overtaken, Place::Window]
    }

    /// Nothing but its keys answers it: others may have been typed ahead.
    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        let choice = match action {
            "count-this" => Counts::Mine,
            "count-other" => Counts::Other,
            _ => Counts::Later,
        };
        let effects = cx.session.decided(self.0.clone(), choice);
        cx.then(effects);
        Next::Closes
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let (theme, keymap) = (view.theme, view.keymap);
        let columns = list::columns(screen);
        let other = &self.0.other;
        let case = self.0.label.case.short();
        let title = format!("You labeled {case} meanwhile, in another window");
        let mut lines = Vec::new();
        let mut say = |text: String, style| {
            let wrapped = wrap(&visible(&text), columns).into_iter();
            lines.extend(wrapped.map(|line| Line::from(Span::styled(line, style))));
        };
        say(
            format!(
                "At {} you said  {}",
                other.given_at().clock(),
                outcome_in_short(&other.label.outcome)
            ),
            theme.text,
        );
        say(
            format!("Here you say        {}", outcome_in_short(&self.0.label.outcome)),
            theme.strong,
        );
        say(String::new(), theme.text);
        say(keymap.fill("{count-this}  replace it with this label"), theme.text);
        say(keymap.fill("{count-other}  keep that label, and drop these answers"), theme.text);
        say(keymap.fill("{close}  decide later: these answers stay a draft"), theme.dim);
        list::draw(screen, buf, theme, &title, 0, vec![lines]);
    }
}
