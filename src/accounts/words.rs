//! What the findings mean, in the language of the console.

use chrono::{NaiveDate, TimeZone as _};

use super::audit::{Evidence, Finding};
use super::decisions::{Decision, State};
use super::model::{day_of, zone};
use super::rules::{Coverage, Missing, Need, Rule};
use crate::clock::{DAY, HOUR, Millis};
use crate::config::Accounts;
use crate::locale::accounts as say;

/// What a rule finds.
pub fn finding_word(finding: &str) -> String {
    match finding {
        "dormant" => say::dormant(),
        "possibly_dormant" => say::possibly_dormant(),
        "never_used" => say::never_used(),
        "leaver_active" => say::leaver_active(),
        "login_after_leaving" => say::login_after_leaving(),
        "leaver_rights_kept" => say::leaver_rights_kept(),
        "disabled_privileged" => say::disabled_privileged(),
        "orphan" => say::orphan(),
        "duplicate" => say::duplicate(),
        "shared" => say::shared(),
        "privilege_creep" => say::privilege_creep(),
        "conflict" => say::conflict(),
        "peer_outlier" => say::peer_outlier(),
        "expired" => say::expired(),
        "self_approval" => say::self_approval(),
        "direct_grant" => say::direct_grant(),
        "unapproved_grant" => say::unapproved_grant(),
        "password_never_expires" => say::password_never_expires(),
        "password_not_required" => say::password_not_required(),
        "password_old" => say::password_old(),
        "service_without_owner" => say::service_without_owner(),
        "service_interactive" => say::service_interactive(),
        "default_account_enabled" => say::default_account_enabled(),
        "too_many_admins" => say::too_many_admins(),
        "inactive_admins" => say::inactive_admins(),
        "stale_directory" => say::stale_directory(),
        "three_admins" => say::three_admins(),
        "joiner_without_account" => say::joiner_without_account(),
        "mover_not_updated" => say::mover_not_updated(),
        "leaving_soon" => say::leaving_soon(),
        "no_second_factor" => say::no_second_factor(),
        "locked_or_guessed" => say::locked_or_guessed(),
        "empty_role" => say::empty_role(),
        "review_overdue" => say::review_overdue(),
        "audit_trail" => say::audit_trail(),
        "roster_stale" => say::roster_stale(),
        "unreadable_row" => say::unreadable_row(),
        "future_time" => say::future_time(),
        "unknown_kind" => say::unknown_kind(),
        other => other.to_owned(),
    }
}

/// The word of a severity.
pub fn severity_word(severity: &str) -> String {
    match severity {
        "critical" => say::critical(),
        "high" => say::high(),
        "medium" => say::medium(),
        "low" => say::low(),
        _ => say::info(),
    }
}

/// The word of a kind of account; one that the rules do not know is told as it is.
pub fn kind_word(kind: &str) -> String {
    match kind {
        "person" => say::kind_person(),
        "admin" => say::kind_admin(),
        "service" => say::kind_service(),
        "shared" => say::kind_shared(),
        other => other.to_owned(),
    }
}

/// The word of a decision.
pub fn decision_word(decision: &str) -> String {
    match decision {
        "freeze" => say::freeze(),
        "keep" => say::keep(),
        "ask" => say::ask(),
        _ => say::none(),
    }
}

/// How a finding stands.
pub fn state_word(state: State, decision: Option<&Decision>, rules: &Accounts) -> String {
    let until = || day(decision.and_then(|d| d.until).and_then(|at| day_of(at - 1, zone(rules))));
    match state {
        State::Open => say::st_open(),
        State::Instructed => say::st_instructed(),
        State::Done => say::st_done(),
        State::Recurred => say::st_recurred(),
        State::Kept => say::st_kept(&until()),
        State::ReviewDue => say::st_review(),
        State::Asked => say::st_asked(&until()),
        State::NoAnswer => say::st_no_answer(),
    }
}

/// A day, or that nobody knows it.
pub fn day(day: Option<NaiveDate>) -> String {
    day.map_or_else(say::unknown, |d| d.to_string())
}

/// An instant in the company's time, to the minute.
pub fn moment(at: Millis, rules: &Accounts) -> String {
    zone(rules).timestamp_millis_opt(at).single().map_or_else(String::new, |t| t.format("%Y-%m-%d %H:%M").to_string())
}

/// The figures behind a finding, in one sentence.
pub fn evidence(f: &Finding, rules: &Accounts) -> String {
    let at = |t: Millis| moment(t, rules);
    match &f.evidence {
        Evidence::Dormant { last, days, limit, lags } => {
            let text = say::ev_dormant(&at(*last), *days, *limit);
            if *lags { format!("{text}; {}", say::ev_lags()) } else { text }
        }
        Evidence::NeverUsed { created, days, limit } => say::ev_never(&at(*created), *days, *limit),
        Evidence::Left { day: d } => say::ev_left(&day(*d)),
        Evidence::LoginAfter { day: d, login } => say::ev_login_after(&day(*d), &at(*login)),
        Evidence::Kept { day: d, grants } => say::ev_kept(&day(*d), &grants.join(", ")),
        Evidence::Disabled { grants } => say::ev_disabled(&grants.join(", ")),
        Evidence::Orphan { number, .. } if number.is_empty() => say::ev_orphan_none(),
        Evidence::Orphan { number, dropped: None } => say::ev_orphan(number),
        Evidence::Orphan { number, dropped: Some(t) } => say::ev_orphan_dropped(number, &at(*t)),
        Evidence::Duplicate { accounts } => say::ev_duplicate(accounts.len(), &accounts.join(", ")),
        Evidence::Shared { declared: true } => say::ev_shared_declared(),
        Evidence::Shared { declared: false } => say::ev_shared_name(),
        Evidence::Creep { grants, from, to } => say::ev_creep(from, to, &grants.join(", ")),
        Evidence::Conflict { name, left, right } => say::ev_conflict(name, &left.join(", "), &right.join(", ")),
        Evidence::Peer { grants, peers, position } => {
            let grants: Vec<String> = grants.iter().map(|(g, n)| say::ev_peer_one(g, *n)).collect();
            say::ev_peer(position, *peers, &grants.join(", "))
        }
        Evidence::Expired { at: t } => say::ev_expired(&at(*t)),
        Evidence::Direct { grants } => say::ev_direct(&grants.join(", ")),
        Evidence::PasswordNeverExpires => say::ev_password_never(),
        Evidence::PasswordNotRequired => say::ev_password_none(),
        Evidence::PasswordOld { set, days, limit } => say::ev_password_old(&at(*set), *days, *limit),
        Evidence::NoOwner => say::ev_no_owner(),
        Evidence::OwnerLeft { owner } => say::ev_owner_left(owner),
        Evidence::Interactive { at: t } => say::ev_interactive(&at(*t)),
        Evidence::Builtin => say::ev_builtin(),
        Evidence::Admins { privileged, active } => say::ev_admins(*privileged, *active),
        Evidence::AdminsInactive { inactive, privileged } => say::ev_admins_inactive(*inactive, *privileged),
        Evidence::Stale { inactive, active } => say::ev_stale(*inactive, *active),
        Evidence::TwoOfThree { roles } => say::ev_two_of_three(&roles.join(", ")),
        Evidence::Unfilled { role } => say::ev_unfilled(role),
        Evidence::Joiner { hired } => say::ev_joiner(&hired.to_string()),
        Evidence::Mover { account, roster } => say::ev_mover(account, roster),
        Evidence::Leaving { day, accounts, owns } => {
            let text = say::ev_leaving(&day.to_string(), &accounts.join(", "));
            if owns.is_empty() { text } else { format!("{text}; {}", say::ev_owns(&owns.join(", "))) }
        }
        Evidence::NoSecondFactor => say::ev_no_factor(),
        Evidence::Locked { at: None } => say::ev_locked(),
        Evidence::Locked { at: Some(t) } => say::ev_locked_at(&at(*t)),
        Evidence::Guessed { failures, last } => say::ev_guessed(*failures, &at(*last)),
        Evidence::EmptyRole { has_members, has_owner } => {
            let parts = [(!has_members).then(say::ev_no_members), (!has_owner).then(say::ev_no_role_owner)];
            parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
        }
        Evidence::Review { at: t, days, limit } => say::ev_review(&at(*t), *days, *limit),
        Evidence::RosterStale { at: t, hours } => say::ev_roster(&at(*t), *hours),
        Evidence::BadRow { line, why } => say::ev_row(*line, why),
        Evidence::Future { field, at: t } => say::ev_future(field, &at(*t)),
        Evidence::Kind { kind } => say::ev_kind(kind),
    }
}

/// What a rule looks for, with the thresholds in force.
pub fn definition(rule: &Rule, rules: &Accounts) -> String {
    let days = |d: crate::config::Dur| d.millis() / DAY;
    match rule.id {
        "A01" => say::def_a01(days(rules.dormant), days(rules.dormant_privileged)),
        "A01b" => say::def_a01b(days(rules.dormant)),
        "A02" => say::def_a02(days(rules.never_used)),
        "A03" => say::def_a03(),
        "A03b" => say::def_a03b(),
        "A04" => say::def_a04(),
        "A04b" => say::def_a04b(),
        "A05" => say::def_a05(),
        "A06" => say::def_a06(),
        "A07" => say::def_a07(),
        "A08" => say::def_a08(),
        "A09" => say::def_a09(),
        "A10" => say::def_a10(rules.peers, rules.peer_percent),
        "A11" => say::def_a11(),
        "A12" => say::def_a12(),
        "A13" => say::def_a13(),
        "A14" => say::def_a14(),
        "A15" => say::def_a15(),
        "A16" => say::def_a16(),
        "A17" => say::def_a17(days(rules.password_age), days(rules.password_age_privileged)),
        "A18" => say::def_a18(),
        "A19" => say::def_a19(),
        "A20" => say::def_a20(),
        "A21" => say::def_a21(),
        "A21b" => say::def_a21b(days(rules.dormant_privileged)),
        "A21c" => say::def_a21c(days(rules.dormant)),
        "A22" => say::def_a22(),
        "A23" => say::def_a23(),
        "A24" => say::def_a24(),
        "A25" => say::def_a25(),
        "A26" => say::def_a26(),
        "A27" => say::def_a27(),
        "A28" => say::def_a28(),
        "A29" => say::def_a29(days(rules.review), days(rules.review_privileged)),
        "A30" => say::def_a30(),
        "DQ-feed" => say::def_feed(rules.roster_age.millis() / HOUR),
        "DQ-row" => say::def_row(),
        "DQ-time" => say::def_time(),
        "DQ-kind" => say::def_kind(),
        _ => String::new(),
    }
}

/// Why a rule was not checked, or where it was not; empty: it was everywhere.
pub fn coverage(c: &Coverage) -> String {
    match c.missing {
        Some(Missing::Stale(age)) => say::need_fresh(age / HOUR),
        Some(Missing::Needs(need)) => match need {
            Need::Column(column) => say::need_column(column),
            Need::Roster | Need::AnyRoster => say::need_roster(),
            Need::Setting(name) => say::need_setting(name),
            Need::Groups => say::need_groups(),
            Need::ThreeRoles => say::need_three(),
            Need::Approvals => say::need_approvals(),
            Need::Journal => say::need_journal(),
        },
        None if c.not_in.is_empty() => String::new(),
        None => say::not_in(&c.not_in.join(", ")),
    }
}

/// A finding in one line.
pub fn summary(f: &Finding, rules: &Accounts) -> String {
    let system = if f.system.is_empty() { String::new() } else { format!("{}/", f.system) };
    format!("{} {system}{} {}: {}", f.id, f.account, finding_word(f.rule.finding), evidence(f, rules))
}
