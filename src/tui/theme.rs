//! Themes: drawing asks for a role, never for a colour.

use std::collections::BTreeMap;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::config::{line_column, with_suggestion};

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Role {
    Text,
    Dim,
    Title,
    Border,
    Header,
    TabActive,
    Selection,
    Key,
    Ok,
    Info,
    Warn,
    Critical,
    Stale,
    Paused,
    ChartCpu,
    ChartMem,
    ChartDisk,
    ChartNet,
    GaugeEmpty,
    Mark,
    Input,
}

const ROLES: usize = 21;

/// Every role with its name in a theme file, in their order.
const NAMES: [(Role, &str); ROLES] = [
    (Role::Text, "text"),
    (Role::Dim, "dim"),
    (Role::Title, "title"),
    (Role::Border, "border"),
    (Role::Header, "header"),
    (Role::TabActive, "tab_active"),
    (Role::Selection, "selection"),
    (Role::Key, "key"),
    (Role::Ok, "ok"),
    (Role::Info, "info"),
    (Role::Warn, "warn"),
    (Role::Critical, "critical"),
    (Role::Stale, "stale"),
    (Role::Paused, "paused"),
    (Role::ChartCpu, "chart_cpu"),
    (Role::ChartMem, "chart_mem"),
    (Role::ChartDisk, "chart_disk"),
    (Role::ChartNet, "chart_net"),
    (Role::GaugeEmpty, "gauge_empty"),
    (Role::Mark, "mark"),
    (Role::Input, "input"),
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    fg: Option<toml::Spanned<String>>,
    bg: Option<toml::Spanned<String>>,
    bold: bool,
    dim: bool,
    reversed: bool,
    underlined: bool,
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: attributes only.
    Mono,
    /// The sixteen of the terminal's own palette.
    Ansi16,
    /// The xterm palette.
    Ansi256,
    /// 24 bits.
    TrueColor,
}

impl Depth {
    /// Decides by `ui.color`, then NO_COLOR, COLORTERM and TERM.
    pub fn detect(setting: &str, env: impl Fn(&str) -> Option<String>) -> Self {
        if env("NO_COLOR").is_some_and(|v| !v.is_empty()) {
            return Self::Mono;
        }
        match setting {
            "truecolor" => return Self::TrueColor,
            "256" => return Self::Ansi256,
            "16" => return Self::Ansi16,
            "none" => return Self::Mono,
            _ => {}
        }
        let term = env("TERM").unwrap_or_default();
        if env("COLORTERM").is_some_and(|v| v.contains("truecolor") || v.contains("24bit")) || term.ends_with("-direct")
        {
            Self::TrueColor
        } else if term.contains("256") {
            Self::Ansi256
        } else if term == "dumb" || term.is_empty() || term.starts_with("vt") {
            Self::Mono
        } else {
            Self::Ansi16
        }
    }
}

/// A theme, ready to draw with at one colour depth.
#[derive(Debug, Clone)]
pub struct Theme {
    styles: [Style; ROLES],
}

const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("ansi16", include_str!("../../themes/ansi16.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

impl Theme {
    /// The style of `role`.
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// Loads a theme by name: `folder/NAME.toml` before the built-in ones. Without colour it is always `mono`; at
    /// sixteen colours a built-in RGB theme gives way to `ansi16`.
    ///
    /// # Errors
    /// When there is no such theme, or its file has an unknown role, an unknown colour or a missing role.
    pub fn load(name: &str, folder: Option<&Path>, depth: Depth) -> Result<Self, String> {
        let own = folder.map(|f| f.join(format!("{name}.toml"))).filter(|f| f.is_file());
        let name = match depth {
            Depth::Mono if own.is_none() => "mono",
            Depth::Ansi16 if own.is_none() && name != "mono" => "ansi16",
            _ => name,
        };
        // a theme of one's own is checked even where no colour shows
        let (place, text) = match own {
            Some(file) => {
                let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
                (file.display().to_string(), text)
            }
            None => match BUILT_IN.iter().find(|(n, _)| *n == name) {
                Some((n, text)) => (format!("themes/{n}.toml"), (*text).to_owned()),
                None => {
                    let names: Vec<&str> = BUILT_IN.iter().map(|(n, _)| *n).collect();
                    return Err(format!("no theme `{name}`; there are {}", names.join(", ")));
                }
            },
        };
        match (Self::parse(&place, &text, depth)?, depth) {
            (_, Depth::Mono) if name != "mono" => Self::load("mono", None, depth),
            (theme, _) => Ok(theme),
        }
    }

    fn parse(place: &str, text: &str, depth: Depth) -> Result<Self, String> {
        let at = |offset: usize| {
            let (line, column) = line_column(text, offset);
            format!("{place}:{line}:{column}")
        };
        let entries: BTreeMap<Role, Entry> = toml::from_str(text)
            .map_err(|e| format!("{}: {}", at(e.span().map_or(0, |s| s.start)), with_suggestion(e.message())))?;
        if entries.len() < ROLES {
            let missing: Vec<&str> =
                NAMES.iter().filter(|(role, _)| !entries.contains_key(role)).map(|n| n.1).collect();
            return Err(format!("{}: not there: {}", at(text.len()), missing.join(", ")));
        }
        let mut styles = [Style::new(); ROLES];
        for (role, entry) in entries {
            let mut style = Style::new();
            if let Some(fg) = &entry.fg {
                let place = || at(fg.span().start);
                style.fg = color(fg.get_ref(), depth).map_err(|why| format!("{}: {why}", place()))?;
            }
            if let Some(bg) = &entry.bg {
                let place = || at(bg.span().start);
                style.bg = color(bg.get_ref(), depth).map_err(|why| format!("{}: {why}", place()))?;
            }
            for (on, modifier) in [
                (entry.bold, Modifier::BOLD),
                (entry.dim, Modifier::DIM),
                (entry.reversed, Modifier::REVERSED),
                (entry.underlined, Modifier::UNDERLINED),
            ] {
                if on {
                    style = style.add_modifier(modifier);
                }
            }
            styles[role as usize] = style;
        }
        Ok(Self { styles })
    }
}

/// A colour by `#rrggbb` or ANSI name, downgraded to what the terminal shows.
fn color(text: &str, depth: Depth) -> Result<Option<Color>, String> {
    let color: Color =
        text.parse().map_err(|_| format!("`{text}` is no colour; write #rrggbb or a name such as bright-black"))?;
    Ok(match (depth, color) {
        (Depth::Mono, _) => None,
        (Depth::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(nearest_256(r, g, b))),
        (Depth::Ansi16, Color::Rgb(r, g, b)) => Some(nearest_16(r, g, b)),
        (_, c) => Some(c),
    })
}

fn square(a: u8, b: u8) -> i32 {
    let d = i32::from(a) - i32::from(b);
    d * d
}

fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let near = |v: u8| (0..6u8).min_by_key(|i| square(LEVELS[*i as usize], v)).unwrap_or(0);
    let (cr, cg, cb) = (near(r), near(g), near(b));
    let cube = square(LEVELS[cr as usize], r) + square(LEVELS[cg as usize], g) + square(LEVELS[cb as usize], b);
    let step =
        (0..24u8).min_by_key(|i| square(8 + 10 * i, r) + square(8 + 10 * i, g) + square(8 + 10 * i, b)).unwrap_or(0);
    let v = 8 + 10 * step;
    if square(v, r) + square(v, g) + square(v, b) < cube { 232 + step } else { 16 + 36 * cr + 6 * cg + cb }
}

fn nearest_16(r: u8, g: u8, b: u8) -> Color {
    const TABLE: [(Color, u8, u8, u8); 16] = [
        (Color::Black, 0, 0, 0),
        (Color::Red, 170, 0, 0),
        (Color::Green, 0, 170, 0),
        (Color::Yellow, 170, 170, 0),
        (Color::Blue, 0, 0, 170),
        (Color::Magenta, 170, 0, 170),
        (Color::Cyan, 0, 170, 170),
        (Color::Gray, 170, 170, 170),
        (Color::DarkGray, 85, 85, 85),
        (Color::LightRed, 255, 85, 85),
        (Color::LightGreen, 85, 255, 85),
        (Color::LightYellow, 255, 255, 85),
        (Color::LightBlue, 85, 85, 255),
        (Color::LightMagenta, 255, 85, 255),
        (Color::LightCyan, 85, 255, 255),
        (Color::White, 255, 255, 255),
    ];
    TABLE.iter().min_by_key(|(_, x, y, z)| square(*x, r) + square(*y, g) + square(*z, b)).map_or(Color::Reset, |t| t.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_has_every_role_at_every_depth() {
        for (name, _) in BUILT_IN {
            for depth in [Depth::Mono, Depth::Ansi16, Depth::Ansi256, Depth::TrueColor] {
                Theme::load(name, None, depth).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
        }
    }

    #[test]
    fn without_colour_the_selection_is_still_seen() {
        let theme = Theme::load("dark", None, Depth::Mono).expect("mono");
        let selection = theme.style(Role::Selection);
        assert!(
            selection.add_modifier.contains(Modifier::REVERSED) && selection.fg.is_none() && selection.bg.is_none()
        );
    }

    #[test]
    fn an_unknown_role_is_refused_with_its_line() {
        let error = Theme::parse("mine.toml", "text = {}\nslelection = {}\n", Depth::TrueColor).expect_err("refused");
        assert!(error.contains("mine.toml:2"), "{error}");
    }

    #[test]
    fn a_wrong_colour_and_a_missing_role_are_named_with_their_line() {
        let (_, dark) = BUILT_IN[0];
        let error =
            Theme::parse("mine.toml", &dark.replace("#e0af68", "#e0af6"), Depth::TrueColor).expect_err("colour");
        let (line, text) = dark.lines().enumerate().find(|(_, l)| l.contains("#e0af68")).expect("line");
        let place = format!("mine.toml:{}:{}", line + 1, text.find("\"#e0af68").expect("colour") + 1);
        assert!(error.starts_with(&format!("{place}: `#e0af6`")), "{error}");
        let short: String = dark.lines().filter(|l| !l.starts_with("mark")).map(|l| format!("{l}\n")).collect();
        let error = Theme::parse("mine.toml", &short, Depth::TrueColor).expect_err("role");
        assert!(error.contains("not there: mark"), "{error}");
        for (i, (role, name)) in NAMES.iter().enumerate() {
            assert_eq!(*role as usize, i, "{name}");
        }
    }

    /// The relative luminance of WCAG 2.2.
    fn luminance(c: Color) -> f64 {
        let Color::Rgb(r, g, b) = c else { panic!("{c:?}") };
        let channel = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
    }

    #[test]
    fn what_means_something_is_read_on_its_ground() {
        // text to be read 4.5 : 1, what only has to be seen 3 : 1
        for (name, ground) in [
            ("dark", Color::Rgb(0x15, 0x17, 0x1c)),
            ("light", Color::Rgb(0xff, 0xff, 0xff)),
            ("high-contrast", Color::Rgb(0, 0, 0)),
            ("colour-blind", Color::Rgb(0x15, 0x17, 0x1c)),
        ] {
            let theme = Theme::load(name, None, Depth::TrueColor).expect("theme");
            let selected = theme.style(Role::Selection);
            for (role, word) in NAMES {
                let style = theme.style(role);
                let (Some(fg), least) = (
                    style.fg,
                    match role {
                        Role::Border | Role::GaugeEmpty => continue,
                        Role::Dim | Role::ChartCpu | Role::ChartMem | Role::ChartDisk | Role::ChartNet => 3.0,
                        _ => 4.5,
                    },
                ) else {
                    continue;
                };
                let contrast = |back: Color| {
                    let (a, b) = (luminance(fg), luminance(back));
                    (a.max(b) + 0.05) / (a.min(b) + 0.05)
                };
                let back = style.bg.unwrap_or(ground);
                assert!(contrast(back) >= least, "{name}: {word} has {:.1} : 1 on its ground", contrast(back));
                if let (Some(back), None, None) = (selected.bg, selected.fg, style.bg) {
                    let least = least.min(3.0);
                    assert!(contrast(back) >= least, "{name}: {word} has {:.1} : 1 when selected", contrast(back));
                }
            }
        }
    }

    #[test]
    fn no_color_wins_over_the_terminal() {
        let env = |k: &str| Some(if k == "NO_COLOR" { "1".into() } else { "truecolor".into() });
        assert_eq!(Depth::detect("truecolor", env), Depth::Mono);
        assert_eq!(Depth::detect("auto", |k| (k == "TERM").then(|| "xterm-256color".into())), Depth::Ansi256);
    }
}
