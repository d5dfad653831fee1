//! Exported rows: each is enough by itself, its keys are those the manual names, and contradictions
//! among settled cases are said wherever they matter.

use std::collections::BTreeMap;

use casework::domain::near;
use casework::format::Rows;
use casework::format::row::{FIELDS, fields_of, markdown};
use serde_json::{Value, json};

use crate::support::{Place, ingest, shared, team_of_three};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn stream_line(id: &str, text: &str, extra: &str) -> String {
    format!(
        r#"{{"id":"{id}","occurred_at":"2026-06-01T07:0{}:00Z","stream":"s","trace_id":"t-{id}","model":{{"name":"lr","version":"3.10"}},"input":{{"text":"{text}","amount":0.10000000000000000555,"channel":"web"}},"prediction":{{"label":"pay","confidence":0.2,"top_k":[{{"label":"pay","p":0.2}}]}},"challenger":{{"label":"transfer"}},"feature_importance":[{{"feature":"move","weight":1.5}}],"latency_ms":12{extra}}}"#,
        id.len() % 10
    ) + "\n"
}

fn label(place: &Place, case: &str, who: &str, answers: &[&str]) -> String {
    let mut args = vec!["label", case, "--as", who];
    answers.iter().for_each(|answer| args.extend(["--answer", answer]));
    let output = place.run(&args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const YES: [&str; 3] = ["readable=y", "verdict=y", "category=r"];
const NO: [&str; 4] = ["readable=y", "verdict=n", "corrected=transfer", "category=r"];

/// Three reviewers; the first case is ruled, the second unanimous, with the same text.
fn settled() -> Place {
    let place = team_of_three();
    place.ok(&["policy", "set", "overlap=2", "limit=2"]);
    place.ok(&["roster", "admit", "dee", "--role", "lead"]);
    let text = ["a", "bb"].map(|id| stream_line(id, "Move  my money", "")).concat();
    ingest(&mut place.open(), &(text + &stream_line("ccc", "something else", "")));
    label(&place, "a", "ana", &YES);
    label(&place, "a", "bo", &NO);
    place.ok(&[
        "arbitrate",
        "a",
        "--take",
        "A",
        "--cause",
        "guideline_gap",
        "--rationale",
        "ruled so",
        "--as",
        "dee",
    ]);
    place
}

#[test]
fn rows_have_the_keys_that_the_manual_names_in_that_order() {
    let page = include_str!("../../assets/help/export.md");
    assert!(
        page.contains(&markdown()),
        "put this table into assets/help/export.md:\n{}",
        markdown()
    );
    let place = settled();
    for rows in [Rows::Labels, Rows::Cases] {
        let made = place.ok(&["export", "--rows", rows.as_str()]);
        let expect: Vec<&str> = fields_of(rows).map(|field| field.name).collect();
        for line in lines(&made) {
            let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
            assert_eq!(keys, expect, "{rows:?}");
        }
        let csv = place.ok(&["export", "--rows", rows.as_str(), "--format", "csv"]);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        for name in ["outcome.verdict", "input.channel", "prediction.confidence", "model.version"] {
            assert!(header.contains(&name.to_owned()), "{name}: {header:?}");
        }
        assert_eq!(reader.records().count(), lines(&made).len());
    }
    assert!(FIELDS.iter().all(|field| !field.about.is_empty()));
}

#[test]
fn a_row_of_a_case_is_enough_by_itself() {
    let place = settled();
    let rows = lines(&place.ok(&["export", "--rows", "cases", "--as", "dee"]));
    let ruled = rows.iter().find(|row| row["id"] == "a").unwrap();
    assert_eq!((&ruled["how"], &ruled["ruling"]["arbiter"]), (&json!("ruling"), &json!("dee")));
    assert_eq!(ruled["ruling"]["cause"], "guideline_gap");
    assert_eq!(ruled["ruling"]["rationale"], "ruled so");
    assert_eq!(ruled["events"], json!([ruled["ruling"]["event"]]), "it rests on the ruling");
    assert_eq!(ruled["settled_at"], ruled["ruling"]["at"]);
    let agrees: BTreeMap<&str, bool> = ruled["votes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vote| (vote["reviewer"].as_str().unwrap(), vote["agrees"].as_bool().unwrap()))
        .collect();
    assert_eq!(agrees.values().filter(|agrees| **agrees).count(), 1, "{ruled}");
    assert_eq!(ruled["rationales"].as_array().unwrap().len(), 2, "empty ones too");
    assert_eq!(ruled["model"], json!({ "name": "lr", "version": "3.10" }));
    assert_eq!(ruled["challenger"]["label"], "transfer");
    let text = place.ok(&["export", "--rows", "cases", "--as", "dee"]);
    assert!(text.contains("\"amount\":0.10000000000000000555"), "digits as they were written");
    assert_eq!(ruled["prior"]["n"], 0);
    // What the model was worth before: the case that came first is settled, and counts.
    label(&place, "bb", "ana", &NO);
    label(&place, "bb", "bo", &NO);
    let rows = lines(&place.ok(&["export", "--rows", "cases", "--as", "dee"]));
    let later = rows.iter().find(|row| row["id"] == "bb").unwrap();
    assert_eq!((&later["how"], &later["prior"]["n"]), (&json!("unanimous"), &json!(1)));
    assert!(later["prior"]["value"].is_number() && later["ruling"].is_null());
    // Erased: the row stays, and says so.
    place.ok(&["erase", "a", "--reason", "asked for"]);
    let rows = lines(&place.ok(&["export", "--rows", "cases", "--as", "dee"]));
    let erased = rows.iter().find(|row| row["id"] == "a").unwrap();
    assert_eq!((&erased["erased"], &erased["text"]), (&json!(true), &json!("")));
    assert!(erased["input"].is_null() && erased["prediction"].is_null());
}

#[test]
fn a_case_that_was_ruled_on_before_any_label_is_exported() {
    let place = settled();
    place.ok(&["escalate", "ccc", "what is this", "--as", "bo"]);
    place.ok(&[
        "arbitrate",
        "ccc",
        "--outcome",
        "verdict=model_correct",
        "--outcome",
        "category=rare-combination",
        "--cause",
        "other",
        "--rationale",
        "plain",
        "--as",
        "dee",
    ]);
    let rows = lines(&place.ok(&["export", "--rows", "cases", "--as", "dee"]));
    let row = rows.iter().find(|row| row["id"] == "ccc").expect("it is settled");
    assert_eq!((&row["how"], &row["votes"]), (&json!("ruling"), &json!([])));
}

#[test]
fn contradictions_are_said_where_they_matter() {
    let place = settled();
    let ruled = lines(&place.ok(&["export", "--rows", "cases", "--as", "dee"]))[0].clone();
    let other: &[&str] = if ruled["outcome"]["verdict"] == "model_correct" { &NO } else { &YES };
    assert_eq!(place.run(&["conflicts", "--as", "dee"]).status.code(), Some(1), "none yet");
    let told = label(&place, "bb", "ana", other);
    assert!(told.contains("has the same input and counts as"), "at submit: {told:?}");
    label(&place, "bb", "bo", other);
    let found = lines(&place.ok(&["conflicts", "--json", "--as", "dee"]));
    assert_eq!(
        (found.len(), &found[0]["same"], &found[0]["likeness"]),
        (1, &json!(true), &json!(1.0))
    );
    assert_eq!(found[0]["cases"].as_array().unwrap().len(), 2);
    let output = place.run(&["export", "--rows", "cases", "--as", "dee"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("2 cases: another case has the same input"), "at export: {told}");
    for row in lines(&String::from_utf8_lossy(&output.stdout)) {
        assert_eq!(row["conflicts"].as_array().unwrap().len(), 1);
    }
    let shown: Value = serde_json::from_str(
        String::from_utf8_lossy(&place.run(&["arbitrate", "bb", "--json", "--as", "dee"]).stdout)
            .as_ref(),
    )
    .unwrap();
    assert_eq!(shown["same_input"][0]["case"], ruled["case"], "at arbitration");
    assert!(
        shown["sides"].as_array().unwrap().iter().all(|side| side["label"].is_null()),
        "an event would tell whose label it is"
    );
    assert_eq!(place.run(&["conflicts", "--field", "verdikt"]).status.code(), Some(2));
}

#[test]
fn near_duplicates_are_those_that_scipy_finds() {
    let Some(data) = shared("near_duplicates_are_those_that_scipy_finds") else { return };
    let texts = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(data.join("clinc150").join(name)).unwrap();
        let text_of = |line: &Value| line["text"].as_str().unwrap().to_owned();
        lines(&text).iter().map(text_of).collect()
    };
    let (pool, train) = (texts("pool.jsonl"), texts("base_train.jsonl"));
    let expect: Value = serde_json::from_str(
        &std::fs::read_to_string(data.join("loop/neardup/clinc.json")).unwrap(),
    )
    .unwrap();
    for at in ["0.5", "0.7", "0.8", "0.9"] {
        let share: f64 = at.parse().unwrap();
        let of = |pairs: &str| expect["pairs"][pairs][format!(">={at}")].as_u64().unwrap() as usize;
        assert_eq!(near::pairs(&pool, share).len(), of("pool x pool (i<j)"), "{at}");
        assert_eq!(near::pairs_across(&pool, &train, share).len(), of("pool x base_train"), "{at}");
    }
}

#[test]
fn many_readers_write_what_one_does() {
    let place = team_of_three();
    place.ok(&["policy", "set", "overlap=1", "limit=1"]);
    let lines: String =
        (0..700).map(|n| stream_line(&format!("m{n}"), &format!("text {n}"), "")).collect();
    ingest(&mut place.open(), &lines);
    let labels: String = (0..700)
        .map(|n| {
            let line = json!({ "case_id": format!("m{n}"), "reviewer": if n % 3 == 0 { "bo" } else { "cy" },
                "path": [["readable", "y"], ["verdict", "y"], ["category", "r"]], "rationale": format!("why {n}") });
            format!("{line}\n")
        })
        .collect();
    let file = place.dir.path().join("labels.jsonl");
    std::fs::write(&file, labels).unwrap();
    place.ok(&["import", "labels", file.to_str().unwrap(), "--format", "jsonl"]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    for rows in ["labels", "cases"] {
        let many = place.ok(&["export", "--rows", rows]);
        assert_eq!(many.lines().count(), 700, "{rows}");
        // What looks at the past is read by one.
        assert_eq!(many, place.ok(&["export", "--rows", rows, "--at", "0m"]), "{rows}");
    }
}
