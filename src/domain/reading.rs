//! A line laid out to be read: its parts as paragraphs, for the screen, for `show` and for linear
//! mode. Everything in them is safe to show, and nothing is cut: what is folded says how much.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use similar::{Algorithm, ChangeTag, TextDiff};

use super::attachment::Attachment;
use super::chat::{Block, Turn};
use super::mail::{Mail, Piece};
use super::modality::{Part, Shape, is_inline, is_short, name_in_tree, name_of_block};
use super::text::{visible, visible_lines, width};

/// Containers in containers are folded from this depth on.
const FOLDED_FROM: usize = 2;
/// A table is drawn in columns up to this width; a wider one has a block of fields a row.
const TABLE_COLUMNS: usize = 100;
/// Signs of two texts up to which they are compared word by word.
const COMPARED_MAX: usize = 200_000;

/// What kind of thing a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// What the model was given, or said.
    Text,
    /// A heading: the field, or whose turn it is.
    Heading,
    /// A name and its value.
    Field,
    /// What is less than the rest: reasoning, a fold.
    Aside,
    /// What is odd.
    Warn,
}

/// One line of what is read, however long it is; it is wrapped where it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Paragraph {
    pub tone: Tone,
    pub indent: usize,
    /// What it begins with: the name of a field, a mark.
    pub key: String,
    pub text: String,
    /// Bytes of the text that stand out: where it differs from the other.
    pub marked: Vec<Range<usize>>,
    /// The language it is written in, where it is code; lines of one piece stand together.
    pub code: Option<String>,
    /// The text that it is a line of, where places in that can be marked.
    pub of: Option<Arc<str>>,
    /// Of two texts that are compared: the first or the second. They may stand side by side.
    pub side: Option<usize>,
}

impl Paragraph {
    pub fn new(tone: Tone, indent: usize, text: &str) -> Self {
        let text = visible(text).into_owned();
        Self {
            tone,
            indent,
            key: String::new(),
            text,
            marked: Vec::new(),
            code: None,
            of: None,
            side: None,
        }
    }

    fn field(indent: usize, key: &str, text: &str) -> Self {
        let key = format!("{}: ", visible(key));
        Self { key, ..Self::new(Tone::Field, indent, text) }
    }

    /// The whole of it on one line.
    pub fn line(&self) -> String {
        format!("{}{}{}", " ".repeat(self.indent), self.key, self.text)
    }
}

/// The paragraphs of parts; `fold`, with what is deep folded.
pub fn paragraphs(parts: &[Part], fold: bool) -> Vec<Paragraph> {
    let mut out = Vec::new();
    let mut after_block = false;
    for (at, part) in parts.iter().enumerate() {
        // The text of the input needs no name.
        let plain = at == 0 && part.name == "input.text";
        let block = match &part.shape {
            Shape::Tree(value) => !is_one_row(value),
            Shape::Attached(_) => false,
            _ => true,
        };
        if at > 0 && (block || after_block) {
            out.push(Paragraph::new(Tone::Text, 0, ""));
        }
        after_block = block;
        let (name, indent) = (part.name.as_str(), if plain { 0 } else { 2 });
        match &part.shape {
            Shape::Text(text) => {
                if !plain {
                    heading(&mut out, name);
                }
                words(&mut out, indent, text, name);
            }
            Shape::Chat(turns) => {
                let n = turns.len();
                heading(
                    &mut out,
                    &format!("{name} · {n} {}", if n == 1 { "turn" } else { "turns" }),
                );
                for (at, turn) in turns.iter().enumerate() {
                    said(&mut out, name, at, turn, fold);
                }
            }
            Shape::Code { language, text } => {
                let title = [name, language.as_str()].into_iter().filter(|word| !word.is_empty());
                heading(&mut out, &title.collect::<Vec<_>>().join(" · "));
                let lines = visible_lines(text).into_iter();
                let (code, of) = (Some(language.to_lowercase()), called(name));
                out.extend(lines.map(|text| Paragraph {
                    text,
                    code: code.clone(),
                    of: of.clone(),
                    ..Paragraph::new(Tone::Text, 2, "")
                }));
            }
            Shape::Pair(pair) => compared(&mut out, pair),
            Shape::Table { columns, rows } => table(&mut out, name, columns, rows),
            Shape::Attached(attached) => {
                let (facts, wrong) = attached.facts();
                out.push(Paragraph::field(0, name, &facts));
                out.extend(wrong.map(|wrong| odd(2, &wrong)));
            }
            Shape::Mail(mail) => read_mail(&mut out, name, mail, fold),
            Shape::Tree(value) => tree(&mut out, (0, 0), name, value, (fold, name)),
        }
    }
    out
}

fn heading(out: &mut Vec<Paragraph>, text: &str) {
    out.push(Paragraph::new(Tone::Heading, 0, text));
}

fn odd(indent: usize, text: &str) -> Paragraph {
    Paragraph { key: "! ".to_owned(), ..Paragraph::new(Tone::Warn, indent, text) }
}

/// What a text is called, if it is.
fn called(name: &str) -> Option<Arc<str>> {
    (!name.is_empty()).then(|| name.into())
}

/// A text, a paragraph a line; `name` is what it is called.
fn words(out: &mut Vec<Paragraph>, indent: usize, text: &str, name: &str) {
    let of = called(name);
    if text.chars().all(char::is_whitespace) {
        let words = match text.chars().count() {
            0 => "(the text is empty)".to_owned(),
            1 => "(the text is one blank)".to_owned(),
            n => format!("(the text is {n} blanks)"),
        };
        out.push(Paragraph { of, ..Paragraph::new(Tone::Warn, indent, &words) });
        return;
    }
    // Between fences it is code.
    let mut code: Option<String> = None;
    for text in visible_lines(text) {
        let mut one = Paragraph { text, of: of.clone(), ..Paragraph::new(Tone::Text, indent, "") };
        match (one.text.trim_start().strip_prefix("```"), &code) {
            (Some(_), Some(_)) => (one.tone, code) = (Tone::Aside, None),
            (Some(language), None) => {
                code = Some(language.trim().to_lowercase());
                one.tone = Tone::Aside;
            }
            (None, _) => one.code = code.clone(),
        }
        out.push(one);
    }
}

/// What is said in a turn of the conversation that stands in `field`.
fn said(out: &mut Vec<Paragraph>, field: &str, number: usize, turn: &Turn, fold: bool) {
    heading(out, &format!("{} {}", number + 1, turn.title()));
    let folded = |out: &mut Vec<Paragraph>, mark: &str, text: &str, name: &str| {
        let lines = visible_lines(text);
        let more = lines.len().saturating_sub(1);
        let first = lines.first().cloned().unwrap_or_default();
        let more = if more > 0 { format!(" … ({more} more lines)") } else { String::new() };
        let text = format!("{first}{more}");
        let (key, of) = (mark.to_owned(), called(name));
        out.push(Paragraph { key, of, ..Paragraph::new(Tone::Aside, 4, &text) });
    };
    for (at, block) in turn.blocks.iter().enumerate() {
        let name = &name_of_block(field, number, at);
        match block {
            Block::Text(text) => words(out, 4, text, name),
            Block::Thinking(text) if fold => folded(out, "thinks: ", text, name),
            Block::Thinking(text) => {
                out.push(Paragraph::new(Tone::Aside, 4, "thinks:"));
                words(out, 6, text, name);
            }
            Block::Call { name: tool, arguments } => {
                let (key, code) = (format!("→ {}: ", visible(tool)), Some("json".to_owned()));
                let of = called(name);
                out.push(Paragraph { key, code, of, ..Paragraph::new(Tone::Aside, 4, arguments) });
            }
            Block::Result(text) if fold => folded(out, "← ", text, name),
            Block::Result(text) => {
                out.push(Paragraph::new(Tone::Aside, 4, "← result:"));
                words(out, 6, text, name);
            }
            Block::Attached(attached) => {
                let (facts, wrong) = attached.facts();
                out.push(Paragraph::new(Tone::Aside, 4, &facts));
                out.extend(wrong.map(|wrong| odd(6, &wrong)));
            }
            Block::Other(value) => tree(out, (4, 0), "(other)", value, (fold, name)),
        }
    }
    for (name, value) in &turn.more {
        let first = out.len();
        tree(out, (4, FOLDED_FROM), name, value, (fold, ""));
        out[first..].iter_mut().for_each(|one| one.tone = Tone::Aside);
    }
    if turn.blocks.is_empty() {
        out.push(Paragraph::new(Tone::Aside, 4, "(nothing)"));
    }
}

/// A mail: what everybody reads, its words, the source of its pages; unfolded, all of it as it came.
fn read_mail(out: &mut Vec<Paragraph>, name: &str, mail: &Mail, fold: bool) {
    heading(out, &format!("{name} · e-mail"));
    out.extend(mail.headers.iter().map(|(name, value)| Paragraph::field(2, name, value)));
    let more = if fold { mail.more } else { 0 };
    if more > 0 {
        out.push(Paragraph::new(Tone::Aside, 2, &format!("… ({more} more headers)")));
    }
    for (at, piece) in mail.pieces.iter().enumerate() {
        let called_so = name_in_tree(name, Err(at));
        match piece {
            Piece::Text(text) => {
                out.push(Paragraph::new(Tone::Text, 0, ""));
                words(out, 2, text, &called_so);
            }
            Piece::Page(source) if fold => {
                let (key, of) = ("a page: ".to_owned(), called(&called_so));
                let lines = source.lines().count();
                let text = format!("… ({lines} {})", if lines == 1 { "line" } else { "lines" });
                out.push(Paragraph { key, of, ..Paragraph::new(Tone::Aside, 2, &text) });
            }
            Piece::Page(source) => {
                out.push(Paragraph::new(Tone::Aside, 2, "a page, its source:"));
                words(out, 4, source, &called_so);
            }
            Piece::Other { media_type, name, bytes } => {
                let named = name.as_ref().map_or(String::new(), |name| format!("{name}, "));
                let facts = format!("{named}{media_type}, {} bytes, attached", bytes.len());
                out.push(Paragraph::new(Tone::Aside, 2, &facts));
                let (_, wrong) = Attachment::of_bytes(media_type, bytes.clone()).facts();
                out.extend(wrong.map(|wrong| odd(4, &wrong)));
            }
        }
    }
    if !fold {
        out.push(Paragraph::new(Tone::Aside, 2, "as it came:"));
        words(out, 4, &mail.source, "");
    }
}

/// Two texts one after another, with the words that only one of them has marked.
fn compared(out: &mut Vec<Paragraph>, pair: &[(String, String); 2]) {
    let [(one, left), (two, right)] = pair;
    let marks = if left == right { [Vec::new(), Vec::new()] } else { differences(left, right) };
    for (at, (name, text)) in [(one, left), (two, right)].into_iter().enumerate() {
        let equal = if at == 1 && left == right { " · the same" } else { "" };
        heading(out, &format!("{name}{equal}"));
        let first = out.len();
        words(out, 2, text, name);
        out[first - 1..].iter_mut().for_each(|one| one.side = Some(at));
        // Places are counted in the text as it stands: only lines that are shown so can be marked.
        let mut start = 0;
        for (line, shown) in text.split('\n').zip(&mut out[first..]) {
            if shown.text == line {
                let inside = marks[at].iter().filter_map(|mark| {
                    let (from, to) = (mark.start.max(start), mark.end.min(start + line.len()));
                    (from < to).then(|| from - start..to - start)
                });
                shown.marked = inside.collect();
            }
            start += line.len() + 1;
        }
    }
}

/// Bytes of each text that are not in the other.
fn differences(left: &str, right: &str) -> [Vec<Range<usize>>; 2] {
    if left.len() + right.len() > COMPARED_MAX {
        return [Vec::new(), Vec::new()];
    }
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_words(left, right);
    let mut at = [0, 0];
    let mut marks: [Vec<Range<usize>>; 2] = [Vec::new(), Vec::new()];
    for change in diff.iter_all_changes() {
        let long = change.value().len();
        let sides: &[usize] = match change.tag() {
            ChangeTag::Equal => &[0, 1],
            ChangeTag::Delete => &[0],
            ChangeTag::Insert => &[1],
        };
        for side in sides {
            if change.tag() != ChangeTag::Equal {
                let place: Range<usize> = at[*side]..at[*side] + long;
                match marks[*side].last_mut() {
                    Some(last) if last.end == place.start => last.end = place.end,
                    _ => marks[*side].push(place),
                }
            }
            at[*side] += long;
        }
    }
    marks
}

fn table(out: &mut Vec<Paragraph>, name: &str, columns: &[String], rows: &[Vec<String>]) {
    heading(out, &format!("{name} · {} rows of {} columns", rows.len(), columns.len()));
    let shown = |row: &[String]| -> Vec<String> {
        row.iter().map(|cell| visible(cell).into_owned()).collect()
    };
    let (head, rows): (Vec<String>, Vec<Vec<String>>) =
        (shown(columns), rows.iter().map(|row| shown(row)).collect());
    let widest = |at: usize| {
        let cells = rows.iter().map(|row| width(&row[at]));
        cells.chain([width(&head[at])]).max().unwrap_or(0)
    };
    let wide: Vec<usize> = (0..head.len()).map(widest).collect();
    if wide.iter().sum::<usize>() + 2 * wide.len() <= TABLE_COLUMNS {
        let line = |row: &[String]| {
            let cells = row.iter().zip(&wide);
            let padded =
                cells.map(|(cell, wide)| format!("{cell}{}", " ".repeat(wide - width(cell))));
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        out.push(Paragraph::new(Tone::Aside, 2, &line(&head)));
        out.extend(rows.iter().map(|row| Paragraph::new(Tone::Text, 2, &line(row))));
        return;
    }
    for (at, row) in rows.iter().enumerate() {
        out.push(Paragraph::new(Tone::Aside, 2, &format!("row {}", at + 1)));
        out.extend(head.iter().zip(row).map(|(name, cell)| Paragraph::field(4, name, cell)));
    }
}

/// Whether a value stands in one row behind its name.
fn is_one_row(value: &Value) -> bool {
    match value {
        Value::String(text) => is_short(text),
        Value::Array(_) | Value::Object(_) => is_inline(value),
        _ => true,
    }
}

/// A value under its name, deeper ones behind it; numbers as they are written.
fn tree(
    out: &mut Vec<Paragraph>,
    (indent, depth): (usize, usize),
    name: &str,
    value: &Value,
    (fold, path): (bool, &str),
) {
    // What is below a thing without a name has none.
    let below = |at: Result<&str, usize>| match path {
        "" => String::new(),
        path => name_in_tree(path, at),
    };
    let items: Vec<(String, String, &Value)> = match value {
        Value::String(text) if is_short(text) => {
            let of = called(path);
            return out.push(Paragraph { of, ..Paragraph::field(indent, name, text) });
        }
        Value::String(text) => {
            out.push(Paragraph::field(indent, name, ""));
            return words(out, indent + 2, text, path);
        }
        Value::Array(_) | Value::Object(_) if is_inline(value) => {
            return out.push(Paragraph::field(indent, name, &value.to_string()));
        }
        Value::Array(list) => {
            let item = |(at, item)| (format!("{}", at + 1), below(Err(at)), item);
            list.iter().enumerate().map(item).collect()
        }
        Value::Object(object) => {
            object.iter().map(|(key, item)| (key.clone(), below(Ok(key)), item)).collect()
        }
        plain => return out.push(Paragraph::field(indent, name, &plain.to_string())),
    };
    if fold && depth >= FOLDED_FROM {
        let what = if value.is_array() { "items" } else { "fields" };
        let words = format!("… ({} {what})", items.len());
        let folded = Paragraph { tone: Tone::Aside, ..Paragraph::field(indent, name, &words) };
        return out.push(folded);
    }
    out.push(Paragraph::field(indent, name, ""));
    for (name, path, item) in items {
        tree(out, (indent + 2, depth + 1), &name, item, (fold, &path));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::modality::{parts, texts};
    use crate::domain::prediction::Prediction;

    fn lines(line: &Value, fold: bool) -> Vec<String> {
        paragraphs(&parts(line, |_| true), fold).iter().map(Paragraph::line).collect()
    }

    #[test]
    fn a_line_is_read_in_its_order_digit_for_digit() {
        let line: Value = serde_json::from_str(
            r#"{"input":{"big":12345678901234567890123,"text":"one\ntwo\u001b[2J","a":{"b":{"c":{"d":1.50}}}},"output":"yes"}"#,
        )
        .unwrap();
        let unfolded = [
            "one",
            "two«ESC»[2J",
            "",
            "input.big: 12345678901234567890123",
            "",
            "input.a: ",
            "  b: ",
            "    c: ",
            "      d: 1.50",
            "",
            "output: yes",
        ];
        assert_eq!(lines(&line, false), unfolded);
        assert!(lines(&line, true).contains(&"    c: … (1 fields)".to_owned()));
    }

    /// A value with a word of its own in each place; `word` makes the next one.
    fn filled(value: &Value, words: &mut Vec<String>) -> Value {
        match value {
            // Marks of a shape stay as they are.
            Value::String(text) => json!(text),
            Value::Array(list) => list.iter().map(|item| filled(item, words)).collect(),
            Value::Object(object) => {
                let fields = object.iter().map(|(name, value)| {
                    // What data holds is drawn, and its size told.
                    let kept = ["data", "media_type"].contains(&name.as_str());
                    let value = if kept { value.clone() } else { filled(value, words) };
                    (name.clone(), value)
                });
                Value::Object(fields.collect())
            }
            Value::Bool(long) => {
                let word = format!("w{}w", words.len());
                words.push(word.clone());
                json!(if *long { format!("{word} {}", "la ".repeat(40)) } else { word })
            }
            _ => {
                let number = format!("{}.50", 10_000 + words.len());
                words.push(number.clone());
                serde_json::from_str(&number).unwrap_or_default()
            }
        }
    }

    /// Values of the shapes that are known, and of such that are nearly so.
    fn shape() -> impl Strategy<Value = Value> {
        let plain = || prop_oneof![Just(json!(false)), Just(json!(true)), Just(json!(0))];
        let kind = prop::sample::select(vec![
            "text",
            "input_text",
            "thinking",
            "reasoning",
            "tool_use",
            "function",
            "function_call",
            "tool_result",
            "function_call_output",
            "image",
            "image_url",
            "message",
            "strange",
        ]);
        let name = prop::sample::select(vec![
            "role",
            "from",
            "speaker",
            "content",
            "value",
            "parts",
            "utterance",
            "text",
            "tool_calls",
            "name",
            "version",
            "input",
            "arguments",
            "args",
            "function",
            "output",
            "thinking",
            "image_url",
            "source",
            "functionCall",
            "functionResponse",
            "response",
            "url",
            "path",
            "bytes",
            "sha256",
            "alt",
            "detail",
            "columns",
            "rows",
            "chosen",
            "rejected",
            "answer_a",
            "answer_b",
            "messages",
            "history",
            "code",
            "language",
            "email",
            "csv",
            "label",
            "confidence",
            "top_k",
            "p",
            "model",
            "other",
            "more",
        ]);
        plain().prop_recursive(5, 40, 5, move |inner| {
            let named = prop::collection::vec((name.clone(), inner.clone()), 1..6);
            let object = (named, prop::option::of(kind.clone()), 0..6, inner.clone(), 0..9usize);
            let object = object.prop_map(|(named, kind, data, words, turn)| {
                let named = named.into_iter().map(|(name, value)| (name.to_owned(), value));
                let mut object: serde_json::Map<String, Value> = named.collect();
                if let Some(name) = ["content", "value", "parts", "utterance"].get(turn) {
                    object.insert("role".to_owned(), json!(false));
                    object.insert((*name).to_owned(), words);
                }
                object.extend(kind.map(|kind| ("type".to_owned(), json!(kind))));
                if data == 0 {
                    object.insert("media_type".to_owned(), json!("image/png"));
                    object.insert("data".to_owned(), json!("aGVsbG8="));
                }
                Value::Object(object)
            });
            prop_oneof![2 => object, 1 => prop::collection::vec(inner, 1..4).prop_map(Value::from)]
        })
    }

    proptest! {
        #[test]
        fn nothing_of_a_line_is_lost(
            fields in prop::collection::vec((0..9usize, shape()), 1..4), top in shape(),
        ) {
            let mut line = json!({"id": "p", "occurred_at": "2024-06-03T00:03:25Z", "input": {},
                "prediction": {"label": "l", "confidence": 0.5}});
            let names = ["text", "messages", "chosen", "rejected", "image", "rows", "model", "x", "y"];
            for (at, value) in fields {
                let above = ["input", "output", "prediction", "challenger", "context"][at % 5];
                line[above][names[at]] = value;
            }
            line["model"] = json!({"name": "n", "version": "v"});
            line["model"]["more"] = top.clone();
            line["feature_importance"] = top;
            let mut words = Vec::new();
            let line = filled(&line, &mut words);
            let prediction = Prediction::parse(&line.to_string()).unwrap();
            let read = lines(&prediction.line, false).join("\n");
            let mut said: Vec<String> = [&prediction.top_k, &prediction.features]
                .into_iter()
                .flatten()
                .chain(prediction.challenger.iter().flat_map(|rival| &rival.top_k))
                .flat_map(|one| [one.name.clone(), one.written.clone()])
                .collect();
            said.push(prediction.model());
            said.extend(prediction.label.clone());
            said.extend(prediction.written());
            for rival in prediction.challenger.iter() {
                said.extend([rival.model.clone(), rival.label.clone()]);
                said.extend(rival.written.clone());
            }
            let said = said.join("\n");
            // Every text in which a place can be marked is there to be marked in.
            let parts = parts(&prediction.line, |_| true);
            let paragraphs = paragraphs(&parts, false);
            for (name, _) in texts(&parts) {
                let is_there = paragraphs.iter().any(|one| one.of.as_deref() == Some(name.as_str()));
                prop_assert!(is_there, "{name} of {line}");
            }
            for word in words {
                prop_assert!(read.contains(&word) || said.contains(&word), "{word} of {line}:\n{read}");
            }
        }
    }

    #[test]
    fn a_text_without_a_word_says_so() {
        let read = |text: &str| lines(&json!({"input": {"text": text}}), false);
        assert_eq!(read(""), ["(the text is empty)"]);
        assert_eq!(read(" "), ["(the text is one blank)"]);
        assert_eq!(read("\n\t \u{a0}"), ["(the text is 4 blanks)"]);
        assert_eq!(read(" . "), [" . "]);
    }

    #[test]
    fn two_answers_are_marked_where_they_differ() {
        let line =
            json!({"input": {"answer_a": "until 30 September", "answer_b": "until 30 November"}});
        let read = paragraphs(&parts(&line, |_| true), true);
        let marked: Vec<&str> = read
            .iter()
            .flat_map(|one| one.marked.iter().map(|mark| &one.text[mark.clone()]))
            .collect();
        assert_eq!(marked, ["September", "November"]);
    }

    #[test]
    fn a_conversation_has_turns_and_tools_are_folded() {
        let line = json!({"input": {"messages": [
            {"role": "user", "content": "where\nis it?"},
            {"role": "tool", "content": "{\n\"a\": 1\n}"},
        ]}});
        let expect = [
            "input.messages · 2 turns",
            "1 user",
            "    where",
            "    is it?",
            "2 tool",
            "    ← { … (2 more lines)",
        ];
        assert_eq!(lines(&line, true), expect);
        assert!(lines(&line, false).contains(&"      \"a\": 1".to_owned()));
    }
}
