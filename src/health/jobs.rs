//! Periodic work: roll-ups and retention.

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
