//! What a session holds itself back from: it executes nothing, talks to nobody, and reaches no file
//! but the workspace's.

use std::path::Path;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Bytes of memory that a session may take for data.
const DATA: u64 = 512 << 20;
const FILES: u64 = 128;
/// What programs need to tell the time, and to know the terminal they run in.
const READ: &[&str] =
    &["/usr/share/zoneinfo", "/etc/localtime", "/usr/share/terminfo", "/lib/terminfo"];
const DEVICES: &[&str] = &["/dev/null", "/dev/urandom", "/dev/random", "/dev/tty"];

/// Holds this process back; says how far that goes.
pub fn back(workspace: &Path, roots: &[String]) -> String {
    let limit = |resource, most: u64| {
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    };
    limit(Resource::Data, DATA);
    limit(Resource::Nofile, FILES);
    limit(Resource::Core, 0);
    confine(workspace, roots).unwrap_or_else(|why| format!("limits alone: {why}"))
}

#[cfg(target_os = "linux")]
fn confine(workspace: &Path, roots: &[String]) -> Result<String, String> {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
        RulesetStatus, Scope, path_beneath_rules,
    };
    let abi = ABI::V6;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = AccessFs::from_all(abi) & !AccessFs::Execute;
    // The terminal is told what it is to be.
    let devices = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let made = || {
        Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
            .scope(Scope::AbstractUnixSocket)?
            .create()?
            .add_rules(path_beneath_rules([workspace], write))?
            .add_rules(path_beneath_rules(roots, read))?
            .add_rules(path_beneath_rules(READ, read))?
            .add_rules(path_beneath_rules(DEVICES, devices))?
            .restrict_self()
    };
    match made() {
        Ok(status) => Ok(match status.ruleset {
            RulesetStatus::FullyEnforced => "landlock".to_owned(),
            RulesetStatus::PartiallyEnforced => "landlock, as far as this kernel has it".to_owned(),
            RulesetStatus::NotEnforced => return Err("this kernel has no landlock".to_owned()),
        }),
        Err::<_, landlock::RulesetError>(error) => Err(error.to_string()),
    }
}

#[cfg(not(target_os = "linux"))]
fn confine(_: &Path, _: &[String]) -> Result<String, String> {
    Err("landlock is of Linux".to_owned())
}
