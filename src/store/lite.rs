//! The connections of this process to SQLite, each lent to one user at a time.
//!
//! No pool: that one asks a connection after every use whether it is there, which costs as much as a small query.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::StoreError;

/// Longest wait for those of this process before.
const PATIENCE: Duration = Duration::from_secs(30);
/// Readers at once.
const READERS: usize = 3;

/// A connection, lent in the order in which it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    options: Arc<SqliteConnectOptions>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    /// Not there yet, or given up with what was not committed.
    Absent,
    Open(SqliteConnection),
    Closed,
}

/// The connection, for as long as it is lent.
#[derive(Debug)]
pub(super) struct Turn {
    state: OwnedMutexGuard<State>,
    options: Arc<SqliteConnectOptions>,
}

/// The connections that read.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    slots: Arc<[Slot; READERS]>,
    next: Arc<AtomicUsize>,
}

impl Slot {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options: Arc::new(options), state: Arc::new(Mutex::new(State::Absent)) }
    }

    fn lent(&self, state: OwnedMutexGuard<State>) -> Turn {
        Turn { state, options: self.options.clone() }
    }

    /// Waits for its turn.
    ///
    /// # Errors
    /// When it does not come in time.
    pub(super) async fn lend(&self) -> Result<Turn, StoreError> {
        let turn = tokio::time::timeout(PATIENCE, self.state.clone().lock_owned()).await;
        Ok(self.lent(turn.map_err(|_| sqlx::Error::PoolTimedOut)?))
    }

    /// Closes it; nobody is lent it any more.
    pub(super) async fn close(&self) {
        if let State::Open(conn) = std::mem::replace(&mut *self.state.lock().await, State::Closed) {
            _ = conn.close().await;
        }
    }
}

impl Turn {
    /// The connection, made where it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened, or the store was closed.
    pub(super) async fn conn(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if matches!(*self.state, State::Absent) {
            *self.state = State::Open(SqliteConnection::connect_with(&self.options).await?);
        }
        match &mut *self.state {
            State::Open(conn) => Ok(conn),
            State::Absent | State::Closed => Err(sqlx::Error::PoolClosed.into()),
        }
    }

    /// Gives the connection up, and with it what was not committed.
    pub(super) fn give_up(&mut self) {
        *self.state = State::Absent;
    }
}

impl Readers {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        let slots = std::array::from_fn(|_| Slot::new(options.clone()));
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
    /// As [`Turn::conn`].
    pub(super) async fn apart(&self) -> Result<SqliteConnection, StoreError> {
        let slot = &self.slots[0];
        if matches!(*slot.state.lock().await, State::Closed) {
            return Err(sqlx::Error::PoolClosed.into());
        }
        Ok(SqliteConnection::connect_with(&slot.options).await?)
    }

    /// Closes them.
    pub(super) async fn close(&self) {
        for slot in &*self.slots {
            slot.close().await;
        }
    }
}
