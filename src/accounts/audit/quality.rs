//! What is wrong with the data itself.

use super::{Cx, Evidence};
use crate::clock::{HOUR, Millis};

/// The kinds of account that the rules know.
const KINDS: [&str; 4] = ["person", "admin", "service", "shared"];

/// `stale`: the age of a roster that is too old to judge anybody.
pub(super) fn check(cx: &mut Cx<'_>, stale: Option<Millis>) {
    let book = cx.book;
    if let (Some(age), Some(feed)) = (stale, book.roster()) {
        let evidence = Evidence::RosterStale { at: feed.at, hours: age / HOUR };
        cx.push("DQ-feed", ("", "hr", "hr"), ("", ""), evidence, Some(feed.at + cx.rules.roster_age.millis()));
    }
    for feed in &book.feeds {
        for row in &feed.bad {
            let subject = if row.key.is_empty() { row.line.to_string() } else { row.key.clone() };
            let shown = if row.key.is_empty() { feed.system.clone() } else { row.key.clone() };
            let evidence = Evidence::BadRow { line: row.line, why: row.why.clone() };
            cx.push("DQ-row", (&feed.system, &subject, &shown), ("", ""), evidence, Some(feed.at));
        }
    }
    for a in &book.accounts {
        // an audit of the past meets logins that came after it: only what even the import could not know is wrong
        let seen = book.feeds.iter().find(|f| f.system == a.system).map_or(cx.at, |f| f.at.max(cx.at));
        let times = [("created_at", a.created_at), ("last_login_at", a.last_login_at)];
        if let Some((field, at)) = times.into_iter().find_map(|(f, at)| at.filter(|at| *at > seen).map(|at| (f, at))) {
            cx.add("DQ-time", a, Evidence::Future { field, at }, None);
        }
        if !KINDS.contains(&a.kind.as_str()) {
            cx.add("DQ-kind", a, Evidence::Kind { kind: a.kind.clone() }, None);
        }
    }
}
