//! The whole protocol as a tree, with what was answered and where one is.

use ratatui::text::{Line, Span};

use super::View;
use crate::domain::text::{fit, visible, wrap};

/// The lines of the window, at a width.
pub fn lines(view: &View<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let Some((opened, protocol)) =
        view.session.opened.as_ref().and_then(|opened| Some((opened, opened.protocol()?)))
    else {
        return vec![Line::raw("No case is open, so no protocol is at work.")];
    };
    let path = opened.draft.path(protocol);
    let asked = opened.question().map(|question| question.id.clone());
    let mut lines = Vec::new();
    for line in protocol.tree() {
        let id = &protocol.questions[line.question].id;
        let given = path.iter().find(|(question, _)| question == id).map(|(_, answer)| answer);
        let here = line.answer.is_none()
            && asked.as_ref() == Some(id)
            && line.words.starts_with(id.as_str());
        let taken = match (&line.answer, given) {
            (Some(key), Some(given)) => given.split(',').any(|part| part == key),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let (mark, style) = match (here, taken) {
            (true, _) => (theme.sign("▸ ", "> "), theme.accent),
            (false, true) => (theme.sign("✓ ", "+ "), theme.good),
            (false, false) => ("  ", if line.answer.is_none() { theme.text } else { theme.dim }),
        };
        let branch = if theme.unicode { line.branch.clone() } else { ascii(&line.branch) };
        // Deep down there is room for the words all the same.
        let branch = fit(&branch, columns / 2).into_owned();
        let used = crate::domain::text::width(&branch) + 2;
        let words = if theme.unicode {
            line.words
        } else {
            line.words.replace('→', ">").replace('■', "=")
        };
        for (i, part) in
            wrap(&visible(&words), columns.saturating_sub(used + 2)).into_iter().enumerate()
        {
            let lead = if i == 0 { branch.clone() } else { " ".repeat(used - 2) + "  " };
            lines.push(Line::from(vec![
                Span::styled(if i == 0 { mark } else { "  " }, style),
                Span::styled(lead, theme.dim),
                Span::styled(part, style),
            ]));
        }
    }
    lines
}

/// Branches and arrows in ASCII.
pub fn ascii(branch: &str) -> String {
    branch.replace("├─", "|-").replace("└─", "`-").replace('│', "|").replace('↑', "^")
}
