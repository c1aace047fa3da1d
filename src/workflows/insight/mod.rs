//! A workflow as of an instant, over a window: what is open, where it waits, who is slow, what gets worse. Pure.

mod look;
mod node;

use super::log::Log;
use super::model::{FEWEST, Spread};
use crate::clock::Millis;

pub use look::{look, look_at_all};

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
    /// Whether it is known from when on one is blocked.
    pub is_known: bool,
}

impl Blocked {
    /// The share, 0 to 1; `None` where too few are open to tell ([`FEWEST`]), or nobody knows what is usual.
    pub fn share(&self) -> Option<f64> {
        (self.is_known && self.open >= FEWEST).then(|| self.blocked as f64 / self.open as f64)
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
    /// Executions right after one of the same activity, and after others in between: together all that was done again.
    pub again: (usize, usize),
    /// Mean number of different activities before it.
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

impl Node {
    /// What is lost here: waiting, or the sojourn where the log does not tell them apart.
    pub fn losing(&self) -> Option<Spread> {
        self.waiting.or(self.sojourn)
    }
}

impl Loop {
    /// Whether it was done again at once.
    pub fn is_self(&self) -> bool {
        self.from == self.to
    }
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

#[cfg(test)]
mod tests {
    use super::super::model::{Event, Transition};
    use super::node::direction;
    use super::*;
    use crate::clock::{DAY, HOUR};
    use crate::config::Workflows;

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
                enabled: None,
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
        let few = Blocked { blocked: 0, open: 300, interval: (0.0, 0.0), is_known: false };
        assert_eq!(few.share(), None, "nothing is said to be in time where nobody knows what is usual");
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
