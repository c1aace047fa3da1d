//! The picture of the ticket tab, and the words for what it shows.

use chrono::TimeZone as _;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::model::{Happening, Ticket, clocks, policy};
use super::tab::TicketsTab;
use crate::clock::{HOUR, Millis, SECOND};
use crate::config::Config;
use crate::locale::tickets as say;
use crate::text::{cell, clean, wrap};
use crate::tui::countdown;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// The word of a level or severity in the language of the console.
pub(super) fn level_word(level: &str) -> String {
    match level {
        "general" => say::general(),
        "important" => say::important(),
        "urgent" => say::urgent(),
        other => other.to_owned(),
    }
}

/// The word of a scope.
pub(super) fn scope_word(scope: &str) -> String {
    match scope {
        "individual" => say::individual(),
        "department" => say::department(),
        "company" => say::company(),
        other => other.to_owned(),
    }
}

fn level_role(level: &str) -> Role {
    match level {
        "urgent" => Role::Critical,
        "important" => Role::Warn,
        _ => Role::Text,
    }
}

/// An instant in the office's zone.
pub(super) fn local(config: &Config, at: Millis) -> String {
    let zone: chrono_tz::Tz = config.tickets.office.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    zone.timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%m-%d %H:%M:%S").to_string())
}

/// The state of the clock that runs out first: text and role.
pub(super) fn clock_text(t: &Ticket, now: Millis, ascii: bool) -> (String, Role) {
    let sign = |uni: &'static str, plain: &'static str| if ascii { plain } else { uni };
    match t.state.as_str() {
        "resolved" | "merged" => {
            let ok = !t.resolution_breached && !t.response_breached;
            return (
                sign(if ok { "✓" } else { "✗" }, if ok { "OK" } else { "X" }).to_owned(),
                if ok { Role::Ok } else { Role::Dim },
            );
        }
        "waiting" => {
            let left = t.follow_up_at.map(|at| countdown::remaining(at - now)).unwrap_or_default();
            return (format!("{} {left}", sign("‖", "=")), Role::Paused);
        }
        _ => {}
    }
    let response = t.response_due.filter(|_| t.response_met_at.is_none());
    let (due, tail, breached) = match (response, t.resolution_due) {
        (Some(r), Some(s)) if r <= s => (r, format!(" {}", say::resp_short()), t.response_is_breached(now)),
        (Some(r), None) => (r, format!(" {}", say::resp_short()), t.response_is_breached(now)),
        (_, Some(s)) => (s, String::new(), t.resolution_is_breached(now)),
        (None, None) => return ("—".to_owned(), Role::Dim),
    };
    if breached {
        // a raise may have breached it for good while the new due lies ahead
        let by = if now > due { countdown::overdue(now - due) } else { countdown::remaining(due - now) };
        (format!("{} {by}{tail}", sign("✗", "X")), Role::Critical)
    } else if now > due {
        // due at closing time, and nobody has been on duty since: no budget is used
        (format!("{} {}{tail}", sign("▲", "^"), countdown::remaining(0)), Role::Warn)
    } else if t.risk_at <= now {
        (format!("{} {}{tail}", sign("▲", "^"), countdown::remaining(due - now)), Role::Warn)
    } else {
        (format!("  {}{tail}", countdown::remaining(due - now)), Role::Text)
    }
}

/// One line for the clipboard and the wall.
pub(super) fn summary(t: &Ticket, now: Millis) -> String {
    format!("#{} {} {} {}", t.id, level_word(&t.level), clock_text(t, now, false).0.trim(), clean(&t.title))
}

/// The next instant at which a countdown of these tickets looks different.
pub(super) fn next_change(rows: &[Ticket], now: Millis) -> Option<Millis> {
    rows.iter()
        .filter(|t| !matches!(t.state.as_str(), "resolved" | "merged"))
        .flat_map(|t| [t.response_due.filter(|_| t.response_met_at.is_none()), t.resolution_due, t.follow_up_at])
        .flatten()
        .map(
            |due| {
                if (due - now).abs() < HOUR { now / SECOND * SECOND + SECOND } else { now / 60_000 * 60_000 + 60_000 }
            },
        )
        .min()
}

pub(super) fn draw(tab: &TicketsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let (list, detail) = tab.place.look.split(area, 60);
    draw_list(tab, brush, buf, list, now);
    if let Some(detail) = detail {
        draw_detail(tab, brush, buf, detail, now);
    }
}

fn draw_list(tab: &TicketsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let inside = brush.panel(buf, area, "");
    let names =
        [say::queue_breaching(), say::queue_mine(), say::queue_unassigned(), say::queue_waiting(), say::queue_all()];
    let mut x = area.x + 2;
    if tab.search.is_empty() {
        for (i, name) in names.iter().enumerate() {
            let count = tab.counts[i];
            let count = if count >= 10_000 { "10k+".to_owned() } else { count.to_string() };
            let role = if i == tab.queue { Role::TabActive } else { Role::Header };
            x = brush.text(buf, x, area.y, area.right().saturating_sub(x + 1), &format!(" {name} {count} "), role) + 1;
        }
    } else {
        brush.text(
            buf,
            x,
            area.y,
            area.width.saturating_sub(4),
            &format!(" {} ", say::found(&tab.search, tab.rows.len())),
            Role::TabActive,
        );
    }
    if inside.height < 2 {
        return;
    }
    if tab.rows.is_empty() {
        brush.text(buf, inside.x + 2, inside.y + 1, inside.width.saturating_sub(4), &say::empty_title(), Role::Text);
        brush.text(buf, inside.x + 2, inside.y + 2, inside.width.saturating_sub(4), &say::empty_new(), Role::Dim);
        return;
    }
    let (from, owner) = if inside.width >= 76 { (12, 9) } else { (0, 8) };
    let fixed = 2 + 8 + 10 + 14 + from + u16::from(from > 0) + owner + 2;
    let title = inside.width.saturating_sub(fixed).max(8);
    let mut head = format!(
        "  {}{}{}{}",
        cell("#", 8),
        cell(&say::head_level(), 10),
        cell(&say::head_clock(), 14),
        cell(&say::head_title(), usize::from(title) + 1)
    );
    if from > 0 {
        head.push_str(&cell(&say::head_from(), 13));
    }
    head.push_str(&cell(&say::head_owner(), usize::from(owner)));
    brush.text(buf, inside.x, inside.y, inside.width, &head, Role::Header);
    let body = Rect::new(inside.x, inside.y + 1, inside.width, inside.height - 1);
    for (i, y) in tab.place.window(tab.rows.len(), body.height.into()).zip(body.top()..) {
        let t = &tab.rows[i];
        let marked = tab.place.is_marked(i);
        let mut x = body.x;
        if marked {
            brush.text(buf, x, y, 1, if brush.ascii { "*" } else { "●" }, Role::Mark);
        }
        x += 2;
        brush.text(buf, x, y, 7, &t.id.to_string(), Role::Dim);
        x += 8;
        brush.text(buf, x, y, 9, &level_word(&t.level), level_role(&t.level));
        x += 10;
        let (clock, role) = clock_text(t, now, brush.ascii);
        brush.text(buf, x, y, 13, &clock, role);
        x += 14;
        let late = if t.flag.is_some() {
            format!("{} ", say::follow_up())
        } else if t.born_late {
            format!("{} ", say::born_late())
        } else {
            String::new()
        };
        let used = brush.text(buf, x, y, title, &late, Role::Stale);
        brush.text(buf, used, y, (x + title).saturating_sub(used), &t.title, Role::Text);
        x += title + 1;
        if from > 0 {
            brush.text(buf, x, y, from, &format!("{} {}", t.channel, t.reporter), Role::Dim);
            x += from + 1;
        }
        brush.text(
            buf,
            x,
            y,
            owner,
            t.owner.as_deref().unwrap_or("—"),
            if t.owner.is_some() { Role::Text } else { Role::Dim },
        );
        if i == tab.place.at {
            brush.select(buf, Rect::new(body.x, y, body.width, 1));
        }
    }
}

fn draw_detail(tab: &TicketsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let Some(t) = tab.current() else {
        brush.panel(buf, area, "");
        return;
    };
    let inside = brush.panel(buf, area, &format!("#{}", t.id));
    let width = usize::from(inside.width.saturating_sub(2));
    let mut lines: Vec<(String, Role)> = wrap(&t.title, width).into_iter().map(|l| (l, Role::Title)).collect();
    lines.push((
        format!("{}   {} × {}", level_word(&t.level), scope_word(&t.scope), level_word(&t.severity)),
        level_role(&t.level),
    ));
    let clock = |name: String, due: Option<Millis>, met: Option<Millis>, breached: bool, paused: bool| {
        let role = if breached { Role::Critical } else { Role::Text };
        let text = match (met, due) {
            (Some(at), _) if breached => say::met_late(&local(&tab.config, at)),
            (Some(at), _) => say::met(&local(&tab.config, at)),
            (None, _) if paused => say::waits(),
            (None, Some(due)) => {
                let left = if now > due { countdown::overdue(now - due) } else { countdown::remaining(due - now) };
                format!("{}  {left}", say::due(&local(&tab.config, due)))
            }
            (None, None) => "—".to_owned(),
        };
        (format!("{} {text}", cell(&name, 11)), role)
    };
    lines.push(clock(say::response(), t.response_due, t.response_met_at, t.response_is_breached(now), false));
    let (late, waits) = (t.resolution_is_breached(now), t.state == "waiting");
    lines.push(clock(say::resolution(), t.resolution_due, t.resolved_at, late, waits));
    lines.push((String::new(), Role::Text));
    let detail = tab.detail.as_ref().filter(|(whole, _)| whole.id == t.id);
    let body = detail.map_or("", |(whole, _)| whole.body.as_str());
    lines.extend(wrap(body, width).into_iter().filter(|l| !l.is_empty()).take(8).map(|l| (l, Role::Text)));
    if let Some((_, past)) = detail {
        lines.push((String::new(), Role::Text));
        for h in past {
            let role = match h.kind.as_str() {
                "reply" | "call" => Role::Info,
                "sla_breached" => Role::Critical,
                "note" => Role::Stale,
                _ => Role::Dim,
            };
            for (i, line) in wrap(&happening_line(h), width.saturating_sub(15)).into_iter().enumerate() {
                let at = if i == 0 { local(&tab.config, h.at) } else { String::new() };
                lines.push((format!("{} {line}", cell(&at, 14)), role));
            }
        }
    }
    for ((line, role), y) in lines.iter().zip(inside.top()..inside.bottom()) {
        brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), line, *role);
    }
}

fn happening_line(h: &Happening) -> String {
    let text = |key: &str| h.data[key].as_str().unwrap_or_default().to_owned();
    let what = match h.kind.as_str() {
        "reply" | "note" | "user_message" => text("text"),
        "linked" => format!("{} {}", text("kind"), text("subject")),
        "breach_excused" => format!("{} {}", text("clock"), text("reason")),
        "joined" => format!("#{}", h.data["child"]),
        "merged" => format!("#{}", h.data["into"]),
        "call" => text("with"),
        "level" => level_word(&text("level")),
        "resolved" => format!("{} → {}", text("cause"), text("solution")),
        "paused" => format!("{} {}", text("reason"), text("note")),
        "assigned" | "claimed" => text("owner"),
        "threshold_fired" => format!("{} {}%", text("clock"), h.data["percent"]),
        "sla_breached" => text("clock"),
        _ => String::new(),
    };
    format!("{} {}: {what}", h.actor, h.kind)
}

/// One line of a list on the command line.
pub fn list_line(t: &Ticket, now: Millis) -> String {
    let owner = t.owner.as_deref().unwrap_or("—");
    let title = clean(&t.title);
    let clock = clock_text(t, now, false).0;
    let columns = [cell(&format!("#{}", t.id), 9), cell(&level_word(&t.level), 10), cell(&clock, 16), cell(owner, 12)];
    format!("{} {title}", columns.join(" "))
}

/// A ticket with everything that happened to it, for the command line.
pub fn show_lines(config: &Config, t: &Ticket, past: &[Happening], now: Millis) -> Vec<String> {
    let owner = t.owner.as_deref().unwrap_or("—");
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
        line(say::head_clock(), clock_text(t, now, false).0.trim()),
        line(say::head_level(), &level),
        line(say::head_from(), &format!("{} {}", t.channel, t.reporter)),
        line(say::head_owner(), owner),
        line(say::response(), &clock(t.response_due, t.response_met_at, t.response_is_breached(now))),
        line(say::resolution(), &clock(t.resolution_due, t.resolved_at, t.resolution_is_breached(now))),
        String::new(),
    ];
    if !t.body.trim().is_empty() {
        lines.extend(t.body.lines().map(|l| clean(l).into_owned()));
        lines.push(String::new());
    }
    lines.extend(past.iter().map(|h| format!("{}  {}", local(config, h.at), happening_line(h))));
    lines
}

/// Why a ticket is due when it is: every stretch that counts and every one that does not.
pub fn explain(config: &Config, id: i64, past: &[Happening], now: Millis) -> Vec<String> {
    let policy = policy(&config.tickets);
    let state = match clocks(&policy, past, now) {
        Ok(state) => state,
        Err(why) => return vec![why],
    };
    let at = |t: Millis| local(config, t);
    let span = |ms: Millis| crate::config::Dur(ms / SECOND * SECOND).to_string();
    let calendar_name = policy.levels.get(&state.level).map(|t| t.calendar.clone()).unwrap_or_default();
    let mut lines = vec![
        say::explain_title(id),
        say::explain_start(&at(state.reported_at)),
        say::explain_rule(
            &level_word(&state.level),
            &span(state.response.budget),
            &span(state.resolution.budget),
            &calendar_name,
        ),
    ];
    for h in past.iter().filter(|h| h.kind == "level") {
        lines.push(say::explain_level(&at(h.at), &level_word(h.data["level"].as_str().unwrap_or_default())));
    }
    for (name, clock) in [(say::response(), &state.response), (say::resolution(), &state.resolution)] {
        let due = clock.due.map_or_else(say::waits, at);
        lines.push(say::explain_result(&name, &span(clock.consumed), &span(clock.budget), &due));
        if clock.provisional {
            lines.push(format!("  ? {}", say::provisional()));
        }
        if clock.breached {
            lines.push(format!("  {}", say::explain_breached()));
        }
    }
    if let Some(calendar) = policy.calendars.get(&calendar_name) {
        let end = state.resolved.unwrap_or(now);
        for (a, b) in calendar.open_within(state.reported_at, end).into_iter().take(40) {
            lines.push(say::explain_counted(&at(a), &at(b), &span(b - a)));
        }
    }
    for (a, b) in &state.pauses {
        lines.push(say::explain_pause(&at(*a), &at(*b)));
    }
    lines
}
