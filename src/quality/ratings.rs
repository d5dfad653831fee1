//! Who said what of which task: names and values as small numbers, so that millions of labels fit.

use std::collections::HashMap;
use std::io::Read;

use serde::Serialize;

use crate::domain::number::{Digits, digits};

/// Names that were given numbers in the order of their first appearance.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<String>,
    numbers: HashMap<String, u32, foldhash::fast::FixedState>,
}

impl Names {
    pub fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    pub fn name(&self, number: u32) -> &str {
        self.names.get(number as usize).map_or("", String::as_str)
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// One label: a reviewer and what they said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    pub reviewer: u32,
    pub value: u32,
}

/// A table of ratings.
#[derive(Debug, Clone, Default)]
pub struct Ratings {
    pub tasks: Names,
    pub reviewers: Names,
    /// Values in sorted order once [`Self::sorted`]: as numbers if all are, else as words.
    pub values: Names,
    /// The values as numbers, if all of them are.
    pub numbers: Option<Vec<f64>>,
    /// The numbers are ranks: which is more is known, and not by how much.
    pub ranked: bool,
    rows: Vec<(u32, Rating)>,
    /// Where several texts are one value: the texts, and that of each rating in the order of
    /// `of_task`.
    spelled: Option<(Names, Vec<u32>)>,
    /// Ratings of task `t` are `of_task[starts[t]..starts[t + 1]]`, in the order given.
    starts: Vec<u32>,
    of_task: Vec<Rating>,
}

/// Ratings by somebody who rated the same task before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Repeated {
    pub labels: usize,
    /// Those that say something else than their reviewer's first.
    pub differ: usize,
}

/// What is wrong with a file of labels.
#[derive(Debug, thiserror::Error)]
pub enum BadCsv {
    #[error("its first line is `{0}`; it must name the columns task,worker,label")]
    Header(String),
    #[error("line {line}: {reason}")]
    Line { line: u64, reason: String },
    #[error("it has more than 4,000,000,000 labels")]
    TooMany,
}

/// A file of labels as it was read.
#[derive(Debug)]
pub struct LabelFile {
    pub ratings: Ratings,
    /// Lines without a label: the reviewer said nothing.
    pub missing: u64,
    /// Lines that can't be used, with the reason.
    pub rejects: Vec<(u64, String)>,
}

/// Values in order: as numbers if all of them are, else as words. `9` and `9.0` are one value; `01`
/// and `1` are two, as codes are, and so are numbers that only a double takes for the same.
#[derive(Debug, Clone, Default)]
pub struct Ordered {
    pub values: Names,
    pub numbers: Option<Vec<f64>>,
    /// The place of each value that was given.
    pub place: Vec<u32>,
}

impl Ordered {
    pub fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.collect();
        let parse =
            |name: &&str| name.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let parsed: Option<Vec<f64>> = names.iter().map(parse).collect();
        // What two texts of one value share; a text with zeros before it shares it with none.
        let exact: Vec<Option<Digits>> = match &parsed {
            Some(_) => names
                .iter()
                .map(|name| digits(name.trim()).filter(|_| !is_code(name.trim())))
                .collect(),
            None => vec![None; names.len()],
        };
        let mut order: Vec<usize> = (0..names.len()).collect();
        match &parsed {
            Some(numbers) => order.sort_by(|a, b| {
                let by_number = numbers[*a].total_cmp(&numbers[*b]);
                by_number
                    .then_with(|| exact[*a].cmp(&exact[*b]))
                    .then_with(|| names[*a].cmp(names[*b]))
            }),
            None => order.sort_by(|a, b| names[*a].cmp(names[*b])),
        }
        let mut place = vec![0_u32; order.len()];
        let mut values = Names::default();
        let mut numbers = Vec::new();
        let mut last: Option<&Digits> = None;
        for old in order {
            let same = last.is_some() && exact[old].as_ref() == last;
            place[old] = if same { values.len() as u32 - 1 } else { values.number(names[old]) };
            if let Some(parsed) = parsed.as_ref().filter(|_| !same) {
                numbers.push(parsed[old]);
            }
            last = exact[old].as_ref();
        }
        Self { values, numbers: parsed.map(|_| numbers), place }
    }
}

/// Whether a text of digits begins with zeros that a number would lose.
fn is_code(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit()
}

impl LabelFile {
    /// Takes in one line, by the places of task, worker and label.
    fn take(&mut self, record: &csv::ByteRecord, line: u64, [task, worker, label]: [usize; 3]) {
        let field = |at: usize| record.get(at).map(|bytes| std::str::from_utf8(bytes.trim_ascii()));
        match (field(task), field(worker), field(label)) {
            (Some(Ok("")), ..) => self.rejects.push((line, "no task".to_owned())),
            (_, Some(Ok("")), _) => self.rejects.push((line, "no worker".to_owned())),
            (Some(Ok(_)), Some(Ok(_)), Some(Ok(""))) => self.missing += 1,
            (Some(Ok(task)), Some(Ok(worker)), Some(Ok(label))) => {
                self.ratings.push(task, worker, label)
            }
            (None, ..) | (_, None, _) | (_, _, None) => {
                self.rejects.push((line, "too few columns".to_owned()))
            }
            _ => self.rejects.push((line, "not UTF-8".to_owned())),
        }
    }

    /// Takes in the lines that a quote swallowed which opened on `line`: in them a quote is a
    /// character.
    fn swallowed(&mut self, text: &[u8], line: u64, columns: [usize; 3]) {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .quoting(false)
            .from_reader(text);
        let mut record = csv::ByteRecord::new();
        loop {
            let at = line + reader.position().line();
            match reader.read_byte_record(&mut record) {
                Ok(true) => self.take(&record, at, columns),
                Ok(false) => return,
                Err(error) => self.rejects.push((at, error.to_string())),
            }
        }
    }
}

impl Ratings {
    /// How a value was written on a task: as the first who said it wrote it.
    pub fn spelling(&self, task: usize, value: u32) -> &str {
        let Some((texts, spelled)) = &self.spelled else { return self.values.name(value) };
        let from = self.starts[task] as usize;
        let said = self.of_task(task).iter().position(|rating| rating.value == value);
        said.map_or(self.values.name(value), |at| texts.name(spelled[from + at]))
    }

    /// Share of each value among all ratings.
    pub fn shares(&self) -> Vec<f64> {
        let mut counts = vec![0.0; self.values.len()];
        self.of_task.iter().for_each(|rating| counts[rating.value as usize] += 1.0);
        counts.iter().map(|n| n / self.of_task.len().max(1) as f64).collect()
    }

    /// Ranks values that are words: the lowest first. Fails with a value that was said and is not
    /// in the order. To be called when all are there and sorted.
    pub fn ranked(mut self, order: &[String]) -> Result<Self, String> {
        let rank_of = |name: &str| order.iter().position(|value| value.trim() == name);
        if let Some(unknown) = self.values.iter().find(|name| rank_of(name).is_none()) {
            return Err(unknown.to_owned());
        }
        let ranks: Vec<usize> = self.values.iter().filter_map(rank_of).collect();
        let mut by_rank: Vec<usize> = (0..ranks.len()).collect();
        by_rank.sort_by_key(|value| ranks[*value]);
        let (mut values, mut place) = (Names::default(), vec![0_u32; ranks.len()]);
        for value in &by_rank {
            place[*value] = values.number(self.values.name(*value as u32));
        }
        self.of_task.iter_mut().for_each(|rating| rating.value = place[rating.value as usize]);
        let numbers = by_rank.iter().map(|value| ranks[*value] as f64 + 1.0).collect();
        Ok(Self { values, numbers: Some(numbers), ranked: true, ..self })
    }

    pub fn push(&mut self, task: &str, reviewer: &str, value: &str) {
        let (task, reviewer, value) =
            (self.tasks.number(task), self.reviewers.number(reviewer), self.values.number(value));
        self.rows.push((task, Rating { reviewer, value }));
    }

    /// Puts values in order and ratings beside their task. To be called when all are there.
    pub fn sorted(mut self) -> Self {
        let spelled: Vec<(u32, u32)> =
            self.rows.iter().map(|(task, rating)| (*task, rating.value)).collect();
        let texts = self.sort_values();
        let mut starts = vec![0_u32; self.tasks.len() + 1];
        for (task, _) in &self.rows {
            starts[*task as usize + 1] += 1;
        }
        for task in 0..self.tasks.len() {
            starts[task + 1] += starts[task];
        }
        if let Some(texts) = texts {
            let mut next = starts.clone();
            let mut in_order = vec![0_u32; spelled.len()];
            for (task, value) in spelled {
                let at = &mut next[task as usize];
                in_order[*at as usize] = value;
                *at += 1;
            }
            self.spelled = Some((texts, in_order));
        }
        let mut next = starts.clone();
        let mut of_task = vec![Rating { reviewer: 0, value: 0 }; self.rows.len()];
        for (task, rating) in std::mem::take(&mut self.rows) {
            let at = &mut next[task as usize];
            of_task[*at as usize] = rating;
            *at += 1;
        }
        Self { starts, of_task, ..self }
    }

    /// Puts values in order; gives their texts as they were, if some are one value.
    fn sort_values(&mut self) -> Option<Names> {
        let ordered = Ordered::of(self.values.iter());
        for (_, rating) in &mut self.rows {
            rating.value = ordered.place[rating.value as usize];
        }
        let texts = std::mem::replace(&mut self.values, ordered.values);
        self.numbers = ordered.numbers;
        (texts.len() > self.values.len()).then_some(texts)
    }

    /// Every rating of a task, in the order given.
    pub fn of_task(&self, task: usize) -> &[Rating] {
        &self.of_task[self.starts[task] as usize..self.starts[task + 1] as usize]
    }

    pub fn labels(&self) -> usize {
        self.of_task.len()
    }

    /// How many tasks two reviewers or more rated.
    pub fn tasks_with_several(&self) -> usize {
        let mut first = Vec::new();
        let several = |task: &usize| {
            self.first_of_each(*task, &mut first);
            first.len() > 1
        };
        (0..self.tasks.len()).filter(several).count()
    }

    /// Ratings of a task by somebody who rated it before, and those of them that say something else
    /// than the first.
    pub fn repeated(&self) -> Repeated {
        let (mut found, mut first) = (Repeated::default(), Vec::new());
        for task in 0..self.tasks.len() {
            self.first_of_each(task, &mut first);
            let all = self.of_task(task);
            found.labels += all.len() - first.len();
            let differ = |rating: &&Rating| {
                first.iter().any(|one| one.reviewer == rating.reviewer && one.value != rating.value)
            };
            if all.len() > first.len() {
                found.differ += all.iter().filter(differ).count();
            }
        }
        found
    }

    /// The first rating that each reviewer gave of a task, by reviewer, into `out`.
    pub fn first_of_each(&self, task: usize, out: &mut Vec<Rating>) {
        out.clear();
        out.extend_from_slice(self.of_task(task));
        // Stable, so that the first of each stays first.
        out.sort_by_key(|rating| rating.reviewer);
        out.dedup_by_key(|rating| rating.reviewer);
    }

    /// Reads `task,worker,label` with that header, in any order of columns. What can't be used is
    /// told; the rest goes in.
    pub fn read_csv(from: impl Read) -> Result<LabelFile, BadCsv> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(std::io::BufReader::with_capacity(1 << 16, from));
        let header = reader
            .byte_headers()
            .map_err(|error| BadCsv::Line { line: 1, reason: error.to_string() })?
            .clone();
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        let column = |names_of: &[&str]| {
            let found = names
                .iter()
                .position(|name| names_of.contains(&name.trim_start_matches('\u{feff}')));
            found.ok_or_else(|| BadCsv::Header(names.join(",")))
        };
        let (task, worker, label) =
            (column(&["task"])?, column(&["worker", "reviewer"])?, column(&["label"])?);
        let mut read = LabelFile { ratings: Self::default(), missing: 0, rejects: Vec::new() };
        let mut record = csv::ByteRecord::new();
        loop {
            let line = reader.position().line();
            match reader.read_byte_record(&mut record) {
                Ok(false) => break,
                Ok(true) if record.iter().any(|field| field.contains(&b'\n')) => {
                    // A quote that is not closed swallows the lines after it: they are read for
                    // what they are.
                    let words = "a quote opens on this line and is not closed on it: what follows is read without it";
                    read.rejects.push((line, words.to_owned()));
                    let swallowed = record
                        .iter()
                        .find_map(|field| Some(&field[memchr::memchr(b'\n', field)? + 1..]));
                    read.swallowed(swallowed.unwrap_or_default(), line, [task, worker, label]);
                    continue;
                }
                Ok(true) if record.len() > names.len() => {
                    let words = format!(
                        "{} columns, where the header has {}: put quotes around a comma",
                        record.len(),
                        names.len()
                    );
                    read.rejects.push((line, words));
                    continue;
                }
                Ok(true) => {}
                Err(error) if error.is_io_error() => {
                    return Err(BadCsv::Line { line, reason: error.to_string() });
                }
                Err(error) => {
                    read.rejects.push((line, error.to_string()));
                    continue;
                }
            }
            read.take(&record, line, [task, worker, label]);
            if read.ratings.rows.len() >= 4_000_000_000 {
                return Err(BadCsv::TooMany);
            }
        }
        read.ratings = read.ratings.sorted();
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_differ_are_never_one_and_a_task_has_what_was_said_of_it() {
        let read = |labels: &[&str]| {
            let lines: String =
                labels.iter().enumerate().map(|(i, label)| format!("t{i},w,{label}\n")).collect();
            Ratings::read_csv(format!("task,worker,label\n{lines}").as_bytes()).unwrap().ratings
        };
        let classes =
            |labels: &[&str]| read(labels).values.iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            classes(&["9007199254740993", "9007199254740992", "1"]),
            ["1", "9007199254740992", "9007199254740993"]
        );
        assert_eq!(classes(&["01", "1", "001", "7"]).len(), 4);
        assert_eq!(classes(&["9.0", "9", "10", "9.00"]), ["9", "10"]);
        assert_eq!(classes(&["1e3", "1000", "0.5", ".5"]).len(), 2);
        let ratings = read(&["9.0", "9", "10"]);
        assert_eq!(
            [0, 1, 2].map(|task| ratings.spelling(task, ratings.of_task(task)[0].value)),
            ["9.0", "9", "10"]
        );
    }

    #[test]
    fn labels_given_again_are_counted() {
        let read = |text: &str| {
            Ratings::read_csv(format!("task,worker,label\n{text}").as_bytes())
                .unwrap()
                .ratings
                .repeated()
        };
        assert_eq!(read("t,a,x\nt,b,y\nu,a,x\n"), Repeated::default());
        assert_eq!(read("t,a,x\nt,b,y\nt,a,x\nt,a,y\n"), Repeated { labels: 2, differ: 1 });
        assert_eq!(read("t,a,9\nt,a,9.0\n"), Repeated { labels: 1, differ: 0 });
    }

    #[test]
    fn a_quote_that_is_not_closed_and_a_column_too_many_are_named() {
        let read = Ratings::read_csv(
            "task,worker,label\nt1,a,x\nt1,b,\"y\nt2,a,x\nt2,b,x\nt3,a,y\nt3,b,y\n".as_bytes(),
        )
        .unwrap();
        assert_eq!((read.ratings.labels(), read.rejects.len(), read.rejects[0].0), (5, 1, 3));
        let read = Ratings::read_csv(
            "task,worker,label\nt1,a,\"x\nt1,b,y\nt2,a,\nt2\"\nt3,b,y\n".as_bytes(),
        )
        .unwrap();
        assert_eq!(read.rejects.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 5]);
        assert_eq!((read.ratings.labels(), read.missing), (2, 1));
        let read = Ratings::read_csv(
            "task,worker,label\nt1,a,no, thanks\nt1,b,\"no, thanks\"\n".as_bytes(),
        )
        .unwrap();
        assert_eq!((read.ratings.labels(), read.rejects[0].0), (1, 2));
        assert!(read.rejects[0].1.contains("4 columns"), "{:?}", read.rejects);
    }

    #[test]
    fn a_file_is_read_whatever_its_order_and_what_is_broken_is_told() {
        let text = "label,task,worker\n10,a,w1\n9,a,w2\n,b,w1\nx\n9.0,b,w2\n,,\n";
        let read = Ratings::read_csv(text.as_bytes()).unwrap();
        assert_eq!((read.missing, read.ratings.labels()), (1, 3));
        assert_eq!(read.rejects.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [5, 7]);
        assert_eq!(
            read.ratings.numbers,
            Some(vec![9.0, 10.0]),
            "in the order of numbers, each once"
        );
        assert_eq!(
            read.ratings.of_task(0),
            [Rating { reviewer: 0, value: 1 }, Rating { reviewer: 1, value: 0 }]
        );
        let error = Ratings::read_csv("id,who,what\n1,2,3\n".as_bytes()).unwrap_err();
        assert!(error.to_string().contains("`id,who,what`"), "{error}");
        assert!(Ratings::read_csv("".as_bytes()).is_err());
    }
}
