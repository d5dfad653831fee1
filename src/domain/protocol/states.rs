//! Every situation that a walk can be in, as far as it matters for what comes.
//!
//! A situation is a question, with what was answered to those earlier questions that a `when`
//! further on still asks about; of an answer only its class counts: answers that no `when` tells
//! apart are one. So ten choices in a row make ten situations, not a thousand paths, unless
//! conditions tie them together.
//!
//! ```text
//!   a ──y──▶ b {a=y} ──▶ c {a=y}        c is asked only when a=y:
//!     ──n──▶ b {a=n} ──▶ c {a=n} ··▶ d   in {a=n} it is passed over, without an edge
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::condition::Test;
use super::{Protocol, Question, QuestionKind, Reference, walk};

/// Most situations that are looked at. More of them, and the protocol can't be proved.
pub const STATES_MAX: usize = 50_000;
/// Most answers of them that are looked at, each counted as often as earlier answers matter to it.
const WORK_MAX: usize = 2_000_000;
/// Most classes of answers to one question of many answers that conditions tell apart.
const CLASSES_MAX: usize = 1 << 10;

/// An answer out of a situation.
#[derive(Debug)]
pub struct Edge {
    /// What it is in a fault: `a=y`.
    pub words: String,
    /// Fields that it sets, each with the field that the value stands for, if it does.
    pub sets: BTreeMap<String, Option<String>>,
    /// Index of the situation that follows; none: the path ends.
    pub next: Option<usize>,
}

#[derive(Debug)]
pub struct State {
    /// Index of the question.
    pub question: usize,
    /// By which situation and which of its answers it was found first.
    pub from: Option<(usize, usize)>,
    pub edges: Vec<Edge>,
}

/// All situations, those that come first first.
#[derive(Debug, Default)]
pub struct States {
    pub all: Vec<State>,
    /// The first situation; none if nothing at all is asked.
    pub start: Option<usize>,
    /// Questions that are come to and passed over, each with where from.
    pub passed_over: BTreeMap<usize, Option<(usize, usize)>>,
}

/// More than [`STATES_MAX`] situations, or a question with too many answers that matter.
pub struct TooMany(pub usize);

/// Questions that may follow one, by an answer or by being passed over.
pub fn next_of(protocol: &Protocol, at: usize) -> Vec<usize> {
    let question = &protocol.questions[at];
    let over = question.otherwise.filter(|_| question.when.is_some());
    question.kind.consequences().filter_map(|then| then.goto).chain(over).collect()
}

/// Questions that can be come to, each after all that may follow it. Without an end if there is a
/// cycle: check that first.
pub fn postorder(protocol: &Protocol) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = vec![false; protocol.questions.len()];
    if seen.is_empty() {
        return order;
    }
    // An explicit stack: a protocol of a thousand questions in a row must not exhaust ours.
    let mut stack = vec![(protocol.start, next_of(protocol, protocol.start))];
    seen[protocol.start] = true;
    while let Some((at, left)) = stack.last_mut() {
        match left.pop() {
            Some(next) if !seen[next] => {
                seen[next] = true;
                stack.push((next, next_of(protocol, next)));
            }
            Some(_) => {}
            None => {
                order.push(*at);
                stack.pop();
            }
        }
    }
    order
}

/// Explores a protocol without cycles. `tell_apart` names fields of which it matters which answers
/// set them.
pub fn explore(protocol: &Protocol, tell_apart: &[String]) -> Result<States, TooMany> {
    let tests = tests(protocol);
    let mut explorer = Explorer {
        protocol,
        later: asked_about_later(protocol),
        classes: protocol.questions.iter().map(|_| None).collect(),
        tests,
        tell_apart,
        index: HashMap::new(),
        known: Vec::new(),
        work: 0,
        states: States::default(),
    };
    explorer.states.start = explorer.settle(Some(protocol.start), BTreeMap::new(), None);
    let mut at = 0;
    while at < explorer.states.all.len() {
        explorer.expand(at)?;
        if explorer.states.all.len() > STATES_MAX || explorer.work > WORK_MAX {
            return Err(TooMany(explorer.states.all[at].question));
        }
        at += 1;
    }
    Ok(explorer.states)
}

/// What conditions compare the answer to each question with.
fn tests(protocol: &Protocol) -> HashMap<usize, Vec<Test>> {
    let mut tests: HashMap<usize, Vec<Test>> = HashMap::new();
    for when in protocol.questions.iter().filter_map(|question| question.when.as_ref()) {
        when.tests(&mut |question, test| tests.entry(question).or_default().push(test.clone()));
    }
    tests
}

/// For each question, those that a `when` from there on asks about.
fn asked_about_later(protocol: &Protocol) -> Vec<BTreeSet<usize>> {
    let mut later: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); protocol.questions.len()];
    for at in postorder(protocol) {
        let mut here = BTreeSet::new();
        if let Some(when) = &protocol.questions[at].when {
            when.questions(&mut here);
        }
        for next in next_of(protocol, at) {
            here.extend(later[next].iter().copied());
        }
        later[at] = here;
    }
    later
}

/// Answers to earlier questions that still matter, by question.
type Known = BTreeMap<usize, String>;

struct Explorer<'p> {
    protocol: &'p Protocol,
    later: Vec<BTreeSet<usize>>,
    classes: Vec<Option<Vec<String>>>,
    tests: HashMap<usize, Vec<Test>>,
    tell_apart: &'p [String],
    index: HashMap<(usize, Known), usize>,
    /// What is known in each situation.
    known: Vec<Known>,
    work: usize,
    states: States,
}

impl Explorer<'_> {
    /// The situation in which the next question is asked, from `at` on; none if the path ends
    /// before.
    fn settle(
        &mut self,
        mut at: Option<usize>,
        mut known: Known,
        from: Option<(usize, usize)>,
    ) -> Option<usize> {
        loop {
            let here = at?;
            let question = self.protocol.questions.get(here)?;
            known.retain(|asked, _| self.later[here].contains(asked));
            let asked = question
                .when
                .as_ref()
                .is_none_or(|when| when.holds(&|at| known.get(&at).map(String::as_str)));
            if asked {
                let key = (here, known);
                if let Some(&state) = self.index.get(&key) {
                    return Some(state);
                }
                let state = self.states.all.len();
                self.known.push(key.1.clone());
                self.index.insert(key, state);
                self.states.all.push(State { question: here, from, edges: Vec::new() });
                return Some(state);
            }
            self.states.passed_over.entry(here).or_insert(from);
            at = question.otherwise;
        }
    }

    fn expand(&mut self, state: usize) -> Result<(), TooMany> {
        let at = self.states.all[state].question;
        let question = &self.protocol.questions[at];
        let known = self.known[state].clone();
        let matters = self.tests.contains_key(&at);
        for (i, answer) in self.classes_of(at)?.into_iter().enumerate() {
            self.work += 1 + known.len();
            let Some(taken) = walk::accepts(self.protocol, question, &answer) else { continue };
            let mut known = known.clone();
            if matters {
                known.insert(at, taken.recorded.clone());
            }
            let next = self.settle(taken.goto, known, Some((state, i)));
            let words =
                format!("{}={}", question.id, class_words(question, &taken.recorded, matters));
            let sets = taken.set.into_iter().map(|(field, value)| {
                let of = match Reference::of(&value) {
                    Some(Reference::Field(of)) => Some(of.to_owned()),
                    _ => None,
                };
                (field, of)
            });
            let sets = sets.collect();
            self.states.all[state].edges.push(Edge { words, sets, next });
        }
        Ok(())
    }

    fn classes_of(&mut self, at: usize) -> Result<Vec<String>, TooMany> {
        if let Some(known) = &self.classes[at] {
            return Ok(known.clone());
        }
        let tests = self.tests.get(&at).map(Vec::as_slice).unwrap_or_default();
        let classes = classes(self.protocol, &self.protocol.questions[at], tests, self.tell_apart);
        let classes = classes.ok_or(TooMany(at))?;
        Ok(self.classes[at].insert(classes).clone())
    }
}

fn class_words(question: &Question, answer: &str, matters: bool) -> String {
    match &question.kind {
        QuestionKind::Choice(_) => answer.to_owned(),
        QuestionKind::Label { .. } if !matters => "any label".to_owned(),
        QuestionKind::Scale { .. } | QuestionKind::Number { .. } if !matters => {
            "any number".to_owned()
        }
        QuestionKind::Text { .. } | QuestionKind::Span { .. } if !answer.is_empty() => {
            "anything".to_owned()
        }
        _ if answer.is_empty() => "nothing".to_owned(),
        _ => answer.to_owned(),
    }
}

/// One answer of each class: answers that neither a test nor a field in `tell_apart` tells from
/// each other.
fn classes(
    protocol: &Protocol,
    question: &Question,
    tests: &[Test],
    tell_apart: &[String],
) -> Option<Vec<String>> {
    fn named(test: &Test) -> &[String] {
        if let Test::OneOf(answers) | Test::AnyOf(answers) = test { answers } else { &[] }
    }
    let mentioned = || tests.iter().flat_map(named);
    Some(match &question.kind {
        QuestionKind::Choice(answers) => answers.iter().map(|answer| answer.key.clone()).collect(),
        QuestionKind::Label { .. } => {
            let known: BTreeSet<&str> =
                protocol.labels.iter().map(|label| label.name.as_str()).collect();
            let can_be = |label: &&str| known.is_empty() || known.contains(*label);
            let named: BTreeSet<&str> = mentioned().map(String::as_str).filter(can_be).collect();
            if named.len() > CLASSES_MAX {
                return None;
            }
            let free = known.is_empty().then_some("any other label");
            let other = known.iter().copied().chain(free).find(|label| !named.contains(label));
            named.iter().copied().chain(other).map(str::to_owned).collect()
        }
        QuestionKind::Scale { least, most, .. } => points(tests, *least as f64, *most as f64)
            .into_iter()
            .filter(|n| n.fract() == 0.0)
            .map(|n| n.to_string())
            .collect(),
        QuestionKind::Number { least, most, .. } => {
            points(tests, *least, *most).into_iter().map(|n| n.to_string()).collect()
        }
        QuestionKind::Text { least, .. } | QuestionKind::Span { least, .. } => {
            let something = match &question.kind {
                QuestionKind::Span { .. } => (0..*least.max(&1))
                    .map(|i| format!("{}-{}", i * 2, i * 2 + 1))
                    .collect::<Vec<_>>()
                    .join(","),
                _ => "x".repeat(*least.max(&1)),
            };
            let nothing = (*least == 0).then(String::new);
            std::iter::once(something).chain(nothing).collect()
        }
        QuestionKind::Multi { answers, least, most, .. } => {
            let counts = |answer: &super::Answer| {
                mentioned().any(|key| *key == answer.key)
                    || answer.then.set.keys().any(|field| tell_apart.contains(field))
            };
            let (told, others): (Vec<_>, Vec<_>) =
                answers.iter().partition(|answer| counts(answer));
            if told.len() > CLASSES_MAX.ilog2() as usize {
                return None;
            }
            let subset = |bits: usize| {
                let chosen: Vec<&str> = told
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| bits >> i & 1 == 1)
                    .map(|(_, a)| a.key.as_str())
                    .collect();
                // With enough of those that do not matter to be an answer at all; and where that is
                // free, with none and one.
                let fill = least.saturating_sub(chosen.len());
                let fills = [fill, fill.max(1)]
                    .into_iter()
                    .filter(|fill| *fill <= others.len() && chosen.len() + fill <= *most);
                let with = |fill: usize| {
                    chosen
                        .iter()
                        .copied()
                        .chain(others.iter().take(fill).map(|a| a.key.as_str()))
                        .collect::<Vec<_>>()
                        .join(",")
                };
                let mut subsets: Vec<String> = fills.map(with).collect();
                subsets.dedup();
                subsets
            };
            (0..1_usize << told.len()).flat_map(subset).collect()
        }
    })
}

/// Numbers in a range on every side of what the tests compare with.
fn points(tests: &[Test], least: f64, most: f64) -> Vec<f64> {
    let mut marks: Vec<f64> = Vec::new();
    for test in tests {
        match test {
            Test::OneOf(answers) | Test::AnyOf(answers) => {
                marks.extend(answers.iter().filter_map(|answer| answer.parse::<f64>().ok()))
            }
            Test::AtLeast(n) | Test::AtMost(n) => marks.push(*n),
            Test::Given => {}
        }
    }
    let around = marks.iter().flat_map(|n| {
        [*n, n.floor(), n.ceil(), n.floor() - 1.0, n.ceil() + 1.0, n.next_down(), n.next_up()]
    });
    let middle =
        if least > f64::MIN && most < f64::MAX { least } else { 0.0_f64.clamp(least, most) };
    let mut points: Vec<f64> = around
        .chain([middle])
        .chain([least, most].into_iter().filter(|n| n.abs() < 1e300))
        .collect();
    points.retain(|n| (least..=most).contains(n));
    points.sort_by(f64::total_cmp);
    points.dedup();
    let between: Vec<f64> = points.windows(2).map(|two| two[0] + (two[1] - two[0]) / 2.0).collect();
    points.extend(between);
    if tests.is_empty() {
        points.truncate(1);
    }
    points
}
