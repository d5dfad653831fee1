//! A person at work, without any terminal: what they have before them, what they do, and what is to
//! be done about it.
//!
//! ```text
//!   what a person does, what was reported        effects
//!  front ───────────────────────────▶ Session ───────────▶ io: reader (at once), writer, searcher, syncer (threads)
//!    ▲                                                           │
//!    └────────────── windows, places to look at ◀─── reports ◀───┘
//! ```
//!
//! [`Session`] is the whole state; [`Session::take`] says as data what is to be done ([`Effect`]),
//! also what is to be shown ([`Window`]). A front (the screen, linear mode) turns input into calls and
//! windows into what can be seen or heard; [`Driver`] does what the effects say.

pub mod command;
pub mod effect;
mod guide;
pub mod io;
mod list;
pub mod manual;
pub mod mode;
pub mod open_case;
pub mod pages;
pub mod report;
mod reports;
pub mod state;
mod take;
pub mod window;
pub mod write;

pub use effect::{Effect, Look};
pub use io::driver::{Driver, Front};
pub use open_case::Opened;
pub use report::Report;
pub use state::{NOT_SERVED, Session};
pub use take::Input;
pub use window::Window;
