//! Protocols as a whole: generated ones with a fault planted are refused with that fault named;
//! versions are compared, replayed and renamed by the real program.

use std::collections::BTreeMap;
use std::fs;

use casework::domain::ids::CaseId;
use casework::domain::label::{Label, MAIN_ROUND, Step};
use casework::domain::protocol::replay::{Fate, replay};
use casework::domain::protocol::{
    Protocol, QuestionKind, Walk, Walked, parse, parse_strictly, walk,
};
use proptest::prelude::*;

use crate::keys::Keys as _;
use crate::support::{Place, T0, fixture, ingest, line};

/// A question in numbers that proptest can shrink.
#[derive(Debug, Clone)]
struct Plan {
    kind: u8,
    answers: u8,
    /// How far each answer jumps; 0 ends.
    jumps: [u8; 3],
    /// Which answer to the first question it waits for; over 1: it is always asked.
    when: u8,
}

fn plan() -> impl Strategy<Value = Plan> {
    (0..6_u8, 2..4_u8, [0..4_u8, 0..4_u8, 0..4_u8], 0..6_u8)
        .prop_map(|(kind, answers, jumps, when)| Plan { kind, answers, jumps, when })
}

/// Sound by construction: every question is led to by the one before, every end sets `v`, the first
/// is always asked.
fn source(plans: &[Plan]) -> Vec<String> {
    let last = plans.len() - 1;
    let mut blocks = vec![
        "id=\"p\"\ntitle=\"t\"\nstart=\"q0\"\nlabels=[\"x\",\"y\"]\n[require]\nfields=[\"v\"]\n"
            .to_owned(),
    ];
    for (i, plan) in plans.iter().enumerate() {
        let to = |jump: u8| (i + usize::from(jump)).min(last);
        let goto = if i < last { format!("goto=\"q{}\"\n", i + 1) } else { String::new() };
        let when = if i > 0 && plan.when < 2 {
            format!("when={{q0=\"{}\"}}\n", ["a", "b"][usize::from(plan.when)])
        } else {
            String::new()
        };
        let body = match plan.kind {
            1 if i > 0 => format!("kind=\"label\"\nsets=\"f{i}\"\n{goto}set={{v={i}}}\n"),
            2 if i > 0 => format!("kind=\"scale\"\nsets=\"f{i}\"\n{goto}set={{v={i}}}\n"),
            3 if i > 0 => format!("kind=\"text\"\nsets=\"f{i}\"\n{goto}set={{v={i}}}\n"),
            4 if i > 0 => format!("kind=\"span\"\nsets=\"f{i}\"\n{goto}set={{v={i}}}\n"),
            5 if i > 0 => {
                format!(
                    "kind=\"multi\"\nsets=\"f{i}\"\n{goto}set={{v={i}}}\nanswers=[{{key=\"a\",text=\"A\"}},{{key=\"b\",text=\"B\"}}]\n"
                )
            }
            _ => {
                let answer = |n: u8| {
                    let key = ["a", "b", "c"][usize::from(n)];
                    // Passed over, a question leads to the next; its first answer does so too.
                    let goto = match plan.jumps[usize::from(n)] {
                        _ if i == last => String::new(),
                        _ if n == 0 || i == 0 => format!(",goto=\"q{}\"", i + 1),
                        0 => ",end=true".to_owned(),
                        jump => format!(",goto=\"q{}\"", to(jump)),
                    };
                    format!(
                        "  {{key=\"{key}\",text=\"{} of q{i}\",set={{v={i}}}{goto}}},\n",
                        key.to_uppercase()
                    )
                };
                let answers: String = (0..plan.answers).map(answer).collect();
                format!("{goto}answers=[\n{answers}]\n")
            }
        };
        blocks.push(format!("[[question]]\nid=\"q{i}\"\nask=\"Q{i}?\"\n{when}{body}"));
    }
    blocks
}

/// Plants a fault; returns what must be said of it, or nothing where this protocol has no place for
/// it.
fn plant(blocks: &mut Vec<String>, fault: u8, at: usize) -> Option<String> {
    let n = blocks.len() - 1;
    let at = 1 + at % n;
    match fault {
        0 => {
            let before = blocks[n].clone();
            blocks[n] = if before.contains("answers=[\n") {
                before.replacen("set={v=", "goto=\"q0\",set={v=", 1)
            } else {
                before.replacen("set={v=", "goto=\"q0\"\nset={v=", 1)
            };
            Some("the questions go round".to_owned())
        }
        1 => {
            blocks.push(
                "[[question]]\nid=\"lost\"\nask=\"?\"\nanswers=[{key=\"a\",text=\"A\"}]\n"
                    .to_owned(),
            );
            Some("no answer leads to `lost`".to_owned())
        }
        2 => {
            blocks[0] = blocks[0].replace("[\"v\"]", "[\"v\",\"w\"]");
            Some("ends without setting `w`".to_owned())
        }
        3 => {
            let before = blocks[at].clone();
            blocks[at] = before.replace("{key=\"b\"", "{key=\"a\"");
            (blocks[at] != before).then(|| "two answers on the key `a`".to_owned())
        }
        4 => {
            blocks[at] = blocks[at].replacen("ask=", "terms=[\"t\"]\nwhen={q0=\"zz\"}\nask=", 1);
            // A second `when` is what TOML refuses itself.
            (blocks[at].matches("when=").count() == 1)
                .then(|| "which is no answer to `q0`".to_owned())
        }
        5 => {
            if at < 2 || blocks[at].contains("when=") {
                return None;
            }
            blocks[at] = blocks[at].replacen("ask=", "when={q0=\"a\",not={q0=\"a\"}}\nask=", 1);
            Some(format!("`q{}` is come to", at - 1))
        }
        6 => {
            blocks[at] = blocks[at].replacen("ask=", "goto=\"nowhere\"\nask=", 1);
            (blocks[at].matches("\ngoto=").count() == 1)
                .then(|| "no question is called `nowhere`".to_owned())
        }
        _ => {
            blocks[at]
                .push_str("[[question.example]]\ninput=\"i\"\nanswer=\"no such thing at all\"\n");
            let takes_any = blocks[at].contains("kind=\"text\"");
            (!takes_any).then(|| "which is no answer to it".to_owned())
        }
    }
}

/// Answers whatever is asked until the end.
fn through(protocol: &Protocol, choose: &[u8]) -> (Vec<Step>, BTreeMap<String, serde_json::Value>) {
    let mut answers: Vec<Step> = Vec::new();
    for turn in 0..=protocol.questions.len() {
        match walk(protocol, &answers).end {
            Walked::Ends(outcome) => return (walk(protocol, &answers).path, outcome),
            Walked::Stuck { question, answer } => panic!("{} does not take {answer}", question.id),
            Walked::Asks(question) => {
                let pick = usize::from(choose[turn % choose.len()]);
                let answer = match &question.kind {
                    QuestionKind::Choice(all) => all[pick % all.len()].key.clone(),
                    QuestionKind::Multi { .. } => ["", "a", "a,b"][pick % 3].to_owned(),
                    QuestionKind::Label { .. } => ["x", "y"][pick % 2].to_owned(),
                    QuestionKind::Scale { .. } => (1 + pick % 5).to_string(),
                    QuestionKind::Number { .. } => "7".to_owned(),
                    QuestionKind::Text { .. } => "words".to_owned(),
                    QuestionKind::Span { .. } => "0-3".to_owned(),
                };
                answers.push((question.id.clone(), answer));
            }
        }
    }
    panic!("a walk that does not end: {answers:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_planted_fault_is_always_named(
        plans in proptest::collection::vec(plan(), 2..9), fault in 0..8_u8, at in 0..9_usize
    ) {
        let mut blocks = source(&plans);
        let sound = parse_strictly(&blocks.concat(), None);
        prop_assert!(sound.is_ok(), "{:?}\n{}", sound, blocks.concat());
        if let Some(expect) = plant(&mut blocks, fault, at) {
            let faults = parse_strictly(&blocks.concat(), None).expect_err(&format!("{expect}\n{}", blocks.concat()));
            prop_assert!(faults.iter().any(|fault| fault.message.contains(&expect)), "{}: {:?}\n{}", expect, faults, blocks.concat());
            prop_assert!(faults.iter().all(|fault| (1..=blocks.concat().lines().count()).contains(&fault.line)));
        }
    }

    #[test]
    fn a_walk_of_a_checked_protocol_ends_with_what_is_required(
        plans in proptest::collection::vec(plan(), 2..9), choose in proptest::collection::vec(any::<u8>(), 1..9)
    ) {
        let protocol = parse(&source(&plans).concat(), None).unwrap();
        let (path, outcome) = through(&protocol, &choose);
        prop_assert!(outcome.contains_key("v"));
        prop_assert!(path.len() <= protocol.longest_path());
        let again = walk(&protocol, &path);
        prop_assert_eq!(&again.path, &path);
        prop_assert_eq!(&again.end, &Walked::Ends(outcome));
        let label = Label {
            path: again.path.clone(),
            outcome: protocol.outcome(outcome_again(&again), Some("said")),
            ..Label::empty(CaseId::of("s", "1"), "ana", MAIN_ROUND, protocol.reference(1))
        };
        prop_assert_eq!(replay(&[&protocol], &label, Some("said")), Fate::Unchanged, "a version on itself changes nothing");
        let (dot, mermaid) = (protocol.dot(), protocol.mermaid());
        let drawn = protocol.questions.iter().filter(|question| dot.contains(&format!("\"{}\" [label=", question.id))).count();
        prop_assert_eq!(drawn, protocol.questions.len());
        prop_assert_eq!(mermaid.matches("?\"]").count(), protocol.questions.len());
        prop_assert!(protocol.tree().len() >= protocol.questions.len());
    }
}

fn outcome_again(walk: &Walk<'_>) -> BTreeMap<String, serde_json::Value> {
    match &walk.end {
        Walked::Ends(outcome) => outcome.clone(),
        other => panic!("{other:?}"),
    }
}

/// A workspace with two labels under the protocol of every kind: one right, one that names a label.
fn labeled() -> Place {
    let place = Place::new();
    drop(place.create());
    ingest(
        &mut place.open(),
        &(line("c0", "move money", "pay", 0.3, 0) + &line("c1", "call me", "pay", 0.3, 1)),
    );
    let file = fixture("every-kind.toml");
    place.ok(&["protocol", "publish", file.to_str().unwrap()]);
    place.ok(&["label", "c0", "--answer", "fits=y"]);
    let answers = ["fits=n", "which=transfer", "why=o", "bad=2", "note="];
    let args: Vec<&str> = ["label", "c1"]
        .into_iter()
        .chain(answers.iter().flat_map(|answer| ["--answer", answer]))
        .collect();
    place.ok(&args);
    place
}

/// A version of the protocol of every kind, changed.
fn version(place: &Place, changes: &[(&str, &str)]) -> String {
    let mut text = fs::read_to_string(fixture("every-kind.toml")).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let path = place.dir.path().join("next.toml");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_version_is_compared_replayed_and_published_and_what_lacks_an_answer_is_a_worklist() {
    let place = labeled();
    let same = version(&place, &[]);
    let replayed = |file: &str| -> serde_json::Value {
        serde_json::from_str(&place.ok(&["protocol", "replay", file, "--json"])).unwrap()
    };
    assert_eq!(replayed(&same)["unchanged"], 2, "a version on itself changes nothing");
    assert_eq!(place.run(&["protocol", "diff", "1", &same]).status.code(), Some(1));
    let next = version(
        &place,
        &[
            (
                "{ name = \"transfer\", title = \"send money to an account\" },\n",
                "{ name = \"send\", title = \"send money\" },\n",
            ),
            ("[require]", "[rename]\nlabels = { transfer = \"send\" }\n\n[require]"),
            (
                "set = { verdict = \"right\", label",
                "goto = \"sure\", set = { verdict = \"right\", label",
            ),
            (
                "[[checklist]]",
                "[[question]]\nid = \"sure\"\nask = \"Would you bet on it?\"\nanswers = [{ key = \"y\", text = \"Yes\" }, { key = \"n\", text = \"No\" }]\n\n[[checklist]]",
            ),
        ],
    );
    let told = replayed(&next);
    assert_eq!(
        (&told["labels"], &told["unchanged"], &told["stuck"]),
        (&2.into(), &1.into(), &0.into()),
        "{told}"
    );
    assert_eq!(told["needs"], serde_json::json!([{ "question": "sure", "labels": 1 }]));
    let words = place.ok(&["protocol", "diff", "1", &next]);
    for expect in [
        "the label transfer counts as send",
        "sure: new question “Would you bet on it?”",
        "the answer y leads to sure",
    ] {
        assert!(words.contains(expect), "{expect}: {words}");
    }
    assert_eq!(place.ok(&["protocol", "diff", &next]), words, "held against the version in force");
    let refused = place.run(&["protocol", "publish", &next]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nobody said what changed"));
    assert_eq!(
        place.ok(&["queue", "--state", "resolved", "--json"]).matches("transfer").count(),
        0
    );
    place.ok(&["protocol", "publish", &next, "--changes", "asks how sure one is"]);
    // No label is rewritten; what it counts as has the new name.
    assert!(place.ok(&["labels", "--json"]).contains("\"label\":\"transfer\""));
    let cases = place.ok(&["export", "--format", "jsonl", "--rows", "cases"]);
    let row: serde_json::Value = serde_json::from_str(cases.lines().nth(1).unwrap()).unwrap();
    for counts_as in [&row, &row["votes"][0]] {
        assert_eq!(counts_as["outcome"]["label"], "send", "{cases}");
        assert_eq!(counts_as["label"], "send");
    }
    assert_eq!(row["votes"][0]["path"][1], serde_json::json!(["which", "transfer"]), "as given");
    let worklist = place.ok(&["queue", "--renew"]);
    assert!(worklist.contains("move money") && !worklist.contains("call me"), "{worklist}");
    // The old answers stand there; only what is new is asked.
    let mut session = casework::tui::Review::in_turn(place.open(), (160, 45), || T0, None).unwrap();
    session.press("w");
    assert!(session.text().contains("asked of you  1 of 1"), "{}", session.text());
    session.press("Enter");
    let opened = session.front.session.opened.as_ref().unwrap();
    assert_eq!(opened.question().unwrap().id, "sure");
    session.press("1 Enter");
    drop(session);
    assert_eq!(place.run(&["queue", "--renew"]).status.code(), Some(1));
    assert!(place.ok(&["labels", "--json"]).contains("\"version\":2"));
    assert!(casework::workspace::Workspace::verify(&place.open()).unwrap().ok);
}

#[test]
fn what_no_longer_walks_is_told_with_what_to_do() {
    let place = labeled();
    let next = version(
        &place,
        &[("  { name = \"transfer\", title = \"send money to an account\" },\n", "")],
    );
    let words = place.ok(&["protocol", "replay", &next]);
    assert!(words.contains("which no longer takes `transfer`: map it in [rename]"), "{words}");
    assert_eq!(
        place
            .ok(&["protocol", "replay", "1", "--protocol", "every-kind"])
            .matches("2  unchanged")
            .count(),
        1
    );
    assert_eq!(place.run(&["protocol", "replay", "9"]).status.code(), Some(2));
}

#[test]
fn bad_files_are_refused_with_file_line_and_what_to_write() {
    let place = Place::new();
    drop(place.create());
    let check = |name: &str, bytes: &[u8], expect: &str| {
        let path = place.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        let output = place.run(&["protocol", "check", path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expect), "{name}: {said}");
        assert!(!said.contains('\u{1b}'), "{name}: {said:?}");
    };
    check("a.toml", b"this is = = not TOML", "a.toml:1:");
    check("b.toml", b"id = \"caf\xe9\"", "b.toml");
    check("c.toml", &[0xff, 0xfe, b'i', 0, b'd', 0], "c.toml");
    let many: String =
        (0..5000).map(|i| format!("[[question]]\nid=\"q{i}\"\nask=\"?\"\nanswers=[]\n")).collect();
    check(
        "d.toml",
        format!("id=\"p\"\ntitle=\"t\"\nstart=\"q0\"\n{many}").as_bytes(),
        "5000 questions; at most 1000",
    );
    let one = |lines: &str| {
        format!(
            "id=\"p\"\ntitle=\"t\"\nstart=\"a\"\n[[question]]\nid=\"a\"\nask=\"\\u001b[31mred\"\n{lines}"
        )
    };
    check(
        "e.toml",
        one("goto=\"a\"\nanswers=[{key=\"y\",text=\"Yes\"}]").as_bytes(),
        "e.toml:4: the questions go round: a → a",
    );
    check(
        "f.toml",
        one("answers=[{key=\"y\",text=\"\\u001b[1mA\"},{key=\"y\",text=\"B\"}]").as_bytes(),
        "two answers on the key `y`",
    );
    check(
        "g.toml",
        one("terms=[\"moon\"]\nanswers=[{key=\"y\",text=\"Yes\"}]").as_bytes(),
        "names the term `moon`, which is not in the glossary",
    );
    check(
        "h.toml",
        one("kind=\"label\"\nsets=\"l\"\nwhen={a=\"x\"}").as_bytes(),
        "is come to (from the start) but never asked",
    );
    // Its text may hold what would act on a terminal; it is shown by name.
    let path = place.dir.path().join("i.toml");
    fs::write(&path, one("answers=[{key=\"y\",text=\"\\u001b[1mYes\"}]")).unwrap();
    let path = path.to_str().unwrap();
    for args in [
        &["protocol", "show", path, "--tree"][..],
        &["protocol", "show", path, "--format", "dot"],
        &["protocol", "show", path],
    ] {
        let shown = place.ok(args);
        assert!(shown.contains("«ESC»") && !shown.contains('\u{1b}'), "{shown:?}");
    }
}

#[test]
fn a_label_of_a_version_that_is_not_here_is_shown_and_kept() {
    let place = labeled();
    let mut workspace = place.open();
    let mut label = {
        let mut found = Vec::new();
        casework::db::label::for_each(&workspace.tables().conn, |row| found.push(row.given.label))
            .unwrap();
        found.remove(0)
    };
    label.protocol.version = 7;
    label.path.push(("unheard".to_owned(), "of".to_owned()));
    workspace.submit(label).unwrap();
    let told: serde_json::Value = serde_json::from_str(&place.ok(&[
        "protocol",
        "replay",
        "1",
        "--protocol",
        "every-kind",
        "--json",
    ]))
    .unwrap();
    assert_eq!((&told["labels"], &told["unchanged"]), (&2.into(), &2.into()), "{told}");
    // The label that it replaced counts no longer.
    let shown = place.ok(&["show", "c0"]) + &place.ok(&["show", "c1"]);
    assert!(shown.contains("v7") && shown.contains("unheard of"), "{shown}");
}

#[test]
fn the_glossary_is_governed_from_the_command_line() {
    let place = Place::new();
    drop(place.create());
    assert!(place.run(&["glossary", "check"]).status.success(), "what is shipped is in order");
    let terms = place.dir.path().join("terms.toml");
    let old = "\n[[term]]\nid = \"old\"\nname = \"Old\"\ndefinition = \"d\"\nowner = \"ana\"\nreview_by = 2020-01-01\n";
    fs::write(&terms, place.ok(&["glossary", "starter", "text"]) + old).unwrap();
    place.ok(&["glossary", "publish", terms.to_str().unwrap()]);
    let checked = place.run(&["glossary", "check"]);
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(checked.status.code(), Some(1));
    assert!(
        said.contains("overdue    `old` was to be looked at by 2020-01-01; its owner is ana"),
        "{said}"
    );
    assert!(said.contains("unused     `old` is used nowhere"), "{said}");
    let shown = place.ok(&["glossary", "show", "corrupted-input"]);
    assert!(
        shown.contains("used by            edge-cases/readable")
            && shown.contains("counter-example"),
        "{shown}"
    );
}

#[test]
fn a_screen_notices_what_another_program_publishes() {
    let place = labeled();
    ingest(
        &mut place.open(),
        &(line("c2", "pay it", "pay", 0.3, 2) + &line("c3", "pay him", "pay", 0.3, 3)),
    );
    let mut session = casework::tui::Review::in_turn(place.open(), (160, 45), || T0, None).unwrap();
    assert!(session.text().contains("every-kind v1"), "{}", session.text());
    let next =
        version(&place, &[("ask = \"Is the label right?\"", "ask = \"Is it the right label?\"")]);
    place.ok(&["protocol", "publish", &next, "--changes", "asks it otherwise"]);
    session.press("1 Enter");
    assert!(
        session.text().contains("every-kind v2")
            && session.text().contains("Is it the right label?"),
        "{}",
        session.text()
    );
}

#[test]
fn what_was_renamed_once_stays_known() {
    let place = labeled();
    let rename = ("[require]", "[rename]\nlabels = { old = \"pay\" }\n\n[require]");
    place.ok(&["protocol", "publish", &version(&place, &[rename]), "--changes", "old is pay"]);
    let refused = place.run(&[
        "protocol",
        "publish",
        &version(&place, &[("Is the label", "Is this label")]),
        "--changes",
        "words",
    ]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        said.contains("renamed the label `old`")
            && said.contains("[rename] labels = { old = \"pay\" }"),
        "{said}"
    );
}

#[test]
fn a_glossary_has_versions_that_say_what_changed() {
    let place = Place::new();
    drop(place.create());
    let file = place.dir.path().join("g.toml");
    let first = place.ok(&["glossary", "starter", "text"]);
    let publish = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let mut args = vec!["glossary", "publish", file.to_str().unwrap()];
        args.extend(more);
        String::from_utf8(place.run(&args).stderr).unwrap()
    };
    let own = "\n[[term]]\nid = \"mine\"\nname = \"Mine\"\ndefinition = \"what is mine\"\n";
    assert!(publish(&first, &[]).contains("v1 is published already"));
    assert!(publish(&format!("{first}{own}"), &[]).contains("v2 is published"));
    publish(&format!("{first}{}", own.replace("what is", "all that is")), &["--changes", "why"]);
    let history = place.ok(&["glossary", "history", "--json"]);
    let changes: Vec<serde_json::Value> = history
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .collect();
    let changes: Vec<&str> = changes.iter().map(|one| one["changes"].as_str().unwrap()).collect();
    assert_eq!(changes, ["why", "the term mine is new: what is mine", ""]);
    assert_eq!(
        place.ok(&["glossary", "diff", "2", "3"]),
        "mine: is defined as “all that is mine”, not “what is mine”\n"
    );
    let same = place.run_text(&["glossary", "diff", "3", file.to_str().unwrap(), "--json"]);
    assert_eq!(same, "{\"changes\":[]}\n");
}
