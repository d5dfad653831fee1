//! Who may do what, and who asks to join: a list on which a lead admits and retires.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::pick::{Choice, Pick};
use super::prompt::Prompt;
use super::{Cx, Layer, Next, View, list};
use crate::domain::ids::ReplicaId;
use crate::domain::roster::Role;
use crate::domain::text::{fit, visible};
use crate::tui::key::KeyPress;
use crate::tui::keymap::KeyRow;
use crate::tui::place::Place;
use crate::tui::theme::Theme;
use crate::workspace::Person;

/// Keys of the window.
pub static KEYS: &[KeyRow] = &[
    KeyRow::new(
        "admit",
        "a Enter",
        Place::People,
        "admit",
        "admit this one, in roles that you pick",
    ),
    KeyRow::new(
        "retire",
        "x",
        Place::People,
        "retire or turn down",
        "retire this one on that device, or turn them down",
    ),
];

/// The list.
pub struct People {
    pub rows: Vec<Person>,
    pub cursor: usize,
}

/// Roles that are offered, the usual first.
const ROLES: &[&str] = &[
    "reviewer",
    "reviewer engineer",
    "lead reviewer",
    "lead reviewer engineer",
    "engineer",
    "auditor",
    "agent",
];

impl People {
    fn current(&self) -> Option<&Person> {
        self.rows.get(self.cursor)
    }

    /// What the list of roles is called, with a warning if the name is taken.
    fn admission_title(&self) -> String {
        match self.current() {
            Some(person) if self.is_another(person) => {
                format!("Admit ANOTHER {} as", person.holder.name)
            }
            Some(person) => format!("Admit {} as", person.holder.name),
            None => String::new(),
        }
    }

    /// Whether somebody asks under a name that works on another device.
    fn is_another(&self, person: &Person) -> bool {
        let same = |other: &Person| other.holder.name == person.holder.name && other.holder.works();
        person.holder.waits() && self.rows.iter().any(same)
    }

    /// Name and state; then each key on a line of its own, to be compared.
    fn lines(&self, person: &Person, chosen: bool, theme: &Theme) -> Vec<Line<'static>> {
        let holder = &person.holder;
        let (state, style) = match holder.retired_after {
            Some(0) if holder.roles.is_empty() => ("was turned down".to_owned(), theme.dim),
            Some(after) => (format!("retired after entry {after}"), theme.dim),
            None if self.is_another(person) => {
                (format!("ANOTHER {} asks to join", visible(&holder.name)), theme.bad)
            }
            None if holder.waits() => ("asks to join".to_owned(), theme.warn),
            None => (
                holder.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", "),
                theme.text,
            ),
        };
        let mark = if chosen { theme.sign("▸ ", "> ") } else { "  " };
        let name = format!("{:<16} ", fit(&visible(&holder.name), 16));
        let here = if holder.here { "  this device" } else { "" };
        let mut lines = vec![
            Line::from(vec![
                Span::styled(mark, theme.accent),
                Span::styled(name, if chosen { theme.strong } else { theme.text }),
                Span::styled(state, style),
                Span::styled(here, theme.dim),
            ]),
            Line::from(Span::styled(
                format!("    {}  key {}", holder.replica.short(), holder.fingerprint()),
                theme.dim,
            )),
        ];
        match &person.ssh {
            Ok(None) => {}
            Ok(Some(ssh)) => lines.push(Line::from(Span::styled(
                format!("    signed by SSH {}", visible(ssh)),
                theme.dim,
            ))),
            Err(why) => lines.push(Line::from(Span::styled(
                format!("    the SSH signature is NOT good: {}", visible(why)),
                theme.bad,
            ))),
        }
        lines
    }
}

/// Lets somebody in, in roles that are picked.
fn admit(title: &str, name: String, replica: ReplicaId) -> Pick {
    let choices = ROLES.iter().map(|roles| Choice::new(roles, "")).collect();
    Pick::new(title, choices, move |choice, cx| {
        let roles = choice.value.split(' ').filter_map(Role::parse).collect();
        let effects = cx.session.admit(name.clone(), replica, roles);
        cx.then(effects);
        Next::Closes
    })
}

/// Retires somebody on a device, for a reason that is written.
fn retire(name: String, replica: ReplicaId) -> Prompt {
    let about = format!("{name} on {}: ", replica.short());
    let done =
        move |why: &str, cx: &mut Cx<'_>| cx.session.retire(name.clone(), replica, why.to_owned());
    Prompt::new("Retire, because: ", "", done).about(about)
}

impl Layer for People {
    fn places(&self) -> &'static [Place] {
        &[Place::People, Place::Lines, Place::Window]
    }

    fn act(&mut self, action: &str, _: KeyPress, _: &mut Cx<'_>) -> Next {
        let who = self.current().map(|person| (person.holder.name.clone(), person.holder.replica));
        match (action, who) {
            ("admit", Some((name, replica))) => {
                Next::Opens(Box::new(admit(&self.admission_title(), name, replica)))
            }
            ("retire", Some((name, replica))) => Next::Opens(Box::new(retire(name, replica))),
            ("close", _) => Next::Closes,
            (action, _) => {
                let by = list::step(action, list::PAGE).unwrap_or(0);
                self.cursor = list::moved(self.cursor, by, self.rows.len());
                Next::Stays
            }
        }
    }

    fn cursor(&self) -> usize {
        self.cursor
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, view: &View<'_>) {
        let entry = |(row, person)| self.lines(person, row == self.cursor, view.theme);
        let entries = self.rows.iter().enumerate().map(entry).collect();
        let title =
            view.keymap.fill("People ({admit} admit · {retire} retire or turn down · {close})");
        list::draw(screen, buf, view.theme, &title, self.cursor, entries);
    }
}
