//! A text to read, with keys for what can be done about it.

use std::cell::Cell;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layer::{Reply, popup};
use super::tab::Reading;
use crate::locale::console as say;
use crate::tui::markdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Widest text: longer lines are hard to follow.
const WIDEST: u16 = 96;

/// The reader.
pub(super) struct Reader {
    reading: Reading,
    top: Cell<usize>,
    /// Lines in sight in the last frame.
    height: Cell<usize>,
}

impl Reader {
    pub(super) fn new(reading: Reading) -> Self {
        Self { reading, top: Cell::new(0), height: Cell::new(15) }
    }

    pub(super) fn key(&mut self, key: &KeyEvent) -> Reply {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let page = self.height.get().saturating_sub(1).max(1);
        let top = self.top.get();
        // the picture knows how far it goes
        let to = match key.code {
            KeyCode::Char('d') if ctrl => top + page,
            KeyCode::Char('u') if ctrl => top.saturating_sub(page),
            KeyCode::Down | KeyCode::Char('j') => top + 1,
            KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => top + page,
            KeyCode::PageUp => top.saturating_sub(page),
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => usize::MAX,
            KeyCode::Enter | KeyCode::Left | KeyCode::Char('q') => return Reply::Close,
            KeyCode::Char(c) if !ctrl => {
                let found = self.reading.keys.iter_mut().find(|(key, ..)| *key == c);
                return found.map_or(Reply::Stay, |(_, _, effects)| Reply::Done(std::mem::take(effects)));
            }
            _ => return Reply::Stay,
        };
        self.top.set(to);
        Reply::Stay
    }

    pub(super) fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
        let width = WIDEST.min(area.width.saturating_sub(2));
        let lines = markdown::lines(&self.reading.text, usize::from(width.saturating_sub(4)), brush.ascii);
        let tall = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(4);
        let inside = popup(brush, buf, area, &self.reading.title, width, tall.min(area.height.saturating_sub(2)));
        // the last line is for the keys
        let body = usize::from(inside.height.saturating_sub(2));
        let top = self.top.get().min(lines.len().saturating_sub(body));
        self.top.set(top);
        self.height.set(body);
        for ((line, role), y) in lines.iter().skip(top).take(body).zip(inside.top()..inside.bottom()) {
            brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), line, *role);
        }
        let y = inside.bottom().saturating_sub(1);
        let mut x = inside.x + 1;
        for (key, doc, _) in &self.reading.keys {
            x = brush.text(buf, x, y, inside.right().saturating_sub(x), &key.to_string(), Role::Key) + 1;
            x = brush.text(buf, x, y, inside.right().saturating_sub(x), doc, Role::Dim) + 2;
        }
        brush.text(buf, x, y, inside.right().saturating_sub(x), &say::reader_keys(), Role::Dim);
        let below = lines.len().saturating_sub(top + body);
        if below > 0 {
            let more = format!(" {} ", say::more_below(below));
            brush.text_right(buf, inside.right().saturating_sub(1), inside.bottom(), &more, Role::Dim);
        }
    }
}
