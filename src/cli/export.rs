//! `casework export`: labels or resolved cases, each with the events it rests on.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::out::{Out, say};
use super::{CliError, Context, Exit};
use crate::format::{ExportRow, FORMATS, Rows};
use crate::review::sight::left_out;
use crate::workspace::WorkError;
use crate::workspace::export::Exported;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// jsonl (every field, exact), or csv (for spreadsheets)
    #[arg(long, value_name = "F", default_value = "jsonl")]
    format: String,
    /// A row for each label, or for each resolved case
    #[arg(long, value_parser = ["labels", "cases"], default_value = "labels")]
    rows: String,
    /// List who exported everything, also what reviewers are not shown, and when
    #[arg(long, conflicts_with_all = ["format", "rows", "out"])]
    recorded: bool,
    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Who exported everything.
fn recorded(context: &Context) -> Result<Exit, CliError> {
    let mut out = Out::new();
    let exports = context.read()?.exports()?;
    for (at, author, exported) in &exports {
        if context.global.json {
            out.json(&serde_json::json!({
                "at": at.rfc3339(), "author": author, "rows": exported.rows, "format": exported.format,
            }))?;
        } else {
            let what = format!("{} as {}", exported.rows, exported.format);
            out.line(&format!("{}  {author:<16} {what}", at.minute()))?;
        }
    }
    out.finish()?;
    Ok(if exports.is_empty() { Exit::No } else { Exit::Done })
}

/// Says what of the rows a reader should know.
fn told(exported: &Exported) {
    if let Some(words) = left_out(exported.left_out, "rows") {
        say(&words);
    }
    let say_of = |n: usize, words: &str| {
        if n > 0 {
            say(&format!("{n} {}: {words}", if n == 1 { "case" } else { "cases" }));
        }
    };
    say_of(exported.erased, "the input was erased, so that text and input are empty");
    say_of(exported.without_payload, "the input is not on this device yet (casework sync)");
    say_of(
        exported.contradicted,
        "another case has the same input and counts as something else (casework conflicts)",
    );
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    if args.recorded {
        return recorded(context);
    }
    let kind = FORMATS.iter().find(|kind| kind.name == args.format).ok_or_else(|| {
        let known: Vec<String> =
            FORMATS.iter().map(|kind| format!("{} ({})", kind.name, kind.about)).collect();
        CliError::Use(format!("no format `{}`: there is {}", args.format, known.join(", ")))
    })?;
    let mut workspace = context.read()?;
    if workspace.exports_everything()? {
        context.open_now()?.record_export(&args.rows, kind.name)?;
        say("You review nothing, so that nothing is left out; that you export it all is recorded.");
    }
    let rows = if args.rows == "cases" { Rows::Cases } else { Rows::Labels };
    let mut format = (kind.make)(rows);
    if format.looks_first() {
        let look = |rows: Vec<ExportRow>| Ok(rows.iter().try_for_each(|row| format.look(row))?);
        workspace.export::<_, CliError>(rows, Ok, look)?;
    }
    let mut out: Box<dyn Write> = match &args.out {
        Some(path) => {
            let failed = |error| WorkError::File { path: path.display().to_string(), error };
            Box::new(BufWriter::new(File::create(path).map_err(failed)?))
        }
        None => Box::new(Out::new()),
    };
    out.write_all(&format.head()?)?;
    let written = |rows: Vec<ExportRow>| -> Result<Vec<u8>, CliError> {
        let mut bytes = Vec::new();
        rows.iter().try_for_each(|row| format.row(&mut bytes, row))?;
        Ok(bytes)
    };
    let exported = workspace.export(rows, written, |bytes| Ok(out.write_all(&bytes)?))?;
    out.flush()?;
    if let Some(path) = &args.out {
        workspace.exported(path)?;
        say(&format!("{} rows written to {}", exported.rows, path.display()));
    }
    told(&exported);
    Ok(Exit::Done)
}
