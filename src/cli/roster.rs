//! `casework roster`: who may do what, on which device.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::clock;
use crate::domain::door::Door;
use crate::domain::ids::ReplicaId;
use crate::domain::roster::{Profile, Role};
use crate::domain::ssh_key::SshKey;
use crate::domain::time::{Moment, parse_span};
use crate::workspace::error::DoorError;
use crate::workspace::{Holder, WorkError, Workspace, read_file};

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Show everybody: roles, devices, keys, and who asks to join
    Show,
    /// Let somebody in who asked to be; without a request, let them work on this device
    Admit(Admit),
    /// Give somebody exactly these roles: what is missing is given, what is not named is taken; what
    /// they did before stays
    Set {
        name: String,
        /// reviewer, lead, engineer, auditor or agent; may be given several times
        #[arg(long = "role", required = true, value_name = "ROLE", value_parser = role)]
        roles: Vec<Role>,
    },
    /// What somebody writes from now on does not count: on all their devices, or on one
    Retire {
        name: String,
        /// Only this device: the first digits of its id
        #[arg(long, value_name = "ID")]
        device: Option<String>,
        /// Why
        #[arg(long, default_value = "", value_name = "TEXT")]
        reason: String,
    },
    /// The SSH keys by which people come in where the workspace is served
    #[command(subcommand)]
    Key(Key),
    /// Give this device a new key; the old one vouches for it and is retired
    Rotate,
}

#[derive(Debug, clap::Subcommand)]
pub enum Key {
    /// Let somebody in over SSH with every key of a file
    Add {
        name: String,
        /// A .pub file, or - for standard input
        file: PathBuf,
        /// Until when: 2026-06-30 (the end of that day), 2026-06-30 12:00, or 90d from now
        #[arg(long, value_name = "TIME", value_parser = until)]
        until: Option<Moment>,
        /// Only from this address or network, as 10.0.0.0/8; may be given several times
        #[arg(long = "from", value_name = "NETWORK")]
        from: Vec<String>,
    },
    /// Let nobody in any more with a key
    Drop {
        name: String,
        /// The key's fingerprint, or how it begins
        fingerprint: String,
    },
    /// List the keys, whose they are, and which of them let nobody in
    List,
}

fn until(text: &str) -> Result<Moment, String> {
    let at = Moment::parse_local(text)
        .or_else(|| parse_span(text).map(|ms| Moment(clock::now().0.saturating_add(ms))));
    at.ok_or_else(|| "write 2026-06-30 (its end), 2026-06-30 12:00, or 90d from now".to_owned())
}

#[derive(Debug, clap::Args)]
pub struct Admit {
    name: String,
    /// reviewer, lead, engineer, auditor or agent; may be given several times
    #[arg(long = "role", required = true, value_name = "ROLE", value_parser = role)]
    roles: Vec<Role>,
    /// Let them work on this very device, under a key that is not theirs
    #[arg(long, conflicts_with = "device")]
    here: bool,
    /// The device that is meant, where several ask under this name: the first digits of its id
    #[arg(long, value_name = "ID")]
    device: Option<String>,
    /// Only if the device's key has this fingerprint
    #[arg(long, value_name = "SHA256:…")]
    key: Option<String>,
    /// Only if the request is signed by this SSH key: its .pub file, or its fingerprint
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    /// Share of the work beside others': 100 is usual, 50 half, 0 none
    #[arg(long, value_name = "N")]
    capacity: Option<u32>,
    /// A language they read, such as en; may be given several times
    #[arg(long = "language", value_name = "LANGUAGE")]
    languages: Vec<String>,
    /// Something they know that cases may need; may be given several times
    #[arg(long = "skill", value_name = "SKILL")]
    skills: Vec<String>,
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word)
        .ok_or_else(|| format!("the roles are {}", Role::ALL.map(Role::as_str).join(", ")))
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::Show => {
            show(context, &context.read()?)?;
            return Ok(Exit::Done);
        }
        What::Key(what) => return key(context, what),
        _ => {}
    }
    let mut workspace = context.open()?;
    match what {
        What::Show | What::Key(_) => {}
        What::Admit(admit) => let_in(context, &mut workspace, admit)?,
        What::Set { name, roles } => set(context, &mut workspace, name, roles)?,
        What::Retire { name, device, reason } => {
            let n = workspace.retire(name, device.as_deref(), reason)?;
            let words =
                format!("{name} is retired on {n} {}.", if n == 1 { "device" } else { "devices" });
            done(context.global.json, &words, &json!({ "name": name, "devices": n }))?;
        }
        What::Rotate => {
            let replica = workspace.rotate_key()?;
            let key = workspace.fingerprint();
            let words =
                format!("This device signs with {key} from now on, as {}.", replica.short());
            done(context.global.json, &words, &json!({ "replica": replica, "key": key }))?;
        }
    }
    Ok(Exit::Done)
}

fn show(context: &Context, workspace: &Workspace) -> Result<(), CliError> {
    let mut out = Out::new();
    let profiles = workspace.profiles()?;
    for holder in workspace.people()? {
        let proven = workspace.proven(&holder);
        if context.global.json {
            out.json(&json!({
                "name": holder.name, "roles": holder.roles, "replica": holder.replica, "key": holder.fingerprint(),
                "waits": holder.waits(), "retired_after": holder.retired_after, "entries": holder.entries,
                "ssh": proven.as_ref().ok(), "profile": profiles.get(&holder.name), "this_device": holder.here,
            }))?;
            continue;
        }
        let roles: Vec<&str> = holder.roles.iter().map(|role| role.as_str()).collect();
        let state = match (holder.waits(), holder.retired_after) {
            (true, _) if other_devices(workspace, &holder.name, Some(&holder))?.is_empty() => {
                "asks to join".to_owned()
            }
            (true, _) => format!("ANOTHER {} asks", holder.name),
            (_, Some(0)) if holder.roles.is_empty() => "was turned down".to_owned(),
            (_, Some(after)) => format!("retired after entry {after}"),
            _ => roles.join(", "),
        };
        let here = if holder.here { "  this device" } else { "" };
        out.line(&format!(
            "{:<16} {:<26} {}  {}{here}",
            holder.name,
            state,
            holder.replica.short(),
            holder.fingerprint()
        ))?;
        if let Some(profile) = profiles.get(&holder.name).filter(|_| holder.works()) {
            out.line(&format!("{:<16} {}", "", profile_words(profile)))?;
        }
        match proven {
            Ok(Some(key)) => out.line(&format!("{:<16} signed by the SSH key {key}", ""))?,
            Ok(None) => {}
            Err(error) => {
                out.line(&format!("{:<16} the SSH signature is NOT good: {error}", ""))?
            }
        }
    }
    Ok(out.finish()?)
}

fn key(context: &Context, what: &Key) -> Result<Exit, CliError> {
    match what {
        Key::Add { name, file, until, from } => add_keys(context, name, file, *until, from),
        Key::Drop { name, fingerprint } => {
            let key = context.open()?.close_door(name, fingerprint)?;
            let words = format!("{name} comes in with {key} no more.");
            done(context.global.json, &words, &json!({ "name": name, "key": key }))?;
            Ok(Exit::Done)
        }
        Key::List => {
            let mut out = Out::new();
            let doors = context.read()?.doors()?;
            if doors.is_empty() {
                say(
                    "Nobody has a key yet: casework roster key add NAME FILE.pub lets somebody in.",
                );
            }
            for opened in doors {
                let key = opened.door.key.fingerprint();
                if context.global.json {
                    out.json(&json!({
                        "name": opened.door.name, "key": key, "from": opened.door.from,
                        "until": opened.door.until.map(Moment::rfc3339), "by": opened.by,
                        "at": opened.at.rfc3339(), "open": opened.shut.is_none(), "shut_because": opened.shut,
                    }))?;
                    continue;
                }
                let mut words = vec![format!("{:<16} {key}", opened.door.name)];
                words.extend(
                    (!opened.door.from.is_empty())
                        .then(|| format!("from {}", opened.door.from.join(", "))),
                );
                words.extend(opened.door.until.map(|until| format!("until {}", until.minute())));
                words.extend(opened.shut.map(|why| format!("SHUT: {why}")));
                out.line(&words.join("  "))?;
            }
            out.finish()?;
            Ok(Exit::Done)
        }
    }
}

/// Opens a door for every key of a file that is good, and says of each what came of it.
fn add_keys(
    context: &Context,
    name: &str,
    file: &Path,
    until: Option<Moment>,
    from: &[String],
) -> Result<Exit, CliError> {
    let text = read_file(file)?;
    let shown = file.display();
    if text.contains("PRIVATE KEY-----") {
        return Err(CliError::Use(format!(
            "{shown} is a private key, which nobody should be given: the public one is in {shown}.pub"
        )));
    }
    let mut keys = SshKey::all_of(&text);
    let mut seen = std::collections::BTreeSet::new();
    keys.retain(|key| seen.insert(key.clone()));
    if keys.is_empty() {
        return Err(CliError::Use(format!("{shown} holds no public SSH key: nothing was done")));
    }
    let mut workspace = context.open()?;
    let (mut opened, mut refused) = (0, None);
    let mut out = Out::new();
    for key in keys {
        let fingerprint = key.fingerprint();
        let door = Door { name: name.to_owned(), key, from: from.to_vec(), until };
        let result = workspace.open_door(door);
        if context.global.json {
            let why = result.as_ref().err().map(ToString::to_string);
            out.json(&json!({ "name": name, "key": fingerprint, "opened": why.is_none(), "refused": why }))?;
        } else if result.is_ok() {
            say(&format!("{name} comes in with {fingerprint}."));
        }
        match result {
            Ok(()) => opened += 1,
            Err(error @ WorkError::Door(DoorError::Weak(..) | DoorError::Taken { .. })) => {
                if opened > 0 && !context.global.json {
                    say(&format!("Refused: {error}."));
                }
                refused = refused.or(Some(error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    out.finish()?;
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(Exit::Done),
    }
}

/// How much of the work somebody takes, and which: `capacity 50 · reads pt · knows billing`.
fn profile_words(profile: &Profile) -> String {
    let mut words = vec![format!("capacity {}", profile.capacity)];
    let mut list = |word: &str, items: &[String]| {
        words.extend((!items.is_empty()).then(|| format!("{word} {}", items.join(", "))));
    };
    list("reads", &profile.languages);
    list("knows", &profile.skills);
    words.join(" · ")
}

/// Gives and takes roles, on every device that somebody works on.
fn set(
    context: &Context,
    workspace: &mut Workspace,
    name: &str,
    roles: &[Role],
) -> Result<(), CliError> {
    let theirs: Vec<Holder> = workspace
        .people()?
        .into_iter()
        .filter(|holder| holder.name == name && holder.works())
        .collect();
    if theirs.is_empty() {
        return Err(WorkError::Stranger(name.to_owned()).into());
    }
    if !roles.contains(&Role::Lead) {
        workspace.another_leads(name)?;
    }
    let (mut given, mut taken): (Vec<Role>, Vec<Role>) = (Vec::new(), Vec::new());
    for holder in &theirs {
        let missing: Vec<Role> =
            roles.iter().copied().filter(|role| !holder.roles.contains(role)).collect();
        let extra: Vec<Role> =
            holder.roles.iter().copied().filter(|role| !roles.contains(role)).collect();
        // Giving first: who takes the lead's role from themselves can't give after that.
        if !missing.is_empty() {
            workspace.admit(name, &missing, Some(holder.replica), None)?;
        }
        if !extra.is_empty() {
            workspace.relieve(name, &extra, holder.replica)?;
        }
        given.extend(missing);
        taken.extend(extra);
    }
    for list in [&mut given, &mut taken] {
        list.sort_unstable();
        list.dedup();
    }
    let words =
        |roles: &[Role]| roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ");
    let changed = match (given.is_empty(), taken.is_empty()) {
        (true, true) => "nothing changed".to_owned(),
        (false, true) => format!("given {}", words(&given)),
        (true, false) => format!("taken {}", words(&taken)),
        (false, false) => format!("given {}, taken {}", words(&given), words(&taken)),
    };
    done(
        context.global.json,
        &format!("{name} is {} now: {changed}.", words(roles)),
        &json!({ "name": name, "roles": roles, "given": given, "taken": taken }),
    )?;
    Ok(())
}

fn let_in(context: &Context, workspace: &mut Workspace, admit: &Admit) -> Result<(), CliError> {
    let Admit { name, roles, .. } = admit;
    let asks = if admit.here { None } else { workspace.asking(name, admit.device.as_deref())? };
    let others = other_devices(workspace, name, asks.as_ref())?;
    // Somebody who works here already, and a device that says it is theirs: it has to be named.
    let unnamed = asks.as_ref().filter(|_| !others.is_empty() && admit.device.is_none());
    if let Some(holder) = unnamed.filter(|_| !context.global.json) {
        say(&format!(
            "Another device asks to join as {name}: {0}, whose key is {1}. It is not let in; --device {0} does, once you know that it is theirs.",
            holder.replica.short(),
            holder.fingerprint()
        ));
    }
    let asks = if unnamed.is_some() { None } else { asks };
    if let Some(holder) = &asks {
        compare(workspace, admit, holder)?;
    } else if admit.key.is_some() || admit.ssh_key.is_some() {
        return Err(CliError::Use(format!(
            "nobody asks to join as {name}: sync first, or look at `casework roster show`"
        )));
    }
    let places = match &asks {
        Some(holder) => vec![holder.replica],
        None if admit.here => vec![workspace.replica()],
        None => known_devices(workspace, name)?,
    };
    for replica in &places {
        workspace.admit(name, roles, Some(*replica), profile(workspace, admit)?)?;
    }
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let document = json!({ "name": name, "roles": roles, "replica": places.first(), "requested": asks.is_some() });
    let place = match &asks {
        Some(holder) if holder.key.is_none() => format!(
            "on device {}, of which nothing is here yet: compare its key when it is",
            holder.replica.short()
        ),
        Some(holder) => {
            format!("on device {}, whose key is {}", holder.replica.short(), holder.fingerprint())
        }
        None if places == [workspace.replica()] => "on this device".to_owned(),
        None => "on the devices they have".to_owned(),
    };
    done(
        context.global.json,
        &format!("{name} is admitted as {} {place}.", words.join(", ")),
        &document,
    )?;
    if asks.is_some() && !others.is_empty() && !context.global.json {
        say(&format!(
            "{name} works on other devices too: {}. If this one is not theirs: casework roster retire {name} --device ID",
            others.join(", ")
        ));
    }
    let now: Vec<Role> = workspace
        .people()?
        .into_iter()
        .filter(|holder| holder.name == *name && places.contains(&holder.replica))
        .flat_map(|holder| holder.roles)
        .filter(|role| !roles.contains(role))
        .collect();
    if !now.is_empty() && !context.global.json {
        let more: Vec<&str> = now.iter().map(|role| role.as_str()).collect();
        say(&format!(
            "{name} is {} too, as before: casework roster set {name} --role … takes a role away.",
            more.join(", ")
        ));
    }
    if asks.is_none() && others.is_empty() && !context.global.json {
        let people = workspace.people()?;
        let waits = people.iter().filter(|holder| holder.waits());
        let mut waiting: Vec<&str> = waits.map(|holder| holder.name.as_str()).collect();
        waiting.dedup();
        let who = match waiting[..] {
            [] => String::new(),
            [one] => format!(" {one} asks."),
            _ => format!(" {} ask.", waiting.join(", ")),
        };
        say(&format!("Nobody asked to join under this name from a device of their own.{who}"));
    }
    Ok(())
}

/// Other devices of the same name that count.
fn other_devices(
    workspace: &Workspace,
    name: &str,
    but: Option<&Holder>,
) -> Result<Vec<String>, CliError> {
    let other = |holder: &Holder| {
        holder.name == name && holder.works() && Some(holder.replica) != but.map(|but| but.replica)
    };
    Ok(workspace.people()?.into_iter().filter(other).map(|holder| holder.replica.short()).collect())
}

/// The devices on which somebody is admitted already; this one, if there are none.
fn known_devices(workspace: &Workspace, name: &str) -> Result<Vec<ReplicaId>, CliError> {
    let active = |holder: &Holder| holder.name == name && holder.works();
    let found: Vec<ReplicaId> =
        workspace.people()?.into_iter().filter(active).map(|holder| holder.replica).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if workspace.people()?.iter().any(|holder| holder.name == name) {
        let words = format!(
            "{name} was retired, and asks no more: they join again, in another directory, with `casework join`. \
             Or let them work on this very device with --here"
        );
        return Err(CliError::Use(words));
    }
    Ok(vec![workspace.replica()])
}

/// What is said of capacity, languages and skills over what was said before.
fn profile(workspace: &Workspace, admit: &Admit) -> Result<Option<Profile>, CliError> {
    if admit.capacity.is_none() && admit.languages.is_empty() && admit.skills.is_empty() {
        return Ok(None);
    }
    let mut profile = workspace.profiles()?.remove(&admit.name).unwrap_or_default();
    profile.capacity = admit.capacity.unwrap_or(profile.capacity);
    if !admit.languages.is_empty() {
        profile.languages =
            admit.languages.iter().map(|language| language.to_lowercase()).collect();
    }
    if !admit.skills.is_empty() {
        profile.skills.clone_from(&admit.skills);
    }
    Ok(Some(profile))
}

/// Whether the keys are those that the lead knows.
fn compare(workspace: &Workspace, admit: &Admit, holder: &Holder) -> Result<(), CliError> {
    if let Some(expected) = &admit.key
        && *expected != holder.fingerprint()
    {
        let words = format!(
            "the key of {} is {}, not {expected}: nothing was done",
            holder.replica.short(),
            holder.fingerprint()
        );
        return Err(CliError::Use(words));
    }
    let Some(known) = &admit.ssh_key else { return Ok(()) };
    let signed = workspace.proven(holder)?;
    let signed = signed.ok_or_else(|| {
        CliError::Use(format!("the request of {} is not signed by an SSH key", admit.name))
    })?;
    let text = known.display().to_string();
    let same = if text.starts_with("SHA256:") {
        text == signed
    } else {
        let keys = SshKey::all_of(&read_file(known)?);
        if keys.is_empty() {
            return Err(CliError::Use(format!(
                "{} holds no public SSH key: nothing was done",
                known.display()
            )));
        }
        let given = holder.ssh.as_ref().map(|proof| SshKey::all_of(&proof.key)).unwrap_or_default();
        keys.iter().any(|key| given.contains(key))
    };
    if same {
        Ok(())
    } else {
        let words = format!(
            "the request is signed by {signed}, not by any key of {}: nothing was done",
            known.display()
        );
        Err(CliError::Use(words))
    }
}

impl From<rusqlite::Error> for CliError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Work(WorkError::from(error))
    }
}
