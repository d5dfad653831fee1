//! Does what a session asks for. Reads are a fraction of a millisecond and are done at once, so
//! that keys typed ahead act on the state they were meant for. What writes or may take long goes to
//! a worker thread.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::opener::Opener;
use super::syncer::Syncer;
use super::validating;
use super::writer::{Work, Writer};
use crate::clock;
use crate::domain::attachment::Attachment;
use crate::domain::ids::CaseId;
use crate::domain::long_text::Ask;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::review::board::BoardSums;
use crate::review::board::pages::Pages;
use crate::review::queue::FILTERED_MAX;
use crate::review::{Draft, Filter, Queue, QueueCounts};
use crate::serve::live;
use crate::session::NOT_SERVED;
use crate::session::command::submit::Submit;
use crate::session::effect::{Aside, Effect};
use crate::session::report::{Coming, Elsewhere, Report};
use crate::session::window::{CalibrationProgress, RELIABILITY_TITLE, TRACE_TITLE};
use crate::workspace::attached::{content, look_at};
use crate::workspace::error::CalibrationError;
use crate::workspace::loop_rows::Changed;
use crate::workspace::{WorkError, Workspace};

/// Up to this many open cases it is counted anew after every label whose they are.
const COUNTED_OFTEN_MAX: u64 = 20_000;

pub struct Reader {
    workspace: Workspace,
    queue: Queue,
    /// Drafts as last seen, by the session they are of: the worker may not have written them yet.
    drafts: HashMap<(Option<String>, CaseId), Draft>,
    /// Cases whose label is on its way to the disk.
    sending: HashMap<CaseId, Option<String>>,
    /// How many large cases were begun to be read.
    readings: u64,
    worker: Sender<Work>,
    thread: Option<JoinHandle<Option<WorkError>>>,
    /// Which documents were there when they were last looked at.
    documents: (i64, i64),
    /// Looks for what nobody waits for.
    searcher: Option<Sender<Search>>,
    /// Somebody looks at the board.
    following: Arc<AtomicBool>,
    newest_filter: Arc<AtomicU64>,
    newest_count: Arc<AtomicU64>,
    report: Arc<dyn Fn(Report) + Send + Sync>,
    syncer: Option<Syncer>,
    opener: Opener,
    now: fn() -> Moment,
}

/// How long the cases of somebody who came over SSH are not counted yet: it takes what ten screens do.
const RUSH: Duration = Duration::from_secs(8);

/// Lets whoever waits for the processor go first: nobody waits for what this thread does, and others
/// may have their screens on the same machine.
fn stand_back() {
    // Where it may not, it takes its turn like all.
    let _ = rustix::process::nice(10);
}

/// That a case is open in another session of the same person.
fn elsewhere(other: &live::Session) -> Elsewhere {
    Elsewhere::Open(other.case.map(|(_, since)| since.clock()).unwrap_or_default())
}

fn being_saved() -> Report {
    Report::Failed("The label of that case is being saved.".into())
}

impl Reader {
    /// `documents` is the stamp of what reviewers decide by, as it was read; `report` is called
    /// from the worker thread with what its work came to.
    pub fn new(
        workspace: Workspace,
        now: fn() -> Moment,
        documents: (i64, i64),
        report: impl Fn(Report) + Send + Sync + 'static,
    ) -> Result<Self, WorkError> {
        let report: Arc<dyn Fn(Report) + Send + Sync> = Arc::new(report);
        let (worker, work) = channel();
        let newest_filter = Arc::new(AtomicU64::new(0));
        let validators = validating::start(&workspace, Arc::clone(&report))?;
        let writer = Writer::new(workspace.reopen()?, validators);
        let reports = Arc::clone(&report);
        let thread = std::thread::spawn(move || writer.run(&work, &*reports));
        let (queue, _) = workspace.queue_at(now())?;
        let syncer = if workspace.served {
            None // whoever serves exchanges for all
        } else {
            Syncer::start(&workspace, Arc::clone(&report))?
        };
        Ok(Self {
            now,
            syncer,
            opener: Opener::default(),
            workspace,
            queue,
            drafts: HashMap::new(),
            sending: HashMap::new(),
            readings: 0,
            worker,
            thread: Some(thread),
            searcher: None,
            following: Arc::default(),
            documents,
            newest_filter,
            newest_count: Arc::new(AtomicU64::new(0)),
            report,
        })
    }

    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Does an effect. What can be answered at once is returned.
    pub fn perform(&mut self, effect: Effect) -> Option<Report> {
        let answered = match effect {
            Effect::Page { from, direction, limit, .. } => {
                let rows = self.workspace.queue_page(&self.queue, from, direction, limit);
                rows.map(|rows| {
                    Some(Report::Page { from, direction, full: rows.len() >= limit, rows })
                })
            }
            Effect::View(state) => {
                self.newest_filter.fetch_add(1, Ordering::Relaxed);
                self.load_queue(state).map(|()| None)
            }
            Effect::Open { id } => self.open(id).map(Some),
            Effect::OpenNamed(name) => self
                .workspace
                .find_case_to_change(&name)
                .and_then(|row| self.open(row.id))
                .map(Some),
            Effect::Documents => self.documents(),
            Effect::Count { all } => self.count(all),
            Effect::Filter { text, generation } => {
                self.newest_filter.store(generation, Ordering::Relaxed);
                self.filter(text, generation).map(|()| None)
            }
            Effect::Submit { label, knew } => {
                match self.workspace.overtaken(&label, knew) {
                    Ok(Some(other)) => {
                        Ok(Some(Report::Overtaken { label, other: Box::new(other) }))
                    }
                    Err(error) => Err(error),
                    Ok(None) => {
                        // The draft stays until the label is on disk.
                        self.sending.insert(label.case, self.workspace.in_round.clone());
                        self.send(Work::Write(Box::new(Submit { label, knew })))
                    }
                }
            }
            Effect::Write(what) => self.send(Work::Write(what)),
            Effect::KeepDraft { case, draft } => {
                self.drafts.insert((self.workspace.in_round.clone(), case), *draft.clone());
                self.send(Work::KeepDraft { case, draft })
            }
            Effect::KeepPlace(place) => self.send(Work::KeepPlace(place)),
            Effect::Dispute { case } => self.dispute(case).map(Some),
            Effect::EnterCalibration(name) => self.enter_calibration(name).map(Some),
            Effect::Sessions => self.sessions().map(|rows| Some(Report::Calibrations(rows))),
            Effect::Board => self.in_background(Search::Board),
            Effect::Search(words) => {
                let rows = self.workspace.search(&words, FILTERED_MAX);
                rows.map(|rows| Some(Report::Cases { title: format!("found: {words}"), rows }))
            }
            Effect::Cases { title, ids } => self.cases(title, &ids).map(Some),
            Effect::SetAside(aside) => self.set_aside(aside).map(Some),
            Effect::Guard => self.send(Work::Guard),
            Effect::Reliability => self.in_background(Search::Reliability),
            Effect::TakeOver { case } => self.take_over(case).map(Some),
            Effect::Trace { case } => self.in_background(Search::Trace(case)),
            Effect::Findings(name) => self.findings(&name).map(Some),
            Effect::Overruled => {
                self.workspace.overruled().map(|rows| Some(Report::Overruled(rows)))
            }
            Effect::LookAt { case, one } => {
                let roots = self.workspace.config.attachments.roots.clone();
                let report = Arc::clone(&self.report);
                std::thread::spawn(move || {
                    let looked = Box::new(look_at(&one.0, &one.1, &roots));
                    report(Report::LookedAt { case, looked });
                });
                Ok(None)
            }
            Effect::ReadOn { case, text, ask } => {
                self.in_background(Search::ReadOn { case, text, ask })
            }
            Effect::OpenOutside(one) => Ok(Some(self.open_outside(&one.1))),
            Effect::Precedents { case } => self.in_background(Search::Precedents(case)),
            Effect::Worklist => self.in_background(Search::Worklist),
            Effect::SyncNow => {
                self.syncer.iter().for_each(Syncer::now);
                let none = self.syncer.is_none();
                Ok(none
                    .then(|| Report::Failed("There is no shared store to exchange with.".into())))
            }
            // These are the front's own.
            Effect::Show(_) | Effect::Look(_) | Effect::Editor(_) | Effect::Quit => Ok(None),
        };
        answered.unwrap_or_else(|error| Some(Report::Failed(error.told())))
    }

    /// What was read beside, with what the person did meanwhile: their draft is as it is now.
    pub fn arrived(&self, report: Report) -> Report {
        let Report::Came { number, case: id, mut opened } = report else { return report };
        if let Report::Opened { draft, .. } = &mut *opened {
            match self.draft(id) {
                _ if self.sending.contains_key(&id) => *opened = being_saved(),
                Ok(now) => *draft = now,
                Err(error) => *opened = Report::Failed(error.told()),
            }
        }
        Report::Came { number, case: id, opened }
    }

    /// What a reviewer began with a case.
    fn draft(&self, id: CaseId) -> Result<Option<Box<Draft>>, WorkError> {
        let draft = match self.drafts.get(&(self.workspace.in_round.clone(), id)) {
            Some(draft) => Some(draft.clone()),
            None => self.workspace.draft(id)?,
        };
        Ok(draft.map(Box::new))
    }

    /// Takes note of what became of a submit.
    pub fn heard(&mut self, report: &Report) {
        // What was written is for others too.
        let wrote = matches!(
            report,
            Report::Saved { .. }
                | Report::Undone { .. }
                | Report::TakenBack { .. }
                | Report::Noted { .. }
                | Report::Ruled { .. }
        ) || matches!(report, Report::People { words, .. } if !words.is_empty());
        if let Some(syncer) = self.syncer.as_ref().filter(|_| wrote) {
            syncer.soon();
        }
        match report {
            Report::Saved { case, .. } => {
                let round = self.sending.remove(case).flatten();
                self.drafts.remove(&(round, *case));
            }
            Report::NotSaved { case, .. } => drop(self.sending.remove(case)),
            Report::Ruled { case, .. } => drop(self.drafts.remove(&(None, *case))),
            _ => {}
        }
    }

    /// Whether the board is looked at: then it follows what is written.
    pub fn follow(&self, board: bool) {
        self.following.store(board, Ordering::Relaxed);
    }

    /// Has something looked for on the thread that does only that.
    fn in_background(&mut self, search: Search) -> Result<Option<Report>, WorkError> {
        if self.searcher.is_none() {
            let (asks, asked) = channel();
            let (workspace, report) = (self.workspace.reopen()?, Arc::clone(&self.report));
            let following = Arc::clone(&self.following);
            std::thread::spawn(move || {
                stand_back();
                search_in_background(workspace, &asked, &following, &*report)
            });
            self.searcher = Some(asks);
        }
        let gone = self.searcher.as_ref().is_none_or(|asks| asks.send(search).is_err());
        Ok(gone
            .then(|| Report::Failed("the thread that searches has ended: restart casework".into())))
    }

    fn send(&self, work: Work) -> Result<Option<Report>, WorkError> {
        if self.worker.send(work).is_err() {
            return Ok(Some(Report::Failed(
                "the thread that saves has ended: restart casework; drafts are kept".into(),
            )));
        }
        Ok(None)
    }

    /// Opens an attachment in the program that is configured for its type.
    fn open_outside(&mut self, attachment: &Attachment) -> Report {
        if self.workspace.served {
            return Report::Failed(NOT_SERVED.into());
        }
        let config = &self.workspace.config;
        let words = match content(attachment, &config.attachments.roots) {
            Err(why) => format!("It is not opened: {why}."),
            Ok(bytes) => match self.opener.open(&config.open, attachment, &bytes) {
                Ok(program) => format!("{program} opens it."),
                Err(why) => why,
            },
        };
        Report::Suggested(words)
    }

    /// Filters on a thread of its own: a search through a million cases must not keep drafts
    /// waiting.
    fn filter(&self, text: String, generation: u64) -> Result<(), WorkError> {
        let (queue, workspace) = (self.queue.clone(), self.workspace.reopen()?);
        let (newest, report) = (Arc::clone(&self.newest_filter), Arc::clone(&self.report));
        std::thread::spawn(move || {
            let stop = || newest.load(Ordering::Relaxed) != generation;
            let rows = workspace.queue_filtered(&queue, &Filter::parse(&text), stop);
            report(match rows {
                Ok(rows) => Report::Filtered { generation, rows },
                Err(error) => Report::Failed(error.told()),
            });
        });
        Ok(())
    }

    fn load_queue(&mut self, state: Option<CaseState>) -> Result<(), WorkError> {
        self.queue = self.workspace.queue_of(state, (self.now)())?;
        Ok(())
    }

    /// Whether an effect's counting is reported by a thread of its own.
    pub fn counts_in_background(&self, effect: &Effect) -> bool {
        let Effect::Count { all } = effect else { return false };
        let many = || {
            self.workspace
                .quick_counts(&self.queue)
                .is_ok_and(|counts| counts.open > COUNTED_OFTEN_MAX)
        };
        self.queue.counts_are_slow() && (*all || !many())
    }

    fn count(&mut self, all: bool) -> Result<Option<Report>, WorkError> {
        // What was put off since is known from now on.
        let state = self.queue.state;
        self.load_queue(state)?;
        if !self.queue.counts_are_slow() {
            return Ok(Some(Report::Counted(self.workspace.queue_counts(&self.queue, || false)?)));
        }
        if !self.counts_in_background(&Effect::Count { all }) {
            return Ok(None); // the screen counts its own steps
        }
        let number = self.newest_count.fetch_add(1, Ordering::Relaxed) + 1;
        let (queue, workspace) = (self.queue.clone(), self.workspace.reopen()?);
        let (newest, report) = (Arc::clone(&self.newest_count), Arc::clone(&self.report));
        std::thread::spawn(move || {
            stand_back();
            let stop = || newest.load(Ordering::Relaxed) != number;
            // Where many come at nine, their screens come first.
            let begun = clock::instant();
            while workspace.served && !stop() && begun.elapsed() < RUSH {
                std::thread::sleep(Duration::from_millis(100));
            }
            report(match workspace.queue_counts(&queue, stop) {
                Ok(counts) => Report::Counted(QueueCounts { counting: stop(), ..counts }),
                Err(error) => Report::Failed(error.told()),
            });
        });
        Ok(None)
    }

    /// What reviewers decide by, if that changed since it was looked at: another program may have
    /// published.
    fn documents(&mut self) -> Result<Option<Report>, WorkError> {
        let stamp = self.workspace.documents_stamp()?;
        if std::mem::replace(&mut self.documents, stamp) == stamp {
            return Ok(None);
        }
        Ok(Some(Report::Published(Box::new(self.workspace.protocols()?))))
    }

    fn open(&mut self, id: CaseId) -> Result<Report, WorkError> {
        if self.sending.contains_key(&id) {
            return Ok(being_saved());
        }
        let Some(row) = self.workspace.case_to_open(id)? else { return Ok(Report::Gone(id)) };
        let elsewhere = live::at_case(id, self.workspace.in_round.is_some()).first().map(elsewhere);
        if let Some((bytes, begins)) = self.workspace.large_case(&row)? {
            self.readings += 1;
            let number = self.readings;
            let coming = Coming { number, row: row.clone(), bytes, begins, before: None };
            let (mut workspace, report) = (self.workspace.reopen()?, Arc::clone(&self.report));
            std::thread::spawn(move || {
                let opened = workspace.open_to_read(row).map(Box::new);
                let opened = opened.map(|case| Report::Opened { case, draft: None, elsewhere });
                let opened = opened.unwrap_or_else(|error| Report::Failed(error.told()));
                report(Report::Came { number, case: id, opened: Box::new(opened) });
            });
            return Ok(Report::Coming(Box::new(coming)));
        }
        let case = Box::new(self.workspace.open_to_read(row)?);
        Ok(Report::Opened { case, draft: self.draft(id)?, elsewhere })
    }

    /// Ends the person's other sessions at a case, and opens it with what they began.
    fn take_over(&mut self, case: CaseId) -> Result<Report, WorkError> {
        if live::take_over(case) == 0 {
            return Ok(Report::Failed("No other session of yours has this case open.".into()));
        }
        self.drafts.remove(&(self.workspace.in_round.clone(), case));
        Ok(match self.open(case)? {
            Report::Opened { case, draft, elsewhere } => {
                let elsewhere = elsewhere.or(Some(Elsewhere::TakenOver));
                Report::Opened { case, draft, elsewhere }
            }
            other => other,
        })
    }

    /// Takes a seat in a session, or leaves it. Drafts are kept apart.
    fn enter_calibration(&mut self, name: Option<String>) -> Result<Report, WorkError> {
        let session = name.map(|name| self.workspace.session(&name)).transpose()?;
        let me = self.workspace.me.clone();
        if let Some(session) = session.as_ref().filter(|session| !session.sits_in(&me)) {
            return Err(CalibrationError::NotInvited {
                session: session.name().to_owned(),
                reviewer: me,
            }
            .into());
        }
        if let Some(session) = session.as_ref().filter(|session| session.round_now().is_none()) {
            return Err(CalibrationError::Stage(session.name().to_owned(), session.stage()).into());
        }
        let rows = match &session {
            Some(session) => self.workspace.session_cases_to_label(session)?,
            None => Vec::new(),
        };
        let round = session.as_ref().and_then(crate::domain::calibration::Calibration::round_now);
        if std::mem::replace(&mut self.workspace.in_round, round.clone()) != round {
            self.send(Work::Round(round))?;
        }
        Ok(Report::EnteredCalibration { session: session.map(Box::new), rows })
    }

    fn set_aside(&self, aside: Aside) -> Result<Report, WorkError> {
        let rows = match aside {
            Aside::Deferred => self.workspace.deferred()?,
            Aside::Escalated => self.workspace.escalated()?,
        };
        Ok(Report::Cases { title: aside.title().to_owned(), rows })
    }

    /// Rows of these cases, as whoever is at work may see them.
    fn cases(&self, mut title: String, ids: &[CaseId]) -> Result<Report, WorkError> {
        let mut seen = std::collections::HashSet::new();
        let ids: Vec<CaseId> = ids.iter().filter(|id| seen.insert(**id)).copied().collect();
        if ids.len() > FILTERED_MAX {
            title = format!("{title}, the first {FILTERED_MAX} of {}", ids.len());
        }
        let mut rows = Vec::new();
        for id in ids.into_iter().take(FILTERED_MAX) {
            rows.extend(self.workspace.listed_case(id)?);
        }
        Ok(Report::Cases { title, rows })
    }

    fn sessions(&self) -> Result<Vec<CalibrationProgress>, WorkError> {
        let sat = |session| {
            Ok(CalibrationProgress {
                progress: self.workspace.session_progress(&session)?,
                session,
            })
        };
        self.workspace.sessions()?.into_iter().map(sat).collect()
    }

    fn findings(&self, name: &str) -> Result<Report, WorkError> {
        let words = self.workspace.findings(name)?.describe();
        Ok(Report::Words { title: format!("What {name} found"), words })
    }

    /// The labels of a case side by side: of a session, with names, once it is revealed; of a
    /// dispute without, for a lead to rule; of what was labeled, with names, for whoever gave a
    /// label too.
    fn dispute(&mut self, id: CaseId) -> Result<Report, WorkError> {
        let Some(row) = self.workspace.case_to_open(id)? else { return Ok(Report::Gone(id)) };
        if let Some(round) = self.workspace.in_round.clone() {
            let Some(session) = self
                .workspace
                .session_of_round(&round)?
                .filter(|session| session.stage().is_revealed())
            else {
                return Ok(Report::Failed(
                    "What the others said is shown when the session is revealed.".into(),
                ));
            };
            let labels = self.workspace.first_round(&session, Some(id))?;
            return Ok(Report::Dispute(Box::new(self.workspace.side_by_side(row, labels)?)));
        }
        let dispute = self.workspace.dispute(row.clone())?;
        let may_see = self.workspace.may_see_labels(&dispute)?;
        if may_see && dispute.is_one() && self.workspace.is_lead()? {
            return Ok(Report::Dispute(Box::new(dispute)));
        }
        if dispute.sides.is_empty() {
            return Ok(Report::Failed("Nobody has labeled this case.".into()));
        }
        if !may_see {
            return Ok(Report::Failed(
                "What others said is shown when you have labeled the case; a lead rules on disputes.".into(),
            ));
        }
        let labels = dispute.sides.into_iter().map(|side| side.given).collect();
        Ok(Report::Dispute(Box::new(self.workspace.side_by_side(row, labels)?)))
    }

    /// Waits until everything asked for is on disk.
    pub fn finish(&mut self) -> Option<WorkError> {
        self.syncer = None;
        self.searcher = None;
        self.newest_filter.store(u64::MAX, Ordering::Relaxed);
        self.newest_count.store(u64::MAX, Ordering::Relaxed);
        let (closed, _) = channel();
        self.worker = closed;
        // A worker that panicked has said so on its way.
        self.thread.take()?.join().ok()?
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.finish();
    }
}

/// How often it is looked whether the board on the screen is old.
const FOLLOW: Duration = Duration::from_millis(500);

/// What is looked for beside.
enum Search {
    Precedents(CaseId),
    Worklist,
    Board,
    Reliability,
    Trace(CaseId),
    ReadOn { case: CaseId, text: (usize, String), ask: Ask },
}

fn trace_report(workspace: &mut Workspace, case: CaseId) -> Result<Report, WorkError> {
    let lineage = workspace.lineage(&format!("case:{case}"))?;
    let words = lineage.tree().iter().map(|row| lineage.words(row)).collect();
    Ok(Report::Words { title: TRACE_TITLE.to_owned(), words })
}

fn reliability_report(workspace: &Workspace) -> Result<Report, WorkError> {
    let mut words = workspace.own_reliability()?.map(|own| own.describe()).unwrap_or_default();
    words.extend(Changed::words(&workspace.changed_by_mine()?));
    let said = workspace.own_guards()?.into_iter().take(5);
    words.extend(said.map(|(at, raised)| format!("  suggested {}  {}", at.minute(), raised.words)));
    if words.is_empty() {
        words.push("There is no label of yours to tell it from.".to_owned());
    }
    Ok(Report::Words { title: RELIABILITY_TITLE.to_owned(), words })
}

/// The board as it stands, made of what is kept.
#[derive(Default)]
struct Boards {
    kept: BoardSums,
    /// Up to which write of others, and when, it was made.
    version: i64,
    at: Moment,
}

impl Boards {
    fn make(&mut self, workspace: &Workspace, at: Moment) -> Result<Arc<Pages>, WorkError> {
        // Before it is read: what is written meanwhile is for the next.
        (self.version, self.at) = (workspace.data_version()?, at);
        Ok(Arc::new(Pages::of(&workspace.board(&mut self.kept)?, &workspace.figures()?)))
    }

    /// Whether something was written since, or ages and deadlines have moved on.
    fn is_old(&self, workspace: &Workspace, now: Moment) -> Result<bool, WorkError> {
        Ok(workspace.data_version()? != self.version || now.0 - self.at.0 >= 60_000)
    }
}

fn search_in_background(
    mut workspace: Workspace,
    asked: &Receiver<Search>,
    following: &AtomicBool,
    report: &dyn Fn(Report),
) {
    // Labels are read once; from then on what changed.
    let mut boards = Boards::default();
    loop {
        let search = if following.load(Ordering::Relaxed) {
            asked.recv_timeout(FOLLOW)
        } else {
            asked.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        let now = workspace.now();
        let found = match search {
            Ok(Search::Precedents(case)) => {
                workspace.precedents(case).map(|found| Report::Precedents { case, found })
            }
            Ok(Search::Board) => boards.make(&workspace, now).map(Report::Board),
            Ok(Search::Reliability) => reliability_report(&workspace),
            Ok(Search::Trace(case)) => trace_report(&mut workspace, case),
            Ok(Search::ReadOn { case, text: (at, name), ask }) => {
                // Where it was erased meanwhile, the case says so when it is opened again.
                let page =
                    workspace.page_of_text(case, (at, &name), &ask).unwrap_or_else(|error| {
                        tracing::warn!("{error}");
                        None
                    });
                Ok(Report::ReadOn { case, page: page.map(Box::new) })
            }
            Ok(Search::Worklist) => workspace.worklist().map(Report::Worklist),
            Err(RecvTimeoutError::Timeout) => match boards.is_old(&workspace, now) {
                Ok(true) => boards.make(&workspace, now).map(Report::BoardChanged),
                Ok(false) => continue,
                Err(error) => Err(error),
            },
            Err(RecvTimeoutError::Disconnected) => return,
        };
        report(found.unwrap_or_else(|error| Report::Failed(error.told())));
    }
}
