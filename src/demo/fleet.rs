//! The samples of the servers, on their way into the store.

use super::hosts::{FLEET, Times};
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::health::model::Sample;
use crate::health::store;
use crate::store::{Store, StoreError};

/// Samples in one transaction of the past: few enough that nobody waits long for the store meanwhile.
const BATCH: usize = 4_000;
/// How far back the past is sampled as often as the present.
const NEAR: Millis = 65 * MINUTE;

/// How often the agents send: ten seconds, but at most twice a second at the keyboard.
pub fn interval(pace: f64) -> Millis {
    (((pace * 0.5).ceil() as Millis) * SECOND).max(10 * SECOND)
}

/// What all agents send at the instants of `at`.
fn said(at: impl Iterator<Item = Millis>, times: Times) -> impl Iterator<Item = Sample> {
    at.flat_map(move |at| FLEET.iter().filter(move |h| h.speaks(at, times)).map(move |h| h.sample(at, times)))
}

fn every(step: Millis, from: Millis, to: Millis) -> impl Iterator<Item = Millis> {
    ((from / step + 1)..=(to / step)).map(move |n| n * step)
}

/// The last hour, sampled as often as the present: enough for the first picture.
///
/// # Errors
/// When the store does not take it.
pub async fn recent(db: &Store, times: Times) -> Result<(), StoreError> {
    let step = interval(times.pace);
    let all: Vec<Sample> = said(every(step, times.start - NEAR, times.start), times).collect();
    store::add(db, &all, step).await
}

/// The month before: a sample a minute for two days, before that one a quarter of an hour; and the roll-ups of it all.
///
/// # Errors
/// When the store does not take it.
pub async fn past(db: &Store, times: Times) -> Result<(), StoreError> {
    let (step, start) = (interval(times.pace), times.start);
    let instants =
        every(15 * MINUTE, start - 31 * DAY, start - 48 * HOUR).chain(every(MINUTE, start - 48 * HOUR, start - NEAR));
    let mut batch = Vec::with_capacity(BATCH);
    for sample in said(instants, times) {
        batch.push(sample);
        if batch.len() >= BATCH {
            store::add(db, &batch, step).await?;
            batch.clear();
            tokio::task::yield_now().await;
        }
    }
    store::add(db, &batch, step).await?;
    store::roll_up(db, start).await
}

/// What the agents sent after `from` up to `to`; of a long gap only the last hour.
///
/// # Errors
/// When the store does not take it.
pub async fn advance(db: &Store, times: Times, from: Millis, to: Millis) -> Result<(), StoreError> {
    let step = interval(times.pace);
    let all: Vec<Sample> = said(every(step, from.max(to - NEAR), to), times).collect();
    if all.is_empty() { Ok(()) } else { store::add(db, &all, step).await }
}
