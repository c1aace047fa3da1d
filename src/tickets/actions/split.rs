//! One ticket that holds two matters: what was said of the second becomes a ticket of its own.

use std::sync::Arc;

use serde_json::{Value, json};

use super::new::{New, create};
use super::{Change, What, json_of};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::Millis;
use crate::locale::tickets as say;
use crate::tickets::model::{Happening, Ticket, messages};
use crate::tickets::store;

/// A message of ticket `id`, or all of its text, becomes a ticket of its own. Nothing is taken from the old one.
#[derive(Debug, Clone)]
pub struct Split {
    /// The ticket that it is split from.
    pub id: i64,
    /// What the new one is about, in one line.
    pub title: String,
    /// Which of its [`messages`], from 1; the text of the ticket where none is given.
    pub message: Option<usize>,
}

/// What the new ticket is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What was said.
    pub text: String,
    /// By whom.
    pub from: String,
    /// How it came in.
    pub channel: String,
    /// Where they are reached by it; may be empty.
    pub contact: String,
    /// When they said it.
    pub at: Millis,
}

/// The part of a ticket that `message` names, from 1; none: its own text. `None` when there is no such message.
pub fn part(t: &Ticket, past: &[Happening], message: Option<usize>) -> Option<Part> {
    let h = match message {
        Some(n) => past.get(*messages(past).get(n.checked_sub(1)?)?)?,
        None => past.first()?,
    };
    let text = |key: &str| h.data[key].as_str().unwrap_or_default().to_owned();
    let or = |own: String, other: &str| if own.is_empty() { other.to_owned() } else { own };
    let (said, from) = if message.is_some() { (text("text"), text("from")) } else { (t.body.clone(), String::new()) };
    let at = h.data["reported_at"].as_i64().unwrap_or(h.at);
    Some(Part {
        text: said,
        from: or(from, &t.reporter),
        channel: or(text("channel"), &t.channel),
        contact: text("contact"),
        at: if message.is_some() { at } else { t.reported_at },
    })
}

/// A link to another ticket, noted on ticket `id`.
async fn link(cx: &mut Apply<'_>, id: i64, to: i64, relation: &str) -> Result<Done, ActionError> {
    let snapshot = json!({"relation": relation});
    Change::new(id, What::Link { kind: "ticket".into(), subject: format!("#{to}"), snapshot }).make(cx).await
}

impl Action for Split {
    fn verb(&self) -> &'static str {
        "ticket.split"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: format!("#{}", self.id) };
            let (old, past) = store::load(cx.tx, self.id).await?.ok_or_else(missing)?;
            let no_message = || ActionError::NotFound { what: say::message_named(self.message.unwrap_or(0), self.id) };
            let part = part(&old, &past, self.message).ok_or_else(no_message)?;
            let new = New {
                title: self.title.clone(),
                body: part.text,
                scope: old.scope,
                severity: old.severity,
                channel: part.channel,
                reporter: part.from,
                contact: part.contact,
                reported_at: Some(part.at.min(cx.now)),
                late_reason: Some(say::split_from(self.id)),
                intake_key: None,
            };
            let (fresh, mut detail) = create(cx, &new, None).await?;
            link(cx, fresh.id, self.id, "split_from").await?;
            let linked = link(cx, self.id, fresh.id, "split_into").await?;
            let made = store::load(cx.tx, fresh.id).await?.map_or(fresh, |(t, _)| t);
            let mut value = json_of(&made, cx.now);
            value["split_from"] = json!(self.id);
            detail["split_from"] = json!(self.id);
            let back =
                Unsplit { split: self.clone(), new: made.id, version: made.version, link: linked.as_undo().cloned() };
            Ok(Done::new("ticket", made.id, say::split(made.id, self.id)).detail(detail).value(value).undo(back))
        })
    }
}

/// The inverse of a [`Split`]: the new ticket is void, and counts as one that was merged.
#[derive(Debug)]
struct Unsplit {
    split: Split,
    new: i64,
    /// Refused when somebody has done something to it since.
    version: i64,
    link: Option<Arc<dyn Action>>,
}

impl Action for Unsplit {
    fn verb(&self) -> &'static str {
        "ticket.unsplit"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let missing = || ActionError::NotFound { what: format!("#{}", self.new) };
            let (mut t, mut past) = store::load(cx.tx, self.new).await?.ok_or_else(missing)?;
            if t.version != self.version {
                return Err(cx.conflict(format!("#{}", self.new), "ticket", &self.new.to_string()).await);
            }
            let policy = store::terms(cx.tx, &cx.config.tickets, cx.now).await?;
            let (known, change) = (past.len(), Change::new(self.new, What::Tick));
            t.state = "merged".into();
            t.merged_into = Some(self.split.id);
            t.version += 1;
            let data = json!({"into": self.split.id, "void": true});
            past.push(Happening { at: cx.now, actor: cx.actor.name.clone(), kind: "merged".into(), data });
            change.write(cx, &mut t, &mut past, known, &policy).await?;
            if let Some(link) = &self.link {
                link.apply(cx).await?;
            }
            let detail: Value = json!({"into": self.split.id});
            let done = Done::new("ticket", self.new, say::unsplit(self.new)).detail(detail);
            Ok(done.value(json_of(&t, cx.now)).undo(self.split.clone()))
        })
    }
}
