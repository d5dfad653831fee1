//! One style over every `--json`: times RFC 3339 in UTC with milliseconds, shares from 0 to 1, counts
//! that are whole, people and cases under one name.

use std::fs;

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
    &["verify", "--quick"],
    &["trap", "show"],
    &["trap", "alarms"],
    &["trap", "detect", "FILE", "--column", "confidence"],
    &["cut", "show", "desk"],
    &["run", "show", "RUN"],
    &["trace", "RUN"],
    &["formats", "csv"],
    &["catalog", "parcel"],
    &["queue", "--why", "CASE"],
    &["agreement", "--field", "label"],
    &["consensus", "--method", "hierarchical", "--reviewers-min", "1", "--tasks-min", "1"],
    &["consensus", "--method", "paths", "--reviewers-min", "1", "--tasks-min", "1"],
    &["disagreements", "--question", "scope"],
    &["attachment", "CASE"],
    &["calibrate", "size"],
    &["protocol", "check", "PROTOCOL"],
    &["protocol", "diff", "PROTOCOL"],
    &["ingest", "FILE"],
    &["ingest", "FILE", "--dry-run", "--where", "confidence < 0.9"],
    &["ingest", "FILE", "--explain"],
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
            if has("value") && has("n") && has("interval") {
                match fields.get("reason") {
                    None => faults.push(format!("{path}: a figure has a `reason`")),
                    Some(Value::Null) if fields["value"].is_null() => {
                        faults.push(format!("{path}: a figure that is null says why"));
                    }
                    Some(_) => {}
                }
            }
            if fields.get("case").is_some_and(Value::is_string) && !has("id") {
                faults.push(format!("{path}: a `case` without its `id`"));
            }
            for (key, value) in fields {
                let unit = ["_seconds", "_s", "_secs", "_minutes", "_hours", "_days", "_us", "_ns"]
                    .iter()
                    .find_map(|unit| key.strip_suffix(unit));
                // What a policy sets is called as people type it.
                let is_setting = path == "policy show";
                let unit = unit.filter(|stem| !is_setting && !has(&format!("{stem}_ms")));
                if let Some(stem) = unit {
                    faults.push(format!("{path}.{key}: a duration is {stem}_ms"));
                }
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
        Value::Array(items) => {
            let mut objects = items.iter().filter(|item| item.is_object()).map(keys_of);
            let first = objects.next().unwrap_or_default();
            if let Some(other) = objects.find(|keys| *keys != first) {
                faults.push(format!("{path}: {first:?} here, {other:?} there"));
            }
            items.iter().for_each(|item| check(item, path, faults));
        }
        _ => {}
    }
}

/// The keys of a document, which are always there.
fn keys_of(document: &Value) -> Vec<String> {
    let mut keys: Vec<String> =
        document.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
    keys.sort();
    keys
}

#[test]
fn every_document_is_in_one_style() {
    let place = Place::new();
    place.ok(&["demo", "--headless", "--dir", place.path().to_str().unwrap()]);
    let line = |text: String| serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap();
    let case = line(place.ok(&["arbitrate", "--json"]))["case"].as_str().unwrap().to_owned();
    place.ok(&["calibrate", "open", "june", "--random", "3", "--deadline", "3d"]);
    place.ok(&["calibrate", "reveal", "june", "--early"]);
    let run = line(place.ok(&["run", "list", "--json"]))["run"].as_str().unwrap().to_owned();
    let file = place.dir.path().join("more.jsonl");
    let more = (0..40).map(|n| crate::support::line(&format!("m{n}"), "again", "x", 0.3, n));
    fs::write(&file, more.collect::<String>()).unwrap();
    let protocol = place.dir.path().join("protocol.toml");
    fs::write(&protocol, place.ok(&["protocol", "show"])).unwrap();
    let mut faults = Vec::new();
    let mut documents = 0;
    for way in WAYS {
        let of = |word: &&str| match *word {
            "CASE" => case.clone(),
            "RUN" => run.clone(),
            "FILE" => file.display().to_string(),
            "PROTOCOL" => protocol.display().to_string(),
            word => word.to_owned(),
        };
        let args: Vec<String> = way.iter().map(of).collect();
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.push("--json");
        let output = place.run(&args);
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().unwrap() != 2, "{way:?}: {error}");
        let mut shape: Option<Vec<String>> = None;
        for line in text.lines() {
            let document: Value = serde_json::from_str(line)
                .unwrap_or_else(|why| panic!("{way:?} prints no document a line: {why}: {line}"));
            check(&document, &way.join(" "), &mut faults);
            let keys = keys_of(&document);
            let known = shape.get_or_insert_with(|| keys.clone());
            if *known != keys {
                let differ: Vec<&String> = known
                    .iter()
                    .filter(|key| !keys.contains(key))
                    .chain(keys.iter().filter(|key| !known.contains(key)))
                    .collect();
                faults.push(format!("{}: {differ:?} are not in each line", way.join(" ")));
            }
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
