//! Workspaces to test on.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use casework::config::{Env, Paths};
use casework::db::journal::EntryRow;
use casework::db::{self, Db};
use casework::domain::ids::Hash;
use casework::domain::time::{Hlc, Moment};
use casework::journal::DeviceKey;
use casework::journal::entry::{BODY_VERSION, Body, hash};
use casework::workspace::Workspace;
use casework::workspace::cases::IngestRequest;
use serde_json::value::RawValue;
use tempfile::TempDir;

/// 2026-06-01T08:00:00Z: what clocks show in tests.
pub const T0: Moment = Moment(1_780_300_800_000);

/// Whether a program is here that a test needs; where it is not, that is said.
pub fn has(test: &str, program: &str) -> bool {
    let there =
        Command::new(program).arg("--version").output().is_ok_and(|out| out.status.success());
    if !there {
        eprintln!("skipped {test}: there is no {program} here");
    }
    there
}

/// A directory that goes away, and a workspace in it.
pub struct Place {
    pub dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("w")
    }

    pub fn paths(&self) -> Paths {
        Paths { workspace: self.path() }
    }

    /// A workspace of `ana`, founded at [`T0`].
    pub fn create(&self) -> Workspace {
        let key = DeviceKey::from_seed([1; 32]);
        Workspace::create_at(self.paths(), Env::default(), "team", "ana", key, T0).unwrap()
    }

    pub fn open(&self) -> Workspace {
        Workspace::open(self.paths(), Env::default(), None).unwrap()
    }

    /// Runs the real program on this workspace.
    pub fn run(&self, args: &[&str]) -> Output {
        let mut command = program();
        command.env("CASEWORK_WORKSPACE", self.path()).args(args);
        command.output().unwrap()
    }

    /// What it printed, however it ended.
    pub fn run_text(&self, args: &[&str]) -> String {
        String::from_utf8(self.run(args).stdout).unwrap()
    }

    /// Runs it and gives what it printed, if it ended well.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Where the real program is: `CASEWORK_TEST_BIN`, where another account runs the tests.
#[expect(clippy::disallowed_methods, reason = "a test's own way to the program")]
pub fn binary() -> PathBuf {
    std::env::var_os("CASEWORK_TEST_BIN")
        .map_or(env!("CARGO_BIN_EXE_casework").into(), PathBuf::from)
}

/// The real program, with nothing of the tester's environment.
pub fn program() -> Command {
    let mut command = Command::new(binary());
    for name in [
        "NO_COLOR",
        "VISUAL",
        "EDITOR",
        "CASEWORK_WORKSPACE",
        "COLORTERM",
        "ACCESSIBLE",
        "CASEWORK_LINEAR",
    ] {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
    command
}

/// The folder of real data, or a printed line that it is not here.
pub fn shared(test: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped {test}: it needs ../shared/data, which is not here");
    None
}

/// What `.ci/servers` says of a server that it started; with the name of a test, a printed line
/// where it did not.
#[expect(clippy::disallowed_methods, reason = "tests are told of servers by the environment")]
pub fn server(name: &str, test: Option<&str>) -> Option<String> {
    let found = std::env::var(name).ok().filter(|value| !value.is_empty());
    if let (None, Some(test)) = (&found, test) {
        eprintln!("skipped {test}: {name} names no server (.ci/servers starts one)");
    }
    found
}

/// A number that the environment gives for a test.
pub fn number(name: &str) -> Option<u64> {
    server(name, None)?.parse().ok()
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A line of a stream.
pub fn line(id: &str, text: &str, label: &str, confidence: f64, seconds: i64) -> String {
    let at = Moment(T0.0 + seconds * 1000).rfc3339();
    let prediction = serde_json::json!({ "label": label, "confidence": confidence,
        "top_k": [{ "label": label, "p": confidence }, { "label": "other", "p": confidence / 3.0 }] });
    let line = serde_json::json!({ "id": id, "occurred_at": at, "stream": "s", "trace_id": format!("trace-{id}"),
        "input": { "text": text, "session_id": "one" }, "prediction": prediction });
    format!("{line}\n")
}

pub fn ingest(workspace: &mut Workspace, lines: &str) -> casework::intake::Summary {
    let stop = std::sync::atomic::AtomicBool::new(false);
    workspace.ingest(lines.as_bytes(), &IngestRequest::default(), &stop, |_| ()).unwrap()
}

/// An entry as some replica may have written it, well or badly.
pub fn craft(
    key: &DeviceKey,
    workspace: Hash,
    seq: u64,
    prev: &str,
    at: Hlc,
    author: &str,
    events: Vec<Box<RawValue>>,
) -> EntryRow {
    let (replica, workspace, prev, author) =
        (key.replica(), workspace.to_string(), prev.to_owned(), author.to_owned());
    let wall = None;
    let body = Body {
        v: BODY_VERSION,
        workspace,
        replica,
        seq,
        prev,
        at,
        wall,
        author,
        visit: None,
        events,
    }
    .to_bytes();
    EntryRow { replica, seq, signature: key.sign(&body), body }
}

pub fn body_hash(entry: &EntryRow) -> String {
    hash(&entry.body).to_string()
}

/// Every entry of a workspace.
pub fn entries(db: &Db) -> Vec<EntryRow> {
    let mut all = Vec::new();
    db::journal::for_each_entry(&db.conn, |entry| {
        all.push(entry);
        true
    })
    .unwrap();
    all
}

pub fn workspace_id(db: &Db) -> Hash {
    Hash::from_bytes(&db::journal::meta(&db.conn, "workspace").unwrap().unwrap()).unwrap()
}

pub fn digest(db: &Db) -> Hash {
    casework::journal::digest::digest(&db.conn).unwrap()
}

/// Runs a program that is given its input through a pipe.
pub fn piped(command: &mut Command, input: &[u8]) -> Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

/// Six cases, p0 to p5, of a team in which ana leads, and bo and cy review.
pub fn team_of_three() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String =
        (0..6).map(|i| line(&format!("p{i}"), &format!("move money {i}"), "pay", 0.2, i)).collect();
    ingest(&mut workspace, &lines);
    drop(workspace);
    for name in ["bo", "cy"] {
        place.ok(&["roster", "admit", name, "--role", "reviewer"]);
    }
    place
}
