//! The most urgent ticket that nobody has.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Change, What};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::locale::tickets as say;
use crate::tickets::store;

/// Takes the most urgent unowned ticket that does not wait; looked for in the same transaction, so that two who pull
/// at once get two.
#[derive(Debug, Clone, Default)]
pub struct Pull {
    /// Told which one it was.
    pub took: Arc<Mutex<Option<i64>>>,
}

impl Action for Pull {
    fn verb(&self) -> &'static str {
        "ticket.claim"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let id = store::most_urgent_unowned(cx.tx).await?;
            let id = id.ok_or_else(|| ActionError::NotFound { what: say::nothing_unowned() })?;
            let done = Change::new(id, What::Claim).make(cx).await?;
            *self.took.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
            Ok(done)
        })
    }
}
