//! Conversations in the shapes in which people keep them, as turns: OpenAI's messages and responses,
//! Anthropic's blocks, ShareGPT, Gemini's contents, dialogues of speakers.

use serde_json::{Map, Value};

use super::attachment::Attachment;
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
/// What a block is read from.
const OF_BLOCKS: &[&str] = &[
    "type",
    "text",
    "thinking",
    "name",
    "input",
    "arguments",
    "args",
    "function",
    "content",
    "output",
    "image_url",
    "source",
    "inlineData",
    "inline_data",
    "functionCall",
    "functionResponse",
    "media_type",
    "mimeType",
    "mime_type",
    "data",
    "path",
    "url",
    "bytes",
    "sha256",
    "alt",
];
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
    let role = ROLES.iter().find_map(|name| scalar(&value[*name]));
    let named = value.get("speaker").is_some();
    let Some(object) = value.as_object() else {
        return Turn { role, blocks: vec![Block::Other(value.clone())], more: Vec::new(), named };
    };
    let mut blocks = Vec::new();
    let mut more = Vec::new();
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    if ["function_call", "function_call_output", "reasoning"].contains(&kind) {
        blocks.push(block(value));
        let role = match kind {
            "function_call_output" => "tool",
            _ => "assistant",
        };
        rest_of(object, OF_BLOCKS, &mut more);
        return Turn { role: Some(role.to_owned()), blocks, more, named };
    }
    rest_of(object, &[ROLES, WORDS, &["type"]].concat(), &mut more);
    for words in WORDS.iter().filter_map(|name| object.get(*name)) {
        content(words, &mut blocks, &mut more);
    }
    if role.as_deref() == Some("tool") {
        for block in &mut blocks {
            if let Block::Text(text) = block {
                *block = Block::Result(std::mem::take(text));
            }
        }
    }
    Turn { role, blocks, more, named }
}

/// The fields of an object that are none of these, and that hold something.
fn rest_of(object: &Map<String, Value>, known: &[&str], more: &mut Vec<(String, Value)>) {
    let holds = |value: &Value| match value {
        Value::Array(list) => !list.is_empty(),
        Value::Null => false,
        _ => true,
    };
    let rest =
        object.iter().filter(|(name, value)| !known.contains(&name.as_str()) && holds(value));
    more.extend(rest.map(|(name, value)| (name.clone(), value.clone())));
}

fn content(value: &Value, blocks: &mut Vec<Block>, more: &mut Vec<(String, Value)>) {
    match value {
        Value::Null => {}
        Value::Array(list) => list.iter().for_each(|item| content(item, blocks, more)),
        value => {
            let block = block(value);
            // What is none of the blocks that are known is shown whole.
            if let (Some(object), false) = (value.as_object(), matches!(block, Block::Other(_))) {
                rest_of(object, OF_BLOCKS, more);
            }
            blocks.push(block);
        }
    }
}

fn block(value: &Value) -> Block {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let raw = |value: &Value| scalar(value).unwrap_or_else(|| value.to_string());
    let call = |of: &Value, arguments: &str| Block::Call {
        name: scalar(&of["name"]).unwrap_or_default(),
        arguments: raw(&of[arguments]),
    };
    if let Value::String(text) = value {
        return Block::Text(text.clone());
    }
    if let Some(attached) = Attachment::of(value) {
        return Block::Attached(attached);
    }
    match value["type"].as_str() {
        Some("text" | "input_text" | "output_text") => {
            text("text").map_or_else(|| Block::Other(value.clone()), Block::Text)
        }
        Some("thinking" | "reasoning") => match text("thinking").or_else(|| text("text")) {
            Some(words) => Block::Thinking(words),
            None => Block::Other(value.clone()),
        },
        Some("tool_use") => call(value, "input"),
        Some("function") => call(&value["function"], "arguments"),
        Some("function_call") => call(value, "arguments"),
        Some("tool_result" | "function_call_output") => {
            let mut inner = Vec::new();
            let name = if value.get("content").is_some() { "content" } else { "output" };
            content(&value[name], &mut inner, &mut Vec::new());
            let words = inner.into_iter().map(|block| match block {
                Block::Text(text) => text,
                Block::Attached(attached) => attached.facts().0,
                _ => String::new(),
            });
            Block::Result(words.collect::<Vec<_>>().join("\n"))
        }
        Some(_) => Block::Other(value.clone()),
        None => match (text("text"), value.get("functionCall"), value.get("functionResponse")) {
            (Some(text), ..) => Block::Text(text),
            (_, Some(of), _) => call(of, "args"),
            (.., Some(of)) => Block::Result(raw(&of["response"])),
            _ => Block::Other(value.clone()),
        },
    }
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
