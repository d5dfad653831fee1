//! What reviewers' hours come to: simulated reviewers of known error rates label real predictions,
//! drawn on demand from this program's own queue, and its own resolver says what is true. Beside it
//! fixed overlap, settled by majority and by Dawid and Skene's model. `benches/outcome.sh` retrains
//! the real model on what each comes to.
//!
//!     cargo bench --bench outcome -- OUT [SEEDS] [WAY]

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use casework::config::{Env, Paths};
use casework::db::case::{CaseRow, Direction, QueueKey};
use casework::domain::ids::ReplicaId;
use casework::domain::label::{Label, MAIN_ROUND};
use casework::domain::policy::Policy;
use casework::domain::protocol::{Walked, walk};
use casework::domain::random::SplitMix64;
use casework::domain::resolve::CaseState;
use casework::domain::roster::{Profile, Role};
use casework::journal::Append;
use casework::journal::kind::{LabelGiven, PolicySet, ReviewerAdmitted};
use casework::quality::truth::{Fitting, model};
use casework::review::ratings::{By, Which};
use casework::review::value::Valuer;
use casework::review::{Published, Queue};
use casework::workspace::Workspace;
use casework::workspace::cases::IngestRequest;
use casework::workspace::create::STARTERS;
use casework::workspace::learning::recorded;
use serde_json::Value;

/// Reviews of these cases that were recorded: shares of the budget are of them.
const REVIEWS: usize = 2_173;
const SHARES: [usize; 5] = [25, 45, 50, 75, 100];
const VERDICTS: [&str; 5] =
    ["model_correct", "wrong_label", "out_of_scope", "other_language", "unreadable"];

/// How labels are asked for, and settled.
struct Way {
    name: &'static str,
    policy: &'static [(&'static str, &'static str)],
    /// By which cases are settled in the end, where that is another.
    settle: &'static [&'static str],
}

const WAYS: [Way; 3] = [
    Way {
        name: "value",
        policy: &[
            ("overlap", "1"),
            ("limit", "5"),
            ("rule", "paths"),
            ("sure_percent", "95"),
            ("witness", "champion"),
            ("copies", "pooled"),
            ("order", "value"),
        ],
        settle: &["paths"],
    },
    Way {
        name: "surer",
        policy: &[
            ("overlap", "1"),
            ("limit", "5"),
            ("rule", "paths"),
            ("sure_percent", "96"),
            ("witness", "champion"),
            ("copies", "pooled"),
            ("order", "value"),
        ],
        settle: &["paths"],
    },
    Way {
        name: "fixed",
        policy: &[("overlap", "3"), ("limit", "3"), ("rule", "majority"), ("on", "label")],
        settle: &["majority", "dawid-skene"],
    },
];

struct Person {
    name: String,
    share: f64,
    names_right: f64,
    matrix: Vec<Vec<f64>>,
}

struct Truth {
    verdict: String,
    label: String,
    /// What the case trains on; empty: it is kept out.
    trains: String,
    predicted: String,
    /// Labels that somebody who errs takes for right.
    near: Vec<String>,
    text: String,
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    let out = PathBuf::from(args.next().unwrap_or_else(|| "target/outcome".to_owned()));
    let seeds: u64 = args.next().and_then(|n| n.parse().ok()).unwrap_or(3);
    let only = args.next();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.exists() {
        println!("skipped: ../shared/data is not here");
        return;
    }
    fs::create_dir_all(&out).unwrap();
    let (people, truths) = (people(&data), truths(&data));
    let lines = cases(&data, &truths);
    println!("way              seed  labels  share  right of all  settled  right of settled");
    for seed in 1..=seeds {
        for way in WAYS.iter().filter(|way| only.as_deref().is_none_or(|only| way.name == only)) {
            run(way, seed, &people, &truths, &lines, &out);
        }
    }
}

fn run(
    way: &Way,
    seed: u64,
    people: &[Person],
    truths: &BTreeMap<String, Truth>,
    lines: &str,
    out: &Path,
) {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths { workspace: dir.path().join("w") };
    let mut workspace =
        Workspace::create(paths, Env::default(), "bench", "lead", &STARTERS[0]).unwrap();
    publish(&mut workspace);
    let stop = std::sync::atomic::AtomicBool::new(false);
    workspace.ingest(lines.as_bytes(), &IngestRequest::default(), &stop, |_| ()).unwrap();
    let mut events: Vec<Append> = people
        .iter()
        .enumerate()
        .map(|(number, person)| {
            let capacity = (person.share * 100.0) as u32;
            Append::new(&ReviewerAdmitted {
                name: person.name.clone(),
                roles: vec![Role::Reviewer],
                replica: ReplicaId([number as u8 + 1; 16]),
                profile: Some(Profile { capacity, ..Profile::default() }),
            })
        })
        .collect();
    // Whoever founded it leads, and takes no share of the work.
    events.push(Append::new(&ReviewerAdmitted {
        name: "lead".to_owned(),
        roles: vec![Role::Lead],
        replica: ReplicaId([99; 16]),
        profile: Some(Profile { capacity: 0, ..Profile::default() }),
    }));
    events.push(Append::new(&PolicySet { policy: policy(way.policy) }));
    workspace.append(events).unwrap();
    let protocol = workspace.protocols().unwrap().for_stream("intent-prod").unwrap().clone();

    let mut dice = SplitMix64::new(seed);
    let mut idle = HashSet::new();
    let mut labels = 0;
    let budgets: Vec<usize> = SHARES.iter().map(|share| REVIEWS * share / 100).collect();
    for (share, budget) in SHARES.into_iter().zip(budgets) {
        while labels < budget && idle.len() < people.len() {
            let person = pick(&mut dice, people.iter().map(|person| person.share));
            let Some(row) = next(&workspace, &people[person].name) else {
                idle.insert(person);
                continue;
            };
            idle.clear();
            let label =
                answer(&mut dice, &people[person], &truths[&row.external_id], &row, &protocol);
            workspace.append(vec![Append::new(&LabelGiven(label))]).unwrap();
            labels += 1;
            workspace.learn().unwrap();
        }
        for rule in way.settle {
            settle(&mut workspace, way, rule);
            report(&workspace, (way.name, rule, seed), labels, share, truths, out);
        }
        workspace.append(vec![Append::new(&PolicySet { policy: policy(way.policy) })]).unwrap();
    }
}

fn policy(values: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::default();
    values.iter().for_each(|(name, value)| policy.set(name, value).unwrap());
    policy
}

/// The first case of somebody's queue, if a label of it is worth giving.
fn next(workspace: &Workspace, reviewer: &str) -> Option<CaseRow> {
    let conn = &workspace.tables().conn;
    let queue = Queue::load(conn, reviewer, workspace.now()).unwrap();
    let row =
        queue.page(conn, QueueKey::FIRST, Direction::Forward, 1).unwrap().into_iter().next()?;
    let value = Valuer::load(conn).unwrap();
    let little = value.is_some_and(|value| value.worth(conn, &row, reviewer).unwrap().is_little());
    (!little).then_some(row)
}

fn pick(dice: &mut SplitMix64, weights: impl Iterator<Item = f64> + Clone) -> usize {
    let mut at = dice.share() * weights.clone().sum::<f64>();
    for (number, weight) in weights.clone().enumerate() {
        at -= weight;
        if at < 0.0 {
            return number;
        }
    }
    weights.count() - 1
}

/// What somebody says of a case, by their known errors.
fn answer(
    dice: &mut SplitMix64,
    person: &Person,
    truth: &Truth,
    row: &CaseRow,
    protocol: &Published,
) -> Label {
    let place = VERDICTS.iter().position(|verdict| *verdict == truth.verdict).unwrap();
    let verdict = VERDICTS[pick(dice, person.matrix[place].iter().copied())];
    let knows = !["", "oos", &truth.predicted].contains(&truth.label.as_str());
    let named = if knows && dice.share() < person.names_right {
        truth.label.clone()
    } else {
        truth.near[(dice.share() * truth.near.len() as f64) as usize].clone()
    };
    let mut answers = vec![("readable", "n")];
    if verdict != "unreadable" {
        answers = vec![("readable", "y"), ("language", "n")];
    }
    if !["unreadable", "other_language"].contains(&verdict) {
        let scope = match verdict {
            "out_of_scope" => "n",
            "model_correct" if truth.predicted == "oos" => "m",
            _ => "y",
        };
        answers = vec![("readable", "y"), ("language", "y"), ("scope", scope)];
        if scope == "y" {
            answers.push(("label", if verdict == "wrong_label" { "n" } else { "y" }));
        }
        if verdict == "wrong_label" {
            answers.push(("corrected", &named));
        }
    }
    let steps: Vec<(String, String)> =
        answers.into_iter().map(|(asked, answer)| (asked.to_owned(), answer.to_owned())).collect();
    let walked = walk(&protocol.protocol, &steps);
    let Walked::Ends(outcome) = walked.end else { unreachable!("{steps:?} does not end") };
    Label {
        path: walked.path,
        outcome: protocol.protocol.outcome(outcome, Some(&truth.predicted)),
        ..Label::empty(row.id, &person.name, MAIN_ROUND, protocol.reference.clone())
    }
}

/// Settles all that was labeled by a rule.
fn settle(workspace: &mut Workspace, way: &Way, rule: &str) {
    let mut by = policy(way.policy);
    by.overlap = 1;
    match rule {
        "dawid-skene" => {
            by.set("rule", rule).unwrap();
            by.set("on", "verdict").unwrap();
            by.set("sure_percent", "51").unwrap();
        }
        "paths" => {
            by.set("sure_percent", "51").unwrap();
            by.set("learn_percent", "0").unwrap();
        }
        _ => {}
    }
    workspace.append(vec![Append::new(&PolicySet { policy: by })]).unwrap();
    match rule {
        "paths" => drop(workspace.learn_now().unwrap()),
        "dawid-skene" => {
            let on = vec!["verdict".to_owned()];
            let made = workspace
                .ratings(MAIN_ROUND, Which::ThatCount, &[By::Outcome(on.clone())])
                .unwrap();
            let model = model(rule).unwrap();
            let fitting = Fitting { iterations: 20_000, ..Fitting::default() };
            let fitted = model.fit.unwrap()(&made[0], &fitting);
            workspace.record_estimate(recorded(model, &made[0], &fitted, None, on)).unwrap();
        }
        _ => {}
    }
}

fn report(
    workspace: &Workspace,
    (way, rule, seed): (&str, &str, u64),
    labels: usize,
    share: usize,
    truths: &BTreeMap<String, Truth>,
    out: &Path,
) {
    let (mut right, mut settled, mut trained) = (0, 0, String::new());
    let mut texts = HashSet::new();
    for (id, truth) in truths {
        let row = workspace.find_case(id).unwrap();
        if row.state != CaseState::Resolved {
            continue;
        }
        settled += 1;
        let outcome = row.outcome.unwrap();
        let label = outcome.get("label").and_then(Value::as_str).unwrap_or_default();
        right += usize::from(label == truth.trains);
        if !label.is_empty() && texts.insert(&truth.text) {
            let row = serde_json::json!({ "text": truth.text, "label": label, "case_id": id });
            writeln!(trained, "{row}").unwrap();
        }
    }
    let all = truths.len();
    println!(
        "{:<16} {seed:>4} {labels:>7} {share:>5}% {:>12.4} {:>9.4} {:>16.4}",
        format!("{way}/{rule}"),
        right as f64 / all as f64,
        settled as f64 / all as f64,
        right as f64 / settled.max(1) as f64
    );
    fs::write(out.join(format!("{way}-{rule}-{share}-{seed}.jsonl")), trained).unwrap();
}

fn publish(workspace: &mut Workspace) {
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/intent-edge-cases.toml");
    let labels = fs::read_to_string(fixture.with_file_name("labels.txt")).unwrap();
    let source = fs::read_to_string(fixture).unwrap();
    let protocol = casework::domain::protocol::parse(&source, Some(&labels)).unwrap();
    let event = casework::journal::kind::ProtocolPublished::new(&protocol, 1, "the first");
    workspace.append(vec![Append::new(&event)]).unwrap();
}

fn people(data: &Path) -> Vec<Person> {
    let file: Value =
        serde_json::from_slice(&fs::read(data.join("reviews/reviewers.json")).unwrap()).unwrap();
    let of = |(name, person): (&String, &Value)| Person {
        name: name.clone(),
        share: person["share"].as_f64().unwrap(),
        names_right: person["names_right"].as_f64().unwrap(),
        matrix: serde_json::from_value(person["matrix"].clone()).unwrap(),
    };
    file["reviewers"].as_object().unwrap().iter().map(of).collect()
}

/// The cases that were reviewed, with what is true of them.
fn truths(data: &Path) -> BTreeMap<String, Truth> {
    let rows = |name: &str| -> Vec<HashMap<String, String>> {
        let mut reader = csv::Reader::from_path(data.join(name)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    };
    let trains: HashMap<String, String> = rows("reviews/final_gold.csv")
        .into_iter()
        .map(|row| (row["task"].clone(), row["label"].clone()))
        .collect();
    let gold = rows("stream/gold.csv");
    let names: Vec<String> = {
        let mut names: Vec<String> = gold.iter().map(|row| row["true_label"].clone()).collect();
        names.retain(|name| !name.is_empty() && name != "oos");
        names.sort();
        names.dedup();
        names
    };
    let gold: HashMap<&str, &HashMap<String, String>> =
        gold.iter().map(|row| (row["id"].as_str(), row)).collect();
    let mut found = BTreeMap::new();
    for line in fs::read_to_string(data.join("stream/stream.jsonl")).unwrap().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["id"].as_str().unwrap().to_owned();
        let Some(trains) = trains.get(&id).filter(|_| !found.contains_key(&id)) else { continue };
        let predicted = line["prediction"]["label"].as_str().unwrap().to_owned();
        let top = line["prediction"]["top_k"].as_array().unwrap().iter();
        let mut near: Vec<String> =
            top.map(|one| one["label"].as_str().unwrap().to_owned()).collect();
        near.retain(|name| *name != predicted && name != "oos");
        if near.is_empty() {
            near = names.iter().filter(|name| **name != predicted).cloned().collect();
        }
        let row = gold[id.as_str()];
        let truth = Truth {
            verdict: row["verdict"].clone(),
            label: row["true_label"].clone(),
            trains: trains.clone(),
            predicted,
            near,
            text: line["input"]["text"].as_str().unwrap().to_owned(),
        };
        found.insert(id, truth);
    }
    found
}

/// Their lines of the stream.
fn cases(data: &Path, truths: &BTreeMap<String, Truth>) -> String {
    let stream = fs::read_to_string(data.join("stream/stream.jsonl")).unwrap();
    let mut seen = HashSet::new();
    let kept = stream.lines().filter(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["id"].as_str().unwrap().to_owned();
        truths.contains_key(&id) && seen.insert(id)
    });
    kept.fold(String::new(), |all, line| all + line + "\n")
}
