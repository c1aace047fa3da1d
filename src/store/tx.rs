//! Transactions.

use std::fmt::Write as _;

use sqlx::{AssertSqlSafe, PgConnection, Postgres, Transaction};

use super::feed::Local;
use super::lite::{LONG, Slot, Turn};
use super::value::bind_pg;
use super::{Args, Dialect, Row, StoreError, Val, in_time};

/// A transaction of either database; rolled back when dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    topics: Vec<String>,
    local: Local,
    /// The newest row of the journal, once it is known.
    pub(crate) head: Option<(i64, String)>,
}

/// A place in a transaction to which it can be taken back.
#[derive(Debug)]
#[must_use]
pub struct Mark {
    topics: usize,
    head: Option<(i64, String)>,
}

#[derive(Debug)]
enum Inner {
    Sqlite(Turn, Weight),
    Postgres(Transaction<'static, Postgres>),
}

/// How long the statements of a transaction take on SQLite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// No longer than another thread takes to wake up.
    Light,
    Heavy,
}

impl Tx {
    /// Begins with the lock of SQLite's writers.
    pub(super) async fn sqlite(slot: &Slot, weight: Weight, local: Local) -> Result<Self, StoreError> {
        let mut turn = slot.lend().await?;
        turn.exec("BEGIN IMMEDIATE", &vec![]).await?;
        Ok(Self { inner: Inner::Sqlite(turn, weight), topics: Vec::new(), local, head: None })
    }

    pub(super) fn postgres(tx: Transaction<'static, Postgres>, local: Local) -> Self {
        Self { inner: Inner::Postgres(tx), topics: Vec::new(), local, head: None }
    }

    /// Where the journal ends: place and hash of its newest row.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(crate) async fn journal_head(&mut self) -> Result<Option<(i64, String)>, StoreError> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        let sql = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1";
        self.row(sql, vec![], |r| Ok((r.get::<i64>(0)?, r.get::<String>(1)?))).await
    }

    /// Which SQL dialect the transaction speaks.
    pub fn dialect(&self) -> Dialect {
        match self.inner {
            Inner::Sqlite(..) => Dialect::Sqlite,
            Inner::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The text for this dialect.
    pub fn pick<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self.dialect() {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
        }
    }

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// When the store does not answer or refuses the statement.
    pub async fn exec(&mut self, sql: &str, args: Args) -> Result<u64, StoreError> {
        Ok(match &mut self.inner {
            Inner::Sqlite(turn, Weight::Light) if sql.len() < LONG => turn.exec(sql, &args).await?,
            Inner::Sqlite(turn, _) => turn.exec_aside(sql, args).await?,
            Inner::Postgres(tx) => {
                in_time(bind_pg(sqlx::query(AssertSqlSafe(sql)), args).execute(&mut **tx)).await?.rows_affected()
            }
        })
    }

    /// All rows of a query, each mapped by `f`.
    ///
    /// # Errors
    /// As [`super::Store::rows`].
    pub async fn rows<T>(
        &mut self,
        sql: &str,
        args: Args,
        mut f: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(turn, _) => {
                let table = turn.query(sql, args, usize::MAX).await?;
                table.rows().map(|row| f(&Row::Sqlite(row))).collect()
            }
            Inner::Postgres(tx) => {
                let rows = in_time(bind_pg(sqlx::query(AssertSqlSafe(sql)), args).fetch_all(&mut **tx)).await?;
                rows.iter().map(|row| f(&Row::Postgres(row))).collect()
            }
        }
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// As [`super::Store::rows`].
    pub async fn row<T>(
        &mut self,
        sql: &str,
        args: Args,
        f: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(turn, _) => {
                let table = turn.query(sql, args, 1).await?;
                table.rows().next().map(|row| f(&Row::Sqlite(row))).transpose()
            }
            Inner::Postgres(tx) => {
                let row = in_time(bind_pg(sqlx::query(AssertSqlSafe(sql)), args).fetch_optional(&mut **tx)).await?;
                row.as_ref().map(|row| f(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// Inserts many rows: `head` is `INSERT INTO t(a, b) VALUES`, `tail` what follows (`ON CONFLICT …` or nothing).
    /// Splits into statements of at most 30 000 arguments. Says how many rows changed.
    ///
    /// # Errors
    /// When the store does not answer or refuses a row; nothing of the transaction is kept then.
    pub async fn insert_many(&mut self, head: &str, rows: Vec<Vec<Val>>, tail: &str) -> Result<u64, StoreError> {
        let Some(columns) = rows.first().map(Vec::len).filter(|n| *n > 0) else { return Ok(0) };
        let mut changed = 0;
        let mut rows = rows.into_iter().peekable();
        let per_statement = (30_000 / columns).clamp(1, 1_000);
        while rows.peek().is_some() {
            let chunk: Vec<Vec<Val>> = rows.by_ref().take(per_statement).collect();
            let mut sql = String::with_capacity(head.len() + chunk.len() * columns * 7 + tail.len());
            sql.push_str(head);
            let mut n = 0;
            for i in 0..chunk.len() {
                sql.push_str(if i == 0 { " (" } else { ",(" });
                for column in 0..columns {
                    if column > 0 {
                        sql.push(',');
                    }
                    n += 1;
                    // SQLite looks names up one by one: `$N` in a long list is quadratic there
                    match self.dialect() {
                        Dialect::Sqlite => sql.push('?'),
                        Dialect::Postgres => _ = write!(sql, "${n}"),
                    }
                }
                sql.push(')');
            }
            sql.push(' ');
            sql.push_str(tail);
            changed += self.exec(&sql, chunk.into_iter().flatten().collect()).await?;
        }
        Ok(changed)
    }

    /// The connection to Postgres, for what only that database knows.
    pub fn postgres_only(&mut self) -> Option<&mut PgConnection> {
        match &mut self.inner {
            Inner::Sqlite(..) => None,
            Inner::Postgres(tx) => Some(tx),
        }
    }

    /// Tells everybody who watches `topic` that it changed, once this transaction commits.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn bump(&mut self, topic: &str) -> Result<(), StoreError> {
        if self.topics.iter().any(|t| t == topic) {
            return Ok(());
        }
        self.topics.push(topic.to_owned());
        let sql = self.pick(
            "INSERT INTO change(topic, seq) VALUES ($1, 1) ON CONFLICT(topic) DO UPDATE SET seq = change.seq + 1",
            "WITH c AS (INSERT INTO change(topic, seq) VALUES ($1, 1) ON CONFLICT(topic) DO UPDATE SET seq = change.seq + 1) \
             SELECT pg_notify('zhiban', $1)",
        );
        self.exec(sql, crate::args![topic]).await?;
        Ok(())
    }

    /// Marks `topic` as told by a statement that has bumped it already.
    pub(crate) fn bumped(&mut self, topic: &str) {
        if !self.topics.iter().any(|t| t == topic) {
            self.topics.push(topic.to_owned());
        }
    }

    /// Marks a place to which [`Tx::back`] can return, so that one change of several can fail by itself.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn mark(&mut self) -> Result<Mark, StoreError> {
        self.exec("SAVEPOINT part", vec![]).await?;
        Ok(Mark { topics: self.topics.len(), head: self.head.clone() })
    }

    /// Takes back everything since `mark`.
    ///
    /// # Errors
    /// When the store does not answer; the transaction must not be committed then.
    pub async fn back(&mut self, mark: &Mark) -> Result<(), StoreError> {
        self.head.clone_from(&mark.head);
        self.topics.truncate(mark.topics);
        self.exec("ROLLBACK TO SAVEPOINT part", vec![]).await?;
        self.keep(mark).await
    }

    /// Keeps everything since `mark`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn keep(&mut self, _mark: &Mark) -> Result<(), StoreError> {
        self.exec("RELEASE SAVEPOINT part", vec![]).await?;
        Ok(())
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// When the store does not answer. Nothing was changed then, but for [`StoreError::Unsure`].
    pub async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(mut turn, Weight::Light) => _ = turn.exec("COMMIT", &vec![]).await?,
            Inner::Sqlite(mut turn, Weight::Heavy) => _ = turn.exec_aside("COMMIT", vec![]).await?,
            Inner::Postgres(tx) => in_time(tx.commit()).await.map_err(|e| match e {
                StoreError::Unreachable(why) => StoreError::Unsure(why),
                e => e,
            })?,
        }
        if !self.topics.is_empty() {
            self.local.told();
        }
        Ok(())
    }
}
