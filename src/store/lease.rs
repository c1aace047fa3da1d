//! The lease: periodic work runs in exactly one process.

use super::{Store, StoreError};
use crate::args;
use crate::clock::{Millis, SECOND};

/// How long a lease lasts without being renewed; another process takes over after it.
pub const TERM: Millis = 10 * SECOND;

impl Store {
    /// Takes or renews the lease `name` for `holder` until `now` + [`TERM`]; whether `holder` has it now.
    ///
    /// A lease further ahead than a term and a half was written by a clock that has since been set back: it is taken.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn hold_lease(&self, name: &str, holder: &str, now: Millis) -> Result<bool, StoreError> {
        let mut tx = self.begin_measure().await?;
        let changed = tx
            .exec(
                "INSERT INTO lease(name, holder, until) VALUES ($1, $2, $3) ON CONFLICT(name) DO UPDATE \
                 SET holder = excluded.holder, until = excluded.until \
                 WHERE lease.holder = excluded.holder OR lease.until < $4 OR lease.until > $5",
                args![name, holder, now + TERM, now, now + TERM + TERM / 2],
            )
            .await?;
        tx.commit().await?;
        Ok(changed == 1)
    }

    /// Gives the lease up, so that another process need not wait for its end.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn release_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let mut tx = self.begin_measure().await?;
        tx.exec("DELETE FROM lease WHERE name = $1 AND holder = $2", args![name, holder]).await?;
        tx.commit().await
    }
}
