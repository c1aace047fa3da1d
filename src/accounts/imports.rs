//! A file against what is known: what is new, changed, gone or kept, written with the way back.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::model::{Account, BadRow, Feed, Person};
use super::store::{feed, parse, text};
use crate::args;
use crate::clock::Millis;
use crate::store::{StoreError, Tx};

/// What a file holds: accounts of a system, or people.
pub(super) trait Subject: Serialize + DeserializeOwned + PartialEq + Send + Sync {
    /// What names it.
    fn key(&self) -> &str;
    /// How it stands, in one word, for the history.
    fn state(&self) -> &'static str;
}

impl Subject for Account {
    fn key(&self) -> &str {
        &self.account
    }
    fn state(&self) -> &'static str {
        self.state_word()
    }
}

impl Subject for Person {
    fn key(&self) -> &str {
        &self.person
    }
    fn state(&self) -> &'static str {
        ""
    }
}

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub new: usize,
    pub changed: usize,
    pub gone: usize,
    /// Not in the file, or not legible in it, and kept as they were known.
    pub kept: usize,
}

/// One row of the history: what names it, before, after, how it stands.
type Change = (String, Option<String>, Option<String>, &'static str);

/// The rows of the table of `system` (empty: the roster).
async fn known<T: Subject>(tx: &mut Tx, system: &str) -> Result<HashMap<String, T>, StoreError> {
    let (sql, args) = match system {
        "" => ("SELECT data FROM person", args![]),
        _ => ("SELECT data FROM account WHERE system = $1", args![system]),
    };
    let all: Vec<T> = tx.rows(sql, args, |r| parse(&r.get::<String>(0)?)).await?;
    Ok(all.into_iter().map(|t| (t.key().to_owned(), t)).collect())
}

/// How many rows the last file had, read or not; without one, how many are known.
pub(super) async fn last_size(tx: &mut Tx, system: &str) -> Result<usize, StoreError> {
    if let Some(feed) = feed(tx, system).await? {
        return Ok(feed.rows + feed.bad.len());
    }
    let sql = match system {
        "" => "SELECT CAST(count(*) AS BIGINT) FROM person WHERE '' = $1",
        _ => "SELECT CAST(count(*) AS BIGINT) FROM account WHERE system = $1",
    };
    let n = tx.row(sql, args![system], |r| r.get::<i64>(0)).await?;
    Ok(usize::try_from(n.unwrap_or(0)).unwrap_or(0))
}

/// Takes a file in: `this` says of what, when, by whom, with which bad rows. The import's number, and what it did.
pub(super) async fn take_in<T: Subject>(tx: &mut Tx, this: &Feed, all: &[T]) -> Result<(i64, Counts), StoreError> {
    let mut old: HashMap<String, T> = known(tx, &this.system).await?;
    let mut counts = Counts::default();
    let mut changes: Vec<Change> = Vec::new();
    for thing in all {
        match old.remove(thing.key()) {
            Some(before) if before == *thing => {}
            before => {
                let before = before.map(|b| text(&b)).transpose()?;
                *(if before.is_some() { &mut counts.changed } else { &mut counts.new }) += 1;
                changes.push((thing.key().to_owned(), before, Some(text(thing)?), thing.state()));
            }
        }
    }
    // a row that could not be read must not make what it is about disappear; one that does not even say what it is
    // about may be about any of those that are missing
    let named: HashSet<&str> = this.bad.iter().map(|b| b.key.as_str()).collect();
    for (key, before) in old {
        if named.contains(key.as_str()) || named.contains("") {
            counts.kept += 1;
        } else {
            counts.gone += 1;
            changes.push((key, Some(text(&before)?), None, "gone"));
        }
    }
    changes.sort_unstable();
    let id = tx
        .row(
            "INSERT INTO account_import(system, at, actor, rows_read, bad, fields, groups_named) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
            args![
                this.system.as_str(),
                this.at,
                this.actor.as_str(),
                all.len(),
                text::<Vec<BadRow>>(&this.bad)?,
                text(&this.fields)?,
                text(&this.groups)?
            ],
            |r| r.get::<i64>(0),
        )
        .await?
        .ok_or_else(|| StoreError::Value("the import got no number".into()))?;
    write(tx, &this.system, changes.iter().map(|c| (c.0.as_str(), c.2.as_deref())), this.at).await?;
    let rows = changes
        .into_iter()
        .map(|(key, before, after, state)| args![id, this.system.as_str(), key, before, after, state])
        .collect();
    tx.insert_many("INSERT INTO account_change(import_id, system, subject, before, after, state) VALUES", rows, "")
        .await?;
    Ok((id, counts))
}

/// Sets what is known of each subject; `None`: it is gone.
async fn write<'a>(
    tx: &mut Tx,
    system: &str,
    all: impl Iterator<Item = (&'a str, Option<&'a str>)> + Clone,
    now: Millis,
) -> Result<(), StoreError> {
    for (key, _) in all.clone().filter(|(_, data)| data.is_none()) {
        match system {
            "" => tx.exec("DELETE FROM person WHERE person = $1", args![key]).await?,
            _ => tx.exec("DELETE FROM account WHERE system = $1 AND account = $2", args![system, key]).await?,
        };
    }
    let there = all.filter_map(|(key, data)| data.map(|d| (key, d)));
    if system.is_empty() {
        let rows = there.map(|(key, data)| args![key, data, now]).collect();
        let tail = "ON CONFLICT (person) DO UPDATE SET data = excluded.data, seen_at = excluded.seen_at";
        tx.insert_many("INSERT INTO person(person, data, seen_at) VALUES", rows, tail).await?;
    } else {
        let rows = there.map(|(key, data)| args![system, key, data, now]).collect();
        let tail = "ON CONFLICT (system, account) DO UPDATE SET data = excluded.data, seen_at = excluded.seen_at";
        tx.insert_many("INSERT INTO account(system, account, data, seen_at) VALUES", rows, tail).await?;
    }
    Ok(())
}

/// Whether an import was taken back, and of which system it is; none: there is no such import.
pub(super) async fn find(tx: &mut Tx, id: i64) -> Result<Option<(String, bool)>, StoreError> {
    tx.row("SELECT system, undone_at FROM account_import WHERE id = $1", args![id], |r| {
        Ok((r.get(0)?, r.get::<Option<i64>>(1)?.is_some()))
    })
    .await
}

/// Puts everything back as it was before import `id`, or with `again` as it was after it.
pub(super) async fn restore(tx: &mut Tx, id: i64, system: &str, again: bool, now: Millis) -> Result<usize, StoreError> {
    let sides = tx
        .rows(
            "SELECT subject, before, after FROM account_change WHERE import_id = $1 ORDER BY subject",
            args![id],
            |r| Ok((r.get::<String>(0)?, r.get::<Option<String>>(if again { 2 } else { 1 })?)),
        )
        .await?;
    write(tx, system, sides.iter().map(|(key, data)| (key.as_str(), data.as_deref())), now).await?;
    let undone = (!again).then_some(now);
    tx.exec("UPDATE account_import SET undone_at = $1 WHERE id = $2", args![undone, id]).await?;
    Ok(sides.len())
}
