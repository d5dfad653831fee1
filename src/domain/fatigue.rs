//! When a reviewer had better take a break: suggestions from how they label. They are said and
//! recorded; nothing is ever refused.

use super::time::Moment;

/// One label in the recent past, the latest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Recent {
    pub at: Moment,
    pub duration_ms: Option<u64>,
    /// What it says in the fields that count.
    pub class: String,
}

/// What was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// Much faster than usual.
    TooFast,
    /// Slower and slower.
    Drifting,
    /// The same answer in a row more often than it comes by chance.
    OneAnswer,
    /// For long without a break.
    NoBreak,
}

impl Guard {
    pub const ALL: [Self; 4] = [Self::TooFast, Self::Drifting, Self::OneAnswer, Self::NoBreak];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooFast => "too_fast",
            Self::Drifting => "drifting",
            Self::OneAnswer => "one_answer",
            Self::NoBreak => "no_break",
        }
    }
}

/// A suggestion with what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub guard: Guard,
    pub words: String,
}

/// Labels that are looked at for pace.
const LATEST: usize = 10;
/// Fewest labels before that, to know what is usual.
const USUAL_MIN: usize = 30;
/// A pause that counts as a break.
pub const BREAK_MS: i64 = 10 * 60_000;
/// How rare a row of one answer must be: once in a thousand.
const RARE: f64 = 0.001;
const ROW_MIN: usize = 8;

/// What to suggest after the latest of these labels, with a break wanted after so many minutes.
pub fn suggestions(recent: &[Recent], break_minutes: u32) -> Vec<Suggestion> {
    let mut found = Vec::new();
    let Some(latest) = recent.first() else { return found };
    let say = |guard, words| Suggestion { guard, words };
    let seconds = |of: &[Recent]| {
        let mut all: Vec<u64> = of.iter().filter_map(|one| one.duration_ms).collect();
        all.sort_unstable();
        (all.len(), all.get(all.len() / 2).copied().unwrap_or_default() as f64 / 1000.0)
    };
    if recent.len() >= LATEST + USUAL_MIN {
        let ((n, now), (of, usual)) = (seconds(&recent[..LATEST]), seconds(&recent[LATEST..]));
        if n == LATEST && of >= USUAL_MIN && usual > 0.0 {
            if now < usual / 3.0 {
                let words = format!(
                    "The last {LATEST} took {now:.0} s each, usually it is {usual:.0} s. Look twice at the next."
                );
                found.push(say(Guard::TooFast, words));
            } else if now > usual * 2.0 {
                let words = format!(
                    "The last {LATEST} took {now:.0} s each, usually it is {usual:.0} s. A break may help."
                );
                found.push(say(Guard::Drifting, words));
            }
        }
    }
    let row = recent.iter().take_while(|one| one.class == latest.class).count();
    let before = &recent[row..];
    if row >= ROW_MIN && before.len() >= USUAL_MIN {
        let share = (before.iter().filter(|one| one.class == latest.class).count() + 1) as f64
            / (before.len() + 2) as f64;
        if share.powi(row as i32) < RARE {
            let words = format!(
                "{row} times in a row “{}”, which is {:.0} % of yours otherwise. Look twice at the next.",
                latest.class,
                share * 100.0
            );
            found.push(say(Guard::OneAnswer, words));
        }
    }
    if break_minutes > 0 {
        let mut since = latest.at;
        for pair in recent.windows(2) {
            // A label's own time is work, not a break.
            let idle = pair[0].at.0 - pair[1].at.0 - pair[0].duration_ms.unwrap_or(0) as i64;
            if idle >= BREAK_MS {
                break;
            }
            since = pair[1].at;
        }
        let minutes = (latest.at.0 - since.0) / 60_000;
        if minutes >= i64::from(break_minutes) {
            found.push(say(
                Guard::NoBreak,
                format!("{minutes} minutes without a break. Ten away from the screen do good."),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Labels, the latest first: seconds between them, what they took, what they say.
    fn labels(list: &[(i64, u64, &str)]) -> Vec<Recent> {
        let mut at = 10_000_000_000;
        let mut found = Vec::new();
        for (apart, took, class) in list {
            found.push(Recent {
                at: Moment(at),
                duration_ms: Some(took * 1000),
                class: (*class).to_owned(),
            });
            at -= apart * 1000;
        }
        found
    }

    fn check(list: &[(i64, u64, &str)], expect: &[Guard]) {
        let guards: Vec<Guard> =
            suggestions(&labels(list), 90).iter().map(|suggestion| suggestion.guard).collect();
        assert_eq!(guards, expect, "{list:?}");
    }

    #[test]
    fn what_is_unusual_is_noticed_and_nothing_else() {
        let usual = |n: usize| -> Vec<(i64, u64, &str)> {
            (0..n).map(|i| (40, 30, if i % 2 == 0 { "x" } else { "y" })).collect()
        };
        check(&[], &[]);
        check(&usual(60), &[]);
        let of = |took: u64, n: usize| -> Vec<(i64, u64, &str)> {
            (0..n).map(|i| (40, took, if i % 2 == 0 { "x" } else { "y" })).collect()
        };
        check(&[of(5, 10), usual(40)].concat(), &[Guard::TooFast]);
        check(&[of(5, 10), usual(10)].concat(), &[]);
        check(&[of(100, 10), usual(40)].concat(), &[Guard::Drifting]);
        check(&[vec![(40, 30, "y"); 12], usual(40)].concat(), &[Guard::OneAnswer]);
        check(&[vec![(40, 30, "y"); 6], usual(40)].concat(), &[]);
        // What nearly always comes may come often in a row.
        let mostly: Vec<(i64, u64, &str)> =
            (0..60).map(|i| (40, 30, if i == 30 { "x" } else { "y" })).collect();
        check(&mostly, &[]);
        check(&usual(200), &[Guard::NoBreak]);
        let mut paused = usual(200);
        paused[50].0 = 1000;
        check(&paused, &[]);
    }
}
