//! The picture of the Workflows tab: which workflow, which node, which cases, and what to do about it.

mod evidence;
pub(super) mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::evidence::draw_evidence;
use self::words::short;
use super::insight::Node;
use super::report::percent;
use super::tab::{Flow, Pane, WorkflowsTab};
use crate::clock::Millis;
use crate::locale::workflows as say;
use crate::text::{cell, cell_right, clean, width, wrap};
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

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
    let look = tab.look();
    if area.width >= 120 {
        let left = (area.width / 4).clamp(30, 44);
        let beside = look.preview && !look.below;
        let right = if beside { (area.width * 3 / 10).clamp(36, 60) } else { 0 };
        let middle = area.width - left - right;
        let under = if look.preview && look.below { (area.height * 2 / 5).max(7) } else { 0 };
        let nodes = Rect::new(area.x + left, area.y, middle, area.height.saturating_sub(under));
        draw_list(tab, brush, buf, Rect::new(area.x, area.y, left, area.height));
        draw_nodes(tab, brush, buf, nodes);
        if beside {
            draw_evidence(tab, brush, buf, Rect::new(nodes.right(), area.y, right, area.height), now);
        } else if look.preview {
            draw_evidence(
                tab,
                brush,
                buf,
                Rect::new(nodes.x, nodes.bottom(), middle, area.bottom() - nodes.bottom()),
                now,
            );
        }
        return;
    }
    // narrow: the list above, the nodes beneath, the evidence last; on few lines only where the cursor is
    let list = (tab.flows.len() as u16 + 2).min(area.height / 3).max(3);
    if !look.preview || (area.height < 24 && tab.pane == Pane::List) {
        let nodes = area.height.saturating_sub(list);
        draw_list(tab, brush, buf, Rect::new(area.x, area.y, area.width, list));
        return draw_nodes(tab, brush, buf, Rect::new(area.x, area.y + list, area.width, nodes));
    }
    if area.height < 24 {
        let nodes = if tab.pane == Pane::Nodes { area.height * 3 / 5 } else { area.height / 3 };
        draw_nodes(tab, brush, buf, Rect::new(area.x, area.y, area.width, nodes));
        return draw_evidence(tab, brush, buf, Rect::new(area.x, area.y + nodes, area.width, area.height - nodes), now);
    }
    let nodes = (tab.nodes().len() as u16).saturating_add(6).min((area.height - list) * 3 / 5);
    draw_list(tab, brush, buf, Rect::new(area.x, area.y, area.width, list));
    draw_nodes(tab, brush, buf, Rect::new(area.x, area.y + list, area.width, nodes));
    let rest = Rect::new(area.x, area.y + list + nodes, area.width, area.height - list - nodes);
    draw_evidence(tab, brush, buf, rest, now);
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

/// The sign of a marked row.
fn marked(brush: &Brush<'_>, buf: &mut Buffer, (x, y): (u16, u16), is_marked: bool) {
    if is_marked {
        brush.text(buf, x, y, 1, if brush.ascii { "*" } else { "▌" }, Role::Mark);
    }
}

/// How many workflows there are, and which of them are listed.
fn list_title(tab: &WorkflowsTab) -> String {
    let shown = tab.hidden().unwrap_or_else(|| tab.flows.len().to_string());
    let faults = if tab.look().faults { " !" } else { "" };
    format!("{} {shown}{faults}", say::name())
}

fn draw_list(tab: &WorkflowsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let inside = pane(tab, brush, buf, area, Pane::List, &list_title(tab));
    if inside.height == 0 || inside.width < 16 {
        return;
    }
    let (lost, open) = (5, 6);
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
    let flows = tab.listed();
    for (row, y) in tab.place.window(flows.len(), body.height.into()).zip(body.top()..body.bottom()) {
        let flow = flows[row];
        let seen = &flow.seen;
        let late = flow.late();
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
        marked(brush, buf, (body.x + 1, y), tab.place.is_marked(row));
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
    let mut lines = vec![(came, Role::Text), (took, Role::Dim)];
    if let Some(age) = &seen.running_age {
        lines.push((say::open_age(&short(age.mean), &short(age.median), &short(age.p95)), Role::Dim));
    }
    if seen.past {
        let day = crate::clock::rfc3339(seen.as_of);
        lines.push((say::past(day.get(..10).unwrap_or(&day)), Role::Stale));
    }
    // told whole where the nodes keep their lines, else as much as there is room for
    let nodes = tab.nodes();
    let spare = usize::from(inside.height).saturating_sub(nodes.len().min(8) + 2);
    let lines: Vec<(String, Role)> = lines
        .into_iter()
        .flat_map(|(text, role)| wrap(&text, room.into()).into_iter().map(move |part| (part, role)))
        .take(spare.max(1))
        .collect();
    for (text, role) in &lines {
        brush.text(buf, inside.x + 1, y, room, text, *role);
        y += 1;
    }
    let c = Columns::of(inside.width - 1);
    let (waits, works) = if brush.ascii { ("-", "#") } else { ("░", "█") };
    let mut legend = say::head_bar(waits, works);
    if c.bar > 0 && width(&legend) > usize::from(c.bar) {
        legend = say::head_bar_short(waits, works);
    }
    // where no column is left for the bars they stand below their nodes
    let under = c.bar == 0 && usize::from(inside.bottom().saturating_sub(y + 2)) >= 2 * nodes.len();
    if spare > lines.len() {
        if under {
            brush.text_right(buf, inside.right().saturating_sub(1), y, &legend, Role::Header);
        }
        y += 1;
    }
    let mut x = inside.x + 3;
    let mut head = |cells: u16, text: &str, right: bool| {
        let text = if right { cell_right(text, cells.into()) } else { cell(text, cells.into()) };
        brush.text(buf, x, y, cells, &text, Role::Header);
        x += cells + 1;
    };
    head(c.name, &say::head_node(), false);
    if c.bar > 0 {
        head(c.bar, &legend, false);
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
    // with a blank line between them where there is room
    let each = match () {
        () if !under => 1,
        () if usize::from(body.height) >= 3 * nodes.len() => 3,
        () => 2,
    };
    for (row, i) in tab.node.window(nodes.len(), usize::from(body.height / each)).zip(0u16..) {
        let (n, y) = (nodes[row], body.y + i * each);
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
                None if !n.blocked.is_known => "?".into(),
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
        if under {
            let cells = body.width.saturating_sub(4);
            draw_bar(brush, buf, (body.x + 3, y + 1), cells, (wait / longest, work / longest), is_worst);
        }
        marked(brush, buf, (body.x, y), tab.node.is_marked(row));
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

fn draw_empty(brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let lines = [
        (say::empty_title(), Role::Title),
        (String::new(), Role::Text),
        (say::empty_what(), Role::Text),
        (String::new(), Role::Text),
        (say::empty_import_what(), Role::Dim),
        (say::empty_import(), Role::Key),
        (say::empty_csv_what(), Role::Dim),
        (say::empty_csv(), Role::Key),
        (say::empty_sql(), Role::Dim),
        (say::empty_sql_import(), Role::Key),
        (say::empty_cron(), Role::Dim),
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
