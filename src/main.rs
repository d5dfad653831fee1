//! The binary: carries out the command line, and opens the review if that is what it says.

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use casework::cli::train::{Train, trained};
use casework::cli::{self, CliError, Next};
use casework::config::Env;
use casework::linear::{self, Ended, LinearError, Lines, standard};
use casework::tui;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    Ok(match cli::run(cli::parse(), Env::read(), tui::taken) {
        Next::Exit(code) => code,
        Next::Train(train) if train.by_lines => train_by_lines(*train),
        Next::Train(train) => {
            tui::train(train.workspace, train.lessons).unwrap_or_else(|error| cli::refuse(&error))
        }
        Next::Journey(mut workspace) => cli::journey(&mut workspace, |workspace, answers| {
            let (input, out) = (&mut answers.as_bytes(), &mut io::stdout().lock());
            let lines = Lines { input, out, typed: false, json: false, after_key: None };
            let ended = linear::run(workspace, "the demo's journey", lines);
            ended.map(drop).map_err(|error| CliError::Use(error.to_string()))
        }),
        Next::Review { workspace, linear: Some(why), json } => {
            let ended = standard(&mut io::stdout(), (is_typed(), json), |lines| {
                linear::run(*workspace, why, lines)
            });
            cli::served::farewell();
            match ended {
                Ok(Ended::InTheMiddle) => ExitCode::FAILURE,
                Ok(_) => ExitCode::SUCCESS,
                Err(error) => failed(&error),
            }
        }
        Next::Review { workspace, linear: None, .. } => {
            let code = tui::run(*workspace).unwrap_or_else(|error| cli::refuse(&error));
            cli::served::farewell();
            code
        }
    })
}

fn is_typed() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn train_by_lines(train: Train) -> ExitCode {
    let Train { workspace, lessons, json, .. } = train;
    let (protocol, rules) = (lessons.protocol.clone(), lessons.rules);
    // With --json, standard output is for the document.
    let out: &mut dyn Write = if json { &mut io::stderr() } else { &mut io::stdout() };
    match standard(out, (is_typed(), false), |lines| linear::train(workspace, lessons, lines)) {
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
