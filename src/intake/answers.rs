//! What the desk says goes back to who asked, by the way they came: replies, and the question how content they are.
//!
//! It follows the journal, so that nothing said is missed, whoever said it from where.

use std::time::Duration;

use serde_json::Value;

use crate::action::{ActionError, BoxFuture, Door, Job};
use crate::clock::Millis;
use crate::config::Config;
use crate::intake::store::{self, Contact};
use crate::journal::{self, JournalRow};
use crate::notify::model::{HOLD, Message, dedupe_prefix, sign};
use crate::notify::store as outbox;
use crate::notify::templates::{Values, fill};
use crate::store::{Store, Tx};

/// Its name among the followers of the journal.
const NAME: &str = "answers";
/// Rows of the journal read at once.
const PAGE: i64 = 500;

/// Puts answers into the outbox, every second.
#[derive(Debug)]
pub struct Answer;

/// Where a survey about `ticket` is answered; `None` when links are not configured.
pub fn survey_link(config: &Config, ticket: i64) -> Option<String> {
    let key = config.notify.link_key.reveal().ok().filter(|k| !k.is_empty())?;
    let base = config.notify.public_url.trim_end_matches('/');
    (!base.is_empty()).then(|| format!("{base}/s/{ticket}/{}", survey_mark(&key, ticket)))
}

/// What proves that a survey link was made here.
pub fn survey_mark(key: &str, ticket: i64) -> String {
    sign(key, &format!("survey {ticket}"))
}

/// The way back to a contact: channel and address; `None` for those who come and look (the HTTP interface).
fn way_back(config: &Config, contact: &Contact) -> Option<(String, String)> {
    let channel = config.notify.answer_by.get(&contact.channel)?;
    Some((channel.clone(), contact.sender.address.clone()))
}

/// Who hears of a ticket. Who wrote themselves comes first: their message is what a mail answers.
async fn told(store: &Store, ticket: i64) -> Result<Vec<Contact>, ActionError> {
    let mut written = store::contacts(store, ticket).await?;
    written.reverse();
    written.extend(store::reporters(store, ticket).await?);
    // what was split off came by the way that it came in with the other
    if written.is_empty()
        && let Some((from, reporter)) = store::split_from(store, ticket).await?
    {
        let all = store::contacts(store, from).await?;
        written.extend(all.into_iter().rev().filter(|c| c.sender.shown() == reporter));
    }
    Ok(written)
}

/// The messages that follow from a row of the journal.
async fn messages(store: &Store, config: &Config, row: &JournalRow) -> Result<Vec<Message>, ActionError> {
    let e = &row.entry;
    let (template, field) = match e.verb.as_str() {
        "ticket.reply" => ("reply", "text"),
        "ticket.resolve" => ("survey", "solution"),
        _ => return Ok(vec![]),
    };
    let Ok(ticket) = e.subject_id.parse::<i64>() else { return Ok(vec![]) };
    let link = survey_link(config, ticket).unwrap_or_default();
    if template == "survey" && link.is_empty() {
        return Ok(vec![]);
    }
    let Some(title) = store::title(store, ticket).await? else { return Ok(vec![]) };
    let detail: Value = serde_json::from_str(&e.detail).unwrap_or(Value::Null);
    let n = place(&detail["n"]);
    if let Some(n) = n
        && store::is_taken_back(store, ticket, n).await?
    {
        return Ok(vec![]);
    }
    // what was said by an older version has no place
    let prefix = n.map_or_else(|| format!("{template}:{}:", row.seq), |n| dedupe_prefix(template, ticket, n));
    let values = Values::from([
        ("ticket", ticket.to_string()),
        ("title", crate::text::clean(&title).into_owned()),
        ("text", crate::text::clean_lines(detail[field].as_str().unwrap_or_default()).join("\n")),
        ("link", link),
    ]);
    let (subject, body) = fill(&config.notify, template, &values).map_err(ActionError::Invalid)?;
    let mut out: Vec<Message> = Vec::new();
    for contact in &told(store, ticket).await? {
        let Some((channel, recipient)) = way_back(config, contact) else { continue };
        if out.iter().any(|m| m.channel == channel && m.recipient == recipient) {
            continue;
        }
        out.push(Message {
            dedupe: format!("{prefix}{channel}:{recipient}"),
            channel,
            recipient,
            subject: subject.clone(),
            body: body.clone(),
            cause: template.into(),
            ticket_id: Some(ticket),
            thread: contact.key.clone().filter(|_| contact.channel == "mail").unwrap_or_default(),
            not_before: e.at + HOLD,
        });
    }
    Ok(out)
}

fn place(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

/// Keeps back what follows from a happening that was taken back while its messages were being put into the outbox.
async fn keep_back(tx: &mut Tx, row: &JournalRow, now: Millis) -> Result<(), ActionError> {
    let Ok(ticket) = row.entry.subject_id.parse::<i64>() else { return Ok(()) };
    let detail: Value = serde_json::from_str(&row.entry.detail).unwrap_or(Value::Null);
    for n in detail["places"].as_array().into_iter().flatten().filter_map(place) {
        for template in ["reply", "survey"] {
            outbox::keep_back(tx, ticket, &dedupe_prefix(template, ticket, n), false, now).await?;
        }
    }
    Ok(())
}

impl Job for Answer {
    fn name(&self) -> &'static str {
        "intake.answer"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            let (s, config) = (door.store(), door.config());
            let Some(after) = journal::followed(s, NAME).await? else {
                // what was said before anybody followed was answered otherwise
                return Ok(journal::follow_from_here(s, NAME).await?);
            };
            let rows = journal::page(s, after, PAGE).await?;
            let Some(last) = rows.last().map(|r| r.seq) else { return Ok(()) };
            let mut tx = s.begin_measure().await?;
            for row in &rows {
                if row.entry.verb == "ticket.undo" {
                    keep_back(&mut tx, row, door.clock().now()).await?;
                }
                for message in messages(s, config, row).await? {
                    outbox::put(&mut tx, &message, door.clock().now()).await?;
                }
            }
            journal::follow_to(&mut tx, NAME, last).await?;
            Ok(tx.commit().await?)
        })
    }
}
