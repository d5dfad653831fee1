//! The input: its text, wrapped and made visible, then everything else of the line as JSON.

use ratatui::text::{Line, Span};
use serde_json::Value;

use crate::domain::text::{visible_lines, wrap};
use crate::tui::App;
use crate::tui::highlight;
use crate::tui::opened::Opened;

/// What other tabs show, so that it need not stand here again.
const ELSEWHERE: [&str; 5] = ["prediction", "challenger", "feature_importance", "id", "model"];
/// Lines of wrapped text that are made; a text of megabytes is read in its file.
const LINES_MAX: usize = 5_000;

pub fn lines(app: &App, opened: &Opened, columns: usize) -> Vec<Line<'static>> {
    let Some(prediction) = &opened.case.prediction else { return vec![Line::raw("The line cannot be read.")] };
    let theme = &app.theme;
    let mut lines = Vec::new();
    let text = prediction.text();
    if text.is_empty() {
        lines.push(Line::from(Span::styled("(the text is empty)", theme.warn)));
    }
    for line in visible_lines(&text).iter().flat_map(|line| wrap(line, columns)).take(LINES_MAX) {
        lines.push(marked(&line, app));
    }
    lines.push(Line::default());
    let mut rest = prediction.line.clone();
    if let Value::Object(object) = &mut rest {
        object.retain(|name, _| !ELSEWHERE.contains(&name.as_str()));
        if let Some(Value::Object(input)) = object.get_mut("input") {
            input.remove("text");
        }
    }
    let pretty = serde_json::to_string_pretty(&rest).unwrap_or_default();
    lines.extend(highlight::json(&pretty, theme));
    lines
}

/// What was made visible stands out from what was readable.
fn marked(line: &str, app: &App) -> Line<'static> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('«') {
        let Some((name, after)) = after.split_once('»') else { break };
        spans.push(Span::raw(before.to_owned()));
        spans.push(Span::styled(format!("«{name}»"), app.theme.bad));
        rest = after;
    }
    spans.push(Span::raw(rest.to_owned()));
    Line::from(spans)
}
