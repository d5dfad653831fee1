//! How the exchange with the shared store stands, and what was kept out.

use ratatui::text::{Line, Span};

use super::View;
use crate::domain::text::{visible, wrap};
use crate::tui::keymap::KeyRow;
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] =
    &[KeyRow::new("exchange-now", "S", Place::Exchange, "", "exchange with the shared store now")];

/// The lines of the window, at a width.
pub fn lines(view: &View<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut lines = Vec::new();
    let mut paragraph = |text: &str, style| {
        for line in wrap(&visible(text), columns) {
            lines.push(Line::from(Span::styled(line, style)));
        }
    };
    let Some(state) = &view.session.sync else {
        paragraph(
            "This workspace has no shared store, or config.toml says that the screen does not sync.",
            theme.text,
        );
        paragraph("", theme.text);
        paragraph(
            "casework sync --store URL names one: a directory, sftp://, s3://, gs://, az:// or postgres://.",
            theme.dim,
        );
        return lines;
    };
    let status = &state.status;
    paragraph(&status.store, theme.strong);
    let last = status.last.map_or("not yet".to_owned(), |at| at.minute());
    paragraph(&format!("last exchange  {last}"), theme.text);
    let entries = if status.unpushed == 1 { "entry" } else { "entries" };
    paragraph(&format!("waits here     {} {entries}", status.unpushed), theme.text);
    if let Some(trouble) = &status.trouble {
        paragraph(&format!("trouble        {trouble}"), theme.warn);
        paragraph("Work goes on here; it is tried again by itself.", theme.dim);
    }
    if state.asking > 0 {
        paragraph(
            &format!(
                "asking         {} want to join ({})",
                state.asking,
                view.keymap.first("people")
            ),
            theme.accent,
        );
    }
    paragraph("", theme.text);
    for notice in &state.notices {
        paragraph(notice, theme.text);
    }
    if state.quarantined.is_empty() {
        paragraph("Nothing was kept out.", theme.good);
    } else {
        paragraph(&format!("{} kept out; the rest counts:", state.quarantined.len()), theme.warn);
    }
    for fault in &state.quarantined {
        let replica = fault.replica.get(..8).unwrap_or_default();
        paragraph(&format!("{replica}:{}  {}", fault.seq, fault.fault), theme.text);
    }
    paragraph("", theme.text);
    paragraph(&view.keymap.fill("{exchange-now} now · any other key closes"), theme.dim);
    lines
}
