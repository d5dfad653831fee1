//! Plug-ins: programs of one's own that flag predictions, suggest labels, or look over what was
//! made; what they are asked and what they answer, line by line.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::ids::{CaseId, Hash, hex};
use super::label::{Label, MAIN_ROUND, Outcome, PROGRAM, ProtocolRef, Step, outcome_in_short};
use super::number::bytes_of;
use super::text::{cut, is_blank, visible};
use super::time::Hlc;

/// The version of the lines that are exchanged. Another one is another language.
pub const LINES_VERSION: u64 = 1;

/// Bytes of a line, either way.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// What a plug-in says of one row is cut to so many bytes.
const WORDS_BYTES_MAX: usize = 500;

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

/// What a plug-in is, to the byte, and what it may do and is told: what a lead has looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Of its file; of several, of the list that `sha256sum` prints of them.
    pub sha256: String,
    /// Program and arguments.
    pub run: Vec<String>,
    /// The files that are pinned, as they are named.
    #[serde(default)]
    pub files: Vec<String>,
    /// The fields that it is sent; none: the whole row.
    #[serde(default)]
    pub wants: Vec<String>,
    /// Whether it may reach the network.
    #[serde(default)]
    pub network: bool,
    /// Variables of the environment that it is given.
    #[serde(default)]
    pub pass: Vec<String>,
    /// The sha256 of what it is told at the beginning; nothing of nothing.
    #[serde(default)]
    pub config: String,
}

impl Pin {
    /// Of a plug-in whose files have these hashes, by name.
    pub fn of(plugin: &Plugin, hashes: &[(String, String)]) -> Self {
        let sha256 = match hashes {
            [(_, only)] => only.clone(),
            several => {
                let line = |(name, hash): &(String, String)| format!("{hash}  {name}\n");
                sha256_of(&several.iter().map(line).collect::<String>())
            }
        };
        let told = Value::from(plugin.config.clone()).to_string();
        let config = if plugin.config.is_empty() { String::new() } else { sha256_of(&told) };
        Self {
            sha256,
            run: plugin.run.clone(),
            files: hashes.iter().map(|(name, _)| name.clone()).collect(),
            wants: plugin.wants.clone(),
            network: plugin.network,
            pass: plugin.pass.clone(),
            config,
        }
    }

    /// All of it in one word: another word is another program.
    pub fn word(&self) -> String {
        sha256_of(&serde_json::to_string(self).unwrap_or_default())
    }

    /// In what this is not what was pinned, in words.
    pub fn differs(&self, pinned: &Self) -> Option<String> {
        let list = |list: &[String]| match list {
            [] => "nothing".to_owned(),
            list => list.join(", "),
        };
        if let Some(gone) = pinned.files.iter().find(|name| !self.files.contains(name)) {
            Some(format!("its file `{gone}` is not there any more"))
        } else if self.run != pinned.run {
            Some(format!("it ran `{}`", pinned.run.join(" ")))
        } else if self.sha256 != pinned.sha256 {
            Some(format!("the sha256 of its files is {}, and was {}", self.sha256, pinned.sha256))
        } else if self.files != pinned.files {
            Some(format!("its files were {}", list(&pinned.files)))
        } else if self.network != pinned.network {
            let was = if pinned.network { "it might" } else { "it might not" };
            Some(format!("{was} reach the network"))
        } else if self.pass != pinned.pass {
            Some(format!("it was given {} of the environment", list(&pinned.pass)))
        } else if self.wants != pinned.wants {
            Some(format!(
                "it was sent {}",
                match pinned.wants.as_slice() {
                    [] => "the whole row".to_owned(),
                    wants => wants.join(", "),
                }
            ))
        } else if self.config != pinned.config {
            Some("its `config` was another".to_owned())
        } else {
            None
        }
    }
}

fn sha256_of(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
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

/// What a plug-in says of itself at the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Hello {
    pub plugin: String,
    /// A text, or a number.
    #[serde(default, deserialize_with = "text_of_any")]
    pub version: String,
    pub casework: u64,
    /// Whether it says the same of the same row each time.
    #[serde(default)]
    pub deterministic: bool,
}

fn text_of_any<'de, D: Deserializer<'de>>(of: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(of)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

/// A flag that a detector raises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Raised {
    pub flag: String,
    #[serde(default)]
    pub score: Option<f64>,
    #[serde(default)]
    pub why: Option<String>,
}

/// A flag that was raised, as it is kept beside the case: by whom, and what they said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginFlag {
    pub plugin: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    pub flag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl fmt::Display for PluginFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} says {}", self.plugin, self.flag)?;
        if let Some(score) = self.score {
            write!(f, " {}", (score * 1e3).round() / 1e3)?;
        }
        if self.why.is_empty() { Ok(()) } else { write!(f, ": {}", self.why) }
    }
}

/// What a labeler suggests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Suggested {
    pub answers: BTreeMap<String, String>,
    /// 0 to 1.
    pub confidence: Option<f64>,
    pub rationale: String,
    pub model: String,
    /// Why it would rather not.
    pub abstains: Option<String>,
}

/// What a labeler suggested of a case, as the journal holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    pub case: CaseId,
    pub plugin: String,
    /// Its own word for its version, and its files' hash.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    pub sha256: String,
    /// What was pinned of it, in a word.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pin: String,
    /// The model that it asked, if it says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    pub protocol: ProtocolRef,
    /// The questions that it answers, in the order in which they are asked.
    pub answers: Vec<Step>,
    /// What they come to; nothing where they do not lead to an end.
    #[serde(default, skip_serializing_if = "Outcome::is_empty")]
    pub outcome: Outcome,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// It would rather not.
    #[serde(default, skip_serializing_if = "is_false")]
    pub abstained: bool,
    /// What it says in its own words, which may repeat the input: it lies beside the event, as the
    /// input does, and goes when that is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Hash>,
    /// The words of the payload, where they are here; an earlier version had them in the event.
    #[serde(flatten)]
    pub own: OwnWords,
}

/// What a labeler says in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnWords {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rationale: String,
    /// Why it would rather not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub abstains: String,
}

impl OwnWords {
    pub fn is_empty(&self) -> bool {
        self.rationale.is_empty() && self.abstains.is_empty()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks for it")]
fn is_false(it: &bool) -> bool {
    !it
}

impl Suggestion {
    /// As whose label it is listed where it counts as one: no person is called so.
    pub fn reviewer(&self) -> String {
        format!("{PROGRAM}{}", self.plugin)
    }

    /// Whether it would rather not say.
    pub fn abstains(&self) -> bool {
        self.abstained || !self.own.abstains.is_empty()
    }

    /// What it says, in a line: `llm suggests verdict wrong_label · category slang, 80 % sure: …`.
    pub fn words(&self) -> String {
        let name = match self.model.as_str() {
            "" => self.plugin.clone(),
            model => format!("{} ({model})", self.plugin),
        };
        if self.abstains() {
            let why = match self.own.abstains.as_str() {
                "" => String::new(),
                why => format!(": {why}"),
            };
            return format!("{name} would rather not say{why}");
        }
        let said = if self.outcome.is_empty() {
            let steps =
                self.answers.iter().map(|(question, answer)| format!("{question} {answer}"));
            steps.collect::<Vec<_>>().join(" · ")
        } else {
            outcome_in_short(&self.outcome)
        };
        let sure =
            self.confidence.map_or(String::new(), |share| format!(", {:.0} % sure", share * 100.0));
        let why = match self.own.rationale.as_str() {
            "" => String::new(),
            why => format!(": {why}"),
        };
        format!("{name} suggests {said}{sure}{why}")
    }

    /// The label that it counts as, where it does.
    pub fn label(&self) -> Label {
        Label {
            path: self.answers.clone(),
            outcome: self.outcome.clone(),
            rationale: self.own.rationale.clone(),
            ..Label::empty(self.case, &self.reviewer(), MAIN_ROUND, self.protocol.clone())
        }
    }
}

/// Which of all that a labeler suggested of a case stands; it is given in the order in which it was
/// said, with when. Whoever asks the same program again gets no other vote, and nobody gets one by
/// pinning another once a person has said what the case is: only the first of a pin and a protocol
/// counts, and of these the last that came before the first label.
pub fn that_stands(said: &[(Hlc, &Suggestion)], labeled: Option<Hlc>) -> Option<usize> {
    let same = |a: &Suggestion, b: &Suggestion| a.pin == b.pin && a.protocol == b.protocol;
    let first = |at: &usize| !said[..*at].iter().any(|(_, one)| same(one, said[*at].1));
    let early = |at: &usize| labeled.is_none_or(|labeled| said[*at].0 < labeled);
    let last = (0..said.len()).filter(first).rfind(early);
    last.or_else(|| (!said.is_empty()).then_some(0))
}

/// What a validator finds wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub what: String,
    pub severity: Severity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Whoever goes on says why.
    Error,
    Warn,
}

/// What a plug-in says of a row, by what it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Flags(Vec<Raised>),
    Label(Suggested),
    Problems(Vec<Problem>),
}

impl Said {
    /// What an answer of a plug-in says.
    ///
    /// # Errors
    /// It is no answer of such a plug-in, or says more than is kept.
    pub fn read(kind: PluginKind, answer: &Map<String, Value>) -> Result<Self, String> {
        Ok(match kind {
            PluginKind::Detector => Self::Flags(raised(answer)?),
            PluginKind::Labeler => Self::Label(suggested(answer)?),
            PluginKind::Validator => Self::Problems(problems(answer)?),
        })
    }
}

/// Flags, problems and answers that a plug-in may have of one row.
const LIST_MAX: usize = 100;
/// Bytes of an answer that a labeler suggests.
const ANSWER_BYTES_MAX: usize = 16 << 10;

fn few<T>(what: &str, list: &[T]) -> Result<(), String> {
    if list.len() > LIST_MAX {
        return Err(format!("`{what}`: {} of them, and at most {LIST_MAX} are kept", list.len()));
    }
    Ok(())
}

/// What is shown and kept of a text that a plug-in said.
pub fn words(text: &str) -> String {
    cut(&visible(text.trim()), WORDS_BYTES_MAX).into_owned()
}

/// What a detector's answer says.
///
/// # Errors
/// It is no answer of a detector.
fn raised(answer: &Map<String, Value>) -> Result<Vec<Raised>, String> {
    let Some(flags) = answer.get("flags") else { return Ok(Vec::new()) };
    let mut flags: Vec<Raised> =
        serde_json::from_value(flags.clone()).map_err(|error| format!("`flags`: {error}"))?;
    few("flags", &flags)?;
    for raised in &mut flags {
        raised.flag = words(&raised.flag);
        raised.why = raised.why.take().map(|why| words(&why));
        raised.score = raised.score.filter(|score| score.is_finite());
    }
    Ok(flags)
}

/// What a labeler's answer says.
///
/// # Errors
/// It is no answer of a labeler.
fn suggested(answer: &Map<String, Value>) -> Result<Suggested, String> {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(words);
    if let Some(why) = text("abstain") {
        return Ok(Suggested { abstains: Some(why), ..Suggested::default() });
    }
    let Some(answers) = answer.get("answers") else {
        return Err("it has neither `answers` nor `abstain`".to_owned());
    };
    let answers = answers.as_object().ok_or("`answers` is an object: question to answer")?;
    few("answers", &answers.iter().collect::<Vec<_>>())?;
    let answers = answers.iter().map(|(question, answer)| {
        let text = match answer {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Array(several) => {
                let one = |value: &Value| value.as_str().map(str::to_owned);
                let texts: Option<Vec<String>> = several.iter().map(one).collect();
                texts.ok_or_else(|| format!("`{question}`: an answer is a text"))?.join(",")
            }
            _ => return Err(format!("`{question}`: an answer is a text")),
        };
        if text.len() > ANSWER_BYTES_MAX {
            return Err(format!(
                "`{question}`: an answer of more than {} KiB",
                ANSWER_BYTES_MAX >> 10
            ));
        }
        Ok((question.clone(), text))
    });
    let confidence = answer.get("confidence").and_then(Value::as_f64);
    if confidence.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err("`confidence` is a share from 0 to 1".to_owned());
    }
    Ok(Suggested {
        answers: answers.collect::<Result<_, String>>()?,
        confidence,
        rationale: text("rationale").unwrap_or_default(),
        model: text("model").unwrap_or_default(),
        abstains: None,
    })
}

/// What a validator's answer says.
///
/// # Errors
/// It is no answer of a validator.
fn problems(answer: &Map<String, Value>) -> Result<Vec<Problem>, String> {
    let Some(found) = answer.get("problems") else { return Ok(Vec::new()) };
    let mut found: Vec<Problem> =
        serde_json::from_value(found.clone()).map_err(|error| format!("`problems`: {error}"))?;
    few("problems", &found)?;
    found.iter_mut().for_each(|problem| problem.what = words(&problem.what));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

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
    fn no_vote_is_rolled_again() {
        let suggestion = |pin: &str| Suggestion {
            case: CaseId([0; 16]),
            plugin: "llm".to_owned(),
            version: String::new(),
            sha256: String::new(),
            pin: pin.to_owned(),
            model: String::new(),
            protocol: ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) },
            answers: Vec::new(),
            outcome: Outcome::new(),
            confidence: None,
            abstained: false,
            payload: None,
            own: OwnWords::default(),
        };
        let said = ["a", "a", "b", "a", "c"].map(suggestion);
        let at = |ms| Hlc { ms, n: 0 };
        let said: Vec<_> = said.iter().enumerate().map(|(n, one)| (at(n as i64), one)).collect();
        assert_eq!(that_stands(&[], None), None);
        assert_eq!(that_stands(&said, None), Some(4));
        assert_eq!(that_stands(&said, Some(at(4))), Some(2), "another pin after the label");
        assert_eq!(that_stands(&said, Some(at(2))), Some(0), "the same asked again");
        assert_eq!(that_stands(&said, Some(at(0))), Some(0), "labeled before anything was said");
        assert_eq!(that_stands(&said[..2], None), Some(0));
    }

    #[test]
    fn answers_are_read_and_what_is_none_is_refused_by_its_reason() {
        assert_eq!(raised(&answer(json!({ "n": 1 }))), Ok(vec![]));
        let flags = raised(&answer(json!({ "flags": [{ "flag": "a\u{1b}b", "score": 1.5 }] })));
        assert_eq!(flags.unwrap()[0].flag, visible("a\u{1b}b"));
        assert!(raised(&answer(json!({ "flags": "toxic" }))).unwrap_err().contains("flags"));

        let given = suggested(&answer(
            json!({ "answers": { "q": "y", "n": 4, "m": ["a", "b"] }, "confidence": 0.8 }),
        ));
        let given = given.unwrap();
        assert_eq!((given.answers["n"].as_str(), given.answers["m"].as_str()), ("4", "a,b"));
        assert_eq!(given.confidence, Some(0.8));
        let abstains = suggested(&answer(json!({ "abstain": "no idea" }))).unwrap();
        assert_eq!(abstains.abstains.as_deref(), Some("no idea"));
        for (bad, why) in [
            (json!({}), "neither"),
            (json!({ "answers": [] }), "object"),
            (json!({ "answers": { "q": true } }), "`q`"),
            (json!({ "answers": {}, "confidence": 7 }), "from 0 to 1"),
        ] {
            assert!(suggested(&answer(bad.clone())).unwrap_err().contains(why), "{bad}");
        }
        let found = json!({ "problems": [{ "what": "empty", "severity": "error" }] });
        assert_eq!(problems(&answer(found)).unwrap()[0].severity, Severity::Error);
        let odd = json!({ "problems": [{ "what": "empty", "severity": "fatal" }] });
        assert!(problems(&answer(odd)).unwrap_err().contains("fatal"));
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
