//! What a format finds in its records: a prediction in parts, and how others write inputs and answers.

use serde_json::{Map, Value, json};

use crate::domain::prediction::Reject;
use crate::domain::written;
use crate::format::numbers::number;
use crate::format::path::scalar;
use crate::format::times::{Times, Zone};

/// A prediction, not yet a line.
#[derive(Debug, Clone, Default)]
pub struct Case {
    pub id: Option<String>,
    pub at: Option<Value>,
    /// The zone of its time, where the format is known to mean one.
    pub zone: Option<Zone>,
    pub stream: Option<String>,
    pub trace_id: Option<String>,
    pub session_id: Option<String>,
    pub model: Option<String>,
    pub model_version: Option<String>,
    pub input: Map<String, Value>,
    pub answer: Option<Answer>,
    pub latency_ms: Option<Value>,
    /// What else the record says, by its own names.
    pub rest: Map<String, Value>,
    /// What stands in the record as it does in a line of ours: `prediction`, `model`.
    pub whole: Map<String, Value>,
}

/// What a model said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// None where what it said is no label: a vector, a long text.
    pub label: Option<String>,
    pub confidence: Option<Value>,
    pub top_k: Vec<(String, Value)>,
    /// The answer as it was written, where the label is not all of it.
    pub output: Option<Value>,
}

impl Case {
    /// The prediction as an object in our shape.
    ///
    /// # Errors
    /// What it lacks.
    pub fn into_line(self, times: &Times) -> Result<Map<String, Value>, Reject> {
        if self.id.as_ref().is_none_or(String::is_empty) {
            return Err(Reject::Missing("id"));
        }
        let at = match (times.zone, self.zone) {
            (None, Some(zone)) => {
                Times { zone: Some(zone), ..times.clone() }.read(self.at.as_ref())
            }
            _ => times.read(self.at.as_ref()),
        }?;
        Ok(Self { at: Some(Value::from(at)), ..self }.as_written())
    }

    /// The same with whatever it says of its time.
    pub fn as_written(self) -> Map<String, Value> {
        let mut line = Map::new();
        for (name, value) in [("id", self.id.map(Value::from)), ("occurred_at", self.at)] {
            line.extend(value.map(|value| (name.to_owned(), value)));
        }
        let mut put = |name: &str, text: Option<String>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                line.insert(name.to_owned(), Value::from(text));
            }
        };
        put("stream", self.stream);
        put("trace_id", self.trace_id);
        if self.model.is_some() || self.model_version.is_some() {
            let mut model = Map::new();
            let parts = [("name", self.model), ("version", self.model_version)];
            for (name, text) in parts {
                if let Some(text) = text {
                    model.insert(name.to_owned(), Value::from(text));
                }
            }
            line.insert("model".to_owned(), Value::Object(model));
        }
        let mut input = self.input;
        if let Some(session) = self.session_id.filter(|session| !session.is_empty()) {
            input.entry("session_id").or_insert(Value::from(session));
        }
        line.insert("input".to_owned(), Value::Object(input));
        let (prediction, output) = match self.answer {
            Some(answer) => answer.into_json(),
            None => (Value::Null, None),
        };
        line.insert("prediction".to_owned(), prediction);
        if let Some(output) = output {
            line.insert("output".to_owned(), output);
        }
        if let Some(latency) = self.latency_ms.filter(Value::is_number) {
            line.insert("latency_ms".to_owned(), latency);
        }
        for (name, value) in self.rest {
            if !value.is_null() {
                line.entry(name).or_insert(value);
            }
        }
        line.extend(self.whole);
        line
    }
}

impl Answer {
    /// As `prediction`, and what else was said.
    pub fn into_json(self) -> (Value, Option<Value>) {
        let Some(label) = self.label else { return (Value::Null, self.output) };
        let mut prediction = Map::new();
        prediction.insert("label".to_owned(), Value::from(label));
        if let Some(confidence) = self.confidence {
            prediction.insert("confidence".to_owned(), confidence);
        }
        if !self.top_k.is_empty() {
            let top: Vec<Value> = self
                .top_k
                .into_iter()
                .map(|(label, p)| json!({ "label": label, "p": p }))
                .collect();
            prediction.insert("top_k".to_owned(), Value::Array(top));
        }
        (Value::Object(prediction), self.output)
    }

    /// The answer that candidates give, the best first.
    pub fn of_candidates(mut candidates: Vec<(String, Value)>) -> Self {
        let p = |value: &Value| value.as_f64().unwrap_or(f64::NEG_INFINITY);
        candidates.sort_by(|a, b| p(&b.1).total_cmp(&p(&a.1)));
        let best = candidates.first().cloned();
        Self {
            label: best.as_ref().map(|(label, _)| label.clone()),
            confidence: best.map(|(_, p)| p).filter(Value::is_number),
            top_k: candidates,
            output: None,
        }
    }

    /// The answer that a piece of JSON is, whichever of the common forms it has; none where it is
    /// nothing.
    pub fn of_json(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            // A model that says nothing gave no answer.
            Value::String(text) if text.is_empty() => None,
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {
                Some(Self { label: Some(scalar(value).into_owned()), ..Self::default() })
            }
            Value::Array(list) => match list.as_slice() {
                [] => None,
                [one] => Self::of_json(one),
                _ => {
                    let candidates: Option<Vec<_>> = list.iter().map(candidate).collect();
                    Some(candidates.map_or_else(
                        || Self { output: Some(value.clone()), ..Self::default() },
                        Self::of_candidates,
                    ))
                }
            },
            Value::Object(object) => Some(Self::of_object(object)),
        }
    }

    fn of_object(object: &Map<String, Value>) -> Self {
        if let (Some(Value::Array(names)), Some(Value::Array(ps))) =
            (object.get("displayNames"), object.get("confidences"))
        {
            let pairs = names.iter().map(|name| scalar(name).into_owned()).zip(ps.iter().cloned());
            return Self::of_candidates(pairs.collect());
        }
        if let Some(choice) = object.get("choices").and_then(|list| list.get(0)) {
            return Self::of_choice(choice);
        }
        // What LangChain's models answer, of which the first counts.
        if let Some(first) = object.get("generations").map(|list| &list[0][0])
            && let Some(text) = first["text"].as_str()
        {
            let output = Some(Value::Object(object.clone()));
            return Self { label: Some(text.to_owned()), output, ..Self::default() };
        }
        if let Some(Value::String(text)) = object.get("content") {
            return Self { label: Some(text.clone()), ..Self::default() };
        }
        if let Some(list @ Value::Array(items)) =
            object.get("predictions").or_else(|| object.get("outputs"))
            && items.len() == 1
        {
            return Self::of_json(list).unwrap_or_default();
        }
        if let Some(scores) = scores(object) {
            return Self::of_candidates(scores);
        }
        let confidence = CONFIDENCES
            .iter()
            .find_map(|name| object.get(*name))
            .and_then(|value| number(&scalar(value)));
        let named = LABELS.iter().find_map(|name| object.get(*name));
        let label = match named {
            Some(Value::Array(_) | Value::Object(_)) => {
                return Self {
                    confidence,
                    ..Self::of_json(named.unwrap_or(&Value::Null)).unwrap_or_default()
                };
            }
            Some(value) => (!value.is_null()).then(|| scalar(value).into_owned()),
            None => {
                // The one field that is not how sure it is.
                let others: Vec<&Value> = object
                    .iter()
                    .filter(|(name, value)| {
                        !CONFIDENCES.contains(&name.as_str()) && !value.is_null()
                    })
                    .map(|(_, value)| value)
                    .collect();
                match others.as_slice() {
                    [one] if !one.is_array() && !one.is_object() => Some(scalar(one).into_owned()),
                    _ => None,
                }
            }
        };
        let plain = label.is_some() && object.len() <= 1 + usize::from(confidence.is_some());
        let output = (!plain).then(|| Value::Object(object.clone()));
        Self { label, confidence, top_k: Vec::new(), output }
    }

    /// What a model answered as OpenAI's responses have it: a list of what it did, among it messages.
    pub fn of_response(output: &Value) -> Self {
        let items = output.as_array().map(Vec::as_slice).unwrap_or_default();
        let parts = items.iter().filter(|item| item["type"] == "message");
        let parts = parts.flat_map(|item| item["content"].as_array().into_iter().flatten());
        let texts: Vec<&str> = parts.filter_map(|part| part["text"].as_str()).collect();
        let label = (!texts.is_empty()).then(|| texts.join("\n"));
        let plain = items.len() == 1 && texts.len() == 1;
        Self { label, output: (!plain).then(|| output.clone()), ..Self::default() }
    }

    /// What a chat model answered: its text, how sure it is where that is one token.
    pub fn of_choice(choice: &Value) -> Self {
        let message = &choice["message"];
        let label = message["content"].as_str().map(str::to_owned);
        let tokens = choice["logprobs"]["content"].as_array();
        let confidence = tokens
            .filter(|tokens| tokens.len() == 1)
            .and_then(|tokens| tokens[0]["logprob"].as_f64())
            .map(|logprob| json!((logprob.exp() * 1e6).round() / 1e6));
        let output = label.is_none().then(|| choice.clone());
        Self { label, confidence, top_k: Vec::new(), output }
    }
}

const LABELS: [&str; 9] = [
    "label",
    "prediction",
    "predicted_label",
    "class",
    "intent",
    "category",
    "displayName",
    "predictedLabel",
    "output",
];
const CONFIDENCES: [&str; 6] = ["confidence", "score", "probability", "prob", "p", "proba"];

/// Labels with a score each, where an object is nothing else.
fn scores(object: &Map<String, Value>) -> Option<Vec<(String, Value)>> {
    let is_known =
        |name: &String| LABELS.contains(&name.as_str()) || CONFIDENCES.contains(&name.as_str());
    let is_share = |value: &Value| value.as_f64().is_some_and(|p| (0.0..=1.0).contains(&p));
    let all =
        object.len() > 1 && object.iter().all(|(name, value)| !is_known(name) && is_share(value));
    all.then(|| object.iter().map(|(name, p)| (name.clone(), p.clone())).collect())
}

fn candidate(value: &Value) -> Option<(String, Value)> {
    let object = value.as_object()?;
    let label = LABELS.iter().find_map(|name| object.get(*name))?;
    let p = CONFIDENCES.iter().find_map(|name| object.get(*name))?;
    Some((scalar(label).into_owned(), number(&scalar(p))?))
}

/// An input as an object: a text is `text`, a list of numbers `values`.
pub fn input_of(value: &Value) -> Map<String, Value> {
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    match value {
        Value::Object(object) => {
            let mut input = object.clone();
            // A list of chats with one chat in it.
            if let Some(Value::Array(chats)) = input.get("messages") {
                let chat = match chats.as_slice() {
                    [Value::Array(chat)] => chat.clone(),
                    _ => chats.clone(),
                };
                let chat = chat.into_iter().map(unserialized).collect();
                input.insert("messages".to_owned(), Value::Array(chat));
            }
            if !input.contains_key("text")
                && let Some(text) = input.get("messages").and_then(said)
            {
                input.insert("text".to_owned(), Value::from(text));
            }
            input
        }
        Value::String(text) => one("text", Value::from(text.as_str())),
        Value::Array(list)
            if list.iter().all(|item| item.get("role").is_some()) && !list.is_empty() =>
        {
            let mut input = one("messages", value.clone());
            if let Some(text) = said(value) {
                input.insert("text".to_owned(), Value::from(text));
            }
            input
        }
        Value::Null => Map::new(),
        other => one("values", other.clone()),
    }
}

/// A message as LangChain writes it when it writes objects: the class it is of says who speaks.
fn unserialized(message: Value) -> Value {
    let of = &message["kwargs"];
    let class = message["id"].as_array().and_then(|path| path.last()).and_then(Value::as_str);
    let role = match class {
        Some("HumanMessage" | "HumanMessageChunk") => "user",
        Some("AIMessage" | "AIMessageChunk") => "assistant",
        Some("SystemMessage") => "system",
        Some("ToolMessage") => "tool",
        _ => return message,
    };
    let Some(said) = of.as_object().filter(|said| said.contains_key("content")) else {
        return message;
    };
    let mut turn = Map::from_iter([("role".to_owned(), Value::from(role))]);
    turn.extend(
        said.iter().filter(|(name, _)| *name != "type").map(|(n, v)| (n.clone(), v.clone())),
    );
    Value::Object(turn)
}

/// What the person said last in a chat.
fn said(messages: &Value) -> Option<String> {
    let last = messages.as_array()?.iter().rev().find(|message| message["role"] == "user")?;
    match &last["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            (!texts.is_empty()).then(|| texts.join("\n"))
        }
        _ => None,
    }
}

/// The inputs of one request to a model that is served: `dataframe_split`, `dataframe_records`,
/// `instances`, `inputs`, a chat, or one input by itself.
pub fn inputs_of(request: &Value) -> Vec<Map<String, Value>> {
    let each = |list: &[Value]| list.iter().map(input_of).collect();
    if let Some(split) = request.get("dataframe_split") {
        let columns: Vec<&str> =
            split["columns"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let rows = split["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let row = |row: &Value| {
            let cells = row.as_array().into_iter().flatten().cloned();
            columns.iter().map(|name| (*name).to_owned()).zip(cells).collect()
        };
        return rows.iter().map(row).collect();
    }
    for name in ["dataframe_records", "instances"] {
        if let Some(Value::Array(rows)) = request.get(name) {
            return each(rows);
        }
    }
    match request.get("inputs") {
        Some(Value::Array(tensors)) if are_tensors(tensors) => {
            let mut rows = rows_of_tensors(tensors);
            rows.iter_mut().for_each(named_text);
            rows
        }
        Some(Value::Array(rows)) => each(rows),
        Some(Value::Object(columns))
            if columns.values().all(Value::is_array) && !columns.is_empty() =>
        {
            let rows =
                columns.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
            let row = |at: usize| {
                columns
                    .iter()
                    .filter_map(|(name, list)| Some((name.clone(), list.get(at)?.clone())))
                    .collect()
            };
            (0..rows).map(row).collect()
        }
        Some(other) => vec![input_of(other)],
        None => match request {
            Value::Array(rows) if rows.iter().all(|row| row.get("role").is_none()) => each(rows),
            other => vec![input_of(other)],
        },
    }
}

/// Whether a list is of tensors as version 2 of the inference protocol has them.
fn are_tensors(list: &[Value]) -> bool {
    let is_tensor =
        |one: &Value| one["name"].is_string() && one["shape"].is_array() && one["data"].is_array();
    !list.is_empty() && list.iter().all(is_tensor)
}

/// The rows that tensors hold: what each has at a place of its first dimension, under its name.
fn rows_of_tensors(tensors: &[Value]) -> Vec<Map<String, Value>> {
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for tensor in tensors {
        let data = tensor["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let first = tensor["shape"][0].as_u64().unwrap_or(0) as usize;
        // As a flat list, or as lists in lists.
        let each = if data.len() > first && first > 0 { data.len() / first } else { 1 };
        for (at, part) in data.chunks(each.max(1)).enumerate() {
            let value = match part {
                [Value::Array(one)] if one.len() == 1 => one[0].clone(),
                [one] => one.clone(),
                several => Value::Array(several.to_vec()),
            };
            if rows.len() <= at {
                rows.push(Map::new());
            }
            rows[at].insert(tensor["name"].as_str().unwrap_or_default().to_owned(), value);
        }
    }
    rows
}

/// The only text of an input is its text, however it is called.
fn named_text(input: &mut Map<String, Value>) {
    let mut texts = input.values().filter(|value| value.is_string());
    if let (Some(text), None, false) =
        (texts.next().cloned(), texts.next(), input.contains_key("text"))
    {
        input.insert("text".to_owned(), text);
    }
}

/// The answers of one response.
pub fn answers_of(response: &Value) -> Vec<Option<Answer>> {
    if let Some(Value::Array(tensors)) = response.get("outputs")
        && are_tensors(tensors)
    {
        let rows = rows_of_tensors(tensors).into_iter();
        return rows.map(|row| Answer::of_json(&Value::Object(row))).collect();
    }
    match response.get("predictions").or_else(|| response.get("outputs")) {
        Some(Value::Array(list)) => list.iter().map(Answer::of_json).collect(),
        Some(other) => vec![Answer::of_json(other)],
        None => match response {
            Value::Array(list) => list.iter().map(Answer::of_json).collect(),
            Value::Null => Vec::new(),
            other => vec![Answer::of_json(other)],
        },
    }
}

/// The cases of a request with several inputs: `ID#0`, `ID#1`, …; of one with one input the id itself.
pub fn cases_of(
    id: &str,
    inputs: Vec<Map<String, Value>>,
    mut answers: Vec<Option<Answer>>,
    like: &Case,
) -> Vec<Case> {
    answers.resize_with(inputs.len().max(answers.len()), || None);
    let several = inputs.len() > 1;
    let each = |(n, (input, answer)): (usize, (Map<String, Value>, Option<Answer>))| Case {
        id: Some(if several { format!("{id}#{n}") } else { id.to_owned() }),
        input,
        answer,
        ..like.clone()
    };
    inputs.into_iter().zip(answers).enumerate().map(each).collect()
}

/// A text that holds JSON, or any other value as it is.
pub fn unwrapped(value: &Value) -> Value {
    match value {
        Value::String(text) => written::read(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    }
}

/// A field, or null where there is none.
pub fn field<'r>(record: &'r Map<String, Value>, name: &str) -> &'r Value {
    record.get(name).unwrap_or(&Value::Null)
}

/// A field as a text, if it has one that is not empty.
pub fn text_of(object: &Map<String, Value>, name: &str) -> Option<String> {
    let value = object.get(name).filter(|value| !value.is_null())?;
    Some(scalar(value).into_owned()).filter(|text| !text.is_empty())
}

/// The trace that a `traceparent` header names.
pub fn trace_of_parent(parent: &str) -> Option<String> {
    let trace = parent.split('-').nth(1)?;
    (trace.len() == 32).then(|| trace.to_owned())
}
