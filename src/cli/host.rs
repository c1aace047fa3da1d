//! `zhiban host`: the fleet, without a screen.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::time;
use super::{CliError, Cx};
use crate::clock::{Millis, rfc3339};
use crate::health::actions::{Remove, Silence};
use crate::health::alert::{Problem, Rule, rules, worst};
use crate::health::model::Severity;
use crate::health::store::{self, Event, Known};
use crate::health::words;
use crate::locale::health as say;
use crate::text::{cell, clean};
use crate::tui::countdown;

/// `zhiban host`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Every host, worst first
    List,
    /// One host with everything that is known of it
    Show {
        /// Its name
        name: String,
    },
    /// Show a host's problems apart until a time; they wake nobody
    Silence {
        /// Its name
        name: String,
        /// Until when (RFC 3339)
        #[arg(long, value_parser = time, value_name = "TIME")]
        until: Millis,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End a silence
    Unsilence {
        /// Its name
        name: String,
    },
    /// Forget a host with all its history; without --yes it only says how much that is
    Remove {
        /// Its name
        name: String,
        /// Do it
        #[arg(long)]
        yes: bool,
    },
}

/// Transitions of thresholds that `show` tells.
const EVENTS: i64 = 50;

fn round(v: f64) -> f64 {
    (v * 10.0).round() / 10.0
}

fn problem_json(p: &Problem) -> Value {
    json!({
        "metric": p.metric.word(), "on": p.part, "state": p.severity.word(), "phase": p.phase.word(),
        "since": rfc3339(p.since), "value": round(p.value), "raise": p.raise, "clear": p.clear,
        "for_s": p.lasts / 1000, "keep_s": p.keep / 1000,
    })
}

fn line_json(known: &Known, problems: &[Problem], now: Millis) -> Value {
    let s = &known.host.sample;
    let (read, write) = s.io_bps();
    let all = |open: bool| problems.iter().filter(|p| p.is_open() == open).map(problem_json).collect::<Vec<_>>();
    json!({
        "name": known.host.name, "role": s.role, "site": s.site, "state": worst(problems).word(), "at": rfc3339(s.at),
        "age_s": ((now - s.at) / 1000).max(0), "interval_s": known.host.interval / 1000, "cores": s.cores.len(),
        "cpu_percent": round(s.cpu), "memory_percent": round(s.mem()), "swap_percent": round(s.swap()),
        "disk_percent": s.fullest().map(|(_, v)| round(v)), "disk_mount": s.fullest().map(|(d, _)| d.mount.clone()),
        "full_in_s": known.forecasts.iter().map(|(_, f)| (f.full_at - now).max(0) / 1000).min(),
        "load1": s.load[0], "read_bytes_per_s": read.round(), "write_bytes_per_s": write.round(),
        "rx_bytes_per_s": s.rx_bps.round(), "tx_bytes_per_s": s.tx_bps.round(), "uptime_s": s.uptime_s,
        "problems": all(true), "pending": all(false),
        "silenced": known.silence.as_ref().map(|q|
            json!({"until": rfc3339(q.until), "reason": q.reason, "by": q.actor})),
        "tickets": known.tickets.iter().map(|(id, title, state)|
            json!({"id": id, "title": title, "state": state})).collect::<Vec<_>>(),
    })
}

fn event_json(e: &Event) -> Value {
    json!({
        "at": rfc3339(e.at), "sample_at": rfc3339(e.sample_at), "metric": e.metric, "on": e.part, "state": e.severity,
        "from": e.was, "to": e.phase, "value": round(e.value),
    })
}

fn show_json(known: &Known, problems: &[Problem], events: &[Event], now: Millis) -> Value {
    let s = &known.host.sample;
    let mut value = line_json(known, problems, now);
    value["load"] = json!(s.load);
    value["core_percent"] = s.cores.iter().map(|v| round(*v)).collect();
    value["memory_bytes"] = json!({"total": s.mem_total, "used": s.mem_used});
    value["swap_bytes"] = json!({"total": s.swap_total, "used": s.swap_used});
    value["temperature_c"] = json!(s.temperature.map(round));
    let pressure =
        |p: Option<[f64; 3]>| json!(p.map(|[cpu, memory, io]| json!({"cpu": cpu, "memory": memory, "io": io})));
    value["pressure_percent"] = pressure(s.pressure);
    value["pressure_minute_percent"] = pressure(s.pressure_minute);
    value["disks"] = s
        .disks
        .iter()
        .map(|d| {
            let forecast = known.forecasts.iter().find(|(mount, _)| *mount == d.mount).map(|(_, f)| {
                let left = |at: Millis| (at - now).max(0) / 1000;
                json!({
                    "full_at": rfc3339(f.full_at), "full_in_s": left(f.full_at), "early_in_s": left(f.early_at),
                    "late_in_s": left(f.late_at), "fast_in_s": f.fast_at.map(left),
                })
            });
            json!({
                "mount": d.mount, "total_bytes": d.total, "used_bytes": d.used, "stuck": d.stuck,
                "read_only": d.read_only, "read_bytes_per_s": d.read_bps.round(),
                "write_bytes_per_s": d.write_bps.round(), "forecast": forecast,
            })
        })
        .collect();
    value["nics"] = s
        .nics
        .iter()
        .map(|n| json!({"name": n.name, "rx_bytes_per_s": n.rx_bps.round(), "tx_bytes_per_s": n.tx_bps.round()}))
        .collect();
    value["process_count"] = json!(s.process_count);
    value["processes"] = s
        .processes
        .iter()
        .map(|p| json!({"pid": p.pid, "name": p.name, "cpu_percent": round(p.cpu), "memory_bytes": p.memory}))
        .collect();
    value["events"] = events.iter().map(event_json).collect();
    value
}

fn line(known: &Known, problems: &[Problem], now: Millis) -> String {
    let s = &known.host.sample;
    let disk = s.fullest().map_or_else(|| "-".to_owned(), |(d, v)| format!("{} {v:.0}%", d.mount));
    let mut line = format!(
        "{:<8} {} {} cpu {:>3.0}%  mem {:>3.0}%  load {:>5.2}  {}  {:>4}",
        worst(problems).word(),
        cell(&clean(&known.host.name), 24),
        cell(&clean(&s.role), 8),
        s.cpu,
        s.mem(),
        s.load[0],
        cell(&clean(&disk), 20),
        countdown::age(now - s.at)
    );
    if let Some(p) = problems.iter().find(|p| p.is_open()) {
        line = format!("{line}  {}", words::short(p, now));
    }
    if let Some(q) = &known.silence {
        line = format!("{line}  {}", say::is_silenced(&countdown::remaining(q.until - now)));
    }
    line.trim_end().to_owned()
}

fn find(fleet: Vec<Known>, name: &str) -> Result<Known, CliError> {
    fleet.into_iter().find(|k| k.host.name == name).ok_or_else(|| CliError::NotFound(name.to_owned()))
}

/// Runs the command.
///
/// # Errors
/// When the store does not answer or the host is not known.
pub async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    let now = cx.clock().now();
    let rules: Vec<Rule> = rules(&cx.config().health);
    let judged = |k: Known| {
        let problems = k.problems(&rules, now);
        (k, problems)
    };
    match cmd {
        Cmd::List => {
            let fleet = store::fleet(cx.store().await?, now).await?;
            let mut fleet: Vec<(Known, Vec<Problem>)> = fleet.into_iter().map(judged).collect();
            // hosts come by name, and the sort is stable; the silenced stand behind those that are not
            fleet.sort_by_key(|(k, p)| {
                let severity = worst(p);
                (k.silence.is_some() && severity > Severity::Ok, std::cmp::Reverse(severity))
            });
            let value: Vec<Value> = fleet.iter().map(|(k, p)| line_json(k, p, now)).collect();
            cx.out(&value.into(), || {
                if fleet.is_empty() {
                    return say::no_hosts();
                }
                fleet.iter().map(|(k, p)| line(k, p, now)).collect::<Vec<_>>().join("\n")
            });
        }
        Cmd::Show { name } => {
            let store = cx.store().await?;
            let (known, problems) = judged(find(store::fleet(store, now).await?, &name)?);
            let events = store::events(store, known.host.id, EVENTS).await?;
            let value = show_json(&known, &problems, &events, now);
            cx.out(&value, || serde_json::to_string_pretty(&value).unwrap_or_default());
        }
        Cmd::Silence { name, until, reason } => {
            cx.done(&cx.door().await?.run(&Silence { host: name, until: Some((until, reason)) }).await?);
        }
        Cmd::Unsilence { name } => cx.done(&cx.door().await?.run(&Silence { host: name, until: None }).await?),
        Cmd::Remove { name, yes: true } => cx.done(&cx.door().await?.run(&Remove { host: name }).await?),
        Cmd::Remove { name, yes: false } => {
            let store = cx.store().await?;
            let known = find(store::fleet(store, now).await?, &name)?;
            let (samples, since) = store::extent(store, known.host.id).await?;
            return Err(CliError::Usage(say::remove_needs_yes(&name, samples, &rfc3339(since))));
        }
    }
    Ok(())
}
