#![doc = include_str!("ARCHITECTURE.md")]

pub mod domain;

pub mod chance;
pub mod clock;
pub mod config;
pub mod db;
pub mod log;
pub mod media;

pub mod journal;

pub mod format;
pub mod plugin;
pub mod quality;
pub mod sync;
pub mod trap;

pub mod demo;
pub mod intake;
pub mod retrain;
pub mod review;
pub mod sandbox;

pub mod workspace;

pub mod serve;
pub mod session;

pub mod cli;
pub mod linear;
pub mod tui;
