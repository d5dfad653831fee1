//! One line asked for at the bottom: a filter, a reason, a comment, tags.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use crate::domain::ids::{CaseId, ReplicaId};
use crate::domain::text::{fit, visible, width};
use crate::tui::draw::put_line;
use crate::tui::edit::Edit;
use crate::tui::theme::Theme;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    Filter,
    Defer,
    Escalate,
    Comment,
    Tags,
    Retire,
    /// The answer to a question.
    Answer,
    Gold,
    Appeal,
}

impl PromptKind {
    fn ask(self) -> &'static str {
        match self {
            Self::Filter => "Filter (words, flag:… label:… stream:… model:… id:…): ",
            Self::Defer => "Put off, because: ",
            Self::Escalate => "Ask a lead: ",
            Self::Comment => "Comment: ",
            Self::Tags => "Tags, separated by spaces: ",
            Self::Retire => "Retire, because: ",
            Self::Answer => "> ",
            Self::Appeal => "What the ruling did not weigh: ",
            Self::Gold => "The known answer. Said to whoever answers otherwise: ",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Prompt {
    pub kind: PromptKind,
    /// Whom it is about, said before what is asked.
    pub about: String,
    /// The case that it is about, if that is not the open one.
    pub case: Option<CaseId>,
    /// The person on a device that it is about.
    pub person: Option<(String, ReplicaId)>,
    pub edit: Edit,
}

impl Prompt {
    pub fn new(kind: PromptKind, text: &str) -> Self {
        Self { kind, about: String::new(), case: None, person: None, edit: Edit::new(text) }
    }

    /// Draws over one line.
    pub fn draw(&self, line: Rect, buf: &mut Buffer, theme: &Theme) {
        for x in line.left()..line.right() {
            buf[(x, line.y)].reset();
        }
        let ask = format!("{}{}", visible(&self.about), self.kind.ask());
        let room = usize::from(line.width).saturating_sub(12);
        // What was typed needs its room too.
        let ask = if width(&ask) > room { format!("{}> ", fit(&visible(&self.about), room / 2)) } else { ask };
        let used = width(&ask) as u16 + 1;
        put_line(buf, line, 0, &Line::from(vec![Span::raw(" "), Span::styled(ask, theme.accent)]));
        let rest = Rect { x: line.x + used.min(line.width), width: line.width.saturating_sub(used), ..line };
        self.edit.area().render(rest, buf);
    }
}
