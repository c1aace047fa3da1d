//! Holiday lists that were imported, and the versions of the office calendar.

use std::sync::Arc;

use crate::args;
use crate::calendar::HolidayList;
use crate::clock::Millis;
use crate::config::Tickets;
use crate::store::{Row, Store, StoreError, Tx};
use crate::tickets::model::{self, office_rules};
use crate::tickets::sla::Policy;

/// An imported list, and who brought it when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// The list.
    pub list: HolidayList,
    /// When it was imported.
    pub at: Millis,
    /// By whom.
    pub actor: String,
    /// From which file.
    pub source: String,
}

/// A version of the office calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// From 1.
    pub version: i64,
    /// [`crate::calendar::Rules::digest`] of its rules.
    pub digest: String,
    /// When something was first counted by it.
    pub at: Millis,
    /// Its rules in words.
    pub rules: String,
}

const LISTS: &str = "SELECT year, days, at, actor, source FROM holiday_list ORDER BY year";
const BY_DIGEST: &str = "SELECT version FROM calendar_version WHERE digest = $1";

fn read_list(r: &Row<'_>) -> Result<ListRow, StoreError> {
    let days: String = r.get(1)?;
    let list = HolidayList::parse(&days).map_err(|e| StoreError::Value(format!("holiday_list.days: {e}")))?;
    Ok(ListRow { list, at: r.get(2)?, actor: r.get(3)?, source: r.get(4)? })
}

fn lists_of(rows: Vec<ListRow>) -> Vec<HolidayList> {
    rows.into_iter().map(|row| row.list).collect()
}

/// The imported lists by year.
///
/// # Errors
/// When the store does not answer.
pub async fn holiday_lists(store: &Store) -> Result<Vec<ListRow>, StoreError> {
    store.rows(LISTS, vec![], read_list).await
}

/// The versions of the calendar, newest first.
///
/// # Errors
/// When the store does not answer.
pub async fn versions(store: &Store) -> Result<Vec<Version>, StoreError> {
    store
        .rows("SELECT version, digest, at, rules FROM calendar_version ORDER BY version DESC", vec![], |r| {
            Ok(Version { version: r.get(0)?, digest: r.get(1)?, at: r.get(2)?, rules: r.get(3)? })
        })
        .await
}

/// The policy in force, for reading; version 0 when nothing has been counted by this calendar yet.
///
/// # Errors
/// When the store does not answer.
pub async fn policy(store: &Store, config: &Tickets) -> Result<Arc<Policy>, StoreError> {
    let lists = lists_of(holiday_lists(store).await?);
    let digest = office_rules(config, &lists).digest();
    let version = store.row(BY_DIGEST, args![digest], |r| r.get(0)).await?.unwrap_or(0);
    Ok(model::policy(config, &lists, version))
}

/// Whether open tickets were counted by another calendar than the one in force.
///
/// # Errors
/// When the store does not answer.
pub async fn is_recount_due(store: &Store, config: &Tickets) -> Result<bool, StoreError> {
    let version = policy(store, config).await?.version;
    let sql = "SELECT (SELECT count(*) FROM calendar_version), (SELECT version FROM calendar_pass WHERE done)";
    let found = store.row(sql, vec![], |r| Ok((r.get::<i64>(0)?, r.get::<Option<i64>>(1)?))).await?;
    let (versions, counted) = found.unwrap_or((0, None));
    // the first calendar is the one that everything was counted by
    Ok(versions > 0 && version != counted.unwrap_or(1))
}

/// The number of a calendar by its digest, and how many lists were imported: one row, and one question where nothing
/// was imported, which is the rule.
const IN_FORCE: &str =
    "SELECT (SELECT version FROM calendar_version WHERE digest = $1), (SELECT count(*) FROM holiday_list)";

/// The policy in force, for an action: a calendar that is seen for the first time gets its number.
pub(in crate::tickets) async fn terms(tx: &mut Tx, config: &Tickets, now: Millis) -> Result<Arc<Policy>, StoreError> {
    let (mut lists, mut rules) = (vec![], office_rules(config, &[]));
    let found = tx.row(IN_FORCE, args![rules.digest()], |r| Ok((r.get::<Option<i64>>(0)?, r.get::<i64>(1)?))).await?;
    let (mut known, imported) = found.unwrap_or((None, 0));
    if imported > 0 {
        lists = lists_of(tx.rows(LISTS, vec![], read_list).await?);
        rules = office_rules(config, &lists);
        known = tx.row(BY_DIGEST, args![rules.digest()], |r| r.get::<i64>(0)).await?;
    }
    let version = match known {
        Some(version) => version,
        None => {
            let sql = "INSERT INTO calendar_version(version, digest, at, rules) \
                SELECT CAST(coalesce(max(version), 0) + 1 AS BIGINT), $1, $2, $3 FROM calendar_version RETURNING version";
            tx.row(sql, args![rules.digest(), now, rules.canonical()], |r| r.get::<i64>(0)).await?.unwrap_or(1)
        }
    };
    Ok(model::policy(config, &lists, version))
}

/// Keeps a list in place of an earlier one of its year; whether it says something else.
pub(in crate::tickets) async fn import(
    tx: &mut Tx,
    list: &HolidayList,
    source: &str,
    actor: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO holiday_list(year, days, at, actor, source) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (year) DO UPDATE \
        SET days = excluded.days, at = excluded.at, actor = excluded.actor, source = excluded.source WHERE holiday_list.days <> excluded.days";
    Ok(tx.exec(sql, args![list.year, list.to_json().to_string(), now, actor, source]).await? > 0)
}

/// How far open tickets have been counted anew: calendar version, last ticket, whether that was all of them.
pub(in crate::tickets) async fn pass(tx: &mut Tx) -> Result<Option<(i64, i64, bool)>, StoreError> {
    tx.row("SELECT version, upto, done FROM calendar_pass", vec![], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).await
}

/// Notes how far.
pub(in crate::tickets) async fn set_pass(tx: &mut Tx, version: i64, upto: i64, done: bool) -> Result<(), StoreError> {
    let sql = "INSERT INTO calendar_pass(row_id, version, upto, done) VALUES (1, $1, $2, $3) \
        ON CONFLICT (row_id) DO UPDATE SET version = excluded.version, upto = excluded.upto, done = excluded.done";
    tx.exec(sql, args![version, upto, done]).await?;
    Ok(())
}
