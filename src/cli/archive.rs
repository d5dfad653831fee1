//! A folder where nobody named a place for it: a tar on standard output, as for whoever came over SSH
//! and can name none on this machine.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use rustix::process::{Pid, getpid, test_kill_process};
use tempfile::TempDir;

use super::out::Out;
use super::{CliError, Context};
use crate::workspace::{WorkError, Workspace};

/// Where something is written until it is whole: beside the place that was named, and in the
/// workspace where somebody came over SSH, who may write nowhere else.
///
/// # Errors
/// Those of making a directory.
pub fn aside(
    context: &Context,
    workspace: &Workspace,
    out: Option<&Path>,
) -> Result<TempDir, CliError> {
    if context.served.is_some() {
        sweep(&workspace.paths.workspace);
    }
    let prefix = format!("{ASIDE}{}-", getpid().as_raw_nonzero());
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(&prefix);
    let made = match out {
        // What is renamed into its place has to lie beside it.
        Some(out) => {
            let beside = out.parent().filter(|parent| parent.as_os_str() != "");
            builder.tempdir_in(beside.unwrap_or(Path::new(".")))
        }
        None if context.served.is_some() => builder.tempdir_in(&workspace.paths.workspace),
        None => builder.tempdir(),
    };
    let place = out.unwrap_or(Path::new("-")).display().to_string();
    made.map_err(|error| WorkError::File { path: place, error }.into())
}

/// What directories are called that something is written aside in, before the number of its process.
const ASIDE: &str = ".casework-export-";

/// Takes away what sessions left that were ended while they sent something.
pub fn sweep(workspace: &Path) {
    for entry in std::fs::read_dir(workspace).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(ASIDE));
        let process = process.and_then(|rest| rest.split('-').next()?.parse().ok());
        let gone = process.and_then(Pid::from_raw).is_some_and(|process| {
            test_kill_process(process).is_err_and(|error| error == rustix::io::Errno::SRCH)
        });
        if gone {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Whether a folder can go to standard output.
///
/// # Errors
/// It is a terminal.
pub fn may_go_out(what: &str) -> Result<(), CliError> {
    if io::stdout().is_terminal() {
        return Err(CliError::Use(format!(
            "{what} is a folder: --out names it, or standard output takes it as a tar: … | tar x"
        )));
    }
    Ok(())
}

/// Writes a folder to standard output, the same bytes whenever it holds the same.
///
/// # Errors
/// Those of reading and writing.
pub fn send(folder: &Path) -> Result<(), CliError> {
    let mut tar = tar::Builder::new(Out::new());
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort();
    for path in files {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        let file = std::fs::File::open(&path)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(file.metadata()?.len());
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, name, file)?;
    }
    let mut out = tar.into_inner()?;
    out.flush()?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
