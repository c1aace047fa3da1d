//! Host-samples a second that one process stores, in batches of 1 000 hosts, as agents' samples come together.
//!
//! `cargo bench --bench health` measures SQLite; with `ZHIBAN_TEST_PG=postgres://…/database` also that database, which
//! must be empty.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figure and stops where it fails")]

use std::time::Instant;

use zhiban::health::model::{Disk, Sample};
use zhiban::health::store;
use zhiban::store::{Store, StoreUrl};

const HOSTS: usize = 1_000;
const TICKS: i64 = 60;

fn tick(at: i64) -> Vec<Sample> {
    (0..HOSTS)
        .map(|i| Sample {
            host: format!("host-{i:04}"),
            at,
            cpu: (i % 100) as f64,
            cores: vec![12.5; 8],
            mem_total: 64 << 30,
            mem_used: 20 << 30,
            disks: vec![Disk { mount: "/".into(), total: 1 << 40, used: 1 << 39, ..Disk::default() }],
            ..Sample::default()
        })
        .collect()
}

async fn measure(name: &str, url: &StoreUrl) {
    let store = Store::open(url).await.expect("store");
    store::add(&store, &tick(0), 10_000).await.expect("warm");
    let batches: Vec<_> = (1..=TICKS).map(|i| tick(i * 10_000)).collect();
    let mut worst = 0.0f64;
    let started = Instant::now();
    for batch in &batches {
        let one = Instant::now();
        store::add(&store, batch, 10_000).await.expect("stored");
        worst = worst.max(one.elapsed().as_secs_f64() * 1e3);
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{name}: {:.0} host-samples/s, slowest batch {worst:.0} ms", HOSTS as f64 * TICKS as f64 / seconds);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("folder");
        measure("sqlite", &StoreUrl::sqlite(folder.path().join("bench.db"))).await;
        if let Ok(url) = std::env::var("ZHIBAN_TEST_PG") {
            measure("postgres", &url.parse().expect("url")).await;
        }
    });
}
