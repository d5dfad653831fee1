//! One altered byte anywhere in the journal is found and named; stock tools accept what we sign.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use casework::db::Db;
use proptest::prelude::*;

use crate::support::{Place, ingest, line};

/// Every cell of the journal's tables.
fn cells(db: &Db) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let columns: &[(&str, &[&str])] = &[
        ("journal_entry", &["body", "signature"]),
        ("journal_payload", &["hash", "salt", "bytes"]),
        ("journal_replica", &["key", "head_hash"]),
        ("journal_dictionary", &["bytes"]),
        ("journal_meta", &["value"]),
    ];
    let mut found = Vec::new();
    for (table, names) in columns {
        for name in *names {
            let rows: Vec<Vec<u8>> = db
                .conn
                .prepare(&format!("SELECT CAST({name} AS BLOB) FROM {table} WHERE {name} IS NOT NULL"))
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            found.extend(rows.into_iter().map(|value| (*table, *name, value)));
        }
    }
    found
}

/// A workspace with cases, payloads that share a dictionary, and a comment: made once, copied for each test.
fn sample() -> (Place, String) {
    static MADE: OnceLock<(Place, String)> = OnceLock::new();
    let (made, replica) = MADE.get_or_init(|| {
        let place = Place::new();
        let mut workspace = place.found();
        let lines: String =
            (0..600).map(|i| line(&i.to_string(), &format!("text number {i} of the sample"), "x", 0.3, i)).collect();
        assert_eq!(ingest(&mut workspace, &lines).opened, 600);
        workspace.ok_label();
        let replica = workspace.replica().to_string();
        drop(workspace); // the last connection moves everything into the one file
        (place, replica)
    });
    let place = Place::new();
    fs::create_dir_all(place.path()).unwrap();
    for name in ["casework.db", "device.key"] {
        fs::copy(made.path().join(name), place.path().join(name)).unwrap();
    }
    (place, replica.clone())
}

trait Sample {
    fn ok_label(&mut self);
}

impl Sample for casework::workspace::Workspace {
    fn ok_label(&mut self) {
        let case = self.first_in_queue().unwrap().unwrap();
        self.comment(case.id, "fine").unwrap();
    }
}

#[test]
fn a_sound_journal_verifies() {
    let (place, _) = sample();
    let report = place.open().verify().unwrap();
    assert_eq!((report.ok, report.entries), (true, 4), "{:?}", report.faults);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_altered_byte_is_named(cell in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let (place, _) = sample();
        let workspace = place.open();
        let all = cells(&workspace.db);
        let (table, column, mut value) = all[cell.index(all.len())].clone();
        let old = value.clone();
        let at = at.index(value.len());
        value[at] ^= flip;
        let sql = format!("UPDATE {table} SET {column} = ?1 WHERE CAST({column} AS BLOB) = ?2");
        let changed = workspace.db.conn.execute(&sql, [&value, &old]).unwrap();
        prop_assert!(changed > 0);
        let named = match workspace.verify() {
            Ok(report) => !report.ok && !report.faults.is_empty(),
            Err(error) => !error.to_string().is_empty(), // the workspace's own id is gone
        };
        // The number of the views' version is ours, not the journal's: a wrong one only has them folded again.
        prop_assert!(named || (table, column) == ("journal_meta", "value"), "{table}.{column} byte {at}");
    }
}

#[test]
fn removed_and_moved_entries_are_named() {
    for sql in [
        "DELETE FROM journal_entry WHERE seq = 4",
        "DELETE FROM journal_entry WHERE seq = 2",
        "UPDATE journal_entry SET seq = 9 WHERE seq = 4",
        "DELETE FROM journal_payload WHERE n = 7",
        "DELETE FROM journal_replica",
        "DELETE FROM journal_dictionary",
    ] {
        let (place, _) = sample();
        let workspace = place.open();
        assert!(workspace.db.conn.execute(sql, []).unwrap() > 0, "{sql}");
        assert!(!workspace.verify().unwrap().ok, "{sql}");
    }
}

#[test]
fn ssh_keygen_accepts_an_entry_that_was_written_out() {
    let (place, replica) = sample();
    let out = place.dir.path().join("out");
    place.ok(&["verify", "--entry", "2", "--out", out.to_str().unwrap()]);
    let verify = |body: &str| {
        let mut command = Command::new("ssh-keygen");
        command.current_dir(&out).args([
            "-Y",
            "verify",
            "-f",
            "allowed_signers",
            "-I",
            &replica,
            "-n",
            "casework",
            "-s",
            "entry.json.sig",
        ]);
        command.stdin(fs::File::open(out.join(body)).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status()
    };
    match verify("entry.json") {
        Err(error) => return eprintln!("skipped: ssh-keygen is not here: {error}"),
        Ok(status) => assert!(status.success(), "stock ssh-keygen refuses our signature"),
    }
    let mut body = fs::read(out.join("entry.json")).unwrap();
    body[10] ^= 1;
    fs::write(out.join("altered.json"), body).unwrap();
    assert!(!verify("altered.json").unwrap().success(), "and it refuses an altered body");
}
