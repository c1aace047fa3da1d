//! The kernel's own texts, read without reading more than is needed. Pure: text in, numbers out.

/// Bytes of a sector in `/proc/diskstats`, whatever the disk says of itself.
const SECTOR: u64 = 512;

/// Jiffies of one processor: all, and those not idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticks {
    /// All.
    pub all: u64,
    /// In use: neither idle nor waiting for input and output.
    pub busy: u64,
}

impl Ticks {
    /// % in use since `before`; `None` when no time passed or the counter went back.
    pub fn percent_since(self, before: Self) -> Option<f64> {
        let all = self.all.checked_sub(before.all).filter(|d| *d > 0)?;
        let busy = self.busy.saturating_sub(before.busy);
        Some((busy as f64 / all as f64 * 100.0).clamp(0.0, 100.0))
    }
}

/// `/proc/stat`: the total first, then each core.
pub fn stat(text: &str) -> Vec<Ticks> {
    text.lines()
        .take_while(|line| line.starts_with("cpu"))
        .map(|line| {
            // user nice system idle iowait irq softirq steal; guest time is already part of user
            let mut f = [0u64; 8];
            for (slot, word) in f.iter_mut().zip(line.split_ascii_whitespace().skip(1)) {
                *slot = word.parse().unwrap_or(0);
            }
            let all = f.iter().fold(0u64, |a, b| a.saturating_add(*b));
            Ticks { all, busy: all.saturating_sub(f[3].saturating_add(f[4])) }
        })
        .collect()
}

/// Figures of `/proc/meminfo`, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Memory {
    /// MemTotal
    pub total: u64,
    /// MemAvailable (MemFree on kernels without it)
    pub available: u64,
    /// Buffers, Cached and SReclaimable
    pub cache: u64,
    /// SwapTotal
    pub swap_total: u64,
    /// SwapFree
    pub swap_free: u64,
}

/// `/proc/meminfo`
pub fn meminfo(text: &str) -> Memory {
    let mut m = Memory::default();
    let mut available = None;
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(key), Some(value)) = (words.next(), words.next()) else { continue };
        let Ok(kib) = value.parse::<u64>() else { continue };
        let bytes = kib.saturating_mul(1024);
        match key {
            "MemTotal:" => m.total = bytes,
            "MemFree:" => m.available = bytes,
            "MemAvailable:" => available = Some(bytes),
            "Buffers:" | "Cached:" | "SReclaimable:" => m.cache += bytes,
            "SwapTotal:" => m.swap_total = bytes,
            "SwapFree:" => m.swap_free = bytes,
            _ => {}
        }
    }
    m.available = available.unwrap_or(m.available);
    m
}

/// `/proc/net/dev`: name, bytes received, bytes sent; loopback left out.
pub fn net_dev(text: &str) -> Vec<(&str, u64, u64)> {
    text.lines()
        .skip(2)
        .filter_map(|line| {
            let (name, rest) = line.rsplit_once(':')?;
            let mut words = rest.split_ascii_whitespace();
            let rx = words.next()?.parse().ok()?;
            let tx = words.nth(7)?.parse().ok()?;
            Some((name.trim(), rx, tx))
        })
        .filter(|(name, ..)| *name != "lo")
        .collect()
}

/// Interfaces that only pass on what a real one carries already.
pub fn is_virtual_nic(name: &str) -> bool {
    ["veth", "docker", "br-", "virbr", "tap", "cali", "flannel", "cni", "dummy", "ifb"]
        .iter()
        .any(|p| name.starts_with(p))
}

/// Bytes read and written since boot.
pub type Io = (u64, u64);

/// `/proc/diskstats`: what all whole disks moved together, and each device (`8:1`, partitions too) by itself.
pub fn diskstats(text: &str) -> (Io, Vec<(String, Io)>) {
    let mut sum = (0u64, 0u64);
    let mut each = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().take(10).collect();
        let [major, minor, name, _, _, read, _, _, _, written] = words[..] else { continue };
        let bytes = |w: &str| w.parse::<u64>().unwrap_or(0).saturating_mul(SECTOR);
        let io = (bytes(read), bytes(written));
        if is_whole_disk(name) {
            sum = (sum.0.saturating_add(io.0), sum.1.saturating_add(io.1));
        }
        each.push((format!("{major}:{minor}"), io));
    }
    (sum, each)
}

/// Whether a block device is a disk itself: partitions, device-mapper and md layers would count its bytes twice.
fn is_whole_disk(name: &str) -> bool {
    let digits_after = |prefix: &str, mark: char| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| !rest.contains(mark) && rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    ["sd", "vd", "xvd", "hd"]
        .iter()
        .any(|p| name.strip_prefix(p).is_some_and(|r| !r.is_empty() && r.chars().all(|c| c.is_ascii_lowercase())))
        || digits_after("nvme", 'p')
        || digits_after("mmcblk", 'p')
}

/// `/proc/pressure/*`: avg10 and avg60 of the line `some` or `full`.
pub fn pressure(text: &str, kind: &str) -> Option<[f64; 2]> {
    let line = text.lines().find(|l| l.starts_with(kind))?;
    let of = |name: &str| line.split_ascii_whitespace().find_map(|w| w.strip_prefix(name))?.parse().ok();
    Some([of("avg10=")?, of("avg60=")?])
}

/// `/proc/loadavg`: 1, 5, 15 minutes, and how many tasks there are.
pub fn loadavg(text: &str) -> Option<([f64; 3], u32)> {
    let mut words = text.split_ascii_whitespace();
    let mut load = [0.0; 3];
    for slot in &mut load {
        *slot = words.next()?.parse().ok()?;
    }
    let tasks = words.next()?.rsplit_once('/')?.1.parse().ok()?;
    Some((load, tasks))
}

/// A line of `/proc/self/mountinfo` that may be a file system worth showing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: String,
    /// `8:1`
    pub device: String,
    /// Nothing can be written to it.
    pub read_only: bool,
}

/// `/proc/self/mountinfo`: file systems that hold data, each device once (its shortest mount point), sorted by place.
pub fn mounts(text: &str) -> Vec<Mount> {
    let mut out: Vec<Mount> = Vec::new();
    for line in text.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let l: Vec<&str> = left.split(' ').collect();
        let r: Vec<&str> = right.split(' ').collect();
        let (Some(device), Some(point), Some(kind)) = (l.get(2), l.get(4), r.first()) else { continue };
        let point = unescape(point);
        if !holds_data(kind, &point) {
            continue;
        }
        let read_only = l.get(5).is_some_and(|options| options.split(',').any(|o| o == "ro"));
        let mount = Mount { point, device: (*device).into(), read_only };
        match out.iter_mut().find(|m| m.device == mount.device) {
            Some(have) if mount.point.len() < have.point.len() => *have = mount,
            Some(_) => {}
            None => out.push(mount),
        }
    }
    out.sort_by(|a, b| a.point.cmp(&b.point));
    out
}

fn holds_data(kind: &str, point: &str) -> bool {
    let inside = ["/proc", "/sys", "/dev", "/run", "/etc/", "/snap/", "/var/lib/docker/", "/var/lib/containers/"];
    if inside.iter().any(|p| point.starts_with(p)) {
        return false;
    }
    matches!(
        kind,
        "ext2"
            | "ext3"
            | "ext4"
            | "xfs"
            | "btrfs"
            | "zfs"
            | "f2fs"
            | "vfat"
            | "exfat"
            | "ntfs"
            | "ntfs3"
            | "jfs"
            | "bcachefs"
            | "nfs"
            | "nfs4"
            | "cifs"
            | "smb3"
            | "ceph"
            | "glusterfs"
            | "lustre"
            | "gfs2"
            | "ocfs2"
            | "9p"
            | "virtiofs"
    ) || kind.starts_with("fuse.")
        || (kind == "overlay" && point == "/")
}

/// mountinfo writes blank, tab, newline and backslash as `\040` and so on.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let octal =
            bytes.get(i + 1..i + 4).filter(|d| bytes[i] == b'\\' && d.iter().all(|c| (b'0'..=b'7').contains(c)));
        if let Some(d) = octal {
            let value = u32::from(d[0] - b'0') * 64 + u32::from(d[1] - b'0') * 8 + u32::from(d[2] - b'0');
            out.push(value as u8);
            i += 4;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `/proc/PID/stat`: name, processor ticks used, resident pages. The name may hold blanks and brackets.
pub fn pid_stat(text: &str) -> Option<(&str, u64, u64)> {
    let open = text.find('(')?;
    let close = text.rfind(')')?;
    let name = text.get(open + 1..close)?;
    let mut rest = text.get(close + 1..)?.split_ascii_whitespace();
    let user: u64 = rest.nth(11)?.parse().ok()?;
    let system: u64 = rest.next()?.parse().ok()?;
    let pages: u64 = rest.nth(8)?.parse().ok()?;
    Some((name, user + system, pages))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_leaves_idle_and_waiting_out() {
        let t = stat("cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1 2 3 4 5 6 7 8\nintr 5\n");
        assert_eq!(t, [Ticks { all: 100, busy: 20 }, Ticks { all: 36, busy: 27 }]);
        let later = Ticks { all: 200, busy: 70 };
        assert_eq!(later.percent_since(t[0]), Some(50.0));
        assert_eq!(t[0].percent_since(later), None, "a counter that went back");
    }

    #[test]
    fn memory_in_use_is_what_could_not_be_given_out() {
        let m = meminfo(
            "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 600 kB\nBuffers: 10 kB\nCached: 90 kB\nSwapTotal: 0 kB\n",
        );
        assert_eq!((m.total, m.available, m.cache), (1_024_000, 614_400, 102_400));
        assert_eq!(meminfo("MemTotal: 2 kB\nMemFree: 1 kB").available, 1024, "kernels without MemAvailable");
    }

    #[test]
    fn disks_count_once() {
        for (name, whole) in [
            ("sda", true),
            ("sda1", false),
            ("nvme0n1", true),
            ("nvme0n1p2", false),
            ("dm-0", false),
            ("md0", false),
            ("loop3", false),
            ("vdb", true),
            ("mmcblk0", true),
            ("sr0", false),
        ] {
            assert_eq!(is_whole_disk(name), whole, "{name}");
        }
        let text = "8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n8 1 sda1 1 0 10 0 1 0 20 0 0 0 0\n";
        assert_eq!(diskstats(text).0, (5_120, 10_240));
        assert_eq!(diskstats(text).1[1], ("8:1".to_owned(), (5_120, 10_240)));
    }

    #[test]
    fn mounts_are_those_that_hold_data_each_device_once() {
        let text = "1 0 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n2 1 8:1 /x /very/long rw - ext4 /dev/sda1 rw\n\
                    3 1 0:4 / /proc rw - proc proc rw\n4 1 0:50 / /mnt/a\\040b ro - nfs4 s:/x rw\n5 1 0:9 / /tmp rw - tmpfs t rw\n";
        let m = mounts(text);
        assert_eq!(
            m.iter().map(|m| (m.point.as_str(), m.read_only)).collect::<Vec<_>>(),
            [("/", false), ("/mnt/a b", true)]
        );
    }

    #[test]
    fn a_process_may_be_named_like_a_bracket() {
        let text = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22";
        assert_eq!(pid_stat(text), Some(("a) b (c", 23, 21)));
        assert_eq!(pid_stat("42 (x"), None);
    }

    #[test]
    fn network_pressure_and_load_read_as_the_kernel_writes_them() {
        let net = "h\nh\n  lo: 1 0 0 0 0 0 0 0 2 0\neth0: 100 1 0 0 0 0 0 0 200 2 0\n";
        assert_eq!(net_dev(net), [("eth0", 100, 200)]);
        assert_eq!(pressure("some avg10=1.50 avg60=0.25\nfull avg10=9.0\n", "some"), Some([1.5, 0.25]));
        assert_eq!(loadavg("0.5 1 2 3/456 789"), Some(([0.5, 1.0, 2.0], 456)));
    }
}
