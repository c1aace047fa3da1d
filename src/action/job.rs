//! Periodic work: runs in exactly one process, whichever holds the lease.

use std::fmt::Debug;
use std::time::Duration;

use super::{Action, ActionError, BoxFuture, Door};

/// One kind of periodic work.
pub trait Job: Debug + Send + Sync {
    /// Its name, for the log.
    fn name(&self) -> &'static str;
    /// How often it runs.
    fn every(&self) -> Duration;
    /// Whether a run lasts until it is ended: then it is dropped, wherever it waits, once the lease is lost.
    fn is_endless(&self) -> bool {
        false
    }
    /// Whether it runs tools or talks to other machines: the demo, whose machines do not exist, leaves it out.
    fn reaches_out(&self) -> bool {
        false
    }
    /// Runs once. It must be harmless to run again after a crash in the middle.
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>>;
}

/// Does one of many things that a job found to do. What is refused (a template that fails on this ticket, a level that is
/// not in the policy any more) is logged and does not keep the others from being done.
///
/// # Errors
/// When the store does not answer.
pub async fn go_on(door: &Door, action: &dyn Action) -> Result<(), ActionError> {
    match door.run(action).await {
        Ok(_) => Ok(()),
        Err(ActionError::Store(e)) => Err(e.into()),
        Err(e) => {
            tracing::error!(verb = action.verb(), "{e}");
            Ok(())
        }
    }
}
