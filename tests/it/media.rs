//! Pictures, sounds and files of cases: what is said of each, what is drawn, what is written out, and
//! what is refused.

use std::fs;

use casework::media::Unreadable;
use casework::media::picture::Picture;
use casework::media::sound::Sound;
use casework::tui::Review;
use serde_json::{Value, json};

use crate::keys::Keys as _;
use crate::support::{Place, T0, ingest, shared};

/// A workspace with all shared references, and their folder as root.
fn referenced(shared: &std::path::Path) -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let modal = shared.join("modal").canonicalize().unwrap();
    fs::write(place.path().join("config.toml"), format!("[attachments]\nroots = [{modal:?}]\n"))
        .unwrap();
    ingest(&mut workspace, &fs::read_to_string(modal.join("refs.jsonl")).unwrap());
    drop(workspace);
    place
}

#[test]
fn pictures_are_read_within_bounds_and_what_is_wrong_is_said() {
    let Some(shared) = shared("media::pictures_are_read_within_bounds_and_what_is_wrong_is_said")
    else {
        return;
    };
    let read =
        |name: &str| Picture::read(&fs::read(shared.join("modal/images").join(name)).unwrap());
    let size = |name: &str| read(name).map(|picture| (picture.width, picture.height));
    for (name, expect) in [
        ("photo.jpg", (320, 240)),
        ("cmyk.jpg", (160, 120)),
        ("palette.png", (320, 240)),
        ("grey.png", (320, 240)),
        ("alpha.png", (120, 90)),
        ("moving.gif", (60, 40)),
        ("one.png", (1, 1)),
        ("wide.png", (2400, 12)),
        ("tall.png", (10, 1800)),
        ("title_acts.png", (320, 240)),
        ("wrong_name.png", (320, 240)),
        // A camera that was held upright.
        ("turned.jpg", (120, 160)),
    ] {
        assert_eq!(size(name), Ok(expect), "{name}");
    }
    assert_eq!(read("wrong_name.png").unwrap().kind, "image/jpeg", "its bytes decide");
    assert!(read("moving.gif").unwrap().frames > 1);
    let too_large = Err(Unreadable::TooLarge { width: 30_000, height: 30_000 });
    assert_eq!(size("bomb.png"), too_large, "by its header alone");
    assert_eq!(size("empty.png"), Err(Unreadable::Empty));
    assert_eq!(size("drawing.svg"), Err(Unreadable::Unknown));
    assert!(matches!(size("flipped_bit.png"), Err(Unreadable::Broken(_))));
    for name in ["wide.png", "tall.png", "one.png", "photo.jpg"] {
        let cells = read(name).unwrap().scaled(40, 16);
        assert!((1..=16).contains(&cells.len()) && (1..=40).contains(&cells[0].len()), "{name}");
    }
}

#[test]
fn sounds_are_read_as_far_as_they_are_there() {
    let Some(shared) = shared("media::sounds_are_read_as_far_as_they_are_there") else { return };
    let bytes = |name: &str| fs::read(shared.join("modal/audio").join(name)).unwrap();
    let read = |name: &str| Sound::read(&bytes(name));
    // What a program of others says of it.
    let expect: Value = serde_json::from_slice(&bytes("speechlike.json")).unwrap();
    let sound = read("speechlike.wav").unwrap();
    let (peak, rms) = sound.peak_and_rms();
    let near = |ours: f64, name: &str| (ours - expect[name].as_f64().unwrap()).abs() < 1e-4;
    assert!(near(peak, "peak") && near(rms, "rms") && near(sound.seconds(), "seconds"));
    assert_eq!(u64::from(sound.rate), expect["sample_rate"].as_u64().unwrap());
    assert_eq!(sound.bands(72, 10).len(), 10);
    let wrong = |name: &str| read(name).map(|sound| sound.facts().1.unwrap_or_default());
    assert_eq!(wrong("silent.wav").as_deref(), Ok("it is silent"));
    assert!(wrong("long_claim.wav").unwrap().contains("it promises"), "and it does not hang");
    assert_eq!(wrong("no_samples.wav").as_deref(), Ok("it has no samples"));
    for (name, channels, bits) in
        [("stereo_u8.wav", 2, 8), ("float32.wav", 1, 32), ("int24.wav", 1, 24), ("mulaw.wav", 1, 8)]
    {
        let sound = read(name).unwrap();
        assert_eq!((sound.channels.len(), sound.bits), (channels, bits), "{name}");
        assert!(sound.peak_and_rms().0 > 0.01, "{name}");
    }
    assert!(matches!(read("cut_header.wav"), Err(Unreadable::Broken(_))));
    assert!(matches!(read("zero_channels.wav"), Err(Unreadable::Broken(_))));
}

/// Each of the shared files is written out as it is, where it is the one that was meant; else it says
/// why not.
#[test]
fn what_a_line_points_to_is_written_out_only_if_it_is_that() {
    let Some(shared) = shared("media::what_a_line_points_to_is_written_out_only_if_it_is_that")
    else {
        return;
    };
    let place = referenced(&shared);
    let expect: Value =
        serde_json::from_slice(&fs::read(shared.join("modal/refs_expected.json")).unwrap())
            .unwrap();
    let lines = fs::read_to_string(shared.join("modal/refs.jsonl")).unwrap();
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["id"].as_str().unwrap();
        let output = place.run(&["attachment", id, "1"]);
        let err = String::from_utf8(output.stderr).unwrap();
        match expect[id].as_str().unwrap() {
            "found" | "no hash" => {
                let path = line["input"]["attachment"]["path"].as_str().unwrap();
                let there = fs::read(shared.join("modal").join(path)).unwrap();
                assert_eq!(output.stdout, there, "{id}: {err}");
            }
            verdict => {
                assert!(output.stdout.is_empty(), "{id}");
                let words = match verdict {
                    "another hash" => "its hash is another",
                    "another size" => "its size is another",
                    "missing" => "it is missing here",
                    "outside" => "outside the folders",
                    "not fetched" => "an address is not fetched",
                    other => panic!("{other}"),
                };
                assert!(err.contains(words), "{id}: {words}: {err}");
            }
        }
        let list = place.run_text(&["attachment", id]);
        assert!(list.contains("input.attachment") && !list.contains('\u{1b}'), "{id}: {list}");
    }
}

#[test]
fn a_picture_and_a_sound_are_looked_at_in_a_window() {
    let Some(shared) = shared("media::a_picture_and_a_sound_are_looked_at_in_a_window") else {
        return;
    };
    let place = referenced(&shared);
    let look = |id: &str, size: (u16, u16)| {
        let mut review = Review::in_turn(place.open(), size, || T0, None).unwrap();
        review.front.focus = casework::tui::place::Focus::Queue;
        review.press(&format!("/ \"id:{id}\" Enter Enter i"));
        review
    };
    let lines = fs::read_to_string(shared.join("modal/refs.jsonl")).unwrap();
    let id_of = |path: &str| -> String {
        let of = |line: &str| -> Option<String> {
            let line: Value = serde_json::from_str(line).unwrap();
            (line["input"]["attachment"]["path"] == *path)
                .then(|| line["id"].as_str().unwrap().to_owned())
        };
        lines.lines().find_map(of).unwrap()
    };
    for size in [(160, 45), (80, 24)] {
        let mut review = look(&id_of("images/photo.jpg"), size);
        review.front.theme.colours = true;
        let small = review.text();
        assert!(small.contains("320 × 240 points") && small.contains('▀'), "{small}");
        review.press("+");
        assert!(review.text().matches('▀').count() > small.matches('▀').count());
        review.front.theme.colours = false;
        let shades = review.text();
        assert!(!shades.contains('▀') && shades.contains('#'), "{shades}");
        let sound = look(&id_of("audio/speechlike.wav"), size).text();
        assert!(sound.contains("2.00 s, 8000 Hz, mono") && sound.contains('▂'), "{sound}");
        let bomb = look(&id_of("images/bomb.png"), size).text();
        assert!(bomb.contains("30000 × 30000 points are more than is drawn"), "{bomb}");
        let wrong = look(&id_of("images/wrong_name.png"), size).text();
        assert!(wrong.contains("it is image/jpeg"), "{wrong}");
        let source = look(&id_of("images/drawing.svg"), size).text();
        assert!(source.contains("<svg") && source.contains("script"), "its source: {source}");
    }
}

#[test]
fn a_program_of_ones_own_opens_a_copy_and_no_shell_is_asked() {
    use base64::Engine as _;
    let place = Place::new();
    let mut workspace = place.create();
    let out = place.dir.path().join("seen");
    let script = place.dir.path().join("viewer; rm -rf x");
    fs::write(&script, format!("#!/bin/sh\ncp \"$2\" {out:?}\n")).unwrap();
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(
        place.path().join("config.toml"),
        format!("[open]\n\"application/*\" = [{script:?}, \"--\", \"{{}}\"]\n"),
    )
    .unwrap();
    let data = base64::engine::general_purpose::STANDARD.encode(b"%PDF-1.4 hello");
    let line = json!({"id": "c", "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
        "input": {"doc": format!("data:application/pdf;base64,{data}"), "note": format!("data:text/plain;base64,{data}")},
        "prediction": {"label": "x", "confidence": 0.2}});
    ingest(&mut workspace, &format!("{line}\n"));
    drop(workspace);
    let mut review = Review::in_turn(place.open(), (100, 30), || T0, None).unwrap();
    review.press("i o");
    let screen = review.text();
    for _ in 0..100 {
        if fs::read(&out).is_ok_and(|bytes| bytes == b"%PDF-1.4 hello") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(30));
    }
    assert_eq!(fs::read(&out).unwrap_or_default(), b"%PDF-1.4 hello", "{screen}");
    review.press("] o");
    assert!(review.text().contains("No program is configured for text/plain"), "{}", review.text());
}

/// Of a file without a hash, its own is taken when the case is detected: what changed since is said,
/// is not shown, and stands in the label of whoever did not see it.
#[test]
fn a_file_that_changed_since_its_case_was_detected_is_not_taken_for_the_one_that_was() {
    let place = Place::new();
    let mut workspace = place.create();
    let files = place.path().join("scans");
    fs::create_dir(&files).unwrap();
    fs::write(place.path().join("config.toml"), format!("[attachments]\nroots = [{files:?}]\n"))
        .unwrap();
    workspace.config.attachments.roots = vec![files.to_str().unwrap().to_owned()];
    fs::write(files.join("one.txt"), "as it was").unwrap();
    fs::write(files.join("hashed.txt"), "other words").unwrap();
    let case = |id: &str, path: &str, more: Value| {
        let mut scan = json!({ "path": path, "media_type": "text/plain" });
        scan.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "id": id, "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
            "input": { "text": format!("see {id}"), "scan": scan },
            "prediction": { "label": "pay", "confidence": 0.2 } })
    };
    let lines = [
        case("one", "one.txt", json!({})),
        case("hashed", "hashed.txt", json!({ "sha256": "00" })),
        case("gone", "gone.txt", json!({})),
    ];
    ingest(&mut workspace, &lines.map(|line| format!("{line}\n")).concat());
    drop(workspace);
    let show = |id: &str| place.ok(&["show", id]);
    assert!(show("one").contains("as it was when the case was detected"), "{}", show("one"));
    let said = show("hashed");
    assert!(said.contains("corrupt: input.scan its file was another than the line says"), "{said}");
    let said = show("gone");
    assert!(said.contains("missing: input.scan its file was not there"), "{said}");
    assert_eq!(place.ok(&["attachment", "one", "1"]), "as it was");
    let label = |id: &str| -> Value {
        let mut review = Review::in_turn(place.open(), (120, 40), || T0, None).unwrap();
        review.front.focus = casework::tui::place::Focus::Queue;
        review.press(&format!("/ \"id:{id}\" Enter Enter 1 1 7 Enter"));
        drop(review);
        let all = place.ok(&["labels", "--json"]);
        let lines = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let known = place.ok(&["show", id, "--json"]);
        let known: Value = serde_json::from_str(&known).unwrap();
        lines.into_iter().find(|line| line["case"] == known["case"]).unwrap()
    };
    assert_eq!(label("one")["seen"]["unseen_files"], Value::Null);
    // As long as before.
    fs::write(files.join("one.txt"), "as it is!").unwrap();
    let said = show("one");
    assert!(said.contains("it changed since the case was detected"), "{said}");
    let refused = place.run(&["attachment", "one", "1"]);
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert_eq!(label("gone")["seen"]["unseen_files"], json!(["input.scan"]));
    // It was there when the case was opened, and not when somebody looked.
    fs::write(files.join("hashed.txt"), "as it is!").unwrap();
    let mut workspace = place.open();
    ingest(&mut workspace, &format!("{}\n", case("late", "hashed.txt", json!({}))));
    let mut review = Review::in_turn(workspace, (120, 40), || T0, None).unwrap();
    review.front.focus = casework::tui::place::Focus::Queue;
    review.press("/ \"id:late\" Enter Enter");
    fs::remove_file(files.join("hashed.txt")).unwrap();
    review.press("i Esc 1 1 7 Enter");
    drop(review);
    let all = place.ok(&["labels", "--json"]);
    let lines = all.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let unseen = lines.filter(|line| line["seen"]["unseen_files"] == json!(["input.scan"]));
    assert_eq!(unseen.count(), 2, "{all}");
}

/// Two references to one path are told apart, and what is redacted of a path is told nowhere.
#[test]
fn what_a_file_is_not_is_said_wherever_the_case_is_read() {
    let place = Place::new();
    let mut workspace = place.create();
    let files = place.path().join("scans");
    fs::create_dir(&files).unwrap();
    workspace.config.attachments.roots = vec![files.to_str().unwrap().to_owned()];
    let config = format!("[attachments]\nroots = [{files:?}]\n");
    fs::write(place.path().join("config.toml"), config).unwrap();
    let mut large = Vec::new();
    drop(png::Encoder::new(&mut large, 30_000, 30_000).write_header().unwrap());
    let small = {
        let mut small = Vec::new();
        let mut encoder = png::Encoder::new(&mut small, 1, 1);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[0]).unwrap();
        small
    };
    fs::write(files.join("words.png"), "words").unwrap();
    fs::write(files.join("large.png"), &large).unwrap();
    fs::write(files.join("other.jpg"), &small).unwrap();
    fs::write(files.join("nothing.png"), "").unwrap();
    fs::write(files.join("good.png"), &small).unwrap();
    fs::write(files.join("cut.png"), &small[..small.len() - 3]).unwrap();
    let mut flipped = small.clone();
    flipped[45] ^= 1;
    fs::write(files.join("flipped.png"), &flipped).unwrap();
    let of = |path: &str, kind: &str| json!({ "path": path, "media_type": kind });
    let data = |bytes: &[u8]| {
        use base64::Engine as _;
        json!(format!(
            "data:image/png;base64,{}",
            base64::engine::general_purpose::STANDARD.encode(bytes)
        ))
    };
    let line = json!({ "id": "files", "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
        "input": { "text": "see all", "words": of("words.png", "image/png"), "large": of("large.png", "image/png"),
            "other": of("other.jpg", "image/jpeg"), "nothing": of("nothing.png", "image/png"),
            "cut": of("cut.png", "image/png"), "flipped": of("flipped.png", "image/png"), "bits": data(&flipped),
            "good": of("good.png", "image/png"), "held": data(&large), "fine": data(&small) },
        "prediction": { "label": "pay", "confidence": 0.2 } });
    ingest(&mut workspace, &format!("{line}\n"));
    drop(workspace);
    let shown = place.ok(&["show", "files"]);
    let workspace = place.open();
    let review = Review::in_turn(workspace, (110, 70), || T0, None).unwrap();
    for read in [&shown, &review.text()] {
        let behind = |name: &str| {
            let (_, behind) = read.split_once(&format!("input.{name}:")).expect(read);
            behind.split("input.").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        for (name, wrong) in [
            ("words", "it says it is image/png, and it is none"),
            ("large", "30000 × 30000 points are more than is drawn"),
            ("other", "it says it is image/jpeg, and it is image/png"),
            ("nothing", "it has no data"),
            ("cut", "it ends in the middle"),
            ("flipped", "it is broken"),
            ("bits", "it is broken"),
            ("held", "30000 × 30000 points are more than is drawn"),
        ] {
            assert!(behind(name).contains(wrong), "{name}: {}", behind(name));
        }
        for name in ["good", "fine"] {
            assert!(!behind(name).contains('!'), "{name}: {}", behind(name));
        }
    }
}

#[test]
fn one_path_that_is_meant_twice_stands_twice() {
    let place = Place::new();
    let mut workspace = place.create();
    let files = place.path().join("scans");
    fs::create_dir(&files).unwrap();
    workspace.config.attachments.roots = vec![files.to_str().unwrap().to_owned()];
    workspace.config.redact.kinds = vec!["email".to_owned()];
    let config = format!("[attachments]\nroots = [{files:?}]\n[redact]\nkinds = [\"email\"]\n");
    fs::write(place.path().join("config.toml"), config).unwrap();
    fs::write(files.join("p.txt"), "words").unwrap();
    fs::write(files.join("bob.smith@example.com.txt"), "words").unwrap();
    let of = |path: &str, more: Value| {
        let mut found = json!({ "path": path });
        found.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        found
    };
    let line = json!({ "id": "two", "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
        "input": { "text": "see both", "a": of("p.txt", json!({ "sha256": "00" })), "b": of("p.txt", json!({})),
            "c": of("bob.smith@example.com.txt", json!({})) },
        "prediction": { "label": "pay", "confidence": 0.2 } });
    ingest(&mut workspace, &format!("{line}\n"));
    drop(workspace);
    let shown = place.ok(&["show", "two"]);
    let row = |name: &str| {
        shown.lines().find(|row| row.trim_start().starts_with(name)).unwrap_or(&shown).to_owned()
    };
    assert!(
        !row("input.a:").contains("as it was") && shown.contains("its hash is another"),
        "{shown}"
    );
    assert!(row("input.b:").contains("as it was when the case was detected"), "{shown}");
    assert!(!shown.contains("bob.smith") && !shown.contains("missing: input.c"), "{shown}");
}

/// What is told of a file of one case says nothing of the next, though that has a file in the same
/// field: whoever went on does not look at it any more.
#[test]
fn what_comes_late_of_a_file_is_not_of_the_next_case() {
    use casework::session::Report;
    use casework::workspace::attached::{LookedAt, Shown};
    let place = Place::new();
    let mut workspace = place.create();
    let case = |id: &str| {
        json!({ "id": id, "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
            "input": { "text": format!("see {id}"), "scan": { "path": "one.png" } },
            "prediction": { "label": "pay", "confidence": 0.2 } })
    };
    ingest(&mut workspace, &format!("{}\n{}\n", case("a"), case("b")));
    let mut review = Review::in_turn(workspace, (120, 40), || T0, None).unwrap();
    let first = review.front.session.open_id().unwrap();
    review.press("]");
    assert_ne!(review.front.session.open_id(), Some(first));
    let looked = LookedAt {
        name: "input.scan".to_owned(),
        facts: vec!["one.png".to_owned()],
        wrong: vec!["it is missing here".to_owned()],
        unseen: true,
        shown: Shown::Nothing,
    };
    review.hear(Report::LookedAt { case: first, looked: Box::new(looked) });
    assert!(!review.text().contains("it is missing here"), "{}", review.text());
}
