//! Whether two runs of one pipeline came to the same.

use crate::retrain::gate::{Predictions, read};

/// What two runs come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// `same bytes`, `same predictions`, `churn 0.0013` or `differs`.
    pub words: String,
    /// The share of predictions that differ; none where there are none to compare.
    pub churn: Option<f64>,
}

/// Compares hashes of all files, and predictions.
pub fn compare(same_bytes: bool, predictions: Option<(&str, &str)>, allowed: f64) -> Compared {
    let churn = predictions.and_then(|(one, two)| {
        // What both say after, held against each other.
        let (one, two) =
            (Predictions::after("the first run", one), Predictions::after("the second run", two));
        let rows = read(one, two).ok()?;
        let differ = rows.iter().filter(|row| row.before != row.after).count();
        Some(differ as f64 / rows.len().max(1) as f64)
    });
    let words = match churn {
        _ if same_bytes => "same bytes".to_owned(),
        Some(0.0) => "same predictions".to_owned(),
        Some(churn) if churn <= allowed => format!("churn {churn:.4}"),
        Some(churn) => format!("differs: churn {churn:.4}"),
        None => "differs".to_owned(),
    };
    Compared { words, churn: if same_bytes { Some(0.0) } else { churn } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_compared_by_what_they_say() {
        let one = "row,label,after,before\n1,a,a,b\n2,b,b,b\n";
        let two = "row,label,after,before\n1,a,a,b\n2,b,a,b\n";
        assert_eq!(compare(true, None, 0.0).words, "same bytes");
        assert_eq!(compare(false, Some((one, one)), 0.0).words, "same predictions");
        let churn = compare(false, Some((one, two)), 0.5);
        assert_eq!((churn.words.as_str(), churn.churn), ("churn 0.5000", Some(0.5)));
        assert_eq!(compare(false, Some((one, two)), 0.1).words, "differs: churn 0.5000");
        assert_eq!(compare(false, None, 0.1).words, "differs");
        let json = |after: &str| {
            format!("{{\"row\":1,\"label\":\"a\",\"before\":\"x\",\"after\":\"{after}\"}}\n")
        };
        let same = compare(false, Some((&json("a"), &json("a"))), 0.0);
        assert_eq!(same.words, "same predictions", "whatever was said before");
    }
}
