//! Periodic work: senders that have fallen silent.

use std::time::Duration;

use crate::action::{ActionError, BoxFuture, Door, Job, go_on};
use crate::intake::alerts::actions::Silent;
use crate::intake::alerts::store;

/// Looks every half minute for senders without a heartbeat.
#[derive(Debug)]
pub struct Watch;

impl Job for Watch {
    fn name(&self) -> &'static str {
        "alerts.watch"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(30)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            let since = door.clock().now() - door.config().serve.heartbeat.millis();
            for (source, last) in store::silent(door.store(), since).await? {
                go_on(door, &Silent { source, last, since }).await?;
            }
            Ok(())
        })
    }
}
