//! A person's work without any front: commands by name, effects as data.

use casework::clock;
use casework::domain::time::Moment;
use casework::session::command::{COMMANDS, Command, Said};
use casework::session::io::driver::start_of;
use casework::session::mode::Training;
use casework::session::{Driver, Effect, Front, Input, Report, Session};
use casework::workspace::{TrainingSet, Workspace};
use proptest::prelude::*;

use crate::support::{Place, ingest, line};

/// A front that shows nothing.
struct Bare {
    session: Session,
    saved: usize,
    undone: usize,
}

/// What is done: a command, or an answer by its place.
#[derive(Debug, Clone)]
enum Deed {
    Command(&'static Command, String),
    Answer(usize),
}

impl Bare {
    fn settle(&self, mut effects: Vec<Effect>) -> Vec<Effect> {
        let is_shown = |effect: &Effect| matches!(effect, Effect::Show(_) | Effect::Look(_));
        effects.retain(|effect| !is_shown(effect));
        self.session.allowed(effects)
    }
}

impl Front for Bare {
    type Event = Deed;

    fn update(&mut self, deed: Deed, now: Moment) -> Vec<Effect> {
        let opened = self.session.opened.as_ref();
        let input = match deed {
            Deed::Command(command, text) => {
                Some(Input::Command(command, Said { text, case: None }))
            }
            Deed::Answer(n) => {
                opened.and_then(|opened| opened.answer_of_digit(n)).map(Input::Answer)
            }
        };
        let effects = input.map(|input| self.session.take(input, now)).unwrap_or_default();
        self.settle(effects)
    }

    fn heard(&mut self, report: Report, now: Moment) -> Vec<Effect> {
        self.saved += usize::from(matches!(report, Report::Saved { .. }));
        self.undone += usize::from(matches!(report, Report::Undone { .. }));
        let effects = self.session.take(Input::Report(report), now);
        self.settle(effects)
    }

    fn is_typed(_: &Deed) -> bool {
        true
    }

    fn looks_at_board(&self) -> bool {
        false
    }
}

fn at_work(workspace: Workspace, lessons: Option<TrainingSet>) -> Driver<Bare> {
    Driver::waiting(workspace, clock::now, |workspace| {
        let training = lessons.map(Training::new);
        let (session, effects) = Session::start(start_of(workspace, clock::now(), None, training)?);
        let bare = Bare { session, saved: 0, undone: 0 };
        let effects = bare.settle(effects);
        Ok((bare, effects))
    })
    .unwrap()
}

fn place() -> Place {
    let place = Place::new();
    let mut workspace = place.create();
    let lines: String =
        (0..4).map(|i| line(&format!("c{i}"), "few words", "pay", 0.3, i)).collect();
    ingest(&mut workspace, &lines);
    place
}

fn deed() -> impl Strategy<Value = Deed> {
    let command =
        (0..COMMANDS.len(), "[a-z]{0,6}").prop_map(|(n, text)| Deed::Command(COMMANDS[n], text));
    prop_oneof![
        command,
        (1_usize..4).prop_map(Deed::Answer),
        Just(Deed::Command(casework::session::command::named("submit").unwrap(), String::new())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is done, in whatever order: the labels on disk are those that were told as saved.
    #[test]
    fn what_was_told_as_saved_is_on_disk(deeds in prop::collection::vec(deed(), 1..60)) {
        let place = place();
        let mut driver = at_work(place.open(), None);
        for deed in deeds {
            driver.feed(deed);
        }
        prop_assert_eq!(driver.front.session.saving, 0);
        let mut labels = 0;
        casework::db::label::for_each(&driver.reader.workspace().tables().conn, |row| {
            labels += usize::from(row.withdrawn.is_none());
        })
        .unwrap();
        prop_assert!(labels <= driver.front.saved);
        prop_assert!(driver.front.saved <= labels + driver.front.undone);
        driver.reader.finish();
        prop_assert!(place.open().verify().unwrap().ok);
    }
}

#[test]
fn no_command_writes_anything_in_a_training() {
    let place = place();
    let answers = ["--answer", "readable=y", "--answer", "verdict=y", "--answer", "category=r"];
    place.ok(&[&["label", "c0"][..], &answers[..]].concat());
    place.ok(&["gold", "set", "c0", "--why", "plain"]);
    let before = place.ok(&["status", "--json"]);
    for command in COMMANDS {
        let workspace = place.open();
        let lessons = workspace.lessons("edge-cases").unwrap();
        let mut driver = at_work(workspace, Some(lessons));
        driver.feed(Deed::Answer(1));
        driver.feed(Deed::Command(command, "some words".to_owned()));
        driver.reader.finish();
        assert_eq!(place.ok(&["status", "--json"]), before, "{} wrote something", command.name);
    }
}
