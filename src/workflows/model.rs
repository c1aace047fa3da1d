//! Event logs and what can be read off them. Pure.
//!
//! Events of a case are ordered by time, equal times by their place in the file. A case's duration is from its first to
//! its last event. An activity's sojourn is from its start where the log has one (`start_timestamp`, or an earlier
//! `start` event), else from the event before it in its case; the first event of a case has none then. Percentiles
//! interpolate linearly between the nearest ranks.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use crate::clock::Millis;

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Index into [`Log::activities`].
    pub activity: u32,
    /// Index into [`Log::resources`]; none where nobody is named.
    pub resource: Option<u32>,
    /// When it was done.
    pub at: Millis,
    /// When it was begun, where the log says.
    pub start: Option<Millis>,
}

/// An event log: cases with their events in order.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Activity names.
    pub activities: Vec<String>,
    /// Resource names.
    pub resources: Vec<String>,
    /// Case name and events.
    pub cases: Vec<(String, Vec<Event>)>,
    activity_index: HashMap<String, u32>,
    resource_index: HashMap<String, u32>,
    case_index: HashMap<String, usize>,
}

fn intern(index: &mut HashMap<String, u32>, names: &mut Vec<String>, name: &str) -> u32 {
    if let Some(i) = index.get(name) {
        return *i;
    }
    let i = names.len() as u32;
    names.push(name.to_owned());
    index.insert(name.to_owned(), i);
    i
}

impl Log {
    /// Adds an event.
    pub fn add(&mut self, case: &str, activity: &str, resource: Option<&str>, at: Millis, start: Option<Millis>) {
        let activity = intern(&mut self.activity_index, &mut self.activities, activity);
        let resource =
            resource.filter(|r| !r.is_empty()).map(|r| intern(&mut self.resource_index, &mut self.resources, r));
        let case = match self.case_index.get(case) {
            Some(i) => *i,
            None => {
                self.cases.push((case.to_owned(), Vec::new()));
                self.case_index.insert(case.to_owned(), self.cases.len() - 1);
                self.cases.len() - 1
            }
        };
        self.cases[case].1.push(Event { activity, resource, at, start });
    }

    /// Puts the events of each case in order.
    pub fn sort(&mut self) {
        for (_, events) in &mut self.cases {
            events.sort_by_key(|e| e.at);
        }
    }

    /// How many events there are.
    pub fn events(&self) -> usize {
        self.cases.iter().map(|(_, e)| e.len()).sum()
    }
}

/// Mean, median and 95th percentile, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spread {
    /// Arithmetic mean.
    pub mean: f64,
    /// Half are below.
    pub median: f64,
    /// 95 % are below.
    pub p95: f64,
}

impl Spread {
    /// Of values in milliseconds; `None` of none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        let at = |p: f64| {
            let rank = p * (values.len() - 1) as f64;
            let (low, part) = (rank.floor() as usize, rank.fract());
            let high = (low + 1).min(values.len() - 1);
            (values[low] + (values[high] - values[low]) * part) / 1000.0
        };
        let mean = values.iter().sum::<f64>() / values.len() as f64 / 1000.0;
        Some(Self { mean, median: at(0.5), p95: at(0.95) })
    }

    fn json(this: Option<Self>) -> Value {
        this.map_or(
            json!({"mean_s": null, "median_s": null, "p95_s": null}),
            |s| json!({"mean_s": s.mean, "median_s": s.median, "p95_s": s.p95}),
        )
    }
}

/// What is known of one activity.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityStats {
    /// Its name.
    pub name: String,
    /// Its events.
    pub count: usize,
    /// From start, or the event before, to its end.
    pub sojourn: Option<Spread>,
    /// All its sojourns together, milliseconds.
    pub total: f64,
    /// Cases in which it happens more than once.
    pub rework_cases: usize,
}

/// What is known of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Stats {
    /// Cases.
    pub cases: usize,
    /// Events.
    pub events: usize,
    /// Different sequences of activities.
    pub variants: usize,
    /// First to last event.
    pub duration: Option<Spread>,
    /// By name.
    pub activities: Vec<ActivityStats>,
    /// From, to, count, mean milliseconds.
    pub edges: Vec<(String, String, usize, f64)>,
}

/// Computes everything of a log whose cases are in order.
pub fn analyse(log: &Log) -> Stats {
    let n = log.activities.len();
    let mut count = vec![0usize; n];
    let mut rework = vec![0usize; n];
    let mut sojourns: Vec<Vec<f64>> = vec![Vec::new(); n];
    let mut edges: HashMap<(u32, u32), (usize, f64)> = HashMap::new();
    let mut variants: HashSet<Vec<u32>> = HashSet::new();
    let mut durations = Vec::with_capacity(log.cases.len());
    let mut seen = vec![0u32; n];
    for (_, events) in &log.cases {
        for (i, event) in events.iter().enumerate() {
            let a = event.activity as usize;
            count[a] += 1;
            seen[a] += 1;
            if seen[a] == 2 {
                rework[a] += 1;
            }
            let before = i.checked_sub(1).map(|p| events[p].at);
            if let Some(from) = event.start.or(before) {
                sojourns[a].push((event.at - from).max(0) as f64);
            }
            if i > 0 {
                let edge = edges.entry((events[i - 1].activity, event.activity)).or_default();
                edge.0 += 1;
                edge.1 += (event.at - events[i - 1].at) as f64;
            }
        }
        for event in events {
            seen[event.activity as usize] = 0;
        }
        variants.insert(events.iter().map(|e| e.activity).collect());
        if let (Some(first), Some(last)) = (events.first(), events.last()) {
            durations.push((last.at - first.start.unwrap_or(first.at).min(first.at)) as f64);
        }
    }
    let mut activities: Vec<ActivityStats> = sojourns
        .into_iter()
        .enumerate()
        .map(|(a, values)| ActivityStats {
            name: log.activities[a].clone(),
            count: count[a],
            total: values.iter().sum(),
            sojourn: Spread::of(values),
            rework_cases: rework[a],
        })
        .collect();
    activities.sort_by(|a, b| a.name.cmp(&b.name));
    let edges: BTreeMap<(String, String), (usize, f64)> = edges
        .into_iter()
        .map(|((a, b), v)| ((log.activities[a as usize].clone(), log.activities[b as usize].clone()), v))
        .collect();
    Stats {
        cases: log.cases.len(),
        events: log.events(),
        variants: variants.len(),
        duration: Spread::of(durations),
        activities,
        edges: edges.into_iter().map(|((a, b), (n, sum))| (a, b, n, sum / n as f64)).collect(),
    }
}

impl Stats {
    /// As `workflow stats --json` prints it.
    pub fn json(&self) -> Value {
        json!({
            "cases": self.cases, "events": self.events, "variants": self.variants,
            "case_duration": Spread::json(self.duration),
            "activities": self.activities.iter().map(|a| json!({
                "name": a.name, "count": a.count, "sojourn": Spread::json(a.sojourn), "rework_cases": a.rework_cases,
            })).collect::<Vec<_>>(),
            "edges": self.edges.iter().map(|(from, to, count, mean)| json!({
                "from": from, "to": to, "count": count, "mean_s": mean / 1000.0,
            })).collect::<Vec<_>>(),
        })
    }

    /// Activities by the time spent in them, most first, with their share of it all.
    pub fn bottlenecks(&self) -> Vec<(&ActivityStats, f64)> {
        let all: f64 = self.activities.iter().map(|a| a.total).sum();
        let mut ranked: Vec<_> =
            self.activities.iter().map(|a| (a, if all > 0.0 { a.total / all } else { 0.0 })).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.name.cmp(&b.0.name)));
        ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_small_log_are_right() {
        let mut log = Log::default();
        for (case, activity, at) in [
            ("1", "submit", 0),
            ("1", "approve", 10_000),
            ("1", "approve", 30_000),
            ("2", "approve", 5_000),
            ("2", "submit", 1_000),
        ] {
            log.add(case, activity, None, at, None);
        }
        log.sort();
        let s = analyse(&log);
        assert_eq!((s.cases, s.events, s.variants), (2, 5, 2));
        let approve = s.activities.iter().find(|a| a.name == "approve").expect("there");
        assert_eq!((approve.count, approve.rework_cases), (3, 1));
        assert_eq!(approve.sojourn, Some(Spread { mean: 34.0 / 3.0, median: 10.0, p95: 19.0 }));
        assert_eq!(s.edges.iter().map(|e| e.2).sum::<usize>(), 3);
        assert_eq!(s.bottlenecks()[0].0.name, "approve");
    }
}
