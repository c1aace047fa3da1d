//! What goes to the terminal for the cells that changed, in few bytes: a slow line carries a busy screen.

use std::io::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// Modifiers, the code that sets each and the code that takes it back.
const MODIFIERS: [(Modifier, u8, u8); 8] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// How the terminal writes at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Where the cursor is.
#[derive(Debug, Clone, Copy)]
struct Place {
    x: u16,
    y: u16,
    /// Every terminal agrees on the width of what was written in this row since the last absolute move.
    sure: bool,
}

/// Appends to `out` what writes `cells`, which come in the order of rows and columns. The terminal must write plainly
/// when it begins, and does when it has ended.
pub fn put<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = (u16, u16, &'a Cell)>) {
    let (mut pen, mut place) = (PLAIN, None);
    for (x, y, cell) in cells {
        let sure = go(out, place, x, y);
        let symbol = cell.symbol();
        let wanted = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        if symbol != " " || !is_blank_alike(pen, wanted) {
            change(out, pen, wanted);
            pen = wanted;
        }
        out.extend_from_slice(symbol.as_bytes());
        let wide = symbol.chars().count() == 1 && symbol.chars().all(is_wide_everywhere);
        let sure = sure && (wide || symbol.chars().all(is_narrow_everywhere));
        place = Some(Place { x: x + 1 + u16::from(wide), y, sure });
    }
    if pen != PLAIN {
        out.extend_from_slice(b"\x1b[0m");
    }
}

/// Whether a blank looks the same with either pen.
fn is_blank_alike(a: Pen, b: Pen) -> bool {
    let seen = Modifier::UNDERLINED | Modifier::CROSSED_OUT | Modifier::REVERSED;
    let lines = (a.modifier | b.modifier).intersects(seen);
    a.bg == b.bg && (!lines || a == b)
}

/// Whether no terminal draws it two cells wide.
fn is_narrow_everywhere(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{2800}'..='\u{28ff}')
}

/// Whether every terminal draws it two cells wide: ideographs, kana, Hangul, the full-width forms.
fn is_wide_everywhere(c: char) -> bool {
    matches!(c, '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff60}')
}

/// Moves to (`x`, `y`); whether the place is sure then.
fn go(out: &mut Vec<u8>, from: Option<Place>, x: u16, y: u16) -> bool {
    match from {
        Some(at) if at.y == y && at.x == x => return at.sure,
        Some(at) if at.y == y && at.x < x && at.sure => {
            match x - at.x {
                1 => out.extend_from_slice(b"\x1b[C"),
                n => _ = write!(out, "\x1b[{n}C"),
            }
            return true;
        }
        Some(at) if at.y == y => _ = write!(out, "\x1b[{}G", x + 1),
        _ => _ = write!(out, "\x1b[{};{}H", y + 1, x + 1),
    }
    true
}

/// One sequence from pen to pen.
fn change(out: &mut Vec<u8>, from: Pen, to: Pen) {
    if from == to {
        return;
    }
    if to == PLAIN {
        out.extend_from_slice(b"\x1b[0m");
        return;
    }
    let start = out.len();
    out.extend_from_slice(b"\x1b[");
    let (mut gone, mut kept) = (from.modifier.difference(to.modifier), from.modifier.intersection(to.modifier));
    for (modifier, _, off) in MODIFIERS {
        if gone.contains(modifier) {
            _ = write!(out, "{off};");
            // what shares the code goes with it
            for (other, ..) in MODIFIERS.into_iter().filter(|(.., o)| *o == off) {
                gone.remove(other);
                kept.remove(other);
            }
        }
    }
    for (modifier, on, _) in MODIFIERS {
        if to.modifier.contains(modifier) && !kept.contains(modifier) {
            _ = write!(out, "{on};");
        }
    }
    if from.fg != to.fg {
        colour(out, to.fg, 30);
    }
    if from.bg != to.bg {
        colour(out, to.bg, 40);
    }
    // the last semicolon; nothing at all where only an unknown modifier differs
    if out.len() == start + 2 {
        out.truncate(start);
    } else {
        out.pop();
        out.push(b'm');
    }
}

/// The code of a colour, `base` 30 for what is written and 40 for what is behind it.
fn colour(out: &mut Vec<u8>, colour: Color, base: u8) {
    let named = |n: u8| if n < 8 { base + n } else { base + 60 + n - 8 };
    _ = match colour {
        Color::Reset => write!(out, "{};", base + 9),
        Color::Rgb(r, g, b) => write!(out, "{};2;{r};{g};{b};", base + 8),
        Color::Indexed(n) => write!(out, "{};5;{n};", base + 8),
        Color::Black => write!(out, "{};", named(0)),
        Color::Red => write!(out, "{};", named(1)),
        Color::Green => write!(out, "{};", named(2)),
        Color::Yellow => write!(out, "{};", named(3)),
        Color::Blue => write!(out, "{};", named(4)),
        Color::Magenta => write!(out, "{};", named(5)),
        Color::Cyan => write!(out, "{};", named(6)),
        Color::Gray => write!(out, "{};", named(7)),
        Color::DarkGray => write!(out, "{};", named(8)),
        Color::LightRed => write!(out, "{};", named(9)),
        Color::LightGreen => write!(out, "{};", named(10)),
        Color::LightYellow => write!(out, "{};", named(11)),
        Color::LightBlue => write!(out, "{};", named(12)),
        Color::LightMagenta => write!(out, "{};", named(13)),
        Color::LightCyan => write!(out, "{};", named(14)),
        Color::White => write!(out, "{};", named(15)),
    };
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn sent(before: &Buffer, now: &Buffer) -> String {
        let mut out = vec![];
        put(&mut out, before.diff_iter(now));
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_row_is_gone_to_once_and_gaps_cost_little() {
        let before = Buffer::with_lines(["aaaaaaaa", "--------"]);
        let now = Buffer::with_lines(["abacaaad", "-审---x-"]);
        let sent = sent(&before, &now);
        assert_eq!(sent, "\x1b[1;2Hb\x1b[Cc\x1b[3Cd\x1b[2;2H审\x1b[3Cx");
        // not every terminal agrees on the width of …: what follows is measured from the border
        let now = Buffer::with_lines(["aaaaaaaa", "-…-审批x"]);
        assert_eq!(self::sent(&before, &now), "\x1b[2;2H…\x1b[4G审批x");
    }

    #[test]
    fn a_blank_needs_no_colour_of_its_own() {
        let mut now = Buffer::empty(Rect::new(0, 0, 5, 1));
        now.set_string(0, 0, "a b", Style::new().fg(Color::Red));
        now[(1, 0)].set_style(Style::reset());
        now[(3, 0)].set_style(Style::new().bg(Color::Red));
        let before = Buffer::with_lines(["xxxxx"]);
        assert_eq!(sent(&before, &now), "\x1b[1;1H\x1b[31ma b\x1b[39;41m \x1b[0m ");
    }

    #[test]
    fn bold_and_dim_go_by_one_code() {
        let from = |modifier| Pen { modifier, ..PLAIN };
        let both = Modifier::BOLD | Modifier::DIM;
        let sent = |a, b| {
            let mut out = vec![];
            change(&mut out, from(a), from(b));
            String::from_utf8(out).expect("text")
        };
        assert_eq!(sent(Modifier::BOLD, both), "\x1b[2m");
        assert_eq!(sent(both, Modifier::DIM), "\x1b[22;2m");
        assert_eq!(sent(both, Modifier::REVERSED), "\x1b[22;7m");
        assert_eq!(sent(both, Modifier::empty()), "\x1b[0m");
    }

    #[test]
    fn any_screen_arrives_as_it_was_meant() {
        let mut random = fastrand::Rng::with_seed(7);
        let area = Rect::new(0, 0, 12, 4);
        let colours = [Color::Reset, Color::Red, Color::White, Color::Indexed(200), Color::Rgb(1, 2, 3)];
        let flags = [Modifier::empty(), Modifier::BOLD, Modifier::DIM, Modifier::REVERSED];
        let mut before = Buffer::empty(area);
        let mut terminal = vt100::Parser::new(4, 12, 0);
        for _ in 0..300 {
            let mut now = before.clone();
            for _ in 0..random.usize(0..9) {
                let style =
                    Style::new().fg(*random.choice(&colours).expect("one")).bg(*random.choice(&colours).expect("one"));
                let style = Style { add_modifier: *random.choice(&flags).expect("one"), ..style };
                let (x, y) = (random.u16(0..12), random.u16(0..4));
                now[(x, y)].reset();
                now[(x, y)].set_char(*random.choice(&['a', '⣿', '…', ' ']).expect("one")).set_style(style);
            }
            let mut out = vec![];
            put(&mut out, before.diff_iter(&now));
            terminal.process(&out);
            for y in 0..4 {
                for x in 0..12 {
                    let (cell, want) = (terminal.screen().cell(y, x).expect("cell"), &now[(x, y)]);
                    let shown = if cell.contents().is_empty() { " " } else { cell.contents() };
                    assert_eq!(shown, want.symbol());
                    let colour = |c: Color| match c {
                        Color::Red => vt100::Color::Idx(1),
                        Color::White => vt100::Color::Idx(15),
                        Color::Indexed(n) => vt100::Color::Idx(n),
                        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
                        _ => vt100::Color::Default,
                    };
                    assert_eq!(cell.bgcolor(), colour(want.bg));
                    assert_eq!(cell.inverse(), want.modifier.contains(Modifier::REVERSED));
                    if shown == " " && !cell.inverse() {
                        continue; // nothing of the rest is seen
                    }
                    assert_eq!(cell.fgcolor(), colour(want.fg));
                    assert_eq!(cell.bold(), want.modifier.contains(Modifier::BOLD), "{out:?}");
                    assert_eq!(cell.dim(), want.modifier.contains(Modifier::DIM), "{out:?}");
                }
            }
            before = now;
        }
    }
}
