//! Linear mode: the whole review in lines that a screen reader, a slow line or a script can take;
//! and that it gives the same labels as the screen.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use casework::clock;
use casework::domain::label::Label;
use casework::linear::{self, Ended, Lines};
use casework::tui::Review;
use casework::workspace::Workspace;
use casework::workspace::documents::read_protocol;
use proptest::prelude::*;

use crate::guide::place_with;
use crate::keys::Keys as _;
use crate::support::{Place, fixture, ingest, line, piped, program};

/// Lines that nobody types.
pub fn script<'l>(input: &'l mut dyn BufRead, out: &'l mut dyn Write) -> Lines<'l> {
    Lines { input, out, typed: false, json: false, after_key: None }
}

/// What is said to some lines, and how it ended.
pub fn review(workspace: Workspace, lines: &str) -> (String, Ended) {
    let mut out = Vec::new();
    let ended = linear::run(workspace, "a test", script(&mut lines.as_bytes(), &mut out)).unwrap();
    (String::from_utf8(out).unwrap(), ended)
}

/// The same as somebody has it who set something for themselves.
fn review_with(settings: &[(&str, &str)], lines: &str) -> String {
    let place = Place::new();
    ingest(&mut place.create(), &cases());
    for (name, value) in settings {
        place.ok(&["profile", name, value]);
    }
    review(place.open(), lines).0
}

fn cases() -> String {
    (0..4)
        .map(|n| line(&format!("c{n}"), "where is my parcel, and who has it", "pay", 0.3, n))
        .collect()
}

#[test]
fn lines_are_wrapped_pages_cut_and_hints_told_as_somebody_wants_it() {
    let plain = review_with(&[], "?\n");
    let wrapped = review_with(&[("width", "40"), ("page", "10000")], "?\n");
    assert!(plain.lines().any(|line| line.len() > 40), "{plain}");
    assert!(wrapped.lines().all(|line| line.chars().count() <= 40), "{wrapped}");
    assert_linear(&wrapped);
    let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(joined(&timeless(&plain)).len(), joined(&timeless(&wrapped)).len());

    let queue = |page: &str| review_with(&[("page", page)], "queue\n");
    assert!(queue("2").contains("Queue: the first 2 of 4 cases."), "{}", queue("2"));
    assert!(queue("20").contains("Queue: 4 cases."), "{}", queue("20"));

    let times = |hints: &str| {
        let said = review_with(&[("hints", hints)], "1\n1\nr\nagain\nagain\nagain\n");
        said.matches("Enter submits").count()
    };
    assert_eq!([times("never"), times("1"), times("3"), times("always")], [0, 1, 3, 4]);
}

#[test]
fn the_next_case_waits_for_whoever_wants_it_to() {
    for after in ["\n", "next\n"] {
        let said = review_with(&[("next", "off")], &format!("1\n1\nr\n\n{after}"));
        let (before, after) = said.split_once("Submitted:").unwrap();
        let (waits, opened) = after.split_once("Case: ").expect(after);
        assert!(before.contains("Case: c0") && opened.starts_with("c1"), "{said}");
        assert!(waits.contains("Enter opens the next case."), "{said}");
    }
    assert!(!review_with(&[], "1\n1\nr\n\n").contains("Enter opens the next case."));
}

#[test]
fn a_profile_goes_before_the_configuration_and_takes_what_there_is_alone() {
    let place = Place::new();
    ingest(&mut place.create(), &cases());
    let said = |place: &Place| place.run_text(&["profile"]);
    for (bad, why) in [
        (["colour", "on"], "there is no setting `colour`: there are linear, width, page"),
        (["colour", "default"], "there is no setting"),
        (["width", "3"], "width takes columns"),
        (["page", "0"], "page takes lines"),
        (["hints", "often"], "hints takes always, never, or how often"),
        (["keys", "fast"], "keys takes lines or single"),
        (["linear", "maybe"], "linear takes on or off"),
    ] {
        let output = place.run(&["profile", bad[0], bad[1]]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(why), "{bad:?}: {text}");
    }
    place.ok(&["profile", "linear", "on"]);
    assert!(said(&place).contains("linear  on"), "{}", said(&place));
    assert_eq!(place.open().linear_wanted().unwrap(), Some("your profile says so"));
    fs::write(
        place.path().join("config.toml"),
        "[review]\nlinear = true\n[linear]\npage = 3\nhints = \"always\"\n",
    )
    .unwrap();
    place.ok(&["profile", "linear", "off"]);
    assert_eq!(place.open().linear_wanted().unwrap(), None);
    place.ok(&["profile", "linear", "default"]);
    assert!(place.open().linear_wanted().unwrap().unwrap().contains("config.toml"));
    assert_eq!(place.open().linear().unwrap().page, 3);
    place.ok(&["profile", "page", "7"]);
    assert_eq!(place.open().linear().unwrap().page, 7);
}

fn labels(workspace: &Workspace) -> Vec<Label> {
    let mut found = Vec::new();
    casework::db::label::for_each(&workspace.tables().conn, |row| {
        if row.withdrawn.is_none() {
            found.push(row.given.label)
        }
    })
    .unwrap();
    found
}

/// Without when things are due, which changes as time goes by.
fn timeless(text: &str) -> String {
    let cut = |line: &str| match line.find(" Was due ").or_else(|| line.find(" Due ")) {
        Some(at) => line[..at].to_owned(),
        None => line.to_owned(),
    };
    text.lines().map(|line| cut(line) + "\n").collect()
}

/// Nothing that moves a cursor, no runs of blanks, none at an end.
fn assert_linear(text: &str) {
    for line in text.lines() {
        assert!(!line.contains("  ") && !line.ends_with(' '), "{line:?}");
        assert!(
            line.chars().all(|c| c == ' ' || (!c.is_control() && !c.is_whitespace())),
            "{line:?}"
        );
    }
}

#[test]
fn a_whole_label_line_by_line() {
    let (place, workspace) = place_with(
        &[("require", "rationale always; confidence always; check logs always")],
        &["please trasnfer money now", "next"],
    );
    let lines = "\nno\naccount\nnothing\ns w\n4\nwords\nwords 2-3\n120\nnone\n\nsure 9\nsure 4\nwhy\nOne word was\nmisread.\n.\ncheck\n\n";
    let (text, ended) = review(workspace, lines);
    assert_linear(&text);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("linear_label", timeless(&text));
    });
    assert_eq!(ended, Ended::Left, "the next case was only told");
    let label = labels(&place.open()).pop().unwrap();
    assert_eq!((label.rationale.as_str(), label.confidence), ("One word was\nmisread.", Some(4)));
    let outcome = serde_json::to_string(&label.outcome).unwrap();
    assert!(
        outcome.contains(r#""evidence":[[7,21]]"#) && outcome.contains(r#""label":"transfer""#),
        "{outcome}"
    );
}

#[test]
fn the_same_label_as_by_keys() {
    let texts = ["please trasnfer money now"];
    let (screen, workspace) = place_with(&[], &texts);
    let mut session = Review::in_turn(workspace, (160, 45), clock::now, None).unwrap();
    session.press("2 p \"account\" Enter 1 2 Enter 4 m w Space Enter 1 2 0 Enter Enter \"tell_the_desk\" Enter");
    session.press("r \"one_word\" Esc s 4 Enter");
    assert_eq!(labels(session.reader.workspace()).len(), 1, "{}", session.text());
    drop(session);
    let (lines, workspace) = place_with(&[], &texts);
    review(
        workspace,
        "2\ntransfer\n1,2\n4\nwords 2\n120\ntell the desk\nwhy one word\nsure 4\nsubmit\n",
    );
    let told = |place: &Place| {
        let label = labels(&place.open()).pop().unwrap();
        Label { duration_ms: None, seen: None, ..label }
    };
    assert_eq!(told(&screen), told(&lines));
}

#[test]
fn what_is_begun_is_kept_and_the_end_of_the_input_says_so() {
    let (place, workspace) = place_with(&[], &["a", "b"]);
    let (text, ended) = review(workspace, "2\ncall\n");
    assert_eq!(ended, Ended::InTheMiddle);
    assert!(text.trim_end().ends_with("Draft kept."), "{text}");
    let (text, ended) = review(place.open(), "");
    assert!(text.contains("What misled it?"), "it goes on where it was: {text}");
    assert_eq!(ended, Ended::Left, "nothing was begun this time");
    let (text, ended) = review(place.open(), "back\nquit\n");
    assert!(text.contains("Taken back: call"), "{text}");
    assert_eq!(ended, Ended::Left, "whoever leaves by themselves knows");
}

#[test]
fn whoever_ends_it_from_outside_has_what_was_begun_kept() {
    let (place, workspace) = place_with(&[], &["a"]);
    drop(workspace);
    let mut child = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .arg("--linear")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"2\ncall\n").unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(out.by_ref().any(|line| line.unwrap().contains("What misled it?")));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let rest: Vec<String> = out.map(Result::unwrap).collect();
    assert_eq!(rest.last().map(String::as_str), Some("Draft kept."), "{rest:?}");
    assert!(child.wait().unwrap().success());
    let (text, _) = review(place.open(), "");
    assert!(text.contains("What misled it?"), "it goes on where it was: {text}");
}

#[test]
fn taking_back_passing_over_and_putting_off() {
    let (place, workspace) = place_with(&[], &["first", "second", "third"]);
    let (text, _) = review(
        workspace,
        "1\n\nundo\nback\n:next\nqueue\nopen 2\ncomment \ncomment looks odd\nescalate who knows\ndefer asked the desk\ndisputed\nsearch first\nopen nothing-like-it\nflurb\n",
    );
    for words in [
        "Submitted: label pay, verdict right. Entry",
        "Taken back: your label of",
        "Taken back: Yes.",
        "Queue: 3 cases.",
        "Error: comment takes words",
        "Noted: Commented on ",
        "Noted: Escalated ",
        "Noted: Deferred ",
        "Disputed: no case.",
        "Found: 1 case.",
        "Error: no case is called",
        "Error: `flurb` is no answer to it",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_linear(&text);
    assert!(labels(&place.open()).is_empty());
}

#[test]
fn nothing_hidden_is_told_before_it_may_be() {
    let policy = [("hide", "prediction until answer; flags until submit")];
    let (_place, workspace) = place_with(&policy, &["please transfer"]);
    let (text, _) = review(workspace, "model\nhistory\ncase\n2\ncase\n");
    let (before, after) = text.split_once("Said: No.").unwrap();
    assert!(!before.contains("pay") && before.contains("Model: hidden by the policy"), "{before}");
    assert!(after.contains("said pay") && !after.contains("Flagged"), "{after}");
}

#[test]
fn the_program_says_why_it_is_linear_and_ends_as_its_input_does() {
    let place = Place::new();
    let mut workspace = place.create();
    ingest(&mut workspace, &line("c0", "a\u{1b}[2Jb", "pay", 0.3, 0));
    drop(workspace);
    let run = |args: &[&str], env: &[(&str, &str)], input: &str| {
        let mut command = program();
        command
            .env("CASEWORK_WORKSPACE", place.path())
            .env("TERM", "xterm")
            .args(args)
            .envs(env.iter().copied());
        let output = piped(&mut command, input.as_bytes());
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    for (args, env, why) in [
        (&["--linear"][..], &[][..], "--linear"),
        (&[], &[("ACCESSIBLE", "1")], "ACCESSIBLE is set"),
        (&[], &[("CASEWORK_LINEAR", "1")], "CASEWORK_LINEAR is set"),
        (&[], &[("TERM", "dumb")], "TERM names no terminal"),
    ] {
        let (text, code) = run(args, env, "");
        assert!(
            text.starts_with("casework, linear mode (")
                && text.lines().next().unwrap().contains(why),
            "{text}"
        );
        assert!(text.contains("Input: a«ESC»[2Jb"), "{text}");
        assert_eq!(code, Some(0));
    }
    assert_eq!(
        run(&["--linear"], &[], "1\n").1,
        Some(1),
        "the input ended in the middle of a label"
    );
    fs::write(place.path().join("config.toml"), "[review]\nlinear = true\n").unwrap();
    let (text, _) = run(&[], &[], "");
    assert!(text.contains("linear mode ([review] linear is on in config.toml)"), "{text}");
    let (_, code) = run(&[], &[("ACCESSIBLE", "1"), ("CASEWORK_LINEAR", "0")], "");
    assert_eq!(code, Some(2), "the screen was asked for, and there is no terminal");
    let mut bytes = program();
    bytes.env("CASEWORK_WORKSPACE", place.path()).arg("--linear");
    let text = String::from_utf8(piped(&mut bytes, b"\xff\xfe\n?\n").stdout).unwrap();
    assert!(
        text.contains("Error: that line is no UTF-8")
            && text.contains("undo or U: takes back")
            && text.contains("redo: does again"),
        "{text}"
    );
}

#[test]
fn reasons_that_were_begun_go_on() {
    let (place, workspace) = place_with(&[], &["few words"]);
    let (text, _) = review(workspace, "1\n1\n3\nwhy first\nwhy\nsecond\n");
    assert!(text.contains("They go on"), "{text}");
    let (text, _) = review(place.open(), "why\n.\n\n");
    assert!(text.contains("Draft: kept. Your reasons so far: first second."), "{text}");
    assert_eq!(labels(&place.open())[0].rationale, "first\nsecond");
}

#[test]
fn a_program_is_told_each_line_as_a_document() {
    let (place, workspace) = place_with(&[], &["a\u{1b}[2Jb \"quoted\""]);
    drop(workspace);
    let script = "1\n1\n3\n\nundo\nhistory\nquit\n";
    let run = |args: &[&str]| {
        let mut command = program();
        command.env("CASEWORK_WORKSPACE", place.path()).args(args);
        let output = piped(&mut command, script.as_bytes());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let mut kinds = Vec::new();
    for line in run(&["--linear", "--json"]).lines() {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        let keys: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["kind", "text"]);
        kinds.extend(told["kind"].as_str().map(str::to_owned));
        assert!(!told["text"].as_str().unwrap().contains('\u{1b}'));
    }
    for kind in
        ["case", "input", "question", "said", "prompt", "submitted", "taken_back", "history"]
    {
        assert!(kinds.iter().any(|one| one == kind), "{kind} is not among {kinds:?}");
    }
    let screen = program().env("CASEWORK_WORKSPACE", place.path()).arg("--json").output().unwrap();
    assert_eq!(screen.status.code(), Some(2), "the screen prints no JSON");
}

fn typed() -> impl Strategy<Value = String> {
    let names: Vec<String> = linear::commands().map(str::to_owned).collect();
    let arguments = prop::sample::select(vec![
        "",
        "1",
        "3",
        "c0",
        "words 1-2",
        "none",
        "a  b\t\u{1b}[31m",
        "4.5",
        "?",
        ".",
    ]);
    let command = (prop::sample::select(names), arguments)
        .prop_map(|(name, words)| format!("{name} {words}"));
    let answer = prop::sample::select(vec![
        "1",
        "2",
        "3",
        "y",
        "n",
        "transfer",
        "1 2",
        "words 1",
        "none",
        "120",
        "",
        ":",
        ":back",
        "\u{202e}x",
    ]);
    prop_oneof![command, answer.prop_map(str::to_owned), "[ -~]{0,12}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is typed: lines stay lines, and nothing that counts is written but by submitting.
    #[test]
    fn whatever_is_typed_lines_stay_lines(lines in prop::collection::vec(typed(), 1..40)) {
        let (place, workspace) = place_with(&[], &["please  transfer\tmoney\u{1b}[0m", "two\nlines", ""]);
        let (text, _) = review(workspace, &(lines.join("\n") + "\n"));
        assert_linear(&text);
        let begun = |words: &str| text.lines().filter(|line| line.starts_with(words)).count();
        prop_assert_eq!(labels(&place.open()).len(), begun("Submitted: ") - begun("Taken back: your label"));
        prop_assert!(place.open().verify().unwrap().ok);
    }
}

#[test]
fn cases_like_it_are_told_and_cited() {
    let (place, workspace) = place_with(
        &[("overlap", "1")],
        &["please transfer money now", "please transfer money today"],
    );
    let (text, _) =
        review(workspace, "1\nwhy a bill\n\nterms\nalike\ncite 1\ncite 9\n1\nrenew\nsubmit\n");
    assert_linear(&text);
    for words in [
        "Alike: 1 please transfer money now. label pay, verdict right. Because: a bill.",
        "Terms: ",
        "is cited in your reasons.",
        "Error: cite takes a number",
        "Renew: no case.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let label = labels(&place.open()).into_iter().find(|label| !label.cites.is_empty()).unwrap();
    assert!(label.rationale.starts_with("as in "), "{}", label.rationale);
}

/// Lines, with something that happens elsewhere before one of them is read.
struct Meanwhile<'f> {
    lines: std::collections::VecDeque<&'static str>,
    before: &'static str,
    happens: &'f dyn Fn(),
}

impl std::io::Read for Meanwhile<'_> {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("lines are read"))
    }
}

impl BufRead for Meanwhile<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let line = self.lines.front().copied().unwrap_or_default();
        if line == self.before {
            (self.happens)();
            self.before = "never";
        }
        Ok(line.as_bytes())
    }

    fn consume(&mut self, _: usize) {
        self.lines.pop_front();
    }
}

#[test]
fn a_label_given_elsewhere_meanwhile_is_told_before_it_is_replaced() {
    let (place, workspace) = place_with(&[], &["only"]);
    let elsewhere =
        || drop(place.ok(&["label", "c0", "--answer", "fits=y", "--rationale", "elsewhere"]));
    let lines = ["1\n", "why here\n", "submit\n", "case\n", "submit\n"].into();
    let mut input = Meanwhile { lines, before: "submit\n", happens: &elsewhere };
    let mut out = Vec::new();
    linear::run(workspace, "a test", script(&mut input, &mut out)).unwrap();
    let text = String::from_utf8(out).unwrap();
    let (before, after) =
        text.split_once("Your answers are kept as a draft.").unwrap_or_else(|| panic!("{text}"));
    assert!(after.contains("Before: you submitted label pay, verdict right, at "), "{text}");
    assert!(!before.contains("Submitted:") && after.matches("Submitted:").count() == 1, "{text}");
    let reasons: Vec<String> =
        labels(&place.open()).into_iter().map(|label| label.rationale).collect();
    assert_eq!(reasons, ["elsewhere", "here"], "both stand in the journal");
}

#[test]
fn a_label_that_is_called_like_a_command_can_be_given() {
    let place = Place::new();
    let mut workspace = place.create();
    let text = fs::read_to_string(fixture("every-kind.toml")).unwrap();
    let text = text
        .replace("name = \"call\"", "name = \"help\"")
        .replace("text = \"The order\"", "text = \"History\"");
    let file = place.dir.path().join("p.toml");
    fs::write(&file, text).unwrap();
    workspace.publish_protocol(&read_protocol(&file, None).unwrap(), "").unwrap();
    ingest(&mut workspace, &line("c0", "text", "pay", 0.3, 0));
    let (text, _) = review(workspace, "2\nhelp\n:help\nhistory\n");
    assert!(text.contains("Said: help.") && text.contains("back or u: takes back"), "{text}");
    assert!(text.contains("Said: History."), "{text}");
}

#[test]
fn a_list_is_gone_through_from_its_first_case_and_nothing_is_without_an_answer() {
    let (_place, workspace) = place_with(&[], &["first", "second money", "third money"]);
    let (text, _) =
        review(workspace, "filter money\nnext\nnext\nqueue\nsync\nleave\nreliability\nopen 9999\n");
    let (_, after) = text.split_once("Queue: 2 cases.").unwrap();
    let cases: Vec<&str> = after.lines().filter(|line| line.starts_with("Case: ")).collect();
    assert!(cases[0].contains("c1") && cases[1].contains("c2"), "{text}");
    for words in [
        "Queue: 3 cases.",
        "Error: There is no shared store to exchange with.",
        "There is nothing to leave",
        "Told: How reliable you are.",
        "Error: no case is called",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("Counting") && !text.contains("Draft kept"), "{text}");
}

/// Opened again, a case is not one of which nothing was seen; and of two answers that are hidden, none
/// stood first.
#[test]
fn a_label_says_what_was_seen_whatever_was_opened_again_or_hidden() {
    let place = Place::new();
    let mut workspace = place.create();
    let with = |id: &str, more: serde_json::Value| {
        let mut of_case: serde_json::Value =
            serde_json::from_str(&line(id, "move money", "pay", 0.2, 0)).unwrap();
        of_case.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        format!("{of_case}\n")
    };
    let pair = serde_json::json!({ "answer_a": "one", "answer_b": "two" });
    ingest(&mut workspace, &with("c0", serde_json::json!({ "output": pair })));
    drop(workspace);
    let answers = "y\ny\nr\nsubmit\nquit\n";
    let (told, _) = review(place.open(), &format!("open c0\n{answers}"));
    let seen = labels(&place.open()).pop().unwrap_or_else(|| panic!("{told}")).seen.unwrap();
    assert!(!seen.first.is_empty(), "{seen:?}: {told}");
    assert_eq!(seen.stood_first.len(), 1);
    place.ok(&["undo"]);
    place.ok(&["policy", "set", "hide=prediction until submit"]);
    let (told, _) = review(place.open(), answers);
    let seen = labels(&place.open()).pop().unwrap_or_else(|| panic!("{told}")).seen.unwrap();
    assert!(seen.stood_first.is_empty(), "{seen:?}: {told}");
}

/// A line without an end takes no more memory than one that has an end.
#[test]
fn a_line_that_is_too_long_is_refused_whole() {
    let place = Place::new();
    let mut workspace = place.create();
    ingest(&mut workspace, &line("p0", "some text", "pay", 0.2, 0));
    for (length, is_refused) in [((1 << 20) - 2, false), (1 << 20, true), (5 << 20, true)] {
        let lines = format!("{}\nqueue\n", "x".repeat(length));
        let (text, _) = review(place.open(), &lines);
        let refused = "Refused: that line is longer than 1 MB: nothing of it is taken.";
        assert_eq!(text.contains(refused), is_refused, "{length}");
        assert!(!is_refused || text.len() < 20_000, "{length}: {}", text.len());
        assert!(text.contains("some text"), "{length}: what comes after it is heard");
    }
}
