//! `casework export`: labels or resolved cases, each with the events it rests on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::archive::{self, aside};
use super::out::{Out, say};
use super::read_back::Written;
use super::reading::reviewer_pairs;
use super::{CliError, Context, Exit};
use crate::domain::label::MAIN_ROUND;
use crate::domain::text::counted;
use crate::format::folder::{Put, put as put_into};
use crate::format::kind::{NOT_BUILT, PEERS};
use crate::format::peer::{Item, Out as PeerOut, PeerKind, PeerOptions};
use crate::format::{ExportRow, FORMATS, Rows};
use crate::review::sight::left_out;
use crate::workspace::export::Exported;
use crate::workspace::{WorkError, Workspace, read_file};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// jsonl (every field, exact), csv (for spreadsheets), or what another program reads: casework
    /// formats lists them
    #[arg(long, value_name = "F", default_value = "jsonl")]
    format: String,
    /// A row for each label, or for each resolved case; labels, where a format takes both
    #[arg(long, value_parser = ["labels", "cases"])]
    rows: Option<String>,
    /// List who exported everything, also what reviewers are not shown, and when
    #[arg(long, conflicts_with_all = ["format", "rows", "out"])]
    recorded: bool,
    /// Write to a file or a folder instead of standard output
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// What reviewers are called elsewhere: CSV with two columns, foreign and name
    #[arg(long, value_name = "FILE.csv")]
    reviewers: Option<PathBuf>,
    /// How a chat asks, with {text} where the text stands; above a line of --- stands what the system
    /// says
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Begin CSV with a byte order mark, which Excel wants
    #[arg(long)]
    bom: bool,
    /// Read what was written again, and hold it against what was to be written
    #[arg(long, requires = "out")]
    check: bool,
    /// Leave out what has no place in the format, instead of refusing
    #[arg(long)]
    lossy: bool,
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
    } else if exported.rows == 0 {
        say("Nothing is there to be exported yet.");
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
    if args.bom && args.format != "csv" {
        return Err(CliError::Use("--bom is for csv".to_owned()));
    }
    if args.check && !PEERS.iter().any(|peer| peer.name == args.format) {
        return Err(CliError::Use("--check is for formats of other programs".to_owned()));
    }
    if let Some(peer) = PEERS.iter().find(|peer| peer.name == args.format) {
        return to_peer(context, args, peer);
    }
    if NOT_BUILT.contains(&args.format.as_str()) {
        return Err(CliError::Use(format!(
            "{} is written by a casework that was built with `--features parquet`",
            args.format
        )));
    }
    let kind = FORMATS.iter().find(|kind| kind.name == args.format).ok_or_else(|| {
        let known = FORMATS.iter().map(|kind| kind.name).chain(PEERS.iter().map(|peer| peer.name));
        let known: Vec<&str> = known.collect();
        CliError::Use(format!("no format `{}`: there is {}", args.format, known.join(", ")))
    })?;
    let rows = args.rows.as_deref().unwrap_or("labels");
    let mut workspace = may_export(context, rows, kind.name)?;
    let rows = if rows == "cases" { Rows::Cases } else { Rows::Labels };
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
    if args.bom {
        out.write_all("\u{feff}".as_bytes())?;
    }
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
        say(&format!("{} written to {}", counted(exported.rows, "row"), path.display()));
    }
    told(&exported);
    Ok(Exit::Done)
}

/// The workspace to export from; where nothing is left out, that is recorded.
pub(super) fn may_export(
    context: &Context,
    rows: &str,
    format: &str,
) -> Result<Workspace, CliError> {
    let workspace = context.read()?;
    if workspace.exports_everything()? {
        context.open_now()?.record_export(rows, format)?;
        say("You review nothing, so that nothing is left out; that you export it all is recorded.");
    }
    Ok(workspace)
}

/// What became of the files of the exports before.
fn tell_of(put: &Put) {
    if put.removed > 0 {
        let files = counted(put.removed, "file");
        say(&format!("{files} of an export before held what is no part of it now: removed."));
    }
    if let Some(first) = put.changed.first() {
        let files = counted(put.changed.len(), "file");
        say(&format!(
            "{files} of an export before held what is no part of it now, and changed since: left \
             there, as {first}."
        ));
    }
}

/// Names of reviewers elsewhere: two columns, foreign and name.
fn reviewers(path: Option<&Path>) -> Result<BTreeMap<String, String>, CliError> {
    let Some(path) = path else { return Ok(BTreeMap::new()) };
    let pairs = reviewer_pairs(path)?;
    Ok(pairs.into_iter().map(|(foreign, name)| (name, foreign)).collect())
}

/// Writes what another program reads: beside its place first, so that nothing half is left there.
fn to_peer(context: &Context, args: &Args, peer: &PeerKind) -> Result<Exit, CliError> {
    let rows = match args.rows.as_deref() {
        None => peer.rows.first().copied().unwrap_or(Rows::Labels),
        Some(asked) => *peer.rows.iter().find(|rows| rows.as_str() == asked).ok_or_else(|| {
            let known: Vec<&str> = peer.rows.iter().map(|rows| rows.as_str()).collect();
            CliError::Use(format!("{} has rows of {} only", peer.name, known.join(" and ")))
        })?,
    };
    if peer.folder && args.out.is_none() {
        archive::may_go_out(peer.name)?;
    }
    let mut workspace = may_export(context, rows.as_str(), peer.name)?;
    let protocols = workspace.protocols()?;
    let in_force: Vec<_> =
        protocols.in_force().iter().map(|published| published.protocol.clone()).collect();
    let mut older: Vec<_> =
        protocols.published.iter().map(|published| published.protocol.clone()).collect();
    older.reverse();
    let options = PeerOptions {
        protocols: in_force,
        older,
        reviewers: reviewers(args.reviewers.as_deref())?,
        prompt: args.prompt.as_deref().map(read_file).transpose()?,
        title: workspace.team()?,
    };
    let place = args.out.as_deref().unwrap_or(Path::new("-"));
    let failed = |error| WorkError::File { path: place.display().to_string(), error };
    if peer.folder && place.exists() && !place.is_dir() {
        return Err(CliError::Use(format!(
            "{} is a file, where a folder is to be",
            place.display()
        )));
    }
    let aside = aside(context, &workspace, args.out.as_deref())?;
    let (folder, one) = (aside.path().join("out"), aside.path().join("one"));
    let mut out = if peer.folder {
        std::fs::create_dir(&folder).map_err(failed)?;
        PeerOut::to_folder(&folder)
    } else {
        PeerOut::to_one(Box::new(BufWriter::new(File::create(&one).map_err(failed)?)))
    };
    let mut written = Written::new(peer.name, args.check.then(|| options.clone()));
    let mut writer = (peer.make)(options);
    let mut last: Option<Item> = None;
    let mut other_rounds = 0_u64;
    let exported = workspace.export::<_, CliError>(rows, Ok, |rows| {
        for row in rows {
            // One answer a reviewer: the one that counts, of the round that settles.
            if let ExportRow::Label(label) = &row
                && (!label.counts || label.round != MAIN_ROUND)
            {
                other_rounds += 1;
                continue;
            }
            let (done, next) = Item::add(last.take(), row);
            if let Some(item) = done {
                written.add(&item);
                writer.item(&item, &mut out)?;
            }
            last = next;
        }
        Ok(())
    })?;
    if let Some(item) = last {
        written.add(&item);
        writer.item(&item, &mut out)?;
    }
    writer.end(&mut out)?;
    drop(writer);
    let left_out = other_rounds + out.rows_left_out();
    let lost = out.finish()?;
    let words: Vec<String> = lost.iter().map(|(what, n)| format!("{n} {what}")).collect();
    if !lost.is_empty() && !args.lossy {
        return Err(CliError::Use(format!(
            "{} has no place for {}: --lossy leaves them out",
            peer.name,
            words.join(", ")
        )));
    }
    let mut put = Put::default();
    match &args.out {
        Some(path) if peer.folder => put = put_into(&folder, path, peer.name).map_err(failed)?,
        Some(path) => std::fs::rename(&one, path).map_err(failed)?,
        None if peer.folder => archive::send(&folder)?,
        None => {
            let mut to = Out::new();
            io::copy(&mut File::open(&one).map_err(failed)?, &mut to)?;
            to.flush()?;
        }
    }
    if let Some(path) = &args.out {
        workspace.exported(path)?;
        say(&format!(
            "{} written to {} for {}",
            counted(exported.rows.saturating_sub(left_out), "row"),
            path.display(),
            peer.name
        ));
        tell_of(&put);
    }
    if !words.is_empty() {
        say(&format!("Left out: {}.", words.join(", ")));
    }
    if other_rounds > 0 {
        say(&format!("{other_rounds} labels that do not count, or only measure, are left out."));
    }
    told(&exported);
    if let (true, Some(path)) = (args.check, &args.out) {
        say(&written.check(path, args.lossy)?);
    }
    Ok(Exit::Done)
}
