//! The whole fleet at a glance: a tile a host, worst first. Its height is its CPU, its colour its state.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::sign;
use crate::clock::Millis;
use crate::health::model::Severity;
use crate::health::tab::{HealthTab, HostRow};
use crate::locale::health as say;
use crate::tui::chart;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Lines that the fleet may take of the tab.
fn most(area: Rect) -> u16 {
    (area.height / 4).clamp(1, 11)
}

/// Cells of a tile: two where the fleet fits so into the tab.
fn cells(hosts: usize, tab: Rect) -> u16 {
    let a_line = usize::from(tab.width.saturating_sub(2) / 2);
    if hosts <= a_line * usize::from(most(tab)) { 2 } else { 1 }
}

/// Lines of the panel for so many hosts; none for a single one or a low screen.
pub(super) fn height(hosts: usize, tab: Rect) -> u16 {
    if hosts < 2 || tab.height < 14 || tab.width < 40 {
        return 0;
    }
    let a_line = usize::from((tab.width - 2) / cells(hosts, tab)).max(1);
    (hosts.div_ceil(a_line) as u16).min(most(tab)) + 2
}

/// Draws the fleet at the top of `whole`, the area of the tab.
pub(super) fn draw(tab: &HealthTab, brush: &Brush<'_>, buf: &mut Buffer, whole: Rect, now: Millis) {
    let area = Rect { height: height(tab.rows.len(), whole), ..whole };
    if area.height < 3 {
        return;
    }
    let inside = brush.panel(buf, area, &say::fleet(tab.rows.len()));
    counters(tab, brush, buf, area, now);
    let mut rows: Vec<&HostRow> = tab.rows.iter().collect();
    // by state alone, then by name: a tile keeps its place while the host keeps its state
    rows.sort_by_cached_key(|r| {
        let silenced = r.severity() > Severity::Ok && r.is_silenced(now);
        (std::cmp::Reverse(if silenced { 1 } else { 2 * r.severity() as u8 }), r.name().to_owned())
    });
    let cells = cells(rows.len(), whole);
    let a_line = usize::from(inside.width / cells);
    let here = tab.current().map(HostRow::name);
    for (i, row) in rows.iter().enumerate().take(a_line * usize::from(inside.height)) {
        let (x, y) = (inside.x + (i % a_line) as u16 * cells, inside.y + (i / a_line) as u16);
        let (mark, role) = sign(row, now, brush.ascii);
        let s = row.sample();
        let bar = chart::level((s.cpu / 100.0).max(0.02), brush.ascii);
        // without a sample there is no height to show
        let (first, role) = match row.severity() {
            Severity::Ok => (bar, Role::ChartCpu),
            Severity::Stale => ("~", role),
            _ if cells == 1 => (mark, role),
            _ => (bar, role),
        };
        brush.text(buf, x, y, 1, first, role);
        if cells == 2 && row.severity() > Severity::Ok {
            brush.text(buf, x + 1, y, 1, mark, role);
        }
        if here == Some(row.name()) {
            brush.select(buf, Rect::new(x, y, 1, 1));
        }
    }
}

/// `✗ 2 ▲ 3 ? 1 ‖ 1` at the right of the title.
fn counters(tab: &HealthTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let mut counts: Vec<(&'static str, Role, usize)> = Vec::new();
    for row in &tab.rows {
        if row.severity() == Severity::Ok {
            continue;
        }
        let (mark, role) = sign(row, now, brush.ascii);
        match counts.iter_mut().find(|c| c.0 == mark) {
            Some(known) => known.2 += 1,
            None => counts.push((mark, role, 1)),
        }
    }
    let mut right = area.right().saturating_sub(2);
    counts.sort_by_key(|(mark, ..)| ["‖", "=", "▲", "^", "?", "✗", "X"].iter().position(|m| m == mark));
    for (mark, role, n) in counts {
        right = brush.text_right(buf, right, area.y, &format!(" {mark} {n} "), role);
    }
}
