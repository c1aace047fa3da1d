//! Accounts, people, and what an audit finds. Pure.

use std::collections::{BTreeMap, HashMap};

use chrono::{Days, NaiveDate, NaiveTime, TimeZone as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::{DAY, Millis, rfc3339};
use crate::config::Accounts;

/// An account of a system.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The system it is in.
    pub system: String,
    /// Its name there.
    pub account: String,
    /// Employee number; empty where none is known.
    pub person: String,
    /// Name of the person or purpose.
    pub name: String,
    /// Department.
    pub department: String,
    /// Position.
    pub position: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Permissions.
    pub permissions: Vec<String>,
    /// Whether it can be logged in to.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Option<Millis>,
    /// Last login.
    pub last_login_at: Option<Millis>,
    /// `person`, `admin`, `service`
    pub kind: String,
    /// Who answers for it.
    pub owner: String,
}

/// A person of the HR roster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// Employee number.
    pub person: String,
    /// Name.
    pub name: String,
    /// Department.
    pub department: String,
    /// Position.
    pub position: String,
    /// `active` or `left`
    pub status: String,
    /// First day.
    pub hired_on: Option<NaiveDate>,
    /// Last day.
    pub leaves_on: Option<NaiveDate>,
}

/// Something wrong with an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable: the same finding has it at the next audit.
    pub id: String,
    /// The rule: `A03`.
    pub rule: &'static str,
    /// The account, or the person who lacks one.
    pub account: String,
    /// The system it is in.
    pub system: String,
    /// The person's or account's name.
    pub name: String,
    /// What, one word: `leaver_active`.
    pub finding: &'static str,
    /// `critical`, `high`, `medium`, `low`, `info`
    pub severity: &'static str,
    /// The figures behind it.
    pub evidence: String,
    /// Since when.
    pub since: Option<Millis>,
}

/// Rank of a severity, worst first.
pub fn rank(severity: &str) -> u8 {
    ["critical", "high", "medium", "low", "info"].iter().position(|s| *s == severity).unwrap_or(9) as u8
}

fn id_of(rule: &str, system: &str, account: &str) -> String {
    let mut h = Sha256::new();
    for field in [rule, system, account] {
        h.update((field.len() as u64).to_be_bytes());
        h.update(field.as_bytes());
    }
    let hex: String = h.finalize().iter().take(4).map(|b| format!("{b:02x}")).collect();
    format!("{rule}-{hex}")
}

impl Account {
    /// Whether it may do what others may not.
    pub fn is_privileged(&self, rules: &Accounts) -> bool {
        let hit = |text: &String| rules.privileged.iter().any(|w| text.to_lowercase().contains(&w.to_lowercase()));
        self.kind == "admin" || self.roles.iter().chain(&self.permissions).any(hit)
    }
}

/// The instant after the last moment of a local day.
fn end_of_day(day: NaiveDate, zone: chrono_tz::Tz) -> Millis {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day).and_time(NaiveTime::MIN);
    zone.from_local_datetime(&next).earliest().map_or(0, |t| t.timestamp_millis())
}

/// Everything wrong at `at`, worst first. Without a roster the rules that need one are not judged.
pub fn audit(accounts: &[Account], people: &[Person], at: Millis, rules: &Accounts) -> Vec<Finding> {
    let zone: chrono_tz::Tz = rules.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
    let by_number: HashMap<&str, &Person> = people.iter().map(|p| (p.person.as_str(), p)).collect();
    // a person has left once their last day is over, whatever the status says; `left` without a day counts at once
    let left_since = |p: &Person| match p.leaves_on {
        Some(day) => Some(end_of_day(day, zone)).filter(|end| at >= *end),
        None => (p.status == "left").then_some(0),
    };
    let mut out: Vec<Finding> = Vec::new();
    let mut add = |rule: &'static str, a: &Account, finding, severity, evidence: String, since| {
        let (account, system) = (a.account.clone(), a.system.clone());
        let id = id_of(rule, &system, &account);
        out.push(Finding { id, rule, account, system, name: a.name.clone(), finding, severity, evidence, since });
    };
    let mut enabled_of: BTreeMap<(&str, &str), Vec<&Account>> = BTreeMap::new();
    for a in accounts {
        let person = by_number.get(a.person.as_str()).copied();
        let privileged = a.is_privileged(rules);
        let human = a.kind != "service";
        let gone = person.and_then(|p| left_since(p).map(|since| (p, since)));
        if a.enabled && human {
            let limit = if privileged { rules.dormant_privileged } else { rules.dormant }.millis();
            if let Some(last) = a.last_login_at.filter(|last| at.saturating_sub(*last) > limit) {
                let severity = if privileged { "high" } else { "medium" };
                let evidence =
                    format!("last login {}, {} days ago, limit {} days", rfc3339(last), (at - last) / DAY, limit / DAY);
                add("A01", a, "dormant", severity, evidence, Some(last + limit));
            }
        }
        if a.enabled
            && a.kind == "person"
            && a.last_login_at.is_none()
            && let Some(created) = a.created_at.filter(|c| at.saturating_sub(*c) > rules.never_used.millis())
        {
            let evidence =
                format!("created {}, no login since, limit {} days", rfc3339(created), rules.never_used.millis() / DAY);
            add("A02", a, "never_used", "medium", evidence, Some(created + rules.never_used.millis()));
        }
        if let Some((p, since)) = gone {
            let day = p.leaves_on.map_or_else(|| "unknown day".to_owned(), |d| d.to_string());
            if a.enabled {
                add(
                    "A03",
                    a,
                    "leaver_active",
                    "critical",
                    format!("{} left {day}, account enabled", p.name),
                    Some(since),
                );
            } else if !a.roles.is_empty() || !a.permissions.is_empty() {
                let kept: Vec<&str> = a.roles.iter().chain(&a.permissions).map(String::as_str).collect();
                let (finding, severity) =
                    if privileged { ("disabled_privileged", "medium") } else { ("leaver_rights_kept", "medium") };
                if at - since > DAY {
                    add(
                        "A04",
                        a,
                        finding,
                        severity,
                        format!("{} left {day}, disabled, still holds {}", p.name, kept.join(", ")),
                        Some(since),
                    );
                }
            }
            if let Some(login) = a.last_login_at.filter(|l| since > 0 && *l >= since) {
                add(
                    "A03b",
                    a,
                    "login_after_leaving",
                    "critical",
                    format!("left {day}, login {}", rfc3339(login)),
                    Some(login),
                );
            }
        } else if !a.enabled && privileged {
            add(
                "A04",
                a,
                "disabled_privileged",
                "medium",
                format!(
                    "disabled, still holds {}",
                    a.roles.iter().chain(&a.permissions).cloned().collect::<Vec<_>>().join(", ")
                ),
                None,
            );
        }
        if !people.is_empty() && a.kind == "person" && person.is_none() {
            add("A05", a, "orphan", "high", "no such person in the HR roster".to_owned(), a.created_at);
        }
        if a.kind == "service"
            && (a.owner.is_empty() || by_number.get(a.owner.as_str()).is_some_and(|p| left_since(p).is_some()))
        {
            let evidence =
                if a.owner.is_empty() { "no owner".to_owned() } else { format!("owner {} has left", a.owner) };
            add("A18", a, "service_without_owner", "medium", evidence, a.created_at);
        }
        if a.enabled && ["guest", "test", "demo", "administrator"].contains(&a.account.to_lowercase().as_str()) {
            add(
                "A20",
                a,
                "default_account_enabled",
                "high",
                "a default account can be logged in to".to_owned(),
                a.created_at,
            );
        }
        if a.enabled && a.kind == "person" && !a.person.is_empty() {
            enabled_of.entry((&a.system, &a.person)).or_default().push(a);
        }
    }
    for ((_, person), several) in enabled_of.iter().filter(|(_, all)| all.len() > 1) {
        let names: Vec<&str> = several.iter().map(|a| a.account.as_str()).collect();
        for a in several {
            let since = several.iter().filter_map(|a| a.created_at).max();
            add(
                "A06",
                a,
                "duplicate",
                "medium",
                format!("{person} has {} enabled accounts: {}", names.len(), names.join(", ")),
                since,
            );
        }
    }
    for p in people {
        let has = accounts.iter().any(|a| a.person == p.person);
        let Some(hired) = p.hired_on.map(|d| {
            zone.from_local_datetime(&d.and_time(NaiveTime::MIN)).earliest().map_or(0, |t| t.timestamp_millis())
        }) else {
            continue;
        };
        if !has && p.status == "active" && left_since(p).is_none() && at - hired > DAY && !accounts.is_empty() {
            let stand_in = Account { account: p.person.clone(), name: p.name.clone(), ..Account::default() };
            add(
                "A23",
                &stand_in,
                "joiner_without_account",
                "medium",
                format!("{} hired {}, no account", p.name, p.hired_on.map(|d| d.to_string()).unwrap_or_default()),
                Some(hired + DAY),
            );
        }
        if let Some(day) = p.leaves_on.filter(|_| left_since(p).is_none() && has)
            && end_of_day(day, zone) - at <= 7 * DAY
        {
            let stand_in = Account { account: p.person.clone(), name: p.name.clone(), ..Account::default() };
            add("A25", &stand_in, "leaving_soon", "info", format!("{} leaves {day}", p.name), None);
        }
    }
    out.sort_by(|a, b| {
        rank(a.severity).cmp(&rank(b.severity)).then_with(|| a.rule.cmp(b.rule)).then_with(|| a.account.cmp(&b.account))
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::sources;
    use crate::clock::parse_rfc3339;

    fn sample(at: &str) -> Vec<(String, &'static str)> {
        let rules = Accounts::default();
        let (accounts, bad) =
            sources::accounts_csv(include_bytes!("../../tests/fixtures/accounts/accounts.csv"), "oa", &rules.columns)
                .expect("accounts");
        assert!(bad.is_empty());
        let (people, _) = sources::roster(include_bytes!("../../tests/fixtures/accounts/hr.csv")).expect("roster");
        audit(&accounts, &people, parse_rfc3339(at).expect("time"), &rules)
            .into_iter()
            .map(|f| (f.account, f.rule))
            .collect()
    }

    #[test]
    fn the_sample_gives_what_it_should() {
        let mut got = sample("2026-11-23T12:00:00+08:00");
        got.sort();
        let mut want: Vec<(String, &str)> = [
            ("qian.lei", "A01"),
            ("sun.li", "A02"),
            ("li.qiang", "A03"),
            ("li.qiang", "A03b"),
            ("zhou.jie", "A04"),
            ("zhou.jie2", "A04"),
            ("wu.tao", "A05"),
            ("svc.print", "A18"),
            ("zheng.hao", "A06"),
            ("zheng.hao.b", "A06"),
            ("zheng.hao", "A01"),
            ("E0008", "A23"),
        ]
        .map(|(a, r)| (a.to_owned(), r))
        .to_vec();
        want.sort();
        assert_eq!(got, want);
    }

    #[test]
    fn exactly_ninety_days_is_not_dormant_and_the_leaving_day_is_not_over() {
        assert!(!sample("2026-11-23T00:00:00+08:00").contains(&("zheng.hao".into(), "A01")));
        assert!(!sample("2026-11-18T23:59:59+08:00").contains(&("li.qiang".into(), "A03")));
        assert!(sample("2026-11-19T00:00:00+08:00").contains(&("li.qiang".into(), "A03")));
    }
}
