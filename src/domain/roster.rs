//! Who may do what.

use serde::{Deserialize, Serialize};

/// What a person was admitted to do. A person may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Reviewer,
    Lead,
    Engineer,
    Auditor,
    /// A program that labels or ingests.
    Agent,
}

impl Role {
    pub const ALL: [Self; 5] = [Self::Reviewer, Self::Lead, Self::Engineer, Self::Auditor, Self::Agent];

    pub fn word(self) -> &'static str {
        match self {
            Self::Reviewer => "reviewer",
            Self::Lead => "lead",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
            Self::Agent => "agent",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A name can be written in a command line, a file name and a column: 1 to 40 letters, digits, `.`, `_`, `-`.
pub fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && !name.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        assert!(["ana", "rev-dee", "王"].into_iter().all(is_name));
        assert!(!["", "a b", "-x", "a\u{1b}"].into_iter().any(is_name));
        assert_eq!(Role::parse("lead"), Some(Role::Lead));
    }
}
