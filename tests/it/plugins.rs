//! Plug-ins: those that are shipped keep to the lines; those that do not keep to them hold nothing
//! up; what a labeler suggests sways nobody and settles nothing alone.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use casework::domain::plugin::{Plugin, PluginKind, Said};
use casework::plugin::host::Asked;
use casework::plugin::{Answer, Counts, Host};
use casework::tui::Review;
use serde_json::{Value, json};

use crate::keys::Keys as _;
use crate::support::{Place, has, piped, program, team_of_three};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/plugins").join(name)
}

/// The example in Rust, as cargo built it for the tests.
fn validator() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().join("examples/validator")
}

#[test]
fn what_is_shipped_keeps_to_the_lines() {
    let place = Place::new();
    let of = |program: &str, file: PathBuf, kind: &str| {
        let args = match program {
            "" => vec![file.display().to_string()],
            program => vec![program.to_owned(), file.display().to_string()],
        };
        let args: Vec<&str> = ["plugin", "check", "--kind", kind]
            .into_iter()
            .chain(args.iter().map(String::as_str))
            .collect();
        let output = place.run(&args);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && printed.lines().count() == 10, "{printed}");
    };
    if has("the shipped detector in Python", "python3") {
        of("python3", shipped("detector.py"), "detector");
    }
    if has("the shipped detector in jq", "jq") {
        of("sh", shipped("detector.sh"), "detector");
    }
    of("", validator(), "validator");
}

/// A plug-in of a few lines of shell; `$n` is the number of the row, `$line` the row.
fn script(dir: &Path, each: &str) -> Plugin {
    let hello = r#"{"plugin":"t","version":"1","casework":1}"#;
    whole(
        dir,
        &format!(
            "read -r hello; echo '{hello}'\nwhile read -r line; do\n\
             n=$(printf '%s' \"$line\" | sed 's/.*\"n\":\\([0-9]*\\).*/\\1/')\n{each}\ndone"
        ),
    )
}

fn whole(dir: &Path, text: &str) -> Plugin {
    fs::write(dir.join("p.sh"), text).unwrap();
    Plugin::to_try(PluginKind::Detector, vec!["sh".to_owned(), "p.sh".to_owned()])
}

fn rows(count: usize) -> Vec<Asked> {
    let row = |at| {
        let name = format!("r{at}");
        let row = json!({ "row": { "id": name, "text": "hello" } });
        Asked::new(name, &row)
    };
    (0..count).map(row).collect()
}

fn host(dir: &Path, plugin: Plugin) -> Host {
    let place = casework::plugin::Place::new(&plugin, dir, Vec::new()).unwrap();
    Host::new(plugin, place).restarted_after([Duration::from_millis(5); 2])
}

/// What came of asking about rows, in words: `.` an answer, `?` none that could be used, `-` not
/// asked.
fn asked(plugin: impl FnOnce(&Path) -> Plugin, count: usize) -> (String, Counts) {
    let dir = tempfile::tempdir().unwrap();
    let mut host = host(dir.path(), plugin(dir.path()));
    let answers = host.ask(&rows(count), &|| false);
    assert_eq!(answers.len(), count, "as many answers as rows");
    let sign = |answer: &Answer| match answer {
        Answer::Said(_) => '.',
        Answer::CannotTell(_) | Answer::NotUnderstood(_) => '?',
        Answer::Skipped => '-',
    };
    (answers.iter().map(sign).collect(), host.take_counts())
}

#[test]
fn what_does_not_keep_to_the_lines_is_stopped_and_holds_nothing_up() {
    let check = |each: &str, count: usize, expect: &str, why: &str| {
        let (went, counts) = asked(|dir| script(dir, each), count);
        let trouble = counts.trouble.join("\n");
        assert_eq!(went, expect, "{each}: {trouble}");
        assert!(trouble.contains(why), "{each}: {trouble}");
    };
    let good = r#"echo "{\"n\":$n}""#;
    check(good, 4, "....", "");
    check("echo 'no json'", 3, "???", "no JSON");
    check("echo '[1]'", 3, "???", "no object");
    check("echo '{}'", 3, "???", "no `n`");
    check(r#"echo "{\"n\":99}""#, 3, "???", "not asked");
    check(r#"echo "{\"n\":$n}"; echo "{\"n\":$n}""#, 2, ".?", "answered already");
    check(r#"echo "{\"n\":$n,\"error\":\"no idea\"}""#, 2, "??", "no idea");
    check(r"printf '\377\n'", 2, "??", "no UTF-8");
    check("head -c 1100000 /dev/zero | tr '\\0' x", 2, "??", "more than 1 MiB");
    // It prints a lot on the side, and before it is asked.
    check(&format!("head -c 300000 /dev/zero | tr '\\0' e >&2; {good}"), 4, "....", "");
    let (went, counts) =
        asked(|dir| whole(dir, r#"read h; echo '{"plugin":"t","casework":2}'; cat >/dev/null"#), 2);
    assert_eq!(went, "--", "{counts:?}");
    assert!(counts.trouble[0].contains("version 2"), "{counts:?}");
}

#[test]
fn one_row_that_kills_is_set_aside_by_name_and_the_others_are_answered() {
    let each =
        r#"case "$line" in *r3\"*) echo "I can't bear r3" >&2; exit 3;; esac; echo "{\"n\":$n}""#;
    let (went, counts) = asked(|dir| script(dir, each), 6);
    assert_eq!(went, "...?..");
    assert_eq!(counts.aside, ["r3"]);
    assert!(counts.trouble[0].contains("it ended with 3"), "{counts:?}");
    assert!(counts.trouble[0].contains("can't bear r3"), "{counts:?}");

    // Whoever fails again and again is left alone.
    let (went, counts) = asked(|dir| script(dir, "exit 1"), 5);
    assert_eq!(went, "?----");
    assert!(counts.trouble.join("\n").contains("left alone"), "{counts:?}");
}

#[test]
fn a_row_has_its_time_and_a_plugin_its_memory() {
    let slow = |dir: &Path| script(dir, r#"[ "$n" = 2 ] && sleep 60; echo "{\"n\":$n}""#).within(1);
    let (went, counts) = asked(slow, 3);
    // Asked again by itself it has another number.
    assert_eq!(went, "...");
    assert!(counts.trouble[0].contains("longer than 1 s"), "{counts:?}");

    let greedy = |dir: &Path| {
        let plugin = script(
            dir,
            r#"x=$(head -c 300000000 /dev/zero | tr '\0' x); sleep 5; echo "{\"n\":$n}""#,
        );
        Plugin { memory: Some("64M".to_owned()), ..plugin }
    };
    let (_, counts) = asked(greedy, 1);
    assert!(counts.trouble.join("\n").contains("64 MiB of memory"), "{counts:?}");
    // Also one that answers all the while.
    let greedy = |dir: &Path| {
        let plugin = script(
            dir,
            r#"[ "$n" = 1 ] && x=$(head -c 200000000 /dev/zero | tr '\0' x); sleep .05; echo "{\"n\":$n}""#,
        );
        Plugin { memory: Some("64M".to_owned()), ..plugin }
    };
    let (_, counts) = asked(greedy, 40);
    assert!(counts.trouble.join("\n").contains("64 MiB of memory"), "{counts:?}");
}

#[test]
fn of_what_a_plugin_says_no_more_is_kept_than_is_of_use() {
    let check = |answer: &str, expect: &str, why: &str| {
        let each = format!("echo \"{{\\\"n\\\":$n,{answer}}}\"");
        let (went, counts) = asked(|dir| script(dir, &each), 2);
        assert_eq!(went, expect, "{counts:?}");
        assert!(counts.trouble.concat().contains(why), "{counts:?}");
    };
    let long = "x".repeat(30_000);
    check(&format!(r#"\"flags\":[{{\"flag\":\"{long}\"}}],\"more\":\"{long}\""#), "..", "");
    let many = vec![r#"{\"flag\":\"x\"}"#; 500].join(",");
    check(&format!(r#"\"flags\":[{many}]"#), "??", "500 of them");
    let dir = tempfile::tempdir().unwrap();
    let each = format!(r#"echo "{{\"n\":$n,\"flags\":[{{\"flag\":\"{long}\"}}]}}""#);
    let mut host = host(dir.path(), script(dir.path(), &each));
    let Some(Answer::Said(Said::Flags(flags))) = host.ask(&rows(1), &|| false).pop() else {
        panic!("no flags")
    };
    assert!(flags[0].flag.len() < 600);
}

/// What is alive of what was marked.
fn alive(mark: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(mark)).collect()
}

#[test]
fn what_a_plugin_let_go_of_ends_with_it_and_holds_nobody() {
    let seconds = format!("4{}", std::process::id());
    // Its child leaves it, with its output open; then it ends.
    let each = format!("(sleep {seconds} &) ; (setsid sleep {seconds} &); exit 3");
    let since = casework::clock::instant();
    let dir = tempfile::tempdir().unwrap();
    let mut host = host(dir.path(), script(dir.path(), &each).within(60));
    let answers = host.ask(&rows(1), &|| false);
    let counts = host.take_counts();
    assert!(counts.trouble[0].contains("it ended with 3"), "{counts:?}");
    assert_eq!(answers, [Answer::CannotTell("it ended with 3".to_owned())]);
    assert!(since.elapsed() < Duration::from_secs(50), "it was waited for");
    assert_eq!(alive(&seconds), Vec::<String>::new());
    drop(host);

    // What somebody who was killed left behind is taken away by whoever comes next.
    let places = std::env::temp_dir();
    let left = places.join(format!("casework-plugin-left-{seconds}"));
    let lives = places.join(format!("casework-plugin-lives-{seconds}"));
    for place in [&left, &lives] {
        fs::create_dir_all(place.join("work")).unwrap();
        fs::write(place.join("lock"), "").unwrap();
    }
    // Somebody has this one, whatever their number is, and where they are.
    let held = fs::File::open(lives.join("lock")).unwrap();
    held.lock().unwrap();
    let _ = casework::plugin::Place::new(&script(dir.path(), ""), dir.path(), Vec::new()).unwrap();
    assert!(!left.exists() && lives.exists());
    fs::remove_dir_all(&lives).unwrap();
}

#[test]
fn who_stopped_asking_may_ask_again() {
    let dir = tempfile::tempdir().unwrap();
    let each = r#"[ -e $HOME/slept ] || { touch $HOME/slept; sleep 3; }; echo "{\"n\":$n}""#;
    let mut host = host(dir.path(), script(dir.path(), each));
    let stop = AtomicBool::new(false);
    let answers = std::thread::scope(|threads| {
        threads.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        host.ask(&rows(3), &|| stop.load(std::sync::atomic::Ordering::Relaxed))
    });
    assert_eq!(answers, vec![Answer::Skipped; 3]);
    let answers = host.ask(&rows(3), &|| false);
    assert!(answers.iter().all(|answer| matches!(answer, Answer::Said(_))), "{answers:?}");
    assert_eq!(host.take_counts().trouble, Vec::<String>::new());
}

#[test]
fn a_plugin_reads_no_workspace_and_writes_nowhere_but_at_home() {
    let secret = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(secret.path().join("key"), "SECRET").unwrap();
    let path = secret.path().display();
    let each = format!(
        "cat {path}/key > said 2>/dev/null; cat {path}/key > $HOME/said 2>/dev/null; \
         touch {path}/mine 2>/dev/null; echo \"{{\\\"n\\\":$n,\\\"error\\\":\\\"$(cat $HOME/said)$(ls {path} 2>/dev/null)\\\"}}\""
    );
    let dir = tempfile::tempdir().unwrap();
    let mut host = host(dir.path(), script(dir.path(), &each));
    if host.place().level().as_str() == "none" {
        eprintln!("skipped a_plugin_reads_no_workspace…: nothing holds programs back here");
        return;
    }
    let answers = host.ask(&rows(1), &|| false);
    assert_eq!(answers, [Answer::CannotTell(String::new())]);
    assert!(!secret.path().join("mine").exists());
}

/// Where a reviewer's own programs lie beside the workspace, as they do by default.
#[test]
fn no_program_reads_the_workspace_wherever_it_and_the_programs_lie() {
    for (case, without_bwrap) in [("as it is", false), ("without bwrap", true)] {
        let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let data = home.path().join(".local/share/casework");
        let (workspace, tools) = (data.join("workspace"), home.path().join(".tool"));
        for place in [&home.path().join(".local/bin"), &tools.join("bin"), &data] {
            fs::create_dir_all(place).unwrap();
        }
        fs::write(home.path().join(".local/bin/mine"), "").unwrap();
        fs::write(tools.join("lib"), "").unwrap();
        let (store, key) = (tools.join("store"), workspace.join("device.key"));
        let mut path = format!("{}/.local/bin:{}/bin", home.path().display(), tools.display());
        if without_bwrap {
            let programs = tools.join("bin");
            for name in ["sh", "sed", "cat", "echo", "printf", "ls", "grep"] {
                let real = ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name));
                if let Some(real) = real.iter().find(|path| path.exists()) {
                    std::os::unix::fs::symlink(real, programs.join(name)).unwrap();
                }
            }
        } else {
            path = format!("{path}:{}", casework::config::passed("PATH").unwrap_or_default());
        }
        let run = |args: &[&str]| {
            let mut command = program();
            command.env("CASEWORK_WORKSPACE", &workspace).env("HOME", home.path());
            command.env("SECRET_TOKEN", "abc");
            let output = command.env("PATH", &path).args(args).output().unwrap();
            let both = [&output.stdout[..], &output.stderr[..]].concat();
            (output.status.success(), String::from_utf8_lossy(&both).into_owned())
        };
        let made = run(&["init", "--name", "team", "--as", "ana"]);
        assert!(made.0, "{made:?}");
        let exchanged = run(&["sync", "--store", store.to_str().unwrap()]);
        assert!(exchanged.0, "{exchanged:?}");
        assert!(fs::read_dir(&store).unwrap().next().is_some());
        let tries = format!(
            "said=\"$(grep -ao 'SECRET_TOKEN=abc' /proc/[0-9]*/environ 2>/dev/null)$(cat {0} 2>/dev/null)$(ls {1} {2} 2>/dev/null)$(cat {3} {4} 2>/dev/null >/dev/null || echo no)\"",
            key.display(),
            workspace.display(),
            store.display(),
            home.path().join(".local/bin/mine").display(),
            tools.join("lib").display(),
        );
        let each = format!(
            "{tries}; echo \"{{\\\"n\\\":$n,\\\"flags\\\":[{{\\\"flag\\\":\\\"$said\\\"}}]}}\""
        );
        script(&workspace, &each);
        let config = "[[plugin]]\nname = \"t\"\nkind = \"detector\"\nrun = [\"sh\", \"p.sh\"]\n";
        fs::write(workspace.join("config.toml"), config).unwrap();
        let traps = home.path().join("t.toml");
        fs::write(&traps, "[[trap]]\nname = \"t\"\nplugin = { name = \"t\" }\n").unwrap();
        let rows = home.path().join("s.jsonl");
        let row = json!({ "id": "p1", "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
            "input": { "text": "a" }, "prediction": { "label": "a", "confidence": 0.5 } });
        fs::write(&rows, format!("{row}\n")).unwrap();
        for args in [
            vec!["trap", "publish", traps.to_str().unwrap()],
            vec!["plugin", "pin", "t"],
            vec!["ingest", rows.to_str().unwrap()],
        ] {
            let (ok, words) = run(&args);
            assert!(ok, "{case}: {words}");
        }
        let (_, doctor) = run(&["doctor"]);
        if doctor.contains("nothing holds plug-ins back") {
            eprintln!("skipped no_program_reads_the_workspace…, {case}: there is no sandbox");
            continue;
        }
        let level = if without_bwrap { "landlock holds" } else { "holds it back" };
        assert!(
            doctor.contains("can't read this device's key") && doctor.contains(level),
            "{doctor}"
        );
        let shown = json(&run(&["show", "p1", "--json"]).1);
        assert_eq!(shown["said"][0]["flag"], "", "{case}: {shown}");
    }
}

const SHOUTS: &str = r#"case "$line" in *LOUD*) f='{"flag":"loud","score":0.9,"why":"capitals"}';; *) f=;; esac
echo "{\"n\":$n,\"flags\":[$f]}""#;

/// A workspace with a detector, and a file of predictions, some of them loud.
fn with_detector(each: &str) -> (Place, String) {
    let place = Place::new();
    place.create();
    script(&place.path(), each);
    configure(
        &place,
        "name = \"loud\"\nkind = \"detector\"\nrun = [\"sh\", \"p.sh\"]\nwants = [\"text\"]",
    );
    let traps = place.dir.path().join("t.toml");
    let text = "[[trap]]\nname = \"loud\"\nwhere = \"confidence < 0.9\"\nplugin = { name = \"loud\", above = 0.5 }\n\
                [[trap]]\nname = \"audit\"\nsample = 0.05\n";
    fs::write(&traps, text).unwrap();
    place.ok(&["trap", "publish", traps.to_str().unwrap()]);
    let line = |at: usize| {
        let text = if at.is_multiple_of(7) { "LOUD" } else { "quiet" };
        let sure = if at.is_multiple_of(14) { 0.95 } else { 0.4 };
        json!({ "id": format!("p{at}"), "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
            "input": { "text": format!("{text} {at}"), "secret": "SECRET" },
            "prediction": { "label": "a", "confidence": sure } })
        .to_string()
    };
    (place, (0..300).map(|at| line(at) + "\n").collect())
}

fn configure(place: &Place, plugin: &str) {
    let path = place.paths().config();
    let known = fs::read_to_string(&path).unwrap_or_default();
    fs::write(path, format!("{known}\n[[plugin]]\n{plugin}\n")).unwrap();
}

fn file(place: &Place, name: &str, text: &str) -> String {
    let path = place.dir.path().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Cases with their flags and the exact rule.
fn cases(place: &Place) -> Vec<(String, Value)> {
    let listed = place.run_text(&["queue", "--limit", "1000", "--json"]);
    let mut cases: Vec<(String, Value)> = listed
        .lines()
        .map(|line| {
            let id = json(line)["id"].as_str().unwrap().to_owned();
            let shown = json(&place.ok(&["show", &id, "--json"]));
            (id, shown["why"].clone())
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

#[test]
fn a_detector_flags_and_is_asked_only_as_it_was_pinned() {
    let (place, stream) = with_detector(SHOUTS);
    let all = file(&place, "s.jsonl", &stream);
    fs::write(
        place.dir.path().join("u.toml"),
        "[[trap]]\nname = \"u\"\nplugin = { name = \"lout\" }\n",
    )
    .unwrap();
    let unknown = place.dir.path().join("u.toml").display().to_string();
    let checked = json(&place.ok(&["trap", "check", &unknown, "--json"]));
    let warning = checked["warnings"][1].as_str().unwrap();
    assert!(
        warning.contains("`u` asks lout, which config.toml") && warning.contains("loud"),
        "{warning}"
    );
    let said = json(&place.ok(&["ingest", &all, "--json"]));
    assert_eq!(said["plugins"]["loud"]["skipped"], 278, "{said}");
    assert!(said["plugins"]["loud"]["trouble"][0].as_str().unwrap().contains("not pinned"));
    let audits = said["opened"].as_u64().unwrap();
    assert!(audits > 0, "the rest goes on");
    assert_eq!(place.run(&["ingest", &all, "--strict"]).status.code(), Some(1));

    place.ok(&["plugin", "pin", "loud"]);
    let listed = json(&place.ok(&["plugin", "list", "--json"]));
    let stock = Command::new("sha256sum").arg(place.path().join("p.sh")).output();
    if let Ok(stock) = stock {
        let stock = String::from_utf8(stock.stdout).unwrap();
        assert!(stock.starts_with(listed["sha256"].as_str().unwrap()), "{stock} {listed}");
    }
    // What it was not asked about is made up for, by itself.
    let said = json(&place.ok(&["plugin", "again", "loud", &all, "--json"]));
    let found: Vec<_> = (0..300).filter(|at| at % 7 == 0 && at % 14 != 0).collect();
    assert_eq!(said["traps"]["loud"]["flagged"], found.len() as u64, "{said}");
    assert!(said["opened"].as_u64().unwrap() + audits >= found.len() as u64);
    let shown = json(&place.ok(&["show", "p7", "--json"]));
    assert_eq!(shown["said"][0]["why"], "capitals", "{shown}");
    assert_eq!(shown["why"][0]["score"], 0.9);
    let words = place.ok(&["show", "p7"]);
    assert!(words.contains("! loud says loud 0.9: capitals"), "{words}");

    // Other files are another program: it is not run, and says so.
    script(&place.path(), &format!("touch {}/ran; {SHOUTS}", place.dir.path().display()));
    let said = place.run(&["ingest", &all, "--strict"]);
    assert_eq!(said.status.code(), Some(1));
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        words.contains("is not what was pinned") && words.contains("plugin pin loud"),
        "{words}"
    );
    assert!(!place.dir.path().join("ran").exists());
    let listed = json(&place.ok(&["plugin", "list", "--json"]));
    assert_eq!(listed["standing"], "changed since it was pinned");
    let doctor = place.run_text(&["doctor"]);
    assert!(doctor.contains("!!  plug-in    loud is changed since it was pinned"), "{doctor}");
    fs::write(place.paths().config(), "").unwrap();
    let doctor = place.run_text(&["doctor"]);
    assert!(doctor.contains("`loud` asks loud, which config.toml does not have"), "{doctor}");
}

#[test]
fn what_was_pinned_is_all_that_a_plugin_is_and_may_do() {
    let (place, stream) = with_detector(SHOUTS);
    let rows = file(&place, "s.jsonl", &stream);
    let ran = place.dir.path().join("ran");
    // One that lies elsewhere, by its whole path: a copy of it runs, too.
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("p.sh");
    fs::copy(place.path().join("p.sh"), &path).unwrap();
    let whole = |more: &str| {
        let text = format!(
            "[[plugin]]\nname = \"loud\"\nkind = \"detector\"\nrun = [\"sh\", \"{}\"]\n{more}\n",
            path.display()
        );
        fs::write(place.paths().config(), text).unwrap();
    };
    whole("wants = [\"text\"]");
    let standing = || {
        let listed = json(&place.ok(&["plugin", "list", "--json"]));
        (listed["standing"].as_str().unwrap().to_owned(), listed["trouble"].to_string())
    };
    place.ok(&["plugin", "pin", "loud"]);
    let said = json(&place.ok(&["ingest", &rows, "--json"]));
    assert_eq!(said["plugins"]["loud"]["trouble"], json!([]), "{said}");
    for (more, why) in [
        ("wants = [\"text\"]\nnetwork = true", "it might not reach the network"),
        ("wants = [\"text\"]\npass = [\"AWS_SECRET\"]", "it was given nothing"),
        ("", "it was sent text"),
        ("wants = [\"text\"]\nconfig = { above = 1 }", "`config`"),
        ("wants = [\"text\"]\nfiles = [\"config.toml\"]", "sha256"),
    ] {
        whole(more);
        let (standing, trouble) = standing();
        assert!(standing.contains("changed") && trouble.contains(why), "{more}: {trouble}");
        assert_eq!(place.run(&["ingest", &rows, "--strict"]).status.code(), Some(1), "{more}");
    }
    whole("wants = [\"text\"]");
    assert_eq!(standing().0, "pinned");
    fs::write(&path, format!("touch {}", ran.display())).unwrap();
    assert!(standing().0.contains("changed"));
    place.run(&["ingest", &rows]);
    assert!(!ran.exists());
    fs::remove_file(&path).unwrap();
    let (standing, trouble) = standing();
    assert!(standing.contains("changed") && trouble.contains("not there any more"), "{trouble}");

    // What is not there is pinned as nothing else; and no copy is made of what is secret.
    std::os::unix::fs::symlink("device.key", place.path().join("link")).unwrap();
    fs::write(place.path().join("plain"), "").unwrap();
    // A program by its name alone is that of PATH, whatever lies beside.
    fs::write(place.path().join("sh"), "").unwrap();
    for (run, why) in [
        ("[\"./nowhere\"]", "`./nowhere` is no file in"),
        ("[\"no-such-program\", \"x\"]", "no program is called `no-such-program`"),
        ("[\"sh\", \"../p.sh\"]", "lies outside"),
        ("[\"sh\", \"device.key\"]", "no plug-in may read"),
        ("[\"sh\", \"link\"]", "no plug-in may read"),
        ("[\"sh\"]\nfiles = [\"casework.db\"]", "no plug-in may read"),
        ("[\"./plain\"]", "is not executable"),
        (
            &format!("[\"sh\", \"{}\"]", place.path().join("p.sh").display()),
            "name it as it is called",
        ),
    ] {
        fs::write(place.dir.path().join("p.sh"), "").unwrap();
        let text = format!("[[plugin]]\nname = \"loud\"\nkind = \"detector\"\nrun = {run}\n");
        fs::write(place.paths().config(), text).unwrap();
        let said = place.run(&["plugin", "pin", "loud"]);
        let words = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(!said.status.success() && words.contains(why), "{run}: {words}");
    }
}

#[test]
fn a_detector_finds_the_same_however_a_file_is_cut_and_shuffled() {
    let mut found = Vec::new();
    for way in 0..3 {
        let (place, stream) = with_detector(SHOUTS);
        place.ok(&["plugin", "pin", "loud"]);
        let mut lines: Vec<&str> = stream.lines().collect();
        if way == 1 {
            lines.reverse();
        }
        let parts = if way == 2 { 10 } else { 1 };
        for (at, part) in lines.chunks(lines.len() / parts).enumerate() {
            let path = file(&place, &format!("s{at}.jsonl"), &(part.join("\n") + "\n"));
            place.ok(&["ingest", &path]);
        }
        found.push(cases(&place));
    }
    assert!(found[0].len() > 20 && found[0] == found[1] && found[0] == found[2]);
}

#[test]
fn who_is_asked_later_leaves_the_same_cases_and_the_same_counts() {
    let mut found = Vec::new();
    for late in [false, true] {
        let (place, stream) = with_detector(SHOUTS);
        let rows = file(&place, "s.jsonl", &stream);
        let traps = place.dir.path().join("t.toml").display().to_string();
        let text = fs::read_to_string(&traps).unwrap().replace("0.05", "0.5");
        fs::write(&traps, text).unwrap();
        place.ok(&["trap", "publish", &traps]);
        place.ok(&["plugin", "pin", "loud"]);
        let script = fs::read_to_string(place.path().join("p.sh")).unwrap();
        if late {
            fs::write(place.path().join("p.sh"), "exit 1").unwrap();
            assert_eq!(place.run(&["ingest", &rows, "--strict"]).status.code(), Some(1));
            let both = cases(&place);
            assert!(both.iter().all(|(_, why)| why.as_array().unwrap().len() == 1));
            fs::write(place.path().join("p.sh"), &script).unwrap();
            // Of a part of it nothing is counted.
            place.ok(&["plugin", "again", "loud", &rows, "--since", "2027-01-01"]);
            place.ok(&["plugin", "again", "loud", &rows]);
            place.ok(&["plugin", "again", "loud", &rows]);
        } else {
            place.ok(&["ingest", &rows, "--strict"]);
        }
        let counted =
            json(&format!("[{}]", place.ok(&["traps", "--json"]).trim().replace('\n', ",")));
        let journal = json(&place.ok(&["status", "--json"]))["entries"].clone();
        found.push((cases(&place), counted, journal));
        assert!(place.ok(&["verify"]).contains("nothing is altered"));
    }
    let both = |why: &Value| why.as_array().unwrap().len() == 2;
    assert!(found[0].0.iter().any(|(_, why)| both(why)), "some are of both traps");
    assert_eq!(found[0].0, found[1].0);
    assert_eq!(found[0].1, found[1].1);
}

#[test]
fn of_a_file_that_grew_a_plugin_that_was_missing_counts_each_once() {
    let counts = |grows: bool| {
        let (place, stream) = with_detector(SHOUTS);
        place.ok(&["plugin", "pin", "loud"]);
        let lines: Vec<&str> = stream.lines().collect();
        let whole = file(&place, "s.jsonl", &stream);
        if grows {
            let script = fs::read_to_string(place.path().join("p.sh")).unwrap();
            let part = file(&place, "part.jsonl", &(lines[..120].join("\n") + "\n"));
            fs::write(place.path().join("p.sh"), "exit 1").unwrap();
            place.ok(&["ingest", &part]);
            fs::write(place.path().join("p.sh"), script).unwrap();
            place.ok(&["plugin", "again", "loud", &whole]);
        }
        place.ok(&["ingest", &whole]);
        json(&format!("[{}]", place.ok(&["traps", "--json"]).trim().replace('\n', ",")))
    };
    assert_eq!(counts(true), counts(false));
}

#[test]
fn a_detector_lives_as_long_as_the_command_that_reads_several_files() {
    let (place, stream) = with_detector(&format!("echo >> $HOME/asked; {SHOUTS}"));
    place.ok(&["plugin", "pin", "loud"]);
    let lines: Vec<&str> = stream.lines().collect();
    let part = |(at, part): (usize, &[&str])| {
        file(&place, &format!("s{at}.jsonl"), &(part.join("\n") + "\n"))
    };
    let files: Vec<String> = lines.chunks(60).enumerate().map(part).collect();
    let args = ["ingest", "--strict", "--json"].into_iter().chain(files.iter().map(String::as_str));
    let said = json(&place.ok(&args.collect::<Vec<_>>()));
    assert_eq!(said["plugins"]["loud"]["trouble"], json!([]), "{said}");
    assert_eq!(said["plugins"]["loud"]["asked"], 278, "{said}");
}

#[test]
fn a_detector_that_crashes_or_says_nonsense_stops_no_ingest() {
    for each in ["exit 1", "echo nonsense", r#"echo "{\"n\":$n,\"flags\":7}""#] {
        let (place, stream) = with_detector(each);
        place.ok(&["plugin", "pin", "loud"]);
        let path = file(&place, "s.jsonl", &stream);
        let output = place.run(&["ingest", &path, "--json"]);
        assert!(output.status.success(), "{each}");
        let said = json(&String::from_utf8(output.stdout).unwrap());
        let counts = &said["plugins"]["loud"];
        let without =
            counts["skipped"].as_u64().unwrap() + counts["could_not_tell"].as_u64().unwrap();
        assert_eq!(without, 278, "{each}: {said}");
        // Whoever wants an answer of every row hears that there was none, also of what follows.
        let mut follow = program();
        follow.env("CASEWORK_WORKSPACE", place.path());
        follow.args(["ingest", "-", "--follow", "--strict"]);
        let more = stream.replace("\"id\":\"p", "\"id\":\"q");
        assert_eq!(piped(&mut follow, more.as_bytes()).status.code(), Some(1), "{each}");
        assert!(said["opened"].as_u64().unwrap() > 0 && said["read"] == 300, "{said}");
    }
}

#[test]
fn what_a_plugin_prints_is_kept_in_a_file_within_bounds_until_something_is_erased() {
    for ends in ["", "exit 3"] {
        let (place, stream) = with_detector(&format!(
            "echo \"seen $(printf '\\033[31m') $line\" >&2; head -c 2000 /dev/zero | tr '\\0' e >&2; echo >&2\n{SHOUTS}\n{ends}"
        ));
        place.ok(&["plugin", "pin", "loud"]);
        let rows = file(&place, "s.jsonl", &stream);
        let told = place.run(&["ingest", &rows]);
        let log = place.path().join("plugins/loud.log");
        let kept = fs::read_to_string(&log).unwrap();
        assert!(kept.len() <= 64 << 10 && kept.contains("seen") && !kept.contains('\u{1b}'));
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&log).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        assert_eq!(told.contains("plugins/loud.log"), !ends.is_empty(), "{told}");
        // The end of it, and whole lines.
        if ends.is_empty() {
            assert!(kept.len() > 50 << 10 && kept.contains(r#""n":278"#), "{}", kept.len());
        }
        let case = cases(&place)[0].0.clone();
        place.ok(&["erase", &case, "--reason", "asked to"]);
        assert!(!log.exists(), "what a program repeats goes with what it is of");
    }
}

#[test]
fn no_log_has_what_a_plugin_repeats_of_an_input() {
    for each in ["echo \"it said $line\"", "echo '{\"plugin\":7}'", "echo \"$line\" >&2; exit 1"] {
        let (place, stream) = with_detector(each);
        place.ok(&["plugin", "pin", "loud"]);
        let rows = file(&place, "s.jsonl", &stream);
        let log = place.dir.path().join("log");
        let mut command = program();
        command.env("CASEWORK_WORKSPACE", place.path()).env("CASEWORK_LOG", &log);
        assert!(command.args(["ingest", &rows]).output().unwrap().status.success());
        let log = fs::read_to_string(&log).unwrap();
        assert!(
            log.contains("plug-in") && !log.contains("LOUD") && !log.contains("quiet"),
            "{log}"
        );
    }
}

#[test]
fn a_typo_in_the_configuration_or_a_name_is_refused_with_what_there_is() {
    let (place, _) = with_detector(SHOUTS);
    let said = |args: &[&str]| {
        let output = place.run(args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said(&["plugin", "pin", "lout"]).contains("config.toml has loud"));
    assert!(said(&["plugin", "suggest", "loud"]).contains("is a detector"));
    let again = said(&["plugin", "again", "loud"]);
    assert!(again.contains("name the files"), "{again}");
    configure(&place, "name = \"loud\"\nkind = \"detector\"\nrun = [\"x\"]");
    assert!(said(&["status"]).contains("two plug-ins are called `loud`"));
}

/// Something that answers as an OpenAI-compatible endpoint does: each request with what `content`
/// makes of the case's row.
fn endpoint(content: fn(&Value) -> String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) < 3 {
                    break;
                }
                if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                    length = number.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            let _ = reader.read_exact(&mut body);
            let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
            let told = json(asked["messages"][1]["content"].as_str().unwrap_or("{}"));
            assert!(told["questions"][0]["answers"].is_array(), "{told}");
            let answer = json!({ "model": "tiny-1",
                "choices": [{ "message": { "content": content(&told["case"]) } }] })
            .to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    format!("http://{address}/v1")
}

/// Ana leads, bo and cy review; a labeler is pinned and has suggested.
fn with_labeler(content: fn(&Value) -> String) -> Option<Place> {
    if !has("the shipped labeler", "python3") {
        return None;
    }
    let place = team_of_three();
    fs::copy(shipped("labeler.py"), place.path().join("labeler.py")).unwrap();
    configure(
        &place,
        &format!(
            "name = \"llm\"\nkind = \"labeler\"\nrun = [\"python3\", \"labeler.py\"]\nwants = [\"text\"]\n\
             network = true\nconfig = {{ url = \"{}\", model = \"tiny\" }}",
            endpoint(content)
        ),
    );
    place.ok(&["plugin", "pin", "llm"]);
    Some(place)
}

fn says_wrong(row: &Value) -> String {
    match row["id"].as_str().unwrap_or_default() {
        "p1" => "no json".to_owned(),
        "p2" => json!({ "abstain": "too short" }).to_string(),
        "p3" => json!({ "answers": { "readable": "perhaps" } }).to_string(),
        "p4" => json!({ "answers": { "readable": "y" } }).to_string(),
        _ => json!({ "answers": { "readable": "y", "verdict": "n", "corrected": "transfer",
            "category": "r" }, "confidence": 0.8, "rationale": "it asks for \u{1b}[31m cash" })
        .to_string(),
    }
}

const AS_SUGGESTED: [&str; 8] = [
    "--answer",
    "readable=y",
    "--answer",
    "verdict=n",
    "--answer",
    "corrected=transfer",
    "--answer",
    "category=r",
];

#[test]
fn a_suggestion_is_measured_and_seen_by_nobody_before_their_first_answer() {
    let Some(place) = with_labeler(says_wrong) else { return };
    place.ok(&["policy", "set", "overlap=1", "limit=3"]);
    let said = json(&place.ok(&["plugin", "suggest", "llm", "--json"]));
    assert_eq!((&said["suggested"], &said["abstained"]), (&json!(3), &json!(1)), "{said}");
    assert_eq!(said["counts"]["could_not_tell"], 2, "{said}");
    let trouble = said["counts"]["trouble"].to_string();
    assert!(
        trouble.contains("JSONDecodeError") && trouble.contains("`perhaps` is no answer"),
        "{trouble}"
    );
    // What it said once is not asked again, only where it failed.
    let again = json(&place.ok(&["plugin", "again", "llm", "--json"]));
    assert_eq!((&again["counts"]["asked"], &again["suggested"]), (&json!(2), &json!(0)));

    let shown = |who: &str| {
        place.ok(&["show", "p0", "--as", who]) + &place.ok(&["show", "p0", "--as", who, "--json"])
    };
    assert!(!shown("bo").contains("cash"), "agents=off shows nothing");
    place.ok(&["policy", "set", "agents=suggest"]);
    let before = shown("bo");
    assert!(!before.contains("cash") && before.contains("suggestion"), "{before}");

    // Whose a case is depends on the week: for a while all are everybody's.
    place.ok(&["policy", "set", "overlap=3"]);
    let mut workspace = place.open();
    workspace.me = "bo".to_owned();
    let mut screen = Review::new(workspace, (120, 40), casework::clock::now, None, |_| {}).unwrap();
    // To one of which it said something.
    screen.press("Enter");
    for _ in 0..6 {
        if !["p0", "p5"].iter().any(|id| screen.text().contains(&format!("│ {id} "))) {
            screen.press("]");
        }
    }
    assert!(!screen.text().contains("suggests"), "{}", screen.text());
    screen.press("1");
    let text = screen.text();
    assert!(text.contains("llm (tiny-1) suggests"), "{text}");
    let marked: Vec<&str> = text.lines().filter(|line| line.contains("  ≈")).collect();
    assert!(marked.iter().any(|line| line.contains(" 2 No")), "at the answer, too: {text}");
    assert!(!marked.iter().any(|line| line.contains(" 1 Yes")), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    drop(screen);
    place.ok(&["policy", "set", "overlap=1"]);

    let mut linear = program();
    linear.env("CASEWORK_WORKSPACE", place.path()).args(["--linear", "--as", "cy"]);
    let told = String::from_utf8(piped(&mut linear, b"open p5\n1\nback\nquit\n").stdout).unwrap();
    let told = told.split_once("Case: p5").unwrap().1;
    let (before, after) = told.split_once("2. ").unwrap_or_else(|| panic!("{told}"));
    assert!(before.contains("Suggestion: llm (tiny-1) suggests"), "{told}");
    assert!(!before[..before.find("1. ").unwrap()].contains("cash"), "{told}");
    assert!(!after.is_empty());

    place.ok(&[&["label", "p0", "--as", "bo"], &AS_SUGGESTED[..]].concat());
    assert!(shown("bo").contains("cash"));
    let measured = json(&place.ok(&["plugin", "show", "llm", "--json"]));
    // Nor is it seen anywhere while the case lies in the blind round of a session.
    place.ok(&["calibrate", "open", "june", "--cases", "p0"]);
    assert!(!shown("bo").contains("cash"));
    place.ok(&["calibrate", "reveal", "june", "--early"]);
    assert!(shown("bo").contains("cash"));
    // What it says in its own words may repeat the input, and goes with it.
    place.ok(&["erase", "p0", "--reason", "asked to", "--as", "ana"]);
    let after =
        shown("bo") + &place.ok(&["trace", "p0"]) + &place.ok(&["export", "--rows", "cases"]);
    assert!(after.contains("llm") && !after.contains("cash"), "{after}");
    assert!(place.ok(&["verify"]).contains("nothing is altered"));
    // Who labels on the command line has seen none of it.
    assert_eq!(measured["people"], json!({ "compared": 1, "same": 1, "share": 1.0 }));
    assert_eq!(measured["people_who_saw_it"]["compared"], 0);
    assert_eq!(measured["questions"][0]["question"], "category");
    assert_eq!(measured["partial"], 1);
    let refused = place.run(&["plugin", "show", "llm", "--as", "cy"]);
    assert!(!refused.status.success(), "figures of labels are for who leads");
}

#[test]
fn a_vote_counts_as_one_label_and_never_as_the_only_one() {
    let Some(place) = with_labeler(says_wrong) else { return };
    place.ok(&["policy", "set", "overlap=2", "limit=3", "agents=vote"]);
    place.ok(&["plugin", "suggest", "llm"]);
    let state = |case: &str| {
        let shown = json(&place.ok(&["show", case, "--json"]));
        (shown["state"].as_str().unwrap().to_owned(), shown["labels"].as_u64().unwrap())
    };
    assert_eq!(state("p0"), ("open".to_owned(), 0), "alone it is no label");
    place.ok(&[&["label", "p0", "--as", "bo"], &AS_SUGGESTED[..]].concat());
    assert_eq!(state("p0"), ("resolved".to_owned(), 2));
    // Wherever it is told what the case rests on, the program is named.
    let shown = place.ok(&["show", "p0"]);
    assert!(shown.contains("(unanimous, agent:llm counted)"), "{shown}");
    let traced = place.ok(&["trace", "p0"]);
    assert!(traced.contains("counted as suggested") && traced.contains("by agent:llm"), "{traced}");
    let row = json(place.ok(&["export", "--rows", "cases"]).lines().next().unwrap());
    assert_eq!(row["reviewers"], json!(["bo"]), "people are people");
    assert_eq!(
        (&row["agents"][0]["reviewer"], &row["agents"][0]["agrees"]),
        (&json!("agent:llm"), &json!(true))
    );
    assert_eq!(row["events"].as_array().unwrap().len(), 2);
    let otherwise = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
    place.ok(&[&["label", "p5", "--as", "bo"], &otherwise[..]].concat());
    assert_eq!(state("p5"), ("open".to_owned(), 2), "they differ");
    // One that said nothing of the whole has no vote.
    place.ok(&[&["label", "p4", "--as", "bo"], &AS_SUGGESTED[..]].concat());
    assert_eq!(state("p4"), ("open".to_owned(), 1));

    // Who settles the dispute sees what the program says.
    place.ok(&["policy", "set", "limit=2"]);
    let dispute = place.ok(&["arbitrate", "p5"]);
    assert!(dispute.contains("agent:llm, a program that counts as one voice"), "{dispute}");
    place.ok(&["policy", "set", "limit=3"]);

    // Taken back, nothing is left; and where the policy hears no agents, as if it had said nothing.
    place.ok(&["undo", "--as", "bo"]);
    assert_eq!(state("p4"), ("open".to_owned(), 0));
    place.ok(&["policy", "set", "agents=suggest"]);
    assert_eq!(state("p0"), ("open".to_owned(), 1));
    // On what is to measure people no program has a voice.
    place.ok(&["policy", "set", "agents=vote"]);
    place.ok(&[&["label", "p0"], &AS_SUGGESTED[..]].concat());
    assert_eq!(state("p0"), ("resolved".to_owned(), 3));
    place.ok(&["gold", "set", "p0"]);
    assert_eq!(state("p0"), ("resolved".to_owned(), 2));
    let verified = place.ok(&["verify"]);
    assert!(verified.contains("nothing is altered"), "{verified}");
}

#[test]
fn who_knows_the_label_gets_no_vote_by_asking_a_program_then() {
    let Some(place) = with_labeler(says_wrong) else { return };
    place.ok(&["policy", "set", "overlap=2", "limit=3", "agents=vote"]);
    place.ok(&[&["label", "p5", "--as", "bo"], &AS_SUGGESTED[..]].concat());
    place.ok(&["plugin", "suggest", "llm"]);
    let shown = json(&place.ok(&["show", "p5", "--as", "bo", "--json"]));
    assert_eq!((&shown["state"], &shown["labels"]), (&json!("open"), &json!(1)), "{shown}");
    assert_eq!(shown["suggestions"][0]["plugin"], "llm", "it is shown, and counts for nothing");
}

#[test]
fn programs_together_are_one_voice_and_outvote_nobody() {
    let Some(place) = with_labeler(says_wrong) else { return };
    let config = fs::read_to_string(place.paths().config()).unwrap();
    let again = config.replace("\"llm\"", "\"other\"");
    fs::write(place.paths().config(), format!("{config}\n{again}")).unwrap();
    place.ok(&["plugin", "pin", "other"]);
    place.ok(&["policy", "set", "overlap=3", "limit=3", "rule=majority", "agents=vote"]);
    for name in ["llm", "other"] {
        place.ok(&["plugin", "suggest", name]);
    }
    let otherwise = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
    place.ok(&[&["label", "p0", "--as", "bo"], &otherwise[..]].concat());
    let shown = json(&place.ok(&["show", "p0", "--json"]));
    assert_eq!((&shown["state"], &shown["labels"]), (&json!("open"), &json!(2)), "{shown}");
    // Nor is a person outvoted by one program under a rule that one label would do for.
    place.ok(&["policy", "set", "overlap=2", "limit=2"]);
    let shown = json(&place.ok(&["show", "p0", "--json"]));
    assert_eq!(shown["state"], "disputed", "{shown}");
}

/// Asks for a reason of labels without one, and tells how many rows it sees in a cut and which
/// files a run left.
const LOOKS: &str = r#"dir=$(printf '%s' "$line" | sed 's/.*"\(cut\|run\)":"\([^"]*\)".*/\2/')
case "$line" in
*'"cut":'*) p="{\"what\":\"$(ls "$dir" | grep -c jsonl) files of rows\",\"severity\":\"warn\"}";;
*'"run":'*) p="{\"what\":\"it left $(ls "$dir" | tr '\n' ' ')\",\"severity\":\"warn\"}";;
*'"rationale":""'*) p='{"what":"say why","severity":"error"}';;
*) p=;;
esac
echo "{\"n\":$n,\"problems\":[$p]}""#;

fn with_validator() -> Place {
    let place = team_of_three();
    place.ok(&["policy", "set", "overlap=1"]);
    script(&place.path(), LOOKS);
    configure(&place, "name = \"why\"\nkind = \"validator\"\nrun = [\"sh\", \"p.sh\"]");
    place
}

#[test]
fn a_validator_asks_for_reasons_and_blocks_nothing() {
    let place = with_validator();
    let labels = |case: &str, more: &[&str]| {
        let args = [&["label", case, "--as", "bo", "--json"], &AS_SUGGESTED[..], more].concat();
        let output = place.run(&args);
        assert!(output.status.success(), "{output:?}");
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        (json(&String::from_utf8(output.stdout).unwrap())["problems"].clone(), words)
    };
    let (problems, words) = labels("p0", &[]);
    assert!(problems == json!([]) && words.contains("not pinned"), "{words}");
    place.ok(&["plugin", "pin", "why"]);
    let (problems, _) = labels("p1", &[]);
    assert_eq!(problems, json!([{ "plugin": "why", "what": "say why", "severity": "error" }]));
    assert_eq!(labels("p2", &["--rationale", "it asks for cash"]).0, json!([]));
    assert_eq!(place.ok(&["labels", "--json"]).lines().count(), 3, "all are there");

    // One that hangs keeps nobody waiting for the word that the label is saved, nor for long.
    script(&place.path(), "sleep 600");
    place.ok(&["plugin", "pin", "why"]);
    let mut hangs = program();
    let args = [&["label", "p5", "--as", "bo"], &AS_SUGGESTED[..]].concat();
    hangs.env("CASEWORK_WORKSPACE", place.path()).args(&args);
    let mut child = hangs.stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    said.read_line(&mut line).unwrap();
    assert!(line.contains("Saved as entry") && child.try_wait().unwrap().is_none(), "{line}");
    let mut words = String::new();
    said.read_to_string(&mut words).unwrap();
    assert!(child.wait().unwrap().success() && words.contains("longer than"), "{words}");
    script(&place.path(), LOOKS);
    place.ok(&["plugin", "pin", "why"]);

    // On the screen it is told when it is known.
    let mut workspace = place.open();
    workspace.me = "cy".to_owned();
    let mut screen = Review::in_turn(workspace, (120, 40), casework::clock::now, None).unwrap();
    screen.press("Enter 1 1 3 Enter");
    screen.wait_for(|report| matches!(report, Some(casework::session::Report::Suggested(_))));
    let text = screen.text();
    assert!(text.contains("why asks for a reason of") && text.contains("say why."), "{text}");
}

#[test]
fn a_validator_looks_over_a_cut_and_a_run_and_reads_nothing_else() {
    let place = with_validator();
    place.ok(&["plugin", "pin", "why"]);
    place
        .ok(&[&["label", "p0", "--as", "bo", "--rationale", "it is one"], &AS_SUGGESTED[..]]
            .concat());
    let recipe = file(&place, "r.toml", "name = \"all\"\n");
    let out = place.dir.path().join("all").display().to_string();
    let cut = json(&place.ok(&["cut", &recipe, "--out", &out, "--json"]));
    assert_eq!(cut["rows"], 1, "{cut}");
    let seen = cut["problems"][0]["what"].as_str().unwrap();
    assert!(seen.ends_with("files of rows") && !seen.starts_with('0'), "{cut}");
    let pipeline = "name = \"train\"\ncut = \"all\"\n[[step]]\nname = \"one\"\nrun = [\"sh\", \"-c\", \"echo 1 > {out}/model.bin\"]\n";
    let path = file(&place, "train.toml", pipeline);
    let ran = json(&place.ok(&["run", &path, "--json"]));
    assert!(ran["problems"][0]["what"].as_str().unwrap().contains("it left model.bin"), "{ran}");
    let path = place.path().join("t.toml");
    let asks =
        pipeline.replace("cut = \"all\"", "cut = \"all\"\ninputs = [{ path = \"device.key\" }]");
    fs::write(&path, asks).unwrap();
    let said = place.run(&["run", path.to_str().unwrap(), "--cut", &out]);
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        !said.status.success() && words.contains("`device.key` is what no run may read"),
        "{words}"
    );
}
