//! A plug-in as the configuration has it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::number::bytes_of;
use crate::domain::text::is_blank;

/// Less memory than this no program has.
const MEMORY_LEAST: u64 = 1 << 20;

/// What a plug-in does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginKind {
    /// Flags predictions.
    Detector,
    /// Suggests labels of cases.
    Labeler,
    /// Looks over labels, cuts and runs.
    Validator,
}

impl PluginKind {
    pub const ALL: [Self; 3] = [Self::Detector, Self::Labeler, Self::Validator];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Labeler => "labeler",
            Self::Validator => "validator",
        }
    }

    /// How long it may take over a row, unless it says otherwise.
    fn usual_seconds(self) -> u64 {
        match self {
            Self::Detector | Self::Validator => 5,
            Self::Labeler => 120,
        }
    }
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A plug-in as the configuration has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    pub name: String,
    pub kind: PluginKind,
    /// Program and arguments; what of them is a file beside the configuration is pinned with it.
    pub run: Vec<String>,
    /// Of its files, if they are to be these and no others, whatever is pinned.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Other files that it needs.
    #[serde(default)]
    pub files: Vec<String>,
    /// The fields of a row that it is sent; none: the whole row.
    #[serde(default)]
    pub wants: Vec<String>,
    /// Whether it may reach the network.
    #[serde(default)]
    pub network: bool,
    /// Variables of the environment that it is given.
    #[serde(default)]
    pub pass: Vec<String>,
    #[serde(default)]
    pub row_seconds: Option<u64>,
    #[serde(default)]
    pub memory: Option<String>,
    /// What it is told at the beginning.
    #[serde(default)]
    pub config: Map<String, Value>,
}

impl Plugin {
    /// A plug-in that a command line names, to be tried.
    pub fn to_try(kind: PluginKind, run: Vec<String>) -> Self {
        Self {
            name: "tried".to_owned(),
            kind,
            run,
            sha256: None,
            files: Vec::new(),
            wants: Vec::new(),
            network: false,
            pass: Vec::new(),
            row_seconds: None,
            memory: None,
            config: Map::new(),
        }
    }

    /// How long it may take over a row.
    pub fn patience(&self) -> u64 {
        self.row_seconds.unwrap_or(self.kind.usual_seconds())
    }

    pub fn memory_bytes(&self) -> u64 {
        self.memory.as_deref().and_then(bytes_of).unwrap_or(1 << 30)
    }

    /// The same with another limit for a row.
    #[must_use]
    pub fn within(self, row_seconds: u64) -> Self {
        Self { row_seconds: Some(row_seconds), ..self }
    }

    /// What is wrong with it by itself.
    pub fn fault(&self) -> Option<String> {
        let name = &self.name;
        let bad_name = |c: char| c.is_control() || c.is_whitespace() || c == ':';
        if name.is_empty() || name.starts_with('-') || name.chars().any(bad_name) {
            return Some(format!(
                "plug-in `{name}`: a name is one word without a colon, and begins with no dash"
            ));
        }
        let words = if self.run.first().is_none_or(|program| is_blank(program)) {
            "run names a program and its arguments, as [\"python3\", \"words.py\"]".to_owned()
        } else if self.row_seconds == Some(0) {
            "row_seconds is at least 1".to_owned()
        } else if self.memory_bytes() < MEMORY_LEAST
            || self.memory.as_deref().is_some_and(|text| bytes_of(text).is_none())
        {
            "memory is a size as 512M or 2G, and at least 1M".to_owned()
        } else {
            return None;
        };
        Some(format!("plug-in `{name}`: {words}"))
    }

    /// The fields of a row that it is sent.
    pub fn row(&self, line: &Value) -> Value {
        if self.wants.is_empty() {
            return line.clone();
        }
        let mut row = Map::new();
        row.extend(line.get("id").map(|id| ("id".to_owned(), id.clone())));
        for name in &self.wants {
            row.extend(field(line, name).map(|value| (name.clone(), value.clone())));
        }
        Value::Object(row)
    }
}

/// A field of a line by the name that traps use.
fn field<'v>(line: &'v Value, name: &str) -> Option<&'v Value> {
    let path = match name {
        "text" => "input.text",
        "session" => "input.session_id",
        "label" => "prediction.label",
        "confidence" => "prediction.confidence",
        "model" => "model.name",
        path => path,
    };
    path.split('.').try_fold(line, |at, part| at.get(part)).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plugin_is_sent_what_it_wants_and_no_more() {
        let mut plugin = Plugin::to_try(PluginKind::Detector, vec!["x".to_owned()]);
        let line = json!({ "id": "p1", "input": { "text": "Hola", "channel": "voice" },
            "prediction": { "label": "a", "confidence": 0.30 } });
        assert_eq!(plugin.row(&line), line);
        plugin.wants = ["text", "input.channel", "confidence", "nothing"].map(str::to_owned).into();
        assert_eq!(
            plugin.row(&line),
            json!({ "id": "p1", "text": "Hola", "input.channel": "voice", "confidence": 0.30 })
        );
    }

    #[test]
    fn what_is_wrong_with_a_plugin_is_said() {
        let plugin = Plugin::to_try(PluginKind::Labeler, vec!["x".to_owned()]);
        assert_eq!((plugin.fault(), plugin.patience()), (None, 120));
        let check = |plugin: Plugin, expect: &str| {
            assert!(plugin.fault().unwrap().contains(expect), "{expect}");
        };
        check(Plugin { name: "a b".to_owned(), ..plugin.clone() }, "one word");
        check(Plugin { run: vec![], ..plugin.clone() }, "names a program");
        check(Plugin { memory: Some("much".to_owned()), ..plugin.clone() }, "512M");
        check(plugin.within(0), "at least 1");
    }
}
