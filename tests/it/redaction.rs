//! What is redacted and what is not, on sets of secrets and of look-alikes; recall and false hits
//! are printed.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use casework::config;
use casework::intake::Redact;
use serde_json::Value;

use crate::support::{Place, shared};

fn redact() -> Redact {
    let kinds = ["email", "phone", "card", "iban", "token", "ip"].map(str::to_owned).to_vec();
    let config = config::Redact { kinds, ..config::Redact::default() };
    Redact::new(&config, [7; 32]).unwrap().unwrap()
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .lines()
        .map(str::to_owned)
        .collect()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn what_must_go_goes_and_what_looks_like_it_stays() {
    let Some(data) = shared("what_must_go_goes_and_what_looks_like_it_stays") else { return };
    let redact = redact();
    let (mut gone, mut of_gone, mut kept, mut of_kept) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for set in ["card", "email", "iban", "ip", "phone", "token"] {
        let folder = data.join(format!("bugs/redact-{set}"));
        let expected: Value =
            serde_json::from_str(&fs::read_to_string(folder.join("expected.json")).unwrap())
                .unwrap();
        for raw in lines(&folder.join("stream.jsonl")) {
            let line = redact.line(&raw).into_owned();
            let parsed: Value = serde_json::from_str(&line).unwrap();
            let id = parsed["id"].as_str().unwrap();
            // As a person reads it: escapes are undone.
            let words = parsed["input"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| format!("{name} {value} "))
                .collect::<String>()
                + parsed["input"]["text"].as_str().unwrap();
            for secret in strings(&expected[id]["gone"]) {
                of_gone += 1;
                if words.contains(secret) {
                    wrong.push(format!("{set} {id} keeps {secret:?}: {words}"));
                } else {
                    gone += 1;
                }
            }
            for word in strings(&expected[id]["kept"]) {
                of_kept += 1;
                if words.contains(word) {
                    kept += 1;
                } else {
                    wrong.push(format!("{set} {id} loses {word:?}: {words}"));
                }
            }
        }
    }
    eprintln!("redaction: {gone} of {of_gone} secrets gone, {kept} of {of_kept} look-alikes kept");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let floats = data.join("bugs/redact-float");
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(floats.join("expected.json")).unwrap()).unwrap();
    for raw in lines(&floats.join("stream.jsonl")) {
        let parsed: Value = serde_json::from_str(&redact.line(&raw)).unwrap();
        assert_eq!(
            parsed["input"]["score"],
            expected[parsed["id"].as_str().unwrap()]["input.score"],
            "{raw}"
        );
    }
    let same = data.join("bugs/redact-pseudonym");
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(same.join("expected.json")).unwrap()).unwrap();
    let texts: std::collections::HashMap<String, String> = lines(&same.join("stream.jsonl"))
        .iter()
        .map(|raw| serde_json::from_str::<Value>(&redact.line(raw)).unwrap())
        .map(|line| {
            (
                line["id"].as_str().unwrap().to_owned(),
                line["input"]["text"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    for group in expected["same"].as_array().unwrap() {
        let group: Vec<&String> = strings(group).into_iter().map(|id| &texts[id]).collect();
        assert!(group.windows(2).all(|pair| pair[0] == pair[1]), "{group:?}");
    }
}

#[test]
fn texts_and_logs_without_secrets_are_left_alone() {
    let Some(data) = shared("texts_and_logs_without_secrets_are_left_alone") else { return };
    let redact = redact();
    let mut total = 0;
    let mut hits = Vec::new();
    let texts = ["clinc150/base_train.jsonl", "clinc150/eval.jsonl", "stream/stream.jsonl"];
    for file in texts {
        for raw in lines(&data.join(file)) {
            total += 1;
            if let Cow::Owned(line) = redact.line(&raw) {
                hits.push(line);
            }
        }
    }
    for file in ["stream/logs/gateway.jsonl", "stream/logs/model-server.log"] {
        for raw in lines(&data.join(file)) {
            total += 1;
            if let Cow::Owned(line) = redact.text(&raw) {
                hits.push(line);
            }
        }
    }
    eprintln!("redaction: {} false hits on {total} lines", hits.len());
    assert!(hits.is_empty(), "{}", hits[..hits.len().min(20)].join("\n"));
}

#[test]
fn random_numbers_are_numbers_afterwards() {
    let redact = redact();
    let mut random = casework::domain::random::SplitMix64::new(7);
    for _ in 0..20_000 {
        let bits = random.roll();
        let float = f64::from_bits(bits);
        for number in [bits as f64 / u64::MAX as f64, float] {
            if number.is_finite() && number.fract() != 0.0 {
                let raw = format!(r#"{{"input":{{"x":{number},"y":[{number:e}]}}}}"#);
                assert!(matches!(redact.line(&raw), Cow::Borrowed(_)), "{raw}");
            }
        }
        let text = format!("p={}", bits as f64 / u64::MAX as f64);
        assert!(matches!(redact.text(&text), Cow::Borrowed(_)), "{text}");
    }
}

/// A field that is replaced is replaced wherever its line is shown: in its own case and beside
/// others.
#[test]
fn a_field_that_is_replaced_is_replaced_in_neighbours_too() {
    let place = Place::new();
    drop(place.create());
    let paths = "paths = [\"input.text\", \"prediction.note\", \"prediction.confidence\"]";
    fs::write(place.path().join("config.toml"), format!("[redact]\n{paths}\n")).unwrap();
    let file = place.dir.path().join("s.jsonl");
    let lines: String = (0..4)
        .map(|i| {
            format!(
                "{{\"id\":\"p{i}\",\"occurred_at\":\"2026-06-01T08:00:0{i}Z\",\"input\":{{\"text\":\"SECRET {i}\",\"session_id\":\"s\"}},\
                 \"prediction\":{{\"label\":\"pay\",\"confidence\":0.1{i},\"note\":\"SECRET\"}}}}\n"
            )
        })
        .collect();
    fs::write(&file, lines).unwrap();
    place.ok(&["ingest", file.to_str().unwrap(), "--where", "confidence < 0.105"]);
    for args in [
        &["show", "p0"][..],
        &["show", "p0", "--json"],
        &["export"],
        &["queue"],
        &["search", "SECRET"],
    ] {
        let shown = place.run_text(args);
        assert!(!shown.contains("SECRET"), "{args:?}: {shown}");
    }
    let shown = place.ok(&["show", "p0", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let near = shown["neighbours"].as_array().unwrap();
    assert_eq!(near.len(), 3);
    assert!(
        near.iter().all(|near| near["label"] == "pay" && near["confidence"].is_null()),
        "{near:?}"
    );
    assert!(near.iter().all(|near| near["text"].as_str().unwrap().starts_with("[field:")));
}

/// What has no text of its own is told beside others as it is in the queue.
#[test]
fn neighbours_without_a_text_are_told_by_what_was_asked() {
    let place = Place::new();
    drop(place.create());
    let file = place.dir.path().join("s.jsonl");
    let line = |i: usize| {
        format!(
            "{{\"id\":\"p{i}\",\"occurred_at\":\"2026-06-01T08:00:0{i}Z\",\"input\":{{\"messages\":[{{\"role\":\"user\",\"content\":\"asked {i}\"}}]}},\"prediction\":{{\"label\":\"a\"}}}}\n"
        )
    };
    fs::write(&file, line(0) + &line(1)).unwrap();
    place.ok(&["ingest", file.to_str().unwrap()]);
    assert!(place.ok(&["show", "p0"]).contains("asked 1"));
}
