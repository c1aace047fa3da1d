//! Why a ticket is due when it is: every stretch of time, counted or not, with its reason. This text is also evidence.

use chrono::Datelike as _;

use super::model::{Happening, clocks, taken_back};
use super::sla::{ClockState, Policy, State};
use super::words::{actor_word, clock_word, level_word, local, particulars, reason_word, span};
use crate::calendar::Calendar;
use crate::clock::Millis;
use crate::config::Config;
use crate::locale::tickets as say;

/// Stretches shown at each end of a long list.
const SHOWN: usize = 150;

/// A stretch of the resolution clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// From.
    pub from: Millis,
    /// To.
    pub to: Millis,
    /// Why it does not count (`waiting_user`, `waiting_vendor`, `approved_window`, `resolved`, `paused`, `holiday`,
    /// `day_off`, `closed`); none where it counts.
    pub reason: Option<String>,
}

/// The stretches from the start of the clocks until they were stopped, or now.
pub fn segments(policy: &Policy, past: &[Happening], state: &State, now: Millis) -> Vec<Segment> {
    let Some((_, calendar)) = policy.rule(&state.level) else { return vec![] };
    let end = state.resolved.unwrap_or(now);
    let void = taken_back(past);
    let began: Vec<&Happening> = past
        .iter()
        .enumerate()
        .filter(|(i, h)| !void.contains(i) && ["paused", "resolved"].contains(&h.kind.as_str()))
        .map(|(_, h)| h)
        .collect();
    let why = |from: Millis| {
        let h = began.iter().find(|h| h.at == from);
        let reason = h.map(|h| h.data["reason"].as_str().unwrap_or("resolved"));
        reason.unwrap_or("paused").to_owned()
    };
    let mut out = Vec::new();
    let mut at = state.reported_at;
    let mut pauses: Vec<_> = state.pauses.iter().copied().filter(|(a, _)| *a < end).collect();
    pauses.sort_unstable();
    for (a, b) in pauses {
        open_and_closed(calendar, at, a, &mut out);
        let b = b.min(end);
        if b > a.max(at) {
            out.push(Segment { from: a.max(at), to: b, reason: Some(why(a)) });
        }
        at = at.max(b);
    }
    open_and_closed(calendar, at, end, &mut out);
    out
}

fn open_and_closed(calendar: &Calendar, from: Millis, to: Millis, out: &mut Vec<Segment>) {
    let mut at = from;
    let closed =
        |a: Millis, b: Millis| Segment { from: a, to: b, reason: Some(closed_reason(calendar, a, b).to_owned()) };
    for (a, b) in calendar.open_within(from, to) {
        if a > at {
            out.push(closed(at, a));
        }
        out.push(Segment { from: a, to: b, reason: None });
        at = b;
    }
    if at < to {
        out.push(closed(at, to));
    }
}

/// Why the office was closed between two instants: the strongest reason of its days.
fn closed_reason(calendar: &Calendar, from: Millis, to: Millis) -> &'static str {
    let days = calendar.date(from).iter_days().take_while(|d| *d <= calendar.date(to - 1));
    let mut reason = "closed";
    for day in days.take(40) {
        if calendar.overrides.contains_key(&day) {
            continue;
        }
        if calendar.holidays.contains(&day) {
            return "holiday";
        }
        if calendar.week[day.weekday().num_days_from_monday() as usize].is_empty() {
            reason = "day_off";
        }
    }
    reason
}

fn closed_word(reason: &str) -> String {
    match reason {
        "holiday" => say::closed_holiday(),
        "day_off" => say::closed_day_off(),
        "closed" => say::closed_hours(),
        "resolved" => say::was_resolved(),
        "paused" => say::waits(),
        other => say::was_paused(&reason_word(other)),
    }
}

/// The explanation; its first line is the title.
pub fn explain(config: &Config, policy: &Policy, id: i64, past: &[Happening], now: Millis) -> Vec<String> {
    let state = match clocks(policy, past, now) {
        Ok(state) => state,
        Err(why) => return vec![why],
    };
    let at = |t: Millis| local(config, t);
    let Some((target, calendar)) = policy.rule(&state.level) else { return vec![say::explain_title(id)] };
    let mut lines = vec![say::explain_title(id), say::explain_start(&at(state.reported_at))];
    if let Some(created) = past.first().filter(|h| h.at > state.reported_at) {
        lines.push(say::explain_entered(&at(created.at), &actor_word(&created.actor)));
    }
    let scope = past.first().map(|h| h.data["scope"].as_str().unwrap_or_default().to_owned()).unwrap_or_default();
    let severity = past.first().map(|h| h.data["severity"].as_str().unwrap_or_default().to_owned()).unwrap_or_default();
    if !scope.is_empty() {
        let first = past.first().and_then(|h| h.data["level"].as_str()).unwrap_or_default();
        lines.push(say::explain_matrix(&super::words::scope_word(&scope), &level_word(&severity), &level_word(first)));
    }
    let rule = say::explain_rule(&level_word(&state.level), &span(target.response), &span(target.resolution));
    lines.push(rule);
    lines.push(if calendar.always {
        say::explain_always(calendar.zone.name())
    } else {
        let version = if policy.version > 0 { policy.version.to_string() } else { "–".to_owned() };
        let years: Vec<String> = calendar.years.iter().map(i32::to_string).collect();
        say::explain_office(&version, calendar.zone.name(), &years.join(", "))
    });
    let void = taken_back(past);
    let stands = || past.iter().enumerate().filter(|(i, _)| !void.contains(i)).map(|(_, h)| h);
    lines.push(String::new());
    result(config, &mut lines, "response", &state.response, past, now);
    if let Some((since, clock)) = &state.next_response {
        result(config, &mut lines, "next_response", clock, past, now);
        lines.push(format!("  {}", say::explain_heard(&at(*since))));
    }
    result(config, &mut lines, "resolution", &state.resolution, past, now);
    lines.push(String::new());
    lines.push(say::explain_stretches());
    let mut shown: Vec<(Millis, String)> = segments(policy, past, &state, now)
        .into_iter()
        .map(|s| {
            let (from, to) = (at(s.from), at(s.to));
            let line = match &s.reason {
                None => say::explain_counted(&from, &to, &span(s.to - s.from)),
                Some(reason) => say::explain_left_out(&from, &to, &closed_word(reason)),
            };
            (s.from, line)
        })
        .collect();
    for h in stands().filter(|h| ["level", "joined", "calendar_changed"].contains(&h.kind.as_str())) {
        let what = particulars(config, h);
        let line = match h.kind.as_str() {
            "level" => say::explain_level(&at(h.at), &what, &actor_word(&h.actor)),
            "joined" => say::explain_joined(&at(h.at), &what),
            _ => say::explain_moved(&at(h.at), &what),
        };
        shown.push((h.at, line));
    }
    shown.sort_by_key(|(at, _)| *at);
    let total = shown.len();
    if total > 2 * SHOWN {
        let tail = shown.split_off(total - SHOWN);
        shown.truncate(SHOWN);
        shown.push((0, say::explain_more(total - 2 * SHOWN)));
        shown.extend(tail);
    }
    lines.extend(shown.into_iter().map(|(_, line)| line));
    lines
}

/// What one clock comes to, with its breach and who excused it.
fn result(config: &Config, lines: &mut Vec<String>, name: &str, c: &ClockState, past: &[Happening], now: Millis) {
    let at = |t: Millis| local(config, t);
    let due = c.due.map_or_else(say::waits, at);
    lines.push(say::explain_result(&clock_word(name), &span(c.consumed), &span(c.budget), &due));
    if let Some(stopped) = c.stopped {
        lines.push(format!("  {}", if c.breached { say::met_late(&at(stopped)) } else { say::met(&at(stopped)) }));
        let frozen = past.iter().rev().find_map(|h| h.data[name]["calendar_version"].as_i64());
        if let Some(version) = frozen {
            lines.push(format!("  {}", say::explain_frozen(version)));
        }
    } else if c.due.is_some_and(|due| due < now) && !c.breached {
        lines.push(format!("  {}", say::explain_no_duty()));
    }
    if c.provisional {
        lines.push(format!("  ? {}", say::provisional()));
    }
    let void = taken_back(past);
    let about = |kind: &str| -> Vec<&Happening> {
        let all =
            past.iter().enumerate().filter(|(i, h)| h.kind == kind && h.data["clock"] == name && !void.contains(i));
        all.map(|(_, h)| h).collect()
    };
    let told = about("sla_breached");
    for h in &told {
        let owner = h.data["owner"].as_str().map_or_else(say::nobody, str::to_owned);
        let when = h.data["breached_at"].as_str().and_then(|t| crate::clock::parse_rfc3339(t).ok()).unwrap_or(h.at);
        let version = h.data["calendar_version"].as_i64().unwrap_or(1);
        lines.push(format!("  {}", say::explain_breach(&at(when), &owner, version)));
        if h.data["on_raise"] == true {
            lines.push(format!("  {}", say::explain_on_raise(&actor_word(&h.actor))));
        }
    }
    if c.breached && told.is_empty() {
        lines.push(format!("  {}", say::explain_breached()));
    }
    for h in about("breach_excused") {
        let reason = h.data["reason"].as_str().unwrap_or_default();
        lines.push(format!("  {}", say::explain_excused(&actor_word(&h.actor), reason)));
    }
}
