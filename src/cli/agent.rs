//! `zhiban agent`: samples this host into the store, and keeps samples while the store is away.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::context::print;
use super::{CliError, Cx};
use crate::action::ActionError;
use crate::clock::rfc3339;
use crate::config;
use crate::health::alert;
use crate::health::model::Sample;
use crate::health::sources::Sampler;
use crate::health::store;
use crate::locale::health as say;
use crate::store::Store;

/// `zhiban agent`
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Store one sample and end
    #[arg(long)]
    once: bool,
    /// What this host is for; else `health.role` of the configuration
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Where it stands; else `health.site` of the configuration
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
}

/// Samples kept while the store is away: a day at one every ten seconds.
const SPOOL: usize = 8_640;
/// Samples stored in one transaction.
const BATCH: usize = 1_000;
/// Busiest processes sent with a sample.
const TOP: usize = 3;
/// How often they are looked for while every figure is below its line; beyond one, with every sample.
const TOP_EVERY: i64 = 60_000;
/// The first look has no rates; the second comes this much later.
const SETTLE: Duration = Duration::from_millis(500);

/// What waits for the store, in memory and, so that a restart loses nothing, on disk.
struct Spool {
    waiting: VecDeque<Sample>,
    file: Option<PathBuf>,
}

impl Spool {
    fn open(file: Option<PathBuf>) -> Self {
        let text = file.as_deref().and_then(|f| std::fs::read_to_string(f).ok()).unwrap_or_default();
        // a line cut off by a crash is skipped
        let mut waiting: VecDeque<Sample> = text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
        while waiting.len() > SPOOL {
            waiting.pop_front();
        }
        Self { waiting, file }
    }

    fn keep(&mut self, sample: Sample) {
        if let (Some(file), Ok(line)) = (self.file.as_deref(), serde_json::to_string(&sample)) {
            let wrote = append(file, &line);
            if let Err(e) = wrote {
                tracing::warn!("spool {}: {e}", file.display());
            }
        }
        self.waiting.push_back(sample);
        if self.waiting.len() > SPOOL {
            self.waiting.pop_front();
        }
    }

    fn emptied(&mut self) {
        if let Some(file) = &self.file {
            _ = std::fs::remove_file(file);
        }
    }
}

fn append(file: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut out = std::fs::File::options().create(true).append(true).open(file)?;
    writeln!(out, "{line}")
}

/// Runs the agent until it is stopped.
///
/// # Errors
/// With `--once` when the store does not answer; else only when the configuration is wrong or this system tells
/// nothing of itself.
pub async fn run(cx: &Cx, args: Args) -> Result<(), CliError> {
    if cx.read_only() {
        return Err(ActionError::ReadOnly.into());
    }
    let mut health = cx.config().health.clone();
    health.role = args.role.unwrap_or(health.role);
    health.site = args.site.unwrap_or(health.site);
    let mut sampler = Sampler::new(&health).ok_or_else(|| CliError::Failed(say::agent_unsupported()))?;
    let interval = health.interval;
    let rules = alert::rules(&health);
    sampler.sample(cx.clock().now(), true);
    if args.once {
        tokio::time::sleep(SETTLE).await;
        let sample = sampler.sample(cx.clock().now(), true);
        store::add(cx.store().await?, std::slice::from_ref(&sample), interval.millis()).await?;
        cx.out(&json!({"host": sample.host, "at": rfc3339(sample.at)}), || say::agent_stored(&sample.host));
        return Ok(());
    }
    let _log = crate::log::start(cx.config());
    let url = cx.store_url()?;
    print(&say::agent_running(sampler.host(), &interval.to_string()));
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .map_err(|e| CliError::Failed(e.to_string()))?;
    let mut spool = Spool::open(config::state_folder().map(|f| f.join("spool.jsonl")));
    let mut open: Option<Store> = None;
    let mut away = false;
    let (mut top, mut top_at, mut last) = ((Vec::new(), 0), 0, 0);
    // hosts that were started together do not write together
    let jitter = Duration::from_millis(fastrand::u64(0..=interval.millis().unsigned_abs() / 10));
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + SETTLE + jitter, interval.std());
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
            _ = term.recv() => return Ok(()),
        }
        let now = cx.clock().now();
        let mut sample = sampler.sample(now, false);
        // whose fault it is, is the first question: answered with the sample that raises it
        if alert::is_raised(&sample, &rules) || (now - top_at).abs() >= TOP_EVERY {
            top_at = now;
            top = sampler.busiest(TOP);
        }
        (sample.processes, sample.process_count) = top.clone();
        let back = (now < last).then_some(now);
        last = now;
        let sent = tokio::select! {
            sent = send(&mut open, &url, &mut spool, &sample, interval.millis(), back) => Some(sent),
            // a store that does not answer does not hold the agent
            _ = tokio::signal::ctrl_c() => None,
            _ = term.recv() => None,
        };
        let Some(sent) = sent else {
            spool.keep(sample);
            return Ok(());
        };
        match sent {
            Ok(n) if away => {
                away = false;
                print(&say::agent_back(n));
            }
            Ok(_) => {}
            Err(why) => {
                spool.keep(sample);
                if !away {
                    away = true;
                    print(&say::agent_away(&why, spool.waiting.len()));
                }
                tracing::warn!("store away: {why}");
            }
        }
    }
}

/// Stores what waits and then `sample`; how many were stored.
async fn send(
    open: &mut Option<Store>,
    url: &crate::store::StoreUrl,
    spool: &mut Spool,
    sample: &Sample,
    interval: i64,
    back: Option<i64>,
) -> Result<usize, String> {
    let store = match open {
        Some(store) => store,
        None => open.insert(Store::open(url).await.map_err(|e| e.to_string())?),
    };
    let mut stored = 0;
    while !spool.waiting.is_empty() {
        let batch: Vec<Sample> = spool.waiting.iter().take(BATCH).cloned().collect();
        store::add(store, &batch, interval).await.map_err(|e| e.to_string())?;
        spool.waiting.drain(..batch.len());
        stored += batch.len();
        if spool.waiting.is_empty() {
            spool.emptied();
        }
    }
    if let Some(at) = back {
        store::set_back(store, &sample.host, at).await.map_err(|e| e.to_string())?;
    }
    store::add(store, std::slice::from_ref(sample), interval).await.map_err(|e| e.to_string())?;
    Ok(stored + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_that_wait_survive_a_restart_and_a_torn_line() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("state/spool.jsonl");
        let mut spool = Spool::open(Some(file.clone()));
        spool.keep(Sample { host: "a".into(), at: 1, ..Sample::default() });
        append(&file, "{\"host\": \"to").expect("torn line");
        let mut again = Spool::open(Some(file.clone()));
        assert_eq!(again.waiting.len(), 1);
        again.emptied();
        assert!(!file.exists());
    }
}
