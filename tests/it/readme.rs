//! What README and manual show is what there is.

use std::fs;
use std::path::Path;

use casework::session::manual::TOPICS;
use clap::Parser as _;

use crate::support::{Place, program};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// That a file of the manual is what the program makes of its tables; what it should be is left to be copied.
fn is_made(name: &str, made: &str) {
    if read(name) != made {
        let at = Path::new(env!("CARGO_TARGET_TMPDIR")).join(Path::new(name).file_name().unwrap());
        fs::write(&at, made).unwrap();
        panic!("{name} is not what the tables say now: cp {} {name}", at.display());
    }
}

#[test]
fn the_tables_of_keys_and_commands_are_those_of_the_program() {
    is_made("assets/help/keys.md", &casework::tui::action::markdown());
    is_made("assets/help/commands.md", &casework::cli::commands_markdown());
}

#[test]
fn every_command_is_in_one_group_with_an_example_that_can_be_typed() {
    let mut grouped: Vec<&str> = Vec::new();
    for (_, commands) in casework::cli::GROUPS {
        for (name, example) in *commands {
            assert!(!grouped.contains(name), "{name} is in two groups");
            grouped.push(name);
            let words: Vec<String> = words_of(example);
            assert_eq!(words[1], *name, "{example}");
            casework::cli::Cli::try_parse_from(words)
                .unwrap_or_else(|error| panic!("{example}: {error}"));
        }
    }
    let all: Vec<String> = casework::cli::names();
    for name in &all {
        assert!(grouped.contains(&name.as_str()), "{name} is in no group of GROUPS (cli/help.rs)");
    }
    assert_eq!(all.len(), grouped.len());
}

/// Words as a shell splits them, with double quotes.
fn words_of(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn the_manual_is_printed_by_topic_and_a_typo_is_refused_with_the_names_there_are() {
    let run = |args: &[&str]| program().args(args).output().unwrap();
    for topic in TOPICS {
        let output = run(&["help", topic.name]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), topic.text, "{}", topic.name);
        assert!(topic.text.starts_with("# "), "{}", topic.name);
    }
    let typo = run(&["help", "agreements"]);
    let error = String::from_utf8(typo.stderr).unwrap();
    assert_eq!(typo.status.code(), Some(2));
    assert!(
        error.contains("`agreements` is no topic and no command") && error.contains("agreement"),
        "{error}"
    );
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    let first: String = help.lines().take(4).collect();
    assert!(first.contains("`casework` alone opens the review screen"), "{help}");
    let inner = String::from_utf8(run(&["help", "calibrate", "open"]).stdout).unwrap();
    assert!(inner.contains("--divergent"), "{inner}");
    let dir = tempfile::tempdir().unwrap();
    let man = run(&["man", dir.path().to_str().unwrap()]);
    assert_eq!(man.status.code(), Some(0));
    assert!(dir.path().join("casework.1").exists() && dir.path().join("casework-queue.1").exists());
}

/// A block of a page, by the language it is in.
fn block(page: &str, language: &str) -> String {
    let (_, after) = page.split_once(&format!("```{language}\n")).unwrap();
    after.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_first_hour_goes_as_it_is_written() {
    let page = read("assets/help/start.md");
    assert!(read("README.md").contains(&block(&page, "toml")), "the README has the same protocol");
    assert!(read("README.md").contains(&block(&page, "json")), "and the same line");
    let place = Place::new();
    let dir = place.dir.path();
    fs::write(dir.join("stream.jsonl"), block(&page, "json")).unwrap();
    fs::write(dir.join("desk.toml"), block(&page, "toml")).unwrap();
    let run = |args: &[&str], input: &str| {
        let mut command = program();
        command.current_dir(dir).env("CASEWORK_WORKSPACE", "desk").args(args);
        command.stdin(std::process::Stdio::piped());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {text} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    };
    let (_, typed) = page.split_once("Then, in an empty directory:\n\n```\n").unwrap();
    for line in typed.split_once("```").unwrap().0.lines() {
        let words = words_of(&line.replace('\'', "\""));
        match words[0].as_str() {
            "casework" if words.len() > 1 => {
                let args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
                run(&args, "");
            }
            // The screen: here it goes line by line.
            "casework" => drop(run(&["--linear"], "2\nrefund\nsubmit\n")),
            _ => {}
        }
    }
    assert!(run(&["labels"], "").contains("label refund"));
    assert!(run(&["export"], "").contains("\"verdict\":\"wrong\""));
}

#[test]
fn the_readme_is_short_and_shows_the_screen_as_it_is() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 150, "{} lines: the manual has room", readme.lines().count());
    let screen = read("tests/it/snapshots/readme_screen.snap");
    let screen = screen.splitn(3, "---\n").nth(2).unwrap().trim_end();
    assert!(readme.contains(screen), "put this screen into the README:\n{screen}");
    for topic in TOPICS {
        assert!(
            readme.contains(&format!("help/{}.md", topic.name)),
            "the README names {}",
            topic.name
        );
    }
}
