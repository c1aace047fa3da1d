//! The picture of the Accounts tab.

mod list;

use std::collections::{BTreeMap, HashSet};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::audit::Finding;
use super::model::{self, Account, Person, zone};
use super::rules::rank;
use super::store::Past;
use super::tab::AccountsTab;
use super::words;
use crate::clock::Millis;
use crate::locale::accounts as say;
use crate::text::{cell, clean, width, wrap};
use crate::tui::paint::Brush;
use crate::tui::theme::Role;

/// A line of the detail: a label (empty: it goes on), a text, and how it looks.
type Line = (String, String, Role);

fn role_of(severity: &str) -> Role {
    match severity {
        "critical" => Role::Critical,
        "high" => Role::Warn,
        "medium" => Role::Text,
        _ => Role::Dim,
    }
}

fn glyph(severity: &str, ascii: bool) -> &'static str {
    let at = usize::from(rank(severity).min(4));
    if ascii { ["X", "^", "*", "-", "i"][at] } else { ["✗", "▲", "●", "·", "i"][at] }
}

pub(super) fn draw(tab: &AccountsTab, brush: &Brush<'_>, buf: &mut Buffer, area: Rect, now: Millis) {
    let share = if area.width < 140 { 66 } else { 62 };
    let (list, beside) = if tab.current().is_some() { tab.place.look.split(area, share) } else { (area, None) };
    list::draw(tab, brush, buf, list, now);
    if let (Some(at), Some(f)) = (beside, tab.current()) {
        let name = if f.name.is_empty() { f.account.clone() } else { format!("{} {}", f.account, f.name) };
        let inside = brush.panel(buf, at, &clean(&name));
        draw_lines(brush, buf, inside, &detail_lines(tab, f, now));
    }
}

fn draw_lines(brush: &Brush<'_>, buf: &mut Buffer, inside: Rect, lines: &[Line]) {
    let label = lines.iter().map(|(l, ..)| width(l)).max().unwrap_or(0).min(14) as u16;
    let room = inside.width.saturating_sub(label + 4);
    let mut y = inside.y;
    for (name, text, role) in lines {
        for (i, part) in wrap(text, usize::from(room)).iter().enumerate() {
            if y >= inside.bottom() {
                return;
            }
            if i == 0 {
                brush.text(buf, inside.x + 1, y, label, name, Role::Dim);
            }
            brush.text(buf, inside.x + 1 + label + 2, y, room, part, *role);
            y += 1;
        }
    }
}

fn detail_lines(tab: &AccountsTab, f: &Finding, now: Millis) -> Vec<Line> {
    let rules = &tab.config.accounts;
    let line = |label: String, text: String, role| (label, text, role);
    let mut out = vec![
        line(f.rule.id.to_owned(), words::finding_word(f.rule.finding), role_of(f.severity)),
        line(String::new(), words::evidence(f, rules), Role::Text),
        line(say::d_decision(), decision_line(tab, f, now), Role::Info),
    ];
    let also: Vec<String> = tab
        .whole
        .audit
        .findings
        .iter()
        .filter(|g| {
            g.id != f.id
                && ((g.account == f.account && g.system == f.system) || (!f.person.is_empty() && g.person == f.person))
        })
        .map(|g| {
            let whose = if g.account == f.account { String::new() } else { format!(" ({})", g.account) };
            format!("{} {}{whose}", g.rule.id, words::finding_word(g.rule.finding))
        })
        .collect();
    if !also.is_empty() {
        out.push(line(say::d_also(), also.join(", "), Role::Warn));
    }
    out.push(line(String::new(), String::new(), Role::Dim));
    if let Some(p) = tab.person(f) {
        out.push(line(say::d_person(), format!("{} {}", p.person, p.name), Role::Text));
        out.push(line(say::d_place(), format!("{} {}", p.department, p.position), Role::Text));
        out.push(line(say::d_status(), employment(p, now, zone(rules)), Role::Text));
    } else if f.is_account {
        out.push(line(say::d_person(), say::not_in_roster(), Role::Dim));
    }
    if let Some(a) = tab.account(f) {
        account_lines(tab, a, &mut out);
    }
    if let Some((id, past)) = &tab.past
        && *id == f.id
    {
        let lines = past_lines(tab, past);
        for (i, text) in lines.into_iter().take(8).enumerate() {
            out.push(line(if i == 0 { say::d_history() } else { String::new() }, text, Role::Dim));
        }
    }
    out
}

fn decision_line(tab: &AccountsTab, f: &Finding, now: Millis) -> String {
    let d = tab.decision(f);
    let stands = words::state_word(tab.state(f, now), d, &tab.config.accounts);
    match d {
        Some(d) => format!("{stands} · {} · {} · {}", d.actor, words::moment(d.at, &tab.config.accounts), d.reason),
        None => stands,
    }
}

fn employment(p: &Person, now: Millis, zone: chrono_tz::Tz) -> String {
    let left = model::left(p, now, zone).is_some();
    let since = p.hired_on.map(|d| say::employed(&d.to_string()));
    let until = match (p.leaves_on, left) {
        (Some(day), true) => Some(say::has_left(&day.to_string())),
        (Some(day), false) => Some(say::leaves(&day.to_string())),
        (None, true) => Some(say::has_left(&say::unknown())),
        (None, false) => None,
    };
    since.into_iter().chain(until).collect::<Vec<_>>().join(", ")
}

/// The account itself, and what it may do against its peers.
fn account_lines(tab: &AccountsTab, a: &Account, out: &mut Vec<Line>) {
    let rules = &tab.config.accounts;
    let state = if a.enabled { say::d_enabled() } else { say::d_disabled() };
    let made = a.created_at.map(|t| say::d_since(&words::moment(t, rules)));
    let state = [Some(a.system.clone()), Some(words::kind_word(&a.kind)), Some(state), made];
    out.push((say::d_state(), state.into_iter().flatten().collect::<Vec<_>>().join(" · "), Role::Text));
    let login = a.last_login_at.map_or_else(say::never, |t| words::moment(t, rules));
    out.push((say::d_login(), login, Role::Text));
    if !a.owner.is_empty() {
        out.push((say::d_owner(), a.owner.clone(), Role::Text));
    }
    let peers: Vec<&Account> = tab.whole.book.accounts.iter().filter(|b| is_peer(a, b)).collect();
    let mut holders: BTreeMap<&String, usize> = BTreeMap::new();
    for b in &peers {
        for g in b.grants().collect::<HashSet<_>>() {
            *holders.entry(g).or_default() += 1;
        }
    }
    let all = [(say::d_roles(), &a.roles), (say::d_permissions(), &a.permissions)];
    for (label, grants) in all {
        if !grants.is_empty() {
            let share = |g: &String| match peers.len() {
                0 => g.clone(),
                n => format!("{g} {}/{n}", holders.get(g).unwrap_or(&0)),
            };
            out.push((label, grants.iter().map(share).collect::<Vec<_>>().join("  "), Role::Text));
        }
    }
    if a.position.is_empty() {
        return;
    }
    let compared = if peers.is_empty() { say::d_no_peers() } else { say::d_peers(peers.len()) };
    out.push((String::new(), compared, Role::Dim));
    let own: HashSet<&String> = a.grants().collect();
    let usual = holders.iter().filter(|(g, n)| **n * 2 > peers.len() && !own.contains(**g));
    let missing: Vec<String> = usual.map(|(g, n)| format!("{g} {n}/{}", peers.len())).collect();
    if !missing.is_empty() && peers.len() >= 2 {
        out.push((String::new(), say::d_missing(&missing.join(", ")), Role::Dim));
    }
}

fn is_peer(a: &Account, b: &Account) -> bool {
    let same = a.system == b.system && a.department == b.department && a.position == b.position;
    same && !a.position.is_empty() && a.account != b.account && b.enabled && b.kind == "person"
}

/// One line for each thing that happened, the newest first.
fn past_lines(tab: &AccountsTab, past: &[(Millis, Past)]) -> Vec<String> {
    let rules = &tab.config.accounts;
    past.iter()
        .map(|(at, what)| {
            let text = match what {
                Past::Decision(actor, v) => {
                    let word = words::decision_word(v["decision"].as_str().unwrap_or_default());
                    let reason = v["reason"].as_str().unwrap_or_default();
                    format!("{actor}: {word} {reason}")
                }
                Past::Person(before, after) => person_change(before.as_deref(), after.as_deref()),
                Past::Account(name, before, after) => account_change(tab, name, before.as_deref(), after.as_deref()),
            };
            format!("{}  {text}", words::moment(*at, rules))
        })
        .collect()
}

fn person_change(before: Option<&Person>, after: Option<&Person>) -> String {
    let (Some(a), Some(b)) = (before, after) else {
        return if after.is_some() { say::h_roster_in() } else { say::h_roster_out() };
    };
    let place = |p: &Person| format!("{} {}", p.department, p.position).trim().to_owned();
    if place(a) != place(b) {
        say::h_moved(&place(a), &place(b))
    } else if a.leaves_on != b.leaves_on {
        say::h_leaves(&words::day(b.leaves_on))
    } else {
        say::h_roster_changed()
    }
}

fn account_change(tab: &AccountsTab, name: &str, before: Option<&Account>, after: Option<&Account>) -> String {
    let (Some(a), Some(b)) = (before, after) else {
        return if after.is_some() { say::h_seen(name) } else { say::h_gone(name) };
    };
    let minus =
        |x: &Account, y: &Account| x.grants().filter(|g| !y.grants().any(|h| h == *g)).cloned().collect::<Vec<_>>();
    let (got, lost) = (minus(b, a), minus(a, b));
    let mut parts = vec![];
    if a.enabled != b.enabled {
        parts.push(if b.enabled { say::h_enabled(name) } else { say::h_disabled(name) });
    }
    if !got.is_empty() {
        parts.push(say::h_granted(name, &got.join(", ")));
    }
    if !lost.is_empty() {
        parts.push(say::h_lost(name, &lost.join(", ")));
    }
    if parts.is_empty() {
        let login = b.last_login_at.filter(|_| a.last_login_at != b.last_login_at);
        parts.push(match login {
            Some(at) => say::h_login(name, &words::moment(at, &tab.config.accounts)),
            None => say::h_changed(name),
        });
    }
    parts.join("; ")
}

/// Everything known of the past of the person under the cursor.
pub(super) fn history(tab: &AccountsTab, now: Millis) -> Option<(String, Vec<String>)> {
    let f = tab.current()?;
    let name = if f.name.is_empty() { &f.account } else { &f.name };
    let mut lines = vec![];
    if let Some(p) = tab.person(f) {
        lines.push(format!("{} {} · {}", p.department, p.position, employment(p, now, zone(&tab.config.accounts))));
        lines.push(String::new());
    }
    match &tab.past {
        Some((id, past)) if *id == f.id && !past.is_empty() => lines.extend(past_lines(tab, past)),
        _ => lines.push(say::h_none()),
    }
    Some((say::history_title(&clean(name)), lines))
}

/// Every rule, and whether it was checked.
pub(super) fn rules(tab: &AccountsTab) -> (String, Vec<String>) {
    let all = &tab.whole.audit.coverage;
    let checked = all.iter().filter(|c| c.missing.is_none()).count();
    let line = |c: &super::rules::Coverage| {
        let found = tab.whole.audit.findings.iter().filter(|f| f.rule == c.rule).count();
        let word = cell(&words::finding_word(c.rule.finding), 26);
        let why = words::coverage(c);
        let count = if c.missing.is_some() { "—".to_owned() } else { found.to_string() };
        format!("{} {word} {}  {why}", cell(c.rule.id, 8), cell(&count, 4))
    };
    (say::rules_title(checked, all.len()), all.iter().map(line).collect())
}

/// The definition of the rule, its thresholds, the evidence, and what was decided.
pub(super) fn explain(tab: &AccountsTab, now: Millis) -> Option<(String, Vec<String>)> {
    let f = tab.current()?;
    let rules = &tab.config.accounts;
    let mut lines = vec![
        format!("{}: {}", say::threshold(), words::definition(f.rule, rules)),
        String::new(),
        format!("{}: {}", say::evidence(), words::evidence(f, rules)),
    ];
    if let Some(since) = f.since {
        lines.push(say::d_since(&words::moment(since, rules)));
    }
    lines.push(say::number_and_severity(&f.id, &words::severity_word(f.severity)));
    lines.push(String::new());
    lines.push(format!("{}: {}", say::d_decision(), decision_line(tab, f, now)));
    lines.push(String::new());
    let detail = detail_lines(tab, f, now);
    lines.extend(
        detail
            .into_iter()
            .skip(3)
            .filter(|(_, text, _)| !text.is_empty())
            .map(|(label, text, _)| if label.is_empty() { format!("  {text}") } else { format!("{label}: {text}") }),
    );
    let name = if f.name.is_empty() { f.account.clone() } else { format!("{} {}", f.account, f.name) };
    Some((format!("{} · {}", clean(&name), words::finding_word(f.rule.finding)), lines))
}
