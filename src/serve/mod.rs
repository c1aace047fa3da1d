//! The service: lease holder, periodic work.

pub mod http;

use std::time::Duration;

use crate::action::{Door, Job};

/// The lease that periodic work needs.
pub const LEASE: &str = "jobs";
/// How often the lease is renewed or asked for.
const RENEW: Duration = Duration::from_secs(3);

/// Every kind of periodic work.
pub fn jobs() -> Vec<Box<dyn Job>> {
    vec![
        Box::new(crate::tickets::jobs::Tick),
        Box::new(crate::health::jobs::RollUp),
        Box::new(crate::health::jobs::Retire),
        Box::<crate::backups::jobs::Scan>::default(),
        Box::new(crate::intake::alerts::jobs::Watch),
    ]
}

/// Does the periodic work whenever this process holds the lease, until `stop` is sent or dropped. Every console and
/// every `serve` runs this; the lease makes sure that one of them acts.
pub async fn run(door: Door, jobs: Vec<Box<dyn Job>>, mut stop: tokio::sync::watch::Receiver<bool>) {
    let holder = format!("{}-{:08x}", std::process::id(), fastrand::u32(..));
    let mut due: Vec<tokio::time::Instant> = vec![tokio::time::Instant::now(); jobs.len()];
    let mut held = false;
    let mut renew_at = tokio::time::Instant::now();
    loop {
        if tokio::time::Instant::now() >= renew_at {
            let now = door.clock().now();
            let has = match door.store().hold_lease(LEASE, &holder, now).await {
                Ok(has) => has,
                Err(e) => {
                    tracing::warn!("lease: {e}");
                    false
                }
            };
            if has != held {
                tracing::info!(held = has, "lease");
            }
            held = has;
            renew_at = tokio::time::Instant::now() + RENEW;
        }
        if held {
            for (job, due) in jobs.iter().zip(&mut due) {
                let now = tokio::time::Instant::now();
                if now < *due || now >= renew_at {
                    continue;
                }
                *due = now + job.every();
                if let Err(e) = job.run(&door).await {
                    tracing::warn!(job = job.name(), "{e}");
                }
            }
        }
        let next = if held { due.iter().copied().fold(renew_at, Ord::min) } else { renew_at };
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            _ = stop.changed() => break,
        }
    }
    if held && let Err(e) = door.store().release_lease(LEASE, &holder).await {
        tracing::warn!("lease: {e}");
    }
}
