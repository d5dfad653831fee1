//! Spans: places in a text that are evidence.
//!
//! A span is named by where it begins and ends, in characters (Unicode scalar values) of the
//! text, the end not included; it never cuts what a reader sees as one character. What
//! stands there is not repeated in a label: labels are kept forever, and an input can be erased.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most spans of one answer.
pub const SPANS_MAX: usize = 200;

/// From one character up to, and without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(usize, usize)", into = "(usize, usize)")]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl From<(usize, usize)> for Span {
    fn from((start, end): (usize, usize)) -> Self {
        Self { start, end }
    }
}

impl From<Span> for (usize, usize) {
    fn from(span: Span) -> Self {
        (span.start, span.end)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

impl FromStr for Span {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (start, end) = text.split_once('-').ok_or(())?;
        let number = |text: &str| text.trim().parse::<u32>().map(|n| n as usize).map_err(drop);
        let (start, end) = (number(start)?, number(end)?);
        if start < end { Ok(Self { start, end }) } else { Err(()) }
    }
}

/// Spans in order, those that touch or overlap made one.
pub fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => out.push(span),
        }
    }
    out
}

/// Reads `4-9,12-20`; nothing if that is not what it says.
pub fn parse(text: &str) -> Option<Vec<Span>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let spans: Vec<Span> =
        text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    Some(joined(spans)).filter(|spans| spans.len() <= SPANS_MAX)
}

/// Writes spans as [`parse`] reads them.
pub fn text(spans: &[Span]) -> String {
    spans.iter().map(Span::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_written_and_read() {
        assert_eq!(parse("4-9, 12-20"), Some(vec![(4, 9).into(), (12, 20).into()]));
        assert_eq!(text(&parse("12-20,4-9,8-12").unwrap()), "4-20");
        assert_eq!(parse(""), Some(vec![]));
        assert!(
            ["4", "9-4", "4-4", "a-b", "-1-3", "1-99999999999"]
                .iter()
                .all(|bad| parse(bad).is_none())
        );
    }

    proptest! {
        #[test]
        fn joining_keeps_every_character_and_no_two_touch(spans in proptest::collection::vec((0_usize..50, 1_usize..9), 0..9)) {
            let spans: Vec<Span> = spans.into_iter().map(|(start, long)| Span { start, end: start + long }).collect();
            let joined = joined(spans.clone());
            let covers = |spans: &[Span], at: usize| spans.iter().any(|span| (span.start..span.end).contains(&at));
            prop_assert!((0..60).all(|at| covers(&spans, at) == covers(&joined, at)));
            prop_assert!(joined.windows(2).all(|two| two[0].end < two[1].start));
            prop_assert_eq!(parse(&text(&joined)), Some(joined));
        }
    }
}
