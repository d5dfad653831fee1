//! The files that a path stands for: itself, those of a folder in the order of their paths, or the
//! members of a zip archive.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::waiting::{self, Waiting};

/// One file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As it is told to people.
    pub name: String,
    pub path: PathBuf,
    /// Where it stands in an archive.
    pub member: Option<Member>,
}

/// A member of a zip archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    start: u64,
    packed: u64,
    deflated: bool,
}

/// What a folder holds beside its data.
fn is_no_data(name: &str) -> bool {
    name.starts_with(['_', '.'])
        || Path::new(name).extension().is_some_and(|ending| ending == "crc")
}

/// Every file that `path` stands for.
///
/// # Errors
/// Those of the system, and an archive that can't be read.
pub fn parts_of(path: &Path) -> io::Result<Vec<Part>> {
    let named = |path: &Path| Part {
        name: if path.as_os_str() == "-" {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        },
        path: path.to_owned(),
        member: None,
    };
    if path.as_os_str() == "-" || !path.metadata()?.is_dir() {
        return if is_zip(path)? { members(path) } else { Ok(vec![named(path)]) };
    }
    let mut files = Vec::new();
    walk(path, &mut files)?;
    files.sort();
    // The card of a folder of Hugging Face is no data.
    let ends = |file: &PathBuf, ending: &str| file.extension().is_some_and(|of| of == ending);
    if files.iter().any(|file| ends(file, "parquet")) {
        files.retain(|file| file.file_name().is_none_or(|name| name != "README.md"));
    }
    let mut parts = Vec::new();
    for file in files {
        if is_zip(&file)? {
            parts.extend(members(&file)?);
        } else {
            parts.push(named(&file));
        }
    }
    Ok(parts)
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if is_no_data(&entry.file_name().to_string_lossy()) {
            continue;
        }
        // A link to a folder could lead back here.
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), into)?;
        } else if entry.path().is_file() {
            into.push(entry.path());
        }
    }
    Ok(())
}

fn is_zip(path: &Path) -> io::Result<bool> {
    if path.as_os_str() == "-" || !path.metadata()?.is_file() {
        return Ok(false);
    }
    let mut head = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut head)?;
    Ok(head == b"PK\x03\x04")
}

fn members(path: &Path) -> io::Result<Vec<Part>> {
    let bad = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut archive =
        zip::ZipArchive::new(File::open(path)?).map_err(|error| bad(error.to_string()))?;
    let mut parts = Vec::new();
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at).map_err(|error| bad(error.to_string()))?;
        let inside = member.name().map_err(|error| bad(error.to_string()))?.into_owned();
        let hidden = inside.split('/').any(|part| is_no_data(part) && part != ".." && part != ".");
        if member.is_dir() || hidden {
            continue;
        }
        if member.encrypted() {
            return Err(bad(format!("`{inside}` in it is encrypted")));
        }
        let deflated = match member.compression() {
            zip::CompressionMethod::Stored => false,
            method if method.to_string().eq_ignore_ascii_case("deflated") => true,
            method => {
                return Err(bad(format!(
                    "`{inside}` in it is packed by {method}, which can't be read"
                )));
            }
        };
        let start = member.data_start().ok_or_else(|| bad(format!("`{inside}` has no data")))?;
        parts.push(Part {
            name: format!("{}/{inside}", path.display()),
            path: path.to_owned(),
            member: Some(Member { start, packed: member.compressed_size(), deflated }),
        });
    }
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(parts)
}

impl Part {
    /// Bytes that are read for it, if that is known.
    pub fn size(&self) -> Option<u64> {
        match &self.member {
            Some(member) => Some(member.packed),
            None => {
                let metadata = self.path.metadata().ok()?;
                metadata.is_file().then_some(metadata.len())
            }
        }
    }

    /// Whether it can be read several times.
    pub fn is_file(&self) -> bool {
        self.member.is_some() || self.path.is_file()
    }
}

/// Standard input.
pub fn stdin() -> Waiting<io::Stdin> {
    Waiting(io::stdin())
}

/// A file to be read.
///
/// # Errors
/// Those of the system.
pub fn open(path: &Path) -> io::Result<Waiting<File>> {
    waiting::open(path).map(Waiting)
}

impl Member {
    /// Its bytes, unpacked.
    ///
    /// # Errors
    /// Those of the system.
    pub fn inflated(&self, path: &Path) -> io::Result<Box<dyn Read + Send>> {
        let (file, deflated) = self.open(path)?;
        Ok(if deflated {
            Box::new(flate2::read::DeflateDecoder::new(file))
        } else {
            Box::new(file)
        })
    }

    /// Where its bytes lie, and whether they are deflated.
    ///
    /// # Errors
    /// Those of the system.
    pub fn open(&self, path: &Path) -> io::Result<(io::Take<File>, bool)> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.start))?;
        Ok((file.take(self.packed), self.deflated))
    }
}
