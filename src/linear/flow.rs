//! From case to case: opening, submitting, taking back, putting off.

use super::desk::{Desk, LISTED_MAX, LinearError, Open, outcome_in_words};
use crate::clock;
use crate::domain::ids::CaseId;
use crate::domain::resolve::CaseState;
use crate::domain::text::is_blank;
use crate::review::{Asked, CaseRow, Direction, Draft, QueueKey};
use crate::workspace::{Undone, WorkError};

impl Desk<'_> {
    /// The first cases that wait for whoever is at work, without those that were passed over.
    fn waiting(&self, limit: usize) -> Result<Vec<CaseRow>, WorkError> {
        let mut found = Vec::new();
        let mut take = |rows: Vec<CaseRow>| {
            found.extend(rows.into_iter().filter(|row| !self.passed.contains(&row.id)));
            found.len() >= limit
        };
        if let Some(round) = &self.workspace.sitting {
            let session = self.workspace.session_of_round(round)?;
            take(session.map_or(Ok(Vec::new()), |session| self.workspace.session_cases_to_label(&session))?);
        } else {
            let (queue, _) = self.workspace.quick_queue()?;
            let mut from = QueueKey::FIRST;
            loop {
                let page = self.workspace.queue_page(&queue, from, Direction::Forward, limit + self.passed.len())?;
                let Some(last) = page.last() else { break };
                from = last.key();
                if take(page) {
                    break;
                }
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    fn begin(&mut self, row: CaseRow) -> Result<(), LinearError> {
        self.rest.clear();
        self.alike.clear();
        // What reviewers decide by may be other than it was.
        self.protocols = self.workspace.protocols()?;
        let kept = self.workspace.draft(row.id)?;
        let case = self.workspace.open_case(row)?;
        let submitted = case.mine.is_some().then(|| Draft::begin(None, &case, &self.protocols));
        let draft = Draft::begin(kept, &case, &self.protocols);
        let published = self.protocols.for_stream(&case.row.stream).cloned();
        let (hide, since) = (self.protocols.policy.hide.clone(), clock::now());
        let (untouched, seen) = (draft.clone(), Default::default());
        self.open = Some(Open { case, published, untouched, submitted, draft, since, hide, seen });
        self.tell_case()?;
        self.ask()
    }

    /// Opens the case that waits first.
    pub fn open_first(&mut self) -> Result<(), LinearError> {
        if let Some(row) = self.waiting(1)?.pop() {
            return self.begin(row);
        }
        self.open = None;
        let passed = std::mem::take(&mut self.passed).len();
        Ok(match passed {
            0 => self.line("Your queue is empty."),
            _ => self.line(&format!("Your queue has no case but the {passed} you passed over. next begins with them again.")),
        }?)
    }

    /// Passes over the open case for now.
    pub fn next(&mut self) -> Result<(), LinearError> {
        self.leave()?;
        self.passed.extend(self.open.take().map(|open| open.case.row.id));
        self.open_first()
    }

    /// Opens a case by its number in the list told last, or by an id.
    pub fn open_named(&mut self, name: &str) -> Result<(), LinearError> {
        let name = name.trim();
        let listed = name.parse::<usize>().ok().and_then(|n| self.listed.get(n.checked_sub(1)?)).map(|row| row.id);
        match listed {
            Some(id) => self.open_case(id),
            None if name.is_empty() => Ok(self.say("Error", "open takes a number of the list told last, or an id.")?),
            None => self.open_case(self.workspace.find_case_to_change(name)?.id),
        }
    }

    fn open_case(&mut self, id: CaseId) -> Result<(), LinearError> {
        let Some(row) = self.workspace.case_to_open(id)? else {
            return Ok(self.say("Error", &format!("{} is not here any more.", id.short()))?);
        };
        self.leave()?;
        self.passed.remove(&id);
        self.begin(row)
    }

    /// Says that what was begun is kept, if anything was; says whether it was.
    pub fn leave(&mut self) -> Result<bool, LinearError> {
        let begun = self.open.as_ref().is_some_and(|open| open.draft != open.untouched && !open.draft.is_empty());
        if begun {
            self.line("Draft kept.")?;
        }
        self.flush()?;
        Ok(begun)
    }

    /// Submits the label.
    pub fn submit(&mut self) -> Result<(), LinearError> {
        let Some(open) = &mut self.open else { return self.open_first() };
        let Some(published) = open.published.clone() else { return self.ask() };
        if open.submitted.as_ref() == Some(&open.draft) {
            return Ok(self.line("That is the label you submitted. next goes on; back changes it.")?);
        }
        open.draft.keep_seen(&open.seen);
        let (id, latest) = (open.case.row.id, open.case.latest);
        let spent = (clock::now().0 - open.since.0).max(0) as u64;
        let draft = Draft { spent_ms: open.draft.spent_ms + spent, ..open.draft.clone() };
        let asked = Asked::of(&open.case, &published, &self.protocols.policy, &self.workspace.me);
        let label = match draft.label(&asked) {
            Ok(label) => label,
            Err(missing) => return self.tell_missing(&missing),
        };
        let words = outcome_in_words(&label.outcome);
        let saved = match self.workspace.submit_knowing(label, latest) {
            Ok(saved) => saved,
            Err(error @ WorkError::LabeledMeanwhile(..)) => {
                self.say("Error", &format!("{error}. Your answers are kept as a draft."))?;
                self.workspace.keep_draft(id, &draft)?;
                self.open = None;
                // What was said meanwhile is known and told from now on: Enter again puts these answers in its place.
                return self.open_case(id);
            }
            Err(error) => return Err(error.into()),
        };
        self.say("Submitted", &format!("{words}. Entry {}.", saved.seq))?;
        self.open = None;
        self.open_first()
    }

    /// Takes back the label or ruling of whoever is at work that came last.
    pub fn undo(&mut self) -> Result<(), LinearError> {
        match self.workspace.undo()? {
            Undone::Ruling { case, .. } => Ok(self.say("Taken back", &format!("the ruling on {}.", case.short()))?),
            Undone::Label(given, _) => {
                let case = given.label.case;
                // What was begun anew since is worth more than what was submitted then.
                if self.workspace.draft(case)?.is_none_or(|draft| draft.is_empty()) {
                    self.workspace.keep_draft(case, &Draft::of(&given.label))?;
                }
                self.say("Taken back", &format!("your label of {}, {}.", case.short(), outcome_in_words(&given.label.outcome)))?;
                self.open_case(case)
            }
        }
    }

    pub fn defer(&mut self, why: &str) -> Result<(), LinearError> {
        let Some(id) = self.about("defer", why)? else { return Ok(()) };
        let until = self.workspace.defer(id, why)?;
        self.say("Put off", &format!("until {}.", until.minute()))?;
        self.open = None;
        self.open_first()
    }

    pub fn escalate(&mut self, why: &str) -> Result<(), LinearError> {
        let Some(id) = self.about("escalate", why)? else { return Ok(()) };
        self.workspace.escalate(id, why)?;
        Ok(self.say("Escalated", "a lead will look at it.")?)
    }

    pub fn comment(&mut self, words: &str) -> Result<(), LinearError> {
        let Some(id) = self.about("comment", words)? else { return Ok(()) };
        self.workspace.comment(id, words)?;
        Ok(self.say("Comment", "it stands in the history.")?)
    }

    /// The open case, if some words about it were given.
    fn about(&mut self, command: &str, words: &str) -> Result<Option<CaseId>, LinearError> {
        let Some(open) = &self.open else {
            self.line("No case is open.")?;
            return Ok(None);
        };
        let id = open.case.row.id;
        if is_blank(words) {
            self.say("Error", &format!("{command} takes words: {command} and what you have to say."))?;
            return Ok(None);
        }
        Ok(Some(id))
    }

    pub fn queue(&mut self) -> Result<(), LinearError> {
        let rows = self.waiting(LISTED_MAX + 1)?;
        self.list("Queue", rows)
    }

    /// Cases that want something of whoever is at work beside the queue.
    pub fn renew(&mut self) -> Result<(), LinearError> {
        let rows = self.workspace.worklist()?;
        self.list("Renew", rows)
    }

    pub fn disputed(&mut self) -> Result<(), LinearError> {
        let queue = self.workspace.queue_of(Some(CaseState::Disputed), self.workspace.now())?;
        let rows = self.workspace.queue_page(&queue, QueueKey::FIRST, Direction::Forward, LISTED_MAX + 1)?;
        self.list("Disputed", rows)
    }

    pub fn search(&mut self, words: &str) -> Result<(), LinearError> {
        if is_blank(words) {
            return Ok(self.say("Error", "search takes words of the case's text.")?);
        }
        let rows = self.workspace.search(words, LISTED_MAX + 1)?;
        self.list("Found", rows)
    }
}
