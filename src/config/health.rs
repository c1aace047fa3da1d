//! `[health]`

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// A line that a figure must not stay beyond.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// At this value it is raised, percent.
    pub raise: f64,
    /// Below this value it clears again, percent.
    pub clear: f64,
    /// How long it must last, counted in the time of samples, before it is a problem.
    #[serde(rename = "for")]
    pub lasts: Dur,
    /// How long it must stay below `clear` before the problem is over.
    pub keep: Dur,
}

/// A line in time: how far ahead a file system is forecast to be full.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ahead {
    /// Closer than this it is raised.
    pub raise: Dur,
    /// Further than this it clears again.
    pub clear: Dur,
    /// As [`Threshold::lasts`].
    #[serde(rename = "for")]
    pub lasts: Dur,
    /// As [`Threshold::keep`].
    pub keep: Dur,
}

/// `[health]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// How often a host is sampled into the store.
    pub interval: Dur,
    /// What this machine is for (`db`, `web`), and where it stands; hosts are grouped by them.
    pub role: String,
    /// See `role`.
    pub site: String,
    /// CPU in use.
    pub cpu_warn: Threshold,
    /// CPU in use.
    pub cpu_critical: Threshold,
    /// Memory in use.
    pub memory_warn: Threshold,
    /// Memory in use.
    pub memory_critical: Threshold,
    /// A file system in use.
    pub disk_warn: Threshold,
    /// A file system in use.
    pub disk_critical: Threshold,
    /// Share of a minute in which all tasks waited for memory.
    pub memory_pressure_warn: Threshold,
    /// Share of a minute in which all tasks waited for memory.
    pub memory_pressure_critical: Threshold,
    /// Share of a minute in which all tasks waited for disks.
    pub io_pressure_warn: Threshold,
    /// Share of a minute in which all tasks waited for disks.
    pub io_pressure_critical: Threshold,
    /// A file system that is forecast to be full (and is more than 60 % full).
    pub full_warn: Ahead,
    /// The same, more than 80 % full.
    pub full_critical: Ahead,
    /// How long raw samples are kept, those of single file systems and interfaces too.
    pub keep_raw: Dur,
    /// How long roll-ups of a minute are kept.
    pub keep_minute: Dur,
    /// How long roll-ups of a quarter of an hour are kept, those of an hour of single file systems and interfaces, and
    /// the record of thresholds.
    pub keep_quarter: Dur,
}

const fn line(raise: f64, clear: f64, minutes: i64, keep: i64) -> Threshold {
    Threshold { raise, clear, lasts: Dur(minutes * 60_000), keep: Dur(keep * 60_000) }
}

const fn ahead(raise: i64, clear: i64) -> Ahead {
    Ahead { raise: Dur(raise * 3_600_000), clear: Dur(clear * 3_600_000), lasts: Dur(3_600_000), keep: Dur(3_600_000) }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            interval: Dur(10_000),
            role: String::new(),
            site: String::new(),
            cpu_warn: line(90.0, 80.0, 5, 5),
            cpu_critical: line(98.0, 90.0, 5, 5),
            memory_warn: line(90.0, 80.0, 5, 5),
            memory_critical: line(98.0, 90.0, 1, 5),
            disk_warn: line(90.0, 80.0, 1, 1),
            disk_critical: line(98.0, 90.0, 1, 1),
            memory_pressure_warn: line(10.0, 5.0, 5, 5),
            memory_pressure_critical: line(25.0, 10.0, 5, 5),
            io_pressure_warn: line(30.0, 15.0, 5, 5),
            io_pressure_critical: line(60.0, 30.0, 15, 5),
            full_warn: ahead(24, 48),
            full_critical: ahead(4, 8),
            keep_raw: Dur(48 * 3_600_000),
            keep_minute: Dur(14 * 86_400_000),
            keep_quarter: Dur(396 * 86_400_000),
        }
    }
}

/// Longest `for` or `keep`.
const LONGEST: i64 = 7 * 86_400_000;

impl Health {
    pub(super) fn check(&self, problems: &mut Problems) {
        if !(1_000..=600_000).contains(&self.interval.0) {
            problems.add(&["health", "interval"], "between 1s and 10m");
        }
        for (key, t) in [
            ("cpu_warn", self.cpu_warn),
            ("cpu_critical", self.cpu_critical),
            ("memory_warn", self.memory_warn),
            ("memory_critical", self.memory_critical),
            ("disk_warn", self.disk_warn),
            ("disk_critical", self.disk_critical),
            ("memory_pressure_warn", self.memory_pressure_warn),
            ("memory_pressure_critical", self.memory_pressure_critical),
            ("io_pressure_warn", self.io_pressure_warn),
            ("io_pressure_critical", self.io_pressure_critical),
        ] {
            if !(t.raise > 0.0 && t.raise <= 100.0 && (0.0..=t.raise).contains(&t.clear)) {
                problems.add(&["health", key], "raise above 0 and at most 100 percent, clear at most raise");
            }
            if t.lasts.0 > LONGEST || t.keep.0 > LONGEST {
                problems.add(&["health", key], "for and keep at most 7d");
            }
        }
        for (key, t) in [("full_warn", self.full_warn), ("full_critical", self.full_critical)] {
            if t.raise.0 <= 0 || t.clear < t.raise || t.clear.0 > 90 * 86_400_000 {
                problems.add(&["health", key], "raise above 0, clear at least raise and at most 90d");
            }
            if t.lasts.0 > LONGEST || t.keep.0 > LONGEST {
                problems.add(&["health", key], "for and keep at most 7d");
            }
        }
        for (key, keep, least) in [
            ("keep_raw", self.keep_raw, 3_600_000),
            ("keep_minute", self.keep_minute, 86_400_000),
            ("keep_quarter", self.keep_quarter, 86_400_000),
        ] {
            if keep.0 < least {
                problems.add(&["health", key], format!("at least {}", Dur(least)));
            }
        }
    }
}
