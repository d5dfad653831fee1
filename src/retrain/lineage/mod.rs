//! What led to what: from a detection to the deployed fix, and back. A graph of things with who did
//! them, when, and in which entry of the journal; and the forms in which others read it.

pub mod draw;
pub mod openlineage;
pub mod prov;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::domain::time::Moment;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub id: String,
    /// `case`, `label`, `ruling`, `row`, `cut`, `run`, `gate`, `waiver`, `deployment`, `outcome`,
    /// `alarm`, `proposal`, `prediction`.
    pub kind: &'static str,
    pub at: Option<Moment>,
    pub by: Option<String>,
    /// The event that says so.
    pub entry: Option<String>,
    pub text: String,
}

impl Serialize for Node {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'n> {
            id: &'n str,
            kind: &'n str,
            at: Option<String>,
            by: Option<&'n str>,
            entry: Option<&'n str>,
            text: &'n str,
        }
        let at = self.at.map(Moment::rfc3339);
        let (by, entry) = (self.by.as_deref(), self.entry.as_deref());
        Written { id: &self.id, kind: self.kind, at, by, entry, text: &self.text }.serialize(to)
    }
}

/// That one thing led to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    pub from: String,
    pub to: String,
    pub why: &'static str,
}

/// Kinds that the deed before them names.
const TOLD_BY_DEED: &[&str] = &["label", "ruling", "outcome", "waiver", "deployment"];

/// Everything that has to do with one thing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lineage {
    /// What was asked about.
    pub focus: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

/// A line of the tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Branches before it.
    pub branch: String,
    pub node: usize,
    pub why: Option<&'static str>,
    /// It stands elsewhere with what hangs on it.
    pub again: bool,
}

impl Lineage {
    pub fn add(&mut self, node: Node) -> String {
        let id = node.id.clone();
        if !self.nodes.iter().any(|known| known.id == id) {
            self.nodes.push(node);
        }
        id
    }

    pub fn link(&mut self, from: &str, to: &str, why: &'static str) {
        let edge = Edge { from: from.to_owned(), to: to.to_owned(), why };
        if from != to && !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }

    pub fn knows(&self, id: &str) -> bool {
        self.nodes.iter().any(|node| node.id == id)
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// What led to the focus and what it led to, as a tree: the causes first, then the thing, then
    /// what came of it.
    pub fn tree(&self) -> Vec<Row> {
        let Some(focus) = self.place(&self.focus) else { return Vec::new() };
        let mut back: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
        let mut forward: BTreeMap<&str, Vec<&Edge>> = BTreeMap::new();
        for edge in &self.edges {
            back.entry(&edge.to).or_default().push(edge);
            forward.entry(&edge.from).or_default().push(edge);
        }
        let mut rows = Vec::new();
        let mut seen = BTreeSet::from([focus]);
        // Causes, the farthest first.
        let mut causes = Vec::new();
        let mut at = vec![(focus, 0_usize)];
        while let Some((node, depth)) = at.pop() {
            for edge in back.get(self.nodes[node].id.as_str()).into_iter().flatten() {
                let Some(cause) = self.place(&edge.from) else { continue };
                if seen.insert(cause) {
                    causes.push((depth + 1, cause, edge.why));
                    at.push((cause, depth + 1));
                }
            }
        }
        causes.sort_by_key(|(depth, node, _)| (std::cmp::Reverse(*depth), *node));
        for (_, node, why) in causes {
            rows.push(Row { branch: "↑ ".to_owned(), node, why: Some(why), again: false });
        }
        rows.push(Row { branch: String::new(), node: focus, why: None, again: false });
        self.below(focus, "", &forward, &mut seen, &mut rows);
        rows
    }

    fn below(
        &self,
        node: usize,
        lead: &str,
        forward: &BTreeMap<&str, Vec<&Edge>>,
        seen: &mut BTreeSet<usize>,
        rows: &mut Vec<Row>,
    ) {
        let edges = forward.get(self.nodes[node].id.as_str());
        let next: Vec<(usize, &'static str)> = edges
            .into_iter()
            .flatten()
            .filter_map(|edge| Some((self.place(&edge.to)?, edge.why)))
            .collect();
        for (number, (child, why)) in next.iter().enumerate() {
            let last = number + 1 == next.len();
            let again = !seen.insert(*child);
            rows.push(Row {
                branch: format!("{lead}{}", if last { "└─ " } else { "├─ " }),
                node: *child,
                why: Some(why),
                again,
            });
            if !again {
                let lead = format!("{lead}{}", if last { "   " } else { "│  " });
                self.below(*child, &lead, forward, seen, rows);
            }
        }
    }

    /// A line of the tree in words, its times as people read them.
    pub fn words(&self, row: &Row) -> String {
        let node = &self.nodes[row.node];
        let at = node.at.map_or(String::new(), |at| format!("  {}", at.minute()));
        let by = node.by.as_ref().map_or(String::new(), |by| format!(" by {by}"));
        let again = if row.again { "  (above)" } else { "" };
        // What was done says what it is: labeled, adjudicated, waived.
        let kind = match row.why {
            Some(_) if TOLD_BY_DEED.contains(&node.kind) => String::new(),
            _ => format!("{} ", node.kind),
        };
        let why = row.why.map_or(String::new(), |why| format!("{why} "));
        format!("{}{why}{kind}{}{at}{by}{again}", row.branch, node.text)
    }
}

#[cfg(test)]
pub mod examples {
    use super::*;

    /// A case, its label, a cut, a run.
    pub fn small() -> Lineage {
        let mut lineage = Lineage { focus: "case:1".to_owned(), ..Lineage::default() };
        let mut node = |id: &str, kind| {
            lineage.add(Node {
                id: id.to_owned(),
                kind,
                at: Some(Moment(1_780_300_800_000)),
                by: Some("ana".to_owned()),
                entry: None,
                text: format!("\"{id}\""),
            })
        };
        let ids: Vec<String> = [
            ("alarm:1", "alarm"),
            ("case:1", "case"),
            ("label:1", "label"),
            ("cut:1", "cut"),
            ("run:1", "run"),
        ]
        .map(|(id, kind)| node(id, kind))
        .to_vec();
        for (pair, why) in ids.windows(2).zip(["drew", "labeled", "in", "learned"]) {
            lineage.link(&pair[0], &pair[1], why);
        }
        lineage.link("case:1", "cut:1", "row of");
        lineage
    }

    #[test]
    fn the_tree_has_causes_above_and_what_came_of_it_below() {
        let lineage = small();
        let lines: Vec<String> = lineage.tree().iter().map(|row| lineage.words(row)).collect();
        assert!(lines[0].starts_with("↑ drew alarm"), "{lines:#?}");
        assert!(lines[1].starts_with("case"), "{lines:#?}");
        assert!(lines[2].starts_with("├─ labeled \"label"), "{lines:#?}");
        assert!(lines[4].starts_with("│     └─ learned run"), "{lines:#?}");
        assert!(lines[5].ends_with("(above)"), "{lines:#?}");
    }
}
