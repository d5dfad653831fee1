//! The paths of labels, to be weighed by the model of truth that walks the protocol.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;

use super::Protocols;
use super::ratings::{Which, for_each_case};
use crate::db::case;
use crate::domain::estimate::class_of;
use crate::domain::ids::CaseId;
use crate::domain::label::{GivenLabel, that_count_in};
use crate::domain::paths::{Paths, RenamedStep};
use crate::domain::protocol::QuestionKind;
use crate::journal::views::{self, evidence};
use crate::quality::ratings::Ratings;
use crate::quality::truth::paths::{Kind, Walks, fit};
use crate::quality::truth::{Estimate, Fitting, Reviewer};

/// What came out.
pub struct WalksFitted {
    pub estimate: Estimate,
    pub paths: Paths,
}

/// Cases whose labels are in common: one, unless the policy pools copies.
#[derive(Default)]
struct Pool {
    labels: Vec<GivenLabel>,
    opinion: Option<(String, Option<f64>)>,
}

/// Fits the model to the labels of a round. `ratings` are the same labels by the outcome's `fields`.
pub fn fit_walks(
    conn: &Connection,
    round: &str,
    fields: &[String],
    ratings: &Ratings,
    fitting: &Fitting,
) -> rusqlite::Result<WalksFitted> {
    let (protocols, renamed) = (Protocols::load(conn)?, crate::db::renames::all(conn)?);
    let policy = views::policy(conn)?;
    let mut pools: BTreeMap<CaseId, Pool> = BTreeMap::new();
    let mut pool_of: HashMap<String, CaseId> = HashMap::new();
    let mut failed = Ok(());
    for_each_case(conn, round, Which::ThatCount, |labels| {
        let Some(id) = labels.first().map(|given| given.label.case) else { return };
        let mut put = || -> rusqlite::Result<()> {
            let row = case::by_id(conn, id)?;
            let (mut first, mut opinion) = (id, None);
            if let Some(row) = &row {
                let copies = evidence::copies(conn, &policy, row)?;
                first = copies.first().map_or(id, |copy| id.min(*copy));
                let heard = evidence::is_heard(conn, &policy, row)?;
                opinion = evidence::opinion(row, heard)
                    .map(|said| (said.predicted.to_owned(), said.confidence));
            }
            pool_of.insert(id.to_string(), first);
            let pool = pools.entry(first).or_default();
            pool.labels.extend(labels.iter().cloned());
            pool.opinion = pool.opinion.take().or(opinion);
            Ok(())
        };
        if failed.is_ok() {
            failed = put();
        }
    })?;
    failed?;

    let mut steps_renamed: BTreeSet<RenamedStep> = BTreeSet::new();
    let mut walks = Vec::with_capacity(pools.len());
    for pool in pools.values_mut() {
        pool.labels = that_count_in(std::mem::take(&mut pool.labels), round);
        let walked = pool.labels.iter().map(|given| {
            let label = &given.label;
            let path = protocols.answered(label).path;
            for (from, to) in label.path.iter().zip(&path).filter(|(from, to)| from != to) {
                steps_renamed.insert(RenamedStep {
                    protocol: label.protocol.id.clone(),
                    version: label.protocol.version,
                    from: from.clone(),
                    to: to.clone(),
                });
            }
            (label.reviewer.clone(), path)
        });
        walks.push(Walks { walks: walked.collect(), opinion: pool.opinion.clone() });
    }
    let mut fitted = fit(&walks, &kinds(&protocols), fitting);
    fitted.paths.renamed = steps_renamed.into_iter().collect();

    // By the outcome's fields, as other models have it.
    let k = ratings.values.len();
    let class: HashMap<&str, usize> =
        ratings.values.iter().enumerate().map(|(at, name)| (name, at)).collect();
    let mut by_pool: HashMap<CaseId, Vec<f64>> = HashMap::new();
    let mut right: HashMap<String, (f64, usize)> = HashMap::new();
    for ((first, pool), place) in pools.iter().zip(&fitted.cases) {
        let weighed = &fitted.weighed[*place];
        let beliefs = by_pool.entry(*first).or_insert_with(|| vec![0.0; k]);
        let mut counted = BTreeSet::new();
        for (given, place) in pool.labels.iter().zip(&weighed.places) {
            let Some(place) = place else { continue };
            let share = weighed.shares[*place];
            let of = right.entry(given.label.reviewer.clone()).or_default();
            *of = (of.0 + share, of.1 + 1);
            let named = class_of(&renamed.outcome(&given.label), fields);
            let number = named.and_then(|name| class.get(name.as_str()).copied());
            if let Some(number) = number.filter(|_| counted.insert(*place)) {
                beliefs[number] += share;
            }
        }
    }
    let beliefs: Vec<f64> = ratings
        .tasks
        .iter()
        .flat_map(|task| {
            let of = pool_of.get(task).and_then(|first| by_pool.get(first));
            of.cloned().unwrap_or_else(|| vec![0.0; k])
        })
        .collect();
    let tasks = ratings.tasks.len().max(1) as f64;
    let priors = (0..k)
        .map(|class| beliefs.iter().skip(class).step_by(k.max(1)).sum::<f64>() / tasks)
        .collect();
    let reviewers = ratings
        .reviewers
        .iter()
        .map(|name| {
            let (right, labels) = right.get(name).copied().unwrap_or_default();
            Reviewer { skill: right / labels.max(1) as f64, labels, confusion: None }
        })
        .collect();
    let estimate = Estimate {
        beliefs,
        classes: k,
        priors,
        reviewers,
        iterations: fitted.iterations,
        converged: fitted.converged,
        log_likelihood: None,
    };
    Ok(WalksFitted { estimate, paths: fitted.paths })
}

/// How questions are answered, by the names of today. Words, numbers and places are not compared.
fn kinds(protocols: &Protocols) -> BTreeMap<String, Kind> {
    let mut kinds = BTreeMap::new();
    for published in &protocols.published {
        for question in &published.protocol.questions {
            let kind = match &question.kind {
                QuestionKind::Choice(_)
                | QuestionKind::Multi { .. }
                | QuestionKind::Scale { .. } => Kind::Choice,
                QuestionKind::Label { .. } => Kind::Names(published.protocol.labels.len()),
                QuestionKind::Number { .. }
                | QuestionKind::Text { .. }
                | QuestionKind::Span { .. } => {
                    continue;
                }
            };
            kinds.entry(question.id.clone()).or_insert(kind);
        }
    }
    kinds
}
