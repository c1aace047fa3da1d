//! Area charts in braille: two samples and four levels a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::Brush;
use super::theme::Role;

/// Draws `values` (oldest first, `None` where nothing is known) as a filled area that ends at the right border; `max`
/// is the top. Each cell shows two values.
pub fn area(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, values: &[Option<f64>], max: f64, role: Role) {
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
    for cell in 0..at.width {
        let left = height_of(usize::from(cell) * 2);
        let right = height_of(usize::from(cell) * 2 + 1);
        for row in 0..at.height {
            let base = usize::from(at.height - 1 - row) * 4;
            let (l, r) =
                (left.map_or(0, |h| h.saturating_sub(base).min(4)), right.map_or(0, |h| h.saturating_sub(base).min(4)));
            if l + r == 0 {
                continue;
            }
            let at = (at.x + cell, at.y + row);
            if brush.ascii {
                buf[at].set_symbol(if l + r >= 5 { "#" } else { "." }).set_style(brush.style(role));
            } else {
                buf[at].set_char(braille(l, r)).set_style(brush.style(role));
            }
        }
    }
}

/// The braille character with the lowest `left` and `right` dots (0 to 4) of its two columns.
fn braille(left: usize, right: usize) -> char {
    const LEFT: [u32; 5] = [0, 0x40, 0x44, 0x46, 0x47];
    const RIGHT: [u32; 5] = [0, 0x80, 0xa0, 0xb0, 0xb8];
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
