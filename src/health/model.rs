//! What is known of a host, and what is wrong with it. Pure.

use serde::{Deserialize, Serialize};

use crate::clock::{DAY, Millis};
use crate::config::Health;

/// One look at a host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Host name.
    pub host: String,
    /// When it was taken.
    pub at: Millis,
    /// CPU in use over all cores, percent.
    pub cpu: f64,
    /// CPU in use per core, percent.
    pub cores: Vec<f64>,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: [f64; 3],
    /// Bytes of memory.
    pub mem_total: u64,
    /// Bytes in use (total less available).
    pub mem_used: u64,
    /// Bytes of swap.
    pub swap_total: u64,
    /// Bytes of swap in use.
    pub swap_used: u64,
    /// File systems.
    pub disks: Vec<Disk>,
    /// Bytes a second read and written by all disks, those without a file system too; `None`: the sum of `disks`.
    pub io: Option<[f64; 2]>,
    /// Bytes a second received and sent over all interfaces but loopback.
    pub rx_bps: f64,
    /// See `rx_bps`.
    pub tx_bps: f64,
    /// Hottest sensor, °C.
    pub temperature: Option<f64>,
    /// Seconds since boot.
    pub uptime_s: u64,
    /// Busiest processes, most CPU first.
    pub processes: Vec<Process>,
    /// How many processes there are, where they were counted.
    pub process_count: usize,
    /// Share of time in which something waited for CPU, memory, I/O over 10 s, percent.
    pub pressure: Option<[f64; 3]>,
}

/// A file system.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Disk {
    /// Where it is mounted.
    pub mount: String,
    /// Bytes.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
    /// Bytes a second read.
    pub read_bps: f64,
    /// Bytes a second written.
    pub write_bps: f64,
    /// Did not answer in time (a lost file server): the figures are the last known.
    pub stuck: bool,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// Process number.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// CPU, percent of one core.
    pub cpu: f64,
    /// Resident bytes.
    pub memory: u64,
}

/// How bad it is, in rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing to see.
    Ok,
    /// Look at it today.
    Warn,
    /// No news from it.
    Stale,
    /// Act now.
    Critical,
}

impl Severity {
    /// The word in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Stale => "stale",
            Self::Critical => "critical",
        }
    }
}

/// A figure that thresholds watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// CPU in use.
    Cpu,
    /// Memory in use.
    Memory,
    /// Fullest file system.
    Disk,
    /// Age of the newest sample.
    Age,
}

/// Something wrong with a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What.
    pub metric: Metric,
    /// How bad.
    pub severity: Severity,
    /// The value, percent; for [`Metric::Age`] seconds.
    pub value: f64,
    /// The threshold that it passed, in the same unit.
    pub raise: f64,
    /// Below which it clears again.
    pub clear: f64,
    /// Which file system, for disks.
    pub on: String,
}

fn share(used: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { used as f64 / total as f64 * 100.0 }
}

impl Sample {
    /// Memory in use, percent.
    pub fn mem(&self) -> f64 {
        share(self.mem_used, self.mem_total)
    }
    /// Swap in use, percent; 0 where there is none.
    pub fn swap(&self) -> f64 {
        share(self.swap_used, self.swap_total)
    }
    /// The fullest file system and how full it is, percent.
    pub fn fullest(&self) -> Option<(&Disk, f64)> {
        self.disks.iter().map(|d| (d, share(d.used, d.total))).max_by(|a, b| a.1.total_cmp(&b.1))
    }
    /// Bytes a second read and written over all disks.
    pub fn io_bps(&self) -> (f64, f64) {
        self.io.map_or_else(
            || self.disks.iter().fold((0.0, 0.0), |(r, w), d| (r + d.read_bps, w + d.write_bps)),
            |[read, write]| (read, write),
        )
    }
}

/// Everything wrong with a host by its newest sample, worst first. `before` is what was wrong a sample ago: a problem
/// that was there stays until its value falls below the clearing threshold.
pub fn judge(sample: &Sample, interval: Millis, now: Millis, rules: &Health, before: &[Problem]) -> Vec<Problem> {
    let mut found = Vec::new();
    let age = now - sample.at;
    if age > interval.max(1) * 3 {
        let raise = (interval * 3) as f64 / 1000.0;
        found.push(Problem {
            metric: Metric::Age,
            severity: Severity::Stale,
            value: age as f64 / 1000.0,
            raise,
            clear: raise,
            on: String::new(),
        });
    }
    let mut check = |metric: Metric, on: &str, value: f64, warn: [f64; 2], critical: [f64; 2]| {
        let was = |severity| before.iter().any(|p| p.metric == metric && p.on == on && p.severity >= severity);
        for (severity, [raise, clear]) in [(Severity::Critical, critical), (Severity::Warn, warn)] {
            if value >= raise || (was(severity) && value >= clear) {
                found.push(Problem { metric, severity, value, raise, clear, on: on.to_owned() });
                return;
            }
        }
    };
    check(Metric::Cpu, "", sample.cpu, rules.cpu_warn, rules.cpu_critical);
    check(Metric::Memory, "", sample.mem(), rules.memory_warn, rules.memory_critical);
    for disk in &sample.disks {
        check(Metric::Disk, &disk.mount, share(disk.used, disk.total), rules.disk_warn, rules.disk_critical);
    }
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then(b.value.total_cmp(&a.value)));
    found
}

/// The worst of `problems`.
pub fn worst(problems: &[Problem]) -> Severity {
    problems.iter().map(|p| p.severity).max().unwrap_or(Severity::Ok)
}

/// When a file system will be full, by least squares over `points` (instant, percent in use, oldest first).
///
/// `None` where there is no trend: fewer than ten points, a fit that explains less than 70 %, a falling or flat line,
/// less than 60 % in use, or further ahead than 90 days.
pub fn full_in(points: &[(Millis, f64)], now: Millis) -> Option<Millis> {
    let n = points.len() as f64;
    let last = points.last()?.1;
    if points.len() < 10 || last < 60.0 {
        return None;
    }
    let origin = points[0].0;
    let x = |t: Millis| (t - origin) as f64 / DAY as f64;
    let (mx, my) = points.iter().fold((0.0, 0.0), |(a, b), (t, v)| (a + x(*t) / n, b + v / n));
    let (mut sxx, mut sxy, mut syy) = (0.0, 0.0, 0.0);
    for (t, v) in points {
        sxx += (x(*t) - mx).powi(2);
        sxy += (x(*t) - mx) * (v - my);
        syy += (v - my).powi(2);
    }
    if sxx == 0.0 || syy == 0.0 {
        return None;
    }
    let slope = sxy / sxx;
    let explained = sxy * sxy / (sxx * syy);
    if slope <= 0.0 || explained < 0.7 {
        return None;
    }
    let days = (100.0 - last) / slope - (now - points.last()?.0) as f64 / DAY as f64;
    (0.0..=90.0).contains(&days).then_some((days * DAY as f64) as Millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{HOUR, MINUTE, SECOND};

    fn sample(cpu: f64) -> Sample {
        Sample { at: 0, cpu, mem_total: 100, mem_used: 10, ..Sample::default() }
    }

    #[test]
    fn a_problem_stays_until_its_value_falls_below_the_clearing_threshold() {
        let rules = Health::default();
        let raised = judge(&sample(95.0), 10 * SECOND, 0, &rules, &[]);
        assert_eq!(worst(&raised), Severity::Warn);
        let hovering = judge(&sample(85.0), 10 * SECOND, 0, &rules, &raised);
        assert_eq!(worst(&hovering), Severity::Warn);
        assert_eq!(worst(&judge(&sample(85.0), 10 * SECOND, 0, &rules, &[])), Severity::Ok);
        assert_eq!(worst(&judge(&sample(50.0), 10 * SECOND, 0, &rules, &hovering)), Severity::Ok);
    }

    #[test]
    fn a_host_without_news_for_three_intervals_is_stale() {
        let rules = Health::default();
        assert_eq!(worst(&judge(&sample(1.0), 10 * SECOND, 30 * SECOND, &rules, &[])), Severity::Ok);
        assert_eq!(worst(&judge(&sample(1.0), 10 * SECOND, 31 * SECOND, &rules, &[])), Severity::Stale);
    }

    #[test]
    fn a_steady_rise_is_forecast_and_noise_is_not() {
        let rising: Vec<_> = (0..60).map(|i| (i * HOUR, 70.0 + i as f64 * 0.1)).collect();
        let days = full_in(&rising, 59 * HOUR).map(|ms| ms as f64 / DAY as f64);
        assert!(days.is_some_and(|d| (9.0..11.0).contains(&d)), "{days:?}");
        let noise: Vec<_> = (0..60).map(|i| (i * MINUTE, 70.0 + (i * 7 % 13) as f64)).collect();
        assert_eq!(full_in(&noise, HOUR), None);
    }
}
