//! Validators at work: programs that look over a label, a cut or a run once it is made. They ask for
//! reasons, and keep nothing from being made.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{WorkError, Workspace};
use crate::clock;
use crate::db::{case, erasure};
use crate::domain::label::Label;
use crate::domain::plugin::{PluginKind, Problem, Said};
use crate::journal::blob::{self, Unpacker};
use crate::plugin::host::{Asked, Stop};
use crate::plugin::{Answer, Counts};

/// How long a label is looked over by all validators, whatever each is allowed otherwise.
pub const LABEL_SECONDS: Duration = Duration::from_secs(10);

/// What was made.
#[derive(Debug, Clone, Copy)]
pub enum Made<'m> {
    Label(&'m Label),
    /// The directory of a cut, or that in which a run left what it made.
    Cut(&'m Path),
    Run(&'m Path),
}

/// What validators say of it.
#[derive(Debug, Clone, Default)]
pub struct LookedOver {
    /// Each with who says so.
    pub problems: Vec<(String, Problem)>,
    /// How asking them went, where that was not well.
    pub trouble: Vec<(String, Counts)>,
}

impl Workspace {
    /// Whether anything would be looked over.
    pub fn has_validators(&self) -> bool {
        !self.served && self.config.plugin.iter().any(|one| one.kind == PluginKind::Validator)
    }

    /// Has every validator look over what was made. Of a label all may take no longer than
    /// [`LABEL_SECONDS`]: somebody waits.
    pub fn look_over(&mut self, made: Made<'_>, stop: &Stop<'_>) -> LookedOver {
        let mut looked = LookedOver::default();
        if !self.has_validators() {
            return looked;
        }
        let plugins = self.config.plugin.iter().filter(|one| one.kind == PluginKind::Validator);
        let since = clock::instant();
        let names: Vec<String> = plugins.map(|plugin| plugin.name.clone()).collect();
        for name in names {
            let mut counts = Counts::default();
            match self.one_looks_over(&name, made, &mut counts, since, stop) {
                Ok(found) => {
                    looked.problems.extend(found.into_iter().map(|one| (name.clone(), one)));
                }
                Err(error) => counts.trouble(error.told().words),
            }
            if counts.could_not_tell + counts.skipped > 0 || !counts.trouble.is_empty() {
                looked.trouble.push((name, counts));
            }
        }
        looked
    }

    fn one_looks_over(
        &mut self,
        name: &str,
        made: Made<'_>,
        counts: &mut Counts,
        since: Instant,
        stop: &Stop<'_>,
    ) -> Result<Vec<Problem>, WorkError> {
        let (key, value, reads) = match made {
            Made::Label(label) => ("label", self.told_of(name, label)?, None),
            Made::Cut(path) => ("cut", real(path), Some(path)),
            Made::Run(path) => ("run", real(path), Some(path)),
        };
        let body = Map::from_iter([(key.to_owned(), value)]);
        // What it may read is settled when it is begun: one for labels is not one for a cut.
        let mut host = match reads {
            None => self.take_host(name, PluginKind::Validator)?,
            Some(path) => self.host_of(name, PluginKind::Validator)?.reading(path),
        };
        let asked = Asked::new(key.to_owned(), &body);
        let late = || reads.is_none() && since.elapsed() > LABEL_SECONDS;
        let answer = host.ask(&[asked], &|| stop() || late()).pop();
        counts.add(host.take_counts());
        if late() && answer == Some(Answer::Skipped) {
            counts.trouble(format!(
                "the label was looked at for longer than {} s",
                LABEL_SECONDS.as_secs()
            ));
        }
        if reads.is_none() {
            self.keep_host(name.to_owned(), host);
        }
        match answer {
            Some(Answer::Said(Said::Problems(problems))) => Ok(problems),
            _ => Ok(Vec::new()),
        }
    }

    /// What a validator is told of a label: not whose it is.
    fn told_of(&self, name: &str, label: &Label) -> Result<Value, WorkError> {
        let conn = &self.db.conn;
        let row = case::by_id(conn, label.case)?;
        let line = row.as_ref().and_then(|row| {
            let event = erasure::payload_event(conn, row.id, row.event).ok()?.unwrap_or(row.event);
            let json = blob::read(conn, &mut Unpacker::default(), event).ok()?;
            let payload: Value = serde_json::from_slice(&json).ok()?;
            Some(self.plugin(name).ok()?.row(&payload["prediction"]))
        });
        let version = format!("{}@{}", label.protocol.id, label.protocol.version);
        Ok(json!({ "case": label.case, "id": row.as_ref().map(|row| &row.external_id),
            "predicted": row.as_ref().and_then(|row| row.predicted.as_ref()), "row": line,
            "protocol": version, "answers": label.path, "outcome": label.outcome,
            "confidence": label.confidence, "rationale": label.rationale, "tags": label.tags,
            "checked": label.checked }))
    }
}

/// A directory as a program in a directory of its own finds it.
fn real(path: &Path) -> Value {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real.display().to_string().into()
}
