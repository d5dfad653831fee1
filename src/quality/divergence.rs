//! Where two ways through a protocol part: the first question that two reviewers of one case
//! answered otherwise. What comes after it differs because of it, so it alone is counted.
//!
//! ```text
//!  ana   readable y   language y   scope y   label n
//!  bo    readable y   language y   scope n
//!                                  ╰── here: asked of both, and they part
//! ```

use std::collections::BTreeMap;

use crate::domain::protocol::Answered;

/// The first question at which two paths part, and what each answered; nothing where it was not
/// asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstDivergence<'p> {
    /// Its place in the paths, from 0.
    pub at: usize,
    pub question: &'p str,
    pub answers: [Option<&'p str>; 2],
}

/// Where two people part; nothing if they do not. Under different versions of the protocol only a
/// question that both were asked can part them: what one version asks and the other does not, or
/// asks after another answer, says nothing of the people.
pub fn first_divergence<'p>(one: &'p Answered, two: &'p Answered) -> Option<FirstDivergence<'p>> {
    met(one, two).1
}

/// The questions that two people came to by the same way and answered alike, and where they part.
fn met<'p>(one: &'p Answered, two: &'p Answered) -> (Vec<&'p str>, Option<FirstDivergence<'p>>) {
    let (left, right) = (one.comparable_with(two), two.comparable_with(one));
    let at = (0..left.len().max(right.len())).find(|at| left.get(*at) != right.get(*at));
    let alike = &left[..at.unwrap_or(left.len())];
    let alike: Vec<&str> = alike.iter().map(|(question, _)| question.as_str()).collect();
    let parted = at.and_then(|at| {
        let (a, b) = (left.get(at), right.get(at));
        let question = a.or(b).map(|(question, _)| question.as_str())?;
        let answer = |step: Option<&&'p (String, String)>| {
            step.filter(|(asked, _)| asked == question).map(|(_, answer)| answer.as_str())
        };
        let answers = [answer(a), answer(b)];
        let parts = one.parts_from(two, answers);
        parts.then_some(FirstDivergence { at, question, answers })
    });
    (alike, parted)
}

/// Whether something comes to what was counted, or goes from it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Add,
    Take,
}

impl Change {
    /// Counts one more, or one less.
    pub fn one(self, n: &mut usize) {
        self.by(n, 1);
    }

    pub fn by(self, n: &mut usize, more: usize) {
        *n = match self {
            Self::Add => *n + more,
            Self::Take => n.saturating_sub(more),
        };
    }
}

/// A question, and how often two reviewers part at it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    pub question: String,
    /// The earliest place at which it was asked.
    pub depth: usize,
    /// Pairs of reviewers of one case who both came to it by the same way.
    pub reached: usize,
    /// Pairs who part here.
    pub diverged: usize,
    /// Of those, pairs whose outcomes differ in what counts.
    pub differ: usize,
    /// By what they answered, in order: how many pairs. Nothing: it was not asked.
    pub splits: BTreeMap<[Option<String>; 2], usize>,
    /// How often it was come to at each place.
    places: BTreeMap<usize, usize>,
}

impl Node {
    /// Share of pairs who agree here, of those who came; nothing if nobody did.
    pub fn agreement(&self) -> Option<f64> {
        (self.reached > 0).then(|| 1.0 - self.diverged as f64 / self.reached as f64)
    }
}

/// Where people part, question by question.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Divergence {
    nodes: BTreeMap<String, Node>,
    pub pairs: usize,
    pub diverged: usize,
}

impl Divergence {
    /// Counts two paths of one case. `differ`: whether their outcomes do, in what counts.
    pub fn count<'p>(
        &mut self,
        one: &'p Answered,
        two: &'p Answered,
        differ: bool,
    ) -> Option<FirstDivergence<'p>> {
        self.change(one, two, differ, Change::Add)
    }

    /// Counts two paths of one case, or takes them away if they were counted.
    pub fn change<'p>(
        &mut self,
        one: &'p Answered,
        two: &'p Answered,
        differ: bool,
        change: Change,
    ) -> Option<FirstDivergence<'p>> {
        let (alike, first_divergence) = met(one, two);
        change.one(&mut self.pairs);
        for (at, question) in alike.into_iter().enumerate() {
            self.come(question, at, change, |_| ());
        }
        if let Some(FirstDivergence { at, question, answers }) = &first_divergence {
            change.one(&mut self.diverged);
            self.come(question, *at, change, |node| {
                change.one(&mut node.diverged);
                change.by(&mut node.differ, usize::from(differ));
                let mut split = answers.map(|answer| answer.map(str::to_owned));
                split.sort();
                let pairs = node.splits.entry(split.clone()).or_default();
                change.one(pairs);
                if *pairs == 0 {
                    node.splits.remove(&split);
                }
            });
        }
        first_divergence
    }

    /// A pair comes to a question at a place; what nobody comes to is no question here.
    fn come(&mut self, question: &str, at: usize, change: Change, more: impl FnOnce(&mut Node)) {
        if !self.nodes.contains_key(question) {
            self.nodes.insert(
                question.to_owned(),
                Node { question: question.to_owned(), ..Node::default() },
            );
        }
        let Some(node) = self.nodes.get_mut(question) else { return };
        change.one(&mut node.reached);
        let there = node.places.entry(at).or_default();
        change.one(there);
        if *there == 0 {
            node.places.remove(&at);
        }
        node.depth = node.places.keys().next().copied().unwrap_or(0);
        more(node);
        if node.reached == 0 {
            self.nodes.remove(question);
        }
    }

    /// The questions in the order in which they are mostly asked.
    pub fn nodes(&self) -> Vec<&Node> {
        let mut nodes: Vec<&Node> = self.nodes.values().collect();
        let place = |node: &Node| {
            node.places.iter().map(|(at, n)| at * n).sum::<usize>() as f64
                / node.reached.max(1) as f64
        };
        nodes.sort_by(|a, b| place(a).total_cmp(&place(b)).then_with(|| b.reached.cmp(&a.reached)));
        nodes
    }

    /// Share of all divergences that are at a question.
    pub fn share(&self, node: &Node) -> f64 {
        if self.diverged == 0 { 0.0 } else { node.diverged as f64 / self.diverged as f64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(words: &str) -> Answered {
        let steps = words.split_whitespace().filter_map(|step| step.split_once('='));
        let path = steps.map(|(q, a)| (q.to_owned(), a.to_owned())).collect();
        Answered { path, version: 1, ..Answered::default() }
    }

    /// The same, under a version with these questions.
    fn under(version: u32, questions: &str, words: &str) -> Answered {
        let questions = questions.split_whitespace().map(str::to_owned).collect();
        Answered { version, questions: std::sync::Arc::new(questions), ..path(words) }
    }

    fn check(one: &str, two: &str, expect: Option<(&str, [Option<&str>; 2])>) {
        let (one, two) = (path(one), path(two));
        assert_eq!(
            first_divergence(&one, &two)
                .map(|first_divergence| (first_divergence.question, first_divergence.answers)),
            expect
        );
    }

    #[test]
    fn the_first_difference_is_the_one_that_counts() {
        check("a=y b=1", "a=y b=1", None);
        check("a=y b=1 c=2", "a=y b=2 d=3", Some(("b", [Some("1"), Some("2")])));
        check("a=y b=1", "a=y", Some(("b", [Some("1"), None])));
        check("a=y", "a=y b=1", Some(("b", [None, Some("1")])));
        check("a=y b=1", "a=y c=1", Some(("b", [Some("1"), None])));
        check("", "", None);
    }

    #[test]
    fn what_another_version_does_not_ask_is_no_difference() {
        let check = |one: (&str, &str), two: (&str, &str), expect: Option<&str>| {
            let (one, two) = (under(1, one.0, one.1), under(2, two.0, two.1));
            let parted = first_divergence(&one, &two).map(|parted| parted.question);
            assert_eq!(parted, expect, "{one:?} {two:?}");
            let mut divergence = Divergence::default();
            divergence.count(&one, &two, false);
            assert_eq!((divergence.pairs, divergence.diverged), (1, usize::from(expect.is_some())));
            let reached: Vec<&str> =
                divergence.nodes().iter().map(|node| node.question.as_str()).collect();
            assert!(reached.iter().all(|asked| one.answer(asked).is_some()), "{reached:?}");
        };
        // A question that only the newer version has: at its place, at the end, in the middle.
        check(("a b", "a=y b=1"), ("a n b", "a=y n=o b=1"), None);
        check(("a b", "a=y b=1"), ("a b n", "a=y b=1 n=o"), None);
        check(("a b", "a=y b=1"), ("a n b", "a=y n=o b=2"), Some("b"));
        // The newer version goes another way after the same answer, by questions both have.
        check(("a b c", "a=y b=1"), ("a b c", "a=y c=1"), None);
        check(("a b c", "a=y b=1"), ("a b c", "a=n c=1"), Some("a"));
        // A question that was taken out.
        check(("a x b", "a=y x=1 b=2"), ("a b", "a=y b=2"), None);
        // Under one version it is the people who were asked otherwise.
        let (one, two) = (under(2, "a n", "a=y"), under(2, "a n", "a=y n=o"));
        assert_eq!(first_divergence(&one, &two).map(|parted| parted.question), Some("n"));
    }

    proptest! {
        /// Whatever the paths: divergences at all questions together are the pairs that part, and
        /// nobody parts where they did not come.
        #[test]
        fn counts_add_up(paths in prop::collection::vec(prop::collection::vec(0_u8..3, 0..5), 2..8)) {
            let path = |answers: &Vec<u8>| answers.iter().enumerate().map(|(at, answer)| (format!("q{at}"), answer.to_string())).collect();
            let paths: Vec<Answered> = paths.iter().map(|answers| Answered { path: path(answers), ..Answered::default() }).collect();
            let mut divergence = Divergence::default();
            for (at, one) in paths.iter().enumerate() {
                for two in &paths[at + 1..] {
                    // What is taken away again leaves nothing.
                    divergence.change(two, one, true, Change::Add);
                    let diverged = divergence.count(one, two, false).is_some();
                    prop_assert_eq!(diverged, one.path != two.path);
                }
            }
            let mut left = divergence.clone();
            for (at, one) in paths.iter().enumerate() {
                for two in &paths[at + 1..] {
                    divergence.change(two, one, true, Change::Take);
                    left.change(two, one, true, Change::Take);
                    left.change(one, two, false, Change::Take);
                }
            }
            prop_assert_eq!(left, Divergence::default());
            let nodes = divergence.nodes();
            prop_assert_eq!(nodes.iter().map(|node| node.diverged).sum::<usize>(), divergence.diverged);
            prop_assert!(nodes.iter().all(|node| node.diverged <= node.reached && node.reached <= divergence.pairs));
            prop_assert!(nodes.iter().all(|node| node.splits.values().sum::<usize>() == node.diverged));
        }
    }
}
