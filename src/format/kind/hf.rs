//! A folder that Hugging Face's `datasets` loads: a card that names the files of each split.

/// What a card says.
pub struct Card<'c> {
    pub name: &'c str,
    pub version: &'c str,
    pub license: &'c str,
    pub creator: &'c str,
    pub about: &'c str,
    /// Splits, with their file and how many rows it has.
    pub splits: Vec<(&'c str, String, u64)>,
}

fn quoted(text: &str) -> String {
    crate::db::to_json(&text)
}

pub fn card(card: &Card<'_>) -> String {
    let mut out = String::from("---\n");
    if !card.license.is_empty() {
        out.push_str(&format!("license: {}\n", quoted(card.license)));
    }
    out.push_str(&format!(
        "pretty_name: {}\nconfigs:\n- config_name: default\n  data_files:\n",
        quoted(card.name)
    ));
    for (split, file, _) in &card.splits {
        out.push_str(&format!("  - split: {split}\n    path: {}\n", quoted(file)));
    }
    out.push_str(&format!(
        "---\n\n# {} {}\n\n{}\n\n| split | rows |\n| --- | --- |\n",
        card.name, card.version, card.about
    ));
    for (split, _, rows) in &card.splits {
        out.push_str(&format!("| {split} | {rows} |\n"));
    }
    if !card.creator.is_empty() {
        out.push_str(&format!("\nMade by {}.\n", card.creator));
    }
    out
}
