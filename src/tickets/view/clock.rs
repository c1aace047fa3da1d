//! The SLA state of a ticket in a few cells: sign, time, where it goes on.

use crate::calendar::Calendar;
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::config::Config;
use crate::locale::tickets as say;
use crate::tickets::model::Ticket;
use crate::tickets::sla::Policy;
use crate::tickets::words::{format, reason_word};
use crate::tui::countdown;
use crate::tui::theme::Role;

/// The running clock that ends first.
struct Running {
    due: Millis,
    tail: String,
    breached: bool,
}

fn first_due(t: &Ticket, now: Millis) -> Option<Running> {
    let response = t.response_due.filter(|_| t.response_met_at.is_none());
    let all = [
        (response, say::resp_short(), t.response_is_breached(now)),
        (t.next_due, say::resp_short(), t.next_is_breached(now)),
        (t.resolution_due, String::new(), t.resolution_is_breached(now)),
    ];
    let first = all.into_iter().filter_map(|(due, word, breached)| due.map(|due| (due, word, breached)));
    first.min_by_key(|(due, ..)| *due).map(|(due, word, breached)| {
        let tail = if word.is_empty() { word } else { format!(" {word}") };
        Running { due, tail, breached }
    })
}

fn calendar<'a>(policy: &'a Policy, t: &Ticket) -> Option<&'a Calendar> {
    policy.rule(&t.level).map(|(_, calendar)| calendar)
}

/// The state of the clock that runs out first: text and role. Times are open time: nothing runs while the office is
/// closed.
pub(in crate::tickets) fn clock_text(
    config: &Config,
    policy: &Policy,
    t: &Ticket,
    now: Millis,
    ascii: bool,
) -> (String, Role) {
    let sign = |uni: &'static str, plain: &'static str| if ascii { plain } else { uni };
    let budget = policy.rule(&t.level).map(|(target, _)| target.resolution);
    match t.state.as_str() {
        "merged" => {
            return (
                sign("→", ">").to_owned() + &t.merged_into.map_or(String::new(), |id| format!(" #{id}")),
                Role::Dim,
            );
        }
        "resolved" => {
            let ok = !t.resolution_breached && !t.response_breached;
            let used = t.resolution_used.map(|ms| say::met_in(&countdown::remaining(ms))).unwrap_or_default();
            let text = format!("{} {used}", sign(if ok { "✓" } else { "✗" }, if ok { "OK" } else { "X" }));
            return (text.trim_end().to_owned(), if ok { Role::Ok } else { Role::Dim });
        }
        "waiting" => {
            let reason = reason_word(t.pause_reason.as_deref().unwrap_or_default());
            let text = match budget.zip(t.resolution_used).map(|(budget, used)| budget - used) {
                Some(left) if left >= 0 => format!("{} {} {reason}", sign("‖", "="), countdown::remaining(left)),
                Some(over) => format!("{} {} {reason}", sign("‖", "="), countdown::overdue(-over)),
                None => format!("{} {reason}", sign("‖", "=")),
            };
            return (text, if t.resolution_breached { Role::Critical } else { Role::Paused });
        }
        _ => {}
    }
    let Some(Running { due, tail, breached }) = first_due(t, now) else { return ("—".to_owned(), Role::Dim) };
    let open = |from, to| calendar(policy, t).map_or(to - from, |c| c.elapsed(from, to, &[]));
    let query = calendar(policy, t).filter(|c| c.is_provisional(t.reported_at, due)).map_or("", |_| "?");
    if breached {
        // a raise may have breached it for good while the new due lies ahead
        let by = if now > due { countdown::overdue(open(due, now)) } else { countdown::remaining(open(now, due)) };
        return (format!("{} {by}{tail}{query}", sign("✗", "X")), Role::Critical);
    }
    let left = countdown::remaining(open(now, due));
    let at_risk = t.risk_at <= now;
    let role = if at_risk { Role::Warn } else { Role::Text };
    if let Some(opens) = calendar(policy, t).and_then(|c| c.opens_at(now)) {
        let when = format(config, opens, if opens - now < DAY { "%H:%M" } else { "%m-%d" });
        let arrow = sign("→", ">");
        return (format!("{} {left} {arrow} {when}{query}", sign("☾", "z")), if at_risk { role } else { Role::Dim });
    }
    if at_risk {
        (format!("{} {left}{tail}{query}", sign("▲", "^")), role)
    } else {
        (format!("  {left}{tail}{query}"), role)
    }
}

/// The next instant at which the clock of one of these tickets looks different.
pub(in crate::tickets) fn next_change(policy: &Policy, rows: &[Ticket], now: Millis) -> Option<Millis> {
    rows.iter()
        .filter(|t| t.is_open() && t.state != "waiting")
        .filter_map(|t| {
            let first = first_due(t, now)?;
            let calendar = calendar(policy, t)?;
            if let Some(opens) = calendar.opens_at(now) {
                return Some(opens);
            }
            let (from, to) = (first.due.min(now), first.due.max(now));
            let left = calendar.elapsed(from, to, &[]);
            let unit = if left <= HOUR { SECOND } else { MINUTE };
            // what is shown changes when the time left does, not when the wall clock turns
            let into = if first.due > now { left % unit } else { (unit - left % unit) % unit };
            let next = now + if into == 0 { unit } else { into };
            Some(t.last_safe_start().filter(|at| *at >= now).map_or(next, |at| next.min(at + 1)))
        })
        .min()
}
