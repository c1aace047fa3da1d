//! The list of hosts: one line each, as many columns as fit, none wider than it needs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{age, figure_role, severity_role, sign};
use crate::clock::Millis;
use crate::health::alert::{Metric, is_stale};
use crate::health::model::{Severity, share};
use crate::health::tab::{Group, HealthTab, HostRow};
use crate::health::words;
use crate::locale::health as say;
use crate::text::{cell, cell_right, clean, width};
use crate::tui::paint::{Brush, bytes};
use crate::tui::theme::Role;

/// A column behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Role,
    Cpu,
    Memory,
    Disk,
    Full,
    Net,
    Load,
    Age,
    Problem,
}

/// The order in which they stand.
const ORDER: [Column; 9] = [
    Column::Role,
    Column::Cpu,
    Column::Memory,
    Column::Disk,
    Column::Full,
    Column::Net,
    Column::Load,
    Column::Age,
    Column::Problem,
];

/// Cells before the name: mark, sign, blank.
const LEFT: u16 = 3;
/// Cells of a figure with the shortest and the longest bar before it, and a blank.
const BAR: [u16; 2] = [10, 14];

/// The columns with their cells, the blank before each among them.
struct Columns {
    name: u16,
    fit: Vec<(Column, u16)>,
}

/// What each column would take, most wanted first.
fn wanted(tab: &HealthTab, now: Millis) -> (u16, Vec<(Column, u16)>) {
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0) as u16;
    let name = longest(&mut tab.rows.iter().map(|r| width(&clean(r.name())))).clamp(8, 28);
    let role = longest(&mut tab.rows.iter().map(|r| width(&clean(&r.sample().role))));
    let role = if role == 0 { 0 } else { role.max(width(&say::head_role()) as u16).min(12) + 2 };
    let problem = longest(&mut tab.rows.iter().filter_map(|r| problem(r, now)).map(|(text, _)| width(&text)));
    let problem = if problem == 0 { 0 } else { problem.clamp(14, 40) + 2 };
    let full = if tab.rows.iter().any(|r| !r.known.forecasts.is_empty()) { 5 } else { 0 };
    let all = [
        (Column::Cpu, BAR[0]),
        (Column::Memory, BAR[0]),
        (Column::Problem, problem),
        (Column::Disk, 5),
        (Column::Full, full),
        (Column::Role, role),
        (Column::Net, 8),
        (Column::Load, 6),
        (Column::Age, 5),
    ];
    (name, all.into_iter().filter(|(_, cells)| *cells > 0).collect())
}

/// The width that the list would fill: every column, and room for a problem of usual length.
pub(super) fn ideal(tab: &HealthTab, now: Millis) -> u16 {
    let (name, columns) = wanted(tab, now);
    LEFT + name + columns.iter().map(|(_, cells)| cells).sum::<u16>() + 3
}

fn columns(tab: &HealthTab, total: u16, now: Millis) -> Columns {
    let (name, wanted) = wanted(tab, now);
    let name = name.min(total.saturating_sub(LEFT));
    let mut left = total.saturating_sub(LEFT + name);
    let mut fit: Vec<(Column, u16)> = Vec::new();
    for (column, cells) in wanted {
        // a problem may be cut; half of it says what it is about
        let cells = if column == Column::Problem { cells.min(left.max(16)) } else { cells };
        if cells <= left {
            left -= cells;
            fit.push((column, cells));
        }
    }
    // what is left makes longer bars, both alike
    let longer = (left / 2).min(BAR[1] - BAR[0]);
    for (_, cells) in fit.iter_mut().filter(|(c, _)| matches!(c, Column::Cpu | Column::Memory)) {
        *cells += longer;
    }
    fit.sort_by_key(|(c, _)| ORDER.iter().position(|o| o == c));
    Columns { name, fit }
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
    let columns = columns(tab, inside.width.saturating_sub(1), now);
    head(brush, buf, inside, &columns);
    let body = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    if rows.is_empty() {
        let none = if tab.filter.is_empty() { say::nothing_wrong() } else { crate::locale::console::nothing_found() };
        brush.text(buf, body.x + LEFT, body.y, body.width.saturating_sub(LEFT + 1), &none, Role::Dim);
        return;
    }
    let lines = lines(tab, rows);
    let at = lines.iter().position(|l| matches!(l, Line::Host(i, _) if *i == tab.place.at)).unwrap_or(0);
    let window = tab.place.window_at(at, lines.len(), body.height.into());
    let below = lines.len() - window.end;
    for (line, y) in window.zip(body.top()..) {
        match &lines[line] {
            Line::Group(group, n, worst) => {
                let group = if group.is_empty() { say::no_role() } else { (*group).to_owned() };
                let role = if *worst == Severity::Ok { Role::Header } else { severity_role(*worst) };
                brush.text(buf, body.x + 1, y, body.width - 1, &format!("{group}  {n}"), role);
            }
            Line::Host(i, row) => {
                if tab.place.is_marked(*i) {
                    brush.text(buf, body.x, y, 1, if brush.ascii { "*" } else { "▌" }, Role::Mark);
                }
                host(row, brush, buf, (body.x, y), &columns, now);
                if *i == tab.place.at {
                    brush.select(buf, Rect { y, height: 1, ..body });
                }
            }
        }
    }
    if below > 0 {
        let more = format!(" {} ", crate::locale::console::more_below(below));
        brush.text_right(buf, inside.right().saturating_sub(1), inside.bottom(), &more, Role::Dim);
    }
}

fn head(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, columns: &Columns) {
    let mut x = at.x + LEFT;
    brush.text(buf, x, at.y, columns.name, &say::head_host(), Role::Header);
    x += columns.name;
    for (column, cells) in &columns.fit {
        let (text, right) = match column {
            Column::Role => (say::head_role(), false),
            Column::Cpu => (say::head_cpu(), true),
            Column::Memory => (say::head_mem(), true),
            Column::Disk => (say::head_disk(), true),
            Column::Full => (say::head_full(), true),
            Column::Net => (say::head_net(), true),
            Column::Load => (say::head_load(), true),
            Column::Age => (say::head_age(), true),
            Column::Problem => (say::head_what(), false),
        };
        let room = usize::from(*cells);
        let text = if right { cell_right(&text, room) } else { format!("  {}", cell(&text, room - 2)) };
        brush.text(buf, x, at.y, *cells, &text, Role::Header);
        x += cells;
    }
}

/// What is wrong with a host in a few words, or that it is silenced.
fn problem(row: &HostRow, now: Millis) -> Option<(String, Role)> {
    match (row.known.silence.as_ref().filter(|q| q.until > now), row.problems.first()) {
        (Some(q), _) => Some((say::is_silenced(&words::about(q.until - now)), Role::Paused)),
        (None, Some(p)) if p.is_open() => Some((words::short(p, now), severity_role(p.severity))),
        (None, Some(p)) => Some((format!("{} · {}", words::short(p, now), say::pending()), Role::Dim)),
        (None, None) => None,
    }
}

fn host(row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, (x, y): (u16, u16), columns: &Columns, now: Millis) {
    let s = row.sample();
    // what is old is not shown as if it were new
    let stale = is_stale(s.at, row.known.host.interval, now);
    let (text, dim) = if stale { (Role::Dim, Role::Dim) } else { (Role::Text, Role::Dim) };
    let (mark, role) = sign(row, now, brush.ascii);
    brush.text(buf, x + 1, y, 1, mark, role);
    let mut x = x + LEFT;
    brush.text(buf, x, y, columns.name, row.name(), Role::Text);
    x += columns.name;
    for (column, cells) in &columns.fit {
        let mut figure = |text: &str, role: Role| {
            brush.text(buf, x, y, *cells, &cell_right(text, usize::from(*cells)), role);
        };
        let plain = |metric, normal| if stale { Role::Dim } else { figure_role(row, metric, None, normal) };
        match column {
            Column::Role => _ = brush.text(buf, x + 2, y, cells - 2, &s.role, dim),
            Column::Cpu => {
                let look = (plain(Metric::Cpu, Role::ChartCpu), plain(Metric::Cpu, text));
                bar(brush, buf, (x, y, *cells), s.cpu, look);
            }
            Column::Memory => {
                let look = (plain(Metric::Memory, Role::ChartMem), plain(Metric::Memory, text));
                bar(brush, buf, (x, y, *cells), s.mem(), look);
            }
            Column::Disk => {
                let fullest = s.disks.iter().filter(|d| !d.read_only).map(|d| share(d.used, d.total));
                let shown = fullest.reduce(f64::max).map_or_else(|| "-".to_owned(), |v| format!("{v:.0}%"));
                figure(&shown, plain(Metric::Disk, text));
            }
            Column::Full => {
                if let Some((_, f)) = row.known.forecasts.iter().min_by_key(|(_, f)| f.full_at) {
                    figure(&words::about(f.full_at - now), plain(Metric::Full, dim));
                }
            }
            Column::Net => figure(&bytes((s.rx_bps + s.tx_bps) as u64), dim),
            Column::Load => figure(&format!("{:.2}", s.load_per_core()), dim),
            Column::Age => figure(&age(s.at, now), if stale { Role::Stale } else { dim }),
            Column::Problem => {
                if let Some((text, role)) = problem(row, now) {
                    brush.text(buf, x + 2, y, cells - 2, &text, role);
                }
            }
        }
        x += cells;
    }
}

/// A share of something: a bar and its figure, each in its look.
fn bar(brush: &Brush<'_>, buf: &mut Buffer, (x, y, cells): (u16, u16, u16), value: f64, (bar, text): (Role, Role)) {
    let long = cells - 6;
    brush.gauge(buf, x + 1, y, long, value / 100.0, bar);
    brush.text(buf, x + 1 + long, y, 5, &cell_right(&format!("{value:.0}%"), 5), text);
}
