//! Figures of a run, as its programs write them.

use std::collections::BTreeMap;

use serde_json::Value;

/// Reads figures; what stands in objects inside is named by its path: `slices.oos.accuracy`.
pub fn metrics_of(text: &str) -> Result<BTreeMap<String, f64>, String> {
    fn take(name: &str, value: &Value, into: &mut BTreeMap<String, f64>) {
        match value {
            Value::Number(number) => {
                into.extend(number.as_f64().map(|number| (name.to_owned(), number)));
            }
            // Some programs write every figure as text.
            Value::String(text) => {
                let figure = text.trim().parse::<f64>().ok().filter(|figure| figure.is_finite());
                into.extend(figure.map(|figure| (name.to_owned(), figure)));
            }
            Value::Object(object) => {
                for (key, value) in object {
                    let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                    take(&inner, value, into);
                }
            }
            _ => {}
        }
    }
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if !value.is_object() {
        return Err("it is no object".to_owned());
    }
    let mut metrics = BTreeMap::new();
    take("", &value, &mut metrics);
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_named_by_where_they_stand() {
        let found =
            metrics_of("{\"accuracy\":0.8,\"slices\":{\"oos\":{\"rows\":5}},\"name\":\"x\"}")
                .unwrap();
        let found: Vec<(String, f64)> = found.into_iter().collect();
        assert_eq!(found, [("accuracy".to_owned(), 0.8), ("slices.oos.rows".to_owned(), 5.0)]);
        assert_eq!(metrics_of("{\"f1\":\"0.9\",\"by\":\"nan\"}").unwrap()["f1"], 0.9);
        assert!(metrics_of("[1]").is_err() && metrics_of("{").is_err());
    }
}
