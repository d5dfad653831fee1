//! What the board shows of retraining and of models, and what one's own labels changed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};

use super::gates::standing_now;
use super::runs::KnownRun;
use super::{WorkError, Workspace};
use crate::db::{case, label};
use crate::domain::ids::CaseId;
use crate::domain::label::{MAIN_ROUND, value_text};
use crate::domain::resolve::CaseState;
use crate::domain::text::counted;
use crate::quality::figure::decimal;
use crate::retrain::gate::Verdict;
use crate::retrain::outcomes::{By, fair, groups};
use crate::review::alarms::RaisedAlarm;
use crate::review::board::{Counted, LoopRow};
use crate::review::rows::{label_fields, ready};

/// Days of outcomes that are shown, the latest.
const DAYS: usize = 14;

fn behind(cases: impl IntoIterator<Item = CaseId>) -> Counted {
    let cases: BTreeSet<CaseId> = cases.into_iter().collect();
    Counted { cases: cases.into_iter().collect(), left_out: Vec::new() }
}

impl Workspace {
    /// The lines about retraining, and those about models.
    pub(super) fn loop_rows(&self) -> Result<(Vec<LoopRow>, Vec<LoopRow>), WorkError> {
        Ok((self.retraining_rows()?, self.model_rows()?))
    }

    fn retraining_rows(&self) -> Result<Vec<LoopRow>, WorkError> {
        let cuts = self.cuts()?;
        let mut cut_cases: HashSet<CaseId> = HashSet::new();
        let mut members = Vec::new();
        for cut in &cuts {
            let rows = self.membership(cut).unwrap_or_default();
            let cases: Vec<CaseId> = rows.cases().collect();
            cut_cases.extend(&cases);
            members.push(cases);
        }
        let mut sight = self.sight()?;
        sight.know_all(&self.db.conn)?;
        let mut by_name: BTreeMap<String, (Vec<CaseId>, Vec<CaseId>)> = BTreeMap::new();
        let (mut without, fields) = (Vec::new(), label_fields(&self.protocols()?));
        case::for_each(&self.db.conn, |row| {
            let Some(outcome) = ready(&row, &fields) else {
                without.extend((row.state == CaseState::Resolved).then_some(row.id));
                return;
            };
            let text = |field: &str| outcome.get(field).map(value_text);
            let category = text("category").unwrap_or_else(|| "without a category".to_owned());
            let name = match text("failure_mode") {
                Some(mode) => format!("{category}, {mode}"),
                None => category,
            };
            let (all, new) = by_name.entry(name).or_default();
            all.push(row.id);
            new.extend((!cut_cases.contains(&row.id)).then_some(row.id));
        })?;
        let mut rows = Vec::new();
        let mut row = |name: String, all: &[CaseId], more: String| -> Result<(), WorkError> {
            let mut behind = Counted::default();
            for id in all.iter().copied() {
                let kept = sight.is_blind_to(&self.db.conn, id)?;
                if kept { &mut behind.left_out } else { &mut behind.cases }.push(id);
            }
            let number = all.len().to_string();
            rows.push(LoopRow { name, number, more, behind, ..LoopRow::default() });
            Ok(())
        };
        for (name, (all, new)) in by_name {
            row(name, &all, format!("{} not in a cut yet", new.len()))?;
        }
        if !without.is_empty() {
            let more = "settled, and none has a label to learn".to_owned();
            row("without a label".to_owned(), &without, more)?;
        }
        for one in self.cut_proposals()?.into_iter().filter(|one| one.cut.is_none()) {
            let of = one.proposed;
            rows.push(LoopRow {
                name: format!("proposed: {}", of.recipe),
                more: format!("{} ({})", of.reason, one.at.minute()),
                warns: true,
                ..LoopRow::default()
            });
        }
        let runs = self.runs()?;
        for (cut, cases) in cuts.iter().zip(members) {
            let withdrawn = cut
                .withdrawn
                .as_ref()
                .map_or(String::new(), |(why, _)| format!(", withdrawn: {why}"));
            let runs = runs.iter().filter(|run| run.run.cut == Some(cut.cut.cut)).count();
            rows.push(LoopRow {
                name: format!("cut {} {}", cut.cut.name, cut.cut.version),
                number: cut.cut.rows.to_string(),
                more: format!(
                    "{} by {}, {}{withdrawn}",
                    cut.at.minute(),
                    cut.author,
                    counted(runs, "run")
                ),
                warns: cut.withdrawn.is_some(),
                behind: behind(cases),
                ..LoopRow::default()
            });
        }
        Ok(rows)
    }

    fn model_rows(&self) -> Result<Vec<LoopRow>, WorkError> {
        let (runs, gates, deployments) = (self.runs()?, self.gates()?, self.deployments()?);
        let mut cases_of = HashMap::new();
        for cut in self.cuts()? {
            let rows = self.membership(&cut).unwrap_or_default();
            cases_of.insert(Some(cut.cut.cut), rows.cases().collect::<Vec<_>>());
        }
        // The cases that a run learned from.
        let learned = |run: Option<&KnownRun>| {
            let cases = run.and_then(|run| cases_of.get(&run.run.cut));
            behind(cases.into_iter().flatten().copied())
        };
        let mut rows = Vec::new();
        for one in &deployments {
            let of = &one.deployed;
            let gate = of.gate.as_deref().unwrap_or("no gate was asked");
            let ended = one
                .ended
                .as_ref()
                .map_or(String::new(), |(at, ..)| format!(", ended {}", at.minute()));
            rows.push(LoopRow {
                name: format!("{} in {}", of.model, of.to),
                number: format!("{:.0} %", of.share * 100.0),
                more: format!("gate: {gate}, {}{ended}", one.at.minute()),
                warns: gate != "pass",
                behind: learned(runs.iter().find(|run| run.run.run == of.run)),
                ..LoopRow::default()
            });
        }
        for run in &runs {
            let gate = standing_now(&gates, &run.run.run);
            let said = gate.map_or("no gate".to_owned(), |gate| gate.words());
            rows.push(LoopRow {
                name: format!("run {} of {}", run.short(), run.run.pipeline),
                more: format!("{}, gate: {said}, {}", run.run.state, run.at.minute()),
                warns: run.run.state != "done"
                    || gate.is_some_and(|gate| gate.decided.verdict == Verdict::Fail),
                behind: learned(Some(run)),
                ..LoopRow::default()
            });
        }
        let judged = self.judged()?;
        let fair = fair(&judged);
        let of_flagged = if fair.flagged_alone { ", of flagged ones alone" } else { "" };
        for group in groups(&fair.judged, By::Model) {
            rows.push(LoopRow {
                name: format!("outcomes of {}", group.name),
                number: group.n.to_string(),
                more: format!("right {}{of_flagged}", group.accuracy.describe()),
                behind: behind(group.cases.iter().copied()),
                ..LoopRow::default()
            });
        }
        let (alarms, crossed) = (self.raised_alarms()?, self.crossed_days(&judged)?);
        let days = groups(&fair.judged, By::Day);
        let several = self.streams()?.len() > 1;
        let mark = |one: &RaisedAlarm| {
            let of = if several { format!(" in {}", one.raised.stream) } else { String::new() };
            format!("{} {}{of}", one.level(), one.raised.alarm)
        };
        for group in days.iter().skip(days.len().saturating_sub(DAYS)) {
            // What was raised that day, and whether it is below what a team asks of a day.
            let raised = alarms.iter().filter(|alarm| {
                if !alarm.raised.is_sure() && !alarm.still_warns(&alarms) {
                    return false; // an alarm says it by now
                }
                let window = &alarm.raised.window;
                let first = &window.from.rfc3339()[..10];
                first <= group.name.as_str() && group.name.as_str() <= &window.to.rfc3339()[..10]
            });
            let warns =
                crossed.contains(&group.name) || raised.clone().any(|alarm| alarm.is_open());
            let raised: BTreeSet<String> = raised.map(mark).collect();
            let below = crossed.contains(&group.name).then(|| "beyond its bound".to_owned());
            let marks: Vec<String> = below.into_iter().chain(raised).collect();
            let right = format!("right {}", group.accuracy.describe());
            rows.push(LoopRow {
                name: format!("  {}", group.name),
                number: group.n.to_string(),
                warns,
                // What there is to look at first: a narrow screen cuts the rest.
                more: [marks, vec![right]].concat().join(", "),
                share: group.accuracy.value.ok(),
                behind: behind(group.cases.iter().copied()),
            });
        }
        let told = alarms.iter().filter(|one| one.is_open() || one.still_warns(&alarms));
        for alarm in told {
            rows.push(LoopRow {
                name: format!("{} {} {}", alarm.level(), alarm.id, alarm.name()),
                more: alarm.moved(),
                warns: alarm.is_open(),
                behind: behind(alarm.raised.cases.iter().copied()),
                ..LoopRow::default()
            });
        }
        Ok(rows)
    }

    /// What one's own labels changed: in which cuts they are, where that is deployed, and how the
    /// model was on what was to be fixed before and after.
    pub fn changed_by_mine(&self) -> Result<Vec<Changed>, WorkError> {
        let mine: HashSet<CaseId> = label::cases_of(&self.db.conn, &self.me, MAIN_ROUND)?;
        let (runs, gates, deployments) = (self.runs()?, self.gates()?, self.deployments()?);
        let mut found = Vec::new();
        for cut in self.cuts()? {
            let rows = self.membership(&cut).unwrap_or_default();
            let cases = rows.cases().filter(|id| mine.contains(id)).count();
            if cases == 0 {
                continue;
            }
            let mut deployed = Vec::new();
            for run in runs.iter().filter(|run| run.run.cut == Some(cut.cut.cut)) {
                let there = deployments.iter().filter(|one| one.deployed.run == run.run.run);
                let there: Vec<(String, String)> = there
                    .map(|one| (one.deployed.to.clone(), one.deployed.model.clone()))
                    .collect();
                // What was never deployed changed nothing.
                if there.is_empty() {
                    continue;
                }
                let gate = standing_now(&gates, &run.run.run);
                let lines = gate.into_iter().flat_map(|gate| &gate.decided.lines);
                let fixed = lines.filter(|line| line.kind == "fix");
                let fixed = fixed
                    .filter_map(|line| Some((line.slice.clone(), line.before?, line.after?)))
                    .collect();
                deployed.push(Deployed { there, fixed });
            }
            let (cut, version) = (cut.cut.name.clone(), cut.cut.version.clone());
            found.push(Changed { cut, version, cases, deployed });
        }
        Ok(found)
    }
}

/// What became of somebody's labels in a cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    pub cut: String,
    pub version: String,
    /// Cases in it that they labeled.
    pub cases: usize,
    pub deployed: Vec<Deployed>,
}

/// Where a model answers that learned from a cut, and what it was to fix: a slice, and how often the
/// model was right on it before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// Places, each with what the model is called there.
    pub there: Vec<(String, String)>,
    pub fixed: Vec<(String, f64, f64)>,
}

impl Changed {
    /// In words, a line each; nothing where nothing changed.
    pub fn words(all: &[Self]) -> Vec<String> {
        let mut words = Vec::new();
        for one in all {
            let cases = if one.cases == 1 { "case" } else { "cases" };
            words.push(format!(
                "  {} {cases} that you labeled are in {} {}",
                one.cases, one.cut, one.version
            ));
            for of in &one.deployed {
                let there = of.there.iter();
                words.extend(there.map(|(to, model)| format!("    deployed to {to} as {model}")));
                words.extend(of.fixed.iter().map(|(slice, before, after)| {
                    let (before, after) = (decimal(*before), decimal(*after));
                    format!("    {slice}: right on {before} before, {after} after")
                }));
            }
        }
        if !words.is_empty() {
            words.insert(0, "What your labels changed".to_owned());
        }
        words
    }

    pub fn json(&self) -> Value {
        let deployed = self.deployed.iter().map(|of| {
            let there = of.there.iter().map(|(to, model)| json!({ "to": to, "model": model }));
            let fixed = of.fixed.iter().map(|(slice, before, after)| {
                json!({ "slice": slice, "before": before, "after": after })
            });
            json!({ "there": there.collect::<Vec<_>>(), "fixed": fixed.collect::<Vec<_>>() })
        });
        json!({ "cut": self.cut, "version": self.version, "cases": self.cases,
            "deployed": deployed.collect::<Vec<_>>() })
    }
}
