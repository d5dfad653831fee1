//! Rows as alarms see them, and what is told of an alarm that they raise.

use std::borrow::Cow;
use std::sync::Arc;

use super::draw::key_of;
use super::redact::Redact;
use super::scan::{Seen, lone_line};
use super::window::Matured;
use crate::domain::ids::CaseId;
use crate::domain::time::Moment;
use crate::journal::kind::{AlarmRaised, AlarmWindow};
use crate::trap::alarm::{self, Alarms, Drawn, Level, Raised, Watched};

/// Lets alarms look at the next row; gives those that are raised.
pub fn watch(alarms: &mut Alarms, seen: &Seen, now: Moment) -> Vec<Raised> {
    if alarms.is_empty() {
        return Vec::new();
    }
    let row = alarm::Row {
        stream: seen.stream(),
        at: seen.at,
        line: seen.raw(),
        number: seen.number,
        u: key_of(CaseId::of(seen.stream(), seen.id())),
        watched: &seen.watched,
    };
    alarms.take(&row, now)
}

/// What is told of an alarm, and the cases of its window, with up to so many neighbours on each side.
pub fn told(raised: Raised, each_side: usize) -> (AlarmRaised, Vec<Matured>) {
    let one = |drawn: &Drawn| {
        let mut seen = lone_line(drawn.number, &drawn.line)?;
        seen.flags = Some(vec![raised.alarm.clone()]);
        seen.alarm = Some(raised.alarm.as_str().into());
        let around = drawn.around.iter();
        let around: Vec<Arc<Seen>> =
            around.filter_map(|(number, line)| lone_line(*number, line)).map(Arc::new).collect();
        Some(Matured::among(&seen, around.iter(), each_side))
    };
    let drawn: Vec<Matured> = raised.drawn.iter().filter_map(one).collect();
    let case = |matured: &Matured| CaseId::of(matured.seen.stream(), matured.seen.id());
    let event = AlarmRaised {
        alarm: raised.alarm,
        version: raised.version,
        level: (raised.level == Level::Warning).then(|| "warning".to_owned()),
        stream: raised.stream,
        by: raised.by,
        window: AlarmWindow { from: raised.from, to: raised.to, rows: raised.rows },
        statistic: raised.statistic,
        effect: raised.effect,
        p: raised.p,
        before: raised.before,
        now: raised.now,
        cases: drawn.iter().map(case).collect(),
    };
    (event, drawn)
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
