//! What a session shows besides the case, told in lines.

use super::desk::{Desk, outcome_in_words, sentence};
use crate::domain::arbitration::Cause;
use crate::domain::text::visible_lines;
use crate::domain::time::short_span;
use crate::review::arbitration::{Dispute, PastRuling, Side};
use crate::review::board::pages::Page;
use crate::session::window::{CalibrationProgress, Overtaken};
use crate::session::{Effect, Window};
use crate::workspace::Person;
use crate::workspace::attached::Shown;

/// Words of the board without what only draws.
fn spoken(words: &str) -> String {
    words.chars().filter(|c| !('\u{2580}'..='\u{259f}').contains(c)).collect()
}

impl Desk {
    /// Tells a window; what follows from having told it.
    pub fn show(&mut self, window: Window) -> Vec<Effect> {
        match window {
            // These are written and marked by lines: what is wanted was said.
            Window::Closed
            | Window::Rationale(_)
            | Window::Mark(_)
            | Window::Counting { .. }
            | Window::Reading
            | Window::Board => {}
            Window::LookedAt(looked) => {
                self.say("Attachment", &format!("{}.", looked.name));
                looked.facts.iter().for_each(|facts| self.line(&sentence(facts)));
                looked.wrong.iter().for_each(|wrong| self.say("Warning", &sentence(wrong)));
                if let Shown::Source(text) = &looked.shown {
                    self.go_on(text.lines().map(str::to_owned).collect(), self.page());
                }
            }
            Window::Page(None) => {}
            Window::Page(Some(page)) => {
                let more = match page.number + 1 < page.pages {
                    true => "read-on tells the next page",
                    false => "it is the last",
                };
                let of = format!("{}, page {} of {}", page.name, page.number + 1, page.pages);
                self.say("Text", &format!("{of}, from line {}: {more}.", page.line));
                let lines = visible_lines(page.text.strip_suffix('\n').unwrap_or(&page.text));
                self.go_on(lines, self.page());
            }
            Window::Precedents(found) => self.alike(&found),
            Window::Feedback { title, words, .. } => {
                self.say("Feedback", &sentence(&title));
                words.iter().for_each(|words| self.line(words));
                return self.session.train_on();
            }
            Window::Words { title, words } => {
                self.say("Told", &sentence(&title));
                self.go_on(words, self.page());
            }
            Window::Tree => self.tell_tree(),
            Window::Terms => self.terms(),
            Window::Exchange => self.tell_exchange(),
            Window::Dispute { dispute, .. } => self.tell_dispute(&dispute),
            Window::Overruled(rows) => self.tell_overruled(rows),
            Window::Overtaken(overtaken) => self.tell_overtaken(overtaken),
            Window::Calibrations(rows) => self.tell_calibrations(&rows),
            Window::People(rows) => self.tell_people(&rows),
        }
        Vec::new()
    }

    fn tell_tree(&mut self) {
        let opened = self.session.opened.as_ref();
        let Some((opened, protocol)) = opened.and_then(|opened| Some((opened, opened.protocol()?)))
        else {
            return;
        };
        let path = opened.draft.path(protocol);
        let line = |line: crate::domain::protocol::render::TreeLine| {
            let id = &protocol.questions[line.question].id;
            let given =
                path.iter().find(|(question, _)| question == id).map(|(_, answer)| answer.as_str());
            let taken = line.answer.as_deref().is_some_and(|key| {
                given.is_some_and(|given| given.split(',').any(|part| part == key))
            });
            let what = if line.answer.is_some() { "Answer" } else { "Question" };
            format!(
                "{what} {}{}",
                sentence(&line.words.replace('→', "leads to").replace('■', "ends with")),
                if taken { " Given." } else { "" }
            )
        };
        let lines = protocol.tree().into_iter().map(line).collect();
        self.long("Protocol", lines);
    }

    fn tell_exchange(&mut self) {
        let Some(state) = &self.session.sync else {
            return self
                .say("Exchange", "this workspace has no shared store, or the configuration says that it is not exchanged with.");
        };
        let last =
            state.status.last.map_or("not yet".to_owned(), |at| format!("at {}", at.minute()));
        let mut lines = vec![format!(
            "with {}. Last: {last}. {} wait here.",
            state.status.store, state.status.unpushed
        )];
        lines.extend(
            state.status.trouble.iter().map(|trouble| format!("Trouble: {}", sentence(trouble))),
        );
        lines.extend(state.notices.iter().cloned());
        lines.push(match state.quarantined.len() {
            0 => "Nothing was kept out.".to_owned(),
            n => format!("{n} kept out; the rest counts."),
        });
        lines.extend(
            state
                .quarantined
                .iter()
                .map(|fault| format!("Entry {}: {}", fault.seq, sentence(&fault.fault))),
        );
        self.long("Exchange", lines);
    }

    /// Labels side by side: with names there is nothing to rule.
    fn tell_dispute(&mut self, dispute: &Dispute) {
        self.disputed = Some(dispute.row.id).filter(|_| !dispute.named);
        let mut lines = vec![format!(
            "{} of {}{}.",
            dispute.sides.len(),
            dispute.row.external_id,
            dispute
                .question()
                .map(|question| format!(", which diverge at {question}"))
                .unwrap_or_default()
        )];
        let side = |side: &Side| {
            let label = &side.given.label;
            let who = if dispute.named {
                format!(" by {}", label.reviewer)
            } else if side.own {
                ", yours".to_owned()
            } else {
                String::new()
            };
            let way: Vec<String> =
                side.path.iter().map(|(question, answer)| format!("{question} {answer}")).collect();
            let sure =
                label.confidence.map(|sure| format!(" Sure {sure} of 5.")).unwrap_or_default();
            let why = if label.rationale.is_empty() {
                String::new()
            } else {
                format!(" Because: {}", sentence(&label.rationale))
            };
            format!(
                "{}{who}: {}. By {}.{sure}{why}",
                side.name,
                outcome_in_words(&side.outcome),
                way.join(", ")
            )
        };
        lines.extend(dispute.sides.iter().map(side));
        lines.extend(dispute.escalated.iter().map(|why| format!("Escalated: {}", sentence(why))));
        if let Some((ruling, appeals)) = &dispute.ruled {
            lines.push(format!(
                "Ruled: {}, {}: {}",
                outcome_in_words(&ruling.outcome),
                ruling.cause.as_str(),
                sentence(&ruling.rationale)
            ));
            lines.extend(appeals.iter().map(|why| format!("Appealed: {}", sentence(why))));
            lines.extend(dispute.rivals_in_words().map(|words| sentence(&words)));
        }
        self.long("Labels", lines);
        if !dispute.named {
            let causes = Cause::ALL.map(Cause::as_str).join(", ");
            self.hint(&format!("rule, a letter, a cause and why rules: rule A guideline_gap it is not said. Causes: {causes}."));
        }
    }

    fn tell_overruled(&mut self, rows: Vec<PastRuling>) {
        let me = &self.session.me;
        let line = |(i, past): (usize, &PastRuling)| {
            let mine = past.overruled.iter().find(|given| given.label.reviewer == *me);
            let mine = mine.map(|given| outcome_in_words(&given.label.outcome)).unwrap_or_default();
            let ruled = outcome_in_words(&past.outcome);
            let why = sentence(&past.ruling.rationale);
            format!(
                "{} {}: {} You said {mine}; ruled {ruled}. {}: {why}",
                i + 1,
                past.row.external_id,
                sentence(&past.row.text),
                past.ruling.cause.as_str()
            )
        };
        let lines = rows.iter().enumerate().map(line).collect();
        self.overruled = rows;
        self.long("Overruled", lines);
        self.hint("appeal and a number and what the ruling did not weigh appeals.");
    }

    fn tell_overtaken(&mut self, overtaken: Overtaken) {
        self.submitting = None;
        let other = &overtaken.other;
        let words = format!(
            "you labeled {} meanwhile, in another window: at {} you said {}; here you say {}. Your answers are kept as a draft.",
            overtaken.label.case.short(),
            other.given_at().minute(),
            outcome_in_words(&other.label.outcome),
            outcome_in_words(&overtaken.label.outcome)
        );
        self.say("Error", &words);
        self.line("submit puts these answers in its place; next leaves them.");
        // It is told again, with what was said before.
        self.tell.case = true;
    }

    fn tell_calibrations(&mut self, rows: &[CalibrationProgress]) {
        let now = self.session.now;
        let line = |(i, one): (usize, &CalibrationProgress)| {
            let what = &one.session.opened.what;
            let wait = one.session.deadline().0 - now.0;
            let left = if wait > 0 {
                format!("{} left", short_span(wait))
            } else {
                "time is over".to_owned()
            };
            let of = what.cases.len();
            let done = one.progress.iter().map(|who| {
                format!("{} {} of {of}", who.reviewer, one.done(&who.reviewer).unwrap_or(0))
            });
            format!(
                "{} {}, {}, {left}: {}.",
                i + 1,
                what.session,
                one.session.stage().as_str(),
                done.collect::<Vec<_>>().join(", ")
            )
        };
        let lines = rows.iter().enumerate().map(line).collect();
        self.calibrations = rows.iter().map(|one| one.session.name().to_owned()).collect();
        self.long("Sessions", lines);
        self.hint("join and a number joins one; leave leaves it.");
    }

    fn tell_people(&mut self, rows: &[Person]) {
        let line = |person: &Person| {
            let holder = &person.holder;
            let state = match holder.retired_after {
                Some(after) => format!("retired after entry {after}"),
                None if holder.waits() => "asks to join".to_owned(),
                None => {
                    holder.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
                }
            };
            let here = if holder.here { ", this device" } else { "" };
            format!(
                "{}, {state}{here}. Device {}, key {}.",
                holder.name,
                holder.replica.short(),
                holder.fingerprint()
            )
        };
        let lines = rows.iter().map(line).collect();
        self.long("People", lines);
        self.hint("A lead lets people in with casework roster admit.");
    }

    /// The pages of the board, one after another.
    pub fn tell_board(&mut self) {
        let Some(pages) = self.session.board.clone() else { return };
        let mut lines = Vec::new();
        for page in Page::ALL {
            lines.push(format!("Page {}: {}", page.as_str(), sentence(pages.head(page).trim())));
            for row in pages.rows(page) {
                let words: String = row.words.iter().map(|words| words.text.as_str()).collect();
                lines.push(sentence(spoken(&words).trim()));
                lines.extend(row.left_out());
            }
        }
        self.long("Board", lines);
    }
}
