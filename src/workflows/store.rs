//! Event logs in the store: one row a case.

use serde_json::{Value, json};

use super::model::Log;
use crate::args;
use crate::store::{Store, StoreError, Tx};

/// Stores a log under `name`; a case that is there is replaced by its newer self. Returns how many cases changed.
pub(super) async fn put(tx: &mut Tx, name: &str, source: &str, log: &Log, now: i64) -> Result<u64, StoreError> {
    let id = tx
        .row(
            "INSERT INTO workflow(name, imported_at, source) VALUES ($1, $2, $3) ON CONFLICT(name) DO UPDATE \
             SET imported_at = excluded.imported_at, source = excluded.source RETURNING id",
            args![name, now, source],
            |r| r.get::<i64>(0),
        )
        .await?
        .unwrap_or_default();
    let rows = log
        .cases
        .iter()
        .map(|(case, events)| {
            let events: Vec<Value> = events
                .iter()
                .map(|e| {
                    json!([
                        log.activities[e.activity as usize],
                        e.resource.map(|r| &log.resources[r as usize]),
                        e.at,
                        e.start
                    ])
                })
                .collect();
            args![id, case.as_str(), Value::from(events).to_string()]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO workflow_case(workflow_id, name, events) VALUES",
        rows,
        "ON CONFLICT(workflow_id, name) DO UPDATE SET events = excluded.events WHERE workflow_case.events <> excluded.events",
    )
    .await
}

/// The names of all workflows.
///
/// # Errors
/// When the store does not answer.
pub async fn names(store: &Store) -> Result<Vec<String>, StoreError> {
    store.rows("SELECT name FROM workflow ORDER BY name", vec![], |r| r.get(0)).await
}

/// The log of a workflow; `None` where there is none of that name.
///
/// # Errors
/// When the store does not answer or a row cannot be read.
pub async fn log(store: &Store, name: &str) -> Result<Option<Log>, StoreError> {
    let Some(id) = store.row("SELECT id FROM workflow WHERE name = $1", args![name], |r| r.get::<i64>(0)).await? else {
        return Ok(None);
    };
    let mut log = Log::default();
    let rows = store
        .rows("SELECT name, events FROM workflow_case WHERE workflow_id = $1 ORDER BY name", args![id], |r| {
            Ok((r.get::<String>(0)?, r.get::<String>(1)?))
        })
        .await?;
    for (case, events) in rows {
        let bad = || StoreError::Value(format!("workflow_case {name}/{case}"));
        let events: Vec<(String, Option<String>, i64, Option<i64>)> =
            serde_json::from_str(&events).map_err(|_| bad())?;
        for (activity, resource, at, start) in events {
            log.add(&case, &activity, resource.as_deref(), at, start);
        }
    }
    log.sort();
    Ok(Some(log))
}
