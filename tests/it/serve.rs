//! A workspace that is served: what has no place there, and writers who are many.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use casework::cli::asked::{ALLOWED, names_a_file};
use casework::clock;
use casework::config::Env;
use casework::domain::ssh_key::SshKey;
use casework::journal::DeviceKey;
use casework::serve::sshd::Sshd;
use casework::tui::Review;
use casework::workspace::Workspace;

use crate::crash::{acknowledged, labels_there_are};
use crate::keys::Keys as _;
use crate::pty::Term;
use crate::support::{
    Place, binary, entries, has, ingest, line, number, piped, program, team_of_three,
};

fn place_with_a_case() -> Place {
    let place = Place::new();
    ingest(&mut place.create(), &line("a", "where is my parcel", "x", 0.3, 1));
    place
}

#[test]
fn a_served_screen_starts_nothing_and_says_so() {
    let place = place_with_a_case();
    let open = |served: bool| {
        let mut workspace = place.open();
        workspace.served = served;
        let mut review = Review::new(workspace, (160, 45), clock::now, None, |_| {}).unwrap();
        review.press("Enter");
        review
    };
    for key in ["R", "ctrl-z", "ctrl-y"] {
        let mut review = open(true);
        let left = review.press(key);
        let said = review.text();
        assert!(said.contains("Not over SSH"), "{key}: {said}");
        assert!(left.is_empty() && review.front.wishes.is_empty(), "{key}: {left:?}");
        assert!(!open(false).press_and_read(key).contains("Not over SSH"), "{key}");
    }
    // By name they are not even offered.
    for name in ["suspend", "editor", "copy"] {
        for (served, offered) in [(true, false), (false, true)] {
            let mut review = open(served);
            review.press("ctrl-p");
            name.chars().for_each(|c| drop(review.press(&c.to_string())));
            let text = review.text();
            let row = text.lines().any(|row| row.contains(&format!(" {name} ")));
            assert_eq!(row, offered, "{name} {served}: {text}");
        }
    }
}

/// Whoever reads an address over SSH would open it on a machine that the desk knows nothing of.
#[test]
fn addresses_are_links_at_the_desk_and_not_over_ssh() {
    let Some(desk) = Desk::new() else { return };
    let text = "see https://example.org/parcels/7";
    // Some are bo's.
    let lines: String = (0..9).map(|n| line(&format!("a{n}"), text, "x", 0.3, n)).collect();
    ingest(&mut desk.place.open(), &lines);
    let session = desk.session("bo", "bo", None);
    let program = session.get_program().to_str().unwrap();
    let words = std::iter::once(program).chain(session.get_args().filter_map(|word| word.to_str()));
    let words: Vec<&str> = words.collect();
    let env = session.get_envs();
    let env: Vec<(&str, &str)> =
        env.filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?))).collect();
    for (words, env, are_links) in [(&words[..1], &[][..], true), (&words, &env, false)] {
        let mut term = Term::run(&desk.place, (160, 45), env, words);
        term.wait_for("Guide");
        term.send("\x1bP>|WezTerm 20240203\x1b\\\x1b[?65;4c\x1b[0n");
        // The next case, until it is the one with the address.
        press_until(&mut term, "]", |term| term.text().contains("  x 0.30"));
        let has_links = |term: &Term| term.written().windows(4).any(|four| four == b"\x1b]8;");
        if are_links {
            press_until(&mut term, "", has_links);
        } else {
            assert!(!has_links(&term), "{}", term.text());
        }
    }
}

/// The terminal answers, and somebody presses keys, until it shows what it has to.
fn press_until(term: &mut Term, keys: &str, shown: impl Fn(&Term) -> bool) {
    let end = clock::instant() + Duration::from_secs(10);
    while !shown(term) {
        assert!(clock::instant() < end, "{}", term.text());
        term.send(&format!("\x1b[0n{keys}"));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn who_comes_in_over_ssh_retires_nobody_from_the_desk_not_even_themselves() {
    let place = team_of_three();
    let retired = |who: &str, served: bool, whom: &str| {
        let mut workspace = Workspace::open(place.paths(), Env::default(), Some(who)).unwrap();
        workspace.served = served;
        workspace.retire(whom, None, "wrong window").map_err(|error| error.told().words)
    };
    let said = retired("bo", true, "bo").unwrap_err();
    assert!(said.contains("comes in over SSH"), "{said}");
    assert_eq!(retired("ana", true, "bo"), Ok(1), "a lead does");
    assert_eq!(retired("cy", false, "cy"), Ok(1), "and whoever's device it is");
}

trait Read {
    fn press_and_read(self, keys: &str) -> String;
}

impl Read for Review {
    fn press_and_read(mut self, keys: &str) -> String {
        self.press(keys);
        self.text()
    }
}

#[test]
fn of_many_writers_none_is_refused() {
    let place = place_with_a_case();
    let written = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let mut workspace = place.open();
                let case = workspace.first_in_queue().unwrap().unwrap().id;
                for n in 0..10 {
                    workspace.comment(case, &format!("number {n}")).unwrap();
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(written.load(Ordering::Relaxed), 240);
    let workspace = place.open();
    assert_eq!(workspace.verify().unwrap().entries, 242 + 1);
}

/// A desk whose people have keys, in a directory below the home: sshd trusts no file below `/tmp`.
struct Desk {
    place: Place,
}

/// What became of a command.
struct Ran {
    code: Option<i32>,
    out: String,
    said: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Desk {
    /// `team_of_three`, in which bo has a key; eve has one that opens nothing.
    fn new() -> Option<Self> {
        let desk = Self { place: team_of_three() };
        for name in ["bo", "eve", "cy"] {
            let mut command = Command::new("ssh-keygen");
            command.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(desk.key(name));
            if !command.status().is_ok_and(|status| status.success()) {
                eprintln!("skipped: ssh-keygen is not here");
                return None;
            }
        }
        desk.place.ok(&["roster", "key", "add", "bo", &desk.public("bo")]);
        Some(desk)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.place.dir.path().join(format!("{name}.key"))
    }

    fn public(&self, name: &str) -> String {
        format!("{}.pub", self.key(name).display())
    }

    fn fingerprint(&self, name: &str) -> String {
        let text = fs::read_to_string(self.public(name)).unwrap();
        SshKey::of_line(&text).unwrap().fingerprint()
    }

    /// What sshd runs for somebody who came with a key and sent a line.
    fn session(&self, name: &str, key: &str, line: Option<&[u8]>) -> Command {
        let auth = self.place.dir.path().join(format!("auth-{key}"));
        let public = fs::read_to_string(self.public(key)).unwrap();
        fs::write(&auth, format!("publickey {public}")).unwrap();
        let mut command = program();
        command.arg("--workspace").arg(self.place.path());
        command.args(["serve", "session", name, &self.fingerprint("bo")]);
        command.env("SSH_USER_AUTH", auth).env("SSH_CONNECTION", "10.0.0.7 1 10.0.0.1 22");
        if let Some(line) = line {
            command.env("SSH_ORIGINAL_COMMAND", std::ffi::OsStr::from_bytes(line));
        }
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> Ran {
        Ran::of(self.session("bo", "bo", Some(line.as_bytes())).output().unwrap())
    }
}

#[test]
fn what_a_client_sends_is_a_command_of_the_list_or_refused() {
    let Some(desk) = Desk::new() else { return };
    let queue = desk.run("queue --json");
    assert!(queue.code == Some(0) && queue.out.lines().count() > 0, "{}", queue.said);
    let shown = desk.run("show p0");
    assert!(shown.out.contains("move money 0"), "{}{}", shown.out, shown.said);
    assert_eq!(desk.run("label p0 --answer readable=n --answer damage=c").code, Some(0));
    assert_eq!(desk.run("steady --json").code, Some(0));
    assert_eq!(desk.run("--json queue").out, desk.run("queue --json").out);
    assert!(desk.run("--linear").out.starts_with("casework, linear mode (--linear)"));
    assert!(desk.run("help").out.contains("casework"));
    // What it lists is what there is.
    let help = desk.run("--help").out;
    let lines = help.lines().filter_map(|line| line.strip_prefix("  ")?.split_once("  "));
    let is_name = |name: &str| name.starts_with(|c: char| c.is_ascii_lowercase());
    let mut listed: Vec<&str> = lines.map(|(name, _)| name).filter(|name| is_name(name)).collect();
    listed.sort_unstable();
    let mut allowed = ALLOWED.to_vec();
    allowed.sort_unstable();
    assert_eq!(listed, allowed, "{help}");
    assert!(!help.contains("--workspace") && help.contains("--json"), "{help}");
    let refused = |line: &[u8], expect: &str| {
        let ran = Ran::of(desk.session("bo", "bo", Some(line)).output().unwrap());
        assert_eq!(ran.code, Some(2), "{line:?}: {} {}", ran.out, ran.said);
        assert!(
            ran.said.contains(expect) && ran.out.is_empty(),
            "{line:?}: {} {}",
            ran.out,
            ran.said
        );
    };
    let long = [b"show ".as_slice(), &[b'x'; 70_000]].concat();
    let there = "over SSH there are queue, show";
    for (line, expect) in [
        (b"sh".as_slice(), there),
        (b"queue; id", there),
        (b"$(id)", there),
        (b"`id`", there),
        (b"|id", there),
        (b"scp -t /", there),
        (b"/usr/lib/openssh/sftp-server", there),
        (b"serve session ana SHA256:x", there),
        (b"roster admit eve --role lead --here", there),
        (b"ingest -", there),
        (b"run", there),
        (b"", "what is to be done is not said"),
        (b"queue\nid", "can't be read"),
        (b"queue 'a", "can't be read"),
        (b"queue \xff", "no UTF-8"),
        (&long, "longer than 64 KB"),
        (b"queue --workspace /tmp", "--workspace is not taken"),
        (b"--workspace=/ queue", "--workspace is not taken"),
        (b"queue --as ana", "--as is not taken"),
        (b"--as queue roster show", there),
        (b"--json sh", there),
        (b"--at 1d doctor", there),
        (b"export --out /tmp/x", "--out is not taken"),
        (b"protocol check /etc/passwd", "FILE is not taken"),
        (b"audit export --out x", "--out is not taken"),
    ] {
        refused(line, expect);
    }
    // A protocol of theirs is read as it comes; it names no file of this machine.
    let check = |text: &str| {
        let line = Some(b"protocol check -".as_slice());
        Ran::of(piped(&mut desk.session("bo", "bo", line), text.as_bytes()))
    };
    let protocol = fs::read_to_string(crate::support::fixture("intent-edge-cases.toml")).unwrap();
    let reads = |text: &str| check(text).said.contains("standard input has not beside it");
    assert!(reads(&protocol), "{}", check(&protocol).said);
    let whole = "id = \"x\"\ntitle = \"x\"\nstart = \"a\"\n\n[[question]]\nid = \"a\"\nask = \"Where?\"\nkind = \"span\"\nsets = \"a\"\nmin = 0\n";
    assert_eq!(check(whole).code, Some(0), "{}", check(whole).said);
    assert!(check(&"x".repeat((8 << 20) + 1)).said.contains("more than 8 MB"));
    let shown = desk.run("protocol show edge-cases");
    assert_eq!(shown.code, Some(0), "{}", shown.said);
    let here = desk.run("protocol show ../../../../../../../etc/passwd");
    assert!(here.code == Some(2) && !here.said.contains("root:"), "{}", here.said);
    for line in ["protocol diff /etc/passwd -", "protocol replay ../device.key"] {
        let refused = desk.run(line);
        assert!(
            refused.code == Some(2) && refused.said.contains("no number of a version"),
            "{line}"
        );
    }
    // What is in quotes is a word, whatever it looks like.
    assert_eq!(desk.run("comment p1 '$(id); `id` > /tmp/x'").code, Some(0));
    assert!(desk.run("show p1 --json").out.contains("$(id); `id` > /tmp/x"));
    // It is written in bo's name, and says by which visit: one, however many commands.
    let bodies: Vec<String> = entries(desk.place.open().tables())
        .iter()
        .map(|entry| String::from_utf8_lossy(&entry.body).into_owned())
        .collect();
    let passed = bodies.iter().filter(|body| body.contains("door.passed"));
    assert_eq!(passed.count(), 1);
    let commented = bodies.iter().find(|body| body.contains("case.commented")).unwrap();
    assert!(commented.contains("\"author\":\"bo\""), "{commented}");
    assert!(commented.contains("\"visit\":\""), "{commented}");
}

#[test]
fn no_argument_of_an_allowed_command_names_a_file_unseen() {
    fn walk(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for arg in command.get_arguments().filter(|arg| names_a_file(arg)) {
            found.push(format!("{path} {}", arg.get_id()));
        }
        for sub in command.get_subcommands() {
            walk(sub, &format!("{path} {}", sub.get_name()), found);
        }
    }
    let all = <casework::cli::Cli as clap::CommandFactory>::command();
    let mut found = Vec::new();
    for name in ALLOWED {
        let command = all.find_subcommand(name).unwrap_or_else(|| panic!("{name} is no command"));
        walk(command, name, &mut found);
    }
    found.sort();
    insta::assert_snapshot!("served_files", found.join("\n"));
}

#[test]
fn the_door_is_asked_again_by_every_session() {
    let Some(desk) = Desk::new() else { return };
    let closed = |ran: Ran, why: &str| {
        assert_eq!(ran.code, Some(2), "{why}: {} {}", ran.out, ran.said);
        assert!(ran.said.contains("the door is closed"), "{why}: {}", ran.said);
        assert!(ran.out.is_empty(), "{why}: {}", ran.out);
    };
    let status =
        |name: &str, key: &str| Ran::of(desk.session(name, key, Some(b"status")).output().unwrap());
    assert_eq!(status("bo", "bo").code, Some(0));
    closed(status("bo", "eve"), "another key than the one that let them in");
    closed(status("ana", "bo"), "another name than the key's");
    closed(status("zed", "bo"), "a name that nobody has");
    let mut without = desk.session("bo", "bo", Some(b"status"));
    closed(Ran::of(without.env_remove("SSH_USER_AUTH").output().unwrap()), "no word of sshd's");
    // A second name has no place at the same key.
    let both = Ran::of(desk.place.run(&["roster", "key", "add", "cy", &desk.public("bo")]));
    assert!(both.said.contains("is bo's already"), "{}", both.said);
    let past = ["roster", "key", "add", "bo", &desk.public("bo"), "--until", "2026-01-01"];
    desk.place.ok(&past);
    closed(status("bo", "bo"), "its time is over");
    desk.place.ok(&["roster", "key", "add", "bo", &desk.public("bo")]);
    assert_eq!(status("bo", "bo").code, Some(0));
    desk.place.ok(&["roster", "key", "drop", "bo", &desk.fingerprint("bo")]);
    closed(status("bo", "bo"), "the key was dropped");
    desk.place.ok(&["roster", "key", "add", "bo", &desk.public("bo")]);
    desk.place.ok(&["roster", "retire", "bo"]);
    closed(status("bo", "bo"), "bo was retired");
    assert!(
        desk.place.ok(&["roster", "key", "list"]).contains("SHUT: bo does not work on this device")
    );
}

#[test]
fn a_case_that_a_person_has_open_twice_is_taken_over_with_what_was_begun() {
    let Some(desk) = Desk::new() else { return };
    let screen = || {
        let session = desk.session("bo", "bo", None);
        let text = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
        let args: Vec<String> =
            std::iter::once(session.get_program()).chain(session.get_args()).map(text).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let env: Vec<(String, String)> = session
            .get_envs()
            .filter_map(|(name, value)| Some((text(name), text(value?))))
            .filter(|(name, _)| name.starts_with("SSH_"))
            .collect();
        let env: Vec<(&str, &str)> =
            env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Term::run(&desk.place, (120, 30), &env, &args)
    };
    let who = || -> Vec<serde_json::Value> {
        let told = desk.place.ok(&["serve", "who", "--json"]);
        told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let asked = |text: &str| {
        text.lines().find(|line| line.contains('▸')).map(|line| line.trim().to_owned())
    };
    let mut first = screen();
    first.wait_for("assigned");
    first.send("\r1");
    let before = asked(&first.text());
    first.wait("the next question", |text| asked(text).is_some_and(|now| Some(now) != before));
    let at = who()[0]["case"].clone();
    assert!(at.is_string(), "{:?}", who());
    let mut second = screen();
    second.wait_for(". Z takes over.");
    assert_eq!(who().iter().filter(|session| session["case"] == at).count(), 2);
    second.send("Z");
    assert_eq!(first.wait_end(), 0);
    second.wait_for("Your other session has left");
    assert_ne!(asked(&second.text()), before, "it goes on with what was begun");
    assert_eq!(who().len(), 1);
    second.send("Z");
    second.wait_for("No other session of yours");
    second.send("q");
    assert_eq!(second.wait_end(), 0);
    assert!(who().is_empty());
}

#[test]
fn doctor_tells_that_sshd_died_today_and_not_that_it_did_once() {
    let Some(desk) = Desk::new() else { return };
    let told = |at: i64| {
        let at = casework::domain::time::Moment(clock::now().0 - at).rfc3339();
        let directory = desk.place.path().join("serve");
        fs::create_dir_all(&directory).unwrap();
        let line = format!("{at} casework: sshd ended (signal: 11)\n");
        fs::write(directory.join("log"), line.repeat(2)).unwrap();
        Ran::of(desk.place.run(&["doctor"])).out
    };
    let today = told(3_600_000);
    assert!(today.contains("sshd died 2 times in the last 24 hours"), "{today}");
    assert!(!told(3 * 86_400_000).contains("sshd died"));
}

#[test]
fn of_a_file_of_keys_every_one_is_named() {
    let Some(desk) = Desk::new() else { return };
    let rsa = desk.key("rsa");
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f"]).arg(&rsa);
    if !command.status().unwrap().success() {
        return eprintln!("skipped: this ssh-keygen makes no short keys");
    }
    let read = |name: &str| fs::read_to_string(desk.public(name)).unwrap();
    let several = desk.place.dir.path().join("several");
    let text = format!(
        "# ours\n\n{}restrict,from=\"10.0.0.1\" {}{}",
        read("rsa"),
        read("cy"),
        read("eve")
    );
    fs::write(&several, text).unwrap();
    let add = |file: &Path| {
        Ran::of(desk.place.run(&["roster", "key", "add", "cy", file.to_str().unwrap()]))
    };
    let ran = add(&several);
    assert_eq!(ran.code, Some(2));
    assert!(ran.said.contains("RSA of 1024 bits is too short"), "{}", ran.said);
    for name in ["cy", "eve"] {
        assert!(
            ran.said.contains(&format!("cy comes in with {}", desk.fingerprint(name))),
            "{}",
            ran.said
        );
    }
    assert!(add(&desk.key("eve")).said.contains("is a private key"), "{}", ran.said);
    fs::write(&several, "nothing\n").unwrap();
    assert!(add(&several).said.contains("holds no public SSH key"));
}

/// Signs the key of somebody for names, and returns the line of the certificate.
fn certify(desk: &Desk, by: &str, name: &str, names: &str, until: &str) -> String {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-s"]).arg(desk.key(by)).args(["-I", "at work", "-z", "7"]);
    command.args(["-n", names, "-V", until]).arg(desk.public(name));
    assert!(command.status().unwrap().success());
    fs::read_to_string(format!("{}-cert.pub", desk.key(name).display())).unwrap()
}

/// A certificate of an authority that is trusted lets its names in, and nobody else; what is written says
/// whose word it was.
#[test]
fn a_certificate_lets_in_for_whom_it_is() {
    let Some(desk) = Desk::new() else { return };
    let come = |name: &str, line: &str| {
        let command = desk.session(name, "bo", Some(b"status"));
        let at = command.get_args().count() - 1;
        let args: Vec<_> = command.get_args().take(at).map(ToOwned::to_owned).collect();
        let auth = desk.place.dir.path().join("auth-cert");
        fs::write(&auth, format!("publickey {line}")).unwrap();
        let mut again = program();
        again.args(args).arg("certificate").env("SSH_USER_AUTH", auth);
        again.env("SSH_CONNECTION", "10.0.0.7 1 10.0.0.1 22").env("SSH_ORIGINAL_COMMAND", "status");
        Ran::of(again.stdin(Stdio::null()).output().unwrap())
    };
    let good = certify(&desk, "eve", "cy", "cy,everybody", "+1h");
    assert!(come("cy", &good).said.contains("the door is closed"), "nobody is trusted yet");
    trust(&desk);
    let ran = come("cy", &good);
    assert_eq!(ran.code, Some(0), "{}", ran.said);
    let public = fs::read_to_string(desk.public("cy")).unwrap();
    for (name, line, why) in [
        ("bo", good.clone(), "it is for somebody else"),
        ("everybody", good.clone(), "nobody is called so here"),
        ("cy", certify(&desk, "bo", "cy", "cy", "+1h"), "of another authority"),
        ("cy", certify(&desk, "eve", "cy", "cy", "20200101:20200102"), "it is over"),
        ("cy", certify(&desk, "eve", "cy", "cy", "20900101:20910101"), "it is not yet"),
        ("cy", public, "a key is no certificate"),
        ("cy", good[..good.len() / 2].to_owned(), "cut"),
    ] {
        let ran = come(name, &line);
        assert!(
            ran.code == Some(2) && ran.said.contains("the door is closed"),
            "{why}: {}",
            ran.said
        );
        assert!(ran.out.is_empty(), "{why}");
    }
    let bodies = entries(desk.place.open().tables());
    let bodies: Vec<_> = bodies.iter().map(|entry| String::from_utf8_lossy(&entry.body)).collect();
    let passed = bodies.iter().find(|body| body.contains("door.passed")).unwrap();
    let word = format!("at work (serial 7) by {}", desk.fingerprint("eve"));
    assert!(passed.contains(&word) && passed.contains(&desk.fingerprint("cy")), "{passed}");
    desk.place.ok(&["roster", "retire", "cy"]);
    assert!(come("cy", &good).said.contains("the door is closed"), "retired");
}

/// Whoever came over SSH can name no place on this machine: what is a folder goes out as a tar.
#[test]
fn folders_go_out_over_ssh() {
    if !has("folders_go_out_over_ssh", "b3sum") {
        return;
    }
    let Some(desk) = Desk::new() else { return };
    desk.run("label p0 --answer readable=n --answer damage=c");
    // The journal says what others said.
    for line in ["audit export", "audit due", "export"] {
        let refused = desk.run(line);
        assert!(refused.code == Some(2) && refused.said.contains("for leads, engineers"), "{line}");
    }
    // Nor does it go to whoever reviews beside.
    desk.place.ok(&["roster", "admit", "bo", "--role", "auditor"]);
    let refused = desk.run("audit export");
    assert!(
        refused.code == Some(2) && refused.said.contains("reviews nothing"),
        "{}",
        refused.said
    );
    assert!(desk.run("export").code == Some(0), "what may be seen");
    desk.place.ok(&["roster", "key", "drop", "bo", &desk.fingerprint("bo")]);
    desk.place.ok(&["roster", "admit", "dee", "--role", "auditor", "--here"]);
    desk.place.ok(&["roster", "key", "add", "dee", &desk.public("bo")]);
    // What a session left that was ended goes with the next; what another sends stays.
    let left = desk.place.path().join(".casework-export-2000000000-x");
    let stays = desk.place.path().join(format!(".casework-export-{}-y", std::process::id()));
    fs::create_dir(&left).unwrap();
    fs::create_dir(&stays).unwrap();
    let sent = |line: &str, folder: &str| -> PathBuf {
        let ask = || piped(&mut desk.session("dee", "bo", Some(line.as_bytes())), b"");
        let output = ask();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {said}");
        // An audit says when it was written.
        assert!(line.starts_with("audit") || ask().stdout == output.stdout, "{line}");
        let place = desk.place.dir.path().join(folder);
        tar::Archive::new(&*output.stdout).unpack(&place).unwrap();
        place
    };
    let audit = sent("audit export", "audit");
    let check = Command::new("bash").arg("check.sh").current_dir(&audit).output().unwrap();
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(check.status.success(), "{said} {}", String::from_utf8_lossy(&check.stderr));
    assert!(!left.exists() && stays.exists());
    fs::remove_dir(stays).unwrap();
    let recorded = desk.place.ok(&["export", "--recorded"]);
    assert!(recorded.contains("journal as audit"), "{recorded}");
    let studio = sent("export --format label-studio", "studio");
    assert!(fs::read_to_string(studio.join("tasks.json")).unwrap().contains("bo"));
    assert!(studio.join("config.xml").exists());
    let left = fs::read_dir(desk.place.path()).unwrap().flatten();
    let left: Vec<_> =
        left.filter(|entry| entry.file_name().to_string_lossy().contains("export")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_session_that_could_not_write_who_it_is_is_known_by_its_files_name() {
    let place = place_with_a_case();
    let directory = casework::serve::place::Place::open(&place.path()).unwrap();
    let path = place.path().join("serve/live").join(format!("bo@{}", std::process::id()));
    let file = fs::File::create(&path).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let all = casework::serve::live::all(&directory);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].name.as_str(), all[0].process), ("bo", std::process::id() as i32));
}

/// Nobody is kept out because nothing can be written.
#[test]
fn on_a_full_disk_people_come_in_and_read() {
    let place = team_of_three();
    let mut workspace = Workspace::open(place.paths(), Env::default(), Some("ana")).unwrap();
    let room = |workspace: &Workspace, pages: u32| {
        workspace.tables().conn.pragma_update(None, "max_page_count", pages).unwrap();
    };
    room(&workspace, 1);
    let before = entries(workspace.tables()).len();
    let client = "x".repeat(1 << 20);
    workspace.pass_door("SHA256:x", None, &client).unwrap();
    let case = workspace.first_in_queue().unwrap().unwrap().id;
    let told = workspace.comment(case, "why").unwrap_err().unless_full(&place.path());
    assert!(told.to_string().contains("the disk is full"), "{told}");
    assert_eq!(entries(workspace.tables()).len(), before);
    // Once there is room, how they came in is written before what they write.
    room(&workspace, u32::MAX);
    workspace.comment(case, "why").unwrap();
    let written = entries(workspace.tables());
    let bodies: Vec<_> =
        written[before..].iter().map(|entry| String::from_utf8_lossy(&entry.body)).collect();
    assert_eq!(bodies.len(), 2, "{bodies:?}");
    assert!(bodies[0].contains("door.passed") && !bodies[0].contains("\"visit\""));
    let visit = format!("\"visit\":\"{}:{}:0\"", written[before].replica, written[before].seq);
    assert!(bodies[1].contains(&visit), "{} has no {visit}", bodies[1]);
}

#[test]
fn what_could_not_be_kept_is_said_when_one_leaves() {
    let place = place_with_a_case();
    let workspace = place.open();
    let mut session = Review::new(workspace, (100, 30), clock::now, None, |_| {}).unwrap();
    assert!(session.reader.finish().is_none());
    let mut session = Review::new(place.open(), (100, 30), clock::now, None, |_| {}).unwrap();
    session.press("1");
    let conn = place.open();
    conn.tables().conn.execute_batch("DROP TABLE local_draft").unwrap();
    assert!(session.reader.finish().is_some());
}

#[test]
fn a_person_holds_the_desk_to_what_it_wrote() {
    let Some(desk) = Desk::new() else { return };
    let sign = |name: &str, text: &str| {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-Y", "sign", "-n", "casework", "-f"]).arg(desk.key(name));
        String::from_utf8(piped(&mut command, text.as_bytes()).stdout).unwrap()
    };
    let give = |line: &str, text: &str| {
        Ran::of(piped(&mut desk.session("bo", "bo", Some(line.as_bytes())), text.as_bytes()))
    };
    let print = desk.run("vouch --print").out;
    let vouched = give("vouch", &sign("bo", &print));
    assert_eq!(vouched.code, Some(0), "{}", vouched.said);
    for bad in [sign("eve", &print), sign("bo", "something else\n"), "nothing".to_owned()] {
        assert_eq!(give("vouch", &bad).code, Some(2), "{bad}");
    }
    assert!(give("countersign", &sign("bo", "x")).said.contains("nothing was printed"));
    assert!(desk.run("countersign --print").said.contains("nothing of bo"));
    desk.run("label p0 --answer readable=n --answer damage=c");
    let print = desk.run("countersign --print").out;
    desk.run("label p1 --answer readable=n --answer damage=c");
    let signed = give("countersign", &sign("bo", &print));
    assert_eq!(signed.code, Some(0), "{}", signed.said);
    // An auditor needs nothing but ssh-keygen.
    let statement = desk.place.dir.path().join("statement");
    fs::write(&statement, &print).unwrap();
    let verified = desk.place.ok(&["verify"]);
    assert!(
        verified.contains("bo holds") && verified.contains("1 entry of theirs since"),
        "{verified}"
    );
    // Without casework too.
    let audited = |name: &str| {
        let bundle = desk.place.dir.path().join(name);
        desk.place.ok(&["audit", "export", "--out", bundle.to_str().unwrap()]);
        let check = Command::new("bash").arg("check.sh").current_dir(&bundle).output().unwrap();
        (check.status.success(), String::from_utf8_lossy(&check.stdout).into_owned())
    };
    let b3sum = has("a_person_holds_the_desk_to_what_it_wrote", "b3sum");
    if b3sum {
        let (good, said) = audited("audit");
        assert!(good, "{said}");
        let by = format!("by {}\n", desk.fingerprint("bo"));
        for words in ["bo holds ", "bo says that "] {
            assert!(said.lines().any(|line| line.starts_with(words)), "{words}: {said}");
        }
        assert_eq!(said.matches(&by).count(), 2, "{said}");
    }
    // Whoever has the device's key writes another history: another label in the place of bo's.
    let place = &desk.place;
    let workspace = place.open();
    let conn = &workspace.tables().conn;
    let bodies = entries(workspace.tables());
    let at = bodies
        .iter()
        .position(|entry| String::from_utf8_lossy(&entry.body).contains("label.given"));
    let entry = &bodies[at.unwrap()];
    let body =
        String::from_utf8(entry.body.clone()).unwrap().replace("\"unreadable\"", "\"unreadabl3\"");
    let forged = DeviceKey::from_seed([1; 32]).sign(body.as_bytes());
    let sql = "UPDATE journal_entry SET body = ?1, signature = ?2 WHERE seq = ?3";
    let values = rusqlite::params![body.as_bytes(), forged, entry.seq];
    assert_eq!(conn.execute(sql, values).unwrap(), 1);
    let said = place.run_text(&["verify", "--quick"]);
    assert!(said.contains("what bo countersigned does not hold"), "{said}");
    if b3sum {
        let (good, said) = audited("forged");
        assert!(!good && said.contains("is not the one that bo countersigned"), "{said}");
    }
}

/// By policy, whoever leaves is told what they have not countersigned, with how to.
#[test]
fn who_leaves_is_asked_to_countersign() {
    let Some(desk) = Desk::new() else { return };
    let leave = || Ran::of(piped(&mut desk.session("bo", "bo", None), b"q\n")).said;
    desk.run("label p0 --answer readable=n --answer damage=c");
    let told = "has not countersigned what this desk wrote for you: 1 entry since";
    assert!(!leave().contains("countersigned"), "nobody is asked at first");
    desk.place.ok(&["policy", "set", "countersign=weekly"]);
    assert!(!leave().contains("countersigned"), "it is not a week yet");
    assert!(!desk.place.run_text(&["doctor"]).contains("countersigned"));
    desk.place.ok(&["policy", "set", "countersign=asked"]);
    let said = leave();
    assert!(said.contains(told) && said.contains("ssh desk countersign --print"), "{said}");
    let linear = piped(&mut desk.session("bo", "bo", Some(b"--linear")), b"q\n").stderr;
    assert!(String::from_utf8_lossy(&linear).contains(told), "whoever asks for lines reviews too");
    let statement = desk.run("countersign --print").out;
    let mut sign = Command::new("ssh-keygen");
    sign.args(["-q", "-Y", "sign", "-n", "casework", "-f"]).arg(desk.key("bo"));
    let signed = piped(&mut sign, statement.as_bytes()).stdout;
    let gave = piped(&mut desk.session("bo", "bo", Some(b"countersign")), &signed);
    assert!(gave.status.success(), "{}", String::from_utf8_lossy(&gave.stderr));
    assert!(!leave().contains("countersigned"), "nothing is new");
    desk.run("label p1 --answer readable=n --answer damage=c");
    assert!(leave().contains(told));
}

/// A desk with its sshd, in an account that is nobody's: run by `.ci/run`.
struct Served {
    desk: Desk,
    server: Child,
    port: u16,
}

impl Served {
    /// None where there is no sshd, or where root runs the tests: casework serves for no root.
    fn start() -> Option<Self> {
        Self::start_of(|_| {})
    }

    /// The same of a desk that something was done to before.
    fn start_of(prepare: impl Fn(&Desk)) -> Option<Self> {
        if rustix::process::geteuid().is_root() {
            eprintln!("skipped: root serves nobody; .ci/run runs this in another account");
            return None;
        }
        if Sshd::find("").is_err() || Command::new("ssh").arg("-V").output().is_err() {
            eprintln!("skipped: no sshd and ssh here");
            return None;
        }
        let desk = Desk::new()?;
        prepare(&desk);
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = program();
        command.arg("--workspace").arg(desk.place.path());
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let said: Vec<String> = lines.by_ref().map_while(Result::ok).take(2).collect();
        assert!(said.iter().any(|line| line.contains("Its key is SHA256:")), "{said:?}");
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Some(Self { desk, server, port })
    }

    fn options(&self, key: &str) -> Vec<String> {
        let known = self.desk.place.dir.path().join("known");
        let mut options: Vec<String> = ["-F", "none", "-T"].map(str::to_owned).to_vec();
        for option in [
            "BatchMode=yes".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
            "IdentityAgent=none".to_owned(),
            "StrictHostKeyChecking=accept-new".to_owned(),
            "LogLevel=ERROR".to_owned(),
            format!("UserKnownHostsFile={}", known.display()),
            format!("IdentityFile={}", self.desk.key(key).display()),
            format!("Port={}", self.port),
        ] {
            options.extend(["-o".to_owned(), option]);
        }
        options
    }

    fn account() -> String {
        let said = Command::new("id").arg("-un").output().unwrap().stdout;
        String::from_utf8(said).unwrap().trim().to_owned()
    }

    fn there() -> String {
        format!("{}@127.0.0.1", Self::account())
    }

    fn ssh(&self, key: &str, more: &[&str]) -> Ran {
        let mut command = Command::new("ssh");
        command.args(self.options(key)).args(more).stdin(Stdio::null());
        Ran::of(command.output().unwrap())
    }

    /// The screen of bo.
    fn screen(&self) -> Term {
        let mut args = vec!["ssh".to_owned()];
        args.extend(self.options("bo").into_iter().filter(|option| option != "-T"));
        args.extend(["-tt".to_owned(), Self::there()]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Term::run(&self.desk.place, (100, 30), &[], &args)
    }

    /// The same; none where sshd gives no terminals.
    fn first_screen(&self) -> Option<Term> {
        let term = self.screen();
        let end = clock::instant() + Duration::from_secs(8);
        while !term.text().contains("assigned") && clock::instant() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        if !term.text().contains("assigned") {
            // An sshd without root needs terminals that belong to a group: see `casework doctor`.
            eprintln!("skipped: sshd gives no terminal here: {}", term.text());
            return None;
        }
        Some(term)
    }

    fn says(&self, line: &str) -> Ran {
        self.ssh("bo", &[&Self::there(), line])
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let pid = self.server.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.server.wait();
    }
}

#[test]
fn over_ssh_a_key_is_all_that_a_reviewer_needs() {
    let Some(served) = Served::start() else { return };
    let queue = served.says("queue --json");
    assert!(queue.code == Some(0) && queue.out.lines().count() > 0, "{} {}", queue.out, queue.said);
    let labeled = served.says("label p0 --answer readable=n --answer damage=c");
    assert_eq!(labeled.code, Some(0), "{}", labeled.said);
    // Without a terminal the review goes line by line.
    let mut command = Command::new("ssh");
    command.args(served.options("bo")).arg(Served::there());
    let review = Ran::of(piped(&mut command, b"quit\n"));
    assert!(review.out.starts_with("casework, linear mode"), "{} {}", review.out, review.said);
    let who = served.desk.place.ok(&["serve", "who", "--json"]);
    assert!(who.is_empty(), "all have left: {who}");
    let log = served.desk.place.ok(&["serve", "log"]);
    assert!(log.contains("bo came in with SHA256:") && log.contains("label p0"), "{log}");
    assert!(served.desk.place.ok(&["verify"]).contains("0 faults"));
}

#[test]
fn over_ssh_the_door_opens_for_its_key_alone() {
    let Some(served) = Served::start() else { return };
    let there = Served::there();
    let refused = |ran: Ran, why: &str| {
        assert_eq!(ran.code, Some(255), "{why}: {} {}", ran.out, ran.said);
        let last = ran.said.trim_end().lines().last().unwrap_or_default();
        let told = last.ends_with("Permission denied (publickey).");
        assert!(told && ran.out.is_empty(), "{why}: {} {}", ran.out, ran.said);
    };
    refused(served.ssh("eve", &[&there, "status"]), "a stranger's key");
    // The public key of bo is offered first, and the way in is eve's own: who one is was never what
    // was offered.
    let public = served.desk.public("bo");
    fs::set_permissions(&public, fs::Permissions::from_mode(0o600)).unwrap();
    let offered = format!("IdentityFile={public}");
    refused(served.ssh("eve", &["-o", &offered, &there, "status"]), "offered, then another key");
    refused(served.ssh("bo", &["root@127.0.0.1", "status"]), "root");
    refused(served.ssh("bo", &["nobody@127.0.0.1", "status"]), "another account");
    for method in ["password", "keyboard-interactive", "hostbased", "none"] {
        let only = format!("PreferredAuthentications={method}");
        refused(served.ssh("bo", &["-o", &only, &there, "status"]), method);
    }
    let place = &served.desk.place;
    let wait = || std::thread::sleep(Duration::from_millis(1_500));
    let add = |more: &[&str]| {
        place.ok(&[&["roster", "key", "add", "bo", public.as_str()], more].concat());
        wait();
    };
    add(&["--from", "10.99.0.0/16"]);
    refused(served.says("status"), "from elsewhere");
    add(&["--until", "2026-01-01"]);
    refused(served.says("status"), "its time is over");
    add(&["--from", "127.0.0.0/8", "--until", "90d"]);
    assert_eq!(served.says("status").code, Some(0));
    place.ok(&["roster", "key", "drop", "bo", &served.desk.fingerprint("bo")]);
    wait();
    refused(served.says("status"), "the door was closed");
    let log = place.ok(&["serve", "log"]);
    assert!(log.contains(&served.desk.fingerprint("eve")), "{log}");
}

/// Has a desk trust eve as an authority.
fn trust(desk: &Desk) {
    let config = format!("[serve]\ntrusted_user_ca = \"{}\"\n", desk.public("eve"));
    fs::write(desk.place.path().join("config.toml"), config).unwrap();
}

/// sshd lets in who has a certificate of an authority that the desk trusts, by a name that works here.
#[test]
fn over_ssh_a_certificate_lets_in() {
    let Some(served) = Served::start_of(trust) else { return };
    let there = Served::there();
    let come = |by: &str, names: &str| {
        certify(&served.desk, by, "cy", names, "+1h");
        served.ssh("cy", &[&there, "status --json"])
    };
    let ran = come("eve", "everybody,cy");
    assert_eq!(ran.code, Some(0), "{} {}", ran.out, ran.said);
    assert_eq!(come("bo", "cy").code, Some(255), "of an authority that nobody trusts");
    assert_eq!(come("eve", "everybody").code, Some(255), "nobody is called so here");
    assert_eq!(served.says("status").code, Some(0), "doors of keys open as before");
    served.desk.place.ok(&["roster", "retire", "cy"]);
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(come("eve", "cy").code, Some(255), "retired");
}

#[test]
fn what_is_printed_for_the_systems_sshd_is_taken_by_it() {
    let Some(served) = Served::start_of(trust) else { return };
    let place = &served.desk.place;
    let sshd = Sshd::find("").unwrap().path;
    let file = place.dir.path().join("drop-in");
    let host_key = place.path().join("serve/hostkey");
    let printed = place.ok(&["serve", "--print", "sshd"]);
    assert!(printed.contains(&format!("Match User {}", Served::account())), "{printed}");
    assert!(printed.contains("TrustedUserCAKeys \"") && printed.contains("serve principals %u"));
    fs::write(&file, format!("HostKey {}\n{printed}", host_key.display())).unwrap();
    let output = Command::new(sshd).arg("-t").arg("-f").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}\n{printed}", String::from_utf8_lossy(&output.stderr));
    assert!(place.ok(&["serve", "--print", "systemd"]).contains("ExecStart=\""));
    let store = place.dir.path().join("store").display().to_string();
    assert!(!printed.contains("sync --watch"), "{printed}");
    place.ok(&["sync", "--store", &store]);
    let printed = place.ok(&["serve", "--print", "sshd"]);
    assert!(printed.contains("`casework sync --watch`"), "{printed}");
    let unit = place.ok(&["serve", "--print", "systemd", "--listen", "127.0.0.1:2299"]);
    assert!(unit.contains(&format!("ReadWritePaths=\"{store}\"\n")), "{unit}");
    assert!(unit.contains(" serve --listen 127.0.0.1:2299\n"), "{unit}");
}

#[test]
fn over_ssh_nothing_but_a_session_is_to_be_had() {
    let Some(served) = Served::start() else { return };
    let there = Served::there();
    for line in ["sh", "queue; id", "$(id)", "scp -f /etc/passwd", "bash -i"] {
        let ran = served.says(line);
        assert_eq!(ran.code, Some(2), "{line}: {} {}", ran.out, ran.said);
        assert!(ran.said.contains("not done over SSH"), "{line}: {}", ran.said);
    }
    let ran = served.says("queue\nid");
    assert!(ran.code == Some(2) && ran.said.contains("can't be read"), "{}", ran.said);
    let subsystem = served.ssh("bo", &["-s", &there, "sftp"]);
    assert_ne!(subsystem.code, Some(0));
    // Forwardings are asked for and refused; what is said besides is done.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let back = format!("{port}:127.0.0.1:22");
    let ran = served.ssh("bo", &["-o", "ExitOnForwardFailure=yes", "-R", &back, &there, "status"]);
    assert_eq!(ran.code, Some(255), "-R: {} {}", ran.out, ran.said);
    let through = format!("127.0.0.1:{}", served.port);
    let ran = served.ssh("bo", &["-W", &through, &there]);
    assert!(ran.code != Some(0) && !ran.out.contains("SSH-2.0"), "-W: {} {}", ran.out, ran.said);
    let mut command = Command::new("scp");
    command.args(["-q", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"]);
    let known = served.desk.place.dir.path().join("known");
    command.arg("-o").arg(format!("UserKnownHostsFile={}", known.display()));
    command.args(["-P", &served.port.to_string(), "-i"]).arg(served.desk.key("bo"));
    let taken = served.desk.place.dir.path().join("taken");
    command.arg(format!("{there}:{}", served.desk.place.paths().database().display())).arg(&taken);
    assert!(!command.output().unwrap().status.success() && !taken.exists());
}

/// What ssh can ask for besides a command, and commands that are none.
#[test]
fn over_ssh_no_channel_leads_anywhere_else() {
    let Some(served) = Served::start() else { return };
    let there = Served::there();
    let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let target = format!("127.0.0.1:{}", served.port);
    // A way through the desk to its own port, which would greet whoever comes out there.
    let (local, socks) = (free(), free());
    let mut forwarding = Command::new("ssh");
    forwarding.args(served.options("bo")).args(["-N", "-L", &format!("{local}:{target}")]);
    forwarding.args(["-D", &socks.to_string(), &there]).stdin(Stdio::null());
    let mut forwarding = forwarding.stderr(Stdio::null()).spawn().unwrap();
    let hello_of_socks = [5, 1, 0].to_vec();
    let port = served.port.to_be_bytes();
    let connect = [5, 1, 0, 1, 127, 0, 0, 1, port[0], port[1]].to_vec();
    for (at, says) in [(local, vec![]), (socks, vec![hello_of_socks, connect])] {
        let mut way = (0..200)
            .find_map(|_| {
                std::thread::sleep(Duration::from_millis(25));
                TcpStream::connect(("127.0.0.1", at)).ok()
            })
            .expect("ssh listens");
        way.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        for words in says {
            way.write_all(&words).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        let mut out = Vec::new();
        let _ = way.read_to_end(&mut out);
        assert!(!String::from_utf8_lossy(&out).contains("SSH-2.0"), "{out:?}");
    }
    forwarding.kill().unwrap();
    forwarding.wait().unwrap();

    // Over one connection two things at once, and no third.
    let socket = served.desk.place.dir.path().join("master").display().to_string();
    let mut master = Command::new("ssh");
    master.args(served.options("bo")).args(["-M", "-S", &socket, "-N", &there]);
    let master = master.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let over = || {
        let mut command = Command::new("ssh");
        command.args(served.options("bo")).args(["-S", &socket, "-o", "ProxyCommand=false"]);
        command.arg(&there).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let end = clock::instant() + Duration::from_secs(10);
    while !Path::new(&socket).exists() {
        assert!(clock::instant() < end, "no connection to share");
        std::thread::sleep(Duration::from_millis(20));
    }
    let greeted = |child: &mut Child| {
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line.starts_with("casework, linear mode")
    };
    let (mut first, mut second, mut third) = (over(), over(), over());
    let greetings = [greeted(&mut first), greeted(&mut second), greeted(&mut third)];
    assert_eq!(greetings.iter().filter(|greeted| **greeted).count(), 2, "{greetings:?}");
    for mut child in [first, second, third, master] {
        let _ = child.kill();
        child.wait().unwrap();
    }

    // Nothing of what is no text, or too long, is done.
    let long = format!("comment p0 {}", "x".repeat(100_000));
    let ran = served.says(&long);
    assert_eq!(ran.code, Some(2), "{}", ran.said);
    let mut command = Command::new("ssh");
    command.args(served.options("bo")).arg(&there).stdin(Stdio::null());
    command.arg(std::ffi::OsStr::from_bytes(b"queue \xff\xfe"));
    let ran = Ran::of(command.output().unwrap());
    assert!(ran.code == Some(2) && ran.said.contains("no UTF-8"), "{} {}", ran.out, ran.said);
    // Variables without end, and a terminal that is none.
    let mut more: Vec<String> = Vec::new();
    for n in 0..500 {
        more.extend(["-o".to_owned(), format!("SetEnv=LC_X{n}={}", "\u{1b}]0;x".repeat(40))]);
    }
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let ran = served.ssh("bo", &[&more[..], &[&there, "status"]].concat());
    assert!(!ran.out.contains('\u{1b}') && !ran.said.contains('\u{1b}'), "{}", ran.said);
    let mut args = vec!["ssh".to_owned()];
    args.extend(served.options("bo").into_iter().filter(|option| option != "-T"));
    args.extend(["-tt".to_owned(), there.clone()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let name = format!("xterm{}", "\u{1b}]0;mine\u{7}".repeat(1_000));
    let mut term = Term::run(&served.desk.place, (100, 30), &[("TERM", &name)], &args);
    term.send("\x03");
    std::thread::sleep(Duration::from_millis(1_500));
    let written = term.written();
    assert!(!written.windows(8).any(|eight| eight == b"\x1b]0;mine"), "{}", term.text());
    let _ = term.child.kill();
    let _ = term.child.wait();

    assert_eq!(served.says("status").code, Some(0), "the desk is as it was");
    assert!(served.desk.place.ok(&["verify"]).contains("0 faults"));
}

/// Who is not in yet keeps nobody out, and who is in goes on.
#[test]
fn over_ssh_silent_and_broken_connections_keep_nobody_out() {
    let Some(served) = Served::start() else { return };
    let there = Served::there();
    let connect = || TcpStream::connect(("127.0.0.1", served.port));
    let silent: Vec<_> = (0..number("CASEWORK_SILENT").unwrap_or(150))
        .filter_map(|n| {
            let mut way = connect().ok()?;
            // Some say half of what is said first, some say what nobody understands.
            let _ = match n % 4 {
                0 => way.write_all(b"SSH-2.0-"),
                1 => way.write_all(&[0xff; 4_096]),
                _ => Ok(()),
            };
            Some(way)
        })
        .collect();
    // Cut at every byte of the beginning.
    let begins = b"SSH-2.0-OpenSSH_9.2\r\n\0\0\0\x2c\x06\x14garbage that is no list of algorithms";
    for cut in 0..begins.len() {
        if let Ok(mut way) = connect() {
            let _ = way.write_all(&begins[..cut]);
        }
    }
    // From an address of their own, as people have.
    let from = ["-o", "BindAddress=127.0.0.9"];
    let tries = (1..=3).find(|_| {
        let ran = served.ssh("bo", &[&from[..], &[&there, "status"]].concat());
        ran.code == Some(0)
    });
    assert!(tries.is_some(), "{}", served.desk.place.ok(&["serve", "log"]));
    drop(silent);
    let Some(mut term) = served.first_screen() else { return };
    term.send("1");
    term.wait_for("Is the model's answer right?");
    // Windows of every size, one after the other.
    for n in 0..number("CASEWORK_RESIZES").unwrap_or(200) {
        let (rows, cols) =
            [(0, 0), (1, 1), (65_535, 65_535), (2, 500), (24, 80), (300, 3)][(n % 6) as usize];
        term.resize((cols, rows));
    }
    term.resize((100, 30));
    term.send("1");
    term.wait_for("✓ verdict");
    term.send("q");
    assert_eq!(term.wait_end(), 0, "{}", term.text());
    assert!(served.desk.place.ok(&["serve", "who", "--json"]).is_empty());
}

#[test]
fn over_ssh_a_screen_is_left_when_its_door_closes_or_the_desk_does() {
    let Some(mut served) = Served::start() else { return };
    let open = Served::screen;
    let Some(mut term) = served.first_screen() else { return };
    term.send("\rR");
    term.wait_for("Not over SSH");
    let who = served.desk.place.ok(&["serve", "who", "--json"]);
    assert!(who.contains("\"name\":\"bo\"") && who.contains("\"client\":\"127.0.0.1\""), "{who}");
    // The line is cut in the middle of a label: whoever comes again goes on there.
    let asked = |text: &str| {
        text.lines().find(|line| line.contains('▸')).map(|line| line.trim().to_owned())
    };
    let first = asked(&term.text());
    term.send("1");
    term.wait("the next question", |text| asked(text).is_some_and(|now| Some(now) != first));
    let question = asked(&term.text());
    term.child.kill().unwrap();
    term.child.wait().unwrap();
    let mut term = open(&served);
    term.wait("the same question", |text| asked(text) == question);
    let drop = ["roster", "key", "drop", "bo", &served.desk.fingerprint("bo")];
    served.desk.place.ok(&drop);
    let begun = clock::instant();
    assert_eq!(term.wait_end(), 0);
    assert!(begun.elapsed() < Duration::from_secs(5));
    term.wait_for("The door was closed");
    served.desk.place.ok(&["roster", "key", "add", "bo", &served.desk.public("bo")]);
    std::thread::sleep(Duration::from_millis(1_500));
    // Who serves dies: who is in stays in.
    let mut term = open(&served);
    term.wait_for("assigned");
    served.server.kill().unwrap();
    term.send("\r");
    term.wait_for("Is the model's answer right?");
    served.desk.place.ok(&["serve", "kick", "bo"]);
    assert_eq!(term.wait_end(), 0);
    let pid = fs::read_to_string(served.desk.place.path().join("serve/sshd.pid")).unwrap();
    Command::new("kill").arg(pid.trim()).status().unwrap();
}

#[test]
fn over_ssh_a_line_that_is_cut_at_any_moment_takes_nothing_with_it() {
    let Some(served) = Served::start() else { return };
    let cuts = number("CASEWORK_CUTS").unwrap_or(8);
    let lines: String = (0..cuts * 6 + 20)
        .map(|n| line(&format!("cut{n}"), &format!("message number {n}"), "pay", 0.2, n as i64))
        .collect();
    ingest(&mut served.desk.place.open(), &lines);
    let Some(mut term) = served.first_screen() else { return };
    let asked = |text: &str| {
        text.lines().find(|line| line.contains('▸')).map(|line| line.trim().to_owned())
    };
    let mut random = 20_261_128_u64;
    let mut seen = 0;
    for round in 0..cuts {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let before = labels_there_are(&served.desk.place.open());
        // Some answers may stand there as a draft from the cut before.
        term.send("uuuu");
        for _ in 0..4 {
            // A terminal says that it is there.
            term.send("113\r\x1b[0n");
        }
        std::thread::sleep(Duration::from_micros((random >> 33) % 400_000));
        let old = (round % 4 == 0).then(|| {
            // An answer that stood there for more than a second.
            term.send("uuuu1");
            std::thread::sleep(Duration::from_millis(1_300));
            asked(&term.text())
        });
        term.child.kill().unwrap();
        term.child.wait().unwrap();
        let saved = acknowledged(&term.text());
        let given = labels_there_are(&served.desk.place.open()) - before;
        assert!(given >= saved, "round {round}: {saved} were said to be saved, there are {given}");
        seen += saved;
        term = served.screen();
        match old {
            Some(question) => term.wait("the same question", |text| asked(text) == question),
            None => term.wait_for("assigned"),
        }
    }
    assert!(seen > 0, "labels were given, and said to be saved, in {cuts} rounds");
    let verified = served.desk.place.ok(&["verify"]);
    assert!(verified.contains("nothing is altered"), "{verified}");
}

#[test]
fn whatever_keys_are_pressed_nothing_is_executed() {
    let Some(desk) = Desk::new() else { return };
    if !Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
        return eprintln!("skipped: strace is not here");
    }
    let trace = desk.place.dir.path().join("trace");
    let auth = desk.place.dir.path().join("auth");
    fs::write(&auth, format!("publickey {}", fs::read_to_string(desk.public("bo")).unwrap()))
        .unwrap();
    let (program, workspace) = (binary(), desk.place.path());
    let of = |path: &Path| path.to_str().unwrap().to_owned();
    let args = [
        "strace".to_owned(),
        "-f".to_owned(),
        "-A".to_owned(),
        "-o".to_owned(),
        of(&trace),
        "-e".to_owned(),
        "trace=execve,execveat,connect,bind".to_owned(),
        of(&program),
        "--workspace".to_owned(),
        of(&workspace),
        "serve".to_owned(),
        "session".to_owned(),
        "bo".to_owned(),
        desk.fingerprint("bo"),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let auth = of(&auth);
    let env = [("SSH_USER_AUTH", auth.as_str()), ("EDITOR", "touch"), ("SHELL", "/bin/sh")];
    let mut x = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |below: usize| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x % below as u64) as usize
    };
    let special = [
        "\r", "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~", "\t", "\x1b", "\x1bOP", "\x05", "\x19",
        "\x1a",
    ];
    let mut left = number("CASEWORK_KEYS").unwrap_or(2_000);
    let mut sessions = 0;
    while left > 0 {
        let mut term = Term::run(&desk.place, (120, 40), &env, &args);
        sessions += 1;
        let begun = clock::instant();
        while !term.text().contains("team") {
            let roster = || desk.place.run_text(&["roster"]) + &desk.place.run_text(&["verify"]);
            let late = begun.elapsed() >= Duration::from_secs(20);
            assert!(!late, "session {sessions}, {left} keys left: {}\n{}", term.text(), roster());
            std::thread::sleep(Duration::from_millis(5));
        }
        while left > 0 && term.child.try_wait().unwrap().is_none() {
            for _ in 0..50 {
                // Every other key is a letter, now and then a word to the command line.
                match random(8) {
                    0..5 => term.send(&char::from(b'!' + random(94) as u8).to_string()),
                    5 => term.send(&char::from(1 + random(26) as u8).to_string()),
                    _ => term.send(special[random(special.len())]),
                }
            }
            left = left.saturating_sub(50);
            std::thread::sleep(Duration::from_millis(20));
        }
        if term.child.try_wait().unwrap().is_none() {
            let pid = term.child.process_id().unwrap().to_string();
            Command::new("kill").args(["-HUP", &pid]).status().unwrap();
            term.child.kill().ok();
        }
    }
    let text = fs::read_to_string(&trace).unwrap();
    let calls: Vec<&str> =
        // Where strace is ended in the middle of a call, it can't say of which: `???(`.
        text.lines().filter(|line| !["---", "+++", "???("].iter().any(|no| line.contains(no))).collect();
    let executed = calls.iter().filter(|line| line.contains("execve")).count();
    let counted = (executed, calls.len());
    assert!(counted == (sessions, sessions), "{counted:?} in {sessions} sessions: {calls:?}");
    assert!(desk.place.ok(&["verify"]).contains("0 faults"));
}
