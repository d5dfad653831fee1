//! doccano: a file of JSON lines for each reviewer, labels as a list, places as `[start, end, name]` in
//! characters. `id` is its own; the stream's stands as `id0`.

use std::io;

use serde_json::json;

use crate::domain::text::is_blank;
use crate::format::peer::{Item, Out, Peer, PeerKind, PeerOptions};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "doccano",
    about: "a file a reviewer for doccano",
    folder: true,
    rows: &[Rows::Labels, Rows::Cases],
    make: |options| Box::new(Files(options)),
};

struct Files(PeerOptions);

impl Peer for Files {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        let about = &item.about;
        for given in &item.given {
            if is_blank(&about.text) {
                out.lose("rows without a text, which doccano drops");
                continue;
            }
            let name = given.reviewer.as_deref().map_or("all", |name| self.0.reviewer(name));
            let line = json!({
                "text": about.text, "label": given.label.iter().collect::<Vec<_>>(), "id0": about.id,
                "case": about.case, "stream": about.stream, "occurred_at": about.occurred_at,
                "outcome": json!(given.outcome).to_string(), "rationale": given.rationale, "event": given.event,
            });
            let file = out.file(&format!("{name}.jsonl"))?;
            serde_json::to_writer(&mut *file, &line)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }
}
