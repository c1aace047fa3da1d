//! Thresholds that remember: a figure must stay beyond its line for a while before it is a problem, and back below a
//! lower line for a while before the problem is over. Pure.
//!
//! ```text
//!      at raise         for so long              below clear        for so long
//!  OK ──────────▶ PENDING ─────────▶ FIRING ─────────────▶ CLEARING ──────────▶ OK
//!   ▲    not at raise │                 ▲   at clear again     │
//!   └─────────────────┘                 └──────────────────────┘
//! ```
//!
//! Time is counted in the time of samples. A gap of more than three intervals between two samples counts nothing: no
//! data is neither "still bad" nor "good again".

use serde::{Deserialize, Serialize};

use super::model::{Sample, Severity, share};
use crate::clock::{HOUR, MINUTE, Millis};
use crate::config::{Ahead, Health, Threshold};

/// A figure that thresholds watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Age of the newest sample, seconds.
    Age,
    /// CPU in use, percent.
    Cpu,
    /// Memory in use, percent.
    Memory,
    /// A file system in use, percent.
    Disk,
    /// Time until a file system is forecast to be full, hours.
    Full,
    /// Share of a minute in which all tasks waited for memory, percent.
    MemoryPressure,
    /// Share of a minute in which all tasks waited for disks, percent.
    IoPressure,
}

const METRICS: [(Metric, &str); 7] = [
    (Metric::Age, "age"),
    (Metric::Cpu, "cpu"),
    (Metric::Memory, "memory"),
    (Metric::Disk, "disk"),
    (Metric::Full, "full"),
    (Metric::MemoryPressure, "memory_pressure"),
    (Metric::IoPressure, "io_pressure"),
];

impl Metric {
    /// The word in JSON and in the store.
    pub fn word(self) -> &'static str {
        METRICS.iter().find(|(m, _)| *m == self).map_or("", |(_, word)| word)
    }
    /// The metric of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        METRICS.iter().find(|(_, w)| *w == word).map(|(m, _)| *m)
    }
}

/// Where a threshold stands; nothing is kept of one that is fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Beyond the line, not for long enough.
    Pending,
    /// A problem.
    Firing,
    /// Still a problem: back below, not for long enough.
    Clearing,
}

impl Phase {
    /// The word in JSON and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Clearing => "clearing",
        }
    }
    /// The phase of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Firing, Self::Clearing].into_iter().find(|p| p.word() == word)
    }
}

/// A threshold in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What it watches.
    pub metric: Metric,
    /// What it is when it fires.
    pub severity: Severity,
    /// Raised here.
    pub raise: f64,
    /// Clears beyond this.
    pub clear: f64,
    /// How long it must last.
    pub lasts: Millis,
    /// How long it must be over.
    pub keep: Millis,
}

impl Rule {
    /// Whether less is worse.
    fn falls(&self) -> bool {
        self.metric == Metric::Full
    }
    fn is_raised(&self, value: f64) -> bool {
        if self.falls() { value <= self.raise } else { value >= self.raise }
    }
    fn is_clear(&self, value: f64) -> bool {
        if self.falls() { value > self.clear } else { value < self.clear }
    }
}

/// The rules of a configuration, worst severity first for each metric.
pub fn rules(c: &Health) -> Vec<Rule> {
    use Severity::{Critical, Warn};
    let line = |metric, severity, t: Threshold| Rule {
        metric,
        severity,
        raise: t.raise,
        clear: t.clear,
        lasts: t.lasts.millis(),
        keep: t.keep.millis(),
    };
    let ahead = |severity, t: Ahead| Rule {
        metric: Metric::Full,
        severity,
        raise: t.raise.millis() as f64 / HOUR as f64,
        clear: t.clear.millis() as f64 / HOUR as f64,
        lasts: t.lasts.millis(),
        keep: t.keep.millis(),
    };
    vec![
        line(Metric::Cpu, Critical, c.cpu_critical),
        line(Metric::Cpu, Warn, c.cpu_warn),
        line(Metric::Memory, Critical, c.memory_critical),
        line(Metric::Memory, Warn, c.memory_warn),
        line(Metric::Disk, Critical, c.disk_critical),
        line(Metric::Disk, Warn, c.disk_warn),
        line(Metric::MemoryPressure, Critical, c.memory_pressure_critical),
        line(Metric::MemoryPressure, Warn, c.memory_pressure_warn),
        line(Metric::IoPressure, Critical, c.io_pressure_critical),
        line(Metric::IoPressure, Warn, c.io_pressure_warn),
        ahead(Critical, c.full_critical),
        ahead(Warn, c.full_warn),
    ]
}

/// Where one threshold of one host stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// What it watches.
    pub metric: Metric,
    /// Which file system, where it is about one.
    pub part: String,
    /// What it is when it fires.
    pub severity: Severity,
    /// Where it stands.
    pub phase: Phase,
    /// Since when it stands there, in the time of samples.
    pub since: Millis,
    /// Since when it is a problem.
    pub raised_at: Option<Millis>,
    /// Time counted towards the next phase: gaps are left out.
    pub held: Millis,
    /// The sample that was counted last.
    pub at: Millis,
    /// Its value.
    pub value: f64,
}

/// A threshold went from one phase to another; `None` is fine.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it watches.
    pub metric: Metric,
    /// Which file system.
    pub part: String,
    /// What it is when it fires.
    pub severity: Severity,
    /// Where it stood.
    pub was: Option<Phase>,
    /// Where it stands.
    pub phase: Option<Phase>,
    /// The value that did it.
    pub value: f64,
    /// The sample that did it.
    pub at: Millis,
}

/// A figure of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What.
    pub metric: Metric,
    /// Which file system.
    pub part: String,
    /// How much.
    pub value: f64,
}

/// A forecast as the rules see it: mount, hours until it is full by both horizons, percent in use.
pub type Nearing = (String, f64, f64);

/// What a sample says about the metrics of the rules.
pub fn readings(s: &Sample, nearing: &[Nearing]) -> Vec<Reading> {
    let one = |metric, value| Reading { metric, part: String::new(), value };
    let mut out = vec![one(Metric::Cpu, s.cpu), one(Metric::Memory, s.mem())];
    if let Some([_, memory, io]) = s.pressure_minute {
        out.push(one(Metric::MemoryPressure, memory));
        out.push(one(Metric::IoPressure, io));
    }
    // what is mounted for reading only (an image, a disc) is full by nature
    for d in s.disks.iter().filter(|d| !d.read_only && d.total > 0) {
        out.push(Reading { metric: Metric::Disk, part: d.mount.clone(), value: share(d.used, d.total) });
    }
    out.extend(nearing.iter().map(|(mount, hours, _)| Reading {
        metric: Metric::Full,
        part: mount.clone(),
        value: *hours,
    }));
    out
}

/// Whether a figure of the sample is beyond a line, for however long.
pub fn is_raised(s: &Sample, rules: &[Rule]) -> bool {
    readings(s, &[]).iter().any(|r| rules.iter().any(|rule| rule.metric == r.metric && rule.is_raised(r.value)))
}

/// A file system less full than this is not forecast to be a problem, percent.
fn full_enough(severity: Severity) -> f64 {
    if severity == Severity::Critical { 80.0 } else { 60.0 }
}

/// Takes the sample taken at `at`: where every threshold stands after it, and what changed. A sample that was counted
/// already, or an older one, changes nothing; one from long before tells that the clock was set back.
pub fn advance(
    tracks: &[Track],
    sample: &Sample,
    nearing: &[Nearing],
    rules: &[Rule],
    interval: Millis,
) -> (Vec<Track>, Vec<Change>) {
    let readings = readings(sample, nearing);
    let (mut out, mut changes) = (Vec::new(), Vec::new());
    let mut seen = vec![false; tracks.len()];
    let mut take = |track: Option<&Track>, rule: &Rule, reading: Option<&Reading>, part: &str| {
        let value = reading.map(|r| r.value);
        let next = step(track, rule, value, part, sample.at, interval);
        let (was, phase) = (track.map(|t| t.phase), next.as_ref().map(|t| t.phase));
        // what hovers below the line would fill the record: it is kept from the first firing on
        if was != phase && was.is_problem() | phase.is_problem() {
            changes.push(Change {
                metric: rule.metric,
                part: part.to_owned(),
                severity: rule.severity,
                was,
                phase,
                value: value.or(track.map(|t| t.value)).unwrap_or_default(),
                at: sample.at,
            });
        }
        out.extend(next);
    };
    for rule in rules {
        for reading in readings.iter().filter(|r| r.metric == rule.metric) {
            let i = tracks
                .iter()
                .position(|t| t.metric == rule.metric && t.severity == rule.severity && t.part == reading.part);
            if let Some(i) = i {
                seen[i] = true;
            }
            let enough = rule.metric != Metric::Full
                || nearing.iter().any(|(m, _, used)| *m == reading.part && *used >= full_enough(rule.severity));
            take(i.map(|i| &tracks[i]), rule, Some(reading).filter(|_| enough), &reading.part);
        }
        // a file system that is gone, a pressure the kernel tells no more
        for (i, track) in tracks.iter().enumerate() {
            if track.metric == rule.metric && track.severity == rule.severity && !seen[i] {
                seen[i] = true;
                take(Some(track), rule, None, &track.part);
            }
        }
    }
    (out, changes)
}

trait Matters {
    fn is_problem(&self) -> bool;
}

impl Matters for Option<Phase> {
    fn is_problem(&self) -> bool {
        matches!(self, Some(Phase::Firing | Phase::Clearing))
    }
}

fn step(
    track: Option<&Track>,
    rule: &Rule,
    value: Option<f64>,
    part: &str,
    at: Millis,
    interval: Millis,
) -> Option<Track> {
    let raised = value.is_some_and(|v| rule.is_raised(v));
    let clear = value.is_none_or(|v| rule.is_clear(v));
    let fresh = |phase, raised_at| Track {
        metric: rule.metric,
        part: part.to_owned(),
        severity: rule.severity,
        phase,
        since: at,
        raised_at,
        held: 0,
        at,
        value: value.unwrap_or_default(),
    };
    let Some(old) = track else {
        return raised.then(|| match rule.lasts {
            0 => fresh(Phase::Firing, Some(at)),
            _ => fresh(Phase::Pending, None),
        });
    };
    let gap = 3 * interval.max(1);
    if at <= old.at && old.at - at <= gap {
        return Some(old.clone());
    }
    // a gap, and a clock that was set back, freeze the count
    let passed = if (1..=gap).contains(&(at - old.at)) { at - old.at } else { 0 };
    let mut next = Track { at, value: value.unwrap_or(old.value), held: old.held + passed, ..old.clone() };
    let over =
        |t: Track| if rule.keep == 0 { None } else { Some(Track { phase: Phase::Clearing, since: at, held: 0, ..t }) };
    match old.phase {
        Phase::Pending if !raised => None,
        Phase::Pending => {
            if next.held >= rule.lasts {
                next = Track { raised_at: Some(at), ..fresh(Phase::Firing, Some(at)) };
            }
            Some(next)
        }
        Phase::Firing if clear => over(next),
        Phase::Firing => Some(next),
        Phase::Clearing if !clear => Some(Track { phase: Phase::Firing, since: at, held: 0, ..next }),
        Phase::Clearing => (next.held < rule.keep).then_some(next),
    }
}

/// Something wrong with a host, or about to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What.
    pub metric: Metric,
    /// Which file system, where it is about one.
    pub part: String,
    /// How bad.
    pub severity: Severity,
    /// Where it stands; one that is pending is not a problem yet.
    pub phase: Phase,
    /// Since when: of a pending one, since when it is beyond the line.
    pub since: Millis,
    /// The newest value, in the unit of the metric.
    pub value: f64,
    /// The line that it passed.
    pub raise: f64,
    /// Where it clears again.
    pub clear: f64,
    /// How long it must last, and how long it must be over.
    pub lasts: Millis,
    /// See `lasts`.
    pub keep: Millis,
    /// Time counted towards the next phase.
    pub held: Millis,
}

impl Problem {
    /// Whether it is one already.
    pub fn is_open(&self) -> bool {
        self.phase != Phase::Pending
    }
}

/// Whether a host whose newest sample was taken at `at` is overdue.
pub fn is_stale(at: Millis, interval: Millis, now: Millis) -> bool {
    now - at > 3 * interval.max(1)
}

/// Everything wrong with a host, worst first, the pending last: one for each figure, the worst of its thresholds. What
/// was wrong at the last sample stands while there is no news; that there is none is a problem of its own.
pub fn problems(tracks: &[Track], rules: &[Rule], at: Millis, interval: Millis, now: Millis) -> Vec<Problem> {
    let mut out: Vec<Problem> = Vec::new();
    if is_stale(at, interval, now) {
        let raise = (interval * 3) as f64 / 1_000.0;
        out.push(Problem {
            metric: Metric::Age,
            part: String::new(),
            severity: Severity::Stale,
            phase: Phase::Firing,
            since: at + interval * 3,
            value: (now - at) as f64 / 1_000.0,
            raise,
            clear: raise,
            lasts: 0,
            keep: 0,
            held: 0,
        });
    }
    for t in tracks {
        let Some(rule) = rules.iter().find(|r| r.metric == t.metric && r.severity == t.severity) else { continue };
        let p = Problem {
            metric: t.metric,
            part: t.part.clone(),
            severity: t.severity,
            phase: t.phase,
            since: t.raised_at.unwrap_or(t.since),
            value: t.value,
            raise: rule.raise,
            clear: rule.clear,
            lasts: rule.lasts,
            keep: rule.keep,
            held: t.held,
        };
        match out.iter_mut().find(|o| o.metric == p.metric && o.part == p.part) {
            Some(known) if (p.is_open(), p.severity) > (known.is_open(), known.severity) => *known = p,
            Some(_) => {}
            None => out.push(p),
        }
    }
    out.sort_by(|a, b| {
        (b.is_open(), b.severity)
            .cmp(&(a.is_open(), a.severity))
            .then(a.since.cmp(&b.since))
            .then(a.metric.cmp(&b.metric))
    });
    out
}

/// The worst of the open `problems`.
pub fn worst(problems: &[Problem]) -> Severity {
    problems.iter().filter(|p| p.is_open()).map(|p| p.severity).max().unwrap_or(Severity::Ok)
}

/// Ages are told in steps of this: a list that ticks every second tells nothing more.
pub const AGE_STEP: Millis = MINUTE / 6;

#[cfg(test)]
mod tests;
