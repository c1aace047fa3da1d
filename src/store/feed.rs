//! The live feed: who changed what, seen by every other session.
//!
//! SQLite has no notification between processes: size and time of its files are looked at every 200 ms; when they moved,
//! one connection asks `PRAGMA data_version`, and when that moved too, the handful of rows of `change` is read. Postgres
//! notifies; after a lost connection everything counts as changed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sqlx::postgres::PgListener;
use tokio::sync::{Notify, mpsc};

use super::{Pools, Store, StoreError};

/// How often SQLite's files are looked at for what another process wrote.
const POLL: Duration = Duration::from_millis(200);

/// Wakes the feeds of this process, which `data_version` does not.
#[derive(Debug, Clone, Default)]
pub(super) struct Local(Arc<Notify>);

impl Local {
    pub(super) fn told(&self) {
        self.0.notify_waiters();
    }
}

/// What a feed reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// These topics changed.
    Changed(Vec<String>),
    /// Changes may have been missed: everything is to be read again.
    Everything,
    /// The store stopped answering; the sentence says why.
    Lost(String),
    /// The store answers again.
    Back,
}

/// What every commit leaves on a file: size and time. The kernel answers from memory.
fn trace(path: &Path) -> Option<(u64, SystemTime)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.len(), file.modified().ok()?))
}

impl Store {
    /// Starts watching; the receiver ends when the store is closed. Dropping the receiver ends the watching.
    pub fn feed(&self) -> mpsc::Receiver<News> {
        let (tx, rx) = mpsc::channel(64);
        let store = self.clone();
        tokio::spawn(async move {
            let mut wait = Duration::from_millis(250);
            let mut lost = false;
            loop {
                let started = std::time::Instant::now();
                let end = match &store.pools {
                    Pools::Sqlite { .. } => store.watch_sqlite(&tx, &mut lost).await,
                    Pools::Postgres(pool) => store.watch_postgres(pool, &tx, &mut lost).await,
                };
                let Err(error) = end else { return };
                if !lost {
                    lost = true;
                    if tx.send(News::Lost(error.to_string())).await.is_err() {
                        return;
                    }
                }
                if started.elapsed() > Duration::from_secs(30) {
                    wait = Duration::from_millis(250);
                }
                let jitter = Duration::from_millis(fastrand::u64(0..=wait.as_millis() as u64 / 4));
                tokio::select! {
                    () = tokio::time::sleep(wait + jitter) => {}
                    () = tx.closed() => return,
                }
                wait = (wait * 2).min(Duration::from_secs(5));
            }
        });
        rx
    }

    async fn watch_sqlite(&self, tx: &mpsc::Sender<News>, lost: &mut bool) -> Result<(), StoreError> {
        let (Pools::Sqlite { read, .. }, Some(path)) = (&self.pools, self.url.path()) else { return Ok(()) };
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = PathBuf::from(log);
        let traces = || [trace(path), trace(&log)];
        // always the same connection: the number is per connection
        let conn = read.apart().await?;
        let mut version = conn.data_version()?;
        let mut seen = self.topics().await?;
        let (mut last, mut doubt) = (traces(), true);
        if std::mem::take(lost) && (tx.send(News::Back).await.is_err() || tx.send(News::Everything).await.is_err()) {
            return Ok(());
        }
        let mut tick = tokio::time::interval(POLL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let here = tokio::select! {
                _ = tick.tick() => false,
                () = self.local.0.notified() => true,
                () = tx.closed() => return Ok(()),
            };
            // two commits within one instant of the file system's clock look like one: the look after a change asks again
            let traces = traces();
            let moved = traces != last;
            if !moved && !here && !std::mem::replace(&mut doubt, moved) {
                continue;
            }
            (last, doubt) = (traces, moved);
            let now = conn.data_version()?;
            if now == version && !here {
                continue;
            }
            version = now;
            let topics = self.topics().await?;
            let moved: Vec<String> =
                topics.iter().filter(|(t, seq)| seen.get(*t) != Some(seq)).map(|(t, _)| t.clone()).collect();
            seen = topics;
            if !moved.is_empty() && tx.send(News::Changed(moved)).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn topics(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        let rows = self.rows("SELECT topic, seq FROM change", vec![], |r| Ok((r.get(0)?, r.get(1)?))).await?;
        Ok(rows.into_iter().collect())
    }

    async fn watch_postgres(
        &self,
        pool: &sqlx::PgPool,
        tx: &mpsc::Sender<News>,
        lost: &mut bool,
    ) -> Result<(), StoreError> {
        let start = async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.ignore_pool_close_event(false);
            listener.listen("zhiban").await?;
            Ok::<_, sqlx::Error>(listener)
        };
        let mut listener = tokio::time::timeout(super::ANSWER, start).await.map_err(|_| super::no_answer())??;
        if std::mem::take(lost) && (tx.send(News::Back).await.is_err() || tx.send(News::Everything).await.is_err()) {
            return Ok(());
        }
        let mut check = tokio::time::interval(Duration::from_secs(5));
        check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let note = tokio::select! {
                note = listener.try_recv() => note?,
                _ = check.tick() => { self.ping().await?; continue }
                () = tx.closed() => return Ok(()),
            };
            let news = match note {
                Some(note) => {
                    let mut topics = vec![note.payload().to_owned()];
                    while let Some(more) = listener.next_buffered() {
                        topics.push(more.payload().to_owned());
                    }
                    topics.sort_unstable();
                    topics.dedup();
                    News::Changed(topics)
                }
                // the connection was lost; the next answer of the store says whether it is back
                None => {
                    self.ping().await?;
                    News::Everything
                }
            };
            if tx.send(news).await.is_err() {
                return Ok(());
            }
        }
    }
}
