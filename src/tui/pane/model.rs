//! What the model considered: its candidates and the challenger's as bars, and what weighed in.

use std::borrow::Cow;
use std::sync::Arc;

use ratatui::text::{Line, Span};

use crate::domain::cues::Cue;
use crate::domain::prediction::Scored;
use crate::domain::reading::{Paragraph, Tone};
use crate::domain::text::{fit, visible, width};
use crate::session::Opened;
use crate::tui::rows::{Laid, Rows};
use crate::tui::shell::Shell;

/// Columns that a name has beside its number.
const NAME: usize = 24;

pub fn rows(shell: &Shell, opened: &Opened, columns: usize) -> Rows {
    let theme = &shell.theme;
    let mut rows = Rows::default();
    let Some(prediction) = &opened.case.prediction else { return rows };
    // What is longer than a row is found wherever it is broken.
    let whole = |rows: &mut Rows, tone: Tone, indent: usize, text: &str| {
        let paragraph = Paragraph::new(tone, indent, text);
        rows.read(Arc::new(Laid::new(vec![paragraph], columns)));
    };
    let mut section = |title: String, all: &[Scored], largest: f64| {
        whole(&mut rows, Tone::Heading, 0, &title);
        let widest = |of: fn(&Scored) -> Cow<'_, str>| all.iter().map(|one| width(&of(one))).max();
        let wide = widest(|one| visible(&one.name)).unwrap_or(4).clamp(4, NAME);
        let digits = widest(|one| one.written.as_str().into()).unwrap_or(1).max(7);
        let room = columns.saturating_sub(wide + digits + 4).clamp(4, 40);
        for Scored { name, number, written } in all {
            // A name that is longer has rows of its own over its number.
            let mut last = visible(name);
            if width(&last) > wide {
                whole(&mut rows, Tone::Text, 2, name);
                last = "".into();
            }
            let pad = " ".repeat(wide.saturating_sub(width(&last)));
            let style = if *number < 0.0 { theme.warn } else { theme.accent };
            let bar = bar(number.abs() / largest, room, theme.unicode);
            let number = Span::raw(format!("  {last}{pad} {written:>digits$} "));
            rows.made(vec![Line::from(vec![number, Span::styled(bar, style)])]);
        }
        rows.made(vec![Line::default()]);
    };
    let model = prediction.called();
    let said = prediction.label.as_ref().map(|label| {
        let sure = prediction.written().map_or(String::new(), |sure| format!(" {sure}"));
        format!("{model} said {label}{sure}")
    });
    let said = said.unwrap_or(model);
    let considered = if prediction.top_k.is_empty() { "gave no candidates" } else { "considered" };
    let and = if prediction.label.is_some() { "; it " } else { " " };
    section(format!("{said}{and}{considered}"), &prediction.top_k, 1.0);
    if let Some(rival) = prediction.challenger.as_ref().filter(|_| !opened.hides(Cue::Challenger)) {
        let agrees =
            if Some(&rival.label) == prediction.label.as_ref() { "agrees" } else { "differs" };
        let sure = rival.written.as_ref().map_or(String::new(), |sure| format!(" {sure}"));
        section(format!("{} {agrees}: {}{sure}", rival.called(), rival.label), &rival.top_k, 1.0);
    }
    if !prediction.features.is_empty() && !opened.hides(Cue::Features) {
        let largest = prediction
            .features
            .iter()
            .map(|feature| feature.number.abs())
            .fold(f64::MIN_POSITIVE, f64::max);
        section(
            "Feature importance (against it where negative)".to_owned(),
            &prediction.features,
            largest,
        );
    }
    if let Some(error) = prediction.line.get("error") {
        whole(&mut rows, Tone::Warn, 0, &error.to_string());
    }
    rows
}

/// The first candidates of the model, and what the challenger said, a row each.
pub fn candidates(shell: &Shell, opened: &Opened, columns: usize, n: usize) -> Vec<Line<'static>> {
    let theme = &shell.theme;
    let Some(prediction) = &opened.case.prediction else { return Vec::new() };
    let mut rows: Vec<(String, Option<f64>)> =
        prediction.top_k.iter().take(n).map(|one| (one.name.clone(), Some(one.number))).collect();
    if rows.is_empty() {
        rows.extend(prediction.label.clone().map(|label| (label, prediction.confidence)));
    }
    let rival = prediction.challenger.as_ref().filter(|_| !opened.hides(Cue::Challenger));
    let wide = rows.iter().map(|(label, _)| label).chain(rival.map(|rival| &rival.label));
    let wide = wide.map(|label| width(&visible(label))).max().unwrap_or(8).clamp(8, 28);
    let named = |label: &str| {
        let label = fit(&visible(label), wide).into_owned();
        let pad = " ".repeat(wide - width(&label));
        format!("{label}{pad} ")
    };
    let room = columns.saturating_sub(wide + 6).clamp(4, 30);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (label, p) in rows {
        let number = p.map_or_else(|| "     ".to_owned(), |p| format!("{p:.2} "));
        lines.push(Line::from(vec![
            Span::raw(named(&label)),
            Span::raw(number),
            Span::styled(bar(p.unwrap_or(0.0), room, theme.unicode), theme.accent),
        ]));
    }
    if let Some(rival) = rival {
        let agrees = Some(&rival.label) == prediction.label.as_ref();
        let words = if agrees { "agrees" } else { "differs" };
        let number = rival.confidence.map_or_else(|| "     ".to_owned(), |p| format!("{p:.2} "));
        let who = fit(&visible(rival.called()), columns.saturating_sub(wide + 15)).into_owned();
        lines.push(Line::from(vec![
            Span::raw(named(&rival.label)),
            Span::raw(number),
            Span::styled(format!("{who} {words}"), if agrees { theme.dim } else { theme.warn }),
        ]));
    }
    lines
}

/// A bar of `share` of `columns`, to an eighth of a column where the terminal can.
fn bar(share: f64, columns: usize, unicode: bool) -> String {
    let share = share.clamp(0.0, 1.0);
    if !unicode {
        return "#".repeat((share * columns as f64).round() as usize);
    }
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * columns as f64 * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}
