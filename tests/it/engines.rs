//! Traps as a query: the same cases with the same draws and rates come out of engines that hold the
//! predictions as out of `ingest`. Engines are found by `CASEWORK_TEST_PYTHON` (one that has duckdb,
//! chdb or pyspark) and `CASEWORK_TEST_POSTGRES`; what is not there is skipped with a printed line.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Place, server, shared};

const TRAPS: &str = r#"
[defaults]
per_day = 40
[[trap]]
name = "low margin"
where = "margin < 0.1"
[[trap]]
name = "it's flipped"
where = "disagrees && confidence < 0.6"
sample = 0.5
[[trap]]
name = "voice"
where = "input.channel in ['voice', 'web'] && size(text) > 20 && !text.startsWith('can')"
[[trap]]
name = "again"
repeat = { by = ["label", "input.channel"], within = "6h", times = 2 }
[[trap]]
name = "audit"
sample = 0.05
per_day = 0
"#;

const DUCKDB: &str = "
import sys, duckdb
con = duckdb.connect()
con.sql(\"set timezone='UTC'\")
for (line,) in con.sql(sys.stdin.read()).fetchall():
    print(line)
";

const CHDB: &str = "
import sys, chdb
print(chdb.query(sys.stdin.read(), 'JSONEachRow'), end='')
";

const SPARK: &str = "
import sys
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master('local[1]').config('spark.ui.enabled', 'false')
         .config('spark.sql.session.timeZone', 'UTC').config('spark.sql.shuffle.partitions', '1').getOrCreate())
spark.sparkContext.setLogLevel('OFF')
spark.read.json(sys.argv[1]).createOrReplaceTempView('predictions')
for row in spark.sql(sys.stdin.read()).collect():
    print(row.line)
";

/// A case by its id, with its traps, draws and rates.
type Case = (String, Vec<(String, u64, u64)>);

/// What becomes cases: ids, and by which traps with which draws and rates.
fn found(place: &Place) -> Vec<Case> {
    let list = place.run_text(&["queue", "--state", "open", "--json"]);
    let mut workspace = place.open();
    let mut found: Vec<Case> = list
        .lines()
        .map(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            let id = case["id"].as_str().unwrap().to_owned();
            let row = workspace.find_case(&id).unwrap();
            let opened = workspace.open_case(row).unwrap();
            let near = |number: f64| (number * 1e12).round() as u64;
            let why = opened.why.iter().map(|(draw, rate)| {
                (format!("{} {}", draw.trap, draw.version), near(draw.u), near(rate.unwrap()))
            });
            let mut said: Vec<(String, u64, u64)> = why.collect();
            // What stands around it came out with it.
            let near = opened.neighbours.iter().map(|one| (format!("near {}", one.id), 0, 0));
            said.extend(near);
            (id, said)
        })
        .collect();
    // What each trap is said to have drawn itself.
    for row in place.ok(&["traps", "--json"]).lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let rows = row["traps"].as_array().cloned().unwrap_or_else(|| vec![row]);
        for row in rows.iter().filter(|row| row["trap"].is_string()) {
            let drawn = ("drawn".to_owned(), row["opened"].as_u64().unwrap(), 0);
            found.push((format!("trap {}", row["trap"]), vec![drawn]));
        }
    }
    found.sort();
    found
}

fn watching() -> Place {
    let place = Place::new();
    drop(place.create());
    let path = place.dir.path().join("traps.toml");
    fs::write(&path, TRAPS).unwrap();
    place.ok(&["trap", "publish", &path.display().to_string()]);
    place
}

fn taken_in(lines: &str) -> Vec<Case> {
    let place = watching();
    let path = place.dir.path().join("lines.jsonl");
    fs::write(&path, lines).unwrap();
    place.ok(&["ingest", &path.display().to_string()]);
    found(&place)
}

fn query(engine: &str, table: &str) -> String {
    let place = watching();
    let path = place.dir.path().join("traps.toml").display().to_string();
    place.ok(&["trap", "sql", &path, "--engine", engine, "--table", table])
}

/// What a Python program prints of a query; nothing where it lacks a module.
fn python(module: &str, program: &str, query: &str, argument: &str) -> Option<String> {
    let what = format!("traps in {module}");
    let python = server("CASEWORK_TEST_PYTHON", Some(&what))?;
    // Spark runs on Java.
    let needs =
        if module == "pyspark" { "; import shutil; assert shutil.which('java')" } else { "" };
    let import = format!("import {module}{needs}");
    let has = Command::new(&python).args(["-c", &import]).output().unwrap();
    if !has.status.success() {
        eprintln!("skipped {what}: {python} can't `{import}`");
        return None;
    }
    let mut child = Command::new(&python)
        .args(["-c", program, argument])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(query.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{module}: {errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn engines_find_the_cases_that_ingest_finds() {
    let Some(data) = shared("engines_find_the_cases_that_ingest_finds") else { return };
    // PostgreSQL and Spark hold no NUL in a text; the rest is as it came.
    let stream = fs::read_to_string(data.join("stream/stream.jsonl")).unwrap();
    let stream: String =
        stream.lines().filter(|line| !line.contains("\\u0000")).flat_map(|l| [l, "\n"]).collect();
    let expect = taken_in(&stream);
    assert!(expect.len() > 800, "{}", expect.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stream.jsonl");
    fs::write(&file, &stream).unwrap();
    let file = file.display().to_string();
    let table = format!("read_json('{file}', format='newline_delimited')");
    if let Some(lines) = python("duckdb", DUCKDB, &query("duckdb", &table), "") {
        assert!(taken_in(&lines) == expect, "duckdb");
    }
    let table = format!("file('{file}', JSONEachRow)");
    if let Some(lines) = python("chdb", CHDB, &query("clickhouse", &table), "") {
        assert!(taken_in(&lines) == expect, "chdb");
    }
    if let Some(lines) = python("pyspark", SPARK, &query("spark", "predictions"), &file) {
        assert!(taken_in(&lines) == expect, "pyspark");
    }
    in_postgres(&stream, &expect);
}

#[cfg(not(feature = "postgres"))]
fn in_postgres(_: &str, _: &[Case]) {}

#[cfg(feature = "postgres")]
fn in_postgres(stream: &str, expect: &[Case]) {
    let Some(url) = server("CASEWORK_TEST_POSTGRES", Some("traps in postgres")) else { return };
    let mut config: postgres::Config = url.parse().unwrap();
    if let Some(password) = server("PGPASSWORD", None) {
        config.password(password);
    }
    let mut client = config.connect(postgres::NoTls).unwrap();
    client.batch_execute("CREATE TEMP TABLE predictions (line jsonb)").unwrap();
    for line in stream.lines() {
        client
            .execute("INSERT INTO predictions SELECT CAST(CAST($1 AS text) AS jsonb)", &[&line])
            .unwrap();
    }
    let lines: String = client
        .simple_query(&query("postgres", "predictions"))
        .unwrap()
        .into_iter()
        .filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => Some(format!("{}\n", row.get(0).unwrap())),
            _ => None,
        })
        .collect();
    assert!(taken_in(&lines) == expect, "postgres");
}

const PROMETHEUS: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for sample in family.samples:
        print(sample.name, sample.labels.get('trap', sample.labels.get('state', '')), sample.value)
";

#[test]
fn what_monitoring_is_told_is_read_by_the_client_of_prometheus() {
    let place = watching();
    let lines: String =
        (0..60).map(|n| crate::support::line(&format!("p{n}"), "some text", "x", 0.5, n)).collect();
    let traps =
        "[[trap]]\nname = \"all \\\"of\\\" them\"\nwhere = \"confidence < 0.9\"\nper_day = 40\n";
    let traps_path = place.dir.path().join("t.toml");
    fs::write(&traps_path, traps).unwrap();
    place.ok(&["trap", "publish", &traps_path.display().to_string()]);
    let path = place.dir.path().join("lines.jsonl");
    fs::write(&path, lines).unwrap();
    place.ok(&["ingest", &path.display().to_string()]);
    let out = place.dir.path().join("casework.prom");
    place.ok(&["metrics", "--out", &out.display().to_string()]);
    let text = fs::read_to_string(&out).unwrap();
    assert_eq!(text, place.ok(&["metrics"]));
    assert!(
        text.contains("casework_trap_flagged_total{trap=\"all \\\"of\\\" them\",version=\""),
        "{text}"
    );
    let Some(read) = python("prometheus_client", PROMETHEUS, &text, "") else { return };
    for expect in [
        "casework_cases open 40",
        "casework_cases unsampled 0",
        "casework_trap_seen_total all \"of\" them 60",
    ] {
        assert!(read.contains(expect), "{expect} in {read}");
    }
}
