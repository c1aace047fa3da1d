//! The backup catalogue in the store: what is read. [`write`] has what actions change.

mod write;

use std::collections::BTreeMap;

use super::model::{Check, Facts, Kind, Look, LookState, Outcome, Repo, Run, TICKET_KEY, Tool};
use crate::args;
use crate::clock::{DAY, Millis};
use crate::config::Config;
use crate::store::{Row, Store, StoreError};

pub(super) use write::{answered, ask, drop_check, find_repo, forget_repo, looked, put_check, put_repo, repo, take};

/// How far back runs are read: longer than any retention of dailies, so that a last full of last year is still known.
const HORIZON: Millis = 400 * DAY;

const RUN: &str = "repo_id, id, at, ran_at, ended_at, name, host, tags, kind, outcome, prior, source_bytes, added_bytes, \
    ratio, note, seen_at, gone_at";

fn run(r: &Row<'_>) -> Result<(i64, Run), StoreError> {
    let tags: String = r.get(7)?;
    let run = Run {
        id: r.get(1)?,
        at: r.get(2)?,
        ran_at: r.get(3)?,
        ended_at: r.get(4)?,
        name: r.get(5)?,
        host: r.get(6)?,
        tags: serde_json::from_str(&tags).map_err(|_| StoreError::Value("backup_run.tags".into()))?,
        kind: Kind::from_word(&r.get::<String>(8)?),
        outcome: Outcome::from_word(&r.get::<String>(9)?),
        prior: r.get(10)?,
        source_bytes: r.get(11)?,
        added_bytes: r.get(12)?,
        ratio: r.get(13)?,
        note: r.get(14)?,
        seen_at: r.get(15)?,
        gone_at: r.get(16)?,
    };
    Ok((r.get(0)?, run))
}

/// Everything known of every system, by name; those that only the configuration names are there with nothing yet.
///
/// # Errors
/// When the store does not answer.
pub async fn facts(store: &Store, config: &Config, now: Millis) -> Result<Vec<Facts>, StoreError> {
    let systems = store
        .rows("SELECT id, name, created_at FROM backup_system", vec![], |r| {
            Ok((
                r.get::<i64>(0)?,
                Facts { name: r.get(1)?, created_at: r.get(2)?, repos: vec![], checks: vec![], ticket: None },
            ))
        })
        .await?;
    let mut systems: BTreeMap<i64, Facts> = systems.into_iter().collect();
    let repos = store
        .rows(
            "SELECT r.id, r.system_id, r.offsite, r.tool, r.repository, r.looked_at, r.look_state, r.look_note, r.seen_at, \
             r.busy_since, r.encryption, \
             EXISTS (SELECT 1 FROM backup_request q WHERE q.repo_id = r.id AND q.done_at IS NULL) \
             FROM backup_repo r ORDER BY r.offsite, r.id",
            vec![],
            |r| {
                let looked: Option<i64> = r.get(5)?;
                let state = LookState::from_word(&r.get::<String>(6)?);
                let look = match (looked, state) {
                    (Some(at), Some(state)) => Some(Look { at, state, note: r.get(7)? }),
                    _ => None,
                };
                let repo = Repo {
                    id: r.get(0)?,
                    offsite: r.get(2)?,
                    tool: Tool::from_word(&r.get::<String>(3)?).unwrap_or(Tool::Restic),
                    repository: r.get(4)?,
                    look,
                    seen_at: r.get(8)?,
                    busy_since: r.get(9)?,
                    encryption: r.get(10)?,
                    runs: vec![],
                    asked: r.get(11)?,
                };
                Ok((r.get::<i64>(1)?, repo))
            },
        )
        .await?;
    // by repository: (system, place in its list)
    let mut place: BTreeMap<i64, (i64, usize)> = BTreeMap::new();
    for (system, repo) in repos {
        if let Some(facts) = systems.get_mut(&system) {
            place.insert(repo.id, (system, facts.repos.len()));
            facts.repos.push(repo);
        }
    }
    // newest of each repository too, however old: "last run 500 days ago" is an answer
    let sql = format!(
        "SELECT {RUN} FROM backup_run b WHERE at > $1 OR at = (SELECT max(m.at) FROM backup_run m WHERE m.repo_id = b.repo_id) \
         ORDER BY at, id"
    );
    for (repo, run) in store.rows(&sql, args![now - HORIZON], run).await? {
        if let Some((system, i)) = place.get(&repo)
            && let Some(facts) = systems.get_mut(system)
        {
            facts.repos[*i].runs.push(run);
        }
    }
    let checks = store
        .rows(
            "SELECT repo_id, id, at, level, ok, errors, minutes, share, note FROM backup_check ORDER BY at, id",
            vec![],
            |r| {
                let check = Check {
                    id: r.get(1)?,
                    offsite: false,
                    at: r.get(2)?,
                    level: u8::try_from(r.get::<i64>(3)?).unwrap_or(0),
                    ok: r.get(4)?,
                    errors: r.get(5)?,
                    minutes: r.get(6)?,
                    share: r.get(7)?,
                    note: r.get(8)?,
                };
                Ok((r.get::<i64>(0)?, check))
            },
        )
        .await?;
    for (repo, check) in checks {
        if let Some((system, i)) = place.get(&repo)
            && let Some(facts) = systems.get_mut(system)
        {
            let offsite = facts.repos[*i].offsite;
            facts.checks.push(Check { offsite, ..check });
        }
    }
    tickets(store, &mut systems).await?;
    let mut all: BTreeMap<String, Facts> = systems.into_values().map(|f| (f.name.clone(), f)).collect();
    for s in &config.backups.system {
        let Some(tool) = Tool::from_word(&s.tool) else { continue };
        let facts = all.entry(s.name.clone()).or_insert_with(|| Facts {
            name: s.name.clone(),
            created_at: now,
            repos: vec![],
            checks: vec![],
            ticket: None,
        });
        match facts.repos.iter_mut().find(|r| r.offsite == s.offsite) {
            // this machine knows better than the store how it reaches the repository
            Some(repo) if !s.repository.is_empty() => s.repository.clone_into(&mut repo.repository),
            Some(_) => {}
            None => facts.repos.push(Repo {
                id: 0,
                offsite: s.offsite,
                tool,
                repository: s.repository.clone(),
                look: None,
                seen_at: None,
                busy_since: None,
                encryption: String::new(),
                runs: vec![],
                asked: false,
            }),
        }
        facts.repos.sort_by_key(|r| r.offsite);
    }
    Ok(all.into_values().collect())
}

/// Notes the newest open ticket of every system.
async fn tickets(store: &Store, systems: &mut BTreeMap<i64, Facts>) -> Result<(), StoreError> {
    // a range of keys would be another under another collation
    let sql = "SELECT id, intake_key FROM ticket WHERE is_open AND intake_key IS NOT NULL \
               AND substr(intake_key, 1, length($1)) = $1 ORDER BY id";
    // the one that follows in the order of bytes ends the range; ids that a collation puts elsewhere are left out below
    let open = store.rows(sql, args![TICKET_KEY], |r| Ok((r.get::<i64>(0)?, r.get::<String>(1)?))).await?;
    for (id, key) in open {
        let named = key.strip_prefix(TICKET_KEY).and_then(|rest| rest.rsplit_once(':'));
        if let Some((system, _)) = named {
            systems.values_mut().filter(|f| f.name == system).for_each(|f| f.ticket = Some(id));
        }
    }
    Ok(())
}

/// A request of an operator that waits for whoever holds the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its number.
    pub id: i64,
    /// The system.
    pub system: String,
    /// Whether of its off-site copy.
    pub offsite: bool,
    /// `scan`, `structure` or `data`.
    pub kind: String,
}

/// The requests that are not done yet, oldest first.
///
/// # Errors
/// When the store does not answer.
pub async fn requests(store: &Store) -> Result<Vec<Request>, StoreError> {
    store
        .rows(
            "SELECT q.id, s.name, r.offsite, q.kind FROM backup_request q JOIN backup_repo r ON r.id = q.repo_id \
             JOIN backup_system s ON s.id = r.system_id WHERE q.done_at IS NULL ORDER BY q.id",
            vec![],
            |r| Ok(Request { id: r.get(0)?, system: r.get(1)?, offsite: r.get(2)?, kind: r.get(3)? }),
        )
        .await
}
