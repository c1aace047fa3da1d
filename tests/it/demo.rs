//! The synthetic company: the same every time, whole, and alive.

use std::sync::Arc;

use zhiban::accounts;
use zhiban::action::Door;
use zhiban::backups;
use zhiban::clock::{Clock, DAY, HOUR, MINUTE, Millis, SECOND};
use zhiban::config::Config;
use zhiban::demo::{self, Company, Live, hosts};
use zhiban::health;
use zhiban::health::alert::{self, Problem};
use zhiban::health::model::Severity;
use zhiban::journal;
use zhiban::store::Store;
use zhiban::tickets;
use zhiban::tickets::store::Queue;
use zhiban::workflows;

use crate::db::{Db, fresh};
use crate::on_both;

/// 2026-11-24 14:30 in Shanghai, a Tuesday.
const NOW: Millis = 1_795_501_800_000;

async fn company(store: &Store, clock: &Clock, seed: u64) -> Live {
    let config = Arc::new(Config { accounts: demo::accounts::rules(), ..Config::default() });
    Company::new(store.clone(), clock.clone(), config, "wang", seed).settle().await.expect("settled")
}

fn problems(known: &health::store::Known, config: &Config, now: Millis) -> Vec<Problem> {
    known.problems(&alert::rules(&config.health), now)
}

/// Every journal row but for its hashes, which follow from it.
async fn told(store: &Store) -> Vec<String> {
    let mut out = vec![];
    let mut after = 0;
    loop {
        let page = journal::page(store, after, 5_000).await.expect("page");
        let Some(last) = page.last() else { return out };
        after = last.seq;
        out.extend(page.into_iter().map(|r| format!("{:?} {}", r.entry, r.hash)));
    }
}

async fn count(store: &Store, sql: &str) -> i64 {
    store.row(sql, vec![], |r| r.get::<i64>(0)).await.expect("counted").unwrap_or(0)
}

on_both! {
    async fn the_company_is_whole_and_its_troubles_are_found_by_the_rooms_themselves(fresh: Fresh) {
        let (store, clock, config) = (&fresh.store, Clock::manual(NOW), Config::default());
        company(store, &clock, 7).await;
        let verified = journal::verify(store).await.expect("verified");
        assert!(verified.first_broken.is_none() && verified.rows > 1_000, "{verified:?}");

        // tickets: every state, channel, level; every reason to wait
        assert!(count(store, "SELECT count(*) FROM ticket").await >= 300);
        for (column, values) in [
            ("state", &["new", "open", "waiting", "resolved", "merged"][..]),
            ("level", &["general", "important", "urgent"]),
            ("channel", &["phone", "wecom", "mail", "web", "walk_in", "monitor"]),
            ("pause_reason", &["waiting_user", "waiting_vendor", "approved_window"]),
            ("scope", &["individual", "department", "company"]),
        ] {
            for value in values {
                let sql = format!("SELECT count(*) FROM ticket WHERE {column} = '{value}'");
                assert!(count(store, &sql).await > 0, "no ticket with {column} {value}");
            }
        }
        for what in ["born_late", "response_breached", "resolution_breached", "resolution_excused", "flag = 'user_replied'"] {
            assert!(count(store, &format!("SELECT count(*) FROM ticket WHERE {what}")).await > 0, "{what}");
        }
        let sql = "SELECT count(DISTINCT ticket_id) FROM ticket_event WHERE kind = 'reopened'";
        assert!(count(store, sql).await >= 5);
        let queues = tickets::store::counts(store, "wang", NOW).await.expect("counts");
        let of = |queue: Queue| queues[Queue::ORDER.iter().position(|q| *q == queue).expect("there")];
        assert!(of(Queue::Breaching) >= 20 && of(Queue::Mine) >= 4 && of(Queue::Waiting) >= 10, "{queues:?}");
        assert!(of(Queue::Unassigned) >= 15 && of(Queue::All) >= 80, "{queues:?}");
        assert_eq!(tickets::store::overdue_marks(store, NOW).await.expect("marks"), Vec::<i64>::new());

        // hosts
        let known = health::store::fleet(store, NOW).await.expect("fleet");
        assert!(known.len() >= 40, "{}", known.len());
        let wrong = known.iter().filter(|k| !problems(k, &config, NOW).is_empty());
        let wrong: Vec<&str> = wrong.map(|k| k.host.name.as_str()).collect();
        for host in &hosts::FLEET {
            use hosts::Trouble::{DiskFills, HotCpu, Leaks, Silent};
            let planted = matches!(host.trouble, DiskFills | HotCpu | Leaks | Silent);
            assert_eq!(wrong.contains(&host.name), planted, "{}: {wrong:?}", host.name);
        }
        let places: std::collections::HashSet<_> = known.iter().map(|k| (&k.host.sample.role, &k.host.sample.site)).collect();
        assert!(places.len() >= 10, "{places:?}");

        // accounts: every rule that a file can break is broken, but for the one that silences others
        let rules = demo::accounts::rules();
        let book = accounts::store::book(store, &rules).await.expect("book");
        assert!(book.accounts.len() >= 2_000, "{}", book.accounts.len());
        let audit = accounts::audit::audit(&book, NOW, NOW, &rules);
        for rule in accounts::rules::RULES {
            let found = audit.findings.iter().filter(|f| f.rule == rule).count();
            let cannot = ["A12", "A14", "A30", "DQ-feed"].contains(&rule.id);
            assert!((found > 0) != cannot, "{} {}: {found}", rule.id, rule.finding);
        }
        assert!(audit.findings.len() < 500, "{}", audit.findings.len());

        // workflows
        assert_eq!(workflows::store::list(store).await.expect("workflows").len(), 6);

        // backups
        let facts = backups::store::facts(store, &config, NOW).await.expect("facts");
        assert_eq!(facts.len(), 8);

        // the visitor is an admin among colleagues
        let operators = zhiban::action::operators::list(store).await.expect("operators");
        assert!(operators.len() >= 7 && operators.iter().any(|o| o.name == "wang" && o.role.word() == "admin"));
    }

    async fn it_moves_when_the_clock_does(fresh: Fresh) {
        let (store, clock, config) = (&fresh.store, Clock::manual(NOW), Config::default());
        let mut live = company(store, &clock, 7).await;
        let before = (
            count(store, "SELECT count(*) FROM ticket").await,
            count(store, "SELECT count(*) FROM ticket_event WHERE kind IN ('reply', 'resolved', 'claimed')").await,
            count(store, "SELECT CAST(sum(events) AS BIGINT) FROM workflow").await,
            count(store, "SELECT count(*) FROM backup_run").await,
        );
        let mut now = NOW;
        let (mut hot, mut well) = (false, false);
        while now < NOW + 2 * HOUR {
            now += if now < NOW + 20 * MINUTE { 20 * SECOND } else { 5 * MINUTE };
            clock.set(now);
            live.advance(now).await.expect("moves");
            health::store::judge(store, &config, now).await.expect("judged");
            let known = health::store::fleet(store, now).await.expect("fleet");
            let burst = known.iter().find(|k| k.host.name == "oa-app-03.sh").expect("there");
            hot |= problems(burst, &config, now).iter().any(|p| p.severity == Severity::Critical);
            well |= hot && problems(burst, &config, now).is_empty();
            if now == NOW + 3 * MINUTE {
                let failed = count(store, "SELECT count(*) FROM backup_run WHERE outcome = 'failed'").await;
                assert!(failed > 0 && count(store, "SELECT count(*) FROM backup_run").await > before.3);
            }
        }
        assert!(count(store, "SELECT count(*) FROM ticket").await >= before.0 + 8);
        let sql = "SELECT count(*) FROM ticket_event WHERE kind IN ('reply', 'resolved', 'claimed')";
        assert!(count(store, sql).await >= before.1 + 20);
        assert!(count(store, "SELECT CAST(sum(events) AS BIGINT) FROM workflow").await > before.2);
        assert!(hot && well, "a host got hot and recovered");
        // clocks run out while one looks
        let counts = tickets::store::counts(store, "wang", now).await.expect("counts");
        assert!(counts[0] > 0, "{counts:?}");
        assert!(journal::verify(store).await.expect("verified").first_broken.is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_is_the_same_company_and_another_is_not() {
    let (a, b, c) = (fresh(Db::Sqlite).await, fresh(Db::Sqlite).await, fresh(Db::Sqlite).await);
    let mut rows = vec![];
    for (fresh, seed) in [(&a, 7), (&b, 7), (&c, 8)] {
        let clock = Clock::manual(NOW);
        let mut live = company(&fresh.store, &clock, seed).await;
        for minutes in [5, 10, 20] {
            clock.set(NOW + minutes * MINUTE);
            live.advance(clock.now()).await.expect("moves");
        }
        rows.push(told(&fresh.store).await);
    }
    assert!(rows[0] == rows[1], "the journals of one seed differ");
    assert!(rows[0] != rows[2], "the journals of two seeds are one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_visitor_takes_is_left_to_them() {
    let fresh = fresh(Db::Sqlite).await;
    let clock = Clock::manual(NOW);
    let mut live = company(&fresh.store, &clock, 7).await;
    let visitor = fresh.door("wang", zhiban::action::Role::Admin, &clock);
    let page = tickets::store::page(&fresh.store, Queue::Unassigned, "wang", NOW, None, 200).await.expect("page");
    assert!(!page.is_empty());
    for t in &page {
        let claim = tickets::actions::Change::new(t.id, tickets::actions::What::Claim);
        visitor.run(&claim).await.expect("claimed");
    }
    clock.set(NOW + 4 * HOUR);
    live.advance(clock.now()).await.expect("moves");
    for t in &page {
        let t = tickets::store::get(&fresh.store, t.id).await.expect("read").expect("there");
        assert_eq!((t.owner.as_deref(), t.is_open()), (Some("wang"), true), "#{}", t.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_asks_for_a_look_at_a_backup_is_answered_without_any_tool() {
    let fresh = fresh(Db::Sqlite).await;
    let clock = Clock::manual(NOW);
    let mut live = company(&fresh.store, &clock, 7).await;
    let visitor: Door = fresh.door("wang", zhiban::action::Role::Admin, &clock);
    let ask = backups::actions::Ask { system: "oa-mail".into(), offsite: false, kind: "data" };
    visitor.run(&ask).await.expect("asked");
    clock.set(NOW + SECOND);
    live.advance(clock.now()).await.expect("moves");
    assert!(backups::store::requests(&fresh.store).await.expect("requests").is_empty());
    assert!(zhiban::serve::jobs().iter().any(|j| j.name() == "backups.scan" && j.reaches_out()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_charts_have_a_past_over_every_span() {
    let fresh = fresh(Db::Sqlite).await;
    let clock = Clock::manual(NOW);
    let live = company(&fresh.store, &clock, 7).await;
    live.remember().await.expect("remembered");
    let host = health::store::hosts(&fresh.store).await.expect("hosts").into_iter().find(|h| h.name == "oa-db-01.sh");
    let host = host.expect("there").id;
    for (span, least) in
        [(5 * MINUTE, 25), (HOUR, 55), (6 * HOUR, 150), (24 * HOUR, 600), (7 * DAY, 250), (30 * DAY, 800)]
    {
        let points = health::store::history(&fresh.store, host, NOW - span, NOW).await.expect("history");
        assert!(points.len() >= least, "{} points in {} h", points.len(), span / HOUR);
    }
    // while its past is put in, what is shown of a host does not go back
    let known = health::store::fleet(&fresh.store, NOW).await.expect("fleet");
    assert!(known.iter().all(|k| k.host.sample.at > NOW - 25 * MINUTE));
    // the disk that fills up is seen to
    health::store::look_ahead(&fresh.store, NOW).await.expect("looked ahead");
    let known = health::store::fleet(&fresh.store, NOW).await.expect("fleet");
    let filling = known.iter().find(|k| k.host.name == "oa-file-02.sh").expect("there");
    let forecast = filling.forecasts.iter().find(|(mount, _)| mount == "/srv/files").expect("a forecast");
    let days = (forecast.1.full_at - NOW) as f64 / DAY as f64;
    assert!((3.0..9.0).contains(&days), "{days}");
}

#[test]
fn it_begins_in_the_hours_of_an_office() {
    let config = Config::default().tickets;
    let at = |text: &str| zhiban::clock::parse_rfc3339(text).expect("time");
    let begins = |text: &str| demo::beginning(at(text), &config);
    assert_eq!(begins("2026-11-24T14:30:00+08:00"), at("2026-11-24T14:30:00+08:00"));
    assert_eq!(begins("2026-11-24T03:00:00+08:00"), at("2026-11-23T14:20:00+08:00"));
    assert_eq!(begins("2026-11-24T17:30:00+08:00"), at("2026-11-24T14:20:00+08:00"), "the office closes soon");
    assert_eq!(begins("2026-11-24T23:00:00+08:00"), at("2026-11-24T14:20:00+08:00"));
    assert_eq!(begins("2026-11-29T11:00:00+08:00"), at("2026-11-27T14:20:00+08:00"), "a Sunday");
    assert_eq!(begins("2026-10-04T11:00:00+08:00"), at("2026-09-30T14:20:00+08:00"), "the National Day holiday");
}

#[test]
fn a_speed_that_makes_no_sense_and_a_store_beside_the_demo_are_refused() {
    for args in [
        &["--demo", "--speed", "0"][..],
        &["--demo", "--speed", "fast"],
        &["--demo", "--speed", "NaN"],
        &["--demo", "--speed", "601"],
        &["--speed", "5"],
        &["--demo", "--store", "sqlite:///tmp/never.db"],
        &["--demo", "ticket", "list"],
        &["wall", "--demo", "--speed", "-3"],
    ] {
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_zhiban")).args(args).output().expect("ran");
        assert_eq!(out.status.code(), Some(2), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        assert!(!out.stderr.is_empty(), "{args:?} says why");
    }
}
