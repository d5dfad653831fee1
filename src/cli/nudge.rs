//! `casework nudge`: tells people what they owe, once: printed, posted, or by mail.
//!
//! Posting is left to programs that every closed network has: curl for a webhook, sendmail for
//! mail, or a command of one's own.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::domain::time::Moment;
use crate::journal::kind::NudgeSent;
use crate::review::sla::{DueItem, Duty};
use crate::workspace::bounds::Bound;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Post it as JSON to this URL, with curl
    #[arg(long, value_name = "URL", conflicts_with_all = ["command", "mail"])]
    webhook: Option<String>,
    /// Give it as JSON to the standard input of this command, one run for each person
    #[arg(long, value_name = "COMMAND", conflicts_with = "mail")]
    command: Option<String>,
    /// Send it by mail, with sendmail, to those whose address is given
    #[arg(long, value_name = "NAME=ADDRESS")]
    mail: Vec<String>,
    /// Also what is not overdue yet, but within so many hours
    #[arg(long, value_name = "HOURS", default_value_t = 4)]
    within: u32,
    /// Though they were told of it before
    #[arg(long)]
    again: bool,
    /// Say what would be told, and tell nobody
    #[arg(long)]
    dry_run: bool,
}

/// What one person is told.
struct Nudge {
    to: String,
    lines: Vec<String>,
    items: Vec<String>,
    document: Value,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = if args.dry_run { context.read()? } else { context.open()? };
    let now = workspace.now();
    let until = Moment(now.0 + i64::from(args.within) * 3_600_000);
    let (due_items, _) = workspace.due_by(until)?;
    let bounds = workspace.bounds(&due_items)?;
    let known = if args.again { std::collections::HashSet::new() } else { workspace.nudged()? };
    let mut nudges = nudges(&due_items, &known, until, now);
    let leads: Vec<String> = workspace
        .roster_now()?
        .into_iter()
        .filter(|grant| grant.role == crate::domain::roster::Role::Lead)
        .map(|grant| grant.name)
        .collect();
    add_bounds(&mut nudges, &bounds, &leads, &known, now);
    // Whoever is told by a machine should know of which team and workspace it speaks.
    let (team, id) = (workspace.team()?, workspace.id()?);
    for nudge in &mut nudges {
        nudge.document["team"] = team.as_str().into();
        nudge.document["workspace"] = id.to_string().into();
    }
    let addresses = addresses(&args.mail)?;
    let mut out = Out::new();
    let (mut sent, mut failed) = (Vec::new(), 0);
    let way = match args {
        Args { webhook: Some(_), .. } => "webhook",
        Args { command: Some(_), .. } => "command",
        Args { mail, .. } if !mail.is_empty() => "mail",
        _ => "print",
    };
    for nudge in &nudges {
        if args.dry_run || way == "print" {
            print(&mut out, context.global.json, nudge)?;
        }
        if args.dry_run {
            continue;
        }
        let told = match args {
            Args { webhook: Some(url), .. } => post(url, &nudge.document).map(|()| true),
            Args { command: Some(command), .. } => {
                pipe(Command::new("sh").args(["-c", command]), &nudge.document.to_string())
                    .map(|()| true)
            }
            _ if way == "mail" => addresses
                .get(&nudge.to)
                .map_or(Ok(false), |address| mail(address, nudge).map(|()| true)),
            _ => Ok(true),
        };
        match told {
            Ok(true) => sent.push(NudgeSent {
                to: nudge.to.clone(),
                by: way.to_owned(),
                items: nudge.items.clone(),
            }),
            Ok(false) => say(&format!("{} has no address: --mail {}=ADDRESS", nudge.to, nudge.to)),
            Err(error) => {
                failed += 1;
                say(&format!("{} was not told: {error}", nudge.to));
            }
        }
    }
    out.finish()?;
    let told = sent.len();
    if !sent.is_empty() {
        workspace.record_nudges(sent)?;
    }
    if !context.global.json {
        match (nudges.len(), args.dry_run) {
            // A timer that has nothing to tell keeps quiet.
            (0, false) if !std::io::stderr().is_terminal() => {}
            (0, _) => say("There is nothing new to tell anybody."),
            (n, true) => say(&format!("{n} would be told.")),
            (_, false) => say(&format!("{told} were told ({way}).")),
        }
    }
    if failed > 0 {
        return Err(CliError::Use(format!(
            "{failed} could not be notified; they will be the next time"
        )));
    }
    Ok(if nudges.is_empty() && args.dry_run { Exit::No } else { Exit::Done })
}

/// Cases that a document names; how many more there are it says.
const IDS_MAX: usize = 50;

fn nudges(
    due_items: &[DueItem],
    known: &std::collections::HashSet<String>,
    until: Moment,
    now: Moment,
) -> Vec<Nudge> {
    let mut people: BTreeMap<&str, BTreeMap<Duty, Vec<&DueItem>>> = BTreeMap::new();
    for one in due_items {
        // What lies with somebody because it was escalated, disputed or asked, they are told of at
        // once.
        if one.what == Duty::Label && one.due > until {
            continue;
        }
        for who in one.who.iter().filter(|who| !known.contains(&one.key(who))) {
            people.entry(who).or_default().entry(one.what).or_default().push(one);
        }
    }
    let nudge = |(who, clocks): (&str, BTreeMap<Duty, Vec<&DueItem>>)| {
        let mut lines = Vec::new();
        let mut documents = Vec::new();
        let mut items = Vec::new();
        for (clock, all) in &clocks {
            let owed = |overdue: bool| -> usize {
                let counted = all.iter().filter(|item| !overdue || item.is_overdue(now));
                counted.map(|item| item.cases).sum()
            };
            let (cases, late) = (owed(false), owed(true));
            let first = all.iter().map(|item| item.due).min().unwrap_or(now);
            let overdue = if late > 0 { format!(", {late} overdue") } else { String::new() };
            lines.push(format!(
                "{cases} {}, the first {}{overdue}",
                clock.about(cases),
                first.due_words(now)
            ));
            let mut ids: Vec<_> = all.iter().filter_map(|item| item.case).collect();
            let more = ids.len().saturating_sub(IDS_MAX);
            ids.truncate(IDS_MAX);
            documents.push(json!({ "what": clock, "cases": cases, "overdue": late, "first_due": first.rfc3339(), "ids": ids, "more": more,
                "session": all.first().and_then(|item| item.session.clone()),
                "terms": all.iter().filter_map(|item| item.term.as_deref()).collect::<Vec<_>>(),
                "alarms": all.iter().filter_map(|item| item.alarm.as_deref()).collect::<Vec<_>>() }));
            items.extend(all.iter().map(|item| item.key(who)));
        }
        let text = format!("{who}: {}", lines.join("; "));
        Nudge {
            to: who.to_owned(),
            lines,
            items,
            document: json!({ "to": who, "text": text, "owes": documents }),
        }
    };
    people.into_iter().map(nudge).collect()
}

/// Leads are told once a day which bounds are crossed.
fn add_bounds(
    nudges: &mut Vec<Nudge>,
    bounds: &[Bound],
    leads: &[String],
    known: &std::collections::HashSet<String>,
    now: Moment,
) {
    for bound in bounds.iter().filter(|bound| bound.is_crossed()) {
        let line = format!("{}: it is {}", bound.threshold, bound.words());
        for lead in leads {
            let key = format!("{lead}\u{1f}{}\u{1f}{}", bound.threshold, now.date());
            let key: String =
                blake3::hash(key.as_bytes()).to_hex().as_str().chars().take(16).collect();
            if known.contains(&key) {
                continue;
            }
            let at = nudges.iter().position(|nudge| nudge.to == *lead).unwrap_or_else(|| {
                let document = json!({ "to": lead, "text": format!("{lead}: "), "owes": [] });
                nudges.push(Nudge {
                    to: lead.clone(),
                    lines: Vec::new(),
                    items: Vec::new(),
                    document,
                });
                nudges.len() - 1
            });
            nudges[at].lines.push(line.clone());
            nudges[at].items.push(key);
            let text = format!("{lead}: {}", nudges[at].lines.join("; "));
            nudges[at].document["text"] = text.into();
        }
    }
}

fn print(out: &mut Out, json: bool, nudge: &Nudge) -> std::io::Result<()> {
    if json {
        return out.json(&nudge.document);
    }
    out.line(&nudge.to)?;
    nudge.lines.iter().try_for_each(|line| out.line(&format!("  {line}")))
}

fn addresses(mail: &[String]) -> Result<BTreeMap<String, String>, CliError> {
    let pair = |text: &String| {
        let parts = text.split_once('=').filter(|(name, address)| {
            !name.is_empty()
                && address.contains('@')
                && !address.contains(|c: char| c.is_control() || c.is_whitespace())
        });
        let (name, address) = parts
            .ok_or_else(|| CliError::Use(format!("--mail takes NAME=ADDRESS, not `{text}`")))?;
        Ok((name.to_owned(), address.to_owned()))
    };
    mail.iter().map(pair).collect()
}

fn post(url: &str, document: &Value) -> Result<(), String> {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--max-time", "30", "--proto", "=http,https"]);
    curl.args([
        "--header",
        "Content-Type: application/json",
        "--data-binary",
        "@-",
        "--output",
        "/dev/null",
        "--url",
        url,
    ]);
    pipe(&mut curl, &document.to_string())
}

fn mail(address: &str, nudge: &Nudge) -> Result<(), String> {
    // Nothing of it comes from outside: names are letters and digits, lines are ours.
    let text = format!(
        "To: {address}\nSubject: casework: {} to do\nContent-Type: text/plain; charset=utf-8\n\n{}\n",
        nudge.items.len(),
        nudge.lines.join("\n")
    );
    let place = ["/usr/sbin/sendmail", "/usr/lib/sendmail"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists());
    pipe(Command::new(place.unwrap_or("sendmail")).args(["-t", "-i"]), &text)
}

/// Runs a program with a text on its standard input; what it prints goes to standard error.
fn pipe(command: &mut Command, text: &str) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{name} is not installed here"),
        _ => format!("{name}: {error}"),
    };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read to the end is told by its exit code.
        let _ = input.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(if words.is_empty() {
        format!("{name} ended with {}", output.status)
    } else {
        format!("{name}: {words}")
    })
}
