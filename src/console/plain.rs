//! How things stand, in lines, for where no console can be shown: a pipe, a terminal that cannot address its cells.

use serde_json::{Value, json};

use super::tabs;
use crate::action::Door;
use crate::locale::console as say;
use crate::tui::countdown;
use crate::tui::theme::Role;

/// Problems listed of a tab.
const MOST: usize = 10;

/// What the tabs would say: as JSON, and in lines for people.
pub async fn status(door: &Door) -> (Value, Vec<String>) {
    let now = door.clock().now();
    let (mut rows, mut lines, mut breach) = (Vec::new(), Vec::new(), None);
    for mut tab in tabs::all(door.config(), &door.actor().name) {
        let loaded = tab.load(now)(door.clone()).await;
        let error = match loaded {
            Ok(snapshot) => {
                tab.arrived(snapshot, now);
                None
            }
            Err(why) => Some(why),
        };
        let (attention, facts) = (tab.attention(now), tab.wall(now));
        let count = attention.as_ref().map_or(0, |a| a.count);
        let said = error.clone().or_else(|| tab.wall_line(now).map(|(line, _)| line));
        let head = if count > 0 { say::attention(count) } else { say::status_quiet() };
        lines.push(match &said {
            Some(said) => format!("{}: {head} · {said}", tab.name()),
            None => format!("{}: {head}", tab.name()),
        });
        for problem in facts.problems.iter().take(MOST) {
            let sign = if problem.role == Role::Critical { "X" } else { "^" };
            lines.push(format!("  {sign} {}", problem.text));
        }
        if facts.problems.len() > MOST {
            lines.push(format!("    {}", say::more(facts.problems.len() - MOST)));
        }
        if let Some(next) = facts.next_breach {
            breach = breach.into_iter().chain([next]).min();
        }
        rows.push(json!({
            "tab": tab.key(),
            "attention": count,
            "critical": attention.is_some_and(|a| a.role == Role::Critical),
            "line": said,
            "problems": facts.problems.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(),
        }));
    }
    let next = breach.as_ref().map(|(at, what)| json!({"at": crate::clock::rfc3339(*at), "what": what}));
    if let Some((at, what)) = breach {
        lines.push(format!("{}: {} {what}", say::next_breach(), countdown::remaining(at - now)));
    }
    (json!({"at": crate::clock::rfc3339(now), "tabs": rows, "next_breach": next}), lines)
}
