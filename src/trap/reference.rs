//! A reference: what a stream was like at a time when it was as it should be. Traps hold single
//! predictions against it, alarms hold windows.
//!
//! No text of an input is in it: words and texts are there as slots of a hash that is keyed by the
//! workspace. What stands in it in clear are the values of fields that rules compare.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::fields::{number_of, text_of};
use crate::domain::prediction::Row;
use crate::domain::traps::{Alarm, NovelBy, Trap, VALUE_CHARS_MAX};

/// Slots that words fall into.
const SLOTS: u64 = 1 << 18;
/// Most values that are kept of a field's numbers: those with the smallest hashes.
const SAMPLE: usize = 4_096;
/// Most values of a field that are told apart; others count together.
const VALUES_MAX: usize = 10_000;
/// What values beyond these count as.
pub const OTHERS: &str = "\u{2026}";
/// Minhashes in a sketch, one bit of each.
const SKETCH_BITS: u32 = 64;

/// What a reference is to be asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// Fields whose words are counted.
    pub texts: BTreeSet<String>,
    /// Of them, those whose texts are looked up whole.
    pub near: BTreeSet<String>,
    /// Fields whose values are counted.
    pub values: BTreeSet<String>,
    /// Fields whose values are counted where they stand together.
    pub together: BTreeSet<Vec<String>>,
}

impl Wanted {
    /// What these rules ask for; label, confidence and text in any case.
    pub fn of<'r>(
        traps: impl Iterator<Item = &'r Trap>,
        alarms: impl Iterator<Item = &'r Alarm>,
    ) -> Self {
        let mut wanted = Self::default();
        wanted.texts.insert("text".to_owned());
        wanted.values.extend(["label".to_owned(), "confidence".to_owned()]);
        for trap in traps {
            if let Some(novel) = &trap.novel {
                let field = short(&novel.field).to_owned();
                if novel.by == NovelBy::Neighbour {
                    wanted.near.insert(field.clone());
                }
                wanted.texts.insert(field);
            }
            if let Some(rare) = &trap.rare {
                wanted.together.insert(rare.fields.clone());
            }
        }
        let compared = alarms.filter_map(|alarm| alarm.compare.as_deref());
        wanted.values.extend(compared.map(|field| short(field).to_owned()));
        wanted
    }

    /// What of this another one lacks, in words.
    pub fn lacking(&self, other: &Self) -> Vec<String> {
        let mut lacking: Vec<String> = self.texts.difference(&other.texts).cloned().collect();
        lacking
            .extend(self.near.difference(&other.near).map(|field| format!("texts like {field}")));
        lacking.extend(self.values.difference(&other.values).cloned());
        let together = self.together.difference(&other.together);
        lacking.extend(together.map(|fields| fields.join(" with ")));
        lacking
    }
}

/// Whether a value may stand in clear: a longer one is some input.
pub fn is_short(value: &str) -> bool {
    value.chars().nth(VALUE_CHARS_MAX).is_none()
}

/// `input.text` and `text` are one field.
pub fn short(field: &str) -> &str {
    match field {
        "input.text" => "text",
        "input.session_id" => "session",
        "prediction.label" => "label",
        "prediction.confidence" => "confidence",
        other => other,
    }
}

/// What a stream was like.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Reference {
    pub rows: u64,
    pub wanted: Wanted,
    /// By field: how many rows have each value.
    pub values: BTreeMap<String, BTreeMap<String, u64>>,
    /// By field: numbers, sorted, of at most 4,096 rows.
    pub numbers: BTreeMap<String, Vec<f64>>,
    /// By fields: how many rows have values together, by the hash of the values.
    together: BTreeMap<String, BTreeMap<u64, u64>>,
    /// By field: in how many texts a slot's words stand.
    tokens: BTreeMap<String, BTreeMap<u32, u32>>,
    bigrams: BTreeMap<String, BTreeMap<u32, u32>>,
    sketches: BTreeMap<String, Vec<u64>>,
}

/// A hash that only this workspace makes.
#[derive(Debug, Clone, Copy)]
pub struct Keyed([u8; 32]);

impl Keyed {
    pub fn new(workspace: &[u8]) -> Self {
        Self(blake3::derive_key("casework 2026-11 reference", workspace))
    }

    fn hash(&self, parts: &[&str]) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(part.as_bytes());
            hasher.update(b"\0");
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }

    fn slot(&self, parts: &[&str]) -> u32 {
        (self.hash(parts) % SLOTS) as u32
    }

    /// A text by its hash: equal after trimming, in lower case.
    pub fn text(&self, text: &str) -> u64 {
        self.hash(&["text", &super::fields::normal(text)])
    }
}

/// Makes a [`Reference`] row by row.
pub struct Making {
    made: Reference,
    key: Keyed,
    /// By field: the numbers with the smallest hashes so far.
    samples: BTreeMap<String, std::collections::BinaryHeap<(u64, u64)>>,
}

impl Making {
    pub fn new(wanted: Wanted, key: Keyed) -> Self {
        let made = Reference { wanted, ..Reference::default() };
        Self { made, key, samples: BTreeMap::new() }
    }

    /// Takes a row; `clean` takes out of a value in clear what may not stand there.
    pub fn take(&mut self, row: &Row<'_>, clean: impl Fn(&str) -> String) {
        let (key, wanted) = (self.key, &self.made.wanted);
        self.made.rows += 1;
        for field in &wanted.texts {
            let Some(text) = text_of(row, field) else { continue };
            let text = text.to_lowercase();
            let words: Vec<&str> = text.split_whitespace().collect();
            let tokens: BTreeSet<u32> = words.iter().map(|word| key.slot(&[word])).collect();
            let pairs: BTreeSet<u32> =
                words.windows(2).map(|pair| key.slot(&[pair[0], pair[1]])).collect();
            for (counts, slots) in
                [(&mut self.made.tokens, tokens), (&mut self.made.bigrams, pairs)]
            {
                let counts = counts.entry(field.clone()).or_default();
                slots.into_iter().for_each(|slot| *counts.entry(slot).or_default() += 1);
            }
            if wanted.near.contains(field) {
                let sketch = sketch(key, &text);
                self.made.sketches.entry(field.clone()).or_default().push(sketch);
            }
        }
        for field in &wanted.values {
            if let Some(number) = number_of(row, field) {
                let hash = key.hash(&["number", row.stream_name(), row.id.text()]);
                let heap = self.samples.entry(field.clone()).or_default();
                heap.push((hash, number.to_bits()));
                if heap.len() > SAMPLE {
                    heap.pop();
                }
            }
            if let Some(value) = text_of(row, field) {
                let value = clean(&value);
                let values = self.made.values.entry(field.clone()).or_default();
                let known = values.len() < VALUES_MAX || values.contains_key(&value);
                let name = if known && is_short(&value) { value } else { OTHERS.to_owned() };
                *values.entry(name).or_default() += 1;
            }
        }
        for fields in &wanted.together {
            let hash = together(key, row, fields);
            let counts = self.made.together.entry(fields.join("\t")).or_default();
            *counts.entry(hash).or_default() += 1;
        }
    }

    pub fn finish(mut self) -> Reference {
        for (field, heap) in self.samples {
            let mut numbers: Vec<f64> =
                heap.into_iter().map(|(_, bits)| f64::from_bits(bits)).collect();
            numbers.sort_by(f64::total_cmp);
            // A field of numbers is compared as numbers: its values need not stand there.
            self.made.values.remove(&field);
            self.made.numbers.insert(field, numbers);
        }
        self.made
    }
}

fn together(key: Keyed, row: &Row<'_>, fields: &[String]) -> u64 {
    let values: Vec<String> = fields
        .iter()
        .map(|field| text_of(row, field).map(std::borrow::Cow::into_owned).unwrap_or_default())
        .collect();
    let parts: Vec<&str> = values.iter().map(String::as_str).collect();
    key.hash(&parts)
}

/// One bit each of [`SKETCH_BITS`] minhashes of a text's windows of three characters: the share of
/// bits in which two agree tells how like they are (Li and König, "b-bit minwise hashing", 2010).
fn sketch(key: Keyed, text: &str) -> u64 {
    let chars: Vec<char> = std::iter::once(' ').chain(text.chars()).chain([' ']).collect();
    let mut least = [u64::MAX; SKETCH_BITS as usize];
    let mut buffer = [0; 12];
    for window in chars.windows(3.min(chars.len())) {
        let mut len = 0;
        for c in window {
            len += c.encode_utf8(&mut buffer[len..]).len();
        }
        let base = key.hash(&[std::str::from_utf8(&buffer[..len]).unwrap_or_default()]);
        for (place, least) in (1_u64..).zip(&mut least) {
            // Other hashes of the same window, by mixing as SplitMix64 does.
            let mut mixed = base.wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            *least = (*least).min(mixed ^ (mixed >> 31));
        }
    }
    least.iter().enumerate().fold(0, |bits, (place, hash)| bits | (hash & 1) << place)
}

/// A reference made ready to be asked for many rows.
pub struct Lookup {
    key: Keyed,
    /// The stream that it is of; empty: of any.
    stream: String,
    tokens: HashMap<String, Vec<u64>>,
    bigrams: HashMap<String, Vec<u64>>,
    sketches: BTreeMap<String, Vec<u64>>,
    together: HashMap<String, HashMap<u64, u64>>,
}

impl Lookup {
    pub fn new(reference: &Reference, key: Keyed, stream: &str) -> Self {
        let bits = |counts: &BTreeMap<String, BTreeMap<u32, u32>>| {
            let one = |(field, slots): (&String, &BTreeMap<u32, u32>)| {
                let mut bits = vec![0_u64; (SLOTS / 64) as usize];
                slots.keys().for_each(|slot| bits[*slot as usize / 64] |= 1 << (slot % 64));
                (field.clone(), bits)
            };
            counts.iter().map(one).collect()
        };
        let together = reference.together.iter();
        Self {
            key,
            stream: stream.to_owned(),
            tokens: bits(&reference.tokens),
            bigrams: bits(&reference.bigrams),
            sketches: reference.sketches.clone(),
            together: together
                .map(|(fields, counts)| (fields.clone(), counts.clone().into_iter().collect()))
                .collect(),
        }
    }

    /// Whether a prediction is of the stream that was counted.
    pub fn is_of(&self, row: &Row<'_>) -> bool {
        self.stream.is_empty() || self.stream == row.stream_name()
    }

    /// How unlike the reference a field's text is: 0 to 1; nothing where there is no text.
    pub fn novelty(&self, row: &Row<'_>, field: &str, by: NovelBy) -> Option<f64> {
        let field = short(field);
        let text = text_of(row, field)?.to_lowercase();
        if by == NovelBy::Neighbour {
            let mine = sketch(self.key, &text);
            let apart = self.sketches.get(field)?.iter().map(|other| (mine ^ other).count_ones());
            let apart = apart.min()?;
            // Of bits, half agree by chance.
            let like = 1.0 - 2.0 * f64::from(apart) / f64::from(SKETCH_BITS);
            return Some(1.0 - like.max(0.0));
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let unknown = |bits: &[u64], parts: &[&str]| {
            let slot = self.key.slot(parts);
            bits[slot as usize / 64] & 1 << (slot % 64) == 0
        };
        let (new, all) = match by {
            NovelBy::Tokens => {
                let bits = self.tokens.get(field)?;
                (words.iter().filter(|word| unknown(bits, &[word])).count(), words.len())
            }
            _ => {
                let bits = self.bigrams.get(field)?;
                let new = words.windows(2).filter(|pair| unknown(bits, pair)).count();
                (new, words.len().saturating_sub(1))
            }
        };
        (all > 0).then(|| new as f64 / all as f64)
    }

    /// How often these values stand together in the reference.
    pub fn seen_together(&self, row: &Row<'_>, fields: &[String]) -> u64 {
        let counts = self.together.get(&fields.join("\t"));
        counts.and_then(|counts| counts.get(&together(self.key, row, fields))).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize, text: &str, channel: &str) -> String {
        format!(
            r#"{{"id":"p{n}","occurred_at":"2024-06-03T00:03:25Z","input":{{"text":"{text}","channel":"{channel}"}},"prediction":{{"label":"x","confidence":0.5}}}}"#
        )
    }

    #[test]
    fn what_is_new_and_what_is_rare_is_told_and_no_text_stands_in_it() {
        let key = Keyed::new(b"w");
        let trap = Trap {
            rare: Some(crate::domain::traps::Rare {
                fields: vec!["label".into(), "input.channel".into()],
                below: 2,
            }),
            novel: Some(crate::domain::traps::Novel {
                field: "input.text".into(),
                by: NovelBy::Neighbour,
                above: 0.3,
            }),
            ..Trap::default()
        };
        let mut making = Making::new(Wanted::of([&trap].into_iter(), [].into_iter()), key);
        for n in 0..50 {
            let line = line(n, "Move some Money zebra", if n == 0 { "web" } else { "voice" });
            making.take(&Row::parse(&line).unwrap(), str::to_owned);
        }
        let reference = making.finish();
        let json = serde_json::to_string(&reference).unwrap();
        assert!(!json.contains("zebra") && !json.contains("oney"), "{json}");
        let reference: Reference = serde_json::from_str(&json).unwrap();
        let lookup = Lookup::new(&reference, key, "");
        let ask = |text: &str, by| {
            lookup.novelty(&Row::parse(&line(1, text, "web")).unwrap(), "input.text", by)
        };
        assert_eq!(ask("money some pizza now", NovelBy::Tokens), Some(0.5));
        assert_eq!(ask("some money zebra", NovelBy::Bigrams), Some(0.0));
        assert_eq!(ask("", NovelBy::Tokens), None);
        assert_eq!(ask("move some money zebra", NovelBy::Neighbour), Some(0.0));
        assert!(ask("quite another thing 12", NovelBy::Neighbour).is_some_and(|far| far > 0.4));
        let fields = ["label".to_owned(), "input.channel".to_owned()];
        let seen =
            |channel| lookup.seen_together(&Row::parse(&line(1, "a", channel)).unwrap(), &fields);
        assert_eq!((seen("voice"), seen("web"), seen("fax")), (49, 1, 0));
        assert_eq!(reference.numbers["confidence"].len(), 50);
        assert_eq!(reference.values["label"]["x"], 50);
    }
}
