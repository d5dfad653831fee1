//! What formats of places in texts have in common, where a file is one text of one annotator.

use std::collections::{HashMap, HashSet};
use std::io;

use serde_json::Map;

use crate::domain::ids::CaseId;
use crate::format::foreign::{Foreign, Said, id_of_text, line_of};
use crate::format::peer::{Given, Item, PeerOptions};

/// The name of the control for places that bear a label out.
pub const EVIDENCE: &str = "marked-evidence";

/// What places are called as a control.
pub const SPANS: &str = "spans";

/// What somebody marked in a text of which nothing else is known.
pub fn foreign(text: &str, places: Vec<(usize, usize, String)>, place: &str) -> Foreign {
    let id = id_of_text(text);
    Foreign {
        place: place.to_owned(),
        line: line_of(&id, text, None, None, &Map::new()),
        id: Some(id),
        text: Some(text.to_owned()),
        said: vec![(SPANS.to_owned(), Said::Places(places))],
        ..Foreign::default()
    }
}

/// What the files of cases and of people are called.
#[derive(Default)]
pub struct Names {
    files: HashSet<String>,
    /// Whose name it is, without capitals: on some systems a letter and its capital are one.
    people: HashMap<String, String>,
}

impl Names {
    /// Some are not for people.
    pub fn without(taken: &[&str]) -> Self {
        let people = taken.iter().map(|name| (name.to_lowercase(), String::new()));
        Self { people: people.collect(), ..Self::default() }
    }

    /// What the file of a case is called in a folder, without its ending: its id, or that of the case
    /// where no file can be called so, one of another stream is, or a case could be.
    pub fn file(&mut self, folder: &str, item: &Item) -> String {
        let id = &item.about.id;
        let sign = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_data = !id.is_empty() && !id.starts_with(NO_DATA) && id.len() <= 100;
        let plain = is_data && id.chars().all(sign) && id.parse::<CaseId>().is_err();
        let own = plain.then(|| format!("{folder}{id}"));
        match own.filter(|own| self.files.insert(own.to_lowercase())) {
            Some(own) => own,
            None => format!("{folder}{}", item.about.case),
        }
    }

    /// What the file or folder of whoever said something is called, which is nobody else's; nobody said
    /// what cases were settled as. A name of elsewhere leads into no other folder.
    ///
    /// # Errors
    /// It can be no name of a file, or is another's.
    pub fn person(&mut self, options: &PeerOptions, given: &Given) -> io::Result<Option<String>> {
        let Some(who) = given.reviewer.as_deref() else { return Ok(None) };
        let name = options.reviewer(who).replace(['/', '\\'], "-");
        let whose = self.people.entry(name.to_lowercase()).or_insert_with(|| who.to_owned());
        let why = if name.is_empty() || name.starts_with(NO_DATA) || whose.is_empty() {
            format!("no file of {who}'s labels can be called `{name}`")
        } else if whose != who {
            format!("the labels of {whose} and of {who} would be one file, `{name}`")
        } else {
            return Ok(Some(name));
        };
        let why = format!("{why}: --reviewers FILE.csv gives them other names");
        Err(io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// What begins so in a folder is no data, for whoever reads it.
const NO_DATA: [char; 2] = ['.', '_'];

/// A name as those formats write one: without blanks, and nothing that means something there.
pub fn word(name: &str) -> String {
    let sign = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let word: String = name.chars().map(sign).collect();
    if word.is_empty() { "place".to_owned() } else { word }
}

#[test]
fn a_name_is_a_word() {
    assert_eq!(word("a name: b"), "a_name__b");
    assert_eq!(word(""), "place");
}
