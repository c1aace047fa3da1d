//! How full file systems are, asked so that one that hangs (a lost NFS server) holds up nothing else.
//!
//! Each mount has a thread of its own and at most one question outstanding; whoever does not answer in two seconds is
//! shown as stuck with its last known figures.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::proc::Mount;
use crate::health::model::Disk;

/// No answer for this long: stuck.
const PATIENCE: Duration = Duration::from_secs(2);

type Answer = Option<(u64, u64)>;

#[derive(Debug)]
struct Watch {
    ask: Sender<()>,
    answers: Receiver<Answer>,
    asked: Option<Instant>,
    last: Answer,
}

impl Watch {
    fn start(point: String) -> Option<Self> {
        let (ask, asked) = channel::<()>();
        let (answer, answers) = channel();
        std::thread::Builder::new()
            .name("mount".into())
            .stack_size(64 * 1024)
            .spawn(move || {
                while asked.recv().is_ok() {
                    let got = rustix::fs::statvfs(point.as_str()).ok().map(|s| {
                        let unit = s.f_frsize.max(1);
                        // what root keeps for itself is neither free nor used: as `df` counts
                        let used = s.f_blocks.saturating_sub(s.f_bfree).saturating_mul(unit);
                        (used.saturating_add(s.f_bavail.saturating_mul(unit)), used)
                    });
                    if answer.send(got).is_err() {
                        return;
                    }
                }
            })
            .ok()?;
        Some(Self { ask, answers, asked: None, last: None })
    }

    fn take(&mut self) {
        if let Some(answer) = self.answers.try_iter().last() {
            self.last = answer;
            self.asked = None;
        }
    }
}

/// The watches of all mounts.
#[derive(Debug, Default)]
pub(super) struct Mounts {
    watches: BTreeMap<String, Watch>,
}

impl Mounts {
    /// Asks every mount that has no question outstanding, waits at most `wait` for answers, and gives what is known.
    pub(super) fn read(&mut self, mounts: &[Mount], wait: Duration) -> Vec<Disk> {
        self.watches.retain(|point, _| mounts.iter().any(|m| &m.point == point));
        for mount in mounts {
            if !self.watches.contains_key(&mount.point)
                && let Some(watch) = Watch::start(mount.point.clone())
            {
                self.watches.insert(mount.point.clone(), watch);
            }
        }
        for watch in self.watches.values_mut() {
            watch.take();
            if watch.asked.is_none() && watch.ask.send(()).is_ok() {
                watch.asked = Some(Instant::now());
            }
        }
        let deadline = Instant::now() + wait;
        for watch in self.watches.values_mut().filter(|w| w.asked.is_some_and(|at| at.elapsed() < PATIENCE)) {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(answer) = watch.answers.recv_timeout(left) {
                watch.last = answer;
                watch.asked = None;
            }
        }
        mounts
            .iter()
            .filter_map(|mount| {
                let watch = self.watches.get(&mount.point)?;
                let stuck = watch.asked.is_some_and(|at| at.elapsed() >= PATIENCE);
                let (total, used) = watch.last.unwrap_or_default();
                let read_only = mount.read_only;
                (total > 0 || stuck).then(|| Disk {
                    mount: mount.point.clone(),
                    total,
                    used,
                    stuck,
                    read_only,
                    ..Disk::default()
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Mount {
        Mount { point: "/".into(), device: "1:1".into(), read_only: false }
    }

    #[test]
    fn the_root_file_system_has_a_size() {
        let disks = Mounts::default().read(&[root()], Duration::from_secs(2));
        assert!(disks[0].total > 0 && disks[0].used <= disks[0].total && !disks[0].stuck, "{disks:?}");
    }

    #[test]
    fn a_mount_that_hangs_is_stuck_and_the_others_answer() {
        let mut mounts = Mounts::default();
        let gone = Mount { point: "/mnt/lost".into(), ..root() };
        // a watch whose thread never answers
        let (ask, asked) = channel();
        let (answer, answers) = channel();
        let asked_at = Instant::now().checked_sub(PATIENCE);
        mounts.watches.insert(gone.point.clone(), Watch { ask, answers, asked: asked_at, last: Some((10, 5)) });
        let started = Instant::now();
        let disks = mounts.read(&[root(), gone], Duration::from_secs(2));
        assert!(started.elapsed() < Duration::from_secs(1));
        assert!(!disks[0].stuck && disks[0].total > 0);
        assert!(disks[1].stuck && disks[1].total == 10);
        drop((asked, answer));
    }
}
