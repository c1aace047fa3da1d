//! `zhiban host`, `zhiban agent`

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, Cx};
use crate::clock::{Millis, rfc3339};
use crate::health::model::{judge, worst};
use crate::health::sources::Sampler;
use crate::health::store::{self, Host};
use crate::locale::health as say;

/// `zhiban host`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Every host, worst first
    List,
    /// One host with its newest sample
    Show {
        /// Its name
        name: String,
    },
}

fn summary(cx: &Cx, host: &Host, now: Millis) -> Value {
    let s = &host.sample;
    let problems = judge(s, host.interval, now, &cx.config().health, &[]);
    json!({
        "name": host.name, "state": worst(&problems).word(), "at": rfc3339(s.at), "age_s": (now - s.at) / 1000,
        "cpu_percent": s.cpu, "memory_percent": s.mem(), "swap_percent": s.swap(), "load1": s.load[0],
        "disk_percent": s.fullest().map(|(_, share)| share), "disk_mount": s.fullest().map(|(d, _)| &d.mount),
        "rx_bytes_per_s": s.rx_bps, "tx_bytes_per_s": s.tx_bps, "problems": problems,
    })
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    let now = cx.clock().now();
    let mut hosts = store::hosts(cx.store().await?).await?;
    match cmd {
        Cmd::List => {
            let state = |h: &Host| worst(&judge(&h.sample, h.interval, now, &cx.config().health, &[]));
            hosts.sort_by(|a, b| state(b).cmp(&state(a)).then_with(|| a.name.cmp(&b.name)));
            let all: Vec<Value> = hosts.iter().map(|h| summary(cx, h, now)).collect();
            cx.out(&Value::from(all), || {
                let line = |h: &Host| {
                    let s = &h.sample;
                    let disk = s.fullest().map_or(0.0, |(_, v)| v);
                    format!(
                        "{:<9} {:<24} cpu {:>3.0}%  mem {:>3.0}%  disk {disk:>3.0}%  {}\n",
                        state(h).word(),
                        h.name,
                        s.cpu,
                        s.mem(),
                        rfc3339(s.at)
                    )
                };
                hosts.iter().map(line).collect()
            });
        }
        Cmd::Show { name } => {
            let host = hosts.iter().find(|h| h.name == name).ok_or(CliError::NotFound(name))?;
            let mut value = summary(cx, host, now);
            value["sample"] = serde_json::to_value(&host.sample).map_err(|e| CliError::Failed(e.to_string()))?;
            cx.out(&value, || serde_json::to_string_pretty(&value).unwrap_or_default());
        }
    }
    Ok(())
}

pub(super) async fn agent(cx: &Cx, once: bool) -> Result<(), CliError> {
    if cx.read_only() {
        return Err(crate::action::ActionError::ReadOnly.into());
    }
    let store = cx.store().await?;
    let mut sampler = Sampler::new().ok_or_else(|| CliError::Failed(say::agent_unsupported()))?;
    let interval = cx.config().health.interval;
    // rates need two looks
    sampler.sample(cx.clock().now(), false);
    tokio::time::sleep(Duration::from_millis(250)).await;
    if once {
        let sample = sampler.sample(cx.clock().now(), true);
        store::add(store, std::slice::from_ref(&sample), interval.millis()).await?;
        cx.out(&json!({"host": sample.host, "at": rfc3339(sample.at)}), || say::agent_stored(&sample.host));
        return Ok(());
    }
    let _log = crate::log::start(cx.config());
    super::context::print(&say::agent_running(sampler.host(), &interval.to_string()));
    let mut kept = Vec::new();
    let mut tick = tokio::time::interval(interval.std());
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = tick.tick() => {}
        }
        kept.push(sampler.sample(cx.clock().now(), true));
        // while the store is away, up to a day of samples waits here
        if let Err(e) = store::add(store, &kept, interval.millis()).await {
            tracing::warn!("{} samples wait: {e}", kept.len());
            let most = (86_400_000 / interval.millis().max(1)) as usize;
            kept.drain(..kept.len().saturating_sub(most));
        } else {
            kept.clear();
        }
    }
}
