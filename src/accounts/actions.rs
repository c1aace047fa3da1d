//! What can be done to accounts here: take files in, decide on findings. The directory itself is changed elsewhere.

use serde_json::json;

use super::model::{Account, Person};
use super::store::{self, Decision};
use crate::action::{Action, ActionError, Apply, BoxFuture, Done, Role};
use crate::clock::{Millis, rfc3339};
use crate::locale::accounts as say;

/// A file that holds this much less than the last is refused unless forced.
const GUARD_PERCENT: u64 = 10;

fn guard(before: u64, now: usize, force: bool) -> Result<(), ActionError> {
    let least = before - before * GUARD_PERCENT / 100;
    if !force && (now as u64) < least { Err(ActionError::Invalid(say::shrank(before, now))) } else { Ok(()) }
}

/// Takes all accounts of a system in.
#[derive(Debug)]
pub struct ImportAccounts {
    /// The system.
    pub system: String,
    /// Its accounts.
    pub accounts: Vec<Account>,
    /// Rows that could not be read.
    pub bad: usize,
    /// Even if it is much shorter than the last file.
    pub force: bool,
}

impl Action for ImportAccounts {
    fn verb(&self) -> &'static str {
        "account.import"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let mut names: Vec<&str> = self.accounts.iter().map(|a| a.account.as_str()).collect();
            names.sort_unstable();
            if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
                return Err(ActionError::Invalid(say::twice(twice[0])));
            }
            let before = store::replace_accounts(cx.tx, &self.system, &self.accounts, cx.now).await?;
            guard(before, self.accounts.len(), self.force)?;
            let value = json!({"system": self.system, "accounts": self.accounts.len(), "bad_rows": self.bad});
            Ok(Done::new("account", &self.system, say::imported(&self.system, self.accounts.len(), self.bad))
                .detail(value.clone())
                .value(value))
        })
    }
}

/// Takes the HR roster in.
#[derive(Debug)]
pub struct ImportRoster {
    /// Everybody.
    pub people: Vec<Person>,
    /// Rows that could not be read.
    pub bad: usize,
    /// Even if it is much shorter than the last file.
    pub force: bool,
}

impl Action for ImportRoster {
    fn verb(&self) -> &'static str {
        "account.hr"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            let mut names: Vec<&str> = self.people.iter().map(|p| p.person.as_str()).collect();
            names.sort_unstable();
            if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
                return Err(ActionError::Invalid(say::twice(twice[0])));
            }
            let before = store::replace_people(cx.tx, &self.people, cx.now).await?;
            guard(before, self.people.len(), self.force)?;
            let value = json!({"people": self.people.len(), "bad_rows": self.bad});
            Ok(Done::new("account", "hr", say::roster(self.people.len(), self.bad)).detail(value.clone()).value(value))
        })
    }
}

/// Decides on a finding; `None` takes the decision back.
#[derive(Debug, Clone)]
pub struct Decide {
    /// The finding.
    pub finding: String,
    /// The account it is about.
    pub account: String,
    /// `freeze`, `keep` or `ask`, why, and until when.
    pub decision: Option<(String, String, Option<Millis>)>,
}

impl Action for Decide {
    fn verb(&self) -> &'static str {
        "account.decide"
    }
    fn needs(&self) -> Role {
        Role::Operator
    }
    fn apply<'a>(&'a self, cx: &'a mut Apply<'_>) -> BoxFuture<'a, Result<Done, ActionError>> {
        Box::pin(async move {
            if let Some((decision, reason, until)) = &self.decision {
                if !["freeze", "keep", "ask"].contains(&decision.as_str()) {
                    return Err(ActionError::Invalid(say::decisions()));
                }
                if reason.trim().is_empty() {
                    return Err(ActionError::Invalid(say::needs_reason()));
                }
                if decision == "keep" && until.is_none_or(|u| u <= cx.now) {
                    return Err(ActionError::Invalid(say::needs_review()));
                }
            }
            let decided = self.decision.clone().map(|(decision, reason, until)| Decision {
                finding: self.finding.clone(),
                account: self.account.clone(),
                decision,
                reason,
                until,
                actor: cx.actor.name.clone(),
                at: cx.now,
            });
            let before = store::decide(cx.tx, &self.finding, decided.as_ref()).await?;
            let undo = Self {
                finding: self.finding.clone(),
                account: self.account.clone(),
                decision: before.map(|b| (b.decision, b.reason, b.until)),
            };
            let word = decided.as_ref().map_or("none", |d| d.decision.as_str()).to_owned();
            // a file cannot freeze anybody: until an import shows the account disabled the freeze is only instructed
            let state = if word == "freeze" { "instructed" } else { "decided" };
            let value = json!({
                "id": self.finding, "account": self.account, "decision": word, "state": state,
                "reason": decided.as_ref().map(|d| &d.reason), "until": decided.as_ref().and_then(|d| d.until).map(rfc3339),
            });
            Ok(Done::new("account", &self.account, say::decided(&self.account, &word))
                .undo(undo)
                .detail(value.clone())
                .value(value))
        })
    }
}
