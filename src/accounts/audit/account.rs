//! Rules that look at one account.

use super::{Cx, Evidence};
use crate::accounts::model::{Account, Left, Person};
use crate::clock::{DAY, MINUTE, Millis};

/// How far `lastLogonTimestamp` may be behind.
const LAG: Millis = 14 * DAY;
/// So many failed logins within this time look like guessing.
const GUESSES: (usize, Millis) = (5, 15 * MINUTE);
/// How long after the last day rights may stand on a disabled account.
const RIGHTS_GRACE: Millis = DAY;

pub(super) fn check(cx: &mut Cx<'_>, a: &Account) {
    let person = cx.person(a);
    logins(cx, a);
    leaver(cx, a, person);
    if a.enabled {
        standing(cx, a);
    }
    passwords(cx, a);
    let numbered = person.is_some() || cx.rules.exceptions.contains(&a.account);
    if a.kind == "person" && !numbered {
        let dropped = cx.book.dropped.get(&a.person).copied();
        cx.add("A05", a, Evidence::Orphan { number: a.person.clone(), dropped }, dropped.or(a.created_at));
    }
    if a.kind == "service" {
        service(cx, a);
    }
}

fn is_human(a: &Account) -> bool {
    a.kind != "service" && a.kind != "shared"
}

fn logins(cx: &mut Cx<'_>, a: &Account) {
    if !a.enabled {
        return;
    }
    let privileged = a.is_privileged(cx.rules);
    let limit = if privileged { cx.rules.dormant_privileged } else { cx.rules.dormant }.millis();
    match a.last_login_at {
        Some(last) if is_human(a) => {
            let gone = cx.at.saturating_sub(last);
            let evidence = Evidence::Dormant { last, days: gone / DAY, limit: limit / DAY, lags: a.more.login_lags };
            if gone > limit.saturating_add(if a.more.login_lags { LAG } else { 0 }) {
                cx.add("A01", a, evidence, Some(last + limit));
            } else if gone > limit {
                cx.add("A01b", a, evidence, Some(last + limit));
            }
        }
        None if a.kind == "person" => {
            let limit = cx.rules.never_used.millis();
            if let Some(created) = a.created_at.filter(|c| cx.at.saturating_sub(*c) > limit) {
                let days = (cx.at - created) / DAY;
                cx.add("A02", a, Evidence::NeverUsed { created, days, limit: limit / DAY }, Some(created + limit));
            }
        }
        _ => {}
    }
}

fn leaver(cx: &mut Cx<'_>, a: &Account, person: Option<&Person>) {
    let gone = person.and_then(|p| cx.left(p).map(|Left(since)| (p.leaves_on, since)));
    let grants: Vec<String> = a.grants().cloned().collect();
    let Some((day, since)) = gone else {
        if !a.enabled && !grants.is_empty() && a.is_privileged(cx.rules) {
            cx.add("A04b", a, Evidence::Disabled { grants }, None);
        }
        return;
    };
    if a.enabled {
        cx.add("A03", a, Evidence::Left { day }, since);
    } else if !grants.is_empty() && since.is_none_or(|s| cx.at - s > RIGHTS_GRACE) {
        cx.add("A04", a, Evidence::Kept { day, grants }, since);
    }
    // a login that the audit's instant does not know yet is none
    if let (Some(since), Some(login)) = (since, a.last_login_at.filter(|l| *l <= cx.at))
        && login >= since
    {
        cx.add("A03b", a, Evidence::LoginAfter { day, login }, Some(login));
    }
}

/// Rules about accounts that can be logged in to.
fn standing(cx: &mut Cx<'_>, a: &Account) {
    let (name, privileged) = (a.account.to_lowercase(), a.is_privileged(cx.rules));
    let declared = a.kind == "shared";
    if declared || (a.kind != "service" && cx.rules.generic.contains(&name)) {
        cx.add("A07", a, Evidence::Shared { declared }, a.created_at);
    }
    if let Some(moved) = cx.book.moves.get(&a.person).filter(|m| m.at <= cx.at)
        && let Some(base) = cx.rules.positions.get(&moved.to)
        && let Some(held) = moved.held.get(&(a.system.clone(), a.account.clone()))
    {
        let extra: Vec<String> = a.grants().filter(|g| !base.contains(g) && held.contains(g)).cloned().collect();
        if !extra.is_empty() {
            let evidence = Evidence::Creep { grants: extra, from: moved.from.clone(), to: moved.to.clone() };
            cx.add("A08", a, evidence, Some(moved.at));
        }
    }
    if let Some(at) = a.more.expires_at.filter(|at| *at < cx.at) {
        cx.add("A11", a, Evidence::Expired { at }, Some(at));
    }
    if !a.more.direct.is_empty() {
        cx.add("A13", a, Evidence::Direct { grants: a.more.direct.clone() }, None);
    }
    if cx.rules.builtin.contains(&name) {
        cx.add("A20", a, Evidence::Builtin, a.created_at);
    }
    if privileged && a.kind != "service" && a.more.second_factor == Some(false) {
        cx.add("A26", a, Evidence::NoSecondFactor, None);
    }
    if let Some(at) = a.more.locked_at.filter(|at| *at <= cx.at) {
        let at = Some(at).filter(|at| *at > 0);
        cx.add("A27", a, Evidence::Locked { at }, at);
    } else if let Some((failures, last)) = guessed(&a.more.failures, cx.at) {
        cx.add("A27", a, Evidence::Guessed { failures, last }, Some(last));
    }
    let limit = if privileged { cx.rules.review_privileged } else { cx.rules.review }.millis();
    if let Some(at) = a.more.reviewed_at.filter(|at| cx.at.saturating_sub(*at) > limit) {
        let evidence = Evidence::Review { at, days: (cx.at - at) / DAY, limit: limit / DAY };
        cx.add("A29", a, evidence, Some(at + limit));
    }
}

/// The most failed logins within the time of [`GUESSES`], and the last of them.
fn guessed(failures: &[Millis], at: Millis) -> Option<(usize, Millis)> {
    let mut all: Vec<Millis> = failures.iter().copied().filter(|f| *f <= at).collect();
    all.sort_unstable();
    let (least, within) = GUESSES;
    let mut worst = None;
    let mut first = 0;
    for (i, last) in all.iter().enumerate() {
        while last - all[first] > within {
            first += 1;
        }
        let n = i + 1 - first;
        if n >= least && worst.is_none_or(|(most, _)| n >= most) {
            worst = Some((n, *last));
        }
    }
    worst
}

fn passwords(cx: &mut Cx<'_>, a: &Account) {
    if !a.enabled {
        return;
    }
    if a.kind == "person" && a.more.password_never_expires == Some(true) {
        cx.add("A15", a, Evidence::PasswordNeverExpires, None);
    }
    if a.more.password_not_required == Some(true) {
        cx.add("A16", a, Evidence::PasswordNotRequired, None);
    }
    let privileged = a.is_privileged(cx.rules);
    let limit = if privileged { cx.rules.password_age_privileged } else { cx.rules.password_age }.millis();
    if let Some(set) = a.more.password_set_at.filter(|set| is_human(a) && cx.at.saturating_sub(*set) > limit) {
        let evidence = Evidence::PasswordOld { set, days: (cx.at - set) / DAY, limit: limit / DAY };
        cx.add("A17", a, evidence, Some(set + limit));
    }
}

fn service(cx: &mut Cx<'_>, a: &Account) {
    // an owner is named by employee number, or by an account of the same system
    let owner = cx.by_number.get(a.owner.as_str()).copied().or_else(|| {
        let account = cx.book.accounts.iter().find(|o| o.system == a.system && o.account == a.owner)?;
        cx.person(account)
    });
    if a.owner.is_empty() {
        cx.add("A18", a, Evidence::NoOwner, a.created_at);
    } else if let Some(Left(since)) = owner.and_then(|p| cx.left(p)) {
        cx.add("A18", a, Evidence::OwnerLeft { owner: a.owner.clone() }, since);
    }
    if let Some(at) = a.more.last_interactive_at.filter(|at| *at <= cx.at) {
        cx.add("A19", a, Evidence::Interactive { at }, Some(at));
    }
}
