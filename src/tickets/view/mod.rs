//! The picture of the ticket tab, and its lines for the command line.

mod clock;
mod detail;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::handling::{self, Typical};
use super::model::{Happening, Ticket, messages, taken_back};
use super::sla::Policy;
use super::store::Order;
use super::tab::TicketsTab;
use super::words::{channel_word, flag_word, format, happening_line, level_word, local, scope_word};
use crate::clock::Millis;
use crate::config::Config;
use crate::locale::tickets as say;
use crate::text::{cell, clean, width};
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

pub(super) use clock::{clock_text, next_change};

fn level_role(level: &str) -> Role {
    match level {
        "urgent" => Role::Critical,
        "important" => Role::Warn,
        _ => Role::Text,
    }
}

/// One line for the clipboard.
pub(super) fn summary(config: &Config, policy: &Policy, t: &Ticket, now: Millis) -> String {
    let clock = clock_text(config, policy, t, now, false).0;
    format!("#{} {} {} {}", t.id, level_word(&t.level), clock.trim(), clean(&t.title))
}

/// A queue, by its place in [`super::store::Queue::ORDER`].
pub(super) fn queue_names() -> [String; 5] {
    [say::queue_breaching(), say::queue_mine(), say::queue_unassigned(), say::queue_waiting(), say::queue_all()]
}

pub(super) fn order_word(order: Order) -> String {
    match order {
        Order::Urgency => say::order_urgency(),
        Order::SafeStart => say::order_safe_start(),
        Order::Newest => say::order_newest(),
        Order::Oldest => say::order_oldest(),
    }
}

pub(super) fn draw(tab: &TicketsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    if tab.full {
        detail::draw(tab, brush, buf, area, now);
        return;
    }
    let (list, detail) = tab.place.look.split(area, 60);
    draw_list(tab, brush, buf, list, now);
    if let Some(area) = detail {
        detail::draw(tab, brush, buf, area, now);
    }
}

fn draw_queues(tab: &TicketsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let mut x = area.x + 2;
    let right = area.right().saturating_sub(1);
    if !tab.search.is_empty() && tab.saved.is_none() {
        let more = if tab.capped { "+" } else { "" };
        let found = format!(" {} ", say::found(&tab.search, &format!("{}{more}", tab.rows.len())));
        brush.text(buf, x, area.y, right.saturating_sub(x), &found, Role::TabActive);
        return;
    }
    let saved = tab.config.tickets.queues.iter().enumerate().map(|(i, queue)| {
        let name = crate::text::clean(&queue.name);
        match tab.saved_counts.get(i) {
            Some((n, more)) => format!(" {name} {n}{} ", if *more { "+" } else { "" }),
            None => format!(" {name} "),
        }
    });
    let at = tab.saved.map_or(tab.queue, |i| queue_names().len() + i);
    let labels: Vec<String> = queue_names()
        .iter()
        .zip(tab.counts)
        .map(|(name, count)| {
            let count = if count >= 10_000 { "10k+".to_owned() } else { count.to_string() };
            format!(" {name} {count} ")
        })
        .chain(saved)
        .collect();
    // where not all of them fit, those before the open one give way
    let room = usize::from(right.saturating_sub(x));
    let mut first = 0;
    while first < at && labels[first..=at].iter().map(|l| width(l) + 1).sum::<usize>() > room {
        first += 1;
    }
    for (i, label) in labels.iter().enumerate().skip(first) {
        let role = if i == at { Role::TabActive } else { Role::Header };
        x = brush.text(buf, x, area.y, right.saturating_sub(x), label, role) + 1;
    }
    if tab.order != Order::Urgency {
        let arrow = if brush.ascii { "v" } else { "↓" };
        let order = format!(" {arrow} {} ", order_word(tab.order));
        if usize::from(x) + width(&order) < usize::from(right) {
            brush.text_right(buf, right, area.y, &order, Role::Info);
        }
    }
}

fn draw_list(tab: &TicketsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let mut inside = brush.panel(buf, area, "");
    draw_queues(tab, brush, buf, area);
    // what is wrong with the desk itself stands below its tickets, whatever their order
    if let Some(text) = tab.watch.found.line().filter(|_| inside.height > 3) {
        inside.height -= 1;
        let sign = if brush.ascii { "!" } else { "▲" };
        let text = format!("{sign} {text}");
        brush.text(buf, inside.x + 2, inside.bottom(), inside.width.saturating_sub(3), &text, Role::Warn);
    }
    let foot = area.bottom().saturating_sub(1);
    let late = handling::warning(&tab.outlook);
    if let Some(text) = late.or_else(|| tab.missing_list.map(say::list_missing)) {
        brush.text(buf, area.x + 2, foot, area.width.saturating_sub(4), &format!(" {text} "), Role::Warn);
    }
    if inside.height < 2 {
        return;
    }
    if tab.rows.is_empty() {
        brush.text(buf, inside.x + 2, inside.y + 1, inside.width.saturating_sub(4), &say::empty_title(), Role::Text);
        brush.text(buf, inside.x + 2, inside.y + 2, inside.width.saturating_sub(4), &say::empty_new(), Role::Dim);
        return;
    }
    let body = Rect::new(inside.x, inside.y + 1, inside.width, inside.height - 1);
    let window = tab.place.window(tab.rows.len(), body.height.into());
    let clock = |t| clock_text(&tab.config, &tab.policy, t, now, brush.ascii);
    let clocks: Vec<(String, Role)> = tab.rows[window.clone()].iter().map(clock).collect();
    let c = Columns::of(tab, &clocks, inside.width);
    let head = [
        cell("  #", usize::from(2 + c.id)),
        cell(&say::head_level(), usize::from(c.level)),
        cell(&format!("  {}", say::head_clock()), usize::from(c.clock)),
        cell(&say::head_safe_start(), usize::from(c.start)),
        cell(&say::head_title(), usize::from(c.title) + 1),
        cell(&say::head_from(), usize::from(c.from)),
        cell(&say::head_owner(), usize::from(c.owner)),
    ];
    brush.text(buf, inside.x, inside.y, inside.width, &head.concat(), Role::Header);
    for ((i, y), (clock, role)) in window.zip(body.top()..).zip(clocks) {
        let t = &tab.rows[i];
        let mut x = body.x;
        if tab.place.is_marked(i) {
            brush.text(buf, x, y, 1, if brush.ascii { "*" } else { "▌" }, Role::Mark);
        }
        x += 2;
        brush.text(buf, x, y, c.id - 1, &t.id.to_string(), Role::Dim);
        x += c.id;
        brush.text(buf, x, y, c.level - 1, &level_word(&t.level), level_role(&t.level));
        x += c.level;
        brush.text(buf, x, y, c.clock - 1, &clock, role);
        x += c.clock;
        if c.start > 0 {
            let (text, role) = start_cell(&tab.config, t, now, brush.ascii);
            brush.text(buf, x, y, c.start - 1, &text, role);
            x += c.start;
        }
        let late = if let Some(flag) = &t.flag {
            format!("{} ", flag_word(flag))
        } else if t.born_late {
            format!("{} ", say::born_late())
        } else {
            String::new()
        };
        // how many people reported it says more than most titles
        let sign = if brush.ascii { 'x' } else { '×' };
        let reports = if t.reports > 1 { format!("{sign}{} ", t.reports) } else { String::new() };
        let end = x + c.title;
        let used = brush.text(buf, x, y, c.title, &reports, Role::Info);
        let used = brush.text(buf, used, y, end.saturating_sub(used), &late, Role::Stale);
        brush.text(buf, used, y, end.saturating_sub(used), &t.title, Role::Text);
        x = end + 1;
        if c.from > 0 {
            brush.text(buf, x, y, c.from - 1, &format!("{} {}", channel_word(&t.channel), t.reporter), Role::Dim);
            x += c.from;
        }
        let role = if t.owner.is_some() { Role::Text } else { Role::Dim };
        brush.text(buf, x, y, c.owner, t.owner.as_deref().unwrap_or("—"), role);
        if i == tab.place.at {
            brush.select(buf, Rect::new(body.x, y, body.width, 1));
        }
    }
}

/// The cells of each column, the blank behind it among them; 0: not shown. None is wider than what stands in it, the rest
/// is the title's.
struct Columns {
    id: u16,
    level: u16,
    clock: u16,
    start: u16,
    title: u16,
    from: u16,
    owner: u16,
}

impl Columns {
    fn of(tab: &TicketsTab, clocks: &[(String, Role)], total: u16) -> Self {
        let cells = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0) as u16;
        let id = cells(&mut tab.rows.iter().map(|t| t.id.to_string().len())).max(3) + 1;
        let level = cells(&mut super::model::SEVERITIES.iter().map(|l| width(&level_word(l))));
        let level = level.max(width(&say::head_level()) as u16) + 2;
        // in steps, so that nothing moves with every second
        let clock = (cells(&mut clocks.iter().map(|(text, _)| width(text))) + 1).clamp(9, 18).next_multiple_of(3);
        let owner = cells(&mut tab.rows.iter().filter_map(|t| t.owner.as_deref()).map(width));
        let owner = owner.max(width(&say::head_owner()) as u16).min(12);
        // a column of its own only while it is what they are sorted by: it is in the detail anyway
        let start = if tab.order == Order::SafeStart { 9 } else { 0 };
        let left = total.saturating_sub(2 + id + level + clock + start + 1 + owner + 1);
        let from = if left >= 44 { (left / 3).min(24) } else { 0 };
        Self { id, level, clock, start, title: left.saturating_sub(from).max(8), from, owner }
    }
}

/// The last safe start in a cell: a sign where it has passed.
fn start_cell(config: &Config, t: &Ticket, now: Millis, ascii: bool) -> (String, Role) {
    match t.last_safe_start() {
        None => (" —".to_owned(), Role::Dim),
        Some(at) => {
            let day = |at| format(config, at, "%m-%d");
            let shown = if day(at) == day(now) { format(config, at, "%H:%M") } else { day(at) };
            let passed = at < now;
            let sign = if !passed {
                " "
            } else if ascii {
                "^"
            } else {
                "▲"
            };
            (format!("{sign}{shown}"), if passed { Role::Warn } else { Role::Text })
        }
    }
}

/// One line of a list on the command line.
pub fn list_line(config: &Config, policy: &Policy, t: &Ticket, now: Millis) -> String {
    let owner = t.owner.as_deref().unwrap_or("—");
    let title = clean(&t.title);
    let clock = clock_text(config, policy, t, now, false).0;
    let columns = [cell(&format!("#{}", t.id), 9), cell(&level_word(&t.level), 10), cell(&clock, 18), cell(owner, 12)];
    format!("{} {title}", columns.join(" "))
}

/// A ticket with everything that happened to it, for the command line.
pub fn show_lines(
    config: &Config,
    policy: &Policy,
    (t, past): (&Ticket, &[Happening]),
    typical: &[Typical],
    now: Millis,
) -> Vec<String> {
    let owner = t.owner.clone().unwrap_or_else(say::nobody);
    let line = |name: String, text: &str| format!("{} {text}", cell(&name, 11));
    let clock = |due: Option<Millis>, met: Option<Millis>, breached: bool| match (met, due) {
        (Some(at), _) if breached => say::met_late(&local(config, at)),
        (Some(at), _) => say::met(&local(config, at)),
        (None, Some(due)) => say::due(&local(config, due)),
        (None, None) => say::waits(),
    };
    let level = format!("{} ({} × {})", level_word(&t.level), scope_word(&t.scope), level_word(&t.severity));
    let mut lines = vec![
        format!("#{}  {}", t.id, clean(&t.title)),
        line(say::label_clock(), clock_text(config, policy, t, now, false).0.trim()),
        line(say::label_level(), &level),
        line(say::label_from(), &format!("{} {}", channel_word(&t.channel), t.reporter)),
        line(say::label_owner(), &owner),
        line(say::label_reports(), &t.reports.to_string()),
        line(say::response(), &clock(t.response_due, t.response_met_at, t.response_is_breached(now))),
        line(say::resolution(), &clock(t.resolution_due, t.resolved_at, t.resolution_is_breached(now))),
    ];
    lines.extend(handling::explain(config, t, typical));
    lines.extend(t.next_due.map(|due| line(say::next_response(), &clock(Some(due), None, false))));
    lines.push(String::new());
    if !t.body.trim().is_empty() {
        lines.extend(t.body.lines().map(|l| clean(l).into_owned()));
        lines.push(String::new());
    }
    let (void, said) = (taken_back(past), messages(past));
    lines.extend(past.iter().enumerate().map(|(i, h)| {
        // the number by which `split` knows it
        let number = said.iter().position(|at| *at == i).map(|n| format!("[{}] ", n + 1)).unwrap_or_default();
        format!("{}  {number}{}", local(config, h.at), happening_line(config, h, void.contains(&i)))
    }));
    lines
}
