//! The loop: waits for input, takes in everything that has arrived, then draws once.

use std::fs;
use std::io::{self, IsTerminal};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crossterm::event::{Event as Input, KeyEventKind, MouseEventKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;

use super::dispatch::Event;
use super::input::{Decoder, Reply};
use super::pace::Pace;
use super::pixels::Canvas;
use super::review::Review;
use super::shell::Wish;
use super::terminal::{Screen, cell_size, window_size};
use crate::clock;
use crate::config::{Bidi, Links, Pictures};
use crate::domain::text::visible_lines;
use crate::session::mode::Training;
use crate::session::{Effect, Report};
use crate::workspace::{TrainingSet, WorkError, Workspace};

/// Most events taken in before a frame: a stuck key must not starve the screen.
const EVENTS_PER_FRAME: usize = 4_096;
/// How often the reader looks whether another program has the terminal.
const LOOK_AROUND: Duration = Duration::from_millis(100);
/// How long the cursor rests on a case before that is shown: a key that is held shows none.
const REST: Duration = Duration::from_millis(120);
/// How long the program runs on before it knows that a stop did not happen.
const STOPPED_BY: Duration = Duration::from_millis(150);

/// Most events that wait to be taken in: then no more is read, and whoever sends them waits.
const WAITING_MAX: usize = 4_096;

/// How many events were read and not taken in yet.
type Waiting = Arc<AtomicUsize>;

/// What the loop is woken by.
enum Wake {
    Input(Input),
    /// The window has another size.
    Resized,
    Report(Report),
    /// The terminal said something of itself.
    Terminal(Reply),
    /// SIGTERM or SIGHUP: leave, with everything kept.
    Leave,
    /// Back in the foreground.
    Return,
}

/// Why the screen can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    #[error("the review screen needs a terminal; `casework --linear` does the same line by line")]
    NoTerminal,
    #[error("TERM names no terminal that a screen can be drawn on: set it, e.g. to xterm-256color")]
    Dumb,
    #[error("what you began could not be kept: {0}")]
    NotKept(WorkError),
    #[error("the terminal: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// Shows the review screen until it is left.
pub fn run(workspace: Workspace) -> Result<ExitCode, ScreenError> {
    show(workspace, None)
}

/// Shows it for a training, until that is over or left.
pub fn train(workspace: Workspace, lessons: TrainingSet) -> Result<ExitCode, ScreenError> {
    show(workspace, Some(Training::new(lessons)))
}

fn show(workspace: Workspace, training: Option<Training>) -> Result<ExitCode, ScreenError> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(ScreenError::NoTerminal);
    }
    if workspace.env.dumb_terminal {
        return Err(ScreenError::Dumb);
    }
    let asks = workspace.env.can_be_asked;
    let (waker, wakes) = channel();
    let reports = waker.clone();
    let editor = editor(&workspace);
    let size = window_size()?;
    let mouse = workspace.config.review.mouse;
    let in_points =
        workspace.config.review.pictures == Pictures::Auto && !workspace.env.in_multiplexer;
    let links = match workspace.config.review.links {
        Links::Never => false,
        Links::Local => !workspace.served,
        Links::Always => true,
    };
    let mut session = Review::new(workspace, size, clock::now, training, move |report| {
        // The loop has ended; the work itself is done.
        let _ = reports.send(Wake::Report(report));
    })?;
    let mut screen = Screen::open(mouse, session.front.bidi == Bidi::App)?;
    let paused = Arc::new(AtomicBool::new(false));
    let waiting = Waiting::default();
    watch_input(waker.clone(), Arc::clone(&paused), Arc::clone(&waiting));
    watch_signals(waker)?;
    let now = window_size()?;
    if now != size {
        session.feed(Event::Resize(now.0, now.1));
    }
    let mut outside = Outside {
        screen: &mut screen,
        paused,
        editor,
        is_asked: false,
        name: None,
        sixels: false,
        in_points,
        links,
        pace: Pace::new(asks),
    };
    let ended = outside.draw(&mut session);
    // What is on the screen does not wait for answers.
    if ended.is_ok() && asks {
        outside.screen.ask()?;
        outside.is_asked = true;
    }
    let ended = ended.and_then(|()| main_loop(&mut session, &mut outside, &wakes, &waiting));
    if matches!(ended, Ok(Left::LabelContext)) {
        outside.wait_for_answers(&wakes);
    }
    if !matches!(ended, Ok(Left::LabelContext)) {
        leave(&mut session);
    }
    drop(screen);
    if let Some(error) = session.reader.finish() {
        return Err(ScreenError::NotKept(error));
    }
    ended.map(|_| ExitCode::SUCCESS)
}

/// How long a terminal has for an answer when the person leaves.
const ANSWERED_BY: Duration = Duration::from_millis(150);
const SURELY_ANSWERED_BY: Duration = Duration::from_millis(600);

/// How the loop ended.
enum Left {
    /// The person left; what is to be kept was kept by that.
    LabelContext,
    /// A signal, or the terminal is gone.
    Called,
}

/// Keeps what there is to keep, as leaving does.
fn leave(session: &mut Review) {
    let effects = session.front.quit();
    let effects = session.front.session.allowed(effects);
    for effect in effects.into_iter().filter(|effect| !matches!(effect, Effect::Quit)) {
        session.reader.perform(effect);
    }
}

fn main_loop(
    session: &mut Review,
    outside: &mut Outside<'_>,
    wakes: &Receiver<Wake>,
    waiting: &Waiting,
) -> Result<Left, ScreenError> {
    loop {
        let rest = session.front.preview().map(|_| REST);
        let wait = rest.into_iter().chain(outside.pace.wait()).min();
        let first = match wait {
            Some(wait) => wakes.recv_timeout(wait),
            None => wakes.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let mut next = match first {
            Ok(first) => Some(first),
            Err(RecvTimeoutError::Timeout) => {
                if rest.is_some() && rest == wait {
                    session.feed(Event::Rest);
                }
                None
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(Left::Called),
        };
        let mut taken = 0;
        while let Some(wake) = next.take() {
            let effects = match wake {
                Wake::Report(report) => session.hear(report),
                Wake::Input(input) => {
                    waiting.fetch_sub(weight(&input), Ordering::Relaxed);
                    event_of(input).map(|event| session.feed(event)).unwrap_or_default()
                }
                Wake::Resized => Vec::new(), // the size is asked before the frame
                Wake::Terminal(reply) => {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    outside.answered(&reply);
                    session.feed(Event::Terminal(reply))
                }
                Wake::Leave => return Ok(Left::Called),
                Wake::Return => {
                    session.front.wishes.push(Wish::Repaint);
                    Vec::new()
                }
            };
            for effect in effects {
                if matches!(effect, Effect::Quit) {
                    return Ok(Left::LabelContext);
                }
                outside.perform(effect, session)?;
            }
            for wish in std::mem::take(&mut session.front.wishes) {
                outside.fulfil(wish, session)?;
            }
            taken += 1;
            if taken < EVENTS_PER_FRAME {
                next = wakes.try_recv().ok();
            }
        }
        // What is drawn must be as large as the window is now, whatever was told of that yet.
        let size = window_size()?;
        if size != session.front.size {
            session.feed(Event::Resize(size.0, size.1));
        }
        if outside.pace.wait().is_none() {
            session.front.measure();
            outside.draw(session)?;
        }
        let changes = session.front.changes;
        for effect in session.catch_up() {
            outside.perform(effect, session)?;
        }
        if session.front.changes != changes && outside.pace.wait().is_none() {
            session.front.measure();
            outside.draw(session)?;
        }
    }
}

/// For how many events one counts of those that wait: a paste may be long.
fn weight(input: &Input) -> usize {
    match input {
        Input::Paste(text) => 1 + text.len() / 256,
        _ => 1,
    }
}

fn event_of(input: Input) -> Option<Event> {
    match input {
        Input::Key(key) if key.kind != KeyEventKind::Release => Some(Event::Key(key)),
        Input::Paste(text) => Some(Event::Paste(text)),
        Input::Resize(width, height) => Some(Event::Resize(width, height)),
        Input::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(_) => Some(Event::Click(mouse.column, mouse.row)),
            MouseEventKind::ScrollDown => Some(Event::Wheel(3)),
            MouseEventKind::ScrollUp => Some(Event::Wheel(-3)),
            _ => None,
        },
        Input::Key(_) | Input::FocusGained | Input::FocusLost => None,
    }
}

/// Reads the terminal on a thread of its own, with pauses while another program has it.
fn watch_input(waker: Sender<Wake>, paused: Arc<AtomicBool>, waiting: Waiting) {
    thread::spawn(move || {
        let terminal = io::stdin();
        let mut decoder = Decoder::new();
        let mut buffer = [0; 4_096];
        let mut heard = clock::instant();
        loop {
            let is_behind = waiting.load(Ordering::Relaxed) >= WAITING_MAX;
            if is_behind || paused.load(Ordering::Acquire) {
                thread::sleep(Duration::from_millis(20));
                continue;
            }
            let mut events = Vec::new();
            let wait = decoder
                .patience()
                .map_or(LOOK_AROUND, |patience| patience.saturating_sub(heard.elapsed()));
            match read_some(&terminal, &mut buffer, wait.min(LOOK_AROUND)) {
                Ok(Some(n)) => {
                    heard = clock::instant();
                    decoder.feed(&buffer[..n], &mut events);
                }
                Ok(None)
                    if decoder.patience().is_some_and(|patience| heard.elapsed() >= patience) =>
                {
                    decoder.time_out(&mut events);
                }
                Ok(None) => {}
                Err(_) => break,
            }
            let weighs = events.iter().map(weight).sum::<usize>() + decoder.replies.len();
            waiting.fetch_add(weighs, Ordering::Relaxed);
            let replies = decoder.replies.drain(..).map(Wake::Terminal);
            for wake in events.into_iter().map(Wake::Input).chain(replies) {
                if waker.send(wake).is_err() {
                    return;
                }
            }
        }
        // The terminal is gone.
        let _ = waker.send(Wake::Leave);
    });
}

/// What the terminal sends within `wait`, if anything. That it hung up is an error, whoever keeps
/// signals from us.
fn read_some(terminal: &io::Stdin, buffer: &mut [u8], wait: Duration) -> io::Result<Option<usize>> {
    let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
    let mut fds = [PollFd::new(terminal, PollFlags::IN)];
    match poll(&mut fds, Some(&wait)) {
        Ok(0) | Err(Errno::INTR) => return Ok(None),
        Ok(_) if fds[0].revents().contains(PollFlags::IN) => {}
        Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Err(error) => return Err(error.into()),
    }
    match rustix::io::read(terminal, buffer) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(n) => Ok(Some(n)),
        Err(Errno::INTR | Errno::AGAIN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn watch_signals(waker: Sender<Wake>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGCONT, SIGWINCH])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let wake = match signal {
                SIGCONT => Wake::Return,
                SIGWINCH => Wake::Resized,
                _ => Wake::Leave,
            };
            if waker.send(wake).is_err() {
                return;
            }
        }
    });
    Ok(())
}

/// Stops this process with those that its shell started beside it, as Ctrl-Z does elsewhere;
/// whether it was stopped, when it runs again. Where nobody could wake it (no shell waits for it)
/// the kernel lets it run on.
fn suspend() -> io::Result<bool> {
    let woken = Arc::new(AtomicBool::new(false));
    let listening = signal_hook::flag::register(SIGCONT, Arc::clone(&woken))?;
    kill_current_process_group(Signal::TSTP)?;
    // The stop may reach another thread first.
    let end = clock::instant() + STOPPED_BY;
    while clock::instant() < end && !woken.load(Ordering::Acquire) {
        thread::sleep(Duration::from_millis(10));
    }
    // If the time went by while it was stopped, the handler has yet to run.
    thread::sleep(Duration::from_millis(10));
    signal_hook::low_level::unregister(listening);
    Ok(woken.load(Ordering::Acquire))
}

/// What only the loop can do.
struct Outside<'s> {
    screen: &'s mut Screen,
    paused: Arc<AtomicBool>,
    editor: String,
    /// Whether the terminal was asked something and has not answered.
    is_asked: bool,
    /// What it is called, and whether it draws sixels, as far as it said so.
    name: Option<String>,
    sixels: bool,
    /// Whether pictures are drawn in points where it draws them.
    in_points: bool,
    /// Whether addresses are links where the terminal says what it is.
    links: bool,
    pace: Pace,
}

impl Outside<'_> {
    fn draw(&mut self, session: &mut Review) -> Result<(), ScreenError> {
        // Who says what it is passes over what it does not know.
        session.front.links = self.links && self.name.is_some();
        // Where letters become larger or smaller, cells do.
        if self.in_points && !self.is_asked {
            let name = self.name.as_deref();
            session.front.canvas = Canvas::of(name, self.sixels, cell_size);
        }
        Ok(self.screen.draw(&session.front, &mut self.pace)?)
    }

    /// Takes in what the terminal said.
    fn answered(&mut self, reply: &Reply) {
        match reply {
            Reply::Done { sixels } => (self.is_asked, self.sixels) = (false, *sixels),
            Reply::Ready => self.pace.answer(),
            Reply::Name(name) => self.name = Some(name.clone()),
            Reply::Background { .. } => {}
        }
    }

    /// Waits a moment for what the terminal was asked: an answer that comes later would be typed into
    /// the shell.
    fn wait_for_answers(&mut self, wakes: &Receiver<Wake>) {
        // Whoever answered before will again.
        let time = if self.pace.answers() { SURELY_ANSWERED_BY } else { ANSWERED_BY };
        let end = clock::instant() + time;
        while self.is_asked || self.pace.is_asked() {
            match wakes.recv_timeout(end.saturating_duration_since(clock::instant())) {
                Ok(Wake::Terminal(reply)) => self.answered(&reply),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn fulfil(&mut self, wish: Wish, session: &mut Review) -> Result<(), ScreenError> {
        match wish {
            Wish::Repaint => self.screen.repaint(),
            // Whatever asked for it, nothing outside of the screen is touched.
            Wish::Copy(_) | Wish::Suspend if session.front.session.served => {}
            Wish::Copy(text) => self.screen.copy(&text)?,
            Wish::Suspend => {
                let stopped = self.screen.lend(suspend)??;
                if !stopped {
                    session.hear(Report::Failed(
                        "There is no shell here to go back to: casework goes on.".into(),
                    ));
                }
            }
        }
        Ok(())
    }

    fn perform(&mut self, effect: Effect, session: &mut Review) -> Result<(), ScreenError> {
        let Effect::Editor(text) = effect else { return Ok(()) };
        if session.front.session.served {
            return Ok(());
        }
        session.hear(match self.edit(&text) {
            Ok(text) => Report::Edited(text),
            Err(error) => Report::Failed(format!("the editor `{}`: {error}", self.editor).into()),
        });
        let (width, height) = window_size()?;
        session.feed(Event::Resize(width, height));
        Ok(())
    }

    /// Lets the person write in their editor. None if it ended with an error.
    fn edit(&mut self, text: &str) -> io::Result<Option<String>> {
        let name = crate::domain::ids::hex(&crate::chance::bytes::<8>()?);
        let path = std::env::temp_dir().join(format!("casework-why-{name}.md"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        io::Write::write_all(&mut options.open(&path)?, text.as_bytes())?;
        self.paused.store(true, Ordering::Release);
        thread::sleep(Duration::from_millis(130)); // the reader looks at the flag between two waits of 100 ms
        let command = format!("{} \"$1\"", self.editor);
        let status = self
            .screen
            .lend(|| Command::new("sh").args(["-c", &command, "sh"]).arg(&path).status());
        self.paused.store(false, Ordering::Release);
        let written = fs::read(&path)?;
        fs::remove_file(&path)?;
        let status = status??;
        // What a shell says of a command that it does not find.
        if status.code() == Some(127) {
            let words = "it is not there: set $EDITOR, or `editor` in config.toml";
            return Err(io::Error::new(io::ErrorKind::NotFound, words));
        }
        if !status.success() {
            return Ok(None);
        }
        Ok(Some(visible_lines(String::from_utf8_lossy(&written).trim_end()).join("\n")))
    }
}

fn editor(workspace: &Workspace) -> String {
    let configured = &workspace.config.review.editor;
    if configured.is_empty() {
        workspace.env.editor.clone().unwrap_or_else(|| "vi".to_owned())
    } else {
        configured.clone()
    }
}
