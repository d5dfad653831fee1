//! Files of other programs are read as those programs mean them: each folder of the shared files has
//! what a right reading yields, made by the other program's own reader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use casework::domain::logline::LogLine;
use casework::domain::prediction::Row;
use casework::domain::time::Moment;
use casework::format::log::{LogOptions, told, unwrap};
use casework::format::open::{Input, Inputs};
use casework::format::read::Options;
use casework::format::read::bytes::{Count, Flaws, decode, unpack};
use casework::format::read::files::parts_of;
use casework::format::times::{Times, Zone};
use casework::intake::read::read_chunks;
use serde_json::Value;

use crate::support::{Place, shared};

/// What was read of some files.
#[derive(Default)]
struct Read {
    cases: Vec<Value>,
    /// Lines or numbers, and why.
    rejects: Vec<(u64, String)>,
    passed: u64,
    flaws: Vec<String>,
}

impl Read {
    fn of(&self, id: &str) -> &Value {
        let found = self.cases.iter().find(|case| case["id"] == id);
        found.unwrap_or_else(|| panic!("no case {id} among {:?}", self.ids()))
    }

    fn ids(&self) -> Vec<&str> {
        self.cases.iter().map(|case| case["id"].as_str().unwrap()).collect()
    }
}

fn read_with(paths: &[PathBuf], options: Options) -> Read {
    let parts = paths.iter().flat_map(|path| parts_of(path).unwrap()).collect();
    let inputs = Inputs::new(parts, options, Arc::new(AtomicBool::new(false)));
    let mut read = Read::default();
    let mut take = |number: u64, line: Result<String, String>| {
        let row = line.and_then(|line| {
            Row::parse(&line).map_err(|reject| reject.to_string())?;
            Ok(serde_json::from_str(&line).unwrap())
        });
        match row {
            Ok(case) => read.cases.push(case),
            Err(why) => read.rejects.push((number, why)),
        }
    };
    let (mut passed, mut flaws) = (0, Vec::new());
    while let Some(opened) = inputs.next_input().unwrap() {
        match opened.input {
            Input::Lines(lines) => read_chunks(
                lines,
                || true,
                |chunk| {
                    for (number, at) in chunk.lines().filter(|(_, at)| !at.is_empty()) {
                        take(number, Ok(chunk.text[at].to_owned()));
                    }
                    true
                },
            )
            .unwrap(),
            Input::Records(records) => {
                for record in records {
                    let record = record.unwrap();
                    take(record.number, record.line.map_err(|reject| reject.to_string()));
                }
            }
        }
        passed += opened.told.passed().values().sum::<u64>();
        flaws.extend(opened.told.flaws.take());
    }
    (read.passed, read.flaws) = (passed, flaws);
    read
}

fn read(paths: &[PathBuf]) -> Read {
    read_with(paths, Options::default())
}

fn expected(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap()
}

fn at(text: &Value) -> Option<Moment> {
    Moment::parse(text.as_str()?)
}

/// Whether a case has what is expected of it, as far as that is said.
fn same(case: &Value, expect: &Value, of: &str) {
    let check = |what: &str, found: &Value, expect: Option<&Value>| {
        if let Some(expect) = expect {
            let alike = match (found.as_f64(), expect.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                _ => found == expect,
            };
            assert!(alike, "{of}: {what} is {found}, not {expect}: {case}");
        }
    };
    check("text", &case["input"]["text"], expect.get("text"));
    check("label", &case["prediction"]["label"], expect.get("label"));
    check("confidence", &case["prediction"]["confidence"], expect.get("confidence"));
    check("trace", &case["trace_id"], expect.get("trace_id"));
    check("session", &case["input"]["session_id"], expect.get("session"));
    if let Some(expect) = expect.get("occurred_at").filter(|at| !at.is_null()) {
        assert_eq!(at(&case["occurred_at"]), at(expect), "{of}: {case}");
    }
    if let Some(model) = expect.get("model").filter(|model| !model.is_null()) {
        assert_eq!(&case["model"]["name"], model, "{of}: {case}");
    }
}

fn formats(test: &str) -> Option<PathBuf> {
    shared(&format!("formats::{test}")).map(|data| data.join("formats"))
}

#[test]
fn csv_of_every_dialect_is_the_same() {
    let Some(data) = formats("csv_of_every_dialect_is_the_same") else { return };
    let folder = data.join("csv");
    let expect = expected(&folder);
    let german = || Options {
        encoding: casework::format::read::bytes::encoding("windows-1252").ok(),
        decimal_comma: true,
        times: Times {
            zone: Some(Zone::UTC),
            written: Some("%d.%m.%Y %H:%M:%S".to_owned()),
            missing: None,
        },
        ..Options::default()
    };
    let headless = || Options {
        no_header: true,
        columns: [
            ("id", "c1"),
            ("occurred_at", "c2"),
            ("text", "c3"),
            ("label", "c4"),
            ("confidence", "c5"),
        ]
        .map(|(role, name)| (role, name.to_owned()))
        .to_vec(),
        over: Some(casework::format::mapping::Mapping::default()),
        ..Options::default()
    };
    for (file, options) in [
        ("comma-utf8.csv", Options::default()),
        ("bom-utf8-crlf.csv", Options::default()),
        ("tab-utf16le-bom.tsv", Options::default()),
        ("excel-sep-line.csv", Options::default()),
        ("broken-rows.csv", Options::default()),
        ("excel-de-semicolon-cp1252.csv", german()),
        ("pipe-no-header.csv", headless()),
    ] {
        let found = read_with(&[folder.join(file)], options);
        let content = expect["content"].as_array().unwrap();
        assert_eq!(found.cases.len(), content.len(), "{file}: {:?}", found.rejects);
        let rejected = expect["files"][file]["rejected"].as_u64().unwrap_or(0);
        assert_eq!(found.rejects.len() as u64, rejected, "{file}: {:?}", found.rejects);
        for row in content {
            let case = found.of(row["id"].as_str().unwrap());
            assert_eq!(case["input"]["text"], row["text"], "{file}");
            assert_eq!(case["prediction"]["label"], row["label"], "{file}");
            assert_eq!(case["prediction"]["confidence"].as_f64(), row["score"].as_f64(), "{file}");
            let (found, expect) =
                (at(&case["occurred_at"]).unwrap().0, at(&row["when"]).unwrap().0);
            // Excel wrote no milliseconds.
            assert_eq!(found / 1_000, expect / 1_000, "{file}");
        }
    }
    let found = read(&[folder.join("broken-rows.csv")]);
    let lines: Vec<u64> = found.rejects.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 7, 11], "lines are counted as an editor counts them");
    let found = read(&[folder.join("null-words.csv")]);
    let labels = expect["files"]["null-words.csv"]["labels"].as_array().unwrap();
    assert_eq!(found.cases.len(), labels.len());
    for (case, label) in found.cases.iter().zip(labels) {
        let expect = if label == "" { &Value::Null } else { label };
        assert_eq!(case.pointer("/prediction/label").unwrap_or(&Value::Null), expect);
    }
}

#[test]
fn what_is_packed_is_told_by_its_bytes() {
    let Some(data) = formats("what_is_packed_is_told_by_its_bytes") else { return };
    let folder = data.join("compressed");
    let expect = expected(&folder);
    let ids: Vec<&str> =
        expect["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    for file in [
        "a.jsonl.gz",
        "two-members.jsonl.gz",
        "a.jsonl.zst",
        "two-frames.jsonl.zst",
        "named-wrong.jsonl",
        "a.jsonl.bz2",
        "a.zip",
    ] {
        let found = read(&[folder.join(file)]);
        assert_eq!((found.ids(), found.flaws.len()), (ids.clone(), 0), "{file}");
    }
    let found = read(&[folder.join("truncated.jsonl.gz")]);
    assert!(
        found.cases.len() < 6
            && found.flaws[0].contains("truncated.jsonl.gz")
            && found.flaws[0].contains("at byte"),
        "{:?}",
        found.flaws
    );
    let found = read(&[folder.join("folder")]);
    assert_eq!(found.cases.len(), 8, "in the order of paths, without what is no data");
    // Through the program: what was whole is taken in, and it ends with 2.
    let place = Place::new();
    drop(place.create());
    let output = place.run(&["ingest", folder.join("truncated.jsonl.gz").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let output = place.ok(&["ingest", folder.join("folder").to_str().unwrap(), "--json"]);
    let summary: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(summary["read"], 8, "{summary}");
    assert_eq!(summary["opened"].as_u64().unwrap() + summary["duplicate"].as_u64().unwrap(), 8);
}

#[test]
fn captures_of_every_service_become_cases() {
    let Some(data) = formats("captures_of_every_service_become_cases") else { return };
    let check = |folder: &str, file: &str, of: &str| {
        let expect = expected(&data.join(folder));
        let path = if file.is_empty() { data.join(folder) } else { data.join(folder).join(file) };
        let items = if of.is_empty() { &expect } else { &expect["files"][of] };
        let found = read(&[path]);
        let named = |item: &Value| {
            let id =
                ["id", "stream_id"].iter().find_map(|name| item[*name].as_str().map(str::to_owned));
            id.unwrap()
        };
        let wanted: Vec<&Value> = items["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|item| item.get("rejected").is_none())
            .collect();
        assert_eq!(
            found.cases.len(),
            wanted.len(),
            "{folder}: {:?} {:?}",
            found.ids(),
            found.rejects
        );
        for item in wanted {
            same(found.of(&named(item)), item, &format!("{folder}/{file}"));
        }
        found
    };
    let found =
        check("sagemaker-capture", "17-00-00-000-capture.jsonl", "17-00-00-000-capture.jsonl");
    let without = found.cases.iter().filter(|case| case["prediction"].is_null()).count();
    assert_eq!(without, 1);
    let items = expected(&data.join("sagemaker-capture"));
    for item in items["files"]["17-00-00-000-capture.jsonl"]["items"].as_array().unwrap() {
        let case = found.of(item["id"].as_str().unwrap());
        if item["input_encoding"] != "JSON" {
            assert_eq!(case["input"]["text"], item["input_csv"], "{case}");
        }
        // Where it says a class and how sure it is, the file's reader took the second.
        let number = |of: &str| {
            let value = case.pointer(of)?;
            value.as_f64().or_else(|| value.as_str()?.parse::<f64>().ok())
        };
        let said = [number("/prediction/label"), number("/prediction/confidence")];
        assert!(said.contains(&item["output"].as_f64()), "{case}");
    }
    check("vertex-logging", "bq-export.jsonl", "");
    check("kserve-cloudevents", "message-dumper.jsonl", "message-dumper.jsonl");
    let found = check("openinference", "spans.otlp.jsonl", "");
    assert_eq!(found.passed, 5);
    check("langfuse", "observations-v2.json", "observations-v2.json");
    check("langsmith", "runs.jsonl", "runs.jsonl");
    // Inputs and outputs lie in two trees of folders.
    let azure = data.join("azureml-data-collector");
    let found = read(&[azure.join("model_inputs"), azure.join("model_outputs")]);
    let expect = expected(&azure);
    for item in expect["items"].as_array().unwrap() {
        let case = found.of(item["id"].as_str().unwrap());
        assert_eq!(case["input"], item["input"]);
        assert_eq!(case["prediction"]["label"], item["output"]["default"].to_string());
        assert_eq!(case["prediction"]["confidence"], item["output"]["probability"]);
        assert_eq!(at(&case["occurred_at"]), at(&expect["occurred_at"]));
    }
    // Requests and results in two files, in either order.
    let openai = data.join("openai");
    let options = || Options {
        times: Times { missing: Some(Moment(0)), ..Times::default() },
        ..Options::default()
    };
    let files = [openai.join("batch_input.jsonl"), openai.join("batch_output.jsonl")];
    let expect = expected(&openai);
    let batch = &expect["files"]["batch_input.jsonl + batch_output.jsonl"];
    for files in [files.clone(), [files[1].clone(), files[0].clone()]] {
        let found = read_with(&files, options());
        assert_eq!(found.cases.len() as u64, batch["cases"].as_u64().unwrap());
        for item in batch["items"].as_array().unwrap() {
            same(found.of(item["id"].as_str().unwrap()), item, "openai");
        }
    }
    assert_eq!(read(&files).rejects.len(), 2, "what failed has no time, and none is made up");
}

#[test]
fn envelopes_of_kafka_and_kinesis_are_opened() {
    let Some(data) = formats("envelopes_of_kafka_and_kinesis_are_opened") else { return };
    let folder = data.join("kafka-kinesis");
    let expect = expected(&folder);
    for (file, of) in expect["files"].as_object().unwrap() {
        let of = of.get("same_as").map_or(of, |other| &expect["files"][other.as_str().unwrap()]);
        let found = read(&[folder.join(file)]);
        assert_eq!(found.cases.len() as u64, of["cases"].as_u64().unwrap(), "{file}");
        if let Some(ids) = of["ids"].as_array() {
            let ids: Vec<&str> = ids.iter().map(|id| id.as_str().unwrap()).collect();
            assert_eq!(found.ids(), ids, "{file}");
        }
        let all = found.cases.len() + found.rejects.len() + found.passed as usize;
        assert_eq!(all as u64, of["records"].as_u64().unwrap(), "{file}: every record is counted");
        assert_eq!(found.passed, of["tombstones"].as_u64().unwrap_or(0), "{file}");
    }
}

#[test]
fn frames_of_monitors_are_read_once_their_zone_is_named() {
    let Some(data) = formats("frames_of_monitors_are_read_once_their_zone_is_named") else {
        return;
    };
    let folder = data.join("monitor-frames");
    let expect = expected(&folder);
    for file in ["mc_analysis.csv", "synthetic_car_loan_analysis.csv"] {
        let of = &expect["files"][file];
        let refused = read(&[folder.join(file)]);
        assert_eq!(refused.rejects.len() as u64, of["rows"].as_u64().unwrap());
        let options = Options {
            times: Times { zone: Some(Zone::UTC), ..Times::default() },
            ..Options::default()
        };
        let found = read_with(&[folder.join(file)], options);
        assert_eq!(found.cases.len() as u64, of["rows"].as_u64().unwrap());
        let (first, case) = (of["first"].as_object().unwrap(), &found.cases[0]);
        assert_eq!((&case["id"], &case["prediction"]["label"]), (&first["id"], &first["y_pred"]));
        for (name, value) in first {
            if !name.starts_with("y_pred") && !["id", "timestamp"].contains(&name.as_str()) {
                assert_eq!(&case["input"][name], value);
            }
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn rows_of_parquet_and_arrow_are_read_with_every_digit() {
    let Some(data) = formats("rows_of_parquet_and_arrow_are_read_with_every_digit") else { return };
    for folder in ["parquet", "arrow-ipc"] {
        let expect = expected(&data.join(folder));
        for file in expect["files"].as_array().unwrap() {
            let file = file.as_str().unwrap();
            let found = read(&[data.join(folder).join(file)]);
            let items = expect["items"].as_array().unwrap();
            assert_eq!(found.cases.len(), items.len(), "{file}: {:?}", found.rejects);
            for (case, item) in found.cases.iter().zip(items) {
                assert_eq!(case["id"], item["id"]);
                same(case, item, file);
                if let Some(n) = case["input"].get("n") {
                    assert_eq!(n.to_string(), item["n"].to_string(), "{file}");
                }
            }
        }
    }
    let check = |folder: &str, file: &str| {
        let expect = expected(&data.join(folder));
        let found = read(&[data.join(folder).join(file)]);
        for item in expect["items"].as_array().unwrap() {
            match item["rejected"].as_str() {
                Some(id) => {
                    assert!(found.rejects.iter().any(|(_, why)| why.contains(id)), "{file}")
                }
                None => same(found.of(item["id"].as_str().unwrap()), item, file),
            }
        }
    };
    check("vertex-logging", "bq-export.parquet");
    check("databricks-inference", "payload.parquet");
    check("databricks-inference", "payload-legacy.parquet");
}

/// The lines that a log wraps, as they are read.
fn unwrapped(path: &Path, options: LogOptions) -> Vec<LogLine> {
    let count = Count::default();
    let flaws = Flaws::default();
    let file = Box::new(std::fs::File::open(path).unwrap());
    let (input, head, mut layers) = unpack(file, "f", (&count, &flaws)).unwrap();
    let bytes = decode(input, head, None, &mut layers).unwrap();
    let kind = told(&String::from_utf8_lossy(&bytes.head), options);
    let mut lines = Vec::new();
    let kind = kind.unwrap_or_else(|| panic!("{} is no log that is known", path.display()));
    let done = unwrap(kind, bytes.reader, "f", options, &flaws, |line| {
        lines.push(LogLine::parse(line));
        Ok(())
    })
    .unwrap();
    assert_eq!((done.trouble, flaws.take()), (None, vec![]), "{}", path.display());
    lines
}

#[test]
fn logs_come_out_of_their_envelopes() {
    let Some(data) = formats("logs_come_out_of_their_envelopes") else { return };
    for folder in ["node-logs", "cloud-logs", "otlp-logs"] {
        let expect = expected(&data.join(folder));
        for (file, of) in expect["files"].as_object().unwrap() {
            let of =
                of.get("same_as").map_or(of, |other| &expect["files"][other.as_str().unwrap()]);
            let lines = unwrapped(&data.join(folder).join(file), LogOptions::default());
            assert_eq!(lines.len() as u64, of["records"].as_u64().unwrap(), "{file}: {lines:?}");
            if let Some(traces) = of["trace_ids"].as_array() {
                let found: Vec<Option<&str>> =
                    lines.iter().map(|line| line.trace_id.as_deref()).collect();
                let traces: Vec<Option<&str>> = traces.iter().map(Value::as_str).collect();
                assert_eq!(found, traces, "{file}");
            }
            for (name, ms) in [("times", 1), ("times_ms", 1)] {
                for (line, time) in lines.iter().zip(of[name].as_array().into_iter().flatten()) {
                    let time = at(time).map_or_else(|| time.as_i64().unwrap() * ms, |at| at.0);
                    assert_eq!(line.at.unwrap().0, time, "{file}");
                }
            }
            for (line, item) in lines.iter().zip(of["items"].as_array().into_iter().flatten()) {
                let time = at(&item["time"]).map(|at| at.0).or_else(|| {
                    item["time_ns"].as_str().map(|ns| ns.parse::<i64>().unwrap() / 1_000_000)
                });
                assert_eq!(line.at.map(|at| at.0), time, "{file}: {line:?}");
                if let Some(trace) = item["trace_id"].as_str() {
                    assert_eq!(line.trace_id.as_deref(), Some(trace), "{file}");
                }
                if let Some(service) = item["service"].as_str().or_else(|| item["app"].as_str()) {
                    assert_eq!(line.service.as_deref(), Some(service), "{file}");
                }
            }
        }
    }
}
