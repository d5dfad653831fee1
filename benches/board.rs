//! The board on 100,000 labels: made anew, and brought up to date after one label; and the case
//! that is on the screen meanwhile.
//!
//!     cargo bench --bench board [-- LABELS]

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails has nothing to say"
)]

use std::time::Duration;

use casework::clock::instant;
use casework::config::{Env, Paths};
use casework::domain::ids::CaseId;
use casework::domain::label::{Label, MAIN_ROUND, ProtocolRef};
use casework::domain::policy::Policy;
use casework::format::{FORMATS, Rows};
use casework::intake::Progress;
use casework::journal::Append;
use casework::journal::kind::{LabelGiven, PolicySet};
use casework::quality::truth::{Fitting, model};
use casework::review::board::BoardSums;
use casework::review::ratings::{By, Which};
use casework::review::{Direction, QueueKey};
use casework::tui::Review;
use casework::workspace::cases::IngestRequest;
use casework::workspace::create::STARTERS;
use casework::workspace::learning::recorded;

use crate::keys::Keys as _;
use casework::workspace::{WorkError, Workspace};

#[path = "../tests/it/keys.rs"]
#[expect(dead_code, reason = "tests read the screen as text too")]
mod keys;

fn main() {
    let labels: usize =
        std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR").to_owned() + "/target").unwrap();
    let paths = Paths { workspace: dir.path().join("w") };
    let mut workspace =
        Workspace::create(paths, Env::default(), "bench", "ana", &STARTERS[0]).unwrap();
    fill(&mut workspace, labels / 2);
    println!("== board of {labels} labels on {} cases", labels / 2);
    let protocols = workspace.protocols().unwrap();
    let reference = protocols.for_stream("s").unwrap().reference.clone();
    let mut sums = BoardSums::default();
    let (read, anew) = took(|| sums.refresh(&workspace.tables().conn, &protocols).unwrap());
    let (_, first) = took(|| workspace.board(&mut sums).unwrap());
    println!(
        "everything read and summed           {:>9.1} ms, {read} cases",
        anew.as_secs_f64() * 1e3
    );
    println!("the board, every interval anew     {:>9.1} ms", first.as_secs_f64() * 1e3);
    workspace.append(vec![Append::new(&label(&reference, 0, "ana", 0))]).unwrap();
    let (read, mended) = took(|| sums.refresh(&workspace.tables().conn, &protocols).unwrap());
    let (_, again) = took(|| workspace.board(&mut sums).unwrap());
    println!(
        "sums after one label                 {:>9.1} ms, {read} cases",
        mended.as_secs_f64() * 1e3
    );
    println!("the board after   one label          {:>9.1} ms", again.as_secs_f64() * 1e3);
    let (_, still) = took(|| workspace.board(&mut sums).unwrap());
    println!("the board when   nothing changed     {:>9.1} ms", still.as_secs_f64() * 1e3);

    // Every label, asked of each whether its reader may see it: of one who leads and reviews, and
    // beside it the same labels read and not asked about.
    let mut n = 0;
    let (_, raw) = took(|| {
        let conn = &workspace.tables().conn;
        casework::db::label::for_each(conn, |row| n += usize::from(row.withdrawn.is_none()))
    });
    println!("{n:>7} labels read                  {:>9.1} ms", raw.as_secs_f64() * 1e3);
    let mut seen = 0;
    let (left_out, listed) = took(|| {
        let each = |_: &_, _| {
            seen += 1;
            Ok::<(), WorkError>(())
        };
        workspace.labels_seen(each).unwrap()
    });
    println!(
        "the same, seen or left out            {:>9.1} ms, {seen} seen, {left_out} left out",
        listed.as_secs_f64() * 1e3
    );

    // The same labels, and the cases, as rows of an export; beside them `labels read` above.
    for rows in [Rows::Labels, Rows::Cases] {
        let (format, mut size) = ((FORMATS[0].make)(rows), 0);
        let (exported, took) = took(|| {
            workspace
                .export::<_, WorkError>(
                    rows,
                    |rows| {
                        let mut bytes = Vec::new();
                        rows.iter().for_each(|row| format.row(&mut bytes, row).unwrap());
                        Ok(bytes)
                    },
                    |bytes| {
                        size += bytes.len();
                        Ok(())
                    },
                )
                .unwrap()
        });
        println!(
            "export of {} {:<6} rows as JSON    {:>9.1} ms, {:.0} rows a second, {} MB",
            exported.rows,
            rows.as_str(),
            took.as_secs_f64() * 1e3,
            exported.rows as f64 / took.as_secs_f64(),
            size / 1_000_000
        );
    }

    // What the queue asks after every label, where old cases come back: how many labels there are.
    workspace
        .append(vec![Append::new(&PolicySet {
            policy: Policy { repeat_percent: 5, gold_percent: 5, ..protocols.policy.clone() },
        })])
        .unwrap();
    let (_, queue) = took(|| workspace.queue_at(casework::clock::now()).unwrap());
    println!("the queue with repeats mixed in      {:>9.1} ms", queue.as_secs_f64() * 1e3);

    // What reviewers do is learned from all of them, and each label weighed at once.
    let before = protocols.policy.clone();
    let mut policy = before.clone();
    for (name, value) in
        [("rule", "paths"), ("witness", "champion"), ("copies", "pooled"), ("order", "value")]
    {
        policy.set(name, value).unwrap();
    }
    let (_, set) = took(|| workspace.append(vec![Append::new(&PolicySet { policy })]).unwrap());
    println!("cases settled by paths from now on   {:>9.1} ms", set.as_secs_f64() * 1e3);
    let ratings =
        workspace.ratings(MAIN_ROUND, Which::GivenBlind, &[By::Outcome(Vec::new())]).unwrap();
    let fitting = Fitting { tolerance: 1e-6, ..Fitting::default() };
    let (fitted, fit) =
        took(|| workspace.fit_walks(MAIN_ROUND, &[], &ratings[0], &fitting).unwrap());
    println!(
        "paths fitted to all labels           {:>9.1} ms, {} iterations",
        fit.as_secs_f64() * 1e3,
        fitted.estimate.iterations
    );
    let (model, paths) = (model("paths").unwrap(), Some(fitted.paths));
    let estimate = recorded(model, &ratings[0], &fitted.estimate, paths, Vec::new());
    let (_, record) = took(|| workspace.record_estimate(estimate).unwrap());
    println!("every labeled case settled anew      {:>9.1} ms", record.as_secs_f64() * 1e3);
    let mut given: Vec<Duration> = (0..200)
        .map(|i| {
            took(|| workspace.append(vec![Append::new(&label(&reference, i, "chidi", 0))]).unwrap())
                .1
        })
        .collect();
    given.sort_unstable();
    println!(
        "a label, weighed and on disk         {:>9.2} ms median, {:.2} ms at most",
        given[given.len() / 2].as_secs_f64() * 1e3,
        given[given.len() - 1].as_secs_f64() * 1e3
    );
    let (_, queue) = took(|| {
        let (queue, _) = workspace.quick_queue().unwrap();
        workspace.queue_page(&queue, QueueKey::FIRST, Direction::Forward, 50).unwrap()
    });
    println!("the queue in the order of value      {:>9.1} ms", queue.as_secs_f64() * 1e3);
    workspace.append(vec![Append::new(&PolicySet { policy: before })]).unwrap();

    // Keys while the board is being worked out beside.
    let mut session =
        Review::new(workspace, (160, 45), casework::clock::now, None, |_| {}).unwrap();
    session.press("D");
    let mut times: Vec<Duration> = (0..200)
        .map(|n| {
            let key = if n % 2 == 0 { "j" } else { "k" };
            took(|| {
                session.press(key);
                session.screen()
            })
            .1
        })
        .collect();
    times.sort_unstable();
    println!(
        "key and frame meanwhile              {:>9.1} ms median, {:.1} ms at most",
        times[times.len() / 2].as_secs_f64() * 1e3,
        times[times.len() - 1].as_secs_f64() * 1e3
    );
}

fn took<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = instant();
    let result = work();
    (result, start.elapsed())
}

fn fill(workspace: &mut Workspace, cases: usize) {
    let lines: String = (0..cases)
        .map(|i| {
            format!(
                "{{\"id\":\"p{i}\",\"stream\":\"s\",\"occurred_at\":\"2026-06-01T08:00:00Z\",\"input\":{{\"text\":\"where is parcel {i}\"}},\"prediction\":{{\"label\":\"pay\",\"confidence\":0.2}}}}\n"
            )
        })
        .collect();
    let stop = std::sync::atomic::AtomicBool::new(false);
    workspace.ingest(lines.as_bytes(), &IngestRequest::default(), &stop, |_: Progress| {}).unwrap();
    let reference = workspace.protocols().unwrap().for_stream("s").unwrap().reference.clone();
    for from in (0..cases).step_by(500) {
        let events: Vec<Append> = (from..(from + 500).min(cases))
            .flat_map(|i| {
                [("ana", 0), ("bo", usize::from(i % 3 == 0))]
                    .map(|(who, verdict)| Append::new(&label(&reference, i, who, verdict)))
            })
            .collect();
        workspace.append(events).unwrap();
    }
}

fn label(protocol: &ProtocolRef, i: usize, who: &str, verdict: usize) -> LabelGiven {
    let answers = [("y", "model_correct"), ("o", "out_of_scope")][verdict];
    let mut label =
        Label::empty(CaseId::of("s", &format!("p{i}")), who, MAIN_ROUND, protocol.clone());
    label.path = vec![
        ("readable".into(), "y".into()),
        ("verdict".into(), answers.0.into()),
        ("category".into(), "r".into()),
    ];
    label.outcome = [
        ("verdict".to_owned(), answers.1.into()),
        ("category".to_owned(), "rare-combination".into()),
    ]
    .into();
    label.duration_ms = Some(20_000);
    LabelGiven(label)
}
