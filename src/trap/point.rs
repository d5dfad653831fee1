//! Point traps: what is flagged of single predictions, by which rule, with which score and draw.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::alarm::Watched;
use super::fields::{is_short_name, number_of, text_of};
use super::order::{Facts, Past, Survey};
use super::reference::{Lookup, OTHERS, is_short};
use super::rule::{BadRule, Rule, Rules, Said};
use crate::domain::ids::Hash;
use crate::domain::plugin::{Plugin, PluginFlag};
use crate::domain::prediction::Row;
use crate::domain::traps::{Alarm, ByPlugin, Trap, Why, draw};

/// Traps made ready to be asked. Where nobody said which predictions become cases, all do.
#[derive(Default)]
pub struct Traps {
    points: Vec<Point>,
    of_a_team: bool,
    rules: Rules,
    lookup: Option<Arc<Lookup>>,
    /// What alarms look at, each with its rule, if it has one.
    alarms: Vec<(Alarm, Option<usize>)>,
    /// The detectors that traps ask, by name, with what they are sent.
    detectors: Vec<Plugin>,
    /// Predictions that could not be held against the reference: it is of another stream.
    of_other_stream: AtomicU64,
}

/// A trap made ready.
pub struct Point {
    pub trap: Trap,
    /// What names the exact rule.
    pub version: String,
    rule: Option<usize>,
}

/// A trap cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum BadTrap {
    #[error("trap `{0}`: {1}")]
    Rule(String, BadRule),
    #[error("trap `{0}` holds predictions against a reference, and none is set")]
    NoReference(String),
}

impl crate::domain::advice::Advice for BadTrap {
    fn next_step(&self) -> Option<String> {
        match self {
            Self::Rule(_, error) => error.next_step(),
            Self::NoReference(_) => Some(
                "`casework reference set NAME --file STREAM` makes one from predictions as they should be.".to_owned(),
            ),
        }
    }
}

/// A trap that may flag a prediction.
#[derive(Debug, Clone)]
pub struct Flag {
    /// Place of the trap.
    pub point: usize,
    pub score: Option<f64>,
    pub u: f64,
    /// What has to be known of it where the order decides; nothing where it is decided.
    pub waits: Option<Box<Facts>>,
    /// The share of what the trap flagged that was taken, where an engine took it.
    pub taken: Option<f64>,
    /// As many of a day as the trap takes, where an engine drew others.
    pub beyond: Option<u32>,
    /// A detector has still to say something of it.
    pub asks: bool,
}

/// What traps say of a prediction by itself.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    pub flags: Vec<Flag>,
    /// Whether it was looked at elsewhere: here it is asked nothing, and not counted.
    pub elsewhere: bool,
    /// A trap that flagged it elsewhere and that can't be known here, and why.
    pub cannot: Option<(String, String)>,
    /// Traps whose rule could not be answered, by place, and why.
    pub unanswered: Vec<(usize, String)>,
    /// What alarms look at, one by one.
    pub watched: Vec<Watched>,
}

impl Traps {
    /// What `alarms` look at is found in every row.
    pub fn new(
        traps: Vec<Trap>,
        alarms: &[Alarm],
        reference: Option<(Hash, Arc<Lookup>)>,
    ) -> Result<Self, BadTrap> {
        let mut made = Self::default();
        let hash = reference.as_ref().map(|(hash, _)| *hash);
        // What samples the whole stream comes last: a case is first of all of what found it.
        let (audits, found): (Vec<Trap>, Vec<Trap>) = traps.into_iter().partition(Trap::is_audit);
        for trap in found.into_iter().chain(audits) {
            if trap.needs_reference() && hash.is_none() {
                return Err(BadTrap::NoReference(trap.name));
            }
            let bad = |error| BadTrap::Rule(trap.name.clone(), error);
            let rule = trap.rule.as_deref();
            let rule = rule.map(|rule| Rule::truth(&trap.name, rule)).transpose().map_err(bad)?;
            let place = rule.is_some().then_some(made.rules.0.len());
            made.rules.0.extend(rule);
            made.points.push(Point { version: trap.version(hash), trap, rule: place });
        }
        for alarm in alarms {
            let bad = |error| BadTrap::Rule(alarm.name.clone(), error);
            let rule = alarm.watch.as_deref().map(|rule| Rule::compile(&alarm.name, rule));
            let rule = rule.transpose().map_err(bad)?;
            made.alarms.push((alarm.clone(), rule.is_some().then_some(made.rules.0.len())));
            made.rules.0.extend(rule);
        }
        made.lookup = reference.map(|(_, lookup)| lookup);
        Ok(made)
    }

    /// The same with the detectors that its traps ask, each with what was pinned in a word.
    #[must_use]
    pub fn asking(mut self, detectors: Vec<(Plugin, String)>, reference: Option<Hash>) -> Self {
        for point in &mut self.points {
            let Some(by) = &point.trap.plugin else { continue };
            let known = detectors.iter().find(|(plugin, _)| plugin.name == by.name);
            if let Some((_, sha256)) = known {
                point.version = point.trap.version_with(reference, sha256);
            }
        }
        self.detectors = detectors.into_iter().map(|(plugin, _)| plugin).collect();
        self
    }

    /// The same where a team says which predictions become cases, even if it names none.
    #[must_use]
    pub fn of_a_team(mut self) -> Self {
        self.of_a_team = true;
        self
    }

    /// Whether every prediction becomes a case: nobody said which.
    pub fn takes_all(&self) -> bool {
        self.points.is_empty() && !self.of_a_team
    }

    /// What detectors are to be asked of a line that is flagged so far: by place, with what each is
    /// sent.
    pub fn questions(&self, line: &str, flags: &[Flag]) -> Vec<(usize, Value)> {
        let asking = flags.iter().filter(|flag| flag.asks);
        let names = asking.filter_map(|flag| self.points[flag.point].trap.plugin.as_ref());
        let place = |by: &ByPlugin| self.detectors.iter().position(|one| one.name == by.name);
        let mut places: Vec<usize> = names.filter_map(place).collect();
        places.sort_unstable();
        places.dedup();
        if places.is_empty() {
            return Vec::new();
        }
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        places.into_iter().map(|place| (place, self.detectors[place].row(&line))).collect()
    }

    /// Decides flags that detectors had to say something of; what they raised is given by name.
    /// Returns what of it counted.
    pub fn decide(
        &self,
        flags: &mut Vec<Flag>,
        raised: &HashMap<&str, Vec<PluginFlag>>,
    ) -> Vec<PluginFlag> {
        let mut counted: Vec<PluginFlag> = Vec::new();
        flags.retain_mut(|flag| {
            let Some(by) = self.points[flag.point].trap.plugin.as_ref().filter(|_| flag.asks)
            else {
                return true;
            };
            flag.asks = false;
            let found = raised.get(by.name.as_str()).into_iter().flatten().find(|raised| {
                by.flag.as_ref().is_none_or(|name| *name == raised.flag)
                    && by.above.is_none_or(|above| raised.score.is_some_and(|score| score > above))
            });
            let Some(found) = found else { return false };
            flag.score = found.score.or(flag.score);
            if !counted.contains(found) {
                counted.push(found.clone());
            }
            true
        });
        counted
    }

    /// The detectors that traps ask, in the order of [`Self::questions`].
    pub fn detectors(&self) -> &[Plugin] {
        &self.detectors
    }

    /// How often a prediction was not of the reference's stream.
    pub fn of_other_stream(&self) -> u64 {
        self.of_other_stream.load(Ordering::Relaxed)
    }

    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The fields of lines that traps and alarms ask for by paths of their own, each with who asks.
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let of_rule = |rule: Option<usize>| rule.into_iter().flat_map(|at| &self.rules.0[at].paths);
        let of_points = self.points.iter().flat_map(|point| {
            let Trap { name, novel, rare, repeat, stuck, .. } = &point.trap;
            let one = novel.as_ref().map(|novel| &novel.field).into_iter();
            let many = rare.iter().flat_map(|rare| &rare.fields);
            let by = repeat.iter().flat_map(|repeat| &repeat.by);
            let all = one.chain(many).chain(by).chain(stuck.as_ref().map(|stuck| &stuck.field));
            all.chain(of_rule(point.rule)).map(|field| (name.as_str(), field.as_str()))
        });
        let of_alarms = self.alarms.iter().flat_map(|(alarm, rule)| {
            let all = alarm.by.iter().chain(&alarm.compare).chain(of_rule(*rule));
            all.map(|field| (alarm.name.as_str(), field.as_str()))
        });
        of_points.chain(of_alarms).filter(|(_, field)| !is_short_name(field)).collect()
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether a whole file has to be looked through for its order not to matter.
    pub fn need_survey(&self) -> bool {
        self.points.iter().any(Point::by_order)
    }

    /// What decides by the order, for each trap that does.
    pub fn pasts(&self) -> Vec<Option<Past>> {
        self.points.iter().map(Point::past).collect()
    }

    pub fn surveys(&self) -> Vec<Option<Survey>> {
        self.pasts().into_iter().map(|past| past.map(Survey::new)).collect()
    }

    /// Lets surveys look at rows: at those of which the rest of their trap holds.
    pub fn survey(&self, rows: &[Row<'_>], surveys: &mut [Option<Survey>]) {
        self.look(rows, |_, verdict| {
            for flag in verdict.flags {
                if let (Some(survey), Some(facts)) = (&mut surveys[flag.point], flag.waits) {
                    survey.take(*facts);
                }
            }
        });
    }

    /// Asks all traps about each row. The thread should have a stack of [`super::STACK_BYTES`].
    pub fn look(&self, rows: &[Row<'_>], mut each: impl FnMut(usize, Verdict)) {
        let rules = self.rules.0.len();
        let mut said: Vec<Said> = vec![Said::Absent; rules];
        if rules == 0 {
            (0..rows.len()).for_each(|i| each(i, self.verdict(&rows[i], &said)));
            return;
        }
        self.rules.ask(rows, |i, rule, answer| {
            said[rule] = answer;
            if rule + 1 == rules {
                each(i, self.verdict(&rows[i], &said));
            }
        });
    }

    fn verdict(&self, row: &Row<'_>, said: &[Said]) -> Verdict {
        let mut verdict = Verdict::default();
        if let Some(flagged) = flagged_elsewhere(row) {
            verdict.elsewhere = true;
            // What stands beside a case alone names no trap.
            for of in flagged.into_iter().filter(|of| !of.trap.is_empty()) {
                let place = self
                    .points
                    .iter()
                    .position(|point| point.trap.name == of.trap && point.version == of.version);
                let Some(point) = place else {
                    let why = format!("version {} of it is not in force here", of.version);
                    verdict.cannot.get_or_insert((of.trap, why));
                    continue;
                };
                let taken = Some(of.rate.unwrap_or(1.0));
                // It flags it, and drew others of that day.
                let beyond = of.per_day.filter(|most| *most > 0);
                let (score, u) = (of.score, of.u);
                let flag = Flag { point, score, u, waits: None, taken, beyond, asks: false };
                verdict.flags.push(flag);
            }
            verdict.flags.sort_by_key(|flag| flag.point);
            return verdict;
        }
        for (place, point) in self.points.iter().enumerate() {
            match point.rule.map(|rule| &said[rule]) {
                None | Some(Said::Yes) => {}
                Some(Said::No | Said::Absent) => continue,
                Some(Said::Number(number)) => {
                    verdict.unanswered.push((place, format!("it comes to {number}")));
                    continue;
                }
                Some(Said::Cannot(why)) => {
                    verdict.unanswered.push((place, why.clone()));
                    continue;
                }
            }
            verdict.flags.extend(self.flag(place, point, row));
        }
        verdict.watched =
            self.alarms.iter().map(|(alarm, rule)| watched(row, said, alarm, *rule)).collect();
        verdict
    }

    fn flag(&self, place: usize, point: &Point, row: &Row<'_>) -> Option<Flag> {
        let trap = &point.trap;
        let mut score = None;
        if trap.needs_reference() && !self.lookup.as_ref().is_some_and(|lookup| lookup.is_of(row)) {
            self.of_other_stream.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        if let Some(novel) = &trap.novel {
            let found = self.lookup.as_ref()?.novelty(row, &novel.field, novel.by)?;
            if found <= novel.above {
                return None;
            }
            score = Some(found);
        }
        if let Some(rare) = &trap.rare {
            let seen = self.lookup.as_ref()?.seen_together(row, &rare.fields);
            if seen >= rare.below {
                return None;
            }
            score = score.or(Some(seen as f64));
        }
        let u = draw(&trap.name, row.stream_name(), row.id.text());
        if trap.sample.is_some_and(|rate| u >= rate) {
            return None;
        }
        let waits = point.facts(row).map(Box::new);
        Some(Flag {
            point: place,
            score,
            u,
            waits,
            taken: None,
            beyond: None,
            asks: trap.plugin.is_some(),
        })
    }

    /// Flags as a case cites them.
    pub fn why(&self, flags: &[Flag]) -> Vec<Why> {
        let one = |flag: &Flag| {
            let Point { trap, version, .. } = &self.points[flag.point];
            Why {
                trap: trap.name.clone(),
                version: version.clone(),
                score: flag.score.map(|score| (score * 1e6).round() / 1e6),
                u: flag.u,
                rate: flag.taken.or(trap.sample),
                per_day: match flag.taken {
                    Some(_) => flag.beyond,
                    None => trap.per_day.filter(|most| *most > 0),
                },
            }
        };
        flags.iter().map(one).collect()
    }
}

impl Point {
    fn by_order(&self) -> bool {
        self.trap.repeat.is_some() || self.trap.stuck.is_some()
    }

    fn past(&self) -> Option<Past> {
        match (&self.trap.repeat, &self.trap.stuck) {
            (Some(repeat), _) => Some(Past::repeats(repeat)),
            (None, Some(stuck)) => Some(Past::stuck(stuck)),
            (None, None) => None,
        }
    }

    fn facts(&self, row: &Row<'_>) -> Option<Facts> {
        match (&self.trap.repeat, &self.trap.stuck) {
            (Some(repeat), _) => Some(Facts::of_repeat(row, repeat)),
            (None, Some(stuck)) => Some(Facts::of_stuck(row, stuck)),
            (None, None) => None,
        }
    }
}

/// The traps that an engine says flag a line, by the query that [`super::sql`] writes.
fn flagged_elsewhere(row: &Row<'_>) -> Option<Vec<Why>> {
    let flagged: Vec<Why> = serde_json::from_str(row.why?.get()).ok()?;
    Some(flagged).filter(|flagged| !flagged.is_empty())
}

fn watched(row: &Row<'_>, said: &[Said], alarm: &Alarm, rule: Option<usize>) -> Watched {
    let text = |field: &String| {
        text_of(row, field).map(|text| if is_short(&text) { text.into() } else { OTHERS.into() })
    };
    if alarm.canary.is_some() {
        let label = Some(row.label().into());
        return Watched { number: None, text: Some(row.text().into()), by: label };
    }
    match &alarm.compare {
        Some(field) => Watched { number: number_of(row, field), text: text(field), by: None },
        None => Watched {
            number: rule.and_then(|rule| said[rule].value()),
            text: None,
            by: alarm.by.as_ref().and_then(text),
        },
    }
}

impl Said {
    /// As what is watched takes it.
    fn value(&self) -> Option<f64> {
        match self {
            Self::Yes => Some(1.0),
            Self::No => Some(0.0),
            Self::Number(number) => Some(*number).filter(|number| number.is_finite()),
            Self::Absent | Self::Cannot(_) => None,
        }
    }
}
