//! restic 0.12 to 0.19: `snapshots --json`, the summaries of `backup`, `check` and `restore`, and its errors.
//!
//! **Which instant counts.** `time` is the instant that the data show, and what `--time` sets (a file-system snapshot
//! of 02:00 may be saved at 09:00); `summary.backup_start` is when restic ran. Plan, RPO and calendar go by the data,
//! so by `time`, but never later than `backup_start`: data cannot be newer than their reading, and an RPO must not be
//! flattered. Where the two differ both are shown. Snapshots before 0.17 carry `time` only.

use serde_json::Value;

use super::super::model::{Check, LookState, Outcome, Run, level};
use super::{Context, Report, bytes_at, json, json_lines, need, note, ratio, text_at};
use crate::clock::{Millis, parse_rfc3339};
use crate::locale::backups as say;

/// restic's exit code for "at least one source file could not be read".
const PARTIAL: i64 = 3;

pub(super) fn parse(text: &str, cx: &Context) -> Result<Report, String> {
    if text.starts_with('[') || text == "null" {
        return snapshots(&json(text)?, cx);
    }
    let lines = json_lines(text)?;
    let mut report = Report::default();
    let mut known = false;
    let exit = lines.iter().find(|(_, v)| text_at(v, "message_type") == Some("exit_error"));
    let code = exit.and_then(|(_, v)| v.get("code")?.as_i64());
    let said = exit.and_then(|(_, v)| text_at(v, "message")).unwrap_or_default();
    if let Some(code) = code {
        report.look = (state_of(code, said), note(said));
    }
    for (line, v) in &lines {
        if text_at(v, "message_type") != Some("summary") {
            continue;
        }
        known = true;
        if v.get("num_errors").is_some() {
            let errors = v["num_errors"]
                .as_i64()
                .ok_or_else(|| say::bad_field(&say::line(*line), "num_errors", &v["num_errors"].to_string()))?;
            // locked, no password, no repository: the "error" that is counted is that nothing was checked
            if !matches!(code, Some(10..=12 | 130)) {
                let said = damage(&lines);
                let broken = v.get("broken_packs").and_then(Value::as_array).into_iter().flatten();
                let broken: Vec<&str> = broken.filter_map(Value::as_str).collect();
                let packs = !broken.is_empty();
                let said = if said.is_empty() && packs { say::broken_packs(&broken.join(" ")) } else { said };
                // the summary alone reads the same for a lock and for damage
                if errors > 0 && code.is_none() && said.is_empty() && !packs {
                    return Err(say::needs_stderr());
                }
                // a pack that reads wrong was read: a look at the structure alone does not clear it
                let deep = Context { read_data: cx.read_data || packs || said.contains("contains"), ..cx.clone() };
                report.checks.push(check(errors == 0 && code.unwrap_or(0) == 0, errors, &deep, &said));
            }
        } else if v.get("files_restored").is_some() {
            report.checks.push(restored(v, cx));
        } else if v.get("total_bytes_processed").is_some() {
            report.runs.push(backed_up(v, code, said, cx)?);
        } else {
            known = false;
        }
    }
    if known && report.look.0 == LookState::Failed {
        // it answered: what went wrong is told by the run or the check
        report.look = (LookState::Ok, String::new());
    }
    if !known && let Some(outcome) = plain_check(text) {
        known = true;
        match outcome {
            Ok(ok) => {
                let deep = cx.read_data || text.contains("read all data") || text.contains("read group #");
                let cx = Context { read_data: deep, ..cx.clone() };
                report.checks.push(check(ok, i64::from(!ok), &cx, &plain_damage(text)));
            }
            Err((state, said)) => report.look = (state, said),
        }
    }
    if !known && said.contains("repository contains errors") {
        known = true;
        report.look = (LookState::Ok, String::new());
        let said = damage(&lines);
        let deep = Context { read_data: cx.read_data || said.contains("contains"), ..cx.clone() };
        report.checks.push(check(false, 1, &deep, &said));
    }
    if !known && lines.iter().any(|(_, v)| text_at(v, "during") == Some("restore")) {
        known = true;
        report.look = (LookState::Ok, String::new());
        report.checks.push(Check { level: level::FILES, ..check(false, 1, cx, &damage(&lines)) });
    }
    if !known && code == Some(PARTIAL) {
        return Err(say::needs_stdout());
    }
    if !known && let Some(code) = code {
        known = true;
        // what failed is not said; a backup that failed leaves a run, a repository that does not answer leaves none
        if report.look.0 == LookState::Ok || report.look.0 == LookState::Failed {
            report.look = (LookState::Ok, String::new());
            report.runs.push(failed(cx.at, &say::exit_code(code), said));
        }
    }
    if known { Ok(report) } else { Err(say::nothing_known("restic snapshots --json, check --json, backup --json")) }
}

/// A run that failed and left no snapshot.
fn failed(at: Millis, what: &str, said: &str) -> Run {
    let said = if said.is_empty() { what.to_owned() } else { note(said) };
    Run { outcome: Outcome::Failed, note: said, name: String::new(), ..Run::new(format!("failed:{at}"), at) }
}

/// What an exit code (0.17 on) or a message (before) says about the repository.
pub(super) fn state_of(code: i64, said: &str) -> LookState {
    let said = said.to_lowercase();
    match code {
        0 => LookState::Ok,
        10 => LookState::Missing,
        11 => LookState::Locked,
        12 => LookState::Auth,
        _ if said.contains("already locked") || said.contains("unable to create lock") => LookState::Locked,
        _ if said.contains("wrong password") || said.contains("empty password") || said.contains("no key found") => {
            LookState::Auth
        }
        _ if said.contains("context canceled")
            || said.contains("connection refused")
            || said.contains("dial tcp")
            || said.contains("no route to host")
            || said.contains("i/o timeout") =>
        {
            LookState::Unreachable
        }
        _ if said.contains("unable to open config file") || said.contains("repository does not exist") => {
            LookState::Missing
        }
        _ => LookState::Failed,
    }
}

fn snapshots(all: &Value, cx: &Context) -> Result<Report, String> {
    let mut report = Report { listing: cx.host.is_empty() && cx.path.is_empty(), ..Report::default() };
    let Some(items) = all.as_array() else { return Ok(report) };
    let mut number = 0;
    for item in items {
        // `--group-by` nests the snapshots
        let inner: Vec<&Value> = match item.get("snapshots") {
            Some(Value::Array(inner)) => inner.iter().collect(),
            _ => vec![item],
        };
        for v in inner {
            number += 1;
            let place = say::snapshot(number);
            if !v.is_object() {
                return Err(say::bad_field(&place, "{}", &super::shorten(v)));
            }
            if let Some(version) = text_at(v, "program_version") {
                version.trim_start_matches("restic ").clone_into(&mut report.version);
            }
            let paths: Vec<&str> =
                v.get("paths").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            let host = text_at(v, "hostname").unwrap_or_default();
            if (!cx.host.is_empty() && host != cx.host) || (!cx.path.is_empty() && !paths.contains(&cx.path.as_str())) {
                continue;
            }
            report.runs.push(snapshot(v, host, &paths, &place, cx)?);
        }
    }
    Ok(report)
}

fn snapshot(v: &Value, host: &str, paths: &[&str], place: &str, cx: &Context) -> Result<Run, String> {
    let id = need(v, "id", place)?;
    let time = instant(need(v, "time", place)?, "time", place)?;
    let empty = Value::Null;
    let summary = v.get("summary").unwrap_or(&empty);
    let start = match text_at(summary, "backup_start") {
        Some(text) => Some(instant(text, "summary.backup_start", place)?),
        None => None,
    };
    let end = text_at(summary, "backup_end").map(|t| instant(t, "summary.backup_end", place)).transpose()?;
    let tags = v.get("tags").and_then(Value::as_array).into_iter().flatten();
    Ok(Run {
        at: start.map_or(time, |s| s.min(time)),
        ran_at: start.unwrap_or(time),
        ended_at: end,
        name: id.chars().take(8).collect(),
        host: host.to_owned(),
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        source_bytes: bytes_at(summary, "total_bytes_processed"),
        added_bytes: bytes_at(summary, "data_added"),
        ratio: ratio(bytes_at(summary, "data_added"), bytes_at(summary, "data_added_packed")),
        note: note(&paths.join(" ")),
        seen_at: cx.at,
        ..Run::new(id, time)
    })
}

fn instant(text: &str, key: &str, place: &str) -> Result<Millis, String> {
    parse_rfc3339(text).map_err(|_| say::bad_field(place, key, &crate::text::clean(text)))
}

fn backed_up(v: &Value, code: Option<i64>, said: &str, cx: &Context) -> Result<Run, String> {
    let place = say::summary();
    let start = text_at(v, "backup_start").map(|t| instant(t, "backup_start", &place)).transpose()?;
    let end = text_at(v, "backup_end").map(|t| instant(t, "backup_end", &place)).transpose()?;
    let took = v.get("total_duration").and_then(Value::as_f64).unwrap_or(0.0).clamp(0.0, 1e7);
    let at = start.unwrap_or(cx.at - (took * 1_000.0) as Millis);
    let outcome = match code {
        None | Some(0) => Outcome::Ok,
        Some(PARTIAL) => Outcome::Partial,
        Some(_) => Outcome::Failed,
    };
    // `--skip-if-unchanged`: the run went well and left no snapshot, the one before still shows the data of now
    let id = text_at(v, "snapshot_id").map_or_else(|| format!("unchanged:{at}"), str::to_owned);
    Ok(Run {
        ended_at: end.or(Some(at + (took * 1_000.0) as Millis)),
        name: text_at(v, "snapshot_id").unwrap_or("unchanged").chars().take(9).collect(),
        outcome,
        source_bytes: bytes_at(v, "total_bytes_processed"),
        added_bytes: bytes_at(v, "data_added"),
        ratio: ratio(bytes_at(v, "data_added"), bytes_at(v, "data_added_packed")),
        note: note(said),
        seen_at: cx.at,
        ..Run::new(id, at)
    })
}

fn check(ok: bool, errors: i64, cx: &Context, said: &str) -> Check {
    Check {
        id: 0,
        offsite: cx.offsite,
        at: cx.at,
        level: if cx.read_data { level::DATA } else { level::STRUCTURE },
        ok,
        errors: Some(errors),
        minutes: None,
        share: None,
        note: note(said),
    }
}

fn restored(v: &Value, cx: &Context) -> Check {
    let (all, done) = (bytes_at(v, "total_files").unwrap_or(0), bytes_at(v, "files_restored").unwrap_or(0));
    let seconds = v.get("seconds_elapsed").and_then(Value::as_f64).filter(|s| *s > 0.0);
    Check {
        level: level::FILES,
        minutes: seconds.map(|s| s / 60.0),
        note: say::restored_files(done, all),
        ..check(all > 0 && done == all, (all - done).max(0), cx, "")
    }
}

/// The messages about damage, the most telling first.
fn damage(lines: &[(usize, Value)]) -> String {
    let messages = lines.iter().filter(|(_, v)| text_at(v, "message_type") == Some("error"));
    let messages = messages.filter_map(|(_, v)| text_at(v, "message").or_else(|| text_at(v.get("error")?, "message")));
    messages.map(str::trim).find(|m| !m.is_empty()).unwrap_or_default().to_owned()
}

/// The text that `check` printed before 0.18.
fn plain_check(text: &str) -> Option<Result<bool, (LookState, String)>> {
    let fatal = text.lines().find_map(|l| l.trim().strip_prefix("Fatal: "));
    if text.contains("no errors were found") {
        return Some(Ok(true));
    }
    match fatal {
        Some(said) if said.contains("repository contains errors") => Some(Ok(false)),
        Some(said) => Some(Err((state_of(1, said), note(said)))),
        None if text.contains("unable to create lock") => Some(Err((LookState::Locked, note(text)))),
        None => None,
    }
}

fn plain_damage(text: &str) -> String {
    let telling = |l: &&str| l.starts_with("error") || l.contains("does not match") || l.contains("failed");
    text.lines().map(str::trim).find(telling).unwrap_or_default().to_owned()
}
