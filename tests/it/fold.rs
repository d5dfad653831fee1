//! The folded state depends on the set of entries: not on their order, repetition or batches.

use std::sync::OnceLock;

use casework::db::journal::EntryRow;
use casework::db::payload::PayloadRow;
use casework::db::{self, Db};
use casework::domain::arbitration::{Cause, Ruling};
use casework::domain::calibration::Ending;
use casework::domain::estimate::Estimate;
use casework::domain::ids::{CaseId, EventId, Hash};
use casework::domain::label::{Label, MAIN_ROUND, ProtocolRef};
use casework::domain::paths::{ANY_NAME, Choice, End, Names, Paths};
use casework::domain::plugin::{OwnWords, Suggestion};
use casework::domain::policy::{Agents, Copies, Policy, Rule, Witness};
use casework::domain::protocol;
use casework::domain::roster::Role;
use casework::domain::time::{Hlc, Moment};
use casework::domain::traps::{Why, draw};
use casework::journal::agekey::Secret;
use casework::journal::blob::Packer;
use casework::journal::chain::deliver;
use casework::journal::fold::{Fold, refold};
use casework::journal::kind::*;
use casework::journal::sealed::seal;
use casework::journal::{Delivered, DeviceKey};
use proptest::prelude::*;
use serde_json::value::RawValue;

use crate::support::{Place, body_hash, craft, digest, entries, workspace_id};

/// What a replica may do, in numbers that proptest can shrink.
#[derive(Debug, Clone)]
enum Act {
    Detect { case: u8 },
    Label { case: u8, who: u8, verdict: u8 },
    Seal { case: u8, verdict: u8, to: u8 },
    Reveal { key: u8 },
    Withdraw { back: u8 },
    Comment { case: u8 },
    Defer { case: u8 },
    Admit { who: u8, lead: bool },
    Retire { who: u8, after: u8 },
    Erase { case: u8 },
    Policy { overlap: u8, rule: u8 },
    Rule { case: u8, verdict: u8 },
    Unrule { back: u8 },
    Appeal { back: u8 },
    Return { back: u8 },
    Estimate { skill: u8 },
    Rename { version: u8 },
    Suggest { case: u8, verdict: u8, by: u8 },
    Unknown,
    Malformed,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..4_u8).prop_map(|case| Act::Detect { case }),
        6 => (0..4_u8, 0..4_u8, 0..2_u8).prop_map(|(case, who, verdict)| Act::Label { case, who, verdict }),
        3 => (0..4_u8, 0..2_u8, 0..4_u8).prop_map(|(case, verdict, to)| Act::Seal { case, verdict, to }),
        2 => (0..2_u8).prop_map(|key| Act::Reveal { key }),
        2 => (0..4_u8).prop_map(|back| Act::Withdraw { back }),
        1 => (0..4_u8).prop_map(|case| Act::Comment { case }),
        1 => (0..4_u8).prop_map(|case| Act::Defer { case }),
        2 => (0..4_u8, any::<bool>()).prop_map(|(who, lead)| Act::Admit { who, lead }),
        1 => (0..4_u8, 0..9_u8).prop_map(|(who, after)| Act::Retire { who, after }),
        1 => (0..4_u8).prop_map(|case| Act::Erase { case }),
        2 => (1..4_u8, 0..5_u8).prop_map(|(overlap, rule)| Act::Policy { overlap, rule }),
        2 => (0..4_u8, 0..2_u8).prop_map(|(case, verdict)| Act::Rule { case, verdict }),
        1 => (0..3_u8).prop_map(|back| Act::Unrule { back }),
        1 => (0..3_u8).prop_map(|back| Act::Appeal { back }),
        1 => (0..3_u8).prop_map(|back| Act::Return { back }),
        1 => (0..5_u8).prop_map(|skill| Act::Estimate { skill }),
        1 => (1..4_u8).prop_map(|version| Act::Rename { version }),
        3 => (0..4_u8, 0..3_u8, 0..2_u8)
            .prop_map(|(case, verdict, by)| Act::Suggest { case, verdict, by }),
        1 => Just(Act::Unknown),
        1 => Just(Act::Malformed),
    ]
}

/// A wall clock after everything that is written here.
const LATER: Moment = Moment(crate::support::T0.0 + 86_400_000);

const NAMES: [&str; 4] = ["ana", "bo", "chidi", "dee"];

fn session_key(n: u8) -> &'static Secret {
    static KEYS: OnceLock<[Secret; 2]> = OnceLock::new();
    &KEYS.get_or_init(|| [Secret::new(), Secret::new()])[usize::from(n)]
}

fn device(who: usize) -> DeviceKey {
    DeviceKey::from_seed([who as u8 + 1; 32])
}

/// Chains that the four wrote, some of it beyond what they were admitted for.
fn chains(founder: &Db, acts: &[(u8, u8, Act)]) -> (Vec<EntryRow>, Vec<PayloadRow>) {
    let workspace = workspace_id(founder);
    let mut all = entries(founder);
    let mut payloads = Vec::new();
    let mut heads: Vec<(u64, String)> = (0..4).map(|_| (0, String::new())).collect();
    heads[0] = (all.len() as u64, body_hash(all.last().unwrap()));
    let mut written = Written::default();
    let mut clock = crate::support::T0.0 + 1000;
    // Some acts stand in one entry with the one before.
    let mut groups: Vec<Vec<&(u8, u8, Act)>> = Vec::new();
    for one in acts {
        match groups.last_mut() {
            Some(group) if one.1 % 3 == 0 && group.len() < 6 => group.push(one),
            _ => groups.push(vec![one]),
        }
    }
    for group in groups {
        let (who, pause, _) = group[0];
        let who = usize::from(*who) % 4;
        let key = device(who);
        if heads[who].0 == 0 {
            let joined = encode(&ReplicaJoined::new(NAMES[who], &key));
            push(&mut all, &mut heads[who], &key, workspace, clock, NAMES[who], vec![joined]);
        }
        clock += i64::from(*pause) - 2; // clocks of different devices go back and forth
        clock = clock.max(crate::support::T0.0 + 1);
        let seq = heads[who].0 + 1;
        let events = (0..)
            .zip(group)
            .map(|(n, (.., act))| event_of(act, who, (seq, n), &mut written, &mut payloads, &key));
        let events = events.collect();
        push(
            &mut all,
            &mut heads[who],
            &key,
            workspace,
            clock + i64::from(seq as u32) * 10,
            NAMES[who],
            events,
        );
    }
    (all, payloads)
}

fn push(
    all: &mut Vec<EntryRow>,
    head: &mut (u64, String),
    key: &DeviceKey,
    workspace: Hash,
    ms: i64,
    author: &str,
    events: Vec<Box<RawValue>>,
) {
    let before = all
        .iter()
        .filter(|entry| entry.replica == key.replica())
        .filter_map(|entry| casework::journal::entry::Body::parse(&entry.body));
    let latest = before.map(|body| body.at).max().unwrap_or_default();
    let at = latest.next(Moment(ms));
    let entry = craft(key, workspace, head.0 + 1, &head.1, Hlc { ..at }, author, events);
    *head = (entry.seq, body_hash(&entry));
    all.push(entry);
}

/// What later events may be about.
#[derive(Default)]
struct Written {
    labels: Vec<LabelWithdrawn>,
    rulings: Vec<(CaseId, EventId)>,
}

impl Written {
    fn ruling(&self, back: u8) -> (CaseId, EventId) {
        let nothing =
            (CaseId::of("s", "0"), EventId { replica: device(0).replica(), seq: 1, n: 0 });
        self.rulings.iter().rev().nth(back.into()).copied().unwrap_or(nothing)
    }
}

fn event_of(
    act: &Act,
    who: usize,
    (seq, n): (u64, u32),
    written: &mut Written,
    payloads: &mut Vec<PayloadRow>,
    key: &DeviceKey,
) -> Box<RawValue> {
    let case = |n: u8| CaseId::of("s", &n.to_string());
    let event = EventId { replica: key.replica(), seq, n };
    match *act {
        Act::Detect { case: n } => {
            let text = crate::support::line(&n.to_string(), "some text", "x", 0.5, i64::from(n));
            let json = format!("{{\"prediction\":{}}}", text.trim());
            let packed = Packer::new(None).unwrap().pack(json.as_bytes(), [seq as u8; 16]).unwrap();
            let payload = packed.hash;
            payloads.push(packed.into_row(event));
            encode(&CaseDetected {
                case: case(n),
                stream: "s".into(),
                id: n.to_string(),
                occurred_ms: Moment(i64::from(n)),
                model: String::new(),
                predicted: Some("x".into()),
                confidence: Some(0.5),
                flags: vec![NAMES[who].into()],
                rank: 10,
                payload,
                language: String::new(),
                needs: vec![],
                // Devices that watch with different traps, of which a day takes one or two.
                why: (0..who % 3)
                    .map(|trap| Why {
                        trap: format!("t{trap}"),
                        version: "v".into(),
                        score: None,
                        u: draw(&format!("t{trap}"), "s", &n.to_string()),
                        rate: None,
                        per_day: Some(1 + trap as u32),
                    })
                    .collect(),
                alarm: None,
            })
        }
        Act::Label { case: n, who: other, verdict } => {
            // Mostly one's own label, sometimes in another's name.
            let reviewer = if other == 3 { NAMES[usize::from(n) % 4] } else { NAMES[who] };
            written.labels.push(LabelWithdrawn {
                case: case(n),
                label: event,
                reviewer: reviewer.into(),
            });
            encode(&LabelGiven(Label {
                outcome: [("verdict".to_owned(), format!("v{verdict}").into())].into(),
                path: [("q".to_owned(), format!("v{verdict}"))]
                    .into_iter()
                    .chain((verdict == 1).then(|| ("name".to_owned(), format!("n{}", n % 3))))
                    .collect(),
                ..Label::empty(
                    case(n),
                    reviewer,
                    MAIN_ROUND,
                    ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) },
                )
            }))
        }
        Act::Seal { case: n, verdict, to } => {
            let reviewer = NAMES[who].to_owned();
            let label = LabelWithdrawn { case: case(n), label: event, reviewer };
            written.labels.push(label);
            // Sometimes it is of another case than it says.
            let of = if to == 3 { case(n + 1) } else { case(n) };
            let reference = ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) };
            let label = Label {
                outcome: [("verdict".to_owned(), format!("v{verdict}").into())].into(),
                ..Label::empty(of, NAMES[who], "june", reference)
            };
            let to = &session_key(to % 2).recipient;
            let sealed = seal(&label, to, key).unwrap();
            let (case, round, to) = (case(n), "june".into(), to.clone());
            encode(&LabelSealed { case, round, to, sealed, given_at: None })
        }
        Act::Reveal { key } => encode(&SessionRevealed(Ending {
            session: "june".into(),
            sealed: Vec::new(),
            note: String::new(),
            key: Some(session_key(key).text()),
        })),
        Act::Withdraw { back } => match written.labels.iter().rev().nth(back.into()) {
            // Sometimes it says that the label is of another case, and then has no effect.
            Some(label) if back == 3 => encode(&LabelWithdrawn { case: case(0), ..label.clone() }),
            Some(label) => encode(label),
            None => encode(&CaseCommented::new(case(0), "nothing to withdraw".into())),
        },
        Act::Comment { case: n } => encode(&CaseCommented::new(case(n), "hm".into())),
        Act::Defer { case: n } => {
            encode(&CaseDeferred { case: case(n), text: "later".into(), until: Moment(9) })
        }
        Act::Admit { who, lead } => {
            let roles = if lead {
                vec![Role::Lead, Role::Reviewer]
            } else {
                vec![Role::Reviewer, Role::Engineer]
            };
            encode(&ReviewerAdmitted {
                name: NAMES[usize::from(who)].into(),
                roles,
                replica: device(usize::from(who)).replica(),
                profile: None,
            })
        }
        Act::Retire { who, after } => encode(&ReviewerRetired {
            name: NAMES[usize::from(who)].into(),
            replica: device(usize::from(who)).replica(),
            after: after.into(),
            last: None,
            reason: String::new(),
            heirs: Vec::new(),
        }),
        Act::Erase { case: n } => {
            encode(&PayloadErased { case: case(n), reason: "asked to".into(), instead: None })
        }
        Act::Rule { case: n, verdict } => {
            written.rulings.push((case(n), event));
            encode(&CaseRuled(Ruling {
                case: case(n),
                outcome: [("verdict".to_owned(), format!("v{verdict}").into())].into(),
                protocol: Some(ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) }),
                path: vec![],
                takes: None,
                cause: Cause::Other,
                rationale: "so".into(),
                considered: vec![],
                change: None,
                replaces: Some(vec![]),
            }))
        }
        Act::Unrule { back } => {
            let (case, ruling) = written.ruling(back);
            encode(&RulingWithdrawn { case, ruling, why: String::new() })
        }
        Act::Appeal { back } => {
            let (case, ruling) = written.ruling(back);
            encode(&CaseAppealed { case, ruling, why: "no".into() })
        }
        Act::Return { back } => match written.labels.iter().rev().nth(back.into()).cloned() {
            Some(LabelWithdrawn { case, label, reviewer }) => encode(&LabelReturned {
                case,
                label,
                reviewer,
                question: None,
                text: "why?".into(),
            }),
            None => encode(&CaseCommented::new(case(0), "nothing to return".into())),
        },
        Act::Estimate { skill } => {
            let right = 0.5 + f64::from(skill) / 10.0;
            let row = |is: &str, other: &str| {
                (is.to_owned(), [(is.to_owned(), right), (other.to_owned(), 1.0 - right)].into())
            };
            let habits: casework::domain::estimate::Habits =
                [row("verdict v0", "verdict v1"), row("verdict v1", "verdict v0")].into();
            if skill % 2 == 1 {
                return encode(&ConsensusEstimated(walked(right)));
            }
            encode(&ConsensusEstimated(Estimate {
                model: "dawid-skene".into(),
                on: vec![],
                priors: [("verdict v0".to_owned(), 0.4), ("verdict v1".to_owned(), 0.6)].into(),
                reviewers: NAMES.iter().map(|name| ((*name).to_owned(), habits.clone())).collect(),
                paths: None,
                cases: 0,
                labels: 0,
            }))
        }
        Act::Policy { overlap, rule } => {
            let rules =
                [Rule::Unanimous, Rule::Majority, Rule::DawidSkene, Rule::Paths, Rule::Paths];
            // All these cases have one text: the labels of each are the others'.
            let pooled = rule == 4 || (rule == 1 && overlap == 2);
            let (witness, copies) = match pooled {
                true => (Witness::Champion, Copies::Pooled),
                false => (Witness::None, Copies::Apart),
            };
            let rule = rules[usize::from(rule)];
            encode(&PolicySet {
                policy: Policy {
                    overlap: overlap.into(),
                    limit: 3,
                    rule,
                    witness,
                    copies,
                    agents: if overlap == 1 { Agents::Off } else { Agents::Vote },
                    sure_percent: 70,
                    sla_hours: overlap.into(),
                    ..Policy::default()
                },
            })
        }
        Act::Rename { version } => {
            let source = "id=\"p\"\ntitle=\"t\"\nstart=\"q\"\nlabels=[\"v1\"]\n[rename.labels]\nv0=\"v1\"\n[[question]]\nid=\"q\"\nask=\"?\"\nkind=\"label\"\nsets=\"verdict\"\n";
            let renamed = protocol::parse(source, None).unwrap();
            encode(&ProtocolPublished::new(&renamed, u32::from(version), "v0 is v1 now"))
        }
        Act::Suggest { case: n, verdict, by } => encode(&LabelSuggested(Suggestion {
            case: case(n),
            plugin: format!("m{by}"),
            version: String::new(),
            sha256: String::new(),
            pin: format!("p{verdict}"),
            model: String::new(),
            protocol: ProtocolRef { id: "p".into(), version: 1, hash: Hash([0; 32]) },
            answers: vec![("q".to_owned(), format!("v{verdict}"))],
            // One that would rather not say has no vote.
            outcome: (verdict < 2)
                .then(|| ("verdict".to_owned(), format!("v{verdict}").into()))
                .into_iter()
                .collect(),
            confidence: None,
            abstained: verdict >= 2,
            payload: None,
            own: OwnWords::default(),
        })),
        Act::Unknown => RawValue::from_string("{\"kind\":\"moon.risen\",\"v\":1}".into()).unwrap(),
        Act::Malformed => {
            RawValue::from_string("{\"kind\":\"label.given\",\"v\":1,\"case\":7}".into()).unwrap()
        }
    }
}

/// An estimate of how the four walk: to an end, or to one of many names.
fn walked(right: f64) -> Estimate {
    let step = |question: &str, answer: &str| (question.to_owned(), answer.to_owned());
    let end = |path: Vec<(String, String)>, share: f64, times: f64| End {
        path,
        share,
        by_confidence: vec![1.0, times],
        by_predicted: [("x".to_owned(), times)].into(),
    };
    let row = |is: &str, other: &str| {
        (is.to_owned(), [(is.to_owned(), right), (other.to_owned(), 1.0 - right)].into())
    };
    let crowd: casework::domain::estimate::Habits = [row("v0", "v1"), row("v1", "v0")].into();
    let choice = Choice {
        reviewers: [("ana".to_owned(), crowd.clone())].into(),
        crowd,
        astray: [(1, [("v0".to_owned(), 0.3), ("v1".to_owned(), 0.7)].into())].into(),
    };
    let names = Names {
        of: 5,
        crowd: right,
        reviewers: [("bo".to_owned(), 0.9)].into(),
        confused: [("n0".to_owned(), [("n1".to_owned(), 2.0)].into())].into(),
    };
    let ends = vec![
        end(vec![step("q", "v0")], 0.5, 2.0),
        end(vec![step("q", "v1"), step("name", ANY_NAME)], 0.5, 0.5),
    ];
    let (choices, names) = ([("q".to_owned(), choice)].into(), [("name".to_owned(), names)].into());
    Estimate {
        model: "paths".into(),
        on: vec![],
        priors: [].into(),
        reviewers: [].into(),
        paths: Some(Paths::new(ends, choices, names, vec![0.4])),
        cases: 0,
        labels: 0,
    }
}

/// Delivers entries in some order, in batches; every third one twice.
fn delivered(
    place: &Place,
    workspace: Hash,
    all: &[EntryRow],
    payloads: &[PayloadRow],
    order: &[usize],
    batch: usize,
) -> Db {
    std::fs::create_dir_all(place.path()).unwrap();
    let mut db = Db::create(&place.paths().database()).unwrap();
    db::journal::set_meta(&db.conn, "workspace", &workspace.0).unwrap();
    for payload in payloads {
        db::payload::insert(&db.conn, payload).unwrap();
    }
    for part in order.chunks(batch.max(1)) {
        let tx = db.begin().unwrap();
        let mut fold = Fold::new(&tx).unwrap();
        for at in part {
            deliver(&mut fold, all[*at].clone(), LATER).unwrap();
            if at % 3 == 0 {
                let again = deliver(&mut fold, all[*at].clone(), LATER).unwrap();
                assert!(!matches!(again, Delivered::Added(_)), "an entry counts once");
            }
        }
        fold.finish().unwrap();
        drop(fold);
        tx.commit().unwrap();
    }
    db
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_repetition_and_partition_gives_the_same_state(
        acts in proptest::collection::vec((0..4_u8, 0..5_u8, act()), 1..30),
        shuffle in any::<prop::sample::Index>(),
        seed in any::<u64>(),
        batch in 1..9_usize,
    ) {
        let founder = Place::new();
        let founder = founder.create();
        let workspace = workspace_id(founder.tables());
        let (all, payloads) = chains(founder.tables(), &acts);
        let straight: Vec<usize> = (0..all.len()).collect();
        let mut mixed = straight.clone();
        let mut random = seed | 1;
        for i in (1..mixed.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            mixed.swap(i, (random >> 33) as usize % (i + 1));
        }
        let by = shuffle.index(mixed.len());
        mixed.rotate_left(by);
        let (one, two) = (Place::new(), Place::new());
        let first = delivered(&one, workspace, &all, &payloads, &straight, all.len());
        let mut second = delivered(&two, workspace, &all, &payloads, &mixed, batch);
        prop_assert_eq!(digest(&first), digest(&second));
        let tx = second.begin().unwrap();
        refold(&tx).unwrap();
        tx.commit().unwrap();
        prop_assert_eq!(digest(&first), digest(&second), "refolded from nothing");
        prop_assert!(db::journal::all_pending(&second.conn).unwrap().is_empty(), "nothing is left waiting");
    }
}

#[test]
fn a_ruling_may_come_before_its_case_and_before_what_renames_its_outcome() {
    let founder = Place::new();
    let founder = founder.create();
    let workspace = workspace_id(founder.tables());
    let acts = [
        (0, 0, Act::Rule { case: 2, verdict: 0 }),
        (0, 3, Act::Detect { case: 2 }),
        (0, 3, Act::Rename { version: 2 }),
    ];
    let (all, payloads) = chains(founder.tables(), &acts);
    let order: Vec<usize> = (0..all.len()).collect();
    let place = Place::new();
    let mut db = delivered(&place, workspace, &all, &payloads, &order, 1);
    let row = db::case::by_id(&db.conn, CaseId::of("s", "2")).unwrap().unwrap();
    assert_eq!(
        (row.state, row.outcome.unwrap()["verdict"].as_str()),
        (casework::domain::resolve::CaseState::Resolved, Some("v1"))
    );
    let before = digest(&db);
    let tx = db.begin().unwrap();
    refold(&tx).unwrap();
    tx.commit().unwrap();
    assert_eq!(digest(&db), before, "refolded from nothing");
}

#[test]
fn what_is_wrong_waits_and_the_rest_goes_on() {
    let place = Place::new();
    let mut founder = place.create();
    let workspace = workspace_id(founder.tables());
    let key = device(1);
    let join = encode(&ReplicaJoined::new("bo", &key));
    let first = craft(&key, workspace, 1, "", Hlc { ms: 5, n: 0 }, "bo", vec![join]);
    let comment = || encode(&CaseCommented::new(CaseId::of("s", "1"), "x".into()));
    let second =
        craft(&key, workspace, 2, &body_hash(&first), Hlc { ms: 6, n: 0 }, "bo", vec![comment()]);
    let fork = craft(&key, workspace, 1, "", Hlc { ms: 9, n: 9 }, "bo", vec![comment()]);
    let foreign = craft(
        &key,
        Hash([3; 32]),
        3,
        &body_hash(&second),
        Hlc { ms: 7, n: 0 },
        "bo",
        vec![comment()],
    );
    let backward =
        craft(&key, workspace, 3, &body_hash(&second), Hlc { ms: 6, n: 0 }, "bo", vec![comment()]);
    let mut forged =
        craft(&key, workspace, 3, &body_hash(&second), Hlc { ms: 8, n: 0 }, "bo", vec![comment()]);
    forged.signature = device(2).sign(&forged.body);
    let early = craft(
        &key,
        workspace,
        3,
        &body_hash(&second),
        Hlc { ms: LATER.0 * 2, n: 0 },
        "bo",
        vec![comment()],
    );
    let mut overwrite = fork.clone();
    overwrite.signature = device(2).sign(&overwrite.body);
    let tx = founder.tables_mut().begin().unwrap();
    let mut fold = Fold::new(&tx).unwrap();
    let mut check =
        |entry: &EntryRow, expect: &str| match deliver(&mut fold, entry.clone(), LATER).unwrap() {
            Delivered::Waits(fault) | Delivered::Dropped(fault) => {
                assert!(fault.contains(expect), "{fault}");
            }
            other => assert_eq!(format!("{other:?}"), expect),
        };
    check(&second, "gap");
    check(&first, "Added(2)");
    check(&first, "Known");
    check(&foreign, "another workspace");
    check(&backward, "clock");
    check(&forged, "signature");
    check(&early, "from the future");
    check(&overwrite, "forged");
    check(&fork, "fork");
    fold.finish().unwrap();
    drop(fold);
    tx.commit().unwrap();
    let report = founder.verify().unwrap();
    assert!(!report.ok);
    for expect in ["fork", "another workspace", "signature", "from the future", "forged"] {
        assert!(
            report.faults.iter().any(|fault| fault.fault.contains(expect)),
            "{expect}: {:?}",
            report.faults
        );
    }
    assert!(
        db::journal::replica(&founder.tables().conn, key.replica()).unwrap().is_none(),
        "nothing of a chain that forks at once counts"
    );
}

#[test]
fn a_case_that_an_entry_speaks_of_before_it_detects_it_is_counted_once() {
    let place = Place::new();
    let founder = place.create();
    let (key, workspace) = (device(0), workspace_id(founder.tables()));
    let all = entries(founder.tables());
    let last = all.last().unwrap();
    let mut written = Written::default();
    let mut payloads = Vec::new();
    let label = EventId { replica: device(1).replica(), seq: 7, n: 0 };
    let case = CaseId::of("s", "3");
    let withdrawn = LabelWithdrawn { case, label, reviewer: "ana".into() };
    let detect =
        event_of(&Act::Detect { case: 3 }, 0, (last.seq + 1, 1), &mut written, &mut payloads, &key);
    let at = Hlc { ms: LATER.0 - 1, n: 0 };
    let prev = body_hash(last);
    let events = vec![encode(&withdrawn), detect];
    let entry = craft(&key, workspace, last.seq + 1, &prev, at, "ana", events);
    let mut db = Db::create(std::path::Path::new(":memory:")).unwrap();
    casework::sync::pin(&db, workspace, None).unwrap();
    let tx = db.begin().unwrap();
    let mut fold = Fold::new(&tx).unwrap();
    for entry in all.into_iter().chain([entry]) {
        assert!(matches!(deliver(&mut fold, entry, LATER).unwrap(), Delivered::Added(1)));
    }
    fold.finish().unwrap();
    drop(fold);
    tx.commit().unwrap();
    assert_eq!(db::count::get(&db.conn, "stream:s").unwrap(), 1);
}
