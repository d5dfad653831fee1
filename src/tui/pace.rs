//! The pace of large frames on a slow line: after one the terminal is asked whether it has it, and the
//! next is drawn when it says so. What a key did is then on the screen after one frame's time, and not
//! after those of all that were drawn since.
//!
//! ```text
//!  frame > 2 KB, CSI 5 n ──▶ nothing is drawn ──CSI 0 n──▶ the newest state is drawn
//!                                   └──2 s, and it never answered──▶ never asked again
//! ```

use std::time::{Duration, Instant};

use crate::clock;

/// Asks the terminal how it is; every one answers, after what came before.
pub const ARE_YOU_THERE: &[u8] = b"\x1b[5n";
/// Smaller frames are on their way before anybody could wait for them.
const LARGE: usize = 2_048;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer that takes longer is from far away.
const FAR: Duration = Duration::from_millis(150);
/// Bytes of a picture: of the smallest that shows anything, far away, and at all.
const PICTURE_MIN: usize = 6_000;
const PICTURE_FAR: usize = 30_000;
const PICTURE_MAX: usize = 300_000;

/// What is known of how far behind the terminal is.
#[derive(Debug)]
pub struct Pace {
    /// Whether it is asked at all.
    asks: bool,
    asked: Option<Instant>,
    answered: bool,
    /// Bytes of the frame after which it was asked.
    bytes: usize,
    /// How many bytes it had taken in how long, when it answered last.
    took: Option<(usize, Duration)>,
}

impl Pace {
    pub fn new(asks: bool) -> Self {
        Self { asks, asked: None, answered: false, bytes: 0, took: None }
    }

    /// Whether it is to be asked after a frame of so many bytes.
    pub fn asks_after(&mut self, bytes: usize) -> bool {
        let asks = self.asks && bytes > LARGE;
        if asks {
            (self.asked, self.bytes) = (Some(clock::instant()), bytes);
        }
        asks
    }

    /// Takes in its answer.
    pub fn answer(&mut self) {
        if let Some(asked) = self.asked {
            self.took = Some((self.bytes, asked.elapsed()));
        }
        (self.asked, self.answered) = (None, true);
    }

    /// Bytes that a picture may take: what the line carried lately in two seconds, within bounds; few,
    /// where that is not known or answers take long.
    pub fn picture_bytes(&self) -> usize {
        let Some((bytes, took)) = self.took else { return PICTURE_FAR };
        let most = if took > FAR { PICTURE_FAR } else { PICTURE_MAX };
        let seconds = took.as_secs_f64().max(1e-6);
        ((bytes as f64 / seconds * 2.0) as usize).clamp(PICTURE_MIN, most)
    }

    /// How long the next frame waits at most; nothing if it need not.
    pub fn wait(&mut self) -> Option<Duration> {
        let left = PATIENCE.saturating_sub(self.asked?.elapsed());
        if left.is_zero() {
            self.asked = None;
            // One that never answers has nothing to say.
            self.asks = self.answered;
            return None;
        }
        Some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_waits_for_an_answer_to_a_large_one() {
        let mut pace = Pace::new(true);
        assert!(!pace.asks_after(LARGE));
        assert_eq!(pace.wait(), None);
        assert!(pace.asks_after(LARGE + 1));
        assert!(pace.wait().is_some());
        pace.answer();
        assert_eq!(pace.wait(), None);
    }

    #[test]
    fn who_never_answers_is_not_asked_again() {
        let mut pace = Pace::new(true);
        assert!(pace.asks_after(9_000));
        pace.asked = clock::instant().checked_sub(PATIENCE);
        assert_eq!(pace.wait(), None);
        assert!(!pace.asks_after(9_000));
        assert!(!Pace::new(false).asks_after(9_000));
    }
}
