//! Hosts and samples in the store.

mod parts;
mod rollup;
mod states;

use std::collections::HashMap;

pub use parts::{Past, past};
pub use rollup::{retire, roll_up};
pub use states::{EVERY, Event, Known, Silence, events, fleet, judge, look_ahead};

use crate::args;
use crate::clock::{HOUR, MINUTE, Millis};
use crate::health::model::Sample;
use crate::store::{Store, StoreError, Tx, Val};

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
    match tx.postgres_only() {
        Some(conn) => add_postgres(conn, samples, &newest, texts, interval).await?,
        None => add_sqlite(&mut tx, samples, &newest, texts, interval).await?,
    }
    rollup::note_late(&mut tx, samples.iter().map(|s| s.at)).await?;
    if samples.iter().any(|s| parts::is_minute(s.at, interval)) {
        let ids = keys(&mut tx, &newest).await?;
        parts::add(&mut tx, samples, &ids, interval).await?;
    }
    tx.commit().await
}

/// The keys of hosts that are there.
async fn keys(tx: &mut Tx, newest: &[&Sample]) -> Result<HashMap<String, i64>, StoreError> {
    let read = |r: &crate::store::Row<'_>| Ok((r.get::<String>(0)?, r.get::<i64>(1)?));
    let rows = match newest {
        [only] => tx.rows("SELECT name, id FROM host WHERE name = $1", args![only.host.as_str()], read).await?,
        _ => tx.rows("SELECT name, id FROM host", vec![], read).await?,
    };
    Ok(rows.into_iter().collect())
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
         JOIN host h ON h.name = s.name ON CONFLICT DO NOTHING"
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
    let ids = keys(tx, newest).await?;
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

/// A host's clock was set back to `at`: what it sent with later times is not newer than what it sends from now on.
///
/// # Errors
/// When the store does not answer.
pub async fn set_back(store: &Store, host: &str, at: Millis) -> Result<(), StoreError> {
    let mut tx = store.begin_measure().await?;
    tx.exec("UPDATE host SET at = $2 WHERE name = $1 AND at > $2", args![host, at]).await?;
    tx.commit().await
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

/// A point of a host's history: percentages, load, and bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub struct Point {
    pub at: Millis,
    pub cpu: f64,
    pub mem: f64,
    pub load: f64,
    /// Of the fullest file system.
    pub disk: f64,
    pub read: f64,
    pub write: f64,
    pub rx: f64,
    pub tx: f64,
}

const AS_TAKEN: &str = "SELECT at, CAST(cpu AS DOUBLE PRECISION), CAST(mem AS DOUBLE PRECISION), \
     CAST(load1 AS DOUBLE PRECISION), CAST(disk AS DOUBLE PRECISION), CAST(read_bps AS DOUBLE PRECISION), \
     CAST(write_bps AS DOUBLE PRECISION), CAST(rx_bps AS DOUBLE PRECISION), CAST(tx_bps AS DOUBLE PRECISION) \
     FROM sample_raw WHERE at >= $1 AND at <= $2 AND host_id = $3 ORDER BY at";
/// A peak is what a long span must not hide: percentages and load by their highest, traffic by its mean.
const ROLLED: &str = "SELECT bucket, cpu_max, mem_max, load1_max, disk_max, read_bps_avg, write_bps_avg, rx_bps_avg, \
     tx_bps_avg FROM sample_bucket WHERE level = $1 AND host_id = $2 AND bucket >= $3 AND bucket <= $4 ORDER BY bucket";

/// A host's history in [`from`, `to`], from the finest level that covers it cheaply, oldest first: samples up to a
/// quarter of an hour, minutes up to a day (with the samples that are not rolled up yet), else quarters of an hour.
///
/// # Errors
/// When the store does not answer.
pub async fn history(store: &Store, host: i64, from: Millis, to: Millis) -> Result<Vec<Point>, StoreError> {
    let read = |r: &crate::store::Row<'_>| {
        Ok(Point {
            at: r.get(0)?,
            cpu: r.get(1)?,
            mem: r.get(2)?,
            load: r.get(3)?,
            disk: r.get(4)?,
            read: r.get(5)?,
            write: r.get(6)?,
            rx: r.get(7)?,
            tx: r.get(8)?,
        })
    };
    let span = to - from;
    if span <= 16 * MINUTE {
        return store.rows(AS_TAKEN, args![from, to, host], read).await;
    }
    let level = if span <= 26 * HOUR { LEVELS[0] } else { LEVELS[1] };
    let mut points = store.rows(ROLLED, args![level, host, from, to], read).await?;
    let rolled = points.last().map_or(from, |p: &Point| p.at + level);
    points.extend(store.rows(AS_TAKEN, args![rolled.max(to - 2 * level), to, host], read).await?);
    Ok(points)
}

/// How much is known of a host: samples, and since when.
///
/// # Errors
/// When the store does not answer.
pub async fn extent(store: &Store, host: i64) -> Result<(i64, Millis), StoreError> {
    let sql = "SELECT CAST((SELECT coalesce(sum(n), 0) FROM sample_bucket WHERE level = $2 AND host_id = $1) AS BIGINT), \
               first_seen FROM host WHERE id = $1";
    Ok(store.row(sql, args![host, LEVELS[1]], |r| Ok((r.get(0)?, r.get(1)?))).await?.unwrap_or_default())
}

/// Deletes a host with everything known of it; how many raw samples it had.
///
/// # Errors
/// When the store does not answer.
pub async fn forget(tx: &mut Tx, host: i64) -> Result<u64, StoreError> {
    for table in ["part_sample", "part_hour"] {
        let sql = format!("DELETE FROM {table} WHERE part_id IN (SELECT id FROM part WHERE host_id = $1)");
        tx.exec(&sql, args![host]).await?;
    }
    for table in
        ["part", "sample_bucket", "host_forecast", "host_threshold", "host_event", "host_silence", "host_ticket"]
    {
        tx.exec(&format!("DELETE FROM {table} WHERE host_id = $1"), args![host]).await?;
    }
    let samples = tx.exec("DELETE FROM sample_raw WHERE host_id = $1", args![host]).await?;
    tx.exec("DELETE FROM host WHERE id = $1", args![host]).await?;
    Ok(samples)
}
