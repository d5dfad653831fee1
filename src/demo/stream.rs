//! The desk's messages as a stream of predictions, with the logs of the services that made them.

use std::collections::HashMap;

use serde_json::json;

use super::sentences::{BY_LABEL, DAYS, OTHER_LANGUAGE, OUT_OF_SCOPE, PLACES, UNREADABLE};
use crate::domain::random::SplitMix64;
use crate::domain::time::Moment;

/// What a message really is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    Label(&'static str),
    OutOfScope,
    OtherLanguage,
    Unreadable,
}

/// Some hours of the desk.
#[derive(Debug, Default)]
pub struct Made {
    /// JSON lines of predictions.
    pub stream: String,
    /// JSON lines of the gateway.
    pub gateway: String,
    /// logfmt of the router.
    pub router: String,
    pub truths: HashMap<String, Truth>,
}

/// How often the desk is asked for what it does not handle.
const OUT_OF_SCOPE_SHARE: f64 = 0.10;

/// Makes `count` messages that end at `end`, `gap_ms` apart on average.
pub fn make(seed: u64, count: usize, end: Moment, gap_ms: i64) -> Made {
    make_with(seed, (count, count), end, gap_ms)
}

/// The same with something new: from the middle on, half of the messages ask for what the desk does
/// not handle.
pub fn wave(seed: u64, count: usize, end: Moment, gap_ms: i64) -> Made {
    make_with(seed, (count, count / 2), end, gap_ms)
}

fn make_with(seed: u64, (count, usual): (usize, usize), end: Moment, gap_ms: i64) -> Made {
    let mut dice = SplitMix64::new(seed);
    let mut made = Made::default();
    let mut at = end.0 - count as i64 * gap_ms;
    let mut session = 0;
    for i in 0..count {
        at += (dice.between(0.2, 1.8) * gap_ms as f64) as i64;
        if i == 0 || dice.chance(0.6) {
            session = dice.roll() & 0xff_ffff;
        }
        message(
            &mut dice,
            &mut made,
            &format!("msg-{:04x}-{i:04}", seed & 0xffff),
            (Moment(at), session),
            if i < usual { OUT_OF_SCOPE_SHARE } else { 0.5 },
        );
    }
    made
}

fn message(
    dice: &mut SplitMix64,
    made: &mut Made,
    id: &str,
    (at, session): (Moment, u64),
    out_of_scope: f64,
) {
    let (truth, mut text) = match dice.share() {
        x if x < out_of_scope => (Truth::OutOfScope, (*dice.pick(OUT_OF_SCOPE)).to_owned()),
        x if x < out_of_scope + 0.03 => {
            (Truth::OtherLanguage, (*dice.pick(OTHER_LANGUAGE)).to_owned())
        }
        x if x < out_of_scope + 0.06 => (Truth::Unreadable, (*dice.pick(UNREADABLE)).to_owned()),
        _ => {
            let (label, sentences) = dice.pick(BY_LABEL);
            (Truth::Label(label), (*dice.pick(sentences)).to_owned())
        }
    };
    text = text.replace("{n}", &format!("PX{:05}", dice.below(100_000)));
    text = text.replace("{p}", dice.pick(PLACES).as_ref()).replace("{d}", dice.pick(DAYS).as_ref());
    let misspelt = matches!(truth, Truth::Label(_)) && dice.chance(0.18);
    if misspelt {
        text = swap_letters(dice, &text);
    }
    let (label, confidence) = guess(dice, &truth, misspelt);
    let top_k = candidates(dice, label, confidence);
    let rival = if dice.chance(if confidence < 0.5 { 0.45 } else { 0.08 }) {
        dice.pick(&top_k).0
    } else {
        label
    };
    let rival_p = dice.between(0.2, 0.9);
    let trace = format!("{:016x}{:016x}", dice.roll(), dice.roll());
    let latency = dice.between(8.0, 40.0);
    let unknown = if misspelt || !matches!(truth, Truth::Label(_)) { dice.below(4) + 1 } else { 0 };
    let words: Vec<&str> = text.split_whitespace().collect();
    let features: Vec<_> = words
        .iter()
        .take(5)
        .map(|word| json!({ "feature": word, "weight": rounded(dice.between(-0.4, 2.2)) }))
        .collect();
    let line = json!({
        "id": id, "occurred_at": at.rfc3339(), "stream": "parcel-desk", "source": *dice.pick(&["chat", "mail", "phone"]),
        "trace_id": trace, "model": { "name": "router", "version": "2.3" },
        "input": { "text": text, "session_id": format!("s{session:06x}"), "channel": *dice.pick(&["web", "app"]) },
        "prediction": { "label": label, "confidence": rounded(confidence), "top_k": pairs(&top_k) },
        "challenger": { "model": { "name": "router", "version": "3.0-rc1" }, "label": rival, "confidence": rounded(rival_p),
                        "top_k": [{ "label": rival, "p": rounded(rival_p) }] },
        "feature_importance": features, "latency_ms": rounded(latency),
    });
    made.stream.push_str(&format!("{line}\n"));
    made.truths.insert(id.to_owned(), truth);
    logs(dice, made, at, &trace, text.len(), words.len(), unknown, label, confidence, latency);
}

#[expect(clippy::too_many_arguments, reason = "a log line says much")]
fn logs(
    dice: &mut SplitMix64,
    made: &mut Made,
    at: Moment,
    trace: &str,
    bytes: usize,
    words: usize,
    unknown: usize,
    label: &str,
    p: f64,
    latency: f64,
) {
    let later = |ms: f64| Moment(at.0 + ms as i64).rfc3339();
    let gateway = |event: serde_json::Value| format!("{event}\n");
    made.gateway += &gateway(
        json!({ "ts": later(0.0), "level": "info", "service": "gateway", "event": "received", "trace_id": trace, "bytes": bytes }),
    );
    made.router += &format!(
        "ts={} level=info svc=router trace_id={trace} msg=tokenized words={words} unknown={unknown}\n",
        later(1.0)
    );
    if unknown > 2 {
        made.router += &format!(
            "ts={} level=warn svc=router trace_id={trace} msg=\"many unknown words\" unknown={unknown}\n",
            later(2.0)
        );
    }
    if dice.chance(0.04) {
        made.router += &format!(
            "ts={} level=error svc=router trace_id={trace} msg=\"history lookup failed\" after_ms=250\n",
            later(3.0)
        );
    }
    made.router += &format!(
        "ts={} level=info svc=router trace_id={trace} msg=routed label={label} p={p:.3}\n",
        later(latency)
    );
    made.gateway += &gateway(
        json!({ "ts": later(latency + 1.0), "level": "info", "service": "gateway", "event": "answered", "trace_id": trace, "status": 200 }),
    );
}

/// What the router says, and how sure it is.
fn guess(dice: &mut SplitMix64, truth: &Truth, misspelt: bool) -> (&'static str, f64) {
    let any = dice.pick(BY_LABEL).0;
    match truth {
        Truth::Label(label) if misspelt && dice.chance(0.5) => {
            (if dice.chance(0.5) { any } else { label }, dice.between(0.15, 0.5))
        }
        Truth::Label(label) if dice.chance(0.94) => (label, dice.between(0.5, 0.99)),
        Truth::Label(_) => (any, dice.between(0.2, 0.6)),
        _ => (any, dice.between(0.08, 0.5)),
    }
}

fn candidates(
    dice: &mut SplitMix64,
    label: &'static str,
    confidence: f64,
) -> Vec<(&'static str, f64)> {
    let mut list = vec![(label, confidence)];
    let mut left = 1.0 - confidence;
    while list.len() < 4 {
        let other = dice.pick(BY_LABEL).0;
        if list.iter().all(|(known, _)| *known != other) {
            let p = (left * dice.between(0.2, 0.6)).min(confidence * 0.98);
            left -= p;
            list.push((other, p));
        }
    }
    list.sort_by(|a, b| b.1.total_cmp(&a.1));
    list
}

fn pairs(list: &[(&str, f64)]) -> Vec<serde_json::Value> {
    list.iter().map(|(label, p)| json!({ "label": label, "p": rounded(*p) })).collect()
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn swap_letters(dice: &mut SplitMix64, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..3 {
        let at = dice.below(letters.len().saturating_sub(1).max(1));
        if letters.get(at + 1).is_some_and(|next| next.is_alphabetic())
            && letters[at].is_alphabetic()
        {
            letters.swap(at, at + 1);
        }
    }
    letters.into_iter().collect()
}
