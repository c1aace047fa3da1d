//! Tickets by a filter: so many keys are looked at by an index, then the filter, so that no filter reads everything.

use super::listed;
use crate::clock::Millis;
use crate::store::{Args, Dialect, Store, StoreError};
use crate::text::filter::{Ask, Filter, Owner, Term};
use crate::text::words as search;
use crate::tickets::model::Ticket;

/// So many tickets are looked at: of the open ones the most urgent, of others the newest.
pub const LOOKED_AT: i64 = 20_000;
/// Matches of a saved queue are counted up to here.
pub const MOST_COUNTED: i64 = 1_000;
/// The same for its count, which is made again and again.
const COUNTED_AMONG: i64 = 5_000;

/// What a filter found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The tickets, open ones by urgency, others newest first. Bodies are left out.
    pub tickets: Vec<Ticket>,
    /// There are more tickets than were looked at.
    pub capped: bool,
}

fn like(text: &str) -> String {
    let mut out = String::from("%");
    for c in text.to_lowercase().chars() {
        if ['%', '_', '\\'].contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('%');
    out
}

/// The condition of one term on `ticket t`; its arguments are appended.
fn condition(term: &Term, me: &str, now: Millis, args: &mut Args) -> String {
    let mut bind = |value: crate::store::Val| {
        args.push(value);
        format!("${}", args.len())
    };
    let holds = match &term.ask {
        Ask::Level(v) => format!("t.level = {}", bind(v.into())),
        Ask::Channel(v) => format!("t.channel = {}", bind(v.into())),
        Ask::Scope(v) => format!("t.scope = {}", bind(v.into())),
        Ask::Severity(v) => format!("t.severity = {}", bind(v.into())),
        Ask::State(v) => match v.as_str() {
            "open" => "t.is_open".into(),
            "any" => "t.id > 0".into(),
            "working" => "t.state = 'open'".into(),
            _ => format!("t.state = {}", bind(v.into())),
        },
        Ask::Owner(Owner::Me) => format!("coalesce(t.owner, '') = {}", bind(me.into())),
        Ask::Owner(Owner::Nobody) => "t.owner IS NULL".into(),
        Ask::Owner(Owner::Named(v)) => format!("coalesce(t.owner, '') = {}", bind(v.into())),
        Ask::From(v) => format!("lower(t.reporter) LIKE {} ESCAPE '\\'", bind(like(v).into())),
        Ask::Older(d) => format!("t.reported_at < {}", bind((now - d).into())),
        Ask::Younger(d) => format!("t.reported_at > {}", bind((now - d).into())),
        // a paused ticket is due at no time: its urgency is never
        Ask::DueWithin(d) => format!("t.is_open AND t.urgency < {}", bind((now + d).into())),
        Ask::DueAfter(d) => format!("t.is_open AND t.urgency > {}", bind((now + d).into())),
        Ask::Breached => {
            let now = bind(now.into());
            format!(
                "t.response_breached OR t.resolution_breached OR coalesce(t.response_breach_at, {now}) < {now} \
                 OR coalesce(t.resolution_breach_at, {now}) < {now}"
            )
        }
        Ask::Paused => "t.state = 'waiting'".into(),
        Ask::Word(w) | Ask::Phrase(w) => {
            let text = bind(like(w).into());
            format!("lower(t.title) LIKE {text} ESCAPE '\\' OR lower(t.body) LIKE {text} ESCAPE '\\'")
        }
    };
    if term.not { format!("NOT ({holds})") } else { format!("({holds})") }
}

/// The keys that are looked at, and what remains to be asked of them.
struct Plan {
    keys: String,
    order: &'static str,
    condition: String,
    args: Args,
}

fn plan(dialect: Dialect, filter: &Filter, me: &str, now: Millis, among: i64) -> Option<Plan> {
    let words = filter.words();
    let hits = match dialect {
        Dialect::Sqlite => search::fts5(&words),
        Dialect::Postgres => search::tsquery(&words),
    };
    let open = filter.open_only();
    let mut args: Args = vec![];
    let keys = if words.is_empty() {
        let whose = filter.terms.iter().filter(|t| !t.not).find_map(|t| match &t.ask {
            Ask::Owner(Owner::Me) => Some(me),
            Ask::Owner(Owner::Named(name)) => Some(name),
            _ => None,
        });
        let paused = filter.terms.iter().any(|t| !t.not && t.ask == Ask::Paused);
        if open {
            let mut narrowed = String::new();
            if let Some(name) = whose {
                args.push(name.into());
                narrowed.push_str(" AND owner = $1");
            }
            if paused {
                narrowed.push_str(" AND state = 'waiting'");
            }
            format!("SELECT id, urgency FROM ticket WHERE is_open{narrowed} ORDER BY urgency, id LIMIT {among}")
        } else {
            format!("SELECT id, urgency FROM ticket ORDER BY id DESC LIMIT {among}")
        }
    } else {
        // words without a letter are in no ticket
        args.push(hits?.into());
        let found = super::search::hits_of(dialect, among);
        format!("SELECT h.id, 0 AS urgency FROM ({found}) h")
    };
    // single words were found by the index; what stands between quotes is compared
    let rest = filter.terms.iter().filter(|t| t.not || !matches!(t.ask, Ask::Word(_)));
    let mut conditions: Vec<String> = rest.map(|t| condition(t, me, now, &mut args)).collect();
    if open && !words.is_empty() {
        conditions.push("t.is_open".into());
    }
    if conditions.is_empty() {
        conditions.push("t.id > 0".into());
    }
    let order = if open { "t.urgency, t.id" } else { "t.id DESC" };
    Some(Plan { keys, order, condition: conditions.join(" AND "), args })
}

/// The tickets that a filter leaves, at most `limit`.
///
/// # Errors
/// When the store does not answer.
pub async fn filtered(store: &Store, filter: &Filter, me: &str, now: Millis, limit: i64) -> Result<Found, StoreError> {
    if !filter.terms.is_empty() && filter.terms.iter().all(|t| !t.not && matches!(t.ask, Ask::Word(_))) {
        // the index answers alone, in the order that is wanted
        let tickets = super::find(store, &filter.words(), limit).await?;
        return Ok(Found { capped: tickets.len() as i64 >= limit, tickets });
    }
    let Some(Plan { keys, order, condition, mut args }) = plan(store.dialect(), filter, me, now, LOOKED_AT) else {
        return Ok(Found::default());
    };
    let looked = store
        .row(&format!("SELECT count(*) FROM ({keys}) q"), args[..args.len().min(placeholders(&keys))].to_vec(), |r| {
            r.get::<i64>(0)
        })
        .await?
        .unwrap_or_default();
    args.push(limit.into());
    let sql = format!(
        "WITH k AS MATERIALIZED ({keys}), \
         h AS MATERIALIZED (SELECT t.id FROM k JOIN ticket t ON t.id = k.id WHERE {condition} ORDER BY {order} LIMIT ${}) \
         SELECT {} FROM h JOIN ticket t ON t.id = h.id ORDER BY {order}",
        args.len(),
        listed::COLUMNS
    );
    let tickets = store.rows(&sql, args, listed::read).await?;
    Ok(Found { tickets, capped: looked >= LOOKED_AT })
}

/// How many arguments the keys take: they come first.
fn placeholders(keys: &str) -> usize {
    usize::from(keys.contains("$1"))
}

/// How many tickets a filter leaves, counted up to [`MOST_COUNTED`], and whether there may be more.
///
/// # Errors
/// When the store does not answer.
pub async fn count_filtered(store: &Store, filter: &Filter, me: &str, now: Millis) -> Result<(i64, bool), StoreError> {
    let Some(Plan { keys, condition, args, .. }) = plan(store.dialect(), filter, me, now, COUNTED_AMONG) else {
        return Ok((0, false));
    };
    let sql = format!(
        "WITH k AS MATERIALIZED ({keys}) SELECT count(*), (SELECT count(*) FROM k) FROM \
         (SELECT 1 FROM k JOIN ticket t ON t.id = k.id WHERE {condition} LIMIT {MOST_COUNTED}) q"
    );
    let (n, looked) = store.row(&sql, args, |r| Ok((r.get::<i64>(0)?, r.get::<i64>(1)?))).await?.unwrap_or_default();
    Ok((n, n >= MOST_COUNTED || looked >= COUNTED_AMONG))
}
