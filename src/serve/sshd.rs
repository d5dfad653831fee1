//! The system's sshd: where it is, what it knows, and what it is told.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ServeError;
use super::place::Place;
use crate::config::Serve;

/// Where it lies on systems that do not have it in everybody's PATH.
const PLACES: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin"];

/// An sshd.
#[derive(Debug, Clone)]
pub struct Sshd {
    pub path: PathBuf,
    /// As 9.2; zeros if it does not say.
    pub version: (u32, u32),
}

impl Sshd {
    /// The one of this system.
    pub fn find(path_variable: &str) -> Result<Self, ServeError> {
        let places = path_variable.split(':').chain(PLACES);
        let mut found = places.map(|place| Path::new(place).join("sshd"));
        let path = found.find(|path| path.is_absolute() && path.is_file());
        let path = path.ok_or(ServeError::NoSshd)?;
        // One that does not know -V says its version with its usage.
        let said = Command::new(&path).arg("-V").stdin(Stdio::null()).output();
        let said = said.map_err(|error| ServeError::File(path.display().to_string(), error))?;
        let version = version_in(&String::from_utf8_lossy(&[said.stderr, said.stdout].concat()));
        Ok(Self { path, version })
    }

    fn knows(&self, since: (u32, u32)) -> bool {
        self.version >= since
    }
}

fn version_in(said: &str) -> (u32, u32) {
    let number = |text: &str| {
        text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)
    };
    let of = said.split_once("OpenSSH_").map(|(_, rest)| rest);
    of.and_then(|rest| rest.split_once('.')).map_or((0, 0), |(a, b)| (number(a), number(b)))
}

/// How a desk is served.
pub struct Desk<'d> {
    pub place: &'d Place,
    pub options: &'d Serve,
    /// Addresses with their ports.
    pub listen: &'d [String],
    pub program: &'d Path,
    pub workspace: &'d Path,
    /// The store that it exchanges with, if that is a directory of this machine.
    pub store: Option<&'d Path>,
    /// Whether it exchanges with any.
    pub exchanges: bool,
    /// The account that serves.
    pub account: &'d str,
}

impl Desk<'_> {
    /// Whether sshd would run us to ask for a key: nobody may be able to put another program in our
    /// place, and sshd takes the program's name as it stands, up to a blank.
    fn may_be_asked(&self) -> bool {
        !self.program.display().to_string().contains(' ') && super::place::is_roots(self.program)
    }

    /// Has sshd ask us for the door that a key opens.
    fn asks(&self) -> Vec<String> {
        vec![
            "AuthorizedKeysFile none".to_owned(),
            format!(
                "AuthorizedKeysCommand {} --workspace \"{}\" serve keys %u %t %k",
                self.program.display(),
                self.workspace.display()
            ),
            format!("AuthorizedKeysCommandUser {}", self.account),
        ]
    }

    /// Has it read a file instead, that is kept up to date as long as the desk is open.
    fn reads(&self) -> Vec<String> {
        vec![
            format!("AuthorizedKeysFile \"{}\"", self.place.authorized_keys().display()),
            "AuthorizedKeysCommand none".to_owned(),
        ]
    }

    /// Has it take certificates, for names that it is told, where authorities are trusted. This stands
    /// before what says how keys are found: OpenSSH 9.2 overlooks the command for names after the
    /// one for keys.
    fn certificates(&self, asks: bool) -> Vec<String> {
        let trusted = &self.options.trusted_user_ca;
        if trusted.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![format!("TrustedUserCAKeys \"{trusted}\"")];
        if asks {
            lines.push(format!(
                "AuthorizedPrincipalsCommand {} --workspace \"{}\" serve principals %u",
                self.program.display(),
                self.workspace.display()
            ));
            lines.push(format!("AuthorizedPrincipalsCommandUser {}", self.account));
        } else {
            lines.push(format!(
                "AuthorizedPrincipalsFile \"{}\"",
                self.place.principals().display()
            ));
        }
        lines
    }

    /// What holds of every connection, whoever runs sshd.
    fn rules(&self) -> Vec<String> {
        let mut lines: Vec<String> = [
            "AuthenticationMethods publickey",
            "PubkeyAuthentication yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "HostbasedAuthentication no",
            "GSSAPIAuthentication no",
            "DisableForwarding yes",
            "PermitTunnel no",
            "PermitUserRC no",
            "MaxSessions 2",
            "MaxAuthTries 4",
            "ClientAliveInterval 15",
            "ClientAliveCountMax 8",
            "AcceptEnv LANG LC_* COLORTERM NO_COLOR ACCESSIBLE CASEWORK_LINEAR",
            "ExposeAuthInfo yes",
            "LogLevel VERBOSE",
        ]
        .map(str::to_owned)
        .to_vec();
        if !self.options.banner.is_empty() {
            lines.push(format!("Banner \"{}\"", self.place.banner().display()));
        }
        lines
    }

    /// The configuration of an sshd of our own.
    pub fn config(&self, sshd: &Sshd) -> String {
        let mut lines = vec![
            "# Written by `casework serve`, anew at each start.".to_owned(),
            format!("HostKey \"{}\"", self.place.host_key().display()),
            format!("PidFile \"{}\"", self.place.process_id().display()),
        ];
        lines.extend(self.listen.iter().map(|address| format!("ListenAddress {address}")));
        lines.extend(
            [
                "UsePAM no",
                "PermitRootLogin no",
                "PermitUserEnvironment no",
                "StrictModes yes",
                "PrintMotd no",
                "PrintLastLog no",
                "LoginGraceTime 20",
                "MaxStartups 20:30:60",
                "UseDNS no",
            ]
            .map(str::to_owned),
        );
        lines.push(format!("AllowUsers {}", self.account));
        // Of those who are not in yet. An office comes from one address, at nine.
        let most = if self.options.one_address.is_empty() { 10 } else { 60 };
        lines.extend(sshd.knows((8, 5)).then(|| format!("PerSourceMaxStartups {most}")));
        if sshd.knows((9, 8)) && !self.options.one_address.is_empty() {
            lines
                .push(format!("PerSourcePenaltyExemptList {}", self.options.one_address.join(",")));
        }
        lines.extend(self.rules());
        // Holds for the whole sshd.
        lines.extend(sshd.knows((9, 1)).then(|| "RequiredRSASize 3072".to_owned()));
        lines.extend(self.certificates(self.may_be_asked()));
        lines.extend(if self.may_be_asked() { self.asks() } else { self.reads() });
        lines.join("\n") + "\n"
    }

    /// A piece for the system's own sshd.
    pub fn drop_in(&self) -> String {
        let mut lines = vec![format!(
            "# For /etc/ssh/sshd_config.d/casework.conf: {} alone is served.",
            self.account
        )];
        if self.exchanges {
            lines.push(
                "# No session of it exchanges with the store: `casework sync --watch` beside it does, once for all."
                    .to_owned(),
            );
        }
        if !self.may_be_asked() {
            lines.push(format!(
                "# sshd runs {} only where it and all directories above it are root's, and nobody else may write there.",
                self.program.display()
            ));
        }
        lines.push(format!("Match User {}", self.account));
        let rules = self.rules().into_iter().chain(self.certificates(true)).chain(self.asks());
        lines.extend(rules.map(|line| format!("    {line}")));
        lines.join("\n") + "\n"
    }

    /// A unit for systemd.
    pub fn unit(&self) -> String {
        let writes: String = [Some(self.workspace), self.store]
            .into_iter()
            .flatten()
            .map(|path| format!("ReadWritePaths=\"{}\"\n", path.display()))
            .collect();
        format!(
            "[Unit]\nDescription=casework, served over SSH\nAfter=network.target\n\n[Service]\nUser={}\n\
             ExecStart=\"{}\" --workspace \"{}\" serve{}\nRestart=on-failure\nRestartSec=5\nKillMode=mixed\n\
             NoNewPrivileges=yes\nPrivateTmp=yes\nProtectSystem=strict\n{writes}\n[Install]\nWantedBy=multi-user.target\n",
            self.account,
            self.program.display(),
            self.workspace.display(),
            self.listen.iter().map(|at| format!(" --listen {at}")).collect::<String>(),
        )
    }
}

/// Why an sshd that is not root's could give nobody a terminal here, if so: it has to give it to the
/// group of terminals, which only a file system that does so itself lets it.
pub fn no_terminals() -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mut last = None;
    for line in mounts.lines() {
        let mut words = line.split(' ');
        if let (Some("/dev/pts"), Some("devpts"), Some(options)) =
            (words.nth(1), words.next(), words.next())
        {
            last = Some(options.split(',').any(|option| option.starts_with("gid=")));
        }
    }
    (last == Some(false)).then(|| {
        "/dev/pts is mounted without a group, so that sshd can give nobody a terminal: mount -o remount,gid=5,mode=620 devpts /dev/pts"
            .to_owned()
    })
}

/// Whether a path can stand in sshd's files and in a line that a shell reads.
pub fn check_path(path: &Path) -> Result<(), ServeError> {
    let text = path.to_str().map(str::to_owned);
    let bad = text.as_ref().is_none_or(|text| {
        text.contains(['"', '\'', '%', '\\']) || text.chars().any(char::is_control)
    });
    if bad { Err(ServeError::Path(path.display().to_string())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_wherever_they_stand() {
        assert_eq!(version_in("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0"), (9, 2));
        assert_eq!(version_in("unknown option -- V\nOpenSSH_8.4p1, OpenSSL"), (8, 4));
        assert_eq!(version_in("OpenSSH_10.0p2"), (10, 0));
        assert_eq!(version_in("dropbear"), (0, 0));
    }

    #[test]
    fn paths_that_a_line_could_not_hold_are_refused() {
        assert!(check_path(Path::new("/srv/a desk/casework")).is_ok());
        for bad in ["/a\"b", "/a'b", "/a%b", "/a\nb"] {
            assert!(check_path(Path::new(bad)).is_err(), "{bad}");
        }
    }
}
