//! Chats that models of OpenAI are tuned with: what was asked, and the label as the answer.

use std::io;

use serde_json::{Value, json};

use crate::domain::text::is_blank;
use crate::domain::written;
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "openai-chat",
    about: "chats to tune models of OpenAI with; --prompt FILE says how they ask",
    folder: false,
    rows: &[Rows::Cases],
    make: |options| Box::new(Chats(options)),
};

struct Chats(PeerOptions);

/// Where the text stands in a prompt.
const TEXT: &str = "{text}";

impl Peer for Chats {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        for given in &item.given {
            let Some(label) = given.label.as_deref().filter(|label| !is_blank(label)) else {
                out.lose_rows("cases without a label, which nothing can be learned from", 1);
                continue;
            };
            let mut messages: Vec<Value> = Vec::new();
            let input: Value = about
                .input
                .as_ref()
                .and_then(|raw| written::read(raw.get()).ok())
                .unwrap_or_default();
            match (&self.0.prompt, input["messages"].as_array()) {
                (None, Some(turns)) => messages.extend(
                    turns
                        .iter()
                        .filter(|turn| {
                            turn["content"].as_str().is_some_and(|text| !text.is_empty())
                        })
                        .map(|turn| json!({ "role": turn["role"], "content": turn["content"] })),
                ),
                (prompt, _) if !is_blank(&about.text) => {
                    // What stands over a line of dashes is of the system; without a place for the text,
                    // all of it.
                    let (system, user) = match prompt.as_deref() {
                        None => (None, TEXT),
                        Some(prompt) => match prompt.split_once("\n---\n") {
                            Some((system, user)) => (Some(system), user),
                            None if prompt.contains(TEXT) => (None, prompt),
                            None => (Some(prompt), TEXT),
                        },
                    };
                    messages.extend(
                        system.map(|text| json!({ "role": "system", "content": text.trim_end() })),
                    );
                    messages.push(json!({ "role": "user", "content": user.trim_end_matches('\n').replace(TEXT, &about.text) }));
                }
                _ => {}
            }
            if messages.is_empty() {
                out.lose_rows("cases without a text", 1);
                continue;
            }
            messages.push(json!({ "role": "assistant", "content": label }));
            out.line(&json!({ "messages": messages }))?;
        }
        Ok(())
    }
}
