//! A Croissant 1.1 description of JSON lines (<https://docs.mlcommons.org/croissant>).

use std::io;

use serde_json::{Value, json};
use sha2::Digest as _;

use super::ours;
use crate::domain::ids::hex;
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

/// What is described.
pub struct Described<'d> {
    pub name: &'d str,
    pub version: &'d str,
    pub about: &'d str,
    pub url: &'d str,
    pub license: &'d str,
    pub creator: &'d str,
    pub date: &'d str,
    /// Files with rows: name, bytes, SHA-256.
    pub files: Vec<(&'d str, u64, &'d str)>,
    /// Keys of a row, and what they are; the first is the row's own.
    pub fields: &'d [(&'d str, &'d str)],
}

/// Short names that the format's own programs ask for.
const NAMES: &[&str] = &[
    "citeAs",
    "column",
    "equivalentProperty",
    "extract",
    "field",
    "fileProperty",
    "fileObject",
    "fileSet",
    "format",
    "includes",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
    "source",
    "subField",
    "transform",
];

pub fn describe(of: &Described<'_>) -> String {
    let mut context = json!({
        "@language": "en", "@vocab": "https://schema.org/", "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
        "data": { "@id": "cr:data", "@type": "@json" },
        "dataType": { "@id": "cr:dataType", "@type": "@vocab" },
        "dct": "http://purl.org/dc/terms/",
        "examples": { "@id": "cr:examples", "@type": "@json" }, "sc": "https://schema.org/",
    });
    for name in NAMES {
        context[*name] = Value::from(format!("cr:{name}"));
    }
    let mut distribution: Vec<Value> = of
        .files
        .iter()
        .map(|(name, bytes, sha256)| {
            json!({ "@type": "cr:FileObject", "@id": name, "name": name, "contentSize": format!("{bytes} B"),
                "contentUrl": name, "encodingFormat": "application/jsonlines", "sha256": sha256 })
        })
        .collect();
    let names: Vec<&str> = of.files.iter().map(|(name, ..)| *name).collect();
    distribution.push(json!({ "@type": "cr:FileSet", "@id": "rows-files", "name": "rows-files",
        "encodingFormat": "application/jsonlines", "includes": names }));
    let field = |(name, about): &(&str, &str)| {
        let id = format!("rows/{name}");
        let kind = if *name == "label" { json!(["sc:Text", "cr:Label"]) } else { json!("sc:Text") };
        json!({ "@type": "cr:Field", "@id": id, "name": id, "description": about, "dataType": kind,
            "source": { "fileSet": { "@id": "rows-files" }, "extract": { "column": name } } })
    };
    let fields: Vec<Value> = of.fields.iter().map(field).collect();
    let key = of.fields.first().map_or(String::new(), |(name, _)| format!("rows/{name}"));
    let year = of.date.get(..4).unwrap_or_default();
    let document = json!({
        "@context": context, "@type": "sc:Dataset", "name": of.name, "description": of.about,
        "conformsTo": "http://mlcommons.org/croissant/1.1", "citeAs": format!("{} ({year})", of.creator),
        "creator": { "@type": "sc:Organization", "name": of.creator }, "datePublished": of.date,
        "license": of.license, "url": of.url, "version": of.version, "distribution": distribution,
        "recordSet": [{ "@type": "cr:RecordSet", "@id": "rows", "name": "rows", "key": { "@id": key }, "field": fields }],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

pub const PEER: PeerKind = PeerKind {
    name: "croissant",
    about: "a folder with rows.jsonl and its description, croissant.json",
    folder: true,
    rows: &[Rows::Cases, Rows::Labels],
    make: |options| Box::new(Rowset { options, rows: Vec::new(), date: "1970-01-01".to_owned() }),
};

/// Keys of a row, and what they are. A name that ends in `_at` makes pandas take its texts for times.
const KEYS: &[(&str, &str)] = &[
    ("id", "the stream's own id of the prediction"),
    ("text", "the input"),
    ("label", "what to train on, where there is anything to learn from"),
    ("predicted", "the label that the model gave"),
    ("outcome", "every field that the protocol sets, as JSON"),
    ("reviewer", "who gave the label; empty for what a case was settled as"),
    ("rationale", "why"),
    ("confidence", "how sure whoever gave the label was, 1 to 5"),
    ("tags", "as JSON"),
    ("path", "the questions of the protocol and their answers, as JSON"),
    ("evidence", "places in the text that bear the label out, in characters, as JSON"),
    ("duration_ms", "how long it took"),
    (
        "more",
        "what was checked off, places in further texts, what else another program said, as JSON",
    ),
    ("case", "casework's id of the case"),
    ("stream", "the stream it came from"),
    ("occurred", "when the model predicted"),
    ("given", "when the label was given, or the case settled"),
    ("event", "the signed event that the row rests on"),
];
const ROWS: &str = "rows.jsonl";

struct Rowset {
    options: PeerOptions,
    rows: Vec<u8>,
    /// The day of the latest label.
    date: String,
}

impl Peer for Rowset {
    fn item(&mut self, item: &Item, _out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        for given in &item.given {
            let reviewer = given.reviewer.as_deref().map(|name| self.options.reviewer(name));
            let places: Vec<(usize, usize)> =
                given.evidence.iter().map(|span| (*span).into()).collect();
            let line = json!({ "id": about.id, "text": about.text, "label": given.label, "predicted": about.predicted,
                "outcome": serde_json::to_string(&given.outcome)?, "reviewer": reviewer, "rationale": given.rationale,
                // Each column is of texts.
                "confidence": given.confidence.map(|sure| sure.to_string()), "tags": serde_json::to_string(&given.tags)?,
                "path": serde_json::to_string(&given.path)?, "evidence": serde_json::to_string(&places)?,
                "duration_ms": given.duration_ms.map(|ms| ms.to_string()), "more": ours::more_text(given),
                "case": about.case, "stream": about.stream, "occurred": about.occurred_at, "given": given.at,
                "event": given.event });
            serde_json::to_writer(&mut self.rows, &line)?;
            self.rows.push(b'\n');
            if let Some(day) = given.at.get(..10).filter(|day| *day > self.date.as_str()) {
                day.clone_into(&mut self.date);
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> io::Result<()> {
        let hash = hex(&sha2::Sha256::digest(&self.rows));
        out.file(ROWS)?.write_all(&self.rows)?;
        let url = format!("urn:casework:export:{}", &hash[..16]);
        let described = describe(&Described {
            name: &self.options.title,
            version: "1.0.0",
            about: "Labels exported from casework.",
            url: &url,
            license: "https://spdx.org/licenses/LicenseRef-Proprietary",
            creator: &self.options.title,
            date: &self.date,
            files: vec![(ROWS, self.rows.len() as u64, &hash)],
            fields: KEYS,
        });
        out.file("croissant.json")?.write_all(described.as_bytes())
    }
}
