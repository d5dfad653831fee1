//! `casework reference`: what a stream is like when it is as it should be.

use std::path::PathBuf;

use serde_json::json;

use super::out::{Out, done, say};
use super::{CliError, Context, Exit, TimeArg, since, time};
use crate::clock;
use crate::workspace::references::CountedRows;
use crate::workspace::traps::read_traps;

#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Count the predictions of a file, or the rows of a cut, so that traps and alarms are held
    /// against them
    #[command(group = clap::ArgGroup::new("counted").required(true))]
    Set {
        name: String,
        /// JSON lines of predictions, or of training data: text and label
        #[arg(long, value_name = "FILE", group = "counted")]
        file: Option<PathBuf>,
        /// The cases of a cut, with the labels that they have in it
        #[arg(long, value_name = "CUT", group = "counted")]
        cut: Option<String>,
        /// Only predictions from then on
        #[arg(long, value_name = "TIME", value_parser = since)]
        from: Option<TimeArg>,
        /// Only predictions before then
        #[arg(long, value_name = "TIME", value_parser = time)]
        to: Option<TimeArg>,
        /// Count what this trap file asks for too, before it is published
        #[arg(long, value_name = "FILE")]
        traps: Option<PathBuf>,
    },
    /// List the references that were set, the latest first: it is the one that counts
    List,
}

pub fn run(context: &Context, what: &What) -> Result<Exit, CliError> {
    match what {
        What::Set { name, file, cut, from, to, traps } => {
            let traps = traps.as_deref().map(read_traps).transpose()?;
            let mut workspace = context.open()?;
            let at =
                |time: &Option<TimeArg>| time.map(|time| time.moment(clock::now())).transpose();
            let counted = match (file, cut) {
                (Some(file), _) => CountedRows::File(file),
                (None, cut) => CountedRows::Cut(cut.as_deref().unwrap_or_default()),
            };
            let (set, unread) =
                workspace.set_reference(name, counted, [at(from)?, at(to)?], traps.as_ref())?;
            let words = format!("reference `{name}` is set: {} predictions counted", set.rows);
            done(
                context.global.json,
                &words,
                &json!({ "name": name, "rows": set.rows, "blob": set.blob, "rejected": unread.as_ref().map_or(0, |(n, ..)| *n) }),
            )?;
            if let Some((n, line, why)) = unread {
                let what = if cut.is_some() { "row" } else { "line" };
                say(&format!(
                    "{n} {what}s could not be read and do not count, the first is {what} {line}: {why}"
                ));
            }
            Ok(Exit::Done)
        }
        What::List => {
            let known = context.read()?.references()?;
            let mut out = Out::new();
            for one in &known {
                let (set, at) = (&one.set, one.at);
                if context.global.json {
                    out.json(&json!({ "name": set.name, "stream": set.stream, "rows": set.rows,
                        "from": set.from.rfc3339(), "to": set.to.rfc3339(), "blob": set.blob,
                        "at": at.rfc3339(), "author": one.author }))?;
                } else {
                    let stream = if set.stream.is_empty() { "any stream" } else { &set.stream };
                    out.line(&format!(
                        "{:<20} {:>9} rows of {stream}, set {} by {}",
                        set.name,
                        set.rows,
                        at.minute(),
                        one.author
                    ))?;
                }
            }
            out.finish()?;
            if known.is_empty() {
                say("No reference is set here.");
            }
            Ok(if known.is_empty() { Exit::No } else { Exit::Done })
        }
    }
}
