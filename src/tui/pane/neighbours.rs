//! The predictions around this one, on its time axis.

use ratatui::text::{Line, Span};

use crate::domain::cues::Cue;
use crate::domain::payload::Neighbour;
use crate::domain::text::{fit, visible, width};
use crate::domain::time::short_span;
use crate::session::Opened;
use crate::tui::shell::Shell;
use crate::tui::theme::Theme;

/// The predictions around this one and itself, in the order of time, with what may be seen of each.
pub fn around(opened: &Opened) -> Vec<Row> {
    let case = &opened.case;
    let hidden = opened.hides(Cue::Prediction);
    let said =
        if hidden { "(hidden)".to_owned() } else { case.row.predicted.clone().unwrap_or_default() };
    let here = (case.row.occurred_at, said);
    // What the model said of others that wait for this reviewer is hidden as long as it is for
    // them.
    let policy = opened.hide.iter().any(|hiding| hiding.cue == Cue::Prediction);
    let is_hidden = |other: &Neighbour| policy && case.waiting.contains(&other.id);
    let mut rows: Vec<Row> = case
        .neighbours
        .iter()
        .map(|other| Row {
            at: other.at.0,
            label: if is_hidden(other) { "(hidden)".to_owned() } else { other.label.clone() },
            p: other.confidence.filter(|_| !is_hidden(other)),
            text: other.text.clone(),
            session: other.session,
            own: false,
        })
        .collect();
    rows.push(Row {
        at: here.0.0,
        label: here.1.clone(),
        p: case.row.confidence.filter(|_| !hidden),
        text: case.row.text.clone(),
        session: true,
        own: true,
    });
    rows.sort_by_key(|row| (row.at, row.own));
    rows
}

/// How long before or after, in the fewest columns; parts of a second where it is a few.
pub fn when(delta: i64, theme: &Theme) -> String {
    let sign = if delta < 0 { theme.sign("−", "-") } else { "+" };
    match delta.unsigned_abs() {
        ms @ 0..9_950 => format!("{sign}{:.1}s", ms as f64 / 1000.0),
        _ => format!("{sign}{}", short_span(delta)),
    }
}

pub fn lines(shell: &Shell, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let (rows, here) = (around(opened), opened.case.row.occurred_at);
    let label_width =
        rows.iter().map(|row| width(&visible(&row.label))).max().unwrap_or(8).clamp(8, 22);
    let mut lines = Vec::new();
    let mut before: Option<String> = None;
    for row in rows {
        let when = if row.own { "now".to_owned() } else { when(row.at - here.0, theme) };
        let label = fit(&visible(&row.label), label_width).into_owned();
        let pad = " ".repeat(label_width.saturating_sub(width(&label)));
        let p = row.p.map_or_else(|| "    ".to_owned(), |p| format!("{p:.2}"));
        // In one session, a change of label from one request to the next tells a story.
        let changed = row.session && before.as_ref().is_some_and(|before| *before != row.label);
        let mark = if row.own {
            theme.sign("◂", "<")
        } else if changed {
            "~"
        } else {
            " "
        };
        if row.session {
            before = Some(row.label.clone());
        }
        let session = if row.session { theme.sign("┃", "#") } else { " " };
        let room = columns.saturating_sub(16 + label_width);
        let text = fit(&visible(&row.text), room).into_owned();
        lines.push(Line::from(vec![
            Span::styled(session, theme.accent),
            Span::styled(format!("{when:>5} "), if row.own { theme.accent } else { theme.dim }),
            Span::styled(label, if row.own { theme.strong } else { theme.text }),
            Span::raw(format!("{pad} {p} ")),
            Span::styled(mark, theme.accent),
            Span::raw(" "),
            Span::styled(text, if row.own { theme.text } else { theme.dim }),
        ]));
    }
    lines.push(Line::default());
    let legend = format!("{} same session   ~ the label changed in it", theme.sign("┃", "#"));
    lines.push(Line::from(Span::styled(legend, theme.dim)));
    lines
}

/// A prediction on the time axis.
pub struct Row {
    pub at: i64,
    pub label: String,
    pub p: Option<f64>,
    pub text: String,
    /// Whether it is of the same session.
    pub session: bool,
    /// Whether it is the case's own.
    pub own: bool,
}
