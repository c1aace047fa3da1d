//! `zhiban backup`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{CliError, Cx};
use crate::backups::actions::{AddSystem, Import};
use crate::backups::model::status;
use crate::backups::sources;
use crate::backups::store::{self, System};
use crate::clock::{Millis, parse_rfc3339, rfc3339};
use crate::locale::backups as say;

const TOOLS: [&str; 3] = ["restic", "borg", "pgbackrest"];

/// `zhiban backup`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Systems that are backed up
    #[command(subcommand)]
    System(SystemCmd),
    /// Take in what a tool printed as JSON
    Import {
        /// The tool
        #[arg(value_parser = TOOLS)]
        tool: String,
        /// The file
        file: PathBuf,
        /// The system
        #[arg(long)]
        system: String,
        /// It is the off-site copy
        #[arg(long)]
        offsite: bool,
    },
    /// Run the tools of all systems and take in what they say
    Scan,
    /// How every system stands
    Status {
        /// As of when (RFC 3339); now where it is not given
        #[arg(long, value_parser = time)]
        at: Option<Millis>,
    },
}

/// `zhiban backup system`
#[derive(Debug, Subcommand)]
pub enum SystemCmd {
    /// Name a system, or add a repository to it
    Add {
        /// Its name
        name: String,
        /// The tool
        #[arg(long, value_parser = TOOLS)]
        tool: String,
        /// Where its backups are
        #[arg(long)]
        repository: Option<String>,
        /// The repository is the off-site copy
        #[arg(long)]
        offsite: bool,
    },
    /// List systems
    List,
}

fn time(text: &str) -> Result<Millis, String> {
    parse_rfc3339(text).map_err(|e| format!("{e}; write RFC 3339, such as 2026-11-24T09:30:00+08:00"))
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::System(SystemCmd::Add { name, tool, repository, offsite }) => {
            let (repository, offsite_repository) = if offsite { (None, repository) } else { (repository, None) };
            cx.done(&cx.door().await?.run(&AddSystem(System { name, tool, repository, offsite_repository })).await?);
        }
        Cmd::System(SystemCmd::List) => {
            let all = store::systems(cx.store().await?).await?;
            let value: Vec<Value> = all
                .iter()
                .map(|s| json!({"system": s.name, "tool": s.tool, "repository": s.repository, "offsite_repository": s.offsite_repository}))
                .collect();
            cx.out(&Value::from(value), || {
                all.iter()
                    .map(|s| format!("{:<20} {:<11} {}\n", s.name, s.tool, s.repository.as_deref().unwrap_or("-")))
                    .collect()
            });
        }
        Cmd::Import { tool, file, system, offsite } => {
            let shown = file.display();
            let bytes = std::fs::read(&file).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            let backups = sources::parse(&tool, &bytes).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            cx.done(&cx.door().await?.run(&Import { system, tool, offsite, backups }).await?);
        }
        Cmd::Scan => return scan(cx).await,
        Cmd::Status { at } => {
            let at = at.unwrap_or_else(|| cx.clock().now());
            let zone = cx.config().accounts.zone.parse().unwrap_or(chrono_tz::Asia::Shanghai);
            let s = cx.store().await?;
            let mut all = Vec::new();
            for system in store::systems(s).await? {
                let backups = store::backups(s, &system.name).await?;
                all.push(status(&system.name, system.offsite_repository.is_some(), &backups, at, zone));
            }
            let value: Vec<Value> = all
                .iter()
                .map(|s| json!({"system": s.system, "last_full": s.last_full.map(rfc3339), "last_incremental": s.last_incremental.map(rfc3339),
                    "rpo_s": s.rpo.map(|ms| ms / 1000), "missed": s.missed.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "offsite_age_s": s.offsite_age.map(|ms| ms / 1000), "verdict": s.verdict}))
                .collect();
            cx.out(&Value::from(value), || {
                all.iter()
                    .map(|s| format!("{:<20} {}\n", s.system, crate::backups::tab::verdict_word(s.verdict)))
                    .collect()
            });
        }
    }
    Ok(())
}

async fn scan(cx: &Cx) -> Result<(), CliError> {
    let door = cx.door().await?;
    let mut results = Vec::new();
    for s in store::systems(cx.store().await?).await? {
        let both = [(s.repository.clone(), false), (s.offsite_repository.clone(), true)];
        if both.iter().all(|(repository, _)| repository.is_none()) {
            results.push(json!({"system": s.name, "ok": false, "error": say::no_repository(&s.name)}));
        }
        for (repository, offsite) in both.into_iter().filter_map(|(r, offsite)| r.map(|r| (r, offsite))) {
            let read = match sources::scan(&s.tool, &repository).await {
                Ok(bytes) => sources::parse(&s.tool, &bytes),
                Err(e) => Err(e),
            };
            results.push(match read {
                Ok(backups) => {
                    let done = door.run(&Import { system: s.name.clone(), tool: s.tool.clone(), offsite, backups }).await?;
                    json!({"system": s.name, "offsite": offsite, "ok": true, "backups": done.value["backups"], "new": done.value["new"]})
                }
                Err(e) => json!({"system": s.name, "offsite": offsite, "ok": false, "error": e}),
            });
        }
    }
    let ok = results.iter().all(|r| r["ok"] == true);
    cx.out(&Value::from(results.clone()), || results.iter().map(|r| format!("{r}\n")).collect());
    if ok { Ok(()) } else { Err(CliError::CheckFailed) }
}
