//! A fleet in all its states, for looking at: `ZHIBAN_FILL=sqlite:///tmp/x.db ZHIBAN_FILL_HOSTS=60 cargo test fleet`.

use zhiban::clock::{Clock, HOUR, MINUTE, Millis, SECOND};
use zhiban::config::Config;
use zhiban::health::model::{Disk, Nic, Process, Sample};
use zhiban::health::store;
use zhiban::store::Store;

/// Host `i` at `at`: every 7th is busy, every 11th short of memory, every 13th filling up, every 17th silent.
fn sample(i: i64, at: Millis, start: Millis) -> Sample {
    let minute = (at - start) / MINUTE;
    let wave = ((minute + i * 13) as f64 / 37.0).sin();
    let busy = i % 7 == 3;
    let cpu = if busy { 95.0 + 4.0 * wave } else { 25.0 + 18.0 * wave + (i % 5) as f64 * 4.0 };
    let gib = 1_u64 << 30;
    let role = ["web", "app", "db", "cache"][(i % 4) as usize];
    let filling = if i % 13 == 5 { minute.unsigned_abs() * (gib / 64) } else { 0 };
    Sample {
        host: format!("oa-{role}-{i:03}"),
        role: role.into(),
        site: ["shanghai", "beijing"][(i % 2) as usize].into(),
        at,
        cpu,
        cores: (0..8).map(|c| (cpu + f64::from(c * 3 - 10)).clamp(0.0, 100.0)).collect(),
        load: [cpu / 12.0, cpu / 14.0, cpu / 16.0],
        mem_total: 32 * gib,
        mem_used: if i % 11 == 4 { 31 * gib } else { (12 + i.unsigned_abs() % 9) * gib },
        swap_total: 4 * gib,
        swap_used: gib / 3,
        disks: vec![
            Disk { mount: "/".into(), total: 100 * gib, used: (30 + i.unsigned_abs() % 30) * gib, ..Disk::default() },
            Disk { mount: "/data".into(), total: 1_000 * gib, used: 600 * gib + filling, ..Disk::default() },
        ],
        io: Some([4e6 * (1.1 + wave), 9e6 * (1.2 - wave)]),
        rx_bps: 2e6 * (1.2 + wave),
        tx_bps: 6e6 * (1.2 + wave),
        nics: vec![Nic { name: "eth0".into(), rx_bps: 2e6 * (1.2 + wave), tx_bps: 6e6 * (1.2 + wave) }],
        temperature: Some(48.0 + cpu / 4.0),
        uptime_s: 86_400 * (3 + i.unsigned_abs()),
        processes: vec![Process { pid: 4_242, name: "postgres: checkpointer 审批".into(), cpu, memory: 3 * gib }],
        process_count: 1,
        pressure: Some([cpu / 3.0, 1.0, 4.0]),
        pressure_minute: Some([cpu / 3.0, 1.0, 4.0]),
    }
}

/// Fills `store` with `hosts` hosts up to `now`: a day in steps, then ten minutes as they would have come.
async fn fill(store: &Store, hosts: i64, now: Millis) {
    let step = if hosts > 100 { 30 } else { 10 };
    let start = now - 26 * HOUR;
    let all = |at: Millis| {
        let silent = now - 5 * MINUTE;
        (0..hosts).filter(move |i| i % 17 != 9 || at < silent).map(move |i| sample(i, at, start)).collect::<Vec<_>>()
    };
    let mut at = start;
    while at < now - 10 * MINUTE {
        store::add(store, &all(at), MINUTE).await.expect("added");
        at += step * MINUTE;
    }
    let mut at = now - 10 * MINUTE;
    while at <= now {
        store::add(store, &all(at), 10 * SECOND).await.expect("added");
        store::judge(store, &Config::default(), at).await.expect("judged");
        at += if hosts > 100 { 15 } else { 10 } * SECOND;
    }
    store::roll_up(store, now).await.expect("rolled up");
    store::look_ahead(store, now).await.expect("looked ahead");
}

#[tokio::test]
async fn a_fleet_shows_every_state() {
    let folder = tempfile::tempdir().expect("folder");
    let wanted = std::env::var("ZHIBAN_FILL").ok();
    let url = wanted.clone().unwrap_or_else(|| format!("sqlite://{}", folder.path().join("z.db").display()));
    let hosts = std::env::var("ZHIBAN_FILL_HOSTS").ok().and_then(|n| n.parse().ok()).unwrap_or(20);
    let now = if wanted.is_some() { Clock::System.now() } else { 1_790_000_000_000 };
    let store = Store::open(&url.parse().expect("url")).await.expect("store");
    fill(&store, hosts, now).await;
    let rules = zhiban::health::alert::rules(&Config::default().health);
    let fleet = store::fleet(&store, now).await.expect("fleet");
    let mut words: Vec<&str> =
        fleet.iter().map(|k| zhiban::health::alert::worst(&k.problems(&rules, now)).word()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words, ["critical", "ok", "stale", "warn"]);
    assert!(fleet.iter().any(|k| !k.forecasts.is_empty()), "one fills up");
}
