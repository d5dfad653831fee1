//! The audit bundle: the journal with what it takes to check it, for people who do not have
//! casework.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{WorkError, Workspace};
use crate::clock;
use crate::db::journal::EntryRow;
use crate::db::{self, document, erasure};
use crate::domain::ids::{EventId, ReplicaId, hex};
use crate::journal::check::named_payloads;
use crate::journal::kind::{GlossaryPublished, ProtocolPublished};
use crate::journal::sshsig::{NAMESPACE, public_line};
use crate::sync::segment::line;

const CHECK: &str = include_str!("../../assets/audit/check.sh");
const ABOUT: &str = include_str!("../../assets/audit/README.txt");

impl Workspace {
    /// Writes the bundle into a new directory; returns how many entries are in it.
    pub fn audit(&self, directory: &Path) -> Result<u64, WorkError> {
        let failed = |error| WorkError::File { path: directory.display().to_string(), error };
        if fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(WorkError::NotEmpty(directory.display().to_string()));
        }
        // One moment for all of it, whatever others write meanwhile.
        let _moment = self.db.conn.unchecked_transaction()?;
        for name in ["journal", "protocols"] {
            fs::create_dir_all(directory.join(name)).map_err(failed)?;
        }
        let put = |name: &str, text: &str| fs::write(directory.join(name), text).map_err(failed);
        put("check.sh", CHECK)?;
        put("README.txt", ABOUT)?;
        let heads = db::journal::replicas(&self.db.conn)?;
        let entries = self.audit_journal(directory)?;
        let signer = |head: &db::journal::ReplicaRow| {
            format!("{} namespaces=\"{NAMESPACE}\" {}\n", head.replica, public_line(&head.key))
        };
        put("allowed_signers", &heads.iter().map(signer).collect::<String>())?;
        let documents = self.audit_documents(directory)?;
        let people: Vec<_> = self
            .people()?
            .iter()
            .map(|holder| {
                json!({
                    "name": holder.name, "roles": holder.roles, "replica": holder.replica, "key": holder.fingerprint(),
                    "retired_after": holder.retired_after, "ssh": holder.ssh,
                })
            })
            .collect();
        put("roster.json", &pretty(&json!(people)))?;
        let chains: Vec<_> = heads
            .iter()
            .map(|head| {
                json!({
                    "replica": head.replica, "entries": head.head_seq, "last": head.head_hash,
                })
            })
            .collect();
        let about = json!({
            "workspace": self.id()?, "team": self.team()?, "at": self.now().rfc3339(), "written": clock::now().rfc3339(),
            "entries": entries, "digest": self.digest()?, "replicas": chains, "documents": documents,
            "signed_by": { "name": self.me, "replica": self.key.replica() },
        });
        put("workspace.json", &pretty(&about))?;
        let manifest = manifest(directory).map_err(failed)?;
        put("MANIFEST.sha256", &manifest)?;
        put("MANIFEST.sig", &(STANDARD.encode(self.key.sign(manifest.as_bytes())) + "\n"))?;
        Ok(entries)
    }

    /// One file a chain, and the payloads that its events name.
    fn audit_journal(&self, directory: &Path) -> Result<u64, WorkError> {
        let failed = |error| WorkError::File { path: directory.display().to_string(), error };
        let mut erased = HashSet::new();
        for row in erasure::all(&self.db.conn)? {
            erased.extend(erasure::forgotten(&self.db.conn, row.id)?);
        }
        let payloads =
            BufWriter::new(File::create(directory.join("payloads.jsonl")).map_err(failed)?);
        let mut bundle = Bundle { workspace: self, directory, chain: None, payloads, erased };
        let (mut count, mut result) = (0, Ok(()));
        db::journal::for_each_entry(&self.db.conn, |entry| {
            count += 1;
            result = bundle.entry(&entry);
            result.is_ok()
        })?;
        result?;
        let files = bundle.chain.into_iter().map(|(_, file)| file).chain([bundle.payloads]);
        files.into_iter().try_for_each(|mut file| file.flush()).map_err(failed)?;
        Ok(count)
    }

    /// Every version of what was published, as a file of its own.
    fn audit_documents(&self, directory: &Path) -> Result<Vec<serde_json::Value>, WorkError> {
        let failed = |error| WorkError::File { path: directory.display().to_string(), error };
        let mut listed = Vec::new();
        for kind in ["protocol", "glossary", "policy"] {
            for row in document::of_kind(&self.db.conn, kind)? {
                let at = format!("{}-{}-{}", row.event.replica.short(), row.event.seq, row.event.n);
                let (file, text) = match kind {
                    "protocol" => {
                        let source = serde_json::from_str::<ProtocolPublished>(&row.body)
                            .map(|event| event.source);
                        (
                            format!("protocols/{}-v{}-{at}.toml", row.name, row.version),
                            source.unwrap_or_default(),
                        )
                    }
                    "glossary" => {
                        let source = serde_json::from_str::<GlossaryPublished>(&row.body)
                            .map(|event| event.source);
                        (
                            format!("protocols/glossary-v{}-{at}.toml", row.version),
                            source.unwrap_or_default(),
                        )
                    }
                    _ => {
                        let event = serde_json::from_str::<serde_json::Value>(&row.body)
                            .unwrap_or_default();
                        (format!("protocols/policy-{at}.json"), event["policy"].to_string())
                    }
                };
                fs::write(directory.join(&file), &text).map_err(failed)?;
                listed.push(json!({ "file": file, "event": row.event, "author": row.author }));
            }
        }
        Ok(listed)
    }
}

/// The SHA-256 of every file, as `sha256sum` writes them.
fn manifest(directory: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    for place in ["", "journal", "protocols"] {
        for entry in fs::read_dir(directory.join(place))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let name = if place.is_empty() { name } else { format!("{place}/{name}") };
                files.push(name);
            }
        }
    }
    files.sort();
    let mut out = String::new();
    for name in files {
        let (mut hasher, mut file) = (Sha256::new(), File::open(directory.join(&name))?);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
        }
        out.push_str(&format!("{}  ./{name}\n", hex(&hasher.finalize())));
    }
    Ok(out)
}

/// The files of the journal while they are written.
struct Bundle<'b> {
    workspace: &'b Workspace,
    directory: &'b Path,
    /// The chain that is being written: they come one after another.
    chain: Option<(ReplicaId, BufWriter<File>)>,
    payloads: BufWriter<File>,
    erased: HashSet<EventId>,
}

impl Bundle<'_> {
    fn entry(&mut self, entry: &EntryRow) -> Result<(), WorkError> {
        let failed = |error| WorkError::File { path: self.directory.display().to_string(), error };
        if let Some((_, mut done)) = self.chain.take_if(|(replica, _)| *replica != entry.replica) {
            done.flush().map_err(failed)?;
        }
        let (_, file) = match &mut self.chain {
            Some(open) => open,
            none => {
                let path = self.directory.join(format!("journal/{}.jsonl", entry.replica));
                none.insert((entry.replica, BufWriter::new(File::create(path).map_err(failed)?)))
            }
        };
        file.write_all(&line(entry)).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
        for (event, payload) in named_payloads(entry) {
            let there = db::payload::get(&self.workspace.db.conn, event)?.is_some();
            let row = json!({ "event": event, "payload": payload, "there": there, "erased": self.erased.contains(&event) });
            writeln!(self.payloads, "{row}").map_err(failed)?;
        }
        Ok(())
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
