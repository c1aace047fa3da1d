//! pgBackRest on a real cluster: backups made, listed, verified, damaged, and the archive behind them.

use std::path::Path;

use serde_json::Value;
use zhiban::backups::jobs::Work;
use zhiban::backups::model::{Kind, plan_of};
use zhiban::backups::store;
use zhiban::backups::verdict::{Verdict, evaluate};
use zhiban::clock::Clock;
use zhiban::config::BackupSystem;

use crate::backups::{door_for, flip, installed, look, sh};

/// A cluster in `dir` that archives by pgBackRest, with a full and an incremental backup. PostgreSQL refuses to run as
/// root, so root hands the work to `postgres`.
const MAKE: &str = r#"
cd "$1"; mkdir repo log lock spool sock
"$2/initdb" -D data -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null
cat > c.conf <<X
[global]
repo1-path=$1/repo
repo1-retention-full=2
log-path=$1/log
lock-path=$1/lock
spool-path=$1/spool
start-fast=y
compress-level=0
log-level-console=error
[main]
pg1-path=$1/data
pg1-socket-path=$1/sock
pg1-user=postgres
X
"$2/pg_ctl" -D data -w -l pg.log -o "-k $1/sock -c listen_addresses= -c archive_mode=on -c wal_level=replica -c 'archive_command=pgbackrest --config=$1/c.conf --stanza=main archive-push %p'" start >/dev/null
trap '"$2/pg_ctl" -D data -m fast stop >/dev/null' EXIT
pgbackrest --config="$1/c.conf" --stanza=main stanza-create
pgbackrest --config="$1/c.conf" --stanza=main --type=full backup
"$2/psql" -h "$1/sock" -U postgres -qc 'create table t as select generate_series(1, 1000) n'
pgbackrest --config="$1/c.conf" --stanza=main --type=incr backup
"#;

fn make(dir: &Path) {
    let bin = std::env::var("ZHIBAN_TEST_PG_BIN").expect("ZHIBAN_TEST_PG_BIN: ./tests/run sets it");
    std::fs::write(dir.join("make.sh"), MAKE).expect("script");
    let run = format!("sh -eu make.sh '{}' '{bin}'", dir.display());
    let whole = format!(
        "chmod 755 . make.sh; if [ \"$(id -u)\" = 0 ]; then chown postgres .; su postgres -s /bin/sh -c \"{run}\"; else {run}; fi"
    );
    sh(dir, &whole);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pgbackrest_end_to_end() {
    if !installed("pgbackrest") {
        return;
    }
    let fresh = crate::db::fresh(crate::db::Db::Sqlite).await;
    let folder = tempfile::tempdir().expect("folder");
    let here = folder.path();
    make(here);
    let own = BackupSystem {
        name: "oa-db".into(),
        tool: "pgbackrest".into(),
        repository: "main".into(),
        options: vec![format!("--config={}", here.join("c.conf").display())],
        ..BackupSystem::default()
    };
    let clock = Clock::System;
    let door = door_for(&fresh, own.clone(), &clock);
    let listed = look(&door, Work::Look).await;
    assert_eq!((&listed["new"], listed["state"].as_str()), (&Value::from(2), Some("ok")), "{listed}");
    let all = store::facts(&fresh.store, door.config(), clock.now()).await.expect("facts");
    let runs = &all[0].repos[0].runs;
    assert_eq!(runs.iter().map(|r| r.kind).collect::<Vec<_>>(), [Some(Kind::Full), Some(Kind::Incremental)]);
    assert_eq!(runs[1].prior.as_ref(), Some(&runs[0].id), "the incremental names what it builds on");
    let s = evaluate(&all[0], &plan_of(door.config(), "oa-db"), clock.now());
    assert_eq!((s.last_full, s.last_incremental), (Some(runs[0].at), Some(runs[1].at)));

    let verified = look(&door, Work::Verify(true)).await;
    assert_eq!(verified["damaged"], false, "{verified}");
    let nowhere = BackupSystem { repository: "other".into(), ..own };
    assert_ne!(look(&door_for(&fresh, nowhere, &clock), Work::Look).await["state"], "ok");

    flip(&here.join("repo/backup"));
    let damaged = look(&door, Work::Verify(true)).await;
    assert_eq!(damaged["damaged"], true, "{damaged}");
    let all = store::facts(&fresh.store, door.config(), clock.now()).await.expect("facts");
    let s = evaluate(&all[0], &plan_of(door.config(), "oa-db"), clock.now());
    assert!(s.verdict == Verdict::Unsafe && s.findings.iter().any(|f| f.id().0 == "B10"), "{:?}", s.findings);
}
