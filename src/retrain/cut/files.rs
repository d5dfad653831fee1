//! The files of a cut. Their bytes follow from rows, recipe and version alone: no clock, no name of
//! the machine.

use std::collections::BTreeMap;
use std::fs;
use std::io;
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

/// What a cut is made from beside its rows.
pub struct About<'a> {
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

/// Writes a cut into a directory, and a `.dvc` file beside it. `why` are the lines that say where
/// rows come from.
///
/// # Errors
/// Those of writing.
pub fn write(directory: &Path, of: &About<'_>, cut: &Cut, why: &[u8]) -> io::Result<Vec<Written>> {
    let recipe = of.recipe;
    let mut files = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| -> io::Result<()> {
        fs::write(directory.join(name), bytes)?;
        files.push(Written::of(name, bytes));
        Ok(())
    };
    let formats: Vec<&str> = recipe.out.formats.iter().map(String::as_str).collect();
    let mut splits = Vec::new();
    for part in Part::ALL {
        let rows: Vec<&Chosen> = cut.rows.iter().filter(|row| row.part == part).collect();
        if rows.is_empty() && part != Part::Train {
            continue;
        }
        let mut bytes = Vec::new();
        for row in &rows {
            bytes.extend_from_slice(row.line().as_bytes());
            bytes.push(b'\n');
        }
        put(&format!("{}.jsonl", part.as_str()), &bytes)?;
        splits.push((part, rows.len() as u64, Written::of("", &bytes)));
        #[cfg(feature = "parquet")]
        if formats.contains(&"parquet") {
            put(&format!("{}.parquet", part.as_str()), &parquet(&rows)?)?;
        }
    }
    put(WHY, why)?;
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
        put("README.md", hf::card(&card).as_bytes())?;
    }
    if formats.contains(&"croissant") {
        let url = format!("urn:casework:cut:{}", cut.id());
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
        put("croissant.json", croissant::describe(&described).as_bytes())?;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = manifest(of, cut, &files);
    fs::write(directory.join(MANIFEST), &manifest)?;
    files.push(Written::of(MANIFEST, manifest.as_bytes()));
    dvc_beside(directory, &recipe.name, &files)?;
    Ok(files)
}

fn manifest(of: &About<'_>, cut: &Cut, files: &[Written]) -> String {
    let case = |of: fn(&super::Candidate) -> Option<String>| {
        cut.counted(|row| row.candidate().and_then(of))
    };
    let by = BTreeMap::from([
        ("category", case(|case| case.category.clone())),
        ("failure_mode", case(|case| case.failure_mode.clone())),
        ("label", cut.counted(|row| Some(row.label().to_owned()))),
        ("trap", case(|case| case.trap.clone())),
    ]);
    let file =
        |(file, sha256): &(String, String)| [("file", file.clone()), ("sha256", sha256.clone())];
    let against: Vec<[(&'static str, String); 2]> = of.against.iter().map(file).collect();
    let manifest = Manifest {
        cut: cut.id(),
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
    let mut lines: Vec<(String, Vec<u8>)> = Vec::new();
    for file in &known.files {
        let Ok(bytes) = fs::read(directory.join(&file.path)) else {
            found.push(Damage::Missing(file.path.clone()));
            continue;
        };
        if Written::of(&file.path, &bytes) != *file {
            found.push(Damage::Changed(file.path.clone()));
        }
        if Part::ALL.iter().any(|part| file.path == format!("{}.jsonl", part.as_str())) {
            lines.extend(
                bytes
                    .split(|b| *b == b'\n')
                    .filter(|line| !line.is_empty())
                    .map(|line| (row_of(line).unwrap_or_default(), line.to_vec())),
            );
        }
    }
    lines.sort();
    let mut hasher = blake3::Hasher::new();
    for (_, line) in &lines {
        hasher.update(line);
        hasher.update(b"\n");
    }
    let id = Hash(*hasher.finalize().as_bytes());
    if id != known.cut {
        found.push(Damage::Rows { expected: known.cut.to_string(), found: id.to_string() });
    }
    found
}

fn row_of(line: &[u8]) -> Option<String> {
    let line: Value = serde_json::from_slice(line).ok()?;
    line.get("row")?.as_str().map(str::to_owned)
}
