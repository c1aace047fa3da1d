//! The bare drivers, doing what the store does: the same statements, the same locks, the same hash, the same durability.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use tokio_postgres::types::{ToSql, Type};
use zhiban::clock::{Clock, Millis};
use zhiban::journal::{Entry, hash_of};
use zhiban::tickets::store::Queue;

use super::common::fill;

/// What a list reads of a ticket, and what an action writes back (after the number).
const LISTED: &str = "id, title, scope, severity, level, state, channel, reporter, owner, created_at, reported_at, \
    follow_up_at, pause_reason, flag, response_due, response_breach_at, response_met_at, response_breached, \
    response_excused, resolution_due, resolution_breach_at, resolved_at, resolution_breached, resolution_excused, \
    born_late, urgency, risk_at, next_at, merged_into, continues, reports, version";
const WRITTEN: [&str; 28] = [
    "scope",
    "severity",
    "level",
    "state",
    "owner",
    "reported_at",
    "follow_up_at",
    "pause_reason",
    "flag",
    "response_due",
    "response_breach_at",
    "response_met_at",
    "response_breached",
    "response_excused",
    "resolution_due",
    "resolution_breach_at",
    "resolved_at",
    "resolution_breached",
    "resolution_excused",
    "urgency",
    "risk_at",
    "next_at",
    "merged_into",
    "reports",
    "cause",
    "solution",
    "is_open",
    "version",
];

pub enum Bare {
    Lite(Connection),
    Pg(tokio_postgres::Client, HashMap<String, tokio_postgres::Statement>),
}

fn update() -> String {
    let sets: Vec<String> = WRITTEN.iter().enumerate().map(|(i, c)| format!("{c} = ${}", i + 2)).collect();
    format!("UPDATE ticket SET {} WHERE id = $1", sets.join(", "))
}

const WHOLE: &str = "SELECT * FROM ticket WHERE id = $1";
const EVENTS: &str = "SELECT at, actor, kind, data FROM ticket_event WHERE ticket_id = $1 ORDER BY n";
const EVENT: &str = "INSERT INTO ticket_event(ticket_id, n, at, actor, kind, data) VALUES ($1, $2, $3, $4, $5, $6)";
const HEAD: &str = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1";
const JOURNAL: &str = "INSERT INTO journal VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const CHANGE: &str =
    "INSERT INTO change(topic, seq) VALUES ('ticket', 1) ON CONFLICT(topic) DO UPDATE SET seq = change.seq + 1";

fn entry(id: i64, me: &str, at: Millis) -> Entry {
    Entry {
        at,
        actor: me.into(),
        origin: "bench".into(),
        subject_kind: "ticket".into(),
        subject_id: id.to_string(),
        verb: "ticket.claim".into(),
        detail: format!(r#"{{"owner":"{me}"}}"#),
    }
}

impl Bare {
    /// A connection to a SQLite store with the settings of the store's own writer.
    pub fn sqlite(path: &Path) -> Self {
        let conn = Connection::open(path).expect("file");
        conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cache_size = -2048; PRAGMA busy_timeout = 5000")
            .expect("settings");
        Self::Lite(conn)
    }

    /// A connection to a Postgres store.
    pub async fn postgres(url: &str) -> Self {
        Self::Pg(fill::connect(url).await, HashMap::new())
    }

    /// The numbers of a queue's first tickets; every column of them has been read.
    pub async fn page(&mut self, queue: Queue, me: &str, now: Millis, limit: i64) -> Vec<i64> {
        // the unary plus keeps SQLite from sorting everything that is at risk
        let (filter, arg): (&str, Box<dyn ToSql + Sync>) = match queue {
            Queue::Breaching => (" AND +risk_at <= $1", Box::new(now)),
            Queue::Mine => (" AND owner = $1", Box::new(me.to_owned())),
            Queue::Unassigned => (" AND owner IS NULL AND 0 = $1", Box::new(0_i64)),
            Queue::Waiting => (" AND state = 'waiting' AND 0 = $1", Box::new(0_i64)),
            Queue::All => (" AND 0 = $1", Box::new(0_i64)),
        };
        match self {
            Self::Lite(conn) => {
                let filter = filter.replace(" AND 0 = $1", " AND $1 IS NOT NULL");
                let sql = format!("SELECT {LISTED} FROM ticket WHERE is_open{filter} ORDER BY urgency, id LIMIT $2");
                let mut find = conn.prepare_cached(&sql).expect("statement");
                let arg = match queue {
                    Queue::Mine => Value::Text(me.to_owned()),
                    _ => Value::Integer(now),
                };
                let read = |r: &rusqlite::Row<'_>| {
                    let all: Vec<Value> = (0..32).map(|i| r.get(i)).collect::<Result<_, _>>()?;
                    Ok(if let Value::Integer(id) = all[0] { id } else { 0 })
                };
                find.query_map(params![arg, limit], read).expect("rows").map(|r| r.expect("row")).collect()
            }
            Self::Pg(client, statements) => {
                let filter = filter.replace(" AND 0 = $1", " AND 0::bigint = $1").replace('+', "");
                let sql = format!("SELECT {LISTED} FROM ticket WHERE is_open{filter} ORDER BY urgency, id LIMIT $2");
                if !statements.contains_key(&sql) {
                    statements.insert(sql.clone(), client.prepare(&sql).await.expect("statement"));
                }
                let rows = client.query(&statements[&sql], &[&*arg, &limit]).await.expect("rows");
                rows.iter()
                    .map(|r| {
                        assert_eq!(pg_values(r).len(), 32);
                        r.get(0)
                    })
                    .collect()
            }
        }
    }

    /// A claim as a whole.
    pub async fn claim(&mut self, id: i64, me: &str) {
        match self {
            Self::Lite(conn) => claim_lite(conn, id, me),
            Self::Pg(client, _) => claim_pg(client, id, me).await,
        }
    }
}

fn claim_lite(conn: &Connection, id: i64, me: &str) {
    let at = Clock::System.now();
    conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([])).expect("begin");
    let mut find = conn.prepare_cached(WHOLE).expect("statement");
    let names: Vec<String> = find.column_names().into_iter().map(str::to_owned).collect();
    let mut row: Vec<Value> = find.query_row([id], |r| (0..names.len()).map(|i| r.get(i)).collect()).expect("ticket");
    let place = |name: &str| names.iter().position(|n| n == name).expect("column");
    let mut past = conn.prepare_cached(EVENTS).expect("statement");
    let known = past
        .query_map([id], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get::<_, String>(3)?))
        })
        .expect("events")
        .count() as i64;
    row[place("owner")] = Value::Text(me.into());
    row[place("state")] = Value::Text("open".into());
    if let Value::Integer(version) = &mut row[place("version")] {
        *version += 1;
    }
    let e = entry(id, me, at);
    conn.prepare_cached(EVENT)
        .and_then(|mut s| s.execute(params![id, known + 1, at, me, "claimed", e.detail]))
        .expect("event");
    let values = std::iter::once(Value::Integer(id)).chain(WRITTEN.iter().map(|c| row[place(c)].clone()));
    conn.prepare_cached(&update().replace('$', "?"))
        .and_then(|mut s| s.execute(params_from_iter(values)))
        .expect("ticket");
    let (seq, last): (i64, String) =
        conn.prepare_cached(HEAD).and_then(|mut s| s.query_row([], |r| Ok((r.get(0)?, r.get(1)?)))).expect("head");
    let hash = hash_of(seq + 1, &e, &last);
    let row = params![seq + 1, e.at, e.actor, e.origin, e.subject_kind, e.subject_id, e.verb, e.detail, last, hash];
    conn.prepare_cached(JOURNAL).and_then(|mut s| s.execute(row)).expect("journal");
    conn.prepare_cached(CHANGE).and_then(|mut s| s.execute([])).expect("change");
    conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([])).expect("commit");
}

type Any = Box<dyn ToSql + Sync + Send>;

/// Every column, as it is read and bound again.
fn pg_values(row: &tokio_postgres::Row) -> Vec<Any> {
    let value = |(i, c): (usize, &tokio_postgres::Column)| -> Any {
        match *c.type_() {
            Type::BOOL => Box::new(row.get::<_, Option<bool>>(i)),
            Type::INT8 => Box::new(row.get::<_, Option<i64>>(i)),
            _ => Box::new(row.get::<_, Option<String>>(i)),
        }
    };
    row.columns().iter().enumerate().map(value).collect()
}

/// The statements of a claim, prepared once.
async fn claim_pg(client: &tokio_postgres::Client, id: i64, me: &str) {
    use tokio::sync::OnceCell;
    static STATEMENTS: OnceCell<Vec<tokio_postgres::Statement>> = OnceCell::const_new();
    let told = "WITH j AS (INSERT INTO journal VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)), \
        c AS (INSERT INTO change(topic, seq) VALUES ($5, 1) ON CONFLICT(topic) DO UPDATE SET seq = change.seq + 1) \
        SELECT pg_notify('zhiban', $5)";
    let statements = STATEMENTS
        .get_or_init(|| async {
            let mut all = vec![];
            for sql in [WHOLE, EVENTS, EVENT, &update(), HEAD, told] {
                all.push(client.prepare(sql).await.expect("statement"));
            }
            all
        })
        .await;
    let at = Clock::System.now();
    client.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7317000001)").await.expect("begin");
    let row = client.query_one(&statements[0], &[&id]).await.expect("ticket");
    let mut values = pg_values(&row);
    let place = |name: &str| row.columns().iter().position(|c| c.name() == name).expect("column");
    let past = client.query(&statements[1], &[&id]).await.expect("events");
    let known = past.iter().filter(|r| !r.get::<_, &str>(3).is_empty()).count() as i64;
    values[place("owner")] = Box::new(me.to_owned());
    values[place("state")] = Box::new("open");
    values[place("version")] = Box::new(row.get::<_, i64>(place("version")) + 1);
    let e = entry(id, me, at);
    client.execute(&statements[2], &[&id, &(known + 1), &at, &me, &"claimed", &e.detail]).await.expect("event");
    let mut written: Vec<&(dyn ToSql + Sync)> = vec![&id];
    written.extend(WRITTEN.iter().map(|c| &*values[place(c)] as &(dyn ToSql + Sync)));
    client.execute(&statements[3], &written).await.expect("ticket");
    let head = client.query_one(&statements[4], &[]).await.expect("head");
    let (seq, last): (i64, String) = (head.get(0), head.get(1));
    let hash = hash_of(seq + 1, &e, &last);
    let row: [&(dyn ToSql + Sync); 10] =
        [&(seq + 1), &e.at, &e.actor, &e.origin, &e.subject_kind, &e.subject_id, &e.verb, &e.detail, &last, &hash];
    client.execute(&statements[5], &row).await.expect("journal");
    client.batch_execute("COMMIT").await.expect("commit");
}
