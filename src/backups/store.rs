//! The backup catalogue in the store.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Check, Facts, Kind, Look, LookState, Outcome, Repo, Report, Run, Tool};
use crate::action::ActionError;
use crate::args;
use crate::clock::{DAY, Millis};
use crate::config::Config;
use crate::locale::backups as say;
use crate::store::{Row, Store, StoreError, Tx};

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
            Ok((r.get::<i64>(0)?, Facts { name: r.get(1)?, created_at: r.get(2)?, repos: vec![], checks: vec![] }))
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
    let mut all: BTreeMap<String, Facts> = systems.into_values().map(|f| (f.name.clone(), f)).collect();
    for s in &config.backups.system {
        let Some(tool) = Tool::from_word(&s.tool) else { continue };
        let facts = all.entry(s.name.clone()).or_insert_with(|| Facts {
            name: s.name.clone(),
            created_at: now,
            repos: vec![],
            checks: vec![],
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

pub(super) async fn ask(tx: &mut Tx, repo: i64, kind: &str, actor: &str, now: Millis) -> Result<i64, StoreError> {
    let sql = "INSERT INTO backup_request(repo_id, kind, at, actor) VALUES ($1, $2, $3, $4) RETURNING id";
    Ok(tx.row(sql, args![repo, kind, now, actor], |r| r.get(0)).await?.unwrap_or_default())
}

pub(super) async fn answered(tx: &mut Tx, id: i64, now: Millis) -> Result<(), StoreError> {
    tx.exec("UPDATE backup_request SET done_at = $2 WHERE id = $1 AND done_at IS NULL", args![id, now]).await?;
    Ok(())
}

/// A repository as an action sees it.
#[derive(Debug, Clone)]
pub(super) struct RepoRow {
    pub id: i64,
    pub tool: Tool,
    pub repository: String,
    pub look_state: String,
}

async fn system_id(tx: &mut Tx, name: &str) -> Result<Option<i64>, StoreError> {
    tx.row("SELECT id FROM backup_system WHERE name = $1", args![name], |r| r.get(0)).await
}

pub(super) async fn find_repo(tx: &mut Tx, name: &str, offsite: bool) -> Result<Option<RepoRow>, StoreError> {
    tx.row(
        "SELECT r.id, r.tool, r.repository, r.look_state FROM backup_repo r JOIN backup_system s ON s.id = r.system_id \
         WHERE s.name = $1 AND r.offsite = $2",
        args![name, offsite],
        |r| {
            Ok(RepoRow {
                id: r.get(0)?,
                tool: Tool::from_word(&r.get::<String>(1)?).unwrap_or(Tool::Restic),
                repository: r.get(2)?,
                look_state: r.get(3)?,
            })
        },
    )
    .await
}

/// Names a system's repository, new or changed. Returns what was there.
pub(super) async fn put_repo(
    tx: &mut Tx,
    name: &str,
    offsite: bool,
    tool: Tool,
    repository: &str,
    now: Millis,
) -> Result<Option<RepoRow>, StoreError> {
    let old = find_repo(tx, name, offsite).await?;
    tx.exec(
        "INSERT INTO backup_system(name, created_at) VALUES ($1, $2) ON CONFLICT(name) DO NOTHING",
        args![name, now],
    )
    .await?;
    let system = system_id(tx, name).await?.unwrap_or_default();
    tx.exec(
        "INSERT INTO backup_repo(system_id, offsite, tool, repository) VALUES ($1, $2, $3, $4) \
         ON CONFLICT(system_id, offsite) DO UPDATE SET tool = excluded.tool, repository = excluded.repository",
        args![system, offsite, tool.word(), repository],
    )
    .await?;
    Ok(old)
}

/// The repository of a system; one that only the configuration knows, or that an import of a known system implies, is
/// made.
pub(super) async fn repo(
    tx: &mut Tx,
    config: &Config,
    name: &str,
    offsite: bool,
    tool: Option<Tool>,
    now: Millis,
) -> Result<RepoRow, ActionError> {
    let own = config.backups.system.iter().find(|s| s.name == name && s.offsite == offsite);
    let own_tool = own.and_then(|s| Tool::from_word(&s.tool));
    let known =
        own.is_some() || system_id(tx, name).await?.is_some() || config.backups.system.iter().any(|s| s.name == name);
    let found = match find_repo(tx, name, offsite).await? {
        Some(found) => found,
        None if !known => return Err(ActionError::NotFound { what: name.to_owned() }),
        None => {
            let Some(tool) = own_tool.or(tool) else {
                return Err(ActionError::Invalid(if offsite {
                    say::no_offsite(name)
                } else {
                    say::no_repository(name)
                }));
            };
            put_repo(tx, name, offsite, tool, own.map_or("", |s| &s.repository), now).await?;
            find_repo(tx, name, offsite).await?.ok_or_else(|| ActionError::NotFound { what: name.to_owned() })?
        }
    };
    match tool {
        Some(tool) if tool != found.tool => Err(ActionError::Invalid(say::other_tool(name, found.tool.word()))),
        _ => Ok(found),
    }
}

/// Forgets a repository, and the system with its last one. Returns how many runs went with it.
pub(super) async fn forget_repo(tx: &mut Tx, name: &str, offsite: bool) -> Result<u64, StoreError> {
    let Some(repo) = find_repo(tx, name, offsite).await? else { return Ok(0) };
    let runs = tx.exec("DELETE FROM backup_run WHERE repo_id = $1", args![repo.id]).await?;
    for sql in [
        "DELETE FROM backup_check WHERE repo_id = $1",
        "DELETE FROM backup_request WHERE repo_id = $1",
        "DELETE FROM backup_repo WHERE id = $1",
    ] {
        tx.exec(sql, args![repo.id]).await?;
    }
    tx.exec(
        "DELETE FROM backup_system WHERE name = $1 AND NOT EXISTS \
         (SELECT 1 FROM backup_repo r WHERE r.system_id = backup_system.id)",
        args![name],
    )
    .await?;
    Ok(runs)
}

/// What an import changed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Changed {
    pub new: u64,
    pub updated: u64,
    pub gone: u64,
    pub checks: u64,
}

/// Ids that we made up for runs without a snapshot: no listing holds them.
fn made_up(id: &str) -> bool {
    id.starts_with("failed:") || id.starts_with("unchanged:")
}

/// Takes a report in: runs are added or brought up to date; with `complete` those missing from a listing are gone.
pub(super) async fn take(
    tx: &mut Tx,
    repo: &RepoRow,
    report: &Report,
    complete: bool,
    at: Millis,
    now: Millis,
) -> Result<Changed, StoreError> {
    let known: BTreeMap<String, Option<i64>> = tx
        .rows("SELECT id, gone_at FROM backup_run WHERE repo_id = $1", args![repo.id], |r| Ok((r.get(0)?, r.get(1)?)))
        .await?
        .into_iter()
        .collect();
    let mut runs: BTreeMap<String, &Run> = BTreeMap::new();
    let mut renamed = BTreeSet::new();
    for run in &report.runs {
        let (id, short) = one_id(tx, repo, &known, &run.id).await?;
        renamed.extend(short);
        runs.insert(id, run);
    }
    let new = (runs.keys().filter(|id| !known.contains_key(*id)).count() - renamed.len()) as u64;
    let rows = runs
        .iter()
        .map(|(id, r)| {
            let tags = serde_json::to_string(&r.tags).unwrap_or_else(|_| "[]".into());
            args![
                repo.id,
                id.as_str(),
                r.at,
                r.ran_at,
                r.ended_at,
                r.name.as_str(),
                r.host.as_str(),
                tags,
                r.kind.map_or("", Kind::word),
                r.outcome.word(),
                r.prior.clone(),
                r.source_bytes,
                r.added_bytes,
                r.ratio,
                r.note.as_str(),
                now,
                None::<i64>
            ]
        })
        .collect();
    // what is told later completes what was told first: a listing knows no sizes (borg) and no warnings (restic)
    let affected = tx
        .insert_many(
            &format!("INSERT INTO backup_run({RUN}) VALUES"),
            rows,
            "ON CONFLICT(repo_id, id) DO UPDATE SET at = excluded.at, ran_at = excluded.ran_at, \
             ended_at = coalesce(excluded.ended_at, backup_run.ended_at), name = excluded.name, \
             host = CASE WHEN excluded.host = '' THEN backup_run.host ELSE excluded.host END, \
             tags = CASE WHEN excluded.tags = '[]' THEN backup_run.tags ELSE excluded.tags END, \
             outcome = CASE WHEN backup_run.outcome = 'partial' AND excluded.outcome = 'ok' THEN 'partial' ELSE excluded.outcome END, \
             prior = coalesce(excluded.prior, backup_run.prior), \
             source_bytes = coalesce(excluded.source_bytes, backup_run.source_bytes), \
             added_bytes = coalesce(excluded.added_bytes, backup_run.added_bytes), \
             ratio = coalesce(excluded.ratio, backup_run.ratio), \
             note = CASE WHEN excluded.note = '' THEN backup_run.note ELSE excluded.note END, gone_at = NULL \
             WHERE backup_run.at <> excluded.at OR backup_run.ran_at <> excluded.ran_at OR backup_run.gone_at IS NOT NULL \
             OR (backup_run.outcome <> excluded.outcome AND NOT (backup_run.outcome = 'partial' AND excluded.outcome = 'ok')) \
             OR (excluded.ended_at IS NOT NULL AND (backup_run.ended_at IS NULL OR backup_run.ended_at <> excluded.ended_at)) \
             OR (excluded.tags <> '[]' AND excluded.tags <> backup_run.tags) \
             OR (excluded.source_bytes IS NOT NULL AND (backup_run.source_bytes IS NULL OR backup_run.source_bytes <> excluded.source_bytes))",
        )
        .await?;
    let mut gone = 0;
    if complete && report.listing && report.look.0 == LookState::Ok {
        for (id, gone_at) in &known {
            if gone_at.is_none() && !runs.contains_key(id) && !made_up(id) && !renamed.contains(id) {
                let sql = "UPDATE backup_run SET gone_at = $3 WHERE repo_id = $1 AND id = $2";
                gone += tx.exec(sql, args![repo.id, id.as_str(), at]).await?;
            }
        }
    }
    let mut checks = 0;
    for check in &report.checks {
        checks += put_check(tx, repo.id, check).await?.map_or(0, |_| 1);
    }
    Ok(Changed { new, updated: affected.saturating_sub(new), gone, checks })
}

/// The id under which a run is kept, and the shorter one that it replaces. restic before 0.17 says only the first eight
/// digits after a backup and all of them in its listing: they are one snapshot.
async fn one_id(
    tx: &mut Tx,
    repo: &RepoRow,
    known: &BTreeMap<String, Option<i64>>,
    id: &str,
) -> Result<(String, Option<String>), StoreError> {
    if repo.tool != Tool::Restic || known.contains_key(id) || made_up(id) {
        return Ok((id.to_owned(), None));
    }
    if id.len() == 8 {
        let longer = known.range(id.to_owned()..).next().map(|(k, _)| k).filter(|k| k.starts_with(id));
        return Ok((longer.map_or(id, String::as_str).to_owned(), None));
    }
    let short = id.get(..8).filter(|s| known.contains_key(*s));
    if let Some(short) = short {
        let sql = "UPDATE backup_run SET id = $3 WHERE repo_id = $1 AND id = $2";
        if tx.exec(sql, args![repo.id, short, id]).await? == 0 {
            return Ok((id.to_owned(), None));
        }
    }
    Ok((id.to_owned(), short.map(str::to_owned)))
}

/// Adds a check; `None` when it is there already.
pub(super) async fn put_check(tx: &mut Tx, repo: i64, c: &Check) -> Result<Option<i64>, StoreError> {
    let digest = format!("{}|{}|{}|{:?}|{:?}|{}", c.at, c.level, c.ok, c.errors, c.minutes, c.note);
    tx.row(
        "INSERT INTO backup_check(repo_id, at, level, ok, errors, minutes, share, note, digest) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT(repo_id, digest) DO NOTHING RETURNING id",
        args![repo, c.at, i64::from(c.level), c.ok, c.errors, c.minutes, c.share, c.note.as_str(), digest],
        |r| r.get(0),
    )
    .await
}

pub(super) async fn drop_check(tx: &mut Tx, id: i64) -> Result<u64, StoreError> {
    tx.exec("DELETE FROM backup_check WHERE id = $1", args![id]).await
}

/// Notes how the repository answered.
pub(super) async fn looked(tx: &mut Tx, repo: &RepoRow, report: &Report, at: Millis) -> Result<(), StoreError> {
    let (state, note) = &report.look;
    tx.exec(
        "UPDATE backup_repo SET looked_at = $2, look_state = $3, look_note = $4 \
         WHERE id = $1 AND (looked_at IS NULL OR looked_at <= $2)",
        args![repo.id, at, state.word(), note.as_str()],
    )
    .await?;
    if *state != LookState::Ok {
        return Ok(());
    }
    tx.exec(
        "UPDATE backup_repo SET seen_at = CASE WHEN seen_at IS NULL OR seen_at < $2 THEN $2 ELSE seen_at END, \
         tool_version = CASE WHEN $3 = '' THEN tool_version ELSE $3 END, \
         encryption = CASE WHEN $4 = '' THEN encryption ELSE $4 END WHERE id = $1",
        args![repo.id, at, report.version.as_str(), report.encryption.as_str()],
    )
    .await?;
    match report.busy {
        Some(true) => {
            tx.exec("UPDATE backup_repo SET busy_since = coalesce(busy_since, $2) WHERE id = $1", args![repo.id, at])
                .await?;
        }
        Some(false) => _ = tx.exec("UPDATE backup_repo SET busy_since = NULL WHERE id = $1", args![repo.id]).await?,
        None => {}
    }
    Ok(())
}
