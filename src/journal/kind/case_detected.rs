//! `case.detected`: a prediction was flagged. Detected twice, the earliest counts.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::db::case::{self, CaseRow};
use crate::db::{arbitration, draw, label};
use crate::domain::ids::{CaseId, Hash};
use crate::domain::policy::Copies;
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::domain::traps::Why;
use crate::journal::entry::EventContext;
use crate::journal::views::Views;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseDetected {
    pub case: CaseId,
    pub stream: String,
    /// The id that the stream gave it.
    pub id: String,
    pub occurred_ms: Moment,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Why it was flagged.
    pub flags: Vec<String>,
    /// 0 (most worth a label) to 1000.
    pub rank: u16,
    pub payload: Hash,
    /// The language that it takes to understand it, as `en`; empty: not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// What it takes to judge it: somebody with these skills.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// By which traps, in which words of theirs, and how it was drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<Why>,
    /// The alarm for which it was drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<String>,
}

impl Event for CaseDetected {
    const KIND: &'static str = "case.detected";
    const VERSION: u32 = 3;
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead, Role::Engineer, Role::Agent]);

    fn objection(&self, _stamp: &EventContext, _roles: &[Role]) -> Option<String> {
        (self.case != CaseId::of(&self.stream, &self.id))
            .then(|| "the case id is not that of its stream and id".to_owned())
    }

    fn payload(raw: &str) -> Option<Hash> {
        #[derive(Deserialize)]
        struct Named {
            payload: Hash,
        }
        serde_json::from_str::<Named>(raw).ok().map(|named| named.payload)
    }

    fn fold(self, views: &mut Views<'_, '_>, stamp: &EventContext) -> rusqlite::Result<()> {
        let known = case::by_id(views.tx, self.case)?;
        // Traps that found it later count too: a draw is the same whoever makes it. Who asked for it
        // without one asked for it whatever the draws are, before or after.
        let cited = draw::any_of_case(views.tx, self.case)?;
        let asked = if self.why.is_empty() { cited } else { known.is_some() && !cited };
        if asked {
            draw::insert_asked(views.tx, self.case)?;
        }
        draw::insert(views.tx, self.case, &self.stream, self.occurred_ms, &self.why)?;
        let moved = draw::at_the_edge(views.tx, &self.stream, self.occurred_ms, &self.why)?;
        for other in moved.into_iter().filter(|id| *id != self.case) {
            views.change_case(other, |_| Ok(()))?;
        }
        match &known {
            Some(known) if (known.at, known.event) <= (stamp.at, stamp.event) => {
                if known.event == stamp.event {
                    return Ok(());
                }
                views.detected_again(self.case, stamp.event)?;
                return views.change_case(self.case, |_| Ok(()));
            }
            Some(later) => views.detected_again(self.case, later.event)?,
            None => {}
        }
        let text = views.payload_text(self.case, stamp.event, self.payload)?;
        let due = Moment((stamp.at.ms + views.policy.sla_ms() + 3_599_999) / 3_600_000 * 3_600_000);
        let drawn = draw::is_drawn(views.tx, self.case)?;
        let row = CaseRow {
            num: 0,
            id: self.case,
            stream: self.stream,
            external_id: self.id,
            occurred_at: self.occurred_ms,
            at: stamp.at,
            event: stamp.event,
            payload: self.payload,
            model: self.model,
            predicted: self.predicted,
            confidence: self.confidence,
            flags: self.flags,
            rank: i64::from(self.rank),
            state: if drawn { CaseState::Open } else { CaseState::Unsampled },
            due,
            labels: 0,
            outcome: None,
            how: None,
            language: self.language,
            needs: self.needs,
            text,
            turn: 0,
        };
        // A ruling may have come before its case, as labels may.
        if known.is_none()
            && !label::any_of_case(views.tx, self.case)?
            && !arbitration::any_of_case(views.tx, self.case)?
        {
            return views.open_case(&row);
        }
        views.change_case(self.case, |views| {
            if let Some(known) = &known {
                case::delete(views.tx, known)?;
            }
            let pooled = views.policy.copies == Copies::Pooled;
            case::insert(views.tx, &row, pooled).map(drop)
        })
    }
}
