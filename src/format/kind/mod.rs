//! One file for each format.

pub mod croissant;
pub mod csv;
pub mod hf;
pub mod jsonl;
#[cfg(feature = "parquet")]
pub mod parquet;
