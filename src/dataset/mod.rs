//! Labels on their way out: what an exported row holds, and one file for each format.

pub mod row;
mod jsonl;
pub mod near;
mod csv;

use std::io::{self, Write};

pub use row::{CaseContext, CaseExport, ExportRow, LabelExport, Rows};

/// Writes rows in one format.
pub trait Format {
    /// Whether it has to see every row before it writes the first.
    fn looks_first(&self) -> bool {
        false
    }

    fn look(&mut self, _row: &ExportRow) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, out: &mut dyn Write, row: &ExportRow) -> io::Result<()>;

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.flush()
    }
}

/// A format by its name.
pub struct FormatKind {
    pub name: &'static str,
    pub about: &'static str,
    pub make: fn(Rows) -> Box<dyn Format>,
}

/// Every format that can be written.
pub static FORMATS: &[FormatKind] = &[jsonl::KIND, csv::KIND];
