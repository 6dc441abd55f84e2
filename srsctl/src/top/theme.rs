//! What colours say, and which they are.
//!
//! A cell has a [`Tone`], which says what it means; a [`Theme`] gives the tone a style. The default
//! takes the terminal's own 16 colours on its own background, so that it can be read on dark and on
//! light ones. Colours of their own have only those themes that somebody chooses.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// What matters less: labels, what is unknown, what is stale.
    Dim,
    /// Names of columns and pages.
    Title,
    /// Keys that can be pressed, and what the user types.
    Key,
    /// All is well.
    Good,
    /// Somebody should look at it.
    Odd,
    /// Something is wrong.
    Bad,
    /// What is received.
    In,
    /// What is sent.
    Out,
    /// A row that is marked.
    Marked,
    /// Where a filter matches.
    Match,
}

/// The tones, in the order of [`Theme::styles`].
const TONES: usize = 11;

/// A style for each tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Theme {
    /// The name, as the user chooses it.
    pub(crate) name: &'static str,
    styles: [Style; TONES],
    /// What the selected row is drawn with, over the tones of its cells.
    pub(crate) selected: Style,
}

impl Theme {
    /// The theme of this name, on a terminal that shows as many colours as `colours`.
    pub(crate) fn named(name: &str, colours: Colours) -> Option<Self> {
        let theme = match name {
            "default" => default(),
            "mono" => mono(),
            "dark" => painted("dark", &DARK),
            "light" => painted("light", &LIGHT),
            "contrast" => contrast(),
            _ => return None,
        };
        Some(match colours {
            Colours::None => Self {
                name: theme.name,
                ..mono()
            },
            // What the terminal cannot show would be shown as something else.
            Colours::Sixteen if theme.is_painted() => Self {
                name: theme.name,
                ..default()
            },
            Colours::Sixteen | Colours::All => theme,
        })
    }

    /// No colours at all.
    pub(crate) fn plain() -> Self {
        mono()
    }

    /// The name of the theme behind `name` in the list.
    pub(crate) fn after(name: &str) -> &'static str {
        let place = THEMES.iter().position(|(known, _)| *known == name);
        let next = place.map_or(0, |place| (place + 1) % THEMES.len());
        THEMES.get(next).map_or("default", |(name, _)| *name)
    }

    /// The style of a tone.
    pub(crate) fn style(&self, tone: Tone) -> Style {
        self.styles.get(tone as usize).copied().unwrap_or_default()
    }

    /// Whether it has colours that are not the terminal's own.
    fn is_painted(&self) -> bool {
        let has_rgb = |style: &Style| matches!(style.fg, Some(Color::Rgb(..)));
        self.styles.iter().any(has_rgb)
    }
}

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colours {
    /// None, or the user wants none.
    None,
    /// The 16 that the user has chosen.
    Sixteen,
    /// Any.
    All,
}

impl Colours {
    /// What the environment says, where a terminal is there.
    ///
    /// Follows no-color.org; `COLORTERM` is how terminals say that they show all colours.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let is_dumb = variable("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let is_forced =
            is_set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE").as_deref() != Some("0");
        if is_set("NO_COLOR") || is_dumb && !is_forced {
            return Self::None;
        }
        match variable("COLORTERM").as_deref() {
            Some("truecolor" | "24bit") => Self::All,
            _ => Self::Sixteen,
        }
    }
}

/// The themes, and what they are for.
pub(crate) const THEMES: [(&str, &str); 5] = [
    (
        "default",
        "the terminal's own 16 colours, for any background",
    ),
    ("mono", "no colours: bold, underlined and reversed text"),
    (
        "dark",
        "its own colours, for dark backgrounds, where COLORTERM says truecolor",
    ),
    ("light", "its own colours, for light backgrounds, likewise"),
    (
        "contrast",
        "few and strong: the terminal's bright colours, all bold",
    ),
];

fn default() -> Theme {
    let of = |colour: Color| Style::new().fg(colour);
    Theme {
        name: "default",
        styles: [
            Style::new(),
            Style::new().add_modifier(Modifier::DIM),
            Style::new().add_modifier(Modifier::BOLD),
            of(Color::Cyan),
            of(Color::Green),
            of(Color::Yellow),
            of(Color::Red).add_modifier(Modifier::BOLD),
            // Blue can hardly be read on many dark terminals.
            of(Color::Cyan),
            of(Color::Magenta),
            of(Color::Cyan).add_modifier(Modifier::BOLD),
            Style::new().add_modifier(Modifier::UNDERLINED),
        ],
        selected: SELECTED,
    }
}

fn mono() -> Theme {
    let with = |modifier: Modifier| Style::new().add_modifier(modifier);
    Theme {
        name: "mono",
        styles: [
            Style::new(),
            with(Modifier::DIM),
            with(Modifier::BOLD),
            with(Modifier::BOLD),
            Style::new(),
            with(Modifier::UNDERLINED),
            with(Modifier::BOLD.union(Modifier::UNDERLINED)),
            Style::new(),
            Style::new(),
            with(Modifier::BOLD),
            with(Modifier::UNDERLINED),
        ],
        selected: SELECTED,
    }
}

fn contrast() -> Theme {
    let of = |colour: Color| Style::new().fg(colour).add_modifier(Modifier::BOLD);
    Theme {
        name: "contrast",
        styles: [
            Style::new().add_modifier(Modifier::BOLD),
            Style::new(),
            Style::new().add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
            of(Color::LightCyan),
            of(Color::LightGreen),
            of(Color::LightYellow),
            of(Color::LightRed).add_modifier(Modifier::UNDERLINED),
            of(Color::LightBlue),
            of(Color::LightMagenta),
            of(Color::LightCyan),
            Style::new().add_modifier(Modifier::UNDERLINED),
        ],
        selected: SELECTED,
    }
}

/// A theme of its own colours: those of the tones, in their order.
fn painted(name: &'static str, palette: &[u32; TONES]) -> Theme {
    let mut styles = palette.map(|rgb| Style::new().fg(Color::from_u32(rgb)));
    for bold in [Tone::Title, Tone::Bad, Tone::Marked] {
        if let Some(style) = styles.get_mut(bold as usize) {
            *style = style.add_modifier(Modifier::BOLD);
        }
    }
    if let Some(style) = styles.get_mut(Tone::Match as usize) {
        *style = style.add_modifier(Modifier::UNDERLINED);
    }
    Theme {
        name,
        styles,
        selected: SELECTED,
    }
}

/// Reversed: it is seen on all backgrounds, and without colours. All of the row alike.
const SELECTED: Style = Style::new()
    .fg(Color::Reset)
    .add_modifier(Modifier::REVERSED)
    .remove_modifier(Modifier::DIM);

const DARK: [u32; TONES] = [
    0xd8_de_e9, 0x7b_88_a1, 0xec_ef_f4, 0x88_c0_d0, 0xa3_be_8c, 0xeb_cb_8b, 0xff_6b_70, 0x81_a1_f1,
    0xc8_8e_c7, 0x8f_d0_d0, 0xec_ef_f4,
];
const LIGHT: [u32; TONES] = [
    0x2e_34_40, 0x6b_72_80, 0x11_18_27, 0x0e_64_7a, 0x2f_6b_1f, 0x8a_5a_00, 0xb9_1c_1c, 0x1d_4e_d8,
    0x86_19_8f, 0x0b_55_66, 0x11_18_27,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        let cases: [(&[(&str, &str)], Colours); 8] = [
            (&[("TERM", "xterm-256color")], Colours::Sixteen),
            (
                &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
                Colours::All,
            ),
            (&[("TERM", "xterm"), ("COLORTERM", "yes")], Colours::Sixteen),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], Colours::None),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], Colours::Sixteen),
            (&[("TERM", "dumb")], Colours::None),
            (&[], Colours::None),
            (
                &[("TERM", "dumb"), ("CLICOLOR_FORCE", "1")],
                Colours::Sixteen,
            ),
        ];
        for (variables, expected) in cases {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Colours::of(variable), expected, "{variables:?}");
        }
    }

    #[test]
    fn no_theme_paints_a_background_and_the_default_one_has_the_users_colours() {
        for (name, _) in THEMES {
            let theme = Theme::named(name, Colours::All).unwrap();
            assert_eq!(theme.name, name);
            for style in theme.styles.iter().chain([&theme.selected]) {
                assert_eq!(style.bg, None, "{name}");
            }
            for colours in [Colours::None, Colours::Sixteen] {
                let theme = Theme::named(name, colours).unwrap();
                assert_eq!(theme.name, name);
                assert!(!theme.is_painted(), "{name}");
            }
            let none = Theme::named(name, Colours::None).unwrap();
            assert!(none.styles.iter().all(|style| style.fg.is_none()), "{name}");
        }
        assert_eq!(Theme::named("pink", Colours::All), None);
        assert!(!default().is_painted());
    }

    #[test]
    fn themes_follow_each_other_round_and_round() {
        let mut name = "default";
        for (expected, _) in THEMES.iter().cycle().skip(1).take(7) {
            name = Theme::after(name);
            assert_eq!(name, *expected);
        }
    }
}
