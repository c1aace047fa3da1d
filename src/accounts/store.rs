//! Accounts, people and decisions in the store.

use serde::de::DeserializeOwned;

use super::model::{Account, Person};
use crate::args;
use crate::clock::Millis;
use crate::store::{Row, Store, StoreError, Tx};

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Value(format!("account or person: {e}")))
}

fn text<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
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

/// A decision about a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The finding.
    pub finding: String,
    /// The account.
    pub account: String,
    /// `freeze`, `keep`, `ask`
    pub decision: String,
    /// Why.
    pub reason: String,
    /// Until when it holds.
    pub until: Option<Millis>,
    /// Who decided.
    pub actor: String,
    /// When.
    pub at: Millis,
}

fn read_decision(r: &Row<'_>) -> Result<Decision, StoreError> {
    Ok(Decision {
        finding: r.get(0)?,
        account: r.get(1)?,
        decision: r.get(2)?,
        reason: r.get(3)?,
        until: r.get(4)?,
        actor: r.get(5)?,
        at: r.get(6)?,
    })
}

/// Every decision.
///
/// # Errors
/// When the store does not answer.
pub async fn decisions(store: &Store) -> Result<Vec<Decision>, StoreError> {
    store
        .rows(
            "SELECT finding, account, decision, reason, until, actor, at FROM account_decision ORDER BY at",
            vec![],
            read_decision,
        )
        .await
}

/// Replaces the accounts of a system; how many there were before.
pub(super) async fn replace_accounts(
    tx: &mut Tx,
    system: &str,
    all: &[Account],
    now: Millis,
) -> Result<u64, StoreError> {
    let before = tx.exec("DELETE FROM account WHERE system = $1", args![system]).await?;
    let rows =
        all.iter().map(|a| Ok(args![system, a.account.as_str(), text(a)?, now])).collect::<Result<_, StoreError>>()?;
    tx.insert_many("INSERT INTO account(system, account, data, seen_at) VALUES", rows, "").await?;
    Ok(before)
}

/// Replaces the roster; how many people there were before.
pub(super) async fn replace_people(tx: &mut Tx, all: &[Person], now: Millis) -> Result<u64, StoreError> {
    let before = tx.exec("DELETE FROM person", args![]).await?;
    let rows = all.iter().map(|p| Ok(args![p.person.as_str(), text(p)?, now])).collect::<Result<_, StoreError>>()?;
    tx.insert_many("INSERT INTO person(person, data, seen_at) VALUES", rows, "").await?;
    Ok(before)
}

/// Writes a decision, or with `None` takes it back; what was decided before.
pub(super) async fn decide(
    tx: &mut Tx,
    finding: &str,
    decision: Option<&Decision>,
) -> Result<Option<Decision>, StoreError> {
    let before = tx
        .row(
            "SELECT finding, account, decision, reason, until, actor, at FROM account_decision WHERE finding = $1",
            args![finding],
            read_decision,
        )
        .await?;
    tx.exec("DELETE FROM account_decision WHERE finding = $1", args![finding]).await?;
    if let Some(d) = decision {
        tx.exec(
            "INSERT INTO account_decision(finding, account, decision, reason, until, actor, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![finding, d.account.as_str(), d.decision.as_str(), d.reason.as_str(), d.until, d.actor.as_str(), d.at],
        )
        .await?;
    }
    Ok(before)
}
