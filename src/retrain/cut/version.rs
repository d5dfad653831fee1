//! Versions of cuts, as Croissant asks for them: the same rows, rows that were added, or anything
//! else.

use std::cmp::Ordering;

use super::membership::{Member, Membership};

/// What lies between two cuts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    pub added: Vec<Member>,
    pub gone: Vec<Member>,
    /// In another part than before: as it was, and as it is.
    pub moved: Vec<(Member, Member)>,
    /// With the text and the label that it had, and something else that it did not say, as a category.
    pub changed: Vec<Member>,
}

/// Both stand in the order of their rows.
pub fn difference(before: &Membership, after: &Membership) -> Difference {
    let mut found = Difference::default();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.row.cmp(&other.row),
        };
        match order {
            Ordering::Less => found.gone.extend(old.next()),
            Ordering::Greater => found.added.extend(new.next()),
            Ordering::Equal => {
                let Some((was, is)) = old.next().zip(new.next()) else { continue };
                if was.part != is.part {
                    found.moved.push((was, is));
                } else if was.content.zip(is.content).is_some_and(|(was, is)| was != is) {
                    found.changed.push(is);
                }
            }
        }
    }
}

/// The version after `before`, which is `1.0.0` for the first of a name.
pub fn next(before: Option<&str>, difference: &Difference) -> String {
    let Some(before) = before else { return "1.0.0".to_owned() };
    let mut parts = before.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    let (major, minor, patch) = (part(), part(), part());
    let Difference { added, gone, moved, changed } = difference;
    if !gone.is_empty() || !moved.is_empty() || !changed.is_empty() {
        format!("{}.0.0", major + 1)
    } else if !added.is_empty() {
        format!("{major}.{}.0", minor + 1)
    } else {
        format!("{major}.{minor}.{}", patch + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::Part;
    use super::*;

    #[test]
    fn versions_say_what_became_of_the_rows() {
        let member = |n: u8, part| Member { row: [n; 8], case: None, part, content: Some([1; 8]) };
        let of = |rows: &[(u8, Part)]| {
            rows.iter().map(|(n, part)| member(*n, *part)).collect::<Membership>()
        };
        let one = of(&[(1, Part::Train), (2, Part::Test)]);
        let version = |after: &Membership| next(Some("1.4.2"), &difference(&one, after));
        assert_eq!(next(None, &Difference::default()), "1.0.0");
        assert_eq!(version(&one), "1.4.3");
        assert_eq!(version(&of(&[(1, Part::Train), (2, Part::Test), (3, Part::Train)])), "1.5.0");
        assert_eq!(version(&of(&[(1, Part::Train), (3, Part::Test)])), "2.0.0");
        assert_eq!(version(&of(&[(1, Part::Test), (2, Part::Test)])), "2.0.0");
        assert_eq!(version(&of(&[(1, Part::Train)])), "2.0.0");
        // What a row says beside its label.
        let says = |content| {
            let rows = one.iter().map(|member| Member { content, ..member });
            rows.collect::<Membership>()
        };
        assert_eq!(version(&says(Some([2; 8]))), "2.0.0");
    }
}
