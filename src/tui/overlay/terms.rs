//! The terms that the question uses, and its examples.

use ratatui::text::{Line, Span};

use super::View;
use crate::domain::text::{visible, wrap};

/// The lines of the window, at a width.
pub fn lines(view: &View<'_>, columns: usize) -> Vec<Line<'static>> {
    let theme = view.theme;
    let mut lines = Vec::new();
    let Some(opened) = &view.session.opened else { return lines };
    let question = opened.question();
    let glossary = &view.session.protocols.glossary;
    let mut paragraph = |text: &str, style| {
        for line in text.split('\n').flat_map(|line| wrap(&visible(line), columns)) {
            lines.push(Line::from(Span::styled(line, style)));
        }
    };
    for example in question.map(|question| question.examples.as_slice()).unwrap_or_default() {
        paragraph(if example.not.is_some() { "Counter-example" } else { "Example" }, theme.strong);
        paragraph(&format!("  {}", example.input), theme.text);
        let not = example.not.as_ref().map(|not| format!(", not {not}")).unwrap_or_default();
        paragraph(&format!("  answer {}{not}: {}", example.answer, example.why), theme.dim);
        paragraph("", theme.text);
    }
    let wanted = question.map(|question| question.terms.as_slice()).unwrap_or_default();
    let first = wanted.iter().filter_map(|id| glossary.term(id));
    let others = glossary.terms.iter().filter(|term| !wanted.contains(&term.id));
    for term in first.chain(others) {
        paragraph(&term.name, theme.strong);
        paragraph(&term.definition, theme.text);
        for (word, text) in view.session.protocols.term_details(term) {
            paragraph(&format!("{word}: {text}"), theme.dim);
        }
        paragraph("", theme.text);
    }
    lines
}
