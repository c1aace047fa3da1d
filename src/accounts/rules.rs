//! What an audit checks: one row a rule, and what each needs to be checked at all.

use sha2::{Digest, Sha256};

use super::model::Book;
use crate::clock::Millis;
use crate::config::Accounts;

/// A rule of the audit.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its number: `A03`.
    pub id: &'static str,
    /// What it finds, in one word: `leaver_active`.
    pub finding: &'static str,
    /// `critical`, `high`, `medium`, `low`, `info`; privileged accounts may weigh more.
    pub severity: &'static str,
    /// What it needs.
    pub needs: &'static [Need],
}

/// What a rule needs before it can say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A column of the account file.
    Column(&'static str),
    /// The HR roster, fresh.
    Roster,
    /// The HR roster, of any age.
    AnyRoster,
    /// An option of `[accounts]`.
    Setting(&'static str),
    /// Groups as things of their own: an LDIF export.
    Groups,
    /// Roles of the three administrators in a file.
    ThreeRoles,
    /// Who asked for a grant and who approved it.
    Approvals,
    /// The journal: `zhiban journal verify`.
    Journal,
}

/// Why a rule was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// This was not there.
    Needs(Need),
    /// The roster is this old (milliseconds): it judges nobody.
    Stale(Millis),
}

/// What became of a rule in an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The rule.
    pub rule: &'static Rule,
    /// Why it was not checked; none: it was, in at least one system.
    pub missing: Option<Missing>,
    /// Systems in which it could not be checked while it was in others.
    pub not_in: Vec<String>,
}

const fn rule(id: &'static str, finding: &'static str, severity: &'static str, needs: &'static [Need]) -> Rule {
    Rule { id, finding, severity, needs }
}

use Need::{AnyRoster, Approvals, Column, Groups, Journal, Roster, Setting, ThreeRoles};

/// Every rule, by number.
pub const RULES: &[Rule] = &[
    rule("A01", "dormant", "medium", &[Column("last_login_at")]),
    rule("A01b", "possibly_dormant", "low", &[Column("last_login_at")]),
    rule("A02", "never_used", "medium", &[Column("last_login_at"), Column("created_at")]),
    rule("A03", "leaver_active", "critical", &[Roster]),
    rule("A03b", "login_after_leaving", "critical", &[Column("last_login_at"), Roster]),
    rule("A04", "leaver_rights_kept", "medium", &[Column("roles"), Roster]),
    rule("A04b", "disabled_privileged", "medium", &[Column("roles")]),
    rule("A05", "orphan", "high", &[Roster]),
    rule("A06", "duplicate", "medium", &[Column("person")]),
    rule("A07", "shared", "medium", &[]),
    rule("A08", "privilege_creep", "high", &[Column("roles"), AnyRoster, Setting("positions")]),
    rule("A09", "conflict", "critical", &[Column("roles"), Setting("conflict")]),
    rule("A10", "peer_outlier", "medium", &[Column("roles"), Column("position")]),
    rule("A11", "expired", "high", &[Column("expires_at")]),
    rule("A12", "self_approval", "critical", &[Approvals]),
    rule("A13", "direct_grant", "medium", &[Column("direct_permissions")]),
    rule("A14", "unapproved_grant", "critical", &[Approvals]),
    rule("A15", "password_never_expires", "low", &[Column("password_never_expires")]),
    rule("A16", "password_not_required", "high", &[Column("password_not_required")]),
    rule("A17", "password_old", "low", &[Column("password_set_at")]),
    rule("A18", "service_without_owner", "medium", &[Column("owner")]),
    rule("A19", "service_interactive", "high", &[Column("last_interactive_at")]),
    rule("A20", "default_account_enabled", "high", &[]),
    rule("A21", "too_many_admins", "medium", &[Column("roles")]),
    rule("A21b", "inactive_admins", "medium", &[Column("roles"), Column("last_login_at")]),
    rule("A21c", "stale_directory", "medium", &[Column("last_login_at")]),
    rule("A22", "three_admins", "critical", &[ThreeRoles]),
    rule("A23", "joiner_without_account", "medium", &[AnyRoster]),
    rule("A24", "mover_not_updated", "medium", &[Column("position"), AnyRoster]),
    rule("A25", "leaving_soon", "info", &[AnyRoster]),
    rule("A26", "no_second_factor", "high", &[Column("second_factor")]),
    rule("A27", "locked_or_guessed", "medium", &[Column("locked_at")]),
    rule("A28", "empty_role", "low", &[Groups]),
    rule("A29", "review_overdue", "medium", &[Column("reviewed_at")]),
    rule("A30", "audit_trail", "high", &[Journal]),
    rule("DQ-feed", "roster_stale", "info", &[]),
    rule("DQ-row", "unreadable_row", "info", &[]),
    rule("DQ-time", "future_time", "info", &[]),
    rule("DQ-kind", "unknown_kind", "info", &[]),
];

/// The rule of this number.
pub fn by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|r| r.id == id)
}

/// Rank of a severity, worst first.
pub fn rank(severity: &str) -> u8 {
    ["critical", "high", "medium", "low", "info"].iter().position(|s| *s == severity).unwrap_or(9) as u8
}

/// The number of a finding: the same at every audit.
pub fn finding_id(rule: &str, system: &str, subject: &str) -> String {
    let mut h = Sha256::new();
    for field in [rule, system, subject] {
        h.update((field.len() as u64).to_be_bytes());
        h.update(field.as_bytes());
    }
    let hex: String = h.finalize().iter().take(5).map(|b| format!("{b:02x}")).collect();
    format!("{rule}-{hex}")
}

/// The age of a roster that is too old to judge anybody.
pub fn stale_roster(book: &Book, seen_at: Millis, rules: &Accounts) -> Option<Millis> {
    let feed = book.roster()?;
    Some(seen_at - feed.at).filter(|age| *age > rules.roster_age.millis())
}

/// What each rule of [`RULES`] lacked. `seen_at`: the instant as of which feeds are old.
pub fn coverage(book: &Book, seen_at: Millis, rules: &Accounts) -> Vec<Coverage> {
    let mut systems: Vec<&str> = book.accounts.iter().map(|a| a.system.as_str()).collect();
    systems.extend(book.feeds.iter().map(|f| f.system.as_str()).filter(|s| !s.is_empty()));
    systems.sort_unstable();
    systems.dedup();
    let stale = stale_roster(book, seen_at, rules);
    let three = [&rules.three.system, &rules.three.security, &rules.three.audit];
    let three_known = || book.accounts.iter().any(|a| a.roles.iter().any(|r| three.iter().any(|t| t.contains(r))));
    let lacks = |need: Need| -> Option<Missing> {
        let there = match need {
            Column(field) => systems.is_empty() || systems.iter().any(|s| book.says(s, field)),
            Roster | AnyRoster => !book.people.is_empty(),
            Setting("positions") => !rules.positions.is_empty(),
            Setting(_) => !rules.conflict.is_empty(),
            Groups => book.feeds.iter().any(|f| !f.groups.is_empty()),
            ThreeRoles => three_known(),
            Approvals | Journal => false,
        };
        match (there, need, stale) {
            (false, ..) => Some(Missing::Needs(need)),
            (true, Roster, Some(age)) => Some(Missing::Stale(age)),
            _ => None,
        }
    };
    let columns = |rule: &Rule| -> Vec<String> {
        let needs: Vec<&str> =
            rule.needs.iter().filter_map(|n| if let Column(c) = n { Some(*c) } else { None }).collect();
        systems.iter().filter(|s| needs.iter().any(|c| !book.says(s, c))).map(|s| (*s).to_owned()).collect()
    };
    RULES
        .iter()
        .map(|rule| {
            let missing = rule.needs.iter().find_map(|need| lacks(*need));
            let not_in = if missing.is_some() { vec![] } else { columns(rule) };
            Coverage { rule, missing, not_in }
        })
        .collect()
}
