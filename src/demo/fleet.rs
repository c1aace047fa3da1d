//! The samples of the servers, on their way into the store.

use super::hosts::{FLEET, Host, Times};
use crate::clock::{Clock, DAY, HOUR, MINUTE, Millis, SECOND};
use crate::config::Config;
use crate::health::model::Sample;
use crate::health::store;
use crate::store::{Store, StoreError};

/// Instants in one transaction of the past: few enough that nobody waits long for the store meanwhile.
const BATCH: usize = 12;
/// How far back the past is sampled as often as the present.
const NEAR: Millis = 65 * MINUTE;
/// How far back thresholds have looked at the samples: a problem must last before it is one.
const WATCHED: Millis = 12 * MINUTE;

/// How often the agents send: ten seconds, but at most twice a second at the keyboard.
pub fn interval(pace: f64) -> Millis {
    (((pace * 0.5).ceil() as Millis) * SECOND).max(10 * SECOND)
}

/// The interval that the agents name, of which a host may miss three: two seconds at the keyboard at least, because a
/// machine that is busy with the past of the company is late with its present.
pub fn named_interval(pace: f64) -> Millis {
    interval(pace).max((pace * 2.0).ceil() as Millis * SECOND)
}

/// What all agents send at `at`.
fn said(at: Millis, times: Times) -> impl Iterator<Item = Sample> {
    FLEET.iter().filter(move |h| h.speaks(at, times)).map(move |h| h.sample(at, times))
}

fn every(step: Millis, from: Millis, to: Millis) -> impl Iterator<Item = Millis> {
    ((from.div_euclid(step) + 1)..=to.div_euclid(step)).map(move |n| n * step)
}

/// The last hour, sampled as often as the present, with the thresholds where they stand after it: enough for the first
/// picture.
///
/// # Errors
/// When the store does not take it.
pub async fn recent(db: &Store, config: &Config, times: Times) -> Result<(), StoreError> {
    let (step, named, start) = (interval(times.pace), named_interval(times.pace), times.start);
    let mut early: Vec<Sample> = every(step, start - NEAR, start - WATCHED).flat_map(|at| said(at, times)).collect();
    early.extend(FLEET.iter().filter(|h| !h.speaks(start, times)).map(|h| newest(h, start, times)));
    store::add(db, &early, named).await?;
    let late: Vec<Millis> = every(step, start - WATCHED, start).collect();
    // no more than three intervals lie between two looks: a longer gap counts for nothing
    for instants in late.chunks(3) {
        let samples: Vec<Sample> = instants.iter().flat_map(|at| said(*at, times)).collect();
        store::add(db, &samples, named).await?;
        store::judge(db, config, instants.last().copied().unwrap_or(start)).await?;
    }
    Ok(())
}

/// The newest sample of a host at `now`: what is shown of it must not go back while its past is put in.
fn newest(host: &Host, now: Millis, times: Times) -> Sample {
    let step = interval(times.pace);
    let mut at = now.div_euclid(step) * step;
    while !host.speaks(at, times) {
        at -= step;
    }
    host.sample(at, times)
}

/// The month before: a sample every two minutes for a day, four an hour for two, before that one an hour; with the
/// roll-ups.
///
/// # Errors
/// When the store does not take it.
pub async fn past(db: &Store, clock: &Clock, times: Times) -> Result<(), StoreError> {
    let (named, start) = (named_interval(times.pace), times.start);
    let instants: Vec<Millis> = every(HOUR, start - 31 * DAY, start - 48 * HOUR)
        .chain(every(15 * MINUTE, start - 48 * HOUR, start - 26 * HOUR))
        .chain(every(2 * MINUTE, start - 26 * HOUR, start - NEAR))
        .collect();
    for batch in instants.chunks(BATCH) {
        let lean = |s: Sample| Sample { nics: vec![], processes: vec![], ..s };
        let mut samples: Vec<Sample> = batch.iter().flat_map(|at| said(*at, times)).map(lean).collect();
        samples.extend(FLEET.iter().map(|h| newest(h, clock.now(), times)));
        store::add(db, &samples, named).await?;
        store::roll_up(db, batch.last().copied().unwrap_or(start)).await?;
    }
    store::roll_up(db, clock.now()).await
}

/// What the agents sent after `from` up to `to`; of a long gap only the last hour.
///
/// # Errors
/// When the store does not take it.
pub async fn advance(db: &Store, times: Times, from: Millis, to: Millis) -> Result<(), StoreError> {
    let step = interval(times.pace);
    let all: Vec<Sample> = every(step, from.max(to - NEAR), to).flat_map(|at| said(at, times)).collect();
    if all.is_empty() { Ok(()) } else { store::add(db, &all, named_interval(times.pace)).await }
}
