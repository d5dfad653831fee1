//! The first row and the last: whose desk it is and how the work stands; which keys hold, or what
//! is to be told.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keymap::KeyRow;
use super::paint::{put_at, put_line};
use super::place::{Focus, Place};
use super::shell::Shell;
use super::theme::Theme;
use crate::domain::resolve::CaseState;
use crate::domain::text::{fit, visible, width, wrap};
use crate::domain::time::short_span;

/// Columns of the header that are left for counts.
const HEADER_ROOM: usize = 14;

pub fn header(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    let total = usize::from(area.width);
    let saved = match (shell.session.saving, shell.session.saved) {
        (0, 0) => String::new(),
        (0, n) => format!(" · {n} saved"),
        (_, _) => " · saving".to_owned(),
    };
    let me = visible(&shell.session.me);
    let [state, news] = exchange_words(shell);
    // The first that leaves room: how the exchange stands is always among it.
    let whole = match &shell.session.training {
        Some(training) => format!(" casework · training {}", visible(&training.protocol)),
        None => shell
            .session
            .calibration_name()
            .unwrap_or_else(|| format!(" casework · {}", visible(&shell.session.team))),
    };
    let choices = [
        (whole.clone(), format!("{me}{saved}{state}{news} ")),
        (whole, format!("{me}{state}{news} ")),
        (" casework".to_owned(), format!("{me}{state}{news} ")),
        (" casework".to_owned(), format!("{me}{state} ")),
        (String::new(), format!("{} ", state.trim_start_matches(" · "))),
    ];
    let fits =
        |(left, right): &&(String, String)| width(left) + width(right) + HEADER_ROOM <= total;
    let last = choices.len() - 1;
    let (left, right) = choices.iter().find(fits).unwrap_or(&choices[last]).clone();
    let late = shell.session.queue.rows.first().filter(|_| {
        shell.session.view.is_none()
            && shell.session.queue.before == 0
            && !shell.session.queue.filtered
    });
    let due = match late {
        Some(row) if row.due < shell.session.now => {
            format!(" · overdue by {}", short_span(shell.session.now.0 - row.due.0))
        }
        Some(row) => format!(" · next due in {}", short_span(row.due.0 - shell.session.now.0)),
        None => String::new(),
    };
    let room = total.saturating_sub(width(&left) + width(&right) + 4);
    let counts = shell.session.counts;
    // The first number is the one that is due of them on the board.
    let parts = [
        if counts.counting {
            format!("… assigned{due}")
        } else {
            format!("{} assigned{due}", counts.assigned())
        },
        format!("{} stand-by", counts.widened),
        format!("{} disputed", counts.disputed),
        format!("{} resolved", counts.resolved),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|part| counts.widened > 0 || !part.ends_with("stand-by"))
        .collect();
    // As many whole parts as there is room for.
    let whole =
        (1..=parts.len()).rev().map(|n| parts[..n].join(" · ")).find(|words| width(words) <= room);
    let middle = whole.filter(|_| shell.session.training.is_none()).unwrap_or_default();
    let middle = shell.session.calibration.as_ref().map_or(middle, |calibration| {
        fit(&calibration.describe(shell.session.now, &shell.session.me), room).into_owned()
    });
    put_line(buf, area, 0, &Line::from(Span::styled(fit(&left, total).into_owned(), theme.strong)));
    let at = (width(&left) + (room.saturating_sub(width(&middle))) / 2 + 2) as u16;
    put_at(buf, area, at, &Line::from(Span::styled(middle, theme.dim)));
    if width(&left) + width(&right) < total {
        put_at(buf, area, (total - width(&right)) as u16, &Line::from(Span::raw(right)));
    }
}

/// The exchange in a few words: when it last went through, what waits, what is wrong. Times are of
/// the clock, for nothing here ticks.
fn exchange_words(shell: &Shell) -> [String; 2] {
    let Some(sync) = &shell.session.sync else { return [String::new(), String::new()] };
    let waits = if sync.status.unpushed > 0 {
        format!(", {} wait", sync.status.unpushed)
    } else {
        String::new()
    };
    let asks = if sync.asking > 0 {
        format!(" · {} ask ({})", sync.asking, shell.keymap.first("people"))
    } else {
        String::new()
    };
    let kept_out = if sync.status.quarantined > 0 {
        format!(" · kept out ({})", shell.keymap.first("exchange"))
    } else {
        String::new()
    };
    let at = sync.status.last.map(|at| at.clock().get(..5).unwrap_or_default().to_owned());
    let state = match (&sync.status.trouble, at) {
        (Some(_), _) => format!(" · offline{waits}"),
        (None, Some(at)) => format!(" · synced {at}{waits}"),
        (None, None) => format!(" · not synced yet{waits}"),
    };
    [state, format!("{asks}{kept_out}")]
}

/// What only leads are offered.
const FOR_LEADS: [&str; 4] = ["arbitrate", "sessions", "board", "people"];

pub fn footer(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    if shell.session.message.is_some() {
        return;
    }
    let right = progress(shell);
    let hint = |row: &KeyRow| (shell.keymap.first(row.name), row.foot);
    let wide = |(key, word): &(String, &str)| width(key) + word.len() + 3;
    let rows = shell.keymap.rows();
    // Whoever knows no key needs this one.
    let over = shell.layer.as_ref().map(|layer| layer.places());
    let help = rows.iter().find(|row| row.name == "help").filter(|_| over.is_none());
    let help = help.map(|row| hint(row));
    let room =
        usize::from(area.width).saturating_sub(width(&right) + 2 + help.as_ref().map_or(0, wide));
    let mut hints = Vec::new();
    let mut used = 1;
    // A window takes all keys: its own are those that hold.
    let places = over.map_or_else(|| shell.places(), <[Place]>::to_vec);
    let here = places.iter().flat_map(|place| rows.iter().filter(move |row| row.place == *place));
    let here = here.filter(|row| !row.foot.is_empty() && row.name != "help");
    let opened = shell.session.opened.as_ref();
    let has_one = |row: &&KeyRow| match row.name {
        "answer-label" => opened.is_some_and(|opened| !opened.offered().is_empty()),
        "take-back" => opened.is_some_and(|opened| {
            opened.protocol().is_some_and(|protocol| !opened.draft.path(protocol).is_empty())
        }),
        "next-case" | "previous-case" | "next-pane" => !shell.session.queue.rows.is_empty(),
        name => !shell.lacks_a_case(name),
    };
    let here = here.filter(|row| over.is_some() || has_one(row));
    // What leads do stands with what is done everywhere, before the rest of it, while they choose.
    let led = |row: &&&KeyRow| FOR_LEADS.contains(&row.name);
    let leads = shell.session.counts.leads && over.is_none();
    let first = |row: &&&KeyRow| row.place != Place::Any;
    let choosing = leads && shell.focus == Focus::Queue;
    let (before, after): (Vec<_>, Vec<_>) = here.filter(|row| leads || !led(row)).partition(first);
    let (theirs, after): (Vec<_>, Vec<_>) = after.into_iter().partition(|row| choosing && led(row));
    for row in before.into_iter().chain(theirs).chain(after) {
        let hint = hint(row);
        if !hint.0.is_empty() && used + wide(&hint) <= room {
            used += wide(&hint);
            hints.push(hint);
        }
    }
    let mut spans = vec![Span::raw(" ")];
    for (key, word) in hints.into_iter().chain(help) {
        spans.extend([Span::styled(key, theme.key), Span::raw(format!(" {word}  "))]);
    }
    put_line(buf, area, 0, &Line::from(spans));
    if width(&right) < usize::from(area.width) {
        put_at(
            buf,
            area,
            area.width - width(&right) as u16,
            &Line::from(Span::styled(right, theme.dim)),
        );
    }
}

/// What is to be told, if anything is.
pub fn message(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let Some(message) = &shell.session.message else { return };
    let hint = shell.keymap.fill(message.hint);
    let ends = message.words.ends_with(['.', '!', '?', ':', ';', '…', ',']);
    let between = match (message.words.is_empty() || hint.is_empty(), ends) {
        (true, _) => "",
        (false, true) => " ",
        // A reason that is no sentence ends before what can be done begins.
        (false, false) => ". ",
    };
    told(&format!("{}{between}{hint}", message.words), area, buf, &shell.theme);
}

/// Rows that a message takes at most.
const MESSAGE_ROWS_MAX: usize = 4;

/// A message, in the last row and, where it is longer, over those above it: its end says what to
/// do.
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
    let kept = match (opened.ruling, opened.draft.is_empty()) {
        (true, _) => "for a ruling · ",
        _ if shell.session.training.is_some() => "",
        (false, true) => "",
        (false, false) => "draft kept · ",
    };
    let answered = opened.draft.path(protocol).len();
    if opened.ended() {
        format!("{kept}ready ")
    } else {
        format!("{kept}question {} ", answered + 1)
    }
}

/// The name of a view.
pub fn view_words(view: Option<CaseState>) -> &'static str {
    match view {
        None => "My queue",
        Some(CaseState::Open) => "All open",
        Some(CaseState::Disputed) => "Disputed",
        Some(CaseState::Resolved) => "Resolved",
        Some(CaseState::Unsampled) => "Unsampled",
    }
}
