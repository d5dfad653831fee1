//! What a line brings, or points to, besides words: pictures, sounds, documents.
//!
//! Nothing is opened or fetched here. A data URL's bytes stand in the line, and what they are is
//! read off their first and last ones; of a file or an address there is what the line says.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::prediction::scalar;

/// What the `type` of an object says that is told by its being an attachment.
const KINDS: &[&str] = &[
    "image",
    "image_url",
    "input_image",
    "input_audio",
    "audio",
    "document",
    "file",
    "base64",
    "url",
];

/// Something that is not words.
#[derive(Debug, Clone, PartialEq)]
pub enum Attachment {
    /// Its bytes stand in the line.
    Data {
        media_type: String,
        bytes: usize,
        found: Found,
        content: Arc<[u8]>,
        /// What is wrong with it that its beginning told, where that was looked at.
        odd: Option<String>,
    },
    /// A file, by its path.
    File {
        path: String,
        media_type: String,
        bytes: Option<String>,
        sha256: Option<String>,
        alt: Option<String>,
        /// How it was when the case was detected, where the line has no hash of it.
        then: Option<FileThen>,
        /// How it stands on this device, where that was looked up.
        standing: Option<Standing>,
        /// What is wrong with what is in it, as its beginning told then.
        odd: Option<String>,
    },
    /// An address. It is shown, never fetched.
    Url {
        url: String,
        media_type: String,
        /// What else the line says of it, in words.
        more: Vec<String>,
    },
}

/// A file as it was when the case that points to it was detected. It is known by the field that points
/// to it: a path may be something that is kept nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileThen {
    pub field: String,
    pub bytes: u64,
    pub sha256: String,
}

/// What file is meant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meant<'a> {
    pub path: &'a str,
    bytes: Option<&'a str>,
    sha256: Option<&'a str>,
    then: Option<&'a FileThen>,
}

impl<'a> Meant<'a> {
    /// Whether it is known to be of another size.
    pub fn is_of_another_size(&self, size: u64) -> bool {
        // It may be written as any number is.
        self.bytes.is_some_and(|bytes| bytes.parse().ok() != Some(size as f64))
    }

    /// Whether there is a hash to compare with.
    pub fn has_hash(&self) -> bool {
        self.sha256.is_some() || self.then.is_some()
    }

    /// How a file of such a size and hash stands.
    pub fn stands(&self, size: u64, hash: impl FnOnce() -> String) -> Standing {
        if self.is_of_another_size(size) {
            return Standing::AnotherSize(size);
        }
        match (self.sha256, self.then) {
            (Some(meant), _) => {
                let meant = meant
                    .get(..7)
                    .filter(|of| of.eq_ignore_ascii_case("sha256:"))
                    .map_or(meant, |of| &meant[of.len()..]);
                let same = meant.eq_ignore_ascii_case(&hash());
                if same { Standing::Found } else { Standing::AnotherHash }
            }
            (None, Some(then)) => {
                let same = then.bytes == size && then.sha256 == hash();
                if same { Standing::AsDetected } else { Standing::AnotherThanDetected }
            }
            (None, None) => Standing::NoHash,
        }
    }
}

/// How a file that a line points to stands on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the one that was meant.
    Found,
    AnotherHash,
    AnotherSize(u64),
    /// The line has no hash, and it is as it was when the case was detected.
    AsDetected,
    AnotherThanDetected,
    /// It is there, and the line has no hash to tell whether it is the one.
    NoHash,
    Missing,
    /// The path leads out of the folders, or through a link: it is not opened.
    Outside,
    /// A directory, a device, a FIFO: it is not read.
    NoFile,
    TooLarge,
    Unreadable,
    /// There are more, or larger, files than are looked at together.
    TooMany,
}

impl Standing {
    /// Whether it is the file that was meant, as far as anybody can tell.
    pub fn is_meant(self) -> bool {
        matches!(self, Self::Found | Self::AsDetected | Self::NoHash)
    }

    /// What is good about it, and what is wrong.
    pub fn words(self) -> (Option<String>, Option<String>) {
        let wrong = |words: &str| (None, Some(words.to_owned()));
        match self {
            Self::Found => (Some("found".to_owned()), None),
            Self::AnotherHash => wrong("it changed: its hash is another"),
            Self::AnotherSize(bytes) => {
                (None, Some(format!("it changed: its size is another, {bytes} bytes")))
            }
            Self::AsDetected => {
                let words = "as it was when the case was detected; the line itself has no hash to \
                             compare it with";
                (Some(words.to_owned()), None)
            }
            Self::AnotherThanDetected => wrong("it changed since the case was detected"),
            Self::NoHash => wrong("found, and the line has no hash to compare it with"),
            Self::Missing => wrong("it is missing here"),
            Self::Outside => wrong("it is outside the folders of [attachments] roots: not opened"),
            Self::NoFile => wrong("it is no regular file: not read"),
            Self::TooLarge => wrong("it is larger than 64 MB: not hashed"),
            Self::Unreadable => wrong("it can't be read here"),
            Self::TooMany => wrong("there are more files than are compared at once: not hashed"),
        }
    }
}

/// What data turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    As(&'static str),
    Unknown,
    NotBase64,
    Empty,
    /// It ends in the middle.
    Cut,
}

impl Attachment {
    /// The attachment that a value of a line is, if it is one.
    pub fn of(value: &Value) -> Option<Self> {
        Self::with_rest(value).map(|(attached, _)| attached)
    }

    /// The attachment that a value is, and what stands beside it that tells nothing of it.
    pub fn with_rest(value: &Value) -> Option<(Self, Vec<(String, Value)>)> {
        let object = match value {
            Value::String(text) => {
                return Self::of_text(text).map(|attached| (attached, Vec::new()));
            }
            Value::Object(object) => object,
            _ => return None,
        };
        // As chat messages have pictures and sounds: OpenAI, Anthropic, Gemini.
        const WITHIN: &[&str] = &[
            "image_url",
            "image",
            "file",
            "input_audio",
            "source",
            "inlineData",
            "inline_data",
            "fileData",
            "file_data",
        ];
        let within = WITHIN.iter().find_map(|name| {
            let (name, inner) = object.get_key_value(*name)?;
            let address = || Self::of_address(inner.as_str()?).map(|one| (one, Vec::new()));
            Some((name, Self::with_rest(inner).or_else(address)?))
        });
        let (attached, used, mut rest) = match within {
            Some((name, (attached, rest))) => {
                let rest = rest.into_iter().map(|(key, value)| (format!("{name}.{key}"), value));
                (attached, vec![name.as_str()], rest.collect())
            }
            None => {
                let (attached, used) =
                    Self::of_data(object).or_else(|| Self::of_reference(object))?;
                (attached, used, Vec::new())
            }
        };
        rest.extend(rest_of(object, |name, value| is_kind(name, value) || used.contains(&name)));
        Some((attached, rest))
    }

    fn of_address(text: &str) -> Option<Self> {
        let is_one = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
        let (url, media_type, more) = (text.to_owned(), String::new(), Vec::new());
        is_one.then_some(Self::Url { url, media_type, more })
    }

    fn of_text(text: &str) -> Option<Self> {
        let rest = text.get(..5).filter(|start| start.eq_ignore_ascii_case("data:"))?;
        let (head, data) = text[rest.len()..].split_once(',')?;
        let head = head.to_ascii_lowercase();
        let (media_type, base64) = match head.strip_suffix(";base64") {
            Some(media_type) => (media_type, true),
            None => (head.as_str(), false),
        };
        let media_type = media_type.split(';').next().unwrap_or_default();
        let media_type = if media_type.is_empty() { "text/plain" } else { media_type };
        Some(Self::data(media_type, data, base64))
    }

    /// Bytes that came otherwise than in base64.
    pub fn of_bytes(media_type: &str, bytes: Vec<u8>) -> Self {
        let found = match kind_of(&bytes) {
            _ if bytes.is_empty() => Found::Empty,
            Some(kind) if !is_whole(kind, &bytes) => Found::Cut,
            kind => kind.map_or(Found::Unknown, Found::As),
        };
        let (media_type, long) = (media_type.to_owned(), bytes.len());
        Self::Data { media_type, bytes: long, found, content: bytes.into(), odd: None }
    }

    /// `{"media_type": …, "data": …}` with base64, and the fields that it is read from.
    fn of_data(object: &Map<String, Value>) -> Option<(Self, Vec<&'static str>)> {
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let data = text("data")?;
        // Of a sound OpenAI has the ending of its files.
        let (name, media_type) = match (said_type(object), text("format")) {
            (Some(said), _) => said,
            (None, Some("mp3")) => ("format", "audio/mpeg".to_owned()),
            (None, Some(format @ ("wav" | "flac" | "ogg" | "opus"))) => {
                ("format", format!("audio/{format}"))
            }
            _ => return None,
        };
        let read = Self::data(&media_type, data, true);
        // A text that stands as it is.
        let is_words = matches!(read, Self::Data { found: Found::NotBase64 | Found::Cut, .. });
        (!(is_words && media_type.starts_with("text/"))).then_some((read, vec![name, "data"]))
    }

    fn data(media_type: &str, data: &str, base64: bool) -> Self {
        let media_type = media_type.to_owned();
        if !base64 {
            let found = if data.is_empty() { Found::Empty } else { Found::Unknown };
            return Self::Data {
                media_type,
                bytes: data.len(),
                found,
                content: data.as_bytes().into(),
                odd: None,
            };
        }
        let digits = data.trim_end_matches('=');
        let is_digit = |b: u8| b.is_ascii_alphanumeric() || b"+/".contains(&b);
        let decoded = STANDARD.decode(data);
        // Of what is cut there is what comes before.
        let content = match &decoded {
            Ok(bytes) => bytes.clone(),
            Err(_) => STANDARD.decode(&digits[..digits.len() / 4 * 4]).unwrap_or_default(),
        };
        let found = match decoded {
            _ if digits.is_empty() => Found::Empty,
            Err(_) if digits.bytes().all(is_digit) => Found::Cut,
            Err(_) => Found::NotBase64,
            Ok(bytes) => match kind_of(&bytes) {
                Some(kind) if !is_whole(kind, &bytes) => Found::Cut,
                kind => kind.map_or(Found::Unknown, Found::As),
            },
        };
        let (bytes, content) = (digits.len() * 3 / 4, content.into());
        Self::Data { media_type, bytes, found, content, odd: None }
    }

    /// `{"path"|"url", "media_type", "bytes", "sha256", "alt"}`, and those of them that it is read from.
    fn of_reference(object: &Map<String, Value>) -> Option<(Self, Vec<&'static str>)> {
        const NAMES: &[&str] = &["path", "url", "media_type", "bytes", "sha256", "alt", "detail"];
        let text = |name: &str| object.get(name).and_then(scalar);
        let named = said_type(object);
        let media_type = || named.clone().map(|(_, kind)| kind).unwrap_or_default();
        // Any field may be called path, or url: what else there is says that it is one.
        let says = named.is_some() || text("sha256").is_some();
        let only = || {
            object
                .iter()
                .all(|(name, value)| NAMES.contains(&name.as_str()) || is_kind(name, value))
        };
        let reference = says || only();
        let read_of = |of: &'static str| {
            let known = NAMES.iter().copied().filter(|name| text(name).is_some());
            let known = known.filter(move |name| *name == of || !["path", "url"].contains(name));
            known.chain([of]).chain(named.as_ref().map(|(name, _)| *name)).collect::<Vec<_>>()
        };
        if let Some(path) = text("path").filter(|_| reference) {
            let (bytes, sha256, alt) = (text("bytes"), text("sha256"), text("alt"));
            let (media_type, then, standing, odd) = (media_type(), None, None, None);
            let file = Self::File { path, media_type, bytes, sha256, alt, then, standing, odd };
            let used = read_of("path").into_iter().filter(|name| *name != "detail");
            return Some((file, used.collect()));
        }
        let names = ["url", "fileUri", "file_uri"];
        let (name, url) =
            names.into_iter().find_map(|name| Some((name, object.get(name)?.as_str()?)))?;
        if !reference {
            return None;
        }
        if let Some(data) = Self::of_text(url) {
            return Some((data, vec![name]));
        }
        let more = [
            text("bytes").map(|bytes| format!("{bytes} bytes")),
            text("sha256").map(|hash| format!("SHA-256 {hash}")),
            text("detail").map(|detail| format!("detail {detail}")),
            text("alt").map(|alt| format!("“{alt}”")),
        ];
        let more = more.into_iter().flatten().collect();
        let address = Self::Url { url: url.to_owned(), media_type: media_type(), more };
        Some((address, read_of(name)))
    }

    /// Which file is meant, if it is one.
    pub fn meant(&self) -> Option<Meant<'_>> {
        let Self::File { path, bytes, sha256, then, .. } = self else { return None };
        let (bytes, sha256, then) = (bytes.as_deref(), sha256.as_deref(), then.as_ref());
        Some(Meant { path, bytes, sha256, then })
    }

    /// Takes up how it was when the case was detected, where the line itself has no hash.
    pub fn as_it_was(&mut self, field: &str, files: &[FileThen]) {
        if let Self::File { then, sha256: None, .. } = self {
            *then = files.iter().find(|file| file.field == field).cloned();
        }
    }

    /// How it stands on this device, where it is a file that was looked up.
    pub fn standing(&self) -> Option<Standing> {
        match self {
            Self::File { standing, .. } => *standing,
            _ => None,
        }
    }

    /// Takes up what is known of the same attachment elsewhere.
    pub fn as_known(&mut self, known: &[(String, Self)]) {
        for (_, other) in known {
            match (&mut *self, other) {
                (
                    Self::File { path, bytes, sha256, then, standing, odd, .. },
                    Self::File {
                        path: of,
                        bytes: size,
                        sha256: hash,
                        then: was,
                        standing: stands,
                        odd: told,
                        ..
                    },
                ) if (&*path, &*bytes, &*sha256) == (of, size, hash) => {
                    then.clone_from(was);
                    *standing = *stands;
                    return odd.clone_from(told);
                }
                (
                    Self::Data { media_type, content, odd, .. },
                    Self::Data { media_type: kind, content: other, odd: told, .. },
                ) if media_type == kind && content == other => return odd.clone_from(told),
                _ => {}
            }
        }
    }

    /// The type that the line says it is.
    pub fn media_type(&self) -> &str {
        match self {
            Self::Data { media_type, .. }
            | Self::File { media_type, .. }
            | Self::Url { media_type, .. } => media_type,
        }
    }

    /// What is to be known of it, and what is wrong with it.
    pub fn facts(&self) -> (String, Option<String>) {
        match self {
            Self::Data { media_type, bytes, found, odd, .. } => {
                let wrong = match found {
                    Found::As(kind) if is_same_kind(kind, media_type) => None,
                    Found::As(kind) => {
                        Some(format!("it says it is {media_type}, and it is {kind}"))
                    }
                    Found::NotBase64 => Some("its data is not base64".to_owned()),
                    Found::Empty => Some("it has no data".to_owned()),
                    Found::Cut => Some("its data ends in the middle".to_owned()),
                    Found::Unknown if acts(media_type) => {
                        Some("it can act: it is never run or drawn".to_owned())
                    }
                    Found::Unknown => is_known_by_its_beginning(media_type)
                        .then(|| format!("it says it is {media_type}, and it is none")),
                };
                let wrong = wrong.or_else(|| odd.clone());
                (format!("{media_type}, {bytes} bytes, in the line"), wrong)
            }
            Self::File { path, media_type, bytes, sha256, alt, standing, odd, .. } => {
                let mut words = vec![path.clone()];
                words.extend((!media_type.is_empty()).then(|| media_type.clone()));
                words.extend(bytes.as_ref().map(|bytes| format!("{bytes} bytes")));
                words.extend(sha256.as_ref().map(|hash| format!("SHA-256 {hash}")));
                words.extend(alt.as_ref().map(|alt| format!("“{alt}”")));
                let (good, wrong) = standing.map_or((None, None), Standing::words);
                words.extend(good);
                // What is in another file than was meant says nothing.
                let stands = standing.is_some_and(Standing::is_meant);
                let odd = odd.clone().filter(|_| stands);
                let wrong = [odd, wrong].into_iter().flatten().collect::<Vec<_>>().join("; ");
                (words.join(", "), Some(wrong).filter(|wrong| !wrong.is_empty()))
            }
            Self::Url { url, media_type, more } => {
                let mut words = vec![url.clone()];
                words.extend((!media_type.is_empty()).then(|| media_type.clone()));
                words.extend(more.iter().cloned());
                words.push("not fetched".to_owned());
                (words.join(", "), None)
            }
        }
    }
}

/// The type that an object says it is of, with the field that says it.
fn said_type(object: &Map<String, Value>) -> Option<(&'static str, String)> {
    let names = ["media_type", "mimeType", "mime_type"];
    let said = |name: &'static str| Some((name, scalar(object.get(name)?)?.to_ascii_lowercase()));
    names.into_iter().find_map(said)
}

/// Whether a field says what an object is, and that is told by its being an attachment.
fn is_kind(name: &str, value: &Value) -> bool {
    name == "type" && value.as_str().is_some_and(|kind| KINDS.contains(&kind))
}

/// The fields of an object that are not `used` and hold something.
pub fn rest_of(
    object: &Map<String, Value>,
    used: impl Fn(&str, &Value) -> bool,
) -> Vec<(String, Value)> {
    let holds = |value: &Value| match value {
        Value::Array(list) => !list.is_empty(),
        Value::Null => false,
        _ => true,
    };
    let rest = object.iter().filter(|(name, value)| holds(value) && !used(name, value));
    rest.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether a type is meant by what it is said to be: some have more than one name.
pub fn is_same_kind(kind: &str, said: &str) -> bool {
    let meant = match said {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/mp3" => "audio/mpeg",
        "audio/opus" | "application/ogg" => "audio/ogg",
        "audio/x-flac" => "audio/flac",
        "application/x-gzip" => "application/gzip",
        other => other,
    };
    kind == meant
}

/// Whether all data of a type begins in a way that [`kind_of`] knows.
pub fn is_known_by_its_beginning(media_type: &str) -> bool {
    ["image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "audio/wav"]
        .contains(&media_type)
}

/// Whether a browser would run or draw it.
pub fn acts(media_type: &str) -> bool {
    ["text/html", "image/svg+xml", "application/javascript", "text/javascript"]
        .contains(&media_type)
}

/// Whether a picture has its end.
pub fn is_whole(kind: &str, bytes: &[u8]) -> bool {
    match kind {
        "image/jpeg" => bytes.ends_with(b"\xff\xd9"),
        // Something may stand behind it.
        "image/png" => {
            memchr::memmem::rfind(bytes, b"IEND").is_some_and(|at| at + 8 <= bytes.len())
        }
        "image/gif" => bytes.ends_with(b";"),
        _ => true,
    }
}

/// What bytes are, by how they begin.
pub fn kind_of(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF8", "image/gif"),
        (b"%PDF-", "application/pdf"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
        (b"ID3", "audio/mpeg"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x1f\x8b", "application/gzip"),
    ];
    if bytes.starts_with(b"RIFF") && bytes.len() >= 12 {
        return match &bytes[8..12] {
            b"WAVE" => Some("audio/wav"),
            b"WEBP" => Some("image/webp"),
            _ => None,
        };
    }
    KINDS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_data_is_is_read_off_it_and_what_is_wrong_is_said() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n....IENDcrc.");
        let wrong = |text: &str| Attachment::of(&json!(text)).unwrap().facts().1;
        assert_eq!(wrong(&format!("data:image/png;base64,{png}")), None);
        let other = wrong(&format!("data:image/jpeg;base64,{png}"));
        assert_eq!(other.as_deref(), Some("it says it is image/jpeg, and it is image/png"));
        assert_eq!(wrong("data:image/png;base64,").as_deref(), Some("it has no data"));
        assert_eq!(wrong("data:image/png;base64,%%%%").as_deref(), Some("its data is not base64"));
        let cut = wrong(&format!("data:image/png;base64,{}", &png[..png.len() - 3]));
        assert_eq!(cut.as_deref(), Some("its data ends in the middle"));
        assert!(wrong("data:text/html,<script>").is_some());
        let none = wrong(&format!("data:image/png;base64,{}", STANDARD.encode("hello world")));
        assert_eq!(none.as_deref(), Some("it says it is image/png, and it is none"));
        assert_eq!(wrong(&format!("data:audio/mpeg;base64,{}", STANDARD.encode("hello"))), None);
        // All that a reference says is shown.
        let of = json!({"url": "https://a/b", "media_type": "image/png", "bytes": 77,
            "sha256": "ab", "detail": "low", "alt": "a cat"});
        let (facts, _) = Attachment::of(&of).unwrap().facts();
        for said in ["https://a/b", "image/png", "77 bytes", "SHA-256 ab", "detail low", "“a cat”"]
        {
            assert!(facts.contains(said), "{said}: {facts}");
        }
        for none in ["database: x", "data", "dat\u{e4}:x,y", "plain"] {
            assert_eq!(Attachment::of(&json!(none)), None, "{none}");
        }
    }

    #[test]
    fn an_attachment_is_known_whatever_it_is_called_and_a_text_is_none() {
        let wav = STANDARD.encode(b"RIFF....WAVEfmt ");
        let facts = |value: Value| Attachment::of(&value).map(|one| one.facts());
        let good = |value: Value| {
            let (words, wrong) = facts(value.clone()).unwrap_or_else(|| panic!("{value}"));
            assert_eq!(wrong, None, "{value}");
            words
        };
        let sound = json!({"type": "input_audio", "input_audio": {"data": wav, "format": "wav"}});
        assert!(good(sound).starts_with("audio/wav"));
        good(json!({"media_type": "audio/x-wav", "data": wav}));
        let jpeg = STANDARD.encode(b"\xff\xd8\xff....\xff\xd9");
        good(json!(format!("DATA:IMAGE/JPG;BASE64,{jpeg}")));
        let gemini = json!({"fileData": {"mimeType": "image/png", "fileUri": "gs://a/b.png"}});
        assert_eq!(good(gemini), "gs://a/b.png, image/png, not fetched");
        // Whatever else stands beside it.
        let more = json!({"path": "a.jpg", "media_type": "image/jpeg", "sha256": "00", "width": 3});
        let (file, rest) = Attachment::with_rest(&more).unwrap();
        assert_eq!(file.meant().unwrap().sha256, Some("00"));
        assert_eq!(rest, [("width".to_owned(), json!(3))]);
        let part = json!({"type": "image", "path": "a.jpg", "sha256": "00"});
        assert_eq!(Attachment::with_rest(&part).unwrap().1, []);
        // Words that are sent as data are words.
        for text in [
            json!({"type": "text", "media_type": "text/plain", "data": "The whole contract stands here."}),
            json!({"media_type": "text/plain", "data": "word"}),
        ] {
            assert!(facts(text.clone()).is_none_or(|(_, wrong)| wrong.is_none()), "{text}");
        }
        for value in [
            json!({"type": "file", "file": {"filename": "x", "file_data": format!("data:image/jpeg;base64,{jpeg}")}}),
            json!({"type": "image", "image": format!("data:image/jpeg;base64,{jpeg}")}),
            json!({"type": "input_image", "image_url": "https://a/b.png"}),
            json!({"path": "a.png", "source": "web", "sha256": "00"}),
        ] {
            good(value);
        }
        assert_eq!(facts(json!({"image": "a cat", "source": "web", "file": "a.txt"})), None);
        let stands = |said: &str, hash: &str| {
            let file = Attachment::of(&json!({"path": "a", "bytes": 15, "sha256": hash})).unwrap();
            let mut meant = file.meant().unwrap();
            meant.bytes = Some(said);
            meant.stands(15_251, || "00ab".to_owned())
        };
        for said in ["15251", "15251.0", "1.5251E4"] {
            assert_eq!(stands(said, "sha256:00AB"), Standing::Found, "{said}");
        }
        assert_eq!(stands("15250", "00ab"), Standing::AnotherSize(15_251));
        let document = json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "The whole contract."}});
        assert_eq!(facts(document), None);
    }

    #[test]
    fn a_reference_says_what_the_line_says_of_it() {
        let file = json!({"path":"a.jpg","media_type":"image/jpeg","bytes":30,"sha256":"b3"});
        let words = Attachment::of(&file).unwrap().facts().0;
        assert_eq!(words, "a.jpg, image/jpeg, 30 bytes, SHA-256 b3");
        let more = json!({"path":"/etc","owner":"root"});
        assert_eq!(Attachment::of(&more), None, "any field may be called path");
        let url =
            Attachment::of(&json!({"type":"image_url","image_url":{"url":"https://x/y.png"}}));
        assert_eq!(url.unwrap().facts().0, "https://x/y.png, not fetched");
    }
}
