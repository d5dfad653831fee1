//! Where a plug-in stands: its files, what of them is pinned, and what it may reach.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sha2::{Digest as _, Sha256};

use crate::config::passed;
use crate::domain::ids::hex;
use crate::domain::plugin::{Pin, Plugin, PluginKind};
use crate::sandbox::Level;
use crate::sandbox::helper::Told;
use crate::sandbox::reach::{
    Reach, bwrap, held, is_of_system, is_program, may_be_copied, program_places,
};

/// Most bytes of a file that a plug-in writes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The directory in which a plug-in runs: copies of its files, and a home of its own. It is gone
/// with this.
pub struct Place {
    directory: tempfile::TempDir,
    /// Where its files come from.
    beside: PathBuf,
    /// What runs: as the configuration has it, but for the copies.
    argv: Vec<String>,
    /// What runs where it is, with its hash.
    in_place: Vec<(PathBuf, String)>,
    level: Level,
    /// What it must not read, wherever that lies.
    hidden: Vec<PathBuf>,
    pub pin: Pin,
    _lock: File,
}

/// A file of a plug-in.
struct Part<'p> {
    /// As `run` or `files` has it.
    name: &'p str,
    from: PathBuf,
    /// Where its copy lies, below where the plug-in stands; none of a program of the system, which
    /// runs where it is.
    to: Option<PathBuf>,
}

impl Part<'_> {
    fn copied<'p>(name: &'p str, from: PathBuf) -> Part<'p> {
        Part { name, from, to: Some(Path::new("work").join(name)) }
    }
}

/// The variable by which it is known what a plug-in began.
pub const MARK: &str = "CASEWORK_PLUGIN";

/// What the directories of plug-ins are called at first.
const PREFIX: &str = "casework-plugin-";
/// The file in one that is locked for as long as somebody has the plug-in, on whatever system shares
/// the directory.
const LOCK: &str = "lock";

/// Removes the directories of processes that were killed and could not.
fn sweep() {
    let entries = fs::read_dir(std::env::temp_dir()).into_iter().flatten();
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let Some(lock) = ours.then(|| File::open(entry.path().join(LOCK)).ok()).flatten() else {
            continue;
        };
        if lock.try_lock().is_ok() {
            // Another's can't be removed, which is right.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn invalid(words: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, words)
}

fn not_there(name: &str, beside: &Path) -> io::Error {
    let words = match Path::new(name).is_absolute() {
        true => format!("there is no file `{name}`"),
        false => format!("`{name}` is no file in {}", beside.display()),
    };
    io::Error::new(io::ErrorKind::NotFound, words)
}

/// The files of a plug-in: what of `run` is one, and those that it lists; where there is none, its
/// program.
fn parts<'p>(plugin: &'p Plugin, beside: &Path, hidden: &[PathBuf]) -> io::Result<Vec<Part<'p>>> {
    let path = path_of_programs();
    let inside = |name: &str| {
        use std::path::Component::{CurDir, Normal};
        Path::new(name).components().all(|part| matches!(part, Normal(_) | CurDir))
    };
    let mut parts: Vec<Part<'p>> = Vec::new();
    for (at, name) in plugin.run.iter().enumerate() {
        let given = Path::new(name);
        let from = beside.join(given);
        let runs = at == 0 && name.contains('/');
        // A program by its name alone is one of `PATH`, whatever lies here.
        if !from.is_file() || (at == 0 && !runs) {
            if runs {
                return Err(not_there(name, beside));
            }
            continue;
        }
        if runs && !is_program(&from) {
            return Err(invalid(format!("`{name}` is not executable: chmod +x")));
        }
        parts.push(if inside(name) {
            Part::copied(name, from)
        } else if !given.is_absolute() {
            return Err(invalid(format!(
                "`{name}` lies outside {}: copy it there",
                beside.display()
            )));
        } else if is_of_system(given, &path) {
            Part { name, from, to: None }
        } else if !may_be_copied(&from, Path::new("/"), hidden) {
            return Err(invalid(format!(
                "`{name}` lies in what no plug-in may read: name it as it is called in {}",
                beside.display()
            )));
        } else {
            let own = given.file_name().map(PathBuf::from).unwrap_or_default();
            Part { name, from, to: Some(Path::new("given").join(at.to_string()).join(own)) }
        });
    }
    for name in &plugin.files {
        if !inside(name) {
            return Err(invalid(format!(
                "`{name}` lies outside {}: copy it there",
                beside.display()
            )));
        }
        let from = beside.join(name);
        if !from.is_file() {
            return Err(not_there(name, beside));
        }
        parts.push(Part::copied(name, from));
    }
    if let (true, Some(name)) = (parts.is_empty(), plugin.run.first()) {
        let mut found = std::env::split_paths(&path).map(|place| place.join(name));
        let from = found
            .find(|path| path.is_absolute() && is_program(path))
            .ok_or_else(|| invalid(format!("no program is called `{name}`")))?;
        parts.push(Part { name, from, to: None });
    }
    for part in &parts {
        if part.to.is_some() && !may_be_copied(&part.from, beside, hidden) {
            return Err(invalid(format!("`{}` is what no plug-in may read", part.name)));
        }
    }
    parts.sort_by_key(|part| part.name);
    parts.dedup_by_key(|part| part.name);
    Ok(parts)
}

fn path_of_programs() -> String {
    passed("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned())
}

/// The same error with the file that it is about.
fn of_file(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn sha256_of(path: &Path) -> io::Result<String> {
    // A program is read whole when it is begun, too.
    Ok(hex(&Sha256::digest(fs::read(path).map_err(of_file(path))?)))
}

/// What a plug-in is now.
///
/// # Errors
/// A file of it is not there, or can't be read.
pub fn pin_of(plugin: &Plugin, beside: &Path, hidden: &[PathBuf]) -> io::Result<Pin> {
    let mut hashes = Vec::new();
    for part in parts(plugin, beside, hidden)? {
        hashes.push((part.name.to_owned(), sha256_of(&part.from)?));
    }
    Ok(Pin::of(plugin, &hashes))
}

impl Place {
    /// Copies the files of a plug-in to where it runs, and says what they are.
    ///
    /// # Errors
    /// A file can't be read or copied.
    pub fn new(plugin: &Plugin, beside: &Path, hidden: Vec<PathBuf>) -> io::Result<Self> {
        sweep();
        let directory = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        // Without links: sandboxes go by where places really are.
        let root = fs::canonicalize(directory.path())?;
        // Locked before it is called what is looked for.
        let new = root.join("lock.new");
        let lock = File::create(&new)?;
        lock.lock()?;
        fs::rename(&new, root.join(LOCK))?;
        for name in ["work", "given", "home", "tmp"] {
            fs::create_dir_all(root.join(name))?;
        }
        let mut argv = plugin.run.clone();
        let mut in_place = Vec::new();
        let mut hashes = Vec::new();
        for Part { name, from, to } in parts(plugin, beside, &hidden)? {
            let Some(to) = to.map(|to| root.join(to)) else {
                let hash = sha256_of(&from)?;
                // That one, and no other of the name.
                for argument in argv.iter_mut().filter(|argument| *argument == name) {
                    *argument = from.display().to_string();
                }
                hashes.push((name.to_owned(), hash.clone()));
                in_place.push((from, hash));
                continue;
            };
            if let Some(above) = to.parent() {
                fs::create_dir_all(above)?;
            }
            fs::copy(&from, &to).map_err(of_file(&from))?;
            hashes.push((name.to_owned(), sha256_of(&to)?));
            for argument in argv.iter_mut().filter(|argument| *argument == name) {
                if Path::new(name).is_absolute() {
                    *argument = to.display().to_string();
                }
            }
        }
        let pin = Pin::of(plugin, &hashes);
        let level = held(Level::Auto).unwrap_or(Level::None);
        Ok(Self {
            directory,
            beside: beside.to_owned(),
            argv,
            in_place,
            level,
            hidden,
            pin,
            _lock: lock,
        })
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
        let mut child = told.begin(Stdio::null)?;
        Ok((place.level, child.wait()?.success()))
    }

    /// What holds it back.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What the process in which it begins is told; it may read `more`, too.
    pub fn told(&self, plugin: &Plugin, more: &[PathBuf]) -> io::Result<Told> {
        for (program, hash) in &self.in_place {
            if sha256_of(program)? != *hash {
                return Err(invalid(format!(
                    "{} changed since it was looked at",
                    program.display()
                )));
            }
        }
        let root = fs::canonicalize(self.directory.path())?;
        let text = |path: PathBuf| path.display().to_string();
        let path = path_of_programs();
        let mut environment = vec![
            ("PATH".to_owned(), path.clone()),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("TZ".to_owned(), "UTC".to_owned()),
            ("PYTHONHASHSEED".to_owned(), "0".to_owned()),
            ("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned()),
            ("PYTHONUNBUFFERED".to_owned(), "1".to_owned()),
            ("HOME".to_owned(), text(root.join("home"))),
            ("TMPDIR".to_owned(), text(root.join("tmp"))),
            // By this whatever it begins is found, and ended with it.
            (MARK.to_owned(), text(root.join("work"))),
        ];
        for name in &plugin.pass {
            environment.extend(passed(name).map(|value| (name.clone(), value)));
        }
        let home = passed("HOME").map(PathBuf::from);
        let work = root.join("work");
        let mut read = program_places(&path, home.as_deref(), &self.hidden);
        read.extend([work.clone(), root.join("given")]);
        read.extend_from_slice(more);
        let reach = Reach {
            read,
            write: vec![root.join("home"), root.join("tmp")],
            network: plugin.network,
        };
        let argv = match self.level {
            Level::Bwrap => [bwrap(&reach, &work), self.argv.clone()].concat(),
            _ => self.argv.clone(),
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
