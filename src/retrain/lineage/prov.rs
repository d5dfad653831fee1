//! The graph as PROV-JSON (<https://www.w3.org/submissions/prov-json/>): things are entities, what
//! was done are activities, people are agents.

use serde_json::{Map, Value, json};

use super::{Lineage, Node};

/// Kinds that are something done, and not something made.
const DONE: &[&str] = &["run", "gate", "waiver", "deployment"];

fn name(id: &str) -> String {
    let plain =
        |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    format!("casework:{}", id.chars().map(plain).collect::<String>())
}

fn is_done(node: &Node) -> bool {
    DONE.contains(&node.kind)
}

pub fn document(lineage: &Lineage, workspace: &str) -> Value {
    let (mut entities, mut activities, mut agents) = (Map::new(), Map::new(), Map::new());
    let (mut attributed, mut associated) = (Map::new(), Map::new());
    for node in &lineage.nodes {
        let at = node.at.map(|at| at.rfc3339());
        let own = name(&node.id);
        if is_done(node) {
            let mut about = json!({ "prov:type": node.kind, "prov:label": node.text, "casework:entry": node.entry });
            if let Some(at) = at {
                about["prov:startTime"] = json!(at);
            }
            drop_nulls(&mut about);
            activities.insert(own.clone(), about);
        } else {
            let mut about = json!({ "prov:type": node.kind, "prov:label": node.text, "casework:entry": node.entry, "casework:at": at });
            drop_nulls(&mut about);
            entities.insert(own.clone(), about);
        }
        if let Some(by) = &node.by {
            let agent = name(&format!("person.{by}"));
            agents.insert(agent.clone(), json!({ "prov:type": "prov:Person", "prov:label": by }));
            let number = attributed.len() + associated.len();
            if is_done(node) {
                associated.insert(
                    format!("_:a{number}"),
                    json!({ "prov:activity": own, "prov:agent": agent }),
                );
            } else {
                attributed.insert(
                    format!("_:t{number}"),
                    json!({ "prov:entity": own, "prov:agent": agent }),
                );
            }
        }
    }
    let of = |id: &str| lineage.nodes.iter().find(|node| node.id == id);
    let (mut used, mut generated, mut derived, mut informed) =
        (Map::new(), Map::new(), Map::new(), Map::new());
    for (number, edge) in lineage.edges.iter().enumerate() {
        let (Some(from), Some(to)) = (of(&edge.from), of(&edge.to)) else { continue };
        let (one, two) = (name(&edge.from), name(&edge.to));
        let id = format!("_:e{number}");
        match (is_done(from), is_done(to)) {
            (false, true) => used.insert(id, json!({ "prov:activity": two, "prov:entity": one })),
            (true, false) => {
                generated.insert(id, json!({ "prov:entity": two, "prov:activity": one }))
            }
            (false, false) => {
                derived.insert(id, json!({ "prov:generatedEntity": two, "prov:usedEntity": one }))
            }
            (true, true) => {
                informed.insert(id, json!({ "prov:informed": two, "prov:informant": one }))
            }
        };
    }
    let mut document = json!({ "prefix": { "casework": format!("urn:casework:{workspace}:"), "prov": "http://www.w3.org/ns/prov#" } });
    for (key, part) in [
        ("entity", entities),
        ("activity", activities),
        ("agent", agents),
        ("used", used),
        ("wasGeneratedBy", generated),
        ("wasDerivedFrom", derived),
        ("wasInformedBy", informed),
        ("wasAttributedTo", attributed),
        ("wasAssociatedWith", associated),
    ] {
        if !part.is_empty() {
            document[key] = Value::Object(part);
        }
    }
    document
}

fn drop_nulls(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::small;
    use super::*;

    #[test]
    fn what_was_done_uses_what_was_made() {
        let document = document(&small(), "w");
        assert_eq!(document["activity"].as_object().unwrap().len(), 1);
        assert_eq!(document["used"]["_:e3"]["prov:entity"], "casework:cut_1");
        assert!(document["wasDerivedFrom"].as_object().unwrap().len() >= 3);
    }
}
