//! Roll-ups with their low, high, mean and last values, and retention.

use std::fmt::Write as _;

use super::LEVELS;
use crate::args;
use crate::clock::{DAY, HOUR, MINUTE, Millis};
use crate::config::Health;
use crate::store::{Store, StoreError, Tx};

/// The figures of a raw sample.
const FIGURES: [&str; 9] = ["cpu", "mem", "swap", "load1", "disk", "read_bps", "write_bps", "rx_bps", "tx_bps"];
/// Quarters of an hour with late samples that one run takes up again.
const LATE: i64 = 200;

/// What one level's buckets in [$2, $3) are made of: aggregates by host and bucket, and the row with the last values.
fn select(level: usize) -> String {
    let mut aggregates = String::new();
    let mut columns = String::new();
    for f in FIGURES {
        let (low, high, mean, last) = if level == 0 {
            (format!("min({f})"), format!("max({f})"), format!("avg({f})"), f.to_owned())
        } else {
            let mean = format!("sum({f}_avg * n) / sum(n)");
            (format!("min({f}_min)"), format!("max({f}_max)"), mean, format!("{f}_last"))
        };
        _ = write!(aggregates, ", {low} AS {f}_low, {high} AS {f}_high, {mean} AS {f}_mean");
        _ = write!(columns, ", g.{f}_low, g.{f}_high, g.{f}_mean, l.{last}");
    }
    if level == 0 {
        format!(
            "WITH g AS (SELECT host_id, at / $1 * $1 AS b, count(*) AS n, max(at) AS newest{aggregates} FROM sample_raw \
             WHERE at >= $2 AND at < $3 GROUP BY host_id, at / $1 * $1) \
             SELECT $1, g.host_id, g.b, g.n{columns} FROM g JOIN sample_raw l ON l.at = g.newest AND l.host_id = g.host_id"
        )
    } else {
        let below = LEVELS[level - 1];
        format!(
            "WITH g AS (SELECT host_id, bucket / $1 * $1 AS b, CAST(sum(n) AS BIGINT) AS n, max(bucket) AS newest{aggregates} \
             FROM sample_bucket WHERE level = {below} AND bucket >= $2 AND bucket < $3 GROUP BY host_id, bucket / $1 * $1) \
             SELECT $1, g.host_id, g.b, g.n{columns} FROM g \
             JOIN sample_bucket l ON l.level = {below} AND l.bucket = g.newest AND l.host_id = g.host_id"
        )
    }
}

async fn fill(tx: &mut Tx, level: usize, from: Millis, to: Millis) -> Result<(), StoreError> {
    let (mut columns, mut again) = (String::new(), String::new());
    for f in FIGURES {
        for kind in ["min", "max", "avg", "last"] {
            _ = write!(columns, ", {f}_{kind}");
            _ = write!(again, ", {f}_{kind} = excluded.{f}_{kind}");
        }
    }
    // SQLite reads `JOIN … ON CONFLICT` as a join's condition unless a WHERE stands between
    let sql = format!(
        "INSERT INTO sample_bucket(level, host_id, bucket, n{columns}) {} WHERE g.n > 0 \
         ON CONFLICT(level, host_id, bucket) DO UPDATE SET n = excluded.n{again}",
        select(level)
    );
    tx.exec(&sql, args![LEVELS[level], from, to]).await?;
    Ok(())
}

async fn fill_hours(tx: &mut Tx, from: Millis, to: Millis) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO part_hour(part_id, bucket, n, value_min, value_max, value_avg, value_last, come_avg, come_max, \
         gone_avg, gone_max) \
         SELECT g.part_id, g.b, g.n, g.low, g.high, g.mean, l.value, g.ca, g.cm, g.ga, g.gm FROM (\
         SELECT part_id, at / $1 * $1 AS b, count(*) AS n, max(at) AS newest, min(value) AS low, max(value) AS high, \
         avg(value) AS mean, avg(come) AS ca, max(come) AS cm, avg(gone) AS ga, max(gone) AS gm \
         FROM part_sample WHERE at >= $2 AND at < $3 GROUP BY part_id, at / $1 * $1) g \
         JOIN part_sample l ON l.part_id = g.part_id AND l.at = g.newest WHERE g.n > 0 \
         ON CONFLICT(part_id, bucket) DO UPDATE SET n = excluded.n, value_min = excluded.value_min, \
         value_max = excluded.value_max, value_avg = excluded.value_avg, value_last = excluded.value_last, \
         come_avg = excluded.come_avg, come_max = excluded.come_max, gone_avg = excluded.gone_avg, \
         gone_max = excluded.gone_max",
        args![HOUR, from, to],
    )
    .await?;
    Ok(())
}

async fn mark(tx: &mut Tx, level: Millis) -> Result<Millis, StoreError> {
    let upto = tx.row("SELECT upto FROM rollup_mark WHERE level = $1", args![level], |r| r.get::<i64>(0)).await?;
    Ok(upto.unwrap_or(0))
}

async fn set_mark(tx: &mut Tx, level: Millis, upto: Millis) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO rollup_mark(level, upto) VALUES ($1, $2) ON CONFLICT(level) DO UPDATE SET upto = excluded.upto",
        args![level, upto],
    )
    .await?;
    Ok(())
}

/// Notes the quarters of an hour of `samples` that were rolled up already: they are taken up again.
pub(super) async fn note_late(tx: &mut Tx, times: impl Iterator<Item = Millis>) -> Result<(), StoreError> {
    let mut buckets: Vec<Millis> = times.map(|at| at / LEVELS[1] * LEVELS[1]).collect();
    buckets.sort_unstable();
    buckets.dedup();
    for bucket in buckets {
        tx.exec(
            "INSERT INTO rollup_late(bucket) SELECT CAST($1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM rollup_mark \
             WHERE level = $2 AND upto - 2 * $2 > $1) ON CONFLICT(bucket) DO NOTHING",
            args![bucket, LEVELS[0]],
        )
        .await?;
    }
    Ok(())
}

/// Rolls closed buckets up, newest level from the level below. The last two are taken again, and so are those that got
/// late samples (out of a spool); to do it twice changes nothing.
///
/// # Errors
/// When the store does not answer.
pub async fn roll_up(store: &Store, now: Millis) -> Result<(), StoreError> {
    for (i, level) in LEVELS.into_iter().enumerate() {
        let mut tx = store.begin_measure().await?;
        let upto = mark(&mut tx, level).await?;
        let end = now / level * level;
        // a clock set back takes up again from there
        let start = if upto == 0 { 0 } else { upto.min(end) - 2 * level };
        fill(&mut tx, i, start, end).await?;
        set_mark(&mut tx, level, end).await?;
        tx.commit().await?;
    }
    let mut tx = store.begin_measure().await?;
    let upto = mark(&mut tx, HOUR).await?;
    // the open hour too: a forecast wants the newest
    let end = now / HOUR * HOUR + HOUR;
    fill_hours(&mut tx, if upto == 0 { 0 } else { upto.min(end) - 2 * HOUR }, end).await?;
    set_mark(&mut tx, HOUR, end).await?;
    tx.commit().await?;
    late(store, now).await
}

async fn late(store: &Store, now: Millis) -> Result<(), StoreError> {
    let sql = "SELECT bucket FROM rollup_late ORDER BY bucket LIMIT $1";
    let buckets = store.rows(sql, args![LATE], |r| r.get::<i64>(0)).await?;
    for bucket in buckets {
        let quarter = LEVELS[1];
        let mut tx = store.begin_measure().await?;
        // deleted first: a sample that comes meanwhile notes it again
        tx.exec("DELETE FROM rollup_late WHERE bucket = $1", args![bucket]).await?;
        fill(&mut tx, 0, bucket, (bucket + quarter).min(now / LEVELS[0] * LEVELS[0])).await?;
        if bucket + quarter <= now {
            fill(&mut tx, 1, bucket, bucket + quarter).await?;
        }
        let hour = bucket / HOUR * HOUR;
        fill_hours(&mut tx, hour, hour + HOUR).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Deletes what is older than it is to be kept, a bounded span at a time so that nobody waits for it.
///
/// # Errors
/// When the store does not answer.
pub async fn retire(store: &Store, now: Millis, rules: &Health) -> Result<(), StoreError> {
    let [raw, minute, quarter] = [rules.keep_raw, rules.keep_minute, rules.keep_quarter].map(|k| now - k.millis());
    // buckets whose raw samples go must not be filled again from what is left of them
    for (oldest, delete, before, most) in [
        ("SELECT min(at) FROM sample_raw", "DELETE FROM sample_raw WHERE at < $1", raw, HOUR),
        ("SELECT min(at) FROM part_sample", "DELETE FROM part_sample WHERE at < $1", raw, 6 * HOUR),
        ("SELECT min(at) FROM host_event", "DELETE FROM host_event WHERE at < $1", quarter, 30 * DAY),
        ("SELECT min(bucket) FROM part_hour", "DELETE FROM part_hour WHERE bucket < $1", quarter, 2 * DAY),
        (
            "SELECT min(bucket) FROM sample_bucket WHERE level = 60000",
            "DELETE FROM sample_bucket WHERE level = 60000 AND bucket < $1",
            minute,
            6 * HOUR,
        ),
        (
            "SELECT min(bucket) FROM sample_bucket WHERE level = 900000",
            "DELETE FROM sample_bucket WHERE level = 900000 AND bucket < $1",
            quarter,
            4 * DAY,
        ),
    ] {
        let found = store.row(oldest, vec![], |r| r.get::<Option<i64>>(0)).await?.flatten();
        let Some(found) = found.filter(|at| *at < before) else { continue };
        let mut tx = store.begin_measure().await?;
        tx.exec(delete, args![before.min(found + most)]).await?;
        tx.commit().await?;
    }
    // what is left over of silences that ended
    let mut tx = store.begin_measure().await?;
    tx.exec("DELETE FROM host_silence WHERE until < $1", args![now - 30 * DAY]).await?;
    tx.exec("DELETE FROM rollup_late WHERE bucket < $1", args![raw - 15 * MINUTE]).await?;
    tx.commit().await
}
