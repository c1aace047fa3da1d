//! What the desk itself wrote down of a ticket's reporters, and what of it was taken back.

use std::collections::HashSet;

use serde_json::Value;

use super::Contact;
use crate::args;
use crate::intake::model::Sender;
use crate::store::{Store, StoreError};

/// The places of happenings that were taken back, by what stands in an `undone` one.
fn void(undone: &[String]) -> HashSet<u64> {
    undone.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok()?["n"].as_u64()).collect()
}

/// Whether the `n`th happening of a ticket was taken back.
///
/// # Errors
/// When the store does not answer.
pub async fn is_taken_back(store: &Store, ticket: i64, n: usize) -> Result<bool, StoreError> {
    let sql = "SELECT data FROM ticket_event WHERE ticket_id = $1 AND n > $2 AND kind = 'undone'";
    let undone = store.rows(sql, args![ticket, n as i64], |r| r.get::<String>(0)).await?;
    Ok(void(&undone).contains(&(n as u64)))
}

/// Those who reported a ticket to a person at the desk who noted how they are reached, first come first. A report that
/// was taken back counts as never made.
///
/// # Errors
/// When the store does not answer.
pub async fn reporters(store: &Store, ticket: i64) -> Result<Vec<Contact>, StoreError> {
    let sql = "SELECT n, kind, data FROM ticket_event WHERE ticket_id = $1 \
               AND kind IN ('created', 'reported', 'undone') ORDER BY n";
    let rows = store.rows(sql, args![ticket], |r| Ok((r.get::<i64>(0)?, r.get(1)?, r.get(2)?))).await?;
    let rows: Vec<(i64, String, String)> = rows;
    let undone: Vec<String> = rows.iter().filter(|(_, kind, _)| kind == "undone").map(|(.., d)| d.clone()).collect();
    let void = void(&undone);
    let stands = rows.iter().filter(|(n, kind, _)| kind != "undone" && !void.contains(&n.unsigned_abs()));
    let contact = |(.., data): &(i64, String, String)| {
        let data: Value = serde_json::from_str(data).ok()?;
        let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
        let address = Some(text("contact")).filter(|c| !c.is_empty())?;
        Some(Contact {
            channel: text("channel"),
            source: "desk".into(),
            sender: Sender { address, name: text("from"), contact: String::new() },
            module: String::new(),
            key: None,
        })
    };
    Ok(stands.filter_map(contact).collect())
}

/// The ticket that this one was split from, and who reports this one.
///
/// # Errors
/// When the store does not answer.
pub async fn split_from(store: &Store, ticket: i64) -> Result<Option<(i64, String)>, StoreError> {
    let sql = "SELECT e.data, t.reporter FROM ticket_event e JOIN ticket t ON t.id = e.ticket_id \
               WHERE e.ticket_id = $1 AND e.kind = 'linked' ORDER BY e.n";
    let links = store.rows(sql, args![ticket], |r| Ok((r.get::<String>(0)?, r.get::<String>(1)?))).await?;
    Ok(links.into_iter().find_map(|(data, reporter)| {
        let data: Value = serde_json::from_str(&data).ok()?;
        let of_split = data["snapshot"]["relation"] == "split_from";
        let subject = data["subject"].as_str().filter(|_| of_split)?;
        Some((subject.trim_start_matches('#').parse().ok()?, reporter))
    }))
}
