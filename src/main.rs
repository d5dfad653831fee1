//! The binary: carries out the command line, and opens the review if that is what it says.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use casework::cli::train::{Train, trained};
use casework::cli::{self, CliError, Next};
use casework::config::Env;
use casework::linear::{self, Ended, LinearError, Lines};
use casework::tui;
use casework::workspace::Workspace;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    Ok(match cli::run(cli::parse(), Env::read()) {
        Next::Exit(code) => code,
        Next::Train(train) if train.by_lines => train_by_lines(*train),
        Next::Train(train) => {
            tui::train(train.workspace, train.lessons).unwrap_or_else(|error| cli::refuse(&error))
        }
        Next::Journey(mut workspace) => cli::journey(&mut workspace, |workspace, answers| {
            let ended = linear::run(
                workspace,
                &mut answers.as_bytes(),
                &mut io::stdout().lock(),
                "the demo's journey",
                false,
            );
            ended.map(drop).map_err(|error| CliError::Use(error.to_string()))
        }),
        Next::Review(workspace, Some(why)) => review_by_lines(*workspace, why),
        Next::Review(workspace, None) => {
            tui::run(*workspace).unwrap_or_else(|error| cli::refuse(&error))
        }
    })
}

fn is_typed() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn review_by_lines(workspace: Workspace, why: &str) -> ExitCode {
    match linear::run(workspace, &mut io::stdin().lock(), &mut io::stdout().lock(), why, is_typed())
    {
        Ok(Ended::InTheMiddle) => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn train_by_lines(train: Train) -> ExitCode {
    let Train { workspace, lessons, json, .. } = train;
    let (protocol, rules) = (lessons.protocol.clone(), lessons.rules);
    // With --json, standard output is for the document.
    let mut out: Box<dyn Write> =
        if json { Box::new(io::stderr()) } else { Box::new(io::stdout().lock()) };
    let lines = Lines { input: &mut io::stdin().lock(), out: &mut *out, typed: is_typed() };
    let ended = linear::train(workspace, lessons, lines);
    drop(out);
    match ended {
        Ok(Ended::Trained { right, of }) => trained(&protocol, &rules, Some((right, of)), json),
        Ok(_) => trained(&protocol, &rules, None, json),
        Err(error) => failed(&error),
    }
}

fn failed(error: &LinearError) -> ExitCode {
    match error {
        // Whoever listened went away; there is nobody to tell.
        LinearError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        error => cli::refuse(error),
    }
}
