//! The terminal: set up, given back whatever happens, and written to once a frame.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Once;

use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, event, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use super::app::App;

/// Between these a terminal that knows them shows nothing half done.
const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
const END_FRAME: &[u8] = b"\x1b[?2026l";
/// What a frame consists of in which nothing changed.
const NOTHING: &[u8] = b"\x1b[?25l";

/// Collects a frame; it leaves in one write.
#[derive(Clone, Default)]
struct FrameBuffer(Rc<RefCell<Vec<u8>>>);

impl Write for FrameBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // a frame is written when it is whole
    }
}

pub struct Screen {
    terminal: ratatui::Terminal<CrosstermBackend<FrameBuffer>>,
    frame: FrameBuffer,
    mouse: bool,
}

impl Screen {
    /// Takes over the terminal.
    pub fn open(mouse: bool) -> io::Result<Self> {
        give_back_on_panic();
        enable_raw_mode()?;
        enter(mouse)?;
        let frame = FrameBuffer::default();
        let terminal = ratatui::Terminal::new(CrosstermBackend::new(frame.clone()))?;
        Ok(Self { terminal, frame, mouse })
    }

    pub fn size(&self) -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    /// Draws what changed since the last frame.
    pub fn draw(&mut self, app: &App) -> io::Result<()> {
        self.frame.0.borrow_mut().clear();
        self.terminal.draw(|frame| {
            let area: Rect = frame.area();
            super::draw::draw(app, area, frame.buffer_mut());
        })?;
        let bytes = self.frame.0.borrow();
        if bytes.is_empty() || bytes.as_slice() == NOTHING {
            return Ok(());
        }
        let changed = bytes.strip_prefix(NOTHING).unwrap_or(&bytes);
        let changed = changed.strip_suffix(NOTHING).unwrap_or(changed);
        // After the colours are reset there is nothing to hide again.
        let whole = [BEGIN_FRAME, changed, END_FRAME].concat();
        let mut out = io::stdout().lock();
        out.write_all(&whole)?;
        out.flush()
    }

    /// Has every cell drawn again. (ratatui's own `clear` asks the terminal where its cursor is, and waits.)
    pub fn repaint(&mut self) -> io::Result<()> {
        self.terminal = ratatui::Terminal::new(CrosstermBackend::new(self.frame.clone()))?;
        execute!(io::stdout().lock(), Clear(ClearType::All))
    }

    /// Gives the terminal to another program, and takes it back.
    pub fn lend<T>(&mut self, work: impl FnOnce() -> T) -> io::Result<T> {
        give_back();
        let result = work();
        enable_raw_mode()?;
        enter(self.mouse)?;
        self.repaint()?;
        Ok(result)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    queue!(out, EnterAlternateScreen, Clear(ClearType::All), event::EnableBracketedPaste, cursor::Hide)?;
    if mouse {
        queue!(out, event::EnableMouseCapture)?;
    }
    out.flush()
}

/// Leaves the terminal as it was found. May be called more than once.
pub fn give_back() {
    // The terminal may be gone; then there is nothing to give back.
    let _ = execute!(
        io::stdout().lock(),
        event::DisableMouseCapture,
        event::DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}

/// A panic's words must not be lost on the alternate screen.
fn give_back_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}
