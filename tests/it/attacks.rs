//! What somebody can do who may write to the store, or who has an old key: each of these is tried,
//! and must come to nothing.

use std::fs;
use std::path::{Path, PathBuf};

use casework::config::Env;
use casework::db;
use casework::db::journal::{DroppedRow, EntryRow};
use casework::domain::ids::{CaseId, EventId, Hash, ReplicaId};
use casework::domain::roster::Role;
use casework::domain::time::Hlc;
use casework::journal::DeviceKey;
use casework::journal::blob::Packer;
use casework::journal::kind::*;
use casework::sync::Synced;
use casework::sync::segment::{Kind, Name, Payloads, encode_journal, encode_payloads};
use casework::workspace::Workspace;

use crate::support::{Place, body_hash, craft, ingest, line, workspace_id};

/// Ana founded; bo may do what `roles` say; both synced.
struct Scene {
    place: Place,
    ana: Workspace,
    bo: Workspace,
}

impl Scene {
    fn new(encrypt: bool, roles: &[Role]) -> Self {
        let place = Place::new();
        let path = |name: &str| casework::config::Paths { workspace: place.dir.path().join(name) };
        let store = place.dir.path().join("store");
        let url = store.to_str().unwrap();
        let mut ana = Workspace::found_on(
            path("ana"),
            Env::default(),
            "team",
            "ana",
            url,
            encrypt,
            &casework::workspace::create::STARTERS[0],
        )
        .unwrap();
        ingest(
            &mut ana,
            &(0..3)
                .map(|n| line(&format!("p{n}"), &format!("text {n}"), "pay", 0.2, n))
                .collect::<String>(),
        );
        let (bo, _) = Workspace::join(path("bo"), Env::default(), url, "bo", None, None).unwrap();
        let mut scene = Self { place, ana, bo };
        scene.sync();
        let replica = scene.bo.replica();
        scene.ana.admit("bo", roles, Some(replica), None).unwrap();
        scene.sync();
        scene
    }

    fn store(&self) -> PathBuf {
        self.place.dir.path().join("store")
    }

    fn sync(&mut self) -> [Synced; 2] {
        let mut last = [&mut self.ana, &mut self.bo].map(sync);
        last[0] = sync(&mut self.ana);
        last
    }

    fn agree(&mut self) {
        for _ in 0..3 {
            self.sync();
        }
        assert_eq!(self.ana.digest().unwrap(), self.bo.digest().unwrap());
    }

    /// Writes a segment, as anybody can who may write to the store.
    fn plant(&self, kind: Kind, replica: ReplicaId, run: (u64, u64), bytes: &[u8]) {
        let path = self.store().join(Name::of(kind, replica, run, bytes, false).to_string());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn sync(workspace: &mut Workspace) -> Synced {
    let mut store = workspace.open_store(None).unwrap();
    workspace.sync_with(&mut *store, &|| true).unwrap()
}

fn key_of(path: &Path) -> DeviceKey {
    DeviceKey::load(&path.join("device.key")).unwrap()
}

fn case(workspace: &Workspace) -> CaseId {
    workspace.find_case("p0").unwrap().id
}

#[test]
fn a_name_that_promises_more_than_it_holds_stops_nobody_from_pushing() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    for replica in [scene.bo.replica(), scene.ana.replica()] {
        let empty = encode_journal(&[]).unwrap();
        scene.plant(Kind::Journal, replica, (1, 4_000_000_000), &empty);
        let none = encode_payloads(&Payloads::default()).unwrap();
        scene.plant(Kind::Payload, replica, (1, 4_000_000_000), &none);
    }
    let id = case(&scene.bo);
    scene.bo.comment(id, "still heard").unwrap();
    scene.agree();
    let row = scene.ana.find_case("p0").unwrap();
    assert!(
        scene
            .ana
            .open_case(row)
            .unwrap()
            .history
            .iter()
            .any(|line| line.words.contains("still heard"))
    );
    assert_eq!(scene.bo.sync_status().unwrap().unpushed, 0);
    // And what the store loses of payloads is filled again in spite of it.
    for entry in
        fs::read_dir(scene.store().join("payload").join(scene.ana.replica().to_string())).unwrap()
    {
        let path = entry.unwrap().path();
        if fs::metadata(&path).unwrap().len() > 60 {
            fs::remove_file(path).unwrap();
        }
    }
    sync(&mut scene.bo);
    let paths = casework::config::Paths { workspace: scene.place.dir.path().join("dee") };
    let (dee, _) =
        Workspace::join(paths, Env::default(), scene.store().to_str().unwrap(), "dee", None, None)
            .unwrap();
    assert_eq!(dee.search("text", 9).unwrap().len(), 3, "a newcomer gets the payloads");
}

#[test]
fn a_strangers_clock_moves_nobody() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    let stranger = DeviceKey::from_seed([77; 32]);
    let workspace = workspace_id(scene.ana.tables());
    let ahead = casework::clock::now().0 + 40 * 3_600_000;
    for (n, at) in [(1, Hlc { ms: ahead, n: u32::MAX }), (2, Hlc { ms: ahead, n: 5 })] {
        let key =
            if n == 1 { DeviceKey::from_seed([78; 32]) } else { DeviceKey::from_seed([77; 32]) };
        let join = encode(&ReplicaJoined::new("eve", &key));
        let entry = craft(&key, workspace, 1, "", at, "eve", vec![join]);
        scene.plant(Kind::Journal, key.replica(), (1, 1), &encode_journal(&[entry]).unwrap());
    }
    scene.sync();
    assert!(
        db::journal::replica(&scene.bo.tables().conn, stranger.replica()).unwrap().is_some(),
        "a request is a request"
    );
    let id = case(&scene.bo);
    let appended = scene.bo.comment(id, "now").unwrap();
    assert!(appended.at.ms < ahead - 3_600_000, "bo's clock did not follow a stranger's");
    scene.agree();
}

#[test]
fn numbers_that_no_chain_has_are_kept_out_and_the_rest_goes_on() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    let (bo, workspace) =
        (key_of(&scene.place.dir.path().join("bo")), workspace_id(scene.ana.tables()));
    let at = Hlc { ms: casework::clock::now().0, n: 0 };
    let comment = || encode(&CaseCommented::new(CaseId::of("s", "p0"), "x".into()));
    for seq in [0, 1 << 63, u64::MAX] {
        let entry = craft(&bo, workspace, seq, "00", at, "bo", vec![comment()]);
        scene.plant(
            Kind::Journal,
            bo.replica(),
            (700 + seq % 7, 700 + seq % 7),
            &encode_journal(&[entry]).unwrap(),
        );
    }
    let event = EventId { replica: bo.replica(), seq: 1 << 63, n: 0 };
    let row = Packer::new(None).unwrap().pack(b"{}", [0; 16]).unwrap().into_row(event);
    let bytes = encode_payloads(&Payloads { rows: vec![row], ..Payloads::default() }).unwrap();
    scene.plant(Kind::Payload, bo.replica(), (5, 5), &bytes);
    let far = "{\"kind\":\"label.withdrawn\",\"v\":1,\"case\":\"00000000000000000000000000000000\",\"label\":\"00000000000000000000000000000000:18446744073709551615:0\",\"reviewer\":\"bo\"}";
    let retired = ReviewerRetired {
        name: "bo".into(),
        replica: bo.replica(),
        after: u64::MAX,
        last: None,
        reason: String::new(),
        heirs: vec![],
    };
    let head = db::journal::replica(&scene.bo.tables().conn, bo.replica()).unwrap().unwrap();
    let events =
        vec![serde_json::value::RawValue::from_string(far.into()).unwrap(), encode(&retired)];
    let entry = craft(
        &bo,
        workspace,
        head.head_seq + 1,
        &head.head_hash.to_string(),
        head.at.next(casework::clock::now()),
        "bo",
        events,
    );
    scene.plant(
        Kind::Journal,
        bo.replica(),
        (entry.seq, entry.seq),
        &encode_journal(&[entry]).unwrap(),
    );
    let synced = sync(&mut scene.ana);
    assert!(synced.quarantined.len() >= 5, "{:?}", synced.quarantined);
    let id = case(&scene.ana);
    scene.ana.comment(id, "goes on").unwrap();
    sync(&mut scene.ana);
}

#[test]
fn a_payload_planted_for_a_number_to_come_makes_way() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    let replica = scene.ana.replica();
    let head = db::journal::replica(&scene.ana.tables().conn, replica).unwrap().unwrap().head_seq;
    let junk = |seq: u64, n: u32| {
        Packer::new(None).unwrap().pack(b"{\"junk\":1}", [9; 16]).unwrap().into_row(EventId {
            replica,
            seq,
            n,
        })
    };
    let rows = (head + 1..head + 9)
        .flat_map(|seq| (0..4).map(move |n| (seq, n)))
        .map(|(seq, n)| junk(seq, n))
        .collect();
    let bytes = encode_payloads(&Payloads { rows, ..Payloads::default() }).unwrap();
    scene.plant(Kind::Payload, replica, (head + 1, head + 9), &bytes);
    scene.sync();
    ingest(
        &mut scene.ana,
        &(5..8)
            .map(|n| line(&format!("p{n}"), &format!("fresh {n}"), "pay", 0.2, n))
            .collect::<String>(),
    );
    scene.agree();
    for workspace in [&mut scene.ana, &mut scene.bo] {
        let row = workspace.find_case("p6").unwrap();
        assert!(
            workspace.open_case(row).unwrap().prediction.is_some(),
            "{} lost the input",
            workspace.me
        );
        assert!(workspace.verify_all(false).unwrap().ok, "{:?}", workspace.verify().unwrap());
    }
}

#[test]
fn an_old_key_cannot_unmake_what_it_wrote_by_writing_it_again() {
    let mut scene = Scene::new(false, &[Role::Lead, Role::Reviewer]);
    let old = key_of(&scene.place.dir.path().join("ana"));
    scene.ana.rotate_key().unwrap();
    scene.agree();
    let (digest, workspace) = (scene.ana.digest().unwrap(), workspace_id(scene.ana.tables()));
    // The founding entry itself, and one in the middle of the chain.
    let join = encode(&ReplicaJoined::new("ana", &old));
    let first = craft(&old, workspace, 1, "", Hlc { ms: 1, n: 0 }, "ana", vec![join]);
    let second = craft(&old, workspace, 2, &body_hash(&first), Hlc { ms: 2, n: 0 }, "ana", vec![]);
    scene.plant(Kind::Journal, old.replica(), (1, 2), &encode_journal(&[first, second]).unwrap());
    let prev = db::journal::entry(&scene.ana.tables().conn, old.replica(), 2).unwrap().unwrap();
    let at = Hlc { ms: casework::clock::now().0, n: 0 };
    let third = craft(&old, workspace, 3, &body_hash(&prev), at, "ana", vec![]);
    scene.plant(Kind::Journal, old.replica(), (3, 3), &encode_journal(&[third]).unwrap());
    scene.agree();
    assert_eq!(scene.ana.digest().unwrap(), digest, "nothing changed");
    assert_eq!(scene.bo.status().unwrap().cases.open, 3);
    assert!(!scene.bo.verify_all(false).unwrap().ok, "and it is named");
    // Whoever meets the forgery first comes to the same.
    let paths = casework::config::Paths { workspace: scene.place.dir.path().join("dee") };
    let (mut dee, _) =
        Workspace::join(paths, Env::default(), scene.store().to_str().unwrap(), "dee", None, None)
            .unwrap();
    sync(&mut dee);
    scene.agree();
    sync(&mut dee);
    assert_eq!(dee.digest().unwrap(), scene.ana.digest().unwrap());
}

#[test]
fn whoever_changes_keys_keeps_the_secrets_and_an_old_key_gets_no_new_one() {
    let mut scene = Scene::new(true, &[Role::Reviewer]);
    scene.ana.rotate_key().unwrap();
    scene.bo.rotate_key().unwrap();
    ingest(&mut scene.ana, &line("p9", "after the change", "pay", 0.2, 9));
    scene.agree();
    assert_eq!(scene.bo.search("after", 9).unwrap().len(), 1);
    assert_eq!(scene.ana.sync_status().unwrap().unpushed, 0);
}

#[test]
fn odd_files_on_a_store_hang_and_exhaust_nobody() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    let chain = scene.store().join("journal").join(scene.bo.replica().to_string());
    let name = |n: u64| chain.join(format!("{n}-{n}-{}.zst", Hash([n as u8; 32])));
    std::process::Command::new("mkfifo").arg(name(50)).status().unwrap();
    std::os::unix::fs::symlink("/", name(51)).unwrap();
    fs::File::create(name(52)).unwrap().set_len(1 << 40).unwrap();
    let lines = zstd::bulk::compress("x\n".repeat(4 << 20).as_bytes(), 3).unwrap();
    scene.plant(Kind::Journal, scene.bo.replica(), (60, 60), &lines);
    let synced = sync(&mut scene.ana);
    assert!(
        synced.quarantined.len() == 1
            && synced.notices.iter().any(|notice| notice.contains("52-52")),
        "{synced:?}"
    );
    let again = sync(&mut scene.ana);
    assert_eq!(again.pulled.bytes, 0, "what is no good is not read again and again");
}

#[test]
fn what_a_retired_key_detected_is_erased_with_the_rest() {
    let mut scene = Scene::new(false, &[Role::Engineer, Role::Reviewer]);
    scene.ana.retire("bo", None, "left").unwrap();
    // Bo has not heard of it, and detects the same case again.
    ingest(&mut scene.bo, &line("q1", "okapi stripes", "pay", 0.2, 7));
    ingest(&mut scene.ana, &line("q1", "okapi stripes", "pay", 0.2, 7));
    scene.agree();
    let row = scene.ana.find_case("q1").unwrap();
    scene.ana.erase(&row, "asked to").unwrap();
    scene.agree();
    for workspace in [&scene.ana, &scene.bo] {
        let mut left = Vec::new();
        db::payload::for_each(&workspace.tables().conn, |row| left.push(row.unwrap().bytes))
            .unwrap();
        let holds = |bytes: &Vec<u8>| bytes.windows(5).any(|window| window == b"okapi");
        assert!(!left.iter().any(holds), "{} still has it", workspace.me);
    }
}

#[test]
fn a_back_dated_detection_does_not_replace_what_was_labeled() {
    let mut scene = Scene::new(false, &[Role::Engineer, Role::Reviewer]);
    let (old, new) = (key_of(&scene.place.dir.path().join("bo")), DeviceKey::from_seed([55; 32]));
    let workspace = workspace_id(scene.ana.tables());
    let join = ReplicaJoined {
        replaces: Some(Vouch::by(&old, "bo", &new.public())),
        ..ReplicaJoined::new("bo", &new)
    };
    let detected = CaseDetected {
        case: case(&scene.ana),
        stream: "s".into(),
        id: "p0".into(),
        occurred_ms: casework::domain::time::Moment(1),
        model: String::new(),
        predicted: None,
        confidence: None,
        flags: vec![],
        rank: 1,
        payload: Hash([6; 32]),
        language: String::new(),
        needs: vec![],
        why: Vec::new(),
        alarm: None,
    };
    let entry = craft(
        &new,
        workspace,
        1,
        "",
        Hlc { ms: 1, n: 0 },
        "bo",
        vec![encode(&join), encode(&detected)],
    );
    scene.plant(Kind::Journal, new.replica(), (1, 1), &encode_journal(&[entry]).unwrap());
    scene.agree();
    let row = scene.ana.find_case("p0").unwrap();
    assert_eq!(row.event.replica, scene.ana.replica(), "the case is what ana detected");
    assert!(scene.ana.open_case(row).unwrap().prediction.is_some());
}

#[test]
fn two_copies_that_push_at_the_same_moment_end_alike_and_lose_nothing() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    let twin = scene.place.dir.path().join("twin");
    fs::create_dir(&twin).unwrap();
    scene.bo.tables().conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    for name in ["casework.db", "device.key"] {
        fs::copy(scene.place.dir.path().join("bo").join(name), twin.join(name)).unwrap();
    }
    let mut twin =
        Workspace::open(casework::config::Paths { workspace: twin }, Env::default(), None).unwrap();
    let id = case(&scene.bo);
    let key = key_of(&scene.place.dir.path().join("bo"));
    scene.bo.comment(id, "from one").unwrap();
    twin.comment(id, "from the other").unwrap();
    // Both have looked at the store, and now both write.
    for workspace in [&scene.bo, &twin] {
        let head = db::journal::replica(&workspace.tables().conn, key.replica())
            .unwrap()
            .unwrap()
            .head_seq;
        let entry =
            db::journal::entry(&workspace.tables().conn, key.replica(), head).unwrap().unwrap();
        let bytes = encode_journal(&[entry]).unwrap();
        let name = Name::of(Kind::Journal, key.replica(), (head, head), &bytes, false).to_string();
        scene.plant(Kind::Journal, key.replica(), (head, head), &bytes);
        let url = workspace.store_url().unwrap().unwrap();
        let known = db::store::Known { bytes: bytes.len() as u64, good: true };
        db::store::insert_segment(&workspace.tables().conn, &url, &name, known).unwrap();
    }
    for _ in 0..4 {
        scene.sync();
        sync(&mut twin);
    }
    let digest = scene.ana.digest().unwrap();
    assert!(scene.bo.digest().unwrap() == digest && twin.digest().unwrap() == digest);
    let row = scene.ana.find_case("p0").unwrap();
    let history = scene.ana.open_case(row).unwrap().history;
    for words in ["from one", "from the other"] {
        assert!(history.iter().any(|line| line.words.contains(words)), "{words} is lost");
    }
}

#[test]
fn what_two_leads_erase_at_the_same_moment_is_shown_beside_no_case() {
    let mut scene = Scene::new(false, &[Role::Lead, Role::Reviewer]);
    for (workspace, own) in [(&mut scene.ana, "p0"), (&mut scene.bo, "p1")] {
        let row = workspace.find_case(own).unwrap();
        workspace.erase(&row, "asked to").unwrap();
    }
    scene.agree();
    for workspace in [&mut scene.ana, &mut scene.bo] {
        let row = workspace.find_case("p2").unwrap();
        let open = workspace.open_case(row).unwrap();
        assert!(open.prediction.is_some(), "its own input stays");
        assert_eq!(open.neighbours, [], "{} still sees what was erased", workspace.me);
    }
}

/// A key by its number.
fn made_up(n: u32) -> DeviceKey {
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&n.to_le_bytes());
    DeviceKey::from_seed(seed)
}

/// The chain of somebody who joins and then says so many things, in one segment.
fn chain(scene: &Scene, key: &DeviceKey, name: &str, said: usize) -> Vec<EntryRow> {
    let workspace = workspace_id(scene.ana.tables());
    let mut entries: Vec<EntryRow> = Vec::new();
    for n in 0..=said {
        let event = match n {
            0 => encode(&ReplicaJoined::new(name, key)),
            n => encode(&CaseCommented::new(case(&scene.ana), format!("{name} says {n}"))),
        };
        let prev = entries.last().map(body_hash).unwrap_or_default();
        let at = Hlc { ms: casework::clock::now().0 + n as i64, n: 0 };
        entries.push(craft(key, workspace, n as u64 + 1, &prev, at, name, vec![event]));
    }
    entries
}

fn dropped(workspace: &Workspace) -> Vec<DroppedRow> {
    db::journal::dropped(&workspace.tables().conn).unwrap()
}

#[test]
fn what_is_forged_is_named_and_not_kept() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    let workspace = workspace_id(scene.ana.tables());
    let bo = scene.bo.replica();
    let head = db::journal::replica(&scene.ana.tables().conn, bo).unwrap().unwrap();
    // In bo's name, by another key: the next entry, later ones, an old one.
    for seq in [1, 2, 3, 9, 500] {
        let event = encode(&CaseCommented::new(case(&scene.ana), "forged".into()));
        let at = Hlc { ms: head.at.ms + 9, n: 0 };
        let (key, prev) = (made_up(1), head.head_hash.to_string());
        let mut forged = craft(&key, workspace, seq, &prev, at, "bo", vec![event]);
        forged.body = String::from_utf8(forged.body)
            .unwrap()
            .replace(&forged.replica.to_string(), &bo.to_string())
            .into_bytes();
        forged.replica = bo;
        forged.signature = key.sign(&forged.body);
        scene.plant(Kind::Journal, bo, (seq, seq), &encode_journal(&[forged]).unwrap());
    }
    scene.agree();
    let pending = db::journal::all_pending(&scene.ana.tables().conn).unwrap();
    assert_eq!(pending, [], "nothing of it waits");
    let faults = scene.ana.verify().unwrap().faults;
    let of_bo = faults.iter().filter(|fault| fault.replica == bo.to_string());
    let words: Vec<&str> = of_bo.map(|fault| fault.fault.as_str()).collect();
    assert!(
        words.iter().any(|words| words.contains("are not kept: the signature is not good")),
        "{words:?}"
    );
    // What bo says goes on as ever.
    let id = case(&scene.bo);
    scene.bo.comment(id, "still here").unwrap();
    scene.agree();
    let row = scene.ana.find_case("p0").unwrap();
    let history = scene.ana.open_case(row).unwrap().history;
    assert!(history.iter().any(|line| line.words.contains("still here")));
}

#[test]
fn of_strangers_little_is_kept_and_all_is_read_once_they_are_let_in() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    let eve = made_up(2);
    let entries = chain(&scene, &eve, "eve", 40);
    for (n, some) in entries.chunks(10).enumerate() {
        let run = (n as u64 * 10 + 1, n as u64 * 10 + some.len() as u64);
        scene.plant(Kind::Journal, eve.replica(), run, &encode_journal(some).unwrap());
    }
    scene.agree();
    let head = db::journal::replica(&scene.ana.tables().conn, eve.replica()).unwrap().unwrap();
    assert!(head.head_seq < 10, "{}", head.head_seq);
    let words = format!("{:?}", scene.ana.verify().unwrap().faults);
    assert!(words.contains("only the first few are kept"), "{words}");
    scene.ana.admit("eve", &[Role::Reviewer], Some(eve.replica()), None).unwrap();
    scene.agree();
    for workspace in [&scene.ana, &scene.bo] {
        let head = db::journal::replica(&workspace.tables().conn, eve.replica()).unwrap().unwrap();
        assert_eq!(head.head_seq, 41);
        assert_eq!(dropped(workspace), []);
    }
}

#[test]
fn a_crowd_of_strangers_fills_no_disk_and_keeps_nobody_out() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    for n in 100..260 {
        let key = made_up(n);
        let entries = chain(&scene, &key, &format!("guest{n}"), 0);
        scene.plant(Kind::Journal, key.replica(), (1, 1), &encode_journal(&entries).unwrap());
    }
    scene.agree();
    let asks = |workspace: &Workspace| {
        let people = workspace.everybody().unwrap();
        people.iter().filter(|person| person.holder.waits()).count()
    };
    assert_eq!(asks(&scene.ana), 100);
    assert_eq!(dropped(&scene.ana)[0].n, 60);
    // Whoever was not read is let in by the whole name of their device.
    let read = |n: &u32| {
        let replica = made_up(*n).replica();
        db::journal::replica(&scene.ana.tables().conn, replica).unwrap().is_some()
    };
    let left_out = (100..260).find(|n| !read(n)).unwrap();
    let (name, replica) = (format!("guest{left_out}"), made_up(left_out).replica());
    assert!(scene.ana.asking(&name, Some(&replica.to_string()[..8])).is_err());
    let asking = scene.ana.asking(&name, Some(&replica.to_string())).unwrap().unwrap();
    scene.ana.admit(&name, &[Role::Reviewer], Some(asking.replica), None).unwrap();
    scene.agree();
    assert!(db::journal::replica(&scene.bo.tables().conn, replica).unwrap().is_some());
    // And somebody who changes keys is no stranger.
    scene.bo.rotate_key().unwrap();
    let id = case(&scene.bo);
    scene.bo.comment(id, "under a new key").unwrap();
    scene.agree();
}

#[test]
fn what_was_left_out_is_read_though_the_list_of_it_is_full() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    for n in 0..300_u32 {
        let replica = made_up(5_000 + n).replica();
        let row = DroppedRow { replica, why: "noise".into(), n: 1, seq: 1 };
        db::journal::count_dropped(&scene.ana.tables().conn, &row).unwrap();
    }
    assert_eq!(dropped(&scene.ana).len(), 201, "the rest stand together");
    let eve = made_up(3);
    let entries = chain(&scene, &eve, "eve", 20);
    scene.plant(Kind::Journal, eve.replica(), (1, 21), &encode_journal(&entries).unwrap());
    sync(&mut scene.ana);
    scene.ana.admit("eve", &[Role::Reviewer], Some(eve.replica()), None).unwrap();
    sync(&mut scene.ana);
    let head = db::journal::replica(&scene.ana.tables().conn, eve.replica()).unwrap().unwrap();
    assert_eq!(head.head_seq, 21);
}

#[test]
fn a_crowd_keeps_no_key_out_that_another_vouches_for_whichever_comes_first() {
    let mut scene = Scene::new(false, &[Role::Reviewer]);
    for n in 100..230 {
        let key = made_up(n);
        let entries = chain(&scene, &key, &format!("guest{n}"), 0);
        scene.plant(Kind::Journal, key.replica(), (1, 1), &encode_journal(&entries).unwrap());
    }
    scene.agree();
    // Ana hears of six new keys of bo's at once, each vouched for by the one before.
    let id = case(&scene.bo);
    for n in 0..6 {
        scene.bo.rotate_key().unwrap();
        scene.bo.comment(id, &format!("under key {n}")).unwrap();
        sync(&mut scene.bo);
    }
    scene.agree();
    let row = scene.ana.find_case("p0").unwrap();
    let history = scene.ana.open_case(row).unwrap().history;
    for n in 0..6 {
        let words = format!("under key {n}");
        assert!(history.iter().any(|line| line.words.contains(&words)), "{words}");
    }
    // And so does somebody who comes to the store for the first time.
    let paths = casework::config::Paths { workspace: scene.place.dir.path().join("dee") };
    let url = scene.store();
    let joined = Workspace::join(paths, Env::default(), url.to_str().unwrap(), "dee", None, None);
    let (mut dee, _) = joined.unwrap();
    sync(&mut dee);
    scene.agree();
    assert_eq!(dee.digest().unwrap(), scene.ana.digest().unwrap());
}
