//! Cuts: training sets as a function of the journal up to a point and a recipe. Whoever cuts, on
//! whichever machine, gets the same rows.
//!
//! [`recipe`] is what its author asks for, [`taking`] what it takes of what was labeled, [`select`]
//! takes that through its steps and counts each, `split` parts the rows, [`told`] keeps what is told
//! of them meanwhile, [`files`] writes them, [`membership`] is what the journal keeps of them.

mod error;
pub mod files;
pub mod membership;
pub mod recipe;
pub mod select;
mod split;
pub mod taking;
pub mod told;
pub mod version;

pub use error::CutError;
pub use membership::{Member, Membership};
pub use recipe::Recipe;
pub use select::{Chosen, Cut, Old};
pub use taking::Candidate;
