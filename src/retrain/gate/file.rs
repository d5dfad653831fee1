//! A gate as its author writes it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::ids::Hash;
use crate::domain::protocol::Fault;
use crate::domain::protocol::parse::toml_fault;
use crate::retrain::source::line_of_key;
use crate::trap::condition::Condition;

/// A gate, read and checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateFile {
    /// What it is called; the file's name where it does not say.
    #[serde(default)]
    pub name: String,
    /// How often a line may be wrong about two equal models.
    #[serde(default = "usual_alpha")]
    pub alpha: f64,
    #[serde(default)]
    pub cannot_tell: CannotTell,
    #[serde(default)]
    pub fix: Vec<Fix>,
    #[serde(default)]
    pub keep: Vec<Keep>,
    #[serde(default)]
    pub must: Vec<Must>,
    #[serde(default)]
    pub metric: Vec<Metric>,
    /// The TOML as its author wrote it.
    #[serde(skip)]
    pub source: String,
}

/// What a line that can't tell does to the verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CannotTell {
    #[default]
    Warn,
    Fail,
}

/// Rows of the evaluation file: a slice that it names, those of which a rule holds, or those of a
/// category.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    pub slice: Option<String>,
    /// Written `where`.
    pub rule: Option<String>,
    pub category: Option<String>,
}

impl Rows {
    /// As lines of the verdict call it.
    pub fn name(&self) -> String {
        match (&self.slice, &self.rule, &self.category) {
            (Some(slice), _, _) => slice.clone(),
            (_, Some(rule), _) => rule.clone(),
            (_, _, Some(category)) => format!("category = {category}"),
            _ => ALL.to_owned(),
        }
    }

    pub fn every_slice(&self) -> bool {
        self.slice.as_deref() == Some("*")
    }
}

/// Every row of the evaluation file.
pub const ALL: &str = "all";

/// Something that has to be better.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    pub rows: Rows,
    pub gain: f64,
}

/// As it is written: every key of it is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixTable {
    slice: Option<String>,
    #[serde(rename = "where")]
    rule: Option<String>,
    category: Option<String>,
    gain: f64,
}

impl<'de> Deserialize<'de> for Fix {
    fn deserialize<D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        let FixTable { slice, rule, category, gain } = FixTable::deserialize(table)?;
        Ok(Self { rows: Rows { slice, rule, category }, gain })
    }
}

/// Something that must not be worse: with a margin it has to be shown, without one it is refused
/// where a loss is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Keep {
    pub rows: Rows,
    pub margin: Option<f64>,
    pub drop: Option<f64>,
    pub least: u64,
}

/// As it is written: every key of it is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeepTable {
    slice: Option<String>,
    #[serde(rename = "where")]
    rule: Option<String>,
    category: Option<String>,
    margin: Option<f64>,
    drop: Option<f64>,
    #[serde(default = "usual_least")]
    least: u64,
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(table: D) -> Result<Self, D::Error> {
        let KeepTable { slice, rule, category, margin, drop, least } =
            KeepTable::deserialize(table)?;
        Ok(Self { rows: Rows { slice, rule, category }, margin, drop, least })
    }
}

/// Cases that have to be right, each.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Must {
    /// `gold`, `precedents`, `rulings`, or a file of canaries.
    pub cases: String,
}

/// A figure of the run that has to lie between bounds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    pub name: String,
    pub most: Option<f64>,
    pub least: Option<f64>,
}

fn usual_alpha() -> f64 {
    0.05
}

fn usual_least() -> u64 {
    30
}

impl GateFile {
    /// # Errors
    /// What is wrong with it, by lines.
    pub fn parse(source: &str) -> Result<Self, Vec<Fault>> {
        let file: Self =
            toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
        let file = Self { source: source.to_owned(), ..file };
        let faults = file.faults();
        if faults.is_empty() { Ok(file) } else { Err(faults) }
    }

    pub fn hash(&self) -> Hash {
        Hash::of(self.source.as_bytes())
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |table: &str, nth: usize, key: &str, message: String| {
            faults.push(Fault::new(self.line(table, nth, key), message));
        };
        if !(self.alpha > 0.0 && self.alpha < 0.5) {
            fault("", 0, "alpha", "alpha lies between 0 and 0.5".to_owned());
        }
        if self.fix.is_empty()
            && self.keep.is_empty()
            && self.must.is_empty()
            && self.metric.is_empty()
        {
            fault(
                "",
                0,
                "",
                "it asks for nothing: add [[fix]], [[keep]], [[must]] or [[metric]]".to_owned(),
            );
        }
        let fixes =
            self.fix.iter().map(|fix| &fix.rows).enumerate().map(|(n, rows)| ("fix", n, rows));
        let keeps = self.keep.iter().map(|keep| &keep.rows).enumerate();
        for (table, n, rows) in fixes.chain(keeps.map(|(n, rows)| ("keep", n, rows))) {
            let named = [&rows.slice, &rows.rule, &rows.category];
            if named.iter().filter(|name| name.is_some()).count() != 1 {
                let words = "it names its rows by one of `slice`, `where` and `category`";
                fault(table, n, "", words.to_owned());
            }
            if rows.slice.as_deref().is_some_and(|slice| slice != "*" && slice.contains('*')) {
                let words = "`*` stands for every slice, by itself: no slice has it in its name";
                fault(table, n, "slice", words.to_owned());
            }
            if let Some(Err(error)) = rows.rule.as_deref().map(Condition::compile) {
                fault(table, n, "where", error.to_string());
            }
        }
        for (n, fix) in self.fix.iter().enumerate() {
            if !(fix.gain > 0.0 && fix.gain <= 1.0) {
                fault("fix", n, "gain", "gain is a share above 0, as 0.05".to_owned());
            }
            if fix.rows.every_slice() {
                let words = "a fix names one slice; `*` is for [[keep]]";
                fault("fix", n, "slice", words.to_owned());
            }
        }
        for (n, keep) in self.keep.iter().enumerate() {
            for (key, value) in [("margin", keep.margin), ("drop", keep.drop)] {
                if value.is_some_and(|value| !(value > 0.0 && value <= 1.0)) {
                    fault("keep", n, key, format!("{key} is a share above 0, as 0.01"));
                }
            }
            if keep.margin.is_some() && keep.drop.is_some() {
                let words = "it has either a margin, within which it is to be shown, or a drop that is refused";
                fault("keep", n, "drop", words.to_owned());
            }
        }
        for (n, metric) in self.metric.iter().enumerate() {
            if metric.most.is_none() && metric.least.is_none() {
                fault("metric", n, "", "it has to say `most` or `least`".to_owned());
            }
        }
        faults
    }

    /// The line of a key in the nth table of a name; of the table itself where it has no such key.
    fn line(&self, table: &str, nth: usize, key: &str) -> usize {
        line_of_key(&self.source, table, nth, key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_by_line() {
        let faults = |source: &str| -> Vec<(usize, String)> {
            let faults = GateFile::parse(source).unwrap_err();
            faults.into_iter().map(|fault| (fault.line, fault.message)).collect()
        };
        let found = faults(
            "alpha = 0.05\n[[fix]]\nslice = \"a\"\ngain = 0.1\n[[fix]]\nwhere = \"x <\"\ngain = 2.0\n",
        );
        assert_eq!(found[0].0, 6, "{found:?}");
        assert_eq!(found[1].0, 7, "{found:?}");
        assert_eq!(faults("alpha = 1.0\n[[must]]\ncases = \"gold\"\n")[0].0, 1);
        assert!(faults("[[fix]]\ngain = 0.1\n")[0].1.contains("names its rows"));
        // A word that is none of a table would ask for something else than was meant.
        for (table, meant, key) in [
            ("fix", "slice = \"a\"\ngain = 0.1", "gain"),
            ("fix", "category = \"a\"\ngain = 0.1", "category"),
            ("keep", "slice = \"a\"\nmargin = 0.1", "margin"),
            ("keep", "slice = \"a\"\ndrop = 0.1\nleast = 5", "drop"),
            ("keep", "slice = \"a\"\ndrop = 0.1\nleast = 5", "least"),
            ("keep", "where = \"true\"\ndrop = 0.1", "where"),
        ] {
            let meant = format!("[[{table}]]\n{meant}\n");
            assert!(GateFile::parse(&meant).is_ok(), "{meant}");
            let typed = format!("{key}n");
            let found = faults(&meant.replacen(key, &typed, 1));
            assert!(found[0].1.contains(&typed) && found[0].0 > 1, "{found:?}");
        }
        assert!(faults("")[0].1.contains("asks for nothing"));
    }
}
