//! One file for each format, and the table of them all.

pub mod argilla;
pub mod backflow;
pub mod brat;
pub mod cloudevents;
#[cfg(feature = "parquet")]
pub mod columnar;
pub mod conll;
pub mod croissant;
pub mod crowd_csv;
pub mod csv;
pub mod databricks;
pub mod doccano;
pub mod fasttext;
pub mod hf;
pub mod jsonl;
pub mod kafka;
pub mod kinesis;
pub mod label_studio;
pub mod langfuse;
pub mod langsmith;
pub mod monitor;
pub mod openai_batch;
mod ours;
pub mod openai_chat;
pub mod openinference;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod potato;
pub mod prodigy;
pub mod sagemaker;
pub mod scores_in;
pub mod spans;
pub mod table;
pub mod uima_cas;
pub mod vertex;

use serde_json::{Map, Value};

use super::foreign::LabelsIn;
use super::peer::PeerKind;
use super::read::{Cases, Options};

/// A format of predictions that come in.
pub struct CasesIn {
    /// Whether a record is of it, by its fields.
    pub claims: fn(&Map<String, Value>) -> bool,
    pub make: fn(&Options) -> Box<dyn Cases>,
    /// Fields of an outer object whose list holds the records.
    pub within: &'static [&'static str],
    /// Whether records of one file wait for those of another.
    pub joins: bool,
}

const fn each(
    claims: fn(&Map<String, Value>) -> bool,
    make: fn(&Options) -> Box<dyn Cases>,
) -> CasesIn {
    CasesIn { claims, make, within: &[], joins: false }
}

/// A format by its name.
pub struct Kind {
    pub name: &'static str,
    pub about: &'static str,
    pub cases: CasesIn,
}

const fn kind(name: &'static str, about: &'static str, cases: CasesIn) -> Kind {
    Kind { name, about, cases }
}

/// Every format whose predictions are read, the most telling first.
pub static KINDS: &[Kind] = &[
    kind("label-studio", "tasks of Label Studio", each(label_studio::claims, label_studio::cases)),
    kind("prodigy", "tasks of Prodigy", each(prodigy::claims, prodigy::cases)),
    kind("sagemaker", "captures of SageMaker", each(sagemaker::claims, sagemaker::cases)),
    kind(
        "azureml",
        "what the data collector of Azure ML writes",
        CasesIn { joins: true, ..each(cloudevents::claims_azure, cloudevents::azure_cases) },
    ),
    kind(
        "cloudevents",
        "requests and responses of KServe and Seldon",
        CasesIn { joins: true, ..each(cloudevents::claims, cloudevents::cases) },
    ),
    kind(
        "openai-batch",
        "batches of OpenAI, requests and results",
        CasesIn { joins: true, ..each(openai_batch::claims, openai_batch::cases) },
    ),
    kind(
        "openinference",
        "traces in OTLP JSON, with the names of OpenInference",
        each(openinference::claims, openinference::cases),
    ),
    kind("langsmith", "runs of LangSmith", each(langsmith::claims, langsmith::cases)),
    kind(
        "langfuse",
        "observations of Langfuse",
        CasesIn { within: langfuse::WITHIN, ..each(langfuse::claims, langfuse::cases) },
    ),
    kind(
        "kcat",
        "messages of Kafka: kcat -J, the console consumer, Lambda events",
        each(kafka::claims, kafka::cases),
    ),
    kind(
        "kinesis",
        "records of Kinesis: get-records, Lambda events",
        CasesIn { within: kinesis::WITHIN, ..each(kinesis::claims, kinesis::cases) },
    ),
    kind(
        "databricks",
        "inference tables of Databricks and MLflow",
        each(databricks::claims, databricks::cases),
    ),
    kind(
        "vertex",
        "requests and responses that Vertex AI logs to BigQuery",
        each(vertex::claims, vertex::cases),
    ),
    kind("jsonl", "JSON lines as casework has them", each(jsonl::claims, jsonl::cases)),
    kind(
        "monitor",
        "frames of NannyML, Evidently and whylogs",
        each(monitor::claims, monitor::cases),
    ),
    kind(
        "table",
        "rows whose columns say by their names what they are",
        each(table::claims, table::cases),
    ),
];

/// Every format of other programs that labels are written in.
pub static PEERS: &[&PeerKind] = &[
    &label_studio::PEER,
    &prodigy::PEER,
    &argilla::PEER,
    &doccano::PEER,
    &openai_chat::PEER,
    &crowd_csv::PEER,
    &brat::PEER,
    &uima_cas::PEER,
    &conll::PEER,
    &croissant::PEER,
    #[cfg(feature = "parquet")]
    &columnar::PARQUET,
    #[cfg(feature = "parquet")]
    &columnar::ARROW,
    #[cfg(feature = "parquet")]
    &columnar::HF,
    &backflow::GROUND_TRUTH,
    &backflow::LANGFUSE,
    &backflow::LANGSMITH,
    &backflow::PHOENIX,
];

/// Every format whose labels are read, the most telling first.
pub static LABELS: &[&LabelsIn] = &[
    &label_studio::LABELS,
    &prodigy::LABELS,
    &backflow::LABELS,
    &scores_in::PHOENIX,
    &scores_in::LANGSMITH,
    &scores_in::LANGFUSE,
    &argilla::LABELS,
    &potato::LABELS,
    &fasttext::LABELS,
    &conll::LABELS,
    &doccano::LABELS,
    &brat::LABELS,
    &uima_cas::LABELS,
    &crowd_csv::LABELS,
];

/// Those that only a build with the feature `parquet` writes.
pub const NOT_BUILT: &[&str] =
    if cfg!(feature = "parquet") { &[] } else { &["parquet", "arrow", "hf"] };

/// A format by its name.
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// A format as it is told to people: what of it is read, what is written, what has no place in it.
pub struct Told {
    pub name: &'static str,
    pub about: String,
    /// Whether predictions of it are read, labels are, and labels are written.
    pub cases: bool,
    pub labels: bool,
    pub rows: bool,
    /// Whether this build has it.
    pub built: bool,
    pub not: &'static str,
}

/// What has no place in formats, by their names.
const NOT: &[(&str, &str)] = &[
    ("brat", "in: events, attributes and relations; it names nobody; out: all but places and why"),
    (
        "uima-cas",
        "in: features of annotations, but for the value of named entities; out: all but places",
    ),
    (
        "conll",
        "in: which case a text is, and what stood between its tokens; out: all but places; those that overlap or end within a word",
    ),
    ("fasttext", "who labeled and when; labels with a blank, which whoever wrote them broke"),
    ("jsonl", "nothing: every field, numbers as they were written"),
    ("csv", "what would act on a terminal or in a spreadsheet is named; JSON lines keep it"),
    (
        "label-studio",
        "in: what single places were asked, relations, boxes (kept as `extra`), predictions that are bare ids; out: a label that only a model's answer sets is a choice of `label`",
    ),
    (
        "prodigy",
        "in: tokens, relations; out: of over 50 labels only the one chosen and the predicted are options",
    ),
    (
        "argilla",
        "in: rankings, vectors; in records.json whether a response was submitted; out: fields beside the label are texts",
    ),
    (
        "doccano",
        "in: relations; texts of its own rows keep no id unless meta has `id0`; out: rows without a text",
    ),
    ("potato", "links; it has neither texts nor times: cases have to be here"),
    ("langfuse", "observations inside of a trace, but for their model; scores of programs"),
    ("langsmith", "runs inside of a trace; feedback of programs"),
    ("phoenix", "annotations of programs"),
    ("openinference", "spans inside of a trace, but for their model and session"),
    ("sagemaker", "names of columns: the file has none"),
    ("openai-chat", "cases without a label; who labeled and why"),
    ("crowd-csv", "all but who, what and which"),
    ("sagemaker-ground-truth", "cases without a label; all but the label"),
    ("langfuse-scores", "cases without a trace"),
    ("langsmith-feedback", "cases that are no run"),
    ("phoenix-annotations", "cases without a span"),
];

/// Every format, by name.
pub fn told() -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    let mut add = |name: &'static str,
                   about: &'static str,
                   (cases, labels, rows, built): (bool, bool, bool, bool)| {
        match all.iter_mut().find(|told| told.name == name) {
            Some(told) => {
                told.cases |= cases;
                told.labels |= labels;
                told.rows |= rows;
                if !told.about.split("; ").any(|known| known == about) {
                    told.about = format!("{}; {about}", told.about);
                }
            }
            None => {
                let not = NOT.iter().find(|(of, _)| *of == name).map_or("", |(_, words)| words);
                let about = about.to_owned();
                all.push(Told { name, about, cases, labels, rows, built, not });
            }
        }
    };
    for kind in KINDS {
        add(kind.name, kind.about, (true, false, false, true));
    }
    add("csv", "CSV with a header and a column a field", (true, false, true, true));
    for name in ["parquet", "arrow"] {
        let about =
            if name == "parquet" { "Parquet files" } else { "Arrow files, streams and Feather" };
        add(name, about, (true, false, true, NOT_BUILT.is_empty()));
    }
    add("jsonl", "JSON lines as casework has them", (true, true, true, true));
    for labels in LABELS {
        add(labels.name, labels.about, (false, true, false, true));
    }
    for peer in PEERS {
        add(peer.name, peer.about, (false, false, true, true));
    }
    add(
        "hf",
        "a folder for datasets.load_dataset: a card and Parquet",
        (false, false, true, NOT_BUILT.is_empty()),
    );
    all.sort_by_key(|told| told.name);
    all
}

/// The same as a table, for the manual.
pub fn markdown() -> String {
    let mut out = String::from(
        "| format | what it is | predictions in | labels in | labels out | no place for |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for told in told() {
        let mark = |yes: bool| if yes { "yes" } else { "" };
        out.push_str(&format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            told.name,
            told.about,
            mark(told.cases),
            mark(told.labels),
            mark(told.rows),
            told.not
        ));
    }
    out
}
