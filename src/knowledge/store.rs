//! Articles in the store: the room's only SQL.

use crate::args;
use crate::clock::Millis;
use crate::knowledge::model::{Article, Hit, covers, rank, terms};
use crate::store::{Dialect, Row, Store, StoreError, Tx};
use crate::text::words;

/// Most articles that are ranked for one question.
const CANDIDATES: i64 = 400;
/// Most titles that are compared for a misspelt question.
const TITLES: i64 = 20_000;

const COLUMNS: &str = "a.id, a.kind, a.title, a.body, a.tags, a.audience, a.state, a.review_on, a.source_key, a.ticket_id, \
                       a.version, a.author, a.updated_at, a.answered";

fn read(r: &Row<'_>) -> Result<Article, StoreError> {
    let tags: String = r.get(4)?;
    Ok(Article {
        id: r.get(0)?,
        kind: r.get(1)?,
        title: r.get(2)?,
        body: r.get(3)?,
        tags: tags.split(',').filter(|t| !t.is_empty()).map(String::from).collect(),
        audience: r.get(5)?,
        state: r.get(6)?,
        review_on: r.get(7)?,
        source_key: r.get(8)?,
        ticket_id: r.get(9)?,
        version: r.get(10)?,
        author: r.get(11)?,
        updated_at: r.get(12)?,
        answered: r.get(13)?,
    })
}

/// One article.
///
/// # Errors
/// When the store does not answer.
pub async fn get(store: &Store, id: i64) -> Result<Option<Article>, StoreError> {
    store.row(&format!("SELECT {COLUMNS} FROM article a WHERE a.id = $1"), args![id], read).await
}

pub(super) async fn get_in(tx: &mut Tx, id: i64) -> Result<Option<Article>, StoreError> {
    tx.row(&format!("SELECT {COLUMNS} FROM article a WHERE a.id = $1"), args![id], read).await
}

pub(super) async fn by_source(tx: &mut Tx, key: &str) -> Result<Option<Article>, StoreError> {
    tx.row(&format!("SELECT {COLUMNS} FROM article a WHERE a.source_key = $1"), args![key], read).await
}

/// Articles, the last changed first; without the archived ones unless `all`.
///
/// # Errors
/// When the store does not answer.
pub async fn list(store: &Store, all: bool, limit: i64) -> Result<Vec<Article>, StoreError> {
    let only = if all { "" } else { "WHERE a.state <> 'archived'" };
    let sql = format!("SELECT {COLUMNS} FROM article a {only} ORDER BY a.updated_at DESC, a.id DESC LIMIT $1");
    store.rows(&sql, args![limit], read).await
}

/// The versions of an article: number, who, when, title, newest first.
///
/// # Errors
/// When the store does not answer.
pub async fn versions(store: &Store, id: i64) -> Result<Vec<(i64, String, Millis, String)>, StoreError> {
    let sql = "SELECT version, author, at, title FROM article_version WHERE article_id = $1 ORDER BY version DESC";
    store.rows(sql, args![id], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).await
}

/// Writes an article: a new one for the number 0, else a new version of one. Gives its number.
pub(super) async fn put(tx: &mut Tx, a: &Article, now: Millis) -> Result<i64, StoreError> {
    let tags = a.tags.join(",");
    let id = if a.id == 0 {
        tx.row(
            "INSERT INTO article(kind, title, body, tags, audience, state, review_on, source_key, ticket_id, version, author, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING id",
            args![
                a.kind.as_str(),
                a.title.as_str(),
                a.body.as_str(),
                tags.as_str(),
                a.audience.as_str(),
                a.state.as_str(),
                a.review_on.clone(),
                a.source_key.clone(),
                a.ticket_id,
                a.version,
                a.author.as_str(),
                now
            ],
            |r| r.get::<i64>(0),
        )
        .await?
        .unwrap_or_default()
    } else {
        tx.exec(
            "UPDATE article SET title = $2, body = $3, tags = $4, audience = $5, state = $6, review_on = $7, version = $8, \
             author = $9, updated_at = $10 WHERE id = $1",
            args![
                a.id,
                a.title.as_str(),
                a.body.as_str(),
                tags.as_str(),
                a.audience.as_str(),
                a.state.as_str(),
                a.review_on.clone(),
                a.version,
                a.author.as_str(),
                now
            ],
        )
        .await?;
        a.id
    };
    tx.exec(
        "INSERT INTO article_version(article_id, version, title, body, tags, author, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![id, a.version, a.title.as_str(), a.body.as_str(), tags.as_str(), a.author.as_str(), now],
    )
    .await?;
    let remove =
        tx.pick("DELETE FROM article_search WHERE rowid = $1", "DELETE FROM article_search WHERE id = $1").to_owned();
    tx.exec(&remove, args![id]).await?;
    let add = tx.pick(
        "INSERT INTO article_search(rowid, words) VALUES ($1, $2)",
        "INSERT INTO article_search(id, words) VALUES ($1, to_tsvector('simple', $2))",
    );
    let text = words::index(&format!("{}\n{}\n{}", a.title, a.tags.join(" "), a.body));
    tx.exec(add, args![id, text]).await?;
    Ok(id)
}

/// Counts a ticket that an article answered, or takes that back.
pub(super) async fn count_answer(tx: &mut Tx, id: i64, by: i64) -> Result<bool, StoreError> {
    Ok(tx.exec("UPDATE article SET answered = answered + $2 WHERE id = $1", args![id, by]).await? == 1)
}

/// The article that a ticket has taught already, unless it was put away.
pub(super) async fn of_ticket(tx: &mut Tx, ticket: i64) -> Result<Option<i64>, StoreError> {
    let sql =
        "SELECT id FROM article WHERE ticket_id = $1 AND kind = 'article' AND state <> 'archived' ORDER BY id LIMIT 1";
    tx.row(sql, args![ticket], |r| r.get(0)).await
}

/// Published articles that may answer `text`, best first: those that hold enough of its words.
///
/// # Errors
/// When the store does not answer.
pub async fn offered(store: &Store, text: &str, limit: usize) -> Result<Vec<Article>, StoreError> {
    let Some(query) = any(store.dialect(), text) else { return Ok(vec![]) };
    let mut found = candidates(store, &query).await?;
    found.retain(|a| a.state == "published" && covers(a, text));
    let order: Vec<i64> = rank(text, &found).into_iter().take(limit).map(|h| h.id).collect();
    found.retain(|a| order.contains(&a.id));
    found.sort_by_key(|a| order.iter().position(|id| *id == a.id));
    Ok(found)
}

async fn candidates(store: &Store, query: &str) -> Result<Vec<Article>, StoreError> {
    let hits = store.pick(
        "SELECT rowid AS id FROM article_search WHERE article_search MATCH $1 ORDER BY rowid DESC LIMIT $2",
        "SELECT id FROM article_search WHERE words @@ to_tsquery('simple', $1) ORDER BY id DESC LIMIT $2",
    );
    let sql = format!("SELECT {COLUMNS} FROM ({hits}) k JOIN article a ON a.id = k.id WHERE a.state <> 'archived'");
    store.rows(&sql, args![query, CANDIDATES], read).await
}

/// Any of the words of `question`.
fn any(dialect: Dialect, question: &str) -> Option<String> {
    let terms: Vec<String> = terms(question).into_iter().take(64).collect();
    if terms.is_empty() {
        return None;
    }
    Some(match dialect {
        Dialect::Sqlite => terms.iter().map(|t| format!("\"{t}\"")).collect::<Vec<_>>().join(" OR "),
        Dialect::Postgres => terms.iter().map(|t| format!("'{t}'")).collect::<Vec<_>>().join(" | "),
    })
}

/// Articles that answer `question`, best first: those with all its words, else those with some, else those with a title
/// much like it.
///
/// # Errors
/// When the store does not answer.
pub async fn search(store: &Store, question: &str, limit: usize) -> Result<Vec<Hit>, StoreError> {
    let all = match store.dialect() {
        Dialect::Sqlite => words::fts5(question),
        Dialect::Postgres => words::tsquery(question),
    };
    let mut found = Vec::new();
    if let Some(query) = all {
        found = candidates(store, &query).await?;
    }
    if found.is_empty()
        && let Some(query) = any(store.dialect(), question)
    {
        found = candidates(store, &query).await?;
    }
    let mut hits = rank(question, &found);
    if hits.is_empty() {
        hits = by_title(store, question).await?;
    }
    hits.truncate(limit);
    Ok(hits)
}

/// Articles whose titles are like `question` in spite of misspellings.
async fn by_title(store: &Store, question: &str) -> Result<Vec<Hit>, StoreError> {
    use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
    let sql = "SELECT id, title FROM article WHERE state <> 'archived' ORDER BY id DESC LIMIT $1";
    let titles: Vec<(i64, String)> = store.rows(sql, args![TITLES], |r| Ok((r.get(0)?, r.get(1)?))).await?;
    let mut matcher = nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT);
    let pattern = Pattern::parse(question, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut hits: Vec<Hit> = titles
        .into_iter()
        .filter_map(|(id, title)| {
            let score = pattern.score(nucleo_matcher::Utf32Str::new(&title, &mut buffer), &mut matcher)?;
            Some(Hit { id, snippet: title.clone(), title, score: f64::from(score) / 1_000.0 })
        })
        .collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(hits)
}

/// A resolved ticket, as a review begins with it.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns of the ticket")]
pub struct Incident {
    pub id: i64,
    pub title: String,
    pub level: String,
    pub scope: String,
    pub reported_at: Millis,
    pub created_at: Millis,
    pub response_met_at: Option<Millis>,
    pub resolved_at: Option<Millis>,
    pub response_breached: bool,
    pub resolution_breached: bool,
    pub reports: i64,
    pub cause: String,
    pub solution: String,
    pub body: String,
    /// The part of the OA it is about; empty: not told.
    pub category: String,
    /// When, who, what, with what.
    pub timeline: Vec<(Millis, String, String, serde_json::Value)>,
}

pub(super) async fn incident(tx: &mut Tx, id: i64) -> Result<Option<Incident>, StoreError> {
    let sql = "SELECT id, title, level, scope, reported_at, created_at, response_met_at, resolved_at, response_breached, \
               resolution_breached, reports, coalesce(cause, ''), coalesce(solution, ''), body, coalesce(category, '') FROM ticket WHERE id = $1";
    let found = tx
        .row(sql, args![id], |r| {
            Ok(Incident {
                id: r.get(0)?,
                title: r.get(1)?,
                level: r.get(2)?,
                scope: r.get(3)?,
                reported_at: r.get(4)?,
                created_at: r.get(5)?,
                response_met_at: r.get(6)?,
                resolved_at: r.get(7)?,
                response_breached: r.get(8)?,
                resolution_breached: r.get(9)?,
                reports: r.get(10)?,
                cause: r.get(11)?,
                solution: r.get(12)?,
                body: r.get(13)?,
                category: r.get(14)?,
                timeline: vec![],
            })
        })
        .await?;
    let Some(mut incident) = found else { return Ok(None) };
    let sql = "SELECT at, actor, kind, data FROM ticket_event WHERE ticket_id = $1 ORDER BY n";
    incident.timeline = tx
        .rows(sql, args![id], |r| {
            let data: String = r.get(3)?;
            Ok((r.get(0)?, r.get(1)?, r.get(2)?, serde_json::from_str(&data).unwrap_or(serde_json::Value::Null)))
        })
        .await?;
    Ok(Some(incident))
}

/// A review.
#[derive(Debug, Clone, PartialEq)]
pub struct Review {
    /// The ticket it is about.
    pub ticket: i64,
    /// `draft`, `reviewed` or `published`.
    pub state: String,
    /// Who and what was affected.
    pub scope: String,
    /// Why it happened.
    pub cause: String,
    /// What was done.
    pub handling: String,
    /// What helped, and what would have.
    pub helped: String,
    /// What happened, from the ticket.
    pub facts: serde_json::Value,
    /// Who wrote it last.
    pub author: String,
    /// Who confirmed it.
    pub reviewer: Option<String>,
    /// The case it became.
    pub article: Option<i64>,
    /// When it was last written.
    pub updated_at: Millis,
    /// From 1.
    pub version: i64,
}

const REVIEW: &str =
    "ticket_id, state, scope, cause, handling, helped, facts, author, reviewer, article_id, updated_at, version";

fn read_review(r: &Row<'_>) -> Result<Review, StoreError> {
    let facts: String = r.get(6)?;
    Ok(Review {
        ticket: r.get(0)?,
        state: r.get(1)?,
        scope: r.get(2)?,
        cause: r.get(3)?,
        handling: r.get(4)?,
        helped: r.get(5)?,
        facts: serde_json::from_str(&facts).map_err(|e| StoreError::Value(format!("review.facts: {e}")))?,
        author: r.get(7)?,
        reviewer: r.get(8)?,
        article: r.get(9)?,
        updated_at: r.get(10)?,
        version: r.get(11)?,
    })
}

/// The review of a ticket.
///
/// # Errors
/// When the store does not answer.
pub async fn review(store: &Store, ticket: i64) -> Result<Option<Review>, StoreError> {
    store.row(&format!("SELECT {REVIEW} FROM review WHERE ticket_id = $1"), args![ticket], read_review).await
}

pub(super) async fn review_in(tx: &mut Tx, ticket: i64) -> Result<Option<Review>, StoreError> {
    tx.row(&format!("SELECT {REVIEW} FROM review WHERE ticket_id = $1"), args![ticket], read_review).await
}

/// Reviews, the last written first.
///
/// # Errors
/// When the store does not answer.
pub async fn reviews(store: &Store, limit: i64) -> Result<Vec<Review>, StoreError> {
    let sql = format!("SELECT {REVIEW} FROM review ORDER BY updated_at DESC, ticket_id DESC LIMIT $1");
    store.rows(&sql, args![limit], read_review).await
}

/// Resolved tickets of `levels` that nobody has begun to review, the last resolved first: number, title, level, when.
///
/// # Errors
/// When the store does not answer.
pub async fn unreviewed(
    store: &Store,
    levels: &[String],
    limit: i64,
) -> Result<Vec<(i64, String, String, Millis)>, StoreError> {
    let mut out = Vec::new();
    for level in levels {
        let sql = "SELECT t.id, t.title, t.level, t.resolved_at FROM ticket t WHERE t.state = 'resolved' AND t.level = $1 \
                   AND NOT EXISTS (SELECT 1 FROM review r WHERE r.ticket_id = t.id) ORDER BY t.id DESC LIMIT $2";
        let args = args![level.as_str(), limit];
        out.extend(store.rows(sql, args, |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))).await?);
    }
    Ok(out)
}

pub(super) async fn add_review(tx: &mut Tx, r: &Review, now: Millis) -> Result<(), StoreError> {
    let sql = "INSERT INTO review(ticket_id, state, scope, cause, handling, helped, facts, author, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
    let args = args![
        r.ticket,
        r.state.as_str(),
        r.scope.as_str(),
        r.cause.as_str(),
        r.handling.as_str(),
        r.helped.as_str(),
        r.facts.to_string(),
        r.author.as_str(),
        now
    ];
    tx.exec(sql, args).await?;
    Ok(())
}

pub(super) async fn put_review(tx: &mut Tx, r: &Review, now: Millis) -> Result<(), StoreError> {
    let sql = "UPDATE review SET state = $2, scope = $3, cause = $4, handling = $5, helped = $6, author = $7, reviewer = $8, \
               article_id = $9, updated_at = $10, version = $11 WHERE ticket_id = $1";
    let args = args![
        r.ticket,
        r.state.as_str(),
        r.scope.as_str(),
        r.cause.as_str(),
        r.handling.as_str(),
        r.helped.as_str(),
        r.author.as_str(),
        r.reviewer.clone(),
        r.article,
        now,
        r.version
    ];
    tx.exec(sql, args).await?;
    Ok(())
}

pub(super) async fn add_action(
    tx: &mut Tx,
    review: i64,
    ticket: i64,
    owner: &str,
    due: Millis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO review_action(review_id, ticket_id, owner, due_at) VALUES ($1, $2, $3, $4)";
    tx.exec(sql, args![review, ticket, owner, due]).await?;
    Ok(())
}

const ACTIONS: &str = "SELECT ticket_id, owner, due_at FROM review_action WHERE review_id = $1 ORDER BY ticket_id";

pub(super) async fn actions_in(tx: &mut Tx, review: i64) -> Result<Vec<(i64, String, Millis)>, StoreError> {
    tx.rows(ACTIONS, args![review], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).await
}

/// The actions of a review: their tickets, owners and dates.
///
/// # Errors
/// When the store does not answer.
pub async fn actions(store: &Store, review: i64) -> Result<Vec<(i64, String, Millis)>, StoreError> {
    store.rows(ACTIONS, args![review], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).await
}
