//! What goes on behind the screen: the feed, the store's latency, this machine's samples, the periodic work.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

use super::app::Msg;
use super::run::Options;
use crate::action::Door;
use crate::demo::Live;
use crate::health::sources::Sampler;
use crate::store::feed::News;

/// How often the store is asked whether it answers, and how fast.
const PING: Duration = Duration::from_secs(15);

/// The feed, this machine's samples (every second while `host_shown`), and the periodic work, as `tasks` on `works`.
pub(super) fn start(
    door: &Door,
    options: &Options,
    tx: &mpsc::UnboundedSender<Msg>,
    host_shown: watch::Receiver<bool>,
    works: &Handle,
    tasks: &mut JoinSet<()>,
) {
    let _there = works.enter();
    let (mut feed, news) = (door.store().feed(), tx.clone());
    tasks.spawn_on(
        async move {
            while let Some(item) = feed.recv().await {
                if news.send(Msg::News(item)).is_err() {
                    return;
                }
            }
        },
        works,
    );
    let (store, latency) = (door.store().clone(), tx.clone());
    tasks.spawn_on(
        async move {
            let mut every = tokio::time::interval(PING);
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut lost = false;
            loop {
                every.tick().await;
                // the feed tells of a loss sooner; where it has not noticed, this does
                let told = match store.ping().await {
                    Ok(ms) if std::mem::take(&mut lost) => {
                        latency.send(Msg::News(News::Back)).and(latency.send(Msg::Latency(ms)))
                    }
                    Ok(ms) => latency.send(Msg::Latency(ms)),
                    Err(e) => {
                        lost = true;
                        latency.send(Msg::News(News::Lost(e.to_string())))
                    }
                };
                if told.is_err() {
                    return;
                }
            }
        },
        works,
    );
    if options.sample_here {
        tasks.spawn_on(sample_here(door.clone(), tx.clone(), host_shown), works);
    }
    if let Some(live) = &options.demo {
        tasks.spawn_on(keep_alive(live.clone()), works);
    } else if !door.is_read_only() {
        let system = Door::system(door.store().clone(), door.clock().clone(), door.config().clone());
        let (stop, stopped) = tokio::sync::watch::channel(false);
        tasks.spawn_on(
            async move {
                let _stop = stop;
                crate::serve::run(system, crate::serve::jobs(), stopped).await;
            },
            works,
        );
    }
}

/// Busiest processes that are stored with a sample of this machine.
const STORED_PROCESSES: usize = 8;

/// Keeps the synthetic company going, with its own periodic work but for what would leave this machine.
async fn keep_alive(live: Arc<Mutex<Live>>) {
    let mut live = live.lock().await;
    let (system, past) = (live.door(), live.remember());
    let work = async {
        // roll-ups are made from here on only: the past must be there before
        if let Err(e) = past.await {
            tracing::warn!("demo: {e}");
        }
        let jobs = crate::serve::jobs().into_iter().filter(|job| !job.reaches_out()).collect();
        let (_stop, stopped) = tokio::sync::watch::channel(false);
        crate::serve::run(system, jobs, stopped).await;
    };
    tokio::join!(work, live.run());
}

/// Samples this machine every second for the screen that shows it, and into the store at the configured interval. A
/// sample that nobody sees is taken only to be stored.
async fn sample_here(door: Door, tx: mpsc::UnboundedSender<Msg>, mut shown: watch::Receiver<bool>) {
    let config = door.config().clone();
    let Ok(Some(mut sampler)) = tokio::task::spawn_blocking(move || Sampler::new(&config.health)).await else { return };
    let interval = door.config().health.interval.millis();
    let (mut stored, mut taken) = (0, 0);
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let at = door.clock().now();
        let left = taken + interval - at;
        if !*shown.borrow_and_update() && (1..interval).contains(&left) {
            let wait = Duration::from_millis(door.clock().wall_until(left) as u64);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                gone = shown.changed() => if gone.is_err() { return },
            }
            continue;
        }
        taken = at;
        let Ok((back, sample)) = tokio::task::spawn_blocking(move || {
            let sample = sampler.sample(at, true);
            (sampler, sample)
        })
        .await
        else {
            return;
        };
        sampler = back;
        if !door.is_read_only() && (at - stored).abs() >= interval {
            let back = at < stored;
            stored = at;
            let store = door.store().clone();
            let kept = sample.clone().with_top(STORED_PROCESSES);
            tokio::spawn(async move {
                if back && let Err(e) = crate::health::store::set_back(&store, &kept.host, kept.at).await {
                    tracing::warn!("clock set back, not told: {e}");
                }
                if let Err(e) = crate::health::store::add(&store, &[kept], interval).await {
                    tracing::warn!("sample not stored: {e}");
                }
            });
        }
        if tx.send(Msg::Push(0, Box::new(Arc::new(sample)))).is_err() {
            return;
        }
    }
}
