//! What formats of places in texts have in common, where a file is one text of one annotator.

use std::collections::HashSet;

use serde_json::Map;

use crate::format::foreign::{Foreign, Said, id_of_text, line_of};
use crate::format::peer::{Given, Item, PeerOptions};

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

/// What is lost of a place in another text of a case.
pub const ELSEWHERE: &str = "places in other texts than the input's";

/// Where the files of each annotator lie, and what they are called.
#[derive(Default)]
pub struct Names(HashSet<String>);

impl Names {
    /// What the file of a case is called in a folder, without its ending: its id, or that of the case
    /// where no file can be called so, or one of another stream is.
    pub fn file(&mut self, folder: &str, item: &Item) -> String {
        let id = &item.about.id;
        let sign = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let plain = id.len() <= 100 && !id.starts_with('.') && id.chars().all(sign);
        let own = plain.then(|| format!("{folder}{id}")).filter(|_| !id.is_empty());
        // On some systems a letter and its capital are one name.
        match own.filter(|own| self.0.insert(own.to_lowercase())) {
            Some(own) => own,
            None => format!("{folder}{}", item.about.case),
        }
    }
}

/// What the file or folder of whoever said something is called; nobody said what cases were settled as.
/// A name of elsewhere leads into no other folder.
pub fn person(options: &PeerOptions, given: &Given) -> Option<String> {
    let name = options.reviewer(given.reviewer.as_deref()?).replace(['/', '\\'], "-");
    // Nor does an empty one, which would be no folder at all; what begins so is hidden, or no data.
    let bare = name.is_empty() || name.starts_with(['.', '_']);
    Some(if bare { format!("-{name}") } else { name })
}

/// A name as those formats write one: without blanks, and nothing that means something there.
pub fn word(name: &str) -> String {
    let sign = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let word: String = name.chars().map(sign).collect();
    if word.is_empty() { "place".to_owned() } else { word }
}

#[test]
fn files_are_called_by_ids_that_names_of_files_can_be() {
    assert_eq!(word("a name: b"), "a_name__b");
    assert_eq!(word(""), "place");
}
