//! JSON in colours, by syntect with a syntax of our own.

use std::sync::OnceLock;

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, ScopeStack, SyntaxDefinition, SyntaxSet, SyntaxSetBuilder};

use super::theme::Theme;
use crate::domain::text::visible;

const JSON: &str = include_str!("../../assets/syntaxes/json.sublime-syntax");
/// Bytes of a line that are coloured; a longer one is plain.
const COLOURED_MAX: usize = 2_048;

fn syntaxes() -> &'static SyntaxSet {
    static SET: OnceLock<SyntaxSet> = OnceLock::new();
    SET.get_or_init(|| {
        let mut builder = SyntaxSetBuilder::new();
        if let Ok(json) = SyntaxDefinition::load_from_str(JSON, true, None) {
            builder.add(json);
        }
        builder.build()
    })
}

/// Lines of JSON, each made visible and coloured.
pub fn json(text: &str, theme: &Theme) -> Vec<Line<'static>> {
    let set = syntaxes();
    let Some(syntax) = set.find_syntax_by_extension("json") else {
        return text.lines().map(|line| Line::raw(visible(line).into_owned())).collect();
    };
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.len() > COLOURED_MAX {
            lines.push(Line::styled(visible(line).into_owned(), theme.text));
            continue;
        }
        let line = format!("{}\n", visible(line));
        let Ok(output) = state.parse_line(&line, set) else {
            lines.push(Line::raw(line.trim_end().to_owned()));
            continue;
        };
        let mut spans = Vec::new();
        for (piece, op) in ScopeRegionIterator::new(&output, &line) {
            if stack.apply(op).is_err() {
                break;
            }
            let piece = piece.trim_end_matches('\n');
            if !piece.is_empty() {
                spans.push(Span::styled(piece.to_owned(), style(&stack, theme)));
            }
        }
        lines.push(Line::from(spans));
    }
    lines
}

fn style(stack: &ScopeStack, theme: &Theme) -> Style {
    let Some(scope) = stack.scopes.last() else { return theme.text };
    let name = scope.build_string();
    match name.split('.').next() {
        Some("entity") => theme.accent,
        Some("string") => theme.good,
        Some("constant") => theme.warn,
        Some("punctuation") => theme.dim,
        _ => theme.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Env};

    #[test]
    fn keys_strings_and_numbers_differ_and_nothing_is_lost() {
        let theme = Theme::of(&Config::parse("", "c").unwrap(), &Env::default());
        let lines = json("{\n  \"a\": [1, \"x\\\"y\", true]\n}", &theme);
        let text: Vec<String> = lines
            .iter()
            .map(|line| line.spans.iter().map(|span| span.content.as_ref()).collect())
            .collect();
        assert_eq!(text, ["{", "  \"a\": [1, \"x\\\"y\", true]", "}"]);
        let style_of = |part: &str| {
            lines[1].spans.iter().find(|span| span.content.contains(part)).unwrap().style
        };
        assert_eq!(style_of("a"), theme.accent);
        assert_eq!(style_of("1"), theme.warn);
        assert_eq!(style_of("x"), theme.good);
    }
}
