//! `casework status`: how the workspace stands.

use super::out::Out;
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context, _args: &Args) -> Result<Exit, CliError> {
    let status = context.open()?.status()?;
    let mut out = Out::new();
    if context.global.json {
        out.json(&status)?;
    } else {
        let cases = status.cases;
        out.line(&format!("{}  {}", status.team, status.workspace.get(..16).unwrap_or_default()))?;
        out.line(&format!("cases    {} open, {} disputed, {} resolved", cases.open, cases.disputed, cases.resolved))?;
        out.line(&format!("labels   {}, and {} drafts on this device", status.labels, status.drafts))?;
        out.line(&format!("journal  {} entries of {} replicas", status.entries, status.replicas))?;
        for (kind, n) in &status.unknown {
            out.line(&format!("unknown  {n} events of kind {kind}: kept, and passed on; a newer casework may know them"))?;
        }
        out.line(&format!("digest   {}", status.digest))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}
