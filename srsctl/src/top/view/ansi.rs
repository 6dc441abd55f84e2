//! The screen as text with escape sequences for its colours, to print it.

use ratatui::style::{Color, Modifier, Style};

use super::{cells, drawn};
use crate::top::app::App;

/// The screen as [`super::as_text`] has it, in its colours. Each line ends in the terminal's own.
pub(crate) fn as_ansi(app: &App) -> String {
    let mut text = String::new();
    for row in cells(&drawn(app)) {
        // Blanks at the end show only if something shows through them.
        let shows = |style: Style| {
            style.add_modifier.contains(Modifier::REVERSED)
                || style.bg.is_some_and(|colour| colour != Color::Reset)
        };
        let is_blank = |symbol: &str, style| symbol.trim().is_empty() && !shows(style);
        let last = row
            .iter()
            .rposition(|cell| !is_blank(cell.symbol(), cell.style()));
        let mut present = String::new();
        for cell in row.iter().take(last.map_or(0, |last| last + 1)) {
            let wanted = codes(cell.style());
            if wanted != present {
                text += "\x1b[0";
                text += &wanted;
                text.push('m');
                present = wanted;
            }
            text += cell.symbol();
        }
        if !present.is_empty() {
            text += "\x1b[0m";
        }
        text.push('\n');
    }
    text
}

/// What sets a style that nothing is set of, each code behind a semicolon (ECMA-48, SGR).
fn codes(style: Style) -> String {
    let mut codes = String::new();
    for (modifier, code) in MODIFIERS {
        if style.add_modifier.contains(modifier) {
            codes += &format!(";{code}");
        }
    }
    codes += &style.fg.map(|fg| colour(fg, 0)).unwrap_or_default();
    codes += &style.bg.map(|bg| colour(bg, 10)).unwrap_or_default();
    codes
}

/// A colour of the text, or with `more` 10 of what is behind it.
fn colour(colour: Color, more: u8) -> String {
    let code = match colour {
        Color::Reset => return String::new(),
        Color::Indexed(index) => return format!(";{};5;{index}", 38 + more),
        Color::Rgb(red, green, blue) => return format!(";{};2;{red};{green};{blue}", 38 + more),
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
    };
    format!(";{}", code + more)
}

/// Those that a theme may have.
const MODIFIERS: [(Modifier, u8); 5] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_codes() {
        let plain = Style::new();
        let cases = [
            (plain, ""),
            (plain.fg(Color::Reset).bg(Color::Reset), ""),
            (plain.fg(Color::Red), ";31"),
            (plain.bg(Color::LightBlue), ";104"),
            (
                plain.fg(Color::DarkGray).add_modifier(Modifier::BOLD),
                ";1;90",
            ),
            (plain.fg(Color::Indexed(200)), ";38;5;200"),
            (
                plain.fg(Color::Rgb(1, 2, 3)).bg(Color::Rgb(4, 5, 6)),
                ";38;2;1;2;3;48;2;4;5;6",
            ),
            (
                plain.add_modifier(Modifier::DIM | Modifier::REVERSED),
                ";2;7",
            ),
        ];
        for (style, expected) in cases {
            assert_eq!(codes(style), expected, "{style:?}");
        }
    }
}
