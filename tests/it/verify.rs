//! One altered byte anywhere in the journal is found and named; stock tools accept what we sign.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use casework::db::Db;
use casework::db::payload::for_each;
use casework::journal::blob::Unpacker;
use proptest::prelude::*;

use crate::support::{Place, ingest, line, team_of_three};

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
                .prepare(&format!(
                    "SELECT CAST({name} AS BLOB) FROM {table} WHERE {name} IS NOT NULL"
                ))
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

/// A workspace with cases, payloads that share a dictionary, and a comment: made once, copied for
/// each test.
fn sample() -> (Place, String) {
    static MADE: OnceLock<(Place, String)> = OnceLock::new();
    let (made, replica) = MADE.get_or_init(|| {
        let place = Place::new();
        let mut workspace = place.create();
        let lines: String = (0..600)
            .map(|i| line(&i.to_string(), &format!("text number {i} of the sample"), "x", 0.3, i))
            .collect();
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
        let all = cells(workspace.tables());
        let (table, column, mut value) = all[cell.index(all.len())].clone();
        let old = value.clone();
        let at = at.index(value.len());
        value[at] ^= flip;
        let sql = format!("UPDATE {table} SET {column} = ?1 WHERE CAST({column} AS BLOB) = ?2");
        let changed = workspace.tables().conn.execute(&sql, [&value, &old]).unwrap();
        prop_assert!(changed > 0);
        let named = match workspace.verify() {
            Ok(report) => !report.ok && !report.faults.is_empty(),
            Err(error) => !error.to_string().is_empty(), // the workspace's own id is gone
        };
        let harmless = match (table, column) {
            // The number of the views' version is ours, not the journal's: a wrong one only has them
            // folded again.
            ("journal_meta", "value") => true,
            // What is signed is a payload's text. Compressed, the same text can be said in two ways:
            // a copy from here or from there in the dictionary.
            ("journal_payload", "bytes") => {
                let untouched = sample().0.open();
                texts(workspace.tables()) == texts(untouched.tables())
            }
            _ => false,
        };
        prop_assert!(named || harmless, "{table}.{column} byte {at}");
    }
}

/// What every payload says.
fn texts(db: &Db) -> Vec<Option<Vec<u8>>> {
    let mut unpacker = Unpacker::default();
    let mut texts = Vec::new();
    for_each(&db.conn, |row| texts.push(unpacker.unpack(&db.conn, &row.unwrap()).ok())).unwrap();
    texts
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
        assert!(workspace.tables().conn.execute(sql, []).unwrap() > 0, "{sql}");
        assert!(!workspace.verify_all(false).unwrap().ok, "{sql}");
    }
}

/// What JSON and screens print is what can be pasted.
#[test]
fn an_entry_is_named_as_it_is_printed() {
    let place = team_of_three();
    place.ok(&["label", "p0", "--answer", "readable=n", "--answer", "damage=c"]);
    let labels = place.ok(&["labels", "--json"]);
    let label: serde_json::Value = serde_json::from_str(labels.trim()).unwrap();
    let event = label["event"].as_str().unwrap();
    let parts: Vec<&str> = event.split(':').collect();
    let out = place.dir.path().join("out");
    let (short, entry) = (&parts[0][..8], parts[..2].join(":"));
    for name in [event.to_owned(), entry, format!("{short}:{}:0", parts[1]), parts[1].to_owned()] {
        fs::remove_dir_all(&out).ok();
        let args = ["verify", "--entry", &name, "--out", out.to_str().unwrap(), "--json"];
        let told: serde_json::Value = serde_json::from_str(&place.ok(&args)).unwrap();
        assert_eq!(
            (&told["replica"], &told["seq"].to_string()),
            (&parts[0].into(), &parts[1].to_owned())
        );
        let body = fs::read_to_string(out.join("entry.json")).unwrap();
        assert!(body.contains("label.given"), "{name}: {body}");
    }
    for wrong in ["abc:1", "nosuch", "1:2:3:4", &format!("{short}:999")] {
        let said = place.run(&["verify", "--entry", wrong, "--out", out.to_str().unwrap()]);
        assert_eq!(said.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8(said.stderr).unwrap().contains("no entry here"), "{wrong}");
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
        command
            .stdin(fs::File::open(out.join(body)).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
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

/// A workspace in which every view has rows, made by commands.
fn with_every_view() -> Place {
    let place = team_of_three();
    place.ok(&["roster", "admit", "cy", "--role", "reviewer", "--capacity", "50"]);
    place.ok(&["policy", "set", "overlap=2", "limit=2", "on=verdict"]);
    let right = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
    let wrong = [
        "--answer",
        "readable=y",
        "--answer",
        "verdict=n",
        "--answer",
        "corrected=transfer",
        "--answer",
        "category=r",
    ];
    for case in ["p0", "p1"] {
        place.ok(&[&["label", case, "--as", "bo"], &right[..]].concat());
        place.ok(&[&["label", case, "--as", "cy"], &wrong[..]].concat());
    }
    place.ok(&[
        "arbitrate",
        "p0",
        "--outcome",
        "verdict=wrong_label",
        "--cause",
        "other",
        "--rationale",
        "so",
    ]);
    place.ok(&["label", "p2", "--answer", "readable=n", "--answer", "damage=c"]);
    place.ok(&["undo"]);
    place.ok(&["comment", "p3", "words"]);
    place.ok(&["defer", "p3", "words"]);
    place.ok(&["erase", "p4", "--reason", "asked for"]);
    place.ok(&["roster", "retire", "cy"]);
    place
}

#[test]
fn an_altered_row_of_what_is_read_is_named() {
    let made = with_every_view();
    let verify = |place: &Place| place.open().verify_all(false).unwrap();
    let sound = verify(&made);
    assert!(sound.ok, "{:?}", sound.faults);
    made.open().tables().conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let copy = || {
        let place = Place::new();
        fs::create_dir_all(place.path()).unwrap();
        for name in ["casework.db", "device.key"] {
            fs::copy(made.path().join(name), place.path().join(name)).unwrap();
        }
        place
    };
    let conn = rusqlite::Connection::open(made.paths().database()).unwrap();
    let list = |sql: &str| -> Vec<String> {
        conn.prepare(sql)
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    };
    let tables = list(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'view_*' AND sql NOT LIKE 'CREATE VIRTUAL%' \
         AND name NOT GLOB 'view_search*' AND name NOT GLOB 'view_precedent*'",
    );
    assert!(tables.len() >= 12, "{tables:?}");
    let mut altered = 0;
    for table in &tables {
        if list(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}"))[0] == "0" {
            continue;
        }
        // Every column, one row.
        for column in
            list(&format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'num'"))
        {
            let place = copy();
            let conn = rusqlite::Connection::open(place.paths().database()).unwrap();
            let change = format!(
                "UPDATE {table} SET {column} = CASE typeof({column}) WHEN 'integer' THEN {column} + 1000 WHEN 'real' THEN {column} / 2 \
                 WHEN 'blob' THEN CAST(zeroblob(length({column}) - 1) || x'07' AS BLOB) WHEN 'text' THEN {column} || iif(json_valid({column}), ' ', 'x') ELSE 1 END \
                 WHERE rowid = (SELECT min(rowid) FROM {table})"
            );
            // Tables without rowids are addressed by their first row.
            let change = if conn.prepare(&change).is_ok() {
                change
            } else {
                let keys =
                    list(&format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0"))
                        .join(", ");
                change.replace(
                    &format!("rowid = (SELECT min(rowid) FROM {table})"),
                    &format!("({keys}) = (SELECT {keys} FROM {table} LIMIT 1)"),
                )
            };
            assert_eq!(conn.execute(&change, []).unwrap(), 1, "{table}.{column}");
            drop(conn);
            let output = place.run(&["verify", "--json"]);
            let words = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(
                output.status.code(),
                Some(1),
                "{table}.{column}: {words}{}",
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(words.contains(&format!("{table}, row ")), "{table}.{column}: {words}");
            altered += 1;
        }
        {
            let place = copy();
            let conn = rusqlite::Connection::open(place.paths().database()).unwrap();
            conn.execute(&format!("DELETE FROM {table}"), []).unwrap();
            drop(conn);
            let report = place.run(&["verify"]);
            let words = String::from_utf8_lossy(&report.stdout).into_owned();
            assert!(
                words.contains(table.as_str()) && words.contains("is missing"),
                "{table}: {words}"
            );
            altered += 1;
        }
    }
    assert!(altered > 60, "{altered}");
    let quick = copy();
    rusqlite::Connection::open(quick.paths().database())
        .unwrap()
        .execute("DELETE FROM view_label", [])
        .unwrap();
    quick.ok(&["verify", "--quick"]);
    quick.ok(&["verify", "--rebuild"]);
    assert!(verify(&quick).ok);
}
