//! Detectors of change over values in memory, beside summing these.
//!
//!     cargo bench --bench detect

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::hint::black_box;

use casework::clock::instant;
use casework::trap::detect::{Detector, DetectorName, Settings};

const VALUES: u64 = 20_000_000;

fn main() {
    // Truths whose share moves once, in the middle; the same each time.
    let mut state = 1_u64;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / (1_u64 << 24) as f64
    };
    let share = |at| if at < VALUES / 2 { 0.1 } else { 0.12 };
    let values: Vec<f64> = (0..VALUES).map(|at| f64::from(u8::from(draw() < share(at)))).collect();
    println!("== {VALUES} values");
    let start = instant();
    let sum: f64 = black_box(&values).iter().sum();
    show(
        "summing them",
        start.elapsed().as_secs_f64(),
        &format!("mean {:.4}", sum / VALUES as f64),
    );
    for name in DetectorName::ALL {
        let mut detector = Detector::new(name, Settings::default());
        let mut found = 0;
        let start = instant();
        for (at, value) in (0..).zip(&values) {
            found += usize::from(detector.detect(at, *value).is_some());
        }
        show(name.as_str(), start.elapsed().as_secs_f64(), &format!("{found} changes"));
    }
}

fn show(name: &str, seconds: f64, said: &str) {
    println!("{name:<14} {seconds:6.3} s  {:6.1}M a second  {said}", VALUES as f64 / seconds / 1e6);
}
