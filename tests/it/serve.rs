//! A workspace that is served: what has no place there, and writers who are many.

use std::sync::atomic::{AtomicUsize, Ordering};

use casework::clock;
use casework::tui::Review;

use crate::keys::Keys as _;
use crate::support::{Place, ingest, line};

fn place_with_a_case() -> Place {
    let place = Place::new();
    ingest(&mut place.create(), &line("a", "where is my parcel", "x", 0.3, 1));
    place
}

#[test]
fn a_served_screen_starts_nothing_and_says_so() {
    let place = place_with_a_case();
    let open = |served: bool| {
        let mut workspace = place.open();
        workspace.served = served;
        let mut review = Review::new(workspace, (160, 45), clock::now, None, |_| {}).unwrap();
        review.press("Enter");
        review
    };
    for key in ["R", "ctrl-z", "ctrl-y"] {
        let mut review = open(true);
        let left = review.press(key);
        let said = review.text();
        assert!(said.contains("Not over SSH"), "{key}: {said}");
        assert!(left.is_empty() && review.front.wishes.is_empty(), "{key}: {left:?}");
        assert!(!open(false).press_and_read(key).contains("Not over SSH"), "{key}");
    }
    // By name they are not even offered.
    for name in ["suspend", "editor", "copy"] {
        for (served, offered) in [(true, false), (false, true)] {
            let mut review = open(served);
            review.press("ctrl-p");
            name.chars().for_each(|c| drop(review.press(&c.to_string())));
            let text = review.text();
            let row = text.lines().any(|row| row.contains(&format!(" {name} ")));
            assert_eq!(row, offered, "{name} {served}: {text}");
        }
    }
}

trait Read {
    fn press_and_read(self, keys: &str) -> String;
}

impl Read for Review {
    fn press_and_read(mut self, keys: &str) -> String {
        self.press(keys);
        self.text()
    }
}

#[test]
fn of_many_writers_none_is_refused() {
    let place = place_with_a_case();
    let written = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| {
                let mut workspace = place.open();
                let case = workspace.first_in_queue().unwrap().unwrap().id;
                for n in 0..10 {
                    workspace.comment(case, &format!("number {n}")).unwrap();
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(written.load(Ordering::Relaxed), 240);
    let workspace = place.open();
    assert_eq!(workspace.verify().unwrap().entries, 242 + 1);
}
