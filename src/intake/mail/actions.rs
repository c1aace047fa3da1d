//! What a mail does.

use serde_json::json;

use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::MINUTE;
use crate::intake::actions::{Report, Said};
use crate::intake::mail::model::{Mail, is_ours, number_in_subject, proven_tickets};
use crate::intake::model::{Channel, Sender, digest};
use crate::intake::store;
use crate::locale::intake as say;

/// The source of every mail: the same mail in two mailboxes is one.
pub const SOURCE: &str = "mail";

/// A mail has come.
#[derive(Debug, Clone)]
pub struct Came {
    /// The mail.
    pub mail: Mail,
    /// The key that signs our identities.
    pub key: String,
    /// Where it came.
    pub mailbox: String,
}

impl Came {
    fn sender(&self) -> Sender {
        Sender { address: self.mail.from.clone(), name: self.mail.name.clone(), contact: String::new() }
    }

    fn text(&self) -> String {
        if self.mail.text.is_empty() { say::empty_message() } else { self.mail.text.clone() }
    }

    /// The ticket that the mail continues: proven by our own identities, else by a mail that it answers and that came
    /// to us, else by a number in the subject that only somebody of the ticket may use.
    async fn ticket(&self, cx: &mut Apply<'_>) -> Result<Option<i64>, ActionError> {
        for ticket in proven_tickets(&self.mail, &self.key) {
            if store::title_in(cx.tx, ticket).await?.is_some() {
                return Ok(Some(ticket));
            }
        }
        for id in self.mail.before.iter().take(50) {
            if let Some(seen) = store::seen(cx.tx, Channel::Mail, SOURCE, id).await? {
                return Ok(Some(seen.ticket_id));
            }
        }
        if let Some(ticket) = number_in_subject(&self.mail.subject) {
            let contacts = store::contacts_in(cx.tx, ticket).await?;
            if contacts.iter().any(|c| c.channel == "mail" && c.sender.address == self.mail.from) {
                return Ok(Some(ticket));
            }
        }
        Ok(None)
    }

    fn report(&self, key: Option<String>) -> Report {
        let m = &self.mail;
        Report {
            channel: Channel::Mail,
            source: SOURCE.into(),
            key,
            digest: digest(m.whole.as_bytes()),
            sender: self.sender(),
            module: String::new(),
            title: if m.subject.is_empty() { say::no_subject() } else { m.subject.clone() },
            body: self.text(),
            scope: "individual".into(),
            severity: "general".into(),
            reported_at: m.at,
        }
    }
}

impl Action for Came {
    fn verb(&self) -> &'static str {
        "mail.came"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let m = &self.mail;
            if let Some(seen) = store::seen(cx.tx, Channel::Mail, SOURCE, &m.id).await? {
                // an identity is the sender's to choose: another mail under one that is known is kept, not dropped
                if seen.digest != digest(m.whole.as_bytes()) {
                    return Err(ActionError::Taken(say::another_body(&m.id)));
                }
                return Ok(Done::new("ticket", seen.ticket_id, say::heard_before(seen.ticket_id)).unchanged());
            }
            let ticket = self.ticket(cx).await?;
            let made = match ticket {
                Some(ticket) => {
                    let said = Said {
                        channel: Channel::Mail,
                        source: SOURCE.into(),
                        key: Some(m.id.clone()),
                        digest: digest(m.whole.as_bytes()),
                        sender: self.sender(),
                        ticket,
                        text: self.text(),
                    };
                    said.apply_as_known(cx).await?
                }
                None => self.report(Some(m.id.clone())).apply(cx).await?,
            };
            let id = made.as_value()["answer"]["id"].as_i64().unwrap_or_default();
            for a in &m.attachments {
                store::add_attachment(cx.tx, id, a, cx.now).await?;
            }
            let mut detail = made.as_detail().clone();
            detail["mailbox"] = json!(self.mailbox);
            detail["message_id"] = json!(m.id);
            detail["attachments"] = json!(m.attachments.len());
            Ok(Done::new("ticket", id, say::reported(id)).detail(detail).value(made.as_value().clone()))
        })
    }
}

/// Why a mail is not read as a report, without looking into the store: nobody wrote it, or we did.
pub fn loops(mail: &Mail, key: &str) -> Option<String> {
    if is_ours(mail, key) {
        return Some(say::our_own());
    }
    mail.automatic.as_deref().map(say::automatic)
}

/// The window in which the mails of a sender are counted.
pub const WINDOW: i64 = 10 * MINUTE;
