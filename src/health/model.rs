//! What is known of a host, and what is wrong with it. Pure.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;

/// One look at a host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// Host name.
    pub host: String,
    /// What it is for, and where it stands; empty where nobody said.
    pub role: String,
    /// See `role`.
    pub site: String,
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
    /// Its interfaces but loopback and virtual ones.
    pub nics: Vec<Nic>,
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
    /// The same over 60 s: what thresholds watch.
    pub pressure_minute: Option<[f64; 3]>,
}

/// A network interface.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Nic {
    /// Its name.
    pub name: String,
    /// Bytes a second received.
    pub rx_bps: f64,
    /// Bytes a second sent.
    pub tx_bps: f64,
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
    /// Mounted for reading only: it cannot fill.
    pub read_only: bool,
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
    /// The word in JSON and in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Stale => "stale",
            Self::Critical => "critical",
        }
    }
    /// The severity of a word.
    pub fn from_word(word: &str) -> Self {
        [Self::Warn, Self::Stale, Self::Critical].into_iter().find(|s| s.word() == word).unwrap_or(Self::Ok)
    }
}

/// `used` of `total`, percent.
pub fn share(used: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { used as f64 / total as f64 * 100.0 }
}

impl Sample {
    /// The sample with the `n` busiest of its processes: what goes over the wire and into the store.
    #[must_use]
    pub fn with_top(mut self, n: usize) -> Self {
        self.processes.truncate(n);
        self
    }
    /// Memory in use, percent.
    pub fn mem(&self) -> f64 {
        share(self.mem_used, self.mem_total)
    }
    /// Swap in use, percent; 0 where there is none.
    pub fn swap(&self) -> f64 {
        share(self.swap_used, self.swap_total)
    }
    /// Load over one minute for each core.
    pub fn load_per_core(&self) -> f64 {
        self.load[0] / self.cores.len().max(1) as f64
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
