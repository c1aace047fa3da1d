//! Periodic work: breaches, thresholds, ends of pauses, due times after the calendar has changed.

use std::time::Duration;

use super::actions::{Change, Recount, What};
use super::store;
use crate::action::{ActionError, BoxFuture, Door, Job, go_on};

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
            // a changed calendar first, in small transactions, and for so long only that breaches are not told late
            let due = store::is_recount_due(door.store(), &door.config().tickets).await?;
            for _ in 0..if due { 20 } else { 0 } {
                if door.run(&Recount).await?.value["more"] != true {
                    break;
                }
            }
            for id in store::overdue_marks(door.store(), door.clock().now()).await? {
                go_on(door, &Change::new(id, What::Tick)).await?;
            }
            Ok(())
        })
    }
}
