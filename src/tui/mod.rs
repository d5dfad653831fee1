//! The review screen.
//!
//! ```text
//!            keys, job results                effects
//!  terminal ──────────────────▶ App::update ─────────▶ Runner ──▶ workspace
//!      ▲                            │                    └──────▶ worker thread (writes, searches)
//!      └───────── draw(&App) ◀──────┘
//! ```
//!
//! [`App`] is the whole state; [`App::update`] is pure and says as data what is to be done; drawing reads
//! the state and nothing else. Every action stands once, in [`action`], with its keys, its words and its
//! function: footer, help, palette and the README's table of keys come from there.

pub mod action;
mod answering;
pub mod app;
pub mod draw;
pub mod edit;
pub mod effect;
pub mod event_loop;
mod input;
pub mod highlight;
pub mod key;
pub mod keymap;
mod news;
pub mod opened;
pub mod overlay;
pub mod pane;
pub mod queue_model;
mod ruling;
pub mod runner;
pub mod session;
pub mod sitting;
pub mod syncer;
pub mod terminal;
pub mod theme;
pub mod training;
mod view;
mod writer;

pub use app::App;
pub use event_loop::{run, train};
pub use session::Session;
