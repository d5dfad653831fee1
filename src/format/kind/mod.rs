//! One file for each format, and the table of them all.

pub mod argilla;
pub mod backflow;
pub mod cloudevents;
#[cfg(feature = "parquet")]
pub mod columnar;
pub mod croissant;
pub mod crowd_csv;
pub mod csv;
pub mod databricks;
pub mod doccano;
pub mod hf;
pub mod jsonl;
pub mod kafka;
pub mod kinesis;
pub mod label_studio;
pub mod langfuse;
pub mod langsmith;
pub mod monitor;
pub mod openai_batch;
pub mod openai_chat;
pub mod openinference;
#[cfg(feature = "parquet")]
pub mod parquet;
pub mod prodigy;
pub mod sagemaker;
pub mod table;
pub mod vertex;

use serde_json::{Map, Value};

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

/// Those that only a build with the feature `parquet` writes.
pub const NOT_BUILT: &[&str] =
    if cfg!(feature = "parquet") { &[] } else { &["parquet", "arrow", "hf"] };

/// A format by its name.
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
