//! Statements on SQLite: at once where they are short, aside where they are not.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, ErrorCode, ToSql};

use super::{Held, Lite, Turn, micros};
use crate::store::{Args, StoreError, Val};

/// How long a query may hold up the thread that asks; after that it is begun again on a thread of its own. Long enough for
/// a search, short enough for whoever waits behind it.
const AT_ONCE: Duration = Duration::from_millis(8);
/// Longest a query may take.
const LONGEST: Duration = Duration::from_secs(15);
/// Longest wait for another writer.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(25);
/// A longer statement is not kept ready: made for so many rows, it takes more memory than it saves time.
pub(in crate::store) const LONG: usize = 4_096;

/// What a query gave.
#[derive(Debug)]
pub(in crate::store) struct Table {
    columns: Vec<String>,
    cells: Vec<Value>,
}

/// One row of it.
#[derive(Debug, Clone, Copy)]
pub struct TableRow<'a> {
    columns: &'a [String],
    cells: &'a [Value],
}

impl Table {
    pub(in crate::store) fn rows(&self) -> impl Iterator<Item = TableRow<'_>> {
        // a statement without columns gives no rows either
        self.cells.chunks_exact(self.columns.len().max(1)).map(|cells| TableRow { columns: &self.columns, cells })
    }
}

impl<'a> TableRow<'a> {
    /// The cell of column `index`, counted from 0.
    pub(in crate::store) fn cell(&self, index: usize) -> Option<ValueRef<'a>> {
        self.cells.get(index).map(ValueRef::from)
    }

    pub(in crate::store) fn column(&self, index: usize) -> &'a str {
        self.columns.get(index).map_or("?", String::as_str)
    }
}

impl ToSql for Val {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(v)) => ValueRef::Integer(*v),
            Self::Float(Some(v)) => ValueRef::Real(*v),
            Self::Bool(Some(v)) => ValueRef::Integer(i64::from(*v)),
            Self::Text(Some(v)) => ValueRef::Text(v.as_bytes()),
            Self::Bytes(Some(v)) => ValueRef::Blob(v),
            Self::Int(None) | Self::Float(None) | Self::Bool(None) | Self::Text(None) | Self::Bytes(None) => {
                ValueRef::Null
            }
        }))
    }
}

fn is(error: &rusqlite::Error, code: ErrorCode) -> bool {
    error.sqlite_error_code() == Some(code)
}

impl Lite {
    /// `sql` with its arguments: `$N` is the Nth of them, `?` the next.
    fn ready(&self, sql: &str, args: &Args) -> rusqlite::Result<CachedStatement<'_>> {
        // making a statement may read the schema
        self.until.store(u64::MAX, Ordering::Relaxed);
        let mut statement = self.file.prepare_cached(sql)?;
        for place in 1..=statement.parameter_count() {
            let number = statement.parameter_name(place).and_then(|name| name[1..].parse::<usize>().ok());
            let number = number.unwrap_or(place);
            let Some(arg) = args.get(number.wrapping_sub(1)) else {
                return Err(rusqlite::Error::InvalidParameterCount(args.len(), number));
            };
            statement.raw_bind_parameter(place, arg)?;
        }
        Ok(statement)
    }

    /// Runs a statement and says how many rows it changed.
    fn exec(&self, sql: &str, args: &Args) -> rusqlite::Result<u64> {
        let mut statement = self.ready(sql, args)?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        drop(rows);
        if sql.len() > LONG {
            statement.discard();
        }
        Ok(self.file.changes())
    }

    /// At most `limit` rows of a query; one that only reads is given up after `within`.
    fn query(&self, sql: &str, args: &Args, limit: usize, within: Duration) -> rusqlite::Result<Table> {
        let mut statement = self.ready(sql, args)?;
        if statement.readonly() {
            self.until.store(micros() + within.as_micros() as u64, Ordering::Relaxed);
        }
        let columns: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut cells = Vec::new();
        let mut rows = statement.raw_query();
        let mut left = limit;
        while left > 0
            && let Some(row) = rows.next()?
        {
            left -= 1;
            for column in 0..columns.len() {
                cells.push(row.get(column)?);
            }
        }
        Ok(Table { columns, cells })
    }

    /// A number that moves when another connection has changed the file.
    pub(in crate::store) fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.file.prepare_cached("PRAGMA data_version")?.query_row([], |r| r.get(0))?)
    }
}

/// Lets others have the thread: nothing that SQLite does would.
async fn breathe(since: Instant) {
    if since.elapsed() > Duration::from_millis(1) {
        tokio::task::yield_now().await;
    } else {
        tokio::task::coop::consume_budget().await;
    }
}

impl Turn {
    /// The connection, made where it is not there.
    ///
    /// # Errors
    /// When the file cannot be opened, or the store was closed.
    pub(in crate::store) fn lite(&mut self) -> Result<&Lite, StoreError> {
        self.held.as_mut().ok_or_else(super::closed)?.lite(&self.path, self.kind)
    }

    /// Does `work` on this thread, again where another writer was in the way.
    async fn at_once<T>(
        &mut self,
        mut work: impl FnMut(&Lite) -> rusqlite::Result<T>,
    ) -> Result<rusqlite::Result<T>, StoreError> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            let tried = Instant::now();
            let done = work(self.lite()?);
            match done {
                Err(e) if is(&e, ErrorCode::DatabaseBusy) && began.elapsed() < BUSY => {
                    let jitter = Duration::from_micros(fastrand::u64(0..=pause.as_micros() as u64 / 4));
                    tokio::time::sleep(pause + jitter).await;
                    pause = (pause * 2).min(PAUSE);
                }
                done => {
                    breathe(tried).await;
                    return Ok(done);
                }
            }
        }
    }

    /// Does `work` on a thread of its own.
    async fn aside<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Lite) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let mut held: Held = self.held.take().ok_or_else(super::closed)?;
        let (path, kind) = (self.path.clone(), self.kind);
        let done = tokio::task::spawn_blocking(move || {
            let done = held.lite(&path, kind).and_then(|lite| Ok(work(lite)?));
            (held, done)
        });
        let (held, done) = done.await.map_err(|e| StoreError::Refused(e.to_string()))?;
        self.held = Some(held);
        done
    }

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// When the file cannot be opened or another writer does not end, or SQLite refuses the statement.
    pub(in crate::store) async fn exec(&mut self, sql: &str, args: &Args) -> Result<u64, StoreError> {
        Ok(self.at_once(|lite| lite.exec(sql, args)).await??)
    }

    /// As [`Turn::exec`], for a statement that may take long, within a transaction.
    ///
    /// # Errors
    /// As [`Turn::exec`].
    pub(in crate::store) async fn exec_aside(&mut self, sql: &str, args: Args) -> Result<u64, StoreError> {
        let sql = sql.to_owned();
        self.aside(move |lite| lite.exec(&sql, &args)).await
    }

    /// At most `limit` rows of a query.
    ///
    /// # Errors
    /// As [`Turn::exec`], and when the query takes too long.
    pub(in crate::store) async fn query(&mut self, sql: &str, args: Args, limit: usize) -> Result<Table, StoreError> {
        match self.at_once(|lite| lite.query(sql, &args, limit, AT_ONCE)).await? {
            Err(e) if is(&e, ErrorCode::OperationInterrupted) => {
                let sql = sql.to_owned();
                self.aside(move |lite| lite.query(&sql, &args, limit, LONGEST)).await
            }
            done => Ok(done?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Slot, Use};
    use super::*;

    fn slot() -> (tempfile::TempDir, Slot) {
        let dir = tempfile::tempdir().expect("folder");
        let slot = Slot::new(&dir.path().join("z.db"), Use::Write);
        (dir, slot)
    }

    const COUNT: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT count(*) FROM n";

    #[tokio::test]
    async fn arguments_go_by_their_number_and_question_marks_by_their_order() {
        let (_dir, slot) = slot();
        let mut turn = slot.lend().await.expect("lent");
        let text = |table: &Table| table.rows().next().expect("a row").cell(0).map(Value::try_from);
        let table = turn.query("SELECT $2 || $1 || $2", crate::args!["a", "b"], 1).await.expect("rows");
        assert_eq!(text(&table), Some(Ok(Value::Text("bab".into()))));
        let table = turn.query("SELECT ? || ?", crate::args!["a", "b"], 1).await.expect("rows");
        assert_eq!(text(&table), Some(Ok(Value::Text("ab".into()))));
        let missing = turn.query("SELECT $2", crate::args!["a"], 1).await.expect_err("refused");
        assert!(matches!(missing, StoreError::Refused(_)), "{missing}");
        let two = turn.exec("SELECT 1; SELECT 2", &vec![]).await.expect_err("refused");
        assert!(matches!(two, StoreError::Refused(_)), "{two}");
    }

    #[tokio::test]
    async fn a_long_query_lets_others_have_the_thread_and_answers_whole() {
        let (_dir, slot) = slot();
        let mut turn = slot.lend().await.expect("lent");
        let long = turn.query(COUNT, crate::args![3_000_000], 1);
        let other = async {
            let mut turns = 0;
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                turns += 1;
                tokio::task::yield_now().await;
                if turns == 5 {
                    return;
                }
            }
        };
        tokio::pin!(long);
        tokio::select! {
            biased;
            done = &mut long => panic!("the other task never ran: {done:?}"),
            () = other => {}
        }
        let table = long.await.expect("an answer");
        assert!(matches!(table.rows().next().and_then(|r| r.cell(0)), Some(ValueRef::Integer(3_000_000))));
    }

    #[tokio::test]
    async fn a_query_is_given_up_after_its_time() {
        let (_dir, slot) = slot();
        let mut turn = slot.lend().await.expect("lent");
        let lite = turn.lite().expect("open");
        let began = Instant::now();
        let given_up = lite.query(COUNT, &crate::args![1_000_000_000], 1, AT_ONCE).expect_err("too long");
        assert!(is(&given_up, ErrorCode::OperationInterrupted), "{given_up}");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        // the next has its own time, and a statement that writes is never cut short
        lite.query(COUNT, &crate::args![10], 1, AT_ONCE).expect("quick");
        lite.exec("CREATE TABLE t(n INTEGER)", &vec![]).expect("table");
        let fill = "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i FROM n";
        assert_eq!(lite.exec(fill, &vec![]).expect("filled"), 200_000);
    }

    #[tokio::test]
    async fn what_was_not_committed_is_taken_back_whoever_drops_it() {
        let (_dir, slot) = slot();
        let mut turn = slot.lend().await.expect("lent");
        turn.exec("CREATE TABLE t(n INTEGER)", &vec![]).await.expect("table");
        turn.exec("BEGIN IMMEDIATE", &vec![]).await.expect("begun");
        turn.exec("INSERT INTO t VALUES (1)", &vec![]).await.expect("a row");
        drop(turn);
        let mut turn = slot.lend().await.expect("lent");
        turn.exec("BEGIN IMMEDIATE", &vec![]).await.expect("begun anew");
        {
            let aside = turn.exec_aside("INSERT INTO t VALUES (2)", vec![]);
            tokio::pin!(aside);
            // begun on its thread, and forgotten by who asked
            tokio::select! { biased; _ = &mut aside => {} () = tokio::task::yield_now() => {} }
        }
        drop(turn);
        let mut turn = slot.lend().await.expect("lent again");
        let table = turn.query("SELECT n FROM t", vec![], 9).await.expect("rows");
        assert_eq!(table.rows().count(), 0);
    }

    #[tokio::test]
    async fn another_writer_is_waited_for_without_holding_the_thread() {
        let (_dir, slot) = slot();
        let mut first = slot.lend().await.expect("lent");
        first.exec("BEGIN IMMEDIATE", &vec![]).await.expect("begun");
        let mut second = Slot::new(&slot.path, Use::Measure).lend().await.expect("lent");
        let release = async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            first.exec("COMMIT", &vec![]).await
        };
        let none = vec![];
        // on one thread: a wait inside SQLite would never see the other commit
        let (second, first) = tokio::join!(second.exec("BEGIN IMMEDIATE", &none), release);
        first.expect("committed");
        second.expect("its turn");
    }
}
