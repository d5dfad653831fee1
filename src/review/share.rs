//! How the work is shared: who reviews, and how much of it each takes. What that comes to for a case
//! is in [`crate::domain::assign`].
//!
//! Where the policy says `shares=pace`, everybody takes as much as they get done: the labels that
//! they gave in the four whole weeks before, so that shares move on Mondays only. Weeks are those up
//! to which a device heard of the others: one that is offline does not take the others for idle.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::gold;
use super::value::Valuer;
use crate::db::{count, document, roster, store};
use crate::domain::assign::{Candidate, Share, week};
use crate::domain::policy::{Policy, Shares};
use crate::domain::roster::{Profile, Role};
use crate::domain::time::Moment;
use crate::journal::views;

/// Those who are right oftener get more of the work where it is ordered by value: by which power of
/// how often. Found with simulated reviewers (`benches/outcome.sh`).
const SKILL_POWER: i32 = 4;
/// Whole weeks over which a pace is taken.
const PACE_WEEKS: i64 = 4;
/// Nobody who gave any label takes less than this part of what is usual: who was away comes back.
const PACE_LEAST: f64 = 0.25;
/// Labels of others up to this week after which a founder who gave none is taken for one who does not
/// review.
const LABELS_OF_OTHERS: u64 = 20;

/// Up to when this device knows what others did.
///
/// # Errors
/// Those of the database.
pub fn heard(conn: &Connection, now: Moment) -> rusqlite::Result<Moment> {
    let last = store::setting(conn, store::LAST_SYNC)?.and_then(|ms| ms.parse().ok());
    Ok(last.map_or(now, Moment).min(now))
}

/// How many labels a week everybody gave who gave any in the four whole weeks before, from the first
/// of them in which they did.
///
/// # Errors
/// Those of the database.
pub fn paces(conn: &Connection, now: Moment) -> rusqlite::Result<BTreeMap<String, f64>> {
    let this_week = week(heard(conn, now)?);
    let mut given: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for before in (1..=PACE_WEEKS).rev() {
        for (name, n) in count::with_prefix(conn, &format!("given:{}:", this_week - before))? {
            given.entry(name).or_insert((0, before)).0 += n;
        }
    }
    Ok(given.into_iter().map(|(name, (n, weeks))| (name, n as f64 / weeks as f64)).collect())
}

/// How work is shared between those who were admitted to review.
///
/// # Errors
/// Those of the database.
pub fn share(conn: &Connection, now: Moment) -> rusqlite::Result<Share> {
    let policy = views::policy(conn)?;
    let mut profiles = roster::profiles(conn)?;
    let names = reviewers(conn, &policy)?;
    if let Some(founder) = left_to_others(conn, now, &names, &profiles)? {
        profiles.insert(founder, Profile { capacity: 0, ..Profile::default() });
    }
    let value = Valuer::load(conn)?;
    let paces = match policy.shares {
        Shares::Capacity => BTreeMap::new(),
        Shares::Pace => paces(conn, now)?,
    };
    let known = || names.iter().filter_map(|name| paces.get(name));
    let usual = known().sum::<f64>() / known().count().max(1) as f64;
    let candidate = |name: &String| {
        let candidate = Candidate::new(name, profiles.get(name).cloned().unwrap_or_default());
        let by_pace = paces.get(name).map_or(1.0, |pace| {
            let full = f64::from(Profile::default().capacity);
            (pace / usual).max(PACE_LEAST) * full / f64::from(candidate.profile.capacity.max(1))
        });
        match &value {
            Some(value) => candidate.weighing(by_pace * value.skill(name).powi(SKILL_POWER)),
            None if paces.is_empty() => candidate,
            None => candidate.weighing(by_pace),
        }
    };
    Ok(Share::new(names.iter().map(candidate).collect(), &policy))
}

/// Those who are admitted to review, and trained where that is required.
fn reviewers(conn: &Connection, policy: &Policy) -> rusqlite::Result<Vec<String>> {
    let grants = roster::current(conn)?;
    let reviews = |grant: &&roster::GrantRow| grant.role == Role::Reviewer;
    let mut names: Vec<String> =
        grants.iter().filter(reviews).map(|grant| grant.name.clone()).collect();
    names.sort();
    names.dedup();
    if policy.training.required {
        let protocols = document::of_kind(conn, "protocol")?;
        let in_force: Vec<&str> = protocols.iter().map(|row| row.name.as_str()).collect();
        let leads: Vec<&str> = grants
            .iter()
            .filter(|grant| grant.role == Role::Lead)
            .map(|grant| grant.name.as_str())
            .collect();
        let trained = gold::trained(conn, &in_force)?;
        // Somebody must be there to begin with.
        names.retain(|name| leads.contains(&name.as_str()) || trained.contains(name));
    }
    Ok(names)
}

/// Whoever founded the workspace, if they leave the reviewing to others: founding makes somebody a
/// reviewer too, who may never mean to be one. Who gave a label, or of whom it was said how much they
/// take, takes part like everybody.
///
/// # Errors
/// Those of the database.
pub fn idle_founder(conn: &Connection, now: Moment) -> rusqlite::Result<Option<String>> {
    let policy = views::policy(conn)?;
    left_to_others(conn, now, &reviewers(conn, &policy)?, &roster::profiles(conn)?)
}

fn left_to_others(
    conn: &Connection,
    now: Moment,
    names: &[String],
    profiles: &BTreeMap<String, Profile>,
) -> rusqlite::Result<Option<String>> {
    let founder = document::latest(conn, "workspace")?.map(|row| row.author).unwrap_or_default();
    let works = |name: &String| {
        *name != founder && profiles.get(name).is_none_or(|profile| profile.capacity > 0)
    };
    if !names.contains(&founder) || profiles.contains_key(&founder) || !names.iter().any(works) {
        return Ok(None);
    }
    // Of this week a device may know what was given on it, and not what others gave.
    let this_week = week(heard(conn, now)?);
    let mut of_others = 0;
    for (place, n) in count::with_prefix(conn, "given:")? {
        let Some((of, name)) = place.split_once(':') else { continue };
        if name == founder {
            return Ok(None);
        }
        of_others += if of.parse().is_ok_and(|of: i64| of < this_week) { n } else { 0 };
    }
    Ok((of_others >= LABELS_OF_OTHERS).then_some(founder))
}
