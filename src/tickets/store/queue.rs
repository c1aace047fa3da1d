//! The queues: pages of open tickets, most urgent first, and how many there are.
//!
//! Pages are found by key, never by offset. `breaching` is a range of one index in the order of another: with few
//! hits they are sorted, with many the open tickets are read in order, since the urgent ones are the ones at risk.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::listed::{self, COLUMNS};
use crate::args;
use crate::clock::Millis;
use crate::store::{Args, Store, StoreError};
use crate::tickets::model::Ticket;

/// Most rows of one page.
pub const PAGE_LIMIT: i64 = 10_000;
/// Counts stop here.
const COUNT_LIMIT: i64 = 10_000;
/// Up to so many tickets at risk are sorted.
const SORTED: i64 = 5_000;
/// How long a count of those at risk is good enough to choose by.
const COUNTED_FOR: Duration = Duration::from_secs(10);

/// A view of the open tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Queue {
    /// Three quarters of a budget used, or more.
    Breaching,
    /// Mine.
    Mine,
    /// Nobody's.
    Unassigned,
    /// Paused.
    Waiting,
    /// Every open one.
    All,
}

/// How a queue is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Order {
    /// The clock that runs out first.
    #[default]
    Urgency,
    /// The highest number first.
    Newest,
    /// The lowest number first.
    Oldest,
    /// What must be begun first to be solved in time.
    SafeStart,
}

impl Order {
    /// In the order of the picker.
    pub const ALL: [Self; 4] = [Self::Urgency, Self::SafeStart, Self::Newest, Self::Oldest];

    /// The column that pages of this order are found by, where it is not the number alone.
    fn column(self) -> Option<&'static str> {
        match self {
            Self::Urgency => Some("urgency"),
            Self::SafeStart => Some("safe_start"),
            Self::Newest | Self::Oldest => None,
        }
    }

    /// The place of a ticket in this order.
    pub fn place(self, t: &Ticket) -> (Millis, i64) {
        (if self == Self::SafeStart { t.safe_start } else { t.urgency }, t.id)
    }
}

/// Where a page lies in a queue; a place is [`Order::place`] of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// The first.
    Start,
    /// The rows after a place.
    After(Millis, i64),
    /// The rows before a place.
    Before(Millis, i64),
    /// The row of a place and those after it.
    From(Millis, i64),
    /// The last.
    End,
}

impl Queue {
    /// In the order of the screen.
    pub const ORDER: [Self; 5] = [Self::Breaching, Self::Mine, Self::Unassigned, Self::Waiting, Self::All];

    fn filter(self) -> &'static str {
        match self {
            Self::Breaching => " AND risk_at <= $1",
            Self::Mine => " AND owner = $1",
            Self::Unassigned => " AND owner IS NULL",
            Self::Waiting => " AND state = 'waiting'",
            Self::All => "",
        }
    }

    fn args(self, me: &str, now: Millis) -> Args {
        match self {
            Self::Breaching => args![now],
            Self::Mine => args![me],
            Self::Unassigned | Self::Waiting | Self::All => vec![],
        }
    }
}

/// The statement and arguments of a page in the order of `key`; `few` when the filter is known to leave few rows.
fn statement(queue: Queue, key: &str, me: &str, now: Millis, at: Cursor, limit: i64, few: bool) -> (String, Args) {
    let mut args = queue.args(me, now);
    let (place, op, backwards) = match at {
        Cursor::Start => (None, "", false),
        Cursor::End => (None, "", true),
        Cursor::After(first, id) => (Some((first, id)), ">", false),
        Cursor::From(first, id) => (Some((first, id)), ">=", false),
        Cursor::Before(first, id) => (Some((first, id)), "<", true),
    };
    let range = place.map_or_else(String::new, |(first, id)| {
        args.extend(args![first, id]);
        format!(" AND ({key}, id) {op} (${}, ${})", args.len() - 1, args.len())
    });
    args.push(limit.into());
    let (filter, n) = (queue.filter(), args.len());
    let order = if backwards { "DESC" } else { "ASC" };
    let keys = if few {
        // the filter's own index, then a sort of the few
        format!(
            "WITH hit AS MATERIALIZED (SELECT {key}, id FROM ticket WHERE is_open{filter}) \
             SELECT {key}, id FROM hit WHERE true{range}"
        )
    } else {
        // the unary plus keeps SQLite from taking the filter's index and sorting everything
        let filter = if queue == Queue::Breaching { " AND +risk_at <= $1" } else { filter };
        format!("SELECT {key}, id FROM ticket WHERE is_open{filter}{range}")
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM ({keys} ORDER BY {key} {order}, id {order} LIMIT ${n}) k JOIN ticket t ON t.id = k.id \
         ORDER BY k.{key}, k.id"
    );
    (sql, args)
}

/// The same by number.
fn by_number(queue: Queue, me: &str, now: Millis, at: Cursor, limit: i64, newest: bool) -> (String, Args) {
    let mut args = queue.args(me, now);
    let (place, up, backwards) = match at {
        Cursor::Start => (None, "", false),
        Cursor::End => (None, "", true),
        Cursor::After(_, id) => (Some(id), if newest { "<" } else { ">" }, false),
        Cursor::From(_, id) => (Some(id), if newest { "<=" } else { ">=" }, false),
        Cursor::Before(_, id) => (Some(id), if newest { ">" } else { "<" }, true),
    };
    let range = place.map_or_else(String::new, |id| {
        args.push(id.into());
        format!(" AND id {up} ${}", args.len())
    });
    args.push(limit.into());
    let word = |descending| if descending { "DESC" } else { "ASC" };
    let sql = format!(
        "SELECT {COLUMNS} FROM (SELECT id FROM ticket WHERE is_open{}{range} ORDER BY id {} LIMIT ${}) k \
         JOIN ticket t ON t.id = k.id ORDER BY k.id {}",
        queue.filter(),
        word(newest != backwards),
        args.len(),
        word(newest)
    );
    (sql, args)
}

/// At most `limit` tickets of a queue in an order, at a place of it. Bodies are left out.
///
/// # Errors
/// When the store does not answer.
pub async fn page_in(
    store: &Store,
    (queue, order): (Queue, Order),
    me: &str,
    now: Millis,
    at: Cursor,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    let limit = limit.clamp(1, PAGE_LIMIT);
    let (sql, args) = match order.column() {
        Some(key) => {
            let few = queue == Queue::Breaching && few_at_risk(store, now).await?;
            statement(queue, key, me, now, at, limit, few)
        }
        None => by_number(queue, me, now, at, limit, order == Order::Newest),
    };
    store.rows(&sql, args, listed::read).await
}

/// Whether few are at risk, counted again when the last count is older than [`COUNTED_FOR`]: it says only which way to
/// the page is the shorter one, so an old or another store's answer costs time and no row.
async fn few_at_risk(store: &Store, now: Millis) -> Result<bool, StoreError> {
    static COUNTED: Mutex<Option<(Instant, bool)>> = Mutex::new(None);
    let counted = *COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, few)) = counted
        && at.elapsed() < COUNTED_FOR
    {
        return Ok(few);
    }
    let sql = "SELECT count(*) FROM (SELECT 1 FROM ticket WHERE is_open AND risk_at <= $1 LIMIT $2) q";
    let hits = store.row(sql, args![now, SORTED + 1], |r| r.get::<i64>(0)).await?;
    let few = hits.unwrap_or(0) <= SORTED;
    *COUNTED.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), few));
    Ok(few)
}

/// At most `limit` tickets of a queue at a place, most urgent first. Bodies are left out.
///
/// # Errors
/// When the store does not answer.
pub async fn page_at(
    store: &Store,
    queue: Queue,
    me: &str,
    now: Millis,
    at: Cursor,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    page_in(store, (queue, Order::Urgency), me, now, at, limit).await
}

/// The most urgent tickets of a queue after (urgency, id) of `after`. Bodies are left out.
///
/// # Errors
/// When the store does not answer.
pub async fn page(
    store: &Store,
    queue: Queue,
    me: &str,
    now: Millis,
    after: Option<(i64, i64)>,
    limit: i64,
) -> Result<Vec<Ticket>, StoreError> {
    let at = after.map_or(Cursor::Start, |(urgency, id)| Cursor::After(urgency, id));
    page_at(store, queue, me, now, at, limit).await
}

fn count_statement(queue: Queue) -> String {
    // the order leads both planners to the queue's own index, which is then all that is read
    let order = if queue == Queue::Breaching { "risk_at" } else { "urgency" };
    let filter = queue.filter();
    format!(
        "SELECT count(*) FROM (SELECT {order} FROM ticket WHERE is_open{filter} ORDER BY {order} LIMIT {COUNT_LIMIT}) q"
    )
}

/// How many tickets each queue holds, counted up to 10 000, in the order of [`Queue::ORDER`].
///
/// # Errors
/// When the store does not answer.
pub async fn counts(store: &Store, me: &str, now: Millis) -> Result<[i64; 5], StoreError> {
    let mut out = [0; 5];
    for (queue, count) in Queue::ORDER.into_iter().zip(&mut out) {
        let sql = count_statement(queue);
        *count = store.row(&sql, queue.args(me, now), |r| r.get::<i64>(0)).await?.unwrap_or(0);
    }
    Ok(out)
}

/// The database's plans for every queue statement, for the test that no queue is read as a whole.
///
/// # Errors
/// When the store does not answer.
pub async fn plans(store: &Store) -> Result<Vec<(String, String)>, StoreError> {
    let explain = store.pick("EXPLAIN QUERY PLAN ", "EXPLAIN ");
    let column = usize::from(store.dialect() == crate::store::Dialect::Sqlite) * 3;
    let mut out = Vec::new();
    for queue in Queue::ORDER {
        let mut ask: Vec<(String, String, Args)> =
            vec![(format!("{queue:?} count"), count_statement(queue), queue.args("me", 0))];
        for at in [Cursor::Start, Cursor::After(0, 0), Cursor::From(0, 0), Cursor::Before(0, 0), Cursor::End] {
            for few in [false, true] {
                if few && queue != Queue::Breaching {
                    continue;
                }
                for key in Order::ALL.into_iter().filter_map(Order::column) {
                    let (sql, args) = statement(queue, key, "me", 0, at, 50, few);
                    ask.push((format!("{queue:?} by {key} {at:?} few={few}"), sql, args));
                }
            }
        }
        for (name, sql, args) in ask {
            let lines = store.rows(&format!("{explain}{sql}"), args, |r| r.get::<String>(column)).await?;
            out.push((name, lines.join("\n")));
        }
    }
    Ok(out)
}
