//! The pages of the board: what stands on them, and the cases behind each number. Where they are
//! drawn is no matter here.

use std::borrow::Cow;

use super::snapshot::{
    BoardSnapshot, CategoryFigures, Counted, Day, LoopRow, VersionFigures, WeekFigures,
};
use crate::domain::ids::CaseId;
use crate::domain::resolve::CaseState;
use crate::domain::text::{fit, visible, width};
use crate::quality::figure::{decimal, wilson};
use crate::review::disagreement::Tally;
use crate::review::right_at::RightAt;
use crate::review::sight::{Figures, cases_left_out, figures_left_out};
use crate::review::sla::{DueItem, by_person};

/// A page of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Page {
    #[default]
    Now,
    Questions,
    Categories,
    Pairs,
    Matrix,
    Weeks,
    Versions,
    Retraining,
    Models,
}

impl Page {
    pub const ALL: [Self; 9] = [
        Self::Now,
        Self::Questions,
        Self::Categories,
        Self::Pairs,
        Self::Matrix,
        Self::Weeks,
        Self::Versions,
        Self::Retraining,
        Self::Models,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "Now",
            Self::Questions => "Questions",
            Self::Categories => "Categories",
            Self::Pairs => "Pairs",
            Self::Matrix => "Matrix",
            Self::Weeks => "Weeks",
            Self::Versions => "Versions",
            Self::Retraining => "Retraining",
            Self::Models => "Models",
        }
    }

    /// Its place among all.
    fn at(self) -> usize {
        Self::ALL.iter().position(|page| *page == self).unwrap_or(0)
    }

    /// The page that stands `by` pages on, around the ends.
    pub fn turned(self, by: isize) -> Self {
        let all = Self::ALL.len() as isize;
        Self::ALL[(self.at() as isize + by).rem_euclid(all) as usize]
    }
}

/// How words stand out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Text,
    Dim,
    Strong,
    Accent,
    Warn,
}

/// Words of a line, whole.
#[derive(Debug)]
pub struct Words {
    pub text: String,
    pub tone: Tone,
    /// Columns that they have where lines stand below each other; 0: as many as they take.
    columns: usize,
}

impl Words {
    /// The words in their columns: cut, or with blanks behind them.
    pub fn in_columns(&self) -> Cow<'_, str> {
        if self.columns == 0 {
            return Cow::Borrowed(&self.text);
        }
        let text = fit(&self.text, self.columns);
        let room = self.columns.saturating_sub(width(&text));
        Cow::Owned(format!("{text}{}", " ".repeat(room)))
    }
}

/// A line, and the cases behind it.
#[derive(Debug)]
pub struct Row {
    pub words: Vec<Words>,
    pub title: String,
    pub behind: Counted,
}

impl Row {
    fn new(words: Vec<Words>, title: String, behind: impl Into<Counted>) -> Self {
        Self { words, title, behind: behind.into() }
    }

    /// Words alone.
    fn of_words(words: Vec<Words>) -> Self {
        Self::new(words, String::new(), Counted::default())
    }

    /// How many cases behind it are kept from whoever looks, and why.
    pub fn left_out(&self) -> Option<String> {
        cases_left_out(self.behind.left_out.len())
    }
}

/// All pages, in the order of [`Page::ALL`], made once of a snapshot: a frame only shows them.
#[derive(Debug)]
pub struct Pages(Vec<(String, Vec<Row>)>);

impl Pages {
    /// What the columns of a page are.
    pub fn head(&self, page: Page) -> &str {
        &self.0[page.at()].0
    }

    pub fn rows(&self, page: Page) -> &[Row] {
        &self.0[page.at()].1
    }
}

/// What makes pages of a snapshot.
struct Maker<'p> {
    board: &'p BoardSnapshot,
    figures: &'p Figures,
}

impl Pages {
    /// The pages for whoever is shown these figures about people.
    pub fn of(snapshot: &BoardSnapshot, figures: &Figures) -> Self {
        let maker = Maker { board: snapshot, figures };
        Self(Page::ALL.into_iter().map(|page| (maker.head(page), maker.rows(page))).collect())
    }
}

/// A line about retraining or models.
fn loop_row(row: &LoopRow) -> Row {
    let tone = if row.warns { Tone::Warn } else { Tone::Text };
    let mut words = match row.share {
        Some(share) => vec![
            name_of(&row.name, 13, Tone::Text),
            words_of(bar((share * 1000.0).round() as usize, 1000), Tone::Accent),
            words_of(" ".repeat(34 - 13 - BAR), Tone::Text),
        ],
        None => vec![name_of(&row.name, 34, Tone::Text)],
    };
    words.extend([
        words_of(format!("{:>7}  ", row.number), Tone::Strong),
        words_of(row.more.clone(), tone),
    ]);
    Row::new(words, row.name.clone(), row.behind.clone())
}

impl Maker<'_> {
    /// What the columns of a page are.
    fn head(&self, page: Page) -> String {
        let of = &self.board.divergence;
        match page {
            Page::Now => {
                format!("  {} labels that count, at {}", self.board.labels, self.board.now.minute())
            }
            Page::Questions => {
                let pairs = format!("{} pairs, {} diverge", of.pairs, of.diverged);
                format!("  {pairs:<24}asked diverge   agree  of all        most often")
            }

            Page::Categories => {
                "  category                   resolved  pending     pairs disagree".to_owned()
            }
            Page::Pairs => "  two reviewers                    pairs disagree".to_owned(),
            Page::Matrix => {
                "  reviewer confusion matrix: what one says where another says …, cases".to_owned()
            }
            Page::Weeks => "  week from     cases  differ   alpha (95 %)".to_owned(),
            Page::Versions => {
                "  protocol                      pairs disagree   alpha (95 %)".to_owned()
            }
            Page::Retraining => {
                "  category, failure mode              ready  not in a cut yet; proposals; cuts"
                    .to_owned()
            }
            Page::Models => {
                "  run, deployment, model                     what its gate says; how it turned out"
                    .to_owned()
            }
        }
    }

    fn rows(&self, page: Page) -> Vec<Row> {
        match page {
            Page::Now => self.now(),
            Page::Questions => self.questions(),
            Page::Categories => self.categories(),
            Page::Pairs => self.pairs(),
            Page::Matrix => self.matrix(),
            Page::Weeks => self.board.weeks.iter().map(week_row).collect(),
            Page::Versions => self.board.versions.iter().map(version).collect(),
            Page::Retraining => self.board.retraining.iter().map(loop_row).collect(),
            Page::Models => self.board.models.iter().map(loop_row).collect(),
        }
    }

    fn now(&self) -> Vec<Row> {
        let board = &self.board;
        let mut rows = Vec::new();
        let mut number = |name: &str, n: String, more: String, style: Tone, behind: Counted| {
            let words = vec![
                name_of(name, 24, Tone::Text),
                words_of(format!("{n:>8}  "), style),
                words_of(more, Tone::Dim),
            ];
            rows.push(Row::new(words, name.trim().to_owned(), behind));
        };
        let of = |state: CaseState| board.states.get(&state).cloned().unwrap_or_default();
        for (state, more) in [
            (CaseState::Open, ""),
            (CaseState::Disputed, "wait for a ruling"),
            (CaseState::Resolved, "settled"),
        ] {
            let cases = of(state);
            number(
                state.as_str(),
                cases.len().to_string(),
                more.to_owned(),
                Tone::Strong,
                cases.into(),
            );
        }
        let total = |of: fn(&Day) -> &Vec<CaseId>| {
            board.days.iter().map(|day| of(day).len()).sum::<usize>()
        };
        let bars = |of: fn(&Day) -> &Vec<CaseId>| {
            spark(&board.days.iter().map(|day| of(day).len()).collect::<Vec<_>>())
        };
        for (name, of) in [
            ("came in, 14 days", (|day| &day.detected) as fn(&Day) -> &Vec<CaseId>),
            ("were settled, 14 days", |day| &day.settled),
        ] {
            let cases: Vec<CaseId> = board.days.iter().flat_map(|day| of(day).clone()).collect();
            number(name, total(of).to_string(), bars(of), Tone::Strong, cases.into());
        }
        for (name, cases) in
            ["open, under a day", "open, 1 to 3 days", "open, 3 to 7 days", "open, over a week"]
                .into_iter()
                .zip(&board.ages)
        {
            number(
                name,
                cases.len().to_string(),
                bar(cases.len(), of(CaseState::Open).len()),
                Tone::Text,
                cases.clone().into(),
            );
        }
        let rate = board
            .disagreement()
            .map_or("none".to_owned(), |share| format!("{:.1} %", share * 100.0));
        number(
            "labels differ on",
            rate,
            format!("of {} cases with two labels", board.measured.len()),
            Tone::Strong,
            board.differ.clone(),
        );
        let alpha = &board.alpha;
        let value = alpha.value.map_or("none".to_owned(), decimal);
        let interval = match (alpha.value, alpha.interval) {
            (_, Some((low, high))) => format!("{} to {}", decimal(low), decimal(high)),
            (Err(reason), _) => reason.to_owned(),
            _ => String::new(),
        };
        number(
            "Krippendorff's alpha",
            value,
            interval,
            Tone::Strong,
            board.measured.clone().into(),
        );
        for (who, clocks) in by_person(&board.due_items, board.now) {
            for (clock, tally) in clocks {
                let due_items = board
                    .due_items
                    .iter()
                    .filter(|item| item.what == clock && item.who.contains(&who));
                let of_session = |item: &DueItem| {
                    item.session.as_ref().and_then(|name| board.sessions.get(name))
                };
                let cases = due_items.flat_map(|item| {
                    let of_session = of_session(item).into_iter().flatten().copied();
                    item.case.into_iter().chain(of_session).chain(item.drawn.iter().copied())
                });
                let late = if tally.overdue > 0 {
                    format!(", {} overdue", tally.overdue)
                } else {
                    String::new()
                };
                let due = tally.first_due.map_or(String::new(), |due| due.due_words(board.now));
                let style = if tally.overdue > 0 { Tone::Warn } else { Tone::Text };
                let name = format!("waits for {who}");
                number(
                    &name,
                    tally.all.to_string(),
                    format!("{due}{late}: {}", clock.about(tally.all)),
                    style,
                    cases.collect::<Vec<_>>().into(),
                );
            }
        }
        for (cause, cases) in &board.causes {
            number(
                &format!("ruled: {cause}"),
                cases.len().to_string(),
                String::new(),
                Tone::Text,
                cases.clone().into(),
            );
        }
        rows
    }

    fn questions(&self) -> Vec<Row> {
        let of = &self.board.divergence;
        let row = |node: &&crate::quality::divergence::Node| {
            let name = format!("{}{}", "  ".repeat(node.depth.min(6)), node.question);
            let agree = node
                .agreement()
                .map_or("none".to_owned(), |share| format!("{:.1} %", share * 100.0));
            let most = node.splits.iter().max_by_key(|(_, n)| **n).map(|(answers, n)| {
                let [one, two] = answers.each_ref().map(|answer| answer.as_deref().unwrap_or("·"));
                format!("{n} {one}/{two}")
            });
            let notes = self.board.notes.get(&node.question).map_or(0, Vec::len);
            let notes = if notes > 0 { format!("  {notes} must change") } else { String::new() };
            let words = vec![
                name_of(&name, 22, Tone::Strong),
                words_of(
                    format!("{:>7} {:>6} {agree:>8}  ", node.reached, node.diverged),
                    Tone::Text,
                ),
                words_of(bar(node.diverged, of.diverged), Tone::Accent),
                words_of("  ", Tone::Dim),
                name_of(&most.unwrap_or_default(), 11, Tone::Dim),
                words_of(notes, Tone::Warn),
            ];
            let cases = self.board.diverged_at.get(&node.question).cloned().unwrap_or_default();
            Row::new(words, format!("diverge at {}", node.question), cases)
        };
        let mut rows: Vec<Row> = of.nodes().iter().map(row).collect();
        rows.extend(self.right_at());
        rows
    }

    /// How often each answers each question right, by what is recorded: by name, this is no ranking.
    fn right_at(&self) -> Vec<Row> {
        let all = &self.board.right_at;
        let shown = |one: &&RightAt| self.figures.shows([one.reviewer.as_str()]);
        let mut rows = Vec::new();
        let mut last = "";
        for one in all.iter().filter(shown) {
            if rows.is_empty() {
                let words = "  how often each answers right, by the recorded estimate";
                rows.push(Row::of_words(Vec::new()));
                rows.push(Row::of_words(vec![words_of(words.to_owned(), Tone::Dim)]));
            }
            let question = if last == one.question { "" } else { &one.question };
            last = &one.question;
            rows.push(Row::of_words(vec![
                name_of(question, 22, Tone::Strong),
                words_of(" ".to_owned(), Tone::Text),
                name_of(&one.reviewer, 15, Tone::Text),
                words_of(format!("{:>6.1} %  ", one.share * 100.0), Tone::Text),
                words_of(bar((one.share * 1000.0).round() as usize, 1000), Tone::Accent),
            ]));
        }
        let left_out = all.len() - all.iter().filter(shown).count();
        rows.extend(
            figures_left_out(left_out).map(|words| Row::of_words(vec![words_of(words, Tone::Dim)])),
        );
        rows
    }

    fn categories(&self) -> Vec<Row> {
        let board = &self.board;
        let row = |(name, CategoryFigures { resolved, pending }): (&String, &CategoryFigures)| {
            let tally = board.by_category.get(name).copied().unwrap_or_default();
            let words = vec![
                name_of(name, 26, Tone::Strong),
                words_of(
                    format!(" {:>8} {:>8} {:>9}  ", resolved.len(), pending.n(), tally.pairs),
                    Tone::Text,
                ),
                words_of(share_words(&tally), Tone::Text),
            ];
            let mut behind = Counted::from(resolved.clone());
            behind.extend(pending);
            Row::new(words, name.clone(), behind)
        };
        board.categories.iter().map(row).collect()
    }

    /// Pairs by name, with intervals: this is no ranking.
    fn pairs(&self) -> Vec<Row> {
        let board = &self.board;
        let shown = |names: &[String; 2]| self.figures.shows(names.iter().map(String::as_str));
        let row = |(names, tally): (&[String; 2], &Tally)| {
            let words = vec![
                name_of(&names[0], 14, Tone::Strong),
                words_of(" ", Tone::Strong),
                name_of(&names[1], 14, Tone::Strong),
                words_of(format!("{:>8}   ", tally.pairs), Tone::Text),
                words_of(share_words(tally), Tone::Text),
            ];
            let cases = board.diverged_by.get(names).cloned().unwrap_or_default();
            Row::new(words, names.join(" and "), cases)
        };
        let mut rows: Vec<Row> =
            board.pairs.iter().filter(|(names, _)| shown(names)).map(row).collect();
        rows.extend(
            figures_left_out(board.pairs.len() - rows.len())
                .map(|words| Row::of_words(vec![words_of(words, Tone::Dim)])),
        );
        rows
    }

    fn matrix(&self) -> Vec<Row> {
        let matrix = &self.board.matrix;
        let most = matrix
            .cells
            .iter()
            .filter(|((a, b), _)| a != b)
            .map(|(_, cases)| cases.n())
            .max()
            .unwrap_or(0);
        let mut rows = Vec::new();
        let heads: String =
            (0..matrix.classes.len()).map(|column| format!("{:>5} ", letter(column))).collect();
        let heads = vec![words_of(format!("{:<28}{heads}", ""), Tone::Dim)];
        rows.push(Row::of_words(heads));
        for (row, name) in matrix.classes.iter().enumerate() {
            let mut words = vec![
                words_of(format!("{} ", letter(row)), Tone::Text),
                name_of(name, CLASS_COLUMNS, Tone::Text),
            ];
            let mut all = Counted::default();
            for column in 0..matrix.classes.len() {
                let cases = matrix.cells.get(&(row.min(column), row.max(column)));
                let n = cases.map_or(0, Counted::n);
                if let Some(cases) = cases.filter(|_| row != column) {
                    all.extend(cases);
                }
                let heat = if row == column { " " } else { heat(n, most) };
                let style = if row == column { Tone::Dim } else { Tone::Accent };
                words.push(words_of(
                    format!("{:>5}{heat}", if n == 0 { "·".to_owned() } else { n.to_string() }),
                    style,
                ));
            }
            rows.push(Row::new(words, format!("{name} or another"), all));
        }
        // What is cut there stands below, whole.
        let is_cut = |name: &&String| width(&visible(name)) > CLASS_COLUMNS;
        if matrix.classes.iter().any(|name| is_cut(&name)) {
            rows.push(Row::of_words(Vec::new()));
        }
        for (row, name) in matrix.classes.iter().enumerate().filter(|(_, name)| is_cut(name)) {
            let words = words_of(format!("{} {}", letter(row), visible(name)), Tone::Dim);
            rows.push(Row::of_words(vec![words]));
        }
        rows
    }
}

fn week_row(week: &WeekFigures) -> Row {
    let (value, interval) = match (week.alpha.value, week.alpha.interval) {
        (Ok(value), Some((low, high))) => {
            (Some(value), format!("{} ({} to {})", decimal(value), decimal(low), decimal(high)))
        }
        (Ok(value), None) => (Some(value), decimal(value)),
        (Err(_), _) => (None, "none".to_owned()),
    };
    let words = vec![
        words_of(format!("{:<11}", week.from.date().to_string()), Tone::Strong),
        words_of(
            format!("{:>8} {:>7}   {interval:<26} ", week.cases.len(), week.differ.n()),
            Tone::Text,
        ),
        words_of(
            value.map_or(String::new(), |value| bar((value.max(0.0) * 100.0) as usize, 100)),
            Tone::Accent,
        ),
    ];
    Row::new(words, format!("differ, week from {}", week.from.date()), week.differ.clone())
}

fn version(of: &VersionFigures) -> Row {
    let name = format!("{} v{}", of.protocol, of.version);
    let diverged = of.divergence.diverged as f64 / of.divergence.pairs.max(1) as f64;
    let words = vec![
        name_of(&name, 26, Tone::Strong),
        words_of(
            format!(
                " {:>8} {:>6.1} %  {}",
                of.divergence.pairs,
                diverged * 100.0,
                of.alpha.describe()
            ),
            Tone::Text,
        ),
    ];
    Row::new(words, name, of.cases.clone())
}

/// Words that stand out so.
fn words_of(text: impl Into<String>, tone: Tone) -> Words {
    Words { text: text.into(), tone, columns: 0 }
}

/// Columns of a class's name beside a matrix.
const CLASS_COLUMNS: usize = 26;

/// A name from outside, whole, that has so many columns.
fn name_of(text: &str, columns: usize, tone: Tone) -> Words {
    Words { text: visible(text).into_owned(), tone, columns }
}

/// `545    27.5 % (25.6 to 29.6)`.
fn share_words(tally: &Tally) -> String {
    let share = tally.diverged as f64 / tally.pairs.max(1) as f64;
    match wilson(share, tally.pairs as f64) {
        Some((low, high)) => {
            format!(
                "{:>5} {:>7.1} % ({:.1} to {:.1})",
                tally.diverged,
                share * 100.0,
                low * 100.0,
                high * 100.0
            )
        }
        None => "none".to_owned(),
    }
}

/// A, B, C …
fn letter(at: usize) -> char {
    crate::domain::arbitration::side_name(at)
}

/// Columns of a bar.
const BAR: usize = 12;

fn bar(n: usize, of: usize) -> String {
    let full = if of == 0 { 0 } else { (n * BAR).div_ceil(of).min(BAR) };
    format!("{}{}", "█".repeat(full), " ".repeat(BAR - full))
}

fn spark(values: &[usize]) -> String {
    const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    values.iter().map(|n| BARS[n * 7 / most]).collect()
}

fn heat(n: usize, most: usize) -> &'static str {
    const HEAT: [&str; 5] = [" ", "░", "▒", "▓", "█"];
    let at = if n == 0 { 0 } else { (n * 4).div_ceil(most.max(1)).min(4) };
    HEAT[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_whole_and_has_its_columns_where_lines_stand_below_each_other() {
        let long = "a label whose name is longer than its column";
        for (text, shown) in [("short", "short   "), (long, "a label…"), ("二字三字", "二字三字")]
        {
            let name = name_of(text, 8, Tone::Text);
            assert_eq!((name.text.as_str(), &*name.in_columns()), (text, shown));
        }
    }
}
