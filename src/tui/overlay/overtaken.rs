//! A label that was about to be given where its reviewer had labeled the case meanwhile, in another window: it asks which is to
//! count. Only what answers that does anything, so that keys typed ahead decide nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::list;
use crate::domain::label::outcome_in_short;
use crate::domain::text::{visible, wrap};
use crate::session::window::Overtaken;
use crate::tui::theme::Theme;

/// The question, with what it is about.
#[derive(Debug, Clone)]
pub struct OvertakenWindow(pub Overtaken);

impl OvertakenWindow {
    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let columns = list::columns(screen);
        let other = &self.0.other;
        let case = self.0.label.case.short();
        let title = format!("You labeled {case} meanwhile, in another window");
        let mut lines = Vec::new();
        let mut say = |text: String, style| {
            let wrapped = wrap(&visible(&text), columns).into_iter();
            lines.extend(wrapped.map(|line| Line::from(Span::styled(line, style))));
        };
        say(format!("At {} you said  {}", other.given_at().clock(), outcome_in_short(&other.label.outcome)), theme.text);
        say(format!("Here you say        {}", outcome_in_short(&self.0.label.outcome)), theme.strong);
        say(String::new(), theme.text);
        say("y  replace it with this label".to_owned(), theme.text);
        say("n  keep that label, and drop these answers".to_owned(), theme.text);
        say("Esc  decide later: these answers stay a draft".to_owned(), theme.dim);
        list::draw(screen, buf, theme, &title, 0, vec![lines]);
    }
}
