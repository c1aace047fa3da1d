//! `zhiban backup`

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::context::time;
use super::{CliError, Cx};
use crate::backups::actions::{AddSystem, Forget, Import, RecordTest};
use crate::backups::jobs::{Work, work};
use crate::backups::model::{Facts, LookState, Plan, Repo, Tool, level, plan_of};
use crate::backups::sources::{self, Context};
use crate::backups::verdict::{self, Status, Verdict};
use crate::backups::{store, words};
use crate::clock::{Millis, rfc3339};
use crate::locale::backups as say;
use crate::text::cell;

/// `zhiban backup`
#[derive(Debug, Subcommand)]
pub enum Cmd {
    /// Systems that are backed up
    #[command(subcommand)]
    System(SystemCmd),
    /// Take in what a tool printed: listings, backup and check summaries, logs
    Import {
        /// The tool
        #[arg(value_enum)]
        tool: Tool,
        /// The file; - for standard input
        file: PathBuf,
        /// The system
        #[arg(long)]
        system: String,
        /// It is the off-site copy
        #[arg(long)]
        offsite: bool,
        /// The file lists everything the repository holds: what it does not name is gone
        #[arg(long)]
        complete: bool,
        /// When it was printed (RFC 3339), where it does not say so itself; the file's own time else
        #[arg(long, value_parser = time)]
        at: Option<Millis>,
        /// The check read the data, not only the structure (restic does not say so itself)
        #[arg(long)]
        read_data: bool,
        /// IANA zone of borg's times, which carry none
        #[arg(long, value_parser = zone)]
        zone: Option<chrono_tz::Tz>,
    },
    /// Run the tools now and take in what the repositories hold; exit code 1 where one could not be looked at
    Scan {
        /// Only this system
        #[arg(long)]
        system: Option<String>,
    },
    /// Is last night safe? How every system stands
    Status {
        /// As of when (RFC 3339); now where it is not given
        #[arg(long, value_parser = time)]
        at: Option<Millis>,
        /// Only this system
        #[arg(long)]
        system: Option<String>,
        /// Exit code 1 unless every system is safe
        #[arg(long)]
        check: bool,
    },
    /// Verify a repository now; exit code 1 where damage is found or nothing could be checked
    Check {
        /// The system
        name: String,
        /// Read every byte of the data, not only the structure
        #[arg(long)]
        data: bool,
        /// The off-site copy
        #[arg(long)]
        offsite: bool,
    },
    /// Record a restore test
    Test {
        /// The system
        name: String,
        /// What came of it
        #[arg(long, value_enum)]
        result: Passed,
        /// How deep it went
        #[arg(long, value_enum, default_value = "files")]
        level: Level,
        /// How many minutes the restore took
        #[arg(long)]
        minutes: Option<f64>,
        /// The share that was restored, in percent
        #[arg(long)]
        share: Option<f64>,
        /// What was found
        #[arg(long, default_value = "")]
        note: String,
        /// When it was done (RFC 3339); now where it is not given
        #[arg(long, value_parser = time)]
        at: Option<Millis>,
        /// From the off-site copy
        #[arg(long)]
        offsite: bool,
    },
}

/// `zhiban backup system`
#[derive(Debug, Subcommand)]
pub enum SystemCmd {
    /// Name a system, or a repository of it
    Add {
        /// Its name
        name: String,
        /// The tool
        #[arg(long, value_enum)]
        tool: Tool,
        /// Where its backups are, as the tool takes it; for pgbackrest the stanza
        #[arg(long, default_value = "", allow_hyphen_values = true)]
        repository: String,
        /// The repository is the off-site copy
        #[arg(long)]
        offsite: bool,
    },
    /// List systems
    List,
    /// Forget a system, or its off-site copy only, with everything known of it
    Remove {
        /// Its name
        name: String,
        /// Only the off-site copy
        #[arg(long)]
        offsite: bool,
    },
}

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Passed {
    /// It restored
    Passed,
    /// It did not
    Failed,
}

/// How deep a test went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// The structure was checked
    Structure,
    /// The data were read
    Data,
    /// Files were restored and compared
    Files,
    /// Loaded into a scratch application and looked at there
    Application,
}

impl Level {
    fn number(self) -> u8 {
        match self {
            Self::Structure => level::STRUCTURE,
            Self::Data => level::DATA,
            Self::Files => level::FILES,
            Self::Application => level::APPLICATION,
        }
    }
}

fn zone(text: &str) -> Result<chrono_tz::Tz, String> {
    text.parse().map_err(|_| format!("`{text}` is no IANA time zone, such as Asia/Shanghai"))
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::System(cmd) => system(cx, cmd).await,
        Cmd::Import { tool, file, system, offsite, complete, at, read_data, zone } => {
            let (bytes, written) = read(&file)?;
            let now = cx.clock().now();
            let shown = file.display().to_string();
            let own = cx.config().backups.system.iter().find(|s| s.name == system && s.offsite == offsite);
            let facts = named(cx, &system, now).await?;
            let known = facts.repos.iter().find(|r| r.offsite == offsite).map(|r| r.repository.clone());
            let at = at.or(written).unwrap_or(now).min(now);
            let context = Context {
                at,
                zone: zone.or_else(|| cx.config().backups.borg_zone.parse().ok()).unwrap_or(chrono_tz::UTC),
                host: own.map(|s| s.host.clone()).unwrap_or_default(),
                path: own.map(|s| s.path.clone()).unwrap_or_default(),
                stanza: known.filter(|_| tool == Tool::Pgbackrest).unwrap_or_default(),
                system: system.clone(),
                read_data,
                offsite,
            };
            let report =
                sources::parse(tool, &bytes, &context).map_err(|e| CliError::Usage(format!("{shown}: {e}")))?;
            let import = Import { system, tool, offsite, report, complete, at, source: shown, request: None };
            cx.done(&cx.door().await?.run(&import).await?);
            Ok(())
        }
        Cmd::Scan { system } => scan(cx, system.as_deref()).await,
        Cmd::Status { at, system, check } => status(cx, at, system.as_deref(), check).await,
        Cmd::Check { name, data, offsite } => {
            let facts = named(cx, &name, cx.clock().now()).await?;
            let found = facts.repos.iter().find(|r| r.offsite == offsite && !r.repository.is_empty());
            let repo = found.ok_or_else(|| CliError::Usage(say::no_repository(&name)))?;
            let done = work(&cx.door().await?, &facts, repo, Work::Verify(data), None).await?;
            cx.done(&done);
            let fine = done.value["state"] == LookState::Ok.word() && done.value["damaged"] == false;
            if fine { Ok(()) } else { Err(CliError::CheckFailed) }
        }
        Cmd::Test { name, result, level, minutes, share, note, at, offsite } => {
            let share = share.map(|percent| percent / 100.0);
            let ok = result == Passed::Passed;
            let test = RecordTest { system: name, offsite, level: level.number(), ok, minutes, share, note, at };
            cx.done(&cx.door().await?.run(&test).await?);
            Ok(())
        }
    }
}

/// A file (or standard input) and when it was written.
fn read(file: &std::path::Path) -> Result<(Vec<u8>, Option<Millis>), CliError> {
    use std::io::Read as _;
    let shown = file.display();
    let wrong = |e: std::io::Error| CliError::Usage(format!("{shown}: {e}"));
    let limit = sources::MAX_BYTES as u64 + 1;
    let mut bytes = vec![];
    if file.as_os_str() == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(wrong)?;
        return Ok((bytes, None));
    }
    let opened = std::fs::File::open(file).map_err(wrong)?;
    let written = opened.metadata().and_then(|m| m.modified()).ok();
    opened.take(limit).read_to_end(&mut bytes).map_err(wrong)?;
    let written = written.and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok()).map(|d| d.as_millis() as Millis);
    Ok((bytes, written))
}

async fn all(cx: &Cx, now: Millis) -> Result<Vec<Facts>, CliError> {
    Ok(store::facts(cx.store().await?, cx.config(), now).await?)
}

async fn named(cx: &Cx, name: &str, now: Millis) -> Result<Facts, CliError> {
    let found = all(cx, now).await?.into_iter().find(|f| f.name == name);
    found.ok_or_else(|| CliError::NotFound(name.to_owned()))
}

async fn system(cx: &Cx, cmd: SystemCmd) -> Result<(), CliError> {
    match cmd {
        SystemCmd::Add { name, tool, repository, offsite } => {
            cx.done(&cx.door().await?.run(&AddSystem { name, tool, repository, offsite }).await?);
        }
        SystemCmd::Remove { name, offsite } => {
            let facts = named(cx, &name, cx.clock().now()).await?;
            let door = cx.door().await?;
            for repo in facts.repos.iter().filter(|r| r.id != 0 && (r.offsite || !offsite)) {
                cx.done(&door.run(&Forget { name: name.clone(), offsite: repo.offsite }).await?);
            }
        }
        SystemCmd::List => {
            let all = all(cx, cx.clock().now()).await?;
            let at = |f: &Facts, offsite| f.repos.iter().find(|r| r.offsite == offsite).cloned();
            let place = |r: Option<&Repo>| r.map(|r| r.repository.clone()).filter(|r| !r.is_empty());
            let value: Vec<Value> = all
                .iter()
                .map(|f| {
                    let (here, far) = (at(f, false), at(f, true));
                    let tool = here.as_ref().or(far.as_ref()).map(|r| r.tool.word());
                    json!({"system": f.name, "tool": tool, "repository": place(here.as_ref()),
                        "offsite_repository": place(far.as_ref()), "offsite_tool": far.map(|r| r.tool.word())})
                })
                .collect();
            cx.out(&Value::from(value), || {
                let line = |f: &Facts, r: &Repo| {
                    let place = if r.repository.is_empty() { say::imported_only() } else { r.repository.clone() };
                    let copy = if r.offsite { say::offsite() } else { say::local() };
                    format!("{}  {}  {}  {place}", cell(&f.name, 20), cell(r.tool.word(), 10), cell(&copy, 8))
                };
                all.iter().flat_map(|f| f.repos.iter().map(move |r| line(f, r))).collect::<Vec<_>>().join("\n")
            });
        }
    }
    Ok(())
}

async fn scan(cx: &Cx, only: Option<&str>) -> Result<(), CliError> {
    let door = cx.door().await?;
    let now = cx.clock().now();
    let systems = match only {
        Some(name) => vec![named(cx, name, now).await?],
        None => all(cx, now).await?,
    };
    let mut values = vec![];
    let mut lines = vec![];
    for facts in &systems {
        for repo in facts.repos.iter().filter(|r| !r.repository.is_empty()) {
            let done = work(&door, facts, repo, Work::Look, None).await?;
            lines.push(done.message);
            values.push(done.value);
        }
    }
    if values.is_empty() {
        return Err(CliError::Usage(only.map_or_else(say::nothing_to_scan, say::no_repository)));
    }
    let ok = values.iter().all(|v| v["state"] == LookState::Ok.word());
    cx.out(&Value::from(values), || lines.join("\n"));
    if ok { Ok(()) } else { Err(CliError::CheckFailed) }
}

/// What `--json` says of a system.
fn json_of(s: &Status, plan: &Plan) -> Value {
    let seconds = |ms: Option<Millis>| ms.map(|ms| ms / 1_000);
    let dates = |d: &[chrono::NaiveDate]| d.iter().map(ToString::to_string).collect::<Vec<_>>();
    let findings: Vec<Value> = s
        .findings
        .iter()
        .map(|f| {
            let (id, name) = f.id();
            json!({"id": id, "finding": name, "severity": f.weight.word(), "since": f.since.map(rfc3339),
                "text": words::finding(f, plan)})
        })
        .collect();
    json!({
        "system": s.system, "last_full": s.last_full.map(rfc3339), "last_incremental": s.last_incremental.map(rfc3339),
        "rpo_s": seconds(s.rpo), "missed": dates(&s.missed), "offsite_age_s": seconds(s.offsite_age),
        "verdict": s.verdict.word(), "findings": findings, "missed_full": dates(&s.not_full),
        "adherence": {"kept": s.adherence.0, "due": s.adherence.1}, "worst_gap_s": seconds(s.worst_gap),
        "last_check": s.last_check.as_ref().map(|c| rfc3339(c.at)),
        "last_restore_test": s.last_test.as_ref().map(|c| rfc3339(c.at)),
        "verified_level": level::word(s.tested_level),
        "copies": {"copies": s.copies.copies, "media": s.copies.media, "offsite": s.copies.offsite,
            "immutable": s.copies.immutable, "verified": s.copies.clean}, "next_due": rfc3339(s.next_due),
    })
}

async fn status(cx: &Cx, at: Option<Millis>, only: Option<&str>, check: bool) -> Result<(), CliError> {
    let now = at.unwrap_or_else(|| cx.clock().now());
    let systems = match only {
        Some(name) => vec![named(cx, name, now).await?],
        None => all(cx, now).await?,
    };
    let judged: Vec<(Status, Plan)> = systems
        .iter()
        .map(|f| {
            let plan = plan_of(cx.config(), &f.name);
            (verdict::evaluate(f, &plan, now), plan)
        })
        .collect();
    let value: Vec<Value> = judged.iter().map(|(s, plan)| json_of(s, plan)).collect();
    cx.out(&Value::from(value), || {
        if judged.is_empty() {
            return [say::empty_title(), say::empty_add(), say::empty_import(), say::empty_config()].join("\n");
        }
        let mut lines = vec![format!("{} {}", say::night_question(), words::night(judged.iter().map(|j| &j.0)).1)];
        for (s, plan) in &judged {
            let word = words::verdict_word(s.verdict);
            lines.push(format!("{}  {}  {}", cell(&s.system, 20), cell(&word, 14), words::reason(s, plan)));
            if !s.missed.is_empty() {
                lines.push(format!("{}{}", " ".repeat(38), say::missed_days(&dates_text(&s.missed))));
            }
        }
        lines.join("\n")
    });
    let safe = judged.iter().all(|(s, _)| s.verdict == Verdict::Safe);
    if check && !safe { Err(CliError::CheckFailed) } else { Ok(()) }
}

/// Days in their order, those that follow one another as a range: `2026-11-03…2026-11-07 2026-11-20`.
fn dates_text(dates: &[chrono::NaiveDate]) -> String {
    let runs = dates.chunk_by(|a, b| a.succ_opt() == Some(*b));
    let text = |run: &[chrono::NaiveDate]| match run {
        [] => String::new(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first}…{last}"),
    };
    runs.map(text).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_a_row_are_told_as_one() {
        let days = ["2026-10-31", "2026-11-01", "2026-11-02", "2026-11-20"].map(|d| d.parse().expect("date"));
        assert_eq!(dates_text(&days), "2026-10-31…2026-11-02 2026-11-20");
        assert_eq!(dates_text(&[]), "");
    }
}
