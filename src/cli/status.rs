//! `casework status`: how the workspace stands.

use super::out::Out;
use super::{CliError, Context, Exit};
use crate::domain::text::counted;

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let status = context.read()?.status()?;
    let mut out = Out::new();
    if context.global.json {
        out.json(&status)?;
    } else {
        let cases = status.cases;
        out.line(&format!("{}  {}", status.team, status.workspace.get(..16).unwrap_or_default()))?;
        out.line(&format!(
            "cases    {} open, {} disputed, {} resolved",
            cases.open, cases.disputed, cases.resolved
        ))?;
        out.line(&format!(
            "labels   {}, and {} on this device",
            status.labels,
            counted(status.drafts, "draft")
        ))?;
        out.line(&format!(
            "journal  {} of {}",
            counted(status.entries, "entry"),
            counted(status.replicas, "device")
        ))?;
        match &status.sync {
            Some(sync) => {
                let last =
                    sync.last.map_or("never".to_owned(), |at| format!("last {}", at.minute()));
                out.line(&format!(
                    "store    {}: {last}, {} to be pushed",
                    sync.store,
                    counted(sync.unpushed, "entry")
                ))?;
                if let Some(trouble) = &sync.trouble {
                    out.line(&format!("trouble  {trouble}"))?;
                }
            }
            None if context.global.at.is_some() => {} // what a store held then is not known
            None => out.line("store    none: `casework sync --store URL` names one")?,
        }
        if status.waiting > 0 {
            out.line(&format!("waiting  {} ask to join: `casework roster show`", status.waiting))?;
        }
        if status.quarantined > 0 {
            out.line(&format!(
                "kept out {} entries or events do not count: `casework verify` says why",
                status.quarantined
            ))?;
        }
        for (kind, n) in &status.unknown {
            out.line(&format!("unknown  {n} events of kind {kind}: kept, and passed on; a newer casework may know them"))?;
        }
        out.line(&format!("digest   {}", status.digest))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
