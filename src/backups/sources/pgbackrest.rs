//! pgBackRest 2.x: `info --output=json` and `verify --output=text`.
//!
//! `info` always exits with 0: the truth is in `status.code`, `error` and the chain. With a wrong cipher passphrase it
//! prints raw decrypted garbage that no JSON parser takes; that is "cannot be read", not "no backups".

use serde_json::Value;

use super::super::model::{Check, Kind, LookState, Outcome, Run, level};
use super::{Context, Report, bytes_at, json, need, note, text_at};
use crate::clock::{Millis, SECOND};
use crate::locale::backups as say;

const FORMS: &str = "pgbackrest info --output=json, verify --output=text";

pub(super) fn parse(text: &str, cx: &Context) -> Result<Report, String> {
    if text.starts_with('[') || text.starts_with('{') {
        let v = json(text).map_err(|e| {
            // a file that begins like `info` and holds garbage further on
            if text.contains("\"cipher\"") || text.contains('\u{fffd}') { say::garbage(&e) } else { e }
        })?;
        return info(&v, cx);
    }
    verify(text, cx)
}

fn info(v: &Value, cx: &Context) -> Result<Report, String> {
    let Some(all) = v.as_array() else { return Err(say::nothing_known(FORMS)) };
    let names: Vec<&str> = all.iter().filter_map(|s| text_at(s, "name")).collect();
    let wanted = |name: &str| all.iter().find(|s| text_at(s, "name") == Some(name));
    let stanza = match all.as_slice() {
        [] => {
            let look = (LookState::Missing, say::no_stanza());
            return Ok(Report { look, listing: true, ..Report::default() });
        }
        [one] if cx.stanza.is_empty() || text_at(one, "name") == Some(&cx.stanza) => one,
        _ => wanted(&cx.stanza)
            .or_else(|| wanted(&cx.system))
            .ok_or_else(|| say::which_stanza(&crate::text::clean(&names.join(", "))))?,
    };
    let empty = Value::Null;
    let status = stanza.get("status").unwrap_or(&empty);
    let code =
        status.get("code").and_then(Value::as_i64).ok_or_else(|| say::no_field(&say::stanza(), "status.code"))?;
    let said = note(text_at(status, "message").unwrap_or_default());
    let held = status.get("lock").and_then(|l| l.get("backup")?.get("held")?.as_bool());
    // with `--set` one backup is told in full, and the others not at all
    let all_told = stanza.get("backup").and_then(Value::as_array).into_iter().flatten();
    let one_set = all_told.into_iter().any(|b| b.get("database-ref").is_some());
    let mut report = Report {
        look: match code {
            // 2: it answers and holds nothing; 4: repositories differ, what is there is listed
            0 | 2 | 4 => (LookState::Ok, if code == 0 { String::new() } else { said }),
            1 | 3 => (LookState::Missing, said),
            5 | 6 => (LookState::Failed, said),
            _ => (LookState::Unreachable, said),
        },
        encryption: text_at(stanza, "cipher").unwrap_or_default().to_owned(),
        busy: held,
        listing: matches!(code, 0 | 2 | 4) && !one_set,
        ..Report::default()
    };
    let backups = stanza.get("backup").and_then(Value::as_array);
    let keys: Vec<i64> = stanza
        .get("repo")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|r| r.get("key")?.as_i64())
        .collect();
    // with several repositories in one answer the first is the local one, the rest are off-site
    let several = keys.len() > 1;
    let local = keys.iter().copied().min().unwrap_or(1);
    for (i, b) in backups.into_iter().flatten().enumerate() {
        let key = b.get("database").and_then(|d| d.get("repo-key")?.as_i64()).unwrap_or(local);
        if several && (key != local) != cx.offsite {
            continue;
        }
        if let Some(version) = b.get("backrest").and_then(|v| text_at(v, "version")) {
            version.clone_into(&mut report.version);
        }
        report.runs.push(backup(b, &say::backup(i + 1), cx)?);
    }
    Ok(report)
}

fn seconds(v: &Value, key: &str, place: &str) -> Result<Millis, String> {
    let at = v.get("timestamp").and_then(|t| t.get(key)?.as_i64());
    let at = at.and_then(|s| s.checked_mul(SECOND)).filter(|ms| (0..=253_402_300_799_000).contains(ms));
    at.ok_or_else(|| say::no_field(place, &format!("timestamp.{key}")))
}

fn backup(b: &Value, place: &str, cx: &Context) -> Result<Run, String> {
    let label = need(b, "label", place)?;
    let start = seconds(b, "start", place)?;
    let kind = match need(b, "type", place)? {
        "full" => Kind::Full,
        "diff" => Kind::Differential,
        "incr" => Kind::Incremental,
        other => return Err(say::bad_field(place, "type", &crate::text::clean(other))),
    };
    let damaged = b.get("error").and_then(Value::as_bool).unwrap_or(false);
    let empty = Value::Null;
    let info = b.get("info").unwrap_or(&empty);
    let repo = info.get("repository").unwrap_or(&empty);
    let added = bytes_at(info, "delta");
    Ok(Run {
        ended_at: Some(seconds(b, "stop", place)?.max(start)),
        kind: Some(kind),
        // exit code 0, yet pages do not match their sums
        outcome: if damaged { Outcome::Failed } else { Outcome::Ok },
        prior: text_at(b, "prior").map(str::to_owned),
        source_bytes: bytes_at(info, "size"),
        added_bytes: added,
        ratio: super::ratio(added, bytes_at(repo, "delta")),
        note: if damaged { say::page_errors() } else { String::new() },
        seen_at: cx.at,
        ..Run::new(label, start)
    })
}

/// `verify` exits with 0 whatever it finds: only its text tells.
fn verify(text: &str, cx: &Context) -> Result<Report, String> {
    let mut report = Report::default();
    if let Some(line) = text.lines().find(|l| l.contains("ERROR: [")) {
        let state = match line {
            l if l.contains("[050]") => LookState::Locked,
            l if l.contains("[055]") || l.contains("[103]") => LookState::Missing,
            l if l.contains("[041]") || l.contains("[049]") || l.contains("[102]") => LookState::Unreachable,
            _ => LookState::Failed,
        };
        report.look = (state, note(line));
        return Ok(report);
    }
    let mut stanza_ok = None;
    let mut bad = vec![];
    let mut in_ours = true;
    for line in text.lines().map(str::trim) {
        // the log repeats the first line behind its time stamp
        let line = line.rsplit_once("INFO: ").map_or(line, |(_, rest)| rest);
        if let Some(name) = line.strip_prefix("stanza: ") {
            in_ours = cx.stanza.is_empty() || name.trim() == cx.stanza;
        } else if !in_ours {
        } else if let Some(status) = line.strip_prefix("status: ") {
            let ok = status.trim() == "ok";
            stanza_ok = Some(stanza_ok.unwrap_or(true) && ok);
            if !ok {
                bad.push(line.to_owned());
            }
        } else if line.starts_with("backup: ") && line.contains("status: ") && !line.contains("status: valid") {
            bad.push(line.to_owned());
        } else if line.starts_with("archiveId: ") {
            let number = |key: &str| -> Option<u64> {
                line.split(key).nth(1)?.split([',', ' ']).find(|s| !s.is_empty())?.parse().ok()
            };
            if number("total WAL checked:") != number("total valid WAL:") {
                bad.push(line.to_owned());
            }
        } else if line.starts_with("missing: ")
            && line.split(", ").any(|part| part.rsplit(": ").next().is_some_and(|n| n.trim() != "0"))
        {
            bad.push(line.to_owned());
        }
    }
    // `info` as text has a status as well, and has verified nothing
    let is_info = text.contains("wal archive min/max") || text.contains("timestamp start/stop");
    let Some(ok) = stanza_ok.filter(|_| !is_info) else {
        let quiet = text.contains("verify command end: completed successfully");
        return Err(if quiet { say::verify_quiet() } else { say::nothing_known(FORMS) });
    };
    bad.sort();
    bad.dedup();
    report.checks.push(Check {
        id: 0,
        offsite: cx.offsite,
        at: cx.at,
        level: level::DATA,
        ok: ok && bad.is_empty(),
        errors: Some(bad.len() as i64),
        minutes: None,
        share: None,
        note: note(&bad.join("; ")),
    });
    Ok(report)
}
