//! How long such tickets take, the last moment at which one can be begun in time, and which of them cannot all be done.
//! Pure.
//!
//! Handling is the open time from the first hand laid on a ticket (claimed, assigned, answered, called) to its solution,
//! pauses left out. A ticket that nobody touched before it was solved tells nothing and is not counted.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::model::{Happening, Ticket, clocks, seconds, taken_back};
use super::sla::Policy;
use super::words::{category_word, level_word, local, span};
use crate::clock::{DAY, Millis};
use crate::config::Config;
use crate::locale::tickets as say;

/// Fewer tickets than these tell nothing of the next one.
pub const LEAST: i64 = 5;
/// Tickets solved longer ago do not count, in milliseconds.
pub const WINDOW: Millis = 90 * DAY;
/// Most open tickets that are set against the people on duty.
pub const WEIGHED: i64 = 200;
/// A median that differs by less, in percent, is the same: open tickets are not counted anew for it.
const SAME: i64 = 5;

/// How long tickets of a kind take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typical {
    /// The part of the OA they are about, or the way they came; empty: all.
    pub category: String,
    /// Their level; empty: all.
    pub level: String,
    /// How many were measured.
    pub n: i64,
    /// Median of their handling, in open milliseconds.
    pub median: Millis,
}

impl Typical {
    /// Whether an open ticket's last safe start would hardly move by what `before` was.
    pub fn is_like(&self, before: &Self) -> bool {
        (self.n >= LEAST) == (before.n >= LEAST)
            && (self.median - before.median).abs() * 100 <= before.median.max(1) * SAME
    }
}

/// Open milliseconds from the first hand laid on a ticket to its solution; none where it is not solved, or was solved at
/// once.
pub fn handled(policy: &Policy, past: &[Happening], now: Millis) -> Option<Millis> {
    let state = clocks(policy, past, now).ok()?;
    let (_, calendar) = policy.rule(&state.level)?;
    let void = taken_back(past);
    let hand = |h: &Happening| match h.kind.as_str() {
        "claimed" | "reply" | "call" => true,
        "assigned" => !h.data["owner"].is_null(),
        _ => false,
    };
    let first = past.iter().enumerate().find(|(i, h)| !void.contains(i) && hand(h)).map(|(_, h)| h.at)?;
    let solved = state.resolved.filter(|at| *at > first)?;
    Some(calendar.elapsed(first, solved, &state.pauses))
}

fn median(mut all: Vec<Millis>) -> Millis {
    all.sort_unstable();
    let middle = all.len() / 2;
    match all.len() {
        0 => 0,
        n if n % 2 == 1 => all[middle],
        _ => i64::midpoint(all[middle - 1], all[middle]),
    }
}

/// Medians of measured tickets (category, level, handling): by category and level, by level, of all.
pub fn typical(measured: &[(String, String, Millis)]) -> Vec<Typical> {
    let mut groups: BTreeMap<(&str, &str), Vec<Millis>> = BTreeMap::new();
    for (category, level, handling) in measured {
        for group in [(category.as_str(), level.as_str()), ("", level), ("", "")] {
            groups.entry(group).or_default().push(*handling);
        }
    }
    groups
        .into_iter()
        .map(|((category, level), all)| Typical {
            category: category.into(),
            level: level.into(),
            n: all.len() as i64,
            median: median(all),
        })
        .collect()
}

/// The kind that tells most of a ticket: its category and level, where enough were measured; else its level; else all.
pub fn like<'a>(all: &'a [Typical], category: &str, level: &str) -> Option<&'a Typical> {
    [(category, level), ("", level), ("", "")]
        .into_iter()
        .find_map(|(c, l)| all.iter().find(|t| t.category == c && t.level == l && t.n >= LEAST))
}

/// The last instant at which a ticket of `level` that is due at `due` can be begun, if it takes `median` of open time.
pub fn last_start(policy: &Policy, level: &str, due: Millis, median: Millis) -> Option<Millis> {
    policy.rule(level)?.1.offset_before(due, median)
}

/// Something that is still to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// The ticket.
    pub id: i64,
    /// Its level: whose calendar counts.
    pub level: String,
    /// When its solution is due.
    pub due: Millis,
    /// Open milliseconds that it will take.
    pub work: Millis,
}

/// What the people on duty can do of what is ahead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook {
    /// How many tickets were looked at.
    pub tickets: usize,
    /// People on duty.
    pub hands: usize,
    /// Tickets for which there is no time left if the others are done, the one due first first.
    pub fall_out: Vec<i64>,
}

/// People who each do one thing after the other, whoever is free first the next.
struct People<'a> {
    policy: &'a Policy,
    free: Vec<Millis>,
}

impl<'a> People<'a> {
    fn new(policy: &'a Policy, hands: usize, now: Millis) -> Self {
        Self { policy, free: vec![now; hands.max(1)] }
    }

    /// Somebody does it; whether it is done in time.
    fn do_it(&mut self, a: &Ahead) -> bool {
        let Some(next) = self.free.iter_mut().min() else { return false };
        // without work left, and where a calendar never opens again, nobody is held up
        let calendar = self.policy.rule(&a.level).filter(|_| a.work > 0);
        *next = calendar.and_then(|(_, c)| c.deadline(*next, a.work, &[])).unwrap_or(*next);
        *next <= a.due
    }
}

/// Which of `ahead` cannot be done in time by `hands` people who begin now: earliest due first, and whenever one comes
/// too late the longest of those before it is left out (Moore 1968, with several hands). Everything else then is in
/// time.
pub fn outlook(policy: &Policy, mut ahead: Vec<Ahead>, hands: usize, now: Millis) -> Outlook {
    ahead.sort_by_key(|a| (a.due, a.id));
    let (mut kept, mut out): (Vec<&Ahead>, Vec<&Ahead>) = (vec![], vec![]);
    let mut people = People::new(policy, hands, now);
    for a in &ahead {
        kept.push(a);
        if people.do_it(a) {
            continue;
        }
        // of equal length the one that is due last goes
        let longest = kept.iter().enumerate().max_by_key(|(i, a)| (a.work, *i)).map(|(i, _)| i);
        out.extend(longest.map(|i| kept.remove(i)));
        people = People::new(policy, hands, now);
        kept.retain(|a| {
            let in_time = people.do_it(a);
            if !in_time {
                out.push(a);
            }
            in_time
        });
    }
    out.sort_by_key(|a| (a.due, a.id));
    Outlook { tickets: ahead.len(), hands, fall_out: out.iter().map(|a| a.id).collect() }
}

/// The warning of an [`Outlook`]; none while all can be done.
pub fn warning(o: &Outlook) -> Option<String> {
    let n = o.fall_out.len();
    let shown: Vec<String> = o.fall_out.iter().take(8).map(|id| format!("#{id}")).collect();
    let more = if n > 8 { " …" } else { "" };
    (n > 0).then(|| say::cannot_all(n, o.tickets, o.hands, &format!("{}{more}", shown.join(" "))))
}

/// Why a ticket has the last safe start that it has; nothing where its resolution clock does not run.
pub fn explain(config: &Config, t: &Ticket, all: &[Typical]) -> Vec<String> {
    if !t.is_open() || t.state == "waiting" {
        return vec![];
    }
    let Some(due) = t.resolution_due else { return vec![] };
    if all.is_empty() {
        return vec![say::safe_start_not_measured()];
    }
    let category = t.category.as_deref().unwrap_or(&t.channel);
    let Some(kind) = like(all, category, &t.level) else {
        let n = all.iter().find(|k| k.category.is_empty() && k.level.is_empty()).map_or(0, |k| k.n);
        return vec![say::safe_start_unknown(n, LEAST)];
    };
    let of = match (kind.category.as_str(), kind.level.as_str()) {
        ("", "") => say::kind_all(),
        ("", level) => say::kind_level_only(&level_word(level)),
        (category, level) => say::kind_both(&category_word(category), &level_word(level)),
    };
    let days = WINDOW / DAY;
    let mut lines = Vec::new();
    if let Some(at) = t.last_safe_start() {
        lines.push(say::safe_start_is(&local(config, at), &local(config, due), &span(kind.median)));
    }
    lines.push(say::safe_start_from(&span(kind.median), kind.n, &of, days));
    lines
}

/// What `--json` says of it.
pub fn json_of(t: &Ticket, all: &[Typical]) -> Value {
    let category = t.category.as_deref().unwrap_or(&t.channel);
    like(all, category, &t.level).map_or(Value::Null, |kind| {
        let named = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        json!({"median_s": seconds(kind.median), "n": kind.n, "category": named(&kind.category),
            "level": named(&kind.level)})
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{HOUR, parse_rfc3339};
    use crate::config::Tickets;
    use crate::tickets::model::policy;

    fn at(text: &str) -> Millis {
        parse_rfc3339(text).expect("instant")
    }

    fn ahead(id: i64, due: &str, hours: i64) -> Ahead {
        let due = at(&format!("2026-11-24T{due}:00+08:00"));
        Ahead { id, level: "general".into(), due, work: hours * HOUR }
    }

    fn falls(all: Vec<Ahead>, hands: usize) -> Vec<i64> {
        outlook(&policy(&Tickets::default(), &[], 0), all, hands, at("2026-11-24T10:00:00+08:00")).fall_out
    }

    #[test]
    fn what_cannot_be_done_is_named_and_no_more_than_must() {
        let all = || vec![ahead(1, "12:00", 2), ahead(2, "14:00", 2), ahead(3, "15:00", 2), ahead(4, "16:00", 2)];
        assert_eq!(falls(all(), 2), [0_i64; 0]);
        // one does the first from ten to twelve, the third until three: the lunch hour is nobody's
        assert_eq!(falls(all(), 1), [2, 4]);
        // one long one is left out so that three short ones are in time
        let long = vec![ahead(1, "12:00", 2), ahead(2, "12:00", 1), ahead(3, "12:00", 1)];
        assert_eq!(falls(long, 1), [1]);
        assert_eq!(falls(vec![ahead(1, "11:00", 2)], 9), [1]);
        assert_eq!(falls(vec![], 0), [0_i64; 0]);
    }

    #[test]
    fn the_narrowest_kind_with_enough_tickets_tells() {
        let mut all: Vec<_> = (1..=5).map(|h| ("approval".to_owned(), "general".to_owned(), h * HOUR)).collect();
        all.push(("mail".into(), "general".into(), 100 * HOUR));
        let all = typical(&all);
        let of = |category: &str, level: &str| like(&all, category, level).map(|t| (t.n, t.median / HOUR));
        assert_eq!(of("approval", "general"), Some((5, 3)));
        assert_eq!(of("mail", "general"), Some((6, 3)));
        assert_eq!(of("mail", "urgent"), Some((6, 3)));
        assert_eq!(like(&typical(&[("a".into(), "b".into(), 1)]), "a", "b"), None);
    }

    #[test]
    fn the_last_start_is_counted_back_in_open_time() {
        let policy = policy(&Tickets::default(), &[], 0);
        let due = at("2026-11-24T10:00:00+08:00");
        assert_eq!(last_start(&policy, "general", due, 2 * HOUR), Some(at("2026-11-23T17:00:00+08:00")));
        assert_eq!(last_start(&policy, "urgent", due, 2 * HOUR), Some(due - 2 * HOUR));
    }
}
