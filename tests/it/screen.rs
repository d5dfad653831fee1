//! Screens driven by keys: what a reviewer sees.

use casework::config::Env;
use casework::domain::random::draw_of;
use casework::session::Report;
use casework::tui::Review;
use casework::tui::dispatch::Event;
use casework::tui::place::Focus;
use casework::tui::terminal::Screen;

use crate::keys::Keys as _;
use crate::support::{Place, T0, ingest, line};

fn demo(place: &Place) -> casework::workspace::Workspace {
    casework::workspace::Workspace::create_demo(
        place.paths(),
        Env::default(),
        casework::demo::SEED,
        T0,
    )
    .unwrap()
}

fn session(place: &Place, size: (u16, u16)) -> Review {
    Review::in_turn(demo(place), size, || T0, None).unwrap()
}

/// The frame after some keys, as it was looked at and found good.
fn shows(name: &str, size: (u16, u16), keys: &str) {
    let place = Place::new();
    let mut session = session(&place, size);
    session.press(keys);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, session.text());
    });
}

#[test]
fn wide() {
    shows("wide_start", (160, 45), "");
    shows("wide_answered", (160, 45), "1 1 2");
    shows("wide_logs", (160, 45), "L s");
    shows("wide_neighbours", (160, 45), "N");
    shows("wide_model", (160, 45), "M");
    shows("wide_history", (160, 45), "H");
    shows("wide_help", (160, 45), "?");
    shows("wide_palette", (160, 45), "ctrl-p \"err\"");
    shows("wide_pick_label", (160, 45), "1 1 2 p \"cha\"");
    shows("wide_people", (160, 45), "P j");
    shows("wide_rationale", (160, 45), "1 1 1 1 4 r \"because_it_is\"");
}

/// While the cursor goes through the queue what stands beside it is not drawn anew; between that, any
/// other keys, messages and windows.
#[test]
fn a_terminal_shows_each_frame_whatever_was_kept_of_the_one_before() {
    let moves = ["j", "j", "j", "k", "PageDown", "PageUp", "G", "g"];
    let others = [
        "Enter",
        "Tab",
        "BackTab",
        "1",
        "2",
        "4",
        "u",
        "?",
        "Esc",
        "Esc",
        "/ \"e\" Enter",
        "ctrl-p",
        "]",
        "[",
        "o",
        "v",
        "z",
        "L",
        "N",
        "M",
        "t",
        "S",
        "P",
        "r \"why\" Esc",
        "d",
        "x",
        "i",
    ];
    for size in [(160, 45), (140, 20), (80, 24)] {
        let place = Place::new();
        let mut review = session(&place, size);
        let mut screen = Screen::nowhere();
        let mut terminal =
            vt100::Parser::new(size.1.try_into().unwrap(), size.0.try_into().unwrap(), 0);
        let mut kept = 0;
        for step in 0..240 {
            if step % 30 == 0 {
                review.press("Esc Esc Esc");
                for _ in 0..3 {
                    if review.front.focus != Focus::Queue {
                        review.press("Tab");
                    }
                }
            }
            let draw = |of: &str| draw_of(&[of, &step.to_string(), &size.0.to_string()]);
            let from =
                |list: &[&'static str], of: &str| list[(draw(of) * list.len() as f64) as usize];
            let before = review.front.changes;
            let effects = match draw("kind") {
                kind if kind < 0.65 => review.press(from(&moves, "move")),
                kind if kind < 0.75 => review.feed(Event::Rest),
                _ => review.press(from(&others, "other")),
            };
            assert!(effects.is_empty(), "{effects:?}");
            kept += usize::from(before == review.front.changes);
            terminal.process(&screen.frame(&review.front));
            let shown: Vec<String> =
                terminal.screen().rows(0, size.0).map(|row| row.trim_end().to_owned()).collect();
            let text = review.text();
            let expect: Vec<&str> = text.lines().map(str::trim_end).collect();
            // This terminal passes over what stands for bytes that are no text.
            let rows = shown.iter().zip(expect).filter(|(_, row)| !row.contains('\u{fffd}'));
            for (shown, expect) in rows {
                assert_eq!(shown, expect, "after {step} steps at {size:?}");
            }
        }
        assert!(kept > 20, "{kept}");
    }
}

#[test]
fn narrow() {
    shows("narrow_start", (80, 24), "");
    shows("narrow_queue", (80, 24), "BackTab j j");
    shows("narrow_ready", (80, 24), "1 1 1 2 s 5 x");
    shows("narrow_terms", (80, 24), "t");
    shows("narrow_help", (80, 24), "?");
    shows("narrow_help_end", (80, 24), "? \"copy\"");
    shows("narrow_exchange", (80, 24), "S");
    shows("narrow_filter", (80, 24), "/ \"flag:challenger\" Enter");
}

/// Nobody is offered to answer what not a word can be seen of.
#[test]
fn a_low_screen_shows_the_case_its_question_and_answers() {
    let place = Place::new();
    drop(demo(&place));
    for size in
        [(80, 8), (80, 9), (80, 10), (80, 12), (80, 13), (80, 14), (40, 8), (119, 11), (160, 8)]
    {
        let mut session = Review::in_turn(place.open(), size, || T0, None).unwrap();
        session.front.focus = Focus::Queue;
        session.press("g Enter");
        let row = session.front.session.queue.current().unwrap();
        let text = row.text.split(' ').take(3).collect::<Vec<_>>().join(" ");
        let shown = session.text();
        for wanted in [text.as_str(), "Can you read the message?", "1 Yes", "2 No"] {
            assert!(shown.contains(wanted), "{size:?}: {wanted}\n{shown}");
        }
    }
}

/// Whatever the size, no row of a text is skipped by a page, and what is found is seen; a search that
/// finds nothing leaves its keys to itself.
#[test]
fn pages_and_places_of_a_text_are_seen_at_every_size() {
    let place = Place::new();
    let mut workspace = place.create();
    let words: Vec<String> = (0..300).map(|n| format!("WORD{n:03}")).collect();
    let chat = |text: &str| serde_json::json!([{ "role": "user", "content": text }]);
    let of = |id: &str, input: serde_json::Value| {
        let line = serde_json::json!({ "id": id, "occurred_at": "2026-06-01T08:00:00Z", "stream": "s", "input": input,
            "prediction": { "label": "pay", "confidence": 0.3 } });
        format!("{line}\n")
    };
    let warned = serde_json::json!({ "text": words.join(" "), "k": null, "a": { "b": null } });
    ingest(&mut workspace, &of("plain", serde_json::json!({ "text": words.join(" ") })));
    ingest(&mut workspace, &of("warned", warned));
    ingest(&mut workspace, &of("chat", serde_json::json!({ "messages": chat(&words.join(" ")) })));
    drop(workspace);
    let sizes =
        [(80, 8), (40, 8), (80, 10), (80, 12), (80, 14), (80, 24), (160, 8), (160, 20), (160, 45)];
    for (size, id) in
        sizes.into_iter().flat_map(|size| ["plain", "warned", "chat"].map(|id| (size, id)))
    {
        let mut session = Review::in_turn(place.open(), size, || T0, None).unwrap();
        session.front.focus = Focus::Queue;
        session.press(&format!("/ \"id:{id}\" Enter Enter I"));
        let text = session.text();
        // The role of a turn stands above its words.
        assert!(text.contains("WORD000") || text.contains("1 turn"), "{size:?} {id}\n{text}");
        assert!(text.contains("1 Yes"), "{size:?} {id}\n{text}");
        session.front.focus = Focus::Context;
        let mut seen = String::new();
        for _ in 0..140 {
            seen.push_str(&session.text());
            session.press("PageDown");
        }
        let missed: Vec<_> = words.iter().filter(|word| !seen.contains(*word)).collect();
        assert!(missed.is_empty(), "{size:?} {id}: {missed:?}");
        for word in ["WORD000", "WORD151", "WORD299"] {
            session.press(&format!("/ ctrl-u \"{word}\" Enter"));
            let text = session.text();
            assert!(text.contains(word), "{size:?} {id} {word}\n{text}");
        }
        session.press("/ ctrl-u \"nowhere\" Enter n");
        let opened = session.front.session.opened.as_ref().unwrap();
        assert!(opened.draft.is_empty() && session.text().contains("stands nowhere"), "{size:?}");
    }
}

#[test]
fn tiny_and_plain() {
    shows("tiny", (20, 5), "");
    let place = Place::new();
    let workspace = demo(&place);
    drop(workspace);
    std::fs::write(
        place.paths().config(),
        "[review]\nborders = \"ascii\"\n[keys]\nsubmit = \"?\"\nhelp = \"?\"\nquit = \"c\"\n",
    )
    .unwrap();
    let env = Env { no_color: true, ..Env::default() };
    let workspace = casework::workspace::Workspace::open(place.paths(), env, None).unwrap();
    let mut session = Review::in_turn(workspace, (80, 24), || T0, None).unwrap();
    let text = session.text();
    assert!(text.is_ascii(), "{}", text.chars().filter(|c| !c.is_ascii()).collect::<String>());
    assert!(text.contains("[keys] c is both"), "a clash is reported: {text}");
    session.press("1");
    let colors = session.screen().content.iter().any(|cell| {
        cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
    });
    assert!(!colors, "NO_COLOR means none");
}

#[test]
fn every_size_from_nothing_on_is_drawn() {
    let place = Place::new();
    let mut session = session(&place, (80, 24));
    for (width, height) in
        [(1, 1), (20, 24), (32, 8), (33, 9), (79, 10), (109, 12), (110, 8), (300, 100)]
    {
        for keys in [
            "", "Tab", "?", "Esc", "ctrl-p", "Esc", "t", "Esc", "r", "Esc", "L", "M", "N", "H", "/",
        ] {
            session.feed(Event::Resize(width, height));
            session.press(keys);
            session.screen();
        }
        session.press("Esc");
    }
}

#[test]
fn a_label_takes_one_key_for_each_answer_and_one_to_submit() {
    let place = Place::new();
    let mut session = session(&place, (120, 40));
    let first = session.front.session.opened.as_ref().unwrap().case.row.id;
    let waiting = session.front.session.counts.mine();
    session.press("1 1 1 2 Enter");
    assert_eq!(session.front.session.saving, 0);
    assert_eq!(session.front.session.counts.mine(), waiting - 1);
    let next = session.front.session.opened.as_ref().unwrap().case.row.id;
    assert_ne!(next, first, "the next case is open");
    assert!(session.reader.workspace().verify_all(false).unwrap().ok);
    session.press("U");
    let opened = session.front.session.opened.as_ref().unwrap();
    assert_eq!(opened.case.row.id, first);
    assert_eq!(opened.draft.answers.len(), 4, "its answers are a draft again");
    assert_eq!(session.front.session.counts.mine(), waiting);
}

#[test]
fn what_is_missing_is_said_and_answers_can_be_taken_back() {
    let place = Place::new();
    let mut session = session(&place, (120, 40));
    session.press("1 1 1 2");
    assert!(session.front.session.opened.as_ref().unwrap().ended());
    session.press("u u");
    assert_eq!(session.front.session.opened.as_ref().unwrap().question().unwrap().id, "label");
    session.press("9");
    assert!(session.text().contains("There is no such answer"));
    session.press("y");
    assert_eq!(
        session.front.session.opened.as_ref().unwrap().question().unwrap().id,
        "why",
        "an answer's own letter works where it is free"
    );
}

#[test]
fn drafts_and_places_survive_the_end_of_the_program() {
    let place = Place::new();
    let mut one = session(&place, (120, 40));
    one.press("] 1 1 2 r \"half_a_tho\" Esc L");
    let id = one.front.session.opened.as_ref().unwrap().case.row.id;
    drop(one); // as the program ends
    let two = Review::in_turn(place.open(), (120, 40), || T0, None).unwrap();
    let opened = two.front.session.opened.as_ref().unwrap();
    assert_eq!(opened.case.row.id, id);
    assert_eq!(opened.draft.rationale, "half a tho");
    assert_eq!(opened.draft.answers.len(), 3);
    assert_eq!(two.front.tab(), casework::tui::place::Tab::Logs);
}

#[test]
fn deferring_commenting_and_views() {
    let place = Place::new();
    let mut session = session(&place, (120, 40));
    let first = session.front.session.opened.as_ref().unwrap().case.row.id;
    session.press("c \"odd_one\" Enter");
    assert!(
        session
            .front
            .session
            .opened
            .as_ref()
            .unwrap()
            .case
            .history
            .iter()
            .any(|line| line.words.contains("odd one"))
    );
    session.press("d \"later\" Enter");
    assert_ne!(session.front.session.opened.as_ref().unwrap().case.row.id, first);
    assert_eq!(session.front.session.counts.deferred, 1);
    session.press("v");
    assert_eq!(
        session.front.session.queue.rows.len() as u64,
        session.front.session.counts.disputed
    );
    session.press("Esc");
    assert!(session.front.session.view.is_none());
}

#[test]
fn typed_ahead_keys_act_on_what_they_were_meant_for() {
    let place = Place::new();
    let mut session = session(&place, (160, 45));
    session.press("Tab Tab"); // to the queue
    session.press("BackTab");
    session.front.focus = Focus::Queue;
    let expect = session.front.session.queue.rows[30].id;
    session.press(&"j ".repeat(30));
    session.press("Enter");
    assert_eq!(session.front.session.opened.as_ref().unwrap().case.row.id, expect);
    session.press("Tab Tab G");
    assert_eq!(
        session.front.session.queue.place(),
        session.front.session.counts.mine(),
        "G goes to the last"
    );
}

#[test]
fn keys_typed_after_undo_are_for_the_case_that_comes_back() {
    let place = Place::new();
    let workspace = demo(&place);
    let (report, jobs) = std::sync::mpsc::channel();
    let mut session =
        Review::new(workspace, (120, 40), || T0, None, move |one| drop(report.send(one))).unwrap();
    let first = session.front.session.opened.as_ref().unwrap().case.row.id;
    session.press("1 1 1 2 Enter");
    session.press("U u u 2"); // typed before the worker has done anything
    while session.front.session.opened.as_ref().unwrap().case.row.id != first {
        let job = jobs.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        session.hear(job);
    }
    let opened = session.front.session.opened.as_ref().unwrap();
    let path: Vec<&str> = opened.draft.answers.iter().map(|(_, answer)| answer.as_str()).collect();
    assert_eq!(path, ["y", "y", "n"], "two answers were taken back and another given");
}

#[test]
fn a_label_in_another_view_goes_on_to_the_next_case_there() {
    let place = Place::new();
    let mut session = session(&place, (120, 40));
    session.press("v Enter");
    let first = session.front.session.opened.as_ref().unwrap().case.row.id;
    session.press("1 1 1 2 Enter");
    assert_ne!(session.front.session.opened.as_ref().unwrap().case.row.id, first);
    session.press("c \"seen\" Enter");
    assert!(
        session
            .front
            .session
            .opened
            .as_ref()
            .unwrap()
            .case
            .history
            .iter()
            .any(|line| line.words.contains("seen"))
    );
}

#[test]
fn a_picker_without_a_match_stays_open() {
    let place = Place::new();
    let mut session = session(&place, (120, 40));
    session.press("1 1 2 p \"zzz\" Enter Backspace Backspace Backspace \"refund\" Enter");
    let opened = session.front.session.opened.as_ref().unwrap();
    assert_eq!(opened.draft.answers.last().unwrap().1, "refund_request");
}

#[test]
fn looking_at_a_labeled_case_keeps_no_draft_and_loses_nothing_of_the_label() {
    let place = Place::new();
    let mut session = session(&place, (120, 40));
    let first = session.front.session.opened.as_ref().unwrap().case.row.id;
    session.press("1 1 1 2 s 4 r \"why_so\" Esc Enter");
    for effect in session.front.session.open(first) {
        if let Some(job) = session.reader.perform(effect) {
            session.hear(job);
        }
    }
    let opened = session.front.session.opened.as_ref().unwrap();
    assert_eq!((opened.draft.rationale.as_str(), opened.draft.confidence), ("why so", Some(4)));
    session.press("] [");
    session.reader.finish();
    assert_eq!(place.open().draft(first).unwrap(), None);
}

/// Two people on one store, each before a screen.
#[test]
fn screens_exchange_by_themselves_and_a_lead_lets_people_in() {
    let (one, two) = (Place::new(), Place::new());
    let store = one.dir.path().join("store");
    let url = store.to_str().unwrap();
    let env = Env::default;
    let mut ana = casework::workspace::Workspace::found_on(
        one.paths(),
        env(),
        "team",
        "ana",
        url,
        false,
        &casework::workspace::create::STARTERS[0],
    )
    .unwrap();
    // Whose a case is depends on the week; this one is everybody's.
    one.ok(&["policy", "set", "overlap=2", "limit=3"]);
    ingest(&mut ana, &line("p0", "move money", "pay", 0.2, 0));
    let (bo, _) =
        casework::workspace::Workspace::join(two.paths(), env(), url, "bo", None, None).unwrap();
    let key = bo.fingerprint();
    let now = casework::clock::now;
    let mut lead = Review::in_turn(ana, (80, 24), now, None).unwrap();
    let synced = |job: Option<&Report>| matches!(job, Some(Report::Synced(state)) if state.status.trouble.is_none());
    lead.wait_for(synced);
    assert!(lead.text().contains("1 ask (P)"), "{}", lead.text());
    lead.press("P");
    assert!(
        lead.text().contains("asks to join") && lead.text().contains(&key),
        "the whole key, at 80 columns: {}",
        lead.text()
    );
    lead.press("a Enter");
    assert!(lead.text().contains("bo is admitted."), "{}", lead.text());
    lead.press("Esc S S");
    lead.wait_for(synced);
    assert!(lead.text().contains("Nothing was kept out."), "{}", lead.text());
    let mut reviewer = Review::in_turn(bo, (80, 24), now, None).unwrap();
    reviewer.wait_for(synced);
    reviewer.wait_for(|job| matches!(job, Some(Report::Counted(_))));
    assert!(reviewer.text().contains("move money"), "{}", reviewer.text());
    // The store goes away: it is said, work goes on, and what waits is counted.
    std::fs::rename(&store, one.dir.path().join("away")).unwrap();
    reviewer.press("S S");
    reviewer.wait_for(
        |job| matches!(job, Some(Report::Synced(state)) if state.status.trouble.is_some()),
    );
    reviewer.press("Esc 1 1 3 Enter");
    assert!(reviewer.text().contains("offline, 1 wait"), "{}", reviewer.text());
    std::fs::rename(one.dir.path().join("away"), &store).unwrap();
    reviewer.press("S S");
    reviewer.wait_for(synced);
    let text = reviewer.text();
    let head = text.lines().next().unwrap();
    assert!(head.contains("synced") && !head.contains("wait"), "{head}");
}

#[test]
fn in_the_queue_keys_are_for_the_row_that_is_seen() {
    let place = Place::new();
    let mut session = session(&place, (80, 24));
    let open = session.front.session.opened.as_ref().unwrap().case.row.id;
    session.press("BackTab j j");
    let row = session.front.session.queue.current().unwrap().id;
    assert_ne!(open, row);
    session.press("x");
    assert!(session.text().contains("Open the case first: Enter."), "{}", session.text());
    session.press("d \"later\" Enter");
    let noted = |id| {
        casework::db::note::of_case(&session.reader.workspace().tables().conn, id).unwrap().len()
    };
    assert_eq!((noted(open), noted(row)), (0, 1));
}

#[test]
fn a_message_is_read_to_its_end_which_says_what_to_do() {
    let place = Place::new();
    let mut workspace = place.create();
    ingest(&mut workspace, &line("c0", "text", "pay", 0.3, 0));
    drop(workspace);
    place.ok(&["roster", "admit", "eve", "--role", "engineer"]);
    let eve =
        casework::workspace::Workspace::open(place.paths(), Env::default(), Some("eve")).unwrap();
    let mut session = Review::in_turn(eve, (80, 24), || T0, None).unwrap();
    while !session.text().contains("1 of 1") {
        session.press("v");
    }
    session.press("Enter d \"why\" Enter");
    let text = session.text();
    let told: String = text
        .lines()
        .rev()
        .take(4)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .map(|line| format!("{} ", line.trim()))
        .collect();
    assert!(
        told.contains("eve may not do this: ")
            && told.contains("P lists names; a lead admits them there."),
        "{text}"
    );
    for (columns, rows) in [(20, 5), (1, 1), (160, 45)] {
        session.feed(Event::Resize(columns, rows));
        session.text();
    }
}

#[test]
fn every_key_can_be_changed_and_words_name_the_new_one() {
    let place = Place::new();
    let mut workspace = demo(&place);
    let keys = [
        ("submit", "ctrl-s"),
        ("rationale", "W"),
        ("answer", "a b"),
        ("take-back", "F2"),
        ("undo", "F3"),
        ("close", "F4"),
        ("admit", "z"),
        ("board-next", "n"),
    ];
    workspace.config.keys =
        keys.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned())).collect();
    let mut session = Review::in_turn(workspace, (160, 45), || T0, None).unwrap();
    session.press("F2");
    assert!(session.text().contains("F3 takes back what you did last"), "{}", session.text());
    session.press("a a");
    assert_eq!(
        session.front.session.opened.as_ref().unwrap().draft.answers.len(),
        2,
        "answers are given by place"
    );
    assert!(
        session.text().contains("     a "),
        "the guide shows the keys of the answers\n{}",
        session.text()
    );
    session.press("a b");
    assert!(session.text().contains("ctrl-s submits. W says why."), "{}", session.text());
    session.press("P");
    assert!(session.text().contains("z admit"), "{}", session.text());
    session.press("F4 D n");
    assert!(session.text().contains("‹Questions›"), "{}", session.text());
    session.press("F4 ?");
    assert!(session.text().contains("Keys"), "{}", session.text());
    let help = casework::tui::action::rows();
    let in_windows = help
        .iter()
        .filter(|row| row.name == "appeal" || row.name == "reveal" || row.name == "retire");
    assert_eq!(in_windows.count(), 3, "help covers windows");
}

#[test]
fn every_command_has_a_name_of_its_own_and_a_key() {
    let names: Vec<&str> =
        casework::session::command::COMMANDS.iter().map(|command| command.name).collect();
    let rows = casework::tui::action::rows();
    for (at, name) in names.iter().enumerate() {
        assert!(!names[..at].contains(name), "{name} is there twice");
        assert!(
            rows.iter().any(|row| row.name == *name && !row.keys.is_empty()),
            "{name} has no key"
        );
    }
    let all: Vec<&str> = rows.iter().map(|row| row.name).collect();
    for (at, name) in all.iter().enumerate() {
        assert!(!all[..at].contains(name), "{name} means two things in [keys]");
    }
}

#[test]
fn the_screen_of_the_readme() {
    let place = Place::new();
    let mut session = session(&place, (100, 24));
    session.press("1 1");
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("readme_screen", session.text());
    });
    session.press("F1 \"trust\" Enter");
    assert!(session.text().contains("Manual: trust"), "{}", session.text());
    session.press("q ?");
    assert!(session.text().contains("F1 opens the manual"), "{}", session.text());
}

#[test]
fn what_was_written_at_a_prompt_and_left_is_there_again_for_that_case_alone() {
    let place = Place::new();
    let mut session = session(&place, (100, 30));
    session.press("c \"hmmm\" Esc");
    assert!(session.text().contains("What you wrote is kept"), "{}", session.text());
    session.press("] c");
    assert!(!session.text().contains("hmmm"), "another case's");
    session.press("Esc [ c");
    assert!(session.text().contains("Comment: hmmm"), "{}", session.text());
    session.press("Enter c");
    assert!(!session.text().contains("Comment: hmmm"), "it was given");
    // What is searched for or filtered by is no such text.
    session.press("Esc BackTab / \"zzz\" Esc");
    assert!(!session.text().contains("kept"), "{}", session.text());
}

#[test]
fn what_leads_do_is_offered_to_leads() {
    let place = Place::new();
    let mut session = session(&place, (160, 30));
    session.front.session.counts.leads = true;
    session.press("BackTab");
    let text = session.text();
    for hint in ["A disputes", "C sessions", "D board", "P people"] {
        assert!(text.contains(hint), "{text}");
    }
    session.front.session.counts.leads = false;
    session.press("j");
    assert!(!session.text().contains("P people"), "{}", session.text());
}

#[test]
fn the_theme_follows_the_background_that_the_terminal_says() {
    use casework::tui::dispatch::Event;
    use casework::tui::input::Reply;
    let place = Place::new();
    let mut session = session(&place, (100, 30));
    let dark = session.front.theme;
    session.feed(Event::Terminal(Reply::Background { light: true }));
    assert_ne!(session.front.theme, dark);
    session.feed(Event::Terminal(Reply::Background { light: false }));
    assert_eq!(session.front.theme, dark);
    // A terminal that arranges right-to-left text itself is left to it.
    assert!(session.front.arranges());
    session.feed(Event::Terminal(Reply::Name("Konsole 23.08.1".to_owned())));
    assert!(!session.front.arranges());
}

/// Whoever leaves a filter is where they were; and where the queue shows no case, no key is of one.
#[test]
fn a_filter_takes_neither_the_place_nor_lets_act_on_what_it_hides() {
    let place = Place::new();
    let mut session = session(&place, (160, 45));
    session.front.focus = Focus::Queue;
    let at = |session: &Review| {
        let queue = &session.front.session.queue;
        (queue.place(), queue.current().map(|row| row.id), queue.rows.len())
    };
    session.press("j j j j j j j");
    let before = at(&session);
    assert_eq!(before.0, 8);
    for keys in
        ["/ Esc", "/ \"card\" Esc", "/ \"card\" Enter / ctrl-u Enter", "/ \"card\" Enter j Esc"]
    {
        session.press(keys);
        assert_eq!(at(&session), before, "{keys}");
    }
    // What was undone meanwhile is in the queue again.
    session.press("1 1 1 1 1 Enter Enter");
    let labeled = at(&session).2;
    session.front.focus = Focus::Queue;
    session.press("/ \"card\" Enter U");
    session.front.focus = Focus::Queue;
    session.press("Esc");
    let undone = session.front.session.open_id();
    let rows = &session.front.session.queue.rows;
    assert!(at(&session).2 >= labeled && rows.iter().any(|row| Some(row.id) == undone));
    session.press("g j j j j j j j");
    let before = at(&session);
    // A filter that nothing fits.
    session.press("/ \"zzzqqq\" Enter");
    assert_eq!(at(&session).1, None);
    let open = session.front.session.open_id();
    let draft = |session: &Review| {
        session.front.session.opened.as_ref().map(|opened| format!("{:?}", opened.draft.answers))
    };
    let kept = draft(&session);
    // Nothing is offered that is of a case.
    let foot = session.text().lines().last().unwrap().to_owned();
    for refused in ["d defer", "r why", "c comment", "1-9 answer", "t terms", "] next"] {
        assert!(!foot.contains(refused), "{foot}");
    }
    assert!(foot.contains("v view") && foot.contains("? help"), "{foot}");
    for keys in ["1", "d", "Enter", "s", "Tab 1", "BackTab d", "M 1", "z 1", "Tab \"i\""] {
        session.press(keys);
        assert_eq!(session.front.focus, Focus::Queue, "{keys}");
        assert_eq!(draft(&session), kept, "{keys}");
        let said = session.text();
        assert_eq!(session.front.session.open_id(), open, "{keys}");
        if ["1", "d"].contains(&keys) {
            assert!(said.contains("No case is under the cursor."), "{keys}: {said}");
        }
    }
    session.press("Esc");
    assert_eq!(at(&session), before);
}

/// Whoever types a filter sees the case that it brings under the cursor.
#[test]
fn the_case_beside_a_filter_is_the_one_under_the_cursor() {
    let place = Place::new();
    let mut session = session(&place, (160, 45));
    session.front.focus = Focus::Queue;
    session.press("g / \"box\"");
    session.feed(Event::Rest);
    let row = session.front.session.queue.current().map(|row| row.id);
    assert!(row.is_some() && session.front.session.open_id() == row, "{row:?} {}", session.text());
    // What is typed goes on, and whoever leaves is where they were.
    session.press("\"s\" Esc");
    session.feed(Event::Rest);
    let queue = &session.front.session.queue;
    assert_eq!(
        (queue.place(), queue.current().map(|row| row.id)),
        (1, session.front.session.open_id())
    );
}

/// A name is never cut where it stands alone: two that begin the same are told apart, and found.
#[test]
fn names_and_numbers_of_the_model_stand_whole() {
    let place = Place::new();
    let mut workspace = place.create();
    let long = |end: &str| format!("payment_dispute_of_an_unauthorised_{end}");
    let line = serde_json::json!({ "id": "w", "occurred_at": "2026-06-01T08:00:00Z", "stream": "s",
        "input": { "text": "hi" }, "model": { "name": "a model with a name of many words", "version": "2026-05-30" },
        "prediction": { "label": long("card"), "confidence": 0.3137259, "top_k": [
            { "label": long("card"), "p": 0.3137259 }, { "label": long("debit"), "p": 0.12345678901234568 }] },
        "challenger": { "label": long("credit"), "confidence": 0.71828 },
        "feature_importance": [{ "feature": "of_the_card_that_is_named_first", "weight": -1.5 }] });
    ingest(&mut workspace, &format!("{line}\n"));
    drop(workspace);
    for size in [(80, 40), (119, 30), (160, 45)] {
        let mut session = Review::in_turn(place.open(), size, || T0, None).unwrap();
        session.press("M");
        let words = session.text().split(['│', '\n']).map(str::trim).collect::<Vec<_>>().join(" ");
        for wanted in [
            &*long("card"),
            &long("debit"),
            &long("credit"),
            "0.3137259",
            "0.71828",
            "of_the_card_that_is_named_first",
            "-1.5",
        ] {
            assert!(words.contains(wanted), "{size:?} {wanted}: {}", session.text());
        }
        session.front.focus = Focus::Context;
        for word in ["debit", "differs:_payment", "credit_0.7"] {
            session.press(&format!("/ ctrl-u \"{word}\" Enter"));
            assert!(session.text().contains("places with"), "{word} {}", session.text());
        }
    }
}

/// What a message tells people to press is the key of something that there is.
#[test]
fn every_key_that_a_message_names_is_one() {
    let names = Review::in_turn(demo(&Place::new()), (80, 24), || T0, None);
    let keymap = names.unwrap().front.keymap;
    let mut found = 0;
    let mut look = |path: &std::path::Path| {
        let source = std::fs::read_to_string(path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        let mut rest = source;
        while let Some((before, after)) = rest.split_once('"') {
            let end = after.find('"').unwrap_or(after.len());
            let (text, then) = after.split_at(end);
            rest = then.get(1..).unwrap_or_default();
            // What is formatted names values.
            if before.trim_end().ends_with("!(") || text.contains('\n') {
                continue;
            }
            let names = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
            for (name, _) in names.filter(|(name, _)| {
                name.len() > 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            }) {
                found += 1;
                let told = format!("{{{name}}}");
                assert_ne!(keymap.fill(&told), told, "{} in {}", text, path.display());
            }
        }
    };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/session");
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                look(&path);
            }
        }
    }
    assert!(found > 20, "{found}");
}
