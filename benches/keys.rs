//! Keys for a label: the first 40 reviews that a reviewer recorded, given again on the screen, case
//! after case, each with the fewest keys that the screen offers for it.
//!
//!     cargo bench --bench keys [-- REVIEWS]

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use casework::clock;
use casework::config::{Env, Paths};
use casework::domain::ids::CaseId;
use casework::domain::protocol::QuestionKind;
use casework::session::Input;
use casework::session::command::{self, Said};
use casework::tui::Review;
use casework::workspace::Workspace;
use casework::workspace::cases::IngestRequest;
use casework::workspace::create::STARTERS;
use casework::workspace::documents::read_protocol;
use serde_json::Value;

use crate::keys::Keys as _;

#[path = "../tests/it/keys.rs"]
mod keys;

fn main() {
    let wanted: usize = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(40);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("../shared/data");
    if !data.exists() {
        println!("keys for a label: not measured, ../shared/data is not here");
        return;
    }
    for (name, auto_submit) in [("Enter submits", false), ("auto_submit", true)] {
        let dir = tempfile::tempdir_in(root.join("target")).unwrap();
        let mut workspace = filled(root, dir.path());
        workspace.config.review.auto_submit = auto_submit;
        let mut review = Review::in_turn(workspace, (160, 45), clock::now, None).unwrap();
        let mut by_verdict: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let lines = fs::read_to_string(data.join("reviews/reviews.jsonl")).unwrap();
        let reviews = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        for recorded in reviews.filter(|one| one["reviewer"] == "rev-ana").take(wanted) {
            let verdict = recorded["verdict"].as_str().unwrap().to_owned();
            by_verdict.entry(verdict).or_default().push(label(&mut review, &recorded));
        }
        let all: Vec<usize> = by_verdict.values().flatten().copied().collect();
        println!("{name}: {} labels, {}", all.len(), figures(&all));
        for (verdict, keys) in &by_verdict {
            println!("  {verdict:<16} {:>3} labels, {}", keys.len(), figures(keys));
        }
    }
}

/// The shared stream under the shared protocol, with nothing labeled.
fn filled(root: &Path, dir: &Path) -> Workspace {
    let paths = Paths { workspace: dir.join("w") };
    let mut workspace =
        Workspace::create(paths, Env::default(), "t", "rev-ana", &STARTERS[0]).unwrap();
    let stream = fs::File::open(root.join("../shared/data/stream/stream.jsonl")).unwrap();
    workspace.ingest(stream, &IngestRequest::default(), &AtomicBool::new(false), |_| ()).unwrap();
    let protocol =
        read_protocol(&root.join("tests/fixtures/intent-edge-cases.toml"), None).unwrap();
    workspace.publish_protocol(&protocol, "").unwrap();
    workspace
}

fn figures(keys: &[usize]) -> String {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let mean = keys.iter().sum::<usize>() as f64 / keys.len() as f64;
    format!(
        "{mean:.1} keys each, half up to {}, at most {}",
        keys[keys.len() / 2],
        keys[keys.len() - 1]
    )
}

/// Opens a case, which the queue does by itself where one follows another, and labels it; says with
/// how many keys.
fn label(review: &mut Review, recorded: &Value) -> usize {
    let case = recorded["case_id"].as_str().unwrap();
    let id = CaseId::of("intent-prod", case);
    let said = Said { case: Some(id), ..Said::default() };
    let open = review
        .front
        .session
        .take(Input::Command(&command::list::OPEN, said), review.front.session.now);
    review.follow(open);
    let answers: BTreeMap<String, String> = recorded["path"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step[0].as_str().unwrap().to_owned(), step[1].as_str().unwrap().to_owned()))
        .collect();
    let mut keys = 0;
    let mut press = |review: &mut Review, names: &str, n: usize| {
        review.press(names);
        keys += n;
    };
    while let Some(question) = review
        .front
        .session
        .opened
        .as_ref()
        .filter(|one| one.case.row.id == id)
        .and_then(|one| one.question())
    {
        match &question.kind {
            QuestionKind::Choice(choices) => {
                let meant = answers.get(&question.id).map_or("yes", String::as_str);
                let at =
                    choices.iter().position(|choice| choice.text.to_lowercase().starts_with(meant));
                press(review, &(at.unwrap() + 1).to_string(), 1);
            }
            QuestionKind::Label { .. } => {
                let meant = recorded["corrected_label"].as_str().unwrap();
                let offered = review.front.session.opened.as_ref().unwrap().offered();
                match offered.iter().position(|said| said.name == *meant) {
                    Some(at) if at < 5 => press(review, &(at + 1).to_string(), 1),
                    _ => {
                        // As few letters as bring it to the top.
                        press(review, "p", 1);
                        for letter in meant.chars() {
                            if review
                                .text()
                                .lines()
                                .any(|line| line.contains(&format!("▸ {meant}")))
                            {
                                break;
                            }
                            press(review, &format!("\"{letter}\""), 1);
                        }
                        press(review, "Enter", 1);
                    }
                }
            }
            _ => return keys,
        }
    }
    let opened = review.front.session.opened.as_ref();
    if opened.is_some_and(|one| one.case.row.id == id && !one.sending) {
        press(review, "Enter", 1);
    }
    keys
}
