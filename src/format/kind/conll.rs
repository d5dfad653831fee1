//! CoNLL: a token a line and its tag (IOB2) after a tab, a blank line after each text; a file a reviewer, and
//! beside it which text is which case. Texts are taken apart where words and signs end (UAX 29).

use std::io;

use unicode_segmentation::UnicodeSegmentation as _;

use super::spans::{ELSEWHERE, person, word};
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "conll",
    about: "tokens with tags (IOB2), a file a reviewer",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Tags(options)),
};

struct Tags(PeerOptions);

/// Tokens with where they begin and end, in characters.
fn tokens(text: &str) -> Vec<(&str, usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    for token in text.split_word_bounds() {
        let end = at + token.chars().count();
        if !token.chars().all(|c| c.is_whitespace() || c.is_control()) {
            found.push((token, at, end));
        }
        at = end;
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
        for given in &item.given {
            if tokens.is_empty() {
                out.lose("rows without a word");
                continue;
            }
            let (marked, elsewhere) = self.0.marked(given);
            let (tags, lost) = tags(&tokens, &marked);
            (0..elsewhere).for_each(|_| out.lose(ELSEWHERE));
            (0..lost).for_each(|_| out.lose("places that overlap or end within a word"));
            let name = person(&self.0, given).unwrap_or_else(|| "all".to_owned());
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
