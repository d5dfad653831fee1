//! The queue: when a case is due, why it was flagged, what it says.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::domain::cues::Cue;
use crate::domain::label::outcome_in_short;
use crate::domain::resolve::CaseState;
use crate::domain::text::{fit, visible, width};
use crate::domain::time::short_span;
use crate::review::CaseRow;
use crate::review::rows::training_label;
use crate::tui::bars::view_words;
use crate::tui::paint::{heading, put_line};
use crate::tui::place::Focus;
use crate::tui::shell::Shell;

/// Rows over the first case: the title, and what the columns are.
pub const HEAD: usize = 2;
/// Columns from which on a row has room for what the model said, for the flag beside it, and for how
/// long ago it was.
const SAID_FROM: usize = 40;
const FLAG_FROM: usize = 56;
const AGE_FROM: usize = 76;

/// Columns beside due time and text, as wide as each is; 0: it is not shown.
struct Columns {
    age: usize,
    said: usize,
    flag: usize,
}

impl Columns {
    /// What there is room for, and what tells the rows apart.
    fn of(shell: &Shell, rows: &[CaseRow], columns: usize) -> Self {
        let hides =
            |cue: Cue| shell.session.protocols.policy.hide.iter().any(|hiding| hiding.cue == cue);
        let differ = rows.windows(2).any(|two| two[0].flags != two[1].flags);
        let said = columns >= SAID_FROM
            && rows.iter().any(|row| said(row, hides(Cue::Prediction)).is_some());
        let flag = differ && !hides(Cue::Flags) && (!said || columns >= FLAG_FROM);
        Self {
            age: if columns >= AGE_FROM { 9 } else { 0 },
            said: if said { (columns / 4).clamp(18, 24) } else { 0 },
            flag: if flag { (columns / 4).clamp(8, 16) } else { 0 },
        }
    }

    fn header(&self) -> String {
        let mut words = String::new();
        let mut column = |name: &str, wide: usize| {
            if wide > 0 {
                words.push_str(&format!("{name:<wide$}"));
            }
        };
        column("", 1);
        column("seen", self.age);
        column(" due", 5);
        column("label", self.said);
        column("flag", if self.flag > 0 { self.flag + 1 } else { 0 });
        column("input", 5);
        words
    }
}

/// What a row says of the label.
struct Said {
    label: String,
    /// How sure the model was.
    sure: String,
    counts: bool,
}

/// What the case counts as, once it does, else what the model said.
fn said(row: &CaseRow, hidden: bool) -> Option<Said> {
    if let Some(outcome) = &row.outcome {
        let label = training_label(outcome).unwrap_or_else(|| outcome_in_short(outcome));
        return Some(Said { label, sure: String::new(), counts: true });
    }
    let label = row.predicted.clone().filter(|_| !hidden)?;
    let sure = row.confidence.map_or(String::new(), |p| format!(" {p:.2}"));
    Some(Said { label, sure, counts: false })
}

impl Said {
    /// In so many columns, of which none is left out of how sure it is.
    fn in_columns(&self, columns: usize) -> String {
        let label =
            fit(&visible(&self.label), columns.saturating_sub(self.sure.len())).into_owned();
        label + &self.sure
    }
}

pub fn draw(shell: &Shell, area: Rect, buf: &mut Buffer) {
    let theme = &shell.theme;
    let queue = &shell.session.queue;
    let total = if queue.filtered { queue.rows.len() as u64 } else { shell.session.shown_total() };
    let filter = if shell.session.filter.is_empty() {
        String::new()
    } else {
        format!("  /{}", visible(&shell.session.filter))
    };
    let title = match (&shell.session.training, &shell.session.listing) {
        (Some(training), _) => {
            format!(" Training  {} of {} done", training.attempts.len(), training.items.len())
        }
        _ if shell.session.calibration.is_some() => {
            format!(" Session  {} of {total} to label", queue.place())
        }
        (None, Some(listing)) => {
            format!(" Queue  {}  {} of {total}", visible(listing), queue.place())
        }
        (None, None) => {
            format!(" {}  {} of {total}{filter}", view_words(shell.session.view), queue.place())
        }
    };
    let title = fit(&title, usize::from(area.width)).into_owned();
    put_line(buf, area, 0, &Line::from(heading(theme, title, shell.focus == Focus::Queue)));
    if queue.rows.is_empty() {
        let counts = &shell.session.counts;
        let left = format!(
            "You founded this workspace and gave no label so far: its {} open cases are shared by \
             the others. {{view}} shows them; label one, and you take part.",
            counts.open
        );
        let others = format!(
            "Nothing waits for you: {} open cases are others' for now. {{view}} shows them.",
            counts.others
        );
        let words = match (shell.session.filter.is_empty(), shell.session.view) {
            _ if shell.session.calibration.is_some() => {
                "No case of the session is left. {clear} leaves it."
            }
            (false, _) => "No case fits the filter. {clear} drops it.",
            (true, None) if counts.leaves_to_others => &left,
            (true, None) if counts.others > 0 => &others,
            (true, None) => {
                "Nothing waits for you. {view} shows other cases; casework ingest brings new ones."
            }
            (true, Some(_)) => "No case is in this state. {view} shows others.",
        };
        for (row, line) in crate::domain::text::wrap(
            &shell.keymap.fill(words),
            usize::from(area.width).saturating_sub(3),
        )
        .into_iter()
        .enumerate()
        {
            put_line(
                buf,
                area,
                row as u16 + 2,
                &Line::from(vec![Span::raw("  "), Span::raw(line)]),
            );
        }
        return;
    }
    let open = shell.session.opened.as_ref().map(|opened| opened.case.row.id);
    let rows = usize::from(area.height).saturating_sub(HEAD);
    let shown = &queue.rows[queue.top.min(queue.rows.len())..];
    let shown = &shown[..rows.min(shown.len())];
    let columns = Columns::of(shell, shown, usize::from(area.width));
    put_line(buf, area, 1, &Line::from(Span::styled(columns.header(), theme.dim)));
    for (row, case) in (queue.top..).zip(shown) {
        let is = (row == queue.cursor, open == Some(case.id));
        let text = text_of(shell, row, row == queue.top);
        let line = line(shell, case, is, &columns, (&text, usize::from(area.width)));
        put_line(buf, area, (row - queue.top + HEAD) as u16, &line);
    }
}

/// What stands in a row for its text: of several of one text in a row, the first says how many they
/// are, and the others that they are the same.
fn text_of(shell: &Shell, row: usize, is_first_shown: bool) -> String {
    let rows = &shell.session.queue.rows;
    let text = &rows[row].text;
    let shown = visible(crate::domain::text::head(text, 400)).into_owned();
    if shown.trim().is_empty() {
        return "(no text)".to_owned();
    }
    let same = |other: &&CaseRow| other.text == *text;
    // Only where a run begins on the screen is it counted.
    if row > 0 && !is_first_shown && same(&&rows[row - 1]) {
        return format!("{} the same", shell.theme.sign("″", "\""));
    }
    let before = rows[..row].iter().rev().take_while(same).count();
    match before + 1 + rows[row + 1..].iter().take_while(same).count() {
        1 => shown,
        n => format!("{n}{} {shown}", shell.theme.sign("×", "x")),
    }
}

fn line(
    shell: &Shell,
    case: &CaseRow,
    (cursor, open): (bool, bool),
    columns: &Columns,
    (text, wide): (&str, usize),
) -> Line<'static> {
    let theme = &shell.theme;
    let mark = match (cursor, open) {
        (true, _) => theme.sign("▸", ">"),
        (false, true) => theme.sign("•", "*"),
        (false, false) => " ",
    };
    let hides =
        |cue: Cue| shell.session.protocols.policy.hide.iter().any(|hiding| hiding.cue == cue);
    let wait = case.due.0 - shell.session.now.0;
    let late = wait < 0;
    // What counts for good is due no more.
    let due = match case.state {
        CaseState::Resolved => String::new(),
        _ if late => format!("-{}", short_span(wait)),
        _ => short_span(wait),
    };
    let mut spans = vec![Span::styled(mark, theme.accent)];
    let mut used = 1;
    let mut column = |text: String, room: usize, style: Style| {
        if room > 0 {
            let text = fit(&text, room - 1).into_owned();
            let pad = " ".repeat(room - width(&text));
            spans.push(Span::styled(text, style));
            spans.push(Span::raw(pad));
            used += room;
        }
    };
    let ago = short_span(shell.session.now.0 - case.occurred_at.0);
    column(format!("{ago:>4} ago"), columns.age, theme.dim);
    column(format!("{due:>4}"), 5, if late { theme.bad } else { theme.dim });
    let said = said(case, hides(Cue::Prediction));
    let counts = said.as_ref().is_some_and(|said| said.counts);
    let label = said.map_or(String::new(), |said| {
        said.in_columns(if columns.said > 0 { columns.said - 1 } else { 18 })
    });
    column(label.clone(), columns.said, if counts { theme.good } else { theme.text });
    let flag = visible(&case.flags.join(", ")).into_owned();
    column(flag, if columns.flag > 0 { columns.flag + 1 } else { 0 }, theme.warn);
    if counts && columns.said == 0 {
        spans.push(Span::styled(format!("{label}  "), theme.good));
        used += width(&label) + 2;
    }
    spans.push(Span::raw(fit(text, wide.saturating_sub(used)).into_owned()));
    Line::from(spans)
}
