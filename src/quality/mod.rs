//! How well people agree, and what their labels come to. Pure: ratings in, figures out.
//!
//! Read in this order: ratings (who said what of which task), agreement (figures, with intervals by
//! resampling), truth (what the labels come to, and how good each reviewer is), divergence (at
//! which question of the protocol two ways part), paired (what changed between two rounds), power
//! (how many cases show it).

pub mod figure;
pub mod stratified;
pub mod suspects;
pub mod ratings;
pub mod mcnemar;
pub mod paired;
pub mod power;
pub mod agreement;
pub mod truth;
pub mod divergence;
