//! A text of which the case shows only the beginning, a page at a time. Whoever scrolls past the end of
//! a page is in the next; a search goes through all of it.

use std::cell::RefCell;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::prompt::Prompt;
use super::{Cx, Layer, Next, View, list};
use crate::domain::long_text::{Ask, Page, megabytes};
use crate::domain::reading::{Paragraph, Tone};
use crate::domain::text::{fit, visible, visible_lines};
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::paint::{boxed, centered, inside, put_line};
use crate::tui::place::Place;
use crate::tui::rows::{Laid, lit};

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("next-page", "] l Right", Place::Page, "next page", "the next page"),
    KeyRow::new("previous-page", "[ h Left", Place::Page, "", "the page before"),
    KeyRow::new("find-in-text", "/", Place::Page, "find", "search in the whole text"),
    KeyRow::new("next-in-text", "n", Place::Page, "", "the next place that was found"),
    KeyRow::new("previous-in-text", "N", Place::Page, "", "the place before"),
    KeyRow::new("next-text", "Tab", Place::Page, "", "the next text that is this long"),
];

/// The window.
pub struct PageWindow {
    page: Page,
    /// The page at so many columns.
    laid: RefCell<Option<(usize, Laid)>>,
    scroll: usize,
    /// Which of the places in the page that were found.
    at: usize,
    /// The page that was asked for last.
    asked: usize,
    /// Whether that is read from its end.
    upwards: bool,
}

impl PageWindow {
    /// The page, from its end on where it is read `upwards`, from what was found where that is.
    pub fn new(page: Page, upwards: bool, size: (u16, u16)) -> Self {
        let (laid, asked) = (RefCell::default(), page.number);
        let mut window = Self { page, laid, scroll: 0, at: 0, asked, upwards: false };
        if upwards {
            window.scroll = window.most(size);
        }
        let back = window.page.found.as_ref().is_some_and(|found| !found.forward);
        window.show_place(if back { usize::MAX } else { 0 }, size);
        window
    }

    /// The same window, where it is scrolled to.
    fn again(&self) -> Self {
        let (page, laid) = (self.page.clone(), RefCell::default());
        let &Self { scroll, at, asked, .. } = self;
        Self { page, laid, scroll, at, asked, upwards: false }
    }

    fn area(screen: Rect) -> Rect {
        centered(screen, screen.width.saturating_sub(2).min(140), screen.height.saturating_sub(2))
    }

    /// Something of the page as it is laid out on a screen of a size.
    fn with<T>(&self, (width, height): (u16, u16), what: impl FnOnce(&Laid, usize) -> T) -> T {
        let inner = inside(Self::area(Rect::new(0, 0, width, height)));
        let columns = usize::from(inner.width);
        let mut laid = self.laid.borrow_mut();
        if laid.as_ref().is_none_or(|(known, _)| *known != columns) {
            let lines = visible_lines(self.text()).into_iter();
            let line = |text| Paragraph { text, ..Paragraph::new(Tone::Text, 0, "") };
            *laid = Some((columns, Laid::new(lines.map(line).collect(), columns)));
        }
        match &*laid {
            Some((_, laid)) => what(laid, usize::from(inner.height)),
            None => what(&Laid::new(Vec::new(), columns), 0),
        }
    }

    /// How far it can be scrolled.
    fn most(&self, size: (u16, u16)) -> usize {
        self.with(size, |laid, height| laid.len().saturating_sub(height))
    }

    /// The page without the end of its last line.
    fn text(&self) -> &str {
        self.page.text.strip_suffix('\n').unwrap_or(&self.page.text)
    }

    /// Rows of the places in the page that were found: as many as there are in the text itself, whatever
    /// is shown for a sign of it. The last may go on in the next page.
    fn places(&self, size: (u16, u16)) -> Vec<usize> {
        let Some(found) = &self.page.found else { return Vec::new() };
        self.with(size, |laid, _| {
            let mut rows = Vec::with_capacity(found.here);
            for (at, line) in self.text().split('\n').enumerate() {
                let n = line.to_lowercase().matches(&found.words).count();
                if n > 0 {
                    let shown = laid.places_in(at, &found.words);
                    let first = laid.first_row(at);
                    rows.extend((0..n).map(|i| match shown.len() == n {
                        true => shown[i],
                        false => first,
                    }));
                }
            }
            rows.resize(found.here, laid.len().saturating_sub(1));
            rows
        })
    }

    /// Scrolls to a place that was found, the last where there are fewer.
    fn show_place(&mut self, at: usize, size: (u16, u16)) {
        let places = self.places(size);
        let Some(row) = places.get(at).or(places.last()) else { return };
        self.at = at.min(places.len() - 1);
        let height = self.with(size, |_, height| height);
        if !(self.scroll..self.scroll + height).contains(row) {
            self.scroll = row.saturating_sub(3).min(self.most(size));
        }
    }

    /// Asks for a page; where it is this one, to its beginning, or its end.
    fn turn(&mut self, to: usize, upwards: bool, cx: &mut Cx<'_>) {
        let to = to.min(self.page.pages - 1);
        if to != self.page.number || to != self.asked {
            self.asked = to;
            self.ask(Ask::Page(to), upwards, cx);
        } else {
            self.scroll = if upwards { self.most(cx.size) } else { 0 };
        }
    }

    fn ask(&mut self, ask: Ask, upwards: bool, cx: &mut Cx<'_>) {
        self.upwards = upwards;
        let effects = cx.session.read_on(Some(self.page.at), ask);
        cx.then(effects);
    }

    /// To the next place that was found, or to the one before, in whichever page it is.
    fn step(&mut self, forward: bool, cx: &mut Cx<'_>) {
        let Some(found) = &self.page.found else { return };
        let (words, pages, number) = (found.words.clone(), self.page.pages, self.page.number);
        let at = if forward { Some(self.at + 1) } else { self.at.checked_sub(1) };
        match at.filter(|at| *at < self.places(cx.size).len()) {
            Some(at) => self.show_place(at, cx.size),
            None => {
                let from = (number + if forward { 1 } else { pages - 1 }) % pages;
                self.ask(Ask::Find { words, from, forward }, false, cx);
            }
        }
    }

    /// What stands below the page.
    fn foot(&self, view: &View<'_>, more: bool) -> String {
        match &self.page.found {
            Some(found) if found.places == 0 => {
                format!("“{}” stands nowhere in this text.", visible(&found.words))
            }
            Some(found) => format!(
                "{} of {} places with “{}”.",
                found.before + self.at + 1,
                found.places,
                visible(&found.words)
            ),
            None if more => view.keymap.fill("more: {line-down}, {lines-down}"),
            None if self.page.number + 1 < self.page.pages => {
                view.keymap.fill("more: {next-page}, {lines-down}")
            }
            None => "the end".to_owned(),
        }
    }
}

impl Layer for PageWindow {
    fn places(&self) -> &'static [Place] {
        &[Place::Page, Place::Lines, Place::Window]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        self.upwards = false;
        let number = self.page.number;
        match action {
            "next-page" => self.turn(self.asked + 1, false, cx),
            "previous-page" => self.turn(self.asked.saturating_sub(1), false, cx),
            "next-in-text" => self.step(true, cx),
            "previous-in-text" => self.step(false, cx),
            "next-text" => {
                let effects = cx.session.read_next_text(self.page.at);
                cx.then(effects);
            }
            "find-in-text" => {
                let words = self.page.found.as_ref().map_or("", |found| found.words.as_str());
                let at = self.page.at;
                let done = move |words: &str, cx: &mut Cx<'_>| {
                    let words = words.to_owned();
                    let ask = match words.is_empty() {
                        true => Ask::Page(number),
                        false => Ask::Find { words, from: number, forward: true },
                    };
                    cx.session.read_on(Some(at), ask)
                };
                let prompt = Prompt::new("Search in the text: ", words, done);
                return Next::Opens(Box::new(prompt.over(Box::new(self.again()))));
            }
            "lines-first" => self.turn(0, false, cx),
            "lines-last" => self.turn(usize::MAX, true, cx),
            action => {
                let page = self.with(cx.size, |_, height| height.saturating_sub(1));
                let Some(by) = list::step(action, page) else { return Next::Closes };
                let most = self.most(cx.size);
                match (by > 0, self.scroll) {
                    (true, scroll) if scroll >= most && number + 1 < self.page.pages => {
                        self.turn(self.asked + 1, false, cx);
                    }
                    (false, 0) if number > 0 => self.turn(self.asked.saturating_sub(1), true, cx),
                    (_, scroll) => {
                        let to = (scroll as i64).saturating_add(by).clamp(0, most as i64);
                        self.scroll = to as usize;
                    }
                }
            }
        }
        Next::Stays
    }

    fn cursor(&self) -> usize {
        usize::from(self.upwards)
    }

    fn awaits_page(&self) -> bool {
        true
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let (area, page) = (Self::area(screen), &self.page);
        let title = format!(
            "{} · page {} of {} · from line {} · {}",
            visible(&page.name),
            page.number + 1,
            page.pages,
            page.line,
            megabytes(page.bytes as u64)
        );
        let inner = boxed(area, buf, view.theme, &fit(&title, usize::from(area.width) - 6));
        let words = page.found.as_ref().map_or("", |found| found.words.as_str());
        let more = self.with((screen.width, screen.height), |laid, height| {
            // In a window that was made larger there are fewer rows.
            let scroll = self.scroll.min(laid.len().saturating_sub(height));
            let rows = (scroll..laid.len()).take(height);
            for (at, row) in rows.enumerate() {
                put_line(
                    buf,
                    inner,
                    at as u16,
                    &lit(laid.line(row, view.theme), words, view.theme),
                );
            }
            scroll + height < laid.len()
        });
        let foot = format!(" {} ", self.foot(view, more));
        let foot = fit(&foot, usize::from(inner.width)).into_owned();
        let below = Rect { y: inner.bottom(), height: 1, ..inner };
        put_line(buf, below, 0, &Line::from(Span::styled(foot, view.theme.dim)));
    }
}
