//! Old cases that come back, figures about a reviewer, breaks that are suggested.

use casework::config::Env;
use casework::domain::label::{Label, REPEAT_ROUND};
use casework::domain::time::Moment;
use casework::journal::Append;
use casework::journal::kind::LabelGiven;
use casework::tui::Review;
use casework::workspace::Workspace;
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, ingest, line};

const DAY: i64 = 86_400_000;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// `cases` cases, of which ana and bo have labeled the first `labeled`, all alike, `days` ago.
fn team(cases: usize, labeled: usize, days: i64) -> Place {
    team_whose_labels(cases, labeled, days, |_| ())
}

/// The same, where something of each label is otherwise.
fn team_whose_labels(cases: usize, labeled: usize, days: i64, are: impl Fn(&mut Label)) -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String = (0..cases)
        .map(|i| line(&format!("p{i}"), &format!("move money {i}"), "pay", 0.2, i as i64))
        .collect();
    ingest(&mut workspace, &lines);
    drop(workspace);
    place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
    place.ok(&["policy", "set", "overlap=2", "on=verdict"]);
    place.ok(&[
        "label",
        "p0",
        "--answer",
        "readable=y",
        "--answer",
        "verdict=y",
        "--answer",
        "category=r",
    ]);
    let mut workspace = place.open();
    let first = workspace.find_case("p0").unwrap();
    let given = workspace.counting_label(first.id).unwrap().unwrap();
    workspace.undo().unwrap();
    let mut events = Vec::new();
    for i in 0..labeled {
        for who in ["ana", "bo"] {
            let mut label = given.label.clone();
            label.case = workspace.find_case(&format!("p{i}")).unwrap().id;
            label.reviewer = who.to_owned();
            label.duration_ms = Some(30_000);
            label.given_at =
                Some(Moment(casework::clock::now().0 - days * DAY + i as i64 * 60_000));
            are(&mut label);
            events.push(Append::new(&LabelGiven(label)));
        }
    }
    workspace.append(events).unwrap();
    place
}

#[test]
fn an_old_case_comes_back_looking_like_any_other_and_settles_nothing() {
    let place = team(40, 10, 30);
    place.ok(&["policy", "set", "repeat_percent=10"]);
    let as_ana = || Workspace::open(place.paths(), Env::default(), Some("ana")).unwrap();
    let queue = place.ok(&["queue", "--json"]);
    let again: Vec<String> = queue
        .lines()
        .map(|line| json(line)["id"].as_str().unwrap().to_owned())
        .filter(|id| id[1..].parse::<usize>().unwrap() < 10)
        .collect();
    assert_eq!(
        (queue.lines().count(), again.len()),
        (31, 1),
        "one of the ten is among the thirty: {again:?}"
    );
    let id = &again[0];
    let shown = json(&place.ok(&["show", id, "--json"]));
    assert_eq!(
        (shown["state"].as_str(), &shown["outcome"], shown["history"].as_array().unwrap().len()),
        (Some("open"), &Value::Null, 1)
    );
    assert!(
        !place.ok(&["queue", "--state", "resolved", "--json"]).contains(&format!("\"{id}\"")),
        "in no list of what is settled"
    );
    assert_eq!(
        json(&place.ok(&["show", id, "--json", "--as", "bo"]))["state"],
        "resolved",
        "to others it is what it is"
    );
    let mut workspace = as_ana();
    let row = workspace.find_case(id).unwrap();
    let opened = workspace.open_case(row.clone()).unwrap();
    assert_eq!(
        (opened.round(), opened.mine.is_none(), opened.is_blind()),
        (REPEAT_ROUND, true, true)
    );
    drop(workspace);
    // This time ana says otherwise.
    place.ok(&[
        "label",
        id,
        "--answer",
        "readable=y",
        "--answer",
        "verdict=o",
        "--answer",
        "category=r",
    ]);
    let after = json(&place.ok(&["show", id, "--json"]));
    assert_eq!(
        (after["state"].as_str(), after["outcome"]["verdict"].as_str()),
        (Some("resolved"), Some("model_correct"))
    );
    assert!(
        !place.ok(&["show", id, "--as", "bo"]).contains("out_of_scope"),
        "it is nobody else's business"
    );
    let own = json(place.ok(&["steady", "--json"]).lines().next().unwrap());
    assert_eq!(
        (own["with_self"]["n"].as_f64(), own["with_self"]["value"].as_f64()),
        (Some(1.0), Some(0.0))
    );
    assert_eq!(own["with_others"]["value"], 1.0);
}

#[test]
fn labels_that_count_are_counted_by_round() {
    use casework::db::label::counts_of;
    let place = team(40, 10, 30);
    let of = |who: &str| counts_of(&place.open().tables().conn, who, REPEAT_ROUND).unwrap();
    assert_eq!(
        (of("ana"), of("bo"), of("eve")),
        ((10, 0), (10, 0), (0, 0)),
        "one more of ana's was taken back"
    );
    let mut workspace = place.open();
    let first = workspace.find_case("p0").unwrap();
    let mut again = workspace.counting_label(first.id).unwrap().unwrap().label;
    again.round = REPEAT_ROUND.to_owned();
    workspace.append(vec![Append::new(&LabelGiven(again))]).unwrap();
    assert_eq!(of("ana"), (11, 1));
    workspace.undo().unwrap();
    assert_eq!((of("ana"), of("bo")), ((10, 0), (10, 0)));
}

#[test]
fn figures_are_ones_own_and_a_lead_sees_the_weeks_before() {
    let place = team(12, 8, 30);
    let own = place.ok(&["steady", "--as", "bo"]);
    assert!(own.starts_with("bo: 8 labels") && !own.contains("ana"), "{own}");
    assert_eq!(place.run(&["steady", "--roster", "--as", "bo"]).status.code(), Some(2));
    let roster: Vec<Value> =
        place.ok(&["steady", "--roster", "--json"]).lines().map(json).collect();
    assert_eq!(
        roster.iter().map(|one| one["reviewer"].as_str().unwrap()).collect::<Vec<_>>(),
        ["ana", "bo"],
        "by name"
    );
    assert!(roster[0]["with_others"]["interval"].is_array());
    // What bo does today is bo's alone until the week is over.
    place.ok(&[
        "label",
        "p9",
        "--as",
        "bo",
        "--answer",
        "readable=y",
        "--answer",
        "verdict=y",
        "--answer",
        "category=r",
    ]);
    let labels = |text: &str, at: usize| json(text.lines().nth(at).unwrap())["labels"].as_u64();
    assert_eq!(labels(&place.ok(&["steady", "--json", "--as", "bo"]), 0), Some(9));
    assert_eq!(labels(&place.ok(&["steady", "--roster", "--json"]), 1), Some(8));
    let shares: Vec<Value> = place.ok(&["queue", "--shares", "--json"]).lines().map(json).collect();
    assert_eq!(
        (
            shares[1]["reviewer"].as_str(),
            shares[1]["this_week"].as_u64(),
            shares[1]["open"].as_u64()
        ),
        (Some("bo"), Some(1), Some(3))
    );
}

#[test]
fn a_second_look_is_suggested_and_recorded_and_nothing_is_refused() {
    let place = team(60, 45, 0);
    let mut workspace = place.open();
    // Fast ones, all of a sudden.
    let first = workspace.find_case("p0").unwrap();
    let given = workspace.counting_label(first.id).unwrap().unwrap();
    let events: Vec<Append> = (45..55)
        .map(|i| {
            let mut label = given.label.clone();
            label.case = workspace.find_case(&format!("p{i}")).unwrap().id;
            (label.duration_ms, label.given_at) = (Some(2_000), None);
            Append::new(&LabelGiven(label))
        })
        .collect();
    workspace.append(events).unwrap();
    let mut session = Review::in_turn(workspace, (100, 30), casework::clock::now, None).unwrap();
    session.press("1 1 3 Enter");
    if !session.text().contains("usually it is") {
        session.wait_for(|job| matches!(job, Some(casework::session::Report::Suggested(_))));
    }
    assert!(session.text().contains("usually it is 30 s"), "{}", session.text());
    session.press("Y");
    assert!(session.text().contains("suggested 20"), "{}", session.text());
    session.press("Esc 1 1 3 Enter");
    drop(session);
    let own = place.ok(&["steady"]);
    assert_eq!(own.matches("suggested").count(), 1, "the same is not said again at once: {own}");
    assert!(!place.ok(&["steady", "--as", "bo"]).contains("suggested"));
    place.ok(&["policy", "set", "guards=no"]);
}

#[test]
fn leads_alone_are_told_whose_labels_of_gold_items_lie_below_a_bound() {
    let place = team(40, 40, 30);
    let mut workspace = place.open();
    let mut events = Vec::new();
    for i in 0..40 {
        let case = workspace.find_case(&format!("p{i}")).unwrap().id;
        workspace.set_gold(case, "it is plain").unwrap();
        let mut label = workspace.counting_label(case).unwrap().unwrap().label;
        label.round = casework::domain::label::GOLD_ROUND.to_owned();
        label.given_at = Some(Moment(casework::clock::now().0 - 20 * DAY + i * 60_000));
        for (who, wrong) in [("cy", 2), ("bo", 20)] {
            let mut label = label.clone();
            label.reviewer = who.to_owned();
            if i < wrong {
                label.outcome.insert("verdict".to_owned(), "out_of_scope".into());
            }
            events.push(Append::new(&LabelGiven(label)));
        }
    }
    workspace.append(events).unwrap();
    drop(workspace);
    place.ok(&["roster", "admit", "cy", "--role", "reviewer"]);
    place.ok(&["policy", "set", "alert=reviewer_gold < 0.8"]);
    let told = |who: &str| {
        let check = place.run(&["sla", "check", "--json", "--as", who]);
        json(&String::from_utf8(check.stdout).unwrap())["bounds"][0].clone()
    };
    let of_ana = told("ana");
    let crossed = |name: &str| {
        let all = of_ana["of"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).map(|one| one["crossed"] == true)
    };
    assert_eq!((crossed("bo"), crossed("cy"), crossed("ana")), (Some(true), Some(false), None));
    let of_bo = told("bo");
    assert_eq!((&of_bo["value"], of_bo["of"].as_array().map(Vec::len)), (&Value::Null, Some(0)));
    assert_eq!(of_bo["crossed"], false);
    // Whoever looks, chance is reckoned with for all shares that are looked at.
    let shares = |who: &str| {
        let workspace = Workspace::open(place.paths(), Env::default(), Some(who)).unwrap();
        let bounds = format!("{:?}", workspace.bounds(&[]).unwrap());
        bounds.split("looked_at: ").nth(1).map(|rest| rest[..1].to_owned())
    };
    assert_eq!((shares("ana"), shares("bo")), (Some("2".to_owned()), Some("2".to_owned())));
    let words = place.ok(&["nudge", "--dry-run"]);
    assert!(words.contains("reviewer_gold < 0.8: it is 0.500 of bo"), "{words}");
}

/// What was labeled after others were seen is not compared with theirs; it was labeled all the same.
#[test]
fn labels_that_are_not_compared_are_counted_and_give_no_repeat_away() {
    let place = team_whose_labels(40, 10, 30, |label| label.after_others = label.reviewer == "ana");
    let own = json(place.ok(&["reliability", "--json"]).lines().next().unwrap());
    let (labels, others) = (&own["labels"], &own["with_others"]);
    assert_eq!((labels.as_u64(), others["n"].as_f64()), (Some(10), Some(0.0)), "{own}");
    assert_eq!(own["median_seconds"], 30.0);
    assert_eq!(own["weeks"][0]["labels"], 10);
    place.ok(&["policy", "set", "repeat_percent=10"]);
    let comes_back = |line: &str| {
        let id = json(line)["id"].as_str().unwrap().to_owned();
        Some(id).filter(|id| id[1..].parse::<usize>().unwrap() < 10)
    };
    let id = place.ok(&["queue", "--json"]).lines().find_map(comes_back).unwrap();
    let answers = ["--answer", "readable=y", "--answer", "verdict=o", "--answer", "category=r"];
    let ran = place.run(&[&["label", &id], &answers[..]].concat());
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && !said.contains("could be seen"), "{said}");
}

/// What was given last may be sealed: of a stretch of yesterday no break is suggested.
#[test]
fn no_break_is_suggested_after_one() {
    // A label a minute for three hours, which ended a day ago or just now.
    let ended = |ago: i64| {
        let place = team_whose_labels(200, 190, 1, |label| {
            let at = label.given_at.unwrap();
            label.given_at = Some(Moment(at.0 + DAY - ago - 190 * 60_000));
        });
        let raised = place.open().raise_guard().unwrap();
        raised.map(|suggestion| suggestion.words)
    };
    assert_eq!(ended(DAY), None);
    let words = ended(0).unwrap_or_default();
    assert!(words.contains("minutes without a break"), "{words}");
}
