//! What the actions write.

use crate::args;
use crate::clock::Millis;
use crate::store::{StoreError, Tx};
use crate::text::words as search;
use crate::tickets::model::{Happening, NEVER, Ticket};

/// Adds a happening at place `n` (from 1).
pub(in crate::tickets) async fn add_happening(tx: &mut Tx, id: i64, n: usize, h: &Happening) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO ticket_event(ticket_id, n, at, actor, kind, data) VALUES ($1, $2, $3, $4, $5, $6)",
        args![id, n, h.at, h.actor.as_str(), h.kind.as_str(), h.data.to_string()],
    )
    .await?;
    Ok(())
}

/// The ticket that an intake made of the message `key` already.
pub(in crate::tickets) async fn by_intake_key(tx: &mut Tx, key: &str) -> Result<Option<i64>, StoreError> {
    tx.row("SELECT id FROM ticket WHERE intake_key = $1", args![key], |r| r.get(0)).await
}

/// Inserts a ticket (its `id` is ignored) and gives it its number; the search index learns its words.
pub(in crate::tickets) async fn insert(tx: &mut Tx, t: &Ticket, intake_key: Option<&str>) -> Result<i64, StoreError> {
    let id = tx
        .row(
            "INSERT INTO ticket(title, body, scope, severity, level, state, channel, reporter, owner, created_at, reported_at, \
             response_due, response_breach_at, response_breached, resolution_due, resolution_breach_at, resolution_breached, \
             born_late, urgency, risk_at, next_at, continues, intake_key, next_due, next_breach_at, is_open) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
             $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, true) RETURNING id",
            args![
                t.title.as_str(), t.body.as_str(), t.scope.as_str(), t.severity.as_str(), t.level.as_str(), t.state.as_str(),
                t.channel.as_str(), t.reporter.as_str(), t.owner.clone(), t.created_at, t.reported_at, t.response_due,
                t.response_breach_at, t.response_breached, t.resolution_due, t.resolution_breach_at, t.resolution_breached,
                t.born_late, t.urgency, t.risk_at, t.next_at, t.continues, intake_key,
                t.next_due, t.next_breach_at
            ],
            |r| r.get::<i64>(0),
        )
        .await?
        .unwrap_or_default();
    let words = search::index(&format!("{}\n{}", t.title, t.body));
    let sql = tx.pick(
        "INSERT INTO ticket_search(rowid, words) VALUES ($1, $2)",
        "INSERT INTO ticket_search(id, words) VALUES ($1, to_tsvector('simple', $2))",
    );
    tx.exec(sql, args![id, words]).await?;
    Ok(id)
}

/// Writes a ticket back, with the version it has now. Where another due time follows, its last safe start is not known
/// until the job has counted it.
pub(in crate::tickets) async fn update(tx: &mut Tx, t: &Ticket) -> Result<(), StoreError> {
    tx.exec(
        "UPDATE ticket SET scope = $2, severity = $3, level = $4, state = $5, owner = $6, reported_at = $7, follow_up_at = $8, \
         pause_reason = $9, flag = $10, response_due = $11, response_breach_at = $12, response_met_at = $13, \
         response_breached = $14, response_excused = $15, resolution_due = $16, resolution_breach_at = $17, resolved_at = $18, \
         resolution_breached = $19, resolution_excused = $20, urgency = $21, risk_at = $22, next_at = $23, merged_into = $24, \
         reports = $25, cause = $26, solution = $27, is_open = $28, version = $29, next_due = $30, next_breach_at = $31, resolution_used = $32, \
         handling = CASE WHEN $28 THEN NULL ELSE handling END, \
         safe_start = CASE WHEN level <> $4 OR coalesce(resolution_due, -1) <> coalesce($16, -1) THEN $33 ELSE safe_start END, \
         safe_stale = safe_stale OR level <> $4 OR coalesce(resolution_due, -1) <> coalesce($16, -1) WHERE id = $1",
        args![
            t.id, t.scope.as_str(), t.severity.as_str(), t.level.as_str(), t.state.as_str(), t.owner.clone(), t.reported_at,
            t.follow_up_at, t.pause_reason.clone(), t.flag.clone(), t.response_due, t.response_breach_at, t.response_met_at,
            t.response_breached, t.response_excused, t.resolution_due, t.resolution_breach_at, t.resolved_at,
            t.resolution_breached, t.resolution_excused, t.urgency, t.risk_at, t.next_at, t.merged_into, t.reports,
            t.cause.clone(), t.solution.clone(), t.is_open(), t.version,
            t.next_due, t.next_breach_at, t.resolution_used, NEVER
        ],
    )
    .await?;
    Ok(())
}

/// The thresholds that a ticket's clocks have fired: clock and percent.
pub(in crate::tickets) async fn fired(tx: &mut Tx, id: i64) -> Result<Vec<(String, i64)>, StoreError> {
    tx.rows("SELECT clock, percent FROM ticket_fired WHERE ticket_id = $1", args![id], |r| Ok((r.get(0)?, r.get(1)?)))
        .await
}

/// Notes that a clock passed a threshold (0 percent: a time before due); whether it was the first time.
pub(in crate::tickets) async fn fire(
    tx: &mut Tx,
    id: i64,
    clock: &str,
    percent: u32,
    at: Millis,
) -> Result<bool, StoreError> {
    let added = tx
        .exec(
            "INSERT INTO ticket_fired(ticket_id, clock, percent, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            args![id, clock, percent, at],
        )
        .await?;
    Ok(added == 1)
}

/// The next open tickets by number.
pub(in crate::tickets) async fn open_after(tx: &mut Tx, id: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    tx.rows("SELECT id FROM ticket WHERE is_open AND id > $1 ORDER BY id LIMIT $2", args![id, limit], |r| r.get(0))
        .await
}

/// The most urgent ticket that nobody has and that does not wait.
pub(in crate::tickets) async fn most_urgent_unowned(tx: &mut Tx) -> Result<Option<i64>, StoreError> {
    let sql =
        "SELECT id FROM ticket WHERE is_open AND owner IS NULL AND state <> 'waiting' ORDER BY urgency, id LIMIT 1";
    tx.row(sql, vec![], |r| r.get(0)).await
}
