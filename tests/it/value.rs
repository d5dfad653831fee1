//! Cases that are settled by how reviewers walk the protocol, and the queue in the order of what a
//! label is worth.

use casework::db::case::{CaseRow, Direction, QueueKey};
use casework::domain::estimate::Estimate;
use casework::domain::ids::Hash;
use casework::domain::label::{Label, MAIN_ROUND, ProtocolRef};
use casework::domain::paths::{ANY_NAME, Choice, End, Habits, Names, Paths, RenamedStep};
use casework::domain::policy::Policy;
use casework::domain::resolve::{CaseState, How};
use casework::domain::roster::Role;
use casework::domain::time::Moment;
use casework::journal::Append;
use casework::journal::kind::*;
use casework::review::board::BoardSums;
use casework::review::board::pages::{Page, Pages, Row};
use casework::review::sight::Figures;
use casework::review::{Blind, Queue, sla};
use casework::session::pages::QueueModel;
use casework::tui::Review;
use casework::workspace::Workspace;
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, ingest, line};

const HOUR: i64 = 3_600_000;

fn step(question: &str, answer: &str) -> (String, String) {
    (question.to_owned(), answer.to_owned())
}

/// Of two answers, the right one this often.
fn habits(right: f64) -> Habits {
    let row = |is: &str, other: &str| {
        (is.to_owned(), [(is.to_owned(), right), (other.to_owned(), 1.0 - right)].into())
    };
    [row("y", "n"), row("n", "y")].into()
}

/// `fits` says whether the prediction fits; `which` which of ten names does, if not. `sure` is right
/// 98 times of a hundred, `poor` 55, everybody else 80. Where the model is confident it fits.
fn estimate() -> Estimate {
    let end = |path: Vec<(String, String)>, times: f64| End {
        path,
        share: 0.5,
        by_confidence: vec![1.0 / times, times],
        ..End::default()
    };
    let choice = Choice {
        crowd: habits(0.8),
        reviewers: [("sure".to_owned(), habits(0.98)), ("poor".to_owned(), habits(0.55))].into(),
        ..Choice::default()
    };
    let names = Names {
        of: 10,
        crowd: 0.8,
        reviewers: [("sure".to_owned(), 0.99), ("poor".to_owned(), 0.3)].into(),
        ..Names::default()
    };
    let fits = end(vec![step("fits", "y")], 5.0);
    let other = end(vec![step("fits", "n"), step("which", ANY_NAME)], 0.2);
    let mut paths = Paths::new(
        vec![fits, other],
        [("fits".to_owned(), choice)].into(),
        [("which".to_owned(), names)].into(),
        vec![0.5],
    );
    paths.renamed = vec![RenamedStep {
        protocol: "p".to_owned(),
        version: 1,
        from: step("ok", "yes"),
        to: step("fits", "y"),
    }];
    Estimate::of_paths(paths, Vec::new(), 40, 100)
}

fn label(row: &CaseRow, reviewer: &str, name: Option<&str>) -> Label {
    let (path, outcome) = match name {
        None => (vec![step("fits", "y")], vec![("verdict", "right")]),
        Some(name) => (
            vec![step("fits", "n"), step("which", name), step("why", "because")],
            vec![("verdict", "wrong"), ("label", name)],
        ),
    };
    let protocol = ProtocolRef { id: "p".to_owned(), version: 2, hash: Hash([0; 32]) };
    Label {
        path,
        outcome: outcome
            .into_iter()
            .map(|(field, value)| (field.to_owned(), value.into()))
            .collect(),
        ..Label::empty(row.id, reviewer, MAIN_ROUND, protocol)
    }
}

struct Desk {
    place: Place,
    workspace: Workspace,
}

impl Desk {
    /// A workspace of three who review, and one who leads, with these cases: text and confidence.
    fn new(cases: &[(&str, f64)], policy: &[(&str, &str)]) -> Self {
        let place = Place::new();
        let mut workspace = place.create();
        let lines: String = cases
            .iter()
            .enumerate()
            .map(|(n, (text, share))| line(&format!("c{n}"), text, "x", *share, n as i64))
            .collect();
        // All on this device, so that one looks at it as each of them.
        let replica = workspace.replica();
        let people = ["sure", "poor", "bo"].map(|name| {
            Append::new(&ReviewerAdmitted {
                name: name.to_owned(),
                roles: vec![Role::Reviewer],
                replica,
                profile: None,
            })
        });
        workspace.append(Vec::from(people)).unwrap();
        let mut desk = Self { place, workspace };
        desk.set(policy);
        ingest(&mut desk.workspace, &lines);
        desk
    }

    fn set(&mut self, policy: &[(&str, &str)]) {
        let mut all = Policy::default();
        for (name, value) in [
            ("overlap", "1"),
            ("limit", "4"),
            ("rule", "paths"),
            ("sure_percent", "90"),
            ("learn_percent", "0"),
        ]
        .iter()
        .chain(policy)
        {
            all.set(name, value).unwrap();
        }
        self.workspace.append(vec![Append::new(&PolicySet { policy: all })]).unwrap();
    }

    fn learn(&mut self) {
        self.workspace.record_estimate(estimate()).unwrap();
    }

    fn row(&self, id: &str) -> CaseRow {
        self.workspace.find_case(id).unwrap()
    }

    fn give(&mut self, id: &str, reviewer: &str, name: Option<&str>) {
        let label = label(&self.row(id), reviewer, name);
        self.workspace.append(vec![Append::new(&LabelGiven(label))]).unwrap();
    }

    fn check(&self, id: &str, state: CaseState, how: Option<How>, label: Option<&str>) {
        let row = self.row(id);
        let said = row.outcome.as_ref().map(|outcome| {
            outcome.get("label").and_then(Value::as_str).unwrap_or("right").to_owned()
        });
        assert_eq!((row.state, row.how, said.as_deref()), (state, how, label), "{id}");
    }

    /// Whoever's queue, at so many hours.
    fn queue(&self, reviewer: &str, hours: i64) -> Vec<String> {
        let conn = &self.workspace.tables().conn;
        let now = Moment(self.row("c0").at.ms + hours * HOUR);
        let queue = Queue::load(conn, reviewer, now).unwrap();
        let (mut found, mut from) = (Vec::new(), QueueKey::FIRST);
        loop {
            let page = queue.page(conn, from, Direction::Forward, 2).unwrap();
            let Some(last) = page.last() else { break };
            from = last.key();
            found.extend(page);
        }
        let mut back = queue.page(conn, QueueKey::LAST, Direction::Backward, 100).unwrap();
        back.reverse();
        assert_eq!(back, found, "both ways it is one queue");
        let counts = queue.counts(conn, || false).unwrap();
        assert_eq!(counts.mine(), found.len() as u64, "{counts:?}");
        let policy = self.workspace.policy().unwrap();
        let due = sla::by_person(&sla::due_items(conn, &policy, now).unwrap(), now);
        let due = due.get(reviewer).and_then(|of| of.get(&sla::Duty::Label));
        let waits = due.map_or(0, |tally| tally.all as u64);
        assert_eq!(counts.assigned(), waits, "{reviewer}: {counts:?}");
        found.into_iter().map(|row| row.external_id).collect()
    }
}

const OPEN: (CaseState, Option<How>, Option<&str>) = (CaseState::Open, None, None);

#[test]
fn one_label_is_enough_where_whoever_gave_it_is_known_to_be_right() {
    let mut desk = Desk::new(&[("a b", 0.5), ("c d", 0.5), ("e f", 0.5)], &[]);
    desk.give("c0", "sure", None);
    desk.check("c0", OPEN.0, OPEN.1, OPEN.2);
    desk.give("c0", "bo", None);
    desk.check("c0", CaseState::Resolved, Some(How::Unanimous), Some("right"));
    desk.learn();
    desk.check("c0", CaseState::Resolved, Some(How::Model), Some("right"));

    desk.give("c1", "sure", Some("n1"));
    desk.check("c1", CaseState::Resolved, Some(How::Model), Some("n1"));
    let shown: Value = serde_json::from_str(&desk.place.ok(&["show", "c1", "--json"])).unwrap();
    assert_eq!(shown["settled"]["without"][0]["reviewer"], "sure", "{shown}");
    assert!(shown["settled"]["without"][0]["belief"].is_null(), "nobody else says so");
    assert!(desk.place.ok(&["show", "c1"]).contains("nobody else than sure says so"));
    let own = desk.place.ok(&["reliability", "--as", "sure", "--json"]);
    let own: Value = serde_json::from_str(own.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&own["questions"][0]["question"], &own["questions"][0]["skill"]),
        (&"fits".into(), &0.98.into())
    );
    let shown = desk.place.ok(&["show", "c0"]);
    assert!(shown.contains("% without bo") && shown.contains("% without sure"), "{shown}");
    desk.give("c2", "poor", Some("n1"));
    desk.check("c2", OPEN.0, OPEN.1, OPEN.2);
    // Who is not known is one of the crowd, and two who agree outweigh one who does not.
    desk.give("c2", "stranger", Some("n2"));
    desk.check("c2", OPEN.0, OPEN.1, OPEN.2);
    desk.give("c2", "bo", Some("n2"));
    desk.check("c2", CaseState::Resolved, Some(How::Model), Some("n2"));

    // Two answers that nobody knew of are two.
    let strange = |answer: &str| {
        let mut label = label(&desk.row("c0"), answer, None);
        label.path = vec![step("fits", answer)];
        label
    };
    let model = estimate().paths.unwrap().model();
    let (one, two) = (strange("spam"), strange("other"));
    let apart = model.weighed(&[&one, &two], None);
    assert_ne!(apart.places[0], apart.places[1], "{apart:?}");

    // Answers by their old names, and a question that nobody knows.
    let mut old = label(&desk.row("c0"), "sure", None);
    (old.protocol.version, old.path) = (1, vec![step("ok", "yes"), step("new", "z")]);
    let model = estimate().paths.unwrap().model();
    let [by_old, by_new] =
        [old, label(&desk.row("c0"), "sure", None)].map(|label| model.weighed(&[&label], None));
    assert_eq!(by_old.shares, by_new.shares);
}

#[test]
fn the_model_is_heard_and_settles_nothing_alone() {
    let mut desk =
        Desk::new(&[("a b", 0.9), ("c d", 0.1), ("e f", 0.9)], &[("witness", "champion")]);
    desk.learn();
    desk.check("c0", OPEN.0, OPEN.1, OPEN.2);
    desk.give("c0", "bo", None);
    desk.check("c0", CaseState::Resolved, Some(How::Model), Some("right"));
    desk.give("c1", "bo", None);
    desk.check("c1", OPEN.0, OPEN.1, OPEN.2);
    desk.set(&[]);
    desk.check("c0", OPEN.0, OPEN.1, OPEN.2);
    desk.set(&[("witness", "champion")]);
    desk.check("c0", CaseState::Resolved, Some(How::Model), Some("right"));
    // Where a case measures people, it is not heard.
    let id = desk.row("c0").id;
    desk.give("c0", "ana", None);
    desk.workspace.set_gold(id, "").unwrap();
    let event = LabelWithdrawn {
        case: id,
        label: desk.workspace.labels_of_case(id, MAIN_ROUND).unwrap().unwrap()[0].event,
        reviewer: "ana".to_owned(),
    };
    desk.workspace.append(vec![Append::new(&event)]).unwrap();
    desk.check("c0", OPEN.0, OPEN.1, OPEN.2);
    desk.workspace.drop_gold(id).unwrap();
    desk.check("c0", CaseState::Resolved, Some(How::Model), Some("right"));
}

#[test]
fn copies_have_their_labels_in_common() {
    let texts =
        [("what is my balance", 0.5), ("what is my balance", 0.5), ("?!", 0.5), ("?!", 0.5)];
    let mut desk = Desk::new(&texts, &[("copies", "pooled"), ("order", "value")]);
    desk.learn();
    desk.give("c0", "bo", None);
    desk.check("c0", OPEN.0, OPEN.1, OPEN.2);
    let before = desk.queue("bo", 1);
    assert!(!before.contains(&"c0".to_owned()) && !before.contains(&"c1".to_owned()), "{before:?}");
    desk.give("c1", "sure", None);
    desk.check("c0", CaseState::Resolved, Some(How::Model), Some("right"));
    desk.check("c1", CaseState::Resolved, Some(How::Model), Some("right"));
    assert!(desk.place.ok(&["show", "c0"]).contains("1 other case has this text"));
    // What says nothing is a copy of nothing.
    desk.give("c2", "sure", None);
    desk.check("c3", OPEN.0, OPEN.1, OPEN.2);
    // One that comes later is settled already; one that is forgotten is alone again.
    ingest(&mut desk.workspace, &line("c4", "what is my balance", "x", 0.5, 9));
    desk.check("c4", CaseState::Resolved, Some(How::Model), Some("right"));
    ingest(&mut desk.workspace, &line("c5", "what is my balance", "another", 0.5, 9));
    desk.check("c5", OPEN.0, OPEN.1, OPEN.2);
    let row = desk.row("c1");
    desk.workspace.erase(&row, "asked for").unwrap();
    desk.check("c0", OPEN.0, OPEN.1, OPEN.2);
    desk.check("c4", OPEN.0, OPEN.1, OPEN.2);
    desk.give("c4", "sure", None);
    desk.set(&[]);
    desk.check("c4", CaseState::Resolved, Some(How::Model), Some("right"));
    desk.check("c0", OPEN.0, OPEN.1, OPEN.2);
    for name in ["bo", "sure", "poor"] {
        desk.queue(name, 1);
    }
}

#[test]
fn whoever_labels_a_case_is_asked_of_no_copy_of_it() {
    let texts = [("what is my balance", 0.5), ("what is my balance", 0.5), ("another", 0.5)];
    let desk = Desk::new(&texts, &[("copies", "pooled"), ("overlap", "4")]);
    let (place, workspace) = (desk.place, desk.workspace);
    let mut session =
        Review::new(workspace, (160, 45), casework::clock::now, None, |_| {}).unwrap();
    let shown = session.text();
    assert!(shown.contains("1 other case has this text"), "{shown}");
    session.press("n 2 Enter");
    let shown = session.text();
    assert!(shown.contains("My queue  1 of 1 "), "{shown}");
    drop(place);
}

#[test]
fn a_page_after_a_case_that_left_the_queue_leaves_none_out() {
    let texts: Vec<(String, f64)> = (0..9).map(|n| (format!("text {n}"), 0.5)).collect();
    let texts: Vec<(&str, f64)> =
        texts.iter().map(|(text, share)| (text.as_str(), *share)).collect();
    let mut desk = Desk::new(&texts, &[("order", "value"), ("overlap", "4")]);
    desk.learn();
    let page = |desk: &Desk, from: QueueKey, limit: usize| {
        let conn = &desk.workspace.tables().conn;
        let queue = Queue::load(conn, "bo", desk.workspace.now()).unwrap();
        queue.page(conn, from, Direction::Forward, limit).unwrap()
    };
    let mut model = QueueModel::default();
    let first = page(&desk, QueueKey::FIRST, 4);
    let (last, gone) = (first[3].key(), first[3].external_id.clone());
    model.take(QueueKey::FIRST, Direction::Forward, first, true, 9);
    desk.give(&gone, "bo", None);
    let more = page(&desk, last, 4);
    model.take(last, Direction::Forward, more, true, 9);
    let mut ids: Vec<&str> = model.rows.iter().map(|row| row.external_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"]);
}

#[test]
fn the_queue_begins_with_what_a_label_teaches_most() {
    // Beforehand: nearly sure, undecided, and undecided twice over.
    let texts =
        [("nearly sure", 0.9), ("undecided", 0.4), ("twice", 0.4), ("twice", 0.4), ("done", 0.9)];
    let values =
        [("copies", "pooled"), ("order", "value"), ("witness", "champion"), ("overlap", "3")];
    let mut desk = Desk::new(&texts, &values);
    desk.learn();
    let first = desk.queue("sure", 1);
    assert_eq!(first.len(), 5, "everybody gets every case");
    assert_eq!(first[..2], ["c2", "c1"], "a label of one is one of both: {first:?}");
    assert_eq!(first[4], "c3", "the other waits until then");
    let why: Value =
        serde_json::from_str(&desk.place.run_text(&["queue", "--why", "c2", "--json"])).unwrap();
    assert_eq!(why["worth"]["cases"], 2, "{why}");
    assert!(why["worth"]["gain"].as_f64().unwrap() > 0.1, "{why}");
    assert!(desk.place.run_text(&["queue", "--why", "c2"]).contains("of 2 cases with this text"));
    let late = desk.queue("sure", 60);
    assert_eq!(
        (late.len(), &late[..2]),
        (5, &["c2".to_owned(), "c3".to_owned()][..]),
        "all are nearly due"
    );

    // What is left to learn of a case tells what others said of it.
    desk.give("c1", "poor", None);
    let untold = |who: &str| -> Value {
        let told = desk.place.run_text(&["queue", "--why", "c1", "--json", "--as", who]);
        serde_json::from_str(&told).unwrap()
    };
    assert!(untold("bo")["worth"].is_null(), "{}", untold("bo"));
    assert!(
        desk.place.run_text(&["queue", "--why", "c0", "--json", "--as", "bo"]).contains("gain")
    );

    // What retraining needs more of is worth more, unless the lead says otherwise.
    let gate = |slice: &str, verdict: &str| GateDecided {
        run: "r".to_owned(),
        gate: "g".to_owned(),
        hash: Hash([0; 32]),
        text: String::new(),
        verdict: verdict.to_owned(),
        lines: vec![serde_json::json!({ "kind": "fix", "slice": slice, "verdict": verdict })],
        leak: vec![],
        churn: None,
    };
    ingest(&mut desk.workspace, &line("c5", "other", "needed", 0.9, 20));
    let needed_at = |desk: &Desk| desk.queue("sure", 1).iter().position(|id| id == "c5").unwrap();
    let before = needed_at(&desk);
    desk.workspace.append(vec![Append::new(&gate("label=needed", "fail"))]).unwrap();
    let after = needed_at(&desk);
    assert!(after < before, "{before} {after}");
    desk.set(&[&values[..], &[("worth", "copies")]].concat());
    assert_eq!(needed_at(&desk), before);
    desk.set(&values);
    desk.workspace.append(vec![Append::new(&gate("label=needed", "pass"))]).unwrap();
    assert_eq!(needed_at(&desk), before);

    // With one label wanted, whoever would hardly teach anything is not asked while others can.
    desk.set(&[("order", "value"), ("witness", "champion")]);
    for name in ["bo", "sure", "poor"] {
        desk.queue(name, 1);
    }
    let shares = desk.place.ok(&["queue", "--shares", "--json"]);
    let open = |name: &str| -> u64 {
        let row =
            shares.lines().find(|row| row.contains(&format!("\"reviewer\":\"{name}\""))).unwrap();
        serde_json::from_str::<Value>(row).unwrap()["open"].as_u64().unwrap()
    };
    assert!(open("poor") <= open("sure"), "{shares}");
}

#[test]
fn of_labels_that_agree_the_weightiest_counts_in_the_other_fields() {
    let rows = [("a b", 0.5), ("c d", 0.5)];
    let mut desk = Desk::new(&rows, &[("rule", "majority"), ("on", "verdict"), ("overlap", "3")]);
    desk.give("c0", "poor", Some("first"));
    desk.give("c0", "bo", Some("second"));
    desk.give("c0", "sure", Some("second"));
    desk.check("c0", CaseState::Resolved, Some(How::Unanimous), Some("second"));
    // Under a model, whoever is right more often.
    let row = |right: f64| -> Habits {
        [(
            "wrong".to_owned(),
            [("wrong".to_owned(), right), ("right".to_owned(), 1.0 - right)].into(),
        )]
        .into()
    };
    let mut by_habits = estimate();
    (by_habits.model, by_habits.on, by_habits.paths) =
        ("dawid-skene".into(), vec!["verdict".into()], None);
    by_habits.priors = [("wrong".to_owned(), 0.5), ("right".to_owned(), 0.5)].into();
    by_habits.reviewers =
        [("poor", 0.6), ("sure", 0.99)].map(|(name, right)| (name.to_owned(), row(right))).into();
    desk.workspace.record_estimate(by_habits).unwrap();
    desk.set(&[("rule", "dawid-skene"), ("on", "verdict"), ("overlap", "1")]);
    desk.give("c1", "poor", Some("first"));
    desk.check("c1", OPEN.0, OPEN.1, OPEN.2);
    desk.give("c1", "sure", Some("second"));
    desk.check("c1", CaseState::Resolved, Some(How::Unanimous), Some("second"));
}

#[test]
fn a_fit_is_sound_whatever_was_labeled() {
    use casework::quality::truth::Fitting;
    use casework::quality::truth::paths::{Kind, Walks, fit};
    let kinds = [("fits".to_owned(), Kind::Choice), ("which".to_owned(), Kind::Names(0))].into();
    let walk = |who: &str, name: Option<String>| {
        let path = match name {
            None => vec![step("fits", "y")],
            Some(name) => vec![step("fits", "n"), step("which", &name)],
        };
        (who.to_owned(), path)
    };
    let alone: Vec<Walks> = (0..9)
        .map(|n| Walks {
            walks: vec![walk("one", (n % 2 == 0).then(|| n.to_string()))],
            opinion: None,
        })
        .collect();
    // Nobody labels what another does; one class; hundreds of names; more who guess than who know.
    let apart: Vec<Walks> = (0..9)
        .map(|n| Walks { walks: vec![walk(&format!("r{n}"), None)], opinion: None })
        .collect();
    let same: Vec<Walks> = (0..9)
        .map(|_| Walks { walks: vec![walk("a", None), walk("b", None)], opinion: None })
        .collect();
    let names: Vec<Walks> = (0..500)
        .map(|n| {
            let name = |said: usize| Some(said.to_string());
            let walks = vec![
                walk("a", name(n)),
                walk("b", name(n)),
                walk("c", name(n * 7 % 500)),
                walk("d", name(n * 3 % 500)),
            ];
            Walks { walks, opinion: Some(("x".to_owned(), None)) }
        })
        .collect();
    let empty =
        vec![Walks::default(), Walks { walks: vec![("a".to_owned(), Vec::new())], opinion: None }];
    for cases in [alone, apart, same, names.clone(), empty, Vec::new()] {
        let fitted = fit(&cases, &kinds, &Fitting { tolerance: 1e-6, ..Fitting::default() });
        assert!(fitted.converged, "{} rounds", fitted.iterations);
        assert_eq!(fitted.cases.len(), cases.len());
        for weighed in &fitted.weighed {
            let sum: f64 = weighed.shares.iter().sum();
            assert!((sum - 1.0).abs() < 1e-9 || weighed.shares.is_empty(), "{sum}");
        }
        let text = serde_json::to_string(&fitted.paths).unwrap();
        assert!(!text.contains("null"), "{text}");
        assert_eq!(serde_json::from_str::<Paths>(&text).unwrap(), fitted.paths);
    }
    // Two who agree on each of five hundred are right, and those who guess are known.
    let fitted = fit(&names, &kinds, &Fitting { tolerance: 1e-6, ..Fitting::default() });
    let which = &fitted.paths.names["which"];
    assert!(which.reviewers["a"] > 0.9 && which.reviewers["c"] < 0.3, "{:?}", which.reviewers);
}

/// The board says how often each answers each question right, by name; whoever reviews sees their own.
#[test]
fn the_board_says_who_is_right_at_which_question() {
    let mut desk = Desk::new(&[("a b", 0.5), ("c d", 0.5)], &[]);
    desk.learn();
    let mut sums = BoardSums::default();
    let board = desk.workspace.board(&mut sums).unwrap();
    let of = |question: &str, reviewer: &str| {
        let found =
            board.right_at.iter().find(|one| one.question == question && one.reviewer == reviewer);
        found.unwrap().share
    };
    assert!((of("fits", "sure") - 0.98).abs() < 1e-9 && (of("fits", "poor") - 0.55).abs() < 1e-9);
    assert!((of("which", "poor") - 0.3).abs() < 1e-9);
    let shown = |figures: &Figures| {
        let pages = Pages::of(&board, figures);
        let words = |row: &Row| -> String {
            row.words.iter().map(|words| words.in_columns().into_owned()).collect()
        };
        pages.rows(Page::Questions).iter().map(words).collect::<Vec<_>>().join("\n")
    };
    let all = shown(&Figures::all());
    assert!(all.contains("98.0 %") && all.contains("sure") && all.contains("poor"), "{all}");
    let own = shown(&Figures::of("poor", Blind::UntilSettled));
    assert!(
        own.contains("55.0 %") && !own.contains("98.0 %") && own.contains("Left out: 2"),
        "{own}"
    );
}
