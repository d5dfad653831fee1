//! The terminal: set up, given back whatever happens, and written to once a frame.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Once;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, event, execute, queue};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use super::shell::Shell;
use crate::domain::text::width;

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
    /// Rows of the last frame that held signs of unsure width, by number, as they were.
    unsure: HashMap<u16, Vec<Cell>>,
    area: Rect,
}

impl Screen {
    /// Takes over the terminal.
    pub fn open(mouse: bool) -> io::Result<Self> {
        give_back_on_panic();
        enable_raw_mode()?;
        enter(mouse)?;
        let frame = FrameBuffer::default();
        let terminal = ratatui::Terminal::new(CrosstermBackend::new(frame.clone()))?;
        Ok(Self { terminal, frame, mouse, unsure: HashMap::new(), area: Rect::ZERO })
    }

    pub fn size(&self) -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    /// Draws what changed since the last frame.
    pub fn draw(&mut self, shell: &Shell) -> io::Result<()> {
        self.frame.0.borrow_mut().clear();
        let drawn = self.terminal.draw(|frame| {
            let area: Rect = frame.area();
            // A window that shrank this very moment is drawn when that was told.
            if (area.width, area.height) == shell.size {
                super::draw::draw(shell, area, frame.buffer_mut());
            }
        })?;
        let mut before = std::mem::take(&mut self.unsure);
        if std::mem::replace(&mut self.area, drawn.area) != drawn.area {
            before.clear(); // all was emptied
        }
        let now = unsure_rows(drawn.buffer);
        let mut again: Vec<(u16, Vec<Cell>)> = Vec::new();
        let rows =
            before.keys().chain(now.keys()).copied().filter(|y| *y < drawn.buffer.area.height);
        for y in rows.collect::<BTreeSet<u16>>() {
            let row = row_of(drawn.buffer, y);
            if before.get(&y) != Some(&row) {
                again.push((y, row));
            }
        }
        self.unsure = now;
        self.write_anew(&again)?;
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

    /// Writes whole rows anew. Terminals differ in how wide they take a sign of several characters
    /// to be: what was drawn after it may stand elsewhere than we think. So its row is emptied, and
    /// the cursor is put where each sign belongs.
    fn write_anew(&mut self, rows: &[(u16, Vec<Cell>)]) -> io::Result<()> {
        for (y, row) in rows {
            queue!(self.frame, cursor::MoveTo(0, *y), Clear(ClearType::CurrentLine))?;
            let mut part: Vec<(u16, u16, &Cell)> = Vec::new();
            let mut covered = 0;
            for (x, cell) in (0_u16..).zip(row) {
                // A wide sign covers the cell after it.
                if x < covered {
                    continue;
                }
                covered = x + width(cell.symbol()).max(1) as u16;
                part.push((x, *y, cell));
                if is_unsure(cell) {
                    self.terminal.backend_mut().draw(std::mem::take(&mut part).into_iter())?;
                }
            }
            self.terminal.backend_mut().draw(part.into_iter())?;
        }
        Ok(())
    }

    /// Has every cell drawn again. (ratatui's own `clear` asks the terminal where its cursor is,
    /// and waits.)
    pub fn repaint(&mut self) -> io::Result<()> {
        self.terminal = ratatui::Terminal::new(CrosstermBackend::new(self.frame.clone()))?;
        self.unsure.clear();
        execute!(io::stdout().lock(), Clear(ClearType::All))
    }

    /// Puts a text in the clipboard of the terminal, wherever that is, if it lets us.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        out.flush()
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

/// Whether terminals may differ about the width of a sign: it is of several characters, as flags,
/// families and letters of many scripts are.
fn is_unsure(cell: &Cell) -> bool {
    !cell.symbol().is_ascii() && cell.symbol().chars().nth(1).is_some()
}

fn row_of(buffer: &Buffer, y: u16) -> Vec<Cell> {
    (buffer.area.left()..buffer.area.right()).filter_map(|x| buffer.cell((x, y)).cloned()).collect()
}

fn unsure_rows(buffer: &Buffer) -> HashMap<u16, Vec<Cell>> {
    let columns = usize::from(buffer.area.width).max(1);
    let rows =
        (0_u16..).zip(buffer.content.chunks(columns)).filter(|(_, row)| row.iter().any(is_unsure));
    rows.map(|(y, row)| (y, row.to_vec())).collect()
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    queue!(
        out,
        EnterAlternateScreen,
        Clear(ClearType::All),
        event::EnableBracketedPaste,
        cursor::Hide
    )?;
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
