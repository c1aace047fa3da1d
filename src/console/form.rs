//! Forms: fields, a live preview, an error where it belongs. What was typed is never lost.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::edit;
use super::layer::{Reply, input, popup};
use super::offer::{Ask, Offering};
use super::tab::{Compare, Field, Form, Shape};
use super::when;
use crate::clock::Millis;
use crate::locale::console as say;
use crate::text;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Columns of a form.
const WIDTH: u16 = 80;
/// Lines of a long field.
const LONG: u16 = 4;

/// A form being filled in.
pub(super) struct FormLayer {
    form: Form,
    /// What the fields held when it was opened.
    first: Vec<String>,
    field: usize,
    cursor: usize,
    error: Option<String>,
    /// Whether long text can be handed to an editor.
    editor: bool,
    zone: chrono_tz::Tz,
    offering: Option<Offering>,
    /// What somebody else changed meanwhile, and whether it still waits for what is to be done about it.
    clash: Vec<String>,
    asking: bool,
}

impl FormLayer {
    /// Opens `form`, with what was typed before where there is a `draft`.
    pub(super) fn new(mut form: Form, draft: Option<&Vec<String>>, zone: chrono_tz::Tz, editor: bool) -> Self {
        let first = form.fields.iter().map(|f| f.value.clone()).collect();
        if let Some(draft) = draft.filter(|d| d.len() == form.fields.len()) {
            for (field, value) in form.fields.iter_mut().zip(draft) {
                if field.choices.is_empty() || field.choices.iter().any(|(v, _)| v == value) {
                    field.value.clone_from(value);
                }
            }
        }
        let cursor = form.fields.first().map_or(0, |f| f.value.len());
        let offering = form.offer.take().map(Offering::new);
        Self { form, first, field: 0, cursor, error: None, editor, zone, offering, clash: vec![], asking: false }
    }

    /// How to find out what changed when somebody else was first.
    pub(super) fn compare(&self) -> Option<Compare> {
        self.form.compare.clone()
    }

    /// Shows what somebody else changed meanwhile, and asks what is to be done about it.
    pub(super) fn clash(&mut self, lines: Vec<String>) {
        self.clash = lines;
        self.asking = true;
    }

    /// Looks at what was typed, for what follows from it.
    pub(super) fn heed(&mut self, now: Millis) {
        if let Some(offering) = &mut self.offering {
            offering.heed(self.form.fields.iter().map(|f| f.value.as_str()), now);
        }
    }

    /// When it has a question, `pause` after the last change.
    pub(super) fn asks_at(&self, pause: Millis) -> Option<Millis> {
        self.offering.as_ref()?.due(pause)
    }

    /// Its question, under the number that the answer has to bear.
    pub(super) fn ask(&mut self, number: u64) -> Option<Ask> {
        self.offering.as_mut()?.ask(number)
    }

    /// Takes the answer to question `number`; whether anything changed by it.
    pub(super) fn found(&mut self, number: u64, items: Vec<(String, String)>) -> bool {
        self.offering.as_mut().is_some_and(|o| o.found(number, items))
    }

    /// Number of what it is about, and what is done to it.
    pub(super) fn about(&self) -> Option<(i64, &'static str)> {
        self.form.about
    }

    /// Title and values, as they are kept for later.
    pub(super) fn kept(&self) -> (String, Vec<String>) {
        (self.form.title.clone(), self.typed())
    }

    fn typed(&self) -> Vec<String> {
        self.form.fields.iter().map(|f| f.value.clone()).collect()
    }

    /// Title and values, when something was typed that would be lost.
    pub(super) fn draft(&self) -> Option<(String, Vec<String>)> {
        let typed = self.typed();
        let worth = self
            .form
            .fields
            .iter()
            .zip(&self.first)
            .any(|(f, first)| f.choices.is_empty() && f.value != *first && !f.value.trim().is_empty());
        worth.then(|| (self.form.title.clone(), typed))
    }

    /// Whether a preview is shown that follows the clock.
    pub(super) fn is_live(&self) -> bool {
        self.form.preview.is_some()
    }

    /// The values as the form's functions want them: instants in digits.
    fn values(&self, now: Millis) -> Vec<String> {
        let value = |f: &Field| match f.shape {
            Shape::Time { ahead } => {
                when::parse(&f.value, now, self.zone, ahead).map(|at| at.to_string()).unwrap_or_default()
            }
            _ => f.value.clone(),
        };
        self.form.fields.iter().map(value).collect()
    }

    fn submit(&mut self, now: Millis) -> Reply {
        let unread = |f: &Field| match f.shape {
            Shape::Time { ahead } => {
                !f.value.trim().is_empty() && when::parse(&f.value, now, self.zone, ahead).is_none()
            }
            _ => false,
        };
        if let Some(i) = self.form.fields.iter().position(unread) {
            self.error = Some(say::no_instant(&self.form.fields[i].value));
            self.go(i);
            return Reply::Stay;
        }
        match (self.form.submit)(&self.values(now)) {
            Ok(effects) => Reply::Sent(effects, self.form.title.clone(), self.typed()),
            Err(why) => {
                self.error = Some(why);
                Reply::Stay
            }
        }
    }

    fn go(&mut self, field: usize) {
        self.field = field;
        self.cursor = self.form.fields.get(field).map_or(0, |f| f.value.len());
    }

    pub(super) fn key(&mut self, key: &KeyEvent, now: Millis) -> Reply {
        let count = self.form.fields.len().max(1);
        self.error = None;
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        if key.code == KeyCode::Char('s') && ctrl {
            self.asking = false;
            return self.submit(now);
        }
        if self.asking {
            // no single letter: whoever types on must not send or lose anything by it
            match key.code {
                KeyCode::Enter => self.asking = false,
                KeyCode::Char('x') if ctrl => return Reply::Close,
                _ => {}
            }
            return Reply::Stay;
        }
        if key.code == KeyCode::Char('o')
            && ctrl
            && let Some(offering) = &self.offering
        {
            return match offering.pick(self.values(now)) {
                Some(pick) => Reply::Open(pick),
                None => {
                    self.error = Some(say::nothing_offered());
                    Reply::Stay
                }
            };
        }
        let Some(field) = self.form.fields.get_mut(self.field) else { return self.submit(now) };
        if field.shape == Shape::Long && key.code == KeyCode::Char('e') && ctrl {
            if self.editor {
                return Reply::Edit(field.value.clone());
            }
            self.error = Some(say::editor_none());
            return Reply::Stay;
        }
        if field.choices.is_empty() {
            if edit::key(&mut field.value, &mut self.cursor, key, field.shape == Shape::Long) {
                return Reply::Stay;
            }
        } else {
            let at = field.choices.iter().position(|(v, _)| *v == field.value).unwrap_or(0);
            let n = field.choices.len();
            let next = match key.code {
                KeyCode::Left | KeyCode::Char('h') => Some((at + n - 1) % n),
                KeyCode::Right | KeyCode::Char(' ' | 'l') => Some((at + 1) % n),
                KeyCode::Char(c) => c.to_digit(10).map(|d| d as usize).filter(|d| (1..=n).contains(d)).map(|d| d - 1),
                _ => None,
            };
            if let Some(next) = next {
                field.value.clone_from(&field.choices[next].0);
                return Reply::Stay;
            }
        }
        match key.code {
            KeyCode::Enter if self.field + 1 == count || ctrl => return self.submit(now),
            KeyCode::Enter | KeyCode::Tab | KeyCode::Down => self.go((self.field + 1) % count),
            KeyCode::BackTab | KeyCode::Up => self.go((self.field + count - 1) % count),
            _ => {}
        }
        Reply::Stay
    }

    /// What the editor made of the long text being typed.
    pub(super) fn edited(&mut self, text: &str) {
        if let Some(field) = self.form.fields.get_mut(self.field).filter(|f| f.shape == Shape::Long) {
            text.clone_into(&mut field.value);
            self.cursor = field.value.len();
        }
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        if let Some(field) = self.form.fields.get_mut(self.field).filter(|f| f.choices.is_empty()) {
            edit::insert(&mut field.value, &mut self.cursor, pasted, field.shape == Shape::Long);
        }
    }

    pub(super) fn draw(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let fields = &self.form.fields;
        let mut preview: Vec<(String, Role)> = self.clash_lines(area, brush.ascii);
        if !self.asking {
            let own = self.form.preview.as_ref().map(|p| p(&self.values(now), now)).unwrap_or_default();
            preview.extend(own.into_iter().map(|line| (line, Role::Info)));
        }
        let below = self.offering.as_ref().and_then(Offering::below);
        let under = |i: usize| below.filter(|(field, _)| *field == i).map_or(0, |(_, lines)| lines);
        let tall = |(i, f): (usize, &Field)| under(i) + if f.shape == Shape::Long { LONG } else { 1 };
        let height: u16 = fields.iter().enumerate().map(tall).sum();
        let extra = preview.len() + usize::from(!preview.is_empty()) + usize::from(self.error.is_some());
        let inside = popup(brush, buf, area, &self.form.title, WIDTH, height + extra as u16 + 4);
        let width = inside.width.saturating_sub(2);
        let label = fields.iter().map(|f| text::width(&f.label)).max().unwrap_or(0).min(24) as u16;
        let x = inside.x + label + 3;
        let room = inside.right().saturating_sub(x + 1);
        // the last line is for the keys; where the screen is too low the field being typed stays in sight
        let bottom = inside.bottom().saturating_sub(1);
        let above: u16 = fields.iter().enumerate().take(self.field + 1).map(tall).sum();
        let mut skip = above.saturating_sub(bottom.saturating_sub(inside.y + u16::from(self.error.is_some())));
        let mut y = inside.y;
        for (i, f) in fields.iter().enumerate() {
            if skip > 0 {
                skip = skip.saturating_sub(tall((i, f)));
                continue;
            }
            let lines = (tall((i, f)) - under(i)).min(bottom.saturating_sub(y));
            if lines == 0 {
                break;
            }
            let on = i == self.field && !self.asking;
            brush.text(buf, inside.x + 1, y, label, &f.label, if on { Role::Key } else { Role::Dim });
            let cursor = on.then_some(self.cursor);
            match f.shape {
                _ if !f.choices.is_empty() => {
                    let mut at = x;
                    for (value, shown) in &f.choices {
                        let role = match (*value == f.value, on) {
                            (true, true) => Role::TabActive,
                            (true, false) => Role::Key,
                            _ => Role::Dim,
                        };
                        at = brush.text(buf, at, y, inside.right().saturating_sub(at), &format!(" {shown} "), role) + 1;
                    }
                }
                Shape::Line => input(brush, buf, Rect::new(x, y, room, 1), &f.value, cursor),
                Shape::Long => long(brush, buf, Rect::new(x, y, room, lines), &f.value, cursor),
                Shape::Time { ahead } => {
                    let half = room.min(24);
                    input(brush, buf, Rect::new(x, y, half, 1), &f.value, cursor);
                    let shown = when::parse(&f.value, now, self.zone, ahead).map(|at| when::shown(at, self.zone));
                    let (shown, role) = match shown {
                        Some(shown) => (format!("= {shown}"), Role::Info),
                        None if f.value.trim().is_empty() => (say::instant_example(), Role::Dim),
                        None => ("?".to_owned(), Role::Warn),
                    };
                    brush.text(buf, x + half + 1, y, room.saturating_sub(half + 1), &shown, role);
                }
            }
            y += lines;
            let room_below = under(i).min(bottom.saturating_sub(y));
            if let Some(offering) = self.offering.as_ref().filter(|_| room_below > 0) {
                let (lines, found) = offering.lines();
                let role = if found { Role::Warn } else { Role::Dim };
                for (line, y) in lines.iter().zip(y..y + room_below) {
                    brush.text(buf, x, y, room, line, role);
                }
            }
            y += room_below;
        }
        if !preview.is_empty() {
            y += 1;
        }
        for (line, role) in preview {
            if y < bottom {
                brush.text(buf, inside.x + 1, y, width, &line, role);
            }
            y += 1;
        }
        if let Some(error) = &self.error {
            brush.text(buf, inside.x + 1, y.min(bottom.saturating_sub(1)), width, error, Role::Critical);
        }
        // only what the field being typed understands: all of them would not fit
        let on = fields.get(self.field);
        let mut keys = match fields.len() {
            1 => vec![say::form_send()],
            n if self.field + 1 == n => vec![say::form_next(), say::form_send()],
            _ => vec![say::form_go_on(), say::form_send_now()],
        };
        keys.extend(self.offering.as_ref().map(|o| o.hint().to_owned()));
        if on.is_some_and(|f| !f.choices.is_empty()) {
            keys.push(say::form_choose());
        }
        if on.is_some_and(|f| f.shape == Shape::Long) {
            keys.push(say::form_new_line());
            if self.editor {
                keys.push(say::form_editor());
            }
        }
        if self.asking {
            keys = vec![say::clash_send(), say::clash_edit(), say::clash_discard()];
        }
        keys.push(say::form_cancel());
        let keys = keys.join(" · ");
        brush.text(buf, inside.x + 1, bottom, width, &keys, Role::Dim);
    }
}

impl FormLayer {
    /// What somebody else changed, as it is shown in a popup over `area`: as much as there is room for.
    fn clash_lines(&self, area: Rect, ascii: bool) -> Vec<(String, Role)> {
        let width = usize::from(WIDTH.min(area.width).saturating_sub(4));
        let lines = self.clash.iter().enumerate().flat_map(|(i, line)| {
            let role = if i == 0 { Role::Warn } else { Role::Text };
            let line = if ascii { line.replace('→', "->") } else { line.clone() };
            text::wrap(&line, width).into_iter().map(move |line| (line, role))
        });
        lines.take(usize::from(area.height / 2)).collect()
    }
}

/// Several lines being typed, wrapped; the line with the cursor is in sight.
fn long(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, value: &str, cursor: Option<usize>) {
    use unicode_segmentation::UnicodeSegmentation as _;
    let width = usize::from(at.width.max(2)) - 1;
    // lines as byte ranges, so that the cursor finds its own
    let (mut lines, mut start, mut used) = (Vec::new(), 0, 0);
    for (i, g) in value.grapheme_indices(true) {
        if g == "\n" || g == "\r\n" {
            lines.push((start, i));
            (start, used) = (i + g.len(), 0);
            continue;
        }
        let w = text::width(&text::clean(g));
        if used + w > width {
            lines.push((start, i));
            (start, used) = (i, 0);
        }
        used += w;
    }
    lines.push((start, value.len()));
    let here = cursor.map(|c| lines.iter().rposition(|(start, _)| *start <= c).unwrap_or(0));
    let top = here.map_or(0, |h| (h + 1).saturating_sub(usize::from(at.height)));
    for row in 0..at.height {
        let i = top + usize::from(row);
        let (start, end) = lines.get(i).copied().unwrap_or((value.len(), value.len()));
        let on = cursor.filter(|_| here == Some(i)).map(|c| c.saturating_sub(start));
        input(brush, buf, Rect::new(at.x, at.y + row, at.width, 1), &value[start..end], on);
    }
}
