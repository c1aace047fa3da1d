//! Periodic work: thresholds, roll-ups, forecasts, retention.

use std::time::Duration;

use crate::action::{ActionError, BoxFuture, Door, Job};
use crate::health::store;

/// Rolls samples up every minute.
#[derive(Debug)]
pub struct RollUp;

impl Job for RollUp {
    fn name(&self) -> &'static str {
        "health.roll_up"
    }
    fn every(&self) -> Duration {
        Duration::from_mins(1)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move { Ok(store::roll_up(door.store(), door.clock().now()).await?) })
    }
}

/// Retires old samples every five minutes.
#[derive(Debug)]
pub struct Retire;

impl Job for Retire {
    fn name(&self) -> &'static str {
        "health.retire"
    }
    fn every(&self) -> Duration {
        Duration::from_mins(5)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move { Ok(store::retire(door.store(), door.clock().now(), &door.config().health).await?) })
    }
}

/// Takes new samples into the thresholds.
#[derive(Debug)]
pub struct Judge;

impl Job for Judge {
    fn name(&self) -> &'static str {
        "health.judge"
    }
    fn every(&self) -> Duration {
        Duration::from_millis(store::EVERY.unsigned_abs())
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move { Ok(store::judge(door.store(), door.config(), door.clock().now()).await?) })
    }
}

/// Looks ahead at file systems every ten minutes.
#[derive(Debug)]
pub struct LookAhead;

impl Job for LookAhead {
    fn name(&self) -> &'static str {
        "health.look_ahead"
    }
    fn every(&self) -> Duration {
        Duration::from_mins(10)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move { Ok(store::look_ahead(door.store(), door.clock().now()).await?) })
    }
}
