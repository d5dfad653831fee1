//! What people outside read: how edge cases are found and what was done about them, why and how each
//! retraining happened, the card of a model. No input and no person stands in them.

use std::collections::BTreeMap;

use super::gates::standing;
use super::runs::KnownRun;
use super::{WorkError, Workspace};
use crate::db::case;
use crate::domain::label::value_text;
use crate::domain::resolve::CaseState;
use crate::domain::text::visible;
use crate::domain::time::Moment;
use crate::domain::traps::model_was_wrong;
use crate::retrain::gate::{Line, Verdict};
use crate::retrain::outcomes::{By, fair, groups};

fn date(at: Moment) -> String {
    at.rfc3339()[..10].to_owned()
}

/// A cell of a table, which a bar or a line would break.
fn cell(text: &str) -> String {
    visible(text).replace('|', "\\|").replace('\n', " ")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// What a gate's line says, for people who do not read statistics.
fn line_words(line: &Line) -> String {
    let share = |value: Option<f64>| value.map_or("–".to_owned(), percent);
    let said = match (line.kind.as_str(), line.verdict) {
        ("fix", Verdict::Pass) => "fixed",
        ("fix", Verdict::Fail) => "not fixed",
        ("prove", Verdict::Pass) => "not worse",
        // That no loss is shown does not show that there is none.
        ("object", Verdict::Pass) if line.lost > line.gained => "lower, perhaps by chance",
        ("object", Verdict::Pass) => "no loss is shown",
        ("prove" | "object", Verdict::Fail) => "worse",
        (_, Verdict::Pass) => "holds",
        (_, Verdict::Fail) => "does not hold",
        (_, Verdict::CannotTell) => "cannot be told",
    };
    format!(
        "| {} | {} | {} | {} | {said} |\n",
        cell(&line.slice),
        line.n,
        share(line.before),
        share(line.after)
    )
}

/// What a gate says of slices, each told once: what was to be fixed or kept, and the others.
fn compared(lines: &[Line]) -> String {
    let mut told: Vec<&str> = Vec::new();
    let mut out = String::new();
    for line in lines.iter().filter(|line| !["must", "metric"].contains(&line.kind.as_str())) {
        if line.kind == "object" && told.contains(&line.slice.as_str()) {
            continue;
        }
        told.push(&line.slice);
        out.push_str(&line_words(line));
    }
    out
}

const TABLE: &str = "| what | rows | before | after | |\n| --- | --- | --- | --- | --- |\n";

/// How often a kind of edge case came.
#[derive(Default)]
struct Kind {
    cases: u64,
    wrong: u64,
    modes: BTreeMap<String, u64>,
}

impl Workspace {
    fn kinds(&self) -> Result<BTreeMap<String, Kind>, WorkError> {
        let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
        case::for_each(&self.db.conn, |row| {
            let outcome = row.outcome.as_ref().filter(|_| row.state == CaseState::Resolved);
            let Some(outcome) = outcome else { return };
            let category =
                outcome.get("category").map_or("without a category".to_owned(), value_text);
            let kind = kinds.entry(category).or_default();
            kind.cases += 1;
            let wrong = model_was_wrong(outcome, row.predicted.as_deref());
            kind.wrong += u64::from(wrong == Some(true));
            if let Some(mode) = outcome.get("failure_mode").map(value_text) {
                *kind.modes.entry(mode).or_default() += 1;
            }
        })?;
        Ok(kinds)
    }

    /// How edge cases are found and what was done about them, without a person or an input.
    pub fn public_report(&self) -> Result<String, WorkError> {
        let mut out = format!(
            "# {}: edge cases, and what was done about them\n\nAs of {}.\n",
            cell(&self.team()?),
            date(self.now())
        );
        out.push_str("\n## How edge cases are found\n\n");
        match self.latest_traps()? {
            Some(latest) => {
                out.push_str("Predictions in production are looked at by these rules; what they flag is judged by people under a written protocol, independently of each other.\n\n");
                for trap in &latest.file.traps {
                    let about = trap.rule.as_deref().map_or(String::new(), |rule| format!(": `{}`", cell(rule)));
                    out.push_str(&format!("- {}{about}\n", cell(&trap.name)));
                }
                for alarm in &latest.file.alarms {
                    out.push_str(&format!("- alarm {}\n", cell(&alarm.name)));
                }
            }
            None => out.push_str("Predictions that look doubtful are judged by people under a written protocol, independently of each other.\n"),
        }
        let policy = self.policy()?;
        out.push_str(&format!("\nEach case is labeled by {} or more people; where they disagree, it is adjudicated.\n", policy.overlap));
        let stream = self.trap_worth()?.stream;
        if let Ok((wrong, error)) = stream.rate {
            out.push_str(&format!("\nOf {}, an estimated {} is wrong (standard error {}), weighted back from what was sampled.\n", stream.scope(), percent(wrong), percent(error)));
        }
        out.push_str("\n## Known limitations\n\n| kind of edge case | cases | predicted wrong | how it shows |\n| --- | --- | --- | --- |\n");
        let kinds = self.kinds()?;
        for (name, kind) in &kinds {
            let modes: Vec<String> =
                kind.modes.iter().map(|(mode, n)| format!("{} ({n})", cell(mode))).collect();
            out.push_str(&format!(
                "| {} | {} | {} | {} |\n",
                cell(name),
                kind.cases,
                kind.wrong,
                modes.join(", ")
            ));
        }
        if kinds.is_empty() {
            out.push_str("| none yet | 0 | 0 | |\n");
        }
        out.push_str("\n## What changed with which model\n");
        let (runs, gates) = (self.runs()?, self.gates()?);
        let (cuts, deployments) = (self.cuts()?, self.deployments()?);
        for one in deployments.iter().rev() {
            let share = if one.deployed.share < 1.0 {
                format!(" for {} of the traffic", percent(one.deployed.share))
            } else {
                String::new()
            };
            out.push_str(&format!(
                "\n### {} ({}{share}, {})\n\n",
                cell(&one.deployed.model),
                cell(&one.deployed.to),
                date(one.at)
            ));
            let run = runs.iter().find(|run| run.run.run == one.deployed.run);
            let cut = run.and_then(|run| run.run.cut);
            if let Some(cut) = cuts.iter().find(|one| Some(one.cut.cut) == cut) {
                out.push_str(&format!(
                    "Learned from {} {}, {} rows.\n",
                    cell(&cut.cut.name),
                    cut.cut.version,
                    cut.cut.rows
                ));
            }
            // Not one that was asked afterwards.
            match standing(&gates, &one.deployed.run, one.at) {
                Some(gate) => {
                    out.push_str(&format!("\n{TABLE}"));
                    out.push_str(&compared(&gate.decided.lines));
                    let let_pass = gate.waived.as_ref().is_some_and(|waived| waived.at <= one.at);
                    if let_pass {
                        out.push_str("\nIt was deployed though not all of this held; the reason is on record.\n");
                    } else if gate.decided.verdict == Verdict::Fail {
                        out.push_str("\nIt was deployed though not all of this held.\n");
                    }
                }
                None => out.push_str("\nNo comparison with the model before was recorded.\n"),
            }
            if let Some((at, ..)) = &one.ended {
                out.push_str(&format!("\nIt answers there no longer since {}.\n", date(*at)));
            }
        }
        if deployments.is_empty() {
            out.push_str("\nNo retrained model was deployed yet.\n");
        }
        let judged = self.judged()?;
        if !judged.is_empty() {
            out.push_str("\n## How good predictions turned out to be\n\n| model | known outcomes | right | 95 % interval |\n| --- | --- | --- | --- |\n");
            let fair = fair(&judged);
            for group in groups(&fair.judged, By::Model) {
                let value = group.accuracy.value.map_or("–".to_owned(), percent);
                let interval = group.accuracy.interval.map_or("–".to_owned(), |(low, high)| {
                    format!("{} to {}", percent(low), percent(high))
                });
                out.push_str(&format!(
                    "| {} | {} | {value} | {interval} |\n",
                    cell(&group.name),
                    group.n
                ));
            }
            if fair.flagged_alone {
                out.push_str("\nThese are predictions that looked doubtful; how many of the others are right they do not say.\n");
            }
        }
        Ok(out)
    }

    /// Why and how each retraining happened, the latest first.
    pub fn changelog(&self) -> Result<String, WorkError> {
        let mut out = format!("# {}: what was retrained, and why\n", cell(&self.team()?));
        let (gates, deployments, proposals) =
            (self.gates()?, self.deployments()?, self.cut_proposals()?);
        let (runs, cuts) = (self.runs()?, self.cuts()?);
        for run in &runs {
            out.push_str(&format!(
                "\n## {} {} ({})\n\n",
                date(run.at),
                cell(&run.run.pipeline),
                run.short()
            ));
            let why = if run.run.why.is_empty() {
                String::new()
            } else {
                format!(": {}", cell(&run.run.why))
            };
            out.push_str(&format!("- It is {}{why}.\n", run.run.state));
            if let Some(cut) = cuts.iter().find(|one| Some(one.cut.cut) == run.run.cut) {
                let proposal = cut
                    .cut
                    .proposal
                    .as_ref()
                    .and_then(|id| proposals.iter().find(|one| one.proposed.proposal == *id));
                if let Some(proposal) = proposal {
                    out.push_str(&format!("- Why: {}.\n", cell(&proposal.proposed.reason)));
                }
                let splits: Vec<String> =
                    cut.cut.splits.iter().map(|(split, n)| format!("{n} {split}")).collect();
                out.push_str(&format!(
                    "- Learned from {} {}: {} rows ({}).\n",
                    cell(&cut.cut.name),
                    cut.cut.version,
                    cut.cut.rows,
                    splits.join(", ")
                ));
                if let Some(words) = cut.withdrawn_words() {
                    out.push_str(&format!("- The cut {}\n", cell(&words)));
                }
                if let Some(replay) = &cut.cut.replay {
                    out.push_str(&format!(
                        "- With {} old rows of {}.\n",
                        replay.rows,
                        cell(&replay.file)
                    ));
                }
            }
            if let Some(repeat) = &run.run.repeat {
                out.push_str(&format!("- Run twice: {repeat}.\n"));
            }
            for (name, value) in run.run.metrics.iter().take(12) {
                out.push_str(&format!("- {} = {value}\n", cell(name)));
            }
            for gate in gates.iter().filter(|gate| gate.decided.run == run.run.run) {
                out.push_str(&format!(
                    "- The gate {} says: {}.\n",
                    cell(&gate.decided.gate),
                    gate.words()
                ));
                for line in gate.decided.lines.iter().filter(|line| line.verdict == Verdict::Fail) {
                    out.push_str(&format!(
                        "  - {} {}: {}\n",
                        line.kind,
                        cell(&line.slice),
                        cell(&line.why)
                    ));
                }
            }
            for one in deployments.iter().filter(|one| one.deployed.run == run.run.run) {
                let note = if one.deployed.note.is_empty() {
                    String::new()
                } else {
                    format!(": {}", cell(&one.deployed.note))
                };
                out.push_str(&format!(
                    "- Deployed to {} as {} on {}{note}.\n",
                    cell(&one.deployed.to),
                    cell(&one.deployed.model),
                    date(one.at)
                ));
            }
        }
        if runs.is_empty() {
            out.push_str("\nNothing was retrained yet.\n");
        }
        Ok(out)
    }

    /// A card of the model of a run, with the front matter that Hugging Face reads.
    pub fn model_card(&self, run: &str) -> Result<String, WorkError> {
        let found = self.find_run(run)?;
        let one = &found.run;
        let cut = one.cut.map(|cut| self.find_cut(&cut.to_string())).transpose()?;
        let gate = self.gate_of(&one.run)?;
        let quoted = |text: &str| crate::db::to_json(&text);
        let mut out = String::from("---\nlibrary_name: casework\n");
        if let Some(cut) = &cut {
            out.push_str(&format!("datasets:\n- {}\n", quoted(&cut.cut.name)));
        }
        if !one.metrics.is_empty() {
            let dataset = cut.as_ref().map_or("evaluation".to_owned(), |cut| cut.cut.name.clone());
            out.push_str(&format!(
                "model-index:\n- name: {}\n  results:\n  - task:\n      type: text-classification\n    dataset:\n      type: {}\n      name: {}\n    metrics:\n",
                quoted(&one.pipeline), quoted(&dataset), quoted(&dataset)
            ));
            for (name, value) in &one.metrics {
                out.push_str(&format!(
                    "    - type: {0}\n      name: {0}\n      value: {value}\n",
                    quoted(name)
                ));
            }
        }
        out.push_str(&format!(
            "---\n\n# {}\n\nRun {} of {}, {}.\n",
            cell(&one.pipeline),
            one.run,
            date(found.at),
            one.state
        ));
        out.push_str(&self.training_words(&found, cut.as_ref()));
        out.push_str("\n## Evaluation\n\n");
        match &gate {
            Some(gate) => {
                out.push_str(&format!(
                    "The gate {} says: {}.\n\n{TABLE}",
                    cell(&gate.decided.gate),
                    gate.words()
                ));
                out.push_str(&compared(&gate.decided.lines));
            }
            None => out.push_str("No gate was asked about it.\n"),
        }
        out.push_str("\n## Limitations\n\n");
        let kinds = self.kinds()?;
        let worst = kinds.iter().filter(|(_, kind)| kind.wrong > 0);
        for (name, kind) in worst {
            out.push_str(&format!(
                "- {}: {} of {} settled cases were predicted wrong by the models that met them.\n",
                cell(name),
                kind.wrong,
                kind.cases
            ));
        }
        if kinds.is_empty() {
            out.push_str("No edge case is settled yet.\n");
        }
        Ok(out)
    }

    fn training_words(&self, run: &KnownRun, cut: Option<&super::cuts::KnownCut>) -> String {
        let one = &run.run;
        let mut out = String::from("\n## Training\n\n");
        if let Some(cut) = cut {
            let dropped: u64 = cut.cut.dropped.values().sum();
            out.push_str(&format!(
                "Learned from {} {} (`{}`): {} rows, {dropped} left out and counted.\n",
                cell(&cut.cut.name),
                cut.cut.version,
                cut.cut.cut,
                cut.cut.rows
            ));
        }
        if let Some(seed) = one.seed {
            out.push_str(&format!("The seed is {seed}.\n"));
        }
        if let Some(code) = &one.code {
            let dirty = if code.dirty { ", with changes that were not committed" } else { "" };
            out.push_str(&format!("The code is {}{dirty}.\n", code.commit));
        }
        if let Some(repeat) = &one.repeat {
            out.push_str(&format!("Run twice it gives: {repeat}.\n"));
        }
        out.push_str(&format!("Steps ran with the sandbox {}.\n", one.sandbox));
        if !one.tainted.is_empty() {
            out.push_str(&format!(
                "Inputs changed while it ran: {}.\n",
                cell(&one.tainted.join(", "))
            ));
        }
        out
    }
}
