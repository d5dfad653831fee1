//! A protocol drawn: as a list, as a tree, for Graphviz and for Mermaid.

use super::{Answer, Consequence, Protocol, Question, QuestionKind};
use crate::domain::label::outcome_words;

/// A line of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeLine {
    /// Branches before the words.
    pub branch: String,
    pub words: String,
    /// The question that it asks, or of which it is an answer.
    pub question: usize,
    /// The key of the answer; none on a question's own line.
    pub answer: Option<String>,
}

impl Protocol {
    /// The questions in indented words, in the order written.
    pub fn outline(&self) -> String {
        let mut out = format!("{} · {}\n", self.id, self.title);
        for question in &self.questions {
            out.push_str(&format!("{}  {}\n", question.id, question.ask));
            if let Some(when) = &question.when {
                out.push_str(&format!("  only when {}\n", when.describe(&self.questions)));
            }
            for (i, answer) in question.kind.answers().iter().enumerate() {
                let leads = match question.kind {
                    QuestionKind::Choice(_) => self.consequence_words(&answer.then),
                    _ if answer.then.set.is_empty() => String::new(),
                    _ => outcome_words(&answer.then.set),
                };
                out.push_str(
                    format!("  {}  {} ({})  {leads}", i + 1, answer.text, answer.key).trim_end(),
                );
                out.push('\n');
            }
            if let Some((what, then)) = self.one_way(question) {
                out.push_str(&format!("  {what}  {}\n", self.consequence_words(then)));
            }
        }
        for item in &self.checklist {
            let must = if item.required { "required" } else { "optional" };
            out.push_str(&format!("[ ] {} ({}, {must})\n", item.text, item.id));
        }
        out
    }

    /// What is answered to a question whose answers all lead to one place, and where that is.
    fn one_way<'p>(&self, question: &'p Question) -> Option<(String, &'p Consequence)> {
        let then = question.kind.consequences().last()?;
        let what = match &question.kind {
            QuestionKind::Choice(_) => return None,
            QuestionKind::Multi { least, most, sets, .. } => {
                let how_many = if least == most {
                    format!("{least} of these")
                } else {
                    format!("{least} to {most} of these")
                };
                sets.as_ref().map_or(how_many.clone(), |field| format!("{how_many} set {field}"))
            }
            QuestionKind::Label { sets, .. } => match self.labels.len() {
                0 => format!("any label sets {sets}"),
                count => format!("one of {count} labels sets {sets}"),
            },
            QuestionKind::Scale { least, most, low, high, sets, .. } => {
                let word =
                    |word: &str| if word.is_empty() { String::new() } else { format!(" ({word})") };
                format!("{least}{} to {most}{} sets {sets}", word(low), word(high))
            }
            QuestionKind::Number { unit, sets, .. } => {
                format!("a number{} sets {sets}", spaced(unit))
            }
            QuestionKind::Text { sets, .. } => format!("words set {sets}"),
            QuestionKind::Span { sets, .. } => format!("places in the case set {sets}"),
        };
        Some((what, then))
    }

    fn consequence_words(&self, then: &Consequence) -> String {
        let set = if then.set.is_empty() {
            String::new()
        } else {
            format!(" {}", outcome_words(&then.set))
        };
        match then.goto {
            Some(next) => format!("→ {}{set}", self.questions[next].id),
            None => format!("■{set}"),
        }
    }

    /// The tree from its root. What several answers lead to is drawn once, where it is come to
    /// first.
    pub fn tree(&self) -> Vec<TreeLine> {
        let mut lines = Vec::new();
        let mut drawn = vec![false; self.questions.len()];
        self.branch(self.start, "", &mut drawn, &mut lines);
        lines
    }

    fn branch(&self, at: usize, indent: &str, drawn: &mut [bool], lines: &mut Vec<TreeLine>) {
        let question = &self.questions[at];
        drawn[at] = true;
        let when = question
            .when
            .as_ref()
            .map(|when| format!("  [only when {}]", when.describe(&self.questions)))
            .unwrap_or_default();
        lines.push(TreeLine {
            branch: indent.to_owned(),
            words: format!("{}  {}{when}", question.id, question.ask),
            question: at,
            answer: None,
        });
        let one = self.one_way(question);
        let mut ways: Vec<(Option<&Answer>, String, &Consequence)> = Vec::new();
        match &one {
            Some((what, then)) => ways.push((None, what.clone(), then)),
            None => ways.extend(
                question
                    .kind
                    .answers()
                    .iter()
                    .map(|answer| (Some(answer), answer.text.clone(), &answer.then)),
            ),
        }
        if one.is_some() {
            for answer in question.kind.answers() {
                let set = if answer.then.set.is_empty() {
                    String::new()
                } else {
                    format!("  {}", outcome_words(&answer.then.set))
                };
                lines.push(TreeLine {
                    branch: format!("{indent}·  "),
                    words: format!("{}  {}{set}", answer.key, answer.text),
                    question: at,
                    answer: Some(answer.key.clone()),
                });
            }
        }
        let over = question.otherwise.filter(|over| question.when.is_some() && !drawn[*over]);
        let last = ways.len() - 1;
        for (i, (answer, words, then)) in ways.into_iter().enumerate() {
            let end = i == last && over.is_none();
            let (tick, deeper) = if end { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let key = answer.map(|answer| format!("{}  ", answer.key)).unwrap_or_default();
            let set = if then.set.is_empty() {
                String::new()
            } else {
                format!("  {}", outcome_words(&then.set))
            };
            let (leads, next) = match then.goto {
                Some(next) if drawn[next] => (format!("  → {}", self.questions[next].id), None),
                Some(next) => (String::new(), Some(next)),
                None => ("  ■".to_owned(), None),
            };
            lines.push(TreeLine {
                branch: format!("{indent}{tick}"),
                words: format!("{key}{words}{leads}{set}"),
                question: at,
                answer: answer.map(|answer| answer.key.clone()),
            });
            if let Some(next) = next {
                self.branch(next, &format!("{indent}{deeper}"), drawn, lines);
            }
        }
        if let Some(over) = over.filter(|over| !drawn[*over]) {
            let words = "otherwise".to_owned();
            lines.push(TreeLine {
                branch: format!("{indent}└─ "),
                words,
                question: at,
                answer: None,
            });
            self.branch(over, &format!("{indent}   "), drawn, lines);
        }
    }

    /// Arrows between questions: from, to (none: an end), and what stands on it.
    fn arrows(&self) -> Vec<(usize, Option<usize>, String)> {
        let mut arrows = Vec::new();
        for (at, question) in self.questions.iter().enumerate() {
            let set = |then: &Consequence| {
                if then.set.is_empty() {
                    String::new()
                } else {
                    format!(" / {}", outcome_words(&then.set))
                }
            };
            match self.one_way(question) {
                Some((what, then)) => arrows.push((at, then.goto, format!("{what}{}", set(then)))),
                None => arrows.extend(question.kind.answers().iter().map(|answer| {
                    (at, answer.then.goto, format!("{}{}", answer.text, set(&answer.then)))
                })),
            }
            if let Some(when) = &question.when {
                arrows.push((
                    at,
                    question.otherwise,
                    format!("unless {}", when.describe(&self.questions)),
                ));
            }
        }
        arrows
    }

    /// For Graphviz: `dot -Tsvg`.
    pub fn dot(&self) -> String {
        let quoted = |text: &str| {
            format!(
                "\"{}\"",
                text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
            )
        };
        let mut out =
            format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n", quoted(&self.id));
        for question in &self.questions {
            out.push_str(&format!(
                "  {} [label={}];\n",
                quoted(&question.id),
                quoted(&question.ask)
            ));
        }
        for (i, (from, to, words)) in self.arrows().into_iter().enumerate() {
            let from = quoted(&self.questions[from].id);
            let to = match to {
                Some(to) => quoted(&self.questions[to].id),
                None => {
                    let end = quoted(&format!("end {i}"));
                    out.push_str(&format!("  {end} [shape=point];\n"));
                    end
                }
            };
            out.push_str(&format!("  {from} -> {to} [label={}];\n", quoted(&words)));
        }
        out.push_str("}\n");
        out
    }

    /// For Mermaid: in Markdown, between ```` ```mermaid ```` and ```` ``` ````.
    pub fn mermaid(&self) -> String {
        let quoted = |text: &str| {
            format!(
                "\"{}\"",
                text.replace('#', "#35;").replace('"', "#quot;").replace(['\n', '\r'], " ")
            )
        };
        let mut out = "flowchart LR\n".to_owned();
        for (at, question) in self.questions.iter().enumerate() {
            out.push_str(&format!("  q{at}[{}]\n", quoted(&question.ask)));
        }
        for (i, (from, to, words)) in self.arrows().into_iter().enumerate() {
            let to = to.map_or_else(|| format!("end{i}((\" \"))"), |to| format!("q{to}"));
            out.push_str(&format!("  q{from} -- {} --> {to}\n", quoted(&words)));
        }
        out
    }
}

fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" of {unit}") }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    const SMALL: &str = r#"
id = "p"
title = "t"
start = "a"
[[question]]
id = "a"
ask = "Is it \"good\"?"
answers = [{ key = "y", text = "Yes", goto = "b" }, { key = "n", text = "No", goto = "b" }]
[[question]]
id = "b"
ask = "How?"
kind = "scale"
sets = "how"
when = { a = "y" }
"#;

    #[test]
    fn the_tree_is_drawn() {
        let protocol = parse(SMALL, None).unwrap();
        let lines: Vec<String> = protocol
            .tree()
            .into_iter()
            .map(|line| format!("{}{}", line.branch, line.words))
            .collect();
        let expect = [
            "a  Is it \"good\"?",
            "├─ y  Yes",
            "│  b  How?  [only when a is y]",
            "│  └─ 1 to 5 sets how  ■",
            "└─ n  No  → b",
        ];
        assert_eq!(lines, expect);
        assert!(protocol.dot().contains(r#""a" [label="Is it \"good\"?"];"#), "{}", protocol.dot());
        assert!(protocol.mermaid().contains("q0 -- \"Yes\" --> q1"), "{}", protocol.mermaid());
        assert!(protocol.mermaid().contains("unless a is y"));
    }
}
