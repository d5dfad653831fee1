//! A case in words.

use super::desk::{Desk, outcome_in_words, sentence, text_called};
use crate::domain::cues::Cue;
use crate::domain::modality::{Part, Shape};
use crate::domain::prediction::Scored;
use crate::domain::protocol::places::INPUT_TEXT;
use crate::domain::reading::paragraphs;
use crate::domain::time::{Moment, short_span};
use crate::review::{OpenCase, Precedent};
use crate::session::Opened;

/// A span of time in words: `3 hours`.
fn span_words(ms: i64) -> String {
    let short = short_span(ms);
    let (n, unit) =
        short.split_at(short.find(|c: char| !c.is_ascii_digit()).unwrap_or(short.len()));
    let units = [
        ("s", "second"),
        ("m", "minute"),
        ("h", "hour"),
        ("d", "day"),
        ("w", "week"),
        ("y", "year"),
    ];
    match units.iter().find(|(short, _)| *short == unit) {
        Some((_, unit)) => format!("{n} {unit}{}", if n == "1" { "" } else { "s" }),
        None => short,
    }
}

/// What the line holds: what is read as words (all, where nothing is), or the other fields.
fn lines_of(case: &OpenCase, words: bool) -> Vec<String> {
    let is_words = |part: &Part| !matches!(part.shape, Shape::Tree(_));
    let parts = case.parts(|cue| case.hidden.contains(&cue));
    let any = parts.iter().any(is_words);
    let wanted = |part: &Part| if any { is_words(part) == words } else { words };
    let parts: Vec<Part> = parts.into_iter().filter(wanted).collect();
    let lines = paragraphs(&parts, false).into_iter().map(|one| one.line().trim().to_owned());
    lines.collect()
}

/// `in 3 hours`, `2 days ago`.
fn from_now(at: Moment, now: Moment) -> String {
    let span = span_words(at.0 - now.0);
    if at < now { format!("{span} ago") } else { format!("in {span}") }
}

fn counted(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

fn model_words(case: &OpenCase) -> Option<String> {
    let prediction = case.prediction.as_ref()?;
    if case.hidden.contains(&Cue::Prediction) {
        return Some("hidden by the policy for now.".to_owned());
    }
    let p = |p: Option<String>| p.map_or(String::new(), |p| format!(", {p}"));
    let said = prediction.label.as_deref().unwrap_or("nothing");
    let rival = prediction.challenger.as_ref().map(|rival| {
        format!("; {} said {}{}", rival.called(), rival.label, p(rival.written.clone()))
    });
    Some(format!(
        "{} said {said}{}{}.",
        prediction.called(),
        p(prediction.written()),
        rival.unwrap_or_default()
    ))
}

impl Desk {
    /// The cases that the queue shows, by numbers that `open` takes.
    pub fn tell_list(&mut self, what: &str) {
        let queue = &self.session.queue;
        let total =
            if queue.filtered { queue.rows.len() } else { self.session.shown_total() as usize };
        let rows: Vec<_> = queue.rows.iter().take(self.page()).cloned().collect();
        if rows.is_empty() {
            return self.say(what, "no case.");
        }
        let now = self.session.now;
        let more = if total > rows.len() {
            format!("the first {} of ", rows.len())
        } else {
            String::new()
        };
        self.say(
            what,
            &format!(
                "{more}{}. open and a number opens one.",
                counted(total.max(rows.len()), "case", "cases")
            ),
        );
        let hides =
            self.session.protocols.policy.hide.iter().any(|hiding| hiding.cue == Cue::Flags);
        for (i, row) in rows.iter().enumerate() {
            let text: String = row.text.chars().take(120).collect();
            let cut = if text.len() < row.text.len() { "…" } else { "" };
            let due = if row.due < now { "Was due" } else { "Due" };
            let text = sentence(&format!("{text}{cut}"));
            let flags = if hides || row.flags.is_empty() {
                String::new()
            } else {
                format!(" Flagged: {}.", row.flags.join(", "))
            };
            self.line(&format!(
                "{} {}: {text}{flags} {due} {}.",
                i + 1,
                row.external_id,
                from_now(row.due, now)
            ));
        }
        self.listed = rows;
    }

    /// Tells the open case, and what there is beside it.
    pub fn tell_case(&mut self) {
        let now = self.session.now;
        let Some(case) = self.shown() else {
            let left = self.session.shown_total();
            return match left {
                0 => self.line("Your queue is empty."),
                _ => self.line("No case is open. queue tells yours, open and a number opens one."),
            };
        };
        self.note_told(&[]);
        let row = &case.row;
        let flags = if row.flags.is_empty() {
            String::new()
        } else {
            format!(" Flagged: {}.", row.flags.join(", "))
        };
        let due = if row.due < now { "Was due" } else { "Due" };
        let session = case
            .session
            .as_ref()
            .map(|session| format!(" Calibration session {}.", session.name()))
            .unwrap_or_default();
        self.say(
            "Case",
            &format!(
                "{}, stream {}, {}.{session}{flags} {due} {}.",
                row.external_id,
                row.stream,
                row.state.as_str(),
                from_now(row.due, now)
            ),
        );
        if let Some(trouble) = &case.trouble {
            self.say("Warning", &format!("{trouble}."));
        }
        self.tell_input(&case);
        let long = self.session.opened.as_ref().map(Opened::long_texts).unwrap_or_default();
        for name in long {
            let words = format!("{name} goes on: read-on tells the rest, page after page.");
            self.say("Text", &words);
        }
        if let Some(words) = model_words(&case) {
            self.say("Model", &words);
        }
        for fact in &case.facts {
            self.say("Warning", &format!("{fact}."));
        }
        for said in &case.said {
            self.say("Warning", &format!("{said}."));
        }
        if let Some(words) = case.copies_words() {
            self.say("Copies", &format!("{words}."));
        }
        let begun = self.session.opened.as_ref().filter(|opened| opened.case.mine.is_none());
        if begun.is_some_and(|opened| !opened.draft.is_empty()) {
            let reasons = self.session.opened.as_ref().map(|opened| opened.draft.rationale.clone());
            let reasons = reasons.filter(|words| !words.trim().is_empty());
            let reasons = reasons.map(|words| {
                format!(" Your reasons so far: {}", sentence(&words.replace('\n', " ")))
            });
            self.say("Draft", &format!("kept.{}", reasons.unwrap_or_default()));
        }
        for question in &case.asked {
            self.say("Asked", &format!("about your label: {question}"));
        }
        let logs = counted(case.own_logs(), "log line of its trace", "log lines of its trace");
        let near = counted(case.neighbours.len(), "nearby prediction", "nearby predictions");
        let hidden: Vec<&str> = case
            .hidden
            .iter()
            .filter(|cue| **cue != Cue::Prediction)
            .map(|cue| cue.as_str())
            .collect();
        let hidden = if hidden.is_empty() {
            String::new()
        } else {
            format!(" Hidden by the policy for now: {}.", hidden.join(", "))
        };
        self.say("Beside it", &format!("logs: {logs}. near: {near}.{hidden}"));
    }

    fn tell_input(&mut self, case: &OpenCase) {
        match &case.prediction {
            Some(_) => self.long("Input", lines_of(case, true)),
            None => self.say("Input", "not here."),
        }
    }

    /// Tells a part of the open case, which shows these cues.
    fn with_shown(&mut self, cues: &[Cue], tell: impl FnOnce(&mut Self, &OpenCase)) {
        let Some(case) = self.shown() else { return self.line("No case is open.") };
        self.note_told(cues);
        tell(self, &case);
    }

    pub fn input(&mut self) {
        self.with_shown(&[], Self::tell_input);
    }

    /// The words of the input, or of the text that is named, by number: for answers that name places.
    pub fn words(&mut self, name: &str) {
        let texts = self.texts();
        self.with_shown(&[], |desk, _| match text_called(name.trim(), &texts) {
            Err(why) => desk.say("Error", &why),
            Ok((name, text)) => {
                let words = text.split_whitespace().enumerate();
                let words = words.map(|(i, word)| format!("{} {word}", i + 1)).collect();
                let title = if name == INPUT_TEXT { "Words" } else { &format!("Words of {name}") };
                desk.long(title, words);
            }
        });
    }

    pub fn logs(&mut self) {
        self.with_shown(&[Cue::Logs], |desk, case| {
            let some = case.own_logs() > 0;
            let line = |log: &crate::review::open::ReadLog| {
                let level = log
                    .line
                    .level
                    .map_or(String::new(), |level| format!("{}: ", level.as_str().trim()));
                let at = log.line.at.map_or(String::new(), |at| format!(" At {}.", at.rfc3339()));
                format!("{level}{}{at}", sentence(&log.line.message))
            };
            desk.long("Logs", case.logs.iter().filter(|log| log.own || !some).map(line).collect());
        });
    }

    pub fn near(&mut self) {
        self.with_shown(&[Cue::Neighbours], |desk, case| {
            let line = |near: &crate::domain::payload::Neighbour| {
                let delta = near.at.0 - case.row.occurred_at.0;
                let when = if delta < 0 { "before" } else { "after" };
                let same = if near.session { ", same session" } else { "" };
                format!("{}: {}{same}, {} {when}.", near.label, near.text, span_words(delta))
            };
            desk.long("Near", case.neighbours.iter().map(line).collect());
        });
    }

    pub fn model(&mut self) {
        self.with_shown(&[Cue::Challenger, Cue::Features], |desk, case| {
            let mut lines: Vec<String> = model_words(case).into_iter().collect();
            let Some(prediction) = &case.prediction else { return desk.long("Model", lines) };
            let said = |said: &Scored| format!("{}, {}", said.name, said.written);
            lines.extend(prediction.top_k.iter().map(said));
            let features = prediction.features.iter();
            lines.extend(features.map(|feature| format!("Feature {}", said(feature))));
            lines.extend(lines_of(case, false));
            desk.long("Model", lines);
        });
    }

    pub fn history(&mut self) {
        self.with_shown(&[Cue::History], |desk, case| {
            let lines = case
                .history
                .iter()
                .map(|line| format!("{}, by {}, {}", line.words, line.who, line.at.minute()));
            desk.long("History", lines.collect());
        });
    }

    /// Resolved cases like it, with what they came to and why, by numbers that `cite` takes.
    pub fn alike(&mut self, found: &[Precedent]) {
        let line = |(i, one): (usize, &Precedent)| {
            let why = if one.rationale.is_empty() {
                String::new()
            } else {
                format!(" Because: {}", sentence(&one.rationale))
            };
            let same = if one.same_label { " The model said the same." } else { "" };
            let percent = one.likeness * 100.0;
            format!(
                "{} {} {}.{why}{same} {percent:.0} percent alike.",
                i + 1,
                sentence(&one.text),
                outcome_in_words(&one.outcome)
            )
        };
        self.long("Alike", found.iter().enumerate().map(line).collect());
    }

    /// The terms that the question uses, and its examples.
    pub fn terms(&mut self) {
        let question = self.session.opened.as_ref().and_then(|opened| opened.question());
        let mut lines = Vec::new();
        for example in question.map(|question| question.examples.as_slice()).unwrap_or_default() {
            let not = example.not.as_ref().map(|not| format!(", not {not}")).unwrap_or_default();
            let what = if example.not.is_some() { "Counter-example" } else { "Example" };
            lines.push(format!(
                "{what}: {} Answer {}{not}: {}",
                sentence(&example.input),
                example.answer,
                sentence(&example.why)
            ));
        }
        let wanted = question.map(|question| question.terms.as_slice()).unwrap_or_default();
        let glossary = &self.session.protocols.glossary;
        let others = glossary.terms.iter().filter(|term| !wanted.contains(&term.id));
        for term in wanted.iter().filter_map(|id| glossary.term(id)).chain(others) {
            lines.push(format!("{}: {}", term.name, sentence(&term.definition)));
            lines.extend(
                self.session
                    .protocols
                    .term_details(term)
                    .into_iter()
                    .map(|(word, text)| format!("{word} {}", sentence(&text))),
            );
        }
        self.long("Terms", lines);
    }
}
