//! The picture of the Backups tab.
//!
//! ```text
//! Is last night safe?  NO: 2 of 8 systems would lose data: oa-db, oa-mail.
//! ╭ Backups ────────────────────────────────────────────────────────────────────────────────────────╮
//! │ SYSTEM   LAST NIGHT  10-26   11-02   11-09   11-16   11-23        RPO OFF-SITE CHECKED RESTORE SIZE │
//! │ oa-db    NOT safe    ■▪▪▪▪▪▪ ■▪▪▪▪▪▪ ■▪▪▪▪▪▪ ■▪▪▪✗▪▪ ■▪✗      1d9h   2d1h    3d     12d  ⣀⣠⣤⣴ │
//! ╰─────────────────────────────────────────────────────────────────────────────────────────────────╯
//! ╭ 2026-11-24 Tue ────────────────────────────────╮╭ oa-db: NOT safe ───────────────────────────────╮
//! ```

use chrono::{Datelike as _, Weekday};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::model::{Outcome, level};
use super::slots::{SlotState, local_text};
use super::tab::{BackupsTab, Line, day_line};
use super::verdict::{Day, Shown, Verdict, Weight};
use super::words;
use crate::clock::Millis;
use crate::locale::backups as say;
use crate::text::{cell, cell_right, clean, wrap};
use crate::tui::chart;
use crate::tui::paint::{Brush, bytes};
use crate::tui::theme::Role;

/// The role of a verdict.
fn role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Safe => Role::Ok,
        Verdict::AtRisk => Role::Warn,
        Verdict::Unknown => Role::Stale,
        Verdict::Never | Verdict::Unsafe => Role::Critical,
    }
}

/// A day of the calendar: its sign and how it looks.
pub(super) fn glyph(day: &Day, ascii: bool) -> (&'static str, Role) {
    let (uni, plain, role) = match day.state {
        SlotState::Pending => (" ", " ", Role::Dim),
        SlotState::Before => (" ", " ", Role::Dim),
        SlotState::Met { partial: true, .. } => ("~", "~", Role::Warn),
        SlotState::Met { late: true, .. } => ("▲", "^", Role::Warn),
        SlotState::Met { full: true, .. } if day.unverified => ("□", "u", Role::Dim),
        SlotState::Met { .. } if day.unverified => ("·", ".", Role::Dim),
        SlotState::Met { full: true, .. } => ("■", "#", Role::ChartMem),
        SlotState::Met { .. } => ("▪", "=", Role::ChartMem),
        SlotState::NotFull => ("▫", "-", Role::Warn),
        SlotState::Failed => ("!", "!", Role::Critical),
        SlotState::Missed => ("✗", "X", Role::Critical),
        SlotState::Unknown => ("?", "?", Role::Stale),
    };
    (if ascii { plain } else { uni }, role)
}

pub(super) fn draw(tab: &BackupsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    if tab.is_empty() {
        return draw_empty(brush, buf, area);
    }
    let (verdict, answer) = tab.night(now);
    let x = brush.text(buf, area.x + 1, area.y, area.width.saturating_sub(2), &say::night_question(), Role::Title) + 2;
    brush.text(buf, x, area.y, area.right().saturating_sub(x + 1), &answer, role(verdict));
    tab.with(now, |shown, at| {
        let body = Rect::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1));
        let (list, detail) = divide(tab, body, shown.len());
        draw_list(tab, brush, buf, list, shown, at);
        let Some(line) = shown.get(at) else { return };
        let Some(detail) = detail.filter(|d| d.height >= 4) else { return };
        if detail.width >= 96 {
            let half = detail.width / 2;
            draw_day(tab, brush, buf, Rect { width: half, ..detail }, line);
            let right = Rect { x: detail.x + half, width: detail.width - half, ..detail };
            draw_system(brush, buf, right, line, None, now);
        } else if detail.height >= 14 {
            // a day of few runs leaves its room to what is found
            let runs = line.status.days.get(tab.day_at(&line.status)).map_or(0, |d| d.runs.len().min(99));
            let top = (runs as u16 + 4).clamp(6, detail.height / 2);
            draw_day(tab, brush, buf, Rect { height: top, ..detail }, line);
            let below = Rect { y: detail.y + top, height: detail.height - top, ..detail };
            draw_system(brush, buf, below, line, None, now);
        } else {
            // on few lines the day is one of them: what is found matters more than its runs
            draw_system(brush, buf, detail, line, line.status.days.get(tab.day_at(&line.status)), now);
        }
    });
}

/// Narrowest room in which the detail stands beside the list: a calendar of five weeks and its figures keep theirs.
const BESIDE: u16 = 160;

/// Room for the list of `len` systems and for the detail.
fn divide(tab: &BackupsTab, body: Rect, len: usize) -> (Rect, Option<Rect>) {
    let look = tab.list.look;
    if !look.preview || (!look.below && body.width >= BESIDE) {
        return look.split(body, 62);
    }
    let wanted = u16::try_from(len).unwrap_or(u16::MAX).saturating_add(4);
    let height = if body.height >= 16 { wanted.clamp(5, body.height * 3 / 5) } else { body.height };
    let below = Rect { y: body.y + height, height: body.height - height, ..body };
    (Rect { height, ..body }, Some(below))
}

fn draw_empty(brush: &Brush<'_>, buf: &mut Buffer, area: Rect) {
    let lines = [say::empty_title(), String::new(), say::empty_add(), say::empty_import(), say::empty_config()];
    for (i, (line, y)) in lines.iter().zip(area.y + 1..area.bottom()).enumerate() {
        let role = if i == 0 { Role::Title } else { Role::Text };
        let x = area.x + 2 + if i > 1 { 2 } else { 0 };
        brush.text(buf, x, y, area.right().saturating_sub(x), line, role);
    }
}

/// Where the columns stand, by the width there is.
struct Columns {
    verdict: u16,
    calendar: u16,
    /// Cells of a day.
    day: u16,
    /// Days shown.
    days: usize,
    /// Right ends of RPO, off-site, checked, restore; 0: not shown.
    ends: [u16; 4],
    size: u16,
}

const NAME: u16 = 16;
const VERDICT: u16 = 14;
const FIGURE: u16 = 9;

fn columns(inside: Rect, first_weekday: Weekday) -> Columns {
    let weeks = |days: usize| (days + first_weekday.num_days_from_monday() as usize).div_ceil(7) as u16;
    let left = inside.x + 1 + NAME + 1;
    let wide = inside.width >= 56;
    let calendar = if wide { left + VERDICT } else { left };
    let room = inside.right().saturating_sub(calendar + 1);
    // five weeks if they fit beside the age of the data and of the copy off-site, then more figures, then wider days
    let least = if wide { 2 * FIGURE } else { 0 };
    let fits = |d: &usize| *d as u16 + weeks(*d) + least <= room;
    let days = [35usize, 28, 21, 14, 7].into_iter().find(fits).unwrap_or(0);
    let mut day = 1;
    let mut rest = room.saturating_sub(days as u16 + weeks(days));
    let figures = usize::from(rest / FIGURE).min(4);
    rest = rest.saturating_sub(figures as u16 * FIGURE);
    let size = if figures == 4 && rest >= 19 { 19 } else { 0 };
    rest = rest.saturating_sub(size);
    if rest >= days as u16 {
        day = 2;
    }
    let mut ends = [0; 4];
    let mut x = calendar + days as u16 * day + weeks(days);
    for end in ends.iter_mut().take(figures) {
        x += FIGURE;
        *end = x;
    }
    Columns { verdict: if wide { left } else { 0 }, calendar, day, days, ends, size: if size > 0 { x + 2 } else { 0 } }
}

fn draw_list(tab: &BackupsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, shown: &[&Line], at: usize) {
    let title = tab.hidden().map_or_else(say::name, |hidden| format!("{} {hidden}", say::name()));
    let inside = brush.panel(buf, area, &title);
    let Some(first) = shown.first() else {
        brush.text(buf, inside.x + 1, inside.y, inside.width.saturating_sub(2), &say::no_faults(), Role::Dim);
        return;
    };
    if inside.height < 2 || inside.width < 20 {
        return;
    }
    let all = &first.status.days;
    let weekday = |skip: usize| all.get(skip).map_or(Weekday::Mon, |d| d.slot.date.weekday());
    // the number of week gaps depends on the first day shown, which depends on the width: two passes settle it
    let mut c = columns(inside, Weekday::Sun);
    c = columns(inside, weekday(all.len().saturating_sub(c.days)));
    let skip = all.len().saturating_sub(c.days);
    let x_of = |i: usize| -> u16 {
        let gaps = all[skip + 1..=skip + i].iter().filter(|d| d.slot.date.weekday() == Weekday::Mon).count();
        c.calendar + i as u16 * c.day + gaps as u16
    };
    brush.text(buf, inside.x + 1, inside.y, NAME, &say::head_system(), Role::Header);
    if c.verdict > 0 {
        brush.text(buf, c.verdict, inside.y, VERDICT - 1, &say::head_verdict(), Role::Header);
    }
    // the last week may have begun yesterday: its date may stand over the blank behind it
    let room = if c.ends[0] > 0 { c.ends[0] - 4 } else { inside.right() };
    for i in (0..c.days).filter(|i| *i == 0 || all[skip + i].slot.date.weekday() == Weekday::Mon) {
        let monday_soon = (1..6).any(|n| all.get(skip + i + n).is_some_and(|d| d.slot.date.weekday() == Weekday::Mon));
        if x_of(i) + 5 <= room && (i > 0 || !monday_soon) {
            let date = all[skip + i].slot.date.format("%m-%d").to_string();
            brush.text(buf, x_of(i), inside.y, 5, &date, Role::Header);
        }
    }
    let heads = [say::head_rpo(), say::head_offsite(), say::head_check(), say::head_test()];
    for (head, end) in heads.iter().zip(c.ends).filter(|(_, end)| *end > 0) {
        brush.text_right(buf, end, inside.y, head, Role::Header);
    }
    if c.size > 0 {
        brush.text(buf, c.size, inside.y, 9, &say::head_size(), Role::Header);
    }
    let legend = u16::from(c.days > 0 && inside.height as usize >= shown.len() + 2);
    let rows = usize::from(inside.height.saturating_sub(1 + legend));
    for (i, y) in tab.list.window_at(at, shown.len(), rows).zip(inside.y + 1..) {
        let (line, s) = (shown[i], &shown[i].status);
        let row = Rect::new(inside.x, y, inside.width, 1);
        brush.text(buf, inside.x + 1, y, NAME, &s.system, Role::Text);
        if c.verdict > 0 {
            let busy = line.facts.repos.iter().any(|r| r.asked);
            let (word, look) =
                if busy { (say::verifying(), Role::Info) } else { (words::verdict_word(s.verdict), role(s.verdict)) };
            brush.text(buf, c.verdict, y, VERDICT - 1, &word, look);
        }
        figures(brush, buf, &c, y, line);
        if i == at {
            brush.select(buf, row);
        }
        for (n, day) in s.days[s.days.len().saturating_sub(c.days)..].iter().enumerate() {
            let (sign, look) = glyph(day, brush.ascii);
            brush.text(buf, x_of(n), y, 1, sign, look);
        }
        if tab.list.is_marked(i) {
            brush.text(buf, inside.x, y, 1, if brush.ascii { "*" } else { "▌" }, Role::Mark);
        }
        if i == at {
            // the selection keeps the signs' own colours
            for x in row.x..row.right() {
                if let Some(bg) = brush.style(Role::Selection).bg {
                    buf[(x, y)].set_bg(bg);
                }
            }
            let day = tab.day_at(s);
            if day >= skip && day - skip < c.days {
                let cursor = Rect::new(x_of(day - skip), y, 1, 1).intersection(inside);
                let (style, reversed) = (brush.style(Role::TabActive), Modifier::REVERSED);
                // on a row that is reversed already the cursor is what is not
                let is_reversed = !cursor.is_empty() && buf[cursor.as_position()].modifier.contains(reversed);
                let both = is_reversed && style.add_modifier.contains(reversed);
                buf.set_style(cursor, if both { style.remove_modifier(reversed) } else { style });
            }
        }
    }
    if legend > 0 {
        let text = if brush.ascii { say::legend_ascii() } else { say::legend() };
        brush.text(buf, inside.x + 1, inside.bottom() - 1, inside.width.saturating_sub(2), &text, Role::Dim);
    }
}

fn figures(brush: &Brush<'_>, buf: &mut Buffer, c: &Columns, y: u16, line: &Line) {
    let (s, plan) = (&line.status, &line.plan);
    let dash = || "—".to_owned();
    let over = |bad: bool, look: Role| if bad { look } else { Role::Text };
    let has = |id: &str| s.findings.iter().any(|f| f.id().0 == id && f.weight > Weight::Info);
    let rpo = (s.rpo.map_or_else(dash, words::span), over(s.rpo.is_none_or(|r| r > plan.rpo), Role::Critical));
    let far = match (s.has_offsite, s.offsite_age) {
        (false, _) => (dash(), Role::Dim),
        (true, None) => (dash(), Role::Warn),
        (true, Some(a)) => (words::span(a), over(has("B08"), Role::Warn)),
    };
    let as_of = s.as_of;
    let check = s.last_check.as_ref().map_or((dash(), Role::Dim), |k| {
        let look = if has("B10") { Role::Critical } else { over(has("B09"), Role::Warn) };
        (words::span(as_of - k.at), look)
    });
    let test = s.last_test.as_ref().map_or((dash(), Role::Dim), |k| {
        let look = if has("B12") { Role::Critical } else { over(has("B11") || has("B13"), Role::Warn) };
        (words::span(as_of - k.at), look)
    });
    for ((text, look), end) in [rpo, far, check, test].iter().zip(c.ends).filter(|(_, end)| *end > 0) {
        brush.text_right(buf, end, y, text, *look);
    }
    if c.size > 0 {
        // the trend, not the size: the lowest value stands at a third, so that growth is seen
        let known: Vec<f64> = s.sizes.iter().copied().flatten().collect();
        let known = &known[known.len().saturating_sub(18)..];
        let (low, most) = known.iter().fold((f64::MAX, 0.0f64), |(l, m), v| (l.min(*v), m.max(*v)));
        let base = low - ((most - low) / 2.0).max(most * 0.02);
        let trend: Vec<Option<f64>> = known.iter().map(|v| Some(v - base)).collect();
        let at = Rect::new(c.size, y, 9, 1);
        chart::area(brush, buf, at, &trend, most - base, Role::ChartDisk);
        if c.size + 17 <= buf.area.right()
            && let Some(last) = known.last()
        {
            brush.text_right(buf, c.size + 16, y, &bytes(*last as u64), Role::Dim);
        }
    }
}

fn draw_day(tab: &BackupsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, line: &Line) {
    let s = &line.status;
    let Some(day) = s.days.get(tab.day_at(s)) else { return };
    let date = day.slot.date;
    let inside = brush.panel(buf, area, &say::title_day(&date.to_string(), &words::weekday(date.weekday())));
    if inside.is_empty() {
        return;
    }
    let (sign, look) = glyph(day, brush.ascii);
    let width = inside.width.saturating_sub(2);
    let x = brush.text(buf, inside.x + 1, inside.y, 2, sign, look) + 1;
    brush.text(buf, x, inside.y, inside.right().saturating_sub(x), &day_line(day, &line.plan), look);
    let mut y = inside.y + 1;
    if day.runs.is_empty() {
        brush.text(buf, inside.x + 1, y, width, &say::no_runs(), Role::Dim);
    }
    for shown in &day.runs {
        if y >= inside.bottom() {
            break;
        }
        y = draw_run(brush, buf, inside, y, shown, line);
    }
}

fn draw_run(brush: &Brush<'_>, buf: &mut Buffer, inside: Rect, y: u16, shown: &Shown, line: &Line) -> u16 {
    let (run, zone) = (&shown.run, line.plan.zone);
    let kind = match run.outcome {
        Outcome::Failed => words::outcome_word(run.outcome),
        _ => words::kind_word(shown.kind),
    };
    let look = match (run.outcome, shown.restorable) {
        (Outcome::Failed, _) => Role::Critical,
        (Outcome::Partial, _) => Role::Warn,
        (_, false) => Role::Dim,
        _ => Role::Text,
    };
    let mut marks: Vec<String> = vec![];
    if shown.offsite {
        marks.push(say::run_offsite());
    }
    if run.outcome == Outcome::Partial {
        marks.push(words::outcome_word(run.outcome));
    }
    if run.gone_at.is_some() {
        marks.push(say::run_gone());
    } else if !shown.restorable && run.outcome != Outcome::Failed {
        marks.push(say::run_unrestorable());
    } else if shown.verified {
        marks.push(say::run_verified());
    }
    if (run.ran_at - run.at).abs() > crate::clock::HOUR {
        marks.push(say::run_dated(&local_text(zone, run.ran_at)));
    }
    let time = local_text(zone, run.at);
    let took = run.ended_at.filter(|e| *e > run.ran_at).map(|e| words::span(e - run.ran_at)).unwrap_or_default();
    let size = |b: Option<i64>| b.and_then(|b| u64::try_from(b).ok()).map(bytes);
    let source = size(run.source_bytes).unwrap_or_default();
    let added = size(run.added_bytes).map(|b| say::added(&b)).unwrap_or_default();
    let figures = format!("{} {} {}", cell_right(&source, 7), cell_right(&added, 8), cell_right(&took, 4));
    let head = format!("{} {} {figures}  ", time.get(6..).unwrap_or(&time), cell(&kind, 12));
    let end = inside.right().saturating_sub(1);
    let x = brush.text(buf, inside.x + 1, y, end.saturating_sub(inside.x + 1), &head, look);
    let tail = if run.outcome == Outcome::Failed {
        run.note.lines().next().unwrap_or_default().to_owned()
    } else {
        marks.push(clean(&run.name).into_owned());
        marks.join(" · ")
    };
    brush.text(buf, x, y, end.saturating_sub(x), &tail, if run.outcome == Outcome::Failed { look } else { Role::Dim });
    y + 1
}

/// What is known of a system; `day`: the day under the cursor, in one line before it.
fn draw_system(brush: &Brush<'_>, buf: &mut Buffer, area: Rect, line: &Line, day: Option<&Day>, now: Millis) {
    let (s, plan) = (&line.status, &line.plan);
    let inside = brush.panel(buf, area, &say::explain_title(&s.system, &words::verdict_word(s.verdict)));
    if inside.is_empty() {
        return;
    }
    let width = usize::from(inside.width.saturating_sub(4));
    let mut rows: Vec<(String, Role)> = vec![];
    if let Some(day) = day {
        let (sign, look) = glyph(day, brush.ascii);
        let date = day.slot.date.format("%m-%d");
        rows.push((format!("{sign} {date} {}", day_line(day, plan)), look));
    }
    for f in &s.findings {
        let (sign, plain, look) = match f.weight {
            Weight::Critical => ("✗", "X", Role::Critical),
            Weight::Warn => ("▲", "^", Role::Warn),
            Weight::Info => ("·", ".", Role::Dim),
        };
        let sign = if brush.ascii { plain } else { sign };
        for (i, part) in wrap(&words::finding(f, plan), width).into_iter().take(3).enumerate() {
            rows.push((format!("{} {part}", if i == 0 { sign } else { " " }), look));
        }
    }
    let at = |t: Millis| local_text(plan.zone, t);
    rows.push((format!("{} · {}", words::plan_line(plan), say::next_run(&at(s.next_due))), Role::Text));
    if let Some(id) = line.facts.ticket {
        rows.push((say::has_ticket(id), Role::Info));
    }
    let mut figures = vec![say::adherence(s.adherence.0, s.adherence.1)];
    figures.extend(s.worst_gap.map(|g| say::worst_gap(&words::span(g))));
    rows.push((figures.join(" · "), Role::Text));
    let mut last: Vec<String> = s.last_full.map(|t| say::last_full(&at(t))).into_iter().collect();
    last.extend(s.last_incremental.map(|t| say::last_incremental(&at(t))));
    rows.push((last.join(" · "), Role::Text));
    // where it falls short it is a finding, and told above
    if !s.copies.is_short() {
        let state = say::explain_copies(&words::copies(&s.copies));
        rows.extend(wrap(&state, width).into_iter().map(|part| (part, Role::Dim)));
    }
    if let Some(c) =
        s.last_check.iter().chain(&s.last_test).max_by_key(|c| c.at).filter(|c| c.level >= level::STRUCTURE)
    {
        let text = if c.ok {
            say::check_ok(&at(c.at), &words::level_word(c.level))
        } else {
            say::check_bad(&at(c.at), &words::level_word(c.level), c.note.lines().next().unwrap_or_default())
        };
        rows.push((text, if c.ok { Role::Text } else { Role::Critical }));
    }
    for r in &line.facts.repos {
        let copy = if r.offsite { say::offsite() } else { say::local() };
        let place = if r.repository.is_empty() { say::imported_only() } else { r.repository.clone() };
        let state = if r.busy_since.is_some() {
            say::running()
        } else {
            let looked = r.look.as_ref().map(|l| say::looked(&words::look_state(l.state), &words::span(now - l.at)));
            looked.unwrap_or_default()
        };
        rows.push((say::repo_line(&copy, r.tool.word(), &state, &place), Role::Dim));
    }
    for ((text, look), y) in rows.iter().zip(inside.y..inside.bottom()) {
        brush.text(buf, inside.x + 1, y, inside.width.saturating_sub(2), text, *look);
    }
}
