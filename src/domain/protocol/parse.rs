//! TOML to [`Protocol`]: names become indices, and every fault has the line it stands on.

use std::collections::HashMap;

use serde_json::Value;
use toml::Spanned;

use super::source::{Source, SourceAnswer, SourceExample, SourceItem, SourceLabel, SourceQuestion};
use super::{
    Answer, CheckItem, Consequence, Example, Fault, LabelName, Protocol, Question, QuestionKind,
    condition, line_of, span,
};
use super::{REFERENCE, Reference};
use crate::domain::label::Outcome;

pub use super::source::LabelSource;

/// Most questions and labels that a protocol may have.
const QUESTIONS_MAX: usize = 1_000;
const LABELS_MAX: usize = 20_000;
/// Longest scale: each step is a key or a word to type.
const SCALE_MAX: i64 = 1_000;
/// Longest free text, in characters.
const TEXT_MAX: usize = 4_000;
/// Largest source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;

/// What `labels` in a source says, so that the caller can read the file it may name.
pub fn label_source(source: &str) -> Option<LabelSource> {
    #[derive(serde::Deserialize)]
    struct Only {
        labels: Option<LabelSource>,
    }
    toml::from_str::<Only>(source).ok()?.labels
}

/// Parses and checks a protocol. `labels` is what the file named by the source holds, if it names
/// one.
pub fn parse(source: &str, labels: Option<&str>) -> Result<Protocol, Vec<Fault>> {
    let protocol = read(source, labels, LabelName::of_name)?;
    sorted(super::check(&protocol), protocol)
}

/// Reads a protocol that was checked when it was published, without proving it again.
pub fn parse_published(source: &str, labels: Option<&str>) -> Result<Protocol, Vec<Fault>> {
    read(source, labels, LabelName::of_name)
}

/// The same for a protocol that is about to be published: what an author would want to know is a
/// fault too. What was published once is never refused for that.
pub fn parse_strictly(source: &str, labels: Option<&str>) -> Result<Protocol, Vec<Fault>> {
    let protocol = read(source, labels, LabelName::of_line)?;
    let mut faults = super::check(&protocol);
    if faults.is_empty() {
        faults = super::advice::strictly(&protocol);
    }
    sorted(faults, protocol)
}

fn sorted(mut faults: Vec<Fault>, protocol: Protocol) -> Result<Protocol, Vec<Fault>> {
    faults.sort();
    if faults.is_empty() { Ok(protocol) } else { Err(faults) }
}

fn read(
    source: &str,
    labels: Option<&str>,
    label: fn(&str) -> LabelName,
) -> Result<Protocol, Vec<Fault>> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(vec![Fault::new(1, "a protocol is at most 1 MiB")]);
    }
    let read: Source = toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
    if read.question.len() > QUESTIONS_MAX {
        let words =
            format!("{} questions; at most {QUESTIONS_MAX} are allowed", read.question.len());
        return Err(vec![Fault::new(1, words)]);
    }
    let mut reader = Reader { source, label, index: HashMap::new(), faults: Vec::new() };
    let protocol = reader.protocol(read, labels);
    sorted(reader.faults, protocol)
}

/// A TOML error in one line, with its place.
pub(crate) fn toml_fault(source: &str, error: &toml::de::Error) -> Fault {
    let line = error.span().map_or(1, |span| line_of(source, span.start));
    Fault::new(line, error.message().replace('\n', " "))
}

struct Reader<'s> {
    source: &'s str,
    /// How a line of a label file is read.
    label: fn(&str) -> LabelName,
    index: HashMap<String, usize>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, offset: usize, message: String) {
        self.faults.push(Fault::new(line_of(self.source, offset), message));
    }

    fn protocol(&mut self, read: Source, label_file: Option<&str>) -> Protocol {
        if !is_id(read.id.get_ref()) {
            self.fault(
                read.id.span().start,
                format!("id `{}`: use letters, digits, `-` and `_`", read.id.get_ref()),
            );
        }
        for (i, question) in read.question.iter().enumerate() {
            let id = &question.get_ref().id;
            if !is_id(id.get_ref()) {
                self.fault(
                    id.span().start,
                    format!("question id `{}`: use letters, digits, `-` and `_`", id.get_ref()),
                );
            }
            if self.index.insert(id.get_ref().clone(), i).is_some() {
                self.fault(
                    id.span().start,
                    format!("a second question `{}`: give it another id", id.get_ref()),
                );
            }
        }
        let labels = self.labels(read.labels, label_file);
        let start = self.find(&read.start).unwrap_or(0);
        let mut questions = Vec::with_capacity(read.question.len());
        let mut conditions = Vec::new();
        for (at, mut question) in read.question.into_iter().enumerate() {
            conditions.extend(question.get_mut().when.take().map(|when| (at, when)));
            questions.push(self.question(question));
        }
        for (at, when) in conditions {
            match condition::read(when.get_ref(), &self.index, &questions) {
                Ok(when) => questions[at].when = Some(when),
                Err(message) => self.fault(when.span().start, message),
            }
        }
        let rename = read.rename;
        let protocol = Protocol {
            id: read.id.into_inner(),
            title: read.title,
            start,
            labels,
            streams: read.streams,
            required: read.require.fields,
            questions,
            checklist: self.checklist(read.checklist),
            renames: rename.as_ref().map(|rename| rename.get_ref().clone()).unwrap_or_default(),
            source: self.source.to_owned(),
        };
        for message in protocol.renames.faults(&protocol) {
            self.fault(rename.as_ref().map_or(0, |rename| rename.span().start), message);
        }
        protocol
    }

    fn labels(&mut self, source: Option<LabelSource>, file: Option<&str>) -> Vec<LabelName> {
        let labels: Vec<LabelName> = match (source, file) {
            (None, _) => Vec::new(),
            (Some(LabelSource::List(labels)), _) => {
                let label = |label| match label {
                    SourceLabel::Name(name) => LabelName { name, title: String::new() },
                    SourceLabel::Titled { name, title } => LabelName { name, title },
                };
                labels.into_iter().map(label).collect()
            }
            (Some(LabelSource::File(_)), Some(text)) => {
                text.lines().filter(|line| !line.trim().is_empty()).map(self.label).collect()
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
        if let Some(twice) = labels.iter().find(|label| !seen.insert(label.name.as_str())) {
            self.fault(0, format!("the label `{}` stands twice", twice.name));
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
        let mut read = read.into_inner();
        let at = read.id.span().start;
        let goto = read.goto.take().and_then(|name| self.find(&name));
        let otherwise = match read.otherwise.take() {
            Some(name) => self.find(&name),
            None => goto,
        };
        let kind = self.kind(&mut read, at, goto);
        let examples = std::mem::take(&mut read.example).into_iter();
        let counters = std::mem::take(&mut read.counter_example);
        for (of, counter) in counters.iter().enumerate() {
            if counter.not.is_none() {
                let id = read.id.get_ref();
                self.fault(
                    at,
                    format!("counter-example {} of `{id}`: say which answer it is `not`", of + 1),
                );
            }
        }
        let examples = examples.chain(counters).map(|example| self.example(example, at)).collect();
        // Where all answers go on in one place, so does the path that passes the question over.
        let otherwise = otherwise.or_else(|| {
            let mut places = kind.consequences().map(|then| then.goto);
            let first = places.next().flatten();
            first.filter(|_| places.all(|place| place == first))
        });
        let (ask, help, terms, facts) = (read.ask, read.help, read.terms, read.facts);
        Question {
            id: read.id.into_inner(),
            ask,
            help,
            terms,
            facts,
            examples,
            kind,
            when: None,
            otherwise,
            line,
        }
    }

    fn kind(&mut self, read: &mut SourceQuestion, at: usize, goto: Option<usize>) -> QuestionKind {
        let id = read.id.get_ref().clone();
        let word = read.kind.as_ref().map_or("choice", |kind| kind.get_ref().as_str()).to_owned();
        let answers = std::mem::take(&mut read.answers);
        let takes_answers = matches!(word.as_str(), "choice" | "multi");
        if !takes_answers && !answers.is_empty() {
            self.fault(at, format!("`{id}` is of kind {word}: it takes no `answers`"));
        }
        if word == "choice" && (read.sets.is_some() || !read.set.is_empty()) {
            self.fault(at, format!("`{id}` is a choice: put `set` into its answers"));
        }
        let bounded = read.min.is_some() || read.max.is_some();
        if bounded && matches!(word.as_str(), "choice" | "label") {
            self.fault(at, format!("`{id}` is of kind {word}: it takes no `min` and `max`"));
        }
        let set = std::mem::take(&mut read.set);
        let then = Consequence { set: self.fields(&set, at), goto };
        let needs_sets = !takes_answers;
        let sets = read.sets.take();
        if needs_sets
            && sets.is_none()
            && matches!(word.as_str(), "label" | "scale" | "number" | "text" | "span")
        {
            self.fault(at, format!("`{id}` is of kind {word}: say the field it `sets`"));
        }
        let field = sets.clone().unwrap_or_default();
        match word.as_str() {
            "choice" => QuestionKind::Choice(self.answers(&id, at, answers, goto, false)),
            "multi" => {
                let answers = self.answers(&id, at, answers, None, true);
                let (least, most) = self.count(read, &id, at, 0, answers.len());
                QuestionKind::Multi { least, most: most.min(answers.len()), answers, sets, then }
            }
            "label" => QuestionKind::Label { sets: field, then },
            "scale" => {
                let (least, most) = self.bounds(read, &id, at, 1.0, 5.0);
                if least.fract() != 0.0 || most.fract() != 0.0 || most - least > SCALE_MAX as f64 {
                    self.fault(at, format!("`{id}`: a scale goes from one whole number to another, at most {SCALE_MAX} apart"));
                }
                let (low, high) = (std::mem::take(&mut read.low), std::mem::take(&mut read.high));
                QuestionKind::Scale {
                    least: least as i64,
                    most: most as i64,
                    low,
                    high,
                    sets: field,
                    then,
                }
            }
            "number" => {
                let (least, most) = self.bounds(read, &id, at, f64::MIN, f64::MAX);
                QuestionKind::Number {
                    least,
                    most,
                    unit: std::mem::take(&mut read.unit),
                    sets: field,
                    then,
                }
            }
            "text" => {
                let (least, most) = self.count(read, &id, at, 1, TEXT_MAX);
                QuestionKind::Text { least, most, sets: field, then }
            }
            "span" => {
                let (least, most) = self.count(read, &id, at, 1, span::SPANS_MAX);
                QuestionKind::Span { least, most, sets: field, then }
            }
            other => {
                let known = "use choice, multi, label, scale, number, text or span";
                self.fault(at, format!("kind `{other}` is not known here: {known}"));
                QuestionKind::Choice(Vec::new())
            }
        }
    }

    fn bounds(
        &mut self,
        read: &SourceQuestion,
        id: &str,
        at: usize,
        least: f64,
        most: f64,
    ) -> (f64, f64) {
        let mut bound = |value: &Option<toml::Value>, otherwise: f64| match value {
            None => otherwise,
            Some(value) => {
                let number = value
                    .as_float()
                    .or_else(|| value.as_integer().map(|n| n as f64))
                    .filter(|n| n.is_finite());
                number.unwrap_or_else(|| {
                    self.fault(at, format!("`{id}`: min and max are numbers"));
                    otherwise
                })
            }
        };
        let (least, most) = (bound(&read.min, least), bound(&read.max, most));
        if least >= most {
            self.fault(at, format!("`{id}`: min {least} is not below max {most}"));
            return (0.0, 1.0);
        }
        (least, most)
    }

    fn count(
        &mut self,
        read: &SourceQuestion,
        id: &str,
        at: usize,
        least: usize,
        most: usize,
    ) -> (usize, usize) {
        let mut bound = |value: &Option<toml::Value>, otherwise: usize| match value {
            None => otherwise,
            Some(value) => {
                value.as_integer().and_then(|n| usize::try_from(n).ok()).unwrap_or_else(|| {
                    self.fault(at, format!("`{id}`: min and max are whole numbers from 0"));
                    otherwise
                })
            }
        };
        let (least, limit) = (bound(&read.min, least), bound(&read.max, most));
        if least > limit || limit == 0 || limit > most {
            self.fault(at, format!("`{id}`: from min {least} to max {limit} there is nothing to answer (at most {most})"));
        }
        (least, limit.clamp(1, most.max(1)))
    }

    fn answers(
        &mut self,
        question: &str,
        at: usize,
        read: Vec<Spanned<SourceAnswer>>,
        goto: Option<usize>,
        several: bool,
    ) -> Vec<Answer> {
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
            if several && answer.key.contains([',', ' ']) {
                self.fault(
                    at,
                    format!("the key `{}` of `{question}`: no commas and spaces where several can be given", answer.key),
                );
            }
            if several && (answer.goto.is_some() || answer.end) {
                self.fault(
                    at,
                    format!("`{question}` takes several answers: `goto` stands on the question, and branches are `when`s"),
                );
            }
            if answer.end && answer.goto.is_some() {
                self.fault(
                    at,
                    format!("the answer `{}` of `{question}` both ends and goes on", answer.key),
                );
            }
            if let Some(other) = answers.iter().find(|other| other.key == answer.key) {
                let text = &other.text;
                self.fault(
                    at,
                    format!(
                        "`{question}` has two answers on the key `{}`: one is “{text}”",
                        answer.key
                    ),
                );
            }
            let own = answer.goto.as_ref().and_then(|name| self.find(name));
            let goto = if answer.end { None } else { own.or(goto) };
            let set = self.fields(&answer.set, at);
            answers.push(Answer {
                key: answer.key,
                text: answer.text,
                then: Consequence { set, goto },
            });
        }
        answers
    }

    fn fields(&mut self, set: &toml::Table, at: usize) -> Outcome {
        let mut fields = Outcome::new();
        for (field, value) in set {
            match json_of(value) {
                Some(Value::String(text)) if Reference::of_text(&text).is_some() => {
                    let reference =
                        serde_json::Map::from_iter([(REFERENCE.to_owned(), Value::String(text))]);
                    fields.insert(field.clone(), Value::Object(reference));
                }
                Some(value) => drop(fields.insert(field.clone(), value)),
                None => self.fault(
                    at,
                    format!(
                        "`set.{field}` must be a text, a number, true, false, or a list of those"
                    ),
                ),
            }
        }
        fields
    }

    fn example(&mut self, read: SourceExample, at: usize) -> Example {
        let outcome = self.fields(&read.outcome, at);
        let SourceExample { input, answer, not, why, path, .. } = read;
        Example { input, answer, not, why, path: path.into_iter().collect(), outcome }
    }

    fn checklist(&mut self, read: Vec<Spanned<SourceItem>>) -> Vec<CheckItem> {
        let mut items: Vec<CheckItem> = Vec::new();
        for item in read {
            let at = item.span().start;
            let SourceItem { id, text, required } = item.into_inner();
            if !is_id(&id) || items.iter().any(|other| other.id == id) {
                self.fault(
                    at,
                    format!("checklist id `{id}`: use letters, digits, `-` and `_`, each id once"),
                );
            }
            items.push(CheckItem { id, text, required });
        }
        items
    }
}

pub(crate) fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 80
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
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
