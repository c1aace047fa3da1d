//! What the tools themselves say: restic, borg, pgBackRest.

use std::process::Stdio;
use std::time::Duration;

use chrono::NaiveDateTime;
use serde_json::Value;

use super::model::Backup;
use crate::clock::parse_rfc3339;

/// Longest a tool may take.
const DEADLINE: Duration = Duration::from_mins(2);

/// Reads the JSON of `restic snapshots --json`, `borg list|info --json` or `pgbackrest info --output=json`.
///
/// A restic snapshot tagged `weekly-full` and a borg archive with `weekly` or `full` in its name count as the weekly
/// full one. A restic snapshot's `time` is the time of its data. borg's times carry no zone: run it with `TZ=UTC`.
///
/// # Errors
/// When it is not what the tool prints; the sentence names the place.
pub fn parse(tool: &str, bytes: &[u8]) -> Result<Vec<Backup>, String> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|e| format!("line {}, column {}: {e}", e.line(), e.column()))?;
    match tool {
        "restic" => restic(&value),
        "borg" => borg(&value),
        "pgbackrest" => pgbackrest(&value),
        other => Err(format!("unknown tool `{other}`; one of restic, borg, pgbackrest")),
    }
}

fn text<'a>(value: &'a Value, key: &str, place: &str) -> Result<&'a str, String> {
    value[key].as_str().ok_or_else(|| format!("{place}: `{key}` is missing"))
}

fn restic(value: &Value) -> Result<Vec<Backup>, String> {
    let list = value.as_array().ok_or("a list of snapshots is expected (restic snapshots --json)")?;
    list.iter()
        .enumerate()
        .map(|(i, s)| {
            let place = format!("snapshot {}", i + 1);
            let time = text(s, "time", &place)?;
            let tagged = s["tags"].as_array().into_iter().flatten().any(|t| t == "weekly-full");
            Ok(Backup {
                id: text(s, "id", &place)?.to_owned(),
                started_at: parse_rfc3339(time).map_err(|e| format!("{place}: {time}: {e}"))?,
                is_full: tagged,
                failed: false,
                bytes: s["summary"]["total_bytes_processed"].as_i64(),
                offsite: false,
            })
        })
        .collect()
}

fn borg(value: &Value) -> Result<Vec<Backup>, String> {
    let list = value["archives"].as_array().ok_or("`archives` is missing (borg list --json)")?;
    list.iter()
        .enumerate()
        .map(|(i, a)| {
            let place = format!("archive {}", i + 1);
            let start = text(a, "start", &place)?;
            let name = text(a, "name", &place)?;
            let at = NaiveDateTime::parse_from_str(start, "%Y-%m-%dT%H:%M:%S%.f")
                .map_err(|e| format!("{place}: {start}: {e}"))?;
            Ok(Backup {
                id: text(a, "id", &place)?.to_owned(),
                started_at: at.and_utc().timestamp_millis(),
                is_full: name.contains("weekly") || name.contains("full"),
                failed: false,
                bytes: a["stats"]["original_size"].as_i64(),
                offsite: false,
            })
        })
        .collect()
}

fn pgbackrest(value: &Value) -> Result<Vec<Backup>, String> {
    let stanzas = value.as_array().ok_or("a list of stanzas is expected (pgbackrest info --output=json)")?;
    let mut out = Vec::new();
    for stanza in stanzas {
        // 0 ok, 2 no valid backups; anything else means that it could not look
        let code = stanza["status"]["code"].as_i64().unwrap_or(99);
        if ![0, 2].contains(&code) {
            let message = stanza["status"]["message"].as_str().unwrap_or("no status");
            return Err(format!("stanza {}: {message}", stanza["name"].as_str().unwrap_or("?")));
        }
        for b in stanza["backup"].as_array().into_iter().flatten() {
            let label = text(b, "label", "backup")?;
            let start = b["timestamp"]["start"]
                .as_i64()
                .ok_or_else(|| format!("backup {label}: `timestamp.start` is missing"))?;
            out.push(Backup {
                id: label.to_owned(),
                started_at: start * 1000,
                is_full: b["type"] == "full",
                failed: b["error"].as_bool().unwrap_or(false),
                bytes: b["info"]["size"].as_i64(),
                offsite: false,
            });
        }
    }
    Ok(out)
}

/// Runs the tool on `repository` and gives what it printed. Passwords come from the tool's own variables.
///
/// # Errors
/// When it cannot be run, takes too long or ends with an error; the sentence has its first line.
pub async fn scan(tool: &str, repository: &str) -> Result<Vec<u8>, String> {
    let mut command = tokio::process::Command::new(tool);
    match tool {
        "restic" => command.args(["-r", repository, "--no-lock", "snapshots", "--json"]),
        "borg" => command.args(["list", "--json", "--lock-wait", "5", repository]),
        _ => command.args(["info", "--output=json", &format!("--repo1-path={repository}")]),
    };
    command.stdin(Stdio::null()).env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
    command
        .env("BORG_RELOCATED_REPO_ACCESS_IS_OK", "no")
        .env("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "no")
        .kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE, command.output())
        .await
        .map_err(|_| format!("{tool}: no answer in {} s", DEADLINE.as_secs()))?
        .map_err(|e| format!("{tool}: {e}"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("{tool} ({}): {}", output.status, why.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_output_of_each_tool_is_read() {
        let restic =
            parse("restic", include_bytes!("../../tests/fixtures/backups/restic_snapshots.json")).expect("restic");
        assert_eq!(restic.iter().map(|b| b.is_full).collect::<Vec<_>>(), [true, false, false, false]);
        let borg = parse("borg", include_bytes!("../../tests/fixtures/backups/borg_list.json")).expect("borg");
        assert_eq!(
            (borg.len(), borg[0].is_full, borg[0].started_at),
            (4, true, parse_rfc3339("2026-05-03T02:00:00Z").expect("t"))
        );
        let pg = parse("pgbackrest", include_bytes!("../../tests/fixtures/backups/pgbackrest_info.json"))
            .expect("pgbackrest");
        assert_eq!(pg.iter().map(|b| b.is_full).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn garbage_is_an_error_and_not_an_empty_list() {
        assert!(parse("pgbackrest", b"\x1b\xff[").is_err());
        assert!(parse("restic", b"{}").is_err());
        assert!(
            parse("pgbackrest", br#"[{"name":"oa","status":{"code":1,"message":"missing stanza path"}}]"#).is_err()
        );
    }
}
