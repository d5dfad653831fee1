//! From labels to a deployed model, on real data: cuts, runs, gates, deployments, outcomes, traces.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use casework::domain::distribution::holm;
use casework::format::dvc;
use casework::quality::mcnemar::Table;
use serde_json::Value;

use crate::support::{Place, fixture, line, program, server, shared};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

/// Predictions of one model of the shared file, as a gate reads them.
fn predictions(data: &Path, model: &str, to: &Path) {
    let text = fs::read_to_string(data.join("loop/gate/predictions.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let at = reader.headers().unwrap().iter().position(|name| name == model).unwrap();
    let mut writer = csv::Writer::from_path(to).unwrap();
    writer.write_record(["row", "label", "prediction", "slices"]).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        writer.write_record([&record[0], &record[1], &record[at], &record[2]]).unwrap();
    }
    writer.flush().unwrap();
}

#[test]
fn near_duplicates_are_those_of_an_exact_product() {
    let Some(data) = shared("near_duplicates_are_those_of_an_exact_product") else { return };
    let place = Place::new();
    let file = |name: &str| data.join(format!("clinc150/{name}.jsonl")).display().to_string();
    let sets = [
        ("pool-pool", "pool", None),
        ("pool-base", "pool", Some("base_train")),
        ("eval-base", "eval", Some("base_train")),
    ];
    let mut expect: BTreeMap<String, BTreeSet<(u64, u64, i64)>> = BTreeMap::new();
    let pairs = fs::read_to_string(data.join("loop/neardup/clinc_pairs.csv")).unwrap();
    for record in csv::Reader::from_reader(pairs.as_bytes()).records() {
        let record = record.unwrap();
        let of = |at: usize| record[at].parse::<u64>().unwrap();
        let jaccard = (record[3].parse::<f64>().unwrap() * 1e6).round() as i64;
        expect.entry(record[0].to_owned()).or_default().insert((of(1), of(2), jaccard));
    }
    for (set, one, other) in sets {
        let one = file(one);
        let other = other.map(file);
        let mut args = vec!["cut", "near", &one];
        args.extend(other.as_deref());
        args.extend(["--at", "0.7", "--json"]);
        let found: BTreeSet<(u64, u64, i64)> = lines(&place.ok(&args))
            .iter()
            .map(|pair| {
                let row = |side: &str| pair[side]["row"].as_u64().unwrap();
                (row("a"), row("b"), (pair["jaccard"].as_f64().unwrap() * 1e6).round() as i64)
            })
            .collect();
        let expect = expect.get(set).unwrap_or_else(|| panic!("{set} in {:?}", expect.keys()));
        assert!(found == *expect, "{set}: {} and {}", found.len(), expect.len());
    }
}

#[test]
fn what_gates_go_by_is_what_scipy_and_statsmodels_compute() {
    let Some(data) = shared("what_gates_go_by_is_what_scipy_and_statsmodels_compute") else {
        return;
    };
    let reference = json(&fs::read_to_string(data.join("loop/gate/reference.json")).unwrap());
    let text = fs::read_to_string(data.join("loop/gate/predictions.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let column = |name: &str| head.iter().position(|own| own == name).unwrap();
    let near = |one: f64, two: f64, within: f64| {
        assert!((one - two).abs() <= within * two.abs().max(1e-300) + 1e-12, "{one} {two}");
    };
    let mut compared = 0;
    for (name, comparison) in reference["comparisons"].as_object().unwrap() {
        let (before, after) = name.split_once(" -> ").unwrap();
        let (before, after) = (column(before), column(after));
        for (slice, expect) in comparison["slices"].as_object().unwrap() {
            let mut table = Table::default();
            for row in &rows {
                let within = slice == "all"
                    || slice.strip_prefix("label=").is_some_and(|label| label == &row[1])
                    || row[2].split('|').any(|own| own == slice);
                if within {
                    table.take(row[before] == row[1], row[after] == row[1]);
                }
            }
            let count = |key: &str| expect[key].as_u64().unwrap();
            assert_eq!(
                (table.rows, table.gained, table.lost),
                (count("n"), count("gained"), count("lost")),
                "{name} {slice}"
            );
            if let Some(p) = expect["mcnemar_exact_p_less"].as_f64() {
                near(table.worse(), p, 1e-9);
                near(table.better(), expect["mcnemar_exact_p_greater"].as_f64().unwrap(), 1e-9);
                near(table.better_midp(), expect["mcnemar_midp_greater"].as_f64().unwrap(), 1e-9);
            }
            for (key, alpha) in [("tango_90", 0.05), ("tango_95", 0.025)] {
                let (low, high) = table.interval(alpha).unwrap();
                let of = |at: usize| expect[key][at].as_f64().unwrap();
                assert!((low - of(0)).abs() < 1e-6 && (high - of(1)).abs() < 1e-6, "{slice} {key}");
            }
            compared += 1;
        }
    }
    assert!(compared > 80, "{compared}");
    // Holm over distinct sets of rows: as the gate's lines have it.
    let place = Place::new();
    let file = |name: &str| place.dir.path().join(name);
    predictions(&data, "before", &file("before.csv"));
    predictions(&data, "only_oos", &file("after.csv"));
    fs::write(file("gate.toml"), "[[keep]]\nslice = \"*\"\n").unwrap();
    let [gate, before, after] =
        ["gate.toml", "before.csv", "after.csv"].map(|name| file(name).display().to_string());
    let output = place.run(&["gate", &gate, "--before", &before, "--after", &after, "--json"]);
    let decided = json(&String::from_utf8(output.stdout).unwrap());
    let expect = &reference["comparisons"]["before -> only_oos"]["holm over distinct slices (identical row sets counted once, slices without discordant rows count with p 1)"];
    let mut p = Vec::new();
    for line in decided["lines"].as_array().unwrap() {
        let slice = line["slice"].as_str().unwrap().split(" = ").next().unwrap();
        near(line["adjusted"].as_f64().unwrap(), expect[slice].as_f64().unwrap(), 1e-9);
        p.push(line["p"].as_f64().unwrap());
    }
    assert_eq!(p.len(), expect.as_object().unwrap().len());
    assert!(holm(&p).iter().all(|p| *p <= 1.0));
}

const GATE: &str = "[[fix]]\nslice = \"oos\"\ngain = 0.05\n[[keep]]\nslice = \"all\"\nmargin = 0.01\n[[keep]]\nslice = \"*\"\ndrop = 0.05\n";

#[test]
fn a_gate_lets_one_model_pass_and_refuses_the_other() {
    let Some(data) = shared("a_gate_lets_one_model_pass_and_refuses_the_other") else { return };
    let place = Place::new();
    let file = |name: &str| place.dir.path().join(name).display().to_string();
    for model in ["before", "gold", "only_oos"] {
        predictions(&data, model, Path::new(&file(&format!("{model}.csv"))));
    }
    let gate = file("gate.toml");
    fs::write(&gate, GATE).unwrap();
    let ask = |after: &str, more: &[&str]| {
        let after = file(after);
        let before = file("before.csv");
        let args = ["gate", &gate, "--before", &before, "--after", &after, "--json"];
        place.run(&[&args[..], more].concat())
    };
    let line = |decided: &Value, slice: &str| -> String {
        let lines = decided["lines"].as_array().unwrap();
        let found = lines.iter().find(|line| line["slice"].as_str().unwrap().contains(slice));
        found.unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    let gold = ask("gold.csv", &[]);
    let decided = json(&String::from_utf8(gold.stdout).unwrap());
    assert_eq!((gold.status.code(), decided["verdict"].as_str()), (Some(0), Some("pass")));
    assert_eq!(line(&decided, "domain:home"), "pass");
    assert_eq!(line(&decided, "other_language"), "cannot_tell");
    let junit = file("junit.xml");
    let only = ask("only_oos.csv", &["--junit", &junit]);
    let decided = json(&String::from_utf8(only.stdout).unwrap());
    assert_eq!((only.status.code(), decided["verdict"].as_str()), (Some(1), Some("fail")));
    for slice in ["in_scope", "focus"] {
        assert_eq!(line(&decided, slice), "fail");
    }
    assert_eq!(fs::read_to_string(&junit).unwrap().matches("<failure").count(), 2);
    // What has to be shown and is not.
    fs::write(&gate, "[[keep]]\nslice = \"domain:home\"\nmargin = 0.05\n[[keep]]\nslice = \"other_language\"\nmargin = 0.05\n[[fix]]\nslice = \"nothing\"\ngain = 0.1\n").unwrap();
    let home = json(&String::from_utf8(ask("gold.csv", &[]).stdout).unwrap());
    assert_eq!(line(&home, "domain:home"), "fail");
    assert_eq!(line(&home, "other_language"), "cannot_tell");
    assert_eq!(line(&home, "nothing"), "cannot_tell");
    // A slice that is called otherwise is refused with the names that there are.
    fs::write(&gate, "[[fix]]\nslice = \"ooos\"\ngain = 0.1\n").unwrap();
    let typo = ask("gold.csv", &[]);
    let said = String::from_utf8_lossy(&typo.stderr).into_owned();
    assert!(typo.status.code() == Some(2) && said.contains("Did you mean `oos`?"), "{said}");
    // So is a category.
    for name in ["before", "gold"] {
        let rows = fs::read_to_string(file(&format!("{name}.csv"))).unwrap();
        let rows: Vec<String> = rows
            .lines()
            .enumerate()
            .map(|(at, row)| format!("{row},{}", ["category", "rare", "usual"][at.min(1 + at % 2)]))
            .collect();
        fs::write(file(&format!("{name}_category.csv")), rows.join("\n")).unwrap();
    }
    let of = |category: &str| {
        let text = format!("[[fix]]\ncategory = \"{category}\"\ngain = 0.1\n");
        fs::write(&gate, text).unwrap();
        let [before, after] = ["before", "gold"].map(|name| file(&format!("{name}_category.csv")));
        place.run(&["gate", &gate, "--before", &before, "--after", &after])
    };
    let said = |run: std::process::Output| {
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        (run.status.code(), said + &String::from_utf8_lossy(&run.stdout))
    };
    let (code, words) = said(of("raer"));
    assert!(
        code == Some(2) && words.contains("Did you mean `rare`? There are rare, usual"),
        "{words}"
    );
    let (code, words) = said(of("rare"));
    assert!(code == Some(1) && words.contains("category = rare"), "{words}");
    let (code, words) = said(of("something else"));
    assert!(code == Some(0) && words.contains("no row of the evaluation"), "{words}");
    fs::write(&gate, GATE).unwrap();
    // Rows that are missing, doubled or of another file end with 2 and are named.
    let text = fs::read_to_string(file("gold.csv")).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    for (name, text, words) in [
        ("missing.csv", rows[..rows.len() - 3].join("\n"), "3167, 3168, 3169"),
        ("doubled.csv", format!("{text}1,w2,w2,\n"), "row 1 stands there twice"),
        ("other.csv", text.replacen("w2", "w4", 1), "row 1 has the label"),
    ] {
        fs::write(file(name), text).unwrap();
        let output = ask(name, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(2) && said.contains(words), "{name}: {said}");
    }
}

#[test]
fn directories_have_the_hash_that_dvc_gives_them() {
    let Some(data) = shared("directories_have_the_hash_that_dvc_gives_them") else { return };
    let known = json(&fs::read_to_string(data.join("loop/formats/dvc_md5.json")).unwrap());
    for (name, directory) in known["directories"].as_object().unwrap() {
        let unhex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
                .collect()
        };
        let files: Vec<dvc::File> = directory["files"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, file)| {
                let bytes = unhex(file["bytes_hex"].as_str().unwrap());
                dvc::File { path: path.clone(), bytes: bytes.len() as u64, md5: dvc::md5(&bytes) }
            })
            .collect();
        assert_eq!(dvc::directory_md5(&files), directory["dir_md5"].as_str().unwrap(), "{name}");
    }
}

/// The shared stream with the recorded reviews of it, up to a number of them.
fn labeled(data: &Path, place: &Place, reviews: usize) {
    let path = |name: &str| data.join(name).display().to_string();
    place.ok(&["ingest", &path("stream/stream.jsonl")]);
    place.ok(&["protocol", "publish", fixture("intent-edge-cases.toml").to_str().unwrap()]);
    place.ok(&["policy", "set", "overlap=2", "limit=2", "rule=majority", "on=label"]);
    import(data, place, reviews);
}

fn import(data: &Path, place: &Place, reviews: usize) {
    let all = fs::read_to_string(data.join("reviews/reviews.jsonl")).unwrap();
    let some: String = all.lines().take(reviews).flat_map(|line| [line, "\n"]).collect();
    let file = place.dir.path().join("reviews.jsonl");
    fs::write(&file, some).unwrap();
    place.ok(&["import", "labels", &file.display().to_string(), "--format", "jsonl"]);
}

fn recipe(data: &Path, place: &Place, more: &str) -> String {
    for name in ["eval", "base_train"] {
        let to = place.dir.path().join(format!("{name}.jsonl"));
        if !to.exists() {
            fs::copy(data.join(format!("clinc150/{name}.jsonl")), to).unwrap();
        }
    }
    let file = place.dir.path().join("recipe.toml");
    fs::write(&file, format!("name = \"june\"\n{more}\n[leak]\nagainst = [\"eval.jsonl\"]\n"))
        .unwrap();
    file.display().to_string()
}

const SPLIT: &str = "[caps]\nper = \"label\"\nrows = 40\n[replay]\nfile = \"base_train.jsonl\"\nratio = 4.0\nstratify = \"label\"\n\
                     [split]\ntrain = 0.8\nvalidation = 0.1\ntest = 0.1\nseed = \"june\"\n[out]\nformats = [\"jsonl\", \"hf\", \"croissant\"]\n\
                     license = \"https://creativecommons.org/licenses/by/3.0/\"\ncreator = \"intent-team\"\ndate = \"2026-06-03\"";

/// Where each row of a cut went.
fn splits(directory: &Path) -> BTreeMap<String, String> {
    let mut splits = BTreeMap::new();
    for name in ["train", "validation", "test"] {
        for row in lines(&fs::read_to_string(directory.join(format!("{name}.jsonl"))).unwrap()) {
            splits.insert(row["row"].as_str().unwrap().to_owned(), name.to_owned());
        }
    }
    splits
}

#[test]
fn a_cut_is_the_same_wherever_it_is_made_and_says_what_it_left_out() {
    let Some(data) = shared("a_cut_is_the_same_wherever_it_is_made_and_says_what_it_left_out")
    else {
        return;
    };
    let place = Place::new();
    drop(place.create());
    labeled(&data, &place, 2_173);
    let recipe = recipe(&data, &place, SPLIT);
    let out = |place: &Place, name: &str| place.dir.path().join(name);
    let made =
        json(&place.ok(&["cut", &recipe, "--out", out(&place, "one").to_str().unwrap(), "--json"]));
    let count = |value: &Value| value.as_u64().unwrap();
    let dropped: u64 = made["dropped"].as_object().unwrap().values().map(count).sum();
    let new = count(&made["rows"]) - count(&made["replay"]["rows"]);
    assert_eq!(count(&made["read"]), dropped + new, "{made}");
    assert!(count(&made["replay"]["rows"]).abs_diff(4 * new) <= 1, "{made}");
    // Nothing that measures is learned from.
    let place_file = |name: &str| out(&place, name).display().to_string();
    let leaks = place.run_text(&[
        "cut",
        "near",
        &place_file("one/train.jsonl"),
        &place_file("eval.jsonl"),
        "--json",
    ]);
    assert_eq!(leaks, "");
    let rows = lines(&fs::read_to_string(out(&place, "one/train.jsonl")).unwrap());
    let mut per: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row["origin"] == "case") {
        *per.entry(row["label"].as_str().unwrap()).or_default() += 1;
    }
    assert!(per.values().all(|n| *n <= 40), "{per:?}");
    // Each row is one line, its keys in the order of the alphabet, and the lines are the cut.
    let all: BTreeMap<String, String> = ["train", "validation", "test"]
        .iter()
        .flat_map(|name| {
            let text = fs::read_to_string(out(&place, &format!("one/{name}.jsonl"))).unwrap();
            text.lines()
                .map(|line| (json(line)["row"].as_str().unwrap().to_owned(), line.to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    let bytes: String = all.values().flat_map(|line| [line.as_str(), "\n"]).collect();
    assert_eq!(blake3::hash(bytes.as_bytes()).to_hex().as_str(), made["cut"].as_str().unwrap());
    for line in all.values() {
        let keys: Vec<String> = json(line).as_object().unwrap().keys().cloned().collect();
        assert!(keys.is_sorted(), "{keys:?}");
    }
    // A colleague whose entries came in another order, in another place.
    let store = place.dir.path().join("store").display().to_string();
    place.ok(&["sync", "--store", &store]);
    let other = Place::new();
    other.ok(&["join", &store, "--as", "eva"]);
    place.ok(&["sync"]);
    place.ok(&["roster", "admit", "eva", "--role", "engineer"]);
    place.ok(&["sync"]);
    other.ok(&["sync"]);
    let other_recipe = self::recipe(&data, &other, SPLIT);
    let theirs = json(&other.ok(&[
        "cut",
        &other_recipe,
        "--out",
        out(&other, "one").to_str().unwrap(),
        "--json",
    ]));
    assert_eq!(theirs["cut"], made["cut"]);
    for name in [
        "train.jsonl",
        "validation.jsonl",
        "test.jsonl",
        "rows.why.jsonl",
        "croissant.json",
        "README.md",
    ] {
        let read = |place: &Place| fs::read(out(place, "one").join(name)).unwrap();
        assert!(read(&place) == read(&other), "{name}");
    }
    // Again, from the journal alone.
    let again = ["cut", "--again", "june", "--out", &place_file("again")];
    assert_eq!(place.run(&again).status.code(), Some(2), "a recipe's files are looked for here");
    let output = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .current_dir(place.dir.path())
        .args(["cut", "--again", "june", "--out", "again", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(json(&String::from_utf8(output.stdout).unwrap())["cut"], made["cut"]);
    // What it lies by is what was recorded; a changed byte is named.
    place.ok(&["cut", "verify", &place_file("one")]);
    let test = out(&place, "again/test.jsonl");
    let text = fs::read_to_string(&test).unwrap();
    fs::write(&test, text.replacen("\"text\":\"", "\"text\":\"x", 1)).unwrap();
    let verified = place.run(&["cut", "verify", &place_file("again"), "--json"]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&verified.stdout)
            .contains("test.jsonl is not what the manifest says")
    );
    // Why a row is there.
    let case = rows.iter().find(|row| row["origin"] == "case").unwrap();
    let why = json(&place.ok(&[
        "cut",
        "why",
        &place_file("one"),
        case["row"].as_str().unwrap(),
        "--json",
    ]));
    assert_eq!((&why["case"], &why["text"]), (&case["case"], &case["text"]));
    assert!(!why["labels"].as_array().unwrap().is_empty());
    // A file that was changed since its first use is refused, and the recipe can say that it is meant.
    let base = out(&place, "base_train.jsonl");
    let mut text = fs::read_to_string(&base).unwrap();
    text.push_str("{\"text\":\"one more\",\"label\":\"oos\"}\n");
    fs::write(&base, text).unwrap();
    let refused = place.run(&["cut", &recipe, "--out", &place_file("two")]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("sha256 = \""), "{said}");
    assert!(!out(&place, "two").exists());
    // A row that was erased is in no later cut, and what had it says so.
    place.ok(&["erase", case["case"].as_str().unwrap(), "--reason", "asked for"]);
    let erased = json(&place.run_text(&["cut", "verify", &place_file("one"), "--json"]));
    let cases = erased["erased"].as_array().unwrap();
    assert!(cases.iter().any(|one| one["case"] == case["case"]), "{erased}");
    fs::copy(data.join("clinc150/base_train.jsonl"), &base).unwrap();
    let after = json(&place.ok(&["cut", &recipe, "--out", &place_file("three"), "--json"]));
    assert_eq!(
        (&after["version"], after["dropped"]["erased"].as_u64()),
        (&Value::from("2.0.0"), Some(cases.len() as u64))
    );
    let diff =
        lines(&place.run_text(&["cut", "diff", made["cut"].as_str().unwrap(), "june", "--json"]));
    let gone = diff.iter().find(|change| change["case"] == case["case"]).unwrap();
    assert_eq!(
        (&gone["change"], &gone["because"]),
        (&Value::from("gone"), &Value::from("its input was erased"))
    );
}

#[test]
fn what_comes_later_moves_no_row_from_one_split_to_another() {
    let Some(data) = shared("what_comes_later_moves_no_row_from_one_split_to_another") else {
        return;
    };
    let place = Place::new();
    drop(place.create());
    labeled(&data, &place, 1_500);
    let recipe = recipe(
        &data,
        &place,
        "[split]\ntrain = 0.6\nvalidation = 0.2\ntest = 0.2\nseed = \"june\"",
    );
    let out = |name: &str| place.dir.path().join(name);
    place.ok(&["cut", &recipe, "--out", out("early").to_str().unwrap()]);
    import(&data, &place, 2_173);
    let made = json(&place.ok(&["cut", &recipe, "--out", out("late").to_str().unwrap(), "--json"]));
    let (early, late) = (splits(&out("early")), splits(&out("late")));
    assert!(late.len() > early.len() + 50, "{} {}", early.len(), late.len());
    let moved = early.iter().filter(|(row, split)| late.get(*row).is_some_and(|now| now != *split));
    assert_eq!(moved.count(), 0, "{made}");
    // No text that is nearly the same on both sides.
    let file = |name: &str| out(name).display().to_string();
    for part in ["validation", "test"] {
        let near = place.run_text(&[
            "cut",
            "near",
            &file("late/train.jsonl"),
            &file(&format!("late/{part}.jsonl")),
            "--json",
        ]);
        assert_eq!(near, "", "{part}");
    }
}

/// A workspace with a cut, and a pipeline of one step that runs a shell script.
fn bench() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let texts = ["move money", "send cash abroad", "tell me a joke", "what is love"];
    let all: String = (0..8)
        .map(|n| line(&format!("p{n}"), &format!("{} {n}", texts[n % 4]), "pay", 0.2, n as i64))
        .collect();
    crate::support::ingest(&mut workspace, &all);
    drop(workspace);
    place.ok(&["policy", "set", "overlap=1", "limit=1", "on=verdict"]);
    for n in 0..8 {
        let answers = [
            "--answer",
            "readable=y",
            "--answer",
            "verdict=n",
            "--answer",
            "corrected=transfer",
            "--answer",
            "category=r",
        ];
        place.ok(&[&["label", &format!("p{n}"), "--rationale", "so"], &answers[..]].concat());
    }
    let recipe = place.dir.path().join("recipe.toml");
    fs::write(&recipe, "name = \"all\"\n[rows]\nlabel = \"corrected_label\"\n").unwrap();
    let labels = place.ok(&["export", "--rows", "cases"]);
    let field = ["corrected_label", "label"]
        .into_iter()
        .find(|name| labels.contains(&format!("\"{name}\":\"transfer\"")))
        .unwrap();
    fs::write(&recipe, format!("name = \"all\"\n[rows]\nlabel = \"{field}\"\n")).unwrap();
    place.ok(&[
        "cut",
        recipe.to_str().unwrap(),
        "--out",
        place.dir.path().join("all").to_str().unwrap(),
    ]);
    place
}

fn pipeline(place: &Place, script: &str, more: &str) -> String {
    fs::write(place.dir.path().join("step.sh"), script).unwrap();
    let file = place.dir.path().join("pipeline.toml");
    let text = format!(
        "name = \"train\"\ncut = \"all\"\nseed = 7\ninputs = [{{ path = \"step.sh\" }}]\n[[step]]\nname = \"train\"\nrun = [\"sh\", \"step.sh\", \"{{cut}}\", \"{{out}}\", \"{{seed}}\"]\n{more}"
    );
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// What a run came to.
fn ran(place: &Place, file: &str, more: &[&str]) -> Value {
    let output = place.run(&[&["run", file, "--json"], more].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    json(&text)
}

#[test]
fn a_run_is_recorded_with_all_that_it_takes_to_do_it_again() {
    let place = bench();
    let script = "test -s $1/train.jsonl && printf '{\"accuracy\": 0.%s}' $3 > $2/metrics.json\n\
                  printf 'row,label,before,after\\n1,a,b,a\\n2,b,b,b\\n' > $2/predictions.csv\necho done >&2; env | sort > $2/env\n";
    let more = "[result]\nmetrics = \"metrics.json\"\npredictions = \"predictions.csv\"\nversions = [\"uname\"]\n[limits]\nwall = \"20s\"\n";
    let file = pipeline(&place, script, more);
    let run = ran(&place, &file, &[]);
    assert_eq!(
        (run["state"].as_str(), run["metrics"]["accuracy"].as_f64()),
        (Some("done"), Some(0.7)),
        "{run}"
    );
    assert_eq!(run["steps"][0]["said"], "done");
    assert!(run["versions"].as_str().unwrap().contains("Linux") || cfg!(not(target_os = "linux")));
    // Nothing of the environment is told to a step but what is said.
    let id = run["run"].as_str().unwrap();
    let env = fs::read_to_string(place.path().join("runs").join(id).join("out/env")).unwrap();
    let names: BTreeSet<&str> =
        env.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    for name in ["LANG", "TZ", "SOURCE_DATE_EPOCH", "PYTHONHASHSEED", "HOME", "TMPDIR", "PATH"] {
        assert!(names.contains(name), "{name} in {env}");
    }
    assert!(!names.contains("CASEWORK_WORKSPACE") && !env.contains("CARGO"), "{env}");
    // The same twice; a gate on it; a deployment.
    let twice = ran(
        &place,
        &pipeline(&place, &script.replace("env | sort", ":"), more),
        &["--repeat", "2"],
    );
    assert_eq!(twice["repeat"], "same bytes", "{twice}");
    let gate = place.dir.path().join("gate.toml");
    fs::write(
        &gate,
        "[[fix]]\nslice = \"all\"\ngain = 0.1\n[[metric]]\nname = \"accuracy\"\nleast = 0.9\n",
    )
    .unwrap();
    let id = twice["run"].as_str().unwrap();
    let decided = place.run(&["gate", gate.to_str().unwrap(), "--run", id, "--json"]);
    assert_eq!(decided.status.code(), Some(1));
    let deployed = place.run(&["deploy", "record", "--run", id, "--to", "prod", "--model", "m 2"]);
    assert!(String::from_utf8_lossy(&deployed.stderr).contains("its gate `gate` says: fail"));
    assert_eq!(place.run(&["gate", "waive", id, "--reason", " "]).status.code(), Some(2));
    place.ok(&["gate", "waive", id, "--reason", "the figure is of another day"]);
    let trace = json(&place.ok(&["trace", "p0", "--json"]));
    let kinds: BTreeSet<&str> = trace["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["kind"].as_str().unwrap())
        .collect();
    for kind in ["case", "prediction", "label", "row", "cut", "run", "gate", "waiver", "deployment"]
    {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
    let at = |id: &str| place.run(&["trace", id, "--json"]).status.code();
    for node in trace["nodes"].as_array().unwrap() {
        let id = node["id"].as_str().unwrap();
        if let (Some(entry), true) = (node["entry"].as_str(), node["kind"] != "prediction") {
            assert_eq!(at(entry), Some(0), "{id} by its entry");
        }
    }
    assert_eq!(at("nothing-of-the-kind"), Some(2));
}

#[test]
fn steps_are_held_back_and_what_they_did_is_recorded() {
    let place = bench();
    let secret = place.dir.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let limits = "[limits]\nwall = \"2s\"\nmemory = \"400M\"\noutput = \"3M\"\nprocesses = 40\n";
    let outside = place.dir.path().join("outside").display().to_string();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let connect = format!("bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port}' || exit 9\n");
    let levels = ["bwrap", "landlock", "none"];
    for level in levels {
        let run = |script: &str| {
            let file = pipeline(&place, script, limits);
            let output = place.run(&["run", &file, "--json", "--sandbox", level]);
            String::from_utf8(output.stdout)
                .ok()
                .filter(|text| !text.is_empty())
                .map(|text| json(&text))
        };
        let Some(plain) = run("echo fine > $2/model\n") else {
            eprintln!("skipped the sandbox {level}: it can't be had here");
            continue;
        };
        assert_eq!(
            (plain["state"].as_str(), plain["sandbox"].as_str()),
            (Some("done"), Some(level)),
            "{plain}"
        );
        let free = level == "none";
        assert_eq!(plain["not_restricted"].to_string().contains("nothing was restricted"), free);
        let state = |script: &str| run(script).unwrap()["state"].as_str().unwrap().to_owned();
        let held = if free { "done" } else { "failed" };
        assert_eq!(state(&format!("echo x > {outside}\n")), held, "{level}: writes outside");
        assert_eq!(
            state(&format!("cat {} > $2/stolen\n", secret.display())),
            held,
            "{level}: reads"
        );
        assert_eq!(state(&connect), held, "{level}: opens a socket");
        if free {
            fs::remove_file(&outside).unwrap();
        }
        assert!(!Path::new(&outside).exists());
        let stopped = |script: &str, words: &str| {
            let run = run(script).unwrap();
            let why = run["why"].as_str().unwrap();
            assert!(run["state"] != "done" && why.contains(words), "{level}: {why}");
        };
        stopped("sleep 4321\n", "longer than 2 s");
        stopped("sleep 4321 & sleep 4321 & setsid sleep 4321 & wait\n", "longer than 2 s");
        stopped(
            "i=0; while [ $i -lt 200 ]; do sleep 30 & i=$((i+1)); done; wait\n",
            "more than 40 processes",
        );
        stopped("head -c 9000000 /dev/zero > $2/big && sleep 1\n", "");
        assert_eq!(state("exit 3\n"), "failed");
    }
    // Nothing of it is left running.
    let left =
        Command::new("sh").args(["-c", "ps -eo args | grep -c '^sleep 4321$'"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout).trim(), "0");
}

#[test]
fn a_run_that_went_wrong_is_recorded_as_that() {
    let place = bench();
    let more = "[result]\nmetrics = \"metrics.json\"\n";
    let run = |script: &str| ran(&place, &pipeline(&place, script, more), &[]);
    let said = |run: &Value| {
        format!("{} {}", run["state"].as_str().unwrap(), run["why"].as_str().unwrap())
    };
    assert!(said(&run("echo no json > $2/metrics.json\n")).starts_with("failed metrics.json: "));
    assert!(said(&run("true\n")).starts_with("failed the steps left no metrics.json"));
    assert!(said(&run("no-such-program\n")).contains("failed step `train` ended with 127"));
    // An input that changes while it runs.
    let script = "sleep 1; echo '{}' > $2/metrics.json\n";
    let file = pipeline(&place, script, more);
    let mut child = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .args(["run", &file, "--sandbox", "none"])
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    fs::write(place.dir.path().join("step.sh"), "true\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let tainted = lines(&place.ok(&["run", "list", "--json"]))[0].clone();
    assert_eq!(tainted["tainted"][0], "step.sh", "{tainted}");
    let gate = place.dir.path().join("gate.toml");
    fs::write(&gate, "[[metric]]\nname = \"x\"\nmost = 1.0\n").unwrap();
    let refused =
        place.run(&["gate", gate.to_str().unwrap(), "--run", tainted["run"].as_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(2), "it has no predictions");
    // A run that does not say what was said before is not held against itself.
    let script = "printf 'row,label,prediction\\n1,a,a\\n' > $2/predictions.csv\n";
    let only = "[result]\npredictions = \"predictions.csv\"\n";
    let alone = ran(&place, &pipeline(&place, script, only), &[]);
    let refused =
        place.run(&["gate", gate.to_str().unwrap(), "--run", alone["run"].as_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && said.contains("--before FILE"), "{said}");
    // Killed in the middle, it was interrupted, and never done.
    let file = pipeline(&place, "sleep 20\n", "");
    let mut child = program()
        .env("CASEWORK_WORKSPACE", place.path())
        .args(["run", &file, "--sandbox", "none"])
        .spawn()
        .unwrap();
    let begun = || {
        let runs = fs::read_dir(place.path().join("runs")).unwrap();
        runs.filter_map(|run| Some(run.ok()?.path().join("begun.json"))).any(|path| path.exists())
    };
    while !begun() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let list = lines(&place.ok(&["run", "list", "--json"]));
    assert_eq!(list[0]["state"], "interrupted");
    assert_eq!(lines(&place.ok(&["run", "list", "--json"])).len(), list.len(), "once");
}

#[test]
fn what_turned_out_is_counted_once_and_unknown_ids_are_kept() {
    let place = bench();
    let file = place.dir.path().join("outcomes.jsonl");
    let at = "\"observed_at\":\"2026-06-20T00:00:00Z\"";
    let text = format!(
        "{{\"id\":\"p0\",{at},\"truth\":\"pay\"}}\n{{\"id\":\"p1\",{at},\"right\":false}}\n{{\"trace_id\":\"trace-p2\",{at},\"truth\":\"x\"}}\n\
         {{\"id\":\"of tomorrow\",{at},\"truth\":\"x\"}}\nno json\n{{\"id\":\"p3\"}}\n{{\"trace_id\":\"none\",{at},\"right\":true}}\n"
    );
    fs::write(&file, &text).unwrap();
    let import = || {
        json(&place.ok(&[
            "outcome",
            "import",
            file.to_str().unwrap(),
            "--source",
            "billing",
            "--json",
        ]))
    };
    let first = import();
    let counts = |value: &Value| {
        ["read", "taken", "duplicate", "unknown", "rejected"]
            .map(|key| value[key].as_u64().unwrap())
    };
    assert_eq!(counts(&first), [7, 4, 0, 2, 2], "{first}");
    assert_eq!(counts(&import()), [7, 0, 4, 1, 2]);
    let all = json(&place.ok(&["outcomes", "--json"]));
    assert_eq!((all["outcomes"].as_u64(), all["right"].as_u64()), (Some(3), Some(1)), "{all}");
    // The board's number opens the cases that it is of, and no others.
    let mut sums = casework::review::board::BoardSums::default();
    let board = place.open().board(&mut sums).unwrap();
    let row = board.models.iter().find(|row| row.name.starts_with("outcomes of")).unwrap();
    assert_eq!((row.number.as_str(), row.behind.cases.len()), ("3", 3));
    // A later word of the same source counts.
    fs::write(&file, format!("{{\"id\":\"p1\",{at},\"right\":true}}\n")).unwrap();
    import();
    assert_eq!(json(&place.ok(&["outcomes", "--json"]))["right"], 2);
    let trace = place.ok(&["trace", "p1"]);
    assert!(trace.contains("turned out billing: the prediction was right"), "{trace}");
}

#[test]
fn a_number_of_another_source_hides_no_truth() {
    let place = bench();
    let file = place.dir.path().join("outcomes.jsonl");
    let import = |text: String, source: &str| {
        fs::write(&file, text).unwrap();
        let args = ["outcome", "import", file.to_str().unwrap(), "--source", source, "--json"];
        json(&place.run_text(&args))
    };
    let truth = "\"observed_at\":\"2026-06-20T00:00:00Z\",\"truth\":\"pay\"";
    import((0..4).map(|n| format!("{{\"id\":\"p{n}\",{truth}}}\n")).collect(), "billing");
    let all = || json(&place.ok(&["outcomes", "--json"]));
    let counts = |all: &Value| (all["outcomes"].as_u64(), all["right"].as_u64());
    assert_eq!(counts(&all()), (Some(4), Some(4)));
    let value = "\"observed_at\":\"2026-07-20T00:00:00Z\",\"value\":9.5";
    import((0..2).map(|n| format!("{{\"id\":\"p{n}\",{value}}}\n")).collect(), "revenue");
    assert_eq!(counts(&all()), (Some(4), Some(4)), "{}", all());
    let trace = place.ok(&["trace", "p0"]);
    assert!(trace.contains("billing: it is pay") && trace.contains("revenue: 9.5"), "{trace}");
    // Whoever says later whether it was right counts.
    import(
        "{\"id\":\"p0\",\"observed_at\":\"2026-07-01T00:00:00Z\",\"right\":false}\n".to_owned(),
        "desk",
    );
    assert_eq!(counts(&all()), (Some(4), Some(3)), "{}", all());
    // What can't be meant is refused, line by line.
    let told = import(
        "{\"id\":\"p3\",\"observed_at\":\"2996-07-01T00:00:00Z\",\"truth\":\"x\"}\n\
         {\"id\":\"p3\",\"observed_at\":\"2026-07-01T00:00:00Z\",\"truth\":\" \"}\n"
            .to_owned(),
        "billing",
    );
    let words = told.to_string();
    assert_eq!((told["rejected"].as_u64(), counts(&all())), (Some(2), (Some(4), Some(3))));
    assert!(words.contains("has not come yet") && words.contains("`truth` is empty"), "{words}");
}

#[test]
fn a_deployment_comes_of_the_gate_that_was_asked_before_it() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let rows = |said: &str| -> String {
        let rows: String = (0..200).map(|n| format!("x{n},a,{said}\n")).collect();
        format!("row,label,prediction\n{rows}")
    };
    fs::write(at("bad.csv"), rows("b")).unwrap();
    fs::write(at("good.csv"), rows("a")).unwrap();
    for name in ["first", "later"] {
        let gate = format!("name = \"{name}\"\n[[keep]]\nslice = \"all\"\ndrop = 0.05\n");
        fs::write(at(&format!("{name}.toml")), gate).unwrap();
    }
    let bad = at("bad.csv");
    place.ok(&["run", "record", "--cut", "all", "--name", "r", "--predictions", &bad]);
    place.ok(&["gate", &at("first.toml"), "--run", "r", "--before", &bad]);
    place.ok(&["deploy", "record", "--run", "r", "--to", "prod", "--model", "2"]);
    place.run(&["gate", &at("later.toml"), "--run", "r", "--before", &at("good.csv")]);
    let trace = json(&place.ok(&["trace", "r", "--json"]));
    let nodes = trace["nodes"].as_array().unwrap();
    let edges = trace["edges"].as_array().unwrap();
    let deployed = edges.iter().find(|edge| edge["why"] == "deployed").expect("it was deployed");
    let from = nodes.iter().find(|node| node["id"] == deployed["from"]).unwrap();
    assert!(from["text"].as_str().unwrap().starts_with("first: "), "{from}");
    // The report for people outside goes by the same.
    let report = place.ok(&["report", "--public"]);
    assert!(!report.contains("not all of this held"), "{report}");
}

#[test]
fn a_gate_that_passed_is_not_waived() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let rows: String = (0..200).map(|n| format!("x{n},a,a\n")).collect();
    fs::write(at("same.csv"), format!("row,label,prediction\n{rows}")).unwrap();
    fs::write(at("gate.toml"), "[[keep]]\nslice = \"all\"\ndrop = 0.05\n").unwrap();
    let same = at("same.csv");
    place.ok(&["run", "record", "--cut", "all", "--name", "r", "--predictions", &same]);
    let asked = place.run(&["gate", &at("gate.toml"), "--run", "r", "--before", &same]);
    let said = String::from_utf8(asked.stderr).unwrap();
    assert!(said.contains("by their ids alone"), "{said}");
    let waived = place.run(&["gate", "waive", "r", "--reason", "so"]);
    let said = String::from_utf8(waived.stderr).unwrap();
    assert!(!waived.status.success() && said.contains("nothing to waive"), "{said}");
}

#[test]
fn who_learned_from_a_withdrawn_cut_is_told() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    fs::write(at("metrics.json"), "{\"accuracy\":\"0.9\"}").unwrap();
    place.ok(&["cut", "withdraw", "all", "--reason", "the labels were wrong"]);
    let told = |args: &[&str]| {
        let ran = place.run(args);
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap()
    };
    let words = "cut all 1.0.0 was withdrawn by ana: the labels were wrong";
    let by_name = place.run(&["run", "record", "--cut", "all", "--name", "r"]);
    let said = String::from_utf8(by_name.stderr).unwrap();
    assert!(said.contains("every cut all is withdrawn: all@1.0.0 names the latest"), "{said}");
    let metrics = at("metrics.json");
    for args in [
        &["run", "record", "--cut", "all@1.0.0", "--name", "r", "--metrics", &metrics][..],
        &["run", "show", "r"],
        &["deploy", "record", "--run", "r", "--to", "prod", "--model", "2"],
        &["changelog"],
    ] {
        let said = told(args);
        assert!(said.contains(words), "{args:?}: {said}");
    }
    assert!(told(&["run", "show", "r"]).contains("0.9"));
}

/// Sessions that are torn over train and test make a model look better than it is.
#[test]
fn a_group_that_no_row_has_is_refused_with_those_that_there_are() {
    let place = bench();
    let recipe = fs::read_to_string(place.dir.path().join("recipe.toml")).unwrap();
    let cut = |group: &str| {
        let file = place.dir.path().join("grouped.toml");
        let split = format!("{recipe}[split]\ntrain = 0.5\ntest = 0.5\ngroup = [{group}]\n");
        fs::write(&file, split).unwrap();
        let out = place.dir.path().join(format!("out-{}", group.replace(['\"', '.', ','], "-")));
        place.run(&["cut", file.to_str().unwrap(), "--out", out.to_str().unwrap()])
    };
    // No row has a session here: it is a key that rows may have.
    for known in ["\"session\",\"near\"", "\"text\"", "\"input.text\""] {
        let ran = cut(known);
        assert!(ran.status.success(), "{known}: {ran:?}");
    }
    for typed in ["\"session_of\"", "\"near\",\"input.txt\""] {
        let ran = cut(typed);
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(!ran.status.success(), "{typed}");
        let name = if typed.contains("session_of") { "`session_of`" } else { "`input.txt`" };
        assert!(said.contains(name) && said.contains("input.text"), "{said}");
        assert!(said.contains("session"), "{said}");
    }
}

#[test]
fn what_was_erased_is_why_a_cut_can_not_be_made_again() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    place.ok(&["cut", "--again", "all", "--out", &at("again")]);
    place.ok(&["erase", "p3", "--reason", "asked for"]);
    let ran = place.run(&["cut", "--again", "all", "--out", &at("third")]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(!ran.status.success());
    assert!(said.contains("1 case was erased since, as p3 on 20"), "{said}");
    assert!(!said.contains("sync"), "{said}");
    place.ok(&["cut", &at("recipe.toml"), "--out", &at("anew")]);
    let diff = place.run_text(&["cut", "diff", "all@1.0.0", "all"]);
    assert!(diff.contains("its input was erased"), "{diff}");
}

/// Why a row is no part of a cut any more is what happened to it.
#[test]
fn what_changed_between_two_cuts_is_said_as_it_was() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    place.ok(&["undo"]);
    place.ok(&["cut", &at("recipe.toml"), "--out", &at("less")]);
    let diff = place.run_text(&["cut", "diff", "all@1.0.0", "all"]);
    assert!(diff.contains("its labels were taken back"), "{diff}");
    let rule = fs::read_to_string(at("recipe.toml")).unwrap();
    let rule = rule.replace("[rows]", "[rows]\nwhere = \"id != \\\"p0\\\"\"");
    fs::write(at("recipe.toml"), rule).unwrap();
    let before = json(place.ok(&["cut", "list", "--json"]).lines().last().unwrap());
    place.ok(&["cut", &at("recipe.toml"), "--out", &at("ruled")]);
    let version = before["version"].as_str().unwrap();
    let diff = place.run_text(&["cut", "diff", &format!("all@{version}"), "all"]);
    assert!(diff.contains("p0") && diff.contains("the recipe takes it no longer"), "{diff}");
}

/// A row that says something else than before is another row, also where its label is the same.
#[test]
fn a_category_that_changed_changes_the_row() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let answers = ["readable=y", "verdict=n", "corrected=transfer", "category=d"];
    let answers = answers.iter().flat_map(|answer| ["--answer", answer]);
    let args = ["label", "p2", "--rationale", "another kind"].into_iter().chain(answers);
    place.ok(&args.collect::<Vec<_>>());
    let made = json(&place.ok(&["cut", &at("recipe.toml"), "--out", &at("anew"), "--json"]));
    assert_eq!(made["version"], "2.0.0", "{made}");
    let diff = lines(&place.run_text(&["cut", "diff", "all@1.0.0", "all", "--json"]));
    let said: Vec<_> = diff.iter().map(|row| (&row["change"], &row["id"])).collect();
    assert_eq!(said, [(&"changed".into(), &"p2".into())], "{diff:?}");
    // The same again is the same cut.
    let same = json(&place.ok(&["cut", &at("recipe.toml"), "--out", &at("same"), "--json"]));
    assert_eq!((&same["version"], &same["cut"]), (&made["version"], &made["cut"]));
}

#[test]
fn what_became_of_the_files_of_a_cut_is_said_as_it_is() {
    let place = bench();
    let cut = place.dir.path().join("all");
    let path = |name: &str| cut.join(name);
    let read = |name: &str| fs::read_to_string(path(name)).unwrap();
    let (why, train) = (read("rows.why.jsonl"), read("train.jsonl"));
    let ids: Vec<String> =
        lines(&why).iter().map(|line| line["row"].as_str().unwrap().to_owned()).collect();
    let told = |id: &str| place.run_text(&["cut", "why", cut.to_str().unwrap(), id]);
    // A line that is blank or cut off hides no other.
    let mut with_blank: Vec<&str> = why.lines().collect();
    with_blank.insert(why.lines().count() / 2, "");
    fs::write(path("rows.why.jsonl"), with_blank.join("\n")).unwrap();
    for id in &ids {
        assert!(told(id).contains(&format!("row {id} of all")), "{id}");
    }
    fs::write(path("rows.why.jsonl"), &why[..why.len() - 20]).unwrap();
    for id in &ids[..ids.len() - 1] {
        assert!(told(id).contains(&format!("row {id} of all")), "{id}");
    }
    fs::write(path("rows.why.jsonl"), &why).unwrap();
    // In another order the rows are what they were, and are found.
    let turned: Vec<&str> = train.lines().rev().collect();
    fs::write(path("train.jsonl"), turned.join("\n") + "\n").unwrap();
    let text = lines(&train)[0]["text"].as_str().unwrap().to_owned();
    assert!(told(&ids[0]).contains(&text));
    let verified = place.run_text(&["cut", "verify", cut.to_str().unwrap()]);
    assert!(verified.contains("train.jsonl is not what the manifest says"), "{verified}");
    assert!(!verified.contains("the rows come to"), "{verified}");
    fs::remove_file(path("train.jsonl")).unwrap();
    let output = place.run(&["cut", "why", cut.to_str().unwrap(), &ids[0]]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("can't be shown"));
    // What is refused leaves nothing, around it neither.
    let recipe = place.dir.path().join("none.toml");
    fs::write(&recipe, "name = \"none\"\n[rows]\nwhere = \"false\"\n").unwrap();
    let out = place.dir.path().join("deep/er/none");
    let refused = place.run(&["cut", recipe.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(!refused.status.success());
    assert!(!place.dir.path().join("deep").exists());
}

#[test]
fn the_catalog_finds_by_words_and_by_time() {
    let place = bench();
    let occurred = &json(&place.ok(&["show", "p0", "--json"]))["occurred_at"];
    let day = occurred.as_str().unwrap()[..10].to_owned();
    let found = |args: &[&str]| -> Vec<(String, String)> {
        let output = place.run(&[&["catalog", "--json"], args].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(i32::from(text.is_empty())), "{text}");
        let of = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
        lines(&text).iter().map(|one| (of(one, "kind"), of(one, "at"))).collect()
    };
    let kinds = |args: &[&str]| -> BTreeSet<String> {
        found(args).into_iter().map(|(kind, _)| kind).collect()
    };
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(kinds(&[]), named(&["cut", "labels", "protocol", "term"]));
    assert_eq!(kinds(&["transfer", "intent"]), kinds(&["intent", "transfer"]));
    // Labels are found by when their cases occurred, the rest by when it was done.
    let of_the_day = kinds(&["--since", &day, "--until", &day]);
    assert!(of_the_day.contains("labels") && !of_the_day.contains("cut"), "{of_the_day:?}");
    assert!(!kinds(&["--since", "1h"]).contains("labels"));
    assert!(kinds(&["--since", "1h"]).contains("cut"));
    assert_eq!(kinds(&["--until", "2020-01-01"]), named(&[]));
    let all = found(&[]);
    assert!(all.iter().all(|(_, at)| casework::domain::time::Moment::parse(at).is_some()));
}

#[test]
fn triggers_propose_and_do_nothing_else() {
    let place = bench();
    let config = place.path().join("config.toml");
    let with = |trigger: &str| fs::write(&config, trigger).unwrap();
    with(
        "[[trigger]]\nname = \"enough\"\nwhen = \"ready('all') >= 5 || alarm('labels moved')\"\nrecipe = \"recipe.toml\"\n",
    );
    let made = lines(&place.ok(&["proposals", "--ask", "--json"]));
    assert_eq!((made.len(), made[0]["recipe"].as_str()), (1, Some("recipe.toml")));
    assert_eq!(lines(&place.ok(&["proposals", "--ask", "--json"])).len(), 1, "it waits already");
    assert_eq!(lines(&place.ok(&["cut", "list", "--json"])).len(), 1, "nothing was cut");
    with("[[trigger]]\nwhen = \"already('all') >= 5\"\nrecipe = \"recipe.toml\"\n");
    let typo = place.run(&["proposals", "--ask"]);
    assert_eq!(typo.status.code(), Some(2), "{}", String::from_utf8_lossy(&typo.stderr));
}

#[test]
fn cases_that_have_to_be_right_are_asked_one_by_one() {
    let place = bench();
    place.ok(&["gold", "set", "p0", "--why", "it says so"]);
    let file = |name: &str| place.dir.path().join(name).display().to_string();
    fs::write(file("before.csv"), "row,label,prediction,text\n1,a,b,one\n2,b,b,two\n").unwrap();
    fs::write(file("after.csv"), "row,label,prediction,text\n1,a,a,one\n2,b,b,two\n").unwrap();
    fs::write(file("canaries.jsonl"), "{\"id\":\"c1\",\"text\":\"one\",\"expect\":\"a\"}\n")
        .unwrap();
    fs::write(file("gate.toml"), "[[must]]\ncases = \"gold\"\n[[must]]\ncases = \"rulings\"\n[[must]]\ncases = \"canaries.jsonl\"\n").unwrap();
    let ask = |cases: &str| {
        fs::write(file("cases.csv"), format!("case,prediction\n{cases}")).unwrap();
        let files = ["gate.toml", "before.csv", "after.csv", "cases.csv"].map(file);
        let output = place.run(&[
            "gate", &files[0], "--before", &files[1], "--after", &files[2], "--cases", &files[3],
            "--json",
        ]);
        let decided = json(&String::from_utf8(output.stdout).unwrap());
        let verdicts = decided["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["verdict"].as_str().unwrap().to_owned());
        (output.status.code().unwrap(), verdicts.collect::<Vec<_>>())
    };
    let of = |verdicts: [&str; 3]| verdicts.map(str::to_owned).to_vec();
    assert_eq!(ask("p0,transfer\n"), (0, of(["pass", "cannot_tell", "pass"])));
    assert_eq!(ask("p0,pay\n"), (1, of(["fail", "cannot_tell", "pass"])));
    assert_eq!(ask("p1,pay\n"), (0, of(["cannot_tell", "cannot_tell", "pass"])));
    // Gold that came from the evaluation file measures nothing twice.
    let text = fs::read_to_string(file("after.csv")).unwrap();
    for name in ["before.csv", "after.csv"] {
        fs::write(file(name), text.replace(",one", ",move money 0")).unwrap();
    }
    let files = ["gate.toml", "before.csv", "after.csv"].map(file);
    let refused = place.run(&["gate", &files[0], "--before", &files[1], "--after", &files[2]]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("gold cases are in the evaluation file")
    );
}

#[test]
fn rows_of_the_evaluation_that_are_in_the_cut_refuse_a_run() {
    let place = bench();
    let script = "printf 'row,label,before,after,text\\n1,a,b,a,move money 0\\n2,b,b,b,other\\n' > $2/predictions.csv\n";
    let run = ran(
        &place,
        &pipeline(&place, script, "[result]\npredictions = \"predictions.csv\"\n"),
        &[],
    );
    assert_eq!(run["state"], "done", "{run}");
    let gate = place.dir.path().join("gate.toml");
    fs::write(&gate, "[[keep]]\nslice = \"all\"\nmargin = 0.9\n").unwrap();
    let output = place.run(&[
        "gate",
        gate.to_str().unwrap(),
        "--run",
        run["run"].as_str().unwrap(),
        "--json",
    ]);
    let decided = json(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(
        (output.status.code(), decided["verdict"].as_str()),
        (Some(1), Some("fail")),
        "{decided}"
    );
    assert!(decided["leak"].to_string().contains("row 1 is case p0 of the cut"), "{decided}");
    // Without texts, those that are called as rows of the cut are.
    let train = fs::read_to_string(place.dir.path().join("all/train.jsonl")).unwrap();
    let row = lines(&train)[0]["row"].as_str().unwrap().to_owned();
    let file = place.dir.path().join("named.csv");
    fs::write(&file, format!("row,label,prediction\n{row},a,a\nother,a,a\n")).unwrap();
    let file = file.to_str().unwrap();
    place.ok(&["run", "record", "--cut", "all", "--name", "named", "--predictions", file]);
    let decided = json(&place.run_text(&[
        "gate",
        gate.to_str().unwrap(),
        "--run",
        "named",
        "--before",
        file,
        "--json",
    ]));
    assert_eq!(decided["leak"], serde_json::json!([format!("row {row} is a row of the cut")]));
    assert_eq!(decided["verdict"], "fail");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_has_the_rows_of_the_json_lines() {
    let test = "parquet_has_the_rows_of_the_json_lines";
    let Some(python) = server("CASEWORK_TEST_PYTHON", Some(test)) else { return };
    let place = bench();
    let recipe = place.dir.path().join("recipe.toml");
    let text = fs::read_to_string(&recipe).unwrap();
    fs::write(&recipe, format!("{text}[out]\nformats = [\"parquet\"]\n")).unwrap();
    let out = place.dir.path().join("parquet");
    place.ok(&["cut", recipe.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let compare = "import sys, duckdb
d = sys.argv[1]
keys = 'row, text, label, \"case\", id, category, split, origin'
one = duckdb.sql(f\"select {keys} from '{d}/train.parquet' order by row\").fetchall()
two = duckdb.sql(f\"select {keys} from read_json('{d}/train.jsonl', columns={{'row': 'varchar', 'text': 'varchar', 'label': 'varchar', 'case': 'varchar', 'id': 'varchar', 'category': 'varchar', 'split': 'varchar', 'origin': 'varchar'}}) order by row\").fetchall()
assert one == two and len(one) == 8, (one, two)
";
    let output =
        Command::new(&python).args(["-c", compare, out.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.contains("No module named"), "{said}");
}

#[test]
fn others_read_what_is_written_for_them() {
    let test = "others_read_what_is_written_for_them";
    let (Some(data), Some(python)) = (shared(test), server("CASEWORK_TEST_PYTHON", Some(test)))
    else {
        return;
    };
    let place = bench();
    let file = pipeline(
        &place,
        "echo '{\"a\": 1}' > $2/metrics.json\n",
        "[result]\nmetrics = \"metrics.json\"\n",
    );
    ran(&place, &file, &[]);
    ran(&place, &pipeline(&place, "exit 1\n", ""), &[]);
    let put = |name: &str, text: String| -> PathBuf {
        let path = place.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let has = |module: &str| {
        let found = Command::new(&python)
            .args(["-c", &format!("import {module}")])
            .output()
            .unwrap()
            .status
            .success();
        if !found {
            eprintln!("skipped a part of {test}: {python} has no {module}");
        }
        found
    };
    if has("jsonschema") {
        let events = put("events.jsonl", place.ok(&["trace", "all", "--format", "openlineage"]));
        let check = data.join("loop/formats/check_openlineage.py");
        let output = Command::new(&python).args([&check, &events]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let bad = data.join("loop/formats/openlineage_bad.jsonl");
        assert!(!Command::new(&python).args([&check, &bad]).output().unwrap().status.success());
    }
    if has("prov.model") {
        let document = put("prov.json", place.ok(&["trace", "all", "--format", "prov"]));
        let read = "import sys, prov.model as m; d = m.ProvDocument.deserialize(sys.argv[1]); assert len(d.get_records()) > 20";
        let output =
            Command::new(&python).args(["-c", read, document.to_str().unwrap()]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Whoever asks an easier gate after one that failed has not passed that: nowhere.
#[test]
fn an_easier_gate_takes_no_failure_back() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let rows = |right: usize| -> String {
        let said = |n: usize| if n < right { "a" } else { "b" };
        (0..200).map(|n| format!("x{n},a,{}\n", said(n))).collect()
    };
    fs::write(at("before.csv"), format!("row,label,prediction\n{}", rows(200))).unwrap();
    fs::write(at("after.csv"), format!("row,label,prediction\n{}", rows(100))).unwrap();
    fs::write(at("gate.toml"), "name = \"g\"\n[[keep]]\nslice = \"all\"\ndrop = 0.05\n").unwrap();
    fs::write(at("easy.toml"), "name = \"g\"\n[[metric]]\nname = \"p95\"\nmost = 80\n").unwrap();
    fs::write(at("metrics.json"), "{\"p95\": 20}").unwrap();
    place.ok(&["run", "record", "--cut", "all", "--name", "r", "--predictions", &at("after.csv")]);
    let ask = |gate: &str| {
        let (gate, before, metrics) = (at(gate), at("before.csv"), at("metrics.json"));
        let args = ["gate", &gate, "--run", "r", "--before", &before, "--metrics", &metrics];
        place.run(&args).status.code()
    };
    assert_eq!((ask("gate.toml"), ask("easy.toml")), (Some(1), Some(0)));
    let state = || lines(&place.ok(&["run", "list", "--json"]))[0]["gate"].to_string();
    assert!(state().contains("fail"), "{}", state());
    let said = place.run(&["deploy", "record", "--run", "r", "--to", "prod", "--model", "2"]);
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(said.contains("Careful"), "{said}");
    assert!(place.ok(&["deploy", "list"]).contains("fail"));
    assert!(place.ok(&["report", "--public"]).contains("not all of this held"));
    assert!(place.ok(&["report", "--model", "r"]).contains("says: fail"));
    assert!(place.run_text(&["audit", "outcomes"]).contains("its gate said: fail"));
    // A lead lets it pass, once, and that stays to be seen.
    place.ok(&["gate", "waive", "r", "--reason", "known"]);
    assert!(state().contains("fail, waived") && ask("easy.toml") == Some(0), "{}", state());
    assert!(state().contains("fail, waived"), "{}", state());
    let again = place.run(&["gate", "waive", "r", "--reason", "so"]);
    assert!(String::from_utf8(again.stderr).unwrap().contains("let it pass already"));
    // The same gate that passes now takes its own failure back.
    fs::write(at("before.csv"), format!("row,label,prediction\n{}", rows(100))).unwrap();
    assert_eq!(ask("gate.toml"), Some(0));
    assert!(!state().contains("fail"), "{}", state());
}

#[test]
fn of_one_source_what_was_observed_last_counts_however_often_it_is_read() {
    let place = bench();
    let file = place.dir.path().join("outcomes.jsonl");
    let line = |at: &str, said: &str| {
        format!("{{\"id\":\"p0\",\"observed_at\":\"{at}T00:00:00Z\",{said}}}\n")
    };
    let (late, early) =
        (line("2026-06-20", "\"truth\":\"pay\""), line("2026-06-10", "\"truth\":\"x\""));
    let import = |text: &str| {
        fs::write(&file, text).unwrap();
        let told = json(&place.run_text(&["outcome", "import", file.to_str().unwrap(), "--json"]));
        (told["taken"].as_u64().unwrap(), told["duplicate"].as_u64().unwrap())
    };
    let right = || json(&place.ok(&["outcomes", "--json"]))["right"].as_u64().unwrap();
    assert_eq!((import(&format!("{late}{early}")), right()), ((2, 0), 1));
    assert_eq!((import(&format!("{late}{early}")), right()), ((0, 2), 1), "read again");
    assert_eq!((import(&early), right()), ((0, 1), 1));
    assert_eq!((import(&line("1990-06-10", "\"right\":false")), right()), ((1, 0), 1));
    // A line that says two things says nothing.
    assert_eq!(import(&line("2026-06-21", "\"truth\":\"pay\",\"right\":false")), (0, 0));
    assert_eq!(right(), 1);
}

#[test]
fn every_source_is_heard_when_labels_are_held_against_what_turned_out() {
    let place = bench();
    // The model said pay, and every case counts as transfer.
    let file = place.dir.path().join("outcomes.jsonl");
    let import = |source: &str, said: &[(usize, &str)]| {
        let line = |(n, said): &(usize, &str)| {
            format!("{{\"id\":\"p{n}\",\"observed_at\":\"2026-06-20T00:00:00Z\",{said}}}\n")
        };
        fs::write(&file, said.iter().map(line).collect::<String>()).unwrap();
        place.ok(&["outcome", "import", file.to_str().unwrap(), "--source", source]);
    };
    import("a", &[(0, "\"truth\":\"greeting\""), (1, "\"right\":true"), (2, "\"right\":false")]);
    import("b", &[(0, "\"right\":false"), (3, "\"truth\":\"transfer\"")]);
    let found = place.run_text(&["audit", "outcomes"]);
    assert!(found.contains("p0: it counts as transfer, and a says greeting: "), "{found}");
    assert!(found.contains("p1: it counts as transfer, and a says that pay was right"), "{found}");
    assert!(!found.contains("p2: ") && !found.contains("p3: "), "{found}");
    // What was known before the moment that is asked for was told then.
    let since = |at: &str| place.run_text(&["audit", "outcomes", "--since", at]);
    assert!(since("2020-01-01T00:00:00Z").contains("p0: "));
    assert!(!since("2999-01-01T00:00:00Z").contains("p0: "));
}

/// How good a model is can't be told by what was flagged because it is doubtful.
#[test]
fn outcomes_of_flagged_predictions_are_said_to_be_of_those() {
    let place = Place::new();
    drop(place.create());
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let traps = "[[trap]]\nname = \"unsure\"\nwhere = \"confidence < 0.5\"\n";
    let audit = "[[trap]]\nname = \"audit\"\nsample = 1.0\n";
    // Of ten each, the model is wrong on those of which it is not sure.
    let all: String = (0..20)
        .map(|n| {
            line(
                &format!("p{n}"),
                &format!("text {n}"),
                "pay",
                if n < 10 { 0.2 } else { 0.9 },
                n as i64,
            )
        })
        .collect();
    let outcomes: String = (0..20)
        .map(|n| {
            format!(
                "{{\"id\":\"p{n}\",\"observed_at\":\"2026-06-20T00:00:00Z\",\"right\":{}}}\n",
                n >= 10
            )
        })
        .collect();
    fs::write(at("stream.jsonl"), &all).unwrap();
    fs::write(at("outcomes.jsonl"), outcomes).unwrap();
    place.ok(&["policy", "set", "alert=accuracy < 0.4"]);
    for (file, more, right) in [("flagged.toml", "", 0.0), ("both.toml", audit, 0.5)] {
        fs::write(at(file), format!("{traps}{more}")).unwrap();
        place.ok(&["trap", "publish", &at(file)]);
        place.ok(&["ingest", &at("stream.jsonl")]);
        place.ok(&["outcome", "import", &at("outcomes.jsonl")]);
        let said = place.run(&["outcomes"]);
        let metrics = place.ok(&["metrics"]);
        let of = if right == 0.0 { "flagged" } else { "all" };
        let line = format!("casework_model_accuracy_ratio{{model=\"\",of=\"{of}\"}} {right}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
        let crossed = u8::from(right < 0.4);
        let line = format!("casework_bound_crossed{{bound=\"accuracy < 0.4\"}} {crossed}");
        assert!(metrics.contains(&line), "{line}: {metrics}");
        let said = String::from_utf8(said.stderr).unwrap();
        let bounds = json(&place.run_text(&["sla", "check", "--json"]))["bounds"][0].clone();
        assert_eq!(bounds["value"].as_f64(), Some(right), "{bounds}");
        assert_eq!(bounds["flagged_alone"].as_bool(), Some(more.is_empty()), "{bounds}");
        let report = place.ok(&["report", "--public"]);
        let of_flagged = "These are predictions that looked doubtful";
        assert_eq!(report.contains(of_flagged), more.is_empty(), "{report}");
        assert_eq!(said.contains("All of these were flagged"), more.is_empty(), "{said}");
    }
}

#[test]
fn a_manifest_is_held_against_what_was_recorded() {
    let place = bench();
    let cut = place.dir.path().join("all");
    let path = cut.join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    let verify = |place: &Place| {
        let output = place.run(&["cut", "verify", cut.to_str().unwrap()]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (_, said) = verify(&place);
    assert!(said.contains("as they were recorded"), "{said}");
    for (name, value) in [
        ("version", Value::from("7.7.7")),
        ("name", Value::from("other")),
        ("rows", Value::from(9)),
        ("dropped", Value::from(serde_json::Map::new())),
        ("frontier", Value::from(serde_json::Map::new())),
    ] {
        let mut forged = json(&manifest);
        if forged[name] == value {
            continue;
        }
        forged[name] = value;
        fs::write(&path, forged.to_string()).unwrap();
        let (code, said) = verify(&place);
        assert!(code == Some(1) && said.contains("was recorded"), "{name}: {said}");
    }
    let mut forged = json(&manifest);
    forged["leak"]["near"] = Value::from(0.1);
    fs::write(&path, forged.to_string()).unwrap();
    assert!(verify(&place).1.contains("not the one that was recorded"), "{}", verify(&place).1);
    fs::write(&path, &manifest).unwrap();
    fs::write(cut.join("extra.jsonl"), "{}\n").unwrap();
    let (code, said) = verify(&place);
    assert!(code == Some(1) && said.contains("extra.jsonl is no file of the cut"), "{said}");
    fs::remove_file(cut.join("extra.jsonl")).unwrap();
    let other = Place::new();
    drop(other.create());
    let (code, said) = verify(&other);
    assert!(code == Some(0) && said.contains("recorded no such cut"), "{said}");
}

#[test]
fn what_can_mean_two_deployments_ends_none() {
    let place = bench();
    let file = place.dir.path().join("p.csv");
    fs::write(&file, "row,label,prediction\nx0,a,a\n").unwrap();
    for name in ["one", "two"] {
        place.ok(&[
            "run",
            "record",
            "--cut",
            "all",
            "--name",
            name,
            "--predictions",
            file.to_str().unwrap(),
        ]);
    }
    let deploy = |run: &str, share: &str| {
        place.run(&[
            "deploy", "record", "--run", run, "--to", "prod", "--model", "m", "--share", share,
        ])
    };
    assert!(deploy("one", "0.1").status.success() && deploy("one", "0.5").status.success());
    // Once more is no second one.
    let again = String::from_utf8(deploy("one", "0.5").stderr).unwrap();
    assert!(again.contains("is recorded already"), "{again}");
    let ended = || {
        let list = lines(&place.ok(&["deploy", "list", "--json"]));
        list.iter().filter(|one| !one["ended"].is_null()).count()
    };
    let output = place.run(&["deploy", "end", "prod"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("share 0.1"), "{said}");
    assert_eq!(ended(), 0);
    let first = lines(&place.ok(&["deploy", "list", "--json"]))[0]["deployment"].clone();
    place.ok(&["deploy", "end", first.as_str().unwrap()]);
    place.ok(&["deploy", "end", "prod"]);
    assert_eq!(ended(), 2);
}

/// Each id that a trace prints leads to a trace, and no model answered before it was learned.
#[test]
fn what_a_trace_names_can_be_traced() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let rows: String = (0..200).map(|n| format!("x{n},a,a\n")).collect();
    fs::write(at("same.csv"), format!("row,label,prediction\n{rows}")).unwrap();
    fs::write(at("gate.toml"), "name = \"g\"\n[[fix]]\nslice = \"all\"\ngain = 0.05\n").unwrap();
    let same = at("same.csv");
    place.ok(&["run", "record", "--cut", "all", "--name", "r", "--predictions", &same]);
    place.run(&["gate", &at("gate.toml"), "--run", "r", "--before", &same]);
    place.ok(&["gate", "waive", "r", "--reason", "we know"]);
    // The model that flagged the cases is called so too.
    let shown = json(&place.ok(&["show", "p0", "--json"]));
    let model = shown["model"].as_str().filter(|model| !model.is_empty()).unwrap_or("m").to_owned();
    place.ok(&["deploy", "record", "--run", "r", "--to", "prod", "--model", &model]);
    let outcome = "{\"id\":\"p0\",\"observed_at\":\"2026-06-20T00:00:00Z\",\"truth\":\"pay\"}\n";
    fs::write(at("o.jsonl"), outcome).unwrap();
    place.ok(&["outcome", "import", &at("o.jsonl")]);
    let mut seen = BTreeSet::new();
    for from in ["p0", "r"] {
        let trace = json(&place.ok(&["trace", from, "--json"]));
        for node in trace["nodes"].as_array().unwrap() {
            let id = node["id"].as_str().unwrap();
            seen.insert(node["kind"].as_str().unwrap().to_owned());
            place.ok(&["trace", id]);
            if let Some(entry) = node["entry"].as_str() {
                place.ok(&["trace", entry]);
            }
        }
        let edges = trace["edges"].as_array().unwrap();
        assert!(edges.iter().all(|edge| edge["why"] != "answered"), "{trace}");
    }
    for kind in [
        "case",
        "prediction",
        "label",
        "row",
        "cut",
        "run",
        "gate",
        "waiver",
        "deployment",
        "outcome",
    ] {
        assert!(seen.contains(kind), "{kind} in {seen:?}");
    }
    assert!(place.ok(&["trace", "r"]).contains("waived: we know"));
}

#[test]
fn a_recipe_whose_label_no_case_has_is_refused() {
    let place = bench();
    let recipe = place.dir.path().join("typo.toml");
    fs::write(&recipe, "name = \"typo\"\n[rows]\nlabel = \"lable\"\n").unwrap();
    let out = place.dir.path().join("typo");
    let output = place.run(&["cut", recipe.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && said.contains("no case says such a field"),
        "{said}"
    );
    assert!(said.contains("verdict") && said.contains("category"), "{said}");
}

/// A model that was refused changed nothing, and a command says what the screen does.
#[test]
fn what_labels_changed_is_told_of_deployed_models_alone() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let rows = |said: &str| -> String {
        let rows: String = (0..200).map(|n| format!("x{n},a,{said}\n")).collect();
        format!("row,label,prediction\n{rows}")
    };
    fs::write(at("bad.csv"), rows("b")).unwrap();
    fs::write(at("good.csv"), rows("a")).unwrap();
    fs::write(at("gate.toml"), "[[fix]]\nslice = \"all\"\ngain = 0.05\n").unwrap();
    for run in ["one", "two"] {
        place.ok(&[
            "run",
            "record",
            "--cut",
            "all",
            "--name",
            run,
            "--predictions",
            &at("good.csv"),
        ]);
        place.ok(&["gate", &at("gate.toml"), "--run", run, "--before", &at("bad.csv")]);
    }
    place.ok(&["deploy", "record", "--run", "one", "--to", "prod", "--model", "m1"]);
    let said = place.run_text(&["reliability"]);
    assert!(
        said.contains("What your labels changed") && said.contains("deployed to prod as m1"),
        "{said}"
    );
    assert_eq!(said.matches("right on 0.000 before, 1.000 after").count(), 1, "{said}");
    let told = lines(&place.run_text(&["reliability", "--json"]));
    let changed = told.iter().find(|row| row["cut"] == "all").unwrap();
    assert_eq!(changed["deployed"][0]["there"][0]["model"], "m1", "{changed}");
    assert_eq!(changed["deployed"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_no_gate_could_read_is_not_recorded() {
    let place = bench();
    let file = place.dir.path().join("said").display().to_string();
    for (flag, text, expect) in [
        ("--predictions", "", "no column `row`"),
        ("--predictions", "row,label,prediction\n", "no predictions stand there"),
        ("--predictions", "row,label\nx1,a\n", "neither `prediction` nor `after`"),
        ("--predictions", "row,label,prediction\nx1,a,a\nx1,a,b\n", "x1"),
        ("--metrics", "{}", "no number stands in it"),
        ("--metrics", "{\"accuracy\":\"high\"}", "no number stands in it"),
    ] {
        fs::write(&file, text).unwrap();
        let ran = place.run(&["run", "record", "--cut", "all", "--name", "r", flag, &file]);
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(!ran.status.success() && said.contains(expect), "{text:?}: {said}");
    }
    assert!(!place.run(&["run", "list"]).status.success(), "nothing is there");
}

#[test]
fn what_has_no_label_is_not_ready_to_be_learned() {
    let place = crate::support::team_of_three();
    place.ok(&["policy", "set", "overlap=1"]);
    let right = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
    place.ok(&[&["label", "p0", "--rationale", "so"], &right[..]].concat());
    place.ok(&[
        "label",
        "p1",
        "--rationale",
        "so",
        "--answer",
        "readable=n",
        "--answer",
        "damage=c",
    ]);
    let ready = || -> Vec<(String, String)> {
        let mut sums = casework::review::board::BoardSums::default();
        let board = place.open().board(&mut sums).unwrap();
        board.retraining.into_iter().map(|row| (row.name, row.number)).collect()
    };
    let expect = |names: [&str; 2]| names.map(|name| (name.to_owned(), "1".to_owned()));
    assert_eq!(ready(), expect(["rare-combination", "without a label"]));
    // A protocol may say a label in another field: what one asked for a label sets.
    let source = place.ok(&["protocol", "starter", "text"]);
    let other = source
        .replace("sets = \"label\"", "sets = \"intent\"")
        .replace("label = \"{", "intent = \"{");
    let file = place.dir.path().join("other.toml");
    fs::write(&file, other).unwrap();
    place.ok(&["protocol", "publish", file.to_str().unwrap(), "--changes", "another field"]);
    place.ok(&[&["label", "p0", "--rationale", "so"], &right[..]].concat());
    assert_eq!(ready(), expect(["rare-combination", "without a label"]));
}

/// What a model learns from is what its stream is held against: as if it had said of each case of the
/// cut what that counts as.
#[test]
fn a_reference_of_a_cut_is_that_of_its_rows() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let traps = "[[trap]]\nname = \"new words\"\nnovel = { field = \"input.text\", by = \"tokens\", above = 0.3 }\n\
                 [[trap]]\nname = \"rare\"\nrare = { fields = [\"label\"], below = 5 }\n";
    fs::write(at("traps.toml"), traps).unwrap();
    let made = json(&place.ok(&["cut", "--again", "all", "--out", &at("again"), "--json"]));
    let said: String = place
        .ok(&["export", "--rows", "cases"])
        .lines()
        .map(json)
        .map(|row| {
            line(row["id"].as_str().unwrap(), row["text"].as_str().unwrap(), "transfer", 0.2, 0)
        })
        .collect();
    fs::write(at("said.jsonl"), said).unwrap();
    let set = |from: &[&str]| {
        let args = [&["reference", "set", "r", "--traps", &at("traps.toml"), "--json"], from];
        json(&place.ok(&args.concat()))
    };
    let of_cut = set(&["--cut", "all"]);
    let of_file = set(&["--file", &at("said.jsonl")]);
    assert_eq!((&of_cut["rows"], &of_cut["blob"]), (&made["rows"], &of_file["blob"]), "{of_file}");
    // What is not here any more is said, and does not count.
    place.ok(&["erase", "p3", "--reason", "asked for"]);
    let less = set(&["--cut", "all"]);
    let n = |value: &Value| value.as_u64().unwrap();
    assert_eq!((n(&less["rows"]) + 1, n(&less["rejected"])), (n(&made["rows"]), 1));
    for (args, words) in [
        (&["--cut", "al"][..], "all@1.0.0"),
        (&[][..], "--cut"),
        (&["--cut", "all", "--file", "x"][..], "--cut"),
    ] {
        let ran = place.run(&[&["reference", "set", "r"], args].concat());
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(!ran.status.success() && said.contains(words), "{args:?}: {said}");
    }
}

/// What two people labeled takes the room of both: of nobody there are more than the cap says.
#[test]
fn a_cap_per_reviewer_counts_all_who_labeled_a_case() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    for name in ["bo", "cy"] {
        place.ok(&["roster", "admit", name, "--role", "reviewer"]);
    }
    for (n, name) in [(0, "bo"), (1, "bo"), (2, "cy"), (3, "cy"), (4, "bo"), (4, "cy")] {
        let answers = ["readable=y", "verdict=n", "corrected=transfer", "category=r"];
        let case = format!("p{n}");
        let mut label = vec!["label", &case, "--as", name, "--rationale", "so"];
        answers.iter().for_each(|answer| label.extend(["--answer", *answer]));
        place.ok(&label);
    }
    let recipe = fs::read_to_string(at("recipe.toml")).unwrap();
    for most in 1..=8 {
        let capped = format!("{recipe}[caps]\nper = \"reviewer\"\nrows = {most}\n");
        fs::write(at("capped.toml"), capped).unwrap();
        let out = at(&format!("capped-{most}"));
        let made = json(&place.ok(&["cut", &at("capped.toml"), "--out", &out, "--json"]));
        let mut of: BTreeMap<String, u64> = BTreeMap::new();
        let told = lines(&fs::read_to_string(format!("{out}/rows.why.jsonl")).unwrap());
        for label in told.iter().flat_map(|row| row["labels"].as_array().unwrap()) {
            *of.entry(label["reviewer"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        // Ana labeled all of them.
        assert_eq!((told.len() as u64, of["ana"]), (most, most), "{made}");
        assert!(of.values().all(|n| *n <= most), "{most}: {of:?}");
    }
}

#[test]
fn a_second_run_that_fails_is_said_and_what_both_printed_is_kept() {
    let place = bench();
    let script = "printf '\\033[31mred\\n'; if [ -e $HOME/was ]; then exit 3; fi; touch $HOME/was; echo one > $2/out\n";
    let run = ran(&place, &pipeline(&place, script, ""), &["--repeat", "2"]);
    assert_eq!(run["state"], "done", "{run}");
    let words = run["repeat"].as_str().unwrap();
    assert!(words.starts_with("differs: the second time it failed: step `train`"), "{run}");
    let id = run["run"].as_str().unwrap();
    let logs = place.path().join("runs").join(id).join("logs");
    for name in ["train.out", "train.2.out"] {
        let text = fs::read_to_string(logs.join(name)).unwrap();
        assert_eq!(text, "«ESC»[31mred\n", "{name}");
    }
}

#[test]
fn what_a_step_alone_is_told_is_part_of_its_environment() {
    let place = bench();
    let hash = |more: &str| {
        let run = ran(&place, &pipeline(&place, "true", more), &[]);
        let names = run["environment"].to_string();
        (run["environment_hash"].to_string(), names.contains("CUDA_VISIBLE_DEVICES"))
    };
    let (none, one, two) = (
        hash(""),
        hash("env = { CUDA_VISIBLE_DEVICES = \"0\" }\n"),
        hash("env = { CUDA_VISIBLE_DEVICES = \"1\" }\n"),
    );
    assert_eq!([none.1, one.1, two.1], [false, true, true]);
    assert!(none.0 != one.0 && one.0 != two.0, "{none:?} {one:?} {two:?}");
}

/// Slices that are named one by one are as many chances of a loss that is none as those of `*`.
#[test]
fn slices_that_are_named_are_one_family() {
    let place = Place::new();
    drop(place.create());
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    // In slice s0 six rows are lost and none is gained: p 1/64; in nine others nothing differs.
    let mut rows = String::from("row,label,before,after,slices\n");
    for slice in 0..10 {
        for n in 0..40 {
            let after = if slice == 0 && n < 6 { "b" } else { "a" };
            rows.push_str(&format!("{slice}-{n},a,a,{after},s{slice}\n"));
        }
    }
    fs::write(at("rows.csv"), rows).unwrap();
    let named: String = (0..10).map(|n| format!("[[keep]]\nslice = \"s{n}\"\n")).collect();
    let lines = |gate: &str| -> Vec<(String, f64, f64, String)> {
        fs::write(at("gate.toml"), gate).unwrap();
        let (gate, rows) = (at("gate.toml"), at("rows.csv"));
        let ran = place.run(&["gate", &gate, "--before", &rows, "--after", &rows, "--json"]);
        let decided = json(&String::from_utf8(ran.stdout).unwrap());
        let of = |line: &Value| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            let number = |name: &str| line[name].as_f64().unwrap();
            (text("slice"), number("p"), number("adjusted"), text("verdict"))
        };
        let mut found: Vec<_> = decided["lines"].as_array().unwrap().iter().map(of).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    };
    let (all, each) = (lines("[[keep]]\nslice = \"*\"\n"), lines(&named));
    assert_eq!(all, each);
    assert!((each[0].1 - 1.0 / 64.0).abs() < 1e-9 && each[0].3 == "pass", "{each:?}");
    // One that is asked twice is one.
    let both = lines("[[keep]]\nslice = \"*\"\n[[keep]]\nslice = \"s0\"\n");
    assert!((both[0].2 - all[0].2).abs() < 1e-12 && both.len() == 11, "{both:?}");
}

/// Old rows that are mixed in are learned from as all others are.
#[test]
fn old_rows_of_a_cut_leak_and_are_traced_too() {
    let place = bench();
    let at = |name: &str| place.dir.path().join(name).display().to_string();
    let base: String = (0..12)
        .map(|n| format!("{{\"text\":\"an old message number {n}\",\"label\":\"pay\"}}\n"))
        .collect();
    fs::write(at("base.jsonl"), base).unwrap();
    let recipe = fs::read_to_string(at("recipe.toml")).unwrap().replace("\"all\"", "\"mixed\"");
    let recipe = format!("{recipe}[replay]\nfile = \"base.jsonl\"\nratio = 1.0\n");
    fs::write(at("mixed.toml"), recipe).unwrap();
    place.ok(&["cut", &at("mixed.toml"), "--out", &at("mixed")]);
    let rows = lines(&fs::read_to_string(at("mixed/train.jsonl")).unwrap());
    let old = rows.iter().find(|row| row["origin"] != "case").unwrap();
    let (row, text) = (old["row"].as_str().unwrap(), old["text"].as_str().unwrap());
    fs::write(
        at("predictions.csv"),
        format!("row,label,before,after,text\nx1,pay,a,pay,{text}\nx2,pay,a,pay,something else\nx3,pay,a,pay,{text}s\n"),
    )
    .unwrap();
    let predictions = at("predictions.csv");
    place.ok(&["run", "record", "--cut", "mixed", "--name", "r", "--predictions", &predictions]);
    fs::write(at("gate.toml"), "[[keep]]\nslice = \"all\"\nmargin = 0.9\n").unwrap();
    let gate = ["gate", &at("gate.toml"), "--run", "r", "--before", &predictions, "--json"];
    let words = "row x1 is an old row that was mixed into the cut";
    // Near ones are found where the cut lies, beside the gate or where it is said to.
    let near = |decided: &Value| {
        let leak = decided["leak"].as_array().unwrap();
        assert!(leak.contains(&words.into()), "{decided}");
        let begin = format!("row x3 is the old row {row} that was mixed into the cut (0.9");
        leak.iter().any(|one| one.as_str().unwrap().starts_with(&begin))
    };
    let decided = json(&place.run_text(&gate));
    assert!(near(&decided) && decided["old_rows_unread"] == 0, "{decided}");
    fs::create_dir(at("moved")).unwrap();
    fs::rename(at("mixed"), at("moved/mixed")).unwrap();
    let decided = json(&place.run_text(&gate));
    assert!(!near(&decided) && decided["old_rows_unread"].as_u64() > Some(0), "{decided}");
    let moved = at("moved/mixed");
    assert!(near(&json(&place.run_text(&[&gate[..], &["--cut", &moved]].concat()))));
    let other = place.run(&[&gate[..], &["--cut", &at("all")]].concat());
    assert!(String::from_utf8_lossy(&other.stderr).contains("is not the cut"), "{other:?}");
    let traced = place.ok(&["trace", row]);
    assert!(traced.contains("mixed") && !traced.contains("no case"), "{traced}");
}
