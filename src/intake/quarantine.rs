//! What arrived and could not be understood: kept, looked at, tried again, or discarded by somebody. Never lost.

use serde_json::json;

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::intake::model::digest;
use crate::intake::store::{self, Held};
use crate::locale::intake as say;

/// Puts what arrived into quarantine.
#[derive(Debug, Clone)]
pub struct Hold {
    /// The word of the channel: `api`, `alertmanager`, `mail`, …
    pub channel: String,
    /// Which token, mailbox or application.
    pub source: String,
    /// Why it could not be understood.
    pub reason: String,
    /// What arrived.
    pub body: Vec<u8>,
}

impl Action for Hold {
    fn verb(&self) -> &'static str {
        "quarantine.hold"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let digest = digest(&self.body);
            let (id, new) =
                store::hold(cx.tx, &self.channel, &self.source, &self.reason, &self.body, &digest, cx.now).await?;
            if new {
                // what is there already stays: a flood must not push out what somebody believes to have reported
                let (items, bytes) = store::held_from(cx.tx, &self.channel, &self.source).await?;
                let most = &cx.config.serve;
                if items > i64::from(most.quarantine_items) || bytes.unsigned_abs() > most.quarantine_bytes {
                    return Err(ActionError::Full(say::quarantine_full(&self.source)));
                }
            }
            let detail = json!({"channel": self.channel, "source": self.source, "reason": self.reason,
                "bytes": self.body.len(), "sha256": digest});
            let done = Done::new("quarantine", id, say::held(id)).detail(detail).value(json!({"id": id}));
            Ok(if new { done } else { done.unchanged() })
        })
    }
}

/// Reads something in quarantine again, with what this version understands.
#[derive(Debug, Clone)]
pub struct Retry {
    /// Which.
    pub id: i64,
}

/// Lets something in quarantine go. It stays readable.
#[derive(Debug, Clone)]
pub struct Discard {
    /// Which.
    pub id: i64,
}

async fn still_held(cx: &mut Apply<'_>, id: i64) -> Result<(Held, Vec<u8>), ActionError> {
    let missing = || ActionError::NotFound { what: say::held_named(id) };
    let (held, body) = store::held_in(cx.tx, id).await?.ok_or_else(missing)?;
    if held.state == "held" {
        return Ok((held, body));
    }
    Err(cx.conflict(say::held_named(id), "quarantine", &id.to_string()).await)
}

impl Action for Retry {
    fn verb(&self) -> &'static str {
        "quarantine.retry"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let (held, body) = still_held(cx, self.id).await?;
            let tries = held.tries + 1;
            let again = match super::understand(&held, &body, cx.config) {
                Ok(action) => action,
                Err(why) => {
                    store::settle_held(cx.tx, self.id, "held", &why, tries).await?;
                    let message = say::still_not_understood(self.id, &why);
                    return Ok(Done::new("quarantine", self.id, message)
                        .detail(json!({"why": why}))
                        .value(json!({"id": self.id, "state": "held", "why": why})));
                }
            };
            let made = again.apply(cx).await?;
            let answer = made.as_value()["answer"].clone();
            store::settle_held(cx.tx, self.id, "retried", &answer.to_string(), tries).await?;
            Ok(Done::new("quarantine", self.id, say::retried(self.id))
                .detail(json!({"became": made.as_detail(), "answer": answer}))
                .value(json!({"id": self.id, "state": "retried", "result": answer})))
        })
    }
}

impl Action for Discard {
    fn verb(&self) -> &'static str {
        "quarantine.discard"
    }
    fn needs(&self) -> Role {
        Role::Supervisor
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let (held, _) = still_held(cx, self.id).await?;
            store::settle_held(cx.tx, self.id, "discarded", &held.result, held.tries).await?;
            Ok(Done::new("quarantine", self.id, say::discarded(self.id))
                .value(json!({"id": self.id, "state": "discarded"}))
                .undo(Restore { id: self.id }))
        })
    }
}

/// Takes a [`Discard`] back.
#[derive(Debug, Clone)]
struct Restore {
    id: i64,
}

impl Action for Restore {
    fn verb(&self) -> &'static str {
        "quarantine.restore"
    }
    fn needs(&self) -> Role {
        Role::Supervisor
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: say::held_named(self.id) };
            let (held, _) = store::held_in(cx.tx, self.id).await?.ok_or_else(missing)?;
            if held.state != "discarded" {
                return Err(cx.conflict(say::held_named(self.id), "quarantine", &self.id.to_string()).await);
            }
            store::settle_held(cx.tx, self.id, "held", &held.result, held.tries).await?;
            Ok(Done::new("quarantine", self.id, say::held(self.id))
                .value(json!({"id": self.id, "state": "held"}))
                .undo(Discard { id: self.id }))
        })
    }
}
