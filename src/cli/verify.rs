//! `casework verify`: read everything again and name what was altered; write an entry out for other
//! tools.

use std::fs;
use std::path::{Path, PathBuf};

use super::out::{Out, done, say};
use super::{CliError, Context, Exit};
use crate::domain::ids::ReplicaId;
use crate::domain::text::counted;
use crate::journal::sshsig::{NAMESPACE, armored, public_line};
use crate::workspace::{WorkError, Workspace};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Check the journal alone, not whether what is read from it says the same
    #[arg(long)]
    quick: bool,
    /// Make what is read from the journal anew, if it was altered
    #[arg(long, conflicts_with_all = ["quick", "entry"])]
    rebuild: bool,
    /// Write one entry out, for ssh-keygen to verify: its number in this device's chain,
    /// REPLICA:SEQ, or the id of an event in it, as JSON and screens print it
    #[arg(long, value_name = "ENTRY", requires = "out")]
    entry: Option<String>,
    /// The directory to write it to
    #[arg(long, value_name = "DIR", requires = "entry")]
    out: Option<PathBuf>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = if args.rebuild { context.open()? } else { context.read()? };
    if args.rebuild {
        workspace.rebuild_views()?;
    }
    if let (Some(entry), Some(directory)) = (&args.entry, &args.out) {
        workspace.may_read_journal()?;
        return write_out(context, &workspace, entry, directory);
    }
    let mut out = Out::new();
    let damage = workspace.damage()?;
    let mut report = workspace.verify_all(args.quick)?;
    report.ok &= damage.is_empty();
    for fault in damage {
        report.faults.push(crate::journal::verify::FaultRow {
            replica: String::new(),
            seq: 0,
            fault: format!("the file: {fault}"),
        });
    }
    if context.global.json {
        out.json(&report)?;
    } else {
        for fault in &report.faults {
            match fault.replica.get(..8) {
                Some(replica) => out.line(&format!("{replica}:{}  {}", fault.seq, fault.fault))?,
                None => out.line(&fault.fault)?,
            }
        }
        if report
            .faults
            .iter()
            .any(|fault| fault.replica.is_empty() && fault.fault.starts_with("view_"))
        {
            say(
                "What commands read is not what the journal says: `casework verify --rebuild` makes it again from the journal.",
            );
        }
        for notice in &report.notices {
            out.line(notice)?;
        }
        let words = if report.ok { "nothing is altered" } else { "not all is well" };
        out.line(&format!(
            "{}, {}: {words}",
            counted(report.entries, "entry"),
            counted(report.faults.len(), "fault")
        ))?;
    }
    out.finish()?;
    Ok(if report.ok { Exit::Done } else { Exit::No })
}

/// Digits of a replica that are enough, if no other begins with them.
const SHORT: usize = 4;

/// The entry that a name means: its number in this device's chain, `REPLICA:SEQ`, or the id of an
/// event in it, each as it is printed, in full or by the first digits of the replica.
fn named(workspace: &Workspace, name: &str) -> Result<(ReplicaId, u64), CliError> {
    let bad = || {
        CliError::Use(format!(
            "`{name}` is no entry here: write its number, REPLICA:SEQ, or the id of an event"
        ))
    };
    let parts: Vec<&str> = name.split(':').collect();
    let (replica, seq) = match parts[..] {
        [seq] => (workspace.replica(), seq),
        [replica, seq] | [replica, seq, _] => {
            match workspace.replicas_beginning(&replica.to_lowercase())?[..] {
                [one] if replica.len() >= SHORT => (one, seq),
                [_, _, ..] => {
                    return Err(CliError::Use(format!(
                        "several devices begin with `{replica}`: write more of its digits"
                    )));
                }
                _ => return Err(bad()),
            }
        }
        _ => return Err(bad()),
    };
    Ok((replica, seq.parse().map_err(|_| bad())?))
}

fn write_out(
    context: &Context,
    workspace: &Workspace,
    name: &str,
    directory: &Path,
) -> Result<Exit, CliError> {
    let (replica, seq) = named(workspace, name)?;
    let bad = || CliError::Use(format!("`{name}` is no entry here"));
    let entry = workspace.entry(replica, seq)?.ok_or_else(bad)?;
    let failed =
        |error| CliError::Work(WorkError::File { path: directory.display().to_string(), error });
    fs::create_dir_all(directory).map_err(failed)?;
    fs::write(directory.join("entry.json"), &entry.body).map_err(failed)?;
    fs::write(directory.join("entry.json.sig"), armored(&entry.signature)).map_err(failed)?;
    let signer = format!("{replica} namespaces=\"{NAMESPACE}\" {}\n", public_line(&entry.key));
    fs::write(directory.join("allowed_signers"), signer).map_err(failed)?;
    let check = format!(
        "ssh-keygen -Y verify -f allowed_signers -I {replica} -n {NAMESPACE} -s entry.json.sig < entry.json"
    );
    let words = format!("Written to {}. To check it there:", directory.display());
    let document = serde_json::json!({
        "replica": replica, "seq": seq, "directory": directory.display().to_string(), "check": check,
    });
    done(context.global.json, &words, &document)?;
    if !context.global.json {
        say(&format!("  {check}"));
    }
    Ok(Exit::Done)
}
