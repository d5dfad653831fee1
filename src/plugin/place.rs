//! Where a plug-in stands: its files, what of them is pinned, and what it may reach.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::passed;
use crate::domain::ids::hex;
use crate::domain::plugin::{Plugin, PluginKind};
use crate::sandbox::Level;
use crate::sandbox::helper::{Told, own_program};
use crate::sandbox::reach::{Reach, bwrap, held, program_places};

/// Most bytes of a file that a plug-in writes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// What a plug-in is, to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Of its file; of several, of the list that `sha256sum` prints of them.
    pub sha256: String,
    pub run: Vec<String>,
}

/// The directory in which a plug-in runs: copies of its files, and a home of its own. It is gone
/// with this.
pub struct Place {
    directory: tempfile::TempDir,
    /// Where its files come from.
    beside: PathBuf,
    level: Level,
    /// What it must not read, wherever that lies.
    hidden: Vec<PathBuf>,
    pub pin: Pin,
}

/// The files of a plug-in by the names that it has for them: what of `run` is a file beside the
/// configuration, and those that it lists.
fn files<'p>(plugin: &'p Plugin, beside: &Path) -> io::Result<Vec<(&'p str, PathBuf)>> {
    let mut files: Vec<(&str, PathBuf)> = Vec::new();
    for name in &plugin.run {
        let path = beside.join(name);
        if path.is_file() {
            files.push((name, path));
        }
    }
    for name in &plugin.files {
        files.push((name, beside.join(name)));
    }
    files.sort();
    files.dedup();
    for (name, _) in &files {
        let relative = Path::new(name).components().all(|part| {
            matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
        });
        let named = Path::new(name).is_absolute() && plugin.run.iter().any(|part| part == name);
        if !(relative || named) {
            let words = format!("`{name}` lies outside {}: copy it there", beside.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
    }
    Ok(files)
}

fn sha256_of(path: &Path) -> io::Result<String> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    // A program is read whole when it is begun, too.
    Ok(hex(&Sha256::digest(fs::read(path).map_err(named)?)))
}

/// What a plug-in is now.
///
/// # Errors
/// A file of it can't be read.
pub fn pin_of(plugin: &Plugin, beside: &Path) -> io::Result<Pin> {
    let files = files(plugin, beside)?;
    let mut hashes = Vec::with_capacity(files.len());
    for (name, path) in &files {
        hashes.push(((*name).to_owned(), sha256_of(path)?));
    }
    Ok(Pin { sha256: together(&hashes), run: plugin.run.clone() })
}

fn together(hashes: &[(String, String)]) -> String {
    match hashes {
        [(_, only)] => only.clone(),
        several => {
            let list: String =
                several.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
            hex(&Sha256::digest(list.as_bytes()))
        }
    }
}

impl Place {
    /// Copies the files of a plug-in to where it runs, and says what they are.
    ///
    /// # Errors
    /// A file can't be read or copied.
    pub fn new(plugin: &Plugin, beside: &Path, hidden: Vec<PathBuf>) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("casework-plugin-").tempdir()?;
        // Without links: sandboxes go by where places really are.
        let root = fs::canonicalize(directory.path())?;
        for name in ["work", "home", "tmp"] {
            fs::create_dir_all(root.join(name))?;
        }
        let mut hashes = Vec::new();
        for (name, path) in files(plugin, beside)? {
            if Path::new(name).is_absolute() {
                hashes.push((name.to_owned(), sha256_of(&path)?));
                continue;
            }
            let to = root.join("work").join(name);
            if let Some(above) = to.parent() {
                fs::create_dir_all(above)?;
            }
            fs::copy(&path, &to)?;
            hashes.push((name.to_owned(), sha256_of(&to)?));
        }
        let pin = Pin { sha256: together(&hashes), run: plugin.run.clone() };
        let level = held(Level::Auto).unwrap_or(Level::None);
        Ok(Self { directory, beside: beside.to_owned(), level, hidden, pin })
    }

    /// Another one of the same plug-in.
    ///
    /// # Errors
    /// As of [`Self::new`].
    pub fn again(&self, plugin: &Plugin) -> io::Result<Self> {
        Self::new(plugin, &self.beside, self.hidden.clone())
    }

    /// Tries whether a program that stands as plug-ins do can read a file; and by what it is held
    /// back.
    ///
    /// # Errors
    /// It can't be begun.
    pub fn can_read(file: &Path, hidden: Vec<PathBuf>) -> io::Result<(Level, bool)> {
        let quoted = file.display().to_string().replace('\'', "'\\''");
        let run = ["sh".to_owned(), "-c".to_owned(), format!("exec cat -- '{quoted}'")];
        let plugin = Plugin::to_try(PluginKind::Validator, run.into());
        let place = Self::new(&plugin, Path::new(""), hidden)?;
        let told = place.told(&plugin, &[])?;
        let mut child = Command::new(own_program()?)
            .args(["run", "step"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            told.send(&mut stdin)?;
        }
        Ok((place.level, child.wait()?.success()))
    }

    /// What holds it back.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What the process in which it begins is told; it may read `more`, too.
    pub fn told(&self, plugin: &Plugin, more: &[PathBuf]) -> io::Result<Told> {
        let root = fs::canonicalize(self.directory.path())?;
        let text = |path: PathBuf| path.display().to_string();
        let path = passed("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
        let mut environment = vec![
            ("PATH".to_owned(), path.clone()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("TZ".to_owned(), "UTC".to_owned()),
            ("PYTHONHASHSEED".to_owned(), "0".to_owned()),
            ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()),
            ("PYTHONUNBUFFERED".to_owned(), "1".to_owned()),
            ("HOME".to_owned(), text(root.join("home"))),
            ("TMPDIR".to_owned(), text(root.join("tmp"))),
        ];
        for name in &plugin.pass {
            environment.extend(passed(name).map(|value| (name.clone(), value)));
        }
        let home = passed("HOME").map(PathBuf::from);
        let work = root.join("work");
        let mut read = program_places(&path, home.as_deref(), &self.hidden);
        read.push(work.clone());
        read.extend_from_slice(more);
        let absolute = plugin.run.iter().map(PathBuf::from).filter(|path| path.is_absolute());
        read.extend(absolute.filter(|path| path.is_file()));
        let reach = Reach {
            read,
            write: vec![root.join("home"), root.join("tmp")],
            network: plugin.network,
        };
        let argv = match self.level {
            Level::Bwrap => [bwrap(&reach, &work), plugin.run.clone()].concat(),
            _ => plugin.run.clone(),
        };
        Ok(Told {
            argv,
            directory: work,
            environment,
            landlock: self.level == Level::Landlock,
            read: reach.read,
            write: reach.write,
            network: reach.network,
            file_bytes: FILE_BYTES_MAX,
        })
    }
}
