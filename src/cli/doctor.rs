//! `casework doctor`: look for what may trouble casework here.

use std::io::IsTerminal;

use serde_json::json;

use super::out::Out;
use super::{CliError, Context, Exit};
use crate::domain::advice::Advice as _;
use crate::domain::text::visible;
use crate::domain::time::Moment;
use crate::review::{Protocols, Published};
use crate::sandbox::Level;
use crate::serve::place::Place;
use crate::serve::sshd::{Sshd, no_terminals};
use crate::serve::supervisor::ended_since;
use crate::workspace::Workspace;
use crate::workspace::plugins::Standing;

#[derive(Debug, clap::Args)]
pub struct Args {}

struct Finding {
    good: bool,
    what: &'static str,
    words: String,
}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let mut findings = vec![terminal(context)];
    let paths = context.paths()?;
    findings.push(key_mode(&paths.key()));
    match context.open() {
        Err(error) => {
            let hint = if let CliError::Work(error) = &error { error.next_step() } else { None };
            let words = format!("{error}. {}", hint.unwrap_or_default());
            findings.push(Finding { good: false, what: "workspace", words });
        }
        Ok(workspace) => workspace_findings(&workspace, &mut findings)?,
    }
    let mut out = Out::new();
    for Finding { good, what, words } in &findings {
        if context.global.json {
            out.json(&json!({ "ok": good, "what": what, "words": words }))?;
        } else {
            out.line(&format!(
                "{}  {what:<10} {}",
                if *good { "ok" } else { "!!" },
                visible(words)
            ))?;
        }
    }
    out.finish()?;
    Ok(if findings.iter().all(|finding| finding.good) { Exit::Done } else { Exit::No })
}

fn terminal(context: &Context) -> Finding {
    let env = &context.env;
    let words = match (std::io::stdout().is_terminal(), env.dumb_terminal) {
        (false, _) => "standard output is not a terminal: commands work, the review screen does not".to_owned(),
        (true, true) => {
            "TERM names no terminal, so the review goes line by line: set it, e.g. to xterm-256color, for the screen".to_owned()
        }
        (true, false) if env.no_color => "a terminal; NO_COLOR is set".to_owned(),
        (true, false) => format!("a terminal with {} colours", if env.many_colors { "many" } else { "16" }),
    };
    Finding {
        good: !(std::io::stdout().is_terminal() && env.dumb_terminal),
        what: "terminal",
        words,
    }
}

fn key_mode(path: &std::path::Path) -> Finding {
    use std::os::unix::fs::PermissionsExt as _;
    let (good, words) = match std::fs::metadata(path) {
        Err(_) => (true, "no device key yet".to_owned()),
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
            (false, format!("others can read the device key: chmod 600 {}", path.display()))
        }
        Ok(_) => (true, "the device key is yours alone".to_owned()),
    };
    Finding { good, what: "key", words }
}

/// Whether people can be let in over SSH, where somebody has a key.
fn serving(workspace: &Workspace) -> Result<Vec<Finding>, CliError> {
    if workspace.doors()?.is_empty() {
        return Ok(Vec::new());
    }
    let path = crate::config::passed("PATH").unwrap_or_default();
    let found = Sshd::find(&path);
    let trouble = found.as_ref().err().map(ToString::to_string).or_else(no_terminals);
    let words = trouble.clone().unwrap_or_else(|| {
        found.map(|sshd| format!("{} lets people in", sshd.path.display())).unwrap_or_default()
    });
    let mut found = vec![Finding { good: trouble.is_none(), what: "serve", words }];
    let day = Moment(crate::clock::now().0 - 86_400_000);
    if let (n @ 1.., Some(last)) = ended_since(&Place::of(&workspace.paths.workspace), day) {
        let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
        let words = format!(
            "sshd died {times} in the last 24 hours, and was started again: {}",
            visible(&last)
        );
        found.push(Finding { good: false, what: "serve", words });
    }
    for late in workspace.late_to_countersign()? {
        let words = format!("{} has not countersigned {}", late.name, late.words());
        found.push(Finding { good: false, what: "serve", words });
    }
    Ok(found)
}

/// Whether plug-ins are as they were pinned, and those are here that traps ask.
fn plugins(workspace: &Workspace) -> Result<Vec<Finding>, CliError> {
    let known = workspace.plugins()?;
    let published = workspace.latest_traps()?;
    let asked = published.iter().flat_map(|latest| &latest.file.traps);
    let asked: Vec<(&str, &str)> = asked
        .filter_map(|trap| Some((trap.plugin.as_ref()?.name.as_str(), trap.name.as_str())))
        .collect();
    let mut findings = Vec::new();
    for one in known.iter().filter(|one| one.standing != Standing::NotHere) {
        let words = match one.standing {
            Standing::Pinned => format!("{} is as it was pinned", one.name),
            Standing::Broken => {
                format!("{}: {}", one.name, one.trouble.as_deref().unwrap_or_default())
            }
            other => format!(
                "{} is {}{}, and is not run. A lead looks at it: `casework plugin pin {}`",
                one.name,
                other.as_str(),
                one.trouble.as_ref().map_or(String::new(), |what| format!(" ({what})")),
                one.name
            ),
        };
        let good = one.standing == Standing::Pinned;
        findings.push(Finding { good, what: "plug-in", words });
    }
    let here =
        |name: &str| known.iter().any(|one| one.name == name && one.standing != Standing::NotHere);
    for (plugin, trap) in asked.into_iter().filter(|(plugin, _)| !here(plugin)) {
        let words = format!(
            "the trap `{trap}` asks {plugin}, which config.toml does not have: what is ingested here it does not flag"
        );
        findings.push(Finding { good: false, what: "plug-in", words });
    }
    if findings.iter().any(|finding| finding.good) {
        findings.push(sandbox(workspace));
    }
    Ok(findings)
}

/// Whether what is to hold plug-ins and runs back does, tried on what they may read least.
fn sandbox(workspace: &Workspace) -> Finding {
    let (good, words) = match workspace.try_sandbox() {
        Ok((Level::None, _)) => {
            (false, "nothing holds plug-ins back here: neither bwrap nor landlock works".to_owned())
        }
        Ok((level, true)) => (
            false,
            format!(
                "a plug-in can read this device's key, in spite of {}: pin none",
                level.as_str()
            ),
        ),
        Ok((level, false)) => (
            true,
            format!("a plug-in can't read this device's key: {} holds it back", level.as_str()),
        ),
        Err(error) => (false, error.told().words),
    };
    Finding { good, what: "sandbox", words }
}

/// That several published a version of one number, and which of them is in force.
pub(super) fn rival_words(protocols: &Protocols) -> Vec<String> {
    let words = |rivals: Vec<&Published>| {
        let (id, version) = (&rivals[0].reference.id, rivals[0].reference.version);
        let of = |one: &&Published| format!("{}, {}", one.author, one.at.minute());
        let others: Vec<String> = rivals[1..].iter().map(of).collect();
        format!(
            "{id} has {} versions {version}: in force is that of {}; not that of {}. Publish what all of them want as version {}",
            rivals.len(),
            of(&rivals[0]),
            others.join(", nor that of "),
            version + 1
        )
    };
    protocols.rivals().into_iter().map(words).collect()
}

fn workspace_findings(workspace: &Workspace, findings: &mut Vec<Finding>) -> Result<(), CliError> {
    let damage = workspace.damage()?;
    let words = damage.first().cloned().unwrap_or_else(|| "the file is sound".to_owned());
    findings.push(Finding { good: damage.is_empty(), what: "database", words });
    let clocks = workspace.clock_words()?;
    let words = if clocks.is_empty() {
        "no device's clock is ahead of this one's".to_owned()
    } else {
        clocks.join("; ")
    };
    findings.push(Finding { good: clocks.is_empty(), what: "clocks", words });
    let status = workspace.status()?;
    let protocols = workspace.protocols()?;
    for stream in workspace.streams()? {
        let found = protocols.for_stream(&stream);
        let words = match found {
            Some(published) => format!(
                "{stream}: reviewed by {} v{}",
                published.protocol.id, published.reference.version
            ),
            None => {
                format!("{stream}: no protocol. Publish one with `casework protocol publish FILE`")
            }
        };
        findings.push(Finding { good: found.is_some(), what: "stream", words });
    }
    for words in rival_words(&protocols) {
        findings.push(Finding { good: false, what: "protocol", words });
    }
    for words in workspace.parted_streams()? {
        findings.push(Finding { good: false, what: "stream", words });
    }
    findings.extend(serving(workspace)?);
    findings.extend(plugins(workspace)?);
    let unknown: u64 = status.unknown.iter().map(|(_, n)| n).sum();
    let words = format!("{} entries; {unknown} events of unknown kinds", status.entries);
    findings.push(Finding { good: unknown == 0, what: "journal", words });
    Ok(())
}
