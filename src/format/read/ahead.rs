//! Reads ahead on a thread of its own: what unpacks and parses, and what makes lines of it, work at the
//! same time.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Builder;

/// Items that are handed over together, and how many such lots wait.
const LOT: usize = 512;
const WAITING: usize = 4;

/// What another thread reads.
pub struct Ahead<T> {
    lots: Receiver<Vec<T>>,
    lot: std::vec::IntoIter<T>,
}

/// Reads `items` ahead; where no thread can be had, as they are asked for.
pub fn ahead<T: Send + 'static>(
    items: impl Iterator<Item = T> + Send + 'static,
) -> Box<dyn Iterator<Item = T> + Send> {
    let (send, lots) = sync_channel(WAITING);
    let (give, take) = std::sync::mpsc::channel();
    let started = Builder::new().name("read ahead".to_owned()).spawn(move || {
        let Ok(items) = take.recv() else { return };
        let mut items: Box<dyn Iterator<Item = T> + Send> = items;
        loop {
            let lot: Vec<T> = items.by_ref().take(LOT).collect();
            // Nobody wants more, or there is no more.
            if lot.is_empty() || send.send(lot).is_err() {
                return;
            }
        }
    });
    let items: Box<dyn Iterator<Item = T> + Send> = Box::new(items);
    if started.is_err() {
        return items;
    }
    match give.send(items) {
        Ok(()) => Box::new(Ahead { lots, lot: Vec::new().into_iter() }),
        Err(error) => error.0,
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            if let Some(item) = self.lot.next() {
                return Some(item);
            }
            self.lot = self.lots.recv().ok()?.into_iter();
        }
    }
}

#[test]
fn what_is_read_ahead_is_all_there_in_order() {
    let read: Vec<usize> = ahead(0..10_000).collect();
    assert!(read.iter().copied().eq(0..10_000));
    assert_eq!(ahead(0..100_000).take(3).count(), 3);
}
