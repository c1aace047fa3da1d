//! Rules that look at a person over all their accounts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Cx, Evidence};
use crate::accounts::model::{Account, end_of_day, start_of_day};
use crate::clock::{DAY, Millis};

/// How long before the last day a leaving is announced.
const AHEAD: Millis = 7 * DAY;

pub(super) fn check(cx: &mut Cx<'_>) {
    duplicates(cx);
    conflicts(cx);
    three(cx);
    roster(cx);
    movers(cx);
}

fn duplicates(cx: &mut Cx<'_>) {
    let book = cx.book;
    let mut enabled: BTreeMap<(&str, &str), Vec<&Account>> = BTreeMap::new();
    for a in book.accounts.iter().filter(|a| a.enabled && a.kind == "person") {
        let number = cx.person(a).map_or(a.person.as_str(), |p| p.person.as_str());
        if !number.is_empty() {
            enabled.entry((&a.system, number)).or_default().push(a);
        }
    }
    for several in enabled.into_values().filter(|all| all.len() > 1) {
        let accounts: Vec<String> = several.iter().map(|a| a.account.clone()).collect();
        let mut made: Vec<Millis> = several.iter().filter_map(|a| a.created_at).collect();
        made.sort_unstable();
        let since = made.get(1).copied();
        for a in several {
            cx.add("A06", a, Evidence::Duplicate { accounts: accounts.clone() }, since);
        }
    }
}

/// Every person's enabled accounts, over all systems; an account without a person stands for itself.
fn by_person<'a>(cx: &Cx<'a>) -> BTreeMap<String, Vec<&'a Account>> {
    let mut out: BTreeMap<String, Vec<&Account>> = BTreeMap::new();
    for a in cx.book.accounts.iter().filter(|a| a.enabled && a.kind != "service") {
        let number = cx.person(a).map_or(a.person.as_str(), |p| p.person.as_str());
        let key = if number.is_empty() { format!("{}\0{}", a.system, a.account) } else { number.to_owned() };
        out.entry(key).or_default().push(a);
    }
    out
}

/// Those of `of` that the accounts hold.
fn held(accounts: &[&Account], of: &[String]) -> Vec<String> {
    let all: BTreeSet<&String> = accounts.iter().flat_map(|a| a.grants()).filter(|g| of.contains(g)).collect();
    all.into_iter().cloned().collect()
}

/// Adds a finding about a person, shown by the account that holds most of it.
fn about(cx: &mut Cx<'_>, id: &'static str, key: &str, what: &str, accounts: &[&Account], evidence: Evidence) {
    let Some(first) = accounts.first() else { return };
    let subject = format!("{key}\0{what}");
    cx.push(id, (&first.system, &subject, &first.account), (&first.person, &first.name), evidence, None);
    if let Some(f) = cx.found.last_mut().filter(|f| f.rule.id == id) {
        f.is_account = true;
    }
}

fn conflicts(cx: &mut Cx<'_>) {
    let rules = cx.rules;
    if rules.conflict.is_empty() {
        return;
    }
    for (key, accounts) in by_person(cx) {
        for c in &rules.conflict {
            let (left, right) = (held(&accounts, &c.left), held(&accounts, &c.right));
            if !left.is_empty() && !right.is_empty() {
                about(cx, "A09", &key, &c.name, &accounts, Evidence::Conflict { name: c.name.clone(), left, right });
            }
        }
    }
}

fn three(cx: &mut Cx<'_>) {
    let three = &cx.rules.three;
    let parts = [&three.system, &three.security, &three.audit];
    let mut filled = [false; 3];
    for (key, accounts) in by_person(cx) {
        let has = parts.map(|words| held(&accounts, words));
        for (is, of) in filled.iter_mut().zip(&has) {
            *is |= !of.is_empty();
        }
        if has.iter().filter(|h| !h.is_empty()).count() > 1 {
            about(cx, "A22", &key, "", &accounts, Evidence::TwoOfThree { roles: has.concat() });
        }
    }
    for (words, is) in parts.into_iter().zip(filled) {
        if let Some(role) = words.first().filter(|_| !is) {
            cx.push("A22", ("", role, role), ("", ""), Evidence::Unfilled { role: role.clone() }, None);
        }
    }
}

fn roster(cx: &mut Cx<'_>) {
    let book = cx.book;
    let mut accounts: HashMap<&str, Vec<&Account>> = HashMap::new();
    for a in &book.accounts {
        if let Some(p) = cx.person(a) {
            accounts.entry(&p.person).or_default().push(a);
        }
    }
    for p in &book.people {
        let own = accounts.get(p.person.as_str()).map(Vec::as_slice).unwrap_or_default();
        let here = p.status == "active" && cx.left(p).is_none();
        let who = (p.person.as_str(), p.name.as_str());
        if let Some(hired) = p.hired_on.filter(|_| here && own.is_empty() && !book.accounts.is_empty()) {
            let due = start_of_day(hired, cx.zone) + DAY;
            if cx.at >= due {
                cx.push("A23", ("", &p.person, &p.person), who, Evidence::Joiner { hired }, Some(due));
            }
        }
        let enabled: Vec<String> = own.iter().filter(|a| a.enabled).map(|a| a.account.clone()).collect();
        if let Some(day) = p.leaves_on.filter(|_| cx.left(p).is_none() && !enabled.is_empty())
            && end_of_day(day, cx.zone) - cx.at <= AHEAD
        {
            let names: Vec<&str> = own.iter().map(|a| a.account.as_str()).chain([p.person.as_str()]).collect();
            let owned = book.accounts.iter().filter(|a| a.kind == "service" && names.contains(&a.owner.as_str()));
            let owns = owned.map(|a| a.account.clone()).collect();
            let evidence = Evidence::Leaving { day, accounts: enabled, owns };
            cx.push("A25", ("", &p.person, &p.person), who, evidence, None);
        }
    }
}

/// Accounts that still show the position or department their person has left.
fn movers(cx: &mut Cx<'_>) {
    let book = cx.book;
    for a in book.accounts.iter().filter(|a| a.enabled && a.kind == "person") {
        let Some(p) = cx.person(a).filter(|p| cx.left(p).is_none()) else { continue };
        let differs = |ours: &str, theirs: &str| !ours.is_empty() && !theirs.is_empty() && ours != theirs;
        let moved = book.moves.get(&p.person).map(|m| m.at);
        let fresh = moved.is_some_and(|at| cx.at - at <= DAY);
        if !fresh && (differs(&a.position, &p.position) || differs(&a.department, &p.department)) {
            let place = |department: &str, position: &str| format!("{department} {position}").trim().to_owned();
            let evidence = Evidence::Mover {
                account: place(&a.department, &a.position),
                roster: place(&p.department, &p.position),
            };
            cx.add("A24", a, evidence, moved);
        }
    }
}
