//! The whole fleet at a glance, in a line where it fits: first what is wrong, a sign a host, worst first; then those that
//! are well, a bar a host as high as its CPU.
//!
//! ```text
//!  Fleet 44  ✗ ✗ ▲ ▲ ? ‖ ▃ ▂ ▂ ▅ ▁ ▂ ▃ ▃ ▂                    ✗ 2 critical  ▲ 2 warning  ? 1 silent  38 fine
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::sign;
use crate::clock::Millis;
use crate::health::model::Severity;
use crate::health::tab::{HealthTab, HostRow};
use crate::locale::health as say;
use crate::text::width;
use crate::tui::chart;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// Where everything stands.
struct Plan {
    /// First column of the tiles.
    x: u16,
    /// Cells of a tile.
    cells: u16,
    /// Tiles in a line.
    a_line: usize,
    lines: u16,
    /// The counts have their words.
    words: bool,
}

fn plan(tab: &HealthTab, area: Rect, now: Millis) -> Option<Plan> {
    let hosts = tab.rows.len();
    if hosts < 2 || area.height < 10 || area.width < 40 {
        return None;
    }
    // the list below says how many there are too
    let label = if area.width < 70 { 0 } else { width(&say::fleet(hosts)) as u16 + 2 };
    let x = area.x + 1 + label;
    let words = area.width >= 110;
    let counts = counts(tab, now, false, words).iter().map(|(text, _)| width(text) as u16 + 2).sum::<u16>();
    let room = area.right().saturating_sub(x + counts + 1).max(8);
    // the gap between those that are wrong and those that are well
    let hosts = hosts + 1;
    let cells = if hosts * 2 <= usize::from(room) { 2 } else { 1 };
    let a_line = usize::from(room / cells).max(1);
    let lines = (hosts.div_ceil(a_line)).min(usize::from((area.height / 4).clamp(1, 8))) as u16;
    Some(Plan { x, cells, a_line, lines, words })
}

/// Lines of the strip; none for a single host or a low screen.
pub(super) fn height(tab: &HealthTab, area: Rect, now: Millis) -> u16 {
    plan(tab, area, now).map_or(0, |p| p.lines)
}

/// Draws the fleet at the top of `area`, the area of the tab.
pub(super) fn draw(tab: &HealthTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let Some(p) = plan(tab, area, now) else { return };
    if p.x > area.x + 1 {
        brush.text(buf, area.x + 1, area.y, p.x, &say::fleet(tab.rows.len()), Role::Header);
    }
    let mut rows: Vec<&HostRow> = tab.rows.iter().collect();
    // by state alone, then by name: a tile keeps its place while the host keeps its state
    rows.sort_by_cached_key(|r| (std::cmp::Reverse(class(r, now)), r.name().to_owned()));
    let here = tab.current().map(HostRow::name);
    // a gap where those begin that are well
    let wrong = rows.iter().take_while(|r| r.severity() > Severity::Ok).count();
    let gap = usize::from(wrong > 0);
    for (i, row) in rows.iter().enumerate().map(|(i, row)| (if i < wrong { i } else { i + gap }, row)) {
        if i >= p.a_line * usize::from(p.lines) {
            break;
        }
        let (x, y) = (p.x + (i % p.a_line) as u16 * p.cells, area.y + (i / p.a_line) as u16);
        let (mark, role) = match row.severity() {
            Severity::Ok => (chart::level((row.sample().cpu / 100.0).max(0.02), brush.ascii), Role::ChartCpu),
            _ => sign(row, now, brush.ascii),
        };
        brush.text(buf, x, y, 1, mark, role);
        if here == Some(row.name()) {
            brush.select(buf, Rect::new(x, y, 1, 1));
        }
    }
    let mut right = area.right().saturating_sub(1);
    for (text, role) in counts(tab, now, brush.ascii, p.words).into_iter().rev() {
        right = brush.text_right(buf, right, area.y, &text, role).saturating_sub(2);
    }
}

/// How bad a host is for the strip: a silenced one is told after those that are not.
fn class(row: &HostRow, now: Millis) -> u8 {
    match row.severity() {
        Severity::Ok => 0,
        _ if row.is_silenced(now) => 1,
        severity => 1 + severity as u8,
    }
}

/// How many hosts are in which state, worst first, those that are well last.
fn counts(tab: &HealthTab, now: Millis, ascii: bool, words: bool) -> Vec<(String, Role)> {
    let mut all: Vec<(u8, &'static str, Role, usize)> = Vec::new();
    for row in &tab.rows {
        let class = class(row, now);
        let (mark, role) = sign(row, now, ascii);
        match all.iter_mut().find(|c| c.0 == class) {
            Some(known) => known.3 += 1,
            None => all.push((class, mark, role, 1)),
        }
    }
    all.sort_by_key(|c| std::cmp::Reverse(c.0));
    all.into_iter()
        .filter(|(class, ..)| words || *class > 0)
        .map(|(class, mark, role, n)| {
            let word = match class {
                0 => return (say::count_fine(n), Role::Dim),
                _ if !words => return (format!("{mark} {n}"), role),
                1 => say::silenced_count(n),
                2 => say::count_warn(n),
                3 => say::count_stale(n),
                _ => say::count_critical(n),
            };
            (format!("{mark} {word}"), role)
        })
        .collect()
}
