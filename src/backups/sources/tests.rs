//! The tools' own captured outputs, and what a hostile file may hold.

use super::*;
use crate::backups::model::{Kind, LookState, Outcome, level};
use crate::clock::{parse_rfc3339, rfc3339};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/backups/", $name))
    };
}

const AT: &str = "2026-11-24T03:00:00Z";

pub(super) fn cx() -> Context {
    Context {
        at: parse_rfc3339(AT).expect("time"),
        zone: chrono_tz::UTC,
        host: String::new(),
        path: String::new(),
        stanza: String::new(),
        system: "oa".into(),
        read_data: false,
        offsite: false,
    }
}

fn read(tool: Tool, bytes: &[u8]) -> Report {
    parse(tool, bytes, &cx()).expect("read")
}

fn times(report: &Report) -> Vec<String> {
    report.runs.iter().map(|r| rfc3339(r.at)).collect()
}

#[test]
fn restic_snapshots_show_their_data_time_and_when_they_ran() {
    let report = read(Tool::Restic, fixture!("restic_snapshots.json"));
    assert_eq!(times(&report)[..2], ["2026-05-03T02:00:00Z", "2026-05-04T02:00:00Z"]);
    let first = &report.runs[0];
    assert_eq!((first.tags.as_slice(), first.source_bytes), (&["weekly-full".to_owned()][..], Some(1_389_190)));
    assert_eq!(rfc3339(first.ran_at), "2026-11-23T21:55:45.010Z", "--time does not hide when it ran");
    assert!(report.listing && report.version == "0.19.1" && report.runs.len() == 4);
}

#[test]
fn a_snapshot_dated_later_than_its_run_is_no_newer_than_the_run() {
    let text = r#"[{"id":"ab","time":"2030-01-01T00:00:00Z","summary":{"backup_start":"2026-05-03T02:00:00+08:00"}}]"#;
    assert_eq!(times(&read(Tool::Restic, text.as_bytes())), ["2026-05-02T18:00:00Z"]);
}

#[test]
fn restic_filters_by_host_and_path() {
    let mut c = cx();
    c.path = "/srv/lab/r19/src/db".into();
    let report = parse(Tool::Restic, fixture!("restic_snapshots.json"), &c).expect("read");
    assert_eq!((report.runs.len(), report.listing), (1, false), "a part of a listing tells nothing of what is gone");
}

#[test]
fn a_locked_repository_is_not_a_damaged_one() {
    let report = read(Tool::Restic, fixture!("restic_check_locked.json"));
    assert!(report.checks.is_empty(), "num_errors is 1, and nothing was checked");
    assert_eq!(report.look.0, LookState::Locked);
}

#[test]
fn restic_checks_are_read_in_json_and_in_text() {
    let ok = read(Tool::Restic, fixture!("restic_check_ok.json"));
    assert!(ok.checks[0].ok && ok.checks[0].level == level::STRUCTURE);
    let mut both = fixture!("restic_check_damaged.json").to_vec();
    both.extend_from_slice(fixture!("restic_check_damaged.stderr"));
    let bad = read(Tool::Restic, &both);
    assert!(!bad.checks[0].ok && bad.checks[0].note.starts_with("pack 3a9941b5"), "{:?}", bad.checks);
    let stderr = read(Tool::Restic, fixture!("restic_check_damaged.stderr"));
    assert!(!stderr.checks[0].ok);
    let old = read(Tool::Restic, b"load indexes\ncheck all packs\nread all data\nno errors were found\n");
    assert!(old.checks[0].ok && old.checks[0].level == level::DATA);
    let old = read(Tool::Restic, b"error for tree 7025:\n  failed\nFatal: repository contains errors\n");
    assert!(!old.checks[0].ok && old.checks[0].note.starts_with("error for tree"));
}

#[test]
fn restic_backups_tell_whole_partial_and_unchanged_runs_apart() {
    let whole = read(Tool::Restic, fixture!("restic_backup.json"));
    assert_eq!((whole.runs[0].outcome, whole.runs[0].id.len()), (Outcome::Ok, 64));
    let partial = read(Tool::Restic, fixture!("restic_backup_partial.json"));
    assert_eq!(partial.runs[0].outcome, Outcome::Partial);
    let unchanged = read(Tool::Restic, fixture!("restic_backup_unchanged.json"));
    assert!(unchanged.runs[0].id.starts_with("unchanged:") && unchanged.runs[0].outcome == Outcome::Ok);
    let failed = read(
        Tool::Restic,
        br#"{"message_type":"exit_error","code":1,"message":"Fatal: all source directories/files do not exist"}"#,
    );
    assert_eq!((failed.runs[0].outcome, failed.look.0), (Outcome::Failed, LookState::Ok));
}

#[test]
fn a_wrong_password_is_neither_a_run_nor_damage() {
    let report = read(Tool::Restic, fixture!("restic_wrong_password.json"));
    assert_eq!((report.look.0, report.runs.len(), report.checks.len()), (LookState::Auth, 0, 0));
}

#[test]
fn a_restore_of_fewer_files_than_there_are_is_a_failed_test() {
    let report = read(Tool::Restic, fixture!("restic_restore_damaged.json"));
    assert!(!report.checks[0].ok && report.checks[0].level == level::FILES);
}

#[test]
fn borg_lists_with_and_without_ends_and_its_times_follow_the_zone() {
    let list = read(Tool::Borg, fixture!("borg_list.json"));
    assert_eq!(times(&list)[..2], ["2026-05-03T02:00:00Z", "2026-05-04T02:00:00Z"]);
    assert_eq!((list.runs[0].ended_at, list.encryption.as_str(), list.listing), (None, "repokey-blake2", true));
    let with_end = read(Tool::Borg, fixture!("borg_list_end.json"));
    assert!(with_end.runs[0].ended_at.is_some() && with_end.runs[0].host == "vm");
    let mut c = cx();
    c.zone = chrono_tz::Asia::Shanghai;
    let local = parse(Tool::Borg, fixture!("borg_list_shanghai.json"), &c).expect("read");
    assert_eq!(times(&local), ["2026-05-03T02:00:00Z"], "10:00 in Shanghai");
}

#[test]
fn borg_sizes_come_with_info_and_create() {
    let info = read(Tool::Borg, fixture!("borg_info.json"));
    assert_eq!((info.runs[0].source_bytes, info.runs[0].added_bytes), (Some(1_389_192), Some(553)));
    assert!(!info.listing, "info shows what it was asked for");
    let made = read(Tool::Borg, fixture!("borg_create.json"));
    assert_eq!((made.runs.len(), made.runs[0].name.as_str()), (1, "oa-app-01-weekly-2026-05-03"));
}

#[test]
fn borg_checks_and_refusals_are_told_by_their_messages() {
    let deep = read(Tool::Borg, fixture!("borg_check_data.log"));
    assert!(deep.checks[0].ok && deep.checks[0].level == level::DATA);
    assert_eq!(rfc3339(deep.checks[0].at), "2026-11-23T22:02:11.129Z", "its own time");
    let plain = read(Tool::Borg, fixture!("borg_check_plain.log"));
    assert!(plain.checks[0].ok && plain.checks[0].level == level::STRUCTURE);
    let bad = read(Tool::Borg, fixture!("borg_check_damaged.log"));
    assert!(!bad.checks[0].ok && bad.checks[0].note.contains("Segment entry checksum mismatch"));
    assert_eq!(read(Tool::Borg, fixture!("borg_locked.log")).look.0, LookState::Locked);
    assert_eq!(read(Tool::Borg, fixture!("borg_no_passphrase.log")).look.0, LookState::Auth);
}

#[test]
fn pgbackrest_names_full_differential_and_incremental_and_their_chain() {
    let report = read(Tool::Pgbackrest, fixture!("pgbackrest_info.json"));
    let kinds: Vec<_> = report.runs.iter().map(|r| r.kind).collect();
    assert_eq!(kinds, [Some(Kind::Full), Some(Kind::Incremental), Some(Kind::Differential)]);
    assert_eq!(report.runs[1].prior.as_deref(), Some("20261123-220313F"));
    assert_eq!((report.busy, report.encryption.as_str()), (Some(false), "aes-256-cbc"));
    assert_eq!(times(&report)[0], "2026-11-23T22:03:13Z");
}

#[test]
fn pgbackrest_exits_with_0_whatever_is_wrong() {
    assert_eq!(read(Tool::Pgbackrest, fixture!("pgbackrest_missing.json")).look.0, LookState::Missing);
    assert_eq!(read(Tool::Pgbackrest, b"[]").look.0, LookState::Missing);
    let empty = read(Tool::Pgbackrest, fixture!("pgbackrest_empty.json"));
    assert_eq!((empty.look.0, empty.runs.len()), (LookState::Ok, 0));
    let text =
        String::from_utf8_lossy(fixture!("pgbackrest_info.json")).replacen("\"error\":false", "\"error\":true", 1);
    let damaged = read(Tool::Pgbackrest, text.as_bytes());
    assert_eq!(damaged.runs[0].outcome, Outcome::Failed, "page checksums failed and the exit code is 0");
    let held = text.replace("\"held\":false", "\"held\":true");
    assert_eq!(read(Tool::Pgbackrest, held.as_bytes()).busy, Some(true));
}

#[test]
fn pgbackrest_garbage_of_a_wrong_passphrase_is_unreadable_not_empty() {
    let mut bytes = br#"[{"backup":[],"cipher":"aes-256-cbc","name":""#.to_vec();
    bytes.extend_from_slice(b"\xff\xfe\x1b]52;c;eA==\x07\x00\x9b2J\"}]");
    let why = parse(Tool::Pgbackrest, &bytes, &cx()).expect_err("refused");
    assert!(why.contains("passphrase") && why.contains("line 1"), "{why}");
    assert!(!why.chars().any(char::is_control));
}

#[test]
fn pgbackrest_verify_is_judged_by_its_text() {
    let ok = read(Tool::Pgbackrest, fixture!("pgbackrest_verify.txt"));
    assert!(ok.checks[0].ok && ok.checks[0].level == level::DATA);
    let text = String::from_utf8_lossy(fixture!("pgbackrest_verify.txt")).into_owned();
    for (from, to) in [
        ("status: ok", "status: error"),
        ("20261123-220317I, status: valid", "20261123-220317I, status: invalid"),
        ("total valid WAL: 7", "total valid WAL: 6"),
        ("checksum invalid: 0", "checksum invalid: 2"),
    ] {
        let bad = read(Tool::Pgbackrest, text.replace(from, to).as_bytes());
        assert!(!bad.checks[0].ok && !bad.checks[0].note.is_empty(), "{to}");
    }
    let quiet = parse(Tool::Pgbackrest, fixture!("pgbackrest_verify_quiet.txt"), &cx()).expect_err("says nothing");
    assert!(quiet.contains("--output=text"), "{quiet}");
}

#[test]
fn several_stanzas_are_not_mixed_up() {
    let one = String::from_utf8_lossy(fixture!("pgbackrest_info.json")).into_owned();
    let inner = one.trim().trim_start_matches('[').trim_end_matches(']');
    // the inner text ends with the bracket of nothing else: two stanzas in one answer
    let other = inner.replace("\"name\":\"oa\"", "\"name\":\"crm\\u001b[2J\"").replace("220313F", "110000F");
    let both = format!("[{inner},{other}]");
    let mut c = cx();
    c.system = "nothing".into();
    let why = parse(Tool::Pgbackrest, both.as_bytes(), &c).expect_err("which?");
    assert!(why.contains("oa") && !why.contains('\u{1b}'), "{why}");
    c.stanza = "oa".into();
    assert_eq!(parse(Tool::Pgbackrest, both.as_bytes(), &c).expect("read").runs.len(), 3);
}

#[test]
fn what_cannot_be_read_is_named_by_its_place() {
    for (tool, text, place) in [
        (Tool::Restic, "[{\"id\":\"a\",\"time\":\"2026-05-03T02:00:00Z\"},{\"id\":\"b\"}]", "snapshot 2"),
        (Tool::Restic, "[{\"id\":\"a\",\"time\":\"yesterday\"}]", "yesterday"),
        (Tool::Restic, "[{\"id\":7,\"time\":\"2026-05-03T02:00:00Z\"}]", "`id`"),
        (Tool::Restic, "[\n{\"id\":\"a\",\n\"time\" \"x\"}]", "line 3"),
        (Tool::Restic, "{\"message_type\":\"summary\",\"num_errors\":0}\n{broken", "line 2"),
        (Tool::Borg, "{\"archives\":[{\"name\":\"a\",\"id\":\"x\",\"start\":\"2026-02-30T00:00:00\"}]}", "archive 1"),
        (Tool::Borg, "{\"archives\":[{\"name\":\"a\",\"start\":\"2026-02-03T00:00:00\"}]}", "`id`"),
        (Tool::Pgbackrest, "[{\"name\":\"oa\"}]", "status.code"),
        (
            Tool::Pgbackrest,
            "[{\"name\":\"oa\",\"status\":{\"code\":0},\"backup\":[{\"label\":\"F\",\"type\":\"full\",\"timestamp\":{\"start\":9e99,\"stop\":1}}]}]",
            "backup 1",
        ),
    ] {
        let why = parse(tool, text.as_bytes(), &cx()).expect_err(text);
        assert!(why.contains(place), "{text}: {why}");
    }
}

#[test]
fn every_cut_and_every_flipped_byte_ends_in_an_answer() {
    let all: [(Tool, &[u8]); 8] = [
        (Tool::Restic, fixture!("restic_snapshots.json")),
        (Tool::Restic, fixture!("restic_check_damaged.stderr")),
        (Tool::Restic, fixture!("restic_backup_partial.json")),
        (Tool::Borg, fixture!("borg_list_end.json")),
        (Tool::Borg, fixture!("borg_check_data.log")),
        (Tool::Borg, fixture!("borg_create.json")),
        (Tool::Pgbackrest, fixture!("pgbackrest_info.json")),
        (Tool::Pgbackrest, fixture!("pgbackrest_verify.txt")),
    ];
    for (tool, bytes) in all {
        for cut in (0..bytes.len()).step_by(7) {
            _ = parse(tool, &bytes[..cut], &cx());
            let mut flipped = bytes.to_vec();
            flipped[cut] ^= 0x9b;
            for t in [Tool::Restic, Tool::Borg, Tool::Pgbackrest] {
                _ = parse(t, &flipped, &cx());
            }
        }
        // wrong tool, wrong file: a sentence or another reading, never a crash
        _ = parse(tool, "[".repeat(100_000).as_bytes(), &cx());
    }
    assert!(parse(Tool::Borg, b"", &cx()).is_err());
}

#[test]
fn a_file_saved_by_powershell_is_read() {
    let text = String::from_utf8_lossy(fixture!("restic_snapshots.json")).into_owned();
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(read(Tool::Restic, &utf16).runs.len(), 4);
}
