//! `zhiban workflow analyze` of generated logs next to PM4Py and DuckDB: the same file, the same core, the same figures.
//!
//! `cargo bench --bench workflows` makes a CSV of 1 000 000 events in the order of time and one shuffled, an XES of
//! 1 000 000 events and a CSV of 10 000 000, lets every engine work the figures out, compares them one by one and fails
//! where they differ or a bar is not reached. `cargo bench --bench workflows -- 1m xes` does only some of it
//! (`1m`, `shuffled`, `xes`, `10m`).
//!
//! The peers come from PyPI: `python3 -m venv peers && peers/bin/pip install pm4py duckdb pyarrow rustxes`, and then
//! `ZHIBAN_PEER_PYTHON=peers/bin/python` (else `python3` of the PATH).
//!
//! `ZHIBAN_BENCH_FOLDER` names a folder in which the generated files stay for the next run.
//!
//! CPU is user + system time of the child. Loading of Python's modules is not counted against the peers; starting the
//! program is counted for this one.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench prints its figures and stops where it fails"
)]

#[path = "generate.rs"]
mod generate;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use generate::Rows;
use serde_json::Value;

/// How many times less CPU than PM4Py with its fastest importer.
const TIMES_PM4PY: f64 = 8.0;
/// Most resident memory at 1 000 000 events, and at 10 000 000, MB.
const MOST_MB: [f64; 2] = [120.0, 800.0];
/// Runs of this program; the least CPU counts, as the peers' too.
const RUNS: usize = 3;

/// What a child cost and said.
struct Run {
    engine: String,
    cpu_s: f64,
    wall_s: f64,
    peak_mb: f64,
    figures: Value,
}

/// CPU seconds of all children that have ended, to 10 ms.
fn children_cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc");
    let after = stat.rsplit_once(')').expect("stat").1;
    let field = |n: usize| after.split_whitespace().nth(n).and_then(|v| v.parse::<f64>().ok()).expect("stat");
    // cutime and cstime, counted from the field behind the name
    (field(13) + field(14)) / 100.0
}

/// Runs `command` on one core to its end.
fn run(engine: &str, mut command: Command) -> Run {
    let before = children_cpu();
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("spawned");
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut out = child.stdout.take().expect("piped");
    let reader = std::thread::spawn(move || serde_json::from_reader::<_, Value>(&mut out));
    let mut peak_kb = 0u64;
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kb = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0);
        peak_kb = peak_kb.max(kb);
        if let Some(code) = child.try_wait().expect("waited") {
            break code;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let wall_s = started.elapsed().as_secs_f64();
    assert!(code.success(), "{engine} failed: {code}");
    let figures = reader.join().expect("read").expect("JSON");
    let engine = figures["engine"].as_str().unwrap_or(engine).to_owned();
    let loading = figures["loading_cpu_s"].as_f64().unwrap_or(0.0);
    Run { engine, cpu_s: children_cpu() - before - loading, wall_s, peak_mb: peak_kb as f64 / 1024.0, figures }
}

/// The cheapest of several runs.
fn best(runs: usize, engine: &str, command: impl Fn() -> Command) -> Run {
    let mut all: Vec<Run> = (0..runs).map(|_| run(engine, command())).collect();
    all.sort_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s));
    let peak = all.iter().map(|r| r.peak_mb).fold(0.0, f64::max);
    Run { peak_mb: peak, ..all.swap_remove(0) }
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg("0").arg(program);
    command
}

struct Peers {
    python: PathBuf,
    scripts: PathBuf,
}

impl Peers {
    /// Finds a Python with the peers, or says how to get one.
    fn find() -> Self {
        let python = std::env::var_os("ZHIBAN_PEER_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
        let check = Command::new(&python).args(["-c", "import pm4py, duckdb, pyarrow, rustxes"]).output();
        if !check.as_ref().is_ok_and(|o| o.status.success()) {
            let why = check.map_or_else(|e| e.to_string(), |o| String::from_utf8_lossy(&o.stderr).into_owned());
            panic!(
                "{} lacks a peer to compare with:\n{why}\ninstall them from PyPI:\n  python3 -m venv peers && \
                 peers/bin/pip install pm4py duckdb pyarrow rustxes\nand set ZHIBAN_PEER_PYTHON=peers/bin/python",
                python.display()
            );
        }
        Self { python, scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/workflows") }
    }

    fn command(&self, script: &str, args: &[&str]) -> Command {
        let mut command = pinned(&self.python);
        command.arg(self.scripts.join(script)).args(args);
        command.env("PYTHONDONTWRITEBYTECODE", "1").stderr(Stdio::null());
        for threads in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "ARROW_NUM_THREADS"] {
            command.env(threads, "1");
        }
        command
    }
}

fn ours(file: &Path) -> Command {
    let mut command = pinned(Path::new(env!("CARGO_BIN_EXE_zhiban")));
    command.args(["workflow", "analyze", "--json", "--zone", "UTC"]).arg(file);
    command
}

/// The first difference between the figures of two engines.
fn difference(a: &Value, b: &Value) -> Option<String> {
    let same = |a: &Value, b: &Value| match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-5 + 1e-9 * a.abs().max(b.abs()),
        _ => a == b,
    };
    for key in ["cases", "events", "variants"] {
        if !same(&a[key], &b[key]) {
            return Some(format!("{key}: {} and {}", a[key], b[key]));
        }
    }
    for key in ["mean_s", "median_s", "p95_s"] {
        let (x, y) = (&a["case_duration"][key], &b["case_duration"][key]);
        if !same(x, y) {
            return Some(format!("case_duration {key}: {x} and {y}"));
        }
    }
    let sorted = |v: &Value, keys: &[&str]| {
        let mut rows = v.as_array().cloned().unwrap_or_default();
        rows.sort_by_key(|r| keys.iter().map(|k| r[*k].to_string()).collect::<Vec<_>>());
        rows
    };
    let lists: [(&str, &[&str], &[&str]); 2] = [
        ("activities", &["name"], &["name", "count", "rework_cases"]),
        ("edges", &["from", "to"], &["from", "to", "count", "mean_s"]),
    ];
    for (list, keys, fields) in lists {
        let (x, y) = (sorted(&a[list], keys), sorted(&b[list], keys));
        if x.len() != y.len() {
            return Some(format!("{} and {} {list}", x.len(), y.len()));
        }
        for (x, y) in x.iter().zip(&y) {
            let field = fields.iter().find(|f| !same(&x[**f], &y[**f]));
            let part = ["mean_s", "median_s", "p95_s"].iter().find(|p| !same(&x["sojourn"][**p], &y["sojourn"][**p]));
            if field.is_some() || part.is_some() {
                return Some(format!("{list}: {x} and {y}"));
            }
        }
    }
    None
}

fn tell(run: &Run, us: Option<&Run>) {
    let times = us.map_or_else(String::new, |us| format!("  {:.1} × ours", run.cpu_s / us.cpu_s));
    println!("  {:<28} {:>7.2} s CPU {:>7.2} s wall {:>6.0} MB{times}", run.engine, run.cpu_s, run.wall_s, run.peak_mb);
}

/// Lets every engine work `file` out; the bars that were not reached.
fn compare(
    name: &str,
    file: &Path,
    peers: &Peers,
    most_mb: f64,
    bars: bool,
    importers: &[&str],
    runs: usize,
) -> Vec<String> {
    let size = fs::metadata(file).map_or(0, |m| m.len()) >> 20;
    println!("{name} ({size} MB)");
    // once read, the file is in memory for all of them
    std::io::copy(&mut File::open(file).expect("file"), &mut std::io::sink()).expect("read");
    let us = best(RUNS, "zhiban", || ours(file));
    tell(&us, None);
    let path = file.to_str().expect("path");
    let mut wrong = Vec::new();
    let mut check = |peer: &Run| {
        tell(peer, Some(&us));
        if let Some(what) = difference(&us.figures, &peer.figures) {
            wrong.push(format!("{name}: figures differ from {}: {what}", peer.engine));
        }
    };
    let mut pm4py = f64::INFINITY;
    for importer in importers {
        let peer = best(runs, "pm4py", || peers.command("peer_pm4py.py", &[path, importer]));
        check(&peer);
        pm4py = pm4py.min(peer.cpu_s);
    }
    let mut duckdb = f64::INFINITY;
    if name.contains("CSV") {
        let peer = best(runs, "duckdb", || peers.command("peer_duckdb.py", &[path]));
        check(&peer);
        duckdb = peer.cpu_s;
    }
    if us.peak_mb > most_mb {
        wrong.push(format!("{name}: {:.0} MB, at most {most_mb:.0} MB", us.peak_mb));
    }
    if bars && us.cpu_s * TIMES_PM4PY > pm4py {
        wrong.push(format!("{name}: {:.1} × less CPU than PM4Py, at least {TIMES_PM4PY} ×", pm4py / us.cpu_s));
    }
    if us.cpu_s > duckdb {
        wrong.push(format!("{name}: {:.2} s CPU, duckdb {duckdb:.2} s", us.cpu_s));
    }
    wrong
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let does = |part: &str| wanted.is_empty() || wanted.iter().any(|w| w == part);
    let peers = Peers::find();
    let folder = tempfile::tempdir().expect("folder");
    let kept = std::env::var_os("ZHIBAN_BENCH_FOLDER").map(PathBuf::from);
    let file = |name: &str| kept.as_deref().unwrap_or_else(|| folder.path()).join(name);
    let mut wrong = Vec::new();
    let csv = |name: &str, n: usize, rows: Rows| {
        let path = file(name);
        if path.exists() {
            return path;
        }
        generate::write_csv(File::create(&path).expect("file"), &mut generate::events(n, 42), rows).expect("written");
        path
    };
    if does("1m") {
        let path = csv("1m.csv", 1_000_000, Rows::InTime);
        wrong.extend(compare("CSV, 1 000 000 events", &path, &peers, MOST_MB[0], true, &["c", "pyarrow"], RUNS));
    }
    if does("shuffled") {
        let path = csv("shuffled.csv", 1_000_000, Rows::Shuffled);
        let name = "CSV, 1 000 000 events shuffled";
        wrong.extend(compare(name, &path, &peers, MOST_MB[0], true, &["c", "pyarrow"], RUNS));
    }
    if does("xes") {
        let path = file("1m.xes");
        if !path.exists() {
            generate::write_xes(File::create(&path).expect("file"), &generate::events(1_000_000, 42)).expect("written");
        }
        wrong.extend(compare("XES, 1 000 000 events", &path, &peers, MOST_MB[0], false, &["rustxes"], 1));
    }
    if does("10m") {
        let path = csv("10m.csv", 10_000_000, Rows::InTime);
        // PM4Py takes more than 5 GB for it: only DuckDB compares
        wrong.extend(compare("CSV, 10 000 000 events", &path, &peers, MOST_MB[1], false, &[], 1));
    }
    assert!(wrong.is_empty(), "bars not reached:\n{}", wrong.join("\n"));
}
