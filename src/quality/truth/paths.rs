//! Fits the model that walks the protocol ([`crate::domain::paths`]) to labels: expectation and
//! maximization, with each reviewer's answers to a question drawn from what all answer
//! (`strength.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Fitting;
use super::strength::Strength;
use crate::domain::estimate::Habits;
use crate::domain::label::Step;
use crate::domain::paths::{
    ANY_NAME, Choice, End, Model, Names, Opinion, Paths, SOME_NAME, Said, Weighed,
};

/// The crowd is taken to have given so many answers to each question beforehand, of which this
/// share was right.
const CROWD_ANSWERS: f64 = 10.0;
const CROWD_RIGHT: f64 = 0.8;
/// So many answers astray are taken to have been as those of all others who were astray.
const ASTRAY_ANSWERS: f64 = 4.0;
/// So many names of each reviewer are taken to have been as right as everybody's.
const NAMES: f64 = 10.0;
/// So many cases of each end are taken to have been predicted as all are.
const OPINIONS: f64 = 20.0;
/// Bins of the model's confidence, of equal numbers of cases.
const BINS: usize = 5;
/// A predicted label that makes an end so little likelier or less is not recorded.
const TIMES_MIN: f64 = 0.05;
/// Less of a name taken for another is not recorded.
const CONFUSED_MIN: f64 = 0.1;

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Choice,
    /// By one of so many names.
    Names(usize),
}

/// What was said of a case: by whom, with the path by the names of today.
#[derive(Debug, Clone, Default)]
pub struct Walks {
    pub walks: Vec<(String, Vec<Step>)>,
    /// What the model said, where it is heard: label and confidence.
    pub opinion: Option<(String, Option<f64>)>,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub paths: Paths,
    /// By case: which of those that are weighed it is.
    pub cases: Vec<usize>,
    pub weighed: Vec<Weighed>,
    pub iterations: usize,
    pub converged: bool,
}

pub fn fit(cases: &[Walks], kinds: &BTreeMap<String, Kind>, fitting: &Fitting) -> Fitted {
    let mut paths = beginning(cases, kinds);
    let mut model = paths.model();
    let (alike, places) = alike(cases, &model);
    let weigh = |model: &Model| -> Vec<Weighed> {
        alike.iter().map(|one| model.weigh(&one.said, one.opinion)).collect()
    };
    let mut learned = Learned::new(&paths);
    let mut weighed = weigh(&model);
    let (mut iterations, mut converged) = (0, false);
    while iterations < fitting.iterations && !converged {
        let counts = Counts::of(&alike, &weighed, &model);
        paths = learned.maximize(&paths, &counts);
        model = paths.model();
        let next = weigh(&model);
        let changes = weighed.iter().zip(&next).flat_map(|(old, new)| {
            old.shares.iter().zip(&new.shares).map(|(old, new)| (old - new).abs())
        });
        converged = changes.fold(0.0, f64::max) <= fitting.tolerance;
        weighed = next;
        iterations += 1;
    }
    let paths = to_record(paths);
    Fitted { paths, cases: places, weighed, iterations, converged }
}

/// Cases of which the same was said, and the model said as much: they come to the same.
struct Alike<'c> {
    said: Vec<Said>,
    opinion: Option<Opinion<'c>>,
    /// How many they are.
    cases: f64,
}

/// What was said of a case, and what the model did: its label, and the bin of its confidence.
type Pattern<'c> = (Vec<Said>, Option<(&'c str, Option<usize>)>);

/// What differs among cases, and which of that each is.
fn alike<'c>(cases: &'c [Walks], model: &Model) -> (Vec<Alike<'c>>, Vec<usize>) {
    let mut known: HashMap<Pattern<'_>, usize> = HashMap::new();
    let mut found: Vec<Alike<'_>> = Vec::new();
    let places = cases.iter().map(|case| {
        let said: Vec<Said> = case.walks.iter().map(|(who, path)| model.said(who, path)).collect();
        let opinion = case.opinion.as_ref();
        let heard =
            opinion.map(|(label, share)| (label.as_str(), share.map(|share| model.bin(share))));
        let opinion =
            opinion.map(|(predicted, confidence)| Opinion { predicted, confidence: *confidence });
        let place = *known.entry((said.clone(), heard)).or_insert_with(|| {
            found.push(Alike { said, opinion, cases: 0.0 });
            found.len() - 1
        });
        found[place].cases += 1.0;
        place
    });
    let places = places.collect();
    (found, places)
}

/// The same in few digits, without what says nothing.
fn to_record(paths: Paths) -> Paths {
    let Paths { mut ends, mut choices, mut names, confidences, .. } = paths;
    let round = |share: &mut f64| *share = (*share * 1e6).round() / 1e6;
    let round_habits =
        |habits: &mut Habits| habits.values_mut().flat_map(BTreeMap::values_mut).for_each(round);
    for end in &mut ends {
        round(&mut end.share);
        end.by_confidence.iter_mut().for_each(round);
        end.by_predicted.retain(|_, times| (*times - 1.0).abs() > TIMES_MIN);
        end.by_predicted.values_mut().for_each(|times| *times = (*times * 1e3).round() / 1e3);
    }
    for choice in choices.values_mut() {
        round_habits(&mut choice.crowd);
        choice.reviewers.values_mut().for_each(round_habits);
        choice.astray.values_mut().flat_map(BTreeMap::values_mut).for_each(round);
    }
    for names in names.values_mut() {
        round(&mut names.crowd);
        names.reviewers.values_mut().for_each(round);
        names.confused.values_mut().for_each(|said| said.retain(|_, n| *n >= CONFUSED_MIN));
        names.confused.retain(|_, said| !said.is_empty());
        names.confused.values_mut().flat_map(BTreeMap::values_mut).for_each(round);
    }
    Paths::new(ends, choices, names, confidences)
}

/// What is begun with: whoever answers is mostly right, and every end as likely as any other. Every
/// name that occurs has its place.
fn beginning(cases: &[Walks], kinds: &BTreeMap<String, Kind>) -> Paths {
    let mut answers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut people: BTreeSet<&str> = BTreeSet::new();
    let mut ends: BTreeSet<Vec<Step>> = BTreeSet::new();
    for (who, path) in cases.iter().flat_map(|case| &case.walks) {
        people.insert(who);
        let mut end = Vec::new();
        for (question, answer) in path {
            let Some(kind) = kinds.get(question) else { continue };
            answers.entry(question).or_default().insert(answer);
            let name = *kind != Kind::Choice;
            end.push((question.clone(), if name { ANY_NAME.to_owned() } else { answer.clone() }));
        }
        ends.insert(end);
    }
    let mut paths = Paths::default();
    for (question, answers) in answers {
        match kinds[question] {
            Kind::Choice => {
                let row = |right: &str| mostly_right(&answers, right, 1.0);
                let crowd: Habits =
                    answers.iter().map(|right| ((*right).to_owned(), row(right))).collect();
                let of = |who: &&str| ((*who).to_owned(), crowd.clone());
                let reviewers = people.iter().map(of).collect();
                let choice = Choice { crowd, reviewers, astray: BTreeMap::new() };
                paths.choices.insert(question.to_owned(), choice);
            }
            Kind::Names(of) => {
                let confused =
                    answers.iter().map(|name| ((*name).to_owned(), BTreeMap::new())).collect();
                let reviewers = people.iter().map(|who| ((*who).to_owned(), CROWD_RIGHT)).collect();
                let of = of.max(answers.len() + 1);
                let names = Names { of, crowd: CROWD_RIGHT, reviewers, confused };
                paths.names.insert(question.to_owned(), names);
            }
        }
    }
    let share = 1.0 / ends.len().max(1) as f64;
    paths.ends = ends.into_iter().map(|path| End { path, share, ..End::default() }).collect();
    let mut confidences: Vec<f64> = cases
        .iter()
        .filter_map(|case| case.opinion.as_ref()?.1.filter(|share| share.is_finite()))
        .collect();
    confidences.sort_by(f64::total_cmp);
    if confidences.len() >= BINS {
        paths.confidences =
            (1..BINS).map(|bin| confidences[bin * confidences.len() / BINS]).collect();
    }
    paths
}

/// So many answers, most of them right.
fn mostly_right(answers: &BTreeSet<&str>, right: &str, of: f64) -> BTreeMap<String, f64> {
    let others = answers.len().saturating_sub(1).max(1) as f64;
    let share =
        |answer: &str| if answer == right { CROWD_RIGHT } else { (1.0 - CROWD_RIGHT) / others };
    answers.iter().map(|answer| ((*answer).to_owned(), of * share(answer))).collect()
}

type Sums<K> = HashMap<K, f64, foldhash::fast::FixedState>;

/// What labels come to, by belief; by the numbers of the model.
#[derive(Default)]
struct Counts {
    /// By question, reviewer, right answer and answer.
    said: Sums<(usize, usize, u32, u32)>,
    /// By question, right end, and answer.
    astray: Sums<(usize, usize, u32)>,
    /// Names that were right, and not, by question and reviewer.
    names: HashMap<(usize, usize), (f64, f64), foldhash::fast::FixedState>,
    /// By question: a name, and one that was given for it.
    confused: Sums<(usize, u32, u32)>,
    ends: Vec<f64>,
    /// By bin and end, and by predicted label and end.
    by_confidence: Sums<(usize, usize)>,
    by_predicted: BTreeMap<String, Vec<f64>>,
    /// Cases whose model is heard.
    heard: f64,
}

impl Counts {
    fn of(alike: &[Alike<'_>], weighed: &[Weighed], model: &Model) -> Self {
        let mut counts = Self { ends: vec![0.0; model.ends()], ..Self::default() };
        let ends = counts.ends.len();
        for (one, weighed) in alike.iter().zip(weighed).filter(|(one, _)| !one.said.is_empty()) {
            for (candidate, share) in weighed.candidates.iter().zip(&weighed.shares) {
                let (Some(end), true) = (candidate.end, *share > 1e-9) else { continue };
                let share = share * one.cases;
                counts.ends[end] += share;
                if let Some(Opinion { predicted, confidence }) = one.opinion {
                    counts.heard += share;
                    if let Some(bin) = confidence.map(|share| model.bin(share)) {
                        *counts.by_confidence.entry((bin, end)).or_default() += share;
                    }
                    let of = counts.by_predicted.entry(predicted.to_owned());
                    of.or_insert_with(|| vec![0.0; ends])[end] += share;
                }
                for said in &one.said {
                    counts.walk(said, &candidate.steps, end, share, model);
                }
            }
        }
        counts
    }

    fn walk(&mut self, said: &Said, right: &[(usize, u32)], end: usize, share: f64, model: &Model) {
        let mut on_the_way = true;
        for (question, answer) in &said.steps {
            let found = right.iter().find(|(asked, _)| asked == question).filter(|_| on_the_way);
            let is_choice = model.is_choice(*question);
            match found.map(|(_, answer)| *answer) {
                Some(right) if is_choice => {
                    let of = (*question, said.reviewer, right, *answer);
                    *self.said.entry(of).or_default() += share;
                }
                None if is_choice => {
                    *self.astray.entry((*question, end, *answer)).or_default() += share;
                }
                Some(right) => {
                    let of = self.names.entry((*question, said.reviewer)).or_default();
                    if right == *answer {
                        of.0 += share;
                    } else {
                        of.1 += share;
                        if right != SOME_NAME {
                            *self.confused.entry((*question, right, *answer)).or_default() += share;
                        }
                    }
                }
                None => {}
            }
            on_the_way &= !is_choice || found.is_some_and(|(_, right)| right == answer);
        }
    }
}

/// Strengths that are being learned, by question and right answer.
struct Learned(BTreeMap<(String, String), Strength>);

impl Learned {
    fn new(paths: &Paths) -> Self {
        let tables = paths.choices.iter().flat_map(|(question, choice)| {
            choice.crowd.keys().map(move |right| (question.clone(), right.clone()))
        });
        Self(tables.map(|of| (of, Strength::default())).collect())
    }

    /// What the counts come to.
    fn maximize(&mut self, before: &Paths, counts: &Counts) -> Paths {
        let (mut choices, mut all_names) = (BTreeMap::new(), BTreeMap::new());
        let model = before.model();
        for (question, choice) in &before.choices {
            let made = self.choice(question, choice, counts, &model, before.ends.len());
            choices.insert(question.clone(), made);
        }
        for (question, names) in &before.names {
            let number = model.question(question);
            let of = |who: &String| {
                counts.names.get(&(number, model.reviewer(who))).copied().unwrap_or_default()
            };
            let (right, wrong) = names
                .reviewers
                .keys()
                .map(of)
                .fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
            let crowd = (right + CROWD_RIGHT * NAMES) / (right + wrong + NAMES);
            let share = |who: &String| {
                let (right, wrong) = of(who);
                (right + crowd * NAMES) / (right + wrong + NAMES)
            };
            let reviewers = names.reviewers.keys().map(|who| (who.clone(), share(who))).collect();
            let all: Vec<&String> = names.confused.keys().collect();
            let mut confused: BTreeMap<String, BTreeMap<String, f64>> =
                all.iter().map(|name| ((*name).clone(), BTreeMap::new())).collect();
            for ((of, right, said), n) in &counts.confused {
                if *of == number
                    && let Some(row) = confused.get_mut(all[*right as usize])
                {
                    row.insert(all[*said as usize].clone(), *n);
                }
            }
            all_names.insert(question.clone(), Names { of: names.of, crowd, reviewers, confused });
        }
        Paths::new(ends(before, counts), choices, all_names, before.confidences.clone())
    }

    fn choice(
        &mut self,
        question: &str,
        before: &Choice,
        counts: &Counts,
        model: &Model,
        ends: usize,
    ) -> Choice {
        let number = model.question(question);
        let answers: BTreeSet<&str> = before.crowd.keys().map(String::as_str).collect();
        let mut made = Choice::default();
        for (right_number, right) in answers.iter().enumerate() {
            let row = |who: &String| -> Vec<f64> {
                let who = model.reviewer(who);
                (0..answers.len())
                    .map(|answer| {
                        let of = (number, who, right_number as u32, answer as u32);
                        counts.said.get(&of).copied().unwrap_or(0.0)
                    })
                    .collect()
            };
            let rows: Vec<(&String, Vec<f64>, f64)> = before
                .reviewers
                .keys()
                .map(|who| {
                    let row = row(who);
                    let n = row.iter().sum();
                    (who, row, n)
                })
                .collect();
            let of = (question.to_owned(), (*right).to_owned());
            let learned = self.0.entry(of).or_default();
            let mut crowd: Vec<f64> =
                mostly_right(&answers, right, CROWD_ANSWERS).into_values().collect();
            for (_, row, n) in &rows {
                let weight = learned.value / (n + learned.value);
                crowd.iter_mut().zip(row).for_each(|(sum, n)| *sum += n * weight);
            }
            let all: f64 = crowd.iter().sum();
            crowd.iter_mut().for_each(|share| *share /= all);
            learned.learn(|gain| {
                for (_, row, n) in &rows {
                    row.iter().zip(&crowd).for_each(|(n, share)| gain.cell(*n, *share));
                    gain.total(*n);
                }
            });
            let named = |shares: &[f64]| -> BTreeMap<String, f64> {
                answers
                    .iter()
                    .map(|answer| (*answer).to_owned())
                    .zip(shares.iter().copied())
                    .collect()
            };
            for (who, row, n) in &rows {
                let shares: Vec<f64> = row
                    .iter()
                    .zip(&crowd)
                    .map(|(said, share)| (said + learned.value * share) / (n + learned.value))
                    .collect();
                let of = made.reviewers.entry((*who).clone()).or_default();
                of.insert((*right).to_owned(), named(&shares));
            }
            made.crowd.insert((*right).to_owned(), named(&crowd));
        }
        let astray = |end: usize, answer: usize| {
            counts.astray.get(&(number, end, answer as u32)).copied().unwrap_or(0.0)
        };
        let all: Vec<f64> = (0..answers.len())
            .map(|answer| 1.0 + (0..ends).map(|end| astray(end, answer)).sum::<f64>())
            .collect();
        let of_all: f64 = all.iter().sum();
        for end in 0..ends {
            let n: f64 = (0..answers.len()).map(|answer| astray(end, answer)).sum();
            let share = |answer: usize| {
                (astray(end, answer) + ASTRAY_ANSWERS * all[answer] / of_all) / (n + ASTRAY_ANSWERS)
            };
            let row =
                answers.iter().enumerate().map(|(at, answer)| ((*answer).to_owned(), share(at)));
            made.astray.insert(end, row.collect());
        }
        made
    }
}

/// How likely ends are, at all and where the model says so.
fn ends(before: &Paths, counts: &Counts) -> Vec<End> {
    let all: f64 = counts.ends.iter().sum::<f64>() + before.ends.len() as f64;
    let bins = before.confidences.len() + 1;
    let of_bin =
        |bin: usize, end: usize| counts.by_confidence.get(&(bin, end)).copied().unwrap_or(0.0);
    let in_bin: Vec<f64> = (0..bins)
        .map(|bin| (0..before.ends.len()).map(|end| of_bin(bin, end)).sum::<f64>())
        .collect();
    let heard = counts.heard.max(f64::MIN_POSITIVE);
    // How many times likelier something is of an end than of all, drawn towards not at all.
    let times = |n: f64, of_end: f64, of_all: f64| {
        let share = of_all / heard;
        if share > 0.0 { (n / share + OPINIONS) / (of_end + OPINIONS) } else { 1.0 }
    };
    let made = before.ends.iter().enumerate().map(|(at, end)| {
        let n = counts.ends[at];
        let by_confidence = if before.confidences.is_empty() {
            Vec::new()
        } else {
            (0..bins).map(|bin| times(of_bin(bin, at), n, in_bin[bin])).collect()
        };
        let by_predicted = counts
            .by_predicted
            .iter()
            .map(|(label, by_end)| {
                (label.clone(), times(by_end[at], n, by_end.iter().sum::<f64>()))
            })
            .collect();
        let share = (n + 1.0) / all;
        End { path: end.path.clone(), share, by_confidence, by_predicted }
    });
    made.collect()
}
