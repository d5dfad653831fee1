//! The process in which a step begins: a session of its own, its limits, what it may reach; then it
//! becomes the step. casework runs itself for it, so that nothing has to happen between fork and
//! exec.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::reach::{Reach, restrict};

/// What the helper is told on its standard input, before what is for the step: what a command line
/// says everybody may read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Told {
    pub argv: Vec<String>,
    pub directory: PathBuf,
    pub environment: Vec<(String, String)>,
    /// Landlock is to hold it back.
    pub landlock: bool,
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub network: bool,
    /// Largest file that it may write.
    pub file_bytes: u64,
}

impl Told {
    /// Begins the helper and tells it: the length, then JSON. What is sent after that is for the step.
    ///
    /// # Errors
    /// It can't be begun, or ended before it was told.
    pub fn begin(&self, printed: fn() -> Stdio) -> io::Result<Child> {
        let mut child = Command::new(own_program()?)
            .args(["run", "step"])
            .stdin(Stdio::piped())
            .stdout(printed())
            .stderr(printed())
            .spawn()?;
        if let Some(stdin) = &mut child.stdin {
            let text = serde_json::to_vec(self)?;
            stdin.write_all(&(text.len() as u64).to_be_bytes())?;
            stdin.write_all(&text)?;
        }
        Ok(child)
    }

    /// Reads it, and not a byte more.
    #[cfg(unix)]
    fn receive() -> io::Result<Self> {
        use std::os::fd::AsFd as _;
        let mut from = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let mut length = [0; 8];
        from.read_exact(&mut length)?;
        let mut text = Vec::new();
        from.take(u64::from_be_bytes(length)).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// This program, which is its own helper.
fn own_program() -> io::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // A test's own binary is no casework: the program lies beside it.
    let beside = own.parent().and_then(Path::parent).map(|dir| dir.join("casework"));
    match beside {
        Some(program)
            if own.file_name().is_some_and(|name| name != "casework") && program.exists() =>
        {
            Ok(program)
        }
        _ => Ok(own),
    }
}

/// What it ends with where it could not become the step.
pub const CANNOT: i32 = 126;

/// Becomes the step; returns only why it could not.
#[cfg(unix)]
pub fn become_step() -> String {
    use std::os::unix::process::CommandExt as _;

    use rustix::process::{Resource, Rlimit, setrlimit, setsid};
    let told: Told = match Told::receive() {
        Ok(told) => told,
        Err(error) => return error.to_string(),
    };
    // It may lead a group already, which is as good.
    let _ = setsid();
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let at_most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    for (resource, most) in [(Resource::Fsize, told.file_bytes), (Resource::Core, 0)] {
        if let Err(error) = setrlimit(resource, at_most(most)) {
            return format!("a limit can't be set: {error}");
        }
    }
    if told.landlock {
        let reach = Reach { read: told.read, write: told.write, network: told.network };
        if let Err(why) = restrict(&reach) {
            return why;
        }
    }
    let Some((program, arguments)) = told.argv.split_first() else {
        return "there is nothing to run".to_owned();
    };
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&told.directory).env_clear().envs(told.environment);
    format!("{program}: {}", command.exec())
}

#[cfg(not(unix))]
pub fn become_step() -> String {
    "runs need a Unix".to_owned()
}
