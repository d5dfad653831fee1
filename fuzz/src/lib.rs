//! What is fuzzed: each takes any bytes, and must neither panic nor hang, nor break what it says of
//! itself. `fuzz/run` builds and runs them; what they find becomes a test beside what it is about.

use std::cell::RefCell;
use std::io::{BufReader, Cursor, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use casework::config::Config;
use casework::db::Db;
use casework::db::journal::EntryRow;
use casework::domain::bidi::{Direction, arranged, order};
use casework::domain::glossary::Glossary;
use casework::domain::hygiene::facts_of_line;
use casework::domain::ids::ReplicaId;
use casework::domain::logline::LogLine;
use casework::domain::plugin::{Hello, PluginKind, Said, Suggestion};
use casework::domain::policy::Policy;
use casework::domain::prediction::{Prediction, Row};
use casework::domain::protocol::{parse, parse_strictly, walk};
use casework::domain::ssh_key::SshKey;
use casework::domain::text::{fit, visible, visible_lines, width, wrap};
use casework::domain::time::{Hlc, Moment};
use casework::domain::traps::TrapFile;
use casework::domain::{door, modality};
use casework::format::log::{LogOptions, told, unwrap};
use casework::format::open::{Input, Inputs, foreign};
use casework::format::read::Options;
use casework::format::read::bytes::Flaws;
use casework::format::read::csv::{Dialect, Rows};
use casework::format::read::files::parts_of;
use casework::journal::chain::{self, Append, deliver};
use casework::journal::entry::{BODY_VERSION, Body};
use casework::journal::fold::Fold;
use casework::journal::kind::{Head, KINDS, ReplicaJoined, WorkspaceFounded};
use casework::journal::{DeviceKey, check};
use casework::media::{picture, sound};
use casework::retrain::cut::recipe::Recipe;
use casework::retrain::gate::GateFile;
use casework::retrain::run::pipeline::Pipeline;
use casework::sync::segment::{
    Kind, Name, decode_journal, decode_payloads, encode_journal, encode_payloads,
};
use casework::trap::condition::Condition;
use casework::tui::input::Decoder;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

fn text_of(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

pub fn line(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let Ok(row) = Row::parse(text) else { return };
    let _ = (row.stream_name(), row.label(), row.confidence(), row.margin(), row.model_name());
    let _ = (row.session(), row.challenger().is_some(), row.text().len());
    let whole = Prediction::parse(text).expect("what is read quickly is read in full");
    let shown = whole.text();
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        let _ = facts_of_line(&value["input"], &shown);
        let parts = modality::parts(&value, |_| true);
        let _ = (modality::texts(&parts), modality::named_attachments(&parts));
        let _ = modality::glance(&value);
    }
}

/// A file with these bytes; what it is called, the first of them says.
fn file(data: &[u8], endings: &[&str]) -> Option<PathBuf> {
    let (first, rest) = data.split_first()?;
    let ending = endings[usize::from(*first) % endings.len()];
    let directory = std::env::temp_dir().join(format!("casework-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&directory).ok()?;
    let path = directory.join(format!("input.{ending}"));
    std::fs::File::create(&path).ok()?.write_all(rest).ok()?;
    Some(path)
}

pub fn reader(data: &[u8]) {
    let endings = ["jsonl", "json", "csv", "tsv", "zip", "gz", "txt", "xml", "conll", "ann"];
    let Some(path) = file(data, &endings) else { return };
    let Ok(parts) = parts_of(&path) else { return };
    let inputs =
        || Inputs::new(parts.clone(), Options::default(), Arc::new(AtomicBool::new(false)));
    let all = inputs();
    // Of an archive with a thousand members the first say it.
    for _ in 0..8 {
        match all.next_input() {
            Ok(Some(opened)) => {
                if let Input::Records(records) = opened.input {
                    for record in records.take(200).flatten() {
                        if let Ok(line) = record.line {
                            let _ = Prediction::parse(&line);
                        }
                    }
                }
            }
            Ok(None) => break,
            Err(error) => drop(error.to_string()),
        }
    }
    for part in parts.iter().take(8) {
        let _ = foreign::labels(&inputs(), part, None, Default::default());
    }
}

pub fn log(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    text.lines().take(50).for_each(|line| drop(LogLine::parse(line)));
    let options = LogOptions::default();
    if let Some(kind) = told(text, options) {
        let reader = Box::new(Cursor::new(data.to_vec()));
        let _ = unwrap(kind, reader, "fuzz", options, &Flaws::default(), |line| {
            LogLine::parse(line);
            Ok(())
        });
    }
}

/// A workspace in memory, with the key that founded it.
fn founded() -> (Db, DeviceKey) {
    let key = DeviceKey::from_seed([1; 32]);
    let mut db = Db::create(std::path::Path::new(":memory:")).expect("a database");
    let events = vec![
        Append::new(&WorkspaceFounded { name: "fuzz".into() }),
        Append::new(&ReplicaJoined::new("ana", &key)),
    ];
    chain::append(&mut db, &key, "ana", events, Moment(1_000)).expect("a workspace");
    (db, key)
}

pub fn entry(data: &[u8]) {
    thread_local! {
        static SCENE: RefCell<(Db, DeviceKey)> = RefCell::new(founded());
    }
    let Some(text) = text_of(data) else { return };
    let _ = Body::parse(data);
    if let Ok(head) = serde_json::from_str::<Head<'_>>(text)
        && let Some(kind) = KINDS.iter().find(|kind| kind.name == head.kind)
    {
        let _ = ((kind.reads)(text), (kind.payload)(text));
    }
    // As the next entry of the founder's chain: who may say anything says this.
    let events: Vec<Box<RawValue>> =
        text.lines().take(8).filter_map(|line| serde_json::from_str(line).ok()).collect();
    if events.is_empty() {
        return;
    }
    SCENE.with_borrow_mut(|(db, key)| {
        let replica = key.replica();
        let head = casework::db::journal::replica(&db.conn, replica).expect("reads").expect("is");
        let workspace = casework::db::journal::meta(&db.conn, "workspace").expect("reads");
        let workspace = casework::domain::ids::hex(&workspace.expect("is"));
        let body = Body {
            v: BODY_VERSION,
            workspace,
            replica,
            seq: head.head_seq + 1,
            prev: head.head_hash.to_string(),
            at: Hlc { ms: 2_000, n: 0 },
            wall: None,
            author: "ana".into(),
            visit: None,
            events,
        }
        .to_bytes();
        let entry = EntryRow { replica, seq: head.head_seq + 1, signature: key.sign(&body), body };
        let _ = check::named_payloads(&entry);
        let tx = db.begin().expect("a transaction");
        let mut fold = Fold::new(&tx).expect("a fold");
        let _ = deliver(&mut fold, entry, Moment(3_000)).expect("is taken in or waits");
        fold.finish().expect("is finished");
    });
}

pub fn segment(data: &[u8]) {
    let replica = ReplicaId([5; 16]);
    if let Ok(lines) = decode_journal(replica, data) {
        let entries: Vec<EntryRow> = lines.into_iter().flatten().collect();
        let again = encode_journal(&entries).expect("is encoded");
        let back: Vec<EntryRow> =
            decode_journal(replica, &again).expect("is read").into_iter().flatten().collect();
        assert_eq!(back, entries);
    }
    if let Ok(payloads) = decode_payloads(replica, data) {
        let again = encode_payloads(&payloads).expect("is encoded");
        assert_eq!(decode_payloads(replica, &again).expect("is read"), payloads);
    }
    if let Some(text) = text_of(data)
        && let Some(name) = Name::parse(text)
    {
        assert_eq!(name.to_string(), text);
    }
    let name = Name::of(Kind::Journal, replica, (1, 2), data, false);
    assert_eq!(Name::parse(&name.to_string()), Some(name));
}

pub fn protocol(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let _ = parse(text, None);
    let Ok(protocol) = parse_strictly(text, None) else { return };
    assert!(parse(text, None).is_ok(), "what is strictly right is right");
    let _ = (protocol.longest_path(), protocol.hash(), protocol.label_fields());
    // With the first answer of each question, as far as it goes.
    let mut answers = Vec::new();
    for question in protocol.questions.iter().take(50) {
        let answer = question.kind.answers().first().map(|answer| answer.key.to_string());
        answers.push((question.id.clone(), answer.unwrap_or_else(|| "y".to_owned())));
        let _ = walk(&protocol, &answers);
    }
}

pub fn documents(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let _ = (Glossary::parse(text), TrapFile::parse(text), Recipe::parse(text));
    let _ = (GateFile::parse(text), Pipeline::parse(text));
}

pub fn policy(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let mut policy = Policy::default();
    for line in text.lines().take(100) {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        if policy.set(name, value).is_ok() {
            let said = policy.get(name).expect("what was set can be asked for");
            let mut again = policy.clone();
            again.set(name, &said).expect("what is said of it can be set");
            assert_eq!(again, policy, "{name}={value} is {said}");
        }
    }
    let json = serde_json::to_string(&policy).expect("has a form");
    assert_eq!(serde_json::from_str::<Policy>(&json).expect("is read"), policy);
}

pub fn config(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    if let Err(error) = Config::parse(text, "config.toml") {
        drop(error.to_string());
    }
}

pub fn csv(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let head = String::from_utf8_lossy(&rest[..rest.len().min(4_096)]);
    let dialect = Dialect::of(&head);
    let reader = BufReader::new(Cursor::new(rest.to_vec()));
    if let Ok(rows) = Rows::new(reader, dialect, first % 2 == 0) {
        rows.take(500).for_each(drop);
    }
}

pub fn guard(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let (source, line) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(condition) = Condition::compile(source) else { return };
    if let Ok(Value::Object(object)) = serde_json::from_str(line) {
        let _ = condition.ask(&object);
    }
}

pub fn tokenizer(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    if let Ok(words) = door::words(text) {
        let line: Vec<String> = words.iter().map(|word| door::shell_word(word)).collect();
        assert_eq!(door::words(&line.join(" ")).ok(), Some(words), "{line:?}");
    }
    let _ = (door::is_network(text), SshKey::of_line(text), SshKey::of_blob(data));
    SshKey::all_of(text).iter().for_each(|key| drop((key.fingerprint(), key.weakness())));
}

pub fn replies(data: &[u8]) {
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    let (mut one, mut other) = (Decoder::new(), Decoder::new());
    one.feed(data, &mut whole);
    data.chunks(3).for_each(|some| other.feed(some, &mut cut));
    let _ = (one.patience(), other.patience());
    one.time_out(&mut whole);
    other.time_out(&mut cut);
    // Settled, nothing waits.
    one.time_out(&mut whole);
}

pub fn text(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let shown = visible(text);
    assert!(!shown.chars().any(|c| c.is_control()), "{shown:?}");
    visible_lines(text).iter().for_each(|line| assert!(!line.chars().any(|c| c.is_control())));
    for columns in [2, 7, 40] {
        assert!(width(&fit(&shown, columns)) <= columns, "{shown:?} in {columns}");
        for row in wrap(&shown, columns) {
            assert!(width(&row) <= columns, "{row:?} in {columns}");
        }
    }
    let base = Direction::of(&shown);
    let mut places: Vec<_> =
        order(&shown, base).into_iter().map(|seen| format!("{seen:?}")).collect();
    let n = places.len();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), n, "each sign stands once");
    let _ = arranged(&shown, base);
}

pub fn media(data: &[u8]) {
    if let Ok(picture) = picture::Picture::read(data) {
        let _ = picture.scaled(40, 16);
    }
    if let Ok(sound) = sound::Sound::read(data) {
        let _ = (sound.seconds(), sound.peak_and_rms(), sound.facts());
        let _ = (sound.strip(40, 8), sound.loudness(0, 40), sound.bands(40, 8));
    }
}

pub fn plugin(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let _ = serde_json::from_str::<Hello>(text);
    if let Ok(suggestion) = serde_json::from_str::<Suggestion>(text) {
        let _ = (suggestion.words(), suggestion.label());
    }
    let Ok(answer) = serde_json::from_str::<Map<String, Value>>(text) else { return };
    let plain = |text: &str| assert!(!text.chars().any(char::is_control));
    for kind in PluginKind::ALL {
        match Said::read(kind, &answer) {
            Ok(Said::Flags(flags)) => flags.iter().for_each(|flag| {
                plain(&flag.flag);
                assert!(flag.score.is_none_or(f64::is_finite));
            }),
            Ok(Said::Label(said)) => {
                assert!(said.confidence.is_none_or(|share| (0.0..=1.0).contains(&share)));
                plain(&said.rationale);
            }
            Ok(Said::Problems(problems)) => problems.iter().for_each(|one| plain(&one.what)),
            Err(_) => {}
        }
    }
}
