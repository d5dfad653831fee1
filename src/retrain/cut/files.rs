//! The files of a cut. Their bytes follow from rows, recipe and version alone: no clock, no name of
//! the machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, Read as _, Seek as _, SeekFrom, Write as _};
use std::iter::Peekable;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::recipe::{Counts, Recipe};
use super::select::{Chosen, Conflict, Cut, LeakPair};
use super::split::Part;
use crate::domain::ids::{CaseId, Hash, hex};
use crate::format::dvc;
use crate::format::kind::{croissant, hf};

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Written {
    pub path: String,
    pub bytes: u64,
    pub sha256: String,
    pub md5: String,
}

impl Written {
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            bytes: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
            md5: dvc::md5(bytes),
        }
    }
}

/// A file on its way, with what is to be known of it.
struct Writing {
    path: String,
    file: io::BufWriter<fs::File>,
    bytes: u64,
    sha256: Sha256,
    md5: md5::Md5,
}

impl Writing {
    fn begin(directory: &Path, path: &str) -> io::Result<Self> {
        let file = fs::File::create(directory.join(path))?;
        let (file, path) = (io::BufWriter::with_capacity(1 << 18, file), path.to_owned());
        Ok(Self { path, file, bytes: 0, sha256: Sha256::new(), md5: md5::Md5::new() })
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
        self.md5.update(bytes);
        self.file.write_all(bytes)
    }

    fn end(mut self) -> io::Result<Written> {
        self.file.flush()?;
        let (sha256, md5) = (hex(&self.sha256.finalize()), hex(&self.md5.finalize()));
        Ok(Written { path: self.path, bytes: self.bytes, sha256, md5 })
    }
}

/// What a cut is made from beside its rows.
pub struct About<'a> {
    pub cut: Hash,
    pub recipe: &'a Recipe,
    pub version: String,
    pub frontier: BTreeMap<String, u64>,
    pub program: String,
    /// Evaluation files, with their hashes.
    pub against: Vec<(String, String)>,
    pub replay: Option<(String, String)>,
}

/// `manifest.json`.
#[derive(Serialize)]
struct Manifest<'m> {
    cut: Hash,
    name: &'m str,
    version: &'m str,
    recipe: RecipeOf<'m>,
    frontier: &'m BTreeMap<String, u64>,
    program: &'m str,
    read: u64,
    rows: u64,
    splits: Counts,
    by: BTreeMap<&'static str, Counts>,
    dropped: &'m Counts,
    leak: LeakOf<'m>,
    replay: Option<ReplayOf<'m>>,
    conflicts: &'m [Conflict],
    files: &'m [Written],
    erased: &'m [CaseId],
}

#[derive(Serialize)]
struct RecipeOf<'m> {
    hash: Hash,
    text: &'m str,
}

#[derive(Serialize)]
struct LeakOf<'m> {
    near: f64,
    files: Vec<BTreeMap<&'static str, &'m str>>,
    pairs: &'m [LeakPair],
}

#[derive(Serialize)]
struct ReplayOf<'m> {
    file: &'m str,
    sha256: &'m str,
    rows: u64,
    read: u64,
    dropped: &'m Counts,
}

pub const MANIFEST: &str = "manifest.json";
pub const WHY: &str = "rows.why.jsonl";

/// Keys of a row as others are told them, the row's own first.
const FIELDS: &[(&str, &str)] = &[
    ("row", "The id of the row: of its text, its label and its case."),
    ("text", "The input."),
    ("label", "What it counts as."),
    ("case", "The case that it came from; missing for a row of the old training set."),
    ("category", "The kind of edge case."),
    ("split", "train, validation or test."),
];

/// The columns of a table of rows.
#[cfg(feature = "parquet")]
const COLUMNS: &[&str] = &[
    "case",
    "category",
    "failure_mode",
    "id",
    "label",
    "occurred_at",
    "origin",
    "row",
    "split",
    "stream",
    "text",
];

fn about(recipe: &Recipe, cut: &Cut) -> String {
    let cases = cut.rows.iter().filter(|row| row.candidate().is_some()).count();
    format!(
        "{} rows of `{}`: {cases} labeled edge cases and {} rows of the old training set. Every row leads to its labels in {WHY}.",
        cut.rows.len(),
        recipe.name,
        cut.old_taken
    )
}

/// Writes a cut into a directory, and a `.dvc` file beside it. `why` makes the line that says where
/// a row comes from.
///
/// # Errors
/// Those of writing.
pub fn write(
    directory: &Path,
    of: &About<'_>,
    cut: &Cut,
    mut why: impl FnMut(&Chosen, &mut Vec<u8>) -> io::Result<()> + Send,
) -> io::Result<Vec<Written>> {
    let recipe = of.recipe;
    let mut files = Vec::new();
    let put = |name: &str, bytes: &[u8]| -> io::Result<Written> {
        fs::write(directory.join(name), bytes)?;
        Ok(Written::of(name, bytes))
    };
    let formats: Vec<&str> = recipe.out.formats.iter().map(String::as_str).collect();
    // Where rows come from is as much to write and to hash as the rows: both at once.
    let (parts, why) = std::thread::scope(|threads| {
        let why = threads.spawn(|| {
            let mut file = Writing::begin(directory, WHY)?;
            let mut line = Vec::new();
            for row in &cut.rows {
                line.clear();
                why(row, &mut line)?;
                line.push(b'\n');
                file.put(&line)?;
            }
            file.end()
        });
        let parts = write_parts(directory, cut, formats.contains(&"parquet"));
        let why = why.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (parts, why)
    });
    let (splits, of_parts) = parts?;
    files.extend(of_parts);
    files.push(why?);
    let words = about(recipe, cut);
    if formats.contains(&"hf") {
        let file = |part: Part| match formats.contains(&"parquet") {
            true => format!("{}.parquet", part.as_str()),
            false => format!("{}.jsonl", part.as_str()),
        };
        let named = splits.iter().map(|(part, rows, _)| (part.as_str(), file(*part), *rows));
        let card = hf::Card {
            name: &recipe.name,
            version: &of.version,
            license: &recipe.out.license,
            creator: &recipe.out.creator,
            about: &words,
            splits: named.collect(),
        };
        files.push(put("README.md", hf::card(&card).as_bytes())?);
    }
    if formats.contains(&"croissant") {
        let url = format!("urn:casework:cut:{}", of.cut);
        let names: Vec<(String, u64, String)> = splits
            .iter()
            .map(|(part, _, file)| {
                (format!("{}.jsonl", part.as_str()), file.bytes, file.sha256.clone())
            })
            .collect();
        let described = croissant::Described {
            name: &recipe.name,
            version: &of.version,
            about: &words,
            url: &url,
            license: &recipe.out.license,
            creator: &recipe.out.creator,
            date: &recipe.out.date,
            files: names
                .iter()
                .map(|(name, bytes, hash)| (name.as_str(), *bytes, hash.as_str()))
                .collect(),
            fields: FIELDS,
        };
        files.push(put("croissant.json", croissant::describe(&described).as_bytes())?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = manifest(of, cut, &files);
    fs::write(directory.join(MANIFEST), &manifest)?;
    files.push(Written::of(MANIFEST, manifest.as_bytes()));
    dvc_beside(directory, &recipe.name, &files)?;
    Ok(files)
}

/// A part, how many rows it has, and the file of its lines.
type Split = (Part, u64, Written);

/// Writes the rows of each part: what each part is, and all files of them.
fn write_parts(
    directory: &Path,
    cut: &Cut,
    as_parquet: bool,
) -> io::Result<(Vec<Split>, Vec<Written>)> {
    let (mut splits, mut files) = (Vec::new(), Vec::new());
    for part in Part::ALL {
        let rows: Vec<&Chosen> = cut.rows.iter().filter(|row| row.part == part).collect();
        if rows.is_empty() && part != Part::Train {
            continue;
        }
        let mut file = Writing::begin(directory, &format!("{}.jsonl", part.as_str()))?;
        for row in &rows {
            let mut line = row.line();
            line.push('\n');
            file.put(line.as_bytes())?;
        }
        let written = file.end()?;
        splits.push((part, rows.len() as u64, written.clone()));
        files.push(written);
        if as_parquet && cfg!(feature = "parquet") {
            #[cfg(feature = "parquet")]
            {
                let (name, bytes) = (format!("{}.parquet", part.as_str()), parquet(&rows)?);
                fs::write(directory.join(&name), &bytes)?;
                files.push(Written::of(&name, &bytes));
            }
        }
    }
    Ok((splits, files))
}

fn manifest(of: &About<'_>, cut: &Cut, files: &[Written]) -> String {
    let case =
        |of: fn(&super::Candidate) -> Option<&str>| cut.counted(|row| row.candidate().and_then(of));
    let by = BTreeMap::from([
        ("category", case(|case| case.category.as_deref())),
        ("failure_mode", case(|case| case.failure_mode.as_deref())),
        ("label", cut.counted(|row| Some(row.label()))),
        ("trap", case(|case| case.trap.as_deref())),
    ]);
    let file =
        |(file, sha256): &(String, String)| [("file", file.clone()), ("sha256", sha256.clone())];
    let against: Vec<[(&'static str, String); 2]> = of.against.iter().map(file).collect();
    let manifest = Manifest {
        cut: of.cut,
        name: &of.recipe.name,
        version: &of.version,
        recipe: RecipeOf { hash: of.recipe.hash(), text: &of.recipe.source },
        frontier: &of.frontier,
        program: &of.program,
        read: cut.read,
        rows: cut.rows.len() as u64,
        splits: cut.splits(),
        by,
        dropped: &cut.dropped,
        leak: LeakOf {
            near: of.recipe.leak.near,
            files: against
                .iter()
                .map(|pair| pair.iter().map(|(key, text)| (*key, text.as_str())).collect())
                .collect(),
            pairs: &cut.leaks,
        },
        replay: of.replay.as_ref().map(|(file, sha256)| ReplayOf {
            file,
            sha256,
            rows: cut.old_taken,
            read: cut.old_read,
            dropped: &cut.old_dropped,
        }),
        conflicts: &cut.conflicts,
        files,
        erased: &cut.erased,
    };
    serde_json::to_string_pretty(&manifest).unwrap_or_default() + "\n"
}

fn dvc_beside(directory: &Path, name: &str, files: &[Written]) -> io::Result<()> {
    let (Some(parent), Some(own)) = (directory.parent(), directory.file_name()) else {
        return Ok(());
    };
    let listed: Vec<dvc::File> = files
        .iter()
        .map(|file| dvc::File { path: file.path.clone(), bytes: file.bytes, md5: file.md5.clone() })
        .collect();
    fs::write(parent.join(format!("{name}.dvc")), dvc::file_of(&own.to_string_lossy(), &listed))
}

#[cfg(feature = "parquet")]
fn parquet(rows: &[&Chosen]) -> io::Result<Vec<u8>> {
    let mut table = Vec::with_capacity(rows.len());
    for row in rows {
        let line: BTreeMap<String, Value> = serde_json::from_str(&row.line())?;
        let text = |name: &&str| line.get(*name).and_then(Value::as_str).map(str::to_owned);
        table.push(COLUMNS.iter().map(text).collect());
    }
    let mut bytes = Vec::new();
    crate::format::kind::parquet::write(&mut bytes, COLUMNS, &table).map_err(io::Error::other)?;
    Ok(bytes)
}

/// What is wrong with a cut that lies in a directory, by its manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Damage {
    Missing(String),
    Changed(String),
    /// The rows are not those that the cut's id stands for.
    Rows {
        expected: String,
        found: String,
    },
    Manifest(String),
    /// What the manifest says of the cut is not what was recorded of it.
    Recorded {
        what: String,
        said: String,
        recorded: String,
    },
    /// A file that lies there and is none of the cut's.
    Foreign(String),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{path} is missing"),
            Self::Changed(path) => {
                write!(f, "{path} is not what the manifest says: it was changed")
            }
            Self::Rows { expected, found } => {
                write!(f, "the rows come to the cut {found}, and the manifest says {expected}")
            }
            Self::Manifest(why) => write!(f, "{MANIFEST}: {why}"),
            Self::Recorded { what, said, recorded } => {
                write!(f, "{MANIFEST}: its {what} is {said}, and {recorded} was recorded")
            }
            Self::Foreign(path) => write!(f, "{path} is no file of the cut"),
        }
    }
}

/// The parts of a manifest that are read back.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Known {
    pub cut: Hash,
    pub name: String,
    pub version: String,
    pub rows: u64,
    pub files: Vec<Written>,
    pub recipe: KnownRecipe,
    #[serde(default)]
    pub program: String,
    #[serde(default)]
    pub frontier: BTreeMap<String, u64>,
    #[serde(default)]
    pub splits: BTreeMap<String, u64>,
    #[serde(default)]
    pub dropped: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, serde::Deserialize)]
pub struct KnownRecipe {
    pub text: String,
}

/// Reads the manifest of a cut.
///
/// # Errors
/// It is not there, or is none.
pub fn known(directory: &Path) -> Result<Known, Damage> {
    let bytes =
        fs::read(directory.join(MANIFEST)).map_err(|error| Damage::Manifest(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| Damage::Manifest(error.to_string()))
}

/// Holds the files of a cut against its manifest, and its rows against its id.
pub fn verify(directory: &Path, known: &Known) -> Vec<Damage> {
    let mut found = Vec::new();
    let mut parts = Vec::new();
    for file in &known.files {
        match hashed(directory, &file.path) {
            Ok(written) if written == *file => {}
            Ok(_) => found.push(Damage::Changed(file.path.clone())),
            Err(_) => {
                found.push(Damage::Missing(file.path.clone()));
                continue;
            }
        }
        if is_part(&file.path)
            && let Ok(opened) = fs::File::open(directory.join(&file.path))
        {
            let lines = io::BufReader::with_capacity(1 << 18, opened).split(b'\n');
            let lines = lines.map_while(Result::ok).filter(|line| !line.is_empty());
            let lines: Lines =
                Box::new(lines.map(|line| (row_of(&line).unwrap_or_default(), line)));
            parts.push(lines.peekable());
        }
    }
    // Rows of somebody else's would be learned from with the others.
    let listed = |name: &str| known.files.iter().any(|file| file.path == name);
    let mut there: Vec<String> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            !listed(name) && [".jsonl", ".parquet", ".csv"].iter().any(|end| name.ends_with(end))
        })
        .collect();
    there.sort();
    found.extend(there.into_iter().map(Damage::Foreign));
    let id = rows_id(parts);
    // Rows that only stand in another order are the same rows.
    if id != known.cut && sorted_id(directory, known) != known.cut {
        found.push(Damage::Rows { expected: known.cut.to_string(), found: id.to_string() });
    }
    found
}

/// Lines with the ids of their rows.
type Lines = Box<dyn Iterator<Item = (String, Vec<u8>)>>;

/// The cut that rows come to, of files in each of which they stand in the order of their ids.
fn rows_id(mut parts: Vec<Peekable<Lines>>) -> Hash {
    let mut hasher = blake3::Hasher::new();
    loop {
        let mut least: Option<(&(String, Vec<u8>), usize)> = None;
        for (at, part) in parts.iter_mut().enumerate() {
            let Some(next) = part.peek() else { continue };
            if least.is_none_or(|(known, _)| next < known) {
                least = Some((next, at));
            }
        }
        let Some((_, at)) = least else {
            return Hash(*hasher.finalize().as_bytes());
        };
        if let Some((_, line)) = parts[at].next() {
            hasher.update(&line);
            hasher.update(b"\n");
        }
    }
}

/// The same of files in any order, in memory: for what is not as it was written.
fn sorted_id(directory: &Path, known: &Known) -> Hash {
    let mut rows: Vec<(String, Vec<u8>)> = Vec::new();
    for file in known.files.iter().filter(|file| is_part(&file.path)) {
        let bytes = fs::read(directory.join(&file.path)).unwrap_or_default();
        let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        rows.extend(lines.map(|line| (row_of(line).unwrap_or_default(), line.to_vec())));
    }
    rows.sort_unstable();
    let lines: Lines = Box::new(rows.into_iter());
    rows_id(vec![lines.peekable()])
}

/// Whether a file of a cut holds the rows of a part.
fn is_part(path: &str) -> bool {
    Part::ALL.iter().any(|part| path == format!("{}.jsonl", part.as_str()))
}

/// What there is to know of a file, read piece by piece.
pub fn hashed(directory: &Path, path: &str) -> io::Result<Written> {
    let mut file = fs::File::open(directory.join(path))?;
    let (mut sha256, mut md5, mut bytes) = (Sha256::new(), md5::Md5::new(), 0);
    let mut piece = vec![0; 1 << 18];
    loop {
        let n = file.read(&mut piece)?;
        if n == 0 {
            let (sha256, md5) = (hex(&sha256.finalize()), hex(&md5.finalize()));
            return Ok(Written { path: path.to_owned(), bytes, sha256, md5 });
        }
        sha256.update(&piece[..n]);
        md5.update(&piece[..n]);
        bytes += n as u64;
    }
}

/// The row that a line is of.
fn row_of(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Row<'l> {
        #[serde(borrow)]
        row: std::borrow::Cow<'l, str>,
    }
    let line: Row<'_> = serde_json::from_slice(line).ok()?;
    Some(line.row.into_owned())
}

/// Lines of a row that are given at most, where a part of an id is of several.
const SEVERAL_MAX: usize = 8;

/// The lines of a file whose rows begin with `row`, where its lines stand in the order of their
/// rows: found by halving what is left to look at.
///
/// # Errors
/// Those of reading.
pub fn lines_of_row(path: &Path, row: &str) -> io::Result<Vec<Value>> {
    let mut file = io::BufReader::new(fs::File::open(path)?);
    let (mut from, mut to) = (0, file.get_ref().metadata()?.len());
    let mut line = Vec::new();
    // The first line that begins in [from, to) and is not less: lines before `from` are less.
    while from < to {
        let middle = from + (to - from) / 2;
        let begin = next_line(&mut file, middle)?;
        if begin >= to {
            to = middle;
            continue;
        }
        line.clear();
        file.seek(SeekFrom::Start(begin))?;
        let read = file.read_until(b'\n', &mut line)? as u64;
        if row_of(&line).unwrap_or_default().as_str() < row {
            from = begin + read;
        } else {
            to = middle;
        }
    }
    let begin = next_line(&mut file, from)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut found = Vec::new();
    while found.len() < SEVERAL_MAX {
        line.clear();
        file.read_until(b'\n', &mut line)?;
        if row_of(&line).is_none_or(|found| !found.starts_with(row)) {
            break;
        }
        found.extend(serde_json::from_slice::<Value>(&line));
    }
    Ok(found)
}

/// Where the first line begins that does not begin before `at`.
fn next_line(file: &mut io::BufReader<fs::File>, at: u64) -> io::Result<u64> {
    if at == 0 {
        return Ok(0);
    }
    file.seek(SeekFrom::Start(at - 1))?;
    let mut rest = Vec::new();
    Ok(at - 1 + file.read_until(b'\n', &mut rest)? as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Each row is found by its id, all by a part of it that they begin with, and nothing by
        /// what no row has.
        #[test]
        fn a_line_is_found_by_its_row(
            ids in prop::collection::btree_set("[0-9a-f]{4}", 0..40),
            pads in prop::collection::vec(0_usize..200, 40),
            asked in "[0-9a-f]{1,4}",
        ) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("rows.jsonl");
            let line = |(id, pad): (&String, &usize)| {
                format!("{{\"row\":\"{id}\",\"pad\":\"{}\"}}\n", "x".repeat(*pad))
            };
            fs::write(&path, ids.iter().zip(&pads).map(line).collect::<String>()).unwrap();
            let found = |row: &str| -> Vec<String> {
                let found = lines_of_row(&path, row).unwrap();
                found.iter().map(|line| line["row"].as_str().unwrap().to_owned()).collect()
            };
            for id in &ids {
                prop_assert_eq!(found(id), [id.clone()]);
            }
            let like = ids.iter().filter(|id| id.starts_with(&asked)).take(SEVERAL_MAX);
            prop_assert_eq!(found(&asked), like.cloned().collect::<Vec<_>>());
        }
    }
}
