//! The figures of a whole log; definitions in [`super::model`]. Pure.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;

use super::hash::Keyed;
use super::log::{Log, NOBODY, Order};
use super::model::Spread;
use super::pairing::Pairing;
use crate::clock::Millis;

/// The figures of one activity.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityFigures {
    /// Its number in the log.
    pub activity: u16,
    /// Events.
    pub count: usize,
    /// Cases with at least one event of it.
    pub cases: usize,
    /// Cases with more than one event of it.
    pub rework_cases: usize,
    /// Completed executions.
    pub executions: usize,
    /// Cases in which it was done again; executions beside each other (countersigning) are done once.
    pub repeated_cases: usize,
    /// Executions right after one of the same activity.
    pub self_loops: usize,
    /// Executions after one of the same activity and others between them.
    pub loops: usize,
    /// From enabled to completed, milliseconds.
    pub sojourn: Option<Spread>,
    /// From enabled to started, milliseconds.
    pub waiting: Option<Spread>,
    /// From started to completed, milliseconds.
    pub processing: Option<Spread>,
}

impl ActivityFigures {
    /// The time lost here: waiting, or the sojourn where the log does not tell them apart; milliseconds.
    pub fn lost(&self) -> f64 {
        self.waiting.or(self.sojourn).map_or(0.0, |s| s.sum)
    }
}

/// Two activities that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// From.
    pub from: u16,
    /// To.
    pub to: u16,
    /// How often.
    pub count: u64,
    /// The time between the two over all of them, milliseconds.
    pub sum: i64,
}

/// The figures of a log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Analysis {
    /// Cases.
    pub cases: usize,
    /// Events.
    pub events: usize,
    /// Distinct sequences of activities.
    pub variants: usize,
    /// From the first to the last time of a case, milliseconds.
    pub case_duration: Option<Spread>,
    /// Activities, the most frequent first.
    pub activities: Vec<ActivityFigures>,
    /// Edges, the most frequent first.
    pub edges: Vec<Edge>,
    /// Cases with rework of any activity.
    pub rework_cases: usize,
    /// From one known resource to another: from, to, how often; the most frequent first.
    pub handovers: Vec<(u32, u32, u64)>,
    /// How often a case went from A to B and straight back to A.
    pub ping_pong: u64,
}

/// Values of every activity in one array.
struct Flat {
    values: Vec<Millis>,
    begins: Vec<u32>,
    filled: Vec<u32>,
}

impl Flat {
    fn new(counts: &[u32]) -> Self {
        let mut begins = Vec::with_capacity(counts.len());
        let mut sum = 0u32;
        for count in counts {
            begins.push(sum);
            sum += count;
        }
        Self { values: vec![0; sum as usize], begins, filled: vec![0; counts.len()] }
    }
    fn push(&mut self, activity: u16, value: Millis) {
        let a = activity as usize;
        self.values[(self.begins[a] + self.filled[a]) as usize] = value;
        self.filled[a] += 1;
    }
    fn spread(&mut self, activity: u16) -> Option<Spread> {
        let a = activity as usize;
        let begin = self.begins[a] as usize;
        Spread::of(&mut self.values[begin..begin + self.filled[a] as usize])
    }
}

/// Edges by number of activity: a square for the usual few, a map for the many.
enum Edges {
    Square(usize, Vec<(u64, i64)>),
    Map(HashMap<(u16, u16), (u64, i64), Keyed>),
}

impl Edges {
    fn new(activities: usize) -> Self {
        if activities <= 512 {
            Self::Square(activities, vec![(0, 0); activities * activities])
        } else {
            Self::Map(HashMap::default())
        }
    }
    fn add(&mut self, from: u16, to: u16, time: i64) {
        let edge = match self {
            Self::Square(n, all) => &mut all[from as usize * *n + to as usize],
            Self::Map(all) => all.entry((from, to)).or_default(),
        };
        edge.0 += 1;
        edge.1 = edge.1.saturating_add(time);
    }
    fn into_vec(self) -> Vec<Edge> {
        let mut out: Vec<Edge> = match self {
            Self::Square(n, all) => all
                .into_iter()
                .enumerate()
                .filter(|(_, (count, _))| *count > 0)
                .map(|(i, (count, sum))| Edge { from: (i / n) as u16, to: (i % n) as u16, count, sum })
                .collect(),
            Self::Map(all) => all.into_iter().map(|((from, to), (count, sum))| Edge { from, to, count, sum }).collect(),
        };
        out.sort_unstable_by(|a, b| b.count.cmp(&a.count).then((a.from, a.to).cmp(&(b.from, b.to))));
        out
    }
}

/// Works out every figure of `log`; O(events).
pub fn analyse(log: &Log) -> Analysis {
    analyse_in_order(log, &log.order())
}

/// [`analyse`] with the order already known.
pub fn analyse_in_order(log: &Log, order: &Order) -> Analysis {
    let n = log.activities.len();
    let mut counts = vec![0u32; n];
    for a in &log.activity {
        counts[*a as usize] += 1;
    }
    let nothing = vec![0u32; n];
    let parted = !log.start.is_empty() || !log.transition.is_empty();
    let mut sojourn = Flat::new(&counts);
    let mut waiting = Flat::new(if parted { &counts } else { &nothing });
    let mut processing = Flat::new(if parted { &counts } else { &nothing });
    let mut figures: Vec<ActivityFigures> = (0..n)
        .map(|a| ActivityFigures {
            activity: a as u16,
            count: counts[a] as usize,
            cases: 0,
            rework_cases: 0,
            executions: 0,
            repeated_cases: 0,
            self_loops: 0,
            loops: 0,
            sojourn: None,
            waiting: None,
            processing: None,
        })
        .collect();
    let mut edges = Edges::new(n);
    let mut durations = Vec::with_capacity(log.cases.len());
    let mut variants: HashSet<u128, Keyed> = HashSet::default();
    let (seed, factor) = secrets();
    let mut handovers: HashMap<(u32, u32), u64, Keyed> = HashMap::default();
    let (mut ping_pong, mut rework_cases) = (0u64, 0usize);
    let machines: Vec<bool> = log.resources.iter().map(is_machine).collect();
    let person = |r: u32| if machines.get(r as usize).is_some_and(|m| !m) { r } else { NOBODY };
    // events, rounds of executions and the last completion of each activity in the case at hand
    let mut seen = vec![(0u32, 0u32, Millis::MIN); n];
    let mut touched: Vec<u16> = Vec::new();
    let mut pairing = Pairing::default();

    for (_, events) in order.cases() {
        let Some((first, last)) = events.first().zip(events.last()) else { continue };
        let begin = events.iter().filter_map(|i| log.start_of(*i as usize)).fold(log.at[*first as usize], Millis::min);
        durations.push(log.at[*last as usize] - begin);
        let mut variant = seed;
        let mut before: Option<usize> = None;
        // the two resources before, where they differ
        let (mut one, mut two) = (NOBODY, NOBODY);
        for i in events {
            let i = *i as usize;
            let a = log.activity[i];
            variant = (variant ^ (u128::from(a) + 1)).wrapping_mul(factor);
            variant ^= variant >> 61;
            let (events_of, ..) = &mut seen[a as usize];
            *events_of += 1;
            if *events_of == 1 {
                touched.push(a);
            }
            if let Some(b) = before {
                edges.add(log.activity[b], a, log.at[i] - log.at[b]);
                let (from, to) = (person(log.resource[b]), person(log.resource[i]));
                if from != to && from != NOBODY && to != NOBODY {
                    *handovers.entry((from, to)).or_default() += 1;
                }
            }
            let r = person(log.resource[i]);
            if r == NOBODY {
                (one, two) = (NOBODY, NOBODY);
            } else if r != one {
                ping_pong += u64::from(r == two && one != NOBODY);
                (two, one) = (one, r);
            }
            before = Some(i);
        }
        variants.insert(variant);
        let mut done: Option<u16> = None;
        pairing.of_case(log, events, |e| {
            let Some(completed) = e.completed else { return };
            let f = &mut figures[e.activity as usize];
            f.executions += 1;
            let (_, rounds, last) = &mut seen[e.activity as usize];
            if !e.is_beside(*last) {
                *rounds += 1;
                f.self_loops += usize::from(*rounds > 1 && done == Some(e.activity));
                f.loops += usize::from(*rounds > 1 && done != Some(e.activity));
            }
            *last = completed;
            done = Some(e.activity);
            if let Some(v) = e.sojourn() {
                sojourn.push(e.activity, v);
            }
            if let Some(v) = e.waiting() {
                waiting.push(e.activity, v);
            }
            if let Some(v) = e.processing() {
                processing.push(e.activity, v);
            }
        });
        let mut any = false;
        for a in touched.drain(..) {
            let (events_of, rounds, _) = std::mem::replace(&mut seen[a as usize], (0, 0, Millis::MIN));
            let f = &mut figures[a as usize];
            f.cases += 1;
            f.rework_cases += usize::from(events_of > 1);
            f.repeated_cases += usize::from(rounds > 1);
            any |= events_of > 1;
        }
        rework_cases += usize::from(any);
    }
    for f in &mut figures {
        f.sojourn = sojourn.spread(f.activity);
        f.waiting = waiting.spread(f.activity);
        f.processing = processing.spread(f.activity);
    }
    figures.sort_by(|a, b| b.count.cmp(&a.count).then(a.activity.cmp(&b.activity)));
    let mut handovers: Vec<_> = handovers.into_iter().map(|((a, b), n)| (a, b, n)).collect();
    handovers.sort_unstable_by(|a, b| b.2.cmp(&a.2).then((a.0, a.1).cmp(&(b.0, b.1))));
    Analysis {
        cases: durations.len(),
        events: log.len(),
        variants: variants.len(),
        case_duration: Spread::of(&mut durations),
        activities: figures,
        edges: edges.into_vec(),
        rework_cases,
        handovers,
        ping_pong,
    }
}

/// Whether a resource is the system itself: what it does is handed over by nobody.
fn is_machine(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"system") || name == "系统".as_bytes()
}

/// Where the hash of a variant begins, and an odd multiplier: nobody can know them beforehand, so that no log can be made
/// whose variants fall together.
fn secrets() -> (u128, u128) {
    let state = Keyed::default();
    let wide = |n: u8| (u128::from(state.hash_one(n)) << 64) | u128::from(state.hash_one(n + 1));
    (wide(1), wide(3) | 1)
}

#[cfg(test)]
mod tests {
    use super::super::model::{Event, Transition};
    use super::*;
    use proptest::prelude::*;

    fn log(rows: &[(&str, &str, &str, Option<i64>, i64, Transition)]) -> Log {
        let mut log = Log::default();
        for (case, activity, resource, start, at, transition) in rows {
            log.push(&Event {
                case: case.as_bytes(),
                activity: activity.as_bytes(),
                resource: resource.as_bytes(),
                at: *at,
                start: *start,
                enabled: None,
                transition: *transition,
            })
            .expect("room");
        }
        log
    }

    fn of<'a>(log: &Log, all: &'a Analysis, name: &str) -> &'a ActivityFigures {
        let n = log.activities.find(name.as_bytes()).expect("known");
        all.activities.iter().find(|f| u32::from(f.activity) == n).expect("figures")
    }

    const DONE: Transition = Transition::Complete;

    #[test]
    fn with_completions_only_the_sojourn_counts_from_the_event_before() {
        let log = log(&[
            ("1", "a", "x", None, 0, DONE),
            ("1", "b", "y", None, 100, DONE),
            ("1", "b", "x", None, 400, DONE),
            ("2", "a", "x", None, 50, DONE),
            ("2", "b", "y", None, 60, DONE),
        ]);
        let all = analyse(&log);
        assert_eq!((all.cases, all.events, all.variants), (2, 5, 2));
        assert_eq!(of(&log, &all, "a").sojourn, None, "nothing came before it");
        let b = of(&log, &all, "b");
        assert_eq!(b.sojourn.map(|s| (s.n, s.median as i64, s.max as i64)), Some((3, 100, 300)));
        assert_eq!((b.count, b.cases, b.rework_cases, b.repeated_cases), (3, 2, 1, 1));
        assert_eq!((b.self_loops, b.loops), (1, 0));
        assert_eq!(all.case_duration.map(|s| s.mean as i64), Some(205));
        let (a, b) = (log.activities.find(b"a"), log.activities.find(b"b"));
        assert_eq!((a, b), (Some(0), Some(1)));
        let edges: Vec<_> = all.edges.iter().map(|e| (e.from, e.to, e.count, e.sum)).collect();
        assert_eq!(edges, [(0, 1, 2, 110), (1, 1, 1, 300)]);
        assert_eq!(all.handovers.iter().map(|h| h.2).sum::<u64>(), 3);
        assert_eq!((all.ping_pong, all.rework_cases), (1, 1));
    }

    #[test]
    fn countersigning_is_no_rework_and_the_system_hands_nothing_over() {
        let log = log(&[
            ("1", "a", "x", Some(0), 10, DONE),
            ("1", "sign", "y", Some(12), 20, DONE),
            ("1", "sign", "z", Some(14), 30, DONE),
            ("1", "check", "SYSTEM", Some(30), 31, DONE),
            ("1", "sign", "y", Some(40), 50, DONE),
        ]);
        let all = analyse(&log);
        let sign = of(&log, &all, "sign");
        assert_eq!((sign.executions, sign.repeated_cases, sign.self_loops, sign.loops), (3, 1, 0, 1));
        let names: Vec<_> = all.handovers.iter().map(|h| (log.resources.get(h.0), log.resources.get(h.1))).collect();
        assert_eq!(names, [("x".into(), "y".into()), ("y".into(), "z".into())]);
    }

    #[test]
    fn with_start_timestamps_waiting_and_processing_make_the_sojourn() {
        let log = log(&[("1", "a", "x", Some(0), 10, DONE), ("1", "b", "y", Some(40), 100, DONE)]);
        let all = analyse(&log);
        let (a, b) = (of(&log, &all, "a"), of(&log, &all, "b"));
        assert_eq!(a.sojourn.map(|s| s.mean as i64), Some(10));
        assert_eq!(b.waiting.map(|s| s.mean as i64), Some(30));
        assert_eq!(b.processing.map(|s| s.mean as i64), Some(60));
        assert_eq!(b.sojourn.map(|s| s.mean as i64), Some(90));
        assert_eq!(all.case_duration.map(|s| s.mean as i64), Some(100));
    }

    #[test]
    fn schedule_start_and_complete_are_one_execution() {
        let log = log(&[
            ("1", "a", "", None, 0, Transition::Schedule),
            ("1", "a", "x", None, 30, Transition::Start),
            ("1", "a", "x", None, 40, DONE),
            ("1", "b", "", None, 40, Transition::Schedule),
            ("1", "b", "", None, 45, Transition::Schedule),
        ]);
        let all = analyse(&log);
        let a = of(&log, &all, "a");
        assert_eq!((a.count, a.executions, a.rework_cases, a.repeated_cases), (3, 1, 1, 0));
        assert_eq!(a.waiting.map(|s| s.mean as i64), Some(30));
        assert_eq!(a.processing.map(|s| s.mean as i64), Some(10));
        let mut open = vec![];
        Pairing::default().of_case(&log, log.order().case(0), |e| open.extend(e.completed.is_none().then_some(*e)));
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].enabled, Some(40), "assigned anew, it waits since it was first there");
    }

    proptest! {
        #[test]
        fn variants_are_counted_as_if_every_sequence_were_kept(cases in prop::collection::vec(prop::collection::vec(0u8..4, 1..5), 1..60)) {
            let mut log = Log::default();
            for (i, case) in cases.iter().enumerate() {
                for (at, a) in (0..).zip(case) {
                    let (case, activity) = (i.to_string(), a.to_string());
                    log.push(&Event { case: case.as_bytes(), activity: activity.as_bytes(), at, ..Event::default() }).expect("room");
                }
            }
            let exact: HashSet<&Vec<u8>> = cases.iter().collect();
            prop_assert_eq!(analyse(&log).variants, exact.len());
        }
    }

    #[test]
    fn an_empty_log_has_no_figures_and_no_trouble() {
        assert_eq!(analyse(&Log::default()), Analysis::default());
    }
}
