//! Texts of all scripts: read from right to left, of signs that terminals do not agree on, and with
//! what would act on a terminal. What the terminals do was measured by others.

use std::collections::HashMap;
use std::fs;

use casework::domain::bidi::{Direction, arranged, order};
use casework::domain::text::{has_unsure, is_unsure, visible, width};
use casework::tui::Review;
use casework::tui::terminal::Screen;
use serde_json::Value;
use unicode_bidi::{BidiInfo, Level};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::keys::Keys as _;
use crate::support::{Place, T0, ingest, shared};

fn chars(hex: &str) -> String {
    hex.split_whitespace()
        .map(|code| char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap())
        .collect()
}

#[test]
fn the_order_is_that_of_unicodes_own_test() {
    let Some(shared) = shared("scripts::the_order_is_that_of_unicodes_own_test") else { return };
    let lines = fs::read_to_string(shared.join("modal/unicode/bidi.txt")).unwrap();
    let (mut levels_seen, mut orders_seen) = (0, 0);
    for line in lines.lines().filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split(';').collect();
        let text = chars(parts[0]);
        let base = match parts[1] {
            "0" => Some(Level::ltr()),
            "1" => Some(Level::rtl()),
            _ => None,
        };
        let info = BidiInfo::new(&text, base);
        let [paragraph] = info.paragraphs.as_slice() else { continue };
        assert_eq!(paragraph.level.number().to_string(), parts[2], "{line}");
        let levels = info.reordered_levels(paragraph, paragraph.range.clone());
        let expect: Vec<&str> = parts[3].split_whitespace().collect();
        for ((at, _), level) in text.char_indices().zip(&expect) {
            assert!(*level == "x" || levels[at].number().to_string() == *level, "{line}");
        }
        levels_seen += 1;
        // Ours moves whole signs: the same wherever each character is one and none is left out.
        let single = text.graphemes(true).count() == text.chars().count();
        if single && !expect.contains(&"x") {
            let right = paragraph.level.is_rtl();
            let base = if right { Direction::Right } else { Direction::Left };
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let seen: Vec<String> = order(&text, base)
                .iter()
                .map(|one| places.binary_search(&one.place.start).unwrap().to_string())
                .collect();
            assert_eq!(seen.join(" "), parts[4], "{line}");
            orders_seen += 1;
        }
    }
    assert!(levels_seen > 550 && orders_seen > 300, "{levels_seen} {orders_seen}");
}

#[test]
fn signs_are_what_unicode_says_they_are() {
    let Some(shared) = shared("scripts::signs_are_what_unicode_says_they_are") else { return };
    let lines = fs::read_to_string(shared.join("modal/unicode/graphemes.txt")).unwrap();
    let mut seen = 0;
    for line in lines.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let expect: Vec<String> = line
            .split('÷')
            .map(|sign| chars(&sign.replace('×', " ")))
            .filter(|sign| !sign.is_empty())
            .collect();
        let text: String = expect.concat();
        // What counts as a picture changed after Unicode 15, of which these lines are.
        if line.contains("200D × 27") {
            continue;
        }
        assert_eq!(text.graphemes(true).collect::<Vec<_>>(), expect, "{line}");
        seen += 1;
    }
    assert!(seen > 250, "{seen}");
}

#[test]
fn what_acts_is_named_and_what_is_written_so_stays() {
    let Some(shared) = shared("scripts::what_acts_is_named_and_what_is_written_so_stays") else {
        return;
    };
    let lines = fs::read_to_string(shared.join("modal/texts/traps.jsonl")).unwrap();
    for line in lines.lines() {
        let trap: Value = serde_json::from_str(line).unwrap();
        let (name, text) = (trap["name"].as_str().unwrap(), trap["text"].as_str().unwrap());
        let shown = visible(text);
        assert!(!shown.chars().any(char::is_control), "{name}");
        if trap["note"].as_str().unwrap().contains("must be shown by name") {
            assert!(shown.contains('«'), "{name}: {shown}");
        }
        match name {
            "zalgo" => assert!(shown.contains(" marks»"), "{shown}"),
            "subdivision-flag" | "hindi-conjunct" | "zwnj-fa" | "zwj-family" | "nfd" | "flag"
            | "rtl-brackets" => {
                assert_eq!(shown, text, "{name} is written so");
            }
            _ => {}
        }
    }
    assert_eq!(arranged("המנה (מס' 42)", Direction::Right), "(42 'סמ) הנמה");
    let hidden = "\u{1f3f4}\u{e0061}\u{e007f}";
    assert!(visible(hidden).contains("«U+E0061»"), "letters that nobody sees are named");
}

#[test]
fn what_terminals_differ_about_is_known() {
    for sure in ["a", "é", "e\u{301}", "漢", "ก", "กิ", "שָ", "ب\u{64b}", "ñ"] {
        assert!(!is_unsure(sure), "{sure}");
    }
    for unsure in ["கா", "क्ष", "👩\u{200d}🔬", "🇵🇹", "7\u{fe0f}\u{20e3}", "👋🏿", "คำ", "ကျ", "한"]
    {
        let decomposed: String = unicode_normalization::UnicodeNormalization::nfd(unsure).collect();
        assert!(has_unsure(unsure) || has_unsure(&decomposed), "{unsure}");
    }
}

/// How a terminal counts the cells of what is written to it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Counts<'m> {
    /// Each character for itself.
    ByCharacter,
    /// As we do.
    BySign,
    /// Signs that are unsure take one cell more or less, by turns.
    Astray,
    /// Words as they were measured, the rest by character.
    Measured(&'m HashMap<String, usize>),
}

/// A terminal as far as casework uses one.
struct Model<'m> {
    cells: Vec<Vec<String>>,
    at: (usize, usize),
    counts: Counts<'m>,
    turn: bool,
}

impl Model<'_> {
    fn write(&mut self, bytes: &[u8]) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("\u{1b}[") {
                let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                self.obey(&after[..end], after.as_bytes()[end]);
                rest = &after[end + 1..];
                continue;
            }
            if let Some(after) = rest.strip_prefix("\r\n") {
                self.at = (self.at.0 + 1, 0);
                rest = after;
                continue;
            }
            let end = rest.find(['\u{1b}', '\r']).unwrap_or(rest.len());
            self.print(&rest[..end]);
            rest = &rest[end..];
        }
    }

    fn obey(&mut self, arguments: &str, command: u8) {
        match command {
            b'H' => {
                let (row, column) = arguments.split_once(';').unwrap_or((arguments, "1"));
                self.at = (row.parse::<usize>().unwrap() - 1, column.parse::<usize>().unwrap() - 1);
            }
            b'G' => self.at.1 = arguments.parse::<usize>().unwrap() - 1,
            b'C' => self.at.1 += arguments.parse::<usize>().unwrap_or(1),
            b'K' => self.cells[self.at.0][self.at.1..].fill(" ".to_owned()),
            b'X' => {
                let (row, from) = self.at;
                let to = (from + arguments.parse::<usize>().unwrap()).min(self.cells[row].len());
                self.cells[row][from..to].fill(" ".to_owned());
            }
            b'J' => self.cells.iter_mut().for_each(|row| row.fill(" ".to_owned())),
            b'm' | b'h' | b'l' => {}
            other => panic!("what is {}?", char::from(other)),
        }
    }

    fn print(&mut self, text: &str) {
        for word in text.split_inclusive(' ') {
            let blank = word.ends_with(' ');
            let bare = word.trim_end_matches(' ');
            if let Counts::Measured(words) = self.counts
                && let Some(cells) = words.get(bare)
            {
                self.put(bare, *cells);
                if blank {
                    self.put(" ", 1);
                }
                continue;
            }
            for sign in word.graphemes(true) {
                let ours = width(sign);
                let cells = match self.counts {
                    Counts::BySign => ours,
                    Counts::ByCharacter | Counts::Measured(_) => {
                        sign.chars().map(|c| width(c.encode_utf8(&mut [0; 4]))).sum()
                    }
                    Counts::Astray if is_unsure(sign) => {
                        self.turn = !self.turn;
                        if self.turn { ours + 1 } else { ours.saturating_sub(1) }
                    }
                    Counts::Astray => ours,
                };
                self.put(sign, cells);
            }
        }
    }

    /// What is written takes so many cells; nothing goes on in the next row.
    fn put(&mut self, sign: &str, cells: usize) {
        let row = &mut self.cells[self.at.0];
        for n in 0..cells {
            let last = row.len() - 1;
            row[(self.at.1 + n).min(last)] = if n == 0 { sign.to_owned() } else { String::new() };
        }
        self.at.1 = (self.at.1 + cells).min(row.len());
    }
}

/// All of a shared stream, open at a size.
fn open(shared: &std::path::Path, size: (u16, u16)) -> (Place, Review) {
    let place = Place::new();
    let mut workspace = place.create();
    for file in ["texts/stream.jsonl", "texts/traps_stream.jsonl"] {
        ingest(&mut workspace, &fs::read_to_string(shared.join("modal").join(file)).unwrap());
    }
    (place, Review::in_turn(workspace, size, || T0, None).unwrap())
}

/// Whatever a terminal takes the signs of a script to be wide: borders, panes and the footer stand
/// where they should in every frame, and what is said beside the text can be read.
#[test]
fn no_pane_is_out_of_line_on_any_terminal() {
    let Some(shared) = shared("scripts::no_pane_is_out_of_line_on_any_terminal") else { return };
    let table = fs::read_to_string(shared.join("modal/unicode/measured_widths.tsv")).unwrap();
    let mut measured: HashMap<&str, HashMap<String, usize>> = HashMap::new();
    for line in table.lines().skip(1) {
        let parts: Vec<&str> = line.split('\t').collect();
        let words = measured.entry(parts[1]).or_default();
        words.insert(parts[5].to_owned(), parts[3].parse().unwrap());
    }
    assert_eq!(measured.len(), 14);
    let mut ways = vec![Counts::ByCharacter, Counts::BySign, Counts::Astray];
    ways.extend(measured.values().map(Counts::Measured));
    let mut frames = 0;
    for size in [(80, 24), (120, 40), (160, 45)] {
        let (_place, mut review) = open(&shared, size);
        let blank = || vec![vec![" ".to_owned(); size.0.into()]; size.1.into()];
        let mut models: Vec<Model<'_>> = ways
            .iter()
            .map(|counts| Model { cells: blank(), at: (0, 0), counts: *counts, turn: false })
            .collect();
        let mut screen = Screen::nowhere();
        for _ in 0..82 {
            let bytes = screen.frame(&review.front);
            let text = review.text();
            let rows: Vec<Vec<&str>> =
                text.lines().map(|row| row.graphemes(true).collect()).collect();
            for model in &mut models {
                model.write(&bytes);
                for (y, row) in rows.iter().enumerate() {
                    let mut x = 0;
                    for sign in row {
                        if matches!(*sign, "│" | "─" | "┌" | "└" | "▸") {
                            assert_eq!(
                                model.cells[y][x], *sign,
                                "row {y}, column {x} of {size:?} on {:?}:\n{text}",
                                model.counts
                            );
                        }
                        x += width(sign).max(1);
                    }
                    // What is beside the text, and under it, is whole.
                    if let Some(plain) = row.iter().rposition(|sign| !sign.is_ascii()) {
                        let from: usize = row[..=plain].iter().map(|sign| width(sign).max(1)).sum();
                        let ours: String = row[plain + 1..].concat();
                        let theirs: String = model.cells[y][from..].concat();
                        if *row[plain] == *"│" {
                            assert_eq!(theirs.trim_end(), ours.trim_end(), "{:?}", model.counts);
                        }
                    }
                }
            }
            frames += models.len();
            review.press("]");
        }
    }
    println!("{frames} frames compared");
}

/// The next case costs little in every script: at most twice what an English one does, and 5 KB.
#[test]
fn no_script_costs_much_more_to_draw_than_another() {
    let Some(shared) = shared("scripts::no_script_costs_much_more_to_draw_than_another") else {
        return;
    };
    let mut costs: HashMap<String, Vec<usize>> = HashMap::new();
    let (_place, mut review) = open(&shared, (160, 45));
    let mut screen = Screen::nowhere();
    screen.frame(&review.front);
    for _ in 0..81 {
        review.press("]");
        let bytes = screen.frame(&review.front).len();
        let opened = review.front.session.opened.as_ref().unwrap();
        let line = &opened.case.prediction.as_ref().unwrap().line;
        let language = line["input"]["lang"].as_str().unwrap_or("traps").to_owned();
        costs.entry(language).or_default().push(bytes);
    }
    let most = |language: &str| costs[language].iter().max().copied().unwrap();
    let english = most("eng");
    for language in costs.keys() {
        println!("{language}: {:?}", costs[language]);
        assert!(most(language) <= 2 * english.max(3_000), "{language} costs {}", most(language));
    }
}
