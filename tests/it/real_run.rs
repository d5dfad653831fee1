//! The whole journey on real data: stream, logs, protocol, the recorded reviewers, and what comes
//! out.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::support::{Place, fixture, shared};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn csv(text: &str) -> Vec<Vec<String>> {
    csv::Reader::from_reader(text.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn recorded_reviews_come_to_the_outcomes_that_the_files_say() {
    let Some(data) = shared("recorded_reviews_come_to_the_outcomes_that_the_files_say") else {
        return;
    };
    let place = Place::new();
    place.create();
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    let logs = [path("stream/logs/gateway.jsonl"), path("stream/logs/model-server.log")];
    let out = place.ok(&[
        "ingest",
        &path("stream/stream.jsonl"),
        "--logs",
        &logs[0],
        "--logs",
        &logs[1],
        "--json",
    ]);
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (summary["opened"].as_u64(), summary["duplicate"].as_u64(), summary["rejected"].as_u64()),
        (Some(1985), Some(15), Some(0))
    );

    place.ok(&["protocol", "publish", fixture("intent-edge-cases.toml").to_str().unwrap()]);
    place.ok(&["policy", "set", "overlap=2", "limit=2", "rule=majority", "on=label"]);
    let import = place.ok(&[
        "import",
        "labels",
        &path("reviews/reviews.jsonl"),
        "--format",
        "jsonl",
        "--json",
    ]);
    let import: Value = serde_json::from_str(&import).unwrap();
    assert_eq!(
        (import["imported"].as_u64(), import["rejected"].as_u64()),
        (Some(2173), Some(0)),
        "{import}"
    );
    let again: Value = serde_json::from_str(&place.ok(&[
        "import",
        "labels",
        &path("reviews/reviews.jsonl"),
        "--format",
        "jsonl",
        "--json",
    ]))
    .unwrap();
    assert_eq!(again["duplicate"].as_u64(), Some(2173), "a second import changes nothing");

    let status: Value = serde_json::from_str(&place.ok(&["status", "--json"])).unwrap();
    let mut votes: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for row in csv(&fs::read_to_string(data.join("reviews/final_labels.csv")).unwrap()) {
        *votes.entry(row[0].clone()).or_default().entry(row[2].clone()).or_default() += 1;
    }
    let winner = |counts: &BTreeMap<String, usize>| {
        let most = counts.values().max().unwrap();
        let mut top = counts.iter().filter(|(_, n)| *n == most);
        top.next()
            .filter(|_| counts.values().filter(|n| *n == most).count() == 1)
            .map(|(label, _)| label.clone())
    };
    let expected: BTreeMap<String, String> =
        votes.iter().filter_map(|(case, counts)| Some((case.clone(), winner(counts)?))).collect();
    assert_eq!(status["cases"]["resolved"].as_u64(), Some(expected.len() as u64));
    assert_eq!(status["cases"]["disputed"].as_u64(), Some((votes.len() - expected.len()) as u64));
    assert_eq!(status["labels"].as_u64(), Some(2173));

    let cases = lines(&place.ok(&["export", "--rows", "cases"]));
    for case in &cases {
        let label = case["label"].as_str().unwrap_or_default();
        assert_eq!(
            Some(label),
            expected.get(case["id"].as_str().unwrap()).map(String::as_str),
            "{}",
            case["id"]
        );
    }
    // The curated set of the files is these rows, each text once, those without a label left out.
    let mut times: Vec<(&str, &str, &str, &str)> = cases
        .iter()
        .map(|case| {
            let field = |name: &str| case[name].as_str().unwrap_or_default();
            (field("occurred_at"), field("id"), field("text"), field("label"))
        })
        .collect();
    times.sort_unstable();
    let mut seen = std::collections::HashSet::new();
    let ours: Vec<(&str, &str)> = times
        .iter()
        .filter(|row| !row.3.is_empty() && seen.insert(row.2))
        .map(|row| (row.1, row.3))
        .collect();
    let curated = lines(&fs::read_to_string(data.join("reviews/curated_majority.jsonl")).unwrap());
    let theirs: Vec<(&str, &str)> = curated
        .iter()
        .map(|row| (row["case_id"].as_str().unwrap(), row["label"].as_str().unwrap()))
        .collect();
    assert_eq!(ours, theirs);

    // Every exported label says who, when, why, by which path and version, and which event.
    let labels = lines(&place.ok(&["export"]));
    let reviews = lines(&fs::read_to_string(data.join("reviews/reviews.jsonl")).unwrap());
    assert_eq!(labels.len(), reviews.len());
    let find = |review: &Value| {
        labels.iter().find(|row| {
            row["id"] == review["case_id"]
                && row["reviewer"] == review["reviewer"]
                && row["at"] == review["submitted_at"]
        })
    };
    for review in &reviews {
        let row = find(review).unwrap();
        assert_eq!(row["outcome"]["verdict"], review["verdict"]);
        assert_eq!(row["rationale"], review["rationale"]);
        assert_eq!(row["round"] == "main", review["pass"] == 1);
        assert_eq!(
            row["label"].as_str().unwrap_or_default(),
            review["final_label"].as_str().unwrap_or_default()
        );
        assert!(row["event"].as_str().unwrap().split(':').count() == 3 && row["version"] == 1);
    }
    assert!(place.open().verify_all(false).unwrap().ok);
}
