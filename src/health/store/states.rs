//! What is known of hosts beyond their samples: thresholds, forecasts, silences, tickets, the record.

use std::collections::HashMap;

use super::{Host, hosts};
use crate::args;
use crate::clock::{Millis, SECOND};
use crate::config::Config;
use crate::health::alert::{self, Change, Metric, Nearing, Phase, Problem, Rule, Track};
use crate::health::forecast::Forecast;
use crate::health::model::{Severity, share};
use crate::store::{Row, Store, StoreError};

/// How often thresholds are looked at; hosts that are sampled more often count as sampled this often.
pub const EVERY: Millis = 5 * SECOND;

/// A host with everything that is known of it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The host as last seen.
    pub host: Host,
    /// Where its thresholds stand.
    pub tracks: Vec<Track>,
    /// What is forecast of its file systems, by mount point.
    pub forecasts: Vec<(String, Forecast)>,
    /// Its silence, if it has not ended.
    pub silence: Option<Silence>,
    /// Tickets that were made of it, newest first: number, title, state.
    pub tickets: Vec<(i64, String, String)>,
}

/// A host that is silenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// Until when.
    pub until: Millis,
    /// Why.
    pub reason: String,
    /// By whom.
    pub actor: String,
}

impl Known {
    /// The forecasts as the rules see them.
    pub fn nearing(&self, now: Millis) -> Vec<Nearing> {
        let used = |mount: &str| {
            let disk = self.host.sample.disks.iter().find(|d| d.mount == mount && !d.read_only)?;
            Some(share(disk.used, disk.total))
        };
        self.forecasts.iter().filter_map(|(m, f)| Some((m.clone(), f.agreed_hours(now)?, used(m)?))).collect()
    }

    /// What is wrong with it at `now`, its newest sample counted.
    pub fn problems(&self, rules: &[Rule], now: Millis) -> Vec<Problem> {
        let h = &self.host;
        let (tracks, _) = alert::advance(&self.tracks, &h.sample, &self.nearing(now), rules, h.interval.max(EVERY));
        alert::problems(&tracks, rules, h.sample.at, h.interval, now)
    }
}

/// Every host with everything that is known of it, by name.
///
/// # Errors
/// When the store does not answer.
pub async fn fleet(store: &Store, now: Millis) -> Result<Vec<Known>, StoreError> {
    let hosts = hosts(store).await?;
    let tracks = tracks(store).await?;
    let forecasts = store
        .rows(
            "SELECT host_id, mount, full_at, early_at, late_at, fast_at FROM host_forecast ORDER BY mount",
            vec![],
            |r| {
                let forecast =
                    Forecast { full_at: r.get(2)?, early_at: r.get(3)?, late_at: r.get(4)?, fast_at: r.get(5)? };
                Ok((r.get::<i64>(0)?, (r.get::<String>(1)?, forecast)))
            },
        )
        .await?;
    let silences = store
        .rows("SELECT host_id, until, reason, actor FROM host_silence WHERE until > $1", args![now], |r| {
            Ok((r.get::<i64>(0)?, Silence { until: r.get(1)?, reason: r.get(2)?, actor: r.get(3)? }))
        })
        .await?;
    let tickets = store
        .rows(
            "SELECT h.host_id, t.id, t.title, t.state FROM host_ticket h JOIN ticket t ON t.id = h.ticket_id \
             ORDER BY t.id DESC",
            vec![],
            |r| Ok((r.get::<i64>(0)?, (r.get(1)?, r.get(2)?, r.get(3)?))),
        )
        .await?;
    let (mut tracks, mut forecasts, mut tickets) = (by_host(tracks), by_host(forecasts), by_host(tickets));
    let mut silences: HashMap<i64, Silence> = silences.into_iter().collect();
    Ok(hosts
        .into_iter()
        .map(|host| {
            let id = host.id;
            Known {
                tracks: tracks.remove(&id).unwrap_or_default(),
                forecasts: forecasts.remove(&id).unwrap_or_default(),
                silence: silences.remove(&id),
                tickets: tickets.remove(&id).unwrap_or_default(),
                host,
            }
        })
        .collect())
}

fn by_host<T>(rows: Vec<(i64, T)>) -> HashMap<i64, Vec<T>> {
    let mut out: HashMap<i64, Vec<T>> = HashMap::new();
    for (host, row) in rows {
        out.entry(host).or_default().push(row);
    }
    out
}

async fn tracks(store: &Store) -> Result<Vec<(i64, Track)>, StoreError> {
    let rows = store
        .rows(
            "SELECT host_id, metric, part, severity, phase, since, raised_at, held_ms, at, value FROM host_threshold \
             ORDER BY host_id, metric, part, severity",
            vec![],
            |r| {
                let words = (r.get::<String>(1)?, r.get::<String>(4)?);
                // a word of a newer version is passed over
                let (Some(metric), Some(phase)) = (Metric::from_word(&words.0), Phase::from_word(&words.1)) else {
                    return Ok(None);
                };
                let track = Track {
                    metric,
                    part: r.get(2)?,
                    severity: Severity::from_word(&r.get::<String>(3)?),
                    phase,
                    since: r.get(5)?,
                    raised_at: r.get(6)?,
                    held: r.get(7)?,
                    at: r.get(8)?,
                    value: r.get(9)?,
                };
                Ok(Some((r.get::<i64>(0)?, track)))
            },
        )
        .await?;
    Ok(rows.into_iter().flatten().collect())
}

/// Takes the newest sample of every host into its thresholds and keeps what changed, with a record of it.
///
/// # Errors
/// When the store does not answer.
pub async fn judge(store: &Store, config: &Config, now: Millis) -> Result<(), StoreError> {
    let rules = alert::rules(&config.health);
    let mut gone = Vec::new();
    let mut put = Vec::new();
    let mut told = Vec::new();
    for known in fleet(store, now).await? {
        let h = &known.host;
        let (ages, tracks): (Vec<Track>, Vec<Track>) =
            known.tracks.iter().cloned().partition(|t| t.metric == Metric::Age);
        let (mut next, mut changes) =
            alert::advance(&tracks, &h.sample, &known.nearing(now), &rules, h.interval.max(EVERY));
        next.extend(overdue(ages.first(), h, now, &mut changes));
        let key = |t: &Track| (t.metric, t.part.clone(), t.severity);
        for old in known.tracks.iter().filter(|old| !next.iter().any(|t| key(t) == key(old))) {
            gone.push(args![h.id, old.metric.word(), &old.part, old.severity.word()]);
        }
        for t in next.iter().filter(|t| !known.tracks.contains(t)) {
            put.push(args![
                h.id,
                t.metric.word(),
                &t.part,
                t.severity.word(),
                t.phase.word(),
                t.since,
                t.raised_at,
                t.held,
                t.at,
                t.value
            ]);
        }
        told.extend(changes.into_iter().map(|c| {
            let word = |p: Option<Phase>| p.map_or("ok", Phase::word);
            args![h.id, now, c.metric.word(), c.part, c.severity.word(), word(c.was), word(c.phase), c.value, c.at]
        }));
    }
    if gone.is_empty() && put.is_empty() {
        return Ok(());
    }
    let mut tx = store.begin_measure().await?;
    for key in gone {
        tx.exec("DELETE FROM host_threshold WHERE host_id = $1 AND metric = $2 AND part = $3 AND severity = $4", key)
            .await?;
    }
    tx.insert_many(
        "INSERT INTO host_threshold(host_id, metric, part, severity, phase, since, raised_at, held_ms, at, value) VALUES",
        put,
        "ON CONFLICT(host_id, metric, part, severity) DO UPDATE SET phase = excluded.phase, since = excluded.since, \
         raised_at = excluded.raised_at, held_ms = excluded.held_ms, at = excluded.at, value = excluded.value",
    )
    .await?;
    if !told.is_empty() {
        tx.insert_many(
            "INSERT INTO host_event(host_id, at, metric, part, severity, was, phase, value, sample_at) VALUES",
            told,
            "",
        )
        .await?;
        tx.bump("host").await?;
    }
    tx.commit().await
}

/// Whether a host is overdue, as a threshold of its own.
fn overdue(old: Option<&Track>, h: &Host, now: Millis, changes: &mut Vec<Change>) -> Option<Track> {
    let stale = alert::is_stale(h.sample.at, h.interval, now);
    let since = h.sample.at + 3 * h.interval;
    let next = stale.then(|| Track {
        metric: Metric::Age,
        part: String::new(),
        severity: Severity::Stale,
        phase: Phase::Firing,
        since,
        raised_at: Some(since),
        held: 0,
        at: h.sample.at,
        value: (3 * h.interval) as f64 / 1_000.0,
    });
    let (was, phase) = (old.map(|t| t.phase), next.as_ref().map(|t| t.phase));
    if was != phase {
        let value = (now - h.sample.at) as f64 / 1_000.0;
        let (part, severity) = (String::new(), Severity::Stale);
        changes.push(Change { metric: Metric::Age, part, severity, was, phase, value, at: h.sample.at });
    }
    next
}

/// What a threshold did.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it was seen.
    pub at: Millis,
    /// What it watches: see [`Metric::word`].
    pub metric: String,
    /// Which file system.
    pub part: String,
    /// What it is when it fires.
    pub severity: String,
    /// Where it stood: `ok`, `pending`, `firing`, `clearing`.
    pub was: String,
    /// Where it stands since.
    pub phase: String,
    /// The value that did it.
    pub value: f64,
    /// When that was taken.
    pub sample_at: Millis,
}

/// What the thresholds of a host did, newest first.
///
/// # Errors
/// When the store does not answer.
pub async fn events(store: &Store, host: i64, limit: i64) -> Result<Vec<Event>, StoreError> {
    let read = |r: &Row<'_>| {
        Ok(Event {
            at: r.get(0)?,
            metric: r.get(1)?,
            part: r.get(2)?,
            severity: r.get(3)?,
            was: r.get(4)?,
            phase: r.get(5)?,
            value: r.get(6)?,
            sample_at: r.get(7)?,
        })
    };
    store
        .rows(
            "SELECT at, metric, part, severity, was, phase, value, sample_at FROM host_event WHERE host_id = $1 \
             ORDER BY at DESC, id DESC LIMIT $2",
            args![host, limit],
            read,
        )
        .await
}

/// Looks ahead at every host that has a new sample.
///
/// # Errors
/// When the store does not answer.
pub async fn look_ahead(store: &Store, now: Millis) -> Result<(), StoreError> {
    for host in hosts(store).await? {
        if alert::is_stale(host.sample.at, host.interval, now) {
            continue;
        }
        let disks = host.sample.disks.iter().filter(|d| !d.read_only && !d.stuck);
        let mounts: Vec<String> = disks.map(|d| d.mount.clone()).collect();
        super::parts::look_ahead(store, host.id, &mounts, now).await?;
    }
    Ok(())
}
