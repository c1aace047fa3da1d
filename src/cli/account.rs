//! `zhiban account`

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Subcommand;
use serde_json::{Value, json};

use super::context::time;
use super::{CliError, Cx};
use crate::accounts::actions::{Decide, ImportAccounts, ImportRoster};
use crate::accounts::model::{Finding, audit};
use crate::accounts::{sources, store};
use crate::clock::{Millis, rfc3339};
use crate::locale::accounts as say;

/// `zhiban account`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Take in all accounts of a system (CSV or LDIF)
    Import {
        /// The file
        file: PathBuf,
        /// The system
        #[arg(long)]
        system: String,
        /// Even if the file is much shorter than the last
        #[arg(long)]
        force: bool,
    },
    /// Take in the HR roster (CSV)
    Hr {
        /// The file
        file: PathBuf,
        /// Even if the file is much shorter than the last
        #[arg(long)]
        force: bool,
    },
    /// What is wrong, worst first
    Audit {
        /// As of when (RFC 3339); now where it is not given
        #[arg(long, value_parser = time)]
        at: Option<Millis>,
    },
    /// Decide on a finding
    Decide {
        /// The finding
        id: String,
        /// What to do
        #[arg(value_parser = ["freeze", "keep", "ask"])]
        decision: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Until when (YYYY-MM-DD or RFC 3339); keeping needs it
        #[arg(long, value_parser = day)]
        until: Option<Millis>,
    },
    /// What is to be done in the directory
    Instructions,
}

fn day(text: &str) -> Result<Millis, String> {
    match text.parse::<NaiveDate>() {
        Ok(day) => Ok(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()),
        Err(_) => time(text),
    }
}

async fn findings(cx: &Cx, at: Millis) -> Result<Vec<Finding>, CliError> {
    let s = cx.store().await?;
    let (accounts, people) = (store::accounts(s).await?, store::people(s).await?);
    Ok(audit(&accounts, &people, at, &cx.config().accounts))
}

fn warn(bad: &[sources::BadRow]) {
    use std::io::Write as _;
    let mut err = std::io::stderr().lock();
    for (line, why) in bad.iter().take(20) {
        _ = writeln!(err, "{}", crate::text::clean(&say::bad_row(*line, why)));
    }
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::Import { file, system, force } => {
            let shown = file.display();
            let bytes = std::fs::read(&file).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            let ldif = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("ldif"));
            let read = if ldif {
                sources::accounts_ldif(&bytes, &system)
            } else {
                sources::accounts_csv(&bytes, &system, &cx.config().accounts.columns)
            };
            let (accounts, bad) = read.map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            warn(&bad);
            cx.done(&cx.door().await?.run(&ImportAccounts { system, accounts, bad: bad.len(), force }).await?);
        }
        Cmd::Hr { file, force } => {
            let shown = file.display();
            let bytes = std::fs::read(&file).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            let (people, bad) = sources::roster(&bytes).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            warn(&bad);
            cx.done(&cx.door().await?.run(&ImportRoster { people, bad: bad.len(), force }).await?);
        }
        Cmd::Audit { at } => {
            let found = findings(cx, at.unwrap_or_else(|| cx.clock().now())).await?;
            let value: Vec<Value> = found
                .iter()
                .map(|f| json!({"id": f.id, "account": f.account, "system": f.system, "rule": f.rule, "finding": f.finding, "severity": f.severity,
                    "evidence": f.evidence, "since": f.since.filter(|s| *s > 0).map(rfc3339)}))
                .collect();
            cx.out(&Value::from(value), || {
                found
                    .iter()
                    .map(|f| {
                        format!("{:<14} {:<9} {:<20} {:<24} {}\n", f.id, f.severity, f.account, f.finding, f.evidence)
                    })
                    .collect()
            });
        }
        Cmd::Decide { id, decision, reason, until } => {
            let found = findings(cx, cx.clock().now()).await?;
            let f = found.iter().find(|f| f.id == id).ok_or(CliError::NotFound(id))?;
            let decide =
                Decide { finding: f.id.clone(), account: f.account.clone(), decision: Some((decision, reason, until)) };
            cx.done(&cx.door().await?.run(&decide).await?);
        }
        Cmd::Instructions => {
            let s = cx.store().await?;
            let accounts = store::accounts(s).await?;
            let all: Vec<Value> = store::decisions(s)
                .await?
                .into_iter()
                .filter(|d| d.decision == "freeze")
                .flat_map(|d| {
                    let hits: Vec<_> = accounts.iter().filter(|a| a.account == d.account).collect();
                    hits.into_iter()
                        .map(|a| {
                            let state = if a.enabled { "instructed" } else { "done" };
                            json!({"account": a.account, "system": a.system, "instruction": "freeze", "reason": d.reason, "by": d.actor, "decided_at": rfc3339(d.at), "state": state})
                        })
                        .collect::<Vec<_>>()
                })
                .collect();
            cx.out(&Value::from(all.clone()), || {
                let open = all.iter().filter(|v| v["state"] == "instructed");
                let word = |v: &Value, key: &str| v[key].as_str().unwrap_or_default().to_owned();
                open.map(|v| say::freeze_instruction(&word(v, "account"), &word(v, "system"), &word(v, "reason")))
                    .collect::<Vec<_>>()
                    .join("\n")
            });
        }
    }
    Ok(())
}
