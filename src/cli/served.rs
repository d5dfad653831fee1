//! One person who came over SSH: whoever they are the key said, or whoever signed it. They are let in, held
//! back, watched, and told what there is to say when they leave.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use super::asked::{asked, may_be_done, parse};
use super::out::say;
use super::vouch::signed_first;
use super::{Cli, CliError, Context, Next, error, opened};
use crate::clock;
use crate::config::Serve;
use crate::domain::policy::Countersign;
use crate::domain::ssh_certificate::Certificate;
use crate::domain::ssh_key::SshKey;
use crate::domain::time::parse_span;
use crate::serve::live::{self, Entered, Session};
use crate::serve::place::Place;
use crate::serve::{CERTIFIED, hold};
use crate::workspace::{DbError, DoorError, WorkError, Workspace};

/// So much is kept of what was asked for.
const TOLD_MAX: usize = 200;
/// How often a door is looked at while somebody is in.
const LOOK: Duration = Duration::from_secs(1);

/// How long nobody does anything in a blind round before it is left, at most.
const IDLE_BLIND: Duration = Duration::from_secs(15 * 60);

/// What is to be said when a screen is left.
static FAREWELL: Mutex<String> = Mutex::new(String::new());

/// The workspace as whoever came over SSH sees it, until they leave.
static LEAVES: Mutex<Option<Workspace>> = Mutex::new(None);

/// Says what there is to say when the review is over.
pub fn farewell() {
    live::leave();
    let leaves = LEAVES.lock().ok().and_then(|mut leaves| leaves.take());
    let asked = leaves.and_then(|workspace| workspace.to_countersign().ok()?);
    if let Some(unsigned) = asked {
        say(&format!("{COUNTERSIGN} {}. {HOW}", unsigned.words()));
    }
    if let Ok(words) = FAREWELL.lock()
        && !words.is_empty()
    {
        say(&words);
    }
}

fn to_say(words: &str) {
    if let Ok(mut farewell) = FAREWELL.lock() {
        farewell.clear();
        farewell.push_str(words);
    }
}

/// How long nobody does anything at a screen before it is left.
pub fn idle(options: &Serve) -> Result<Duration, String> {
    parse_span(&options.idle)
        .filter(|ms| *ms > 0)
        .map(|ms| Duration::from_millis(ms.unsigned_abs()))
        .ok_or_else(|| format!("config.toml: serve.idle takes 30m or 2h, not `{}`", options.idle))
}

/// Serves one person.
pub fn session(context: &mut Context, name: &str, fingerprint: &str) -> Next {
    context.global.actor = Some(name.to_owned());
    match enter(context, name, fingerprint) {
        Ok(next) => next,
        Err(error) => Next::Exit(error::exit_code(Err(error))),
    }
}

fn enter(context: &mut Context, name: &str, fingerprint: &str) -> Result<Next, CliError> {
    let way = Way::of(context, fingerprint).ok_or_else(closed)?;
    let fingerprint = way.fingerprint();
    let fingerprint = fingerprint.as_str();
    let mut workspace = context.open_now().map_err(being_worked_on)?;
    let way = way.trusting(&workspace.config.serve)?;
    way.is_open(&workspace, name).map_err(|error| being_worked_on(error.into()))?;
    let options = workspace.config.serve.clone();
    let place = Place::open(&workspace.paths.workspace)?;
    // What is asked for is understood before anything is written of it.
    let line = context.env.ssh_command.clone();
    let cli = line.as_deref().map(|line| parse(&asked(line).map_err(CliError::Use)?));
    let cli = match cli.transpose()? {
        Some(Err(told)) => return Ok(told),
        Some(Ok(cli)) => Some(cli),
        None => None,
    };
    if let Some(command) = cli.as_ref().and_then(|cli| cli.command.as_ref()) {
        may_be_done(&workspace, command)?;
    }
    let client = context.env.ssh_client.clone().unwrap_or_default();
    let command = line.map(|line| line.to_string_lossy().into_owned()).unwrap_or_default();
    let (process, key) = (getpid().as_raw_nonzero().get(), fingerprint.to_owned());
    let terminal = std::io::stdin().is_terminal();
    let mut session = Session {
        process,
        name: name.to_owned(),
        key: key.clone(),
        client: client.clone(),
        since: clock::now(),
        command: command.chars().take(TOLD_MAX).collect(),
        held: String::new(),
        tty: terminal.then(live::terminal).flatten(),
        case: None,
        blind_round: false,
    };
    // Nobody comes in between the look whether there is room and the taking of it.
    let mut entered = {
        let _one_at_a_time = place.threshold()?;
        room_for(&place, &options, name)?;
        Entered::new(&place, &session)?
    };
    context.signed = signed_first(&workspace, cli.as_ref().and_then(|cli| cli.command.as_ref()))?;
    let visit = workspace.pass_door(fingerprint, way.certificate(), &client)?;
    let vouched = workspace.is_vouched()?;
    let mut log = place.append_log()?;
    let told = crate::domain::text::visible(&session.command).into_owned();
    let at = clock::now().rfc3339();
    // That the log is full is no reason to turn anybody away.
    let _ = writeln!(log, "{at} casework: {name} came in with {fingerprint} from {client}: {told}");
    let directory = workspace.paths.workspace.canonicalize();
    let directory = directory.unwrap_or_else(|_| workspace.paths.workspace.clone());
    let roots = workspace.config.attachments.roots.clone();
    let asks_to_countersign = workspace.policy()?.countersign != Countersign::Off;
    drop(workspace);
    session.held = hold::back(&directory, &roots);
    entered.say(&session)?;
    live::stay(entered);
    context.served = Some(visit);
    let on_screen = terminal && cli.is_none();
    // A command ends by itself.
    let reviews = cli.as_ref().is_none_or(|cli| cli.command.is_none());
    if reviews && !vouched {
        to_say(VOUCH);
    }
    if reviews
        && asks_to_countersign
        && let Ok(mut leaves) = LEAVES.lock()
    {
        *leaves = Some(context.open_now()?);
    }
    let idle = idle(&options).ok().filter(|_| terminal || reviews);
    watch(context.open_now()?, name.to_owned(), way, on_screen, idle);
    Ok(match cli {
        None => {
            let workspace = context.open_now()?;
            opened(context, workspace)
        }
        Some(cli) => {
            let global = super::Global {
                workspace: context.global.workspace.clone(),
                actor: context.global.actor.clone(),
                ..cli.global
            };
            let cli = Cli { global: global.clone(), command: cli.command };
            context.global = global;
            super::carry_out(cli.command, context)
        }
    })
}

const VOUCH: &str = "Your key has not said yet that this desk writes for you. On your machine: \
     ssh desk vouch --print | ssh-keygen -Y sign -n casework -f ~/.ssh/id_ed25519 | ssh desk vouch";

const COUNTERSIGN: &str = "Your key has not countersigned what this desk wrote for you:";
const HOW: &str = "On your machine: ssh desk countersign --print | ssh-keygen -Y sign -n casework -f ~/.ssh/id_ed25519 | ssh desk countersign";

/// By what somebody came in, as sshd says: by a key of theirs, or by the word of an authority.
#[derive(Debug, Clone)]
enum Way {
    Key(String),
    /// With the authorities that are trusted: their file lies where a session reaches nothing.
    Certificate(Box<Certificate>, Vec<SshKey>),
}

impl Way {
    /// By this key and no other, or by any certificate.
    fn of(context: &Context, fingerprint: &str) -> Option<Self> {
        let text =
            context.env.ssh_auth.as_ref().and_then(|path| std::fs::read_to_string(path).ok())?;
        let mut keys = text.lines().filter_map(|line| line.strip_prefix("publickey "));
        if fingerprint == CERTIFIED {
            let certificate = keys.find_map(Certificate::of_line)?;
            return Some(Self::Certificate(Box::new(certificate), Vec::new()));
        }
        let of_key =
            |line| SshKey::of_line(line).is_some_and(|key| key.fingerprint() == fingerprint);
        keys.any(of_key).then(|| Self::Key(fingerprint.to_owned()))
    }

    /// Of the person's own key.
    fn fingerprint(&self) -> String {
        match self {
            Self::Key(fingerprint) => fingerprint.clone(),
            Self::Certificate(certificate, _) => certificate.key.fingerprint(),
        }
    }

    /// The same, with whose word is taken.
    fn trusting(self, options: &Serve) -> Result<Self, CliError> {
        Ok(match self {
            Self::Certificate(certificate, _) => {
                Self::Certificate(certificate, authorities(options)?)
            }
            key => key,
        })
    }

    fn certificate(&self) -> Option<String> {
        match self {
            Self::Key(_) => None,
            Self::Certificate(certificate, _) => Some(certificate.words()),
        }
    }

    /// Whether it lets them in now.
    fn is_open(&self, workspace: &Workspace, name: &str) -> Result<(), WorkError> {
        match self {
            Self::Key(fingerprint) => workspace.may_come_in(name, fingerprint).map(drop),
            Self::Certificate(certificate, trusted) => {
                workspace.may_come_certified(name, certificate, trusted)
            }
        }
    }
}

/// The keys of the authorities whose certificates let people in.
///
/// # Errors
/// Those of reading their file.
pub fn authorities(options: &Serve) -> Result<Vec<SshKey>, CliError> {
    let path = &options.trusted_user_ca;
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| {
        CliError::Use(format!("config.toml: serve.trusted_user_ca: {path}: {error}"))
    })?;
    Ok(SshKey::all_of(&text))
}

/// No more is told to whom is not let in.
fn closed() -> CliError {
    CliError::Use("the door is closed for this key: ask a lead to open it".to_owned())
}

/// What a person is told who comes while the workspace can't be opened.
fn being_worked_on(error: CliError) -> CliError {
    match error {
        CliError::Work(WorkError::Stranger(_) | WorkError::Door(DoorError::Closed(_))) => closed(),
        CliError::Work(WorkError::Db(DbError::Locked(_) | DbError::Newer { .. })) => {
            CliError::No("the desk is being worked on: try again in a while".to_owned())
        }
        error => error,
    }
}

fn room_for(place: &Place, options: &Serve, name: &str) -> Result<(), CliError> {
    let all = live::all(place);
    let theirs = all.iter().filter(|session| session.name == name).count();
    if theirs >= options.per_person {
        return Err(CliError::Use(format!(
            "you are in {theirs} times already, and may be {}: leave one first",
            options.per_person
        )));
    }
    if all.len() >= options.max {
        return Err(CliError::Use(format!(
            "{} people are in, and no more fit: try again in a while",
            all.len()
        )));
    }
    Ok(())
}

/// Looks again and again whether the door is open, and whether anybody does anything at the screen;
/// has the session end if not.
fn watch(workspace: Workspace, name: String, way: Way, on_screen: bool, idle: Option<Duration>) {
    let terminal = std::io::stdin().is_terminal();
    std::thread::spawn(move || {
        let mut seen = workspace.data_version().ok();
        let done = || (live::typed_at().filter(|_| terminal), live::lines_sent());
        let (mut typed, mut since) = (done(), clock::instant());
        let mut looked = clock::instant();
        loop {
            std::thread::sleep(LOOK);
            let now = workspace.data_version().ok();
            if now != seen || looked.elapsed().as_secs() >= 30 {
                (seen, looked) = (now, clock::instant());
                // What else goes wrong is no reason to put anybody out.
                if let Err(WorkError::Door(_)) = way.is_open(&workspace, &name) {
                    return end(on_screen, "The door was closed. What you began is kept.");
                }
            }
            let last = done();
            if last != typed {
                (typed, since) = (last, clock::instant());
            }
            // Others wait for whoever sits in a blind round.
            let idle =
                idle.map(|idle| if live::in_blind_round() { idle.min(IDLE_BLIND) } else { idle });
            if idle.is_some_and(|idle| since.elapsed() >= idle) {
                return end(
                    on_screen,
                    "Nothing was done here for a while, so the review was left. What you began is kept.",
                );
            }
        }
    });
}

fn end(on_screen: bool, words: &str) {
    if on_screen {
        to_say(words);
    } else {
        say(words);
    }
    // It is there, as this runs in it.
    let _ = kill_process(getpid(), Signal::TERM);
    // One whose client reads nothing does not come to it.
    std::thread::sleep(live::TO_LEAVE);
    let _ = kill_process(getpid(), Signal::KILL);
}
