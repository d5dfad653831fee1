//! Old labels under a newer version: what each would come to, without changing any.

use super::Protocol;
use super::walk::{Walked, settle, walk};
use crate::domain::label::{Label, Outcome, Step};

/// What becomes of a label under another version.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// The same outcome, by the names of the newer version.
    Unchanged,
    /// Its answers lead to another outcome.
    Changed { from: Outcome, to: Outcome },
    /// This question was not asked then.
    Needs(String),
    /// This question no longer takes the answer that was given.
    Stuck { question: String, answer: String },
}

/// Walks a label's answers through the last of `chain`: all versions after the label's own, oldest
/// first.
pub fn replay(chain: &[&Protocol], label: &Label, predicted: Option<&str>) -> Fate {
    let Some(newest) = chain.last() else { return Fate::Unchanged };
    match walk(newest, &translated(chain, &label.path)).end {
        Walked::Asks(question) => Fate::Needs(question.id.clone()),
        Walked::Stuck { question, answer } => Fate::Stuck { question: question.id.clone(), answer },
        Walked::Ends(outcome) => {
            let (from, to) = (renamed(chain, &label.outcome), newest.outcome(outcome, predicted));
            if from == to {
                Fate::Unchanged
            } else {
                Fate::Changed { from: label.outcome.clone(), to }
            }
        }
    }
}

/// Old answers by the names of the last of `chain`.
pub fn translated(chain: &[&Protocol], answers: &[Step]) -> Vec<Step> {
    chain
        .iter()
        .fold(answers.to_vec(), |answers, protocol| protocol.renames.steps(protocol, &answers))
}

/// An old outcome by the names of the last of `chain`.
pub fn renamed(chain: &[&Protocol], outcome: &Outcome) -> Outcome {
    chain
        .iter()
        .fold(outcome.clone(), |outcome, protocol| protocol.renames.outcome(protocol, &outcome))
}

impl Protocol {
    /// What a walk that ended comes to for a case whose model predicted `label`. A model may still
    /// say old names.
    pub fn outcome(&self, walked: Outcome, label: Option<&str>) -> Outcome {
        self.renames.labels_of(self, settle(walked, label))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::CaseId;
    use crate::domain::label::MAIN_ROUND;
    use crate::domain::protocol::parse;

    const OLD: &str = r#"
id = "p"
title = "t"
start = "fits"
labels = ["pay", "pay_bill", "call"]
[require]
fields = ["verdict"]
[[question]]
id = "fits"
ask = "Does it fit?"
answers = [
  { key = "y", text = "Yes", set = { verdict = "right", label = "{prediction}" } },
  { key = "n", text = "No", goto = "which" },
]
[[question]]
id = "which"
ask = "Which?"
kind = "label"
sets = "label"
set = { verdict = "wrong" }
"#;

    fn label(protocol: &Protocol, answers: &[(&str, &str)], predicted: &str) -> Option<Label> {
        let answers: Vec<Step> =
            answers.iter().map(|(q, a)| (q.to_string(), a.to_string())).collect();
        let walked = walk(protocol, &answers);
        let Walked::Ends(outcome) = walked.end else { return None };
        let outcome = protocol.outcome(outcome, Some(predicted));
        Some(Label {
            path: walked.path,
            outcome,
            ..Label::empty(CaseId([0; 16]), "ana", MAIN_ROUND, protocol.reference(1))
        })
    }

    #[test]
    fn each_fate_is_told() {
        let old = parse(OLD, None).unwrap();
        let fate = |new: &str, answers: &[(&str, &str)], predicted: &str| {
            let new = parse(new, None).unwrap();
            replay(&[&new], &label(&old, answers, predicted).unwrap(), Some(predicted))
        };
        let merged = OLD
            .replace("\"pay_bill\", ", "")
            .replace("[require]", "[rename.labels]\npay_bill = \"pay\"\n[require]");
        assert_eq!(fate(&merged, &[("fits", "n"), ("which", "pay_bill")], "call"), Fate::Unchanged);
        assert_eq!(
            fate(&merged, &[("fits", "y")], "pay_bill"),
            Fate::Unchanged,
            "the model may still say the old name"
        );
        let gone = OLD.replace("\"pay_bill\", ", "");
        let stuck = Fate::Stuck { question: "which".to_owned(), answer: "pay_bill".to_owned() };
        assert_eq!(fate(&gone, &[("fits", "n"), ("which", "pay_bill")], "call"), stuck);
        let other = OLD.replace("\"right\"", "\"model_correct\"");
        assert!(
            matches!(fate(&other, &[("fits", "y")], "call"), Fate::Changed { to, .. } if to["verdict"] == "model_correct")
        );
        let more = OLD.replace("verdict = \"right\", ", "")
            + "[[question]]\nid = \"sure\"\nask = \"?\"\nkind = \"scale\"\nsets = \"verdict\"\n";
        let more = more.replace(
            "set = { label = \"{prediction}\" }",
            "goto = \"sure\", set = { label = \"{prediction}\" }",
        );
        assert_eq!(fate(&more, &[("fits", "y")], "call"), Fate::Needs("sure".to_owned()));
        assert_eq!(fate(&more, &[("fits", "n"), ("which", "call")], "call"), Fate::Unchanged);
        let many = |answers: &str| {
            let kind = format!("kind = \"multi\"\nsets = \"why\"\nanswers = [{answers}]");
            OLD.replace("kind = \"label\"\nsets = \"label\"", &kind)
        };
        let a = parse(&many("{ key = \"a\", text = \"A\" }, { key = \"b\", text = \"B\" }"), None)
            .unwrap();
        let x = many("{ key = \"x\", text = \"A\" }, { key = \"b\", text = \"B\" }");
        let x = x.replace("[require]", "[rename.answers]\nwhich = { a = \"x\" }\n[require]");
        let given = label(&a, &[("fits", "n"), ("which", "a,b")], "call").unwrap();
        let fate_of_many = replay(&[&parse(&x, None).unwrap()], &given, Some("call"));
        assert_eq!(fate_of_many, Fate::Unchanged, "a key of several has another name");
        let named = OLD
            .replace("\"which\"", "\"label\"")
            .replace("[require]", "[rename]\nquestions = { which = \"label\" }\n[require]");
        assert_eq!(fate(&named, &[("fits", "n"), ("which", "call")], "pay"), Fate::Unchanged);
    }

    proptest! {
        #[test]
        fn a_version_on_itself_changes_nothing(
            fits in "[yn]", which in "(pay|pay_bill|call)", predicted in "(pay|pay_bill|call|other)"
        ) {
            let old = parse(OLD, None).unwrap();
            let merged = OLD.replace("\"pay_bill\", ", "").replace("[require]", "[rename.labels]\npay_bill = \"pay\"\n[require]");
            for protocol in [old, parse(&merged, None).unwrap()] {
                if let Some(label) = label(&protocol, &[("fits", &fits), ("which", &which)], &predicted) {
                    prop_assert_eq!(replay(&[&protocol], &label, Some(&predicted)), Fate::Unchanged);
                }
            }
        }
    }
}
