//! `casework completions`: for bash, zsh, fish, elvish and powershell.

use clap_complete::Shell;

use super::{CliError, Exit, Out};

#[derive(Debug, clap::Args)]
pub struct Args {
    shell: Shell,
}

pub fn run(args: &Args) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::help::command(), "casework", &mut script);
    let mut out = Out::new();
    out.raw(&String::from_utf8_lossy(&script))?;
    out.finish()?;
    Ok(Exit::Done)
}
