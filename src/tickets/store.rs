//! Tickets in the store.

use crate::args;
use crate::clock::Millis;
use crate::store::{Dialect, Row, Store, StoreError, Tx};
use crate::tickets::model::{Happening, Ticket};
use crate::tickets::search;

const COLUMNS: &str = "id, title, body, scope, severity, level, state, channel, reporter, owner, created_at, reported_at, \
    follow_up_at, pause_reason, flag, response_due, response_met_at, response_breached, resolution_due, resolved_at, \
    resolution_breached, born_late, risk_at, merged_into, reports, cause, solution, version";

fn read(r: &Row<'_>) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        id: r.get(0)?,
        title: r.get(1)?,
        body: r.get(2)?,
        scope: r.get(3)?,
        severity: r.get(4)?,
        level: r.get(5)?,
        state: r.get(6)?,
        channel: r.get(7)?,
        reporter: r.get(8)?,
        owner: r.get(9)?,
        created_at: r.get(10)?,
        reported_at: r.get(11)?,
        follow_up_at: r.get(12)?,
        pause_reason: r.get(13)?,
        flag: r.get(14)?,
        response_due: r.get(15)?,
        response_met_at: r.get(16)?,
        response_breached: r.get(17)?,
        resolution_due: r.get(18)?,
        resolved_at: r.get(19)?,
        resolution_breached: r.get(20)?,
        born_late: r.get(21)?,
        risk_at: r.get(22)?,
        merged_into: r.get(23)?,
        reports: r.get(24)?,
        cause: r.get(25)?,
        solution: r.get(26)?,
        version: r.get(27)?,
    })
}

/// A view of the open tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Queue {
    /// Three quarters of a budget used, or more.
    Breaching,
    /// Mine.
    Mine,
    /// Nobody's.
    Unassigned,
    /// Paused.
    Waiting,
    /// Every open one.
    All,
}

impl Queue {
    /// In the order of the screen.
    pub const ORDER: [Self; 5] = [Self::Breaching, Self::Mine, Self::Unassigned, Self::Waiting, Self::All];

    fn filter(self) -> &'static str {
        match self {
            Self::Breaching => "risk_at <= $1",
            Self::Mine => "owner = $2",
            Self::Unassigned => "owner IS NULL",
            Self::Waiting => "state = 'waiting'",
            Self::All => "true",
        }
    }
}

/// Makes every argument of a queue's statement used, whichever filter it has.
const USES_BOTH: &str = "CAST($1 AS BIGINT) IS NOT NULL AND CAST($2 AS TEXT) IS NOT NULL";

/// The most urgent tickets of a queue after (urgency, id) of `after`.
///
/// # Errors
/// When the store does not answer.
pub async fn page(
    store: &Store,
    queue: Queue,
    me: &str,
    now: Millis,
    after: Option<(i64, i64)>,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    let (urgency, id) = after.unwrap_or((i64::MIN, i64::MIN));
    let sql = format!(
        "SELECT {COLUMNS} FROM ticket WHERE is_open AND {} AND {USES_BOTH} AND (urgency, id) > ($3, $4) \
         ORDER BY urgency, id LIMIT $5",
        queue.filter()
    );
    store.rows(&sql, args![now, me, urgency, id, limit], read).await
}

/// How many tickets each queue holds, counted up to 10 000, in the order of [`Queue::ORDER`].
///
/// # Errors
/// When the store does not answer.
pub async fn counts(store: &Store, me: &str, now: Millis) -> Result<[i64; 5], StoreError> {
    let mut out = [0; 5];
    for (queue, count) in Queue::ORDER.into_iter().zip(&mut out) {
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM ticket WHERE is_open AND {} AND {USES_BOTH} LIMIT 10000) q",
            queue.filter()
        );
        *count = store.row(&sql, args![now, me], |r| r.get::<i64>(0)).await?.unwrap_or(0);
    }
    Ok(out)
}

/// Tickets whose title or body hold the words of `query`, newest first.
///
/// # Errors
/// When the store does not answer.
pub async fn find(store: &Store, query: &str, limit: i64) -> Result<Vec<Ticket>, StoreError> {
    let (sql, words) = match store.dialect() {
        Dialect::Sqlite => (
            format!(
                "SELECT {COLUMNS} FROM ticket WHERE id IN (SELECT rowid FROM ticket_search WHERE ticket_search MATCH $1 \
                 ORDER BY rowid DESC LIMIT $2) ORDER BY id DESC"
            ),
            search::fts5(query),
        ),
        Dialect::Postgres => (
            format!(
                "SELECT {COLUMNS} FROM ticket WHERE id IN (SELECT id FROM ticket_search \
                 WHERE words @@ to_tsquery('simple', $1) ORDER BY id DESC LIMIT $2) ORDER BY id DESC"
            ),
            search::tsquery(query),
        ),
    };
    match words {
        Some(words) => store.rows(&sql, args![words, limit], read).await,
        None => Ok(vec![]),
    }
}

/// One ticket.
///
/// # Errors
/// When the store does not answer.
pub async fn get(store: &Store, id: i64) -> Result<Option<Ticket>, StoreError> {
    store.row(&format!("SELECT {COLUMNS} FROM ticket WHERE id = $1"), args![id], read).await
}

fn read_happening(r: &Row<'_>) -> Result<Happening, StoreError> {
    let data: String = r.get(3)?;
    let data = serde_json::from_str(&data).map_err(|e| StoreError::Value(format!("ticket_event.data: {e}")))?;
    Ok(Happening { at: r.get(0)?, actor: r.get(1)?, kind: r.get(2)?, data })
}

const HAPPENINGS: &str = "SELECT at, actor, kind, data FROM ticket_event WHERE ticket_id = $1 ORDER BY n";

/// What happened to a ticket, in order.
///
/// # Errors
/// When the store does not answer.
pub async fn happenings(store: &Store, id: i64) -> Result<Vec<Happening>, StoreError> {
    store.rows(HAPPENINGS, args![id], read_happening).await
}

/// Tickets for which an instant of the clocks has passed: the work of a tick.
///
/// # Errors
/// When the store does not answer.
pub async fn overdue_marks(store: &Store, now: Millis) -> Result<Vec<i64>, StoreError> {
    store
        .rows("SELECT id FROM ticket WHERE is_open AND next_at <= $1 ORDER BY next_at LIMIT 500", args![now], |r| {
            r.get(0)
        })
        .await
}

/// One ticket with what happened to it, inside an action.
pub(super) async fn load(tx: &mut Tx, id: i64) -> Result<Option<(Ticket, Vec<Happening>)>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM ticket WHERE id = $1");
    let Some(ticket) = tx.row(&sql, args![id], read).await? else { return Ok(None) };
    let happenings = tx.rows(HAPPENINGS, args![id], read_happening).await?;
    Ok(Some((ticket, happenings)))
}

/// Adds a happening at place `n` (from 1).
pub(super) async fn add_happening(tx: &mut Tx, id: i64, n: usize, h: &Happening) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO ticket_event(ticket_id, n, at, actor, kind, data) VALUES ($1, $2, $3, $4, $5, $6)",
        args![id, n, h.at, h.actor.as_str(), h.kind.as_str(), h.data.to_string()],
    )
    .await?;
    Ok(())
}

/// What the queues sort and filter by.
pub(super) struct Keys {
    pub urgency: Millis,
    pub risk_at: Millis,
    pub next_at: Millis,
}

/// Inserts a ticket (its `id` is ignored) and gives it its number; the search index learns its words.
pub(super) async fn insert(tx: &mut Tx, t: &Ticket, keys: &Keys) -> Result<i64, StoreError> {
    let id = tx
        .row(
            "INSERT INTO ticket(title, body, scope, severity, level, state, channel, reporter, owner, created_at, reported_at, \
             response_due, response_breached, resolution_due, resolution_breached, born_late, urgency, risk_at, next_at, is_open) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, true) RETURNING id",
            args![
                t.title.as_str(), t.body.as_str(), t.scope.as_str(), t.severity.as_str(), t.level.as_str(), t.state.as_str(),
                t.channel.as_str(), t.reporter.as_str(), t.owner.clone(), t.created_at, t.reported_at, t.response_due,
                t.response_breached, t.resolution_due, t.resolution_breached, t.born_late, keys.urgency, keys.risk_at, keys.next_at
            ],
            |r| r.get::<i64>(0),
        )
        .await?
        .unwrap_or_default();
    let words = search::index(&format!("{} {}", t.title, t.body));
    let sql = tx.pick(
        "INSERT INTO ticket_search(rowid, words) VALUES ($1, $2)",
        "INSERT INTO ticket_search(id, words) VALUES ($1, to_tsvector('simple', $2))",
    );
    let sql = sql.to_owned();
    tx.exec(&sql, args![id, words]).await?;
    Ok(id)
}

/// Writes a ticket back; its version goes up by one.
pub(super) async fn update(tx: &mut Tx, t: &Ticket, keys: &Keys) -> Result<(), StoreError> {
    let is_open = !matches!(t.state.as_str(), "resolved" | "merged");
    tx.exec(
        "UPDATE ticket SET scope = $2, severity = $3, level = $4, state = $5, owner = $6, follow_up_at = $7, pause_reason = $8, \
         flag = $9, response_due = $10, response_met_at = $11, response_breached = $12, resolution_due = $13, resolved_at = $14, \
         resolution_breached = $15, urgency = $16, risk_at = $17, next_at = $18, merged_into = $19, reports = $20, cause = $21, \
         solution = $22, is_open = $23, version = version + 1 WHERE id = $1",
        args![
            t.id, t.scope.as_str(), t.severity.as_str(), t.level.as_str(), t.state.as_str(), t.owner.clone(), t.follow_up_at,
            t.pause_reason.clone(), t.flag.clone(), t.response_due, t.response_met_at, t.response_breached, t.resolution_due,
            t.resolved_at, t.resolution_breached, keys.urgency, keys.risk_at, keys.next_at, t.merged_into, t.reports,
            t.cause.clone(), t.solution.clone(), is_open
        ],
    )
    .await?;
    Ok(())
}

/// Notes that a clock passed a threshold; whether it was the first time.
pub(super) async fn fire(tx: &mut Tx, id: i64, clock: &str, percent: u32, at: Millis) -> Result<bool, StoreError> {
    let added = tx
        .exec(
            "INSERT INTO ticket_fired(ticket_id, clock, percent, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            args![id, clock, percent, at],
        )
        .await?;
    Ok(added == 1)
}
