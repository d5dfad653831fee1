//! The command line: one file for each command. Everything a screen does, a command does too.
//!
//! Data goes to standard output, `--json` makes it one document or JSON lines; messages and
//! progress go to standard error. `error.rs` is the one place that turns errors into words, hints
//! and exit codes.

mod agreement;
mod arbitrate;
mod archive;
pub mod asked;
mod audit;
mod attachment;
mod backup;
mod calibrate;
mod note;
mod completions;
mod consensus;
mod demo;
mod disagreements;
mod doctor;
mod erase;
mod error;
mod export;
mod glossary;
mod help;
mod gold;
mod import;
mod ingest;
mod follow;
mod init;
mod join;
mod label;
mod labels;
mod metrics;
mod cut;
mod run;
mod gate;
mod deploy;
mod outcome;
mod outcomes;
mod profile;
mod proposals;
mod trace;
mod catalog;
mod formats;
mod changelog;
mod nudge;
mod out;
mod paths;
mod plugin;
mod policy;
mod conflicts;
mod precedents;
mod protocol;
mod queue;
mod read_back;
mod reading;
mod reference;
mod report;
mod roster;
mod serve;
pub mod served;
mod rulings;
mod search;
mod show;
mod signals;
mod sla;
mod status;
mod suspects;
mod reliability;
mod sync;
pub mod train;
mod vouch;
mod trap;
mod traps;
mod undo;
mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, FromArgMatches as _, Parser, Subcommand};

use crate::clock;
use crate::config::{Env, Paths};
use crate::domain::time::{Moment, parse_span, show_times_in};
use crate::journal::kind::Visit;
use crate::workspace::vouched::Signed;
use crate::workspace::{WorkError, Workspace};

pub use error::{CliError, Exit};
pub use help::GROUPS;
pub use out::Out;
use signals::stopped_by_signals;

/// Label the edge cases of a model in production, and trace every label to its reasons.
#[derive(Debug, Parser)]
#[command(name = "casework", version, about, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The workspace's directory, instead of the default one or CASEWORK_WORKSPACE
    #[arg(long, global = true, value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Who is at work, instead of the owner of this device
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub actor: Option<String>,
    /// Read the workspace as it stood at a time: 2026-06-03 (the end of that day), 2026-06-03 12:00,
    /// 2026-06-03T12:00:00+02:00, or 3d ago
    #[arg(long, global = true, value_name = "TIME", value_parser = time)]
    pub at: Option<TimeArg>,
    /// Review line by line, without a screen: for screen readers, slow lines and scripts
    #[arg(long, global = true)]
    pub linear: bool,
    /// Show times in UTC, instead of in the zone of TZ or of this machine
    #[arg(long, global = true)]
    pub utc: bool,
    /// Print JSON: one document, or a line for each item of a list
    #[arg(long, global = true)]
    pub json: bool,
}

/// A time that was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimeArg {
    At(Moment),
    /// Milliseconds before now.
    Ago(i64),
    /// What `--at` means where texts are compared: no time, but how much they overlap.
    Overlap(f64),
    /// What it means where files are read: what stands for a time that is missing; none: when the
    /// file was changed.
    Missing(Option<Moment>),
}

impl TimeArg {
    /// The moment that is meant, `now` being now.
    fn moment(self, now: Moment) -> Result<Moment, CliError> {
        match self {
            Self::At(at) => Ok(at),
            Self::Ago(ms) => Ok(Moment(now.0.saturating_sub(ms))),
            Self::Overlap(_) | Self::Missing(_) => {
                Err(CliError::Use("--at takes a time here".to_owned()))
            }
        }
    }
}

fn overlap(text: &str) -> Result<TimeArg, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share
        .map(TimeArg::Overlap)
        .ok_or_else(|| "an overlap is above 0 and at most 1, as 0.8".to_owned())
}

fn missing_time(text: &str) -> Result<TimeArg, String> {
    if text == "file" {
        return Ok(TimeArg::Missing(None));
    }
    let at = Moment::parse_local(text).map(|at| TimeArg::Missing(Some(at)));
    at.ok_or_else(|| "write a time, as 2026-06-03 12:00, or `file`".to_owned())
}

fn time(text: &str) -> Result<TimeArg, String> {
    if let Some(at) = Moment::parse_local(text) {
        return Ok(TimeArg::At(at));
    }
    let ago = text.strip_suffix("ago").unwrap_or(text).trim();
    parse_span(ago).map(TimeArg::Ago).ok_or_else(|| {
        "write 2026-06-03 (its end), 2026-06-03 12:00, with +02:00 or Z where it is not in your zone, or 90m, 12h, 3d, 2w for that long ago".to_owned()
    })
}

/// From when on: a day begins where it begins.
fn since(text: &str) -> Result<TimeArg, String> {
    let begun = Moment::parse_local(&format!("{} 00:00", text.trim()));
    begun
        .map(TimeArg::At)
        .map_or_else(|| time(text), Ok)
        .map_err(|error| error.replace("its end", "its begin"))
}

/// A command that is one of several, as `roster admit`.
#[derive(Debug, Args)]
pub struct OneOf<What: Subcommand> {
    #[command(subcommand)]
    pub what: What,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a workspace
    Init(init::Args),
    /// Ask to join a workspace that others share
    Join(join::Args),
    /// Exchange with the shared store
    Sync(sync::Args),
    /// Try casework on an invented model: makes a workspace and opens it
    Demo(demo::Args),
    /// Read predictions and open cases
    Ingest(Box<ingest::Args>),
    /// Check, publish and try detection rules; find changes in any column
    Trap(OneOf<trap::What>),
    /// Set what a stream is like when it is as it should be
    Reference(OneOf<reference::What>),
    /// Programs of your own: detectors, labelers, validators
    Plugin(OneOf<plugin::What>),
    /// Say what each detection rule flagged, and how often the model was wrong there
    Traps(traps::Args),
    /// List labels that the model's own probabilities make doubtful
    Suspects(suspects::Args),
    /// Print figures of the work and of the stream for Prometheus
    Metrics(metrics::Args),
    /// List the cases that are yours to label
    Queue(queue::Args),
    /// Show a case with its context and history
    Show(show::Args),
    /// Find cases by words of their text
    Search(search::Args),
    /// Label a case
    Label(label::Args),
    /// List the labels that count
    Labels(labels::Args),
    /// Take in labels that were given elsewhere
    Import(OneOf<import::What>),
    /// Write labels or resolved cases to a file
    Export(export::Args),
    /// Undo the last thing you did: a label, a ruling, a comment, a deferral, an escalation
    Undo(undo::Args),
    /// Do again what you undid last
    Redo(undo::Args),
    /// Say something about a case
    Comment(note::CommentArgs),
    /// Defer a case
    Defer(note::About),
    /// Ask a lead to look at a case
    Escalate(note::About),
    /// Check, show and publish protocols
    Protocol(OneOf<protocol::What>),
    /// Check, show and publish the glossary
    Glossary(OneOf<glossary::What>),
    /// Go through gold items, with feedback after each
    Train(train::Args),
    /// Set and list gold items: cases whose right answer is known
    Gold(OneOf<gold::What>),
    /// Show resolved cases like one
    Precedents(precedents::Args),
    /// List settled cases with the same input that count as something else
    Conflicts(conflicts::Args),
    /// Measure how well reviewers agree, here or in a file
    Agreement(agreement::Args),
    /// Show where annotators disagree, and the question at which their paths diverge
    Disagreements(disagreements::Args),
    /// Adjudicate disputed cases: labels side by side, and a ruling
    Arbitrate(arbitrate::Args),
    /// List rulings, where you were overruled, and where protocols must change
    Rulings(rulings::Args),
    /// Ask to have a ruling looked at again that overruled you
    Appeal(note::About),
    /// Cut a training set from labels, that anybody can make again
    Cut(cut::Args),
    /// Retrain, or record a training: what went in, what came out
    Run(run::Args),
    /// Ask whether a retrained model fixed what it should, and broke nothing
    Gate(gate::Args),
    /// Record which model answers where
    Deploy(OneOf<deploy::What>),
    /// Take in what turned out to be right
    Outcome(OneOf<outcome::What>),
    /// Show how good the model turned out to be
    Outcomes(outcomes::Args),
    /// Show what led to something and what came of it, from detection to the deployed fix
    Trace(trace::Args),
    /// Write why and how each retraining happened
    Changelog(changelog::Args),
    /// Find what was labeled and learned from, here and in other workspaces
    Catalog(catalog::Args),
    /// List the formats that are read and written, and what has no place in them
    Formats(formats::Args),
    /// List cuts that triggers propose
    Proposals(proposals::Args),
    /// Label the same cases blind, talk about them, label again
    Calibrate(calibrate::Args),
    /// Estimate the true label of each case (label aggregation), and how reliable each annotator is
    Consensus(consensus::Args),
    /// Write where labels differ and how the work stands as one HTML page
    Report(report::Args),
    /// Show how reliable you are: self-consistency, accuracy on gold items, agreement
    #[command(alias = "steady")]
    Reliability(reliability::Args),
    /// List what is due, for whom, and what is overdue
    Sla(sla::Args),
    /// Notify people of what is due, once
    Nudge(nudge::Args),
    /// Show and change how the team works
    Policy(OneOf<policy::What>),
    /// Show who may do what, admit people, retire them, change keys
    Roster(OneOf<roster::What>),
    /// Show and change how linear mode goes for you
    Profile(profile::Args),
    /// Let reviewers in over SSH, with nothing installed on their side
    Serve(serve::Args),
    /// Have your SSH key say that this workspace writes for you
    Vouch(vouch::Args),
    /// Have your SSH key hold this workspace to what it wrote for you
    Countersign(vouch::Args),
    /// Forget what a case shows of somebody, here and in the store
    Erase(erase::Args),
    /// Write a bundle that outsiders check with stock tools
    Audit(OneOf<audit::What>),
    /// Copy the workspace while it is in use
    Backup(backup::Args),
    /// List what a case brings besides words, or write one of it to a file
    Attachment(attachment::Args),
    /// Check that nothing in the journal was altered
    Verify(verify::Args),
    /// Say how the workspace stands
    Status(status::Args),
    /// Print where things are
    Paths(paths::Args),
    /// Look for what may trouble casework here
    Doctor(doctor::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Write man pages
    Man(help::ManArgs),
    /// Read the manual by topic, or what a command takes
    Help(help::Args),
}

impl Command {
    /// What it is called, for the log.
    fn name(&self) -> &'static str {
        match self {
            Self::Init(_) => "init",
            Self::Join(_) => "join",
            Self::Sync(_) => "sync",
            Self::Demo(_) => "demo",
            Self::Ingest(_) => "ingest",
            Self::Trap(_) => "trap",
            Self::Reference(_) => "reference",
            Self::Plugin(_) => "plugin",
            Self::Traps(_) => "traps",
            Self::Suspects(_) => "suspects",
            Self::Metrics(_) => "metrics",
            Self::Cut(_) => "cut",
            Self::Run(_) => "run",
            Self::Gate(_) => "gate",
            Self::Deploy(_) => "deploy",
            Self::Outcome(_) => "outcome",
            Self::Outcomes(_) => "outcomes",
            Self::Proposals(_) => "proposals",
            Self::Trace(_) => "trace",
            Self::Changelog(_) => "changelog",
            Self::Catalog(_) => "catalog",
            Self::Formats(_) => "formats",
            Self::Queue(_) => "queue",
            Self::Show(_) => "show",
            Self::Search(_) => "search",
            Self::Label(_) => "label",
            Self::Labels(_) => "labels",
            Self::Import(_) => "import",
            Self::Export(_) => "export",
            Self::Undo(_) => "undo",
            Self::Redo(_) => "redo",
            Self::Comment(_) => "comment",
            Self::Defer(_) => "defer",
            Self::Escalate(_) => "escalate",
            Self::Protocol(_) => "protocol",
            Self::Glossary(_) => "glossary",
            Self::Train(_) => "train",
            Self::Gold(_) => "gold",
            Self::Precedents(_) => "precedents",
            Self::Conflicts(_) => "conflicts",
            Self::Agreement(_) => "agreement",
            Self::Disagreements(_) => "disagreements",
            Self::Arbitrate(_) => "arbitrate",
            Self::Rulings(_) => "rulings",
            Self::Appeal(_) => "appeal",
            Self::Calibrate(_) => "calibrate",
            Self::Consensus(_) => "consensus",
            Self::Report(_) => "report",
            Self::Reliability(_) => "reliability",
            Self::Sla(_) => "sla",
            Self::Nudge(_) => "nudge",
            Self::Policy(_) => "policy",
            Self::Profile(_) => "profile",
            Self::Roster(_) => "roster",
            Self::Serve(_) => "serve",
            Self::Vouch(_) => "vouch",
            Self::Countersign(_) => "countersign",
            Self::Erase(_) => "erase",
            Self::Audit(_) => "audit",
            Self::Backup(_) => "backup",
            Self::Attachment(_) => "attachment",
            Self::Verify(_) => "verify",
            Self::Status(_) => "status",
            Self::Paths(_) => "paths",
            Self::Doctor(_) => "doctor",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Help(_) => "help",
        }
    }
}

/// What `main` does after the command line was carried out.
pub enum Next {
    Exit(ExitCode),
    /// Review: on the screen, or line by line if there is a reason to, for a program or a person.
    Review {
        workspace: Box<Workspace>,
        linear: Option<&'static str>,
        json: bool,
    },
    /// Go through a training.
    Train(Box<train::Train>),
    /// Make the journey of the demo without a terminal.
    Journey(Box<Workspace>),
}

/// Reads the command line; ends the program where it asks for help or can't be read.
pub fn parse() -> Cli {
    // Times in the command line are read in the zone in which they are shown.
    if !std::env::args_os().any(|arg| arg == "--utc") {
        show_times_in(clock::local_offset);
    }
    Cli::from_arg_matches(&help::command().get_matches()).unwrap_or_else(|error| error.exit())
}

/// The names of all commands.
pub fn names() -> Vec<String> {
    help::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// All commands as Markdown, as the manual has them.
pub fn commands_markdown() -> String {
    help::markdown()
}

/// What the review screen does at a letter, with keys that are configured: in the case and in the
/// guide, where it answers a question if it does nothing.
pub type TakenLetter = fn(&BTreeMap<String, String>, char) -> [Option<&'static str>; 2];

/// Carries out the command line; `taken` is asked of the review screen's keys.
pub fn run(cli: Cli, env: Env, taken: TakenLetter) -> Next {
    if let Some(path) = &env.log
        && let Err(error) = crate::log::start(path)
    {
        let words = format!("CASEWORK_LOG names {}: {error}", path.display());
        return Next::Exit(error::exit_code(Err(CliError::Use(words))));
    }
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(
        version,
        command = cli.command.as_ref().map_or("review", Command::name),
        "begins"
    );
    let mut context = Context { global: cli.global, env, taken, served: None, signed: None };
    carry_out(cli.command, &mut context)
}

/// Carries out a command; none is the review.
fn carry_out(command: Option<Command>, context: &mut Context) -> Next {
    if let Some(Command::Serve(args)) = command {
        return serve::run(context, args);
    }
    let context = &*context;
    let result = match command {
        None => return review(context),
        Some(Command::Demo(args)) => match demo::run(context, &args) {
            Ok(demo) if demo.headless => return Next::Journey(Box::new(demo.workspace)),
            Ok(demo) => return opened(context, demo.workspace),
            Err(error) => Err(error),
        },
        Some(Command::Init(args)) => init::run(context, &args),
        Some(Command::Join(args)) => join::run(context, &args),
        Some(Command::Sync(args)) => sync::run(context, &args),
        Some(Command::Erase(args)) => erase::run(context, &args),
        Some(Command::Audit(args)) => audit::run(context, &args.what),
        Some(Command::Backup(args)) => backup::run(context, &args),
        Some(Command::Attachment(args)) => attachment::run(context, &args),
        Some(Command::Ingest(args)) => ingest::run(context, &args),
        Some(Command::Trap(args)) => trap::run(context, &args.what),
        Some(Command::Plugin(args)) => plugin::run(context, &args.what),
        Some(Command::Reference(args)) => reference::run(context, &args.what),
        Some(Command::Traps(args)) => traps::run(context, &args),
        Some(Command::Suspects(args)) => suspects::run(context, &args),
        Some(Command::Metrics(args)) => metrics::run(context, &args),
        Some(Command::Cut(args)) => cut::run(context, &args),
        Some(Command::Run(args)) => run::run(context, &args),
        Some(Command::Gate(args)) => gate::run(context, &args),
        Some(Command::Deploy(args)) => deploy::run(context, &args.what),
        Some(Command::Outcome(args)) => outcome::run(context, &args.what),
        Some(Command::Outcomes(args)) => outcomes::run(context, &args),
        Some(Command::Changelog(args)) => changelog::run(context, &args),
        Some(Command::Catalog(args)) => catalog::run(context, &args),
        Some(Command::Formats(args)) => formats::run(context, &args),
        Some(Command::Trace(args)) => trace::run(context, &args),
        Some(Command::Proposals(args)) => proposals::run(context, &args),
        Some(Command::Queue(args)) => queue::run(context, &args),
        Some(Command::Show(args)) => show::run(context, &args),
        Some(Command::Search(args)) => search::run(context, &args),
        Some(Command::Label(args)) => label::run(context, &args),
        Some(Command::Labels(args)) => labels::run(context, &args),
        Some(Command::Import(args)) => import::run(context, &args.what),
        Some(Command::Export(args)) => export::run(context, &args),
        Some(Command::Undo(args)) => undo::undo(context, &args),
        Some(Command::Redo(args)) => undo::redo(context, &args),
        Some(Command::Comment(args)) => note::comment(context, &args),
        Some(Command::Defer(args)) => note::defer(context, &args),
        Some(Command::Escalate(args)) => note::escalate(context, &args),
        Some(Command::Protocol(args)) => protocol::run(context, &args.what),
        Some(Command::Glossary(args)) => glossary::run(context, &args.what),
        Some(Command::Train(args)) => match train::run(context, &args) {
            Ok(train) => return Next::Train(Box::new(train)),
            Err(error) => Err(error),
        },
        Some(Command::Gold(args)) => gold::run(context, &args.what),
        Some(Command::Precedents(args)) => precedents::run(context, &args),
        Some(Command::Conflicts(args)) => conflicts::run(context, &args),
        Some(Command::Agreement(args)) => agreement::run(context, &args),
        Some(Command::Disagreements(args)) => disagreements::run(context, &args),
        Some(Command::Arbitrate(args)) => arbitrate::run(context, &args),
        Some(Command::Rulings(args)) => rulings::run(context, &args),
        Some(Command::Calibrate(args)) => match calibrate::run(context, &args) {
            Ok(Err(workspace)) => return opened(context, *workspace),
            Ok(Ok(exit)) => Ok(exit),
            Err(error) => Err(error),
        },
        Some(Command::Appeal(args)) => note::appeal(context, &args),
        Some(Command::Consensus(args)) => consensus::run(context, &args),
        Some(Command::Report(args)) => report::run(context, &args),
        Some(Command::Reliability(args)) => reliability::run(context, &args),
        Some(Command::Sla(args)) => sla::run(context, &args),
        Some(Command::Nudge(args)) => nudge::run(context, &args),
        Some(Command::Policy(args)) => policy::run(context, &args.what),
        Some(Command::Profile(args)) => profile::run(context, &args),
        Some(Command::Serve(_)) => Ok(Exit::Done), // done above
        Some(Command::Vouch(args)) => vouch::vouch(context, &args),
        Some(Command::Countersign(args)) => vouch::countersign(context, &args),
        Some(Command::Roster(args)) => roster::run(context, &args.what),
        Some(Command::Verify(args)) => verify::run(context, &args),
        Some(Command::Status(args)) => status::run(context, &args),
        Some(Command::Paths(args)) => paths::run(context, &args),
        Some(Command::Doctor(args)) => doctor::run(context, &args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Man(args)) => help::man(&args),
        Some(Command::Help(args)) => help::run(&args),
    };
    Next::Exit(error::exit_code(context.explained(result)))
}

/// Makes the journey of the demo; `label` labels a case of it line by line.
pub fn journey(
    workspace: &mut Workspace,
    label: impl FnOnce(Workspace, &str) -> Result<(), CliError>,
) -> ExitCode {
    error::exit_code(demo::journey(workspace, label))
}

/// Says why the screen can't be shown.
pub fn refuse(error: &dyn std::error::Error) -> ExitCode {
    error::exit_code(Err(CliError::Use(error.to_string())))
}

fn review(context: &Context) -> Next {
    match context.open() {
        Ok(workspace) => opened(context, workspace),
        Err(error) => Next::Exit(error::exit_code(context.explained(Err(error)))),
    }
}

fn opened(context: &Context, workspace: Workspace) -> Next {
    let Global { linear, json, .. } = context.global;
    let linear = match workspace.linear_wanted() {
        Ok(wanted) => context.env.linear_because(linear, wanted),
        Err(error) => return Next::Exit(error::exit_code(Err(error.into()))),
    };
    if json && linear.is_none() {
        let words = "--json is of commands, and of --linear: the screen prints no JSON";
        return Next::Exit(error::exit_code(Err(CliError::Use(words.to_owned()))));
    }
    Next::Review { workspace: Box::new(workspace), linear, json }
}

/// What every command is given.
pub struct Context {
    pub global: Global,
    pub env: Env,
    pub taken: TakenLetter,
    /// How whoever is at work came in, where the workspace is served to them.
    pub served: Option<Visit>,
    /// What they signed and sent, checked before the session was held back.
    pub signed: Option<Signed>,
}

impl Context {
    /// A workspace as whoever is at work holds it.
    fn held(&self, mut workspace: Workspace) -> Result<Workspace, CliError> {
        if let Some(visit) = &self.served {
            workspace.serve(visit.clone())?;
        }
        Ok(workspace)
    }

    /// An error as it is to be told: a full disk by its name.
    fn explained(&self, result: Result<Exit, CliError>) -> Result<Exit, CliError> {
        result.map_err(|error| match (error, self.paths()) {
            (CliError::Work(error), Ok(paths)) => error.unless_full(&paths.workspace).into(),
            (error, _) => error,
        })
    }

    pub fn paths(&self) -> Result<Paths, CliError> {
        Ok(Paths::find(self.global.workspace.as_deref(), &self.env).map_err(WorkError::from)?)
    }

    /// The workspace, to be read: now, or as it stood at the time that was asked for.
    pub fn read(&self) -> Result<Workspace, CliError> {
        let at = match self.global.at {
            None => return self.open(),
            Some(at) => at.moment(clock::now())?,
        };
        if at > clock::now() {
            return Err(CliError::Use(format!(
                "--at looks at the past, and {} lies in the future",
                at.minute()
            )));
        }
        let (paths, env) = (self.paths()?, self.env.clone());
        self.held(Workspace::open_at(paths, env, self.global.actor.as_deref(), at)?)
    }

    /// The workspace as it is, at a time that is so far ahead: what will be due by then.
    pub fn read_ahead(&self, ahead: Option<&str>) -> Result<Workspace, CliError> {
        let Some(text) = ahead else { return self.read() };
        let ms = parse_span(text).filter(|ms| *ms > 0).ok_or_else(|| {
            CliError::Use(format!("--ahead takes 90m, 12h, 3d or 2w, not `{text}`"))
        })?;
        let mut workspace = self.open()?;
        workspace.look_ahead(ms);
        Ok(workspace)
    }

    /// The workspace of today, also where another command of the same looks at the past.
    pub fn open_now(&self) -> Result<Workspace, CliError> {
        let (paths, env) = (self.paths()?, self.env.clone());
        self.held(Workspace::open(paths, env, self.global.actor.as_deref())?)
    }

    pub fn open(&self) -> Result<Workspace, CliError> {
        if self.global.at.is_some_and(|at| !matches!(at, TimeArg::Missing(_))) {
            return Err(CliError::Use(
                "--at looks at the past, which this command would change: leave it out".to_owned(),
            ));
        }
        let workspace = self.open_now()?;
        // What is written now would be dated after an entry whose clock was ahead.
        for words in workspace.clock_words()? {
            out::say(&format!("Careful: {words}."));
        }
        Ok(workspace)
    }
}
