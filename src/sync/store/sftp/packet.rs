//! Packets of the SFTP protocol, version 3: what is sent, what comes back.

/// Numbers of the protocol.
pub mod number {
    pub const INIT: u8 = 1;
    pub const VERSION: u8 = 2;
    pub const OPEN: u8 = 3;
    pub const CLOSE: u8 = 4;
    pub const READ: u8 = 5;
    pub const WRITE: u8 = 6;
    pub const OPENDIR: u8 = 11;
    pub const READDIR: u8 = 12;
    pub const REMOVE: u8 = 13;
    pub const MKDIR: u8 = 14;
    pub const STAT: u8 = 17;
    pub const RENAME: u8 = 18;
    pub const STATUS: u8 = 101;
    pub const HANDLE: u8 = 102;
    pub const DATA: u8 = 103;
    pub const NAME: u8 = 104;
    pub const ATTRS: u8 = 105;
    pub const EXTENDED: u8 = 200;
    pub const EXTENDED_REPLY: u8 = 201;
    pub const OK: u32 = 0;
    pub const EOF: u32 = 1;
    pub const NO_SUCH_FILE: u32 = 2;
    pub const PERMISSION_DENIED: u32 = 3;
    pub const OPEN_READ: u32 = 1;
    pub const OPEN_WRITE_NEW: u32 = 2 | 8 | 32; // write, create, only if absent
}

/// What stopped a request.
pub enum Failed {
    /// The connection is gone.
    Lost,
    /// The server's status code, and its words.
    Status(u32, String),
    /// An answer that is none.
    Malformed,
}

pub type Answer<T> = Result<T, Failed>;

/// The fields of a packet.
pub struct Fields(pub Vec<u8>);

impl Fields {
    pub fn new() -> Self {
        Self(Vec::new())
    }

    pub fn int(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub fn long(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }
}

/// What is left of a packet to be read.
pub struct Rest<'p>(pub &'p [u8]);

impl<'p> Rest<'p> {
    pub fn int(&mut self) -> Answer<u32> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Failed::Malformed)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*head))
    }

    pub fn long(&mut self) -> Answer<u64> {
        Ok(u64::from(self.int()?) << 32 | u64::from(self.int()?))
    }

    pub fn bytes(&mut self) -> Answer<&'p [u8]> {
        let length = self.int()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Failed::Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Size, and whether it is a directory.
    pub fn attributes(&mut self) -> Answer<(u64, bool)> {
        let flags = self.int()?;
        let size = if flags & 1 != 0 { self.long()? } else { 0 };
        if flags & 2 != 0 {
            self.long()?; // user and group
        }
        let mode = if flags & 4 != 0 { self.int()? } else { 0 };
        if flags & 8 != 0 {
            self.long()?; // times
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..self.int()? {
                self.bytes()?;
                self.bytes()?;
            }
        }
        Ok((size, mode & 0o170_000 == 0o040_000))
    }
}

/// An answer: its type, and its fields after the number of the request.
pub struct Packet {
    pub kind: u8,
    pub id: u32,
    pub fields: Vec<u8>,
}

impl Packet {
    /// The fields, if it is of the kind that was asked for; else the status that came instead.
    pub fn expect(&self, kind: u8) -> Answer<Rest<'_>> {
        if self.kind == kind {
            return Ok(Rest(&self.fields));
        }
        self.done()?;
        Err(Failed::Malformed)
    }

    /// Whether it says that all went well.
    pub fn done(&self) -> Answer<()> {
        if self.kind != number::STATUS {
            return Err(Failed::Malformed);
        }
        let mut rest = Rest(&self.fields);
        match rest.int()? {
            number::OK => Ok(()),
            code => Err(Failed::Status(
                code,
                rest.bytes()
                    .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
                    .unwrap_or_default(),
            )),
        }
    }
}
