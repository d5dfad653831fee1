//! What can be done about an error: for commands as commands, for the screen and linear mode as
//! actions, which each spells as its key or its command.

use super::{DbError, WorkError};
use crate::config::ConfigError;
use crate::domain::calibration::Stage;
use crate::domain::text::visible;
use crate::intake::IntakeError;
use crate::journal::JournalError;
use crate::sync::{StoreError, SyncError, Trouble};

/// An error as a person is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub words: String,
    /// What they can do. An action in braces stands for the key or the command that does it.
    pub hint: &'static str,
}

impl From<&str> for Told {
    fn from(words: &str) -> Self {
        Self { words: words.to_owned(), hint: "" }
    }
}

impl From<String> for Told {
    fn from(words: String) -> Self {
        Self { words, hint: "" }
    }
}

impl WorkError {
    /// What happened and what to do next, for where a person is at work: the step is one that can be
    /// taken there, and a command only where there is none.
    pub fn told(&self) -> Told {
        let words = self.to_string();
        match (self.step_at_work(), self.next_step()) {
            (Some(hint), _) => Told { words, hint },
            (None, Some(step)) => {
                Told { words: format!("{}. {step}", words.trim_end_matches('.')), hint: "" }
            }
            (None, None) => Told { words, hint: "" },
        }
    }

    /// What to do next on the screen or line by line, if anything can be done there: actions stand
    /// in braces, for each of the two to name its key or its command.
    fn step_at_work(&self) -> Option<&'static str> {
        Some(match self {
            WorkError::NoCase(_) => "{filter} and {view} list cases.",
            WorkError::NoConflict(_) => {
                "{view} shows disputed cases; {undo} undoes your own label."
            }
            WorkError::NoRuling(_) | WorkError::NotOverruled(_) | WorkError::AppealedAlready(_) => {
                "{overruled} lists where you were overruled; {comment} says more."
            }
            WorkError::NoRationale => "Say why, in words that can be read.",
            WorkError::NotLabeled(_) => "Label it first: the label becomes the gold item.",
            WorkError::NoSession(_)
            | WorkError::NotInvited { .. }
            | WorkError::NotOfSession { .. } => "{sessions} lists them, with who takes part.",
            WorkError::SessionStage(_, Stage::Blind) | WorkError::Hidden(_) => {
                "{sessions} lists them: a lead ends the blind round there, by {reveal}."
            }
            WorkError::SessionStage(_, Stage::Closed) => {
                "{sessions} lists them: {findings} says what it found."
            }
            WorkError::SessionUnderWay { .. } => "{sessions} shows who has not labeled every case.",
            WorkError::Stranger(_)
            | WorkError::SeveralAsk(_)
            | WorkError::Journal(JournalError::NotAllowed { retired: false, .. }) => {
                "{people} lists names; a lead admits them there."
            }
            _ => return None,
        })
    }

    /// What to do next, in a sentence; commands are named as they are typed.
    pub fn next_step(&self) -> Option<String> {
        let db = match self {
            WorkError::Db(db)
            | WorkError::Journal(JournalError::Db(db))
            | WorkError::Intake(IntakeError::Db(db)) => Some(db),
            _ => None,
        };
        let words = match (db, self) {
            (Some(DbError::Missing(_)), _) => {
                "Found one with `casework init --name TEAM --as YOU`, or look around with `casework demo`."
            }
            (Some(DbError::Newer { .. }), _) => {
                "Install a newer casework; this one changes nothing in it."
            }
            (Some(DbError::Locked(_)), _) => {
                "Another casework is writing for long: wait for it, or see `casework doctor`."
            }
            (Some(DbError::Damaged(..)), _) => {
                "Keep the file as it is. Put a copy of `casework backup` in its place, or join the team's store again: \
             casework join URL --as YOU --workspace NEWDIR. What was synced is there."
            }
            (Some(DbError::Empty(_)), _) => {
                "This device's key is still beside it. Put a copy of `casework backup` in its place, or join the team's store \
             again: casework join URL --as YOU --workspace NEWDIR. What was synced is there."
            }
            (Some(DbError::Foreign(_)), _) => "Name another directory with --workspace.",
            (Some(DbError::Full(_)), _) => {
                "Make room and do it again; what was saved before is safe."
            }
            (Some(DbError::ReadOnly(..)), _) => {
                "The directory and the file must be writable for you."
            }
            (_, WorkError::Stranger(name)) => {
                return Some(format!(
                    "`casework roster show` lists names; a lead can admit them: `casework roster admit {} --role ROLE`.",
                    visible(name)
                ));
            }
            (_, WorkError::NoCase(_)) => "`casework queue` and `casework search TEXT` list cases.",
            (_, WorkError::NoChanges { .. }) => {
                "Say it in a line, for the reviewers: --changes \"asks for the cost of a wrong answer\"."
            }
            (_, WorkError::RenameDropped { old, new, .. }) => {
                return Some(format!(
                    "Keep it, for models that still say it: [rename] labels = {{ {} = \"{}\" }}.",
                    visible(old),
                    visible(new)
                ));
            }
            (_, WorkError::TermsInUse(_)) => {
                "Put them in, or publish protocols first that do not use them."
            }
            (_, WorkError::PolicyField(_)) => {
                "`casework protocol show` lists the fields that protocols set."
            }
            (_, WorkError::NoSuchProtocol(_)) => {
                "`casework protocol show` lists those that are published."
            }
            (_, WorkError::NoConflict(_)) => {
                "`casework arbitrate` lists what waits to be settled; an undisputed label is taken back with `undo`."
            }
            (
                _,
                WorkError::NoRuling(_) | WorkError::NotOverruled(_) | WorkError::AppealedAlready(_),
            ) => {
                "`casework rulings --overruled` lists where you were overruled; `casework comment CASE TEXT` says more."
            }
            (_, WorkError::NoRationale) => "--rationale TEXT",
            (_, WorkError::NoVerdict) => {
                "--take SIDE, --outcome FIELD=VALUE, or --answer QUESTION=VALUE"
            }
            (_, WorkError::NoQuestion(_) | WorkError::NotAQuestion { .. }) => {
                "--change QUESTION or --change QUESTION=TEXT; `casework protocol show` lists them."
            }
            (_, WorkError::Required { field, .. }) => {
                return Some(format!(
                    "Add --outcome {}=VALUE, or walk it: --answer QUESTION=VALUE.",
                    visible(field)
                ));
            }
            (
                _,
                WorkError::NoField { .. } | WorkError::NoLabel { .. } | WorkError::NoValue { .. },
            ) => "`casework protocol show` lists fields and labels.",
            (_, WorkError::LeadsOnly) => "Without --roster it shows yours.",
            (_, WorkError::NoSession(_) | WorkError::SessionExists(_)) => {
                "`casework calibrate` lists them."
            }
            (_, WorkError::SessionOfOne) => {
                "Name them: --reviewers ana,bo; `casework roster show` lists who reviews."
            }
            (_, WorkError::SessionEmpty) => "Choose others: --random N takes any.",
            (_, WorkError::SessionStage(_, Stage::Blind)) => {
                "`casework calibrate reveal NAME` ends the first round."
            }
            (_, WorkError::SessionStage(_, Stage::Discussion)) => {
                "`casework calibrate close NAME` ends the second round."
            }
            (_, WorkError::SessionStage(_, Stage::CalledOff)) => {
                "Nothing of it was revealed: open another."
            }
            (_, WorkError::SessionStage(_, Stage::Closed)) => {
                "`casework calibrate findings NAME` says what it found; open another."
            }
            (_, WorkError::SessionUnderWay { .. }) => {
                "`casework calibrate show NAME` says who; --early reveals it all the same."
            }
            (_, WorkError::NotInvited { .. } | WorkError::NotOfSession { .. }) => {
                "`casework calibrate show NAME --json` lists reviewers and cases."
            }
            (_, WorkError::Hidden(_)) => "`casework calibrate reveal NAME` ends the first round.",
            (_, WorkError::NotLabeled(_)) => "Label it first: the label becomes the gold item.",
            (_, WorkError::NoProtocol(_)) => "Publish one with `casework protocol publish FILE`.",
            (_, WorkError::Incomplete(_)) => {
                "Answer with --answer QUESTION=VALUE, check with --check ITEM; `casework protocol show` lists them."
            }
            (_, WorkError::Rule(_)) => {
                "Rules are CEL, as in --where 'confidence < 0.4 && label != \"oos\"'; `casework ingest --help` lists the names."
            }
            (
                _,
                WorkError::Journal(JournalError::NotAllowed { author, retired, .. })
                | WorkError::Intake(IntakeError::Journal(JournalError::NotAllowed {
                    author,
                    retired,
                    ..
                })),
            ) => {
                if *retired {
                    return Some(
                        "Who was retired comes back by joining again: casework join URL --as NAME --workspace DIR.".to_owned(),
                    );
                }
                return Some(format!(
                    "A lead can let them: `casework roster admit {} --role ROLE`.",
                    visible(author)
                ));
            }
            (_, WorkError::Config(ConfigError::Parse { .. } | ConfigError::Value { .. })) => {
                "`casework paths --default-config` prints every option."
            }
            (_, WorkError::Sync(SyncError::Store(StoreError { trouble, .. }))) => {
                return trouble_hint(*trouble).map(str::to_owned);
            }
            (_, WorkError::Sync(SyncError::OtherWorkspace { .. })) => {
                "Nothing was written there. Name another store with --store URL, or join that workspace in another directory."
            }
            (_, WorkError::Taken { store, .. }) => {
                return Some(format!(
                    "Join it with `casework join {} --as YOU`, or name another place.",
                    visible(store)
                ));
            }
            (_, WorkError::NothingThere { .. }) => {
                "A lead founds one there: `casework init --name TEAM --as NAME --store URL`, or `casework sync --store URL`."
            }
            (_, WorkError::AnotherThere { .. }) => {
                "Ask the lead which is yours; without --id you join the one that is there."
            }
            (_, WorkError::SeveralThere { .. }) => {
                "Say which: --id and the first digits of its id, as the lead tells you."
            }
            (_, WorkError::NoSecret) => {
                "Sync: a lead's or an engineer's device gives it to those that were admitted."
            }
            (_, WorkError::NoStore) => {
                "Name one: `casework sync --store URL`. A directory that all can reach will do."
            }
            (_, WorkError::SeveralAsk(_)) => {
                "`casework roster show` lists their keys; name the right one with --device and the first digits of its id."
            }
            (_, WorkError::NoDevice(_)) => "`casework roster show` lists devices.",
            (_, WorkError::LastLead(_)) => {
                "Admit another lead first: `casework roster admit NAME --role lead`."
            }
            (_, WorkError::Exists(_)) => {
                "Open it with `casework --workspace DIR`, or choose another directory."
            }
            _ => return None,
        };
        Some(words.to_owned())
    }
}

/// What to do about trouble with a store.
fn trouble_hint(trouble: Trouble) -> Option<&'static str> {
    Some(match trouble {
        Trouble::Url => "See `casework init --help` for the forms of a URL.",
        Trouble::Feature => "The other stores work in this one: a directory, or sftp://.",
        Trouble::Unreachable => {
            "Work goes on without it; `casework sync` takes up where it stopped."
        }
        Trouble::Denied => {
            "Look at the credentials: ssh agent, AWS_… or ~/.aws, GOOGLE_…, AZURE_…, PGPASSWORD or ~/.pgpass. Work goes on without."
        }
        Trouble::ReadOnly => {
            "It can be read, not written: what is new here waits until that changes."
        }
        Trouble::Full => "Make room there; what is new here waits.",
        Trouble::Missing => "Check the name in the URL.",
        Trouble::Foreign => "Name another place, so that nothing of others is touched.",
        Trouble::Unfit => "Use another store: work could be lost on this one.",
        Trouble::Other => return None,
    })
}
