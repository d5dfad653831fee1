//! How a team works: how many look at a case, when it is due, when labels settle it.

use serde::{Deserialize, Serialize};

/// When labels settle what a case counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// All agree.
    Unanimous,
    /// One outcome has more labels than any other.
    Majority,
}

/// A team's policy. The latest one set counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// How many reviewers label each case.
    pub overlap: u32,
    /// How many may be asked before a case that is not settled counts as disputed.
    pub limit: u32,
    pub rule: Rule,
    /// The outcome's fields that must agree; empty: all of them.
    pub on: Vec<String>,
    /// Hours from detection until a case is due.
    pub sla_hours: u32,
    /// Whether payloads in shared stores are encrypted for the roster.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encrypt: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { overlap: 1, limit: 3, rule: Rule::Unanimous, on: Vec::new(), sla_hours: 72, encrypt: false }
    }
}

/// A policy that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    #[error("no policy is called `{0}`: there are overlap, limit, rule, on, sla_hours, encrypt")]
    Unknown(String),
    #[error("{0} must be {1}")]
    Value(&'static str, &'static str),
}

impl Policy {
    /// Sets one value by its name.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), BadPolicy> {
        let number = |least: u32, what: &'static str, words: &'static str| {
            value.parse().ok().filter(|&n: &u32| n >= least && n <= 10_000).ok_or(BadPolicy::Value(what, words))
        };
        match name {
            "overlap" => self.overlap = number(1, "overlap", "a number from 1")?,
            "limit" => self.limit = number(1, "limit", "a number from 1")?,
            "sla_hours" => self.sla_hours = number(1, "sla_hours", "a number of hours from 1")?,
            "rule" => {
                self.rule = match value {
                    "unanimous" => Rule::Unanimous,
                    "majority" => Rule::Majority,
                    _ => return Err(BadPolicy::Value("rule", "`unanimous` or `majority`")),
                }
            }
            "encrypt" => {
                self.encrypt = match value {
                    "yes" | "true" => true,
                    "no" | "false" => false,
                    _ => return Err(BadPolicy::Value("encrypt", "`yes` or `no`")),
                }
            }
            "on" => self.on = value.split(',').map(str::trim).filter(|f| !f.is_empty()).map(str::to_owned).collect(),
            other => return Err(BadPolicy::Unknown(other.to_owned())),
        }
        self.limit = self.limit.max(self.overlap);
        Ok(())
    }

    pub fn sla_ms(&self) -> i64 {
        i64::from(self.sla_hours) * 3_600_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_set_by_name_and_checked() {
        let mut policy = Policy::default();
        policy.set("overlap", "4").unwrap();
        assert_eq!((policy.overlap, policy.limit), (4, 4), "the limit is never under the overlap");
        policy.set("on", "label, verdict").unwrap();
        assert_eq!(policy.on, ["label", "verdict"]);
        assert!(policy.set("rule", "loudest").is_err() && policy.set("overlap", "0").is_err() && policy.set("x", "").is_err());
    }
}
