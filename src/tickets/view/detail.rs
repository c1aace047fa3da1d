//! One ticket with its whole timeline, beside the list or on the full width.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::clock::clock_text;
use super::level_role;
use crate::clock::Millis;
use crate::locale::tickets as say;
use crate::text::{cell, wrap};
use crate::tickets::model::{Happening, Ticket, clocks, taken_back};
use crate::tickets::sla::ClockState;
use crate::tickets::tab::{TicketsTab, file_line};
use crate::tickets::words::{
    channel_word, flag_word, format, happening_line, level_word, local, reason_word, scope_word,
};
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

type Line = (String, Role);

pub(super) fn draw(tab: &TicketsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let Some(t) = tab.current() else {
        brush.panel(buf, area, "");
        return;
    };
    let inside = brush.panel(buf, area, &format!("#{}", t.id));
    let width = usize::from(inside.width.saturating_sub(2));
    let lines = lines(tab, t, width, brush.ascii, now);
    let height = usize::from(inside.height);
    let top = tab.scroll.get().min(lines.len().saturating_sub(height));
    tab.scroll.set(top);
    for ((line, role), y) in lines.iter().skip(top).zip(inside.top()..inside.bottom()) {
        brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), line, *role);
    }
    let below = lines.len().saturating_sub(top + height);
    if below > 0 {
        let more = format!(" {} ", crate::locale::console::more_below(below));
        brush.text_right(buf, inside.right().saturating_sub(1), inside.bottom(), &more, Role::Dim);
    }
}

fn lines(tab: &TicketsTab, t: &Ticket, width: usize, ascii: bool, now: Millis) -> Vec<Line> {
    let config = &tab.config;
    let detail = tab.detail.as_ref().filter(|(whole, _)| whole.id == t.id);
    let mut out: Vec<Line> = wrap(&t.title, width).into_iter().map(|l| (l, Role::Title)).collect();
    if let Some((others, writes)) = tab.others_on(t.id, now) {
        let role = if writes { Role::Warn } else { Role::Info };
        out.extend(wrap(&others, width).into_iter().map(|line| (line, role)));
    }
    let by = if ascii { "x" } else { "×" };
    out.push((
        format!("{}   {} {by} {}", level_word(&t.level), scope_word(&t.scope), level_word(&t.severity)),
        level_role(&t.level),
    ));
    let mut pair = |name: String, text: String, role: Role| {
        out.extend(
            wrap(&text, width.saturating_sub(12))
                .into_iter()
                .enumerate()
                .map(|(i, line)| (format!("{} {line}", cell(if i == 0 { &name } else { "" }, 11)), role)),
        );
    };
    let from = [channel_word(&t.channel), t.reporter.clone()].into_iter().filter(|p| !p.is_empty());
    pair(say::label_from(), from.collect::<Vec<_>>().join(" · "), Role::Text);
    let owner = t.owner.clone();
    let role = if owner.is_some() { Role::Text } else { Role::Dim };
    pair(say::label_owner(), owner.unwrap_or_else(say::nobody), role);
    let state = detail.and_then(|(_, past)| clocks(&tab.policy, past, now).ok());
    match &state {
        Some(state) => {
            let (text, role) = clock_line(tab, &state.response, t.response_excused, false, ascii);
            pair(say::response(), text, role);
            if let Some((_, clock)) = &state.next_response {
                let (text, role) = clock_line(tab, clock, false, false, ascii);
                pair(say::next_response(), text, role);
            }
            let (text, role) = clock_line(tab, &state.resolution, t.resolution_excused, state.paused, ascii);
            pair(say::resolution(), text, role);
            if let Some((text, role)) = start_line(tab, t, now, ascii) {
                pair(say::label_safe_start(), text, role);
            }
        }
        None => {
            let (text, role) = clock_text(config, &tab.policy, t, now, ascii);
            pair(say::label_clock(), text.trim().to_owned(), role);
        }
    }
    if t.state == "waiting" {
        let reason = reason_word(t.pause_reason.as_deref().unwrap_or_default());
        let until = t.follow_up_at.map(|at| say::until(&local(config, at))).unwrap_or_default();
        pair(say::label_waiting(), format!("{reason} · {until}"), Role::Paused);
    }
    if let Some(flag) = &t.flag {
        pair(say::label_flag(), flag_word(flag), Role::Stale);
    }
    if t.born_late {
        pair(say::label_flag(), say::born_late(), Role::Stale);
    }
    if let Some(into) = t.merged_into {
        pair(say::label_merged(), format!("#{into}"), Role::Info);
    }
    if let Some(before) = t.continues {
        pair(say::label_continues(), format!("#{before}"), Role::Info);
    }
    if t.reports > 1 {
        pair(say::label_reports(), t.reports.to_string(), Role::Text);
    }
    let Some((whole, past)) = detail else { return out };
    let body: Vec<String> = wrap(&whole.body, width).into_iter().filter(|l| !l.is_empty()).collect();
    let most = if tab.full { usize::MAX } else { 8 };
    let rest = body.len().saturating_sub(most);
    if !body.is_empty() {
        out.push((String::new(), Role::Text));
    }
    out.extend(body.into_iter().take(most).map(|l| (l, Role::Text)));
    if rest > 0 {
        out.push((say::more_lines(rest), Role::Dim));
    }
    let files = tab.files_here();
    if !files.is_empty() {
        out.push((String::new(), Role::Text));
        out.push((say::files(), Role::Header));
        out.extend(files.iter().map(|f| (crate::text::fit(&file_line(f), width).into_owned(), Role::Text)));
    }
    let offers = tab.offers_here();
    if !offers.is_empty() {
        out.push((String::new(), Role::Text));
        out.push((say::may_help(), Role::Header));
        out.extend(
            offers.iter().map(|o| (crate::text::fit(&crate::text::clean(&o.line), width).into_owned(), Role::Info)),
        );
    }
    out.push((String::new(), Role::Text));
    timeline(tab, past, width, &mut out);
    out
}

/// Newest last; where the list is beside it the newest come first, so that they are in sight.
fn timeline(tab: &TicketsTab, past: &[Happening], width: usize, out: &mut Vec<Line>) {
    let void = taken_back(past);
    let mut order: Vec<usize> = (0..past.len()).collect();
    if !tab.full {
        order.reverse();
    }
    // beside the list there is no room for seconds
    let (form, cells) = if tab.full { ("%m-%d %H:%M:%S", 14) } else { ("%m-%d %H:%M", 11) };
    out.push((if tab.full { say::timeline() } else { say::timeline_newest() }, Role::Header));
    for i in order {
        let h = &past[i];
        let role = match h.kind.as_str() {
            _ if void.contains(&i) => Role::Dim,
            "reply" | "call" | "resolved" => Role::Info,
            "user_message" | "reported" => Role::Title,
            "sla_breached" => Role::Critical,
            "threshold_fired" => Role::Warn,
            "note" => Role::Stale,
            _ => Role::Dim,
        };
        for (n, line) in wrap(&happening_line(&tab.config, h, void.contains(&i)), width.saturating_sub(cells + 1))
            .into_iter()
            .enumerate()
        {
            let at = if n == 0 { format(&tab.config, h.at, form) } else { String::new() };
            out.push((format!("{} {line}", cell(&at, cells)), role));
        }
    }
}

/// The last safe start, with the open time left until it; a dash where too few tickets like it are known.
fn start_line(tab: &TicketsTab, t: &Ticket, now: Millis, ascii: bool) -> Option<Line> {
    if !t.is_open() || t.state == "waiting" || t.resolution_due.is_none() || t.resolution_is_breached(now) {
        return None;
    }
    let Some(at) = t.last_safe_start() else { return Some(("—".into(), Role::Dim)) };
    let shown = local(&tab.config, at);
    if at < now {
        return Some((format!("{} {}", if ascii { "^" } else { "▲" }, say::start_passed(&shown)), Role::Warn));
    }
    let open = tab.policy.rule(&t.level).map_or(at - now, |(_, calendar)| calendar.elapsed(now, at, &[]));
    Some((say::start_by(&shown, &countdown::remaining(open)), Role::Text))
}

fn clock_line(tab: &TicketsTab, c: &ClockState, excused: bool, paused: bool, ascii: bool) -> Line {
    let at = |t| local(&tab.config, t);
    let over = (c.consumed - c.budget).max(0);
    let mut text = match (c.stopped, c.due) {
        (Some(stopped), _) if c.breached => format!("{}  {}", say::met_late(&at(stopped)), countdown::overdue(over)),
        (Some(stopped), _) => {
            format!("{}  {}", say::met(&at(stopped)), say::took(&countdown::remaining(c.consumed)))
        }
        (None, _) if paused => {
            let left = c.budget - c.consumed;
            let left = if left < 0 { countdown::overdue(-left) } else { countdown::remaining(left) };
            format!("{}  {left}", say::waits())
        }
        (None, Some(due)) => {
            let left = c.budget - c.consumed;
            let left = if left < 0 { countdown::overdue(-left) } else { countdown::remaining(left) };
            format!("{}  {left}", say::due(&at(due)))
        }
        (None, None) => "—".to_owned(),
    };
    if c.provisional {
        text.push('?');
    }
    if c.breached {
        text = format!("{} {text}", if ascii { "X" } else { "✗" });
    } else if c.stopped.is_some() {
        text = format!("{} {text}", if ascii { "OK" } else { "✓" });
    }
    if excused {
        text = format!("{text} · {}", say::excused_word());
    }
    let role = match () {
        () if c.breached && !excused => Role::Critical,
        () if c.stopped.is_some() => Role::Ok,
        () if paused => Role::Paused,
        () if c.consumed * 4 >= c.budget * 3 => Role::Warn,
        () => Role::Text,
    };
    (text, role)
}
