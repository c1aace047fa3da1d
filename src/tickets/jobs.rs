//! Periodic work: breaches, thresholds, ends of pauses.

use std::time::Duration;

use super::actions::{Change, What};
use super::store;
use crate::action::{ActionError, BoxFuture, Door, Job};

/// Looks every five seconds for clocks that passed a mark.
#[derive(Debug)]
pub struct Tick;

impl Job for Tick {
    fn name(&self) -> &'static str {
        "tickets.tick"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            for id in store::overdue_marks(door.store(), door.clock().now()).await? {
                door.run(&Change::new(id, What::Tick)).await?;
            }
            Ok(())
        })
    }
}
