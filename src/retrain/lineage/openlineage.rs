//! Runs as OpenLineage events (<https://openlineage.io>), and as the bodies of MLflow's requests.
//! They are written to a file: nothing here talks to a server.

use serde_json::{Value, json};

use crate::domain::ids::uuid8;
use crate::domain::time::Moment;
use crate::journal::kind::{DatasetCut, RunRecorded};
use crate::retrain::gate::{Line, Verdict};

const PRODUCER: &str = concat!("urn:casework:", env!("CARGO_PKG_VERSION"));
const EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// A run with all that is told of it.
pub struct Told<'t> {
    pub workspace: &'t str,
    pub run: &'t RunRecorded,
    pub cut: Option<&'t DatasetCut>,
    pub gate: Option<&'t [Line]>,
}

fn facet(schema: &str, name: &str, mut fields: Value) -> Value {
    fields["_producer"] = json!(PRODUCER);
    fields["_schemaURL"] =
        json!(format!("https://openlineage.io/spec/facets/{schema}/{name}.json#/$defs/{name}"));
    fields
}

fn namespace(workspace: &str) -> String {
    format!("casework:{}", workspace.get(..16).unwrap_or(workspace))
}

fn version(of: &str) -> Value {
    json!({ "version": facet("1-0-1", "DatasetVersionDatasetFacet", json!({ "datasetVersion": of })) })
}

fn event(
    kind: &str,
    at: Moment,
    workspace: &str,
    run: Value,
    job: (&str, &str),
    inputs: Vec<Value>,
    outputs: Vec<Value>,
) -> Value {
    let (name, job_type) = job;
    let facets = json!({ "jobType": facet("2-0-4", "JobTypeJobFacet", json!({
        "processingType": "BATCH", "integration": "CASEWORK", "jobType": job_type })) });
    json!({ "eventType": kind, "eventTime": at.rfc3339(), "producer": PRODUCER, "schemaURL": EVENT, "run": run,
        "job": { "namespace": namespace(workspace), "name": name, "facets": facets }, "inputs": inputs, "outputs": outputs })
}

fn cut_dataset(workspace: &str, cut: &DatasetCut) -> Value {
    json!({ "namespace": namespace(workspace), "name": format!("cut/{}", cut.name), "facets": version(&format!("b3:{}", cut.cut)) })
}

/// The events of a cut: it began and ended at once.
pub fn of_cut(workspace: &str, cut: &DatasetCut, at: Moment) -> Vec<Value> {
    let id = uuid8(cut.cut);
    let name = format!("cut.{}", cut.name);
    let job = (name.as_str(), "CUT");
    let bytes: u64 = cut.files.iter().map(|file| file.bytes).sum();
    let mut output = cut_dataset(workspace, cut);
    output["outputFacets"] = json!({ "outputStatistics": facet("1-0-2", "OutputStatisticsOutputDatasetFacet",
        json!({ "rowCount": cut.rows, "size": bytes, "fileCount": cut.files.len() })) });
    vec![
        event("START", at, workspace, json!({ "runId": id }), job, vec![], vec![]),
        event("COMPLETE", at, workspace, json!({ "runId": id }), job, vec![], vec![output]),
    ]
}

/// The events of a run: that it began, and how it ended.
pub fn of_run(told: &Told<'_>) -> Vec<Value> {
    let run = told.run;
    let inputs: Vec<Value> = told.cut.iter().map(|cut| cut_dataset(told.workspace, cut)).collect();
    let job = (run.pipeline.as_str(), "RUN");
    let start = event(
        "START",
        run.began,
        told.workspace,
        json!({ "runId": run.run }),
        job,
        inputs.clone(),
        vec![],
    );
    let kind = match run.state.as_str() {
        "done" | "recorded" => "COMPLETE",
        "interrupted" | "stopped" => "ABORT",
        _ => "FAIL",
    };
    let mut facets = json!({});
    if !run.why.is_empty() && kind != "COMPLETE" {
        facets["errorMessage"] = facet(
            "1-0-1",
            "ErrorMessageRunFacet",
            json!({ "message": run.why, "programmingLanguage": "any" }),
        );
    }
    if let Some(lines) = told.gate {
        let tests: Vec<Value> = lines
            .iter()
            .map(|line| {
                let status = match line.verdict {
                    Verdict::Pass => "pass",
                    Verdict::Fail => "fail",
                    Verdict::CannotTell => "skip",
                };
                json!({ "name": format!("{} {}", line.kind, line.slice), "status": status, "severity": "error",
                    "type": line.kind, "actual": line.why })
            })
            .collect();
        facets["test"] = facet("1-0-1", "TestRunFacet", json!({ "tests": tests }));
    }
    let output = |file: &crate::journal::kind::RunFile| {
        json!({ "namespace": namespace(told.workspace), "name": format!("run/{}/{}", run.run, file.path),
            "facets": version(&format!("sha256:{}", file.sha256)),
            "outputFacets": { "outputStatistics": facet("1-0-2", "OutputStatisticsOutputDatasetFacet",
                json!({ "size": file.bytes, "fileCount": 1 })) } })
    };
    let outputs = run.outs.iter().map(output).collect();
    let body = json!({ "runId": run.run, "facets": facets });
    vec![start, event(kind, run.ended, told.workspace, body, job, inputs, outputs)]
}

/// What MLflow is told of a run: the bodies of `runs/log-inputs` and `runs/log-batch`.
pub fn mlflow(told: &Told<'_>) -> Vec<Value> {
    let run = told.run;
    let mut bodies = Vec::new();
    if let Some(cut) = told.cut {
        let source =
            json!({ "cut": cut.cut, "name": cut.name, "version": cut.version }).to_string();
        let profile = json!({ "num_rows": cut.rows }).to_string();
        let digest = cut.cut.to_string();
        bodies.push(json!({ "request": "runs/log-inputs", "body": { "run_id": run.run, "datasets": [{
            "tags": [{ "key": "mlflow.data.context", "value": "training" }],
            "dataset": { "name": cut.name, "digest": &digest[..32], "source_type": "casework", "source": source, "profile": profile } }] } }));
    }
    let at = run.ended.0;
    let metrics: Vec<Value> = run
        .metrics
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value, "timestamp": at, "step": 0 }))
        .collect();
    let mut params = vec![json!({ "key": "pipeline", "value": run.pipeline })];
    params.extend(run.seed.map(|seed| json!({ "key": "seed", "value": seed.to_string() })));
    let mut tags = vec![
        json!({ "key": "casework.state", "value": run.state }),
        json!({ "key": "casework.sandbox", "value": run.sandbox }),
    ];
    tags.extend(
        run.code
            .as_ref()
            .map(|code| json!({ "key": "mlflow.source.git.commit", "value": code.commit })),
    );
    bodies.push(json!({ "request": "runs/log-batch", "body": { "run_id": run.run, "metrics": metrics, "params": params, "tags": tags } }));
    bodies
}
