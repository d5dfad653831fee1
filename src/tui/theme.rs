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
    /// Whether there are the 256 colours of a palette, for pictures.
    pub colours: bool,
    /// Whether lines and bars may be drawn with more than ASCII.
    pub unicode: bool,
}

impl Theme {
    pub fn of(config: &Config, env: &Env) -> Self {
        let name = match config.review.theme {
            _ if env.no_color => ThemeName::Mono,
            ThemeName::Auto if env.light_background => ThemeName::Light,
            ThemeName::Auto => ThemeName::Dark,
            name => name,
        };
        let unicode = config.review.borders == Borders::Unicode;
        let colours = env.many_colors && name != ThemeName::Mono;
        let plain = Style::new();
        let color = |color: Color| plain.fg(color);
        let bold = plain.add_modifier(Modifier::BOLD);
        let chosen = plain.add_modifier(Modifier::REVERSED);
        // No slot of a palette is dim on every background: in one it is the background itself.
        let dim = plain.add_modifier(Modifier::DIM);
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
                colours,
                unicode,
            },
            ThemeName::Dark | ThemeName::Auto => Self {
                text: plain,
                dim,
                strong: bold,
                accent: color(Color::Cyan),
                good: color(Color::Green),
                warn: color(Color::Yellow),
                bad: color(Color::LightRed),
                key: color(Color::Cyan),
                chosen,
                colours,
                unicode,
            },
            ThemeName::Light => Self {
                text: plain,
                dim,
                strong: bold,
                accent: color(Color::Blue),
                good: color(Color::Blue),
                warn: color(Color::Magenta),
                bad: color(Color::Red),
                key: color(Color::Blue),
                chosen,
                colours,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Background, text, and the 16 slots of palettes that people have, dark ones first.
    const PALETTES: &[(&str, bool, [u32; 18])] = &[
        (
            "xterm",
            false,
            [
                0, 0xe5e5e5, 0, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd,
                0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff,
                0xffffff,
            ],
        ),
        (
            "linux console",
            false,
            [
                0, 0xaaaaaa, 0, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa,
                0xaaaaaa, 0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff,
                0xffffff,
            ],
        ),
        (
            "solarized dark",
            false,
            [
                0x002b36, 0x839496, 0x073642, 0xdc322f, 0x859900, 0xb58900, 0x268bd2, 0xd33682,
                0x2aa198, 0xeee8d5, 0x002b36, 0xcb4b16, 0x586e75, 0x657b83, 0x839496, 0x6c71c4,
                0x93a1a1, 0xfdf6e3,
            ],
        ),
        (
            "gruvbox dark",
            false,
            [
                0x282828, 0xebdbb2, 0x282828, 0xcc241d, 0x98971a, 0xd79921, 0x458588, 0xb16286,
                0x689d6a, 0xa89984, 0x928374, 0xfb4934, 0xb8bb26, 0xfabd2f, 0x83a598, 0xd3869b,
                0x8ec07c, 0xebdbb2,
            ],
        ),
        (
            "xterm on white",
            true,
            [
                0xffffff, 0, 0, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd,
                0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff,
                0xffffff,
            ],
        ),
        (
            "solarized light",
            true,
            [
                0xfdf6e3, 0x657b83, 0x073642, 0xdc322f, 0x859900, 0xb58900, 0x268bd2, 0xd33682,
                0x2aa198, 0xeee8d5, 0x002b36, 0xcb4b16, 0x586e75, 0x657b83, 0x839496, 0x6c71c4,
                0x93a1a1, 0xfdf6e3,
            ],
        ),
        (
            "gruvbox light",
            true,
            [
                0xfbf1c7, 0x3c3836, 0xfbf1c7, 0xcc241d, 0x98971a, 0xd79921, 0x458588, 0xb16286,
                0x689d6a, 0x7c6f64, 0x928374, 0x9d0006, 0x79740e, 0xb57614, 0x076678, 0x8f3f71,
                0x427b58, 0x3c3836,
            ],
        ),
    ];

    /// Relative luminance, as WCAG 2 has it.
    fn luminance(color: u32) -> f64 {
        let part = |shift: u32| {
            let value = f64::from((color >> shift) & 0xff) / 255.0;
            if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
    }

    fn contrast(one: u32, other: u32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn slot(color: Color) -> usize {
        const ORDER: [Color; 16] = [
            Color::Black,
            Color::Red,
            Color::Green,
            Color::Yellow,
            Color::Blue,
            Color::Magenta,
            Color::Cyan,
            Color::Gray,
            Color::DarkGray,
            Color::LightRed,
            Color::LightGreen,
            Color::LightYellow,
            Color::LightBlue,
            Color::LightMagenta,
            Color::LightCyan,
            Color::White,
        ];
        ORDER.iter().position(|other| *other == color).unwrap_or(16)
    }

    #[test]
    fn every_colour_can_be_read_on_the_palettes_that_people_have() {
        let config = Config::parse("", "c").unwrap();
        for (name, light, colors) in PALETTES {
            let env = Env { light_background: *light, ..Env::default() };
            let theme = Theme::of(&config, &env);
            for style in [
                theme.text,
                theme.dim,
                theme.strong,
                theme.accent,
                theme.good,
                theme.warn,
                theme.bad,
                theme.key,
            ] {
                let Some(color) = style.fg else { continue }; // the palette's own text
                let seen = contrast(colors[0], colors[2 + slot(color)]);
                assert!(seen >= 3.0, "{color:?} on {name}: {seen:.1}");
            }
        }
    }
}
