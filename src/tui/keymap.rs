//! Which key does what: the table's own keys, with the configuration's over them. Clashes are reported.

use std::collections::{BTreeMap, HashMap};

use super::action::ACTIONS;
use super::key::KeyPress;
use super::place::Place;

/// Keys to actions.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    by_key: HashMap<KeyPress, Vec<usize>>,
    keys: Vec<Vec<KeyPress>>,
    /// What is wrong with the configured keys.
    pub troubles: Vec<String>,
}

impl Keymap {
    /// The table's keys, each action's replaced by what is configured for it.
    pub fn new(configured: &BTreeMap<String, String>) -> Self {
        let mut map = Self::default();
        for name in configured.keys().filter(|name| !ACTIONS.iter().any(|action| action.name == name.as_str())) {
            map.troubles.push(format!("[keys] {name}: there is no such action"));
        }
        let mut taken: HashMap<(Place, KeyPress), &str> = HashMap::new();
        for (index, action) in ACTIONS.iter().enumerate() {
            let names = configured.get(action.name).map_or(action.keys, String::as_str);
            let mut keys = Vec::new();
            for name in names.split_whitespace() {
                let key: KeyPress = match name.parse() {
                    Ok(key) => key,
                    Err(error) => {
                        map.troubles.push(format!("[keys] {}: {error}", action.name));
                        continue;
                    }
                };
                if let Some(other) = taken.insert((action.place, key), action.name) {
                    map.troubles.push(format!("[keys] {key} is both {other} and {}", action.name));
                }
                keys.push(key);
                map.by_key.entry(key).or_default().push(index);
            }
            map.keys.push(keys);
        }
        map
    }

    /// The action for a key: of the first of `places` that has one.
    pub fn action(&self, key: KeyPress, places: &[Place]) -> Option<usize> {
        let candidates = self.by_key.get(&key)?;
        places.iter().find_map(|place| candidates.iter().copied().find(|index| ACTIONS[*index].place == *place))
    }

    /// The keys of an action, for people.
    pub fn words(&self, index: usize) -> String {
        let keys = &self.keys[index];
        match keys.as_slice() {
            [first, .., last] if keys.len() > 3 => format!("{first}…{last}"),
            keys => keys.iter().map(KeyPress::to_string).collect::<Vec<_>>().join(" "),
        }
    }

    /// The first key of an action.
    pub fn first(&self, index: usize) -> String {
        let keys = &self.keys[index];
        match keys.as_slice() {
            [first, .., last] if keys.len() > 3 => format!("{first}-{last}"),
            [first, ..] => first.to_string(),
            [] => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_keys_have_no_clash() {
        assert_eq!(Keymap::new(&BTreeMap::new()).troubles, Vec::<String>::new());
    }

    #[test]
    fn configured_keys_replace_and_clashes_are_named() {
        let map = Keymap::new(&[("submit".to_owned(), "ctrl-s".to_owned())].into());
        assert!(map.action("ctrl-s".parse().unwrap(), &[Place::Ended]).is_some());
        assert!(map.action("Enter".parse().unwrap(), &[Place::Ended]).is_none());
        let map = Keymap::new(&[("quit".to_owned(), "?".to_owned()), ("sing".to_owned(), "x".to_owned())].into());
        assert_eq!(map.troubles.len(), 2, "{:?}", map.troubles);
    }
}
