//! A person's own SSH key, through the system's `ssh-keygen`: whatever type it is, in a file or in
//! the agent.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{WorkError, read_file};
use crate::domain::ids::Hash;
use crate::domain::ssh_key::SshKey;
use crate::journal::kind::SshProof;
use crate::journal::sshsig::{self, NAMESPACE};

/// Signs, with the key at `path`, that `device` is `name`'s in `workspace`. The file is a private
/// key, or a public one whose private half is in the agent.
pub fn prove(
    path: &Path,
    workspace: Hash,
    name: &str,
    device: &[u8; 32],
) -> Result<SshProof, WorkError> {
    let is_public = path.extension().is_some_and(|extension| extension == "pub");
    let public =
        if is_public { path.to_owned() } else { PathBuf::from(format!("{}.pub", path.display())) };
    let key = if public.exists() {
        let known = SshKey::all_of(&read_file(&public)?).into_iter().next();
        known.map(|key| key.to_string()).ok_or_else(|| {
            WorkError::Ssh(format!("{} holds no public SSH key", public.display()))
        })?
    } else {
        run(Command::new("ssh-keygen").arg("-y").arg("-f").arg(path), "")?.trim().to_owned()
    };
    let statement = SshProof::statement(workspace, name, device);
    let signature = run(
        Command::new("ssh-keygen").args(["-Y", "sign", "-n", NAMESPACE, "-f"]).arg(path),
        &statement,
    )?;
    Ok(SshProof { key, signature })
}

/// The key's fingerprint, if the proof is good.
pub fn check(
    proof: &SshProof,
    workspace: Hash,
    name: &str,
    device: &[u8; 32],
) -> Result<String, WorkError> {
    let key = SshKey::of_line(&proof.key);
    let key = key.ok_or_else(|| WorkError::Ssh("the key is not one".to_owned()))?;
    verify(&key, &proof.signature, &SshProof::statement(workspace, name, device))?;
    Ok(key.fingerprint())
}

/// The key that a signature says it is by.
pub fn signer(armored: &str) -> Result<SshKey, WorkError> {
    let key = sshsig::unarmored(armored).as_deref().and_then(sshsig::signer);
    key.and_then(|blob| SshKey::of_blob(&blob)).ok_or_else(|| {
        WorkError::Ssh("that is no signature as `ssh-keygen -Y sign` writes it".to_owned())
    })
}

/// Checks that `key` signed a statement: one of ed25519 here, others by the system's `ssh-keygen`.
pub fn verify(key: &SshKey, armored: &str, statement: &str) -> Result<(), WorkError> {
    let raw = sshsig::unarmored(armored);
    if let (Some(public), Some(raw)) = (key.ed25519(), raw) {
        let good = sshsig::verify(&public, statement.as_bytes(), &raw);
        let words = "the signature is not good, or is of something else";
        return if good { Ok(()) } else { Err(WorkError::Ssh(words.to_owned())) };
    }
    let directory = tempfile::tempdir().map_err(|error| WorkError::Ssh(error.to_string()))?;
    let write = |file: &str, text: &str| {
        let path = directory.path().join(file);
        std::fs::write(&path, text)
            .map(|()| path)
            .map_err(|error| WorkError::Ssh(error.to_string()))
    };
    let allowed = write("allowed_signers", &format!("person namespaces=\"{NAMESPACE}\" {key}\n"))?;
    let signature = write("signature", armored)?;
    let mut verify = Command::new("ssh-keygen");
    verify
        .args(["-Y", "verify", "-I", "person", "-n", NAMESPACE, "-f"])
        .arg(&allowed)
        .arg("-s")
        .arg(&signature);
    run(&mut verify, statement).map(drop)
}

fn run(command: &mut Command, input: &str) -> Result<String, WorkError> {
    let failed = |error: std::io::Error| WorkError::Ssh(format!("ssh-keygen: {error}"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read it says why itself.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = [output.stderr, output.stdout]
        .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    let words = said.iter().find(|said| !said.is_empty()).cloned().unwrap_or_default();
    Err(WorkError::Ssh(format!("ssh-keygen says: {}", reason(&words))))
}

/// The lines of what ssh-keygen said that give a reason: not its frames of `@`.
fn reason(said: &str) -> String {
    let framed = |line: &&str| line.chars().all(|c| "@ ".contains(c));
    let lines: Vec<&str> =
        said.lines().map(str::trim).filter(|line| !line.is_empty() && !framed(line)).collect();
    let plain = |line: &str| line.trim_matches(['@', ' ']).to_owned();
    lines.iter().take(3).map(|line| plain(line)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_line_that_gives_one() {
        let said = "@@@@@@@@@\n@  WARNING: UNPROTECTED PRIVATE KEY FILE!  @\n@@@@@@@@@\nPermissions 0644 for 'k' are too open.\nIt is required";
        assert!(
            reason(said).contains("Permissions 0644 for 'k' are too open."),
            "{}",
            reason(said)
        );
        assert_eq!(reason("Load key \"k\": invalid format\n"), "Load key \"k\": invalid format");
    }
}
