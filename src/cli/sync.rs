//! `casework sync`: exchange with the shared store.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::doctor::rival_words;
use super::out::{Out, say};
use super::{CliError, Context, Exit, stopped_by_signals};
use crate::clock;
use crate::domain::text::counted;
use crate::sync::{Fault, Store, SyncError, Synced};
use crate::workspace::{WorkError, Workspace};

/// The longest pause between two attempts on a store that does not answer.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Quarantined entries that are named; --json has them all.
const NAMED_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Another store than the workspace's own
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Go on until stopped: what is written here goes out within a second, others' work comes at
    /// once where the store can tell, else every 30 s ([sync] every_seconds)
    #[arg(long)]
    watch: bool,
    /// Read every segment of the store, name what is damaged, and write anew what is here
    #[arg(long, conflicts_with = "watch")]
    check: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let stop = stopped_by_signals()?;
    let go_on = || !stop.load(Ordering::Relaxed);
    if !args.watch {
        let mut store = workspace.open_store(args.store.as_deref())?;
        let damaged =
            if args.check { workspace.check_store(&mut *store, &go_on)? } else { Vec::new() };
        let mut synced = workspace.sync_with(&mut *store, &go_on)?;
        let sound = damaged.is_empty();
        synced.quarantined.splice(0..0, damaged);
        report(context, &workspace, &synced, true)?;
        return Ok(if sound { Exit::Done } else { Exit::No });
    }
    watch(context, args, &mut workspace, &go_on)
}

fn watch(
    context: &Context,
    args: &Args,
    workspace: &mut Workspace,
    go_on: &dyn Fn() -> bool,
) -> Result<Exit, CliError> {
    let every = Duration::from_secs(workspace.config.sync.every_seconds.max(1));
    let mut pause = every;
    let mut store: Option<Box<dyn Store>> = None;
    let mut first = true;
    while go_on() {
        let result = (|| {
            let open = match &mut store {
                Some(open) => open,
                none => none.insert(workspace.open_store(args.store.as_deref())?),
            };
            workspace.sync_with(&mut **open, go_on)
        })();
        match result {
            Ok(synced) => {
                report(context, workspace, &synced, first)?;
                first = false;
                pause = every;
            }
            Err(WorkError::Sync(SyncError::Stopped)) => break,
            // What a person must settle is not waited for.
            Err(error) if first || !matches!(error, WorkError::Sync(SyncError::Store(_))) => {
                return Err(error.into());
            }
            Err(error) => {
                say(&format!("casework: {error}; trying again in {} s", pause.as_secs()));
                store = None;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
        let wrote = || workspace.sync_status().is_ok_and(|status| status.unpushed > 0);
        wait(store.as_deref_mut(), pause, go_on, wrote);
    }
    Ok(Exit::Done)
}

/// Waits for news, here or there, or for the time to be over; a signal ends it soon.
fn wait(
    mut store: Option<&mut (dyn Store + '_)>,
    time: Duration,
    go_on: &dyn Fn() -> bool,
    wrote: impl Fn() -> bool,
) {
    let begun = clock::instant();
    // While the store does not answer, what is written here waits with the rest.
    while go_on() && begun.elapsed() < time && !(store.is_some() && wrote()) {
        let piece = Duration::from_millis(500).min(time.saturating_sub(begun.elapsed()));
        match &mut store {
            Some(store) => match store.wait(piece) {
                Ok(true) => return,
                Ok(false) => {}
                Err(_) => std::thread::sleep(piece), // the next sync says so
            },
            None => std::thread::sleep(piece),
        }
    }
}

fn report(
    context: &Context,
    workspace: &Workspace,
    synced: &Synced,
    always: bool,
) -> Result<(), CliError> {
    let Synced { pushed, pulled, merged, notices, quarantined, erased, .. } = synced;
    if !always && pushed.entries + pulled.entries == 0 && notices.is_empty() && erased.is_empty() {
        return Ok(());
    }
    let mut out = Out::new();
    if context.global.json {
        let digest = workspace.known_digest()?;
        out.json(
            &json!({ "pushed": pushed, "pulled": pulled, "merged": merged, "notices": notices,
            "quarantined": quarantined, "erased": erased, "digest": digest }),
        )?;
        return Ok(out.finish()?);
    }
    let entries = if pushed.entries == 1 { "entry" } else { "entries" };
    let segments = if pushed.segments == 1 { "segment" } else { "segments" };
    out.line(&format!(
        "pushed {} {entries} ({} B in {} {segments}), pulled {} ({} B in {})",
        pushed.entries,
        pushed.bytes,
        pushed.segments,
        pulled.entries,
        pulled.bytes,
        pulled.segments
    ))?;
    out.finish()?;
    for notice in notices {
        say(&format!("  {notice}"));
    }
    for id in erased {
        say(&format!("  erased from the store: {id}"));
    }
    named(quarantined);
    if pulled.entries > 0 {
        rival_words(&workspace.protocols()?).iter().for_each(|words| say(&format!("{words}.")));
    }
    if let Some((session, left)) = workspace.session_waits()?.filter(|_| pulled.entries > 0) {
        say(&format!(
            "The calibration session {session} waits for you: {} (casework calibrate label {session}).",
            counted(left, "case")
        ));
    }
    Ok(())
}

/// Names what was kept out, on standard error.
pub fn named(faults: &[Fault]) {
    if !faults.is_empty() {
        say(&format!("  {} kept out, the rest counts:", faults.len()));
    }
    for Fault { replica, seq, fault } in faults.iter().take(NAMED_MAX) {
        say(&format!("  {}:{seq}  {fault}", replica.get(..8).unwrap_or_default()));
    }
    if faults.len() > NAMED_MAX {
        say(&format!("  … and {} more; --json lists them", faults.len() - NAMED_MAX));
    }
}
