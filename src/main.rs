//! The binary: carries out the command line, and opens the screen if that is what it says.

use std::process::ExitCode;

use casework::cli::{self, Cli, Next};
use casework::config::Env;
use casework::tui;
use clap::Parser as _;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    match cli::run(Cli::parse(), Env::read()) {
        Next::Exit(code) => Ok(code),
        Next::Train(workspace, lessons) => Ok(tui::train(*workspace, lessons).unwrap_or_else(|error| cli::refuse(&error))),
        Next::Review(workspace) => Ok(tui::run(*workspace).unwrap_or_else(|error| cli::refuse(&error))),
    }
}
