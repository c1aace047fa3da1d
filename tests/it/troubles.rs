//! What is wrong with the desk itself, and files that came with a ticket, on both databases.

use serde_json::json;
use zhiban::action::{Door, Job as _, Role};
use zhiban::clock::{Clock, HOUR, Millis, parse_rfc3339};
use zhiban::config::{Config, Mailbox, Secret};
use zhiban::console::tab::Tab;
use zhiban::console::testing::Driver;
use zhiban::intake::alerts::jobs::Watch;
use zhiban::intake::alerts::sources::Alertmanager;
use zhiban::intake::mail::jobs::take;
use zhiban::intake::quarantine::Hold;
use zhiban::intake::store::{self as intake, Service};
use zhiban::locale::{self, Lang};
use zhiban::notify::model::Message;
use zhiban::notify::store as outbox;

use crate::db::Fresh;
use crate::on_both;

/// Tuesday, 10:00 in Shanghai.
fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-24T10:00:00+08:00").expect("time"))
}

async fn dead(fresh: &Fresh, n: i64, now: Millis) {
    let mut tx = fresh.store.begin_measure().await.expect("begin");
    let m = Message {
        channel: "robot".into(),
        recipient: "li\u{1b}[2J".into(),
        subject: format!("工单 {n}"),
        body: "请处理".into(),
        cause: "escalation".into(),
        ticket_id: None,
        thread: String::new(),
        dedupe: format!("d{n}"),
        not_before: now,
    };
    outbox::put(&mut tx, &m, now).await.expect("put");
    tx.commit().await.expect("commit");
    let id = outbox::list(&fresh.store, None, 1).await.expect("list")[0].id;
    outbox::failed(&fresh.store, &[id], "93000 invalid key", None).await.expect("failed");
}

async fn desk(door: &Door, clock: &Clock, wall: bool) -> Driver {
    let tabs: Vec<Box<dyn Tab>> = zhiban::console::all_tabs(&Config::default().into(), "wang");
    let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
    let mut driver = Driver::new(tabs, Some(door.clone()), clock.now(), wall.then_some(20_000));
    driver.size = (140, 36);
    driver.settle().await;
    driver
}

/// A `Watchdog` alert of `source`, as its sender repeats it.
async fn heartbeat(door: &Door, source: &str) {
    let sent = json!({"version": "4", "groupKey": "w", "status": "firing", "receiver": "zhiban", "groupLabels": {},
        "commonLabels": {"alertname": "Watchdog"}, "commonAnnotations": {}, "externalURL": "", "truncatedAlerts": 0,
        "alerts": [{"status": "firing", "labels": {}, "annotations": {}, "startsAt": "2026-11-24T00:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "f"}]});
    let sent: Alertmanager = serde_json::from_value(sent).expect("alert");
    door.run(&sent.heard(source, &door.config().serve).expect("heard")).await.expect("heartbeat");
}

fn english(d: &mut Driver) -> String {
    locale::with(Lang::En, || d.screen())
}

on_both! {
    async fn the_desks_own_troubles_stand_on_its_tab_and_are_put_right_there(fresh: Fresh) {
        let clock = clock();
        let now = clock.now();
        let boss = fresh.door("wang", Role::Supervisor, &clock);
        let mut d = desk(&boss, &clock, false).await;
        assert!(!english(&mut d).contains('▲'), "nothing is wrong: {}", d.screen());
        d.keys("t").await;
        assert!(english(&mut d).contains("nothing is wrong"), "{}", d.screen());
        dead(&fresh, 1, now).await;
        dead(&fresh, 2, now).await;
        let hold = |n: usize| Hold {
            channel: "api".into(), source: "oa".into(), reason: "not JSON".into(), body: format!("{{oops {n}\u{1b}]0;x").into_bytes(),
        };
        boss.run(&hold(1)).await.expect("hold");
        boss.run(&hold(2)).await.expect("hold");
        let service = Service { name: "host/1".into(), address: "http://10.0.0.1:8440".into(), at: now, finding: "plain".into() };
        intake::beat(&fresh.store, &service, now).await.expect("beat");
        let mut d = desk(&boss, &clock, false).await;
        let screen = english(&mut d);
        assert!(screen.contains("▲ undelivered: 2 · not understood: 2 · unencrypted: 1"), "{screen}");
        let header = screen.lines().next().expect("header").to_owned();
        assert!(header.contains('5'), "the badge counts them: {header}");
        assert!(!screen.contains('\u{1b}'));
        // read, and tried again
        d.keys("t enter").await;
        let read = english(&mut d);
        assert!(read.contains("93000 invalid key") && read.contains("请处理") && read.contains("try again"), "{read}");
        d.keys("r").await;
        assert_eq!(outbox::counts(&fresh.store).await.expect("counts"), (1, 1), "{}", d.screen());
        let screen = english(&mut d);
        assert!(screen.contains("▲ undelivered: 1"), "{screen}");
        // let go, and taken back
        d.keys("t down enter x").await;
        let held = async || intake::held_count(&fresh.store).await.expect("held");
        assert_eq!(held().await, 1, "{}", d.screen());
        d.keys("u").await;
        assert_eq!(held().await, 2, "{}", d.screen());
        d.keys("U").await;
        assert_eq!(held().await, 1);
        // who is no supervisor lets nothing go
        let operator = fresh.door("li", Role::Operator, &clock);
        let mut d = desk(&operator, &clock, false).await;
        d.keys("t down enter").await;
        let read = english(&mut d);
        assert!(read.contains("oops") && read.contains("a supervisor can let it go"), "{read}");
        d.keys("x").await;
        assert_eq!(held().await, 1);
        // a service that has gone says nothing any more; the wall says what is left
        clock.set(now + HOUR);
        let mut d = desk(&boss, &clock, true).await;
        let wall = english(&mut d);
        assert!(wall.contains("undelivered: 1 · not understood: 1") && !wall.contains("unencrypted"), "{wall}");
    }

    async fn a_sender_without_heartbeat_is_shown_until_it_is_heard(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("root", Role::Admin, &clock);
        heartbeat(&door, "am").await;
        clock.set(clock.now() + HOUR);
        Watch.run(&door).await.expect("watch");
        let mut d = desk(&door, &clock, false).await;
        let screen = english(&mut d);
        assert!(screen.contains("▲ silent: 1"), "{screen}");
        d.keys("t enter").await;
        let read = english(&mut d);
        assert!(read.contains("am is silent since") && read.contains("Watchdog"), "{read}");
        heartbeat(&door, "am").await;
        let mut d = desk(&door, &clock, false).await;
        assert!(!english(&mut d).contains("silent"), "{}", d.screen());
    }

    async fn a_file_of_a_ticket_is_listed_and_saved_where_it_can_do_no_harm(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        let mailbox = Mailbox {
            name: "desk".into(), host: "localhost".into(), username: "u".into(), secret: Secret::new("k"), ..Mailbox::default()
        };
        let mail = "From: li@example.com\r\nTo: desk@example.com\r\nMessage-ID: <1@example.com>\r\nSubject: jam\r\nMIME-Version: 1.0\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee\r\n\
            --b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../..\\.ssh/authorized keys\"\r\n\r\nfirst\r\n\
            --b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"log.txt\"\r\n\r\nsecond\r\n--b--\r\n";
        take(&door, &mailbox, mail.as_bytes()).await.expect("taken");
        let mut d = desk(&door, &clock, false).await;
        let screen = english(&mut d);
        assert!(screen.contains("Attachments") && screen.contains("log.txt") && screen.contains("application/pdf"), "{screen}");
        d.keys("s").await;
        assert!(english(&mut d).contains("log.txt"), "{}", d.screen());
        d.keys("esc").await;
        // where it goes is the environment's: tests/it/program.rs has a home of its own
    }
}
