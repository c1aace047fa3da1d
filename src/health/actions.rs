//! What can be done to a host here: silence it, make a ticket of it, forget it. The host itself is left alone.

use serde_json::json;

use super::store;
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::args;
use crate::clock::{Millis, rfc3339};
use crate::locale::health as say;
use crate::store::Tx;
use crate::tickets::actions::New;

async fn find(tx: &mut Tx, name: &str) -> Result<i64, ActionError> {
    let found = tx.row("SELECT id FROM host WHERE name = $1", args![name], |r| r.get::<i64>(0)).await?;
    found.ok_or_else(|| ActionError::NotFound { what: name.to_owned() })
}

/// Silences a host until a time: its problems are shown apart and wake nobody. `None` ends its silence.
#[derive(Debug, Clone)]
pub struct Silence {
    /// The host.
    pub host: String,
    /// Until when, and why.
    pub until: Option<(Millis, String)>,
}

impl Action for Silence {
    fn verb(&self) -> &'static str {
        if self.until.is_some() { "host.silence" } else { "host.unsilence" }
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let id = find(cx.tx, &self.host).await?;
            if let Some((until, reason)) = &self.until {
                if *until <= cx.now {
                    return Err(ActionError::Invalid(say::silence_past()));
                }
                if reason.trim().is_empty() {
                    return Err(ActionError::Invalid(say::needs_reason()));
                }
            }
            let before = cx
                .tx
                .row("SELECT until, reason FROM host_silence WHERE host_id = $1", args![id], |r| {
                    Ok((r.get::<i64>(0)?, r.get::<String>(1)?))
                })
                .await?
                .filter(|(until, _)| *until > cx.now);
            let undo = Self { host: self.host.clone(), until: before.clone() };
            cx.tx.exec("DELETE FROM host_silence WHERE host_id = $1", args![id]).await?;
            let value = json!({
                "host": self.host, "silenced_until": self.until.as_ref().map(|(at, _)| rfc3339(*at)),
                "reason": self.until.as_ref().map(|(_, why)| why),
            });
            let message = match &self.until {
                Some((until, reason)) => {
                    cx.tx
                        .exec(
                            "INSERT INTO host_silence(host_id, until, reason, actor, at) VALUES ($1, $2, $3, $4, $5)",
                            args![id, *until, reason.trim(), &cx.actor.name, cx.now],
                        )
                        .await?;
                    say::silenced(&self.host)
                }
                None => say::unsilenced(&self.host),
            };
            cx.tx.bump("host").await?;
            let done = Done::new("host", &self.host, message).detail(value.clone()).value(value).undo(undo);
            Ok(if before.is_none() && self.until.is_none() { done.unchanged() } else { done })
        })
    }
}

/// Makes a ticket of the trouble of hosts and remembers whose it is. Asked for again while the same trouble lasts, it
/// is the same ticket.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The hosts.
    pub hosts: Vec<String>,
    /// The ticket, with the evidence in its body.
    pub new: New,
}

impl Action for Ticket {
    fn verb(&self) -> &'static str {
        self.new.verb()
    }
    fn needs(&self) -> Role {
        self.new.needs()
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let mut hosts = Vec::with_capacity(self.hosts.len());
            for name in &self.hosts {
                hosts.push(find(cx.tx, name).await?);
            }
            let now = cx.now;
            let done = self.new.apply(cx).await?;
            let Ok(ticket) = done.subject().parse::<i64>() else { return Ok(done) };
            for host in hosts {
                cx.tx
                    .exec(
                        "INSERT INTO host_ticket(host_id, ticket_id, at) VALUES ($1, $2, $3) \
                         ON CONFLICT(host_id, ticket_id) DO NOTHING",
                        args![host, ticket, now],
                    )
                    .await?;
            }
            cx.tx.bump("host").await?;
            Ok(done)
        })
    }
}

/// Forgets a host with all its samples and its record. A host that still sends comes back with its next sample.
#[derive(Debug, Clone)]
pub struct Remove {
    /// The host.
    pub host: String,
}

impl Action for Remove {
    fn verb(&self) -> &'static str {
        "host.remove"
    }
    fn needs(&self) -> Role {
        Role::Supervisor
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let id = find(cx.tx, &self.host).await?;
            let samples = store::forget(cx.tx, id).await?;
            cx.tx.bump("host").await?;
            let value = json!({"host": self.host, "samples": samples});
            Ok(Done::new("host", &self.host, say::removed(&self.host, samples)).detail(value.clone()).value(value))
        })
    }
}
