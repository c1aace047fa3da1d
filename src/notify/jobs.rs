//! Periodic work: delivering what waits.

use std::time::Duration;

use super::channels::{Channel, Outgoing, SendError};
use super::model::{Queued, together, wait_after};
use super::store;
use crate::action::{ActionError, BoxFuture, Door, Job};
use crate::clock::{MINUTE, Millis, SECOND};

/// How long a message belongs to the process that sends it, in milliseconds: longer than a delivery may take. After a
/// crash in the middle somebody else tries it then.
const CLAIM: Millis = 30 * SECOND;

/// Delivers, every second.
#[derive(Debug)]
pub struct Send;

impl Job for Send {
    fn name(&self) -> &'static str {
        "notify.send"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn reaches_out(&self) -> bool {
        true
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            // what goes by a long connection is sent by whoever keeps it
            let ours = door.config().notify.channels.iter().filter(|c| c.kind != "wecom_bot");
            for config in ours {
                // a channel that is misconfigured now (a secret gone) must not hold up the others
                match Channel::open(config, &door.config().notify) {
                    Ok(channel) => deliver(door, &channel).await?,
                    Err(why) => tracing::warn!(channel = config.name, "{why}"),
                }
            }
            Ok(())
        })
    }
}

/// Delivers what waits for a channel, as far as it takes it.
async fn deliver(door: &Door, channel: &Channel) -> Result<(), ActionError> {
    let (s, now) = (door.store(), door.clock().now());
    let name = channel.name();
    let per_minute = channel.per_minute();
    for recipient in store::recipients(s, name, now).await? {
        let mut allowance = match per_minute {
            Some(most) => most.saturating_sub(store::sent_since(s, name, now - MINUTE).await?.max(0) as usize),
            None => usize::MAX,
        };
        let waiting = store::waiting(s, name, &recipient, now).await?;
        let merged = together(&waiting, channel.digest_over(), allowance);
        let merged_ids: Vec<i64> = merged.iter().map(|q| q.id).collect();
        let mut parcels: Vec<(Vec<i64>, Outgoing)> = Vec::new();
        for q in &waiting {
            if merged_ids.first() == Some(&q.id) {
                parcels.push((merged_ids.clone(), channel.digest(&recipient, &merged)));
            } else if !merged_ids.contains(&q.id) {
                parcels.push((vec![q.id], Outgoing::of(q)));
            }
        }
        for (ids, parcel) in parcels {
            if allowance == 0 {
                break;
            }
            let first = ids.first().copied().unwrap_or_default();
            if !store::claim(s, first, now, now + CLAIM).await? {
                break;
            }
            allowance -= 1;
            match channel.send(&parcel).await {
                Ok(()) => store::sent(s, &ids, door.clock().now()).await?,
                Err(e) => {
                    let stop = not_sent(door, channel, &waiting, &ids, e, now).await?;
                    if stop {
                        return Ok(());
                    }
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Notes a failure; whether the whole channel should rest.
async fn not_sent(
    door: &Door,
    channel: &Channel,
    waiting: &[Queued],
    ids: &[i64],
    error: SendError,
    now: Millis,
) -> Result<bool, ActionError> {
    let first = waiting.iter().find(|q| ids.contains(&q.id));
    let (tries, age) = first.map_or((0, 0), |q| (q.tries, now - q.created_at));
    tracing::warn!(channel = channel.name(), "message not delivered: {error}");
    match error {
        SendError::Never(why) => {
            store::failed(door.store(), ids, &why, None).await?;
            Ok(false)
        }
        SendError::Later { why, rest } => {
            let wait = wait_after(tries).max(rest.unwrap_or(0));
            // jitter, so that what failed together does not come back together
            let next = now + wait + fastrand::i64(0..=wait / 4);
            let given_up = age > channel.give_up();
            store::failed(door.store(), ids, &why, (!given_up).then_some(next)).await?;
            Ok(rest.is_some())
        }
    }
}
