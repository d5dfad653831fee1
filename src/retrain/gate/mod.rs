//! Gates: whether a retrained model may be deployed. What was to be fixed is fixed, nothing else
//! got worse, or it can't be told: three answers, line by line.

mod decide;
mod file;
mod metrics;
mod predictions;

pub use decide::{Decision, Line, Verdict, decide};
pub use file::{GateFile, Metric, Must};
pub use metrics::metrics_of;
pub use predictions::{BadPredictions, Compared, Predictions, check as check_predictions, read};
