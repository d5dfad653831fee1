//! What a model of truth that walks the protocol found out, recorded once, and what the labels of a
//! case come to under it.
//!
//! What is true of a case is an end of the tree, with the names that label questions gave. At each
//! question on the way to it a reviewer answers right or otherwise with shares of their own; who has
//! left the way answers what comes after as people do who have. So what one learns of somebody at a
//! question is not lost where trees have hundreds of ends. A question that is answered by one of many
//! names has one share of right answers for each reviewer, and names that are taken for each other
//! (Dawid and Skene's model, 1979, on each question; its one-coin form on names).
//!
//! The model's own prediction and confidence may be heard as one more voice: how much likelier
//! each end is where it says so.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::label::{Label, Step};

/// How often something is said, by what is true, then by what is said. Shares that are nothing are
/// left out.
pub type Habits = BTreeMap<String, BTreeMap<String, f64>>;

/// Stands in an end for whatever name is right.
pub const ANY_NAME: &str = "*";
/// No share is taken for less.
const LEAST: f64 = 1e-4;
/// Share of right answers where nothing is known of them.
const STRANGE_RIGHT: f64 = 0.8;
/// Share of cases that come to an end which nobody came to when it was fitted.
const NEW_END: f64 = 1e-3;
/// So many answers are taken to have been spread evenly over names before some were mistaken.
const CONFUSED_SPREAD: f64 = 20.0;

/// What is recorded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Paths {
    pub ends: Vec<End>,
    pub choices: BTreeMap<String, Choice>,
    /// Questions that are answered by one of many names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Names>,
    /// Bounds between bins of the model's confidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confidences: Vec<f64>,
    /// Answers of earlier versions of protocols by the names of today.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<RenamedStep>,
    #[serde(skip)]
    compiled: OnceLock<Arc<Model>>,
}

impl PartialEq for Paths {
    fn eq(&self, other: &Self) -> bool {
        // Not what is made of them.
        let Self { ends, choices, names, confidences, renamed, compiled: _ } = self;
        *ends == other.ends
            && *choices == other.choices
            && *names == other.names
            && *confidences == other.confidences
            && *renamed == other.renamed
    }
}

/// An end of the tree: the answers that lead there.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct End {
    /// A name is [`ANY_NAME`].
    pub path: Vec<Step>,
    /// Share of cases that come to it.
    pub share: f64,
    /// How many times likelier it is where the model's confidence is in each bin, and where it
    /// predicted that label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_confidence: Vec<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_predicted: BTreeMap<String, f64>,
}

/// A question of a few answers: how often each is given, by what would be right.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Choice {
    pub crowd: Habits,
    pub reviewers: BTreeMap<String, Habits>,
    /// What is answered where it should not have been asked, by the number of the right end.
    pub astray: BTreeMap<usize, BTreeMap<String, f64>>,
}

/// A question of many names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Names {
    /// How many there are.
    pub of: usize,
    /// Share of right answers: of all, and of each.
    pub crowd: f64,
    pub reviewers: BTreeMap<String, f64>,
    /// How often a name is given for another, where both were named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub confused: BTreeMap<String, BTreeMap<String, f64>>,
}

/// An answer that is called otherwise today.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RenamedStep {
    pub protocol: String,
    pub version: u32,
    pub from: Step,
    pub to: Step,
}

/// What the model said of a case, where that is heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opinion<'o> {
    pub predicted: &'o str,
    pub confidence: Option<f64>,
}

impl Paths {
    pub fn new(
        ends: Vec<End>,
        choices: BTreeMap<String, Choice>,
        names: BTreeMap<String, Names>,
        confidences: Vec<f64>,
    ) -> Self {
        Self { ends, choices, names, confidences, ..Self::default() }
    }

    /// How often a reviewer answers each question right where it should be asked, over cases as they
    /// come.
    pub fn right_at(&self, reviewer: &str) -> Vec<(&str, f64)> {
        let choices = self.choices.iter().map(|(question, choice)| {
            let habits = choice.reviewers.get(reviewer).unwrap_or(&choice.crowd);
            let (mut right, mut asked) = (0.0, 0.0);
            for end in &self.ends {
                let answer = end.path.iter().find(|(id, _)| id == question);
                let Some((_, answer)) = answer else { continue };
                let share = habits.get(answer).and_then(|row| row.get(answer)).unwrap_or(&0.0);
                right += end.share * share;
                asked += end.share;
            }
            (question.as_str(), if asked > 0.0 { right / asked } else { 0.0 })
        });
        let names = self.names.iter().map(|(question, names)| {
            (question.as_str(), names.reviewers.get(reviewer).copied().unwrap_or(names.crowd))
        });
        choices.chain(names).collect()
    }

    /// Whether every share is one, and every number finite.
    pub fn is_sound(&self) -> bool {
        fn share(share: &f64) -> bool {
            (0.0..=1.0).contains(share)
        }
        let times = |times: &f64| times.is_finite() && *times >= 0.0;
        let habits = |habits: &Habits| habits.values().flat_map(BTreeMap::values).all(share);
        let ends = self.ends.iter().all(|end| {
            share(&end.share)
                && end.by_confidence.iter().chain(end.by_predicted.values()).all(times)
        });
        let choices = self.choices.values().all(|choice| {
            habits(&choice.crowd)
                && choice.reviewers.values().all(habits)
                && choice.astray.values().flat_map(BTreeMap::values).all(share)
        });
        let names = self.names.values().all(|names| {
            share(&names.crowd)
                && names.reviewers.values().all(share)
                && names.confused.values().flat_map(BTreeMap::values).all(times)
        });
        ends && choices && names && self.confidences.iter().all(|bound| bound.is_finite())
    }

    pub fn model(&self) -> Arc<Model> {
        self.compiled.get_or_init(|| Arc::new(Model::compile(self))).clone()
    }
}

/// A step whose question and answer are numbers.
pub type Numbered = (usize, u32);

/// The first number of answers that nobody gave when it was fitted; a name that is none of those at
/// hand; and whatever name is right.
const STRANGE: u32 = 1 << 31;
const NEW_NAME: u32 = u32::MAX - 1;
pub const SOME_NAME: u32 = u32::MAX - 2;

/// The same, numbered: what the labels of a case are weighed by. Only products and quotients, so that
/// every machine comes to the same bits.
#[derive(Debug, Clone, Default)]
pub struct Model {
    questions: HashMap<String, usize>,
    asked: Vec<Asked>,
    reviewers: HashMap<String, usize>,
    ends: Vec<Vec<Numbered>>,
    /// By end.
    priors: Vec<f64>,
    by_confidence: Vec<Vec<f64>>,
    by_predicted: Vec<HashMap<String, f64>>,
    confidences: Vec<f64>,
    renamed: HashMap<(String, u32, Step), Step>,
}

#[derive(Debug, Clone)]
enum Asked {
    Choice {
        answers: HashMap<String, u32>,
        /// By reviewer (the last: the crowd), right answer and answer.
        said: Vec<f64>,
        /// By right end, and answer.
        astray: Vec<f64>,
    },
    Names {
        numbers: HashMap<String, u32>,
        of: f64,
        /// By reviewer, the last is the crowd.
        right: Vec<f64>,
        confused: HashMap<(u32, u32), f64>,
        /// Answers that were mistaken, by what was right.
        mistaken: HashMap<u32, f64>,
    },
}

/// What one reviewer said of a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Said {
    pub reviewer: usize,
    pub steps: Vec<Numbered>,
}

/// What may be true of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Nothing: an end that nobody had come to.
    pub end: Option<usize>,
    pub steps: Vec<Numbered>,
}

/// What the labels of a case come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Weighed {
    /// Which candidate each label says, in their order.
    pub places: Vec<Option<usize>>,
    /// Belief in all that may be true.
    pub candidates: Vec<Candidate>,
    pub shares: Vec<f64>,
}

impl Candidate {
    /// Whether it says that some name is right, and not which.
    fn is_nameless(&self) -> bool {
        self.steps.iter().any(|(_, answer)| *answer == SOME_NAME)
    }
}

impl Weighed {
    /// Whether anybody said what is most likely.
    pub fn likeliest_is_said(&self) -> bool {
        let most = self.shares.iter().copied().fold(0.0, f64::max);
        self.places.iter().flatten().any(|place| self.shares[*place] >= most)
    }
}

impl Model {
    fn compile(paths: &Paths) -> Self {
        let mut model = Self {
            confidences: paths.confidences.clone(),
            renamed: paths
                .renamed
                .iter()
                .map(|one| ((one.protocol.clone(), one.version, one.from.clone()), one.to.clone()))
                .collect(),
            ..Self::default()
        };
        let people: std::collections::BTreeSet<&String> = paths
            .choices
            .values()
            .flat_map(|choice| choice.reviewers.keys())
            .chain(paths.names.values().flat_map(|names| names.reviewers.keys()))
            .collect();
        model.reviewers =
            people.iter().enumerate().map(|(at, name)| ((*name).clone(), at)).collect();
        let people: Vec<&String> = people.into_iter().collect();
        for (id, choice) in &paths.choices {
            model.questions.insert(id.clone(), model.asked.len());
            model.asked.push(Asked::of_choice(choice, &people, paths.ends.len()));
        }
        for (id, names) in &paths.names {
            model.questions.insert(id.clone(), model.asked.len());
            model.asked.push(Asked::of_names(names, &people));
        }
        for end in &paths.ends {
            let steps = model.numbered(&end.path, &mut HashMap::new());
            model.ends.push(steps);
            model.priors.push(end.share.max(NEW_END));
            model.by_confidence.push(end.by_confidence.clone());
            model.by_predicted.push(end.by_predicted.clone().into_iter().collect());
        }
        model
    }

    /// Steps of questions that it knows. Answers that it does not know get numbers of their own.
    fn numbered(&self, path: &[Step], strange: &mut HashMap<String, u32>) -> Vec<Numbered> {
        let step = |(question, answer): &Step| {
            let question = *self.questions.get(question)?;
            let known = match &self.asked[question] {
                Asked::Choice { answers, .. } => answers.get(answer),
                Asked::Names { .. } if answer == ANY_NAME => Some(&SOME_NAME),
                Asked::Names { numbers, .. } => numbers.get(answer),
            };
            let next = STRANGE + strange.len() as u32;
            let number =
                known.copied().unwrap_or_else(|| *strange.entry(answer.clone()).or_insert(next));
            Some((question, number))
        };
        path.iter().filter_map(step).collect()
    }

    /// The path of a label by the names of today.
    fn todays(&self, label: &Label) -> Vec<Step> {
        if self.renamed.is_empty() {
            return label.path.clone();
        }
        let (id, version) = (&label.protocol.id, label.protocol.version);
        let step = |step: &Step| {
            self.renamed.get(&(id.clone(), version, step.clone())).unwrap_or(step).clone()
        };
        label.path.iter().map(step).collect()
    }

    /// The number of a reviewer; of one who is not known, that of the crowd.
    pub fn reviewer(&self, name: &str) -> usize {
        self.reviewers.get(name).copied().unwrap_or(self.reviewers.len())
    }

    /// The number of a question that it knows.
    pub fn question(&self, id: &str) -> usize {
        self.questions.get(id).copied().unwrap_or(usize::MAX)
    }

    pub fn is_choice(&self, question: usize) -> bool {
        matches!(self.asked.get(question), Some(Asked::Choice { .. }))
    }

    pub fn ends(&self) -> usize {
        self.ends.len()
    }

    /// The bin of the model's confidence.
    pub fn bin(&self, confidence: f64) -> usize {
        self.confidences.partition_point(|most| *most <= confidence)
    }

    /// The end of steps, names apart.
    fn end_of(&self, steps: &[Numbered]) -> Option<usize> {
        let alike = |end: &Vec<Numbered>| {
            end.len() == steps.len()
                && end.iter().zip(steps).all(|(right, said)| {
                    right.0 == said.0 && (right.1 == SOME_NAME || right.1 == said.1)
                })
        };
        self.ends.iter().position(alike)
    }

    /// What may be true, given what was said: every end, with each set of names that was given on
    /// the way there, and with others.
    fn candidates(&self, said: &[Said]) -> Vec<Candidate> {
        let walked: Vec<Option<usize>> = said.iter().map(|one| self.end_of(&one.steps)).collect();
        let mut found: Vec<Candidate> = Vec::new();
        for (number, end) in self.ends.iter().enumerate() {
            found.push(Candidate { end: Some(number), steps: end.clone() });
            if end.iter().any(|(_, answer)| *answer == SOME_NAME) {
                for (one, _) in
                    said.iter().zip(&walked).filter(|(_, walked)| **walked == Some(number))
                {
                    let candidate = Candidate { end: Some(number), steps: one.steps.clone() };
                    if !found.contains(&candidate) {
                        found.push(candidate);
                    }
                }
            }
        }
        for (one, _) in said.iter().zip(&walked).filter(|(_, walked)| walked.is_none()) {
            let candidate = Candidate { end: None, steps: one.steps.clone() };
            if !found.contains(&candidate) {
                found.push(candidate);
            }
        }
        found
    }

    /// How likely a candidate is before anybody said anything. `named` is how many
    /// sets of names of its end are told apart.
    fn prior(&self, candidate: &Candidate, named: usize, opinion: Option<Opinion<'_>>) -> f64 {
        let Some(end) = candidate.end else { return NEW_END };
        let mut prior = self.priors[end];
        if let Some(Opinion { predicted, confidence }) = opinion {
            let of_bin = confidence.and_then(|share| self.by_confidence[end].get(self.bin(share)));
            prior *= of_bin.copied().unwrap_or(1.0).max(LEAST);
            prior *= self.by_predicted[end].get(predicted).copied().unwrap_or(1.0).max(LEAST);
        }
        for (right, (question, answer)) in self.ends[end].iter().zip(&candidate.steps) {
            if let (Asked::Names { of, .. }, SOME_NAME) = (&self.asked[*question], right.1) {
                let left = (of - named as f64).max(1.0);
                prior *= if *answer == SOME_NAME { left / of } else { 1.0 / of };
            }
        }
        prior
    }

    /// How likely it is that they say that of a case of which the candidate is true.
    fn likelihood(&self, said: &Said, candidate: &Candidate) -> f64 {
        let (mut likely, mut on_the_way) = (1.0, true);
        for (question, answer) in &said.steps {
            let right = candidate.steps.iter().find(|(asked, _)| asked == question);
            let right = right.filter(|_| on_the_way).map(|(_, answer)| *answer);
            let asked = &self.asked[*question];
            likely *= asked.likelihood(said.reviewer, *answer, right, candidate.end);
            let a_choice = matches!(asked, Asked::Choice { .. });
            on_the_way &= !a_choice || right == Some(*answer);
        }
        likely
    }

    /// What was said of a case comes to.
    pub fn weigh(&self, said: &[Said], opinion: Option<Opinion<'_>>) -> Weighed {
        let candidates = self.candidates(said);
        let mut shares: Vec<f64> = candidates
            .iter()
            .map(|candidate| {
                let of_its_end = candidates.iter().filter(|other| other.end == candidate.end);
                self.prior(candidate, of_its_end.count() - 1, opinion)
            })
            .collect();
        for one in said {
            for (share, candidate) in shares.iter_mut().zip(&candidates) {
                *share *= self.likelihood(one, candidate);
            }
            // Kept away from nothing, however many there are.
            let most = shares.iter().copied().fold(0.0, f64::max);
            shares.iter_mut().for_each(|share| *share /= most);
        }
        let all: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= all);
        let place =
            |one: &Said| candidates.iter().position(|candidate| candidate.steps == one.steps);
        let places = said.iter().map(place).collect();
        Weighed { places, shares, candidates }
    }

    /// A path by the names of today, as somebody walked it.
    pub fn said(&self, reviewer: &str, path: &[Step]) -> Said {
        let steps = self.numbered(path, &mut HashMap::new());
        Said { reviewer: self.reviewer(reviewer), steps }
    }

    /// What labels come to, one of each reviewer.
    pub fn weighed(&self, labels: &[&Label], opinion: Option<Opinion<'_>>) -> Weighed {
        let mut strange = HashMap::new();
        let said: Vec<Said> = labels
            .iter()
            .map(|label| Said {
                reviewer: self.reviewer(&label.reviewer),
                steps: self.numbered(&self.todays(label), &mut strange),
            })
            .collect();
        self.weigh(&said, opinion)
    }

    /// How often a reviewer comes to the end that is right, over cases as they come.
    pub fn skill(&self, reviewer: &str) -> f64 {
        let reviewer = self.reviewer(reviewer);
        let shares = self.ends.iter().zip(&self.priors);
        let right = shares.map(|(steps, share)| {
            let right = |(question, answer): &Numbered| {
                let said = if *answer == SOME_NAME { NEW_NAME } else { *answer };
                self.asked[*question].likelihood(reviewer, said, Some(*answer), None)
            };
            share * steps.iter().map(right).product::<f64>()
        });
        right.sum::<f64>() / self.priors.iter().sum::<f64>().max(f64::MIN_POSITIVE)
    }

    /// How much surer of the truth one more label, by this reviewer, is expected to make: the mean
    /// of the largest belief after it, less the largest now. That some name is right that nobody
    /// gave is no answer yet.
    pub fn gain(&self, weighed: &Weighed, reviewer: &str) -> f64 {
        let reviewer = self.reviewer(reviewer);
        let Weighed { shares, candidates, .. } = weighed;
        // Whoever names something that nobody named names something new.
        let answers: Vec<Said> = candidates
            .iter()
            .map(|candidate| {
                let named = |(question, answer): &Numbered| {
                    (*question, if *answer == SOME_NAME { NEW_NAME } else { *answer })
                };
                Said { reviewer, steps: candidate.steps.iter().map(named).collect() }
            })
            .collect();
        let mut surest = vec![0.0_f64; answers.len()];
        for (candidate, share) in candidates.iter().zip(shares) {
            let likely: Vec<f64> =
                answers.iter().map(|answer| self.likelihood(answer, candidate)).collect();
            let all = likely.iter().sum::<f64>().max(f64::MIN_POSITIVE);
            for ((surest, likely), answer) in surest.iter_mut().zip(likely).zip(candidates) {
                if !candidate.is_nameless() || candidate == answer {
                    *surest = surest.max(share * likely / all);
                }
            }
        }
        let named = candidates.iter().zip(shares).filter(|(candidate, _)| !candidate.is_nameless());
        let now = named.map(|(_, share)| *share).fold(0.0, f64::max);
        (surest.iter().sum::<f64>() - now).max(0.0)
    }
}

impl Asked {
    fn of_choice(choice: &Choice, people: &[&String], ends: usize) -> Self {
        let answers: std::collections::BTreeSet<&String> = choice
            .crowd
            .iter()
            .flat_map(|(right, row)| std::iter::once(right).chain(row.keys()))
            .chain(choice.astray.values().flat_map(BTreeMap::keys))
            .collect();
        let n = answers.len();
        let row = |habits: Option<&Habits>, right: &String| -> Vec<f64> {
            let row = habits.and_then(|habits| habits.get(right));
            let row = row.or_else(|| choice.crowd.get(right));
            answers
                .iter()
                .map(|answer| {
                    let share =
                        row.map_or(1.0 / n as f64, |row| row.get(*answer).copied().unwrap_or(0.0));
                    share.max(LEAST)
                })
                .collect()
        };
        let of_all = people.iter().map(|name| choice.reviewers.get(*name)).chain([None]);
        let said = of_all
            .flat_map(|habits| {
                answers.iter().flat_map(move |right| row(habits, right)).collect::<Vec<_>>()
            })
            .collect();
        let astray = (0..ends)
            .flat_map(|end| {
                let row = choice.astray.get(&end);
                answers
                    .iter()
                    .map(|answer| {
                        let share = row
                            .map_or(1.0 / n as f64, |row| row.get(*answer).copied().unwrap_or(0.0));
                        share.max(LEAST)
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let answers =
            answers.iter().enumerate().map(|(at, name)| ((*name).clone(), at as u32)).collect();
        Self::Choice { answers, said, astray }
    }

    fn of_names(names: &Names, people: &[&String]) -> Self {
        let all: std::collections::BTreeSet<&String> = names
            .confused
            .iter()
            .flat_map(|(right, said)| std::iter::once(right).chain(said.keys()))
            .collect();
        let numbers: HashMap<String, u32> =
            all.iter().enumerate().map(|(at, name)| ((*name).clone(), at as u32)).collect();
        let confused: HashMap<(u32, u32), f64> = names
            .confused
            .iter()
            .flat_map(|(right, said)| said.iter().map(move |(name, n)| ((right, name), *n)))
            .map(|((right, name), n)| ((numbers[right], numbers[name]), n))
            .collect();
        // Summed in one order, so that every machine comes to the same bits.
        let mistaken: HashMap<u32, f64> = names
            .confused
            .iter()
            .map(|(right, said)| (numbers[right], said.values().sum()))
            .collect();
        let right = people
            .iter()
            .map(|name| names.reviewers.get(*name).copied().unwrap_or(names.crowd))
            .chain([names.crowd])
            .map(|share| share.clamp(LEAST, 1.0 - LEAST))
            .collect();
        Self::Names { numbers, of: names.of.max(2) as f64, right, confused, mistaken }
    }

    /// `right` is the answer that would be, where it should have been asked.
    fn likelihood(&self, who: usize, answer: u32, right: Option<u32>, end: Option<usize>) -> f64 {
        match self {
            Self::Choice { answers, said, astray } => {
                let n = answers.len();
                let row = match (right, end) {
                    // What nobody knew of is mostly answered right too.
                    (Some(right), _) if right >= STRANGE && right == answer => {
                        return STRANGE_RIGHT;
                    }
                    (Some(right), _) if right >= STRANGE => return LEAST,
                    (None, None) => return 1.0 / n.max(2) as f64,
                    (Some(right), _) => &said[(who * n + right as usize) * n..][..n],
                    (None, Some(end)) => &astray[end * n..][..n],
                };
                row.get(answer as usize).copied().unwrap_or(LEAST)
            }
            Self::Names { of, right: shares, confused, mistaken, .. } => {
                let share = shares[who];
                match right {
                    None if answer == NEW_NAME => 1.0,
                    None => 1.0 / of,
                    Some(right) if right == answer || (right, answer) == (SOME_NAME, NEW_NAME) => {
                        share
                    }
                    Some(_) if answer == NEW_NAME => 1.0 - share,
                    Some(right) => {
                        let n = confused.get(&(right, answer)).copied().unwrap_or(0.0);
                        let of_right = mistaken.get(&right).copied().unwrap_or(0.0);
                        let spread = (n + CONFUSED_SPREAD / of) / (of_right + CONFUSED_SPREAD);
                        (1.0 - share) * spread
                    }
                }
            }
        }
    }
}
