//! Cuts: training sets as a function of the journal up to a point and a recipe. Whoever cuts, on
//! whichever machine, gets the same rows.
//!
//! [`recipe`] is what its author asks for, [`select`] takes rows through its steps and counts each,
//! `split` parts them, [`told`] keeps what is told of
//! them meanwhile, [`files`] writes them, [`membership`] is what the journal keeps of them.

pub mod files;
pub mod membership;
pub mod recipe;
pub mod select;
mod split;
pub mod told;
pub mod version;

pub use membership::{Member, Membership};
pub use recipe::Recipe;
pub use select::{Candidate, Chosen, Cut, CutError, Old};
