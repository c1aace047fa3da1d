//! Runs the tools: nothing on standard input, a deadline of our own, a bound on what is read, times in UTC.
//!
//! The program and its options come from this machine's configuration file only, never from the shared store: whoever
//! may write to the store must not choose what runs here. Credentials go by environment, where `ps` does not show them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::{Context, MAX_BYTES, Report, borg, note, parse, restic};
use crate::backups::model::{LookState, Tool};
use crate::config::BackupSystem;
use crate::locale::backups as say;

/// A repository that a tool is to be run on.
#[derive(Debug, Clone)]
pub struct Target {
    /// The tool.
    pub tool: Tool,
    /// Where the repository is; for pgBackRest the stanza.
    pub repository: String,
    /// What the configuration says about it.
    pub own: BackupSystem,
}

#[derive(Debug)]
enum End {
    Code(i32),
    Signal,
    TimedOut,
    TooLarge,
    NotStarted(String),
}

#[derive(Debug)]
struct Output {
    end: End,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Reads up to `limit` bytes; `None` when there were more.
async fn read(from: Option<impl AsyncRead + Unpin>, limit: usize) -> Option<Vec<u8>> {
    let mut out = vec![];
    let Some(from) = from else { return Some(out) };
    // what cannot be read any more has been read
    _ = from.take(limit as u64 + 1).read_to_end(&mut out).await;
    (out.len() <= limit).then_some(out)
}

async fn output(mut command: Command, deadline: Duration) -> Output {
    let empty = |end| Output { end, stdout: vec![], stderr: vec![] };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return empty(End::NotStarted(e.to_string())),
    };
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id as i32));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (out, err) = tokio::join!(read(stdout, MAX_BYTES), read(stderr, MAX_BYTES / 16));
        match (out, err) {
            (Some(stdout), Some(stderr)) => match child.wait().await.map(|s| s.code()) {
                Ok(Some(code)) => Output { end: End::Code(code), stdout, stderr },
                _ => Output { end: End::Signal, stdout, stderr },
            },
            _ => empty(End::TooLarge),
        }
    };
    let done = tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| empty(End::TimedOut));
    if matches!(done.end, End::TimedOut | End::TooLarge) {
        // its helpers too (ssh, rclone)
        if let Some(group) = group {
            _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        _ = child.wait().await;
    }
    done
}

/// The variables of the tool's environment; an error is a reference that leads nowhere.
fn environment(target: &Target) -> Result<BTreeMap<OsString, OsString>, String> {
    let own = &target.own;
    let mut env: BTreeMap<OsString, OsString> = BTreeMap::new();
    let mut set = |key: &str, value: &str| {
        env.insert(key.into(), value.into());
    };
    set("TZ", "UTC");
    set("LC_ALL", "C.UTF-8");
    // ssh beneath the tool must not ask at the terminal of the console
    set("SSH_ASKPASS", "/bin/false");
    set("SSH_ASKPASS_REQUIRE", "force");
    let (location, password, command) = match target.tool {
        Tool::Restic => ("RESTIC_REPOSITORY", "RESTIC_PASSWORD", "RESTIC_PASSWORD_COMMAND"),
        Tool::Borg => ("BORG_REPO", "BORG_PASSPHRASE", "BORG_PASSCOMMAND"),
        Tool::Pgbackrest => ("", "PGBACKREST_REPO1_CIPHER_PASS", ""),
    };
    if !location.is_empty() && !target.repository.is_empty() {
        set(location, &target.repository);
    }
    if target.tool == Tool::Borg {
        for question in ["RELOCATED_REPO_ACCESS", "UNKNOWN_UNENCRYPTED_REPO_ACCESS"] {
            set(&format!("BORG_{question}_IS_OK"), "no");
        }
        set("BORG_EXIT_CODES", "modern");
        set("BORG_DISPLAY_PASSPHRASE", "no");
        let given = ["BORG_PASSPHRASE", "BORG_PASSCOMMAND", "BORG_PASSPHRASE_FD"];
        if !given.iter().any(|key| std::env::var_os(key).is_some()) {
            // unset, borg would ask at the terminal
            set("BORG_PASSPHRASE", "");
        }
    }
    if !own.password.is_empty() {
        set(password, &own.password.reveal()?);
    } else if !own.password_command.is_empty() && !command.is_empty() {
        set(command, &own.password_command);
        env.remove(&OsString::from("BORG_PASSPHRASE"));
    }
    for (key, value) in &own.env {
        env.insert(key.into(), value.reveal().map_err(|e| format!("{key}: {e}"))?.into());
    }
    Ok(env)
}

fn command(target: &Target, env: &BTreeMap<OsString, OsString>, args: &[&str]) -> Command {
    let own = &target.own;
    let program = if own.command.is_empty() { target.tool.word() } else { &own.command };
    let mut command = Command::new(program);
    command.args(&own.options).args(args).envs(env);
    command
}

fn lost(state: LookState, said: &str) -> Report {
    Report { look: (state, note(said)), ..Report::default() }
}

/// Why there is no exit code.
fn not_ended(target: &Target, end: &End, deadline: Duration) -> Option<Report> {
    let own = &target.own;
    let program = if own.command.is_empty() { target.tool.word() } else { &own.command };
    Some(match end {
        End::Code(_) => return None,
        End::Signal => lost(LookState::Failed, &say::killed(program)),
        End::TimedOut => {
            let limit = crate::config::Dur(deadline.as_millis() as i64).to_string();
            lost(LookState::Unreachable, &say::no_answer(program, &limit))
        }
        End::TooLarge => lost(LookState::Unparseable, &say::too_large(MAX_BYTES >> 20)),
        End::NotStarted(why) => lost(LookState::Failed, &say::not_started(program, why)),
    })
}

/// The report of a tool that ended with an error: what its standard error says.
fn refused(tool: Tool, code: i32, stderr: &[u8]) -> Report {
    let said = String::from_utf8_lossy(stderr);
    let json = || super::json_lines(&said).unwrap_or_default();
    let (state, message) = match tool {
        Tool::Restic => {
            let exit = json().into_iter().find(|(_, v)| super::text_at(v, "message_type") == Some("exit_error"));
            let (code, message) = exit.map_or((i64::from(code), said.to_string()), |(_, v)| {
                let message = super::text_at(&v, "message").unwrap_or_default().to_owned();
                (v.get("code").and_then(serde_json::Value::as_i64).unwrap_or(1), message)
            });
            (restic::state_of(code, &message), message)
        }
        Tool::Borg => {
            let messages: Vec<(String, String)> = json()
                .into_iter()
                .map(|(_, v)| {
                    let text = |key| super::text_at(&v, key).unwrap_or_default().to_owned();
                    (text("msgid"), text("message"))
                })
                .collect();
            let known = messages.iter().find_map(|(id, m)| borg::state_of(id, m).map(|s| (s, m.clone())));
            known.unwrap_or_else(|| {
                let last = messages.into_iter().next_back().map(|(_, m)| m);
                (LookState::Failed, last.unwrap_or_else(|| said.to_string()))
            })
        }
        Tool::Pgbackrest => (LookState::Failed, said.to_string()),
    };
    let message = if message.trim().is_empty() { say::exit_code(i64::from(code)) } else { message };
    lost(if state == LookState::Ok { LookState::Failed } else { state }, &message)
}

/// Lists what the repository holds.
pub async fn look(target: &Target, cx: &Context, deadline: Duration) -> Report {
    let env = match environment(target) {
        Ok(env) => env,
        Err(why) => return lost(LookState::Auth, &why),
    };
    let stanza = format!("--stanza={}", target.repository);
    let args: &[&str] = match target.tool {
        // without a lock: looking must neither wait for a backup nor hold one up
        Tool::Restic => &["--json", "--no-lock", "snapshots"],
        Tool::Borg => {
            &["--log-json", "--lock-wait", "5", "list", "--json", "--format", "{start}{end}{hostname}{comment}"]
        }
        Tool::Pgbackrest if target.repository.is_empty() => &["info", "--output=json"],
        Tool::Pgbackrest => &[&stanza, "info", "--output=json"],
    };
    let done = output(command(target, &env, args), deadline).await;
    let code = match done.end {
        End::Code(code) => code,
        end => return not_ended(target, &end, deadline).unwrap_or_default(),
    };
    // borg 1 and 100 to 127: warnings, the listing is whole
    let warned = target.tool == Tool::Borg && (code == 1 || (100..=127).contains(&code));
    if code != 0 && !warned {
        return refused(target.tool, code, &done.stderr);
    }
    let mut report = match parse(target.tool, &done.stdout, cx) {
        Ok(report) => report,
        Err(why) => return lost(LookState::Unparseable, &why),
    };
    if target.tool == Tool::Borg && !report.runs.is_empty() {
        // sizes are told for single archives only; the newest two weeks are worth the reading
        let args = ["--log-json", "--lock-wait", "5", "info", "--json", "--last", "14"];
        let done = output(command(target, &env, &args), deadline).await;
        if let (End::Code(0), Ok(sizes)) = (done.end, parse(Tool::Borg, &done.stdout, cx)) {
            for sized in sizes.runs {
                if let Some(run) = report.runs.iter_mut().find(|r| r.id == sized.id) {
                    (run.source_bytes, run.added_bytes, run.ratio) =
                        (sized.source_bytes, sized.added_bytes, sized.ratio);
                }
            }
        }
    }
    report
}

/// Verifies the repository: its structure, or with `deep` every byte of its data. Never repairs anything.
pub async fn verify(target: &Target, cx: &Context, deep: bool, deadline: Duration) -> Report {
    let env = match environment(target) {
        Ok(env) => env,
        Err(why) => return lost(LookState::Auth, &why),
    };
    let stanza = format!("--stanza={}", target.repository);
    let mut args: Vec<&str> = match target.tool {
        Tool::Restic => vec!["--json", "check"],
        Tool::Borg => vec!["--log-json", "--lock-wait", "5", "check", "-v"],
        Tool::Pgbackrest => vec![&stanza, "--log-level-console=error", "verify", "--output=text", "--verbose"],
    };
    if deep {
        match target.tool {
            Tool::Restic => args.push("--read-data"),
            Tool::Borg => args.push("--verify-data"),
            Tool::Pgbackrest => {}
        }
    }
    let done = output(command(target, &env, &args), deadline).await;
    let code = match done.end {
        End::Code(code) => code,
        end => return not_ended(target, &end, deadline).unwrap_or_default(),
    };
    let mut all = done.stdout;
    all.push(b'\n');
    all.extend_from_slice(&done.stderr);
    let cx = Context { read_data: deep, ..cx.clone() };
    match parse(target.tool, &all, &cx) {
        Ok(mut report) => {
            // success is the exit code and the content, never one of them alone
            for check in report.checks.iter_mut().filter(|_| code != 0) {
                check.ok = false;
                if check.note.is_empty() {
                    check.note = say::exit_code(i64::from(code));
                }
            }
            if report.checks.is_empty() && report.look.0 == LookState::Ok {
                return refused(target.tool, code, &done.stderr);
            }
            // a check lists nothing, whatever it printed beside
            report.runs.clear();
            report
        }
        Err(_) if code != 0 => refused(target.tool, code, &done.stderr),
        Err(why) => lost(LookState::Unparseable, &why),
    }
}
