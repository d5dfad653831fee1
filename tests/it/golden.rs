//! Bytes and hash of every kind of event × version. A golden file is never edited: a kind that
//! changes gets a new version and a new file.

use std::fs;
use std::path::Path;

use casework::domain::arbitration::{Cause, Change, Ruling};
use casework::domain::calibration::{Amendment, Ending, Opening, Sealing};
use casework::domain::cues::{Cue, Seen};
use casework::domain::door::Door;
use casework::domain::estimate::Estimate;
use casework::domain::ids::{CaseId, EventId, Hash, ReplicaId};
use casework::domain::label::{Label, ProtocolRef};
use casework::domain::paths::{ANY_NAME, Choice, End, Names, Paths, RenamedStep};
use casework::domain::plugin::{OwnWords, Pin, PluginKind, Suggestion};
use casework::domain::policy::Policy;
use casework::domain::roster::{Profile, Role};
use casework::domain::ssh_key::SshKey;
use casework::domain::time::Moment;
use casework::domain::training::{Attempt, Gold};
use casework::domain::traps::Why;
use casework::journal::kind::*;

use crate::support::T0;

fn check<E: Event>(event: &E) {
    check_form(event, E::KIND);
}

/// The same of one of several forms that an event has.
fn check_form<E: Event>(event: &E, form: &str) {
    let bytes = encode(event).get().to_owned();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/golden/{form}.v{}.json", E::VERSION));
    let hash = Hash::of(bytes.as_bytes());
    let now = format!("{bytes}\n{hash}\n");
    #[expect(clippy::disallowed_methods, reason = "only by hand, for a new kind")]
    if !path.exists() && std::env::var_os("GOLDEN_NEW").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let golden = fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{} has no golden file: run once with GOLDEN_NEW=1", E::KIND));
    assert_eq!(now, golden, "{} changed under its version", E::KIND);
    let again: E = serde_json::from_str(&bytes).unwrap();
    assert_eq!(encode(&again).get(), bytes, "{} does not read back", E::KIND);
}

#[test]
fn every_kind_is_written_as_ever() {
    let case = CaseId::of("s", "1");
    let replica = ReplicaId([7; 16]);
    let protocol = ProtocolRef { id: "p".into(), version: 3, hash: Hash([2; 32]) };
    check(&WorkspaceFounded { name: "team".into() });
    check(&PluginPinned {
        name: "loud".into(),
        does: PluginKind::Detector,
        pin: Pin {
            sha256: "00ff".into(),
            run: vec!["python3".into(), "loud.py".into()],
            files: vec!["loud.py".into()],
            wants: vec!["text".into()],
            network: true,
            pass: vec!["KEY".into()],
            config: "11ff".into(),
        },
    });
    check(&LabelSuggested(Suggestion {
        case,
        plugin: "llm".into(),
        version: "1.0".into(),
        sha256: "00ff".into(),
        pin: "22ff".into(),
        model: "tiny".into(),
        protocol: protocol.clone(),
        answers: vec![("readable".into(), "y".into())],
        outcome: [("verdict".to_owned(), "ok".into())].into(),
        confidence: Some(0.8),
        abstained: true,
        payload: Some(Hash([5; 32])),
        own: OwnWords::default(),
    }));
    let shared =
        SecretShared { recipient: "age1x".into(), sealed: [(replica, "YWdl".to_owned())].into() };
    let vouch = Vouch { key: Hash([8; 32]), signature: "c2ln".into() };
    let ssh = SshProof {
        key: "ssh-ed25519 AAAA ana".into(),
        signature: "-----BEGIN SSH SIGNATURE-----\n".into(),
    };
    check(&ReplicaJoined {
        name: "ana".into(),
        key: Hash([9; 32]),
        replaces: Some(vouch),
        ssh: Some(ssh.clone()),
        secrets: vec![shared.clone()],
    });
    let profile =
        Some(Profile { capacity: 50, languages: vec!["pt".into()], skills: vec!["legal".into()] });
    check(&ReviewerAdmitted {
        name: "bo".into(),
        roles: vec![Role::Reviewer, Role::Lead],
        replica,
        profile,
    });
    check(&ReviewerRelieved {
        name: "bo".into(),
        roles: vec![Role::Reviewer, Role::Engineer],
        replica,
        after: 7,
    });
    check(&PolicySet { policy: Policy::default() });
    check(&ProtocolPublished {
        id: "p".into(),
        version: 1,
        changes: "first".into(),
        source: "id = \"p\"\n".into(),
        labels: vec!["x".into()],
        titles: [("x".to_owned(), "the x".to_owned())].into(),
    });
    check(&GlossaryPublished { version: 2, source: String::new(), changes: String::new() });
    check(&CaseDetected {
        case,
        stream: "s".into(),
        id: "1".into(),
        occurred_ms: Moment(5),
        model: "m 1".into(),
        predicted: Some("x".into()),
        confidence: Some(0.25),
        flags: vec!["low".into()],
        rank: 250,
        payload: Hash([1; 32]),
        language: "pt".into(),
        needs: vec!["legal".into()],
        why: vec![Why {
            trap: "audit".into(),
            version: "0123456789abcdef".into(),
            score: Some(0.5),
            u: 0.25,
            rate: Some(0.01),
            per_day: Some(40),
        }],
        alarm: Some("labels moved".into()),
    });
    check(&CaseCommented {
        case,
        text: "look \u{1b}[31m".into(),
        question: Some("a".into()),
        session: Some("june".into()),
    });
    check(&CaseDeferred { case, text: "later".into(), until: T0 });
    check(&CaseEscalated { case, text: "help".into(), settled: false });
    let cited = protocol.clone();
    let gold_protocol = protocol.clone();
    check(&LabelGiven(Label {
        case,
        reviewer: "ana".into(),
        round: "main".into(),
        protocol,
        path: vec![("a".into(), "y".into())],
        outcome: [("verdict".to_owned(), "ok".into())].into(),
        checked: vec!["logs".into()],
        confidence: Some(4),
        tags: vec!["t".into()],
        rationale: "why".into(),
        evidence: vec![(4, 9).into()],
        evidence_in: Default::default(),
        cites: vec![case],
        seen: Some(Seen {
            first: vec![Cue::Flags],
            all: vec![Cue::Prediction, Cue::Flags],
            stood_first: vec!["input.answer_b".to_owned()],
            unseen_files: vec!["input.scan".to_owned()],
            unseen_more: 1,
        }),
        after_others: false,
        duration_ms: Some(1200),
        given_at: None,
        extra: Default::default(),
    }));
    let gold = Gold {
        case,
        protocol: cited.clone(),
        path: vec![("a".into(), "y".into())],
        outcome: [("verdict".to_owned(), "ok".into())].into(),
        why: "the customs form".into(),
    };
    check(&GoldSet { gold, dropped: true });
    let attempt = Attempt {
        case,
        path: vec![("a".into(), "n".into())],
        right: false,
        diverged_at: Some("a".into()),
    };
    check(&TrainingFinished {
        reviewer: "ana".into(),
        protocol: cited,
        attempts: vec![attempt],
        passed: false,
    });
    check(&NoteWithdrawn { case, note: EventId { replica, seq: 4, n: 0 } });
    check(&LabelWithdrawn {
        case,
        label: EventId { replica, seq: 4, n: 0 },
        reviewer: "ana".into(),
    });
    check(&ReviewerRetired {
        name: "bo".into(),
        replica,
        after: 12,
        last: Some(Hash([5; 32])),
        reason: "left the team".into(),
        heirs: vec![ReplicaId([6; 16])],
    });
    check(&SecretShared {
        recipient: "age1x".into(),
        sealed: [(replica, "YWdl".to_owned())].into(),
    });
    check(&PayloadErased { case, reason: "asked to".into(), instead: Some(Hash([4; 32])) });
    let event = EventId { replica, seq: 4, n: 0 };
    check(&CaseRuled(Ruling {
        case,
        outcome: [("verdict".to_owned(), "ok".into())].into(),
        protocol: Some(gold_protocol.clone()),
        path: vec![("a".into(), "y".into())],
        takes: Some(event),
        cause: Cause::GuidelineGap,
        rationale: "the rule does not say".into(),
        considered: vec![event, EventId { n: 1, ..event }],
        change: Some(Change {
            protocol: "p".into(),
            version: 3,
            question: "a".into(),
            text: "say it".into(),
        }),
        replaces: None,
    }));
    check(&RulingWithdrawn { case, ruling: event, why: "the wrong case".into() });
    check(&CaseAppealed { case, ruling: event, why: "look at line 3".into() });
    check(&ConsensusEstimated(Estimate {
        model: "dawid-skene".into(),
        on: vec!["verdict".into()],
        priors: [("ok".to_owned(), 0.25), ("no".to_owned(), 0.75)].into(),
        reviewers: [(
            "ana".to_owned(),
            [("ok".to_owned(), [("ok".to_owned(), 0.9), ("no".to_owned(), 0.1)].into())].into(),
        )]
        .into(),
        paths: None,
        cases: 20,
        labels: 61,
    }));
    let step = |question: &str, answer: &str| (question.to_owned(), answer.to_owned());
    let shares = || -> std::collections::BTreeMap<String, f64> {
        [("n".to_owned(), 0.25), ("y".to_owned(), 0.75)].into()
    };
    let choice = Choice {
        crowd: [("y".to_owned(), shares())].into(),
        reviewers: [("ana".to_owned(), [("y".to_owned(), shares())].into())].into(),
        astray: [(0, shares())].into(),
    };
    let names = Names {
        of: 151,
        crowd: 0.875,
        reviewers: [("ana".to_owned(), 0.5)].into(),
        confused: [("transfer".to_owned(), [("balance".to_owned(), 2.5)].into())].into(),
    };
    let end = End {
        path: vec![step("fits", "n"), step("which", ANY_NAME)],
        share: 0.5,
        by_confidence: vec![1.5, 0.5],
        by_predicted: [("oos".to_owned(), 3.0)].into(),
    };
    let (choices, names) =
        ([("fits".to_owned(), choice)].into(), [("which".to_owned(), names)].into());
    let mut paths = Paths::new(vec![end], choices, names, vec![0.5]);
    paths.renamed = vec![RenamedStep {
        protocol: "p".into(),
        version: 1,
        from: step("ok", "no"),
        to: step("fits", "n"),
    }];
    let walked = ConsensusEstimated(Estimate::of_paths(paths, vec!["verdict".into()], 20, 61));
    check_form(&walked, "forms/consensus.estimated.paths");
    check(&GuardRaised {
        reviewer: "ana".into(),
        guard: "no_break".into(),
        words: "95 minutes without a break".into(),
    });
    let text = "[[trap]]\nname = \"audit\"\nsample = 0.01\n".to_owned();
    check(&TrapsPublished {
        version: 2,
        hash: Hash::of(text.as_bytes()),
        text,
        changes: "trap `audit` is new".into(),
        canaries: [("c.jsonl".to_owned(), vec![("1".to_owned(), 7, "x".to_owned())])].into(),
    });
    check(&ReferenceSet {
        name: "june".into(),
        stream: "s".into(),
        from: Moment(5),
        to: T0,
        rows: 100,
        blob: Hash([6; 32]),
    });
    check(&StreamTallied {
        stream: "s".into(),
        day: 20_000,
        source: "0123456789abcdef0123456789abcdef".into(),
        read: 1_000,
        traps: vec![TrapTally {
            trap: "audit".into(),
            version: "0123456789abcdef".into(),
            flagged: 9,
            first: 4,
        }],
        missed: 7,
        again: true,
    });
    check(&AlarmRaised {
        alarm: "labels moved".into(),
        version: "0123456789abcdef".into(),
        level: Some("warning".into()),
        stream: "s".into(),
        by: Some("oos".into()),
        window: AlarmWindow { from: Moment(5), to: T0, rows: 900 },
        statistic: 63.5,
        effect: Some(0.25),
        p: Some(0.001),
        before: Some(0.125),
        now: Some(0.5),
        cases: vec![case],
    });
    check(&AlarmClosed { alarm: "01234567".into(), note: "a new client".into() });
    check(&DatasetCut {
        cut: Hash([1; 32]),
        name: "june".into(),
        version: "1.2.0".into(),
        recipe: Hash([2; 32]),
        text: "name = \"june\"\n".into(),
        frontier: [("07".to_owned(), 9)].into(),
        program: "casework 0.1.0".into(),
        rows: 3,
        splits: [("train".to_owned(), 3)].into(),
        dropped: [("duplicate".to_owned(), 1)].into(),
        replay: Some(Replayed { file: "old.jsonl".into(), sha256: "ab".into(), rows: 2 }),
        against: vec![CutFile {
            path: "eval.jsonl".into(),
            bytes: 0,
            sha256: "cd".into(),
            md5: String::new(),
        }],
        conflicts: 1,
        files: vec![CutFile {
            path: "train.jsonl".into(),
            bytes: 7,
            sha256: "ef".into(),
            md5: "01".into(),
        }],
        proposal: Some("0123".into()),
        blob: Some(Hash([3; 32])),
    });
    check(&DatasetWithdrawn { cut: Hash([1; 32]), reason: "a wrong file".into() });
    check(&CutProposed {
        proposal: "0123456789abcdef".into(),
        trigger: "oos".into(),
        recipe: "oos.toml".into(),
        reason: "ready('oos') >= 200".into(),
        counts: [("oos".to_owned(), 212.0)].into(),
    });
    check(&RunRecorded {
        run: "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".into(),
        pipeline: "train.intent".into(),
        hash: Some(Hash([4; 32])),
        text: "name = \"train.intent\"\n".into(),
        cut: Some(Hash([1; 32])),
        seed: Some(7),
        began: T0,
        ended: Moment(T0.0 + 1_000),
        state: "done".into(),
        why: "as it should".into(),
        tainted: vec!["train.py".into()],
        inputs: vec![RunFile { path: "train.py".into(), bytes: 5, sha256: "ab".into() }],
        steps: vec![RunStep {
            name: "train".into(),
            argv: vec!["python3".into(), "train.py".into()],
            exit: Some(0),
            wall_ms: 900,
            cpu_ms: 800,
            memory_bytes: 1_000_000,
            said: "warning".into(),
        }],
        environment: vec!["PATH".into()],
        environment_hash: Some(Hash([5; 32])),
        sandbox: "landlock".into(),
        not_restricted: vec!["UDP".into()],
        outs: vec![RunFile { path: "model.bin".into(), bytes: 9, sha256: "cd".into() }],
        metrics: [("accuracy".to_owned(), 0.8)].into(),
        versions: "numpy==2.0".into(),
        repeat: Some("churn 0.0013".into()),
        churn: Some(0.0013),
        code: Some(RunCode { commit: "0ff1ce".into(), dirty: true }),
        predictions: Some(Hash([6; 32])),
    });
    check(&GateDecided {
        run: "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".into(),
        gate: "gate".into(),
        hash: Hash([7; 32]),
        text: "alpha = 0.05\n".into(),
        verdict: "pass".into(),
        lines: vec![serde_json::json!({ "kind": "fix", "slice": "oos", "verdict": "pass" })],
        leak: vec!["row 1".into()],
        churn: Some(0.0),
    });
    check(&GateWaived {
        run: "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".into(),
        gate: Hash([7; 32]),
        reason: "the slice is going away".into(),
    });
    check(&DeploymentRecorded {
        deployment: "017f22e2-79b0-7cc3-98c4-dc0c0c073990".into(),
        run: "017f22e2-79b0-7cc3-98c4-dc0c0c07398f".into(),
        to: "prod".into(),
        share: 0.1,
        model: "3.2.0".into(),
        gate: Some("pass".into()),
        note: "canary".into(),
    });
    check(&DeploymentEnded {
        deployment: "017f22e2-79b0-7cc3-98c4-dc0c0c073990".into(),
        note: "rolled back".into(),
    });
    check(&OutcomeObserved {
        source: "billing".into(),
        outcomes: vec![Observed {
            case,
            at: T0,
            truth: Some("oos".into()),
            right: Some(false),
            value: Some(0.5),
            note: "refunded".into(),
        }],
    });
    let key = SshKey::of_line(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD",
    )
    .unwrap();
    let door = Door { name: "bo".into(), key, from: vec!["10.0.0.0/8".into()], until: Some(T0) };
    check(&DoorOpened { door });
    check(&DoorClosed { name: "bo".into(), key: "SHA256:x".into() });
    check(&DoorPassed {
        name: "bo".into(),
        key: "SHA256:x".into(),
        client: "10.0.0.7".into(),
        certificate: Some("bo at work (serial 7) by SHA256:y".into()),
    });
    check(&AuthorVouched { name: "bo".into(), ssh: ssh.clone() });
    check(&EntriesCountersigned {
        name: "bo".into(),
        replica,
        through: 12,
        hash: Hash([5; 32]),
        ssh: ssh.clone(),
    });
    check(&AuditSigned {
        scope: "outcomes".into(),
        since: Some(T0),
        frontier: [("07".to_owned(), 9)].into(),
        found: [("label contradicted".to_owned(), 1)].into(),
        findings: vec![serde_json::json!({ "kind": "label contradicted" })],
    });
    check(&LabelsExported { rows: "labels".into(), format: "jsonl".into() });
    check(&NudgeSent {
        to: "ana".into(),
        by: "mail".into(),
        items: vec!["0123456789abcdef".into()],
    });
    check(&SessionOpened(Opening {
        session: "june".into(),
        title: "what is in scope".into(),
        cases: vec![case],
        chosen: "random 1, seed 7".into(),
        reviewers: vec!["ana".into(), "bo".into()],
        deadline: T0,
        sealing: Some(Sealing {
            recipient: "age1x".into(),
            keys: [(replica, "YWdl".to_owned())].into(),
        }),
    }));
    check(&LabelSealed {
        case,
        round: "june".into(),
        to: "age1x".into(),
        sealed: "YWdl".into(),
        given_at: Some(T0),
    });
    check(&SessionAmended(Amendment {
        session: "june".into(),
        adds: vec!["cy".into()],
        deadline: Some(Moment(T0.0 + 1)),
        reopens: true,
        keys: [(replica, "YWdl".to_owned())].into(),
    }));
    check(&SessionRevealed(Ending {
        session: "june".into(),
        sealed: vec![event],
        note: String::new(),
        key: Some("AGE-SECRET-KEY-1X".into()),
    }));
    check(&SessionClosed(Ending {
        session: "june".into(),
        sealed: vec![event],
        note: "scope needs an example".into(),
        key: None,
    }));
    let question = Some("a".into());
    check(&LabelReturned {
        case,
        label: event,
        reviewer: "ana".into(),
        question,
        text: "did you see the logs?".into(),
    });
    let mut kinds = std::collections::BTreeSet::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")).unwrap() {
        if file.as_ref().is_ok_and(|file| file.path().is_dir()) {
            continue; // forms of kinds
        }
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let kind = name.rsplit_once(".v").unwrap().0.to_owned();
        let known = KINDS
            .iter()
            .find(|known| known.name == kind)
            .unwrap_or_else(|| panic!("{name}: no such kind"));
        let text = fs::read_to_string(file.path()).unwrap();
        assert!(
            (known.reads)(text.lines().next().unwrap()),
            "{name}: an older version is read no more"
        );
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), KINDS.len(), "every kind has a golden file");
}
