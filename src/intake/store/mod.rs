//! Tokens, arrivals and the quarantine in the store: the room's only SQL.

mod told;

use crate::args;
use crate::clock::Millis;
use crate::intake::model::{Channel, Sender, TokenKind};
use crate::store::{Row, Store, StoreError, Tx};

pub use told::{is_taken_back, reporters, split_from};

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// Who sends with it.
    pub source: String,
    /// What it lets them do.
    pub kind: TokenKind,
    /// When it was made.
    pub created_at: Millis,
    /// By whom.
    pub created_by: String,
    /// When it was revoked.
    pub revoked_at: Option<Millis>,
}

fn read_token(r: &Row<'_>) -> Result<Token, StoreError> {
    let word: String = r.get(2)?;
    Ok(Token {
        id: r.get(0)?,
        source: r.get(1)?,
        kind: TokenKind::from_word(&word).ok_or_else(|| StoreError::Value(format!("token.kind: {word}")))?,
        created_at: r.get(3)?,
        created_by: r.get(4)?,
        revoked_at: r.get(5)?,
    })
}

/// All tokens, oldest first.
///
/// # Errors
/// When the store does not answer.
pub async fn tokens(store: &Store) -> Result<Vec<Token>, StoreError> {
    let sql = "SELECT id, source, kind, created_at, created_by, revoked_at FROM token ORDER BY id";
    store.rows(sql, vec![], read_token).await
}

/// The token with this hash, unless it was revoked.
///
/// # Errors
/// When the store does not answer.
pub async fn token_by_hash(store: &Store, hash: &str) -> Result<Option<Token>, StoreError> {
    let sql = "SELECT id, source, kind, created_at, created_by, revoked_at FROM token \
               WHERE hash = $1 AND revoked_at IS NULL";
    store.row(sql, args![hash], read_token).await
}

pub(super) async fn add_token(
    tx: &mut Tx,
    source: &str,
    kind: TokenKind,
    hash: &str,
    by: &str,
    now: Millis,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO token(source, kind, hash, created_at, created_by) VALUES ($1, $2, $3, $4, $5) RETURNING id";
    Ok(tx.row(sql, args![source, kind.word(), hash, now, by], |r| r.get(0)).await?.unwrap_or_default())
}

/// Revokes; whether there was such a token in force.
pub(super) async fn revoke_token(tx: &mut Tx, id: i64, now: Millis) -> Result<bool, StoreError> {
    let sql = "UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(tx.exec(sql, args![id, now]).await? == 1)
}

/// What a message became: the ticket, the digest of what was sent, and what the sender was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The ticket.
    pub ticket_id: i64,
    /// Digest of what was sent.
    pub digest: String,
    /// What the sender was told.
    pub answer: String,
}

/// What the message `key` of a source became, when it was heard before.
pub(super) async fn seen(tx: &mut Tx, channel: Channel, source: &str, key: &str) -> Result<Option<Seen>, StoreError> {
    let sql = "SELECT ticket_id, digest, answer FROM arrival WHERE channel = $1 AND source = $2 AND key = $3";
    tx.row(sql, args![channel.word(), source, key], |r| {
        Ok(Seen { ticket_id: r.get(0)?, digest: r.get(1)?, answer: r.get(2)? })
    })
    .await
}

/// Notes that something arrived.
#[derive(Debug, Clone)]
pub struct Arrival<'a> {
    /// The way.
    pub channel: Channel,
    /// Which token, mailbox or application.
    pub source: &'a str,
    /// The sender's name of the message.
    pub key: Option<&'a str>,
    /// Digest of what was sent.
    pub digest: &'a str,
    /// The ticket it became or continued.
    pub ticket_id: i64,
    /// Who sent it.
    pub sender: &'a Sender,
    /// The part of the OA it is about.
    pub module: &'a str,
    /// What the sender was told.
    pub answer: &'a str,
}

pub(super) async fn add_arrival(tx: &mut Tx, a: &Arrival<'_>, now: Millis) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO arrival(channel, source, key, digest, ticket_id, address, name, contact, module, answer, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            a.channel.word(),
            a.source,
            a.key,
            a.digest,
            a.ticket_id,
            a.sender.address.as_str(),
            a.sender.name.as_str(),
            a.sender.contact.as_str(),
            a.module,
            a.answer,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Who may read a ticket from outside, and where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The word of the channel.
    pub channel: String,
    /// Which token, mailbox or application.
    pub source: String,
    /// Who.
    pub sender: Sender,
    /// The part of the OA it is about.
    pub module: String,
    /// The sender's name of the message.
    pub key: Option<String>,
}

const CONTACTS: &str = "SELECT channel, source, address, name, contact, module, key FROM arrival \
                        WHERE ticket_id = $1 ORDER BY at, id";

fn read_contact(r: &Row<'_>) -> Result<Contact, StoreError> {
    let sender = Sender { address: r.get(2)?, name: r.get(3)?, contact: r.get(4)? };
    Ok(Contact { channel: r.get(0)?, source: r.get(1)?, sender, module: r.get(5)?, key: r.get(6)? })
}

/// Everybody who reported a ticket or wrote to it, first come first.
///
/// # Errors
/// When the store does not answer.
pub async fn contacts(store: &Store, ticket: i64) -> Result<Vec<Contact>, StoreError> {
    store.rows(CONTACTS, args![ticket], read_contact).await
}

/// As [`contacts`], inside an action.
///
/// # Errors
/// When the store does not answer.
pub async fn contacts_in(tx: &mut Tx, ticket: i64) -> Result<Vec<Contact>, StoreError> {
    tx.rows(CONTACTS, args![ticket], read_contact).await
}

/// The title of a ticket.
///
/// # Errors
/// When the store does not answer.
pub async fn title(store: &Store, ticket: i64) -> Result<Option<String>, StoreError> {
    store.row("SELECT title FROM ticket WHERE id = $1", args![ticket], |r| r.get(0)).await
}

/// As [`title`], inside an action.
pub(super) async fn title_in(tx: &mut Tx, ticket: i64) -> Result<Option<String>, StoreError> {
    tx.row("SELECT title FROM ticket WHERE id = $1", args![ticket], |r| r.get(0)).await
}

/// Keeps a file that came with a ticket.
pub(super) async fn add_attachment(
    tx: &mut Tx,
    ticket: i64,
    a: &crate::intake::mail::model::Attachment,
    now: Millis,
) -> Result<(), StoreError> {
    let digest = crate::intake::model::digest(&a.body);
    let sql = "INSERT INTO attachment(ticket_id, name, mime, sha256, body, at) VALUES ($1, $2, $3, $4, $5, $6)";
    tx.exec(sql, args![ticket, a.name.as_str(), a.mime.as_str(), digest, a.body.clone(), now]).await?;
    Ok(())
}

/// A file that came with a ticket, without what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub id: i64,
    /// Its name, as the sender gave it.
    pub name: String,
    /// Its MIME type, as the sender gave it.
    pub mime: String,
    /// SHA-256 of what it holds.
    pub sha256: String,
    /// Bytes of what it holds.
    pub size: i64,
    /// When it came.
    pub at: Millis,
}

/// The files of a ticket, oldest first.
///
/// # Errors
/// When the store does not answer.
pub async fn attachments(store: &Store, ticket: i64) -> Result<Vec<Kept>, StoreError> {
    let sql = "SELECT id, name, mime, sha256, CAST(length(body) AS BIGINT), at FROM attachment WHERE ticket_id = $1 ORDER BY id";
    store
        .rows(sql, args![ticket], |r| {
            Ok(Kept {
                id: r.get(0)?,
                name: r.get(1)?,
                mime: r.get(2)?,
                sha256: r.get(3)?,
                size: r.get(4)?,
                at: r.get(5)?,
            })
        })
        .await
}

/// What a file holds.
///
/// # Errors
/// When the store does not answer.
pub async fn attachment(store: &Store, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
    store.row("SELECT body FROM attachment WHERE id = $1", args![id], |r| r.get(0)).await
}

/// Messages of a sender in a channel since `since`.
///
/// # Errors
/// When the store does not answer.
pub async fn arrivals_since(store: &Store, channel: Channel, address: &str, since: Millis) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM arrival WHERE channel = $1 AND address = $2 AND at > $3";
    Ok(store.row(sql, args![channel.word(), address, since], |r| r.get(0)).await?.unwrap_or_default())
}

/// How far a mailbox was read: the validity of its numbers, and the last one.
///
/// # Errors
/// When the store does not answer.
pub async fn mailbox_read(store: &Store, name: &str) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = "SELECT uid_validity, last_uid FROM mailbox WHERE name = $1";
    store.row(sql, args![name], |r| Ok((r.get(0)?, r.get(1)?))).await
}

/// Notes how far a mailbox was read. A measurement: what was read is known by its identity.
///
/// # Errors
/// When the store does not answer.
pub async fn mailbox_read_to(
    store: &Store,
    name: &str,
    validity: i64,
    uid: i64,
    now: Millis,
) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    let sql = "INSERT INTO mailbox(name, uid_validity, last_uid, at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (name) DO UPDATE SET uid_validity = excluded.uid_validity, last_uid = excluded.last_uid, \
               at = excluded.at";
    tx.exec(sql, args![name, validity, uid, now]).await?;
    tx.commit().await
}

/// The newest open ticket of a person in a channel to which they wrote since `since`.
pub(super) async fn open_ticket_of(
    tx: &mut Tx,
    channel: Channel,
    source: &str,
    address: &str,
    since: Millis,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT a.ticket_id FROM arrival a JOIN ticket t ON t.id = a.ticket_id WHERE a.channel = $1 \
               AND a.source = $2 AND a.address = $3 AND a.at >= $4 AND t.is_open ORDER BY a.at DESC LIMIT 1";
    tx.row(sql, args![channel.word(), source, address, since], |r| r.get(0)).await
}

/// Something that arrived and could not be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub id: i64,
    /// When it arrived.
    pub at: Millis,
    /// The word of the channel.
    pub channel: String,
    /// Which token, mailbox or application.
    pub source: String,
    /// Why it could not be understood.
    pub reason: String,
    /// `held`, `retried` or `discarded`.
    pub state: String,
    /// How often it was tried again.
    pub tries: i64,
    /// What came of it.
    pub result: String,
    /// Bytes of what arrived.
    pub size: i64,
}

const HELD: &str = "id, at, channel, source, reason, state, tries, result, CAST(length(body) AS BIGINT)";

fn read_held(r: &Row<'_>) -> Result<Held, StoreError> {
    Ok(Held {
        id: r.get(0)?,
        at: r.get(1)?,
        channel: r.get(2)?,
        source: r.get(3)?,
        reason: r.get(4)?,
        state: r.get(5)?,
        tries: r.get(6)?,
        result: r.get(7)?,
        size: r.get(8)?,
    })
}

/// What is in quarantine, newest first; with `all`, what was dealt with too.
///
/// # Errors
/// When the store does not answer.
pub async fn quarantine(store: &Store, all: bool, limit: i64) -> Result<Vec<Held>, StoreError> {
    let only = if all { "" } else { "WHERE state = 'held'" };
    let sql = format!("SELECT {HELD} FROM quarantine {only} ORDER BY id DESC LIMIT $1");
    store.rows(&sql, args![limit], read_held).await
}

/// What waits in quarantine, newest first, each with the first `bytes` of what arrived.
///
/// # Errors
/// When the store does not answer.
pub async fn held_heads(store: &Store, limit: i64, bytes: i64) -> Result<Vec<(Held, Vec<u8>)>, StoreError> {
    // the place and the length are of one type on both databases only as literals
    let sql = format!(
        "SELECT {HELD}, substr(body, 1, {bytes}) FROM quarantine WHERE state = 'held' ORDER BY id DESC LIMIT $1"
    );
    store.rows(&sql, args![limit], |r| Ok((read_held(r)?, r.get(9)?))).await
}

/// How much waits in quarantine.
///
/// # Errors
/// When the store does not answer.
pub async fn held_count(store: &Store) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM quarantine WHERE state = 'held'";
    Ok(store.row(sql, vec![], |r| r.get(0)).await?.unwrap_or_default())
}

/// One thing in quarantine, with what arrived.
///
/// # Errors
/// When the store does not answer.
pub async fn held(store: &Store, id: i64) -> Result<Option<(Held, Vec<u8>)>, StoreError> {
    let sql = format!("SELECT {HELD}, body FROM quarantine WHERE id = $1");
    store.row(&sql, args![id], |r| Ok((read_held(r)?, r.get(9)?))).await
}

/// As [`held`], inside an action.
pub(super) async fn held_in(tx: &mut Tx, id: i64) -> Result<Option<(Held, Vec<u8>)>, StoreError> {
    let sql = format!("SELECT {HELD}, body FROM quarantine WHERE id = $1");
    tx.row(&sql, args![id], |r| Ok((read_held(r)?, r.get(9)?))).await
}

/// Puts something into quarantine; the same thing once. Gives its number, and whether it is new there.
pub(super) async fn hold(
    tx: &mut Tx,
    channel: &str,
    source: &str,
    reason: &str,
    body: &[u8],
    digest: &str,
    now: Millis,
) -> Result<(i64, bool), StoreError> {
    let added = tx
        .row(
            "INSERT INTO quarantine(at, channel, source, reason, body, digest, state) \
             VALUES ($1, $2, $3, $4, $5, $6, 'held') ON CONFLICT (channel, source, digest) DO NOTHING RETURNING id",
            args![now, channel, source, reason, body.to_vec(), digest],
            |r| r.get(0),
        )
        .await?;
    if let Some(id) = added {
        return Ok((id, true));
    }
    let sql = "SELECT id FROM quarantine WHERE channel = $1 AND source = $2 AND digest = $3";
    let id = tx.row(sql, args![channel, source, digest], |r| r.get(0)).await?.unwrap_or_default();
    Ok((id, false))
}

/// What waits in quarantine from a source: how many, and bytes of them.
pub(super) async fn held_from(tx: &mut Tx, channel: &str, source: &str) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT count(*), CAST(coalesce(sum(length(body)), 0) AS BIGINT) FROM quarantine \
               WHERE channel = $1 AND source = $2 AND state = 'held'";
    Ok(tx.row(sql, args![channel, source], |r| Ok((r.get(0)?, r.get(1)?))).await?.unwrap_or_default())
}

/// Notes what came of something in quarantine.
pub(super) async fn settle_held(tx: &mut Tx, id: i64, state: &str, result: &str, tries: i64) -> Result<(), StoreError> {
    let sql = "UPDATE quarantine SET state = $2, result = $3, tries = $4 WHERE id = $1";
    tx.exec(sql, args![id, state, result, tries]).await?;
    Ok(())
}

/// What `serve` says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name: host and process.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// When it last said so.
    pub at: Millis,
    /// What is wrong with how it listens; empty: nothing.
    pub finding: String,
}

/// Says that a service listens. A measurement: no journal row belongs to it.
///
/// # Errors
/// When the store does not answer.
pub async fn beat(store: &Store, s: &Service, started: Millis) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    tx.exec(
        "INSERT INTO service(name, address, version, started_at, at, finding) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (name) DO UPDATE SET address = excluded.address, version = excluded.version, \
         started_at = excluded.started_at, at = excluded.at, finding = excluded.finding",
        args![s.name.as_str(), s.address.as_str(), env!("CARGO_PKG_VERSION"), started, s.at, s.finding.as_str()],
    )
    .await?;
    tx.exec("DELETE FROM service WHERE at < $1", args![s.at - 30 * crate::clock::DAY]).await?;
    tx.commit().await
}

/// The services that have said something since `since`.
///
/// # Errors
/// When the store does not answer.
pub async fn services(store: &Store, since: Millis) -> Result<Vec<Service>, StoreError> {
    store
        .rows("SELECT name, address, at, finding FROM service WHERE at >= $1 ORDER BY name", args![since], |r| {
            Ok(Service { name: r.get(0)?, address: r.get(1)?, at: r.get(2)?, finding: r.get(3)? })
        })
        .await
}
