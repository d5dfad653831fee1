//! A connection to an SFTP server: a child `ssh`, requests sent ahead of their answers, and what is
//! done with files.

use std::collections::HashMap;
use std::io::{BufReader, BufWriter, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::dir::TEMPORARY;
use super::super::{Listed, Put};
use super::packet::{Answer, Failed, Fields, Packet, Rest, number};

/// Bytes in one READ or WRITE: what every server takes.
const PIECE: usize = 32 << 10;
/// Requests that are under way at once.
const AHEAD: usize = 64;
/// Longest packet taken from a server.
const PACKET_BYTES_MAX: u32 = 1 << 20;
/// Bytes of what `ssh` says that are kept for its last words.
const SAID_BYTES: usize = 4 << 10;

/// Statuses of our own, for what the protocol has only "failure".
pub const FULL: u32 = u32::MAX - 1;
pub const READ_ONLY: u32 = u32::MAX - 2;

/// A name in a directory, its bytes, and whether it is a directory itself.
type Found = (String, u64, bool);
/// A directory and what is in it.
type Directory = (String, Vec<Found>);

pub struct Connection {
    child: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
    said: Arc<Mutex<Vec<u8>>>,
    listener: Option<std::thread::JoinHandle<()>>,
    next: u32,
    can_sync: bool,
}

impl Connection {
    pub fn open(command: &str, port: Option<&str>, host: &str) -> Answer<Self> {
        let mut ssh = Command::new("sh");
        // The command may have arguments of its own, like that of an editor.
        ssh.args(["-c", &format!("exec {command} \"$@\""), "sh"]);
        ssh.args([
            "-oBatchMode=yes",
            "-oConnectTimeout=15",
            "-oServerAliveInterval=15",
            "-oServerAliveCountMax=3",
        ]);
        ssh.args([
            "-oForwardX11=no",
            "-oForwardAgent=no",
            "-oClearAllForwardings=yes",
            "-oPermitLocalCommand=no",
        ]);
        if let Some(port) = port {
            ssh.args(["-p", port]);
        }
        ssh.args(["-s", "--", host, "sftp"]);
        let spawned =
            ssh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned
            .map_err(|error| Failed::Status(u32::MAX, format!("it cannot be started: {error}")))?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failed::Lost);
        };
        let said = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&said);
        let listener = std::thread::spawn(move || listen(errors, &keep));
        let (input, output) = (
            Some(BufWriter::with_capacity(64 << 10, input)),
            BufReader::with_capacity(64 << 10, output),
        );
        let mut connection =
            Self { child, input, output, said, listener: Some(listener), next: 0, can_sync: false };
        match connection.greet() {
            Ok(()) => Ok(connection),
            Err(_) => Err(Failed::Status(u32::MAX, connection.last_words())),
        }
    }

    fn greet(&mut self) -> Answer<()> {
        self.write(number::INIT, &3_u32.to_be_bytes())?;
        self.flush()?;
        let (kind, fields) = self.read()?;
        let mut rest = Rest(&fields);
        if kind != number::VERSION || rest.int()? < 3 {
            return Err(Failed::Malformed);
        }
        while !rest.0.is_empty() {
            let (name, _) = (rest.bytes()?, rest.bytes()?);
            self.can_sync |= name == b"fsync@openssh.com";
        }
        Ok(())
    }

    pub fn nothing(&mut self) -> Answer<()> {
        Ok(())
    }

    /// The store's directory must be there; it is made only if that is wanted.
    pub fn look_at_root(&mut self, root: &str, create: bool) -> Answer<()> {
        let found = self.one(number::STAT, &Fields::new().text(root))?;
        match found.expect(number::ATTRS).and_then(|mut rest| rest.attributes()) {
            Ok((_, true)) => Ok(()),
            Ok((_, false)) => Err(Failed::Status(number::NO_SUCH_FILE, String::new())),
            Err(Failed::Status(number::NO_SUCH_FILE, _)) if create => self.make_directories(root),
            Err(other) => Err(other),
        }
    }

    /// What `ssh` said on its way out.
    pub fn last_words(mut self) -> String {
        drop(self.input.take());
        // It ends now that its input is closed, or is ended; either way there is nothing to be
        // told.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&said).into_owned();
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // Its warnings come first, the reason last.
        lines.last().map(|line| (*line).to_owned()).unwrap_or_default()
    }

    // Packets.

    fn write(&mut self, kind: u8, fields: &[u8]) -> Answer<()> {
        let input = self.input.as_mut().ok_or(Failed::Lost)?;
        let mut head = [0; 5];
        head[..4].copy_from_slice(&(fields.len() as u32 + 1).to_be_bytes());
        head[4] = kind;
        input.write_all(&head).and_then(|()| input.write_all(fields)).map_err(|_| Failed::Lost)
    }

    fn flush(&mut self) -> Answer<()> {
        self.input.as_mut().ok_or(Failed::Lost)?.flush().map_err(|_| Failed::Lost)
    }

    fn read(&mut self) -> Answer<(u8, Vec<u8>)> {
        let mut head = [0; 5];
        self.output.read_exact(&mut head).map_err(|_| Failed::Lost)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        if !(1..=PACKET_BYTES_MAX).contains(&length) {
            return Err(Failed::Malformed); // words of a login script, most likely
        }
        let mut fields = vec![0; length as usize - 1];
        self.output.read_exact(&mut fields).map_err(|_| Failed::Lost)?;
        Ok((head[4], fields))
    }

    fn ask(&mut self, kind: u8, fields: &Fields) -> Answer<u32> {
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        let mut all = Vec::with_capacity(fields.0.len() + 4);
        all.extend_from_slice(&id.to_be_bytes());
        all.extend_from_slice(&fields.0);
        self.write(kind, &all)?;
        Ok(id)
    }

    fn answer(&mut self) -> Answer<Packet> {
        let (kind, mut fields) = self.read()?;
        let id = *fields.first_chunk().ok_or(Failed::Malformed)?;
        fields.drain(..4);
        Ok(Packet { kind, id: u32::from_be_bytes(id), fields })
    }

    fn one(&mut self, kind: u8, fields: &Fields) -> Answer<Packet> {
        let id = self.ask(kind, fields)?;
        self.flush()?;
        let packet = self.answer()?;
        if packet.id == id { Ok(packet) } else { Err(Failed::Malformed) }
    }

    pub fn status(&mut self, kind: u8, fields: &Fields) -> Answer<()> {
        self.one(kind, fields)?.done()
    }

    /// Sends many requests of a kind, some ahead of their answers; gives the answers in the order
    /// of the requests.
    fn many(&mut self, kind: u8, all: &[Fields]) -> Answer<Vec<Packet>> {
        let mut places = HashMap::new();
        let mut answers: Vec<Option<Packet>> = all.iter().map(|_| None).collect();
        let mut sent = 0;
        for _ in 0..all.len() {
            while sent < all.len() && places.len() < AHEAD {
                places.insert(self.ask(kind, &all[sent])?, sent);
                sent += 1;
            }
            self.flush()?;
            let packet = self.answer()?;
            let place = places.remove(&packet.id).ok_or(Failed::Malformed)?;
            answers[place] = Some(packet);
        }
        answers.into_iter().map(|packet| packet.ok_or(Failed::Malformed)).collect()
    }

    // Files.

    pub fn put_new(&mut self, path: &str, random: &str, bytes: &[u8]) -> Answer<Put> {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let temporary = format!("{directory}/{TEMPORARY}{random}");
        let open = Fields::new().text(&temporary).int(number::OPEN_WRITE_NEW).int(0);
        let opened = self.one(number::OPEN, &open)?;
        let opened = match opened.expect(number::HANDLE) {
            Err(Failed::Status(number::NO_SUCH_FILE, _)) => {
                self.make_directories(directory)?;
                self.one(number::OPEN, &open)?
            }
            Err(Failed::Status(code, words)) => return Err(self.reason(directory, code, words)),
            Err(other) => return Err(other),
            Ok(_) => opened,
        };
        let handle = opened.expect(number::HANDLE)?.bytes()?.to_vec();
        let written = self.write_all(&handle, bytes);
        let closed = self.status(number::CLOSE, &Fields::new().bytes(&handle));
        let renamed = written.and(closed).and_then(|()| self.rename_new(&temporary, path));
        match renamed {
            Ok(Put::Created) => Ok(Put::Created),
            Ok(Put::Exists) => {
                self.remove_quietly(&temporary)?;
                Ok(Put::Exists)
            }
            Err(Failed::Status(code, words)) => {
                let reason = self.reason(directory, code, words);
                self.remove_quietly(&temporary)?;
                Err(reason)
            }
            Err(other) => Err(other),
        }
    }

    fn write_all(&mut self, handle: &[u8], bytes: &[u8]) -> Answer<()> {
        let mut offset = 0;
        for chunk in bytes.chunks(PIECE * AHEAD) {
            let piece = |(n, part): (usize, &[u8])| {
                Fields::new().bytes(handle).long((offset + n * PIECE) as u64).bytes(part)
            };
            let writes: Vec<Fields> = chunk.chunks(PIECE).enumerate().map(piece).collect();
            self.many(number::WRITE, &writes)?.iter().try_for_each(Packet::done)?;
            offset += chunk.len();
        }
        if self.can_sync {
            self.status(number::EXTENDED, &Fields::new().text("fsync@openssh.com").bytes(handle))
        } else {
            Ok(())
        }
    }

    /// Renames; the protocol's rename fails where the name is taken.
    fn rename_new(&mut self, from: &str, to: &str) -> Answer<Put> {
        match self.status(number::RENAME, &Fields::new().text(from).text(to)) {
            Ok(()) => Ok(Put::Created),
            Err(Failed::Status(code, words)) => {
                match self.one(number::STAT, &Fields::new().text(to))?.expect(number::ATTRS) {
                    Ok(_) => Ok(Put::Exists),
                    Err(Failed::Status(..)) => Err(Failed::Status(code, words)),
                    Err(other) => Err(other),
                }
            }
            Err(other) => Err(other),
        }
    }

    fn remove_quietly(&mut self, path: &str) -> Answer<()> {
        match self.status(number::REMOVE, &Fields::new().text(path)) {
            Err(Failed::Status(..)) => Ok(()), // what is left over is passed over by readers
            other => other,
        }
    }

    fn make_directories(&mut self, path: &str) -> Answer<()> {
        let mut made = Ok(());
        for (at, _) in path
            .match_indices('/')
            .chain(std::iter::once((path.len(), "")))
            .filter(|(at, _)| *at > 0)
        {
            made = self.status(number::MKDIR, &Fields::new().text(&path[..at]).int(0));
            if let Err(Failed::Lost | Failed::Malformed) = made {
                return made;
            }
        }
        // Those that were there failed; what counts is whether the last one is there now.
        let there = self.one(number::STAT, &Fields::new().text(path))?;
        if there.expect(number::ATTRS).is_ok() { Ok(()) } else { made }
    }

    /// Why a write failed: the protocol has one code for a full disk, a read-only one and much
    /// else.
    fn reason(&mut self, directory: &str, code: u32, words: String) -> Failed {
        let ask = Fields::new().text("statvfs@openssh.com").text(directory);
        let figures = self.one(number::EXTENDED, &ask).and_then(|packet| {
            let mut rest = packet.expect(number::EXTENDED_REPLY)?;
            let figures: Vec<u64> = (0..11).map(|_| rest.long()).collect::<Answer<_>>()?;
            Ok((figures[4], figures[9])) // free blocks, flags
        });
        match figures {
            Ok((_, flags)) if flags & 1 != 0 => {
                Failed::Status(READ_ONLY, "the file system there is read-only".to_owned())
            }
            Ok((0, _)) => Failed::Status(FULL, "the disk there is full".to_owned()),
            _ => Failed::Status(code, words),
        }
    }

    pub fn get(&mut self, path: &str) -> Answer<Option<Vec<u8>>> {
        let opened =
            self.one(number::OPEN, &Fields::new().text(path).int(number::OPEN_READ).int(0))?;
        let handle = match opened.expect(number::HANDLE) {
            Ok(mut rest) => rest.bytes()?.to_vec(),
            Err(Failed::Status(number::NO_SUCH_FILE, _)) => return Ok(None),
            Err(other) => return Err(other),
        };
        let read = self.read_all(&handle);
        let closed = self.status(number::CLOSE, &Fields::new().bytes(&handle));
        read.and_then(|bytes| closed.map(|()| Some(bytes)))
    }

    fn read_all(&mut self, handle: &[u8]) -> Answer<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut pieces = 1;
        loop {
            let ask = |n: usize| {
                Fields::new().bytes(handle).long((bytes.len() + n * PIECE) as u64).int(PIECE as u32)
            };
            let reads: Vec<Fields> = (0..pieces).map(ask).collect();
            for packet in self.many(number::READ, &reads)? {
                match packet.expect(number::DATA) {
                    Ok(mut rest) => {
                        let part = rest.bytes()?;
                        bytes.extend_from_slice(part);
                        if part.len() < PIECE {
                            break; // what comes after it was read from the wrong place
                        }
                    }
                    Err(Failed::Status(number::EOF, _)) => return Ok(bytes),
                    Err(other) => return Err(other),
                }
            }
            pieces = (pieces * 8).min(AHEAD);
        }
    }

    /// Every file under a prefix, a level of directories at a time.
    pub fn list(&mut self, root: &str, prefix: &str) -> Answer<Vec<Listed>> {
        let mut found = Vec::new();
        let mut level = vec![prefix.to_owned()];
        while !level.is_empty() {
            let mut deeper = Vec::new();
            for (prefix, names) in self.read_directories(root, &level)? {
                for (name, bytes, is_directory) in names {
                    let key = format!("{prefix}{name}");
                    if is_directory {
                        deeper.push(format!("{key}/"));
                    } else {
                        found.push(Listed { key, bytes });
                    }
                }
            }
            level = deeper;
        }
        Ok(found)
    }

    fn read_directories(&mut self, root: &str, prefixes: &[String]) -> Answer<Vec<Directory>> {
        let opens: Vec<Fields> = prefixes
            .iter()
            .map(|prefix| Fields::new().text(&format!("{root}/{}", prefix.trim_end_matches('/'))))
            .collect();
        let mut open = Vec::new();
        for (place, packet) in self.many(number::OPENDIR, &opens)?.iter().enumerate() {
            match packet.expect(number::HANDLE) {
                Ok(mut rest) => open.push((place, rest.bytes()?.to_vec())),
                Err(Failed::Status(number::NO_SUCH_FILE, _)) => {}
                Err(other) => return Err(other),
            }
        }
        let mut out: Vec<Directory> =
            prefixes.iter().map(|prefix| (prefix.clone(), Vec::new())).collect();
        let mut reading = open.clone();
        while !reading.is_empty() {
            let reads: Vec<Fields> =
                reading.iter().map(|(_, handle)| Fields::new().bytes(handle)).collect();
            let mut more = Vec::new();
            for ((place, handle), packet) in
                reading.into_iter().zip(self.many(number::READDIR, &reads)?)
            {
                match packet.expect(number::NAME) {
                    Ok(rest) => {
                        names(rest, &mut out[place].1)?;
                        more.push((place, handle));
                    }
                    Err(Failed::Status(number::EOF, _)) => {}
                    Err(other) => return Err(other),
                }
            }
            reading = more;
        }
        let closes: Vec<Fields> =
            open.iter().map(|(_, handle)| Fields::new().bytes(handle)).collect();
        self.many(number::CLOSE, &closes)?;
        Ok(out)
    }
}

fn names(mut rest: Rest<'_>, out: &mut Vec<Found>) -> Answer<()> {
    for _ in 0..rest.int()? {
        let name = String::from_utf8_lossy(rest.bytes()?).into_owned();
        rest.bytes()?; // the line that `ls -l` would show
        let (bytes, is_directory) = rest.attributes()?;
        if name != "." && name != ".." && !name.starts_with(TEMPORARY) {
            out.push((name, bytes, is_directory));
        }
    }
    Ok(())
}

/// Keeps the end of what `ssh` says.
fn listen(mut errors: impl Read, keep: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = errors.read(&mut buffer) {
        let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..n]);
        let over = kept.len().saturating_sub(SAID_BYTES);
        kept.drain(..over);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        drop(self.input.take());
        // A child that has ended already cannot be ended again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
