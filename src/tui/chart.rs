//! Area charts in braille: two samples and four levels a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::Brush;
use super::theme::Role;

/// Draws `values` (oldest first, `None` where nothing is known) as a filled area that ends at the right border; `max`
/// is the top. Each cell shows two values. Where the theme has true colours the foot is fainter than the peaks.
pub fn area(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, values: &[Option<f64>], max: f64, role: Role) {
    fill(brush, buf, at, values, max, role, false);
}

/// The same hanging down from the top: the other half of a pair.
pub fn hanging(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, values: &[Option<f64>], max: f64, role: Role) {
    fill(brush, buf, at, values, max, role, true);
}

fn fill(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, values: &[Option<f64>], max: f64, role: Role, down: bool) {
    let at = at.intersection(buf.area);
    if at.is_empty() || max <= 0.0 {
        return;
    }
    let columns = usize::from(at.width) * 2;
    let skip = values.len().saturating_sub(columns);
    let shown = &values[skip..];
    let first = columns - shown.len();
    let levels = usize::from(at.height) * 4;
    let height_of = |column: usize| -> Option<usize> {
        let value = shown.get(column.checked_sub(first)?).copied().flatten()?;
        // a value above zero is always seen
        let level = (value.clamp(0.0, max) / max * levels as f64).round() as usize;
        Some(if value > 0.0 { level.max(1) } else { level })
    };
    for row in 0..at.height {
        // how far the row is from the foot of the area
        let rise = if down { row } else { at.height - 1 - row };
        let base = usize::from(rise) * 4;
        let style = brush.shade(role, 0.55 + 0.45 * f32::from(rise + 1) / f32::from(at.height));
        for cell in 0..at.width {
            let dots = |column: usize| height_of(column).map_or(0, |h| h.saturating_sub(base).min(4));
            let (l, r) = (dots(usize::from(cell) * 2), dots(usize::from(cell) * 2 + 1));
            if l + r == 0 {
                continue;
            }
            let at = (at.x + cell, at.y + row);
            if brush.ascii {
                buf[at].set_symbol(if l + r >= 5 { "#" } else { "." }).set_style(style);
            } else {
                buf[at].set_char(if down { braille_down(l, r) } else { braille(l, r) }).set_style(style);
            }
        }
    }
}

/// The height of a bar in one cell, `share` from 0 to 1: `▁` … `█`, blank for nothing.
pub fn level(share: f64, ascii: bool) -> &'static str {
    const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    const PLAIN: [&str; 9] = [" ", ".", ".", ":", ":", "=", "=", "#", "#"];
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let i = (share * 8.0).round() as usize;
    let i = if share > 0.0 { i.max(1) } else { i };
    if ascii { PLAIN[i] } else { BARS[i] }
}

/// The braille character with the lowest `left` and `right` dots (0 to 4) of its two columns.
fn braille(left: usize, right: usize) -> char {
    const LEFT: [u32; 5] = [0, 0x40, 0x44, 0x46, 0x47];
    const RIGHT: [u32; 5] = [0, 0x80, 0xa0, 0xb0, 0xb8];
    char::from_u32(0x2800 + LEFT[left.min(4)] + RIGHT[right.min(4)]).unwrap_or(' ')
}

/// The braille character with the highest `left` and `right` dots of its two columns.
fn braille_down(left: usize, right: usize) -> char {
    const LEFT: [u32; 5] = [0, 0x01, 0x03, 0x07, 0x47];
    const RIGHT: [u32; 5] = [0, 0x08, 0x18, 0x38, 0xb8];
    char::from_u32(0x2800 + LEFT[left.min(4)] + RIGHT[right.min(4)]).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::lines;
    use crate::tui::theme::{Depth, Theme};

    #[test]
    fn the_newest_value_stands_at_the_right_border() {
        let theme = Theme::load("mono", None, Depth::Mono).expect("theme");
        let mut buf = Buffer::empty(Rect::new(0, 0, 3, 1));
        let values = [Some(0.0), Some(100.0), Some(50.0)];
        area(&Brush { theme: &theme, ascii: false }, &mut buf, Rect::new(0, 0, 3, 1), &values, 100.0, Role::ChartCpu);
        assert_eq!(lines(&buf), [" ⠀⣧".replace('⠀', " ").as_str()].map(str::to_owned));
    }
}
