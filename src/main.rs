//! The binary: reads the command line, and opens the screen if nothing else was asked for.

use std::process::ExitCode;

use casework::cli::{self, Cli, Next};
use casework::config::Env;
use clap::Parser as _;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    match cli::run(Cli::parse(), Env::read()) {
        Next::Exit(code) => Ok(code),
        Next::Review(_workspace) => Ok(ExitCode::SUCCESS),
    }
}
