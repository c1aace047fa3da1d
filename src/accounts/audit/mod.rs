//! What an audit finds. Pure: the same book at the same instant gives the same findings.

mod account;
mod groups;
mod people;
mod quality;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::model::{Account, Book, Left, Person, left, zone};
use super::rules::{Coverage, Missing, Rule, by_id, coverage, finding_id, rank};
use crate::clock::Millis;
use crate::config::Accounts;

/// Something wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The same finding has it at every audit.
    pub id: String,
    /// The rule that found it.
    pub rule: &'static Rule,
    /// `critical`, `high`, `medium`, `low`, `info`
    pub severity: &'static str,
    /// The account; the person, role or system where it is about one of those.
    pub account: String,
    /// The system; empty where it is about a person or the roster.
    pub system: String,
    /// Whether [`Finding::account`] is an account, which can be frozen.
    pub is_account: bool,
    /// Employee number, where one is known.
    pub person: String,
    /// The person's or account's name.
    pub name: String,
    /// The figures behind it.
    pub evidence: Evidence,
    /// Since when, where that is known.
    pub since: Option<Millis>,
}

impl Finding {
    /// What it is about, as the list names it: one name may stand for accounts of several systems.
    pub fn subject(&self) -> String {
        if self.system.is_empty() { self.account.clone() } else { format!("{}/{}", self.system, self.account) }
    }
}

/// The figures behind a finding. Days are whole days, rounded down.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the words of each stand in `words`")]
pub enum Evidence {
    Dormant { last: Millis, days: i64, limit: i64, lags: bool },
    NeverUsed { created: Millis, days: i64, limit: i64 },
    Left { day: Option<NaiveDate> },
    LoginAfter { day: Option<NaiveDate>, login: Millis },
    Kept { day: Option<NaiveDate>, grants: Vec<String> },
    Disabled { grants: Vec<String> },
    Orphan { number: String, dropped: Option<Millis> },
    Duplicate { accounts: Vec<String> },
    Shared { declared: bool },
    Creep { grants: Vec<String>, from: String, to: String },
    Conflict { name: String, left: Vec<String>, right: Vec<String> },
    Peer { grants: Vec<(String, usize)>, peers: usize, position: String },
    Expired { at: Millis },
    Direct { grants: Vec<String> },
    PasswordNeverExpires,
    PasswordNotRequired,
    PasswordOld { set: Millis, days: i64, limit: i64 },
    NoOwner,
    OwnerLeft { owner: String },
    Interactive { at: Millis },
    Builtin,
    Admins { privileged: usize, active: usize },
    AdminsInactive { inactive: usize, privileged: usize },
    Stale { inactive: usize, active: usize },
    TwoOfThree { roles: Vec<String> },
    Unfilled { role: String },
    Joiner { hired: NaiveDate },
    Mover { account: String, roster: String },
    Leaving { day: NaiveDate, accounts: Vec<String>, owns: Vec<String> },
    NoSecondFactor,
    Locked { at: Option<Millis> },
    Guessed { failures: usize, last: Millis },
    EmptyRole { has_members: bool, has_owner: bool },
    Review { at: Millis, days: i64, limit: i64 },
    RosterStale { at: Millis, hours: i64 },
    BadRow { line: u64, why: String },
    Future { field: &'static str, at: Millis },
    Kind { kind: String },
}

/// What an audit gives.
#[derive(Debug, Clone, Default)]
pub struct Audit {
    /// Worst first.
    pub findings: Vec<Finding>,
    /// What was checked and what was not.
    pub coverage: Vec<Coverage>,
}

/// What every rule is handed.
struct Cx<'a> {
    book: &'a Book,
    rules: &'a Accounts,
    at: Millis,
    zone: Tz,
    by_number: HashMap<&'a str, &'a Person>,
    by_mail: HashMap<String, &'a Person>,
    off: Vec<&'static str>,
    found: Vec<Finding>,
}

impl<'a> Cx<'a> {
    /// The person of an account: by employee number, then by mail.
    fn person(&self, a: &Account) -> Option<&'a Person> {
        let by_mail = || self.by_mail.get(&a.more.mail.to_lowercase()).copied();
        self.by_number.get(a.person.as_str()).copied().or_else(by_mail)
    }

    fn left(&self, p: &Person) -> Option<Left> {
        left(p, self.at, self.zone)
    }

    /// Whether a rule is to be checked on the accounts of `system`.
    fn is_on(&self, id: &str, system: &str) -> bool {
        !self.off.contains(&id)
            && by_id(id).is_some_and(|r| {
                r.needs
                    .iter()
                    .all(|n| if let super::rules::Need::Column(c) = n { self.book.says(system, c) } else { true })
            })
    }

    /// Adds a finding about an account.
    fn add(&mut self, id: &'static str, a: &Account, evidence: Evidence, since: Option<Millis>) {
        let severity = match (id, a.is_privileged(self.rules)) {
            ("A01", true) => Some("high"),
            ("A15", true) => Some("medium"),
            _ => None,
        };
        if !self.is_on(id, &a.system) {
            return;
        }
        let number = match (self.person(a), a.person.is_empty()) {
            (Some(p), true) => p.person.clone(),
            _ => a.person.clone(),
        };
        self.push(id, (&a.system, &a.account, &a.account), (&number, &a.name), evidence, since);
        if let Some(f) = self.found.last_mut() {
            f.is_account = true;
            f.severity = severity.unwrap_or(f.severity);
        }
    }

    /// Adds a finding: what it is about (system, what makes it itself, what is shown), who (number, name).
    fn push(
        &mut self,
        id: &'static str,
        (system, subject, shown): (&str, &str, &str),
        (person, name): (&str, &str),
        evidence: Evidence,
        since: Option<Millis>,
    ) {
        let Some(rule) = by_id(id).filter(|_| !self.off.contains(&id)) else { return };
        self.found.push(Finding {
            id: finding_id(id, system, subject),
            rule,
            severity: rule.severity,
            account: shown.to_owned(),
            system: system.to_owned(),
            is_account: false,
            person: person.to_owned(),
            name: name.to_owned(),
            evidence,
            since,
        });
    }
}

/// Everything wrong at `at`, worst first. `now` is the present: a file is as old as it is by then, also where `at` lies
/// ahead of it.
pub fn audit(book: &Book, at: Millis, now: Millis, rules: &Accounts) -> Audit {
    let coverage = coverage(book, at.min(now), rules);
    let off = coverage.iter().filter(|c| c.missing.is_some()).map(|c| c.rule.id).collect();
    let mails = book.people.iter().filter(|p| !p.mail.is_empty());
    let mut cx = Cx {
        book,
        rules,
        at,
        zone: zone(rules),
        by_number: book.people.iter().map(|p| (p.person.as_str(), p)).collect(),
        by_mail: mails.map(|p| (p.mail.to_lowercase(), p)).collect(),
        off,
        found: Vec::new(),
    };
    for a in &book.accounts {
        account::check(&mut cx, a);
    }
    people::check(&mut cx);
    groups::check(&mut cx);
    let age = coverage.iter().find_map(|c| if let Some(Missing::Stale(age)) = c.missing { Some(age) } else { None });
    quality::check(&mut cx, age);
    let mut findings = cx.found;
    findings.sort_by(|a, b| {
        rank(a.severity)
            .cmp(&rank(b.severity))
            .then_with(|| a.rule.id.cmp(b.rule.id))
            .then_with(|| a.account.cmp(&b.account))
            .then_with(|| a.system.cmp(&b.system))
    });
    Audit { findings, coverage }
}
