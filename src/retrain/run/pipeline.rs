//! A pipeline as its author writes it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::ids::Hash;
use crate::domain::number::bytes_of;
use crate::domain::protocol::Fault;
use crate::domain::protocol::parse::toml_fault;
use crate::domain::time::parse_span;
use crate::retrain::source::line_of_key;

/// A pipeline, read and checked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    pub name: String,
    /// The cut, by name (the newest) or id.
    pub cut: String,
    #[serde(default)]
    pub seed: Option<u64>,
    #[serde(default)]
    pub inputs: Vec<Input>,
    #[serde(default)]
    pub step: Vec<Step>,
    #[serde(default)]
    pub result: Outcome,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub repeat: Repeat,
    /// A command in which steps run, where the sandbox is `container`.
    #[serde(default)]
    pub container: Vec<String>,
    /// The TOML as its author wrote it.
    #[serde(skip)]
    pub source: String,
}

/// A file that steps are given, beside the cut.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub path: String,
    #[serde(default)]
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub name: String,
    /// Program and arguments; `{cut}`, `{out}`, `{seed}` stand for what they are.
    pub run: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variables that are passed on as they are here.
    #[serde(default)]
    pub pass: Vec<String>,
}

/// What steps leave behind, below `{out}`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    #[serde(default)]
    pub metrics: Option<String>,
    #[serde(default)]
    pub predictions: Option<String>,
    /// A command that says what is installed.
    #[serde(default)]
    pub versions: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    #[serde(default)]
    pub network: bool,
    #[serde(default)]
    memory: Option<String>,
    #[serde(default)]
    wall: Option<String>,
    #[serde(default)]
    output: Option<String>,
    #[serde(default)]
    processes: Option<u64>,
    /// Places that steps may read beside those of the system.
    #[serde(default)]
    pub read: Vec<String>,
}

/// What a step may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub memory_bytes: u64,
    pub wall_ms: u64,
    pub output_bytes: u64,
    pub processes: u64,
}

impl Limits {
    pub fn bounds(&self) -> Bounds {
        let bytes =
            |text: &Option<String>, usual: u64| text.as_deref().and_then(bytes_of).unwrap_or(usual);
        Bounds {
            memory_bytes: bytes(&self.memory, 8 << 30),
            wall_ms: self.wall.as_deref().and_then(wall_of).unwrap_or(2 * 3_600_000),
            output_bytes: bytes(&self.output, 4 << 30),
            processes: self.processes.unwrap_or(256),
        }
    }
}

/// `30s`, or a span as elsewhere: `90m`, `2h`.
fn wall_of(text: &str) -> Option<u64> {
    if let Some(seconds) = text.trim().strip_suffix('s') {
        return seconds.trim().parse::<u64>().ok().filter(|n| *n > 0)?.checked_mul(1_000);
    }
    parse_span(text).and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0)
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// Share of predictions that may differ between two runs.
    #[serde(default)]
    pub churn: f64,
}

impl Pipeline {
    /// # Errors
    /// What is wrong with it, by lines.
    pub fn parse(source: &str) -> Result<Self, Vec<Fault>> {
        let pipeline: Self =
            toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
        let pipeline = Self { source: source.to_owned(), ..pipeline };
        let faults = pipeline.faults();
        if faults.is_empty() { Ok(pipeline) } else { Err(faults) }
    }

    pub fn hash(&self) -> Hash {
        Hash::of(self.source.as_bytes())
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |table: &str, nth: usize, key: &str, message: String| {
            faults.push(Fault::new(line_of_key(&self.source, table, nth, key), message));
        };
        if self.name.trim().is_empty() {
            fault("", 0, "name", "a pipeline has a name".to_owned());
        }
        if self.step.is_empty() {
            fault("", 0, "", "it has no [[step]]: there is nothing to run".to_owned());
        }
        let plain = |name: &str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        for (n, step) in self.step.iter().enumerate() {
            if step.run.is_empty() {
                fault(
                    "step",
                    n,
                    "run",
                    "it runs nothing: run = [\"program\", \"argument\"]".to_owned(),
                );
            }
            if !plain(&step.name) || self.step[..n].iter().any(|other| other.name == step.name) {
                fault(
                    "step",
                    n,
                    "name",
                    "each step has a name of its own, of letters, digits, `-`, `_` and `.`"
                        .to_owned(),
                );
            }
            for argument in &step.run {
                if let Some(name) = unknown_place(argument) {
                    fault(
                        "step",
                        n,
                        "run",
                        format!("`{{{name}}}` is none of {{cut}}, {{out}}, {{seed}}"),
                    );
                }
            }
            if step.run.iter().any(|argument| argument.contains("{seed}")) && self.seed.is_none() {
                fault(
                    "step",
                    n,
                    "run",
                    "it asks for {seed}, and the pipeline has no seed".to_owned(),
                );
            }
        }
        let limits = [("memory", &self.limits.memory), ("output", &self.limits.output)];
        for (key, text) in limits {
            if text.as_deref().is_some_and(|text| bytes_of(text).is_none()) {
                fault("limits", 0, key, format!("{key} is a size, as \"8G\" or \"512M\""));
            }
        }
        if self.limits.wall.as_deref().is_some_and(|text| wall_of(text).is_none()) {
            fault("limits", 0, "wall", "wall is a time, as \"30s\", \"90m\" or \"2h\"".to_owned());
        }
        for input in &self.inputs {
            let inside = !input.path.is_empty() && !input.path.split('/').any(|part| part == "..");
            if !inside || input.path.starts_with('/') {
                fault(
                    "",
                    0,
                    "inputs",
                    format!("input `{}` has to lie beside the pipeline", input.path),
                );
            }
        }
        if !self.container.is_empty()
            && !self.container.iter().any(|part| part.contains("@sha256:"))
        {
            fault("", 0, "container", "an image is named by its digest: NAME@sha256:…".to_owned());
        }
        faults
    }
}

/// What stands in braces and is no place that is known.
fn unknown_place(argument: &str) -> Option<String> {
    let mut rest = argument;
    while let Some((_, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let word = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
        if word && !["cut", "out", "seed"].contains(&name) {
            return Some(name.to_owned());
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_by_line() {
        let good = "name = \"t\"\ncut = \"june\"\n[[step]]\nname = \"train\"\nrun = [\"python3\", \"{cut}/train.jsonl\"]\n";
        let pipeline = Pipeline::parse(good).unwrap();
        assert_eq!(pipeline.limits.bounds().memory_bytes, 8 << 30);
        let lines = |more: &str| -> Vec<usize> {
            Pipeline::parse(&format!("{good}{more}"))
                .unwrap_err()
                .into_iter()
                .map(|fault| fault.line)
                .collect()
        };
        assert_eq!(lines("[[step]]\nname = \"train\"\nrun = [\"{data}\"]\n"), [7, 8]);
        assert_eq!(lines("[limits]\nmemory = \"much\"\nwall = \"soon\"\n"), [7, 8]);
        assert_eq!(bytes_of("2 G"), Some(2 << 30));
        assert_eq!(bytes_of("0"), None);
    }
}
