//! A directory on another machine, over the system's `ssh`: configuration, agent, jump hosts and
//! known hosts are those the person has. It speaks version 3 of the SFTP protocol
//! (draft-ietf-secsh-filexfer-02) to `ssh -s HOST sftp`.
//!
//! Requests are sent ahead of their answers, so that a list of many directories or a long file
//! costs a few round trips, not one for each piece.

mod connection;
mod packet;

use connection::{Connection, FULL, READ_ONLY};
use packet::{Answer, Failed, Fields, number};

use super::{Listed, Options, Put, Store, StoreError, StoreErrorKind};
use crate::chance;
use crate::domain::ids::hex;
use crate::domain::text::visible;

struct Sftp {
    name: String,
    command: String,
    /// What stands before and after the host on the command line.
    port: Option<String>,
    host: String,
    root: String,
    connection: Option<Connection>,
    create: bool,
}

pub(super) fn open(url: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    let bad = |why: &str| StoreError {
        trouble: StoreErrorKind::Url,
        store: url.to_owned(),
        why: why.to_owned(),
    };
    let rest = url.strip_prefix("sftp://").unwrap_or(url);
    let (authority, path) = rest
        .split_once('/')
        .ok_or_else(|| bad("write sftp://HOST/DIRECTORY, or sftp://HOST/~/DIRECTORY"))?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !port.is_empty() => {
            (host, Some(port.to_owned()))
        }
        _ => (authority, None),
    };
    let plain = |c: char| c.is_alphanumeric() || "@._-%[]:".contains(c);
    if host.is_empty() || host.starts_with('-') || !host.chars().all(plain) {
        return Err(bad("there is no host in it"));
    }
    let root = match path.strip_prefix("~/") {
        Some(home) => home.trim_end_matches('/').to_owned(),
        None => format!("/{}", path.trim_end_matches('/')),
    };
    let command = if options.ssh.is_empty() { "ssh".to_owned() } else { options.ssh.clone() };
    let mut store = Sftp {
        name: url.to_owned(),
        command,
        port,
        host: host.to_owned(),
        root,
        connection: None,
        create: options.create,
    };
    store.with(Connection::nothing)?;
    Ok(Box::new(store))
}

impl Sftp {
    fn path(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }

    /// Does something over the connection; makes one if there is none, and makes it again if it was
    /// lost meanwhile.
    fn with<T>(&mut self, work: impl Fn(&mut Connection) -> Answer<T>) -> Result<T, StoreError> {
        let had = self.connection.is_some();
        match self.attempt(&work) {
            Err(Failed::Lost) if had => self.attempt(&work),
            other => other,
        }
        .map_err(|failed| self.explain(failed))
    }

    fn attempt<T>(&mut self, work: &impl Fn(&mut Connection) -> Answer<T>) -> Answer<T> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let mut connection =
                    Connection::open(&self.command, self.port.as_deref(), &self.host)?;
                connection.look_at_root(&self.root, self.create)?;
                none.insert(connection)
            }
        };
        let result = work(connection);
        if matches!(result, Err(Failed::Lost | Failed::Malformed)) {
            let said = self.connection.take().map(Connection::last_words).unwrap_or_default();
            return Err(if said.is_empty() {
                Failed::Lost
            } else {
                Failed::Status(u32::MAX, said)
            });
        }
        result
    }

    fn explain(&self, failed: Failed) -> StoreError {
        let (trouble, why) = match failed {
            Failed::Lost => (StoreErrorKind::Unreachable, "the connection was closed".to_owned()),
            Failed::Malformed => {
                (StoreErrorKind::Unfit, "what answers there is not an SFTP server".to_owned())
            }
            Failed::Status(u32::MAX, said) => {
                (trouble_of(&said), format!("ssh says: {}", visible(&said)))
            }
            Failed::Status(number::NO_SUCH_FILE, _) => {
                (StoreErrorKind::Missing, format!("there is no directory {}", visible(&self.root)))
            }
            Failed::Status(number::PERMISSION_DENIED, words) => {
                (StoreErrorKind::Denied, visible(&words).to_lowercase())
            }
            Failed::Status(FULL, words) => (StoreErrorKind::Full, words),
            Failed::Status(READ_ONLY, words) => (StoreErrorKind::ReadOnly, words),
            Failed::Status(code, words) => (
                StoreErrorKind::Other,
                format!("the server says {} (status {code})", visible(&words)),
            ),
        };
        StoreError { trouble, store: self.name.clone(), why }
    }
}

/// What the last words of `ssh` mean.
fn trouble_of(said: &str) -> StoreErrorKind {
    let said = said.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&[
        "permission denied",
        "host key verification failed",
        "too many authentication failures",
        "identification has changed",
    ]) {
        StoreErrorKind::Denied
    } else if has(&[
        "could not resolve",
        "refused",
        "timed out",
        "no route",
        "unreachable",
        "closed by",
        "reset by",
    ]) {
        StoreErrorKind::Unreachable
    } else {
        StoreErrorKind::Other
    }
}

impl Store for Sftp {
    fn name(&self) -> &str {
        &self.name
    }

    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let path = self.path(key);
        let random = chance::bytes::<8>().map_err(|error| StoreError {
            trouble: StoreErrorKind::Other,
            store: self.name.clone(),
            why: format!("randomness: {error}"),
        })?;
        self.with(|connection| connection.put_new(&path, &hex(&random), bytes))
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(key);
        self.with(|connection| connection.get(&path))
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let (root, prefix) = (self.root.clone(), prefix.to_owned());
        let mut listed = self.with(|connection| connection.list(&root, &prefix))?;
        listed.sort();
        Ok(listed)
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        let path = self.path(key);
        self.with(|connection| {
            match connection.status(number::REMOVE, &Fields::new().text(&path)) {
                Err(Failed::Status(number::NO_SUCH_FILE, _)) => Ok(()),
                other => other,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_host_and_a_directory_and_nothing_that_ssh_takes_for_an_option() {
        let bad = |url: &str| {
            open(url, &Options { ssh: "false".into(), ..Options::default() })
                .err()
                .map(|error| error.trouble)
        };
        assert_eq!(bad("sftp://host"), Some(StoreErrorKind::Url));
        assert_eq!(bad("sftp:///x"), Some(StoreErrorKind::Url));
        assert_eq!(bad("sftp://-oProxyCommand=x/y"), Some(StoreErrorKind::Url));
        assert_ne!(bad("sftp://ana@host:22/srv/x"), Some(StoreErrorKind::Url));
        assert_eq!(trouble_of("ana@host: Permission denied (publickey)."), StoreErrorKind::Denied);
        assert_eq!(
            trouble_of("ssh: connect to host x port 22: Connection refused"),
            StoreErrorKind::Unreachable
        );
    }
}
