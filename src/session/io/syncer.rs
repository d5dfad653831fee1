//! Exchanges with the shared store on a thread of its own: now and then, when something new was
//! written here, and at once where the store can tell that others wrote. Nothing on the screen
//! waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::clock;
use crate::domain::roster::Role;
use crate::session::report::{Report, SyncState};
use crate::sync::{Store, SyncError, Synced};
use crate::workspace::{WorkError, Workspace};

/// What was written here waits so long, so that a label and the next travel together.
const GATHER: Duration = Duration::from_secs(2);
/// How often a store that can tell is asked whether it did.
const LISTEN: Duration = Duration::from_millis(250);
/// The longest pause between two attempts on a store that does not answer.
const PAUSE_MAX: Duration = Duration::from_secs(300);

enum Wish {
    /// Something was written.
    Soon,
    Now,
}

pub struct Syncer {
    wishes: Option<Sender<Wish>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// None if the workspace has no store, or the configuration says that the screen does not sync.
    pub fn start(
        workspace: &Workspace,
        report: Arc<dyn Fn(Report) + Send + Sync>,
    ) -> Result<Option<Self>, WorkError> {
        let every = Duration::from_secs(workspace.config.sync.every_seconds);
        if workspace.store_url()?.is_none() || every.is_zero() {
            return Ok(None);
        }
        let (wishes, heard) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            workspace: workspace.reopen()?,
            store: None,
            every,
            pause: every,
            stop: Arc::clone(&stop),
            report,
        };
        let thread = std::thread::spawn(move || worker.run(&heard));
        Ok(Some(Self { wishes: Some(wishes), stop, thread: Some(thread) }))
    }

    /// Something was written that others should get.
    pub fn soon(&self) {
        self.wish(Wish::Soon);
    }

    pub fn now(&self) {
        self.wish(Wish::Now);
    }

    fn wish(&self, wish: Wish) {
        if let Some(wishes) = &self.wishes {
            // A thread that has ended has said why.
            let _ = wishes.send(wish);
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wishes = None;
        // What it was at is taken up by the next sync. A store that hangs is not waited for.
        if let Some(thread) = self.thread.take()
            && thread.is_finished()
        {
            let _ = thread.join();
        }
    }
}

struct Worker {
    workspace: Workspace,
    store: Option<Box<dyn Store>>,
    every: Duration,
    pause: Duration,
    stop: Arc<AtomicBool>,
    report: Arc<dyn Fn(Report) + Send + Sync>,
}

impl Worker {
    fn run(mut self, wishes: &Receiver<Wish>) {
        loop {
            let result = self.sync();
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            self.pause = match &result {
                Ok(_) => self.every,
                Err(_) => (self.pause * 2).min(PAUSE_MAX),
            };
            if result.is_err() {
                self.store = None; // it is opened anew
            }
            match self.state(result) {
                Ok(state) => (self.report)(Report::Synced(Box::new(state))),
                Err(error) => (self.report)(Report::Failed(error.told())),
            }
            if !self.wait(wishes) {
                return;
            }
        }
    }

    fn sync(&mut self) -> Result<(Synced, bool), WorkError> {
        let before = self.workspace.erasures()?;
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert(self.workspace.open_store(None)?),
        };
        let stop = Arc::clone(&self.stop);
        let synced = self.workspace.sync_with(&mut **store, &|| !stop.load(Ordering::Relaxed))?;
        let erased = self.workspace.erasures()? > before;
        Ok((synced, erased))
    }

    fn state(&self, result: Result<(Synced, bool), WorkError>) -> Result<SyncState, WorkError> {
        let mut status = self.workspace.sync_status()?;
        let people = self.workspace.people()?;
        let leads = people.iter().any(|holder| holder.here && holder.roles.contains(&Role::Lead));
        let asking = people.iter().filter(|holder| leads && holder.waits()).count();
        match result {
            Ok((synced, erased)) => {
                let news = synced.pulled.entries > 0 || !synced.notices.is_empty();
                let protocols = news.then(|| self.workspace.protocols()).transpose()?.map(Box::new);
                let Synced { pulled, notices, quarantined, .. } = synced;
                Ok(SyncState {
                    status,
                    notices,
                    quarantined,
                    asking,
                    pulled: pulled.entries,
                    erased,
                    protocols,
                })
            }
            Err(error) => {
                let words = match &error {
                    // The name of the store stands beside it.
                    WorkError::Sync(SyncError::Store(error)) => error.why.clone(),
                    other => other.to_string(),
                };
                status.trouble = Some(words);
                Ok(SyncState { status, asking, ..SyncState::default() })
            }
        }
    }

    /// Waits until it is time for the next; `false` if there will be none.
    fn wait(&mut self, wishes: &Receiver<Wish>) -> bool {
        let mut due = clock::instant() + self.pause;
        loop {
            let left = due.saturating_duration_since(clock::instant());
            if left.is_zero() {
                return true;
            }
            match self.listen(wishes, left) {
                Ok(Some(Wish::Now)) => return true,
                Ok(Some(Wish::Soon)) => due = due.min(soon()),
                Ok(None) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
                Err(RecvTimeoutError::Timeout) => return true,
            }
        }
    }

    /// A wish, or nothing; a timeout if others wrote.
    fn listen(
        &mut self,
        wishes: &Receiver<Wish>,
        left: Duration,
    ) -> Result<Option<Wish>, RecvTimeoutError> {
        match self.store.as_mut().filter(|store| store.tells()) {
            None => wishes.recv_timeout(left).map(Some),
            Some(store) => match wishes.try_recv() {
                Ok(wish) => Ok(Some(wish)),
                Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
                // A connection that was lost is found out by the next sync.
                Err(TryRecvError::Empty) => match store.wait(LISTEN.min(left)) {
                    Ok(false) => Ok(None),
                    Ok(true) | Err(_) => Err(RecvTimeoutError::Timeout),
                },
            },
        }
    }
}

fn soon() -> Instant {
    clock::instant() + GATHER
}
