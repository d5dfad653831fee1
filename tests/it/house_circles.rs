//! No circle of files: what is read first names nothing that is read after it.
//!
//! Imports are read from the text: `use` trees and paths in the code, by `crate::`, `super::` and
//! `self::`. What a `mod.rs` only hands on (`pub use`) is followed to where it stands, and the
//! lines of its table (`card::REDACTOR`) are no arrows: a map names what is on it. Tests inside
//! files are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::house::sources;

type Modules = BTreeMap<Vec<String>, String>;

/// The module that a file is: `tui/overlay/mod.rs` is `tui::overlay`.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// The paths that a `use` tree stands for, each as its words.
fn expand(tree: &str, before: &[String], out: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        let words =
            name.split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
        out.push(before.iter().cloned().chain(words).collect());
        return;
    };
    let head =
        tree[..open].split("::").map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
    let before: Vec<String> = before.iter().cloned().chain(head).collect();
    let inner = tree[open + 1..].rsplit_once('}').map_or("", |(inner, _)| inner);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&inner[start..at], &before, out);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !inner[start..].trim().is_empty() {
        expand(&inner[start..], &before, out);
    }
}

/// What a source names, what it hands on, and the rest of its text.
fn read(source: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>, String) {
    let code: String = source
        .split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let (mut named, mut handed_on) = (Vec::new(), Vec::new());
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let at = statement.rfind("use ").filter(|at| {
            let before = statement[..*at].trim_end();
            before.is_empty()
                || before.ends_with(['}', ';', ']'])
                || before.ends_with("pub")
                || before.ends_with(')')
        });
        match at {
            Some(at) => {
                let handed = statement[..at].trim_end().ends_with("pub");
                let tree = statement[at + 4..].trim_end_matches(';');
                expand(tree, &[], if handed { &mut handed_on } else { &mut named });
            }
            None => rest.push_str(statement),
        }
    }
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in rest.match_indices(start) {
            if rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let end = rest[at..]
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .map_or(rest.len(), |n| at + n);
            named.push(
                rest[at..end]
                    .split("::")
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect(),
            );
        }
    }
    (named, handed_on, rest)
}

/// Paths in the text that begin with a module that was imported by name: `draw::layout`.
fn by_alias(rest: &str, imported: &[Vec<String>], modules: &Modules) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for path in imported.iter().filter(|path| modules.contains_key(*path)) {
        let Some(alias) = path.last() else { continue };
        let start = format!("{alias}::");
        for (at, _) in rest.match_indices(&start) {
            if rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let after = &rest[at + start.len()..];
            let end = after
                .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
                .unwrap_or(after.len());
            let words = after[..end].split("::").filter(|word| !word.is_empty()).map(str::to_owned);
            found.push(path.iter().cloned().chain(words).collect());
        }
    }
    found
}

/// A path as seen from `module`, from the root.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let mut base = module.to_vec();
    let mut words = path;
    match words.first()?.as_str() {
        "crate" => return Some(words[1..].to_vec()),
        "self" => words = &words[1..],
        "super" => {
            while words.first().is_some_and(|word| word == "super") {
                base.pop()?;
                words = &words[1..];
            }
        }
        _ => {} // a child, or another crate
    }
    base.extend(words.iter().cloned());
    Some(base)
}

struct House {
    modules: Modules,
    /// What a module hands on, by name.
    handed_on: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl House {
    /// The file in which the thing at a path stands.
    fn file_of(&self, path: &[String], depth: usize) -> Option<&String> {
        for length in (1..=path.len()).rev() {
            let Some(file) = self.modules.get(&path[..length]) else { continue };
            let Some(next) = path.get(length) else { return Some(file) };
            return match self.handed_on.get(&(path[..length].to_vec(), next.clone())) {
                Some(other) if depth < 8 => {
                    let whole: Vec<String> =
                        other.iter().chain(&path[length + 1..]).cloned().collect();
                    self.file_of(&whole, depth + 1).or(Some(file))
                }
                _ => Some(file),
            };
        }
        None
    }
}

/// Files that reach each other, by what each names.
fn circles(names: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reach = |from: &String| {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
        while let Some(file) = todo.pop() {
            for next in names.get(file).into_iter().flatten() {
                if seen.insert(next.clone()) {
                    todo.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> =
        names.keys().map(|file| (file, reach(file))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (file, all) in &reached {
        if all.contains(*file) && !found.iter().any(|circle| circle.contains(*file)) {
            found.push(
                all.iter()
                    .filter(|other| reached.get(other).is_some_and(|back| back.contains(*file)))
                    .cloned()
                    .collect(),
            );
        }
    }
    found
}

fn house() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let files: Vec<String> = files
        .iter()
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .filter(|file| !["main.rs", "lib.rs"].contains(&file.as_str()))
        .collect();
    let modules: Modules = files.iter().map(|file| (module_of(file), file.clone())).collect();
    let mut house = House { modules, handed_on: BTreeMap::new() };
    let mut named: BTreeMap<String, Vec<Vec<String>>> = BTreeMap::new();
    for file in &files {
        let module = module_of(file);
        let (names, handed_on, rest) = read(&fs::read_to_string(root.join(file)).unwrap());
        for path in handed_on {
            let (Some(name), Some(whole)) = (path.last().cloned(), absolute(&path, &module)) else {
                continue;
            };
            house.handed_on.insert((module.clone(), name), whole);
        }
        let mut paths: Vec<Vec<String>> =
            names.iter().filter_map(|path| absolute(path, &module)).collect();
        paths.extend(by_alias(&rest, &paths, &house.modules));
        named.insert(file.clone(), paths);
    }
    let files_named = |(file, paths): (String, Vec<Vec<String>>)| {
        let others = paths
            .iter()
            .filter_map(|path| house.file_of(path, 0))
            .filter(|other| **other != file)
            .cloned()
            .collect();
        (file, others)
    };
    named.into_iter().map(files_named).collect()
}

#[test]
fn no_circle_of_files() {
    let names = house();
    assert!(names.values().map(BTreeSet::len).sum::<usize>() > 500, "the imports were found");
    let arrows = |circle: &BTreeSet<String>| {
        let of = |file: &String| {
            format!("  {file} names {:?}\n", names[file].intersection(circle).collect::<Vec<_>>())
        };
        circle.iter().map(of).collect::<String>()
    };
    let circles: Vec<String> = circles(&names).iter().map(arrows).collect();
    assert!(
        circles.is_empty(),
        "these files name each other in a circle: what two of them share belongs into a file below both\n{}",
        circles.join("\n")
    );
}

#[test]
fn imports_are_read_as_they_are_written() {
    let source = "//! use crate::no;\nuse crate::{a::b, c::{self, d as e}};\npub use crate::f::G;\nuse super::h;\nfn x() { super::super::i::j(); y::z() }\n#[cfg(test)]\nuse crate::no;";
    let (named, handed_on, _) = read(source);
    let words =
        |paths: Vec<Vec<String>>| paths.iter().map(|path| path.join("::")).collect::<Vec<_>>();
    assert_eq!(
        words(named),
        ["crate::a::b", "crate::c::self", "crate::c::d", "super::h", "super::super::i::j"]
    );
    assert_eq!(words(handed_on), ["crate::f::G"]);
}
