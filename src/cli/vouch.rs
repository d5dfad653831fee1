//! `casework vouch` and `casework countersign`: a person's own SSH key says that this desk writes for
//! them, and holds it to what it wrote. The key stays where it is.

use std::io::Read as _;

use serde_json::json;

use super::out::{Out, done};
use super::{CliError, Context, Exit};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print what is to be signed, for `ssh-keygen -Y sign -n casework`
    #[arg(long)]
    print: bool,
}

/// Bytes of a signature: even one of a long key is much shorter.
const SIGNATURE_MAX: u64 = 64 << 10;

fn signature() -> Result<String, CliError> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(SIGNATURE_MAX).read_to_string(&mut text);
    read.map_err(|error| CliError::Use(format!("the signature: {error}")))?;
    Ok(text)
}

fn print(context: &Context, statement: &str) -> Result<Exit, CliError> {
    let mut out = Out::new();
    if context.global.json {
        out.json(&json!({ "statement": statement, "namespace": "casework" }))?;
    } else {
        out.line(statement.trim_end())?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

pub fn vouch(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    if args.print {
        return print(context, &workspace.vouch_statement()?);
    }
    let key = workspace.vouch(&signature()?)?;
    let name = workspace.me.clone();
    let words = format!("{key} vouches that this desk writes for {name}.");
    done(context.global.json, &words, &json!({ "name": name, "key": key }))?;
    Ok(Exit::Done)
}

pub fn countersign(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    if args.print {
        return print(context, &workspace.countersign_statement()?);
    }
    let (key, through) = workspace.countersign(&signature()?)?;
    let name = workspace.me.clone();
    let words =
        format!("{key} holds this desk to what it wrote for {name}, through entry {through}.");
    done(context.global.json, &words, &json!({ "name": name, "key": key, "through": through }))?;
    Ok(Exit::Done)
}
