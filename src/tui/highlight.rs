//! Code in colours, by syntect: what a piece of each line is. Colours come from the theme.

use std::ops::Range;
use std::sync::OnceLock;

use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, ScopeStack, SyntaxReference, SyntaxSet};

/// Bytes of a line, and lines of a piece of code, that are coloured; beyond that it is plain.
const LINE_MAX: usize = 2_048;
const LINES_MAX: usize = 2_000;

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Name,
    Text,
    Number,
    Keyword,
    Aside,
}

/// The bytes of a line that are something.
pub type Classes = Vec<(Range<usize>, Class)>;

fn syntaxes() -> &'static SyntaxSet {
    static SET: OnceLock<SyntaxSet> = OnceLock::new();
    SET.get_or_init(SyntaxSet::load_defaults_newlines)
}

/// The syntax that is called so: `rust`, `rs`, `py`, `json`. Known by its name only: nothing is
/// guessed.
fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    (!language.is_empty()).then(|| syntaxes().find_syntax_by_token(language)).flatten()
}

/// What the pieces of each line are; nothing where the language is not known.
pub fn classes<'l>(language: &str, lines: impl Iterator<Item = &'l str>) -> Vec<Classes> {
    let Some(syntax) = syntax(language) else { return Vec::new() };
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut all = Vec::new();
    for line in lines.take(LINES_MAX) {
        let mut found: Classes = Vec::new();
        let whole = format!("{line}\n");
        if line.len() <= LINE_MAX
            && let Ok(output) = state.parse_line(&whole, syntaxes())
        {
            let mut at = 0;
            for (piece, op) in ScopeRegionIterator::new(&output, &whole) {
                if stack.apply(op).is_err() {
                    break;
                }
                let end = (at + piece.len()).min(line.len());
                if let Some(class) = class(&stack).filter(|_| at < end) {
                    found.push((at..end, class));
                }
                at += piece.len();
            }
        }
        all.push(found);
    }
    all
}

fn class(stack: &ScopeStack) -> Option<Class> {
    // A key of JSON is a text inside a key.
    if stack.scopes.iter().any(|scope| scope.build_string().contains(".key.")) {
        return Some(Class::Name);
    }
    stack.scopes.iter().rev().find_map(|scope| {
        let name = scope.build_string();
        Some(match name.split('.').next()? {
            "string" => Class::Text,
            "constant" => Class::Number,
            "keyword" | "storage" => Class::Keyword,
            "entity" | "support" => Class::Name,
            "comment" | "punctuation" => Class::Aside,
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'l>(language: &str, line: &'l str) -> Vec<(&'l str, Class)> {
        let found = classes(language, [line].into_iter()).pop().unwrap_or_default();
        found.into_iter().map(|(range, class)| (&line[range], class)).collect()
    }

    #[test]
    fn what_a_piece_is_is_known_and_an_unknown_language_is_plain() {
        let json = of("json", "{\"a\": [1, \"x\"]}");
        assert!(json.contains(&("1", Class::Number)), "{json:?}");
        assert!(json.contains(&("x", Class::Text)), "{json:?}");
        let rust = of("rust", "fn due() -> u64 { 3600 } // why");
        assert!(rust.contains(&("fn", Class::Keyword)) && rust.contains(&("3600", Class::Number)));
        assert!(rust.contains(&("due", Class::Name)), "{rust:?}");
        assert_eq!(of("klingon", "fn due()"), []);
        assert_eq!(of("", "fn due()"), []);
        assert!(of("rust", &"x".repeat(5_000)).is_empty(), "a line that long is plain");
    }
}
