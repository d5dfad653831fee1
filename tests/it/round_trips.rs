//! What goes out to other programs comes back as it was, and what they write comes in whole.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Place, fixture, shared};

fn rows(place: &Place) -> Vec<Value> {
    place.ok(&["export"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A file in a place.
fn file(place: &Place, name: &str, text: &str) -> String {
    let path = place.dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Three cases with predictions, of a protocol with every kind of question.
fn desk(with_cases: bool) -> Place {
    let place = Place::new();
    drop(place.create());
    let lines: String = (1..=3)
        .map(|n| {
            json!({ "id": format!("c{n}"), "occurred_at": "2024-06-03T00:00:00Z",
                "input": { "text": "please 🙂 move money", "lines": n },
                "model": { "name": "router", "version": "2" },
                "prediction": { "label": "pay", "confidence": 0.25 } })
        })
        .map(|line| format!("{line}\n"))
        .collect();
    place.ok(&["protocol", "publish", fixture("every-kind.toml").to_str().unwrap()]);
    place.ok(&["policy", "set", "overlap=1", "limit=1"]);
    // Nothing is kept from who reviews nothing.
    place.ok(&["roster", "set", "ana", "--role", "lead", "--role", "engineer"]);
    if with_cases {
        place.ok(&["ingest", "--where", "true", &file(&place, "lines.jsonl", &lines)]);
    }
    place
}

/// What a label is, but for where it stands: the case, who gave it, when, and all that was said.
fn labels(place: &Place) -> Vec<Value> {
    let mut found: Vec<Value> = rows(place)
        .iter()
        .map(|row| {
            let names = [
                "id",
                "predicted",
                "reviewer",
                "path",
                "outcome",
                "label",
                "confidence",
                "rationale",
                "tags",
                "checked",
                "evidence",
                "at",
                "duration_ms",
                "extra",
            ];
            names.iter().map(|name| (*name, row[*name].clone())).collect()
        })
        .collect();
    found.sort_by_key(Value::to_string);
    found
}

/// The same labels, in every program that keeps what it does not know: into a workspace that has the
/// cases, and into one that has none.
#[test]
fn labels_that_go_out_come_back_whole() {
    let place = desk(true);
    let given = [
        json!({ "case": "c1", "reviewer": "bo", "path": [["fits", "y"]], "confidence": 5,
            "rationale": "it is a bill", "evidence": [[0, 6]], "tags": ["seen"], "checked": ["logs"] }),
        json!({ "case": "c2", "reviewer": "bo", "path": [["fits", "n"], ["which", "call"], ["why", "s,w"],
            ["bad", "5"], ["where", "7-13"], ["cost", "120.50"], ["note", "a\nnote"]], "duration_ms": 1500,
            "extra": { "elsewhere": { "n": 1 } } }),
        json!({ "case": "c2", "reviewer": "cy", "path": [["fits", "n"], ["which", "transfer"], ["why", "o"],
            ["bad", "1"], ["note", ""]], "evidence": [[0, 6], [9, 13]] }),
        json!({ "case": "c3", "reviewer": "cy", "path": [["fits", "y"]] }),
    ];
    let text: String = given
        .iter()
        .enumerate()
        .map(|(n, label)| {
            let mut label = label.clone();
            label["at"] = json!(format!("2024-06-04T00:00:0{n}Z"));
            format!("{label}\n")
        })
        .collect();
    let said = place.run(&["import", "labels", &file(&place, "labels.jsonl", &text)]);
    assert!(said.status.success(), "{said:?}");
    assert!(said.stderr.is_empty(), "{said:?}");
    let wanted = labels(&place);
    assert_eq!(wanted.len(), 4);
    assert_eq!(wanted[0]["evidence"], json!([[0, 6]]));
    for format in ["jsonl", "csv", "label-studio", "prodigy", "doccano", "argilla"] {
        let out = place.dir.path().join(format).display().to_string();
        place.ok(&["export", "--format", format, "--out", &out]);
        let from = out; // a folder too
        for with_cases in [true, false] {
            let other = desk(with_cases);
            let mut args = vec!["import", "labels", &from, "--open"];
            if format == "csv" {
                if !with_cases {
                    let said = other.run(&args);
                    let said = String::from_utf8(said.stderr).unwrap();
                    assert!(said.contains("--open takes JSON lines"), "{said}");
                    continue;
                }
                args.pop();
            }
            let said = format!("{:?}", other.run(&args));
            assert!(said.contains("4 imported"), "{format}: {said}");
            let found = labels(&other);
            assert_eq!(found, wanted, "{format}, {with_cases}");
        }
    }
}

/// A label that was changed in the other program is the changed one.
#[test]
fn a_label_that_was_changed_elsewhere_is_not_what_it_was() {
    let place = desk(true);
    let label =
        json!({ "case": "c1", "reviewer": "bo", "path": [["fits", "y"]], "rationale": "a bill" });
    place.ok(&["import", "labels", &file(&place, "labels.jsonl", &format!("{label}\n"))]);
    let out = place.dir.path().join("out").display().to_string();
    place.ok(&["export", "--format", "doccano", "--out", &out]);
    let path = format!("{out}/bo.jsonl");
    let mut row: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(row["cats"], json!(["pay"]));
    for (label, rejects, none) in
        [(json!(["call"]), json!(1), Value::Null), (json!([]), json!(0), json!(1))]
    {
        row["cats"] = label.clone();
        std::fs::write(&path, format!("{row}\n")).unwrap();
        let other = desk(true);
        let args = ["import", "labels", "--json", out.as_str()];
        let said: Value = serde_json::from_str(&other.run_text(&args)).unwrap();
        // The new label asks for more than a row of doccano says; no label says nothing.
        let (rejected, lost) = (&said["rejected"], &said["lost"]["rows of which nothing is said"]);
        assert_eq!((&said["imported"], rejected, lost), (&json!(0), &rejects, &none), "{said}");
    }
}

#[test]
fn what_nothing_asks_for_is_kept_as_it_was_said() {
    let place = desk(true);
    let rows = "task,worker,label,verdict,colour\nc1,bo,pay,right,red\n";
    let path = file(&place, "crowd.csv", rows);
    let said = place.ok(&["import", "labels", &path]);
    assert!(said.contains("1 imported"), "{said}");
    assert_eq!(labels(&place)[0]["extra"], json!({ "colour": "red" }));
    let said = place.ok(&["import", "labels", &path]);
    assert!(said.contains("0 imported, 1 here already"), "{said}");
    // The plainest of all, and what goes out so.
    let out = place.dir.path().join("out.csv").display().to_string();
    place.ok(&["export", "--format", "crowd-csv", "--out", &out, "--check"]);
    let other = desk(true);
    let plain = file(&other, "plain.csv", "task,worker,label\nc2,bo,pay\n");
    let said = other.run(&["import", "labels", &plain]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
}

#[test]
fn a_known_answer_is_set_once() {
    let place = desk(true);
    let task = json!([{ "data": { "id": "c1", "text": "please 🙂 move money" }, "annotations": [{
        "id": 1, "completed_by": "bo", "ground_truth": true, "result": [
            { "from_name": "verdict", "type": "choices", "value": { "choices": ["right"] } }] }] }]);
    let path = file(&place, "gold.json", &task.to_string());
    let entries = || {
        let status: Value = serde_json::from_str(&place.ok(&["status", "--json"])).unwrap();
        status["entries"].clone()
    };
    let first = place.ok(&["import", "labels", "--gold", &path]);
    assert!(first.contains("1 imported"), "{first}");
    let before = entries();
    let again = place.ok(&["import", "labels", "--gold", &path]);
    assert!(again.contains("0 imported, 1 here already"), "{again}");
    assert_eq!(entries(), before, "the same file again adds nothing");
}

/// Wherever the text of a task stands, and whatever else the task says of the case.
#[test]
fn a_task_is_opened_with_all_that_it_says() {
    let place = desk(false);
    let annotation = json!({ "id": 1, "completed_by": "bo", "result": [
        { "from_name": "verdict", "type": "choices", "value": { "choices": ["right"] } },
        { "from_name": "marked-evidence", "type": "labels",
            "value": { "start": 5, "end": 10, "text": "Phone", "labels": ["marked-evidence"] } }] });
    let guess = |label: &str, score: f64, model: &str| {
        json!({ "model_version": model, "score": score, "result": [
        { "from_name": "label", "type": "choices", "value": { "choices": [label] } }] })
    };
    let tasks = json!([{ "data": { "id": "n1", "review": "Nice Phone", "stars": 4, "occurred_at": "2024-06-03T00:00:00Z" },
        "predictions": [guess("call", 0.4, "m1"), guess("pay", 0.6, "m2")], "annotations": [annotation] }]);
    let path = file(&place, "tasks.json", &tasks.to_string());
    let said = place.ok(&["import", "labels", "--open", &path]);
    assert!(said.contains("1 imported"), "{said}");
    let shown: Value = serde_json::from_str(&place.ok(&["show", "n1", "--json"])).unwrap();
    let line = &shown["line"];
    assert_eq!(
        line["input"],
        json!({ "text": "Nice Phone", "review": "Nice Phone", "stars": 4 }),
        "{line}"
    );
    assert_eq!(line["prediction"], json!({ "label": "pay", "confidence": 0.6 }));
    assert_eq!(line["challenger"], json!({ "label": "call", "confidence": 0.4, "model": "m1" }));
    assert_eq!(line["model"]["name"], "m2");
    // As predictions they are the same.
    let other = desk(false);
    other.ok(&["ingest", "--where", "true", &path]);
    let ingested: Value = serde_json::from_str(&other.ok(&["show", "n1", "--json"])).unwrap();
    assert_eq!(ingested["line"], *line);
    // What Label Studio exports has its numbers alone in the place of predictions: what stands in the data
    // says it, as it went out.
    let ours =
        json!({ "label": "pay", "confidence": 0.25, "top_k": [{ "label": "pay", "p": 0.25 }] });
    let model = json!({ "name": "router", "version": "2", "commit": "abc" });
    let tasks = json!([{ "data": { "id": "n3", "text": "Nice Phone", "occurred_at": "2024-06-03T00:00:00Z",
        "prediction": ours, "model": model }, "predictions": [17], "annotations": [annotation] }]);
    let path = file(&place, "bare.json", &tasks.to_string());
    place.ok(&["import", "labels", "--open", &path]);
    let shown: Value = serde_json::from_str(&place.ok(&["show", "n3", "--json"])).unwrap();
    assert_eq!((&shown["line"]["prediction"], &shown["line"]["model"]), (&ours, &model));
    // Of two texts it is said which.
    let tasks = json!([{ "data": { "id": "n2", "title": "Phone", "review": "Nice Phone", "occurred_at": "2024-06-03T00:00:00Z" },
        "predictions": [guess("pay", 0.6, "m2")], "annotations": [annotation] }]);
    let path = file(&place, "two.json", &tasks.to_string());
    let said = place.ok(&["import", "labels", "--open", "--text", "review", &path]);
    assert!(said.contains("1 imported"), "{said}");
}

/// What an API answers stands in one line as curl saves it, or over many.
#[test]
fn a_page_of_an_api_is_read_however_it_is_laid_out() {
    let name = "round_trips::a_page_of_an_api_is_read_however_it_is_laid_out";
    let Some(data) = shared(name).map(|data| data.join("formats")) else { return };
    let place = desk(false);
    let mut read = 0;
    let mut files: Vec<_> = ["langfuse", "langsmith", "phoenix", "openai-batch", "cloud-logs"]
        .iter()
        .filter_map(|folder| std::fs::read_dir(data.join(folder)).ok())
        .flat_map(|files| files.map(|file| file.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter(|path| path.file_name().is_some_and(|name| name != "expected.json"))
        .collect();
    files.sort();
    for path in files {
        let whole: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let line = file(&place, "line.json", &format!("{whole}\n"));
        let pretty = file(&place, "pretty.json", &serde_json::to_string_pretty(&whole).unwrap());
        for command in [
            &["ingest", "--dry-run", "--json", "--at", "file"][..],
            &["import", "labels", "--dry-run", "--json", "--reviewer", "bo"],
        ] {
            let of = |path: &str| -> Value {
                let said = place.run_text(&[command, &[path]].concat());
                let mut told: Value = serde_json::from_str(&said).unwrap_or_default();
                told["formats"] = Value::Null;
                told["rejects"] = Value::Null;
                told
            };
            assert_eq!(of(&line), of(&pretty), "{} {command:?}", path.display());
            read += of(&pretty)["read"].as_u64().unwrap_or(0);
        }
    }
    assert!(read > 10, "{read}");
}

/// Each line of a log that is wrapped, or packed, or longer than what is looked at first, is read once.
#[test]
fn each_line_of_a_log_is_read_once() {
    let place = desk(true);
    let line = |n: usize| {
        let at = format!("2024-06-03T00:00:{:02}.{:03}Z", n / 1000 % 60, n % 1000);
        [
            json!({ "log": format!("line {n}\n"), "stream": "stderr", "time": at }).to_string(),
            format!("{at} stderr F line {n}"),
            format!("<14>1 {at} host app 1 - - line {n}"),
            format!("{at} INFO line {n}"),
            json!({ "time": at, "level": "info", "msg": format!("line {n}") }).to_string(),
        ]
    };
    for n in [1, 3, 20_000] {
        for kind in 0..5 {
            let text: String = (0..n).map(|n| line(n)[kind].clone() + "\n").collect();
            let plain = file(&place, "app.log", &text);
            let packed = format!("{plain}.gz");
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(text.as_bytes()).unwrap();
            std::fs::write(&packed, gzip.finish().unwrap()).unwrap();
            let empty = file(&place, "none.jsonl", "");
            for log in [plain, packed] {
                let args =
                    ["ingest", empty.as_str(), "--dry-run", "--json", "--logs", log.as_str()];
                let told: Value = serde_json::from_str(&place.run_text(&args)).unwrap();
                assert_eq!(
                    told["logs"]["lines"],
                    n,
                    "{} of kind {kind}: {told}",
                    Path::new(&log).display()
                );
            }
        }
    }
}

#[test]
fn what_no_protocol_asks_is_said_to_be_left_out() {
    let place = Place::new();
    let config = r#"<View><Text name="t" value="$text"/>
        <Choices name="kind" toName="t" choice="single"><Choice value="refund" alias="rf"/>
          <Choice value="Bill"><Choice value="Late"/></Choice><Choice value="Card"><Choice value="Late"/></Choice></Choices>
        <Choices name="sure" toName="t" perRegion="true"><Choice value="y"/></Choices>
        <Choices name="of-data" toName="t" value="$options"/>
        <Taxonomy name="way" toName="t"><Choice value="A"><Choice value="B"/></Choice></Taxonomy>
        <TextArea name="why" toName="t" required="true"/>
        <Pairwise name="pw" toName="a,b"/><Relations><Relation value="is-a"/></Relations></View>"#;
    let path = file(&place, "config.xml", config);
    let out = place.dir.path().join("p.toml").display().to_string();
    let output = place.run(&["protocol", "from", &path, "--format", "label-studio", "--out", &out]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    for left in ["Choices `sure`", "Choices `of-data`", "$options", "Pairwise `pw`", "Relations"] {
        assert!(said.contains(left), "{left}: {said}");
    }
    let made = std::fs::read_to_string(&out).unwrap();
    assert!(
        made.contains("\"rf\"") && !made.contains("\"refund\""),
        "the alias is what comes: {made}"
    );
    assert!(made.contains("id = \"why\"") && made.contains("min = 1"), "{made}");
    place.ok(&["protocol", "check", &out]);
}

/// Several labels chosen, and one row turned down: that is no training label.
#[test]
fn a_verdict_is_never_taken_for_the_label() {
    let place = Place::new();
    let row = |text: &str, answer: &str, accept: &[&str]| {
        json!({ "text": text, "answer": answer, "accept": accept, "_input_hash": 1, "_task_hash": 2 }).to_string() + "\n"
    };
    let rows = row("a", "accept", &["x", "y"]) + &row("b", "reject", &[]);
    let path = file(&place, "choice.jsonl", &rows);
    let out = place.dir.path().join("p.toml").display().to_string();
    place.ok(&["protocol", "from", &path, "--format", "prodigy", "--out", &out]);
    let made = std::fs::read_to_string(&out).unwrap();
    assert!(!made.contains("labels = [\n  \"wrong_label\""), "{made}");
    place.ok(&["protocol", "check", &out]);
}

/// Nothing of a row is lost without a word, whatever its first one is.
#[test]
fn rows_of_csv_lose_nothing_and_say_what_is_wrong() {
    let place = desk(false);
    let rows = "id,timestamp,text,label,confidence\n\
        a,2026-06-01 08:00:00+02,one,,0.1\nb,2026-06-01 08:00:00.5-0530,two,x,NaN\nc,2026-06-01T08:00:00Z,three,x,0.5\n";
    place.ok(&["ingest", "--where", "true", &file(&place, "rows.csv", rows)]);
    let line = |id: &str| -> Value {
        let shown: Value = serde_json::from_str(&place.ok(&["show", id, "--json"])).unwrap();
        shown["line"].clone()
    };
    assert_eq!(line("a")["input"], json!({ "text": "one", "confidence": "0.1" }));
    assert_eq!(line("b")["input"], json!({ "text": "two", "confidence": "NaN" }));
    assert_eq!(line("c")["prediction"], json!({ "label": "x", "confidence": 0.5 }));
    assert_eq!(line("a")["occurred_at"], "2026-06-01T06:00:00.000Z");
    assert_eq!(line("b")["occurred_at"], "2026-06-01T13:30:00.500Z");
    // A first row that is longer than what is looked at.
    let long = "x".repeat(300_000);
    let rows = format!("id,timestamp,text,label\nlong,2026-06-01T08:00:00Z,{long},y\n");
    place.ok(&["ingest", "--where", "true", &file(&place, "long.csv", &rows)]);
    assert_eq!(line("long")["input"]["text"].as_str().map(str::len), Some(long.len()));
    // What is in another encoding is told to be, not to have other columns.
    let path = place.dir.path().join("latin.csv");
    std::fs::write(&path, b"id,timestamp,text,label\nl,2026-06-01T08:00:00Z,caf\xe9,y\n").unwrap();
    let output = place.run(&["ingest", "--where", "true", path.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("--encoding windows-1252"), "{said}");
    // A quote that is never closed takes what is behind it: that is no mere rejected row.
    let rows = "id,timestamp,text,label\np,2026-06-01T08:00:00Z,one,y\nq,2026-06-01T08:00:00Z,\"two,y\nr,2026-06-01T08:00:00Z,three,y\n";
    let output = place.run(&["ingest", "--where", "true", &file(&place, "open.csv", rows)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains("line 3 breaks off"), "{said}");
    assert_eq!(line("p")["input"]["text"], "one");
}

/// What was asked and answered is found in each envelope, and what else it says is kept.
#[test]
fn envelopes_are_opened_to_what_was_asked_and_answered() {
    let place = desk(false);
    let shown = |id: &str| -> Value {
        let shown: Value = serde_json::from_str(&place.ok(&["show", id, "--json"])).unwrap();
        shown["line"].clone()
    };
    let ingest = |name: &str, records: &[Value]| {
        let text: String = records.iter().map(|record| format!("{record}\n")).collect();
        let path = file(&place, name, &text);
        place.ok(&["ingest", "--where", "true", &path])
    };
    let text = |value: &str| json!({ "stringValue": value });
    let span = |trace: &str, attributes: &[(&str, Value)]| {
        let attributes: Vec<Value> =
            attributes.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [{ "traceId": trace, "spanId": "1", "name": "chat",
            "startTimeUnixNano": "1780300800000000000", "endTimeUnixNano": "1780300801500000000",
            "attributes": attributes }] }] }] })
    };
    let said = |role: &str, content: &str| {
        json!([{ "role": role, "parts": [{ "type": "text", "content": content }] }]).to_string()
    };
    ingest(
        "genai.jsonl",
        &[
            span(
                "aa",
                &[
                    ("gen_ai.input.messages", text(&said("user", "where is it"))),
                    ("gen_ai.output.messages", text(&said("assistant", "refund"))),
                    ("gen_ai.request.model", text("m")),
                    ("gen_ai.usage.input_tokens", json!({ "intValue": "12" })),
                ],
            ),
            span(
                "bb",
                &[
                    ("gen_ai.prompt.0.role", text("user")),
                    ("gen_ai.prompt.0.content", text("and now")),
                    ("gen_ai.completion.0.content", text("track")),
                ],
            ),
        ],
    );
    let (one, two) = (shown("aa"), shown("bb"));
    assert_eq!(
        (&one["input"]["text"], &one["prediction"]["label"]),
        (&json!("where is it"), &json!("refund"))
    );
    assert_eq!(
        (&one["model"]["name"], &one["attributes"]["gen_ai.usage.input_tokens"]),
        (&json!("m"), &json!(12))
    );
    assert_eq!(
        (&two["input"]["text"], &two["prediction"]["label"]),
        (&json!("and now"), &json!("track"))
    );
    // A batch of OpenAI's responses.
    ingest(
        "batch.jsonl",
        &[
            json!({ "custom_id": "r1", "method": "POST", "url": "/v1/responses", "body": { "model": "m", "input": "hello" } }),
            json!({ "custom_id": "r1", "response": { "body": { "created_at": 1_717_401_600, "model": "m", "output": [
            { "type": "reasoning", "summary": [] },
            { "type": "message", "content": [{ "type": "output_text", "text": "track" }] }] } } }),
        ],
    );
    let one = shown("r1");
    assert_eq!(
        (&one["input"]["text"], &one["prediction"]["label"]),
        (&json!("hello"), &json!("track"))
    );
    assert_eq!(one["output"][0]["type"], "reasoning", "{one}");
    // Version 2 of the inference protocol: a row for each of the first dimension.
    let event = |kind: &str, data: Value| {
        json!({ "specversion": "1.0", "type": format!("org.kubeflow.serving.inference.{kind}"), "source": "x",
            "id": "v2", "time": "2026-06-01T08:00:00Z", "data": data })
    };
    let tensor = |name: &str, shape: Value, data: Value| json!({ "name": name, "shape": shape, "datatype": "X", "data": data });
    ingest(
        "events.jsonl",
        &[
            event(
                "request",
                json!({ "inputs": [tensor("query", json!([2]), json!(["a", "b"])),
            tensor("x", json!([2, 2]), json!([1, 2, 3, 4]))] }),
            ),
            event(
                "response",
                json!({ "outputs": [tensor("label", json!([2, 1]), json!([["p"], ["q"]])),
            tensor("score", json!([2]), json!([0.5, 0.25]))] }),
            ),
        ],
    );
    let (one, two) = (shown("v2#0"), shown("v2#1"));
    assert_eq!(one["input"], json!({ "query": "a", "x": [1, 2], "text": "a" }));
    assert_eq!(two["prediction"], json!({ "label": "q", "confidence": 0.25 }), "{two}");
    // LangChain's objects in a run of LangSmith.
    let turn = |class: &str, content: &str| {
        json!({ "lc": 1, "type": "constructor",
        "id": ["langchain", "schema", "messages", class], "kwargs": { "content": content, "type": "x" } })
    };
    ingest(
        "runs.jsonl",
        &[json!({ "id": "run-1", "run_type": "chain", "start_time": "2026-06-01T08:00:00Z",
        "inputs": { "messages": [[turn("SystemMessage", "be kind"), turn("HumanMessage", "hello there")]] },
        "outputs": { "generations": [[{ "text": "greeting" }]], "llm_output": { "tokens": 3 } } })],
    );
    let one = shown("run-1");
    assert_eq!(
        (&one["input"]["text"], &one["prediction"]["label"]),
        (&json!("hello there"), &json!("greeting"))
    );
    assert_eq!(one["input"]["messages"][0], json!({ "role": "system", "content": "be kind" }));
    assert_eq!(one["output"]["llm_output"]["tokens"], 3);
    // What Langfuse says beside.
    ingest(
        "langfuse.jsonl",
        &[
            json!({ "id": "o", "traceId": "lf", "type": "GENERATION", "startTime": "2026-06-01T08:00:00Z",
        "input": "hi", "output": "hello", "model": "m", "latency": 1.25, "usageDetails": { "input": 5 },
        "modelParameters": { "temperature": 0 } }),
        ],
    );
    let one = shown("lf");
    assert_eq!((&one["latency_ms"], &one["usageDetails"]["input"]), (&json!(1250.0), &json!(5)));
    assert_eq!(one["modelParameters"]["temperature"], 0);
}

/// A text is a text in CSV, whatever it looks like, and nothing is nothing.
#[test]
fn texts_stand_in_quotes_in_csv_and_nothing_does_not() {
    let place = desk(true);
    let rationales = ["NA", "null", "00123", "two \"words\",\nlines", ""];
    let text: String = rationales
        .iter()
        .enumerate()
        .map(|(n, rationale)| {
            json!({ "case": "c1", "reviewer": format!("r{n}"), "path": [["fits", "y"]], "rationale": rationale })
                .to_string()
                + "\n"
        })
        .collect();
    place.ok(&["import", "labels", &file(&place, "labels.jsonl", &text)]);
    let written = place.ok(&["export", "--format", "csv"]);
    for quoted in ["\"NA\"", "\"null\"", "\"00123\"", "\"c1\"", "\"two \"\"words\"\",\nlines\""] {
        assert!(written.contains(quoted), "{quoted} in {written}");
    }
    assert!(written.contains(",0.25,") && !written.contains("\"0.25\""), "{written}");
    let mut reader = csv::Reader::from_reader(written.as_bytes());
    let at = reader.headers().unwrap().iter().position(|name| name == "rationale").unwrap();
    let mut found: Vec<String> = reader.records().map(|row| row.unwrap()[at].to_owned()).collect();
    found.sort();
    let mut wanted = rationales.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_log_line_that_names_the_prediction_as_its_request_stands_beside_it() {
    let place = desk(false);
    let line = |n: usize| {
        json!({ "id": format!("r{n}"), "occurred_at": "2026-06-01T08:00:00Z", "trace_id": format!("abc{n}"),
            "input": { "text": "hi" }, "prediction": { "label": "x" } })
        .to_string()
            + "\n"
    };
    let stream = file(&place, "s.jsonl", &(line(0) + &line(1)));
    let log = file(
        &place,
        "app.log",
        "time=2026-06-01T08:00:00Z msg=one trace_id=abc0\ntime=2026-06-01T09:00:00Z msg=two request_id=r1\n",
    );
    place.ok(&["ingest", &stream, "--where", "true", "--logs", &log]);
    for (id, said) in [("r0", "one"), ("r1", "two")] {
        let shown: Value = serde_json::from_str(&place.ok(&["show", id, "--json"])).unwrap();
        let own: Vec<&Value> =
            shown["logs"].as_array().unwrap().iter().filter(|line| line["own"] == true).collect();
        assert!(own.len() == 1 && own[0]["text"].as_str().unwrap().contains(said), "{id}: {shown}");
    }
}

/// A prediction of a case, as `show` has it.
fn predicted(place: &Place, id: &str) -> Value {
    let shown: Value = serde_json::from_str(&place.ok(&["show", id, "--json"])).unwrap();
    shown["predicted"].clone()
}

/// Rows may leave out what they say nothing of, the first of them too.
#[test]
fn what_the_first_row_leaves_out_is_seen_in_the_next() {
    let place = Place::new();
    drop(place.create());
    let rows = json!([
        { "id": "a", "when": "2024-06-03T00:00:00Z", "query": "one" },
        { "id": "b", "when": "2024-06-03T00:00:01Z", "query": "two", "label": "pay", "score": 0.25 },
        { "id": "c", "when": "2024-06-03T00:00:02Z", "query": "three", "label": "call" },
    ]);
    place.ok(&["ingest", &file(&place, "rows.json", &rows.to_string()), "--where", "true"]);
    assert_eq!(predicted(&place, "a"), Value::Null);
    assert_eq!((predicted(&place, "b"), predicted(&place, "c")), (json!("pay"), json!("call")));
}

#[test]
fn nan_stands_for_nothing_in_lines_too() {
    let place = Place::new();
    drop(place.create());
    let line = r#"{"id":"a","occurred_at":"2024-06-03T00:00:00Z","input":{"text":"x","n":NaN},"prediction":{"label":"pay"}}"#;
    let path = file(&place, "lines.jsonl", &format!("{line}\n"));
    let said = place.run_text(&["ingest", &path, "--where", "true", "--json"]);
    assert!(said.contains("\"rejected\":1"), "{said}");
    let said = place.ok(&["ingest", &path, "--where", "true", "--nan", "none", "--json"]);
    assert!(said.contains("\"opened\":1"), "{said}");
}

/// What says where something stands in predictions says nothing of labels; it is not taken in silence.
#[test]
fn what_has_no_meaning_for_labels_is_refused() {
    let place = desk(true);
    let own = json!({ "case": "c1", "reviewer": "bo", "path": [["fits", "y"]] });
    let own = file(&place, "own.jsonl", &format!("{own}\n"));
    let refused = |args: &[&str], words: &str| {
        let ran = place.run(&[&["import", "labels", &own], args].concat());
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.code() == Some(2) && said.contains(words), "{args:?}: {said}");
    };
    for flag in ["--id", "--time", "--label", "--confidence"] {
        refused(&[flag, "x"], &format!("{flag} tells where something stands in predictions"));
    }
    refused(&["--explain"], "--dry-run tells what would come in");
    for args in [&["--gold"][..], &["--rulings"], &["--reviewer", "bo"]] {
        refused(args, &format!("{} tells how labels of other programs", args[0]));
    }
    let crowd = file(&place, "crowd.csv", "task,worker,label\nc2,cy,call\n");
    refused(&[&crowd], "holds no labels of casework");
    // What is read once is not looked at before it is read.
    let mut command = crate::support::program();
    command.env("CASEWORK_WORKSPACE", place.path()).args(["import", "labels", "-", "--dry-run"]);
    let piped = |command: &mut std::process::Command| {
        crate::support::piped(command, &std::fs::read(&own).unwrap())
    };
    let said = piped(&mut command);
    assert!(String::from_utf8(said.stderr).unwrap().contains("say what it is"));
    let said = piped(command.args(["--format", "jsonl"]));
    assert!(String::from_utf8(said.stdout).unwrap().contains("1 imported"));
    // Packed, they are read as any file is.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&std::fs::read(&own).unwrap()).unwrap();
    let path = place.dir.path().join("own.jsonl.gz");
    std::fs::write(&path, packed.finish().unwrap()).unwrap();
    let said = place.ok(&["import", "labels", path.to_str().unwrap()]);
    assert!(said.contains("1 imported"), "{said}");
}

/// A file a person, in an archive as doccano gives it.
#[test]
fn in_an_archive_each_file_is_of_its_person() {
    let place = Place::new();
    drop(place.create());
    let protocol = "id = \"p\"\ntitle = \"P\"\nstart = \"q\"\nlabels = [\"pay\", \"call\"]\n[[question]]\n\
                    id = \"q\"\nask = \"Which?\"\nkind = \"label\"\nsets = \"label\"\n";
    place.ok(&["protocol", "publish", &file(&place, "p.toml", protocol)]);
    let path = place.dir.path().join("project_1.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    for name in ["bo", "cy"] {
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        archive.start_file(format!("{name}.jsonl"), stored).unwrap();
        let row = json!({ "id": 1, "text": "move money", "label": ["pay"] });
        archive.write_all(format!("{row}\n").as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    let path = path.to_str().unwrap();
    let at = "2024-06-03T00:00:00Z";
    let said = place.ok(&["import", "labels", path, "--open", "--at", at]);
    assert!(said.contains("2 imported"), "{said}");
    place.ok(&["roster", "set", "ana", "--role", "lead", "--role", "engineer"]);
    let given = rows(&place);
    let names: Vec<&Value> = given.iter().map(|row| &row["reviewer"]).collect();
    assert_eq!(names, [&json!("bo"), &json!("cy")]);
}

/// Places that are not in the text reject their label: it would say that nothing was marked.
#[test]
fn places_beyond_the_text_reject_the_label() {
    let place = desk(true);
    let record = |field: &str, end: usize| {
        json!({ "id": "c1", "fields": { field: "please 🙂 move money" },
            "responses": { "spans": [{ "user_id": "bo", "value": [{ "start": 0, "end": end, "label": "amount" }] }] } })
    };
    let said = |record: Value| -> Value {
        let path = file(&place, "records.json", &json!([record]).to_string());
        serde_json::from_str(&place.run_text(&["import", "labels", &path, "--dry-run", "--json"]))
            .unwrap()
    };
    for field in ["text", "prompt"] {
        let far = said(record(field, 900));
        assert!(far.to_string().contains("the place 0-900 is not in the text"), "{far}");
        let near = said(record(field, 6));
        assert!(!near.to_string().contains("the place 0-6"), "{near}");
    }
}

/// Of many rows without a text nobody can tell which case is which.
#[test]
fn a_flattened_row_without_its_text_is_rejected() {
    let place = desk(false);
    let row = |n: u32| json!({ "id": n, "annotation_id": n, "annotator": 1, "lead_time": 2.5, "review": format!("text {n}"), "sentiment": "pay" });
    let path = file(&place, "min.json", &json!([row(1), row(2)]).to_string());
    let said = place.run(&["import", "labels", &path, "--dry-run", "--json"]);
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["rejected"], 2, "{said}");
    assert!(said.to_string().contains("--text NAME says which field it is"), "{said}");
    // Named, each is a text of its own; and labels are no predictions.
    let named = place.run(&["import", "labels", &path, "--text", "review", "--dry-run", "--json"]);
    assert!(!String::from_utf8(named.stdout).unwrap().contains("--text NAME"));
    let read = place.run(&["ingest", &path, "--where", "true", "--at", "2024-06-03"]);
    assert!(!read.status.success(), "{read:?}");
}

/// What a dry run says comes in does.
#[test]
fn what_can_not_be_a_case_is_told_before_anything_is_written() {
    let place = desk(false);
    let task = json!([{ "id": 1, "data": { "text": "move money", "id": "t1" },
        "predictions": [{ "model_version": "m", "score": 87.0, "result": [{ "type": "choices", "from_name": "label",
            "to_name": "text", "value": { "choices": ["pay"] } }] }],
        "annotations": [{ "id": 5, "completed_by": { "email": "bo@x.org" }, "created_at": "2024-06-04T00:00:00Z",
            "result": [{ "type": "choices", "from_name": "fits", "to_name": "text", "value": { "choices": ["y"] } }] }] }]);
    let path = file(&place, "tasks.json", &task.to_string());
    let said = |more: &[&str]| -> Value {
        let args = ["import", "labels", &path, "--open", "--at", "2024-06-03T00:00:00Z", "--json"];
        serde_json::from_str(&place.run_text(&[&args[..], more].concat())).unwrap()
    };
    let (dry, done) = (said(&["--dry-run"]), said(&[]));
    for name in ["read", "imported", "rejected", "opened", "rejects"] {
        assert_eq!(dry[name], done[name], "{name}: {dry} {done}");
    }
    assert!(done.to_string().contains("confidence"), "{done}");
}

/// Whose clock a time in a table was read off, only who wrote it knows.
#[test]
fn a_time_in_a_table_says_its_zone_or_the_zone_is_named() {
    let place = desk(true);
    let table = "task,worker,label,fits,at\nc1,bo,pay,y,2024-06-04 10:00:00\n";
    let path = file(&place, "labels.csv", table);
    let said = place.run_text(&["import", "labels", &path, "--dry-run", "--json"]);
    assert!(said.contains("says no zone"), "{said}");
    let zone = ["import", "labels", &path, "--timezone", "Europe/Berlin", "--dry-run", "--json"];
    assert!(!place.run_text(&zone).contains("says no zone"));
}

/// What a file is, is seen from its first record, however long that is.
#[test]
fn a_first_record_may_be_longer_than_what_is_looked_at() {
    let long = "word ".repeat(60_000);
    let span = |n: u32, text: &str| json!({ "id": format!("r{n}"), "when": format!("2024-06-03T00:00:0{n}Z"), "query": text, "label": "pay" });
    let rows = [span(1, &long), span(2, "short")];
    let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
    let spread = serde_json::to_string_pretty(&rows).unwrap();
    for (name, text) in
        [("lines.jsonl", lines), ("list.json", json!(rows).to_string()), ("spread.json", spread)]
    {
        let place = Place::new();
        drop(place.create());
        let said = place.ok(&["ingest", &file(&place, name, &text), "--where", "true", "--json"]);
        assert!(said.contains("\"opened\":2"), "{name}: {said}");
        assert_eq!(predicted(&place, "r1"), "pay", "{name}");
    }
    // The page of an API in one line that is longer than all that is looked at.
    let said = |n: u32, text: &str| {
        json!({ "id": format!("o{n}"), "traceId": format!("t{n}"), "type": "GENERATION", "model": "m",
            "startTime": format!("2026-06-01T08:00:0{n}Z"), "input": text, "output": "hello" })
    };
    let page = json!({ "data": [said(1, &long), said(2, &"word ".repeat(3_400_000))] });
    let place = Place::new();
    drop(place.create());
    let path = file(&place, "page.json", &page.to_string());
    let said = place.ok(&["ingest", &path, "--where", "true", "--json"]);
    assert!(said.contains("\"opened\":2") && said.contains("observations of Langfuse"), "{said}");
}
