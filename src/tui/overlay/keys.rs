//! Keys and pasted text while something lies over the panes.

use crossterm::event::{KeyCode, KeyEvent};

use super::mark::place_of;
use super::people::ROLES;
use super::pick::Choice;
use super::{
    Arbitrate, Arbitrated, Board, Boarded, Mark, Marked, Overlay, Overruled, OvertakenWindow, People, Pick, PickKind, Precedents,
    Prompt, PromptKind, Sessions,
};
use crate::domain::layout::rows;
use crate::domain::protocol::span;
use crate::domain::roster::Role;
use crate::session::window::Counts;
use crate::session::{Effect, Opened};
use crate::tui::action::ACTIONS;
use crate::tui::key::KeyPress;
use crate::tui::shell::Shell;

impl Shell {
    pub(in crate::tui) fn overlay_key(&mut self, overlay: Overlay, event: KeyEvent, key: KeyPress) -> Vec<Effect> {
        let leaves = key.code == KeyCode::Esc || (key.ctrl && key.code == KeyCode::Char('c'));
        match overlay {
            Overlay::Help { scroll } => self.scroll_overlay(key, leaves, scroll, |scroll| Overlay::Help { scroll }),
            Overlay::Terms { scroll } => self.scroll_overlay(key, leaves, scroll, |scroll| Overlay::Terms { scroll }),
            Overlay::Tree { scroll } => self.scroll_overlay(key, leaves, scroll, |scroll| Overlay::Tree { scroll }),
            Overlay::Mark(mark) => self.mark_key(mark, key),
            Overlay::Precedents(precedents) => self.precedents_key(precedents, key, leaves),
            Overlay::Feedback { title, words, scroll } => self.feedback_key(title, words, scroll, key),
            Overlay::Exchange { scroll } if key.char() == Some('S') => {
                self.overlay = Some(Overlay::Exchange { scroll });
                vec![Effect::SyncNow]
            }
            Overlay::Exchange { scroll } => self.scroll_overlay(key, leaves, scroll, |scroll| Overlay::Exchange { scroll }),
            Overlay::Arbitrate(arbitrate) => self.arbitrate_key(arbitrate, event, key),
            Overlay::Board(board) => self.board_key(board, key),
            Overlay::Sessions(sessions) => self.sessions_key(sessions, key, leaves),
            Overlay::Overruled(overruled) => self.overruled_key(overruled, key, leaves),
            Overlay::Overtaken(overtaken) => self.overtaken_key(overtaken, key, leaves),
            Overlay::People(people) => self.people_key(people, key, leaves),
            Overlay::Pick(mut pick) => {
                match key.code {
                    _ if leaves => return Vec::new(),
                    KeyCode::Enter => return self.picked(&pick),
                    KeyCode::Down | KeyCode::Tab => pick.step(1),
                    KeyCode::Up | KeyCode::BackTab => pick.step(-1),
                    KeyCode::Char('n' | 'j') if key.ctrl => pick.step(1),
                    KeyCode::Char('p' | 'k') if key.ctrl => pick.step(-1),
                    KeyCode::PageDown => pick.step(10),
                    KeyCode::PageUp => pick.step(-10),
                    KeyCode::Backspace => pick.backspace(),
                    KeyCode::Char(c) if !key.ctrl && !key.alt => pick.type_text(c.encode_utf8(&mut [0; 4])),
                    _ => {}
                }
                self.overlay = Some(Overlay::Pick(pick));
                Vec::new()
            }
            Overlay::Prompt(mut prompt) => {
                if leaves {
                    return Vec::new();
                }
                if key.code == KeyCode::Enter {
                    let text = prompt.edit.text();
                    let effects = self.prompted(&prompt, text.trim());
                    if let (PromptKind::Answer, Some(words)) = (prompt.kind, self.session.message.take()) {
                        // It was refused: what was typed stays, to be mended, and why stands before it.
                        prompt.about = format!("{words} ");
                        self.overlay = Some(Overlay::Prompt(prompt));
                    }
                    return effects;
                }
                let changed = prompt.edit.key(event);
                let (kind, text) = (prompt.kind, prompt.edit.text());
                self.overlay = Some(Overlay::Prompt(prompt));
                if changed && kind == PromptKind::Answer { self.session.keep_pending(&text) } else { Vec::new() }
            }
            Overlay::Rationale(mut edit) => {
                if leaves {
                    return Vec::new();
                }
                if key.ctrl && key.code == KeyCode::Char('e') {
                    return vec![Effect::Editor(edit.text())];
                }
                let changed = edit.key(event);
                let text = edit.text();
                self.overlay = Some(Overlay::Rationale(edit));
                if changed { self.session.change_draft(|draft| draft.rationale = text) } else { Vec::new() }
            }
        }
    }

    fn scroll_overlay(&mut self, key: KeyPress, leaves: bool, scroll: usize, again: fn(usize) -> Overlay) -> Vec<Effect> {
        let page = usize::from(self.size.1 / 2);
        let scroll = match key.code {
            KeyCode::Down | KeyCode::Char('j') => scroll + 1,
            KeyCode::Up | KeyCode::Char('k') => scroll.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => scroll + page,
            KeyCode::PageUp => scroll.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => usize::MAX / 2,
            _ if leaves => return Vec::new(),
            _ => return Vec::new(), // any other key closes it
        };
        let most = crate::tui::draw::overlay_overflow(self, &again(0));
        self.overlay = Some(again(scroll.min(most)));
        Vec::new()
    }

    fn mark_key(&mut self, mut mark: Mark, key: KeyPress) -> Vec<Effect> {
        let columns = self.context_columns();
        match mark.key(key, columns) {
            Marked::Left => return Vec::new(),
            Marked::Done(spans) => {
                let Some(question) = mark.question.clone() else {
                    return self.session.change_draft(|draft| draft.evidence = spans);
                };
                let effects = self.session.answer_to(&question, &span::text(&spans));
                if let Some(words) = self.session.message.take() {
                    // Too many or too few: what was marked stays, to be mended.
                    mark.ask = words;
                    self.overlay = Some(Overlay::Mark(mark));
                }
                return effects;
            }
            Marked::On => {}
        }
        // What is marked is kept as it is marked.
        let (question, spans) = (mark.question.clone(), mark.spans.clone());
        self.show_place(&mark.text, mark.selected().start, columns);
        self.overlay = Some(Overlay::Mark(mark));
        let draft = self.session.opened.as_ref().map(|opened| &opened.draft);
        match question {
            Some(question) => {
                let pending = (question, span::text(&spans));
                let changed = draft.is_some_and(|draft| draft.pending.as_ref() != Some(&pending));
                if changed { self.session.change_draft(|draft| draft.pending = Some(pending)) } else { Vec::new() }
            }
            None if draft.is_some_and(|draft| draft.evidence != spans) => {
                self.session.change_draft(|draft| draft.evidence = spans)
            }
            None => Vec::new(),
        }
    }

    /// Scrolls the input so that a place in it is on the screen.
    fn show_place(&mut self, text: &str, start: usize, columns: usize) {
        let height = self.context_height().max(2) as usize - 1;
        let Some((row, _)) = place_of(&rows(text, columns), start) else { return };
        let scroll = self.scroll_of_tab();
        *scroll = (*scroll).clamp((row + 1).saturating_sub(height), row);
    }

    /// Scrolls what a training says, as far as there is more; any other key goes on.
    fn feedback_key(&mut self, title: String, words: Vec<String>, scroll: usize, key: KeyPress) -> Vec<Effect> {
        let most =
            crate::tui::draw::overlay_overflow(self, &Overlay::Feedback { title: String::new(), words: words.clone(), scroll });
        let scroll = match key.code {
            KeyCode::Down | KeyCode::Char('j') if scroll < most => scroll + 1,
            KeyCode::Up | KeyCode::Char('k') if scroll > 0 => scroll - 1,
            KeyCode::PageDown | KeyCode::Char(' ') if scroll < most => most.min(scroll + 10),
            _ if self.session.training.is_none() => return Vec::new(), // it told something, and is closed
            _ => return self.session.train_on(),
        };
        self.overlay = Some(Overlay::Feedback { title, words, scroll });
        Vec::new()
    }

    fn precedents_key(&mut self, mut precedents: Precedents, key: KeyPress, leaves: bool) -> Vec<Effect> {
        match key.code {
            _ if leaves => return Vec::new(),
            KeyCode::Down | KeyCode::Char('j') => precedents.step(1),
            KeyCode::Up | KeyCode::Char('k') => precedents.step(-1),
            KeyCode::Enter | KeyCode::Char('+') => {
                let chosen = precedents.rows.get(precedents.cursor).cloned();
                return chosen.map(|precedent| self.session.cite(&precedent)).unwrap_or_default();
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Precedents(precedents));
        Vec::new()
    }

    fn arbitrate_key(&mut self, mut arbitrate: Box<Arbitrate>, event: KeyEvent, key: KeyPress) -> Vec<Effect> {
        let case = arbitrate.dispute.row.id;
        match arbitrate.key(event, key) {
            Arbitrated::On => {
                self.overlay = Some(Overlay::Arbitrate(arbitrate));
                Vec::new()
            }
            Arbitrated::Left => {
                self.session.rule_no_more();
                Vec::new()
            }
            Arbitrated::Comment(question) => {
                // In a session it is about the question that parts them, unless that is taken out.
                let of_session = question.filter(|_| self.session.sitting.is_some());
                let text = of_session.map(|question| format!("{question}: ")).unwrap_or_default();
                let prompt = Prompt { case: Some(case), ..Prompt::new(PromptKind::Comment, &text) };
                self.overlay = Some(Overlay::Prompt(prompt));
                Vec::new()
            }
            Arbitrated::Walk => self.session.walk_anew(case),
            Arbitrated::Ruled(verdict, reasons) => vec![Effect::Rule { case, verdict, reasons }],
            Arbitrated::Returned { side, text } => vec![Effect::Return { case, side, text }],
        }
    }

    fn board_key(&mut self, mut board: Board, key: KeyPress) -> Vec<Effect> {
        let effects = match board.key(key) {
            Boarded::Left => return Vec::new(),
            Boarded::Cases(title, ids) => return vec![Effect::Cases { title, ids }],
            Boarded::On => Vec::new(),
        };
        self.overlay = Some(Overlay::Board(board));
        effects
    }

    fn sessions_key(&mut self, mut sessions: Sessions, key: KeyPress, leaves: bool) -> Vec<Effect> {
        let name = sessions.current().map(|sat| sat.session.name().to_owned());
        match (key.code, name) {
            _ if leaves => return Vec::new(),
            (KeyCode::Down | KeyCode::Char('j'), _) => sessions.step(1),
            (KeyCode::Up | KeyCode::Char('k'), _) => sessions.step(-1),
            (KeyCode::Enter, Some(name)) => {
                let mut effects = self.session.settle_time();
                effects.push(Effect::Sit(Some(name)));
                return effects;
            }
            (KeyCode::Char('r'), Some(name)) => return vec![Effect::Reveal(name)],
            (KeyCode::Char('f'), Some(name)) => return vec![Effect::Findings(name)],
            _ => {}
        }
        self.overlay = Some(Overlay::Sessions(sessions));
        Vec::new()
    }

    fn overtaken_key(&mut self, overtaken: OvertakenWindow, key: KeyPress, leaves: bool) -> Vec<Effect> {
        let choice = match key.char() {
            Some('y') => Counts::Mine,
            Some('n') => Counts::Other,
            _ if leaves => Counts::Later,
            // Nothing else answers it: it may have been typed ahead.
            _ => {
                self.overlay = Some(Overlay::Overtaken(overtaken));
                return Vec::new();
            }
        };
        self.session.decided(overtaken.0, choice)
    }

    fn overruled_key(&mut self, mut overruled: Overruled, key: KeyPress, leaves: bool) -> Vec<Effect> {
        let current = overruled.current().map(|past| (past.row.id, past.row.own.clone()));
        match (key.code, current) {
            _ if leaves => return Vec::new(),
            (KeyCode::Down | KeyCode::Char('j'), _) => overruled.step(1),
            (KeyCode::Up | KeyCode::Char('k'), _) => overruled.step(-1),
            (KeyCode::Enter, Some((id, _))) => {
                self.focus = crate::tui::place::Focus::Context;
                return self.session.open(id);
            }
            (KeyCode::Char('a'), Some(_)) if overruled.has_appealed() => {
                self.overlay = Some(Overlay::Overruled(overruled));
                return self.say("You have appealed on this case: one appeal is weighed.");
            }
            (KeyCode::Char('a'), Some((id, own))) => {
                let prompt = Prompt { about: format!("{own}: "), case: Some(id), ..Prompt::new(PromptKind::Appeal, "") };
                self.overlay = Some(Overlay::Prompt(prompt));
                return Vec::new();
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Overruled(overruled));
        Vec::new()
    }

    fn people_key(&mut self, mut people: People, key: KeyPress, leaves: bool) -> Vec<Effect> {
        let who = people.current().map(|person| (person.holder.name.clone(), person.holder.replica));
        match key.code {
            _ if leaves => return Vec::new(),
            KeyCode::Down | KeyCode::Char('j') => people.step(1),
            KeyCode::Up | KeyCode::Char('k') => people.step(-1),
            KeyCode::Char('a') | KeyCode::Enter if who.is_some() => {
                let title = people.admission_title();
                let choice = |roles: &&str| Choice::new(roles, "");
                let mut pick = Pick::new(PickKind::Roles, &title, ROLES.iter().map(choice).collect());
                pick.person = who;
                self.overlay = Some(Overlay::Pick(pick));
                return Vec::new();
            }
            KeyCode::Char('x') if who.is_some() => {
                let about = who.as_ref().map(|(name, replica)| format!("{name} on {}: ", replica.short())).unwrap_or_default();
                self.overlay = Some(Overlay::Prompt(Prompt { about, person: who, ..Prompt::new(PromptKind::Retire, "") }));
                return Vec::new();
            }
            _ => {}
        }
        self.overlay = Some(Overlay::People(people));
        Vec::new()
    }

    fn picked(&mut self, pick: &Pick) -> Vec<Effect> {
        let value = pick.picked().map(|choice| choice.value.clone());
        let any_text = self.session.opened.as_ref().and_then(Opened::protocol).is_some_and(|protocol| protocol.labels.is_empty());
        match (pick.kind, value) {
            (PickKind::Action, Some(name)) => match ACTIONS.iter().find(|action| action.name == name) {
                Some(action) if self.refuses(action.name).is_some() => {
                    let words = self.refuses(action.name).unwrap_or_default();
                    self.say(words)
                }
                Some(action) => (action.run)(self, KeyPress::plain(KeyCode::Enter)),
                None => Vec::new(),
            },
            (PickKind::Label, Some(label)) => self.session.answer(&label),
            (PickKind::Answer, Some(_)) => match pick.picked().map(|choice| choice.about.clone()) {
                Some(key) => self.session.give(&key),
                None => Vec::new(),
            },
            (PickKind::Snippet, Some(id)) => self.session.use_snippet(&id),
            (PickKind::Roles, Some(roles)) => {
                let roles = roles.split(' ').filter_map(Role::parse).collect();
                let person = pick.person.clone();
                person.map(|(name, replica)| Effect::Admit { name, replica, roles }).into_iter().collect()
            }
            // A protocol without labels takes any text.
            (PickKind::Label, None) if any_text && !pick.query.trim().is_empty() => self.session.answer(pick.query.trim()),
            (_, None) => {
                self.overlay = Some(Overlay::Pick(pick.clone()));
                self.say("Nothing fits what was typed. Esc leaves.")
            }
        }
    }

    fn prompted(&mut self, prompt: &Prompt, text: &str) -> Vec<Effect> {
        let kind = prompt.kind;
        if kind == PromptKind::Filter {
            return self.session.set_filter(text);
        }
        if kind == PromptKind::Retire {
            let (why, person) = (text.to_owned(), prompt.person.clone());
            return person.map(|(name, replica)| Effect::Retire { name, replica, why }).into_iter().collect();
        }
        if kind == PromptKind::Answer {
            return self.session.answer(text);
        }
        let Some(case) = prompt.case.or(self.session.open_id()) else { return Vec::new() };
        let text = text.to_owned();
        match kind {
            PromptKind::Tags => {
                let tags: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                self.session.change_draft(|draft| draft.tags = tags)
            }
            _ if text.is_empty() => self.say("Nothing was written, so nothing was done."),
            PromptKind::Defer => vec![Effect::Defer { case, why: text }],
            PromptKind::Escalate => vec![Effect::Escalate { case, why: text }],
            PromptKind::Comment => vec![Effect::Comment { case, text }],
            PromptKind::Appeal => vec![Effect::Appeal { case, why: text }],
            PromptKind::Gold => vec![Effect::Gold { case, why: text }],
            PromptKind::Filter | PromptKind::Retire | PromptKind::Answer => Vec::new(),
        }
    }

    pub(in crate::tui) fn paste(&mut self, text: &str) -> Vec<Effect> {
        if let Some(Overlay::Arbitrate(arbitrate)) = &mut self.overlay
            && arbitrate.paste(text)
        {
            return Vec::new();
        }
        match &mut self.overlay {
            Some(Overlay::Rationale(edit)) => {
                edit.paste(text, false);
                let text = edit.text();
                self.session.change_draft(|draft| draft.rationale = text)
            }
            Some(Overlay::Prompt(Prompt { edit, kind, .. })) => {
                edit.paste(text, true);
                let (kind, text) = (*kind, edit.text());
                if kind == PromptKind::Answer { self.session.keep_pending(&text) } else { Vec::new() }
            }
            Some(Overlay::Pick(pick)) => {
                pick.type_text(text);
                Vec::new()
            }
            // A paste is never taken for keys.
            _ => self.say("Pasted text goes into a prompt or the rationale (r)."),
        }
    }
}
