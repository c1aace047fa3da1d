//! The append-only, hash-chained record of every decision.
//!
//! A row is written in the transaction of the change it records. Its hash is SHA-256 over a version tag and the
//! length-prefixed fields, the hash of the row before among them, so that no field border can be shifted and no row
//! changed, removed or put in between unseen. A chain alone proves nothing against whoever can rewrite all of it.

use sha2::{Digest, Sha256};

use crate::args;
use crate::clock::Millis;
use crate::store::{Dialect, Row, Store, StoreError, Tx};

const TAG: &[u8] = b"zhiban-journal-1";
/// `prev_hash` of the first row.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What a row says, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was decided.
    pub at: Millis,
    /// Who decided: an operator's name, or `system`.
    pub actor: String,
    /// From where: `console`, `cli`, `serve`, with how the actor is known.
    pub origin: String,
    /// The kind of thing changed: `ticket`, `operator`, …; also the topic of the live feed.
    pub subject_kind: String,
    /// Which one.
    pub subject_id: String,
    /// What was done: `ticket.claim`.
    pub verb: String,
    /// The particulars, a JSON object.
    pub detail: String,
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Place in the chain, from 1, without gaps.
    pub seq: i64,
    /// What it says.
    pub entry: Entry,
    /// Hash of the row before, 64 hex digits.
    pub prev_hash: String,
    /// Hash of this row, 64 hex digits.
    pub hash: String,
}

/// Result of [`verify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Rows looked at.
    pub rows: i64,
    /// First row whose place, predecessor or hash is wrong.
    pub first_broken: Option<i64>,
}

/// The hash that belongs to `entry` at place `seq` after the row whose hash is `prev_hash`: 64 hex digits.
pub fn hash_of(seq: i64, entry: &Entry, prev_hash: &str) -> String {
    let mut h = Sha256::new();
    h.update(TAG);
    h.update(seq.to_be_bytes());
    h.update(entry.at.to_be_bytes());
    for field in
        [prev_hash, &entry.actor, &entry.origin, &entry.subject_kind, &entry.subject_id, &entry.verb, &entry.detail]
    {
        h.update((field.len() as u64).to_be_bytes());
        h.update(field.as_bytes());
    }
    crate::digest::hex(&h.finalize())
}

/// Appends `entry` in the caller's transaction (opened by [`Store::begin`], which serialises writers) and wakes the
/// watchers of its subject's kind. Returns its place.
///
/// # Errors
/// When the store does not answer; the transaction must not be committed then.
pub async fn append(tx: &mut Tx, mut entry: Entry) -> Result<i64, StoreError> {
    for field in [
        &mut entry.actor,
        &mut entry.origin,
        &mut entry.subject_kind,
        &mut entry.subject_id,
        &mut entry.verb,
        &mut entry.detail,
    ] {
        if field.contains('\0') {
            *field = field.replace('\0', "␀");
        }
    }
    let head = tx.journal_head().await?;
    let (seq, prev_hash) = head.map_or((1, GENESIS.to_owned()), |(seq, hash)| (seq + 1, hash));
    let hash = hash_of(seq, &entry, &prev_hash);
    let topic = entry.subject_kind.clone();
    let head = (seq, hash.clone());
    let values = args![
        seq,
        entry.at,
        entry.actor,
        entry.origin,
        entry.subject_kind,
        entry.subject_id,
        entry.verb,
        entry.detail,
        prev_hash,
        hash
    ];
    match tx.dialect() {
        Dialect::Sqlite => {
            tx.exec("INSERT INTO journal VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", values).await?;
            tx.bump(&topic).await?;
        }
        // one round trip for the row, the change counter and the notification
        Dialect::Postgres => {
            tx.exec(
                "WITH j AS (INSERT INTO journal VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)), \
                 c AS (INSERT INTO change(topic, seq) VALUES ($5, 1) \
                 ON CONFLICT(topic) DO UPDATE SET seq = change.seq + 1) SELECT pg_notify('zhiban', $5)",
                values,
            )
            .await?;
            tx.bumped(&topic);
        }
    }
    tx.head = Some(head);
    Ok(seq)
}

const COLUMNS: &str = "seq, at, actor, origin, subject_kind, subject_id, verb, detail, prev_hash, hash";

fn read(r: &Row<'_>) -> Result<JournalRow, StoreError> {
    Ok(JournalRow {
        seq: r.get(0)?,
        entry: Entry {
            at: r.get(1)?,
            actor: r.get(2)?,
            origin: r.get(3)?,
            subject_kind: r.get(4)?,
            subject_id: r.get(5)?,
            verb: r.get(6)?,
            detail: r.get(7)?,
        },
        prev_hash: r.get(8)?,
        hash: r.get(9)?,
    })
}

/// Rows after place `after`, in order, at most `limit`.
///
/// # Errors
/// When the store does not answer.
pub async fn page(store: &Store, after: i64, limit: i64) -> Result<Vec<JournalRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM journal WHERE seq > $1 ORDER BY seq LIMIT $2");
    store.rows(&sql, args![after, limit], read).await
}

/// The newest `limit` rows, newest first; only those about `subject` (kind, id) where one is given.
///
/// # Errors
/// When the store does not answer.
pub async fn newest(store: &Store, subject: Option<(&str, &str)>, limit: i64) -> Result<Vec<JournalRow>, StoreError> {
    match subject {
        Some((kind, id)) => {
            let sql = format!(
                "SELECT {COLUMNS} FROM journal WHERE subject_kind = $1 AND subject_id = $2 ORDER BY seq DESC LIMIT $3"
            );
            store.rows(&sql, args![kind, id, limit], read).await
        }
        None => {
            let sql = format!("SELECT {COLUMNS} FROM journal ORDER BY seq DESC LIMIT $1");
            store.rows(&sql, args![limit], read).await
        }
    }
}

/// How far the follower `name` has read; `None` when it has not begun.
///
/// # Errors
/// When the store does not answer.
pub async fn followed(store: &Store, name: &str) -> Result<Option<i64>, StoreError> {
    store.row("SELECT seq FROM follower WHERE name = $1", args![name], |r| r.get(0)).await
}

/// Lets the follower `name` begin with what comes next.
///
/// # Errors
/// When the store does not answer.
pub async fn follow_from_here(store: &Store, name: &str) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    let sql = "INSERT INTO follower(name, seq) SELECT $1, coalesce(max(seq), 0) FROM journal WHERE true \
               ON CONFLICT DO NOTHING";
    tx.exec(sql, args![name]).await?;
    tx.commit().await
}

/// Notes how far the follower `name` has read, in the transaction of what it made of it.
///
/// # Errors
/// When the store does not answer.
pub async fn follow_to(tx: &mut Tx, name: &str, seq: i64) -> Result<(), StoreError> {
    tx.exec("UPDATE follower SET seq = $2 WHERE name = $1 AND seq < $2", args![name, seq]).await?;
    Ok(())
}

/// Who changed a thing last, and when; inside a transaction.
///
/// # Errors
/// When the store does not answer.
pub async fn last_change(tx: &mut Tx, kind: &str, id: &str) -> Result<Option<(String, Millis)>, StoreError> {
    tx.row(
        "SELECT actor, at FROM journal WHERE subject_kind = $1 AND subject_id = $2 ORDER BY seq DESC LIMIT 1",
        args![kind, id],
        |r| Ok((r.get(0)?, r.get(1)?)),
    )
    .await
}

/// Recomputes the whole chain.
///
/// # Errors
/// When the store does not answer.
pub async fn verify(store: &Store) -> Result<Verified, StoreError> {
    let mut seq = 0;
    let mut prev = GENESIS.to_owned();
    let mut rows = 0;
    loop {
        let page = page(store, seq, 5_000).await?;
        if page.is_empty() {
            // a seq below 1 would have been passed over above
            let below = store
                .row("SELECT seq FROM journal WHERE seq < 1 ORDER BY seq LIMIT 1", vec![], |r| r.get::<i64>(0))
                .await?;
            return Ok(Verified { rows, first_broken: below });
        }
        for row in page {
            rows += 1;
            let whole = row.seq == seq + 1 && row.prev_hash == prev && row.hash == hash_of(row.seq, &row.entry, &prev);
            if !whole {
                // a gap breaks at the first missing place
                return Ok(Verified { rows, first_broken: Some((seq + 1).min(row.seq)) });
            }
            seq = row.seq;
            prev = row.hash;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifting_a_field_border_changes_the_hash() {
        let entry = |actor: &str, origin: &str| Entry {
            at: 1,
            actor: actor.into(),
            origin: origin.into(),
            subject_kind: "ticket".into(),
            subject_id: "1".into(),
            verb: "ticket.claim".into(),
            detail: "{}".into(),
        };
        assert_ne!(hash_of(1, &entry("ab", "c"), GENESIS), hash_of(1, &entry("a", "bc"), GENESIS));
        assert_ne!(hash_of(1, &entry("a", "b"), GENESIS), hash_of(2, &entry("a", "b"), GENESIS));
    }
}
