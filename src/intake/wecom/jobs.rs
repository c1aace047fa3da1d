//! Periodic work: keeping the long connections.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::bot::{ADDRESS, Socket, converse};
use crate::action::{ActionError, BoxFuture, Door, Job};
use crate::locale::intake as say;

/// The pause between a connection and the next; each that fails doubles it, up to five minutes.
const PAUSE: Duration = Duration::from_secs(1);
/// A connection that held so long was a good one.
const GOOD: Duration = Duration::from_mins(1);

/// Speaks with the smart robots of the configuration for as long as the lease is held.
#[derive(Debug, Default)]
pub struct Listen {
    failed: AtomicU32,
}

impl Job for Listen {
    fn name(&self) -> &'static str {
        "wecom.listen"
    }
    fn every(&self) -> Duration {
        PAUSE
    }
    fn reaches_out(&self) -> bool {
        true
    }
    fn is_endless(&self) -> bool {
        true
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            let bots: Vec<_> = door.config().notify.channels.iter().filter(|c| c.kind == "wecom_bot").collect();
            if bots.is_empty() {
                tokio::time::sleep(Duration::from_hours(1)).await;
                return Ok(());
            }
            let began = tokio::time::Instant::now();
            let all = bots.iter().map(|bot| async move {
                let url = bot.url.reveal().unwrap_or_default();
                let link = Socket { url: if url.is_empty() { ADDRESS.into() } else { url } };
                if let Err(why) = converse(door, bot, &link).await {
                    tracing::warn!("{}", say::bot_failed(&bot.name, &why));
                }
            });
            // one that ends begins anew together with the others: there is rarely more than one
            futures_util::future::select_all(all.map(Box::pin)).await;
            let failed = if began.elapsed() > GOOD { 0 } else { self.failed.load(Ordering::Relaxed) + 1 };
            self.failed.store(failed, Ordering::Relaxed);
            let wait = PAUSE * 2_u32.pow(failed.min(8));
            tokio::time::sleep(wait + Duration::from_millis(fastrand::u64(0..1_000))).await;
            Ok(())
        })
    }
}
