//! The pace of frames on a slow line: every so often the terminal is asked whether it has all that was
//! written, and while much is on its way nothing is drawn. What a key did is then on the screen after
//! that much's time, and not after all that was drawn since.
//!
//! ```text
//!  frames of 1 KB together, CSI 5 n ──▶ more than 2 KB are on their way ──▶ nothing is drawn
//!                                             │                              │ CSI 0 n
//!                                             │                              ▼
//!                                             │                    the newest state is drawn
//!                                             └──2 s, and it never answered──▶ never asked again
//! ```

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::clock;

/// Asks the terminal how it is; every one answers, after what came before.
pub const ARE_YOU_THERE: &[u8] = b"\x1b[5n";
/// After so many bytes it is asked.
const ASKED_EVERY: usize = 1_024;
/// So many bytes may be on their way while more are drawn: a quarter of a second at 64 kbit/s, and
/// several moves of the cursor where each way takes long.
const ON_THE_WAY: usize = 2_048;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// An answer that takes longer is from far away.
const FAR: Duration = Duration::from_millis(150);
/// Bytes of a picture: of the smallest that shows anything, far away, and at all.
const PICTURE_MIN: usize = 6_000;
const PICTURE_FAR: usize = 30_000;
const PICTURE_MAX: usize = 300_000;

/// What is left of what a line carried, with each answer after it.
const FORGETS: f64 = 0.7;

/// What is known of how far behind the terminal is.
#[derive(Debug)]
pub struct Pace {
    /// Whether it is asked at all.
    asks: bool,
    /// When it was asked and has not answered, each with the bytes before it since the last.
    asked: VecDeque<(Instant, usize)>,
    /// Bytes since then.
    since: usize,
    answered: bool,
    /// How long it took to answer last.
    took: Option<Duration>,
    /// Bytes a second that the line carried lately: at least, for an answer comes a whole way later
    /// than what it answers.
    carried: f64,
}

impl Pace {
    pub fn new(asks: bool) -> Self {
        Self { asks, asked: VecDeque::new(), since: 0, answered: false, took: None, carried: 0.0 }
    }

    /// Whether it is to be asked after a frame of so many bytes.
    pub fn asks_after(&mut self, bytes: usize) -> bool {
        self.since += bytes;
        let asks = self.asks && self.since >= ASKED_EVERY;
        if asks {
            self.asked.push_back((clock::instant(), std::mem::take(&mut self.since)));
        }
        asks
    }

    /// Takes in its answer.
    pub fn answer(&mut self) {
        if let Some((asked, bytes)) = self.asked.pop_front() {
            let took = asked.elapsed();
            let carried = bytes as f64 / took.as_secs_f64().max(1e-6);
            // The best of the last few.
            (self.carried, self.took) = (carried.max(self.carried * FORGETS), Some(took));
        }
        self.answered = true;
    }

    /// Whether an answer may still come.
    pub fn is_asked(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether it answers what it is asked.
    pub fn answers(&self) -> bool {
        self.answered
    }

    /// Bytes that a picture may take: what the line carried lately in two seconds, within bounds; few,
    /// where that is not known or answers take long.
    pub fn picture_bytes(&self) -> usize {
        let Some(took) = self.took else { return PICTURE_FAR };
        let most = if took > FAR { PICTURE_FAR } else { PICTURE_MAX };
        ((self.carried * 2.0) as usize).clamp(PICTURE_MIN, most)
    }

    /// How long the next frame waits at most; nothing if it need not.
    pub fn wait(&mut self) -> Option<Duration> {
        let left = PATIENCE.saturating_sub(self.asked.front()?.0.elapsed());
        if left.is_zero() {
            self.asked.clear();
            // One that never answers has nothing to say.
            self.asks = self.answered;
            return None;
        }
        let on_the_way: usize = self.asked.iter().map(|(_, bytes)| bytes).sum();
        (on_the_way > ON_THE_WAY).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_waits_while_much_is_on_its_way() {
        let mut pace = Pace::new(true);
        assert!(!pace.asks_after(ASKED_EVERY - 1));
        assert_eq!(pace.wait(), None);
        assert!(pace.asks_after(1), "small frames come to much together");
        assert_eq!(pace.wait(), None, "not so much yet");
        assert!(pace.asks_after(ON_THE_WAY));
        assert!(pace.wait().is_some());
        pace.answer();
        assert_eq!(pace.wait(), None, "what is left is little");
        assert!(pace.is_asked());
        pace.answer();
        assert!(!pace.is_asked() && pace.answers());
    }

    #[test]
    fn who_never_answers_is_not_asked_again() {
        let mut pace = Pace::new(true);
        assert!(pace.asks_after(9_000));
        pace.asked[0].0 = clock::instant().checked_sub(PATIENCE).unwrap();
        assert_eq!(pace.wait(), None);
        assert!(!pace.asks_after(9_000));
        assert!(!Pace::new(false).asks_after(9_000));
    }

    #[test]
    fn a_picture_takes_what_the_line_carries() {
        let mut pace = Pace::new(true);
        assert_eq!(pace.picture_bytes(), PICTURE_FAR, "nothing is known yet");
        let after = |pace: &mut Pace, bytes: usize, took: u64| {
            pace.asks_after(bytes);
            let asked = clock::instant().checked_sub(Duration::from_millis(took)).unwrap();
            pace.asked[0].0 = asked;
            pace.answer();
            pace.picture_bytes()
        };
        assert!((7_000..=8_000).contains(&after(&mut pace, 4_000, 1_000)), "two seconds of it");
        assert_eq!(after(&mut pace, 40_000, 1), PICTURE_MAX);
        assert_eq!(after(&mut pace, 60_000, 300), PICTURE_FAR, "far, though it carries much");
    }
}
