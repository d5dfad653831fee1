//! `casework trace`: from any id to what led to it and what came of it.

use serde_json::json;

use super::out::Out;
use super::{CliError, Context, Exit};
use crate::domain::text::json_for_output;
use crate::retrain::lineage::{draw, prov};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A case or prediction, a label, a ruling, a row of a cut, a cut, run, gate, deployment, alarm
    #[arg(value_name = "ID")]
    id: String,
    /// In the form of another program: dot, mermaid, openlineage, prov or mlflow
    #[arg(long, value_name = "F", value_parser = ["dot", "mermaid", "openlineage", "prov", "mlflow"])]
    format: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.read()?;
    let lineage = workspace.lineage(&args.id)?;
    let mut out = Out::new();
    match args.format.as_deref() {
        Some("dot") => out.raw(&draw::dot(&lineage))?,
        Some("mermaid") => out.raw(&draw::mermaid(&lineage))?,
        Some("prov") => {
            let id = workspace.id()?.to_string();
            let text =
                serde_json::to_string_pretty(&prov::document(&lineage, &id)).unwrap_or_default();
            out.raw(&format!("{}\n", json_for_output(&text)))?;
        }
        Some(other) => {
            for event in workspace.lineage_events(&lineage, other == "mlflow")? {
                out.json(&event)?;
            }
        }
        None if context.global.json => {
            out.json(
                &json!({ "focus": lineage.focus, "nodes": lineage.nodes, "edges": lineage.edges }),
            )?;
        }
        None => {
            for row in lineage.tree() {
                out.line(&lineage.words(&row))?;
            }
        }
    }
    out.finish()?;
    Ok(Exit::Done)
}
