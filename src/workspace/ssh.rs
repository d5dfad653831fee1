//! A person's own SSH key, through the system's `ssh-keygen`: whatever type it is, in a file or in
//! the agent.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{WorkError, read_file};
use crate::domain::ids::Hash;
use crate::journal::kind::SshProof;
use crate::journal::sshsig::NAMESPACE;

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
        let known = public_keys(&read_file(&public)?).into_iter().next();
        known.ok_or_else(|| {
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
    let mut words = proof.key.split_whitespace();
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else {
        return Err(WorkError::Ssh("the key is not one".to_owned()));
    };
    let directory = tempfile::tempdir().map_err(|error| WorkError::Ssh(error.to_string()))?;
    let write = |file: &str, text: &str| {
        let path = directory.path().join(file);
        std::fs::write(&path, text)
            .map(|()| path)
            .map_err(|error| WorkError::Ssh(error.to_string()))
    };
    let allowed =
        write("allowed_signers", &format!("person namespaces=\"{NAMESPACE}\" {kind} {blob}\n"))?;
    let signature = write("signature", &proof.signature)?;
    let mut verify = Command::new("ssh-keygen");
    verify
        .args(["-Y", "verify", "-I", "person", "-n", NAMESPACE, "-f"])
        .arg(&allowed)
        .arg("-s")
        .arg(&signature);
    run(&mut verify, &SshProof::statement(workspace, name, device))?;
    let public = write("key.pub", &format!("{kind} {blob}\n"))?;
    let shown = run(Command::new("ssh-keygen").arg("-lf").arg(&public), "")?;
    Ok(shown.split_whitespace().nth(1).unwrap_or_default().to_owned())
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

/// The public keys of a text as `.pub` files, `authorized_keys` and what forges give out have them:
/// one a line, after options, with comments between. Each as its kind and its body.
pub fn public_keys(text: &str) -> Vec<String> {
    text.lines().filter_map(public_key).collect()
}

fn public_key(line: &str) -> Option<String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let is_kind = |word: &str| {
        word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-")
    };
    let mut rest = line;
    // Options may hold blanks inside quotes.
    while !rest.is_empty() {
        let (word, after) = next_word(rest);
        let (body, _) = next_word(after);
        if is_kind(word) && body.starts_with("AAAA") {
            return Some(format!("{word} {body}"));
        }
        rest = after;
    }
    None
}

/// A word up to a blank outside of quotes, and what follows it.
fn next_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return (&text[..at], &text[at..]),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_file_is_found_whatever_stands_beside_it() {
        let check = |text: &str, expect: &[&str]| assert_eq!(public_keys(text), expect, "{text}");
        check("ssh-ed25519 AAAAC3 ana@desk", &["ssh-ed25519 AAAAC3"]);
        check(
            "# mine\n\nssh-rsa AAAAB3 x\r\nssh-ed25519 AAAAC3",
            &["ssh-rsa AAAAB3", "ssh-ed25519 AAAAC3"],
        );
        check(
            "restrict,command=\"echo \\\"ssh-rsa AAAAno\\\"\" sk-ssh-ed25519@openssh.com AAAAG x",
            &["sk-ssh-ed25519@openssh.com AAAAG"],
        );
        check("\u{feff}nothing here\n-----BEGIN OPENSSH PRIVATE KEY-----", &[]);
    }

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
