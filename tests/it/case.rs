//! The case in full: every field whole, in the order of the line, in the shape that it has; all at
//! once in the overview; searched through.

use std::fs;

use casework::tui::Review;
use casework::tui::dispatch::Event;
use casework::tui::place::{Focus, Tab};
use casework::tui::terminal::Screen;
use serde_json::{Value, json};

use crate::keys::Keys as _;
use crate::support::{Place, T0, ingest, shared};

fn line(id: &str, input: &Value, more: &str) -> String {
    let raw =
        json!({ "id": id, "occurred_at": "2026-06-01T08:00:00Z", "stream": "s", "input": input });
    let raw = raw.to_string();
    let open = &raw[..raw.len() - 1];
    format!("{open},\"prediction\":{{\"label\":\"pay\",\"confidence\":0.2}}{more}}}\n")
}

fn opened(lines: &str, size: (u16, u16)) -> (Place, Review) {
    let place = Place::new();
    let mut workspace = place.create();
    ingest(&mut workspace, lines);
    let review = Review::in_turn(workspace, size, || T0, None).unwrap();
    (place, review)
}

/// What is on the screen of one tab, from its top to its end, without what stands beside it.
fn all_of(review: &mut Review, tab: &str) -> String {
    review.press(tab);
    review.press("z g");
    let mut all = String::new();
    for _ in 0..200 {
        let screen = review.text();
        if all.ends_with(&screen) {
            break;
        }
        all.push_str(&screen);
        review.press("Space");
    }
    review.press("z");
    all
}

#[test]
fn every_field_is_whole_and_as_written() {
    let long = format!("{}END", "x".repeat(400));
    let input = json!({ "question": "When can I cancel?", "answer_b": "two", "answer_a": "one",
        "terms": format!("line one\nline two\n{}", "word ".repeat(300)), "deep": {"a": {"b": {"c": ["d", {"e": 1}]}}} });
    let more = format!(
        ",\"output\":{{\"text\":\"said\\u001b[2J {long}\"}},\"score\":12345678901234567890123,\"cost\":1234567.50"
    );
    for size in [(160, 45), (80, 24), (40, 12)] {
        let (place, mut review) = opened(&line("c", &input, &more), size);
        let stood_first =
            review.front.session.opened.as_ref().unwrap().case.stood_first(|_| false)[0].clone();
        let screen = all_of(&mut review, "I f");
        let shown = place.ok(&["show", "c"]);
        for text in [&screen, &shown] {
            let flat: String = text.split_whitespace().collect();
            for part in [
                "input.question:",
                "Whencan",
                "input.answer_b",
                "two",
                "input.answer_a",
                "one",
                "lineone",
                "linetwo",
                "said«ESC»[2J",
                "xEND",
                "12345678901234567890123",
                "1234567.50",
            ] {
                assert!(flat.contains(part), "{part} at {size:?}: {text}");
            }
            assert!(!text.contains('\u{1b}'));
            let place = |part: &str| flat.find(part).unwrap();
            let first = place("input.answer_b").min(place("input.answer_a"));
            assert_eq!(first, place(&stood_first), "in the order of this reviewer's coin");
        }
    }
}

/// Two answers: beside each other where there is room, in an order that a coin gives each reviewer,
/// and that their label records.
#[test]
fn two_answers_stand_side_by_side_in_an_order_that_the_label_records() {
    let case = |n: usize| {
        let (a, b) = ("It arrives on Monday.", "It arrives on Tuesday or later.");
        let input = json!({ "text": "Where is it?", "response_a": a, "response_b": b, "before": "one", "after": "two" });
        line(&format!("c{n}"), &input, "")
    };
    let lines: String = (0..12).map(case).collect();
    let (place, mut review) = opened(&lines, (160, 45));
    let mut orders = Vec::new();
    for _ in 0..12 {
        review.press("I");
        let screen = review.text();
        let opened = review.front.session.opened.as_ref().unwrap();
        let (id, first) = (opened.case.row.id, opened.case.stood_first(|_| false));
        assert_eq!(first.len(), 1, "what was before is no answer");
        let heads = screen.lines().find(|row| row.contains("input.response_a")).unwrap();
        let at = |field: &str| heads.find(field).unwrap_or_else(|| panic!("{field}: {screen}"));
        let (a, b) = (at("input.response_a"), at("input.response_b"));
        assert_eq!(first[0], if a < b { "input.response_a" } else { "input.response_b" });
        let row = screen.lines().find(|row| row.contains("Monday.")).unwrap();
        assert_eq!(a < b, row.find("Monday") < row.find("Tuesday"), "{screen}");
        let changed = screen.lines().find(|row| row.contains("input.before")).unwrap();
        assert!(changed.find("input.before") < changed.find("input.after"), "{screen}");
        review.press("1 1 7 Enter");
        orders.push((id, first));
    }
    assert!(orders.iter().any(|(_, first)| *first != orders[0].1), "{orders:?} {}", review.text());
    drop(review);
    let labels = place.ok(&["labels", "--json"]);
    let mut recorded = 0;
    for label in labels.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let (_, first) =
            orders.iter().find(|(id, _)| label["case"] == id.to_string()).expect("a case of ours");
        assert_eq!(label["seen"]["stood_first"], json!(first));
        recorded += 1;
    }
    assert_eq!(recorded, 12, "{labels}");
    // A narrow screen has one below the other, in the same order.
    let narrow = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    let screen = narrow.text();
    let head = screen.lines().find(|row| row.contains("input.response_a")).unwrap();
    assert!(!head.contains("input.response_b"), "{screen}");
}

#[test]
fn the_overview_shows_all_that_a_case_is_decided_by_and_says_what_it_leaves_out() {
    let turns: Vec<Value> = (0..60)
        .map(|i| json!({"role": if i % 2 == 0 { "user" } else { "assistant" }, "content": format!("turn {i} says")}))
        .collect();
    let lines: String = (0..4)
        .map(|i| line(&format!("c{i}"), &json!({ "messages": turns, "session_id": "one" }), ""))
        .collect();
    let (_place, mut review) = opened(&lines, (160, 45));
    assert_eq!(review.front.tab(), Tab::Overview, "the normal one where there is room");
    let screen = review.text();
    for part in [
        "input.messages · 60 turns",
        "1 user",
        "turn 0 says",
        "more rows: I shows all of it",
        "pay",
        "Around",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert_eq!(opened(&lines, (80, 24)).1.front.tab(), Tab::Input);
    // One key enlarges a part, another gives the case the whole screen.
    review.press("I");
    assert!(review.text().contains("Queue") || review.text().contains("queue"));
    review.press("z");
    let screen = review.text();
    assert!(!screen.contains("My queue") && screen.contains("turn 17 says"), "{screen}");
    // What would answer a question that is not seen shows it instead.
    review.press("1");
    assert!(review.text().contains("My queue") && review.text().contains("Can you read"));
    assert!(review.front.session.opened.as_ref().unwrap().draft.answers.is_empty());
    review.press("z z 1");
    assert_eq!(review.front.session.opened.as_ref().unwrap().draft.answers.len(), 1);
}

#[test]
fn a_case_is_searched_in_every_tab() {
    let words: String = (0..30_000).map(|i| format!("w{i} ")).collect();
    let deep = json!({"a": {"b": {"c": {"hidden": "the Needle in a fold"}}}});
    let input = json!({ "text": format!("{words} needle {words}"), "deep": deep });
    let (_place, mut review) = opened(&line("c", &input, ""), (120, 40));
    review.press("I / \"NEEDLE\" Enter");
    let screen = review.text();
    assert!(
        screen.contains("1 of 2 places with “needle”") && screen.contains(" needle "),
        "{screen}"
    );
    review.press("n");
    let screen = review.text();
    assert!(
        screen.contains("2 of 2 places") && screen.contains("the Needle in a fold"),
        "{screen}"
    );
    review.press("n");
    assert!(review.text().contains("1 of 2 places"), "round and round");
    review.press("N");
    assert!(review.text().contains("2 of 2 places"));
    review.press("Esc n");
    assert!(!review.text().contains("places with"), "the search has ended");
    review.press("/ \"nowhere\" Enter");
    assert!(review.text().contains("“nowhere” stands nowhere in the case"), "{}", review.text());
}

#[test]
fn what_a_policy_hides_is_in_no_part_of_the_overview() {
    let more =
        ",\"output\":\"SECRET one\",\"challenger\":{\"label\":\"SECRET\",\"note\":\"SECRET two\"}";
    let (place, review) = opened(&line("c", &json!({"text": "hi"}), more), (160, 45));
    assert!(review.text().contains("SECRET one") && review.text().contains("SECRET two"));
    drop(review);
    place.ok(&["policy", "set", "hide=prediction until submit; challenger until submit; logs until submit; neighbours until submit"]);
    let mut review = Review::in_turn(place.open(), (160, 45), || T0, None).unwrap();
    for tab in ["B", "I", "M", "N", "L"] {
        review.press(tab);
        assert!(!review.text().contains("SECRET"), "{tab}: {}", review.text());
    }
    review.press("Tab BackTab / \"secret\" Enter");
    assert!(review.text().contains("stands nowhere"), "{}", review.text());
    assert!(!place.ok(&["show", "c"]).contains("SECRET"));
}

/// Real conversations, tables, pictures, scripts and what is hostile: each is drawn at every size,
/// nothing of it reaches the terminal raw, and what is odd is said.
#[test]
fn the_shared_cases_are_drawn_at_every_size() {
    let Some(shared) = shared("case::the_shared_cases_are_drawn_at_every_size") else { return };
    let modal = shared.join("modal");
    let files = [
        "chat/shapes.jsonl",
        "chat/stream.jsonl",
        "chat/pairs.jsonl",
        "tables/stream.jsonl",
        "tables/code.jsonl",
        "texts/stream.jsonl",
        "texts/traps_stream.jsonl",
        "texts/documents.jsonl",
        "hostile/stream.jsonl",
        "refs.jsonl",
    ];
    let lines: String =
        files.iter().map(|file| fs::read_to_string(modal.join(file)).unwrap() + "\n").collect();
    let (place, review) = opened(&lines, (160, 45));
    drop(review);
    let odd = [
        ("hostile-1000", "ends in the middle"),
        ("hostile-1002", "it says it is"),
        ("hostile-1003", "is not base64"),
        ("hostile-1004", "has no data"),
        ("hostile-1006", "it can act"),
        ("hostile-1007", "it can act"),
        ("hostile-1012", "not fetched"),
        ("hostile-1016", "role unknown"),
    ];
    for (case, words) in odd {
        let shown = place.ok(&["show", case]);
        assert!(shown.contains(words), "{case}: {words}: {shown}");
    }
    for shape in 740..748 {
        let shown = place.ok(&["show", &format!("shape-0{shape}")]);
        assert!(shown.contains("where is NP-4471-883?"), "{shown}");
        assert!(shown.contains("the parcel is held by customs, since 2 May."), "{shown}");
        let own = shown.split("occurred_at").next().unwrap();
        assert!(!own.contains("\\n"), "line breaks are line breaks: {shown}");
    }
    // Files are looked up below the folders that are given, and nowhere else.
    assert!(!place.ok(&["show", "ref-0900"]).contains("found"));
    fs::write(place.path().join("config.toml"), format!("[attachments]\nroots = [{:?}]\n", modal))
        .unwrap();
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(modal.join("refs_expected.json")).unwrap())
            .unwrap();
    for (case, expected) in expected.as_object().unwrap() {
        let words = match expected.as_str().unwrap() {
            "found" => ", found",
            "another hash" => "its hash is another",
            "another size" => "its size is another",
            "no hash" => "has no hash to compare",
            "missing" => "it is missing here",
            "outside" => "it is outside the folders",
            "not fetched" => "not fetched",
            other => panic!("{other}"),
        };
        let shown = place.ok(&["show", case]);
        assert!(shown.contains(words), "{case}: {expected}: {shown}");
    }
    for (case, words) in [
        ("hostile-1008", "outside"),
        ("hostile-1009", "outside"),
        ("hostile-1011", "no regular file"),
    ] {
        let shown = place.ok(&["show", case]);
        assert!(shown.contains(words), "{case}: {words}: {shown}");
    }
    for size in [(160, 45), (120, 40), (80, 24)] {
        let mut review = Review::in_turn(place.open(), size, || T0, None).unwrap();
        for _ in 0..review.front.session.counts.mine() {
            for tab in ["B", "I"] {
                review.press(tab);
                let raw = |c: char| c.is_control() && c != '\n';
                assert!(!review.text().contains(raw), "{size:?}");
            }
            review.press("]");
        }
    }
}

#[test]
fn what_was_said_to_be_wrong_is_neither_offered_nor_taken_as_right() {
    let top = ",\"x\":1";
    let lines = line("c", &json!({"text": "move money"}), top).replace(
        "\"confidence\":0.2",
        "\"confidence\":0.2,\"top_k\":[{\"label\":\"pay\",\"p\":0.2},{\"label\":\"transfer\",\"p\":0.1}]",
    );
    let (place, mut review) = opened(&lines, (160, 45));
    let draft =
        |review: &Review| review.front.session.opened.as_ref().unwrap().draft.answers.clone();
    review.press("y n");
    let before = draft(&review);
    assert!(
        review.text().contains("1 transfer"),
        "the rejected label is not offered: {}",
        review.text()
    );
    review.press("p \"pay\" Enter");
    assert_eq!(draft(&review), before);
    assert!(
        review.text().contains("The model said pay, and you said that it is wrong"),
        "{}",
        review.text()
    );
    review.press("Esc 1 r");
    assert_ne!(draft(&review), before);
    drop(review);
    let args =
        ["label", "c", "--answer", "readable=y", "--answer", "verdict=n", "--answer", "category=r"];
    let refused = place.run(&[&args[..], &["--answer", "corrected=pay"]].concat());
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("`corrected` says that pay is right, which the model said"), "{words}");
    place.ok(&[&args[..], &["--answer", "corrected=transfer"]].concat());
    // Whoever says that the model is right may.
    place.ok(&[
        "label",
        "c",
        "--answer",
        "readable=y",
        "--answer",
        "verdict=y",
        "--answer",
        "category=r",
    ]);
}

#[test]
fn a_place_that_a_snippet_left_open_is_no_reason() {
    let (place, review) = opened(&line("c", &json!({"text": "move money"}), ""), (160, 45));
    drop(review);
    let args = [
        "label",
        "c",
        "--answer",
        "readable=y",
        "--answer",
        "verdict=n",
        "--answer",
        "corrected=transfer",
        "--answer",
        "category=r",
        "--rationale",
    ];
    let refused = place.run(&[&args[..], &["right is {label}, because"]].concat());
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("still has {label}, which is to be filled in"), "{words}");
    place.ok(&[&args[..], &["the set {a, b} and {label of mine} are words"]].concat());
}

#[test]
fn what_the_cursor_is_on_is_what_keys_act_on() {
    let lines: String =
        (0..5).map(|i| line(&format!("c{i}"), &json!({"text": format!("text {i}")}), "")).collect();
    let (_place, mut review) = opened(&lines, (160, 45));
    review.press("BackTab");
    let rows: Vec<_> = review.front.session.queue.rows.iter().map(|row| row.id).collect();
    let open = |review: &Review| review.front.session.open_id().unwrap();
    // Moving alone opens nothing; resting does, and the queue keeps the keys.
    review.press("j j");
    assert_eq!(open(&review), rows[0]);
    review.feed(Event::Rest);
    assert_eq!(open(&review), rows[2]);
    // A key that is of a case is of the one under the cursor, however fast it came.
    review.press("j x");
    assert_eq!(open(&review), rows[3]);
    review.press("j 1");
    let opened = review.front.session.opened.as_ref().unwrap();
    assert_eq!((opened.case.row.id, opened.draft.answers.len()), (rows[4], 1), "a digit answers");
    review.press("k #");
    assert_eq!(open(&review), rows[3]);
    review.press("\"tagged\" Enter");
    let opened = review.front.session.opened.as_ref().unwrap();
    assert_eq!((opened.case.row.id, opened.draft.tags.len()), (rows[3], 1));
    // Where the queue covers the case, nothing is answered unseen.
    review.feed(Event::Resize(80, 24));
    review.press("k 1");
    assert_eq!(open(&review), rows[3]);
    assert!(review.text().contains("Open the case first"), "{}", review.text());
}

#[cfg(unix)]
#[test]
fn a_file_is_opened_only_below_its_folder_and_only_if_it_is_one() {
    let place = Place::new();
    drop(place.create());
    let root = place.dir.path().join("media");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("a.txt"), "abc").unwrap();
    fs::write(place.dir.path().join("secret"), "abc").unwrap();
    std::os::unix::fs::symlink(place.dir.path().join("secret"), root.join("link")).unwrap();
    std::os::unix::fs::symlink(place.dir.path(), root.join("up")).unwrap();
    assert!(
        std::process::Command::new("mkfifo").arg(root.join("fifo")).status().unwrap().success()
    );
    fs::write(place.path().join("config.toml"), format!("[attachments]\nroots = [{root:?}]\n"))
        .unwrap();
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let cases = [
        ("a.txt", ", found"),
        ("./a.txt", ", found"),
        ("link", "outside the folders"),
        ("up/secret", "outside the folders"),
        ("../secret", "outside the folders"),
        ("/etc/passwd", "outside the folders"),
        ("sub", "no regular file"),
        ("fifo", "no regular file"),
        ("gone", "it is missing here"),
        ("a.txt/x", "it is missing here"),
    ];
    let mut workspace = place.open();
    for (i, (path, _)) in cases.iter().enumerate() {
        let input = json!({"image": {"path": path, "media_type": "text/plain", "sha256": hash}});
        ingest(&mut workspace, &line(&format!("c{i}"), &input, ""));
    }
    drop(workspace);
    for (i, (path, words)) in cases.iter().enumerate() {
        let shown = place.ok(&["show", &format!("c{i}")]);
        assert!(shown.contains(words), "{path}: {words}: {shown}");
    }
}

#[test]
fn the_queue_is_narrowed_while_one_types() {
    let lines: String = ["alpha", "beta", "beta two"]
        .iter()
        .enumerate()
        .map(|(i, text)| line(&format!("c{i}"), &json!({ "text": text }), ""))
        .collect();
    let (_place, mut review) = opened(&lines, (160, 45));
    let rows = |review: &Review| review.front.session.queue.rows.len();
    review.press("BackTab / \"be\"");
    assert_eq!(rows(&review), 2, "{}", review.text());
    review.press("\"ta_two\"");
    assert_eq!(rows(&review), 1);
    review.press("Esc");
    assert_eq!(rows(&review), 3, "left, it is as it was");
    review.press("/ \"beta\" Enter");
    assert_eq!(rows(&review), 2);
}

#[test]
fn a_list_never_tells_what_a_case_that_measures_counts_as() {
    let (place, review) = opened(&line("c", &json!({"text": "move money"}), ""), (160, 45));
    drop(review);
    place.ok(&["policy", "set", "overlap=1", "limit=1"]);
    place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
    let answers = ["readable=y", "verdict=n", "corrected=transfer", "category=r"];
    let mut args = vec!["label", "c"];
    answers.iter().for_each(|answer| args.extend(["--answer", answer]));
    place.ok(&args);
    let list = |who: &str| {
        let mut workspace = place.open();
        workspace.me = who.to_owned();
        let mut review = Review::in_turn(workspace, (80, 24), || T0, None).unwrap();
        review.press("BackTab v v");
        let plain = review.text();
        review.press("/ \"move\" Enter");
        plain + &review.text()
    };
    assert!(list("bo").contains("transfer"), "what is settled is shown in the list");
    place.ok(&["gold", "set", "c"]);
    assert!(!list("bo").contains("transfer"), "{}", list("bo"));
    assert!(list("ana").contains("transfer"), "who labeled it knows");
}

/// A conversation of so many turns beside an output, opened.
fn conversation(turns: usize, size: (u16, u16)) -> (Place, Review) {
    let turns: Vec<Value> = (1..=turns)
        .map(|i| json!({"role": if i % 2 == 1 { "user" } else { "assistant" }, "content": format!("turn{i} says that")}))
        .collect();
    let more = ",\"output\":\"you may cancel\"";
    opened(&line("c", &json!({ "messages": turns }), more), size)
}

#[test]
fn a_place_in_any_field_or_turn_is_marked_and_the_label_says_which() {
    for size in [(160, 45), (80, 24)] {
        let (place, mut review) = conversation(240, size);
        // From turn to turn, and to the last field, from word to word.
        review.press("I m ] ] ] l m");
        let screen = review.text();
        assert!(screen.contains("input.messages[4]"), "{screen}");
        review.press("G ] ] ] [ [ [ Enter");
        let evidence = &review.front.session.opened.as_ref().unwrap().draft.evidence;
        assert_eq!(evidence.words(), "input.messages[4]:6-10");
        review.press("m [ h m Enter 2 1 Enter");
        let labels = place.ok(&["labels", "--json"]);
        let label: Value = serde_json::from_str(labels.lines().next().unwrap()).unwrap();
        assert_eq!(label["evidence"], json!([]));
        let expect = json!({"input.messages[2]": [[11, 15]], "input.messages[4]": [[6, 10]]});
        assert_eq!(label["evidence_in"], expect);
        let row = place.ok(&["export", "--rows", "labels"]);
        let row: Value = serde_json::from_str(row.lines().next().unwrap()).unwrap();
        assert_eq!(row["evidence_in"], expect);
    }
    // It begins in what is being read.
    let (_place, mut review) = conversation(240, (80, 24));
    review.press("I G m Enter");
    let marked = review.front.session.opened.as_ref().unwrap().draft.evidence.words();
    assert!(marked.starts_with("input.messages[23") || marked.starts_with("output"), "{marked}");
}

#[test]
fn a_mark_on_the_command_line_names_a_text_that_there_is() {
    let (place, _review) = conversation(4, (80, 24));
    let label = |mark: &str| {
        let answers = ["--answer", "readable=n", "--answer", "damage=c"];
        let mut words = vec!["label", "c", "--mark", mark];
        words.extend(answers);
        let output = place.run(&words);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let err = label("outptu:0-3");
    assert!(err.contains("no text `outptu`") && err.contains("output"), "{err}");
    let err = label("output:0-99");
    assert!(err.contains("0-99 is not in `output`, which has 14 characters"), "{err}");
    let err = label("output:x");
    assert!(err.contains("--mark takes places"), "{err}");
}

#[test]
fn what_can_be_marked_is_what_is_read() {
    use casework::domain::modality::{parts, texts};
    use casework::domain::reading::paragraphs;
    let Some(shared) = shared("case::what_can_be_marked_is_what_is_read") else { return };
    let files =
        ["chat/stream", "hostile/stream", "texts/stream", "texts/documents", "tables/stream"]
            .map(|folder| fs::read(shared.join("modal").join(format!("{folder}.jsonl"))).unwrap());
    let mut seen = 0;
    for line in files.iter().flat_map(|file| file.split(|byte| *byte == b'\n')) {
        let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
        let parts = parts(&line, |_| true);
        let mut names: Vec<String> = paragraphs(&parts, false)
            .iter()
            .filter_map(|one| one.of.as_deref().map(str::to_owned))
            .collect();
        names.dedup();
        let texts: Vec<String> = texts(&parts).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, texts);
        seen += names.len();
    }
    assert!(seen > 300, "{seen}");
}

#[test]
fn the_queue_is_sorted_by_any_column_and_retries_stand_together() {
    let said = |id: &str, text: &str, label: &str, p: f64| {
        json!({ "id": id, "occurred_at": format!("2026-06-01T08:0{}:00Z", &id[1..]), "stream": "s",
            "input": {"text": text}, "prediction": {"label": label, "confidence": p} })
        .to_string()
            + "\n"
    };
    let lines = [
        said("c1", "where is it", "pay", 0.5),
        said("c2", "send it back", "refund", 0.9),
        said("c3", "where is it", "move", 0.1),
        said("c4", "where is it", "pay", 0.3),
    ]
    .concat();
    let (place, mut review) = opened(&lines, (160, 30));
    let order = |review: &Review| -> String {
        let rows = &review.front.session.queue.rows;
        rows.iter().map(|row| row.external_id.clone()).collect::<Vec<_>>().join(" ")
    };
    let sorted = |review: &mut Review, by: &str| {
        review.front.focus = Focus::Queue;
        review.press(&format!("o \"{by}\" Enter"));
        order(review)
    };
    assert_eq!(sorted(&mut review, "conf"), "c3 c4 c1 c2");
    assert!(review.text().contains("/sort:confidence"), "{}", review.text());
    assert_eq!(sorted(&mut review, "label"), "c3 c4 c1 c2");
    assert_eq!(sorted(&mut review, "seen"), "c4 c3 c2 c1");
    assert_eq!(sorted(&mut review, "text"), "c2 c3 c4 c1");
    let screen = review.text();
    assert!(
        screen.contains("3× where is it") && screen.matches("″ the same").count() == 2,
        "{screen}"
    );
    review.press("/ ctrl-u \"where_sort:-label\" Enter");
    assert_eq!(order(&review), "c4 c1 c3", "narrowed too, and the other way round");
    assert_eq!(sorted(&mut review, "due"), "c3 c4 c1", "the queue's own order");
    // What is hidden is not told by an order.
    drop(review);
    place.ok(&["policy", "set", "hide=prediction until answer"]);
    let mut review = Review::in_turn(place.open(), (160, 30), || T0, None).unwrap();
    review.front.focus = Focus::Queue;
    review.press("o \"conf\" Enter");
    assert!(review.text().contains("The policy hides the prediction"), "{}", review.text());
}

#[test]
fn what_lacks_nothing_is_submitted_with_its_last_answer_where_that_is_wanted() {
    let (place, review) = opened(&line("c", &json!({"text": "hi"}), ""), (120, 36));
    drop(review);
    place.ok(&["policy", "set", "auto_submit=yes", "require=rationale if category = novel"]);
    let mut review = Review::in_turn(place.open(), (120, 36), || T0, None).unwrap();
    review.press("2 1");
    let labels = place.ok(&["labels", "--json"]);
    assert_eq!(labels.lines().count(), 1, "{labels}");
    // It can be taken back, and what lacks something waits for it.
    review.press("U u");
    assert_eq!(place.ok(&["labels", "--json"]).lines().count(), 0);
    place.ok(&["policy", "set", "require=rationale always"]);
    drop(review);
    let mut review = Review::in_turn(place.open(), (120, 36), || T0, None).unwrap();
    review.press("2 1");
    assert_eq!(place.ok(&["labels", "--json"]).lines().count(), 0);
}

#[test]
fn an_id_or_a_text_is_copied_unless_a_policy_says_no() {
    use casework::tui::shell::Wish;
    let lines = line("c", &json!({"text": "two\nlines\u{1b}[2J"}), ",\"output\":\"said\"");
    let (place, mut review) = opened(&lines, (120, 36));
    let copied = |review: &mut Review| {
        std::mem::take(&mut review.front.wishes).into_iter().find_map(|wish| match wish {
            Wish::Copy(text) => Some(text),
            _ => None,
        })
    };
    review.press("ctrl-y \"output\" Enter");
    assert_eq!(copied(&mut review).as_deref(), Some("said"));
    review.press("ctrl-y \"input.text\" Enter");
    assert_eq!(copied(&mut review).as_deref(), Some("two\nlines[2J"), "nothing that acts");
    assert!(review.text().contains("without 1 control characters"), "{}", review.text());
    drop(review);
    place.ok(&["policy", "set", "copy=no"]);
    let mut review = Review::in_turn(place.open(), (120, 36), || T0, None).unwrap();
    review.press("ctrl-y");
    assert_eq!(copied(&mut review), None);
    assert!(review.text().contains("keeps texts of cases out of clipboards"), "{}", review.text());
}

#[test]
fn help_begins_with_the_keys_that_hold_and_gives_back_what_it_lay_over() {
    let (_place, mut review) = opened(&line("c", &json!({"text": "one two"}), ""), (100, 40));
    review.press("m ?");
    let screen = review.text();
    let place = |part: &str| screen.find(part).unwrap_or_else(|| panic!("{part}: {screen}"));
    assert!(place("While you mark") < place("A question is asked"), "{screen}");
    review.press("\"unmark\"");
    assert!(!review.text().contains("A question is asked"), "{}", review.text());
    review.press("Esc");
    assert!(review.text().contains("Highlight the evidence"), "{}", review.text());
    review.press("Enter");
    let marked = &review.front.session.opened.as_ref().unwrap().draft.evidence;
    assert_eq!(marked.words(), "0-3", "what was marked in it goes on");
}

#[test]
fn a_mail_is_read_as_it_was_meant_and_its_page_is_never_run() {
    let Some(shared) = shared("case::a_mail_is_read_as_it_was_meant_and_its_page_is_never_run")
    else {
        return;
    };
    let lines = fs::read_to_string(shared.join("modal/texts/documents.jsonl")).unwrap();
    let (place, mut review) = opened(&lines, (160, 45));
    drop(review);
    let shown = place.ok(&["show", "mail-0761"]);
    for part in
        ["From: Jörg <j@example.org>", "متى ستصل الشحنة؟ (رقم 42)", "€ 12.50 paid.", "<img src"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    review = Review::in_turn(place.open(), (160, 45), || T0, None).unwrap();
    review.front.focus = Focus::Queue;
    review.press("/ \"id:mail\" Enter Enter I m ] Enter");
    let marked = &review.front.session.opened.as_ref().unwrap().draft.evidence;
    assert!(marked.words().starts_with("input.email["), "{}", marked.words());
    let screen = review.text();
    assert!(screen.contains("a page:") && !screen.contains("=E2"), "folded and decoded: {screen}");
    // What a field is can be said.
    fs::write(place.path().join("config.toml"), "[view]\n\"input.email\" = \"text\"\n").unwrap();
    assert!(place.ok(&["show", "mail-0761"]).contains("=E2=82=AC"), "as it came");
}

/// What is a link in a frame: where each leads, with what is seen of it.
fn links(frame: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(frame).into_owned();
    let mut found: Vec<(String, String)> = Vec::new();
    for piece in text.split("\u{1b}]8;id=").skip(1) {
        let (head, rest) = piece.split_once("\u{1b}\\").unwrap();
        let (shown, _) = rest.split_once("\u{1b}]8;;\u{1b}\\").unwrap();
        let to = head.split_once(';').unwrap().1.to_owned();
        // Colours and steps of the cursor are not seen.
        let mut seen = String::new();
        for (at, part) in shown.split("\u{1b}[").enumerate() {
            let from =
                if at == 0 { 0 } else { part.find(|c: char| c.is_ascii_alphabetic()).unwrap() + 1 };
            seen.push_str(&part[from..]);
        }
        match found.iter_mut().find(|(known, _)| *known == to) {
            Some((_, all)) => all.push_str(&seen),
            None => found.push((to, seen)),
        }
    }
    found
}

#[test]
fn an_address_leads_where_its_words_say_and_nothing_else_leads_anywhere() {
    let long = format!("https://example.org/{}?page=2", "tickets/and/more/".repeat(9));
    let text = format!(
        "ask {long}, or (http://wiki.example.org/a_(b)).\nnot javascript:alert(1), ftp://example.org/x, \
         example.org, https://ex\u{e4}mple.org/ or file:///etc/passwd\nعربي https://example.org/rtl\n{}",
        "words\n".repeat(90)
    );
    for size in [(80, 24), (160, 45)] {
        let (_place, mut review) = opened(&line("c", &json!({ "text": text }), ""), size);
        // The first tab and the one of the input.
        review.front.links = true;
        assert_eq!(links(&Screen::nowhere().frame(&review.front)).len(), 2, "{size:?}");
        review.front.links = false;
        review.press("I");
        let mut screen = Screen::nowhere();
        assert_eq!(
            links(&screen.frame(&review.front)),
            [],
            "only where the terminal says what it is"
        );
        review.front.links = true;
        let frame = screen.frame(&review.front);
        let short = "http://wiki.example.org/a_(b)".to_owned();
        assert_eq!(
            links(&frame),
            [(long.clone(), long.clone()), (short.clone(), short)],
            "{size:?}"
        );
        assert_eq!(screen.frame(&review.front), b"", "what stays is not written again");
        review.press("Space");
        let frame = screen.frame(&review.front);
        assert!(links(&frame).is_empty());
        review.press("g");
        assert_eq!(links(&screen.frame(&review.front)).len(), 2);
        review.press("?");
        assert!(links(&screen.frame(&review.front)).is_empty(), "under a window nothing is one");
    }
}

#[test]
fn warnings_and_errors_in_the_logs_are_jumped_to_in_turn() {
    let place = Place::new();
    drop(place.create());
    let stream = place.dir.path().join("stream.jsonl");
    let log = place.dir.path().join("app.log");
    let traced = line("c", &json!({"text": "move money"}), ",\"trace_id\":\"t1\"");
    fs::write(&stream, traced).unwrap();
    let level = |n| match n {
        40 => "WARN",
        75 => "ERROR",
        _ => "INFO",
    };
    let lines = (0..120).map(|n| {
        json!({"ts": "2026-06-01T08:00:00Z", "level": level(n), "trace_id": "t1", "msg": format!("step {n}")})
            .to_string()
            + "\n"
    });
    fs::write(&log, lines.collect::<String>()).unwrap();
    place.ok(&["ingest", stream.to_str().unwrap(), "--logs", log.to_str().unwrap()]);
    let mut review = Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
    review.press("L");
    for expected in ["step 40", "step 75", "step 40"] {
        review.press("!");
        assert!(review.text().contains(expected), "{expected}: {}", review.text());
    }
}
