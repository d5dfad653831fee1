//! Prodigy: a line an answer, with the hashes by which Prodigy knows a text and a question again.
//!
//! `_input_hash` is MurmurHash3 (x86, 32 bits) over `text=` and the text as ASCII JSON, as a signed
//! number; `_task_hash` the same over that number and what the question shows.

use std::io;

use serde_json::{Value, json};

use crate::domain::time::Moment;
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "prodigy",
    about: "JSON lines for Prodigy, with its hashes",
    folder: false,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| {
        let labels = options.labels();
        Box::new(Answers { options, labels })
    },
};

/// Options that are shown with every text.
const OPTIONS_MAX: usize = 50;

struct Answers {
    options: PeerOptions,
    labels: Vec<String>,
}

/// A text as Python writes it in JSON: ASCII alone.
fn ascii_json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' | '\u{7f}' => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
    out
}

fn murmur(text: &str) -> io::Result<i32> {
    let hash = murmur3::murmur3_32(&mut io::Cursor::new(text.as_bytes()), 0)?;
    Ok(i32::from_ne_bytes(hash.to_ne_bytes()))
}

/// The hash by which Prodigy knows a text.
///
/// # Errors
/// None: it reads from memory.
pub fn input_hash(text: &str) -> io::Result<i32> {
    murmur(&format!("text={}", ascii_json(text)))
}

impl Peer for Answers {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        for given in &item.given {
            let mut options: Vec<&str> = if self.labels.len() <= OPTIONS_MAX {
                self.labels.iter().map(String::as_str).collect()
            } else {
                about.predicted.as_deref().into_iter().collect()
            };
            if let Some(label) = given.label.as_deref().filter(|label| !options.contains(label)) {
                options.push(label);
            }
            let shown: Vec<String> = options
                .iter()
                .map(|name| format!("{{\"id\": {0}, \"text\": {0}}}", ascii_json(name)))
                .collect();
            let input = input_hash(&about.text)?;
            let task = murmur(&format!("{input}options=[{}]", shown.join(", ")))?;
            let options: Vec<Value> =
                options.iter().map(|name| json!({ "id": name, "text": name })).collect();
            let mut line = json!({
                "text": about.text,
                "meta": { "id": about.id, "case": about.case, "stream": about.stream, "occurred_at": about.occurred_at,
                    "trace_id": about.trace_id, "predicted": about.predicted, "outcome": given.outcome,
                    "rationale": given.rationale, "confidence": given.confidence, "event": given.event },
                "options": options,
                "accept": given.label.iter().collect::<Vec<_>>(),
                // What has no label is nothing to learn from.
                "answer": if given.label.is_some() { "accept" } else { "ignore" },
                "_input_hash": input,
                "_task_hash": task,
                "_view_id": "choice",
            });
            if let Some(reviewer) = &given.reviewer {
                line["_session_id"] = Value::from(self.options.reviewer(reviewer));
                line["_annotator_id"] = line["_session_id"].clone();
            }
            if let Some(at) = Moment::parse(&given.at) {
                line["_timestamp"] = Value::from(at.0.div_euclid(1_000));
            }
            if !given.evidence.is_empty() {
                line["spans"] = given
                    .evidence
                    .iter()
                    .map(
                        |span| json!({ "start": span.start, "end": span.end, "label": "evidence" }),
                    )
                    .collect();
            }
            out.line(&line)?;
        }
        Ok(())
    }
}

#[test]
fn texts_are_known_by_the_hash_that_prodigy_computes() {
    assert_eq!(
        ascii_json("a\"\\\n\u{1}é🙂\u{7f}"),
        "\"a\\\"\\\\\\n\\u0001\\u00e9\\ud83d\\ude42\u{7f}\""
    );
    // mmh3.hash('text=' + json.dumps('hello'), 0)
    assert_eq!(input_hash("hello").unwrap(), murmur("text=\"hello\"").unwrap());
}
