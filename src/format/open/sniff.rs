//! What a file is, told by what stands in it, with the reasons.

use std::io::Cursor;

use serde_json::{Map, Value};

use super::BadInput;
use crate::domain::prediction::Reject;
use crate::domain::written;
use crate::format::foreign::LabelsIn;
use crate::format::kind::table::Columns;
use crate::format::kind::{KINDS, Kind, LABELS, kafka, named};
use crate::format::path::Path;
use crate::format::read::bytes::Flaws;
use crate::format::read::csv::{Dialect, Rows};
use crate::format::read::objects::{Lines, Objects};
use crate::format::read::{Cases, Options};

/// Records that are looked at.
const RECORDS: usize = 50;

/// What lies around records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// One JSON object a line.
    Lines,
    /// JSON objects in an array, or with nothing between.
    Objects,
    Csv(Dialect),
    /// What the console consumer of Kafka prints.
    Console,
    Parquet,
    /// Arrow: a file, or a stream.
    Arrow {
        stream: bool,
    },
}

impl Container {
    pub fn words(self) -> String {
        match self {
            Self::Lines => "a line a record".to_owned(),
            Self::Objects => "JSON objects one after another".to_owned(),
            Self::Csv(dialect) => {
                format!("CSV with {:?} between cells", char::from(dialect.delimiter))
            }
            Self::Console => "lines of Kafka's console consumer".to_owned(),
            Self::Parquet => "Parquet".to_owned(),
            Self::Arrow { stream: false } => "an Arrow file".to_owned(),
            Self::Arrow { stream: true } => "an Arrow stream".to_owned(),
        }
    }
}

/// What a file was told to be.
#[derive(Clone)]
pub struct Seen {
    pub container: Container,
    /// None where nothing is known of the shape of its records.
    pub kind: Option<&'static Kind>,
    /// Whether what was said where things stand is gone by, whatever the shape.
    pub mapped: bool,
    /// What was taken off: compression, encodings.
    pub layers: Vec<String>,
    pub reasons: Vec<String>,
    /// The first record as it was read.
    pub first: Option<Map<String, Value>>,
}

/// Tells what a file is by its first bytes.
///
/// # Errors
/// Two formats in one, columns that say nothing, and formats that this build can't read.
pub fn sniff(name: &str, head: &[u8], options: &Options) -> Result<Seen, BadInput> {
    let mut reasons = Vec::new();
    let container = container(head, options, &mut reasons);
    let seen = |container, kind, mapped, first, reasons| Seen {
        container,
        kind,
        mapped,
        layers: Vec::new(),
        reasons,
        first,
    };
    if matches!(container, Container::Parquet | Container::Arrow { .. }) {
        if cfg!(not(feature = "parquet")) {
            return Err(BadInput::NotBuilt(name.to_owned(), "it is Parquet or Arrow"));
        }
        let kind = options.format.and_then(named);
        return Ok(seen(container, kind, options.mapping.is_some(), None, reasons));
    }
    let records = first_records(container, head, options);
    let first = records.first().map(|(_, record)| record.clone());
    if let Some(kind) = options.format.and_then(named) {
        reasons.push(format!("--format says {}", kind.name));
        return Ok(seen(container_for(kind, container, head), Some(kind), false, first, reasons));
    }
    if container == Container::Console {
        return Ok(seen(container, named("kcat"), false, first, reasons));
    }
    let mut kind = vote(name, &records, &mut reasons)?;
    if options.mapping.is_none()
        && options.over.is_none()
        && let Some(labels) = labels_in(kind, &records)
    {
        return Err(BadInput::Labels(name.to_owned(), labels.about));
    }
    // What was said where things stand goes before what columns are guessed to be.
    let mapped = options.mapping.is_some()
        && kind.is_none_or(|kind| ["jsonl", "table"].contains(&kind.name));
    if let (true, Some(mapping), Some(first)) = (mapped, &options.mapping, &first) {
        // A path that leads nowhere would lose what it was to find of every record.
        if let Some((role, path)) = mapping.missing(records.iter().map(|(_, record)| record)) {
            let names = first.keys().cloned().collect::<Vec<_>>().join(", ");
            let (name, role, path) = (name.to_owned(), role, path.to_owned());
            return Err(BadInput::Nowhere { name, role, path, looked: records.len(), names });
        }
    }
    if mapped {
        reasons.push("[source] says where things stand".to_owned());
        kind = None;
    }
    let by_hand = options.over.is_some();
    if let (None, false, Container::Csv(_), Some(first)) = (kind, mapped, container, &first) {
        if !by_hand {
            let columns = Columns::guess(first.keys().map(String::as_str));
            let lacks = if columns.of("id").is_none() { "id" } else { "text or the label" };
            let names = first.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(BadInput::Columns { name: name.to_owned(), lacks, names });
        }
        kind = named("table");
    }
    if kind.is_none() && by_hand && !mapped && first.is_some() {
        kind = named("table");
    }
    if let (Some("table"), Some(first)) = (kind.map(|kind| kind.name), &first) {
        let names = || first.keys().map(String::as_str);
        if let Some((_, column)) =
            options.columns.iter().find(|(_, column)| !first.contains_key(column))
        {
            let names = names().collect::<Vec<_>>().join(", ");
            return Err(BadInput::NoColumn {
                name: name.to_owned(),
                column: column.clone(),
                names,
            });
        }
        reasons.push(Columns::of_names(names(), &options.columns).words());
    }
    // Of lines as ours are, and of those that [source] knows, what was named takes the place of what
    // is said.
    let ours = mapped || kind.is_some_and(|kind| kind.name == "jsonl");
    if let (true, Some(first)) = (by_hand && ours, &first) {
        let has = |column: &str| {
            let path = Path::parse(column);
            path.is_ok_and(|path| records.iter().any(|(_, record)| path.find(record).is_some()))
        };
        if let Some((_, column)) = options.columns.iter().find(|(_, column)| !has(column)) {
            let names = first.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(BadInput::NoColumn {
                name: name.to_owned(),
                column: column.clone(),
                names,
            });
        }
        let said = options.columns.iter().map(|(role, column)| format!("{role} ← {column}"));
        let said = said.collect::<Vec<_>>().join(", ");
        reasons.push(format!("what was named takes the place of what it says: {said}"));
    }
    let container = kind.map_or(container, |kind| container_for(kind, container, head));
    Ok(seen(container, kind, mapped, first, reasons))
}

/// Records that stand in a list inside of an object come one after another.
fn container_for(kind: &'static Kind, container: Container, head: &[u8]) -> Container {
    let within = kind.cases.within;
    let opens =
        |name: &&str| memchr::memmem::find(head, format!("\"{name}\"").as_bytes()).is_some();
    if container == Container::Lines && within.iter().any(opens) {
        Container::Objects
    } else {
        container
    }
}

pub(super) fn container(head: &[u8], options: &Options, reasons: &mut Vec<String>) -> Container {
    if head.starts_with(b"PAR1") {
        reasons.push("it begins with PAR1".to_owned());
        return Container::Parquet;
    }
    if head.starts_with(b"ARROW1") || head.starts_with(&[0xff, 0xff, 0xff, 0xff]) {
        reasons.push("it begins as Arrow does".to_owned());
        return Container::Arrow { stream: !head.starts_with(b"ARROW1") };
    }
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    let named = !options.columns.is_empty() && !text.starts_with(['{', '[']);
    let by_hand =
        named || options.delimiter.is_some() || options.no_header || options.format == Some("csv");
    match text.chars().next() {
        Some('[') if !by_hand => {
            reasons.push("it begins with a list".to_owned());
            Container::Objects
        }
        Some('{') if !by_hand => {
            let scanned = Objects::new(text.as_bytes(), "", &Flaws::default(), &[]).next();
            let first = scanned.and_then(Result::ok).and_then(|text| text.text.ok());
            let Some(first) = first else {
                // Longer than what is looked at; as the page of an API may be.
                let begins = |name: &&str| {
                    let list = text.split_once(&format!("\"{name}\"")).map(|(_, list)| list);
                    let list = list.and_then(|list| list.trim_start().strip_prefix(':'));
                    list.is_some_and(|list| list.trim_start().starts_with('['))
                };
                return match text.contains('\n') || lists_of_pages().any(begins) {
                    true => Container::Objects,
                    false => Container::Lines,
                };
            };
            let after = text.get(first.len()..).unwrap_or_default();
            let begins = after.trim_start_matches([' ', '\t', '\r']);
            let in_one_line = !text[..first.len().min(text.len())].contains('\n');
            if in_one_line && after.trim().is_empty() && is_page(&first) {
                reasons.push("it is the page of an API".to_owned());
                return Container::Objects;
            }
            if in_one_line && (begins.is_empty() || begins.starts_with('\n')) {
                Container::Lines
            } else {
                reasons.push("its objects stand in no lines".to_owned());
                Container::Objects
            }
        }
        _ if text.starts_with(kafka::CONSOLE) && !by_hand => {
            reasons.push(format!("its lines begin with {}", kafka::CONSOLE));
            Container::Console
        }
        _ => {
            let mut dialect = Dialect::of(text);
            if let Some(delimiter) = options.delimiter {
                dialect.delimiter = delimiter;
            }
            let names = text.lines().nth(usize::from(dialect.says_so)).unwrap_or_default();
            let known = Columns::guess(
                names.split(char::from(dialect.delimiter)).map(|name| name.trim_matches('"')),
            );
            let some = known.roles.len() + usize::from(names.contains("y_pred")) > 1;
            if by_hand || dialect.says_so || some && names.contains(char::from(dialect.delimiter)) {
                reasons.push(format!(
                    "its first line has names of columns, with {:?} between",
                    char::from(dialect.delimiter)
                ));
                Container::Csv(dialect)
            } else {
                Container::Lines
            }
        }
    }
}

/// What the lists are called in which pages of APIs have their records.
fn lists_of_pages() -> impl Iterator<Item = &'static &'static str> {
    let of_cases = KINDS.iter().flat_map(|kind| kind.cases.within);
    of_cases.chain(LABELS.iter().flat_map(|kind| kind.within))
}

/// Whether an object is what an API answers: records in a list of it, as some format has them.
fn is_page(object: &str) -> bool {
    let Ok(Value::Object(object)) = written::read(object) else { return false };
    let holds_records = |name: &&str| {
        let list = object.get(*name).and_then(Value::as_array);
        list.is_some_and(|list| list.first().is_some_and(Value::is_object))
    };
    !object.contains_key("id") && lists_of_pages().any(holds_records)
}

/// The first records of a file, as far as what is looked at holds them whole.
fn first_records(
    container: Container,
    head: &[u8],
    options: &Options,
) -> Vec<(u64, Map<String, Value>)> {
    let parsed = |text: &str| match written::read(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    };
    let whole = |text: Result<String, Reject>| text.ok().and_then(|text| parsed(&text));
    match container {
        Container::Csv(dialect) => {
            let Ok(rows) = Rows::new(Cursor::new(head), dialect, !options.no_header) else {
                return Vec::new();
            };
            let named: Map<String, Value> =
                rows.names().iter().map(|name| (name.clone(), Value::from(""))).collect();
            let rows = rows.take(RECORDS).flatten();
            let found = rows.filter_map(|row| Some((row.line, row.cells.ok()?.into_record())));
            let found: Vec<_> = found.collect();
            // No row that is whole and sound: the columns say what it is, and rows what is wrong.
            match found.is_empty() && head.len() > named.len() && !named.is_empty() {
                true => vec![(1, named)],
                false => found,
            }
        }
        Container::Objects => {
            let plain = |within| {
                let found = Objects::new(Cursor::new(head), "", &Flaws::default(), within)
                    .take(RECORDS)
                    .flatten();
                found.filter_map(|text| Some((text.number, whole(text.text)?))).collect::<Vec<_>>()
            };
            let direct = plain(&[]);
            if direct.len() > 1 {
                return direct;
            }
            // A page of an API: what its list holds, if some format knows it.
            let inside =
                KINDS.iter().filter(|kind| !kind.cases.within.is_empty()).find_map(|kind| {
                    let found = plain(kind.cases.within);
                    found
                        .first()
                        .is_some_and(|(_, record)| (kind.cases.claims)(record))
                        .then_some(found)
                });
            inside.unwrap_or(direct)
        }
        Container::Lines => {
            let lines = Lines::new(Cursor::new(head)).take(RECORDS).flatten();
            lines.filter_map(|text| Some((text.number, whole(text.text)?))).collect()
        }
        _ => Vec::new(),
    }
}

/// The format that the first records are of.
fn vote(
    name: &str,
    records: &[(u64, Map<String, Value>)],
    reasons: &mut Vec<String>,
) -> Result<Option<&'static Kind>, BadInput> {
    let mut found: Option<(&'static Kind, u64)> = None;
    let mut claimed = 0;
    for (number, record) in records {
        let Some(kind) = KINDS.iter().find(|kind| (kind.cases.claims)(record)) else { continue };
        claimed += 1;
        match found {
            None => found = Some((kind, *number)),
            // Rows of a table are told by their columns, which all rows share.
            Some((first, first_at))
                if first.name != kind.name && ![first.name, kind.name].contains(&"table") =>
            {
                return Err(BadInput::Mixed {
                    name: name.to_owned(),
                    first: first.name,
                    first_at,
                    second: kind.name,
                    second_at: *number,
                });
            }
            Some(_) => {}
        }
    }
    let Some((kind, _)) = found.filter(|_| claimed * 2 > records.len()) else { return Ok(None) };
    reasons.push(format!("{claimed} of its first {} records are {}", records.len(), kind.about));
    Ok(Some(kind))
}

/// What the records are, if they are labels of another program and no predictions. What somebody labeled
/// in Label Studio and has flat may say all that a prediction does.
fn labels_in(
    kind: Option<&'static Kind>,
    records: &[(u64, Map<String, Value>)],
) -> Option<&'static LabelsIn> {
    let flat = |labels: &&LabelsIn| labels.name == "label-studio";
    let could: Vec<&LabelsIn> = match kind.map(|kind| kind.name) {
        None => LABELS.to_vec(),
        Some("jsonl" | "table") => LABELS.iter().copied().filter(flat).collect(),
        Some(_) => return None,
    };
    let of = |record: &Map<String, Value>| could.iter().find(|labels| (labels.claims)(record));
    let found: Vec<&&LabelsIn> = records.iter().filter_map(|(_, record)| of(record)).collect();
    (found.len() * 2 > records.len()).then(|| *found[0])
}

/// What makes cases of records of a format.
pub fn cases_of(kind: &'static Kind, options: &Options) -> Box<dyn Cases> {
    (kind.cases.make)(options)
}
