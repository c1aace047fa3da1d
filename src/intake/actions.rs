//! What arrives becomes a ticket, or a message on one; once, however often it is sent.

use serde_json::{Value, json};

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{MINUTE, Millis};
use crate::intake::model::{Channel, Sender};
use crate::intake::store::{self, Arrival};
use crate::locale::intake as say;
use crate::tickets::actions::{Change, New, OLDEST, What};

/// How far ahead a sender's clock may be, in milliseconds.
pub const SKEW: Millis = 5 * MINUTE;

/// A report from outside: a new ticket.
#[derive(Debug, Clone)]
pub struct Report {
    /// The way it came.
    pub channel: Channel,
    /// Which token, mailbox or application.
    pub source: String,
    /// The sender's name of the message; the same one again gives the same ticket.
    pub key: Option<String>,
    /// Digest of what was sent: another body under the same key is refused.
    pub digest: String,
    /// Who reports.
    pub sender: Sender,
    /// The part of the OA it is about.
    pub module: String,
    /// One line.
    pub title: String,
    /// Everything else.
    pub body: String,
    /// `individual`, `department` or `company`.
    pub scope: String,
    /// `general`, `important` or `urgent`.
    pub severity: String,
    /// When they noticed; now where it is not given.
    pub reported_at: Option<Millis>,
}

/// What a sender is told of a ticket.
pub fn answer_of(ticket: &Value) -> Value {
    let keys = ["id", "level", "state", "reported_at", "response_due", "resolution_due"];
    keys.iter().map(|k| ((*k).to_owned(), ticket[*k].clone())).collect::<serde_json::Map<_, _>>().into()
}

/// The value of an [`Outcome`](crate::action::Outcome) of this room: what the sender is told, and whether they were
/// told before.
fn told(answer: Value, again: bool) -> Value {
    json!({"answer": answer, "again": again})
}

/// What was answered when `key` was heard before; an error when something else was said under it.
async fn heard(
    cx: &mut Apply<'_>,
    channel: Channel,
    source: &str,
    key: Option<&str>,
    digest: &str,
) -> Result<Option<Done>, ActionError> {
    let Some(key) = key else { return Ok(None) };
    let Some(seen) = store::seen(cx.tx, channel, source, key).await? else { return Ok(None) };
    if seen.digest != digest {
        return Err(ActionError::Taken(say::another_body(key)));
    }
    let answer = serde_json::from_str(&seen.answer).unwrap_or(Value::Null);
    let done = Done::new("ticket", seen.ticket_id, say::heard_before(seen.ticket_id));
    Ok(Some(done.value(told(answer, true)).unchanged()))
}

impl Action for Report {
    fn verb(&self) -> &'static str {
        "ticket.new"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if let Some(done) = heard(cx, self.channel, &self.source, self.key.as_deref(), &self.digest).await? {
                return Ok(done);
            }
            // a clock a little ahead is no reason to refuse a report
            let reported_at = self.reported_at.map(|at| if at <= cx.now + SKEW { at.min(cx.now) } else { at });
            // a sender who is told can put it right; the date of a mail is anybody's, and the mail is taken all the same
            let is_told = self.channel == Channel::Api;
            let reported_at = reported_at.filter(|at| is_told || (cx.now - OLDEST..=cx.now).contains(at));
            let new = New {
                title: self.title.clone(),
                body: self.body.clone(),
                scope: self.scope.clone(),
                severity: self.severity.clone(),
                channel: self.channel.word().into(),
                reporter: self.sender.shown().to_owned(),
                reported_at,
                late_reason: Some(say::dated_by_sender()),
                ..New::default()
            };
            let made = new.apply(cx).await?;
            let id = made.as_value()["id"].as_i64().unwrap_or_default();
            let answer = answer_of(made.as_value());
            let arrival = Arrival {
                channel: self.channel,
                source: &self.source,
                key: self.key.as_deref(),
                digest: &self.digest,
                ticket_id: id,
                sender: &self.sender,
                module: &self.module,
                answer: &answer.to_string(),
            };
            store::add_arrival(cx.tx, &arrival, cx.now).await?;
            let mut detail = made.as_detail().clone();
            detail["source"] = json!(self.source);
            Ok(Done::new("ticket", id, say::reported(id)).detail(detail).value(told(answer, false)))
        })
    }
}

/// A message from outside to a ticket that is there.
#[derive(Debug, Clone)]
pub struct Said {
    /// The way it came.
    pub channel: Channel,
    /// Which token, mailbox or application. It must have reported the ticket.
    pub source: String,
    /// The sender's name of the message.
    pub key: Option<String>,
    /// Digest of what was sent.
    pub digest: String,
    /// Who writes.
    pub sender: Sender,
    /// The ticket.
    pub ticket: i64,
    /// What they write.
    pub text: String,
}

impl Action for Said {
    fn verb(&self) -> &'static str {
        "ticket.message"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if let Some(done) = heard(cx, self.channel, &self.source, self.key.as_deref(), &self.digest).await? {
                return Ok(done);
            }
            let contacts = store::contacts_in(cx.tx, self.ticket).await?;
            let known = contacts.iter().find(|c| c.channel == self.channel.word() && c.source == self.source);
            let Some(known) = known else {
                return Err(ActionError::NotFound { what: format!("#{}", self.ticket) });
            };
            self.add(cx, &known.sender, &known.module).await
        })
    }
}

impl Said {
    /// Adds it to the ticket, which the caller knows to be meant.
    pub(super) async fn apply_as_known(&self, cx: &mut Apply<'_>) -> Result<Done, ActionError> {
        self.add(cx, &self.sender, "").await
    }

    async fn add(&self, cx: &mut Apply<'_>, reporter: &Sender, module: &str) -> Result<Done, ActionError> {
        let sender = if self.sender.address.is_empty() { reporter } else { &self.sender };
        let what = What::UserMessage { from: sender.shown().to_owned(), text: self.text.clone() };
        let made = Change::new(self.ticket, what).apply(cx).await?;
        let answer = answer_of(made.as_value());
        let arrival = Arrival {
            channel: self.channel,
            source: &self.source,
            key: self.key.as_deref(),
            digest: &self.digest,
            ticket_id: self.ticket,
            sender,
            module,
            answer: &answer.to_string(),
        };
        store::add_arrival(cx.tx, &arrival, cx.now).await?;
        let mut detail = made.as_detail().clone();
        detail["source"] = json!(self.source);
        Ok(Done::new("ticket", self.ticket, say::message_added(self.ticket)).detail(detail).value(told(answer, false)))
    }
}

/// A message of somebody who does not say which ticket they mean: it goes on their open one, or becomes a new one.
#[derive(Debug, Clone)]
pub struct Wrote {
    /// What a new ticket would be.
    pub report: Report,
    /// The text, as a message.
    pub text: String,
    /// A ticket counts as theirs for so long after they last wrote, in milliseconds.
    pub within: Millis,
}

impl Action for Wrote {
    fn verb(&self) -> &'static str {
        "ticket.message"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let r = &self.report;
            if let Some(done) = heard(cx, r.channel, &r.source, r.key.as_deref(), &r.digest).await? {
                return Ok(done);
            }
            let since = cx.now - self.within;
            match store::open_ticket_of(cx.tx, r.channel, &r.source, &r.sender.address, since).await? {
                Some(ticket) => {
                    let said = Said {
                        channel: r.channel,
                        source: r.source.clone(),
                        key: r.key.clone(),
                        digest: r.digest.clone(),
                        sender: r.sender.clone(),
                        ticket,
                        text: self.text.clone(),
                    };
                    said.apply(cx).await
                }
                None => r.apply(cx).await,
            }
        })
    }
}
