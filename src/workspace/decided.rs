//! What people decided elsewhere who reviewed the labels of others, as rulings: of each case in the order
//! in which they were decided, so that the last one counts.

use std::collections::{BTreeSet, HashMap};

use super::answered_here::{AnsweredHere, ForeignRequest, Opening, answered_here};
use crate::db::{arbitration, label};
use crate::domain::arbitration::{Act, Cause, Done, Ruling, replaced_by_a_new_one};
use crate::domain::ids::CaseId;
use crate::domain::label::{MAIN_ROUND, ProtocolRef, that_count_in};
use crate::domain::protocol::Protocol;
use crate::domain::time::Moment;
use crate::format::foreign::Foreign;
use crate::intake::labels::{Context, ForeignSummary, ImportSummary};

/// A decision, with what it came to.
struct Decision<'f> {
    at: Option<Moment>,
    answered: AnsweredHere<'f>,
    /// Where it comes from, by which it is known again.
    rationale: String,
}

/// Makes rulings of decisions, each with its number; those that are here already, whatever became of
/// them since, are counted. A dry run counts the same and makes none for cases that are not here.
pub(super) fn rulings<'p, F>(
    context: &Context<'_, F>,
    decisions: &[&Foreign],
    request: &ForeignRequest,
    known: (&Opening, &HashMap<String, CaseId>),
    (summary, more): (&mut ImportSummary, &mut ForeignSummary),
) -> rusqlite::Result<Vec<Ruling>>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let mut sound = Vec::new();
    for foreign in decisions {
        match decision(context, foreign, request, known, more) {
            Ok(decision) => sound.push(decision),
            Err(why) => summary.reject_at(&foreign.place, &why),
        }
    }
    // What says no time comes first, in the order of the files.
    sound.sort_by_key(|decision| decision.at);
    let (mut rulings, mut seen) = (Vec::new(), BTreeSet::new());
    for Decision { answered, rationale, .. } in sound {
        let AnsweredHere { id, case, protocol, path, outcome, .. } = answered;
        let acts = case.map(|case| arbitration::of_case(context.conn, case)).transpose()?;
        let same = |done: &Done| match &done.act {
            Act::Ruled(ruling) => ruling.rationale == rationale && ruling.outcome == outcome,
            _ => false,
        };
        let words = crate::db::to_json(&outcome);
        let is_new = seen.insert((
            case.map_or(id.to_owned(), |case| case.to_string()),
            rationale.clone(),
            words,
        ));
        if !is_new || acts.as_ref().is_some_and(|acts| acts.iter().any(same)) {
            summary.duplicate += 1;
            continue;
        }
        summary.imported += 1;
        more.ruled += 1;
        let Some(case) = case else { continue };
        let labels = label::live_of_case(context.conn, case)?;
        let weighed = that_count_in(&labels, MAIN_ROUND);
        let takes = weighed.iter().find(|given| given.label.outcome == outcome);
        rulings.push(Ruling {
            case,
            takes: takes.map(|given| given.event),
            outcome,
            protocol: Some(protocol),
            path,
            cause: Cause::Other,
            rationale,
            considered: weighed.iter().map(|given| given.event).collect(),
            change: None,
            // Of several that are imported at once, the last is what was decided.
            replaces: Some(replaced_by_a_new_one(&acts.unwrap_or_default())),
        });
    }
    Ok(rulings)
}

fn decision<'p, 'f, F>(
    context: &Context<'_, F>,
    foreign: &'f Foreign,
    request: &ForeignRequest,
    known: (&Opening, &HashMap<String, CaseId>),
    more: &mut ForeignSummary,
) -> Result<Decision<'f>, String>
where
    F: Fn(&str) -> Option<(&'p Protocol, &'p ProtocolRef)>,
{
    let answered = answered_here(context, foreign, request, known, more)?;
    let by = request.name_of(foreign.reviewer.as_deref())?;
    let at = request.given_at(foreign, context.now)?;
    let mut rationale = format!("decided in a review in {} by {by}", request.format);
    if let Some(at) = at {
        rationale.push_str(&format!(", {}", at.rfc3339()));
    }
    if !foreign.rationale.trim().is_empty() {
        rationale.push_str(&format!(": {}", foreign.rationale.trim()));
    }
    Ok(Decision { at, answered, rationale })
}
