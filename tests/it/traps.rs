//! Detectors, tests of two samples and traps, against what other people's programs computed
//! (`shared/data/loop`).

use std::fs;
use std::path::Path;

use casework::trap::column;
use casework::trap::detect::{Adwin, Detector, DetectorName, Direction, Settings, detections};
use serde_json::Value;

use crate::support::{Place, shared};

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
