//! Replay of many labels through a new version, precedents beside many resolved cases, proof of a
//! large protocol.
//!
//!     cargo bench --bench guide [-- CASES]      one million cases take some minutes to make

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use casework::clock::instant;
use casework::config::{Env, Paths};
use casework::domain::ids::CaseId;
use casework::domain::label::{Label, MAIN_ROUND};
use casework::domain::protocol::{Protocol, Walked, parse, parse_strictly, walk};
use casework::journal::Append;
use casework::journal::kind::LabelGiven;
use casework::workspace::Workspace;
use casework::workspace::create::STARTERS;

const LABELS: usize = 100_000;
const ROUNDS: usize = 200;

fn main() {
    let cases = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
    proof();
    replay(&dir.path().join("replay"));
    precedents(&dir.path().join("precedents"), cases);
}

fn took<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = instant();
    let result = work();
    (result, start.elapsed())
}

/// A protocol of a thousand questions, each with a condition on the one before.
fn proof() {
    let mut source = "id=\"p\"\ntitle=\"t\"\nstart=\"q0\"\n[require]\nfields=[\"v\"]\n".to_owned();
    for i in 0..1000 {
        let goto = if i < 999 { format!("goto=\"q{}\"\n", i + 1) } else { String::new() };
        let when = if i > 0 {
            format!("when={{ any=[{{q{0}=\"a\"}},{{not={{q{0}=\"b\"}}}}] }}\n", i - 1)
        } else {
            String::new()
        };
        let answers =
            "answers=[{key=\"a\",text=\"A\",set={v=1}},{key=\"b\",text=\"B\",set={v=2}}]\n";
        writeln!(source, "[[question]]\nid=\"q{i}\"\nask=\"?\"\n{goto}{when}{answers}").unwrap();
    }
    let (protocol, time) = took(|| parse_strictly(&source, None).unwrap());
    println!("== proof of {} questions with a condition each", protocol.questions.len());
    println!("parse and prove                      {:>9.1} ms", time.as_secs_f64() * 1e3);
}

fn create(path: &Path) -> Workspace {
    let paths = Paths { workspace: path.to_owned() };
    Workspace::create(paths, Env::default(), "bench", "ana", &STARTERS[0]).unwrap()
}

const WORDS: &[&str] = &[
    "where", "is", "my", "parcel", "the", "order", "card", "was", "charged", "twice", "refund",
    "please", "cancel", "account", "to", "pay", "bill", "late", "lost", "damaged", "address",
    "change", "invoice", "copy", "hours", "open", "price", "customs", "form", "label", "return",
    "pickup", "courier", "thank", "you", "help", "with", "transfer", "money", "friend", "abroad",
    "limit",
];

/// Texts of some ten words, most of them common, one rare.
fn text(i: usize) -> String {
    let mut x = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678;
    let mut next = |n: usize| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x % n as u64) as usize
    };
    let mut words: Vec<String> = (0..9).map(|_| WORDS[next(WORDS.len())].to_owned()).collect();
    words.push(format!("px{}", next(50_000)));
    words.join(" ")
}

fn ingest(workspace: &mut Workspace, cases: usize) {
    let labels = ["pay", "refund", "lost_parcel", "opening_hours", "transfer"];
    let lines: String = (0..cases)
        .map(|i| {
            let (said, rival) = (labels[i % 5], labels[i / 5 % 5]);
            let prediction = serde_json::json!({ "label": said, "confidence": 0.3 });
            let challenger = serde_json::json!({ "model": "c", "label": rival });
            let line = serde_json::json!({ "id": i.to_string(), "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
                "input": { "text": text(i) }, "prediction": prediction, "challenger": challenger });
            format!("{line}\n")
        })
        .collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let request =
        casework::workspace::cases::IngestRequest { neighbours: Some(0), ..Default::default() };
    workspace.ingest(lines.as_bytes(), &request, &stop, |_| ()).unwrap();
}

fn label(protocol: &Protocol, case: usize) -> Label {
    let answers: Vec<(String, String)> =
        [("readable", "y"), ("verdict", "y"), ("category", ["r", "d", "0"][case % 3])]
            .map(|(question, answer)| (question.to_owned(), answer.to_owned()))
            .into();
    let walked = walk(protocol, &answers);
    let Walked::Ends(outcome) = walked.end else { unreachable!("the starter ends here") };
    let predicted = ["pay", "refund", "lost_parcel", "opening_hours", "transfer"][case % 5];
    let outcome = protocol.outcome(outcome, Some(predicted));
    let id = CaseId::of("s", &case.to_string());
    Label {
        path: walked.path,
        outcome,
        rationale: "as the neighbours say".to_owned(),
        ..Label::empty(id, "ana", MAIN_ROUND, protocol.reference(1))
    }
}

fn replay(path: &Path) {
    let mut workspace = create(path);
    ingest(&mut workspace, LABELS);
    let starter = parse(STARTERS[0].source, None).unwrap();
    for batch in (0..LABELS).collect::<Vec<_>>().chunks(1000) {
        workspace
            .append(batch.iter().map(|i| Append::new(&LabelGiven(label(&starter, *i)))).collect())
            .unwrap();
    }
    println!("== replay of {LABELS} labels, read from the database");
    let (bare, time) = took(|| {
        let mut n = 0;
        casework::db::label::for_each(&workspace.tables().conn, |_| n += 1).unwrap();
        n
    });
    println!("reading the {bare} labels alone       {:>9.1} ms", time.as_secs_f64() * 1e3);
    let base = time.as_secs_f64();
    let (same, time) = took(|| workspace.replay(&starter).unwrap());
    assert_eq!(same.unchanged as usize, LABELS);
    println!(
        "a version on itself                  {:>9.1} ms  {:.2} x",
        time.as_secs_f64() * 1e3,
        time.as_secs_f64() / base
    );
    let asks = "[[question]]\nid = \"sure\"\nask = \"Sure?\"\nanswers = [{ key = \"y\", text = \"Yes\" }]\n";
    let next = starter
        .source
        .replace("category = \"ordinary\" } },", "category = \"ordinary\" }, goto = \"sure\" },")
        .replace("\"distribution-shift\" } },", "\"shift\" } },");
    let next = parse(&format!("{next}\n{asks}"), None).unwrap();
    let (told, time) = took(|| workspace.replay(&next).unwrap());
    println!(
        "one that changes a third, asks a third {:>7.1} ms  {:.2} x",
        time.as_secs_f64() * 1e3,
        time.as_secs_f64() / base
    );
    println!(
        "    {} unchanged, {} change, {} need an answer",
        told.unchanged,
        told.changed.len(),
        told.needs.values().sum::<u64>()
    );
}

fn precedents(path: &Path, cases: usize) {
    let mut workspace = create(path);
    let ((), time) = took(|| ingest(&mut workspace, cases));
    println!("== precedents beside {cases} resolved cases (made in {:.0} s)", time.as_secs_f64());
    // The state that a million labels would come to, without signing them all.
    let conn = &workspace.tables().conn;
    conn.execute_batch(
        "BEGIN; UPDATE view_case SET state = 2, outcome = '{\"verdict\":\"model_correct\"}' WHERE num % 1000 != 0;
         INSERT INTO view_precedent (rowid, text) SELECT num, text FROM view_case WHERE state = 2;
         UPDATE view_count SET n = (SELECT count(*) FROM view_case WHERE state = 2) WHERE name = 'state:2';
         INSERT OR IGNORE INTO view_count SELECT 'state:2', count(*) FROM view_case WHERE state = 2; COMMIT",
    )
    .unwrap();
    let asked: Vec<CaseId> =
        (0..ROUNDS).map(|i| CaseId::of("s", &(i * 1000 + 999).to_string())).collect();
    let mut times: Vec<Duration> = Vec::new();
    let mut found = 0;
    for id in &asked {
        let (precedents, time) = took(|| workspace.precedents(*id).unwrap());
        found += usize::from(!precedents.is_empty());
        times.push(time);
    }
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "found for {found} of {ROUNDS}: p50 {:.2} ms  p99 {:.2} ms  most {:.2} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    let scan = took(|| {
        let mut n = 0;
        casework::db::case::for_each(&workspace.tables().conn, |case| {
            n += usize::from(case.text.contains("parcel"))
        })
        .unwrap();
        n
    });
    println!("reading every case once, for comparison {:>7.0} ms", scan.1.as_secs_f64() * 1e3);
}
