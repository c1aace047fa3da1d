//! The ticket desk under load: reports over HTTP, a storm of alerts, fifty consoles, similar tickets among a million.
//!
//! `cargo bench --bench desk [-- PART]` with the parts `intake`, `storm`, `feed`, `similar`. The service is the real
//! program on a loopback port; sender and database share the machine with it. PostgreSQL is the server that
//! `ZHIBAN_TEST_PG` names.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops where it fails")]

#[expect(dead_code, reason = "some of it is the other benches'")]
mod common;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::pty::Term;
use common::{fill, load, median, ms, percentile, tell, wanted};
use reqwest::Client;
use serde_json::{Value, json};
use zhiban::action::{Actor, Door, Role};
use zhiban::clock::Clock;
use zhiban::config::Config;
use zhiban::store::Store;
use zhiban::tickets::actions::{Change, New, What};
use zhiban::tickets::store::{self, Among};

/// Senders at once.
const SENDERS: u64 = 64;
/// How long reports are sent as fast as they are taken, and how long at half the bar.
const LONG: Duration = Duration::from_secs(10);
const PROGRAM: &str = env!("CARGO_BIN_EXE_zhiban");

/// The service on a store; ended when dropped.
struct Service {
    child: Child,
    url: String,
    home: tempfile::TempDir,
    store: String,
    client: Client,
}

impl Service {
    fn start(store: &str) -> Self {
        let home = tempfile::tempdir().expect("folder");
        std::fs::write(home.path().join("c.toml"), "[serve]\nrate = 1000000\nburst = 1000000\n")
            .expect("configuration");
        let mut command = Command::new(PROGRAM);
        settle(&mut command, home.path(), store);
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(home.path().join("c.toml"));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("started");
        let mut said = BufReader::new(child.stdout.take().expect("its output")).lines();
        let url = said
            .find_map(|line| {
                let line = line.expect("a line");
                line.split_whitespace().find(|w| w.starts_with("http://")).map(str::to_owned)
            })
            .expect("the address it listens on");
        std::thread::spawn(move || said.for_each(drop));
        let client = zhiban::net::http_client(Duration::from_secs(30)).expect("client");
        Self { child, url: url.trim_end_matches('/').into(), home, store: store.into(), client }
    }

    fn token(&self, kind: &str) -> String {
        let mut command = Command::new(PROGRAM);
        settle(&mut command, self.home.path(), &self.store);
        command.args(["token", "create", "--source", kind, "--kind", kind, "--json"]);
        let made = command.output().expect("ran");
        let made: Value = serde_json::from_slice(&made.stdout).expect("a token");
        made["token"].as_str().expect("a token").to_owned()
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> bool {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(token).json(body);
        match request.send().await {
            Ok(answer) => answer.status().is_success() && answer.bytes().await.is_ok(),
            Err(_) => false,
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn settle(command: &mut Command, home: &Path, store: &str) {
    for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(name, home);
    }
    command.env("ZHIBAN_STORE", store).env("ZHIBAN_LANG", "en").env_remove("ZHIBAN_CONFIG");
}

fn report(n: u64) -> Value {
    let (title, body) = common::text::ticket(n);
    json!({"title": title, "body": body, "scope": "department", "severity": "general",
        "reporter": {"id": format!("u{}", n % 5_000), "name": "张敏"}, "module": "workflow"})
}

/// Sends from [`SENDERS`] at once; with `rate`, so many a second in all, each measured from when it was to be sent.
async fn reports(service: &Arc<Service>, token: &str, rate: Option<u64>) -> (f64, Vec<f64>) {
    let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..SENDERS {
        let (service, token, next) = (service.clone(), token.to_owned(), next.clone());
        senders.spawn(async move {
            let mut times = vec![];
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let due = started + rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(n as f64 / rate as f64));
                if due.max(Instant::now()) >= started + LONG {
                    return times;
                }
                tokio::time::sleep_until(due.into()).await;
                let from = if rate.is_some() { due } else { Instant::now() };
                assert!(service.post("/api/v1/tickets", &token, &report(n)).await, "a report was refused");
                times.push(ms(from));
            }
        });
    }
    let times: Vec<f64> = senders.join_all().await.into_iter().flatten().collect();
    (times.len() as f64 / started.elapsed().as_secs_f64(), times)
}

/// Rows a second that the bare driver commits one by one: no journal, no clocks, no search.
async fn bare(url: &str) -> f64 {
    const SQL: &str = "INSERT INTO bare(title, body) VALUES ($1, $2)";
    const SECONDS: f64 = 3.0;
    let started = Instant::now();
    let rows = AtomicU64::new(0);
    if let Some(path) = url.strip_prefix("sqlite://") {
        let conn = rusqlite::Connection::open(path).expect("file");
        conn.execute_batch("PRAGMA synchronous = FULL; CREATE TABLE bare(title TEXT, body TEXT)").expect("table");
        while started.elapsed().as_secs_f64() < SECONDS {
            let (title, body) = common::text::ticket(rows.fetch_add(1, Ordering::Relaxed));
            conn.execute(SQL, [title, body]).expect("row");
        }
    } else {
        fill::connect(url).await.batch_execute("CREATE TABLE bare(title TEXT, body TEXT)").await.expect("table");
        let one = async || {
            let client = fill::connect(url).await;
            let insert = client.prepare(SQL).await.expect("statement");
            while started.elapsed().as_secs_f64() < SECONDS {
                let (title, body) = common::text::ticket(rows.fetch_add(1, Ordering::Relaxed));
                client.execute(&insert, &[&title, &body]).await.expect("row");
            }
        };
        futures_util::future::join_all((0..8).map(|_| one())).await;
    }
    rows.into_inner() as f64 / started.elapsed().as_secs_f64()
}

async fn intake(name: &str, url: &str, bar: u64) {
    let limit = bare(url).await;
    let service = Arc::new(Service::start(url));
    let token = service.token("api");
    let (rate, _) = reports(&service, &token, None).await;
    println!("     {name}: {rate:.0} reports/s, rows of the bare driver {limit:.0}/s (load {})", load());
    tell(&format!("{name}: reports a second, the bar over them"), bar as f64 / rate, "x", 1.0);
    let (_, times) = reports(&service, &token, Some(bar / 2)).await;
    println!("     {name} at {}/s: p50 {:.1} ms", bar / 2, median(&times));
    tell(&format!("{name}: a report at half that rate, p99"), percentile(&times, 0.99), "ms", 50.0);
}

/// A hundred thousand alerts of fifty groups in a minute, with a console on the same store.
async fn storm(name: &str, url: &str) {
    const GROUPS: u64 = 50;
    const POSTS: u64 = 5_000;
    const EACH: u64 = 20;
    let service = Arc::new(Service::start(url));
    let token = service.token("alertmanager");
    let (home, store) = (service.home.path().to_owned(), url.to_owned());
    let console = std::thread::spawn(move || {
        let mut console =
            Term::start(Path::new(PROGRAM), &["--store", &store, "--tab", "tickets", "--lang", "en"], &home, None);
        console.watch(Duration::from_secs(8));
        let mut times = vec![];
        for i in 0..400 {
            times.push(console.press(if i / 10 % 2 == 0 { "j" } else { "k" }));
            console.watch(Duration::from_millis(100));
        }
        console.quit();
        times
    });
    let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (service, token, next) = (service.clone(), token.clone(), next.clone());
        senders.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= POSTS {
                    return;
                }
                tokio::time::sleep_until((started + Duration::from_millis(n * 60_000 / POSTS)).into()).await;
                let group = n % GROUPS;
                let alerts: Vec<Value> = (0..EACH)
                    .map(|i| {
                        json!({"status": "firing", "labels": {"alertname": format!("g{group}"), "severity": "warning",
                            "instance": format!("host-{:05}", n * EACH + i)}, "annotations": {"summary": "disk 95 %"},
                            "startsAt": "2026-11-24T00:50:00Z", "endsAt": "0001-01-01T00:00:00Z",
                            "fingerprint": format!("{:016x}", n * EACH + i)})
                    })
                    .collect();
                let body = json!({"version": "4", "groupKey": format!("g{group}"), "truncatedAlerts": 0,
                    "status": "firing", "receiver": "zhiban", "groupLabels": {"alertname": format!("g{group}")},
                    "commonLabels": {"severity": "warning"}, "commonAnnotations": {}, "alerts": alerts});
                assert!(service.post("/api/v1/alerts/alertmanager", &token, &body).await, "alerts were refused");
            }
        });
    }
    senders.join_all().await;
    tell(
        &format!("{name}: a storm of 100 000 alerts, until the last is kept"),
        started.elapsed().as_secs_f64(),
        "s",
        61.0,
    );
    let store = Store::open(&url.parse().expect("url")).await.expect("store");
    for (what, sql, right) in [
        ("tickets", "SELECT count(*) FROM ticket", GROUPS as i64),
        ("alerts lost", "SELECT 100000 - count(*) FROM alert", 0),
    ] {
        let n = store.row(sql, vec![], |r| r.get::<i64>(0)).await.expect("count").expect("a row");
        tell(&format!("{name}: a storm's {what}"), n as f64, "", right as f64);
    }
    store.close().await;
    let times = console.join().expect("console");
    println!("     {name} storm: a key p50 {:.2} ms", median(&times));
    tell(&format!("{name}: a key during the storm, p99"), percentile(&times, 0.99), "ms", 16.0);
}

/// A change by one of fifty, until each of the others has heard of it.
async fn feed(name: &str, url: &str, bar: f64) {
    const CONSOLES: usize = 50;
    const ROUNDS: usize = 30;
    let actor = Actor { name: "wang".into(), role: Role::Admin, origin: "bench".into(), unclaimed: false };
    let mut stores = vec![];
    let mut feeds = vec![];
    for _ in 0..CONSOLES {
        let store = Store::open(&url.parse().expect("url")).await.expect("store");
        feeds.push(store.feed());
        stores.push(store);
    }
    let doors: Vec<Door> = stores
        .iter()
        .map(|s| Door::new(s.clone(), Clock::System, Config::default().into(), actor.clone(), false))
        .collect();
    doors[0]
        .run(&New {
            title: "t".into(),
            scope: "individual".into(),
            severity: "general".into(),
            channel: "phone".into(),
            ..New::default()
        })
        .await
        .expect("new");
    let mut times = vec![];
    for round in 0..ROUNDS {
        // what is still on its way from before is let pass
        tokio::time::sleep(Duration::from_secs(1)).await;
        for feed in &mut feeds {
            while feed.try_recv().is_ok() {}
        }
        let by = round % CONSOLES;
        doors[by].run(&Change::new(1, What::Note(format!("{round}")))).await.expect("note");
        let done = Instant::now();
        let others = feeds.iter_mut().enumerate().filter(|(i, _)| *i != by);
        let heard = others.map(|(_, feed)| async move {
            feed.recv().await.expect("news");
            ms(done)
        });
        times.extend(futures_util::future::join_all(heard).await);
    }
    println!("     {name} feed: p50 {:.1} ms", median(&times));
    tell(&format!("{name}: a change by one of 50 seen by the others, p99"), percentile(&times, 0.99), "ms", bar);
    for store in stores {
        store.close().await;
    }
}

async fn similar(name: &str, url: &str) {
    let store = Store::open(&url.parse().expect("url")).await.expect("store");
    let mut times = vec![];
    for i in 0..60 {
        let (title, _) = common::text::ticket(i * 16_411 + 5);
        let among = if i % 2 == 0 { Among::All } else { Among::Solved };
        let started = Instant::now();
        store::similar(&store, &title, among, None, 5).await.expect("similar");
        times.push(ms(started));
    }
    println!("     {name} similar: p50 {:.1} ms", median(&times));
    tell(&format!("{name}: similar among a million, p99"), percentile(&times, 0.99), "ms", 200.0);
    store.close().await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("folder");
        for (part, n) in [("intake", 0), ("storm", 1), ("feed", 2)] {
            if !wanted(part) {
                continue;
            }
            let lite = format!("sqlite://{}", folder.path().join(format!("{part}.db")).display());
            let pg = fill::empty_postgres(&format!("zbd_{part}")).await;
            for (name, url) in [Some(("sqlite", lite)), pg.map(|url| ("postgres", url))].into_iter().flatten() {
                Store::open(&url.parse().expect("url")).await.expect("store").close().await;
                match n {
                    0 => intake(name, &url, if name == "sqlite" { 2_000 } else { 500 }).await,
                    1 => storm(name, &url).await,
                    _ => feed(name, &url, if name == "sqlite" { 700.0 } else { 300.0 }).await,
                }
            }
        }
        if wanted("similar") {
            similar("sqlite", &format!("sqlite://{}", fill::sqlite(fill::MILLION).await.display())).await;
            if let Some(url) = fill::postgres(fill::MILLION).await {
                similar("postgres", &url).await;
            }
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
}
