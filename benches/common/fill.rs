//! Stores full of tickets. A few hundred lives are led through the real actions; their rows are then written again and
//! again, week by week into the past, each with its own words, its own number and its own place in the journal's chain.
//!
//! A tenth of a store as it grows in years is not open: `open` says how many are. All but a few hundred of them are
//! older than their budgets: such a backlog is the worst case for the queues.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value as Json;
use zhiban::action::{Actor, Door, Identity, Role, resolve};
use zhiban::clock::{Clock, HOUR, MINUTE, Millis, parse_rfc3339, rfc3339};
use zhiban::config::Config;
use zhiban::journal::{Entry, GENESIS, hash_of};
use zhiban::store::{Store, StoreUrl, schema};
use zhiban::text::words as search;
use zhiban::tickets::actions::{Change, New, What};
use zhiban::tickets::model::NEVER;
use zhiban::tickets::store as tickets;

use super::text;

const WEEK: Millis = 7 * 24 * HOUR;
/// Weeks of past.
const WEEKS: i64 = 100;
/// Lives led through the actions, of each kind.
const LIVES: usize = 300;

/// How many tickets a store holds, and how many of them are open.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub tickets: i64,
    pub open: i64,
}

/// The store of the bars: a million tickets, with the backlog that is worst for the queues.
pub const MILLION: Size = Size { tickets: 1_000_000, open: 200_000 };
/// The store it is compared with: the same in small.
pub const SMALL: Size = Size { tickets: 10_000, open: 2_000 };

impl Size {
    /// The name under which it is kept; another schema or generator is another store.
    fn name(self) -> String {
        format!("zb_{}_{}_v{}g4", self.tickets, self.open, schema::VERSION)
    }
}

type Row = Vec<Value>;

/// The rows of one table.
struct Table {
    name: &'static str,
    columns: Vec<String>,
}

/// What the actions wrote for one ticket, a list for each of [`TABLES`].
#[derive(Clone, Default)]
struct Life {
    rows: [Vec<Row>; 4],
}

/// Tables that a ticket has rows in, and the column that names it.
const TABLES: [(&str, &str); 4] =
    [("ticket", "id"), ("ticket_event", "ticket_id"), ("ticket_fired", "ticket_id"), ("journal", "subject_id")];
const JOURNAL: usize = 3;

struct Template {
    tables: Vec<Table>,
    done: Vec<Life>,
    old: Vec<Life>,
    live: Vec<Life>,
}

/// Leads the lives.
async fn template(now: Millis) -> Template {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("template.db");
    let store = Store::open(&StoreUrl::sqlite(&path)).await.expect("store");
    let me = resolve(&store, &Identity::here(), "bench").await.expect("identity").name;
    let clock = Clock::manual(now);
    let people = [me.as_str(), "wang", "li", "zhao", "chen", "liu"];
    let door = |who: &str| {
        let actor =
            Actor { name: who.into(), role: Role::Operator, origin: "console os-user".into(), unclaimed: false };
        Door::new(store.clone(), clock.clone(), Config::default().into(), actor, false)
    };
    let doors: Vec<Door> = people.iter().map(|p| door(p)).collect();
    let mut r = fastrand::Rng::with_seed(7);
    let start = now / WEEK * WEEK - 3 * WEEK;
    for i in 0..3 * LIVES {
        let (kind, n) = (i / LIVES, (i % LIVES) as i64);
        let door = &doors[r.usize(..doors.len())];
        let born = if kind == 2 { now - r.i64(1..600) * MINUTE } else { start + n * WEEK / LIVES as i64 };
        clock.set(born);
        let new = New {
            title: "t".into(),
            body: "b".into(),
            scope: ["individual", "individual", "individual", "department", "company"][r.usize(..5)].into(),
            severity: ["general", "general", "important", "urgent"][r.usize(..4)].into(),
            channel: ["phone", "mail", "portal", "wecom"][r.usize(..4)].into(),
            reporter: ["张敏", "李娜", "王磊", "刘洋", "Chen Jie", "赵静"][r.usize(..6)].into(),
            ..New::default()
        };
        door.run(&new).await.expect("new");
        let id = i as i64 + 1;
        let later = |what: What, minutes: i64| {
            clock.set((clock.now() + minutes * MINUTE).min(now));
            async move { door.run(&Change::new(id, what)).await.expect("change") }
        };
        if r.u8(..10) < 5 {
            later(What::Claim, 9).await;
            later(What::Reply("已收到,正在处理 on it".into()), 4).await;
        }
        match (kind, r.u8(..10)) {
            (0, _) => {
                let (cause, solution) = ("配置错误".into(), "已恢复 restarted".into());
                later(What::Resolve { cause, solution }, 45).await;
            }
            (_, 0) => {
                later(What::Reply("请补充材料".into()), 3).await;
                let until = now + 3 * WEEKS * WEEK;
                later(
                    What::Pause {
                        reason: "waiting_user".into(),
                        until,
                        note: "等待用户补充材料后继续处理此单,预计一周".into(),
                    },
                    2,
                )
                .await;
            }
            _ => {}
        }
    }
    clock.set(now);
    loop {
        let due = tickets::overdue_marks(&store, now).await.expect("marks");
        if due.is_empty() {
            break;
        }
        for id in due {
            doors[0].run(&Change::new(id, What::Tick)).await.expect("tick");
        }
    }
    store.close().await;
    let file = Connection::open(&path).expect("template");
    // what the periodic work of all those weeks has done
    file.execute_batch(
        "UPDATE ticket_fired SET escalated = 1; UPDATE ticket SET safe_stale = 0, category = channel, \
         handling = CASE state WHEN 'resolved' THEN 2700000 END",
    )
    .expect("worked off");
    let tables = TABLES.map(|(name, _)| Table { name, columns: columns(&file, name) }).into();
    let mut lives: Vec<Life> = (1..=3 * LIVES as i64).map(|id| life(&file, id)).collect();
    let live = lives.split_off(2 * LIVES);
    let old = lives.split_off(LIVES);
    Template { tables, done: lives, old, live }
}

fn columns(file: &Connection, table: &str) -> Vec<String> {
    let statement = file.prepare(&format!("SELECT * FROM {table} LIMIT 0")).expect("table");
    statement.column_names().into_iter().map(str::to_owned).collect()
}

fn life(file: &Connection, id: i64) -> Life {
    let rows = TABLES.map(|(table, key)| {
        let order = if table == "journal" { "AND subject_kind = 'ticket' ORDER BY seq" } else { "" };
        let mut find = file.prepare(&format!("SELECT * FROM {table} WHERE {key} = ?1 {order}")).expect("statement");
        let width = find.column_count();
        let key = if table == "journal" { Value::Text(id.to_string()) } else { Value::Integer(id) };
        let rows = find.query_map([key], |r| (0..width).map(|i| r.get(i)).collect()).expect("rows");
        rows.map(|r| r.expect("row")).collect()
    });
    Life { rows }
}

/// Every instant of a JSON text moved by `by`.
fn moved_json(value: &mut Json, by: Millis) {
    match value {
        Json::Number(n) => {
            if let Some(at) = n.as_i64().filter(|at| (1 << 40..NEVER).contains(at)) {
                *value = (at + by).into();
            }
        }
        Json::String(text) if text.len() >= 20 && text.ends_with('Z') => {
            if let Ok(at) = parse_rfc3339(text) {
                *text = rfc3339(at + by);
            }
        }
        Json::Array(all) => all.iter_mut().for_each(|v| moved_json(v, by)),
        Json::Object(all) => all.values_mut().for_each(|v| moved_json(v, by)),
        _ => {}
    }
}

/// A life that happened `by` later.
fn moved(life: &Life, by: Millis) -> Life {
    let mut life = life.clone();
    for value in life.rows.iter_mut().flatten().flatten() {
        match value {
            // milliseconds of this century; numbers, counters and "never" lie elsewhere
            Value::Integer(at) if (1 << 40..NEVER).contains(at) => *at += by,
            Value::Text(text) if text.starts_with('{') => {
                let mut json: Json = serde_json::from_str(text).expect("json");
                moved_json(&mut json, by);
                *text = json.to_string();
            }
            _ => {}
        }
    }
    life
}

/// Where the rows go.
trait Sink {
    async fn put(&mut self, table: usize, row: Row);
    /// The words of a ticket, for its search.
    async fn words(&mut self, id: i64, words: String);
    /// Some thousand tickets have been put.
    async fn rest(&mut self);
}

/// Writes `size` tickets made after `template`; says how many journal rows they have.
async fn write(template: &Template, size: Size, sink: &mut impl Sink) -> i64 {
    let place = |table: usize, column: &str| template.tables[table].columns.iter().position(|c| c == column);
    let need = |table, column| place(table, column).expect("column");
    let (title, body) = (need(0, "title"), need(0, "body"));
    let keys = TABLES.map(|(_, key)| key).into_iter().enumerate().map(|(i, k)| need(i, k)).collect::<Vec<_>>();
    let names = ["at", "actor", "origin", "subject_kind", "subject_id", "verb", "detail", "prev_hash", "hash", "seq"];
    let [at, actor, origin, kind, subject, verb, detail, prev, hash, seq] = names.map(|c| need(JOURNAL, c));
    let (mut chain, mut last) = (0, GENESIS.to_owned());
    let live = (LIVES as i64).min(size.open);
    let past = size.tickets - live;
    let (mut week, mut done, mut old) = (-1, vec![], vec![]);
    for n in 0..size.tickets {
        let of = (n * WEEKS / past).min(WEEKS - 1);
        if of != week {
            week = of;
            done = template.done.iter().map(|l| moved(l, (of - WEEKS + 1) * WEEK)).collect();
            old = template.old.iter().map(|l| moved(l, (of - WEEKS + 1) * WEEK)).collect();
        }
        // the open ones lie evenly among the others
        let open = (n + 1) * (size.open - live) / past > n * (size.open - live) / past;
        let from = if n >= past {
            &template.live
        } else if open {
            &old
        } else {
            &done
        };
        let id = n + 1;
        let (new_title, new_body) = text::ticket(id as u64);
        let life = &from[(n as usize * 7 + n as usize / LIVES) % LIVES];
        for (table, rows) in life.rows.iter().enumerate() {
            for row in rows {
                let mut row = row.clone();
                row[keys[table]] = if table == JOURNAL { Value::Text(id.to_string()) } else { Value::Integer(id) };
                if table == 0 {
                    row[title] = Value::Text(new_title.clone());
                    row[body] = Value::Text(new_body.clone());
                }
                if table == JOURNAL {
                    let word = |i: usize| if let Value::Text(t) = &row[i] { t.clone() } else { String::new() };
                    let told = word(detail).replace(r#""title":"t""#, &format!(r#""title":"{new_title}""#));
                    let entry = Entry {
                        at: if let Value::Integer(at) = row[at] { at } else { 0 },
                        actor: word(actor),
                        origin: word(origin),
                        subject_kind: word(kind),
                        subject_id: word(subject),
                        verb: word(verb),
                        detail: told,
                    };
                    chain += 1;
                    let next = hash_of(chain, &entry, &last);
                    row[detail] = Value::Text(entry.detail);
                    row[seq] = Value::Integer(chain);
                    row[prev] = Value::Text(std::mem::replace(&mut last, next.clone()));
                    row[hash] = Value::Text(next);
                }
                sink.put(table, row).await;
            }
        }
        sink.words(id, search::index(&format!("{new_title}\n{new_body}"))).await;
        if n % 10_000 == 9_999 {
            sink.rest().await;
        }
    }
    sink.rest().await;
    chain
}

struct Lite<'a> {
    put: Vec<rusqlite::Statement<'a>>,
    words: rusqlite::Statement<'a>,
}

impl Sink for Lite<'_> {
    async fn put(&mut self, table: usize, row: Row) {
        self.put[table].execute(params_from_iter(row)).expect("row");
    }
    async fn words(&mut self, id: i64, words: String) {
        self.words.execute((id, words)).expect("words");
    }
    async fn rest(&mut self) {}
}

/// The SQLite store of a size, made if it is not there yet. It is the caller's to keep it as it is.
pub async fn sqlite(size: Size) -> PathBuf {
    let path = super::folder().join(format!("{}.db", size.name()));
    if path.exists() {
        return path;
    }
    let started = Instant::now();
    let half = path.with_extension("half");
    for end in ["", "-wal", "-shm"] {
        _ = std::fs::remove_file(format!("{}{end}", half.display()));
    }
    Store::open(&StoreUrl::sqlite(&half)).await.expect("store").close().await;
    let template = template(Clock::System.now()).await;
    let file = Connection::open(&half).expect("file");
    file.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144")
        .expect("fast");
    let indexes: Vec<(String, String)> = file
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('ticket', 'journal')")
        .and_then(|mut s| s.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?.collect())
        .expect("indexes");
    for (name, _) in &indexes {
        file.execute_batch(&format!("DROP INDEX {name}")).expect("index");
    }
    file.execute_batch("BEGIN").expect("begin");
    let insert = |t: &Table| {
        let marks = vec!["?"; t.columns.len()].join(",");
        file.prepare(&format!("INSERT INTO {}({}) VALUES ({marks})", t.name, t.columns.join(","))).expect("insert")
    };
    let mut sink = Lite {
        put: template.tables.iter().map(insert).collect(),
        words: file.prepare("INSERT INTO ticket_search(rowid, words) VALUES (?1, ?2)").expect("insert"),
    };
    let chain = write(&template, size, &mut sink).await;
    drop(sink);
    file.execute("INSERT INTO change(topic, seq) VALUES ('ticket', ?1)", [chain]).expect("change");
    file.execute_batch("COMMIT").expect("commit");
    for (_, sql) in &indexes {
        file.execute_batch(sql).expect("index");
    }
    file.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_checkpoint(TRUNCATE)").expect("wal");
    drop(file);
    std::fs::rename(&half, &path).expect("renamed");
    println!("     made {} ({chain} journal rows) in {:.0} s", path.display(), started.elapsed().as_secs_f64());
    path
}

struct Copy<'a> {
    client: &'a tokio_postgres::Client,
    heads: Vec<String>,
    texts: Vec<String>,
}

impl Copy<'_> {
    fn line(text: &mut String, row: &[Value]) {
        for (i, value) in row.iter().enumerate() {
            if i > 0 {
                text.push('\t');
            }
            match value {
                Value::Null => text.push_str("\\N"),
                Value::Integer(n) => _ = write!(text, "{n}"),
                Value::Real(n) => _ = write!(text, "{n}"),
                Value::Text(t) => text.push_str(&t.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t")),
                Value::Blob(_) => {}
            }
        }
        text.push('\n');
    }
}

impl Sink for Copy<'_> {
    async fn put(&mut self, table: usize, row: Row) {
        Self::line(&mut self.texts[table], &row);
    }
    async fn words(&mut self, id: i64, words: String) {
        Self::line(&mut self.texts[TABLES.len()], &[Value::Integer(id), Value::Text(words)]);
    }
    async fn rest(&mut self) {
        use futures_util::SinkExt as _;
        for (head, text) in self.heads.iter().zip(&mut self.texts) {
            let sink = self.client.copy_in::<_, bytes::Bytes>(head).await.expect("copy");
            let mut sink = std::pin::pin!(sink);
            sink.send(std::mem::take(text).into()).await.expect("rows");
            sink.close().await.expect("rows");
        }
    }
}

/// The address of the Postgres that `ZHIBAN_TEST_PG` names, with `database`; without the variable it says what to do.
pub fn postgres_url(database: &str) -> Option<String> {
    let Ok(base) = std::env::var("ZHIBAN_TEST_PG") else {
        println!("MISS PostgreSQL is not measured: set ZHIBAN_TEST_PG=postgres://user@host/ to a server for tests");
        return None;
    };
    let (head, query) = base.split_once('?').map_or((base.as_str(), String::new()), |(h, q)| (h, format!("?{q}")));
    Some(format!("{}/{database}{query}", head.trim_end_matches('/')))
}

/// A connection of the bare driver.
pub async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("Postgres answers");
    tokio::spawn(connection);
    client
}

/// The address of an empty database `name`, whatever was in it before.
pub async fn empty_postgres(name: &str) -> Option<String> {
    let admin = connect(&postgres_url("postgres")?).await;
    admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.expect("drop database");
    admin.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("create database");
    postgres_url(name)
}

/// The address of the Postgres store of a size, made if it is not there yet.
pub async fn postgres(size: Size) -> Option<String> {
    let name = size.name();
    let admin = connect(&postgres_url("postgres")?).await;
    let there = admin.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await.expect("databases");
    if !there.is_empty() {
        return postgres_url(&name);
    }
    let started = Instant::now();
    let half = format!("{name}_half");
    let url = empty_postgres(&half).await?;
    Store::open(&url.parse().expect("url")).await.expect("store").close().await;
    let template = template(Clock::System.now()).await;
    let client = connect(&url).await;
    let indexes = client
        .query(
            "SELECT indexname, indexdef FROM pg_indexes i WHERE tablename IN ('ticket', 'journal', 'ticket_search') \
             AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = i.indexname)",
            &[],
        )
        .await
        .expect("indexes");
    client
        .batch_execute("CREATE UNLOGGED TABLE words(id BIGINT, words TEXT); SET maintenance_work_mem = '256MB'")
        .await
        .expect("words");
    for index in &indexes {
        client.batch_execute(&format!("DROP INDEX {}", index.get::<_, &str>(0))).await.expect("index");
    }
    let head = |name: &str, columns: &[String]| format!("COPY {name}({}) FROM STDIN", columns.join(","));
    let mut heads: Vec<String> = template.tables.iter().map(|t| head(t.name, &t.columns)).collect();
    heads.push("COPY words FROM STDIN".into());
    let mut sink = Copy { client: &client, texts: vec![String::new(); heads.len()], heads };
    let chain = write(&template, size, &mut sink).await;
    client
        .batch_execute(&format!(
            "INSERT INTO ticket_search SELECT id, to_tsvector('simple', words) FROM words ORDER BY id; DROP TABLE words; \
             INSERT INTO change(topic, seq) VALUES ('ticket', {chain}); \
             SELECT setval(pg_get_serial_sequence('ticket', 'id'), {})",
            size.tickets
        ))
        .await
        .expect("words");
    for index in &indexes {
        client.batch_execute(index.get(1)).await.expect("index");
    }
    client.batch_execute("VACUUM ANALYZE").await.expect("analyze");
    drop(client);
    admin
        .batch_execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{half}'"))
        .await
        .expect("closed");
    admin.batch_execute(&format!("ALTER DATABASE {half} RENAME TO {name}")).await.expect("renamed");
    println!("     made {name} ({chain} journal rows) in {:.0} s", started.elapsed().as_secs_f64());
    postgres_url(&name)
}
