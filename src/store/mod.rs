//! Pools, transactions, migrations, the two dialects.
//!
//! One SQL text serves both databases: `$1` placeholders, BIGINT numbers, instants as epoch milliseconds.
//! Reading goes through [`Store::rows`] and [`Store::row`]; writing through a [`Tx`], which only the action door
//! ([`Store::begin`]) and the measuring jobs ([`Store::begin_measure`]) open.

mod error;
pub mod feed;
pub mod lease;
mod lite;
mod open;
pub mod schema;
mod tx;
mod value;

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool};

pub use error::StoreError;
pub use lite::TableRow;
pub use open::StoreUrl;
pub use tx::Tx;
pub use value::{Args, FromCell, FromRow, Row, Val};

use lite::{Readers, Slot};
use tx::Weight;
use value::bind_pg;

/// Which database a [`Store`] speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded default.
    Sqlite,
    /// The shared store.
    Postgres,
}

/// The shared store. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
    url: StoreUrl,
    local: feed::Local,
}

#[derive(Debug, Clone)]
enum Pools {
    /// Readers refuse writes; one writer; one connection for measurements with relaxed durability.
    Sqlite {
        read: Readers,
        write: Slot,
        measure: Slot,
    },
    Postgres(PgPool),
}

/// Longest a statement may take on Postgres, its way there and back included, before the server counts as gone: more
/// than the limit the server itself keeps, so that a slow statement is told as such.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest the smallest question may take.
const ANSWER: Duration = Duration::from_secs(5);

fn no_answer() -> StoreError {
    StoreError::Unreachable(crate::locale::cli::store_no_answer())
}

/// Waits for `work` on Postgres, never for ever: a network that swallows everything breaks no connection.
async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    Ok(tokio::time::timeout(PATIENCE, work).await.map_err(|_| no_answer())??)
}

/// As [`in_time`], of a connection of `pool`; one that does not answer is taken out of it.
async fn asked<T>(
    pool: &PgPool,
    ask: impl AsyncFnOnce(&mut sqlx::PgConnection) -> Result<T, sqlx::Error>,
) -> Result<T, StoreError> {
    let mut conn = pool.acquire().await?;
    match tokio::time::timeout(PATIENCE, ask(&mut conn)).await {
        Ok(answer) => Ok(answer?),
        Err(_) => {
            drop(conn.detach());
            Err(no_answer())
        }
    }
}

impl Store {
    /// Which SQL dialect the store speaks.
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The text for this store's dialect.
    pub fn pick<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self.dialect() {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        }
    }

    /// Where the store is, without any password.
    pub fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// All rows of a query, each mapped by `f`.
    ///
    /// # Errors
    /// When the store does not answer, refuses the statement, or a column has another type than asked for.
    pub async fn rows<T>(
        &self,
        sql: &str,
        args: Args,
        mut f: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match &self.pools {
            Pools::Sqlite { read, .. } => {
                let table = read.lend().await?.query(sql, args, usize::MAX).await?;
                table.rows().map(|row| f(&Row::Sqlite(row))).collect()
            }
            Pools::Postgres(pool) => {
                let query = bind_pg(sqlx::query(AssertSqlSafe(sql)), args);
                let rows = asked(pool, async |conn| query.fetch_all(conn).await).await?;
                rows.iter().map(|row| f(&Row::Postgres(row))).collect()
            }
        }
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// As [`Store::rows`].
    pub async fn row<T>(
        &self,
        sql: &str,
        args: Args,
        f: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match &self.pools {
            Pools::Sqlite { read, .. } => {
                let table = read.lend().await?.query(sql, args, 1).await?;
                table.rows().next().map(|row| f(&Row::Sqlite(row))).transpose()
            }
            Pools::Postgres(pool) => {
                let query = bind_pg(sqlx::query(AssertSqlSafe(sql)), args);
                let row = asked(pool, async |conn| query.fetch_optional(conn).await).await?;
                row.as_ref().map(|row| f(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// Opens the transaction of an action, with the writers' lock: `BEGIN IMMEDIATE` on SQLite, the journal's on Postgres.
    ///
    /// # Errors
    /// When the store does not answer or stays locked.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        match &self.pools {
            Pools::Sqlite { write, .. } => Tx::sqlite(write, Weight::Light, self.local.clone()).await,
            Pools::Postgres(pool) => {
                // one round trip: the lock is held before the first read of the journal's head
                let tx = in_time(pool.begin_with("BEGIN; SELECT pg_advisory_xact_lock(7317000001)")).await?;
                Ok(Tx::postgres(tx, self.local.clone()))
            }
        }
    }

    /// Opens a transaction for measurements: no journal row belongs to it, and on SQLite a power cut may lose the
    /// last of them.
    ///
    /// # Errors
    /// When the store does not answer or stays locked.
    pub async fn begin_measure(&self) -> Result<Tx, StoreError> {
        match &self.pools {
            Pools::Sqlite { measure, .. } => Tx::sqlite(measure, Weight::Heavy, self.local.clone()).await,
            Pools::Postgres(pool) => Ok(Tx::postgres(in_time(pool.begin_with("BEGIN")).await?, self.local.clone())),
        }
    }

    /// Milliseconds of one round trip to the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn ping(&self) -> Result<f64, StoreError> {
        let started = std::time::Instant::now();
        let answer = self.row("SELECT CAST(1 AS BIGINT)", vec![], |r| r.get::<i64>(0));
        tokio::time::timeout(ANSWER, answer).await.map_err(|_| no_answer())??;
        Ok(started.elapsed().as_secs_f64() * 1000.0)
    }

    /// Closes the pools; open transactions are rolled back.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { read, write, measure } => {
                read.close().await;
                measure.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// The arguments of a statement: `args![id, name, Option::<i64>::None]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::Val::from($value)),*] };
}
