//! Every kind of store does the same: one suite, run on each. Those that need a server are run
//! where one is named (see `.ci/servers`), and skipped with a printed line elsewhere.

use std::fs;
use std::sync::Barrier;
use std::time::Duration;

use casework::config::{Credentials, Env};
use casework::sync::store::{self, Options, probe};
use casework::sync::{Put, Store, StoreErrorKind};
use casework::workspace::Workspace;

use crate::support::{Place, ingest, line, server};

fn options() -> Options {
    let ssh = server("CASEWORK_TEST_SSH", None).unwrap_or_default();
    let credentials = Credentials { pg_password: Some("testing".into()), ..Credentials::default() };
    Options { ssh, create: true, credentials }
}

fn open(url: &str) -> Box<dyn Store> {
    store::open(url, &options()).unwrap_or_else(|error| panic!("{error}"))
}

fn trouble(url: &str, options: &Options) -> (StoreErrorKind, String) {
    match store::open(url, options) {
        Err(error) => (error.trouble, error.to_string()),
        Ok(mut store) => match store.put_new("journal/x", b"x") {
            Err(error) => (error.trouble, error.to_string()),
            Ok(_) => panic!("{url} opened, and can be written"),
        },
    }
}

/// What every store must do.
fn conforms(url: &str) {
    let store = &mut *open(url);
    probe(store, [7; 8]).unwrap();
    // What an earlier run left behind.
    for listed in store.list("a/").unwrap() {
        store.delete(&listed.key).unwrap();
    }
    assert_eq!(store.get("a/none").unwrap(), None);
    assert_eq!(store.list("a/").unwrap(), []);
    assert_eq!(store.put_new("a/b/one", b"first").unwrap(), Put::Created);
    assert_eq!(store.put_new("a/b/one", b"second").unwrap(), Put::Exists);
    assert_eq!(
        store.get("a/b/one").unwrap().as_deref(),
        Some(&b"first"[..]),
        "what is there is never written over"
    );
    let large: Vec<u8> =
        (0..5_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_eq!(store.put_new("a/b/large", &large).unwrap(), Put::Created);
    assert_eq!(store.get("a/b/large").unwrap(), Some(large.clone()), "all bytes come back");
    assert_eq!(store.put_new("a/c/two", b"x").unwrap(), Put::Created);
    assert_eq!(store.put_new("ab/three", b"x").unwrap(), Put::Created);
    let listed: Vec<(String, u64)> =
        store.list("a/").unwrap().into_iter().map(|listed| (listed.key, listed.bytes)).collect();
    let expected = [("a/b/large", large.len() as u64), ("a/b/one", 5), ("a/c/two", 1)];
    assert_eq!(
        listed,
        expected.map(|(key, bytes)| (key.to_owned(), bytes)),
        "in order, and nothing beside the prefix"
    );
    for n in 0..40 {
        store.put_new(&format!("a/many/{n:02}"), &[n]).unwrap();
    }
    assert_eq!(store.list("a/many/").unwrap().len(), 40);
    store.delete("a/b/one").unwrap();
    store.delete("a/b/one").unwrap();
    assert_eq!(store.get("a/b/one").unwrap(), None);
    assert_eq!(store.put_new("a/b/one", b"third").unwrap(), Put::Created);
    store.delete("ab/three").unwrap();
    race(url);
    assert!(matches!(store.wait(Duration::from_millis(20)), Ok(false | true)));
    team(url);
}

/// Of many who write one name at once, one wins.
fn race(url: &str) {
    const WRITERS: usize = 6;
    let start = Barrier::new(WRITERS);
    let wins = std::thread::scope(|threads| {
        let writer = |who: usize| {
            let start = &start;
            threads.spawn(move || {
                let mut store = open(url);
                let mut won = [false; 5];
                for (round, won) in won.iter_mut().enumerate() {
                    start.wait();
                    let put = store
                        .put_new(&format!("a/race/{round}"), format!("writer {who}").as_bytes())
                        .unwrap();
                    *won = put == Put::Created;
                }
                won
            })
        };
        let writers: Vec<_> = (0..WRITERS).map(writer).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    let mut store = open(url);
    for (round, _) in wins[0].iter().enumerate() {
        let winners: Vec<usize> = (0..WRITERS).filter(|who| wins[*who][round]).collect();
        let there = store.get(&format!("a/race/{round}")).unwrap().unwrap();
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(there, format!("writer {}", winners[0]).as_bytes());
    }
    for listed in store.list("a/").unwrap() {
        store.delete(&listed.key).unwrap();
    }
}

/// A lead and a reviewer meet on the store and come to the same state.
fn team(url: &str) {
    let mut store = open(url);
    for prefix in ["journal/", "payload/"] {
        for listed in store.list(prefix).unwrap() {
            store.delete(&listed.key).unwrap();
        }
    }
    let env = Env { credentials: options().credentials, ..Env::default() };
    let (lead, reviewer) = (Place::new(), Place::new());
    if !options().ssh.is_empty() {
        for place in [&lead, &reviewer] {
            fs::create_dir_all(place.path()).unwrap();
            fs::write(place.paths().config(), format!("[sync]\nssh = \"{}\"\n", options().ssh))
                .unwrap();
        }
    }
    let mut ana = Workspace::found_on(
        lead.paths(),
        env.clone(),
        "team",
        "ana",
        url,
        true,
        &casework::workspace::create::STARTERS[0],
    )
    .unwrap();
    ingest(
        &mut ana,
        &(0..120).map(|n| line(&format!("p{n}"), "move money", "pay", 0.2, n)).collect::<String>(),
    );
    let (mut bo, _) = Workspace::join(reviewer.paths(), env, url, "bo", None, None).unwrap();
    assert!(bo.waits_for_admission().unwrap());
    ana.sync_with(&mut *store, &|| true).unwrap();
    let asks = ana.asking("bo", None).unwrap().unwrap();
    ana.admit("bo", &[casework::domain::roster::Role::Reviewer], Some(asks.replica), None).unwrap();
    ana.sync_with(&mut *store, &|| true).unwrap();
    let synced = bo.sync_with(&mut *store, &|| true).unwrap();
    assert_eq!(synced.quarantined, []);
    assert_eq!(bo.status().unwrap().cases.open, 120);
    let case = bo.first_in_queue().unwrap().unwrap();
    assert_eq!(case.text, "move money", "the payload came, and could be read");
    bo.comment(case.id, "seen by bo").unwrap();
    bo.sync_with(&mut *store, &|| true).unwrap();
    ana.sync_with(&mut *store, &|| true).unwrap();
    assert_eq!(ana.digest().unwrap(), bo.digest().unwrap());
    assert!(bo.verify_all(false).unwrap().ok);
    let encrypted = store.list("payload/").unwrap();
    assert!(!encrypted.is_empty() && encrypted.iter().all(|listed| listed.key.ends_with(".age")));
}

#[test]
fn a_directory_is_a_store() {
    let place = Place::new();
    conforms(place.dir.path().join("store").to_str().unwrap());
    conforms(&format!("file://{}", place.dir.path().join("other").display()));
}

#[test]
fn a_directory_over_ssh_is_a_store() {
    let Some(url) = server("CASEWORK_TEST_SFTP", Some("a_directory_over_ssh_is_a_store")) else {
        return;
    };
    conforms(&format!("{url}/made/deep"));
    let (kind, words) = trouble(&url.replace("://store", "://stranger"), &options());
    assert_eq!(kind, StoreErrorKind::Denied, "{words}");
    let nowhere = Options { create: false, ..options() };
    assert_eq!(trouble(&format!("{url}/not-there"), &nowhere).0, StoreErrorKind::Missing);
    let (kind, words) = trouble("sftp://127.0.0.1:1/x", &Options::default());
    assert_eq!(kind, StoreErrorKind::Unreachable, "{words}");
    let noisy = Options { ssh: "echo welcome to this host; exec cat".into(), ..Options::default() };
    assert_ne!(
        trouble("sftp://x/y", &noisy).0,
        StoreErrorKind::Url,
        "words of a login script are no answer"
    );
}

#[cfg(feature = "cloud")]
#[test]
fn a_bucket_of_s3_is_a_store() {
    let Some(url) = server("CASEWORK_TEST_S3", Some("a_bucket_of_s3_is_a_store")) else { return };
    conforms(&format!("{url}/team/a"));
    let (kind, words) = trouble("s3://no-such-bucket-here", &options());
    assert!(matches!(kind, StoreErrorKind::Missing | StoreErrorKind::Denied), "{kind:?} {words}");
}

#[cfg(feature = "cloud")]
#[test]
fn a_container_of_azure_is_a_store() {
    let Some(url) = server("CASEWORK_TEST_AZURE", Some("a_container_of_azure_is_a_store")) else {
        return;
    };
    conforms(&format!("{url}/team"));
    let (kind, words) = trouble("az://nosuchcontainer", &options());
    assert_eq!(kind, StoreErrorKind::Missing, "{words}");
}

#[cfg(feature = "cloud")]
#[test]
fn a_bucket_of_google_is_a_store() {
    let Some(url) = server("CASEWORK_TEST_GCS", Some("a_bucket_of_google_is_a_store")) else {
        return;
    };
    crate::gcs::serve("127.0.0.1:18444");
    conforms(&format!("{url}/team"));
}

#[cfg(feature = "postgres")]
#[test]
fn a_schema_of_postgresql_is_a_store_and_tells_at_once() {
    let test = "a_schema_of_postgresql_is_a_store_and_tells_at_once";
    let Some(url) = server("CASEWORK_TEST_POSTGRES", Some(test)) else { return };
    conforms(&format!("{url}?schema=team_a"));
    let (mut one, mut two) = (open(&url), open(&url));
    while two.wait(Duration::from_millis(50)).unwrap() {}
    let key = format!("a/{}", casework::domain::ids::hex(&casework::chance::bytes::<8>().unwrap()));
    one.put_new(&key, b"news").unwrap();
    assert!(two.wait(Duration::from_secs(5)).unwrap(), "others are told");
    one.delete(&key).unwrap();
    let wrong = Options {
        credentials: Credentials { pg_password: Some("wrong".into()), ..Credentials::default() },
        ..options()
    };
    let (kind, words) = trouble(&url, &wrong);
    assert_eq!(kind, StoreErrorKind::Denied, "{words}");
    assert_eq!(
        trouble(&url.replace("/postgres", "/no_such_database"), &options()).0,
        StoreErrorKind::Missing
    );
    assert_eq!(trouble(&url.replace("15432", "1"), &options()).0, StoreErrorKind::Unreachable);
    let (kind, words) = trouble(&format!("{url}?schema=pg_catalog"), &options());
    assert_eq!(kind, StoreErrorKind::Foreign, "another program's schema is left alone: {words}");
}

#[test]
fn a_client_that_is_not_built_in_says_how_to_get_it() {
    let clients = [
        ("s3://bucket/x", "cloud", cfg!(feature = "cloud")),
        ("postgres://host/db", "postgres", cfg!(feature = "postgres")),
    ];
    for (url, feature, built) in clients {
        if !built {
            let (kind, words) = trouble(url, &Options::default());
            assert!(
                kind == StoreErrorKind::Feature && words.contains(&format!("--features {feature}")),
                "{words}"
            );
        }
    }
}

/// A store that breaks its promises.
struct Careless {
    inner: Box<dyn Store>,
    fault: &'static str,
}

impl Store for Careless {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, casework::sync::StoreError> {
        match self.fault {
            "overwrites" => {
                self.inner.delete(key)?;
                self.inner.put_new(key, bytes)
            }
            "claims" => self.inner.put_new(key, bytes).map(|_| Put::Created),
            _ => self.inner.put_new(key, bytes),
        }
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, casework::sync::StoreError> {
        self.inner.get(key)
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<store::Listed>, casework::sync::StoreError> {
        if self.fault == "stale" { Ok(Vec::new()) } else { self.inner.list(prefix) }
    }

    fn delete(&mut self, key: &str) -> Result<(), casework::sync::StoreError> {
        if self.fault == "keeps" { Ok(()) } else { self.inner.delete(key) }
    }
}

#[test]
fn a_store_that_does_not_keep_its_promises_is_found_out() {
    for fault in ["overwrites", "claims", "stale", "keeps"] {
        let place = Place::new();
        let inner = open(place.dir.path().join("store").to_str().unwrap());
        let error = probe(&mut Careless { inner, fault }, [1; 8]).unwrap_err();
        assert_eq!(error.trouble, StoreErrorKind::Unfit, "{fault}: {error}");
    }
}

#[test]
fn a_directory_that_is_gone_read_only_or_a_file_is_said_to_be() {
    let place = Place::new();
    let root = place.dir.path();
    let plain = Options::default();
    assert_eq!(trouble(root.join("gone").to_str().unwrap(), &plain).0, StoreErrorKind::Missing);
    fs::write(root.join("file"), "x").unwrap();
    assert_eq!(trouble(root.join("file").to_str().unwrap(), &plain).0, StoreErrorKind::Missing);
    let full = trouble("/dev/full/x", &plain);
    assert_ne!(full.0, StoreErrorKind::Url);
}

#[test]
fn where_a_new_store_would_lie_is_not_made() {
    let place = Place::new();
    place.create();
    let typo = place.dir.path().join("mnt").join("team");
    let refused = place.run(&["sync", "--store", typo.to_str().unwrap()]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("is not there; is it mounted?"), "{said}");
    assert!(!place.dir.path().join("mnt").exists());
    fs::create_dir(place.dir.path().join("mnt")).unwrap();
    place.ok(&["sync", "--store", typo.to_str().unwrap()]);
}
