//! Digits five rows high, to be read from across the room.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::Brush;
use super::theme::Role;

/// Rows of a digit.
pub const HEIGHT: u16 = 5;

/// Five rows of three dots, the highest bit left.
fn dots(c: char) -> [u8; 5] {
    match c {
        '0' => [7, 5, 5, 5, 7],
        '1' => [2, 6, 2, 2, 7],
        '2' => [7, 1, 7, 4, 7],
        '3' => [7, 1, 7, 1, 7],
        '4' => [5, 5, 7, 1, 1],
        '5' => [7, 4, 7, 1, 7],
        '6' => [7, 4, 7, 5, 7],
        '7' => [7, 1, 1, 1, 1],
        '8' => [7, 5, 7, 5, 7],
        '9' => [7, 5, 7, 1, 7],
        ':' => [0, 4, 0, 4, 0],
        '-' => [0, 0, 7, 0, 0],
        'h' => [4, 4, 7, 5, 5],
        'm' => [0, 0, 7, 7, 5],
        'd' => [1, 1, 7, 5, 7],
        _ => [0; 5],
    }
}

fn step(c: char) -> u16 {
    if c == ':' { 4 } else { 8 }
}

/// Columns that `text` takes.
pub fn width(text: &str) -> u16 {
    text.chars().map(step).sum()
}

/// Draws `text` (digits, `:`, `-`, `h`, `m`, `d`); returns the column after it.
pub fn draw(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, text: &str, role: Role) -> u16 {
    let at = at.intersection(buf.area);
    let block = if brush.ascii { "#" } else { "█" };
    let mut x = at.x;
    for c in text.chars() {
        for (y, bits) in (at.y..at.bottom()).zip(dots(c)) {
            for column in (0..3u16).filter(|c| bits & (4 >> c) != 0) {
                for px in [x + column * 2, x + column * 2 + 1] {
                    if px < at.right() {
                        buf[(px, y)].set_symbol(block).set_style(brush.style(role));
                    }
                }
            }
        }
        x += step(c);
    }
    x
}
