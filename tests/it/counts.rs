//! One label counts: of each reviewer the latest in each round on a case. Whatever was given,
//! replaced, imported and taken back, every command, screen and export counts the same labels.

use std::collections::{BTreeMap, BTreeSet};

use casework::config::Env;
use casework::db;
use casework::domain::ids::CaseId;
use casework::domain::label::{GivenLabel, Label, MAIN_ROUND, REPEAT_ROUND};
use casework::domain::resolve::CaseState;
use casework::journal::Append;
use casework::journal::kind::LabelGiven;
use casework::review::board::BoardSums;
use casework::review::sla::{Duty, by_person};
use casework::workspace::Workspace;
use clap::CommandFactory as _;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::{Place, team_of_three};

const NAMES: [&str; 3] = ["ana", "bo", "cy"];

/// What somebody does about one of three cases.
#[derive(Debug, Clone)]
enum Deed {
    Labels {
        who: usize,
        case: usize,
        verdict: bool,
        again: bool,
    },
    /// The lead imports a label of somebody.
    Imports {
        whose: usize,
        case: usize,
        verdict: bool,
    },
    Undoes(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0..3_usize, 0..3_usize, any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(who, case, verdict, again)| Deed::Labels { who, case, verdict, again }),
        1 => (0..3_usize, 0..3_usize, any::<bool>())
            .prop_map(|(whose, case, verdict)| Deed::Imports { whose, case, verdict }),
        1 => (0..3_usize).prop_map(Deed::Undoes),
    ]
}

fn label(at: &Workspace, reviewer: &str, case: usize, verdict: bool, round: &str) -> Append {
    let reference = at.protocols().unwrap().for_stream("s").unwrap().reference.clone();
    let case = CaseId::of("s", &format!("p{case}"));
    let verdict = if verdict { ("y", "model_correct") } else { ("o", "out_of_scope") };
    Append::new(&LabelGiven(Label {
        path: vec![
            ("readable".into(), "y".into()),
            ("verdict".into(), verdict.0.into()),
            ("category".into(), "r".into()),
        ],
        outcome: [
            ("verdict".to_owned(), verdict.1.into()),
            ("category".to_owned(), "rare-combination".into()),
        ]
        .into(),
        ..Label::empty(case, reviewer, round, reference)
    }))
}

/// What counts, worked out from all rows once more.
fn counting(at: &Workspace) -> Vec<GivenLabel> {
    let mut latest: BTreeMap<(CaseId, String, String), GivenLabel> = BTreeMap::new();
    db::label::for_each(&at.tables().conn, |row| {
        let given = row.given;
        let key = (given.label.case, given.label.round.clone(), given.label.reviewer.clone());
        let signed = |given: &GivenLabel| given.author == given.label.reviewer;
        let is_before = |other: &GivenLabel| {
            (signed(other), other.at, other.event) < (signed(&given), given.at, given.event)
        };
        if row.withdrawn.is_none() && latest.get(&key).is_none_or(is_before) {
            latest.insert(key, given);
        }
    })
    .unwrap();
    latest.into_values().collect()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events<'v>(rows: impl IntoIterator<Item = &'v Value>) -> BTreeSet<String> {
    rows.into_iter().map(|row| row["event"].as_str().unwrap().to_owned()).collect()
}

/// A team of three who label, and eve, who looks and labels nothing.
fn place() -> Place {
    let place = team_of_three();
    place.ok(&["roster", "admit", "eve", "--role", "engineer"]);
    place.ok(&["policy", "set", "overlap=2", "limit=3", "on=verdict"]);
    place
}

fn as_one(place: &Place, who: &str) -> Workspace {
    Workspace::open(place.paths(), Env::default(), Some(who)).unwrap()
}

/// Everything that counts labels, beside what counts.
fn compare(place: &Place) {
    let eve = as_one(place, "eve");
    let counting = counting(&eve);
    let main: Vec<&GivenLabel> =
        counting.iter().filter(|given| given.label.round == MAIN_ROUND).collect();
    let expected: BTreeSet<String> = counting.iter().map(|given| given.event.to_string()).collect();
    let told = |args: &[&str]| place.ok(&[args, &["--as", "eve", "--json"]].concat());
    let document = |args: &[&str]| -> Value { serde_json::from_str(&told(args)).unwrap() };

    assert_eq!(events(&lines(&told(&["labels"]))), expected, "labels");
    let all = lines(&told(&["labels", "--all"]));
    assert_eq!(events(all.iter().filter(|row| row["counts"] == true)), expected, "labels --all");
    let rows = lines(&told(&["export", "--format", "jsonl"]));
    assert_eq!(events(rows.iter().filter(|row| row["counts"] == true)), expected, "export");
    assert_eq!(document(&["status"])["labels"], counting.len(), "status");
    let mut sums = BoardSums::default();
    let board = eve.board(&mut sums).unwrap();
    assert_eq!(board.labels, main.len(), "the board");
    let protocols = eve.protocols().unwrap();
    let newest = &protocols.for_stream("s").unwrap().protocol;
    assert_eq!(eve.replay(newest).unwrap().labels, counting.len() as u64, "replay");
    let shares = lines(&told(&["queue", "--shares"]));
    let this_week = |row: &Value| row["this_week"].as_u64().unwrap();
    assert_eq!(shares.iter().map(this_week).sum::<u64>(), counting.len() as u64, "shares");
    // What is compared was said before the others' labels could be seen.
    let is_blind = |row: &&Value| row["round"] == MAIN_ROUND && row["after_others"] == false;
    let blind: BTreeSet<(String, String)> = all
        .iter()
        .filter(is_blind)
        .map(|row| (row["case"].to_string(), row["reviewer"].to_string()))
        .collect();
    if !blind.is_empty() {
        assert_eq!(document(&["agreement"])["labels"], blind.len(), "agreement");
    }
    let found = eve.disagreements(MAIN_ROUND).unwrap();
    assert_eq!(sums.sums().found, found, "disagreements, and the board's");

    // What is due is what is wanted less what was given, in one reading or kept, and in queues.
    let due = eve.due_items().unwrap();
    assert_eq!(due, board.due_items, "sla and board");
    for case in 0..6 {
        let id = CaseId::of("s", &format!("p{case}"));
        let given: BTreeSet<&str> = main
            .iter()
            .filter(|given| given.label.case == id)
            .map(|given| given.label.reviewer.as_str())
            .collect();
        let labeled: BTreeSet<String> = eve.who_labeled(id).unwrap().into_iter().collect();
        assert!(given.iter().all(|name| labeled.contains(*name)), "who labeled");
        let is_label = |item: &&casework::review::sla::DueItem| {
            item.what == Duty::Label && item.case == Some(id)
        };
        let of: Vec<_> = due.iter().filter(is_label).collect();
        let row = eve.listed_case(id).unwrap().unwrap();
        if row.state == CaseState::Open {
            let wanted = 2.max(given.len() + 1) - given.len();
            assert_eq!(of[0].who.len(), wanted.min(3 - given.len()), "wanted of {case}");
            assert!(of[0].who.iter().all(|name| !given.contains(name.as_str())));
        } else {
            assert!(of.is_empty());
        }
    }
    let people = by_person(&due, eve.now());
    for who in NAMES {
        let (_, counts) = as_one(place, who).queue().unwrap();
        let due = people.get(who).and_then(|of| of.get(&Duty::Label));
        assert_eq!(counts.assigned(), due.map_or(0, |tally| tally.all as u64), "queue of {who}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn every_count_of_labels_is_of_those_that_count(deeds in prop::collection::vec(deed(), 1..24)) {
        let place = place();
        for deed in deeds {
            match deed {
                Deed::Labels { who, case, verdict, again } => {
                    let round = if again { REPEAT_ROUND } else { MAIN_ROUND };
                    let mut at = as_one(&place, NAMES[who]);
                    let label = label(&at, NAMES[who], case, verdict, round);
                    at.append(vec![label]).unwrap();
                }
                Deed::Imports { whose, case, verdict } => {
                    let mut at = as_one(&place, "ana");
                    let label = label(&at, NAMES[whose], case, verdict, MAIN_ROUND);
                    at.append(vec![label]).unwrap();
                }
                Deed::Undoes(who) => drop(place.run(&["undo", "--as", NAMES[who]])),
            }
        }
        compare(&place);
    }
}

/// Every command that reads and takes a name of a round, a field or a question, from the command table.
#[test]
fn a_name_that_there_is_not_is_refused_with_those_that_there_are() {
    let place = place();
    for who in ["ana", "bo"] {
        let mut at = as_one(&place, who);
        let given = label(&at, who, 0, true, MAIN_ROUND);
        at.append(vec![given]).unwrap();
    }
    let mut tried = 0;
    for command in casework::cli::Cli::command().get_subcommands() {
        if command.get_arguments().any(|arg| arg.is_required_set()) {
            continue; // it changes something
        }
        for option in command.get_arguments().filter_map(|arg| arg.get_long()) {
            let knows = match option {
                "round" => "main",
                "field" => "verdict",
                "question" => "readable",
                _ => continue,
            };
            let args = [command.get_name(), &format!("--{option}"), "nosuch", "--as", "eve"];
            let refused = place.run(&args);
            let said = String::from_utf8(refused.stderr).unwrap();
            assert_eq!(refused.status.code(), Some(2), "{args:?}: {said}");
            if said.contains("required arguments were not provided") {
                continue; // it goes with another option, which changes something
            }
            assert!(said.contains("`nosuch`") && said.contains(knows), "{args:?}: {said}");
            tried += 1;
        }
    }
    assert!(tried >= 5, "{tried}");
}

#[test]
fn the_policy_is_shown_whole_and_as_it_was() {
    let place = place();
    let names = casework::domain::policy::NAMES.map(|(name, _)| name);
    let shown = place.ok(&["policy", "show"]);
    let document: Value = serde_json::from_str(&place.ok(&["policy", "show", "--json"])).unwrap();
    for name in names {
        assert!(
            shown.contains(&format!("\n{name} ")) || shown.starts_with(name),
            "{name}: {shown}"
        );
        assert!(!document[name].is_null(), "{name}: {document}");
    }
    let before = place.open().now().rfc3339();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let set = place.run(&["policy", "set", "overlap=5"]);
    let said = String::from_utf8(set.stderr).unwrap();
    assert!(said.contains("limit is 5 too"), "{said}");
    let then = place.ok(&["policy", "show", "--at", &before, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&then).unwrap(), document);
    // What only reads, reads the past too.
    for args in [&["nudge", "--dry-run"][..], &["erase", "--list"]] {
        let told = place.run(&[args, &["--at", &before]].concat());
        assert!(told.status.code().unwrap() < 2, "{args:?}: {told:?}");
    }
}
