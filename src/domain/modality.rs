//! What a line is made of, in the order in which it is read: texts, conversations, two answers side
//! by side, tables, attachments, and trees of whatever else there is. Every field is in exactly one
//! part, and nothing of it is cut.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::answers::{ANSWERS, is_answer, other_answer};
use super::attachment::Attachment;
use super::chat::{self, Block, Turn};
use super::mail::{Mail, Piece};
use super::prediction::{Scored, scalar};
use super::written;

/// Pairs of fields in an order that says something: what was preferred, a text before and after.
const IN_ORDER: &[(&str, &str)] = &[("chosen", "rejected"), ("before", "after"), ("old", "new")];
/// Fields that hold a mail, where what they hold is one.
const MAILS: &[&str] = &["email", "eml", "mail", "mime", "raw_email", "message_rfc822"];
/// From so many characters, or lines, on a text has a part of its own.
const SHORT: usize = 80;

/// A field, or some that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Where it stands in the line: `input.text`, `output`.
    pub name: String,
    pub shape: Shape,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Text(String),
    /// A program, or a piece of one, in a language that the line or the field's name says.
    Code {
        language: String,
        text: String,
    },
    Chat(Vec<Turn>),
    /// Two texts, each with the field it stands in.
    Pair([(String, String); 2]),
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Attached(Attachment),
    Mail(Mail),
    /// Anything else, as it stands.
    Tree(Value),
}

/// What a field is said to be, whatever it looks like: `[view]` in config.toml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    Text,
    /// A text that is JSON: its tree, or the shape that this has.
    Json,
    Csv,
    Mail,
    /// Code in a language.
    Code(String),
}

impl View {
    pub fn of_word(word: &str) -> Self {
        match word {
            "text" => Self::Text,
            "json" => Self::Json,
            "csv" => Self::Csv,
            "email" | "mail" => Self::Mail,
            language => Self::Code(language.to_owned()),
        }
    }

    /// A text in this view; none where it is not that.
    fn shape(&self, name: &str, text: &str) -> Option<Shape> {
        match self {
            Self::Text => Some(Shape::Text(text.to_owned())),
            Self::Json => {
                let value = written::read(text).ok()?;
                Some(part(String::new(), name, &value).shape)
            }
            Self::Csv => table_of_csv(text),
            Self::Mail => Mail::read(text).map(Shape::Mail),
            Self::Code(language) => {
                Some(Shape::Code { language: language.clone(), text: text.to_owned() })
            }
        }
    }
}

/// Records of a text with commas, each as long as the first.
fn table_of_csv(text: &str) -> Option<Shape> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for record in reader.records() {
        rows.push(record.ok()?.iter().map(str::to_owned).collect());
    }
    let rest = rows.split_off(rows.len().min(1));
    let columns = rows.pop().filter(|columns| columns.len() >= 2)?;
    (!rest.is_empty()).then_some(Shape::Table { columns, rows: rest })
}

/// Whether a field of a line is shown in a place of its own: what [`super::prediction::Prediction`] reads.
fn is_apart(name: &str, value: &Value) -> bool {
    match name {
        "id" => scalar(value).is_some(),
        "feature_importance" => all_scored(value, "feature", "weight"),
        _ => false,
    }
}

/// Whether a field of what a model said is.
fn is_said_apart(name: &str, value: &Value) -> bool {
    match name {
        "label" => scalar(value).is_some(),
        "confidence" => value.is_number() || value.is_null(),
        "top_k" => all_scored(value, "label", "p"),
        _ => false,
    }
}

/// Whether a list is of names with a number each and of nothing else.
fn all_scored(value: &Value, name: &str, number: &str) -> bool {
    let is_scored = |item: &Value| {
        Scored::read(item, name, number).is_some()
            && item.as_object().is_some_and(|object| object.len() == 2)
    };
    value.as_array().is_some_and(|list| list.iter().all(is_scored))
}

/// What the words that a model is called by leave of what is said of it.
fn more_of_model(name: &str, model: &Value, parts: &mut Vec<Part>) {
    match model {
        Value::Object(object) => {
            let mut more = object.clone();
            more.retain(|name, value| {
                !(["name", "version"].contains(&name.as_str()) && scalar(value).is_some())
            });
            of_object(name, &more, parts);
        }
        plain if scalar(plain).is_some() => {}
        other => parts.push(part(name.to_owned(), "model", other)),
    }
}

/// The parts of a line where some of its fields are said to be something.
pub fn parts_viewed(
    line: &Value,
    may: impl Fn(&str) -> bool,
    views: &BTreeMap<String, View>,
) -> Vec<Part> {
    let mut parts = parts(line, may);
    for part in &mut parts {
        let text = match &part.shape {
            Shape::Text(text) | Shape::Code { text, .. } | Shape::Tree(Value::String(text)) => text,
            Shape::Mail(mail) => &mail.source,
            _ => continue,
        };
        let name = part.name.rsplit('.').next().unwrap_or_default();
        if let Some(shape) = views.get(&part.name).and_then(|view| view.shape(name, text)) {
            part.shape = shape;
        }
    }
    parts
}

/// All that a line holds beside what is shown apart, of the fields that `may` be shown.
pub fn parts(line: &Value, may: impl Fn(&str) -> bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let fields = line.as_object().into_iter().flatten();
    for (name, value) in fields.filter(|(name, value)| !is_apart(name, value) && may(name)) {
        match (name.as_str(), value) {
            ("model", model) => more_of_model(name, model, &mut parts),
            ("prediction" | "challenger", Value::Object(said)) => {
                let mut more = said.clone();
                let label = said.get("label").and_then(scalar);
                // What a challenger without a label said is told nowhere else.
                if name == "prediction" || label.is_some() {
                    more.retain(|name, value| !is_said_apart(name, value));
                }
                let model = match name.as_str() {
                    "challenger" if label.is_some() => more.shift_remove("model"),
                    _ => None,
                };
                of_object(name, &more, &mut parts);
                if let Some(model) = model {
                    more_of_model("challenger.model", &model, &mut parts);
                }
            }
            // It is said in its place that there is none.
            ("prediction", Value::Null) => {}
            ("input" | "output" | "context", Value::Object(object)) if !object.is_empty() => {
                of_object(name, object, &mut parts);
            }
            _ => with_rest(name.clone(), name, value, &mut parts),
        }
    }
    // The text that a case is called by is read first, then what else the model was given.
    parts.sort_by_key(|part| match part.name.as_str() {
        "input.text" => 0,
        name if name.starts_with("input") => 1,
        _ => 2,
    });
    parts
}

/// The texts in which places can be marked, each with its name, in the order in which they are read.
pub fn texts(parts: &[Part]) -> Vec<(String, &str)> {
    let mut texts = Vec::new();
    for Part { name, shape } in parts {
        match shape {
            Shape::Text(text) | Shape::Code { text, .. } => {
                texts.push((name.clone(), text.as_str()))
            }
            Shape::Chat(turns) => {
                for (turn, said) in turns.iter().enumerate() {
                    for (block, what) in said.blocks.iter().enumerate() {
                        let name = name_of_block(name, turn, block);
                        match what {
                            Block::Text(text) | Block::Thinking(text) | Block::Result(text) => {
                                texts.push((name, text));
                            }
                            Block::Call { arguments, .. } => texts.push((name, arguments)),
                            Block::Other(value) => of_tree(&name, value, &mut texts),
                            Block::Attached(_) => {}
                        }
                    }
                }
            }
            Shape::Pair(pair) => {
                texts.extend(pair.iter().map(|(name, text)| (name.clone(), text.as_str())))
            }
            Shape::Mail(mail) => {
                for (at, piece) in mail.pieces.iter().enumerate() {
                    if let Piece::Text(text) | Piece::Page(text) = piece {
                        texts.push((name_in_tree(name, Err(at)), text.as_str()));
                    }
                }
            }
            Shape::Tree(value) => of_tree(name, value, &mut texts),
            Shape::Table { .. } | Shape::Attached(_) => {}
        }
    }
    texts
}

/// What the text of a piece of a turn is called, both counted from 0: `input.messages[4]`.
pub fn name_of_block(field: &str, turn: usize, block: usize) -> String {
    match block {
        0 => format!("{field}[{}]", turn + 1),
        _ => format!("{field}[{}/{}]", turn + 1, block + 1),
    }
}

/// What a text in a tree is called; items of a list are counted from 0 here, from 1 in the name.
pub fn name_in_tree(above: &str, at: Result<&str, usize>) -> String {
    match at {
        Ok(key) => format!("{above}.{key}"),
        Err(item) => format!("{above}[{}]", item + 1),
    }
}

fn of_tree<'v>(name: &str, value: &'v Value, texts: &mut Vec<(String, &'v str)>) {
    match value {
        Value::String(text) => texts.push((name.to_owned(), text)),
        Value::Array(_) if is_inline(value) => {}
        Value::Array(list) => {
            for (at, item) in list.iter().enumerate() {
                of_tree(&name_in_tree(name, Err(at)), item, texts);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                of_tree(&name_in_tree(name, Ok(key)), item, texts);
            }
        }
        _ => {}
    }
}

/// A list of short plain things, or an empty container, stands in one row up to so many bytes.
const INLINE: usize = 60;

/// Whether a value stands in one row as JSON has it.
pub fn is_inline(value: &Value) -> bool {
    let plain = match value {
        Value::Array(list) => list.iter().all(|item| !item.is_array() && !item.is_object()),
        Value::Object(object) => object.is_empty(),
        _ => true,
    };
    plain && value.to_string().len() <= INLINE
}

/// The attachments in some parts, each with what it is called: its field, or the piece of a turn.
pub fn named_attachments(parts: &[Part]) -> Vec<(String, Attachment)> {
    let mut found = Vec::new();
    for Part { name, shape } in parts {
        match shape {
            Shape::Attached(attached) => found.push((name.clone(), attached.clone())),
            Shape::Mail(mail) => {
                for (at, piece) in mail.pieces.iter().enumerate() {
                    if let Piece::Other { media_type, bytes, .. } = piece {
                        let data = Attachment::of_bytes(media_type, bytes.clone());
                        found.push((name_in_tree(name, Err(at)), data));
                    }
                }
            }
            Shape::Chat(turns) => {
                for (turn, said) in turns.iter().enumerate() {
                    for (block, what) in said.blocks.iter().enumerate() {
                        if let Block::Attached(attached) = what {
                            found.push((name_of_block(name, turn, block), attached.clone()));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The attachments in some parts.
pub fn attached(parts: &mut [Part]) -> Vec<&mut Attachment> {
    let mut found = Vec::new();
    for part in parts {
        match &mut part.shape {
            Shape::Attached(attached) => found.push(attached),
            Shape::Chat(turns) => {
                let blocks = turns.iter_mut().flat_map(|turn| &mut turn.blocks);
                found.extend(blocks.filter_map(|block| match block {
                    Block::Attached(attached) => Some(attached),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    found
}

/// What tells a case from others in a list: the text of its input, what a conversation's user said
/// last, the first text there is, or else the input as it stands.
pub fn glance(line: &Value) -> String {
    let input = &line["input"];
    if let Some(text) = scalar(&input["text"]) {
        return text;
    }
    let parts = parts(line, |name| name == "input");
    let is_chat = |part: &&Part| matches!(part.shape, Shape::Chat(_));
    let (chats, others): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(is_chat);
    let words = chats.into_iter().chain(others).find_map(|part| match &part.shape {
        Shape::Chat(turns) => {
            let of_user = turns.iter().rev().filter(|turn| turn.is_of_user());
            of_user.chain(turns.last()).map(Turn::text).find(|text| !text.trim().is_empty())
        }
        Shape::Text(text) | Shape::Code { text, .. } | Shape::Tree(Value::String(text)) => {
            Some(text.clone())
        }
        Shape::Pair([(_, text), _]) => Some(text.clone()),
        Shape::Attached(attached) => Some(attached.facts().0),
        Shape::Mail(mail) => Some(mail.glance()),
        _ => None,
    });
    words.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| input.to_string())
}

/// The fields of an object, each as a part.
fn of_object(path: &str, object: &Map<String, Value>, parts: &mut Vec<Part>) {
    if let Some(table) = table_of_columns(object) {
        parts.push(Part { name: path.to_owned(), shape: table });
        return;
    }
    let mut paired = Vec::new();
    for (name, value) in object {
        if paired.contains(name) {
            continue;
        }
        let full = format!("{path}.{name}");
        if let Some((other, two)) = pair_of_chats(path, name, value, object) {
            parts.extend(two);
            paired.push(other);
        } else if let Some((other, pair)) = pair_of(path, name, value, object) {
            parts.push(Part { name: full, shape: pair });
            paired.push(other);
        } else if let (Some(language), Value::String(text)) = (language_of(name, object), value) {
            parts.push(Part { name: full, shape: Shape::Code { language, text: text.clone() } });
        } else {
            with_rest(full, name, value, parts);
        }
    }
}

/// The language of a field that holds code: what its name says, or what `language` beside it does.
fn language_of(name: &str, object: &Map<String, Value>) -> Option<String> {
    match name {
        "sql" | "json" | "html" | "xml" | "yaml" | "diff" | "markdown" => Some(name.to_owned()),
        "patch" => Some("diff".to_owned()),
        "code" | "source_code" | "snippet" | "program" => {
            Some(scalar(object.get("language").unwrap_or(&Value::Null)).unwrap_or_default())
        }
        _ => None,
    }
}

fn part(full: String, name: &str, value: &Value) -> Part {
    let attached = Attachment::of(value).map(Shape::Attached);
    let shape = attached.or_else(|| conversation(name, value));
    Part { name: full, shape: shape.unwrap_or_else(|| of_value(name, value)) }
}

fn conversation(name: &str, value: &Value) -> Option<Shape> {
    let turns = chat::turns(name, value).or_else(|| Some(vec![chat::message(value)?]));
    turns.map(Shape::Chat)
}

/// The shape of what is neither attached nor a conversation.
fn of_value(name: &str, value: &Value) -> Shape {
    if let Some(table) = table_of_records(value) {
        return table;
    }
    match value {
        Value::String(text) if MAILS.contains(&name) => {
            Mail::read(text).map_or_else(|| Shape::Text(text.clone()), Shape::Mail)
        }
        Value::String(text) if name == "csv" => {
            table_of_csv(text).unwrap_or_else(|| Shape::Text(text.clone()))
        }
        Value::String(text) if name == "text" || !is_short(text) => Shape::Text(text.clone()),
        other => Shape::Tree(other.clone()),
    }
}

/// Whether a value is an attachment, or one stands in it.
fn holds_attachment(value: &Value) -> bool {
    let below = match value {
        Value::Array(list) => list.iter().any(holds_attachment),
        Value::Object(object) => object.values().any(holds_attachment),
        _ => false,
    };
    below || Attachment::with_rest(value).is_some()
}

/// A field as a part, and what else stands in an attachment as parts behind it.
fn with_rest(full: String, name: &str, value: &Value, parts: &mut Vec<Part>) {
    if let Some((attached, rest)) = Attachment::with_rest(value) {
        parts.push(Part { name: full.clone(), shape: Shape::Attached(attached) });
        for (key, value) in rest {
            with_rest(name_in_tree(&full, Ok(&key)), &key, &value, parts);
        }
        return;
    }
    let chat = conversation(name, value);
    // What is attached anywhere below is a part of its own, and so is all beside it.
    let items: Vec<(String, &str, &Value)> = match value {
        Value::Array(list) if chat.is_none() => {
            let item = |(at, item)| (name_in_tree(&full, Err(at)), name, item);
            list.iter().enumerate().map(item).collect()
        }
        Value::Object(object) if chat.is_none() => {
            let fields = object.iter();
            fields.map(|(key, item)| (name_in_tree(&full, Ok(key)), key.as_str(), item)).collect()
        }
        _ => Vec::new(),
    };
    if items.iter().any(|(.., item)| holds_attachment(item)) {
        items.into_iter().for_each(|(full, name, item)| with_rest(full, name, item, parts));
        return;
    }
    parts.push(Part { name: full, shape: chat.unwrap_or_else(|| of_value(name, value)) });
}

/// Whether a text can stand in one row behind its name.
pub fn is_short(text: &str) -> bool {
    text.len() <= SHORT && !text.contains(['\n', '\r'])
}

/// Two conversations that are the same up to their last turn, an answer in each: what was said before,
/// and the two answers; with the name of the field of the second.
fn pair_of_chats(
    path: &str,
    name: &str,
    value: &Value,
    object: &Map<String, Value>,
) -> Option<(String, Vec<Part>)> {
    let (one, two) =
        ANSWERS.iter().chain(IN_ORDER).find(|(one, two)| name == *one || name == *two)?;
    let other = if name == *one { *two } else { *one };
    let (left, right) = (value.as_array()?, object.get(other)?.as_array()?);
    let (before, same) = (left.split_last()?.1, right.split_last()?.1);
    if before != same {
        return None;
    }
    let [field, with] = [format!("{path}.{name}"), format!("{path}.{other}")];
    let mut turns = [chat::turns("messages", value)?, chat::turns("messages", object.get(other)?)?];
    let [left, right] = turns.each_mut().map(Vec::pop);
    let called = |field: &str| name_of_block(field, before.len(), 0);
    let pair = [(called(&field), left?.only_answer()?), (called(&with), right?.only_answer()?)];
    let [before, _] = turns;
    let before = (!before.is_empty()).then(|| Part { name: field, shape: Shape::Chat(before) });
    let pair = Part { name: called(&format!("{path}.{name}")), shape: Shape::Pair(pair) };
    Some((other.to_owned(), before.into_iter().chain([pair]).collect()))
}

/// The pair that a field is the first of, with the name of the second.
fn pair_of(
    path: &str,
    name: &str,
    value: &Value,
    object: &Map<String, Value>,
) -> Option<(String, Shape)> {
    let text = |value: &Value| match chat::message(value) {
        Some(turn) => turn.only_answer(),
        None => value.as_str().map(str::to_owned),
    };
    let found = |(one, two): &(&str, &str)| -> Option<(String, Shape)> {
        let other = if name == *one { *two } else { (name == *two).then_some(*one)? };
        let pair = [
            (format!("{path}.{name}"), text(value)?),
            (format!("{path}.{other}"), text(object.get(other)?)?),
        ];
        Some((other.to_owned(), Shape::Pair(pair)))
    };
    ANSWERS.iter().chain(IN_ORDER).find_map(found)
}

/// Lays each two answers in the order that a coin says, which is given the one of their fields whose
/// name comes first: true, and the other one stands first. Returns the fields that stand first then.
pub fn order_answers(parts: &mut [Part], coin: impl Fn(&str) -> bool) -> Vec<String> {
    let mut first = Vec::new();
    for part in &mut *parts {
        let Shape::Pair(pair) = &mut part.shape else { continue };
        if !is_answer(&pair[0].0) {
            continue;
        }
        // The coin is of the two, however the line has them.
        let of = pair.iter().map(|(name, _)| name.as_str()).min().unwrap_or_default();
        let (turn, as_written) = (coin(of), of == pair[0].0);
        if turn == as_written {
            pair.swap(0, 1);
        }
        first.push(pair[0].0.clone());
    }
    // Two that are no texts stand one after the other.
    for at in 0..parts.len() {
        let Some(other) = other_answer(&parts[at].name) else { continue };
        let Some(then) = (at + 1..parts.len()).find(|then| parts[*then].name == other) else {
            continue;
        };
        let of = parts[at].name.as_str().min(&other);
        if coin(of) == (of == parts[at].name) {
            parts.swap(at, then);
        }
        first.push(parts[at].name.clone());
    }
    first
}

/// Records of one shape.
fn table_of_records(value: &Value) -> Option<Shape> {
    let list = value.as_array().filter(|list| list.len() >= 2)?;
    let columns: Vec<String> = list[0].as_object()?.keys().cloned().collect();
    let row = |item: &Value| -> Option<Vec<String>> {
        let object = item.as_object().filter(|object| object.len() == columns.len())?;
        columns.iter().map(|name| object.get(name).and_then(cell)).collect()
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect::<Option<_>>()?;
    Some(Shape::Table { columns, rows })
}

/// `{"columns": […], "rows"|"data": [[…], …]}` and nothing else.
fn table_of_columns(object: &Map<String, Value>) -> Option<Shape> {
    let rows = object.get("rows").or_else(|| object.get("data")).filter(|_| object.len() == 2)?;
    let columns = object.get("columns")?.as_array()?;
    let columns: Vec<String> = columns.iter().map(cell).collect::<Option<_>>()?;
    let row = |row: &Value| -> Option<Vec<String>> { row.as_array()?.iter().map(cell).collect() };
    let rows: Vec<Vec<String>> = rows.as_array()?.iter().map(row).collect::<Option<_>>()?;
    let fits = !rows.is_empty() && rows.iter().all(|row| row.len() == columns.len());
    fits.then_some(Shape::Table { columns, rows })
}

fn cell(value: &Value) -> Option<String> {
    if value.is_null() { Some(String::new()) } else { scalar(value) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(line: &Value) -> Vec<(String, &'static str)> {
        let shape = |part: Part| {
            let kind = match part.shape {
                Shape::Text(_) => "text",
                Shape::Code { .. } => "code",
                Shape::Chat(_) => "chat",
                Shape::Pair(_) => "pair",
                Shape::Table { .. } => "table",
                Shape::Attached(_) => "attached",
                Shape::Mail(_) => "mail",
                Shape::Tree(_) => "tree",
            };
            (part.name, kind)
        };
        parts(line, |_| true).into_iter().map(shape).collect()
    }

    #[test]
    fn every_field_is_a_part_in_the_order_of_the_line() {
        let line = json!({
            "id": "p", "occurred_at": "x",
            "input": {"customer": {"tier": 1}, "text": "hi", "answer_b": "two", "answer_a": "one",
                "messages": [{"role": "user", "content": "a"}],
                "table": [{"a": 1, "b": "x"}, {"a": 2, "b": null}],
                "image": "data:image/png;base64,aaaa"},
            "output": "o".repeat(100),
            "prediction": {"label": "l", "confidence": 0.5, "text": "said"},
            "trace_id": "t",
        });
        let expect = [
            ("input.text", "text"),
            ("input.customer", "tree"),
            ("input.answer_b", "pair"),
            ("input.messages", "chat"),
            ("input.table", "table"),
            ("input.image", "attached"),
            ("occurred_at", "tree"),
            ("output", "text"),
            ("prediction.text", "text"),
            ("trace_id", "tree"),
        ];
        let expect: Vec<_> =
            expect.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        assert_eq!(named(&line), expect);
        let only = parts(&line, |name| name == "trace_id");
        assert_eq!(only.len(), 1, "what may not be shown is in no part");
    }

    #[test]
    fn a_case_is_told_by_what_was_asked_last() {
        let told = |input: Value| glance(&json!({ "input": input }));
        let turns = json!([{"role": "user", "content": "first"}, {"role": "assistant", "content": "a"},
            {"role": "user", "content": "last"}, {"role": "assistant", "content": "b"}]);
        assert_eq!(told(json!({"messages": turns, "text": "t"})), "t");
        assert_eq!(told(json!({"messages": turns})), "last");
        assert_eq!(told(json!({"messages": [{"role": "system", "content": "s"}]})), "s");
        assert_eq!(told(json!({"x": 2})), "{\"x\":2}");
    }

    #[test]
    fn code_is_what_the_line_calls_so() {
        let language =
            |input: Value| match parts(&json!({ "input": input }), |_| true).remove(0).shape {
                Shape::Code { language, .. } => Some(language),
                _ => None,
            };
        assert_eq!(language(json!({"code": "x", "language": "Rust"})).as_deref(), Some("Rust"));
        assert_eq!(language(json!({"sql": "SELECT 1"})).as_deref(), Some("sql"));
        assert_eq!(language(json!({"code": 7})), None);
    }

    #[test]
    fn a_field_is_what_it_is_said_to_be_where_it_can_be() {
        let line =
            json!({"input": {"body": "a,b\n1,2\n", "raw": "{\"x\": {\"y\": 1}}", "note": "plain"}});
        let views = [("input.body", "csv"), ("input.raw", "json"), ("input.note", "email")];
        let views = views.map(|(name, word)| (name.to_owned(), View::of_word(word))).into();
        let parts = parts_viewed(&line, |_| true, &views);
        assert!(matches!(&parts[0].shape, Shape::Table { rows, .. } if rows.len() == 1));
        assert_eq!(parts[1].shape, Shape::Tree(json!({"x": {"y": 1}})));
        assert_eq!(parts[2].shape, Shape::Tree(json!("plain")), "it is no mail");
        let code = View::of_word("rust").shape("x", "fn f() {}");
        assert!(matches!(code, Some(Shape::Code { language, .. }) if language == "rust"));
    }

    #[test]
    fn answers_are_compared_and_shuffled_whatever_they_are() {
        let turn = |role: &str, text: &str| json!({"role": role, "content": text});
        let chat = |answer: &str| json!([turn("user", "which?"), turn("assistant", answer)]);
        let preferred = json!({"input": {"rejected": chat("no"), "chosen": chat("yes")}});
        let read = parts(&preferred, |_| true);
        assert!(matches!(&read[0], Part { name, shape: Shape::Chat(turns) }
            if name == "input.rejected" && turns.len() == 1));
        let answers = [("input.rejected[2]", "no"), ("input.chosen[2]", "yes")];
        let answers = answers.map(|(name, text)| (name.to_owned(), text.to_owned()));
        assert_eq!(read[1].shape, Shape::Pair(answers));
        // What came before is another: nothing is compared.
        let other = json!({"input": {"chosen": chat("yes"), "rejected": [turn("user", "why?"), turn("assistant", "no")]}});
        assert_eq!(
            named(&other).iter().map(|(_, kind)| *kind).collect::<Vec<_>>(),
            ["chat", "chat"]
        );
        for two in
            [[json!({"x": 1}), json!({"x": 2})], [chat("a"), chat("b")], [json!("a"), json!("b")]]
        {
            let line = json!({"input": {"answer_b": two[1], "answer_a": two[0]}});
            let firsts = [true, false].map(|coin| {
                let mut parts = parts(&line, |_| true);
                let first = order_answers(&mut parts, |_| coin);
                assert_eq!(first.len(), 1, "{line}");
                // Asked again with what stood first, it is the same.
                let mut again = super::parts(&line, |_| true);
                order_answers(&mut again, |of| !first.contains(&of.to_owned()));
                assert_eq!(again, parts);
                first[0].clone()
            });
            assert!(firsts[0].contains("answer_b") && firsts[1].contains("answer_a"), "{firsts:?}");
        }
    }

    #[test]
    fn attachments_are_parts_wherever_they_stand() {
        let file = |name: &str| json!({"path": name, "sha256": "00"});
        let line = json!({"input": {"images": [file("a.png"), "data:image/png;base64,aaaa"],
            "claim": {"no": 7, "photos": {"front": file("b.png"), "note": "dark"}}, "plain": {"a": {"b": 1}}}});
        let expect = [
            ("input.images[1]", "attached"),
            ("input.images[2]", "attached"),
            ("input.claim.no", "tree"),
            ("input.claim.photos.front", "attached"),
            ("input.claim.photos.note", "tree"),
            ("input.plain", "tree"),
        ];
        let expect: Vec<_> = expect.map(|(name, kind)| (name.to_owned(), kind)).into();
        assert_eq!(named(&line), expect);
    }

    #[test]
    fn a_table_has_one_shape() {
        let kind = |value: Value| named(&json!({ "input": value })).remove(0).1;
        assert_eq!(kind(json!({"columns": ["a"], "rows": [[1], [2]]})), "table");
        assert_eq!(kind(json!({"columns": ["a"], "rows": [[1], [2, 3]]})), "tree");
        assert_eq!(kind(json!({"x": [{"a": 1}, {"b": 1}]})), "tree");
        assert_eq!(kind(json!({"x": [{"a": 1}, {"a": [1]}]})), "tree");
    }
}
