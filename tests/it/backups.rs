//! The backup catalogue: real tools, both databases, screens.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;
use zhiban::action::{Action as _, ActionError, Actor, Door, Job as _, Role};
use zhiban::backups::actions::{AddSystem, Ask, Forget, Import, RecordTest};
use zhiban::backups::jobs::{Scan, Work, work};
use zhiban::backups::model::{Facts, LookState, Report, Run, Tool, level, plan_of};
use zhiban::backups::sources::{self, Context};
use zhiban::backups::store;
use zhiban::backups::tab::BackupsTab;
use zhiban::backups::verdict::{Verdict, evaluate};
use zhiban::clock::{Clock, DAY, HOUR, MINUTE, Millis, parse_rfc3339};
use zhiban::config::{BackupSystem, Config, Secret};
use zhiban::console::tab::{Effect, Tab as _};
use zhiban::locale::{self, Lang};
use zhiban::tui::paint::Brush;
use zhiban::tui::theme::{Depth, Theme};

use crate::db::Fresh;
use crate::on_both;

const SNAPSHOTS: &[u8] = include_bytes!("../fixtures/backups/restic_snapshots.json");
const HOSTILE: &str = "oa\u{1b}[2J\u{1b}]52;c;eA==\u{7}\u{202e}审批\n'; DROP TABLE backup_run;--";

fn at(text: &str) -> Millis {
    parse_rfc3339(text).expect("time")
}

fn clock() -> Clock {
    Clock::manual(at("2026-11-24T09:00:00+08:00"))
}

fn context(at: Millis) -> Context {
    Context {
        at,
        zone: chrono_tz::UTC,
        host: String::new(),
        path: String::new(),
        stanza: String::new(),
        system: "oa".into(),
        read_data: false,
        offsite: false,
    }
}

fn add(name: &str, tool: Tool, repository: &str, offsite: bool) -> AddSystem {
    AddSystem { name: name.into(), tool, repository: repository.into(), offsite }
}

fn import(tool: Tool, bytes: &[u8], complete: bool) -> Import {
    let at = at("2026-11-24T08:00:00+08:00");
    Import {
        system: "oa".into(),
        tool,
        offsite: false,
        report: sources::parse(tool, bytes, &context(at)).expect("read"),
        complete,
        at,
        source: "file".into(),
        request: None,
    }
}

async fn facts(fresh: &Fresh) -> Vec<Facts> {
    store::facts(&fresh.store, &Config::default(), at("2026-11-24T09:00:00+08:00")).await.expect("facts")
}

on_both! {
    async fn a_listing_is_taken_in_once_and_only_from_the_right_tool(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let listing = import(Tool::Restic, SNAPSHOTS, false);
        assert!(matches!(door.run(&listing).await, Err(ActionError::NotFound { .. })), "no such system yet");
        door.run(&add("oa", Tool::Restic, "", false)).await.expect("named");
        let first = door.run(&listing).await.expect("import");
        assert_eq!((&first.value["new"], first.seq.is_some()), (&Value::from(4), true));
        let second = door.run(&listing).await.expect("again");
        assert_eq!((&second.value["new"], &second.value["changed"], second.seq), (&Value::from(0), &Value::from(0), None));
        let borg = import(Tool::Borg, include_bytes!("../fixtures/backups/borg_list.json"), false);
        assert!(matches!(door.run(&borg).await, Err(ActionError::Invalid(_))));
        assert_eq!(facts(&fresh).await[0].repos[0].runs.len(), 4);
    }

    async fn what_a_complete_listing_no_longer_names_is_gone_and_may_come_back(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        door.run(&add("oa", Tool::Restic, "", false)).await.expect("named");
        door.run(&import(Tool::Restic, SNAPSHOTS, true)).await.expect("import");
        let gone = door.run(&import(Tool::Restic, b"[]", true)).await.expect("an emptied repository");
        assert_eq!(gone.value["gone"], 4);
        let f = facts(&fresh).await;
        let s = evaluate(&f[0], &plan_of(&Config::default(), "oa"), at("2026-11-24T09:00:00+08:00"));
        assert_eq!((s.rpo, s.verdict), (None, Verdict::Unsafe));
        let back = door.run(&import(Tool::Restic, SNAPSHOTS, true)).await.expect("again");
        assert_eq!((&back.value["new"], &back.value["changed"]), (&Value::from(0), &Value::from(4)));
        // a listing of a part proves nothing about the rest
        door.run(&import(Tool::Restic, b"[]", false)).await.expect("part");
        assert!(facts(&fresh).await[0].repos[0].runs.iter().all(|r| r.gone_at.is_none()));
    }

    async fn a_later_listing_completes_what_a_backup_said_and_keeps_its_warning(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        door.run(&add("oa", Tool::Restic, "", false)).await.expect("named");
        // restic before 0.17 names a new snapshot by its first eight digits
        let said = br#"{"message_type":"summary","total_bytes_processed":9,"data_added":5,"snapshot_id":"8fdf4c81"}
{"message_type":"exit_error","code":3,"message":"Warning: at least one source file could not be read"}"#;
        door.run(&import(Tool::Restic, said, false)).await.expect("backup");
        let listed = door.run(&import(Tool::Restic, SNAPSHOTS, true)).await.expect("listing");
        assert_eq!(listed.value["new"], 3);
        let runs = facts(&fresh).await.remove(0).repos.remove(0).runs;
        let one = runs.iter().find(|r| r.id.starts_with("8fdf4c81")).expect("there");
        assert_eq!((one.id.len(), one.outcome.word(), one.tags.as_slice()), (64, "partial", &["daily-incr".to_owned()][..]));
        assert_eq!(runs.len(), 4);
    }

    async fn a_name_is_taken_back_and_a_history_only_by_a_supervisor(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        let named = door.run(&add("oa", Tool::Restic, "/srv/a", false)).await.expect("named");
        door.run(named.undo.expect("undo").as_ref()).await.expect("undone");
        assert!(facts(&fresh).await.is_empty());
        door.run(&add("oa", Tool::Restic, "/srv/a", false)).await.expect("named");
        let moved = door.run(&add("oa", Tool::Restic, "/srv/b", false)).await.expect("moved");
        door.run(moved.undo.expect("undo").as_ref()).await.expect("moved back");
        assert_eq!(facts(&fresh).await[0].repos[0].repository, "/srv/a");
        door.run(&import(Tool::Restic, SNAPSHOTS, false)).await.expect("import");
        let forget = Forget { name: "oa".into(), offsite: false };
        assert!(matches!(door.run(&forget).await, Err(ActionError::Denied { .. })));
        assert_eq!(facts(&fresh).await[0].repos[0].runs.len(), 4, "nothing was changed");
        fresh.door("chen", Role::Supervisor, &clock()).run(&forget).await.expect("forgotten");
        assert!(facts(&fresh).await.is_empty());
        for bad in ["-oProxyCommand=x", "ssh://-oProxyCommand=x/r", "sftp:a@-x:/r", "a\nb"] {
            let refused = door.run(&add("oa", Tool::Borg, bad, false)).await;
            assert!(matches!(refused, Err(ActionError::Invalid(_))), "{bad}");
        }
    }

    async fn a_restore_test_is_recorded_and_taken_back(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        door.run(&add("oa", Tool::Borg, "", false)).await.expect("named");
        let test = RecordTest {
            system: "oa".into(), offsite: false, level: level::APPLICATION, ok: true, minutes: Some(18.5),
            share: Some(0.25), note: HOSTILE.into(), at: None,
        };
        let done = door.run(&test).await.expect("recorded");
        let f = facts(&fresh).await;
        assert_eq!((f[0].checks[0].level, f[0].checks[0].note.as_str()), (5, HOSTILE));
        let undone = door.run(done.undo.expect("undo").as_ref()).await.expect("undone");
        assert!(facts(&fresh).await[0].checks.is_empty());
        door.run(undone.undo.expect("redo").as_ref()).await.expect("redone");
        for wrong in [
            RecordTest { at: Some(at("2030-01-01T00:00:00Z")), ..test.clone() },
            RecordTest { minutes: Some(f64::NAN), ..test.clone() },
            RecordTest { share: Some(1.5), ..test.clone() },
            RecordTest { level: 9, ..test.clone() },
        ] {
            assert!(matches!(door.run(&wrong).await, Err(ActionError::Invalid(_))), "{wrong:?}");
        }
        let nowhere = RecordTest { system: "nowhere".into(), ..test };
        assert!(matches!(door.run(&nowhere).await, Err(ActionError::NotFound { .. })));
    }

    async fn a_system_may_be_called_anything(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        door.run(&add(HOSTILE, Tool::Restic, "", false)).await.expect("named");
        let report = Report {
            runs: vec![Run { tags: vec![HOSTILE.into()], note: HOSTILE.into(), name: HOSTILE.into(), ..Run::new(HOSTILE, at("2026-11-24T02:00:00+08:00")) }],
            ..Report::default()
        };
        let taken = Import { system: HOSTILE.into(), report, ..import(Tool::Restic, b"[]", false) };
        door.run(&taken).await.expect("import");
        let all = facts(&fresh).await;
        assert_eq!((all[0].name.as_str(), all[0].repos[0].runs[0].tags[0].as_str()), (HOSTILE, HOSTILE));
        let mut tab = BackupsTab::new(Config::default().into());
        let now = at("2026-11-24T09:00:00+08:00");
        tab.arrived(Box::new(all), now);
        for lang in [Lang::En, Lang::Zh] {
            for (width, height) in [(200, 50), (120, 40), (80, 24), (60, 15), (40, 10), (10, 3), (1, 1)] {
                for ascii in [false, true] {
                    let shown = screen(&tab, width, height, lang, ascii, now).concat();
                    assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'), "{width}×{height}");
                }
            }
        }
        let copied = tab.run("copy", now).into_iter().next();
        assert!(matches!(copied, Some(Effect::Copy(text)) if !text.is_empty() && !text.chars().any(char::is_control)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_has_its_planted_gaps_whatever_the_hour() {
    for hour in ["2026-11-24T03:00:00+08:00", "2026-11-24T09:00:00+08:00", "2026-11-29T23:30:00+08:00"] {
        let now = at(hour);
        let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
        let clock = Clock::manual(now);
        let door = fresh.door("demo", Role::Admin, &clock);
        zhiban::demo::backups::fill(&door, now, 7).await.expect("filled");
        let config = Config::default();
        let all = store::facts(&fresh.store, &config, now).await.expect("facts");
        let judged: Vec<_> = all.iter().map(|f| evaluate(f, &plan_of(&config, &f.name), now)).collect();
        let of = |name: &str| judged.iter().find(|s| s.system == name).map(|s| s.verdict);
        assert_eq!(all.len(), 8);
        for (name, verdict) in [
            ("oa-db", Verdict::Unsafe),
            ("oa-files", Verdict::AtRisk),
            ("oa-mail", Verdict::Safe),
            ("oa-ldap", Verdict::Unsafe),
            ("oa-flow", Verdict::Safe),
            ("oa-wiki", Verdict::Safe),
            ("oa-archive", Verdict::AtRisk),
            ("oa-hr", Verdict::Unknown),
        ] {
            let s = judged.iter().find(|s| s.system == name).expect("there");
            assert_eq!(of(name), Some(verdict), "{hour} {name}: {:?}", s.findings);
        }
        clock.set(now + DAY);
        zhiban::demo::backups::advance(&door, now, now + DAY, 7).await.expect("a night");
        let all = store::facts(&fresh.store, &config, now + DAY).await.expect("facts");
        let mail = all.iter().find(|f| f.name == "oa-mail").expect("there");
        assert!(mail.repos[0].runs.iter().any(|r| r.at > now || r.at + DAY > now));
    }
}

/// The rows of the tab's picture.
fn screen(tab: &BackupsTab, width: u16, height: u16, lang: Lang, ascii: bool, now: Millis) -> Vec<String> {
    let theme = Theme::load("dark", None, Depth::TrueColor).expect("theme");
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let area = buf.area;
    locale::with(lang, || tab.draw(&Brush { theme: &theme, ascii }, &mut buf, area, now));
    zhiban::tui::testing::lines(&buf)
}

/// A tab with one system of two weeks whose night of the 20th is missing.
fn tab_with_a_gap(now: Millis) -> BackupsTab {
    let first = at("2026-11-10T02:05:00+08:00");
    let runs: Vec<Run> = (0..15)
        .filter(|n| *n != 10)
        .map(|n| {
            let start = first + n * DAY;
            let tag = if n % 7 == 5 { "weekly-full" } else { "daily" };
            let run = Run::new(format!("{n:08x}"), start);
            Run { tags: vec![tag.into()], source_bytes: Some(1 << 30), ended_at: Some(start + 9 * MINUTE), ..run }
        })
        .collect();
    let repo = zhiban::backups::model::Repo {
        id: 1,
        offsite: false,
        tool: Tool::Restic,
        repository: "/srv/backup/oa-db".into(),
        look: None,
        seen_at: None,
        busy_since: None,
        encryption: String::new(),
        runs,
        asked: false,
    };
    let facts = Facts { name: "oa-db".into(), created_at: first, repos: vec![repo], checks: vec![], ticket: None };
    let mut tab = BackupsTab::new(Config::default().into());
    tab.arrived(Box::new(vec![facts]), now);
    tab
}

#[test]
fn the_first_line_answers_and_the_gap_is_seen_and_told() {
    let now = at("2026-11-24T09:00:00+08:00");
    let mut tab = tab_with_a_gap(now);
    let lines = screen(&tab, 120, 30, Lang::En, false, now);
    assert!(lines[0].contains("Is last night safe?  Yes: all 1 system,"), "{}", lines[0]);
    let row = lines.iter().find(|l| l.contains("oa-db") && l.contains("safe")).expect("row");
    assert!(row.contains("▪▪▪▪▪■ ▪▪▪▪✗▪■ ▪▪"), "{row}");
    assert!(screen(&tab, 120, 30, Lang::Zh, false, now)[0].contains("昨夜备份安全吗？  安全"));
    for _ in 0..4 {
        tab.run("left", now);
    }
    let lines = screen(&tab, 120, 30, Lang::En, false, now).join("\n");
    assert!(lines.contains("2026-11-20 Fri") && lines.contains("MISSED"), "{lines}");
    let Some(Effect::Form(form)) = tab.run("ticket", now).into_iter().next() else { panic!("a form") };
    assert!(form.fields[0].value.contains("oa-db") && form.fields[0].value.contains("2026-11-20"));
    // the same picture a day later, without any news: last night is missing
    let later = now + DAY;
    let lines = screen(&tab, 120, 30, Lang::En, false, later);
    assert!(lines[0].contains("NO: 1 of 1"), "{}", lines[0]);
    assert_eq!(tab.attention(later).map(|a| a.count), Some(1));
    assert!(tab.wall(later).problems[0].text.contains("oa-db"));
}

#[test]
fn the_list_keeps_to_the_grammar_of_all_lists() {
    let now = at("2026-11-24T09:00:00+08:00");
    let mut tab = tab_with_a_gap(now);
    let late = now + DAY;
    let repo = |name: &str, n: i64| {
        let run = Run::new(format!("{n:08x}"), late - n * HOUR);
        let repo = zhiban::backups::model::Repo {
            id: 1,
            offsite: false,
            tool: Tool::Restic,
            repository: "/srv".into(),
            look: None,
            seen_at: None,
            busy_since: None,
            encryption: String::new(),
            runs: vec![run],
            asked: false,
        };
        Facts { name: name.into(), created_at: now, repos: vec![repo], checks: vec![], ticket: (n > 30).then_some(7) }
    };
    tab.arrived(Box::new(vec![repo("a-old", 40), repo("b-new", 7), repo("c-old", 60)]), late);
    let copied = |tab: &mut BackupsTab, key: &str| match tab.run(key, late).into_iter().next() {
        Some(Effect::Copy(text)) => text,
        _ => panic!("nothing copied"),
    };
    assert_eq!(copied(&mut tab, "copy"), "a-old", "worst first");
    assert!(copied(&mut tab, "copy_line").starts_with("a-old: "));
    let wall = tab.wall(late);
    assert!(wall.problems.iter().filter(|p| p.handled).count() == 2, "a ticket is open from both: {:?}", wall.problems);
    // marks: one step for all of them
    tab.list().expect("list").mark();
    tab.list().expect("list").mark();
    let Some(Effect::Act(asks)) = tab.run("scan", late).into_iter().next() else { panic!("asked") };
    assert_eq!(asks.len(), 2);
    assert!(tab.disabled("record").is_some(), "a test is measured on one system");
    let Some(Effect::Form(form)) = tab.run("ticket", late).into_iter().next() else { panic!("a form") };
    let values: Vec<String> = form.fields.iter().map(|f| f.value.clone()).collect();
    let Ok(effects) = (form.submit)(&values) else { panic!("refused") };
    assert!(matches!(effects.first(), Some(Effect::Act(all)) if all.len() == 2));
    assert!(tab.list().expect("list").unmark() && tab.disabled("record").is_none());
    // orders, faults only, filter
    for (order, first) in [(1, "a-old"), (2, "c-old"), (0, "a-old")] {
        tab.list().expect("list").look().order = order;
        tab.relist(late);
        tab.run("top", late);
        assert_eq!(copied(&mut tab, "copy"), first, "order {order}");
    }
    tab.list().expect("list").look().faults = true;
    tab.relist(late);
    assert!(!screen(&tab, 120, 30, Lang::En, false, late).join("\n").contains("b-new"));
    tab.run("back", late);
    tab.search("B-N");
    assert_eq!(copied(&mut tab, "copy"), "b-new");
    assert!(screen(&tab, 120, 30, Lang::En, true, late).join("\n").contains("1/3 /b-n"));
    tab.search("nothing such");
    assert!(tab.disabled("copy").is_some() && tab.run("copy", late).is_empty());
    screen(&tab, 80, 24, Lang::Zh, false, late);
    tab.run("back", late);
    // the days have ends, and they are told
    for _ in 0..40 {
        tab.run("left", late);
    }
    assert!(matches!(tab.run("left", late).first(), Some(Effect::Say(_))));
    for (below, preview) in [(true, true), (false, true), (true, false)] {
        let look = tab.list().expect("list").look();
        (look.below, look.preview) = (below, preview);
        for (w, h) in [(200, 50), (120, 36), (80, 24), (40, 10), (3, 3)] {
            let shown = screen(&tab, w, h, Lang::Zh, false, late).join("\n");
            assert!(w < 80 || shown.contains("b-new"), "{w}x{h}\n{shown}");
            assert!(w < 120 || shown.contains("3-2-1-1-0") == preview, "{w}x{h}\n{shown}");
        }
    }
}

#[test]
fn an_empty_catalogue_says_how_to_fill_it() {
    let mut tab = BackupsTab::new(Config::default().into());
    tab.arrived(Box::new(Vec::<Facts>::new()), 0);
    let lines = screen(&tab, 120, 30, Lang::En, false, 0).join("\n");
    for how in ["zhiban backup system add", "zhiban backup import", "[[backups.system]]"] {
        assert!(lines.contains(how), "{lines}");
    }
    assert!(tab.disabled("verify").is_some());
}

/// Whether a tool is installed; `tests/run` installs all of them, and says so when one is missing.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub(crate) fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--help").output().is_ok();
    let must = std::env::var_os("ZHIBAN_TEST_ALL").is_some();
    assert!(found || !must, "{program} is not installed");
    if !found {
        eprintln!("skipped: {program} is not installed (./tests/run installs it)");
    }
    found
}

pub(crate) fn sh(folder: &Path, script: &str) -> String {
    let done = Command::new("sh").arg("-euc").arg(script).current_dir(folder).output().expect("sh");
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    assert!(done.status.success(), "{script}\n{}{}", text(&done.stdout), text(&done.stderr));
    text(&done.stdout)
}

/// A door whose configuration knows how to reach one repository.
pub(crate) fn door_for(fresh: &Fresh, own: BackupSystem, clock: &Clock) -> Door {
    let mut config = Config::default();
    config.backups.system = vec![own];
    config.backups.scan_timeout = zhiban::config::Dur(60_000);
    let actor = Actor { name: "wang".into(), role: Role::Operator, origin: "test".into(), unclaimed: false };
    Door::new(fresh.store.clone(), clock.clone(), config.into(), actor, false)
}

pub(crate) async fn look(door: &Door, what: Work) -> Value {
    let all = store::facts(door.store(), door.config(), door.clock().now()).await.expect("facts");
    work(door, &all[0], &all[0].repos[0], what, None).await.expect("taken in").value
}

/// Breaks one byte in the middle of the largest file below `folder`.
pub(crate) fn flip(folder: &Path) {
    let largest = sh(folder, "find . -type f -printf '%s %p\\n' | sort -n | tail -n 1 | cut -d' ' -f2-");
    let file = folder.join(largest.trim());
    let mut bytes = std::fs::read(&file).expect("pack");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    sh(folder, &format!("chmod u+w '{}'", file.display()));
    std::fs::write(&file, bytes).expect("flipped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restic_end_to_end() {
    if !installed("restic") {
        return;
    }
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    sh(
        here,
        "mkdir -p src/附件; head -c 300000 /dev/urandom > src/附件/a.bin; echo hi > \"src/$(printf 'odd\\033[2J')\"",
    );
    let restic = "RESTIC_PASSWORD=secret RESTIC_CACHE_DIR=$PWD/cache restic -q -r repo";
    sh(
        here,
        &format!(
            "{restic} init; {restic} backup --tag weekly-full --time '2026-11-22 02:00:00' src; {restic} backup --tag daily --time '2026-11-23 02:00:00' src"
        ),
    );
    let repository = here.join("repo").display().to_string();
    let own = BackupSystem {
        name: "oa-files".into(),
        tool: "restic".into(),
        repository,
        password: Secret::new("secret"),
        env: [("RESTIC_CACHE_DIR".to_owned(), Secret::new(here.join("cache").display().to_string()))].into(),
        ..BackupSystem::default()
    };
    let clock = Clock::System;
    let door = door_for(&fresh, own.clone(), &clock);
    let listed = look(&door, Work::Look).await;
    assert_eq!((&listed["new"], listed["state"].as_str()), (&Value::from(2), Some("ok")), "{listed}");
    let checked = look(&door, Work::Verify(true)).await;
    assert_eq!((&checked["checks"], &checked["damaged"]), (&Value::from(1), &Value::from(false)), "{checked}");

    // wrong password, no repository, locked: none of them is an empty or a damaged repository
    let wrong = BackupSystem { password: Secret::new("wrong"), ..own.clone() };
    assert_eq!(look(&door_for(&fresh, wrong, &clock), Work::Look).await["state"], "auth");
    let nowhere = BackupSystem { repository: here.join("nowhere").display().to_string(), ..own.clone() };
    assert_eq!(look(&door_for(&fresh, nowhere, &clock), Work::Look).await["state"], "missing");
    let none = BackupSystem { command: "/nonexistent/restic".into(), ..own.clone() };
    assert_eq!(look(&door_for(&fresh, none, &clock), Work::Look).await["state"], "failed");
    let all = store::facts(&fresh.store, door.config(), clock.now()).await.expect("facts");
    assert_eq!(all[0].repos[0].runs.iter().filter(|r| r.gone_at.is_some()).count(), 0);

    flip(&here.join("repo/data"));
    let damaged = look(&door, Work::Verify(true)).await;
    assert_eq!(damaged["damaged"], true, "{damaged}");
    let all = store::facts(&fresh.store, door.config(), clock.now()).await.expect("facts");
    let plan = plan_of(door.config(), "oa-files");
    let s = evaluate(&all[0], &plan, clock.now());
    assert!(s.verdict == Verdict::Unsafe && s.findings.iter().any(|f| f.id().0 == "B10"), "{:?}", s.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn borg_end_to_end() {
    if !installed("borg") {
        return;
    }
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    sh(here, "mkdir -p src; head -c 300000 /dev/urandom > src/a.bin");
    let env = "export BORG_BASE_DIR=$PWD/base BORG_PASSPHRASE=secret BORG_REPO=$PWD/repo TZ=Asia/Shanghai;";
    sh(
        here,
        &format!(
            "{env} borg init -e repokey; borg create --timestamp 2026-11-22T02:00:00 ::oa-weekly-2026-11-22 src; borg create --timestamp 2026-11-23T02:00:00 ::oa-daily-2026-11-23 src"
        ),
    );
    let own = BackupSystem {
        name: "oa-files".into(),
        tool: "borg".into(),
        repository: here.join("repo").display().to_string(),
        password: Secret::new("secret"),
        env: [("BORG_BASE_DIR".to_owned(), Secret::new(here.join("base").display().to_string()))].into(),
        ..BackupSystem::default()
    };
    let clock = Clock::System;
    let door = door_for(&fresh, own.clone(), &clock);
    let listed = look(&door, Work::Look).await;
    assert_eq!((&listed["new"], listed["state"].as_str()), (&Value::from(2), Some("ok")), "{listed}");
    let all = store::facts(&fresh.store, door.config(), clock.now()).await.expect("facts");
    let runs = &all[0].repos[0].runs;
    assert!(runs[0].source_bytes.is_some_and(|b| b >= 300_000), "sizes come with it: {runs:?}");
    let plan = plan_of(door.config(), "oa-files");
    let s = evaluate(&all[0], &plan, at("2026-11-23T12:00:00+08:00"));
    assert_eq!((s.last_full, s.last_incremental), (Some(runs[0].at), Some(runs[1].at)));
    assert_eq!(look(&door, Work::Verify(true)).await["damaged"], false);
    let wrong = BackupSystem { password: Secret::new("wrong"), ..own.clone() };
    assert_eq!(look(&door_for(&fresh, wrong, &clock), Work::Look).await["state"], "auth");
    let silent = BackupSystem { password: Secret::default(), ..own.clone() };
    assert_eq!(look(&door_for(&fresh, silent, &clock), Work::Look).await["state"], "auth", "it must not ask");
    let nowhere = BackupSystem { repository: here.join("nowhere").display().to_string(), ..own };
    assert_eq!(look(&door_for(&fresh, nowhere, &clock), Work::Look).await["state"], "missing");
    flip(&here.join("repo/data"));
    let damaged = look(&door, Work::Verify(true)).await;
    assert_eq!(damaged["damaged"], true, "{damaged}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_hangs_or_floods_is_ended_with_its_children() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let folder = tempfile::tempdir().expect("folder");
    let marker = folder.path().join("alive");
    let script = folder.path().join("tool");
    let hang = format!("#!/bin/sh\n(while :; do date > '{}'; sleep 0.1; done) &\nwait\n", marker.display());
    for (text, state) in [(hang.as_str(), "unreachable"), ("#!/bin/sh\nexec cat /dev/zero\n", "unparseable")] {
        std::fs::write(&script, text).expect("script");
        sh(folder.path(), "chmod +x tool");
        let own = BackupSystem {
            name: "oa".into(),
            tool: "restic".into(),
            repository: "/srv/x".into(),
            command: script.display().to_string(),
            ..BackupSystem::default()
        };
        let mut config = Config::default();
        config.backups.system = vec![own];
        config.backups.scan_timeout = zhiban::config::Dur(3_000);
        let actor = Actor { name: "wang".into(), role: Role::Operator, origin: "test".into(), unclaimed: false };
        let door = Door::new(fresh.store.clone(), Clock::System, Arc::new(config), actor, false);
        assert_eq!(look(&door, Work::Look).await["state"], state);
    }
    std::fs::remove_file(&marker).expect("it was alive");
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert!(!marker.exists(), "the child went with its parent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_asks_for_is_done_by_the_holder_of_the_lease() {
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let folder = tempfile::tempdir().expect("folder");
    let script = folder.path().join("tool");
    std::fs::write(&script, "#!/bin/sh\ncase \"$*\" in *check*) echo 'no errors were found';; *) echo '[]';; esac\n")
        .expect("script");
    sh(folder.path(), "chmod +x tool");
    let own = BackupSystem {
        name: "oa".into(),
        tool: "restic".into(),
        repository: "/srv/x".into(),
        command: script.display().to_string(),
        ..BackupSystem::default()
    };
    let door = door_for(&fresh, own, &Clock::System);
    let ask = Ask { system: "oa".into(), offsite: false, kind: "data" };
    assert_eq!(ask.needs(), Role::Operator);
    door.run(&ask).await.expect("asked");
    assert_eq!(store::requests(&fresh.store).await.expect("requests").len(), 1);
    let job = Scan::default();
    for _ in 0..100 {
        job.run(&door).await.expect("job");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if store::requests(&fresh.store).await.expect("requests").is_empty() {
            break;
        }
    }
    let all = store::facts(&fresh.store, door.config(), Clock::System.now()).await.expect("facts");
    assert_eq!(all[0].checks.iter().map(|c| (c.level, c.ok)).collect::<Vec<_>>(), [(level::DATA, true)]);
    let state = all[0].repos[0].look.as_ref().map(|l| l.state);
    assert!(!all[0].repos[0].asked && state == Some(LookState::Ok));
    let young = all[0].repos[0].look.as_ref().is_some_and(|l| Clock::System.now() - l.at < HOUR);
    assert!(young, "and the repository was looked at");
}
