//! Periodic work: look at the repositories, answer the requests of operators.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::actions::{Dismiss, Import};
use super::model::{Facts, Repo, Report};
use super::sources::Context;
use super::sources::run::{Target, look, verify};
use super::store;
use crate::action::{ActionError, BoxFuture, Door, Job, Outcome};
use crate::clock::Millis;
use crate::config::{BackupSystem, Config};

/// How the tool of a repository is run on this machine.
pub fn target(config: &Config, facts: &Facts, repo: &Repo) -> (Target, Context) {
    let own = config.backups.system.iter().find(|s| s.name == facts.name && s.offsite == repo.offsite);
    let own = own.cloned().unwrap_or_else(|| BackupSystem { name: facts.name.clone(), ..BackupSystem::default() });
    let context = Context {
        at: 0,
        // our own runs are in UTC
        zone: chrono_tz::UTC,
        host: own.host.clone(),
        path: own.path.clone(),
        stanza: repo.repository.clone(),
        system: facts.name.clone(),
        read_data: false,
        offsite: repo.offsite,
    };
    (Target { tool: repo.tool, repository: repo.repository.clone(), own }, context)
}

/// What is to be done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// List what it holds.
    Look,
    /// Verify its structure, or with `true` its data.
    Verify(bool),
}

/// Runs the tool on a repository and takes in what it says.
///
/// # Errors
/// When the store does not take it; what goes wrong with the tool is part of the outcome.
pub async fn work(
    door: &Door,
    facts: &Facts,
    repo: &Repo,
    what: Work,
    request: Option<i64>,
) -> Result<Outcome, ActionError> {
    let config = door.config();
    let (target, mut context) = target(config, facts, repo);
    context.at = door.clock().now();
    let report: Report = match what {
        Work::Look => look(&target, &context, config.backups.scan_timeout.std()).await,
        Work::Verify(deep) => verify(&target, &context, deep, config.backups.check_timeout.std()).await,
    };
    let import = Import {
        system: facts.name.clone(),
        tool: repo.tool,
        offsite: repo.offsite,
        report,
        complete: what == Work::Look,
        at: context.at,
        source: if what == Work::Look { "scan".into() } else { "verify".into() },
        request,
    };
    door.run(&import).await
}

/// Looks at the repositories of `[[backups.system]]` every `scan_every`, and at once at what an operator asked for.
///
/// The tools run beside the lease, not under it: a verification of hours must not hold up the renewal.
#[derive(Debug, Default)]
pub struct Scan {
    busy: Arc<AtomicBool>,
}

/// Sets a flag back when dropped, also when the task panics.
struct Reset(Arc<AtomicBool>);
impl Drop for Reset {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Job for Scan {
    fn name(&self) -> &'static str {
        "backups.scan"
    }
    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }
    fn reaches_out(&self) -> bool {
        true
    }
    fn run<'a>(&'a self, door: &'a Door) -> BoxFuture<'a, Result<(), ActionError>> {
        Box::pin(async move {
            if self.busy.swap(true, Ordering::SeqCst) {
                return Ok(());
            }
            let reset = Reset(self.busy.clone());
            let asked = store::requests(door.store()).await?;
            if asked.is_empty() && door.config().backups.system.is_empty() {
                return Ok(());
            }
            let due = due(door, asked).await?;
            if due.is_empty() {
                return Ok(());
            }
            let door = door.clone();
            tokio::spawn(async move {
                let _reset = reset;
                for (facts, i, what, request) in due {
                    if let Err(e) = work(&door, &facts, &facts.repos[i], what, request).await {
                        tracing::warn!(system = facts.name, "{e}");
                        // a request that cannot be answered is not tried for ever
                        let transient = matches!(e, ActionError::Store(_));
                        if let Some(request) = request.filter(|_| !transient) {
                            let dismiss = Dismiss { request, system: facts.name.clone(), why: e.to_string() };
                            if let Err(e) = door.run(&dismiss).await {
                                tracing::warn!("{e}");
                            }
                        }
                    }
                }
            });
            Ok(())
        })
    }
}

type Due = (Facts, usize, Work, Option<i64>);

/// What has to be run now: requests first, then the configured repositories that were not looked at for long enough.
async fn due(door: &Door, asked: Vec<store::Request>) -> Result<Vec<Due>, ActionError> {
    let now: Millis = door.clock().now();
    let config = door.config();
    let all = store::facts(door.store(), config, now).await?;
    let by_name: HashMap<&str, &Facts> = all.iter().map(|f| (f.name.as_str(), f)).collect();
    let mut due: Vec<Due> = vec![];
    for request in asked {
        let Some(facts) = by_name.get(request.system.as_str()) else { continue };
        let Some(i) = facts.repos.iter().position(|r| r.offsite == request.offsite) else { continue };
        let what = match request.kind.as_str() {
            "structure" => Work::Verify(false),
            "data" => Work::Verify(true),
            _ => Work::Look,
        };
        due.push(((*facts).clone(), i, what, Some(request.id)));
    }
    for own in &config.backups.system {
        let Some(facts) = by_name.get(own.name.as_str()) else { continue };
        let Some(i) = facts.repos.iter().position(|r| r.offsite == own.offsite) else { continue };
        let looked = facts.repos[i].look.as_ref().map(|l| l.at);
        // a clock that was set back must not silence the scan for an hour
        let fresh = looked.is_some_and(|at| at <= now && now - at < config.backups.scan_every.millis());
        if !fresh && !facts.repos[i].repository.is_empty() {
            due.push(((*facts).clone(), i, Work::Look, None));
        }
    }
    Ok(due)
}
