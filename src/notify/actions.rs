//! What a person can do about messages: try again, let go.

use serde_json::json;

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::locale::notify as say;
use crate::notify::store;

/// Tries a message again now, with a clean slate.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Which.
    pub id: i64,
}

/// Lets a message go that has not left: somebody will not be told, which a supervisor decides.
#[derive(Debug, Clone)]
pub struct Discard {
    /// Which.
    pub id: i64,
}

async fn put(cx: &mut Apply<'_>, id: i64, from: &[&str], to: &str) -> Result<(), ActionError> {
    match store::set_state(cx.tx, id, from, to, cx.now).await? {
        None => Err(ActionError::NotFound { what: say::message_named(id) }),
        Some(state) if from.contains(&state.as_str()) => {
            cx.tx.bump("trouble").await?;
            Ok(())
        }
        Some(state) => Err(ActionError::Taken(say::message_is(id, &say::state(&state)))),
    }
}

impl Action for Retry {
    fn verb(&self) -> &'static str {
        "outbox.retry"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            put(cx, self.id, &["dead", "queued", "discarded"], "queued").await?;
            Ok(Done::new("outbox", self.id, say::retried(self.id)).value(json!({"id": self.id, "state": "queued"})))
        })
    }
}

impl Action for Discard {
    fn verb(&self) -> &'static str {
        "outbox.discard"
    }
    fn needs(&self) -> Role {
        Role::Supervisor
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            put(cx, self.id, &["dead", "queued"], "discarded").await?;
            Ok(Done::new("outbox", self.id, say::discarded(self.id))
                .value(json!({"id": self.id, "state": "discarded"}))
                .undo(Retry { id: self.id }))
        })
    }
}
