//! Whose turn a case is, without anybody handing out work.
//!
//! Every device computes the same order of reviewers for a case by weighted rendezvous hashing
//! (Thaler and Ravishankar, "A name-based mapping scheme for rendezvous", 1996). The case goes to as
//! many of the first as the policy's overlap says. The week in which a case was detected is part of
//! what is hashed, so that neighbours rotate. Who joins or leaves moves only their own share, and of
//! the others' little where capacities differ.
//!
//! Whoever has half the capacity of another gets half as many cases, whatever the overlap: how is in
//! [`super::proportion`]. Dividing what is drawn by capacity alone gives the weak too much as soon
//! as one case takes several.
//!
//! As a case's time runs out, the next in its order may take it too. Once it is due, whoever is
//! first may be away for long: a new order is drawn again and again, with one more place each time.
//! It is not simply everybody's then: all would begin with what is due first, and do the same work.
//!
//! ```text
//!  part of its time   0 ───── ½ ───── ¾ ───── due ───── 1¼ ───── 1½ ─────
//!  beside the first       +0      +1      +2  │  +1      +2       +3       of a new order each
//! ```
//!
//! Time is that up to which a device has heard of the others: one that was offline for a week does
//! not take their work for undone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::ids::CaseId;
use super::policy::Policy;
use super::proportion;
use super::roster::Profile;
use super::time::Moment;

const DAY_MS: i64 = 86_400_000;
/// Parts of a case's time after which one more reviewer may take it.
const WIDEN_AT: [f64; 2] = [0.5, 0.75];

/// Places behind the first that are told apart.
pub const BEHIND_MAX: u8 = 8;

/// What there is to know of a case for this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaseLoad<'c> {
    pub case: CaseId,
    pub detected: Moment,
    pub due: Moment,
    /// Reviewers who have labeled it.
    pub labels: usize,
    /// The language that it takes; empty: not known.
    pub language: &'c str,
    /// Skills that it takes.
    pub needs: &'c [String],
    /// Those of whom a label would hardly teach anything: they come last.
    pub idle: &'c [String],
}

/// Somebody who reviews.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub name: String,
    pub profile: Profile,
    /// Their part of the work: their capacity, unless somebody weighs it.
    weight: u32,
    seed: u64,
}

impl Candidate {
    pub fn new(name: &str, profile: Profile) -> Self {
        let hash = blake3::hash(name.as_bytes());
        let seed = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self { name: name.to_owned(), weight: profile.capacity, profile, seed }
    }

    /// The same with another part of the work than others of that capacity.
    pub fn weighing(self, times: f64) -> Self {
        let weight = (f64::from(self.profile.capacity) * 1e3 * times).round().clamp(0.0, 1e9);
        // Whoever takes work gets some.
        let weight = (weight as u32).max(u32::from(self.profile.capacity > 0));
        Self { weight, ..self }
    }

    /// Their part of the work beside others'; 0: none.
    pub fn weight(&self) -> u32 {
        if self.profile.capacity == 0 { 0 } else { self.weight }
    }

    /// Whether they can judge it.
    fn can(&self, work: &CaseLoad<'_>) -> bool {
        let Profile { capacity, languages, skills } = &self.profile;
        *capacity > 0
            && (work.language.is_empty()
                || languages.is_empty()
                || languages.iter().any(|language| language == work.language))
            && work.needs.iter().all(|need| skills.contains(need))
    }

    /// Their place for a case, with what they multiply by: the smallest come first.
    fn draw(&self, work: &CaseLoad<'_>, epoch: u64, multiply: f64) -> f64 {
        Self::draw_with(self.salt((week(work.detected), epoch)), work, multiply)
    }

    /// What of a draw is the same for all cases of a week and an epoch.
    fn salt(&self, (week, epoch): (i64, u64)) -> u64 {
        mix(self.seed ^ mix(week as u64 ^ epoch << 48))
    }

    fn draw_with(salt: u64, work: &CaseLoad<'_>, multiply: f64) -> f64 {
        place_of(drawn(salt, work.bits()), multiply)
    }
}

/// What somebody draws for a case, between 0 and 1.
fn drawn(salt: u64, case: u64) -> f64 {
    let hash = mix(case ^ salt);
    // Never 0 and never 1.
    ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The place of who drew that.
fn place_of(u: f64, multiply: f64) -> f64 {
    // Who gets every case comes before all who do not.
    if multiply > 0.0 { (1.0 - u) / u * multiply } else { -u }
}

/// Whether the place of who drew that is certainly behind another: as far as that can be said without
/// a division.
fn is_behind(u: f64, multiply: f64, place: f64) -> bool {
    const ROUNDED: f64 = 1.0 + 1e-9;
    multiply > 0.0 && (1.0 - u) * multiply > place * u * ROUNDED
}

impl CaseLoad<'_> {
    /// What of a case's id is drawn with.
    fn bits(&self) -> u64 {
        self.case.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// How much of a case's time is gone; from 1 on it is due.
    pub fn part_gone(&self, now: Moment) -> f64 {
        (now.0 - self.detected.0) as f64 / (self.due.0 - self.detected.0).max(1) as f64
    }
}

/// How many quarters of its time have begun since a case was due; nothing before.
fn quarters_over(work: &CaseLoad<'_>, now: Moment) -> Option<u64> {
    let over = work.part_gone(now) - 1.0;
    (over >= 0.0).then_some(1 + (over * 4.0) as u64)
}

/// SplitMix64's finalizer (Steele, Lea and Flood, 2014).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The number of the week, which begins on Monday.
pub fn week(at: Moment) -> i64 {
    (at.0.div_euclid(DAY_MS) + 3).div_euclid(7)
}

/// Why a case is somebody's, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Among the first, as many as labels are wanted.
    First,
    /// Among those who may take it because its time runs out: so many places behind the first.
    Widened(u8),
    /// Somebody else's for now.
    Others,
    /// It takes a language or a skill that they do not have, or they take no work.
    Cannot,
}

impl Turn {
    pub fn is_mine(self) -> bool {
        matches!(self, Self::First | Self::Widened(_))
    }
}

/// Which of the candidates can judge a case, a bit for each. Beyond so many they are looked at one by
/// one.
type Able = [u64; 4];
const ABLE_MAX: usize = 256;

/// What reviewers multiply what they draw by, by who of them can judge a case.
type Multipliers = HashMap<Able, Arc<[f64]>>;

/// What somebody drew for a case.
struct Drawn<'c> {
    idle: bool,
    place: f64,
    candidate: &'c Candidate,
}

impl Drawn<'_> {
    /// Who comes first.
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let by_name = || self.candidate.name.cmp(&other.candidate.name);
        let by_place = || self.place.total_cmp(&other.place).then_with(by_name);
        self.idle.cmp(&other.idle).then_with(by_place)
    }
}

/// Everybody who reviews, and how work is shared between them.
#[derive(Debug, Clone, Default)]
pub struct Share {
    candidates: Vec<Candidate>,
    overlap: usize,
    /// They are many cases' alike.
    multipliers: Arc<Mutex<Multipliers>>,
}

impl Share {
    pub fn new(mut candidates: Vec<Candidate>, policy: &Policy) -> Self {
        candidates.sort_by(|a, b| a.name.cmp(&b.name));
        Self { candidates, overlap: policy.overlap as usize, multipliers: Arc::default() }
    }

    /// Those who can judge a case. If nobody can, everybody who takes work.
    fn able(&self, work: &CaseLoad<'_>) -> Vec<&Candidate> {
        let mut able: Vec<&Candidate> = Vec::with_capacity(self.candidates.len());
        able.extend(self.candidates.iter().filter(|candidate| candidate.can(work)));
        if able.is_empty() {
            able.extend(self.candidates.iter().filter(|candidate| candidate.profile.capacity > 0));
        }
        able
    }

    /// What each of them draws for it, as it is asked for: the smallest comes first.
    fn drawn<'c>(
        &self,
        able: &'c [&'c Candidate],
        work: &'c CaseLoad<'c>,
        now: Moment,
    ) -> impl Fn(usize) -> Drawn<'c> + use<'c> {
        let multiply = self.multipliers(able);
        let epoch = quarters_over(work, now).unwrap_or(0);
        move |at| {
            let candidate = able[at];
            let place = candidate.draw(work, epoch, multiply[at]);
            Drawn { idle: work.idle.contains(&candidate.name), place, candidate }
        }
    }

    /// What each of those who can judge a case multiplies what they draw by.
    fn multipliers(&self, able: &[&Candidate]) -> Arc<[f64]> {
        let of = || {
            let capacities: Vec<u32> = able.iter().map(|candidate| candidate.weight).collect();
            Arc::from(proportion::multipliers(&capacities, self.overlap))
        };
        if self.candidates.len() > ABLE_MAX {
            return of();
        }
        let mut mask = Able::default();
        let mut rest = self.candidates.iter().enumerate();
        for one in able {
            if let Some((at, _)) = rest.find(|(_, candidate)| std::ptr::eq(*candidate, *one)) {
                mask[at / 64] |= 1 << (at % 64);
            }
        }
        let mut known = self.multipliers.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(mask).or_insert_with(of).clone()
    }

    /// How many of those who are not `labeled` come before somebody in the order of a case, as far as
    /// `most`; nothing if they can't judge it. A queue asks it of every case, so nothing is put in
    /// order for it, and nobody draws who makes no difference any more.
    fn place(
        &self,
        name: &str,
        work: &CaseLoad<'_>,
        labeled: &[&str],
        now: Moment,
        most: usize,
    ) -> Option<usize> {
        let able = self.able(work);
        let at = able.iter().position(|one| one.name == name && !labeled.contains(&name))?;
        let draw = self.drawn(&able, work, now);
        let own = draw(at);
        let before = (0..able.len()).map(&draw).filter(|other| {
            other.compare(&own).is_lt() && !labeled.contains(&other.candidate.name.as_str())
        });
        Some(before.take(most).count())
    }

    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Whether everybody gets every case: then there is nothing to compute.
    pub fn is_everybodys(&self) -> bool {
        let plain = |candidate: &Candidate| {
            candidate.profile.capacity > 0 && candidate.profile.languages.is_empty()
        };
        self.candidates.len() <= self.overlap && self.candidates.iter().all(plain)
    }

    /// Those who can judge a case, in its order. If nobody can, everybody who takes work.
    pub fn order(&self, work: &CaseLoad<'_>, now: Moment) -> Vec<&Candidate> {
        let able = self.able(work);
        let mut drawn: Vec<(usize, Drawn<'_>)> =
            (0..able.len()).map(self.drawn(&able, work, now)).enumerate().collect();
        drawn.sort_by(|(_, one), (_, other)| one.compare(other));
        drawn.into_iter().map(|(at, _)| able[at]).collect()
    }

    /// How many labels are wanted of a case, and how many more may be asked because its time runs
    /// out.
    pub fn places(&self, work: &CaseLoad<'_>, now: Moment) -> (usize, usize) {
        // One that is open with enough labels is one on which they differ: one more.
        let wanted = self.overlap.max(work.labels + 1);
        let widened = match quarters_over(work, now) {
            Some(quarters) => quarters as usize,
            None => WIDEN_AT.iter().filter(|part| work.part_gone(now) >= **part).count(),
        };
        (wanted, widened)
    }

    /// Whose turn it is, for one of them. `labeled` are those who gave theirs, who are not asked
    /// again.
    pub fn turn(&self, name: &str, work: &CaseLoad<'_>, labeled: &[&str], now: Moment) -> Turn {
        if !self.candidates.iter().any(|candidate| candidate.name == name) {
            return Turn::Cannot;
        }
        if self.is_everybodys() && work.needs.is_empty() {
            return Turn::First;
        }
        let (wanted, widened) = self.places(work, now);
        let missing = wanted.saturating_sub(labeled.len());
        match self.place(name, work, labeled, now, missing + widened) {
            None => Turn::Cannot,
            Some(place) if place < missing => Turn::First,
            Some(place) if place < missing + widened => {
                Turn::Widened((1 + place - missing).min(BEHIND_MAX.into()) as u8)
            }
            Some(_) => Turn::Others,
        }
    }
}

/// Whose labels are wanted, of many cases one after another: what is the same for all is kept.
pub struct Sharing<'s> {
    share: &'s Share,
    /// Who can judge cases of a language that take some skills, and what they multiply by.
    able: HashMap<(String, Vec<String>), Judges<'s>>,
    /// The same of cases that take neither, as nearly all do.
    plain: Option<Judges<'s>>,
    /// What of everybody's draws is the same for all cases of a week and an epoch: of the last ones.
    salts: ((i64, u64), Vec<u64>),
    wanted: Vec<usize>,
}

/// Who can judge a case, each with their place among all, and what they multiply by.
type Judges<'s> = Arc<(Vec<(usize, &'s Candidate)>, Arc<[f64]>)>;

impl<'s> Sharing<'s> {
    pub fn of(share: &'s Share) -> Self {
        Self {
            share,
            able: HashMap::new(),
            plain: None,
            salts: Default::default(),
            wanted: Vec::new(),
        }
    }

    fn able(&mut self, work: &CaseLoad<'_>) -> Judges<'s> {
        let share = self.share;
        let of = || {
            let able = share.able(work);
            let multiply = share.multipliers(&able);
            let mut all = share.candidates.iter().enumerate();
            let place = |one: &'s Candidate| {
                all.find(|(_, other)| std::ptr::eq(*other, one)).map(|(at, _)| (at, one))
            };
            Arc::new((able.into_iter().filter_map(place).collect(), multiply))
        };
        if work.language.is_empty() && work.needs.is_empty() {
            return Arc::clone(self.plain.get_or_insert_with(of));
        }
        let key = (work.language.to_owned(), work.needs.to_vec());
        Arc::clone(self.able.entry(key).or_insert_with(of))
    }

    /// Places among [`Share::candidates`] of those whose labels are wanted of a case: the first of its
    /// order who have not given theirs.
    pub fn wanted(&mut self, work: &CaseLoad<'_>, labeled: &[String], now: Moment) -> &[usize] {
        let able = self.able(work);
        let (wanted, _) = self.share.places(work, now);
        let missing = wanted.saturating_sub(labeled.len());
        let of = (week(work.detected), quarters_over(work, now).unwrap_or(0));
        if self.salts.0 != of || self.salts.1.is_empty() {
            let salts = self.share.candidates.iter().map(|candidate| candidate.salt(of));
            self.salts = (of, salts.collect());
        }
        // The first so far, in order: few, so that nearly everybody is told by the last of them.
        let mut first: Vec<(Drawn<'_>, usize)> = Vec::with_capacity(missing.min(able.0.len()) + 1);
        let case = work.bits();
        for ((at, candidate), multiply) in able.0.iter().zip(able.1.iter()) {
            let u = drawn(self.salts.1[*at], case);
            let last = first.last().filter(|_| first.len() == missing && work.idle.is_empty());
            if last.is_some_and(|(last, _)| is_behind(u, *multiply, last.place)) {
                continue;
            }
            if missing == 0 || labeled.contains(&candidate.name) {
                continue;
            }
            let place = place_of(u, *multiply);
            let one = Drawn { idle: work.idle.contains(&candidate.name), place, candidate };
            if first.len() == missing
                && first.last().is_some_and(|(last, _)| last.compare(&one).is_le())
            {
                continue;
            }
            let before = first.partition_point(|(other, _)| other.compare(&one).is_lt());
            first.insert(before, (one, *at));
            first.truncate(missing);
        }
        self.wanted.clear();
        self.wanted.extend(first.into_iter().map(|(_, at)| at));
        &self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(list: &[(&str, u32)]) -> Vec<Candidate> {
        list.iter()
            .map(|(name, capacity)| {
                Candidate::new(name, Profile { capacity: *capacity, ..Profile::default() })
            })
            .collect()
    }

    fn work(n: u32) -> CaseLoad<'static> {
        let detected = Moment(1_780_000_000_000);
        let due = Moment(detected.0 + 100_000);
        CaseLoad {
            case: CaseId::of("s", &n.to_string()),
            detected,
            due,
            labels: 0,
            language: "",
            needs: &[],
            idle: &[],
        }
    }

    fn share(list: &[(&str, u32)], overlap: u32) -> Share {
        Share::new(people(list), &Policy { overlap, ..Policy::default() })
    }

    #[test]
    fn work_is_shared_by_capacity_and_each_case_has_its_number_of_reviewers() {
        let share = share(&[("ana", 100), ("bo", 100), ("chidi", 50), ("dee", 0)], 1);
        let mut counts: HashMap<&str, u32> = HashMap::new();
        for n in 0..10_000 {
            let work = work(n);
            let mine: Vec<&str> = ["ana", "bo", "chidi", "dee"]
                .into_iter()
                .filter(|name| share.turn(name, &work, &[], work.detected).is_mine())
                .collect();
            assert_eq!(mine.len(), 1);
            *counts.entry(mine[0]).or_default() += 1;
        }
        assert!(
            (3_800..4_200).contains(&counts["ana"]) && (1_850..2_150).contains(&counts["chidi"]),
            "{counts:?}"
        );
        assert!(!counts.contains_key("dee"));
    }

    #[test]
    fn capacity_is_proportional_whatever_the_overlap() {
        let check = |list: &[(&str, u32)], overlap: u32, expect: &[f64]| {
            let share = share(list, overlap);
            let mut counts = vec![0; list.len()];
            for n in 0..20_000 {
                let work = work(n);
                let first = &share.order(&work, work.detected)[..overlap as usize];
                for ((name, _), count) in list.iter().zip(&mut counts) {
                    *count += usize::from(first.iter().any(|one| one.name == *name));
                }
            }
            for (count, expect) in counts.iter().zip(expect) {
                let got = *count as f64 / 20_000.0;
                assert!((got - expect).abs() < 0.03 * expect, "{list:?}: {counts:?}");
            }
        };
        let half = [("ana", 100), ("bo", 50), ("chidi", 100), ("dee", 100)];
        check(&half, 1, &[2.0 / 7.0, 1.0 / 7.0, 2.0 / 7.0, 2.0 / 7.0]);
        check(&half, 2, &[4.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0, 4.0 / 7.0]);
        check(&half, 3, &[6.0 / 7.0, 3.0 / 7.0, 6.0 / 7.0, 6.0 / 7.0]);
        // Nobody gets a case twice: who would, gets all, and the others share what is left.
        check(&[("ana", 900), ("bo", 50), ("chidi", 50)], 2, &[1.0, 0.5, 0.5]);
        check(&[("ana", 900), ("bo", 50), ("chidi", 50)], 3, &[1.0, 1.0, 1.0]);
    }

    /// Whose labels are wanted is the beginning of the order of a case, whatever it takes and however
    /// many are asked; and each of them finds that it is their turn.
    #[test]
    fn whose_labels_are_wanted_is_the_beginning_of_the_order() {
        let names: Vec<String> = (0..40).map(|n| format!("p{n}")).collect();
        let mut candidates: Vec<Candidate> = Vec::new();
        for (n, name) in names.iter().enumerate() {
            let languages = if n % 3 == 0 { vec!["de".to_owned()] } else { Vec::new() };
            let skills = if n % 5 == 0 { vec!["law".to_owned()] } else { Vec::new() };
            let capacity = [100, 50, 0, 300][n % 4];
            candidates.push(Candidate::new(name, Profile { capacity, languages, skills }));
        }
        let law = ["law".to_owned()];
        for overlap in [1, 2, 7, 60] {
            let policy = Policy { overlap, ..Policy::default() };
            let share = Share::new(candidates.clone(), &policy);
            let mut sharing = Sharing::of(&share);
            for n in 0..300 {
                let (language, needs) =
                    (["", "de", "fr"][n % 3], if n % 4 == 0 { &law[..] } else { &[] });
                let idle = if n % 7 == 0 { names[3..9].to_vec() } else { Vec::new() };
                let labeled = names[n % 30..n % 30 + n % 3].to_vec();
                let labels = labeled.len();
                let work = CaseLoad { language, needs, idle: &idle, labels, ..work(n as u32) };
                for now in [work.detected, Moment(work.due.0 + 60_000)] {
                    let missing = share.places(&work, now).0 - labeled.len();
                    let order = share.order(&work, now).into_iter();
                    let order = order.filter(|one| !labeled.contains(&one.name));
                    let expect: Vec<&str> = order.map(|one| &*one.name).take(missing).collect();
                    let wanted = sharing.wanted(&work, &labeled, now).iter();
                    let got: Vec<&str> = wanted.map(|at| &*share.candidates()[*at].name).collect();
                    assert_eq!(got, expect);
                    let given: Vec<&str> = labeled.iter().map(String::as_str).collect();
                    for name in &got {
                        assert_eq!(share.turn(name, &work, &given, now), Turn::First);
                    }
                }
            }
        }
    }

    #[test]
    fn who_leaves_moves_only_their_own_cases_and_weeks_rotate() {
        let four = share(&[("ana", 100), ("bo", 100), ("chidi", 100), ("dee", 100)], 2);
        let three = share(&[("ana", 100), ("bo", 100), ("chidi", 100)], 2);
        let mut pairs: HashMap<Vec<String>, u32> = HashMap::new();
        for n in 0..2_000 {
            let work = work(n);
            let before: Vec<String> = four
                .order(&work, work.detected)
                .into_iter()
                .map(|c| c.name.clone())
                .filter(|name| name != "dee")
                .collect();
            let after: Vec<String> =
                three.order(&work, work.detected).into_iter().map(|c| c.name.clone()).collect();
            assert_eq!(before, after);
            let mut pair: Vec<String> =
                four.order(&work, work.detected)[..2].iter().map(|c| c.name.clone()).collect();
            pair.sort();
            *pairs.entry(pair).or_default() += 1;
        }
        assert_eq!(pairs.len(), 6, "everybody meets everybody");
        let one = work(7);
        let moved = (0..60).filter(|week| {
            let detected = Moment(one.detected.0 + week * 7 * DAY_MS);
            let later = CaseLoad { detected, due: Moment(detected.0 + 1), ..one };
            four.order(&later, later.detected)[0].name != four.order(&one, one.detected)[0].name
        });
        assert!(moved.count() > 20, "the same case in another week is somebody else's");
    }

    #[test]
    fn time_that_runs_out_lets_the_next_in() {
        let share = share(&[("ana", 100), ("bo", 100), ("chidi", 100), ("dee", 100)], 1);
        let work = work(3);
        let order: Vec<&str> =
            share.order(&work, work.detected).into_iter().map(|c| c.name.as_str()).collect();
        let open_to = |ms: i64| {
            order
                .iter()
                .filter(|name| share.turn(name, &work, &[], Moment(work.detected.0 + ms)).is_mine())
                .count()
        };
        assert_eq!(
            [0, 49_999, 50_000, 75_000, 100_000, 125_000, 150_000].map(open_to),
            [1, 1, 2, 3, 2, 3, 4]
        );
        // One label was given by somebody it was not meant for: who is first is not asked any more.
        let labeled = CaseLoad { labels: 1, ..work };
        assert_eq!(
            share.turn(order[0], &labeled, &[order[2]], work.detected),
            Turn::First,
            "they differ: one more is asked"
        );
    }

    #[test]
    fn languages_and_skills_are_minded_unless_nobody_has_them() {
        let profile = |languages: &[&str], skills: &[&str]| Profile {
            languages: languages.iter().map(|s| (*s).to_owned()).collect(),
            skills: skills.iter().map(|s| (*s).to_owned()).collect(),
            ..Profile::default()
        };
        let candidates = vec![
            Candidate::new("ana", profile(&["en"], &["legal"])),
            Candidate::new("bo", profile(&["en", "pt"], &[])),
            Candidate::new("chidi", profile(&[], &[])),
        ];
        let share = Share::new(candidates, &Policy { overlap: 3, ..Policy::default() });
        let who = |work: &CaseLoad<'_>| {
            share
                .order(work, work.detected)
                .into_iter()
                .map(|c| c.name.clone())
                .collect::<std::collections::BTreeSet<_>>()
        };
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(who(&CaseLoad { language: "pt", ..work(1) }), set(&["bo", "chidi"]));
        let legal = ["legal".to_owned()];
        assert_eq!(who(&CaseLoad { needs: &legal, ..work(1) }), set(&["ana"]));
        let unknown = ["rocketry".to_owned()];
        assert_eq!(
            who(&CaseLoad { needs: &unknown, ..work(1) }),
            set(&["ana", "bo", "chidi"]),
            "better anybody than nobody"
        );
        assert_eq!(share.turn("eve", &work(1), &[], Moment(0)), Turn::Cannot);
    }

    /// Random teams and cases, each asked for everybody both ways.
    #[test]
    fn a_place_is_that_in_the_order() {
        let mut x = 7_u64;
        let mut random = |below: u64| {
            x = mix(x.wrapping_add(1));
            x % below
        };
        for round in 0..300 {
            let languages =
                |n: u64| ["en", "pt"].iter().take(n as usize).map(|s| (*s).to_owned()).collect();
            let candidates: Vec<Candidate> = (0..1 + random(9))
                .map(|n| {
                    let profile = Profile {
                        capacity: [0, 50, 100][random(3) as usize],
                        languages: languages(random(3)),
                        skills: if random(2) == 0 { vec!["legal".to_owned()] } else { vec![] },
                    };
                    Candidate::new(&format!("r{n}"), profile)
                })
                .collect();
            let share = Share::new(
                candidates,
                &Policy { overlap: 1 + random(3) as u32, ..Policy::default() },
            );
            let (needs, idle) = (["legal".to_owned()], ["r1".to_owned(), "r3".to_owned()]);
            let work = CaseLoad {
                language: ["", "en", "pt"][random(3) as usize],
                needs: if random(3) == 0 { &needs } else { &[] },
                idle: if random(2) == 0 { &idle } else { &[] },
                ..work(round)
            };
            let now = Moment(work.detected.0 + random(200_000) as i64);
            let labeled: &[&str] = [&[][..], &["r0"], &["r2", "r0"]][random(3) as usize];
            let order = share.order(&work, now);
            let left: Vec<&str> = order
                .iter()
                .map(|candidate| candidate.name.as_str())
                .filter(|name| !labeled.contains(name))
                .collect();
            for name in share.candidates().iter().map(|candidate| candidate.name.as_str()) {
                let expect = left.iter().position(|other| *other == name);
                for most in [1, 3, 100] {
                    let place = share.place(name, &work, labeled, now, most);
                    assert_eq!(place, expect.map(|place| place.min(most)), "{name} {left:?}");
                }
            }
            let given: Vec<String> = labeled.iter().map(|name| (*name).to_owned()).collect();
            let mut sharing = Sharing::of(&share);
            let wanted = sharing.wanted(&work, &given, now).iter();
            let wanted: Vec<&str> = wanted.map(|at| &*share.candidates[*at].name).collect();
            let missing = share.places(&work, now).0.saturating_sub(labeled.len());
            assert_eq!(wanted, left[..missing.min(left.len())]);
        }
    }
}
