//! Tickets in the store: its only SQL. Queues and search read, `write` is for the actions.

mod calendar;
mod filtered;
mod handling;
mod listed;
mod presence;
mod queue;
mod search;
mod write;

use crate::args;
use crate::clock::Millis;
use crate::store::{Dialect, Row, Store, StoreError, Tx};
use crate::tickets::model::{Happening, Ticket};

pub use calendar::{ListRow, Version, holiday_lists, is_recount_due, policy, versions};
pub(super) use calendar::{import, pass, set_pass, terms};
pub use filtered::{Found, LOOKED_AT, MOST_COUNTED, count_filtered, filtered};
pub use handling::{
    Unsafe, count_safe_starts, handlings, measured, outlook, put_typical, typical, uncounted, unmeasured,
};
use listed::{COLUMNS, WIDTH};
pub use presence::{attend, leave, others};
pub use queue::{Cursor, Order, PAGE_LIMIT, Queue, counts, page, page_at, page_in, plans};
pub use search::{Among, Similar, find, similar};
pub(super) use write::{add_happening, by_intake_key, fire, fired, insert, most_urgent_unowned, open_after, update};

/// A whole ticket: what a list shows, then body, cause, solution and category.
fn read(r: &Row<'_>) -> Result<Ticket, StoreError> {
    let n = WIDTH;
    let (body, cause, solution, category) = (r.get(n)?, r.get(n + 1)?, r.get(n + 2)?, r.get(n + 3)?);
    Ok(Ticket { body, cause, solution, category, ..listed::read(r)? })
}

fn whole() -> String {
    format!("SELECT {COLUMNS}, t.body, t.cause, t.solution, t.category FROM ticket t WHERE t.id = $1")
}

/// One ticket.
///
/// # Errors
/// When the store does not answer.
pub async fn get(store: &Store, id: i64) -> Result<Option<Ticket>, StoreError> {
    store.row(&whole(), args![id], read).await
}

/// One ticket with what happened to it.
///
/// # Errors
/// When the store does not answer.
pub async fn get_with_past(store: &Store, id: i64) -> Result<Option<(Ticket, Vec<Happening>)>, StoreError> {
    store.row(&with_past(store.dialect()), args![id], read_with_past).await
}

fn happening((at, actor, kind, data): (Millis, String, String, String)) -> Result<Happening, StoreError> {
    let data = serde_json::from_str(&data).map_err(|e| StoreError::Value(format!("ticket_event.data: {e}")))?;
    Ok(Happening { at, actor, kind, data })
}

fn read_happening(r: &Row<'_>) -> Result<Happening, StoreError> {
    happening((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
}

const HAPPENINGS: &str = "SELECT at, actor, kind, data FROM ticket_event WHERE ticket_id = $1 ORDER BY n";

/// What happened to a ticket, in order.
///
/// # Errors
/// When the store does not answer.
pub async fn happenings(store: &Store, id: i64) -> Result<Vec<Happening>, StoreError> {
    store.rows(HAPPENINGS, args![id], read_happening).await
}

/// Tickets reported from `month.0` and before `month.1` with a number above `after`, each with what happened to it: the
/// next 500 in the order of their numbers. Merged ones are left out.
///
/// # Errors
/// When the store does not answer.
pub async fn reported_in(
    store: &Store,
    month: (Millis, Millis),
    after: i64,
) -> Result<Vec<(i64, Vec<Happening>)>, StoreError> {
    let sql = "WITH k AS MATERIALIZED (SELECT id FROM ticket WHERE id > $3 AND reported_at >= $1 AND reported_at < $2 \
               AND state <> 'merged' ORDER BY id LIMIT 500) \
               SELECT e.at, e.actor, e.kind, e.data, k.id FROM k JOIN ticket_event e ON e.ticket_id = k.id ORDER BY k.id, e.n";
    let rows = store.rows(sql, args![month.0, month.1, after], |r| Ok((r.get::<i64>(4)?, read_happening(r)?))).await?;
    let mut out: Vec<(i64, Vec<Happening>)> = vec![];
    for (id, happening) in rows {
        match out.last_mut() {
            Some((last, past)) if *last == id => past.push(happening),
            _ => out.push((id, vec![happening])),
        }
    }
    Ok(out)
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

/// A whole ticket with what happened to it, as one row.
fn with_past(dialect: Dialect) -> String {
    let past = match dialect {
        Dialect::Sqlite => {
            "(SELECT json_group_array(json_array(at, actor, kind, data)) FROM \
             (SELECT at, actor, kind, data FROM ticket_event WHERE ticket_id = t.id ORDER BY n))"
        }
        Dialect::Postgres => {
            "(SELECT coalesce(json_agg(json_build_array(at, actor, kind, data) ORDER BY n)::text, '[]') \
             FROM ticket_event WHERE ticket_id = t.id)"
        }
    };
    format!("SELECT {COLUMNS}, t.body, t.cause, t.solution, t.category, {past} FROM ticket t WHERE t.id = $1")
}

fn read_with_past(r: &Row<'_>) -> Result<(Ticket, Vec<Happening>), StoreError> {
    let past: String = r.get(WIDTH + 4)?;
    let bad = |e: serde_json::Error| StoreError::Value(format!("ticket_event: {e}"));
    let past: Vec<(Millis, String, String, String)> = serde_json::from_str(&past).map_err(bad)?;
    Ok((read(r)?, past.into_iter().map(happening).collect::<Result<_, _>>()?))
}

/// One ticket with what happened to it, inside an action.
pub(super) async fn load(tx: &mut Tx, id: i64) -> Result<Option<(Ticket, Vec<Happening>)>, StoreError> {
    tx.row(&with_past(tx.dialect()), args![id], read_with_past).await
}
