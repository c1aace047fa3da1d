//! The console on a store of a million tickets, in a terminal of 200 × 50, beside `btm` in the same run.
//!
//! `cargo bench --bench console [-- PART]` with the parts `start`, `keys`, `idle`, `live`, `memory`. The peer is looked for
//! on the PATH (`cargo install bottom`). The stores are made at the first run and kept (see `common::folder`).
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops where it fails")]

#[expect(dead_code, reason = "Postgres is the other bench's")]
mod common;

use std::path::Path;
use std::time::{Duration, Instant};

use common::pty::{Term, peer};
use common::{fill, load, median, percentile, runs, tell, wanted};

/// Columns that only the list has.
const LIST: u16 = 90;

/// Whether all of the ticket screen is there: counts of the queues, the list, the preview with the body.
fn is_whole(screen: &str) -> bool {
    screen.contains("All ") && screen.contains("host-") && screen.contains("resolution")
}

/// Whether `btm` shows processes.
fn shows_processes(screen: &str) -> bool {
    screen.split_once("PID(p)").is_some_and(|(_, rows)| rows.contains('%'))
}

struct Bench {
    home: tempfile::TempDir,
    million: String,
    small: String,
}

impl Bench {
    fn console(&self, store: &str, tab: &str, rate: Option<u64>) -> Term {
        let program = Path::new(env!("CARGO_BIN_EXE_zhiban"));
        Term::start(program, &["--store", store, "--tab", tab, "--lang", "en"], self.home.path(), rate)
    }

    fn peer(&self, rate: Option<u64>) -> Option<Term> {
        peer("btm", "bottom").map(|program| Term::start(&program, &["--rate", "1000"], self.home.path(), rate))
    }

    /// Start to the first full frame.
    fn start(&self) {
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..3 * runs() {
            let mut console = self.console(&self.million, "tickets", None);
            ours.push(console.until(is_whole));
            console.settle(Duration::from_millis(300));
            console.quit();
            let Some(mut btm) = self.peer(None) else { continue };
            theirs.push(btm.until(shows_processes));
            btm.quit();
        }
        println!(
            "     start: {:.1} ms (p90 {:.1}), btm {:.1} ms",
            median(&ours),
            percentile(&ours, 0.9),
            median(&theirs)
        );
        tell("start to the first full frame", median(&ours), "ms", median(&theirs));
    }

    /// Key to changed screen: p50 and p99 in milliseconds.
    fn keys_on(&self, store: &str) -> (f64, f64) {
        let mut console = self.console(store, "tickets", None);
        console.until(is_whole);
        console.settle(Duration::from_millis(500));
        let mut times = vec![];
        for i in 0..300 {
            let key = match i % 50 {
                48 => "\x04",
                49 => "\x15",
                n if n % 10 == 9 => "k",
                _ => "j",
            };
            times.push(console.press(key));
            console.watch(Duration::from_millis(25));
        }
        console.quit();
        (median(&times), percentile(&times, 0.99))
    }

    fn peer_keys(&self) -> Option<(f64, f64)> {
        let mut btm = self.peer(None)?;
        btm.until(shows_processes);
        btm.settle(Duration::from_millis(300));
        let mut times = vec![];
        for i in 0..150 {
            times.push(btm.press(if i / 10 % 2 == 0 { "j" } else { "k" }));
            btm.watch(Duration::from_millis(25));
        }
        btm.quit();
        Some((median(&times), percentile(&times, 0.99)))
    }

    /// A key held for three seconds: milliseconds that the screen moves on after it is released.
    fn held(&self) -> f64 {
        let mut console = self.console(&self.million, "tickets", None);
        console.until(is_whole);
        console.settle(Duration::from_millis(500));
        for _ in 0..90 {
            console.send("j");
            console.watch(Duration::from_micros(33_333));
        }
        let released = Instant::now();
        // the list beside which, once the cursor rests, more of its ticket is read
        let last = console.until_still(LIST, Duration::from_millis(250));
        let drain = last.map_or(0.0, |at| at.saturating_duration_since(released).as_secs_f64() * 1e3);
        console.quit();
        drain
    }

    fn keys(&self) {
        let (mut million, mut small, mut slowest, mut held, mut theirs) = (vec![], vec![], vec![], vec![], vec![]);
        for _ in 0..runs() {
            let (p50, p99) = self.keys_on(&self.million);
            million.push(p50);
            slowest.push(p99);
            small.push(self.keys_on(&self.small).0);
            held.push(self.held());
            theirs.extend(self.peer_keys());
        }
        if !theirs.is_empty() {
            let (p50, p99): (Vec<f64>, Vec<f64>) = theirs.into_iter().unzip();
            println!("     keys: btm p50 {:.2} ms, p99 {:.2} ms", median(&p50), median(&p99));
        }
        tell("key to changed screen, p50", median(&million), "ms", 2.0);
        tell("key to changed screen, p99", median(&slowest), "ms", 8.0);
        tell("p50 at a million tickets, times that at ten thousand", median(&million) / median(&small), "x", 1.3);
        tell("a held key goes on after its release", median(&held), "ms", 100.0);
    }

    /// A minute of a screen on which nothing happens.
    fn idle(&self) {
        let mut console = self.console(&self.million, "accounts", None);
        console.settle(Duration::from_secs(5));
        let (cpu, bytes, frames) = (console.cpu(), console.bytes, console.frames);
        console.watch(Duration::from_mins(1));
        tell("idle minute: frames", (console.frames - frames) as f64, "", 2.0);
        tell("idle minute: bytes", (console.bytes - bytes) as f64, "bytes", 400.0);
        tell("idle minute: share of a core", (console.cpu() - cpu) / 0.6, "%", 0.3);
        console.quit();
    }

    /// A minute of the live screen, the peer at the same time beside it; then both on a thin line.
    fn live(&self) {
        let mut console = self.console(&self.million, "health", None);
        let mut btm = self.peer(None);
        console.watch(Duration::from_secs(5));
        let mut before = (console.cpu(), console.bytes, 0.0, 0);
        if let Some(btm) = &mut btm {
            btm.watch(Duration::from_millis(10));
            (before.2, before.3) = (btm.cpu(), btm.bytes);
        }
        console.watch(Duration::from_mins(1));
        let ours = ((console.cpu() - before.0) / 0.6, (console.bytes - before.1) as f64 / 1e3);
        let mut theirs = (f64::NAN, f64::NAN);
        if let Some(btm) = &mut btm {
            btm.watch(Duration::from_millis(10));
            theirs = ((btm.cpu() - before.2) / 0.6, (btm.bytes - before.3) as f64 / 1e3);
        }
        console.quit();
        println!("     live: {:.2} %, {:.0} KB/min; btm {:.2} %, {:.0} KB/min", ours.0, ours.1, theirs.0, theirs.1);
        tell("live health: share of a core", ours.0, "%", theirs.0);
        tell("live health: to the terminal", ours.1, "KB/min", theirs.1);
        let mut thin = self.console(&self.million, "health", Some(12_000));
        let first = thin.until(|screen| screen.contains("CPU"));
        thin.watch(Duration::from_secs(3));
        let help = thin.press("?");
        thin.watch(Duration::from_secs(3));
        thin.send("\x1b");
        thin.watch(Duration::from_secs(1));
        println!("     12 KB/s: first frame {first:.0} ms, a key {help:.0} ms");
        tell("live health at 12 KB/s: q until it has left", thin.quit(), "ms", 1_000.0);
    }

    /// What is resident once the list has been walked, searched and left.
    fn memory(&self) {
        let mut console = self.console(&self.million, "tickets", None);
        console.until(is_whole);
        for key in ["j", "\x04", "G", "k", "gg", "l", "l", "l", "l", "l", "/", "502\r"] {
            for _ in 0..5 {
                console.send(key);
                console.watch(Duration::from_millis(40));
            }
        }
        console.settle(Duration::from_secs(1));
        let (now, most) = console.memory();
        console.quit();
        tell("resident memory", now, "MB", 40.0);
        tell("resident memory at its highest", most, "MB", 40.0);
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    let url = |size| format!("sqlite://{}", runtime.block_on(fill::sqlite(size)).display());
    let bench =
        Bench { home: tempfile::tempdir().expect("folder"), million: url(fill::MILLION), small: url(fill::SMALL) };
    println!("     load at the start: {}", load());
    for (name, part) in [
        ("start", Bench::start as fn(&Bench)),
        ("keys", Bench::keys),
        ("idle", Bench::idle),
        ("live", Bench::live),
        ("memory", Bench::memory),
    ] {
        if wanted(name) {
            part(&bench);
        }
    }
}
