//! What somebody who came over SSH asks for: words that no shell reads, one of the commands that there
//! are, and nothing that names a file of this machine or somebody else.

use std::any::TypeId;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches as _};

use super::{Cli, CliError, Command, Next, audit, help, protocol};
use crate::domain::door::words;
use crate::domain::roster::Role;
use crate::workspace::{STANDARD_INPUT, Workspace};

/// What can be done over SSH, besides the review itself.
pub const ALLOWED: &[&str] = &[
    "queue",
    "show",
    "search",
    "labels",
    "label",
    "comment",
    "defer",
    "escalate",
    "undo",
    "redo",
    "status",
    "reliability",
    "precedents",
    "protocol",
    "export",
    "audit",
    "attachment",
    "train",
    "appeal",
    "vouch",
    "countersign",
    "profile",
    "help",
];
/// What is said by another name.
const ALIASES: &[&str] = &["steady"];
/// Options that say whose work it is, and where: both are settled. The past is made anew in a file
/// outside of the workspace, which a session can't reach.
const SETTLED: &[&str] = &["workspace", "actor", "at"];
/// Arguments that read a file as text, and standard input in its place.
const INPUTS: &[&str] = &["file", "reviewers", "prompt"];
/// The words that a client sent to be done, if it did.
pub fn asked(line: &std::ffi::OsStr) -> Result<Vec<String>, String> {
    let text = line.to_str().ok_or("what was sent is no UTF-8")?;
    words(text).map_err(|error| format!("what was sent can't be read: {error}"))
}

/// The command that words say; or what is told instead of it.
pub fn parse(words: &[String]) -> Result<Result<Cli, Next>, CliError> {
    let there = || format!("over SSH there are {}", ALLOWED.join(", "));
    let refused =
        |name: &str| Err(CliError::Use(format!("`{name}` is not done over SSH: {}", there())));
    let argv = std::iter::once("casework").chain(words.iter().map(String::as_str));
    let matches = match of_session().try_get_matches_from(argv) {
        Ok(matches) => matches,
        Err(told) => {
            let name = words.iter().find(|word| !word.starts_with('-'));
            if let Some(name) = name.filter(|name| !is_allowed(name)) {
                return refused(name);
            }
            // Help is told like this, too.
            let _ = told.print();
            let code = u8::try_from(told.exit_code()).unwrap_or(2);
            return Ok(Err(Next::Exit(code.into())));
        }
    };
    if let Some(name) = matches.subcommand_name().filter(|name| !is_allowed(name)) {
        return refused(name);
    }
    if let Some(option) = forbidden(&help::command(), &matches) {
        return Err(CliError::Use(format!(
            "{option} is not taken over SSH: who you are your key said, and files are yours, not this machine's"
        )));
    }
    let cli = Cli::from_arg_matches(&matches).map_err(|error| CliError::Use(error.to_string()))?;
    if cli.command.is_none() && !cli.global.linear {
        return Err(CliError::Use(format!("what is to be done is not said: {}", there())));
    }
    Ok(Ok(cli))
}

/// The command line as a session has it: what is settled, or not done, is not spoken of.
fn of_session() -> clap::Command {
    help::command_of(is_allowed).mut_args(|arg| {
        let settled = SETTLED.contains(&arg.get_id().as_str());
        arg.hide(settled)
    })
}

fn is_allowed(name: &str) -> bool {
    ALLOWED.contains(&name) || ALIASES.contains(&name)
}

/// An argument that was given and has no place: it names a file or a directory, a person or a
/// workspace.
fn forbidden(command: &clap::Command, matches: &ArgMatches) -> Option<String> {
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let given = matches!(matches.try_contains_id(id), Ok(true))
            && matches.value_source(id) == Some(ValueSource::CommandLine);
        if given && (SETTLED.contains(&id) || names_a_file(arg)) && !is_theirs(arg, matches) {
            return Some(
                arg.get_long().map_or_else(|| id.to_uppercase(), |long| format!("--{long}")),
            );
        }
    }
    let (name, matches) = matches.subcommand()?;
    match command.find_subcommand(name) {
        Some(command) => forbidden(command, matches),
        None => Some(name.to_owned()),
    }
}

/// Whether what would be a file is none of this machine: standard input, or the name of something that
/// lies in the workspace.
fn is_theirs(arg: &clap::Arg, matches: &ArgMatches) -> bool {
    let id = arg.get_id().as_str();
    let raw = matches.try_get_raw(id).ok().flatten();
    let is_input = raw.is_some_and(|mut raw| raw.all(|value| value == STANDARD_INPUT));
    let called = arg.get_value_names().unwrap_or_default();
    INPUTS.contains(&id) && is_input
        || called.iter().any(|name| name.as_str() == protocol::PUBLISHED)
}

/// Whether an argument is a file, by its type or by what its value is called.
pub fn names_a_file(arg: &clap::Arg) -> bool {
    const CALLED: [&str; 5] = ["FILE", "DIR", "PATH", "DIRECTORY", "URL"];
    let called = arg.get_value_names().unwrap_or_default();
    arg.get_value_parser().type_id() == TypeId::of::<PathBuf>()
        || called.iter().any(|name| CALLED.contains(&name.as_str()))
}

/// What goes out as a whole is for those who lead, train models or check: a journal says what others
/// said, whoever may not see that yet.
pub(super) fn may_be_done(workspace: &Workspace, command: &Command) -> Result<(), CliError> {
    // Versions have numbers; what has another name would be a file of this machine.
    let named: Vec<&String> = match command {
        Command::Protocol(args) => match &args.what {
            protocol::What::Diff { old, new, .. } => std::iter::once(old).chain(new).collect(),
            protocol::What::Replay { version, .. } => vec![version],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    if let Some(name) = named.into_iter().find(|name| protocol::number(name).is_none()) {
        return Err(CliError::Use(format!(
            "`{name}` is no number of a version, which is all there is over SSH"
        )));
    }
    const WHO: [Role; 3] = [Role::Lead, Role::Engineer, Role::Auditor];
    if !matches!(command, Command::Export(_) | Command::Audit(_)) {
        return Ok(());
    }
    let mut theirs = workspace.roster_now()?.into_iter().filter(|grant| grant.name == workspace.me);
    if !theirs.any(|grant| WHO.contains(&grant.role)) {
        return Err(CliError::Use(
            "over SSH `export` and `audit` are for leads, engineers and auditors".to_owned(),
        ));
    }
    // An export leaves out what is kept from whoever reviews; a journal is whole or none.
    let is_journal =
        matches!(command, Command::Audit(args) if matches!(args.what, audit::What::Export { .. }));
    if is_journal && !workspace.exports_everything()? {
        return Err(CliError::Use(
            "the journal says what others said of cases that wait for your label: over SSH it is for whoever reviews nothing".to_owned(),
        ));
    }
    Ok(())
}
