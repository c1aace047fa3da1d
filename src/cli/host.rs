//! `zhiban host`: the fleet, without a screen.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, Cx};
use crate::clock::{Millis, rfc3339};
use crate::config::Health;
use crate::health::model::{Severity, judge, worst};
use crate::health::store::{self, Host};
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
}

fn round(v: f64) -> f64 {
    (v * 10.0).round() / 10.0
}

fn severity(host: &Host, rules: &Health, now: Millis) -> Severity {
    worst(&judge(&host.sample, host.interval, now, rules, &[]))
}

fn line_json(host: &Host, rules: &Health, now: Millis) -> Value {
    let s = &host.sample;
    let (read, write) = s.io_bps();
    let mut value = json!({
        "name": host.name, "state": severity(host, rules, now).word(), "at": rfc3339(s.at),
        "age_s": ((now - s.at) / 1000).max(0), "interval_s": host.interval / 1000, "cores": s.cores.len(),
        "cpu_percent": round(s.cpu), "memory_percent": round(s.mem()), "swap_percent": round(s.swap()),
        "disk_percent": s.fullest().map(|(_, v)| round(v)), "disk_mount": s.fullest().map(|(d, _)| d.mount.clone()),
        "load1": s.load[0], "read_bytes_per_s": read.round(), "write_bytes_per_s": write.round(),
        "rx_bytes_per_s": s.rx_bps.round(), "tx_bytes_per_s": s.tx_bps.round(), "uptime_s": s.uptime_s,
    });
    value["problems"] = judge(s, host.interval, now, rules, &[])
        .iter()
        .map(|p| {
            json!({"metric": p.metric, "state": p.severity.word(), "value": round(p.value), "raise": p.raise,
            "clear": p.clear, "on": p.on})
        })
        .collect();
    value
}

fn show_json(host: &Host, rules: &Health, now: Millis) -> Value {
    let s = &host.sample;
    let mut value = line_json(host, rules, now);
    value["load"] = json!(s.load);
    value["core_percent"] = s.cores.iter().map(|v| round(*v)).collect();
    value["memory_bytes"] = json!({"total": s.mem_total, "used": s.mem_used});
    value["swap_bytes"] = json!({"total": s.swap_total, "used": s.swap_used});
    value["temperature_c"] = json!(s.temperature.map(round));
    value["pressure_percent"] =
        json!(s.pressure.map(|[cpu, memory, io]| json!({"cpu": cpu, "memory": memory, "io": io})));
    value["disks"] = s
        .disks
        .iter()
        .map(|d| {
            json!({"mount": d.mount, "total_bytes": d.total, "used_bytes": d.used, "stuck": d.stuck,
            "read_bytes_per_s": d.read_bps.round(), "write_bytes_per_s": d.write_bps.round()})
        })
        .collect();
    value["processes"] = s
        .processes
        .iter()
        .map(|p| json!({"pid": p.pid, "name": p.name, "cpu_percent": round(p.cpu), "memory_bytes": p.memory}))
        .collect();
    value
}

/// Runs the command.
///
/// # Errors
/// When the store does not answer or the host is not known.
pub async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    let mut hosts = store::hosts(cx.store().await?).await?;
    let (now, rules) = (cx.clock().now(), &cx.config().health);
    match cmd {
        Cmd::List => {
            // hosts come by name, and the sort is stable
            hosts.sort_by_key(|h| std::cmp::Reverse(severity(h, rules, now)));
            let value: Vec<Value> = hosts.iter().map(|h| line_json(h, rules, now)).collect();
            cx.out(&value.into(), || {
                if hosts.is_empty() {
                    return say::no_hosts();
                }
                hosts
                    .iter()
                    .map(|h| {
                        let s = &h.sample;
                        let disk = s.fullest().map_or_else(|| "-".to_owned(), |(d, v)| format!("{} {v:.0}%", d.mount));
                        format!(
                            "{:<8} {} cpu {:>3.0}%  mem {:>3.0}%  load {:>5.2}  {}  {}\n",
                            severity(h, rules, now).word(),
                            cell(&clean(&h.name), 24),
                            s.cpu,
                            s.mem(),
                            s.load[0],
                            cell(&clean(&disk), 20),
                            countdown::age(now - s.at)
                        )
                    })
                    .collect()
            });
        }
        Cmd::Show { name } => {
            let host = hosts.iter().find(|h| h.name == name).ok_or_else(|| CliError::NotFound(name.clone()))?;
            let value = show_json(host, rules, now);
            cx.out(&value, || serde_json::to_string_pretty(&value).unwrap_or_default());
        }
    }
    Ok(())
}
