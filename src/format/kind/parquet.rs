//! Rows of texts as Parquet: one group of rows after another, each column of texts that may be
//! missing. The bytes are the same for the same rows, with one version of the library.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

const GROUP_ROWS: usize = 65_536;

/// Writes rows, given as the values of their columns.
///
/// # Errors
/// Those of the library and of what is written to.
pub fn write<W: Write + Send>(to: W, columns: &[&str], rows: &[Vec<Option<String>>]) -> Result<()> {
    let fields: String =
        columns.iter().map(|name| format!("OPTIONAL BYTE_ARRAY {name} (UTF8); ")).collect();
    let schema = Arc::new(parse_message_type(&format!("message rows {{ {fields} }}"))?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by("casework".to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(to, schema, Arc::new(properties))?;
    for group in rows.chunks(GROUP_ROWS) {
        let mut out = writer.next_row_group()?;
        for at in 0..columns.len() {
            let Some(mut column) = out.next_column()? else { break };
            let of = |row: &Vec<Option<String>>| row.get(at).cloned().flatten();
            let present: Vec<i16> = group.iter().map(|row| i16::from(of(row).is_some())).collect();
            let values: Vec<ByteArray> = group
                .iter()
                .filter_map(|row| of(row).map(|text| ByteArray::from(text.into_bytes())))
                .collect();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&present), None)?;
            column.close()?;
        }
        out.close()?;
    }
    writer.close().map(drop)
}
