//! The wall: what is wrong, how long until the next breach, and that the picture is alive.
//!
//! ```text
//!  ✗ 2 CRITICAL   ▲ 3 AT RISK                                             14:32      worst state, the time
//!
//!  ████ big ████   next breach: #7 general                                          or a new breach, for a minute
//!
//!  2h   #8 urgent ✗ +1h47m …                                                        ten problems, worst first
//!  hosts ✗▲■■■■■■■■■                                                                 one cell a host
//!  backups  last night is safe                                                       lines that never rotate
//! ╭ 2/4 ▸ Tickets 0:12 ────╮                                                        context, rotating
//! ╰────────────────────────╯
//!  ⠹ sqlite 1ms · data 3s old
//! ```

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::app::{App, Seat, Work};
use super::tab::{WallFacts, WallProblem};
use crate::clock::{HOUR, MINUTE, Millis, SECOND};
use crate::locale::console as say;
use crate::text;
use crate::tui::paint::Brush;
use crate::tui::theme::Role;
use crate::tui::{countdown, digits};

/// Data of a tab that has no interval of its own are fresh while the store answers within this.
const CONTACT: Millis = 20 * SECOND;
/// Narrowest page of the rotating part.
const PAGE: u16 = 64;
/// How long a new critical problem is called out.
const NEW: Millis = MINUTE;

/// How far the data of a tab can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    Fresh,
    /// Older than two intervals: shown dim, with its age.
    Stale,
    /// Older than five: no numbers.
    Gone,
}

fn age(app: &App, seat: &Seat, now: Millis) -> (Millis, Trust) {
    let (age, every) = match seat.tab.refresh() {
        Some(every) => (now - seat.loaded_at, every.max(app.shown(SECOND))),
        None => (now - app.contact, app.shown(CONTACT)),
    };
    let trust = match age {
        a if a > 5 * every + app.shown(SECOND) => Trust::Gone,
        a if a > 2 * every + app.shown(SECOND) => Trust::Stale,
        _ => Trust::Fresh,
    };
    (age.max(0), trust)
}

/// What tells one problem from another while its figures change: its look and its first two words.
fn identity(problem: &WallProblem) -> String {
    let mut words = problem.text.split_whitespace();
    let mut id = format!("{:?}", problem.role);
    for word in [words.next(), words.next()].into_iter().flatten() {
        _ = write!(id, " {word}");
    }
    id
}

impl App {
    /// Remembers which problems are new, and rings for a critical one. What a tab brings first is not new.
    pub(super) fn notice_problems(&mut self, now: Millis) {
        let mut there = std::collections::HashMap::new();
        let mut ring = false;
        for (i, seat) in self.seats.iter().enumerate().filter(|(_, s)| s.tab.is_loaded()) {
            let first = self.noticed.insert(i);
            for problem in seat.tab.wall(now).problems {
                let id = identity(&problem);
                let since = self.seen.get(&id).copied().unwrap_or_else(|| {
                    ring |= !first && !problem.handled && problem.role == Role::Critical;
                    if first { now - HOUR } else { now }
                });
                there.insert(id, since);
            }
        }
        self.seen = there;
        if ring {
            self.work.push(Work::Bell);
        }
    }

    /// Whether what is new stands out in the frame of `now`; changes once a second.
    fn blinks(&self, now: Millis) -> bool {
        now / self.shown(SECOND).max(1) % 2 == 0
    }

    fn is_new(&self, problem: &WallProblem, now: Millis) -> bool {
        !problem.handled
            && self.seen.get(&identity(problem)).is_some_and(|at| (0..self.shown(NEW)).contains(&(now - at)))
    }
}

pub(super) fn draw(app: &App, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis, rotation: Millis) {
    // one cell to the side every other hour, against burning in
    let area = Rect::new(area.x + 1 + (now / HOUR).rem_euclid(2) as u16, area.y, area.width - 3, area.height);
    let tabs: Vec<(&Seat, WallFacts, Trust)> = app
        .seats
        .iter()
        .filter(|s| s.tab.is_loaded())
        .map(|seat| (seat, seat.tab.wall(now), age(app, seat, now).1))
        .collect();
    let mut problems: Vec<(&WallProblem, Trust)> =
        tabs.iter().flat_map(|(_, f, trust)| f.problems.iter().map(move |p| (p, *trust))).collect();
    // what nobody has in hand comes first among those that are as bad
    problems.sort_by_key(|(p, _)| (std::cmp::Reverse(p.weight), p.handled, p.since));
    // too old to be told as they were: that they are missing is the problem
    let gone: Vec<WallProblem> = tabs
        .iter()
        .filter(|(_, _, trust)| *trust == Trust::Gone)
        .map(|(seat, ..)| WallProblem {
            handled: false,
            weight: u8::MAX,
            since: None,
            text: say::wall_gone(&seat.tab.name(), &countdown::age(age(app, seat, now).0)),
            role: Role::Stale,
        })
        .collect();
    problems.retain(|(_, trust)| *trust != Trust::Gone);
    problems.splice(0..0, gone.iter().map(|p| (p, Trust::Gone)));
    let critical = problems.iter().filter(|(p, _)| p.role == Role::Critical).count();

    draw_banner(app, brush, buf, area, now, &problems, tabs.is_empty());
    let main = Rect::new(area.x + 1, area.y + 2, area.width - 2, 5);
    let new = problems.iter().map(|(p, _)| *p).filter(|p| p.role == Role::Critical && app.is_new(p, now));
    let newest = new.rev().max_by_key(|p| (p.weight, app.seen.get(&identity(p)).copied()));
    draw_main(brush, buf, main, now, &tabs, newest, app.blinks(now));
    // names of all lines end at one column
    let label = tabs.iter().map(|(s, ..)| text::width(&s.tab.name())).chain([text::width(&say::on_duty())]);
    let label = label.chain([text::width(&say::hosts())]).max().unwrap_or(0) as u16;

    let strip: Vec<Role> = tabs.iter().flat_map(|(s, _, _)| s.tab.wall_strip(now)).collect();
    let lines: Vec<(String, String, Role, Trust)> = tabs
        .iter()
        .filter_map(|(s, _, trust)| s.tab.wall_line(now).map(|(line, role)| (s.tab.name(), line, role, *trust)))
        .collect();
    let always = u16::from(!strip.is_empty()) + lines.len() as u16;
    let always = always + 1;
    let foot = area.bottom() - 1;
    let mut y = main.bottom() + 1;
    // a page is worth its place when six problems still have theirs
    let rest = foot.saturating_sub(y + always);
    let page = if rest >= 14 { (rest - 11).clamp(5, 9) } else { 0 };
    // what is left over stands between the parts, not at one place
    let room = rest.saturating_sub(page).min(11);
    y += (rest.saturating_sub(page + room) / 3).min(3);
    draw_problems(app, brush, buf, Rect::new(area.x, y, area.width, room), now, &problems);
    y = foot.saturating_sub(page + always);
    if !strip.is_empty() {
        draw_strip(brush, buf, Rect::new(area.x, y, area.width, 1), label, &strip);
        y += 1;
    }
    for (name, line, role, trust) in &lines {
        brush.text(buf, area.x + 1, y, label, name, Role::Dim);
        let x = area.x + label + 3;
        let role = if *trust == Trust::Fresh { *role } else { Role::Stale };
        let line = if *trust == Trust::Gone { "—" } else { line };
        brush.text(buf, x, y, area.right().saturating_sub(x), line, role);
        y += 1;
    }
    brush.text(buf, area.x + 1, y, label, &say::on_duty(), Role::Dim);
    let x = area.x + label + 3;
    let who: Vec<String> = app
        .on_duty
        .iter()
        .map(|o| match o.seen {
            Some(seen) => format!("{} {}", o.name, countdown::age(now - seen)),
            None => o.name.clone(),
        })
        .collect();
    let (who, role) = if who.is_empty() { (say::duty_nobody(), Role::Dim) } else { (who.join(" · "), Role::Text) };
    brush.text(buf, x, y, area.right().saturating_sub(x), &who, role);
    y += 1;
    if page > 0 {
        draw_page(brush, buf, Rect::new(area.x, y, area.width, page), now, &tabs, critical > 0, (rotation, app.pace));
    }
    draw_foot(app, brush, buf, Rect::new(area.x, foot, area.width, 1), now);
}

fn draw_banner(
    app: &App,
    brush: &Brush<'_>,
    buf: &mut Buffer,
    area: Rect,
    now: Millis,
    problems: &[(&WallProblem, Trust)],
    empty: bool,
) {
    let count = |role: Role| problems.iter().filter(|(p, _)| p.role == role).count();
    let (critical, warn) = (count(Role::Critical), count(Role::Warn));
    let handled = |role: Role| match problems.iter().filter(|(p, _)| p.role == role && p.handled).count() {
        0 => String::new(),
        n => format!(" ({})", say::wall_handled(n)),
    };
    let other = problems.len() - critical - warn;
    let sign = |uni: &'static str, plain: &'static str| if brush.ascii { plain } else { uni };
    let mut parts = Vec::new();
    if critical > 0 {
        parts.push(format!("{} {}{}", sign("✗", "X"), say::wall_critical(critical), handled(Role::Critical)));
    }
    if warn > 0 {
        parts.push(format!("{} {}{}", sign("▲", "^"), say::wall_warn(warn), handled(Role::Warn)));
    }
    if other > 0 {
        parts.push(format!("? {other}"));
    }
    let (text, role) = if let Some(since) = app.lost {
        (say::wall_lost(&countdown::remaining(now - since)), Role::Stale)
    } else if empty {
        (say::wall_loading(), Role::Dim)
    } else if problems.is_empty() {
        (format!("{} {}", sign("✓", "OK"), say::wall_quiet()), Role::Ok)
    } else {
        let worst = [Role::Critical, Role::Warn].into_iter().find(|r| count(*r) > 0).unwrap_or(Role::Stale);
        (parts.join("   "), worst)
    };
    let bar = Rect::new(area.x, area.y, area.width, 1);
    brush.text(buf, area.x + 1, area.y, area.width - 10, &text, role);
    brush.text_right(buf, area.right() - 1, area.y, &app.time(now), role);
    buf.set_style(bar, brush.style(role).add_modifier(Modifier::REVERSED | Modifier::BOLD));
}

fn draw_main(
    brush: &Brush<'_>,
    buf: &mut Buffer,
    at: Rect,
    now: Millis,
    tabs: &[(&Seat, WallFacts, Trust)],
    newest: Option<&WallProblem>,
    blinks: bool,
) {
    if let Some(problem) = newest {
        // at most once a second, at most for a minute
        let mut style = brush.style(problem.role).add_modifier(Modifier::BOLD);
        if blinks {
            style = style.add_modifier(Modifier::REVERSED);
        }
        brush.text(buf, at.x + 2, at.y + 1, at.width.saturating_sub(4), &say::wall_new(), problem.role);
        brush.text(buf, at.x + 2, at.y + 3, at.width.saturating_sub(4), &problem.text, problem.role);
        return buf.set_style(at, style);
    }
    let next = tabs.iter().filter_map(|(_, f, trust)| f.next_breach.as_ref().map(|n| (n, *trust)));
    let Some(((due, what), trust)) = next.min_by_key(|((at, _), _)| *at) else {
        brush.text(buf, at.x, at.y + 2, at.width, &say::no_breach(), Role::Dim);
        return;
    };
    let left = due - now;
    let (text, role) = match trust {
        Trust::Gone => ("--".to_owned(), Role::Stale),
        Trust::Stale => (countdown::remaining(left), Role::Stale),
        Trust::Fresh if left < 15 * MINUTE => (countdown::remaining(left), Role::Critical),
        Trust::Fresh if left < HOUR => (countdown::remaining(left), Role::Warn),
        Trust::Fresh => (countdown::remaining(left), Role::Text),
    };
    let x = digits::draw(brush, buf, at, &text, role).min(at.right()) + 2;
    let width = at.right().saturating_sub(x);
    brush.text(buf, x, at.y + 1, width, &say::next_breach(), Role::Dim);
    brush.text(buf, x, at.y + 3, width, what, Role::Title);
}

fn draw_problems(
    app: &App,
    brush: &Brush<'_>,
    buf: &mut Buffer,
    at: Rect,
    now: Millis,
    problems: &[(&WallProblem, Trust)],
) {
    let fits = usize::from(at.height).min(11);
    // the eleventh line says how many more there are
    let shown = if problems.len() > fits.min(10) { fits.saturating_sub(1) } else { problems.len() };
    for ((problem, trust), y) in problems.iter().take(shown).zip(at.top()..) {
        // what somebody has in hand is told without alarm; its sign keeps the colour
        let role = if *trust == Trust::Fresh { problem.role } else { Role::Stale };
        let text = if problem.handled && *trust == Trust::Fresh { Role::Text } else { role };
        let since = problem.since.map_or_else(String::new, |s| countdown::age(now - s));
        brush.text(buf, at.x + 1, y, 5, &since, Role::Dim);
        let (sign, _) = sign(problem.role, brush.ascii);
        brush.text(buf, at.x + 7, y, 1, sign, role);
        brush.text(buf, at.x + 9, y, at.width.saturating_sub(10), &problem.text, text);
        if app.is_new(problem, now) && app.blinks(now) {
            let row = Rect::new(at.x, y, at.width, 1);
            buf.set_style(row, brush.style(role).add_modifier(Modifier::REVERSED));
        }
    }
    if problems.len() > shown && fits > 0 {
        let y = at.y + shown as u16;
        brush.text(buf, at.x + 7, y, at.width.saturating_sub(8), &say::more(problems.len() - shown), Role::Dim);
    }
}

/// How a state is seen without colour, and with it: what is normal is grey.
fn sign(role: Role, ascii: bool) -> (&'static str, Role) {
    match (role, ascii) {
        (Role::Critical, false) => ("✗", Role::Critical),
        (Role::Critical, true) => ("X", Role::Critical),
        (Role::Warn, false) => ("▲", Role::Warn),
        (Role::Warn, true) => ("^", Role::Warn),
        (Role::Stale, _) => ("?", Role::Stale),
        (Role::Paused, false) => ("‖", Role::Paused),
        (Role::Paused, true) => ("=", Role::Paused),
        (_, false) => ("■", Role::Dim),
        (_, true) => ("#", Role::Dim),
    }
}

fn draw_strip(brush: &Brush<'_>, buf: &mut Buffer, at: Rect, label: u16, strip: &[Role]) {
    brush.text(buf, at.x + 1, at.y, label, &say::hosts(), Role::Dim);
    let x = at.x + label + 3;
    let room = usize::from(at.right().saturating_sub(x + 8));
    for (role, x) in strip.iter().take(room).zip(x..) {
        let (sign, role) = sign(*role, brush.ascii);
        brush.text(buf, x, at.y, 1, sign, role);
    }
    brush.text_right(buf, at.right() - 1, at.y, &strip.len().to_string(), Role::Dim);
}

fn draw_page(
    brush: &Brush<'_>,
    buf: &mut Buffer,
    at: Rect,
    now: Millis,
    tabs: &[(&Seat, WallFacts, Trust)],
    critical: bool,
    (rotation, pace): (Millis, f64),
) {
    let pages: Vec<_> = tabs.iter().filter(|(_, f, _)| !f.lines.is_empty()).collect();
    let rotation = (rotation.max(SECOND) as f64 * pace) as Millis;
    // the rotation stops while something critical is open: its page stays
    let held = pages.iter().position(|(_, f, _)| f.problems.iter().any(|p| p.role == Role::Critical));
    let held = held.filter(|_| critical);
    let first = held.unwrap_or_else(|| usize::try_from(now / rotation).unwrap_or(0) % pages.len().max(1));
    // as many beside each other as there is width for
    let abreast = usize::from(at.width / PAGE).clamp(1, pages.len().max(1));
    let width = at.width / abreast as u16;
    for n in 0..abreast {
        let page = (first + n) % pages.len().max(1);
        let Some((seat, facts, trust)) = pages.get(page) else { return };
        let mark = if brush.ascii { ">" } else { "▸" };
        let mut title = format!("{}/{} {mark} {}", page + 1, pages.len(), seat.tab.name());
        if n == 0 && held.is_none() && pages.len() > abreast {
            let left = ((rotation - now.rem_euclid(rotation)) as f64 / pace) as Millis;
            _ = write!(title, " {}", countdown::remaining(left));
        }
        let x = at.x + n as u16 * width;
        let width = if n + 1 == abreast { at.right() - x } else { width };
        let inside = brush.panel(buf, Rect { x, width, ..at }, &title);
        for (line, y) in facts.lines.iter().zip(inside.top()..inside.bottom()) {
            let (line, role) = match trust {
                Trust::Gone => ("—", Role::Stale),
                Trust::Stale => (line.as_str(), Role::Stale),
                Trust::Fresh => (line.as_str(), Role::Text),
            };
            brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), line, role);
        }
    }
}

fn draw_foot(app: &App, brush: &Brush<'_>, buf: &mut Buffer, at: Rect, now: Millis) {
    // moved by what the store answers, not by the clock: a frozen wall is seen
    let beat = if brush.ascii {
        ["|", "/", "-", "\\"][app.beats % 4]
    } else {
        ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧"][app.beats % 8]
    };
    let latency = app.latency.filter(|_| app.lost.is_none()).map(|ms| format!(" {ms}ms")).unwrap_or_default();
    let x = brush.text(buf, at.x + 1, at.y, 2, beat, Role::Info) + 1;
    brush.text(buf, x, at.y, at.width, &format!("{}{latency}", app.store_line), Role::Dim);
    let oldest = app.seats.iter().filter(|s| s.tab.is_loaded()).map(|s| age(app, s, now));
    let Some((oldest, trust)) = oldest.max_by_key(|(age, trust)| (*trust, *age)) else { return };
    let (line, role) = match trust {
        Trust::Fresh => (say::data_age(&countdown::age(oldest)), Role::Dim),
        Trust::Stale | Trust::Gone => (say::stale(&countdown::remaining(oldest)), Role::Stale),
    };
    brush.text_right(buf, at.right() - 1, at.y, &line, role);
}
