//! What the benches share: figures, where things are kept between runs, a store full of tickets, a terminal.

pub mod fill;
pub mod pty;
pub mod text;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where stores are kept between runs: `ZHIBAN_BENCH_DIR`, else a folder beside the temporary files.
pub fn folder() -> PathBuf {
    let folder =
        std::env::var_os("ZHIBAN_BENCH_DIR").map_or_else(|| std::env::temp_dir().join("zhiban-bench"), PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for the stores");
    folder
}

/// How many times each figure is taken; the median is told.
pub fn runs() -> usize {
    std::env::var("ZHIBAN_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

/// Whether the parts of a bench whose names hold the first argument are asked for: `cargo bench --bench NAME -- PART`.
pub fn wanted(part: &str) -> bool {
    std::env::args().skip(1).find(|a| !a.starts_with('-')).is_none_or(|a| part.contains(&a))
}

/// The value below which `share` (0 to 1) of `values` lie.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied().unwrap_or(f64::NAN)
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// Milliseconds since `from`.
pub fn ms(from: Instant) -> f64 {
    from.elapsed().as_secs_f64() * 1e3
}

/// What this machine is doing besides: the load of the last minute.
pub fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').next().unwrap_or_default().to_owned()
}

/// Prints a figure with its bar, and whether it was reached.
pub fn tell(what: &str, figure: f64, unit: &str, bar: f64) {
    let mark = if figure <= bar { "ok  " } else { "MISS" };
    println!("{mark} {what:<64} {figure:>10.2} {unit:<8} bar {bar:.2}  (load {})", load());
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a bench watches from outside: it has nothing else to do")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
