//! What lies over the tab: help, palette, form, text. The top layer gets the key first.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::tab::{Effect, Form};
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
        top: usize,
    },
    Form {
        form: Form,
        field: usize,
        error: Option<String>,
    },
    /// A line of text: `/` search or `:` palette.
    Line {
        prompt: &'static str,
        value: String,
    },
    /// Commands to choose from: key, name, what it does.
    Palette {
        value: String,
        all: Vec<(String, &'static str, String)>,
        at: usize,
    },
}

/// What a key did to a layer.
pub(super) enum Reply {
    /// It stays.
    Stay,
    /// It goes.
    Close,
    /// It goes and these follow.
    Done(Vec<Effect>),
    /// It goes; the tab searches for this.
    Search(String),
    /// It goes and this command runs.
    Command(&'static str),
}

impl Layer {
    /// Takes a key.
    pub(super) fn key(&mut self, key: &KeyEvent) -> Reply {
        let typed = match key.code {
            KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => Some(c),
            _ => None,
        };
        if key.code == KeyCode::Esc || (key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL))
        {
            return Reply::Close;
        }
        match self {
            Self::Text { lines, top, .. } => {
                match key.code {
                    KeyCode::Down | KeyCode::Char('j') => *top = (*top + 1).min(lines.len().saturating_sub(1)),
                    KeyCode::Up | KeyCode::Char('k') => *top = top.saturating_sub(1),
                    KeyCode::PageDown | KeyCode::Char(' ') => *top = (*top + 15).min(lines.len().saturating_sub(1)),
                    KeyCode::PageUp => *top = top.saturating_sub(15),
                    _ => return Reply::Close,
                }
                Reply::Stay
            }
            Self::Line { value, .. } => {
                match key.code {
                    KeyCode::Enter => return Reply::Search(std::mem::take(value)),
                    KeyCode::Backspace => _ = value.pop(),
                    _ => value.extend(typed),
                }
                Reply::Stay
            }
            Self::Palette { value, all, at } => {
                match key.code {
                    KeyCode::Enter => {
                        return ranked(value, all).get(*at).map_or(Reply::Close, |i| Reply::Command(all[*i].1));
                    }
                    KeyCode::Down => *at += 1,
                    KeyCode::Up => *at = at.saturating_sub(1),
                    KeyCode::Backspace => {
                        value.pop();
                        *at = 0;
                    }
                    _ => {
                        value.extend(typed);
                        *at = 0;
                    }
                }
                *at = (*at).min(ranked(value, all).len().saturating_sub(1));
                Reply::Stay
            }
            Self::Form { form, field, error } => form_key(form, field, error, key, typed),
        }
    }

    /// Takes pasted text.
    pub(super) fn paste(&mut self, pasted: &str) {
        match self {
            Self::Line { value, .. } | Self::Palette { value, .. } => {
                value.push_str(&pasted.replace(['\n', '\r'], " "));
            }
            Self::Form { form, field, .. } if form.fields[*field].choices.is_empty() => {
                form.fields[*field].value.push_str(&pasted.replace("\r\n", "\n").replace('\r', "\n"));
            }
            _ => {}
        }
    }

    /// Draws it over `area`.
    pub(super) fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        match self {
            Self::Text { title, lines, top } => {
                let inside = popup(brush, buf, area, title, 84, lines.len() as u16 + 2);
                for (line, y) in lines.iter().skip(*top).zip(inside.top()..inside.bottom()) {
                    brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), line, Role::Text);
                }
            }
            Self::Line { prompt, value } => {
                let y = area.bottom().saturating_sub(1);
                buf.set_style(Rect::new(area.x, y, area.width, 1), brush.style(Role::Input));
                let x = brush.text(buf, area.x, y, area.width, &format!("{prompt}{value}_"), Role::Input);
                for x in x..area.right() {
                    buf[(x, y)].set_symbol(" ").set_style(brush.style(Role::Input));
                }
            }
            Self::Palette { value, all, at } => {
                let inside = popup(brush, buf, area, &say::palette(), 72, 20);
                brush.text(
                    buf,
                    inside.x + 1,
                    inside.y,
                    inside.width.saturating_sub(2),
                    &format!("{value}_"),
                    Role::Input,
                );
                for ((row, i), y) in ranked(value, all).into_iter().enumerate().zip(inside.y + 1..inside.bottom()) {
                    let (keys, _, doc) = &all[i];
                    brush.text(buf, inside.x + 1, y, 12, keys, Role::Key);
                    brush.text(buf, inside.x + 14, y, inside.width.saturating_sub(15), doc, Role::Text);
                    if row == *at {
                        brush.select(buf, Rect::new(inside.x, y, inside.width, 1));
                    }
                }
            }
            Self::Form { form, field, error } => draw_form(form, *field, error.as_deref(), brush, buf, area, now),
        }
    }
}

fn form_key(
    form: &mut Form,
    field: &mut usize,
    error: &mut Option<String>,
    key: &KeyEvent,
    typed: Option<char>,
) -> Reply {
    let last = form.fields.len().saturating_sub(1);
    *error = None;
    match key.code {
        KeyCode::Enter if *field == last || key.modifiers.contains(KeyModifiers::CONTROL) => {
            let values: Vec<String> = form.fields.iter().map(|f| f.value.clone()).collect();
            match (form.submit)(&values) {
                Ok(effects) => return Reply::Done(effects),
                Err(why) => *error = Some(why),
            }
        }
        KeyCode::Enter | KeyCode::Tab | KeyCode::Down => *field = if *field == last { 0 } else { *field + 1 },
        KeyCode::BackTab | KeyCode::Up => *field = if *field == 0 { last } else { *field - 1 },
        code => {
            let f = &mut form.fields[*field];
            if f.choices.is_empty() {
                match code {
                    KeyCode::Backspace => _ = f.value.pop(),
                    _ => f.value.extend(typed),
                }
            } else {
                let at = f.choices.iter().position(|(v, _)| *v == f.value).unwrap_or(0);
                let next = match code {
                    KeyCode::Left => at.checked_sub(1).unwrap_or(f.choices.len() - 1),
                    KeyCode::Right | KeyCode::Char(' ') => (at + 1) % f.choices.len(),
                    KeyCode::Char(c) => match c.to_digit(10) {
                        Some(d) if d >= 1 && (d as usize) <= f.choices.len() => d as usize - 1,
                        _ => at,
                    },
                    _ => at,
                };
                f.value.clone_from(&f.choices[next].0);
            }
        }
    }
    Reply::Stay
}

fn draw_form(
    form: &Form,
    field: usize,
    error: Option<&str>,
    brush: &Brush<'_>,
    buf: &mut Buffer,
    area: Rect,
    now: Millis,
) {
    let values: Vec<String> = form.fields.iter().map(|f| f.value.clone()).collect();
    let preview = form.preview.as_ref().map(|p| p(&values, now)).unwrap_or_default();
    let height = form.fields.len() + preview.len() + usize::from(error.is_some()) + 4;
    let inside = popup(brush, buf, area, &form.title, 76, height as u16);
    let label = form.fields.iter().map(|f| text::width(&f.label)).max().unwrap_or(0).min(24) as u16;
    let width = inside.width.saturating_sub(label + 4);
    let mut y = inside.y;
    for (i, f) in form.fields.iter().enumerate() {
        let on = i == field;
        brush.text(buf, inside.x + 1, y, label, &f.label, if on { Role::Key } else { Role::Dim });
        let x = inside.x + label + 3;
        if f.choices.is_empty() {
            // the end of the text is where one types
            let mut shown = f.value.replace('\n', " ⏎ ");
            while text::width(&text::clean(&shown)) + 1 > usize::from(width) && !shown.is_empty() {
                shown.remove(0);
            }
            let shown = if on { format!("{shown}_") } else { shown };
            buf.set_style(Rect::new(x, y, width, 1).intersection(buf.area), brush.style(Role::Input));
            brush.text(buf, x, y, width, &shown, Role::Input);
        } else {
            let mut at = x;
            for (value, shown) in &f.choices {
                let role = if *value == f.value { Role::TabActive } else { Role::Text };
                at = brush.text(buf, at, y, inside.right().saturating_sub(at), &format!(" {shown} "), role) + 1;
            }
        }
        y += 1;
    }
    y += 1;
    for line in preview {
        brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), &line, Role::Info);
        y += 1;
    }
    if let Some(error) = error {
        brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), error, Role::Critical);
        y += 1;
    }
    brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), &say::form_keys(), Role::Dim);
}

/// Clears a centred box and draws its frame; returns what is inside.
fn popup(brush: &Brush<'_>, buf: &mut Buffer, area: Rect, title: &str, width: u16, height: u16) -> Rect {
    let (w, h) = (width.min(area.width), height.clamp(3, area.height.max(3)));
    let at =
        Rect::new(area.x + (area.width - w) / 2, area.y + area.height.saturating_sub(h) / 3, w, h).intersection(area);
    for y in at.top()..at.bottom() {
        for x in at.left()..at.right() {
            buf[(x, y)].reset();
        }
    }
    brush.panel(buf, at, title)
}

/// The entries that `value` matches, best first.
fn ranked(value: &str, all: &[(String, &'static str, String)]) -> Vec<usize> {
    use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
    let mut matcher = nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT);
    let pattern = Pattern::parse(value, CaseMatching::Ignore, Normalization::Smart);
    let mut scratch = Vec::new();
    let mut found: Vec<(u32, usize)> = all
        .iter()
        .enumerate()
        .filter_map(|(i, (_, name, doc))| {
            let hay = format!("{name} {doc}");
            pattern.score(nucleo_matcher::Utf32Str::new(&hay, &mut scratch), &mut matcher).map(|s| (s, i))
        })
        .collect();
    found.sort_by_key(|(score, i)| (std::cmp::Reverse(*score), *i));
    found.into_iter().map(|(_, i)| i).collect()
}
