//! Labels of other programs in each of the files that a program writes them to, and what of them has no
//! place here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[cfg(feature = "parquet")]
use casework::format::foreign::Said;
use casework::format::foreign::{Foreign, LabelOptions, Loss};
use casework::format::open::Inputs;
use casework::format::open::foreign::labels;
use casework::format::read::Options;
use casework::format::read::files::parts_of;
use serde_json::{Value, json};

use crate::support::{Place, shared};

const PROTOCOL: &str = "id = \"p\"\ntitle = \"P\"\nstart = \"q\"\nlabels = [\"pay\", \"call\"]\n[[question]]\n\
                        id = \"q\"\nask = \"Which?\"\nkind = \"label\"\nsets = \"label\"\n";
const OF_PLACES: &str = "id = \"s\"\ntitle = \"S\"\nstart = \"spans-PER\"\n\
    [[question]]\nid = \"spans-PER\"\nask = \"Who?\"\nkind = \"span\"\nsets = \"spans-PER\"\nmin = 0\ngoto = \"spans-LOC\"\n\
    [[question]]\nid = \"spans-LOC\"\nask = \"Where?\"\nkind = \"span\"\nsets = \"spans-LOC\"\nmin = 0\n";

fn file(place: &Place, name: &str, text: &str) -> String {
    let path = place.dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A desk at which a protocol is in force and its lead sees what others say.
fn desk(protocol: &str) -> Place {
    let place = Place::new();
    drop(place.create());
    place.ok(&["protocol", "publish", &file(&place, "p.toml", protocol)]);
    place.ok(&["policy", "set", "overlap=1", "limit=1"]);
    place.ok(&["roster", "set", "ana", "--role", "lead", "--role", "engineer"]);
    place
}

fn rows(place: &Place) -> Vec<Value> {
    place.ok(&["export"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a file says, as it was read.
fn said(path: &Path, format: Option<&str>) -> (Vec<Foreign>, Loss) {
    let parts = parts_of(&PathBuf::from(path)).unwrap();
    let inputs = Inputs::new(parts.clone(), Options::default(), Arc::new(AtomicBool::new(false)));
    let (mut said, mut loss) = (Vec::new(), Loss::default());
    for part in &parts {
        let found = labels(&inputs, part, format, LabelOptions::default()).unwrap();
        said.extend(found.said);
        loss.rejects.extend(found.loss.rejects);
        loss.lost.extend(found.loss.lost);
    }
    (said, loss)
}

/// Whose answers, of which case, and the answers by control.
type SaidBy = (Option<String>, Option<String>, Vec<(String, String)>);

/// `annotations.jsonl`, `annotations.csv` and `user_state.json` hold the same.
#[test]
fn the_three_files_of_potato_say_the_same() {
    let Some(data) = shared("labels_in::the_three_files_of_potato_say_the_same") else { return };
    let folder = data.join("formats/potato");
    let read = |name: &str| {
        let (said, loss) = said(&folder.join(name), None);
        assert_eq!(loss, Loss::default(), "{name}");
        let mut all: Vec<SaidBy> = said
            .into_iter()
            .map(|of| {
                let answers =
                    of.said.iter().map(|(name, said)| (name.clone(), said.value().to_string()));
                let mut answers: Vec<_> = answers.collect();
                answers.sort();
                (of.reviewer, of.id, answers)
            })
            .collect();
        all.sort();
        all
    };
    let lines = read("annotations.jsonl");
    assert_eq!(lines.len(), 6);
    assert_eq!(read("annotations.csv"), lines);
    assert_eq!(read("annotation_output"), lines);
    let expect: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap())
            .unwrap();
    for item in expect["files"]["annotations.jsonl"]["items"].as_array().unwrap() {
        let text = |name: &str| Some(item[name].as_str().unwrap().to_owned());
        let of = |(who, id, _): &&(_, _, _)| *who == text("reviewer") && *id == text("id");
        let (.., answers) = lines.iter().find(of).unwrap();
        for (name, value) in item["outcome"].as_object().unwrap() {
            let found = answers.iter().find(|(known, _)| known == name);
            assert_eq!(found.unwrap().1, value.to_string(), "{item}");
        }
    }
}

/// A text behind its labels, a line each; doccano quotes lines with a comma.
#[test]
fn lines_of_fasttext_are_texts_with_labels() {
    let place = desk(PROTOCOL);
    let text =
        "__label__pay move money \n\"__label__call please, \"\"call\"\" me \"\nno label here\n";
    let path = file(&place, "ana.txt", text);
    let (read, _) = said(Path::new(&path), None);
    let texts: Vec<_> = read.iter().map(|of| of.text.as_deref().unwrap()).collect();
    assert_eq!(texts, ["move money", "please, \"call\" me"]);
    // Who gave them is said by doccano alone, in the name of the file.
    let at = ["--open", "--at", "2024-06-03T00:00:00Z"];
    let unsaid = place.run(&[&["import", "labels", &path], &at[..]].concat());
    assert!(String::from_utf8_lossy(&unsaid.stderr).contains("--reviewer NAME does"));
    let told = place.ok(&[&["import", "labels", &path, "--format", "doccano"], &at[..]].concat());
    assert!(told.contains("2 imported"), "{told}");
    let given: Vec<_> = rows(&place)
        .iter()
        .map(|row| (row["reviewer"].clone(), row["outcome"]["label"].clone()))
        .collect();
    assert!(given.contains(&(json!("ana"), json!("call"))), "{given:?}");
}

/// Tokens with tags come in as texts with places, with a reviewer who is named.
#[test]
fn tokens_with_tags_are_texts_with_places() {
    let place = desk(OF_PLACES);
    let path = file(
        &place,
        "train.conll",
        "JAPAN\tB-LOC\nGET\tO\n\nNadim\tB-PER\nLadki\tI-PER\n\nno tag\n",
    );
    let at = ["--open", "--at", "2024-06-03T00:00:00Z", "--reviewer", "bo"];
    let told = place.run(&[&["import", "labels", &path], &at[..]].concat());
    let words = String::from_utf8_lossy(&told.stderr);
    assert!(words.contains("line 7 has no tag at its end"), "{words}");
    let rows = rows(&place);
    let of = |text: &str| &rows.iter().find(|row| row["text"] == text).unwrap()["outcome"];
    assert_eq!(of("JAPAN GET")["spans-LOC"], json!([[0, 5]]));
    assert_eq!(of("Nadim Ladki")["spans-PER"], json!([[0, 11]]));
}

/// What records say of a case beside its text is part of the input of a case that is opened, and is
/// counted as lost where the case is here without it.
#[test]
fn what_is_said_of_a_case_beside_its_text_is_kept_or_counted() {
    let records = [
        (
            "doccano",
            json!({ "id": 3, "text": "move money", "label": ["pay"], "Comments": [], "channel": "web" }),
        ),
        (
            "prodigy",
            json!({ "text": "move money", "_input_hash": 5, "accept": ["pay"], "answer": "accept",
                "_session_id": "d-bo", "meta": { "channel": "web", "score": 0.5 } }),
        ),
        (
            "argilla",
            json!({ "id": "a", "fields": { "text": "move money", "channel": "web" }, "metadata": {},
                "suggestions": { "tags": { "value": "x" } }, "vectors": { "emb": [0.1] },
                "responses": { "label": [{ "value": "pay", "user_id": "bo" }] } }),
        ),
    ];
    for (format, record) in records {
        let place = desk(PROTOCOL);
        let path = file(&place, "bo.json", &json!([record]).to_string());
        let import = |place: &Place, more: &[&str]| -> Value {
            let args =
                ["import", "labels", &path, "--format", format, "--at", "2024-06-03T00:00:00Z"];
            serde_json::from_str(&place.run_text(&[&args[..], &["--json"], more].concat())).unwrap()
        };
        let opened = import(&place, &["--open"]);
        assert_eq!(opened["imported"], 1, "{format}: {opened}");
        assert!(!opened["lost"].to_string().contains("channel"), "{format}: {opened}");
        let id = rows(&place)[0]["case"].as_str().unwrap().to_owned();
        let shown: Value = serde_json::from_str(&place.ok(&["show", &id, "--json"])).unwrap();
        assert!(shown.to_string().contains("\"channel\":\"web\""), "{format}: {shown}");
        assert!(!import(&place, &["--open"])["lost"].to_string().contains("channel"));
        if format == "argilla" {
            let lost = opened["lost"].to_string();
            assert!(lost.contains("emb (a vector)") && lost.contains("tags (suggested"), "{lost}");
        }
        // A case that was here before, and says less.
        let place = desk(PROTOCOL);
        let id = said(Path::new(&path), Some(format)).0[0].id.clone().unwrap();
        let line = json!({ "id": id, "occurred_at": "2024-06-03T00:00:00Z", "input": { "text": "move money" }, "prediction": null });
        let cases = file(&place, "cases.jsonl", &line.to_string());
        place.ok(&["ingest", &cases, "--where", "true"]);
        let told = import(&place, &[]);
        assert_eq!(told["imported"], 1, "{format}: {told}");
        assert_eq!(told["lost"]["channel (the case is here without it)"], 1, "{format}: {told}");
        let strict = ["import", "labels", &path, "--format", format, "--strict"];
        assert_eq!(place.run(&strict).status.code(), Some(1), "{format}");
    }
}

/// Labels that were given are not taken for predictions, whoever wrote them.
#[test]
fn labels_are_no_predictions_and_that_is_said() {
    let place = desk(PROTOCOL);
    let of_here = json!({ "id": "c1", "occurred_at": "2024-06-03T00:00:00Z", "input": { "text": "move money" },
        "annotation_id": 4, "annotator": 1, "lead_time": 2.5, "label": "pay" });
    for (name, text) in [
        (
            "doccano.jsonl",
            json!({ "text": "move money", "label": ["pay"], "Comments": [] }).to_string(),
        ),
        ("argilla.json", json!([{ "id": "a", "fields": {}, "responses": {} }]).to_string()),
        (
            "potato.jsonl",
            json!({ "instance_id": "c1", "user_id": "ana", "labels": {} }).to_string(),
        ),
        ("min.json", json!([of_here]).to_string()),
    ] {
        let path = file(&place, name, &text);
        let refused = place.run(&["ingest", &path, "--where", "true"]);
        let words = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{name}: {words}");
        assert!(
            words.contains("labels and no predictions") && words.contains("import labels"),
            "{words}"
        );
    }
}

/// Labels in rows of Parquet, as datasets have them: a list of labels beside a text.
#[cfg(feature = "parquet")]
#[test]
fn rows_of_parquet_hold_labels_too() {
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{ArrayRef, RecordBatch, StringArray};

    let place = desk(PROTOCOL);
    let mut labels = ListBuilder::new(StringBuilder::new());
    labels.values().append_value("pay");
    labels.append(true);
    labels.append(true);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("text", Arc::new(StringArray::from(vec!["move money", "nothing said"]))),
        ("label", Arc::new(labels.finish())),
        ("channel", Arc::new(StringArray::from(vec![Some("web"), None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = place.dir.path().join("bo.parquet");
    let out = std::fs::File::create(&path).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(out, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let (found, loss) = said(&path, None);
    assert_eq!(found[0].said, [("label".to_owned(), Said::Many(vec!["pay".to_owned()]))]);
    assert_eq!((found.len(), loss.lost["rows of which nothing is said"]), (1, 1));
    let told = place.ok(&[
        "import",
        "labels",
        path.to_str().unwrap(),
        "--open",
        "--at",
        "2024-06-03T00:00:00Z",
    ]);
    assert!(told.contains("1 imported"), "{told}");
}

/// How sure a model was, as a share, a percentage, with a comma or as a logarithm; and scores by label.
#[test]
fn a_mapping_reads_percentages_commas_logarithms_and_scores() {
    let place = desk(PROTOCOL);
    let map = |confidence: &str, more: &str| {
        format!(
            "id = \"i\"\noccurred_at = \"t\"\ntext = \"x\"\nlabel = \"l\"\nconfidence = \"{confidence}\"\n{more}"
        )
    };
    for (n, (map, said, label, confidence)) in [
        (map("c", ""), json!({ "l": "pay", "c": 0.5 }), "pay", json!(0.5)),
        (map("c.percent()", ""), json!({ "l": "pay", "c": "87,5 %" }), "pay", json!(0.875)),
        (map("c", "decimal = \",\""), json!({ "l": "pay", "c": "0,25" }), "pay", json!(0.25)),
        (map("c.exp()", ""), json!({ "l": "pay", "c": -1 }), "pay", json!(0.367_879_441_171)),
        (map("", ""), json!({ "l": { "call": 0.25, "pay": 0.75 } }), "pay", json!(0.75)),
        (map("", ""), json!({ "l": -1 }), "", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let mut record =
            json!({ "i": format!("c{n}"), "t": "2024-06-03T00:00:00Z", "x": "move money" });
        record.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        let records = file(&place, &format!("{n}.jsonl"), &format!("{record}\n"));
        let map = file(&place, "map.toml", &map);
        place.ok(&["ingest", &records, "--map", &map, "--where", "true"]);
        let shown: Value =
            serde_json::from_str(&place.ok(&["show", &format!("c{n}"), "--json"])).unwrap();
        let found = &shown["line"]["prediction"];
        assert_eq!(found["label"].as_str().unwrap_or_default(), label, "{shown}");
        assert_eq!(found["confidence"], confidence, "{shown}");
    }
    // What is no number is refused, not left out.
    let record = json!({ "i": "bad", "t": "2024-06-03T00:00:00Z", "x": "move money", "l": "pay", "c": "0,25" });
    let records = file(&place, "bad.jsonl", &record.to_string());
    let map = file(&place, "map.toml", &map("c", ""));
    let refused = place.run(&["ingest", &records, "--map", &map, "--where", "true"]);
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(words.contains("confidence `0,25` is no number (--decimal ,"), "{words}");
}

/// What is written for others is read again, each label with its case, also where a format's own reader
/// knows no labels.
#[test]
fn labels_that_are_written_as_records_are_read_again_with_their_cases() {
    let place = desk(PROTOCOL);
    let line = json!({ "id": "8f14e45f-ceea-4e7a-9d3b-2f4f5f6a7b8c", "occurred_at": "2024-06-03T00:00:00Z",
        "trace_id": "7c45876540df29922d9d0920d411f4c2", "span_id": "7c45876540df2992",
        "input": { "text": "move money" }, "prediction": { "label": "call" } });
    place.ok(&["ingest", &file(&place, "cases.jsonl", &line.to_string()), "--where", "true"]);
    let given = json!({ "case": line["id"], "reviewer": "bo", "path": [["q", "pay"]], "confidence": 4,
        "extra": { "mood": "calm" } });
    place.ok(&[
        "import",
        "labels",
        &file(&place, "own.jsonl", &given.to_string()),
        "--format",
        "jsonl",
    ]);
    let of_columns = ["parquet", "arrow", "hf"].into_iter().filter(|_| cfg!(feature = "parquet"));
    let of_lines = [
        "croissant",
        "openai-chat",
        "langfuse-scores",
        "langsmith-feedback",
        "phoenix-annotations",
    ];
    for format in of_columns.chain(of_lines) {
        let out = place.dir.path().join(format).display().to_string();
        let ran = place.run(&["export", "--format", format, "--out", &out, "--check", "--lossy"]);
        let words = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{format}: {words}");
        assert!(words.contains("each as it was written: 1 label in 1 record"), "{format}: {words}");
        assert!(words.contains("1 row written"), "{format}: {words}");
        if format == "croissant" {
            let labels = ["--rows", "labels", "--format", format, "--out", &out];
            place.ok(&[&["export"], &labels[..]].concat());
            let rows = std::fs::read_to_string(format!("{out}/rows.jsonl")).unwrap();
            let row: Value = serde_json::from_str(&rows).unwrap();
            let said = ["confidence", "path", "more"].map(|name| row[name].as_str().unwrap());
            assert_eq!(said, ["4", "[[\"q\",\"pay\"]]", "{\"extra\":{\"mood\":\"calm\"}}"]);
        }
    }
}

/// A label that is called as an answer to a question is the label, and no answer.
#[test]
fn a_label_that_is_called_as_an_answer_is_the_label() {
    let place = Place::new();
    drop(place.create());
    let protocol = crate::support::fixture("intent-edge-cases.toml");
    place.ok(&["protocol", "publish", protocol.to_str().unwrap()]);
    place.ok(&["policy", "set", "overlap=1", "limit=1"]);
    place.ok(&["roster", "set", "ana", "--role", "lead", "--role", "engineer"]);
    let line = |id: &str, label: &str| {
        json!({ "id": id, "stream": "intent-prod", "occurred_at": "2024-06-03T00:00:00Z",
            "input": { "text": id }, "prediction": { "label": label } })
        .to_string()
    };
    let cases = format!("{}\n{}\n", line("k1", "greeting"), line("k2", "transfer"));
    place.ok(&["ingest", &file(&place, "cases.jsonl", &cases), "--where", "true"]);
    let labels = file(&place, "k.csv", "task,worker,label\nk1,bo,yes\nk2,bo,no\n");
    place.ok(&["import", "labels", &labels]);
    let given: Vec<(Value, Value)> = rows(&place)
        .iter()
        .map(|row| (row["id"].clone(), row["outcome"]["label"].clone()))
        .collect();
    assert!(given.contains(&(json!("k1"), json!("yes"))), "{given:?}");
    assert!(given.contains(&(json!("k2"), json!("no"))), "{given:?}");
}

/// A table of labels opens its cases where it has their texts; who gave labels is said, and where a
/// record stands is told once.
#[test]
fn a_table_of_labels_opens_cases_and_says_whose_they_are() {
    let place = desk(PROTOCOL);
    let at = ["--open", "--at", "2024-06-03T00:00:00Z"];
    let path =
        file(&place, "t.csv", "task,worker,label,text\nt1,bo,pay,move money\nt2,bo,xx,more\n");
    let ran = place.run(&[&["import", "labels", &path], &at[..]].concat());
    let words = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(words.contains("labels of bo (1)") && words.contains("\n  line 3: "), "{words}");
    assert!(!words.contains("line 3: line"), "{words}");
    let path = file(&place, "u.csv", "text,label,annotator\ncall me,call,cy\n");
    let told = place.ok(&[&["import", "labels", &path], &at[..]].concat());
    assert!(told.contains("1 imported"), "{told}");
    // A name that was said goes before what a file is called.
    let row = json!({ "id": 1, "text": "another", "label": ["pay"], "Comments": [] });
    let path = file(&place, "export_june.jsonl", &row.to_string());
    place.ok(&[&["import", "labels", &path, "--reviewer", "dee"], &at[..]].concat());
    let rows = rows(&place);
    let people: Vec<&str> = rows.iter().map(|row| row["reviewer"].as_str().unwrap()).collect();
    assert!(people.contains(&"dee") && !people.contains(&"export_june"), "{people:?}");
}

/// What is no file of labels is told by what is wrong with it.
#[test]
fn what_can_not_be_read_as_labels_is_told() {
    let place = desk(PROTOCOL);
    for (name, text, words) in [
        ("empty.json", "", "it holds no record"),
        ("header.csv", "task,worker,label\n", "it holds no record"),
        ("list.json", "[]", "it holds no record"),
        ("broken.jsonl", "{\"text\": \n", "ends at byte 10 inside of an object"),
    ] {
        let path = file(&place, name, text);
        let ran = place.run(&["import", "labels", &path]);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(said.contains(words), "{name}: {said}");
    }
    let task = json!([{ "id": 1, "data": { "text": "a" }, "annotation_list": [] }]);
    let path = file(&place, "ls.json", &task.to_string());
    let ran = place.run(&[
        "import",
        "labels",
        &path,
        "--format",
        "label-studio",
        "--dry-run",
        "--json",
        "--strict",
    ]);
    let said: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(said["lost"]["annotation_list (a field of tasks)"], 1, "{said}");
    assert_eq!(ran.status.code(), Some(1));
}

/// A path of a mapping that leads nowhere is refused before anything is written.
#[test]
fn a_mapping_that_leads_nowhere_is_refused() {
    let place = desk(PROTOCOL);
    let record = json!({ "i": "c1", "t": "2024-06-03T00:00:00Z", "x": "move money", "p": [{ "l": "pay", "s": null }] });
    let records = file(&place, "r.jsonl", &record.to_string());
    let map = |label: &str, sure: &str| {
        let text = format!(
            "id = \"i\"\noccurred_at = \"t\"\ntext = \"x\"\nlabel = \"{label}\"\nconfidence = \"{sure}\"\n"
        );
        file(&place, "map.toml", &text)
    };
    let ran =
        place.run(&["ingest", &records, "--map", &map("p[0].lable", "p[0].s"), "--where", "true"]);
    let words = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(
        words.contains("nothing stands where `label` is looked for, at `p[0].lable`"),
        "{words}"
    );
    assert_eq!(ran.status.code(), Some(2));
    // Null is something that stands there.
    place.ok(&["ingest", &records, "--map", &map("p[0].l", "p[0].s"), "--where", "true"]);
}
