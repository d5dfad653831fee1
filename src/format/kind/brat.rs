//! brat: `.ann` beside `.txt`, a folder an annotator. Places are counted in characters; one over several
//! lines is written in pieces.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::spans::{Names, foreign, word};
use crate::format::foreign::{Foreign, LabelOptions, Labels, LabelsIn, Loss, characters};
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "brat",
    about: "places in texts for brat: .ann beside .txt, a folder a reviewer",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| {
        Box::new(Standoff {
            options,
            files: Names::without(&[CONFIGURATION]),
            names: BTreeSet::new(),
        })
    },
};

/// The file that says which names places have.
const CONFIGURATION: &str = "annotation.conf";

/// Whether a file that lies beside annotations is none, but a text that is read with them or of the
/// program's own.
pub fn is_beside(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "txt" || ending == "conf")
}

struct Standoff {
    options: PeerOptions,
    files: Names,
    /// Names of places, for the configuration.
    names: BTreeSet<String>,
}

/// The pieces of a place that lie on one line each, by their ends in characters, and what they cover.
fn pieces(text: &str, (start, end): (usize, usize)) -> (Vec<(usize, usize)>, String) {
    let (mut pieces, mut covered): (Vec<(usize, usize)>, String) = (Vec::new(), String::new());
    for (at, c) in text.chars().enumerate().skip(start).take(end.saturating_sub(start)) {
        if c == '\n' || c == '\r' {
            continue;
        }
        match pieces.last_mut() {
            Some((_, end)) if *end == at => *end += 1,
            last => {
                covered.extend(last.map(|_| ' '));
                pieces.push((at, at + 1));
            }
        }
        covered.push(c);
    }
    (pieces, covered)
}

impl Peer for Standoff {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let text = &item.about.text;
        for given in item.given.iter().filter(|_| !item.about.erased) {
            let name = self.files.person(&self.options, given)?;
            let folder = name.map(|name| format!("{name}/")).unwrap_or_default();
            let file = self.files.file(&folder, item);
            let mut lines = String::new();
            for (start, end, name) in self.options.only_marked(item, given, out) {
                let (pieces, covered) = pieces(text, (start, end));
                let ends = pieces.first().zip(pieces.last()).map(|(a, b)| (a.0, b.1));
                if ends != Some((start, end)) {
                    out.lose("ends of lines where places begin or end");
                }
                if pieces.is_empty() {
                    continue;
                }
                let name = word(&name);
                let pieces: Vec<String> =
                    pieces.iter().map(|(from, to)| format!("{from} {to}")).collect();
                let n = lines.lines().count() + 1;
                lines.push_str(&format!("T{n}\t{name} {}\t{covered}\n", pieces.join(";")));
                self.names.insert(name);
            }
            // A note is about something.
            let why = given.rationale.split_whitespace().collect::<Vec<_>>().join(" ");
            if !lines.is_empty() && !why.is_empty() {
                lines.push_str(&format!("#1\tAnnotatorNotes T1\t{why}\n"));
            }
            out.whole(&format!("{file}.ann"), lines.as_bytes())?;
            out.whole(&format!("{file}.txt"), text.as_bytes())?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> io::Result<()> {
        let mut lines = String::from("[entities]\n");
        self.names.iter().for_each(|name| lines.push_str(&format!("{name}\n")));
        lines.push_str("\n[relations]\n\n[events]\n\n[attributes]\n");
        out.whole(CONFIGURATION, lines.as_bytes())
    }
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "brat",
    about: "annotations of brat: .ann beside .txt",
    claims: |record| record.contains_key("brat"),
    make: |options| Box::new(Brat(options)),
    within: &[],
};

/// A file of brat and its text, as a record.
pub fn record_of_brat(annotations: &str, text: &str) -> Map<String, Value> {
    Map::from_iter([("brat".to_owned(), json!(annotations)), ("text".to_owned(), json!(text))])
}

/// Whether nothing but the end of a line lies between two places.
fn is_line_end(text: &str, (from, to): (usize, usize)) -> bool {
    let between = text.chars().skip(from).take(to.saturating_sub(from));
    from < to && between.into_iter().all(|c| c == '\n' || c == '\r')
}

struct Brat(LabelOptions);

impl Labels for Brat {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let text = record.get("text").and_then(Value::as_str).unwrap_or_default();
        loss.cases += 1;
        let (mut places, mut notes) = (Vec::<(usize, usize, String)>::new(), Vec::new());
        for line in record.get("brat").and_then(Value::as_str).unwrap_or_default().lines() {
            let mut parts = line.splitn(3, '\t');
            let (id, body, covered) =
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
            match id.bytes().next() {
                Some(b'T') => {
                    let (name, spans) = body.split_once(' ').unwrap_or((body, ""));
                    // In pieces, `0 4;9 12`: each is a place, but where a line ends.
                    let pieces: Vec<&str> = spans.split(';').collect();
                    let before = places.len();
                    for piece in &pieces {
                        let mut ends =
                            piece.split(' ').map(|end| end.parse::<usize>().unwrap_or(usize::MAX));
                        let at =
                            (ends.next().unwrap_or(usize::MAX), ends.next().unwrap_or(usize::MAX));
                        let covered = covered.filter(|_| pieces.len() == 1);
                        let Some(found) = characters(text, at, covered, false) else {
                            return loss.reject(
                                place,
                                &format!("{id}: the place {piece} is not in the text"),
                            );
                        };
                        match places[before..].last_mut() {
                            Some((_, end, _)) if is_line_end(text, (*end, found.0)) => {
                                *end = found.1;
                            }
                            _ => places.push((found.0, found.1, name.to_owned())),
                        }
                    }
                }
                Some(b'#') => notes.extend(covered.map(str::to_owned)),
                Some(b'E') => loss.lose("events"),
                Some(b'A' | b'M') => loss.lose("attributes"),
                Some(b'R' | b'*') => loss.lose("relations"),
                _ => {}
            }
        }
        let mut found = foreign(text, places, place);
        found.rationale = notes.join("\n");
        found.called = Some(self.0.stem.clone());
        // The folder stands for the annotator: nobody is named.
        to.push(found);
    }
}

#[test]
fn a_place_over_several_lines_is_written_in_pieces() {
    let covers = |start, end| pieces("one\ntwo🙂\r\nx", (start, end));
    assert_eq!(covers(0, 3), (vec![(0, 3)], "one".to_owned()));
    assert_eq!(covers(2, 6), (vec![(2, 3), (4, 6)], "e tw".to_owned()));
    assert_eq!(covers(7, 11), (vec![(7, 8), (10, 11)], "🙂 x".to_owned()));
    assert_eq!(covers(3, 4), (vec![], String::new()));
}
