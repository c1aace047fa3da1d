//! Tickets, on both databases.

use zhiban::action::{ActionError, Role};
use zhiban::clock::{Clock, HOUR, MINUTE, parse_rfc3339};
use zhiban::journal;
use zhiban::tickets::actions::{Change, New, What};
use zhiban::tickets::store::{self, Queue};

use crate::on_both;

fn new(title: &str, severity: &str) -> New {
    New {
        title: title.into(),
        body: "审批提交后一直转圈 approval hangs".into(),
        scope: "individual".into(),
        severity: severity.into(),
        channel: "phone".into(),
        reporter: "张敏".into(),
        reported_at: None,
        late_reason: None,
    }
}

/// Tuesday, 10:00 in Shanghai.
fn clock() -> Clock {
    Clock::manual(parse_rfc3339("2026-11-24T10:00:00+08:00").expect("time"))
}

on_both! {
    async fn fifty_claimers_and_every_ticket_has_one_owner(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("root", Role::Admin, &clock);
        for i in 0..60 {
            door.run(&new(&format!("t{i}"), "general")).await.expect("new");
        }
        let mut tasks = Vec::new();
        for c in 0..50 {
            let door = fresh.door(&format!("op{c}"), Role::Operator, &clock);
            tasks.push(tokio::spawn(async move {
                let mut won = 0;
                for id in 1..=60 {
                    let claimed = door.run(&Change::new(id, What::Claim)).await;
                    assert!(matches!(claimed, Ok(_) | Err(ActionError::Conflict { .. })), "{claimed:?}");
                    won += i32::from(claimed.is_ok());
                }
                won
            }));
        }
        let mut won = 0;
        for task in tasks {
            won += task.await.expect("claimer");
        }
        assert_eq!(won, 60);
        assert_eq!(store::counts(&fresh.store, "op1", clock.now()).await.expect("counts")[2], 0);
        let v = journal::verify(&fresh.store).await.expect("verify");
        assert_eq!((v.rows, v.first_broken), (120, None));
    }

    async fn a_reply_stops_the_response_clock_and_a_note_does_not(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "important")).await.expect("new");
        clock.set(clock.now() + 10 * MINUTE);
        door.run(&Change::new(1, What::Note("look".into()))).await.expect("note");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!(t.response_met_at, None);
        door.run(&Change::new(1, What::Reply("on it".into()))).await.expect("reply");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!(t.response_met_at, Some(clock.now()));
        assert!(!t.response_breached);
    }

    async fn a_pause_moves_the_resolution_and_ends_by_itself(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "important")).await.expect("new");
        let start = clock.now();
        door.run(&Change::new(1, What::Reply("on it".into()))).await.expect("reply");
        let pause = What::Pause { reason: "waiting_user".into(), until: start + HOUR };
        door.run(&Change::new(1, pause)).await.expect("pause");
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").resolution_due, None);
        clock.set(start + HOUR);
        assert_eq!(store::overdue_marks(&fresh.store, clock.now()).await.expect("marks"), [1]);
        door.run(&Change::new(1, What::Tick)).await.expect("tick");
        let t = store::get(&fresh.store, 1).await.expect("get").expect("there");
        assert_eq!((t.state.as_str(), t.flag.as_deref()), ("open", Some("follow_up")));
        // 4 h of office time from 10:00, an hour of it paused, an hour of it lunch
        assert_eq!(t.resolution_due, Some(start + 6 * HOUR));
    }

    async fn a_breach_is_latched_once_and_stays(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        door.run(&new("t", "urgent")).await.expect("new");
        clock.set(clock.now() + 31 * MINUTE);
        for _ in 0..3 {
            door.run(&Change::new(1, What::Tick)).await.expect("tick");
        }
        let past = store::happenings(&fresh.store, 1).await.expect("past");
        assert_eq!(past.iter().filter(|h| h.kind == "sla_breached").count(), 1);
        let level = What::Level { scope: "individual".into(), severity: "general".into(), reason: "smaller".into() };
        door.run(&Change::new(1, level)).await.expect("level");
        assert!(store::get(&fresh.store, 1).await.expect("get").expect("there").response_breached);
    }

    async fn someone_elses_change_is_a_conflict_that_names_them(fresh: Fresh) {
        let clock = clock();
        let wang = fresh.door("wang", Role::Operator, &clock);
        let li = fresh.door("li", Role::Operator, &clock);
        wang.run(&new("t", "general")).await.expect("new");
        li.run(&Change::new(1, What::Note("first".into()))).await.expect("note");
        let late = Change { id: 1, what: What::Note("second".into()), seen: Some(1) };
        let refused = wang.run(&late).await;
        assert!(matches!(&refused, Err(ActionError::Conflict { who, .. }) if who == "li"), "{refused:?}");
    }

    async fn an_undo_gives_the_ticket_back(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        door.run(&new("t", "general")).await.expect("new");
        let claimed = door.run(&Change::new(1, What::Claim)).await.expect("claim");
        door.run(claimed.undo.expect("undo").as_ref()).await.expect("undone");
        assert_eq!(store::get(&fresh.store, 1).await.expect("get").expect("there").owner, None);
    }

    async fn search_finds_chinese_and_english_newest_first(fresh: Fresh) {
        let door = fresh.door("wang", Role::Operator, &clock());
        for title in ["磁盘空间不足 disk full", "合同附件下载失败", "磁盘告警 host-00042"] {
            door.run(&new(title, "general")).await.expect("new");
        }
        let ids = |words: &'static str| {
            let s = fresh.store.clone();
            async move { store::find(&s, words, 10).await.expect("find").iter().map(|t| t.id).collect::<Vec<_>>() }
        };
        assert_eq!(ids("磁盘").await, [3, 1]);
        assert_eq!(ids("DISK 空间").await, [1]);
        assert_eq!(ids("间").await, [1]);
        assert_eq!(ids("足").await, [1]);
        assert_eq!(ids("00042").await, [3]);
        assert_eq!(ids("'\" OR * :!").await, Vec::<i64>::new());
        assert_eq!(ids("转圈 hangs").await, [3, 2, 1]);
    }

    async fn queues_hold_what_their_names_say(fresh: Fresh) {
        let clock = clock();
        let door = fresh.door("wang", Role::Operator, &clock);
        for severity in ["general", "important", "urgent"] {
            door.run(&new(severity, severity)).await.expect("new");
        }
        door.run(&Change::new(1, What::Claim)).await.expect("claim");
        clock.set(clock.now() + 25 * MINUTE);
        let counts = store::counts(&fresh.store, "wang", clock.now()).await.expect("counts");
        assert_eq!(counts, [1, 1, 2, 0, 3]);
        let all = store::page(&fresh.store, Queue::All, "wang", clock.now(), None, 10).await.expect("page");
        assert_eq!(all.iter().map(|t| t.id).collect::<Vec<_>>(), [3, 2, 1], "most urgent first");
    }
}
