//! A validator: a label that says the model was wrong says why. It needs `serde_json`.
use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

fn problems(label: &Value) -> Vec<Value> {
    let wrong =
        label["outcome"]["verdict"].as_str().is_some_and(|verdict| verdict != "model_correct");
    let silent = label["rationale"].as_str().is_none_or(|words| words.trim().len() < 10);
    let problem = json!({ "what": "say why the model was wrong, in ten letters or more", "severity": "error" });
    if wrong && silent { vec![problem] } else { Vec::new() }
}

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let said = match (asked.get("casework"), asked.get("end")) {
            (Some(_), _) => {
                json!({ "plugin": "says-why", "version": "1.0", "casework": 1, "deterministic": true })
            }
            (None, Some(_)) => break,
            (None, None) => json!({ "n": asked["n"], "problems": problems(&asked["label"]) }),
        };
        writeln!(io::stdout().lock(), "{said}")?;
    }
    Ok(())
}
