//! From the cases to the nodes: one walk over the log.

use std::collections::HashMap;

use super::node::{Done, Gathered, node};
use super::{Insight, Loop, TREND};
use crate::clock::{DAY, Millis};
use crate::config::Workflows;
use crate::workflows::analysis::Analysis;
use crate::workflows::log::{Log, NOBODY, Order};
use crate::workflows::model::Spread;
use crate::workflows::pairing::{Execution, Pairing};

/// The stretch before `as_of` whose sojourns tell what is usual.
const USUAL: Millis = 90 * DAY;

/// Which activities usually end a case: at least half of the cases that have one end with it.
fn finals(log: &Log, order: &Order) -> Vec<bool> {
    let n = log.activities.len();
    let mut with = vec![0u32; n];
    let mut last = vec![0u32; n];
    let mut seen = vec![u32::MAX; n];
    for (case, events) in order.cases() {
        for i in events {
            let a = log.activity[*i as usize] as usize;
            if seen[a] != case {
                seen[a] = case;
                with[a] += 1;
            }
        }
        if let Some(i) = events.last() {
            last[log.activity[*i as usize] as usize] += 1;
        }
    }
    (0..n).map(|a| with[a] > 0 && last[a] * 2 >= with[a]).collect()
}

/// What usually follows each activity, given how often each other one does.
fn followers(activities: usize, counts: impl Iterator<Item = ((u16, u16), u64)>) -> Vec<Option<u16>> {
    let mut best: Vec<Option<(u64, u16)>> = vec![None; activities];
    for ((a, b), n) in counts.filter(|((a, b), _)| a != b) {
        let slot = &mut best[a as usize];
        if slot.is_none_or(|(m, c)| n > m || (n == m && b < c)) {
            *slot = Some((n, b));
        }
    }
    best.into_iter().map(|b| b.map(|(_, b)| b)).collect()
}

/// How often each activity follows each other one.
fn edges(log: &Log, order: &Order) -> HashMap<(u16, u16), u64> {
    let mut counts: HashMap<(u16, u16), u64> = HashMap::new();
    for (_, events) in order.cases() {
        for pair in events.windows(2) {
            *counts.entry((log.activity[pair[0] as usize], log.activity[pair[1] as usize])).or_default() += 1;
        }
    }
    counts
}

/// Works a workflow out as of `as_of`, over `window` before it (`None`: all of it); O(events).
pub fn look(log: &Log, as_of: (Millis, bool), window: Option<Millis>, config: &Workflows) -> Insight {
    let order = log.order();
    let next = followers(log.activities.len(), edges(log, &order).into_iter());
    let from = match window {
        Some(w) => as_of.0 - w,
        None => log.period().map_or(as_of.0, |(first, _)| first),
    };
    walk(log, &order, &next, None, as_of, (window, from), config)
}

/// [`look`] over the whole log, given its figures: none of them is worked out twice.
pub fn look_at_all(log: &Log, order: &Order, all: &Analysis, as_of: (Millis, bool), config: &Workflows) -> Insight {
    let next = followers(log.activities.len(), all.edges.iter().map(|e| ((e.from, e.to), e.count)));
    // a log that goes on after the instant has figures that do not belong here
    let period = log.period();
    let known = period.is_none_or(|(_, last)| last <= as_of.0).then_some(all);
    let from = period.map_or(as_of.0, |(first, _)| first);
    walk(log, order, &next, known, as_of, (None, from), config)
}

fn walk(
    log: &Log,
    order: &Order,
    next: &[Option<u16>],
    known: Option<&Analysis>,
    (as_of, past): (Millis, bool),
    (window, from): (Option<Millis>, Millis),
    config: &Workflows,
) -> Insight {
    let part = ((as_of - from) / TREND as Millis).max(1);
    let part_of = |at: Millis| ((at - from) / part).clamp(0, TREND as Millis - 1) as usize;
    let ends = finals(log, order);
    let parted = log.transition.iter().any(|t| matches!(t, 1 | 2)) || !log.start.is_empty();

    let mut gathered: Vec<Gathered> = (0..log.activities.len()).map(|_| Gathered::default()).collect();
    if let Some(all) = known {
        for f in &all.activities {
            gathered[f.activity as usize].done.reserve_exact(f.executions);
        }
    }
    let mut loops: HashMap<(u16, u16), (usize, usize)> = HashMap::new();
    let (mut started, mut finished, mut running, mut reworked) = (0, 0, 0, 0);
    let (mut durations, mut ages) = (vec![], vec![]);
    let mut arrivals = vec![0; TREND];
    let mut pairing = Pairing::default();
    let mut times: Vec<(u32, Millis)> = vec![(0, Millis::MIN); log.activities.len()];
    let mut touched: Vec<u16> = vec![];
    let mut back: Vec<(u16, u16)> = vec![];

    for (case, events) in order.cases() {
        let Some((head, tail)) = events.first().zip(events.last()) else { continue };
        let begin = events.iter().filter_map(|i| log.start_of(*i as usize)).fold(log.at[*head as usize], Millis::min);
        let end = log.at[*tail as usize];
        if begin > as_of {
            continue;
        }
        if begin >= from {
            started += 1;
            arrivals[part_of(begin)] += 1;
        }
        let mut open = 0;
        let mut last_done: Option<u16> = None;
        let in_window = end >= from;
        touched.clear();
        back.clear();
        pairing.of_case(log, events, |e| {
            let g = &mut gathered[e.activity as usize];
            let Some(completed) = e.completed else {
                open += 1;
                g.open.push((case, *e, false));
                return;
            };
            if in_window {
                let (rounds, last) = &mut times[e.activity as usize];
                if *rounds == 0 {
                    g.position += touched.len() as f64;
                    g.position_n += 1;
                    touched.push(e.activity);
                    *rounds = 1;
                } else if !e.is_beside(*last) {
                    *rounds += 1;
                    back.extend(last_done.map(|before| (before, e.activity)));
                }
                *last = completed;
            }
            last_done = Some(e.activity);
            if let Some(sojourn) = e.sojourn() {
                let usual = completed > as_of - USUAL && completed <= as_of;
                let within = completed >= from;
                if usual || within {
                    let part = if within { part_of(completed) as u8 } else { Done::BEFORE };
                    g.done.push(Done { sojourn, resource: e.resource, part, usual });
                }
            }
            if completed >= from && known.is_none() {
                g.waiting.extend(e.waiting());
                g.processing.extend(e.processing());
            }
        });
        for a in &touched {
            let g = &mut gathered[*a as usize];
            g.cases += 1;
            g.repeated += usize::from(std::mem::replace(&mut times[*a as usize], (0, Millis::MIN)).0 > 1);
        }
        for (before, a) in &back {
            let again = &mut gathered[*a as usize].again;
            *(if before == a { &mut again.0 } else { &mut again.1 }) += 1;
        }
        back.sort_unstable();
        let mut previous = None;
        for edge in &back {
            let slot = loops.entry(*edge).or_default();
            slot.0 += 1;
            slot.1 += usize::from(previous != Some(*edge));
            previous = Some(*edge);
        }
        let last_activity = log.activity[*tail as usize];
        let is_final = config.is_final(&log.activities.get(u32::from(last_activity)), ends[last_activity as usize]);
        if open > 0 || !is_final {
            running += 1;
            ages.push(as_of - begin);
            if open == 0
                && let Some(expected) = next[last_activity as usize]
            {
                let waits = Execution {
                    activity: expected,
                    resource: NOBODY,
                    enabled: Some(end),
                    started: None,
                    completed: None,
                };
                gathered[expected as usize].open.push((case, waits, true));
            }
        } else if in_window {
            finished += 1;
            reworked += usize::from(!back.is_empty());
            durations.push(end - begin);
        }
    }

    let figures = |a: u16| known.and_then(|all| all.activities.iter().find(|f| f.activity == a));
    let mut nodes: Vec<_> = gathered
        .into_iter()
        .enumerate()
        .filter(|(_, g)| !g.done.is_empty() || !g.open.is_empty() || g.cases > 0)
        .map(|(a, g)| node(log, a as u16, g, figures(a as u16), (as_of, from), parted, config))
        .collect();
    nodes.sort_by(|a, b| a.position.total_cmp(&b.position).then_with(|| a.name.cmp(&b.name)));
    let lost: f64 = nodes.iter().filter(|n| n.is_work).map(|n| n.lost).sum();
    for n in &mut nodes {
        n.score = if n.is_work && lost > 0.0 { n.lost / lost } else { 0.0 };
    }
    let name = |a: u16| log.activities.get(u32::from(a)).into_owned();
    let mut loops: Vec<Loop> = loops
        .into_iter()
        .map(|((from, to), (count, cases))| Loop { from: name(from), to: name(to), count, cases })
        .collect();
    loops.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
    Insight {
        as_of,
        past,
        window,
        started,
        finished,
        running,
        running_age: Spread::of(&mut ages),
        duration: Spread::of(&mut durations),
        nodes,
        lost,
        loops,
        rework_share: (finished > 0).then(|| reworked as f64 / finished as f64),
        arrivals,
    }
}
