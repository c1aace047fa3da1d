//! The outbox in the store: its only SQL.

use crate::args;
use crate::clock::Millis;
use crate::notify::model::{Message, Queued};
use crate::store::{Row, Store, StoreError, Tx};

const COLUMNS: &str = "id, channel, recipient, subject, body, cause, ticket_id, thread, dedupe, created_at, next_at, state, \
                       tries, error, sent_at";

fn read(r: &Row<'_>) -> Result<Queued, StoreError> {
    let next_at = r.get(10)?;
    Ok(Queued {
        id: r.get(0)?,
        message: Message {
            channel: r.get(1)?,
            recipient: r.get(2)?,
            subject: r.get(3)?,
            body: r.get(4)?,
            cause: r.get(5)?,
            ticket_id: r.get(6)?,
            thread: r.get(7)?,
            dedupe: r.get(8)?,
            not_before: next_at,
        },
        created_at: r.get(9)?,
        next_at,
        state: r.get(11)?,
        tries: r.get(12)?,
        error: r.get(13)?,
        sent_at: r.get(14)?,
    })
}

/// Puts a message into the outbox in the caller's transaction; whether it is new there.
///
/// # Errors
/// When the store does not answer.
pub async fn put(tx: &mut Tx, m: &Message, now: Millis) -> Result<bool, StoreError> {
    let added = tx
        .exec(
            "INSERT INTO outbox(channel, recipient, subject, body, cause, ticket_id, thread, dedupe, created_at, next_at, \
             state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'queued') ON CONFLICT (dedupe) DO NOTHING",
            args![
                m.channel.as_str(),
                m.recipient.as_str(),
                m.subject.as_str(),
                m.body.as_str(),
                m.cause.as_str(),
                m.ticket_id,
                m.thread.as_str(),
                m.dedupe.as_str(),
                now,
                m.not_before
            ],
        )
        .await?;
    Ok(added == 1)
}

/// Keeps back what has not left of the messages of a ticket whose `dedupe` begins with `prefix`; how many have left, or
/// may be on their way at `now`: with any of those nothing is kept back where `all` is wanted.
///
/// # Errors
/// When the store does not answer.
pub async fn keep_back(tx: &mut Tx, ticket: i64, prefix: &str, all: bool, now: Millis) -> Result<i64, StoreError> {
    let like = format!("{prefix}%");
    let sql = "SELECT count(*) FROM outbox WHERE ticket_id = $1 AND dedupe LIKE $2 \
               AND (state = 'sent' OR (state = 'queued' AND next_at <= $3))";
    let left = tx.row(sql, args![ticket, like.as_str(), now], |r| r.get::<i64>(0)).await?.unwrap_or_default();
    if left > 0 && all {
        return Ok(left);
    }
    let sql = "UPDATE outbox SET state = 'discarded' WHERE ticket_id = $1 AND dedupe LIKE $2 AND state = 'queued'";
    if tx.exec(sql, args![ticket, like.as_str()]).await? > 0 {
        tx.bump("outbox").await?;
    }
    Ok(left)
}

/// Recipients of a channel for whom something is due: those whose oldest waiting message may be tried at `now`.
///
/// # Errors
/// When the store does not answer.
pub async fn recipients(store: &Store, channel: &str, now: Millis) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT q.recipient FROM (SELECT min(id) AS first FROM outbox WHERE channel = $1 AND state = 'queued' \
               GROUP BY recipient) f JOIN outbox q ON q.id = f.first WHERE q.next_at <= $2 ORDER BY q.id LIMIT 500";
    store.rows(sql, args![channel, now], |r| r.get(0)).await
}

/// What waits for a recipient and may leave, in order.
///
/// # Errors
/// When the store does not answer.
pub async fn waiting(store: &Store, channel: &str, recipient: &str, now: Millis) -> Result<Vec<Queued>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM outbox WHERE channel = $1 AND recipient = $2 AND state = 'queued' AND next_at <= $3 \
         ORDER BY id LIMIT 1000"
    );
    store.rows(&sql, args![channel, recipient, now], read).await
}

/// Takes a message that may leave at `now` for oneself until `until`; whether it was there to be taken. Of several
/// processes one gets it, also when one was stopped for a while and goes on with an old list.
///
/// # Errors
/// When the store does not answer.
pub async fn claim(store: &Store, id: i64, now: Millis, until: Millis) -> Result<bool, StoreError> {
    let mut tx = store.begin_measure().await?;
    let sql = "UPDATE outbox SET next_at = $3 WHERE id = $1 AND state = 'queued' AND next_at <= $2";
    let taken = tx.exec(sql, args![id, now, until]).await? == 1;
    tx.commit().await?;
    Ok(taken)
}

/// Messages that left a channel since `since`.
///
/// # Errors
/// When the store does not answer.
pub async fn sent_since(store: &Store, channel: &str, since: Millis) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM outbox WHERE channel = $1 AND sent_at > $2 AND digest_of IS NULL";
    Ok(store.row(sql, args![channel, since], |r| r.get(0)).await?.unwrap_or_default())
}

/// Numbers, for `IN (…)`.
fn numbers(ids: &[i64]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Notes that messages got through, those after the first as parts of it. A measurement: no journal row belongs to it.
///
/// # Errors
/// When the store does not answer.
pub async fn sent(store: &Store, ids: &[i64], now: Millis) -> Result<(), StoreError> {
    let Some(first) = ids.first() else { return Ok(()) };
    let mut tx = store.begin_measure().await?;
    let sql = format!(
        "UPDATE outbox SET state = 'sent', sent_at = $1, error = '', tries = tries + 1, \
         digest_of = CASE WHEN id = $2 THEN NULL ELSE $2 END WHERE state = 'queued' AND id IN ({})",
        numbers(ids)
    );
    tx.exec(&sql, args![now, *first]).await?;
    tx.bump("outbox").await?;
    tx.commit().await
}

/// Notes that messages did not get through: they are tried again at `next_at`, or given up without one.
///
/// # Errors
/// When the store does not answer.
pub async fn failed(store: &Store, ids: &[i64], why: &str, next_at: Option<Millis>) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    let sql = format!(
        "UPDATE outbox SET state = $1, error = $2, next_at = coalesce($3, next_at), tries = tries + 1 \
         WHERE state = 'queued' AND id IN ({})",
        numbers(ids)
    );
    let state = if next_at.is_some() { "queued" } else { "dead" };
    tx.exec(&sql, args![state, why, next_at]).await?;
    if next_at.is_none() {
        tx.bump("trouble").await?;
    }
    tx.bump("outbox").await?;
    tx.commit().await
}

/// What is in the outbox, newest first; only one state where one is given.
///
/// # Errors
/// When the store does not answer.
pub async fn list(store: &Store, state: Option<&str>, limit: i64) -> Result<Vec<Queued>, StoreError> {
    match state {
        Some(state) => {
            let sql = format!("SELECT {COLUMNS} FROM outbox WHERE state = $1 ORDER BY id DESC LIMIT $2");
            store.rows(&sql, args![state, limit], read).await
        }
        None => {
            let sql = format!("SELECT {COLUMNS} FROM outbox ORDER BY id DESC LIMIT $1");
            store.rows(&sql, args![limit], read).await
        }
    }
}

/// Messages by state: waiting, given up.
///
/// # Errors
/// When the store does not answer.
pub async fn counts(store: &Store) -> Result<(i64, i64), StoreError> {
    let count = async |state: &str| {
        let sql = "SELECT count(*) FROM outbox WHERE state = $1";
        Ok::<i64, StoreError>(store.row(sql, args![state], |r| r.get(0)).await?.unwrap_or_default())
    };
    Ok((count("queued").await?, count("dead").await?))
}

/// Sets the state of a message in one of `from`; the state it was in, when it was another.
pub(super) async fn set_state(
    tx: &mut Tx,
    id: i64,
    from: &[&str],
    to: &str,
    next_at: Millis,
) -> Result<Option<String>, StoreError> {
    let found = tx.row("SELECT state FROM outbox WHERE id = $1", args![id], |r| r.get::<String>(0)).await?;
    if let Some(state) = &found
        && from.contains(&state.as_str())
    {
        let sql = "UPDATE outbox SET state = $2, next_at = $3, tries = 0 WHERE id = $1";
        tx.exec(sql, args![id, to, next_at]).await?;
    }
    Ok(found)
}
