//! What is due, what is past its time, and that people are told once.

use std::io::{Read, Write};
use std::net::TcpListener;

use casework::review::sla::by_person;
use serde_json::Value;

use crate::support::{Place, ingest, line};

fn team() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String =
        (0..4).map(|i| line(&format!("p{i}"), &format!("move money {i}"), "pay", 0.2, i)).collect();
    ingest(&mut workspace, &lines);
    drop(workspace);
    place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
    // Cases of the support's clock are not due for long; so that they are, they have an hour.
    place.ok(&[
        "policy",
        "set",
        "overlap=2",
        "limit=2",
        "on=verdict",
        "sla_hours=1",
        "escalation=1:2:3",
    ]);
    place
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn label(place: &Place, case: &str, who: &str, answers: &[&str]) {
    let mut args = vec!["label", case, "--as", who];
    answers.iter().for_each(|answer| args.extend(["--answer", answer]));
    place.ok(&args);
}

const YES: [&str; 3] = ["readable=y", "verdict=y", "category=r"];
const NO: [&str; 4] = ["readable=y", "verdict=n", "corrected=transfer", "category=r"];

#[test]
fn clocks_run_and_what_is_past_its_time_ends_with_3() {
    let place = team();
    place.ok(&["policy", "set", "sla_hours=10000"]);
    let check = place.run(&["sla", "check"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stderr));
    let owes = |who: &str, what: &str, place: &Place| -> u64 {
        let lines = place.ok(&["sla", "--json"]);
        let lines: Vec<Value> = lines.lines().map(json).collect();
        let found = lines.iter().find(|line| line["who"] == who && line["what"] == what);
        found.map_or(0, |line| line["cases"].as_u64().unwrap())
    };
    assert_eq!((owes("ana", "label", &place), owes("bo", "label", &place)), (4, 4));
    label(&place, "p0", "ana", &YES);
    assert_eq!((owes("ana", "label", &place), owes("bo", "label", &place)), (3, 4));
    label(&place, "p0", "bo", &NO);
    assert_eq!(
        (owes("ana", "disputed", &place), owes("bo", "label", &place)),
        (1, 3),
        "a lead has it now"
    );
    // What is counted without a list of it is what the list holds.
    let workspace = place.open();
    let listed = by_person(&workspace.due_items().unwrap(), workspace.now());
    let counted = workspace.due_by_person().unwrap();
    assert_eq!((counted.people, counted.of_nobody), (listed, 0));
    drop(workspace);
    let late = place.run(&["sla", "check", "--json", "--ahead", "3h"]);
    let document = json(&String::from_utf8(late.stdout).unwrap());
    assert_eq!(
        (late.status.code(), document["clocks"]["disputed"]["overdue"].as_u64()),
        (Some(3), Some(1)),
        "the owner has it with a new clock, and that the lead let it lapse is not hidden"
    );
    // Labels that are due later are counted, though nobody asked whose each is.
    let labels = &document["clocks"]["label"];
    assert_eq!((labels["all"].as_u64(), labels["overdue"].as_u64()), (Some(3), Some(0)));
    let words = place.run(&["sla", "check", "--ahead", "3h"]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("owner") && words.contains("· the lead had it until"), "{words}");
    let waiting = json(&place.ok(&["arbitrate", "--json", "--ahead", "3h"]));
    assert_eq!(
        (&waiting["level"], &waiting["missed"]["level"]),
        (&json("\"owner\""), &json("\"lead\""))
    );
    let late = place.run(&["sla", "check", "--json", "--ahead", "6h"]);
    let document = json(&String::from_utf8(late.stdout).unwrap());
    assert_eq!(
        (late.status.code(), document["clocks"]["disputed"]["overdue"].as_u64()),
        (Some(3), Some(1)),
        "{document}"
    );

    // Bounds of the policy.
    assert_eq!(place.run(&["policy", "set", "alert=alfa < 1"]).status.code(), Some(2));
    place.ok(&["policy", "set", "alert=disagreement > 30; open > 500; alpha < 0.5"]);
    let check = place.run(&["sla", "check", "--json"]);
    let document = json(&String::from_utf8(check.stdout).unwrap());
    assert_eq!(check.status.code(), Some(3));
    let crossed: Vec<bool> = document["bounds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bound| bound["crossed"].as_bool().unwrap())
        .collect();
    assert_eq!(crossed, [true, false, true], "{document}");
}

/// Cases that nobody may take are due of nobody, and are not nothing.
#[test]
fn what_nobody_may_take_is_said_to_wait() {
    let place = Place::new();
    let mut workspace = place.create();
    ingest(&mut workspace, &line("p0", "move money", "pay", 0.2, 0));
    drop(workspace);
    place.ok(&["roster", "set", "ana", "--role", "lead"]);
    let shown = place.run(&["sla"]);
    let words = String::from_utf8(shown.stderr).unwrap();
    assert_eq!(shown.status.code(), Some(0), "{words}");
    assert!(words.contains("1 case waits, and nobody is there who may take it"), "{words}");
}

#[test]
fn people_are_told_once() {
    let place = team();
    let first = place.ok(&["nudge", "--dry-run", "--json"]);
    assert_eq!(first.lines().count(), 2);
    let told = place.ok(&["nudge"]);
    assert!(told.contains("bo\n  4 assigned cases to label, the first due"), "{told}");
    assert_eq!(place.run(&["nudge"]).status.code(), Some(0), "nothing new");
    assert!(place.ok(&["nudge", "--again", "--dry-run"]).contains("4 assigned cases to label"));
    label(&place, "p0", "ana", &YES);
    label(&place, "p0", "bo", &NO);
    let told = place.ok(&["nudge", "--json"]);
    let document = json(&told);
    assert_eq!(
        (document["to"].as_str(), document["owes"][0]["what"].as_str()),
        (Some("ana"), Some("disputed")),
        "{told}"
    );
    assert!(place.open().verify_all(false).unwrap().ok);
}

#[test]
fn a_command_is_given_what_each_owes_and_one_that_fails_is_tried_again() {
    let place = team();
    let file = place.dir.path().join("told");
    let failing = place.run(&["nudge", "--command", "echo no route >&2; exit 1"]);
    let error = String::from_utf8(failing.stderr).unwrap();
    assert!(failing.status.code() == Some(2) && error.contains("no route"), "{error}");
    place.ok(&["nudge", "--command", &format!("cat >> {0}; echo >> {0}", file.display())]);
    let told = std::fs::read_to_string(&file).unwrap();
    let names: Vec<String> =
        told.lines().map(|line| json(line)["to"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["ana", "bo"]);
    assert_eq!(place.run(&["nudge", "--mail", "ana=no-address"]).status.code(), Some(2));
}

#[test]
fn a_webhook_is_posted_to() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: a_webhook_is_posted_to needs curl");
        return;
    }
    let place = team();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", server.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = server.accept().unwrap();
            let mut request = String::new();
            let mut buffer = [0; 4096];
            // The body ends where its JSON does.
            while request
                .split_once("\r\n\r\n")
                .is_none_or(|(_, body)| serde_json::from_str::<Value>(body).is_err())
            {
                let n = stream.read(&mut buffer).unwrap();
                request.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
            }
            stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            bodies.push(json(request.split_once("\r\n\r\n").unwrap().1));
        }
        bodies
    });
    place.ok(&["nudge", "--webhook", &url]);
    let bodies = heard.join().unwrap();
    assert!(
        bodies[1]["text"].as_str().unwrap().starts_with("bo: 4 assigned cases to label"),
        "{bodies:?}"
    );
}

/// The sendmail of `msmtp` hands a mail to whatever its file says: here to a server of this test.
#[test]
fn mail_goes_out_by_a_real_sendmail() {
    let is_msmtp = std::process::Command::new("/usr/sbin/sendmail").arg("--version").output();
    if !is_msmtp.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("msmtp")) {
        eprintln!(
            "skipped: mail_goes_out_by_a_real_sendmail needs the sendmail of msmtp (.ci/servers installs it)"
        );
        return;
    }
    let place = team();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let config = format!(
        "account default\nhost 127.0.0.1\nport {port}\nfrom casework@example.org\nauth off\ntls off\n"
    );
    let rc = place.dir.path().join(".msmtprc");
    std::fs::write(&rc, config).unwrap();
    std::fs::set_permissions(&rc, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mails = std::thread::spawn(move || receive(&server));
    let mut command = crate::support::program();
    command.env("CASEWORK_WORKSPACE", place.path()).env("HOME", place.dir.path());
    let output = command.args(["nudge", "--mail", "bo=bo@example.org"]).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && words.contains("ana has no address"), "{words}");
    let (to, mail) = mails.join().unwrap();
    assert_eq!(to, "bo@example.org");
    assert!(
        mail.contains("Subject: casework: 4 to do")
            && mail.contains("4 assigned cases to label, the first due"),
        "{mail}"
    );
    // Who was told is not told again; who has no address still is to be.
    let again = place.ok(&["nudge", "--json"]);
    assert!(again.lines().count() == 1 && json(&again)["to"] == "ana", "{again}");
}

/// One mail as a server gets it (RFC 5321): for whom, and its text.
fn receive(server: &TcpListener) -> (String, String) {
    use std::io::{BufRead, BufReader};
    let (stream, _) = server.accept().unwrap();
    let mut replies = stream.try_clone().unwrap();
    let mut reply = |text: &str| replies.write_all(format!("{text}\r\n").as_bytes()).unwrap();
    let (mut to, mut mail, mut in_text) = (String::new(), String::new(), false);
    reply("220 here");
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        match line.split([' ', ':']).next().unwrap_or_default() {
            "." if in_text => {
                in_text = false;
                reply("250 taken");
            }
            _ if in_text => mail += &format!("{line}\n"),
            "DATA" => {
                in_text = true;
                reply("354 go on");
            }
            "QUIT" => {
                reply("221 bye");
                break;
            }
            "RCPT" => {
                to = line.split_once('<').unwrap().1.trim_end_matches('>').to_owned();
                reply("250 ok");
            }
            _ => reply("250 ok"),
        }
    }
    (to, mail)
}

#[test]
fn a_term_is_due_of_its_owner_and_is_no_case() {
    let place = team();
    let file = place.dir.path().join("g.toml");
    let publish = |owner: &str, day: &str| {
        let terms = place.ok(&["glossary", "starter", "text"]);
        let own = format!(
            "{terms}\n[[term]]\nid = \"mine\"\nname = \"Mine\"\ndefinition = \"d\"\nowner = \"{owner}\"\nreview_by = \"{day}\"\n"
        );
        std::fs::write(&file, own).unwrap();
        let output = place.run(&["glossary", "publish", file.to_str().unwrap()]);
        String::from_utf8(output.stderr).unwrap()
    };
    let owed = || -> Vec<String> {
        let lines = place.run_text(&["sla", "--json"]);
        let terms = lines.lines().map(json).filter(|line| line["what"] == "term");
        terms.map(|line| format!("{} {}", line["who"].as_str().unwrap(), line["overdue"])).collect()
    };
    let overdue = || json(&place.run_text(&["sla", "check", "--json"]))["overdue"].clone();
    let cases = overdue();
    assert_eq!(publish("bo", "2099-01-01"), "glossary v2 is published: 13 terms\n");
    assert_eq!(owed(), Vec::<String>::new(), "years ahead it is not due");
    publish("bo", "2026-06-01");
    assert_eq!(owed(), ["bo 1"]);
    assert_eq!(overdue(), cases, "a term is no case");
    let told = place.ok(&["nudge", "--dry-run"]);
    assert!(told.contains("1 glossary term to look at again"), "{told}");
    let words = publish("ghost", "2026-06-01");
    assert!(words.contains("`mine` belongs to ghost, who is not on the roster"), "{words}");
    assert_eq!(owed(), ["ana 1"], "a lead has what nobody owns");
    let found = place.run_text(&["glossary", "check"]);
    assert!(found.contains("unowned") && found.contains("overdue"), "{found}");
}

fn bounds(place: &Place, who: &str) -> (Option<i32>, Value) {
    let check = place.run(&["sla", "check", "--json", "--as", who]);
    let document = json(&String::from_utf8(check.stdout).unwrap());
    (check.status.code(), document["bounds"].clone())
}

#[test]
fn a_share_is_held_against_its_bound_day_by_day() {
    // shared/data/loop/outcomes/binomial_housing.json: of 300 each, against .646667.
    let right = [236, 258, 152, 88, 156, 141, 140, 196, 210];
    let place = Place::new();
    let mut workspace = place.create();
    let (mut lines, mut outcomes) = (String::new(), String::new());
    for (day, right) in right.iter().enumerate() {
        for n in 0..300 {
            let id = format!("d{day}n{n}");
            lines += &line(&id, &format!("text {id}"), "pay", 0.2, day as i64 * 86_400 + n);
            let right = n < *right;
            outcomes += &format!(
                "{{\"id\":\"{id}\",\"observed_at\":\"2026-08-01T00:00:00Z\",\"right\":{right}}}\n"
            );
        }
    }
    ingest(&mut workspace, &lines);
    drop(workspace);
    let file = place.dir.path().join("turned-out.jsonl");
    std::fs::write(&file, outcomes).unwrap();
    place.ok(&["outcome", "import", file.to_str().unwrap()]);
    place.ok(&["policy", "set", "alert=accuracy < 0.646667 by day"]);
    let (code, bounds_now) = bounds(&place, "ana");
    let days = bounds_now[0]["of"].as_array().unwrap();
    let crossed: Vec<usize> = (0..9).filter(|at| days[*at]["crossed"] == true).collect();
    assert_eq!((code, days.len(), crossed), (Some(3), 9, vec![2, 3, 4, 5, 6]), "{bounds_now}");
    assert!((bounds_now[0]["value"].as_f64().unwrap() - 88.0 / 300.0).abs() < 1e-12);
    let said = place.run(&["sla", "check"]);
    let said = String::from_utf8(said.stdout).unwrap();
    let worst = days[3]["name"].as_str().unwrap();
    assert!(said.contains(&format!("0.293 on {worst} and 4 more days")), "{said}");
    let told = place.ok(&["nudge", "--dry-run"]);
    assert!(told.contains("by day: it is 0.293 on"), "{told}");
    // A week is as good as its days together, and all as good as its weeks.
    place.ok(&["policy", "set", "alert=accuracy < 0.646667 by week; wrong > 0.5"]);
    let (_, bounds_now) = bounds(&place, "ana");
    let weeks = bounds_now[0]["of"].as_array().unwrap();
    let sum = |key: &str| -> u64 { weeks.iter().map(|week| week[key].as_u64().unwrap()).sum() };
    assert_eq!((sum("hits"), sum("n")), (1_577, 2_700), "{bounds_now}");
    assert_eq!(bounds_now[1]["of"][0]["hits"], 2_700 - 1_577);
    assert_eq!(bounds_now[1]["crossed"], false, ".416 is below .5");
    // What nobody could mean is refused.
    for wrong in ["accuracy < 85", "wrong > -0.1", "open > 5 by day"] {
        let alert = format!("alert={wrong}");
        assert_eq!(place.run(&["policy", "set", &alert]).status.code(), Some(2), "{wrong}");
    }
}
