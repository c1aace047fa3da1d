//! Who has a ticket open right now. It is no decision: it has no journal row, and is forgotten when it is not renewed.

use crate::args;
use crate::clock::Millis;
use crate::store::{Store, StoreError};
use crate::tickets::model::{Doing, Other};

/// Notes that `session`, a console of `operator`, has `ticket` open at `now`; forgets whoever was not heard of since
/// `since`.
///
/// # Errors
/// When the store does not answer.
pub async fn attend(
    store: &Store,
    (session, operator): (&str, &str),
    (ticket, doing): (i64, Doing),
    now: Millis,
    since: Millis,
) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    let sql = "INSERT INTO presence(session, ticket_id, operator, doing, at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT(session) DO UPDATE SET ticket_id = excluded.ticket_id, doing = excluded.doing, at = excluded.at";
    tx.exec(sql, args![session, ticket, operator, doing.word(), now]).await?;
    tx.exec("DELETE FROM presence WHERE at < $1", args![since]).await?;
    tx.commit().await
}

/// Notes that `session` has no ticket open any more.
///
/// # Errors
/// When the store does not answer.
pub async fn leave(store: &Store, session: &str) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    tx.exec("DELETE FROM presence WHERE session = $1", args![session]).await?;
    tx.commit().await
}

/// Who else has `ticket` open and was heard of since `since`, whoever writes first; one entry for each operator.
///
/// # Errors
/// When the store does not answer.
pub async fn others(store: &Store, session: &str, ticket: i64, since: Millis) -> Result<Vec<Other>, StoreError> {
    let sql = "SELECT operator, doing FROM presence WHERE ticket_id = $1 AND session <> $2 AND at >= $3";
    let read = |r: &crate::store::Row<'_>| {
        let doing: String = r.get(1)?;
        Ok(Other { operator: r.get(0)?, doing: Doing::from_word(&doing) })
    };
    let mut all = store.rows(sql, args![ticket, session, since], read).await?;
    all.sort_by(|a, b| (b.doing, &a.operator).cmp(&(a.doing, &b.operator)));
    let mut seen = std::collections::HashSet::new();
    all.retain(|o| seen.insert(o.operator.clone()));
    Ok(all)
}
