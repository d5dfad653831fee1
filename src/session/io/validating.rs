//! Looks over labels that were given, on a thread of its own: nobody waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use crate::domain::label::Label;
use crate::domain::plugin::Severity;
use crate::session::report::Report;
use crate::workspace::validating::{LookedOver, Made};
use crate::workspace::{WorkError, Workspace};

/// Where labels go that are to be looked over, if anything does.
pub(super) fn start(
    workspace: &Workspace,
    report: Arc<dyn Fn(Report) + Send + Sync>,
) -> Result<Option<Sender<Label>>, WorkError> {
    if !workspace.has_validators() {
        return Ok(None);
    }
    let mut workspace = workspace.reopen()?;
    let (to, labels) = channel::<Label>();
    std::thread::spawn(move || {
        let mut told = Vec::new();
        while let Ok(label) = labels.recv() {
            let LookedOver { problems, trouble } =
                workspace.look_over(Made::Label(&label), &|| false);
            let mut lines: Vec<String> = problems
                .into_iter()
                .map(|(name, problem)| {
                    let asks = match problem.severity {
                        Severity::Error => "asks for a reason",
                        Severity::Warn => "says",
                    };
                    format!("{name} {asks} of {}: {}.", label.case.short(), problem.what)
                })
                .collect();
            // What is wrong with a validator itself is said once.
            for (name, counts) in trouble {
                let why = counts.trouble.first().cloned().unwrap_or_default();
                let words = format!("The validator {name} looks over nothing: {why}.");
                if !told.contains(&words) {
                    told.push(words.clone());
                    lines.push(words);
                }
            }
            if !lines.is_empty() {
                report(Report::Suggested(lines.join(" ")));
            }
        }
    });
    Ok(Some(to))
}
