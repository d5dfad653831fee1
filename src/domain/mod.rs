//! What things mean. Pure: no module here does IO or asks what time it is.
//!
//! Read in this order: names of things, time, text from outside, what comes in (a prediction with
//! its context), what reviewers decide by (protocol, glossary), what they decide (label), and how
//! labels become what a case counts as (policy, resolve).

pub mod ids;
pub mod time;
pub mod text;
pub mod bidi;
pub mod folding;
pub mod near;
pub mod written;
pub mod logtime;
pub mod logline;
pub mod field;
pub mod prediction;
pub mod answers;
pub mod attachment;
pub mod mail;
pub mod chat;
pub mod modality;
pub mod long_text;
pub mod reading;
pub mod paths;
pub mod payload;
pub mod hygiene;
pub mod text_rows;
pub mod number;
pub mod distribution;
pub mod proportion;
pub mod protocol;
pub mod glossary;
pub mod traps;
pub mod plugin;
pub mod glossary_amend;
pub mod glossary_diff;
pub mod cues;
pub mod label;
pub mod roster;
pub mod ssh_certificate;
pub mod ssh_key;
pub mod door;
pub mod require;
pub mod escalation;
pub mod threshold;
pub mod policy;
pub mod advice;
pub mod arbitration;
pub mod assign;
pub mod estimate;
pub mod resolve;
pub mod training;
pub mod calibration;
pub mod fatigue;
pub mod random;
