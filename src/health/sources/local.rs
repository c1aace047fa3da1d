//! This machine, by hand from `/proc`: a tenth of the processor time of a general library, and nothing that can hang.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::time::{Duration, Instant};

use sysinfo::Components;

use super::mounts::Mounts;
use super::proc::{self, Io, Mount, Ticks};
use super::procs::Procs;
use crate::clock::Millis;
use crate::config::Health;
use crate::health::model::{Disk, Nic, Process, Sample};

/// How many processes a sample names.
const TOP: usize = 24;
/// Mounts, their fill and sensors change slowly.
const SLOW: Duration = Duration::from_secs(10);
/// The busiest processes are looked for no more often.
const PROCS: Duration = Duration::from_millis(1_900);

/// Samples this machine; keeps what it needs between two looks. Blocking: call it off the UI task.
#[derive(Debug)]
pub struct Sampler {
    host: String,
    role: String,
    site: String,
    cpu: Vec<Ticks>,
    net: HashMap<String, Io>,
    io: HashMap<String, Io>,
    io_all: Io,
    last: Option<Instant>,
    watched: Mounts,
    mounts: Vec<Mount>,
    disks: Vec<Disk>,
    slow_at: Option<Instant>,
    components: Option<Components>,
    temperature: Option<f64>,
    procs: Procs,
    top: (Vec<Process>, usize),
    procs_at: Option<Instant>,
}

impl Sampler {
    /// A sampler that says of this machine what `config` says; its first sample has no rates yet. `None` where the system tells nothing of itself.
    pub fn new(config: &Health) -> Option<Self> {
        let host = read("/proc/sys/kernel/hostname").trim().to_owned();
        if read("/proc/stat").is_empty() {
            return None;
        }
        Some(Self {
            host: if host.is_empty() { "localhost".into() } else { host },
            role: config.role.clone(),
            site: config.site.clone(),
            cpu: Vec::new(),
            net: HashMap::new(),
            io: HashMap::new(),
            io_all: (0, 0),
            last: None,
            watched: Mounts::default(),
            mounts: Vec::new(),
            disks: Vec::new(),
            slow_at: None,
            components: None,
            temperature: None,
            procs: Procs::default(),
            top: (Vec::new(), 0),
            procs_at: None,
        })
    }

    /// The name of this machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// One look at `at`, with the busiest processes where `processes` is set. Rates and shares are over the time since
    /// the look before; at the first the processor's share is since boot.
    pub fn sample(&mut self, at: Millis, processes: bool) -> Sample {
        let now = Instant::now();
        let seconds = self.last.map_or(0.0, |last| now.duration_since(last).as_secs_f64());
        self.last = Some(now);
        self.slow(now);
        let mut s = Sample {
            host: self.host.clone(),
            role: self.role.clone(),
            site: self.site.clone(),
            at,
            temperature: self.temperature,
            ..Sample::default()
        };
        self.processors(&mut s);
        let m = proc::meminfo(&read("/proc/meminfo"));
        s.mem_total = m.total;
        s.mem_used = m.total.saturating_sub(m.available);
        s.swap_total = m.swap_total;
        s.swap_used = m.swap_total.saturating_sub(m.swap_free);
        if let Some((load, _)) = proc::loadavg(&read("/proc/loadavg")) {
            s.load = load;
        }
        self.network(&mut s, seconds);
        self.disk_io(&mut s, seconds);
        s.uptime_s = read("/proc/uptime").split('.').next().and_then(|t| t.parse().ok()).unwrap_or(0);
        if let Some([ten, minute]) = pressure() {
            (s.pressure, s.pressure_minute) = (Some(ten), Some(minute));
        }
        if processes {
            if self.procs_at.is_none_or(|at| now.duration_since(at) >= PROCS) {
                self.procs_at = Some(now);
                self.top = self.procs.busiest(TOP);
            }
            s.processes.clone_from(&self.top.0);
            s.process_count = self.top.1;
        }
        s
    }

    /// The `n` busiest processes since the last look at them, and how many there are.
    pub fn busiest(&mut self, n: usize) -> (Vec<Process>, usize) {
        self.procs.busiest(n)
    }

    fn processors(&mut self, s: &mut Sample) {
        let ticks = proc::stat(&read("/proc/stat"));
        let share = |i: usize, t: &Ticks| t.percent_since(self.cpu.get(i).copied().unwrap_or_default());
        let mut shares = ticks.iter().enumerate().map(|(i, t)| share(i, t).unwrap_or_default());
        s.cpu = shares.next().unwrap_or_default();
        s.cores = shares.collect();
        self.cpu = ticks;
    }

    fn network(&mut self, s: &mut Sample, seconds: f64) {
        let text = read("/proc/net/dev");
        let mut now = HashMap::with_capacity(self.net.len());
        for (name, rx, tx) in proc::net_dev(&text) {
            // what a container's interface carries, the real one carries too
            if proc::is_virtual_nic(name) {
                continue;
            }
            let before = self.net.get(name).copied().unwrap_or((rx, tx));
            let (rx_bps, tx_bps) = (rate(before.0, rx, seconds), rate(before.1, tx, seconds));
            s.rx_bps += rx_bps;
            s.tx_bps += tx_bps;
            s.nics.push(Nic { name: name.to_owned(), rx_bps, tx_bps });
            now.insert(name.to_owned(), (rx, tx));
        }
        self.net = now;
    }

    fn disk_io(&mut self, s: &mut Sample, seconds: f64) {
        let (all, each) = proc::diskstats(&read("/proc/diskstats"));
        let rates = |before: Io, now: Io| [rate(before.0, now.0, seconds), rate(before.1, now.1, seconds)];
        s.io = Some(rates(self.io_all, all));
        self.io_all = all;
        s.disks.clone_from(&self.disks);
        for disk in &mut s.disks {
            let Some(mount) = self.mounts.iter().find(|m| m.point == disk.mount) else { continue };
            if let Some((_, now)) = each.iter().find(|(device, _)| *device == mount.device) {
                let before = self.io.get(&mount.device).copied().unwrap_or(*now);
                [disk.read_bps, disk.write_bps] = rates(before, *now);
            }
        }
        self.io = each.into_iter().collect();
    }

    /// What changes slowly and costs more.
    fn slow(&mut self, now: Instant) {
        let hanging = self.disks.iter().any(|d| d.stuck);
        if !hanging && self.slow_at.is_some_and(|at| now.duration_since(at) < SLOW) {
            return;
        }
        self.slow_at = Some(now);
        self.mounts = proc::mounts(&read("/proc/self/mountinfo"));
        // local file systems answer in microseconds; nobody waits for the others
        self.disks = self.watched.read(&self.mounts, Duration::from_millis(20));
        match &mut self.components {
            Some(components) => components.refresh(false),
            None => self.components = Components::new_with_refreshed_list().ok(),
        }
        let all = self.components.iter().flat_map(|c| c.iter().filter_map(sysinfo::Component::temperature));
        self.temperature = all.filter(|t| (1.0..200.0).contains(t)).map(f64::from).reduce(f64::max);
    }
}

/// The text of a kernel file; empty when it cannot be read: the figure is then not told.
fn read(path: &str) -> String {
    let mut text = String::new();
    _ = File::open(path).and_then(|mut f| f.read_to_string(&mut text));
    text
}

/// Units a second; a counter that went back counts as no movement.
fn rate(before: u64, now: u64, seconds: f64) -> f64 {
    if seconds < 0.01 { 0.0 } else { now.saturating_sub(before) as f64 / seconds }
}

/// Pressure stall information, where the kernel has it: CPU some, memory full, I/O full, over 10 s and over 60 s.
fn pressure() -> Option<[[f64; 3]; 2]> {
    let cpu = proc::pressure(&read("/proc/pressure/cpu"), "some")?;
    let memory = proc::pressure(&read("/proc/pressure/memory"), "full")?;
    let io = proc::pressure(&read("/proc/pressure/io"), "full")?;
    Some([[cpu[0], memory[0], io[0]], [cpu[1], memory[1], io[1]]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_tells_what_every_linux_machine_can() {
        let mut sampler = Sampler::new(&Health::default()).expect("a Linux machine");
        let s = sampler.sample(1_000, true);
        assert!(s.mem_total > 0 && s.mem_used > 0 && s.uptime_s > 0 && !s.cores.is_empty());
        assert!((0.0..=100.0).contains(&s.cpu) && !s.processes.is_empty() && s.process_count > 0);
        assert_eq!((s.rx_bps, s.io_bps()), (0.0, (0.0, 0.0)), "no rates at the first look");
    }

    #[test]
    fn a_counter_that_went_back_is_no_movement() {
        assert_eq!(rate(10, 5, 1.0), 0.0);
        assert_eq!(rate(0, 50, 0.0), 0.0);
        assert_eq!(rate(0, 50, 2.0), 25.0);
    }
}
