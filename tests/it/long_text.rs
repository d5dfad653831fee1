//! Texts that are too long to be held while their case is open: the beginning is there at once, the
//! rest page after page, and nothing is lost on any way in or out.

use std::fs;

use casework::domain::long_text::{Ask, page};
use casework::session::report::Coming;
use casework::session::{Input, Report};
use casework::tui::Review;
use serde_json::{Value, json};

use crate::keys::Keys as _;
use crate::linear;
use crate::support::{Place, T0, ingest, line, piped, program};

/// Of the longer text: three megabytes.
const LINES: usize = 50_000;

/// Lines, each with its number, with a word in three of them.
fn long(lines: usize) -> String {
    let mut text = String::new();
    for n in 0..lines {
        let needle = if [3, lines * 7 / 10, lines - 10].contains(&n) { "Needle" } else { "hay" };
        text.push_str(&format!("line {n:06} of «ESC» \u{1b}[31m and \"quoted\" {needle} 漢字\n"));
    }
    text
}

fn with_long() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let turns = json!([{"role": "user", "content": long(LINES / 2)}]);
    let input = json!({"text": long(LINES), "turns": turns});
    let raw = json!({"id": "long", "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
        "input": input, "prediction": {"label": "pay", "confidence": 0.2},
        "context": {"after": "still here"}});
    ingest(&mut workspace, &format!("{raw}\n{}", line("short", "move money", "pay", 0.9, 5)));
    place
}

fn review(place: &Place, size: (u16, u16)) -> Review {
    let mut review = Review::in_turn(place.open(), size, || T0, None).unwrap();
    review.press("/ \"long\" Enter Enter");
    review
}

/// The numbers of the lines that the window shows.
fn numbers(screen: &str) -> Vec<usize> {
    let found = screen.match_indices("line 0").chain(screen.match_indices("line 1"));
    let number = |(at, _): (usize, &str)| screen[at + 5..].get(..6)?.parse().ok();
    let mut numbers: Vec<usize> = found.filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn its_beginning_is_shown_and_the_rest_is_read_page_after_page() {
    let place = with_long();
    for size in [(80, 24), (160, 45)] {
        let mut review = review(&place, size);
        let opened = review.front.session.opened.as_ref().unwrap();
        assert_eq!(opened.case.row.external_id, "long");
        assert_eq!(opened.long_texts(), ["input.text", "input.turns[1].content"]);
        let held = opened.case.prediction.as_ref().unwrap();
        assert_eq!(held.line["context"]["after"], "still here", "what comes after it is there");
        assert!(held.line.to_string().len() < 3 << 20);
        review.press("I");
        assert!(review.text().contains(" more, and > reads on"), "{}", review.text());
        review.press(">");
        let screen = review.text();
        assert!(screen.contains("input.text · page 1 of "), "{screen}");
        assert!(screen.contains("line 000000 of «ESC» «ESC»[31m"), "{screen}");
        // Whoever goes on a screen at a time misses no line.
        let (mut next, mut pages) = (0, 0);
        for _ in 0..600 {
            let screen = review.text();
            let shown = numbers(&screen);
            assert!(shown[0] <= next, "after {next}: {screen}");
            next = shown[shown.len() - 1] + 1;
            pages =
                screen.split("page ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
            if pages == 2 && next > 5_300 {
                break;
            }
            review.press("Space");
        }
        assert_eq!(pages, 2, "{}", review.text());
        review.press("g k");
        assert_eq!(numbers(&review.text())[0], 0);
        review.press("G");
        let screen = review.text();
        assert!(numbers(&screen).ends_with(&[LINES - 1]) && screen.contains("the end"), "{screen}");
        // It is left where it was, and gone on with there.
        review.press("Esc >");
        assert!(!review.text().contains("page 1 of"), "{}", review.text());
        review.press("Tab");
        assert!(review.text().contains("input.turns[1].content · page 1 of"), "{}", review.text());
    }
}

#[test]
fn a_search_goes_through_all_of_it() {
    let place = with_long();
    let mut review = review(&place, (100, 30));
    review.press("> / \"needle\" Enter");
    let screen = |review: &Review, n: usize, line: usize| {
        let screen = review.text();
        assert!(screen.contains(&format!("{n} of 3 places with “needle”.")), "{screen}");
        assert!(numbers(&screen).contains(&line), "{line}: {screen}");
    };
    screen(&review, 1, 3);
    for (key, n, line) in
        [("n", 2, 35_000), ("n", 3, 49_990), ("n", 1, 3), ("N", 3, 49_990), ("N", 2, 35_000)]
    {
        review.press(key);
        screen(&review, n, line);
    }
    review.press("/ \"straw\" Enter");
    assert!(
        review.text().contains("“needlestraw” stands nowhere in this text."),
        "{}",
        review.text()
    );
}

#[test]
fn in_lines_it_is_told_page_after_page() {
    let place = with_long();
    let (said, _) = linear::review(place.open(), "open long\nread-on\nread-on\nquit\n");
    assert!(
        said.contains("Text: input.text goes on: read-on tells the rest, page after page."),
        "{}",
        &said[..2000]
    );
    for page in [1, 2] {
        let head = format!("Text: input.text, page {page} of ");
        assert!(said.contains(&head), "{head}");
    }
    let second = said.split("page 2 of ").nth(1).unwrap();
    let line: usize =
        second.split("from line ").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
    assert!(second.contains(&format!("line {:06} of", line - 1)), "{}", &second[..400]);
}

#[test]
fn it_is_printed_and_exported_whole() {
    let place = with_long();
    let shown: Value = serde_json::from_str(&place.ok(&["show", "long", "--json"])).unwrap();
    assert!(shown.to_string().contains("line 049999 of"));
    let shown = place.ok(&["show", "long"]);
    assert_eq!(shown.matches("line 024999 of «ESC» «ESC»[31m and \"quoted\" hay 漢字").count(), 2);
}

#[test]
fn what_is_damaged_is_not_shown_as_if_it_were_whole() {
    let place = with_long();
    let workspace = place.open();
    let sql = "UPDATE journal_payload SET bytes = CAST(substr(bytes, 1, length(bytes) - 3) || x'000000' AS BLOB)
               WHERE length(bytes) = (SELECT max(length(bytes)) FROM journal_payload)";
    assert_eq!(workspace.tables().conn.execute(sql, []).unwrap(), 1);
    drop(workspace);
    let mut review = review(&place, (100, 30));
    let screen = review.text();
    assert!(!screen.contains("line 000001") && screen.contains("damaged"), "{screen}");
    review.press(">");
    assert!(review.text().contains("is shown whole") || review.text().contains("damaged"));
}

/// A case that was still being read when another one was opened does not come over that one.
#[test]
fn what_comes_late_opens_nothing() {
    let place = with_long();
    let mut review = review(&place, (160, 45));
    let case = Box::new(review.front.session.opened.as_ref().unwrap().case.clone());
    let id = case.row.id;
    let effects = review.front.session.open_named("short");
    review.follow(effects);
    let open = |review: &Review| review.front.session.open_id();
    let before = open(&review);
    assert!(before.is_some() && before != Some(id));
    let opened = Box::new(Report::Opened { case, draft: None, elsewhere: None });
    let late = Report::Came { number: 1, case: id, opened };
    assert!(review.front.session.take(Input::Report(late), T0).is_empty());
    assert_eq!(open(&review), before);
}

/// What is answered while the open case is read anew is not lost to what was read before.
#[test]
fn an_answer_that_is_given_while_it_is_read_again_stays() {
    let place = with_long();
    let mut review = review(&place, (160, 45));
    let case = Box::new(review.front.session.opened.as_ref().unwrap().case.clone());
    let id = case.row.id;
    let begun = case.clone();
    let row = case.row.clone();
    let coming = Coming { number: 9, row, bytes: 5_000_000, begins: None, before: None };
    review.hear(Report::Coming(Box::new(coming)));
    assert_eq!(review.front.session.open_id(), Some(id), "it stays open meanwhile");
    review.press("1");
    let answered = review.front.session.opened.as_ref().unwrap().draft.answers.clone();
    assert!(!answered.is_empty());
    let opened = Box::new(Report::Opened { case: begun, draft: None, elsewhere: None });
    let older = Report::Opened { case: case.clone(), draft: None, elsewhere: None };
    review.hear(Report::Came { number: 8, case: id, opened: Box::new(older) });
    assert!(review.front.session.coming.is_some(), "an older reading is not waited for");
    review.hear(Report::Came { number: 9, case: id, opened });
    assert_eq!(review.front.session.opened.as_ref().unwrap().draft.answers, answered);
}

/// A page that comes late takes the place of nothing that was opened meanwhile.
#[test]
fn a_page_that_comes_late_disturbs_nobody() {
    let place = with_long();
    let mut review = review(&place, (100, 30));
    let case = review.front.session.open_id().unwrap();
    let page = page((0, "input.text"), &long(LINES), &Ask::Page(1));
    let late = || Report::ReadOn { case, page: Some(Box::new(page.clone())) };
    review.press("c \"half_a_comment\"");
    review.hear(late());
    assert!(review.text().contains("half a comment"), "{}", review.text());
    review.press("Esc");
    review.hear(late());
    assert!(!review.text().contains("page 2 of"), "nobody waits for it: {}", review.text());
    review.press(">");
    review.hear(late());
    assert!(review.text().contains("page 2 of"), "{}", review.text());
    // Who thinks better of a search has the window again, where it was.
    review.press("/ \"x\" Esc");
    assert!(review.text().contains("page 2 of"), "{}", review.text());
}

#[test]
fn texts_of_one_name_tabs_and_names_like_keys() {
    let place = Place::new();
    let mut workspace = place.create();
    let text = "one\ttwo\r\n\u{1b} esc\n".repeat(120_000);
    let input = json!({"a.b": text, "a": {"b": text}, "{undo}": text});
    let raw = json!({"id": "c", "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
        "input": input, "prediction": {"label": "pay", "confidence": 0.2}});
    ingest(&mut workspace, &format!("{raw}\n"));
    let mut review = Review::in_turn(workspace, (100, 30), || T0, None).unwrap();
    let names = review.front.session.opened.as_ref().unwrap().long_texts();
    assert_eq!(names, ["input.a.b", "input.a.b", "input.{undo}"]);
    assert!(review.text().contains("input.{undo} goes on: > reads it"), "{}", review.text());
    review.press(">");
    let screen = review.text();
    assert!(
        screen.contains("one two") && !screen.contains("TAB") && !screen.contains("CR»"),
        "{screen}"
    );
    for at in [1, 2, 0] {
        review.press("Tab");
        assert_eq!(review.front.session.opened.as_ref().unwrap().page.unwrap().0, at);
    }
    // What is shown for a sign is no place of it.
    review.press("/ \"esc\" Enter N");
    let screen = review.text();
    assert!(screen.contains("120000 of 120000 places with “esc”."), "{screen}");
}

/// From a pipe that is followed, of which at most 8 MB are taken in at once.
#[test]
fn it_may_come_in_pieces() {
    let place = Place::new();
    drop(place.create());
    let text = "word ".repeat(2_000_000);
    let lines = format!("{}{}", line("a", &text, "pay", 0.2, 1), line("b", "short", "pay", 0.2, 2));
    let mut command = program();
    command.env("CASEWORK_WORKSPACE", place.path()).args(["ingest", "--follow", "-", "--json"]);
    let output = piped(&mut command, lines.as_bytes());
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.contains("\"opened\":2"), "{out} {}", String::from_utf8_lossy(&output.stderr));
}

/// No file of a store is larger than others take in, whatever comes with the cases of one file.
#[test]
fn large_cases_reach_another_device() {
    let place = Place::new();
    let mut workspace = place.create();
    let mut random = 7_u64;
    let mut noise = || {
        let mut text = String::with_capacity(1 << 20);
        while text.len() < 1 << 20 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            text.push_str(&format!("{random:016x}"));
        }
        text
    };
    let lines: String = (0..50).map(|n| line(&format!("c{n}"), &noise(), "pay", 0.2, n)).collect();
    assert_eq!(ingest(&mut workspace, &lines).opened, 50);
    drop(workspace);
    let store = place.path().join("store");
    fs::create_dir(&store).unwrap();
    let store = store.to_str().unwrap().to_owned();
    place.ok(&["sync", "--store", &store]);
    let mut sizes = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(&store)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.metadata().unwrap() {
                data if data.is_dir() => folders.push(entry.path()),
                data => sizes.push(data.len()),
            }
        }
    }
    assert!(sizes.iter().sum::<u64>() > 25 << 20);
    assert!(sizes.iter().all(|size| *size < 18 << 20), "{sizes:?}");
}
