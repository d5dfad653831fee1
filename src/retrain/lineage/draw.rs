//! The graph in the languages of drawing programs: DOT and Mermaid. Names from outside stand in
//! quotes, with nothing in them that would end these.

use super::Lineage;
use crate::domain::text::visible;

fn quoted(text: &str) -> String {
    let text = visible(text).into_owned();
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

pub fn dot(lineage: &Lineage) -> String {
    let mut out = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
    for node in &lineage.nodes {
        let bold = if node.id == lineage.focus { ", style=bold" } else { "" };
        out.push_str(&format!(
            "  \"{}\" [label=\"{}\\n{}\"{bold}];\n",
            quoted(&node.id),
            node.kind,
            quoted(&node.text)
        ));
    }
    for edge in &lineage.edges {
        out.push_str(&format!(
            "  \"{}\" -> \"{}\" [label=\"{}\"];\n",
            quoted(&edge.from),
            quoted(&edge.to),
            edge.why
        ));
    }
    out.push_str("}\n");
    out
}

pub fn mermaid(lineage: &Lineage) -> String {
    let mut out = String::from("flowchart LR\n");
    let place = |id: &str| lineage.nodes.iter().position(|node| node.id == id);
    for (number, node) in lineage.nodes.iter().enumerate() {
        let text = visible(&node.text).replace('"', "#quot;").replace('\n', " ");
        out.push_str(&format!("  n{number}[\"{}: {text}\"]\n", node.kind));
    }
    for edge in &lineage.edges {
        let (Some(from), Some(to)) = (place(&edge.from), place(&edge.to)) else { continue };
        out.push_str(&format!("  n{from} -- {} --> n{to}\n", edge.why));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::examples::small;
    use super::*;

    #[test]
    fn names_from_outside_end_no_quotes() {
        let drawn = dot(&small());
        assert!(drawn.contains("[label=\"case\\n\\\"case:1\\\"\", style=bold]"), "{drawn}");
        assert!(mermaid(&small()).contains("n1[\"case: #quot;case:1#quot;\"]"));
    }
}
