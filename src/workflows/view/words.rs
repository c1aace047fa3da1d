//! Figures of a node in words and few cells.

use crate::clock::{DAY, HOUR};
use crate::locale::workflows as say;
use crate::workflows::insight::{Direction, Node};
use crate::workflows::report::percent;

/// A duration in few cells: `38m`, `5.2h`, `3.4d`, `412d`.
pub(in crate::workflows) fn short(ms: f64) -> String {
    let (h, d) = (ms / HOUR as f64, ms / DAY as f64);
    if ms < 1_000.0 {
        "0".into()
    } else if h < 1.0 {
        format!("{:.0}m", (ms / 60_000.0).max(1.0))
    } else if h < 10.0 {
        format!("{h:.1}h")
    } else if d < 1.0 {
        format!("{h:.0}h")
    } else if d < 10.0 {
        format!("{d:.1}d")
    } else {
        format!("{d:.0}d")
    }
}

/// A word of the ticket room.
pub(in crate::workflows) fn word(w: &str) -> String {
    use crate::locale::tickets as t;
    match w {
        "general" => t::general(),
        "important" => t::important(),
        "urgent" => t::urgent(),
        "individual" => t::individual(),
        "department" => t::department(),
        "company" => t::company(),
        other => other.to_owned(),
    }
}

/// What a node costs.
pub(in crate::workflows) fn score_line(n: &Node) -> String {
    if !n.is_work {
        return say::not_work();
    }
    say::score(&percent(n.score), &short(n.lost), n.executions)
}

/// What is open at a node, and how much of it is late.
pub(in crate::workflows) fn open_line(n: &Node) -> String {
    let b = n.blocked;
    match b.share() {
        Some(share) => {
            let (low, high) = (percent(b.interval.0), percent(b.interval.1));
            say::open_blocked(b.open, &percent(share), b.blocked, &low, &high)
        }
        None if b.open == 0 => say::open_none(),
        None if !b.is_known => say::open_unknown(b.open),
        None => say::open_few(b.open, b.blocked),
    }
}

/// Which way the figures of a node go.
pub(in crate::workflows) fn direction(n: &Node) -> String {
    match n.direction {
        Direction::Rising => say::rising(),
        Direction::Steady => say::steady(),
        Direction::Falling => say::falling(),
    }
}
