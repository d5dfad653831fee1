//! Runs: what was retrained, here or elsewhere, and what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::RetrainError;
use super::{WorkError, Workspace, random, read_file};
use crate::clock;
use crate::db::document;
use crate::domain::ids::{EventId, Hash, hex, uuid7};
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::blob::{self, Packer, Unpacker};
use crate::journal::kind::{RunFile, RunRecorded};
use crate::retrain::gate::{Predictions, check_predictions, metrics_of};

/// A run that was recorded.
#[derive(Debug, Clone)]
pub struct KnownRun {
    pub run: RunRecorded,
    pub author: String,
    pub at: Moment,
    pub event: EventId,
}

impl KnownRun {
    /// Its id, as people read it out: the end tells runs of one moment apart.
    pub fn short(&self) -> String {
        short_run(&self.run.run)
    }

    pub fn json(&self) -> Value {
        let mut value = serde_json::to_value(&self.run).unwrap_or_default();
        if let Some(object) = value.as_object_mut() {
            object.insert("began".to_owned(), Value::from(self.run.began.rfc3339()));
            object.insert("ended".to_owned(), Value::from(self.run.ended.rfc3339()));
            object.insert("at".to_owned(), Value::from(self.at.rfc3339()));
            object.insert("author".to_owned(), Value::from(self.author.as_str()));
            object.insert("event".to_owned(), json!(self.event));
        }
        value
    }
}

/// The part of a run's id that people read out.
pub fn short_run(id: &str) -> String {
    id.rsplit('-').next().unwrap_or(id).to_owned()
}

/// A run that was done elsewhere.
#[derive(Debug, Clone)]
pub struct Elsewhere {
    pub cut: String,
    pub name: String,
    pub metrics: Option<PathBuf>,
    pub predictions: Option<PathBuf>,
    pub model: Option<PathBuf>,
    pub seed: Option<u64>,
}

/// The hash and size of a file, read piece by piece.
pub fn file_of(path: &Path, name: &str) -> Result<RunFile, WorkError> {
    let failed = |error| WorkError::File { path: path.display().to_string(), error };
    let mut file = fs::File::open(path).map_err(failed)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = std::io::Read::read(&mut file, &mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        hasher.update(&buffer[..read]);
    }
    Ok(RunFile { path: name.to_owned(), bytes, sha256: hex(&hasher.finalize()) })
}

/// Figures of a run: a flat object of numbers.
pub fn read_metrics(path: &Path) -> Result<BTreeMap<String, f64>, WorkError> {
    let text = read_file(path)?;
    let figures = metrics_of(&text).and_then(|figures| match figures.is_empty() {
        true => Err("no number stands in it".to_owned()),
        false => Ok(figures),
    });
    figures.map_err(|message| {
        let path = path.display();
        RetrainError::Wrong(format!(
            "{path}: {message}; metrics are one object of numbers: {{\"accuracy\": 0.8}}"
        ))
        .into()
    })
}

impl Workspace {
    /// Every run, the latest first.
    pub fn runs(&self) -> Result<Vec<KnownRun>, WorkError> {
        let known = |row: document::DocumentRow| {
            let run: RunRecorded = serde_json::from_str(&row.body).ok()?;
            let (author, at, event) = (row.author, row.at.moment(), row.event);
            Some(KnownRun { run, author, at, event })
        };
        Ok(document::of_kind(&self.db.conn, "run")?.into_iter().filter_map(known).collect())
    }

    /// The run that a person means: by its id or a part of it, or by the pipeline's name the
    /// newest.
    pub fn find_run(&self, id: &str) -> Result<KnownRun, WorkError> {
        let runs = self.runs()?;
        if let Some(found) = runs.iter().find(|one| one.run.run == id || one.run.pipeline == id) {
            return Ok(found.clone());
        }
        let like: Vec<&KnownRun> = runs
            .iter()
            .filter(|one| {
                id.len() >= 4 && (one.run.run.starts_with(id) || one.short().starts_with(id))
            })
            .collect();
        match like[..] {
            [one] => Ok(one.clone()),
            [] => {
                let known =
                    runs.iter().map(|one| format!("{} ({})", one.short(), one.run.pipeline));
                let (what, id) = ("the run", id.to_owned());
                Err(RetrainError::Unknown { what, id, known: known.collect() }.into())
            }
            _ => {
                let found = like.iter().map(|one| one.run.run.clone()).collect();
                Err(RetrainError::Several { id: id.to_owned(), found }.into())
            }
        }
    }

    /// What the model of a run said of the evaluation, as its file has it.
    pub fn run_predictions(&self, run: &KnownRun) -> Result<Option<String>, WorkError> {
        if run.run.predictions.is_none() {
            return Ok(None);
        }
        let bytes = blob::read(&self.db.conn, &mut Unpacker::default(), run.event)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// An id for a run or a deployment that begins now.
    pub(super) fn new_id(&self) -> Result<String, WorkError> {
        Ok(uuid7(clock::now(), random()?))
    }

    /// Records a run; its predictions stand beside it.
    pub(super) fn record_run(
        &mut self,
        run: RunRecorded,
        predictions: Option<&str>,
    ) -> Result<(), WorkError> {
        let append = match predictions {
            None => Append::new(&run),
            Some(text) => {
                let packed = Packer::new(None)?.pack(text.as_bytes(), random()?)?;
                let run = RunRecorded { predictions: Some(packed.hash), ..run };
                Append::with_payload(&run, packed, String::new())
            }
        };
        self.append(vec![append]).map(drop)
    }

    /// Records a training that was done elsewhere.
    pub fn record_elsewhere(&mut self, of: &Elsewhere) -> Result<KnownRun, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Agent], "lead, engineer or agent")?;
        let cut = self.find_cut(&of.cut)?;
        let now = clock::now();
        let id = self.new_id()?;
        let metrics = of.metrics.as_deref().map(read_metrics).transpose()?.unwrap_or_default();
        let predictions = of.predictions.as_deref().map(read_file).transpose()?;
        if let (Some(path), Some(text)) = (&of.predictions, &predictions) {
            // What no gate could read is not kept as if one could.
            check_predictions(Predictions::after(&path.display().to_string(), text))
                .map_err(|bad| RetrainError::Wrong(bad.to_string()))?;
        }
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            file_of(path, &name)
        };
        let outs = of.model.iter().chain(&of.predictions).chain(&of.metrics).map(named);
        let run = RunRecorded {
            run: id.clone(),
            pipeline: of.name.clone(),
            cut: Some(cut.cut.cut),
            seed: of.seed,
            began: now,
            ended: now,
            state: "recorded".to_owned(),
            why: "it was done elsewhere".to_owned(),
            sandbox: "elsewhere".to_owned(),
            not_restricted: vec!["nothing is known of where it ran".to_owned()],
            outs: outs.collect::<Result<_, _>>()?,
            metrics,
            ..RunRecorded::default()
        };
        self.record_run(run, predictions.as_deref())?;
        self.find_run(&id)
    }

    /// What runs of a cut there are, the latest first.
    pub fn runs_of_cut(&self, cut: Hash) -> Result<Vec<KnownRun>, WorkError> {
        Ok(self.runs()?.into_iter().filter(|one| one.run.cut == Some(cut)).collect())
    }
}

/// Figures of two runs beside each other, by name.
pub fn metric_changes(
    one: &KnownRun,
    other: &KnownRun,
) -> BTreeMap<String, (Option<f64>, Option<f64>)> {
    let mut changes: BTreeMap<String, (Option<f64>, Option<f64>)> = BTreeMap::new();
    for (name, value) in &one.run.metrics {
        changes.entry(name.clone()).or_default().0 = Some(*value);
    }
    for (name, value) in &other.run.metrics {
        changes.entry(name.clone()).or_default().1 = Some(*value);
    }
    changes
}
