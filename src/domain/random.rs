//! Random numbers from a seed: SplitMix64 (Steele, Lea, Flood, 2014); and draws that any program
//! computes from words.

use sha2::{Digest as _, Sha256};

/// A number from 0 up to 1 that follows from some words: the first 13 hexadecimal digits, which a
/// double holds exactly, of the SHA-256 of the words with line ends between them.
pub fn draw_of(words: &[&str]) -> f64 {
    let hash = Sha256::digest(words.join("\n").as_bytes());
    let first = hash[..7].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (first >> 4) as f64 / (1_u64 << 52) as f64
}

pub struct SplitMix64(u64);

impl SplitMix64 {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to 1, without 1.
    pub fn share(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// 0 to `n`, without `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }

    pub fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.below(from.len());
        &from[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_program_computes_a_draw() {
        // python3 -c "import hashlib; print(int(hashlib.sha256(b'casework split 1\njune\none').hexdigest()[:13], 16) / 2**52)"
        let draw = draw_of(&["casework split 1", "june", "one"]);
        assert!((draw - 0.771_619_298_399_539_6).abs() < 1e-15, "{draw:?}");
    }
}
