//! The company's servers: what a sample of each says at an instant, as a function of nothing but the seed and the time.

use crate::clock::{DAY, HOUR, MINUTE, Millis};
use crate::health::model::{Disk, Nic, Process, Sample};

const GIB: f64 = (1u64 << 30) as f64;

/// What is wrong with a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// Its second disk fills up, full in a few days.
    DiskFills,
    /// Its CPU has no rest.
    HotCpu,
    /// Its memory leaks; it is restarted every five days, and the next restart is near.
    Leaks,
    /// Its agent has been silent since before the start.
    Silent,
    /// Its sensor says 88 °C.
    HotSensor,
    /// Gets busy for a while, again and again, and recovers.
    Bursts,
}

/// What a host is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Application server.
    App,
    /// Reverse proxy.
    Web,
    /// Database.
    Db,
    /// Workflow engine.
    Flow,
    /// Files and attachments.
    File,
    /// Mail.
    Mail,
    /// Cache.
    Redis,
    /// Search, previews, messages, printing and whatever else there is.
    Other,
}

impl Duty {
    /// The word that hosts are grouped by.
    fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Web => "web",
            Self::Db => "db",
            Self::Flow => "flow",
            Self::File => "file",
            Self::Mail => "mail",
            Self::Redis => "redis",
            Self::Other => "other",
        }
    }
}

/// A server.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Its name, with the site: `oa-app-01.sh`.
    pub name: &'static str,
    /// What it is for.
    pub duty: Duty,
    /// What is wrong with it.
    pub trouble: Trouble,
}

const fn host(name: &'static str, duty: Duty, trouble: Trouble) -> Host {
    Host { name, duty, trouble }
}

use Duty::{App, Db, File, Flow, Mail, Other, Redis, Web};
use Trouble::{Bursts, DiskFills, HotCpu, HotSensor, Leaks, None as Fine, Silent};

/// Every server; `sh` and `bj` are the sites.
pub const FLEET: [Host; 44] = [
    host("oa-app-01.sh", App, Fine),
    host("oa-app-02.sh", App, Fine),
    host("oa-app-03.sh", App, Bursts),
    host("oa-app-04.sh", App, Fine),
    host("oa-app-05.sh", App, Fine),
    host("oa-app-06.sh", App, Fine),
    host("oa-app-07.sh", App, Leaks),
    host("oa-app-08.sh", App, Fine),
    host("oa-app-09.bj", App, Fine),
    host("oa-app-10.bj", App, Fine),
    host("oa-app-11.bj", App, Fine),
    host("oa-app-12.bj", App, Fine),
    host("oa-web-01.sh", Web, Fine),
    host("oa-web-02.sh", Web, Fine),
    host("oa-web-03.bj", Web, Fine),
    host("oa-web-04.bj", Web, Fine),
    host("oa-db-01.sh", Db, Fine),
    host("oa-db-02.sh", Db, Fine),
    host("oa-db-03.bj", Db, HotSensor),
    host("oa-db-04.bj", Db, Fine),
    host("oa-flow-01.sh", Flow, Fine),
    host("oa-flow-02.sh", Flow, HotCpu),
    host("oa-flow-03.bj", Flow, Fine),
    host("oa-file-01.sh", File, Fine),
    host("oa-file-02.sh", File, DiskFills),
    host("oa-file-03.bj", File, Fine),
    host("oa-mail-01.sh", Mail, Fine),
    host("oa-mail-02.bj", Mail, Fine),
    host("oa-redis-01.sh", Redis, Fine),
    host("oa-redis-02.sh", Redis, Fine),
    host("oa-redis-03.bj", Redis, Fine),
    host("oa-search-01.sh", Other, Fine),
    host("oa-search-02.bj", Other, Fine),
    host("oa-mq-01.sh", Other, Fine),
    host("oa-mq-02.bj", Other, Fine),
    host("oa-ldap-01.sh", Other, Fine),
    host("oa-ldap-02.bj", Other, Fine),
    host("oa-im-01.sh", Other, Fine),
    host("oa-preview-01.sh", Other, Fine),
    host("oa-print-01.sh", Other, Silent),
    host("oa-report-01.sh", Other, Fine),
    host("oa-sign-01.sh", Other, Fine),
    host("bak-01.sh", Other, Fine),
    host("bak-02.bj", Other, Fine),
];

/// A number from 0 to 1 that depends on its arguments alone (SplitMix64's finaliser).
fn chance(seed: u64, step: i64) -> f64 {
    let mut z = seed.wrapping_add((step as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Smooth noise from -1 to 1 that wanders over `period`.
fn drift(seed: u64, at: Millis, period: Millis) -> f64 {
    let (step, part) = (at.div_euclid(period), at.rem_euclid(period) as f64 / period as f64);
    let eased = part * part * (3.0 - 2.0 * part);
    let (a, b) = (chance(seed, step), chance(seed, step + 1));
    (a + (b - a) * eased) * 2.0 - 1.0
}

/// How busy the offices are, 0 to 1: mornings and afternoons of working days, a dip at noon, little at night.
pub fn activity(at: Millis) -> f64 {
    let local = at + 8 * HOUR;
    let hour = local.rem_euclid(DAY) as f64 / HOUR as f64;
    // 1970-01-01 was a Thursday
    let weekend = (local.div_euclid(DAY) + 3).rem_euclid(7) >= 5;
    let hump = |middle: f64, width: f64| (-((hour - middle) / width).powi(2)).exp();
    let day = 0.95 * hump(10.2, 1.5) + 0.9 * hump(15.3, 2.0) + 0.25 * hump(19.5, 1.5);
    (0.05 + if weekend { day * 0.15 } else { day }).min(1.0)
}

/// The company's clock for its servers.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Makes one company different from another.
    pub seed: u64,
    /// When the demo began.
    pub start: Millis,
    /// Seconds of shown time a second at the keyboard lasts.
    pub pace: f64,
}

impl Host {
    /// Whether its agent still sends at `at`.
    pub fn speaks(&self, at: Millis, times: Times) -> bool {
        // long enough ago that it is missed however fast the company's time goes
        let silence = (23 * MINUTE).max(4 * super::fleet::named_interval(times.pace));
        self.trouble != Silent || at <= times.start - silence
    }

    /// Where it stands.
    fn site(&self) -> &'static str {
        match self.name.rsplit_once('.') {
            Some((_, "bj")) => "北京",
            _ => "上海",
        }
    }

    fn seed(&self, times: Times) -> u64 {
        self.name
            .bytes()
            .fold(times.seed ^ 0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
    }

    /// Cores, GiB of memory, and its file systems: mount, GiB, share in use.
    fn size(&self) -> (usize, f64, &'static [(&'static str, f64, f64)]) {
        match self.duty {
            App => (8, 32.0, &[("/", 100.0, 0.38), ("/var/log", 200.0, 0.46)]),
            Web => (4, 8.0, &[("/", 60.0, 0.31)]),
            Db => (16, 128.0, &[("/", 100.0, 0.27), ("/data", 2_000.0, 0.63)]),
            Flow => (8, 32.0, &[("/", 100.0, 0.35), ("/data", 300.0, 0.44)]),
            File => (8, 16.0, &[("/", 100.0, 0.24), ("/srv/files", 8_000.0, 0.68)]),
            Mail => (8, 32.0, &[("/", 100.0, 0.29), ("/var/mail", 4_000.0, 0.57)]),
            Redis => (4, 64.0, &[("/", 60.0, 0.22)]),
            Other => (4, 16.0, &[("/", 100.0, 0.33), ("/data", 500.0, 0.41)]),
        }
    }

    /// What runs there, with its share of the CPU and of the memory in use.
    fn programs(&self) -> &'static [(&'static str, f64, f64)] {
        match self.duty {
            App => {
                &[("java", 0.82, 0.78), ("filebeat", 0.05, 0.03), ("node_exporter", 0.01, 0.01), ("sshd", 0.01, 0.01)]
            }
            Web => &[("nginx", 0.46, 0.2), ("nginx", 0.3, 0.2), ("keepalived", 0.02, 0.02), ("sshd", 0.01, 0.02)],
            Db => {
                &[("postgres", 0.31, 0.4), ("postgres", 0.22, 0.2), ("postgres", 0.12, 0.1), ("pgbackrest", 0.05, 0.02)]
            }
            Flow => &[("java", 0.88, 0.8), ("filebeat", 0.04, 0.03), ("sshd", 0.01, 0.01)],
            File => &[("minio", 0.55, 0.5), ("smbd", 0.14, 0.1), ("clamd", 0.12, 0.15), ("sshd", 0.01, 0.01)],
            Mail => &[("dovecot", 0.28, 0.3), ("postfix", 0.17, 0.1), ("rspamd", 0.24, 0.3), ("sshd", 0.01, 0.01)],
            Redis => &[("redis-server", 0.8, 0.9), ("redis-sentinel", 0.04, 0.01), ("sshd", 0.01, 0.01)],
            Other => &[("java", 0.5, 0.55), ("soffice.bin", 0.2, 0.15), ("rsyslogd", 0.03, 0.02), ("sshd", 0.01, 0.01)],
        }
    }

    /// Whether its burst is on at `at`: first at 45 s at the keyboard, then every seven minutes, each of 90 s there, but
    /// long enough to be told.
    fn bursts(&self, at: Millis, times: Times) -> bool {
        let typed = |seconds: f64| (seconds * times.pace * 1_000.0) as Millis;
        let (first, lasts) = (times.start + typed(45.0), typed(90.0).max(7 * MINUTE));
        self.trouble == Bursts && at >= first && (at - first) % typed(420.0).max(30 * MINUTE) < lasts
    }

    /// What its agent says at `at`.
    pub fn sample(&self, at: Millis, times: Times) -> Sample {
        let seed = self.seed(times);
        let (cores, memory, mounts) = self.size();
        let own = chance(seed, -1);
        let busy = (activity(at) * (0.85 + 0.3 * own) + 0.06 * drift(seed, at, 9 * MINUTE)).clamp(0.0, 1.0);
        let jitter = chance(seed ^ 1, at / 1_000) - 0.5;
        let (floor, reach) = match self.duty {
            App => (4.0, 58.0),
            Web => (2.0, 34.0),
            Db => (6.0, 52.0),
            Flow => (5.0, 55.0),
            File | Mail => (3.0, 36.0),
            Redis => (2.0, 22.0),
            Other => (2.0, 30.0),
        };
        let mut cpu = floor + reach * busy + 5.0 * jitter + 4.0 * drift(seed ^ 2, at, 3 * MINUTE);
        if self.trouble == HotCpu {
            cpu = 95.0 + 2.0 * drift(seed ^ 2, at, 4 * MINUTE) + jitter;
        } else if self.bursts(at, times) {
            cpu = 98.6 + jitter;
        }
        let cpu = cpu.clamp(0.4, 99.8);
        let mem = match self.trouble {
            Leaks => {
                let round = (at - times.start + 112 * HOUR).rem_euclid(5 * DAY) as f64 / (5 * DAY) as f64;
                44.0 + 53.0 * round + 0.3 * jitter
            }
            _ => {
                let (rest, rise) = if self.duty == Redis { (58.0, 8.0) } else { (36.0 + 14.0 * own, 16.0) };
                rest + rise * busy + 1.5 * drift(seed ^ 3, at, 47 * MINUTE)
            }
        } / 100.0;
        let bytes = |share: f64, gib: f64| (share * gib * GIB) as u64;
        let traffic = busy * (0.8 + 0.4 * chance(seed ^ 4, at / 1_000));
        let writes = match self.duty {
            Db => 38.0e6,
            File | Mail => 24.0e6,
            _ => 3.0e6,
        } * traffic;
        let days = (at - times.start) as f64 / DAY as f64;
        let last = mounts.len() - 1;
        let disks = mounts
            .iter()
            .enumerate()
            .map(|(i, (mount, gib, share))| {
                let share = match self.trouble {
                    DiskFills if i == last => (0.914 + 0.0145 * days).clamp(0.3, 0.999),
                    // what is written in a month, and a little of today
                    _ => (share + 0.05 * own + 0.0004 * days + 0.002 * drift(seed ^ 5, at, 6 * HOUR)).clamp(0.05, 0.85),
                };
                let (read_bps, write_bps) = if i == last { (writes * 1.7, writes) } else { (0.1e6, 0.2e6 * busy) };
                Disk {
                    mount: (*mount).into(),
                    total: bytes(1.0, *gib),
                    used: bytes(share, *gib),
                    read_bps,
                    write_bps,
                    stuck: false,
                    read_only: false,
                }
            })
            .collect();
        let net = match self.duty {
            Web => 60.0e6,
            File => 42.0e6,
            _ => 9.0e6,
        } * traffic;
        let processes = self.programs().iter().zip(0..);
        let processes = processes.map(|((name, of_cpu, of_mem), n)| Process {
            pid: 812 + n * 347 + (own * 9_000.0) as u32,
            name: (*name).into(),
            cpu: cpu * of_cpu * cores as f64,
            memory: bytes(mem * of_mem, memory),
        });
        let sent = net * if self.duty == Web { 3.1 } else { 0.7 };
        let pressure = [(cpu - 70.0).max(0.0) * 0.9, (mem * 100.0 - 88.0).max(0.0), writes / 4.0e6];
        let warm = if self.trouble == HotSensor { 86.0 } else { 41.0 + 8.0 * own };
        Sample {
            host: self.name.into(),
            role: self.duty.word().into(),
            site: self.site().into(),
            at,
            cpu,
            cores: (0..cores as u64)
                .map(|n| (cpu + 9.0 * drift(seed ^ (16 + n), at, 2 * MINUTE)).clamp(0.0, 100.0))
                .collect(),
            load: [1.0, 0.96, 0.92].map(|f| cpu / 100.0 * cores as f64 * f * if cpu > 94.0 { 1.6 } else { 1.0 }),
            mem_total: bytes(1.0, memory),
            mem_used: bytes(mem, memory),
            swap_total: bytes(1.0, 8.0),
            swap_used: bytes(if mem > 0.85 { (mem - 0.85) * 4.0 } else { 0.01 }, 8.0),
            disks,
            io: None,
            rx_bps: net,
            tx_bps: sent,
            nics: vec![Nic { name: "eth0".into(), rx_bps: net, tx_bps: sent }],
            temperature: Some(warm + cpu * 0.12 + 0.5 * jitter),
            uptime_s: ((own * 180.0 + 21.0 + days).max(0.0) * 86_400.0) as u64,
            processes: processes.collect(),
            process_count: 180 + (own * 90.0) as usize,
            pressure: Some(pressure),
            pressure_minute: Some(pressure.map(|p| p * 0.7)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Health;

    const TIMES: Times = Times { seed: 7, start: 1_795_501_800_000, pace: 10.0 };

    #[test]
    fn the_others_are_well_at_any_hour() {
        let rules = Health::default();
        for hour in 0..24 * 8 {
            let at = TIMES.start - 4 * DAY + hour * HOUR;
            for host in FLEET.iter().filter(|h| h.trouble == Fine) {
                let s = host.sample(at, TIMES);
                assert!(s.cpu < rules.cpu_warn.raise && s.mem() < rules.memory_warn.raise, "{}", host.name);
                assert!(s.fullest().is_some_and(|(_, share)| share < rules.disk_warn.raise), "{}", host.name);
                let waits = s.pressure_minute.expect("told");
                assert!(waits[1] < rules.memory_pressure_warn.raise && waits[2] < rules.io_pressure_warn.raise);
            }
        }
    }

    #[test]
    fn a_burst_comes_after_three_quarters_of_a_minute_at_the_keyboard_and_goes() {
        let host = FLEET.iter().find(|h| h.trouble == Bursts).expect("there");
        let cpu = |seconds: i64| host.sample(TIMES.start + seconds * 10_000, TIMES).cpu;
        assert!(cpu(30) < 90.0 && cpu(60) > 98.0 && cpu(150) < 90.0);
        assert!(
            FLEET.iter().any(|h| h.trouble == HotSensor && h.sample(0, TIMES).temperature.is_some_and(|t| t > 85.0))
        );
    }
}
