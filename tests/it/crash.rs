//! Killed at any instant while labeling: nothing that the screen called saved is missing.
//!
//! A few kills here; CI sets CASEWORK_KILLS to 500.

use std::time::Duration;

use casework::db::journal;
use casework::domain::ids::ReplicaId;
use casework::journal::DeviceKey;

use crate::pty::{Term, sample};

#[expect(clippy::disallowed_methods, reason = "CI asks for more")]
fn kills() -> u64 {
    std::env::var("CASEWORK_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

/// The last entry that the screen said was saved.
pub fn acknowledged(screen: &str) -> u64 {
    let words = screen.lines().next().unwrap_or_default();
    let after = words.split("saved ").nth(1).unwrap_or_default();
    after.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill_at_a_random_moment() {
    let kills = kills();
    let place = sample(kills as i64 * 24);
    let replica: ReplicaId = DeviceKey::from_seed([1; 32]).replica();
    let mut random = 20_260_601_u64;
    let mut labels = 0;
    for round in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut term = Term::start(&place, (120, 30), &[]);
        term.wait_for("Guide");
        // Some answers may stand there as a draft from the kill before.
        term.send("uuuu");
        for _ in 0..12 {
            term.send("117\r");
        }
        std::thread::sleep(Duration::from_micros((random >> 33) % 60_000));
        term.child.kill().unwrap();
        term.child.wait().unwrap();
        let saved = acknowledged(&term.text());
        let workspace = place.open();
        let head = journal::replica(&workspace.tables().conn, replica).unwrap().unwrap().head_seq;
        assert!(
            head >= saved,
            "round {round}: the screen said {saved} was saved, the chain ends at {head}"
        );
        if saved > 0 {
            let entry = journal::entry(&workspace.tables().conn, replica, saved).unwrap().unwrap();
            assert!(String::from_utf8_lossy(&entry.body).contains("label.given"), "round {round}");
        }
        if round % 100 == 0 || round + 1 == kills {
            let report = workspace.verify().unwrap();
            assert!(
                report.ok && workspace.tables().damage().unwrap().is_empty(),
                "round {round}: {:?}",
                report.faults
            );
        }
        labels = head;
    }
    assert!(
        labels > kills,
        "the kills fell while labels were given: {labels} entries in {kills} rounds"
    );
}
