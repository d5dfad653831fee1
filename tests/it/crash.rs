//! Killed at any instant while labeling: nothing that the screen called saved is missing.
//!
//! A few kills here; CI sets CASEWORK_KILLS to 500.

use std::time::Duration;

use casework::db::journal;
use casework::domain::ids::ReplicaId;
use casework::journal::DeviceKey;
use casework::workspace::Workspace;

use crate::pty::{Term, sample};

#[expect(clippy::disallowed_methods, reason = "CI asks for more")]
fn kills() -> u64 {
    std::env::var("CASEWORK_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(25)
}

/// How many labels of this sitting the screen said were saved.
pub fn acknowledged(screen: &str) -> usize {
    let words = screen.lines().next().unwrap_or_default();
    let mut parts = words.split(" · ").map(|part| part.split("  ").next().unwrap_or_default());
    parts.find_map(|part| part.trim().strip_suffix(" saved")?.parse().ok()).unwrap_or(0)
}

/// How many labels there are.
pub fn labels_there_are(workspace: &Workspace) -> usize {
    let mut labels = 0;
    casework::db::label::for_each(&workspace.tables().conn, |_| labels += 1).unwrap();
    labels
}

#[test]
fn nothing_acknowledged_is_lost_by_a_kill_at_a_random_moment() {
    let kills = kills();
    let place = sample(kills as i64 * 24);
    let replica: ReplicaId = DeviceKey::from_seed([1; 32]).replica();
    let mut random = 20_260_601_u64;
    let (mut labels, mut said) = (0, 0);
    for round in 0..kills {
        let before = labels_there_are(&place.open());
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut term = Term::start(&place, (120, 30), &[]);
        term.wait_for("Guide");
        // Some answers may stand there as a draft from the kill before.
        term.send("uuuu");
        for _ in 0..12 {
            // A terminal says that it is there, and what is typed at once is drawn once.
            term.send("117\r\x1b[0n");
            std::thread::sleep(Duration::from_millis(4));
        }
        std::thread::sleep(Duration::from_micros((random >> 33) % 60_000));
        if round + 1 == kills {
            // Of the last at least one is said to be saved, however busy the machine is.
            term.wait("a label that is saved", |text| acknowledged(text) > 0);
        }
        // What the pty's own way to kill sends is a hang-up, after which the screen is given back.
        term.signal("KILL");
        term.child.wait().unwrap();
        let saved = acknowledged(&term.text());
        let workspace = place.open();
        let head = journal::replica(&workspace.tables().conn, replica).unwrap().unwrap().head_seq;
        let given = labels_there_are(&workspace) - before;
        assert!(given >= saved, "round {round}: the screen said {saved} saved, there are {given}");
        said += saved;
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
    assert!(said > 0, "the screen said of none that it is saved");
}
