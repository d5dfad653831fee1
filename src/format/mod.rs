//! Files of other programs, in and out: what an exported row holds, and one file for each format.

pub mod dvc;
pub mod folder;
pub mod foreign;
pub mod kind;
pub mod log;
pub mod mapping;
pub mod numbers;
pub mod open;
pub mod path;
pub mod peer;
pub mod protocol_from;
pub mod read;
pub mod row;
pub mod times;

use std::io;

pub use row::{CaseContext, CaseExport, ExportRow, LabelExport, Rows};

/// Writes rows in one format.
pub trait Format: Send + Sync {
    /// Whether it has to see every row before it writes the first.
    fn looks_first(&self) -> bool {
        false
    }

    fn look(&mut self, _row: &ExportRow) -> io::Result<()> {
        Ok(())
    }

    /// What stands before the first row.
    fn head(&mut self) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// Adds a row to `out`. Rows are written on several threads at once.
    fn row(&self, out: &mut Vec<u8>, row: &ExportRow) -> io::Result<()>;
}

/// A format by its name.
pub struct FormatKind {
    pub name: &'static str,
    pub about: &'static str,
    pub make: fn(Rows) -> Box<dyn Format>,
}

/// Every format that can be written.
pub static FORMATS: &[FormatKind] = &[kind::jsonl::KIND, kind::csv::KIND];
