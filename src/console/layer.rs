//! What lies over the tab: text, search line, question, lists, forms. The top layer gets the key first.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::edit;
use super::form::FormLayer;
use super::list::List;
use super::reader::Reader;
use super::tab::{Confirm, Effect, Pick};
use crate::clock::Millis;
use crate::locale::console as say;
use crate::text;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// A layer.
pub(super) enum Layer {
    Text {
        title: String,
        lines: Vec<String>,
        /// The first line shown; the drawing keeps it within the text.
        top: std::cell::Cell<usize>,
    },
    /// The `/` line.
    Search {
        value: String,
        at: usize,
    },
    Confirm(Confirm),
    /// Palette, help, picker.
    List(List),
    Form(Box<FormLayer>),
    /// A longer text.
    Reader(Reader),
}

/// What a key did to a layer.
pub(super) enum Reply {
    /// It stays.
    Stay,
    /// It goes.
    Close,
    /// It goes and these follow.
    Done(Vec<Effect>),
    /// It goes, these follow, and what was typed is kept until they have succeeded.
    Sent(Vec<Effect>, String, Vec<String>),
    /// It goes; what was typed is kept.
    Draft(String, Vec<String>),
    /// It stays; this text is handed to the editor.
    Edit(String),
    /// It stays; one of these is chosen over it.
    Open(Pick),
    /// It goes; the tab searches for this.
    Search(String),
    /// It goes and this command runs.
    Command(&'static str),
}

impl Layer {
    /// Takes a key.
    pub(super) fn key(&mut self, key: &KeyEvent, now: Millis) -> Reply {
        let ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
        if key.code == KeyCode::Esc || ctrl_c {
            return match self {
                Self::Form(form) => form.draft().map_or(Reply::Close, |(title, values)| Reply::Draft(title, values)),
                _ => Reply::Close,
            };
        }
        match self {
            Self::Text { top, .. } => {
                // the lines may be wrapped: how many there are shows when they are drawn
                let (top, last) = (top.get_mut(), usize::MAX / 2);
                match key.code {
                    KeyCode::Down | KeyCode::Char('j') => *top = (*top + 1).min(last),
                    KeyCode::Up | KeyCode::Char('k') => *top = top.saturating_sub(1),
                    KeyCode::PageDown | KeyCode::Char(' ') => *top = (*top + 15).min(last),
                    KeyCode::Char('d') if key.modifiers.contains(KeyModifiers::CONTROL) => *top = (*top + 15).min(last),
                    KeyCode::PageUp | KeyCode::Char('u') => *top = top.saturating_sub(15),
                    KeyCode::Home | KeyCode::Char('g') => *top = 0,
                    KeyCode::End | KeyCode::Char('G') => *top = last,
                    _ => return Reply::Close,
                }
                Reply::Stay
            }
            Self::Search { value, at } => {
                match key.code {
                    KeyCode::Enter => return Reply::Search(std::mem::take(value)),
                    KeyCode::Backspace if value.is_empty() => return Reply::Close,
                    _ => _ = edit::key(value, at, key, false),
                }
                Reply::Stay
            }
            Self::Confirm(confirm) => match key.code {
                KeyCode::Char('y' | 'Y') => Reply::Done(std::mem::take(&mut confirm.yes)),
                _ => Reply::Close,
            },
            Self::List(list) => list.key(key),
            Self::Form(form) => form.key(key, now),
            Self::Reader(reader) => reader.key(key),
        }
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, pasted: &str) {
        match self {
            Self::Search { value, at } => edit::insert(value, at, pasted, false),
            Self::List(list) => list.paste(pasted),
            Self::Form(form) => form.paste(pasted),
            Self::Text { .. } | Self::Confirm(_) | Self::Reader(_) => {}
        }
    }

    /// The next instant at which its picture changes by time alone: a live preview counts on.
    pub(super) fn wake(&self, now: Millis) -> Option<Millis> {
        matches!(self, Self::Form(form) if form.is_live()).then(|| now / 10_000 * 10_000 + 10_000)
    }

    /// Draws it over `area`.
    pub(super) fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        match self {
            Self::Text { title, lines, top } => {
                let widest = lines.iter().map(|l| text::width(l)).max().unwrap_or(0).max(text::width(title) + 4);
                let width = ((widest + 4).clamp(40, 100) as u16).min(area.width);
                let lines: Vec<String> =
                    lines.iter().flat_map(|l| text::wrap(l, usize::from(width.saturating_sub(4)))).collect();
                let room = area.height.saturating_sub(2);
                let inside = popup(brush, buf, area, title, width, (lines.len() as u16 + 2).min(room));
                top.set(top.get().min(lines.len().saturating_sub(usize::from(inside.height))));
                let top = top.get();
                for (line, y) in lines.iter().skip(top).zip(inside.top()..inside.bottom()) {
                    brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), line, Role::Text);
                }
                let below = lines.len().saturating_sub(top + usize::from(inside.height));
                if below > 0 {
                    let more = format!(" {} ", say::more_below(below));
                    brush.text_right(buf, inside.right().saturating_sub(1), inside.bottom(), &more, Role::Dim);
                }
            }
            Self::Search { value, at } => {
                let y = area.bottom().saturating_sub(1);
                let x = brush.text(buf, area.x, y, area.width, "/", Role::Key);
                input(brush, buf, Rect::new(x, y, area.right().saturating_sub(x), 1), value, Some(*at));
            }
            Self::Confirm(confirm) => {
                let wide = usize::from(area.width.min(66)).saturating_sub(6);
                let lines: Vec<String> = confirm.lines.iter().flat_map(|l| text::wrap(l, wide)).collect();
                let inside = popup(brush, buf, area, "", 66, lines.len() as u16 + 6);
                let width = inside.width.saturating_sub(2);
                brush.text(buf, inside.x + 1, inside.y, width, &confirm.title, Role::Critical);
                for (line, y) in lines.iter().zip(inside.y + 1..inside.bottom()) {
                    brush.text(buf, inside.x + 1, y, width, line, Role::Text);
                }
                let y = inside.bottom().saturating_sub(1);
                let x = brush.text(buf, inside.x + 1, y, width, &format!(" n {} ", say::no()), Role::TabActive) + 2;
                brush.text(buf, x, y, inside.right().saturating_sub(x), &format!(" y {} ", say::yes()), Role::Text);
            }
            Self::List(list) => list.draw(brush, buf, area),
            Self::Form(form) => form.draw(brush, buf, area, now),
            Self::Reader(reader) => reader.draw(brush, buf, area),
        }
    }
}

/// One line of text being typed, its cursor kept in sight; without a cursor, from its beginning.
pub(super) fn input(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, value: &str, cursor: Option<usize>) {
    let at = at.intersection(buf.area);
    if at.is_empty() {
        return;
    }
    buf.set_style(at, brush.style(Role::Input));
    for x in at.left()..at.right() {
        buf[(x, at.y)].set_symbol(" ");
    }
    let Some(cursor) = cursor else {
        brush.text(buf, at.x, at.y, at.width, value, Role::Input);
        return;
    };
    let mut cursor = cursor.min(value.len());
    while !value.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let mut head = text::clean(&value[..cursor]).into_owned();
    let room = usize::from(at.width.saturating_sub(2));
    while text::width(&head) > room {
        head.remove(0);
    }
    let x = brush.text(buf, at.x, at.y, at.width, &head, Role::Input);
    brush.text(buf, x, at.y, at.right().saturating_sub(x), &value[cursor..], Role::Input);
    if x < at.right() {
        // a reversed cell is the cursor: the terminal's own would cost a flush in the middle of the frame
        let style = brush.style(Role::Input);
        let reversed = ratatui::style::Modifier::REVERSED;
        let is_plain = !style.add_modifier.contains(reversed);
        buf[(x, at.y)].set_style(if is_plain { style.add_modifier(reversed) } else { style.remove_modifier(reversed) });
    }
}

/// Clears a centred box and draws its frame; returns what is inside.
pub(super) fn popup(brush: &Brush<'_>, buf: &mut Buffer, area: Rect, title: &str, width: u16, height: u16) -> Rect {
    let (w, h) = (width.min(area.width), height.clamp(3, area.height.max(3)));
    let at =
        Rect::new(area.x + (area.width - w) / 2, area.y + area.height.saturating_sub(h) / 3, w, h).intersection(area);
    clear(buf, at);
    brush.panel(buf, at, title)
}

/// Blanks `at`, and the other half of a wide character that it cuts.
fn clear(buf: &mut Buffer, at: Rect) {
    for y in at.top()..at.bottom() {
        for x in at.left()..at.right() {
            buf[(x, y)].reset();
        }
        if at.left() > buf.area.left() && text::width(buf[(at.left() - 1, y)].symbol()) > 1 {
            buf[(at.left() - 1, y)].set_symbol(" ");
        }
    }
}
