//! The connections of this process to SQLite, each lent to one user at a time.
//!
//! SQLite answers most questions faster than another thread wakes up, so a statement runs on the thread that asks, and
//! only what takes long goes to a thread of its own ([`run`]).

mod run;
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::StoreError;

pub(super) use run::LONG;
pub use run::TableRow;

/// Longest wait for those of this process before.
const PATIENCE: Duration = Duration::from_secs(30);
/// Readers at once.
const READERS: usize = 3;
/// Cache of a connection, in KiB (negative: not pages). The system keeps the file in memory anyway; five connections
/// must not each keep it once more.
const CACHE: i64 = -512;
/// Statements that a connection keeps ready.
const READY: usize = 128;
/// After how many steps of SQLite's machine a query looks at the time: a fifth of a millisecond, about.
const STEPS: i32 = 4_000;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The changes of actions: durable.
    Write,
    /// Measurements: a power cut may lose the last of them.
    Measure,
    /// Refuses every write.
    Read,
}

/// A connection to the file.
#[derive(Debug)]
pub(super) struct Lite {
    file: Connection,
    /// When the running query is to be given up, in microseconds since [`START`].
    until: Arc<AtomicU64>,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn micros() -> u64 {
    START.elapsed().as_micros() as u64
}

impl Lite {
    fn open(path: &Path, kind: Use) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = Connection::open_with_flags(path, flags)?;
        let (synchronous, query_only) = match kind {
            Use::Write => ("FULL", "OFF"),
            Use::Measure => ("NORMAL", "OFF"),
            Use::Read => ("NORMAL", "ON"),
        };
        file.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = ON; \
             PRAGMA temp_store = MEMORY; PRAGMA cache_size = {CACHE}; PRAGMA query_only = {query_only}"
        ))?;
        // another writer is waited for without holding up the thread
        file.busy_timeout(Duration::ZERO)?;
        file.set_prepared_statement_cache_capacity(READY);
        let until = Arc::new(AtomicU64::new(u64::MAX));
        let limit = until.clone();
        file.progress_handler(STEPS, Some(move || micros() > limit.load(Ordering::Relaxed)))?;
        Ok(Self { file, until })
    }
}

/// A connection, lent in the order in which it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    path: Arc<PathBuf>,
    kind: Use,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    /// Not there yet, or given up with what was not committed.
    Absent,
    Open(Lite),
    Closed,
}

/// The connection, for as long as it is lent.
#[derive(Debug)]
pub(super) struct Turn {
    /// Nothing while a thread of its own works with it.
    held: Option<Held>,
    path: Arc<PathBuf>,
    kind: Use,
}

/// Holds the connection for one user, and takes back what that one did not commit.
#[derive(Debug)]
struct Held(OwnedMutexGuard<State>);

impl Drop for Held {
    fn drop(&mut self) {
        if let State::Open(lite) = &*self.0
            && !lite.file.is_autocommit()
            && lite.file.execute_batch("ROLLBACK").is_err()
        {
            *self.0 = State::Absent;
        }
    }
}

impl Held {
    /// The connection, made where it is not there.
    fn lite(&mut self, path: &Path, kind: Use) -> Result<&Lite, StoreError> {
        if matches!(*self.0, State::Absent) {
            *self.0 = State::Open(Lite::open(path, kind)?);
        }
        match &*self.0 {
            State::Open(lite) => Ok(lite),
            State::Absent | State::Closed => Err(closed()),
        }
    }
}

fn closed() -> StoreError {
    sqlx::Error::PoolClosed.into()
}

/// The connections that read.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    slots: Arc<[Slot; READERS]>,
    next: Arc<AtomicUsize>,
}

impl Slot {
    pub(super) fn new(path: &Path, kind: Use) -> Self {
        Self { path: Arc::new(path.to_owned()), kind, state: Arc::new(Mutex::new(State::Absent)) }
    }

    fn lent(&self, state: OwnedMutexGuard<State>) -> Turn {
        Turn { held: Some(Held(state)), path: self.path.clone(), kind: self.kind }
    }

    /// Waits for its turn.
    ///
    /// # Errors
    /// When it does not come in time.
    pub(super) async fn lend(&self) -> Result<Turn, StoreError> {
        let turn = tokio::time::timeout(PATIENCE, self.state.clone().lock_owned()).await;
        Ok(self.lent(turn.map_err(|_| super::no_answer())?))
    }

    /// Closes it; nobody is lent it any more.
    pub(super) async fn close(&self) {
        *self.state.lock().await = State::Closed;
    }
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        let slots = std::array::from_fn(|_| Slot::new(path, Use::Read));
        Self { slots: Arc::new(slots), next: Arc::default() }
    }

    /// One that is free, or else the next that will be.
    ///
    /// # Errors
    /// As [`Slot::lend`].
    pub(super) async fn lend(&self) -> Result<Turn, StoreError> {
        for slot in &*self.slots {
            if let Ok(state) = slot.state.clone().try_lock_owned() {
                return Ok(slot.lent(state));
            }
        }
        self.slots[self.next.fetch_add(1, Ordering::Relaxed) % READERS].lend().await
    }

    /// A connection for whoever asks, apart from those that are lent.
    ///
    /// # Errors
    /// When the file cannot be opened, or the store was closed.
    pub(super) async fn apart(&self) -> Result<Lite, StoreError> {
        let slot = &self.slots[0];
        if matches!(*slot.state.lock().await, State::Closed) {
            return Err(closed());
        }
        Lite::open(&slot.path, Use::Read)
    }

    /// Closes them.
    pub(super) async fn close(&self) {
        for slot in &*self.slots {
            slot.close().await;
        }
    }
}
