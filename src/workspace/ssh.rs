//! A person's own SSH key, through the system's `ssh-keygen`: whatever type it is, in a file or in the agent.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{WorkError, read_file};
use crate::domain::ids::Hash;
use crate::journal::kind::SshProof;
use crate::journal::sshsig::NAMESPACE;

/// Signs, with the key at `path`, that `device` is `name`'s in `workspace`. The file is a private key, or a public one
/// whose private half is in the agent.
pub fn prove(path: &Path, workspace: Hash, name: &str, device: &[u8; 32]) -> Result<SshProof, WorkError> {
    let is_public = path.extension().is_some_and(|extension| extension == "pub");
    let public = if is_public { path.to_owned() } else { PathBuf::from(format!("{}.pub", path.display())) };
    let key = if public.exists() {
        read_file(&public)?.trim().to_owned()
    } else {
        run(Command::new("ssh-keygen").arg("-y").arg("-f").arg(path), "")?.trim().to_owned()
    };
    let statement = SshProof::statement(workspace, name, device);
    let signature = run(Command::new("ssh-keygen").args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(path), &statement)?;
    Ok(SshProof { key, signature })
}

/// The key's fingerprint, if the proof is good.
pub fn check(proof: &SshProof, workspace: Hash, name: &str, device: &[u8; 32]) -> Result<String, WorkError> {
    let mut words = proof.key.split_whitespace();
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else {
        return Err(WorkError::Ssh("the key is not one".to_owned()));
    };
    let directory = tempfile::tempdir().map_err(|error| WorkError::Ssh(error.to_string()))?;
    let write = |file: &str, text: &str| {
        let path = directory.path().join(file);
        std::fs::write(&path, text).map(|()| path).map_err(|error| WorkError::Ssh(error.to_string()))
    };
    let allowed = write("allowed_signers", &format!("person namespaces=\"{NAMESPACE}\" {kind} {blob}\n"))?;
    let signature = write("signature", &proof.signature)?;
    let mut verify = Command::new("ssh-keygen");
    verify.args(["-Y", "verify", "-I", "person", "-n", NAMESPACE, "-f"]).arg(&allowed).arg("-s").arg(&signature);
    run(&mut verify, &SshProof::statement(workspace, name, device))?;
    let public = write("key.pub", &format!("{kind} {blob}\n"))?;
    let shown = run(Command::new("ssh-keygen").arg("-lf").arg(&public), "")?;
    Ok(shown.split_whitespace().nth(1).unwrap_or_default().to_owned())
}

fn run(command: &mut Command, input: &str) -> Result<String, WorkError> {
    let failed = |error: std::io::Error| WorkError::Ssh(format!("ssh-keygen: {error}"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read it says why itself.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stderr, output.stdout].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let words = said.iter().find(|said| !said.is_empty()).cloned().unwrap_or_default();
    Err(WorkError::Ssh(format!("ssh-keygen says: {}", words.lines().next().unwrap_or_default())))
}
