//! Accounts, people, imports and decisions as the store holds them.

use std::collections::{HashMap, HashSet};

use serde::de::DeserializeOwned;

use super::decisions::Decision;
use super::model::{Account, Book, Feed, Move, Person};
use crate::args;
use crate::clock::Millis;
use crate::config::Accounts;
use crate::store::{Row, Store, StoreError, Tx};

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Value(format!("account or person: {e}")))
}

pub(super) fn text<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Value(e.to_string()))
}

/// Every account.
///
/// # Errors
/// When the store does not answer or a row cannot be read.
pub async fn accounts(store: &Store) -> Result<Vec<Account>, StoreError> {
    store.rows("SELECT data FROM account ORDER BY system, account", vec![], |r| parse(&r.get::<String>(0)?)).await
}

/// Every person of the roster.
///
/// # Errors
/// When the store does not answer or a row cannot be read.
pub async fn people(store: &Store) -> Result<Vec<Person>, StoreError> {
    store.rows("SELECT data FROM person ORDER BY person", vec![], |r| parse(&r.get::<String>(0)?)).await
}

const IMPORT: &str = "SELECT id, system, at, actor, rows_read, bad, fields, groups_named FROM account_import";

fn read_feed(r: &Row<'_>) -> Result<Feed, StoreError> {
    Ok(Feed {
        id: r.get(0)?,
        system: r.get(1)?,
        at: r.get(2)?,
        actor: r.get(3)?,
        rows: usize::try_from(r.get::<i64>(4)?).unwrap_or(0),
        bad: parse(&r.get::<String>(5)?)?,
        fields: parse(&r.get::<String>(6)?)?,
        groups: parse(&r.get::<String>(7)?)?,
    })
}

/// The last import of each system, and of the roster, that was not taken back.
///
/// # Errors
/// When the store does not answer or a row cannot be read.
pub async fn feeds(store: &Store) -> Result<Vec<Feed>, StoreError> {
    let sql = format!(
        "{IMPORT} WHERE id IN (SELECT max(id) FROM account_import WHERE undone_at IS NULL GROUP BY system) ORDER BY system"
    );
    store.rows(&sql, vec![], read_feed).await
}

/// The last import of `system` (empty: the roster) that was not taken back.
pub(super) async fn feed(tx: &mut Tx, system: &str) -> Result<Option<Feed>, StoreError> {
    let sql = format!("{IMPORT} WHERE system = $1 AND undone_at IS NULL ORDER BY id DESC LIMIT 1");
    tx.row(&sql, args![system], read_feed).await
}

/// Everything an audit looks at.
///
/// # Errors
/// When the store does not answer or a row cannot be read.
pub async fn book(store: &Store, rules: &Accounts) -> Result<Book, StoreError> {
    let mut book = Book {
        accounts: accounts(store).await?,
        people: people(store).await?,
        feeds: feeds(store).await?,
        ..Book::default()
    };
    let changes = store
        .rows(
            "SELECT c.subject, c.before, c.after, i.at FROM account_change c JOIN account_import i ON i.id = c.import_id \
             WHERE c.system = '' AND c.before IS NOT NULL AND i.undone_at IS NULL ORDER BY i.id",
            vec![],
            |r| Ok((r.get::<String>(0)?, r.get::<String>(1)?, r.get::<Option<String>>(2)?, r.get::<i64>(3)?)),
        )
        .await?;
    for (person, before, after, at) in changes {
        let Some(after) = after else {
            book.dropped.insert(person, at);
            continue;
        };
        let (before, after): (Person, Person) = (parse(&before)?, parse(&after)?);
        if before.position != after.position {
            book.moves.insert(person, Move { at, from: before.position, to: after.position, held: HashMap::new() });
        }
    }
    if !book.moves.is_empty() && !rules.positions.is_empty() {
        held_at_move(store, &mut book).await?;
    }
    Ok(book)
}

/// What the accounts of those who moved held when they did: what the first import after it replaced, else what they
/// hold now.
async fn held_at_move(store: &Store, book: &mut Book) -> Result<(), StoreError> {
    let grants = |a: &Account| a.grants().cloned().collect::<Vec<_>>();
    for a in &book.accounts {
        if let Some(m) = book.moves.get_mut(&a.person) {
            m.held.insert((a.system.clone(), a.account.clone()), grants(a));
        }
    }
    let changes = store
        .rows(
            "SELECT c.before, i.at FROM account_change c JOIN account_import i ON i.id = c.import_id \
             WHERE c.system <> '' AND c.before IS NOT NULL AND i.undone_at IS NULL ORDER BY i.id",
            vec![],
            |r| Ok((parse::<Account>(&r.get::<String>(0)?)?, r.get::<i64>(1)?)),
        )
        .await?;
    let mut set = HashSet::new();
    for (a, at) in changes {
        let key = (a.system.clone(), a.account.clone());
        if let Some(m) = book.moves.get_mut(&a.person).filter(|m| at > m.at)
            && set.insert(key.clone())
        {
            m.held.insert(key, grants(&a));
        }
    }
    Ok(())
}

const DECISION: &str = "SELECT d.finding, d.system, d.account, d.decision, d.instruction, d.reason, d.until, d.actor, d.at, \
    (SELECT min(i.at) FROM account_change c JOIN account_import i ON i.id = c.import_id \
     WHERE c.system = d.system AND c.subject = d.account AND i.undone_at IS NULL AND i.at >= d.at \
     AND ((d.instruction = 'freeze' AND c.state IN ('disabled', 'bare', 'gone')) \
       OR (d.instruction = 'remove_rights' AND c.state IN ('bare', 'gone')))) \
    FROM account_decision d";

fn read_decision(r: &Row<'_>) -> Result<Decision, StoreError> {
    Ok(Decision {
        finding: r.get(0)?,
        system: r.get(1)?,
        account: r.get(2)?,
        decision: r.get(3)?,
        instruction: r.get(4)?,
        reason: r.get(5)?,
        until: r.get(6)?,
        actor: r.get(7)?,
        at: r.get(8)?,
        done_at: r.get(9)?,
    })
}

/// Every decision, the oldest first.
///
/// # Errors
/// When the store does not answer.
pub async fn decisions(store: &Store) -> Result<Vec<Decision>, StoreError> {
    store.rows(&format!("{DECISION} ORDER BY d.at, d.finding"), vec![], read_decision).await
}

/// The decision about a finding.
pub(super) async fn decision(tx: &mut Tx, finding: &str) -> Result<Option<Decision>, StoreError> {
    tx.row(&format!("{DECISION} WHERE d.finding = $1"), args![finding], read_decision).await
}

/// Whether an account can be logged in to; none: there is no such account.
pub(super) async fn enabled(tx: &mut Tx, system: &str, account: &str) -> Result<Option<bool>, StoreError> {
    tx.row("SELECT data FROM account WHERE system = $1 AND account = $2", args![system, account], |r| {
        Ok(parse::<Account>(&r.get::<String>(0)?)?.enabled)
    })
    .await
}

/// Writes a decision, or with `None` takes it back.
pub(super) async fn decide(tx: &mut Tx, finding: &str, decision: Option<&Decision>) -> Result<(), StoreError> {
    tx.exec("DELETE FROM account_decision WHERE finding = $1", args![finding]).await?;
    if let Some(d) = decision {
        tx.exec(
            "INSERT INTO account_decision(finding, system, account, decision, instruction, reason, until, actor, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            args![
                finding,
                d.system.as_str(),
                d.account.as_str(),
                d.decision.as_str(),
                d.instruction.as_str(),
                d.reason.as_str(),
                d.until,
                d.actor.as_str(),
                d.at
            ],
        )
        .await?;
    }
    Ok(())
}

/// One thing that happened to an account or to its person.
#[derive(Debug, Clone, PartialEq)]
pub enum Past {
    /// An account (`system/name`) before and after an import.
    Account(String, Option<Box<Account>>, Option<Box<Account>>),
    /// A person before and after an import of the roster.
    Person(Option<Box<Person>>, Option<Box<Person>>),
    /// A decision: who decided, and what the journal holds of it.
    Decision(String, serde_json::Value),
}

/// What is known of the past of a person and of `accounts` (system, account), the newest first.
///
/// # Errors
/// When the store does not answer or a row cannot be read.
pub async fn past(
    store: &Store,
    person: &str,
    accounts: &[(String, String)],
) -> Result<Vec<(Millis, Past)>, StoreError> {
    const CHANGES: &str = "SELECT i.at, c.before, c.after FROM account_change c JOIN account_import i ON i.id = c.import_id \
        WHERE c.system = $1 AND c.subject = $2 AND i.undone_at IS NULL ORDER BY i.id DESC LIMIT 50";
    type Sides<T> = (Millis, Option<Box<T>>, Option<Box<T>>);
    fn both<T: DeserializeOwned>(r: &Row<'_>) -> Result<Sides<T>, StoreError> {
        let side = |i| r.get::<Option<String>>(i)?.map(|t| parse(&t).map(Box::new)).transpose();
        Ok((r.get(0)?, side(1)?, side(2)?))
    }
    let mut out = Vec::new();
    if !person.is_empty() {
        let rows = store.rows(CHANGES, args!["", person], both::<Person>).await?;
        out.extend(rows.into_iter().map(|(at, a, b)| (at, Past::Person(a, b))));
    }
    for (system, account) in accounts {
        let rows = store.rows(CHANGES, args![system, account], both::<Account>).await?;
        out.extend(rows.into_iter().map(|(at, a, b)| (at, Past::Account(format!("{system}/{account}"), a, b))));
        let rows = crate::journal::newest(store, Some(("account", account)), 50).await?;
        out.extend(rows.into_iter().filter(|r| r.entry.verb == "account.decide").filter_map(|r| {
            let value: serde_json::Value = serde_json::from_str(&r.entry.detail).ok()?;
            (value["system"] == **system).then_some((r.entry.at, Past::Decision(r.entry.actor, value)))
        }));
    }
    out.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    Ok(out)
}
