//! Labels on their way out: what an exported row holds, and one file for each format.

mod row;
mod jsonl;
mod csv;

use std::io::{self, Write};

pub use row::{CaseExport, ExportRow, LabelExport, Rows};

/// Writes rows in one format.
pub trait Format {
    fn row(&mut self, out: &mut dyn Write, row: &ExportRow) -> io::Result<()>;

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.flush()
    }
}

/// A format by its name.
pub struct FormatKind {
    pub name: &'static str,
    pub about: &'static str,
    pub make: fn() -> Box<dyn Format>,
}

/// Every format that can be written.
pub static FORMATS: &[FormatKind] = &[jsonl::KIND, csv::KIND];
