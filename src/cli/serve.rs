//! `casework serve`: lets reviewers in over SSH; who is in, and what the log says.

use std::fs;
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::archive;
use super::out::{Out, done, say};
use super::served::authorities;
use super::{CliError, Context, Exit, Next, served, stopped_by_signals};
use crate::domain::ssh_key::SshKey;
use crate::serve::place::Place;
use crate::serve::sshd::{Desk, Sshd, check_path};
use crate::serve::supervisor::{Supervisor, forget_host_key, host_key};
use crate::serve::{ServeError, command_of, live, principals};
use crate::session::io::syncer::Syncer;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Where to listen, instead of where config.toml says; may be given several times
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<String>,
    /// Print a piece for the system's own sshd, or a unit for systemd, and write nothing
    #[arg(long, value_name = "WHAT", value_parser = ["sshd", "systemd"])]
    print: Option<String>,
    /// Make another host key: everybody who came before is warned by their ssh
    #[arg(long)]
    new_host_key: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// List who is in: with which key, from where, since when, what for
    Who,
    /// Have somebody leave: what they began is kept
    Kick { name: String },
    /// Show who came in lately, and who was turned away
    Log {
        /// So many lines
        #[arg(long, default_value_t = 40, value_name = "N")]
        limit: usize,
    },
    /// Print the line for a key, for sshd to ask
    #[command(hide = true)]
    Keys { user: String, kind: String, key: String },
    /// Print whom certificates may be for, for sshd to ask
    #[command(hide = true)]
    Principals { user: String },
    /// Serve one person, for sshd to run
    #[command(hide = true)]
    Session { name: String, fingerprint: String },
}

impl From<ServeError> for CliError {
    fn from(error: ServeError) -> Self {
        Self::Use(error.to_string())
    }
}

pub fn run(context: &mut Context, args: Args) -> Next {
    let result = match args.what {
        Some(What::Session { name, fingerprint }) => {
            return served::session(context, &name, &fingerprint);
        }
        Some(What::Keys { user, kind, key }) => {
            // On any trouble nobody is let in, and nobody is told why.
            let line = line_of(context, &user, &kind, &key).unwrap_or_default();
            let mut out = Out::new();
            let said = out.raw(&line).and_then(|()| out.finish());
            return Next::Exit(if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(What::Principals { user }) => {
            let lines = principals_for(context, &user).unwrap_or_default();
            let mut out = Out::new();
            let said = out.raw(&lines).and_then(|()| out.finish());
            return Next::Exit(if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Some(What::Who) => who(context),
        Some(What::Kick { name }) => kick(context, &name),
        Some(What::Log { limit }) => log(context, limit),
        None => serve(context, &args),
    };
    Next::Exit(super::error::exit_code(context.explained(result)))
}

/// The line of `authorized_keys` for a key that lets somebody in, else nothing.
fn line_of(context: &Context, user: &str, kind: &str, key: &str) -> Option<String> {
    let key = SshKey::of_line(&format!("{kind} {key}"))?;
    let workspace = context.open_now().ok()?;
    if user != context.env.account.as_deref()? {
        return None;
    }
    let door = workspace.door_of(&key.fingerprint()).ok()??;
    let program = std::env::current_exe().ok()?;
    let directory = workspace.paths.workspace.canonicalize().ok()?;
    let command = command_of(&door, &program, &directory);
    Some(door.line(&command, crate::clock::local_offset) + "\n")
}

/// The lines of all names that a certificate may be for, else nothing.
fn principals_for(context: &Context, user: &str) -> Option<String> {
    let workspace = context.open_now().ok()?;
    if user != context.env.account.as_deref()? || workspace.config.serve.trusted_user_ca.is_empty()
    {
        return None;
    }
    let program = std::env::current_exe().ok()?;
    let directory = workspace.paths.workspace.canonicalize().ok()?;
    Some(principals(&workspace.names_here().ok()?, &program, &directory))
}

fn serve(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let (listen, print) = (args.listen.as_slice(), args.print.as_deref());
    let workspace = context.open()?;
    let failed = |error: std::io::Error| CliError::Use(error.to_string());
    let program = std::env::current_exe().and_then(|path| path.canonicalize()).map_err(failed)?;
    let directory = workspace.paths.workspace.canonicalize().map_err(failed)?;
    check_path(&program)?;
    check_path(&directory)?;
    let sshd = Sshd::find(&crate::config::passed("PATH").unwrap_or_default())?;
    let account = context.env.account.clone().unwrap_or_else(|| "casework".to_owned());
    let options = &workspace.config.serve;
    let listen = if listen.is_empty() { &options.listen } else { listen };
    for address in listen {
        address.parse::<std::net::SocketAddr>().map_err(|_| {
            CliError::Use(format!(
                "`{address}` is no address with a port, as 127.0.0.1:2222 or [::]:2222"
            ))
        })?;
    }
    served::idle(options).map_err(CliError::Use)?;
    let place = Place::of(&directory);
    let store = workspace.store_directory()?;
    store.as_deref().map_or(Ok(()), check_path)?;
    let desk = Desk {
        place: &place,
        options,
        listen,
        program: &program,
        workspace: &directory,
        store: store.as_deref(),
        exchanges: workspace.store_url()?.is_some(),
        account: &account,
    };
    if let Some(what) = print {
        let text = if what == "sshd" { desk.drop_in() } else { desk.unit() };
        let mut out = Out::new();
        text.lines().try_for_each(|line| out.line(line))?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    if rustix::process::geteuid().is_root() {
        return Err(ServeError::Root.into());
    }
    Place::open(&directory)?;
    let _alone = place.alone()?;
    archive::sweep(&directory);
    let known = workspace.known_by()?.filter(|_| !args.new_host_key);
    if args.new_host_key {
        forget_host_key(&place)?;
    }
    let key = host_key(&place, known.as_deref())?;
    workspace.make_known(&key)?;
    let stop = stopped_by_signals()?;
    let doors = workspace.doors()?;
    if !options.trusted_user_ca.is_empty() {
        check_path(std::path::Path::new(&options.trusted_user_ca))?;
        if authorities(options)?.is_empty() {
            return Err(CliError::Use(format!(
                "config.toml: serve.trusted_user_ca: {} holds no public key",
                options.trusted_user_ca
            )));
        }
    }
    let mut supervisor = Supervisor::start(&desk, &sshd, &doors, &workspace.names_here()?)?;
    hello(context, &workspace, &desk, &key, doors.len())?;
    let syncer = Syncer::start(&workspace, Arc::new(|_| {}))?;
    let mut seen = workspace.data_version()?;
    let mut minute = crate::clock::instant();
    while !stop.load(Ordering::Relaxed) {
        if let Some(words) = supervisor.tick() {
            say(&words);
        }
        let now = workspace.data_version().unwrap_or(seen);
        // A door's time may be over without anything being written.
        if now != seen || minute.elapsed().as_secs() >= 60 {
            (seen, minute) = (now, crate::clock::instant());
            let mut told = || -> Result<(), CliError> {
                let (doors, names) = (workspace.doors()?, workspace.names_here()?);
                Ok(supervisor.doors(&doors, &names)?)
            };
            if let Err(error) = told() {
                say(&format!("The doors stay as they were: {error}"));
                seen = 0; // looked at again
            }
            syncer.iter().for_each(Syncer::soon);
        }
    }
    say("Nobody comes in any more; who is in has 10 seconds to leave.");
    supervisor.stop();
    Ok(Exit::Done)
}

/// How to come here, for whoever serves to pass on.
fn hello(
    context: &Context,
    workspace: &Workspace,
    desk: &Desk<'_>,
    key: &str,
    doors: usize,
) -> Result<(), CliError> {
    let fingerprint = SshKey::of_line(key).map(|key| key.fingerprint()).unwrap_or_default();
    if context.global.json {
        let mut out = Out::new();
        out.json(&json!({ "listen": desk.listen, "account": desk.account, "host_key": key,
            "fingerprint": fingerprint, "keys": doors }))?;
        out.finish()?;
        return Ok(());
    }
    let team = workspace.team()?;
    say(&format!("{team} is served at {}. Ctrl-C ends it.", desk.listen.join(", ")));
    say(&format!("Its key is {fingerprint}."));
    let first = desk.listen.first().cloned().unwrap_or_default();
    let (host, port) = first.rsplit_once(':').unwrap_or(("localhost", "2222"));
    say(&format!("For known_hosts:  [{}]:{port} {key}", host.trim_matches(['[', ']'])));
    say(&format!(
        "Reviewers come by `ssh -p {port} {}@HOST`, or with this in ~/.ssh/config by `ssh desk`:",
        desk.account
    ));
    for line in [
        "  Host desk".to_owned(),
        "    HostName HOST".to_owned(),
        format!("    Port {port}"),
        format!("    User {}", desk.account),
        "    Compression yes".to_owned(),
    ] {
        say(&line);
    }
    if doors == 0 {
        say("Nobody has a key yet: casework roster key add NAME FILE.pub lets somebody in.");
    }
    Ok(())
}

fn place(context: &Context) -> Result<Place, CliError> {
    let directory = context.open()?.paths.workspace.clone();
    Ok(Place::of(&directory.canonicalize().unwrap_or(directory)))
}

fn who(context: &Context) -> Result<Exit, CliError> {
    let now = crate::clock::now();
    let mut out = Out::new();
    let sessions = live::all(&place(context)?);
    for session in &sessions {
        let idle = session.idle(now);
        if context.global.json {
            out.json(&json!({ "name": session.name, "key": session.key, "client": session.client,
                "since": session.since.rfc3339(), "idle_ms": idle.map(|s| s * 1_000), "idle_s": idle, "command": session.command,
                "case": session.case.map(|(case, _)| case),
                "held_back_by": session.held, "process": session.process }))?;
            continue;
        }
        let what = if session.command.is_empty() { "the review" } else { &session.command };
        let idle = idle.map_or_else(String::new, |s| format!("  idle {} min", s / 60));
        let at = session.case.map_or_else(String::new, |(case, _)| format!(" at {}", case.short()));
        out.line(&format!(
            "{:<16} since {}  from {}  {what}{at}{idle}  {}",
            session.name,
            session.since.minute(),
            session.client,
            session.key
        ))?;
    }
    out.finish()?;
    if sessions.is_empty() {
        say("Nobody is in.");
    }
    Ok(Exit::Done)
}

fn kick(context: &Context, name: &str) -> Result<Exit, CliError> {
    let place = place(context)?;
    let all = live::all(&place);
    let theirs: Vec<_> = all.iter().filter(|session| session.name == name).collect();
    if theirs.is_empty() {
        let mut names: Vec<&str> = all.iter().map(|session| session.name.as_str()).collect();
        names.dedup();
        let there = if names.is_empty() {
            "nobody is".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        return Err(CliError::Use(format!("{name} is not in: {there}")));
    }
    live::end(&place, live::TO_LEAVE, |session| session.name == name);
    let words = format!(
        "{name} leaves {} {}. They may come back: casework roster key drop closes a door.",
        theirs.len(),
        if theirs.len() == 1 { "session" } else { "sessions" }
    );
    done(context.global.json, &words, &json!({ "name": name, "sessions": theirs.len() }))?;
    Ok(Exit::Done)
}

/// What sshd and sessions wrote of who came in and who did not, the latest last.
fn log(context: &Context, limit: usize) -> Result<Exit, CliError> {
    let path = place(context)?.log();
    let mut bytes = Vec::new();
    match fs::File::open(&path) {
        // What is longer is turned as it is written.
        Ok(file) => drop(file.take(64 << 20).read_to_end(&mut bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(ServeError::File(path.display().to_string(), error).into()),
    }
    let text = String::from_utf8_lossy(&bytes);
    const TOLD: [&str; 8] = [
        "Accepted publickey",
        "Failed ",
        "Invalid user",
        "Connection closed by",
        "refused",
        "casework:",
        "error",
        "Disconnected from",
    ];
    let told: Vec<&str> = text
        .lines()
        .map(|line| line.trim_end_matches('\r'))
        .filter(|line| TOLD.iter().any(|word| line.contains(word)))
        .collect();
    let mut out = Out::new();
    for line in &told[told.len().saturating_sub(limit)..] {
        if context.global.json {
            out.json(&json!({ "line": line }))?;
        } else {
            out.line(line)?;
        }
    }
    out.finish()?;
    if told.is_empty() {
        say("Nobody came in or was refused yet: casework serve lets people in.");
    }
    Ok(Exit::Done)
}
