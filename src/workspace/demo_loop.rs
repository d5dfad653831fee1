//! The demo's loop: a cut of what was labeled, two models that are really trained on it, a gate that
//! refuses one of them, the other deployed, what turned out since, and an alarm on the stream.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::cases::IngestRequest;
use super::deployed::Deploy;
use super::gates::{Asked, read_gate};
use super::retraining::Request;
use super::{WorkError, Workspace};
use crate::db::case;
use crate::demo::{self, lesson};
use crate::domain::resolve::CaseState;
use crate::domain::text::head;
use crate::domain::time::Moment;
use crate::domain::traps::TrapFile;
use crate::review::rows::training_label;
use crate::sandbox::Level;

/// Messages of ten hours.
const WATCHED: usize = 900;

impl Workspace {
    /// The files of the demo's loop.
    pub fn demo_loop_directory(&self) -> PathBuf {
        self.paths.workspace.join("loop")
    }

    /// Cuts, trains twice, asks the gate, deploys what it lets pass, and takes in what turned out;
    /// `program` is this program, which trains.
    pub fn demo_loop(&mut self, program: &Path, seed: u64) -> Result<(), WorkError> {
        let directory = self.demo_loop_directory();
        let failed = |error| WorkError::File { path: directory.display().to_string(), error };
        fs::create_dir_all(&directory).map_err(failed)?;
        let place = program.parent().unwrap_or(Path::new("/")).display().to_string();
        let own = |text: &str| {
            text.replace("CASEWORK", &program.display().to_string()).replace("PLACE", &place)
        };
        let files = [
            ("old.jsonl", lesson::old_training_set(seed)),
            ("eval.jsonl", lesson::evaluation(seed)),
            ("recipe.toml", lesson::RECIPE.to_owned()),
            ("narrow.toml", own(lesson::NARROW)),
            ("router.toml", own(lesson::ROUTER)),
            ("gate.toml", lesson::GATE.to_owned()),
            ("traps.toml", lesson::TRAPS.to_owned()),
        ];
        for (name, text) in &files {
            fs::write(directory.join(name), text).map_err(failed)?;
        }
        let recipe = super::cutting::read_recipe(&directory.join("recipe.toml"))?;
        self.cut(&recipe, &directory, &directory.join("desk"), None)?;
        let path = directory.join("gate.toml");
        let gate = read_gate(&path)?;
        let request = Request { level: Level::Auto, twice: false, cut: None };
        for pipeline in ["narrow.toml", "router.toml"] {
            let run = self.run_pipeline(&directory.join(pipeline), &request)?;
            if run.run.state == "done" {
                self.gate_run(&gate, &path, &run.run.run, &Asked::default())?;
            }
        }
        let router = self.find_run("router")?;
        if self.gate_of(&router.run.run)?.is_some_and(|gate| gate.words() == "pass") {
            self.record_deployment(&Deploy {
                run: router.run.run,
                to: "prod".to_owned(),
                share: 0.1,
                model: Some("2.4".to_owned()),
                note: "a tenth of the desk's messages, for a week".to_owned(),
            })?;
        }
        self.demo_outcomes(&directory)?;
        self.demo_alarm(&directory, seed)?;
        // What the router gets wrong is to be told.
        let mut policy = self.policy()?;
        policy.set("alert", "accuracy < 0.85")?;
        self.set_policy(policy)
    }

    /// The last ten hours of the desk, with something new: an alarm sees it.
    fn demo_alarm(&mut self, directory: &Path, seed: u64) -> Result<(), WorkError> {
        let path = directory.join("traps.toml");
        let file = TrapFile::parse(lesson::TRAPS)
            .map_err(|faults| WorkError::Faults { name: path.display().to_string(), faults })?;
        self.publish_traps(&file, "What the desk watches.")?;
        let end = Moment(self.now().0 - 30 * 60_000);
        let watched = demo::wave(seed + 70, WATCHED, end, 40_000);
        let stop = AtomicBool::new(false);
        let request = IngestRequest::default();
        self.ingest(watched.stream.as_bytes(), &request, &stop, |_| {}).map(drop)
    }

    /// Where parcels went tells what messages were about: of some that are settled.
    fn demo_outcomes(&mut self, directory: &Path) -> Result<(), WorkError> {
        let mut lines = String::new();
        let now = self.now();
        case::for_each(&self.db.conn, |row| {
            let label = row
                .outcome
                .as_ref()
                .filter(|_| row.state == CaseState::Resolved)
                .and_then(training_label);
            if let Some(label) = label {
                let line = json!({ "id": row.external_id, "stream": row.stream, "observed_at": now.rfc3339(), "truth": label });
                lines.push_str(&format!("{line}\n"));
            }
        })?;
        let path = directory.join("outcomes.jsonl");
        fs::write(&path, lines)
            .map_err(|error| WorkError::File { path: path.display().to_string(), error })?;
        self.import_outcomes(&path, Some("parcel system"), None).map(drop)
    }

    /// One misrouted message of the demo's cut, to be followed from detection to the deployed fix.
    pub fn demo_message(&self) -> Result<Option<(String, String)>, WorkError> {
        let Ok(cut) = self.find_cut("desk") else { return Ok(None) };
        for id in self.membership(&cut)?.cases() {
            if let Some(row) = case::by_id(&self.db.conn, id)? {
                return Ok(Some((row.external_id, head(&row.text, 60).to_owned())));
            }
        }
        Ok(None)
    }
}
