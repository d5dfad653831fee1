//! The snapshot as one HTML page that needs nothing else: no script, no font, no network; plots are
//! SVG. It names no reviewer.

use std::fmt::Write as _;

use chrono::Datelike as _;

use super::snapshot::{BoardSnapshot, Day, WeekFigures};
use crate::domain::resolve::CaseState;
use crate::domain::text::{fit, visible};
use crate::quality::agreement::Agreement;
use crate::quality::figure::{Figure, decimal};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#222;background:#fff}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ccc}\
table{border-collapse:collapse}td,th{padding:.15em .8em .15em 0;text-align:left;vertical-align:top}td.n,th.n{text-align:right}\
.q{color:#666}svg{display:block;margin:.5em 0}svg text{font:11px system-ui,sans-serif;fill:#444}\
@media (prefers-color-scheme:dark){body{color:#ddd;background:#161616}h2{border-color:#444}.q,svg text{color:#aaa;fill:#aaa}}";

/// Letters of a class that are shown, and how wide one is at most on average.
const NAME_CHARS: usize = 56;
const NAME_PX: usize = 6;

/// Text from wherever, as text of HTML: nothing in it acts.
fn text(words: &str) -> String {
    let mut safe = String::with_capacity(words.len());
    for c in visible(words).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// The page.
pub fn html(board: &BoardSnapshot, whole: &Agreement, team: &str) -> String {
    let mut page = String::with_capacity(32 << 10);
    let title = format!("{}: where labels differ", text(team));
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p class=\"q\">{}, from {} labels that count. Intervals hold 95 %.</p>\n",
        board.now.minute_utc(),
        board.labels
    );
    standing(&mut page, board);
    agreement(&mut page, whole);
    questions(&mut page, board);
    matrix(&mut page, board);
    weeks(&mut page, &board.weeks);
    versions(&mut page, board);
    categories(&mut page, board);
    page.push_str("</body></html>\n");
    page
}

fn heading(page: &mut String, words: &str) {
    let _ = writeln!(page, "<h2>{}</h2>", text(words));
}

fn standing(page: &mut String, board: &BoardSnapshot) {
    heading(page, "Summary");
    page.push_str("<table>\n");
    for (state, cases) in &board.states {
        let more = if *state == CaseState::Resolved { "settled" } else { "" };
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=n>{}</td><td class=q>{more}</td></tr>",
            state.as_str(),
            cases.len()
        );
    }
    for (words, cases) in
        ["open, under a day", "open, 1 to 3 days", "open, 3 to 7 days", "open, over a week"]
            .iter()
            .zip(&board.ages)
    {
        let _ =
            writeln!(page, "<tr><td>{words}</td><td class=n>{}</td><td></td></tr>", cases.len());
    }
    for (cause, cases) in &board.causes {
        let _ = writeln!(
            page,
            "<tr><td>ruled: {}</td><td class=n>{}</td><td></td></tr>",
            text(cause),
            cases.len()
        );
    }
    page.push_str("</table>\n");
    flow(page, &board.days);
}

/// Bars of what came in, above the line, and of what was settled, below.
fn flow(page: &mut String, days: &[Day]) {
    let most =
        days.iter().map(|day| day.detected.len().max(day.settled.len())).max().unwrap_or(0).max(1);
    let (wide, half, left) = (36, 60, 40);
    let end = left + days.len() * wide;
    let _ = writeln!(
        page,
        "<svg width=\"{}\" height=\"{}\" viewBox=\"0 -8 {0} {1}\" role=\"img\" aria-label=\"cases that came in and were settled, by day\">",
        end + 70,
        half * 2 + 40
    );
    // The scale: the most of a day, above and below.
    for y in [0, half * 2 + 2] {
        let _ = writeln!(
            page,
            "<line x1=\"{left}\" x2=\"{end}\" y1=\"{y}\" y2=\"{y}\" stroke=\"#999\" stroke-width=\".5\" stroke-dasharray=\"3 3\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most}</text>",
            left - 6,
            y + 4
        );
    }
    let _ =
        writeln!(page, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">0</text>", left - 6, half + 5);
    for (at, day) in days.iter().enumerate() {
        let high = |n: usize| n * half / most;
        let (up, down) = (high(day.detected.len()), high(day.settled.len()));
        let x = left + at * wide;
        let _ = writeln!(
            page,
            "<rect x=\"{x}\" y=\"{}\" width=\"26\" height=\"{up}\" fill=\"#c77d33\"><title>{}: {} came in</title></rect>\
             <rect x=\"{x}\" y=\"{}\" width=\"26\" height=\"{down}\" fill=\"#3b7a57\"><title>{}: {} settled</title></rect>",
            half - up,
            day.from.date(),
            day.detected.len(),
            half + 2,
            day.from.date(),
            day.settled.len()
        );
        if at % 3 == 0 {
            let date = day.from.date().format("%m-%d").to_string();
            let _ = writeln!(page, "<text x=\"{x}\" y=\"{}\">{date}</text>", half * 2 + 26);
        }
    }
    let x = end + 4;
    let _ = writeln!(
        page,
        "<text x=\"{x}\" y=\"{}\">came in</text><text x=\"{x}\" y=\"{}\">settled</text></svg>",
        half - 10,
        half + 22
    );
}

fn figure(figure: &Figure) -> String {
    match (figure.value, figure.interval) {
        (Ok(value), Some((low, high))) => {
            format!(
                "{} <span class=q>({} to {})</span>",
                decimal(value),
                decimal(low),
                decimal(high)
            )
        }
        (Ok(value), None) => decimal(value),
        (Err(reason), _) => format!("<span class=q>none: {}</span>", text(reason)),
    }
}

fn agreement(page: &mut String, of: &Agreement) {
    heading(page, "Agreement");
    let _ = writeln!(
        page,
        "<p>{} cases, {} reviewers, {} labels, {} classes.</p><table>",
        of.tasks,
        of.reviewers,
        of.labels,
        of.classes.len()
    );
    for (name, value) in [
        ("percent agreement", &of.percent),
        ("Krippendorff's alpha", &of.krippendorff_alpha.nominal),
        ("Fleiss' kappa", &of.fleiss_kappa),
        ("Gwet's AC1", &of.gwet_ac1),
        ("Cohen's kappa, mean of pairs", &of.cohen_kappa.mean),
    ] {
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=q>n {}</td></tr>",
            text(name),
            figure(value),
            value.n
        );
    }
    page.push_str("</table>\n");
}

fn questions(page: &mut String, board: &BoardSnapshot) {
    heading(page, "The first question answered otherwise");
    let of = &board.divergence;
    let _ = writeln!(
        page,
        "<p>{} pairs of labels on one case; {} disagree.</p>",
        of.pairs, of.diverged
    );
    let nodes = of.nodes();
    let (row, left, wide) = (24, 260, 300);
    let _ = writeln!(
        page,
        "<svg width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"share of disagreements that begin at each question\">",
        left + wide + 260,
        nodes.len() * row + 4
    );
    for (at, node) in nodes.iter().enumerate() {
        let (y, share) = (at * row, of.share(node));
        let indent = node.depth.min(8) * 14;
        let agree = node
            .agreement()
            .map_or("none".to_owned(), |share| format!("{:.1} % agree", share * 100.0));
        let _ = writeln!(
            page,
            "<text x=\"{indent}\" y=\"{}\">{}</text><rect x=\"{left}\" y=\"{}\" width=\"{:.1}\" height=\"14\" fill=\"#a23b3b\"/>\
             <text x=\"{:.1}\" y=\"{}\">{} of {} diverge, {:.1} % of all · {agree}</text>",
            y + 15,
            text(&node.question),
            y + 4,
            share * wide as f64,
            left as f64 + share * wide as f64 + 6.0,
            y + 15,
            node.diverged,
            node.reached,
            share * 100.0
        );
    }
    page.push_str(
        "</svg>\n<table><tr><th>question</th><th>answers</th><th class=n>pairs</th></tr>\n",
    );
    for node in nodes {
        let mut splits: Vec<_> = node.splits.iter().collect();
        splits.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        for (answers, n) in splits.into_iter().take(3) {
            let [one, two] =
                answers.each_ref().map(|answer| text(answer.as_deref().unwrap_or("not asked")));
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td>{one} / {two}</td><td class=n>{n}</td></tr>",
                text(&node.question)
            );
        }
    }
    page.push_str("</table>\n");
}

fn matrix(page: &mut String, board: &BoardSnapshot) {
    heading(page, "Reviewer confusion matrix");
    let matrix = &board.matrix;
    let size = 34;
    let name = |name: &String| text(&fit(name, NAME_CHARS));
    let longest = matrix.classes.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let longest = longest.min(NAME_CHARS) * NAME_PX;
    let left = longest + 16;
    // A name that stands aslant needs as much room to the side as below.
    let aslant = longest * 3 / 4 + 24;
    let most = matrix
        .cells
        .iter()
        .filter(|((a, b), _)| a != b)
        .map(|(_, cases)| cases.n())
        .max()
        .unwrap_or(0)
        .max(1);
    let n = matrix.classes.len();
    let _ = writeln!(
        page,
        "<svg width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"heat map of pairs of labels\">",
        left + n * size + aslant,
        n * size + aslant
    );
    for (row, class) in matrix.classes.iter().enumerate() {
        let (y, name) = (row * size, name(class));
        let _ = writeln!(
            page,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\"><title>{}</title>{name}</text>",
            left - 8,
            y + 21,
            text(class)
        );
        let x = left + row * size + 14;
        let _ = writeln!(
            page,
            "<text transform=\"translate({x},{}) rotate(45)\">{name}</text>",
            n * size + 14
        );
        for column in 0..n {
            let count =
                matrix.cells.get(&(row.min(column), row.max(column))).map_or(0, |cases| cases.n());
            let x = left + column * size;
            let (fill, heat) = if row == column {
                ("#888888", 0.15)
            } else {
                ("#a23b3b", (count as f64 / most as f64).min(1.0))
            };
            let on_dark = if row != column && heat > 0.45 { " style=\"fill:#fff\"" } else { "" };
            let _ = writeln!(
                page,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{0}\" height=\"{0}\" fill=\"{fill}\" fill-opacity=\"{heat:.2}\" stroke=\"#999\" stroke-width=\".3\"/>\
                 <text x=\"{1}\" y=\"{2}\" text-anchor=\"middle\"{on_dark}>{count}</text>",
                size - 2,
                x + size / 2 - 1,
                y + 21
            );
        }
    }
    page.push_str("</svg>\n<p class=\"q\">Cases; on the diagonal both say the same.</p>\n");
}

/// Alpha by week as a line, with its interval.
fn weeks(page: &mut String, weeks: &[WeekFigures]) {
    heading(page, "From week to week");
    let (step, high) = (44, 160);
    // Weeks without labels leave a gap, of many as wide as of three.
    let mut places: Vec<usize> = Vec::new();
    let mut before: Option<(usize, &WeekFigures)> = None;
    for week in weeks {
        let apart = |last: &WeekFigures| (week.from.date() - last.from.date()).num_days() / 7;
        let place = before.map_or(0, |(place, last)| place + apart(last).clamp(1, 4) as usize);
        places.push(place);
        before = Some((place, week));
    }
    let slots = places.last().map_or(0, |last| last + 1);
    let y = |value: f64| (1.0 - value.clamp(0.0, 1.0)) * f64::from(high) + 8.0;
    let _ = writeln!(
        page,
        "<svg width=\"{}\" height=\"{}\" role=\"img\" aria-label=\"Krippendorff's alpha by week\">",
        slots * step + 90,
        high + 40
    );
    for mark in [0.0, 0.5, 0.667, 0.8, 1.0] {
        let _ = writeln!(
            page,
            "<line x1=\"34\" x2=\"{}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#999\" stroke-width=\".5\" stroke-dasharray=\"3 3\"/>\
             <text x=\"0\" y=\"{2:.1}\">{mark}</text>",
            slots * step + 44,
            y(mark),
            y(mark) + 4.0
        );
    }
    let mut last: Option<(usize, f64)> = None;
    let mut named: Option<(usize, i32)> = None;
    for (week, place) in weeks.iter().zip(places) {
        let x = place * step + 54;
        let Ok(value) = week.alpha.value else { continue };
        if let Some((before, was)) = last.filter(|(before, _)| before + 1 == place) {
            let _ = writeln!(
                page,
                "<line x1=\"{}\" x2=\"{x}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#35618f\" stroke-width=\"1.5\"/>",
                before * step + 54,
                y(was),
                y(value)
            );
        }
        last = Some((place, value));
        if let Some((low, top)) = week.alpha.interval {
            let _ = writeln!(
                page,
                "<line x1=\"{x}\" x2=\"{x}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#35618f\" stroke-width=\"2\" stroke-opacity=\".4\"/>",
                y(low),
                y(top)
            );
        }
        let words = format!(
            "week from {}: alpha {}, {} of {} cases differ",
            week.from.date(),
            decimal(value),
            week.differ.n(),
            week.cases.len()
        );
        let _ = writeln!(
            page,
            "<circle cx=\"{x}\" cy=\"{:.1}\" r=\"3.5\" fill=\"#35618f\"><title>{words}</title></circle>",
            y(value)
        );
        // Every second place has a date, with its year where that is not the one before.
        if named.is_none_or(|(before, _)| place >= before + 2) {
            let year = week.from.date().year();
            let same = named.is_some_and(|(_, before)| before == year);
            let date = week.from.date().format(if same { "%m-%d" } else { "%Y-%m-%d" });
            let _ = writeln!(
                page,
                "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{date}</text>",
                high + 30
            );
            named = Some((place, year));
        }
    }
    page.push_str("</svg>\n");
}

fn versions(page: &mut String, board: &BoardSnapshot) {
    heading(page, "Before and after a version of the protocol");
    page.push_str(
        "<table><tr><th>version</th><th class=n>cases</th><th class=n>pairs</th><th class=n>disagree</th><th>alpha</th></tr>\n",
    );
    for of in &board.versions {
        let diverged = of.divergence.diverged as f64 / of.divergence.pairs.max(1) as f64 * 100.0;
        let _ = writeln!(
            page,
            "<tr><td>{} v{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{diverged:.1} %</td><td>{}</td></tr>",
            text(&of.protocol),
            of.version,
            of.cases.len(),
            of.divergence.pairs,
            figure(&of.alpha)
        );
    }
    page.push_str("</table>\n<p class=\"q\">Pairs of labels that both cite the version.</p>\n");
}

fn categories(page: &mut String, board: &BoardSnapshot) {
    heading(page, "Categories");
    page.push_str("<table><tr><th>category</th><th class=n>resolved</th><th class=n>pending</th><th class=n>pairs</th><th class=n>disagree</th></tr>\n");
    for (name, of) in &board.categories {
        let tally = board.by_category.get(name).copied().unwrap_or_default();
        let _ = writeln!(
            page,
            "<tr><td>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td><td class=n>{}</td></tr>",
            text(name),
            of.resolved.len(),
            of.pending.n(),
            tally.pairs,
            tally.diverged
        );
    }
    page.push_str("</table>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_acts() {
        assert_eq!(
            text("<script>\"x\" & 'y'\u{1b}[31m"),
            "&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;«ESC»[31m"
        );
    }
}
