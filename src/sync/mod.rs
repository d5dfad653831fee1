//! Sync: exchanging journals through a shared store that nobody serves and nobody has to trust
//! (DESIGN §5).
//!
//! A [`store`] holds immutable [`segment`]s, each a run of entries of one chain or the payloads
//! that such a run names. A [`plan`] compares what the store lists with what is here, and says what
//! to fetch, write and merge; it is pure. An [`exchange`] carries it out: every step can be cut
//! short and is taken up again by the next sync.
//!
//! ```text
//!  store ──list──▶ plan ──▶ fetch ──▶ verify ──▶ fold          (pull)
//!                    └────▶ encode ──▶ create-if-absent        (push, merge, refill, forget)
//! ```

pub mod store;
pub mod segment;
pub mod plan;
pub mod exchange;
mod pull;
mod strangers;
mod push;
mod forget;

pub use exchange::{Counts, Exchange, Fault, SyncError, Synced, workspace_of};
pub use pull::{founded_on, pin};
pub use store::{Put, Store, StoreError, StoreErrorKind};
