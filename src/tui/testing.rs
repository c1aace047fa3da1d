//! Screens as text, for tests.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

/// The rows of `buf` as text, without the filler behind wide characters and without blanks at the end.
pub fn lines(buf: &Buffer) -> Vec<String> {
    (buf.area.top()..buf.area.bottom())
        .map(|y| {
            let mut line = String::new();
            let mut x = buf.area.left();
            while x < buf.area.right() {
                let symbol = buf[(x, y)].symbol();
                line.push_str(symbol);
                x += u16::try_from(symbol.width().max(1)).unwrap_or(1);
            }
            line.trim_end().to_owned()
        })
        .collect()
}
