//! What a team watches its stream with, as it stands in `traps.toml`: traps, which flag one
//! prediction, and alarms, which watch many. What they find is worked out in `trap/`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::ids::Hash;
use super::label::{Outcome, value_text};
use super::protocol::{Fault, line_of, parse::SOURCE_BYTES_MAX, parse::toml_fault};
use super::random::draw_of;
use super::time::parse_span;

/// Most traps, and most alarms, of a file.
const RULES_MAX: usize = 64;
/// Most cases that a trap may ask for a day: each is held against the others.
const PER_DAY_MAX: u32 = 10_000;

/// A trap file, read and checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrapFile {
    pub traps: Vec<Trap>,
    pub alarms: Vec<Alarm>,
    /// The TOML as its author wrote it.
    pub source: String,
    /// The canaries of the files that alarms name, by file, where these were read.
    pub canaries: BTreeMap<String, Vec<Canary>>,
}

/// An input whose right prediction is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Canary {
    pub id: String,
    pub text: String,
    pub expect: String,
}

/// A rule that flags a prediction where all that it says holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trap {
    pub name: String,
    /// A CEL truth.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub novel: Option<Novel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rare: Option<Rare>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stuck: Option<Stuck>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<ByPlugin>,
    /// The share of the stream that is taken, by a draw that is the same everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<f64>,
    /// Most cases a UTC day; 0: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
    /// Skills that it takes to judge what it flags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

/// A text unlike those of the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Novel {
    pub field: String,
    pub by: NovelBy,
    pub above: f64,
}

/// What of a text is held against the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NovelBy {
    /// The share of its words that no text has.
    Tokens,
    /// The share of its pairs of words that no text has.
    Bigrams,
    /// How far the nearest text is.
    Neighbour,
}

/// Values that stand together seldom in the reference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rare {
    pub fields: Vec<String>,
    pub below: u64,
}

/// The same again within a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    pub by: Vec<String>,
    pub within: String,
    pub times: u32,
    /// How like a text must be to count as the same; none: equal after trimming, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<f64>,
}

/// A field that does not move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stuck {
    pub field: String,
    pub run: u32,
}

/// What a detector, a program of one's own, says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByPlugin {
    pub name: String,
    /// The flag that counts, of several that it may raise; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// The score that its flag must exceed: one without a score does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
}

/// What watches the stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    pub name: String,
    /// A CEL truth or number whose changes are looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
    /// `adwin`, `page-hinkley`, `hddm-w` or `hddm-a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detector: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
    /// How unlikely by chance a change is of which only a warning is told; 0: of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// A field: each of its values is watched by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// A field whose values are held against those of the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<u64>,
    /// A file of inputs whose right prediction is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
    /// Cases that are drawn from the window where it is raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<u32>,
}

impl Trap {
    /// What names the exact rule: the same words give the same on every device. `reference` is what
    /// the rule was held against, where it was held against something.
    pub fn version(&self, reference: Option<Hash>) -> String {
        version_of(self, self.needs_reference().then_some(reference).flatten())
    }

    /// The same of a trap that asks a plug-in, whose files are part of the rule.
    pub fn version_with(&self, reference: Option<Hash>, sha256: &str) -> String {
        let rule = self.version(reference);
        Hash::of(format!("{rule}\n{sha256}").as_bytes()).to_string()[..16].to_owned()
    }

    pub fn needs_reference(&self) -> bool {
        self.novel.is_some() || self.rare.is_some()
    }

    fn says_something(&self) -> bool {
        self.rule.is_some()
            || self.novel.is_some()
            || self.rare.is_some()
            || self.repeat.is_some()
            || self.stuck.is_some()
            || self.plugin.is_some()
            || self.sample.is_some()
    }

    /// Whether it takes of all predictions alike, so that labels can say something of the stream.
    pub fn is_audit(&self) -> bool {
        self.sample.is_some()
            && self.rule.is_none()
            && self.novel.is_none()
            && self.rare.is_none()
            && self.repeat.is_none()
            && self.stuck.is_none()
            && self.plugin.is_none()
    }

    /// What is wrong with it by itself.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let name = &self.name;
        let mut fault = |words: String| faults.push(format!("trap `{name}`: {words}"));
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            fault("a name is some words".to_owned());
        }
        if !self.says_something() {
            fault(
                "say what it flags: where, novel, rare, repeat, stuck, plugin or sample".to_owned(),
            );
        }
        let share = |number: f64| number > 0.0 && number <= 1.0;
        if self.sample.is_some_and(|rate| !share(rate)) {
            fault("sample is a share above 0 and up to 1".to_owned());
        }
        if self.novel.as_ref().is_some_and(|novel| !(0.0..1.0).contains(&novel.above)) {
            fault("novel.above is a share from 0 to below 1".to_owned());
        }
        if let Some(rare) = &self.rare {
            if rare.fields.is_empty() || rare.fields.len() > 4 {
                fault("rare.fields names one to four fields".to_owned());
            }
            if rare.below == 0 {
                fault("rare.below is at least 1".to_owned());
            }
        }
        if let Some(repeat) = &self.repeat {
            if repeat.by.is_empty() {
                fault("repeat.by names at least one field".to_owned());
            }
            if span(&repeat.within).is_none() {
                fault(format!("repeat.within is a time as 10m, not `{}`", repeat.within));
            }
            if repeat.times < 2 {
                fault("repeat.times is at least 2".to_owned());
            }
            if repeat.near.is_some_and(|near| !share(near)) {
                fault("repeat.near is a share above 0 and up to 1".to_owned());
            }
        }
        if self.repeat.is_some() && self.stuck.is_some() {
            fault("repeat and stuck are two traps".to_owned());
        }
        if self.plugin.is_some() && (self.repeat.is_some() || self.stuck.is_some()) {
            fault(
                "plugin looks at one prediction, repeat and stuck at several: they are two traps"
                    .to_owned(),
            );
        }
        if self.plugin.as_ref().is_some_and(|by| by.name.trim().is_empty()) {
            fault("plugin.name names a [[plugin]] of config.toml".to_owned());
        }
        if self.stuck.as_ref().is_some_and(|stuck| stuck.run < 2) {
            fault("stuck.run is at least 2".to_owned());
        }
        if self.per_day.is_some_and(|most| most > PER_DAY_MAX) {
            fault(format!("per_day is at most {PER_DAY_MAX}"));
        }
        faults
    }
}

/// How unlikely by chance a change is of which ADWIN tells, where nothing else is said.
pub const ADWIN_DELTA: f64 = 0.002;

impl Alarm {
    pub fn version(&self, reference: Option<Hash>) -> String {
        version_of(self, self.compare.as_ref().and(reference))
    }

    fn is_adwin(&self) -> bool {
        self.detector.as_deref().is_none_or(|detector| detector == "adwin")
    }

    /// How unlikely by chance a change is of which a warning is told, if of any; `usual` where the
    /// alarm does not say.
    pub fn warning_level(&self, usual: f64) -> Option<f64> {
        let level = self.warn.unwrap_or(usual);
        let delta = self.delta.unwrap_or(ADWIN_DELTA);
        (self.watch.is_some() && self.is_adwin() && level > delta).then_some(level)
    }

    /// Milliseconds of a window of a comparison.
    pub fn window_ms(&self) -> i64 {
        self.window.as_deref().and_then(span).unwrap_or(86_400_000)
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let name = &self.name;
        let mut fault = |words: String| faults.push(format!("alarm `{name}`: {words}"));
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            fault("a name is some words".to_owned());
        }
        let kinds = [self.watch.is_some(), self.compare.is_some(), self.canary.is_some()];
        if kinds.iter().filter(|is| **is).count() != 1 {
            fault("say one of watch, compare and canary".to_owned());
        }
        // Their values stand in events and references, where no input may be.
        let texts = ["text", "input", "input.text", "session", "input.session_id", "id"];
        let named = self.compare.iter().chain(&self.by);
        for field in named.filter(|field| texts.contains(&field.as_str())) {
            fault(format!("compare and by name a field of few values, not `{field}`"));
        }
        let known = ["adwin", "page-hinkley", "hddm-w", "hddm-a"];
        if let Some(detector) = &self.detector
            && !known.contains(&detector.as_str())
        {
            fault(format!("there is no detector `{detector}`; there are {}", known.join(", ")));
        }
        if self.watch.is_none()
            && (self.detector.is_some() || self.delta.is_some() || self.threshold.is_some())
        {
            fault("detector, delta and threshold go with watch".to_owned());
        }
        if self.compare.is_none()
            && (self.window.is_some() || self.effect.is_some() || self.least.is_some())
        {
            fault("window, effect and least go with compare".to_owned());
        }
        if self.window.as_deref().is_some_and(|window| span(window).is_none()) {
            fault("window is a time as 1d or 6h".to_owned());
        }
        let positive = |number: Option<f64>| number.is_none_or(|it| it.is_finite() && it > 0.0);
        if !positive(self.delta) || !positive(self.threshold) || !positive(self.effect) {
            fault("delta, threshold and effect are above 0".to_owned());
        }
        // Of page-hinkley it is what is let pass, of the others how unlikely by chance a change is.
        let by_chance = self.detector.as_deref() != Some("page-hinkley");
        if by_chance && self.delta.is_some_and(|delta| delta >= 1.0) {
            fault("delta lies between 0 and 1: how unlikely by chance a change is".to_owned());
        }
        if self.warn.is_some() && (self.watch.is_none() || !self.is_adwin()) {
            fault("warn goes with watch and the detector adwin".to_owned());
        }
        let delta = self.delta.unwrap_or(ADWIN_DELTA);
        if self.warn.is_some_and(|warn| warn != 0.0 && !(warn > delta && warn < 1.0)) {
            fault("warn lies between delta and 1, or is 0".to_owned());
        }
        if self.alpha.is_some_and(|alpha| !(alpha > 0.0 && alpha < 1.0)) {
            fault("alpha lies between 0 and 1".to_owned());
        }
        faults
    }
}

fn version_of(rule: &impl Serialize, reference: Option<Hash>) -> String {
    let json = serde_json::to_string(rule).unwrap_or_default();
    let reference = reference.map(|hash| hash.to_string()).unwrap_or_default();
    Hash::of(format!("{json}\n{reference}").as_bytes()).to_string()[..16].to_owned()
}

/// Characters of a value that may stand in clear in events and references; longer ones are taken
/// together.
pub const VALUE_CHARS_MAX: usize = 64;

/// A length of time, with seconds too: `90s`, `10m`, `1d`.
pub fn span(text: &str) -> Option<i64> {
    let seconds = || Some(text.trim().strip_suffix('s')?.trim().parse::<i64>().ok()? * 1000);
    parse_span(text).or_else(seconds).filter(|ms| *ms > 0)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    trap: Vec<Spanned<Trap>>,
    #[serde(default)]
    alarm: Vec<Spanned<Alarm>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Defaults {
    per_day: Option<u32>,
}

impl TrapFile {
    /// Reads and checks a trap file's TOML. Rules in CEL are read where they are run.
    ///
    /// # Errors
    /// All that is wrong, with lines.
    pub fn parse(source: &str) -> Result<Self, Vec<Fault>> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(vec![Fault::new(1, "a trap file is at most 1 MiB")]);
        }
        let read: Source =
            toml::from_str(source).map_err(|error| vec![toml_fault(source, &error)])?;
        let mut faults = Vec::new();
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut twice = |name: &str, line: usize, faults: &mut Vec<Fault>| {
            if let Some(first) = names.insert(name.to_owned(), line) {
                faults.push(Fault::new(line, format!("`{name}` stands in line {first} already")));
            }
        };
        let mut file = Self { source: source.to_owned(), ..Self::default() };
        for trap in read.trap {
            let line = line_of(source, trap.span().start);
            let mut trap = trap.into_inner();
            trap.per_day = trap.per_day.or(read.defaults.per_day);
            twice(&trap.name, line, &mut faults);
            faults.extend(trap.faults().into_iter().map(|words| Fault::new(line, words)));
            file.traps.push(trap);
        }
        for alarm in read.alarm {
            let line = line_of(source, alarm.span().start);
            let alarm = alarm.into_inner();
            twice(&alarm.name, line, &mut faults);
            faults.extend(alarm.faults().into_iter().map(|words| Fault::new(line, words)));
            file.alarms.push(alarm);
        }
        if file.traps.len() > RULES_MAX || file.alarms.len() > RULES_MAX {
            faults.push(Fault::new(1, format!("at most {RULES_MAX} traps and as many alarms")));
        }
        if faults.is_empty() { Ok(file) } else { Err(faults) }
    }

    /// Whether anything of it takes of all predictions alike.
    pub fn has_audit(&self) -> bool {
        self.traps.iter().any(Trap::is_audit)
    }

    /// What changed from this file to another, a line each.
    pub fn changes_to(&self, new: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        let words = |rule: &str| rule.to_owned();
        let sides = [self, new].map(|file| {
            let traps = file.traps.iter().map(|one| (("trap", words(&one.name)), fields(one)));
            let alarms = file.alarms.iter().map(|one| (("alarm", words(&one.name)), fields(one)));
            traps.chain(alarms).collect::<BTreeMap<_, _>>()
        });
        let [old, new] = &sides;
        for ((kind, name), after) in new {
            match old.get(&(kind, name.clone())) {
                None => lines.push(format!("{kind} `{name}` is new")),
                Some(before) => {
                    let keys: std::collections::BTreeSet<&String> =
                        before.keys().chain(after.keys()).collect();
                    for key in keys {
                        let say = |side: &BTreeMap<String, String>| {
                            side.get(key).cloned().unwrap_or_else(|| "nothing".to_owned())
                        };
                        let (was, is) = (say(before), say(after));
                        if was != is {
                            lines.push(format!("{kind} `{name}`: {key} was {was}, is {is}"));
                        }
                    }
                }
            }
        }
        for (kind, name) in old.keys().filter(|key| !new.contains_key(*key)) {
            lines.push(format!("{kind} `{name}` is gone"));
        }
        lines
    }
}

fn fields(rule: &impl Serialize) -> BTreeMap<String, String> {
    let json = serde_json::to_value(rule).unwrap_or_default();
    let fields = json.as_object().cloned().unwrap_or_default();
    fields.into_iter().map(|(key, value)| (key, value.to_string())).collect()
}

/// Why a prediction became a case: a trap, its exact rule, and how it was drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Why {
    pub trap: String,
    pub version: String,
    /// What the trap measured, where it measures something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// The draw: the same number from 0 up to 1 for the same trap, stream and id, everywhere.
    pub u: f64,
    /// The share that was taken, where the rule says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Most of a day that are taken: those with the smallest draws.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<u32>,
}

/// The draw of a prediction for a trap.
pub fn draw(trap: &str, stream: &str, id: &str) -> f64 {
    draw_of(&["casework sample 1", trap, stream, id])
}

/// How likely a prediction was to be drawn by any of the traps that flag it, each of which draws by itself;
/// nothing where one of the rates is not known, or no trap flags it.
pub fn rate_of_all(rates: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let mut passed = None;
    for rate in rates {
        passed = Some(passed.unwrap_or(1.0) * (1.0 - rate?));
    }
    passed.map(|passed| 1.0 - passed)
}

#[test]
fn several_traps_draw_by_themselves() {
    assert_eq!(rate_of_all([Some(0.5), Some(0.5)]), Some(0.75));
    assert_eq!(rate_of_all([Some(0.25)]), Some(0.25));
    assert_eq!(rate_of_all([Some(1.0), Some(0.1)]), Some(1.0));
    assert_eq!(rate_of_all([Some(0.5), None]), None);
    assert_eq!(rate_of_all([]), None);
}

/// Whether an outcome says that the model was wrong: by its `verdict`, else by the label that it
/// gives; nothing where it says neither.
pub fn model_was_wrong(outcome: &Outcome, predicted: Option<&str>) -> Option<bool> {
    if let Some(verdict) = outcome.get("verdict").map(value_text) {
        let right = ["model_correct", "correct", "right", "ok"];
        return Some(!right.contains(&verdict.as_str()));
    }
    let label = ["corrected_label", "label"].iter().find_map(|field| outcome.get(*field))?;
    Some(value_text(label) != predicted?)
}

/// The UTC day of a moment, counted from 1970.
pub fn day_of(at: super::time::Moment) -> i64 {
    at.0.div_euclid(86_400_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
[defaults]
per_day = 40
[[trap]]
name = "low margin"
where = "margin < 0.1"
[[trap]]
name = "sure of something new"
where = "confidence >= 0.5"
novel = { field = "input.text", by = "tokens", above = 0.3 }
[[trap]]
name = "asks again"
repeat = { by = ["session", "text"], within = "10m", times = 3 }
per_day = 0
[[trap]]
name = "audit"
sample = 0.01
[[alarm]]
name = "model and rival part"
watch = "disagrees"
delta = 0.002
"#;

    #[test]
    fn a_file_is_read_and_its_rules_have_versions() {
        let file = TrapFile::parse(FILE).unwrap();
        assert_eq!(file.traps.len(), 4);
        assert_eq!((file.traps[0].per_day, file.traps[2].per_day), (Some(40), Some(0)));
        assert!(file.has_audit());
        let other = TrapFile::parse(&FILE.replace("margin < 0.1", "margin < 0.2")).unwrap();
        assert_ne!(file.traps[0].version(None), other.traps[0].version(None));
        assert_eq!(file.traps[1].version(None), other.traps[1].version(None));
        assert_eq!(
            file.traps[0].version(None),
            file.traps[0].version(Some(Hash([1; 32]))),
            "it is held against nothing"
        );
        assert_ne!(file.traps[1].version(None), file.traps[1].version(Some(Hash([1; 32]))));
        assert_eq!(
            file.changes_to(&other),
            ["trap `low margin`: where was \"margin < 0.1\", is \"margin < 0.2\""]
        );
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let check = |from: &str, to: &str, expect: &str| {
            let faults = TrapFile::parse(&FILE.replace(from, to)).unwrap_err();
            let words: Vec<String> =
                faults.iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect();
            assert!(words.join("\n").contains(expect), "{words:?}");
        };
        check("\"audit\"", "\"low margin\"", "15: `low margin` stands in line 4 already");
        check("sample = 0.01", "sample = 1.5", "share above 0");
        check("sample = 0.01", "", "say what it flags");
        check("10m", "10 parsecs", "a time as 10m");
        check("watch = \"disagrees\"", "", "one of watch, compare and canary");
        check("delta = 0.002", "by = \"input.text\"", "a field of few values");
        check("delta = 0.002", "detector = \"ddm\"", "there are adwin");
        check("where = \"margin", "wher = \"margin", "wher");
        check("per_day = 40", "per_day = 40000", "at most 10000");
    }

    #[test]
    fn a_draw_is_what_any_program_computes() {
        // hashlib.sha256(b"casework sample 1\naudit\ndefault\np1"), thirteen digits / 2^52
        assert_eq!(draw("audit", "default", "p1"), 0.068_115_509_939_430_83);
    }
}
