//! What happened, in a file, for whoever looks after casework where nobody can look over a shoulder:
//! `CASEWORK_LOG=FILE`. Ids, counts, times and errors as they were told stand in it, and nothing of
//! what a case shows.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Mutex;

/// Logs to the end of a file from now on, which only its owner may read.
///
/// # Errors
/// The file can't be opened.
pub fn start(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let to_file = tracing_subscriber::fmt()
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_target(true)
        .with_max_level(tracing::Level::DEBUG)
        .finish();
    // Set twice, the first one stays: both are this file.
    let _ = tracing::subscriber::set_global_default(to_file);
    Ok(())
}
