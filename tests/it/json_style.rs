//! One style over every `--json`: times RFC 3339 in UTC with milliseconds, shares from 0 to 1, counts
//! that are whole, people and cases under one name.

use casework::domain::time::Moment;
use serde_json::Value;

use crate::support::Place;

/// Every way in which a command prints documents, in a demo.
const WAYS: &[&[&str]] = &[
    &["status"],
    &["queue"],
    &["queue", "--explain"],
    &["queue", "--shares"],
    &["queue", "--state", "resolved"],
    &["show", "CASE"],
    &["search", "parcel"],
    &["labels"],
    &["traps"],
    &["suspects"],
    &["plugin", "list"],
    &["labels", "--all"],
    &["export"],
    &["export", "--rows", "cases"],
    &["export", "--recorded"],
    &["protocol", "show"],
    &["protocol", "replay", "1"],
    &["glossary", "show"],
    &["glossary", "history"],
    &["gold", "list"],
    &["gold", "trained"],
    &["precedents", "CASE"],
    &["conflicts"],
    &["agreement"],
    &["disagreements"],
    &["disagreements", "--by", "pair"],
    &["disagreements", "--by", "reviewer"],
    &["disagreements", "--by", "category"],
    &["disagreements", "--by", "case"],
    &["disagreements", "CASE"],
    &["arbitrate"],
    &["arbitrate", "CASE"],
    &["rulings"],
    &["calibrate"],
    &["calibrate", "show", "june"],
    &["calibrate", "replay", "june"],
    &["calibrate", "findings", "june"],
    &["sla"],
    &["sla", "check"],
    &["nudge", "--dry-run"],
    &["policy", "show"],
    &["roster", "show"],
    &["roster", "key", "list"],
    &["serve", "who"],
    &["serve", "log"],
    &["reliability"],
    &["reliability", "--roster"],
    &["profile"],
    &["consensus", "--method", "majority"],
    &["verify"],
    &["doctor"],
    &["paths"],
    &["erase", "--list"],
    &["trace", "CASE"],
    &["cut", "list"],
    &["run", "list"],
    &["gate", "list"],
    &["deploy", "list"],
    &["outcomes"],
    &["proposals"],
    &["catalog"],
    &["formats"],
    &["changelog"],
    &["audit", "outcomes"],
    &["audit", "due"],
    &["report", "--public"],
    &["undo"],
    &["redo"],
    &["comment", "CASE", "seen"],
    &["defer", "CASE", "later"],
    &["escalate", "CASE", "is it?"],
];

/// Commands that print no documents of their own, or need more than a demo.
const OTHERS: &[&str] = &[
    "init",
    "join",
    "sync",
    "demo",
    "ingest",
    "trap",
    "metrics",
    "reference",
    "label",
    "import",
    "train",
    "vouch",
    "countersign",
    "appeal",
    "report",
    "outcome",
    "backup",
    "audit",
    "attachment",
    "completions",
    "man",
    "help",
];

/// Keys whose values are times.
fn is_time(key: &str) -> bool {
    ["at", "due", "since", "until", "from", "last", "deadline", "written"].contains(&key)
        || (key.ends_with("_at") && !["parts_at", "stuck_at"].contains(&key))
        || key.ends_with("_due")
}

fn check(value: &Value, path: &str, faults: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let has = |name: &str| fields.contains_key(name);
            if has("who") && !has("reviewer") && !has("author") {
                faults.push(format!("{path}: `who` is `reviewer`, or `author`, everywhere else"));
            }
            for (key, value) in fields {
                let path = format!("{path}.{key}");
                // What a stream sent stands as it came.
                if ["line", "input", "prediction", "challenger", "evidence", "from"]
                    .contains(&key.as_str())
                    && value.is_object()
                {
                    continue;
                }
                // Where an edge of a graph begins.
                let is_edge = key == "from" && has("to") && has("why");
                if is_time(key) && !value.is_null() && !value.is_object() && !is_edge {
                    let text = value.as_str().unwrap_or_default();
                    let good =
                        text.len() == 24 && text.ends_with('Z') && Moment::parse(text).is_some();
                    if !good {
                        faults.push(format!(
                            "{path}: {value} is no time of RFC 3339 in UTC with milliseconds"
                        ));
                    }
                }
                if ["n", "entries", "pairs", "cases", "overdue", "parted", "differ"]
                    .contains(&key.as_str())
                    && value.as_f64().is_some()
                    && !value.is_u64()
                {
                    faults.push(format!("{path}: {value} is a count, and not whole"));
                }
                if (key == "interval" || key == "share")
                    && value.is_array()
                    && path.contains("percent")
                {
                    let inside = value
                        .as_array()
                        .unwrap()
                        .iter()
                        .all(|at| (0.0..=1.0).contains(&at.as_f64().unwrap()));
                    if !inside {
                        faults.push(format!("{path}: {value} is no share from 0 to 1"));
                    }
                }
                check(value, &path, faults);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check(item, path, faults)),
        _ => {}
    }
}

#[test]
fn every_document_is_in_one_style() {
    let place = Place::new();
    place.ok(&["demo", "--headless", "--dir", place.path().to_str().unwrap()]);
    let line = |text: String| serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap();
    let case = line(place.ok(&["arbitrate", "--json"]))["case"].as_str().unwrap().to_owned();
    place.ok(&["calibrate", "open", "june", "--random", "3", "--deadline", "3d"]);
    place.ok(&["calibrate", "reveal", "june", "--early"]);
    let mut faults = Vec::new();
    let mut documents = 0;
    for way in WAYS {
        let of = |word: &&str| match *word {
            "CASE" => case.clone(),
            word => word.to_owned(),
        };
        let args: Vec<String> = way.iter().map(of).collect();
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.push("--json");
        let output = place.run(&args);
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().unwrap() != 2, "{way:?}: {error}");
        for line in text.lines() {
            let document: Value = serde_json::from_str(line)
                .unwrap_or_else(|why| panic!("{way:?} prints no document a line: {why}: {line}"));
            check(&document, &way.join(" "), &mut faults);
            documents += 1;
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(documents > 400, "{documents}");
    for name in casework::cli::names() {
        let tried = WAYS.iter().any(|way| way[0] == name) || OTHERS.contains(&name.as_str());
        assert!(tried, "say in this test how `{name}` prints documents");
    }
}
