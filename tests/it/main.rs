//! All tests that look at the whole: one binary, so that they link once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails says so by a panic"
)]

mod keys;
mod support;

mod house;
mod house_circles;
mod golden;
mod fold;
mod formats;
#[cfg(feature = "cloud")]
mod gcs;
mod intake_ends;
mod json_style;
mod serve;
mod session;
mod simulation;
mod stores;
mod team;
mod undo;
mod verify;
mod reliability;
mod stream;
mod real_run;
mod board;
mod calibration;
mod case;
mod commands;
mod counts;
mod export;
mod arbitration;
mod assignment;
mod attacks;
mod bad_input;
mod reported;
mod two_windows;
mod blind;
mod ids;
mod media;
mod redaction;
mod retrain;
mod answers;
mod labels_in;
mod round_trips;
mod scripts;
mod screen;
mod guide;
mod linear;
mod long_text;
mod protocols;
mod training;
mod traps;
mod engines;
mod pty;
mod plugins;
mod quality;
mod sla;
mod value;
mod crash;
mod readme;
