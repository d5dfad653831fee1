//! How files are to be read: the options that commands which read them share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::Value;

use super::{CliError, TimeArg, missing_time};
use crate::config::Source;
use crate::domain::time::Moment;
use crate::format::kind::{KINDS, named};
use crate::format::mapping::Mapping;
use crate::format::open::{Inputs, Opened};
use crate::format::path::Path as Place;
use crate::format::read::Options;
use crate::format::read::bytes::encoding;
use crate::format::read::files::parts_of;
use crate::format::times::{Times, Zone};
use crate::workspace::{WorkError, Workspace, read_file};

/// Formats that are told by the file itself, however they are called.
const BY_THE_FILE: [&str; 4] = ["auto", "csv", "parquet", "arrow"];

#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "How files are read")]
pub struct ReadArgs {
    /// What the files are; told by what stands in them if it is not said: casework formats
    #[arg(long, value_name = "F", default_value = "auto")]
    pub format: String,
    /// A file with what [source] of config.toml may hold: where things stand in records
    #[arg(long, value_name = "FILE.toml")]
    map: Option<PathBuf>,
    /// Where the id stands: a column, or a path as meta.id, items[0].id, body.json().id
    #[arg(long, value_name = "PATH")]
    id: Option<String>,
    /// Where the time stands
    #[arg(long, value_name = "PATH")]
    time: Option<String>,
    /// Where the text stands
    #[arg(long, value_name = "PATH")]
    text: Option<String>,
    /// Where the predicted label stands
    #[arg(long, value_name = "PATH")]
    label: Option<String>,
    /// Where the model says how sure it is
    #[arg(long, value_name = "PATH")]
    confidence: Option<String>,
    /// The zone of times that say none: UTC, +02:00, Europe/Berlin
    #[arg(long, value_name = "ZONE", value_parser = Zone::parse)]
    pub timezone: Option<Zone>,
    /// How times are written, where not as usual: %d.%m.%Y %H:%M:%S
    #[arg(long, value_name = "FORM")]
    time_format: Option<String>,
    /// What stands for a time that is missing: a time, or `file` for when the file was changed
    #[arg(long, value_name = "TIME|file", value_parser = missing_time)]
    at: Option<TimeArg>,
    /// How the text is encoded, where it is not UTF-8: windows-1252, utf-16le
    #[arg(long, value_name = "E", value_parser = encoding)]
    encoding: Option<&'static encoding_rs::Encoding>,
    /// The sign between the cells of CSV; `tab` is one
    #[arg(long, value_name = "C")]
    delimiter: Option<String>,
    /// The first row of CSV is data: its columns are called c1, c2, …
    #[arg(long)]
    no_header: bool,
    /// The sign before the places of a number
    #[arg(long, value_name = "C", value_parser = [".", ","])]
    decimal: Option<String>,
    /// What NaN and Infinity stand for: `none` takes them for nothing
    #[arg(long, value_name = "none", value_parser = ["none"])]
    nan: Option<String>,
    /// Say what files were read as, and why, with the first record before and after; write nothing
    #[arg(long)]
    pub explain: bool,
}

impl ReadArgs {
    /// Whether nothing was said about how files are to be read.
    pub fn is_auto(&self) -> bool {
        let said = [&self.id, &self.time, &self.text, &self.label, &self.confidence];
        self.format == "auto"
            && self.map.is_none()
            && said.iter().all(|path| path.is_none())
            && self.encoding.is_none()
            && self.delimiter.is_none()
            && !self.no_header
    }

    /// Everything is told by the file.
    pub fn auto() -> Self {
        Self { format: "auto".to_owned(), ..Self::default() }
    }

    /// The inputs that `paths` stand for.
    pub fn inputs(
        &self,
        workspace: &Workspace,
        paths: &[PathBuf],
        stop: &Arc<AtomicBool>,
    ) -> Result<Inputs, CliError> {
        let mut parts = Vec::new();
        for path in paths {
            let failed = |error| WorkError::File { path: path.display().to_string(), error };
            parts.extend(parts_of(path).map_err(failed)?);
        }
        let missing = match self.at {
            Some(TimeArg::Missing(Some(at))) => Some(at),
            // When the first of them was changed.
            Some(TimeArg::Missing(None)) => paths.iter().find_map(|path| {
                let changed = path.metadata().ok()?.modified().ok()?;
                let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
                Some(Moment(since.as_millis() as i64))
            }),
            _ => None,
        };
        let times = Times { zone: self.timezone, written: self.time_format.clone(), missing };
        let options = Options { times: times.clone(), ..self.options(&times)? };
        Ok(Inputs::new(parts, workspace.reading(options)?, Arc::clone(stop)))
    }

    /// The same for labels, whose formats are others.
    pub fn inputs_of_labels(
        &self,
        workspace: &Workspace,
        paths: &[PathBuf],
        stop: &Arc<AtomicBool>,
    ) -> Result<Inputs, CliError> {
        if self.explain {
            return Err(CliError::Use(
                "--explain tells how predictions are read (`casework ingest`): of labels, --dry-run tells what would come in".to_owned(),
            ));
        }
        // What a label says stands where its program puts it.
        let of_predictions = [
            ("--id", self.id.is_some()),
            ("--time", self.time.is_some()),
            ("--label", self.label.is_some()),
            ("--confidence", self.confidence.is_some()),
            ("--map", self.map.is_some()),
            ("--nan", self.nan.is_some()),
            ("--decimal", self.decimal.is_some()),
        ];
        if let Some((name, _)) = of_predictions.iter().find(|(_, is_said)| *is_said) {
            return Err(CliError::Use(format!(
                "{name} tells where something stands in predictions (`casework ingest`), and nothing of labels"
            )));
        }
        let auto = Self { format: "auto".to_owned(), ..self.clone() };
        auto.inputs(workspace, paths, stop)
    }

    fn options(&self, times: &Times) -> Result<Options, CliError> {
        let format = match self.format.as_str() {
            "csv" => Some("csv"),
            name if BY_THE_FILE.contains(&name) => None,
            name => Some(named(name).ok_or_else(|| no_format(name))?.name),
        };
        let said = [
            ("id", &self.id),
            ("occurred_at", &self.time),
            ("text", &self.text),
            ("label", &self.label),
            ("confidence", &self.confidence),
        ];
        let columns: Vec<(&'static str, String)> =
            said.iter().filter_map(|(role, path)| Some((*role, (*path).clone()?))).collect();
        let decimal = |source: Source| match &self.decimal {
            Some(sign) => Source { decimal: sign.clone(), ..source },
            None => source,
        };
        let mapping = match &self.map {
            Some(path) => {
                let text = read_file(path)?;
                let bad = |why: String| CliError::Use(format!("{}: {why}", path.display()));
                let table: toml::Table =
                    text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
                let inner = table.get("source").cloned().unwrap_or(toml::Value::Table(table));
                let source: Source =
                    inner.try_into().map_err(|error: toml::de::Error| bad(error.to_string()))?;
                Some(Mapping::new(&decimal(source.with(&columns)), times.clone()).map_err(bad)?)
            }
            None => None,
        };
        let over = decimal(Source::default().with(&columns));
        let over = (!columns.is_empty()).then(|| Mapping::new(&over, times.clone()));
        let over = over.transpose().map_err(CliError::Use)?;
        let delimiter = match self.delimiter.as_deref() {
            None => None,
            Some("tab" | "\\t") => Some(b'\t'),
            Some(sign) if sign.len() == 1 => sign.bytes().next(),
            Some(sign) => {
                return Err(CliError::Use(format!("--delimiter is one sign, not `{sign}`")));
            }
        };
        Ok(Options {
            format,
            mapping,
            over,
            columns,
            encoding: self.encoding,
            delimiter,
            no_header: self.no_header,
            decimal_comma: self.decimal.as_deref() == Some(","),
            nan_is_none: self.nan.is_some(),
            ..Options::default()
        })
    }
}

fn no_format(name: &str) -> CliError {
    let known: Vec<&str> =
        BY_THE_FILE.iter().copied().chain(KINDS.iter().map(|kind| kind.name)).collect();
    CliError::Use(format!("no format `{name}`: there is {}", known.join(", ")))
}

/// What an input was read as, in words.
pub fn told(opened: &Opened) -> String {
    let seen = &opened.seen;
    let mut words: Vec<String> = seen.layers.clone();
    words.push(seen.container.words());
    match seen.kind {
        Some(kind) => words.push(kind.about.to_owned()),
        None if seen.mapped => words.push("records of another shape".to_owned()),
        None => words.push("of no shape that is known".to_owned()),
    }
    words.join(", ")
}

/// What `[source]` would have to say for records of a shape that nothing knows.
pub fn proposed(first: &Value) -> String {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut paths = Vec::new();
    walk(first, &mut String::new(), &mut paths);
    let names: [(&str, &[&str]); 5] = [
        ("id", &["id", "uuid", "request_id", "event_id"]),
        ("occurred_at", &["occurred_at", "timestamp", "time", "ts", "created_at", "date"]),
        ("text", &["text", "query", "utterance", "message", "prompt", "content", "q", "body"]),
        ("label", &["label", "prediction", "intent", "class", "output"]),
        ("confidence", &["confidence", "score", "probability"]),
    ];
    for (role, known) in names {
        let path = known.iter().find_map(|name| {
            paths.iter().find(|path| {
                path.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
            })
        });
        found.extend(path.map(|path| (role, path.clone())));
    }
    let mut out = String::from("[source]\nformat = \"json\"\n");
    for (role, _) in names {
        let path = found.iter().find(|(known, _)| *known == role).map_or("", |(_, path)| path);
        let path = if Place::parse(path).is_ok() { path } else { "" };
        out.push_str(&format!("{role} = {}\n", toml::Value::from(path)));
    }
    out
}

fn walk(value: &Value, path: &mut String, into: &mut Vec<String>) {
    let object = match value {
        Value::Object(object) if into.len() < 200 => object,
        Value::Object(_) | Value::Array(_) => return,
        _ => return into.push(path.clone()),
    };
    for (name, inner) in object {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        walk(inner, path, into);
        path.truncate(length);
    }
}

/// What reviewers are called elsewhere, and here: CSV with two columns, foreign and name.
pub fn reviewer_pairs(path: &std::path::Path) -> Result<Vec<(String, String)>, CliError> {
    let bad = |why: String| CliError::Use(format!("{}: {why}", path.display()));
    let text = read_file(path)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut pairs: Vec<(String, String)> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| bad(error.to_string()))?;
        let [foreign, name] =
            [record.get(0), record.get(1)].map(|cell| cell.unwrap_or_default().trim().to_owned());
        if (foreign.as_str(), name.as_str()) == ("foreign", "name") {
            continue;
        }
        if !crate::domain::roster::is_name(&name) {
            return Err(bad(format!("`{name}` is not a name")));
        }
        if foreign.is_empty() {
            return Err(bad(format!("{name} has no name elsewhere")));
        }
        if pairs.iter().any(|(known, of)| *known == foreign && *of != name) {
            return Err(bad(format!("`{foreign}` is named twice")));
        }
        pairs.push((foreign, name));
    }
    Ok(pairs)
}
