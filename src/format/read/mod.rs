//! Below the formats: bytes, files, objects and rows, and what a format makes of them.

pub mod ahead;
#[cfg(feature = "parquet")]
pub mod arrow;
pub mod bytes;
pub mod case;
pub mod csv;
pub mod files;
pub mod objects;
pub mod otlp;
pub mod waiting;

use serde_json::{Map, Value};

use crate::domain::prediction::Reject;
use crate::format::mapping::Mapping;
use crate::format::read::csv::Cells;
use crate::format::times::Times;

/// How files are to be read, as far as it was said.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A format by its name; none: told by the file.
    pub format: Option<&'static str>,
    pub times: Times,
    /// What was named instead of what a format finds; of a table, the names of columns.
    pub over: Option<Mapping>,
    pub columns: Vec<(&'static str, String)>,
    /// Where things stand in records of no known format.
    pub mapping: Option<Mapping>,
    pub encoding: Option<&'static encoding_rs::Encoding>,
    pub delimiter: Option<u8>,
    pub no_header: bool,
    pub decimal_comma: bool,
    /// `NaN` and `Infinity`, which are no JSON, are taken for nothing.
    pub nan_is_none: bool,
}

/// What a format finds in a record.
#[derive(Debug)]
pub enum Found {
    Case(Box<case::Case>),
    /// A line that is to be read by itself: an envelope held it.
    Line(String),
    Reject(Reject),
    /// What is no case by itself, in words.
    Passed(&'static str),
}

impl Found {
    pub fn case(case: case::Case) -> Self {
        Self::Case(Box::new(case))
    }
}

/// Makes cases of records, one after another.
pub trait Cases: Send {
    fn take(&mut self, record: Map<String, Value>, to: &mut Vec<Found>);

    /// Makes a line of a row of texts at once, where that is the line of the case that [`Self::take`]
    /// makes of it; nothing where it has to be taken.
    fn line_of(&mut self, _cells: &Cells, _times: &Times) -> Option<Result<String, Reject>> {
        None
    }

    /// What waited for more.
    fn end(&mut self, _to: &mut Vec<Found>) {}
}
