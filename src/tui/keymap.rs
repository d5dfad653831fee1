//! Which key does what: the keys of the tables, with the configuration's over them. Clashes are
//! reported.

use std::collections::{BTreeMap, HashMap};

use crossterm::event::KeyCode;

use super::key::KeyPress;
use super::place::Place;

/// One thing that keys do, in the table of actions or in that of a window.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// What it is called in `[keys]`, in the palette, and in words that name its key: `{name}`.
    pub name: &'static str,
    /// Names of its keys, separated by spaces.
    pub keys: &'static str,
    pub place: Place,
    /// A word for the footer; none keeps it out.
    pub foot: &'static str,
    pub help: &'static str,
    /// Whether it reaches outside of the screen (another program, the shell, a clipboard): then it
    /// has no place where the session is served.
    pub outside: bool,
}

impl KeyRow {
    pub const fn new(
        name: &'static str,
        keys: &'static str,
        place: Place,
        foot: &'static str,
        help: &'static str,
    ) -> Self {
        Self { name, keys, place, foot, help, outside: false }
    }

    /// The same, reaching outside of the screen.
    pub const fn outside(self) -> Self {
        Self { outside: true, ..self }
    }
}

/// What actions were called before, in `[keys]` that were written then.
const OLD_NAMES: &[(&str, &str)] = &[("steady", "reliability"), ("sit", "join")];

/// Keys to what they do.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    rows: Vec<&'static KeyRow>,
    by_key: HashMap<KeyPress, Vec<usize>>,
    keys: Vec<Vec<KeyPress>>,
    /// What is wrong with the configured keys.
    pub troubles: Vec<String>,
    /// Whether what reaches outside of the screen is left out of lists.
    pub served: bool,
}

impl Keymap {
    /// The tables' keys, each row's replaced by what is configured for it.
    pub fn new(configured: &BTreeMap<String, String>, rows: Vec<&'static KeyRow>) -> Self {
        let mut map = Self { rows, ..Self::default() };
        let today = |name: &String| {
            OLD_NAMES
                .iter()
                .find(|(old, _)| old == name)
                .map_or(name.clone(), |(_, new)| (*new).to_owned())
        };
        let configured: BTreeMap<String, String> =
            configured.iter().map(|(name, keys)| (today(name), keys.clone())).collect();
        for name in
            configured.keys().filter(|name| !map.rows.iter().any(|row| row.name == name.as_str()))
        {
            map.troubles.push(format!("[keys] {name}: there is no such action"));
        }
        let mut taken: HashMap<(Place, KeyPress), &str> = HashMap::new();
        for (index, row) in map.rows.iter().enumerate() {
            let names = configured.get(row.name).map_or(row.keys, String::as_str);
            let mut keys = Vec::new();
            for name in names.split_whitespace() {
                let key: KeyPress = match name.parse() {
                    Ok(key) => key,
                    Err(error) => {
                        map.troubles.push(format!("[keys] {}: {error}", row.name));
                        continue;
                    }
                };
                if row.place.takes_text() && key.char().is_some() {
                    map.troubles.push(format!(
                        "[keys] {}: {key} is text where you write; take it with ctrl or alt",
                        row.name
                    ));
                    continue;
                }
                if let Some(other) = taken.insert((row.place, key), row.name) {
                    map.troubles.push(format!("[keys] {key} is both {other} and {}", row.name));
                }
                keys.push(key);
                map.by_key.entry(key).or_default().push(index);
            }
            map.keys.push(keys);
        }
        map.name_shadows(&configured);
        map
    }

    /// Names keys that were set for something which something else takes first where both hold.
    fn name_shadows(&mut self, configured: &BTreeMap<String, String>) {
        let mut shadows = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            if !configured.contains_key(row.name) {
                continue;
            }
            for (other_index, other) in self.rows.iter().enumerate() {
                let shared =
                    self.keys[index].iter().find(|key| self.keys[other_index].contains(key));
                if let Some(key) = shared.filter(|_| other.place.comes_before(row.place)) {
                    let place = other.place.title().to_lowercase();
                    shadows.push(format!("[keys] {}: {key} is {} {place}", row.name, other.name));
                    break;
                }
            }
        }
        self.troubles.extend(shadows);
    }

    /// All rows that have a place, in the order of the tables.
    pub fn rows(&self) -> Vec<&'static KeyRow> {
        self.rows.iter().copied().filter(|row| !(self.served && row.outside)).collect()
    }

    /// What a key does: in the first of `places` in which it does something.
    pub fn find(&self, key: KeyPress, places: &[Place]) -> Option<&'static KeyRow> {
        let candidates = self.by_key.get(&key)?;
        places.iter().find_map(|place| {
            candidates.iter().map(|index| self.rows[*index]).find(|row| row.place == *place)
        })
    }

    /// What a key does in the case and in the guide, where it would answer a question if it did
    /// nothing else: the names of the two actions, none where it is free.
    pub fn taken(&self, key: char) -> [Option<&'static str>; 2] {
        let key = KeyPress::plain(KeyCode::Char(key));
        let in_place = |place| self.find(key, &[Place::Asking, place, Place::Any]);
        [Place::Context, Place::Guide].map(|place| in_place(place).map(|row| row.name))
    }

    fn keys(&self, name: &str) -> &[KeyPress] {
        self.rows.iter().position(|row| row.name == name).map_or(&[], |index| &self.keys[index])
    }

    /// The keys of an action, for people: `1-9` where they follow each other.
    pub fn words(&self, name: &str) -> String {
        runs(self.keys(name)).join(" ")
    }

    /// The first key of an action, or its keys from the first to the last that follows.
    pub fn first(&self, name: &str) -> String {
        runs(self.keys(name)).into_iter().next().unwrap_or_default()
    }

    /// The last key of an action: where a common one stands first, its own.
    pub fn last(&self, name: &str) -> String {
        self.keys(name).last().map(KeyPress::to_string).unwrap_or_default()
    }

    /// The n-th key of an action that counts its keys, from 0.
    pub fn nth(&self, name: &str, n: usize) -> Option<String> {
        self.keys(name).get(n).map(KeyPress::to_string)
    }

    /// Which of its keys an action was done by, from 0.
    pub fn place_of(&self, name: &str, key: KeyPress) -> Option<usize> {
        self.keys(name).iter().position(|other| *other == key)
    }

    /// Words with the keys of today where they name an action: `{submit} submits.`
    pub fn fill(&self, words: &str) -> String {
        let mut out = String::with_capacity(words.len());
        let mut rest = words;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            match after
                .split_once('}')
                .filter(|(name, _)| self.rows.iter().any(|row| row.name == *name))
            {
                Some((name, after)) => {
                    match self.first(name) {
                        // No key was left for it: the palette has it by name.
                        key if key.is_empty() => out.push_str(&format!(":{name}")),
                        key => out.push_str(&key),
                    }
                    rest = after;
                }
                None => {
                    out.push('{');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

/// Keys in words; four digits or letters or more that follow each other as their ends.
fn runs(keys: &[KeyPress]) -> Vec<String> {
    let follows = |one: &KeyPress, two: &KeyPress| match (one.char(), two.char()) {
        (Some(one), Some(two)) => u32::from(two) == u32::from(one) + 1,
        _ => false,
    };
    keys.chunk_by(follows)
        .flat_map(|run| match run {
            [first, .., last] if run.len() > 3 => vec![format!("{first}-{last}")],
            run => run.iter().map(KeyPress::to_string).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    static ROWS: &[KeyRow] = &[
        KeyRow::new("submit", "Enter", Place::Ended, "", ""),
        KeyRow::new("quit", "q", Place::Any, "", ""),
        KeyRow::new("help", "?", Place::Any, "", ""),
        KeyRow::new("sure", "1 2 3 4 5", Place::Ended, "", ""),
        KeyRow::new("leave", "Esc", Place::Writing, "", ""),
    ];

    fn map(configured: &[(&str, &str)]) -> Keymap {
        let configured =
            configured.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned())).collect();
        Keymap::new(&configured, ROWS.iter().collect())
    }

    #[test]
    fn configured_keys_replace_and_clashes_are_named() {
        let places = [Place::Ended, Place::Any];
        let submits = |map: &Keymap, key: &str| {
            map.find(key.parse().unwrap(), &places).is_some_and(|row| row.name == "submit")
        };
        let changed = map(&[("submit", "ctrl-s")]);
        assert!(submits(&changed, "ctrl-s") && !submits(&changed, "Enter"));
        let shadowed = map(&[("help", "Enter")]);
        assert!(shadowed.troubles[0].contains("help: Enter is submit"), "{:?}", shadowed.troubles);
        let wrong = map(&[("quit", "?"), ("sing", "x"), ("leave", "e")]);
        assert_eq!(wrong.troubles.len(), 3, "{:?}", wrong.troubles);
    }

    #[test]
    fn words_name_the_keys_of_today() {
        assert_eq!(map(&[("submit", "")]).fill("{submit} submits."), ":submit submits.");
        let odd = map(&[("sure", "a s d f")]);
        assert_eq!((odd.first("sure").as_str(), odd.words("sure").as_str()), ("a", "a s d f"));
        let words = "{submit} submits, {sure} how sure; {quit} {nothing} {";
        assert_eq!(map(&[]).fill(words), "Enter submits, 1-5 how sure; q {nothing} {");
        assert_eq!(map(&[("submit", "ctrl-s")]).fill("{submit} submits."), "ctrl-s submits.");
    }
}
