//! CSV with a header. Lists and objects stand in their cells as JSON.
//!
//! CSV is for people and their spreadsheets: what would act on a terminal is named, and a text that
//! would be run as a formula gets an apostrophe before it. JSON lines keep every text as it is.

use std::io::{self, Write};

use super::{ExportRow, Format, FormatKind};
use crate::domain::text::visible;

pub const KIND: FormatKind = FormatKind {
    name: "csv",
    about: "CSV with a header, for spreadsheets",
    make: || Box::new(Csv { header: false }),
};

struct Csv {
    header: bool,
}

impl Format for Csv {
    fn row(&mut self, out: &mut dyn Write, row: &ExportRow) -> io::Result<()> {
        let columns = row.columns();
        let mut writer = csv::Writer::from_writer(out);
        if !std::mem::replace(&mut self.header, true) {
            writer.write_record(columns.iter().map(|(name, _)| name))?;
        }
        writer.write_record(columns.iter().map(|(_, text)| harmless(text)))?;
        writer.flush()
    }
}

fn harmless(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(visible).collect();
    let text = lines.join("\n");
    let acts = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if acts { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn formulas_are_made_texts_and_numbers_are_left() {
        assert_eq!(harmless("=1+1"), "'=1+1");
        assert_eq!(harmless("-0.5"), "-0.5");
        assert_eq!(harmless("two\nlines\u{1b}[0m"), "two\nlines«ESC»[0m");
    }
}
