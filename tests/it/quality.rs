//! Figures of agreement and models of truth beside what peers compute on real crowds and on
//! textbook tables.

use std::fs;
use std::path::Path;

use casework::domain::random::SplitMix64;
use casework::quality::agreement::{Resampling, measure};
use casework::quality::figure::Figure;
use casework::quality::ratings::Ratings;
use casework::quality::truth::{Estimate, Fitting, model};
use serde_json::Value;

use crate::keys::Keys as _;
use crate::support::{Place, T0, fixture, ingest, line, shared};

const NONE: Resampling = Resampling { times: 0, seed: 1 };

fn close(name: &str, found: &Figure, expect: &Value) {
    match expect.as_f64() {
        Some(expect) => {
            let found = found.value.unwrap_or_else(|reason| panic!("{name}: {reason}"));
            assert!((found - expect).abs() < 1.1e-6, "{name}: {found} and not {expect}");
        }
        None => assert!(found.value.is_err(), "{name}: {found:?}, where a peer has none"),
    }
}

fn read(path: &Path) -> Ratings {
    Ratings::read_csv(fs::File::open(path).unwrap()).unwrap().ratings
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The sets of crowds, with where their labels are.
fn sets(data: &Path) -> Vec<(&'static str, std::path::PathBuf, std::path::PathBuf)> {
    let crowd = |name| {
        (
            name,
            data.join("agreement").join(name).join("labels.csv"),
            data.join("agreement").join(name).join("gold.csv"),
        )
    };
    let simulated = (
        "sim_reviews_clinc",
        data.join("reviews/verdicts.csv"),
        data.join("reviews/verdict_gold.csv"),
    );
    vec![crowd("rte"), crowd("dog"), crowd("bluebird"), crowd("wordsim"), simulated]
}

#[test]
fn agreement_on_real_crowds_is_what_peers_say() {
    let Some(data) = shared("agreement_on_real_crowds_is_what_peers_say") else { return };
    let reference = json(&data.join("agreement/reference.json"));
    for (name, labels, _) in sets(&data) {
        let found = measure(&read(&labels), NONE);
        let set = &reference["sets"][name];
        assert_eq!(found.tasks as u64, set["tasks"].as_u64().unwrap());
        assert_eq!(found.reviewers as u64, set["workers"].as_u64().unwrap());
        let of = |entry: &str| &set["values"][entry]["result"];
        let percent = &of("counts")["percent_agreement_mean_over_tasks_with_2plus"];
        if percent.is_number() {
            close(name, &found.percent, percent);
        }
        let alpha = &found.krippendorff_alpha;
        for (level, figure) in [
            ("nominal", &alpha.nominal),
            ("ordinal", &alpha.ordinal),
            ("interval", &alpha.interval),
            ("ratio", &alpha.ratio),
        ] {
            let expect = &of(&format!("krippendorff_{level}"))["alpha"];
            if expect.is_number() {
                close(&format!("{name} alpha {level}"), figure, expect);
            }
        }
        let cac = of("irrCAC_identity");
        if cac.is_object() {
            close(&format!("{name} AC1"), &found.gwet_ac1, &cac["gwet"]["value"]);
            close(&format!("{name} Fleiss"), &found.fleiss_kappa, &cac["fleiss"]["value"]);
        }
        let cohen = of("sklearn_cohen");
        if cohen.is_object() {
            let mean = &cohen["mean_pairwise_kappa_pairs_with_10_common"];
            close(&format!("{name} Cohen"), &found.cohen_kappa.mean, &mean["mean"]);
            for expect in cohen["top_pairs"].as_array().unwrap() {
                let who = expect["workers"].as_array().unwrap();
                let pair = found.cohen_kappa.pairs.iter().find(|pair| {
                    who.iter()
                        .all(|name| pair.reviewers.iter().any(|r| r == name.as_str().unwrap()))
                });
                let pair = pair.unwrap_or_else(|| panic!("{name}: {who:?} is not among the pairs"));
                assert_eq!(pair.n as u64, expect["common_tasks"].as_u64().unwrap());
                assert!(
                    (pair.kappa.unwrap() - expect["kappa"].as_f64().unwrap()).abs() < 1.1e-6,
                    "{pair:?} {expect}"
                );
            }
        }
    }
}

#[test]
fn textbook_tables_come_out_as_printed() {
    let Some(data) = shared("textbook_tables_come_out_as_printed") else { return };
    for case in json(&data.join("agreement/textbook.json"))["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let mut ratings = Ratings::default();
        let rows = case["data"].as_array().unwrap();
        let mut task = 0;
        for (a, row) in rows.iter().enumerate() {
            let cells = row.as_array().unwrap().iter().enumerate();
            match case["format"].as_str().unwrap() {
                "units_x_raters" => {
                    cells.filter(|(_, value)| !value.is_null()).for_each(|(who, value)| {
                        ratings.push(&a.to_string(), &who.to_string(), &value.to_string());
                    })
                }
                "counts" => {
                    let mut who = 0;
                    for (value, n) in cells {
                        for _ in 0..n.as_u64().unwrap() {
                            ratings.push(&a.to_string(), &who.to_string(), &value.to_string());
                            who += 1;
                        }
                    }
                }
                _ => cells.for_each(|(b, n)| {
                    for _ in 0..n.as_u64().unwrap() {
                        task += 1;
                        ratings.push(&task.to_string(), "one", &a.to_string());
                        ratings.push(&task.to_string(), "two", &b.to_string());
                    }
                }),
            }
        }
        let found = measure(&ratings.sorted(), NONE);
        let alpha = &found.krippendorff_alpha;
        for (name, expect) in case["values"].as_object().unwrap() {
            let figure = match name.as_str() {
                "alpha_nominal" | "alpha_irrcac_identity" | "krippendorff_identity" => {
                    &alpha.nominal
                }
                "alpha_ordinal" => &alpha.ordinal,
                "alpha_interval" | "alpha_irrcac_quadratic" | "krippendorff_quadratic" => {
                    &alpha.interval
                }
                "alpha_ratio" => &alpha.ratio,
                "ac1_identity" | "gwet_identity" => &found.gwet_ac1,
                "ac2_linear" | "gwet_linear" => &found.gwet_ac2.linear,
                "ac2_quadratic" | "gwet_quadratic" => &found.gwet_ac2.quadratic,
                "ac2_ordinal" => &found.gwet_ac2.ordinal,
                "fleiss_kappa" | "fleiss_identity" => &found.fleiss_kappa,
                "cohen" | "cohen_identity" => &found.cohen_kappa.mean,
                "cohen_linear" => &found.cohen_kappa.linear,
                "cohen_quadratic" => &found.cohen_kappa.quadratic,
                _ => continue, // coefficients that casework does not have
            };
            // Where a peer breaks down on a single task, and the formula does not.
            if (id, name.as_str()) != ("degenerate_one_unit", "ac1_identity") {
                close(&format!("{id} {name}"), figure, &expect["value"]);
            }
        }
    }
}

fn accuracy(ratings: &Ratings, estimate: &Estimate, gold: &Path) -> f64 {
    let mut reader = csv::Reader::from_path(gold).unwrap();
    let rows: Vec<(String, String)> = reader.deserialize().map(Result::unwrap).collect();
    let number: std::collections::HashMap<&str, usize> =
        ratings.tasks.iter().enumerate().map(|(at, name)| (name, at)).collect();
    let rows: Vec<_> = rows.iter().filter(|(task, _)| number.contains_key(task.as_str())).collect();
    let right = |row: &&&(String, String)| {
        let answer = estimate.answer(number[row.0.as_str()]).unwrap();
        ratings.values.name(answer.class as u32) == row.1
    };
    rows.iter().filter(right).count() as f64 / rows.len() as f64
}

fn worst_difference(ratings: &Ratings, estimate: &Estimate, posteriors: &Path) -> f64 {
    let mut reader = csv::Reader::from_path(posteriors).unwrap();
    let classes: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .skip(1)
        .map(|name| name.trim_start_matches("p_").to_owned())
        .collect();
    let number: std::collections::HashMap<&str, usize> =
        ratings.tasks.iter().enumerate().map(|(at, name)| (name, at)).collect();
    let mut worst = 0.0_f64;
    for row in reader.records().map(Result::unwrap) {
        let beliefs = estimate.beliefs_of(number[&row[0]]);
        for (column, class) in classes.iter().enumerate() {
            let at = ratings.values.iter().position(|value| value == class).unwrap();
            worst = worst.max((beliefs[at] - row[column + 1].parse::<f64>().unwrap()).abs());
        }
    }
    worst
}

#[test]
fn models_of_truth_come_to_what_peers_say() {
    let Some(data) = shared("models_of_truth_come_to_what_peers_say") else { return };
    let reference = json(&data.join("agreement/reference.json"));
    for (name, labels, gold) in sets(&data).into_iter().filter(|(name, ..)| *name != "wordsim") {
        let ratings = read(&labels);
        let values = &reference["sets"][name]["values"];
        let fit = |method: &str, fitting: Fitting| {
            model(method).unwrap().fit.unwrap()(&ratings, &fitting)
        };
        let posteriors =
            |which: &str| data.join(format!("agreement/reference/{name}_{which}_posteriors.csv"));

        let majority = fit("majority", Fitting::default());
        assert!(
            (accuracy(&ratings, &majority, &gold)
                - values["MajorityVote"]["result"]["accuracy"].as_f64().unwrap())
            .abs()
                < 1e-6
        );

        let ten =
            fit("dawid-skene", Fitting { iterations: 10, tolerance: -1.0, ..Fitting::default() });
        let worst = worst_difference(&ratings, &ten, &posteriors("ds10"));
        assert!(worst < 1e-6, "{name}: {worst}");
        let mut confusions = csv::Reader::from_path(
            data.join(format!("agreement/reference/{name}_ds10_confusions.csv")),
        )
        .unwrap();
        for row in confusions.records().map(Result::unwrap) {
            let class = |name: &str| ratings.values.iter().position(|value| value == name).unwrap();
            let who = ratings.reviewers.iter().position(|reviewer| reviewer == &row[0]).unwrap();
            let confusion = ten.reviewers[who].confusion.as_ref().unwrap();
            let at = class(&row[1]) * ten.classes + class(&row[2]);
            let expect: f64 = row[3].parse().unwrap();
            // Where nobody ever saw the class, a peer's row is nothing, and ours the least.
            assert!(
                (confusion.shares[at] - expect).abs() < 1e-6,
                "{name} {row:?}: {}",
                confusion.shares[at]
            );
        }
        let converged = fit("dawid-skene", Fitting::default());
        assert!(converged.converged, "{name}: {} rounds", converged.iterations);
        assert!(
            worst_difference(&ratings, &converged, &posteriors("ds_converged")) < 1e-6,
            "{name}"
        );
        let expect = &values["DawidSkene_numpy"]["result"]["converged"];
        assert!(
            (converged.log_likelihood.unwrap()
                - expect["log_likelihood_before_last_update"].as_f64().unwrap())
            .abs()
                < 1e-5
        );

        let rounds = values["OneCoinDawidSkene"]["result"]["iterations"].as_u64().unwrap() as usize;
        let one =
            fit("one-coin", Fitting { iterations: rounds, tolerance: -1.0, ..Fitting::default() });
        let mut skills = csv::Reader::from_path(
            data.join(format!("agreement/reference/{name}_onecoin_skills.csv")),
        )
        .unwrap();
        for row in skills.records().map(Result::unwrap) {
            let who = ratings.reviewers.iter().position(|reviewer| reviewer == &row[0]).unwrap();
            let expect: f64 = row[1].parse().unwrap();
            assert!(
                (one.reviewers[who].skill - expect).abs() < 1e-6,
                "{name} {row:?}: {}",
                one.reviewers[who].skill
            );
        }
        let mace = accuracy(&ratings, &fit("mace", Fitting::default()), &gold);
        let expect = values["MACE"]["result"]["accuracy"].as_f64().unwrap();
        println!("{name}: mace {mace:.4}, a peer {expect:.4}");
        assert!(mace > expect - 0.01, "{name}: {mace} and {expect}"); // from other starts, so not the same
    }
}

/// The best published accuracy of a set, where there is one.
fn best_published(set: &Value) -> Option<f64> {
    set["published"]["accuracy"].as_object()?.values().filter_map(Value::as_f64).reduce(f64::max)
}

#[test]
fn the_default_is_as_good_as_the_best_published_and_never_loses_to_majority() {
    let name = "the_default_is_as_good_as_the_best_published_and_never_loses_to_majority";
    let Some(data) = shared(name) else { return };
    let reference = json(&data.join("agreement/reference.json"));
    let (mut found, mut best) = (Vec::new(), Vec::new());
    for (name, labels, gold) in sets(&data).into_iter().filter(|(name, ..)| *name != "wordsim") {
        let ratings = read(&labels);
        let of = |method: &str| {
            let estimate = model(method).unwrap().fit.unwrap()(&ratings, &Fitting::default());
            assert!(estimate.converged, "{name}: {method}");
            accuracy(&ratings, &estimate, &gold)
        };
        let (majority, here) = (of("majority"), of("hierarchical"));
        println!("{name}: hierarchical {here:.4}, majority {majority:.4}");
        assert!(here > majority - 0.015, "{name}: {here} under majority, {majority}");
        if let Some(published) = best_published(&reference["sets"][name]) {
            found.push(here);
            best.push(published);
        }
    }
    let mean = |shares: &[f64]| shares.iter().sum::<f64>() / shares.len() as f64;
    assert!(mean(&found) >= mean(&best), "{found:?} {best:?}");
}

/// What `hierarchical` and `majority` make of labels `(task, reviewer, label)`.
fn both(labels: &[(usize, usize, &str)]) -> [Estimate; 2] {
    let mut ratings = Ratings::default();
    for (task, who, label) in labels {
        ratings.push(&format!("t{task:04}"), &format!("r{who:03}"), label);
    }
    let ratings = ratings.sorted();
    ["hierarchical", "majority"]
        .map(|name| model(name).unwrap().fit.unwrap()(&ratings, &Fitting::default()))
}

fn answers(estimate: &Estimate, tasks: usize) -> Vec<usize> {
    (0..tasks).map(|task| estimate.answer(task).unwrap().class).collect()
}

#[test]
fn thin_labels_come_to_what_most_say_and_a_crowd_of_guessers_does_not_rule() {
    // Nobody says more than once: nothing tells them apart.
    let once: Vec<(usize, usize, &str)> = (0..60)
        .map(|n| (n / 3, n, if (n % 3 == 0) == (n / 3 % 2 == 0) { "x" } else { "y" }))
        .collect();
    let [here, majority] = both(&once);
    assert_eq!(answers(&here, 20), answers(&majority, 20));

    // Two of five know; three say whatever comes, most of the time the same.
    let mut dice = SplitMix64::new(5);
    let classes = ["w", "x", "y", "z"];
    let mut labels = Vec::new();
    for task in 0..200 {
        for who in 0..5 {
            let knows = who < 2 && dice.share() < 0.95;
            let said = if knows { task % 4 } else { (dice.share() * 4.0) as usize };
            labels.push((task, who, classes[said]));
        }
    }
    let [here, majority] = both(&labels);
    let right = |estimate: &Estimate| {
        answers(estimate, 200)
            .iter()
            .enumerate()
            .filter(|(task, class)| task % 4 == **class)
            .count()
    };
    assert!(right(&here) > 180 && right(&here) > right(&majority), "{}", right(&here));
    assert!(here.reviewers[0].skill > 0.9 && here.reviewers[3].skill < 0.4);

    // One reviewer, one class, no two who share a task: an answer, and no number that is none.
    for labels in [
        vec![(0, 0, "x"), (1, 0, "y")],
        vec![(0, 0, "x"), (0, 1, "x")],
        vec![(0, 0, "x"), (1, 1, "y")],
    ] {
        let [here, majority] = both(&labels);
        let tasks = labels.iter().map(|(task, ..)| task + 1).max().unwrap();
        assert_eq!(answers(&here, tasks), answers(&majority, tasks), "{labels:?}");
        assert!(here.converged && here.beliefs.iter().all(|belief| belief.is_finite()));
    }
}

#[test]
fn the_commands_say_what_can_not_be_told_and_why() {
    let place = Place::new();
    place.create();
    let file = |name: &str, text: &str| {
        let path = place.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // Nothing here yet: every figure has a reason and none is a number.
    let found: Value = serde_json::from_str(&place.ok(&["agreement", "--json"])).unwrap();
    for name in ["percent", "cohen_kappa", "fleiss_kappa", "gwet_ac1"] {
        assert!(
            found[name]["value"].is_null()
                && found[name]["reason"].is_string()
                && found[name]["n"] == 0,
            "{name}: {found}"
        );
    }
    assert!(found["krippendorff_alpha"]["nominal"]["value"].is_null());
    assert_eq!(place.run(&["consensus"]).status.code(), Some(1));

    let one = file("one.csv", "task,worker,label\na,w,x\nb,w,\u{1b}[31my\nc,w,\nd\n");
    let output = place.run(&["agreement", &one]);
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success() && out.contains("none: no task has two labels"), "{out}");
    assert!(
        err.contains("1 lines have no label")
            && err.contains("line 5 is left out: too few columns"),
        "{err}"
    );
    let refused = place.run(&["consensus", &one]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("3 reviewers or more"));
    let majority = place.ok(&["consensus", "--method", "majority", &one]);
    assert_eq!(majority, "task,label,confidence\na,x,1.000000\nb,«ESC»[31my,1.000000\n");

    // Words have an order if it is said.
    let words = file("words.csv", "task,worker,label\na,v,low\na,w,high\nb,v,mid\nb,w,mid\n");
    let found: Value = serde_json::from_str(&place.ok(&["agreement", "--json", &words])).unwrap();
    assert_eq!(found["krippendorff_alpha"]["ordinal"]["reason"], "the labels are not numbers");
    let found: Value = serde_json::from_str(&place.ok(&[
        "agreement",
        "--json",
        "--order",
        "low,mid,high",
        &words,
    ]))
    .unwrap();
    assert!(found["krippendorff_alpha"]["ordinal"]["value"].is_f64(), "{found}");
    assert!(
        found["krippendorff_alpha"]["ratio"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("the labels are ranked")
    );
    assert!(place.ok(&["agreement", "--order", "low,mid,high", &words]).contains("  ordinal"));
    let unknown = place.run(&["agreement", "--order", "low,high", &words]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("label `mid` occurs"));

    let wrong = place.run(&["agreement", &file("wrong.csv", "id,who,what\n1,2,3\n")]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        String::from_utf8(wrong.stderr)
            .unwrap()
            .contains("must name the columns task,worker,label")
    );
    assert_eq!(place.run(&["consensus", "--method", "guess", &one]).status.code(), Some(2));
}

/// Six simulated reviewers on real predictions, through the journal.
#[test]
fn a_workspace_is_measured_as_the_file_of_its_labels() {
    let Some(data) = shared("a_workspace_is_measured_as_the_file_of_its_labels") else { return };
    let place = Place::new();
    place.create();
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    place.ok(&["ingest", &path("stream/stream.jsonl")]);
    place.ok(&["protocol", "publish", fixture("intent-edge-cases.toml").to_str().unwrap()]);
    place.ok(&["import", "labels", &path("reviews/reviews.jsonl"), "--format", "jsonl"]);
    let found: Value = serde_json::from_str(&place.ok(&[
        "agreement",
        "--json",
        "--field",
        "verdict",
        "--resample",
        "200",
    ]))
    .unwrap();
    let reference =
        &json(&data.join("agreement/reference.json"))["sets"]["sim_reviews_clinc"]["values"];
    let expect = reference["krippendorff_nominal"]["result"]["alpha"].as_f64().unwrap();
    let alpha = &found["krippendorff_alpha"]["nominal"];
    assert!((alpha["value"].as_f64().unwrap() - expect).abs() < 1e-6, "{alpha}");
    let inside = |at: usize| alpha["interval"][at].as_f64().unwrap();
    assert!(inside(0) < expect && expect < inside(1));
    let questions: Vec<&str> = found["questions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["question"].as_str().unwrap())
        .collect();
    assert_eq!(questions[..3], ["readable", "language", "scope"]);

    // The six are simulated: one does not see what is out of scope, one trusts the model, one
    // guesses.
    let lines = place.ok(&["disagreements", "--json"]);
    let by_question: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let number = |of: &Value, name: &str| of[name].as_u64().unwrap();
    let most = by_question.iter().max_by_key(|of| number(of, "parted")).unwrap();
    assert_eq!(
        (most["question"].as_str(), number(most, "pairs"), number(most, "parted")),
        (Some("scope"), 1979, 545)
    );
    assert_eq!(number(&by_question[0], "pairs"), 2261, "every pair comes to the first question");
    let reached = |at: usize| number(&by_question[at], "pairs");
    assert!(
        (1..by_question.len())
            .all(|at| reached(at) <= reached(at - 1) - number(&by_question[at - 1], "parted"))
    );
    let here = place.run(&["disagreements", "--question", "scope", "--json"]);
    let (here, left_out) =
        (String::from_utf8(here.stdout).unwrap(), String::from_utf8(here.stderr).unwrap());
    assert_eq!(here.lines().count(), 526, "the rest are cases that ana may still label");
    assert!(left_out.contains("19 are left out"), "{left_out}");
    let case: Value = serde_json::from_str(here.lines().next().unwrap()).unwrap();
    let beside = place.ok(&["disagreements", case["case"].as_str().unwrap()]);
    assert!(beside.contains("▸ "), "the question at which they part is pointed at: {beside}");
    assert_eq!(place.run(&["disagreements", "--question", "nope"]).status.code(), Some(2));
    assert_eq!(place.run(&["disagreements", "--round", "none"]).status.code(), Some(2));
    let unknown = place.run(&["agreement", "--question", "nope"]);
    assert!(
        String::from_utf8(unknown.stderr)
            .unwrap()
            .contains("answered are: readable, language, scope")
    );
}

/// A case is settled by what is recorded of the reviewers as the model would settle it, and says
/// so.
#[test]
fn a_recorded_estimate_settles_cases_as_the_model_does() {
    let Some(data) = shared("a_recorded_estimate_settles_cases_as_the_model_does") else { return };
    let place = Place::new();
    place.create();
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    place.ok(&["ingest", &path("stream/stream.jsonl")]);
    place.ok(&["protocol", "publish", fixture("intent-edge-cases.toml").to_str().unwrap()]);
    place.ok(&["policy", "set", "overlap=2", "limit=2", "rule=dawid-skene", "on=verdict"]);
    place.ok(&["import", "labels", &path("reviews/reviews.jsonl"), "--format", "jsonl"]);
    let how = |of: &str, place: &Place| {
        let resolved = place.ok(&["queue", "--state", "resolved", "--json"]);
        let workspace = place.open();
        let rows = resolved.lines().map(|line| {
            let id =
                serde_json::from_str::<Value>(line).unwrap()["case"].as_str().unwrap().to_owned();
            workspace.find_case(&id).unwrap()
        });
        rows.filter(|row| row.how.unwrap().as_str() == of).collect::<Vec<_>>()
    };
    assert!(how("model", &place).is_empty(), "nothing is recorded yet");
    assert_eq!(
        place.run(&["consensus", "--method", "majority", "--record"]).status.code(),
        Some(2)
    );
    // What one may look at is less than what cases may be settled by.
    for (thin, why) in [
        (vec!["--iterations", "2"], "did not converge in 2 iterations"),
        (vec!["--iterations", "2", "--tasks-min", "1"], "did not converge"),
    ] {
        let refused = place.run(&[&["consensus", "--record"], thin.as_slice()].concat());
        assert_eq!(refused.status.code(), Some(2), "{thin:?}");
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(words.contains(why) && words.contains("nothing is recorded"), "{words}");
    }
    assert!(how("model", &place).is_empty());
    place.ok(&["consensus", "--record"]);
    let consensus: Value = serde_json::from_str(&place.ok(&["consensus", "--json"])).unwrap();
    let answers: std::collections::BTreeMap<String, (String, f64)> = consensus["answers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let of = |name: &str| line[name].as_str().unwrap().to_owned();
            (of("task"), (of("label"), line["confidence"].as_f64().unwrap()))
        })
        .collect();
    let settled = how("model", &place);
    assert!(settled.len() > 200, "{}", settled.len());
    for row in &settled {
        let (label, confidence) = &answers[&row.id.to_string()];
        assert_eq!(row.outcome.as_ref().unwrap()["verdict"], label.as_str(), "{}", row.external_id);
        assert!(*confidence > 0.9499, "{} is not sure: {confidence}", row.external_id);
    }
    let gold: std::collections::BTreeMap<String, String> =
        csv::Reader::from_path(data.join("reviews/verdict_gold.csv"))
            .unwrap()
            .records()
            .map(|row| row.map(|row| (row[0].to_owned(), row[1].to_owned())).unwrap())
            .collect();
    let right = settled
        .iter()
        .filter(|row| row.outcome.as_ref().unwrap()["verdict"] == gold[&row.external_id].as_str())
        .count();
    assert!(right * 100 > settled.len() * 93, "{right} of {}", settled.len());
    let mut workspace = place.open();
    let before = crate::support::digest(workspace.tables());
    let tx = workspace.tables_mut().begin().unwrap();
    casework::journal::fold::refold(&tx).unwrap();
    tx.commit().unwrap();
    assert_eq!(crate::support::digest(workspace.tables()), before, "folded anew it is the same");
}

/// Labels are weighed by the paths that led to them, with the model's own voice beside.
#[test]
fn labels_are_weighed_question_by_question() {
    let Some(data) = shared("labels_are_weighed_question_by_question") else { return };
    let place = Place::new();
    place.create();
    let path = |name: &str| data.join(name).to_str().unwrap().to_owned();
    place.ok(&["ingest", &path("stream/stream.jsonl")]);
    place.ok(&["protocol", "publish", fixture("intent-edge-cases.toml").to_str().unwrap()]);
    place.ok(&["import", "labels", &path("reviews/reviews.jsonl"), "--format", "jsonl"]);
    let gold: std::collections::BTreeMap<String, String> =
        csv::Reader::from_path(data.join("reviews/final_gold.csv"))
            .unwrap()
            .records()
            .map(|row| row.map(|row| (row[0].to_owned(), row[1].to_owned())).unwrap())
            .collect();
    // What a case trains on: nothing where it can't be read, or not by these reviewers.
    let right = |place: &Place, settled: bool| {
        let workspace = place.open();
        let rows = gold.iter().map(|(id, label)| (workspace.find_case(id).unwrap(), label));
        let right = rows.filter(|(row, label)| {
            let outcome = row.outcome.as_ref();
            let said = outcome.and_then(|outcome| outcome.get("label")).and_then(Value::as_str);
            (outcome.is_some() || !settled) && said.unwrap_or_default() == label.as_str()
        });
        right.count() as f64 / gold.len() as f64
    };
    let file = path("agreement/rte/labels.csv");
    let refused = place.run(&["consensus", "--method", "paths", &file]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("paths of labels"));

    place.ok(&["policy", "set", "overlap=1", "limit=2", "rule=paths", "sure_percent=51"]);
    let document: Value = serde_json::from_str(&place.ok(&["consensus", "--json"])).unwrap();
    assert_eq!((&document["method"], &document["converged"]), (&"paths".into(), &true.into()));
    place.ok(&["consensus", "--record"]);
    let alone = right(&place, true);
    place.ok(&["policy", "set", "witness=champion"]);
    place.ok(&["consensus", "--record"]);
    let with_model = right(&place, true);
    place.ok(&["policy", "set", "copies=pooled"]);
    place.ok(&["consensus", "--record"]);
    let pooled = right(&place, true);
    println!("right: {alone:.4} alone, {with_model:.4} with the model, {pooled:.4} pooled");
    assert!(alone > 0.85, "{alone}");
    assert!(pooled > 0.925, "{pooled}");

    let mut workspace = place.open();
    let before = crate::support::digest(workspace.tables());
    let tx = workspace.tables_mut().begin().unwrap();
    casework::journal::fold::refold(&tx).unwrap();
    tx.commit().unwrap();
    assert_eq!(crate::support::digest(workspace.tables()), before, "folded anew it is the same");
}

#[test]
fn what_others_said_of_a_case_is_not_shown_before_giving_ones_own() {
    let place = Place::new();
    let workspace = casework::workspace::Workspace::create_demo(
        place.paths(),
        casework::config::Env::default(),
        casework::demo::SEED,
        T0,
    );
    let workspace = workspace.unwrap();
    let mut open = None;
    casework::db::label::for_each(&workspace.tables().conn, |row| {
        let label = row.given.label;
        let case =
            casework::db::case::by_id(&workspace.tables().conn, label.case).unwrap().unwrap();
        if case.state == casework::domain::resolve::CaseState::Open
            && !["bo", "you"].contains(&label.reviewer.as_str())
        {
            open = Some(label.case.to_string());
        }
    })
    .unwrap();
    drop(workspace);
    let open = open.expect("a case that one of two has labeled");
    let refused = place.run(&["disagreements", &open, "--as", "bo"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("may still be yours to label"));
    assert!(refused.stdout.is_empty());
    let lead = place.run(&["disagreements", &open]);
    assert_eq!(
        (lead.status.code(), lead.stdout.is_empty()),
        (Some(2), true),
        "a lead who reviews may still label it too"
    );
    let disputed = place.ok(&["queue", "--state", "disputed", "--json"]);
    let disputed: Value = serde_json::from_str(disputed.lines().next().unwrap()).unwrap();
    let lead = place.run(&["disagreements", disputed["case"].as_str().unwrap()]);
    assert!(!lead.stdout.is_empty(), "on what is disputed a lead rules");
}

/// Whatever is missing: every figure is a number or has a reason, on every way out.
#[test]
fn no_figure_is_ever_not_a_number() {
    use casework::domain::label::{Label, MAIN_ROUND};
    use casework::journal::Append;
    use casework::journal::kind::LabelGiven;

    let yes: &[&str] = &["readable=y", "verdict=y", "category=r"];
    let no: &[&str] = &["readable=y", "verdict=n", "corrected=transfer", "category=r"];
    type Given<'g> = (&'g str, &'g str, &'g [&'g str]);
    let situations: [(&str, Vec<Given<'_>>, &str); 5] = [
        ("nothing", vec![], "no task has two labels"),
        ("one reviewer", vec![("p0", "ana", yes), ("p1", "ana", no)], "no task has two labels"),
        (
            "one class",
            vec![("p0", "ana", yes), ("p0", "bo", yes)],
            "everybody always said the same",
        ),
        ("no overlap", vec![("p0", "ana", yes), ("p1", "bo", no)], "no task has two labels"),
        ("one case", vec![("p0", "ana", yes), ("p0", "bo", no)], ""),
    ];
    for outside in [false, true] {
        for (name, given, reason) in &situations {
            let place = Place::new();
            let mut workspace = place.create();
            let lines: String = (0..2)
                .map(|i| line(&format!("p{i}"), &format!("move {i}"), "pay", 0.2, i))
                .collect();
            ingest(&mut workspace, &lines);
            place.ok(&["roster", "admit", "bo", "--role", "reviewer"]);
            place.ok(&[
                "policy",
                "set",
                "on=verdict",
                "overlap=2",
                "limit=2",
                "alert=alpha < 0.5; disagreement > 30",
            ]);
            for (case, who, answers) in given {
                let mut args = vec!["label", case, "--as", who];
                answers.iter().for_each(|answer| args.extend(["--answer", answer]));
                place.ok(&args);
            }
            if outside {
                // As a program that knows no protocol might have written it, and signed it.
                let reference =
                    workspace.protocols().unwrap().for_stream("s").unwrap().reference.clone();
                let case = workspace.find_case("p1").unwrap().id;
                let mut label = Label::empty(case, "ana", MAIN_ROUND, reference);
                label.path = vec![("nowhere".into(), "zz".into())];
                label.outcome = [("verdict".to_owned(), "alien".into())].into();
                workspace.append(vec![Append::new(&LabelGiven(label))]).unwrap();
            }
            drop(workspace);
            let report = place.dir.path().join("report.html");
            for args in [
                &["agreement"][..],
                &["agreement", "--json"],
                &["agreement", "--by-question"],
                &["consensus"],
                &["consensus", "--json"],
                &["disagreements"],
                &["disagreements", "--json"],
                &["disagreements", "--by", "pair"],
                &["disagreements", "--by", "category"],
                &["report", "--json"],
                &["report", "--out", report.to_str().unwrap()],
                &["steady"],
                &["sla", "check"],
                &["rulings"],
            ] {
                let output = place.run(args);
                let said = String::from_utf8(output.stdout).unwrap()
                    + &String::from_utf8(output.stderr).unwrap();
                assert!(
                    output.status.code().is_some_and(|code| code < 4),
                    "{name} {args:?}: {said}"
                );
                assert!(
                    !said.contains("NaN") && !said.contains("panicked"),
                    "{name}, outside {outside}, {args:?}: {said}"
                );
            }
            assert!(!fs::read_to_string(&report).unwrap().contains("NaN"), "{name}");
            let found: Value = serde_json::from_str(&place.ok(&["agreement", "--json"])).unwrap();
            let alpha = &found["krippendorff_alpha"]["nominal"];
            match (reason.is_empty(), outside, *name) {
                (false, false, _) | (false, true, "nothing" | "one reviewer" | "one class") => {
                    assert!(
                        alpha["value"].is_null()
                            && alpha["reason"].as_str().unwrap().contains(reason),
                        "{name}: {alpha}"
                    );
                }
                _ => assert!(alpha["value"].is_f64(), "{name}, outside {outside}: {alpha}"),
            }
            let mut session =
                casework::tui::Review::in_turn(place.open(), (80, 24), || T0, None).unwrap();
            for key in ["D", "2", "3", "4", "5", "6", "7"] {
                session.press(key);
                assert!(!session.text().contains("NaN"), "{name}, {key}: {}", session.text());
            }
        }
    }

    // A file in which all labels are missing.
    let place = Place::new();
    let file = place.dir.path().join("none.csv");
    fs::write(&file, "task,worker,label\na,w,\na,v,\n").unwrap();
    let said = place.ok(&["agreement", file.to_str().unwrap()]);
    assert!(said.contains("none: no task has two labels") && !said.contains("NaN"), "{said}");
    assert_eq!(
        place.run(&["consensus", "--method", "majority", file.to_str().unwrap()]).status.code(),
        Some(1)
    );
}
