//! How the application looks around its tabs.
//!
//! ```text
//! 值班 zhiban  1 Health ▲2  2 Tickets ✗5  3 Workflows …          wang  postgres 5ms  ● 14:32
//! (the tab)
//! a claim  r reply  …  / search  ? all keys                                     u undo: …
//! message                                                              ⇅ 2 moves pending
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::App;
use super::input::GLOBALS;
use super::wall;
use crate::clock::{Millis, SECOND};
use crate::locale::console as say;
use crate::text;
use crate::tui::command::Command;
use crate::tui::paint::Brush;
use crate::tui::theme::{Role, Theme};
use crate::tui::{countdown, digits};

/// Below this the screen shows one number only.
const SMALLEST: (u16, u16) = (60, 15);

/// How much of the header's left part there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Everything.
    Full,
    /// Without the product's name.
    Plain,
    /// And names only for the open tab and those that want attention.
    Wanting,
    /// And the name of the open tab only.
    Tight,
}

/// A piece of the header: its tab, text and look.
type Piece = (usize, String, Role);

impl App {
    /// Draws the whole screen.
    pub fn draw(&mut self, theme: &Theme, ascii: bool, buf: &mut Buffer, area: Rect, now: Millis) {
        let brush = Brush { theme, ascii };
        self.too_small = area.width < SMALLEST.0 || area.height < SMALLEST.1;
        if self.too_small {
            return self.draw_small(&brush, buf, area, now);
        }
        if let Some(rotation) = self.wall {
            return wall::draw(self, &brush, buf, area, now, rotation);
        }
        let body = Rect::new(area.x, area.y + 1, area.width, area.height - 3);
        self.draw_header(&brush, buf, area, now);
        if let Some(seat) = self.seats.get(self.active) {
            if seat.tab.is_loaded() {
                seat.tab.draw(&brush, buf, body, now);
            } else {
                brush.text(buf, body.x + 2, body.y + 1, body.width - 4, &say::loading(), Role::Dim);
            }
        }
        if self.lost.is_some() {
            // known, but not known to be so now: everything in one quiet colour
            let dim = brush.style(Role::Dim);
            for y in body.top()..body.bottom() {
                for x in body.left()..body.right() {
                    let cell = &mut buf[(x, y)];
                    cell.modifier.remove(ratatui::style::Modifier::BOLD);
                    cell.set_style(dim);
                }
            }
        }
        self.draw_footer(&brush, buf, area, now);
        if let Some(layer) = self.layers.last() {
            layer.draw(&brush, buf, area, now);
        }
    }

    pub(super) fn time(&self, at: Millis) -> String {
        use chrono::TimeZone as _;
        self.zone.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%H:%M").to_string())
    }

    fn draw_small(&self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let all: Vec<_> = self.seats.iter().filter_map(|s| s.tab.attention(now)).collect();
        let count: usize = all.iter().map(|a| a.count).sum();
        let critical = all.iter().any(|a| a.role == Role::Critical);
        let role = match (count, critical) {
            (0, _) => Role::Ok,
            (_, true) => Role::Critical,
            (_, false) => Role::Warn,
        };
        let mut lines = vec![(say::attention(count), role)];
        let lost = self.lost.map(|since| say::wall_lost(&countdown::remaining(now - since)));
        lines.extend(lost.map(|lost| (lost, Role::Stale)));
        let by = if brush.ascii { "x" } else { "×" };
        let size = |(w, h): (u16, u16)| format!("{w}{by}{h}");
        let whole = say::too_small(&size((area.width, area.height)), &size(SMALLEST));
        let fits = text::width(&whole) <= usize::from(area.width);
        lines.push((if fits { whole } else { say::enlarge(&size(SMALLEST)) }, Role::Dim));
        let number = short(count);
        let mut y = area.y;
        // the one number, as large as there is room for; a thousand and more has no digits
        let big = number.parse::<usize>().is_ok()
            && area.width > digits::width(&number)
            && area.height > digits::HEIGHT + lines.len() as u16;
        if big {
            digits::draw(brush, buf, Rect::new(area.x + 1, y, area.width, digits::HEIGHT), &number, role);
            y += digits::HEIGHT + 1;
        } else if text::width(&lines[0].0) > usize::from(area.width) {
            lines[0].0 = number;
        }
        for ((line, role), y) in lines.iter().zip(y..area.bottom()) {
            brush.text(buf, area.x, y, area.width, line, *role);
        }
    }

    /// The right part of the header, from the right: text and look.
    fn header_right(&self, width: u16, now: Millis, ascii: bool) -> Vec<(String, Role)> {
        let mut out = vec![(self.time(now), Role::Title)];
        let alive = match (self.lost.is_some(), ascii) {
            (false, false) => ("●", Role::Ok),
            (false, true) => ("*", Role::Ok),
            (true, false) => ("○", Role::Stale),
            (true, true) => ("!", Role::Stale),
        };
        out.push((alive.0.to_owned(), alive.1));
        if let Some(age) = self.seats.get(self.active).and_then(|s| s.stale(now, self.shown(SECOND))) {
            out.push((say::stale(&countdown::remaining(age)), Role::Stale));
        }
        if self.read_only {
            out.push((say::read_only(), Role::Warn));
        }
        if let Some(since) = self.lost {
            out.push((say::wall_lost(&countdown::remaining(now - since)), Role::Stale));
        } else if width >= 100 {
            let latency = self.latency.map(|ms| format!(" {ms}ms")).unwrap_or_default();
            out.push((format!("{}{latency}", self.store_line), Role::Header));
        }
        if width >= 100 {
            out.push((text::clean(&self.actor.name).into_owned(), Role::Header));
        }
        out
    }

    fn header_left(&self, room: Room, now: Millis, ascii: bool) -> Vec<Piece> {
        let mut out = Vec::new();
        for (i, seat) in self.seats.iter().enumerate() {
            let (open, attention) = (i == self.active, seat.tab.attention(now).filter(|a| a.count > 0));
            let named = match room {
                Room::Full | Room::Plain => true,
                Room::Wanting => open || attention.is_some(),
                Room::Tight => open,
            };
            let name = if named { format!(" {} {} ", i + 1, seat.tab.name()) } else { format!(" {} ", i + 1) };
            out.push((i, name, if open { Role::TabActive } else { Role::Header }));
            if let Some(attention) = attention {
                let sign = match (attention.role, ascii) {
                    (Role::Stale, _) => "?",
                    (Role::Critical, false) => "✗",
                    (Role::Critical, true) => "X",
                    (_, false) => "▲",
                    (_, true) => "^",
                };
                let gap = if open { " " } else { "" };
                out.push((i, format!("{gap}{sign}{} ", short(attention.count)), attention.role));
            }
        }
        out
    }

    /// What fits of the header: where its tabs begin, and they.
    fn header(&self, width: u16, right: u16, now: Millis, ascii: bool) -> (u16, Vec<Piece>) {
        let pieces = |room: Room| {
            let start = if room == Room::Full { 13 } else { 6 };
            (start, self.header_left(room, now, ascii))
        };
        let fits = |(start, pieces): &(u16, Vec<Piece>)| {
            usize::from(*start) + pieces.iter().map(|(_, t, _)| text::width(t)).sum::<usize>()
                <= usize::from(right.min(width))
        };
        [Room::Full, Room::Plain, Room::Wanting]
            .into_iter()
            .map(pieces)
            .find(fits)
            .unwrap_or_else(|| pieces(Room::Tight))
    }

    fn draw_header(&mut self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let y = area.y;
        let mut right = area.right().saturating_sub(1);
        for (i, (piece, role)) in self.header_right(area.width, now, brush.ascii).into_iter().enumerate() {
            right = brush.text_right(buf, right, y, &piece, role).saturating_sub(if i == 0 { 1 } else { 2 });
        }
        let (start, pieces) = self.header(area.width, right, now, brush.ascii);
        let name = if start > 6 { "值班 zhiban" } else { "值班" };
        brush.text(buf, area.x + 1, y, start, name, Role::Title);
        self.header_tabs.clear();
        let mut x = area.x + start;
        for (i, piece, role) in pieces {
            let from = x;
            // the blanks around a count are nothing to underline
            let shown = if role == Role::TabActive { piece.as_str() } else { piece.trim() };
            let lead = if role == Role::TabActive { 0 } else { piece.len() - piece.trim_start().len() };
            let at = x + lead as u16;
            brush.text(buf, at, y, right.saturating_sub(at), shown, role);
            x += text::width(&piece) as u16;
            self.header_tabs.push((from..x, i));
        }
    }

    /// The tab whose name stands at column `x` of the header.
    pub(super) fn tab_at(&self, x: u16) -> Option<usize> {
        self.header_tabs.iter().find(|(columns, _)| columns.contains(&x)).map(|(_, i)| *i)
    }

    fn draw_footer(&mut self, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
        let (hints, line) = (area.bottom() - 2, area.bottom() - 1);
        let Some(seat) = self.seats.get_mut(self.active) else { return };
        let (moves, marked) = seat.tab.list().map_or((0, 0), |l| (l.steady().moves(), l.marked()));
        let seat = &self.seats[self.active];
        let tab = &seat.tab;
        // the two keys that lead to all others are always there; what can be undone stands with its key
        let keymap = &self.keymap;
        let hint = |c: &Command| (keymap.keys(tab.key(), c.name).first().copied().unwrap_or_default(), (c.doc)());
        let always: Vec<_> =
            GLOBALS.iter().filter(|c| ["search", "help", "palette"].contains(&c.name)).map(hint).collect();
        let wide = |(key, doc): &(&str, String)| (text::width(key) + text::width(doc) + 3) as u16;
        let mut right = area.right().saturating_sub(1);
        if area.width >= 100
            && !self.read_only
            && self.layers.is_empty()
            && let Some(last) = self.next_undo()
        {
            let what = say::undo_hint(&text::fit(&text::clean(&last), 30));
            right = brush.text_right(buf, right, hints, &what, Role::Dim).saturating_sub(2);
        }
        // under a layer the keys are those of the layer, which says them itself
        let is_bare = self.layers.is_empty();
        let (offered, always) = if is_bare { (tab.commands(), always) } else { (&[][..], vec![]) };
        let room = right.saturating_sub(always.iter().map(wide).sum::<u16>());
        let mut x = area.x + 1;
        let kit = GLOBALS.iter().filter(|c| ["explain", "mark", "faults", "sort"].contains(&c.name));
        let kit = kit.filter(|c| !tab.commands().iter().any(|own| own.name == c.name));
        // whoever set them up wants them seen: they would never fit behind the others
        for own in self.desk.iter().filter(|c| is_bare && c.tab == tab.key() && self.disabled(&c.name).is_none()) {
            let hint = (keymap.keys(tab.key(), &own.name).first().copied().unwrap_or_default(), own.name.clone());
            if !hint.0.is_empty() && x + wide(&hint) <= room {
                x = draw_hint(brush, buf, x, hints, &hint);
            }
        }
        for command in offered.iter().chain(kit.filter(|_| is_bare)) {
            if (command.mutates && self.read_only) || self.disabled(command.name).is_some() {
                continue;
            }
            let hint = hint(command);
            if hint.0.is_empty() {
                continue;
            }
            if x + wide(&hint) > room {
                break;
            }
            x = draw_hint(brush, buf, x, hints, &hint);
        }
        for hint in &always {
            if x + wide(hint) <= right + 2 {
                x = draw_hint(brush, buf, x, hints, hint);
            }
        }
        let mut right = area.right().saturating_sub(1);
        if moves > 0 {
            let moves = say::moves(moves);
            let moves = if brush.ascii { moves.replace('⇅', "<>") } else { moves };
            right = brush.text_right(buf, right, line, &moves, Role::Info).saturating_sub(2);
        }
        if marked > 0 {
            let keys = keymap.keys(tab.key(), "unmark");
            let marked = say::marked(marked, keys.first().copied().unwrap_or_default());
            right = brush.text_right(buf, right, line, &marked, Role::Mark).saturating_sub(2);
        }
        let width = right.saturating_sub(area.x + 1);
        // what a key just led to is said even while the store is away
        if let Some((text, role, _)) = &self.message {
            brush.text(buf, area.x + 1, line, width, text, *role);
        } else if let Some(since) = self.lost {
            let lost = say::store_lost(&countdown::remaining(now - since));
            brush.text(buf, area.x + 1, line, width, &lost, Role::Stale);
        }
    }
}

fn draw_hint(brush: &Brush<'_>, buf: &mut Buffer, x: u16, y: u16, (key, doc): &(&str, String)) -> u16 {
    let x = brush.text(buf, x, y, u16::MAX, key, Role::Key) + 1;
    brush.text(buf, x, y, u16::MAX, doc, Role::Dim) + 2
}

/// A count in at most four cells.
fn short(n: usize) -> String {
    match n {
        0..10_000 => n.to_string(),
        10_000..1_000_000 => format!("{}k", n / 1_000),
        _ => format!("{}M", n / 1_000_000),
    }
}
