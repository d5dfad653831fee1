//! CoNLL: a token a line and its tag (IOB2) after a tab, a blank line after each text; a file a reviewer, and
//! beside it which text is which case. Texts are taken apart where words and signs end (UAX 29).

use std::io;

use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use super::doccano;
use super::spans::{Names, word};
use crate::format::foreign::{LabelOptions, LabelsIn};
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "conll",
    about: "tokens with tags (IOB2), a file a reviewer",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Tags(options, Names::without(&[ALL]))),
};

/// The file of what cases were settled as.
const ALL: &str = "all";

struct Tags(PeerOptions, Names);

/// Whether a sign can stand in no line of a token and its tag.
fn ends_a_line(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// Tokens with where they begin and end, in characters.
fn tokens(text: &str) -> Vec<(&str, usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    for word in text.split_word_bounds() {
        // A blank may hold to a mark that nobody sees, and that to a word.
        for token in word.split_inclusive(ends_a_line) {
            let bare = token.trim_end_matches(ends_a_line);
            if !bare.is_empty() {
                found.push((bare, at, at + bare.chars().count()));
            }
            at += token.chars().count();
        }
    }
    found
}

/// The tags of tokens, and how many places have none: they overlap another, or end inside of a token.
fn tags(
    tokens: &[(&str, usize, usize)],
    marked: &[(usize, usize, String)],
) -> (Vec<String>, usize) {
    let mut tags = vec!["O".to_owned(); tokens.len()];
    let mut lost = 0;
    for (start, end, name) in marked {
        let first = tokens.iter().position(|(_, from, _)| from == start);
        let last = tokens.iter().rposition(|(.., to)| to == end);
        let place = first.zip(last).filter(|(first, last)| first <= last);
        match place.map(|(first, last)| &mut tags[first..=last]) {
            Some(tags) if tags.iter().all(|tag| tag == "O") => {
                for (n, tag) in tags.iter_mut().enumerate() {
                    *tag = format!("{}-{}", if n == 0 { 'B' } else { 'I' }, word(name));
                }
            }
            _ => lost += 1,
        }
    }
    (tags, lost)
}

impl Peer for Tags {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        let tokens = tokens(&about.text);
        for given in item.given.iter().filter(|_| !about.erased) {
            if tokens.is_empty() {
                out.lose_rows("rows without a word", 1);
                continue;
            }
            let (tags, lost) = tags(&tokens, &self.0.only_marked(item, given, out));
            out.lose_all("places that overlap or end within a word", lost);
            let name = self.1.person(&self.0, given)?;
            let name = name.as_deref().unwrap_or(ALL);
            let file = out.file(&format!("{name}.conll"))?;
            for ((token, ..), tag) in tokens.iter().zip(&tags) {
                writeln!(file, "{token}\t{tag}")?;
            }
            writeln!(file)?;
            writeln!(out.file(&format!("{name}.ids"))?, "{}\t{}", about.case, word(&about.id))?;
        }
        Ok(())
    }
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "conll",
    about: "tokens with tags (IOB, BIOES), a line each, texts apart by blank lines",
    claims: |record| record.contains_key(doccano::OF_CONLL),
    make: |options| doccano::lines(LabelOptions { stem: String::new(), ..options }),
    within: &[],
};

/// What stands between documents in files of CoNLL 2003.
const DOCUMENT: &str = "-DOCSTART-";
/// How places begin and go on in the ways of tagging that there are.
const BEGINS: [&str; 3] = ["B", "S", "U"];
const GOES_ON: [&str; 3] = ["I", "E", "L"];

/// A line's token and its tag, the first and the last of its columns; none where the last is no tag.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let mut columns = line.split([' ', '\t']).filter(|column| !column.is_empty());
    let (token, tag) = (columns.next()?, columns.next_back()?);
    let is_tag = tag == "O"
        || tag.split_once('-').is_some_and(|(how, name)| {
            !name.is_empty() && (BEGINS.contains(&how) || GOES_ON.contains(&how))
        });
    is_tag.then_some((token, tag))
}

/// Whether most lines are tokens with tags, as far as they are looked at; some are more than `O`.
pub fn is_tagged(head: &str) -> bool {
    let bare = |line: &&str| !line.trim().is_empty() && !line.starts_with(['#', '-']);
    let whole = head.rfind('\n').map_or(head, |end| &head[..end]);
    let lines: Vec<&str> = whole.lines().filter(bare).take(200).collect();
    let tags: Vec<(&str, &str)> = lines.iter().filter_map(|line| tagged(line)).collect();
    tags.len() * 2 > lines.len() && tags.iter().any(|(_, tag)| *tag != "O")
}

/// The line that a text begins at, and the text as a record, or why it is none.
type Read = (usize, Result<Map<String, Value>, String>);

/// The texts of a file, each with the line that it begins at; a blank stands between tokens.
pub fn records_of(file: &str) -> Vec<Read> {
    let (mut found, mut open) = (Vec::new(), Tagged::default());
    for (n, line) in file.lines().chain([""]).enumerate() {
        if line.trim().is_empty() {
            found.extend(std::mem::take(&mut open).into_record());
        } else if !line.starts_with(DOCUMENT) && !line.starts_with("# ") {
            open.add(n + 1, line);
        }
    }
    found
}

/// A text as far as it was read.
#[derive(Default)]
struct Tagged {
    begins: usize,
    text: String,
    /// Characters of the text.
    length: usize,
    places: Vec<(usize, usize, String)>,
    /// Whether the last token lies in the last place.
    within: bool,
    wrong: Option<String>,
}

impl Tagged {
    fn add(&mut self, n: usize, line: &str) {
        if self.text.is_empty() {
            self.begins = n;
        } else {
            self.text.push(' ');
            self.length += 1;
        }
        let Some((token, tag)) = tagged(line) else {
            self.text.push_str(line.trim());
            self.wrong.get_or_insert(format!("line {n} has no tag at its end"));
            return;
        };
        let from = self.length;
        self.text.push_str(token);
        self.length += token.chars().count();
        let Some((how, name)) = tag.split_once('-') else {
            self.within = false;
            return;
        };
        match self.places.last_mut().filter(|_| self.within && GOES_ON.contains(&how)) {
            Some((_, end, known)) if known == name => *end = self.length,
            _ => self.places.push((from, self.length, name.to_owned())),
        }
        self.within = !["S", "U", "E", "L"].contains(&how);
    }

    fn into_record(self) -> Option<Read> {
        if self.text.is_empty() {
            return None;
        }
        let read = match self.wrong {
            Some(why) => Err(why),
            None => Ok(Map::from_iter([
                (doccano::OF_CONLL.to_owned(), Value::Bool(true)),
                ("text".to_owned(), Value::from(self.text)),
                ("entities".to_owned(), json!(self.places)),
            ])),
        };
        Some((self.begins, read))
    }
}

#[test]
fn tags_are_places_in_every_way_of_tagging() {
    let read = |file: &str| -> Vec<(usize, Value)> {
        let found = records_of(file).into_iter();
        found.map(|(at, read)| (at, Value::Object(read.unwrap()))).collect()
    };
    let found =
        read("-DOCSTART- -X- O\n\nJAPAN NNP B-LOC\nGET VB O\n\n\nNadim\tB-PER\nLadki\tI-PER\n");
    assert_eq!(
        (&found[0].1["text"], &found[0].1["entities"]),
        (&json!("JAPAN GET"), &json!([[0, 5, "LOC"]]))
    );
    assert_eq!((found[1].0, &found[1].1["entities"]), (7, &json!([[0, 11, "PER"]])));
    let places = |tags: &str| {
        let lines = tags.split(' ').map(|tag| format!("é {tag}\n")).collect::<String>();
        read(&lines)[0].1["entities"].clone()
    };
    assert_eq!(places("I-A I-A I-B"), json!([[0, 3, "A"], [4, 5, "B"]]), "IOB1");
    assert_eq!(places("B-A B-A O I-A"), json!([[0, 1, "A"], [2, 3, "A"], [6, 7, "A"]]));
    assert_eq!(places("B-A E-A S-A S-A"), json!([[0, 3, "A"], [4, 5, "A"], [6, 7, "A"]]), "BIOES");
    let wrong = records_of("a B-X\nb\n\nc O\n");
    assert_eq!(wrong[0].1.as_ref().unwrap_err(), "line 2 has no tag at its end");
    assert!(wrong[1].1.is_ok());
    assert!(is_tagged("a O\nb B-X\n") && !is_tagged("a O\nb O\n") && !is_tagged("a,b\n1,2\n"));
}

#[test]
fn places_are_tags_where_they_begin_and_end_with_words() {
    let text = "naïve 🙂, don't\u{1b} x";
    let tokens = tokens(text);
    let words: Vec<&str> = tokens.iter().map(|(word, ..)| *word).collect();
    assert_eq!(words, ["naïve", "🙂", ",", "don't", "x"]);
    let hidden = super::conll::tokens("see \u{200f}Anna\t\u{200f}b\u{1b}c");
    let words: Vec<(&str, usize)> = hidden.iter().map(|(word, from, _)| (*word, *from)).collect();
    assert_eq!(
        words,
        [("see", 0), ("\u{200f}", 4), ("Anna", 5), ("\u{200f}", 10), ("b", 11), ("c", 13)]
    );
    let marked = |list: &[(usize, usize)]| -> (String, usize) {
        let named: Vec<_> = list.iter().map(|(from, to)| (*from, *to, "A B".to_owned())).collect();
        let (found, lost) = tags(&tokens, &named);
        (found.join(" "), lost)
    };
    assert_eq!(marked(&[(0, 5), (6, 8)]), ("B-A_B B-A_B I-A_B O O".to_owned(), 0));
    assert_eq!(
        marked(&[(0, 3), (5, 7)]),
        ("O O O O O".to_owned(), 2),
        "within a word, and from a blank"
    );
    assert_eq!(marked(&[(0, 7), (6, 8)]), ("B-A_B I-A_B O O O".to_owned(), 1), "overlapping");
}
