//! Alerts in the store: the only SQL of them.

use crate::args;
use crate::clock::Millis;
use crate::intake::alerts::model::{Alert, Changes};
use crate::store::{Row, Store, StoreError, Tx, Val};

/// A matter that was told before.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// Its ticket.
    pub ticket_id: i64,
    /// `firing` or `recovered`.
    pub state: String,
    /// How bad it was when last told.
    pub severity: String,
    /// When it changed between the two lately.
    pub changes: Changes,
    /// Whether it flaps.
    pub flapping: bool,
    /// Occurrences known.
    pub alerts: i64,
    /// Whether its ticket is open.
    pub is_open: bool,
}

const KNOWN: &str = "SELECT g.ticket_id, g.state, g.severity, g.changes, g.flapping, g.alerts, t.is_open \
                     FROM alert_group g JOIN ticket t ON t.id = g.ticket_id WHERE g.source = $1 AND g.key = $2";

fn read_known(r: &Row<'_>) -> Result<Known, StoreError> {
    Ok(Known {
        ticket_id: r.get(0)?,
        state: r.get(1)?,
        severity: r.get(2)?,
        changes: Changes::parse(&r.get::<String>(3)?),
        flapping: r.get(4)?,
        alerts: r.get(5)?,
        is_open: r.get(6)?,
    })
}

pub(super) async fn known(tx: &mut Tx, source: &str, key: &str) -> Result<Option<Known>, StoreError> {
    tx.row(KNOWN, args![source, key], read_known).await
}

/// Where a group is written: its names and where it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    pub source: &'a str,
    pub key: &'a str,
    pub place: &'a str,
    pub truncated: i64,
}

pub(super) async fn put_group(tx: &mut Tx, n: Named<'_>, k: &Known, now: Millis) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO alert_group(source, key, ticket_id, state, severity, place, changes, flapping, alerts, truncated, \
         first_at, last_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) \
         ON CONFLICT (source, key) DO UPDATE SET ticket_id = excluded.ticket_id, state = excluded.state, \
         severity = excluded.severity, place = excluded.place, changes = excluded.changes, flapping = excluded.flapping, \
         alerts = excluded.alerts, truncated = excluded.truncated, last_at = excluded.last_at",
        args![
            n.source,
            n.key,
            k.ticket_id,
            k.state.as_str(),
            k.severity.as_str(),
            n.place,
            k.changes.text(),
            k.flapping,
            k.alerts,
            n.truncated,
            now
        ],
    )
    .await?;
    Ok(())
}

/// Writes what was told of each occurrence. An occurrence that ended does not fire again.
pub(super) async fn put_alerts(tx: &mut Tx, n: Named<'_>, alerts: &[Alert], now: Millis) -> Result<(), StoreError> {
    let mut rows: Vec<Vec<Val>> = Vec::with_capacity(alerts.len());
    let mut seen = std::collections::HashSet::new();
    // the last word of a message counts: one statement may touch a row only once
    for a in alerts.iter().rev().filter(|a| seen.insert((&a.fingerprint, a.starts_at))) {
        let labels = serde_json::to_string(&a.labels).unwrap_or_default();
        rows.push(args![
            n.source,
            a.fingerprint.as_str(),
            a.starts_at,
            n.key,
            if a.ends_at.is_some() { "resolved" } else { "firing" },
            a.ends_at,
            a.summary.as_str(),
            labels,
            1_i64,
            now
        ]);
    }
    let head = "INSERT INTO alert(source, fingerprint, starts_at, group_key, status, ends_at, summary, labels, received, at) \
                VALUES";
    let tail = "ON CONFLICT (source, fingerprint, starts_at) DO UPDATE SET received = alert.received + 1, \
                at = excluded.at, ends_at = coalesce(alert.ends_at, excluded.ends_at), \
                status = CASE WHEN alert.status = 'resolved' THEN 'resolved' ELSE excluded.status END";
    tx.insert_many(head, rows, tail).await?;
    Ok(())
}

/// Occurrences of a group, and those of them that fire.
pub(super) async fn tally(tx: &mut Tx, source: &str, key: &str) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT count(*), count(CASE WHEN status = 'firing' THEN 1 END) FROM alert \
               WHERE source = $1 AND group_key = $2";
    Ok(tx.row(sql, args![source, key], |r| Ok((r.get(0)?, r.get(1)?))).await?.unwrap_or_default())
}

/// The open ticket of another matter in the same place, told since `since`.
pub(super) async fn related(tx: &mut Tx, n: Named<'_>, since: Millis) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT g.ticket_id FROM alert_group g JOIN ticket t ON t.id = g.ticket_id WHERE g.source = $1 \
               AND g.place = $2 AND g.key <> $3 AND g.last_at >= $4 AND t.is_open ORDER BY g.first_at LIMIT 1";
    tx.row(sql, args![n.source, n.place, n.key, since], |r| r.get(0)).await
}

/// Adds to how often a ticket's matter was reported; not a change that anybody decided.
pub(super) async fn add_reports(tx: &mut Tx, ticket: i64, more: i64) -> Result<(), StoreError> {
    tx.exec("UPDATE ticket SET reports = reports + $2 WHERE id = $1", args![ticket, more]).await?;
    Ok(())
}

/// Notes that a sender is alive.
pub(super) async fn heartbeat(tx: &mut Tx, source: &str, now: Millis) -> Result<(), StoreError> {
    let sql = "INSERT INTO alert_sender(source, heartbeat_at) VALUES ($1, $2) \
               ON CONFLICT (source) DO UPDATE SET heartbeat_at = excluded.heartbeat_at, missed_at = NULL";
    tx.exec(sql, args![source, now]).await?;
    Ok(())
}

/// Senders whose heartbeat has been missing since before `since` and that nobody was told of.
///
/// # Errors
/// When the store does not answer.
pub async fn silent(store: &Store, since: Millis) -> Result<Vec<(String, Millis)>, StoreError> {
    let sql =
        "SELECT source, heartbeat_at FROM alert_sender WHERE heartbeat_at < $1 AND missed_at IS NULL ORDER BY source";
    store.rows(sql, args![since], |r| Ok((r.get(0)?, r.get(1)?))).await
}

/// Senders that have fallen silent and were not heard since, with their last heartbeat.
///
/// # Errors
/// When the store does not answer.
pub async fn silent_now(store: &Store) -> Result<Vec<(String, Millis)>, StoreError> {
    let sql = "SELECT source, heartbeat_at FROM alert_sender WHERE missed_at IS NOT NULL ORDER BY source";
    store.rows(sql, args![], |r| Ok((r.get(0)?, r.get(1)?))).await
}

/// Notes that a sender's silence was told; whether it was the first time.
pub(super) async fn missed(tx: &mut Tx, source: &str, since: Millis, now: Millis) -> Result<bool, StoreError> {
    let sql = "UPDATE alert_sender SET missed_at = $3 WHERE source = $1 AND heartbeat_at < $2 AND missed_at IS NULL";
    Ok(tx.exec(sql, args![source, since, now]).await? == 1)
}

/// What a ticket's alerts come to, for its detail: state, flapping, occurrences, the newest in words.
///
/// # Errors
/// When the store does not answer.
pub async fn of_ticket(store: &Store, ticket: i64) -> Result<Vec<(String, bool, i64)>, StoreError> {
    let sql = "SELECT state, flapping, alerts FROM alert_group WHERE ticket_id = $1 ORDER BY first_at";
    store.rows(sql, args![ticket], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).await
}
