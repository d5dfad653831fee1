//! The review screen: a terminal over a [`crate::session::Session`].
//!
//! ```text
//!            keys                     effects
//!  terminal ──────▶ dispatch::update ─────────▶ session's Driver
//!      ▲              │ measure once                  │
//!      └─ draw(&Shell) ◀────────── reports ◀──────────┘
//! ```
//!
//! [`Shell`] is the whole state; `dispatch` turns keys into what the session is asked; `measure`
//! says how large everything is, once after each change; drawing reads both and nothing else. Every
//! action stands once, in [`action`], with its keys, its words and its function: footer, help,
//! palette and the README's table of keys come from there.

pub mod action;
mod bars;
pub mod dispatch;
pub mod draw;
mod emit;
pub mod edit;
pub mod event_loop;
mod guide_keys;
mod review;
pub mod input;
pub mod highlight;
pub mod key;
pub mod keymap;
mod measure;
mod paint;
pub mod overlay;
mod pace;
pub mod pane;
pub mod pixels;
pub mod place;
pub mod rows;
mod search;
pub mod shell;
pub mod terminal;
pub mod theme;

use std::collections::BTreeMap;

pub use event_loop::{run, train};
pub use review::Review;
pub use shell::Shell;

/// What a letter does, with these keys configured, in the case and in the guide: the names of the
/// actions, none where it is free to answer a question.
pub fn taken(keys: &BTreeMap<String, String>, letter: char) -> [Option<&'static str>; 2] {
    keymap::Keymap::new(keys, action::rows()).taken(letter)
}
