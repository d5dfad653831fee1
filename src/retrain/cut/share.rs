//! A number from 0 up to 1 that is the same everywhere: the first 13 hex digits of a SHA-256.

use sha2::{Digest as _, Sha256};

pub fn share_of(what: &str, seed: &str, key: &str) -> f64 {
    let mut hasher = Sha256::new();
    hasher.update(format!("casework {what} 1\n{seed}\n").as_bytes());
    hasher.update(key.as_bytes());
    let digest = hasher.finalize();
    let mut first = [0; 8];
    first[1..].copy_from_slice(&digest[..7]);
    // 13 digits are 52 bits: exact in a double.
    (u64::from_be_bytes(first) >> 4) as f64 / (1_u64 << 52) as f64
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_program_computes_it() {
        // python3 -c "import hashlib; print(int(hashlib.sha256(b'casework split 1\njune\none').hexdigest()[:13], 16) / 2**52)"
        let share = super::share_of("split", "june", "one");
        assert!((share - 0.771_619_298_399_539_6).abs() < 1e-15, "{share:?}");
    }
}
