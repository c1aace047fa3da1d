//! The service: lease holder, periodic work.

pub mod http;

use std::time::Duration;

use tokio::sync::watch;

use crate::action::{Door, Job};

/// The lease that periodic work needs.
pub const LEASE: &str = "jobs";
/// How often the lease is renewed or asked for.
const RENEW: Duration = Duration::from_secs(3);
/// How long what is being done may go on once it is time to leave.
const LEAVE: Duration = Duration::from_millis(500);
/// However fast the clock runs, no work comes round sooner.
const LEAST: Duration = Duration::from_millis(500);

/// Every kind of periodic work.
pub fn jobs() -> Vec<Box<dyn Job>> {
    vec![
        Box::new(crate::tickets::jobs::Tick),
        Box::new(crate::tickets::jobs::SafeStarts),
        Box::new(crate::health::jobs::Judge),
        Box::new(crate::health::jobs::RollUp),
        Box::new(crate::health::jobs::LookAhead),
        Box::new(crate::health::jobs::Retire),
        Box::<crate::backups::jobs::Scan>::default(),
        Box::new(crate::intake::alerts::jobs::Watch),
        Box::new(crate::oncall::jobs::Escalate),
        Box::new(crate::intake::answers::Answer),
        Box::new(crate::intake::mail::jobs::Fetch),
        Box::<crate::intake::wecom::jobs::Listen>::default(),
        Box::new(crate::notify::jobs::Send),
    ]
}

/// Does the periodic work whenever this process holds the lease, until `stop` is sent or dropped. Every console and
/// every `serve` runs this; the lease makes sure that one of them acts. A job that takes long holds up no other, and not
/// the renewal of the lease.
pub async fn run(door: Door, jobs: Vec<Box<dyn Job>>, mut stop: watch::Receiver<bool>) {
    let holder = format!("{}-{:08x}", std::process::id(), fastrand::u32(..));
    let (holds, held) = watch::channel(false);
    let mut working = tokio::task::JoinSet::new();
    for job in jobs {
        working.spawn(work(door.clone(), job, held.clone()));
    }
    loop {
        let has = match door.store().hold_lease(LEASE, &holder, door.clock().now()).await {
            Ok(has) => has,
            Err(e) => {
                tracing::warn!("lease: {e}");
                false
            }
        };
        if holds.send_replace(has) != has {
            tracing::info!(held = has, "lease");
        }
        tokio::select! {
            () = tokio::time::sleep(RENEW) => {}
            _ = stop.changed() => break,
        }
    }
    // what is being done is finished, for as long as whoever stops us waits; nothing new is begun
    let had = holds.send_replace(false);
    drop(holds);
    _ = tokio::time::timeout(LEAVE, async { while working.join_next().await.is_some() {} }).await;
    if had && let Err(e) = door.store().release_lease(LEASE, &holder).await {
        tracing::warn!("lease: {e}");
    }
}

/// Runs one job at its times while the lease is held.
async fn work(door: Door, job: Box<dyn Job>, mut held: watch::Receiver<bool>) {
    let mut due = tokio::time::Instant::now();
    loop {
        if held.wait_for(|held| *held).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            changed = held.changed() => {
                if changed.is_err() {
                    return;
                }
                continue;
            }
        }
        // the intervals are those of the clock, which the demo lets run fast
        let every = door.clock().wall_until(job.every().as_millis() as i64);
        due = tokio::time::Instant::now() + job.every().min(LEAST.max(Duration::from_millis(every as u64)));
        let result = if job.is_endless() {
            tokio::select! {
                result = job.run(&door) => result,
                _ = held.wait_for(|held| !*held) => continue,
            }
        } else {
            job.run(&door).await
        };
        if let Err(e) = result {
            tracing::warn!(job = job.name(), "{e}");
        }
    }
}
