//! Search over titles and bodies, newest first; what was solved before and looks alike.

use super::{LISTED, read_listed};
use crate::args;
use crate::store::{Dialect, Store, StoreError};
use crate::text::words as search;
use crate::tickets::model::Ticket;

/// So many of the newest are looked at for similar ones.
const AMONG: i64 = 300;

/// Tickets whose title or body hold the words of `query`, newest first; all tickets where it is blank. Bodies are left
/// out.
///
/// # Errors
/// When the store does not answer.
pub async fn find(store: &Store, query: &str, limit: i64) -> Result<Vec<Ticket>, StoreError> {
    if query.trim().is_empty() {
        let sql = format!(
            "SELECT {LISTED} FROM (SELECT id FROM ticket ORDER BY id DESC LIMIT $1) k JOIN ticket t ON t.id = k.id \
             ORDER BY k.id DESC"
        );
        return store.rows(&sql, args![limit], read_listed).await;
    }
    let words = match store.dialect() {
        Dialect::Sqlite => search::fts5(query),
        Dialect::Postgres => search::tsquery(query),
    };
    let Some(words) = words else { return Ok(vec![]) };
    let listed =
        |hits: &str| format!("SELECT {LISTED} FROM ({hits}) k JOIN ticket t ON t.id = k.id ORDER BY k.id DESC");
    if store.dialect() == Dialect::Postgres {
        let probe = format!("SELECT count(*) FROM ({}) q", among_newest(PROBE));
        let common = store.row(&probe, args![words.as_str(), COMMON], |r| r.get::<i64>(0)).await?;
        if common == Some(COMMON) {
            let newest = store.rows(&listed(&among_newest(NEWEST)), args![words.as_str(), limit], read_listed).await?;
            if newest.len() as i64 >= limit {
                return Ok(newest);
            }
        }
        return store.rows(&listed(BY_INDEX), args![words, limit], read_listed).await;
    }
    store.rows(&listed(hits(store.dialect())), args![words, limit], read_listed).await
}

/// Words that so many of the newest [`PROBE`] tickets hold are looked for among the [`NEWEST`] first, without the index:
/// Postgres fetches every row that its index names before it knows which are the newest.
const COMMON: i64 = 20;
const PROBE: i64 = 2_000;
const NEWEST: i64 = 80_000;

/// All that the index names, whatever the planner thinks of it.
const BY_INDEX: &str = "WITH hit AS MATERIALIZED (SELECT id FROM ticket_search WHERE words @@ to_tsquery('simple', $1)) \
    SELECT id FROM hit ORDER BY id DESC LIMIT $2";

/// Those among the newest `n` tickets, from the newest on; `IS TRUE` keeps the index out of it.
fn among_newest(n: i64) -> String {
    format!(
        "SELECT id FROM ticket_search WHERE (words @@ to_tsquery('simple', $1)) IS TRUE \
         AND id > (SELECT max(id) FROM ticket_search) - {n} ORDER BY id DESC LIMIT $2"
    )
}

fn hits(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "SELECT rowid AS id FROM ticket_search WHERE ticket_search MATCH $1 ORDER BY rowid DESC LIMIT $2"
        }
        Dialect::Postgres => {
            "SELECT id FROM ticket_search WHERE words @@ to_tsquery('simple', $1) ORDER BY id DESC LIMIT $2"
        }
    }
}

/// A ticket that was solved, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solved {
    /// Its number.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// What it was.
    pub cause: String,
    /// What helped.
    pub solution: String,
}

/// Solved tickets that share the most words with `title`, at most `limit`; looked for among the newest that share any.
///
/// # Errors
/// When the store does not answer.
pub async fn similar(store: &Store, title: &str, limit: usize) -> Result<Vec<Solved>, StoreError> {
    let words = match store.dialect() {
        Dialect::Sqlite => search::any_fts5(title),
        Dialect::Postgres => search::any_tsquery(title),
    };
    let Some(words) = words else { return Ok(vec![]) };
    let sql = format!(
        "SELECT t.id, t.title, t.cause, t.solution FROM ({}) k JOIN ticket t ON t.id = k.id \
         WHERE t.state = 'resolved' AND t.solution IS NOT NULL ORDER BY k.id DESC",
        hits(store.dialect())
    );
    let mut found = store
        .rows(&sql, args![words, AMONG], |r| {
            let (cause, solution) = (r.get::<Option<String>>(2)?, r.get::<Option<String>>(3)?);
            let solved = Solved {
                id: r.get(0)?,
                title: r.get(1)?,
                cause: cause.unwrap_or_default(),
                solution: solution.unwrap_or_default(),
            };
            Ok((search::shared(title, &solved.title), solved))
        })
        .await?;
    // stable: of those that share as much the newest comes first
    found.sort_by_key(|(shared, _)| std::cmp::Reverse(*shared));
    Ok(found.into_iter().filter(|(shared, _)| *shared >= 2).map(|(_, solved)| solved).take(limit).collect())
}
