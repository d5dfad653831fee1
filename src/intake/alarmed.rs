//! Rows as alarms see them, and what is told of an alarm that they raise.

use std::borrow::Cow;
use std::sync::Arc;

use super::draw::key_of;
use super::redact::Redact;
use super::scan::{Seen, drawn_line};
use super::window::Matured;
use crate::domain::ids::CaseId;
use crate::journal::kind::{AlarmRaised, AlarmWindow};
use crate::trap::alarm::{self, Alarms, Raised, Watched};

/// Lets alarms look at the next row; gives those that it raises.
pub fn watch(alarms: &mut Alarms, seen: &Seen) -> Vec<Raised> {
    if alarms.is_empty() {
        return Vec::new();
    }
    alarms.take(&alarm::Row {
        stream: seen.stream(),
        at: seen.at,
        line: seen.raw(),
        number: seen.number,
        u: key_of(CaseId::of(seen.stream(), seen.id())),
        watched: &seen.watched,
    })
}

/// Cases of an alarm's window; their neighbours are not known any more.
pub fn drawn_cases(raised: &Raised) -> Vec<Matured> {
    let one = |(number, line): &(u64, String)| {
        let seen = drawn_line(*number, line, &raised.alarm)?;
        Some(Matured { seen: Arc::new(seen), neighbours: Vec::new() })
    };
    raised.drawn.iter().filter_map(one).collect()
}

/// What is told of an alarm.
pub fn raised_event(raised: &Raised) -> AlarmRaised {
    let case = |matured: &Matured| CaseId::of(matured.seen.stream(), matured.seen.id());
    AlarmRaised {
        alarm: raised.alarm.clone(),
        version: raised.version.clone(),
        stream: raised.stream.clone(),
        by: raised.by.clone(),
        window: AlarmWindow { from: raised.from, to: raised.to, rows: raised.rows },
        statistic: raised.statistic,
        effect: raised.effect,
        p: raised.p,
        before: raised.before,
        now: raised.now,
        cases: drawn_cases(raised).iter().map(case).collect(),
    }
}

/// Takes out of what alarms tell in clear what is to be redacted. A canary's text, which goes with
/// what was said of it, is only compared by its hash.
pub fn clean(watched: &mut Watched, redact: &Redact) {
    let Watched { text, by, .. } = watched;
    let told = if by.is_some() { by } else { text };
    if let Some(value) = told
        && let Cow::Owned(clean) = redact.text(value)
    {
        *value = clean.into();
    }
}
