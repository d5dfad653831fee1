//! Detectors, tests of two samples and traps, against what other people's programs computed
//! (`shared/data/loop`).

use std::fs;
use std::path::Path;

use casework::domain::ids::Hash;
use casework::trap::column;
use casework::trap::detect::{Adwin, Detector, DetectorName, Direction, Settings, detections};
use serde_json::Value;

use crate::support::{Place, ingest, line, shared};

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn values(path: &Path) -> Vec<f64> {
    column::as_numbers(&column::read(fs::read(path).unwrap().as_slice(), None).unwrap()).unwrap()
}

fn near(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    let apart = (ours - theirs).abs() / theirs.abs().clamp(1e-300, 1.0);
    assert!(ours == theirs || apart <= tolerance, "{what}: {ours} and not {theirs}");
}

#[test]
fn detectors_find_changes_where_river_does() {
    let Some(data) = shared("detectors_find_changes_where_river_does") else { return };
    let folder = data.join("loop/drift");
    let river = json(&folder.join("river.json"));
    let mut compared = 0;
    for (name, stream) in river["streams"].as_object().unwrap() {
        let values = values(&folder.join(stream["file"].as_str().unwrap()));
        assert_eq!(values.len() as u64, stream["n"].as_u64().unwrap(), "{name}");
        for (setting, expect) in stream["adwin"].as_object().unwrap() {
            let delta = setting.split([' ', '=']).nth(1).unwrap().parse().unwrap();
            let clock = if setting.contains("clock=1") { 1 } else { 32 };
            let mut adwin = Adwin::new(delta, clock);
            let mut found = Vec::new();
            for (index, value) in values.iter().enumerate() {
                if adwin.take(*value) {
                    found.push((index as u64, adwin.width(), adwin.mean()));
                }
            }
            let theirs = expect["detections"].as_array().unwrap();
            assert_eq!(found.len(), theirs.len(), "{name} {setting}: {found:?}");
            for ((index, width, mean), theirs) in found.iter().zip(theirs) {
                assert_eq!(*index, theirs["index"].as_u64().unwrap(), "{name} {setting}");
                assert_eq!(*width, theirs["width_after"].as_u64().unwrap(), "{name} {setting}");
                near(*mean, theirs["mean_after"].as_f64().unwrap(), 1e-9, name);
            }
            let last = &expect["final"];
            assert_eq!(adwin.width(), last["width"].as_u64().unwrap(), "{name} {setting}");
            near(adwin.mean(), last["mean"].as_f64().unwrap(), 1e-9, name);
            near(adwin.spread(), last["variance_of_window"].as_f64().unwrap(), 1e-9, name);
            compared += 1;
        }
        let mut lists = vec![];
        for (setting, expect) in stream["page_hinkley"].as_object().unwrap() {
            let number = |key: &str| {
                let rest = setting.split(&format!("{key}=")).nth(1)?;
                rest.split([' ', ')']).next()?.parse::<f64>().ok()
            };
            let direction = match setting {
                up if up.contains("mode=up") => Some(Direction::Up),
                down if down.contains("mode=down") => Some(Direction::Down),
                _ => None,
            };
            let settings =
                Settings { threshold: number("threshold"), direction, ..Settings::default() };
            lists.push((DetectorName::PageHinkley, settings, setting.clone(), expect));
        }
        for (key, detector) in [("hddm_a", DetectorName::HddmA), ("hddm_w", DetectorName::HddmW)] {
            if let Some(expect) = stream.get(key) {
                lists.push((detector, Settings::default(), key.to_owned(), &expect["detections"]));
            }
        }
        for (detector, settings, setting, expect) in lists {
            let found = detections(Detector::new(detector, settings), values.iter().copied());
            let found: Vec<u64> = found.iter().map(|one| one.index).collect();
            let theirs: Vec<u64> =
                expect.as_array().unwrap().iter().map(|one| one.as_u64().unwrap()).collect();
            assert_eq!(found, theirs, "{name} {setting}");
            compared += 1;
        }
    }
    assert!(compared > 60, "{compared}");
}

#[test]
fn two_samples_are_told_apart_as_scipy_does() {
    let Some(data) = shared("two_samples_are_told_apart_as_scipy_does") else { return };
    let folder = data.join("loop/two_sample");
    let place = Place::new();
    for name in ["stream", "housing"] {
        let expect = json(&folder.join(format!("{name}.json")));
        let file = |kind: &str| folder.join(format!("{name}_{kind}.csv")).display().to_string();
        for kind in ["numeric", "categorical"] {
            for (column, theirs) in expect[kind].as_object().unwrap() {
                let (reference, new) = (file("reference"), file("analysis"));
                let mut args =
                    vec!["trap", "compare", &reference, &new, "--column", column, "--json"];
                if kind == "categorical" {
                    args.push("--categories");
                }
                let ours: Value = serde_json::from_str(&place.ok(&args)).unwrap();
                let mut compared = 0;
                for (key, theirs) in theirs.as_object().unwrap() {
                    let Some(ours) = ours.get(key) else { continue };
                    let tolerance = if key.contains("_p") { 1e-6 } else { 1e-9 };
                    let what = format!("{name} {column} {key}");
                    match (ours, theirs) {
                        (Value::Array(ours), Value::Array(theirs)) => {
                            assert_eq!(ours.len(), theirs.len(), "{what}");
                            for (ours, theirs) in ours.iter().zip(theirs) {
                                match (ours.as_f64(), theirs.as_f64()) {
                                    (Some(a), Some(b)) => near(a, b, tolerance, &what),
                                    _ => assert_eq!(ours, theirs, "{what}"),
                                }
                            }
                        }
                        (ours, theirs) => {
                            near(ours.as_f64().unwrap(), theirs.as_f64().unwrap(), tolerance, &what)
                        }
                    }
                    compared += 1;
                }
                assert!(compared >= 10, "{name} {column}: {compared}");
            }
        }
    }
}

const TRAPS: &str = r#"
[defaults]
per_day = 20
[[trap]]
name = "low margin"
where = "margin < 0.1"
[[trap]]
name = "sure of something new"
where = "confidence >= 0.5"
novel = { field = "input.text", by = "tokens", above = 0.3 }
[[trap]]
name = "rare together"
rare = { fields = ["label", "input.channel"], below = 5 }
[[trap]]
name = "asks again"
repeat = { by = ["label", "input.channel"], within = "6h", times = 2 }
[[trap]]
name = "audit"
sample = 0.1
per_day = 0
"#;

fn written(place: &Place, name: &str, text: &str) -> String {
    let path = place.dir.path().join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A workspace that watches with these traps, held against the first quarter of the stream.
fn watching(traps: &str, stream: &str) -> Place {
    let place = Place::new();
    drop(place.create());
    let write = |name: &str, text: &str| written(&place, name, text);
    let traps = write("traps.toml", traps);
    let quarter: Vec<&str> = stream.lines().take(500).collect();
    let quarter = write("quarter.jsonl", &quarter.join("\n"));
    place.ok(&["reference", "set", "june", "--file", &quarter, "--traps", &traps]);
    place.ok(&["trap", "publish", &traps]);
    place
}

fn take_in(place: &Place, lines: &[&str]) {
    let path = place.dir.path().join("lines.jsonl");
    fs::write(&path, lines.join("\n")).unwrap();
    place.ok(&["ingest", &path.display().to_string()]);
}

/// The cases that people are asked about, and what `traps` says, without when they came.
fn found(place: &Place) -> (Vec<String>, Vec<Value>) {
    let lines = |text: String| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut ids: Vec<String> = lines(place.run_text(&["queue", "--state", "open", "--json"]))
        .iter()
        .map(|case| case["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    (ids, lines(place.ok(&["traps", "--json"])))
}

#[test]
fn the_same_cases_are_found_whatever_the_order_the_pieces_or_the_times() {
    let Some(data) = shared("the_same_cases_are_found_whatever_the_order") else { return };
    let stream = fs::read_to_string(data.join("stream/stream.jsonl")).unwrap();
    let lines: Vec<&str> = stream.lines().collect();
    let once = watching(TRAPS, &stream);
    take_in(&once, &lines);
    let expect = found(&once);
    assert!(expect.0.len() > 300, "{}", expect.0.len());
    let flagged = |name: &str| {
        let of = expect.1.iter().find(|trap| trap["trap"] == name).unwrap();
        (of["flagged"].as_u64().unwrap(), of["opened"].as_u64().unwrap())
    };
    for name in ["low margin", "sure of something new", "rare together", "asks again", "audit"] {
        assert!(flagged(name).0 > 0, "{name}");
    }
    assert!(flagged("low margin").1 < flagged("low margin").0);
    // The same again adds nothing.
    take_in(&once, &lines);
    assert_eq!(found(&once), expect, "read twice");
    // Shuffled, and turned round.
    let mut shuffled = lines.clone();
    shuffled.sort_by_key(|line| Hash::of(line.as_bytes()));
    for (order, what) in
        [(shuffled.clone(), "shuffled"), (lines.iter().rev().copied().collect(), "reversed")]
    {
        let place = watching(TRAPS, &stream);
        take_in(&place, &order);
        assert_eq!(found(&place), expect, "{what}");
    }
    // In pieces, of which each knows nothing of the others; what depends on the order of time is
    // remembered from piece to piece only as it comes.
    let without = TRAPS.replace("[[trap]]\nname = \"asks again\"\nrepeat = { by = [\"label\", \"input.channel\"], within = \"6h\", times = 2 }\n", "");
    let once = watching(&without, &stream);
    take_in(&once, &lines);
    let expect = found(&once);
    let place = watching(&without, &stream);
    for part in shuffled.chunks(200) {
        take_in(&place, part);
    }
    assert_eq!(found(&place), expect, "in ten");
    // In pieces that overlap, as files do that are cut from a log at different times.
    let place = watching(&without, &stream);
    for start in (0..shuffled.len()).step_by(150) {
        take_in(&place, &shuffled[start..shuffled.len().min(start + 400)]);
    }
    take_in(&place, &lines);
    assert_eq!(found(&place), expect, "overlapping");
    // From what may never end, where nothing can wait: what is displaced later is unsampled.
    let place = watching(&without, &stream);
    let summary = ingest(&mut place.open(), &shuffled.join("\n"));
    assert!(summary.opened as usize > expect.0.len(), "{}", summary.opened);
    assert_eq!((summary.opened - summary.gave_way) as usize, expect.0.len(), "{summary:?}");
    assert_eq!(found(&place), expect, "from a pipe");
    let status: Value = serde_json::from_str(&place.ok(&["verify", "--json"])).unwrap();
    assert_eq!(status["ok"], true);
}

/// A prediction on one of as many days, with one of nine confidences.
fn prediction(at: usize, days: usize) -> String {
    let (day, tenth) = (1 + at % days, 1 + at % 9);
    format!(
        "{{\"stream\":\"s\",\"id\":\"p{at}\",\"occurred_at\":\"2026-10-0{day}T00:00:00Z\",\"prediction\":\"a\",\"confidence\":0.{tenth}}}"
    )
}

#[test]
fn a_prediction_is_counted_once_by_each_trap_however_often_it_is_read() {
    let line = |at| prediction(at, 3);
    let place = Place::new();
    drop(place.create());
    let publish = |text: &str| {
        let path = place.dir.path().join("traps.toml");
        fs::write(&path, text).unwrap();
        place.ok(&["trap", "publish", &path.display().to_string()]);
    };
    let read = |ids: std::ops::Range<usize>| {
        let lines: Vec<String> = ids.map(line).collect();
        take_in(&place, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let counts = || -> Vec<(String, u64, u64)> {
        let of = |trap: &Value, key: &str| trap[key].as_u64().unwrap_or_default();
        let lines = found(&place).1;
        let traps = lines.iter().filter(|line| line["trap"].is_string());
        traps
            .map(|trap| {
                (trap["trap"].as_str().unwrap().to_owned(), of(trap, "seen"), of(trap, "flagged"))
            })
            .collect()
    };
    let rows = || found(&place).1.last().unwrap()["stream"]["rows"].as_u64().unwrap();
    let low = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.35\"\n";
    publish(low);
    read(0..18);
    read(9..27);
    assert_eq!((counts(), rows()), (vec![("low".to_owned(), 27, 9)], 27));
    // Another trap has seen none of them: what it reads again is new to it, and to it alone.
    let all = "[[trap]]\nname = \"all\"\nwhere = \"confidence > 0.0\"\n";
    publish(&format!("{low}{all}"));
    read(18..36);
    let expect = vec![("all".to_owned(), 18, 18), ("low".to_owned(), 36, 12)];
    assert_eq!((counts(), rows()), (expect, 36));
    read(0..36);
    let expect = vec![("all".to_owned(), 36, 36), ("low".to_owned(), 36, 12)];
    assert_eq!((counts(), rows()), (expect, 36));
    // The same rules again, as they were, count nothing anew.
    publish(low);
    read(0..45);
    let expect = vec![("all".to_owned(), 36, 36), ("low".to_owned(), 45, 15)];
    assert_eq!((counts(), rows()), (expect, 45));
    // What is only tried is counted nowhere.
    let path = |name: &str| place.dir.path().join(name).display().to_string();
    let before = found(&place);
    place.ok(&["ingest", &path("lines.jsonl"), "--dry-run"]);
    place.ok(&["trap", "try", &path("traps.toml"), &path("lines.jsonl")]);
    assert_eq!(found(&place), before);
    // It is the same for who folds the journal anew.
    place.ok(&["verify", "--rebuild"]);
    assert_eq!(found(&place), before);
}

/// That a trap flagged a case which another one opened makes it none of its own.
#[test]
fn what_a_trap_kept_is_what_it_drew_itself() {
    let line = |at| prediction(at, 2);
    let lines: Vec<String> = (0..90).map(line).collect();
    let place = Place::new();
    drop(place.create());
    let write = |name: &str, text: &str| written(&place, name, text);
    let traps = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.55\"\nper_day = 3\n\
                 [[trap]]\nname = \"all\"\nwhere = \"confidence > 0.35\"\n";
    let traps = write("traps.toml", traps);
    let parts =
        [write("one.jsonl", &lines[..40].join("\n")), write("two.jsonl", &lines[20..].join("\n"))];
    let whole = write("whole.jsonl", &lines.join("\n"));
    let tried = place.ok(&["trap", "try", &traps, &whole, "--json"]);
    let tried: Vec<Value> = tried.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| tried.iter().find(|trap| trap["trap"] == name).unwrap();
    assert_eq!((&of("low")["flagged"], &of("low")["kept"]), (&50.into(), &6.into()));
    assert_eq!(of("low")["ids"].as_array().unwrap().len(), 6);
    assert_eq!((&of("all")["kept"], of("all")["ids"].as_array().unwrap().len()), (&60.into(), 60));
    place.ok(&["trap", "publish", &traps]);
    let kept = |args: &[&str]| {
        let said: Value = serde_json::from_str(&place.ok(args)).unwrap();
        let kept = |name: &str| said["traps"][name]["kept"].as_u64().unwrap();
        (kept("low"), kept("all"))
    };
    assert_eq!(kept(&["ingest", &whole, "--dry-run", "--json"]), (6, 60));
    let first = kept(&["ingest", &parts[0], "--json"]);
    assert_eq!(kept(&["ingest", &whole, "--dry-run", "--json"]).1, 60 - first.1);
    let then = kept(&["ingest", &parts[1], "--json"]);
    assert_eq!((first.0, first.1 + then.1), (6, 60));
    // Other words of a rule draw anew: what they draw that is a case already takes its place.
    let path = write(
        "more.toml",
        "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.56\"\nper_day = 5\n",
    );
    let other = Place::new();
    drop(other.create());
    other.ok(&["trap", "publish", &traps]);
    other.ok(&["ingest", &whole]);
    other.ok(&["trap", "publish", &path]);
    other.ok(&["ingest", &whole]);
    let anew = found(&other);
    for part in &parts {
        other.ok(&["ingest", part]);
        assert_eq!(found(&other), anew, "a part of what was read opens nothing more");
    }
    // Some of those of the second part displaced some of the first, and are asked about.
    let (ids, worth) = found(&place);
    let low = worth.iter().find(|trap| trap["trap"] == "low").unwrap();
    assert_eq!((&low["opened"], &low["flagged"]), (&6.into(), &50.into()));
    let drawn: Vec<&str> =
        of("low")["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert!(drawn.iter().all(|id| ids.iter().any(|open| open == id)));
}

#[test]
fn labels_say_how_often_the_model_is_wrong_on_the_whole_stream() {
    let Some(data) = shared("labels_say_how_often_the_model_is_wrong") else { return };
    let stream = fs::read_to_string(data.join("stream/stream.jsonl")).unwrap();
    let place = watching(
        "[[trap]]\nname = \"low confidence\"\nwhere = \"confidence < 0.4\"\nsample = 0.5\n\
         [[trap]]\nname = \"flip\"\nwhere = \"disagrees\"\nsample = 0.25\n\
         [[trap]]\nname = \"audit\"\nsample = 0.1\n",
        &stream,
    );
    place.ok(&["policy", "set", "overlap=1"]);
    let with_prediction: Vec<&str> =
        stream.lines().filter(|line| !line.contains("\"prediction\":null")).collect();
    take_in(&place, &with_prediction);
    let (ids, before) = found(&place);
    let stream_of = |lines: &[Value]| lines.last().unwrap()["stream"].clone();
    assert!(stream_of(&before)["wrong"]["value"].is_null(), "nothing is settled yet");
    let gold = fs::read_to_string(data.join("stream/gold.csv")).unwrap();
    let verdicts: std::collections::HashMap<&str, bool> = gold
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            (fields[0], fields[6] != "model_correct")
        })
        .collect();
    let label = |id: &String| -> String {
        let path = if verdicts[id.as_str()] {
            r#"{"readable":"n","damage":"c"}"#
        } else {
            r#"{"readable":"y","verdict":"y","category":"r"}"#
        };
        format!("{{\"case\":\"{id}\",\"reviewer\":\"ana\",\"path\":{path}}}\n")
    };
    let label_all = |place: &Place, ids: &[String]| {
        let path = place.dir.path().join("labels.jsonl");
        fs::write(&path, ids.iter().map(label).collect::<String>()).unwrap();
        place.ok(&["import", "labels", &path.display().to_string(), "--format", "jsonl"]);
    };
    label_all(&place, &ids);
    let (_, lines) = found(&place);
    let all = stream_of(&lines);
    let truth = verdicts_share(&verdicts, &with_prediction);
    let (value, error) =
        (all["wrong"]["value"].as_f64().unwrap(), all["standard_error"].as_f64().unwrap());
    assert!((truth - 0.348).abs() < 0.001, "{truth}");
    assert!((value - truth).abs() < 2.0 * error && error < 0.03, "{value} ± {error}, not {truth}");
    assert!(all["unweighted"].as_f64().unwrap() > truth + 0.1, "{all}");
    let low = lines.iter().find(|trap| trap["trap"] == "low confidence").unwrap();
    let precision = low["precision"]["value"].as_f64().unwrap();
    assert!(precision > 0.55 && low["precision"]["high"].as_f64().unwrap() > precision, "{low}");
    // What leaves says with which rate each trap draws, as the case itself does.
    let mut rates = std::collections::BTreeSet::new();
    let exported = place.ok(&["export", "--rows", "cases"]);
    for (at, row) in exported.lines().enumerate() {
        let row: Value = serde_json::from_str(row).unwrap();
        for flag in row["why"].as_array().unwrap() {
            rates.insert(format!("{} {}", flag["trap"].as_str().unwrap(), flag["rate"]));
        }
        if at == 0 {
            let shown = place.ok(&["show", row["id"].as_str().unwrap(), "--json"]);
            let shown: Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(shown["why"][0]["rate"], row["why"][0]["rate"]);
        }
    }
    let rates: Vec<&str> = rates.iter().map(String::as_str).collect();
    assert_eq!(rates, ["audit 0.1", "flip 0.25", "low confidence 0.5"]);
    // Without an audit nothing is said of what no trap flags.
    let place = watching("[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\n", &stream);
    take_in(&place, &with_prediction);
    let reason = stream_of(&found(&place).1)["wrong"]["reason"].clone();
    assert!(reason.as_str().unwrap().contains("samples the whole stream"), "{reason}");
    // A trap that is added reads days again that were sampled whole: they stay that.
    let all = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\nper_day = 9\n\
               [[trap]]\nname = \"audit\"\nsample = 0.3\n";
    let place = watching(all, &stream);
    place.ok(&["policy", "set", "overlap=1"]);
    take_in(&place, &with_prediction);
    label_all(&place, &found(&place).0);
    let before = stream_of(&found(&place).1);
    assert!(before["wrong"]["value"].is_f64(), "{before}");
    let path = place.dir.path().join("more.toml");
    fs::write(
        &path,
        format!("[[trap]]\nname = \"half\"\nwhere = \"confidence < 0.5\"\nper_day = 2\n{all}"),
    )
    .unwrap();
    place.ok(&["trap", "publish", &path.display().to_string()]);
    take_in(&place, &with_prediction[..600]);
    let after = stream_of(&found(&place).1);
    assert_eq!((&after["wrong"], &after["left_out"]), (&before["wrong"], &0.into()), "{after}");
    // So does one that samples the whole stream, where it reads all of them.
    let place = watching("[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\n", &stream);
    place.ok(&["policy", "set", "overlap=1"]);
    take_in(&place, &with_prediction);
    let path = place.dir.path().join("audited.toml");
    fs::write(&path, "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\n[[trap]]\nname = \"audit\"\nsample = 0.3\n").unwrap();
    place.ok(&["trap", "publish", &path.display().to_string()]);
    take_in(&place, &with_prediction);
    label_all(&place, &found(&place).0);
    let all = stream_of(&found(&place).1);
    assert!(all["wrong"]["value"].is_f64() && all["left_out"] == 0, "{all}");
    // One that comes later says something of the days since.
    let low = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\n";
    let place = watching(low, &stream);
    place.ok(&["policy", "set", "overlap=1"]);
    let day = |line: &&str| line.split("\"occurred_at\":\"").nth(1).unwrap()[..10].to_owned();
    let days: std::collections::BTreeSet<String> = with_prediction.iter().map(day).collect();
    let since = days.iter().nth(days.len() / 2).unwrap();
    let (early, late): (Vec<&str>, Vec<&str>) =
        with_prediction.iter().partition(|line| day(line) < *since);
    take_in(&place, &early);
    let path = place.dir.path().join("audited.toml");
    fs::write(&path, format!("{low}[[trap]]\nname = \"audit\"\nsample = 0.3\n")).unwrap();
    place.ok(&["trap", "publish", &path.display().to_string()]);
    take_in(&place, &late);
    label_all(&place, &found(&place).0);
    let all = stream_of(&found(&place).1);
    let (value, error) =
        (all["wrong"]["value"].as_f64().unwrap(), all["standard_error"].as_f64().unwrap());
    let truth = verdicts_share(&verdicts, &late);
    assert!((value - truth).abs() < 2.0 * error && error < 0.03, "{value} ± {error}, not {truth}");
    assert!(all["left_out"].as_u64().unwrap() >= early.len() as u64 - 100, "{all}");
    let told = place.run(&["traps"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("of days that were sampled whole"), "{told}");
}

/// The share of predictions that are wrong, each id once.
fn verdicts_share(verdicts: &std::collections::HashMap<&str, bool>, lines: &[&str]) -> f64 {
    let ids: std::collections::BTreeSet<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    let wrong = ids.iter().filter(|id| verdicts[id.as_str()]).count();
    wrong as f64 / ids.len() as f64
}

#[test]
fn doubtful_labels_are_those_that_cleanlab_names() {
    let Some(data) = shared("doubtful_labels_are_those_that_cleanlab_names") else { return };
    let place = Place::new();
    for name in ["iris", "wine"] {
        let folder = data.join("loop/mislabel");
        let expect = json(&folder.join(format!("{name}.json")));
        let file = folder.join(format!("{name}.csv")).display().to_string();
        let found: Vec<Value> = place
            .ok(&["suspects", &file, "--json"])
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for rule in ["prune_by_noise_rate", "confident_learning"] {
            let mut rows: Vec<u64> = found
                .iter()
                .filter(|one| one["rules"].as_array().unwrap().iter().any(|name| name == rule))
                .map(|one| one["row"].as_u64().unwrap())
                .collect();
            rows.sort_unstable();
            assert_eq!(Value::from(rows), expect["issues"][rule]["rows"], "{name} {rule}");
        }
        let order: Vec<u64> = found.iter().map(|one| one["row"].as_u64().unwrap()).collect();
        let theirs = expect["quality"]["self_confidence"]["lowest_20"].as_array().unwrap();
        let theirs: Vec<u64> = theirs.iter().map(|row| row.as_u64().unwrap()).collect();
        let both: Vec<u64> = theirs.into_iter().filter(|row| order.contains(row)).collect();
        assert_eq!(order[..both.len()], both, "{name}");
    }
}

#[test]
fn what_passes_is_counted_whether_it_is_kept_beside_others_or_not() {
    let stream: String = (0..50)
        .map(|n| line(&format!("p{n}"), "some text", "x", if n < 10 { 0.2 } else { 0.9 }, n))
        .collect();
    let traps = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\n";
    for window in ["0", "5"] {
        let place = watching(traps, &stream);
        let path = place.dir.path().join("lines.jsonl");
        fs::write(&path, &stream).unwrap();
        place.ok(&["ingest", &path.display().to_string(), "--window", window]);
        let (_, lines) = found(&place);
        assert_eq!((lines[0]["seen"].as_u64(), lines[0]["flagged"].as_u64()), (Some(50), Some(10)));
    }
}

#[test]
fn what_was_read_before_an_audit_is_told_as_that() {
    let line = |n: i64| line(&format!("p{n}"), "some text", "x", 0.9, n);
    let place = Place::new();
    drop(place.create());
    let traps = place.dir.path().join("traps.toml");
    let publish = |text: &str| {
        fs::write(&traps, text).unwrap();
        place.ok(&["trap", "publish", traps.to_str().unwrap()]);
    };
    let reason = || found(&place).1.last().unwrap()["stream"]["wrong"]["reason"].to_string();
    let low = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\n";
    publish(low);
    let lines: Vec<String> = (0..30).map(line).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    take_in(&place, &lines[..20]);
    assert!(reason().contains("no trap samples the whole stream"), "{}", reason());
    publish(&format!("{low}[[trap]]\nname = \"audit\"\nsample = 0.5\n"));
    take_in(&place, &lines[20..]);
    assert!(reason().contains("without a trap that samples the whole stream"), "{}", reason());
    // What is read again under other rules counts twice, and makes up for nothing.
    publish(&format!("{low}[[trap]]\nname = \"audit\"\nsample = 0.7\n"));
    take_in(&place, &lines[..20]);
    take_in(&place, &lines[20..]);
    let stream = found(&place).1.last().unwrap()["stream"].clone();
    assert_eq!((&stream["left_out"], &stream["rows"]), (&30.into(), &30.into()), "{stream}");
}

#[test]
fn lines_that_a_reference_could_not_read_are_counted_and_the_first_is_named() {
    let place = Place::new();
    drop(place.create());
    let path = place.dir.path().join("lines.jsonl");
    let good = line("p1", "some text", "x", 0.9, 1);
    fs::write(&path, format!("{good}no json\n[1]\n{{\"text\":\"a text\",\"label\":\"x\"}}\n"))
        .unwrap();
    let set =
        place.run(&["reference", "set", "r", "--file", &path.display().to_string(), "--json"]);
    let told: Value = serde_json::from_slice(&set.stdout).unwrap();
    assert_eq!((told["rows"].as_u64(), told["rejected"].as_u64()), (Some(2), Some(2)), "{told}");
    let said = String::from_utf8(set.stderr).unwrap();
    assert!(said.contains("2 lines could not be read") && said.contains("line 2:"), "{said}");
}

#[test]
fn a_reference_of_another_stream_says_nothing_and_that_is_said() {
    let line = |n: i64| line(&format!("p{n}"), "some text", "x", 0.9, n);
    let stream: String = (0..20).map(line).collect();
    let traps =
        "[[trap]]\nname = \"new\"\nnovel = { field = \"text\", by = \"tokens\", above = 0.3 }\n";
    let place = watching(traps, &stream);
    let path = place.dir.path().join("lines.jsonl");
    let other = stream
        .replace("\"stream\":\"s\"", "\"stream\":\"t\"")
        .replace("some text", "quite new words");
    fs::write(&path, &other).unwrap();
    let output = place.run(&["ingest", &path.display().to_string()]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("20 times a prediction was not of the stream"), "{words}");
    fs::write(&path, stream.replace("some text", "quite new words")).unwrap();
    let output = place.ok(&["ingest", &path.display().to_string()]);
    assert!(output.contains("20 opened"), "{output}");
}

#[test]
fn what_alarms_and_references_keep_holds_no_line_and_nothing_to_be_redacted() {
    let line = |n: i64| {
        let line = line(&format!("p{n}"), "SECRETWORD here", "x", 0.9, n * 600);
        line.replace("\"session_id\"", "\"owner\":\"ann@example.org\",\"note\":\"LONGVALUE and so on, more than sixty-four characters of what somebody wrote\",\"session_id\"")
    };
    let stream: String = (0..400).map(line).collect();
    let traps = "[[trap]]\nname = \"audit\"\nsample = 0.000001\n\
        [[alarm]]\nname = \"owners\"\ncompare = \"input.owner\"\n\
        [[alarm]]\nname = \"notes\"\ncompare = \"input.note\"\n\
        [[alarm]]\nname = \"by owner\"\nwatch = \"confidence\"\nby = \"input.owner\"\n";
    let place = Place::new();
    drop(place.create());
    fs::write(place.path().join("config.toml"), "[redact]\nkinds = [\"email\"]\n").unwrap();
    let write = |name: &str, text: &str| written(&place, name, text);
    let (traps, stream) = (write("t.toml", traps), write("s.jsonl", &stream));
    place.ok(&["reference", "set", "r", "--file", &stream, "--traps", &traps]);
    place.ok(&["trap", "publish", &traps]);
    place.ok(&["ingest", &stream]);
    let workspace = place.open();
    let reference = workspace.reference(&workspace.references().unwrap()[0]).unwrap();
    let reference = serde_json::to_string(&reference).unwrap();
    assert!(reference.contains("[email:"), "{reference}");
    let mut kept = reference.into_bytes();
    for file in fs::read_dir(place.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            kept.extend(fs::read(path).unwrap());
        }
    }
    let kept = String::from_utf8_lossy(&kept).into_owned();
    for text in ["SECRETWORD", "LONGVALUE", "ann@example"] {
        assert!(!kept.contains(text), "{text}");
    }
}

#[test]
fn who_asks_for_everything_asks_for_what_was_not_drawn_too_in_whatever_order() {
    let line = |n: i64| line(&format!("p{n}"), "some text", "x", 0.2, n);
    let stream: String = (0..30).map(line).collect();
    let traps = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.4\"\nper_day = 3\n";
    let place = watching(traps, &stream);
    let half: String = stream.lines().take(15).flat_map(|line| [line, "\n"]).collect();
    ingest(&mut place.open(), &half);
    assert_eq!(found(&place).0.len(), 3);
    // Everything, without a rule, then with one.
    let path = place.dir.path().join("lines.jsonl");
    fs::write(&path, &stream).unwrap();
    let path = path.display().to_string();
    place.ok(&["ingest", &path, "--where", "confidence < 0.9"]);
    assert_eq!(found(&place).0.len(), 30);
    place.ok(&["ingest", &path]);
    assert_eq!(found(&place).0.len(), 30);
}

#[test]
fn an_alarm_leads_to_the_cases_that_it_drew_and_to_no_others() {
    let place = Place::new();
    drop(place.create());
    let stream: String = (0..800)
        .map(|n| {
            let confidence = if n < 500 { 0.9 } else { 0.2 };
            line(&format!("p{n}"), "some text", "x", confidence, n)
        })
        .collect();
    // A trap whose name holds that of the alarm.
    let traps = "[[trap]]\nname = \"sure, and more\"\nwhere = \"confidence < 0.5\"\nper_day = 10\n\
        [[alarm]]\nname = \"sure\"\nwatch = \"confidence\"\ndetector = \"adwin\"\ncases = 5\n";
    let write = |name: &str, text: &str| written(&place, name, text);
    place.ok(&["trap", "publish", &write("t.toml", traps)]);
    place.ok(&["ingest", &write("s.jsonl", &stream)]);
    let alarms = place.open().raised_alarms().unwrap();
    let alarm = alarms.first().expect("it was raised");
    let kinds = |id: &str, kind: &str| -> Vec<String> {
        let trace: Value = serde_json::from_str(&place.ok(&["trace", id, "--json"])).unwrap();
        let nodes = trace["nodes"].as_array().unwrap().iter();
        let of_kind = nodes.filter(|node| node["kind"] == kind);
        of_kind.map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut drawn: Vec<String> =
        alarm.raised.cases.iter().map(|case| format!("case:{case}")).collect();
    let mut told = kinds(&alarm.id, "case");
    drawn.sort();
    told.sort();
    assert!(!drawn.is_empty() && drawn == told, "{drawn:?} {told:?}");
    for line in place.ok(&["queue", "--state", "open", "--json"]).lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let id = format!("case:{}", case["case"].as_str().unwrap());
        assert_eq!(!kinds(&id, "alarm").is_empty(), drawn.contains(&id), "{line}");
    }
}

/// What was read is opened, here already, not flagged or rejected: cases of an alarm's window come of
/// lines that were counted when they were read.
#[test]
fn a_line_is_counted_once_also_where_an_alarm_draws_it() {
    let place = Place::new();
    drop(place.create());
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let line = |n: u32| {
        let label = if (n % 10 < 8) == (n < 200) { "a" } else { "b" };
        format!(
            "{{\"id\":\"p{n}\",\"occurred_at\":\"2026-06-{:02}T{:02}:{:02}:00Z\",\"stream\":\"web\",\"input\":{{\"text\":\"t{n}\"}},\"prediction\":{{\"label\":\"{label}\",\"confidence\":0.5}}}}\n",
            1 + n / 200,
            n % 200 / 10,
            n % 10 * 5
        )
    };
    fs::write(at("all.jsonl"), (0..600).map(line).collect::<String>()).unwrap();
    fs::write(at("before.jsonl"), (0..200).map(line).collect::<String>()).unwrap();
    let traps = "[[trap]]\nname = \"audit\"\nsample = 0.5\n[[alarm]]\nname = \"labels moved\"\ncompare = \"label\"\nwindow = \"1d\"\neffect = 0.1\nleast = 100\n";
    fs::write(at("traps.toml"), traps).unwrap();
    place.ok(&[
        "reference",
        "set",
        "june",
        "--file",
        &at("before.jsonl"),
        "--traps",
        &at("traps.toml"),
    ]);
    place.ok(&["trap", "publish", &at("traps.toml")]);
    let told: Value =
        serde_json::from_str(&place.ok(&["ingest", &at("all.jsonl"), "--json"])).unwrap();
    let count = |name: &str| told[name].as_u64().unwrap();
    let sum = ["opened", "duplicate", "passed", "rejected"].map(count).iter().sum::<u64>();
    assert_eq!((count("read"), sum, count("duplicate")), (600, 600, 0), "{told}");
    assert!(count("alarms") > 0 && count("of_windows") > 0, "{told}");
    let status: Value = serde_json::from_str(&place.ok(&["status", "--json"])).unwrap();
    let cases = status["cases"].as_u64().or_else(|| status["cases"]["total"].as_u64());
    if let Some(cases) = cases {
        assert_eq!(cases, count("opened") + count("of_windows"), "{status}");
    }
    let again: Value =
        serde_json::from_str(&place.ok(&["ingest", &at("all.jsonl"), "--json"])).unwrap();
    assert_eq!(again["read"], 600);
    let sum: u64 = ["opened", "duplicate", "passed", "rejected"]
        .iter()
        .map(|name| again[*name].as_u64().unwrap())
        .sum();
    assert_eq!(sum, 600, "{again}");
}

/// A slip in a trap is told, by every command alike: never answered with nothing flagged.
#[test]
fn what_a_rule_asks_for_in_vain_is_told() {
    let place = Place::new();
    drop(place.create());
    let lines: Vec<String> =
        (0..20).map(|at| line(&format!("p{at}"), "hi", "a", 0.5, at)).collect();
    let lines = written(&place, "lines.jsonl", &lines.concat());
    let of = |rule: &str| {
        let audit = "[[trap]]\nname = \"audit\"\nsample = 0.5\n";
        written(&place, "traps.toml", &format!("{audit}[[trap]]\nname = \"one\"\n{rule}\n"))
    };
    let told = |args: &[&str]| {
        let out = place.run(args);
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    // What is never true or false is refused before anything is read.
    for (rule, comes_to) in
        [("confidence", "a number"), ("label", "a text"), ("!(confidence - 0.5)", "a number")]
    {
        let traps = of(&format!("where = \"{rule}\""));
        let expect = format!("the rule `{rule}` comes to {comes_to}, never to true or false");
        for args in [
            &["trap", "check", &traps][..],
            &["trap", "try", &traps, &lines],
            &["trap", "publish", &traps],
            &["ingest", &lines, "--where", rule],
        ] {
            let (code, said) = told(args);
            assert_eq!(code, Some(2), "{args:?}: {said}");
            assert!(said.contains(&expect), "{args:?}: {said}");
        }
    }
    // A field that is called almost as one that there is.
    for rule in [
        "where = \"input.texd == 'a'\"",
        "repeat = { by = [\"input.texd\"], within = \"1h\", times = 2 }",
        "stuck = { field = \"input.texd\", run = 3 }",
    ] {
        let (code, said) = told(&["trap", "try", &of(rule), &lines]);
        assert_eq!(code, Some(2), "{rule}: {said}");
        assert!(said.contains("Did you mean `input.text`?"), "{said}");
    }
    // What is published is not refused for it: the field may come later.
    place.ok(&["trap", "publish", &of("where = \"input.texd == 'a'\"")]);
    let (code, said) = told(&["ingest", &lines, "--dry-run"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("none of the first 20 lines has; there is input.text"), "{said}");
    // One that may come later, and rules that have no answer: said, and the rest goes on.
    for (rule, expect) in [
        ("where = \"input.customer.vip\"", "one asks for input.customer.vip, which none of"),
        ("repeat = { by = [\"customer\"], within = \"1h\", times = 2 }", "one asks for customer,"),
        ("where = \"input.text\"", "one: its rule has no answer on 20 lines, first on line 1"),
        ("where = \"1 / (size(text) - size(text)) > 1\"", "first on line 1: Division by zero"),
    ] {
        let traps = of(rule);
        for args in [&["trap", "try", &traps, &lines][..], &["ingest", &lines]] {
            if args[0] == "ingest" {
                place.ok(&["trap", "publish", &traps]);
            }
            let (_, said) = told(args);
            assert!(said.contains(expect), "{args:?} {rule}: {said}");
        }
    }
    let summary = place.ok(&["ingest", &lines, "--json"]);
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["read"], &summary["rejected"]), (&20.into(), &0.into()));
    assert_eq!(summary["unanswered"]["one"]["lines"], 20);
    let guarded = of("where = \"has(input.customer) && input.customer.vip\"");
    assert!(!told(&["trap", "try", &guarded, &lines]).1.contains("asks for"));
    let (code, _) = told(&["ingest", &lines, "--where", "input.text", "--dry-run"]);
    assert_eq!(code, Some(1));
}

/// A line that is broken where no rule looks is rejected before anything counts it.
#[test]
fn a_line_that_is_rejected_is_neither_flagged_nor_a_neighbour() {
    let place = Place::new();
    drop(place.create());
    let good = |n: i64| line(&format!("p{n}"), "some text", "x", 0.2, n);
    let deep = good(1)
        .replace("\"some text\"", &format!("\"t\",\"d\":{}{}", "[".repeat(3000), "]".repeat(3000)));
    let lines = written(&place, "lines.jsonl", &[good(0), deep, good(2)].concat());
    let traps = "[[trap]]\nname = \"low\"\nwhere = \"confidence < 0.5\"\n\
                 [[trap]]\nname = \"half\"\nsample = 0.5\nper_day = 1\n";
    let traps = written(&place, "traps.toml", traps);
    place.ok(&["trap", "publish", &traps]);
    let tried = place.ok(&["trap", "try", &traps, &lines, "--json"]);
    let summary = place.ok(&["ingest", &lines, "--json"]);
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["opened"], &summary["rejected"]), (&2.into(), &1.into()));
    let low = &summary["traps"]["low"];
    assert_eq!((&low["seen"], &low["flagged"], &low["kept"]), (&2.into(), &2.into(), &2.into()));
    let tried: Vec<Value> = tried.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_low = tried.iter().find(|one| one["trap"] == "low").unwrap();
    assert_eq!(of_low["flagged"], 2);
    let shown = place.ok(&["show", "p0", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["neighbours"].as_array().unwrap().len(), 1, "{shown}");
}

/// What a team published says which predictions become cases, even where it names none.
#[test]
fn a_file_of_alarms_alone_opens_no_case() {
    for file in ["", "[[alarm]]\nname = \"sure\"\nwatch = \"confidence\"\n"] {
        let place = Place::new();
        drop(place.create());
        let at = |name: &str| place.dir.path().join(name).display().to_string();
        let all: String =
            (0..50).map(|n| line(&format!("p{n}"), "hello there", "pay", 0.5, n)).collect();
        fs::write(at("stream.jsonl"), all).unwrap();
        fs::write(at("traps.toml"), file).unwrap();
        place.ok(&["trap", "publish", &at("traps.toml")]);
        let told: Value =
            serde_json::from_str(&place.ok(&["ingest", &at("stream.jsonl"), "--json"])).unwrap();
        assert_eq!((told["read"].as_u64(), told["opened"].as_u64()), (Some(50), Some(0)), "{told}");
    }
}

/// What `ingest` says of a trap is what `traps` says.
#[test]
fn what_a_trap_kept_is_counted_alike_everywhere() {
    let Some(data) = shared("traps::what_a_trap_kept_is_counted_alike_everywhere") else { return };
    let place = Place::new();
    drop(place.create());
    let path = place.dir.path().join("traps.toml").display().to_string();
    let file = "[defaults]\nper_day = 40\n[[trap]]\nname = \"low margin\"\nwhere = \"margin < 0.1\"\n\
        [[trap]]\nname = \"audit\"\nsample = 0.1\n";
    fs::write(&path, file).unwrap();
    place.ok(&["trap", "publish", &path]);
    let stream = data.join("stream/stream.jsonl").display().to_string();
    let told: Value = serde_json::from_str(&place.ok(&["ingest", &stream, "--json"])).unwrap();
    let worth = place.ok(&["traps", "--json"]);
    let worth: Vec<Value> = worth.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for name in ["low margin", "audit"] {
        let of = |value: &Value| value.to_string().contains(&format!("\"{name}\""));
        let row = worth.iter().flat_map(|doc| match doc["traps"].as_array() {
            Some(list) => list.clone(),
            None => vec![doc.clone()],
        });
        let row = row.into_iter().find(of).unwrap();
        let kept = &told["traps"][name];
        assert_eq!((&kept["kept"], &kept["flagged"]), (&row["opened"], &row["flagged"]), "{row}");
    }
}

/// What `ingest` would refuse is not published, unless the stream has a field that is called so.
#[test]
fn a_misspelled_name_is_refused_before_it_is_published() {
    let place = Place::new();
    drop(place.create());
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    fs::write(at("traps.toml"), "[[trap]]\nname = \"unsure\"\nwhere = \"margn < 0.1\"\n").unwrap();
    let told = |command: &str| {
        let output = place.run(&["trap", command, &at("traps.toml")]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    };
    let (code, said) = told("check");
    assert!(code == 1 && said.contains("Did you mean") && !said.contains("sound"), "{said}");
    let (code, said) = told("publish");
    assert!(code != 0 && said.contains("not published") && said.contains("margin"), "{said}");
    let own = line("p0", "hello", "pay", 0.5, 0).replacen('{', "{\"margn\":0.05,", 1);
    fs::write(at("stream.jsonl"), own).unwrap();
    place.ok(&["ingest", &at("stream.jsonl"), "--where", "true"]);
    assert_eq!((told("check").0, told("publish").0), (0, 0));
    fs::write(at("traps.toml"), "[[alarm]]\nname = \"a\"\nwatch = \"confidence\"\ndelta = 2.0\n")
        .unwrap();
    let (code, said) = told("check");
    assert!(code != 0 && said.contains("delta lies between 0 and 1"), "{said}");
}

/// Where each category has too few rows for a test, that is said: silence would read as no shift.
#[test]
fn a_window_that_can_not_be_told_is_said_to_be() {
    let Some(data) = shared("traps::a_window_that_can_not_be_told_is_said_to_be") else { return };
    let place = Place::new();
    drop(place.create());
    let path = place.dir.path().join("traps.toml").display().to_string();
    let alarm = "[[alarm]]\nname = \"labels moved\"\ncompare = \"label\"\nwindow = \"1d\"\neffect = 0.1\nleast = 200\n";
    fs::write(&path, alarm).unwrap();
    let base = data.join("clinc150/base_train.jsonl").display().to_string();
    place.ok(&["trap", "publish", &path]);
    place.ok(&["reference", "set", "base", "--file", &base]);
    let stream = data.join("stream/stream.jsonl").display().to_string();
    let output = place.run(&["ingest", &stream]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("alarm labels moved: "), "{said}");
    assert!(said.contains("can't be told"), "{said}");
}

#[test]
fn two_rules_under_one_name_are_told_apart() {
    let place = Place::new();
    drop(place.create());
    let traps = place.dir.path().join("traps.toml");
    let name = "a name that is long for a trap";
    for (below, of) in [(0.4, 0..6), (0.3, 6..10)] {
        let rule = format!("[[trap]]\nname = \"{name}\"\nwhere = \"confidence < {below}\"\n");
        fs::write(&traps, rule).unwrap();
        place.ok(&["trap", "publish", traps.to_str().unwrap()]);
        let lines: Vec<String> =
            of.map(|n| line(&format!("p{n}"), "some text", "x", 0.2, n)).collect();
        take_in(&place, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let (_, found) = found(&place);
    let text = place.ok(&["traps"]);
    for one in &found[..2] {
        let version = &one["version"].as_str().unwrap()[..8];
        let row = text.lines().find(|row| row.contains(version));
        let row = row.unwrap_or_else(|| panic!("{version}: {text}"));
        let seen: Vec<&str> = row[row.find(version).unwrap() + 8..].split_whitespace().collect();
        assert_eq!(seen[0], one["seen"].to_string(), "{row}");
        // All columns stand under their heads.
        assert_eq!(row.find(version).unwrap() + 8 - row.matches('…').count() * 2, 28, "{row}");
    }
}
