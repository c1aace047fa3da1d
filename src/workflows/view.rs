//! The picture of the Workflows tab: which workflow, which node, which cases, and what to do about it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::insight::{Direction, Node};
use super::report::{self, percent, span};
use super::tab::{Flow, Pane, WorkflowsTab};
use crate::clock::{DAY, HOUR, Millis};
use crate::locale::workflows as say;
use crate::text::{cell, cell_right, clean, width, wrap};
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// A duration in few cells: `38m`, `5.2h`, `3.4d`, `412d`.
fn short(ms: f64) -> String {
    let (h, d) = (ms / HOUR as f64, ms / DAY as f64);
    if ms < 1_000.0 {
        "0".into()
    } else if h < 1.0 {
        format!("{:.0}m", (ms / 60_000.0).max(1.0))
    } else if h < 10.0 {
        format!("{h:.1}h")
    } else if d < 1.0 {
        format!("{h:.0}h")
    } else if d < 10.0 {
        format!("{d:.1}d")
    } else {
        format!("{d:.0}d")
    }
}

/// A word of the ticket room.
pub(super) fn word(w: &str) -> String {
    use crate::locale::tickets as t;
    match w {
        "general" => t::general(),
        "important" => t::important(),
        "urgent" => t::urgent(),
        "individual" => t::individual(),
        "department" => t::department(),
        "company" => t::company(),
        other => other.to_owned(),
    }
}

/// What a node costs.
pub(super) fn score_line(n: &Node) -> String {
    if !n.is_work {
        return say::not_work();
    }
    say::score(&percent(n.score), &short(n.lost), n.executions)
}

/// What is open at a node, and how much of it is late.
pub(super) fn open_line(n: &Node) -> String {
    let b = n.blocked;
    match b.share() {
        Some(share) => {
            let (low, high) = (percent(b.interval.0), percent(b.interval.1));
            say::open_blocked(b.open, &percent(share), b.blocked, &low, &high)
        }
        None if b.open == 0 => say::open_none(),
        None => say::open_few(b.open, b.blocked),
    }
}

/// The sign of a node or workflow: what stands out is told by shape as well as by colour.
fn sign(worst: bool, late: bool, ascii: bool) -> (&'static str, Role) {
    match (worst, late, ascii) {
        (true, _, false) => ("▲", Role::Warn),
        (true, _, true) => ("^", Role::Warn),
        (_, true, false) => ("•", Role::Warn),
        (_, true, true) => ("*", Role::Warn),
        (_, _, false) => ("·", Role::Dim),
        _ => (".", Role::Dim),
    }
}

pub(super) fn draw(tab: &WorkflowsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    if tab.flows.is_empty() {
        return draw_empty(brush, buf, area);
    }
    if area.width >= 120 {
        let left = (area.width / 5).clamp(26, 36);
        let right = (area.width * 3 / 10).clamp(36, 60);
        let middle = area.width - left - right;
        draw_list(tab, brush, buf, Rect::new(area.x, area.y, left, area.height));
        draw_nodes(tab, brush, buf, Rect::new(area.x + left, area.y, middle, area.height));
        draw_evidence(tab, brush, buf, Rect::new(area.x + left + middle, area.y, right, area.height), now);
        return;
    }
    // narrow: the list above, the nodes beneath, the evidence last; on few lines only where the cursor is
    let list = (tab.flows.len() as u16 + 2).min(area.height / 4).max(3);
    if area.height < 24 && tab.pane == Pane::List {
        let nodes = area.height.saturating_sub(list);
        draw_list(tab, brush, buf, Rect::new(area.x, area.y, area.width, list));
        return draw_nodes(tab, brush, buf, Rect::new(area.x, area.y + list, area.width, nodes));
    }
    if area.height < 24 {
        let nodes = if tab.pane == Pane::Nodes { area.height * 3 / 5 } else { area.height / 3 };
        draw_nodes(tab, brush, buf, Rect::new(area.x, area.y, area.width, nodes));
        return draw_evidence(tab, brush, buf, Rect::new(area.x, area.y + nodes, area.width, area.height - nodes), now);
    }
    let nodes = tab.flow().map_or(0, |f| f.seen.nodes.len() as u16 + 6).min((area.height - list) * 3 / 5);
    draw_list(tab, brush, buf, Rect::new(area.x, area.y, area.width, list));
    draw_nodes(tab, brush, buf, Rect::new(area.x, area.y + list, area.width, nodes));
    let rest = Rect::new(area.x, area.y + list + nodes, area.width, area.height - list - nodes);
    draw_evidence(tab, brush, buf, rest, now);
}

fn draw_empty(brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let lines = [
        (say::empty_title(), Role::Title),
        (String::new(), Role::Text),
        (say::empty_what(), Role::Text),
        (String::new(), Role::Text),
        (say::empty_import(), Role::Key),
        (say::empty_csv(), Role::Key),
        (say::empty_cron(), Role::Key),
    ];
    let mut y = area.y + 1;
    for (line, role) in lines {
        for part in wrap(&line, usize::from(area.width.saturating_sub(4))) {
            if y >= area.bottom() {
                return;
            }
            brush.text(buf, area.x + 2, y, area.width.saturating_sub(4), &part, role);
            y += 1;
        }
    }
}

/// The title of a pane; where the keys move it is marked.
fn pane(tab: &WorkflowsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, pane: Pane, title: &str) -> Rect {
    let here = tab.pane == pane;
    let mark = match (here, brush.ascii) {
        (false, _) => "",
        (true, false) => "▸ ",
        (true, true) => "> ",
    };
    let inside = brush.panel(buf, area, &format!("{mark}{title}"));
    if here && area.width > 4 && area.height > 2 {
        let title = format!(" {mark}{} ", clean(title));
        let cells = (area.width - 4).min(width(&title) as u16);
        brush.text(buf, area.x + 2, area.y, cells, &title, Role::Key);
    }
    inside
}

fn draw_list(tab: &WorkflowsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let inside = pane(tab, brush, buf, area, Pane::List, &format!("{} {}", say::name(), tab.flows.len()));
    if inside.height == 0 || inside.width < 16 {
        return;
    }
    let (lost, open) = (6, 7);
    let name = usize::from(inside.width).saturating_sub(lost + open + 5);
    let mut body = inside;
    if inside.height > 4 {
        let head = format!(
            "  {} {} {}",
            cell(&say::head_workflow(), name),
            cell_right(&say::head_lost_time(), lost),
            cell_right(&say::head_late(), open)
        );
        brush.text(buf, inside.x, inside.y, inside.width, &head, Role::Header);
        body = Rect::new(inside.x, inside.y + 1, inside.width, inside.height - 1);
    }
    for (row, y) in tab.place.window(tab.flows.len(), body.height.into()).zip(body.top()..body.bottom()) {
        let flow = &tab.flows[row];
        let seen = &flow.seen;
        let late = if seen.past { 0 } else { seen.blocked() };
        let (mark, role) = sign(false, late > 0, brush.ascii);
        brush.text(buf, body.x, y, 1, mark, role);
        brush.text(
            buf,
            body.x + 2,
            y,
            name as u16,
            &flow.workflow.name,
            if seen.past { Role::Dim } else { Role::Text },
        );
        let x = body.x + 3 + name as u16;
        brush.text(buf, x, y, lost as u16, &cell_right(&short(seen.lost), lost), Role::Text);
        let open_text = if late > 0 { format!("{late}/{}", seen.running) } else { seen.running.to_string() };
        let role = if late > 0 { Role::Warn } else { Role::Dim };
        brush.text(buf, x + lost as u16 + 1, y, open as u16, &cell_right(&open_text, open), role);
        if row == tab.place.at {
            brush.select(buf, Rect::new(body.x, y, body.width, 1));
        }
    }
}

/// What stands before the nodes: how many came and went, how long it took.
fn summary(tab: &WorkflowsTab, flow: &Flow) -> [String; 2] {
    let s = &flow.seen;
    let took = |f: fn(&super::model::Spread) -> f64| s.duration.as_ref().map_or_else(|| "—".into(), |d| short(f(d)));
    let rework = s.rework_share.map_or_else(|| "—".into(), percent);
    let came = say::came(&tab.window_text(), s.started, s.finished, s.running);
    let took = say::took(&took(|d| d.mean), &took(|d| d.median), &took(|d| d.p95), &rework);
    [came, took]
}

/// The columns of the node table, by what there is room for.
struct Columns {
    name: u16,
    bar: u16,
    blocked: bool,
    person: u16,
}

impl Columns {
    fn of(total: u16) -> Self {
        // sign 2, wait 6, work 6, lost 5, open 5 and a blank each
        let mut left = total.saturating_sub(2 + 7 + 7 + 6 + 6);
        let blocked = left >= 50;
        if blocked {
            left -= 8;
        }
        let person = if left >= 64 { (left / 5).min(18) } else { 0 };
        left -= person;
        let bar = if left >= 30 { (left * 2 / 5).min(40) } else { 0 };
        Self { name: left.saturating_sub(bar + 1), bar, blocked, person }
    }
}

fn draw_nodes(tab: &WorkflowsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let Some(flow) = tab.flow() else { return };
    let inside = pane(tab, brush, buf, area, Pane::Nodes, &clean(&flow.workflow.name));
    if inside.height < 3 || inside.width < 30 {
        return;
    }
    let seen = &flow.seen;
    let mut y = inside.y;
    let room = inside.width.saturating_sub(2);
    let [came, took] = summary(tab, flow);
    brush.text(buf, inside.x + 1, y, room, &came, Role::Text);
    y += 1;
    if inside.height > 6 {
        brush.text(buf, inside.x + 1, y, room, &took, Role::Dim);
        y += 1;
    }
    if seen.past && inside.height > 8 {
        let day = crate::clock::rfc3339(seen.as_of);
        brush.text(buf, inside.x + 1, y, room, &say::past(day.get(..10).unwrap_or(&day)), Role::Stale);
        y += 1;
    }
    if inside.height > 8 {
        y += 1;
    }
    let c = Columns::of(inside.width - 1);
    let mut x = inside.x + 3;
    let mut head = |cells: u16, text: &str, right: bool| {
        let text = if right { cell_right(text, cells.into()) } else { cell(text, cells.into()) };
        brush.text(buf, x, y, cells, &text, Role::Header);
        x += cells + 1;
    };
    head(c.name, &say::head_node(), false);
    if c.bar > 0 {
        head(c.bar, &say::head_bar(if brush.ascii { "-" } else { "░" }, if brush.ascii { "#" } else { "█" }), false);
    }
    head(6, &say::head_wait(), true);
    head(6, &say::head_proc(), true);
    head(5, &say::head_lost(), true);
    head(5, &say::head_open(), true);
    if c.blocked {
        head(7, &say::head_blocked(), true);
    }
    if c.person > 0 {
        head(c.person, &say::head_slowest(), false);
    }
    y += 1;
    let body = Rect::new(inside.x, y, inside.width, inside.bottom().saturating_sub(y));
    // one scale for all: the longest node fills the bar
    let parts = |n: &Node| match (&n.waiting, &n.processing, &n.sojourn) {
        (Some(w), p, _) => (w.median, p.as_ref().map_or(0.0, |p| p.median)),
        (None, _, Some(s)) => (s.median, 0.0),
        _ => (0.0, 0.0),
    };
    let longest = seen.nodes.iter().map(|n| parts(n).0 + parts(n).1).fold(1.0, f64::max);
    let worst = seen.bottleneck().map(|n| n.name.clone());
    for (row, y) in tab.node.window(seen.nodes.len(), body.height.into()).zip(body.top()..body.bottom()) {
        let n = &seen.nodes[row];
        let is_worst = worst.as_ref() == Some(&n.name);
        let (mark, mark_role) = sign(is_worst, n.blocked.blocked > 0 && !seen.past, brush.ascii);
        brush.text(buf, body.x + 1, y, 1, mark, mark_role);
        let role = match (is_worst, n.is_work) {
            (true, _) => Role::Warn,
            (_, false) => Role::Dim,
            _ => Role::Text,
        };
        let mut x = body.x + 3;
        brush.text(buf, x, y, c.name, &n.name, role);
        x += c.name + 1;
        let (wait, work) = parts(n);
        if c.bar > 0 {
            draw_bar(brush, buf, (x, y), c.bar, (wait / longest, work / longest), is_worst);
            x += c.bar + 1;
        }
        let shown = |ms: f64, there: bool| if there { short(ms) } else { "—".into() };
        let dim = if is_worst { Role::Warn } else { Role::Text };
        brush.text(buf, x, y, 6, &cell_right(&shown(wait, n.sojourn.is_some() || n.waiting.is_some()), 6), dim);
        brush.text(buf, x + 7, y, 6, &cell_right(&shown(work, n.processing.is_some()), 6), Role::Dim);
        brush.text(buf, x + 14, y, 5, &cell_right(&if n.is_work { percent(n.score) } else { "—".into() }, 5), role);
        brush.text(buf, x + 20, y, 5, &cell_right(&n.blocked.open.to_string(), 5), Role::Text);
        x += 26;
        if c.blocked {
            let text = match n.blocked.share() {
                Some(share) => percent(share),
                None if n.blocked.open == 0 => "·".into(),
                None => format!("{}/{}", n.blocked.blocked, n.blocked.open),
            };
            let late = n.blocked.blocked > 0 && !seen.past;
            brush.text(buf, x, y, 7, &cell_right(&text, 7), if late { Role::Warn } else { Role::Dim });
            x += 8;
        }
        if c.person > 0
            && let Some(p) = &n.slowest
        {
            let stands_out = p.others > 0.0 && p.median >= 2.0 * p.others;
            let text = format!("{} {}", clean(&p.name), short(p.median));
            brush.text(buf, x, y, c.person, &text, if stands_out { Role::Warn } else { Role::Dim });
        }
        if row == tab.node.at {
            brush.select(buf, Rect::new(body.x, y, body.width, 1));
        }
    }
}

/// Waiting and work side by side, of the whole `cells`.
fn draw_bar(brush: &Brush<'_>, buf: &mut Buffer, at: (u16, u16), cells: u16, (wait, work): (f64, f64), worst: bool) {
    let total = f64::from(cells);
    let end = |share: f64| (share.clamp(0.0, 1.0) * total).round() as u16;
    let waits = end(wait).max(u16::from(wait > 0.0));
    let works = end(wait + work).max(waits + u16::from(work > 0.0)).min(cells) - waits.min(cells);
    let (w, p) = if brush.ascii { ("-", "#") } else { ("░", "█") };
    let x = brush.text(
        buf,
        at.0,
        at.1,
        cells,
        &w.repeat(waits.min(cells).into()),
        if worst { Role::Warn } else { Role::ChartCpu },
    );
    brush.text(buf, x, at.1, (at.0 + cells).saturating_sub(x), &p.repeat(works.into()), Role::ChartMem);
}

/// A line of bars, one a part of the window.
fn sparkline(values: &[Option<f64>], ascii: bool) -> String {
    let top = values.iter().flatten().copied().fold(0.0, f64::max);
    values
        .iter()
        .map(|v| {
            let Some(v) = v else { return ' ' };
            let level = if top > 0.0 { (v / top * 7.0).round() as usize } else { 0 };
            if ascii {
                ['.', '_', '-', '=', '+', '*', '%', '#'][level.min(7)]
            } else {
                ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][level.min(7)]
            }
        })
        .collect()
}

fn draw_evidence(tab: &WorkflowsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let Some((flow, n)) = tab.current() else {
        brush.panel(buf, area, "");
        return;
    };
    let title = if tab.loops { say::ways_back() } else { clean(&n.name).into_owned() };
    let inside = pane(tab, brush, buf, area, Pane::Evidence, &title);
    if inside.height < 2 || inside.width < 20 {
        return;
    }
    if tab.loops {
        return draw_loops(tab, flow, brush, buf, inside);
    }
    let (x, room) = (inside.x + 1, inside.width.saturating_sub(2));
    let mut y = inside.y;
    let mut lines: Vec<(String, Role)> = Vec::new();
    let mut add = |text: &str, role: Role| {
        lines.extend(wrap(text, room.into()).into_iter().map(|part| (part, role)));
    };
    let is_worst = flow.seen.bottleneck().is_some_and(|b| b.name == n.name);
    add(&score_line(n), if is_worst { Role::Warn } else { Role::Text });
    add(&open_line(n), if n.blocked.blocked > 0 && !flow.seen.past { Role::Warn } else { Role::Text });
    if let Some(usual) = n.usual {
        add(&say::usual(&span(usual)), Role::Dim);
    }
    let way = match n.direction {
        Direction::Rising => say::rising(),
        Direction::Steady => say::steady(),
        Direction::Falling => say::falling(),
    };
    let trend_role = if n.direction == Direction::Rising { Role::Warn } else { Role::Dim };
    add(&say::trend(&sparkline(&n.trend, brush.ascii), &way), trend_role);
    if let Some(p) = &n.slowest {
        let others = if p.others > 0.0 { short(p.others) } else { "—".into() };
        add(&say::slowest(&clean(&p.name), &short(p.median), &others, p.executions, p.open), Role::Text);
    }
    // advice and cases share what is left
    let head = lines.len().min(usize::from(inside.height));
    for (text, role) in lines.drain(..).take(head) {
        brush.text(buf, x, y, room, &text, role);
        y += 1;
    }
    let left = inside.bottom().saturating_sub(y);
    if left >= 6 {
        y += 1;
        let most = usize::from(left / 2);
        let advice: Vec<String> = report::advice(n)
            .iter()
            .flat_map(|a| {
                let parts = wrap(a, usize::from(room.saturating_sub(2)));
                parts.into_iter().enumerate().map(|(i, p)| format!("{}{p}", if i == 0 { "→ " } else { "  " }))
            })
            .take(most)
            .collect();
        for line in advice {
            let line = if brush.ascii { line.replace('→', ">") } else { line };
            brush.text(buf, x, y, room, &line, Role::Info);
            y += 1;
        }
        y += 1;
    }
    if y < inside.bottom() {
        draw_cases(tab, flow, n, brush, buf, Rect::new(inside.x, y, inside.width, inside.bottom() - y), now);
    }
}

fn draw_cases(tab: &WorkflowsTab, flow: &Flow, n: &Node, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let late = n.stuck.iter().filter(|s| s.late).count();
    brush.text(
        buf,
        area.x + 1,
        area.y,
        area.width.saturating_sub(2),
        &say::cases_here(n.stuck.len(), late),
        Role::Header,
    );
    let body = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    let now = if flow.seen.past { flow.seen.as_of } else { now };
    let who = if body.width >= 40 { 12 } else { 0 };
    let name = usize::from(body.width).saturating_sub(3 + 7 + who + 1);
    for (row, y) in tab.case.window(n.stuck.len(), body.height.into()).zip(body.top()..body.bottom()) {
        let s = &n.stuck[row];
        let (mark, role) = match (s.late, brush.ascii) {
            (true, false) => ("▲", Role::Warn),
            (true, true) => ("^", Role::Warn),
            (false, false) => ("·", Role::Dim),
            (false, true) => (".", Role::Dim),
        };
        brush.text(buf, body.x + 1, y, 1, mark, role);
        brush.text(buf, body.x + 3, y, name as u16, &s.case, Role::Text);
        let age = format!("{}{}", short((now - s.since).max(0) as f64), if s.expected { "?" } else { "" });
        let x = body.x + 3 + name as u16;
        brush.text(buf, x, y, 7, &cell_right(&age, 7), if s.late { Role::Warn } else { Role::Dim });
        if who > 0 {
            brush.text(buf, x + 8, y, who as u16, &s.resource, Role::Dim);
        }
        if tab.pane == Pane::Evidence && row == tab.case.at {
            brush.select(buf, Rect::new(body.x, y, body.width, 1));
        }
    }
}

fn draw_loops(tab: &WorkflowsTab, flow: &Flow, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let loops = &flow.seen.loops;
    let share = flow.seen.rework_share.map_or_else(|| "—".into(), percent);
    brush.text(buf, area.x + 1, area.y, area.width - 2, &say::rework_line(&share), Role::Text);
    let body = Rect::new(area.x, area.y + 1, area.width, area.height - 1);
    let each = 2;
    for (row, i) in tab.case.window(loops.len(), usize::from(body.height / each)).zip(0u16..) {
        let (l, y) = (&loops[row], body.y + i * each);
        let arrow = if brush.ascii { "<-" } else { "↺" };
        brush.text(
            buf,
            body.x + 1,
            y,
            body.width - 2,
            &format!("{arrow} {} → {}", clean(&l.from), clean(&l.to)),
            Role::Text,
        );
        brush.text(buf, body.x + 3, y + 1, body.width - 4, &say::loop_count(l.count, l.cases), Role::Dim);
        if tab.pane == Pane::Evidence && row == tab.case.at {
            brush.select(buf, Rect::new(body.x, y, body.width, each));
        }
    }
    if loops.is_empty() {
        brush.text(buf, body.x + 1, body.y, body.width - 2, &say::no_loops(), Role::Dim);
    }
}
