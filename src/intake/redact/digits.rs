//! Groups of digits with separators between them, for what people write in groups.

use std::ops::Range;

/// Characters between two groups, at most.
const GAP_MAX: usize = 3;

/// A run of groups, each with its place; between two of them only separators.
pub type Run = Vec<Range<usize>>;

/// The runs of a text: groups of ASCII digits with at most a few of `separators` between them,
/// outside of `taken`, which is in order.
pub fn runs(text: &str, separators: &str, taken: &[Range<usize>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut from = 0;
    let end = text.len()..text.len();
    for place in taken.iter().chain(std::iter::once(&end)) {
        // What is taken parts two runs.
        let before = runs.len();
        for group in groups(text, from..place.start) {
            let joins = |last: &Range<usize>| {
                let gap = &text[last.end..group.start];
                gap.len() <= GAP_MAX && gap.chars().all(|c| separators.contains(c))
            };
            match runs[before..].last_mut().filter(|run| run.last().is_some_and(joins)) {
                Some(run) => run.push(group),
                None => runs.push(vec![group]),
            }
        }
        from = place.end;
    }
    runs
}

/// Every group of digits in a part of a text.
fn groups(text: &str, part: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = part.start;
    std::iter::from_fn(move || {
        at += bytes.get(at..part.end)?.iter().position(u8::is_ascii_digit)?;
        let start = at;
        at += bytes[at..part.end].iter().take_while(|byte| byte.is_ascii_digit()).count();
        Some(start..at)
    })
}

/// The digits of some groups, alone.
pub fn digits(text: &str, groups: &[Range<usize>]) -> String {
    groups.iter().map(|group| &text[group.clone()]).collect()
}

/// From the left, the longest parts of a run that `good` takes, without overlaps.
pub fn longest(
    run: &[Range<usize>],
    mut good: impl FnMut(&[Range<usize>]) -> bool,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while from < run.len() {
        let end = (from + 1..=run.len()).rev().find(|end| good(&run[from..*end]));
        if let Some(end) = end {
            found.push(run[from].start..run[end - 1].end);
        }
        from = end.unwrap_or(from + 1);
    }
    found
}

#[test]
fn groups_belong_together_by_what_stands_between_them() {
    let text = "25 4111 - 1111,9 x3";
    let words = |runs: Vec<Run>| -> Vec<Vec<String>> {
        runs.iter()
            .map(|run| run.iter().map(|group| text[group.clone()].to_owned()).collect())
            .collect()
    };
    assert_eq!(words(runs(text, " -", &[])), [vec!["25", "4111", "1111"], vec!["9"], vec!["3"]]);
    assert_eq!(
        words(runs(text, " -", std::slice::from_ref(&(0..2)))),
        [vec!["4111", "1111"], vec!["9"], vec!["3"]]
    );
}
