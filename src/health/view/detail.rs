//! One host, whole.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{age, charts, figure_role, severity_role, sign};
use crate::clock::{Millis, SECOND};
use crate::health::alert::{Metric, is_stale};
use crate::health::model::{Disk, Sample, share};
use crate::health::tab::{HealthTab, HostRow, is_open};
use crate::health::words;
use crate::locale::health as say;
use crate::text::{cell, cell_right, clean, width, wrap};
use crate::tui::chart;
use crate::tui::countdown;
use crate::tui::paint::{Brush, bytes};
use crate::tui::theme::Role;

/// Problems named above the charts.
const PROBLEMS: usize = 3;

/// Narrowest area that has panels side by side below the charts.
const WIDE: u16 = 72;

pub(super) fn draw(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    if area.height < 5 || area.width < 38 {
        return;
    }
    let top = header(row, brush, buf, area, now);
    let room = Rect { y: top, height: area.bottom().saturating_sub(top), ..area };
    if area.width < WIDE { narrow(tab, row, brush, buf, room, now) } else { wide(tab, row, brush, buf, room, now) }
}

fn wide(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let room = area.height;
    let chart_lines = if room >= 26 { room * 11 / 20 } else { (room / 2).max(5.min(room)) };
    let charts = Rect { height: chart_lines, ..area };
    charts::draw(tab, row, brush, buf, charts, now);
    let below = Rect { y: area.y + chart_lines, height: room - chart_lines, ..area };
    if below.height < 3 {
        return;
    }
    let left = below.width / 2;
    let cores = cores_height(row.sample(), left, below.height);
    let (x, y) = (below.x, below.y);
    draw_cores(row, brush, buf, Rect::new(x, y, left, cores));
    draw_disks(tab, row, brush, buf, Rect::new(x, y + cores, left, below.height - cores), now);
    let right = Rect { x: x + left, width: below.width - left, ..below };
    draw_processes(tab, row, brush, buf, right);
}

/// One under the other: the charts share what the file systems and the processes leave.
fn narrow(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let s = row.sample();
    let parts = s.disks.len() + usize::from(s.swap_total > 0) + s.nics.len();
    let disks = (parts as u16 + 2).min(7);
    let processes = (s.processes.len() as u16 + 3).min(7);
    let mut y = area.bottom();
    let mut rest = area.height;
    for (height, is_disks) in [(processes, false), (disks, true)] {
        // two charts at least stand above
        if rest >= height + if is_disks { 8 } else { disks + 12 } {
            y -= height;
            rest -= height;
            let place = Rect { y, height, ..area };
            if is_disks {
                draw_disks(tab, row, brush, buf, place, now);
            } else {
                draw_processes(tab, row, brush, buf, place);
            }
        }
    }
    charts::draw(tab, row, brush, buf, Rect { height: rest, ..area }, now);
}

/// Name, state, problems, silence, tickets; the first free line.
fn header(row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) -> u16 {
    let s = row.sample();
    let (mark, role) = sign(row, now, brush.ascii);
    let right = area.right();
    let mut x = brush.text(buf, area.x + 1, area.y, 2, mark, role) + 1;
    x = brush.text(buf, x, area.y, right.saturating_sub(x), row.name(), Role::Title) + 1;
    let mut parts: Vec<(String, Role)> = Vec::new();
    let place =
        [s.role.as_str(), s.site.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" @ ");
    if !place.is_empty() {
        parts.push((place, Role::Dim));
    }
    parts.push((format!("{} {:.2} {:.2} {:.2}", say::load(), s.load[0], s.load[1], s.load[2]), Role::Text));
    parts.push((say::up(&countdown::age(s.uptime_s as Millis * SECOND)), Role::Dim));
    if let Some(t) = s.temperature {
        parts.push((format!("{t:.0}°C"), if t >= 85.0 { Role::Warn } else { Role::Text }));
    }
    if is_stale(s.at, row.known.host.interval, now) {
        parts.push((say::sampled(&age(s.at, now)), Role::Stale));
    }
    for (text, role) in parts {
        // what does not fit whole is left out
        if x + 2 + width(&text) as u16 <= right {
            x = brush.text(buf, x + 2, area.y, right - x - 2, &text, role);
        }
    }
    let mut y = area.y + 1;
    let mut line = |buf: &mut Buffer, text: &str, role: Role| {
        for part in wrap(text, usize::from(area.width.saturating_sub(4))) {
            if y + 8 < area.bottom() {
                brush.text(buf, area.x + 3, y, area.width.saturating_sub(4), &part, role);
                y += 1;
            }
        }
    };
    if let Some(q) = row.known.silence.as_ref().filter(|q| q.until > now) {
        line(buf, &say::explain_silenced(&words::about(q.until - now), &q.actor, &q.reason), Role::Paused);
    }
    for p in row.problems.iter().take(PROBLEMS) {
        let role = if p.is_open() { severity_role(p.severity) } else { Role::Dim };
        line(buf, &words::line(p, now), role);
    }
    let open: Vec<String> = row
        .known
        .tickets
        .iter()
        .filter(|(_, _, state)| is_open(state))
        .map(|(id, title, _)| format!("#{id} {title}"))
        .collect();
    if !open.is_empty() {
        line(buf, &format!("{}  {}", say::tickets(), open.join("  ")), Role::Info);
    }
    y
}

/// Cells that a core with its bar takes.
const CORE: u16 = 17;
/// More cores than this are shown as a bar of one cell each.
const MANY: usize = 16;

fn core_lines(cores: usize, inside: u16) -> u16 {
    if cores > MANY {
        return cores.div_ceil(usize::from(inside.max(1))) as u16;
    }
    cores.div_ceil(usize::from((inside / CORE).max(1))) as u16
}

fn cores_height(s: &Sample, width: u16, height: u16) -> u16 {
    let pressure = if s.pressure.is_some() && height >= 12 { 3 } else { 0 };
    (core_lines(s.cores.len(), width.saturating_sub(3)) + pressure + 2).min(height * 3 / 5)
}

fn draw_cores(row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let s = row.sample();
    let inside = brush.panel(buf, area, &format!("{} {}", say::cores(), s.cores.len()));
    if inside.height == 0 {
        return;
    }
    let lines = core_lines(s.cores.len(), inside.width - 1).min(inside.height);
    if s.cores.len() > MANY {
        for (i, core) in s.cores.iter().enumerate() {
            let (column, line) = (i as u16 % (inside.width - 1), i as u16 / (inside.width - 1));
            if line < lines {
                let bar = chart::level(core / 100.0, brush.ascii);
                brush.text(buf, inside.x + 1 + column, inside.y + line, 1, bar, Role::ChartCpu);
            }
        }
    } else {
        let columns = (s.cores.len().div_ceil(usize::from(lines.max(1)))).max(1) as u16;
        let wide = (inside.width - 1) / columns;
        for (i, core) in s.cores.iter().enumerate() {
            let (x, y) = (inside.x + 1 + i as u16 % columns * wide, inside.y + i as u16 / columns);
            if y >= inside.bottom() {
                break;
            }
            brush.text(buf, x, y, 2, &cell_right(&i.to_string(), 2), Role::Dim);
            let bar = wide.saturating_sub(9);
            brush.gauge(buf, x + 3, y, bar, core / 100.0, Role::ChartCpu);
            brush.text(buf, x + 3 + bar, y, 5, &cell_right(&format!("{core:.0}%"), 5), Role::Text);
        }
    }
    let Some(pressure) = s.pressure else { return };
    let labels = [say::waits_cpu(), say::waits_memory(), say::waits_io()];
    let metrics = [None, Some(Metric::MemoryPressure), Some(Metric::IoPressure)];
    let name = labels.iter().map(|l| width(l)).max().unwrap_or(0) as u16;
    for (i, (label, value)) in labels.iter().zip(pressure).enumerate() {
        let y = inside.y + lines + i as u16;
        if y >= inside.bottom() {
            break;
        }
        let role = metrics[i].map_or(Role::Mark, |m| figure_role(row, m, None, Role::Mark));
        brush.text(buf, inside.x + 1, y, name, label, Role::Dim);
        let bar = inside.width.saturating_sub(name + 9);
        brush.gauge(buf, inside.x + 2 + name, y, bar, value / 100.0, role);
        brush.text(buf, inside.x + 2 + name + bar, y, 5, &cell_right(&format!("{value:.0}%"), 5), Role::Text);
    }
}

fn draw_disks(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let inside = brush.panel(buf, area, &say::file_systems());
    if inside.height == 0 {
        return;
    }
    let s = row.sample();
    // name, bar, percent, sizes, forecast
    let names = s.disks.iter().map(|d| width(&clean(&d.mount))).chain(s.nics.iter().map(|n| width(&clean(&n.name))));
    let name = (names.max().unwrap_or(0) as u16).clamp(6, (inside.width / 4).max(12));
    let bar = if inside.width >= 60 { 10 } else { 6 };
    let mut y = inside.y;
    for disk in &s.disks {
        if y >= inside.bottom() {
            return;
        }
        let percent = share(disk.used, disk.total);
        let role = figure_role(row, Metric::Disk, Some(&disk.mount), Role::ChartDisk);
        brush.text(buf, inside.x + 1, y, name, &disk.mount, Role::Text);
        brush.gauge(buf, inside.x + 2 + name, y, bar, percent / 100.0, role);
        let mut x = inside.x + 3 + name + bar;
        let sizes = format!("{percent:>3.0}%  {} / {}", bytes(disk.used), bytes(disk.total));
        x = brush.text(buf, x, y, inside.right().saturating_sub(x), &cell(&sizes, 20), Role::Text) + 1;
        let room = inside.right().saturating_sub(x);
        // told whole or shorter, not cut
        if let Some((text, role)) = outlook(row, disk, now).into_iter().find(|(t, _)| width(t) <= usize::from(room)) {
            brush.text(buf, x, y, room, &text, role);
        }
        y += 1;
    }
    if s.swap_total > 0 && y < inside.bottom() {
        brush.text(buf, inside.x + 1, y, name, &say::swap(), Role::Text);
        brush.gauge(buf, inside.x + 2 + name, y, bar, s.swap() / 100.0, Role::ChartMem);
        let line = format!("{:>3.0}%  {} / {}", s.swap(), bytes(s.swap_used), bytes(s.swap_total));
        let x = inside.x + 3 + name + bar;
        brush.text(buf, x, y, inside.right().saturating_sub(x), &line, Role::Text);
        y += 1;
    }
    for nic in &s.nics {
        if y >= inside.bottom() {
            return;
        }
        brush.text(buf, inside.x + 1, y, name, &nic.name, Role::Text);
        let past = tab.history.iter().filter(|h| h.host == row.name()).flat_map(|h| &h.parts);
        let past = past.filter(|p| p.kind == "nic").find(|p| p.name == nic.name);
        let x = inside.x + 2 + name;
        if let Some(past) = past {
            sparkline(&past.points, brush, buf, x, y, bar);
        }
        let arrows = if brush.ascii { ["in", "out"] } else { ["↓", "↑"] };
        let line =
            format!("{} {}/s  {} {}/s", arrows[0], bytes(nic.rx_bps as u64), arrows[1], bytes(nic.tx_bps as u64));
        brush.text(buf, x + bar + 1, y, inside.right().saturating_sub(x + bar + 1), &line, Role::Dim);
        y += 1;
    }
}

/// The traffic of the span in a few cells, on its own scale.
fn sparkline(points: &[(Millis, [f64; 3])], brush: &Brush<'_>, buf: &mut Buffer, x: u16, y: u16, cells: u16) {
    let values: Vec<f64> = points.iter().map(|(_, [_, come, gone])| come + gone).collect();
    let top = values.iter().copied().fold(1.0, f64::max);
    let each = values.len().div_ceil(usize::from(cells.max(1))).max(1);
    for (i, chunk) in values.chunks(each).enumerate() {
        let high = chunk.iter().copied().fold(0.0, f64::max);
        brush.text(buf, x + i as u16, y, 1, chart::level(high / top, brush.ascii), Role::ChartNet);
    }
}

/// What is to come of a file system, the longest way to say it first.
fn outlook(row: &HostRow, disk: &Disk, now: Millis) -> Vec<(String, Role)> {
    if disk.stuck {
        return vec![(say::stuck(), Role::Critical)];
    }
    if disk.read_only {
        return vec![(say::read_only(), Role::Dim)];
    }
    match row.known.forecasts.iter().find(|(m, _)| *m == disk.mount) {
        Some((_, f)) => {
            let role = figure_role(row, Metric::Full, Some(&disk.mount), Role::Text);
            let left = words::about(f.full_at - now);
            [words::forecast(f, now), say::full_value(&left), left].map(|text| (text, role)).into()
        }
        None => vec![(say::no_trend(), Role::Dim)],
    }
}

fn draw_processes(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let s = row.sample();
    let title = if tab.is_here(row.name()) { say::processes(s.process_count) } else { say::processes_top() };
    let inside = brush.panel(buf, area, &title);
    if inside.height < 2 || inside.width < 24 {
        return;
    }
    if s.processes.is_empty() {
        brush.text(buf, inside.x + 1, inside.y, inside.width - 2, &say::processes_none(), Role::Dim);
        return;
    }
    let name = usize::from(inside.width.saturating_sub(26));
    let head = format!(
        "{} {} {} {}",
        cell_right(&say::head_pid(), 8),
        cell(&say::head_process(), name),
        cell_right("CPU", 6),
        cell_right(&say::head_mem(), 7)
    );
    brush.text(buf, inside.x + 1, inside.y, inside.width, &head, Role::Header);
    for (p, y) in s.processes.iter().zip(inside.y + 1..inside.bottom()) {
        let line = format!("{:>8} {} {:>5.0}% {:>7}", p.pid, cell(&clean(&p.name), name), p.cpu, bytes(p.memory));
        let role = if p.cpu >= 1.0 { Role::Text } else { Role::Dim };
        brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(1), &line, role);
    }
}
