//! Why a node stands where it stands, and the cases that wait there; or the ways back.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pane;
use super::words::{direction, open_line, score_line, short};
use crate::clock::Millis;
use crate::locale::workflows as say;
use crate::text::{cell_right, clean, wrap};
use crate::tui::paint::Brush;
use crate::tui::theme::Role;
use crate::workflows::insight::{Direction, Node};
use crate::workflows::report::{self, percent, span};
use crate::workflows::tab::{Flow, Pane, WorkflowsTab};

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

pub(super) fn draw_evidence(tab: &WorkflowsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
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
    if let (Some(wait), Some(work)) = (&n.waiting, &n.processing) {
        add(&say::wait_work(&short(wait.median), &short(wait.p95), &short(work.median), &short(work.p95)), Role::Text);
    } else if let Some(s) = n.losing() {
        add(&say::sojourn(&short(s.median), &short(s.p95)), Role::Text);
    }
    if let Some(usual) = n.usual {
        add(&say::usual(&span(usual)), Role::Dim);
    }
    if n.trend.iter().any(Option::is_some) {
        let trend_role = if n.direction == Direction::Rising { Role::Warn } else { Role::Dim };
        add(&say::trend(&sparkline(&n.trend, brush.ascii), &direction(n)), trend_role);
    }
    if let Some(p) = &n.slowest {
        let others = if p.others > 0.0 { short(p.others) } else { "—".into() };
        add(&say::slowest(&clean(&p.name), &short(p.median), &others, p.executions, p.open), Role::Text);
    }
    if n.again != (0, 0) {
        add(&say::again(n.again.0, n.again.1, n.repeated.0, n.repeated.1), Role::Dim);
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
        let mut advice: Vec<String> = Vec::new();
        for a in report::advice(n) {
            let parts = wrap(&a, usize::from(room.saturating_sub(2)));
            // told whole or not at all, but for the first
            if !advice.is_empty() && advice.len() + parts.len() > most {
                break;
            }
            let parts = parts.into_iter().enumerate();
            advice.extend(parts.map(|(i, p)| format!("{}{p}", if i == 0 { "→ " } else { "  " })));
        }
        advice.truncate(most);
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
    let (own, back) =
        loops.iter().fold((0, 0), |(s, l), x| if x.is_self() { (s + x.count, l) } else { (s, l + x.count) });
    brush.text(buf, area.x + 1, area.y + 1, area.width - 2, &say::loops_split(own, back), Role::Dim);
    let body = Rect::new(area.x, area.y + 2, area.width, area.height.saturating_sub(2));
    let each = 2;
    for (row, i) in tab.case.window(loops.len(), usize::from(body.height / each)).zip(0u16..) {
        let (l, y) = (&loops[row], body.y + i * each);
        let (arrow, again, to) = if brush.ascii { ("<-", "()", "->") } else { ("↩", "↺", "→") };
        brush.text(
            buf,
            body.x + 1,
            y,
            body.width - 2,
            &if l.is_self() {
                format!("{again} {}", clean(&l.to))
            } else {
                format!("{arrow} {} {to} {}", clean(&l.from), clean(&l.to))
            },
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
