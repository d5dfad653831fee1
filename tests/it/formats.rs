//! Files of other programs are read as those programs mean them: each folder of the shared files has
//! what a right reading yields, made by the other program's own reader.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use casework::domain::ids::CaseId;
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
use serde_json::{Value, json};

use crate::support::{Place, server, shared};

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
fn tasks_of_label_studio_and_prodigy_are_predictions_too() {
    let Some(data) = formats("tasks_of_label_studio_and_prodigy_are_predictions_too") else {
        return;
    };
    let folder = data.join("label-studio");
    let of = &expected(&folder)["files"]["predictions-import.json"];
    let found = read(&[folder.join("predictions-import.json")]);
    let predicted = found.cases.iter().filter(|case| !case["prediction"].is_null()).count();
    assert_eq!(found.cases.len() as u64, of["cases"].as_u64().unwrap(), "{:?}", found.rejects);
    assert_eq!(predicted as u64, of["predictions"].as_u64().unwrap());
    let first = found.of("prd_000000000027");
    assert_eq!(
        (&first["prediction"]["label"], &first["model"]["version"]),
        (&Value::from("balance"), &Value::from("3.1.0"))
    );
    let options = Options {
        times: Times { missing: Some(Moment(0)), ..Times::default() },
        ..Options::default()
    };
    let found = read_with(&[data.join("prodigy/textcat_binary.jsonl")], options);
    assert_eq!(found.cases.len(), 24, "{:?}", found.rejects);
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

/// A workspace in which a protocol was made of another program's interface, and the labels of its
/// files came in.
fn imported(from: (&Path, &str), files: &[&Path], more: &[&str]) -> (Place, Value) {
    let place = Place::new();
    drop(place.create());
    let protocol = place.dir.path().join("p.toml").display().to_string();
    let (source, format) = from;
    place.ok(&[
        "protocol",
        "from",
        source.to_str().unwrap(),
        "--format",
        format,
        "--out",
        &protocol,
    ]);
    place.ok(&["protocol", "check", &protocol]);
    place.ok(&["protocol", "publish", &protocol]);
    // One label settles a case: whoever reviews is shown it then.
    place.ok(&["policy", "set", "overlap=1", "limit=1"]);
    let mut args = vec!["import", "labels", "--open", "--at", "2024-06-03", "--json"];
    args.extend(files.iter().map(|file| file.to_str().unwrap()));
    args.extend(more);
    let summary: Value = serde_json::from_str(&place.run_text(&args)).unwrap();
    let again: Value = serde_json::from_str(&place.run_text(&args)).unwrap();
    assert_eq!(again["imported"], 0, "the same file again adds nothing: {again}");
    assert_eq!(again["duplicate"], summary["imported"], "{again}");
    (place, summary)
}

/// The labels of a workspace, as they are exported.
fn rows(place: &Place) -> Vec<Value> {
    place.ok(&["export"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn places_of(outcome: &Value, control: &str) -> Vec<(u64, u64, String)> {
    let mut found: Vec<(u64, u64, String)> = outcome
        .as_object()
        .unwrap()
        .iter()
        .filter_map(|(name, spans)| Some((name.strip_prefix(&format!("{control}-"))?, spans)))
        .flat_map(|(name, spans)| {
            let spans = spans.as_array().unwrap().clone();
            let name = name.to_owned();
            spans.into_iter().map(move |span| {
                (span[0].as_u64().unwrap(), span[1].as_u64().unwrap(), name.clone())
            })
        })
        .collect();
    found.sort();
    found
}

#[test]
fn labels_of_label_studio_come_in_as_they_were_given() {
    let Some(data) = formats("labels_of_label_studio_come_in_as_they_were_given") else { return };
    let folder = data.join("label-studio");
    let expect = expected(&folder);
    let config = folder.join("intents.config.xml");
    let (place, summary) =
        imported((&config, "label-studio"), &[&folder.join("intents.json")], &[]);
    let of = &expect["files"]["intents.json"];
    assert_eq!(summary["imported"], of["labels"], "{summary}");
    for (name, count) in [("cases", "cases"), ("skipped", "skipped"), ("drafts", "drafts")] {
        assert_eq!(summary[name], of[count], "{name}: {summary}");
    }
    assert_eq!(summary["lost"]["predictions (bare ids)"], 12);
    let rows = rows(&place);
    for item in of["items"].as_array().unwrap() {
        for label in
            item["labels"].as_array().unwrap().iter().filter(|label| label["skipped"] == false)
        {
            let who = label["completed_by"].to_string();
            let found = rows.iter().find(|row| {
                row["id"] == item["id"] && row["reviewer"].as_str() == Some(who.as_str())
            });
            let found = found.unwrap_or_else(|| panic!("no label {label}"));
            assert_eq!(at(&found["at"]).unwrap(), at(&label["at"]).unwrap());
            assert_eq!(found["duration_ms"], label["lead_time_ms"]);
            for (field, value) in label["outcome"].as_object().unwrap() {
                let found = &found["outcome"][field];
                let texts = |value: &Value| match value {
                    Value::Array(list) => list.clone(),
                    one => vec![one.clone()],
                };
                match field.as_str() {
                    // Keys of answers, made of their texts.
                    "tags" | "category" => {
                        assert_eq!(texts(found).len(), texts(value).len(), "{field}: {found}")
                    }
                    "why" => {
                        let lines: Vec<&str> = value
                            .as_array()
                            .unwrap()
                            .iter()
                            .map(|line| line.as_str().unwrap())
                            .collect();
                        assert_eq!(found, &lines.join("\n"));
                    }
                    "sure" | "cost" => assert_eq!(found.as_f64(), value.as_f64(), "{field}"),
                    _ => assert_eq!(texts(found), texts(value), "{field}"),
                }
            }
        }
    }
    for file in ["intents.csv", "intents.tsv", "intents.json-min.json"] {
        let (_, summary) = imported((&config, "label-studio"), &[&folder.join(file)], &[]);
        assert_eq!(summary["imported"], of["labels"], "{file}: {summary}");
    }
    // Places are counted in UTF-16 units there.
    let config = folder.join("spans.config.xml");
    let (place, summary) = imported((&config, "label-studio"), &[&folder.join("spans.json")], &[]);
    let of = &expect["files"]["spans.json"];
    assert_eq!(summary["imported"], of["labels"], "{summary}");
    assert_eq!(summary["lost"]["results of type relation"], of["relations"]);
    for row in self::rows(&place) {
        let item = of["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["text"] == row["text"])
            .unwrap();
        let mut wanted: Vec<(u64, u64, String)> = item["spans_code_points"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| {
                (
                    span[0].as_u64().unwrap(),
                    span[1].as_u64().unwrap(),
                    span[2].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        wanted.sort();
        assert_eq!(places_of(&row["outcome"], "ner"), wanted, "{row}");
    }
    // A second person of one name is not merged with the first.
    let people = place.dir.path().join("people.csv");
    std::fs::write(&people, "foreign,name\n1,ann\n2,ann\n").unwrap();
    let intents = folder.join("intents.json");
    let config = folder.join("intents.config.xml");
    let (_, summary) = imported(
        (&config, "label-studio"),
        &[&intents],
        &["--reviewers", people.to_str().unwrap()],
    );
    assert!(
        summary["rejected"].as_u64().unwrap() > 0
            && summary["rejects"].to_string().contains("would both be ann"),
        "{summary}"
    );
}

/// What reviews decided, as it is exported: by the text, the way it was settled and by what reason.
fn ruled(place: &Place) -> Vec<(String, Value, String)> {
    let lines = place.ok(&["export", "--rows", "cases"]);
    let rows = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rows = rows.filter(|row| row["how"] == "ruling");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.map(|row| (text(&row["text"]), row["outcome"].clone(), text(&row["ruling"]["rationale"])))
        .collect()
}

#[test]
fn what_a_review_of_prodigy_decided_is_a_ruling() {
    let Some(data) = formats("what_a_review_of_prodigy_decided_is_a_ruling") else { return };
    let path = data.join("prodigy/review.jsonl");
    let records: Vec<Value> = std::fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (place, plain) = imported((&path, "prodigy"), &[&path], &[]);
    assert_eq!(plain["ruled"], 0, "{plain}");
    assert_eq!(plain["ruled_left"], records.len(), "{plain}");
    assert!(ruled(&place).is_empty());
    let import = |more: &[&str]| -> Value {
        let file = path.to_str().unwrap();
        let args = [&["import", "labels", file, "--rulings", "--json"], more].concat();
        serde_json::from_str(&place.run_text(&args)).unwrap()
    };
    let would = import(&["--dry-run"]);
    let did = import(&[]);
    assert_eq!(would, did, "a dry run counts as the run does");
    assert_eq!(did["ruled"], records.len(), "{did}");
    assert_eq!(did["rejected"], 0, "{did}");
    let rulings = ruled(&place);
    for record in &records {
        let mut wanted: Vec<(u64, u64, String)> = record["spans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| {
                let label = span["label"].as_str().unwrap().to_owned();
                (span["start"].as_u64().unwrap(), span["end"].as_u64().unwrap(), label)
            })
            .collect();
        wanted.sort();
        let text = record["text"].as_str().unwrap();
        let (_, outcome, why) = rulings.iter().find(|(of, ..)| of == text).unwrap();
        assert_eq!(places_of(outcome, "spans"), wanted, "{text}");
        let by = "decided in a review in prodigy by original_annotations";
        assert!(why.starts_with(by), "{why}");
    }
    // What was taken back here stays so.
    let listed = place.ok(&["rulings", "--json"]);
    let first: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let case = first["case"].as_str().unwrap().to_owned();
    place.ok(&["arbitrate", &case, "--withdraw", "--rationale", "it was not so"]);
    let again = import(&[]);
    assert_eq!((&again["ruled"], &again["imported"]), (&0.into(), &0.into()), "{again}");
}

/// The latest decision counts, in whatever order files hold them, and the same files again change nothing;
/// one that can't be taken in is refused by a dry run too.
#[test]
fn of_several_decisions_the_latest_counts() {
    let desk = || {
        let place = Place::new();
        drop(place.create());
        place
    };
    let (place, other) = (desk(), desk());
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let review = |by: &str, at: i64, label: &str| {
        let said = json!({ "text": "hello", "answer": "accept", "accept": ["yes"], "_session_id": "ana", "_timestamp": 1_717_372_800 });
        json!({ "text": "hello", "answer": "accept", "accept": [label], "_input_hash": 1, "_timestamp": at,
            "_annotator_id": by, "versions": [said] })
    };
    // The latest is the first; two can't be taken in.
    let lines: String = [
        review("rev2", 1_717_459_200, "no"),
        review("rev1", 1_717_372_900, "yes"),
        review("no name", 1_717_372_900, "yes"),
        review("rev3", 4_000_000_000, "yes"),
    ]
    .iter()
    .map(|line| format!("{line}\n"))
    .collect();
    let file = at("reviews.jsonl");
    std::fs::write(&file, lines).unwrap();
    place.ok(&["protocol", "from", &file, "--format", "prodigy", "--out", &at("p.toml")]);
    for place in [&place, &other] {
        place.ok(&["protocol", "publish", &at("p.toml")]);
    }
    let import = |place: &Place, more: &[&str]| -> Value {
        let args = [&["import", "labels", "--open", "--rulings", "--json", &file], more].concat();
        serde_json::from_str(&place.run_text(&args)).unwrap()
    };
    let would = import(&other, &["--dry-run"]);
    let did = import(&place, &[]);
    for count in ["read", "imported", "duplicate", "rejected", "ruled"] {
        assert_eq!(would[count], did[count], "{count}: {would} {did}");
    }
    assert_eq!((&did["ruled"], &did["rejected"]), (&2.into(), &2.into()), "{did}");
    assert_eq!(import(&place, &[])["imported"], 0, "the same files again add nothing");
    // A label has no place where there are but places.
    for format in ["brat", "uima-cas", "conll"] {
        let refused = place.run(&["export", "--format", format, "--out", &at(format)]);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(2) && said.contains("answers that are no places"));
        place.ok(&["export", "--format", format, "--out", &at(format), "--lossy"]);
    }
    let rulings = ruled(&place);
    assert!(
        rulings[0].1.to_string().contains("no") && rulings[0].2.contains("by rev2"),
        "{rulings:?}"
    );
}

#[test]
fn what_a_review_of_label_studio_accepted_is_a_ruling() {
    let Some(data) = formats("what_a_review_of_label_studio_accepted_is_a_ruling") else { return };
    let folder = data.join("label-studio");
    let source = std::fs::read_to_string(folder.join("intents.json")).unwrap();
    let mut tasks: Vec<Value> = serde_json::from_str(&source).unwrap();
    tasks.retain(|task| {
        let annotations = task["annotations"].as_array().unwrap();
        annotations.len() > 1 && annotations.iter().all(|one| one["was_cancelled"] == false)
    });
    let review = |accepted: bool, at: &str| json!({ "accepted": accepted, "created_at": at, "created_by": { "email": "rev@example.com" } });
    // The second was accepted in the end, the first rejected; of the last task nothing but that.
    let last = tasks.len() - 1;
    for (n, task) in tasks.iter_mut().enumerate() {
        let no = review(false, "2024-06-05T10:00:00Z");
        task["annotations"][0]["reviews"] = json!([no]);
        if n < last {
            let yes = review(true, "2024-06-05T10:00:02Z");
            // Later as a text, and earlier.
            let no = review(false, "2024-06-05T19:00:00+09:00");
            task["annotations"][1]["reviews"] = json!([yes, no]);
        }
    }
    let place = Place::new();
    let file = place.dir.path().join("tasks.json");
    std::fs::write(&file, serde_json::to_string(&tasks).unwrap()).unwrap();
    let config = folder.join("intents.config.xml");
    let (place, did) = imported((&config, "label-studio"), &[&file], &["--rulings"]);
    assert_eq!(did["ruled"], last, "{did}");
    assert_eq!(did["lost"]["reviews that reject a label"], last + 1, "{did}");
    let rulings = ruled(&place);
    assert_eq!(rulings.len(), last);
    for task in &tasks[..last] {
        let choice = task["annotations"][1]["result"].as_array().unwrap().iter();
        let mut choice = choice.filter(|result| result["type"] == "choices");
        let wanted = &choice.next().unwrap()["value"]["choices"][0];
        let (_, outcome, why) =
            rulings.iter().find(|(of, ..)| *of == task["data"]["text"]).unwrap();
        assert!(outcome.as_object().unwrap().values().any(|value| value == wanted), "{outcome}");
        assert_eq!(why, "decided in a review in label-studio by rev, 2024-06-05T10:00:02.000Z");
    }
}

#[test]
fn answers_of_prodigy_doccano_argilla_and_potato_come_in() {
    let Some(data) = formats("answers_of_prodigy_doccano_argilla_and_potato_come_in") else {
        return;
    };
    let folder = data.join("prodigy");
    let expect = expected(&folder);
    for file in
        ["textcat_binary.jsonl", "ner_manual.jsonl", "ner_manual_emoji.jsonl", "choice.jsonl"]
    {
        let path = folder.join(file);
        let (place, summary) = imported((&path, "prodigy"), &[&path], &["--reviewer", "ann"]);
        let of = &expect["files"][file];
        let ignored = of["answers"]["ignore"].as_u64().unwrap_or(0);
        assert_eq!(summary["cases"], of["cases"], "{file}: {summary}");
        assert_eq!(summary["skipped"], ignored, "{file}: {summary}");
        assert_eq!(
            summary["imported"].as_u64().unwrap() + ignored,
            of["rows"].as_u64().unwrap(),
            "{file}: {summary}"
        );
        let rows = rows(&place);
        for item in of["items"].as_array().unwrap().iter().filter(|item| item["answer"] == "accept")
        {
            let Some(wanted) = item["spans"].as_array().filter(|_| file.starts_with("ner")) else {
                continue;
            };
            let mut wanted: Vec<(u64, u64, String)> = wanted
                .iter()
                .map(|span| {
                    (
                        span[0].as_u64().unwrap(),
                        span[1].as_u64().unwrap(),
                        span[2].as_str().unwrap().to_owned(),
                    )
                })
                .collect();
            wanted.sort();
            let same = rows.iter().any(|row| places_of(&row["outcome"], "spans") == wanted);
            assert!(same, "{file}: nobody marked {wanted:?}");
        }
    }
    let folder = data.join("doccano");
    let expect = expected(&folder);
    for kind in ["classification_jsonl", "classification_json", "classification_csv"] {
        let (place, summary) =
            imported((&folder.join(kind), "doccano"), &[&folder.join(kind)], &[]);
        let ending = kind.trim_start_matches("classification_");
        let mut labeled = 0;
        for name in ["ana", "bo"] {
            let items = &expect["files"][format!("{kind}/{name}.{ending}")]["items"];
            let some =
                |item: &&Value| item["labels"].as_array().unwrap().iter().any(|label| label != "");
            labeled += items.as_array().unwrap().iter().filter(some).count();
        }
        assert_eq!(summary["imported"].as_u64().unwrap() as usize, labeled, "{kind}: {summary}");
        assert_eq!(summary["cases"], 16, "{kind}: {summary}");
        let reviewers: std::collections::BTreeSet<String> =
            rows(&place).iter().map(|row| row["reviewer"].as_str().unwrap().to_owned()).collect();
        assert_eq!(reviewers.into_iter().collect::<Vec<_>>(), ["ana", "bo"], "a file a reviewer");
    }
    let (place, summary) = imported(
        (&folder.join("spans"), "doccano"),
        &[&folder.join("spans")],
        &["--reviewer", "ann"],
    );
    let marked =
        rows(&place).iter().map(|row| places_of(&row["outcome"], "spans").len()).sum::<usize>();
    // `my card` and the `card` in it, both products, are one place: that is said.
    assert_eq!((marked, summary["lost"].to_string().contains("made one")), (3, true), "{summary}");
    let folder = data.join("argilla");
    let settings = folder.join(".argilla/settings.json");
    let (_, summary) = imported((&settings, "argilla"), &[&folder.join("flattened.jsonl")], &[]);
    let expect = expected(&folder);
    let statuses: Vec<&str> = expect["files"]["records.json"]["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|item| item["status_in_flat_export"].as_object().unwrap().values())
        .map(|status| status.as_str().unwrap())
        .collect();
    let count = |of: &str| statuses.iter().filter(|status| **status == of).count();
    assert_eq!(
        (
            summary["imported"].as_u64().unwrap() as usize,
            summary["drafts"].as_u64().unwrap() as usize,
            summary["skipped"].as_u64().unwrap() as usize
        ),
        (count("submitted"), count("draft"), count("discarded")),
        "{summary}"
    );
    // In records.json nobody can tell: the loss is said.
    let (_, summary) = imported((&settings, "argilla"), &[&folder.join("records.json")], &[]);
    assert!(summary["lost"].to_string().contains("status"), "{summary}");
    // Potato keeps no texts: cases have to be here.
    let place = Place::new();
    drop(place.create());
    let refused = place.run(&[
        "import",
        "labels",
        data.join("potato/annotations.jsonl").to_str().unwrap(),
        "--json",
    ]);
    let summary: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((refused.status.code(), &summary["rejected"]), (Some(1), &Value::from(6)));
    assert!(
        summary["rejects"].to_string().contains("no case `prd_000000000062` here"),
        "{summary}"
    );
}

#[test]
fn scores_and_feedback_find_their_cases_and_machines_are_no_reviewers() {
    let Some(data) = formats("scores_and_feedback_find_their_cases") else { return };
    let protocol = "id = \"three\"\ntitle = \"Three\"\nstart = \"verdict\"\nlabels = [\"lost_card\"]\n
[[question]]\nid = \"verdict\"\nask = \"Is the model right?\"\nanswers = [\n  { key = \"y\", text = \"Yes\", set = { verdict = \"model_correct\" } },
  { key = \"n\", text = \"No\", goto = \"right-given\", set = { verdict = \"wrong_label\" } },\n]\n
[[question]]\nid = \"right-given\"\nask = \"Is the right one known?\"\nanswers = [ { key = \"y\", text = \"Yes\", goto = \"right\" }, { key = \"n\", text = \"No\" } ]\n
[[question]]\nid = \"right\"\nask = \"Which is it?\"\nkind = \"label\"\nsets = \"label\"\n";
    for (cases, labels, imported, machines) in [
        ("langsmith/runs.jsonl", "langsmith/feedback.jsonl", 7, 0),
        ("langfuse/observations-v2.json", "langfuse/scores-v3.json", 2, 1),
        ("openinference/spans.otlp.jsonl", "phoenix/span-annotations.json", 0, 1),
    ] {
        let place = Place::new();
        drop(place.create());
        let file = place.dir.path().join("three.toml");
        std::fs::write(&file, protocol).unwrap();
        place.ok(&["ingest", data.join(cases).to_str().unwrap()]);
        place.ok(&["protocol", "publish", file.to_str().unwrap()]);
        let text =
            place.run_text(&["import", "labels", data.join(labels).to_str().unwrap(), "--json"]);
        let summary: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&summary["imported"], &summary["by_machine"]),
            (&Value::from(imported), &Value::from(machines)),
            "{labels}: {summary}"
        );
        for row in rows(&place) {
            let wanted = expected(data.join(labels).parent().unwrap());
            let items =
                wanted["files"][Path::new(labels).file_name().unwrap().to_str().unwrap()]["items"]
                    .as_array()
                    .unwrap()
                    .clone();
            let id = if labels.contains("langfuse") { "trace_id" } else { "run" };
            let of = |item: &&Value| {
                let named = item[id] == row[if id == "run" { "id" } else { "trace_id" }];
                named && item["reviewer"] == row["reviewer"] && item["field"] == "verdict"
            };
            let item = items.iter().find(of).unwrap_or_else(|| panic!("nobody said {row}"));
            assert_eq!(row["outcome"]["verdict"], item["value"]);
        }
    }
}

#[test]
fn what_is_exported_is_read_again_and_is_the_same_twice() {
    let Some(data) = formats("what_is_exported_is_read_again_and_is_the_same_twice") else {
        return;
    };
    let folder = data.join("label-studio");
    let config = folder.join("intents.config.xml");
    let (place, _) = imported((&config, "label-studio"), &[&folder.join("intents.json")], &[]);
    let out = |name: &str| place.dir.path().join(name).display().to_string();
    for told in casework::format::kind::PEERS {
        let (one, two) = (out(&format!("{}-1", told.name)), out(&format!("{}-2", told.name)));
        for path in [&one, &two] {
            place.ok(&["export", "--format", told.name, "--out", path, "--lossy", "--check"]);
        }
        let files = |path: &str| {
            let mut found: Vec<(String, Vec<u8>)> = Vec::new();
            let mut folders = vec![PathBuf::from(path)];
            while let Some(at) = folders.pop() {
                if at.is_dir() {
                    folders
                        .extend(std::fs::read_dir(&at).unwrap().map(|entry| entry.unwrap().path()));
                } else {
                    let name = at.strip_prefix(path).unwrap().display().to_string();
                    found.push((name, std::fs::read(&at).unwrap()));
                }
            }
            found.sort();
            found
        };
        assert!(
            !files(&one).is_empty() && files(&one) == files(&two),
            "{}: the same bytes twice",
            told.name
        );
    }
    // Out to Label Studio and in again, elsewhere: the same labels.
    let before = rows(&place);
    let other = Place::new();
    drop(other.create());
    let protocol = place.dir.path().join("p.toml").display().to_string();
    other.ok(&["protocol", "publish", &protocol]);
    other.ok(&["policy", "set", "overlap=1", "limit=1"]);
    let people = out("people.csv");
    std::fs::write(&people, "foreign,name\n1,1\n2,2\n").unwrap();
    place.ok(&["export", "--format", "label-studio", "--out", &out("ls"), "--reviewers", &people]);
    let text = other.run_text(&[
        "import",
        "labels",
        &format!("{}/tasks.json", out("ls")),
        "--open",
        "--json",
    ]);
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["imported"], before.len(), "{summary}");
    let key = |row: &Value| {
        (
            row["id"].to_string(),
            row["reviewer"].to_string(),
            row["outcome"].to_string(),
            row["path"].to_string(),
        )
    };
    let mut sides = [before, rows(&other)].map(|rows| rows.iter().map(key).collect::<Vec<_>>());
    sides.iter_mut().for_each(|rows| rows.sort());
    assert_eq!(sides[0], sides[1]);
    // What has no place is refused and named.
    let refused = place.run(&["export", "--format", "phoenix-annotations"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(2)
            && words.contains("without a span")
            && words.contains("--lossy"),
        "{words}"
    );
    assert!(refused.stdout.is_empty());
}

#[test]
fn places_of_brat_and_uima_are_those_that_their_programs_read() {
    let Some(data) = formats("places_of_brat_and_uima_are_those_that_their_programs_read") else {
        return;
    };
    let wanted = |spans: &Value| {
        let mut spans: Vec<(u64, u64)> = spans
            .as_array()
            .unwrap()
            .iter()
            .map(|span| (span[0].as_u64().unwrap(), span[1].as_u64().unwrap()))
            .collect();
        spans.sort();
        spans
    };
    let found = |place: &Place| {
        let rows = rows(place);
        let mut spans: Vec<(u64, u64)> = places_of(&rows[0]["outcome"], "spans")
            .into_iter()
            .map(|(from, to, _)| (from, to))
            .collect();
        spans.sort();
        spans
    };
    let folder = data.join("brat");
    let file = "100-attribute_annotation.ann";
    let (place, summary) =
        imported((&folder.join(file), "brat"), &[&folder.join(file)], &["--reviewer", "ann"]);
    assert_eq!(summary["lost"]["events"], 10, "{summary}");
    assert_eq!(found(&place), wanted(&expected(&folder)["files"][file]["spans"]));
    let folder = data.join("uima-cas");
    for (file, of) in expected(&folder)["files"].as_object().unwrap() {
        let path = folder.join(file);
        let (place, _) = imported((&path, "uima-cas"), &[&path], &["--reviewer", "ann"]);
        assert_eq!(found(&place), wanted(&of["spans_code_points"]), "{file}");
    }
}

/// Places go out to every program that has them, and come back as they were: into a workspace that has the
/// cases, by their ids or by what their files are called.
#[test]
fn places_that_go_out_come_back_as_they_were() {
    let texts = [
        ("a-1", "move 50 to savings 🙂 before friday"),
        ("a-2", "my card\nis\r\nlost in Zürich"),
        ("a/3", "nothing to mark here"),
        ("_4", "one\n two"),
    ];
    let lines: String = texts
        .iter()
        .map(|(id, text)| {
            json!({ "id": id, "occurred_at": "2024-06-03T00:00:00Z", "input": { "text": text }, "prediction": null })
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let protocol = "id = \"ner\"\ntitle = \"Places\"\nstart = \"what\"\n\n\
        [[question]]\nid = \"what\"\nask = \"Where is PRODUCT?\"\nkind = \"span\"\nsets = \"spans-PRODUCT\"\nmin = 0\ngoto = \"where\"\n\n\
        [[question]]\nid = \"where\"\nask = \"Where is it?\"\nkind = \"span\"\nsets = \"org name\"\nmin = 0\n";
    let desk = || {
        let place = Place::new();
        drop(place.create());
        let at = |name: &str| place.dir.path().join(name).display().to_string();
        std::fs::write(at("lines.jsonl"), &lines).unwrap();
        std::fs::write(at("p.toml"), protocol).unwrap();
        place.ok(&["ingest", "--where", "true", &at("lines.jsonl")]);
        place.ok(&["protocol", "publish", &at("p.toml")]);
        place.ok(&["policy", "set", "overlap=1", "limit=1"]);
        place
    };
    let place = desk();
    // Over the end of a line, beside a sign of two units, overlapping.
    let given = [
        ("a-1", "ana", "11-18", "8-20"),
        ("a-1", "bo", "11-20", ""),
        ("a-2", "ana", "3-10,13-16", "8-26"),
        ("a/3", "ana", "", ""),
        ("_4", "bo", "0-8", ""),
    ];
    for (n, (id, who, product, place_of)) in given.iter().enumerate() {
        let line = json!({ "case": id, "reviewer": who, "at": format!("2024-06-04T00:00:0{n}Z"),
            "path": [["what", product], ["where", place_of]] });
        let file = place.dir.path().join("label.jsonl");
        std::fs::write(&file, format!("{line}\n")).unwrap();
        place.ok(&["import", "labels", "--format", "jsonl", file.to_str().unwrap()]);
    }
    // One that is not in the text is none.
    let file = place.dir.path().join("label.jsonl");
    let path = json!([["what", "8-27"], ["where", ""]]);
    let line = json!({ "case": "a-2", "reviewer": "cy", "path": path });
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let refused = place.run(&["import", "labels", file.to_str().unwrap()]);
    let refused = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.contains("8-27 of `what` is not in the text, which has 26"), "{refused}");
    let outcomes = |place: &Place| {
        let mut found: Vec<String> = rows(place)
            .iter()
            .map(|row| format!("{} {} {}", row["id"], row["reviewer"], row["outcome"]))
            .collect();
        found.sort();
        found
    };
    let wanted = outcomes(&place);
    assert_eq!(wanted.len(), given.len());
    for format in ["brat", "uima-cas", "doccano", "prodigy"] {
        let out = place.dir.path().join(format).display().to_string();
        let output = place.run(&["export", "--format", format, "--out", &out, "--check"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{format}: {said}");
        assert!(said.contains("and 7 places"), "{format}: {said}");
        let other = desk();
        match format {
            // The folder stands for whoever labeled.
            "brat" => {
                // With what brat has beside its annotations.
                let conf = format!("{out}/annotation.conf");
                std::fs::copy(&conf, format!("{out}/ana/annotation.conf")).unwrap();
                for who in ["ana", "bo"] {
                    let folder = format!("{out}/{who}");
                    other.ok(&["import", "labels", "--strict", "--reviewer", who, &folder]);
                }
            }
            _ => drop(other.ok(&["import", "labels", "--format", format, &out])),
        }
        assert_eq!(outcomes(&other), wanted, "{format}");
    }
    // People of whom one would take the other's file are told apart by whoever exports.
    let names = place.dir.path().join("names.csv");
    for (text, told) in [
        ("x,ana\nX,bo\n", "would be one file, `"),
        ("annotation.conf,ana\n", "can be called `annotation.conf`"),
        ("..,ana\n", "can be called `..`"),
        (",ana\n", "ana has no name elsewhere"),
    ] {
        std::fs::write(&names, text).unwrap();
        let out = place.dir.path().join("refused").display().to_string();
        let more = ["--reviewers", names.to_str().unwrap(), "--out", &out];
        let refused = place.run(&[&["export", "--format", "brat"], more.as_slice()].concat());
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains(told), "{text}: {said}");
    }
    // Tags have no place for one that begins within a word, or overlaps.
    let out = place.dir.path().join("conll").display().to_string();
    let refused = place.run(&["export", "--format", "conll", "--out", &out]);
    let refused = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.contains("3 places that overlap or end within a word"), "{refused}");
    place.ok(&["export", "--format", "conll", "--out", &out, "--lossy"]);
    let tags = std::fs::read_to_string(format!("{out}/bo.conll")).unwrap();
    assert_eq!(
        tags,
        "move\tO\n50\tO\nto\tO\nsavings\tB-PRODUCT\n🙂\tI-PRODUCT\nbefore\tO\nfriday\tO\n\none\tB-PRODUCT\ntwo\tI-PRODUCT\n\n"
    );
}

/// A case that the stream calls as another case is has a file of its own.
#[test]
fn no_case_takes_the_file_of_another() {
    let place = Place::new();
    drop(place.create());
    let called = CaseId::of("default", "../x").to_string();
    let line = |id: &str, text: &str| json!({ "id": id, "occurred_at": "2024-06-03T00:00:00Z", "input": { "text": text }, "prediction": null });
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let protocol = "id = \"n\"\ntitle = \"n\"\nstart = \"a\"\n\n[[question]]\nid = \"a\"\nask = \"Where?\"\nkind = \"span\"\nsets = \"a\"\nmin = 0\n";
    let cases = [("../x", "one"), (called.as_str(), "two"), ("p", "three"), ("P", "four")];
    let lines = cases.map(|(id, text)| format!("{}\n", line(id, text))).concat();
    std::fs::write(at("lines.jsonl"), lines).unwrap();
    std::fs::write(at("p.toml"), protocol).unwrap();
    place.ok(&["ingest", "--where", "true", &at("lines.jsonl")]);
    place.ok(&["protocol", "publish", &at("p.toml")]);
    let labels = cases.map(|(id, _)| {
        let case = CaseId::of("default", id);
        format!("{}\n", json!({ "case": case, "reviewer": "ana", "path": [["a", "0-3"]] }))
    });
    std::fs::write(at("labels.jsonl"), labels.concat()).unwrap();
    place.ok(&["import", "labels", &at("labels.jsonl")]);
    place.ok(&["export", "--format", "brat", "--out", &at("brat")]);
    let files = std::fs::read_dir(at("brat/ana")).unwrap().flatten();
    let files = files.map(|file| file.path()).filter(|path| path.extension().unwrap() == "txt");
    let mut texts: Vec<String> = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    texts.sort();
    assert_eq!(texts, ["four", "one", "three", "two"]);
}

/// Where things stand can be said of lines that are as ours are, too.
#[test]
fn what_is_named_takes_the_place_of_what_a_line_says() {
    let place = Place::new();
    drop(place.create());
    let file = place.dir.path().join("lines.jsonl").display().to_string();
    let lines = [(1, 0.1), (2, 0.8)].map(|(n, score)| {
        let line = json!({
            "id": format!("p{n}"), "rid": format!("R{n}"), "occurred_at": "2026-06-01T10:00:00Z",
            "own": { "score": score, "said": "B" },
            "input": { "text": "x" }, "prediction": { "label": "a", "confidence": 0.9 },
        });
        format!("{line}\n")
    });
    std::fs::write(&file, lines.concat()).unwrap();
    let named = ["--id", "rid", "--label", "own.said", "--confidence", "own.score"];
    let read = ["ingest", &file, "--where", "confidence < 0.4", "--json"];
    let told: Value = serde_json::from_str(&place.ok(&[&read[..], &named].concat())).unwrap();
    assert_eq!((told["opened"].as_u64(), told["passed"].as_u64()), (Some(1), Some(1)), "{told}");
    let shown = place.ok(&["show", "R1"]);
    assert!(shown.contains('B') && shown.contains("0.1"), "{shown}");
    // A name that nothing has is refused with those that there are.
    for (option, typed) in [("--id", "ridd"), ("--confidence", "own.scoree"), ("--label", "saidd")]
    {
        let ran = place.run(&["ingest", &file, option, typed, "--dry-run"]);
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(!ran.status.success(), "{option} {typed}");
        assert!(said.contains(typed) && said.contains("rid"), "{said}");
    }
}

/// What is named for once goes before what a file of places or the configuration says.
#[test]
fn what_is_named_takes_the_place_of_what_a_source_says() {
    for configured in [false, true] {
        let place = Place::new();
        drop(place.create());
        let at = |name: &str| place.dir.path().join(name).display().to_string();
        let line = r#"{"nr":"p1","own":"R1","when":"2026-06-01T10:00:00Z","said":"hi","guess":"B","other":"C"}"#;
        std::fs::write(at("lines.jsonl"), format!("{line}\n")).unwrap();
        let source = "id = \"nr\"\noccurred_at = \"when\"\ntext = \"said\"\nlabel = \"guess\"\n";
        let file = at("lines.jsonl");
        let map = at("map.toml");
        let mut read = vec!["ingest", "--where", "true", &file];
        if configured {
            std::fs::write(place.paths().config(), format!("[source]\n{source}")).unwrap();
        } else {
            std::fs::write(&map, source).unwrap();
            read.extend(["--map", &map]);
        }
        for (option, typed) in [("--id", "owm"), ("--label", "third")] {
            let ran = place.run(&[&read[..], &[option, typed]].concat());
            let said = String::from_utf8(ran.stderr).unwrap();
            assert!(
                !ran.status.success() && said.contains(typed) && said.contains("own"),
                "{said}"
            );
        }
        place.ok(&[&read[..], &["--id", "own", "--label", "other"]].concat());
        let shown: Value = serde_json::from_str(&place.ok(&["show", "R1", "--json"])).unwrap();
        assert_eq!(shown["predicted"], "C", "{shown}");
    }
}

/// An export into the folder of one before is what an export into a new one is. What somebody else
/// put there, or changed, stays.
#[test]
fn an_export_again_leaves_nothing_of_labels_that_were_taken_back() {
    ["brat", "uima-cas"].into_iter().for_each(exported_again);
}

fn exported_again(format: &str) {
    let place = Place::new();
    drop(place.create());
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let protocol = "id = \"n\"\ntitle = \"n\"\nstart = \"a\"\n\n[[question]]\nid = \"a\"\nask = \"Where?\"\nkind = \"span\"\nsets = \"a\"\nmin = 0\n";
    std::fs::write(at("p.toml"), protocol).unwrap();
    place.ok(&["protocol", "publish", &at("p.toml")]);
    let cases = ["one", "two", "three", "four"];
    let line =
        |id: &str| json!({ "id": id, "ts": "2026-11-01T10:00:00Z", "input": { "text": id } });
    let lines = cases.map(|id| format!("{}\n", line(id))).concat();
    std::fs::write(at("lines.jsonl"), lines).unwrap();
    place.ok(&["ingest", "--where", "true", &at("lines.jsonl")]);
    for case in cases.map(|id| CaseId::of("default", id)) {
        place.ok(&["label", &case.to_string(), "--answer", "a=0-3"]);
    }
    let files = |folder: &str| {
        let mut found: Vec<(String, String)> = Vec::new();
        let mut folders = vec![PathBuf::from(at(folder))];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap().flatten().map(|entry| entry.path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else {
                    let name = entry.strip_prefix(at(folder)).unwrap().display().to_string();
                    found.push((name, std::fs::read_to_string(&entry).unwrap()));
                }
            }
        }
        found.sort();
        found
    };
    let export = |folder: &str| {
        let ran = place.run(&["export", "--format", format, "--out", &at(folder)]);
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8(ran.stderr).unwrap()
    };
    let (again, anew) = (format!("{format}-again"), format!("{format}-anew"));
    export(&again);
    let all = files(&again);
    // Two are taken back; of one of them somebody changed a file.
    place.ok(&["undo"]);
    place.ok(&["undo"]);
    export(&anew);
    let left = files(&anew);
    let gone: Vec<&String> = all
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !left.iter().any(|(of, _)| of == *name))
        .collect();
    assert!(gone.len() >= 2, "{gone:?}");
    std::fs::write(at(&format!("{again}/{}", gone[0])), "by hand").unwrap();
    std::fs::write(at(&format!("{again}/mine.txt")), "mine").unwrap();
    let said = export(&again);
    assert!(said.contains(&format!("changed since: left there, as {}", gone[0])), "{said}");
    assert!(said.contains("removed."), "{said}");
    let mut expected = left.clone();
    expected.push((gone[0].clone(), "by hand".to_owned()));
    expected.push(("mine.txt".to_owned(), "mine".to_owned()));
    expected.sort();
    assert_eq!(files(&again), expected, "{format}");
    // Once said, it is theirs.
    let said = export(&again);
    assert!(!said.contains("changed since") && !said.contains("removed"), "{said}");
    assert_eq!(files(&again), expected, "{format}");
}

#[test]
fn strange_values_are_kept_or_refused_and_a_dry_run_counts_the_same() {
    let Some(data) = formats("strange_values_are_kept_or_refused") else { return };
    let folder = data.join("json-edge");
    let expect = expected(&folder);
    let place = Place::new();
    drop(place.create());
    let file = folder.join("edge.jsonl").display().to_string();
    let read = |more: &[&str]| -> Value {
        let args: Vec<&str> =
            ["ingest", &file, "--json"].into_iter().chain(more.iter().copied()).collect();
        serde_json::from_str(&place.run_text(&args)).unwrap()
    };
    let dry = read(&["--dry-run"]);
    let real = read(&[]);
    for name in ["read", "opened", "duplicate", "rejected"] {
        assert_eq!(dry[name], real[name], "{name}");
    }
    let rejects = real["rejects"].as_array().unwrap().iter();
    let rejected: Vec<u64> = rejects.map(|reject| reject["line"].as_u64().unwrap()).collect();
    for item in expect["items"].as_array().unwrap() {
        let was = rejected.contains(&item["line"].as_u64().unwrap());
        match item["want"].as_str().unwrap() {
            "accept" => assert!(!was, "{item}"),
            "reject" => assert!(was, "{item}"),
            _ => {}
        }
    }
}

/// Digits, zeros and exponents are those of the file, whatever it is: also where a text is a number.
#[test]
fn numbers_come_in_and_go_out_as_they_are_written() {
    const NUMBERS: [&str; 5] = ["1E5", "2e-07", "-3.250e+1", "0.10", "12345678901234567890123"];
    let fields: Vec<String> =
        NUMBERS.iter().enumerate().map(|(at, number)| format!("\"n{at}\":{number}")).collect();
    let line = |id: &str| {
        format!(
            "{{\"id\":\"{id}\",\"occurred_at\":\"2026-06-01T08:00:00Z\",\"stream\":\"s\",\"input\":{{\"text\":\"hi\",{0}}},\
             \"prediction\":{{\"label\":\"pay\",\"confidence\":3E-1,\"top_k\":[{{\"label\":\"pay\",\"p\":3E-1}}]}},{0}}}",
            fields.join(",")
        )
    };
    let columns: Vec<String> = (0..NUMBERS.len()).map(|at| format!("n{at}")).collect();
    let files = [
        ("own.jsonl", format!("{}\n", line("own"))),
        ("list.json", format!("[{}]", line("list"))),
        (
            "table.csv",
            format!(
                "id,occurred_at,text,label,confidence,{}\ntable,2026-06-01T08:00:00Z,hi,pay,3E-1,{}\n",
                columns.join(","),
                NUMBERS.join(",")
            ),
        ),
    ];
    for (name, text) in files {
        let place = Place::new();
        drop(place.create());
        let file = place.path().join(name);
        std::fs::write(&file, &text).unwrap();
        let summary = place.ok(&["ingest", file.to_str().unwrap(), "--where", "true", "--json"]);
        let case = place.ok(&["queue", "--json"]);
        let id = serde_json::from_str::<Value>(case.lines().next().unwrap()).unwrap()["id"].clone();
        let id = id.as_str().unwrap_or_else(|| panic!("{name}: {summary} {case}"));
        place.ok(&[
            "label",
            id,
            "--answer",
            "readable=y",
            "--answer",
            "verdict=y",
            "--answer",
            "category=r",
            "--rationale",
            "it is",
            "--mark",
            "0-2",
        ]);
        for args in [&["show", id][..], &["show", id, "--json"], &["export", "--rows", "labels"]] {
            let shown = place.ok(args);
            for number in NUMBERS.iter().chain(&["3E-1"]) {
                assert!(shown.contains(number), "{name} {args:?} {number}: {shown}");
            }
            let at = |field: &String| {
                shown.find(&format!("{field}\"")).or(shown.find(&format!("input.{field}:")))
            };
            assert!(columns.iter().map(at).is_sorted(), "the order of the file: {shown}");
        }
    }
}

#[cfg(feature = "parquet")]
#[test]
fn a_folder_of_hugging_face_says_its_labels_by_name() {
    let Some(data) = formats("a_folder_of_hugging_face_says_its_labels_by_name") else { return };
    let folder = data.join("hf-dataset");
    let expect = expected(&folder);
    let found = read(&[folder.join("data")]);
    assert_eq!(found.cases.len() as u64, expect["cases"].as_u64().unwrap(), "{:?}", found.rejects);
    for item in expect["items"].as_array().unwrap() {
        let case = found.of(item["id"].as_str().unwrap());
        assert_eq!(case["input"]["text"], item["text"]);
        assert_eq!(case.pointer("/prediction/label").unwrap_or(&Value::Null), &item["label"]);
        assert_eq!(at(&case["occurred_at"]), at(&item["occurred_at"]));
        // One prediction comes twice, with another number.
        let same = |case: &&Value| case["id"] == item["id"] && case["input"]["n"] == item["n"];
        assert!(found.cases.iter().any(|case| same(&case)), "{item}");
    }
}

#[test]
fn the_manual_names_every_format() {
    let manual = include_str!("../../assets/help/formats.md");
    let table = casework::format::kind::markdown();
    assert!(manual.ends_with(&table), "assets/help/formats.md ends with this table:\n{table}");
}

#[test]
fn two_formats_in_one_file_and_other_strange_files_are_told() {
    let place = Place::new();
    drop(place.create());
    let told = |name: &str, bytes: &[u8], more: &[&str]| {
        let path = place.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let args: Vec<&str> =
            ["ingest", path.to_str().unwrap()].into_iter().chain(more.iter().copied()).collect();
        let output = place.run(&args);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let kafka = r#"{"topic":"t","partition":0,"offset":1,"payload":"{}"}"#;
    let capture = r#"{"captureData":{},"eventMetadata":{"eventId":"e"}}"#;
    let (code, text) = told("mixed.jsonl", format!("{kafka}\n{capture}\n").as_bytes(), &[]);
    assert!(
        code == Some(2)
            && text.contains("two formats in one file: record 1 is kcat, record 2 is sagemaker"),
        "{text}"
    );
    // A zip with a way out of its folder is only read, and nothing is written beside it.
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    zip.start_file("../../out.jsonl", plain).unwrap();
    let line = crate::support::line("z1", "hello", "pay", 0.2, 0);
    std::io::Write::write_all(&mut zip, line.as_bytes()).unwrap();
    zip.start_file("__MACOSX/._out.jsonl", plain).unwrap();
    std::io::Write::write_all(&mut zip, b"\0\0").unwrap();
    let (code, text) = told("a.zip", &zip.finish().unwrap().into_inner(), &[]);
    assert!(code == Some(0) && text.contains("1 read: 1 opened"), "{text}");
    // What unpacks without end is read up to a limit.
    let bomb = bomb_of_blanks();
    let (code, text) = told("bomb.gz", &bomb, &["--dry-run"]);
    assert!(code == Some(2) && text.contains("1000 times its size"), "{code:?} {text}");
    // NaN is no JSON, unless it is said to be nothing.
    let nan = "{\"id\":\"n\",\"occurred_at\":\"2024-06-03T00:00:00Z\",\"input\":{\"x\":NaN},\"prediction\":null}";
    let array = format!("[{nan}]");
    assert!(told("nan.json", array.as_bytes(), &[]).1.contains("1 rejected"));
    assert!(told("nan.json", array.as_bytes(), &["--nan", "none"]).1.contains("1 opened"));
    let (code, text) = told("x.csv", b"a,b,c\n1,2,3\n", &["--format", "csv"]);
    assert!(code == Some(2) && text.contains("do not say which is the id: a, b, c"), "{text}");
    let (code, text) =
        told("x.csv", b"id,words\n1,hello\n", &["--text", "wrods", "--at", "2024-06-03"]);
    assert!(code == Some(2) && text.contains("no column `wrods`; there is id, words"), "{text}");
    let (_, text) = told(
        "unknown.jsonl",
        b"{\"req\":{\"uuid\":\"1\",\"ts\":1717372800},\"body\":{\"message\":\"hi\"}}\n",
        &["--explain"],
    );
    assert!(
        text.contains("text = \"body.message\"") && text.contains("occurred_at = \"req.ts\""),
        "{text}"
    );
}

/// Half a gigabyte of blanks.
fn bomb_of_blanks() -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..400 {
        std::io::Write::write_all(&mut packer, &blanks).unwrap();
    }
    packer.finish().unwrap()
}

/// What the readers of other programs make of every export: `../shared/tools/validate_formats.py` asks
/// them, with the Python that has them.
#[test]
fn every_export_is_read_by_the_program_that_it_is_for() {
    let Some(data) = shared("formats::every_export_is_read_by_the_program_that_it_is_for") else {
        return;
    };
    let test = "formats::every_export_is_read_by_the_program_that_it_is_for";
    let Some(python) = server("CASEWORK_TEST_READERS", Some(test)) else { return };
    let place = Place::new();
    drop(place.create());
    place.ok(&["ingest", "--window", "0", data.join("stream/stream.jsonl").to_str().unwrap()]);
    place.ok(&[
        "protocol",
        "publish",
        crate::support::fixture("intent-edge-cases.toml").to_str().unwrap(),
    ]);
    place.ok(&["policy", "set", "overlap=2", "limit=2", "rule=majority", "on=label"]);
    place.ok(&["roster", "admit", "eng", "--role", "engineer"]);
    place.ok(&["import", "labels", data.join("reviews/reviews.jsonl").to_str().unwrap()]);
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    place.ok(&["export", "--rows", "cases", "--as", "eng", "--out", &at("cases.jsonl")]);
    let ask = |format: &str, path: &str, more: &[&str]| {
        let tool = data.join("../tools/validate_formats.py");
        let output = std::process::Command::new(&python)
            .arg(tool)
            .args([format, path])
            .args(more)
            .output()
            .unwrap();
        let words = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .join(" ");
        assert!(output.status.success(), "{format} {path}: {words}");
        words
    };
    let same = ["--same-as".to_owned(), at("cases.jsonl")];
    let same: Vec<&str> = same.iter().map(String::as_str).collect();
    ask("jsonl", &at("cases.jsonl"), &same);
    for peer in casework::format::kind::PEERS {
        let out = at(peer.name);
        for rows in peer.rows {
            let rows = rows.as_str();
            place.ok(&[
                "export", "--format", peer.name, "--rows", rows, "--as", "eng", "--out", &out,
                "--lossy",
            ]);
            let of_cases = rows == "cases";
            let config = format!("{out}/config.xml");
            match peer.name {
                "label-studio" => {
                    let mut more = vec!["--config", &config];
                    more.extend(same.iter().filter(|_| of_cases));
                    drop(ask("label-studio", &format!("{out}/tasks.json"), &more));
                }
                "prodigy" => {
                    let mut more = vec!["--strict-hash"];
                    more.extend(same.iter().filter(|_| of_cases));
                    drop(ask("prodigy", &out, &more));
                }
                "sagemaker-ground-truth" => drop(ask("sagemaker", &out, &[])),
                "langsmith-feedback" => drop(ask("langsmith", &out, &[])),
                // What annotators wrote lies in folders of their own there.
                "brat" if !of_cases => {
                    for folder in std::fs::read_dir(&out).unwrap() {
                        let folder = folder.unwrap().path();
                        if folder.is_dir() {
                            ask("brat", folder.to_str().unwrap(), &[]);
                        }
                    }
                }
                // doccano reads it.
                "conll" => drop(ask("doccano", &out, &[])),
                name if of_cases
                    && ["argilla", "croissant", "parquet", "arrow", "hf"].contains(&name) =>
                {
                    drop(ask(name, &out, &same));
                }
                // doccano drops what has no text.
                name => drop(ask(name, &out, &[])),
            }
        }
    }
}

/// One request to a server on this machine.
fn ask(server: &str, token: &str, method: &str, path: &str, body: &str) -> Value {
    let address = server.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_secs(120))).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Token {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    std::io::Write::write_all(&mut stream, body.as_bytes()).unwrap();
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 20"), "{method} {path}: {text}");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

#[test]
fn labels_go_through_a_real_label_studio_and_come_back() {
    let test = "formats::labels_go_through_a_real_label_studio_and_come_back";
    let Some(data) = shared(test) else { return };
    let Some(server) = server("CASEWORK_TEST_LABEL_STUDIO", Some(test)) else { return };
    let (server, token) = server.split_once(' ').unwrap();
    let place = Place::new();
    drop(place.create());
    place.ok(&["ingest", "--window", "0", data.join("stream/stream.jsonl").to_str().unwrap()]);
    let protocol = crate::support::fixture("intent-edge-cases.toml").display().to_string();
    let settle = |place: &Place| {
        place.ok(&["protocol", "publish", &protocol]);
        place.ok(&["policy", "set", "overlap=1", "limit=1", "rule=majority", "on=label"]);
        place.ok(&["roster", "admit", "eng", "--role", "engineer"]);
    };
    settle(&place);
    place.ok(&["import", "labels", data.join("reviews/reviews.jsonl").to_str().unwrap()]);
    let out = place.dir.path().join("ls").display().to_string();
    place.ok(&["export", "--format", "label-studio", "--as", "eng", "--out", &out]);
    let config = std::fs::read_to_string(format!("{out}/config.xml")).unwrap();
    let project = serde_json::json!({ "title": "round trip", "label_config": config }).to_string();
    let project = ask(server, token, "POST", "/api/projects/", &project)["id"].clone();
    let tasks = std::fs::read_to_string(format!("{out}/tasks.json")).unwrap();
    let came = ask(server, token, "POST", &format!("/api/projects/{project}/import"), &tasks);
    let rows = |place: &Place| -> Vec<Value> {
        let text = place.ok(&["export", "--as", "eng"]);
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["round"] == "main" && row["counts"] == true).collect()
    };
    let before = rows(&place);
    assert_eq!(came["annotation_count"], before.len(), "{came}");
    let back =
        ask(server, token, "GET", &format!("/api/projects/{project}/export?exportType=JSON"), "");
    let file = place.dir.path().join("back.json");
    std::fs::write(&file, back.to_string()).unwrap();
    let other = Place::new();
    drop(other.create());
    settle(&other);
    let text = other.run_text(&["import", "labels", file.to_str().unwrap(), "--open", "--json"]);
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&summary["imported"], &summary["rejected"]),
        (&Value::from(before.len()), &Value::from(0)),
        "{summary}"
    );
    let key = |row: &Value| {
        ["case", "reviewer", "outcome", "path", "at", "rationale"].map(|name| row[name].to_string())
    };
    let mut sides = [before, rows(&other)].map(|rows| rows.iter().map(key).collect::<Vec<_>>());
    sides.iter_mut().for_each(|rows| rows.sort());
    assert_eq!(sides[0].len(), sides[1].len());
    for (one, two) in sides[0].iter().zip(&sides[1]) {
        assert_eq!(one, two);
    }
}

/// Files that are damaged anywhere are read as far as they go: nothing panics, and what can't be read
/// is told. `CASEWORK_FUZZ` says how often each file is damaged.
#[test]
fn damaged_files_are_read_as_far_as_they_go() {
    let Some(data) = formats("damaged_files_are_read_as_far_as_they_go") else { return };
    let rounds = crate::support::number("CASEWORK_FUZZ").unwrap_or(12);
    let mut files = Vec::new();
    let mut folders = vec![data];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "expected.json") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(files.len() > 100, "the files were found");
    let place = tempfile::tempdir().unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        // xorshift: the same damage in every run
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below.max(1) as u64) as usize
    };
    let strange: [&[u8]; 10] =
        [b"\"", b"{", b"}", b"[", b"\n", b",", b"\\u", b"\xff", b"99999999999999999999", b"NaN"];
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        for _ in 0..rounds {
            let mut bytes = bytes.clone();
            for _ in 0..=draw(4) {
                let at = draw(bytes.len());
                match draw(4) {
                    0 => bytes.truncate(at),
                    1 if !bytes.is_empty() => bytes[at] = draw(256) as u8,
                    2 => {
                        let end = (at + draw(40)).min(bytes.len());
                        bytes.drain(at..end);
                    }
                    _ => {
                        let with = strange[draw(strange.len())];
                        bytes.splice(at..at, with.iter().copied());
                    }
                }
            }
            let file = place.path().join(path.file_name().unwrap());
            std::fs::write(&file, &bytes).unwrap();
            let Ok(parts) = parts_of(&file) else { continue };
            let inputs =
                Inputs::new(parts.clone(), Options::default(), Arc::new(AtomicBool::new(false)));
            while let Ok(Some(opened)) = inputs.next_input() {
                if let Input::Records(records) = opened.input {
                    // Every record is a line or says why it is none.
                    records.map_while(Result::ok).for_each(|record| {
                        assert!(record.line.map_or_else(
                            |why| !why.to_string().is_empty(),
                            |line| !line.is_empty() && !line.contains('\n')
                        ))
                    });
                }
            }
            for part in &parts {
                let inputs =
                    Inputs::new(Vec::new(), Options::default(), Arc::new(AtomicBool::new(false)));
                let read = casework::format::open::foreign::labels(
                    &inputs,
                    part,
                    None,
                    Default::default(),
                );
                drop(read.map(|file| file.said.len()));
                let head = String::from_utf8_lossy(&bytes).into_owned();
                if let Some(kind) = told(&head, LogOptions::default()) {
                    let reader = Box::new(std::io::Cursor::new(bytes.clone()));
                    drop(unwrap(
                        kind,
                        reader,
                        "f",
                        LogOptions::default(),
                        &Flaws::default(),
                        |_| Ok(()),
                    ));
                }
            }
            drop(casework::format::kind::label_studio::controls(&String::from_utf8_lossy(&bytes)));
        }
    }
}

#[test]
fn labels_that_doccano_exported_by_themselves_become_a_protocol() {
    let place = Place::new();
    let file = place.dir.path().join("label_config.json");
    let one = |name: &str| {
        serde_json::json!({ "id": 7, "text": name, "prefixKey": null, "suffixKey": "p",
            "backgroundColor": "#FF0000", "textColor": "#ffffff" })
    };
    std::fs::write(&file, serde_json::json!([one("pay"), one("a \"b\"\u{1b}")]).to_string())
        .unwrap();
    let file = file.to_str().unwrap();
    let from = |more: &[&str]| {
        let ran = place.run(&[&["protocol", "from", file, "--format", "doccano"], more].concat());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (ran.status.success(), text(ran.stdout), text(ran.stderr))
    };
    let (done, _, said) = from(&[]);
    assert!(!done && said.contains("--takes one, several or places"), "{said}");
    for (takes, expect) in
        [("one", "kind = \"label\""), ("several", "pay"), ("places", "kind = \"span\"")]
    {
        let (done, made, said) = from(&["--takes", takes]);
        assert!(done && made.contains(expect) && !made.contains('\u{1b}'), "{takes}: {made}{said}");
    }
    let ran = place.run(&["protocol", "from", file, "--format", "prodigy", "--takes", "one"]);
    assert!(!ran.status.success());
}
