//! Ruling on a case: its labels side by side without names, where they part, what each marked; take one, or walk anew.
//!
//! ```text
//!  look ── A B C … ──▶ cause ── 1-6 ──▶ why ── Enter ──▶ ruled
//!    ├──── w ────▶ the guide, walked anew; Enter there comes to ▲
//!    └──── r ────▶ which label ──▶ question to its author
//! ```

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use crate::domain::arbitration::Cause;
use crate::domain::label::outcome_in_short;
use crate::domain::layout::rows;
use crate::domain::protocol::Span as Place;
use crate::domain::text::{fit, head, visible, width, wrap};
use crate::review::arbitration::{Dispute, Side};
use crate::tui::draw::{boxed, centered, put_line};
use crate::tui::edit::Edit;
use crate::tui::key::KeyPress;
use crate::tui::theme::Theme;
use crate::workspace::arbitration::{Reasons, Verdict};

/// Characters of the input that are laid out.
const TEXT_BYTES_MAX: usize = 2_000;

/// The window.
#[derive(Debug, Clone)]
pub struct Arbitrate {
    pub dispute: Dispute,
    /// The input, whose places the labels mark.
    text: String,
    /// Whether the protocol must change at the question that split.
    change: bool,
    scroll: usize,
    step: Step,
}

#[derive(Debug, Clone)]
enum Step {
    Look,
    Cause(Verdict),
    Why(Verdict, Cause, Edit),
    WhichLabel,
    Ask(char, Edit),
}

/// What a key came to.
#[derive(Debug, Clone)]
pub enum Arbitrated {
    On,
    Left,
    Ruled(Verdict, Reasons),
    /// The guide is to be walked anew.
    Walk,
    /// Something is to be said about the case, where its labels part.
    Comment(Option<String>),
    Returned {
        side: char,
        text: String,
    },
}

impl Arbitrate {
    pub fn new(dispute: Dispute, text: &str) -> Self {
        Self { dispute, text: head(text, TEXT_BYTES_MAX).to_owned(), change: false, scroll: 0, step: Step::Look }
    }

    /// The same, once the case was walked anew: what is left is to say why.
    pub fn walked(self, verdict: Verdict) -> Self {
        Self { step: Step::Cause(verdict), ..self }
    }

    pub fn key(&mut self, event: KeyEvent, key: KeyPress) -> Arbitrated {
        let leaves = key.code == KeyCode::Esc || (key.ctrl && key.code == KeyCode::Char('c'));
        match &mut self.step {
            Step::Look if leaves || key.char() == Some('q') => return Arbitrated::Left,
            // A step back loses nothing but what was typed there.
            _ if leaves => self.step = Step::Look,
            Step::Look => return self.look(key),
            Step::Cause(verdict) => {
                let chosen = key.char().and_then(|c| c.to_digit(10)).and_then(|n| Cause::ALL.get((n as usize).checked_sub(1)?));
                match (chosen, key.char()) {
                    (Some(cause), _) => self.step = Step::Why(verdict.clone(), *cause, Edit::new("")),
                    (None, Some('p')) => self.change = !self.change && self.dispute.question().is_some(),
                    _ => {}
                }
            }
            Step::Why(verdict, cause, edit) => {
                let rationale = edit.text().trim().to_owned();
                if key.code != KeyCode::Enter {
                    edit.key(event);
                } else if !rationale.is_empty() {
                    let change = self.change.then(|| (None, String::new()));
                    return Arbitrated::Ruled(verdict.clone(), Reasons { cause: *cause, rationale, change });
                }
            }
            Step::WhichLabel => {
                if let Some(side) = key.char().and_then(|c| self.dispute.side(c)) {
                    self.step = Step::Ask(side.name, Edit::new(""));
                }
            }
            Step::Ask(side, edit) => {
                let text = edit.text().trim().to_owned();
                if key.code != KeyCode::Enter {
                    edit.key(event);
                } else if !text.is_empty() {
                    return Arbitrated::Returned { side: *side, text };
                }
            }
        }
        Arbitrated::On
    }

    fn look(&mut self, key: KeyPress) -> Arbitrated {
        // With names there is nothing to rule.
        let rules = !self.dispute.named;
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll += 1,
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll += 10,
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            KeyCode::Char('c') if !rules => return Arbitrated::Comment(self.dispute.question().map(str::to_owned)),
            KeyCode::Char('w') if rules => return Arbitrated::Walk,
            KeyCode::Char('r') if rules => self.step = Step::WhichLabel,
            KeyCode::Char('p') if rules => self.change = !self.change && self.dispute.question().is_some(),
            KeyCode::Char(c) if !key.ctrl && rules => {
                if let Some(side) = self.dispute.side(c) {
                    self.step = Step::Cause(Verdict::Takes(side.name));
                }
            }
            _ => {}
        }
        Arbitrated::On
    }

    pub fn paste(&mut self, text: &str) -> bool {
        match &mut self.step {
            Step::Why(_, _, edit) | Step::Ask(_, edit) => {
                edit.paste(text, true);
                true
            }
            _ => false,
        }
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) {
        let wide = screen.width.saturating_sub(2).min(124);
        let columns = usize::from(wide).saturating_sub(4);
        let lines = self.lines(columns, theme);
        let below = self.below(columns, theme);
        let high = screen.height.saturating_sub(2).min((lines.len() + below.len() + 3) as u16);
        let of = if self.dispute.named { "labels side by side" } else { "labels without names" };
        let title = format!("{} · {of}", self.dispute.row.id.short());
        let inner = boxed(centered(screen, wide, high), buf, theme, &title);
        let foot = (below.len() as u16).min(inner.height.saturating_sub(1));
        let rows = usize::from(inner.height.saturating_sub(foot + 1));
        let top = self.scroll.min(lines.len().saturating_sub(rows));
        for (y, line) in lines.iter().skip(top).take(rows).enumerate() {
            put_line(buf, inner, y as u16, line);
        }
        if lines.len() > top + rows {
            let more = Line::from(Span::styled(format!("{} more: j", lines.len() - top - rows), theme.dim));
            put_line(buf, inner, inner.height.saturating_sub(foot + 1), &more);
        }
        for (row, line) in below.iter().enumerate() {
            put_line(buf, inner, inner.height - foot + row as u16, line);
        }
        if let Step::Why(_, _, edit) | Step::Ask(_, edit) = &self.step {
            let line = Rect { y: inner.bottom() - 1, height: 1, ..inner };
            let used = 2.min(line.width);
            edit.area().render(Rect { x: line.x + used, width: line.width - used, ..line }, buf);
        }
    }

    /// What can be done, or what is asked, at the bottom.
    fn below(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let dim = |text: &str| Line::from(Span::styled(text.to_owned(), theme.dim));
        let asked = |text: String| Line::from(Span::styled(fit(&text, columns).into_owned(), theme.accent));
        let hint = |pairs: &[(&str, &str)]| {
            let each = pairs
                .iter()
                .flat_map(|(key, word)| [Span::styled((*key).to_owned(), theme.key), Span::raw(format!(" {word}  "))]);
            Line::from(each.collect::<Vec<_>>())
        };
        let change = match self.dispute.question() {
            Some(question) if self.change => format!("The protocol must change at `{}` (p)", visible(question)),
            Some(question) => format!("p: the protocol must change at `{}`", visible(question)),
            None => String::new(),
        };
        let changed = Line::from(Span::styled(change, if self.change { theme.warn } else { theme.dim }));
        let verdict = |verdict: &Verdict| match verdict {
            Verdict::Takes(side) => format!("takes {side}"),
            _ => "walked anew".to_owned(),
        };
        match &self.step {
            Step::Look if self.dispute.named => vec![hint(&[("j k", "scroll"), ("c", "comment"), ("Esc", "leave")])],
            Step::Look => {
                let names: Vec<String> = self.dispute.sides.iter().map(|side| side.name.to_lowercase().to_string()).collect();
                vec![
                    changed,
                    hint(&[(&names.join(" "), "take it"), ("w", "walk anew"), ("r", "ask its author"), ("Esc", "leave")]),
                ]
            }
            Step::Cause(chosen) => {
                let mut lines = vec![changed, asked(format!("{}. Why do reviewers differ?", verdict(chosen)))];
                for (n, cause) in Cause::ALL.into_iter().enumerate() {
                    let about = fit(cause.about(), columns.saturating_sub(22)).into_owned();
                    lines.push(Line::from(vec![
                        Span::styled(format!("  {} ", n + 1), theme.key),
                        Span::raw(format!("{:<17}", cause.word())),
                        Span::styled(about, theme.dim),
                    ]));
                }
                lines
            }
            Step::Why(chosen, cause, _) => {
                vec![
                    changed,
                    asked(format!("{}, {}. Say why; reviewers will read it. Enter rules.", verdict(chosen), cause.word())),
                    dim(">"),
                ]
            }
            Step::WhichLabel => {
                let names: Vec<String> = self.dispute.sides.iter().map(|side| side.name.to_lowercase().to_string()).collect();
                vec![asked("Whose author do you ask?".to_owned()), hint(&[(&names.join(" "), "this one"), ("Esc", "back")])]
            }
            Step::Ask(side, _) => vec![asked(format!("Your question to the author of {side}. Enter sends it.")), dim(">")],
        }
    }

    fn lines(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = self.input(columns, theme);
        let mut say = |mark: &'static str, text: &str, style| {
            for (i, line) in wrap(&visible(text), columns.saturating_sub(2)).into_iter().take(4).enumerate() {
                lines.push(Line::from(vec![
                    Span::styled(if i == 0 { mark } else { "  " }, theme.warn),
                    Span::styled(line, style),
                ]));
            }
        };
        for text in &self.dispute.escalated {
            say("! ", &format!("escalated: {text}"), theme.text);
        }
        if let Some((ruling, appeals)) = &self.dispute.ruled {
            let words = format!("ruled {} ({}): {}", outcome_in_short(&ruling.outcome), ruling.cause.word(), ruling.rationale);
            say("! ", &words, theme.dim);
            for why in appeals {
                say("! ", &format!("appealed: {why}"), theme.text);
            }
        }
        lines.push(Line::default());
        lines.extend(self.paths(columns, theme));
        for side in &self.dispute.sides {
            lines.push(Line::default());
            lines.extend(self.side(side, columns, theme));
        }
        lines
    }

    /// The input with what the labels mark, and under it who marked what.
    fn input(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let marks: Vec<(char, &[Place])> =
            self.dispute.sides.iter().map(|side| (side.name, side.given.label.evidence.as_slice())).collect();
        let mut lines = Vec::new();
        for row in rows(&self.text, columns).into_iter().take(8) {
            let (mut spans, mut under) = (Vec::new(), String::new());
            for sign in row {
                let inside = |place: &&Place| place.start <= sign.place.start && sign.place.end <= place.end;
                let by: Vec<char> =
                    marks.iter().filter(|(_, places)| places.iter().any(|place| inside(&place))).map(|(name, _)| *name).collect();
                let style = if by.is_empty() { theme.text } else { theme.accent.add_modifier(Modifier::UNDERLINED) };
                let name = match by[..] {
                    [] => ' ',
                    [one] => one,
                    _ => '*',
                };
                under.extend(std::iter::repeat_n(name, sign.wide));
                spans.push(Span::styled(sign.shown, style));
            }
            lines.push(Line::from(spans));
            if !under.trim().is_empty() {
                lines.push(Line::from(Span::styled(under, theme.warn)));
            }
        }
        lines
    }

    /// The ways side by side; the first question answered otherwise is pointed at.
    fn paths(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let sides = self.dispute.sides.len().max(1);
        let question_wide = 20.min(columns / 3);
        let wide = ((columns.saturating_sub(question_wide + 3)) / sides).clamp(4, 24);
        let cell = |text: &str| {
            let text = fit(&visible(text), wide - 1).into_owned();
            format!("{text}{}", " ".repeat(wide.saturating_sub(width(&text))))
        };
        let head: String = self.dispute.sides.iter().map(|side| cell(&self.head(side))).collect();
        let mut lines = vec![Line::from(Span::styled(format!("{}{head}", " ".repeat(question_wide + 3)), theme.strong))];
        for (place, (question, answers)) in self.dispute.questions.iter().enumerate() {
            let parts = self.dispute.parts_at == Some(place);
            let mark = if parts { theme.sign("▸ ", "> ") } else { "  " };
            let name = fit(&visible(question), question_wide).into_owned();
            let pad = " ".repeat(question_wide + 1 - width(&name));
            let cells: String = answers.iter().map(|answer| cell(answer.as_deref().unwrap_or("·"))).collect();
            lines.push(Line::from(vec![
                Span::styled(mark, theme.accent),
                Span::styled(format!("{name}{pad}"), if parts { theme.strong } else { theme.dim }),
                Span::styled(cells, if parts { theme.strong } else { theme.text }),
            ]));
        }
        lines
    }

    /// What a side is called.
    fn head(&self, side: &Side) -> String {
        match (self.dispute.named, side.own) {
            (true, _) => format!("{} {}", side.name, side.given.label.reviewer),
            (false, true) => format!("{} yours", side.name),
            (false, false) => side.name.to_string(),
        }
    }

    /// What one label says, how sure, why, and what was on the screen.
    fn side(&self, side: &Side, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let label = &side.given.label;
        let sure = label.confidence.map_or(String::new(), |sure| format!("  sure {sure}/5"));
        let words = fit(&visible(&outcome_in_short(&side.outcome)), columns.saturating_sub(3 + sure.len())).into_owned();
        let mut lines = vec![Line::from(vec![
            Span::styled(format!("{}  ", side.name), theme.key),
            Span::styled(words, theme.strong),
            Span::styled(sure, theme.dim),
        ])];
        let mut more = |text: String, style| {
            for line in wrap(&visible(&text), columns.saturating_sub(3)).into_iter().take(4) {
                lines.push(Line::from(vec![Span::raw("   "), Span::styled(line, style)]));
            }
        };
        if !label.rationale.is_empty() {
            more(format!("“{}”", label.rationale), theme.text);
        }
        if let Some(seen) = &label.seen {
            let cues: Vec<&str> = seen.all.iter().map(|cue| cue.word()).collect();
            more(format!("had on screen: {}", if cues.is_empty() { "the input".to_owned() } else { cues.join(", ") }), theme.dim);
        }
        if let Some(asked) = &side.asked {
            more(format!("its author was asked: {asked}"), theme.warn);
        }
        lines
    }
}
