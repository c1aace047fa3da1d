//! Hosts and samples in the store.

use std::collections::HashMap;

use crate::args;
use crate::clock::{MINUTE, Millis};
use crate::config::Health;
use crate::health::model::Sample;
use crate::store::{Native, Store, StoreError, Tx, Val};

/// A host as last seen.
#[derive(Debug, Clone)]
pub struct Host {
    /// Key.
    pub id: i64,
    /// Name.
    pub name: String,
    /// How often it is sampled.
    pub interval: Millis,
    /// The newest sample.
    pub sample: Sample,
}

/// Roll-up levels: bucket length.
pub const LEVELS: [Millis; 2] = [MINUTE, 15 * MINUTE];

/// Stores samples in one transaction: the newest of each host as current, all of them raw. A sample older than what is
/// known of its host (out of a spool) does not replace it.
///
/// # Errors
/// When the store does not answer; nothing is kept then.
pub async fn add(store: &Store, samples: &[Sample], interval: Millis) -> Result<(), StoreError> {
    let mut newest: HashMap<&str, &Sample> = HashMap::new();
    for s in samples {
        let known = newest.entry(&s.host).or_insert(s);
        if s.at > known.at {
            *known = s;
        }
    }
    // one order for all writers, so that no two of them wait for each other's rows in a ring
    let mut newest: Vec<&Sample> = newest.into_values().collect();
    newest.sort_by(|a, b| a.host.cmp(&b.host));
    let texts = newest.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
    let texts = texts.map_err(|e| StoreError::Value(e.to_string()))?;
    let mut tx = store.begin_measure().await?;
    match tx.native() {
        Native::Pg(conn) => add_postgres(conn, samples, &newest, texts, interval).await?,
        Native::Lite(_) => add_sqlite(&mut tx, samples, &newest, texts, interval).await?,
    }
    tx.commit().await
}

const KEEP_NEWEST: &str = "ON CONFLICT(name) DO UPDATE SET at = excluded.at, interval_ms = excluded.interval_ms, \
    current = excluded.current WHERE excluded.at >= host.at OR excluded.at < host.at - 600000";
const RAW: &str =
    "INSERT INTO sample_raw(at, host_id, cpu, mem, swap, load1, disk, read_bps, write_bps, rx_bps, tx_bps)";

/// What the raw table keeps of a sample, in the order of its columns.
fn figures(s: &Sample) -> [f64; 9] {
    let (read, write) = s.io_bps();
    let disk = s.fullest().map_or(0.0, |(_, share)| share);
    [s.cpu, s.mem(), s.swap(), s.load[0], disk, read, write, s.rx_bps, s.tx_bps]
}

/// Columns as arrays: two short statements however many rows, and the keys of the hosts never leave the database.
async fn add_postgres(
    conn: &mut sqlx::PgConnection,
    samples: &[Sample],
    newest: &[&Sample],
    texts: Vec<String>,
    interval: Millis,
) -> Result<(), StoreError> {
    let name = |s: &Sample| s.host.replace('\0', "␀");
    let upsert = format!(
        "INSERT INTO host(name, first_seen, at, interval_ms, current) \
         SELECT name, at, at, $3, current FROM UNNEST($1::text[], $2::bigint[], $4::text[]) AS s(name, at, current) {KEEP_NEWEST}"
    );
    sqlx::query(sqlx::AssertSqlSafe(upsert))
        .bind(newest.iter().map(|s| name(s)).collect::<Vec<_>>())
        .bind(newest.iter().map(|s| s.at).collect::<Vec<_>>())
        .bind(interval)
        .bind(texts)
        .execute(&mut *conn)
        .await?;
    let mut columns: [Vec<f32>; 9] = Default::default();
    for s in samples {
        for (column, value) in columns.iter_mut().zip(figures(s)) {
            column.push(value as f32);
        }
    }
    let raw = format!(
        "{RAW} SELECT s.at, h.id, cpu, mem, swap, load1, disk, read_bps, write_bps, rx_bps, tx_bps FROM UNNEST($1::bigint[], \
         $2::text[], $3::real[], $4::real[], $5::real[], $6::real[], $7::real[], $8::real[], $9::real[], $10::real[], \
         $11::real[]) AS s(at, name, cpu, mem, swap, load1, disk, read_bps, write_bps, rx_bps, tx_bps) \
         JOIN host h ON h.name = s.name"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(raw))
        .bind(samples.iter().map(|s| s.at).collect::<Vec<_>>())
        .bind(samples.iter().map(name).collect::<Vec<_>>());
    for column in columns {
        query = query.bind(column);
    }
    query.execute(conn).await?;
    Ok(())
}

async fn add_sqlite(
    tx: &mut Tx,
    samples: &[Sample],
    newest: &[&Sample],
    texts: Vec<String>,
    interval: Millis,
) -> Result<(), StoreError> {
    let current =
        newest.iter().zip(texts).map(|(s, text)| args![s.host.as_str(), s.at, s.at, interval, text]).collect();
    tx.insert_many("INSERT INTO host(name, first_seen, at, interval_ms, current) VALUES", current, KEEP_NEWEST).await?;
    let read_id = |r: &crate::store::Row<'_>| Ok((r.get::<String>(0)?, r.get::<i64>(1)?));
    let ids: HashMap<String, i64> = match newest {
        [only] => tx.rows("SELECT name, id FROM host WHERE name = $1", args![only.host.as_str()], read_id).await?,
        _ => tx.rows("SELECT name, id FROM host", vec![], read_id).await?,
    }
    .into_iter()
    .collect();
    let rows = samples
        .iter()
        .filter_map(|s| {
            let mut row = args![s.at, *ids.get(&s.host.replace('\0', "␀"))?];
            row.extend(figures(s).map(Val::from));
            Some(row)
        })
        .collect();
    tx.insert_many(&format!("{RAW} VALUES"), rows, "ON CONFLICT DO NOTHING").await?;
    Ok(())
}

/// Every host with its newest sample, by name.
///
/// # Errors
/// When the store does not answer.
pub async fn hosts(store: &Store) -> Result<Vec<Host>, StoreError> {
    store
        .rows("SELECT id, name, interval_ms, current FROM host ORDER BY name", vec![], |r| {
            let name: String = r.get(1)?;
            let text: String = r.get(3)?;
            let sample = serde_json::from_str(&text).map_err(|e| StoreError::Value(format!("host {name}: {e}")))?;
            Ok(Host { id: r.get(0)?, name, interval: r.get(2)?, sample })
        })
        .await
}

/// A point of a host's history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub at: Millis,
    /// CPU, percent.
    pub cpu: f64,
    /// Memory, percent.
    pub mem: f64,
    /// Fullest file system, percent.
    pub disk: f64,
    /// Disk traffic, bytes a second.
    pub io: f64,
    /// Network traffic, bytes a second.
    pub net: f64,
}

/// A host's history since `from`, from the finest level that covers it, oldest first.
///
/// # Errors
/// When the store does not answer.
pub async fn history(store: &Store, host: i64, from: Millis, now: Millis) -> Result<Vec<Point>, StoreError> {
    let read = |r: &crate::store::Row<'_>| {
        Ok(Point { at: r.get(0)?, cpu: r.get(1)?, mem: r.get(2)?, disk: r.get(3)?, io: r.get(4)?, net: r.get(5)? })
    };
    if now - from <= 65 * MINUTE {
        return store
            .rows(
                "SELECT at, CAST(cpu AS DOUBLE PRECISION), CAST(mem AS DOUBLE PRECISION), CAST(disk AS DOUBLE PRECISION), \
                 CAST(read_bps + write_bps AS DOUBLE PRECISION), CAST(rx_bps + tx_bps AS DOUBLE PRECISION) \
                 FROM sample_raw WHERE at >= $1 AND host_id = $2 ORDER BY at",
                args![from, host],
                read,
            )
            .await;
    }
    let level = if now - from <= 26 * 60 * MINUTE { LEVELS[0] } else { LEVELS[1] };
    store
        .rows(
            "SELECT bucket, cpu_max, mem_max, disk_max, io_avg, net_avg FROM sample_rollup \
             WHERE level = $1 AND host_id = $2 AND bucket >= $3 ORDER BY bucket",
            args![level, host, from],
            read,
        )
        .await
}

/// Rolls closed buckets up, newest level from the level below, re-opening the last two so that late samples count.
///
/// # Errors
/// When the store does not answer.
pub async fn roll_up(store: &Store, now: Millis) -> Result<(), StoreError> {
    for (i, level) in LEVELS.into_iter().enumerate() {
        let mut tx = store.begin_measure().await?;
        let mark = tx
            .row("SELECT upto FROM rollup_mark WHERE level = $1", args![level], |r| r.get::<i64>(0))
            .await?
            .unwrap_or(0);
        let end = now / level * level;
        let start = if mark == 0 { 0 } else { mark - 2 * level };
        // $1 level, $2 start, $3 end
        let select = if i == 0 {
            "SELECT $1, host_id, at / $1 * $1, count(*), avg(cpu), max(cpu), avg(mem), max(mem), avg(load1), max(disk), \
             avg(read_bps + write_bps), avg(rx_bps + tx_bps) FROM sample_raw WHERE at >= $2 AND at < $3 \
             GROUP BY host_id, at / $1 * $1"
                .to_owned()
        } else {
            let below = LEVELS[i - 1];
            format!(
                "SELECT $1, host_id, bucket / $1 * $1, CAST(sum(n) AS BIGINT), avg(cpu_avg), max(cpu_max), avg(mem_avg), \
                 max(mem_max), avg(load_avg), max(disk_max), avg(io_avg), avg(net_avg) FROM sample_rollup \
                 WHERE level = {below} AND bucket >= $2 AND bucket < $3 GROUP BY host_id, bucket / $1 * $1"
            )
        };
        let sql = format!(
            "INSERT INTO sample_rollup(level, host_id, bucket, n, cpu_avg, cpu_max, mem_avg, mem_max, load_avg, disk_max, \
             io_avg, net_avg) {select} ON CONFLICT(level, host_id, bucket) DO UPDATE SET n = excluded.n, \
             cpu_avg = excluded.cpu_avg, cpu_max = excluded.cpu_max, mem_avg = excluded.mem_avg, mem_max = excluded.mem_max, \
             load_avg = excluded.load_avg, disk_max = excluded.disk_max, io_avg = excluded.io_avg, net_avg = excluded.net_avg"
        );
        tx.exec(&sql, args![level, start, end]).await?;
        tx.exec(
            "INSERT INTO rollup_mark(level, upto) VALUES ($1, $2) ON CONFLICT(level) DO UPDATE SET upto = excluded.upto",
            args![level, end],
        )
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Deletes what is older than it is to be kept, a bounded number of rows at a time so that nobody waits for it.
///
/// # Errors
/// When the store does not answer.
pub async fn retire(store: &Store, now: Millis, rules: &Health) -> Result<(), StoreError> {
    const SLICE: Millis = 10 * MINUTE;
    let oldest = store.row("SELECT min(at) FROM sample_raw", vec![], |r| r.get::<Option<i64>>(0)).await?.flatten();
    if let Some(oldest) = oldest {
        let limit = (now - rules.keep_raw.millis()).min(oldest + 6 * SLICE);
        let mut tx = store.begin_measure().await?;
        tx.exec("DELETE FROM sample_raw WHERE at < $1", args![limit]).await?;
        tx.commit().await?;
    }
    for (level, keep) in LEVELS.into_iter().zip([rules.keep_minute, rules.keep_quarter]) {
        let mut tx = store.begin_measure().await?;
        tx.exec("DELETE FROM sample_rollup WHERE level = $1 AND bucket < $2", args![level, now - keep.millis()])
            .await?;
        tx.commit().await?;
    }
    Ok(())
}
