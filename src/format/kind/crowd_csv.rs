//! `task,worker,label`: what crowd-kit, cleanlab and tools of agreement read.

use std::io;

use crate::format::path::scalar;
use crate::format::peer::{Item, Out, Peer, PeerKind};
use crate::format::row::Rows;

pub const PEER: PeerKind = PeerKind {
    name: "crowd-csv",
    about: "task,worker,label",
    folder: false,
    rows: &[Rows::Labels],
    make: |options| Box::new(Crowd { options, begun: false }),
};

struct Crowd {
    options: crate::format::peer::PeerOptions,
    begun: bool,
}

impl Crowd {
    fn record(&mut self, cells: [&str; 3], out: &mut Out) -> io::Result<()> {
        // Every text in quotes, so that `null` and `NA` come back as they are.
        let mut writer = csv::WriterBuilder::new()
            .quote_style(if self.begun {
                csv::QuoteStyle::Always
            } else {
                csv::QuoteStyle::Necessary
            })
            .from_writer(out.file("")?);
        self.begun = true;
        writer.write_record(cells)?;
        writer.flush()
    }
}

impl Peer for Crowd {
    fn item(&mut self, item: &Item, out: &mut Out) -> io::Result<()> {
        if !self.begun {
            self.record(["task", "worker", "label"], out)?;
        }
        for given in &item.given {
            let worker = given.reviewer.as_deref().unwrap_or_default();
            let worker = self.options.reviewer(worker).to_owned();
            // What has no label says what else it is.
            let label = match (&given.label, given.outcome.get("verdict")) {
                (Some(label), _) => label.clone(),
                (None, Some(verdict)) => scalar(verdict).into_owned(),
                (None, None) => serde_json::to_string(&given.outcome)?,
            };
            self.record([&item.about.id, &worker, &label], out)?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> io::Result<()> {
        if self.begun { Ok(()) } else { self.record(["task", "worker", "label"], out) }
    }
}
