//! `zhiban account`

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Subcommand;
use serde_json::{Value, json};

use super::context::time;
use super::{CliError, Cx};
use crate::accounts::actions::{Decide, ImportAccounts, ImportRoster, TakeBack, Verdict};
use crate::accounts::audit::{Audit, Finding, audit};
use crate::accounts::decisions::{State, state};
use crate::accounts::model::{BadRow, Book, end_of_day, zone};
use crate::accounts::rules::{Coverage, RULES, finding_id};
use crate::accounts::{sources, store, words};
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
        /// The file is complete, however much shorter than the last it is
        #[arg(long, alias = "force")]
        complete: bool,
    },
    /// Take in the HR roster (CSV)
    Hr {
        /// The file
        file: PathBuf,
        /// The file is complete, however much shorter than the last it is
        #[arg(long, alias = "force")]
        complete: bool,
    },
    /// What is wrong, worst first
    Audit {
        /// As of when (RFC 3339); now where it is not given
        #[arg(long, value_parser = time)]
        at: Option<Millis>,
    },
    /// Every rule with its definition and thresholds, and whether it was checked
    Rules {
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
        /// Until when (YYYY-MM-DD: the end of that day, or RFC 3339); keeping needs it
        #[arg(long)]
        until: Option<String>,
        /// As of when the finding was listed (RFC 3339)
        #[arg(long, value_parser = time)]
        at: Option<Millis>,
    },
    /// What is to be done in the directory
    Instructions,
    /// The last import of each system and of the roster, with the rows that were set aside
    Imports,
    /// Take the last import of a system or of the roster back, or a decision
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Undo {
        /// The system whose last import is taken back
        #[arg(long, group = "what")]
        system: Option<String>,
        /// The last roster
        #[arg(long, group = "what")]
        hr: bool,
        /// The finding whose decision is taken back
        #[arg(long, group = "what", value_name = "ID")]
        finding: Option<String>,
    },
}

/// The book and its audit.
async fn audited(cx: &Cx, at: Option<Millis>) -> Result<(Book, Audit), CliError> {
    let rules = &cx.config().accounts;
    let book = store::book(cx.store().await?, rules).await?;
    let now = cx.clock().now();
    let found = audit(&book, at.unwrap_or(now), now, rules);
    Ok((book, found))
}

/// What a finding is about: system and account. One that is not found at this instant may have been listed at another:
/// its number tells rule, system and account all the same.
fn named(book: &Book, found: &[Finding], id: &str) -> Option<(String, String)> {
    if let Some(f) = found.iter().find(|f| f.id == id) {
        return Some((if f.is_account { f.system.clone() } else { String::new() }, f.account.clone()));
    }
    let rule = RULES.iter().find(|r| id.strip_prefix(r.id).is_some_and(|rest| rest.starts_with('-')))?;
    let account = book.accounts.iter().find(|a| finding_id(rule.id, &a.system, &a.account) == id);
    let person = book.people.iter().find(|p| finding_id(rule.id, "", &p.person) == id);
    account.map(|a| (a.system.clone(), a.account.clone())).or_else(|| person.map(|p| (String::new(), p.person.clone())))
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(|e| CliError::Usage(format!("{}: {e}", file.display())))
}

fn warn(bad: &[BadRow]) {
    const SHOWN: usize = 20;
    use std::io::Write as _;
    let mut err = std::io::stderr().lock();
    let mut tell = |line: String| _ = writeln!(err, "{}", crate::text::clean(&line));
    for row in bad.iter().take(SHOWN) {
        tell(say::bad_row(row.line, &row.why));
    }
    if bad.len() > SHOWN {
        tell(say::bad_more(bad.len() - SHOWN));
    }
}

fn finding_json(f: &Finding, cx: &Cx) -> Value {
    json!({"id": f.id, "account": f.account, "finding": f.rule.finding, "severity": f.severity,
        "evidence": words::evidence(f, &cx.config().accounts), "since": f.since.map(rfc3339)})
}

fn coverage_json(c: &Coverage, cx: &Cx) -> Value {
    let why = words::coverage(c);
    json!({"id": c.rule.id, "finding": c.rule.finding, "severity": c.rule.severity,
        "definition": words::definition(c.rule, &cx.config().accounts), "checked": c.missing.is_none(),
        "note": (!why.is_empty()).then_some(why), "not_in": c.not_in})
}

pub(super) async fn run(cx: &Cx, cmd: Cmd) -> Result<(), CliError> {
    match cmd {
        Cmd::Import { file, system, complete } => {
            let bytes = read(&file)?;
            let rules = &cx.config().accounts;
            let head: String = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
            let first =
                head.lines().map(|l| l.trim_start_matches('\u{feff}')).find(|l| !l.is_empty() && !l.starts_with('#'));
            let ldif = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("ldif"))
                || first.is_some_and(|l| l.starts_with("dn:") || l.starts_with("version: 1"));
            let read = if ldif {
                sources::accounts_ldif(&bytes, &system)
            } else {
                sources::accounts_csv(&bytes, &system, &rules.columns, zone(rules))
            };
            let read = read.map_err(|e| CliError::Usage(format!("{}: {e}", file.display())))?;
            warn(&read.bad);
            cx.done(&cx.door().await?.run(&ImportAccounts { system, file: read, complete }).await?);
        }
        Cmd::Hr { file, complete } => {
            let read =
                sources::roster(&read(&file)?).map_err(|e| CliError::Usage(format!("{}: {e}", file.display())))?;
            warn(&read.bad);
            cx.done(&cx.door().await?.run(&ImportRoster { file: read, complete }).await?);
        }
        Cmd::Audit { at } => {
            let (_, found) = audited(cx, at).await?;
            let value: Vec<Value> = found.findings.iter().map(|f| finding_json(f, cx)).collect();
            cx.out(&Value::from(value), || listing(cx, &found));
        }
        Cmd::Rules { at } => {
            let (_, found) = audited(cx, at).await?;
            let value: Vec<Value> = found.coverage.iter().map(|c| coverage_json(c, cx)).collect();
            cx.out(&Value::from(value), || {
                let line = |c: &Coverage| {
                    let (word, why) = (words::finding_word(c.rule.finding), words::coverage(c));
                    let mark = if c.missing.is_some() { say::not_checked() } else { say::checked() };
                    let head = format!("{:<8} {}  {mark}  {why}", c.rule.id, crate::text::cell(&word, 26));
                    format!("{}\n         {}\n", head.trim_end(), words::definition(c.rule, &cx.config().accounts))
                };
                found.coverage.iter().map(line).collect()
            });
        }
        Cmd::Decide { id, decision, reason, until, at } => {
            let (book, found) = audited(cx, at).await?;
            let (system, account) =
                named(&book, &found.findings, &id).ok_or_else(|| CliError::NotFound(say::not_listed(&id)))?;
            let zone = zone(&cx.config().accounts);
            let until = until.map(|text| match text.parse::<NaiveDate>() {
                Ok(day) => Ok(end_of_day(day, zone)),
                Err(_) => time(&text),
            });
            let until = until.transpose().map_err(|e| CliError::Usage(format!("--until: {e}")))?;
            let verdict = Some(Verdict { decision, reason, until });
            cx.done(&cx.door().await?.run(&Decide { finding: id, system, account, verdict, seen: None }).await?);
        }
        Cmd::Instructions => instructions(cx).await?,
        Cmd::Imports => {
            let feeds = store::feeds(cx.store().await?).await?;
            let value = |f: &crate::accounts::model::Feed| {
                let bad: Vec<Value> =
                    f.bad.iter().map(|b| json!({"line": b.line, "key": b.key, "reason": b.why})).collect();
                let system = if f.system.is_empty() { "hr" } else { &f.system };
                json!({"import": f.id, "system": system, "at": rfc3339(f.at), "by": f.actor, "rows": f.rows, "bad_rows": bad})
            };
            let all: Vec<Value> = feeds.iter().map(value).collect();
            cx.out(&Value::from(all), || {
                let line = |f: &crate::accounts::model::Feed| {
                    let system = if f.system.is_empty() { "hr" } else { &f.system };
                    let head = format!("{:>5}  {}  {:<16} {:>7}  {}\n", f.id, rfc3339(f.at), system, f.rows, f.actor);
                    let bad: String =
                        f.bad.iter().map(|b| format!("       {} {}\n", say::bad_row(b.line, &b.why), b.key)).collect();
                    head + &bad
                };
                feeds.iter().map(line).collect()
            });
        }
        Cmd::Undo { system, hr, finding } => {
            let door = cx.door().await?;
            if let Some(id) = finding {
                let all = store::decisions(cx.store().await?).await?;
                let d = all.into_iter().find(|d| d.finding == id).ok_or(CliError::NotFound(id))?;
                let back = Decide {
                    finding: d.finding,
                    system: d.system,
                    account: d.account,
                    verdict: None,
                    seen: Some(Some(d.at)),
                };
                cx.done(&door.run(&back).await?);
            } else {
                let system = if hr { String::new() } else { system.unwrap_or_default() };
                let feeds = store::feeds(cx.store().await?).await?;
                let last = feeds.iter().find(|f| f.system == system);
                let name = if hr { "hr" } else { &system };
                let import = last.ok_or_else(|| CliError::NotFound(say::no_import(name)))?.id;
                cx.done(&door.run(&TakeBack { import, again: false }).await?);
            }
        }
    }
    Ok(())
}

/// The findings, and what was not checked.
fn listing(cx: &Cx, found: &Audit) -> String {
    use crate::text::cell;
    let line = |f: &Finding| {
        format!(
            "{}  {}  {}  {}  {}\n",
            cell(&f.id, 18),
            cell(&words::severity_word(f.severity), 8),
            cell(&crate::text::clean(&f.account), 20),
            cell(&words::finding_word(f.rule.finding), 24),
            words::evidence(f, &cx.config().accounts)
        )
    };
    let mut out: String = found.findings.iter().map(line).collect();
    let off = found.coverage.iter().filter(|c| c.missing.is_some() || !c.not_in.is_empty());
    let off: String = off
        .map(|c| {
            let word = cell(&words::finding_word(c.rule.finding), 26);
            format!("{:<8} {word}  {}: {}\n", c.rule.id, say::not_checked(), words::coverage(c))
        })
        .collect();
    if !off.is_empty() {
        out.push('\n');
        out.push_str(&off);
    }
    out
}

async fn instructions(cx: &Cx) -> Result<(), CliError> {
    let s = cx.store().await?;
    let now = cx.clock().now();
    let (_, found) = audited(cx, None).await?;
    let present = |id: &str| found.findings.iter().any(|f| f.id == id);
    let all: Vec<(crate::accounts::decisions::Decision, State)> = store::decisions(s)
        .await?
        .into_iter()
        .filter(|d| d.decision == "freeze")
        .map(|d| {
            let stands = state(Some(&d), present(&d.finding), now);
            (d, stands)
        })
        .collect();
    let value = all.iter().map(|(d, stands)| {
        json!({"id": d.finding, "account": d.account, "system": d.system, "instruction": d.instruction, "reason": d.reason,
            "by": d.actor, "decided_at": rfc3339(d.at), "state": stands.word(), "done_at": d.done_at.map(rfc3339)})
    });
    cx.out(&value.collect::<Vec<_>>().into(), || {
        let open = all.iter().filter(|(_, stands)| *stands == State::Instructed);
        open.map(|(d, _)| match d.instruction.as_str() {
            "remove_rights" => say::instruct_rights(&d.account, &d.system, &d.reason),
            _ => say::instruct_freeze(&d.account, &d.system, &d.reason),
        })
        .collect::<Vec<_>>()
        .join("\n")
    });
    Ok(())
}
