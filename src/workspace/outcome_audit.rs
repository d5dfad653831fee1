//! Labels held against what turned out, and cuts, gates and deployments against each other: what an
//! auditor signs.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{WorkError, Workspace};
use crate::db::observed::ObservedRow;
use crate::db::{case, document, label, observed};
use crate::domain::ids::CaseId;
use crate::domain::label::{MAIN_ROUND, that_count_in, value_text};
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::domain::traps::model_was_wrong;
use crate::journal::Append;
use crate::journal::kind::AuditSigned;
use crate::review::rows::training_label;

/// Something that does not fit together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// `label contradicted`, `not fixed`, `fixed`, `no cut`, `no gate`, `gate failed`.
    pub kind: &'static str,
    /// What it is about: a case, a category, a cut, a run, a deployment.
    pub of: String,
    pub text: String,
    /// To whom it goes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

/// A settled case that counts as something else than what turned out.
#[derive(Debug, Clone)]
pub struct Contradicted {
    pub case: CaseId,
    pub id: String,
    pub label: String,
    /// Who says otherwise, and what: `billing says transfer`.
    pub said: Vec<String>,
    pub reviewers: Vec<String>,
    /// When it came to be so: with the last of its labels, or of what was said of it.
    pub at: Moment,
}

/// Whether what a source said is what a case counts as, as far as it says that.
fn bears_out(row: &ObservedRow, label: &str, predicted: Option<&str>) -> Option<bool> {
    match (&row.truth, row.right, predicted) {
        (Some(truth), ..) => Some(truth == label),
        (None, Some(right), Some(predicted)) => Some(right == (predicted == label)),
        _ => None,
    }
}

/// What a source said, in words.
fn said_by(row: &ObservedRow, predicted: Option<&str>) -> String {
    let predicted = predicted.unwrap_or_default();
    match (&row.truth, row.right) {
        (Some(truth), _) => format!("{} says {truth}", row.source),
        (None, Some(true)) => format!("{} says that {predicted} was right", row.source),
        (None, _) => format!("{} says that {predicted} was wrong", row.source),
    }
}

impl Workspace {
    /// Settled cases whose label is not what turned out, and how many could be compared. Each source
    /// is heard.
    pub fn contradicted_labels(&self) -> Result<(Vec<Contradicted>, u64), WorkError> {
        let conn = &self.db.conn;
        let (mut found, mut compared) = (Vec::new(), 0);
        let latest = observed::latest(conn)?;
        for rows in latest.chunk_by(|one, other| one.case == other.case) {
            let Some(case) =
                rows.first().map(|row| case::by_id(conn, row.case)).transpose()?.flatten()
            else {
                continue;
            };
            let label = case.outcome.as_ref().and_then(training_label);
            let Some(label) = label.filter(|_| case.state == CaseState::Resolved) else { continue };
            let predicted = case.predicted.as_deref();
            let heard =
                rows.iter().filter_map(|row| Some((row, bears_out(row, &label, predicted)?)));
            let heard: Vec<(&ObservedRow, bool)> = heard.collect();
            compared += u64::from(!heard.is_empty());
            let otherwise = heard.iter().filter(|(_, same)| !same);
            let said: Vec<String> = otherwise.map(|(row, _)| said_by(row, predicted)).collect();
            if said.is_empty() {
                continue;
            }
            let given = label::live_of_case(conn, case.id)?;
            let of_labels = given.iter().map(|given| given.at.moment());
            let of_outcomes =
                heard.iter().filter(|(_, same)| !same).map(|(row, _)| row.at.moment());
            let at = of_labels.chain(of_outcomes).max().unwrap_or(Moment(0));
            let reviewers: BTreeSet<String> = that_count_in(&given, MAIN_ROUND)
                .into_iter()
                .filter(|given| training_label(&given.label.outcome).as_deref() == Some(&label))
                .map(|given| given.label.reviewer.clone())
                .collect();
            let reviewers = reviewers.into_iter().collect();
            found.push(Contradicted {
                case: case.id,
                id: case.external_id,
                label,
                said,
                reviewers,
                at,
            });
        }
        Ok((found, compared))
    }

    /// What does not fit together since a moment.
    ///
    /// # Errors
    /// Reviewers' mistakes are for those who lead, and for auditors.
    pub fn outcome_findings(&self, since: Option<Moment>) -> Result<Vec<Finding>, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Auditor], "lead, engineer or auditor")?;
        let mut findings = Vec::new();
        let recent = |at: Moment| since.is_none_or(|since| at >= since);
        for one in self.contradicted_labels()?.0.into_iter().filter(|one| recent(one.at)) {
            findings.push(Finding {
                kind: "label contradicted",
                of: one.case.to_string(),
                text: format!(
                    "{}: it counts as {}, and {}: to be looked at again",
                    one.id,
                    one.label,
                    one.said.join(", ")
                ),
                to: one.reviewers,
            });
        }
        let (cuts, runs, gates) = (self.cuts()?, self.runs()?, self.gates()?);
        let deployments = self.deployments()?;
        for cut in cuts.iter().filter(|cut| recent(cut.at)) {
            let of_cut: Vec<_> =
                runs.iter().filter(|run| run.run.cut == Some(cut.cut.cut)).collect();
            let gated =
                of_cut.iter().any(|run| gates.iter().any(|gate| gate.decided.run == run.run.run));
            if !of_cut.is_empty() && !gated {
                findings.push(Finding {
                    kind: "no gate",
                    of: cut.cut.cut.to_string(),
                    text: format!(
                        "{} {} was learned from, and no gate was asked",
                        cut.cut.name, cut.cut.version
                    ),
                    to: Vec::new(),
                });
            }
        }
        for one in deployments.iter().filter(|one| recent(one.at)) {
            let gate = one.deployed.gate.as_deref();
            if gate != Some("pass") {
                let said = gate.map_or("no gate was asked".to_owned(), |gate| {
                    format!("its gate said: {gate}")
                });
                findings.push(Finding {
                    kind: if gate.is_none() { "no gate" } else { "gate failed" },
                    of: one.deployed.deployment.clone(),
                    text: format!(
                        "{} was deployed to {}, and {said}",
                        one.deployed.model, one.deployed.to
                    ),
                    to: vec![one.author.clone()],
                });
            }
        }
        findings.extend(self.targets()?);
        Ok(findings)
    }

    /// Categories that reviewers named: in which cut they went, and whether the model that learned
    /// from it is right on them where it was wrong.
    fn targets(&self) -> Result<Vec<Finding>, WorkError> {
        let conn = &self.db.conn;
        let mut in_cuts: BTreeSet<CaseId> = BTreeSet::new();
        for cut in self.cuts()? {
            in_cuts.extend(self.membership(&cut).unwrap_or_default().cases());
        }
        #[derive(Default)]
        struct Sums {
            cases: u64,
            wrong: u64,
            cut: u64,
        }
        let mut categories: BTreeMap<String, Sums> = BTreeMap::new();
        case::for_each(conn, |row| {
            let Some(outcome) = row.outcome.as_ref().filter(|_| row.state == CaseState::Resolved)
            else {
                return;
            };
            let Some(category) = outcome.get("category").map(value_text) else { return };
            let sums = categories.entry(category).or_default();
            sums.cases += 1;
            let wrong = model_was_wrong(outcome, row.predicted.as_deref());
            sums.wrong += u64::from(wrong == Some(true));
            sums.cut += u64::from(in_cuts.contains(&row.id));
        })?;
        // What deployed models say now: outcomes of predictions that carry their version.
        let deployments = self.deployments()?;
        let mut after: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for one in self.judged()? {
            // What was predicted before is of another model that was called so.
            let of_ours = deployments.iter().any(|known| {
                let model = &known.deployed.model;
                let is_called = one.model == *model || one.model.ends_with(&format!(" {model}"));
                is_called && one.day.as_str() >= &known.at.rfc3339()[..10]
            });
            if let (true, Some(right)) = (of_ours && !one.category.is_empty(), one.right) {
                let sums = after.entry(one.category).or_default();
                sums.0 += u64::from(right);
                sums.1 += 1;
            }
        }
        let mut findings = Vec::new();
        for (category, sums) in categories.into_iter().filter(|(_, sums)| sums.wrong > 0) {
            let (kind, text) = if sums.cut == 0 {
                (
                    "no cut",
                    format!(
                        "{category}: {} of {} cases were predicted wrong, and none of them is in a cut",
                        sums.wrong, sums.cases
                    ),
                )
            } else {
                match after.get(&category) {
                    Some((right, n)) if right == n => (
                        "fixed",
                        format!(
                            "{category}: in a cut, and the deployed model is right on all {n} that turned out"
                        ),
                    ),
                    Some((right, n)) => (
                        "not fixed",
                        format!(
                            "{category}: in a cut, and the deployed model is right on {right} of {n} that turned out"
                        ),
                    ),
                    None => continue,
                }
            };
            findings.push(Finding { kind, of: category, text, to: Vec::new() });
        }
        Ok(findings)
    }

    /// Signs what was found.
    pub fn sign_audit(
        &mut self,
        since: Option<Moment>,
        findings: &[Finding],
    ) -> Result<(), WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Auditor], "lead, engineer or auditor")?;
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        findings.iter().for_each(|one| *found.entry(one.kind.to_owned()).or_default() += 1);
        let event = AuditSigned {
            scope: "outcomes".to_owned(),
            since,
            frontier: self.frontier()?,
            found,
            findings: findings.iter().map(|one| json!(one)).collect(),
        };
        self.append(vec![Append::new(&event)]).map(drop)
    }

    /// Audits that were signed, the latest first: when, by whom, and what was found.
    pub fn audits(&self) -> Result<Vec<(Moment, String, AuditSigned)>, WorkError> {
        let read = |row: document::DocumentRow| {
            let audit: AuditSigned = serde_json::from_str(&row.body).ok()?;
            Some((row.at.moment(), row.author, audit))
        };
        Ok(document::of_kind(&self.db.conn, "audit")?.into_iter().filter_map(read).collect())
    }

    /// When the next audit is due, by the policy's days; none where it names none.
    pub fn audit_due(&self) -> Result<Option<Moment>, WorkError> {
        let days = self.policy()?.audit_days;
        if days == 0 {
            return Ok(None);
        }
        let last = self.audits()?.first().map(|(at, ..)| *at);
        let begun = self.deployments()?.last().map(|one| one.at);
        let from = last.or(begun).unwrap_or_else(|| self.now());
        Ok(Some(Moment(from.0 + i64::from(days) * 86_400_000)))
    }
}

/// Findings as they are listed.
pub fn as_json(findings: &[Finding]) -> Vec<Value> {
    findings
        .iter()
        .map(|one| json!({ "kind": one.kind, "of": one.of, "text": one.text, "reviewers": one.to }))
        .collect()
}
