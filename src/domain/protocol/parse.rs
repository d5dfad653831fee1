//! TOML to [`Protocol`]: names become indices, and every fault has the line it stands on.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::{Answer, CheckItem, Consequence, Example, Fault, Protocol, Question, QuestionKind, line_of};
use crate::domain::label::Outcome;

/// Most questions, answers and labels that a protocol may have.
const QUESTIONS_MAX: usize = 1_000;
const LABELS_MAX: usize = 20_000;
/// Largest source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;

/// Where a protocol's labels stand.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum LabelSource {
    /// A file beside the protocol, one label a line.
    File(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    id: Spanned<String>,
    title: String,
    start: Spanned<String>,
    labels: Option<LabelSource>,
    #[serde(default)]
    streams: Vec<String>,
    #[serde(default)]
    require: Require,
    #[serde(default)]
    question: Vec<Spanned<SourceQuestion>>,
    #[serde(default)]
    checklist: Vec<Spanned<SourceItem>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Require {
    #[serde(default)]
    fields: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceQuestion {
    id: Spanned<String>,
    ask: String,
    #[serde(default)]
    help: String,
    #[serde(default)]
    terms: Vec<String>,
    kind: Option<Spanned<String>>,
    sets: Option<String>,
    goto: Option<Spanned<String>>,
    #[serde(default)]
    set: toml::Table,
    #[serde(default)]
    answers: Vec<Spanned<SourceAnswer>>,
    #[serde(default)]
    example: Vec<Example>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceAnswer {
    key: String,
    text: String,
    goto: Option<Spanned<String>>,
    #[serde(default)]
    set: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceItem {
    id: String,
    text: String,
    #[serde(default)]
    required: bool,
}

impl<'de> Deserialize<'de> for Example {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            input: String,
            answer: String,
            #[serde(default)]
            why: String,
        }
        let Fields { input, answer, why } = Fields::deserialize(from)?;
        Ok(Self { input, answer, why })
    }
}

/// What `labels` in a source says, so that the caller can read the file it may name.
pub fn label_source(source: &str) -> Option<LabelSource> {
    #[derive(Deserialize)]
    struct Only {
        labels: Option<LabelSource>,
    }
    toml::from_str::<Only>(source).ok()?.labels
}

/// Parses and checks a protocol. `labels` is what the file named by the source holds, if it names one.
pub fn parse(source: &str, labels: Option<&str>) -> Result<Protocol, Vec<Fault>> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(vec![Fault::new(1, "a protocol is at most 1 MiB")]);
    }
    let read: Source = toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
    let mut reader = Reader { source, index: HashMap::new(), faults: Vec::new() };
    let protocol = reader.protocol(read, labels);
    let mut faults = reader.faults;
    if faults.is_empty() {
        faults = super::check(&protocol);
    }
    faults.sort();
    if faults.is_empty() { Ok(protocol) } else { Err(faults) }
}

/// A TOML error in one line, with its place.
pub(crate) fn toml_fault(source: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map_or(1, |span| line_of(source, span.start));
    Fault::new(line, error.message().replace('\n', " "))
}

struct Reader<'s> {
    source: &'s str,
    index: HashMap<String, usize>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, offset: usize, message: String) {
        self.faults.push(Fault::new(line_of(self.source, offset), message));
    }

    fn protocol(&mut self, read: Source, label_file: Option<&str>) -> Protocol {
        if read.question.len() > QUESTIONS_MAX {
            self.fault(0, format!("{} questions; at most {QUESTIONS_MAX} are allowed", read.question.len()));
        }
        if !is_id(read.id.get_ref()) {
            self.fault(read.id.span().start, format!("id `{}`: use letters, digits, `-` and `_`", read.id.get_ref()));
        }
        for (i, question) in read.question.iter().enumerate() {
            let id = &question.get_ref().id;
            if !is_id(id.get_ref()) {
                self.fault(id.span().start, format!("question id `{}`: use letters, digits, `-` and `_`", id.get_ref()));
            }
            if self.index.insert(id.get_ref().clone(), i).is_some() {
                self.fault(id.span().start, format!("a second question `{}`: give it another id", id.get_ref()));
            }
        }
        let labels = self.labels(read.labels, label_file);
        let start = self.find(&read.start).unwrap_or(0);
        let questions = read.question.into_iter().map(|question| self.question(question)).collect();
        Protocol {
            id: read.id.into_inner(),
            title: read.title,
            start,
            labels,
            streams: read.streams,
            required: read.require.fields,
            questions,
            checklist: self.checklist(read.checklist),
            source: self.source.to_owned(),
        }
    }

    fn labels(&mut self, source: Option<LabelSource>, file: Option<&str>) -> Vec<String> {
        let labels: Vec<String> = match (source, file) {
            (None, _) => Vec::new(),
            (Some(LabelSource::List(labels)), _) => labels,
            (Some(LabelSource::File(_)), Some(text)) => {
                text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
            }
            (Some(LabelSource::File(name)), None) => {
                self.fault(0, format!("the label file `{name}` could not be read"));
                return Vec::new();
            }
        };
        if labels.len() > LABELS_MAX {
            self.fault(0, format!("{} labels; at most {LABELS_MAX} are allowed", labels.len()));
        }
        let mut seen = std::collections::HashSet::new();
        if let Some(twice) = labels.iter().find(|label| !seen.insert(label.as_str())) {
            self.fault(0, format!("the label `{twice}` stands twice"));
        }
        labels
    }

    fn find(&mut self, name: &Spanned<String>) -> Option<usize> {
        let found = self.index.get(name.get_ref()).copied();
        if found.is_none() {
            self.fault(name.span().start, format!("no question is called `{}`", name.get_ref()));
        }
        found
    }

    fn question(&mut self, read: Spanned<SourceQuestion>) -> Question {
        let line = line_of(self.source, read.span().start);
        let read = read.into_inner();
        let at = read.id.span().start;
        let kind = read.kind.as_ref().map_or("choice", |kind| kind.get_ref().as_str());
        let kind = match kind {
            "choice" => {
                if read.sets.is_some() || read.goto.is_some() || !read.set.is_empty() {
                    let id = read.id.get_ref();
                    self.fault(at, format!("`{id}` is a choice: put `set` and `goto` into its answers"));
                }
                QuestionKind::Choice(self.answers(read.id.get_ref(), at, read.answers))
            }
            "label" => {
                if !read.answers.is_empty() {
                    self.fault(at, format!("`{}` is a label: it takes no `answers`", read.id.get_ref()));
                }
                let sets = read.sets.unwrap_or_else(|| {
                    self.fault(at, format!("`{}` is a label: say the field it `sets`", read.id.get_ref()));
                    String::new()
                });
                QuestionKind::Label { sets, then: self.consequence(read.goto.as_ref(), &read.set, at) }
            }
            other => {
                self.fault(at, format!("kind `{other}` is not known here: use `choice` or `label`"));
                QuestionKind::Choice(Vec::new())
            }
        };
        let (ask, help, terms, examples) = (read.ask, read.help, read.terms, read.example);
        Question { id: read.id.into_inner(), ask, help, terms, examples, kind, line }
    }

    fn answers(&mut self, question: &str, at: usize, read: Vec<Spanned<SourceAnswer>>) -> Vec<Answer> {
        if read.is_empty() {
            self.fault(at, format!("`{question}` has no answers"));
        }
        let mut answers: Vec<Answer> = Vec::new();
        for answer in read {
            let at = answer.span().start;
            let answer = answer.into_inner();
            if answer.key.trim().is_empty() {
                self.fault(at, format!("an answer of `{question}` has an empty key"));
            }
            if let Some(other) = answers.iter().find(|other| other.key == answer.key) {
                let text = &other.text;
                self.fault(at, format!("`{question}` has two answers on the key `{}`: one is “{text}”", answer.key));
            }
            let then = self.consequence(answer.goto.as_ref(), &answer.set, at);
            answers.push(Answer { key: answer.key, text: answer.text, then });
        }
        answers
    }

    fn consequence(&mut self, goto: Option<&Spanned<String>>, set: &toml::Table, at: usize) -> Consequence {
        let goto = goto.and_then(|name| self.find(name));
        let mut fields = Outcome::new();
        for (field, value) in set {
            match json_of(value) {
                Some(value) => drop(fields.insert(field.clone(), value)),
                None => self.fault(at, format!("`set.{field}` must be a text, a number, true, false, or a list of those")),
            }
        }
        Consequence { set: fields, goto }
    }

    fn checklist(&mut self, read: Vec<Spanned<SourceItem>>) -> Vec<CheckItem> {
        let mut items: Vec<CheckItem> = Vec::new();
        for item in read {
            let at = item.span().start;
            let SourceItem { id, text, required } = item.into_inner();
            if !is_id(&id) || items.iter().any(|other| other.id == id) {
                self.fault(at, format!("checklist id `{id}`: use letters, digits, `-` and `_`, each id once"));
            }
            items.push(CheckItem { id, text, required });
        }
        items
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 80 && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn json_of(value: &toml::Value) -> Option<Value> {
    match value {
        toml::Value::String(text) => Some(Value::from(text.as_str())),
        toml::Value::Integer(number) => Some(Value::from(*number)),
        toml::Value::Float(number) => Some(Value::from(*number)),
        toml::Value::Boolean(truth) => Some(Value::from(*truth)),
        toml::Value::Array(items) => items.iter().map(json_of).collect(),
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}
