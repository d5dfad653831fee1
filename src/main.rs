//! The binary: carries out the command line, and opens the review if that is what it says.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use casework::cli::{self, Cli, Next};
use casework::config::Env;
use casework::linear::{self, Ended, LinearError};
use casework::tui;
use casework::workspace::Workspace;
use clap::Parser as _;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    match cli::run(Cli::parse(), Env::read()) {
        Next::Exit(code) => Ok(code),
        Next::Train(workspace, lessons) => Ok(tui::train(*workspace, lessons).unwrap_or_else(|error| cli::refuse(&error))),
        Next::Review(workspace, Some(why)) => Ok(line_by_line(*workspace, why)),
        Next::Review(workspace, None) => Ok(tui::run(*workspace).unwrap_or_else(|error| cli::refuse(&error))),
    }
}

fn line_by_line(workspace: Workspace, why: &str) -> ExitCode {
    let typed = io::stdin().is_terminal() && io::stdout().is_terminal();
    match linear::run(workspace, &mut io::stdin().lock(), &mut io::stdout().lock(), why, typed) {
        Ok(Ended::Left) => ExitCode::SUCCESS,
        Ok(Ended::InTheMiddle) => ExitCode::FAILURE,
        // Whoever listened went away; there is nobody to tell.
        Err(LinearError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => cli::refuse(&error),
    }
}
