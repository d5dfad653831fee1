//! Labels in columns: Parquet, Arrow, and a folder that Hugging Face's `datasets` loads. The columns are
//! those of the format and the fields of the protocols in force: never what the rows happen to hold.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, StructBuilder,
    TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Fields, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::ours;
use crate::domain::time::Moment;
use crate::format::path::scalar;
use crate::format::peer::{Given, Item, Out, Peer, PeerKind, PeerOptions, sure_of};
use crate::format::row::Rows;

pub const PARQUET: PeerKind = PeerKind {
    name: "parquet",
    about: "Parquet files",
    folder: false,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Table::new(options, Into::Parquet)),
};
pub const ARROW: PeerKind = PeerKind {
    name: "arrow",
    about: "Arrow files, streams and Feather",
    folder: false,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Table::new(options, Into::Arrow)),
};
pub const HF: PeerKind = PeerKind {
    name: "hf",
    about: "a folder for datasets.load_dataset: a card and Parquet",
    folder: true,
    rows: &[Rows::Cases, Rows::Labels],
    make: |options| Box::new(Table::new(options, Into::Hf)),
};

/// Rows that are written together.
const BATCH_ROWS: usize = 8_192;
/// The one file of a folder that holds rows.
const SHARD: &str = "data/train-00000-of-00001.parquet";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Into {
    Parquet,
    Arrow,
    Hf,
}

/// Bytes that are written somewhere else later.
#[derive(Default, Clone)]
struct Bytes(Arc<std::sync::Mutex<Vec<u8>>>);

impl Bytes {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Writer {
    Parquet(Box<ArrowWriter<Bytes>>),
    Arrow(Box<FileWriter<Bytes>>),
}

struct Table {
    options: PeerOptions,
    into: Into,
    schema: Arc<Schema>,
    /// Fields of outcomes with a column of their own.
    fields: Vec<String>,
    /// Names of labels, where a label is written as its number.
    names: Vec<String>,
    columns: Columns,
    bytes: Bytes,
    writer: Option<Writer>,
    rows: u64,
    written: u64,
}

#[derive(Default)]
struct Columns {
    texts: Vec<StringBuilder>,
    occurred_at: Option<TimestampMillisecondBuilder>,
    erased: BooleanBuilder,
    sure: Float64Builder,
    flags: ListBuilder<StringBuilder>,
    label: StringBuilder,
    label_number: Int64Builder,
    outcome: Vec<StringBuilder>,
    confidence: Int64Builder,
    tags: ListBuilder<StringBuilder>,
    at: Option<TimestampMillisecondBuilder>,
    duration: Int64Builder,
    path: Option<ListBuilder<StructBuilder>>,
    evidence: Option<ListBuilder<StructBuilder>>,
}

/// Columns of texts before the others.
const TEXTS: [&str; 10] = [
    "id",
    "text",
    "case",
    "stream",
    "predicted",
    "trace_id",
    "session_id",
    "input",
    "model",
    "reviewer",
];
const TEXTS_AFTER: [&str; 5] = ["rationale", "protocol", "event", "outcome", "more"];

fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

fn list(inner: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", inner, true)))
}

fn steps() -> Fields {
    Fields::from(vec![
        Field::new("question", DataType::Utf8, true),
        Field::new("answer", DataType::Utf8, true),
    ])
}

fn places() -> Fields {
    Fields::from(vec![
        Field::new("start", DataType::Int64, true),
        Field::new("end", DataType::Int64, true),
    ])
}

fn times() -> TimestampMillisecondBuilder {
    TimestampMillisecondBuilder::new().with_timezone("UTC")
}

impl Table {
    fn new(options: PeerOptions, into: Into) -> Self {
        let mut fields: Vec<String> = Vec::new();
        for name in options.protocols.iter().flat_map(|protocol| protocol.fields()) {
            if name != "label" && !fields.iter().any(|known| known == name) {
                fields.push(name.to_owned());
            }
        }
        fields.sort_unstable();
        let mut columns = Vec::new();
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        columns.extend(TEXTS.map(text));
        columns.push(Field::new("occurred_at", time(), true));
        columns.push(Field::new("erased", DataType::Boolean, true));
        columns.push(Field::new("predicted_confidence", DataType::Float64, true));
        columns.push(Field::new("flags", list(DataType::Utf8), true));
        columns.push(Field::new(
            "label",
            if into == Into::Hf { DataType::Int64 } else { DataType::Utf8 },
            true,
        ));
        columns.extend(fields.iter().map(|name| text(&format!("outcome.{name}"))));
        columns.push(Field::new("confidence", DataType::Int64, true));
        columns.push(Field::new("tags", list(DataType::Utf8), true));
        columns.push(Field::new("at", time(), true));
        columns.push(Field::new("duration_ms", DataType::Int64, true));
        columns.push(Field::new("path", list(DataType::Struct(steps())), true));
        columns.push(Field::new("evidence", list(DataType::Struct(places())), true));
        columns.extend(TEXTS_AFTER.map(text));
        let names = options.labels();
        let mut table = Self {
            options,
            into,
            schema: Arc::new(Schema::new(columns)),
            fields,
            names,
            columns: Columns::default(),
            bytes: Bytes::default(),
            writer: None,
            rows: 0,
            written: 0,
        };
        table.columns = table.empty();
        table
    }

    fn empty(&self) -> Columns {
        let texts = (0..TEXTS.len() + TEXTS_AFTER.len()).map(|_| StringBuilder::new()).collect();
        Columns {
            texts,
            occurred_at: Some(times()),
            at: Some(times()),
            outcome: self.fields.iter().map(|_| StringBuilder::new()).collect(),
            path: Some(ListBuilder::new(StructBuilder::from_fields(steps(), 0))),
            evidence: Some(ListBuilder::new(StructBuilder::from_fields(places(), 0))),
            ..Columns::default()
        }
    }

    fn number(&mut self, label: &str) -> i64 {
        let known = self.names.iter().position(|name| name == label);
        let at = known.unwrap_or_else(|| {
            self.names.push(label.to_owned());
            self.names.len() - 1
        });
        at as i64
    }

    fn add(&mut self, item: &Item, given: &Given) -> io::Result<()> {
        let about = &item.about;
        let raw = |raw: &Option<Box<serde_json::value::RawValue>>| {
            raw.as_ref().map(|raw| raw.get().to_owned())
        };
        let number = given.label.as_deref().map(|label| self.number(label));
        let reviewer = given.reviewer.as_deref().map(|name| self.options.reviewer(name).to_owned());
        let whole = serde_json::to_string(&given.outcome)?;
        let texts: [Option<String>; TEXTS.len() + TEXTS_AFTER.len()] = [
            Some(about.id.clone()),
            Some(about.text.clone()),
            Some(about.case.to_string()),
            Some(about.stream.clone()),
            about.predicted.clone(),
            about.trace_id.clone(),
            about.session_id.clone(),
            raw(&about.input),
            raw(&about.model),
            reviewer,
            Some(given.rationale.clone()),
            Some(given.protocol.clone()),
            given.event.map(|event| event.to_string()),
            Some(whole),
            ours::more_text(given),
        ];
        let columns = &mut self.columns;
        for (builder, text) in columns.texts.iter_mut().zip(texts) {
            builder.append_option(text);
        }
        let ms = |text: &str| Moment::parse(text).map(|at| at.0);
        if let (Some(occurred), Some(at)) = (&mut columns.occurred_at, &mut columns.at) {
            occurred.append_option(ms(&about.occurred_at));
            at.append_option(ms(&given.at));
        }
        columns.erased.append_value(about.erased);
        columns.sure.append_option(sure_of(about).and_then(|sure| sure.as_f64()));
        about.flags.iter().for_each(|flag| columns.flags.values().append_value(flag));
        columns.flags.append(true);
        columns.label.append_option(given.label.as_deref());
        columns.label_number.append_option(number);
        for (builder, name) in columns.outcome.iter_mut().zip(&self.fields) {
            let value = given.outcome.get(name).filter(|value| !value.is_null());
            builder.append_option(value.map(|value| scalar(value)));
        }
        columns.confidence.append_option(given.confidence.map(i64::from));
        given.tags.iter().for_each(|tag| columns.tags.values().append_value(tag));
        columns.tags.append(true);
        columns.duration.append_option(given.duration_ms.and_then(|ms| i64::try_from(ms).ok()));
        if let Some(path) = &mut columns.path {
            for (question, answer) in &given.path {
                let step = path.values();
                for (at, text) in [question, answer].into_iter().enumerate() {
                    if let Some(builder) = step.field_builder::<StringBuilder>(at) {
                        builder.append_value(text);
                    }
                }
                step.append(true);
            }
            path.append(true);
        }
        if let Some(evidence) = &mut columns.evidence {
            for span in &given.evidence {
                let place = evidence.values();
                for (at, end) in [span.start, span.end].into_iter().enumerate() {
                    if let Some(builder) = place.field_builder::<Int64Builder>(at) {
                        builder.append_value(end as i64);
                    }
                }
                place.append(true);
            }
            evidence.append(true);
        }
        self.rows += 1;
        Ok(())
    }

    fn batch(&mut self) -> io::Result<RecordBatch> {
        let empty = self.empty();
        let mut columns = std::mem::replace(&mut self.columns, empty);
        let mut arrays: Vec<ArrayRef> = Vec::new();
        let mut texts = columns.texts.iter_mut().map(|text| Arc::new(text.finish()) as ArrayRef);
        arrays.extend(texts.by_ref().take(TEXTS.len()));
        let after: Vec<ArrayRef> = texts.collect();
        arrays.push(Arc::new(columns.occurred_at.unwrap_or_else(times).finish()));
        arrays.push(Arc::new(columns.erased.finish()));
        arrays.push(Arc::new(columns.sure.finish()));
        arrays.push(Arc::new(columns.flags.finish()));
        arrays.push(match self.into {
            Into::Hf => Arc::new(columns.label_number.finish()),
            _ => Arc::new(columns.label.finish()),
        });
        arrays.extend(columns.outcome.iter_mut().map(|text| Arc::new(text.finish()) as ArrayRef));
        arrays.push(Arc::new(columns.confidence.finish()));
        arrays.push(Arc::new(columns.tags.finish()));
        arrays.push(Arc::new(columns.at.unwrap_or_else(times).finish()));
        arrays.push(Arc::new(columns.duration.finish()));
        arrays.extend(columns.path.as_mut().map(|path| Arc::new(path.finish()) as ArrayRef));
        arrays.extend(columns.evidence.as_mut().map(|list| Arc::new(list.finish()) as ArrayRef));
        arrays.extend(after);
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(io::Error::other)
    }

    fn write(&mut self, out: &mut Out) -> io::Result<()> {
        let batch = self.batch()?;
        if self.writer.is_none() {
            self.writer = Some(self.begin()?);
        }
        match &mut self.writer {
            Some(Writer::Parquet(writer)) => {
                writer.write(&batch).map_err(io::Error::other)?;
            }
            Some(Writer::Arrow(writer)) => writer.write(&batch).map_err(io::Error::other)?,
            None => {}
        }
        self.written = self.rows;
        self.pass_on(out)
    }

    fn begin(&self) -> io::Result<Writer> {
        let to = self.bytes.clone();
        if self.into == Into::Arrow {
            let writer = FileWriter::try_new(to, &self.schema).map_err(io::Error::other)?;
            return Ok(Writer::Arrow(Box::new(writer)));
        }
        let level = ZstdLevel::try_new(3).map_err(io::Error::other)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(BATCH_ROWS * 8))
            .set_created_by("casework".to_owned())
            .build();
        let schema = Arc::clone(&self.schema);
        let writer =
            ArrowWriter::try_new(to, schema, Some(properties)).map_err(io::Error::other)?;
        Ok(Writer::Parquet(Box::new(writer)))
    }

    fn pass_on(&self, out: &mut Out) -> io::Result<()> {
        let name = if self.into == Into::Hf { SHARD } else { "" };
        out.file(name)?.write_all(&self.bytes.take())
    }

    /// The card of a folder: which columns there are, and how many rows.
    fn card(&self) -> String {
        let mut out = format!(
            "---\npretty_name: {}\ndataset_info:\n  features:\n",
            crate::db::to_json(&self.options.title)
        );
        for field in self.schema.fields() {
            let name = crate::db::to_json(field.name());
            let plain = |kind: &DataType| match kind {
                DataType::Utf8 => "string",
                DataType::Int64 => "int64",
                DataType::Float64 => "float64",
                DataType::Boolean => "bool",
                _ => "timestamp[ms, tz=UTC]",
            };
            if field.name() == "label" {
                out.push_str(&format!(
                    "  - name: {name}\n    dtype:\n      class_label:\n        names:\n"
                ));
                for (at, label) in self.names.iter().enumerate() {
                    out.push_str(&format!("          '{at}': {}\n", crate::db::to_json(label)));
                }
                continue;
            }
            match field.data_type() {
                DataType::List(inner) => match inner.data_type() {
                    DataType::Struct(fields) => {
                        out.push_str(&format!("  - name: {name}\n    list:\n"));
                        for inner in fields {
                            out.push_str(&format!(
                                "    - name: {}\n      dtype: {}\n",
                                inner.name(),
                                plain(inner.data_type())
                            ));
                        }
                    }
                    inner => {
                        out.push_str(&format!("  - name: {name}\n    sequence: {}\n", plain(inner)))
                    }
                },
                kind => out.push_str(&format!("  - name: {name}\n    dtype: {}\n", plain(kind))),
            }
        }
        out.push_str(&format!(
            "  splits:\n  - name: train\n    num_examples: {0}\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*\n---\n\n# {1}\n\nLabels exported from casework: {0} rows. `label` is what to train on, where there is anything to learn from;\n`outcome.*` are the fields that a protocol sets, `event` names the signed event that a row rests on.\n",
            self.rows, self.options.title
        ));
        out
    }
}

impl Peer for Table {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        for given in &item.given {
            self.add(item, given)?;
        }
        if self.rows - self.written >= BATCH_ROWS as u64 {
            self.write(out)?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> io::Result<()> {
        if self.names.is_empty() && self.into == Into::Hf {
            self.names.push("none".to_owned());
        }
        self.write(out)?;
        match self.writer.take() {
            Some(Writer::Parquet(writer)) => drop(writer.close().map_err(io::Error::other)?),
            Some(Writer::Arrow(mut writer)) => writer.finish().map_err(io::Error::other)?,
            None => {}
        }
        self.pass_on(out)?;
        if self.into == Into::Hf {
            out.file("README.md")?.write_all(self.card().as_bytes())?;
        }
        Ok(())
    }
}
