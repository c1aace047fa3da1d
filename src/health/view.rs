//! The picture of the Health tab.
//!
//! ```text
//!  fleet  ✗ ▲ ▲ ? ▃ ▂ ▂ ▅ ▁ ▂ ▃         ✗ 1 critical  ▲ 2 …
//! ╭ list ────────────────╮ name · up · load · sampled
//! │✗ oa-db-1 db ■■■■ 97% │ its problems, silence, tickets
//! │▲ …                   │ ╭ CPU ──────╮╭ memory ──────╮
//! │                      │ ╭ disk I/O ─╮╭ network ─────╮
//! │                      │ ╭ cores ────╮╭ processes ───╮
//! ╰──────────────────────╯ ╰───────────╯╰──────────────╯
//! ```

mod charts;
mod detail;
mod list;
mod strip;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::alert::{AGE_STEP, Metric};
use super::model::Severity;
use super::tab::{HealthTab, HostRow};
use crate::clock::Millis;
use crate::locale::health as say;
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

pub(super) fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Ok => Role::Dim,
        Severity::Warn => Role::Warn,
        Severity::Stale => Role::Stale,
        Severity::Critical => Role::Critical,
    }
}

/// The sign of a host and its role.
fn sign(row: &HostRow, now: Millis, ascii: bool) -> (&'static str, Role) {
    let severity = row.severity();
    if severity > Severity::Ok && row.is_silenced(now) {
        return (if ascii { "=" } else { "‖" }, Role::Paused);
    }
    let (uni, plain) = match severity {
        Severity::Ok => ("·", "."),
        Severity::Warn => ("▲", "^"),
        Severity::Stale => ("?", "?"),
        Severity::Critical => ("✗", "X"),
    };
    (if ascii { plain } else { uni }, severity_role(severity))
}

/// The role of a figure: that of its worst open problem, else `normal`.
fn figure_role(row: &HostRow, metric: Metric, part: Option<&str>, normal: Role) -> Role {
    let mut found = row.problems.iter().filter(|p| p.is_open() && p.metric == metric);
    found.find(|p| part.is_none_or(|part| p.part == part)).map_or(normal, |p| severity_role(p.severity))
}

/// How old a sample is: a dot while it is new, then in steps of ten seconds.
fn age(at: Millis, now: Millis) -> String {
    let age = now - at;
    if age < 3 * AGE_STEP { "·".to_owned() } else { countdown::age(age / AGE_STEP * AGE_STEP) }
}

pub(super) fn draw(tab: &HealthTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let rows = tab.shown();
    if tab.rows.is_empty() {
        brush.text(buf, area.x + 2, area.y + 1, area.width.saturating_sub(4), &say::waiting(), Role::Dim);
        return;
    }
    let alone = tab.rows.len() == 1 && rows.len() == 1 && area.width >= 60;
    if let Some(row) = tab.current().filter(|_| alone || tab.whole) {
        return detail::draw(tab, row, brush, buf, area, now);
    }
    let top = strip::height(tab, area, now);
    strip::draw(tab, brush, buf, area, now);
    let rest = Rect { y: area.y + top, height: area.height - top, ..area };
    let (left, right) = split(tab, rows.len(), rest, now);
    list::draw(tab, &rows, brush, buf, left, now);
    if let (Some(row), Some(right)) = (tab.current(), right) {
        detail::draw(tab, row, brush, buf, right, now);
    }
}

/// Narrowest details that stand beside the list.
const DETAIL: u16 = 50;
/// Narrowest list that has details beside it.
const LIST: u16 = 60;

/// Room for the list and for the details: side by side where there is room for both, else one above the other.
fn split(tab: &HealthTab, rows: usize, area: Rect, now: Millis) -> (Rect, Option<Rect>) {
    let look = tab.place.look;
    if !look.preview {
        return (area, None);
    }
    if area.width >= LIST + DETAIL && !look.below && area.height >= 12 {
        let list = list::ideal(tab, now).clamp(LIST, area.width - DETAIL.max(area.width / 2 - 6));
        let right = Rect { x: area.x + list, width: area.width - list, ..area };
        return (Rect { width: list, ..area }, Some(right));
    }
    if area.height < 24 {
        return (area, None);
    }
    let list = (rows as u16 + 3).clamp(6, area.height * 11 / 20);
    (Rect { height: list, ..area }, Some(Rect { y: area.y + list, height: area.height - list, ..area }))
}

/// A host on its page of the wall.
pub(super) fn wall_line(row: &HostRow, now: Millis) -> String {
    let s = row.sample();
    let disk = s.fullest().map_or(0.0, |(_, v)| v);
    format!(
        "{}  CPU {:>3.0}%  {} {:>3.0}%  {} {disk:>3.0}%  {}",
        crate::text::cell(&crate::text::clean(&s.host), 24),
        s.cpu,
        say::memory(),
        s.mem(),
        say::head_disk(),
        countdown::age(now - s.at)
    )
}
