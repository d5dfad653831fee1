//! A team on a shared store: founding, joining, letting in and out, erasing, coming back from a
//! copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Place, has, line};

/// People with a workspace each, and a store between them.
struct Team {
    place: Place,
}

impl Team {
    /// Ana has founded.
    fn new(more: &[&str]) -> Self {
        let team = Self { place: Place::new() };
        let store = team.store();
        let init = ["init", "--name", "team", "--store", store.to_str().unwrap()];
        team.ok("ana", &[&init[..], more].concat());
        team
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.dir.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("store")
    }

    fn run(&self, who: &str, args: &[&str]) -> (i32, String, String) {
        let mut command = crate::support::program();
        let founding = args.first().is_some_and(|arg| matches!(*arg, "init" | "join"))
            && !args.contains(&"--as");
        command.env("CASEWORK_WORKSPACE", self.path(who)).args(args);
        if founding {
            command.args(["--as", who]);
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    fn ok(&self, who: &str, args: &[&str]) -> String {
        let (code, out, err) = self.run(who, args);
        assert_eq!(code, 0, "{who} {args:?}: {err}");
        out
    }

    fn json(&self, who: &str, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(who, &[args, &["--json"]].concat())).unwrap()
    }

    fn fails(&self, who: &str, args: &[&str], expect: &str) {
        let (code, _, err) = self.run(who, args);
        assert_ne!(code, 0, "{who} {args:?}");
        assert!(err.contains(expect), "{who} {args:?}: {err}");
    }

    fn sync(&self, who: &[&str]) {
        who.iter().for_each(|who| drop(self.ok(who, &["sync"])));
    }

    /// Somebody joins and is let in.
    fn add(&self, name: &str, roles: &[&str]) {
        self.ok(name, &["join", self.store().to_str().unwrap()]);
        self.sync(&["ana"]);
        let roles = roles.iter().flat_map(|role| ["--role", role]);
        self.ok("ana", &["roster", "admit", name].into_iter().chain(roles).collect::<Vec<_>>());
        self.sync(&["ana", name]);
    }

    fn ingest(&self, who: &str, texts: &[&str]) {
        let file = self.path("stream.jsonl");
        let lines: String = texts
            .iter()
            .enumerate()
            .map(|(i, text)| line(&format!("p{i}"), text, "pay", 0.2, i as i64))
            .collect();
        fs::write(&file, lines).unwrap();
        self.ok(who, &["ingest", file.to_str().unwrap()]);
    }

    fn digest(&self, who: &str) -> String {
        self.json(who, &["status"])["digest"].as_str().unwrap().to_owned()
    }
}

/// Whether any file below a directory holds these bytes.
fn holds(directory: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return holds(&path, bytes);
        }
        let text = fs::read(&path).unwrap();
        let unpacked = zstd::stream::decode_all(text.as_slice()).unwrap_or_default();
        [text, unpacked].iter().any(|text| {
            let at = text.windows(bytes.len()).position(|window| window == bytes);
            if let Some(at) = at {
                eprintln!(
                    "{}: {:?}",
                    path.display(),
                    String::from_utf8_lossy(
                        &text[at.saturating_sub(200)..(at + 100).min(text.len())]
                    )
                );
            }
            at.is_some()
        })
    })
}

/// Every payload of a workspace, one beside the other.
fn payloads(directory: &Path) -> String {
    let db = casework::db::Db::open(&directory.join("casework.db")).unwrap();
    let mut rows = Vec::new();
    casework::db::payload::for_each(&db.conn, |row| rows.push(row.unwrap())).unwrap();
    let mut unpacker = casework::journal::blob::Unpacker::default();
    let text = |row| String::from_utf8(unpacker.unpack(&db.conn, row).unwrap()).unwrap();
    rows.iter().map(text).collect()
}

const LABEL: [&str; 6] = ["label", "p0", "--answer", "readable=n", "--answer", "damage=c"];

#[test]
fn a_team_meets_on_a_store_and_nobody_gets_in_unasked() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two"]);
    team.sync(&["ana"]);
    let store = team.store();
    let store = store.to_str().unwrap();
    let id = team.json("ana", &["status"])["workspace"].as_str().unwrap().to_owned();
    team.fails(
        "bo",
        &["join", store, "--id", "0000"],
        "holds no workspace whose id begins with 0000",
    );
    let joined = team.json("bo", &["join", store, "--id", &id[..12]]);
    assert_eq!(joined["workspace"], id.as_str());
    team.fails("bo", &LABEL, "needs the role");
    team.sync(&["ana"]);
    let shown = team.ok("ana", &["roster", "show"]);
    let key = joined["key"].as_str().unwrap();
    assert!(shown.contains("asks to join") && shown.contains(key), "{shown}");
    team.fails(
        "ana",
        &["roster", "admit", "bo", "--role", "reviewer", "--key", "SHA256:other"],
        "nothing was done",
    );
    team.fails(
        "ana",
        &["roster", "admit", "bo", "--role", "reviewer", "--ssh-key", "SHA256:x"],
        "not signed by an SSH key",
    );
    // Somebody else asks under the same name: the lead must say which device is meant.
    team.ok("eve", &["join", store, "--as", "bo"]);
    team.sync(&["ana"]);
    team.fails("ana", &["roster", "admit", "bo", "--role", "reviewer"], "several devices ask");
    let device = joined["replica"].as_str().unwrap();
    team.ok(
        "ana",
        &["roster", "admit", "bo", "--role", "reviewer", "--device", &device[..8], "--key", key],
    );
    team.sync(&["ana", "bo"]);
    team.ok("bo", &LABEL);
    team.sync(&["bo", "ana"]);
    assert_eq!(team.json("ana", &["labels"])["reviewer"], "bo");
    assert_eq!(team.digest("ana"), team.digest("bo"));
    // Others' workspaces are refused at the same place, and this one elsewhere is.
    team.fails("carl", &["init", "--name", "other", "--store", store], "holds a workspace already");
    team.ok("carl", &["init", "--name", "other"]);
    team.fails("carl", &["sync", "--store", store], "holds another workspace");
    team.fails("dee", &["join", team.path("nowhere").to_str().unwrap()], "is not there");
}

#[test]
fn who_is_retired_or_changes_keys_counts_up_to_there() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two", "three"]);
    team.add("bo", &["reviewer"]);
    team.add("dee", &["lead", "reviewer"]);
    team.ok("bo", &LABEL);
    team.sync(&["bo", "dee", "ana"]);
    // A new key takes over with everything, and the old one counts no more.
    let before = team.json("bo", &["verify"])["entries"].as_u64();
    let old = fs::read(team.path("bo").join("device.key")).unwrap();
    team.ok("bo", &["roster", "rotate"]);
    assert_ne!(fs::read(team.path("bo").join("device.key")).unwrap(), old);
    team.ok("bo", &["label", "p1", "--answer", "readable=n", "--answer", "damage=c"]);
    team.sync(&["bo", "ana", "dee"]);
    assert_eq!(team.ok("dee", &["labels", "--json"]).lines().count(), 2);
    assert!(before < team.json("dee", &["verify"])["entries"].as_u64());
    // Retired offline: what is written after that is kept out everywhere, and named.
    team.ok("dee", &["roster", "retire", "bo", "--reason", "left"]);
    team.sync(&["dee", "ana"]);
    team.ok("bo", &["label", "p2", "--answer", "readable=n", "--answer", "damage=c"]);
    team.sync(&["bo", "ana", "dee"]);
    assert_eq!(
        team.ok("ana", &["labels", "--json"]).lines().count(),
        2,
        "what bo gave before stays"
    );
    let (code, out, _) = team.run("ana", &["verify"]);
    assert_eq!(code, 1);
    assert!(out.contains("bo was retired on this device"), "{out}");
    team.fails("bo", &["comment", "p0", "still here"], "was retired");
    team.fails("bo", &["comment", "p0", "still here"], "joining again");
    team.fails("ana", &["roster", "retire", "ana", "--device", "ffff"], "nobody called");
    team.ok("ana", &["roster", "retire", "ana"]);
    team.sync(&["ana", "dee"]);
    team.fails("dee", &["roster", "retire", "dee"], "the last lead");
    let digests = ["ana", "bo", "dee"].map(|who| {
        team.sync(&[who]);
        team.digest(who)
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]), "{digests:?}");
}

#[test]
fn an_ssh_key_of_ones_own_signs_the_join() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        eprintln!("skipped an_ssh_key_of_ones_own_signs_the_join: ssh-keygen is not here");
        return;
    }
    let team = Team::new(&[]);
    let key = team.path("id");
    for kind in ["ed25519", "ecdsa"] {
        let path = key.with_extension(kind);
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", "", "-f"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        team.ok(
            kind,
            &["join", team.store().to_str().unwrap(), "--ssh-key", path.to_str().unwrap()],
        );
    }
    team.sync(&["ana"]);
    let public = |kind: &str| key.with_extension(kind).with_extension(format!("{kind}.pub"));
    assert!(team.ok("ana", &["roster", "show"]).contains("signed by the SSH key SHA256:"));
    let admit = |name: &str, key: &Path| {
        team.run(
            "ana",
            &["roster", "admit", name, "--role", "reviewer", "--ssh-key", key.to_str().unwrap()],
        )
    };
    let (code, _, err) = admit("ecdsa", &public("ed25519"));
    assert!(code == 2 && err.contains("not by any key of"), "{err}");
    assert_eq!(admit("ecdsa", &public("ecdsa")).0, 0);
}

#[test]
fn what_is_erased_is_gone_everywhere_and_the_chain_still_verifies() {
    let team = Team::new(&[]);
    let secret = "zebra stripes 4711";
    let texts: Vec<String> = (0..90)
        .map(|n| if n == 0 { secret.to_owned() } else { format!("text number {n}") })
        .collect();
    team.ingest("ana", &texts.iter().map(String::as_str).collect::<Vec<_>>());
    team.add("bo", &["reviewer"]);
    assert!(team.ok("bo", &["search", "zebra"]).contains("zebra"));
    team.ok("bo", &["label", "p0", "--answer", "readable=n", "--answer", "damage=c"]);
    let exported = team.path("out.jsonl");
    team.ok("bo", &["export", "--out", exported.to_str().unwrap()]);
    team.sync(&["bo", "ana"]);
    let erased = team.json("ana", &["erase", "p0", "--reason", "asked to by who wrote it"]);
    assert_eq!(erased["stores"][0]["confirmed"], Value::Null);
    team.sync(&["ana", "bo"]);
    let listed = team.json("ana", &["erase", "--list"]);
    assert!(listed["stores"][0]["confirmed"].is_number(), "{listed}");
    assert!(
        team.json("bo", &["erase", "--list"])["exports"][0]
            .as_str()
            .unwrap()
            .ends_with("out.jsonl")
    );
    for who in ["ana", "bo"] {
        assert_eq!(team.run(who, &["search", "zebra"]).0, 1);
        assert!(team.ok(who, &["show", "p0"]).contains("erased by ana"));
        assert!(team.json(who, &["verify"])["ok"].as_bool().unwrap());
        assert!(!team.ok(who, &["export"]).contains("zebra"));
        assert!(!holds(&team.path(who), b"zebra"), "{who}'s files still hold it");
    }
    assert!(!holds(&team.store(), b"zebra"), "the store still holds it");
    assert_eq!(team.digest("ana"), team.digest("bo"));
    // Whoever comes later does not get it either.
    team.add("dee", &["reviewer"]);
    assert_eq!(team.run("dee", &["search", "zebra"]).0, 1);
    assert!(team.ok("dee", &["search", "number"]).contains("text number"), "the rest is there");
    assert!(team.json("dee", &["verify"])["ok"].as_bool().unwrap());
}

#[test]
fn log_lines_of_an_erased_request_that_stand_beside_those_of_another_go_with_it() {
    let team = Team::new(&[]);
    let file = team.path("stream.jsonl");
    let stream: String =
        (0..2).map(|n| line(&format!("p{n}"), &format!("number {n}"), "pay", 0.2, n)).collect();
    fs::write(&file, stream).unwrap();
    let log = |n: usize, what: &str| {
        format!(
            "{{\"ts\":\"2026-06-01T08:00:0{n}.100Z\",\"trace_id\":\"trace-p{n}\",\"msg\":\"{what}\"}}\n"
        )
    };
    let logs = team.path("gateway.jsonl");
    fs::write(&logs, log(0, "from zebra@example.org") + &log(1, "from okapi")).unwrap();
    team.ok("ana", &["ingest", file.to_str().unwrap(), "--logs", logs.to_str().unwrap()]);
    assert_eq!(
        payloads(&team.path("ana")).matches("from zebra").count(),
        2,
        "its own, and beside the other's"
    );
    team.ok("ana", &["erase", "p0", "--reason", "asked to"]);
    let text = payloads(&team.path("ana"));
    assert!(text.contains("from okapi") && !text.contains("zebra"), "{text}");
    assert!(team.json("ana", &["verify"])["ok"].as_bool().unwrap());
}

#[test]
fn what_two_erase_at_the_same_moment_or_what_comes_later_holds_nothing_of_it_either() {
    let team = Team::new(&[]);
    team.add("bo", &["lead", "engineer"]);
    let texts = ["a zebra in the hall", "an okapi on the roof", "a giraffe at the door"];
    team.ingest("ana", &texts);
    team.sync(&["ana", "bo"]);
    team.ok("ana", &["erase", "p0", "--reason", "asked to"]);
    team.ok("bo", &["erase", "p1", "--reason", "asked to as well"]);
    // Meanwhile bo opens another case beside the first, not knowing of it.
    let file = team.path("later.jsonl");
    fs::write(
        &file,
        line("p0", texts[0], "pay", 0.9, 0) + &line("q1", "an emu in the yard", "pay", 0.2, 1),
    )
    .unwrap();
    team.ok("bo", &["ingest", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    assert!(payloads(&team.path("bo")).contains("zebra"));
    team.sync(&["bo", "ana", "bo", "ana", "bo"]);
    for who in ["ana", "bo"] {
        let text = payloads(&team.path(who));
        assert!(text.contains("giraffe") && text.contains("emu"));
        assert!(
            !text.contains("zebra") && !text.contains("okapi"),
            "{who} still shows it beside another: {text}"
        );
    }
    for path in [team.path("ana"), team.path("bo"), team.store()] {
        for word in [&b"zebra"[..], b"okapi"] {
            assert!(
                !holds(&path, word),
                "{} still holds {}",
                path.display(),
                String::from_utf8_lossy(word)
            );
        }
    }
    assert_eq!(team.digest("ana"), team.digest("bo"));
    for who in ["ana", "bo"] {
        assert!(team.json(who, &["verify"])["ok"].as_bool().unwrap());
        assert!(team.ok(who, &["show", "q1"]).contains("emu"));
    }
    // Nobody writes anything more because of it.
    team.sync(&["ana", "bo"]);
    let entries = team.json("ana", &["status"])["entries"].clone();
    team.sync(&["ana", "bo", "ana"]);
    assert_eq!(team.json("ana", &["status"])["entries"], entries);
}

#[test]
fn an_encrypted_store_leaks_no_payload_and_who_is_retired_gets_no_more() {
    let team = Team::new(&["--encrypt"]);
    team.ingest("ana", &["giraffe necks"]);
    team.sync(&["ana"]);
    assert!(!holds(&team.store(), b"giraffe"));
    team.ok("bo", &["join", team.store().to_str().unwrap()]);
    let (_, _, err) = team.run("bo", &["sync"]);
    assert!(err.contains("are encrypted"), "{err}");
    assert_eq!(team.run("bo", &["search", "giraffe"]).0, 1, "not let in, not told");
    team.sync(&["ana"]);
    team.ok("ana", &["roster", "admit", "bo", "--role", "reviewer"]);
    team.sync(&["ana", "bo"]);
    assert!(team.ok("bo", &["search", "giraffe"]).contains("giraffe"));
    team.ok("ana", &["roster", "retire", "bo"]);
    let file = team.path("more.jsonl");
    fs::write(&file, line("q1", "okapi stripes", "pay", 0.2, 9)).unwrap();
    team.ok("ana", &["ingest", file.to_str().unwrap()]);
    team.sync(&["ana", "bo"]);
    assert_eq!(team.run("bo", &["search", "okapi"]).0, 1, "the new key is not for who was retired");
    assert!(team.ok("bo", &["search", "giraffe"]).contains("giraffe"));
}

#[test]
fn what_must_not_be_kept_is_replaced_before_anything_is_written() {
    let team = Team::new(&[]);
    let config = "[redact]\nkinds = [\"email\", \"phone\", \"card\", \"iban\", \"token\", \"ip\"]\npaths = [\"input.session_id\"]\n";
    fs::write(team.path("ana").join("config.toml"), config).unwrap();
    let private = [
        "ana@example.com",
        "+49 30 1234567",
        "4111 1111 1111 1111",
        "DE89370400440532013000",
        "hunter2222",
        "10.1.2.3",
    ];
    let text = format!(
        "mail {} or call {}, card {}, iban {}, password={}, from {}",
        private[0], private[1], private[2], private[3], private[4], private[5]
    );
    let again = format!("{} wrote again", private[0]);
    team.ingest("ana", &[&text, &again, "nothing here"]);
    team.sync(&["ana"]);
    let shown = team.ok("ana", &["show", "p0", "--json"]);
    for secret in private {
        assert!(
            !holds(&team.path("ana"), secret.as_bytes())
                && !holds(&team.store(), secret.as_bytes()),
            "{secret}"
        );
        assert!(!shown.contains(secret), "{secret}");
    }
    let pseudonym = shown.split("[email:").nth(1).unwrap()[..8].to_owned();
    assert!(
        team.ok("ana", &["show", "p1"]).contains(&pseudonym),
        "the same address is the same pseudonym"
    );
    // The same lines again are duplicates, not conflicts.
    let file = team.path("stream.jsonl");
    let summary = team.json("ana", &["ingest", file.to_str().unwrap()]);
    assert_eq!((summary["duplicate"].as_u64(), summary["rejected"].as_u64()), (Some(3), Some(0)));
    assert!(
        summary["redacted"]["email"].as_u64().unwrap() >= 2
            && summary["redacted"]["card"].as_u64() >= Some(1),
        "{summary}"
    );
}

#[test]
fn a_copy_goes_on_as_a_device_of_its_own() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two", "three"]);
    team.sync(&["ana"]);
    // A backup, made while the workspace is in use.
    team.ok("ana", &["backup", team.path("copy").to_str().unwrap()]);
    team.ok("ana", &LABEL);
    team.ok("copy", &["label", "p1", "--answer", "readable=n", "--answer", "damage=c"]);
    team.sync(&["ana", "copy", "ana"]);
    assert_eq!(team.digest("ana"), team.digest("copy"));
    assert_eq!(team.ok("ana", &["labels", "--json"]).lines().count(), 2);
    // A plain copy of the files: it is noticed when the two meet.
    fs::create_dir(team.path("plain")).unwrap();
    for name in ["casework.db", "device.key"] {
        fs::copy(team.path("ana").join(name), team.path("plain").join(name)).unwrap();
    }
    team.ok("ana", &["comment", "p0", "from the original"]);
    team.ok("plain", &["label", "p2", "--answer", "readable=n", "--answer", "damage=c"]);
    team.ok("plain", &["undo"]);
    team.ok("plain", &["label", "p2", "--answer", "readable=n", "--answer", "damage=c"]);
    team.sync(&["ana"]);
    let (_, _, err) = team.run("plain", &["sync"]);
    assert!(
        err.contains("is a copy of another") && err.contains("3 entries were written again"),
        "{err}"
    );
    team.sync(&["ana"]);
    assert_eq!(team.digest("ana"), team.digest("plain"));
    assert_eq!(team.ok("ana", &["labels", "--json"]).lines().count(), 3);
    for who in ["ana", "plain", "copy"] {
        assert!(team.json(who, &["verify"])["ok"].as_bool().unwrap(), "no chain forked");
    }
}

#[test]
fn the_past_is_read_as_it_was() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two"]);
    let wait = || std::thread::sleep(std::time::Duration::from_millis(20));
    let now = || casework::clock::now().rfc3339();
    wait();
    let before = now();
    wait();
    team.ok("ana", &LABEL);
    team.ok("ana", &["roster", "admit", "bo", "--role", "reviewer"]);
    assert_eq!(team.ok("ana", &["labels", "--json", "--at", &before]), "");
    assert_eq!(team.ok("ana", &["labels", "--json"]).lines().count(), 1);
    let roster = team.ok("ana", &["roster", "show", "--at", &before]);
    assert!(!roster.lines().any(|line| line.starts_with("bo ")), "{roster}");
    assert_eq!(team.ok("ana", &["queue", "--json", "--at", &before]).lines().count(), 2);
    assert!(team.ok("ana", &["show", "p1", "--at", &before]).contains("two"), "payloads are there");
    let digest = team.json("ana", &["status", "--at", &before])["digest"].clone();
    assert_eq!(
        team.json("ana", &["status", "--at", &now()])["digest"],
        team.json("ana", &["status"])["digest"]
    );
    assert_ne!(digest, team.json("ana", &["status"])["digest"]);
    team.fails("ana", &["comment", "p0", "x", "--at", &before], "looks at the past");
    team.fails("ana", &["status", "--at", "2020-01-01"], "nothing was there yet");
    team.fails("ana", &["status", "--at", "soon"], "3d");
    assert_eq!(team.ok("ana", &["labels", "--json"]).lines().count(), 1, "nothing was changed");
}

const ARBITRATE_P0: [&str; 8] =
    ["arbitrate", "p0", "--take", "A", "--cause", "other", "--rationale", "it is so"];

#[test]
fn an_outsider_checks_the_audit_bundle_with_stock_tools() {
    let test = "an_outsider_checks_the_audit_bundle_with_stock_tools";
    // ssh-keygen tells no version: it ends with an error.
    if Command::new("ssh-keygen").arg("-?").output().is_err()
        || !has(test, "b3sum")
        || !has(test, "jq")
    {
        return;
    }
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two"]);
    team.add("bo", &["reviewer"]);
    team.ok(
        "bo",
        &[
            "label",
            "p0",
            "--answer",
            "readable=n",
            "--answer",
            "damage=c",
            "--rationale",
            "a\ttab, \"quotes\" and ü",
        ],
    );
    team.sync(&["bo", "ana"]);
    team.ok("ana", &["policy", "set", "overlap=2"]);
    team.ok("ana", &["escalate", "p0", "is that so"]);
    team.ok("ana", &ARBITRATE_P0);
    team.ok("ana", &["erase", "p1", "--reason", "asked to"]);
    let bundle = team.path("audit");
    team.ok("ana", &["audit", "export", "--out", bundle.to_str().unwrap()]);
    team.fails("ana", &["audit", "export", "--out", bundle.to_str().unwrap()], "is not empty");
    let check = || {
        let output = Command::new("bash").arg(bundle.join("check.sh")).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (good, said) = check();
    assert!(good && said.contains("verification passed"), "{said}");
    let payloads = fs::read_to_string(bundle.join("payloads.jsonl")).unwrap();
    assert_eq!(
        payloads.matches("\"erased\":true").count(),
        2,
        "its own, and that of the case which showed it: {payloads}"
    );
    // Whatever is changed is found.
    let chain = fs::read_dir(bundle.join("journal")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read_to_string(&chain).unwrap();
    for (what, changed) in [
        ("a word", whole.replacen("\"author\":\"", "\"author\":\"x", 1)),
        ("a missing line", whole.lines().skip(1).map(|line| format!("{line}\n")).collect()),
        (
            "a missing end",
            whole.lines().take(whole.lines().count() - 1).map(|line| format!("{line}\n")).collect(),
        ),
        ("a signature", whole.replacen("U1NIU0lH", "U1NIU0lI", 1)),
    ] {
        fs::write(&chain, changed).unwrap();
        assert!(!check().0, "{what}");
    }
    fs::remove_file(&chain).unwrap();
    assert!(!check().0, "a missing chain");
    fs::write(&chain, whole).unwrap();
    assert!(check().0);
    let every = Command::new("bash").arg(bundle.join("check.sh")).arg("--every").output().unwrap();
    assert!(every.status.success());

    // Even by somebody who may sign the bundle: what the journal says is found out from it.
    let key = casework::journal::DeviceKey::load(
        &casework::config::Paths { workspace: team.path("ana") }.key(),
    )
    .unwrap();
    let sign_again = || {
        let names = fs::read_to_string(bundle.join("MANIFEST.sha256")).unwrap();
        let names = names.lines().map(|line| line.split("  ").nth(1).unwrap());
        let names = names.filter(|name| bundle.join(name).exists());
        let output = Command::new("sha256sum").current_dir(&bundle).args(names).output().unwrap();
        fs::write(bundle.join("MANIFEST.sha256"), &output.stdout).unwrap();
        let signature = STANDARD.encode(key.sign(&output.stdout));
        fs::write(bundle.join("MANIFEST.sig"), signature + "\n").unwrap();
    };
    let edits: [(&str, &str, &str, &str); 6] = [
        ("roster.json", "\"reviewer\"", "\"auditor\"", "no entry admits"),
        ("payloads.jsonl", "\"erased\":true", "\"erased\":false", "payloads.jsonl is not"),
        ("payloads.jsonl", "\"payload\":\"", "\"payload\":\"0", "payloads.jsonl is not"),
        ("workspace.json", "\"author\": \"ana\"", "\"author\": \"bo\"", "its author is not bo"),
        ("workspace.json", "\"entries\": ", "\"entries\": 1", "entries"),
        ("roster.json", "\"retired_after\": null", "\"retired_after\": 3", "no entry retires"),
    ];
    for (file, from, to, words) in edits {
        let path = bundle.join(file);
        let whole = fs::read_to_string(&path).unwrap();
        assert!(whole.contains(from), "{file}: {from}");
        fs::write(&path, whole.replacen(from, to, 1)).unwrap();
        let (good, said) = check();
        assert!(!good && said.contains("MANIFEST"), "{file}: {said}");
        sign_again();
        let (good, said) = check();
        assert!(!good && said.contains(words) && !said.contains("MANIFEST"), "{file}: {said}");
        fs::write(&path, whole).unwrap();
        sign_again();
    }
    let (good, said) = check();
    assert!(good, "{said}");
    // A ruling rests on a label of bo; without their chain, whatever else is adjusted, it dangles.
    let bo = team.json("bo", &["status"])["replica"].as_str().map(str::to_owned);
    let bo = bo.unwrap_or_else(|| {
        let labels = team.json("ana", &["labels"]);
        labels["event"].as_str().unwrap().split(':').next().unwrap().to_owned()
    });
    let about: Value =
        serde_json::from_str(&fs::read_to_string(bundle.join("workspace.json")).unwrap()).unwrap();
    let mut less = about.clone();
    let chains = less["replicas"].as_array_mut().unwrap();
    let gone = chains.iter().position(|one| one["replica"] == bo.as_str()).unwrap();
    let entries = chains.remove(gone)["entries"].as_u64().unwrap();
    less["entries"] = (about["entries"].as_u64().unwrap() - entries).into();
    fs::write(bundle.join("workspace.json"), less.to_string()).unwrap();
    fs::remove_file(bundle.join(format!("journal/{bo}.jsonl"))).unwrap();
    sign_again();
    let (good, said) = check();
    assert!(!good && said.contains("which is not here"), "{said}");
}

#[test]
fn a_store_that_is_gone_back_damaged_or_shared_with_strangers_stops_nobody() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two"]);
    team.add("bo", &["reviewer"]);
    // Gone: work goes on, and what was done is there when it is back.
    fs::rename(team.store(), team.path("away")).unwrap();
    team.ok("bo", &LABEL);
    team.fails("bo", &["sync"], "is not there");
    let status = team.json("bo", &["status"]);
    assert!(
        status["sync"]["trouble"].as_str().unwrap().contains("not there")
            && status["unpushed"] == 1,
        "{status}"
    );
    fs::rename(team.path("away"), team.store()).unwrap();
    team.sync(&["bo", "ana"]);
    assert_eq!(team.json("bo", &["status"])["unpushed"], 0);
    assert_eq!(team.digest("ana"), team.digest("bo"));
    // Emptied: noticed, and filled again by whoever comes.
    fs::remove_dir_all(team.store()).unwrap();
    fs::create_dir(team.store()).unwrap();
    let (_, _, err) = team.run("bo", &["sync"]);
    assert!(err.contains("the store went back"), "{err}");
    team.add("dee", &["reviewer"]);
    team.sync(&["bo"]);
    assert_eq!(team.digest("dee"), team.digest("bo"));
    // Other people's files, and a damaged segment: named, and the rest goes on.
    fs::write(team.store().join("journal/notes.txt"), "hello \u{1b}[31m").unwrap();
    let segments = || {
        let mut found = Vec::new();
        for kind in ["journal", "payload"] {
            let chains =
                fs::read_dir(team.store().join(kind)).unwrap().map(|entry| entry.unwrap().path());
            for chain in chains.filter(|path| path.is_dir()) {
                found.extend(fs::read_dir(chain).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        found
    };
    let flip = || {
        for segment in segments() {
            let mut bytes = fs::read(&segment).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&segment, bytes).unwrap();
        }
    };
    flip();
    team.fails("eve", &["join", team.store().to_str().unwrap()], "holds no workspace");
    let (code, _, err) = team.run("ana", &["sync", "--check"]);
    assert!(
        code == 1 && err.contains("are not those that its name promises; it is written again"),
        "{err}"
    );
    team.sync(&["bo", "dee"]);
    team.ok("ana", &["sync", "--check"]);
    team.ok("eve", &["join", team.store().to_str().unwrap()]);
    assert_eq!(team.json("eve", &["verify"])["faults"], serde_json::json!([]));
    let (code, _, err) = team.run("ana", &["sync"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("notes.txt") && !err.contains('\u{1b}'), "{err}");
}

#[test]
fn a_calibration_session_goes_on_over_a_store_and_ends_alike_everywhere() {
    let team = Team::new(&[]);
    team.ingest("ana", &["move money", "card lost", "hello"]);
    team.ok("ana", &["policy", "set", "on=verdict"]);
    team.add("bo", &["reviewer"]);
    team.ok("ana", &["calibrate", "open", "june", "--cases", "p0,p1"]);
    let exchange = || team.sync(&["ana", "bo", "ana", "bo"]);
    let label = |who: &str, case: &str, verdict: &str| {
        let verdict = format!("verdict={verdict}");
        team.ok(
            who,
            &[
                "label",
                case,
                "--session",
                "june",
                "--answer",
                "readable=y",
                "--answer",
                &verdict,
                "--answer",
                "category=r",
            ],
        );
    };
    exchange();
    for (case, bo) in [("p0", "y"), ("p1", "o")] {
        label("ana", case, "y");
        label("bo", case, bo);
    }
    exchange();
    // Both devices hold the other's labels, and neither shows them.
    team.fails("bo", &["agreement", "--round", "june"], "hidden until it is revealed");
    assert!(!team.ok("ana", &["labels"]).contains("bo "), "blind until it is revealed");
    assert_eq!(team.json("ana", &["calibrate", "show", "june"])["progress"][1]["done"][0], 2);
    team.ok("ana", &["calibrate", "reveal", "june"]);
    // This one is given before bo's device hears of that: it is of the first round, and comes too
    // late.
    label("bo", "p1", "y");
    exchange();
    assert!(
        team.ok("bo", &["calibrate", "show", "june"]).contains("out_of_scope"),
        "what was sealed counts"
    );
    for case in ["p0", "p1"] {
        label("ana", case, "y");
        label("bo", case, "y");
    }
    exchange();
    team.ok("ana", &["calibrate", "close", "june"]);
    exchange();
    let found = team.json("bo", &["calibrate", "findings", "june"]);
    assert_eq!(
        (found["outcome"]["better"].as_u64(), found["moved"][0]["reviewer"].as_str()),
        (Some(1), Some("bo"))
    );
    assert_eq!(found, team.json("ana", &["calibrate", "findings", "june"]));
    assert_eq!(team.digest("ana"), team.digest("bo"));
}

#[test]
fn a_lead_can_lead_no_more_and_again_under_a_new_key() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two"]);
    team.add("bo", &["reviewer", "lead"]);
    team.ok("bo", &["policy", "set", "overlap=2"]);
    team.sync(&["bo", "ana"]);
    // Meanwhile each does something as a lead: bo's comes after what ana saw of him.
    team.ok("ana", &["roster", "set", "bo", "--role", "reviewer"]);
    team.ok("bo", &["policy", "set", "overlap=1"]);
    team.sync(&["bo", "ana", "bo"]);
    assert_eq!(team.digest("ana"), team.digest("bo"));
    for who in ["ana", "bo"] {
        assert_eq!(team.json(who, &["policy", "show"])["overlap"], 2, "what he did before stays");
        let (_, verified, _) = team.run(who, &["verify"]);
        assert!(verified.contains("policy.set needs the role"), "{verified}");
    }
    team.fails("bo", &["policy", "set", "overlap=3"], "needs the role");
    team.ok("bo", &["label", "p1", "--answer", "readable=n", "--answer", "damage=c"]);
    // It comes back under a new key, with what he did before under the old one.
    team.fails("ana", &["roster", "set", "bo", "--role", "lead"], "does not come back");
    team.ok("bo", &["roster", "rotate"]);
    team.sync(&["bo", "ana"]);
    team.ok("ana", &["roster", "set", "bo", "--role", "lead", "--role", "reviewer"]);
    team.sync(&["ana", "bo"]);
    team.ok("bo", &["policy", "set", "overlap=3"]);
    // Now the founder can step down.
    team.ok("ana", &["roster", "set", "ana", "--role", "engineer"]);
    team.fails("ana", &["policy", "set", "overlap=1"], "needs the role");
    team.sync(&["bo", "ana", "bo"]);
    assert_eq!(team.digest("ana"), team.digest("bo"));
    assert_eq!(team.json("ana", &["policy", "show"])["overlap"], 3);
    let (_, verified, _) = team.run("bo", &["verify"]);
    assert_eq!(verified.matches("needs the role").count(), 1, "{verified}");
}

#[test]
fn roles_are_set_and_taken_and_what_was_done_in_them_stays() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two"]);
    team.add("bo", &["reviewer"]);
    team.ok("ana", &LABEL);
    team.ok("bo", &["label", "p1", "--answer", "readable=n", "--answer", "damage=c"]);
    team.sync(&["bo", "ana"]);
    // The founder reviews no more: they see everything, and nothing waits for them.
    let (_, _, set) =
        team.run("ana", &["roster", "set", "ana", "--role", "lead", "--role", "engineer"]);
    assert!(set.contains("ana is lead, engineer now: taken reviewer"), "{set}");
    let shown = team.ok("ana", &["roster", "show"]);
    assert!(
        shown.lines().any(|line| line.starts_with("ana") && !line.contains("reviewer")),
        "{shown}"
    );
    assert_eq!(team.ok("ana", &["labels", "--json"]).lines().count(), 2, "what she gave stays");
    let (_, owed, _) = team.run("ana", &["sla", "--json"]);
    assert!(!owed.contains("\"who\":\"ana\",\"what\":\"label\""), "{owed}");
    team.sync(&["ana", "bo"]);
    assert_eq!(team.digest("ana"), team.digest("bo"));
    assert!(team.ok("bo", &["labels", "--json", "--as", "bo"]).lines().count() >= 1);
    // Taken from another, and given again with a profile that is shown.
    team.ok("ana", &["roster", "set", "bo", "--role", "auditor"]);
    team.sync(&["ana", "bo"]);
    team.fails(
        "bo",
        &["label", "p0", "--answer", "readable=n", "--answer", "damage=c"],
        "needs the role",
    );
    team.ok(
        "ana",
        &["roster", "admit", "bo", "--role", "reviewer", "--capacity", "50", "--language", "pt"],
    );
    let shown = team.ok("ana", &["roster", "show"]);
    assert!(shown.contains("capacity 50 · reads pt"), "{shown}");
    team.sync(&["ana", "bo"]);
    team.ok("bo", &["label", "p0", "--answer", "readable=n", "--answer", "damage=c"]);
    team.sync(&["bo", "ana"]);
    assert_eq!(team.digest("ana"), team.digest("bo"));
    // The last lead keeps the role; nothing is given either where it can't be taken.
    team.fails("ana", &["roster", "set", "ana", "--role", "auditor"], "last lead");
    let shown = team.ok("ana", &["roster", "show"]);
    assert!(!shown.lines().any(|line| line.starts_with("ana") && line.contains("auditor")));
    team.fails("ana", &["roster", "retire", "ana"], "last lead");
    team.fails("ana", &["roster", "set", "eve", "--role", "engineer"], "eve");
    assert!(team.json("ana", &["verify"])["ok"].as_bool().unwrap());
    assert!(team.json("bo", &["verify"])["ok"].as_bool().unwrap());
}

#[test]
fn a_sealed_round_is_revealed_by_who_has_its_key_and_the_record_says_who_forced_it() {
    let team = Team::new(&[]);
    team.ingest("ana", &["one", "two"]);
    team.add("bo", &["reviewer", "lead"]);
    team.add("cy", &["reviewer"]);
    team.sync(&["bo"]);
    let open = |name: &'static str| {
        team.ok("bo", &["calibrate", "open", name, "--cases", "p0", "--reviewers", "bo,cy"]);
        team.sync(&["bo", "cy", "ana"]);
        let label = ["label", "p0", "--session", name, "--answer", "readable=n", "--answer"];
        team.ok("cy", &[&label[..], &["damage=m", "--rationale", "all of it is cut"]].concat());
        team.sync(&["cy", "ana", "bo"]);
    };
    open("june");
    // It was given on cy's device, and travelled: nobody can read it, on none of the three.
    for who in ["ana", "bo"] {
        assert!(!team.ok(who, &["labels"]).contains("all of it is cut"));
        let shown = team.json(who, &["calibrate", "show", "june"]);
        assert_eq!(shown["progress"][1]["done"][0], 1, "{who}: {shown}");
    }
    assert!(team.ok("cy", &["labels"]).contains("all of it is cut"));
    // Who leads since is given its key by a device that has it, with the next exchange.
    team.ok("dee", &["join", team.store().to_str().unwrap()]);
    team.sync(&["ana"]);
    team.ok("ana", &["roster", "admit", "dee", "--role", "lead"]);
    team.sync(&["ana", "dee", "bo"]);
    let shown = team.ok("cy", &["calibrate", "show", "june"]);
    assert!(shown.contains("before it is revealed, by ana or bo"), "{shown}");
    let shown = team.ok("dee", &["calibrate", "show", "june"]);
    assert!(shown.contains("before it is revealed, by ana or bo or dee"), "{shown}");
    let early = ["calibrate", "reveal", "june", "--early"];
    team.fails("dee", &early, "bo opened the session `june`");
    team.fails("cy", &early, "role lead");
    // The owner may, and the record says so, wherever it is read.
    team.ok("ana", &early);
    team.sync(&["ana", "bo", "cy", "dee"]);
    for who in ["ana", "bo", "cy", "dee"] {
        let shown = team.json(who, &["calibrate", "show", "june"]);
        assert_eq!(
            shown["forced"], "revealed before its deadline by ana, not by bo who opened it",
            "{who}"
        );
        assert!(team.ok(who, &["verify"]).contains("before its deadline by ana"), "{who}");
        assert!(team.ok(who, &["labels"]).contains("all of it is cut"), "{who}");
        assert_eq!(team.digest(who), team.digest("ana"), "{who}");
    }
    // A device that changes its key can reveal what the old one could.
    open("july");
    team.ok("bo", &["roster", "rotate"]);
    team.sync(&["bo", "ana", "cy"]);
    team.ok("bo", &["calibrate", "reveal", "july", "--early"]);
    team.sync(&["bo", "cy"]);
    let shown = team.json("cy", &["calibrate", "show", "july"]);
    assert_eq!(shown["forced"], "revealed before its deadline");
    assert_eq!(team.digest("cy"), team.digest("bo"));
}

#[test]
fn a_stream_that_two_devices_read_is_named_where_alarms_watch_it() {
    let team = Team::new(&[]);
    team.add("eve", &["engineer"]);
    let traps = team.path("traps.toml");
    let publish = |text: &str| {
        fs::write(&traps, text).unwrap();
        team.ok("ana", &["trap", "publish", traps.to_str().unwrap()]);
    };
    let audit = "[[trap]]\nname = \"audit\"\nsample = 1.0\n";
    publish(audit);
    team.ingest("ana", &["one", "two"]);
    team.sync(&["ana", "eve"]);
    let file = team.path("more.jsonl");
    fs::write(&file, line("q0", "three", "pay", 0.2, 60)).unwrap();
    team.ok("eve", &["ingest", file.to_str().unwrap()]);
    team.sync(&["eve", "ana"]);
    let parted = |who: &str| {
        let (_, out, _) = team.run(who, &["doctor"]);
        out.lines().find(|line| line.contains("alarms of each")).map(str::to_owned)
    };
    assert_eq!(parted("ana"), None, "without alarms it does not matter who reads");
    publish(&format!("{audit}[[alarm]]\nname = \"sure\"\nwatch = \"confidence\"\n"));
    let words = parted("ana").unwrap();
    assert!(words.contains("this device") && words.contains("of eve"), "{words}");
}

/// Nobody sees on their own device what is kept from them by giving the name of another, by asking to be
/// let in, or by reading entries as they are.
#[test]
fn nobody_sees_by_the_name_of_another() {
    let team = Team::new(&[]);
    let lines: String =
        (0..4).map(|n| line(&format!("p{n}"), "move money", "pay", 0.2, n)).collect();
    let stream = team.path("s.jsonl");
    fs::write(&stream, lines).unwrap();
    team.ok("ana", &["ingest", stream.to_str().unwrap(), "--where", "true"]);
    team.ok("ana", &["policy", "set", "overlap=3"]);
    team.ok("ana", &["sync"]);
    let store = team.store().display().to_string();
    for who in ["bo", "dan"] {
        team.ok(who, &["join", &store]);
    }
    team.ok("ana", &["sync"]);
    team.ok("ana", &["roster", "admit", "bo", "--role", "reviewer"]);
    let answers = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
    team.ok("ana", &[&["label", "p0", "--rationale", "SECRET"], &answers[..]].concat());
    team.ok("ana", &["comment", "p0", "SECRET surely"]);
    for who in ["ana", "bo", "dan"] {
        team.ok(who, &["sync"]);
    }
    // dan merely asks.
    for (who, more) in
        [("bo", &[][..]), ("dan", &[]), ("bo", &["--as", "ana"]), ("bo", &["--as", "dan"])]
    {
        for command in
            [&["show", "p0"][..], &["labels"], &["labels", "--all"], &["trace", "p0"], &["export"]]
        {
            let (_, out, err) = team.run(who, &[command, more].concat());
            assert!(
                !out.contains("SECRET") && !err.contains("SECRET"),
                "{who} {command:?} {more:?}: {out}{err}"
            );
        }
    }
    let (code, _, said) = team.run("bo", &["show", "p0", "--as", "ana"]);
    assert!(code != 0 && said.contains("does not work on this device"), "{said}");
    let out = team.path("audit").display().to_string();
    for command in
        [&["audit", "export", "--out", &out][..], &["verify", "--entry", "1", "--out", &out]]
    {
        let (code, _, said) = team.run("bo", command);
        assert!(code != 0 && said.contains("lead, engineer or auditor"), "{command:?}: {said}");
    }
    // Once bo has judged it nothing is left to sway.
    team.ok("bo", &[&["label", "p0"], &answers[..]].concat());
    assert!(team.ok("bo", &["show", "p0"]).contains("SECRET surely"));
}

/// A device that says it is of somebody who works here already is let in by its name alone.
#[test]
fn a_capacity_lets_no_device_in() {
    let team = Team::new(&[]);
    team.ok("ana", &["sync"]);
    let store = team.store().display().to_string();
    team.ok("bo", &["join", &store]);
    team.ok("ana", &["sync"]);
    team.ok("ana", &["roster", "admit", "bo", "--role", "reviewer"]);
    // Somebody else asks under the same name.
    let mut other = crate::support::program();
    other.env("CASEWORK_WORKSPACE", team.path("evil")).args(["join", &store, "--as", "bo"]);
    assert!(other.output().unwrap().status.success());
    team.ok("ana", &["sync"]);
    let (code, _, said) =
        team.run("ana", &["roster", "admit", "bo", "--role", "reviewer", "--capacity", "50"]);
    assert!(code == 0 && said.contains("It is not let in"), "{said}");
    let roster: Vec<Value> = team
        .ok("ana", &["roster", "show", "--json"])
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let of_bo: Vec<&Value> = roster.iter().filter(|row| row["name"] == "bo").collect();
    let waits = of_bo.iter().filter(|row| row["waits"] == true).count();
    assert_eq!((of_bo.len(), waits), (2, 1), "{of_bo:?}");
    assert!(of_bo.iter().any(|row| row["profile"]["capacity"] == 50), "{of_bo:?}");
}

/// A backup goes on where somebody was retired on the device that it is of.
#[test]
fn a_backup_works_after_somebody_was_retired() {
    let team = Team::new(&[]);
    team.ok("ana", &["roster", "admit", "bob", "--role", "reviewer"]);
    team.ok("ana", &["roster", "retire", "bob", "--reason", "left"]);
    let stream = team.path("s.jsonl");
    fs::write(&stream, line("p0", "move money", "pay", 0.2, 0)).unwrap();
    team.ok("ana", &["ingest", stream.to_str().unwrap(), "--where", "true"]);
    let copy = team.path("copy").display().to_string();
    team.ok("ana", &["backup", &copy]);
    team.ok("copy", &["comment", "p0", "it goes on"]);
    team.ok("copy", &["sync"]);
    let (code, _, said) = team.run("copy", &["comment", "p0", "x", "--as", "bob"]);
    assert!(code != 0, "{said}");
}

#[test]
fn what_can_not_be_meant_is_refused() {
    let team = Team::new(&[]);
    let refused = |args: &[&str], why: &str| {
        let (code, _, said) = team.run("ana", args);
        assert!(code != 0 && said.contains(why), "{args:?}: {said}");
    };
    team.ok("ana", &["policy", "set", "overlap=2"]);
    refused(&["policy", "set", "limit=1"], "at least as many as overlap");
    refused(&["policy", "set", "overlap=999999999999"], "a number from 1 to 10000");
    team.ok("ana", &["policy", "set", "limit=1", "overlap=1"]);
    let stream = team.path("s.jsonl");
    fs::write(&stream, line("p0", "move money", "pay", 0.2, 0)).unwrap();
    team.ok("ana", &["ingest", stream.to_str().unwrap(), "--where", "true"]);
    refused(&["erase", "p0", "--reason", " "], "say why");
    refused(
        &["calibrate", "open", "s1", "--cases", "p0", "--deadline", "99999999d"],
        "more than a century ahead",
    );
}

#[test]
fn two_leads_who_publish_one_version_are_told() {
    let team = Team::new(&[]);
    team.add("bo", &["lead", "reviewer"]);
    let starter = team.ok("ana", &["protocol", "starter", "text"]);
    let publish = |who: &str, title: &str, changes: &str| {
        let file = team.path(&format!("{title}.toml"));
        fs::write(&file, starter.replace("title = \"Edge", &format!("title = \"{title} edge")))
            .unwrap();
        team.ok(who, &["protocol", "publish", file.to_str().unwrap(), "--changes", changes]);
    };
    publish("ana", "Ana's", "hers");
    publish("bo", "Bo's", "his");
    team.sync(&["ana"]);
    let (_, _, said) = team.run("bo", &["sync"]);
    let words = "has 2 versions 2: in force is that of bo";
    assert!(said.contains(words) && said.contains("as version 3"), "{said}");
    team.sync(&["ana"]);
    for who in ["ana", "bo"] {
        let (_, told, _) = team.run(who, &["doctor"]);
        assert!(told.contains(words) && told.contains("not that of ana"), "{told}");
        assert!(team.ok(who, &["protocol", "show"]).contains("Bo's edge"));
    }
    // What both want settles it, also where somebody who does not know of it publishes a lower one.
    publish("ana", "Our", "both");
    publish("ana", "Our last", "both");
    publish("bo", "Bo's late", "once more");
    team.sync(&["ana", "bo", "ana"]);
    for who in ["ana", "bo"] {
        assert!(team.ok(who, &["protocol", "show"]).contains("Our last edge"));
        let (_, told, _) = team.run(who, &["doctor"]);
        assert!(!told.contains("versions 2"), "{told}");
    }
}

#[test]
fn two_leads_who_rule_otherwise_at_once_settle_nothing() {
    let team = Team::new(&[]);
    team.add("bo", &["lead"]);
    team.add("cy", &["reviewer"]);
    team.add("di", &["reviewer"]);
    team.ok("ana", &["policy", "set", "overlap=2", "limit=2", "on=verdict"]);
    team.ok("ana", &["roster", "admit", "ana", "--role", "lead"]);
    team.ingest("ana", &["move money to savings"]);
    team.sync(&["ana", "bo", "cy", "di"]);
    let answers = ["--rationale", "so", "--answer", "readable=y", "--answer", "category=r"];
    for (who, verdict) in [("cy", "verdict=1"), ("di", "verdict=3")] {
        team.ok(who, &[&["label", "p0"][..], &answers, &["--answer", verdict]].concat());
    }
    team.sync(&["cy", "di", "ana", "bo"]);
    let rule = |who: &str, verdict: &str, why: &str| {
        let outcome = format!("verdict={verdict}");
        let words = ["--cause", "subjective", "--rationale", why];
        team.ok(who, &[&["arbitrate", "p0", "--outcome", &outcome][..], &words].concat());
    };
    let state = |who: &str| {
        let case = team.json(who, &["show", "p0"]);
        (case["state"].as_str().unwrap().to_owned(), case["outcome"]["verdict"].clone())
    };
    let sides = team.json("ana", &["arbitrate", "p0"])["sides"].clone();
    let verdicts: Vec<&str> = sides
        .as_array()
        .unwrap()
        .iter()
        .map(|side| side["outcome"]["verdict"].as_str().unwrap())
        .collect();
    let (one, two) = (verdicts[0], verdicts[1]);
    rule("ana", one, "it says savings");
    rule("bo", two, "it says money");
    assert_eq!((state("ana").0, state("bo").0), ("resolved".into(), "resolved".into()));
    team.sync(&["ana", "bo", "ana"]);
    for who in ["ana", "bo"] {
        assert_eq!(state(who).0, "disputed", "{who}");
        let waits = team.json(who, &["arbitrate"]);
        assert_eq!((&waits["why"], &waits["level"]), (&"contested".into(), &"owner".into()));
        let told = team.ok(who, &["arbitrate", "p0"]);
        assert!(told.contains("without having seen the ruling that says otherwise"), "{told}");
        assert!(told.contains("it says savings") && told.contains("it says money"), "{told}");
        let past = team.ok(who, &["rulings"]);
        assert_eq!(past.matches("contested").count(), 2, "{past}");
        let due = team.run(who, &["sla"]).1;
        assert!(due.contains("1 case that was ruled two ways at once"), "{due}");
    }
    assert_eq!(team.digest("ana"), team.digest("bo"));
    // Each takes back their own; what is left counts.
    team.ok("ana", &["arbitrate", "p0", "--withdraw"]);
    assert_eq!(state("ana"), ("resolved".into(), two.into()));
    team.sync(&["ana", "bo"]);
    // At once again: a third ruling of one who has seen both settles it.
    team.ok("bo", &["arbitrate", "p0", "--withdraw"]);
    team.sync(&["bo", "ana"]);
    rule("ana", one, "on second thought");
    rule("bo", two, "still");
    team.sync(&["ana", "bo", "ana"]);
    assert_eq!((state("ana").0, state("bo").0), ("disputed".into(), "disputed".into()));
    rule("bo", one, "as ana says, after we talked");
    team.sync(&["bo", "ana"]);
    for who in ["ana", "bo"] {
        assert_eq!(state(who), ("resolved".into(), one.into()), "{who}");
        assert_eq!(team.run(who, &["arbitrate"]).0, 1);
    }
}
