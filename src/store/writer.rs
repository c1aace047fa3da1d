//! The one connection of this process that writes to SQLite.

use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::StoreError;

/// Longest that a transaction waits for those of this process before it.
const TURN: Duration = Duration::from_secs(30);

/// A connection that one transaction has at a time, in the order in which they asked. No pool: that one would ask the
/// connection after every transaction whether it is there.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    options: Arc<SqliteConnectOptions>,
    conn: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    /// Not there yet, or given up with what was not committed.
    Absent,
    Open(SqliteConnection),
    Closed,
}

/// The connection, for as long as a transaction has it.
#[derive(Debug)]
pub(super) struct Turn {
    state: OwnedMutexGuard<State>,
    options: Arc<SqliteConnectOptions>,
}

impl Writer {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options: Arc::new(options), conn: Arc::new(Mutex::new(State::Absent)) }
    }

    /// Waits for its turn.
    ///
    /// # Errors
    /// When it does not come in time.
    pub(super) async fn lock(&self) -> Result<Turn, StoreError> {
        let turn = tokio::time::timeout(TURN, self.conn.clone().lock_owned()).await;
        let state = turn.map_err(|_| StoreError::from(sqlx::Error::PoolTimedOut))?;
        Ok(Turn { state, options: self.options.clone() })
    }

    /// Closes it; nothing is written through it any more.
    pub(super) async fn close(&self) {
        if let State::Open(conn) = std::mem::replace(&mut *self.conn.lock().await, State::Closed) {
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
