//! Figures as JSON, as text, and as a report to hand on. Pure.

use serde_json::{Value, json};

use super::analysis::Analysis;
use super::insight::{Direction, Insight, Node};
use super::log::Log;
use super::model::Spread;
use crate::clock::{HOUR, Millis, rfc3339};
use crate::locale::workflows as say;
use crate::text::{cell, cell_right, clean};
use crate::tui::countdown;

/// Most stuck cases, handovers and loops told in JSON.
const TOLD: usize = 50;

fn seconds(ms: f64) -> f64 {
    (ms.round() / 1000.0 * 1000.0).round() / 1000.0
}

/// Milliseconds with fractions as seconds, to the microsecond.
fn exact(ms: f64) -> f64 {
    (ms * 1000.0).round() / 1_000_000.0
}

fn spread(s: Option<&Spread>) -> Value {
    match s {
        Some(s) => json!({"mean_s": exact(s.mean), "median_s": exact(s.median), "p95_s": exact(s.p95)}),
        None => json!({"mean_s": null, "median_s": null, "p95_s": null}),
    }
}

/// What `workflow analyze` and `workflow stats` print: the figures of the whole log, and the workflow as of now.
pub fn to_json(log: &Log, all: &Analysis, now: &Insight) -> Value {
    let name = |a: u16| log.activities.get(u32::from(a));
    let activities: Vec<Value> = all
        .activities
        .iter()
        .map(|f| {
            let mut value = json!({
                "name": name(f.activity), "count": f.count, "cases": f.cases, "executions": f.executions,
                "sojourn": spread(f.sojourn.as_ref()), "rework_cases": f.rework_cases,
                "repeated_cases": f.repeated_cases, "self_loops": f.self_loops, "loops": f.loops,
            });
            if f.waiting.is_some() || f.processing.is_some() {
                value["waiting"] = spread(f.waiting.as_ref());
                value["processing"] = spread(f.processing.as_ref());
            }
            value
        })
        .collect();
    let edges: Vec<Value> = all
        .edges
        .iter()
        .map(|e| {
            let mean = exact(e.sum as f64 / e.count as f64);
            json!({"from": name(e.from), "to": name(e.to), "count": e.count, "mean_s": mean})
        })
        .collect();
    let handovers: Vec<Value> = all
        .handovers
        .iter()
        .take(TOLD)
        .map(|(a, b, n)| json!({"from": log.resources.get(*a), "to": log.resources.get(*b), "count": n}))
        .collect();
    json!({
        "cases": all.cases, "events": all.events, "variants": all.variants,
        "case_duration": spread(all.case_duration.as_ref()),
        "activities": activities, "edges": edges,
        "rework_cases": all.rework_cases, "ping_pong": all.ping_pong,
        "handover_count": all.handovers.iter().map(|h| h.2).sum::<u64>(), "handovers": handovers,
        "as_of": rfc3339(now.as_of), "finished": now.finished, "running": now.running,
        "finished_duration": spread(now.duration.as_ref()), "running_age": spread(now.running_age.as_ref()),
        "bottlenecks": now.bottlenecks().into_iter().map(|n| bottleneck(n, now.as_of)).collect::<Vec<_>>(),
    })
}

fn bottleneck(n: &Node, as_of: Millis) -> Value {
    let stuck: Vec<Value> = n
        .stuck
        .iter()
        .filter(|s| s.late)
        .take(TOLD)
        .map(|s| {
            json!({"case": s.case, "resource": (!s.resource.is_empty()).then_some(&s.resource),
            "since": rfc3339(s.since), "age_s": (as_of - s.since) / 1000, "expected": s.expected})
        })
        .collect();
    json!({
        "activity": n.name, "score": (n.score * 10_000.0).round() / 10_000.0, "lost_s": seconds(n.lost),
        "p95_s": n.losing().map(|s| seconds(s.p95)),
        "trend": match n.direction {
            Direction::Rising => "rising",
            Direction::Steady => "steady",
            Direction::Falling => "falling",
        },
        "open": n.blocked.open, "blocked": n.blocked.blocked,
        "blocked_share": n.blocked.share(),
        "blocked_interval": n.blocked.share().map(|_| [n.blocked.interval.0, n.blocked.interval.1]),
        "blocked_after_s": n.usual.map(seconds),
        "slowest": n.slowest.as_ref().map(|p| json!({"resource": p.name, "executions": p.executions,
            "median_s": seconds(p.median), "others_median_s": seconds(p.others), "open": p.open})),
        "stuck": stuck,
    })
}

/// A duration for people: two units at most.
pub fn span(ms: f64) -> String {
    let ms = ms.round() as Millis;
    // minutes and seconds behind a colon could be hours and minutes
    if ms < HOUR { countdown::age(ms) } else { countdown::remaining(ms) }
}

fn spans(s: Option<&Spread>) -> [String; 3] {
    s.map_or_else(|| ["—".into(), "—".into(), "—".into()], |s| [span(s.mean), span(s.median), span(s.p95)])
}

/// A share for people.
pub fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

/// What `workflow analyze` and `workflow stats` print without `--json`.
pub fn to_text(log: &Log, all: &Analysis, now: &Insight) -> String {
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&say::totals(all.cases, all.events, all.activities.len(), all.variants));
    let [mean, median, p95] = spans(now.duration.as_ref());
    line(&say::state_as_of(&rfc3339(now.as_of), now.running, now.finished));
    line(&say::finished_durations(&mean, &median, &p95));
    let [mean, median, p95] = spans(now.running_age.as_ref());
    if now.running > 0 {
        line(&say::running_age(&mean, &median, &p95));
    }
    line("");
    line(&format!(
        "{} {} {} {} {} {}",
        cell(&say::head_activity(), 44),
        cell_right(&say::head_count(), 9),
        cell_right(&say::head_median(), 9),
        cell_right("p95", 9),
        cell_right(&say::head_lost(), 7),
        cell_right(&say::head_rework(), 8)
    ));
    let lost: f64 = all.activities.iter().map(super::analysis::ActivityFigures::lost).sum();
    for f in &all.activities {
        let [_, median, p95] = spans(f.sojourn.as_ref());
        line(&format!(
            "{} {} {} {} {} {}",
            cell(&clean(&log.activities.get(u32::from(f.activity))), 44),
            cell_right(&f.count.to_string(), 9),
            cell_right(&median, 9),
            cell_right(&p95, 9),
            cell_right(&percent(if lost > 0.0 { f.lost() / lost } else { 0.0 }), 7),
            cell_right(&f.repeated_cases.to_string(), 8)
        ));
    }
    if let Some(n) = now.bottleneck() {
        line("");
        line(&say::bottleneck_line(&clean(&n.name), &percent(n.score), n.blocked.blocked, n.blocked.open));
        for advice in advice(n) {
            line(&format!("  {advice}"));
        }
    }
    out
}

/// What could be done about a node, the most telling first; never empty for a node with figures.
pub fn advice(n: &Node) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(p) = &n.slowest
        && p.others > 0.0
        && p.median >= 2.0 * p.others
        && (p.share >= 0.15 || p.open > 0)
    {
        let times = format!("{:.1}", p.median / p.others);
        out.push(say::advise_person(&clean(&p.name), &times, &percent(p.share), p.open));
    }
    if let (Some(w), Some(p)) = (n.waiting, n.processing) {
        let share = w.sum / (w.sum + p.sum).max(1.0);
        if share >= 0.8 {
            out.push(say::advise_waiting(&percent(share), &span(w.median), &span(p.median)));
        }
    }
    if n.blocked.blocked > 0 {
        let after = n.usual.map_or_else(|| "—".into(), span);
        out.push(say::advise_stuck(n.blocked.blocked, &after));
    }
    if n.repeated.1 >= 10 && n.repeated.0 * 5 >= n.repeated.1 {
        out.push(say::advise_rework(&percent(n.repeated.0 as f64 / n.repeated.1 as f64)));
    }
    match n.direction {
        Direction::Rising => out.push(say::advise_rising()),
        Direction::Falling => out.push(say::advise_falling()),
        Direction::Steady => {}
    }
    if out.is_empty() {
        out.push(say::advise_none());
    }
    out
}

/// Text that Markdown takes for text.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The report of a workflow, in Markdown: what it costs, where, who waits, what to do.
pub fn to_markdown(name: &str, now: &Insight) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("# {}", say::report_title(&plain(name))));
    line(String::new());
    line(say::state_as_of(&rfc3339(now.as_of), now.running, now.finished));
    let [mean, median, p95] = spans(now.duration.as_ref());
    line(say::finished_durations(&mean, &median, &p95));
    if now.running > 0 {
        let [mean, median, p95] = spans(now.running_age.as_ref());
        line(say::running_age(&mean, &median, &p95));
    }
    if let Some(share) = now.rework_share {
        line(say::rework_line(&percent(share)));
    }
    line(String::new());
    line(format!("## {}", say::report_nodes()));
    line(String::new());
    let heads = [
        say::head_activity(),
        say::head_lost(),
        say::head_wait(),
        say::head_proc(),
        "p95".into(),
        say::head_open(),
        say::head_blocked(),
        say::head_slowest(),
    ];
    line(format!("| {} |", heads.join(" | ")));
    line(format!("|{}", "---|".repeat(heads.len())));
    for n in &now.nodes {
        let of = |s: &Option<Spread>| s.as_ref().map_or_else(|| "—".into(), |s| span(s.median));
        let wait = if n.waiting.is_some() { of(&n.waiting) } else { of(&n.sojourn) };
        let p95 = n.sojourn.as_ref().map_or_else(|| "—".into(), |s| span(s.p95));
        let who = n.slowest.as_ref().map_or_else(|| "—".into(), |p| format!("{} {}", plain(&p.name), span(p.median)));
        let cells = [
            plain(&n.name),
            percent(n.score),
            wait,
            of(&n.processing),
            p95,
            n.blocked.open.to_string(),
            blocked(n),
            who,
        ];
        line(format!("| {} |", cells.join(" | ")));
    }
    for n in now.bottlenecks().into_iter().take(3) {
        line(String::new());
        line(format!("## {}", say::report_node(&plain(&n.name), &percent(n.score))));
        line(String::new());
        for advice in advice(n) {
            line(format!("- {}", plain(&advice)));
        }
        for s in n.stuck.iter().filter(|s| s.late).take(10) {
            let who = if s.resource.is_empty() { "—".into() } else { plain(&s.resource) };
            line(format!("- {} · {who} · {}", plain(&s.case), span((now.as_of - s.since) as f64)));
        }
    }
    if !now.loops.is_empty() {
        line(String::new());
        line(format!("## {}", say::report_loops()));
        line(String::new());
        for l in now.loops.iter().take(10) {
            line(format!("- {} → {}: {}", plain(&l.from), plain(&l.to), say::loop_count(l.count, l.cases)));
        }
    }
    line(String::new());
    line(say::report_method());
    out
}

/// The blocked share as it is shown: with its count, or the bare count where too few are open.
pub fn blocked(n: &Node) -> String {
    match n.blocked.share() {
        Some(share) => format!("{} ({}/{})", percent(share), n.blocked.blocked, n.blocked.open),
        None if n.blocked.open == 0 || !n.blocked.is_known => "—".into(),
        None => format!("{}/{}", n.blocked.blocked, n.blocked.open),
    }
}
