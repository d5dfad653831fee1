//! What traps are worth: how often what they flag is an error of the model, by the labels, and what
//! that says of the whole stream.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;

use super::sight::Sight;
use crate::db::draw::{self, Draw, Tally};
use crate::domain::ids::CaseId;
use crate::domain::resolve::CaseState;
use crate::domain::traps::model_was_wrong;
use crate::quality::figure::{Figure, wilson};
use crate::quality::stratified::{LOOKED_AT_LEAST, Stratum, share};

/// What one exact rule of a trap came to.
#[derive(Debug, Clone)]
pub struct TrapWorth {
    pub trap: String,
    pub version: String,
    /// Predictions that it looked at, that it flagged, and those of them that people are asked
    /// about.
    pub seen: u64,
    pub flagged: u64,
    pub opened: u64,
    /// Those that are settled, and those of them where the model was wrong.
    pub labeled: u64,
    pub wrong: u64,
    /// Share of what it flagged that became cases.
    pub rate: Option<f64>,
    pub precision: Figure,
}

/// The model's share of errors on the whole stream.
#[derive(Debug, Clone)]
pub struct StreamErrors {
    pub rows: u64,
    /// Those of them of days that were not sampled whole, of which nothing is said.
    pub left_out: u64,
    pub labeled: u64,
    /// With the standard error; or why nothing can be said.
    pub rate: Result<(f64, f64), String>,
    /// What the labels say without weights.
    pub naive: Option<f64>,
}

/// All of it, and how many settled cases could not be looked at.
#[derive(Debug, Clone)]
pub struct Worth {
    pub traps: Vec<TrapWorth>,
    pub stream: StreamErrors,
    pub left_out: u64,
}

/// Works it out from the labels that whoever looks may see.
/// `audits`: whether a trap samples the whole stream.
pub fn worth(conn: &Connection, sight: &mut Sight, audits: bool) -> rusqlite::Result<Worth> {
    let tallies = draw::tallies(conn)?;
    let draws = draw::all(conn)?;
    let mut left_out = 0;
    let mut settled: HashMap<CaseId, Option<bool>> = HashMap::new();
    let mut asked: HashMap<CaseId, bool> = HashMap::new();
    draw::for_each_case(conn, |found| {
        asked.insert(found.id, found.state != CaseState::Unsampled);
        if found.state != CaseState::Resolved {
            return Ok(());
        }
        if sight.is_blind_to(conn, found.id)? {
            left_out += 1;
            return Ok(());
        }
        let wrong = found.outcome.as_ref();
        let wrong = wrong.and_then(|wrong| model_was_wrong(wrong, found.predicted.as_deref()));
        settled.insert(found.id, wrong);
        Ok(())
    })?;
    let said = |id: CaseId| settled.get(&id).copied().flatten();
    let mut traps: BTreeMap<(String, String), TrapWorth> = BTreeMap::new();
    let of = |trap: &str, version: &str| TrapWorth {
        trap: trap.to_owned(),
        version: version.to_owned(),
        seen: 0,
        flagged: 0,
        opened: 0,
        labeled: 0,
        wrong: 0,
        rate: None,
        precision: Figure::new(Err("nothing that it flagged is settled"), 0),
    };
    for tally in &tallies {
        let key = (tally.trap.clone(), tally.version.clone());
        let worth = traps.entry(key).or_insert_with(|| of(&tally.trap, &tally.version));
        worth.seen += tally.read;
        worth.flagged += tally.flagged;
    }
    for (number, one) in draws.iter().enumerate() {
        let key = (one.trap.clone(), one.version.clone());
        let worth = traps.entry(key).or_insert_with(|| of(&one.trap, &one.version));
        // Its precision is that of what it drew itself: a random part of what it flagged.
        if !is_own_draw(&draws, number) {
            continue;
        }
        worth.opened += u64::from(asked.get(&one.case).is_some_and(|asked| *asked));
        if let Some(wrong) = said(one.case) {
            worth.labeled += 1;
            worth.wrong += u64::from(wrong);
        }
    }
    for worth in traps.values_mut() {
        if worth.flagged > 0 {
            worth.rate = Some((worth.opened as f64 / worth.flagged as f64).min(1.0));
        }
        if worth.labeled > 0 {
            let (wrong, labeled) = (worth.wrong as f64, worth.labeled as f64);
            worth.precision = Figure::new(Ok(wrong / labeled), worth.labeled as usize)
                .with(wilson(wrong / labeled, labeled));
        }
    }
    let stream = stream_errors(&draw::read(conn)?, audits, &tallies, &draws, said);
    Ok(Worth { traps: traps.into_values().collect(), stream, left_out })
}

/// Whether a draw is among the smallest of its trap and day: they stand in that order.
fn is_own_draw(draws: &[Draw], number: usize) -> bool {
    let one = &draws[number];
    let same = |other: &Draw| {
        (&other.trap, &other.version, &other.stream, other.day)
            == (&one.trap, &one.version, &one.stream, one.day)
    };
    one.most == 0 || number < one.most as usize || !same(&draws[number - one.most as usize])
}

impl StreamErrors {
    /// Of what the rate is said, in words.
    pub fn scope(&self) -> String {
        match self.left_out {
            0 => "the whole stream".to_owned(),
            n => format!("the {} predictions of days that were sampled whole", self.rows - n),
        }
    }
}

/// The error rate of the stream, weighted back: each trap and day is a part of it, that of the
/// predictions that no trap before it flagged. Days on which something was read before a trap
/// sampled the whole stream are left out.
fn stream_errors(
    read: &[draw::ReadSource],
    audits: bool,
    tallies: &[Tally],
    draws: &[Draw],
    said: impl Fn(CaseId) -> Option<bool>,
) -> StreamErrors {
    let parted = parted(read, tallies);
    let is_whole = |stream: &str, day: i64| parted.get(&(stream, day)).is_some_and(Option::is_some);
    let rows: u64 = read.iter().map(|source| source.read).sum();
    let of_whole = read.iter().filter(|source| is_whole(&source.stream, source.day));
    let left_out = rows - of_whole.map(|source| source.read).sum::<u64>();
    let mut parts = Parts::new();
    for tally in tallies {
        let rows = match parted.get(&(tally.stream.as_str(), tally.day)) {
            Some(Some(Parted::AsFirstRead)) => tally.first,
            Some(Some(Parted::InAll)) => tally.first_in_all,
            _ => 0,
        };
        if rows > 0 {
            let days = parts.entry((&tally.trap, &tally.version)).or_default();
            days.entry((&tally.stream, tally.day)).or_default().rows += rows;
        }
    }
    let (mut labeled, mut wrong) = (0_u64, 0_u64);
    for (number, one) in draws.iter().enumerate() {
        let Some(is_wrong) = said(one.case) else { continue };
        if one.place > 0 || !is_whole(&one.stream, one.day) || !is_own_draw(draws, number) {
            continue;
        }
        // Of what was read first under other traps it is no part.
        let days = parts.get_mut(&(one.trap.as_str(), one.version.as_str()));
        let Some(part) = days.and_then(|days| days.get_mut(&(one.stream.as_str(), one.day))) else {
            continue;
        };
        part.looked_at += 1;
        part.hits += u64::from(is_wrong);
        labeled += 1;
        wrong += u64::from(is_wrong);
    }
    let naive = (labeled > 0).then(|| wrong as f64 / labeled as f64);
    let rate = if rows == 0 {
        Err("no trap has looked at a stream here".to_owned())
    } else if !audits {
        Err("no trap samples the whole stream, so nothing is known of what none of them flags"
            .to_owned())
    } else if left_out == rows {
        Err("on every day some predictions were read without a trap that samples the whole stream, or \
             under other traps than the rest, so that what no trap flags can't be weighed"
            .to_owned())
    } else {
        weighted(&parts)
    };
    StreamErrors { rows, left_out, labeled, rate, naive }
}

/// How the predictions of a day fall into parts, each with the trap that flags them first.
#[derive(Clone, Copy, PartialEq)]
enum Parted {
    /// By the traps that they were read with at first.
    AsFirstRead,
    /// By these and others that they were read with again, as one that samples the whole stream.
    InAll,
}

/// How each day falls into parts, each prediction into one; nothing where it does not.
fn parted<'t>(
    read: &'t [draw::ReadSource],
    tallies: &'t [Tally],
) -> BTreeMap<(&'t str, i64), Option<Parted>> {
    let mut days: BTreeMap<(&str, i64), [bool; 2]> = BTreeMap::new();
    for source in read {
        let [first, in_all] = days.entry((&source.stream, source.day)).or_insert([true; 2]);
        *first &= source.first == source.read;
        *in_all &= source.first_in_all == source.read;
    }
    for tally in tallies {
        // What it drew is of predictions that were read first with it, and of others.
        if let Some([first, _]) = days.get_mut(&(tally.stream.as_str(), tally.day)) {
            *first &= tally.first == 0 || tally.first == tally.first_in_all;
        }
    }
    let how = |[first, in_all]: [bool; 2]| match (first, in_all) {
        (true, _) => Some(Parted::AsFirstRead),
        (false, true) => Some(Parted::InAll),
        (false, false) => None,
    };
    days.into_iter().map(|(day, of)| (day, how(of))).collect()
}

type Parts<'t> = BTreeMap<(&'t str, &'t str), BTreeMap<(&'t str, i64), Stratum>>;

fn weighted(parts: &Parts<'_>) -> Result<(f64, f64), String> {
    let mut strata = Vec::new();
    for ((trap, _), days) in parts {
        if days.values().all(|part| part.looked_at >= LOOKED_AT_LEAST) {
            strata.extend(days.values().copied());
            continue;
        }
        // Days with few labels are taken together.
        let all = days.values().fold(Stratum::default(), |sum, part| Stratum {
            rows: sum.rows + part.rows,
            looked_at: sum.looked_at + part.looked_at,
            hits: sum.hits + part.hits,
        });
        if all.looked_at < LOOKED_AT_LEAST.min(all.rows) {
            return Err(format!(
                "only {} of what `{trap}` flags first are settled; it takes {LOOKED_AT_LEAST}",
                all.looked_at
            ));
        }
        strata.push(all);
    }
    share(&strata).ok_or_else(|| "nothing is settled".to_owned())
}
