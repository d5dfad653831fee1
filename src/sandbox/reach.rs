//! What holds a program back, and what does not: recorded with the run, so that nobody takes a wish
//! for a fact.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Level;

/// Where a program may read and write.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub network: bool,
}

/// Directories of the system that programs need.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix",
    "/gnu",
    "/proc",
    "/sys/devices/system/cpu",
];
/// Devices that programs need.
pub const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Places below which the programs of `PATH` lie: for `~/.tool/bin` it is `~/.tool`.
pub fn program_places(path: &str, home: Option<&Path>) -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    for entry in path.split(':').map(Path::new).filter(|entry| entry.is_absolute()) {
        let above = entry.parent().filter(|above| above.components().count() > 1);
        let above = above.filter(|above| Some(*above) != home);
        places.push(above.unwrap_or(entry).to_owned());
    }
    places
        .retain(|place| place.exists() && Some(place.as_path()) != home && place != Path::new("/"));
    places.sort();
    places.dedup();
    places
}

/// The command line of bwrap that runs a program within its reach; the program follows it.
pub fn bwrap(reach: &Reach, directory: &Path) -> Vec<String> {
    let text = |path: &Path| path.display().to_string();
    let mut argv: Vec<String> = [
        "bwrap",
        "--die-with-parent",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--new-session",
    ]
    .map(str::to_owned)
    .to_vec();
    if !reach.network {
        argv.push("--unshare-net".to_owned());
    }
    let mut add = |parts: &[&str]| argv.extend(parts.iter().map(|part| (*part).to_owned()));
    for place in &reach.read {
        let place = text(place);
        if place != "/proc" {
            add(&["--ro-bind-try", &place, &place]);
        }
    }
    add(&["--proc", "/proc", "--dev", "/dev"]);
    for place in &reach.write {
        let place = text(place);
        add(&["--bind", &place, &place]);
    }
    // What is not there is not made, either.
    add(&["--remount-ro", "/", "--chdir", &text(directory), "--"]);
    argv
}

/// Whether bwrap works here: it may be there and not be allowed to do anything.
pub fn has_bwrap() -> bool {
    let mut command = Command::new("bwrap");
    command.args([
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--unshare-pid",
        "--unshare-net",
        "--",
        "true",
    ]);
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Whether landlock works here.
#[cfg(target_os = "linux")]
pub fn has_landlock() -> bool {
    use landlock::{
        ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    };
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    ruleset.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub fn has_landlock() -> bool {
    false
}

/// The level that is held of the one that was asked for; none where it can't be.
pub fn held(asked: Level) -> Option<Level> {
    match asked {
        Level::Auto if has_bwrap() => Some(Level::Bwrap),
        Level::Auto if has_landlock() => Some(Level::Landlock),
        Level::Auto => Some(Level::None),
        Level::Bwrap => has_bwrap().then_some(Level::Bwrap),
        Level::Landlock => has_landlock().then_some(Level::Landlock),
        Level::Container => Some(Level::Container),
        Level::None => Some(Level::None),
    }
}

/// What a level does not hold back.
pub fn not_restricted(level: Level, network: bool) -> Vec<String> {
    let mut words = match level {
        Level::None => vec!["nothing was restricted"],
        Level::Landlock if !network => {
            vec!["UDP and Unix sockets", "whatever outlives the program is killed, not prevented"]
        }
        Level::Landlock => vec!["whatever outlives the program is killed, not prevented"],
        Level::Container => vec!["what the container's command allows"],
        Level::Bwrap | Level::Auto => vec![],
    };
    if network && level != Level::None {
        words.push("the network, as the pipeline asks");
    }
    words.into_iter().map(str::to_owned).collect()
}

/// Restricts this process, and whatever it becomes, to its reach.
///
/// # Errors
/// Why it can't be.
#[cfg(target_os = "linux")]
pub fn restrict(reach: &Reach) -> Result<(), String> {
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
        RulesetStatus, Scope, path_beneath_rules,
    };
    let abi = ABI::V6;
    let made = || {
        let mut ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
        if !reach.network {
            ruleset = ruleset.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?;
        }
        ruleset
            .create()?
            .add_rules(path_beneath_rules(&reach.read, AccessFs::from_read(abi)))?
            .add_rules(path_beneath_rules(&reach.write, AccessFs::from_all(abi)))?
            .add_rules(path_beneath_rules(DEVICES, AccessFs::from_file(abi)))?
            .restrict_self()
    };
    match made() {
        Ok(status) if status.ruleset == RulesetStatus::NotEnforced => {
            Err("landlock is not enforced here".to_owned())
        }
        Ok(_) => Ok(()),
        Err::<_, landlock::RulesetError>(error) => Err(error.to_string()),
    }
}

#[cfg(not(target_os = "linux"))]
pub fn restrict(_: &Reach) -> Result<(), String> {
    Err("landlock is of Linux".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_is_no_place_of_programs_but_what_programs_need_below_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path();
        std::fs::create_dir_all(home.join(".tool/bin")).unwrap();
        std::fs::create_dir_all(home.join("bin")).unwrap();
        let path = format!("{0}/.tool/bin:{0}/bin:relative:/usr/bin", home.display());
        let places = program_places(&path, Some(home));
        assert!(places.contains(&home.join(".tool")) && places.contains(&home.join("bin")));
        assert!(!places.contains(&home.to_owned()) && !places.contains(&PathBuf::from("/")));
    }
}
