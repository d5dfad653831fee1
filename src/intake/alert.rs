//! What a monitoring system says when it rings: the body that Alertmanager sends to a webhook
//! (version 4). Each alert is a window of the stream, and a rule that takes what occurred in it.

use serde::Deserialize;

use crate::domain::time::Moment;

/// A window in which something was amiss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertWindow {
    /// What cases are flagged with.
    pub name: String,
    /// What takes a prediction of the window.
    pub rule: String,
}

#[derive(Deserialize)]
struct Body {
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    #[serde(default)]
    labels: std::collections::BTreeMap<String, String>,
    starts_at: String,
    #[serde(default)]
    ends_at: String,
}

/// Reads the alerts of a body, those that are over too.
///
/// # Errors
/// What is wrong with it.
pub fn windows(body: &str) -> Result<Vec<AlertWindow>, String> {
    let body: Body = serde_json::from_str(body)
        .map_err(|error| format!("it is no body of Alertmanager's webhook: {error}"))?;
    if body.alerts.is_empty() {
        return Err("it holds no alert".to_owned());
    }
    body.alerts.iter().map(window).collect()
}

fn window(alert: &Alert) -> Result<AlertWindow, String> {
    let time =
        |text: &str| Moment::parse(text).ok_or_else(|| format!("`{text}` is not an RFC 3339 time"));
    let from = time(&alert.starts_at)?;
    let mut rule = format!("timestamp(occurred_at) >= timestamp('{}')", from.rfc3339());
    // One that goes on has an end long ago, or none.
    if !alert.ends_at.is_empty() {
        let to = time(&alert.ends_at)?;
        if to > from {
            rule.push_str(&format!(" && timestamp(occurred_at) <= timestamp('{}')", to.rfc3339()));
        }
    }
    if let Some(stream) = alert.labels.get("stream") {
        let quoted = stream.replace('\\', "\\\\").replace('\'', "\\'");
        rule.push_str(&format!(" && stream == '{quoted}'"));
    }
    let name = alert.labels.get("alertname").map_or("unnamed", String::as_str);
    Ok(AlertWindow { name: format!("alert {name}"), rule })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_windows_of_the_stream() {
        let body = r#"{"version":"4","status":"firing","alerts":[
            {"status":"firing","labels":{"alertname":"HighErrors","stream":"d'or"},"startsAt":"2026-06-01T08:00:00Z","endsAt":"0001-01-01T00:00:00Z"},
            {"status":"resolved","labels":{},"startsAt":"2026-06-01T08:00:00Z","endsAt":"2026-06-01T09:00:00+00:00"}]}"#;
        let found = windows(body).unwrap();
        assert_eq!(found[0].name, "alert HighErrors");
        assert_eq!(
            found[0].rule,
            "timestamp(occurred_at) >= timestamp('2026-06-01T08:00:00.000Z') && stream == 'd\\'or'"
        );
        assert!(
            found[1].rule.ends_with("<= timestamp('2026-06-01T09:00:00.000Z')"),
            "{}",
            found[1].rule
        );
        assert!(windows("{}").is_err() && windows("{\"alerts\":[]}").is_err());
        assert!(
            windows(&body.replace("2026-06-01T08", "yesterday")).unwrap_err().contains("yesterday")
        );
    }
}
