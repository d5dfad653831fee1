//! `casework vouch` and `casework countersign`: a person's own SSH key says that this desk writes for
//! them, and holds it to what it wrote. The key stays where it is.

use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde_json::json;

use super::out::{Out, done};
use super::{CliError, Command, Context, Exit};
use crate::clock;
use crate::workspace::Workspace;
use crate::workspace::vouched::Signed;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print what is to be signed, for `ssh-keygen -Y sign -n casework`
    #[arg(long)]
    print: bool,
}

/// Bytes of a signature: even one of a long key is much shorter.
const SIGNATURE_MAX: u64 = 64 << 10;

/// How long whoever came over SSH has to send it, before anything else is done for them.
const SENT_WITHIN: Duration = Duration::from_secs(60);

fn signature(within: Option<Duration>) -> Result<String, CliError> {
    let failed = |error: std::io::Error| CliError::Use(format!("the signature: {error}"));
    let mut text = Vec::new();
    let (stdin, begun) = (std::io::stdin(), clock::instant());
    let mut buffer = [0; 4_096];
    while (text.len() as u64) < SIGNATURE_MAX {
        if let Some(within) = within {
            let left = within.saturating_sub(begun.elapsed());
            let wait = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: 0 };
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut fds, Some(&wait)) {
                Ok(0) => return Err(CliError::Use("no signature was sent".to_owned())),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => return Err(failed(error.into())),
            }
        }
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(0) => break,
            Ok(read) => text.extend_from_slice(&buffer[..read]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(failed(error.into())),
        }
    }
    String::from_utf8(text).map_err(|_| CliError::Use("the signature is no text".to_owned()))
}

/// What a command that takes a signature was sent by whoever came over SSH, while a program can
/// still be run to check it: only `ssh-keygen` knows all kinds of keys.
pub fn signed_first(
    workspace: &Workspace,
    command: Option<&Command>,
) -> Result<Option<Signed>, CliError> {
    let sent = || signature(Some(SENT_WITHIN));
    Ok(match command {
        Some(Command::Vouch(args)) if !args.print => Some(workspace.signed_vouch(&sent()?)?),
        Some(Command::Countersign(args)) if !args.print => {
            Some(workspace.signed_countersign(&sent()?)?)
        }
        _ => None,
    })
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
    let signed = match context.signed.clone() {
        Some(signed) => signed,
        None => workspace.signed_vouch(&signature(None)?)?,
    };
    let key = workspace.vouch(signed)?;
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
    let signed = match context.signed.clone() {
        Some(signed) => signed,
        None => workspace.signed_countersign(&signature(None)?)?,
    };
    let (key, through) = workspace.countersign(signed)?;
    let name = workspace.me.clone();
    let words =
        format!("{key} holds this desk to what it wrote for {name}, through entry {through}.");
    done(context.global.json, &words, &json!({ "name": name, "key": key, "through": through }))?;
    Ok(Exit::Done)
}
