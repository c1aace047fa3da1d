//! What was gathered of a node, summed up.

use std::collections::HashMap;

use super::{Blocked, Direction, Node, Person, Stuck, TREND};
use crate::clock::Millis;
use crate::config::Workflows;
use crate::workflows::analysis::ActivityFigures;
use crate::workflows::log::{Log, NOBODY};
use crate::workflows::model::{Spread, quantile, wilson};
use crate::workflows::pairing::Execution;

/// Fewest executions by which a person is judged.
const FEWEST_OF_PERSON: usize = 5;
/// Fewest executions by which a usual sojourn is told.
const FEWEST_USUAL: usize = 8;

/// A completed execution, as far as a node needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    pub sojourn: Millis,
    pub resource: u32,
    /// The part of the window in which it was completed, or [`Done::BEFORE`].
    pub part: u8,
    /// Whether it tells what is usual.
    pub usual: bool,
}

impl Done {
    /// Completed before the window.
    pub const BEFORE: u8 = u8::MAX;

    fn is_within(&self) -> bool {
        self.part != Self::BEFORE
    }
}

/// What is gathered of a node before it is summed up.
#[derive(Default)]
pub(super) struct Gathered {
    pub done: Vec<Done>,
    pub waiting: Vec<Millis>,
    pub processing: Vec<Millis>,
    pub open: Vec<(u32, Execution, bool)>,
    pub cases: usize,
    pub repeated: usize,
    pub again: (usize, usize),
    pub position: f64,
    pub position_n: usize,
}

/// Sums a node up; `known`: its figures over the same executions, where they are worked out already.
pub(super) fn node(
    log: &Log,
    a: u16,
    mut g: Gathered,
    known: Option<&ActivityFigures>,
    (as_of, from): (Millis, Millis),
    parted: bool,
    config: &Workflows,
) -> Node {
    let name = log.activities.get(u32::from(a)).into_owned();
    let is_work = config.is_work(&name);
    let within = g.done.iter().filter(|d| d.is_within()).count();
    let (sojourn, waiting, processing) = match known {
        Some(f) => (f.sojourn, f.waiting, f.processing),
        None => {
            let mut sojourns: Vec<Millis> = g.done.iter().filter(|d| d.is_within()).map(|d| d.sojourn).collect();
            (Spread::of(&mut sojourns), Spread::of(&mut g.waiting), Spread::of(&mut g.processing))
        }
    };
    let waiting = waiting.filter(|_| parted);
    let usual = match config.blocked_after.get(&name) {
        Some(after) => Some(after.millis() as f64),
        None => {
            let mut usual: Vec<Millis> = g.done.iter().filter(|d| d.usual).map(|d| d.sojourn).collect();
            let enough = usual.len() >= FEWEST_USUAL;
            let own = enough.then(|| quantile(&mut usual, 0.95));
            own.or(sojourn.filter(|s| s.n >= FEWEST_USUAL).map(|s| s.p95))
        }
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
    let trend = trend(&g.done);
    let slowest = slowest(log, &g.done, &open_by);
    Node {
        name,
        is_work,
        executions: within,
        lost: waiting.or(sojourn).map_or(0.0, |s| s.sum) + so_far,
        sojourn,
        waiting,
        processing,
        score: 0.0,
        usual,
        blocked: Blocked {
            blocked: late,
            open: stuck.len(),
            interval: wilson(late, stuck.len()),
            is_known: usual.is_some(),
        },
        stuck,
        slowest,
        direction: direction(&trend),
        trend,
        repeated: (g.repeated, g.cases),
        again: g.again,
        position: if g.position_n > 0 { g.position / g.position_n as f64 } else { f64::MAX },
    }
}

/// The values of `done` group by group, as `group` numbers them below `groups` (`None`: left out): the values, and where
/// each group begins among them, one more than there are groups.
fn grouped(done: &[Done], groups: usize, group: impl Fn(&Done) -> Option<usize>) -> (Vec<Millis>, Vec<usize>) {
    let mut begins = vec![0usize; groups + 1];
    for n in done.iter().filter_map(&group) {
        begins[n + 1] += 1;
    }
    for n in 0..groups {
        begins[n + 1] += begins[n];
    }
    let mut next = begins.clone();
    let mut values = vec![0; begins[groups]];
    for d in done {
        if let Some(n) = group(d) {
            values[next[n]] = d.sojourn;
            next[n] += 1;
        }
    }
    (values, begins)
}

/// The median of each part of the window.
fn trend(done: &[Done]) -> Vec<Option<f64>> {
    let (mut values, begins) = grouped(done, TREND, |d| d.is_within().then_some(usize::from(d.part)));
    let parts = begins.windows(2);
    parts.map(|p| (p[1] > p[0]).then(|| quantile(&mut values[p[0]..p[1]], 0.5))).collect()
}

/// Mann–Kendall at 90 % (two-sided), without correction for ties.
pub(super) fn direction(trend: &[Option<f64>]) -> Direction {
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
fn slowest(log: &Log, done: &[Done], open_by: &HashMap<u32, usize>) -> Option<Person> {
    let judged = |d: &&Done| d.is_within() && d.resource != NOBODY;
    // those who work here, by their numbers in the log; few of very many people would be sought for long otherwise
    let mut place = Vec::new();
    let mut here: Vec<u32> = Vec::new();
    if log.resources.len() <= 2 * done.len() + 64 {
        place.resize(log.resources.len(), u32::MAX);
        for d in done.iter().filter(judged) {
            let p = &mut place[d.resource as usize];
            if *p == u32::MAX {
                *p = here.len() as u32;
                here.push(d.resource);
            }
        }
    } else {
        here.extend(done.iter().filter(judged).map(|d| d.resource));
        here.sort_unstable();
        here.dedup();
    }
    let number = |d: &Done| {
        let at = |r: u32| place.get(r as usize).map(|p| *p as usize).or_else(|| here.binary_search(&r).ok());
        if judged(&d) { at(d.resource) } else { None }
    };
    let (mut values, begins) = grouped(done, here.len(), number);
    let mut best: Option<(usize, f64, usize)> = None;
    for (at, p) in begins.windows(2).enumerate() {
        let group = &mut values[p[0]..p[1]];
        if group.len() < FEWEST_OF_PERSON {
            continue;
        }
        let median = quantile(group, 0.5);
        // of equal ones the first by number
        if best.is_none_or(|(b_at, b, _)| median > b || (median == b && here[at] < here[b_at])) {
            best = Some((at, median, group.len()));
        }
    }
    let (at, median, executions) = best?;
    let who = here[at];
    let all = values.len();
    values.drain(begins[at]..begins[at + 1]);
    Some(Person {
        name: log.resources.get(who).into_owned(),
        executions,
        median,
        share: executions as f64 / all as f64,
        open: open_by.get(&who).copied().unwrap_or(0),
        others: if here.len() > 1 { quantile(&mut values, 0.5) } else { 0.0 },
    })
}
