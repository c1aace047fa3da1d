//! Single file systems and interfaces: a narrow row a minute, a roll-up an hour.

use std::collections::HashMap;

use crate::args;
use crate::clock::{HOUR, MINUTE, Millis};
use crate::health::forecast::{FAST, Forecast, Point, SLOW, forecast};
use crate::health::model::{Sample, share};
use crate::store::{Store, StoreError, Tx, Val};

/// A file system.
const DISK: &str = "disk";
/// An interface.
const NIC: &str = "nic";

/// Whether a host's sample taken at `at` is its first of the minute.
pub(super) fn is_minute(at: Millis, interval: Millis) -> bool {
    at.rem_euclid(MINUTE) < interval
}

/// Keeps the first sample of each minute of each file system and interface.
pub(super) async fn add(
    tx: &mut Tx,
    samples: &[Sample],
    ids: &HashMap<String, i64>,
    interval: Millis,
) -> Result<(), StoreError> {
    let mut wanted: Vec<(i64, &'static str, &str, Millis, [f64; 3])> = Vec::new();
    for s in samples.iter().filter(|s| is_minute(s.at, interval)) {
        let Some(id) = ids.get(&s.host.replace('\0', "␀")) else { continue };
        // a figure that is only the last known is no measurement
        for d in s.disks.iter().filter(|d| !d.stuck && d.total > 0) {
            wanted.push((*id, DISK, &d.mount, s.at, [share(d.used, d.total), d.read_bps, d.write_bps]));
        }
        wanted.extend(s.nics.iter().map(|n| (*id, NIC, n.name.as_str(), s.at, [0.0, n.rx_bps, n.tx_bps])));
    }
    let Some((first, ..)) = wanted.first().copied() else { return Ok(()) };
    let one = wanted.iter().all(|w| w.0 == first);
    let mut known = parts_of(tx, one.then_some(first)).await?;
    let mut new: Vec<Vec<Val>> = Vec::new();
    for (host, kind, name, ..) in &wanted {
        let name = name.replace('\0', "␀");
        if !known.contains_key(&(*host, (*kind).to_owned(), name.clone())) {
            new.push(args![*host, *kind, name]);
        }
    }
    if !new.is_empty() {
        new.sort_by_key(|row| format!("{row:?}"));
        new.dedup();
        tx.insert_many(
            "INSERT INTO part(host_id, kind, name) VALUES",
            new,
            "ON CONFLICT(host_id, kind, name) DO NOTHING",
        )
        .await?;
        known = parts_of(tx, one.then_some(first)).await?;
    }
    let rows = wanted.into_iter().filter_map(|(host, kind, name, at, [value, come, gone])| {
        let id = known.get(&(host, kind.to_owned(), name.replace('\0', "␀")))?;
        Some(args![*id, at, value, come, gone])
    });
    let rows: Vec<_> = rows.collect();
    tx.insert_many(
        "INSERT INTO part_sample(part_id, at, value, come, gone) VALUES",
        rows,
        "ON CONFLICT(part_id, at) DO NOTHING",
    )
    .await?;
    Ok(())
}

type Known = HashMap<(i64, String, String), i64>;

async fn parts_of(tx: &mut Tx, host: Option<i64>) -> Result<Known, StoreError> {
    let read = |r: &crate::store::Row<'_>| Ok(((r.get(1)?, r.get(2)?, r.get(3)?), r.get(0)?));
    let all = "SELECT id, host_id, kind, name FROM part";
    let rows = match host {
        Some(host) => tx.rows(&format!("{all} WHERE host_id = $1"), args![host], read).await?,
        None => tx.rows(all, vec![], read).await?,
    };
    Ok(rows.into_iter().collect())
}

/// A file system's or an interface's past.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// `disk` or `nic`.
    pub kind: String,
    /// Mount point or name.
    pub name: String,
    /// Instant, percent in use (0 for interfaces), bytes a second read or received, written or sent; oldest first.
    pub points: Vec<(Millis, [f64; 3])>,
}

/// The past of a host's file systems and interfaces since `from`: by the minute up to a day, else by the hour.
///
/// # Errors
/// When the store does not answer.
pub async fn past(store: &Store, host: i64, from: Millis, now: Millis) -> Result<Vec<Past>, StoreError> {
    let sql = if now - from <= 25 * HOUR {
        "SELECT p.kind, p.name, s.at, CAST(s.value AS DOUBLE PRECISION), CAST(s.come AS DOUBLE PRECISION), \
         CAST(s.gone AS DOUBLE PRECISION) FROM part p JOIN part_sample s ON s.part_id = p.id \
         WHERE p.host_id = $1 AND s.at >= $2 ORDER BY p.kind, p.name, s.at"
    } else {
        "SELECT p.kind, p.name, s.bucket, s.value_max, s.come_avg, s.gone_avg FROM part p \
         JOIN part_hour s ON s.part_id = p.id WHERE p.host_id = $1 AND s.bucket >= $2 ORDER BY p.kind, p.name, s.bucket"
    };
    let mut out: Vec<Past> = Vec::new();
    let rows = store
        .rows(sql, args![host, from], |r| {
            Ok((r.get::<String>(0)?, r.get::<String>(1)?, (r.get(2)?, [r.get(3)?, r.get(4)?, r.get(5)?])))
        })
        .await?;
    for (kind, name, point) in rows {
        match out.last_mut().filter(|p| p.kind == kind && p.name == name) {
            Some(known) => known.points.push(point),
            None => out.push(Past { kind, name, points: vec![point] }),
        }
    }
    Ok(out)
}

/// Looks at a host's file systems anew and keeps what is forecast. `mounts`: those that can fill.
///
/// # Errors
/// When the store does not answer.
pub async fn look_ahead(store: &Store, host: i64, mounts: &[String], now: Millis) -> Result<(), StoreError> {
    let series = |rows: Vec<(String, Point)>| {
        let mut out: HashMap<String, Vec<Point>> = HashMap::new();
        for (name, point) in rows {
            out.entry(name).or_default().push(point);
        }
        out
    };
    let read = |r: &crate::store::Row<'_>| Ok((r.get(0)?, (r.get(1)?, r.get(2)?)));
    let slow = store
        .rows(
            "SELECT p.name, h.bucket, h.value_max FROM part p JOIN part_hour h ON h.part_id = p.id \
             WHERE p.host_id = $1 AND p.kind = 'disk' AND h.bucket >= $2 ORDER BY h.bucket",
            args![host, now - SLOW],
            read,
        )
        .await?;
    let fast = store
        .rows(
            "SELECT p.name, s.at, CAST(s.value AS DOUBLE PRECISION) FROM part p JOIN part_sample s ON s.part_id = p.id \
             WHERE p.host_id = $1 AND p.kind = 'disk' AND s.at >= $2 ORDER BY s.at",
            args![host, now - FAST],
            read,
        )
        .await?;
    let (slow, fast) = (series(slow), series(fast));
    let mounts = mounts.to_vec();
    // pairs of slopes are work for another thread than the one that draws
    let found = tokio::task::spawn_blocking(move || {
        let none = Vec::new();
        mounts
            .into_iter()
            .filter_map(|m| {
                let f = forecast(slow.get(&m).unwrap_or(&none), fast.get(&m).unwrap_or(&none), now)?;
                Some((m, f))
            })
            .collect::<Vec<(String, Forecast)>>()
    })
    .await
    .map_err(|e| StoreError::Refused(e.to_string()))?;
    let mut tx = store.begin_measure().await?;
    tx.exec("DELETE FROM host_forecast WHERE host_id = $1", args![host]).await?;
    let rows =
        found.into_iter().map(|(m, f)| args![host, m, now, f.full_at, f.early_at, f.late_at, f.fast_at]).collect();
    tx.insert_many(
        "INSERT INTO host_forecast(host_id, mount, at, full_at, early_at, late_at, fast_at) VALUES",
        rows,
        "ON CONFLICT(host_id, mount) DO NOTHING",
    )
    .await?;
    tx.commit().await
}
