//! CoNLL: a token a line and its tag (IOB2) after a tab, a blank line after each text; a file a reviewer, and
//! beside it which text is which case. Texts are taken apart where words and signs end (UAX 29).

use std::io;

use unicode_segmentation::UnicodeSegmentation as _;

use super::spans::{Names, word};
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
                out.lose("rows without a word");
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
