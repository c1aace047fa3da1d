//! Search over titles and bodies, newest first; what was solved before and looks alike.

use super::listed::{self, COLUMNS};
use crate::args;
use crate::store::{Dialect, Store, StoreError};
use crate::text::words as search;
use crate::tickets::model::Ticket;

/// So many of the newest are looked at for similar ones.
const CANDIDATES: i64 = 300;
/// They are looked for in so many of the newest tickets first.
const NEWEST_FIRST: i64 = 100_000;
/// A word that so many tickets hold tells little.
const HELD_BY_MANY: i64 = 3_000;
/// Less than this is not alike.
const LEAST_ALIKE: f64 = 0.2;

/// Tickets whose title or body hold the words of `query`, newest first; all tickets where it is blank. Bodies are left
/// out.
///
/// # Errors
/// When the store does not answer.
pub async fn find(store: &Store, query: &str, limit: i64) -> Result<Vec<Ticket>, StoreError> {
    if query.trim().is_empty() {
        let sql = format!(
            "SELECT {COLUMNS} FROM (SELECT id FROM ticket ORDER BY id DESC LIMIT $1) k JOIN ticket t ON t.id = k.id \
             ORDER BY k.id DESC"
        );
        return store.rows(&sql, args![limit], listed::read).await;
    }
    let words = match store.dialect() {
        Dialect::Sqlite => rarest_first(store, search::fts5_terms(query)).await?,
        Dialect::Postgres => search::tsquery(query),
    };
    let Some(words) = words else { return Ok(vec![]) };
    let listed =
        |hits: &str| format!("SELECT {COLUMNS} FROM ({hits}) k JOIN ticket t ON t.id = k.id ORDER BY k.id DESC");
    if store.dialect() == Dialect::Postgres {
        let probe = format!("SELECT count(*) FROM ({}) q", among_newest(PROBED_FOR_HITS));
        let common = store.row(&probe, args![words.as_str(), MANY_HITS], |r| r.get::<i64>(0)).await?;
        if common == Some(MANY_HITS) {
            let newest = store
                .rows(&listed(&among_newest(READ_WITHOUT_INDEX)), args![words.as_str(), limit], listed::read)
                .await?;
            if newest.len() as i64 >= limit {
                return Ok(newest);
            }
        }
        return store.rows(&listed(BY_INDEX), args![words, limit], listed::read).await;
    }
    store.rows(&listed(hits(store.dialect())), args![words, limit], listed::read).await
}

/// How rare a word is, by where the so-manieth newest ticket stands that holds it.
const RANKED: i64 = 200;

/// A query of FTS5 for all of `terms`; `None` when there are none.
async fn rarest_first(store: &Store, mut terms: Vec<String>) -> Result<Option<String>, StoreError> {
    // two are walked from the newest on whichever comes first
    if terms.len() > 2 {
        let hits = hits_of(Dialect::Sqlite, RANKED);
        let rank = |i| {
            let hits = hits.replace("$1", &format!("${}", i + 1));
            format!("SELECT coalesce(min(id), 0), count(*) FROM ({hits})")
        };
        let sql = (0..terms.len()).map(rank).collect::<Vec<_>>().join(" UNION ALL ");
        let read = |r: &crate::store::Row<'_>| Ok((r.get::<i64>(0)?, r.get::<i64>(1)?));
        let ranks = store.rows(&sql, terms.iter().map(Into::into).collect(), read).await?;
        let mut ranked: Vec<_> = ranks
            .into_iter()
            .zip(terms)
            .map(|((oldest, holders), term)| (if holders < RANKED { 0 } else { oldest }, holders, term))
            .collect();
        ranked.sort();
        terms = ranked.into_iter().map(|(.., term)| term).collect();
    }
    Ok((!terms.is_empty()).then(|| search::fts5_rarest_first(&terms)))
}

/// Words that so many of the newest [`PROBED_FOR_HITS`] tickets hold are looked for among the [`READ_WITHOUT_INDEX`]
/// newest first, without the index: Postgres fetches every row that its index names before it knows which are the newest.
const MANY_HITS: i64 = 20;
const PROBED_FOR_HITS: i64 = 2_000;
const READ_WITHOUT_INDEX: i64 = 80_000;

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

/// At most `most` numbers of tickets that hold the words of `$1`, newest first.
pub(super) fn hits_of(dialect: Dialect, most: i64) -> String {
    hits(dialect).replace("$2", &most.to_string())
}

/// Which tickets similar ones are looked for among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Among {
    /// All but merged ones.
    All,
    /// Those that were solved, and how.
    Solved,
    /// Those that are open.
    Open,
}

/// A ticket that looks like another.
#[derive(Debug, Clone, PartialEq)]
pub struct Similar {
    /// Its number.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// What it was; empty while it is open.
    pub cause: String,
    /// What helped; empty while it is open.
    pub solution: String,
    /// Who has it.
    pub owner: Option<String>,
    /// How often it was reported.
    pub reports: i64,
    /// How much of what is told by the words looked for is in its title, 0 to 1: rare words tell more.
    pub score: f64,
}

/// A word, and how much it tells.
type Weighed = (String, f64);

/// What each word tells, by how few tickets hold it; words that too many hold are told apart.
async fn weigh(store: &Store, words: Vec<String>) -> Result<(Vec<Weighed>, Vec<String>), StoreError> {
    let newest = store.row("SELECT coalesce(max(id), 0) FROM ticket", args![], |r| r.get::<i64>(0)).await?;
    let all = newest.unwrap_or_default().max(1) as f64;
    let mut common: Vec<(String, f64)> = vec![];
    if store.dialect() == Dialect::Postgres {
        // a count reads every place of a word there; the statistics of ANALYZE know the words that many hold
        let sql = "SELECT e.word, e.share::double precision FROM pg_stats s, \
                   unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS e(word, share) \
                   WHERE s.schemaname = current_schema() AND s.tablename = 'ticket_search' AND s.attname = 'words' \
                   AND e.word IS NOT NULL";
        common = store.rows(sql, args![], |r| Ok((r.get(0)?, r.get(1)?))).await?;
    }
    let (mut weighed, mut rare) = (Vec::with_capacity(words.len()), vec![]);
    for word in words {
        let holders = match store.dialect() {
            Dialect::Sqlite => {
                let sql = format!(
                    "SELECT count(*) FROM (SELECT 1 FROM ticket_search WHERE ticket_search MATCH $1 LIMIT {HELD_BY_MANY})"
                );
                store.row(&sql, args![format!("\"{word}\"")], |r| r.get::<i64>(0)).await?.unwrap_or_default() as f64
            }
            Dialect::Postgres => common.iter().find(|(w, _)| *w == word).map_or(1.0, |(_, share)| share * all),
        };
        if holders < HELD_BY_MANY as f64 {
            rare.push(word.clone());
        }
        weighed.push((word, (1.0 + all / holders.max(1.0)).ln()));
    }
    Ok((weighed, rare))
}

/// Tickets whose titles look like `text`, the most alike first, at most `limit`; ticket `except` is not among them.
/// They are looked for among the newest that share a rare word, first in the last 100 000 tickets, then in all.
///
/// # Errors
/// When the store does not answer.
pub async fn similar(
    store: &Store,
    text: &str,
    among: Among,
    except: Option<i64>,
    limit: usize,
) -> Result<Vec<Similar>, StoreError> {
    let (weighed, rare) = weigh(store, search::telling(text)).await?;
    let whole: f64 = weighed.iter().map(|(_, w)| w).sum();
    if whole <= 0.0 {
        return Ok(vec![]);
    }
    // where every word is common, those that hold all of them are few enough
    let words = match (store.dialect(), rare.is_empty()) {
        (Dialect::Sqlite, false) => search::any_fts5(&rare),
        (Dialect::Postgres, false) => search::any_tsquery(&rare),
        (Dialect::Sqlite, true) => search::fts5(text),
        (Dialect::Postgres, true) => search::tsquery(text),
    };
    let Some(words) = words else { return Ok(vec![]) };
    let newest = store.row("SELECT coalesce(max(id), 0) FROM ticket", args![], |r| r.get::<i64>(0)).await?;
    let window = newest.unwrap_or_default() - NEWEST_FIRST;
    let which = match among {
        Among::All => "t.state <> 'merged'",
        Among::Open => "t.is_open",
        Among::Solved => "t.state = 'resolved' AND t.solution IS NOT NULL",
    };
    let keys = match store.dialect() {
        Dialect::Sqlite => {
            "SELECT rowid AS id FROM ticket_search WHERE ticket_search MATCH $1 AND rowid > $2 ORDER BY rowid DESC LIMIT $3"
        }
        Dialect::Postgres => {
            "SELECT id FROM ticket_search WHERE words @@ to_tsquery('simple', $1) AND id > $2 ORDER BY id DESC LIMIT $3"
        }
    };
    let sql = format!(
        "WITH hit AS MATERIALIZED ({keys}) SELECT t.id, t.title, t.cause, t.solution, t.owner, t.reports FROM hit JOIN ticket t ON t.id = hit.id \
         WHERE {which} ORDER BY t.id DESC"
    );
    let mut found: Vec<Similar> = vec![];
    for after in [window, 0] {
        let rows = store.rows(&sql, args![words.as_str(), after.max(0), CANDIDATES], |r| {
            let (cause, solution) = (r.get::<Option<String>>(2)?, r.get::<Option<String>>(3)?);
            let title: String = r.get(1)?;
            let shared = search::shared(&title, weighed.iter().map(|(w, weight)| (w.as_str(), *weight)));
            Ok(Similar {
                id: r.get(0)?,
                title,
                cause: cause.unwrap_or_default(),
                solution: solution.unwrap_or_default(),
                owner: r.get(4)?,
                reports: r.get(5)?,
                score: (shared / whole).clamp(0.0, 1.0),
            })
        });
        found = rows.await?.into_iter().filter(|s| s.score >= LEAST_ALIKE && Some(s.id) != except).collect();
        if found.len() >= limit || after <= 0 {
            break;
        }
    }
    // stable: of those that are as much alike the newest comes first
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(limit);
    Ok(found)
}
