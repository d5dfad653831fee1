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

/// What is known of how far behind the terminal is.
#[derive(Debug)]
pub struct Pace {
    /// Whether it is asked at all.
    asks: bool,
    asked: Option<Instant>,
    answered: bool,
}

impl Pace {
    pub fn new(asks: bool) -> Self {
        Self { asks, asked: None, answered: false }
    }

    /// Whether it is to be asked after a frame of so many bytes.
    pub fn asks_after(&mut self, bytes: usize) -> bool {
        let asks = self.asks && bytes > LARGE;
        if asks {
            self.asked = Some(clock::instant());
        }
        asks
    }

    /// Takes in its answer.
    pub fn answer(&mut self) {
        (self.asked, self.answered) = (None, true);
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
