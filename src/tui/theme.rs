//! Colours. One accent; meaning is never carried by colour alone. Only the terminal's own 16
//! colours are used, so that they fit whatever palette a person has.

use ratatui::style::{Color, Modifier, Style};

use crate::config::{Borders, Config, Env, ThemeName};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Theme {
    pub text: Style,
    pub dim: Style,
    pub strong: Style,
    pub accent: Style,
    pub good: Style,
    pub warn: Style,
    pub bad: Style,
    pub key: Style,
    pub chosen: Style,
    /// Whether lines and bars may be drawn with more than ASCII.
    pub unicode: bool,
}

impl Theme {
    pub fn of(config: &Config, env: &Env) -> Self {
        let name = if env.no_color { ThemeName::Mono } else { config.review.theme };
        let unicode = config.review.borders == Borders::Unicode;
        let plain = Style::new();
        let color = |color: Color| plain.fg(color);
        let bold = plain.add_modifier(Modifier::BOLD);
        let chosen = plain.add_modifier(Modifier::REVERSED);
        match name {
            ThemeName::Mono => Self {
                text: plain,
                dim: plain,
                strong: bold,
                accent: bold,
                good: plain,
                warn: bold,
                bad: bold.add_modifier(Modifier::UNDERLINED),
                key: bold,
                chosen,
                unicode,
            },
            ThemeName::Dark => Self {
                text: plain,
                dim: color(Color::DarkGray),
                strong: bold,
                accent: color(Color::Cyan),
                good: color(Color::Green),
                warn: color(Color::Yellow),
                bad: color(Color::Red),
                key: color(Color::Cyan),
                chosen,
                unicode,
            },
            ThemeName::Light => Self {
                text: plain,
                dim: color(Color::Gray),
                strong: bold,
                accent: color(Color::Blue),
                good: color(Color::Green),
                warn: color(Color::Magenta),
                bad: color(Color::Red),
                key: color(Color::Blue),
                chosen,
                unicode,
            },
        }
    }

    pub fn sign(&self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// What stands for a sign of ours where only ASCII is drawn.
    pub fn in_ascii(symbol: &str) -> Option<&'static str> {
        match symbol {
            "…" => Some("~"),
            "·" | "−" => Some("-"),
            "▁" | "▂" | "░" => Some("."),
            "▃" | "▄" | "▒" => Some(":"),
            "▅" | "▆" | "▓" => Some("+"),
            "▇" | "█" => Some("#"),
            "«" => Some("<"),
            "»" | "→" => Some(">"),
            _ => None,
        }
    }
}
