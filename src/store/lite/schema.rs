//! Which schema a file has, and how it gets the next.

use rusqlite::params;

use super::Lite;
use crate::store::StoreError;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations(version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, \
    execution_time BIGINT NOT NULL)";

impl Lite {
    /// Version and checksum of every schema file that was applied, oldest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::store) fn applied(&self) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let sql = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
        let mut statement = match self.file.prepare(sql) {
            Ok(statement) => statement,
            Err(e) if e.to_string().contains("no such table") => return Ok(vec![]),
            Err(e) => return Err(e.into()),
        };
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether it has any table.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(in crate::store) fn has_tables(&self) -> Result<bool, StoreError> {
        let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name <> '_sqlx_migrations'";
        Ok(self.file.query_row(sql, [], |r| r.get::<_, i64>(0))? > 0)
    }

    /// Applies one schema file, whole or not at all.
    ///
    /// # Errors
    /// When SQLite refuses it.
    pub(in crate::store) fn apply(
        &self,
        version: i64,
        description: &str,
        sql: &str,
        checksum: &[u8],
    ) -> Result<(), StoreError> {
        let began = std::time::Instant::now();
        self.file.busy_timeout(super::run::BUSY)?;
        let done = (|| {
            let tx = rusqlite::Transaction::new_unchecked(&self.file, rusqlite::TransactionBehavior::Immediate)?;
            tx.execute_batch(TABLE)?;
            tx.execute_batch(sql)?;
            tx.execute(
                "INSERT INTO _sqlx_migrations(version, description, success, checksum, execution_time) VALUES (?1, ?2, 1, ?3, ?4)",
                params![version, description, checksum, began.elapsed().as_nanos() as i64],
            )?;
            tx.commit()
        })();
        self.file.busy_timeout(std::time::Duration::ZERO)?;
        Ok(done?)
    }
}
