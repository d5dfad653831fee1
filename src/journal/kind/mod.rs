//! One file for each kind of event: its fields, who may write it, and what it changes.
//!
//! To add a kind: a file like its neighbours here, a `mod` line, a line in [`KINDS`], and a golden
//! file (`tests/golden`), which is never edited again. A kind that this program does not know is
//! kept, passed on and reported.

mod workspace_founded;
mod replica_joined;
mod reviewer_admitted;
mod reviewer_relieved;
mod reviewer_retired;
mod secret_shared;
mod policy_set;
mod protocol_published;
mod glossary_published;
mod case_detected;
mod case_commented;
mod case_deferred;
mod case_escalated;
mod label_given;
mod label_sealed;
mod note_withdrawn;
mod label_withdrawn;
mod payload_erased;
mod gold_set;
mod training_finished;
mod case_ruled;
mod ruling_withdrawn;
mod case_appealed;
mod label_returned;
mod consensus_estimated;
mod session_opened;
mod session_amended;
mod session_revealed;
mod session_closed;
mod nudge_sent;
mod guard_raised;
mod labels_exported;
mod traps_published;
mod alarm_raised;
mod alarm_closed;
mod reference_set;
mod stream_tallied;
mod dataset_cut;
mod dataset_withdrawn;
mod cut_proposed;
mod run_recorded;
mod gate_decided;
mod gate_waived;
mod deployment_recorded;
mod deployment_ended;
mod outcome_observed;
mod audit_signed;
mod door_opened;
mod door_closed;
mod door_passed;
mod plugin_pinned;
mod label_suggested;
mod author_vouched;
mod entries_countersigned;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

pub use alarm_closed::AlarmClosed;
pub use alarm_raised::{AlarmRaised, AlarmWindow};
pub use audit_signed::AuditSigned;
pub use author_vouched::AuthorVouched;
pub use case_appealed::CaseAppealed;
pub use case_commented::CaseCommented;
pub use case_deferred::CaseDeferred;
pub use case_detected::CaseDetected;
pub use case_escalated::CaseEscalated;
pub use case_ruled::CaseRuled;
pub use consensus_estimated::ConsensusEstimated;
pub use cut_proposed::CutProposed;
pub use dataset_cut::{CutFile, DatasetCut, Replayed};
pub use dataset_withdrawn::DatasetWithdrawn;
pub use deployment_ended::DeploymentEnded;
pub use deployment_recorded::DeploymentRecorded;
pub use door_closed::DoorClosed;
pub use door_opened::DoorOpened;
pub use door_passed::{DoorPassed, Visit};
pub use entries_countersigned::EntriesCountersigned;
pub use gate_decided::GateDecided;
pub use gate_waived::GateWaived;
pub use glossary_published::GlossaryPublished;
pub use gold_set::GoldSet;
pub use guard_raised::GuardRaised;
pub use label_given::LabelGiven;
pub use label_returned::LabelReturned;
pub use label_sealed::LabelSealed;
pub use label_suggested::LabelSuggested;
pub use label_withdrawn::LabelWithdrawn;
pub use labels_exported::LabelsExported;
pub use note_withdrawn::NoteWithdrawn;
pub use nudge_sent::NudgeSent;
pub use outcome_observed::{Observed, OutcomeObserved};
pub use payload_erased::PayloadErased;
pub use plugin_pinned::PluginPinned;
pub use policy_set::PolicySet;
pub use protocol_published::ProtocolPublished;
pub use reference_set::ReferenceSet;
pub use replica_joined::{ReplicaJoined, SshProof, Vouch};
pub use reviewer_admitted::ReviewerAdmitted;
pub use reviewer_relieved::ReviewerRelieved;
pub use reviewer_retired::ReviewerRetired;
pub use ruling_withdrawn::RulingWithdrawn;
pub use run_recorded::{RunCode, RunFile, RunRecorded, RunStep};
pub use secret_shared::SecretShared;
pub use session_amended::SessionAmended;
pub use session_closed::SessionClosed;
pub use session_opened::SessionOpened;
pub use session_revealed::SessionRevealed;
pub use stream_tallied::{StreamTallied, TrapTally};
pub use training_finished::TrainingFinished;
pub use traps_published::TrapsPublished;
pub use workspace_founded::WorkspaceFounded;

use super::entry::EventContext;
use super::views::Views;
use crate::domain::ids::Hash;
use crate::domain::roster::{Role, RosterChange};

/// What every kind of event is.
pub trait Event: Serialize + DeserializeOwned {
    /// `noun.verb-ed`.
    const KIND: &'static str;
    /// Of its fields. Readers take later ones that only added fields.
    const VERSION: u32 = 1;
    /// Who may write it; `None`: anybody with a key.
    const ROLES: Option<&'static [Role]>;

    /// Why these fields can't count, coming from this author in these roles.
    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        None
    }

    /// What it says about the roster, which is settled from all such events together.
    fn roster(&self, _stamp: &EventContext) -> Option<RosterChange> {
        None
    }

    /// The payload that an event of this kind names, read from its JSON.
    fn payload(_raw: &str) -> Option<Hash> {
        None
    }

    /// Takes the event into the views. Must give the same views in whatever order events come.
    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()>;
}

/// What the fold does with an event.
pub enum FoldOutcome {
    Counts,
    /// It waits for its author to be admitted, or is malformed.
    Held(String),
}

/// A kind as the fold sees it.
pub struct Kind {
    pub name: &'static str,
    pub take: fn(&mut Views<'_, '_>, &EventContext, &RawValue) -> rusqlite::Result<FoldOutcome>,
    /// Whether this JSON is an event of the kind, of any version that was ever written.
    pub reads: fn(&str) -> bool,
    /// What a good event says about the roster.
    pub roster: fn(&EventContext, &RawValue) -> Option<RosterChange>,
    /// The payload that an event names.
    pub payload: fn(&str) -> Option<Hash>,
}

const fn kind<E: Event>() -> Kind {
    Kind {
        name: E::KIND,
        take: take::<E>,
        reads: |json| serde_json::from_str::<E>(json).is_ok(),
        roster: roster::<E>,
        payload: E::payload,
    }
}

/// Every kind that is known.
pub static KINDS: &[Kind] = &[
    kind::<WorkspaceFounded>(),
    kind::<ReplicaJoined>(),
    kind::<ReviewerAdmitted>(),
    kind::<ReviewerRelieved>(),
    kind::<ReviewerRetired>(),
    kind::<SecretShared>(),
    kind::<PolicySet>(),
    kind::<ProtocolPublished>(),
    kind::<GlossaryPublished>(),
    kind::<CaseDetected>(),
    kind::<CaseCommented>(),
    kind::<CaseDeferred>(),
    kind::<CaseEscalated>(),
    kind::<NoteWithdrawn>(),
    kind::<LabelGiven>(),
    kind::<LabelSealed>(),
    kind::<LabelWithdrawn>(),
    kind::<PayloadErased>(),
    kind::<GoldSet>(),
    kind::<TrainingFinished>(),
    kind::<CaseRuled>(),
    kind::<RulingWithdrawn>(),
    kind::<CaseAppealed>(),
    kind::<LabelReturned>(),
    kind::<ConsensusEstimated>(),
    kind::<SessionOpened>(),
    kind::<SessionAmended>(),
    kind::<SessionRevealed>(),
    kind::<SessionClosed>(),
    kind::<NudgeSent>(),
    kind::<GuardRaised>(),
    kind::<LabelsExported>(),
    kind::<TrapsPublished>(),
    kind::<ReferenceSet>(),
    kind::<StreamTallied>(),
    kind::<AlarmRaised>(),
    kind::<AlarmClosed>(),
    kind::<DatasetCut>(),
    kind::<DatasetWithdrawn>(),
    kind::<CutProposed>(),
    kind::<RunRecorded>(),
    kind::<GateDecided>(),
    kind::<GateWaived>(),
    kind::<DeploymentRecorded>(),
    kind::<DeploymentEnded>(),
    kind::<OutcomeObserved>(),
    kind::<AuditSigned>(),
    kind::<DoorOpened>(),
    kind::<DoorClosed>(),
    kind::<DoorPassed>(),
    kind::<AuthorVouched>(),
    kind::<EntriesCountersigned>(),
    kind::<PluginPinned>(),
    kind::<LabelSuggested>(),
];

fn take<E: Event>(
    views: &mut Views<'_, '_>,
    stamp: &EventContext,
    raw: &RawValue,
) -> rusqlite::Result<FoldOutcome> {
    let event: E = match serde_json::from_str(raw.get()) {
        Ok(event) => event,
        Err(error) => return Ok(FoldOutcome::Held(format!("malformed {}: {error}", E::KIND))),
    };
    if let Some(needed) = E::ROLES {
        let roles = views.roles(stamp)?;
        if !roles.iter().any(|role| needed.contains(role)) {
            return Ok(FoldOutcome::Held(refusal::<E>(views, stamp, needed)));
        }
        if let Some(objection) = event.objection(stamp, &roles) {
            return Ok(FoldOutcome::Held(objection));
        }
    } else if let Some(objection) = event.objection(stamp, &[]) {
        return Ok(FoldOutcome::Held(objection));
    }
    if let Some(change) = event.roster(stamp) {
        views.roster_changed(stamp, change)?;
    }
    event.fold(views, stamp)?;
    Ok(FoldOutcome::Counts)
}

fn roster<E: Event>(stamp: &EventContext, raw: &RawValue) -> Option<RosterChange> {
    let event: E = serde_json::from_str(raw.get()).ok()?;
    if E::ROLES.is_some() || event.objection(stamp, &[]).is_some() {
        None
    } else {
        event.roster(stamp)
    }
}

fn refusal<E: Event>(views: &Views<'_, '_>, stamp: &EventContext, needed: &[Role]) -> String {
    if let Some(after) = views.cut(stamp) {
        return format!("{} was retired on this device after entry {after}", stamp.author);
    }
    let roles: Vec<&str> = needed.iter().map(|role| role.as_str()).collect();
    format!(
        "{} needs the role {}, which {} does not have on this device",
        E::KIND,
        roles.join(" or "),
        stamp.author
    )
}

/// The kind and version that begin every event.
#[derive(Deserialize)]
pub struct Head<'a> {
    #[serde(borrow)]
    pub kind: std::borrow::Cow<'a, str>,
    #[serde(default)]
    pub v: u32,
}

/// An event as it is written: kind and version, then its fields.
pub fn encode<E: Event>(event: &E) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Tagged<'e, E> {
        kind: &'static str,
        v: u32,
        #[serde(flatten)]
        event: &'e E,
    }
    // Our own structs always have a JSON form.
    to_raw_value(&Tagged { kind: E::KIND, v: E::VERSION, event })
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
}
