//! The reading door: what the floors above may read of a workspace, each as whoever is at work may
//! see it. The database itself leaves this floor nowhere.

use std::collections::BTreeSet;

use super::{WorkError, Workspace};
use crate::db::case::{self, CaseRow, Direction, QueueKey};
use crate::db::label::LabelRow;
use crate::db::note::NoteRow;
use crate::db::{self, Db, erasure, journal, label, sealed};
use crate::domain::calibration::Calibration;
use crate::domain::ids::{CaseId, EventId, ReplicaId};
use crate::domain::label::{GivenLabel, that_count, that_count_in};
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::domain::training::Gold;
use crate::journal::kind::TrainingFinished;
use crate::journal::views::evidence::labeled_by;
use crate::quality::ratings::Ratings;
use crate::quality::truth::Fitting;
use crate::review::calibration::{self, Progress};
use crate::review::disagreement::{Disagreements, disagreements};
use crate::review::filter::Filter;
use crate::review::ratings::{By, Which, after_others, questions, ratings};
use crate::review::value::Worth;
use crate::review::walks::{WalksFitted, fit_walks};
use crate::review::{Queue, QueueCounts, gold};

/// An entry of the journal as it stands, with the key of its device.
pub struct WrittenEntry {
    pub body: Vec<u8>,
    pub signature: Vec<u8>,
    pub key: [u8; 32],
}

impl Workspace {
    /// Calls `each` with every label that was not withdrawn and that whoever is at work may see, and
    /// with whether it counts; tells how many more there are.
    ///
    /// # Errors
    /// Those of `each`, and of the database.
    pub fn labels_seen<E: From<WorkError>>(
        &self,
        mut each: impl FnMut(&GivenLabel, bool) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut sight = self.sight()?;
        let mut left_out = 0;
        let mut result = Ok(());
        label::for_each_case(&self.db.conn, |labels| {
            let counting: Vec<EventId> =
                that_count(&labels).into_iter().map(|given| given.event).collect();
            for given in &labels {
                if result.is_err() {
                    return;
                }
                match sight.sees(&self.db.conn, given) {
                    Ok(true) => result = each(given, counting.contains(&given.event)),
                    Ok(false) => left_out += 1,
                    Err(error) => result = Err(WorkError::from(error).into()),
                }
            }
        })
        .map_err(WorkError::from)?;
        result?;
        // Their own that are sealed, and how many others there are.
        let mut own = self.own_sealed(None)?;
        own.retain(|row| row.withdrawn.is_none());
        let latest = |given: &GivenLabel| {
            let same = |other: &&LabelRow| {
                let (one, other) = (&given.label, &other.given.label);
                (one.case, &one.round) == (other.case, &other.round)
            };
            own.iter().rfind(same).map(|row| row.given.event) == Some(given.event)
        };
        own.iter().try_for_each(|row| each(&row.given, latest(&row.given)))?;
        let sealed = sealed::standing(&self.db.conn).map_err(WorkError::from)?;
        Ok(left_out + sealed.saturating_sub(own.len()))
    }

    /// The labels of a case in a round that count, one of each reviewer; nothing while what others
    /// said of it is kept from whoever is at work.
    ///
    /// # Errors
    /// Those of the database.
    pub fn labels_of_case(
        &self,
        case: CaseId,
        round: &str,
    ) -> Result<Option<Vec<GivenLabel>>, WorkError> {
        if !self.blind_to([case])?.is_empty() {
            return Ok(None);
        }
        Ok(Some(that_count_in(label::live_of_case(&self.db.conn, case)?, round)))
    }

    /// Who has labeled a case, in whatever round. What they said is not told.
    ///
    /// # Errors
    /// Those of the database.
    pub fn who_labeled(&self, case: CaseId) -> Result<Vec<String>, WorkError> {
        let live = label::live_of_case(&self.db.conn, case)?;
        let who: BTreeSet<String> = live.into_iter().map(|given| given.label.reviewer).collect();
        Ok(who.into_iter().collect())
    }

    /// Who gave a label that counts for a case, of it or of a copy. What they said is not told.
    ///
    /// # Errors
    /// Those of the database.
    pub fn counted_by(&self, case: &CaseRow) -> Result<Vec<String>, WorkError> {
        Ok(labeled_by(&self.db.conn, &self.policy()?, case.id, case.labels)?)
    }

    /// Ratings for measuring, for each of several ways to compare.
    ///
    /// # Errors
    /// That the round is hidden, that there is none, that no protocol sets a field, and those of the
    /// database.
    pub fn ratings(&self, round: &str, which: Which, by: &[By]) -> Result<Vec<Ratings>, WorkError> {
        self.may_see(round)?;
        self.known_fields(by.iter().flat_map(By::fields))?;
        Ok(ratings(&self.db.conn, round, which, by)?)
    }

    /// How many of the labels that count in a round were given after others' could be seen.
    ///
    /// # Errors
    /// Those of the database.
    pub fn after_others(&self, round: &str) -> Result<usize, WorkError> {
        Ok(after_others(&self.db.conn, round)?)
    }

    /// What a label of a case is worth in somebody's queue, where that is its order.
    ///
    /// # Errors
    /// Those of the database.
    pub fn worth(&self, queue: &Queue, case: &CaseRow) -> Result<Option<Worth>, WorkError> {
        Ok(queue.worth(&self.db.conn, case)?)
    }

    /// Those who share the work of whom a label of a case would hardly teach anything.
    ///
    /// # Errors
    /// Those of the database.
    pub fn idle(&self, queue: &Queue, case: &CaseRow) -> Result<Vec<String>, WorkError> {
        Ok(queue.idle(&self.db.conn, &case.work())?)
    }

    /// What the model of truth that walks the protocol makes of a round's labels, which `ratings` are
    /// by these fields of their outcomes.
    ///
    /// # Errors
    /// That the round is hidden, and those of the database.
    pub fn fit_walks(
        &self,
        round: &str,
        fields: &[String],
        ratings: &Ratings,
        fitting: &Fitting,
    ) -> Result<WalksFitted, WorkError> {
        self.may_see(round)?;
        Ok(fit_walks(&self.db.conn, round, fields, ratings, fitting)?)
    }

    /// Refuses a field that no published protocol sets and the policy does not name.
    ///
    /// # Errors
    /// That there is no such field, and those of the database.
    pub fn known_fields<'f>(
        &self,
        fields: impl IntoIterator<Item = &'f String>,
    ) -> Result<(), WorkError> {
        let protocols = self.protocols()?;
        let known = protocols.fields();
        for field in fields {
            let of_policy = protocols.policy.on.contains(field);
            if !of_policy && !known.is_empty() && !known.contains(field.as_str()) {
                let known = known.into_iter().map(str::to_owned).collect();
                return Err(WorkError::NoField { field: field.clone(), known });
            }
        }
        Ok(())
    }

    /// The questions that labels of a round answered, with how many answered each.
    ///
    /// # Errors
    /// That the round is hidden, and those of the database.
    pub fn answered_questions(&self, round: &str) -> Result<Vec<(String, usize)>, WorkError> {
        self.may_see(round)?;
        Ok(questions(&self.db.conn, round)?)
    }

    /// Where the labels of a round differ.
    ///
    /// # Errors
    /// That the round is hidden, and those of the database.
    pub fn disagreements(&self, round: &str) -> Result<Disagreements, WorkError> {
        self.may_see(round)?;
        let protocols = self.protocols()?;
        Ok(disagreements(&self.db.conn, round, &protocols, &protocols.policy.on)?)
    }

    /// The queue of whoever is at work at a time, or all cases of a state.
    ///
    /// # Errors
    /// Those of the database.
    pub fn queue_of(&self, state: Option<CaseState>, now: Moment) -> Result<Queue, WorkError> {
        Ok(match state {
            None => Queue::load(&self.db.conn, &self.me, now)?,
            Some(state) => Queue::of_state(&self.db.conn, &self.me, state, now)?,
        })
    }

    /// Rows of a queue from a place on.
    ///
    /// # Errors
    /// Those of the database.
    pub fn queue_page(
        &self,
        queue: &Queue,
        from: QueueKey,
        to: Direction,
        limit: usize,
    ) -> Result<Vec<CaseRow>, WorkError> {
        Ok(queue.page(&self.db.conn, from, to, limit)?)
    }

    /// Finds out where all cases of a queue stand, for who wants many of them.
    ///
    /// # Errors
    /// Those of the database.
    pub fn know_queue(&self, queue: &Queue) -> Result<(), WorkError> {
        if queue.is_shared() {
            queue.know_mine(&self.db.conn)?;
        }
        Ok(())
    }

    /// The cases of a queue that a filter lets through, until `stop` says so.
    ///
    /// # Errors
    /// Those of the database.
    pub fn queue_filtered(
        &self,
        queue: &Queue,
        filter: &Filter,
        stop: impl Fn() -> bool,
    ) -> Result<Vec<CaseRow>, WorkError> {
        Ok(queue.filtered(&self.db.conn, filter, stop)?)
    }

    /// How a queue stands, counted until `stop` says so.
    ///
    /// # Errors
    /// Those of the database.
    pub fn queue_counts(
        &self,
        queue: &Queue,
        stop: impl Fn() -> bool,
    ) -> Result<QueueCounts, WorkError> {
        Ok(queue.counts(&self.db.conn, stop)?)
    }

    /// The same from what is kept up to date, without counting whose each case is.
    ///
    /// # Errors
    /// Those of the database.
    pub fn quick_counts(&self, queue: &Queue) -> Result<QueueCounts, WorkError> {
        Ok(queue.quick_counts(&self.db.conn)?)
    }

    /// A case's row as whoever is at work may see it in a list; nothing if it is gone.
    ///
    /// # Errors
    /// Those of the database.
    pub fn listed_case(&self, id: CaseId) -> Result<Option<CaseRow>, WorkError> {
        let row = case::by_id(&self.db.conn, id)?;
        Ok(row.map(|row| gold::masked(&self.db.conn, &self.me, row)).transpose()?)
    }

    /// What the stream calls a case, if it is here.
    ///
    /// # Errors
    /// Those of the database.
    pub fn id_in_stream(&self, case: CaseId) -> Result<Option<String>, WorkError> {
        Ok(case::external_id(&self.db.conn, case)?)
    }

    /// A case's row, to be opened: what is opened is masked as a whole.
    ///
    /// # Errors
    /// Those of the database.
    pub fn case_to_open(&self, id: CaseId) -> Result<Option<CaseRow>, WorkError> {
        Ok(case::by_id(&self.db.conn, id)?)
    }

    /// Cases whose right answer is known: for leads, since they measure reviewers.
    ///
    /// # Errors
    /// [`WorkError::KnownAnswers`] for anybody else.
    pub fn known_answers(&self) -> Result<Vec<Gold>, WorkError> {
        if !self.is_lead()? {
            return Err(WorkError::KnownAnswers);
        }
        Ok(gold::all(&self.db.conn)?)
    }

    /// Every training that was gone through.
    ///
    /// # Errors
    /// Those of the database.
    pub fn trainings(&self) -> Result<Vec<TrainingFinished>, WorkError> {
        Ok(gold::trainings(&self.db.conn)?)
    }

    /// How far everybody is in a session. Tells nothing of what they said.
    ///
    /// # Errors
    /// Those of the database.
    pub fn session_progress(&self, session: &Calibration) -> Result<Vec<Progress>, WorkError> {
        Ok(calibration::progress(&self.db.conn, session)?)
    }

    /// What was said about the cases of a session.
    ///
    /// # Errors
    /// Those of the database.
    pub fn session_comments(&self, session: &Calibration) -> Result<Vec<NoteRow>, WorkError> {
        Ok(calibration::comments(&self.db.conn, session)?)
    }

    /// The labels of a session's first round, of one case or of all; none before it is revealed.
    ///
    /// # Errors
    /// Those of the database.
    pub fn first_round(
        &self,
        session: &Calibration,
        case: Option<CaseId>,
    ) -> Result<Vec<GivenLabel>, WorkError> {
        let conn = &self.db.conn;
        Ok(match case {
            _ if !session.stage().is_revealed() => Vec::new(),
            Some(case) => calibration::labels_of_case(conn, session, 0, case)?,
            None => calibration::labels(conn, session, 0)?,
        })
    }

    /// The session that a round is of.
    ///
    /// # Errors
    /// Those of the database.
    pub fn session_of_round(&self, round: &str) -> Result<Option<Calibration>, WorkError> {
        Ok(calibration::of_round(&self.db.conn, round)?)
    }

    /// The cases of a session that wait for a label of whoever is at work.
    ///
    /// # Errors
    /// Those of the database.
    pub fn session_cases_to_label(&self, session: &Calibration) -> Result<Vec<CaseRow>, WorkError> {
        Ok(calibration::to_label(&self.db.conn, session, &self.me)?)
    }

    /// An entry of a device as it was signed; nothing if there is none.
    ///
    /// # Errors
    /// Those of the database.
    pub fn entry(&self, replica: ReplicaId, seq: u64) -> Result<Option<WrittenEntry>, WorkError> {
        let (entry, chain) = (
            journal::entry(&self.db.conn, replica, seq)?,
            journal::replica(&self.db.conn, replica)?,
        );
        Ok(entry.zip(chain).map(|(entry, chain)| WrittenEntry {
            body: entry.body,
            signature: entry.signature,
            key: chain.key,
        }))
    }

    /// The devices whose id begins so.
    ///
    /// # Errors
    /// Those of the database.
    pub fn replicas_beginning(&self, digits: &str) -> Result<Vec<ReplicaId>, WorkError> {
        let rows = journal::replicas(&self.db.conn)?.into_iter().map(|row| row.replica);
        Ok(rows.filter(|replica| replica.to_string().starts_with(digits)).collect())
    }

    /// What SQLite itself finds wrong with the file.
    ///
    /// # Errors
    /// Those of the database.
    pub fn damage(&self) -> Result<Vec<String>, WorkError> {
        Ok(self.db.damage()?)
    }

    /// Changes when a protocol, a glossary or a policy is published.
    ///
    /// # Errors
    /// Those of the database.
    pub fn documents_stamp(&self) -> Result<(i64, i64), WorkError> {
        Ok(db::document::stamp(&self.db.conn)?)
    }

    /// Changes when another connection has written.
    ///
    /// # Errors
    /// Those of the database.
    pub fn data_version(&self) -> Result<i64, WorkError> {
        Ok(db::data_version(&self.db.conn)?)
    }

    /// How many cases were erased.
    ///
    /// # Errors
    /// Those of the database.
    pub fn erasures(&self) -> Result<u64, WorkError> {
        Ok(erasure::count(&self.db.conn)?)
    }

    /// The tables themselves, for tests and benches that look into them or damage them. No other
    /// floor calls this.
    #[doc(hidden)]
    pub fn tables(&self) -> &Db {
        &self.db
    }

    #[doc(hidden)]
    pub fn tables_mut(&mut self) -> &mut Db {
        &mut self.db
    }
}
