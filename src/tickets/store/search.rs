//! Search over titles and bodies, newest first.

use super::{LISTED, read_listed};
use crate::args;
use crate::store::{Dialect, Store, StoreError};
use crate::text::words as search;
use crate::tickets::model::Ticket;

/// Tickets whose title or body hold the words of `query`, newest first. Bodies are left out.
///
/// # Errors
/// When the store does not answer.
pub async fn find(store: &Store, query: &str, limit: i64) -> Result<Vec<Ticket>, StoreError> {
    let (hits, words) = match store.dialect() {
        Dialect::Sqlite => (
            "SELECT rowid AS id FROM ticket_search WHERE ticket_search MATCH $1 ORDER BY rowid DESC LIMIT $2",
            search::fts5(query),
        ),
        Dialect::Postgres => (
            "SELECT id FROM ticket_search WHERE words @@ to_tsquery('simple', $1) ORDER BY id DESC LIMIT $2",
            search::tsquery(query),
        ),
    };
    let Some(words) = words else { return Ok(vec![]) };
    let sql = format!("SELECT {LISTED} FROM ({hits}) k JOIN ticket t ON t.id = k.id ORDER BY k.id DESC");
    store.rows(&sql, args![words, limit], read_listed).await
}
