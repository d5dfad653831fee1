//! From labels to a better model: cuts (frozen training sets), runs, gates, what became of them.
//! Pure where it can be: rows and texts in, files and verdicts out; `workspace` reads and records.

mod source;
pub mod cut;
pub mod gate;
pub mod lineage;
pub mod outcomes;
pub mod run;
