//! What actions change in the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use super::RUN;
use crate::action::ActionError;
use crate::args;
use crate::backups::model::{Check, Kind, LookState, Report, Run, Tool};
use crate::clock::Millis;
use crate::config::Config;
use crate::locale::backups as say;
use crate::store::{StoreError, Tx};

pub(in crate::backups) async fn ask(
    tx: &mut Tx,
    repo: i64,
    kind: &str,
    actor: &str,
    now: Millis,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO backup_request(repo_id, kind, at, actor) VALUES ($1, $2, $3, $4) RETURNING id";
    Ok(tx.row(sql, args![repo, kind, now, actor], |r| r.get(0)).await?.unwrap_or_default())
}

pub(in crate::backups) async fn answered(tx: &mut Tx, id: i64, now: Millis) -> Result<(), StoreError> {
    tx.exec("UPDATE backup_request SET done_at = $2 WHERE id = $1 AND done_at IS NULL", args![id, now]).await?;
    Ok(())
}

/// A repository as an action sees it.
#[derive(Debug, Clone)]
pub(in crate::backups) struct RepoRow {
    pub id: i64,
    pub tool: Tool,
    pub repository: String,
    pub look_state: String,
}

async fn system_id(tx: &mut Tx, name: &str) -> Result<Option<i64>, StoreError> {
    tx.row("SELECT id FROM backup_system WHERE name = $1", args![name], |r| r.get(0)).await
}

pub(in crate::backups) async fn find_repo(
    tx: &mut Tx,
    name: &str,
    offsite: bool,
) -> Result<Option<RepoRow>, StoreError> {
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
pub(in crate::backups) async fn put_repo(
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
pub(in crate::backups) async fn repo(
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
pub(in crate::backups) async fn forget_repo(tx: &mut Tx, name: &str, offsite: bool) -> Result<u64, StoreError> {
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
pub(in crate::backups) struct Changed {
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
pub(in crate::backups) async fn take(
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
pub(in crate::backups) async fn put_check(tx: &mut Tx, repo: i64, c: &Check) -> Result<Option<i64>, StoreError> {
    let digest = format!("{}|{}|{}|{:?}|{:?}|{}", c.at, c.level, c.ok, c.errors, c.minutes, c.note);
    tx.row(
        "INSERT INTO backup_check(repo_id, at, level, ok, errors, minutes, share, note, digest) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT(repo_id, digest) DO NOTHING RETURNING id",
        args![repo, c.at, i64::from(c.level), c.ok, c.errors, c.minutes, c.share, c.note.as_str(), digest],
        |r| r.get(0),
    )
    .await
}

pub(in crate::backups) async fn drop_check(tx: &mut Tx, id: i64) -> Result<u64, StoreError> {
    tx.exec("DELETE FROM backup_check WHERE id = $1", args![id]).await
}

/// Notes how the repository answered.
pub(in crate::backups) async fn looked(
    tx: &mut Tx,
    repo: &RepoRow,
    report: &Report,
    at: Millis,
) -> Result<(), StoreError> {
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
