//! Text, bars and boxes straight into the cell buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::theme::{Role, Theme};
use crate::text;

/// What drawing needs.
#[derive(Debug, Clone, Copy)]
pub struct Brush<'a> {
    /// The theme.
    pub theme: &'a Theme,
    /// Only ASCII characters (for terminals that draw box lines two cells wide).
    pub ascii: bool,
}

/// What stands for a sign of ours that terminals do not agree on, of the same width as most draw it.
fn plain(sign: char) -> char {
    match sign {
        '…' => '~',
        '·' => '.',
        '×' | '✗' => 'x',
        '–' | '—' => '-',
        '←' => '<',
        '→' => '>',
        '↑' => '^',
        '↓' => 'v',
        sign => sign,
    }
}

impl Brush<'_> {
    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// The style of a role, mixed with that of an empty gauge: 1 is the role itself. Only true colours mix.
    pub fn shade(&self, role: Role, share: f32) -> Style {
        let style = self.style(role);
        let (Some(Color::Rgb(r, g, b)), Some(Color::Rgb(x, y, z))) = (style.fg, self.style(Role::GaugeEmpty).fg) else {
            return style;
        };
        let mix = |a: u8, b: u8| (f32::from(a) * share + f32::from(b) * (1.0 - share)).round() as u8;
        style.fg(Color::Rgb(mix(r, x), mix(g, y), mix(b, z)))
    }

    /// Writes cleaned `text` at (`x`, `y`), at most `cells` wide; returns the next free column.
    pub fn text(&self, buf: &mut Buffer, x: u16, y: u16, cells: u16, text: &str, role: Role) -> u16 {
        if y >= buf.area.bottom() || x >= buf.area.right() || cells == 0 {
            return x;
        }
        let cells = cells.min(buf.area.right() - x);
        let shown = text::clean(text);
        let shown = text::fit(&shown, usize::from(cells));
        let shown = if self.ascii { shown.chars().map(plain).collect::<String>().into() } else { shown };
        buf.set_stringn(x, y, shown, usize::from(cells), self.style(role)).0
    }

    /// Writes `text` so that it ends at column `right` (exclusive).
    pub fn text_right(&self, buf: &mut Buffer, right: u16, y: u16, text: &str, role: Role) -> u16 {
        let cells = u16::try_from(text::width(text)).unwrap_or(u16::MAX).min(right);
        self.text(buf, right - cells, y, cells, text, role);
        right - cells
    }

    /// Gives a whole row the look of the selection.
    pub fn select(&self, buf: &mut Buffer, row: Rect) {
        let (row, style) = (row.intersection(buf.area), self.style(Role::Selection));
        if style.add_modifier.contains(Modifier::REVERSED) {
            // what is dim would be dim on bright, and read by nobody
            buf.set_style(row, Style::new().remove_modifier(Modifier::DIM));
        }
        buf.set_style(row, style);
    }

    /// A box with a title; returns what is inside.
    pub fn panel(&self, buf: &mut Buffer, area: Rect, title: &str) -> Rect {
        let area = area.intersection(buf.area);
        if area.width < 4 || area.height < 3 {
            return Rect::new(area.x, area.y, 0, 0);
        }
        let [tl, tr, bl, br, h, v] =
            if self.ascii { ["+", "+", "+", "+", "-", "|"] } else { ["╭", "╮", "╰", "╯", "─", "│"] };
        let style = self.style(Role::Border);
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            buf[(x, area.y)].set_symbol(h).set_style(style);
            buf[(x, bottom)].set_symbol(h).set_style(style);
        }
        for y in area.y + 1..bottom {
            buf[(area.x, y)].set_symbol(v).set_style(style);
            buf[(right, y)].set_symbol(v).set_style(style);
        }
        for (x, y, s) in [(area.x, area.y, tl), (right, area.y, tr), (area.x, bottom, bl), (right, bottom, br)] {
            buf[(x, y)].set_symbol(s).set_style(style);
        }
        if !title.is_empty() {
            let (title, room) = (format!(" {title} "), area.width.saturating_sub(4));
            // a title is not as dim as the border that it stands in
            for x in (area.x + 2..right - 1).take(crate::text::width(&title)) {
                buf[(x, area.y)].reset();
            }
            self.text(buf, area.x + 2, area.y, room, &title, Role::Title);
        }
        Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
    }

    /// A bar of `share` (0 to 1) in `cells` cells.
    pub fn gauge(&self, buf: &mut Buffer, x: u16, y: u16, cells: u16, share: f64, role: Role) {
        if y >= buf.area.bottom() {
            return;
        }
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let filled = (share * f64::from(cells)).round() as u16;
        for i in 0..cells.min(buf.area.right().saturating_sub(x)) {
            let (symbol, role) = match (i < filled, self.ascii) {
                (true, true) => ("#", role),
                (false, true) => (".", Role::GaugeEmpty),
                (true, false) => ("■", role),
                // another shape: without colours a dim square is a square
                (false, false) => ("·", Role::GaugeEmpty),
            };
            buf[(x + i, y)].set_symbol(symbol).set_style(self.style(role));
        }
    }
}

/// `1.2 GiB` and the like: three digits at most before the unit.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["B", "K", "M", "G", "T", "P"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 999.5 && unit < UNITS.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 || value >= 99.95 {
        format!("{value:.0}{}", UNITS[unit])
    } else {
        format!("{value:.1}{}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_gauge_looks_empty_without_colours() {
        use crate::tui::theme::Depth;
        let theme = Theme::load("mono", None, Depth::Mono).expect("theme");
        let mut buf = Buffer::empty(Rect::new(0, 0, 4, 1));
        for (share, shown) in [(0.0, "····"), (0.5, "■■··"), (1.0, "■■■■"), (f64::NAN, "····")] {
            Brush { theme: &theme, ascii: false }.gauge(&mut buf, 0, 0, 4, share, Role::Ok);
            assert_eq!(crate::tui::testing::lines(&buf)[0], shown, "{share}");
        }
    }

    #[test]
    fn sizes_have_at_most_three_digits() {
        for (n, text) in [(0, "0B"), (999, "999B"), (1_024, "1.0K"), (1_048_576, "1.0M"), (16_000_000_000, "14.9G")] {
            assert_eq!(bytes(n), text);
        }
    }
}
