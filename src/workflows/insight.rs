//! A workflow as of an instant, over a window: what is open, where it waits, who is slow, what gets worse. Pure.

use std::collections::HashMap;

use super::analysis::{Execution, Pairing};
use super::log::{Log, NOBODY, Order};
use super::model::{FEWEST, Spread, quantile, wilson};
use crate::clock::{DAY, Millis};
use crate::config::Workflows;

/// The stretch before `as_of` whose sojourns tell what is usual.
const USUAL: Millis = 90 * DAY;
/// Fewest executions by which a person is judged.
const FEWEST_OF_PERSON: usize = 5;
/// Fewest executions by which a usual sojourn is told.
const FEWEST_USUAL: usize = 8;
/// Points of a trend.
pub const TREND: usize = 12;

/// How many of the open executions are older than usual.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blocked {
    /// Older than `after`.
    pub blocked: usize,
    /// Open.
    pub open: usize,
    /// Wilson 95 % interval of the share.
    pub interval: (f64, f64),
}

impl Blocked {
    /// The share, 0 to 1; `None` where too few are open to tell ([`FEWEST`]).
    pub fn share(&self) -> Option<f64> {
        (self.open >= FEWEST).then(|| self.blocked as f64 / self.open as f64)
    }
}

/// A case that waits at a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The case.
    pub case: String,
    /// With whom; empty: not known.
    pub resource: String,
    /// Since when.
    pub since: Millis,
    /// Whether it is longer there than usual.
    pub late: bool,
    /// The log does not say that it is there: it is what usually comes next.
    pub expected: bool,
}

/// Which way a figure goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Gets longer.
    Rising,
    /// No trend that chance would not make.
    Steady,
    /// Gets shorter.
    Falling,
}

/// A person at a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// Executions in the window.
    pub executions: usize,
    /// Their median sojourn, milliseconds.
    pub median: f64,
    /// Their share of the executions at the node, 0 to 1.
    pub share: f64,
    /// Open with them now.
    pub open: usize,
    /// The median of everybody else at the node, milliseconds; 0: nobody else.
    pub others: f64,
}

/// An activity as of an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Whether it counts as work; time before a business trip is over is not lost.
    pub is_work: bool,
    /// Executions completed in the window.
    pub executions: usize,
    /// Sojourn in the window.
    pub sojourn: Option<Spread>,
    /// Waiting in the window.
    pub waiting: Option<Spread>,
    /// Processing in the window.
    pub processing: Option<Spread>,
    /// Waiting of completed executions plus that of open ones so far, milliseconds.
    pub lost: f64,
    /// Its share of the time lost at all nodes, 0 to 1: the bottleneck score.
    pub score: f64,
    /// What counts as blocked, milliseconds; `None`: not known.
    pub usual: Option<f64>,
    /// How many open ones are blocked.
    pub blocked: Blocked,
    /// The open ones, the oldest first.
    pub stuck: Vec<Stuck>,
    /// Who is slowest here.
    pub slowest: Option<Person>,
    /// Median sojourn in [`TREND`] equal parts of the window, oldest first.
    pub trend: Vec<Option<f64>>,
    /// Which way it goes.
    pub direction: Direction,
    /// Cases with more than one execution, among the cases that came by.
    pub repeated: (usize, usize),
    /// Mean place in the flow, 0 to 1.
    position: f64,
}

/// A way back: B follows A and A was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// The later activity.
    pub from: String,
    /// The one it goes back to.
    pub to: String,
    /// How often in the window.
    pub count: usize,
    /// In how many cases.
    pub cases: usize,
}

/// A workflow as of an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight {
    /// The instant: now, or the end of a log that ended long ago.
    pub as_of: Millis,
    /// Whether it is the end of the log rather than now.
    pub past: bool,
    /// The window before it; `None`: everything.
    pub window: Option<Millis>,
    /// Cases begun in the window.
    pub started: usize,
    /// Cases finished in the window.
    pub finished: usize,
    /// Cases open now.
    pub running: usize,
    /// Age of the open cases, milliseconds.
    pub running_age: Option<Spread>,
    /// Duration of the cases finished in the window.
    pub duration: Option<Spread>,
    /// Nodes in the order of the flow.
    pub nodes: Vec<Node>,
    /// Time lost in the window, milliseconds.
    pub lost: f64,
    /// Ways back, the most frequent first.
    pub loops: Vec<Loop>,
    /// Finished cases with a way back, 0 to 1; `None` when none finished.
    pub rework_share: Option<f64>,
    /// Cases begun per part of the window, oldest first.
    pub arrivals: Vec<usize>,
}

impl Insight {
    /// The nodes by what they cost, the worst first.
    pub fn bottlenecks(&self) -> Vec<&Node> {
        let mut nodes: Vec<&Node> = self.nodes.iter().filter(|n| n.is_work && n.lost > 0.0).collect();
        nodes.sort_by(|a, b| b.lost.total_cmp(&a.lost));
        nodes
    }

    /// The worst node.
    pub fn bottleneck(&self) -> Option<&Node> {
        self.bottlenecks().first().copied()
    }

    /// Open executions that are late, over all nodes.
    pub fn blocked(&self) -> usize {
        self.nodes.iter().map(|n| n.blocked.blocked).sum()
    }
}

/// The instant by which a log is judged: `now`, or its end when that is more than `stale` ago.
pub fn as_of(log: &Log, now: Millis, stale: Millis) -> (Millis, bool) {
    match log.period() {
        Some((_, last)) if now - last > stale || last > now => (last, true),
        _ => (now, false),
    }
}

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

/// What usually follows each activity.
fn followers(log: &Log, order: &Order) -> Vec<Option<u16>> {
    let mut counts: HashMap<(u16, u16), u32> = HashMap::new();
    for (_, events) in order.cases() {
        for pair in events.windows(2) {
            let (a, b) = (log.activity[pair[0] as usize], log.activity[pair[1] as usize]);
            if a != b {
                *counts.entry((a, b)).or_default() += 1;
            }
        }
    }
    let mut best: Vec<Option<(u32, u16)>> = vec![None; log.activities.len()];
    for ((a, b), n) in counts {
        let slot = &mut best[a as usize];
        if slot.is_none_or(|(m, c)| n > m || (n == m && b < c)) {
            *slot = Some((n, b));
        }
    }
    best.into_iter().map(|b| b.map(|(_, b)| b)).collect()
}

/// What is gathered of a node before it is summed up.
#[derive(Default)]
struct Gathered {
    sojourn: Vec<Millis>,
    waiting: Vec<Millis>,
    processing: Vec<Millis>,
    usual: Vec<Millis>,
    by_person: Vec<(u32, Millis)>,
    by_part: Vec<(usize, Millis)>,
    open: Vec<(u32, Execution, bool)>,
    cases: usize,
    repeated: usize,
    position: f64,
    position_n: usize,
}

/// Works a workflow out as of `as_of`; O(events).
pub fn look(log: &Log, as_of: (Millis, bool), window: Option<Millis>, config: &Workflows) -> Insight {
    let order = log.order();
    let (as_of, past) = as_of;
    let first = log.period().map_or(as_of, |(first, _)| first);
    let from = window.map_or(first, |w| as_of - w);
    let part = ((as_of - from) / TREND as Millis).max(1);
    let part_of = |at: Millis| ((at - from) / part).clamp(0, TREND as Millis - 1) as usize;
    let ends = finals(log, &order);
    let next = followers(log, &order);
    let parted = log.transition.contains(&1) || !log.start.is_empty() || log.transition.contains(&2);

    let mut gathered: Vec<Gathered> = (0..log.activities.len()).map(|_| Gathered::default()).collect();
    let mut loops: HashMap<(u16, u16), (usize, usize)> = HashMap::new();
    let (mut started, mut finished, mut running, mut reworked) = (0, 0, 0, 0);
    let (mut durations, mut ages) = (vec![], vec![]);
    let mut arrivals = vec![0; TREND];
    let mut pairing = Pairing::default();
    let mut times: Vec<u32> = vec![0; log.activities.len()];
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
                let seen = &mut times[e.activity as usize];
                *seen += 1;
                if *seen == 1 {
                    g.position += touched.len() as f64;
                    g.position_n += 1;
                    touched.push(e.activity);
                } else if let Some(before) = last_done {
                    back.push((before, e.activity));
                }
            }
            last_done = Some(e.activity);
            if let Some(sojourn) = e.sojourn() {
                if completed > as_of - USUAL && completed <= as_of {
                    g.usual.push(sojourn);
                }
                if completed >= from {
                    g.sojourn.push(sojourn);
                    g.by_part.push((part_of(completed), sojourn));
                    if e.resource != NOBODY {
                        g.by_person.push((e.resource, sojourn));
                    }
                }
            }
            if completed >= from {
                g.waiting.extend(e.waiting());
                g.processing.extend(e.processing());
            }
        });
        for a in &touched {
            let g = &mut gathered[*a as usize];
            g.cases += 1;
            g.repeated += usize::from(std::mem::take(&mut times[*a as usize]) > 1);
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

    let mut nodes: Vec<Node> = gathered
        .into_iter()
        .enumerate()
        .filter(|(_, g)| !g.sojourn.is_empty() || !g.open.is_empty() || g.cases > 0)
        .map(|(a, g)| node(log, a as u16, g, as_of, from, parted, config))
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

fn node(log: &Log, a: u16, mut g: Gathered, as_of: Millis, from: Millis, parted: bool, config: &Workflows) -> Node {
    let name = log.activities.get(u32::from(a)).into_owned();
    let is_work = config.is_work(&name);
    let usual = match config.blocked_after.get(&name) {
        Some(after) => Some(after.millis() as f64),
        None if g.usual.len() >= FEWEST_USUAL => Some(quantile(&mut g.usual, 0.95)),
        None if g.sojourn.len() >= FEWEST_USUAL => Some(quantile(&mut g.sojourn, 0.95)),
        None => None,
    };
    let mut open_by: HashMap<u32, usize> = HashMap::new();
    let mut stuck: Vec<Stuck> = g
        .open
        .iter()
        .map(|(case, e, expected)| {
            let since = e.enabled.or(e.started).unwrap_or(as_of);
            *open_by.entry(e.resource).or_default() += 1;
            Stuck {
                case: log.cases.get(*case).into_owned(),
                resource: if e.resource == NOBODY { String::new() } else { log.resources.get(e.resource).into_owned() },
                since,
                late: usual.is_some_and(|u| (as_of - since) as f64 > u),
                expected: *expected,
            }
        })
        .collect();
    stuck.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.case.cmp(&b.case)));
    let late = stuck.iter().filter(|s| s.late).count();
    // what the open ones have waited so far counts, within the window
    let so_far: f64 = g
        .open
        .iter()
        .filter(|(_, e, _)| e.started.is_none())
        .map(|(_, e, _)| (as_of - e.enabled.unwrap_or(as_of).max(from)).max(0) as f64)
        .sum();
    let executions = g.sojourn.len();
    let trend = trend(&g.by_part);
    let slowest = slowest(log, &mut g.by_person, &open_by);
    let sojourn = Spread::of(&mut g.sojourn);
    let waiting = if parted { Spread::of(&mut g.waiting) } else { None };
    Node {
        name,
        is_work,
        executions,
        lost: waiting.or(sojourn).map_or(0.0, |s| s.sum) + so_far,
        sojourn,
        waiting,
        processing: Spread::of(&mut g.processing),
        score: 0.0,
        usual,
        blocked: Blocked { blocked: late, open: stuck.len(), interval: wilson(late, stuck.len()) },
        stuck,
        slowest,
        direction: direction(&trend),
        trend,
        repeated: (g.repeated, g.cases),
        position: if g.position_n > 0 { g.position / g.position_n as f64 } else { f64::MAX },
    }
}

/// The median of each part of the window.
fn trend(by_part: &[(usize, Millis)]) -> Vec<Option<f64>> {
    let mut parts: Vec<Vec<Millis>> = vec![vec![]; TREND];
    for (part, value) in by_part {
        parts[*part].push(*value);
    }
    parts.into_iter().map(|mut v| (!v.is_empty()).then(|| quantile(&mut v, 0.5))).collect()
}

/// Mann–Kendall at 90 % (two-sided), without correction for ties.
fn direction(trend: &[Option<f64>]) -> Direction {
    let values: Vec<f64> = trend.iter().flatten().copied().collect();
    let n = values.len() as f64;
    if values.len() < 6 {
        return Direction::Steady;
    }
    let mut s = 0.0;
    for (i, a) in values.iter().enumerate() {
        for b in &values[i + 1..] {
            s += if b > a {
                1.0
            } else if b < a {
                -1.0
            } else {
                0.0
            };
        }
    }
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    if (s - 1.0) / deviation > 1.645 {
        Direction::Rising
    } else if (s + 1.0) / deviation < -1.645 {
        Direction::Falling
    } else {
        Direction::Steady
    }
}

/// Whose median is the longest, among those who did enough to be judged.
fn slowest(log: &Log, by_person: &mut [(u32, Millis)], open_by: &HashMap<u32, usize>) -> Option<Person> {
    by_person.sort_unstable();
    let all = by_person.len();
    let mut best: Option<(u32, f64, usize)> = None;
    let mut people = 0;
    for group in by_person.chunk_by(|a, b| a.0 == b.0) {
        people += 1;
        if group.len() < FEWEST_OF_PERSON {
            continue;
        }
        let mut values: Vec<Millis> = group.iter().map(|(_, v)| *v).collect();
        let median = quantile(&mut values, 0.5);
        if best.is_none_or(|(_, b, _)| median > b) {
            best = Some((group[0].0, median, group.len()));
        }
    }
    let (who, median, executions) = best?;
    let mut others: Vec<Millis> = by_person.iter().filter(|(r, _)| *r != who).map(|(_, v)| *v).collect();
    Some(Person {
        name: log.resources.get(who).into_owned(),
        executions,
        median,
        share: executions as f64 / all as f64,
        open: open_by.get(&who).copied().unwrap_or(0),
        others: if people > 1 { quantile(&mut others, 0.5) } else { 0.0 },
    })
}

#[cfg(test)]
mod tests {
    use super::super::model::{Event, Transition};
    use super::*;
    use crate::clock::HOUR;

    /// Twenty finished cases a → b → c, b slow with li; one case waits at b.
    fn sample() -> Log {
        let mut log = Log::default();
        let mut put = |case: &str, activity: &str, resource: &str, at: Millis, transition| {
            log.push(&Event {
                case: case.as_bytes(),
                activity: activity.as_bytes(),
                resource: resource.as_bytes(),
                at,
                start: None,
                transition,
            })
            .expect("room");
        };
        for i in 0..20 {
            let case = format!("c{i:02}");
            let t = i * DAY;
            let who = if i % 2 == 0 { "li" } else { "wang" };
            let slow = if i % 2 == 0 { 20 * HOUR } else { 2 * HOUR };
            put(&case, "a", "staff", t, Transition::Complete);
            put(&case, "b", who, t, Transition::Schedule);
            put(&case, "b", who, t + slow, Transition::Start);
            put(&case, "b", who, t + slow + HOUR, Transition::Complete);
            put(&case, "c", "cashier", t + slow + 2 * HOUR, Transition::Complete);
        }
        put("stuck", "a", "staff", 10 * DAY, Transition::Complete);
        put("stuck", "b", "li", 10 * DAY, Transition::Schedule);
        log
    }

    #[test]
    fn the_bottleneck_the_slow_person_and_the_stuck_case_are_found() {
        let log = sample();
        let seen = look(&log, (21 * DAY, false), None, &Workflows::default());
        assert_eq!((seen.started, seen.finished, seen.running), (21, 20, 1));
        assert_eq!(seen.nodes.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
        let b = seen.bottleneck().expect("one");
        assert_eq!(b.name, "b");
        assert!(b.score > 0.5, "{}", b.score);
        assert_eq!(b.slowest.as_ref().map(|p| (p.name.as_str(), p.open)), Some(("li", 1)));
        assert_eq!(b.stuck[0].case, "stuck");
        assert!(b.stuck[0].late);
        assert_eq!(b.blocked.share(), None, "one open execution is no share");
    }

    #[test]
    fn a_case_that_stops_before_a_usual_end_is_running_and_waits_for_what_usually_follows() {
        let mut log = Log::default();
        for i in 0..20i64 {
            let case = format!("c{i}");
            let upto = if i < 18 { 3 } else { 2 };
            for (n, a) in ["a", "b", "c"].iter().enumerate().take(upto) {
                log.push(&Event {
                    case: case.as_bytes(),
                    activity: a.as_bytes(),
                    at: i * DAY + n as i64 * HOUR,
                    ..Event::default()
                })
                .expect("room");
            }
        }
        let seen = look(&log, as_of(&log, 30 * DAY, 90 * DAY), Some(7 * DAY), &Workflows::default());
        assert_eq!((seen.running, seen.past), (2, false));
        let c = seen.nodes.iter().find(|n| n.name == "c").expect("c");
        assert!(c.stuck.iter().all(|s| s.expected) && c.stuck.len() == 2);
    }

    #[test]
    fn a_log_that_ended_long_ago_is_judged_by_its_end() {
        let log = sample();
        let (last, past) = as_of(&log, 4_000 * DAY, 30 * DAY);
        assert!(past && last < 21 * DAY);
    }

    #[test]
    fn a_trend_needs_more_than_chance() {
        let rising: Vec<_> = (0..12).map(|i| Some(f64::from(i))).collect();
        assert_eq!(direction(&rising), Direction::Rising);
        assert_eq!(direction(&[Some(1.0), Some(2.0), Some(3.0)]), Direction::Steady);
        let falling: Vec<_> = (0..12).map(|i| Some(-f64::from(i))).collect();
        assert_eq!(direction(&falling), Direction::Falling);
    }
}
