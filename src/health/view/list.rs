//! The list of hosts: one line each, as many columns as fit.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{age, figure_role, severity_role, sign};
use crate::clock::Millis;
use crate::health::alert::{Metric, is_stale};
use crate::health::model::{Severity, share};
use crate::health::tab::{Group, HealthTab, HostRow};
use crate::health::words;
use crate::locale::health as say;
use crate::text::{cell, cell_right};
use crate::tui::paint::{Brush, bytes};
use crate::tui::theme::Role;

/// A column beyond the name, with its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Role,
    Cpu,
    Memory,
    Disk,
    Net,
    Load,
    Age,
}

/// Room that the name takes at least.
const NAME: u16 = 12;

/// The columns that fit, in the order they stand, each with its cells, and the room left for the name and the problem.
fn columns(width: u16) -> (Vec<(Column, u16)>, u16, u16) {
    let bar = if width >= 72 { 12 } else { 10 };
    let wanted = [
        (Column::Cpu, bar),
        (Column::Memory, bar),
        (Column::Age, 5),
        (Column::Disk, 10),
        (Column::Net, 8),
        (Column::Load, 6),
        (Column::Role, 9),
    ];
    let mut left = width.saturating_sub(2 + NAME);
    let mut fit: Vec<(Column, u16)> = Vec::new();
    for (column, cells) in wanted {
        if cells <= left {
            left -= cells;
            fit.push((column, cells));
        }
    }
    let order = [Column::Role, Column::Cpu, Column::Memory, Column::Disk, Column::Net, Column::Load, Column::Age];
    fit.sort_by_key(|(c, _)| order.iter().position(|o| o == c));
    let name = NAME + left.min(18);
    let rest = (NAME + left).saturating_sub(name);
    (fit, name, if rest >= 14 { rest } else { 0 })
}

/// A line of the list.
enum Line<'a> {
    Group(&'a str, usize, Severity),
    Host(usize, &'a HostRow),
}

fn lines<'a>(tab: &HealthTab, rows: &[&'a HostRow]) -> Vec<Line<'a>> {
    let mut out = Vec::with_capacity(rows.len() + 8);
    let mut i = 0;
    for chunk in rows.chunk_by(|a, b| tab.group_of(a) == tab.group_of(b)) {
        if tab.group != Group::None {
            let worst = chunk.iter().map(|r| r.severity()).max().unwrap_or(Severity::Ok);
            out.push(Line::Group(tab.group_of(chunk[0]), chunk.len(), worst));
        }
        for row in chunk {
            out.push(Line::Host(i, row));
            i += 1;
        }
    }
    out
}

pub(super) fn draw(tab: &HealthTab, rows: &[&HostRow], brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let title =
        if rows.len() == tab.rows.len() { say::hosts(rows.len()) } else { say::hosts_of(rows.len(), tab.rows.len()) };
    let inside = brush.panel(buf, area, &title);
    if inside.height < 2 {
        return;
    }
    let (columns, name, what) = columns(inside.width);
    head(brush, buf, inside, &columns, name, what);
    let body = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    if rows.is_empty() {
        brush.text(buf, body.x + 2, body.y, body.width.saturating_sub(3), &say::nothing_wrong(), Role::Dim);
        return;
    }
    let lines = lines(tab, rows);
    let at = lines.iter().position(|l| matches!(l, Line::Host(i, _) if *i == tab.place.at)).unwrap_or(0);
    for (line, y) in tab.place.window_at(at, lines.len(), body.height.into()).zip(body.top()..) {
        match &lines[line] {
            Line::Group(group, n, worst) => {
                let group = if group.is_empty() { say::no_role() } else { (*group).to_owned() };
                let role = if *worst == Severity::Ok { Role::Header } else { severity_role(*worst) };
                brush.text(buf, body.x, y, body.width, &format!("{group}  {n}"), role);
            }
            Line::Host(i, row) => {
                let place = Rect { y, height: 1, ..body };
                host(row, brush, buf, place, &columns, name, what, now);
                if *i == tab.place.at {
                    brush.select(buf, place);
                }
            }
        }
    }
}

fn head(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, columns: &[(Column, u16)], name: u16, what: u16) {
    let mut x = at.x + 2;
    brush.text(buf, x, at.y, name, &say::head_host(), Role::Header);
    x += name;
    for (column, cells) in columns {
        let (text, right) = match column {
            Column::Role => (say::head_role(), false),
            Column::Cpu => (say::head_cpu(), true),
            Column::Memory => (say::head_mem(), true),
            Column::Disk => (format!("{} {}", say::head_disk(), cell_right(&say::head_full(), 4)), true),
            Column::Net => (say::head_net(), true),
            Column::Load => (say::head_load(), true),
            Column::Age => (say::head_age(), true),
        };
        let room = usize::from(*cells);
        let text = if right { cell_right(&text, room) } else { format!(" {}", cell(&text, room - 1)) };
        brush.text(buf, x, at.y, *cells, &text, Role::Header);
        x += cells;
    }
    if what > 0 {
        brush.text(buf, x + 2, at.y, what - 2, &say::head_what(), Role::Header);
    }
}

#[expect(clippy::too_many_arguments, reason = "one line of a table: its place and its columns")]
fn host(
    row: &HostRow,
    brush: &Brush<'_>,
    buf: &mut Buffer,
    at: Rect,
    columns: &[(Column, u16)],
    name: u16,
    what: u16,
    now: Millis,
) {
    let s = row.sample();
    let stale = is_stale(s.at, row.known.host.interval, now);
    // what is old is not shown as if it were new
    let text = if stale { Role::Stale } else { Role::Text };
    let (mark, role) = sign(row, now, brush.ascii);
    brush.text(buf, at.x, at.y, 1, mark, role);
    let mut x = at.x + 2;
    brush.text(buf, x, at.y, name - 1, row.name(), if stale { Role::Stale } else { Role::Text });
    x += name;
    for (column, cells) in columns {
        match column {
            Column::Role => _ = brush.text(buf, x + 1, at.y, cells - 1, &s.role, Role::Dim),
            Column::Cpu => bar(row, brush, buf, (x, at.y, *cells), s.cpu, Metric::Cpu, Role::ChartCpu, text),
            Column::Memory => bar(row, brush, buf, (x, at.y, *cells), s.mem(), Metric::Memory, Role::ChartMem, text),
            Column::Disk => disk(row, brush, buf, x, at.y, text, now),
            Column::Net => {
                let sum = cell_right(&bytes((s.rx_bps + s.tx_bps) as u64), usize::from(*cells));
                brush.text(buf, x, at.y, *cells, &sum, if stale { Role::Stale } else { Role::Dim });
            }
            Column::Load => {
                let load = cell_right(&format!("{:.2}", s.load_per_core()), usize::from(*cells));
                brush.text(buf, x, at.y, *cells, &load, if stale { Role::Stale } else { Role::Dim });
            }
            Column::Age => {
                let age = cell_right(&age(s.at, now), usize::from(*cells));
                brush.text(buf, x, at.y, *cells, &age, if stale { Role::Stale } else { Role::Dim });
            }
        }
        x += cells;
    }
    if what > 0 {
        let (text, role) = match (row.known.silence.as_ref().filter(|q| q.until > now), row.problems.first()) {
            (Some(q), _) => (say::is_silenced(&words::about(q.until - now)), Role::Paused),
            (None, Some(p)) if p.is_open() => (words::short(p, now), severity_role(p.severity)),
            (None, Some(p)) => (format!("{} · {}", words::short(p, now), say::pending()), Role::Dim),
            (None, None) => return,
        };
        brush.text(buf, x + 2, at.y, what - 2, &text, role);
    }
}

#[expect(clippy::too_many_arguments, reason = "a figure with its bar: where, what, how it looks")]
fn bar(
    row: &HostRow,
    brush: &Brush<'_>,
    buf: &mut Buffer,
    (x, y, cells): (u16, u16, u16),
    value: f64,
    metric: Metric,
    role: Role,
    text: Role,
) {
    let long = cells - 6;
    let shown = if text == Role::Stale { Role::Stale } else { figure_role(row, metric, None, role) };
    brush.gauge(buf, x + 1, y, long, value / 100.0, shown);
    let figure = cell_right(&format!("{value:.0}%"), 4);
    brush.text(buf, x + 2 + long, y, 4, &figure, figure_role(row, metric, None, text));
}

/// The fullest file system, and how long until the first is full.
fn disk(row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, x: u16, y: u16, text: Role, now: Millis) {
    let s = row.sample();
    let fullest = s.disks.iter().filter(|d| !d.read_only).map(|d| share(d.used, d.total)).reduce(f64::max);
    let figure = fullest.map_or_else(|| "-".to_owned(), |v| format!("{v:.0}%"));
    brush.text(buf, x, y, 5, &cell_right(&figure, 5), figure_role(row, Metric::Disk, None, text));
    if let Some((_, f)) = row.known.forecasts.iter().min_by_key(|(_, f)| f.full_at) {
        let left = cell_right(&words::about(f.full_at - now), 4);
        brush.text(buf, x + 6, y, 4, &left, figure_role(row, Metric::Full, None, Role::Dim));
    }
}
