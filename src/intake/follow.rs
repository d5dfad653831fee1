//! Files that grow, are rotated, or come to lie in a directory: read piece by piece, each piece of
//! whole lines. How far each file was read is kept by what the file is (device and inode), not by
//! its name; a piece that was begun and not finished is read again as it was, so that nothing of it
//! is counted twice.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::read::LINE_BYTES_MAX;

/// Bytes of a piece.
const PIECE_BYTES: u64 = 8 << 20;

/// How far a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadTo {
    device: u64,
    inode: u64,
    /// Up to here all is taken in.
    offset: u64,
    /// Up to here the piece goes that is being taken in.
    until: u64,
    /// Lines before `offset`.
    lines: u64,
}

/// How far every file was read, by its path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places(pub BTreeMap<String, ReadTo>);

/// Whole lines of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    pub path: PathBuf,
    pub bytes: Vec<u8>,
    /// Lines of the file before it.
    pub lines_before: u64,
}

/// What is to be said about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noticed {
    /// It became shorter: it is read from its beginning.
    Shorter(PathBuf),
    /// What was read of it last is nowhere any longer: what it had since then is lost.
    Gone(PathBuf),
    Failed(PathBuf, String),
}

/// Follows some files and directories.
pub struct Follower {
    asked: Vec<PathBuf>,
    pub places: Places,
    /// Files that are open, by path: one that is renamed is read to its end.
    open: BTreeMap<PathBuf, File>,
    noticed: Vec<Noticed>,
}

fn identity(about: &Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
}

/// Files that are not there yet: being written under another name.
fn is_unfinished(name: &str) -> bool {
    name.starts_with('.') || [".tmp", ".part", ".swp", "~"].iter().any(|end| name.ends_with(end))
}

impl Follower {
    pub fn new(asked: Vec<PathBuf>, places: Places) -> Self {
        Self { asked, places, open: BTreeMap::new(), noticed: Vec::new() }
    }

    /// What happened to files since it was asked last.
    pub fn noticed(&mut self) -> Vec<Noticed> {
        std::mem::take(&mut self.noticed)
    }

    /// The next piece, if there is one. It is to be taken in, then [`Self::taken`] is to be said;
    /// `places` are to be kept before and after.
    pub fn next_piece(&mut self) -> Option<Piece> {
        for path in self.files() {
            match self.piece_of(&path) {
                Ok(Some(piece)) => return Some(piece),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let noticed = Noticed::Failed(path, error.to_string());
                    if !self.noticed.contains(&noticed) {
                        self.noticed.push(noticed);
                    }
                }
            }
        }
        None
    }

    /// Says that a piece was taken in.
    pub fn taken(&mut self, piece: &Piece) {
        if let Some(place) = self.places.0.get_mut(&piece.path.display().to_string()) {
            place.offset = place.until;
            place.lines += piece.bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for asked in &self.asked {
            let Ok(entries) = fs::read_dir(asked) else {
                files.push(asked.clone());
                continue;
            };
            let of_directory = entries.filter_map(Result::ok).filter(|entry| {
                let plain = entry.file_type().is_ok_and(|kind| kind.is_file());
                plain && !is_unfinished(&entry.file_name().to_string_lossy())
            });
            let mut of_directory: Vec<PathBuf> = of_directory.map(|entry| entry.path()).collect();
            of_directory.sort();
            files.extend(of_directory);
        }
        files
    }

    fn piece_of(&mut self, path: &Path) -> io::Result<Option<Piece>> {
        let name = path.display().to_string();
        if !self.open.contains_key(path) {
            self.begin(path, &name)?;
        }
        let Some(file) = self.open.get_mut(path) else { return Ok(None) };
        let Some(place) = self.places.0.get_mut(&name) else { return Ok(None) };
        let length = file.metadata()?.len();
        if length < place.offset {
            (place.offset, place.until, place.lines) = (0, 0, 0);
            self.noticed.push(Noticed::Shorter(path.to_owned()));
        }
        // Another file has its name now: it was rotated, and nothing more comes.
        let is_last = fs::metadata(path)
            .map_or(true, |about| identity(&about) != (place.device, place.inode));
        let begun = (place.until > place.offset).then_some(place.until);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(place.offset))?;
        let most = begun.map_or(PIECE_BYTES, |until| until - place.offset);
        file.take(most).read_to_end(&mut bytes)?;
        if begun.is_none() {
            let mut whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
            if whole == 0 && bytes.len() as u64 == PIECE_BYTES {
                // One long line is a piece by itself.
                file.take(LINE_BYTES_MAX as u64 - PIECE_BYTES).read_to_end(&mut bytes)?;
                whole = memchr::memchr(b'\n', &bytes).map_or(0, |at| at + 1);
            }
            // Half a line waits for its other half, unless none comes.
            let is_all = place.offset + bytes.len() as u64 == length;
            let too_long = bytes.len() >= LINE_BYTES_MAX;
            let is_whole = is_last && is_all && whole <= PIECE_BYTES as usize;
            if !(is_whole || whole == 0 && too_long) {
                bytes.truncate(whole);
            }
        }
        if !bytes.is_empty() {
            place.until = place.offset + bytes.len() as u64;
            let (path, lines_before) = (path.to_owned(), place.lines);
            return Ok(Some(Piece { path, bytes, lines_before }));
        }
        if is_last {
            self.open.remove(path);
            self.places.0.remove(&name);
            if path.exists() {
                return self.piece_of(path);
            }
        }
        Ok(None)
    }

    /// Opens what is to be read next under a path: the rest of what was read under it before, if
    /// that lies beside it by now, else what it is.
    fn begin(&mut self, path: &Path, name: &str) -> io::Result<()> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let (device, inode) = identity(&about);
        if let Some(place) = self.places.0.get(name) {
            if (place.device, place.inode) == (device, inode) {
                self.open.insert(path.to_owned(), file);
                return Ok(());
            }
            if let Some(old) = beside(path, (place.device, place.inode)) {
                self.open.insert(path.to_owned(), File::open(old)?);
                return Ok(());
            }
            self.noticed.push(Noticed::Gone(path.to_owned()));
            self.places.0.remove(name);
        }
        // A file of a directory may only have another name than when it was read.
        let known =
            self.places.0.iter().find(|(_, place)| (place.device, place.inode) == (device, inode));
        let known = known.map(|(other, place)| (other.clone(), *place));
        let place = match known {
            Some((other, place)) if !self.open.contains_key(Path::new(&other)) => {
                self.places.0.remove(&other);
                place
            }
            // It is read under its old name, to its end.
            Some(_) => return Ok(()),
            None => ReadTo { device, inode, offset: 0, until: 0, lines: 0 },
        };
        self.places.0.insert(name.to_owned(), place);
        self.open.insert(path.to_owned(), file);
        Ok(())
    }
}

/// The file of a directory that is this one.
fn beside(path: &Path, wanted: (u64, u64)) -> Option<PathBuf> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(parent.unwrap_or(Path::new("."))).ok()?;
    let mut entries = entries.filter_map(Result::ok);
    let found =
        entries.find(|entry| entry.metadata().is_ok_and(|about| identity(&about) == wanted));
    found.map(|entry| entry.path())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn append(path: &Path, text: &str) {
        let mut file = File::options().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Everything that there is to read by now.
    fn all(follower: &mut Follower) -> String {
        let mut text = String::new();
        while let Some(piece) = follower.next_piece() {
            follower.taken(&piece);
            text.push_str(&String::from_utf8(piece.bytes).unwrap());
        }
        text
    }

    #[test]
    fn a_file_that_grows_is_read_line_by_line_and_through_its_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let (log, old) = (dir.path().join("log"), dir.path().join("log.1"));
        let mut follower = Follower::new(vec![log.clone()], Places::default());
        assert_eq!(all(&mut follower), "", "it is not there yet");
        append(&log, "one\ntw");
        assert_eq!(all(&mut follower), "one\n");
        append(&log, "o\n");
        assert_eq!(all(&mut follower), "two\n");
        // Rotated with a line that was not read and one without an end.
        append(&log, "three\nfour");
        fs::rename(&log, &old).unwrap();
        append(&log, "five\n");
        assert_eq!(all(&mut follower), "three\nfourfive\n");
        // Rotated while nobody followed.
        append(&log, "six\n");
        let places = follower.places.clone();
        fs::rename(&log, dir.path().join("log.2")).unwrap();
        append(&log, "seven\n");
        let mut again = Follower::new(vec![log.clone()], places.clone());
        assert_eq!(all(&mut again), "six\nseven\n");
        assert_eq!(again.noticed(), []);
        // What was rotated is gone, or it became shorter: that is said.
        fs::remove_file(dir.path().join("log.2")).unwrap();
        let mut lost = Follower::new(vec![log.clone()], places);
        assert_eq!(all(&mut lost), "seven\n");
        assert_eq!(lost.noticed(), [Noticed::Gone(log.clone())]);
        fs::write(&log, "8\n").unwrap();
        assert_eq!(all(&mut lost), "8\n");
        assert_eq!(lost.noticed(), [Noticed::Shorter(log)]);
    }

    #[test]
    fn a_line_longer_than_a_piece_is_a_piece_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let long = "x".repeat(PIECE_BYTES as usize + 1_000);
        append(&log, &format!("one\n{long}"));
        let mut follower = Follower::new(vec![log.clone()], Places::default());
        let mut next = || {
            let piece = follower.next_piece()?;
            follower.taken(&piece);
            Some(piece.bytes.len())
        };
        assert_eq!((next(), next()), (Some(4), None), "it has no end yet");
        append(&log, "\ntwo\nthree");
        assert_eq!((next(), next(), next()), (Some(long.len() + 1), Some(4), None));
        append(&log, &format!("\n{long}\nfour"));
        fs::rename(&log, dir.path().join("log.1")).unwrap();
        append(&log, "five\n");
        let left = [next(), next(), next(), next(), next()];
        assert_eq!(
            left,
            [6, long.len() + 1, 4, 5].map(Some).into_iter().chain([None]).collect::<Vec<_>>()[..]
        );
    }

    #[test]
    fn a_piece_that_was_begun_is_read_again_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        append(&log, "one\n");
        let mut follower = Follower::new(vec![log.clone()], Places::default());
        let piece = follower.next_piece().unwrap();
        let kept = follower.places.clone();
        append(&log, "two\n");
        // Killed before it was taken in: the same piece, though the file has grown.
        let mut again = Follower::new(vec![log], kept);
        let second = again.next_piece().unwrap();
        assert_eq!(second, piece);
        again.taken(&second);
        assert_eq!(all(&mut again), "two\n");
    }

    #[test]
    fn a_directory_that_fills_is_read_file_by_file_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        append(&path("b"), "2\n");
        append(&path("a"), "1\n");
        append(&path("c.part"), "no");
        let mut follower = Follower::new(vec![dir.path().to_owned()], Places::default());
        assert_eq!(all(&mut follower), "1\n2\n");
        fs::rename(path("c.part"), path("c")).unwrap();
        append(&path("c"), "w\n");
        append(&path("a"), "3\n");
        assert_eq!(all(&mut follower), "3\nnow\n");
        let places = follower.places.clone();
        fs::rename(path("a"), path("z")).unwrap();
        let mut again = Follower::new(vec![dir.path().to_owned()], places);
        assert_eq!(all(&mut again), "", "the same file under another name");
    }
}
