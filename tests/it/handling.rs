//! How long tickets take, and when the open ones must be begun, on both databases.

use chrono::TimeZone as _;
use zhiban::action::{Door, Job as _, Role};
use zhiban::clock::{Clock, HOUR, MINUTE, SECOND, parse_rfc3339};
use zhiban::config::Config;
use zhiban::console::tab::Tab;
use zhiban::console::testing::Driver;
use zhiban::locale::{self, Lang};
use zhiban::oncall::actions::SetRota;
use zhiban::oncall::model::Rota;
use zhiban::tickets::actions::{Change, New, What};
use zhiban::tickets::handling::like;
use zhiban::tickets::jobs::SafeStarts;
use zhiban::tickets::store::{self, Cursor, Order, Queue};

use crate::db::Fresh;
use crate::on_both;

/// Tuesday, 10:00 in Shanghai.
fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-24T10:00:00+08:00").expect("time"))
}

fn new(title: &str, channel: &str) -> New {
    New {
        title: title.into(),
        scope: "individual".into(),
        severity: "urgent".into(),
        channel: channel.into(),
        reporter: "张敏".into(),
        ..New::default()
    }
}

/// A ticket that was claimed ten minutes after it came and solved `minutes` later.
async fn solved(door: &Door, clock: &Clock, channel: &str, minutes: i64) {
    let id = door.run(&new("t", channel)).await.expect("new").value["id"].as_i64().expect("id");
    clock.set(clock.now() + 10 * MINUTE);
    door.run(&Change::new(id, What::Claim)).await.expect("claim");
    clock.set(clock.now() + minutes * MINUTE);
    let resolve = What::Resolve { cause: "c".into(), solution: "s".into() };
    door.run(&Change::new(id, resolve)).await.expect("resolve");
}

async fn desk(fresh: &Fresh, clock: &Clock) -> Driver {
    let tabs: Vec<Box<dyn Tab>> = zhiban::console::all_tabs(&Config::default().into(), "wang");
    let tabs = tabs.into_iter().filter(|t| t.key() == "tickets").collect();
    let mut driver = Driver::new(tabs, Some(fresh.door("wang", Role::Operator, clock)), clock.now(), None);
    driver.settle().await;
    driver
}

on_both! {
    async fn the_last_safe_start_is_the_due_time_less_what_such_tickets_take(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        let id = door.run(&new("open", "phone")).await.expect("new").value["id"].as_i64().expect("id");
        for minutes in [5, 10, 15, 20] {
            solved(&door, &clock, "phone", minutes).await;
        }
        SafeStarts.run(&door).await.expect("job");
        let t = store::get(&fresh.store, id).await.expect("get").expect("there");
        assert_eq!(t.last_safe_start(), None, "four tell nothing");
        solved(&door, &clock, "phone", 25).await;
        // one that was solved at once is none that was handled
        let at_once = door.run(&new("t", "phone")).await.expect("new").value["id"].as_i64().expect("id");
        let resolve = What::Resolve { cause: "c".into(), solution: "s".into() };
        door.run(&Change::new(at_once, resolve)).await.expect("resolve");
        SafeStarts.run(&door).await.expect("job");
        let t = store::get(&fresh.store, id).await.expect("get").expect("there");
        let due = t.resolution_due.expect("due");
        assert_eq!(t.last_safe_start(), Some(due - 15 * MINUTE));
        let typical = store::typical(&fresh.store).await.expect("typical");
        let kind = like(&typical, "phone", "urgent").expect("known");
        assert_eq!((kind.n, kind.median, kind.category.as_str()), (5, 15 * MINUTE, "phone"));
        assert_eq!(like(&typical, "mail", "urgent").expect("by level").category, "");
        // another due time is not known until it is counted, a pause has none, and what is over neither
        let level = What::Level { scope: "individual".into(), severity: "general".into(), reason: "r".into() };
        door.run(&Change::new(id, level)).await.expect("level");
        assert_eq!(store::get(&fresh.store, id).await.expect("get").expect("there").last_safe_start(), None);
        SafeStarts.run(&door).await.expect("job");
        let t = store::get(&fresh.store, id).await.expect("get").expect("there");
        assert_eq!(t.category.as_deref(), Some("phone"));
        assert!(t.last_safe_start().is_some_and(|at| at < t.resolution_due.expect("due")));
        door.run(&Change::new(id, What::Reply("a".into()))).await.expect("reply");
        let pause = What::Pause { reason: "waiting_user".into(), until: clock.now() + HOUR, note: String::new() };
        door.run(&Change::new(id, pause)).await.expect("pause");
        SafeStarts.run(&door).await.expect("job");
        assert_eq!(store::get(&fresh.store, id).await.expect("get").expect("there").last_safe_start(), None);
    }

    async fn a_queue_by_last_safe_start_pages_without_gap_and_the_desk_shows_it(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        for _ in 0..5 {
            solved(&door, &clock, "phone", 90).await;
            solved(&door, &clock, "mail", 6).await;
        }
        for channel in ["mail", "phone", "mail", "phone"] {
            door.run(&new(channel, channel)).await.expect("new");
            clock.set(clock.now() + SECOND);
        }
        SafeStarts.run(&door).await.expect("job");
        let page = |at, limit| store::page_in(&fresh.store, (Queue::Unassigned, Order::SafeStart), "wang", clock.now(), at, limit);
        let ids = |rows: Vec<zhiban::tickets::model::Ticket>| rows.iter().map(|t| t.id).collect::<Vec<_>>();
        let all = page(Cursor::Start, 100).await.expect("page");
        let order = ids(all.clone());
        assert_eq!(order, [12, 14, 11, 13], "the long ones must be begun first");
        let (first, id) = Order::SafeStart.place(&all[1]);
        assert_eq!(ids(page(Cursor::After(first, id), 100).await.expect("page")), order[2..]);
        assert_eq!(ids(page(Cursor::Before(first, id), 100).await.expect("page")), order[..1]);
        assert_eq!(ids(page(Cursor::End, 2).await.expect("page")), order[2..]);
        let start = all[0].last_safe_start().expect("known");
        let zone = chrono_tz::Asia::Shanghai;
        let mut d = desk(&fresh, &clock).await;
        d.size = (140, 40);
        d.keys("o \"safe\" enter").await;
        d.settle().await;
        let screen = locale::with(Lang::En, || d.screen());
        assert!(screen.contains("START BY") && screen.contains("start by"), "{screen}");
        assert!(screen.contains(&zone.timestamp_millis_opt(start).unwrap().format("%H:%M").to_string()), "{screen}");
        d.keys("E").await;
        let told = locale::with(Lang::En, || d.screen());
        assert!(told.contains("Last safe start") && told.contains("n = 5"), "{told}");
    }

    async fn what_the_people_on_duty_cannot_do_is_named(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("root", Role::Admin, &clock);
        for _ in 0..5 {
            solved(&door, &clock, "phone", 50).await;
        }
        let rota = |people: &str| SetRota { rota: Some(Rota {
            people: vec![people.into()], holiday_people: vec![], days: 7,
            starts_on: "2026-11-23".parse().expect("day"), hand_over: "09:00:00".parse().expect("time"),
        }) };
        door.run(&rota("wang+li")).await.expect("rota");
        for i in 0..5 {
            door.run(&new(&format!("t{i}"), "phone")).await.expect("new");
        }
        SafeStarts.run(&door).await.expect("job");
        // two hours each: two people do two each, fifty minutes at a time
        let mut d = desk(&fresh, &clock).await;
        d.size = (140, 40);
        let screen = locale::with(Lang::En, || d.screen());
        assert!(screen.contains("1 of 5 open tickets cannot make it with 2 on duty: #10"), "{screen}");
        door.run(&rota("wang+li+chen")).await.expect("rota");
        let mut d = desk(&fresh, &clock).await;
        let screen = locale::with(Lang::En, || d.screen());
        assert!(!screen.contains("cannot make it"), "{screen}");
        assert!(door.run(&rota("wang++li")).await.is_err());
    }
}
