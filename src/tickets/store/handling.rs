//! How long tickets took, and the last safe start of the open ones. Derived figures, kept by a job: no journal row
//! belongs to them.

use super::read_happening;
use crate::args;
use crate::clock::{DAY, Millis};
use crate::config::Tickets;
use crate::store::{Store, StoreError};
use crate::tickets::handling::{Ahead, Outlook, Typical, WEIGHED, like, outlook as judge};
use crate::tickets::model::{Happening, NEVER};

/// Most solved tickets that medians are taken of: the last solved.
const MEASURED: i64 = 5_000;

/// Whose first answer is overdue for longer than this has no solution that is still in time: a backlog of years is not
/// read for it.
const OVERDUE: Millis = 60 * DAY;

/// The part of the OA that a ticket is about, else the way it came.
const CATEGORY: &str = "coalesce((SELECT a.module FROM arrival a WHERE a.ticket_id = t.id AND a.module <> '' \
                        ORDER BY a.id LIMIT 1), t.channel)";

/// Tickets solved since `since` whose handling was not measured, the last solved first, each with what happened to it.
///
/// # Errors
/// When the store does not answer.
pub async fn unmeasured(
    store: &Store,
    since: Millis,
    limit: i64,
) -> Result<Vec<(i64, String, Vec<Happening>)>, StoreError> {
    let sql = format!(
        "SELECT t.id, {CATEGORY} FROM ticket t WHERE t.state = 'resolved' AND t.handling IS NULL AND t.resolved_at >= $1 \
         ORDER BY t.resolved_at DESC LIMIT $2"
    );
    let found = store.rows(&sql, args![since, limit], |r| Ok((r.get::<i64>(0)?, r.get::<String>(1)?))).await?;
    let ids = found.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(",");
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let sql =
        format!("SELECT at, actor, kind, data, ticket_id FROM ticket_event WHERE ticket_id IN ({ids}) ORDER BY n");
    let events = store.rows(&sql, args![], |r| Ok((r.get::<i64>(4)?, read_happening(r)?))).await?;
    let mut out: Vec<(i64, String, Vec<Happening>)> = found.into_iter().map(|(id, c)| (id, c, vec![])).collect();
    let place: std::collections::HashMap<i64, usize> = out.iter().enumerate().map(|(i, (id, ..))| (*id, i)).collect();
    for (id, happening) in events {
        if let Some(i) = place.get(&id) {
            out[*i].2.push(happening);
        }
    }
    Ok(out)
}

/// Keeps what was measured: ticket, category, handling (none: it tells nothing).
///
/// # Errors
/// When the store does not answer.
pub async fn measured(store: &Store, all: &[(i64, String, Option<Millis>)]) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    for (id, category, handling) in all {
        let sql = "UPDATE ticket SET category = $2, handling = $3 WHERE id = $1 AND state = 'resolved'";
        tx.exec(sql, args![*id, category.as_str(), handling.unwrap_or(-1)]).await?;
    }
    tx.commit().await
}

/// The handling of the tickets last solved since `since`: category, level, open milliseconds.
///
/// # Errors
/// When the store does not answer.
pub async fn handlings(store: &Store, since: Millis) -> Result<Vec<(String, String, Millis)>, StoreError> {
    let sql = "SELECT coalesce(category, channel), level, handling FROM ticket WHERE handling >= 0 AND resolved_at >= $1 \
               ORDER BY resolved_at DESC LIMIT $2";
    store.rows(sql, args![since, MEASURED], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).await
}

/// How long tickets of each kind take.
///
/// # Errors
/// When the store does not answer.
pub async fn typical(store: &Store) -> Result<Vec<Typical>, StoreError> {
    let sql = "SELECT category, level, n, median FROM handling ORDER BY category, level";
    let read = |r: &crate::store::Row<'_>| {
        Ok(Typical { category: r.get(0)?, level: r.get(1)?, n: r.get(2)?, median: r.get(3)? })
    };
    store.rows(sql, args![], read).await
}

/// Keeps how long tickets of each kind take; the open tickets of `levels` are to be counted anew.
///
/// # Errors
/// When the store does not answer.
pub async fn put_typical(store: &Store, all: &[Typical], levels: &[&str]) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    tx.exec("DELETE FROM handling", args![]).await?;
    for t in all {
        let sql = "INSERT INTO handling(category, level, n, median) VALUES ($1, $2, $3, $4)";
        tx.exec(sql, args![t.category.as_str(), t.level.as_str(), t.n, t.median]).await?;
    }
    for level in levels {
        // the empty one is the kind of all
        let which = if level.is_empty() { "$1 = ''" } else { "level = $1" };
        let sql = format!("UPDATE ticket SET safe_stale = TRUE WHERE is_open AND NOT safe_stale AND {which}");
        tx.exec(&sql, args![*level]).await?;
    }
    tx.commit().await
}

/// An open ticket whose last safe start is to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsafe {
    /// The ticket.
    pub id: i64,
    /// Its level.
    pub level: String,
    /// Its category.
    pub category: String,
    /// When its solution is due; none while the clock does not run.
    pub due: Option<Millis>,
    /// What is kept now.
    pub kept: Millis,
}

/// Open tickets whose last safe start is to be counted, at most `limit`.
///
/// # Errors
/// When the store does not answer.
pub async fn uncounted(store: &Store, limit: i64) -> Result<Vec<Unsafe>, StoreError> {
    let sql = format!(
        "SELECT t.id, t.level, {CATEGORY}, t.resolution_due, t.safe_start FROM ticket t WHERE t.is_open AND t.safe_stale \
         ORDER BY t.id LIMIT $1"
    );
    let read = |r: &crate::store::Row<'_>| {
        Ok(Unsafe { id: r.get(0)?, level: r.get(1)?, category: r.get(2)?, due: r.get(3)?, kept: r.get(4)? })
    };
    store.rows(&sql, args![limit], read).await
}

/// Keeps the last safe starts of open tickets, of each unless it has changed since it was read. Those who watch are told
/// when one is another than before.
///
/// # Errors
/// When the store does not answer.
pub async fn count_safe_starts(store: &Store, all: &[(Unsafe, Option<Millis>)]) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    let mut moved = false;
    for (t, at) in all {
        let at = at.unwrap_or(NEVER);
        let sql = "UPDATE ticket SET safe_start = $2, safe_stale = FALSE, category = $3 WHERE id = $1 AND is_open \
                   AND level = $4 AND coalesce(resolution_due, -1) = $5";
        tx.exec(sql, args![t.id, at, t.category.as_str(), t.level.as_str(), t.due.unwrap_or(-1)]).await?;
        moved |= at != t.kept;
    }
    if moved {
        tx.bump("ticket").await?;
    }
    tx.commit().await
}

/// Which of the open tickets cannot all be done in time by `hands` people.
///
/// # Errors
/// When the store does not answer.
pub async fn outlook(
    store: &Store,
    config: &Tickets,
    typical: &[Typical],
    hands: usize,
    now: Millis,
) -> Result<Outlook, StoreError> {
    let policy = super::policy(store, config).await?;
    let takes = |category: &str, level: &str| like(typical, category, level).map(|t| t.median);
    let elapsed = |level: &str, since| policy.rule(level).map_or(0, |(_, c)| c.elapsed(since, now, &[]));
    let ahead = ahead(store, now, WEIGHED, takes, elapsed).await?;
    Ok(judge(&policy, ahead, hands.max(1), now))
}

/// The open tickets that are due next and not late, with what is left of the work that their kind takes: `typical` gives
/// that from category and level. One that somebody has is counted as begun when they got it.
///
/// # Errors
/// When the store does not answer.
async fn ahead(
    store: &Store,
    now: Millis,
    limit: i64,
    typical: impl Fn(&str, &str) -> Option<Millis>,
    elapsed: impl Fn(&str, Millis) -> Millis,
) -> Result<Vec<Ahead>, StoreError> {
    let sql = "SELECT k.id, k.level, coalesce(k.category, k.channel), k.resolution_due, (SELECT max(e.at) FROM ticket_event e \
               WHERE e.ticket_id = k.id AND k.owner IS NOT NULL AND e.kind IN ('claimed', 'assigned')) FROM \
               (SELECT id, level, category, channel, resolution_due, owner FROM ticket WHERE is_open AND urgency < $3 \
                AND urgency > $4 AND state <> 'waiting' AND resolution_due > $1 AND NOT resolution_breached ORDER BY urgency, id LIMIT $2) k";
    let rows = store
        .rows(sql, args![now, limit, NEVER, now - OVERDUE], |r| {
            let (level, category): (String, String) = (r.get(1)?, r.get(2)?);
            Ok((r.get::<i64>(0)?, level, category, r.get::<i64>(3)?, r.get::<Option<i64>>(4)?))
        })
        .await?;
    let work = |(id, level, category, due, since): (i64, String, String, Millis, Option<Millis>)| {
        let whole = typical(&category, &level)?;
        let done = since.map_or(0, |since| elapsed(&level, since));
        Some(Ahead { id, due, work: (whole - done).max(0), level })
    };
    Ok(rows.into_iter().filter_map(work).collect())
}
