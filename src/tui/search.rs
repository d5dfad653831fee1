//! Going to places in the case: what is searched for in every tab, and warnings in the logs.

use super::key::KeyPress;
use super::overlay::Cx;
use super::overlay::prompt::Prompt;
use super::pane::{context, logs};
use super::place::{Measured, Tab};
use super::shell::{Search, Shell};
use crate::domain::logline::Level;
use crate::session::Effect;

/// Asks what to search for.
pub fn ask(shell: &mut Shell, _: KeyPress) -> Vec<Effect> {
    if shell.session.opened.is_none() {
        return shell.say("No case is open.");
    }
    let before = shell.search.as_ref().map_or("", |search| search.query.as_str());
    let done = |text: &str, cx: &mut Cx<'_>| {
        cx.search = Some(text.to_lowercase());
        Vec::new()
    };
    shell.layer = Some(Box::new(Prompt::new("Search in the case: ", before, done)));
    Vec::new()
}

/// Begins a search at what is shown.
pub fn begin(shell: &mut Shell, query: String) -> Vec<Effect> {
    if query.is_empty() {
        shell.search = None;
        return Vec::new();
    }
    // What is folded is searched too.
    shell.folded = false;
    shell.search = Some(Search { query, at: 0 });
    let from = (shell.tab().at(), shell.scroll[shell.tab().at()]);
    let places = places(shell);
    let at = places.iter().position(|(tab, row)| (tab.at(), *row) >= from).unwrap_or(0);
    show(shell, &places, at)
}

/// To the next place, or to the one before.
pub fn step(shell: &mut Shell, by: isize) -> Vec<Effect> {
    let Some(search) = &shell.search else { return Vec::new() };
    let (at, places) = (search.at as isize, places(shell));
    let n = places.len().max(1) as isize;
    show(shell, &places, (at + by).rem_euclid(n) as usize)
}

/// To the next line of the logs that is a warning or an error.
pub fn next_error(shell: &mut Shell) -> Vec<Effect> {
    let Some(opened) = &shell.session.opened else { return Vec::new() };
    let entries = logs::entries(shell, opened, shell.context_columns());
    let mut found = Vec::new();
    let mut row = logs::HEAD;
    for (level, lines) in entries {
        if level.is_some_and(|level| level >= Level::Warn) {
            found.push(row);
        }
        row += lines.len();
    }
    let from = shell.scroll[shell.tab().at()];
    match found.iter().find(|row| **row > from).or(found.first()) {
        Some(row) => {
            *shell.scroll_of_tab() = *row;
            Vec::new()
        }
        None => shell.say("No line here is a warning or an error."),
    }
}

/// Every place, in the order of the tabs. What stands in the overview stands in another tab too.
fn places(shell: &Shell) -> Vec<(Tab, usize)> {
    let Some(search) = &shell.search else { return Vec::new() };
    let columns = shell.context_columns();
    let tabs = Tab::ALL.into_iter().filter(|tab| *tab != Tab::Overview);
    let of_tab = |tab: Tab| {
        let seen = shell.context_height() as usize;
        let rows = context::rows(shell, tab, columns, seen).find(&search.query);
        rows.into_iter().map(move |row| (tab, row)).collect::<Vec<_>>()
    };
    tabs.flat_map(of_tab).collect()
}

fn show(shell: &mut Shell, places: &[(Tab, usize)], at: usize) -> Vec<Effect> {
    let Some(search) = &mut shell.search else { return Vec::new() };
    search.at = at;
    let query = search.query.clone();
    // It stays, so that {n} is the next place and no answer.
    let Some((tab, row)) = places.get(at).copied() else {
        let long =
            shell.session.opened.as_ref().is_some_and(|opened| !opened.long_texts().is_empty());
        let words = if long {
            "{read-on} reads on and searches there: only the beginning of a long text is here."
        } else {
            ""
        };
        let words = shell.keymap.fill(words);
        return shell.say(format!("“{query}” stands nowhere in the case. {words}").trim_end());
    };
    let mut effects = shell.show_tab(tab);
    let height = shell.context_height() as usize;
    // A few rows before it are shown too; where it is seen already, nothing moves.
    let scroll = shell.scroll_of_tab();
    if !(*scroll..*scroll + height).contains(&row) {
        *scroll = row.saturating_sub(3.min(height / 2));
    }
    shell.measured = None;
    shell.measure();
    let most = shell.measured.as_ref().map_or(0, Measured::context_overflow);
    let scroll = shell.scroll_of_tab();
    *scroll = (*scroll).min(most);
    effects.extend(shell.say(&format!("{} of {} places with “{query}”.", at + 1, places.len())));
    effects
}
