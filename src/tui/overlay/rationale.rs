//! The rationale, written in place. It is kept as it is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget as _;

use crate::tui::draw::{boxed, centered};
use crate::tui::edit::Edit;
use crate::tui::theme::Theme;

pub fn draw(edit: &Edit, screen: Rect, buf: &mut Buffer, theme: &Theme) {
    let area = centered(screen, screen.width.saturating_sub(8).min(76), screen.height.saturating_sub(6).min(12));
    let inner = boxed(area, buf, theme, "Why (Esc: done; ctrl-e: in your editor)");
    edit.area().render(inner, buf);
}
