//! A `.dvc` file of a directory, as DVC writes it: the MD5 of the list of its files with theirs.

use md5::{Digest as _, Md5};

use crate::domain::ids::hex;

/// A file of the directory.
pub struct File {
    /// With `/` between its parts.
    pub path: String,
    pub bytes: u64,
    pub md5: String,
}

pub fn md5(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// The hash of a directory: of its files as Python's `json.dumps` writes them, by path.
pub fn directory_md5(files: &[File]) -> String {
    let mut files: Vec<&File> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let line =
        |file: &&File| format!("{{\"md5\": \"{}\", \"relpath\": {}}}", file.md5, ascii(&file.path));
    let lines: Vec<String> = files.iter().map(line).collect();
    format!("{}.dir", md5(format!("[{}]", lines.join(", ")).as_bytes()))
}

/// A JSON string of which every character is ASCII.
fn ascii(text: &str) -> String {
    let json = crate::db::to_json(&text);
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            c.encode_utf16(&mut units)
                .iter()
                .for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out
}

/// The `.dvc` file of a directory that lies beside it.
pub fn file_of(directory: &str, files: &[File]) -> String {
    let size: u64 = files.iter().map(|file| file.bytes).sum();
    format!(
        "outs:\n- md5: {}\n  size: {size}\n  nfiles: {}\n  hash: md5\n  path: {}\n",
        directory_md5(files),
        files.len(),
        crate::db::to_json(&directory)
    )
}
