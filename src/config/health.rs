//! `[health]`

use serde::{Deserialize, Serialize};

use super::{Dur, Problems};

/// `[health]`: thresholds are `[raise, clear]` in percent: a problem appears at the first and goes below the second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// How often a host is sampled into the store.
    pub interval: Dur,
    /// CPU in use.
    pub cpu_warn: [f64; 2],
    /// CPU in use.
    pub cpu_critical: [f64; 2],
    /// Memory in use.
    pub memory_warn: [f64; 2],
    /// Memory in use.
    pub memory_critical: [f64; 2],
    /// A file system in use.
    pub disk_warn: [f64; 2],
    /// A file system in use.
    pub disk_critical: [f64; 2],
    /// How long raw samples are kept.
    pub keep_raw: Dur,
    /// How long roll-ups of a minute are kept.
    pub keep_minute: Dur,
    /// How long roll-ups of a quarter of an hour are kept.
    pub keep_quarter: Dur,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            interval: Dur(10_000),
            cpu_warn: [90.0, 80.0],
            cpu_critical: [98.0, 90.0],
            memory_warn: [90.0, 80.0],
            memory_critical: [98.0, 90.0],
            disk_warn: [90.0, 80.0],
            disk_critical: [98.0, 90.0],
            keep_raw: Dur(48 * 3_600_000),
            keep_minute: Dur(14 * 86_400_000),
            keep_quarter: Dur(396 * 86_400_000),
        }
    }
}

impl Health {
    pub(super) fn check(&self, problems: &mut Problems) {
        if !(1_000..=600_000).contains(&self.interval.0) {
            problems.add(&["health", "interval"], "between 1s and 10m");
        }
        for (key, [raise, clear]) in [
            ("cpu_warn", self.cpu_warn),
            ("cpu_critical", self.cpu_critical),
            ("memory_warn", self.memory_warn),
            ("memory_critical", self.memory_critical),
            ("disk_warn", self.disk_warn),
            ("disk_critical", self.disk_critical),
        ] {
            if !(0.0..=100.0).contains(&raise) || !(0.0..=raise).contains(&clear) {
                problems.add(&["health", key], "[raise, clear] in percent, clear at most raise");
            }
        }
    }
}
