//! Rules that look at many accounts together.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Cx, Evidence};
use crate::accounts::model::Account;

pub(super) fn check(cx: &mut Cx<'_>) {
    peers(cx);
    let book = cx.book;
    let mut systems: BTreeMap<&str, Vec<&Account>> = BTreeMap::new();
    for a in book.accounts.iter().filter(|a| a.enabled) {
        systems.entry(&a.system).or_default().push(a);
    }
    for (system, enabled) in systems {
        administrators(cx, system, &enabled);
    }
    roles(cx);
}

/// What hardly anybody in the same department and position holds.
fn peers(cx: &mut Cx<'_>) {
    let book = cx.book;
    let mut positions: BTreeMap<(&str, &str, &str), Vec<&Account>> = BTreeMap::new();
    for a in book.accounts.iter().filter(|a| a.enabled && a.kind == "person" && !a.position.is_empty()) {
        positions.entry((&a.system, &a.department, &a.position)).or_default().push(a);
    }
    let percent = usize::from(cx.rules.peer_percent);
    for ((_, _, position), all) in positions {
        let peers = all.len() - 1;
        if peers < cx.rules.peers.max(1) {
            continue;
        }
        let mut holders: HashMap<&String, usize> = HashMap::new();
        for a in &all {
            for grant in a.grants().collect::<HashSet<_>>() {
                *holders.entry(grant).or_default() += 1;
            }
        }
        for a in all {
            let others = |g: &String| holders.get(g).map_or(0, |n| n - 1);
            let mut grants: Vec<(String, usize)> =
                a.grants().filter(|g| others(g) * 100 < percent * peers).map(|g| (g.clone(), others(g))).collect();
            grants.sort();
            grants.dedup();
            if !grants.is_empty() {
                cx.add("A10", a, Evidence::Peer { grants, peers, position: position.to_owned() }, None);
            }
        }
    }
}

fn administrators(cx: &mut Cx<'_>, system: &str, enabled: &[&Account]) {
    let rules = cx.rules;
    let away = |a: &&&Account, limit: i64| match a.last_login_at.or(a.created_at) {
        Some(seen) => cx.at.saturating_sub(seen) > limit,
        None => false,
    };
    let admins: Vec<&&Account> = enabled.iter().filter(|a| a.is_privileged(rules)).collect();
    let (active, privileged) = (enabled.len(), admins.len());
    let inactive_admins = admins.iter().filter(|a| away(a, rules.dormant_privileged.millis())).count();
    let inactive = enabled.iter().filter(|a| away(a, rules.dormant.millis())).count();
    let about = (system, "", system);
    if (active > 100 && privileged * 10 > active) || privileged > 50 {
        cx.push("A21", about, ("", ""), Evidence::Admins { privileged, active }, None);
    }
    if privileged > 20 && inactive_admins * 100 >= 15 * privileged && cx.is_on("A21b", system) {
        cx.push("A21b", about, ("", ""), Evidence::AdminsInactive { inactive: inactive_admins, privileged }, None);
    }
    if active > 10 && inactive * 100 >= 25 * active && cx.is_on("A21c", system) {
        cx.push("A21c", about, ("", ""), Evidence::Stale { inactive, active }, None);
    }
}

/// Groups of a directory that nobody is in, or nobody answers for.
fn roles(cx: &mut Cx<'_>) {
    let book = cx.book;
    for feed in &book.feeds {
        let inside = book.accounts.iter().filter(|a| a.system == feed.system && a.enabled);
        let members: HashSet<&String> = inside.flat_map(|a| &a.roles).collect();
        for g in &feed.groups {
            let (has_members, has_owner) = (members.contains(&g.name), !g.owner.is_empty());
            if !has_members || !has_owner {
                let evidence = Evidence::EmptyRole { has_members, has_owner };
                cx.push("A28", (&feed.system, &g.name, &g.name), ("", ""), evidence, None);
            }
        }
    }
}
