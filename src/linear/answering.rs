//! Questions in words, and what is typed in answer to them.

use super::command;
use super::desk::{Desk, outcome_in_words, sentence, text_called};
use crate::domain::cues::Cue;
use crate::domain::protocol::typed::{self, Written};
use crate::domain::protocol::walk::answer_text;
use crate::domain::protocol::{Answer, Places, Question, QuestionKind, Span};
use crate::domain::require::Wanted;
use crate::review::Missing;
use crate::session::{Effect, Opened};

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

/// `words 4-6,9`, or `output words 4-6`, as places in characters; other words as they are.
fn places_of(typed: &str, texts: &[(String, String)]) -> Result<String, String> {
    let typed = typed.trim();
    let (name, numbers) = match typed.split_once("words ") {
        Some((name, numbers)) if name.is_empty() || name.ends_with(' ') => (name.trim(), numbers),
        _ => return Ok(typed.to_owned()),
    };
    let (name, text) = text_called(name, texts)?;
    let places = places_of_words(text);
    let mut spans = Vec::new();
    for part in numbers.split([',', ' ']).filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let nth = |n: &str| places.get(n.trim().parse::<usize>().ok()?.checked_sub(1)?);
        match (nth(from), nth(to)) {
            (Some(from), Some(to)) if from.start < to.end => {
                spans.push(Span { start: from.start, end: to.end });
            }
            _ => return Err(format!("{part} are no words of {name}: it has {}.", places.len())),
        }
    }
    Ok(Places::of(name, spans).words())
}

/// What stands at some places.
fn words_of(places: &Places, texts: &[(String, String)]) -> String {
    let at = |(name, spans): (&str, &[Span])| {
        let text = text_called(name, texts).map_or("", |(_, text)| text);
        let of = |span: &Span| {
            text.chars().skip(span.start).take(span.end.saturating_sub(span.start)).collect()
        };
        spans.iter().map(of).collect::<Vec<String>>()
    };
    places.texts().flat_map(at).collect::<Vec<_>>().join("; ")
}

/// The one answer whose words begin like this.
fn beginning<'a>(answers: &'a [Answer], typed: &str) -> Option<&'a str> {
    let typed = typed.trim().to_lowercase();
    let mut fits = answers
        .iter()
        .filter(|answer| !typed.is_empty() && answer.text.to_lowercase().starts_with(&typed));
    let one = fits.next()?;
    fits.next().is_none().then_some(&one.key)
}

impl Desk {
    /// Asks what is asked next, or says what the answers come to.
    pub fn ask(&mut self) {
        self.choices.clear();
        let Some(opened) = &self.session.opened else { return };
        let Some(protocol) = opened.protocol() else {
            let words = format!(
                "no protocol is published for stream {}: a lead publishes one.",
                opened.case.row.stream
            );
            return self.say("Warning", &words);
        };
        let n = opened.draft.path(protocol).len() + 1;
        let suggested = if n == 2 { opened.suggestions() } else { Vec::new() };
        let question = opened.question().cloned();
        suggested.iter().for_each(|words| self.say("Suggestion", &format!("{words}.")));
        let Some(question) = question else { return self.tell_label() };
        let Some(opened) = &self.session.opened else { return };
        let offered = opened.offered();
        let begun = opened.draft.begun(&question.id).map(|begun| answer_text(&question, begun));
        self.say("Question", &format!("{n}. {}", question.ask));
        match &question.kind {
            QuestionKind::Choice(answers) | QuestionKind::Multi { answers, .. } => {
                // Where keys are numbers, these are what is typed.
                let numbered = answers
                    .iter()
                    .any(|answer| answer.key.bytes().all(|byte| byte.is_ascii_digit()));
                for (i, answer) in answers.iter().enumerate() {
                    let number = if numbered { answer.key.clone() } else { (i + 1).to_string() };
                    self.line(&format!("{number} {}", answer.text));
                }
                if matches!(question.kind, QuestionKind::Multi { .. }) {
                    self.hint("Several are typed with blanks between them; none for none.");
                }
            }
            QuestionKind::Label { .. } => {
                self.offer(
                    offered
                        .iter()
                        .map(|said| (said.name.clone(), format!("{}, {}", said.name, said.written)))
                        .collect(),
                );
                self.hint("Or type a label, or the first letters of one.");
            }
            QuestionKind::Span { least, .. } => {
                let none = if *least == 0 { ", or none" } else { "" };
                self.line(&format!(
                    "Takes {}, as words 4-6{none}. words tells them by number.",
                    question.wanted()
                ));
            }
            QuestionKind::Scale { least, most, low, high, .. } => {
                let ends: Vec<String> = [(least, low), (most, high)]
                    .iter()
                    .filter(|(_, word)| !word.is_empty())
                    .map(|(n, word)| format!("{n} is {word}"))
                    .collect();
                let ends =
                    if ends.is_empty() { String::new() } else { format!(": {}", ends.join(", ")) };
                self.line(&format!("Takes {}{ends}.", question.wanted()));
            }
            _ => self.line(&format!("Takes {}.", question.wanted())),
        }
        if let Some(begun) = begun.filter(|begun| !begun.is_empty()) {
            self.line(&format!("Begun before: {begun}."));
        }
    }

    /// Whether a key means something alone where one is typed next: an answer, or a command that takes no
    /// words. What others begin with does not.
    pub fn is_single(&self, key: char) -> bool {
        if self.reasons.is_some() || key == ':' {
            return false;
        }
        let question = self.session.opened.as_ref().and_then(Opened::question);
        let (digit, word) = (key.to_digit(10).map(|n| n as usize), key.to_string());
        match question.map(|question| &question.kind) {
            None => command::is_whole(&word),
            Some(QuestionKind::Choice(answers)) => {
                let longer = |answer: &Answer| {
                    answer.key.len() > word.len() && answer.key.starts_with(&word)
                };
                let by_number = |n: usize| {
                    answers.len() < 10
                        && (1..=answers.len()).contains(&n)
                        && !answers.iter().any(|answer| answer.key.parse::<u64>().is_ok())
                };
                !answers.iter().any(longer)
                    && (answers.iter().any(|answer| answer.key == word)
                        || digit.is_some_and(by_number)
                        || command::is_whole(&word))
            }
            Some(QuestionKind::Label { .. }) => {
                digit.is_some_and(|n| n > 0 && n <= self.choices.len() && self.choices.len() < 10)
                    || !key.is_alphanumeric() && command::is_whole(&word)
            }
            Some(QuestionKind::Scale { least, most, .. }) => {
                digit.is_some_and(|n| *most < 10 && (*least..=*most).contains(&(n as i64)))
            }
            Some(_) => false,
        }
    }

    fn offer(&mut self, labels: Vec<(String, String)>) {
        for (i, (_, words)) in labels.iter().enumerate() {
            self.line(&format!("{} {words}", i + 1));
        }
        self.choices = labels.into_iter().map(|(label, _)| label).collect();
    }

    /// What the answers come to, and what is still wanted.
    fn tell_label(&mut self) {
        let Some(opened) = &self.session.opened else { return };
        let Some(protocol) = opened.protocol() else { return };
        let outcome = opened.outcome(protocol).unwrap_or_default();
        let again = self.is_submitted();
        let before = opened.case.mine.as_ref().filter(|_| !again);
        let before =
            before.map(|given| (outcome_in_words(&given.label.outcome), given.given_at().minute()));
        self.say(
            "Label",
            &format!(
                "{}{}.",
                outcome_in_words(&outcome),
                if again { ", as you submitted it" } else { "" }
            ),
        );
        if let Some((said, at)) = before {
            self.say(
                "Before",
                &format!("you submitted {said}, at {at}. Submitting takes its place."),
            );
        }
        match self.session.missing() {
            None => self.hint("Enter submits. back takes the last answer back."),
            Some(missing) => self.tell_missing(&missing),
        }
    }

    /// Says what is still wanted, and what to type.
    pub fn tell_missing(&mut self, missing: &Missing) {
        let words = match missing {
            Missing::Check { text, .. } => {
                format!("not ticked yet: {} check ticks it.", sentence(text))
            }
            Missing::Wanted { wanted: Wanted::Rationale, why } => {
                format!("your reasons: {why}. why and the words writes them.")
            }
            Missing::Wanted { wanted: Wanted::Confidence, why } => {
                format!("how sure you are, sure 1 for a guess to sure 5 for certain: {why}.")
            }
            Missing::Wanted { wanted: Wanted::Span, why } => {
                format!(
                    "evidence in the input, as evidence words 4-6 (words tells them by number): {why}."
                )
            }
            missing => format!("{missing}."),
        };
        self.say("Wanted", &words);
    }

    /// Takes a line as the answer to what is asked; nothing if it was none.
    pub fn answer(&mut self, line: &str) -> Option<Vec<Effect>> {
        let opened = self.session.opened.as_ref()?;
        let (protocol, question) = (opened.protocol()?.clone(), opened.question()?.clone());
        let texts = self.texts();
        let typed = line.trim();
        let none = typed.eq_ignore_ascii_case("none");
        let written = match &question.kind {
            QuestionKind::Choice(answers) => beginning(answers, typed).unwrap_or(typed).to_owned(),
            QuestionKind::Multi { .. } if none => String::new(),
            QuestionKind::Multi { .. } if !typed.contains(',') => {
                typed.split_whitespace().collect::<Vec<_>>().join(",")
            }
            QuestionKind::Label { .. } => {
                match typed.parse::<usize>().ok().and_then(|n| self.choices.get(n.checked_sub(1)?))
                {
                    Some(label) => label.clone(),
                    None if protocol.has_label(typed) => typed.to_owned(),
                    None => return self.narrow(&question, typed),
                }
            }
            QuestionKind::Span { .. } if none => String::new(),
            QuestionKind::Span { .. } => match places_of(typed, &texts) {
                Ok(places) => places,
                Err(why) => {
                    self.say("Error", &why);
                    return Some(Vec::new());
                }
            },
            QuestionKind::Text { .. } if none => String::new(),
            _ => typed.to_owned(),
        };
        // What is typed as it stands comes before what it begins like.
        let taken = typed::take(&protocol, &question, typed, Written::Now)
            .filter(|_| matches!(question.kind, QuestionKind::Choice(_)));
        let taken = taken.or_else(|| typed::take(&protocol, &question, &written, Written::Now))?;
        // Places by their words: nobody hears where a character is.
        let places = Places::parse(&taken.recorded)
            .filter(|_| matches!(question.kind, QuestionKind::Span { .. }));
        let words = places.map_or_else(
            || answer_text(&question, &taken.recorded),
            |places| words_of(&places, &texts),
        );
        let words = if words.is_empty() { "none".to_owned() } else { words };
        self.say("Said", &format!("{}.", words.trim_end_matches('.')));
        Some(self.session.answer_to(&question.id, &taken.recorded))
    }

    /// Offers the labels that a few letters could mean; takes the only one.
    fn narrow(&mut self, question: &Question, typed: &str) -> Option<Vec<Effect>> {
        let protocol = self.session.opened.as_ref()?.protocol()?;
        let lower = typed.to_lowercase();
        let hit = |text: &str| text.to_lowercase().contains(&lower);
        let fits: Vec<(String, String)> = protocol
            .labels
            .iter()
            .filter(|label| hit(&label.name) || hit(&label.title))
            .map(|label| {
                (
                    label.name.clone(),
                    if label.title.is_empty() { label.name.clone() } else { label.title.clone() },
                )
            })
            .collect();
        match fits.as_slice() {
            [] => None,
            [(label, _)] => {
                let label = label.clone();
                self.say("Said", &format!("{label}."));
                Some(self.session.answer_to(&question.id, &label))
            }
            many => {
                let n = many.len();
                self.offer(fits.into_iter().take(MATCHES).collect());
                let left = n.saturating_sub(MATCHES);
                let more = if left > 0 {
                    format!(" {left} more: type more letters.")
                } else {
                    String::new()
                };
                self.line(&format!("{n} labels fit: type a number.{more}"));
                Some(Vec::new())
            }
        }
    }

    pub fn back(&mut self) -> Vec<Effect> {
        let opened = self.session.opened.as_ref();
        let Some((protocol, draft)) =
            opened.and_then(|opened| Some((opened.protocol()?, &opened.draft)))
        else {
            self.line("No case is open.");
            return Vec::new();
        };
        if let Some((id, answer)) = draft.path(protocol).last() {
            let words = protocol
                .question(id)
                .map_or_else(|| answer.clone(), |question| answer_text(question, answer));
            self.say("Taken back", &format!("{words}."));
            self.tell.question = true;
        }
        self.session.take_back()
    }

    /// Writes the reasons; without words, over the lines that follow.
    pub fn why(&mut self, words: &str) -> Vec<Effect> {
        let Some(opened) = &self.session.opened else {
            self.line("No case is open.");
            return Vec::new();
        };
        if words.is_empty() {
            let mut begun = opened.draft.rationale.clone();
            if begun.trim().is_empty() {
                self.line("Write your reasons. A line with a single full stop ends them.");
            } else {
                self.tell_reasons(&begun);
                self.line("They go on: a line with a single full stop ends them; why and words takes their place.");
                begun.push('\n');
            }
            self.reasons = Some(begun);
            return Vec::new();
        }
        self.tell_reasons(words);
        self.change_draft(|draft| draft.rationale = words.trim_end().to_owned())
    }

    /// A line of reasons that go over several; what is written is kept as it is written.
    pub fn more_reasons(&mut self, mut reasons: String, line: &str) -> Vec<Effect> {
        if line.trim() == "." {
            self.tell_reasons(&reasons);
            self.tell.question = true;
            return Vec::new();
        }
        reasons.push_str(line.trim_end());
        reasons.push('\n');
        let kept = reasons.trim_end().to_owned();
        self.reasons = Some(reasons);
        self.session.change_draft(|draft| draft.rationale = kept)
    }

    fn tell_reasons(&mut self, words: &str) {
        match words.trim() {
            "" => self.say("Reasons", "none."),
            words => self.long("Reasons", words.lines().map(str::to_owned).collect()),
        }
    }

    pub fn sure(&mut self, words: &str) -> Vec<Effect> {
        match words.trim().parse::<u8>().ok().filter(|n| (1..=5).contains(n)) {
            Some(n) => {
                self.say("Confidence", &format!("{n} of 5."));
                self.change_draft(|draft| draft.confidence = Some(n))
            }
            None => {
                self.say("Error", "sure takes a number, 1 for a guess to 5 for certain.");
                Vec::new()
            }
        }
    }

    /// Ticks the next item of the checklist, or the one that is named by its number; all again is
    /// `check none`.
    pub fn check(&mut self, words: &str) -> Vec<Effect> {
        let Some(opened) = &self.session.opened else {
            self.line("No case is open.");
            return Vec::new();
        };
        let items =
            opened.protocol().map(|protocol| protocol.checklist.clone()).unwrap_or_default();
        let checked = opened.draft.checked.clone();
        if items.is_empty() {
            self.line("This protocol has no checklist.");
            return Vec::new();
        }
        let item = match words.trim() {
            "" => items.iter().find(|item| !checked.contains(&item.id)),
            "none" => None,
            n => match n.parse::<usize>().ok().and_then(|n| items.get(n.checked_sub(1)?)) {
                Some(item) => Some(item),
                None => {
                    self.say(
                        "Error",
                        &format!("the checklist has {} items: check and a number.", items.len()),
                    );
                    return Vec::new();
                }
            },
        };
        let effects = match item {
            Some(item) => self.change_draft(|draft| draft.toggle_check(&item.id)),
            None => self.change_draft(|draft| draft.checked.clear()),
        };
        let checked = self
            .session
            .opened
            .as_ref()
            .map(|opened| opened.draft.checked.clone())
            .unwrap_or_default();
        for (i, item) in items.iter().enumerate().take(self.page()) {
            let state = if checked.contains(&item.id) { "Ticked" } else { "Not ticked" };
            self.line(&format!("{} {} {state}.", i + 1, sentence(&item.text)));
        }
        effects
    }

    /// Marks what in the input bears the label out.
    pub fn evidence(&mut self, words: &str) -> Vec<Effect> {
        let texts = self.texts();
        if self.session.opened.is_none() {
            self.line("No case is open.");
            return Vec::new();
        }
        let places =
            if words.trim() == "none" { Ok(String::new()) } else { places_of(words, &texts) };
        let wanted = "evidence takes places: words 4-6, output words 1-3 (words, or words output, tells them by number), or none.";
        let places = match places.map(|places| Places::parse(&places)) {
            Ok(Some(places)) => places,
            Ok(None) => {
                self.say("Error", wanted);
                return Vec::new();
            }
            Err(why) => {
                self.say("Error", &why);
                return Vec::new();
            }
        };
        let marked = words_of(&places, &texts);
        self.say(
            "Evidence",
            &if marked.is_empty() { "none.".to_owned() } else { sentence(&marked) },
        );
        self.change_draft(|draft| draft.evidence = places)
    }

    /// Refers to a case of those like it in the reasons, or no longer.
    pub fn cite(&mut self, words: &str) -> Vec<Effect> {
        let found = self.session.opened.as_ref().filter(|opened| !opened.hides(Cue::Precedents));
        let found = found.and_then(|opened| opened.precedents.clone()).unwrap_or_default();
        let Some(one) =
            words.trim().parse::<usize>().ok().and_then(|n| found.get(n.checked_sub(1)?))
        else {
            self.say("Error", "cite takes a number of the cases that alike tells.");
            return Vec::new();
        };
        let mut cited = false;
        let effects = self.change_draft(|draft| cited = draft.cite(one));
        let words = if cited { "is cited in your reasons" } else { "is no longer cited" };
        self.say("Cited", &format!("{} {words}.", one.case.short()));
        effects
    }

    pub fn tags(&mut self, words: &str) -> Vec<Effect> {
        let tags = crate::domain::label::tags_of(words);
        self.say("Tags", &if tags.is_empty() { "none.".to_owned() } else { tags.join(", ") });
        self.change_draft(|draft| draft.tags = tags)
    }
}
