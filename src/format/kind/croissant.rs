//! A Croissant 1.1 description of JSON lines (<https://docs.mlcommons.org/croissant>).

use serde_json::{Value, json};

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
