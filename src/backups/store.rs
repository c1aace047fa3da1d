//! Systems and their backups in the store.

use super::model::Backup;
use crate::args;
use crate::store::{Store, StoreError, Tx};

/// A system that is backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct System {
    /// Its name.
    pub name: String,
    /// `restic`, `borg`, `pgbackrest`
    pub tool: String,
    /// Where its backups are.
    pub repository: Option<String>,
    /// Where their off-site copy is.
    pub offsite_repository: Option<String>,
}

/// Every system, by name.
///
/// # Errors
/// When the store does not answer.
pub async fn systems(store: &Store) -> Result<Vec<System>, StoreError> {
    store
        .rows("SELECT name, tool, repository, offsite_repository FROM backup_system ORDER BY name", vec![], |r| {
            Ok(System { name: r.get(0)?, tool: r.get(1)?, repository: r.get(2)?, offsite_repository: r.get(3)? })
        })
        .await
}

/// The backups of a system.
///
/// # Errors
/// When the store does not answer.
pub async fn backups(store: &Store, system: &str) -> Result<Vec<Backup>, StoreError> {
    store
        .rows(
            "SELECT id, started_at, is_full, failed, bytes, offsite FROM backup WHERE system = $1 ORDER BY started_at",
            args![system],
            |r| {
                Ok(Backup {
                    id: r.get(0)?,
                    started_at: r.get(1)?,
                    is_full: r.get(2)?,
                    failed: r.get(3)?,
                    bytes: r.get(4)?,
                    offsite: r.get(5)?,
                })
            },
        )
        .await
}

pub(super) async fn put_system(tx: &mut Tx, s: &System) -> Result<(), StoreError> {
    tx.exec(
        "INSERT INTO backup_system(name, tool, repository, offsite_repository) VALUES ($1, $2, $3, $4) ON CONFLICT(name) DO UPDATE \
         SET tool = excluded.tool, repository = coalesce(excluded.repository, backup_system.repository), \
         offsite_repository = coalesce(excluded.offsite_repository, backup_system.offsite_repository)",
        args![s.name.as_str(), s.tool.as_str(), s.repository.clone(), s.offsite_repository.clone()],
    )
    .await?;
    Ok(())
}

pub(super) async fn tool_of(tx: &mut Tx, system: &str) -> Result<Option<String>, StoreError> {
    tx.row("SELECT tool FROM backup_system WHERE name = $1", args![system], |r| r.get(0)).await
}

/// Adds the backups that are not there yet; how many.
pub(super) async fn add(tx: &mut Tx, system: &str, offsite: bool, all: &[Backup]) -> Result<u64, StoreError> {
    let rows =
        all.iter().map(|b| args![system, b.id.as_str(), offsite, b.started_at, b.is_full, b.failed, b.bytes]).collect();
    tx.insert_many(
        "INSERT INTO backup(system, id, offsite, started_at, is_full, failed, bytes) VALUES",
        rows,
        "ON CONFLICT DO NOTHING",
    )
    .await
}
