//! Shared stores: places that keep immutable files under names. One trait, a file for each kind.
//!
//! A store must create a name only if it is absent, and must show a file whole or not at all.
//! [`probe`] finds out those that don't; they are refused.

mod dir;
mod sftp;
#[cfg(feature = "cloud")]
mod object;
#[cfg(feature = "postgres")]
mod postgres;

use std::time::Duration;

pub use super::plan::Listed;
use crate::config::Credentials;
use crate::domain::advice::Advice;

/// What became of a file that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    Created,
    /// There was one of that name; it was left as it is.
    Exists,
}

/// What is wrong with a store, for the words of help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The URL is not one of a store.
    Url,
    /// This binary was built without the client.
    Feature,
    Unreachable,
    /// Credentials are missing, wrong or expired.
    Denied,
    ReadOnly,
    Full,
    /// The place that the URL names does not exist.
    Missing,
    /// What is there belongs to another program.
    Foreign,
    /// It does not do what a store must.
    Unfit,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{store}: {why}")]
pub struct StoreError {
    pub trouble: StoreErrorKind,
    pub store: String,
    pub why: String,
}

impl Advice for StoreError {
    fn next_step(&self) -> Option<String> {
        let step = match self.trouble {
            StoreErrorKind::Url => "See `casework init --help` for the forms of a URL.",
            StoreErrorKind::Feature => {
                "The other stores work in this one: a directory, or sftp://."
            }
            StoreErrorKind::Unreachable => {
                "Work goes on without it; `casework sync` takes up where it stopped."
            }
            StoreErrorKind::Denied => {
                "Look at the credentials: ssh agent, AWS_… or ~/.aws, GOOGLE_…, AZURE_…, PGPASSWORD or ~/.pgpass. Work goes on without."
            }
            StoreErrorKind::ReadOnly => {
                "It can be read, not written: what is new here waits until that changes."
            }
            StoreErrorKind::Full => "Make room there; what is new here waits.",
            StoreErrorKind::Missing => "Check the name in the URL.",
            StoreErrorKind::Foreign => "Name another place, so that nothing of others is touched.",
            StoreErrorKind::Unfit => "Use another store: work could be lost on this one.",
            StoreErrorKind::Other => return None,
        };
        Some(step.to_owned())
    }
}

/// A place that keeps files under names like `journal/…/1-9-….zst`.
pub trait Store: Send {
    /// Its URL, without secrets.
    fn name(&self) -> &str;

    /// Writes a file if there is none of that name, all of it or nothing.
    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, StoreError>;

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Every file whose name begins with `prefix`, which ends with a slash, in the order of their
    /// names.
    fn list(&mut self, prefix: &str) -> Result<Vec<Listed>, StoreError>;

    /// Deletes a file; there may be none.
    fn delete(&mut self, key: &str) -> Result<(), StoreError>;

    /// Whether [`Self::wait`] comes back as soon as others write.
    fn tells(&self) -> bool {
        false
    }

    /// Waits until something may have changed, or `time` is over; tells whether something did.
    fn wait(&mut self, time: Duration) -> Result<bool, StoreError> {
        std::thread::sleep(time);
        Ok(false)
    }
}

/// How to reach a store.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The command for `ssh`, if not that.
    pub ssh: String,
    /// Whether the place may be made if it is not there.
    pub create: bool,
    pub credentials: Credentials,
}

type Open = fn(&str, &Options) -> Result<Box<dyn Store>, StoreError>;

/// Every kind of store: how its URLs begin, what it is, how to open it.
pub const KINDS: &[(&str, &str, Open)] = &[
    ("file://", "a directory; a plain path does too", dir::open),
    ("sftp://", "a directory on another machine, over the system's ssh", sftp::open),
    ("s3://", "a bucket of Amazon S3 or something compatible", cloud),
    ("gs://", "a bucket of Google Cloud Storage", cloud),
    ("az://", "a container of Azure Blob Storage", cloud),
    ("postgres://", "a schema of a PostgreSQL database", database),
    ("postgresql://", "the same", database),
];

#[cfg(feature = "cloud")]
fn cloud(url: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    object::open(url, options)
}

#[cfg(not(feature = "cloud"))]
fn cloud(url: &str, _options: &Options) -> Result<Box<dyn Store>, StoreError> {
    Err(without("cloud", url))
}

#[cfg(feature = "postgres")]
fn database(url: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    postgres::open(url, options)
}

#[cfg(not(feature = "postgres"))]
fn database(url: &str, _options: &Options) -> Result<Box<dyn Store>, StoreError> {
    Err(without("postgres", url))
}

#[cfg_attr(
    all(feature = "cloud", feature = "postgres"),
    expect(dead_code, reason = "this binary has every client")
)]
fn without(feature: &str, url: &str) -> StoreError {
    let why =
        format!("this casework was built without it: cargo install --path . --features {feature}");
    StoreError { trouble: StoreErrorKind::Feature, store: url.to_owned(), why }
}

/// Opens the store at `url`.
pub fn open(url: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    let named = |url: &str| without_secret(url.split('?').next().unwrap_or_default());
    let bad = |why: &str| StoreError {
        trouble: StoreErrorKind::Url,
        store: named(url),
        why: why.to_owned(),
    };
    let query = url.split_once('?').map_or("", |(_, query)| query);
    if without_secret(url) != url
        || query.split('&').any(|part| part.to_lowercase().starts_with("password="))
    {
        return Err(bad(
            "it has a password in it, and this URL is kept in clear: use the agent, ~/.pgpass or the environment",
        ));
    }
    match KINDS.iter().find(|(scheme, ..)| url.starts_with(scheme)) {
        Some((_, _, open)) => open(url, options),
        None if url.contains("://") => {
            let all: Vec<&str> = KINDS.iter().map(|(scheme, ..)| *scheme).collect();
            Err(bad(&format!(
                "no store's URL begins like that: there are a path, {}",
                all.join(", ")
            )))
        }
        None if url.is_empty() => Err(bad("the URL of a store is empty")),
        None => dir::open(url, options),
    }
}

/// A URL without the password that may stand in it.
pub fn without_secret(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // A password may have a slash in it.
    let end = rest.rfind('@').unwrap_or(0);
    let (authority, path) = rest.split_at(rest[end..].find('/').map_or(rest.len(), |at| end + at));
    match authority.rsplit_once('@').map(|(user, host)| (user.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{scheme}://{user}:…@{host}{path}"),
        _ => url.to_owned(),
    }
}

/// Finds out whether a store keeps its promises. Writes a file under `probe/` and takes it away
/// again.
pub fn probe(store: &mut dyn Store, random: [u8; 8]) -> Result<(), StoreError> {
    let key = format!("probe/{}", crate::domain::ids::hex(&random));
    let name = store.name().to_owned();
    let unfit = |why: &str| StoreError {
        trouble: StoreErrorKind::Unfit,
        store: name.clone(),
        why: why.to_owned(),
    };
    let first = store.put_new(&key, b"first")?;
    let second = store.put_new(&key, b"second")?;
    let read = store.get(&key)?;
    let listed = store.list("probe/")?.iter().any(|listed| listed.key == key);
    store.delete(&key)?;
    let gone = store.get(&key)?.is_none();
    if first != Put::Created || second != Put::Exists || read.as_deref() != Some(b"first") {
        return Err(unfit(
            "it writes over files that exist (create-if-absent is not honoured): work could be lost there",
        ));
    }
    if !listed {
        return Err(unfit("it does not list what was just written"));
    }
    if gone { Ok(()) } else { Err(unfit("it shows what was deleted")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_do_not_pass() {
        let trouble = |url: &str| {
            open(url, &Options::default()).err().map(|error| (error.trouble, error.to_string()))
        };
        let (kind, words) = trouble("postgres://ana:secret@db/x").unwrap();
        assert!(kind == StoreErrorKind::Url && !words.contains("secret"), "{words}");
        assert_eq!(trouble("ftp://x").unwrap().0, StoreErrorKind::Url);
        for url in ["postgres://db/x?password=secret&user=u", "postgres://ana:se/cret@db/x"] {
            let (kind, words) = trouble(url).unwrap();
            assert!(kind == StoreErrorKind::Url && !words.contains("cret"), "{words}");
        }
        assert_eq!(without_secret("sftp://ana@host:22/x"), "sftp://ana@host:22/x");
    }
}
