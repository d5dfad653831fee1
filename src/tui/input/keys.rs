//! The events that characters and whole control sequences are.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

pub(super) fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

pub(super) fn of_char(c: char) -> Event {
    key(KeyCode::Char(c), if c.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE })
}

/// The event that a whole control sequence is, if it is one.
pub(super) fn known(parameters: &[u8], last: u8) -> Option<Event> {
    let text = std::str::from_utf8(parameters).ok()?;
    if let Some(report) = text.strip_prefix('<') {
        let numbers: Vec<u16> =
            report.split(';').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let [button, x, y] = numbers[..] else { return None };
        return matches!(last, b'M' | b'm')
            .then(|| mouse(button, x.saturating_sub(1), y.saturating_sub(1), last == b'm'))?;
    }
    if text.starts_with(['=', '>', '?']) {
        return None;
    }
    // `code:alternate;modifiers:event`: only the first of each counts.
    let number = |part: &str| part.split(':').next().unwrap_or_default().parse::<u32>().ok();
    let numbers: Vec<u32> = text.split(';').map(|part| number(part).unwrap_or(0)).collect();
    let first = numbers.first().copied().unwrap_or(0);
    let second = text.split(';').nth(1).unwrap_or_default();
    if second.split(':').nth(1) == Some("3") {
        return None; // a key that was let go
    }
    let modifiers = modifiers(numbers.get(1).copied().unwrap_or(0));
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' | b'Q' | b'S' => KeyCode::F(last - b'P' + 1),
        // With parameters it tells where the cursor is.
        b'R' if parameters.is_empty() => KeyCode::F(3),
        b'Z' => return Some(key(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT)),
        b'~' if first == 27 => return of_code(numbers.get(2).copied()?, modifiers),
        b'~' => numbered(first)?,
        b'u' if !parameters.is_empty() => return of_code(first, modifiers),
        b'M' if numbers.len() == 3 => {
            let at = |n: u32| u16::try_from(n.saturating_sub(1)).unwrap_or(u16::MAX);
            return mouse(
                u16::try_from(first.saturating_sub(32)).ok()?,
                at(numbers[1]),
                at(numbers[2]),
                false,
            );
        }
        _ => return None,
    };
    Some(key(code, modifiers))
}

fn numbered(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        n @ 11..=15 => KeyCode::F((n - 10) as u8),
        n @ 17..=21 => KeyCode::F((n - 11) as u8),
        n @ 23..=26 => KeyCode::F((n - 12) as u8),
        n @ 28..=29 => KeyCode::F((n - 13) as u8),
        n @ 31..=34 => KeyCode::F((n - 14) as u8),
        _ => return None,
    })
}

/// A key by the number of its character.
fn of_code(code: u32, modifiers: KeyModifiers) -> Option<Event> {
    let code = match code {
        9 if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
        9 => KeyCode::Tab,
        13 | 57414 => KeyCode::Enter,
        27 => KeyCode::Esc,
        127 => KeyCode::Backspace,
        code => {
            let c = char::from_u32(code)
                .filter(|c| !c.is_control() && !('\u{e000}'..='\u{f8ff}').contains(c))?;
            KeyCode::Char(if modifiers.contains(KeyModifiers::SHIFT) {
                c.to_uppercase().next().unwrap_or(c)
            } else {
                c
            })
        }
    };
    Some(key(code, modifiers))
}

fn modifiers(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in
        [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)]
    {
        modifiers.set(modifier, bits & bit != 0);
    }
    modifiers
}

pub(super) fn mouse(code: u16, column: u16, row: u16, released: bool) -> Option<Event> {
    let button = match code & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (code & 0b1110_0000, button) {
        (64, _) if code & 3 == 0 => MouseEventKind::ScrollUp,
        (64, _) if code & 3 == 1 => MouseEventKind::ScrollDown,
        (0, Some(button)) if released => MouseEventKind::Up(button),
        (0, Some(button)) => MouseEventKind::Down(button),
        _ => return None, // moved, or let go
    };
    let modifiers = KeyModifiers::NONE;
    Some(Event::Mouse(MouseEvent { kind, column, row, modifiers }))
}
