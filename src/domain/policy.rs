//! How a team works: how many look at a case, when it is due, when labels settle it.

use serde::{Deserialize, Serialize};

use super::cues::Hiding;
use super::escalation::Escalation;
use super::require::Requirement;
use super::threshold::Threshold;

/// When labels settle what a case counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// All agree.
    Unanimous,
    /// One outcome has more labels than any other.
    Majority,
    /// A recorded estimate of how each reviewer answers ([`super::estimate`]) is sure enough of one
    /// outcome.
    #[serde(rename = "dawid-skene")]
    DawidSkene,
    /// The same with one skill for each reviewer.
    #[serde(rename = "one-coin")]
    OneCoin,
    /// The same with reviewers drawn towards what all do.
    Hierarchical,
    /// A recorded estimate of how each reviewer answers each question ([`super::paths`]) is sure
    /// enough of one outcome, however many say so.
    Paths,
}

/// Whose voice is weighed beside reviewers' labels under [`Rule::Paths`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Witness {
    #[default]
    None,
    /// The model's: what it predicted, and how confident it was.
    Champion,
}

/// What labels of one text say of its other cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Copies {
    /// Nothing.
    #[default]
    Apart,
    /// Cases of a stream with the same text and prediction have their labels in common.
    Pooled,
}

/// What labelers, which are programs, may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agents {
    /// Nothing that they suggest is shown, or counts.
    #[default]
    Off,
    /// What they suggest is shown to reviewers once they answered the first question.
    Suggest,
    /// It counts as one label too, but never as the only one.
    Vote,
}

/// Whether people are asked to countersign with their own key what a served desk wrote for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Countersign {
    #[default]
    Off,
    /// Whenever they leave, if anything is new.
    Asked,
    /// When a week of it is not countersigned; it is late then.
    Weekly,
}

/// By what somebody's share of the work is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shares {
    /// What a lead said of each.
    #[default]
    Capacity,
    /// How many labels each gave in the weeks before.
    Pace,
}

/// In which order a queue is worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// What is due first comes first.
    #[default]
    Due,
    /// Of what is due soonest, that comes first of which a label is expected to teach most.
    Value,
}

impl Rule {
    pub const ALL: [Self; 6] = [
        Self::Unanimous,
        Self::Majority,
        Self::Hierarchical,
        Self::DawidSkene,
        Self::OneCoin,
        Self::Paths,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unanimous => "unanimous",
            Self::Majority => "majority",
            Self::DawidSkene => "dawid-skene",
            Self::OneCoin => "one-coin",
            Self::Hierarchical => "hierarchical",
            Self::Paths => "paths",
        }
    }

    /// The model of truth that it goes by.
    pub fn model(self) -> Option<&'static str> {
        match self {
            Self::Unanimous | Self::Majority => None,
            model => Some(model.as_str()),
        }
    }
}

/// What makes a label worth more than it is expected to teach of its case, under [`Order::Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Term {
    /// The last gate failed, or could not tell, on a slice of its kind.
    Need,
    /// Other cases with its text, whose label it is too.
    Copies,
}

impl Term {
    pub const ALL: [Self; 2] = [Self::Need, Self::Copies];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Need => "need",
            Self::Copies => "copies",
        }
    }
}

/// A team's policy. The latest one set counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// How many reviewers label each case.
    pub overlap: u32,
    /// How many may be asked before a case that is not settled counts as disputed.
    pub limit: u32,
    pub rule: Rule,
    /// How sure a model of truth must be to settle a case, in percent.
    #[serde(skip_serializing_if = "is_sure")]
    pub sure_percent: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub witness: Witness,
    #[serde(skip_serializing_if = "is_default")]
    pub copies: Copies,
    #[serde(skip_serializing_if = "is_default")]
    pub agents: Agents,
    #[serde(skip_serializing_if = "is_default")]
    pub shares: Shares,
    #[serde(skip_serializing_if = "is_default")]
    pub order: Order,
    #[serde(skip_serializing_if = "is_all_terms")]
    pub worth: Vec<Term>,
    /// Of a hundred cases, how many get three labels under [`Rule::Paths`] however sure it is, so
    /// that reviewers can be told apart.
    #[serde(skip_serializing_if = "is_five")]
    pub learn_percent: u32,
    /// The outcome's fields that must agree; empty: all of them.
    pub on: Vec<String>,
    /// Hours from detection until a case is due.
    pub sla_hours: u32,
    /// Whether payloads in shared stores are encrypted for the roster.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encrypt: bool,
    /// What a label must say beside its answers, and when.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "known")]
    pub require: Vec<Requirement>,
    /// What reviewers do not see at first.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "known")]
    pub hide: Vec<Hiding>,
    /// Of a hundred cases that a reviewer labels, how many are gold items and only measure.
    #[serde(skip_serializing_if = "is_zero")]
    pub gold_percent: u32,
    /// Of a hundred cases that a reviewer labels, how many are old ones of theirs that come back,
    /// after so many days.
    #[serde(skip_serializing_if = "is_zero")]
    pub repeat_percent: u32,
    #[serde(skip_serializing_if = "is_two_weeks")]
    pub repeat_days: u32,
    /// Whether a break or a second look is suggested to reviewers, and after how many minutes a
    /// break (0: never).
    #[serde(skip_serializing_if = "Clone::clone")]
    pub guards: bool,
    #[serde(skip_serializing_if = "is_ninety")]
    pub break_minutes: u32,
    /// What passing a training takes.
    #[serde(skip_serializing_if = "Training::is_default")]
    pub training: Training,
    /// How long a peer, a lead and the owner have for what reviewers did not settle.
    #[serde(skip_serializing_if = "Escalation::is_default")]
    pub escalation: Escalation,
    /// Bounds that somebody is told of when they are crossed.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "known")]
    pub alert: Vec<Threshold>,
    /// The lead to whom it comes in the end; empty: who founded the workspace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Whether a label that lacks nothing is submitted with its last answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub auto_submit: bool,
    /// Whether texts of cases may be copied to the clipboard of whoever reads them.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub copy: bool,
    /// After how many days labels are held against what turned out; 0: never.
    #[serde(skip_serializing_if = "is_zero")]
    pub audit_days: u32,
    #[serde(skip_serializing_if = "is_default")]
    pub countersign: Countersign,
}

/// What passing a training takes, and whether reviewers must have passed one before they get cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Training {
    pub cases: u32,
    pub right_percent: u32,
    pub required: bool,
}

impl Default for Training {
    fn default() -> Self {
        Self { cases: 10, right_percent: 80, required: false }
    }
}

impl Training {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether so many right answers of so many pass.
    pub fn passes(&self, right: usize, of: usize) -> bool {
        of >= self.cases as usize && right * 100 >= of * self.right_percent as usize
    }
}

/// Rules that this version of the program knows; a later one may have written others.
fn known<'de, T: std::str::FromStr, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<String>::deserialize(from)?.iter().filter_map(|rule| rule.parse().ok()).collect())
}

/// What it is unless somebody says otherwise.
const SURE_PERCENT: u32 = 95;

fn is_sure(n: &u32) -> bool {
    *n == SURE_PERCENT
}

fn is_two_weeks(n: &u32) -> bool {
    *n == 14
}

fn is_ninety(n: &u32) -> bool {
    *n == 90
}

fn is_five(n: &u32) -> bool {
    *n == 5
}

fn is_all_terms(terms: &[Term]) -> bool {
    terms == Term::ALL
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            overlap: 1,
            limit: 3,
            rule: Rule::Unanimous,
            sure_percent: SURE_PERCENT,
            witness: Witness::None,
            copies: Copies::Apart,
            agents: Agents::Off,
            shares: Shares::Capacity,
            order: Order::Due,
            worth: Term::ALL.to_vec(),
            learn_percent: 5,
            on: Vec::new(),
            sla_hours: 72,
            encrypt: false,
            require: Vec::new(),
            hide: Vec::new(),
            gold_percent: 0,
            repeat_percent: 0,
            repeat_days: 14,
            guards: true,
            break_minutes: 90,
            training: Training::default(),
            escalation: Escalation::default(),
            alert: Vec::new(),
            owner: String::new(),
            auto_submit: false,
            copy: true,
            audit_days: 0,
            countersign: Countersign::Off,
        }
    }
}

/// A policy that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    #[error("no policy is called `{0}`: there are {names}", names = NAMES.map(|(name, _)| name).join(", "))]
    Unknown(String),
    #[error("{0} must be {1}")]
    Value(&'static str, &'static str),
    #[error("{0}: {1}")]
    Rule(&'static str, String),
}

/// What can be set, and how.
pub const NAMES: [(&str, &str); 30] = [
    ("overlap", "how many label each case"),
    ("limit", "how many may be asked before a case is disputed"),
    (
        "rule",
        "when labels settle a case: unanimous, majority, hierarchical, dawid-skene, one-coin or paths",
    ),
    ("sure_percent", "how sure an aggregation model must be to settle one"),
    (
        "witness",
        "whose voice is weighed beside reviewers' labels under rule=paths: none or champion (the model's prediction and confidence)",
    ),
    (
        "copies",
        "cases of a stream with one text and prediction: apart, or pooled (labels in common)",
    ),
    (
        "agents",
        "what labelers, which are programs, may do: off, suggest (shown once the first question is answered), vote (counts as one label, never the only one)",
    ),
    (
        "shares",
        "by what shares of the work are measured: capacity (as the roster has it), or pace (labels that each gave in the four weeks before)",
    ),
    (
        "order",
        "the queue's order: due, or value (of what is due soonest, what a label teaches most of)",
    ),
    (
        "worth",
        "what makes a label worth more under order=value: need (of what the last gate did not pass), copies (of several cases with one text), both with a comma, or neither",
    ),
    (
        "learn_percent",
        "of a hundred cases, how many get three labels under rule=paths, to know reviewers by",
    ),
    ("on", "fields that must agree, with commas; empty: all"),
    ("sla_hours", "hours until a case is due"),
    ("encrypt", "payloads in the store are for the roster only: yes or no"),
    (
        "require",
        "what a label must say: rationale on override; confidence always; span if category = adversarial; check logs always",
    ),
    ("hide", "what is not shown at first: prediction until answer; precedents until submit"),
    ("gold_percent", "of a hundred cases a reviewer labels, how many are gold items"),
    ("repeat_percent", "of a hundred cases a reviewer labels, how many are old ones of theirs"),
    ("repeat_days", "how old those are at least"),
    ("guards", "whether breaks and second looks are suggested: yes or no"),
    ("break_minutes", "after how many minutes a break; 0: never"),
    ("training", "to pass: CASES:PERCENT right, as 10:80"),
    ("training_required", "whether who has not passed gets no cases: yes or no"),
    ("escalation", "hours that a peer, a lead and the owner have: 24:48:72"),
    (
        "alert",
        "bounds to be told of: alpha < 0.6; open > 500; disputed > 20; overdue > 0; disagreement > 30; ready >= 200; accuracy < 0.85, or by day, by week; wrong > 0.3; expected_accuracy < 0.7; label_errors > 0.05; reviewer_gold < 0.8; alarms > 0; since_cut > 30d",
    ),
    ("owner", "the lead to whom disputes come in the end; empty: the founder"),
    (
        "auto_submit",
        "whether a label that lacks nothing is submitted with its last answer: yes or no",
    ),
    ("copy", "whether texts of cases may be copied to the clipboard: yes or no"),
    ("audit_days", "after how many days labels are held against what turned out; 0: never"),
    (
        "countersign",
        "whether who comes over SSH is asked to countersign with their own key what the desk wrote for them: off, asked (whenever they leave) or weekly",
    ),
];

impl Policy {
    /// Sets one value by its name.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), BadPolicy> {
        let number = |least: u32, what: &'static str, words: &'static str| {
            value
                .parse()
                .ok()
                .filter(|&n: &u32| n >= least && n <= 10_000)
                .ok_or(BadPolicy::Value(what, words))
        };
        match name {
            "overlap" => self.overlap = number(1, "overlap", "a number from 1 to 10000")?,
            "limit" => {
                let limit = number(1, "limit", "a number from 1 to 10000")?;
                if limit < self.overlap {
                    return Err(BadPolicy::Value("limit", "at least as many as overlap"));
                }
                self.limit = limit;
            }
            "sla_hours" => {
                self.sla_hours = number(1, "sla_hours", "a whole number of hours from 1 to 10000")?
            }
            "rule" => {
                let rule = Rule::ALL.into_iter().find(|rule| rule.as_str() == value);
                self.rule = rule.ok_or(BadPolicy::Value(
                    "rule",
                    "`unanimous`, `majority`, `hierarchical`, `dawid-skene`, `one-coin` or `paths`",
                ))?;
            }
            "witness" => {
                self.witness = one_of("witness", value, &WITNESSES, "`none` or `champion`")?
            }
            "copies" => self.copies = one_of("copies", value, &COPIES, "`apart` or `pooled`")?,
            "agents" => {
                self.agents = one_of("agents", value, &AGENTS, "`off`, `suggest` or `vote`")?
            }
            "countersign" => {
                let known = "`off`, `asked` or `weekly`";
                self.countersign = one_of("countersign", value, &COUNTERSIGN, known)?;
            }
            "shares" => self.shares = one_of("shares", value, &SHARES, "`capacity` or `pace`")?,
            "order" => self.order = one_of("order", value, &ORDERS, "`due` or `value`")?,
            "worth" => {
                let term = |name: &str| Term::ALL.into_iter().find(|term| term.as_str() == name);
                let terms = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                let terms: Option<Vec<Term>> = terms.map(term).collect();
                self.worth = terms.ok_or(BadPolicy::Value("worth", "`need`, `copies`, or both"))?;
            }
            "learn_percent" => {
                let percent = value.parse().ok().filter(|n| *n <= 100);
                self.learn_percent =
                    percent.ok_or(BadPolicy::Value("learn_percent", "a number from 0 to 100"))?;
            }
            "encrypt" => self.encrypt = yes_or_no("encrypt", value)?,
            "training_required" => self.training.required = yes_or_no("training_required", value)?,
            "require" => self.require = rules("require", value)?,
            "hide" => self.hide = rules("hide", value)?,
            "sure_percent" => {
                let percent = value.parse().ok().filter(|n| (51..=100).contains(n));
                self.sure_percent =
                    percent.ok_or(BadPolicy::Value("sure_percent", "a number from 51 to 100"))?;
            }
            "gold_percent" => {
                let percent = value.parse().ok().filter(|n| *n <= 50);
                self.gold_percent =
                    percent.ok_or(BadPolicy::Value("gold_percent", "a number from 0 to 50"))?;
            }
            "repeat_percent" => {
                let percent = value.parse().ok().filter(|n| *n <= 50);
                self.repeat_percent =
                    percent.ok_or(BadPolicy::Value("repeat_percent", "a number from 0 to 50"))?;
            }
            "repeat_days" => {
                self.repeat_days = number(1, "repeat_days", "a number of days from 1")?
            }
            "guards" => self.guards = yes_or_no("guards", value)?,
            "break_minutes" => {
                self.break_minutes = number(0, "break_minutes", "a number of minutes from 0")?
            }
            "training" => {
                let parts = value
                    .split_once(':')
                    .and_then(|(cases, right)| Some((cases.parse().ok()?, right.parse().ok()?)));
                let parts = parts.filter(|(cases, right)| {
                    (1..=1000).contains(cases) && (1..=100).contains(right)
                });
                let (cases, right_percent) =
                    parts.ok_or(BadPolicy::Value("training", "CASES:PERCENT, as 10:80"))?;
                (self.training.cases, self.training.right_percent) = (cases, right_percent);
            }
            "escalation" => {
                self.escalation = Escalation::parse(value).ok_or(BadPolicy::Value(
                    "escalation",
                    "PEER:LEAD:OWNER in hours, as 24:48:72",
                ))?;
            }
            "alert" => {
                let read: Vec<Threshold> = rules("alert", value)?;
                let sensible = read.into_iter().map(Threshold::sensible).collect();
                self.alert = Result::map_err(sensible, |error| BadPolicy::Rule("alert", error))?;
            }
            "owner" => self.owner = value.trim().to_owned(),
            "auto_submit" => self.auto_submit = yes_or_no("auto_submit", value)?,
            "copy" => self.copy = yes_or_no("copy", value)?,
            "audit_days" => self.audit_days = number(0, "audit_days", "a number of days from 0")?,
            "on" => {
                self.on = value
                    .split(',')
                    .map(str::trim)
                    .filter(|f| !f.is_empty())
                    .map(str::to_owned)
                    .collect()
            }
            other => return Err(BadPolicy::Unknown(other.to_owned())),
        }
        self.limit = self.limit.max(self.overlap);
        Ok(())
    }

    /// One value by its name, as [`Self::set`] takes it; nothing if nothing is called so.
    pub fn get(&self, name: &str) -> Option<String> {
        fn list(rules: &[impl ToString]) -> String {
            rules.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        Some(match name {
            "overlap" => self.overlap.to_string(),
            "limit" => self.limit.to_string(),
            "rule" => self.rule.as_str().to_owned(),
            "sure_percent" => self.sure_percent.to_string(),
            "witness" => word_of(self.witness, &WITNESSES),
            "copies" => word_of(self.copies, &COPIES),
            "agents" => word_of(self.agents, &AGENTS),
            "shares" => word_of(self.shares, &SHARES),
            "order" => word_of(self.order, &ORDERS),
            "worth" => self.worth.iter().map(|term| term.as_str()).collect::<Vec<_>>().join(","),
            "learn_percent" => self.learn_percent.to_string(),
            "on" => self.on.join(","),
            "sla_hours" => self.sla_hours.to_string(),
            "encrypt" => yes(self.encrypt),
            "require" => list(&self.require),
            "hide" => list(&self.hide),
            "gold_percent" => self.gold_percent.to_string(),
            "repeat_percent" => self.repeat_percent.to_string(),
            "repeat_days" => self.repeat_days.to_string(),
            "guards" => yes(self.guards),
            "break_minutes" => self.break_minutes.to_string(),
            "training" => format!("{}:{}", self.training.cases, self.training.right_percent),
            "training_required" => yes(self.training.required),
            "escalation" => {
                let Escalation { peer, lead, owner } = self.escalation;
                format!("{peer}:{lead}:{owner}")
            }
            "alert" => list(&self.alert),
            "owner" => self.owner.clone(),
            "auto_submit" => yes(self.auto_submit),
            "copy" => yes(self.copy),
            "audit_days" => self.audit_days.to_string(),
            "countersign" => word_of(self.countersign, &COUNTERSIGN),
            _ => return None,
        })
    }

    pub fn sla_ms(&self) -> i64 {
        i64::from(self.sla_hours) * 3_600_000
    }
}

const WITNESSES: [(&str, Witness); 2] = [("none", Witness::None), ("champion", Witness::Champion)];
const COPIES: [(&str, Copies); 2] = [("apart", Copies::Apart), ("pooled", Copies::Pooled)];
const AGENTS: [(&str, Agents); 3] =
    [("off", Agents::Off), ("suggest", Agents::Suggest), ("vote", Agents::Vote)];
const COUNTERSIGN: [(&str, Countersign); 3] =
    [("off", Countersign::Off), ("asked", Countersign::Asked), ("weekly", Countersign::Weekly)];
const SHARES: [(&str, Shares); 2] = [("capacity", Shares::Capacity), ("pace", Shares::Pace)];
const ORDERS: [(&str, Order); 2] = [("due", Order::Due), ("value", Order::Value)];

/// What a word stands for.
fn one_of<T: Copy>(
    name: &'static str,
    word: &str,
    all: &[(&str, T)],
    words: &'static str,
) -> Result<T, BadPolicy> {
    let found = all.iter().find(|(known, _)| *known == word);
    found.map(|(_, value)| *value).ok_or(BadPolicy::Value(name, words))
}

/// The word that stands for a value.
fn word_of<T: PartialEq>(value: T, all: &[(&str, T)]) -> String {
    let found = all.iter().find(|(_, known)| *known == value);
    found.map_or_else(String::new, |(word, _)| (*word).to_owned())
}

fn yes_or_no(name: &'static str, value: &str) -> Result<bool, BadPolicy> {
    match value {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(BadPolicy::Value(name, "`yes` or `no`")),
    }
}

/// Rules with `;` between them.
fn rules<T: std::str::FromStr<Err = String>>(
    name: &'static str,
    value: &str,
) -> Result<Vec<T>, BadPolicy> {
    let parts = value.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_err(|error| BadPolicy::Rule(name, error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_told_as_it_is_set() {
        let set = [
            ("overlap", "2"),
            ("limit", "4"),
            ("rule", "one-coin"),
            ("sure_percent", "80"),
            ("witness", "champion"),
            ("copies", "pooled"),
            ("agents", "vote"),
            ("shares", "pace"),
            ("order", "value"),
            ("worth", "copies"),
            ("learn_percent", "20"),
            ("on", "verdict,label"),
            ("sla_hours", "12"),
            ("encrypt", "yes"),
            ("require", "rationale on override; check logs always"),
            ("hide", "prediction until answer; precedents until submit"),
            ("gold_percent", "5"),
            ("repeat_percent", "6"),
            ("repeat_days", "7"),
            ("guards", "no"),
            ("break_minutes", "45"),
            ("training", "8:75"),
            ("training_required", "yes"),
            ("escalation", "1:2:3"),
            ("alert", "alpha < 0.6; open > 500; accuracy < 0.85 by day"),
            ("owner", "ana"),
            ("auto_submit", "yes"),
            ("copy", "no"),
            ("audit_days", "90"),
            ("countersign", "weekly"),
        ];
        assert_eq!(set.map(|(name, _)| name), NAMES.map(|(name, _)| name), "none is forgotten");
        let mut policy = Policy::default();
        for (name, value) in set {
            let before = policy.get(name).unwrap();
            policy.set(name, &before).unwrap();
            assert_eq!(policy.get(name).unwrap(), before, "{name} as it is at first");
            policy.set(name, value).unwrap();
            assert_eq!(policy.get(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(policy.get("nosuch"), None);
    }

    #[test]
    fn values_are_set_by_name_and_checked() {
        let mut policy = Policy::default();
        policy.set("overlap", "4").unwrap();
        assert_eq!((policy.overlap, policy.limit), (4, 4), "the limit is never under the overlap");
        policy.set("on", "label, verdict").unwrap();
        assert_eq!(policy.on, ["label", "verdict"]);
        policy.set("require", "rationale on override; confidence always;").unwrap();
        policy.set("hide", "prediction until answer").unwrap();
        policy.set("training", "12:90").unwrap();
        assert_eq!((policy.require.len(), policy.hide.len(), policy.training.cases), (2, 1, 12));
        let json = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
        assert!(
            policy.training.passes(11, 12)
                && !policy.training.passes(10, 12)
                && !policy.training.passes(11, 11)
        );
        assert!(
            NAMES
                .iter()
                .all(|(name, _)| policy.set(name, "?")
                    != Err(BadPolicy::Unknown((*name).to_owned())))
        );
        assert!(
            policy.set("rule", "loudest").is_err()
                && policy.set("overlap", "0").is_err()
                && policy.set("x", "").is_err()
        );
    }
}
