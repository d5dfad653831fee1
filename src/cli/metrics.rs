//! `casework metrics`: how the work, the traps and the stream stand, for Prometheus.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::retrain::outcomes::Group;
use crate::workspace::WorkError;
use crate::workspace::sla::Figures;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write to this file, whole or not at all: for the textfile collector of node_exporter
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let figures = context.read()?.figures_now()?;
    let text = prometheus(&figures);
    let Some(path) = &args.out else {
        let mut out = Out::new();
        out.raw(&text)?;
        out.finish()?;
        return Ok(Exit::Done);
    };
    let failed = |error| WorkError::File { path: path.display().to_string(), error };
    let mut beside = path.clone().into_os_string();
    beside.push(".new");
    fs::write(&beside, text).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)?;
    say(&format!("The figures are in {}.", path.display()));
    Ok(Exit::Done)
}

/// A family of figures in the text format of Prometheus.
struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
}

impl Family<'_> {
    fn add(&mut self, labels: &[(&str, &str)], value: f64) {
        let escaped =
            |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        // A String takes all that is written to it.
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
    }
}

fn family<'t>(text: &'t mut String, name: &'static str, kind: &str, help: &str) -> Family<'t> {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    Family { text, name }
}

fn prometheus(figures: &Figures) -> String {
    let mut text = String::new();
    let mut cases = family(&mut text, "casework_cases", "gauge", "Cases by state.");
    for (state, n) in &figures.cases {
        cases.add(&[("state", state)], *n as f64);
    }
    family(&mut text, "casework_labels", "gauge", "Labels that count.")
        .add(&[], figures.labels as f64);
    family(&mut text, "casework_cases_overdue", "gauge", "Cases of which something is overdue.")
        .add(&[], figures.overdue as f64);
    family(&mut text, "casework_alarms_open", "gauge", "Alarms that nobody has closed.")
        .add(&[], figures.alarms as f64);
    let traps = &figures.worth.traps;
    type Of = fn(&crate::review::trap_worth::TrapWorth) -> Option<f64>;
    let families: [(&'static str, &str, &str, Of); 6] = [
        ("casework_trap_seen_total", "counter", "Predictions that a rule looked at.", |t| {
            Some(t.seen as f64)
        }),
        ("casework_trap_flagged_total", "counter", "Predictions that a rule flagged.", |t| {
            Some(t.flagged as f64)
        }),
        ("casework_trap_cases", "gauge", "Cases that a rule drew.", |t| Some(t.opened as f64)),
        ("casework_trap_labeled", "gauge", "Settled cases that a rule drew.", |t| {
            Some(t.labeled as f64)
        }),
        ("casework_trap_wrong", "gauge", "Those of them on which the model was wrong.", |t| {
            Some(t.wrong as f64)
        }),
        (
            "casework_trap_precision_ratio",
            "gauge",
            "Share of them on which the model was wrong.",
            |t| t.precision.value.ok(),
        ),
    ];
    for (name, kind, help, of) in families {
        let mut family = family(&mut text, name, kind, help);
        for trap in traps {
            if let Some(value) = of(trap) {
                family.add(&[("trap", &trap.trap), ("version", &trap.version)], value);
            }
        }
    }
    if let Ok((value, error)) = figures.worth.stream.rate {
        let help = "Share of the stream on which the model is wrong, weighted back from labels.";
        family(&mut text, "casework_stream_wrong_ratio", "gauge", help).add(&[], value);
        let help = "Its standard error.";
        family(&mut text, "casework_stream_wrong_standard_error", "gauge", help).add(&[], error);
    }
    models(&mut text, figures);
    bounds(&mut text, figures);
    text
}

/// How often models turned out to be right, with the ends of the interval.
fn models(text: &mut String, figures: &Figures) {
    let of = if figures.flagged_alone { "flagged" } else { "all" };
    type Of = fn(&Group) -> Option<f64>;
    let families: [(&'static str, &str, Of); 4] = [
        (
            "casework_model_outcomes",
            "Predictions of a model of which something turned out; `of` says whether they stand for all of them.",
            |group| Some(group.n as f64),
        ),
        ("casework_model_accuracy_ratio", "Share of them on which the model was right.", |group| {
            group.accuracy.value.ok()
        }),
        ("casework_model_accuracy_ratio_low", "Lower end of its 95 % interval.", |group| {
            Some(group.accuracy.interval?.0)
        }),
        ("casework_model_accuracy_ratio_high", "Upper end of its 95 % interval.", |group| {
            Some(group.accuracy.interval?.1)
        }),
    ];
    for (name, help, value_of) in families.into_iter().filter(|_| !figures.models.is_empty()) {
        let mut family = family(text, name, "gauge", help);
        for group in figures.models.iter().filter(|group| group.n > 0) {
            if let Some(value) = value_of(group) {
                family.add(&[("model", &group.name), ("of", of)], value);
            }
        }
    }
}

/// The bounds of the policy: where each stands, and whether it is crossed by more than chance.
fn bounds(text: &mut String, figures: &Figures) {
    if figures.bounds.is_empty() {
        return;
    }
    let mut value = family(
        text,
        "casework_bound_value",
        "gauge",
        "What a bound of the policy is held against; of several shares, the one that lies furthest off.",
    );
    for bound in &figures.bounds {
        if let Ok(now) = bound.value {
            value.add(&[("bound", &bound.threshold.to_string())], now);
        }
    }
    let help = "1 where a bound of the policy is crossed, a share by more than chance.";
    let mut crossed = family(text, "casework_bound_crossed", "gauge", help);
    for bound in &figures.bounds {
        let is = f64::from(u8::from(bound.is_crossed()));
        crossed.add(&[("bound", &bound.threshold.to_string())], is);
    }
}
