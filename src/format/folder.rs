//! A folder that an export is written to, again and again: files that an export before it wrote, and
//! that are no part of it any more, are taken away, so that nobody trains on a label that was taken
//! back. What somebody else put there, or changed, stays.
//!
//! What was written is listed beside it, `.casework-FORMAT`, as `b3sum` lists files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Component, Path, PathBuf};

/// What became of the files of the exports before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Put {
    pub removed: usize,
    /// Those that are no part of the export any more, and were changed since they were written.
    pub changed: Vec<String>,
}

/// Moves the files of an export to where they belong, in place of those of the one before.
///
/// # Errors
/// Those of the system.
pub fn put(from: &Path, to: &Path, format: &str) -> io::Result<Put> {
    fs::create_dir_all(to)?;
    let list = to.join(format!(".casework-{format}"));
    let before = listed(&list)?;
    let mut now = BTreeMap::new();
    hash_all(from, "", &mut now)?;
    // Whatever ends in the middle, each file that was written is in the list.
    write_list(&list, before.iter().chain(&now))?;
    for name in now.keys() {
        let target = to.join(name);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(from.join(name), target)?;
    }
    let mut put = Put::default();
    for (name, hash) in before.iter().filter(|(name, _)| !now.contains_key(*name)) {
        let path = to.join(name);
        match fs::symlink_metadata(&path) {
            // What can't be read is somebody else's by now.
            Ok(file) if file.is_file() && hash_of(&path).is_ok_and(|now| now == *hash) => {
                fs::remove_file(&path)?;
                remove_empty(to, &path);
                put.removed += 1;
            }
            Ok(_) => put.changed.push(name.clone()),
            Err(_) => {} // somebody took it away
        }
    }
    write_list(&list, now.iter())?;
    Ok(put)
}

/// Files by their names from the folder on, with their hashes; what is no line of a list is none.
fn listed(list: &Path) -> io::Result<BTreeMap<String, String>> {
    let text = match fs::read(list) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let pairs = text.lines().filter_map(|line| line.split_once("  "));
    let inside = |name: &str| {
        let mut parts = Path::new(name).components();
        !name.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
    };
    let pairs = pairs.filter(|(_, name)| inside(name));
    Ok(pairs.map(|(hash, name)| (name.to_owned(), hash.to_owned())).collect())
}

fn write_list<'l>(
    list: &Path,
    files: impl Iterator<Item = (&'l String, &'l String)>,
) -> io::Result<()> {
    let mut aside = list.as_os_str().to_owned();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    let mut out = BufWriter::new(File::create(&aside)?);
    // A name of several lines is none of a list: its file is left alone.
    for (name, hash) in files.filter(|(name, _)| !name.contains('\n')) {
        writeln!(out, "{hash}  {name}")?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?;
    fs::rename(aside, list)
}

fn hash_all(folder: &Path, name: &str, into: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(name))? {
        let entry = entry?;
        let own = entry.file_name();
        let Some(own) = own.to_str() else { continue };
        let inner = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
        if entry.file_type()?.is_dir() {
            hash_all(folder, &inner, into)?;
        } else {
            into.insert(inner, hash_of(&entry.path())?);
        }
    }
    Ok(())
}

fn hash_of(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Takes away the folders of a file that hold nothing any more.
fn remove_empty(root: &Path, file: &Path) {
    let parents = file.ancestors().skip(1).take_while(|parent| *parent != root);
    for parent in parents {
        if fs::remove_dir(parent).is_err() {
            return; // it holds something
        }
    }
}
