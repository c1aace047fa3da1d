//! Hosts and their problems in words.

use super::alert::{Metric, Phase, Problem};
use super::forecast::{FURTHEST, Forecast};
use super::model::Severity;
use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};
use crate::locale::health as say;
use crate::tui::countdown;

/// A duration in one unit, for figures that are no promise: `40s`, `12m`, `3h`, `9d`.
pub fn about(ms: Millis) -> String {
    countdown::age(ms)
}

/// A duration of the configuration or of a count: `5m`, `1h30m`.
fn exact(ms: Millis) -> String {
    crate::config::Dur(ms / SECOND * SECOND).to_string()
}

fn hours(value: f64) -> Millis {
    (value * HOUR as f64) as Millis
}

/// What a figure is called.
pub fn metric(p: &Problem) -> String {
    match p.metric {
        Metric::Cpu => say::cpu(),
        Metric::Memory => say::memory(),
        Metric::Disk | Metric::Full => p.part.clone(),
        Metric::MemoryPressure => say::memory_pressure(),
        Metric::IoPressure => say::io_pressure(),
        Metric::Age => String::new(),
    }
}

fn amount(p: &Problem, value: f64) -> String {
    match p.metric {
        Metric::Full => about(hours(value)),
        Metric::Age => about((value * 1_000.0) as Millis),
        _ => format!("{value:.0}%"),
    }
}

/// A problem in a few words: `CPU 95%`, `/data full in 3h`.
pub fn short(p: &Problem, now: Millis) -> String {
    match p.metric {
        Metric::Age => say::no_sample(&about(now - p.since + (p.raise * 1_000.0) as Millis)),
        Metric::Full => format!("{} {}", p.part, say::full_value(&amount(p, p.value))),
        _ => format!("{} {}", metric(p), amount(p, p.value)),
    }
}

/// The name of a severity.
pub fn severity(severity: Severity) -> String {
    match severity {
        Severity::Ok => say::is_ok(),
        Severity::Warn => say::is_warn(),
        Severity::Stale => say::is_stale(),
        Severity::Critical => say::is_critical(),
    }
}

/// A problem with how long it lasts.
pub fn line(p: &Problem, now: Millis) -> String {
    if p.metric == Metric::Age {
        return say::stale(&about(now - p.since + (p.raise * 1_000.0) as Millis));
    }
    let mut line = format!("{} · {}", short(p, now), say::lasts(&about(now - p.since)));
    match p.phase {
        Phase::Pending => line = format!("{line} · {}", say::pending()),
        Phase::Clearing => line = format!("{line} · {}", say::clearing()),
        Phase::Firing => {}
    }
    line
}

/// Why a problem is one: its line, its times, how far they are counted.
pub fn explain(p: &Problem, now: Millis, interval: Millis) -> Vec<String> {
    if p.metric == Metric::Age {
        return vec![line(p, now), format!("  {}", say::explain_stale(&exact(3 * interval)))];
    }
    let count = match p.phase {
        Phase::Pending => say::explain_pending(&exact(p.held), &exact(p.lasts)),
        Phase::Firing => say::explain_firing(&about(now - p.since)),
        Phase::Clearing => say::explain_clearing(&exact(p.held), &exact(p.keep)),
    };
    let rule = say::explain_line(&amount(p, p.raise), &exact(p.lasts), &amount(p, p.clear), &exact(p.keep));
    vec![short(p, now), format!("  {count}"), format!("  {rule}")]
}

/// `full in 3d (2d–6d)`
pub fn forecast(f: &Forecast, now: Millis) -> String {
    say::full_between(&about(f.full_at - now), &about(f.early_at - now), &late(f, now))
}

fn late(f: &Forecast, now: Millis) -> String {
    let left = f.late_at - now;
    if left >= FURTHEST - HOUR { ">90d".into() } else { about(left) }
}

/// Why a file system is forecast to be full.
pub fn explain_forecast(mount: &str, f: &Forecast, now: Millis) -> Vec<String> {
    vec![
        say::explain_forecast(mount, &about(f.full_at - now), &about(f.early_at - now), &late(f, now)),
        format!("  {}", f.fast_at.map_or_else(say::explain_no_fast, |at| say::explain_fast(&about(at - now)))),
    ]
}

/// A span of the charts: `5m`, `6h`, `30d`.
pub fn span(ms: Millis) -> String {
    if ms >= DAY {
        format!("{}d", ms / DAY)
    } else if ms >= HOUR {
        format!("{}h", ms / HOUR)
    } else {
        format!("{}m", ms / MINUTE)
    }
}
