//! Makes the demo's workspace: founded three days ago, with a stream, reviewers on devices of their
//! own, and what they labeled.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use super::{WorkError, Workspace};
use crate::config::{Env, Paths};
use crate::db::case::{self, CaseRow, Direction, QueueKey};
use crate::demo::{self, Answered, PEOPLE, Person, Truth};
use crate::domain::label::MAIN_ROUND;
use crate::domain::policy::{Policy, Training};
use crate::domain::protocol;
use crate::domain::resolve::CaseState;
use crate::domain::roster::{Profile, Role};
use crate::domain::time::Moment;
use crate::domain::training::Gold;
use crate::domain::traps::Trap;
use crate::format::log::LogOptions;
use crate::format::open::Input;
use crate::intake::{self, Detectors, Ingest, Window};
use crate::journal::kind::{
    CaseCommented, GoldSet, LabelGiven, PolicySet, ProtocolPublished, ReplicaJoined,
    ReviewerAdmitted,
};
use crate::journal::{Append, DeviceKey, Writer};
use crate::review::{Draft, LabelContext, Published};
use crate::trap::Traps;
use crate::trap::alarm::{Alarms, State};

/// The name by which a demo is known.
pub const DEMO_TEAM: &str = "parcel desk";
const HOUR: i64 = 3_600_000;
/// Messages whose right answer is known.
const GOLD: usize = 6;
/// Messages in each of three batches.
const BATCH: usize = 260;

impl Workspace {
    /// Makes the demo at `paths`, as it stands at `now`. You are `you`.
    pub fn create_demo(paths: Paths, env: Env, seed: u64, now: Moment) -> Result<Self, WorkError> {
        let mut random = blake3::Hasher::new_keyed(blake3::hash(&seed.to_le_bytes()).as_bytes());
        let mut key = |name: &str| {
            DeviceKey::from_seed(*random.update(name.as_bytes()).finalize().as_bytes())
        };
        let start = Moment(now.0 - 71 * HOUR);
        let mut made = Self::create_at(paths, env, DEMO_TEAM, "you", key("you"), start)?;
        let protocol = protocol::parse(demo::PROTOCOL, None).map_err(|faults| {
            WorkError::Faults { name: "the demo's protocol".to_owned(), faults }
        })?;
        let training = Training { cases: GOLD as u32, right_percent: 75, required: false };
        let policy = Policy { overlap: 2, sla_hours: 72, training, ..Policy::default() };
        let devices: Vec<DeviceKey> = PEOPLE.iter().map(|person| key(person.name)).collect();
        let mut events = vec![
            Append::new(&PolicySet { policy }),
            Append::new(&ProtocolPublished::new(&protocol, 1, "The first version.")),
        ];
        let own = DeviceKey::load(&made.paths.key())?;
        // Whoever looks at it reviews too: their share is said, for they gave no label so far.
        let you = ("you", own.replica(), Some(Profile::default()));
        let people = PEOPLE.iter().zip(&devices);
        let people = people.map(|(person, device)| (person.name, device.replica(), None));
        // They may work here too, so that one can look at it as each of them does (`--as ana`).
        let here = PEOPLE.iter().map(|person| (person.name, own.replica(), None));
        for (name, replica, profile) in people.chain(here).chain([you]) {
            events.push(Append::new(&ReviewerAdmitted {
                name: name.to_owned(),
                roles: vec![Role::Reviewer],
                replica,
                profile,
            }));
        }
        made.write(&own, |writer| writer.append("you", events, start).map(drop))?;
        for (person, device) in PEOPLE.iter().zip(&devices) {
            let joined = ReplicaJoined::new(person.name, device);
            made.write(device, |writer| {
                writer.append(person.name, vec![Append::new(&joined)], start).map(drop)
            })?;
        }
        let published = Published {
            reference: protocol.reference(1),
            protocol,
            changes: String::new(),
            author: "you".to_owned(),
            at: start,
            questions: Arc::default(),
        };
        let trap = |(name, rule): &(&str, &str)| Trap {
            name: (*name).to_owned(),
            rule: Some((*rule).to_owned()),
            ..Trap::default()
        };
        let traps = Traps::new(demo::TRAPS.iter().map(trap).collect(), &[], None)?;
        let mut truths = HashMap::new();
        for (batch, hours) in [(0_u64, 70), (1, 46), (2, 20)] {
            let end = Moment(now.0 - hours * HOUR);
            truths.extend(made.demo_batch(&traps, seed + batch, end)?);
        }
        made.demo_labels(&published, &devices, &truths, seed, now)?;
        made.demo_gold(&published, &truths, seed, now)?;
        Ok(made)
    }

    fn write(
        &mut self,
        key: &DeviceKey,
        work: impl FnOnce(&mut Writer<'_, '_>) -> Result<(), crate::journal::JournalError>,
    ) -> Result<(), WorkError> {
        let tx = self.db.begin()?;
        let mut writer = Writer::new(&tx, key)?;
        work(&mut writer)?;
        writer.finish()?;
        Ok(tx.commit()?)
    }

    fn demo_batch(
        &mut self,
        traps: &Traps,
        seed: u64,
        end: Moment,
    ) -> Result<HashMap<String, Truth>, WorkError> {
        let made = demo::make(seed, BATCH, end, 40_000);
        let directory = self.paths.workspace.clone();
        let logs = [directory.join("gateway.jsonl"), directory.join("router.log")];
        let failed = |error| WorkError::File { path: directory.display().to_string(), error };
        fs::write(&logs[0], &made.gateway).map_err(failed)?;
        fs::write(&logs[1], &made.router).map_err(failed)?;
        let stop = AtomicBool::new(false);
        let index = intake::index_logs(
            &logs,
            LogOptions::default(),
            &directory,
            self.config.ingest.logs,
            &stop,
        )?;
        let needs = HashMap::new();
        let detectors = Detectors::default();
        let plan = Ingest {
            detectors: &detectors,
            traps,
            alarms: &Mutex::new(Alarms::new(Vec::new(), None, State::default())),
            pasts: &Mutex::new(traps.pasts()),
            source: None,
            logs: index.as_ref(),
            neighbours: 5,
            window: &Mutex::new(Window::new(5)),
            redact: None,
            roots: &[],
            needs: &needs,
            stop: &stop,
            dry_run: false,
            afresh: false,
            again: false,
            goes_on: false,
            endless: false,
            watch: &|_| Ok(()),
        };
        intake::ingest(
            &mut self.db,
            &self.key,
            "you",
            Input::Lines(Box::new(made.stream.as_bytes())),
            &plan,
            || end,
            |_| (),
        )?;
        for log in &logs {
            fs::remove_file(log).map_err(failed)?;
        }
        Ok(made.truths)
    }

    /// Each case of the past was looked at by two or three; the latest wait.
    fn demo_labels(
        &mut self,
        published: &Published,
        devices: &[DeviceKey],
        truths: &HashMap<String, Truth>,
        seed: u64,
        now: Moment,
    ) -> Result<(), WorkError> {
        let cases = case::page(
            &self.db.conn,
            CaseState::Open,
            QueueKey::FIRST,
            Direction::Forward,
            None,
            5_000,
        )?;
        let labeled = cases.len() * 2 / 5;
        let mut at = now.0 - 19 * HOUR;
        let step = 17 * HOUR / (labeled as i64 * 3).max(1);
        let tx = self.db.begin()?;
        // One device after another, so that each chain is written in one go.
        for (who, (person, device)) in PEOPLE.iter().zip(devices).enumerate() {
            let mut writer = Writer::new(&tx, device)?;
            for (i, case) in cases.iter().take(labeled).enumerate() {
                let looks = (i + who) % 4 < 2 || (i % 5 == 0 && (i + who) % 4 == 2);
                let Some(truth) = truths.get(&case.external_id).filter(|_| looks) else { continue };
                let predicted = case.predicted.as_deref().unwrap_or_default();
                let Answered { answers, confidence, rationale, spent_ms } =
                    demo::answers_of(person, truth, predicted, seed + i as u64);
                let draft = Draft {
                    answers,
                    confidence: Some(confidence),
                    rationale,
                    spent_ms,
                    ..Draft::default()
                };
                at += step;
                let (reviewer, round) = (person.name, MAIN_ROUND);
                let asked = LabelContext {
                    case,
                    published,
                    policy: &Policy::default(),
                    reviewer,
                    round,
                    open: None,
                    blind: false,
                };
                if let Ok(label) = draft.label(&asked) {
                    writer.append(
                        person.name,
                        vec![Append::new(&LabelGiven(label))],
                        Moment(at),
                    )?;
                }
                if i % 17 == 3 && who == 0 {
                    let text =
                        "The same customer wrote twice; see the nearby predictions.".to_owned();
                    writer.append(
                        person.name,
                        vec![Append::new(&CaseCommented::new(case.id, text))],
                        Moment(at),
                    )?;
                }
            }
            writer.finish()?;
        }
        Ok(tx.commit()?)
    }

    /// What you know for certain: some messages that can't be mistaken, for `casework train
    /// parcel-desk`.
    fn demo_gold(
        &mut self,
        published: &Published,
        truths: &HashMap<String, Truth>,
        seed: u64,
        now: Moment,
    ) -> Result<(), WorkError> {
        let sure = Person { name: "you", care: 1.0, seconds: 20.0 };
        let settled = case::page(
            &self.db.conn,
            CaseState::Resolved,
            QueueKey::FIRST,
            Direction::Forward,
            None,
            5_000,
        )?;
        let mut events = Vec::new();
        for (i, case) in settled.iter().enumerate() {
            // Why a message was hard is a matter of taste; these are not asked that.
            let plain = |truth: &&Truth| !matches!(truth, Truth::Label(_));
            let Some(truth) =
                truths.get(&case.external_id).filter(plain).filter(|_| events.len() < GOLD)
            else {
                continue;
            };
            let predicted = case.predicted.as_deref().unwrap_or_default();
            let Answered { answers, rationale, .. } =
                demo::answers_of(&sure, truth, predicted, seed + i as u64);
            let draft = Draft { answers, ..Draft::default() };
            let (policy, round) = (&Policy::default(), MAIN_ROUND);
            if let Ok(label) = draft.label(&LabelContext {
                case,
                published,
                policy,
                reviewer: "you",
                round,
                open: None,
                blind: false,
            }) {
                events.push(Append::new(&GoldSet {
                    gold: Gold::of(&label, &rationale),
                    dropped: false,
                }));
            }
        }
        let at = Moment(now.0 - HOUR);
        self.write(&DeviceKey::load(&self.paths.key())?, |writer| {
            writer.append("you", events, at).map(drop)
        })
    }

    /// The first case of the queue, if there is one.
    pub fn first_in_queue(&self) -> Result<Option<CaseRow>, WorkError> {
        let (queue, _) = self.quick_queue()?;
        Ok(queue.page(&self.db.conn, QueueKey::FIRST, Direction::Forward, 1)?.into_iter().next())
    }
}
