//! Programs of the person's own that open what is no words. What they open is a copy in a folder that
//! nobody else can look into, and that goes when the session ends.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::domain::attachment::Attachment;
use crate::domain::text::visible;

/// The folder of copies, once there is one.
#[derive(Debug, Default)]
pub struct Opener {
    folder: Option<TempDir>,
    copies: usize,
}

impl Opener {
    /// Opens bytes by the program for their type; says which that is.
    ///
    /// # Errors
    /// Why it was not opened, in words.
    pub fn open(
        &mut self,
        programs: &BTreeMap<String, Vec<String>>,
        attachment: &Attachment,
        bytes: &[u8],
    ) -> Result<String, String> {
        let said = attachment.media_type();
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => said.starts_with(start),
            None => said == pattern,
        };
        // The more particular pattern is the longer one.
        let found = programs.iter().filter(|(pattern, _)| fits(pattern));
        let found = found.max_by_key(|(pattern, _)| pattern.len()).map(|(_, words)| words);
        let Some([program, arguments @ ..]) = found.map(Vec::as_slice) else {
            return Err(format!(
                "No program is configured for {} ([open] in config.toml). `casework attachment CASE N > FILE` writes it out.",
                visible(said)
            ));
        };
        let path =
            self.copy(bytes, said).map_err(|error| format!("It can't be copied: {error}."))?;
        let name = path.display().to_string();
        let mut words: Vec<String> =
            arguments.iter().map(|word| word.replace("{}", &name)).collect();
        if !arguments.iter().any(|word| word.contains("{}")) {
            words.push(name);
        }
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command
            .spawn()
            .map_err(|error| format!("`{}` does not start: {error}.", visible(program)))?;
        std::thread::spawn(move || child.wait());
        Ok(visible(program).into_owned())
    }

    /// A copy whose name says of what type it is, and nothing else.
    fn copy(&mut self, bytes: &[u8], media_type: &str) -> io::Result<PathBuf> {
        let folder = match &mut self.folder {
            Some(folder) => folder,
            none => none.insert(tempfile::Builder::new().prefix("casework-").tempdir()?),
        };
        self.copies += 1;
        let end = match media_type {
            "image/png" => "png",
            "image/jpeg" => "jpg",
            "image/gif" => "gif",
            "image/webp" => "webp",
            "audio/wav" | "audio/x-wav" => "wav",
            "audio/mpeg" => "mp3",
            "audio/ogg" => "ogg",
            "audio/flac" => "flac",
            "video/mp4" => "mp4",
            "application/pdf" => "pdf",
            "text/plain" => "txt",
            _ => "bin",
        };
        let path = folder.path().join(format!("{}.{end}", self.copies));
        fs::write(&path, bytes)?;
        Ok(path)
    }
}
