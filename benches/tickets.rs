//! Tickets in a store of a million, on both databases, beside the bare driver doing the same in the same run.
//!
//! `cargo bench --bench tickets [-- PART]` with the parts `queue`, `claim`, `search`, `tick`. PostgreSQL is the server
//! that `ZHIBAN_TEST_PG` names. The stores are made at the first run and kept (see `common::folder`).
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a bench prints its figures and stops where it fails")]

mod bare;
#[expect(dead_code, reason = "the terminal is the other bench's")]
mod common;

use std::time::{Duration, Instant};

use common::{fill, median, ms, percentile, tell, wanted};
use zhiban::action::{Actor, Door, Job as _, Role};
use zhiban::clock::Clock;
use zhiban::config::Config;
use zhiban::store::{Dialect, Store};
use zhiban::text::filter::parse;
use zhiban::tickets::actions::{Change, What};
use zhiban::tickets::jobs::Tick;
use zhiban::tickets::store::{self, Queue};

use bare::Bare;

/// Rows of a queue page.
const PAGE: i64 = 50;
/// Rows of a search, as the console asks for them.
const HITS: i64 = 200;

fn door(store: &Store) -> Door {
    let actor = Actor { name: "wang".into(), role: Role::Operator, origin: "bench".into(), unclaimed: false };
    Door::new(store.clone(), Clock::System, Config::default().into(), actor, false)
}

/// The pages of every queue: the median of each, in turns with the bare driver.
async fn queues(name: &str, store: &Store, bare: &mut Bare) {
    let now = Clock::System.now();
    for queue in Queue::ORDER {
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..60 {
            let started = Instant::now();
            let page = store::page(store, queue, "wang", now, None, PAGE).await.expect("page");
            ours.push(ms(started));
            let started = Instant::now();
            let rows = bare.page(queue, "wang", now, PAGE).await;
            theirs.push(ms(started));
            assert_eq!(page.iter().map(|t| t.id).collect::<Vec<_>>(), rows, "{queue:?}");
        }
        let (ours, theirs) = (median(&ours), median(&theirs));
        println!("     {name} {queue:?}: {ours:.3} ms, bare {theirs:.3} ms");
        tell(&format!("{name}: page of {queue:?}, times the bare driver"), ours / theirs, "x", 2.5);
    }
    let mut counts = vec![];
    for _ in 0..20 {
        let started = Instant::now();
        store::counts(store, "wang", now).await.expect("counts");
        counts.push(ms(started));
    }
    tell(&format!("{name}: the five counts"), median(&counts), "ms", 10.0);
}

/// Claims, in turns with the bare driver, each durable with its journal row.
async fn claims(name: &str, store: &Store, bare: &mut Bare) {
    const ROUNDS: usize = 200;
    let door = door(store);
    let free =
        store::page(store, Queue::Unassigned, "", Clock::System.now(), None, 4 * ROUNDS as i64).await.expect("page");
    let mut ids = free.iter().map(|t| t.id);
    let mut ratios = vec![];
    let (mut all, mut all_bare) = (vec![], vec![]);
    for _ in 0..2 {
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            let id = ids.next().expect("an unassigned ticket");
            let started = Instant::now();
            door.run(&Change::new(id, What::Claim)).await.expect("claim");
            ours.push(ms(started));
            let id = ids.next().expect("an unassigned ticket");
            let started = Instant::now();
            bare.claim(id, "wang").await;
            theirs.push(ms(started));
        }
        ratios.push(median(&ours) / median(&theirs));
        all.extend(ours);
        all_bare.extend(theirs);
    }
    println!("     {name} claim: {:.3} ms, bare {:.3} ms", median(&all), median(&all_bare));
    tell(&format!("{name}: claim, times the bare driver"), median(&ratios), "x", 1.5);
    // give them back, so that the next run finds as many
    for t in &free {
        door.run(&Change::new(t.id, What::Assign(None))).await.expect("given back");
    }
}

/// Searches in both languages, rare words and common ones; the phrase that eight tickets in a hundred have apart.
async fn searches(name: &str, store: &Store) {
    let rare: Vec<String> = (0..40)
        .flat_map(|i| {
            let (title, _) = common::text::ticket(i * 7_919 + 1);
            [common::text::host(i * 37), title, format!("{} 502", common::text::host(i))]
        })
        .collect();
    let words = [
        "合同审批",
        "附件下载",
        "登录",
        "printer",
        "approval hangs",
        "connection reset",
        "磁盘空间",
        "月结 签章",
        "time",
        "慢",
    ];
    let common = common::text::common_phrase();
    let mut times = vec![];
    let mut slowest = (0.0, String::new());
    for query in words.iter().map(|w| (*w).to_owned()).chain(rare) {
        for _ in 0..3 {
            let started = Instant::now();
            let filter = parse(&query).expect("words");
            let found = store::filtered(store, &filter, "wang", 0, HITS).await.expect("found").tickets;
            times.push(ms(started));
            assert!(found.is_sorted_by(|a, b| a.id > b.id), "newest first");
            if ms(started) > slowest.0 {
                slowest = (*times.last().expect("one"), format!("{query}: {} found", found.len()));
            }
        }
    }
    let mut phrase = vec![];
    for _ in 0..40 {
        let started = Instant::now();
        assert_eq!(store::find(store, common, HITS).await.expect("find").len() as i64, HITS);
        phrase.push(ms(started));
    }
    let (bar, phrase_bar) = if store.dialect() == Dialect::Sqlite { (5.0, 5.0) } else { (30.0, 120.0) };
    println!("     {name} search: p50 {:.2} ms, slowest {:.2} ms ({})", median(&times), slowest.0, slowest.1);
    tell(&format!("{name}: search p99, Chinese and English"), percentile(&times, 0.99), "ms", bar);
    tell(&format!("{name}: search p99, a phrase with 80 000 hits"), percentile(&phrase, 0.99), "ms", phrase_bar);
}

/// The periodic look for clocks that passed a mark, when none has.
async fn ticks(name: &str, store: &Store) {
    let door = door(store);
    while !store::overdue_marks(store, Clock::System.now()).await.expect("marks").is_empty() {
        Tick.run(&door).await.expect("tick");
    }
    let mut times = vec![];
    for _ in 0..50 {
        let started = Instant::now();
        Tick.run(&door).await.expect("tick");
        times.push(ms(started));
    }
    tell(&format!("{name}: a tick with nothing due"), median(&times), "ms", 2.0);
}

async fn measure(name: &str, url: &str, mut bare: Bare) {
    let store = Store::open(&url.parse().expect("url")).await.expect("store");
    if wanted("tick") {
        ticks(name, &store).await;
    }
    if wanted("queue") {
        queues(name, &store, &mut bare).await;
    }
    if wanted("search") {
        searches(name, &store).await;
    }
    if wanted("claim") {
        claims(name, &store, &mut bare).await;
    }
    store.close().await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async {
        let path = fill::sqlite(fill::MILLION).await;
        let url = format!("sqlite://{}", path.display());
        measure("sqlite", &url, Bare::sqlite(&path)).await;
        if let Some(url) = fill::postgres(fill::MILLION).await {
            measure("postgres", &url, Bare::postgres(&url).await).await;
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(200));
}
