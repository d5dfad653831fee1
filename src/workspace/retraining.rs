//! Doing a run: the cut and the inputs laid out where steps may read them, each step under watch,
//! what came out recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::cuts::{KnownCut, directory_of};
use super::error::RetrainError;
use super::runs::{KnownRun, file_of};
use super::{WorkError, Workspace, read_file};
use crate::clock;
use crate::config::passed;
use crate::domain::ids::Hash;
use crate::domain::roster::Role;
use crate::domain::text::{cut as cut_text, visible};
use crate::domain::time::Moment;
use crate::journal::kind::{RunCode, RunFile, RunRecorded, RunStep};
use crate::retrain::cut::files;
use crate::retrain::gate::{Predictions, metrics_of, read as read_predictions};
use crate::retrain::run::Pipeline;
use crate::retrain::run::compare::{Compared, compare};
use crate::retrain::run::execute::{Ended, Program, files_below, run as execute};
use crate::retrain::run::pipeline::Step;
use crate::sandbox::Level;
use crate::sandbox::helper::Told;
use crate::sandbox::reach::{
    Reach, bwrap, held, may_be_copied, not_restricted, program_places, without,
};

/// How a pipeline is to be run.
#[derive(Debug, Clone)]
pub struct Request {
    pub level: Level,
    pub twice: bool,
    /// Where the cut lies, if it is not beside the pipeline.
    pub cut: Option<PathBuf>,
}

/// What is known of a run that began and has not ended.
#[derive(Serialize, Deserialize)]
struct Begun {
    run: String,
    pipeline: String,
    text: String,
    cut: Option<Hash>,
    seed: Option<u64>,
    began: Moment,
    sandbox: String,
    not_restricted: Vec<String>,
}

const BEGUN: &str = "begun.json";
const LOCK: &str = "lock";
/// Characters of what is installed that are recorded.
const VERSIONS_BYTES: usize = 64 << 10;

/// The directories of one run.
struct Layout {
    root: PathBuf,
    work: PathBuf,
    cut: PathBuf,
    scratch: PathBuf,
    logs: PathBuf,
}

/// Reads and checks a pipeline.
pub fn read_pipeline(path: &Path) -> Result<Pipeline, WorkError> {
    let source = read_file(path)?;
    let name = path.display().to_string();
    Pipeline::parse(&source).map_err(|faults| WorkError::Faults { name, faults })
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> WorkError + '_ {
    move |error| WorkError::File { path: path.display().to_string(), error }
}

/// What one time through the steps came to.
struct Once {
    steps: Vec<RunStep>,
    state: &'static str,
    why: String,
    outs: Vec<RunFile>,
    out: PathBuf,
}

impl Workspace {
    fn runs_directory(&self) -> PathBuf {
        self.paths.workspace.join("runs")
    }

    /// Where a run of this device left what it made.
    pub fn outs_of(&self, run: &str) -> Option<PathBuf> {
        Some(self.runs_directory().join(run).join("out")).filter(|outs| outs.is_dir())
    }

    /// Records runs that began here and whose process is gone: it was interrupted.
    pub fn settle_runs(&mut self) -> Result<usize, WorkError> {
        let Ok(entries) = fs::read_dir(self.runs_directory()) else { return Ok(0) };
        let mut settled = 0;
        for entry in entries.filter_map(Result::ok) {
            let directory = entry.path();
            let Ok(text) = fs::read_to_string(directory.join(BEGUN)) else { continue };
            let Ok(begun) = serde_json::from_str::<Begun>(&text) else { continue };
            let Some(_lock) = lock(&directory.join(LOCK))? else { continue };
            let run = RunRecorded {
                run: begun.run,
                pipeline: begun.pipeline,
                hash: Some(Hash::of(begun.text.as_bytes())),
                text: begun.text,
                cut: begun.cut,
                seed: begun.seed,
                began: begun.began,
                ended: begun.began,
                state: "interrupted".to_owned(),
                why: "the program that watched it ended before it did".to_owned(),
                sandbox: begun.sandbox,
                not_restricted: begun.not_restricted,
                ..RunRecorded::default()
            };
            self.record_run(run, None)?;
            fs::remove_file(directory.join(BEGUN)).map_err(failed(&directory))?;
            settled += 1;
        }
        Ok(settled)
    }

    /// Runs a pipeline, and records what came of it, whatever that is.
    ///
    /// # Errors
    /// Nothing was begun: a file is missing or changed, the sandbox can't be had, the role does not
    /// allow it.
    pub fn run_pipeline(&mut self, path: &Path, request: &Request) -> Result<KnownRun, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer, Role::Agent], "lead, engineer or agent")?;
        self.settle_runs()?;
        let pipeline = read_pipeline(path)?;
        let beside = path.parent().unwrap_or(Path::new("")).to_owned();
        let cut = self.find_cut(&pipeline.cut)?;
        if let Some(words) = cut.withdrawn_words() {
            return Err(RetrainError::Wrong(format!("the cut {words}")).into());
        }
        let level = held(request.level).ok_or_else(|| {
            RetrainError::Wrong(format!(
                "the sandbox `{}` can't be had here; --sandbox auto takes what there is",
                request.level.as_str()
            ))
        })?;
        if level == Level::Container && pipeline.container.is_empty() {
            return Err(
                RetrainError::Wrong("the pipeline has no `container` command".to_owned()).into()
            );
        }
        let id = self.new_id()?;
        let layout = self.lay_out(&id)?;
        let inputs = lay_inputs(&pipeline, &beside, &layout.work, &self.hidden()?)?;
        self.lay_cut(&cut, request, &beside, &layout.cut)?;
        let began = clock::now();
        let unrestricted = not_restricted(level, pipeline.limits.network);
        let begun = Begun {
            run: id.clone(),
            pipeline: pipeline.name.clone(),
            text: pipeline.source.clone(),
            cut: Some(cut.cut.cut),
            seed: pipeline.seed,
            began,
            sandbox: level.as_str().to_owned(),
            not_restricted: unrestricted.clone(),
        };
        let locked = lock(&layout.root.join(LOCK))?;
        let note = layout.root.join(BEGUN);
        fs::write(&note, crate::db::to_json(&begun)).map_err(failed(&note))?;

        let environment = environment(&layout, cut.at);
        let times = if request.twice { 2 } else { 1 };
        let mut done: Vec<Once> = Vec::new();
        for time in 0..times {
            let name = if time == 0 { "out".to_owned() } else { format!("out.{}", time + 1) };
            let out = layout.root.join(name);
            done.push(self.steps(&pipeline, &layout, (time, out), level, &environment)?);
            if done[time].state != "done" {
                break;
            }
        }
        let tainted = changed_inputs(&inputs, &beside);
        let versions = self.versions(&pipeline, &layout, level, &environment)?;
        let first = &done[0];
        let result = results(&pipeline, first);
        let (mut state, mut why) = (first.state, first.why.clone());
        let (metrics, predictions) = match result {
            Ok(result) => result,
            Err(words) if state == "done" => {
                (state, why) = ("failed", words);
                (BTreeMap::new(), None)
            }
            Err(_) => (BTreeMap::new(), None),
        };
        let repeated = done.get(1).filter(|_| state == "done").map(|second| {
            if second.state != "done" {
                let words = format!("differs: the second time it {}: {}", second.state, second.why);
                return Compared { words, churn: None };
            }
            let same = first.outs == second.outs;
            let other = results(&pipeline, second).ok().and_then(|(_, predictions)| predictions);
            let pair = predictions.as_deref().zip(other.as_deref());
            compare(same, pair, pipeline.repeat.churn)
        });
        let told = told_to_steps(&pipeline, &environment);
        let names: BTreeSet<String> = told.iter().map(|(_, name, _)| name.clone()).collect();
        let run = RunRecorded {
            run: id.clone(),
            pipeline: pipeline.name.clone(),
            hash: Some(pipeline.hash()),
            text: pipeline.source.clone(),
            cut: Some(cut.cut.cut),
            seed: pipeline.seed,
            began,
            ended: clock::now(),
            state: state.to_owned(),
            why,
            tainted,
            inputs,
            steps: first.steps.clone(),
            environment: names.into_iter().collect(),
            environment_hash: Some(environment_hash(&told)),
            sandbox: level.as_str().to_owned(),
            not_restricted: unrestricted,
            outs: first.outs.clone(),
            metrics,
            versions,
            repeat: repeated.as_ref().map(|one| one.words.clone()),
            churn: repeated.and_then(|one| one.churn),
            code: code_of(&beside),
            predictions: None,
        };
        self.record_run(run, predictions.as_deref())?;
        fs::remove_file(&note).map_err(failed(&note))?;
        drop(locked);
        // What comes out stays; what went in is recorded.
        for place in [&layout.work, &layout.cut, &layout.scratch] {
            let _ = fs::remove_dir_all(place);
        }
        self.find_run(&id)
    }

    fn lay_out(&self, id: &str) -> Result<Layout, WorkError> {
        let root = self.runs_directory().join(id);
        super::private_directory(&root).map_err(failed(&root))?;
        // Without links: sandboxes go by where places really are.
        let root = fs::canonicalize(&root).map_err(failed(&root))?;
        let of = |name: &str| -> Result<PathBuf, WorkError> {
            let place = root.join(name);
            fs::create_dir_all(&place).map_err(failed(&place))?;
            Ok(place)
        };
        let (work, scratch, logs) = (of("work")?, of("scratch")?, of("logs")?);
        fs::create_dir_all(scratch.join("home")).map_err(failed(&scratch))?;
        fs::create_dir_all(scratch.join("tmp")).map_err(failed(&scratch))?;
        Ok(Layout { work, cut: root.join("cut"), scratch, logs, root })
    }

    /// Puts the files of a cut where steps read them: those of a directory, or made once more.
    fn lay_cut(
        &mut self,
        cut: &KnownCut,
        request: &Request,
        beside: &Path,
        to: &Path,
    ) -> Result<(), WorkError> {
        let found = directory_of(cut, request.cut.as_deref(), beside)?;
        let Some(found) = found else {
            let (_, made) = self.cut_again(&cut.cut.cut.to_string(), beside, to)?;
            if made.id != cut.cut.cut {
                return Err(RetrainError::Wrong(format!(
                    "the cut {} can't be made again: rows that it had were erased since",
                    cut.short()
                ))
                .into());
            }
            let _ = fs::remove_file(to.with_file_name(format!("{}.dvc", cut.cut.name)));
            return Ok(());
        };
        let known =
            files::known(&found).map_err(|damage| RetrainError::Wrong(damage.to_string()))?;
        if let Some(damage) = files::verify(&found, &known).first() {
            return Err(RetrainError::Wrong(format!("{}: {damage}", found.display())).into());
        }
        fs::create_dir_all(to).map_err(failed(to))?;
        for file in known.files.iter().map(|file| file.path.as_str()).chain([files::MANIFEST]) {
            fs::copy(found.join(file), to.join(file)).map_err(failed(&found))?;
        }
        Ok(())
    }

    /// Goes through the steps once.
    fn steps(
        &self,
        pipeline: &Pipeline,
        layout: &Layout,
        (time, out): (usize, PathBuf),
        level: Level,
        environment: &BTreeMap<String, String>,
    ) -> Result<Once, WorkError> {
        fs::create_dir_all(&out).map_err(failed(&out))?;
        let mut once =
            Once { steps: Vec::new(), state: "done", why: String::new(), outs: Vec::new(), out };
        for step in &pipeline.step {
            let mut environment = environment.clone();
            environment.extend(of_step(step));
            // What was printed the first time stays.
            let log = match time {
                0 => step.name.clone(),
                _ => format!("{}.{}", step.name, time + 1),
            };
            let place = |text: &String| {
                text.replace("{cut}", &layout.cut.display().to_string())
                    .replace("{out}", &once.out.display().to_string())
                    .replace("{seed}", &pipeline.seed.unwrap_or_default().to_string())
            };
            let argv: Vec<String> = step.run.iter().map(place).collect();
            let ended = self.one(pipeline, layout, &once.out, level, &environment, (&log, argv))?;
            once.steps.push(RunStep {
                name: step.name.clone(),
                argv: step.run.clone(),
                exit: ended.exit,
                wall_ms: ended.wall_ms,
                cpu_ms: ended.cpu_ms,
                memory_bytes: ended.memory_bytes,
                said: ended.said.clone(),
            });
            if let Some(stopped) = ended.stopped {
                once.state = if ended.exit.is_some() { "failed" } else { "stopped" };
                once.why = format!("step `{}`: {stopped}", step.name);
                break;
            }
            if ended.exit != Some(0) {
                once.state = "failed";
                let exit = ended.exit.unwrap_or_default();
                let last = ended.said.lines().last().unwrap_or_default().to_owned();
                once.why = format!("step `{}` ended with {exit}: {last}", step.name);
                break;
            }
        }
        for (name, path) in files_below(&once.out).map_err(failed(&once.out))? {
            once.outs.push(file_of(&path, &visible(&name))?);
        }
        Ok(once)
    }

    fn one(
        &self,
        pipeline: &Pipeline,
        layout: &Layout,
        out: &Path,
        level: Level,
        environment: &BTreeMap<String, String>,
        (name, argv): (&str, Vec<String>),
    ) -> Result<Ended, WorkError> {
        let bounds = pipeline.limits.bounds();
        let path = environment.get("PATH").cloned().unwrap_or_default();
        let home = self.env.credentials.home.clone();
        let hidden = self.hidden()?;
        let mut read = program_places(&path, home.as_deref(), &hidden);
        let asked = pipeline.limits.read.iter().map(PathBuf::from).collect();
        read.extend(without(asked, &hidden));
        read.extend([layout.work.clone(), layout.cut.clone()]);
        let write = vec![out.to_owned(), layout.scratch.clone()];
        let reach = Reach { read, write, network: pipeline.limits.network };
        let argv = match level {
            Level::Bwrap => [bwrap(&reach, &layout.work), argv].concat(),
            Level::Container => {
                let place = |text: &String| {
                    text.replace("{work}", &layout.work.display().to_string())
                        .replace("{cut}", &layout.cut.display().to_string())
                        .replace("{out}", &out.display().to_string())
                };
                [pipeline.container.iter().map(place).collect(), argv].concat()
            }
            _ => argv,
        };
        let program = Program {
            told: Told {
                argv,
                directory: layout.work.clone(),
                environment: environment
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
                landlock: level == Level::Landlock,
                read: reach.read,
                write: reach.write,
                network: reach.network,
                file_bytes: bounds.output_bytes,
            },
            bounds,
            out: out.to_owned(),
            logs: layout.logs.clone(),
            name: name.to_owned(),
        };
        execute(&program).map_err(failed(&layout.root))
    }

    /// What is installed where it ran, as a command says.
    fn versions(
        &self,
        pipeline: &Pipeline,
        layout: &Layout,
        level: Level,
        environment: &BTreeMap<String, String>,
    ) -> Result<String, WorkError> {
        if pipeline.result.versions.is_empty() {
            return Ok(String::new());
        }
        let argv = pipeline.result.versions.clone();
        self.one(pipeline, layout, &layout.scratch, level, environment, ("versions", argv))?;
        let text = fs::read(layout.logs.join("versions.out")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let text = crate::domain::text::visible_lines(&text).join("\n");
        Ok(cut_text(&text, VERSIONS_BYTES).into_owned())
    }
}

/// Metrics and predictions that steps left behind.
type Results = (BTreeMap<String, f64>, Option<String>);

fn results(pipeline: &Pipeline, once: &Once) -> Result<Results, String> {
    let read = |name: &String| {
        let inside = !name.split('/').any(|part| part == "..") && !name.starts_with('/');
        let path = once.out.join(name);
        let text = inside.then(|| fs::read_to_string(&path).ok()).flatten();
        text.ok_or_else(|| format!("the steps left no {name} that is text"))
    };
    let metrics = match &pipeline.result.metrics {
        None => BTreeMap::new(),
        Some(name) => metrics_of(&read(name)?).map_err(|why| format!("{name}: {why}"))?,
    };
    let predictions = pipeline.result.predictions.as_ref().map(read).transpose()?;
    if let Some(text) = &predictions {
        let name = pipeline.result.predictions.as_deref().unwrap_or_default();
        // What was said before may be missing: it is given when the gate is asked.
        let after = Predictions::after(name, text);
        read_predictions(after, after).map_err(|error| error.to_string())?;
    }
    Ok((metrics, predictions))
}

/// Copies inputs where steps may only read them.
fn lay_inputs(
    pipeline: &Pipeline,
    beside: &Path,
    work: &Path,
    hidden: &[PathBuf],
) -> Result<Vec<RunFile>, WorkError> {
    let mut inputs = Vec::new();
    for input in &pipeline.inputs {
        let from = beside.join(&input.path);
        if !may_be_copied(&from, beside, hidden) {
            return Err(RetrainError::Wrong(format!(
                "the input `{}` is what no run may read",
                input.path
            ))
            .into());
        }
        let file = file_of(&from, &input.path)?;
        if input.sha256.as_ref().is_some_and(|pinned| *pinned != file.sha256) {
            let pinned = input.sha256.clone().unwrap_or_default();
            return Err(RetrainError::Wrong(format!(
                "{} is not the input that the pipeline names: its sha256 is {}, and was {pinned}",
                from.display(),
                file.sha256
            ))
            .into());
        }
        let to = work.join(&input.path);
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(failed(parent))?;
        }
        fs::copy(&from, &to).map_err(failed(&from))?;
        let mut rights = fs::metadata(&to).map_err(failed(&to))?.permissions();
        rights.set_readonly(true);
        fs::set_permissions(&to, rights).map_err(failed(&to))?;
        inputs.push(file);
    }
    Ok(inputs)
}

/// Inputs that are not what they were when the run began.
fn changed_inputs(inputs: &[RunFile], beside: &Path) -> Vec<String> {
    let changed = |input: &&RunFile| {
        file_of(&beside.join(&input.path), &input.path).map_or(true, |now| now != **input)
    };
    inputs.iter().filter(changed).map(|input| input.path.clone()).collect()
}

/// What steps are told: nothing of the machine but where programs are.
fn environment(layout: &Layout, at: Moment) -> BTreeMap<String, String> {
    let text = |path: PathBuf| path.display().to_string();
    BTreeMap::from([
        (
            "PATH".to_owned(),
            passed("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned()),
        ),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
        ("TZ".to_owned(), "UTC".to_owned()),
        ("PYTHONHASHSEED".to_owned(), "0".to_owned()),
        ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()),
        ("SOURCE_DATE_EPOCH".to_owned(), (at.0 / 1_000).to_string()),
        ("HOME".to_owned(), text(layout.scratch.join("home"))),
        ("TMPDIR".to_owned(), text(layout.scratch.join("tmp"))),
    ])
}

/// What a step alone is told.
fn of_step(step: &Step) -> BTreeMap<String, String> {
    let passed = step.pass.iter().filter_map(|name| Some((name.clone(), passed(name)?)));
    let mut told: BTreeMap<String, String> = passed.collect();
    told.extend(step.env.clone());
    told
}

/// What all steps are told, and each by itself: the step (none: all), a name and its value.
fn told_to_steps(
    pipeline: &Pipeline,
    environment: &BTreeMap<String, String>,
) -> Vec<(String, String, String)> {
    let all = environment.iter().map(|(name, value)| (String::new(), name.clone(), value.clone()));
    let own = pipeline.step.iter().flat_map(|step| {
        of_step(step).into_iter().map(|(name, value)| (step.name.clone(), name, value))
    });
    all.chain(own).collect()
}

/// A hash of what steps are told, without the places that are new each time.
fn environment_hash(told: &[(String, String, String)]) -> Hash {
    let told = told.iter().filter(|(_, name, _)| !["HOME", "TMPDIR"].contains(&name.as_str()));
    let line = |(step, name, value): &(String, String, String)| match step.as_str() {
        "" => format!("{name}={value}\n"),
        _ => format!("{step}: {name}={value}\n"),
    };
    Hash::of(told.map(line).collect::<String>().as_bytes())
}

/// Where the code of a pipeline stands, if git knows.
fn code_of(beside: &Path) -> Option<RunCode> {
    let here = if beside.as_os_str().is_empty() { Path::new(".") } else { beside };
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(here).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let dirty = git(&["status", "--porcelain", "--", "."]).is_none_or(|text| !text.is_empty());
    Some(RunCode { commit, dirty })
}

/// A lock that the system lets go of when the process ends, however it does; none while another has
/// it.
fn lock(path: &Path) -> Result<Option<File>, WorkError> {
    let file = File::create(path).map_err(failed(path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(failed(path)(error)),
    }
}
