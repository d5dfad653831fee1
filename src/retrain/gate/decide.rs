//! What a gate says of two models on the same rows.
//!
//! Every line of what is to be fixed or shown holds by itself, each at the gate's alpha: all of
//! them together are wrong no more often than one is (Berger, "Multiparameter hypothesis testing
//! and acceptance sampling", 1982). Slices that are looked through for a loss are many, and one of
//! them would show one by chance: they are set right (Holm), each set of rows counted once however
//! many names it has.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::file::{ALL, CannotTell, GateFile, Keep, Rows};
use super::predictions::Compared;
use crate::domain::distribution::holm;
use crate::quality::mcnemar::{Table, rows_to_fix, rows_to_keep};
use crate::trap::condition::Condition;
use crate::trap::{BadRule, Said};

/// What is said of a line, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    CannotTell,
    Fail,
}

impl Verdict {
    pub fn words(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::CannotTell => "cannot tell",
            Self::Fail => "fail",
        }
    }
}

/// One line of a gate, answered.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct Line {
    /// `fix`, `prove`, `object`, `must` or `metric`.
    pub kind: String,
    pub slice: String,
    pub n: u64,
    /// Shares that are right; of a metric: its value.
    pub before: Option<f64>,
    pub after: Option<f64>,
    pub gained: u64,
    pub lost: u64,
    pub change: Option<f64>,
    /// The change lies between these, with an error of alpha on either side.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// How likely it is of two equal models: a gain (mid-p) of what is to be fixed, a loss
    /// elsewhere.
    pub p: Option<f64>,
    /// The same where many slices are looked through.
    pub adjusted: Option<f64>,
    /// Rows that it would take to tell, with a chance of 0.8.
    pub needs: Option<u64>,
    pub verdict: Verdict,
    /// Why, in words.
    pub why: String,
    /// Rows or cases that are wrong, where each has to be right.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
}

impl Line {
    /// A line that is not about rows of the evaluation file.
    pub fn plain(kind: &str, slice: &str, verdict: Verdict, why: String) -> Self {
        let (kind, slice) = (kind.to_owned(), slice.to_owned());
        Self {
            kind,
            slice,
            verdict,
            why,
            n: 0,
            before: None,
            after: None,
            gained: 0,
            lost: 0,
            change: None,
            low: None,
            high: None,
            p: None,
            adjusted: None,
            needs: None,
            wrong: Vec::new(),
        }
    }

    fn of(kind: &str, slice: &str, table: &Table, alpha: f64) -> Self {
        let shares = table.shares();
        let interval = table.interval(alpha);
        Self {
            n: table.rows,
            before: shares.map(|(before, _)| before),
            after: shares.map(|(_, after)| after),
            gained: table.gained,
            lost: table.lost,
            change: table.change(),
            low: interval.map(|(low, _)| low),
            high: interval.map(|(_, high)| high),
            ..Self::plain(kind, slice, Verdict::CannotTell, String::new())
        }
    }

    fn says(self, verdict: Verdict, why: impl Into<String>) -> Self {
        Self { verdict, why: why.into(), ..self }
    }
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub verdict: Verdict,
    pub lines: Vec<Line>,
}

impl Decision {
    /// The verdict of its lines: a line that can't tell warns, or fails where the gate says so.
    pub fn of(gate: &GateFile, lines: Vec<Line>) -> Self {
        let worst = |line: &Line| match (line.verdict, gate.cannot_tell) {
            (Verdict::CannotTell, CannotTell::Fail) => Verdict::Fail,
            // What must be shown and is not shown is no pass.
            (Verdict::CannotTell, CannotTell::Warn) if line.kind != "object" => Verdict::CannotTell,
            (Verdict::CannotTell, CannotTell::Warn) => Verdict::Pass,
            (verdict, _) => verdict,
        };
        let verdict = lines.iter().map(worst).max().unwrap_or(Verdict::CannotTell);
        Self { verdict, lines }
    }
}

fn percent(share: f64) -> String {
    format!("{:+.1} points", share * 100.0)
}

/// The tables that a gate asks for.
struct Tables<'r> {
    rows: &'r [Compared],
}

impl Tables<'_> {
    fn of(&self, rows: &Rows) -> Result<Table, BadRule> {
        Ok(self.at(&self.places(rows)?))
    }

    fn at(&self, places: &[u32]) -> Table {
        let mut table = Table::default();
        for place in places {
            let row = &self.rows[*place as usize];
            table.take(row.was_right(), row.is_right());
        }
        table
    }

    /// Where the rows stand that are meant.
    fn places(&self, rows: &Rows) -> Result<Vec<u32>, BadRule> {
        let rule = rows.rule.as_deref().map(Condition::compile).transpose()?;
        if let (Some(condition), Some(source), Some(first)) = (&rule, &rows.rule, self.rows.first())
        {
            let known: Vec<String> = first.keys.keys().cloned().collect();
            condition.check_names(source, &known)?;
        }
        let is_within = |row: &Compared| match (&rows.slice, &rule, &rows.category) {
            (Some(slice), _, _) => row.is_in(slice),
            (_, Some(rule), _) => rule.ask(&row.keys) == Said::Yes,
            (_, _, Some(category)) => {
                row.keys.get("category").and_then(|value| value.as_str()) == Some(category)
            }
            _ => true,
        };
        let all = (0..).zip(self.rows);
        Ok(all.filter(|(_, row)| is_within(row)).map(|(place, _)| place).collect())
    }

    /// Slices by their names, each with its rows' places.
    fn slices(&self) -> BTreeMap<&str, Vec<u32>> {
        let mut slices: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (place, row) in self.rows.iter().enumerate() {
            for slice in &row.slices {
                let places = slices.entry(slice).or_default();
                if places.last() != Some(&(place as u32)) {
                    places.push(place as u32);
                }
            }
        }
        slices
    }
}

/// What a gate says of rows. `churn` is the share of predictions that differ between two runs of
/// the same pipeline: no change below it is one.
///
/// # Errors
/// A rule that asks for what rows do not have.
pub fn decide(
    gate: &GateFile,
    rows: &[Compared],
    churn: Option<f64>,
) -> Result<Vec<Line>, BadRule> {
    let tables = Tables { rows };
    let mut lines = Vec::new();
    for fix in &gate.fix {
        let table = tables.of(&fix.rows)?;
        lines.push(within_churn(fixed(gate.alpha, &fix.rows.name(), &table, fix.gain), churn));
    }
    // All that is looked through for a loss is one family, whichever part of the gate asks for it.
    let watched = gate.keep.iter().map(|keep| sets_of(&tables, keep));
    let watched = watched.collect::<Result<Vec<_>, _>>()?;
    let adjusted = adjusted(&tables, watched.iter().flatten());
    for (keep, sets) in gate.keep.iter().zip(&watched) {
        match keep.margin {
            Some(margin) if keep.rows.every_slice() => {
                for slice in tables.slices().keys() {
                    let rows = Rows { slice: Some((*slice).to_owned()), ..Rows::default() };
                    let line = kept(gate.alpha, slice, &tables.of(&rows)?, margin);
                    lines.push(within_churn(line, churn));
                }
            }
            Some(margin) => {
                let table = tables.of(&keep.rows)?;
                let line = kept(gate.alpha, &keep.rows.name(), &table, margin);
                lines.push(within_churn(line, churn));
            }
            None => {
                let said = objections(gate.alpha, &tables, keep, sets, &adjusted);
                lines.extend(said.into_iter().map(|line| within_churn(line, churn)));
            }
        }
    }
    Ok(lines)
}

/// A change that two runs of the same pipeline may differ by is none.
fn within_churn(line: Line, churn: Option<f64>) -> Line {
    let (Some(churn), Some(change)) = (churn, line.change) else { return line };
    if churn < change.abs()
        || churn == 0.0
        || line.kind == "object" && line.verdict == Verdict::Pass
    {
        return line;
    }
    let why = format!(
        "two runs of the same pipeline differ by {:.4} of the predictions, as much as this",
        churn
    );
    line.says(Verdict::CannotTell, why)
}

fn fixed(alpha: f64, slice: &str, table: &Table, gain: f64) -> Line {
    let line = Line::of("fix", slice, table, alpha);
    let Some(change) = table.change() else {
        return line.says(Verdict::CannotTell, "no row of the evaluation is in it");
    };
    let p = table.better_midp();
    let line = Line { p: Some(p), ..line };
    let n = table.rows as f64;
    if p <= alpha && change >= gain {
        return line.says(Verdict::Pass, format!("{}, and that is shown", percent(change)));
    }
    if p <= alpha {
        let why = format!("{} is shown, and {} is asked for", percent(change), percent(gain));
        return line.says(Verdict::Fail, why);
    }
    if table.worse() <= alpha {
        return line.says(Verdict::Fail, format!("{}: it got worse", percent(change)));
    }
    if line.high.is_some_and(|high| high < gain) {
        let why = format!("a gain of {} is ruled out", percent(gain));
        return line.says(Verdict::Fail, why);
    }
    // What is asked for, with as many rows lost as were.
    let loss = table.lost as f64 / n;
    let needs = rows_to_fix(gain + loss, loss, alpha);
    let why = format!("{} may be chance", percent(change));
    Line { needs, ..line }.says(Verdict::CannotTell, why)
}

fn kept(alpha: f64, slice: &str, table: &Table, margin: f64) -> Line {
    let line = Line::of("prove", slice, table, alpha);
    let (Some(change), Some(low)) = (table.change(), line.low) else {
        return line.says(Verdict::CannotTell, "no row of the evaluation is in it");
    };
    let line = Line { p: Some(table.worse()), ..line };
    if low > -margin {
        return line
            .says(Verdict::Pass, format!("not worse by {}, and that is shown", percent(-margin)));
    }
    if table.worse() <= alpha {
        return line.says(Verdict::Fail, format!("{}: a loss is shown", percent(change)));
    }
    let differing = (table.gained + table.lost) as f64 / table.rows as f64;
    let needs = rows_to_keep(differing, margin, alpha);
    let why = format!("it may be worse by {}", percent(low));
    Line { needs, ..line }.says(Verdict::CannotTell, why)
}

/// Sets of rows that are looked through for a loss, each by its name, with where its rows stand.
type Sets = Vec<(String, Vec<u32>)>;

/// The sets that a part of the gate looks through; none where it asks for a proof. The same rows
/// under another name are looked at once.
fn sets_of(tables: &Tables<'_>, keep: &Keep) -> Result<Sets, BadRule> {
    if keep.margin.is_some() {
        return Ok(Vec::new());
    }
    if !keep.rows.every_slice() {
        return Ok(vec![(keep.rows.name(), tables.places(&keep.rows)?)]);
    }
    let mut names: BTreeMap<Vec<u32>, Vec<&str>> = BTreeMap::new();
    for (name, places) in tables.slices() {
        names.entry(places).or_default().push(name);
    }
    let mut sets: Sets =
        names.into_iter().map(|(places, names)| (names.join(" = "), places)).collect();
    sets.sort();
    if sets.is_empty() {
        sets.push((ALL.to_owned(), tables.places(&Rows::default())?));
    }
    Ok(sets)
}

/// How likely so much of a loss is by chance in the worst of all sets: of each, by where its rows
/// stand. Two sets of the same rows are one.
fn adjusted<'s>(
    tables: &Tables<'_>,
    sets: impl Iterator<Item = &'s (String, Vec<u32>)>,
) -> BTreeMap<&'s Vec<u32>, f64> {
    let distinct: BTreeSet<&Vec<u32>> = sets.map(|(_, places)| places).collect();
    let p: Vec<f64> = distinct.iter().map(|places| tables.at(places).worse()).collect();
    distinct.into_iter().zip(holm(&p)).collect()
}

/// What is said of sets that are looked through for a loss.
fn objections(
    alpha: f64,
    tables: &Tables<'_>,
    keep: &Keep,
    sets: &[(String, Vec<u32>)],
    adjusted: &BTreeMap<&Vec<u32>, f64>,
) -> Vec<Line> {
    let line = |(name, places): &(String, Vec<u32>)| {
        let table = &tables.at(places);
        let line = Line::of("object", name, table, alpha);
        let adjusted = adjusted.get(places).copied().unwrap_or(1.0);
        let line = Line { p: Some(table.worse()), adjusted: Some(adjusted), ..line };
        let Some(change) = table.change() else {
            return line.says(Verdict::CannotTell, "no row of the evaluation is in it");
        };
        if adjusted <= alpha {
            return line.says(Verdict::Fail, format!("{}: a loss is shown", percent(change)));
        }
        if table.rows >= keep.least && keep.drop.is_some_and(|drop| change <= -drop) {
            let why = format!("{} is more than is let pass", percent(change));
            return line.says(Verdict::Fail, why);
        }
        if table.rows < keep.least {
            let differing = (table.gained + table.lost) as f64 / table.rows as f64;
            let needs = keep.drop.and_then(|drop| rows_to_keep(differing.max(0.02), drop, alpha));
            let why = format!("{} rows tell little", table.rows);
            return Line { needs: needs.or(Some(keep.least)), ..line }
                .says(Verdict::CannotTell, why);
        }
        line.says(Verdict::Pass, "no loss is shown")
    };
    sets.iter().map(line).collect()
}
