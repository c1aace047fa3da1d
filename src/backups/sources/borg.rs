//! borg 1.1 to 1.4: `list --json`, `info --json`, `create --json`, and the log of `check` (text or `--log-json`).
//!
//! borg prints local times without a zone: the same archive reads 10:00 under Asia/Shanghai and 02:00 under UTC. Our own
//! scans run it with `TZ=UTC`; files made elsewhere are read in `backups.borg_zone` (or `--zone`).

use chrono::{NaiveDateTime, TimeZone as _};
use serde_json::Value;

use super::super::model::{Check, LookState, Outcome, Run, level};
use super::{Context, Report, bytes_at, json, json_lines, need, note, ratio, text_at};
use crate::clock::{Millis, parse_rfc3339};
use crate::locale::backups as say;

pub(super) fn parse(text: &str, cx: &Context) -> Result<Report, String> {
    if let Some(report) = with_log(text, cx)? {
        return Ok(report);
    }
    // one JSON document is spread over lines; the log is one object a line
    let first = text.lines().next().unwrap_or_default();
    let is_log = first.contains("\"type\":") || !text.starts_with('{');
    if is_log { log(text, cx) } else { document(&json(text)?, cx) }
}

/// A document and the log around it, as `borg --log-json create --json > FILE 2>&1` writes them: an archive that was made
/// with warnings is not of everything. `None` where that is not what the text holds.
fn with_log(text: &str, cx: &Context) -> Result<Option<Report>, String> {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter::<Value>().collect();
    let Ok(values) = values else { return Ok(None) };
    let is_document = |v: &&Value| v.get("archives").is_some() || v.get("archive").is_some();
    let Some(made) = values.iter().find(is_document).filter(|_| values.len() > 1) else { return Ok(None) };
    let mut report = document(made, cx)?;
    let is_bad = |v: &&Value| matches!(text_at(v, "levelname"), Some("WARNING" | "ERROR" | "CRITICAL"));
    if let Some(said) = values.iter().find(is_bad)
        && made.get("archive").is_some()
    {
        for run in &mut report.runs {
            (run.outcome, run.note) = (Outcome::Partial, note(text_at(said, "message").unwrap_or_default()));
        }
    }
    Ok(Some(report))
}

fn document(v: &Value, cx: &Context) -> Result<Report, String> {
    let mut report = Report::default();
    if let Some(mode) = v.get("encryption").and_then(|e| text_at(e, "mode")) {
        mode.clone_into(&mut report.encryption);
    }
    match (v.get("archives"), v.get("archive")) {
        (Some(Value::Array(all)), _) => {
            // `info` shows the archives it was asked for, `list` all of them (or `--first`, which it does not tell)
            report.listing = v.get("cache").is_none();
            for (i, item) in all.iter().enumerate() {
                report.runs.push(archive(item, &say::archive(i + 1), cx)?);
            }
        }
        (None, Some(one)) => report.runs.push(archive(one, &say::archive(1), cx)?),
        (None, None) if v.get("repository").is_some() => {}
        _ => return Err(say::nothing_known("borg list --json, info --json, create --json, check --log-json")),
    }
    Ok(report)
}

/// A local time without a zone, in the zone of the context.
fn instant(text: &str, key: &str, place: &str, cx: &Context) -> Result<Millis, String> {
    if let Ok(at) = parse_rfc3339(text) {
        return Ok(at);
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f");
    let at = naive.ok().and_then(|t| cx.zone.from_local_datetime(&t).earliest());
    at.map(|t| t.timestamp_millis()).ok_or_else(|| say::bad_field(place, key, &crate::text::clean(text)))
}

fn archive(v: &Value, place: &str, cx: &Context) -> Result<Run, String> {
    let name = match text_at(v, "name").or_else(|| text_at(v, "archive")) {
        Some(name) => name,
        None => need(v, "name", place)?,
    };
    let start = match text_at(v, "start").or_else(|| text_at(v, "time")) {
        Some(start) => instant(start, "start", place, cx)?,
        None => instant(need(v, "start", place)?, "start", place, cx)?,
    };
    let end = text_at(v, "end").map(|t| instant(t, "end", place, cx)).transpose()?;
    let empty = Value::Null;
    let stats = v.get("stats").unwrap_or(&empty);
    let source = bytes_at(stats, "original_size");
    Ok(Run {
        ended_at: end.map(|e| e.max(start)),
        name: name.to_owned(),
        host: text_at(v, "hostname").unwrap_or_default().to_owned(),
        source_bytes: source,
        added_bytes: bytes_at(stats, "deduplicated_size"),
        ratio: ratio(source, bytes_at(stats, "compressed_size")),
        note: note(text_at(v, "comment").unwrap_or_default()),
        seen_at: cx.at,
        ..Run::new(need(v, "id", place)?, start)
    })
}

/// What a message id (or, before 1.2, the text) says about the repository.
pub(super) fn state_of(msgid: &str, said: &str) -> Option<LookState> {
    Some(match msgid {
        "Repository.DoesNotExist" | "Repository.InvalidRepository" | "Repository.ParentPathDoesNotExist" => {
            LookState::Missing
        }
        "PassphraseWrong" | "PasswordRetriesExceeded" | "NoPassphraseFailure" | "PasscommandFailure" => LookState::Auth,
        "LockTimeout" | "LockFailed" | "LockError" | "LockErrorT" => LookState::Locked,
        "ConnectionClosed" | "ConnectionClosedWithHint" | "ConnectionBrokenWithHint" => LookState::Unreachable,
        _ if said.contains("does not exist") && said.starts_with("Repository") => LookState::Missing,
        _ if said.contains("passphrase") && said.contains("incorrect") => LookState::Auth,
        _ if said.contains("acquire the lock") => LookState::Locked,
        _ if said.contains("Connection closed by remote host") => LookState::Unreachable,
        _ => return None,
    })
}

struct Line {
    at: Option<Millis>,
    error: bool,
    msgid: String,
    message: String,
}

fn log(text: &str, cx: &Context) -> Result<Report, String> {
    let mut lines: Vec<Line> = json_lines(text)?
        .into_iter()
        .filter(|(_, v)| text_at(v, "type") == Some("log_message"))
        .map(|(_, v)| Line {
            at: v.get("time").and_then(Value::as_f64).map(|s| (s * 1_000.0) as Millis),
            error: matches!(text_at(&v, "levelname"), Some("ERROR" | "CRITICAL")),
            msgid: text_at(&v, "msgid").unwrap_or_default().to_owned(),
            message: text_at(&v, "message").unwrap_or_default().to_owned(),
        })
        .collect();
    if lines.is_empty() {
        let plain = text.lines().filter(|l| !l.trim_start().starts_with('{'));
        lines = plain
            .map(|l| Line { at: None, error: false, msgid: String::new(), message: l.trim().to_owned() })
            .collect();
    }
    let has = |part: &str| lines.iter().any(|l| l.message.contains(part));
    let mut report = Report::default();
    for l in &lines {
        if let Some(state) = state_of(&l.msgid, &l.message) {
            report.look = (state, note(&l.message));
            return Ok(report);
        }
    }
    // a check ends with one of these sentences for the repository and for the archives; each may be left out
    let bad = ["errors found", "Data integrity error", "Index object count mismatch"].iter().any(|p| has(p))
        || lines.iter().any(|l| l.message.contains("integrity errors") && !l.message.contains("with 0 integrity"));
    let good = has("no problems found");
    if bad || good {
        let errors = lines.iter().filter(|l| l.error).count();
        let said = lines.iter().find(|l| l.error || l.message.contains("rror")).map_or("", |l| &l.message);
        let deep = has("Finished cryptographic data integrity verification") || cx.read_data;
        report.checks.push(Check {
            id: 0,
            offsite: cx.offsite,
            at: lines.iter().rev().find_map(|l| l.at).unwrap_or(cx.at),
            level: if deep { level::DATA } else { level::STRUCTURE },
            ok: !bad,
            errors: Some(if bad { errors.max(1) as i64 } else { 0 }),
            minutes: None,
            share: None,
            note: if bad { note(said) } else { String::new() },
        });
        return Ok(report);
    }
    if let Some(l) = lines.iter().find(|l| l.error) {
        let at = l.at.unwrap_or(cx.at);
        let run = Run::new(format!("failed:{at}"), at);
        report.runs.push(Run { outcome: Outcome::Failed, note: note(&l.message), name: String::new(), ..run });
        return Ok(report);
    }
    Err(say::nothing_known("borg list --json, info --json, create --json, check --log-json"))
}
