//! UIMA's JSON CAS, as INCEpTION writes and reads it: a folder a document, in it a file an annotator, with
//! places as its layer of named entities has them. Places are counted in UTF-16 units.

use std::io;

use serde_json::{Map, Value, json};

use super::label_studio::utf16_at;
use super::spans::{Names, foreign};
use crate::format::foreign::{Foreign, LabelOptions, Labels, LabelsIn, Loss, characters};
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "uima-cas",
    about: "places in texts as JSON CAS for INCEpTION: a folder a case, a file a reviewer",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Documents { options, files: Names::without(&[CURATOR]) }),
};

/// The layer of INCEpTION for places with a name, and what it says of a document.
const ENTITY: &str = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity";
const DOCUMENT: &str = "de.tudarmstadt.ukp.dkpro.core.api.metadata.type.DocumentMetaData";
/// What stands before the id of a case.
const URN: &str = "urn:casework:case:";
/// What INCEpTION calls whoever curates.
const CURATOR: &str = "CURATION_USER";

struct Documents {
    options: PeerOptions,
    files: Names,
}

/// A type of annotation with features that are texts.
fn kind(name: &str, of: &str, features: &[&str]) -> Value {
    let mut kind = Map::new();
    kind.insert("%NAME".to_owned(), json!(name));
    kind.insert("%SUPER_TYPE".to_owned(), json!(of));
    for feature in features {
        let about = json!({ "%NAME": feature, "%RANGE": "uima.cas.String" });
        kind.insert((*feature).to_owned(), about);
    }
    Value::Object(kind)
}

impl Peer for Documents {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        let text = &about.text;
        let folder = self.files.file("", item);
        for given in item.given.iter().filter(|_| !about.erased) {
            let length = text.chars().count();
            let mut list = vec![
                json!({ "%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaID": "_InitialView",
                    "mimeType": "text", "sofaString": text }),
                json!({ "%ID": 2, "%TYPE": DOCUMENT, "@sofa": 1, "begin": 0, "end": utf16_at(text, length),
                    "language": "x-unspecified", "documentTitle": about.id, "documentId": about.id,
                    "documentUri": format!("{URN}{}", about.case) }),
            ];
            for (start, end, name) in self.options.only_marked(item, given, out) {
                list.push(json!({ "%ID": list.len() + 1, "%TYPE": ENTITY, "@sofa": 1,
                    "begin": utf16_at(text, start), "end": utf16_at(text, end), "value": name }));
            }
            let members: Vec<usize> = (2..=list.len()).collect();
            let cas = json!({
                "%TYPES": {
                    (DOCUMENT): kind(DOCUMENT, "uima.tcas.DocumentAnnotation", &["documentTitle", "documentId", "documentUri"]),
                    (ENTITY): kind(ENTITY, "uima.tcas.Annotation", &["value"]),
                },
                "%FEATURE_STRUCTURES": list,
                "%VIEWS": { "_InitialView": { "%SOFA": 1, "%MEMBERS": members } },
            });
            let name = self.files.person(&self.options, given)?;
            let name = name.as_deref().unwrap_or(CURATOR);
            let mut bytes = serde_json::to_vec_pretty(&cas)?;
            bytes.push(b'\n');
            out.whole(&format!("{folder}/{name}.json"), &bytes)?;
        }
        Ok(())
    }
}

pub const LABELS: LabelsIn = LabelsIn {
    name: "uima-cas",
    about: "JSON CAS of UIMA and INCEpTION",
    claims: |record| record.contains_key("%FEATURE_STRUCTURES"),
    make: |options| Box::new(Cas(options)),
    within: &[],
};

struct Cas(LabelOptions);

impl Labels for Cas {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let list = record
            .get("%FEATURE_STRUCTURES")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let text =
            list.iter().find_map(|item| item["sofaString"].as_str()).unwrap_or_default().to_owned();
        loss.cases += 1;
        let (mut places, mut called) = (Vec::new(), None);
        for item in &list {
            let (Some(begin), Some(end)) = (item["begin"].as_u64(), item["end"].as_u64()) else {
                continue;
            };
            let name = item["%TYPE"].as_str().unwrap_or_default();
            // What the whole text is.
            if name.ends_with("DocumentAnnotation") || name.ends_with("DocumentMetaData") {
                let uri = item["documentUri"].as_str().and_then(|uri| uri.strip_prefix(URN));
                called = uri.map(str::to_owned).or(called);
                continue;
            }
            // What INCEpTION finds by itself to lay out the page.
            if name.ends_with("segmentation.type.Token")
                || name.ends_with("segmentation.type.Sentence")
            {
                continue;
            }
            let name = item["value"].as_str().filter(|_| name == ENTITY).unwrap_or(name);
            let Some(found) = characters(&text, (begin as usize, end as usize), None, true) else {
                return loss.reject(place, &format!("the place {begin}-{end} is not in the text"));
            };
            places.push((found.0, found.1, name.to_owned()));
        }
        let mut found = foreign(&text, places, place);
        // What came from here is called by who said it; else a long name is that of the document.
        let stem = self.0.stem.as_str();
        let own = called.is_some() || stem.len() <= 20;
        found.reviewer = own.then(|| stem.to_owned());
        // A curated document lies beside those of its annotators.
        found.ruling = self.0.stem == CURATOR;
        found.called = called;
        to.push(found);
    }
}
