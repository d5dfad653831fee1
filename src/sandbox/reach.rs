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

/// Of `/proc`, what tells of the machine: where nothing but landlock holds a program back it would
/// read there what other processes were given.
const OF_MACHINE: &[&str] = &[
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
];

/// What the files are called in which the keys and the database of a device are.
const SECRET: [&str; 2] = ["device.key", "casework.db"];

/// Whether a file may be copied to where a program reads it: none of a device's own, wherever a link
/// leads, and nothing that is hidden, unless it lies beside what names it.
pub fn may_be_copied(file: &Path, beside: &Path, hidden: &[PathBuf]) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (file, beside) = (real(file), real(beside));
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let inside = |place: &PathBuf| {
        let place = real(place);
        file.starts_with(&place) && !beside.starts_with(&place)
    };
    !SECRET.iter().any(|secret| name.starts_with(secret)) && !hidden.iter().any(inside)
}

/// Whether a program lies where those of the system do, or in a directory of `PATH`.
pub fn is_of_system(program: &Path, path: &str) -> bool {
    let system = SYSTEM.iter().filter(|place| **place != "/proc");
    system.into_iter().any(|place| program.starts_with(place))
        || std::env::split_paths(path).any(|entry| program.parent() == Some(&entry))
}

/// Whether a file may be executed.
pub fn is_program(file: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let of = std::fs::metadata(file);
        of.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    file.is_file()
}

/// Places below which the programs of `PATH` lie, without what is hidden: for `~/.tool/bin` it is
/// `~/.tool`. What else lies in `~/.local` is no program's, and stays closed.
pub fn program_places(path: &str, home: Option<&Path>, hidden: &[PathBuf]) -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let local = home.map(|home| real(&home.join(".local")));
    for entry in path.split(':').map(Path::new).filter(|entry| entry.is_absolute()) {
        let above = entry.parent().filter(|above| above.components().count() > 1);
        match above {
            Some(above) if Some(real(above)) == local => {
                places.extend(["bin", "lib", "lib64"].map(|name| above.join(name)));
                places.extend(led_to(entry));
            }
            Some(above) if Some(real(above)) != home.map(real) => places.push(above.to_owned()),
            _ => places.push(entry.to_owned()),
        }
    }
    places.retain(|place| {
        let real = std::fs::canonicalize(place).unwrap_or_default();
        let home = home.and_then(|home| std::fs::canonicalize(home).ok());
        real.components().count() > 1 && Some(real) != home
    });
    without(places, hidden)
}

/// Where the programs live to which links in a directory lead: beside their `bin`, if they have one.
fn led_to(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let links = entries.flatten().filter(|entry| entry.path().is_symlink());
    let lives = |program: PathBuf| match program.parent() {
        Some(bin) if bin.ends_with("bin") => bin.parent().map(Path::to_owned),
        _ => Some(program),
    };
    links.filter_map(|link| lives(std::fs::canonicalize(link.path()).ok()?)).collect()
}

/// Places without what is hidden in them: one that holds something hidden is taken apart into what
/// else is in it. Links are followed.
pub fn without(places: Vec<PathBuf>, hidden: &[PathBuf]) -> Vec<PathBuf> {
    let hidden: Vec<PathBuf> =
        hidden.iter().filter_map(|place| std::fs::canonicalize(place).ok()).collect();
    let (mut open, mut left) = (Vec::new(), places);
    while let Some(place) = left.pop() {
        let Ok(real) = std::fs::canonicalize(&place) else { continue };
        if hidden.iter().any(|hidden| real.starts_with(hidden)) {
            continue;
        }
        if !hidden.iter().any(|hidden| hidden.starts_with(&real)) {
            open.push(place);
        } else if !place.is_symlink() {
            let entries = std::fs::read_dir(&place).into_iter().flatten();
            left.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        }
    }
    open.sort();
    open.dedup();
    open
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
    let proc = Path::new("/proc");
    let read = reach.read.iter().map(PathBuf::as_path).filter(|place| *place != proc);
    let read: Vec<&Path> = read.chain(OF_MACHINE.iter().map(Path::new)).collect();
    let made = || {
        let mut ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(abi))?
            .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
        if !reach.network {
            ruleset = ruleset.handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?;
        }
        ruleset
            .create()?
            .add_rules(path_beneath_rules(read, AccessFs::from_read(abi)))?
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
        let places = program_places(&path, Some(home), &[]);
        assert!(places.contains(&home.join(".tool")) && places.contains(&home.join("bin")));
        assert!(!places.contains(&home.to_owned()) && !places.contains(&PathBuf::from("/")));
    }

    #[test]
    fn what_is_hidden_is_in_no_place_whatever_it_lies_in_or_leads_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = std::fs::canonicalize(dir.path()).unwrap();
        let hidden = home.join(".tool/share/casework");
        for place in [".tool/bin", ".tool/share/other", ".local/bin", ".local/share/app/bin"] {
            std::fs::create_dir_all(home.join(place)).unwrap();
        }
        std::fs::create_dir_all(hidden.join("workspace")).unwrap();
        std::fs::write(home.join(".local/share/app/bin/app"), "").unwrap();
        std::fs::write(home.join(".local/share/secret"), "").unwrap();
        let link = |to: &str, at: &str| {
            std::os::unix::fs::symlink(home.join(to), home.join(at)).unwrap();
        };
        link(".local/share/app/bin/app", ".local/bin/app");
        link(".tool/share/casework", ".tool/known");
        link(".tool", ".tool/bin/up");
        let path = format!("{0}/.tool/bin:{0}/.local/bin", home.display());
        let places = program_places(&path, Some(&home), &[hidden.clone(), home.join("nowhere")]);
        let below: Vec<_> =
            places.iter().filter_map(|place| place.strip_prefix(&home).ok()).collect();
        assert_eq!(
            below,
            [".local/bin", ".local/share/app", ".tool/bin", ".tool/share/other"].map(Path::new)
        );
    }
}
