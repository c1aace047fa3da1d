//! Periodic work: thresholds that nobody was told of, people to be called.

use std::time::Duration;

use super::escalation::{Call, Raise};
use super::store;
use crate::action::{ActionError, BoxFuture, Door, Job, go_on};

/// Most of each at once.
const TOGETHER: i64 = 500;

/// Escalates, every two seconds.
#[derive(Debug)]
pub struct Escalate;

impl Job for Escalate {
    fn name(&self) -> &'static str {
        "oncall.escalate"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(2)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            for fired in store::fired(door.store(), TOGETHER).await? {
                go_on(door, &Raise { fired }).await?;
            }
            for id in store::due(door.store(), door.clock().now(), TOGETHER).await? {
                go_on(door, &Call { id }).await?;
            }
            Ok(())
        })
    }
}
