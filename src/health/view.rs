//! The picture of the Health tab.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::{Metric, Problem, Sample, Severity};
use super::tab::{HealthTab, HostRow, SPANS, sign};
use crate::clock::{DAY, HOUR, Millis, SECOND};
use crate::locale::health as say;
use crate::text::{cell, cell_right, clean};
use crate::tui::chart;
use crate::tui::countdown;
use crate::tui::paint::{Brush, bytes};
use crate::tui::theme::Role;

pub(super) fn severity_role(severity: Severity) -> Role {
    match severity {
        Severity::Ok => Role::Dim,
        Severity::Warn => Role::Warn,
        Severity::Stale => Role::Stale,
        Severity::Critical => Role::Critical,
    }
}

pub(super) fn problem_line(p: &Problem, _now: Millis) -> String {
    let what = match p.metric {
        Metric::Cpu => say::cpu(),
        Metric::Memory => say::memory(),
        Metric::Disk => format!("{} {}", say::head_disk(), p.on),
        Metric::Age => return say::stale(&countdown::remaining((p.value * 1000.0) as Millis)),
    };
    say::problem(&what, &format!("{:.0}%", p.value), &format!("{:.0}%", p.raise), &format!("{:.0}%", p.clear))
}

/// A percentage's role: grey until a threshold.
fn share_role(row: &HostRow, metric: Metric, normal: Role) -> Role {
    row.problems.iter().filter(|p| p.metric == metric).map(|p| severity_role(p.severity)).next().unwrap_or(normal)
}

pub(super) fn draw(tab: &HealthTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let rows = tab.shown();
    let single = tab.rows.len() <= 1;
    if single && area.width >= 60 {
        if let Some(row) = rows.first() {
            return detail(tab, row, brush, buf, area, now);
        }
        brush.text(buf, area.x + 2, area.y + 1, area.width.saturating_sub(4), &say::waiting(), Role::Dim);
        return;
    }
    let list_width = if area.width >= 120 { area.width * 2 / 5 } else { area.width };
    let list_height =
        if area.width >= 120 { area.height } else { area.height.min(rows.len() as u16 + 4).min(area.height / 2) };
    list(tab, &rows, brush, buf, Rect::new(area.x, area.y, list_width, list_height), now);
    let rest = if area.width >= 120 {
        Rect::new(area.x + list_width, area.y, area.width - list_width, area.height)
    } else {
        Rect::new(area.x, area.y + list_height, area.width, area.height - list_height)
    };
    if let Some(row) = tab.current() {
        detail(tab, row, brush, buf, rest, now);
    }
}

fn list(tab: &HealthTab, rows: &[&HostRow], brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let inside = brush.panel(buf, area, &say::hosts(tab.rows.len()));
    if inside.height < 3 {
        return;
    }
    // one cell a host, worst first: five hundred hosts fit two lines
    for (i, row) in tab.rows.iter().enumerate().take(usize::from(inside.width - 2)) {
        let (s, role) = sign(row.severity(), brush.ascii);
        brush.text(
            buf,
            inside.x + 1 + i as u16,
            inside.y,
            1,
            if row.severity() == Severity::Ok { "■" } else { s },
            match role {
                Role::Dim => Role::GaugeEmpty,
                r => r,
            },
        );
    }
    let name = inside.width.saturating_sub(46).clamp(8, 30);
    let head = format!(
        "  {} {} {} {} {} {}",
        cell(&say::head_host(), name.into()),
        cell_right(&say::head_cpu(), 9),
        cell_right(&say::head_mem(), 9),
        cell_right(&say::head_disk(), 5),
        cell_right(&say::head_net(), 7),
        cell_right(&say::head_age(), 5)
    );
    brush.text(buf, inside.x, inside.y + 1, inside.width, &head, Role::Header);
    let body = Rect::new(inside.x, inside.y + 2, inside.width, inside.height - 2);
    for (row, y) in tab.place.window(rows.len(), body.height.into()).zip(body.top()..) {
        let host = rows[row];
        let s = &host.sample;
        let (mark, role) = sign(host.severity(), brush.ascii);
        let mut x = body.x;
        brush.text(buf, x, y, 1, mark, role);
        x += 2;
        brush.text(buf, x, y, name, &s.host, Role::Text);
        x += name + 1;
        for (value, metric, bar) in [(s.cpu, Metric::Cpu, Role::ChartCpu), (s.mem(), Metric::Memory, Role::ChartMem)] {
            brush.gauge(buf, x, y, 4, value / 100.0, share_role(host, metric, bar));
            brush.text(buf, x + 5, y, 4, &cell_right(&format!("{value:.0}%"), 4), share_role(host, metric, Role::Text));
            x += 10;
        }
        let disk = s.fullest().map_or(0.0, |(_, v)| v);
        brush.text(buf, x, y, 5, &cell_right(&format!("{disk:.0}%"), 5), share_role(host, Metric::Disk, Role::Text));
        brush.text(buf, x + 6, y, 7, &cell_right(&bytes((s.rx_bps + s.tx_bps) as u64), 7), Role::Dim);
        let age = now - s.at;
        let role = if age > host.interval * 3 { Role::Stale } else { Role::Dim };
        // the age counts in steps of ten seconds: a list that ticks every second tells nothing more
        let age = if age < 10 * SECOND { "·".to_owned() } else { countdown::age(age / (10 * SECOND) * (10 * SECOND)) };
        brush.text(buf, x + 14, y, 5, &cell_right(&age, 5), role);
        if row == tab.place.at {
            brush.select(buf, Rect::new(body.x, y, body.width, 1));
        }
    }
}

fn detail(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let s = &row.sample;
    let (mark, role) = sign(row.severity(), brush.ascii);
    if area.height < 6 || area.width < 40 {
        return;
    }
    let line = format!(
        "{}   {} {:.2} {:.2} {:.2}   {}",
        clean(&s.host),
        say::load(),
        s.load[0],
        s.load[1],
        s.load[2],
        say::up(&countdown::age(s.uptime_s as Millis * SECOND))
    );
    let mut x = brush.text(buf, area.x + 1, area.y, 2, mark, role) + 1;
    x = brush.text(buf, x, area.y, area.right().saturating_sub(x), &line, Role::Title) + 3;
    if let Some(t) = s.temperature {
        x = brush.text(buf, x, area.y, area.right().saturating_sub(x), &format!("{t:.0}°C"), Role::Text) + 3;
    }
    if let Some([cpu, mem, io]) = s.pressure.filter(|_| area.width > 90) {
        let line = say::pressure(&format!("{cpu:.0}%"), &format!("{mem:.0}%"), &format!("{io:.0}%"));
        brush.text(buf, x, area.y, area.right().saturating_sub(x), &line, Role::Dim);
    }
    let mut top = area.y + 1;
    if let Some(p) = row.problems.first() {
        brush.text(
            buf,
            area.x + 3,
            top,
            area.width.saturating_sub(4),
            &problem_line(p, now),
            severity_role(p.severity),
        );
        top += 1;
    }
    let charts = Rect::new(area.x, top, area.width, (area.bottom() - top) / 2);
    draw_charts(tab, row, brush, buf, charts, now);
    let below = Rect::new(area.x, charts.bottom(), area.width, area.bottom() - charts.bottom());
    let left_width = (below.width * 2 / 5).max(30).min(below.width);
    draw_disks(tab, row, brush, buf, Rect::new(below.x, below.y, left_width, below.height), now);
    draw_processes(s, brush, buf, Rect::new(below.x + left_width, below.y, below.width - left_width, below.height));
}

/// A picture of one figure over time.
struct Curve<'a> {
    title: String,
    now: String,
    values: Vec<Option<f64>>,
    max: f64,
    role: Role,
    area: &'a Rect,
}

fn draw_charts(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let s = &row.sample;
    let (w, h) = (area.width / 2, area.height / 2);
    let quarter = |i: u16| {
        let x = area.x + (i % 2) * w;
        let width = if i % 2 == 1 { area.width - w } else { w };
        let height = if i >= 2 { area.height - h } else { h };
        Rect::new(x, area.y + (i / 2) * h, width, height)
    };
    let span = SPANS[tab.span];
    let span_text = if span >= DAY {
        format!("{}d", span / DAY)
    } else if span >= HOUR {
        format!("{}h", span / HOUR)
    } else {
        format!("{}m", span / 60_000)
    };
    let columns = usize::from(w.saturating_sub(2)) * 2;
    // time, then cpu, mem, io, net
    let points: Vec<(Millis, [f64; 4])> = if tab.is_here(&s.host) && tab.span == 0 {
        // what the store knows from before this console was opened comes first
        let since = tab.ring.front().map_or(Millis::MAX, |s| s.at);
        let stored = tab.history.iter().filter(|(host, _)| *host == s.host).flat_map(|(_, points)| points);
        stored
            .filter(|p| p.at < since)
            .map(|p| (p.at, [p.cpu, p.mem, p.io, p.net]))
            .chain(tab.ring.iter().map(|s| {
                let (read, write) = s.io_bps();
                (s.at, [s.cpu, s.mem(), read + write, s.rx_bps + s.tx_bps])
            }))
            .collect()
    } else {
        match &tab.history {
            Some((host, points)) if *host == s.host => {
                points.iter().map(|p| (p.at, [p.cpu, p.mem, p.io, p.net])).collect()
            }
            _ => vec![],
        }
    };
    let series = |which: usize| bins(&points, which, now - span, now, columns);
    let top = |values: &[Option<f64>]| values.iter().flatten().copied().fold(1024.0, f64::max);
    let (io, net) = (series(2), series(3));
    let (read, write) = s.io_bps();
    let memory = format!("{:.0}%  {} / {}", s.mem(), bytes(s.mem_used), bytes(s.mem_total));
    let quarters = [quarter(0), quarter(1), quarter(2), quarter(3)];
    let curves = [
        Curve {
            title: format!("{} {:.0}%", say::cpu(), s.cpu),
            now: say::span(&span_text),
            values: series(0),
            max: 100.0,
            role: Role::ChartCpu,
            area: &quarters[0],
        },
        Curve {
            title: format!("{} {memory}", say::memory()),
            now: String::new(),
            values: series(1),
            max: 100.0,
            role: Role::ChartMem,
            area: &quarters[1],
        },
        Curve {
            title: format!("{} r {}/s w {}/s", say::disk_io(), bytes(read as u64), bytes(write as u64)),
            now: format!("{}/s", bytes(top(&io) as u64)),
            max: top(&io),
            values: io,
            role: Role::ChartDisk,
            area: &quarters[2],
        },
        Curve {
            title: format!("{} ↓ {}/s ↑ {}/s", say::network(), bytes(s.rx_bps as u64), bytes(s.tx_bps as u64)),
            now: format!("{}/s", bytes(top(&net) as u64)),
            max: top(&net),
            values: net,
            role: Role::ChartNet,
            area: &quarters[3],
        },
    ];
    for curve in curves {
        let title = if brush.ascii { curve.title.replace('↓', "in").replace('↑', "out") } else { curve.title };
        let inside = brush.panel(buf, *curve.area, &title);
        if !curve.now.is_empty() {
            brush.text_right(
                buf,
                curve.area.right().saturating_sub(2),
                curve.area.y,
                &format!(" {} ", curve.now),
                Role::Dim,
            );
        }
        chart::area(brush, buf, inside, &curve.values, curve.max, curve.role);
    }
}

/// `points` in `n` bins over [from, to): the highest of each; gaps up to three bins are bridged.
fn bins(points: &[(Millis, [f64; 4])], which: usize, from: Millis, to: Millis, n: usize) -> Vec<Option<f64>> {
    let mut out: Vec<Option<f64>> = vec![None; n.max(1)];
    let width = ((to - from) / n.max(1) as Millis).max(1);
    for (at, values) in points {
        // bins are aligned to the clock, so that the curve moves by whole cells
        let i = (at / width) - (to / width) + n as Millis - 1;
        if let Some(bin) = usize::try_from(i).ok().and_then(|i| out.get_mut(i)) {
            *bin = Some(bin.map_or(values[which], |v: f64| v.max(values[which])));
        }
    }
    let mut last = None;
    for (i, bin) in out.iter_mut().enumerate() {
        match (*bin, last) {
            (Some(v), _) => last = Some((i, v)),
            (None, Some((at, v))) if i - at <= 12 && points.len() > 1 => *bin = Some(v),
            _ => {}
        }
    }
    out
}

fn draw_disks(tab: &HealthTab, row: &HostRow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let s = &row.sample;
    let cores = s.cores.len();
    let core_rows = cores.div_ceil(2).min(usize::from(area.height / 2)) as u16;
    let inside =
        brush.panel(buf, Rect::new(area.x, area.y, area.width, core_rows + 2), &format!("{} {cores}", say::cores()));
    let half = inside.width / 2;
    for (i, core) in s.cores.iter().enumerate().take(usize::from(core_rows) * 2) {
        let (x, y) = (inside.x + 1 + (i as u16 % 2) * half, inside.y + i as u16 / 2);
        brush.text(buf, x, y, 3, &cell_right(&i.to_string(), 3), Role::Dim);
        let bar = half.saturating_sub(12);
        brush.gauge(buf, x + 4, y, bar, core / 100.0, Role::ChartCpu);
        brush.text(buf, x + 5 + bar, y, 4, &cell_right(&format!("{core:.0}%"), 4), Role::Text);
    }
    let below = Rect::new(area.x, area.y + core_rows + 2, area.width, area.height.saturating_sub(core_rows + 2));
    let inside = brush.panel(buf, below, &say::file_systems());
    if inside.height == 0 {
        return;
    }
    let mut y = inside.y;
    for disk in &s.disks {
        if y >= inside.bottom() {
            break;
        }
        let share = if disk.total == 0 { 0.0 } else { disk.used as f64 / disk.total as f64 };
        let role = row
            .problems
            .iter()
            .find(|p| p.metric == Metric::Disk && p.on == disk.mount)
            .map_or(Role::ChartDisk, |p| severity_role(p.severity));
        let name = inside.width.saturating_sub(34).clamp(6, 24);
        brush.text(buf, inside.x + 1, y, name, &disk.mount, Role::Text);
        brush.gauge(buf, inside.x + 2 + name, y, 10, share, role);
        let mut line = format!("{:>3.0}%  {} / {}", share * 100.0, bytes(disk.used), bytes(disk.total));
        if disk.stuck {
            line = say::stuck();
        } else if s.fullest().is_some_and(|(d, _)| d.mount == disk.mount)
            && let Some(left) = tab.full_in(row, now)
        {
            line = format!("{line}  {}", say::full_in(&countdown::age(left)));
        }
        brush.text(buf, inside.x + 13 + name, y, inside.width.saturating_sub(name + 13), &line, Role::Text);
        y += 1;
    }
    if s.swap_total > 0 && y < inside.bottom() {
        let name = inside.width.saturating_sub(34).clamp(6, 24);
        brush.text(buf, inside.x + 1, y, name, &say::swap(), Role::Text);
        brush.gauge(buf, inside.x + 2 + name, y, 10, s.swap() / 100.0, Role::ChartMem);
        let line = format!("{:>3.0}%  {} / {}", s.swap(), bytes(s.swap_used), bytes(s.swap_total));
        brush.text(buf, inside.x + 13 + name, y, inside.width.saturating_sub(name + 13), &line, Role::Text);
    }
}

fn draw_processes(s: &Sample, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let inside = brush.panel(buf, area, &say::processes(s.process_count));
    if inside.height < 2 || inside.width < 24 {
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
        brush.text(
            buf,
            inside.x + 1,
            y,
            inside.width.saturating_sub(1),
            &line,
            if p.cpu >= 1.0 { Role::Text } else { Role::Dim },
        );
    }
}
