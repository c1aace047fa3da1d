//! Transactions.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{AssertSqlSafe, PgConnection, Postgres, SqliteConnection, Transaction};

use super::feed::Local;
use super::lite::{Slot, Turn};
use super::value::{bind_pg, bind_sqlite};
use super::{Args, Dialect, Row, StoreError, Val, in_time};

/// A transaction of either database; rolled back when dropped without [`Tx::commit`].
#[derive(Debug)]
pub struct Tx {
    inner: Inner,
    topics: Vec<String>,
    local: Local,
    /// The newest row of the journal, once it is known.
    pub(crate) head: Option<(i64, String)>,
    waiting: Waiting,
}

/// The connection to SQLite in a transaction.
#[derive(Debug)]
struct Lite {
    turn: Turn,
    /// Whether a statement has gone, and neither COMMIT nor ROLLBACK has come back.
    begun: bool,
}

impl Drop for Lite {
    fn drop(&mut self) {
        if self.begun {
            self.turn.give_up();
        }
    }
}

const BEGIN: &str = "BEGIN IMMEDIATE";

/// Statements for SQLite that go to it with the next one: each way to its thread and back costs more than a small one.
#[derive(Debug, Default)]
struct Waiting {
    sql: String,
    args: Args,
    /// How often such statements have gone.
    sent: usize,
}

impl Waiting {
    fn push(&mut self, sql: &str, args: Args) {
        if !self.sql.is_empty() {
            self.sql.push_str("; ");
        }
        shift(&mut self.sql, sql, self.args.len());
        self.args.extend(args);
    }

    fn take(&mut self) -> (String, Args) {
        self.sent += 1;
        (std::mem::take(&mut self.sql), std::mem::take(&mut self.args))
    }
}

/// Writes `sql` to `out` with its `$N` moved on by `by`.
fn shift(out: &mut String, sql: &str, by: usize) {
    let mut parts = sql.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        match part[..digits].parse::<usize>() {
            Ok(n) => _ = write!(out, "${}", n + by),
            Err(_) => out.push('$'),
        }
        out.push_str(&part[digits..]);
    }
}

/// A place in a transaction to which it can be taken back.
#[derive(Debug)]
#[must_use]
pub struct Mark {
    topics: usize,
    head: Option<(i64, String)>,
    /// Where the statements that wait ended, and how many had gone.
    waiting: (usize, usize, usize),
}

#[derive(Debug)]
enum Inner {
    Sqlite(Lite),
    Postgres(Transaction<'static, Postgres>),
}

/// The connection beneath a [`Tx`], for statements that only one database knows.
#[derive(Debug)]
pub enum Native<'a> {
    /// SQLite.
    Lite(&'a mut SqliteConnection),
    /// Postgres.
    Pg(&'a mut PgConnection),
}

impl Tx {
    /// Begun with its first statement.
    pub(super) async fn sqlite(slot: &Slot, local: Local) -> Result<Self, StoreError> {
        let lite = Lite { turn: slot.lend().await?, begun: false };
        let waiting = Waiting { sql: BEGIN.into(), ..Waiting::default() };
        Ok(Self { inner: Inner::Sqlite(lite), topics: Vec::new(), local, head: None, waiting })
    }

    /// Takes the lock of SQLite's writers, and looks where the journal ends.
    pub(super) async fn lock(mut self) -> Result<Self, StoreError> {
        self.head = self.journal_head().await?;
        Ok(self)
    }

    pub(super) fn postgres(tx: Transaction<'static, Postgres>, local: Local) -> Self {
        Self { inner: Inner::Postgres(tx), topics: Vec::new(), local, head: None, waiting: Waiting::default() }
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
            Inner::Sqlite(_) => Dialect::Sqlite,
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

    /// Runs a statement of which nobody asks how many rows it changed; on SQLite together with the one that follows.
    ///
    /// # Errors
    /// When the store does not answer or refuses the statement; on SQLite that may be told by the call that follows.
    pub async fn later(&mut self, sql: &str, args: Args) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(_) => self.waiting.push(sql, args),
            Inner::Postgres(_) => _ = self.exec(sql, args).await?,
        }
        Ok(())
    }

    /// Runs what waits.
    async fn flush(&mut self) -> Result<(), StoreError> {
        if let Inner::Sqlite(lite) = &mut self.inner
            && !self.waiting.sql.is_empty()
        {
            let (sql, args) = self.waiting.take();
            lite.exec(&sql, args).await?;
        }
        Ok(())
    }

    /// The rows of a query on SQLite, at most `limit`, run with what waits before it.
    async fn rows_of_lite(&mut self, sql: &str, args: Args, limit: usize) -> Result<Vec<SqliteRow>, StoreError> {
        let Inner::Sqlite(lite) = &mut self.inner else { return Ok(vec![]) };
        self.waiting.push(sql, args);
        let (sql, args) = self.waiting.take();
        let conn = lite.turn.conn().await?;
        lite.begun = true;
        let mut stream = bind_sqlite(sqlx::query(AssertSqlSafe(sql)), args).fetch(conn);
        let mut rows = Vec::new();
        while rows.len() < limit
            && let Some(row) = stream.try_next().await?
        {
            rows.push(row);
        }
        Ok(rows)
    }

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// When the store does not answer or refuses the statement.
    pub async fn exec(&mut self, sql: &str, args: Args) -> Result<u64, StoreError> {
        self.flush().await?;
        Ok(match &mut self.inner {
            Inner::Sqlite(lite) => lite.exec(sql, args).await?.rows_affected(),
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
            Inner::Sqlite(_) => {
                let rows = self.rows_of_lite(sql, args, usize::MAX).await?;
                rows.iter().map(|row| f(&Row::Sqlite(row))).collect()
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
            Inner::Sqlite(_) => {
                let rows = self.rows_of_lite(sql, args, 1).await?;
                rows.first().map(|row| f(&Row::Sqlite(row))).transpose()
            }
            Inner::Postgres(tx) => {
                let row = in_time(bind_pg(sqlx::query(AssertSqlSafe(sql)), args).fetch_optional(&mut **tx)).await?;
                row.as_ref().map(|row| f(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// The one row of a first query, which always gives one, and the first row of a second; on SQLite they go together.
    ///
    /// # Errors
    /// As [`super::Store::rows`].
    pub async fn two<A, B>(
        &mut self,
        (sql, args, f): (&str, Args, impl FnOnce(&Row<'_>) -> Result<A, StoreError>),
        (second, more, g): (&str, Args, impl FnOnce(&Row<'_>) -> Result<B, StoreError>),
    ) -> Result<(Option<A>, Option<B>), StoreError> {
        if matches!(self.inner, Inner::Postgres(_)) {
            return Ok((self.row(sql, args, f).await?, self.row(second, more, g).await?));
        }
        self.waiting.push(sql, args);
        let rows = self.rows_of_lite(second, more, 2).await?;
        let first = rows.first().map(|row| f(&Row::Sqlite(row))).transpose()?;
        Ok((first, rows.get(1).map(|row| g(&Row::Sqlite(row))).transpose()?))
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

    /// The connection itself, for statements that only one database knows.
    ///
    /// # Errors
    /// When the store does not answer or refuses a statement of before.
    pub async fn native(&mut self) -> Result<Native<'_>, StoreError> {
        self.flush().await?;
        Ok(match &mut self.inner {
            Inner::Sqlite(lite) => Native::Lite(lite.turn.conn().await?),
            Inner::Postgres(tx) => Native::Pg(tx),
        })
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
        self.later(sql, crate::args![topic]).await
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
        let waiting = (self.waiting.sql.len(), self.waiting.args.len(), self.waiting.sent);
        self.later("SAVEPOINT part", vec![]).await?;
        Ok(Mark { topics: self.topics.len(), head: self.head.clone(), waiting })
    }

    /// Takes back everything since `mark`.
    ///
    /// # Errors
    /// When the store does not answer; the transaction must not be committed then.
    pub async fn back(&mut self, mark: &Mark) -> Result<(), StoreError> {
        self.head.clone_from(&mark.head);
        self.topics.truncate(mark.topics);
        let (sql, args, sent) = mark.waiting;
        if matches!(self.inner, Inner::Sqlite(_)) && sent == self.waiting.sent {
            self.waiting.sql.truncate(sql);
            self.waiting.args.truncate(args);
            return Ok(());
        }
        self.waiting = Waiting { sent: self.waiting.sent, ..Waiting::default() };
        self.later("ROLLBACK TO SAVEPOINT part", vec![]).await?;
        self.keep(mark).await
    }

    /// Keeps everything since `mark`.
    ///
    /// # Errors
    /// When the store does not answer, or refuses a statement since the mark: [`Tx::back`] takes them back then.
    pub async fn keep(&mut self, _mark: &Mark) -> Result<(), StoreError> {
        self.later("RELEASE SAVEPOINT part", vec![]).await?;
        self.flush().await
    }

    /// Makes the changes durable.
    ///
    /// # Errors
    /// When the store does not answer. Nothing was changed then, but for [`StoreError::Unsure`].
    pub async fn commit(mut self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(mut lite) if lite.begun || self.waiting.sql != BEGIN => {
                self.waiting.push("COMMIT", vec![]);
                let (sql, args) = self.waiting.take();
                lite.exec(&sql, args).await?;
                lite.begun = false;
            }
            Inner::Sqlite(_) => {}
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

    /// Takes everything back; the connection is good for the next. Dropping does the same at the price of a new one.
    pub async fn roll_back(self) {
        match self.inner {
            Inner::Sqlite(mut lite) if lite.begun => {
                lite.begun = lite.exec("ROLLBACK", vec![]).await.is_err();
            }
            Inner::Sqlite(_) => {}
            Inner::Postgres(tx) => _ = in_time(tx.rollback()).await,
        }
    }
}

impl Lite {
    async fn exec(&mut self, sql: &str, args: Args) -> Result<SqliteQueryResult, StoreError> {
        let conn = self.turn.conn().await?;
        self.begun = true;
        Ok(bind_sqlite(sqlx::query(AssertSqlSafe(sql)), args).execute(conn).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::shift;

    #[test]
    fn placeholders_move_and_nothing_else_does() {
        let mut out = String::from("A $1; ");
        shift(&mut out, "SELECT '$.a', $1, $12 WHERE x = $1", 3);
        assert_eq!(out, "A $1; SELECT '$.a', $4, $15 WHERE x = $4");
    }
}
