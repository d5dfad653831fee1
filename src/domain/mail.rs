//! E-mails as they are meant: words decoded from what a transport made of them.
//!
//! Nothing of a mail is run, drawn or fetched: a page in it is its source.

use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders as _, PartType};

/// Headers that everybody reads; the others are there too.
const READ: &[&str] = &["from", "to", "cc", "date", "subject", "reply-to"];
/// Mails in mails are read so deep.
const DEPTH_MAX: usize = 8;

/// A mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// What everybody reads, decoded.
    pub headers: Vec<(String, String)>,
    /// How many other headers there are.
    pub more: usize,
    pub pieces: Vec<Piece>,
    /// All of it, as it came.
    pub source: String,
}

/// A piece of a mail.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    Text(String),
    /// A page: its source.
    Page(String),
    /// Anything else: its type, its name if it has one, and its bytes.
    Other {
        media_type: String,
        name: Option<String>,
        bytes: Vec<u8>,
    },
}

impl Mail {
    /// The mail that a text is; none if it is none.
    pub fn read(source: &str) -> Option<Self> {
        // A header line, and what mails have.
        let head = source.get(..source.floor_char_boundary(200))?;
        let begins = head
            .split_once(':')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(is_of_name));
        let message = Some(source).filter(|_| begins)?;
        let message = MessageParser::default().parse(message.as_bytes())?;
        if message.from().is_none() && message.subject().is_none() {
            return None;
        }
        let all = message.headers().len();
        let headers: Vec<(String, String)> = message
            .headers()
            .iter()
            .filter(|header| READ.contains(&header.name().to_lowercase().as_str()))
            .map(|header| (header.name().to_owned(), words(&header.value)))
            .collect();
        let mut pieces = Vec::new();
        read(&message, &mut pieces, 0);
        Some(Self { more: all - headers.len(), headers, pieces, source: source.to_owned() })
    }

    /// What it is about, for a list.
    pub fn glance(&self) -> String {
        let subject = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("subject"));
        let text = self.pieces.iter().find_map(|piece| match piece {
            Piece::Text(text) => Some(text.trim()),
            _ => None,
        });
        let subject = subject.map(|(_, subject)| subject.as_str());
        [subject, text].into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn words(value: &HeaderValue<'_>) -> String {
    let address = |address: &mail_parser::Addr<'_>| match (&address.name, &address.address) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (Some(one), None) | (None, Some(one)) => one.to_string(),
        (None, None) => String::new(),
    };
    match value {
        HeaderValue::Address(Address::List(list)) => {
            list.iter().map(address).collect::<Vec<_>>().join(", ")
        }
        HeaderValue::Address(Address::Group(groups)) => {
            let members = groups.iter().flat_map(|group| &group.addresses);
            members.map(address).collect::<Vec<_>>().join(", ")
        }
        HeaderValue::Text(text) => text.to_string(),
        HeaderValue::TextList(list) => list.join(", "),
        HeaderValue::DateTime(at) => at.to_rfc3339(),
        _ => String::new(),
    }
}

fn read(message: &Message<'_>, pieces: &mut Vec<Piece>, depth: usize) {
    for part in &message.parts {
        let media_type = || {
            part.content_type().map_or("application/octet-stream".to_owned(), |found| {
                let kind = found.ctype();
                found.subtype().map_or(kind.to_owned(), |subtype| format!("{kind}/{subtype}"))
            })
        };
        match &part.body {
            PartType::Text(text) => pieces.push(Piece::Text(text.replace("\r\n", "\n"))),
            PartType::Html(source) => pieces.push(Piece::Page(source.replace("\r\n", "\n"))),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => pieces.push(Piece::Other {
                media_type: media_type(),
                name: part.attachment_name().map(str::to_owned),
                bytes: bytes.to_vec(),
            }),
            PartType::Message(inner) if depth < DEPTH_MAX => read(inner, pieces, depth + 1),
            PartType::Message(_) | PartType::Multipart(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: =?utf-8?q?J=C3=B6rg?= <j@example.org>\r\nX-Spam: no\r\nSubject: =?utf-8?b?w6TDtsO8?=\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nna=EFve 12=\r\n.50\r\n--b\r\nContent-Type: text/html\r\n\r\n<script>x</script>\r\n--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0=\r\n--b--\r\n";

    #[test]
    fn a_mail_is_read_as_it_was_meant() {
        let mail = Mail::read(MAIL).unwrap();
        let headers = [("From", "Jörg <j@example.org>"), ("Subject", "äöü")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(mail.headers, headers);
        assert_eq!(mail.pieces[0], Piece::Text("naïve 12.50".into()));
        assert!(matches!(&mail.pieces[1], Piece::Page(source) if source.contains("<script>")));
        let png = Piece::Other {
            media_type: "image/png".into(),
            name: Some("a.png".into()),
            bytes: b"\x89PNG\r".to_vec(),
        };
        assert_eq!((mail.pieces.len(), &mail.pieces[2]), (3, &png));
        assert_eq!((mail.more, mail.glance().as_str()), (3, "äöü · naïve 12.50"));
    }

    #[test]
    fn what_is_no_mail_is_none() {
        for text in ["", "hello", "note: this is no mail", "a b: c\n\nd", "From\n", "{\"a\": 1}"] {
            assert_eq!(Mail::read(text), None, "{text}");
        }
    }
}
