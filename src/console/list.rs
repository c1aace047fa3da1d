//! A list that typing narrows: palette, help, picker.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::edit;
use super::layer::{Reply, input, popup};
use super::tab::{Effect, Pick};
use crate::locale::console as say;
use crate::text;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// One line of a list.
pub(super) struct Item {
    /// Its keys, shown first.
    pub(super) keys: String,
    /// What it says.
    pub(super) text: String,
    /// Its name in the configuration: found too, and shown after the text.
    pub(super) name: &'static str,
    /// What it belongs to; a heading stands where it changes.
    pub(super) group: String,
    /// Why it cannot act now.
    pub(super) disabled: bool,
}

/// What is chosen.
enum Choose {
    /// The command of the item's name.
    Command,
    /// One of these values.
    Value(Vec<String>, Box<dyn Fn(&str) -> Vec<Effect> + Send>),
}

/// The list.
pub(super) struct List {
    title: String,
    value: String,
    cursor: usize,
    at: usize,
    items: Vec<Item>,
    choose: Choose,
    headings: bool,
}

impl List {
    /// Commands; with `headings` in their groups, for reading, else for finding.
    pub(super) fn commands(title: String, items: Vec<Item>, headings: bool) -> Self {
        Self { title, value: String::new(), cursor: 0, at: 0, items, choose: Choose::Command, headings }
    }

    /// Values to pick from.
    pub(super) fn pick(pick: Pick) -> Self {
        let (values, shown): (Vec<_>, Vec<_>) = pick.items.into_iter().unzip();
        let plain = |text| Item { keys: String::new(), text, name: "", group: String::new(), disabled: false };
        Self {
            title: pick.title,
            value: String::new(),
            cursor: 0,
            at: 0,
            items: shown.into_iter().map(plain).collect(),
            choose: Choose::Value(values, pick.then),
            headings: false,
        }
    }

    pub(super) fn key(&mut self, key: &KeyEvent) -> Reply {
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let page = 10;
        match key.code {
            KeyCode::Enter => {
                let Some(i) = self.ranked().get(self.at).copied() else { return Reply::Stay };
                return match &self.choose {
                    Choose::Command => Reply::Command(self.items[i].name),
                    Choose::Value(values, then) => Reply::Done(then(&values[i])),
                };
            }
            KeyCode::Down | KeyCode::Tab => self.at += 1,
            KeyCode::Char('n' | 'j') if ctrl => self.at += 1,
            KeyCode::Up | KeyCode::BackTab => self.at = self.at.saturating_sub(1),
            KeyCode::Char('p') if ctrl => self.at = self.at.saturating_sub(1),
            KeyCode::PageDown => self.at += page,
            KeyCode::Char('d') if ctrl => self.at += page,
            KeyCode::PageUp => self.at = self.at.saturating_sub(page),
            // what opened the help closes it
            KeyCode::Char('?') if self.headings && self.value.is_empty() => return Reply::Close,
            KeyCode::Backspace if self.value.is_empty() => return Reply::Close,
            _ => {
                if edit::key(&mut self.value, &mut self.cursor, key, false) {
                    self.at = 0;
                }
            }
        }
        self.at = self.at.min(self.ranked().len().saturating_sub(1));
        Reply::Stay
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        edit::insert(&mut self.value, &mut self.cursor, pasted, false);
        self.at = 0;
    }

    pub(super) fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
        let ranked = self.ranked();
        let grouped = self.headings && self.value.trim().is_empty();
        // what stands on each line: a heading or an item
        let mut lines: Vec<Result<usize, &str>> = Vec::new();
        let mut group = None;
        for i in &ranked {
            if grouped && group != Some(self.items[*i].group.as_str()) {
                group = Some(self.items[*i].group.as_str());
                lines.push(Err(&self.items[*i].group));
            }
            lines.push(Ok(*i));
        }
        let most = area.height.saturating_sub(4).max(6);
        let height = (self.items.len() as u16 + if self.headings { 5 } else { 3 }).min(most);
        let inside = popup(brush, buf, area, &self.title, 76, height.max(5));
        if inside.height < 2 {
            return;
        }
        let width = inside.width.saturating_sub(2);
        let x = brush.text(buf, inside.x + 1, inside.y, width, "> ", Role::Key);
        input(
            brush,
            buf,
            Rect::new(x, inside.y, inside.right().saturating_sub(x + 1), 1),
            &self.value,
            Some(self.cursor),
        );
        let body = Rect::new(inside.x, inside.y + 1, inside.width, inside.height - 1);
        let chosen = ranked.get(self.at).copied();
        let line = lines.iter().position(|l| l.ok() == chosen && chosen.is_some()).unwrap_or(0);
        let top = (line + 1).saturating_sub(usize::from(body.height)).max(if line < usize::from(body.height) {
            0
        } else {
            line + 1 - usize::from(body.height)
        });
        let keys = self.items.iter().map(|i| text::width(&i.keys)).max().unwrap_or(0).clamp(0, 22) as u16;
        let names = self.items.iter().map(|i| text::width(i.name)).max().unwrap_or(0).min(18) as u16;
        for (line, y) in lines.iter().skip(top).zip(body.top()..body.bottom()) {
            match line {
                Err(heading) => _ = brush.text(buf, body.x + 1, y, width, heading, Role::Title),
                Ok(i) => {
                    let item = &self.items[*i];
                    brush.text(buf, body.x + 2, y, keys, &item.keys, if item.disabled { Role::Dim } else { Role::Key });
                    let x = body.x + 2 + keys + if keys > 0 { 2 } else { 0 };
                    let room = body.right().saturating_sub(x + names + 3);
                    let role = if item.disabled { Role::Dim } else { Role::Text };
                    brush.text(buf, x, y, room, &item.text, role);
                    brush.text(buf, body.right().saturating_sub(names + 2), y, names, item.name, Role::Dim);
                    if Some(*i) == chosen {
                        brush.select(buf, Rect::new(body.x, y, body.width, 1));
                    }
                }
            }
        }
        if lines.is_empty() {
            brush.text(buf, body.x + 2, body.y, width, &say::nothing_found(), Role::Dim);
        }
        let below = lines.len().saturating_sub(top + usize::from(body.height));
        if below > 0 {
            let more = format!(" {} ", say::more_below(below));
            brush.text_right(buf, body.right().saturating_sub(1), body.bottom(), &more, Role::Dim);
        }
    }

    /// The items that the text typed matches: in their order when there is none, else best first.
    fn ranked(&self) -> Vec<usize> {
        use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
        if self.value.trim().is_empty() {
            return (0..self.items.len()).collect();
        }
        let mut matcher = nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT);
        let pattern = Pattern::parse(&self.value, CaseMatching::Ignore, Normalization::Smart);
        let mut scratch = Vec::new();
        let mut found: Vec<(u32, usize)> = Vec::new();
        for (i, item) in self.items.iter().enumerate() {
            // a key is found by typing it
            let exact = item.keys.split("  ").any(|k| k == self.value);
            let hay = format!("{} {}", item.name, item.text);
            let score = pattern.score(nucleo_matcher::Utf32Str::new(&hay, &mut scratch), &mut matcher);
            if exact || score.is_some() {
                found.push((if exact { u32::MAX } else { score.unwrap_or(0) }, i));
            }
        }
        found.sort_by_key(|(score, i)| (std::cmp::Reverse(*score), *i));
        found.into_iter().map(|(_, i)| i).collect()
    }
}
