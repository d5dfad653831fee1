//! Places in texts and nothing else: brat (`.ann` beside `.txt`) and UIMA's JSON CAS (INCEpTION). A file is
//! one text of one annotator.

use serde_json::{Map, Value, json};

use crate::format::foreign::{
    Foreign, LabelOptions, Labels, LabelsIn, Loss, Said, characters, id_of_text, line_of,
};

/// What places are called as a control.
pub const SPANS: &str = "spans";

pub const BRAT: LabelsIn = LabelsIn {
    name: "brat",
    about: "annotations of brat: .ann beside .txt",
    claims: |record| record.contains_key("brat"),
    make: |_| Box::new(Brat),
    within: &[],
};
pub const CAS: LabelsIn = LabelsIn {
    name: "uima-cas",
    about: "JSON CAS of UIMA and INCEpTION",
    claims: |record| record.contains_key("%FEATURE_STRUCTURES"),
    make: |options| Box::new(Cas(options)),
    within: &[],
};

fn foreign(text: &str, places: Vec<(usize, usize, String)>, place: &str) -> Foreign {
    let id = id_of_text(text);
    Foreign {
        place: place.to_owned(),
        line: line_of(&id, text, None, None, &Map::new()),
        id: Some(id),
        text: Some(text.to_owned()),
        said: vec![(SPANS.to_owned(), Said::Places(places))],
        ..Foreign::default()
    }
}

/// A file of brat and its text, as a record.
pub fn record_of_brat(annotations: &str, text: &str) -> Map<String, Value> {
    Map::from_iter([("brat".to_owned(), json!(annotations)), ("text".to_owned(), json!(text))])
}

struct Brat;

impl Labels for Brat {
    fn take(
        &mut self,
        record: &Map<String, Value>,
        place: &str,
        to: &mut Vec<Foreign>,
        loss: &mut Loss,
    ) {
        let text = record.get("text").and_then(Value::as_str).unwrap_or_default();
        loss.cases += 1;
        let (mut places, mut notes) = (Vec::new(), Vec::new());
        for line in record.get("brat").and_then(Value::as_str).unwrap_or_default().lines() {
            let mut parts = line.splitn(3, '\t');
            let (id, body, covered) =
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
            match id.bytes().next() {
                Some(b'T') => {
                    let (name, spans) = body.split_once(' ').unwrap_or((body, ""));
                    // In pieces, `0 4;9 12`: each is a place.
                    let pieces: Vec<&str> = spans.split(';').collect();
                    for piece in &pieces {
                        let mut ends =
                            piece.split(' ').map(|end| end.parse::<usize>().unwrap_or(usize::MAX));
                        let at =
                            (ends.next().unwrap_or(usize::MAX), ends.next().unwrap_or(usize::MAX));
                        let covered = covered.filter(|_| pieces.len() == 1);
                        let Some(found) = characters(text, at, covered, false) else {
                            return loss.reject(
                                place,
                                &format!("{id}: the place {piece} is not in the text"),
                            );
                        };
                        places.push((found.0, found.1, name.to_owned()));
                    }
                }
                Some(b'#') => notes.extend(covered.map(str::to_owned)),
                Some(b'E') => loss.lose("events"),
                Some(b'A' | b'M') => loss.lose("attributes"),
                Some(b'R' | b'*') => loss.lose("relations"),
                _ => {}
            }
        }
        let mut found = foreign(text, places, place);
        found.rationale = notes.join("\n");
        // The folder stands for the annotator: nobody is named.
        to.push(found);
    }
}

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
        let mut places = Vec::new();
        for item in &list {
            let (Some(begin), Some(end)) = (item["begin"].as_u64(), item["end"].as_u64()) else {
                continue;
            };
            let name = item["%TYPE"].as_str().unwrap_or_default();
            // What the whole text is.
            if name.ends_with("DocumentAnnotation") || name.ends_with("DocumentMetaData") {
                continue;
            }
            let Some(found) = characters(&text, (begin as usize, end as usize), None, true) else {
                return loss.reject(place, &format!("the place {begin}-{end} is not in the text"));
            };
            places.push((found.0, found.1, name.to_owned()));
        }
        let mut found = foreign(&text, places, place);
        found.reviewer = Some(self.0.stem.clone()).filter(|stem| stem.len() <= 20);
        // A curated document of INCEpTION lies beside those of its annotators under this name.
        found.ruling = self.0.stem == "CURATION_USER";
        to.push(found);
    }
}
