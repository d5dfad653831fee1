//! Questions in words, and what is typed in answer to them.

use super::desk::{Desk, LinearError, PAGE, outcome_in_words, sentence};
use crate::domain::cues::Cue;
use crate::domain::protocol::typed::{self, Written};
use crate::domain::protocol::walk::answer_text;
use crate::domain::protocol::{Answer, Question, QuestionKind, Span, span};
use crate::domain::require::Wanted;
use crate::review::{Asked, Missing};

/// Labels that are offered when a few letters could mean several.
const MATCHES: usize = 9;

/// Where words of a text stand, counted in characters from 0, ends excluded.
fn places_of_words(text: &str) -> Vec<Span> {
    let mut places = Vec::new();
    let mut start = None;
    for (i, c) in text.chars().chain([' ']).enumerate() {
        match (start, c.is_whitespace()) {
            (None, false) => start = Some(i),
            (Some(from), true) => {
                places.push(Span { start: from, end: i });
                start = None;
            }
            _ => {}
        }
    }
    places
}

/// `words 4-6,9` as places in characters; other text as it is.
fn spans_of(typed: &str, text: &str) -> Option<String> {
    let Some(numbers) = typed.trim().strip_prefix("words ") else { return Some(typed.trim().to_owned()) };
    let places = places_of_words(text);
    let mut spans = Vec::new();
    for part in numbers.split([',', ' ']).filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let nth = |n: &str| places.get(n.trim().parse::<usize>().ok()?.checked_sub(1)?);
        let (from, to) = (nth(from)?, nth(to)?);
        if from.start >= to.end {
            return None;
        }
        spans.push(Span { start: from.start, end: to.end });
    }
    Some(span::text(&spans))
}

/// What stands at some places.
fn words_of(places: &[Span], text: &str) -> String {
    let at = |span: &Span| text.chars().skip(span.start).take(span.end.saturating_sub(span.start)).collect::<String>();
    places.iter().map(at).collect::<Vec<_>>().join("; ")
}

/// The one answer whose words begin like this.
fn beginning<'a>(answers: &'a [Answer], typed: &str) -> Option<&'a str> {
    let typed = typed.trim().to_lowercase();
    let mut fits = answers.iter().filter(|answer| !typed.is_empty() && answer.text.to_lowercase().starts_with(&typed));
    let one = fits.next()?;
    fits.next().is_none().then_some(&one.key)
}

impl Desk<'_> {
    /// Asks what is asked next, or says what the answers come to.
    pub fn ask(&mut self) -> Result<(), LinearError> {
        self.choices.clear();
        let Some(open) = &self.open else { return Ok(()) };
        let Some(protocol) = open.protocol() else {
            let words = format!("no protocol is published for stream {}: a lead publishes one.", open.case.row.stream);
            return Ok(self.say("Warning", &words)?);
        };
        let Some(question) = open.question() else { return self.tell_label() };
        let n = open.draft.path(protocol).len() + 1;
        let (ask, question) = (question.ask.clone(), question.clone());
        let offered = open.case.offered(Some(protocol), |cue| open.hides(cue));
        let begun = open.draft.begun(&question.id).map(|begun| answer_text(&question, begun));
        self.say("Question", &format!("{n}. {ask}"))?;
        match &question.kind {
            QuestionKind::Choice(answers) | QuestionKind::Multi { answers, .. } => {
                // Where keys are numbers, these are what is typed.
                let numbered = answers.iter().any(|answer| answer.key.bytes().all(|byte| byte.is_ascii_digit()));
                for (i, answer) in answers.iter().enumerate() {
                    let number = if numbered { answer.key.clone() } else { (i + 1).to_string() };
                    self.line(&format!("{number} {}", answer.text))?;
                }
                if matches!(question.kind, QuestionKind::Multi { .. }) {
                    self.hint("Several are typed with blanks between them; none for none.")?;
                }
            }
            QuestionKind::Label { .. } => {
                self.offer(offered.iter().map(|(label, p)| (label.clone(), format!("{label}, {p:.3}"))).collect())?;
                self.hint("Or type a label, or the first letters of one.")?;
            }
            QuestionKind::Span { least, .. } => {
                let none = if *least == 0 { ", or none" } else { "" };
                self.line(&format!("Takes {}, as words 4-6{none}. words tells them by number.", question.wanted()))?;
            }
            QuestionKind::Scale { least, most, low, high, .. } => {
                let ends: Vec<String> = [(least, low), (most, high)]
                    .iter()
                    .filter(|(_, word)| !word.is_empty())
                    .map(|(n, word)| format!("{n} is {word}"))
                    .collect();
                let ends = if ends.is_empty() { String::new() } else { format!(": {}", ends.join(", ")) };
                self.line(&format!("Takes {}{ends}.", question.wanted()))?;
            }
            _ => self.line(&format!("Takes {}.", question.wanted()))?,
        }
        if let Some(begun) = begun.filter(|begun| !begun.is_empty()) {
            self.line(&format!("Begun before: {begun}."))?;
        }
        Ok(())
    }

    fn offer(&mut self, labels: Vec<(String, String)>) -> Result<(), LinearError> {
        for (i, (_, words)) in labels.iter().enumerate() {
            self.line(&format!("{} {words}", i + 1))?;
        }
        self.choices = labels.into_iter().map(|(label, _)| label).collect();
        Ok(())
    }

    /// What the answers come to, and what is still wanted.
    fn tell_label(&mut self) -> Result<(), LinearError> {
        let Some(open) = &self.open else { return Ok(()) };
        let Some(published) = &open.published else { return Ok(()) };
        let hidden = open.hides(Cue::Prediction);
        let outcome =
            open.draft.outcome_shown(&published.protocol, open.case.row.predicted.as_deref(), hidden).unwrap_or_default();
        let again = open.submitted.as_ref() == Some(&open.draft);
        let missing = open.draft.missing(&Asked::of(&open.case, published, &self.protocols.policy, &self.workspace.me));
        let before = open.case.mine.as_ref().filter(|_| !again);
        let before = before.map(|given| (outcome_in_words(&given.label.outcome), given.given_at().minute()));
        self.say("Label", &format!("{}{}.", outcome_in_words(&outcome), if again { ", as you submitted it" } else { "" }))?;
        if let Some((said, at)) = before {
            self.say("Before", &format!("you submitted {said}, at {at}. Submitting takes its place."))?;
        }
        match missing {
            None => Ok(self.hint("Enter submits. back takes the last answer back.")?),
            Some(missing) => self.tell_missing(&missing),
        }
    }

    /// Says what is still wanted, and what to type.
    pub fn tell_missing(&mut self, missing: &Missing) -> Result<(), LinearError> {
        let words = match missing {
            Missing::Check { text, .. } => format!("not ticked yet: {} check ticks it.", sentence(text)),
            Missing::Wanted { wanted: Wanted::Rationale, why } => format!("your reasons: {why}. why and the words writes them."),
            Missing::Wanted { wanted: Wanted::Confidence, why } => {
                format!("how sure you are, sure 1 for a guess to sure 5 for certain: {why}.")
            }
            Missing::Wanted { wanted: Wanted::Span, why } => {
                format!("what in the input bears it out, as evidence words 4-6 (words tells them by number): {why}.")
            }
            missing => format!("{missing}."),
        };
        Ok(self.say("Wanted", &words)?)
    }

    /// Takes a line as the answer to what is asked; says whether it was one.
    pub fn answer(&mut self, line: &str) -> Result<bool, LinearError> {
        let Some(open) = &self.open else { return Ok(false) };
        let (Some(protocol), Some(question)) = (open.protocol(), open.question()) else { return Ok(false) };
        let (protocol, question) = (protocol.clone(), question.clone());
        let text = open.case.prediction.as_ref().map(|prediction| prediction.text()).unwrap_or_default();
        let typed = line.trim();
        let none = typed.eq_ignore_ascii_case("none");
        let written = match &question.kind {
            QuestionKind::Choice(answers) => beginning(answers, typed).unwrap_or(typed).to_owned(),
            QuestionKind::Multi { .. } if none => String::new(),
            QuestionKind::Multi { .. } if !typed.contains(',') => typed.split_whitespace().collect::<Vec<_>>().join(","),
            QuestionKind::Label { .. } => match typed.parse::<usize>().ok().and_then(|n| self.choices.get(n.checked_sub(1)?)) {
                Some(label) => label.clone(),
                None if protocol.has_label(typed) => typed.to_owned(),
                None => return self.narrow(&question, typed),
            },
            QuestionKind::Span { .. } if none => String::new(),
            QuestionKind::Span { .. } => match spans_of(typed, &text) {
                Some(spans) => spans,
                None => typed.to_owned(),
            },
            QuestionKind::Text { .. } if none => String::new(),
            _ => typed.to_owned(),
        };
        // What is typed as it stands comes before what it begins like.
        let taken =
            typed::take(&protocol, &question, typed, Written::Now).filter(|_| matches!(question.kind, QuestionKind::Choice(_)));
        let Some(taken) = taken.or_else(|| typed::take(&protocol, &question, &written, Written::Now)) else { return Ok(false) };
        let words = answer_text(&question, &taken.recorded);
        self.change_draft(|draft| draft.answer(&question.id, &taken.recorded))?;
        // Places by their words: nobody hears where a character is.
        let places = span::parse(&taken.recorded).filter(|_| matches!(question.kind, QuestionKind::Span { .. }));
        let words = places.map_or(words, |places| words_of(&places, &text));
        let words = if words.is_empty() { "none".to_owned() } else { words };
        self.say("Said", &format!("{}.", words.trim_end_matches('.')))?;
        self.ask()?;
        Ok(true)
    }

    /// Offers the labels that a few letters could mean; takes the only one.
    fn narrow(&mut self, question: &Question, typed: &str) -> Result<bool, LinearError> {
        let Some(protocol) = self.open.as_ref().and_then(|open| open.protocol()) else { return Ok(false) };
        let lower = typed.to_lowercase();
        let hit = |text: &str| text.to_lowercase().contains(&lower);
        let fits: Vec<(String, String)> = protocol
            .labels
            .iter()
            .filter(|label| hit(&label.name) || hit(&label.title))
            .map(|label| (label.name.clone(), if label.title.is_empty() { label.name.clone() } else { label.title.clone() }))
            .collect();
        match fits.as_slice() {
            [] => Ok(false),
            [(label, _)] => {
                let (id, label) = (question.id.clone(), label.clone());
                self.change_draft(|draft| draft.answer(&id, &label))?;
                self.say("Said", &format!("{label}."))?;
                self.ask()?;
                Ok(true)
            }
            many => {
                let n = many.len();
                self.offer(fits.into_iter().take(MATCHES).collect())?;
                let left = n.saturating_sub(MATCHES);
                let more = if left > 0 { format!(" {left} more: type more letters.") } else { String::new() };
                self.line(&format!("{n} labels fit: type a number.{more}"))?;
                Ok(true)
            }
        }
    }

    pub fn back(&mut self) -> Result<(), LinearError> {
        let Some(open) = &self.open else { return Ok(self.line("No case is open.")?) };
        let Some(protocol) = open.protocol().cloned() else { return self.ask() };
        let path = open.draft.path(&protocol);
        let Some((id, answer)) = path.last() else {
            return Ok(self.line("Nothing is answered yet. undo takes back the label you submitted last.")?);
        };
        let words = protocol.question(id).map_or_else(|| answer.clone(), |question| answer_text(question, answer));
        self.change_draft(|draft| draft.take_back(&protocol, path.len() - 1))?;
        self.say("Taken back", &format!("{words}."))?;
        self.ask()
    }

    /// Writes the reasons.
    pub fn why(&mut self, words: &str) -> Result<(), LinearError> {
        self.change_draft(|draft| draft.rationale = words.trim_end().to_owned())?;
        match words.trim() {
            "" => self.say("Reasons", "none.")?,
            words => self.long("Reasons", words.lines().map(str::to_owned).collect())?,
        }
        self.ask()
    }

    pub fn sure(&mut self, words: &str) -> Result<(), LinearError> {
        match words.trim().parse::<u8>().ok().filter(|n| (1..=5).contains(n)) {
            Some(n) => {
                self.change_draft(|draft| draft.confidence = Some(n))?;
                self.say("Confidence", &format!("{n} of 5."))?;
                self.ask()
            }
            None => Ok(self.say("Error", "sure takes a number, 1 for a guess to 5 for certain.")?),
        }
    }

    /// Ticks the next item of the checklist, or the one that is named by its number; all again is `check none`.
    pub fn check(&mut self, words: &str) -> Result<(), LinearError> {
        let Some(open) = &self.open else { return Ok(self.line("No case is open.")?) };
        let items = open.protocol().map(|protocol| protocol.checklist.clone()).unwrap_or_default();
        let checked = open.draft.checked.clone();
        if items.is_empty() {
            return Ok(self.line("This protocol has no checklist.")?);
        }
        let named = words.trim();
        let next = items.iter().find(|item| !checked.contains(&item.id));
        let item = match named {
            "" => next,
            "none" => None,
            n => match n.parse::<usize>().ok().and_then(|n| items.get(n.checked_sub(1)?)) {
                Some(item) => Some(item),
                None => return Ok(self.say("Error", &format!("the checklist has {} items: check and a number.", items.len()))?),
            },
        };
        match item {
            Some(item) => self.change_draft(|draft| draft.toggle_check(&item.id))?,
            None => self.change_draft(|draft| draft.checked.clear())?,
        }
        let checked = self.open.as_ref().map(|open| open.draft.checked.clone()).unwrap_or_default();
        for (i, item) in items.iter().enumerate().take(PAGE) {
            let state = if checked.contains(&item.id) { "Ticked" } else { "Not ticked" };
            self.line(&format!("{} {} {state}.", i + 1, sentence(&item.text)))?;
        }
        self.ask()
    }

    /// Marks what in the input bears the label out.
    pub fn evidence(&mut self, words: &str) -> Result<(), LinearError> {
        let Some(open) = &self.open else { return Ok(self.line("No case is open.")?) };
        let text = open.case.prediction.as_ref().map(|prediction| prediction.text()).unwrap_or_default();
        let spans =
            if words.trim() == "none" { Some(Vec::new()) } else { spans_of(words, &text).and_then(|spans| span::parse(&spans)) };
        let Some(spans) = spans else {
            return Ok(self.say("Error", "evidence takes places in the input: words 4-6 (words tells them by number), or none.")?);
        };
        let marked = words_of(&spans, &text);
        self.change_draft(|draft| draft.evidence = spans)?;
        self.say("Evidence", &if marked.is_empty() { "none.".to_owned() } else { sentence(&marked) })?;
        self.ask()
    }

    /// Refers to a case of those like it in the reasons, or no longer.
    pub fn cite(&mut self, words: &str) -> Result<(), LinearError> {
        let Some(one) = words.trim().parse::<usize>().ok().and_then(|n| self.alike.get(n.checked_sub(1)?)).cloned() else {
            return Ok(self.say("Error", "cite takes a number of the cases that alike tells.")?);
        };
        let mut cited = false;
        self.change_draft(|draft| cited = draft.cite(&one))?;
        let words = if cited { "is cited in your reasons" } else { "is no longer cited" };
        self.say("Cited", &format!("{} {words}.", one.case.short()))?;
        self.ask()
    }

    pub fn tags(&mut self, words: &str) -> Result<(), LinearError> {
        let tags: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        self.say("Tags", &if tags.is_empty() { "none.".to_owned() } else { tags.join(", ") })?;
        self.change_draft(|draft| draft.tags = tags)?;
        self.ask()
    }
}
