//! Ruling on a case: its labels side by side without names, where they part, what each marked; take
//! one, or walk anew.
//!
//! ```text
//!  look ── A B C … ──▶ cause ── 1-6 ──▶ why ── Enter ──▶ ruled
//!    ├──── w ────▶ the guide, answered again; Enter there comes to ▲
//!    └──── r ────▶ which label ──▶ question to its author
//! ```

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use super::prompt::Prompt;
use super::{Cx, Layer, Next, View, list};
use crate::domain::arbitration::Cause;
use crate::domain::label::{AFTER_OTHERS, outcome_in_short};
use crate::domain::protocol::{Places, Span as Marked};
use crate::domain::text::{fit, head, visible, width, wrap};
use crate::domain::text_rows::rows;
use crate::review::arbitration::{Dispute, Side};
use crate::session::Input;
use crate::session::command::Said;
use crate::session::command::note::COMMENT;
use crate::tui::edit::Edit;
use crate::tui::key::KeyPress;
use crate::tui::keymap::{KeyRow, Keymap};
use crate::tui::paint::{boxed, centered, put_line, row_of};
use crate::tui::place::Place;
use crate::tui::theme::Theme;
use crate::workspace::arbitration::{Reasons, RulingChoice};

/// The most columns that the window takes.
const WIDE_MAX: u16 = 124;

/// Rows of a text that are shown.
const TEXT_ROWS: usize = 8;
/// Characters of the input that are laid out.
const TEXT_BYTES_MAX: usize = 2_000;

/// The window.
pub struct Arbitrate {
    pub dispute: Dispute,
    /// The input, whose places the labels mark.
    /// The texts that are shown, by name: the input's, and those in which something is marked.
    texts: Vec<(String, String)>,
    /// What must change in the protocol at the question that split; empty: the reason says it.
    change: Option<String>,
    /// A reason, and a question, that were begun and left: they go on where they are asked for again.
    begun: [String; 2],
    scroll: usize,
    step: Step,
}

enum Step {
    Look,
    Cause(RulingChoice),
    Why(RulingChoice, Cause, Edit),
    WhichLabel,
    Ask(char, Edit),
    /// What must change in the protocol, and the step that it was said in.
    Note(Box<Step>, Edit),
}

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new(
        "comment-here",
        "c",
        Place::Labels,
        "comment",
        "say something about the case, or about the question where it diverges",
    ),
    KeyRow::new("labels-leave", "q", Place::Labels, "", "close the window"),
    KeyRow::new(
        "take-label",
        "a b c d e f",
        Place::Ruling,
        "take it",
        "take this label as the ruling",
    ),
    KeyRow::new(
        "walk-again",
        "w",
        Place::Ruling,
        "answer again",
        "answer the questions again, and rule what that comes to",
    ),
    KeyRow::new(
        "take-session",
        "s",
        Place::Ruling,
        "",
        "rule what the latest calibration session agreed on, with the session as the reason",
    ),
    KeyRow::new(
        "ask-author",
        "r",
        Place::Ruling,
        "ask its author",
        "return a label to its author with a question",
    ),
    KeyRow::new(
        "must-change",
        "p",
        Place::Ruling,
        "",
        "note that the protocol must change at the question that splits",
    ),
    KeyRow::new("ruling-leave", "q", Place::Ruling, "", "close the window"),
    KeyRow::new("cause", "1 2 3 4 5 6", Place::Cause, "", "why reviewers differ"),
    KeyRow::new(
        "cause-and-change",
        "p",
        Place::Cause,
        "",
        "note that the protocol must change at the question that splits",
    ),
    KeyRow::new(
        "ask-this",
        "a b c d e f",
        Place::WhichLabel,
        "this one",
        "the label whose author you ask",
    ),
    KeyRow::new("rule", "Enter", Place::RulingWords, "", "rule, or send the question"),
];

impl Arbitrate {
    pub fn new(dispute: Dispute, texts: &[(String, String)]) -> Self {
        Self {
            dispute,
            texts: texts
                .iter()
                .map(|(name, text)| (name.clone(), head(text, TEXT_BYTES_MAX).to_owned()))
                .collect(),
            change: None,
            begun: Default::default(),
            scroll: 0,
            step: Step::Look,
        }
    }

    /// The same, once the case was answered again: what is left is to say why.
    pub fn walked(self, verdict: RulingChoice) -> Self {
        Self { step: Step::Cause(verdict), ..self }
    }

    /// A step back, which loses nothing; from the first one the window closes.
    fn back(&mut self, cx: &mut Cx<'_>) -> Next {
        if let Step::Note(before, _) = &mut self.step {
            self.step = std::mem::replace(before, Step::Look);
            return Next::Stays;
        }
        match &self.step {
            Step::Look => {
                cx.session.rule_no_more();
                return Next::Closes;
            }
            Step::Why(_, _, edit) => self.begun[0] = edit.text(),
            Step::Ask(_, edit) => self.begun[1] = edit.text(),
            _ => {}
        }
        self.step = Step::Look;
        Next::Stays
    }

    /// Opens a note on what must change in the protocol, or takes it out again.
    fn note_change(&mut self) {
        if self.change.take().is_none() && self.dispute.question().is_some() {
            let before = Box::new(std::mem::replace(&mut self.step, Step::Look));
            self.step = Step::Note(before, Edit::new(""));
        }
    }

    /// Rules what the latest session agreed on.
    fn take_session(&self, cx: &mut Cx<'_>) -> Next {
        let Some(said) = self.dispute.sessions.iter().find(|said| said.agreed.is_some()) else {
            let effects = cx.session.say("No calibration session agreed on this case.");
            cx.then(effects);
            return Next::Stays;
        };
        let reasons =
            Reasons { cause: Cause::Other, rationale: String::new(), change: self.noted() };
        let choice = RulingChoice::Session(said.session.clone());
        let effects = cx.session.rule(self.dispute.row.id, choice, reasons);
        cx.then(effects);
        Next::Closes
    }

    /// The change of the protocol that goes with the ruling.
    fn noted(&self) -> Option<(Option<String>, String)> {
        self.change.as_ref().map(|text| (None, text.clone()))
    }

    /// Takes the label of a side, or asks its author.
    fn take_side(&mut self, name: Option<char>) {
        let Some(name) = name else { return };
        self.step = match self.step {
            Step::WhichLabel => Step::Ask(name, Edit::new(&self.begun[1])),
            _ => Step::Cause(RulingChoice::Takes(name)),
        };
    }

    /// The name of the side whose place a key has in an action.
    fn side_at(&self, action: &str, key: KeyPress, keymap: &Keymap) -> Option<char> {
        self.dispute.sides.get(keymap.place_of(action, key)?).map(|side| side.name)
    }

    /// The keys of an action that stand for sides.
    fn side_keys(&self, action: &str, keymap: &Keymap) -> String {
        let key = |n: usize| {
            keymap
                .nth(action, n)
                .unwrap_or_else(|| self.dispute.sides[n].name.to_lowercase().to_string())
        };
        (0..self.dispute.sides.len()).map(key).collect::<Vec<_>>().join(" ")
    }

    fn cause(&mut self, place: Option<usize>) {
        let Step::Cause(verdict) = &self.step else { return };
        if let Some(cause) = place.and_then(|place| Cause::ALL.get(place)) {
            self.step = Step::Why(verdict.clone(), *cause, Edit::new(&self.begun[0]));
        }
    }

    /// Rules, or asks, once something was written.
    fn written(&mut self, cx: &mut Cx<'_>) -> Next {
        if let Step::Note(before, edit) = &mut self.step {
            self.change = Some(edit.text().trim().to_owned());
            self.step = std::mem::replace(before, Step::Look);
            return Next::Stays;
        }
        let case = self.dispute.row.id;
        let effects = match &self.step {
            Step::Why(verdict, cause, edit) if !edit.text().trim().is_empty() => {
                let (rationale, change) = (edit.text().trim().to_owned(), self.noted());
                let reasons = Reasons { cause: *cause, rationale, change };
                cx.session.rule(case, verdict.clone(), reasons)
            }
            Step::Ask(side, edit) if !edit.text().trim().is_empty() => {
                cx.session.ask_author(case, *side, edit.text().trim().to_owned())
            }
            _ => return Next::Stays,
        };
        cx.then(effects);
        Next::Closes
    }

    /// Asks for a comment; in a session it is about the question that parts them, unless that is
    /// taken out.
    fn comment(&self, cx: &Cx<'_>) -> Prompt {
        let of_session = self.dispute.question().filter(|_| cx.session.calibration.is_some());
        let text = of_session.map(|question| format!("{question}: ")).unwrap_or_default();
        let case = Some(self.dispute.row.id);
        let done = move |text: &str, cx: &mut Cx<'_>| {
            cx.take(Input::Command(&COMMENT, Said { text: text.to_owned(), case }))
        };
        Prompt::new(COMMENT.ask, &text, done)
    }

    /// How far its lines can be scrolled.
    fn overflow(&self, (width, height): (u16, u16), view: &View<'_>) -> usize {
        let columns = usize::from(width.saturating_sub(2).min(WIDE_MAX)).saturating_sub(4);
        let (lines, below) =
            (self.lines(columns, view.theme).len(), self.below(columns, view).len());
        lines.saturating_sub(usize::from(height.saturating_sub(4)).saturating_sub(below + 1))
    }
}

impl Layer for Arbitrate {
    fn places(&self) -> &'static [Place] {
        match self.step {
            Step::Look if self.dispute.named => &[Place::Labels, Place::Lines, Place::Window],
            Step::Look => &[Place::Ruling, Place::Lines, Place::Window],
            Step::Cause(_) => &[Place::Cause, Place::Window],
            Step::WhichLabel => &[Place::WhichLabel, Place::Window],
            Step::Why(..) | Step::Ask(..) | Step::Note(..) => &[Place::RulingWords, Place::Writing],
        }
    }

    fn act(&mut self, action: &str, key: KeyPress, cx: &mut Cx<'_>) -> Next {
        match action {
            "close" | "leave" | "labels-leave" | "ruling-leave" => return self.back(cx),
            "comment-here" => return Next::Opens(Box::new(self.comment(cx))),
            "take-label" | "ask-this" => self.take_side(self.side_at(action, key, cx.keymap)),
            "walk-again" => {
                let effects = cx.session.walk_anew(self.dispute.row.id);
                cx.then(effects);
                return Next::Closes;
            }
            "ask-author" => self.step = Step::WhichLabel,
            "must-change" | "cause-and-change" => self.note_change(),
            "take-session" => return self.take_session(cx),
            "cause" => self.cause(cx.keymap.place_of("cause", key)),
            "rule" => return self.written(cx),
            action => {
                let by = list::step(action, list::PAGE).unwrap_or(0);
                let most = self.overflow(cx.size, &cx.view());
                self.scroll =
                    (self.scroll as i64).saturating_add(by).clamp(0, most as i64) as usize;
            }
        }
        Next::Stays
    }

    fn typed(&mut self, event: KeyEvent, _: &mut Cx<'_>) -> Next {
        match &mut self.step {
            Step::Why(_, _, edit) | Step::Ask(_, edit) | Step::Note(_, edit) => {
                edit.key(event);
            }
            // More sides than the table has letters.
            Step::Look if self.dispute.named => {}
            Step::Look | Step::WhichLabel => {
                let side = KeyPress::of(&event)
                    .char()
                    .and_then(|c| self.dispute.side(c))
                    .map(|side| side.name);
                self.take_side(side);
            }
            Step::Cause(_) => {}
        }
        Next::Stays
    }

    fn pasted(&mut self, text: &str, _: &mut Cx<'_>) -> bool {
        match &mut self.step {
            Step::Why(_, _, edit) | Step::Ask(_, edit) | Step::Note(_, edit) => {
                edit.paste(text, true);
                true
            }
            _ => false,
        }
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let theme = view.theme;
        let wide = screen.width.saturating_sub(2).min(WIDE_MAX);
        let columns = usize::from(wide).saturating_sub(4);
        let lines = self.lines(columns, theme);
        let below = self.below(columns, view);
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
            let more = Line::from(Span::styled(
                view.keymap.fill(&format!("{} more: {{line-down}}", lines.len() - top - rows)),
                theme.dim,
            ));
            put_line(buf, inner, inner.height.saturating_sub(foot + 1), &more);
        }
        for (row, line) in below.iter().enumerate() {
            put_line(buf, inner, inner.height - foot + row as u16, line);
        }
        if let Step::Why(_, _, edit) | Step::Ask(_, edit) | Step::Note(_, edit) = &self.step {
            let line = Rect { y: inner.bottom() - 1, height: 1, ..inner };
            let used = 2.min(line.width);
            edit.area().render(Rect { x: line.x + used, width: line.width - used, ..line }, buf);
        }
    }
}

impl Arbitrate {
    /// What can be done, or what is asked, at the bottom.
    fn below(&self, columns: usize, view: &View<'_>) -> Vec<Line<'static>> {
        let (theme, keymap) = (view.theme, view.keymap);
        let dim = |text: &str| Line::from(Span::styled(text.to_owned(), theme.dim));
        let asked =
            |text: String| Line::from(Span::styled(fit(&text, columns).into_owned(), theme.accent));
        let hint = |pairs: &[(&str, &str)]| {
            let each = pairs.iter().flat_map(|(key, word)| {
                [Span::styled(keymap.fill(key), theme.key), Span::raw(format!(" {word}  "))]
            });
            Line::from(each.collect::<Vec<_>>())
        };
        let change = match self.dispute.question() {
            Some(question) if self.change.is_some() => {
                let text = self.change.as_deref().unwrap_or_default();
                let text = if text.is_empty() { String::new() } else { format!(": {text}") };
                format!(
                    "The protocol must change at `{}`{} ({} drops it)",
                    visible(question),
                    visible(&text),
                    keymap.first("must-change")
                )
            }
            Some(question) => format!(
                "{}: the protocol must change at `{}`",
                keymap.first("must-change"),
                visible(question)
            ),
            None => String::new(),
        };
        let changed = Line::from(Span::styled(
            change,
            if self.change.is_some() { theme.warn } else { theme.dim },
        ));
        let verdict = |verdict: &RulingChoice| match verdict {
            RulingChoice::Takes(side) => format!("takes {side}"),
            RulingChoice::Session(name) => format!("takes what {name} agreed on"),
            _ => "answered again".to_owned(),
        };
        match &self.step {
            Step::Look if self.dispute.named => {
                vec![hint(&[
                    ("{line-down} {line-up}", "scroll"),
                    ("{comment-here}", "comment"),
                    ("{close}", "leave"),
                ])]
            }
            Step::Look => {
                let sides = self.side_keys("take-label", keymap);
                let mut keys = vec![
                    (sides.as_str(), "take it"),
                    ("{walk-again}", "answer again"),
                    ("{ask-author}", "ask its author"),
                    ("{close}", "leave"),
                ];
                if self.dispute.sessions.iter().any(|said| said.agreed.is_some()) {
                    keys.insert(1, ("{take-session}", "take the session's"));
                }
                vec![changed, hint(&keys)]
            }
            Step::Cause(chosen) => {
                let mut lines =
                    vec![changed, asked(format!("{}. Why do reviewers differ?", verdict(chosen)))];
                for (n, cause) in Cause::ALL.into_iter().enumerate() {
                    let about = fit(cause.about(), columns.saturating_sub(22)).into_owned();
                    lines.push(Line::from(vec![
                        Span::styled(
                            format!("  {} ", keymap.nth("cause", n).unwrap_or_default()),
                            theme.key,
                        ),
                        Span::raw(format!("{:<17}", cause.as_str())),
                        Span::styled(about, theme.dim),
                    ]));
                }
                lines
            }
            Step::Why(chosen, cause, _) => {
                vec![
                    changed,
                    asked(format!(
                        "{}, {}. Say why; reviewers will read it. {} rules.",
                        verdict(chosen),
                        cause.as_str(),
                        keymap.first("rule")
                    )),
                    dim(">"),
                ]
            }
            Step::Note(..) => {
                vec![
                    asked(format!(
                        "What must change there? Empty: your reason says it. {} keeps it.",
                        keymap.first("rule")
                    )),
                    dim(">"),
                ]
            }
            Step::WhichLabel => {
                vec![
                    asked("Whose author do you ask?".to_owned()),
                    hint(&[(&self.side_keys("ask-this", keymap), "this one"), ("{close}", "back")]),
                ]
            }
            Step::Ask(side, _) => {
                vec![
                    asked(format!(
                        "Your question to the author of {side}. {} sends it.",
                        keymap.first("rule")
                    )),
                    dim(">"),
                ]
            }
        }
    }

    fn lines(&self, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let mut lines = self.input(columns, theme);
        let mut say = |mark: &'static str, text: &str, style| {
            for (i, line) in wrap(&visible(text), columns.saturating_sub(2)).into_iter().enumerate()
            {
                let mark = Span::styled(if i == 0 { mark } else { "  " }, theme.warn);
                let line = Line::from(vec![mark, Span::styled(line, style)]);
                lines.push(row_of(text, line));
            }
        };
        for text in self.dispute.beside() {
            say("! ", &text, theme.text);
        }
        if let Some((ruling, appeals)) = &self.dispute.ruled {
            let words = format!(
                "ruled {} ({}): {}",
                outcome_in_short(&ruling.outcome),
                ruling.cause.as_str(),
                ruling.rationale
            );
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
        let marks: Vec<(char, Places)> =
            self.dispute.sides.iter().map(|side| (side.name, side.given.label.places())).collect();
        let mut lines = Vec::new();
        for (i, (name, text)) in self.texts.iter().enumerate() {
            if i > 0 {
                let name = fit(&visible(name), columns).into_owned();
                lines.push(Line::from(Span::styled(name, theme.dim)));
            }
            let marks: Vec<(char, &[Marked])> =
                marks.iter().map(|(side, places)| (*side, places.in_text(name))).collect();
            lines.extend(with_marks(text, &marks, columns, theme));
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
        let mut lines = vec![Line::from(Span::styled(
            format!("{}{head}", " ".repeat(question_wide + 3)),
            theme.strong,
        ))];
        for (place, (question, answers)) in self.dispute.questions.iter().enumerate() {
            let parts = self.dispute.parts_at == Some(place);
            let mark = if parts { theme.sign("▸ ", "> ") } else { "  " };
            let name = fit(&visible(question), question_wide).into_owned();
            let pad = " ".repeat(question_wide + 1 - width(&name));
            let cells: String =
                answers.iter().map(|answer| cell(answer.as_deref().unwrap_or("·"))).collect();
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
        let sure = label.confidence.map_or(String::new(), |sure| format!("  confidence {sure}/5"));
        // All of it: the field that differs may be the last.
        let room = columns.saturating_sub(3 + sure.len());
        let words = wrap(&visible(&outcome_in_short(&side.outcome)), room);
        let mut lines = Vec::new();
        for (row, words) in words.into_iter().enumerate() {
            let mark = if row == 0 { format!("{}  ", side.name) } else { "   ".to_owned() };
            let mut spans = vec![Span::styled(mark, theme.key), Span::styled(words, theme.strong)];
            spans.extend((row == 0).then(|| Span::styled(sure.clone(), theme.dim)));
            lines.push(Line::from(spans));
        }
        let mut more = |text: String, style| {
            for line in wrap(&visible(&text), columns.saturating_sub(3)) {
                let line = Line::from(vec![Span::raw("   "), Span::styled(line, style)]);
                lines.push(row_of(&text, line));
            }
        };
        if !label.rationale.is_empty() {
            more(format!("“{}”", label.rationale), theme.text);
        }
        if let Some(seen) = &label.seen {
            more(format!("had on screen: {}", seen.words()), theme.dim);
        }
        if label.after_others {
            more(format!("before it, {AFTER_OTHERS}"), theme.dim);
        }
        if let Some(asked) = &side.asked {
            more(format!("its author was asked: {asked}"), theme.warn);
        }
        lines
    }
}
/// A text with what is marked in it, and under it who marked what.
fn with_marks(
    text: &str,
    marks: &[(char, &[Marked])],
    columns: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for row in rows(text, columns).into_iter().take(TEXT_ROWS) {
        let (mut spans, mut under) = (Vec::new(), String::new());
        for sign in row {
            let inside =
                |place: &&Marked| place.start <= sign.place.start && sign.place.end <= place.end;
            let by: Vec<char> = marks
                .iter()
                .filter(|(_, places)| places.iter().any(|place| inside(&place)))
                .map(|(name, _)| *name)
                .collect();
            let style = if by.is_empty() {
                theme.text
            } else {
                theme.accent.add_modifier(Modifier::UNDERLINED)
            };
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
