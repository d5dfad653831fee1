//! Reads everything again and names what is wrong: entries, payloads, dictionaries, ends of chains.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use serde::Serialize;

use super::JournalError;
use super::blob::Unpacker;
use super::check::{BAD_SIGNATURE, Checked, check_but_signature, named_payloads};
use super::sshsig::{self, Claim};
use crate::db::journal::{DroppedRow, EntryRow, ReplicaRow};
use crate::db::{self, erasure};
use crate::domain::ids::{EventId, Hash, ReplicaId};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FaultRow {
    pub replica: String,
    pub seq: u64,
    pub fault: String,
}

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub entries: u64,
    pub ok: bool,
    pub faults: Vec<FaultRow>,
    /// What is not here and is no fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

/// Which payloads should be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    All,
    /// Some are encrypted, and this device was not given the key.
    Locked,
    /// The past is looked at: what was erased since is not there.
    Past,
}

/// Verifies the whole journal of `conn`.
pub fn verify(conn: &Connection, expect: Expect) -> Result<Report, JournalError> {
    // One moment for all of it, whatever others write meanwhile.
    let _moment = conn.unchecked_transaction()?;
    let workspace =
        db::journal::meta(conn, "workspace")?.and_then(|bytes| Hash::from_bytes(&bytes));
    let workspace = workspace.ok_or(JournalError::NoWorkspace)?;
    let stored: HashMap<ReplicaId, ReplicaRow> =
        db::journal::replicas(conn)?.into_iter().map(|row| (row.replica, row)).collect();
    let mut seen = Seen {
        workspace,
        heads: HashMap::new(),
        payloads: HashMap::new(),
        claims: Vec::with_capacity(AT_ONCE),
        faults: Vec::new(),
        entries: 0,
    };
    db::journal::for_each_entry(conn, |entry| {
        seen.entry(&entry);
        true
    })?;
    seen.signatures();
    seen.ends(&stored);
    let missing = seen.payloads(conn, expect)?;
    seen.dictionaries(conn)?;
    for (replica, seq, fault) in db::journal::all_pending(conn)? {
        seen.fault(replica, seq, format!("quarantined: {fault}"));
    }
    for row in db::journal::dropped(conn)? {
        seen.fault(row.replica, row.seq, format!("quarantined: {}", not_kept(&row)));
    }
    for (event, reason) in db::roster::held(conn)? {
        seen.fault(event.replica, event.seq, format!("event {} does not count: {reason}", event.n));
    }
    let Seen { mut faults, entries, .. } = seen;
    faults.sort();
    let words = match expect {
        Expect::Past => "payloads are not there any more: what was erased since stays erased",
        _ => {
            "payloads are encrypted, and this device was not given the key: a lead gives it on admission"
        }
    };
    let notices = (missing > 0).then(|| format!("{missing} {words}")).into_iter().collect();
    Ok(Report { entries, ok: faults.is_empty(), faults, notices })
}

/// What is said of entries that were met and not kept.
pub fn not_kept(row: &DroppedRow) -> String {
    match row.n {
        1 => format!("one is not kept: {}", row.why),
        n => format!("{n} are not kept: {}", row.why),
    }
}

/// So many signatures are checked together: from here on more gain nothing.
const AT_ONCE: usize = 256;

struct Seen {
    workspace: Hash,
    /// The end of each chain as read so far.
    heads: HashMap<ReplicaId, ReplicaRow>,
    /// Payloads that events name and that were not met yet.
    payloads: HashMap<EventId, Hash>,
    /// Signatures that were not checked yet, each with its entry.
    claims: Vec<(ReplicaId, u64, Claim)>,
    faults: Vec<FaultRow>,
    entries: u64,
}

impl Seen {
    fn fault(&mut self, replica: ReplicaId, seq: u64, fault: String) {
        self.faults.push(FaultRow { replica: replica.to_string(), seq, fault });
    }

    fn entry(&mut self, entry: &EntryRow) {
        self.entries += 1;
        let EntryRow { replica, seq, .. } = *entry;
        let head = self.heads.get(&replica);
        let expect = head.map_or(1, |head| head.head_seq + 1);
        if seq != expect {
            self.fault(replica, seq, format!("entry {expect} is missing before it"));
        }
        match check_but_signature(entry, self.heads.get(&replica), self.workspace) {
            Ok((Checked { body, key, hash }, claim)) => {
                self.claims.push((replica, seq, claim));
                if self.claims.len() == AT_ONCE {
                    self.signatures();
                }
                drop(body.events);
                self.payloads.extend(named_payloads(entry));
                self.heads.insert(
                    replica,
                    ReplicaRow { replica, key, head_seq: seq, head_hash: hash, at: body.at },
                );
            }
            Err(fault) => {
                self.fault(replica, seq, fault);
                // Go on from what stands there, so that one bad entry is one fault and not all
                // after it.
                if let Some(head) = self.heads.get_mut(&replica) {
                    head.head_seq = seq;
                    head.head_hash = super::entry::hash(&entry.body);
                }
            }
        }
    }

    /// Checks the signatures that are left, together, and one by one if one of them is not good.
    fn signatures(&mut self) {
        let entries = std::mem::take(&mut self.claims);
        let claims: Vec<&Claim> = entries.iter().map(|(.., claim)| claim).collect();
        if sshsig::all_hold(&claims) {
            return;
        }
        for (replica, seq, claim) in entries {
            if !claim.holds() {
                self.fault(replica, seq, BAD_SIGNATURE.to_owned());
            }
        }
    }

    fn ends(&mut self, stored: &HashMap<ReplicaId, ReplicaRow>) {
        for row in stored.values() {
            let fault = match self.heads.get(&row.replica) {
                None => Some("the whole chain is missing".to_owned()),
                Some(read) if read.head_seq < row.head_seq => {
                    Some(format!("entries after {} are missing", read.head_seq))
                }
                Some(read) if read != row => {
                    Some("the recorded end of the chain is not its end".to_owned())
                }
                Some(_) => None,
            };
            if let Some(fault) = fault {
                self.fault(row.replica, row.head_seq, fault);
            }
        }
        let lost: Vec<ReplicaId> =
            self.heads.keys().filter(|replica| !stored.contains_key(replica)).copied().collect();
        for replica in lost {
            self.fault(replica, 0, "the recorded end of the chain is missing".to_owned());
        }
    }

    /// Returns how many are missing without that being a fault.
    fn payloads(&mut self, conn: &Connection, expect: Expect) -> Result<u64, JournalError> {
        let heads: HashMap<ReplicaId, u64> =
            self.heads.iter().map(|(replica, head)| (*replica, head.head_seq)).collect();
        let mut unpacker = Unpacker::default();
        db::payload::for_each(conn, |row| {
            let row = match row {
                Ok(row) => row,
                Err(error) => {
                    return self.fault(
                        ReplicaId([0; 16]),
                        0,
                        format!("a payload cannot be read: {error}"),
                    );
                }
            };
            let EventId { replica, seq, n } = row.event;
            match self.payloads.remove(&row.event) {
                // It came before the entry that names it, or what stands beside an event was named
                // later.
                None if expect == Expect::Past
                    || heads.get(&replica).is_none_or(|head| seq > *head) => {}
                None => self.fault(
                    replica,
                    seq,
                    format!("a payload stands beside event {n}, which names none"),
                ),
                Some(named) if named != row.hash => {
                    self.fault(
                        replica,
                        seq,
                        format!("the payload of event {n} is not the one it names"),
                    );
                }
                Some(_) => {
                    if let Err(error) = unpacker.unpack(conn, &row) {
                        self.fault(replica, seq, format!("event {n}: {error}"));
                    }
                }
            }
        })?;
        let (mut erased, mut missing) = (HashSet::new(), 0);
        let held = super::fold::held_detections(conn)?;
        for row in erasure::all(conn)? {
            erased.extend(erasure::forgotten(conn, row.id)?);
            erased.extend(held.iter().filter(|(case, _)| *case == row.id).map(|(_, event)| *event));
        }
        for event in
            std::mem::take(&mut self.payloads).into_keys().filter(|event| !erased.contains(event))
        {
            let EventId { replica, seq, n } = event;
            match expect {
                Expect::All => {
                    self.fault(replica, seq, format!("the payload of event {n} is missing"))
                }
                Expect::Locked | Expect::Past => missing += 1,
            }
        }
        Ok(missing)
    }

    fn dictionaries(&mut self, conn: &Connection) -> Result<(), JournalError> {
        for (hash, good) in db::payload::check_dictionaries(conn)? {
            if !good {
                self.fault(ReplicaId([0; 16]), 0, format!("the dictionary {hash} is damaged"));
            }
        }
        Ok(())
    }
}
