//! Drawing: a frame is a function of the state. Nothing here reads anything else, or changes anything.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::action::{ACTIONS, Action};
use super::overlay::{Overlay, exchange, help, rationale, terms, tree};
use super::pane;
use super::place::Layout;
use super::shell::Shell;
use super::theme::Theme;
use crate::domain::resolve::CaseState;
use crate::domain::text::{fit, visible, width, wrap};
use crate::domain::time::short_span;

/// Under this the screen says that it is too small.
const COLUMNS_MIN: u16 = 32;
const ROWS_MIN: u16 = 8;

/// Draws the whole screen.
pub fn draw(shell: &Shell, area: Rect, buf: &mut Buffer) {
    if area.width < COLUMNS_MIN || area.height < ROWS_MIN {
        let words = [
            format!("{}x{}: too small.", area.width, area.height),
            "Make the window larger".to_owned(),
            "or the letters smaller.".to_owned(),
        ];
        for (row, line) in words.iter().enumerate() {
            put_line(buf, area, row as u16, &Line::raw(line.clone()));
        }
        return;
    }
    header(shell, Rect { height: 1, ..area }, buf);
    let places = shell.measured.layout;
    if let Some(place) = places.queue {
        pane::queue::draw(shell, place, buf);
    }
    if let Some(place) = places.context {
        pane::context::draw(shell, place, buf);
    }
    if let Some(place) = places.guide {
        pane::guide::draw(shell, place, buf);
    }
    separators(shell, &places, buf);
    let foot = Rect { y: area.bottom() - 1, height: 1, ..area };
    match &shell.overlay {
        Some(Overlay::Prompt(prompt)) => prompt.draw(foot, buf, &shell.theme),
        Some(Overlay::Mark(mark)) => mark.draw(foot, buf, &shell.theme),
        _ => footer(shell, foot, buf),
    }
    overlay(shell, area, buf);
    if !shell.theme.unicode {
        for cell in &mut buf.content {
            if let Some(symbol) = Theme::in_ascii(cell.symbol()) {
                cell.set_symbol(symbol);
            }
        }
    }
}

fn separators(shell: &Shell, places: &Layout, buf: &mut Buffer) {
    let theme = &shell.theme;
    let bar = theme.sign("│", "|");
    for place in [places.context, places.guide].into_iter().flatten().filter(|place| place.x > 0) {
        for y in place.top()..place.bottom() {
            buf[(place.x - 1, y)].set_symbol(bar).set_style(theme.dim);
        }
    }
    if let (None, Some(guide)) = (places.queue, places.guide) {
        let line = theme.sign("─", "-").repeat(usize::from(guide.width));
        put_line(buf, Rect { y: guide.y - 1, height: 1, ..guide }, 0, &Line::from(Span::styled(line, theme.dim)));
    }
}

/// Columns of the header that are left for counts.
const HEADER_ROOM: usize = 14;

fn header(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    let total = usize::from(area.width);
    let saved = match (shell.session.saving, shell.session.saved) {
        (0, Some(seq)) => format!(" · saved {seq}"),
        (0, None) => String::new(),
        (_, _) => " · saving".to_owned(),
    };
    let me = visible(&shell.session.me);
    let [state, news] = exchange_words(shell);
    // The first that leaves room: how the exchange stands is always among it.
    let whole = match &shell.session.training {
        Some(training) => format!(" casework · training {}", visible(&training.protocol)),
        None => shell.session.sitting_name().unwrap_or_else(|| format!(" casework · {}", visible(&shell.session.team))),
    };
    let choices = [
        (whole.clone(), format!("{me}{saved}{state}{news} ")),
        (whole, format!("{me}{state}{news} ")),
        (" casework".to_owned(), format!("{me}{state}{news} ")),
        (" casework".to_owned(), format!("{me}{state} ")),
        (String::new(), format!("{} ", state.trim_start_matches(" · "))),
    ];
    let fits = |(left, right): &&(String, String)| width(left) + width(right) + HEADER_ROOM <= total;
    let last = choices.len() - 1;
    let (left, right) = choices.iter().find(fits).unwrap_or(&choices[last]).clone();
    let late = shell
        .session
        .queue
        .rows
        .first()
        .filter(|_| shell.session.view.is_none() && shell.session.queue.before == 0 && !shell.session.queue.filtered);
    let due = match late {
        Some(row) if row.due < shell.session.now => format!(" · overdue by {}", short_span(shell.session.now.0 - row.due.0)),
        Some(row) => format!(" · next due in {}", short_span(row.due.0 - shell.session.now.0)),
        None => String::new(),
    };
    let room = total.saturating_sub(width(&left) + width(&right) + 4);
    let counts = shell.session.counts;
    let parts = [
        if counts.counting { format!("… mine{due}") } else { format!("{} mine{due}", counts.mine()) },
        format!("{} disputed", counts.disputed),
        format!("{} resolved", counts.resolved),
    ];
    // As many whole parts as there is room for.
    let whole = (1..=parts.len()).rev().map(|n| parts[..n].join(" · ")).find(|words| width(words) <= room);
    let middle = whole.filter(|_| shell.session.training.is_none()).unwrap_or_default();
    let middle =
        shell.session.sitting.as_ref().map_or(middle, |sitting| fit(&sitting.words(shell.session.now), room).into_owned());
    put_line(buf, area, 0, &Line::from(Span::styled(fit(&left, total).into_owned(), theme.strong)));
    let at = (width(&left) + (room.saturating_sub(width(&middle))) / 2 + 2) as u16;
    put_at(buf, area, at, &Line::from(Span::styled(middle, theme.dim)));
    if width(&left) + width(&right) < total {
        put_at(buf, area, (total - width(&right)) as u16, &Line::from(Span::raw(right)));
    }
}

/// The exchange in a few words: when it last went through, what waits, what is wrong. Times are of the clock, for nothing
/// here ticks.
fn exchange_words(shell: &Shell) -> [String; 2] {
    let Some(sync) = &shell.session.sync else { return [String::new(), String::new()] };
    let waits = if sync.status.unpushed > 0 { format!(", {} wait", sync.status.unpushed) } else { String::new() };
    let asks = if sync.asking > 0 { format!(" · {} ask (P)", sync.asking) } else { String::new() };
    let kept_out = if sync.status.quarantined > 0 { " · kept out (S)" } else { "" };
    let at = sync.status.last.map(|at| at.clock().get(..5).unwrap_or_default().to_owned());
    let state = match (&sync.status.trouble, at) {
        (Some(_), _) => format!(" · offline{waits}"),
        (None, Some(at)) => format!(" · synced {at}{waits}"),
        (None, None) => format!(" · not synced yet{waits}"),
    };
    [state, format!("{asks}{kept_out}")]
}

fn footer(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    if let Some(message) = &shell.session.message {
        told(message, area, buf, theme);
        return;
    }
    let right = progress(shell);
    let hint = |index: usize, action: &Action| (shell.keymap.first(index), action.foot);
    let wide = |(key, word): &(String, &str)| width(key) + word.len() + 3;
    // Whoever knows no key needs this one.
    let help = ACTIONS.iter().position(|action| action.name == "help").map(|index| hint(index, &ACTIONS[index]));
    let room = usize::from(area.width).saturating_sub(width(&right) + 2 + help.as_ref().map_or(0, wide));
    let mut hints = Vec::new();
    let mut used = 1;
    for place in shell.places() {
        let of_place = ACTIONS.iter().enumerate().filter(|(_, action)| action.place == place && !action.foot.is_empty());
        for (index, action) in of_place.filter(|(_, action)| action.name != "help") {
            let hint = hint(index, action);
            if !hint.0.is_empty() && used + wide(&hint) <= room {
                used += wide(&hint);
                hints.push(hint);
            }
        }
    }
    let mut spans = vec![Span::raw(" ")];
    for (key, word) in hints.into_iter().chain(help) {
        spans.extend([Span::styled(key, theme.key), Span::raw(format!(" {word}  "))]);
    }
    put_line(buf, area, 0, &Line::from(spans));
    if width(&right) < usize::from(area.width) {
        put_at(buf, area, area.width - width(&right) as u16, &Line::from(Span::styled(right, theme.dim)));
    }
}

/// Rows that a message takes at most.
const MESSAGE_ROWS_MAX: usize = 4;

/// A message, in the last row and, where it is longer, over those above it: its end says what to do.
fn told(message: &str, area: Rect, buf: &mut Buffer, theme: &Theme) {
    let columns = usize::from(area.width).saturating_sub(2);
    let rows = MESSAGE_ROWS_MAX.min(usize::from(area.y - buf.area.y) + 1);
    let mut lines = wrap(&visible(message), columns);
    if lines.len() > rows {
        let rest = lines.split_off(rows - 1).join(" ");
        lines.push(fit(&rest, columns).into_owned());
    }
    let top = area.y.saturating_sub(lines.len() as u16 - u16::from(!lines.is_empty()));
    for (row, line) in (top..).zip(lines) {
        for x in area.left()..area.right() {
            buf[(x, row)].reset();
        }
        let place = Rect { y: row, height: 1, ..area };
        put_line(buf, place, 0, &Line::from(vec![Span::raw(" "), Span::styled(line, theme.warn)]));
    }
}

fn progress(shell: &Shell) -> String {
    let Some(opened) = &shell.session.opened else { return String::new() };
    let Some(protocol) = opened.protocol() else { return String::new() };
    let kept = if opened.draft.is_empty() { "" } else { "draft kept · " };
    let answered = opened.draft.path(protocol).len();
    if opened.ended() { format!("{kept}ready ") } else { format!("{kept}question {} ", answered + 1) }
}

fn overlay(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    match &shell.overlay {
        None | Some(Overlay::Prompt(_) | Overlay::Mark(_)) => {}
        Some(Overlay::Precedents(precedents)) => precedents.draw(area, buf, theme),
        Some(Overlay::Arbitrate(arbitrate)) => arbitrate.draw(area, buf, theme),
        Some(Overlay::Board(board)) => board.draw(area, buf, theme),
        Some(Overlay::Sessions(sessions)) => sessions.draw(area, buf, theme),
        Some(Overlay::Overruled(overruled)) => overruled.draw(area, buf, theme),
        Some(Overlay::Overtaken(overtaken)) => overtaken.draw(area, buf, theme),
        Some(Overlay::Pick(pick)) => pick.draw(area, buf, theme),
        Some(Overlay::Rationale(edit)) => rationale::draw(edit, area, buf, theme),
        Some(Overlay::People(people)) => people.draw(area, buf, theme),
        Some(
            overlay @ (Overlay::Help { scroll }
            | Overlay::Terms { scroll }
            | Overlay::Exchange { scroll }
            | Overlay::Tree { scroll }
            | Overlay::Feedback { scroll, .. }),
        ) => {
            let title = match overlay {
                Overlay::Help { .. } => "Keys (any other key closes)",
                Overlay::Tree { .. } => "The protocol",
                Overlay::Feedback { title, .. } => title,
                Overlay::Exchange { .. } => "Exchange with the shared store",
                _ => "Terms and examples",
            };
            let whole = overlay_area(area);
            let lines = overlay_lines(shell, overlay, whole.width.saturating_sub(4));
            // What is short needs no more room than it takes.
            let short = matches!(overlay, Overlay::Feedback { .. });
            let high = if short { whole.height.min(lines.len() as u16 + 2) } else { whole.height };
            let inner = boxed(Rect { height: high, ..whole }, buf, theme, title);
            for (row, line) in lines.iter().skip(*scroll).take(usize::from(inner.height)).enumerate() {
                put_line(buf, inner, row as u16, line);
            }
            if lines.len() > scroll + usize::from(inner.height) {
                let more = Rect { y: inner.bottom(), height: 1, ..inner };
                put_line(buf, more, 0, &Line::from(Span::styled(" more: j ", theme.dim)));
            }
        }
    }
}

fn overlay_area(screen: Rect) -> Rect {
    centered(screen, screen.width.saturating_sub(4).min(84), screen.height.saturating_sub(2))
}

fn overlay_lines(shell: &Shell, overlay: &Overlay, columns: u16) -> Vec<Line<'static>> {
    match overlay {
        Overlay::Help { .. } => help::lines(shell, usize::from(columns)),
        Overlay::Terms { .. } => terms::lines(shell, usize::from(columns)),
        Overlay::Exchange { .. } => exchange::lines(shell, usize::from(columns)),
        Overlay::Tree { .. } => tree::lines(shell, usize::from(columns)),
        Overlay::Feedback { words, .. } => {
            let line = |line: String| Line::from(Span::styled(line, shell.theme.text));
            words.iter().flat_map(|words| wrap(&visible(words), usize::from(columns))).map(line).collect()
        }
        Overlay::Pick(_)
        | Overlay::Prompt(_)
        | Overlay::Rationale(_)
        | Overlay::People(_)
        | Overlay::Mark(_)
        | Overlay::Arbitrate(_)
        | Overlay::Overruled(_)
        | Overlay::Overtaken(_)
        | Overlay::Sessions(_)
        | Overlay::Board(_)
        | Overlay::Precedents(_) => Vec::new(),
    }
}

/// How far a window of lines can be scrolled.
pub fn overlay_overflow(shell: &Shell, overlay: &Overlay) -> usize {
    let area = overlay_area(Rect::new(0, 0, shell.size.0, shell.size.1));
    let (columns, rows) = (area.width.saturating_sub(4), usize::from(area.height.saturating_sub(2)));
    overlay_lines(shell, overlay, columns).len().saturating_sub(rows)
}

/// The name of a view.
pub fn view_words(view: Option<CaseState>) -> &'static str {
    match view {
        None => "mine",
        Some(CaseState::Open) => "all open",
        Some(CaseState::Disputed) => "disputed",
        Some(CaseState::Resolved) => "resolved",
    }
}

// Small things that all panes use.

/// Writes a line into row `row` of `area`, cut at its right edge.
pub fn put_line(buf: &mut Buffer, area: Rect, row: u16, line: &Line<'_>) {
    if row < area.height {
        buf.set_line(area.x, area.y + row, line, area.width);
        // What does not fit is said to go on.
        if line_width(line) > usize::from(area.width) && area.width > 0 {
            buf[(area.right() - 1, area.y + row)].set_symbol("…");
        }
    }
}

/// Columns that a line takes.
pub fn line_width(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| width(&span.content)).sum()
}

/// Writes a line into the first row of `area`, from column `x` of it.
pub fn put_at(buf: &mut Buffer, area: Rect, x: u16, line: &Line<'_>) {
    if x < area.width {
        buf.set_line(area.x + x, area.y, line, area.width - x);
    }
}

/// A rectangle in the middle of `screen`.
pub fn centered(screen: Rect, wide: u16, high: u16) -> Rect {
    let (wide, high) = (wide.min(screen.width), high.min(screen.height));
    Rect { x: screen.x + (screen.width - wide) / 2, y: screen.y + (screen.height - high) / 2, width: wide, height: high }
}

/// Draws an empty frame with a title; returns the room inside.
pub fn boxed(area: Rect, buf: &mut Buffer, theme: &Theme, title: &str) -> Rect {
    let [h, v, a, b, c, d] =
        if theme.unicode { ["─", "│", "┌", "┐", "└", "┘"] } else { ["-", "|", "+", "+", "+", "+"] };
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let symbol = match (x == area.left(), x + 1 == area.right(), y == area.top(), y + 1 == area.bottom()) {
                (true, _, true, _) => a,
                (_, true, true, _) => b,
                (true, _, _, true) => c,
                (_, true, _, true) => d,
                (true, ..) | (_, true, ..) => v,
                (_, _, true, _) | (_, _, _, true) => h,
                _ => " ",
            };
            buf[(x, y)].reset();
            buf[(x, y)].set_symbol(symbol).set_style(theme.dim);
        }
    }
    for y in area.top() + 1..area.bottom().saturating_sub(1) {
        for x in area.left() + 1..area.right().saturating_sub(1) {
            buf[(x, y)].set_style(theme.text).set_fg(ratatui::style::Color::Reset);
        }
    }
    let title = format!(" {} ", fit(&visible(title), usize::from(area.width).saturating_sub(6)));
    put_at(buf, area, 2, &Line::from(Span::styled(title, theme.strong)));
    Rect { x: area.x + 2, y: area.y + 1, width: area.width.saturating_sub(4), height: area.height.saturating_sub(2) }
}

/// A heading line of a pane: strong where the keys go.
pub fn heading(theme: &Theme, text: String, focused: bool) -> Span<'static> {
    Span::styled(text, if focused { theme.accent.add_modifier(ratatui::style::Modifier::BOLD) } else { theme.dim })
}
