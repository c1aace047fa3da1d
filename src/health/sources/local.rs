//! This machine.

use std::time::Instant;

use sysinfo::{
    Components, CpuRefreshKind, DiskRefreshKind, Disks, MemoryRefreshKind, Networks, ProcessRefreshKind,
    ProcessesToUpdate, RefreshKind, System,
};

use crate::clock::Millis;
use crate::health::model::{Disk, Process, Sample};

/// How many processes a sample names.
const TOP: usize = 24;
/// File systems that are no storage.
const NO_STORAGE: [&str; 8] = ["tmpfs", "devtmpfs", "overlay", "squashfs", "proc", "sysfs", "cgroup2", "ramfs"];

/// Samples this machine; keeps what it needs between two looks. Blocking: call it off the UI task.
#[derive(Debug)]
pub struct Sampler {
    system: System,
    disks: Option<Disks>,
    networks: Option<Networks>,
    components: Option<Components>,
    host: String,
    last: Instant,
    turns: u32,
}

impl Sampler {
    /// A sampler; its first sample has no rates yet. `None` where the system tells nothing of itself.
    pub fn new() -> Option<Self> {
        let kinds = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::nothing().with_usage())
            .with_memory(MemoryRefreshKind::everything());
        Some(Self {
            system: System::new_with_specifics(kinds).ok()?,
            disks: None,
            networks: Networks::new_with_refreshed_list().ok(),
            components: None,
            host: System::host_name().unwrap_or_else(|_| "localhost".into()),
            last: Instant::now(),
            turns: 0,
        })
    }

    /// The name of this machine.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// One look, with the busiest processes where `processes` is set.
    pub fn sample(&mut self, at: Millis, processes: bool) -> Sample {
        let seconds = self.last.elapsed().as_secs_f64().max(0.001);
        self.last = Instant::now();
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        // the list of mounts and sensors changes seldom
        let relist = self.turns.is_multiple_of(30);
        self.turns = self.turns.wrapping_add(1);
        let kinds = DiskRefreshKind::nothing().with_storage().with_io_usage();
        if relist || self.disks.is_none() {
            match &mut self.disks {
                Some(disks) => disks.refresh_specifics(true, kinds),
                None => self.disks = Disks::new_with_refreshed_list_specifics(kinds).ok(),
            }
            self.components = Components::new_with_refreshed_list().ok();
        } else if let Some(disks) = &mut self.disks {
            for disk in disks.iter_mut() {
                disk.refresh_specifics(kinds);
            }
        }
        if let Some(networks) = &mut self.networks {
            networks.refresh(relist);
        }
        let mut sample = Sample {
            host: self.host.clone(),
            at,
            cpu: f64::from(self.system.global_cpu_usage()),
            cores: self.system.cpus().iter().map(|c| f64::from(c.usage())).collect(),
            load: System::load_average().map_or([0.0; 3], |l| [l.one, l.five, l.fifteen]),
            mem_total: self.system.total_memory(),
            mem_used: self.system.total_memory().saturating_sub(self.system.available_memory()),
            swap_total: self.system.total_swap(),
            swap_used: self.system.used_swap(),
            disks: self.disks(seconds),
            temperature: self.components.as_ref().and_then(|cs| {
                cs.iter()
                    .filter_map(|c| c.temperature())
                    .filter(|t| t.is_finite())
                    .map(f64::from)
                    .max_by(f64::total_cmp)
            }),
            uptime_s: System::uptime().unwrap_or(0),
            pressure: pressure(),
            ..Sample::default()
        };
        if self.turns == 1 {
            // the first look has no rates: what it would say is since boot
            for disk in &mut sample.disks {
                (disk.read_bps, disk.write_bps) = (0.0, 0.0);
            }
            return sample;
        }
        for (name, net) in self.networks.iter().flatten() {
            if name != "lo" {
                sample.rx_bps += net.received() as f64 / seconds;
                sample.tx_bps += net.transmitted() as f64 / seconds;
            }
        }
        if processes {
            self.top(&mut sample);
        }
        sample
    }

    fn disks(&self, seconds: f64) -> Vec<Disk> {
        let mut devices = Vec::new();
        let mut disks = Vec::new();
        for disk in self.disks.iter().flat_map(|d| d.iter()) {
            let kind = disk.file_system().to_string_lossy();
            // one device mounted in several places is one disk
            if NO_STORAGE.contains(&kind.as_ref()) || disk.total_space() == 0 || devices.contains(&disk.name()) {
                continue;
            }
            devices.push(disk.name());
            let io = disk.usage();
            disks.push(Disk {
                mount: disk.mount_point().to_string_lossy().into_owned(),
                total: disk.total_space(),
                used: disk.total_space().saturating_sub(disk.available_space()),
                read_bps: io.read_bytes as f64 / seconds,
                write_bps: io.written_bytes as f64 / seconds,
            });
        }
        disks
    }

    fn top(&mut self, sample: &mut Sample) {
        let kinds = ProcessRefreshKind::nothing().with_cpu().with_memory().without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, kinds);
        let mut all: Vec<_> = self.system.processes().values().collect();
        sample.process_count = all.len();
        all.sort_by(|a, b| {
            b.cpu_usage().total_cmp(&a.cpu_usage()).then(b.memory().cmp(&a.memory())).then(a.pid().cmp(&b.pid()))
        });
        sample.processes = all
            .into_iter()
            .take(TOP)
            .map(|p| Process {
                pid: p.pid().as_u32(),
                name: p.name().to_string_lossy().into_owned(),
                cpu: f64::from(p.cpu_usage()),
                memory: p.memory(),
            })
            .collect();
    }
}

/// Pressure stall information, where the kernel has it: CPU some, memory full, I/O full over 10 s.
fn pressure() -> Option<[f64; 3]> {
    let read = |what: &str, kind: &str| {
        let text = std::fs::read_to_string(format!("/proc/pressure/{what}")).ok()?;
        let line = text.lines().find(|l| l.starts_with(kind))?;
        line.split_whitespace().find_map(|w| w.strip_prefix("avg10="))?.parse::<f64>().ok()
    };
    Some([read("cpu", "some")?, read("memory", "full")?, read("io", "full")?])
}
