//! The manual: a page for each topic, read offline by `casework help TOPIC` and on the screen.

/// A page of the manual.
#[derive(Debug)]
pub struct Topic {
    pub name: &'static str,
    pub about: &'static str,
    pub text: &'static str,
}

const fn topic(name: &'static str, about: &'static str, text: &'static str) -> Topic {
    Topic { name, about, text }
}

/// All pages, in the order in which somebody new reads them.
pub static TOPICS: &[Topic] = &[
    topic(
        "start",
        "the first hour: a stream, a protocol, a label",
        include_str!("../../assets/help/start.md"),
    ),
    topic(
        "stream",
        "predictions, logs, rules that open cases, redaction",
        include_str!("../../assets/help/stream.md"),
    ),
    topic(
        "formats",
        "files of other programs, in and out",
        include_str!("../../assets/help/formats.md"),
    ),
    topic(
        "traps",
        "detection rules, samples, references, alarms, and what they are worth",
        include_str!("../../assets/help/traps.md"),
    ),
    topic(
        "plugins",
        "programs of your own: detectors, labelers, validators",
        include_str!("../../assets/help/plugins.md"),
    ),
    topic(
        "retraining",
        "training sets, runs, gates, deployments, outcomes, and the trace through them",
        include_str!("../../assets/help/retraining.md"),
    ),
    topic(
        "protocols",
        "decision trees, checklists, terms, gold items, training",
        include_str!("../../assets/help/protocols.md"),
    ),
    topic("screen", "the review screen", include_str!("../../assets/help/screen.md")),
    topic(
        "keys",
        "every key, and the name by which it is changed",
        include_str!("../../assets/help/keys.md"),
    ),
    topic("linear", "the review line by line", include_str!("../../assets/help/linear.md")),
    topic(
        "agreement",
        "inter-annotator agreement, disagreements, consensus",
        include_str!("../../assets/help/agreement.md"),
    ),
    topic(
        "adjudication",
        "rulings on disputed cases, appeals, who sees what",
        include_str!("../../assets/help/adjudication.md"),
    ),
    topic(
        "calibration",
        "sessions in which people label the same cases blind",
        include_str!("../../assets/help/calibration.md"),
    ),
    topic(
        "work",
        "what is due, and how reliable people are",
        include_str!("../../assets/help/work.md"),
    ),
    topic(
        "team",
        "a shared store, who may do what, erasure, backups",
        include_str!("../../assets/help/team.md"),
    ),
    topic(
        "serve",
        "reviewers over SSH, with nothing installed on their side",
        include_str!("../../assets/help/serve.md"),
    ),
    topic(
        "export",
        "what an exported row holds, key by key",
        include_str!("../../assets/help/export.md"),
    ),
    topic("trust", "verifying, signatures, audits", include_str!("../../assets/help/trust.md")),
    topic(
        "commands",
        "every command, with an example",
        include_str!("../../assets/help/commands.md"),
    ),
];

/// A page by its name.
pub fn named(name: &str) -> Option<&'static Topic> {
    TOPICS.iter().find(|topic| topic.name == name)
}
