//! Floors point down: a module names floors below its own, or itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[&[&str]] = &[
    &["domain"],
    &["chance", "clock", "config", "db", "log", "media", "sandbox"],
    &["journal", "plugin"],
    &["format", "quality", "sync", "trap"],
    &["demo", "intake", "retrain", "review"],
    &["workspace"],
    &["serve"],
    &["session"],
    &["cli", "linear", "tui"],
];

pub fn sources(directory: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|names| names.contains(&module))
}

/// Modules that a source names by `crate::…`, one by one or in braces.
fn named(source: &str) -> Vec<&str> {
    let first = |text: &'_ str| {
        text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
    };
    let mut names = Vec::new();
    for rest in source.split("crate::").skip(1) {
        match rest.strip_prefix('{').and_then(|list| list.split_once('}')) {
            Some((list, _)) => {
                names.extend(list.split(',').map(str::trim).map(|name| &name[..first(name)]))
            }
            None => names.push(&rest[..first(rest)]),
        }
    }
    names
}

#[test]
fn floors_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 50, "the sources were found");
    let mut wrong = Vec::new();
    for path in files {
        let inner = path.strip_prefix(&root).unwrap();
        let module = inner
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_string_lossy()
            .trim_end_matches(".rs")
            .to_owned();
        if ["main", "lib"].contains(&module.as_str()) {
            continue;
        }
        let own = floor(&module)
            .unwrap_or_else(|| panic!("{module} stands on no floor: name it in FLOORS"));
        let source = fs::read_to_string(&path).unwrap();
        for name in named(&source) {
            let Some(other) = floor(name) else {
                wrong.push(format!("{}: crate::{name} stands on no floor", inner.display()));
                continue;
            };
            if other > own || (other == own && name != module) {
                wrong.push(format!(
                    "{} (floor {}) names {name} (floor {})",
                    inner.display(),
                    own + 1,
                    other + 1
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// What the top floor asks of a workspace it asks by `workspace/reading.rs`, where it is decided
/// who may see what.
#[test]
fn the_top_floor_reads_no_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for top in FLOORS.last().unwrap().iter() {
        let mut files = Vec::new();
        sources(&root.join(top), &mut files);
        for path in files {
            let source = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            if named(&source).contains(&"db")
                || source.contains(".tables(")
                || source.contains(".tables_mut(")
            {
                wrong.push(format!("{name} reads tables: ask `workspace`, which knows who may see what (workspace/reading.rs)"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn only_the_top_prints_or_exits_and_every_file_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for path in files {
        let source = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        assert!(source.starts_with("//!") || name == "lib.rs", "{name} has no module doc");
        if !(name.starts_with("cli") || name.starts_with("tui") || name == "main.rs") {
            for word in ["println!", "eprintln!", "process::exit", "io::stdout", "io::stderr"] {
                assert!(!source.contains(word), "{name}: {word}");
            }
        }
    }
}

/// String literals of a source, without its tests and its tables of keys.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut rest = code;
    while let Some((before, after)) = rest.split_once('"') {
        // A quotation mark as a character begins no words.
        if before.ends_with('\'') && after.starts_with('\'') {
            rest = after;
            continue;
        }
        let mut end = 0;
        let bytes = after.as_bytes();
        while end < bytes.len() && bytes[end] != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(bytes.len());
        let line = before.rsplit('\n').next().unwrap_or_default();
        if !line.trim_start().starts_with("//") && !line.contains("KeyRow::new(") {
            found.push(after[..end].to_owned());
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    found
}

/// A key that is spelled in a sentence is a lie as soon as somebody changes it: words name actions,
/// `{submit}`, and each top fills in what does them.
#[test]
fn no_sentence_spells_a_key() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for folder in ["domain", "review", "workspace", "session", "tui"] {
        let mut files = Vec::new();
        sources(&root.join(folder), &mut files);
        for path in files {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            if ["tui/key.rs", "tui/action.rs"].contains(&name.as_str())
                || name.starts_with("tui/input/")
            {
                continue; // keys themselves, and the table of what they do
            }
            for words in literals(&fs::read_to_string(&path).unwrap()) {
                let parts: Vec<&str> = words.split_whitespace().collect();
                let is_key = |word: &&str| {
                    let bare = word.trim_matches(|c: char| "(),.;:".contains(c));
                    let letter = bare.len() == 1
                        && word.starts_with('(')
                        && word.trim_end_matches(['.', ',']).ends_with(')');
                    ["Enter", "Esc", "Tab", "Backspace"].contains(&bare)
                        || bare.starts_with("ctrl-")
                        || letter
                };
                let only_keys =
                    parts.iter().all(|word| word.parse::<casework::tui::key::KeyPress>().is_ok());
                if !only_keys && parts.iter().any(is_key) {
                    wrong
                        .push(format!("{name}: {words:?} spells a key: name the action in braces"));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// A renaming of types must not reach what a person reads: no words name a type of ours.
#[test]
fn no_words_name_a_type() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| (path.strip_prefix(&root).unwrap().display().to_string(), read(path)))
        .collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let humps = |name: &str| name.chars().filter(char::is_ascii_uppercase).count() > 1;
    let mut types = BTreeSet::new();
    for (_, source) in &texts {
        for line in source.lines().map(str::trim_start) {
            let line = line.trim_start_matches("pub ").trim_start_matches("pub(super) ");
            let named =
                ["struct ", "enum ", "trait "].iter().find_map(|kind| line.strip_prefix(kind));
            let name = named.map(|rest| rest.split(|c| !is_word(c)).next().unwrap_or_default());
            types.extend(name.filter(|name| humps(name)));
        }
    }
    assert!(types.contains("GivenLabel") && types.len() > 100);
    let mut wrong = Vec::new();
    for (name, source) in &texts {
        for words in literals(source) {
            let named = words.split(|c| !is_word(c)).find(|word| types.contains(word));
            wrong.extend(named.map(|word| format!("{name}: {words:?} says {word}")));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_top_level_holds_what_a_rust_project_has() {
    let root = env!("CARGO_MANIFEST_DIR");
    let kept = std::process::Command::new("git").args(["-C", root, "ls-files"]).output();
    let Some(kept) = kept.ok().filter(|output| output.status.success()) else {
        println!("skipped: no git, or these sources are no clone");
        return;
    };
    let kept = String::from_utf8(kept.stdout).unwrap();
    let tops: BTreeSet<&str> =
        kept.lines().map(|path| path.split('/').next().unwrap_or(path)).collect();
    const FOLDERS: &[&str] =
        &[".cargo", ".ci", "assets", "benches", "fuzz", "glossary", "src", "tests"];
    const FILES: &[&str] = &[
        ".editorconfig",
        ".gitignore",
        ".typos.toml",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "clippy.toml",
        "deny.toml",
        "rust-toolchain.toml",
        "rustfmt.toml",
    ];
    let strays: Vec<&&str> =
        tops.iter().filter(|top| !FOLDERS.contains(top) && !FILES.contains(top)).collect();
    assert!(strays.is_empty(), "nobody meant to keep these: {strays:?}");
}
