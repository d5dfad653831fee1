//! The terminal: set up, given back whatever happens, and written to once a frame.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, event, execute, queue};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::draw::{panes, picture};
use super::emit::{changes, linked};
use super::pace::{ARE_YOU_THERE, Pace};
use super::pixels::Canvas;
use super::rows::Link;
use super::shell::Shell;
use crate::media::picture::Picture;

/// Between these a terminal that knows them shows nothing half done.
const BEGIN_FRAME: &[u8] = b"\x1b[?2026h";
const END_FRAME: &[u8] = b"\x1b[?2026l";
/// Empties the screen, whatever it was written with.
const CLEARED: &[u8] = b"\x1b[m\x1b[2J";
/// Tells terminals that put right-to-left text in order that casework does, and that they do again.
const APP_ARRANGES: &[u8] = b"\x1b[8l";
const TERMINAL_ARRANGES: &[u8] = b"\x1b[8h";
/// Which background it has, what it is called; and what every terminal answers, last.
const QUESTIONS: &[u8] = b"\x1b]11;?\x1b\\\x1b[>0q\x1b[c";
static ARRANGES: AtomicBool = AtomicBool::new(false);

/// The largest window that is drawn in: a screen of cells is kept twice, whatever a client says of
/// its size.
const WINDOW_MAX: (u16, u16) = (500, 200);

/// How large the window is, as far as it is drawn in.
pub fn window_size() -> io::Result<(u16, u16)> {
    let (width, height) = crossterm::terminal::size()?;
    Ok((width.min(WINDOW_MAX.0), height.min(WINDOW_MAX.1)))
}

/// A picture in points, where it stands, and how it is drawn.
type Drawn = (Arc<Picture>, Rect, Canvas);

/// The screen of a terminal.
pub struct Screen {
    /// What it shows, as far as we know.
    shown: Buffer,
    /// What it is to show.
    next: Buffer,
    /// Where the case and the guide stand in each, and the change that they were drawn after.
    panes: [Option<(Rect, u64)>; 2],
    /// The addresses that are links on it.
    links: Vec<Link>,
    /// The picture that is drawn in points, and where.
    drawn: Option<Drawn>,
    /// Bytes that one may take.
    pub picture_bytes: usize,
    mouse: bool,
    /// Whether there is a terminal, to be given back.
    taken: bool,
}

impl Screen {
    /// Takes over the terminal. `arranges` is whether text that is read from right to left is put in
    /// order here, so that the terminal is not to do it too.
    pub fn open(mouse: bool, arranges: bool) -> io::Result<Self> {
        give_back_on_panic();
        ARRANGES.store(arranges, Ordering::Relaxed);
        enable_raw_mode()?;
        enter(mouse)?;
        let mut screen = Self::nowhere();
        (screen.mouse, screen.taken) = (mouse, true);
        Ok(screen)
    }

    /// Asks the terminal which background it has and what it is. What it answers comes with the keys,
    /// whenever that is; nothing waits for it.
    pub fn ask(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(QUESTIONS)?;
        out.flush()
    }

    /// A screen that is nowhere: what would be written is taken from [`Self::frame`].
    pub fn nowhere() -> Self {
        let (shown, next) = (Buffer::empty(Rect::ZERO), Buffer::empty(Rect::ZERO));
        let picture_bytes = Pace::new(false).picture_bytes();
        let links = Vec::new();
        Self {
            shown,
            next,
            panes: [None; 2],
            links,
            drawn: None,
            picture_bytes,
            mouse: false,
            taken: false,
        }
    }

    /// Draws what changed since the last frame, at its pace.
    pub fn draw(&mut self, shell: &Shell, pace: &mut Pace) -> io::Result<()> {
        self.picture_bytes = pace.picture_bytes();
        let mut frame = self.frame(shell);
        if frame.is_empty() {
            return Ok(());
        }
        if pace.asks_after(frame.len()) {
            frame.extend(ARE_YOU_THERE);
        }
        let mut out = io::stdout().lock();
        out.write_all(&frame)?;
        out.flush()
    }

    /// What is to be written for what changed since the last frame.
    pub fn frame(&mut self, shell: &Shell) -> Vec<u8> {
        let (width, height) = shell.size;
        let area = Rect { x: 0, y: 0, width, height };
        let mut changed = Vec::new();
        let canvas = shell.canvas;
        let wanted =
            picture(shell, area).zip(canvas).map(|((picture, at), how)| (picture, at, how));
        if self.shown.area != area || !is_same(self.drawn.as_ref(), wanted.as_ref()) {
            changed.extend(self.take_picture_away());
        }
        if self.shown.area != area {
            // A terminal whose size changed shows what it likes.
            (self.shown, self.links) = (Buffer::empty(area), Vec::new());
            self.panes = [None; 2];
            changed.extend(CLEARED);
        }
        let same = self.fill_next(shell, area);
        changed.extend(changes(&self.shown, &self.next, same));
        let links = super::draw::links(shell);
        changed.extend(linked((&self.shown, &self.links), (&self.next, &links)));
        self.links = links;
        std::mem::swap(&mut self.shown, &mut self.next);
        self.panes.swap(0, 1);
        if let (Some((picture, place, canvas)), None) = (&wanted, &self.drawn) {
            changed.extend(canvas.drawn(picture, *place, self.picture_bytes));
            self.drawn = wanted;
        }
        if changed.is_empty() { changed } else { [BEGIN_FRAME, &changed, END_FRAME].concat() }
    }

    /// Draws the next frame; where it is the same as what is shown.
    fn fill_next(&mut self, shell: &Shell, area: Rect) -> Rect {
        let panes = panes(shell);
        let Some((place, _)) = panes.filter(|_| self.panes[0] == panes) else {
            self.next.resize(area);
            self.next.reset();
            super::draw::draw(shell, area, &mut self.next);
            self.panes[1] = panes;
            return Rect::ZERO;
        };
        if self.panes[1] != panes {
            self.next.clone_from(&self.shown);
            self.panes[1] = panes;
        }
        super::draw::draw_around_panes(shell, area, &mut self.next);
        #[cfg(debug_assertions)]
        {
            let mut whole = Buffer::empty(area);
            super::draw::draw(shell, area, &mut whole);
            assert!(whole == self.next, "a pane changed that was not drawn anew");
        }
        place
    }

    /// What takes away a picture that is drawn in points; its cells are drawn again.
    fn take_picture_away(&mut self) -> Vec<u8> {
        let Some((_, place, canvas)) = self.drawn.take() else { return Vec::new() };
        self.panes = [None; 2];
        for at in place.intersection(self.shown.area).positions() {
            // Whatever is to stand there is something else: nothing is written in this colour.
            self.shown[at].set_symbol("?").set_fg(Color::Rgb(1, 2, 3));
        }
        canvas.erased()
    }

    /// Has every cell drawn again, and the picture.
    pub fn repaint(&mut self) {
        (self.shown, self.drawn) = (Buffer::empty(Rect::ZERO), None);
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
        self.repaint();
        Ok(result)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.taken {
            give_back();
        }
    }
}

fn enter(mouse: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    queue!(
        out,
        EnterAlternateScreen,
        Clear(ClearType::All),
        event::EnableBracketedPaste,
        cursor::Hide,
        // What is wider than it should be must not go on in the next row.
        DisableLineWrap
    )?;
    if ARRANGES.load(Ordering::Relaxed) {
        out.write_all(APP_ARRANGES)?;
    }
    if mouse {
        queue!(out, event::EnableMouseCapture)?;
    }
    out.flush()
}

/// Whether it is one picture in one place.
fn is_same(one: Option<&Drawn>, other: Option<&Drawn>) -> bool {
    match (one, other) {
        (Some((one, here, how)), Some((other, there, so))) => {
            Arc::ptr_eq(one, other) && (here, how) == (there, so)
        }
        (None, None) => true,
        _ => false,
    }
}

/// Columns and rows of points in a cell, where the system knows them.
pub fn cell_size() -> Option<(u16, u16)> {
    let window = crossterm::terminal::window_size().ok()?;
    let cell = (window.width.checked_div(window.columns)?, window.height.checked_div(window.rows)?);
    // What is neither is no size of a letter.
    let usual = (3..=80).contains(&cell.0) && (5..=160).contains(&cell.1);
    usual.then_some(cell)
}

/// Leaves the terminal as it was found. May be called more than once.
pub fn give_back() {
    // The terminal may be gone; then there is nothing to give back.
    if ARRANGES.load(Ordering::Relaxed) {
        let _ = io::stdout().lock().write_all(TERMINAL_ARRANGES);
    }
    let _ = execute!(
        io::stdout().lock(),
        EnableLineWrap,
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
