//! Conversations in the shapes in which people keep them, as turns: OpenAI's messages and responses,
//! Anthropic's blocks, ShareGPT, Gemini's contents, dialogues of speakers.

use serde_json::{Map, Value};

use super::attachment::{Attachment, rest_of};
use super::prediction::scalar;

/// Names under which a list is a conversation even where not every turn of it is sound.
const NAMES: &[&str] = &[
    "messages",
    "conversation",
    "conversations",
    "contents",
    "dialogue",
    "dialog",
    "chat",
    "turns",
    "history",
];
const ROLES: &[&str] = &["role", "from", "speaker"];
const WORDS: &[&str] = &["content", "value", "parts", "utterance", "text", "tool_calls"];
/// Roles that conversations have; another one is said to be unknown.
const KNOWN: &[&str] = &[
    "system",
    "developer",
    "user",
    "human",
    "assistant",
    "gpt",
    "model",
    "bot",
    "tool",
    "function",
    "function_call",
    "tool_call",
    "observation",
    "function_response",
    "tool_response",
];

/// What somebody said, or did, in one turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// As the line has it; nothing if it has none.
    pub role: Option<String>,
    pub blocks: Vec<Block>,
    /// What else stands in it, and in its blocks: names, ids, times.
    pub more: Vec<(String, Value)>,
    /// Whether its speakers are named by letters or names, so that no role is unknown.
    named: bool,
}

/// A piece of a turn.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Text(String),
    /// Reasoning that is not part of the answer.
    Thinking(String),
    /// A tool is called, with its arguments as they were written.
    Call {
        name: String,
        arguments: String,
    },
    Result(String),
    Attached(Attachment),
    /// What is none of these, as it stands.
    Other(Value),
}

impl Turn {
    /// What the turn is called: its role, and what is odd about it.
    pub fn title(&self) -> String {
        match &self.role {
            None => "(no role)".to_owned(),
            Some(role) if self.named || KNOWN.contains(&role.as_str()) => role.clone(),
            Some(role) => format!("{role} (role unknown)"),
        }
    }

    /// Whether it is of whoever asks, not of the model, a tool or a rule.
    pub fn is_of_user(&self) -> bool {
        self.named || self.role.as_deref().is_some_and(|role| ["user", "human"].contains(&role))
    }

    /// Its words, where a model says nothing else in it: an answer.
    pub fn only_answer(&self) -> Option<String> {
        let models = ["assistant", "gpt", "model", "bot"];
        let by_model = self.role.as_deref().is_none_or(|role| models.contains(&role));
        let only_words = self.blocks.iter().all(|block| matches!(block, Block::Text(_)));
        (by_model && only_words && self.more.is_empty()).then(|| self.text())
    }

    /// All that is said in it.
    pub fn text(&self) -> String {
        let said = self.blocks.iter().filter_map(|block| match block {
            Block::Text(text) => Some(text.as_str()),
            _ => None,
        });
        said.collect::<Vec<_>>().join("\n")
    }
}

/// The turns of the list `value` of the field `name`, if it is a conversation.
pub fn turns(name: &str, value: &Value) -> Option<Vec<Turn>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    let is_turn = |item: &Value| item.as_object().is_some_and(is_turn);
    let turns = list.iter().filter(|item| is_turn(item)).count();
    let certain = turns == list.len() || (NAMES.contains(&name) && turns > 0);
    certain.then(|| list.iter().map(turn).collect())
}

/// One message by itself, as answers to be compared are kept.
pub fn message(value: &Value) -> Option<Turn> {
    value.as_object().filter(|object| is_turn(object)).map(|_| turn(value))
}

fn is_turn(object: &Map<String, Value>) -> bool {
    let any = |names: &[&str]| names.iter().any(|name| object.contains_key(*name));
    let of_responses = object.get("type").and_then(Value::as_str).is_some_and(|kind| {
        ["message", "function_call", "function_call_output", "reasoning"].contains(&kind)
    });
    of_responses || (any(ROLES) && any(WORDS))
}

fn turn(value: &Value) -> Turn {
    let role = ROLES.iter().find_map(|name| Some((*name, scalar(&value[*name])?)));
    let (read_role, mut role) = role.unzip();
    let named = value.get("speaker").is_some();
    let Some(object) = value.as_object() else {
        return Turn { role, blocks: vec![Block::Other(value.clone())], more: Vec::new(), named };
    };
    let (mut blocks, mut more) = (Vec::new(), Vec::new());
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    if ["function_call", "function_call_output", "reasoning"].contains(&kind) {
        // What it says of a role is not by whom it is here.
        role = Some(if kind == "function_call_output" { "tool" } else { "assistant" }.to_owned());
        content(value, &mut blocks, &mut more);
        return Turn { role, blocks, more, named };
    }
    more.extend(rest_of(object, |name, value| {
        let is_kind = name == "type" && value == "message";
        is_kind || Some(name) == read_role || WORDS.contains(&name)
    }));
    for words in WORDS.iter().filter_map(|name| object.get(*name)) {
        content(words, &mut blocks, &mut more);
    }
    let answers = ["tool", "function", "observation", "function_response", "tool_response"];
    if role.as_deref().is_some_and(|role| answers.contains(&role)) {
        for block in &mut blocks {
            if let Block::Text(text) = block {
                *block = Block::Result(std::mem::take(text));
            }
        }
    }
    Turn { role, blocks, more, named }
}

fn content(value: &Value, blocks: &mut Vec<Block>, more: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::String(text) => blocks.push(Block::Text(text.clone())),
        Value::Array(list) => list.iter().for_each(|item| content(item, blocks, more)),
        value => {
            let read = Attachment::with_rest(value)
                .map(|(attached, rest)| (Block::Attached(attached), rest))
                .or_else(|| block(value.as_object()?));
            // What is none of the blocks that are known is shown whole.
            let (block, rest) = read.unwrap_or_else(|| (Block::Other(value.clone()), Vec::new()));
            blocks.push(block);
            more.extend(rest);
        }
    }
}

/// The block that an object is, and what stands in it besides.
fn block(object: &Map<String, Value>) -> Option<(Block, Vec<(String, Value)>)> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = object.get("type").and_then(Value::as_str);
    let (block, used, mut within) = match kind {
        Some("text" | "input_text" | "output_text") => {
            (Block::Text(text("text")?), vec!["text"], Vec::new())
        }
        Some("thinking" | "reasoning") => {
            let (name, words) = ["thinking", "text"].iter().find_map(|n| Some((*n, text(n)?)))?;
            (Block::Thinking(words), vec![name], Vec::new())
        }
        Some("tool_use") => call(None, object, "input"),
        Some("function") => call(Some("function"), object, "arguments"),
        Some("function_call" | "tool_call") => {
            let names = ["arguments", "args", "input"];
            let name = names.into_iter().find(|name| object.contains_key(*name));
            call(Some("function"), object, name.unwrap_or("arguments"))
        }
        Some("tool_result" | "function_call_output") => {
            let name = if object.contains_key("content") { "content" } else { "output" };
            let (words, rest) = result(object.get(name).unwrap_or(&Value::Null));
            (Block::Result(words), vec![name], rest)
        }
        Some(_) => return None,
        None if object.get("text").is_some_and(Value::is_string) => {
            (Block::Text(text("text")?), vec!["text"], Vec::new())
        }
        None if object.contains_key("functionCall") => call(Some("functionCall"), object, "args"),
        None if object.get("function").is_some_and(|of| of.get("arguments").is_some()) => {
            call(Some("function"), object, "arguments")
        }
        None => {
            let (name, answer) = object.get_key_value("functionResponse")?;
            let of = answer.as_object().filter(|of| of.contains_key("response"));
            let rest = of.map(|of| rest_of(of, |name, _| name == "response"));
            let words = raw(of.map_or(answer, |of| &of["response"]));
            (Block::Result(words), vec![name.as_str()], under(name, rest.unwrap_or_default()))
        }
    };
    within.extend(rest_of(object, |name, _| used.contains(&name) || name == "type"));
    Some((block, within))
}

/// A call of a tool that stands in a field of an object, or in the object itself; with the fields of it
/// that are read, and what else stands in that one.
fn call<'o>(
    within: Option<&'static str>,
    object: &'o Map<String, Value>,
    arguments: &'static str,
) -> (Block, Vec<&'o str>, Vec<(String, Value)>) {
    let inner = within.and_then(|name| Some((name, object.get(name)?.as_object()?)));
    let of = inner.map_or(object, |(_, of)| of);
    let name = of.get("name").and_then(scalar);
    let read = [("name", name.is_some()), (arguments, of.contains_key(arguments))];
    let read: Vec<&str> = read.into_iter().filter_map(|(name, is)| is.then_some(name)).collect();
    let arguments = of.get(arguments).map(raw).unwrap_or_default();
    let block = Block::Call { name: name.unwrap_or_default(), arguments };
    match inner {
        Some((within, of)) => {
            let rest = rest_of(of, |name, _| read.contains(&name));
            (block, vec![within], under(within, rest))
        }
        None => (block, read, Vec::new()),
    }
}

/// What a tool answered as one text, with what stands beside its words; as it stands where it is
/// something else than words.
fn result(value: &Value) -> (String, Vec<(String, Value)>) {
    let (mut blocks, mut more) = (Vec::new(), Vec::new());
    content(value, &mut blocks, &mut more);
    let words = blocks.into_iter().map(|block| match block {
        Block::Text(text) => Some(text),
        Block::Attached(attached) => Some(attached.facts().0),
        _ => None,
    });
    match words.collect::<Option<Vec<String>>>() {
        Some(words) => (words.join("\n"), more),
        None => (raw(value), Vec::new()),
    }
}

fn raw(value: &Value) -> String {
    scalar(value).unwrap_or_else(|| value.to_string())
}

/// Fields of a field.
fn under(name: &str, fields: Vec<(String, Value)>) -> Vec<(String, Value)> {
    fields.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(name: &str, value: &Value) -> Vec<(String, String)> {
        let turns = turns(name, value).unwrap_or_default();
        turns.iter().map(|turn| (turn.title(), turn.text())).collect()
    }

    #[test]
    fn one_exchange_in_every_shape_gives_the_same_turns() {
        let exchange = [("user", "where is it?"), ("assistant", "at customs")];
        let shapes = [
            (
                "messages",
                json!([{"role":"user","content":"where is it?"},{"role":"assistant","content":"at customs"}]),
            ),
            (
                "messages",
                json!([{"role":"user","content":[{"type":"text","text":"where is it?"}]},{"role":"assistant","content":[{"type":"text","text":"at customs"}]}]),
            ),
            (
                "conversations",
                json!([{"from":"user","value":"where is it?"},{"from":"assistant","value":"at customs"}]),
            ),
            (
                "contents",
                json!([{"role":"user","parts":[{"text":"where is it?"}]},{"role":"assistant","parts":[{"text":"at customs"}]}]),
            ),
            (
                "input",
                json!([{"type":"message","role":"user","content":[{"type":"input_text","text":"where is it?"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"at customs"}]}]),
            ),
            (
                "dialogue",
                json!([{"speaker":"user","utterance":"where is it?"},{"speaker":"assistant","utterance":"at customs"}]),
            ),
        ];
        for (name, shape) in shapes {
            let expect: Vec<_> =
                exchange.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(said(name, &shape), expect, "{shape}");
        }
    }

    #[test]
    fn tools_roles_and_what_is_no_turn_are_said() {
        let list = json!([
            {"role":"wizard","content":"x"}, {"content":"no role"}, 7,
            {"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"get","arguments":"{\"a\": 1.50}"}}]},
            {"role":"tool","content":"held"},
        ]);
        let turns = turns("messages", &list).unwrap();
        assert_eq!(turns[0].title(), "wizard (role unknown)");
        assert_eq!((turns[1].title(), turns[1].text()), ("(no role)".into(), "no role".into()));
        assert_eq!(turns[2].blocks, [Block::Other(json!(7))]);
        let call = Block::Call { name: "get".into(), arguments: "{\"a\": 1.50}".into() };
        assert_eq!(turns[3].blocks, [call]);
        assert_eq!(turns[4].blocks, [Block::Result("held".into())]);
        let loose = json!([{"from":"function_call","value":"{}"}, {"from":"observation","value":"held"},
            {"role":"assistant","content":null,"tool_calls":[{"id":"c","function":{"name":"get","arguments":"{}"}},
                {"type":"tool_call","name":"put","args":{"a":1}}]}]);
        let loose = super::turns("messages", &loose).unwrap();
        assert!(loose.iter().all(|turn| !turn.title().contains("unknown")));
        assert_eq!(loose[1].blocks, [Block::Result("held".into())]);
        let call = |name: &str, arguments: &str| Block::Call {
            name: name.into(),
            arguments: arguments.into(),
        };
        assert_eq!(loose[2].blocks, [call("get", "{}"), call("put", "{\"a\":1}")]);
        let named = json!([{"role":"user","name":"bob","content":[{"type":"text","text":"a","cached":true}]}]);
        let more = &super::turns("messages", &named).unwrap()[0].more;
        assert_eq!(
            *more,
            [("name".into(), json!("bob")), ("cached".into(), json!(true))],
            "nothing is lost"
        );
        for (name, none) in [
            ("messages", json!([])),
            ("messages", json!("hi")),
            ("messages", json!([1, 2])),
            ("rows", json!([{"role":"user","content":"a"}, {"x":1}])),
        ] {
            assert_eq!(super::turns(name, &none), None, "{none}");
        }
    }
}
