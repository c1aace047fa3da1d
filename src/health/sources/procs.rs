//! The busiest processes, read only when somebody looks.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::time::Instant;

use super::proc::pid_stat;
use crate::health::model::Process;

/// What is remembered between two looks.
#[derive(Debug, Default)]
pub(super) struct Procs {
    before: HashMap<u32, u64>,
    at: Option<Instant>,
    buffer: Vec<u8>,
}

impl Procs {
    /// The `n` processes that used most processor time since the last look (most memory at the first), and how many
    /// processes there are.
    pub(super) fn busiest(&mut self, n: usize) -> (Vec<Process>, usize) {
        let tick = rustix::param::clock_ticks_per_second().max(1) as f64;
        let page = rustix::param::page_size() as u64;
        let now = Instant::now();
        let seconds = self.at.map(|at| now.duration_since(at).as_secs_f64());
        self.at = Some(now);
        let mut seen = HashMap::with_capacity(self.before.len() + 16);
        let mut all: Vec<Process> = Vec::with_capacity(self.before.len() + 16);
        let Ok(entries) = std::fs::read_dir("/proc") else { return (all, 0) };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(pid) = name.to_str().and_then(|s| s.parse::<u32>().ok()) else { continue };
            self.buffer.clear();
            let read =
                File::open(format!("/proc/{pid}/stat")).and_then(|f| f.take(4_096).read_to_end(&mut self.buffer));
            if read.is_err() {
                continue; // gone in between
            }
            let text = String::from_utf8_lossy(&self.buffer);
            let Some((name, ticks, pages)) = pid_stat(&text) else { continue };
            let used = self.before.get(&pid).map_or(0, |before| ticks.saturating_sub(*before));
            seen.insert(pid, ticks);
            let cpu = seconds.filter(|s| *s > 0.05).map_or(0.0, |s| used as f64 / tick / s * 100.0);
            // kernel threads hold no memory: only a busy one is of interest
            if pages > 0 || cpu > 0.0 {
                all.push(Process { pid, name: name.to_owned(), cpu, memory: pages * page });
            }
        }
        let count = seen.len();
        self.before = seen;
        all.sort_by(|a, b| b.cpu.total_cmp(&a.cpu).then(b.memory.cmp(&a.memory)).then(a.pid.cmp(&b.pid)));
        all.truncate(n);
        (all, count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_among_them() {
        let mine = std::process::id();
        assert!(Procs::default().busiest(usize::MAX).0.iter().any(|p| p.pid == mine && p.memory > 0));
    }
}
