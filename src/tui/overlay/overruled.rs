//! Where a reviewer was overruled, and why; they can appeal once on a case.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::prompt::Prompt;
use super::{Cx, Layer, Next, View, list};
use crate::domain::ids::CaseId;
use crate::domain::label::outcome_in_short;
use crate::domain::text::{fit, visible, wrap};
use crate::review::arbitration::PastRuling;
use crate::session::{self, Effect};
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::place::Place;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new("open-ruled", "Enter", Place::Overruled, "opens", "open the case"),
    KeyRow::new(
        "appeal",
        "a",
        Place::Overruled,
        "appeals",
        "appeal: say what the ruling did not weigh",
    ),
];

/// The list.
pub struct Overruled {
    pub rows: Vec<PastRuling>,
    pub cursor: usize,
}

/// Asks for what a ruling did not weigh.
fn appeal(case: CaseId, own: &str) -> Prompt {
    let done = move |why: &str, cx: &mut Cx<'_>| cx.session.appeal(case, why);
    Prompt::new("What the ruling did not weigh: ", "", done).about(format!("{own}: "))
}

/// Whether a ruling was appealed against by somebody.
fn has_appealed(past: &PastRuling, who: &str) -> bool {
    past.appeals.iter().any(|(other, _)| other == who)
}

impl Layer for Overruled {
    fn places(&self) -> &'static [Place] {
        &[Place::Overruled, Place::Lines, Place::Window]
    }

    fn act(&mut self, action: &str, _: KeyPress, cx: &mut Cx<'_>) -> Next {
        match (action, self.rows.get(self.cursor)) {
            ("open-ruled", Some(past)) => {
                let effects = cx.session.open(past.row.id);
                cx.then([Effect::Look(session::Look::Case)]);
                cx.then(effects);
                Next::Closes
            }
            ("appeal", Some(past)) if has_appealed(past, &cx.session.me) => {
                cx.session.say("You have appealed on this case: one appeal is allowed.");
                Next::Stays
            }
            ("appeal", Some(past)) => {
                Next::Opens(Box::new(appeal(past.row.id, &past.row.external_id)))
            }
            ("close", _) => Next::Closes,
            (action, _) => {
                let by = list::step(action, list::PAGE).unwrap_or(0);
                self.cursor = list::moved(self.cursor, by, self.rows.len());
                Next::Stays
            }
        }
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let columns = list::columns(screen);
        let entry = |(row, past)| entry(past, row == self.cursor, columns, view);
        let entries = self.rows.iter().enumerate().map(entry).collect();
        let title = view
            .keymap
            .fill("Where you were overruled ({open-ruled} opens · {appeal} appeals · {close})");
        list::draw(screen, buf, view.theme, &title, self.cursor, entries);
    }
}

fn entry(past: &PastRuling, chosen: bool, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
    let (theme, me) = (view.theme, &view.session.me);
    let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
    let style = if chosen { theme.strong } else { theme.text };
    let text = fit(&visible(&past.row.text), columns.saturating_sub(14)).into_owned();
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, theme.accent),
        Span::styled(format!("{}  ", past.row.id.short()), theme.dim),
        Span::styled(text, style),
    ])];
    let mut more = |text: String, style| {
        for line in wrap(&visible(&text), columns.saturating_sub(4)).into_iter().take(3) {
            lines.push(Line::from(Span::styled(format!("    {line}"), style)));
        }
    };
    let mine = past.overruled.iter().find(|given| given.label.reviewer == *me);
    let mine = mine.map(|given| outcome_in_short(&given.label.outcome)).unwrap_or_default();
    more(format!("ruled     {}", outcome_in_short(&past.outcome)), theme.text);
    more(format!("you said  {mine}"), theme.text);
    more(format!("{}: {}", past.ruling.cause.as_str(), past.ruling.rationale), theme.dim);
    if let Some((_, why)) = past.appeals.iter().find(|(who, _)| *who == *me) {
        more(format!("you appealed: {why}"), theme.warn);
    }
    lines
}
